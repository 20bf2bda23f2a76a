#!/usr/bin/env python3
"""Writes reprise.ndb: our own signatures, in ClamAV's extended format (name:target:offset:hex).

    make.py [--date 2026-11-25] > reprise.ndb

Any file of contents that a hospital wants found can be added to CONTENTS and the base made anew.
"""

import argparse
import datetime

# name, target type (0: any file), offset (0: at its beginning, *: anywhere), content
CONTENTS = [
    # The EICAR test file, which every sensor must find. In parts, so that this script is no finding itself.
    ("Reprise.Test.EICAR", 0, "0", b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"),
    # Proves which base is loaded: found by no other one.
    ("Reprise.Test.Marker", 0, "*", b"REPRISE-SIGNATURE-" + b"BASE-MARKER-0001"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="the day that the base names")
    date = datetime.date.fromisoformat(parser.parse_args().date)
    print("# Reprise's own signatures. Made by make.py.")
    print(f"# date: {date.isoformat()}")
    for name, target, offset, content in CONTENTS:
        print(f"{name}:{target}:{offset}:{content.hex()}")


if __name__ == "__main__":
    main()
