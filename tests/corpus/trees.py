"""Repositories, and what is done to files inside of them."""

import os

import damages
import programs

SOUND = ("INTACT", "INTACT_SAMPLED")
BAD = damages.ENCRYPTED | damages.BROKEN


def files_below(folder):
    found = []
    for place, _, names in os.walk(folder):
        found += [os.path.join(place, name) for name in names]
    return sorted(found)


def change_file(path, function, rng):
    with open(path, "rb") as file:
        content = file.read()
    os.chmod(path, 0o600)
    with open(path, "wb") as file:
        file.write(function(content, path.encode(), rng))


def on_one(folder, function, rng, which=-1):
    """Changes the largest file below a folder of the repository (or another one by its rank)."""
    def change(place):
        paths = sorted(files_below(os.path.join(place, folder)), key=os.path.getsize)
        change_file(paths[which], function, rng)
    return change


def on_named(start, function, rng):
    """Changes the files whose names begin so."""
    def change(place):
        named = [path for path in files_below(place) if os.path.basename(path).startswith(start)]
        assert named, f"no {start}* in {place}"
        for path in named:
            change_file(path, function, rng)
    return change


def on_all(function, rng, rename=""):
    def change(place):
        for path in files_below(place):
            change_file(path, function, rng)
            if rename:
                os.rename(path, path + rename)
    return change


def renamed(folders, extension):
    def change(place):
        for folder in folders:
            for path in files_below(os.path.join(place, folder)):
                os.rename(path, path + extension)
    return change


def removed(folder, every=False):
    def change(place):
        paths = sorted(files_below(os.path.join(place, folder)), key=os.path.getsize)
        for path in paths if every else paths[-1:]:
            os.unlink(path)
    return change


def restic_cases(corpus, contents, rng):
    source = os.path.join(corpus.scratch, "restic")
    programs.restic(source, contents, corpus.scratch)
    add = lambda damage, true, change=None: corpus.add_tree(source, "restic", damage, true, change)
    add("", SOUND)
    add("index and snapshots renamed", {"TAMPERED"}, renamed(["index", "snapshots"], ".locked"))
    add("packs renamed", {"TAMPERED"}, renamed(["data"], ".lockbit"))
    add("pack's head encrypted", {"CORRUPT"} | damages.ENCRYPTED, on_one("data", damages.head_4k, rng))
    add("pack: one bit", {"CORRUPT"}, on_one("data", damages.one_bit, rng))
    add("pack cut", {"CORRUPT", "PARTIAL"}, on_one("data", damages.truncated, rng))
    add("pack missing", {"PARTIAL"}, removed("data"))
    add("index missing", {"PARTIAL"}, removed("index", every=True))
    add("one index missing", {"PARTIAL"}, removed("index"))
    add("snapshots missing", {"PARTIAL"}, removed("snapshots", every=True))
    add("one snapshot missing", {"PARTIAL", "INTACT_SAMPLED"}, removed("snapshots"))
    add("snapshot encrypted", BAD, on_one("snapshots", damages.total, rng))
    add("key encrypted", BAD | {"UNREADABLE"}, on_one("keys", damages.total, rng))
    add("keys missing", {"PARTIAL"}, removed("keys", every=True))
    add("all encrypted", damages.ENCRYPTED, on_all(damages.total, rng))
    add("all encrypted and renamed", damages.ENCRYPTED, on_all(damages.total, rng, ".akira"))
    def overwrite_config(place):
        change_file(os.path.join(place, "config"), damages.randomised, rng)
    add("config overwritten", BAD, overwrite_config)


def borg_cases(corpus, contents, rng):
    source = os.path.join(corpus.scratch, "borg-none")
    programs.borg(source, contents, corpus.scratch)
    add = lambda damage, true, change=None: corpus.add_tree(source, "borg", damage, true, change)
    add("", SOUND)
    add("segment: one bit", {"CORRUPT"}, on_one("data", damages.one_bit, rng))
    add("segment: head encrypted", BAD, on_one("data", damages.head_4k, rng))
    add("segment cut", {"CORRUPT", "PARTIAL"}, on_one("data", damages.truncated, rng))
    add("segment missing", {"CORRUPT", "PARTIAL"}, removed("data"))
    add("segments renamed", {"TAMPERED", "ENCRYPTED_PARTIAL"}, renamed(["data"], ".royal"))
    for aid in ("hints", "integrity"):  # What borg can make anew is part of what was done to the repository all the same.
        add(f"{aid} encrypted", BAD, on_named(aid, damages.total, rng))
        add(f"{aid} emptied", BAD, on_named(aid, lambda *_: b"", rng))
    sealed = os.path.join(corpus.scratch, "borg-sealed")
    programs.borg(sealed, contents[:1], corpus.scratch, encrypted=True)
    corpus.add_tree(sealed, "borg encrypted", "", SOUND + ("UNREADABLE",))
    corpus.add_tree(sealed, "borg encrypted", "segment: 30 bits", {"CORRUPT"}, on_one("data", damages.bit_rot, rng))


def pg_folder_cases(corpus, source, rng):
    def biggest_removed(place):
        os.unlink(max((path for path in files_below(place) if path.endswith(".gz")), key=os.path.getsize))
    corpus.add_tree(source, "pg_dump folder", "", SOUND)
    corpus.add_tree(source, "pg_dump folder", "data missing", {"PARTIAL"}, biggest_removed)
    corpus.add_tree(source, "pg_dump folder", "data encrypted", damages.ENCRYPTED, on_one("", damages.total, rng))
