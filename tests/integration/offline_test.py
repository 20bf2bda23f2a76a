"""A host that is off, or cut off, holds nobody up: it is named, catches up when it returns, until the plan expires."""

import unittest

from hospital import Hospital, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

HOSTS = ["ws-001", "ws-002", "ws-003"]


class Offline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("offline"), {host: {} for host in HOSTS})
        cls.addClassCleanup(cls.hospital.end)
        cls.gone = cls.hospital.agents["ws-003"]

    def tearDown(self):
        self.gone.wire.mend()
        if not self.gone.runs():
            self.gone.run()
        self.hospital.wait_connected()

    def switch_off(self):
        self.gone.end()
        wait_for(lambda: "ws-003" not in self.hospital.connected(), "the coordinator to miss ws-003")

    def finished(self, run, host):
        """Outcomes of the host's tasks, as the journal has them."""
        return [event["finished"]["outcome"] for _, kind, event in self.hospital.events(run)
                if kind == "task_finished" and HOSTS[event["host"]] == host]

    def test_a_host_that_is_off_is_deferred_and_catches_up_when_it_returns(self):
        self.switch_off()
        run = self.hospital.run_stages(one_stage([["ws-003", "ws-001"], ["ws-002"]], self.hospital.touch("catch-up")))
        self.hospital.wait_run(run, "catching_up")
        self.assertEqual(self.hospital.states(run),
                         {"ws-001": "succeeded", "ws-002": "succeeded", "ws-003": "deferred"})
        self.assertEqual(self.hospital.targets(run)["ws-003", "one"]["code"], "unreachable")
        self.gone.run()
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of("catch-up"), {host: 1 for host in HOSTS})

    def test_a_host_that_returns_too_late_is_named_as_expired_and_does_nothing(self):
        self.switch_off()
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("late")), seconds=10)
        view = self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.states(run),
                         {"ws-001": "succeeded", "ws-002": "succeeded", "ws-003": "expired"})
        self.assertEqual(view["counts"]["expired"], 1)
        self.gone.run()
        self.hospital.wait_connected()
        # Whatever it would have been sent, it would have been sent before this.
        again = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("after-late")))
        self.hospital.wait_run(again, "succeeded")
        self.assertEqual(self.hospital.effects_of("late"), {"ws-001": 1, "ws-002": 1})

    def test_an_agent_that_is_cut_off_in_mid_action_finishes_and_reports_once(self):
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("cut", mode="slow", slow_ms=1000)))
        wait_for(lambda: self.hospital.targets(run)["ws-003", "one"].get("progress"), "ws-003 to be at work")
        self.gone.wire.cut()
        wait_for(lambda: self.gone.read("cut"), "ws-003 to finish on its own")
        self.hospital.wait_run(run, "catching_up")
        self.assertEqual(self.hospital.states(run)["ws-003"], "deferred")
        self.assertEqual(self.hospital.targets(run)["ws-003", "one"]["task"], "TASK_STATE_LOST")
        self.assertEqual(self.finished(run, "ws-003"), [])
        self.gone.wire.mend()
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.finished(run, "ws-003"), ["OUTCOME_CHANGED"])
        self.assertEqual(self.hospital.effects_of("cut"), {host: 1 for host in HOSTS})

    def test_a_connection_that_breaks_again_and_again_changes_nothing(self):
        names = [f"flap-{i}" for i in range(3)]
        run = self.hospital.run_stages(one_stage(
            [HOSTS], *[self.hospital.touch(name, mode="slow", slow_ms=250) for name in names],
            unreachable_after_ms=20000))
        for name in names:
            wait_for(lambda: self.gone.read(name), f"ws-003 to do {name}")
            self.gone.wire.cut()
            self.gone.wire.mend()
        self.hospital.wait_run(run, "succeeded")
        for name in names:
            self.assertEqual(self.hospital.effects_of(name), {host: 1 for host in HOSTS})
        self.assertEqual(self.finished(run, "ws-003"), ["OUTCOME_CHANGED"] * 3)

    def test_what_must_wait_for_a_host_waits(self):
        self.switch_off()
        run = self.hospital.run_stages(one_stage([["ws-003"], ["ws-001", "ws-002"]], self.hospital.touch("wait"),
                                                 unreachable="wait", unreachable_after_ms=200))
        # The patience of `defer` is over several times before this one has come and gone.
        other = self.hospital.run_stages(one_stage([["ws-001", "ws-002"]],
                                                   self.hospital.touch("meanwhile", mode="slow", slow_ms=1000)))
        self.hospital.wait_run(other, "succeeded")
        self.assertEqual(self.hospital.states(run), {host: "waiting" for host in HOSTS})
        self.assertEqual(self.hospital.witness("wait"), [])
        self.gone.run()
        self.hospital.wait_run(run, "succeeded")


if __name__ == "__main__":
    unittest.main()
