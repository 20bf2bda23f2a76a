"""The blast radius: failure budgets, what a failure means for its host, retries of what failed and of nothing else, the
abort, and the limits on what is at work at once. The witness counts."""

import unittest

from hospital import FAILED_PRECONDITION, Hospital, Refused, one_stage
from people import stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

HOSTS = [f"ws-00{i}" for i in range(1, 6)]
SICK = {"ws-001", "ws-002"}


def sick(mode):
    """Goes wrong on some of the hosts."""
    return lambda host: mode if host in SICK else "ok"


class Budgets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("budget"), {host: {} for host in HOSTS})
        cls.addClassCleanup(cls.hospital.end)
        cls.touch = cls.hospital.touch

    def test_a_breached_wave_stops_the_run_until_a_person_accepts_it(self):
        run = self.hospital.run_stages(one_stage(
            [HOSTS[:3], HOSTS[3:]], self.touch("first"), self.touch("second", mode=sick("fail")),
            wave_budget={"max_failures": 1}))
        view = self.hospital.wait_run(run, "paused")
        self.assertEqual(view["pause_code"], "budget")
        self.assertEqual(view["stages"][0]["waves"][0]["state"], "WAVE_STATE_BREACHED")
        self.assertEqual(view["stages"][0]["waves"][1]["state"], "WAVE_STATE_PENDING")
        self.assertEqual(set(self.hospital.effects_of("first")), set(HOSTS[:3]), "the second wave began")
        self.hospital.call("ResumeRun", who="bob", run=run, reason="two old machines")
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.effects_of("first"), {host: 1 for host in HOSTS})
        self.assertEqual(set(self.hospital.effects_of("second")), set(HOSTS) - SICK)

    def test_a_breached_budget_of_the_whole_run_stops_it_too(self):
        run = self.hospital.run_stages(
            one_stage([[host] for host in HOSTS], self.touch("whole", mode=sick("fail"))),
            limits={"per_host_max": 1, "budget": {"max_percent": 30}})
        view = self.hospital.wait_run(run, "paused")
        self.assertEqual(view["pause_code"], "budget")
        self.assertEqual(self.hospital.states(run), {"ws-001": "failed", "ws-002": "failed", "ws-003": "waiting",
                                                     "ws-004": "waiting", "ws-005": "waiting"})
        self.assertEqual(self.hospital.witness("whole"), [])
        self.hospital.call("AbortRun", run=run, reason="test")
        self.hospital.wait_run(run, "aborted")

    def test_within_budget_a_failure_stops_only_its_own_host(self):
        run = self.hospital.run_stages(one_stage([HOSTS], self.touch("within", mode=sick("fail")), self.touch("next"),
                                                 wave_budget={"max_failures": 2}))
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.effects_of("next"), {host: 1 for host in set(HOSTS) - SICK})

    def test_a_retry_runs_failed_hosts_only_and_from_the_failed_step_only(self):
        run = self.hospital.run_stages(
            one_stage([HOSTS], self.touch("done"), self.touch("sick", mode=sick("fail"), fail_times=1),
                      self.touch("last")),
            stage("two", [HOSTS], [self.touch("behind")], after=[0]))
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.states(run, "two"),
                         {host: "skipped" if host in SICK else "succeeded" for host in HOSTS})
        self.hospital.call("RetryRun", who="bob", run=run, reason="mended")
        view = self.hospital.wait_run(run, "succeeded")
        self.assertEqual(view["round"], 2)
        for tag in ("done", "sick", "last", "behind"):
            self.assertEqual(self.hospital.effects_of(tag), {host: 1 for host in HOSTS}, tag)
        dispatched = [(HOSTS[event["host"]], event["stage"], event["step"])
                      for _, kind, event in self.hospital.events(run) if kind == "task_dispatched"]
        for host in HOSTS:
            steps = [(at, step) for name, at, step in dispatched if name == host]
            self.assertEqual(steps, [(0, 0), (0, 1), (0, 1), (0, 2), (1, 0)] if host in SICK
                             else [(0, 0), (0, 1), (0, 2), (1, 0)])

    def test_an_abort_ends_what_is_at_work_and_begins_nothing(self):
        run = self.hospital.run_stages(one_stage(
            [HOSTS[:2], HOSTS[2:]], self.touch("aborted", mode="slow", slow_ms=30000, timeout_ms=60000)))
        agents = [self.hospital.agents[host] for host in HOSTS[:2]]
        wait_for(lambda: all(agent.plugin_hosts() for agent in agents), "the first wave to be at work")
        self.hospital.call("AbortRun", who="bob", run=run, reason="wrong building")
        self.hospital.wait_run(run, "aborted", seconds=15)
        self.assertEqual(set(self.hospital.states(run).values()), {"cancelled"})
        self.assertEqual(self.hospital.witness("aborted"), [])
        self.assertFalse(any(agent.plugin_hosts() for agent in agents))
        with self.assertRaises(Refused) as refused:
            self.hospital.call("RetryRun", who="bob", run=run)
        self.assertEqual(refused.exception.code, FAILED_PRECONDITION)

    # ---- what a failure means for its host ----

    def test_a_rollback_undoes_what_was_changed_last_first_and_leaves_what_was_so_before(self):
        for host in HOSTS:
            with open(self.hospital.agents[host].file("was-so"), "w", encoding="utf-8") as file:
                file.write("reprise\n")
        run = self.hospital.run_stages(one_stage(
            [HOSTS], self.touch("was-so"), self.touch("undo-1"), self.touch("undo-2"),
            self.touch("breaks", mode=sick("fail"), on_failure="ON_FAILURE_ROLLBACK")))
        self.hospital.wait_run(run, "partial")
        for host in HOSTS:
            agent, undone = self.hospital.agents[host], host in SICK
            self.assertEqual(self.hospital.states(run)[host], "rolled_back" if undone else "succeeded")
            self.assertEqual(agent.read("was-so"), "reprise\n")
            self.assertEqual((agent.read("undo-1"), agent.read("undo-2")),
                             (None, None) if undone else ("reprise\n", "reprise\n"))
        undoing = [event["step"] for _, kind, event in self.hospital.events(run)
                   if kind == "task_dispatched" and event["rollback"] and HOSTS[event["host"]] == "ws-001"]
        self.assertEqual(undoing, [2, 1])

    def test_a_failure_that_may_be_passed_over_is_still_a_failure(self):
        run = self.hospital.run_stages(one_stage(
            [HOSTS], self.touch("optional", mode=sick("fail"), on_failure="ON_FAILURE_CONTINUE"), self.touch("goes-on")))
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.effects_of("goes-on"), {host: 1 for host in HOSTS})
        self.assertEqual({host for host, state in self.hospital.states(run).items() if state == "failed"}, SICK)

    def test_a_step_is_tried_again_as_often_as_it_says(self):
        enough = self.hospital.run_stages(one_stage([HOSTS], self.touch("enough", mode=sick("fail"), fail_times=2,
                                                                        retries=2)))
        self.hospital.wait_run(enough, "succeeded")
        self.assertEqual(self.hospital.targets(enough)["ws-001", "one"]["attempt"], 3)
        too_few = self.hospital.run_stages(one_stage([HOSTS], self.touch("too-few", mode=sick("fail"), fail_times=3,
                                                                         retries=2)))
        self.hospital.wait_run(too_few, "partial")
        self.assertEqual(self.hospital.targets(too_few)["ws-001", "one"]["code"], "mock_failed")

    def test_a_lie_is_found_out_by_verifying(self):
        run = self.hospital.run_stages(one_stage([HOSTS], self.touch("lie", mode=sick("lie"))))
        self.hospital.wait_run(run, "partial")
        self.assertEqual(self.hospital.targets(run)["ws-001", "one"]["code"], "verify_failed")

    def test_what_hangs_is_ended_when_its_time_is_up_with_all_its_processes(self):
        run = self.hospital.run_stages(one_stage([HOSTS], self.touch("hang", mode=sick("ignore_term"),
                                                                     timeout_ms=4000)))
        self.hospital.wait_run(run, "partial")
        for host in SICK:
            step = self.hospital.targets(run)[host, "one"]["steps"][0]
            self.assertEqual(step["outcome"], "OUTCOME_TIMED_OUT")
            self.assertEqual(self.hospital.agents[host].plugin_hosts(), [])

    # ---- how much at once ----

    def most_at_once(self, run, weight=lambda event: 1):
        now = most = 0
        for _, kind, event in self.hospital.events(run):
            if kind == "task_dispatched":
                now += weight(event)
            elif kind == "task_finished":
                now -= weight(event)
            most = max(most, now)
        return most

    def test_no_more_hosts_are_at_work_than_the_stage_allows(self):
        two = self.hospital.run_stages(one_stage([HOSTS], self.touch("two", mode="slow", slow_ms=50), in_flight_max=2))
        self.hospital.wait_run(two, "succeeded")
        self.assertEqual(self.most_at_once(two), 2)

    def test_no_more_hosts_share_a_scarce_resource_than_it_bears(self):
        run = self.hospital.run_stages(
            one_stage([HOSTS], self.touch("scarce", mode="slow", slow_ms=50,
                                          tokens=[{"token": "backup-server", "amount": 2}])),
            capacities=[{"token": "backup-server", "amount": 3}])
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.most_at_once(run), 1)


if __name__ == "__main__":
    unittest.main()
