"""What people watch: a real Prometheus scrapes a real coordinator over HTTPS, with the configuration that the project gives
out; every panel of the dashboard then shows something, every alert's rule is sound, and those that should ring ring."""

import json
import os
import shutil
import socket
import unittest
import urllib.parse
import urllib.request

from hospital import Hospital, one_stage
from people import b64, gate, sha256, stage, step
from processes import BUILD, Process, scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

DASHBOARDS = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "dashboards"))
HOSTS = ["ws-001", "ws-002", "ws-003"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Prometheus:
    """The server over the project's own configuration, with this coordinator's address and a quicker clock."""

    def __init__(self, folder, hospital):
        shutil.copytree(os.path.join(DASHBOARDS, "prometheus"), folder)
        shutil.copy(os.path.join(hospital.data, "ca.crt"), os.path.join(folder, "ca.crt"))
        configuration = os.path.join(folder, "prometheus.yaml")
        with open(configuration, encoding="utf-8") as file:
            text = file.read()
        for given, here in (("127.0.0.1:7444", f"127.0.0.1:{hospital.coordinator.web_port}"), (": 10s", ": 1s")):
            if given not in text:
                raise AssertionError(f"prometheus.yaml does not say {given!r} any more")
            text = text.replace(given, here)
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(text)
        self._url = f"http://127.0.0.1:{free_port()}"
        self._process = Process(["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data",
                                 f"--web.listen-address={self._url[len('http://'):]}", "--log.level=warn"],
                                os.path.join(folder, "prometheus.log"))
        wait_for(self.scrapes, lambda: f"a scrape; it says: {self._process.said()[-2000:]}", seconds=30, every=0.2)

    def ask(self, path, **arguments):
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def scrapes(self):
        try:
            return [sample for sample in self.query("up") if sample["value"][1] == "1"]
        except OSError:
            return None

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def ringing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]}

    def end(self):
        self._process.end(30)


def panels():
    """(title, expression) of all queries of all dashboards."""
    folder = os.path.join(DASHBOARDS, "grafana")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for panel in json.load(file)["panels"]:
                for target in panel.get("targets", []):
                    yield panel["title"], target["expr"]


class Dashboards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("dashboards"), {host: {} for host in HOSTS})
        cls.addClassCleanup(cls.hospital.end)
        cls.prometheus = Prometheus(os.path.join(cls.hospital.folder, "prometheus"), cls.hospital)
        cls.addClassCleanup(cls.prometheus.end)
        cls.touch = cls.hospital.touch

    def ask_for_a_proof(self):
        """A real proof, of a bubble that nobody made: it says that it is not proven. The run's number."""
        with open(os.path.join(BUILD, "plugins", "bubble.so"), "rb") as file:
            bubble = file.read()
        self.hospital.upload("bubble", "plugin", bubble)
        kinds = ["tcp", "udp", "icmp", "dns", "ipv6"]
        prove = step("prove", {"bubble": "rh", "kinds_in": kinds, "kinds_out": kinds, "fresh": "10m"}, "read", "prove")
        return self.hospital.run_stages(stage("one", [HOSTS[:1]], [prove]),
                                        plugins=[{"name": "bubble", "version": "1.0.0", "sha256": b64(sha256(bubble))}])

    def test_every_panel_shows_something_of_a_hospital_at_work(self):
        # One run that ended, and one that waits at a gate: what the panels are about.
        done = self.hospital.run_stages(one_stage([HOSTS], self.touch("done")))
        self.hospital.wait_run(done, "succeeded")
        waits = self.hospital.run_stages(one_stage([HOSTS[:1], HOSTS[1:]], self.touch("canary"),
                                                   wave_gates={1: gate("sound")}))
        wait_for(lambda: self.hospital.show(waits)["gates"][0]["state"] == "GATE_STATE_READY", "the gate to be ready")
        self.hospital.wait_run(self.ask_for_a_proof(), "failed", "partial", "succeeded")

        def silent():
            return [(title, expression) for title, expression in panels() if not self.prometheus.query(expression)]
        self.assertGreater(len(list(panels())), 20)
        wait_for(lambda: not silent(), lambda: f"panels without data: {silent()}", seconds=30, every=1)
        self.hospital.call("AbortRun", run=waits, reason="seen")
        self.hospital.wait_run(waits, "aborted")

    def test_every_rule_is_sound_and_in_quiet_times_none_rings(self):
        def unsound():
            return [rule["name"] for rule in self.prometheus.rules() if rule["health"] != "ok"]
        wait_for(lambda: not unsound(), lambda: f"rules without health: {unsound()}", seconds=30, every=1)
        self.assertGreater(len(self.prometheus.rules()), 10)
        self.assertNotIn("RepriseCoordinatorDown", self.prometheus.ringing())
        self.assertNotIn("RepriseJournalNotWritable", self.prometheus.ringing())

    def test_what_people_must_hear_of_rings(self):
        run = self.hospital.run_stages(
            stage("one", [HOSTS[:2], HOSTS[2:]], [self.touch("breach", mode="fail")], wave_budget={"max_failures": 0}))
        self.hospital.wait_run(run, "paused")
        self.hospital.call("RaiseStop", reason="test")
        wanted = {"RepriseWaveBreached", "RepriseStopActive"}
        wait_for(lambda: wanted <= self.prometheus.ringing(), lambda: f"{wanted - self.prometheus.ringing()} to ring",
                 seconds=40, every=1)
        self.hospital.call("LiftStop", reason="over")
        wait_for(lambda: "RepriseStopActive" not in self.prometheus.ringing(), "the alarm to end", seconds=30, every=1)
        self.hospital.call("AbortRun", run=run, reason="seen")


if __name__ == "__main__":
    unittest.main()
