"""Sound backups, one function for each kind: made by the programs that make them in life where they are at hand."""

import csv
import gzip
import io
import json
import mailbox
import os
import random
import sqlite3
import struct
import subprocess
import tarfile
import zipfile
import zlib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

WARDS = ["cardiologie", "réanimation", "pédiatrie", "urgences", "maternité", "chirurgie", "néphrologie", "oncologie"]
WORDS = ("patient garde planning congé repos nuit jour relève service équipe médecin infirmier dossier analyse résultat "
         "prélèvement ordonnance dose examen scanner sortie entrée transfert lit bloc consultation urgence").split()


def prose(rng, size):
    lines = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 14))).capitalize() + ".\n")
    return "".join(lines)


def text(rng, size=60_000):
    return prose(rng, size).encode()


def text_latin1(rng, size=60_000):
    return prose(rng, size).encode("latin-1")


def rows(rng, count):
    for i in range(count):
        yield [i, rng.randint(10_000, 99_999), rng.choice(WARDS), f"2022-08-{rng.randint(1, 28):02}", rng.choice(["jour", "nuit", "repos"]),
               rng.randint(0, 12)]


def csv_file(rng, count=2_000):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["id", "matricule", "service", "date", "poste", "heures"])
    writer.writerows(rows(rng, count))
    return out.getvalue().encode()


def json_file(rng, count=800):
    return json.dumps([dict(zip("abcdef", row)) for row in rows(rng, count)], ensure_ascii=False, indent=1).encode()


def jsonl(rng, count=1_000):
    return "".join(json.dumps(row) + "\n" for row in rows(rng, count)).encode()


def xml_file(rng, count=900):
    body = "".join(f'  <poste id="{r[0]}" service="{r[2]}"><date>{r[3]}</date><heures>{r[5]}</heures></poste>\n' for r in rows(rng, count))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<planning>\n{body}</planning>\n'.encode()


def html(rng):
    return f"<!DOCTYPE html>\n<html><body><p>{prose(rng, 20_000)}</p></body></html>\n".encode()


def sql_mysql(rng, count=1_500):
    body = "".join(f"INSERT INTO planning VALUES ({r[0]},{r[1]},'{r[2]}','{r[3]}','{r[4]}',{r[5]});\n" for r in rows(rng, count))
    return f"-- MySQL dump 10.19  Distrib 10.11\n--\nCREATE TABLE planning (id int);\n{body}-- Dump completed on 2022-08-20\n".encode()


def png(rng, width=160, height=160):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = bytearray()
    for y in range(height):
        raw.append(0)
        for x in range(width):
            raw += bytes(((x * 3 + rng.randint(0, 20)) % 256, (y * 2 + rng.randint(0, 20)) % 256, (x ^ y) % 256))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(raw))) + chunk(b"IEND", b""))


