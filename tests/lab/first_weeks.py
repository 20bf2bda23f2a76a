"""The three weeks before the campaign: backups judged, a bubble proven closed, applications back in it, each by its evidence.

Every chapter does one thing through the command line, and holds itself to what it promises.
"""

import json
import os
import shutil
import subprocess

from chapters import ENDED, Chapters, joined
from namespaces import LabError, wait_for

GATEWAY, READER, PROVER = "gw-rh-1", "srv-backup-1", "ws-rh-5"
INSIDE = ("srv-agiletime-1", "srv-maincare-1", "srv-pacs-1", "srv-lis-1")
POSTS = ("ws-rh-1", "ws-rh-2", "ws-rh-3", "ws-rh-4")
SERVERS = (GATEWAY, READER, *INSIDE, *POSTS, PROVER)
BEHIND = {name: GATEWAY for name in INSIDE}
ZONES = {GATEWAY: "trust_core", READER: "trust_core", **{name: "bubble" for name in INSIDE},
         **{name: "rebuilt" for name in (*POSTS, PROVER)}}
PLUGINS = ("backup", "bubble", "agiletime", "maincare", "pacs", "lis")
SERVICE_PORT = 8410


class FirstWeeks(Chapters):
    def __init__(self, narration, place, site):
        super().__init__(narration, place, site)
        self.disk = place.disk

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
        self.disk.wait()
        reader = self._lab.host(READER)
        reader.take_in(self.disk.folder, "/srv/backup-disk")
        for family in ("-4", "-6"):
            reader.run("ip", family, "route", "del", "default")
        runs = {}
        for set_name in self.disk.sets:
            runs[set_name] = self._begin("bob", "backup-verdicts", f"set={set_name}", f"source=/srv/backup-disk/{set_name}", "taker=bob",
                                         "decision=crisis cell, meeting 9",
                                         f"reachable={self._place.address}/32,fe80::/64,{reader.address6}/128", signers=("alice",))
        for set_name, run in runs.items():
            self._site.wait_run(run, ENDED, 120)
            self._succeeded(run, f"the copies of {set_name} are attached, in custody, and judged")
        self._site.reprise("bob", "backup", "ls", show=True)
        verdicts = {(p["verdict"]["set"], p["verdict"]["point"]): p["verdict"]["verdict"]
                    for p in self._site.ask("bob", "backup", "ls")["points"]}
        newest = verdicts[("agiletime-db", self.disk.newest)]
        self._tell.promise("the newest copy of the planning is found encrypted", "encrypted" in newest.lower(), newest)
        older = verdicts[("agiletime-db", self.disk.older)]
        self._tell.promise("an older one is proven sound to its last byte", older.lower().endswith("intact"), older)

    def refused_restore(self):
        self._tell.chapter("bob wants the newest copy back; the planner does not make such a plan")
        self._site.reprise("alice", "artifact", "add", *self.disk.files, show=True)
        said = self._plan_fails("agiletime", *self._agiletime(self.disk.newest))
        self._tell.promise("nothing is planned from the encrypted copy, and the sound one is named",
                           "ENCRYPTED" in said and f"agiletime-db/{self.disk.older}" in said)

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
        self._waiting = self._begin("bob", "agiletime", *self._agiletime(self.disk.older), signers=("alice",))
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
        return (f"copy=agiletime-db/{point}", f"dump={self.disk.files_of('agiletime', point)}", f"application=tcp:{server}", f"server={server}",
                *(f"post{number}={self._address(name)}" for number, name in enumerate(POSTS, 1)))

    def agiletime(self):
        self._tell.chapter("Week 3: AgileTime comes back from the proven copy, on exactly four posts, without interfaces")
        run = self._waiting
        self._pass_gate(run, "admit")
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

    # ---- week 3: Maincare ----

    def maincare(self):
        self._tell.chapter("Maincare: administration, finance, patient record, in this order; then under test")
        copy = f"copy=maincare-db/{self.disk.older}"
        run = self._do("bob", "maincare", copy, f"dumps={self.disk.files_of('maincare', self.disk.older)}", signers=("alice",))
        self._succeeded(run, "three bases are restored from the proven copy, and the test protocol passes on them")
        self._tell.promise("until its owner accepts, it is in test and no further", self._stage("maincare") == "in_test",
                           self._stage("maincare"))
        steps = self._site.targets(run, "restore")["srv-maincare-1"]["steps"]
        protocol = json.loads(next(step["evidence_json"] for step in steps if step["name"] == "protocol"))
        manifests = protocol["observed"]["manifests"]
        accepted = self._begin("bob", "maincare-acceptance", "owner=carol",
                               f"manifests={joined(f'{module}={sha256}' for module, sha256 in manifests.items())}", signers=("alice",))
        self._pass_gate(accepted, "owner-accepts")
        self._succeeded(accepted, "carol, the owner, has accepted it, by her signature")

    # ---- the board ----

    def board(self):
        self._tell.chapter("The board: each application, its stage, its evidence")
        self._site.reprise("bob", "report", "board", show=True)
        stages = {each["name"]: each["stage"] for each in self._site.ask("bob", "board")["applications"]}
        self._tell.promise("all four are back: three in degraded mode without interfaces, the laboratory interfaced", stages == {
            "agiletime": "degraded_no_interface", "maincare": "degraded_no_interface", "pacs": "degraded_no_interface",
            "lis": "interfaced"}, json.dumps(stages))

    # ---- helpers ----

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
