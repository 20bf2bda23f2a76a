#!/usr/bin/env python3
"""Makes the storage of an imaging server as it is found after an attack: every image is there, the index is not.

    tests/lab/imaging_data.py --out DIR                       # 4 patients, 8 studies, 48 instances

A real Orthanc takes the images by C-STORE from dcmtk and writes them under names of its own, which only its index knew; the
index is left behind. SHA256SUMS, as the nightly copy wrote it, lies beside the storage. The images are made up by
arithmetic: no person is in them. Python's standard library, Orthanc and dcmtk.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

CT = "1.2.840.10008.5.1.4.1.1.2"
ROOT = "1.2.826.0.1.3680043.2.1143"
LONG = ("OB", "OW")


class ImagingError(Exception):
    """Orthanc or dcmtk did not do what it should."""


def element(group, tag, kind, value):
    """One element, explicit little endian."""
    if isinstance(value, str):
        value = value.encode("ascii")
    if len(value) % 2:
        value += b"\0" if kind == "UI" else b" "
    size = struct.pack("<HI", 0, len(value)) if kind in LONG else struct.pack("<H", len(value))
    return struct.pack("<HH", group, tag) + kind.encode() + size + value


def number(value):
    return struct.pack("<H", value)


def image(patient, study, series, place, side):
    """A CT image: a ramp that is another one in each."""
    study_uid = f"{ROOT}.{patient}.{study}"
    uid = f"{study_uid}.{series}.{place}"
    meta = (element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", CT) + element(2, 3, "UI", uid)
            + element(2, 0x10, "UI", "1.2.840.10008.1.2.1") + element(2, 0x12, "UI", f"{ROOT}.1"))
    step = 7 * patient + 5 * study + 3 * series + place
    pixels = b"".join(number((row * step + column * 11) % 4096) for row in range(side) for column in range(side))
    data = (element(8, 0x16, "UI", CT) + element(8, 0x18, "UI", uid) + element(8, 0x20, "DA", f"202208{study:02d}")
            + element(8, 0x60, "CS", "CT") + element(0x10, 0x10, "PN", f"EXAMPLE^{patient}") + element(0x10, 0x20, "LO", f"P{patient:04d}")
            + element(0x20, 0xd, "UI", study_uid) + element(0x20, 0xe, "UI", f"{study_uid}.{series}")
            + element(0x20, 0x11, "IS", str(series)) + element(0x20, 0x13, "IS", str(place))
            + element(0x28, 2, "US", number(1)) + element(0x28, 4, "CS", "MONOCHROME2") + element(0x28, 0x10, "US", number(side))
            + element(0x28, 0x11, "US", number(side)) + element(0x28, 0x100, "US", number(16)) + element(0x28, 0x101, "US", number(12))
            + element(0x28, 0x102, "US", number(11)) + element(0x28, 0x103, "US", number(0)) + element(0x7fe0, 0x10, "OW", pixels))
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + data


class ScratchServer:
    """An Orthanc for a while, that anybody on this machine may send to; its storage stays."""

    def __init__(self, folder):
        self.folder, self.storage = folder, os.path.join(folder, "storage")

    def __enter__(self):
        self.port = free_port()
        os.makedirs(self.storage)
        configuration = {"StorageDirectory": self.storage, "IndexDirectory": os.path.join(self.folder, "index"), "DicomAet": "HR1PACS",
                         "DicomPort": self.port, "HttpServerEnabled": False, "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False,
                         "Plugins": [], "RemoteAccessAllowed": False}
        path = os.path.join(self.folder, "orthanc.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(configuration, file)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.server = subprocess.Popen(["/usr/sbin/Orthanc", path], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while subprocess.run(["echoscu", "-to", "2", "127.0.0.1", str(self.port)], capture_output=True, check=False).returncode != 0:
            if time.monotonic() > until or self.server.poll() is not None:
                self.__exit__()
                raise ImagingError("Orthanc does not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        try:
            self.server.wait(30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def store(self, folder):
        done = subprocess.run(["storescu", "-to", "10", "+sd", "127.0.0.1", str(self.port), folder], capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode != 0:
            raise ImagingError(f"storescu: {done.stderr.strip()[-300:]}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names)


def write_list(folder):
    """SHA256SUMS, as `sha256sum` writes it."""
    lines = []
    for name in files_below(folder):
        with open(os.path.join(folder, name), "rb") as file:
            lines.append(f"{hashlib.sha256(file.read()).hexdigest()}  {name}\n")
    with open(os.path.join(folder, "SHA256SUMS"), "w", encoding="ascii") as file:
        file.writelines(lines)


def make(out, patients=4, images=3, side=64):
    """The storage in `out`: `patients` × 2 studies × 2 series × `images`. How many instances."""
    with tempfile.TemporaryDirectory(prefix="reprise-imaging-") as folder:
        sent = os.path.join(folder, "sent")
        os.makedirs(sent)
        count = 0
        for patient in range(1, patients + 1):
            for study, series, place in ((a, b, c) for a in (1, 2) for b in (1, 2) for c in range(1, images + 1)):
                with open(os.path.join(sent, f"{count:06d}.dcm"), "wb") as file:
                    file.write(image(patient, study, series, place, side))
                count += 1
        with ScratchServer(folder) as server:
            server.store(sent)
        shutil.copytree(server.storage, out)
    write_list(out)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", required=True, help="a folder that is not there yet")
    parser.add_argument("--patients", type=int, default=4)
    parser.add_argument("--images", type=int, default=3, help="of each series")
    parser.add_argument("--side", type=int, default=64, help="pixels")
    asked = parser.parse_args()
    try:
        print(make(asked.out, asked.patients, asked.images, asked.side), "instances")
    except ImagingError as error:
        sys.exit(f"imaging_data.py: {error}")


if __name__ == "__main__":
    main()
