"""Six lab servers, one of them visited: found out with all four ways back, evidence first, held, cleaned, checked, signed off.

The workflows are those of the example, planned, signed and run through the command line, as people do it.
"""

import json
import os
import shutil
import sys
import unittest

from processes import BUILD, scratch, setUpModule, tearDownModule  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from lab import Lab, why_impossible  # noqa: E402
from monitoring_servers import CASE, SERVERS, TRACES, VISITED, WAYS, MonitoringServers  # noqa: E402
from namespaces import LabError  # noqa: E402
from running_site import ROOT, Site  # noqa: E402

REFERENCE = "golden-1"
PORTS = (7443, 7444, 7445)
IMPOSSIBLE = why_impossible()


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class OneOfSixServers(unittest.TestCase):
    """Its steps build on each other, and are told in one test."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab.up([*SERVERS, REFERENCE], folder=os.path.join(scratch("lab"), "lab"))
        cls.addClassCleanup(cls.lab.down)
        cls.site = Site(scratch("site"), BUILD, cls.lab.network.router, lambda words: cls.lab.at_router(*words), lambda *_: None, PORTS)
        cls.addClassCleanup(cls.site.end)
        cls.site.found()
        cls.site.publish(("sanitize",), ())
        cls.site.reprise("alice", "inventory", "import", os.path.join(ROOT, "examples", "hr1-mini"))
        cls.servers = MonitoringServers(cls.lab, cls.site, REFERENCE)
        cls.servers.settle()
        cls.servers.enrol()
        cls.servers.publish()
        cls.servers.plant()

    def changed_below(self):
        """Lab hosts see this machine's own files: packages installed here meanwhile are true differences there."""
        if not os.path.exists("/var/log/dpkg.log"):
            return None
        with open("/var/log/dpkg.log", encoding="utf-8", errors="replace") as log:
            return f"the last that this machine's dpkg did: {''.join(log.readlines()[-1:]).strip()}"

    def gate(self, run, name):
        self.site.reprise("carol", "gate", "approve", str(run), name)

    def test_exactly_one_is_flagged_and_it_is_cleaned_only_once_its_evidence_is_kept_and_no_hold_forbids_it(self):
        servers = self.servers
        looked = servers.check()
        found = servers.findings(looked)
        self.assertEqual({name: [(each["kind"], each["path"]) for each in found[name]] for name in SERVERS if name != VISITED},
                         {name: [] for name in SERVERS if name != VISITED}, self.changed_below())
        self.assertEqual({(each["kind"], each["path"]) for each in found[VISITED]}, TRACES)
        states = {name: target["state"] for name, target in self.site.targets(looked, "check").items()}
        self.assertEqual([name for name in SERVERS if states[name] == "failed"], [VISITED])
        self.assertIn("compromised", self.site.targets(looked, "check")[VISITED]["reason"])
        self.assertEqual(servers.planted(), set(WAYS), "a check changes nothing")

        ids = [each["id"] for each in found[VISITED]]
        plan, needed = servers.plan_cleaning(ids, case="one-signature")
        self.assertEqual(needed, 2)
        with self.assertRaisesRegex(LabError, "signature"):
            servers.start(plan, ("alice",))
        run = servers.clean_up(ids)
        digest, wrong, listed = servers.evidence()
        self.assertEqual(wrong, [])
        self.assertEqual(digest, servers.manifest_sha256(run))
        self.assertEqual(servers.evidence_by_hand(), (0, f"{digest}  MANIFEST\n"))
        self.assertEqual(self.kept(listed), {(each["kind"], each["path"]) for each in found[VISITED]})

        self.site.reprise("alice", "host", "hold", VISITED, "--reason", "asked for by the police")
        self.gate(run, "evidence-is-kept")
        self.assertIn("asked for by the police", servers.waits_with(run, "hold"))
        self.assertEqual(servers.planted(), set(WAYS))
        self.assertTrue(servers.listens())
        self.assertEqual(servers.clean(), (5, 6))

        self.site.reprise("alice", "host", "release", VISITED)
        self.assertEqual(servers.target(run, "clean", "succeeded", "failed")["state"], "succeeded", self.site.outline(run, ["clean"]))
        self.assertEqual(servers.planted(), set())
        self.assertFalse(servers.listens())
        self.assertTrue(servers.administrator_remains())
        self.assertEqual(servers.target(run, "check-again", "succeeded", "failed")["state"], "succeeded")
        self.assertEqual(servers.findings(run, "check-again"), {VISITED: []})
        self.assertEqual(servers.clean(), (6, 6))
        self.gate(run, "ward-takes-it-back")
        self.site.wait_run(run, ("succeeded", "partial", "failed"), 60)
        signed = servers.target(run, "sign-off", "succeeded", "failed")
        self.assertEqual(signed["state"], "succeeded", signed["reason"])
        self.assertEqual(servers.evidence()[:2], (digest, []), "what was cleaned is still in the evidence, unchanged")
        claims = {each["name"]: each["state"] for each in self.site.ask("bob", "host", "show", VISITED)["claims"]}
        self.assertEqual([claims.get(f"sanitize.{name}") for name in ("evidence", "clean", "signed_off")], ["holds"] * 3, claims)

        self.tampered_evidence_is_no_evidence()

    def kept(self, listed):
        """What the evidence holds findings about; each with its content."""
        folder = self.lab.host(VISITED).layer.path(f"var/lib/reprise-evidence/{CASE}")
        with open(os.path.join(folder, "findings.json"), encoding="utf-8") as file:
            findings = json.load(file)
        for finding in findings:
            self.assertIn(f"files/{finding['sha256']}", listed, finding)
        return {(each["kind"], each["path"]) for each in findings}

    def tampered_evidence_is_no_evidence(self):
        """One file or one byte more: this test's own hashes see it, and nothing is done any more on the strength of it."""
        folder = self.lab.host(VISITED).layer.path(f"var/lib/reprise-evidence/{CASE}")
        shutil.copy(os.path.join(folder, "findings.json"), os.path.join(folder, "findings.json.copy"))
        self.assertEqual(self.servers.evidence()[1], ["findings.json.copy: not listed"])
        os.remove(os.path.join(folder, "findings.json.copy"))
        with open(os.path.join(folder, "volatile", "uptime"), "ab") as file:
            file.write(b"\n")
        self.assertEqual(self.servers.evidence()[1], ["volatile/uptime: another content"])
        code, said = self.servers.evidence_by_hand()
        self.assertNotEqual(code, 0)
        self.assertIn("volatile/uptime: FAILED", said)
        again = self.servers.start(self.servers.plan_cleaning(["none"])[0], ("alice", "carol"))
        target = self.servers.target(again, "evidence", "failed", "deferred", "succeeded")
        self.assertEqual((target["state"], target["code"]), ("failed", "bundle_broken"), target["reason"])


if __name__ == "__main__":
    unittest.main()
