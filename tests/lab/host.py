"""A lab host: namespaces of its own, a root of its own, runit as its process 1, a real agent as one of its services."""

import os
import subprocess

from namespaces import PATH, LabError, call, connected_in, descend, enter, identity, lives, name_of, wait_for
from roots import Layer

_HERE = os.path.dirname(os.path.abspath(__file__))
STATE = "/var/lib/reprise-agent"
AGENT_LOG = "/var/log/reprise-agent.log"


class Host:
    """On or off. `record` is what the lab's state file keeps of it: name, number, init ([id, start time] or None)."""

    def __init__(self, lab, record):
        self._lab, self.record = lab, record
        self.name, self.number = record["name"], record["number"]
        self.layer = Layer(lab.keeper, lab.disk, self.name)

    @property
    def gateway(self):
        """The name of the host behind which it stands; None: it has a cable to the router."""
        return self.record.get("behind")

    @property
    def address(self):
        return self._lab.network.address(self.number, self.gateway is not None)

    @property
    def address6(self):
        """Where the lab speaks IPv6."""
        return self._lab.network.address6(self.number, self.gateway is not None)

    @property
    def pid(self):
        """Of its process 1, as this machine counts."""
        if not self.is_on():
            raise LabError(f"{self.name} is off; turn it on first (tests/lab/lab on {self.name})")
        return self.record["init"][0]

    def is_on(self):
        return lives(self.record["init"])

    def on(self):
        if self.is_on():
            return
        log = os.path.join(self._lab.folder, f"{self.name}.console")
        with open(log, "ab") as console:
            starter = subprocess.Popen(
                [*enter(self._lab.keeper, "mount", "pid"), "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork",
                 "--kill-child=SIGKILL", "--propagation=private", "--", os.path.join(_HERE, "boot.sh"), self.name,
                 self.layer.base, self.layer.upper, self.layer.work, self.layer.root, self._lab.binaries],
                stdin=subprocess.PIPE, stdout=console, stderr=console, start_new_session=True)
        # nsenter, then unshare, then process 1.
        init = descend(starter.pid, 2, f"the first process of {self.name}; see {log}")
        self.record["init"] = identity(init)
        self._lab.starters.append(starter)
        self._lab.save()
        self._plug_in(init)
        starter.stdin.write(b"go\n")
        starter.stdin.close()
        wait_for(lambda: name_of(init) == "runsvdir" or not self.is_on(), f"runit on {self.name}; see {log}")
        if not self.is_on():
            raise LabError(f"{self.name} did not start; see {log}")

    def _plug_in(self, init):
        network = self._lab.network
        if self.gateway:
            return network.plug_behind(self._lab.host(self.gateway).pid, self.number, init)
        network.plug_in(self.number, init)
        if self._lab.six:
            network.plug_in_six(self.number, init)
        if self._is_gateway():
            network.make_gateway(self.number, init)
            # Their cables went with its former life.
            for host in self._lab.behind(self.name):
                if host.is_on():
                    network.plug_behind(init, host.number, host.pid)
        return None

    def _is_gateway(self):
        return self.record.get("is_gateway", False)

    def off(self):
        """As a pulled plug: every process is gone at once, the disk stays as it is."""
        if self.is_on():
            os.kill(self.record["init"][0], 9)
        wait_for(lambda: not self.is_on(), f"{self.name} to be off")
        # Its end of the cable goes with its namespace; a new one is laid when it is turned on again.
        cable = self._lab.network.cable(self.number)
        if not self.gateway:
            wait_for(lambda: cable not in self._lab.network.cables(), f"the cable of {self.name} to be gone")
        self.record["init"] = None
        self._lab.save()

    # ---- in it ----

    def _inside(self, words):
        return [*enter(self.pid, "mount", "uts", "ipc", "net", "pid"), "env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8",
                *words]

    def run(self, *words, seconds=60):
        """What it said; LabError when it fails."""
        return call(self._inside(words), f"{self.name}: {words[0]}", seconds=seconds, cwd="/")

    def attempt(self, *words, seconds=60):
        """Exit code and all it said."""
        done = subprocess.run(self._inside(words), capture_output=True, text=True, timeout=seconds, errors="replace",
                              stdin=subprocess.DEVNULL, cwd="/", check=False)
        return done.returncode, done.stdout + done.stderr

    def start(self, *words):
        """A program beside; it ends by itself, or with its host."""
        return subprocess.Popen(self._inside(words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def beside(self):
        """The words that run a program of this machine's in its network. It ends when the one who starts it does."""
        return [*enter(self.pid, "net"), "setpriv", "--pdeathsig", "KILL"]

    def connect(self, address, timeout=None):
        """A connection as its own programs make them."""
        return connected_in(self.pid, address, timeout)

    def take_in(self, folder, path):
        """Copies a folder of this machine's onto its disk."""
        pack = subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.run("mkdir", "-p", path)
        unpacked = subprocess.run(self._inside(["tar", "-C", path, "-x", "--no-same-owner"]), stdin=pack.stdout, check=False,
                                  capture_output=True, text=True, timeout=120)
        pack.stdout.close()
        if pack.wait(10) != 0 or unpacked.returncode != 0:
            raise LabError(f"{self.name}: {path} was not filled: {unpacked.stderr.strip()}")

    def attach(self, words):
        """With this terminal; the exit code."""
        return subprocess.call(self._inside(words), cwd="/")

    def installed(self, package):
        code, said = self.attempt("dpkg-query", "-W", "-f", "${db:Status-Status}", package)
        return code == 0 and said == "installed"

    # ---- its agent ----

    def join(self, coordinator, code):
        """Enrols it with a join code; `coordinator`: HOST:PORT of the join port."""
        return self.run("/opt/reprise/bin/reprise-agent", "join", "--coordinator", coordinator, "--code", code, "--state", STATE)

    def agent_pid(self):
        """As this machine counts; None: no agent runs."""
        for process in self._lab.processes_of(self):
            if process.name == "reprise-agent":
                return process.pid
        return None

    def kill_agent(self):
        """SIGKILL; runit starts it again. The id that was killed."""
        pid = wait_for(self.agent_pid, f"an agent on {self.name}")
        os.kill(pid, 9)
        return pid

    def agent_log(self):
        return self.run("cat", AGENT_LOG)

    # ---- faults ----

    def cut(self):
        self._lab.network.cut(self.number)

    def mend(self):
        self._lab.network.mend(self.number)

    def break_dpkg(self):
        """Its package database is garbage from now on, as after a crash or an encryption that was stopped."""
        self.run("sh", "-c", "cp -n /var/lib/dpkg/status /var/lib/dpkg/status-lab-whole && "
                 "head -c 4096 /dev/urandom | base64 > /var/lib/dpkg/status")

    def mend_dpkg(self):
        self.run("mv", "/var/lib/dpkg/status-lab-whole", "/var/lib/dpkg/status")

    def fill_disk(self):
        """Until not a byte more goes in."""
        if self.record["disk_mb"] is None:
            raise LabError(f"{self.name} shares the lab's disk; give it one of its own (--disk {self.name}=64) to fill")
        self.attempt("sh", "-c", "cat /dev/zero > /var/filler")

    def empty_disk(self):
        self.run("rm", "-f", "/var/filler")
