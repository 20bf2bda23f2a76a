"""SIGKILL at any instant: the run goes on where it was, nothing is lost, and no effect happens a second time unless a
probe found, at a new attempt, that the first had not reached its end. A seed is printed; REPRISE_SEED replays it."""

import os
import random
import signal
import time
import unittest

from hospital import Hospital, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

SEED = int(os.environ.get("REPRISE_SEED", "20261124"))
HOSTS = [f"ws-00{i}" for i in range(1, 5)]
ENDED = ("succeeded", "partial", "failed", "aborted")
FRUITLESS = {"OUTCOME_FAILED", "OUTCOME_TIMED_OUT", "OUTCOME_INTERRUPTED", "OUTCOME_CANCELLED"}


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}", flush=True)
        cls.hospital = Hospital(scratch("kill"), {host: {} for host in HOSTS})
        cls.addClassCleanup(cls.hospital.end)

    def tearDown(self):
        # Whatever a test that failed left dead, for the next one.
        if not self.hospital.coordinator.runs():
            self.hospital.coordinator.start()
        for agent in self.hospital.agents.values():
            if not agent.runs():
                agent.run()
        self.hospital.wait_connected()

    def steps(self, prefix, count=3, **faults):
        faults = {"mode": "slow", "slow_ms": 120, "retries": 20, "attempts_max": 50, **faults}
        return [self.hospital.touch(f"{prefix}-{i}", **faults) for i in range(count)]

    def wait_in_action(self, run, host):
        """The mock tells its progress while it is slow, and has its effect after that."""
        wait_for(lambda: self.hospital.targets(run)[host, "one"].get("progress"), f"{host} to be in its action")

    def assert_done_once(self, run, tags):
        """Every host has every effect, and the journal accounts for each one beyond the first: from what an attempt that
        had its effect is said to have ended with, to how many were repeated after it."""
        outcomes, repeated = {}, {}
        for _, kind, event in self.hospital.events(run):
            if kind == "task_finished":
                finished = event["finished"]
                host = HOSTS[event["host"]]
                key = finished["key"]
                self.assertNotIn((host, key["step"], key["attempt"]), outcomes, "one attempt, two outcomes")
                outcomes[(host, key["step"], key["attempt"])] = finished["outcome"]
        for step, tag in enumerate(tags):
            lines = [(host, attempt) for host, attempt, _ in self.hospital.witness(tag)]
            self.assertEqual({host for host, _ in lines}, set(HOSTS))
            self.assertEqual(len(lines), len(set(lines)), f"an attempt had its effect twice: {sorted(lines)}")
            for host in HOSTS:
                attempts = sorted(attempt for name, attempt in lines if name == host)
                for earlier in attempts[:-1]:
                    ended = outcomes.get((host, step, earlier))
                    self.assertIn(ended, FRUITLESS, f"{host} did {tag} again after attempt {earlier}, which ended {ended}")
                    repeated[ended] = repeated.get(ended, 0) + 1
                self.assertEqual(self.hospital.agents[host].read(tag), "reprise\n")
        return repeated

    def assert_journal_is_whole(self):
        report = self.hospital.verify_journal()
        self.assertEqual(report["faults"], [])
        self.assertTrue(report["refolded"], "the history was not folded again")

    def finish(self, run, tags):
        view = self.hospital.wait_run(run, *ENDED)
        self.assertEqual(view["state"], "RUN_STATE_SUCCEEDED", self.hospital.outline(run))
        repeated = self.assert_done_once(run, tags)
        self.assert_journal_is_whole()
        return repeated

    # ---- the coordinator ----

    def test_the_coordinator_is_killed_at_many_moments_and_nothing_is_lost_or_done_twice(self):
        chance = random.Random(SEED)
        kills = life = 0
        # On a fast machine a run is over after a few kills: then more runs.
        while life < 3 or (kills < 12 and life < 12):
            prefix = f"coordinator-{life}"
            run = self.hospital.run_stages(one_stage([HOSTS[:1], HOSTS[1:]], *self.steps(prefix)))
            while self.hospital.show(run, targets=False)["state"] == "RUN_STATE_RUNNING":
                # A kill at a chosen moment is the point here; nothing is waited for.
                time.sleep(chance.uniform(0.0, 0.35))
                self.hospital.coordinator.kill()
                kills += 1
                self.hospital.coordinator.start()
            self.finish(run, [f"{prefix}-{i}" for i in range(3)])
            life += 1
        print(f"{kills} kills of the coordinator", flush=True)
        self.assertGreaterEqual(kills, 12)

    def test_the_coordinator_may_be_away_while_the_agents_work(self):
        run = self.hospital.run_stages(one_stage([HOSTS], *self.steps("away", 1, slow_ms=2000)))
        wait_for(lambda: all(agent.plugin_hosts() for agent in self.hospital.agents.values()), "all to be at work")
        self.hospital.coordinator.kill()
        wait_for(lambda: len(self.hospital.witness("away-0")) == len(HOSTS), "all to have done it on their own")
        self.hospital.coordinator.start()
        self.finish(run, ["away-0"])
        self.assertEqual(len(self.hospital.witness("away-0")), len(HOSTS))

    # ---- an agent ----

    def test_an_agent_killed_before_its_effect_probes_and_tries_again(self):
        agent = self.hospital.agents["ws-002"]
        run = self.hospital.run_stages(one_stage([HOSTS], *self.steps("before", 1, slow_ms=2000)))
        self.wait_in_action(run, "ws-002")
        agent.kill()
        self.assertEqual(self.hospital.effects_of("before-0").get("ws-002", 0), 0)
        agent.run()
        self.finish(run, ["before-0"])
        outcomes = [event["finished"]["outcome"] for _, kind, event in self.hospital.events(run)
                    if kind == "task_finished" and HOSTS[event["host"]] == "ws-002"]
        self.assertEqual(outcomes, ["OUTCOME_INTERRUPTED", "OUTCOME_CHANGED"])
        self.assertEqual(self.hospital.effects_of("before-0"), {host: 1 for host in HOSTS})

    def test_an_agent_killed_after_its_effect_finds_it_and_does_not_repeat_it(self):
        agent = self.hospital.agents["ws-003"]
        run = self.hospital.run_stages(one_stage([HOSTS], *self.steps("after", 1, at="verify", slow_ms=600)))
        wait_for(lambda: agent.read("after-0"), "ws-003 to have had its effect")
        agent.kill()
        agent.run()
        self.finish(run, ["after-0"])
        self.assertEqual(self.hospital.effects_of("after-0"), {host: 1 for host in HOSTS})
        outcomes = [event["finished"]["outcome"] for _, kind, event in self.hospital.events(run)
                    if kind == "task_finished" and HOSTS[event["host"]] == "ws-003"]
        self.assertEqual(outcomes, ["OUTCOME_CHANGED"])

    def test_an_agents_actions_die_with_it(self):
        agent = self.hospital.agents["ws-004"]
        run = self.hospital.run_stages(one_stage([["ws-004"]], self.hospital.touch(
            "die-with-it", mode="deaf", slow_ms=3000, fail_times=1, retries=2)))
        working = wait_for(agent.plugin_hosts, "ws-004 to be at work")
        agent.kill()
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in working), "its actions to be gone", 5)
        agent.run()
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of("die-with-it"), {"ws-004": 1})

    # ---- the process of an action ----

    def test_a_killed_plugin_host_costs_that_one_attempt(self):
        agent = self.hospital.agents["ws-001"]
        run = self.hospital.run_stages(one_stage([HOSTS], *self.steps("plugin", 1, slow_ms=2000)))
        self.wait_in_action(run, "ws-001")
        for pid in agent.plugin_hosts():
            os.kill(pid, signal.SIGKILL)
        self.finish(run, ["plugin-0"])
        self.assertTrue(agent.runs(), "the agent died with its plugin host")
        ended = [(event["finished"]["outcome"], event["finished"]["code"])
                 for _, kind, event in self.hospital.events(run)
                 if kind == "task_finished" and HOSTS[event["host"]] == "ws-001"]
        self.assertEqual(ended, [("OUTCOME_FAILED", "crashed"), ("OUTCOME_CHANGED", "")])
        self.assertEqual(self.hospital.effects_of("plugin-0"), {host: 1 for host in HOSTS})

    # ---- all together ----

    def test_everything_is_killed_again_and_again_and_the_run_still_ends_as_it_should(self):
        chance = random.Random(SEED + 1)
        run = self.hospital.run_stages(one_stage([HOSTS[:1], HOSTS[1:]], *self.steps("all"), unreachable_after_ms=20000))
        kills = {"the coordinator": 0, "agents": 0, "plugin hosts": 0}
        for _ in range(6):
            time.sleep(chance.uniform(0.05, 0.5))
            self.hospital.coordinator.kill()
            kills["the coordinator"] += 1
            for agent in self.hospital.agents.values():
                if chance.random() < 0.7:
                    for pid in agent.plugin_hosts():
                        try:
                            os.kill(pid, signal.SIGKILL)
                            kills["plugin hosts"] += 1
                        except ProcessLookupError:
                            pass
                if chance.random() < 0.7:
                    agent.kill()
                    kills["agents"] += 1
            self.hospital.coordinator.start()
            for agent in self.hospital.agents.values():
                if not agent.runs():
                    agent.run()
        for what, count in kills.items():
            print(f"{count} kills of {what}", flush=True)
        # The witness has its line before the effect: who is killed in between did not have it, and is counted here.
        repeated = self.finish(run, [f"all-{i}" for i in range(3)])
        effects = sum(len(self.hospital.witness(f"all-{i}")) for i in range(3))
        print(f"{effects} effects, {sum(repeated.values())} of them again: after {repeated or 'none'}", flush=True)
        self.assertEqual(effects - sum(repeated.values()), 3 * len(HOSTS))
        self.assertLessEqual(sum(repeated.values()), kills["agents"] + kills["plugin hosts"])


if __name__ == "__main__":
    unittest.main()