def jpeg(rng, progressive=False):
    width, height = 320, 240
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            pixels += bytes((min(255, x // 2 + rng.randint(0, 40)), min(255, y + rng.randint(0, 15)), (x * y // 300) % 256))
    command = ["cjpeg", "-quality", "85"] + (["-progressive"] if progressive else [])
    return subprocess.run(command, input=b"P6\n%d %d\n255\n" % (width, height) + bytes(pixels), stdout=subprocess.PIPE, check=True).stdout


def jpeg_progressive(rng):
    return jpeg(rng, progressive=True)


def pdf(rng, pages=12):
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for number in range(pages):
        lines = [f"({line}) Tj T*".encode("latin-1") for line in prose(rng, 3_000).split("\n")]
        content = b"BT /F1 10 Tf 12 TL 40 800 Td\n" + b"\n".join(lines) + b"\nET"
        packed = zlib.compress(content)
        if number % 3 == 2:
            objects.append(b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream")
        else:
            objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed + b"\nendstream")
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" %
                       len(objects))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [" + b" ".join(kids) + b"] /Count %d >>" % pages
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def office(rng):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')
        archive.writestr("_rels/.rels", '<?xml version="1.0"?><Relationships/>')
        archive.writestr("word/document.xml", f'<?xml version="1.0" encoding="UTF-8"?><w>{prose(rng, 90_000)}</w>')
        archive.writestr("word/media/image1.png", png(rng, 60, 60), zipfile.ZIP_STORED)
    return out.getvalue()


def zip_file(rng):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(12):
            archive.writestr(f"notes/{i}.txt", prose(rng, 9_000))
        archive.writestr("planning.csv", csv_file(rng, 600))
    return out.getvalue()


def database(rng, folder):
    path = os.path.join(folder, "build.sqlite")
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE planning (id INTEGER PRIMARY KEY, matricule INT, service TEXT, jour TEXT, poste TEXT, heures INT)")
    base.execute("CREATE INDEX par_service ON planning (service, jour)")
    base.executemany("INSERT INTO planning VALUES (?,?,?,?,?,?)", rows(rng, 4_000))
    base.commit()
    base.close()
    with open(path, "rb") as file:
        content = file.read()
    os.unlink(path)
    return content


def message(rng, number):
    mail = MIMEMultipart()
    mail["From"], mail["To"] = "garde@hopital.example", f"agent{number}@hopital.example"
    mail["Subject"], mail["Date"] = f"Planning {number}", "Sat, 20 Aug 2022 10:00:00 +0200"
    mail["Message-ID"] = f"<{number}.{rng.randint(0, 10**9)}@hopital.example>"
    mail.set_boundary(f"===={rng.randint(10**12, 10**13)}==")
    mail.attach(MIMEText(prose(rng, 2_000), "plain", "utf-8"))
    attached = MIMEText(csv_file(rng, 40).decode(), "csv", "utf-8")
    attached.add_header("Content-Disposition", "attachment", filename="planning.csv")
    mail.attach(attached)
    return mail


def mbox(rng, folder):
    path = os.path.join(folder, "build.mbox")
    box = mailbox.mbox(path)
    for number in range(20):
        box.add(message(rng, number))
    box.flush()
    box.close()
    with open(path, "rb") as file:
        content = file.read()
    os.unlink(path)
    return content


def maildir(rng):
    files = {}
    for number in range(15):
        content = message(rng, number).as_bytes()
        files[f"cur/16609824{number:02}.M{number}P77.mail,S={len(content)},W={len(content) + 60}:2,S"] = content
    return files


def dicom(rng, number=1):
    def element(group, tag, kind, value):
        value += b"\0" if len(value) % 2 and kind == b"UI" else b" " if len(value) % 2 else b""
        head = struct.pack("<HH2s", group, tag, kind)
        return head + (struct.pack("<HI", 0, len(value)) if kind in (b"OB", b"OW", b"SQ", b"UN") else struct.pack("<H", len(value))) + value
    side = 192
    pixels = bytearray()
    for y in range(side):
        for x in range(side):
            pixels += struct.pack("<H", min(4095, (x * x + y * y) // 30 + rng.randint(0, 60)))
    uid = b"1.2.826.0.1.3680043.2.1143.%d.%d" % (number, rng.randint(1, 10**9))
    meta = (element(2, 1, b"OB", b"\0\1") + element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + element(2, 3, b"UI", uid) +
            element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1"))
    item = element(8, 0x100, b"SH", b"113014") + element(8, 0x104, b"LO", b"Study")
    data = (element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + element(8, 0x18, b"UI", uid) + element(8, 0x60, b"CS", b"CT") +
            element(8, 0x1032, b"SQ", struct.pack("<HHI", 0xfffe, 0xe000, len(item)) + item) +
            element(0x10, 0x10, b"PN", b"EXAMPLE^PATIENT") + element(0x28, 2, b"US", struct.pack("<H", 1)) +
            element(0x28, 4, b"CS", b"MONOCHROME2") + element(0x28, 0x10, b"US", struct.pack("<H", side)) +
            element(0x28, 0x11, b"US", struct.pack("<H", side)) + element(0x28, 0x100, b"US", struct.pack("<H", 16)) +
            element(0x28, 0x101, b"US", struct.pack("<H", 12)) + element(0x28, 0x102, b"US", struct.pack("<H", 11)) +
            element(0x28, 0x103, b"US", struct.pack("<H", 0)) + element(0x7fe0, 0x10, b"OW", bytes(pixels)))
    return bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(meta))) + meta + data


def documents(rng):
    return {"planning.csv": csv_file(rng, 500), "notes/garde.txt": text(rng, 15_000), "notes/lettre.docx": office(rng),
            "images/plan.png": png(rng, 80, 80), "images/photo.jpg": jpeg(rng), "export.json": json_file(rng, 200), "guide.pdf": pdf(rng, 4)}


def tar_file(rng, mode=""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w" + mode, format=tarfile.PAX_FORMAT) as archive:
        for name, content in documents(rng).items():
            entry = tarfile.TarInfo("sauvegarde/" + name)
            entry.size, entry.mtime = len(content), 1_660_982_400.25
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tar_with_program(rng):
    """What is no document: bytes that no decoder knows, under the checksum of what is around them."""
    out = io.BytesIO()
    program = bytes(rng.choice((0, 0, 0x48, 0x8b, 0xe8, 0xff, i % 251)) for i in range(40_000))
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in (("bin/outil", program), ("etc/hosts", b"127.0.0.1 localhost\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def gzipped(content):
    """As `gzip` writes what is piped through it: without a name and a time."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as file:
        file.write(content)
    return out.getvalue()


def zstd(content, checksum=True):
    command = ["zstd", "-q", "-c", "--check" if checksum else "--no-check"]
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout


def seeded(seed, name):
    return random.Random(f"{seed}/{name}")
