"""The move of the twelve mailboxes as people run it: what the mail lead lays down on the mover, the run, the report; and who learned a name."""

import glob
import json
import os
import ssl
import urllib.request

from mail_house import BATCH, NEW_PORT, PEOPLE, SCANNER_PORT, address_of, full_name
from mail_server import MASTER
from namespaces import wait_for

MOVER = "srv-mover-1"
FOLDER, STATE = "/etc/reprise/mail", "/var/lib/reprise-plugins/mail"
# What the new server is to bear: it makes a batch last long enough to be killed in the middle.
MESSAGES_PER_SECOND = 60
# What the agent has on its disk, but for the plugins themselves.
_KEPT = "find /var/lib/reprise-agent -type f -size -2000k -exec cat {} + | tr -d '\\000'"


class MailMove:
    def __init__(self, lab, site, house):
        self._lab, self._site, self._house = lab, site, house
        # Real ones, which the new server checks by itself; for an hour.
        self._tokens = {user: house.new.token(user, 3600) for user in house.new.users}

    # ---- before ----

    def equip(self):
        """What the mail lead lays down on the mover: the roster, two profiles, a password, tokens. Nobody but root reads them there."""
        made = os.path.join(self._house.folder, "mover")
        os.makedirs(made, mode=0o700)
        roster = "mailbox,source_user,target_user,batch\n" + "".join(
            f"{full_name(person)},{address_of(person)},{address_of(person)},{batch}\n"
            for batch, people in PEOPLE.items() for person in people)
        files = {"roster.csv": roster, "ca.pem": self._house.old.authority.file.read_text()}
        ways = {"old": {"auth": "plain", "login": "{user}*" + MASTER, "password_file": f"{FOLDER}/old.password", "limits": {"connections": 8}},
                "new": {"auth": "xoauth2", "login": "{user}", "token_file": f"{FOLDER}/new.tokens",
                        "limits": {"connections": 8, "messages_per_second": MESSAGES_PER_SECOND}}}
        for name, server in (("old", self._house.old), ("new", self._house.new)):
            files[f"{name}.profile.json"] = json.dumps({"kind": "imap", "host": server.address, "port": server.port,
                                                        "ca_file": f"{FOLDER}/ca.pem", **ways[name]})
        files["old.password"] = self._house.old.master_password + "\n"
        files["new.tokens"] = json.dumps(self._tokens)
        for name, text in files.items():
            with open(os.open(os.path.join(made, name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        self._lab.host(MOVER).take_in(made, FOLDER)

    def enrol(self, *others):
        """The mover, and others that stand where it does."""
        self.join((MOVER, *others))
        self._site.reprise("alice", "host", "admit", MOVER, *others, "--zone", "trust_core", "--trust", "rebuilt", show=True)

    def join(self, names):
        for token in self._site.ask("alice", "host", "token", *names)["tokens"]:
            self._lab.host(token["host"]).join(f"{self._site.address}:{self._site.join_port}", token["join_code"])
        wait_for(lambda: set(names) <= {host["name"] for host in self._site.ask("bob", "host", "ls")["hosts"] if host["connected"]},
                 f"{', '.join(names)} to connect", 30)

    # ---- the run ----

    def begin(self, post1, post2):
        """The run, signed by alice."""
        plan, _ = self._site.plan("bob", "mail", f"scanner={self._house.scanner.address}:{SCANNER_PORT}", "closing=acl", "quiet=1s",
                                  f"applications=tcp:{self._house.new.address}:{NEW_PORT}", f"post1={post1}", f"post2={post2}")
        self._site.reprise("alice", "approve", plan)
        return self._site.ask("bob", "run", "start", plan)["id"]

    def reach_gate(self, run, gate, seconds=90):
        wait_for(lambda: self._site.gate(run, gate)["state"] == "ready", lambda: self._site.outline(run, [f"at its gate {gate}"]), seconds,
                 every=0.1)

    def reach_stage_end(self, run, stage, seconds=90):
        return wait_for(lambda: self._ended(run, stage), lambda: self._site.outline(run, [f"through with {stage}"]), seconds, every=0.1)

    def _ended(self, run, stage):
        target = self._site.targets(run, stage).get(MOVER)
        return target if target and target["state"] in ("succeeded", "failed") else None

    def step(self, run, stage, name):
        """That step on the mover; None: not begun."""
        target = self._site.targets(run, stage).get(MOVER, {"steps": []})
        return next((step for step in target["steps"] if step["name"] == name), None)

    def reach_middle(self, seconds=60):
        """How many messages of the batch are in the new server, once it is some and not nearly all."""
        def look():
            count = self._house.arrived(BATCH)
            return count if count >= 40 else None
        count = wait_for(look, "forty messages of the batch to be copied", seconds, every=0.02)
        if count > 150:
            raise AssertionError(f"{count} of 200 messages are copied: that is no middle")
        return count

    def kill_plugin(self):
        """SIGKILL to the process that copies; its id."""
        host = self._lab.host(MOVER)
        pid = next(process.pid for process in reversed(self._lab.processes_of(host)) if process.name.startswith("reprise-plugin"))
        os.kill(pid, 9)
        return pid

    # ---- what it leaves on the mover ----

    def report(self, batch, kind="txt"):
        """What the mail lead reads on the mover, and its mode."""
        path = f"{STATE}/reports/{batch}.{kind}"
        return self._lab.host(MOVER).run("cat", path), self._lab.host(MOVER).run("stat", "-c", "%a", path).strip()

    def quarantine(self):
        """[(SHA-256 in the evidence, of the file, signature)]"""
        kept, host = [], self._lab.host(MOVER)
        for line in host.run("cat", f"{STATE}/quarantine/evidence.jsonl").splitlines():
            told = json.loads(line)
            there = host.run("sha256sum", f"{STATE}/quarantine/{told['sha256']}.eml").split()[0]
            kept.append((told["sha256"], there, told["signature"]))
        return kept

    # ---- who learns a name ----

    def told(self):
        """{where: text}: everything that leaves the mover or is written down by machines, and what the agent keeps there."""
        host, context = self._lab.host(MOVER), ssl.create_default_context(cafile=os.path.join(self._site.profile("alice"), "ca.crt"))
        with urllib.request.urlopen(f"https://{self._site.address}:{self._site.web_port}/metrics", context=context, timeout=10) as answer:
            metrics = answer.read().decode()
        texts = {"metrics": metrics, "journal": self._site.reprise("alice", "journal", "export", self._site.data),
                 "agent's log": host.agent_log(), "agent's folder": host.run("sh", "-c", _KEPT)}
        files = {os.path.basename(path): path for path in glob.glob(os.path.join(self._site.data, "journal.db*"))}
        for where, path in {"coordinator's log": self._site.log, **files}.items():
            with open(path, encoding="latin-1") as file:
                texts[where] = file.read()
        return texts

    def named_in(self, texts):
        """Of {where: text}: the places that have a word of somebody's name, a password, a token, or a subject in them."""
        words = {person.split(".")[1] for people in PEOPLE.values() for person in people}
        words |= {self._house.old.master_password, "planning 1", *(token.rpartition(".")[2].lower() for token in self._tokens.values())}
        found = {where: sorted(word for word in words if word in text.lower()) for where, text in texts.items()}
        return {where: named for where, named in found.items() if named}
