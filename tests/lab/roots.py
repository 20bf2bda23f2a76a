"""The hosts' disks: overlays over this machine's own files, whose differences lie on the lab's tmpfs.

    /  (this machine, never written)  <  base (made once per lab: no scanner, no services)  <  one layer per host

All of it is mounted inside the keeper's mount namespace: this machine sees none of it, and it is gone with the keeper.
A layer outlives its host's being off.
"""

import os

from namespaces import PATH, LabError, call, enter

# Purged from the base layer, so that a campaign that installs them really does.
PURGED = ("clamav", "clamav-daemon", "clamav-freshclam", "clamav-base", "clamav-testfiles", "clamdscan", "clamav-milter",
          "libclamav12", "libclamav11", "libclamav9", "libclamav-dev")

_BASE_SCRIPT = r"""
set -eu
disk=$1; binaries=$2; shift 2
mkdir -p "$disk/base/upper" "$disk/base/work" "$disk/base/root"
mount -t overlay lab-base -o "lowerdir=/,upperdir=$disk/base/upper,workdir=$disk/base/work" "$disk/base/root"
cd "$disk/base/root"
mkdir -p proc sys dev run tmp opt/reprise/bin etc/service etc/sv var/log
mount -t proc proc proc
mount -t tmpfs -o mode=755 dev dev
for device in null zero random urandom; do : >"dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
# dpkg starts no services: runit does.
rm -f var/lib/man-db/auto-update  # An index of manuals at each package costs seconds.
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
: >etc/resolv.conf
present=$(chroot . dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n '/not-installed$/!s/ .*//p')
[ -z "$present" ] || DEBIAN_FRONTEND=noninteractive chroot . dpkg --purge --force-depends $present >"$disk/base/purge.log" 2>&1 ||
  { cat "$disk/base/purge.log" >&2; exit 1; }
: >var/log/dpkg.log
rm -rf etc/clamav var/lib/clamav var/log/clamav var/cache/apt/archives/*.deb
# Nothing of this machine's own services.
find etc/service/ -mindepth 1 -maxdepth 1 -exec rm -rf {} +
mkdir -p etc/sv/reprise-agent
cat >etc/sv/reprise-agent/run <<'RUN'
#!/bin/sh
# Waits until `reprise-agent join` has been here.
until [ -e /var/lib/reprise-agent/agent.json ]; do sleep 0.1; done
exec /opt/reprise/bin/reprise-agent run --state /var/lib/reprise-agent >>/var/log/reprise-agent.log 2>&1
RUN
chmod 755 etc/sv/reprise-agent/run
ln -s /etc/sv/reprise-agent etc/service/reprise-agent
cd /
umount -R "$disk/base/root/dev" "$disk/base/root/proc"
umount "$disk/base/root"
"""


def make_base(keeper_pid, disk, binaries):
    for folder in ("/usr", "/etc", "/var/lib/dpkg"):
        if os.stat(folder).st_dev != os.stat("/").st_dev:
            raise LabError(f"{folder} is a file system of its own here, and an overlay over / does not see into it")
    call([*enter(keeper_pid, "mount", "pid"), "env", "-i", f"PATH={PATH}", "bash", "-c", _BASE_SCRIPT, "base", disk, binaries,
          *PURGED], "preparing the hosts' base layer", seconds=120)


class Layer:
    """Where a host's own differences lie; paths are those of the keeper's mount namespace."""

    def __init__(self, keeper_pid, disk, name):
        self._keeper, self._name = keeper_pid, name
        self.folder = os.path.join(disk, "hosts", name)
        self.upper, self.work, self.root = (os.path.join(self.folder, part) for part in ("upper", "work", "root"))
        self.base = os.path.join(disk, "base", "upper")

    def make(self, megabytes=None):
        """`megabytes`: a disk of its own of that size, which can be full; None: its part of the lab's."""
        self._run("mkdir", "-p", self.folder)
        if megabytes is not None:
            self._run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", f"disk-{self._name}", self.folder)
        self._run("mkdir", "-p", self.upper, self.work, self.root)

    def path(self, inside):
        """A file of the host's own layer, as this machine can open it, also while the host is off."""
        return f"/proc/{self._keeper}/root{self.upper}/{inside.lstrip('/')}"

    def _run(self, *words):
        call([*enter(self._keeper, "mount"), *words], f"the disk of {self._name}")
