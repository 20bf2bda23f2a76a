"""Twelve mailboxes of HR-1 on an old server, a new one that they move to, and a look at both sides that is nobody's but Python's.

Used by the demonstration and by the integration test. The servers are two real Dovecots at the lab's router, each with IMAP over TLS only;
beside them a real clamd.
"""

import calendar
import concurrent.futures
import datetime
import glob
import hashlib
import imaplib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from mail_server import Authority, MailServer, User
from namespaces import wait_for
from running_site import ROOT

CANARY, BATCH = "lot-canary", "lot-1"
PEOPLE = {CANARY: ("solene.quibriac", "gwendal.trestard"),
          BATCH: ("aurelie.vandroux", "benoit.kerzoncuff", "clarisse.ouvrardeau", "damien.fossembas", "eloise.tarquenson", "fabrice.lhuzanne",
                  "ghislaine.morvezin", "hippolyte.dastroual", "ines.balquieret", "joachim.prunevaux")}
# Her new mailbox is smaller than what she has.
FULL, FULL_BYTES = "eloise.tarquenson", 30_000
# In the old mailbox of one a message lies that a scanner knows: the marker of our own signatures.
INFECTED, INFECTED_NUMBER, MARKER = "joachim.prunevaux", 7, "REPRISE-SIGNATURE-BASE-MARKER-0001"
OLD_PORT, NEW_PORT, SCANNER_PORT = 7993, 8993, 3310
FOLDERS = ("INBOX", "Sent", '"Archives/Ao&APs-t 2022"')
_BEGAN = 1_650_000_000


def address_of(person):
    return f"{person}@hr1.example"


def full_name(person):
    return person.replace(".", " ").title()


def message(person, number):
    """Eight bits, long lines, dots, an attachment now and then: all that must come over as it was."""
    head = (f"From: =?utf-8?q?Cadre_de_sant=C3=A9?= <cadre@hr1.example>\r\nTo: {address_of(person)}\r\nSubject: Planning {number}\r\n"
            f"Message-ID: <{number}.{person}@hr1.example>\r\nMIME-Version: 1.0\r\n")
    text = f"Relève n° {number}, service d'urgence\r\n.\r\n..deux points\r\nFrom la nuit\r\n" + "é" * (200 + number) + "\r\n"
    if (person, number) == (INFECTED, INFECTED_NUMBER):
        text += MARKER + "\r\n"
    if number % 5:
        return (head + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text).encode()
    part = "\r\n".join(["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5"] * 150)
    return (head + 'Content-Type: multipart/mixed; boundary="b-1"\r\n\r\n--b-1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' + text +
            f"--b-1\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{part}\r\n--b-1--\r\n").encode()


def flags_of(number):
    return [r"(\Seen)", r"(\Seen \Answered)", r"(\Flagged relu)", "()"][number % 4]


def append(imap, folder, person, number):
    date = datetime.datetime.fromtimestamp(_BEGAN + number * 7919, datetime.timezone(datetime.timedelta(hours=2)))
    said, why = imap.append(folder, flags_of(number), date, message(person, number))
    if said != "OK":
        raise AssertionError(f"the server does not take a message: {why}")


def _sorted(folders):
    return {name: sorted(messages) for name, messages in folders.items()}


class Scanner:
    """A real clamd with our own signatures, at the router too."""

    def __init__(self, folder, address, through):
        base = os.path.join(folder, "clamd")
        os.makedirs(base)
        shutil.copy(os.path.join(ROOT, "plugins", "edr", "signatures", "reprise.ndb"), base)
        self._config, self._through, self.address, self._process = os.path.join(folder, "clamd.conf"), through, address, None
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(f"TCPAddr {address}\nTCPSocket {SCANNER_PORT}\nDatabaseDirectory {base}\nTemporaryDirectory {folder}\nForeground yes\n"
                       "MaxThreads 4\nAlertExceedsMax yes\nUser root\n")

    def start(self):
        self._process = subprocess.Popen([*self._through, "/usr/sbin/clamd", f"--config-file={self._config}"], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._listens, "clamd to listen", 20)

    def _listens(self):
        try:
            socket.create_connection((self.address, SCANNER_PORT), 1).close()
            return True
        except OSError:
            return False

    def end(self):
        if self._process:
            self._process.kill()
            self._process.wait(10)


