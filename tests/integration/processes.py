"""Scratch folders, processes and waiting, for every test here.

A module that does `from processes import setUpModule, tearDownModule` is held to leave nothing: no process that it (or
what it started) began, no namespace, no mount, no folder.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

BUILD = os.environ.get("REPRISE_BUILD") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "build")
BUILD = os.path.realpath(BUILD)
BIN = os.path.join(BUILD, "bin")
PLUGINS = os.path.join(BUILD, "plugins")

# Inherited by what is started here, unless it wipes its environment; then its arguments name the scratch folder.
_MARK = "REPRISE_TEST_MARK"
_module = {}
_orphans = ("mock-orphan", "mock-deaf")


def program(name):
    path = os.path.join(BIN, name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: build it first")
    return path


def wait_for(condition, what, seconds=20.0, every=0.02):
    """What `condition` gives once it is true. Fails with `what`, a text or a function that makes one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def late(seconds):
    """Environment of a program whose wall clock shall be that much ahead (late_clock.c)."""
    if seconds == 0:
        return {}
    return {"LD_PRELOAD": os.path.join(BUILD, "tests", "late_clock.so"), "LATE_CLOCK_SECONDS": str(seconds)}


def scratch(name):
    """A new folder of the running module; removed with all that is in it at its end."""
    return tempfile.mkdtemp(prefix=f"{name}-", dir=_module["scratch"])


class Process:
    """A child of this test with its output in a file. Ended by its own id, never by a name."""

    def __init__(self, arguments, log, **options):
        self.log_path = log
        self._log = open(log, "ab")
        self._child = subprocess.Popen(arguments, stdout=options.pop("stdout", self._log), stderr=self._log,
                                       stdin=options.pop("stdin", subprocess.DEVNULL), start_new_session=True,
                                       env={**os.environ, **options.pop("environment", {})}, **options)
        self.pid = self._child.pid
        self.stdin, self.stdout = self._child.stdin, self._child.stdout
        _module["children"].append(self)

    def runs(self):
        return self._child.poll() is None

    def signal(self, number):
        if self.runs():
            self._child.send_signal(number)

    def kill(self):
        """As a power cut would: SIGKILL."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def end(self, seconds=10):
        """SIGTERM; its exit code. Killed when it does not listen."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self._child.args[0]} did not end within {seconds} s of SIGTERM; see {self.log_path}")

    def wait(self, seconds=10):
        code = self._child.wait(seconds)
        self._log.close()
        return code

    def said(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


def children_of(pid):
    """Ids of all processes below `pid`."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            parent = _parent(int(entry))
            parents.setdefault(parent, []).append(int(entry))
    found, look = [], [pid]
    while look:
        below = parents.get(look.pop(), [])
        found += below
        look += below
    return found


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return -1


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _left_over():
    """Processes of this module that still run, as "id name"."""
    mark, folder = _module["mark"].encode(), _module["scratch"].encode()
    left = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        pid = int(entry)
        state = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1]
        if not state or state[0] in (b"Z", b"X"):
            continue
        ours = mark in _read(f"/proc/{pid}/environ") or folder in _read(f"/proc/{pid}/cmdline")
        if ours or (name_of(pid) in _orphans and pid not in _module["orphans"]):
            left.append(f"{pid} {name_of(pid)}")
    return left


def _namespaces():
    found = set()
    for folder in ("/run/netns", "/var/run/netns"):
        if os.path.isdir(folder):
            found.update(os.listdir(folder))
    return found


def _mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return {line.split()[4] for line in mounts}


def setUpModule():
    _module.update(mark=str(uuid.uuid4()), children=[], scratch=tempfile.mkdtemp(prefix="reprise-test-"),
                   namespaces=_namespaces(), mounts=_mounts(),
                   orphans={int(e) for e in os.listdir("/proc") if e.isdigit() and name_of(int(e)) in _orphans})
    os.environ[_MARK] = _module["mark"]


def tearDownModule():
    for child in _module["children"]:
        if child.runs():
            child.kill()
    try:
        wait_for(lambda: not _left_over(), lambda: f"processes left behind: {_left_over()}", seconds=10)
        ours = os.path.basename(_module["scratch"])
        mounts = [path for path in _mounts() - _module["mounts"] if ours in path]
        if mounts:
            raise AssertionError(f"mounts left behind: {mounts}")
        left = [name for name in _namespaces() - _module["namespaces"] if name in _module.get("made_namespaces", ())]
        if left:
            raise AssertionError(f"namespaces left behind: {left}")
    finally:
        for entry in _left_over():
            os.kill(int(entry.split()[0]), signal.SIGKILL)
        if not os.environ.get("REPRISE_KEEP_SCRATCH"):
            shutil.rmtree(_module["scratch"], ignore_errors=True)
