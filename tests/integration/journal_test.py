"""The journal shows what was done to it, and a coordinator restored from a copy of its folder, an old one too, does
nothing twice. A seed is printed; REPRISE_SEED replays it."""

import os
import random
import shutil
import sqlite3
import unittest

from hospital import Hospital, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

SEED = int(os.environ.get("REPRISE_SEED", "20261124"))
HOSTS = ["ws-001", "ws-002", "ws-003"]
FLIPS = 150


class Tampering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        hospital = Hospital(scratch("journal"), {host: {} for host in HOSTS})
        cls.hospital = hospital
        cls.addClassCleanup(hospital.end)
        plan = hospital.plan([one_stage([HOSTS], hospital.touch("a"), hospital.touch("b"))])
        hospital.wait_run(hospital.start(plan), "succeeded")
        cls.events = hospital.events()
        cls.plan_id = plan.id
        hospital.coordinator.end()
        cls.path = os.path.join(hospital.data, "journal.db")
        cls.whole = hospital.verify_journal()
        with open(cls.path, "rb") as file:
            cls.content = file.read()
        cls.copies = scratch("copies")

    def written(self, content):
        path = os.path.join(self.copies, "journal.db")
        for name in os.listdir(self.copies):
            os.remove(os.path.join(self.copies, name))
        with open(path, "wb") as file:
            file.write(content)
        return path

    def verify(self, path):
        """The report; what hinders reading the file at all counts as a fault without a number."""
        try:
            return self.hospital.verify_journal(path)
        except AssertionError as error:
            return {"faults": [{"sequence": "0", "what": str(error)}], "events": None, "head": None}

    def changed(self, *statements):
        path = self.written(self.content)
        with sqlite3.connect(path) as database:
            for statement in statements:
                self.assertGreater(database.execute(statement).rowcount, 0, statement)
        database.close()
        return self.verify(path)

    def faulty(self, report):
        return {int(fault["sequence"]) for fault in report["faults"]}

    def test_an_untouched_journal_is_whole_and_has_every_event_that_was_told(self):
        self.assertEqual(self.whole["faults"], [])
        self.assertTrue(self.whole["refolded"])
        # What ended after the events were read: sessions.
        self.assertGreaterEqual(int(self.whole["events"]), len(self.events))
        self.assertEqual([sequence for sequence, _, _ in self.events], list(range(1, len(self.events) + 1)))
        self.assertEqual(self.verify(self.written(self.content))["head"], self.whole["head"])

    def test_one_flipped_bit_of_an_event_is_named_by_its_number(self):
        wanted = next(sequence for sequence, kind, _ in self.events if kind == "run_started")
        with sqlite3.connect(self.path) as database:
            payload = database.execute("SELECT payload FROM event WHERE sequence = ?", (wanted,)).fetchone()[0]
        database.close()
        self.assertIn(self.plan_id.encode(), payload)
        places = [at for at in range(len(self.content)) if self.content.startswith(payload, at)]
        self.assertEqual(len(places), 1)
        for within in range(0, len(payload), 3):
            content = bytearray(self.content)
            content[places[0] + within] ^= 1 << within % 8
            self.assertIn(wanted, self.faulty(self.verify(self.written(bytes(content)))), f"byte {within}")

    def test_no_coordinator_starts_over_a_flipped_bit_and_the_event_is_named(self):
        wanted = next(sequence for sequence, kind, _ in self.events if kind == "run_started")
        journal = os.path.join(self.hospital.data, "journal.db")
        with sqlite3.connect(journal) as database:
            newest = database.execute("SELECT max(sequence) FROM snapshot").fetchone()[0]
            payload = database.execute("SELECT payload FROM event WHERE sequence = ?", (wanted,)).fetchone()[0]
        database.close()
        self.assertGreater(newest, wanted, "its snapshot would spare the start to fold that event")
        content = bytearray(self.content)
        content[self.content.index(payload) + len(payload) // 2] ^= 1
        for what, statement in (("with its snapshot", "SELECT 1"), ("with none", "DELETE FROM snapshot")):
            with self.subTest(what):
                with open(journal, "wb") as file:
                    file.write(content)
                with sqlite3.connect(journal) as database:
                    database.execute(statement)
                database.close()
                with self.assertRaisesRegex(AssertionError, f"event {wanted} is not what was written.*journal verify"):
                    self.hospital.coordinator.start()
        with open(journal, "wb") as file:
            file.write(self.content)
        self.hospital.coordinator.start()
        self.hospital.coordinator.end()

    def test_a_flipped_bit_anywhere_is_found_or_changes_nothing_that_the_journal_says(self):
        print(f"seed {SEED}", flush=True)
        chance = random.Random(SEED)
        found = 0
        for _ in range(FLIPS):
            at, bit = chance.randrange(len(self.content)), chance.randrange(8)
            content = bytearray(self.content)
            content[at] ^= 1 << bit
            report = self.verify(self.written(bytes(content)))
            if report["faults"]:
                found += 1
            else:  # Of a page that is not in use.
                self.assertEqual((report["events"], report["head"]), (self.whole["events"], self.whole["head"]),
                                 f"bit {bit} of byte {at} changed the journal, and nobody noticed")
        print(f"{found} of {FLIPS} flipped bits found; the others were in bytes that nobody reads", flush=True)
        self.assertGreater(found, FLIPS // 4)

    def test_what_is_done_to_it_with_its_own_tools_is_found(self):
        last = int(self.whole["events"])
        for what, statements, wanted in (
                ("taken out", ["DELETE FROM event WHERE sequence = 7"], 7),
                ("exchanged", ["UPDATE event SET payload = (SELECT payload FROM event WHERE sequence = 8) "
                               "WHERE sequence = 9"], 9),
                ("put in", [f"INSERT INTO event SELECT {last + 1}, payload, hash FROM event WHERE sequence = {last}"],
                 last + 1),
                ("hash too", ["UPDATE event SET payload = X'0801', hash = (SELECT hash FROM event WHERE sequence = 3) "
                              "WHERE sequence = 5"], 5)):
            with self.subTest(what):
                self.assertIn(wanted, self.faulty(self.changed(*statements)))

    def test_a_journal_whose_end_was_cut_off_has_another_head(self):
        report = self.changed(f"DELETE FROM event WHERE sequence > {int(self.whole['events']) - 3}")
        self.assertNotEqual(report["head"], self.whole["head"])


class Restored(unittest.TestCase):
    def setUp(self):
        self.hospital = Hospital(scratch("restore"), {host: {} for host in HOSTS})
        self.addCleanup(self.hospital.end)
        self.copy = os.path.join(self.hospital.folder, "copy")

    def take_copy(self):
        """As one that was taken at night: of a coordinator that was stopped for it."""
        self.hospital.coordinator.end()
        shutil.copytree(self.hospital.data, self.copy)
        self.hospital.coordinator.start()
        self.hospital.wait_connected()

    def restore(self):
        """The machine is lost, the copy is put on another one."""
        self.hospital.coordinator.kill()
        shutil.rmtree(self.hospital.data)
        shutil.copytree(self.copy, self.hospital.data)
        self.hospital.coordinator.start()
        self.hospital.wait_connected()

    def assert_works(self, name):
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch(name)))
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of(name), {host: 1 for host in HOSTS})
        self.assertEqual(self.hospital.verify_journal()["faults"], [])

    def test_a_restored_coordinator_goes_on_where_the_copy_was_taken(self):
        self.assert_works("before")
        self.take_copy()
        self.restore()
        self.assertEqual(self.hospital.effects_of("before"), {host: 1 for host in HOSTS})
        self.assert_works("after")

    def test_a_copy_from_the_middle_of_a_run_does_nothing_twice(self):
        names = [f"mid-{i}" for i in range(4)]
        run = self.hospital.run_stages(one_stage([HOSTS], *[
            self.hospital.touch(name, mode="slow", slow_ms=300) for name in names], unreachable_after_ms=20000))
        wait_for(lambda: self.hospital.effects_of(names[0]) == {host: 1 for host in HOSTS}, "the first step to be done")
        self.take_copy()
        self.hospital.wait_run(run, "succeeded")
        self.restore()
        view = self.hospital.wait_run(run, "succeeded", "partial", "failed")
        for name in names:
            self.assertEqual(self.hospital.effects_of(name), {host: 1 for host in HOSTS}, name)
        # What the agents did after the copy they do not do again, and each says so.
        for target in view["targets"]:
            if target["state"] != "TARGET_STATE_SUCCEEDED":
                self.assertEqual(target["code"], "replayed", target)
        self.assert_works("after")

    def test_a_copy_from_before_a_run_starts_nothing_of_it_and_new_runs_work(self):
        self.take_copy()
        self.assert_works("forgotten")
        self.hospital.state_hosts(["ws-001"], hold="evidence")  # Known to the agent, not to the copy.
        wait_for(lambda: not self.hospital.call("GetHost", host="ws-001")["hold"] == "", "the hold to be recorded")
        self.restore()
        self.assertEqual(self.hospital.call("ListRuns").get("runs", []), [])
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("new")))
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.targets(run)["ws-001", "one"]["code"], "hold",
                         "the agent keeps what people signed, whatever its coordinator forgot")
        self.assertEqual(self.hospital.effects_of("new"), {"ws-002": 1, "ws-003": 1})
        self.assertEqual(self.hospital.effects_of("forgotten"), {host: 1 for host in HOSTS})

    def test_a_stop_that_the_copy_does_not_know_is_lifted_all_the_same(self):
        self.take_copy()
        self.hospital.call("RaiseStop", reason="test")
        wait_for(lambda: self.hospital.call("GetStop")["confirmed"] == len(HOSTS), "all to confirm")
        self.restore()
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("stopped")))
        self.hospital.wait_run(run, "failed")
        self.assertEqual(self.hospital.targets(run)["ws-001", "one"]["code"], "stopped")
        self.hospital.call("LiftStop", reason="the copy does not know it")
        self.assert_works("lifted")


if __name__ == "__main__":
    unittest.main()