class MailHouse:
    """The servers; `wait` until people's mail is in the old one. `inside`: the lab's host at which the new one stands, instead of the router."""

    def __init__(self, lab, inside=None):
        # Dovecot's own users must come through: not below a folder of root's.
        self.folder = tempfile.mkdtemp(prefix="reprise-mail-")
        os.chmod(self.folder, 0o711)
        authority = Authority(os.path.join(self.folder, "ca"))
        router, through = lab.network.router, lab.at_router()
        everybody = [person for people in PEOPLE.values() for person in people]
        self.old = MailServer(os.path.join(self.folder, "old"), authority, {address_of(person): User("old") for person in everybody},
                              address=router, port=OLD_PORT, through=through)
        host = lab.host(inside) if inside else None
        self.new = MailServer(os.path.join(self.folder, "new"), authority, address=host.address if host else router, port=NEW_PORT,
                              through=host.beside() if host else through, connect=host.connect if host else socket.create_connection,
                              xoauth2=True,
                              users={address_of(person): User("new", FULL_BYTES if person == FULL else 0) for person in everybody})
        self.scanner = Scanner(self.folder, router, through)
        self._filling = None
        try:
            # Not by the thread that fills: what a thread starts at the router ends with it.
            for each in (self.old, self.new, self.scanner):
                each.start()
        except BaseException:
            self.end()
            raise
        self._filling = concurrent.futures.ThreadPoolExecutor(1).submit(self._fill_all)

    def wait(self):
        self._filling.result()

    def end(self):
        if self._filling:
            concurrent.futures.wait([self._filling])
        for each in (self.old, self.new, self.scanner):
            each.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fill_all(self):
        for people in PEOPLE.values():
            for person in people:
                self._fill(person)

    def _fill(self, person):
        imap = self.old.login(address_of(person))
        imap.create(FOLDERS[2])
        imap.subscribe(FOLDERS[2])
        for number in range(20):
            append(imap, FOLDERS[number % 7 % 3], person, number)
        imap.logout()

    # ---- people ----

    def something_new(self, person):
        """Somebody still works in the old mailbox: a message comes, one is read, one is thrown away."""
        imap = self.old.login(address_of(person))
        append(imap, "INBOX", person, 501)
        imap.select("INBOX")
        imap.store("1", "+FLAGS", r"(\Answered important)")
        imap.store("2", "+FLAGS", r"(\Deleted)")
        imap.expunge()
        imap.logout()

    def takes_mail(self, person):
        """Whether the old mailbox does, from its owner."""
        imap = self.old.login(address_of(person))
        said, _ = imap.append("INBOX", "()", time.time(), message(person, 999))
        imap.logout()
        return said == "OK"

    def more_quota(self):
        """What the report of the mail lead led to."""
        self.new.set_quota(address_of(FULL), 0)

    # ---- what is there ----

    def arrived(self, batch):
        """Messages in the new server's files."""
        return sum(len(glob.glob(f"{self.new.home(address_of(person))}/Maildir/{part}/*") +
                       glob.glob(f"{self.new.home(address_of(person))}/Maildir/.*/{part}/*"))
                   for person in PEOPLE[batch] for part in ("cur", "new"))

    @staticmethod
    def _look(server, person):
        """From folder to [(SHA-256 of the bytes, instant, flags)], in the order of the mailbox; folders without messages are left out."""
        imap, found = server.login(address_of(person)), {}
        for line in imap.list()[1]:
            if b"\\Noselect" in line or b"\\NonExistent" in line:
                continue
            name = line.decode().rpartition(' "/" ')[2]
            quoted = name if name.startswith('"') else f'"{name}"'
            count = int(imap.select(quoted, readonly=True)[1][0])
            if not count:
                continue
            messages = found[name.strip('"')] = []
            parts = imap.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
            for part, rest in zip(parts[::2], parts[1::2]):
                about = part[0] + b" " + rest
                date = datetime.datetime.strptime(re.search(rb'INTERNALDATE "([^"]+)"', about)[1].decode(), "%d-%b-%Y %H:%M:%S %z")
                flags = sorted(set(imaplib.ParseFlags(about)) - {rb"\Recent"})
                messages.append((hashlib.sha256(part[1]).hexdigest(), calendar.timegm(date.utctimetuple()), tuple(flags)))
            if len(messages) != count:
                raise AssertionError(f"{len(messages)} of {count} messages were read")
        imap.logout()
        return found

    def sides(self, person):
        return self._look(self.old, person), self._look(self.new, person)

    def equal(self, batches=tuple(PEOPLE)):
        """How many mailboxes are the same on both sides, the messages in them, who differs, and who has the same in another order. The infected
        message must be in the old one alone."""
        same, messages, differ, disordered = 0, 0, [], []
        infected = hashlib.sha256(message(INFECTED, INFECTED_NUMBER)).hexdigest()
        for person in (person for batch in batches for person in PEOPLE[batch]):
            old, new = self.sides(person)
            if person == INFECTED:
                here = [each for folder in old.values() for each in folder]
                old = {name: [each for each in folder if each[0] != infected] for name, folder in old.items()}
                if len(here) != sum(map(len, old.values())) + 1:
                    raise AssertionError("the infected message is not once in the old mailbox")
            if _sorted(old) != _sorted(new) or not old:
                differ.append(person)
                continue
            same, messages = same + 1, messages + sum(len(folder) for folder in old.values())
            if old != new:
                disordered.append(person)
        return same, messages, differ, disordered
