"""A site as people run it: a coordinator process and the `reprise` command line in the hands of several persons.

Nothing here speaks to the coordinator but through that command line.
"""

import json
import os
import shutil
import socket
import subprocess

from namespaces import LabError, wait_for

_HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.realpath(os.path.join(_HERE, os.pardir, os.pardir))

OK, REFUSED, CHANGES_PENDING, PARTIAL = 0, 4, 3, 6


def free_ports(address, count):
    held = [socket.create_server((address, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Site:
    """`through`: from a command to one that runs it at the coordinator's address. `tell`: gets what people typed and saw."""

    def __init__(self, folder, build, address, through, tell, ports=None):
        self.folder, self.build, self.address, self.root = folder, build, address, ROOT
        self._through, self._tell, self._process = through, tell, None
        self.data = os.path.join(folder, "coordinator")
        self.log = os.path.join(folder, "coordinator.log")
        self.port, self.web_port, self.join_port = ports or free_ports(address, 3)
        os.makedirs(os.path.join(folder, "people"))

    # ---- people ----

    def profile(self, who):
        return os.path.join(self.folder, "people", who)

    def reprise(self, who, *words, codes=(OK,), seconds=60, show=False):
        """What the command said; with `show`, told as it was typed. LabError when it ends otherwise than with `codes`."""
        command = [os.path.join(self.build, "bin", "reprise"), "--profile", self.profile(who), "--yes", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, errors="replace",
                              stdin=subprocess.DEVNULL, check=False, cwd=ROOT)
        if show:
            self._tell(who, words, done.stdout + done.stderr)
        if done.returncode not in codes:
            raise LabError(f"{who}: reprise {' '.join(words)} ended with {done.returncode}:\n{done.stderr or done.stdout}")
        return done.stdout

    def ask(self, who, *words, **more):
        """The same, as an object."""
        return json.loads(self.reprise(who, *words, "-o", "json", **more))

    # ---- its beginning ----

    def found(self):
        endpoint = f"{self.address}:{{}}"
        self.reprise("alice", "init", "--data", self.data, "--site", "hr1-mini", "--operator", "alice", "--name", self.address,
                     "--listen", endpoint.format(self.port), "--web-listen", endpoint.format(self.web_port),
                     "--join-listen", endpoint.format(self.join_port), "--no-password", show=True)
        self.start()
        # A new site gives its admin every role; the others get theirs from her.
        for name, roles in (("bob", "operator"), ("carol", "approver")):
            self.reprise("alice", "key", "add", name, "--roles", roles, "--new-profile", self.profile(name), "--no-password",
                         show=True)

    def publish(self, plugins, artifacts):
        # Copies: a signature lies beside the file that it signs, and another site's may lie beside the build's.
        copies = os.path.join(self.folder, "plugins")
        os.makedirs(copies)
        for name in plugins:
            library = shutil.copy(os.path.join(self.build, "plugins", f"{name}.so"), copies)
            self.reprise("alice", "plugin", "sign", library, show=True)
            self.reprise("alice", "plugin", "add", library, show=True)
        if artifacts:
            self.reprise("alice", "artifact", "add", *artifacts, show=True)

    # ---- the coordinator ----

    def start(self):
        log = open(self.log, "ab")
        try:
            self._process = subprocess.Popen(
                self._through([os.path.join(self.build, "bin", "reprise-coordinator"), "--data", self.data]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        finally:
            log.close()
        wait_for(lambda: self._listens() or self._process.poll() is not None, f"the coordinator to listen; see {self.log}")
        if self._process.poll() is not None:
            raise LabError(f"the coordinator did not start; see {self.log}")

    def _listens(self):
        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        """SIGKILL, as a power cut would."""
        self._process.kill()
        self._process.wait(10)
        return self._process.pid

    def end(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    # ---- runs ----

    def plan(self, who, workflow, *settings):
        """Compiled and submitted; its name, and how many must sign it."""
        words = ["plan", os.path.join("examples", "hr1-mini"), "--workflow", workflow, "--submit"]
        for setting in settings:
            words += ["-p", setting]
        made = self.ask(who, *words, codes=(CHANGES_PENDING, OK))
        return made["plan"], made["signatures_needed"]

    def newest_run(self):
        return max(run["id"] for run in self.ask("bob", "run", "ls")["runs"])

    def run(self, number):
        return self.ask("bob", "run", "show", str(number))

    def wait_run(self, number, states, seconds):
        def look():
            view = self.run(number)
            return view if view["state"] in states else None
        return wait_for(look, lambda: self.outline(number, states), seconds, every=0.2)

    def outline(self, number, states):
        view = self.run(number)
        targets = [f"{t['host']} {t['stage']} {t['state']} {t['code']} {t['reason']}" for t in view["targets"]]
        return f"run {number} to be {' or '.join(states)}; it is {view['state']} {view['pause_reason']}\n" + "\n".join(targets)

    def targets(self, number, stage):
        """From a host to its target in a stage."""
        return {target["host"]: target for target in self.run(number)["targets"] if target["stage"] == stage}

    def gate(self, number, name):
        return next(gate for gate in self.run(number)["gates"] if gate["name"] == name)
