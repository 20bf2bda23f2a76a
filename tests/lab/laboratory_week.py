"""Week 3, the laboratory: its base is back, its owner accepts it, and its HL7 interface is opened step by step, by decisions."""

import json
import os
import shutil

from chapters import ENDED, Chapters, joined
from first_weeks import PROVER
from namespaces import wait_for

SERVER, SERVICE, MLLP, RECORD_MLLP = "srv-lis-1", 8420, 2575, 2576
# The other side: python3-hl7 on a host outside of the bubble, which stands in for the patient record's interface engine.
RECORD, PEER = PROVER, "/opt/hl7-peer/hl7_peer.py"
WAITING = 5  # Results that were ready when the network was cut: bases/lis.sql.


class LaboratoryWeek(Chapters):
    def __init__(self, narration, place, site, disk):
        super().__init__(narration, place, site)
        self._disk = disk

    # ---- back, and accepted ----

    def laboratory(self):
        self._tell.chapter("The laboratory: its base is back, its interface is cut; its owner accepts it so")
        run = self._do("bob", "laboratory", f"copy=lis-db/{self._disk.older}", f"dump={self._disk.files_of('lis', self._disk.older)}",
                       signers=("alice",))
        self._succeeded(run, "restored, in degraded mode, the HL7 interface cut")
        before = self._stage("lis")
        steps = {step["name"]: step for step in self._site.targets(run, "restore")[SERVER]["steps"]}
        manifests = json.loads(steps["protocol"]["evidence_json"])["observed"]["manifests"]
        run = self._begin("bob", "laboratory-acceptance", "owner=carol",
                          f"manifests={joined(f'{module}={sha256}' for module, sha256 in manifests.items())}", signers=("alice",))
        self._pass_gate(run, "owner-accepts")
        self._succeeded(run, "carol, its owner, has accepted these very data, by her signature")
        after = self._stage("lis")
        self._tell.promise("in test before, in degraded mode after", (before, after) == ("in_test", "degraded_no_interface"),
                           f"{before}, then {after}")

    def way_through(self):
        self._tell.chapter("A way through the wall, for half a minute: the supplier may look at the laboratory's page; two people sign")
        server = self._address(SERVER)
        before = self._passes(PROVER, server, SERVICE)
        plan, needed = self._site.plan("bob", "flow", f"from={self._address(PROVER)}", f"to={server}", f"port={SERVICE}", "duration=30s",
                                       "decision=crisis cell, meeting 14")
        self._site.reprise("alice", "approve", plan)
        self._site.reprise("bob", "run", "start", plan, codes=(4,), show=True)
        self._site.reprise("bob", "approve", plan)
        run = self._site.ask("bob", "run", "start", plan)["id"]
        self._site.wait_run(run, ENDED, 60)
        self._succeeded(run, "the flow is opened by two signatures")
        self._tell.promise("closed before it, open after it", needed == 2 and not before and self._reaches(PROVER, server, SERVICE))

    # ---- its interface ----

    def interface(self):
        self._tell.chapter("Its HL7 interface: cut, proposed, approved; the ways through the wall first, nobody listens yet")
        server, record = self._address(SERVER), self._address(RECORD)
        self._bring_peer()
        self._site.reprise("alice", "artifact", "add", self._connector(record))
        run = self._do("bob", "laboratory-flows", f"record={record}", f"laboratory={server}", "duration=20m",
                       "decision=crisis cell, meeting 15", signers=("alice", "bob"))
        self._succeeded(run, "two ways, by one decision and two signatures: requests in, results out")
        run = self._begin("bob", "laboratory-interface", "decision=crisis cell, meeting 15", "supervise=20m", signers=("alice",))
        self._reach_gate(run, "open-supervised")
        self._tell.promise("approved is not open: packets come through, and nobody listens",
                           self._passes(RECORD, server, MLLP) and not self._reaches(RECORD, server, MLLP))
        receiver = self._lab.host(RECORD).start("python3", "-B", PEER, "receive", record, str(RECORD_MLLP), "/srv/received", str(WAITING))
        self._pass_gate(run, "open-supervised")
        self._succeeded(run, "carol opens it: open under supervision, and its connector answers")
        said = self._send(1, 40) + self._send(7, 9)
        self._tell.promise("a real peer sends 40 requests, and 3 of them again as if their answer was lost; all are acknowledged",
                           len(said) == 43 and all(line.endswith(" AA") for line in said), f"{len(said)} AA")
        code = receiver.wait(60)
        received = self._lab.host(RECORD).run("cat", "/srv/received").split()
        self._tell.promise("and takes the results that had waited since the attack, each once, in their order",
                           code == 0 and received == [f"RES{number}" for number in range(1, WAITING + 1)], joined(received))

    def open(self):
        self._tell.chapter("The record's list of what it sent is carried over by hand; only when it agrees may the interface be open")
        ledger = os.path.join(self._place.folder, "ledger.txt")
        with open(ledger, "w", encoding="ascii") as file:
            file.writelines(f"P{number}\n" for number in range(1, 43))
        self._site.reprise("alice", "artifact", "add", ledger, show=True)
        run = self._do("bob", "laboratory-count")
        why = self._site.targets(run, "count")[SERVER]["reason"]
        self._tell.promise("the record says 42, the laboratory has 40: the two that are missing are named", "2 lost (P41, P42)" in why, why)
        self._send(41, 42)
        run = self._begin("bob", "laboratory-open", "decision=crisis cell, meeting 16", f"least={42 + WAITING}", signers=("alice",))
        self._reach_gate(run, "open")
        step = self._site.targets(run, "count")[SERVER]["steps"][0]
        found = json.loads(step["evidence_json"])
        counted = found["observed"]
        self._tell.say(found["summary"])
        self._tell.promise("sent again, they are there: none lost, none doubled, none refused, none waiting",
                           (counted["sent"], counted["in"], counted["out"], counted["backlog"], counted["nacks"]) == (42, 42, WAITING, 0, 0)
                           and not counted["lost"] and not counted["doubled"] and not counted["unsent"],
                           f"{counted['sent']} sent, {counted['in']} kept; {counted['out']} results out")
        self._pass_gate(run, "open")
        self._succeeded(run, "carol opens it for good")
        stage = self._stage("lis")
        self._tell.promise("the board shows it interfaced, on all the rungs below", stage == "interfaced", stage)
        said = self._send(43, 50)
        kept = self._ask_base("SELECT count(*) || ' ' || count(DISTINCT control_id) FROM lab.request WHERE control_id LIKE 'P%'")
        self._tell.promise("what is sent from here on is kept once each, asked of the base without Reprise",
                           len(said) == 8 and kept == "50 50", f"requests, distinct: {kept}")

    def way_closed(self):
        """Asked later: nobody waits for it."""
        server = self._address(SERVER)
        wait_for(lambda: not self._passes(PROVER, server, SERVICE), "the gateway to close the supplier's way by itself", 60, every=1)
        self._tell.promise("the supplier's half minute is over long since: closed by the gateway itself", not self._reaches(PROVER, server, SERVICE))

    # ---- helpers ----

    def _bring_peer(self):
        folder = os.path.join(self._place.folder, "hl7-peer")
        os.makedirs(folder)
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "hl7_peer.py"), folder)
        self._lab.host(RECORD).take_in(folder, os.path.dirname(PEER))

    def _connector(self, record):
        """The interface as data, with the place where results go."""
        with open(os.path.join(self._site.root, "plugins", "lis", "profiles", "lis-interface.json"), encoding="utf-8") as file:
            connector = json.load(file)
        connector["service"]["command"] += ["--peer", f"{record}:{RECORD_MLLP}"]
        path = os.path.join(self._place.folder, "lis.interface.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(connector, file, indent=1)
        return path

    def _send(self, first, last):
        return self._lab.host(RECORD).run("python3", "-B", PEER, "send", self._address(SERVER), str(MLLP), str(first), str(last)).splitlines()

    def _ask_base(self, sql):
        return self._lab.host(SERVER).run("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-h",
                                          "/var/lib/reprise-lis/socket", "-p", "5504", "-d", "lis", "-AtX", "-c", sql).strip()
