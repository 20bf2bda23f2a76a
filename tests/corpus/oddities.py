"""Sound contents that look damaged to a careless judge, and damage that looks sound to one. Each was met."""

import base64
import io
import json
import lzma
import sqlite3
import struct
import tarfile
import zipfile
import zlib

import damages
import samples

SOUND = ("INTACT", "INTACT_SAMPLED")
# Nobody may be accused; what is not known need not be said to be sound.
NOT_ACCUSED = SOUND + ("UNREADABLE", "NOT_EVALUATED")
BAD = damages.ENCRYPTED | damages.BROKEN


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def zip_encrypted(content):
    """Marked as encrypted in both places; the content is not looked at without its password."""
    plain = bytearray(zip_of({"a.txt": content}))
    plain[6] |= 1
    plain[plain.rfind(b"PK\1\2") + 8] |= 1
    return bytes(plain)


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            if name.endswith("/"):
                entry.type = b"D"  # GNU's folder of an incremental backup, with a list of names.
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def cpio(members):
    """The portable form of POSIX.1: octal digits."""
    out = b""
    for number, (name, content) in enumerate([*members.items(), ("TRAILER!!!", b"")]):
        fields = [0, number, 0o100644, 0, 0, 1, 0]
        out += b"070707" + b"".join(b"%06o" % field for field in fields) + b"%011o%06o%011o" % (0, len(name) + 1, len(content))
        out += name.encode() + b"\0" + content
    return out


def letter(rng, size, charset, number):
    return (f"Return-Path: <a{number}@hopital.example>\nFrom: a{number}@hopital.example\nTo: b@hopital.example\nSubject: Note {number}\n"
            f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n").encode() + samples.prose(rng, size).encode(charset)


def mbox_of(messages):
    return b"".join(b"From a@hopital.example Sat Aug 20 10:00:00 2022\n" + message + b"\n" for message in messages)


def mysql_with_bytes(rng):
    quoted = rng.randbytes(3_000)
    for byte, escaped in ((b"\\", b"\\\\"), (b"\0", b"\\0"), (b"'", b"\\'"), (b"\n", b"\\n"), (b"\r", b"\\r")):
        quoted = quoted.replace(byte, escaped)
    return (b"-- MySQL dump 10.13  Distrib 8.0.30\nCREATE TABLE photo (id int, octets longblob);\nINSERT INTO photo VALUES (1,_binary '" +
            quoted + b"');\n-- Dump completed on 2022-08-20\n")


def pdf_of_picture(rng, change=lambda stream: stream):
    stream = change(zlib.compress(samples.png(rng, 120, 120) * 4, 1))  # Any bytes would do.
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>",
               b"<< /Type /XObject /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream"]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)


