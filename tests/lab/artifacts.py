"""The packages of the EDR campaign: Debian's ClamAV, fetched once by this machine's apt into the build folder."""

import glob
import os
import shutil
import subprocess

from namespaces import LabError

PACKAGES = ("libclamav12", "clamav-base", "clamav-freshclam", "clamav-daemon", "clamdscan", "libmspack0")


def _found(folder):
    return {package: sorted(glob.glob(os.path.join(folder, f"{package}_*.deb"))) for package in PACKAGES}


def fetch(folder):
    """Paths of one file per package; downloads what is not there yet."""
    os.makedirs(folder, exist_ok=True)
    missing = [package for package, files in _found(folder).items() if not files]
    if missing and not _download(missing, folder):
        _apt_update()
        if not _download(missing, folder):
            raise LabError(f"apt could not download {', '.join(missing)}; try: cd {folder} && apt-get download {' '.join(missing)}")
    return [files[-1] for files in _found(folder).values()]


def _download(packages, folder):
    # Into a folder of its own first, so that half a file is never taken for a whole one.
    half = os.path.join(folder, "half")
    shutil.rmtree(half, ignore_errors=True)
    os.makedirs(half)
    done = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages], cwd=half, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    if done.returncode == 0:
        for name in os.listdir(half):
            os.replace(os.path.join(half, name), os.path.join(folder, name))
    shutil.rmtree(half, ignore_errors=True)
    return done.returncode == 0


def _apt_update():
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*prefix, "apt-get", "-q", "update"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   timeout=300)
