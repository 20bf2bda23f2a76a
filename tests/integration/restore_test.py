"""A stolen coordinator would have a host restore what nobody proved: encrypted, altered, younger than the compromise. The agent
reads the copy's judgement and the concession in the plan that people signed, and the plugin compares the bytes. Every
refusal stands beside its untampered twin."""

import json
import os
import unittest

from liar import LyingSite
from people import HOUR, Plan, b64, now, sha256, stage, step
from processes import scratch, setUpModule, tearDownModule  # noqa: F401


class Restoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        site = LyingSite(scratch("restore"), {
            "alice": ["admin", "operator", "approver"], "bob": ["operator", "approver"], "carol": ["approver"]})
        cls.addClassCleanup(site.end)
        cls.alice, cls.bob, cls.carol = site.people.values()
        cls.liar, cls.mock = site.liar, site.mock
        cls.ws = site.agent("ws-001", cls.alice)
        cls.counter = 0

    def setUp(self):
        type(self).counter += 1
        self.file = self.ws.file(f"base-{self.counter}")
        self.copy = self.ws.file(f"dump-{self.counter}")
        with open(self.copy, "wb") as copy:
            copy.write(b"the payroll, as it was\n")

    def manifest(self):
        with open(self.copy, "rb") as copy:
            content = copy.read()
        return sha256(f"{sha256(content).hex()}  {len(content)}  {os.path.basename(self.copy)}\n".encode())

    def concession(self, allowance, **more):
        return {"name": "payroll", "allows": [f"ALLOWANCE_{allowance}"], "decided_by": "carol", "reason": "pay day",
                "compensating": "payslips compared by hand", "expires_ms": (now() + HOUR) * 1000, **more}

    def plan(self, params=None, without_copy=False, **copy):
        point = {"set": "payroll-db", "point": os.path.basename(self.copy), "manifest_sha256": b64(self.manifest()),
                 "verdict": "BACKUP_VERDICT_INTACT", "trust": "POINT_TRUST_BEFORE_COMPROMISE", "taken_ms": 1660000000000,
                 "compromised_ms": 1661000000000, "judged_by": "reader-1", "judged_ms": now() * 1000, **copy}
        params = {"state_file": self.file, "witness": self.file + ".witness", "source": self.copy,
                  "manifest_sha256": self.manifest().hex(), **(params or {})}
        named = {} if without_copy else {"recovery_point": point}
        restore = step("restore", params, action="restore", undoable=False, **named)
        return Plan(self.liar.encode, sha256(self.mock), self.bob, [stage("one", [["ws-001"]], [restore])])

    def attempt(self, plan, *signers, **key):
        return self.ws.attempt({"key": plan.key(**key), "authority": plan.authority("ws-001", *(signers or [self.alice]))})

    def assert_refused(self, code, plan, *signers, outcome="OUTCOME_REFUSED"):
        ended = self.attempt(plan, *signers)
        self.assertEqual((ended["outcome"], ended["code"]), (outcome, code), ended)
        self.assertNotEqual(ended["reason"], "")
        for path in (self.file, self.file + ".witness"):
            self.assertFalse(os.path.exists(path), f"refused, and yet there is {path}")
        return ended

    def assert_restored(self, plan, *signers):
        ended = self.attempt(plan, *signers)
        self.assertEqual(ended["outcome"], "OUTCOME_CHANGED", ended)
        with open(self.file, "rb") as base, open(self.copy, "rb") as copy:
            self.assertEqual(base.read(), copy.read())

    def test_what_was_judged_intact_is_restored(self):
        self.assert_restored(self.plan())

    def test_a_plan_that_names_no_copy_restores_nothing(self):
        said = self.assert_refused("verdict", self.plan(without_copy=True))
        self.assertIn("names no copy that was proven good", said["reason"])
        self.assert_restored(self.plan())

    def test_no_signature_makes_an_encrypted_or_partial_copy_good(self):
        for verdict in ("PARTIAL", "CORRUPT", "ENCRYPTED_TOTAL", "ENCRYPTED_PARTIAL", "TAMPERED", "UNREADABLE",
                        "NOT_EVALUATED", "UNSPECIFIED"):
            plan = self.plan(verdict=f"BACKUP_VERDICT_{verdict}", concession=self.concession("SAMPLED"))
            self.assert_refused("verdict", plan, self.alice, self.carol)

    def test_a_copy_that_was_sampled_needs_a_concession_that_its_decider_signed(self):
        sampled = {"verdict": "BACKUP_VERDICT_INTACT_SAMPLED"}
        self.assert_refused("verdict", self.plan(**sampled))
        conceded = {**sampled, "concession": self.concession("SAMPLED")}
        self.assert_refused("verdict", self.plan(**conceded))  # Alice signed; carol decided.
        self.assert_refused("verdict", self.plan(**sampled, concession=self.concession("AFTER_COMPROMISE")),
                            self.alice, self.carol)
        self.assert_refused("verdict", self.plan(**sampled, concession=self.concession("SAMPLED", decided_by="bob")),
                            self.alice, self.bob)  # Bob asks for the plan.
        self.assert_refused("verdict", self.plan(**sampled, concession=self.concession("SAMPLED", expires_ms=(now() - 1) * 1000)),
                            self.alice, self.carol)
        self.assert_restored(self.plan(**conceded), self.alice, self.carol)

    def test_a_copy_younger_than_the_compromise_or_of_unknown_age_needs_one_too(self):
        for trust, allowance in (("AFTER_COMPROMISE", "AFTER_COMPROMISE"), ("UNKNOWN", "UNKNOWN_TRUST")):
            younger = {"trust": f"POINT_TRUST_{trust}", "taken_ms": 1662000000000 if trust != "UNKNOWN" else 0}
            self.assert_refused("verdict", self.plan(**younger), self.alice, self.carol)
            self.assert_refused("verdict", self.plan(**younger, concession=self.concession("SAMPLED")), self.alice, self.carol)
            self.assert_restored(self.plan(**younger, concession=self.concession(allowance)), self.alice, self.carol)
            os.remove(self.file)
            os.remove(self.file + ".witness")

    def test_a_trust_that_its_own_dates_belie_is_not_believed(self):
        self.assert_refused("verdict", self.plan(taken_ms=1662000000000))
        self.assert_restored(self.plan())

    def test_a_step_that_tells_its_plugin_of_other_bytes_is_refused(self):
        self.assert_refused("verdict", self.plan(params={"manifest_sha256": "0" * 64}))
        self.assert_refused("verdict", self.plan(manifest_sha256=b64(b"\1" * 32)))
        self.assert_restored(self.plan())

    def test_a_copy_that_was_encrypted_since_it_was_judged_is_refused_by_the_plugin(self):
        plan = self.plan()
        with open(self.copy, "rb") as copy:
            sound = copy.read()
        with open(self.copy, "wb") as copy:
            copy.write(bytes(byte ^ 0x5A for byte in sound))
        said = self.assert_refused("wrong_copy", plan, outcome="OUTCOME_FAILED")
        self.assertIn("judged", said["reason"])
        with open(self.copy, "wb") as copy:
            copy.write(sound)
        self.assert_restored(self.plan())

    def test_a_judgement_changed_after_signing_is_refused(self):
        plan = self.plan(verdict="BACKUP_VERDICT_CORRUPT")
        authority = plan.authority("ws-001", self.alice)
        plan.header["stages"][0]["steps"][0]["recovery_point"]["verdict"] = "BACKUP_VERDICT_INTACT"
        authority["header"] = b64(self.liar.encode("reprise.plan.v1.PlanHeader", plan.header))
        ended = self.ws.attempt({"key": plan.key(), "authority": authority})
        self.assertEqual((ended["outcome"], ended["code"]), ("OUTCOME_REFUSED", "bad_proof"), ended)
        self.assertFalse(os.path.exists(self.file))


if __name__ == "__main__":
    unittest.main()