def deflated_dicom(rng, number):
    """The data set behind the meta group, deflated as a whole."""
    plain = samples.dicom(rng, number)
    begin = 144 + struct.unpack("<I", plain[140:144])[0]
    meta = plain[144:begin].replace(struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0", struct.pack("<H", 22) + b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return plain[:140] + struct.pack("<I", len(meta)) + meta + packer.compress(plain[begin:]) + packer.flush()


def database_of_an_application():
    """An index over a function, and one in an order of letters, that only the application has."""
    base = sqlite3.connect(":memory:")
    base.create_function("cle", 1, lambda name: name.upper(), deterministic=True)
    base.create_collation("annuaire", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    base.execute("CREATE TABLE patients (id INTEGER PRIMARY KEY, nom TEXT COLLATE annuaire)")
    base.execute("CREATE INDEX par_cle ON patients (cle(nom))")
    base.execute("CREATE INDEX par_nom ON patients (nom)")
    base.executemany("INSERT INTO patients VALUES (?,?)", ((i, f"Patient {i * 7919 % 1000}") for i in range(1000)))
    base.commit()
    return base.serialize()


def sound(rng):
    """name, content, verdicts that are true of it."""
    prose = samples.prose(rng, 20_000)
    korean = b"From: a@b\nTo: b@c\nSubject: x\nContent-Type: text/plain; charset=iso-2022-kr\n\n\x1b$)C" + b"\x0eH/@Z\x0f fin\n" * 40
    part = b'<?xml version="1.0" encoding="UTF-8"?>\n<!ENTITY a "b">\n<!ELEMENT web (a*)>\n'
    document = b'<?xml version="1.0"?>\n<!DOCTYPE web SYSTEM "web.dtd">\n<web><n>a&nbsp;b</n></web>\n'
    tar = tar_of({"a/": b"Nb.txt\0\0", "a/b.txt": prose.encode()})
    jar = {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "web.xml": document, "ent.xml": part}
    yield from [
        ("dos.csv", samples.csv_file(rng, 300) + b"\x1a", SOUND),
        ("labo.hl7", b"".join(b"\x0bMSH|^~\\&|LAB|HOP|%d\rPID|1||%d\r\x1c\r" % (i, i) for i in range(200)), SOUND),
        ("coreen.mbox", mbox_of([korean, letter(rng, 900, "utf-8", 1)]), SOUND),
        ("melange.mbox", mbox_of([letter(rng, 1_500, "utf-8" if i % 5 else "iso-8859-1", i) for i in range(20)]), NOT_ACCUSED),
        ("melange.log", b"".join(samples.prose(rng, 300).encode("utf-8" if i % 5 else "latin-1") for i in range(60)), NOT_ACCUSED),
        ("photo.sql", mysql_with_bytes(rng), NOT_ACCUSED),
        ("large.json", b"\xff\xfe" + json.dumps([prose[:900], 1]).encode("utf-16-le"), SOUND),
        ("latin.json", json.dumps({"note": prose}, ensure_ascii=False).encode("latin-1"), SOUND),
        ("nan.json", b'[{"v": NaN}, {"v": 1}]', NOT_ACCUSED),
        ("reglages.json", b'// for people\n{"a": 1, /* b */ "c": [1, 2]}\n', SOUND),
        ("application.jar", zip_of(jar), SOUND),
        ("modele.jar", zip_of({**jar, "modele.xml": "<?xml version='1.0'?>\n#set($a = 1)\n<x>$a</x>\n"}), NOT_ACCUSED),
        ("definition.xml", part, SOUND),
        ("incremental.tar", tar, SOUND),
        ("bande.tar.gz", samples.gzipped(tar) + bytes(10_240), SOUND),
        ("bande.tar.xz", lzma.compress(tar) + bytes(512), SOUND),
        ("deux.tar.gz", samples.gzipped(tar[:900]) + samples.gzipped(tar[900:]), ("INTACT",)),
        ("fenetre.txt.xz", lzma.compress(prose.encode(), filters=[{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 30}]), NOT_ACCUSED),
        ("fenetre.zst", b"\x28\xb5\x2f\xfd\x04\xa8" + prose.encode(), NOT_ACCUSED),  # A window of 2 GiB, as zstd --long=31.
        ("parts.tar.zst", b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"abcd" + samples.zstd(tar), SOUND),  # As pzstd.
        ("vieux.cpio", cpio({"a.txt": prose.encode(), "b.csv": samples.csv_file(rng, 90)}), SOUND),
        ("secret.zip", zip_encrypted(prose.encode()), ("UNREADABLE",)),
        ("a.tar.lz4", b"\x04\x22\x4d\x18" + rng.randbytes(5_000), NOT_ACCUSED),
        ("scan.pdf", pdf_of_picture(rng), SOUND),
        ("dense.dcm", deflated_dicom(rng, 9), SOUND),
        ("annuaire.sqlite", database_of_an_application(), NOT_ACCUSED),
        ("vide.tar.gz", samples.gzipped(tar_of({"a.sqlite": b"", "b.txt": b"Bonjour.\n"})), NOT_ACCUSED),
    ]


def flipped(content, at):
    out = bytearray(content)
    out[at] ^= 1
    return bytes(out)


def damaged(rng):
    """name, content, damage, verdicts that are true of it, whether it may leave no trace."""
    text = samples.text(rng)
    secret = base64.encodebytes(damages.aes(b"k", text))
    packed = samples.gzipped(text)
    archive = zip_of({"a.txt": text, "b.txt": text[:900]})
    directory = archive.rfind(b"PK\1\2")
    small = damages.aes(b"small", b"utilisateur = garde\nport = 5432\n" * 5)
    picture = samples.dicom(rng, 3)
    dense = deflated_dicom(rng, 5)
    unproven = BAD | {"NOT_EVALUATED"}
    for at in (4, 8, 9):
        yield f"notes{at}.txt.gz", flipped(packed, at), "one bit of a header", BAD, True
    for at in (10, directory + 12, directory + 38, len(archive) - 12):
        yield f"notes{at}.zip", flipped(archive, at), "one bit of a header", BAD, True
    for name in ("lettre.txt", "planning.sql", "liste.csv"):
        yield name, secret, "base64 of encrypted", unproven, False
    yield "lettre.txt.gz", samples.gzipped(secret), "base64 of encrypted", unproven, False
    yield "etc.tar.gz", samples.gzipped(tar_of({"etc/garde": small, "a.txt": text})), "few bytes encrypted, then packed", unproven, False
    yield "fiches.csv.gz", b"".join(samples.gzipped(text[i:i + 9_000]) for i in range(0, 27_000, 9_000)), "cut between parts", BAD, True
    yield "scan.pdf", pdf_of_picture(rng, lambda stream: stream[:9_000] + bytes(4_096) + stream[13_096:]), "4 KiB of a picture zeroed", BAD, False
    yield "scan2.pdf", pdf_of_picture(rng, lambda stream: flipped(stream, 9_000)), "one bit of a picture", BAD, False
    yield "tete.dcm", damages.aes(b"d", picture[:64]) + picture[64:], "64 bytes before the mark encrypted", unproven, False
    yield "effacement.log", text[:9_000] + b"\xff" * 1_024 + text[10_024:], "1 KiB of ff", BAD, False
    half = len(dense) // 2
    yield "dense.dcm", dense[:half] + damages.aes(b"e", dense[half:]), "second half encrypted", BAD, False
