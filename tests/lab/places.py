"""Where a demonstration takes place: in a lab of real hosts, or, where none can be made, with plain agents on loopback.

Both have the same hosts by the same names, and count effects where nothing of the project does.
"""

import os

from first_weeks import BEHIND, PLUGINS, SERVERS
from lab import BUILD, Lab
from mail_house import MailHouse
from mail_move import MOVER
from monitoring_servers import SERVERS as MONITORING_SERVERS
from namespaces import children_of
from plain_host import PlainHost
from weeks_data import BackupDisk

HOSTS = ("ws-admissions-1", "ws-admissions-2", "ws-emergency-1", "ws-emergency-2", "ws-pharmacy-1", "ws-pharmacy-2",
         "ws-maternity-1", "adm-1")
DEVICE = "monitor-icu-1"


class LabPlace:
    """Namespaces, overlay roots, runit; ClamAV is really installed."""

    title = "eight hosts and a medical device, each with its own network, disk and supervisor"
    workflow, settings, plugins, claim = "edr-campaign", (), ("host", "package", "edr", "sanitize", "mail", *PLUGINS), "edr.protected"

    def __init__(self, folder):
        self.disk = BackupDisk(os.path.join(folder, "backup-disk"))
        self.disk.begin()
        self.lab = Lab.up([*HOSTS, DEVICE, *SERVERS, *MONITORING_SERVERS, MOVER], folder=folder, behind=BEHIND)
        self.folder, self.address = self.lab.folder, self.lab.network.router
        self.hosts = {name: self.lab.host(name) for name in HOSTS}
        self.device = self.lab.host(DEVICE)
        self.ports = (7443, 7444, 7445)
        self.mail = MailHouse(self.lab)

    def through(self, words):
        return self.lab.at_router(*words)

    def break_host(self, name):
        self.hosts[name].break_dpkg()

    def effects(self, name):
        """How often dpkg, by its own log, brought the scanner's installation to its end on that host."""
        try:
            with open(self.lab.host(name).layer.path("var/log/dpkg.log"), encoding="utf-8") as log:
                return sum(" status installed clamav-daemon:" in line for line in log)
        except FileNotFoundError:  # Nothing was ever installed there.
            return 0

    def protected(self, name):
        """Asked without Reprise: does the daemon there find the test virus?"""
        eicar = "".join(("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"))
        host = self.lab.host(name)
        code, said = host.attempt("sh", "-c", "printf '%s' \"$1\" > /tmp/probe && clamdscan --fdpass --no-summary /tmp/probe; "
                                  "code=$?; rm -f /tmp/probe; exit $code", "sh", eicar)
        return code == 1 and "FOUND" in said

    def at_work(self):
        """Hosts on which a plugin's process runs."""
        return [name for name, host in self.hosts.items() if host.is_on() and
                any(process.name.startswith("reprise-plugin") for process in self.lab.processes_of(host))]

    def logs(self):
        return {f"{name}.agent.log": host.agent_log() for name, host in self.hosts.items() if host.is_on()}

    def drill(self):
        """A workflow that keeps hosts busy for long, and its settings."""
        return "hunt", ()

    def explore(self):
        return [f"tests/lab/lab --lab {self.lab.folder} status",
                f"tests/lab/lab --lab {self.lab.folder} exec ws-pharmacy-1 clamdscan --version"]

    def end(self):
        self.disk.end()
        self.mail.end()
        self.lab.down()


class PlainPlace:
    """Agents as plain processes; the mock plugin stands in for the sensor."""

    title = "eight agents as plain processes on loopback; the mock plugin stands in for the sensor"
    plugins, claim = ("mock",), "mock.state"
    workflow = "rehearsal"

    def __init__(self, folder):
        self.folder, self.address, self.ports, self.device = folder, "127.0.0.1", None, None
        os.makedirs(folder)
        self.disks, self._witness = os.path.join(folder, "disks"), os.path.join(folder, "witness")
        self.settings = (f"folder={self.disks}", f"witness={self._witness}")
        self.hosts = {name: PlainHost(name, os.path.join(folder, "hosts", name), os.path.join(BUILD, "bin")) for name in HOSTS}
        for name in HOSTS:
            os.makedirs(os.path.join(self.disks, name))

    def through(self, words):
        return ["setpriv", "--pdeathsig", "KILL", *words]

    def break_host(self, name):
        # Its disk is a file: nothing can be kept in it.
        os.rmdir(os.path.join(self.disks, name))
        with open(os.path.join(self.disks, name), "w", encoding="utf-8"):
            pass

    def effects(self, name):
        """Lines of the mock's witness that stand for a file that is there."""
        try:
            with open(self._witness, encoding="utf-8") as witness:
                lines = [line for line in witness if line.split()[0] == name]
        except FileNotFoundError:
            return 0
        return len(lines) if self.protected(name) else 0

    def protected(self, name):
        return os.path.isfile(os.path.join(self.disks, name, "protected"))

    def logs(self):
        return {f"{name}.agent.log": host.agent_log() for name, host in self.hosts.items() if host.is_on()}

    def drill(self):
        return "drill", (f"folder={self.disks}",)

    def at_work(self):
        return [name for name, host in self.hosts.items() if host.is_on() and children_of(host.agent_pid())]

    def explore(self):
        return [f"ls {self.disks}/*"]

    def end(self):
        for host in self.hosts.values():
            host.end()
