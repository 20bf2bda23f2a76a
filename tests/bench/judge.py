"""How fast backups are judged, each kind of data beside the least that it can cost: reading and SHA-256, as many at once; what is
packed also beside unpacking it with the same library, and no more."""

import json
import os
import random
import struct
import subprocess
import zlib

from bench_site import median
from processes import program, scratch

WORDS = ("patient garde planning congé repos nuit jour relève service équipe médecin infirmier dossier analyse résultat "
         "prélèvement ordonnance dose examen scanner sortie entrée transfert lit bloc consultation urgence").split()
MIB = 1 << 20


def prose(rng, size):
    """Lines of which none is another's copy, cheaply: making must not take longer than judging."""
    sentences = [" ".join(rng.choice(WORDS) for _ in range(12)).capitalize() for _ in range(500)]
    text, at, number = [], 0, 0
    while at < size:
        text.append(f"{number:07} {sentences[number * 7919 % 500]}.\n")
        at += len(text[-1])
        number += 1
    return "".join(text).encode()


def pg_row(rng, i):
    return f"{i}\t{rng.randrange(10**5)}\t{rng.choice(WORDS)}\t2022-08-{rng.randrange(1, 29):02}\t{rng.randrange(12)}\n"


def sql(rng, size):
    body = b"".join(pg_row(rng, i).encode() for i in range(20000))
    head = (b"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
            b"COPY public.planning (id, matricule, service, jour, heures) FROM stdin;\n")
    return head + body * (size // len(body) + 1) + b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n"


def csv_rows(rng, size):
    body = b"".join(f"{i};{rng.randrange(10**5)};{rng.choice(WORDS)};2022-08-{rng.randrange(1, 29):02}\n".encode()
                    for i in range(20000))
    return b"id;matricule;service;date\n" + body * (size // len(body) + 1)


def dicom(rng, side=1024):
    def element(group, tag, kind, value):
        value += b"\0" if len(value) % 2 and kind == b"UI" else b" " if len(value) % 2 else b""
        size = struct.pack("<HI", 0, len(value)) if kind in (b"OB", b"OW") else struct.pack("<H", len(value))
        return struct.pack("<HH2s", group, tag, kind) + size + value
    # Twelve bits of noise in sixteen, as a scanner's detector gives them.
    pixels = bytearray(rng.randbytes(2 * side * side))
    pixels[1::2] = bytes(pixels[1::2]).translate(bytes(i & 15 for i in range(256)))
    uid = b"1.2.826.0.1.3680043.2.1143.%d" % rng.randrange(10**9)
    meta = (element(2, 1, b"OB", b"\0\1") + element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + element(2, 3, b"UI", uid) +
            element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1"))
    numbers = ((2, 1), (0x10, side), (0x11, side), (0x100, 16), (0x101, 12), (0x102, 11), (0x103, 0))
    data = (element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + element(8, 0x18, b"UI", uid) + element(8, 0x60, b"CS", b"CT") +
            b"".join(element(0x28, tag, b"US", struct.pack("<H", value)) for tag, value in numbers[:1]) +
            element(0x28, 4, b"CS", b"MONOCHROME2") +
            b"".join(element(0x28, tag, b"US", struct.pack("<H", value)) for tag, value in numbers[1:]) +
            element(0x7fe0, 0x10, b"OW", bytes(pixels)))
    return bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta + data


def gzipped(content):
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(content) + packer.flush()


def small(rng, text, number):
    kind = (0, 0, 0, 0, 1, 1, 1, 1, 2, 3)[number % 10]  # Mails and messages are most of what is small.
    at = number * 61 % 100_000
    if kind == 0:
        body = text[at:at + 3000].decode(errors="ignore")
        return (f"{number:06}.eml", ("From: a@example.org\nTo: b@example.org\nSubject: Planning\nDate: Mon, 22 Aug 2022 08:00:00 +0200\n"
                                     f"Message-ID: <{number}@example.org>\nContent-Type: text/plain; charset=utf-8\n\n{body}").encode())
    if kind == 1:
        return f"{number:06}.txt", text[at:at + 4000].decode(errors="ignore").encode()
    if kind == 2:
        return f"{number:06}.json", json.dumps([dict(zip("abcd", (i, rng.choice(WORDS), number, True))) for i in range(70)]).encode()
    return f"{number:06}.dat", b"REC1" + struct.pack("<II", number, 4084) + rng.randbytes(4084)


def write(folder, name, content):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def make(folder, megabytes, files):
    """Four recovery points: what is decoded as it lies there, what is packed, what nobody can decode, and very many files."""
    rng = random.Random("judge")
    size = megabytes * MIB
    decodable, packed, undecodable, many = (os.path.join(folder, name) for name in ("decodable", "packed", "undecodable", "many"))
    images = [dicom(rng) for _ in range(16)]
    for number in range(max(2, size // 2 // len(images[0]))):  # Half of it: imaging is what fills a hospital's backups.
        write(decodable, f"pacs/{number:05}.dcm", images[number % len(images)])
    for name, content in (("base.sql", sql(rng, size // 4)), ("notes.txt", prose(rng, size // 8)),
                          ("export.csv", csv_rows(rng, size // 8))):
        write(decodable, name, content)
    text = prose(rng, size // 4)
    for number in range(4):
        write(packed, f"archive-{number}.txt.gz", gzipped(text[number:]))
    for number in range(4):
        write(undecodable, f"volume-{number}.bin", rng.randbytes(size // 8))
    block = b"".join(struct.pack("<HBBI", i % 997, i % 7, 0, i * 2654435761 % 2**32) for i in range(1 << 17))
    for number in range(4):
        write(undecodable, f"extent-{number}.bin", (block * (size // 8 // len(block) + 1))[:size // 8])
    text = prose(rng, 200_000)
    for number in range(files):
        name, content = small(rng, text, number)
        write(many, f"{number % 100:02}/{name}", content)
    return {"decodable": decodable, "packed": packed, "undecodable": undecodable, "small": many}


def judge(folder, processes, *flags):
    """Seconds, as the whole command takes."""
    began = os.times().elapsed
    done = subprocess.run([program("reprise"), "backup", "judge", "--jobs", str(processes), "-o", "json", *flags, folder],
                          capture_output=True, text=True, check=False)
    took = os.times().elapsed - began
    if done.returncode not in (0, 6):
        raise AssertionError(f"reprise backup judge: {done.stderr[:1000]}")
    return took, json.loads(done.stdout)[0]


def raw(folder, processes, *flags):
    done = subprocess.run([program("bench-judge-raw"), str(processes), folder, *flags], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(sizes):
    processes = os.cpu_count()
    folders = make(scratch("judge"), sizes["judge_mb"], sizes["judge_files"])
    figures = {"judge.processes": processes, "judge.files": sizes["judge_files"]}
    for kind, folder in folders.items():
        ours, sealed, least, unpacked = [], [], [], []
        said = raw(folder, processes)  # Into memory: it is not the disk that is measured.
        for _ in range(sizes["turns"] * (3 if kind == "small" else 1)):  # A turn is below a second: one is soon disturbed.
            ours.append(judge(folder, processes))
            least.append(raw(folder, processes)["seconds"])
            sealed.append(judge(folder, processes, "--manifest"))
            if kind == "packed":
                unpacked.append(raw(folder, processes, "--unpack")["seconds"])
        if ours[0][1]["files"] != said["files"] or not sealed[0][1]["manifest_sha256"]:
            raise AssertionError(f"{kind}: {ours[0][1]['files']} of {said['files']} files judged")
        amount, unit = (said["files"], "files_per_s") if kind == "small" else (said["bytes"], "bytes_per_s")
        name = "small" if kind == "small" else kind
        seconds = {"": median(took for took, _ in ours), "raw_": median(least), "manifest_": median(took for took, _ in sealed)}
        if unpacked:
            seconds["raw_unpacking_"] = median(unpacked)
            figures["judge.packed_ratio_to_unpacking"] = round(seconds["raw_unpacking_"] / seconds[""], 3)
            figures["judge.packed_manifest_ratio_to_unpacking"] = round(seconds["raw_unpacking_"] / seconds["manifest_"], 3)
        for prefix, each in seconds.items():
            figures[f"judge.{prefix}{name}_{unit}"] = round(amount / each)
        figures[f"judge.{name}_ratio_to_raw"] = round(seconds["raw_"] / seconds[""], 3)
        figures[f"judge.{name}_manifest_ratio_to_raw"] = round(seconds["raw_"] / seconds["manifest_"], 3)
    return figures
