"""A stand-in for a lab host where no lab can be made: a real agent as a plain process on loopback, with a folder for its
files. It has no network, root or supervisor of its own: only plugins that keep to that folder make sense on it."""

import os
import signal
import subprocess

from namespaces import call, wait_for


class PlainHost:
    def __init__(self, name, folder, binaries):
        self.name, self.folder, self._binaries, self._agent = name, folder, binaries, None
        self.state = os.path.join(folder, "agent")
        os.makedirs(folder)

    def is_on(self):
        return self._agent is not None and self._agent.poll() is None

    def join(self, coordinator, code):
        said = call([os.path.join(self._binaries, "reprise-agent"), "join", "--coordinator", coordinator, "--code", code, "--state",
                     self.state], f"{self.name} joining")
        self.on()
        return said

    def on(self):
        """Its agent, which ends when this process does."""
        with open(os.path.join(self.folder, "agent.log"), "ab") as log:
            self._agent = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", os.path.join(self._binaries, "reprise-agent"), "run",
                                            "--state", self.state], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def off(self):
        if self.is_on():
            self._agent.kill()
            self._agent.wait(10)

    def end(self):
        if self.is_on():
            self._agent.send_signal(signal.SIGTERM)
            try:
                self._agent.wait(10)
            except subprocess.TimeoutExpired:
                self.off()

    def agent_pid(self):
        return self._agent.pid if self.is_on() else None

    def kill_agent(self):
        """SIGKILL, and a new one: here nobody supervises it. The id that was killed."""
        pid = wait_for(self.agent_pid, f"an agent on {self.name}")
        self.off()
        self.on()
        return pid

    def agent_log(self):
        with open(os.path.join(self.folder, "agent.log"), encoding="utf-8", errors="replace") as log:
            return log.read()
