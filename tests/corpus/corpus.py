"""Builds the corpus: sound recovery points of every kind, and damaged ones, each with the verdicts that are true of it.

    corpus.py FOLDER [--seed N]      writes FOLDER/... and FOLDER/truth.json
"""

import argparse
import gzip
import hashlib
import json
import lzma
import os
import bz2
import shutil
from dataclasses import asdict, dataclass

import damages
import oddities
import programs
import samples

SOUND = ("INTACT", "INTACT_SAMPLED")
# Not proven, and not accused: what was sealed on purpose, or has no format that anyone could check.
SEALED = ("UNREADABLE", "NOT_EVALUATED")
MIB = 1 << 20
CONTENT = "content"  # It is under checksums; names, times and attributes beside it are not.


@dataclass
class Case:
    path: str
    kind: str
    damage: str     # "": sound
    true: list      # Verdicts that are true of it.
    hidden: bool    # The damage may leave no trace in a format without checksums: then INTACT_SAMPLED is no mistake, INTACT is.


class Corpus:
    def __init__(self, folder, seed):
        self.folder, self.seed, self.cases = folder, seed, []
        os.makedirs(folder)
        self.scratch = os.path.join(folder, ".scratch")
        os.makedirs(self.scratch)

    def place(self):
        return os.path.join(self.folder, f"{len(self.cases):04}")

    def add_file(self, name, content, kind, damage, true, hidden=False, beside=None):
        """A recovery point of one file in a folder, perhaps with what ransomware leaves beside it."""
        self.add_folder({name: content, **(beside or {})}, kind, damage, true, hidden)

    def add_folder(self, files, kind, damage, true, hidden=False):
        place = self.place()
        for name, content in files.items():
            path = os.path.join(place, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        self.cases.append(Case(os.path.basename(place), kind, damage, sorted(true), hidden))

    def add_tree(self, source, kind, damage, true, change=None, hidden=False):
        """A copy of a folder, changed by a function."""
        place = self.place()
        shutil.copytree(source, place)
        if change:
            change(place)
        self.cases.append(Case(os.path.basename(place), kind, damage, sorted(true), hidden))

    def finish(self):
        shutil.rmtree(self.scratch)
        with open(os.path.join(self.folder, "truth.json"), "w") as file:
            json.dump([asdict(case) for case in self.cases], file, indent=1)


def single_files(corpus, rng):
    """name, kind, content, whether the format has checksums over all of its content."""
    tar = samples.tar_file(rng)
    with programs.Postgres() as server:
        server.fill(samples.rows(rng, 5_000))
        dumps = {option: server.dump("-F", option) for option in "cpt"}
        uncompressed = server.dump("-Fc", "-Z0")
        server.dump_folder(os.path.join(corpus.scratch, "pgdir"))
    return [
        ("notes.txt", "text", samples.text(rng), False),
        ("notes-latin1.txt", "text", samples.text_latin1(rng), False),
        ("planning.csv", "csv", samples.csv_file(rng), False),
        ("planning.json", "json", samples.json_file(rng), False),
        ("planning.jsonl", "json", samples.jsonl(rng), False),
        ("planning.xml", "xml", samples.xml_file(rng), False),
        ("intranet.html", "text", samples.html(rng), False),
        ("mysql.sql", "sql", samples.sql_mysql(rng), False),
        ("agiletime.sql", "pg_dump plain", dumps["p"], False),
        ("agiletime.dump", "pg_dump custom", dumps["c"], False),
        ("agiletime-z0.dump", "pg_dump custom", uncompressed, False),
        ("agiletime-pg.tar", "pg_dump tar", dumps["t"], False),
        ("plan.png", "png", samples.png(rng), True),
        ("photo.jpg", "jpeg", samples.jpeg(rng), False),
        ("photo-p.jpg", "jpeg", samples.jpeg_progressive(rng), False),
        ("guide.pdf", "pdf", samples.pdf(rng), False),
        ("lettre.docx", "office", samples.office(rng), CONTENT),
        ("notes.zip", "zip", samples.zip_file(rng), CONTENT),
        ("planning.sqlite", "sqlite", samples.database(rng, corpus.scratch), False),
        ("boite.mbox", "mbox", samples.mbox(rng, corpus.scratch), False),
        ("scanner.dcm", "dicom", samples.dicom(rng), False),
        ("sauvegarde.tar", "tar", tar, False),
        ("sauvegarde.tar.gz", "tar.gz", samples.gzipped(tar), True),
        ("sauvegarde.tar.xz", "tar.xz", lzma.compress(tar), True),
        ("sauvegarde.tar.bz2", "tar.bz2", bz2.compress(tar), True),
        ("sauvegarde.tar.zst", "tar.zst", samples.zstd(tar), True),
        ("agiletime.sql.gz", "sql.gz", samples.gzipped(dumps["p"]), True),
        ("planning.sqlite.gz", "sqlite.gz", samples.gzipped(samples.database(rng, corpus.scratch)), True),
    ]


def single_file_cases(corpus, rng, files):
    for name, kind, content, checked in files:
        corpus.add_file(name, content, kind, "", ("INTACT",) if checked is True else SOUND)
        for damage, (change, true, hidden) in damages.CONTENT.items():
            key = f"{name}/{damage}".encode()
            changed = change(content, key, samples.seeded(corpus.seed, key))
            if changed != content:
                corpus.add_file(name, changed, kind, damage, true, hidden and (not checked or (checked == CONTENT and damage == "one bit")))
        for style, (change, extension, note, true) in damages.STYLES.items():
            key = f"{name}/{style}".encode()
            corpus.add_file(name + extension, change(content, key, rng), kind, style, true, beside={note: damages.NOTE})
    # Long enough for stretches of 1 MiB.
    packed = gzip.compress(rng.randbytes(MIB) + samples.text(rng, 900_000), 1)
    for name, content in (("grand.csv", samples.csv_file(rng, 90_000)), ("grand.tar.gz", packed)):
        changed = damages.every_mib(content, name.encode(), rng)
        corpus.add_file(name, changed, "large", "every other MiB encrypted", damages.ENCRYPTED | damages.BROKEN)
        at = MIB + 4096  # One stretch far inside.
        inside = content[:at] + damages.aes(b"inside", content[at:at + 16]) + content[at + 16:]
        corpus.add_file(name, inside, "large", "16 bytes encrypted, one MiB inside", damages.ENCRYPTED | damages.BROKEN)


def sound_only(corpus, rng):
    """What must not be accused."""
    text = samples.text(rng)
    add = lambda name, content, true, kind="at rest": corpus.add_file(name, content, kind, "", true)
    add("notes.txt.gpg", programs.gpg(text, corpus.scratch), SEALED)
    add("coffre.enc", damages.openssl_enc(text, b"k", rng), SEALED)
    add("planning.sql.enc", damages.aes(b"own", text), SEALED)
    add("base.bak", damages.aes(b"tde", text), SEALED)
    add("volume.luks", b"LUKS\xba\xbe\0\2" + rng.randbytes(60_000), SEALED)
    add("cles.age", b"age-encryption.org/v1\n-> X25519 abc\n" + rng.randbytes(30_000), SEALED)
    add("inconnu.bin", bytes(i * i % 256 for i in range(50_000)), SOUND + SEALED)
    add("notes.txt.xz", lzma.compress(text), ("INTACT",), "compressed")
    add("notes.zst", samples.zstd(text, checksum=False), SOUND, "compressed")
    # One more part might have followed; a program is as it was written, and nobody decoded it; a time stands under no checksum.
    add("notes.gz", samples.gzipped(text) + samples.gzipped(text), ("INTACT_SAMPLED",), "compressed")
    add("systeme.tar.gz", samples.tar_with_program(rng), ("INTACT_SAMPLED",), "compressed")
    add("date.txt.gz", gzip.compress(text, mtime=1_660_982_400), ("INTACT_SAMPLED",), "compressed")
    for name, content, true in oddities.sound(rng):
        add(name, content, true, "odd")
    add("photo.jpg.bak", samples.jpeg(rng), SOUND, "renamed by people")
    add("planning.csv.old", samples.csv_file(rng, 300), SOUND, "renamed by people")
    add("README", b"How to restore: see chapter 4. Your files are in the archive.\n", SOUND, "text")
    for number in range(6):
        files = samples.documents(samples.seeded(corpus.seed, f"documents{number}"))
        corpus.add_folder(files, "documents", "", SOUND)


def odd_damage(corpus, rng):
    for name, content, damage, true, hidden in oddities.damaged(rng):
        corpus.add_file(name, content, "odd", damage, true, hidden)


def sums(files):
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()


def folder_cases(corpus, rng):
    documents = samples.documents(rng)
    listed = {**documents, "SHA256SUMS": sums(documents)}
    corpus.add_folder(listed, "listed documents", "", ("INTACT",))
    bad = damages.ENCRYPTED | damages.BROKEN
    for name, content in documents.items():
        corpus.add_folder({key: value for key, value in listed.items() if key != name}, "listed documents", "a file missing", {"PARTIAL"})
        corpus.add_folder({**listed, name: damages.one_bit(content, b"", rng)}, "listed documents", "one bit", {"CORRUPT"} | bad)
        corpus.add_folder({**documents, name: damages.total(content, b"k", rng)}, "documents", "one of the files encrypted", {"ENCRYPTED_PARTIAL"})
    everything = {name: damages.total(content, name.encode(), rng) for name, content in documents.items()}
    corpus.add_folder(everything, "documents", "all encrypted", {"ENCRYPTED_TOTAL"})
    renamed = {name + ".k3jx9q": damages.dots(content, name.encode(), rng) for name, content in documents.items()}
    corpus.add_folder(renamed, "documents", "random extension, no note", damages.ENCRYPTED | damages.BROKEN)
    same = {name + ".k3jx9q": content for name, content in documents.items()}
    corpus.add_folder(same, "documents", "renamed only, no note", {"TAMPERED"})
    mails = samples.maildir(rng)
    corpus.add_folder(mails, "maildir", "", SOUND)
    first = next(iter(mails))
    corpus.add_folder({**mails, first: mails[first][:1500]}, "maildir", "a message cut", {"PARTIAL", "CORRUPT"})
    corpus.add_folder({**mails, first: damages.total(mails[first], b"m", rng)}, "maildir", "a message encrypted", bad | {"NOT_EVALUATED"})
    study = {f"{number:04}.dcm": samples.dicom(rng, number) for number in range(4)}
    corpus.add_folder(study, "dicom tree", "", SOUND)
    corpus.add_folder({**study, "0002.dcm": damages.every_16(study["0002.dcm"], b"d", rng)}, "dicom tree", "one of the files encrypted", bad)


def tree_cases(corpus, rng):
    content = []
    for number in range(2):
        folder = os.path.join(corpus.scratch, f"content{number}")
        for name, data in samples.documents(samples.seeded(corpus.seed, f"tree{number}")).items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        content.append(folder)
    import trees
    trees.restic_cases(corpus, content, rng)
    trees.borg_cases(corpus, content, rng)
    trees.pg_folder_cases(corpus, os.path.join(corpus.scratch, "pgdir"), rng)


def build(folder, seed):
    corpus = Corpus(folder, seed)
    rng = samples.seeded(seed, "corpus")
    single_file_cases(corpus, rng, single_files(corpus, rng))
    sound_only(corpus, rng)
    odd_damage(corpus, rng)
    folder_cases(corpus, rng)
    tree_cases(corpus, rng)
    corpus.finish()
    return corpus.cases


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder")
    arguments.add_argument("--seed", default="1")
    chosen = arguments.parse_args()
    print(f"seed {chosen.seed}: {len(build(chosen.folder, chosen.seed))} recovery points in {chosen.folder}")
