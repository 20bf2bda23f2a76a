"""The EDR plugin on lab hosts with real packages: installed once, proven from outside, through a kill and a broken host."""

import os
import sys
import unittest

import processes
from hospital import Hospital
from people import Plan, b64, sha256, stage, step
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from artifacts import fetch  # noqa: E402
from lab import Lab, LabError, why_impossible  # noqa: E402

SIGNATURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "plugins", "edr", "signatures",
                          "reprise.ndb")
HOSTS = ["ws-001", "ws-002", "ws-003"]
IMPOSSIBLE = why_impossible()


def packages():
    """Debian's, as far as apt gives them here."""
    try:
        return fetch(os.path.join(processes.BUILD, "artifacts"))
    except LabError as error:
        raise unittest.SkipTest(f"no packages: {error}") from error


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class Campaign(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = [*packages(), SIGNATURES]
        cls.lab = Lab.up(HOSTS, folder=os.path.join(scratch("lab"), "lab"))
        cls.addClassCleanup(cls.lab.down)
        cls.hospital = Hospital(scratch("hospital"), {host: {} for host in HOSTS}, start_agents=False,
                                address=cls.lab.network.router, through=lambda words: cls.lab.at_router(*words))
        cls.addClassCleanup(cls.hospital.end)
        with open(os.path.join(processes.PLUGINS, "edr.so"), "rb") as library:
            cls.plugin = library.read()
        cls.hospital.upload("edr", "plugin", cls.plugin)
        cls.artifacts = []
        for path in files:
            with open(path, "rb") as file:
                content = file.read()
            cls.hospital.upload(os.path.basename(path), "artifact", content)
            cls.artifacts.append({"name": os.path.basename(path), "sha256": b64(sha256(content)), "size": len(content)})
        codes = cls.hospital.tokens(HOSTS)
        for name in HOSTS:
            cls.lab.host(name).join(f"{cls.lab.network.router}:{cls.hospital.coordinator.join_port}", codes[name])
        cls.hospital.state_hosts(HOSTS)
        cls.hospital.wait_connected(HOSTS)

    def run_steps(self, hosts, *steps):
        plan = Plan(self.hospital.desk.encode, sha256(self.plugin), self.hospital.bob, [stage("one", [hosts], list(steps))],
                    plugins=[{"name": "edr", "version": "1.0.0", "sha256": b64(sha256(self.plugin))}], artifacts=self.artifacts)
        return self.hospital.start(plan)

    def install(self):
        return step("sensor", {}, action="install", undoable=True, timeout_ms=120000, retries=3, backoff_ms=500,
                    artifacts=list(range(len(self.artifacts))))

    def heartbeat(self):
        return step("heartbeat", {}, effect="read", action="heartbeat", undoable=False, timeout_ms=60000)

    def finished_installations(self, host):
        code, said = self.lab.host(host).attempt("grep", "-c", " status installed clamav-daemon:", "/var/log/dpkg.log")
        return int(said) if code <= 1 and said.strip().isdigit() else 0

    def finds_eicar(self, host):
        eicar = "".join(("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"))
        said = self.lab.host(host).attempt("sh", "-c", "printf '%s' \"$1\" > /tmp/probe; clamdscan --fdpass --no-summary /tmp/probe; "
                                           "rm -f /tmp/probe", "sh", eicar)[1]
        return "FOUND" in said

    def test_it_is_installed_once_and_proven_from_outside(self):
        run = self.run_steps(["ws-001"], self.install(), self.heartbeat())
        self.hospital.wait_run(run, "succeeded", seconds=120)
        self.assertTrue(self.finds_eicar("ws-001"))
        again = self.run_steps(["ws-001"], self.install())
        self.hospital.wait_run(again, "succeeded", seconds=60)
        self.assertEqual(self.finished_installations("ws-001"), 1)

    def test_an_agent_that_is_killed_in_mid_installation_ends_it_once(self):
        host = self.lab.host("ws-002")
        run = self.run_steps(["ws-002"], self.install())
        wait_for(lambda: any(each.name == "dpkg" for each in self.lab.processes_of(host)), "dpkg to be at work", 60, every=0.01)
        host.kill_agent()
        self.hospital.wait_run(run, "succeeded", seconds=150)
        self.assertTrue(self.finds_eicar("ws-002"))
        self.assertEqual(self.finished_installations("ws-002"), 1)

    def test_a_host_with_a_broken_package_database_fails_and_says_so(self):
        self.lab.host("ws-003").break_dpkg()
        run = self.run_steps(["ws-003"], {**self.install(), "retries": 0})
        self.hospital.wait_run(run, "failed", "partial", seconds=120)
        target = self.hospital.targets(run)["ws-003", "one"]
        self.assertEqual((target["state"], target["code"]), ("TARGET_STATE_FAILED", "dpkg_broken"))
        self.assertFalse(os.path.exists(f"/proc/{self.lab.host('ws-003').pid}/root/usr/sbin/clamd"))


if __name__ == "__main__":
    unittest.main()
