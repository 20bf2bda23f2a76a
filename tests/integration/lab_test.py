"""Lab hosts (tests/lab): a network, a disk and a supervisor each, real agents on them, and nothing left of it afterwards."""

import os
import signal
import socket
import subprocess
import sys
import unittest

from hospital import Hospital, one_stage
from people import step
from processes import Process, scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from lab import Lab, LabError, why_impossible  # noqa: E402
from namespaces import identity, lives  # noqa: E402

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab", "lab")
HOSTS = ["ws-001", "ws-002"]
IMPOSSIBLE = why_impossible()


def touch(name, **more):
    """Keeps the file `name` on the host's own disk, and counts effects beside it."""
    return step(name, {"state_file": f"/var/lib/{name}", "witness": "/var/lib/witness", "tag": name, **more}, retries=2,
                backoff_ms=100)


def everything_of(lab):
    """[id, start time] of the keeper and of all that runs on the hosts."""
    return [identity(lab.keeper)] + [identity(process.pid) for host in lab.hosts.values() if host.is_on()
                                     for process in lab.processes_of(host)]


def links():
    return set(os.listdir("/sys/class/net"))


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class AgentsOnLabHosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab.up(HOSTS, folder=os.path.join(scratch("lab"), "lab"), disks={"ws-002": 96})
        cls.addClassCleanup(cls.lab.down)
        cls.hospital = Hospital(scratch("hospital"), {host: {} for host in HOSTS}, start_agents=False,
                                address=cls.lab.network.router, through=lambda words: cls.lab.at_router(*words))
        cls.addClassCleanup(cls.hospital.end)
        codes = cls.hospital.tokens(HOSTS)
        for name in HOSTS:
            cls.lab.host(name).join(f"{cls.lab.network.router}:{cls.hospital.coordinator.join_port}", codes[name])
        cls.hospital.state_hosts(HOSTS)
        cls.hospital.wait_connected(HOSTS)

    def witness(self, host, tag):
        code, said = self.lab.host(host).attempt("grep", "-c", f" {tag}$", "/var/lib/witness")
        return int(said) if code <= 1 and said.strip().isdigit() else 0

    def at_work(self, run, host):
        wait_for(lambda: self.hospital.targets(run)[host, "one"].get("progress"), f"{host} to be at work")

    def test_an_action_changes_the_disk_of_its_own_host_and_no_other(self):
        run = self.hospital.run_stages(one_stage([["ws-001"]], touch("own")))
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.lab.host("ws-001").attempt("test", "-e", "/var/lib/own")[0], 0)
        self.assertNotEqual(self.lab.host("ws-002").attempt("test", "-e", "/var/lib/own")[0], 0)
        self.assertFalse(os.path.exists("/var/lib/own"))
        self.assertEqual(self.witness("ws-001", "own"), 1)

    def test_a_host_whose_cable_is_cut_is_deferred_and_catches_up(self):
        host = self.lab.host("ws-002")
        host.cut()
        self.addCleanup(lambda: self.lab.network.is_cut(host.number) and host.mend())
        run = self.hospital.run_stages(one_stage([HOSTS], touch("cut"), unreachable_after_ms=1500))
        self.hospital.wait_run(run, "catching_up", seconds=90)
        self.assertEqual(self.hospital.states(run), {"ws-001": "succeeded", "ws-002": "deferred"})
        host.mend()
        self.hospital.wait_run(run, "succeeded", seconds=90)
        self.assertEqual([self.witness(name, "cut") for name in HOSTS], [1, 1])

    def test_runit_starts_a_killed_agent_again_and_its_effect_happens_once(self):
        run = self.hospital.run_stages(one_stage([["ws-001"]], touch("killed", mode="slow", slow_ms=1500)))
        self.at_work(run, "ws-001")
        killed = self.lab.host("ws-001").kill_agent()
        self.hospital.wait_run(run, "succeeded")
        self.assertNotEqual(self.lab.host("ws-001").agent_pid(), killed)
        self.assertEqual(self.witness("ws-001", "killed"), 1)

    def test_a_pulled_plug_in_mid_action_loses_nothing(self):
        host = self.lab.host("ws-001")
        run = self.hospital.run_stages(one_stage([["ws-001"]], touch("plug", mode="slow", slow_ms=1500)))
        self.at_work(run, "ws-001")
        host.off()
        self.assertFalse(host.is_on())
        host.on()
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.witness("ws-001", "plug"), 1)

    def test_broken_and_full_hosts_are_broken_and_full(self):
        first, second = (self.lab.host(name) for name in HOSTS)
        first.break_dpkg()
        self.assertNotEqual(first.attempt("dpkg", "-l")[0], 0)
        self.assertEqual(second.attempt("dpkg", "-l")[0], 0)
        first.mend_dpkg()
        self.assertEqual(first.attempt("dpkg", "-l")[0], 0)
        second.fill_disk()
        self.addCleanup(second.empty_disk)
        self.assertIn("No space left", second.attempt("dd", "if=/dev/zero", "of=/var/more", "bs=4096", "count=1")[1])
        with self.assertRaises(LabError):
            first.fill_disk()

    def test_hosts_have_no_scanner_and_no_way_out(self):
        host = self.lab.host("ws-001")
        self.assertFalse(host.installed("clamav-daemon"))
        connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
        self.assertEqual(host.attempt("python3", "-c", connect, self.lab.network.router,
                                      str(self.hospital.coordinator.port))[0], 0)
        outside = f"10.77.{self.lab.network.subnet}.254"  # This machine's own end of the cable.
        with socket.create_server((outside, 0)) as listener:
            port = listener.getsockname()[1]
            socket.create_connection((outside, port), 1).close()
            self.assertNotEqual(host.attempt("python3", "-c", connect, outside, str(port))[0], 0)


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class EndOfALab(unittest.TestCase):
    def setUp(self):
        self.links, self.folder = links(), os.path.join(scratch("end"), "lab")

    def assert_gone(self, all_of_it):
        wait_for(lambda: not [one for one in all_of_it if lives(one)], "every process of the lab to end")
        wait_for(lambda: not links() - self.links, lambda: f"cables left behind: {links() - self.links}")
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            self.assertNotIn(self.folder, mounts.read())

    def test_down_leaves_nothing(self):
        lab = Lab.up(["h1", "h2"], folder=self.folder)
        self.addCleanup(lab.down)
        wait_for(lambda: len(everything_of(lab)) >= 5, "the lab's processes")
        all_of_it = everything_of(lab)
        lab.host("h2").off()
        lab.down()
        lab.down()
        self.assert_gone(all_of_it)
        self.assertFalse(os.path.exists(self.folder))

    def test_a_lab_ends_with_whoever_made_it_however_that_one_ends(self):
        maker = Process([sys.executable, "-B", "-c", "import sys, time\nsys.path.insert(0, sys.argv[1])\nfrom lab import Lab\n"
                         "Lab.up(['h1'], folder=sys.argv[2])\nprint('up', flush=True)\ntime.sleep(600)",
                         os.path.dirname(TOOL), self.folder], self.folder + ".log")
        wait_for(lambda: "up\n" in maker.said() or not maker.runs(), maker.said, seconds=60)
        all_of_it = everything_of(Lab.load(self.folder))
        maker.kill()
        self.assert_gone(all_of_it)

    def test_the_tool_ends_a_lab_of_which_a_crash_has_left_a_part(self):
        made = subprocess.run([TOOL, "--lab", self.folder, "up", "2"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        said = subprocess.run([TOOL, "--lab", self.folder, "exec", "h2", "hostname"], capture_output=True, text=True, timeout=60,
                              check=True).stdout
        self.assertEqual(said, "h2\n")
        lab = Lab.load(self.folder)
        all_of_it = everything_of(lab)
        os.kill(lab.host("h1").pid, signal.SIGKILL)
        subprocess.run([TOOL, "--lab", self.folder, "down"], check=True, timeout=60, stdout=subprocess.DEVNULL)
        self.assert_gone(all_of_it)

    def test_two_labs_exist_side_by_side(self):
        one, two = Lab.up(["h1"], folder=self.folder), Lab.up(["h1"], folder=self.folder + "-two")
        try:
            self.assertNotEqual(one.network.router, two.network.router)
            one.down()
            self.assertEqual(two.host("h1").run("hostname"), "h1\n")
        finally:
            one.down()
            two.down()


if __name__ == "__main__":
    unittest.main()
