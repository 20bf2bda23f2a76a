"""The mail: twelve mailboxes move in two batches, one of them killed in the middle; one is too full, and only the mail lead reads whose."""

import re

from chapters import Chapters
from mail_house import BATCH, CANARY, FULL, PEOPLE, full_name
from mail_move import MOVER, MailMove
from namespaces import wait_for


class MailWeek(Chapters):
    def __init__(self, narration, place, site):
        super().__init__(narration, place, site)
        self._house, self._move, self._run = place.mail, MailMove(place.lab, site, place.mail), 0

    def mail(self):
        self.canary()
        self.batch()
        self.cut_over()
        self.names()

    def canary(self):
        self._tell.chapter("The mail: an old Dovecot, a new one entered with tokens, a mover that reaches both; two mailboxes go first")
        self._house.wait()
        self._move.equip()
        self._move.enrol()
        self._run = self._move.begin(self._address("ws-rh-1"), self._address("ws-rh-2"))
        self._move.reach_gate(self._run, "canary-reads-its-mail")
        same, messages, differ, disordered = self._house.equal((CANARY,))
        self._tell.promise("both are the same on both sides: each message's hash, its flags, its date, asked with Python's imaplib",
                           same == len(PEOPLE[CANARY]) and not differ and not disordered, f"{messages} messages")
        self._tell.promise("the old ones take no mail any more, and nothing of the other ten has moved",
                           not self._house.takes_mail(PEOPLE[CANARY][0]) and self._house.arrived(BATCH) == 0)

    def batch(self):
        self._tell.chapter("carol's people find their mail; the other ten follow, and in the middle of it the mover's agent is killed")
        self._site.reprise("carol", "gate", "approve", str(self._run), "canary-reads-its-mail", show=True)
        count = self._move.reach_middle()
        agent = self._lab.host(MOVER).kill_agent()
        self._tell.say(f"SIGKILL to the agent (process {agent}) when {count} messages were over; its supervisor starts it again")
        self._move.reach_gate(self._run, "batch-may-close")
        prestaged = self._move.step(self._run, "prestage", "prestage")
        self._tell.say(prestaged["reason"])
        self._tell.promise("it goes on where it was: nine are there", "9 prestaged, 1 failed (over_quota 1)" in prestaged["reason"])
        report, mode = self._move.report(BATCH)
        person = full_name(FULL)
        named = next((line for line in report.partition(person)[2].splitlines()[1:2]), "")
        self._tell.promise("the tenth is too full; the mail lead's report on the mover names it, root alone may read it",
                           "the target mailbox is full" in named and mode == "600", f"mode {mode}")
        kept = self._move.quarantine()
        self._tell.promise("one message was infected: clamd said so on its way, it lies in quarantine with its evidence",
                           len(kept) == 1 and kept[0][0] == kept[0][1], ", ".join(signature for _, _, signature in kept))

    def cut_over(self):
        self._tell.chapter("Meanwhile somebody works in an old mailbox; the full one gets its space; carol lets the ten be closed")
        self._house.something_new(PEOPLE[BATCH][0])
        self._house.more_quota()
        self._site.reprise("carol", "gate", "approve", str(self._run), "batch-may-close", show=True)
        target = self._move.reach_stage_end(self._run, "cut-over")
        self._tell.promise("the ten are closed, and what came, was read or was thrown away last came along",
                           target["state"] == "succeeded" and not self._house.takes_mail(PEOPLE[BATCH][0]), target["steps"][0]["reason"])
        same, messages, differ, disordered = self._house.equal()
        self._tell.promise("twelve of twelve are the same on both sides but for the infected one, nothing lost, nothing twice",
                           (same, differ) == (12, []), f"{messages} messages, hashed by Python on both servers")
        self._tell.promise("and in their order, also in the one that was full", not disordered)
        measures = {(each["name"], each["subject"]): float(each["value"]) for each in self._site.ask("bob", "host", "show", MOVER)["measures"]}
        copied = measures.get(("mail.messages_copied", CANARY), 0) + measures.get(("mail.messages_copied", BATCH), 0)
        self._tell.promise("as many as the mover counts", copied == messages, f"{copied:g} messages copied")
        waits = wait_for(lambda: [text for stage in self._site.run(self._run)["stages"] for text in stage["waits_for"]],
                         lambda: self._site.outline(self._run, ["waiting with the release"]), 20, every=0.2)
        self._tell.promise("workstations are let to the new server only when the bubble is proven closed", "bubble.closed" in "; ".join(waits),
                           "; ".join(waits))
        self._site.reprise("bob", "run", "abort", str(self._run), "--reason", "released with the bubble, by a plan of its own")

    def names(self):
        self._tell.chapter("Who has learned whose mailboxes these were")
        told = self._move.told()
        gauges = re.findall(r'^reprise_measure\{[^}]*name="mail\.boxes"[^}]*\} .*$', told["metrics"], re.MULTILINE)
        for line in gauges:
            self._tell.say(line)
        named = self._move.named_in(told)
        self._tell.promise("no name, password or subject is in the journal, the logs, the metrics or what the agent keeps",
                           not named and gauges, ", ".join(named) or f"{sum(len(text) for text in told.values()) >> 10} KiB searched")
