#!/usr/bin/env python3
"""Checks the project's style on the whole tree: prints one line for each complaint, exits 1 when there is one.

    tests/tidy/tidy.py [--root FOLDER]
"""

import argparse
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rules  # noqa: E402

SKIPPED = {".git", ".cache", "node_modules", "__pycache__"}
BYTES_MAX = 2 << 20


def paths_of(root):
    """What git would keep; where there is no git, everything but what is built."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [path for path in listing.stdout.decode().split("\0") if path]
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith("build")]
        found += [str((pathlib.Path(folder) / name).relative_to(root).as_posix()) for name in names]
    return found


def read_files(root):
    files = {}
    for path in paths_of(root):
        file = root / path
        if not file.is_file() or file.is_symlink():
            continue
        content = file.read_bytes()[:BYTES_MAX]
        # A file that is not text has no style; that it exists still counts for links.
        files[path] = "" if b"\0" in content else content.decode("utf-8", "replace")
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    root = parser.parse_args().root
    files = read_files(root)
    if not any(path.endswith(".cc") for path in files):
        print(f"{root}: no source files here; give --root", file=sys.stderr)
        return 2
    complaints = rules.check(files)
    for complaint in complaints:
        print(f"{complaint.path}:{complaint.line}: {complaint.rule}: {complaint.text}")
    print(f"{len(files)} files, {len(complaints)} complaints", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
