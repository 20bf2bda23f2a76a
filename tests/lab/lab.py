"""A lab: hosts made of namespaces, all below one keeper process, remembered in a state file.

Nothing of it is mounted where this machine sees it, and one kill of the keeper ends all of it; the state file says whom to
kill after a crash. Several labs can exist: each has its own folder and its own subnet.
"""

import collections
import json
import os
import shutil
import signal
import subprocess
import uuid

from host import Host
from namespaces import LabError, all_below, descend, identity, lives, name_of, wait_for
from network import Network
from roots import make_base

_HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.realpath(os.environ.get("REPRISE_BUILD") or os.path.join(_HERE, os.pardir, os.pardir, "build"))
DISK_MB = 3072

Process = collections.namedtuple("Process", "pid name")


def why_impossible():
    """Why no lab can be made here, in one line; "" when one can."""
    if os.geteuid() != 0:
        return "making namespaces needs root"
    for tool in ("unshare", "nsenter", "ip", "nft", "runsvdir", "mount", "pivot_root", "sysctl"):
        if not shutil.which(tool):
            return f"{tool} is not installed; run cmake/install-packages"
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--propagation=private", "mount", "-t", "tmpfs",
                            "probe", "/mnt"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if tried.returncode != 0:
        return f"this machine lets even root make no namespaces or mounts: {tried.stderr.strip()}"
    return ""


class Lab:
    def __init__(self, folder, state):
        self.folder, self._state = folder, state
        self.starters, self._leash = [], None
        self.network = Network(self.keeper, state["subnet"]) if state.get("subnet") else None
        self.hosts = {record["name"]: Host(self, record) for record in state["hosts"]}

    # ---- its life ----

    @classmethod
    def up(cls, names, folder=None, follow=True, disks=None, binaries=None, behind=None):
        """A new lab with these hosts, all on. `follow`: it ends with this process, however that ends. `disks`: from a host
        to the megabytes of a disk of its own. `folder`: a new one; by default below the build folder. `behind`: from a host
        to the gateway, an earlier one, behind which it stands."""
        reason = why_impossible()
        if reason:
            raise LabError(f"no lab can be made here: {reason}")
        folder = os.path.abspath(folder or os.path.join(BUILD, "lab", uuid.uuid4().hex[:8]))
        os.makedirs(os.path.join(folder, "disk"))
        lab = cls(folder, {"keeper": None, "subnet": 0, "hosts": [], "binaries": binaries or os.path.join(BUILD, "bin")})
        try:
            lab._start_keeper(follow)
            lab.network = Network.make(lab.keeper)
            lab._state["subnet"] = lab.network.subnet
            lab.save()
            make_base(lab.keeper, lab.disk, lab.binaries)
            if behind:
                lab.network.speak_six()
                lab._state.update(six=True, gateways=sorted(set(behind.values())))
            for name in names:
                lab.add(name, (disks or {}).get(name), (behind or {}).get(name))
        except BaseException:
            lab.down()
            raise
        return lab

    @classmethod
    def load(cls, folder):
        try:
            with open(os.path.join(folder, "lab.json"), encoding="utf-8") as file:
                return cls(os.path.abspath(folder), json.load(file))
        except FileNotFoundError:
            raise LabError(f"{folder} holds no lab (no lab.json)") from None

    def save(self):
        path = os.path.join(self.folder, "lab.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self._state, file, indent=1)
        os.replace(path + ".new", path)

    def _start_keeper(self, follow):
        with open(os.path.join(self.folder, "keeper.log"), "ab") as log:
            starter = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation=private", "--",
                 shutil.which("python3"), "-B", os.path.join(_HERE, "keeper.py"), self.folder, str(DISK_MB),
                 "FOLLOW" if follow else "STAY"],
                stdin=subprocess.PIPE if follow else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True)
        self.starters.append(starter)
        self._leash = starter.stdin  # Closed by the kernel when this process ends.
        self._state["keeper"] = identity(descend(starter.pid, 1, "the lab's keeper"))
        self.save()
        if starter.stdout.readline() != b"ready\n":
            raise LabError(f"the lab's keeper did not start; see {log.name}")
        starter.stdout.close()

    def down(self):
        """Ends it all, also when it is half made or half gone; twice does no harm."""
        if self._leash:
            self._leash.close()
            self._leash = None
        if lives(self._state["keeper"]):
            os.kill(self._state["keeper"][0], signal.SIGKILL)
        wait_for(lambda: not lives(self._state["keeper"]), "the lab's keeper to end")
        for starter in self.starters:
            starter.wait(10)
            if starter.stdin:
                starter.stdin.close()
        wait_for(lambda: not any(lives(host["init"]) for host in self._state["hosts"]), "the lab's hosts to end")
        if self.network:
            self.network.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_up(self):
        return lives(self._state["keeper"])

    # ---- its parts ----

    @property
    def keeper(self):
        return self._state["keeper"][0] if self._state["keeper"] else 0

    @property
    def six(self):
        """Whether IPv6 is spoken."""
        return self._state.get("six", False)

    def behind(self, gateway):
        """The hosts that stand behind it."""
        return [host for host in self.hosts.values() if host.gateway == gateway]

    @property
    def disk(self):
        return os.path.join(self.folder, "disk")

    @property
    def binaries(self):
        return self._state["binaries"]

    def add(self, name, megabytes=None, behind=None):
        """One more host, on."""
        record = {"name": name, "number": len(self._state["hosts"]), "init": None, "disk_mb": megabytes, "behind": behind,
                  "is_gateway": name in self._state.get("gateways", [])}
        host = Host(self, record)
        host.layer.make(megabytes)
        self._state["hosts"].append(record)
        self.hosts[name] = host
        host.on()
        return host

    def host(self, name):
        if name not in self.hosts:
            raise LabError(f"there is no host {name} in this lab; it has {', '.join(self.hosts)}")
        return self.hosts[name]

    def at_router(self, *words):
        """The words that run a program at the router's address, with this machine's files: the coordinator's place.
        It ends when the one who starts it does."""
        return ["nsenter", f"--net=/proc/{self.keeper}/ns/net", "setpriv", "--pdeathsig", "KILL", *words]

    def processes_of(self, host):
        """What runs on it, process 1 first; ids as this machine counts. Orphans fall to process 1, so nothing is missed."""
        return [Process(pid, name_of(pid)) for pid in (host.pid, *all_below(host.pid))]
