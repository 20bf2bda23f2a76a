"""A real Dovecot 2.3 of one's own: on loopback, below one folder, with a throw-away CA, ended by its process id.

    authority = Authority(folder / "ca")
    with MailServer(folder / "old", authority, users={"a@hr1.example": User("secret")}) as server:
        imap = server.login("a@hr1.example")        # imaplib, certificate checked

The unit tests have the same in C++ (tests/unit/plugins/mail/dovecot.h), from the same templates (mail/*.in). Needs root:
Dovecot drops from it to its own users. Python's standard library, python3-cryptography, Debian's dovecot-imapd.
"""

import base64
import collections
import contextlib
import datetime
import hashlib
import hmac
import imaplib
import ipaddress
import json
import os
import pathlib
import pwd
import secrets
import signal
import socket
import ssl
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TEMPLATES = pathlib.Path(__file__).resolve().parent / "mail"
MASTER = "mover"
MAILDIR = "maildir:~/Maildir"
SDBOX = "sdbox:~/sdbox"

# quota: bytes, 0 for none.
User = collections.namedtuple("User", "password quota", defaults=(0,))


class Authority:
    """A certificate authority for one test. Certificates name an address and "localhost"."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Throw-away mail CA")
        self._certificate = (_certificate(self._name, self._name, self._key.public_key())
                             .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                             .sign(self._key, hashes.SHA256()))
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, certificate_file, key_file, address):
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]
        certificate = (_certificate(_name(address), self._name, key.public_key())
                       .add_extension(x509.SubjectAlternativeName(names), critical=False)
                       .sign(self._key, hashes.SHA256()))
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_private(key_file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                   serialization.NoEncryption()))


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, issuer, public_key):
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30)))


def _write_private(path, content):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def free_port(address):
    with socket.socket() as taken:
        taken.bind((address, 0))
        return taken.getsockname()[1]


class _Imap(imaplib.IMAP4_SSL):
    """Over a connection that is made by `connect`."""

    def __init__(self, connect, host, port, context):
        self._reach = connect
        super().__init__(host, port, ssl_context=context)

    def _create_socket(self, timeout):
        return self.ssl_context.wrap_socket(self._reach((self.host, self.port), timeout), server_hostname=self.host)


class MailServer:
    """`storage`: MAILDIR or SDBOX. `fields` replace what the template's other places say; `more` is added at its end."""

    def __init__(self, folder, authority, users, address="127.0.0.1", port=None, storage=MAILDIR, separator="/", xoauth2=False,
                 fields=None, more="", through=(), connect=socket.create_connection):
        self.folder, self.authority, self.users = pathlib.Path(folder), authority, dict(users)
        self.address, self.port = address, port or free_port(address)
        self.master_password, self.token_key = secrets.token_hex(12), secrets.token_bytes(32)
        self._through, self._connect, self._process, self._written = list(through), connect, None, 0
        self.fields = {
            "NAME": "mail" + str(self.port), "FOLDER": str(self.folder), "ADDRESS": address, "PORT": str(self.port),
            "MAIL_LOCATION": storage, "SEPARATOR": separator, "PREFIX": "", "MECHANISMS": "plain login" + (" xoauth2" if xoauth2 else ""),
            "SENT": "Sent", "DRAFTS": "Drafts", "TRASH": "Trash", "CONNECTIONS_MAX": "50", "CAPABILITY": "", "MESSAGE_MAX": "50M",
            "ISSUER": "https://login.example", "MORE": more, **(fields or {})}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def home(self, user):
        return self.folder / "homes" / user

    def start(self, seconds=20):
        self._write()
        self._process = subprocess.Popen([*self._through, "/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + seconds
        while not self._greets():
            if self._process.poll() is not None:
                raise RuntimeError("dovecot: " + self._process.stderr.read().decode(errors="replace"))
            if time.monotonic() > until:
                self.end()
                raise RuntimeError(f"dovecot does not answer on {self.address}:{self.port}: see {self.folder}/dovecot.log")
            time.sleep(0.02)

    def end(self):
        """Ends it as an operator would. A session in the middle of something outlives it by half a minute: not here."""
        if self._process is None:
            return
        pid = self._master()
        children = children_of(pid) if pid else []
        if pid:
            os.kill(pid, signal.SIGTERM)
        self._close()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def kill(self):
        """At once, with all its children: as when the machine loses its power."""
        pid = self._master()
        os.kill(pid, signal.SIGSTOP)  # Or it would make new ones meanwhile, which keep the port.
        for child in [*children_of(pid), pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._close()
        while self._greets():
            time.sleep(0.01)
        (self.folder / "run/master.pid").unlink(missing_ok=True)

    def _close(self):
        self._process.stderr.close()
        self._process.wait(timeout=20)
        self._process = None

    def _master(self):
        try:
            return int((self.folder / "run/master.pid").read_text())
        except (OSError, ValueError):
            return 0

    def token(self, user, seconds=300, **claims):
        """A JWT that this server takes for `user`."""
        now = int(time.time())
        body = {"iss": self.fields["ISSUER"], "sub": user, "email": user, "iat": now - 5, "nbf": now - 5, "exp": now + seconds, **claims}
        signed = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + "." + _base64url(json.dumps(body).encode())
        return signed + "." + _base64url(hmac.new(self.token_key, signed.encode(), hashlib.sha256).digest())

    def set_quota(self, user, quota):
        """While it runs; it counts from the user's next session on."""
        self.add({user: self.users[user]._replace(quota=quota)})

    def add(self, users):
        """More of them, or others, while it runs."""
        self.users.update(users)
        self._write_users()
        time.sleep(1.1)  # It looks at its list of users once a second.

    def login(self, user):
        """An independent client, as the master user on behalf of `user`."""
        imap = _Imap(self._connect, self.address, self.port, ssl.create_default_context(cafile=self.authority.file))
        imap.login(f"{user}*{MASTER}", self.master_password)
        return imap

    def _greets(self):
        try:
            with self._connect((self.address, self.port), timeout=1) as link:
                context = ssl.create_default_context(cafile=self.authority.file)
                with context.wrap_socket(link, server_hostname=self.address) as tls:
                    return tls.recv(4) == b"* OK"
        except OSError:
            return False

    def _write(self):
        mail = pwd.getpwnam("mail")
        for name in ("tls", "keys/default/HS256", "run", "homes"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o755)
        os.chown(self.folder / "homes", mail.pw_uid, mail.pw_gid)
        if not (self.folder / "tls/server.key").exists():
            self.authority.issue(self.folder / "tls/server.pem", self.folder / "tls/server.key", self.address)
        (self.folder / "keys/default/HS256/default").write_text(base64.b64encode(self.token_key).decode())
        self._write_users()
        _write_readable(self.folder / "masters", f"{MASTER}:{self.master_password}\n")
        for name in ("dovecot.conf", "oauth2.conf"):
            text = (TEMPLATES / (name + ".in")).read_text()
            for place, value in self.fields.items():
                text = text.replace(f"@{place}@", value)
            (self.folder / name).write_text(text)

    def _write_users(self):
        lines = [f"{name}:{user.password}::::{self.home(name)}::"
                 + (f"userdb_quota_rule=*:bytes={user.quota}" if user.quota else "") + "\n" for name, user in self.users.items()]
        # Dovecot reads it again when it is of another second.
        self._written = max(self._written + 1, int(time.time()))
        _write_readable(self.folder / "users", "".join(lines), self._written)


def _write_readable(path, text, second=None):
    made = path.with_name(path.name + ".new")
    made.write_text(text)
    # Dovecot's auth process reads it as its own user.
    os.chown(made, 0, pwd.getpwnam("dovecot").pw_gid)
    os.chmod(made, 0o640)
    if second:
        os.utime(made, (second, second))
    made.replace(path)


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def children_of(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    return found
