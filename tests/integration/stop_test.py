"""The emergency stop: everything ends, how fast is measured, nothing begins until it is lifted. And its small sister, the
pause of one run: what is at work ends in its own time, nothing more begins."""

import time
import unittest

from hospital import FAILED_PRECONDITION, PERMISSION_DENIED, Hospital, Refused, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

HOSTS = [f"ws-{i:03}" for i in range(1, 9)]
SECONDS_MAX = 5.0


class Stop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("stop"), {host: {} for host in HOSTS})
        cls.addClassCleanup(cls.hospital.end)

    def tearDown(self):
        for agent in self.hospital.agents.values():
            agent.wire.mend()
        if self.hospital.call("GetStop")["active"]:
            self.hospital.call("LiftStop", reason="end of the test")
        self.hospital.wait_connected()

    def at_work(self):
        return [agent.host for agent in self.hospital.agents.values() if agent.plugin_hosts()]

    def begin(self, name, **faults):
        """A run with every agent in the middle of an action that takes half a minute."""
        run = self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch(
            name, timeout_ms=60000, **{"mode": "slow", "slow_ms": 30000, **faults}), unreachable_after_ms=60000))
        wait_for(lambda: len(self.at_work()) == len(HOSTS), lambda: f"all to be at work; only {self.at_work()} are")
        return run

    def stop(self):
        self.hospital.call("RaiseStop", who="bob", reason="ransomware seen in the wave")

        def all_confirmed():
            view = self.hospital.call("GetStop")
            return view if view["confirmed"] == len(HOSTS) else None
        return wait_for(all_confirmed, lambda: f"all to confirm: {self.hospital.call('GetStop')}", SECONDS_MAX * 2)

    def sent_during_the_stop(self):
        stopped, sent = False, []
        for sequence, kind, event in self.hospital.events():
            if kind == "stop_raised":
                stopped = True
            elif kind == "stop_lifted":
                stopped = False
            elif stopped and kind in ("task_dispatched", "wave_started", "stage_started", "run_started"):
                sent.append((sequence, kind, event))
        return sent

    def test_everything_ends_and_nothing_begins_until_it_is_lifted(self):
        run = self.begin("stopped")
        view = self.stop()
        self.assertEqual((view["asked"], view["killed"]), (len(HOSTS), len(HOSTS)))
        print(f"emergency stop of {len(HOSTS)} agents at work: slowest {view['latency_max_ms']} ms", flush=True)
        self.assertLess(int(view["latency_max_ms"]), SECONDS_MAX * 1000)
        self.assertEqual(self.at_work(), [], "an action outlived the stop that its agent confirmed")
        self.assertEqual(self.hospital.witness("stopped"), [])
        shown = self.hospital.wait_run(run, "paused")
        self.assertEqual(shown["pause_code"], "stop")

        for call, request in (("ResumeRun", {"run": run}), ("RetryRun", {"run": run})):
            with self.assertRaises(Refused) as refused:
                self.hospital.call(call, who="bob", **request)
            self.assertEqual(refused.exception.code, FAILED_PRECONDITION, call)
        with self.assertRaises(Refused) as refused:
            self.hospital.run_stages(one_stage([HOSTS], self.hospital.touch("not-now")))
        self.assertEqual(refused.exception.code, FAILED_PRECONDITION)
        with self.assertRaises(Refused) as refused:  # To begin again takes more than to stop.
            self.hospital.call("LiftStop", who="bob", reason="looks fine")
        self.assertEqual(refused.exception.code, PERMISSION_DENIED)

        self.hospital.call("LiftStop", reason="it was a drill")
        self.assertEqual(self.hospital.show(run)["state"], "RUN_STATE_PAUSED", "lifting resumes no run")
        self.assertEqual(self.sent_during_the_stop(), [])
        self.hospital.call("AbortRun", run=run, reason="end of the test")
        self.hospital.wait_run(run, "aborted")

    def test_an_action_that_does_not_listen_is_killed_all_the_same(self):
        run = self.begin("deaf", mode="ignore_term")
        view = self.stop()
        print(f"emergency stop of {len(HOSTS)} deaf actions: slowest {view['latency_max_ms']} ms", flush=True)
        self.assertLess(int(view["latency_max_ms"]), SECONDS_MAX * 1000)
        self.assertEqual(self.at_work(), [])
        self.hospital.call("LiftStop", reason="end")
        self.hospital.call("AbortRun", run=run, reason="end of the test")
        self.hospital.wait_run(run, "aborted")

    def test_a_stopped_run_goes_on_after_the_lift_when_it_is_resumed(self):
        run = self.begin("resumed", slow_ms=8000)
        self.stop()
        self.hospital.call("LiftStop", reason="it was a drill")
        self.hospital.call("ResumeRun", who="bob", run=run)
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of("resumed"), {host: 1 for host in HOSTS})

    def test_an_agent_that_was_cut_off_is_stopped_when_it_returns(self):
        run = self.begin("cut-off")
        cut = self.hospital.agents["ws-003"]
        cut.wire.cut()
        wait_for(lambda: "ws-003" not in self.hospital.connected(), "the coordinator to miss ws-003")
        self.hospital.call("RaiseStop", who="bob", reason="test")
        wait_for(lambda: self.at_work() == ["ws-003"], "all others to stop", SECONDS_MAX)
        cut.wire.mend()
        wait_for(lambda: self.at_work() == [], "ws-003 to stop as well", 15)
        self.assertEqual(self.hospital.witness("cut-off"), [])
        # A restart of either side forgets nothing.
        self.hospital.coordinator.kill()
        cut.kill()
        self.hospital.coordinator.start()
        cut.run()
        self.hospital.wait_connected()
        self.assertTrue(self.hospital.call("GetStop")["active"])
        self.hospital.call("LiftStop", reason="end")
        self.assertEqual(self.sent_during_the_stop(), [])
        self.hospital.call("AbortRun", run=run, reason="end of the test")
        self.hospital.wait_run(run, "aborted")

    # ---- the pause of one run ----

    def test_a_paused_run_sends_nothing_more_and_goes_on_where_it_was(self):
        run = self.hospital.run_stages(one_stage(
            [HOSTS], self.hospital.touch("paused", mode="slow", slow_ms=4000), self.hospital.touch("paused-next"),
            in_flight_max=3))
        wait_for(lambda: len(self.at_work()) == 3, "as many to be at work as may be")
        self.hospital.call("PauseRun", who="bob", run=run, reason="the night shift wants to look")
        working = set(self.at_work())  # Those alone have heard of it, and none hears of its next step.
        view = self.hospital.show(run)
        self.assertEqual((view["state"], view["pause_code"]), ("RUN_STATE_PAUSED", "operator"))

        def kinds():
            return [kind for _, kind, _ in self.hospital.events(run)]
        wait_for(lambda: kinds().count("task_finished") == 3 and not self.at_work(), "what was at work to end")
        done = self.hospital.effects_of("paused")
        self.assertEqual((len(done), set(done.values())), (3, {1}), "what was at work was not cut off")
        self.assertLessEqual(working, set(done))
        quiet_until = time.monotonic() + 2.0
        while time.monotonic() < quiet_until:
            self.assertEqual(self.at_work(), [], "a task reached an agent of a run that is paused")
            time.sleep(0.02)
        self.assertEqual(self.hospital.effects_of("paused"), done)
        self.assertEqual(self.hospital.witness("paused-next"), [])
        self.assertNotIn("task_dispatched", kinds()[kinds().index("run_paused"):])

        self.hospital.call("ResumeRun", who="bob", run=run)
        self.hospital.wait_run(run, "succeeded")
        for tag in ("paused", "paused-next"):
            self.assertEqual(self.hospital.effects_of(tag), {host: 1 for host in HOSTS}, tag)


if __name__ == "__main__":
    unittest.main()
