"""Two movers at one new server: ten more mailboxes, half of them each host's to move, and how many connections the server had at a time.

That is read in Dovecot's own log, in which it writes each session's begin and end: nothing of ours counts.
"""

import json
import os
import re
import shutil

from mail_house import address_of, append
from mail_move import FOLDER
from mail_server import User
from running_site import ROOT

EACH, MESSAGES = 5, 12
CONNECTIONS = 5  # Of each mover; together more than there may be.
_WORKFLOW = """apiVersion: reprise/v1
kind: Workflow
metadata: {{name: two-movers, title: "Mailboxes moved by two hosts at once"}}
expires: 1d
capacities: {{new-mail-server: {capacity}}}
stages:
  - name: move
    targets: name in ({movers})
    steps:
      - name: delta
        uses: mail.delta
        with: {{roster: {folder}/two.csv, batch: two, source: {folder}/old.profile.json, target: {folder}/two.profile.json, connections: {connections}}}
        timeout: 5m
        tokens: {{new-mail-server: {connections}}}
"""


class MailMovers:
    def __init__(self, lab, site, house, movers):
        self._lab, self._site, self._house, self.movers = lab, site, house, movers
        self._people = {mover: [f"poste{number}.{index}" for index in range(EACH)] for number, mover in enumerate(movers)}
        self._came, self._read = 0, 0

    def equip(self):
        """Their mailboxes at both servers, and what both hosts need to move them."""
        everybody = [person for people in self._people.values() for person in people]
        for server, password in ((self._house.old, "old"), (self._house.new, "new")):
            server.add({address_of(person): User(password) for person in everybody})
        made = os.path.join(self._house.folder, "mover")
        with open(os.path.join(made, "new.profile.json"), encoding="utf-8") as file:
            profile = json.load(file)
        # Slow enough for two to meet.
        profile.update(token_file=f"{FOLDER}/two.tokens", limits={"connections": CONNECTIONS, "messages_per_second": 30})
        roster = "mailbox,source_user,target_user,batch,mover\n" + "".join(
            f"{person},{address_of(person)},{address_of(person)},two,{mover}\n" for mover, people in self._people.items() for person in people)
        tokens = json.dumps({address_of(person): self._house.new.token(address_of(person), 3600) for person in everybody})
        for name, text in (("two.csv", roster), ("two.profile.json", json.dumps(profile)), ("two.tokens", tokens)):
            with open(os.open(os.path.join(made, name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        for mover in self.movers:
            self._lab.host(mover).take_in(made, FOLDER)

    def more_mail(self):
        for people in self._people.values():
            for person in people:
                imap = self._house.old.login(address_of(person))
                for number in range(self._came, self._came + MESSAGES):
                    append(imap, "INBOX", person, number)
                imap.logout()
        self._came += MESSAGES

    def move(self, capacity, seconds=90):
        """All of it, by both at once; the run as it ended, and the most sessions that the new server had at a time meanwhile."""
        folder = os.path.join(self._house.folder, f"dossier-{capacity}")
        os.makedirs(folder)
        shutil.copy(os.path.join(ROOT, "examples", "hr1-mini", "inventory.yaml"), folder)
        names = ", ".join(f'"{mover}"' for mover in self.movers)
        with open(os.path.join(folder, "two-movers.yaml"), "w", encoding="utf-8") as file:
            file.write(_WORKFLOW.format(movers=names, folder=FOLDER, connections=CONNECTIONS, capacity=capacity))
        self._sessions()
        plan = self._site.ask("bob", "plan", folder, "--workflow", "two-movers", "--submit", codes=(0, 3))["plan"]
        self._site.reprise("alice", "approve", plan)
        run = self._site.ask("bob", "run", "start", plan)["id"]
        ended = self._site.wait_run(run, ("succeeded", "partial", "failed"), seconds)
        return ended, self._sessions()

    def arrived(self):
        """Whether each mailbox has in the new server what it has in the old one, in its order."""
        return all(old == new and len(old["INBOX"]) == self._came for people in self._people.values() for old, new in map(self._house.sides, people))

    def _sessions(self):
        """The most that were open at a time, since the last look."""
        with open(self._house.new.folder / "dovecot.log", encoding="utf-8", errors="replace") as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        now, most = set(), 0
        for line in text.splitlines():
            if begin := re.search(r"imap-login: Info: Login: .*method=XOAUTH2,.* session=<([^>]+)>", line):
                now.add(begin[1])
                most = max(most, len(now))
            elif end := re.search(r"imap\([^)]*\)<\d+><([^>]+)>: Info: Disconnected", line):
                now.discard(end[1])
        return most
