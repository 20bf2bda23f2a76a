"""Whether two IMAP servers have the same in one mailbox: asked with Python's imaplib, which knows nothing of ours.

Standard input: {"ca": FILE, "old": {"port": …, "login": …, "password": …}, "new": {…}}. Standard output:
{"messages": how many, "differ": [folders with other messages], "disordered": [folders with the same in another order], "doubled": …, "lost": …}
"""

import calendar
import collections
import datetime
import hashlib
import imaplib
import json
import re
import ssl
import sys


def look(side, ca):
    """From folder to [(SHA-256, instant, flags)], in its order."""
    imap = imaplib.IMAP4_SSL("localhost", side["port"], ssl_context=ssl.create_default_context(cafile=ca))
    imap.login(side["login"], side["password"])
    found = {}
    for line in imap.list()[1]:
        name = line.decode().rpartition(' "/" ')[2]
        if b"\\Noselect" in line:
            continue
        if not name.startswith('"'):
            name = f'"{name}"'
        count = int(imap.select(name, readonly=True)[1][0])
        messages = found[name.strip('"')] = []
        parts = imap.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1] if count else []
        for part, rest in zip(parts[::2], parts[1::2]):
            about = part[0] + b" " + rest
            date = datetime.datetime.strptime(re.search(rb'INTERNALDATE "([^"]+)"', about)[1].decode(), "%d-%b-%Y %H:%M:%S %z")
            flags = sorted(flag.decode() for flag in set(imaplib.ParseFlags(about)) - {rb"\Recent"})
            messages.append((hashlib.sha256(part[1]).hexdigest(), calendar.timegm(date.utctimetuple()), tuple(flags)))
        if len(messages) != count:
            raise AssertionError(f"{len(messages)} of {count} messages were read")
    imap.logout()
    return {name: messages for name, messages in found.items() if messages}


def main():
    asked = json.load(sys.stdin)
    old, new = look(asked["old"], asked["ca"]), look(asked["new"], asked["ca"])
    told = {"messages": sum(map(len, old.values())), "differ": [], "disordered": [], "doubled": 0, "lost": 0}
    for name in sorted(set(old) | set(new)):
        here, there = collections.Counter(old.get(name, [])), collections.Counter(new.get(name, []))
        told["lost"] += (here - there).total()
        told["doubled"] += (there - here).total()
        if here != there:
            told["differ"].append(name)
        elif old[name] != new[name]:
            told["disordered"].append(name)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
