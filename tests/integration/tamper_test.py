"""A stolen coordinator says what it likes; the agent carries out only what people signed. Every refusal stands beside
its untampered twin, which the same agent accepts."""

import json
import os
import unittest

from liar import LyingSite
from people import HOUR, Keyring, Person, Plan, b64, gate, host_statement, now, sha256, stage, step
from processes import scratch, setUpModule, tearDownModule  # noqa: F401


class Tampering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        site = LyingSite(scratch("tamper"), {
            "alice": ["admin", "operator", "approver"], "bob": ["operator", "approver"], "carol": ["approver"]},
            protected=["monitoring_station"])
        cls.addClassCleanup(site.end)
        cls.alice, cls.bob, cls.carol = site.people.values()
        cls.stranger = Person(site.folder, "mallory", ["admin", "operator", "approver"])
        cls.keyring, cls.liar, cls.mock = site.keyring, site.liar, site.mock
        cls.ws = site.agent("ws-001", cls.alice)
        cls.other = site.agent("ws-002", cls.alice)
        cls.held = site.agent("ws-003", cls.alice, hold="evidence of the first intrusion")
        cls.waiting = site.agent("ws-004")
        cls.moved = site.agent("ws-005", cls.alice, zone="rebuilt")
        cls.monitor = site.agent("mon-01", cls.alice, asset_class="monitoring_station")
        cls.counter = 0

    def setUp(self):
        type(self).counter += 1
        self.name = f"file-{self.counter}"

    def plan(self, agent=None, effect="change", action="touch", plugin=None, **params):
        """A plan for one host and its neighbour, whose one step touches this test's file."""
        agent = agent or self.ws
        params = {"state_file": agent.file(self.name), "witness": agent.file(self.name + ".witness"), **params}
        hosts = sorted({agent.host, "ws-002"})
        return Plan(self.liar.encode, sha256(plugin or self.mock), self.bob,
                    [stage("one", [hosts], [step("step", params, effect, action)])])

    def effects(self, agent=None):
        try:
            with open((agent or self.ws).file(self.name + ".witness"), encoding="utf-8") as witness:
                return len(witness.readlines())
        except FileNotFoundError:
            return 0

    def assert_done(self, task, agent=None):
        ended = (agent or self.ws).attempt(task)
        self.assertEqual(ended["outcome"], "OUTCOME_CHANGED", ended)
        self.assertEqual(self.effects(agent), 1)

    def assert_refused(self, code, task, agent=None):
        before = self.effects(agent)
        ended = (agent or self.ws).attempt(task)
        self.assertEqual((ended["outcome"], ended["code"]), ("OUTCOME_REFUSED", code), ended)
        self.assertNotEqual(ended["reason"], "")
        self.assertEqual(self.effects(agent), before, "refused, and yet it had an effect")
        return ended

    def task(self, plan, *signers, agent=None, **key):
        return {"key": plan.key(**key), "authority": plan.authority((agent or self.ws).host, *(signers or [self.alice]))}

    # ---- the signed bytes ----

    def test_what_people_signed_is_carried_out_once(self):
        plan = self.plan()
        self.assert_done(self.task(plan))
        with open(self.ws.file(self.name), encoding="utf-8") as file:
            self.assertEqual(file.read(), "reprise\n")

    def test_a_statement_that_was_changed_after_signing_is_refused(self):
        plan = self.plan()
        task = self.task(plan)
        longer = plan.statement().replace(b"workflow: test", b"workflow: tesk")
        task["authority"]["plan"]["statement"] = b64(longer)
        self.assert_refused("bad_signature", task)
        self.assert_done(self.task(plan))

    def test_a_header_that_is_not_the_signed_one_is_refused(self):
        plan = self.plan()
        task = self.task(plan)
        plan.header["stages"][0]["steps"][0]["timeout_ms"] += 1
        task["authority"]["header"] = b64(self.liar.encode("reprise.plan.v1.PlanHeader", plan.header))
        self.assert_refused("bad_proof", task)
        plan.header["stages"][0]["steps"][0]["timeout_ms"] -= 1
        self.assert_done(self.task(plan))

    def test_parameters_that_are_not_in_the_signed_leaf_are_refused(self):
        plan = self.plan()
        task = self.task(plan)
        leaf = {**plan.leaves[0], "placements": [{"stage": 0, "wave": 0, "overrides": [
            {"step": 0, "params_json": json.dumps({"state_file": self.ws.file("elsewhere")})}]}]}
        task["authority"]["leaf"] = b64(self.liar.encode("reprise.plan.v1.HostLeaf", leaf))
        self.assert_refused("bad_proof", task)
        self.assertFalse(os.path.exists(self.ws.file("elsewhere")))
        self.assert_done(self.task(plan))

    def test_a_proof_with_one_bit_changed_is_refused(self):
        plan = self.plan()
        task = self.task(plan)
        proof = bytearray(sha256(b"\0" + plan.leaf_bytes()[1]))
        self.assertEqual(task["authority"]["proof"], [b64(bytes(proof))])
        proof[5] ^= 4
        task["authority"]["proof"] = [b64(bytes(proof))]
        self.assert_refused("bad_proof", task)
        self.assert_done(self.task(plan))

    def test_a_leaf_of_another_host_is_refused(self):
        plan = self.plan()
        self.assert_refused("wrong_host", {"key": plan.key(), "authority": plan.authority("ws-002", self.alice)})
        self.assert_done(self.task(plan))

    def test_a_step_that_the_plan_does_not_have_is_refused(self):
        plan = self.plan()
        self.assert_refused("unknown_step", self.task(plan, step=1))
        self.assert_refused("unknown_step", self.task(plan, stage=1))
        self.assert_done(self.task(plan))

    def test_a_plan_that_says_it_only_reads_may_not_hide_a_change(self):
        plan = self.plan()
        plan.header["effect"] = "EFFECT_READ"
        self.assert_refused("bad_proof", self.task(plan))
        plan.header["effect"] = "EFFECT_CHANGE"
        self.assert_done(self.task(plan))

    # ---- who signed ----

    def test_a_plan_that_nobody_signed_is_refused(self):
        plan = self.plan()
        self.assert_refused("unsigned", {"key": plan.key(), "authority": {
            **plan.authority(self.ws.host), "plan": {"statement": b64(plan.statement()), "signatures": []}}})
        self.assert_done(self.task(plan))

    def test_a_signature_of_somebody_outside_the_keyring_does_not_count(self):
        plan = self.plan()
        self.assert_refused("too_few_signatures", self.task(plan, self.stranger))
        self.assert_done(self.task(plan))

    def test_a_signature_over_other_bytes_is_refused(self):
        plan, other = self.plan(), self.plan()
        task = self.task(plan)
        task["authority"]["plan"]["signatures"] = other.authority(self.ws.host, self.alice)["plan"]["signatures"]
        self.assert_refused("bad_signature", task)
        self.assert_done(self.task(plan))

    def test_destroying_needs_two_people(self):
        with open(self.ws.file(self.name), "w", encoding="utf-8") as file:
            file.write("worth keeping")
        plan = self.plan(effect="destroy", action="destroy")
        self.assert_refused("too_few_signatures", self.task(plan, self.alice))
        self.assert_refused("too_few_signatures", self.task(plan, self.alice, self.alice))
        self.assertTrue(os.path.exists(self.ws.file(self.name)))
        self.assert_done(self.task(plan, self.alice, self.carol))
        self.assertFalse(os.path.exists(self.ws.file(self.name)))

    def test_a_keyring_that_no_admin_signed_is_not_taken(self):
        self.keyring.people.append(self.stranger)
        try:
            intruder = Keyring(self.keyring.people, self.keyring.protected)
            forged = intruder.extend(self.stranger)
        finally:
            self.keyring.people.remove(self.stranger)
        self.liar.send(self.ws.host, {"keyring": {"statements": [forged]}})
        plan = self.plan()
        self.assert_refused("too_few_signatures", self.task(plan, self.stranger))
        self.assert_done(self.task(plan))

    # ---- when, and how often ----

    def test_an_expired_plan_is_refused(self):
        plan = self.plan()
        plan.header["created_ms"] = (now() - 2 * HOUR) * 1000
        plan.header["expires_ms"] = (now() - 1) * 1000
        self.assert_refused("expired", self.task(plan))
        plan.header["expires_ms"] = (now() + HOUR) * 1000
        self.assert_done(self.task(plan))

    def test_a_plan_is_not_carried_out_again(self):
        plan = self.plan()
        self.assert_done(self.task(plan))
        os.remove(self.ws.file(self.name))
        self.assert_refused("replayed", self.task(plan, attempt=2))
        self.assert_refused("replayed", self.task(plan, run=2))
        self.assertFalse(os.path.exists(self.ws.file(self.name)))

    def test_the_same_attempt_again_gives_the_outcome_that_is_known(self):
        plan = self.plan()
        task = self.task(plan)
        self.assert_done(task)
        again = self.ws.attempt(task)
        self.assertEqual(again["outcome"], "OUTCOME_CHANGED", again)
        self.assertEqual(self.effects(), 1)

    def test_a_replay_is_refused_after_the_agent_was_killed_too(self):
        plan = self.plan(self.other)
        self.assert_done(self.task(plan, agent=self.other), self.other)
        os.remove(self.other.file(self.name))
        self.other.kill()
        self.other.run()
        self.assert_refused("replayed", self.task(plan, agent=self.other, attempt=2), self.other)

    def test_another_plan_under_a_known_name_is_refused_and_the_known_one_stays(self):
        """An id is a short name, and one that only reads needs nobody's signature."""
        plan = self.plan(self.other)
        self.assert_done(self.task(plan, agent=self.other), self.other)
        look = self.reading(self.other, plan_id=plan.id, expires_ms=(now() + 60) * 1000)
        for attempt in (1, 2):  # The number of what was done is not answered either.
            self.assert_refused("another_plan", {**look, "key": {**look["key"], "attempt": attempt}}, self.other)
        self.other.kill()
        self.other.run(clock_ahead=HOUR // 2)  # The other's end is past, and not its own.
        os.remove(self.other.file(self.name))
        self.assert_refused("replayed", self.task(plan, agent=self.other, attempt=2), self.other)
        self.other.kill()
        self.other.run()

    def test_a_plan_that_was_signed_takes_its_name_from_one_that_nobody_signed(self):
        plan = self.plan()
        with open(self.ws.file("there"), "w", encoding="utf-8") as file:
            file.write("here")
        ended = self.ws.attempt(self.reading(plan_id=plan.id, file="there"))
        self.assertEqual(ended["outcome"], "OUTCOME_UNCHANGED", ended)
        self.assert_done(self.task(plan))

    def test_nothing_is_undone_that_people_did_not_sign_to_be_undone(self):
        plan = self.plan()
        self.assert_done(self.task(plan))
        self.assert_refused("unknown_step", {"key": {**plan.key(attempt=2), "rollback": True}})
        self.assertTrue(os.path.exists(self.ws.file(self.name)))

    # ---- what runs ----

    def test_a_plugin_with_one_byte_changed_is_not_run(self):
        wanted = self.mock + b"another build"  # Not yet in any cache.
        plan = self.plan(plugin=wanted)
        changed = bytearray(wanted)
        changed[len(changed) // 2] ^= 1
        self.liar.keep(bytes(changed), sha256(wanted))
        ended = self.ws.attempt(self.task(plan))
        self.assertEqual((ended["outcome"], ended["code"]), ("OUTCOME_FAILED", "bad_content"), ended)
        self.assertEqual(self.effects(), 0)
        self.liar.keep(wanted, sha256(wanted))
        self.assert_done(self.task(plan, attempt=2))

    def test_a_plugin_that_nobody_signed_does_not_even_read(self):
        with open(self.ws.file(self.name), "w", encoding="utf-8") as file:
            file.write("here")
        plan = self.plan(effect="read", action="look")
        unsigned = {"key": plan.key(), "authority": {**plan.authority(self.ws.host, self.bob),
                                                     "plan": {"statement": b64(plan.statement()), "signatures": []}}}
        self.assert_refused("plugin_unsigned", unsigned)
        blob = {"sha256": b64(sha256(self.mock)), "size": len(self.mock), "name": "mock", "kind": "plugin"}
        wrong = {**unsigned, "plugin": {**blob, "signature": {"minisig": self.stranger.sign(self.mock)}}}
        self.assert_refused("plugin_unsigned", wrong)
        good = {**unsigned, "key": plan.key(attempt=2),
                "plugin": {**blob, "signature": {"minisig": self.bob.sign(self.mock)}}}
        ended = self.ws.attempt(good)
        self.assertEqual(ended["outcome"], "OUTCOME_UNCHANGED", ended)

    def reading(self, agent=None, file=None, **header):
        """A task of a plan that only reads and that nobody signed; its plugin is an operator's."""
        agent = agent or self.ws
        plan = self.plan(agent, effect="read", action="look", state_file=agent.file(file or self.name))
        plan.header.update(header)
        blob = {"sha256": b64(sha256(self.mock)), "size": len(self.mock), "name": "mock", "kind": "plugin"}
        return {"key": plan.key(), "plugin": {**blob, "signature": {"minisig": self.bob.sign(self.mock)}},
                "authority": {**plan.authority(agent.host, self.bob),
                              "plan": {"statement": b64(plan.statement()), "signatures": []}}}

    def test_a_plan_that_nobody_signed_runs_no_more_than_a_day_ahead(self):
        with open(self.ws.file(self.name), "w", encoding="utf-8") as file:
            file.write("here")
        for hours in (25, 24 * 365):
            said = self.assert_refused("unsigned", self.reading(expires_ms=(now() + hours * HOUR) * 1000))
            self.assertIn("24 hours ahead", said["reason"])
        ended = self.ws.attempt(self.reading(expires_ms=(now() + 23 * HOUR) * 1000))
        self.assertEqual(ended["outcome"], "OUTCOME_UNCHANGED", ended)

    def test_plans_that_nobody_signed_keep_no_signed_one_out(self):
        with open(self.ws.file(self.name), "w", encoding="utf-8") as file:
            file.write("here")
        tasks = [self.reading(created_ms=(now() - 1000 + i) * 1000) for i in range(40)]
        for task in tasks:
            ended = self.ws.attempt(task)
            self.assertEqual(ended["outcome"], "OUTCOME_UNCHANGED", ended)
        # Those that gave way are not run again, and the last is remembered.
        self.assert_refused("expired", {**tasks[0], "key": {**tasks[0]["key"], "attempt": 2}})
        os.remove(self.ws.file(self.name))
        self.assert_done(self.task(self.plan()))

    # ---- gates ----

    def test_a_closed_gate_stops_the_step_behind_it(self):
        plan = self.plan()
        plan.header["stages"][0]["gate"] = gate("before-one", ["carol"])
        closed = self.task(plan)
        self.assert_refused("gate_closed", closed)
        for signer in (self.bob, self.alice, self.stranger):  # The requester; not named; not known.
            self.assert_refused("gate_closed", {**closed, "gates": [plan.decision("before-one", 1, signer)]})
        self.assert_refused("gate_closed", {**closed, "gates": [plan.decision("before-one", 2, self.carol)]})
        self.assert_refused("gate_closed", {**closed, "gates": [plan.decision("another", 1, self.carol)]})
        self.assert_done({**closed, "gates": [plan.decision("before-one", 1, self.carol)]})

    # ---- the host itself ----

    def test_a_host_under_evidence_hold_is_not_changed(self):
        self.assert_refused("hold", self.task(self.plan(self.held), agent=self.held), self.held)
        self.liar.send(self.held.host, {"host_statement": host_statement(self.held.host, 2, self.stranger)})
        self.assert_refused("hold", self.task(self.plan(self.held), agent=self.held), self.held)
        self.liar.send(self.held.host, {"host_statement": host_statement(self.held.host, 2, self.alice)})
        self.assert_done(self.task(self.plan(self.held), agent=self.held), self.held)
        # And an old decision does not come back.
        self.liar.send(self.held.host, {"host_statement": host_statement(self.held.host, 1, self.alice, hold="old")})
        self.name += "-again"
        self.assert_done(self.task(self.plan(self.held), agent=self.held), self.held)

    def test_a_host_that_nobody_admitted_is_not_changed(self):
        plan = self.plan(self.waiting)
        self.assert_refused("quarantine", self.task(plan, agent=self.waiting), self.waiting)
        statement = host_statement(self.waiting.host, 1, self.alice, zone="quarantine")
        self.liar.send(self.waiting.host, {"host_statement": statement})
        self.assert_refused("quarantine", self.task(plan, agent=self.waiting, attempt=2), self.waiting)
        self.liar.send(self.waiting.host, {"host_statement": host_statement(self.waiting.host, 2, self.alice)})
        self.assert_done(self.task(plan, agent=self.waiting, attempt=3), self.waiting)

    def test_a_host_in_another_zone_than_the_plan_believes_is_not_changed(self):
        plan = self.plan(self.moved)
        self.assert_refused("zone", self.task(plan, agent=self.moved), self.moved)
        right = self.plan(self.moved)
        next(leaf for leaf in right.leaves if leaf["host"] == self.moved.host)["zone"] = "ZONE_REBUILT"
        self.assert_done(self.task(right, agent=self.moved), self.moved)

    def test_a_host_of_another_class_than_the_plan_believes_is_not_changed(self):
        wrong = self.plan()
        wrong.leaves[0]["asset_class"] = "ASSET_CLASS_SERVER"
        self.assert_refused("asset_class", self.task(wrong))
        self.assert_done(self.task(self.plan()))

    def test_a_protected_class_is_only_ever_read(self):
        plan = self.plan(self.monitor)
        plan.leaves[0]["asset_class"] = "ASSET_CLASS_MONITORING_STATION"
        self.assert_refused("protected_class", self.task(plan, agent=self.monitor), self.monitor)
        with open(self.monitor.file(self.name), "w", encoding="utf-8") as file:
            file.write("here")
        look = self.plan(self.monitor, effect="read", action="look")
        look.leaves[0]["asset_class"] = "ASSET_CLASS_MONITORING_STATION"
        ended = self.monitor.attempt(self.task(look, agent=self.monitor))
        self.assertEqual(ended["outcome"], "OUTCOME_UNCHANGED", ended)

    def test_an_exercise_does_not_touch_the_real_thing(self):
        plan = self.plan()
        plan.header["exercise"] = True
        self.assert_refused("exercise", self.task(plan))
        plan.header["exercise"] = False
        self.assert_done(self.task(plan))

    def test_nothing_begins_during_a_stop_and_an_older_lift_does_not_end_it(self):
        def stop(serial, active):
            since = self.liar.mark()
            self.liar.send(self.ws.host, {"stop": {"serial": serial, "active": active, "reason": "test"}})
            return since
        self.liar.heard(self.ws.host, "stop_confirmed", stop(5, True))
        try:
            self.assert_refused("stopped", self.task(self.plan()))
            stop(4, False)
            self.assert_refused("stopped", self.task(self.plan()))
        finally:
            stop(6, False)
        self.assert_done(self.task(self.plan()))


if __name__ == "__main__":
    unittest.main()
