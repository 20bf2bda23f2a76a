"""Backups made by the programs that make them: PostgreSQL's pg_dump, restic, borg, gpg. What is started is ended here."""

import os
import shutil
import subprocess
import tempfile

PASSWORD = "corpus-password"


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **options)


class Postgres:
    """A server of its own, without a port, for as long as it is needed."""

    def __init__(self):
        folder = shutil.which("initdb") or "/usr/lib/postgresql/15/bin/initdb"
        self.bin = os.path.dirname(os.path.realpath(folder))
        self.home = tempfile.mkdtemp(prefix="corpus-pg-")
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.home, self.user)

    def as_user(self, *command):
        # PostgreSQL refuses to run as root.
        before = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        return before + [os.path.join(self.bin, command[0]), *command[1:]]

    def __enter__(self):
        data = os.path.join(self.home, "data")
        run(self.as_user("initdb", "-D", data, "-A", "trust", "-U", "corpus", "-N", "--no-locale", "-E", "UTF8"), cwd=self.home)
        run(self.as_user("pg_ctl", "-D", data, "-w", "-l", os.path.join(self.home, "log"), "-o", f"-c listen_addresses= -k {self.home} -F", "start"),
            cwd=self.home)
        return self

    def __exit__(self, *failure):
        run(self.as_user("pg_ctl", "-D", os.path.join(self.home, "data"), "-m", "immediate", "stop"), cwd=self.home)
        shutil.rmtree(self.home)

    def fill(self, rows):
        lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        script = ("CREATE TABLE planning (id int PRIMARY KEY, matricule int, service text, jour date, poste text, heures int);\n"
                  "CREATE TABLE vide (id int);\nCREATE VIEW nuits AS SELECT * FROM planning WHERE poste = 'nuit';\n"
                  "SELECT lo_from_bytea(0, convert_to(repeat('lettre ', 400), 'UTF8')) FROM generate_series(1, 3);\n"
                  f"COPY planning FROM stdin;\n{lines}\\.\n")
        run(["psql", "-q", "-h", self.home, "-U", "corpus", "-d", "postgres", "-v", "ON_ERROR_STOP=1"], input=script.encode())

    def dump(self, *options):
        return run(["pg_dump", "-h", self.home, "-U", "corpus", "postgres", *options]).stdout

    def dump_folder(self, path):
        run(["pg_dump", "-h", self.home, "-U", "corpus", "postgres", "-Fd", "-f", path])


def restic(folder, contents, scratch):
    """Two snapshots."""
    environment = dict(os.environ, RESTIC_PASSWORD=PASSWORD, RESTIC_CACHE_DIR=os.path.join(scratch, "cache"))
    run(["restic", "-q", "-r", folder, "init"], env=environment)
    for content in contents:
        run(["restic", "-q", "-r", folder, "backup", content], env=environment)


def borg(folder, contents, scratch, encrypted=False):
    environment = dict(os.environ, BORG_PASSPHRASE=PASSWORD, BORG_BASE_DIR=os.path.join(scratch, "borg"),
                       BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes", BORG_RELOCATED_REPO_ACCESS_IS_OK="yes")
    run(["borg", "init", "-e", "repokey" if encrypted else "none", folder], env=environment)
    for number, content in enumerate(contents):
        run(["borg", "create", f"{folder}::s{number}", content], env=environment)


def gpg(content, scratch):
    home = os.path.join(scratch, "gpg")
    os.makedirs(home, mode=0o700, exist_ok=True)
    try:
        return run(["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", PASSWORD,
                    "--symmetric", "--cipher-algo", "AES256", "-o", "-"], input=content).stdout
    finally:
        run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"])
