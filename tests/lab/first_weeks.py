"""The three weeks before the campaign: backups judged, a bubble proven closed, applications back in it, each by its evidence.

Every chapter does one thing through the command line, and holds itself to what it promises.
"""

import json
import os
import shutil
import subprocess

from namespaces import LabError, wait_for
from weeks_data import BackupDisk

GATEWAY, READER, PROVER = "gw-rh-1", "srv-backup-1", "ws-rh-5"
INSIDE = ("srv-agiletime-1", "srv-maincare-1", "srv-pacs-1", "srv-lis-1")
POSTS = ("ws-rh-1", "ws-rh-2", "ws-rh-3", "ws-rh-4")
SERVERS = (GATEWAY, READER, *INSIDE, *POSTS, PROVER)
BEHIND = {name: GATEWAY for name in INSIDE}
ZONES = {GATEWAY: "trust_core", READER: "trust_core", **{name: "bubble" for name in INSIDE},
         **{name: "rebuilt" for name in (*POSTS, PROVER)}}
PLUGINS = ("backup", "bubble", "agiletime", "maincare", "lis")
SERVICE_PORT = 8410


def joined(values):
    return ",".join(values)


class FirstWeeks:
    def __init__(self, narration, place, site):
        self._tell, self._place, self._site = narration, place, site
        self._lab, self._disk = place.lab, None

    def _address(self, name):
        return self._lab.host(name).address

    # ---- its hosts ----

    def enrol(self):
        """Everything but what stands inside: that is reached only once its gateway lets the coordinator through."""
        self._tell.chapter("The hosts of the rebuild join: a gateway, a reader of backups, five loaned machines")
        self._join(tuple(name for name in SERVERS if name not in INSIDE))

    def _join(self, names):
        issued = self._site.ask("alice", "host", "token", *names)["tokens"]
        for token in issued:
            self._lab.host(token["host"]).join(f"{self._site.address}:{self._site.join_port}", token["join_code"])
        wait_for(lambda: set(names) <= self._connected(), f"{joined(names)} to connect", 30)
        for zone in sorted(set(ZONES[name] for name in names)):
            trust = "checked" if zone == "bubble" else "rebuilt"
            self._site.reprise("alice", "host", "admit", *(name for name in names if ZONES[name] == zone), "--zone", zone,
                               "--trust", trust, show=True)

    def _connected(self):
        return {host["name"] for host in self._site.ask("bob", "host", "ls")["hosts"] if host["connected"]}

    # ---- week 1 and 2: backups ----

    def backups(self):
        self._tell.chapter("Week 2: the disk with the backups is carried to a host that can reach nobody; its copies are judged")
        self._disk = BackupDisk(os.path.join(self._place.folder, "backup-disk"))
        self._disk.make()
        reader = self._lab.host(READER)
        reader.take_in(self._disk.folder, "/srv/backup-disk")
        for family in ("-4", "-6"):
            reader.run("ip", family, "route", "del", "default")
        for set_name in self._disk.sets:
            run = self._do("bob", "backup-verdicts", f"set={set_name}", f"source=/srv/backup-disk/{set_name}", "taker=bob",
                           "decision=crisis cell, meeting 9", f"reachable={self._place.address}/32,fe80::/64,{reader.address6}/128", signers=("alice",))
            self._succeeded(run, f"the copies of {set_name} are attached, in custody, and judged")
        self._site.reprise("bob", "backup", "ls", show=True)
        verdicts = {(p["verdict"]["set"], p["verdict"]["point"]): p["verdict"]["verdict"]
                    for p in self._site.ask("bob", "backup", "ls")["points"]}
        newest = verdicts[("agiletime-db", self._disk.newest)]
        self._tell.promise("the newest copy of the planning is found encrypted", "encrypted" in newest.lower(), newest)
        older = verdicts[("agiletime-db", self._disk.older)]
        self._tell.promise("an older one is proven sound to its last byte", older.lower().endswith("intact"), older)

    def refused_restore(self):
        self._tell.chapter("bob wants the newest copy back; the planner does not make such a plan")
        self._site.reprise("alice", "artifact", "add", *self._disk.files, show=True)
        said = self._plan_fails("agiletime", *self._agiletime(self._disk.newest))
        self._tell.promise("nothing is planned from the encrypted copy, and the sound one is named",
                           "ENCRYPTED" in said and f"agiletime-db/{self._disk.older}" in said)

    # ---- week 2: the bubble ----

    def bubble(self):
        self._tell.chapter("Week 2: the bubble is made, closed; what stands in it joins through the one way that is open")
        network = self._lab.network
        members = [a for name in INSIDE for a in (self._address(name), self._lab.host(name).address6)]
        ways = [f"tcp:{self._place.address}:{port}" for port in (self._site.port, self._site.join_port)]
        run = self._do("bob", "bubble", f"subnets={joined(network.inside_networks)}", f"members={joined(members)}",
                       f"management={joined(ways)}", signers=("alice",))
        self._succeeded(run, "the bubble is made")
        self._join(INSIDE)
        # What the vendors' programs are stood in for: see README.
        programs = os.path.join(self._place.folder, "standin")
        os.makedirs(programs)
        for name in ("standin_service.py", "lis_service.py"):
            shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), programs)
        for name in INSIDE:
            self._lab.host(name).take_in(programs, "/opt/reprise-standin")

    def proof(self):
        self._tell.chapter("AgileTime may begin, says its plan, when the bubble is proven closed; so it waits for the proof")
        self._waiting = self._begin("bob", "agiletime", *self._agiletime(self._disk.older), signers=("alice",))
        waits = [text for stage in self._site.run(self._waiting)["stages"] for text in stage["waits_for"]]
        self._site.reprise("bob", "run", "show", str(self._waiting), show=True)
        self._tell.promise("AgileTime's restore waits until the bubble is proven closed", len(waits) == 3, "; ".join(waits))
        run = self._do("bob", "bubble-proof", *self._probes())
        self._succeeded(run, "proven closed from inside, from outside and by its gateway, over TCP, UDP, ICMP, DNS and IPv6")
        self._tell.promise("from inside nothing outside is reached but the coordinator, asked without Reprise",
                           not self._reaches("srv-agiletime-1", self._place.address, self._site.web_port) and
                           self._reaches("srv-agiletime-1", self._place.address, self._site.port))

    def _probes(self):
        network, prover = self._lab.network, self._lab.host(PROVER)
        outside = [f"tcp:{prover.address}:22", f"udp:{prover.address}:137", f"icmp:{prover.address}", f"dns:{network.router}",
                   f"tcp:[{network.router6}]:{self._site.web_port}", f"icmp:{network.router6}"]
        target = self._lab.host("srv-agiletime-1")
        inside = [f"tcp:{target.address}:{SERVICE_PORT}", f"udp:{target.address}:137", f"icmp:{target.address}",
                  f"dns:{target.address}", f"tcp:[{target.address6}]:{SERVICE_PORT}", f"icmp:{target.address6}"]
        return (f"outside={joined(outside)}", f"inside={joined(inside)}",
                # What each surely reaches, in both families: else a cut cable would look like a closed bubble.
                f"inside_control=tcp:{self._place.address}:{self._site.port},icmp:{network.inside_gateway6}",
                f"outside_control=icmp:{self._address(GATEWAY)},icmp:{self._lab.host(GATEWAY).address6}")

    # ---- week 3: AgileTime ----

    def _agiletime(self, point):
        server = f"{self._address('srv-agiletime-1')}:{SERVICE_PORT}"
        return (f"copy=agiletime-db/{point}", f"dump={self._disk.files_of('agiletime', point)}", f"application=tcp:{server}", f"server={server}",
                *(f"post{number}={self._address(name)}" for number, name in enumerate(POSTS, 1)))

    def agiletime(self):
        self._tell.chapter("Week 3: AgileTime comes back from the proven copy, on exactly four posts, without interfaces")
        run = self._waiting
        wait_for(lambda: self._site.gate(run, "admit")["state"] == "ready", lambda: self._site.outline(run, ["at its gate"]), 120,
                 every=0.2)
        self._site.reprise("carol", "gate", "approve", str(run), "admit", show=True)
        self._site.wait_run(run, ("succeeded", "partial", "failed"), 120)
        self._succeeded(run, "restored, started, and reached from four posts")
        server = self._address("srv-agiletime-1")
        reached = [name for name in (*POSTS, PROVER) if self._reaches(name, server, SERVICE_PORT)]
        self._tell.promise("exactly the four posts reach it", reached == list(POSTS), joined(reached))
        run = self._do("bob", "fifth-post", f"address={self._address(PROVER)}", f"application=tcp:{server}:{SERVICE_PORT}",
                       signers=("alice",))
        target = self._site.targets(run, "admit")[GATEWAY]
        self._tell.promise("the gateway refuses the fifth", target["state"] == "failed" and target["code"] == "posts_full",
                           target["reason"])
        self._tell.promise("and it reaches nothing", not self._reaches(PROVER, server, SERVICE_PORT))

    # ---- week 3: Maincare and the laboratory ----

    def maincare(self):
        self._tell.chapter("Maincare: administration, finance, patient record, in this order; then under test")
        copy = f"copy=maincare-db/{self._disk.older}"
        run = self._do("bob", "maincare", copy, f"dumps={self._disk.files_of('maincare', self._disk.older)}", signers=("alice",))
        self._succeeded(run, "three bases are restored from the proven copy, and the test protocol passes on them")
        self._tell.promise("until its owner accepts, it is in test and no further", self._stage("maincare") == "in_test",
                           self._stage("maincare"))
        steps = self._site.targets(run, "restore")["srv-maincare-1"]["steps"]
        protocol = json.loads(next(step["evidence_json"] for step in steps if step["name"] == "protocol"))
        manifests = protocol["observed"]["manifests"]
        accepted = self._begin("bob", "maincare-acceptance", "owner=carol",
                               f"manifests={joined(f'{module}={sha256}' for module, sha256 in manifests.items())}", signers=("alice",))
        wait_for(lambda: self._site.gate(accepted, "owner-accepts")["state"] == "ready", "the gate to be ready", 30, every=0.2)
        self._site.reprise("carol", "gate", "approve", str(accepted), "owner-accepts", show=True)
        self._site.wait_run(accepted, ("succeeded", "partial", "failed"), 60)
        self._succeeded(accepted, "carol, the owner, has accepted it, by her signature")

    def laboratory(self):
        self._tell.chapter("The laboratory: its base is back, its interface stays cut; a way through the wall takes two signatures")
        run = self._do("bob", "laboratory", f"copy=lis-db/{self._disk.older}",
                       f"dump={self._disk.files_of('lis', self._disk.older)}", signers=("alice",))
        self._succeeded(run, "restored, in degraded mode, the HL7 interface cut")
        lis = self._address("srv-lis-1")
        before = self._passes(PROVER, lis, 2575)
        plan, needed = self._site.plan("bob", "flow", f"from={self._address(PROVER)}", f"to={lis}", "port=2575", "duration=20s",
                                       "decision=crisis cell, meeting 14")
        self._site.reprise("alice", "approve", plan)
        self._site.reprise("bob", "run", "start", plan, codes=(4,), show=True)
        self._site.reprise("bob", "approve", plan)
        run = self._site.ask("bob", "run", "start", plan)["id"]
        self._site.wait_run(run, ("succeeded", "partial", "failed"), 60)
        self._succeeded(run, "the flow is opened by two signatures, for twenty seconds")
        self._tell.promise("closed before it, open after it", needed == 2 and not before and self._passes(PROVER, lis, 2575))
        wait_for(lambda: not self._passes(PROVER, lis, 2575), "the gateway to close the flow by itself", 40, every=1)
        self._tell.promise("and closed again by the gateway itself", True)

    def _stage(self, application):
        stages = {each["name"]: each["stage"] for each in self._site.ask("bob", "board")["applications"]}
        return stages.get(application, "")

    def _passes(self, name, address, port):
        """Whether a packet from that host comes to that host, be it only to be told that nobody listens."""
        script = ("import errno,socket,sys\ns=socket.socket()\ns.settimeout(1)\n"
                  "sys.exit(0 if s.connect_ex((sys.argv[1], int(sys.argv[2]))) in (0, errno.ECONNREFUSED) else 1)")
        code, _ = self._lab.host(name).attempt("python3", "-c", script, address, str(port))
        return code == 0

    # ---- the board ----

    def board(self):
        self._tell.chapter("The board: each application, its stage, its evidence")
        self._site.reprise("bob", "report", "board", show=True)
        stages = {each["name"]: each["stage"] for each in self._site.ask("bob", "board")["applications"]}
        self._tell.promise("two applications work in degraded mode, without interfaces; the laboratory is in test until its owner accepts",
                           [stages.get(name) for name in ("agiletime", "maincare", "lis")] ==
                           ["degraded_no_interface", "degraded_no_interface", "in_test"], json.dumps(stages))

    # ---- helpers ----

    def _begin(self, who, workflow, *settings, signers=()):
        plan, _ = self._site.plan(who, workflow, *settings)
        for name in signers:
            self._site.reprise(name, "approve", plan)
        return self._site.ask(who, "run", "start", plan)["id"]

    def _do(self, who, workflow, *settings, signers=(), seconds=120):
        run = self._begin(who, workflow, *settings, signers=signers)
        self._site.wait_run(run, ("succeeded", "partial", "failed"), seconds)
        return run

    def _succeeded(self, run, text):
        view = self._site.run(run)
        if view["state"] != "succeeded":
            self._tell.say(self._site.outline(run, ["succeeded"]))
        self._tell.promise(text, view["state"] == "succeeded", f"run {run}")

    def _plan_fails(self, workflow, *settings):
        words = ["plan", os.path.join("examples", "hr1-mini"), "--workflow", workflow]
        for setting in settings:
            words += ["-p", setting]
        command = [os.path.join(self._site.build, "bin", "reprise"), "--profile", self._site.profile("bob"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                              cwd=self._site.root)
        self._tell.typed("bob", ["plan", "examples/hr1-mini", "--workflow", workflow, "…"], done.stderr)
        if done.returncode == 0:
            raise LabError("the plan was made")
        return done.stderr

    def _reaches(self, name, address, port):
        """Whether a TCP connection from that host is answered; asked without Reprise."""
        script = ("import socket,sys\ns=socket.socket()\ns.settimeout(1.5)\n"
                  "sys.exit(0 if s.connect_ex((sys.argv[1], int(sys.argv[2]))) == 0 else 1)")
        code, _ = self._lab.host(name).attempt("python3", "-c", script, address, str(port))
        return code == 0
