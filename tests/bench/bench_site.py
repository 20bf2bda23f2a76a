"""What the measurements share: a site with many enrolled hosts, fleets of simulated agents on it, the bare server."""

import http.client
import json
import os
import resource
import socket
import sqlite3
import ssl
import statistics
import subprocess
import time

from hospital import Hospital
from people import stage, step
from processes import Process, program, wait_for

median = statistics.median


class Lines:
    """A child that takes and gives one JSON object a line. It gives up by itself when nothing moves."""

    def __init__(self, arguments, log):
        self._process = Process(arguments, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid

    def read(self):
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"a helper ended; it said: {self._process.said()[-1000:]}")
        return json.loads(line)

    def ask(self, order):
        self._process.stdin.write((json.dumps(order) + "\n").encode())
        self._process.stdin.flush()
        return self.read()

    def end(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def run_program(name, *arguments):
    """What a program of the project said as JSON."""
    done = subprocess.run([program(name), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{name}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout else {}


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) * 1024


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Site:
    """A coordinator that knows `hosts` workstations, all of them enrolled and admitted; none connected."""

    def __init__(self, folder, hosts):
        self.folder = folder
        self.hospital = Hospital(folder, {}, start_agents=False)
        self.data = self.hospital.data
        self.identities = os.path.join(folder, "identities")
        self.hosts = [f"ws-{i:05}" for i in range(1, hosts + 1)]
        coordinator = self.hospital.coordinator
        coordinator.end()
        run_program("bench-fleet", "enrol", "--data", self.data, "--operator", "alice", "--key",
                    self.hospital.alice.secret, "--hosts", hosts, "--identities", self.identities)
        coordinator.start()

    def end(self):
        self.hospital.end()

    @property
    def pid(self):
        return self.hospital.coordinator.pid

    def fleet(self, hosts, port=None):
        """Connects that many agents; they are `connected` when this returns."""
        port = port or self.hospital.coordinator.port
        fleet = Lines([program("bench-fleet"), "drive", "--address", f"127.0.0.1:{port}", "--identities",
                       self.identities, "--hosts", str(hosts)], os.path.join(self.folder, "fleet.log"))
        fleet.greeting = fleet.read()
        if fleet.greeting["connected"] != hosts:
            raise AssertionError(f"{hosts} agents were to connect; {fleet.greeting} did")
        return fleet

    def bare(self, name):
        bare = Lines([program("bench-fleet"), "serve", "--data", self.data, "--journal",
                      os.path.join(self.folder, f"{name}.db")], os.path.join(self.folder, "bare.log"))
        bare.port = bare.read()["port"]
        return bare

    def work(self, fleet, hosts, steps, in_flight):
        """A run over the first `hosts`: `in_flight` stages side by side, each with so many steps. The fleet's report."""
        hospital = self.hospital
        stages = [stage(f"s{i}", [self.hosts[:hosts]], [step(f"step-{k}", {"mode": "ok"}, timeout_ms=120000)
                                                        for k in range(steps)], unreachable_after_ms=60000)
                  for i in range(in_flight)]
        plan = hospital.plan(stages, limits={"per_host_max": in_flight})
        hospital.call("SubmitPlan", who="bob", bundle=plan.bundle(), seconds=60)
        hospital.call("SignPlan", plan_id=plan.id, signature={"minisig": hospital.alice.sign(plan.statement())})
        fleet.ask({"round_trips": hosts * steps * in_flight})
        began, cpu = self.last_event(), cpu_seconds(self.pid)
        run = hospital.call("StartRun", who="bob", plan_id=plan.id, seconds=60)["id"]
        report = fleet.read()
        report["cpu_s"] = cpu_seconds(self.pid) - cpu
        report["journal_bytes"] = self.journalled(began) / max(report["round_trips"], 1)
        wait_for(lambda: hospital.call("GetRun", run=run)["state"] == "RUN_STATE_SUCCEEDED",
                 lambda: f"run {run} to succeed: {report}", 30)
        return report

    def work_bare(self, bare, fleet, hosts, steps, in_flight, like, durable):
        """The same from the bare server, with messages and rows of the sizes in `like`."""
        fleet.ask({"round_trips": hosts * steps * in_flight})
        cpu = cpu_seconds(bare.pid)
        bare.ask({"hosts": hosts, "tasks_per_host": steps * in_flight, "in_flight": in_flight, "durable": durable,
                  "task_bytes": like["task_bytes"], "first_task_bytes": like["first_task_bytes"],
                  "journal_bytes": int(like["journal_bytes"])})
        report = fleet.read()
        report["cpu_s"] = cpu_seconds(bare.pid) - cpu
        return report

    def _journal(self, query, *values):
        database = sqlite3.connect(f"file:{self.data}/journal.db?mode=ro", uri=True)
        try:
            return database.execute(query, values).fetchone()[0] or 0
        finally:
            database.close()

    def last_event(self):
        return self._journal("SELECT max(sequence) FROM event")

    def journalled(self, after):
        return self._journal("SELECT sum(length(payload) + length(hash)) FROM event WHERE sequence > ?", after)

    def series(self):
        """How many series /metrics has now."""
        time.sleep(0.6)  # What it tells may be half a second old.
        context = ssl.create_default_context(cafile=os.path.join(self.data, "ca.crt"))
        plain = socket.create_connection(("127.0.0.1", self.hospital.coordinator.web_port), 10)
        connection = http.client.HTTPConnection("reprise-coordinator")
        connection.sock = context.wrap_socket(plain, server_hostname="reprise-coordinator")
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return sum(1 for line in text.splitlines() if line and not line.startswith("#"))


def raise_limits():
    """Thousands of descriptors: inherited by what is started here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def rate(report):
    return report["round_trips"] / report["seconds"] if report["seconds"] else 0


