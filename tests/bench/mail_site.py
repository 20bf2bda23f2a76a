"""Mailboxes by the thousand between two real Dovecots, and two programs that copy them: ours, and mbsync."""

import email.utils
import glob
import json
import os
import pwd
import random
import shutil
import subprocess
import sys
import tempfile
import time

from processes import program

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from mail_server import MASTER, Authority, MailServer, User  # noqa: E402

BEGAN = 1_600_000_000
SENT_SHARE = 5  # Every fifth message is in "Sent", the others in the inbox.


def body(rng, number, words):
    """Most mails are short; some carry a picture or a document. LF: as a Maildir keeps them."""
    kind = number % 100
    size = 250_000 if kind == 50 else 30_000 if kind % 12 == 5 else rng.randrange(1500, 6000)
    head = (f"From: Service {number % 40} <service{number % 40}@hr1.example>\nTo: <someone@hr1.example>\n"
            f"Subject: Planning {number}\nDate: {email.utils.formatdate(BEGAN + number * 60)}\nMessage-ID: <{number}.{rng.random()}@hr1.example>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n")
    at = rng.randrange(len(words) - 80)
    lines = [words[(at + i * 80) % (len(words) - 80):][:76] for i in range((size - len(head)) // 77 + 1)]
    return (head + "\n".join(lines) + "\n").encode()


class MailSite:
    """An old and a new server. Mailboxes are written into the old one's Maildirs, as delivered long ago."""

    def __init__(self, users):
        # In memory where it can be: it is not the disk that is measured (TMPDIR chooses one). Dovecot's own users must come through.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") and "TMPDIR" not in os.environ else None
        self.folder = tempfile.mkdtemp(prefix="reprise-bench-mail-", dir=memory)
        os.chmod(self.folder, 0o711)
        authority = Authority(os.path.join(self.folder, "ca"))
        old, new = users
        self.old = MailServer(os.path.join(self.folder, "old"), authority, {user: User("x") for user in old})
        self.new = MailServer(os.path.join(self.folder, "new"), authority, {user: User("x") for user in new})
        try:
            for side, server in (("old", self.old), ("new", self.new)):
                server.start()
                self._private(f"{side}.password", server.master_password + "\n")
        except BaseException:
            self.end()
            raise

    def end(self):
        self.old.end()
        self.new.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _private(self, name, text):
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return path

    # ---- what is there ----

    def fill(self, user, messages, small=False):
        """`small`: none with an attachment. Then asked once for what each program asks first, so that no index is made on anybody's time."""
        rng = random.Random(user)
        words = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz éà.,") for _ in range(20_000))
        home = self.old.home(user) / "Maildir"
        for folder in ("", ".Sent"):
            for part in ("new", "cur", "tmp"):
                (home / folder / part).mkdir(parents=True, exist_ok=True)
        for number in range(messages):
            content = body(rng, 0 if small else number, words)
            lines = content.count(b"\n")
            name = f"{BEGAN + number}.M{number}.bench,S={len(content)},W={len(content) + lines}:2,{'S' if number % 3 else ''}"
            path = home / (".Sent" if number % SENT_SHARE == 4 else "") / "cur" / name
            path.write_bytes(content)
            os.utime(path, (BEGAN + number * 60,) * 2)
        mail = pwd.getpwnam("mail")
        subprocess.run(["chown", "-R", f"{mail.pw_uid}:{mail.pw_gid}", str(self.old.home(user))], check=True)
        imap = self.old.login(user)
        for folder in ("INBOX", "Sent"):
            imap.select(folder, readonly=True)
            imap.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")
        imap.logout()

    def copied(self, user):
        """Messages in the new server's files."""
        return len(glob.glob(f"{self.new.home(user)}/Maildir/cur/*") + glob.glob(f"{self.new.home(user)}/Maildir/new/*")
                   + glob.glob(f"{self.new.home(user)}/Maildir/.*/cur/*") + glob.glob(f"{self.new.home(user)}/Maildir/.*/new/*"))

    def forget(self, users):
        for user in users:
            shutil.rmtree(self.new.home(user), ignore_errors=True)

    # ---- ours ----

    def request(self, name, pairs, connections):
        """The request that the plugin's host would give the action: a file."""
        lines = "".join(f"{old},{old},{new},bench\n" for old, new in pairs)
        roster = self._private(f"{name}.csv", "mailbox,source_user,target_user,batch\n" + lines)
        profiles = {}
        for side, server in (("old", self.old), ("new", self.new)):
            profile = {"host": server.address, "port": server.port, "ca_file": str(server.authority.file), "auth": "plain",
                       "login": "{user}*" + MASTER, "password_file": self.path(f"{side}.password"), "limits": {"connections": 64}}
            profiles[side] = self._private(f"{side}.profile.json", json.dumps(profile))
        work = self.path(f"{name}.work")
        os.makedirs(work, exist_ok=True)
        params = {"roster": roster, "batch": "bench", "source": profiles["old"], "target": profiles["new"], "connections": connections,
                  "state": self.path(f"{name}.state"), "failures_max": "0", "deletions": "follow", "fold_case": False, "sample": 0, "read": 1}
        return self._private(f"{name}.json", json.dumps({"verb": "apply", "host": "bench", "work_dir": work, "params": params}))

    @staticmethod
    def ours(verb, request, *more):
        """Seconds of the whole process, and what it said."""
        began = time.perf_counter()
        done = subprocess.run([program("bench-mail"), verb, request, *map(str, more)], capture_output=True, text=True, check=False)
        took = time.perf_counter() - began
        if done.returncode != 0:
            raise AssertionError(f"bench-mail {verb}: {done.stderr[:1000]}")
        return took, json.loads(done.stdout)

    # ---- mbsync ----

    def _account(self, name, server, user):
        return (f"IMAPAccount {name}\nHost {server.address}\nPort {server.port}\nUser {user}*{MASTER}\nPass {server.master_password}\n"
                f"AuthMechs PLAIN\nSSLType IMAPS\nCertificateFile {server.authority.file}\n\nIMAPStore {name}\nAccount {name}\n\n")

    def mbsync(self, name, pairs, processes):
        """Seconds of all its processes together, which share the mailboxes out among themselves."""
        configs = []
        for share in range(min(processes, len(pairs))):
            text = ""
            for number, (old, new) in enumerate(pairs[share::processes]):
                state = self.path(f"{name}-{share}-{number}.sync")
                os.makedirs(state)
                text += self._account(f"old{number}", self.old, old) + self._account(f"new{number}", self.new, new)
                text += (f"Channel box{number}\nFar :old{number}:\nNear :new{number}:\nPatterns *\nCreate Near\nSync PullNew\nExpunge None\n"
                         f"CopyArrivalDate yes\nSyncState {state}/\n\n")
            configs.append(self._private(f"{name}-{share}.mbsyncrc", text))
        began = time.perf_counter()
        running = [subprocess.Popen(["mbsync", "-q", "-c", config, "-a"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin", "HOME": self.folder}) for config in configs]
        said = [each.communicate()[1] for each in running]
        took = time.perf_counter() - began
        if any(each.returncode != 0 for each in running):
            raise AssertionError(f"mbsync: {' '.join(said)[:1000]}")
        return took
