"""Starting programs in the lab's namespaces, and proving afterwards whose a process id is.

A process is named by its id and its start time together: an id alone may meanwhile be somebody else's.
"""

import ctypes
import os
import socket
import subprocess
import threading
import time

_NETWORK = 0x40000000  # CLONE_NEWNET, which Python names from 3.12 on.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """What went wrong, in words for people."""


def wait_for(condition, what, seconds=15.0, every=0.02):
    """What `condition` gives once it is true. Fails with `what`, a text or a function that makes one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()
    except OSError:
        return None


def birth_of(pid):
    """Its start time in ticks since boot; None: there is no such process, or it is dead and only unburied."""
    fields = _stat(pid)
    return None if not fields or fields[0] in (b"Z", b"X") else int(fields[19])


def lives(process):
    """`process`: [id, start time], as `identity` gives it; one that was dead already then does not live."""
    return bool(process) and process[1] is not None and birth_of(process[0]) == process[1]


def identity(pid):
    return [pid, birth_of(pid)]


def children_of(pid):
    """Ids of the processes whose parent it is."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(entry)
            if fields and int(fields[1]) == pid:
                found.append(int(entry))
    return found


def all_below(pid):
    """Ids of all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(entry)
            if fields and fields[0] not in (b"Z", b"X"):
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, look = [], [pid]
    while look:
        below = children.get(look.pop(), [])
        found += below
        look += below
    return found


def name_of(pid):
    """The program's name, of which the kernel keeps 15 letters; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def descend(pid, levels, what):
    """The one process that many levels below `pid`, once it is there."""
    for _ in range(levels):
        below = wait_for(lambda at=pid: children_of(at), what, every=0.005)
        pid = below[0]
    return pid


def enter(pid, *kinds):
    """The words that put a command into namespaces of a process; `kinds`: "net", "mount", "pid", "uts", "ipc"."""
    return ["nsenter", f"--target={pid}", *(f"--{kind}" for kind in kinds), "--"]


def connected_in(pid, address, timeout=None):
    """A TCP connection made in the network namespace of a process."""
    made = []

    def connect():
        # A namespace is a thread's: this one ends in it.
        with open(f"/proc/{pid}/ns/net", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _NETWORK) != 0:
                made.append(OSError(ctypes.get_errno(), "setns"))
                return
        try:
            made.append(socket.create_connection(address, timeout))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def call(arguments, what, seconds=60, **options):
    """Runs it to its end; what it said. LabError with its own words when it fails."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=seconds, errors="replace",
                              stdin=subprocess.DEVNULL, **options)
    except FileNotFoundError as missing:
        raise LabError(f"{what}: {missing.filename} is not installed; run cmake/install-packages") from missing
    except subprocess.TimeoutExpired as late:
        raise LabError(f"{what}: not within {seconds} s") from late
    if done.returncode != 0:
        raise LabError(f"{what}: {(done.stderr or done.stdout).strip() or f'exit code {done.returncode}'}")
    return done.stdout
