"""A small hospital: a real coordinator, real agents on loopback, people with keys. What a test here starts with.

Agents reach the coordinator through a cable of their own (wire.py), and each has a disk of its own, a folder. Effects
are counted by the mock plugin's witness file, which no process of the project reads.
"""

import json
import os
import subprocess

import processes
from orders import OrderTaker
from people import Keyring, Person, Plan, b64, host_statement, sha256, stage, step
from processes import Process, program, wait_for
from wire import Wire

OPERATORS = "reprise.operators.v1.OperatorService/"
_CHUNK = 256 << 10


class Refused(Exception):
    """The coordinator's answer was not OK; `code` is gRPC's."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


# gRPC's codes that the tests speak of.
INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION = 3, 5, 7, 9
UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = 12, 14, 16


class Coordinator:
    """The process over its data folder. Started again, it listens where it did before.

    `address`: where it listens; `through`: from a command to one that runs it elsewhere (in a lab's network)."""

    def __init__(self, folder, log, started, address="127.0.0.1", through=list):
        self.folder, self._log, self._started, self._process = folder, log, started, None
        self.address, self._through = address, through
        self.port = self.web_port = self.join_port = 0

    def start(self, clock_ahead=0, descriptors=0):
        port_file = self.folder + ".ports"
        if os.path.exists(port_file):
            os.remove(port_file)
        command = [program("reprise-coordinator"), "--data", self.folder, "--port-file", port_file,
                   "--listen", f"{self.address}:{self.port}", "--web-listen", f"{self.address}:{self.web_port}",
                   "--join-listen", f"{self.address}:{self.join_port}"]
        if descriptors:
            command = ["prlimit", f"--nofile={descriptors}:{descriptors}", *command]
        self._process = Process(self._through(command), self._log, environment=processes.late(clock_ahead))
        wait_for(lambda: os.path.exists(port_file) or not self._process.runs(), "a coordinator's port file")
        if not self._process.runs():
            raise AssertionError(f"the coordinator did not start:\n{self._process.said()[-2000:]}")
        with open(port_file, encoding="utf-8") as file:
            ports = json.load(file)
        self.port, self.web_port, self.join_port = ports["port"], ports["web_port"], ports["join_port"]
        self._started()

    @property
    def pid(self):
        return self._process.pid

    def runs(self):
        return self._process is not None and self._process.runs()

    def kill(self):
        self._process.kill()

    def end(self):
        if self.runs():
            code = self._process.end()
            if code != 0:
                raise AssertionError(f"the coordinator ended with {code}:\n{self._process.said()[-2000:]}")


class Agent:
    def __init__(self, hospital, host):
        self._hospital, self.host = hospital, host
        self.folder = os.path.join(hospital.folder, "hosts", host)
        self.state, self.disk = os.path.join(self.folder, "agent"), os.path.join(self.folder, "disk")
        os.makedirs(self.disk)
        self.wire = Wire(hospital.coordinator.port)
        self._process = None

    def identity(self):
        """What it speaks with now, as `Hospital.certify` gives it."""
        identity = {}
        for key, name in (("certificate", "agent.crt"), ("key", "agent.key"), ("ca", "ca.crt")):
            with open(os.path.join(self.state, name), encoding="utf-8") as file:
                identity[key] = file.read()
        return identity

    def join(self, code, clock_ahead=0):
        """What `reprise-agent join` gave: exit code and what it said."""
        done = subprocess.run([program("reprise-agent"), "join", "--coordinator",
                               f"127.0.0.1:{self._hospital.coordinator.join_port}", "--code", code,
                               "--connect", f"127.0.0.1:{self.wire.port}", "--state", self.state],
                              capture_output=True, text=True, timeout=30,
                              env={**os.environ, **processes.late(clock_ahead)})
        return done.returncode, done.stdout + done.stderr

    def run(self, clock_ahead=0):
        self._process = Process([program("reprise-agent"), "run", "--state", self.state],
                                os.path.join(self.folder, "agent.log"), environment=processes.late(clock_ahead))

    def runs(self):
        return self._process is not None and self._process.runs()

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        self._process.kill()

    def end(self):
        if self.runs():
            self._process.end()

    def file(self, name):
        return os.path.join(self.disk, name)

    def read(self, name):
        """A file's content; None: it is not there."""
        try:
            with open(self.file(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def plugin_hosts(self):
        """Ids of the processes in which its actions run."""
        return [pid for pid in processes.children_of(self.pid) if processes.name_of(pid).startswith("reprise-plugin")]


class Hospital:
    def __init__(self, folder, hosts, protected=(), start_agents=True, address="127.0.0.1", through=list):
        self.folder = folder
        self.desk = OrderTaker("operator_desk", os.path.join(folder, "desk.log"))
        people = os.path.join(folder, "people")
        os.mkdir(people)
        self.alice = Person(people, "alice", ["admin", "operator", "approver"])
        self.bob = Person(people, "bob", ["operator", "approver"])
        self.carol = Person(people, "carol", ["approver"])
        self.people = {person.name: person for person in (self.alice, self.bob, self.carol)}
        self.keyring = Keyring(list(self.people.values()), protected)
        self.data = os.path.join(folder, "coordinator")
        self.ca_fingerprint = self.desk.tell(
            "found", folder=self.data, founder="alice", keyring=self.keyring.chain[0],
            config={"site": "test", "listen": f"{address}:0", "web_listen": f"{address}:0",
                    "join_listen": f"{address}:0", "names": [address]})["ca_fingerprint"]
        self.identities = {name: self.certify(operator=name) for name in self.people}
        self.coordinator = Coordinator(self.data, os.path.join(folder, "coordinator.log"),
                                       lambda: self.desk.tell("hang_up"), address, through)
        self.coordinator.start()
        self.agents, self._serials = {}, {}
        with open(os.path.join(processes.BUILD, "plugins", "mock.so"), "rb") as file:
            self.mock = file.read()
        self.upload("mock", "plugin", self.mock)
        self.declare(hosts)
        if start_agents:
            self.enrol(list(hosts))
            self.wait_connected(list(hosts))

    def end(self):
        for agent in self.agents.values():
            agent.end()
        self.coordinator.end()
        for agent in self.agents.values():
            agent.wire.end()
        self.desk.end()

    # ---- people's calls ----

    def certify(self, **who):
        made = self.desk.tell("certify", folder=self.data, **who)
        return {key: made[key] for key in ("certificate", "key", "ca")}

    def call_as(self, identity, method, *requests, seconds=20):
        """All responses of any method; `identity` as `certify` gives it."""
        answer = self.desk.tell("call", patience=seconds + 10, seconds=seconds, address=f"{self.coordinator.address}:{self.coordinator.port}",
                                method=method, requests=list(requests), **identity)
        if answer["code"] != 0:
            raise Refused(answer["code"], answer["message"])
        return answer["responses"]

    def call(self, method, who="alice", seconds=20, **request):
        """The one response to an operator's call."""
        return self.call_as(self.identities[who], OPERATORS + method, request, seconds=seconds)[0]

    def upload(self, name, kind, content, who="alice"):
        info = {"sha256": b64(sha256(content)), "size": len(content), "name": name, "kind": kind, "version": "1.0.0"}
        if kind == "plugin":
            info["signature"] = {"minisig": self.people[who].sign(content)}
        parts = [{"data": b64(content[i:i + _CHUNK])} for i in range(0, len(content), _CHUNK)]
        return self.call_as(self.identities[who], OPERATORS + "UploadBlob", {"info": info}, *parts)

    def events(self, run=0):
        """The journal, as the coordinator tells it: [(sequence, kind, content)]."""
        records = self.call_as(self.identities["alice"], OPERATORS + "ReadJournal", {"from": 1, "run": run})
        told = []
        for record in records:
            event = record["event"]
            kind = next(key for key in event if key not in ("at_ms", "actor"))
            told.append((int(record["sequence"]), kind, event[kind]))
        return told

    def verify_journal(self, path=None):
        return self.desk.tell("verify", patience=60, journal=path or os.path.join(self.data, "journal.db"))

    # ---- hosts ----

    def declare(self, hosts):
        """`hosts`: from a name to what differs from a dirty workstation."""
        self.call("ImportInventory", source="test", hosts=[
            {"name": name, "zone": "ZONE_DIRTY", "asset_class": "ASSET_CLASS_WORKSTATION",
             "trust": "TRUST_STATE_UNKNOWN", "agent_expected": True, **more} for name, more in hosts.items()])
        self.hosts = dict(hosts)

    def tokens(self, hosts, **more):
        issued = self.call("IssueTokens", hosts=hosts, **more)["tokens"]
        return {token["host"]: token["join_code"] for token in issued}

    def enrol(self, hosts, admit=True):
        codes = self.tokens(hosts)
        for host in hosts:
            agent = self.agents[host] = Agent(self, host)
            wait_for(lambda: self._join_port_is_open(), "an open join port")
            code, said = agent.join(codes[host])
            if code != 0:
                raise AssertionError(f"{host} did not join: {said}")
            agent.run()
        if admit:
            self.state_hosts(hosts)

    def _join_port_is_open(self):
        import socket
        try:
            socket.create_connection(("127.0.0.1", self.coordinator.join_port), 1).close()
            return True
        except OSError:
            return False

    def state_hosts(self, hosts, **what):
        """Alice signs what is decided about the hosts."""
        statements = []
        for host in hosts:
            self._serials[host] = self._serials.get(host, 0) + 1
            asset_class = self.hosts[host].get("asset_class", "ASSET_CLASS_WORKSTATION")
            statements.append(host_statement(host, self._serials[host], self.alice, **{
                "asset_class": asset_class[len("ASSET_CLASS_"):].lower(), **what}))
        self.call("RecordHostStatements", statements=statements)

    def connected(self):
        return {host["name"] for host in self.call("ListHosts")["hosts"] if host["connected"]}

    def wait_connected(self, hosts=None, seconds=20):
        wanted = set(self.agents if hosts is None else hosts)
        wait_for(lambda: wanted <= self.connected(), lambda: f"{wanted - self.connected()} to connect", seconds)

    # ---- runs ----

    def touch(self, name, retries=0, **faults):
        """A step that keeps the file `name` on each host's disk, counted by the witness under the same name."""
        more = {key: faults.pop(key) for key in ("timeout_ms", "on_failure", "backoff_ms", "tokens", "undoable",
                                                 "attempts_max") if key in faults}

        def params(host):
            return {"state_file": self.agents[host].file(name), "witness": self.witness_file, "tag": name,
                    **{key: value(host) if callable(value) else value for key, value in faults.items()}}
        return step(name, params, retries=retries, **more)

    def plan(self, stages, requester=None, **more):
        return Plan(self.desk.encode, sha256(self.mock), requester or self.bob, stages, **more)

    def start(self, plan, signers=("alice",), who="bob"):
        """Submits, signs and starts; the run's number."""
        self.call("SubmitPlan", who=plan.header["requester"], bundle=plan.bundle())
        for name in signers:
            self.call("SignPlan", who=name, plan_id=plan.id,
                      signature={"minisig": self.people[name].sign(plan.statement())})
        return self.call("StartRun", who=who, plan_id=plan.id)["id"]

    def run_stages(self, *stages, **more):
        return self.start(self.plan(list(stages), **more))

    def show(self, run, targets=True):
        return self.call("GetRun", run=run, targets=targets)

    def wait_run(self, run, *states, seconds=60):
        """The run, once it is in one of these states ("succeeded", …)."""
        wanted = {f"RUN_STATE_{state.upper()}" for state in states}

        def look():
            view = self.show(run)
            return view if view["state"] in wanted else None
        return wait_for(look, lambda: f"run {run} to be {states}; it is {self.outline(run)}", seconds, every=0.05)

    def outline(self, run):
        view = self.show(run)
        return (view["state"], view["pause_reason"],
                [(t["host"], t["stage"], t["step"], t["state"], t["code"], t["reason"]) for t in view["targets"]])

    def targets(self, run):
        """From (host, stage) to its target's view."""
        return {(target["host"], target["stage"]): target for target in self.show(run)["targets"]}

    def states(self, run, stage_name="one"):
        """From a host to its target's state in a stage, in short."""
        return {host: view["state"][len("TARGET_STATE_"):].lower()
                for (host, name), view in self.targets(run).items() if name == stage_name}

    def decide(self, plan, run, name, who):
        return self.call("SignGate", who=who, statement=plan.decision(name, run, self.people[who]))

    # ---- the witness ----

    @property
    def witness_file(self):
        return os.path.join(self.folder, "witness")

    def witness(self, tag=None):
        """Effects that happened: [(host, attempt, tag)]."""
        try:
            with open(self.witness_file, encoding="utf-8") as file:
                lines = [line.split() for line in file]
        except FileNotFoundError:
            return []
        return [(host, int(attempt), seen) for host, attempt, _, seen in lines if tag in (None, seen)]

    def effects_of(self, tag):
        """From a host to how often it was touched under that name."""
        counts = {}
        for host, _, _ in self.witness(tag):
            counts[host] = counts.get(host, 0) + 1
        return counts


def one_stage(waves, *steps, **more):
    return stage("one", waves, list(steps), **more)
