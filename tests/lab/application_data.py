#!/usr/bin/env python3
"""Makes the bases of the applications that are brought back, and dumps them as a hospital's backup would.

    tests/lab/application_data.py agiletime --out DIR                  # 3,800 staff, 885,400 planning rows
    tests/lab/application_data.py maincare --out DIR --patients 5000   # gam.dump, gef.dump, dpi.dump
    ... --format plain                                                 # pg_dump's plain text instead of its archive

The same arguments make the same rows. Everything is made up by arithmetic in bases/*.sql; no person is in it. Runs a
PostgreSQL of its own in a temporary folder, as the user postgres, and ends it. Needs root. Python's standard library only.
"""

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = "/usr/lib/postgresql/15/bin"
HERE = os.path.dirname(os.path.abspath(__file__))
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
# Application -> (name of the dump, base, script).
BASES = {
    "agiletime": (("agiletime", "agiletime", "agiletime.sql"),),
    "lis": (("lis", "lis", "lis.sql"),),
    "maincare": (("gam", "maincare_gam", "maincare_gam.sql"), ("gef", "maincare_gef", "maincare_gef.sql"),
                 ("dpi", "maincare_dpi", "maincare_dpi.sql")),
}


class ScratchCluster:
    """A PostgreSQL for a while: in a folder of its own, reached by its socket only, ended by its process id."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="reprise-cluster-")
        user = pwd.getpwnam("postgres")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.run("initdb", "--pgdata", f"{self.folder}/data", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres",
                 "--auth=peer", "--no-sync")
        self.log = open(f"{self.folder}/log", "wb")
        self.server = subprocess.Popen(
            [*AS_POSTGRES, f"{PROGRAMS}/postgres", "-D", f"{self.folder}/data", "-k", self.folder, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"],
            cwd="/", stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 60
        while self.client("pg_isready", "-q", check=False).returncode != 0:
            if time.monotonic() > until or self.server.poll() is not None:
                self.__exit__()
                raise SystemExit("application_data.py: PostgreSQL does not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.server.send_signal(2)  # SIGINT: it ends at once, in order.
        try:
            self.server.wait(60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *arguments, check=True, **more):
        return subprocess.run([*AS_POSTGRES, f"{PROGRAMS}/{program}", *arguments], cwd="/", check=check,
                              stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "PGTZ": "UTC", "LANG": "C.UTF-8"}, **more)

    def client(self, program, *arguments, **more):
        return self.run(program, "-h", self.folder, *arguments, **more)


def make(application, out, formats, variables):
    """Dumps of every base of the application, in `out`."""
    os.makedirs(out, exist_ok=True)
    with ScratchCluster() as cluster:
        for name, base, script in BASES[application]:
            cluster.client("createdb", base)
            settings = [word for key, value in variables.items() for word in ("-v", f"{key}={value}")]
            with open(os.path.join(HERE, "bases", script), "rb") as sql:
                cluster.client("psql", "-X", "-q", "-d", base, "-v", "ON_ERROR_STOP=1", *settings, "-f", "-", stdin=sql)
            for kind in formats:
                path = os.path.join(out, name + {"custom": ".dump", "plain": ".sql", "tar": ".tar"}[kind])
                making = f"{cluster.folder}/{name}.making"
                cluster.client("pg_dump", "--no-owner", "--no-privileges", f"--format={kind}", f"--file={making}", base)
                # Seen under its name only when it is whole.
                shutil.copyfile(making, path + ".making")
                os.replace(path + ".making", path)
                os.unlink(making)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("application", choices=sorted(BASES))
    parser.add_argument("--out", required=True, help="folder for the dumps")
    parser.add_argument("--format", action="append", choices=("custom", "plain", "tar"))
    parser.add_argument("--staff", type=int, default=3800)
    parser.add_argument("--days", type=int, default=233, help="from 1 January 2022")
    parser.add_argument("--patients", type=int, default=5000)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("application_data.py: needs root, to run PostgreSQL as its own user")
    make(asked.application, asked.out, asked.format or ["custom"],
         {"staff": asked.staff, "days": asked.days, "patients": asked.patients, "samples": asked.samples,
          "seed": asked.seed})


if __name__ == "__main__":
    main()
