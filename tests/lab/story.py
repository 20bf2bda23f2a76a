"""The campaign as it is told: every chapter does one thing through the command line and holds itself to what it promises."""

import contextlib
import os
import sqlite3
import time

from namespaces import wait_for
from places import DEVICE, HOSTS
from running_site import PARTIAL

BROKEN, OFF, MISSING = "ws-emergency-2", "ws-pharmacy-2", "ws-maternity-2"
SOUND = tuple(name for name in HOSTS if name not in (BROKEN, OFF))


class Story:
    def __init__(self, narration, place, site):
        self._tell, self._place, self._site, self._run = narration, place, site, 0

    # ---- before ----

    def found_a_site(self, artifacts):
        self._tell.chapter("A site is founded: its authority, its first keyring, its people")
        self._site.found()
        self._tell.chapter("Plugins, signed by alice; packages; the inventory")
        self._site.publish(self._place.plugins, artifacts)
        self._site.reprise("alice", "inventory", "import", os.path.join("examples", "hr1-mini"), show=True)

    def enrol(self):
        self._tell.chapter("Eight hosts join, each with a code that is good for it, once; alice signs them out of quarantine")
        issued = self._site.ask("alice", "host", "token", *HOSTS)["tokens"]
        for token in issued:
            self._place.hosts[token["host"]].join(f"{self._site.address}:{self._site.join_port}", token["join_code"])
        wait_for(lambda: set(HOSTS) <= self._connected(), "eight agents to connect", 30)
        self._site.reprise("alice", "host", "admit", *(name for name in HOSTS if name != "adm-1"), "--zone", "dirty", show=True)
        self._site.reprise("alice", "host", "admit", "adm-1", "--zone", "admin", "--trust", "rebuilt", show=True)
        self._site.reprise("bob", "host", "ls", show=True)
        # Of a claim that nobody has made yet, everybody would be counted.
        before = self._coverage("--selector", "class in (workstation, admin_workstation)")
        self._tell.promise("before the campaign nobody is shown as protected", before["holds"] == 0 and before["inventory"] == 9,
                           f"{before['holds']} of {before['inventory']}")

    # ---- the campaign ----

    def plan_and_sign(self):
        self._tell.chapter(f"{BROKEN} has a broken package database; {OFF} is switched off; bob plans all the same")
        self._place.break_host(BROKEN)
        self._place.hosts[OFF].off()
        plan, _ = self._site.plan("bob", self._place.workflow, *self._place.settings)
        refused = self._site.reprise("bob", "run", "start", plan, codes=(4,), show=True) is not None
        self._tell.promise("an unsigned plan cannot be started", refused)
        self._site.reprise("alice", "approve", plan, show=True)
        self._run = self._start(plan)
        self._tell.say(f"run {self._run} of plan {plan} has begun")

    def canary_and_gate(self):
        self._tell.chapter("The canary, alone; then a gate that only carol opens")
        wait_for(self._gate_is_ready, lambda: self._site.outline(self._run, ["waiting at its gate"]), 120, every=0.2)
        treated = [name for name in HOSTS if self._place.effects(name)]
        self._tell.promise("until the gate is opened only the canary is treated", len(treated) == 1, ", ".join(treated))
        self._site.reprise("bob", "gate", "approve", str(self._run), "canary-is-sound", codes=(4,), show=True)
        self._site.reprise("carol", "gate", "approve", str(self._run), "canary-is-sound", show=True)

    def kill_in_mid_wave(self):
        self._tell.chapter("In mid-wave the coordinator loses its power, and so does an agent")
        busy = wait_for(self._at_work, "hosts at work in a wave", 60, every=0.05)
        pid = self._site.kill()
        self._tell.say(f"SIGKILL to the coordinator (process {pid}) while {', '.join(busy)} work")
        agent = self._place.hosts[busy[-1]].kill_agent()
        self._tell.say(f"SIGKILL to the agent of {busy[-1]} (process {agent}); it is started again by its supervisor")
        time.sleep(2)  # An outage that everybody notices.
        self._site.start()
        self._tell.say("the coordinator is back, from its journal")
        self._site.reprise("bob", "status", show=True)

    def waves_end(self):
        self._tell.chapter("The waves go on to their end, past the sick host and the one that is off")
        self._site.wait_run(self._run, ("catching_up",), 180)
        self._site.reprise("bob", "run", "show", str(self._run), show=True)
        targets = self._site.targets(self._run, "protect")
        self._tell.promise(f"{BROKEN} failed, and is named with the reason", targets[BROKEN]["state"] == "failed"
                           and targets[BROKEN]["reason"], f"{targets[BROKEN]['code']}: {targets[BROKEN]['reason']}")
        self._tell.promise(f"{OFF} is put off, and held nobody up", targets[OFF]["state"] == "deferred"
                           and all(targets[name]["state"] == "succeeded" for name in SOUND), targets[OFF]["code"])

    def catch_up(self):
        self._tell.chapter(f"{OFF} is switched on again, and catches up by itself")
        self._place.hosts[OFF].on()
        self._site.wait_run(self._run, ("partial",), 120)
        self._site.reprise("bob", "report", "run", str(self._run), "--lang", "en", show=True)

    def count(self):
        self._tell.chapter("Who is protected, asked three ways")
        self._site.reprise("bob", "coverage", "--claim", self._place.claim, codes=(PARTIAL,), show=True)
        coverage = self._coverage()
        gaps = {gap["host"]: gap["code"] for gap in coverage["gaps"]}
        self._tell.promise("coverage is 7 of 9, out of the inventory", (coverage["holds"], coverage["inventory"]) == (7, 9),
                           f"{coverage['holds']} of {coverage['inventory']}")
        self._tell.promise("everyone else is named with the reason", set(gaps) == {BROKEN, MISSING}
                           and gaps[BROKEN] in ("failed", "claim_fails") and gaps[MISSING] == "not_enrolled",
                           ", ".join(f"{name} {code}" for name, code in gaps.items()))
        exempt = {gap["host"] for gap in coverage["exemptions"]}
        self._tell.promise("devices are exempt by rule, and named", exempt == {DEVICE, "ct-1"}, ", ".join(sorted(exempt)))
        if self._place.device:
            self._tell.promise(f"nothing was ever installed on {DEVICE}, which stands in the same network",
                               self._place.effects(DEVICE) == 0 and not self._place.device.installed("clamav-daemon"))
        effects = {name: self._place.effects(name) for name in HOSTS}
        wanted = {name: 0 if name == BROKEN else 1 for name in HOSTS}
        self._tell.say("installations, counted on the hosts themselves: "
                       + ", ".join(f"{name} {count}" for name, count in effects.items()))
        self._tell.promise("each treated host was treated exactly once, through two crashes", effects == wanted)
        proven = {name for name in HOSTS if self._place.protected(name)}
        self._tell.promise("and each is protected when asked without Reprise", proven == set(HOSTS) - {BROKEN},
                           f"{len(proven)} of {len(HOSTS)}")

    def stop_everything(self, workflow, settings):
        self._tell.chapter("An emergency stop, while every host is at work")
        plan, signatures = self._site.plan("bob", workflow, *settings)
        if signatures:
            self._site.reprise("alice", "approve", plan)
        number = self._start(plan)
        wait_for(lambda: len(self._active(number)) >= 5, lambda: self._site.outline(number, ["at work on five hosts"]), 60, every=0.05)
        stop = self._site.ask("alice", "stop", "raise", "--reason", "a drill", "--wait", "10s")
        self._site.reprise("alice", "stop", "show", show=True)
        self._tell.promise("every connected agent confirmed that nothing runs", stop["confirmed"] >= stop["asked"] >= 7,
                           f"{stop['confirmed']} of {stop['asked']}, the slowest after {stop['latency_max_ms']} ms")
        self._tell.promise("what ran was killed", stop["killed"] >= 5, f"{stop['killed']} actions")
        self._tell.promise("within two seconds", stop["latency_max_ms"] <= 2000, f"{stop['latency_max_ms']} ms")
        left = self._place.at_work()
        self._tell.promise("no plugin runs on any host", not left, ", ".join(left))
        self._site.reprise("alice", "stop", "lift", show=True)
        self._site.reprise("bob", "run", "abort", str(number), "--reason", "the drill is over")

    def verify_the_journal(self):
        self._tell.chapter("The journal, which is all that the coordinator remembers")
        journal = os.path.join(self._site.data, "journal.db")
        verdict = self._site.ask("alice", "journal", "verify", journal)
        self._site.reprise("alice", "journal", "verify", journal, show=True)
        self._tell.promise("every event stands as it was written, and the history is legal", verdict["ok"] and verdict["refolded"],
                           f"{verdict['events']} events")
        copy = self._altered_copy(journal)
        found = self._site.ask("alice", "journal", "verify", copy, codes=(1,))
        self._tell.promise("a copy with one bit changed in its middle is found out", not found["ok"] and found["faults"],
                           f"event {found['faults'][0]['sequence']}: {found['faults'][0]['what']}" if found["faults"] else "")

    def _altered_copy(self, journal):
        copy = os.path.join(self._site.folder, "altered.db")
        with contextlib.closing(sqlite3.connect(journal)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            sequence, payload = target.execute(
                "SELECT sequence, payload FROM event WHERE sequence = (SELECT max(sequence) / 2 FROM event)").fetchone()
            target.execute("UPDATE event SET payload = ? WHERE sequence = ?", (payload[:-1] + bytes([payload[-1] ^ 1]), sequence))
            target.commit()
        return copy

    # ---- asking ----

    def _connected(self):
        return {host["name"] for host in self._site.ask("alice", "host", "ls")["hosts"] if host["connected"]}

    def _coverage(self, *more):
        return self._site.ask("bob", "coverage", "--claim", self._place.claim, *more, codes=(0, PARTIAL))

    def _start(self, plan):
        return self._site.ask("bob", "run", "start", plan)["id"]

    def _active(self, number):
        return [target["host"] for target in self._site.run(number)["targets"] if target["task"] == "running"]

    def _at_work(self):
        return self._active(self._run) if len(self._active(self._run)) >= 2 else None

    def _gate_is_ready(self):
        return self._site.gate(self._run, "canary-is-sound")["state"] == "ready"
