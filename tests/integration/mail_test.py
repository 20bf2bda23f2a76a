"""Twelve mailboxes between two real Dovecots, in two batches, through coordinator and agent: killed twice in the middle, one too full.

The workflow is the example's, planned, signed and run through the command line; the mover comes into the new server with tokens (XOAUTH2).
What is there is asked with Python's imaplib.
"""

import hashlib
import os
import sys
import time
import unittest

from processes import BUILD, scratch, setUpModule, tearDownModule  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from lab import Lab, why_impossible  # noqa: E402
from namespaces import wait_for  # noqa: E402
from running_site import ROOT, Site  # noqa: E402

_MISSING = [path for path in ("/usr/lib/dovecot/imap", "/usr/sbin/clamd") if not os.path.exists(path)]
IMPOSSIBLE = why_impossible() or (f"{_MISSING[0]} is not installed; run cmake/install-packages" if _MISSING else "")
if not IMPOSSIBLE:
    from mail_house import BATCH, CANARY, FULL, INFECTED, INFECTED_NUMBER, PEOPLE, MailHouse, full_name, message  # noqa: E402
    from mail_move import MOVER, MailMove  # noqa: E402
    from mail_movers import MailMovers  # noqa: E402

# The workflow ends at a bubble that nobody made here: it waits there. Later it is a mover too.
GATEWAY = "gw-rh-1"
PORTS = (7443, 7444, 7445)


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class TwelveMailboxes(unittest.TestCase):
    """The steps of the first build on each other, and are told in one test."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab.up([MOVER, GATEWAY], folder=os.path.join(scratch("lab"), "lab"))
        cls.addClassCleanup(cls.lab.down)
        cls.site = Site(scratch("site"), BUILD, cls.lab.network.router, lambda words: cls.lab.at_router(*words), lambda *_: None, PORTS)
        cls.addClassCleanup(cls.site.end)
        cls.house = MailHouse(cls.lab)
        cls.addClassCleanup(cls.house.end)
        cls.move = MailMove(cls.lab, cls.site, cls.house)
        cls.site.found()
        cls.site.publish(("mail", "bubble"), ())
        cls.site.reprise("alice", "inventory", "import", os.path.join(ROOT, "examples", "hr1-mini"))
        cls.house.wait()
        cls.move.equip()
        cls.move.enrol(GATEWAY)

    def approve(self, run, gate):
        self.site.reprise("carol", "gate", "approve", str(run), gate)

    def test_each_message_is_there_once_after_two_kills_and_only_the_mail_lead_reads_a_name(self):
        house, move = self.house, self.move
        run = move.begin("10.77.250.11", "10.77.250.12")
        move.reach_gate(run, "canary-reads-its-mail")
        self.assertEqual(house.equal((CANARY,)), (2, 40, [], []))
        self.assertFalse(house.takes_mail(PEOPLE[CANARY][0]))
        self.assertEqual(house.arrived(BATCH), 0, "the other batch waits for its gate")
        before, _ = house.sides(PEOPLE[BATCH][0])

        self.approve(run, "canary-reads-its-mail")
        move.reach_middle()
        for kill in (move.kill_plugin, self.lab.host(MOVER).kill_agent):
            kill()
            over, killed = house.arrived(BATCH), time.monotonic()
            wait_for(lambda: house.arrived(BATCH) > over + 20, lambda: self.site.outline(run, ["copying again"]), 40, every=0.02)
            self.assertLess(time.monotonic() - killed, 12, "the workflow's back-off, not the engine's own")
        move.reach_gate(run, "batch-may-close")
        for name in ("prestage", "delta"):
            self.assertIn("1 failed (over_quota 1)", move.step(run, "prestage", name)["reason"], self.site.outline(run, [name]))
        self.assertGreaterEqual(move.step(run, "prestage", "prestage")["attempts"], 3, "it was killed twice")
        self.assertEqual(house.equal((BATCH,)), (9, 179, [FULL], []))
        self.assertEqual(house.sides(PEOPLE[BATCH][0])[0], before, "the old side is only read")
        self.the_report_names_who_has_trouble()

        house.something_new(PEOPLE[BATCH][0])
        house.more_quota()
        self.approve(run, "batch-may-close")
        target = move.reach_stage_end(run, "cut-over")
        self.assertEqual(target["state"], "succeeded", self.site.outline(run, ["cut over"]))
        # In their order too: also in the one that was full, where a small one would have fitted when a large one did not.
        self.assertEqual(house.equal(), (12, 239, [], []))
        for people in PEOPLE.values():
            self.assertEqual([person for person in people if house.takes_mail(person)], [], "the old server takes no mail")
        waits = wait_for(lambda: [text for stage in self.site.run(run)["stages"] for text in stage["waits_for"]],
                         lambda: self.site.outline(run, ["waiting with the release"]), 20, every=0.2)
        self.assertIn("bubble.closed", "; ".join(waits))
        kept = move.quarantine()
        self.assertEqual([(said, signature.partition(".UNOFFICIAL")[0]) for said, _, signature in kept],
                         [(hashlib.sha256(message(INFECTED, INFECTED_NUMBER)).hexdigest(), "Reprise.Test.Marker")])
        self.assertEqual(kept[0][0], kept[0][1], "the file in quarantine is the message")
        self.the_counts_are_told(run)
        self.nobody_else_has_learned_a_name()
        self.site.reprise("bob", "run", "abort", str(run), "--reason", "the end of this test")

    def test_two_movers_together_open_no_more_connections_than_the_new_server_bears(self):
        movers = MailMovers(self.lab, self.site, self.house, (MOVER, GATEWAY))
        movers.equip()
        seen = {}
        for capacity in (6, 16):
            movers.more_mail()
            ended, seen[capacity] = movers.move(capacity)
            self.assertEqual(ended["state"], "succeeded", self.site.outline(ended["id"], ["succeeded"]))
            self.assertTrue(movers.arrived())
        self.assertLessEqual(seen[6], 6, seen)
        self.assertGreaterEqual(seen[6], 4, "a mover used what it took")
        # Where the server bears it, the same two do it at once: the count would have seen an excess.
        self.assertGreater(seen[16], 6, seen)

    def the_report_names_who_has_trouble(self):
        report, mode = self.move.report(BATCH)
        troubled, _, others = report.partition("Les autres")
        names = [full_name(person) for person in PEOPLE[BATCH]]
        shown = [full_name(person) for person in (FULL, INFECTED)]
        self.assertEqual([name for name in names if name in troubled], shown, report)
        self.assertIn("boîte cible pleine / the target mailbox is full", troubled.partition(shown[1])[0])
        self.assertIn("infecté, en quarantaine / infected, in quarantine", troubled.partition(shown[1])[2])
        self.assertEqual(len([name for name in names if name in others]), 8, report)
        self.assertEqual(mode, "600")
        self.assertIn("over_quota", self.move.report(BATCH, "csv")[0])

    def the_counts_are_told(self, run):
        told = self.site.ask("bob", "host", "show", MOVER)
        claims = {claim["name"]: claim for claim in told["claims"]}
        self.assertEqual(claims["mail.cut_over"]["state"], "holds", claims)
        self.assertIn("10 cut_over", claims["mail.cut_over"]["detail"])
        measures = {(each["name"], each["subject"]): float(each["value"]) for each in told["measures"]}
        # One came and one was thrown away since they were copied.
        self.assertEqual([measures[("mail.messages_copied", batch)] for batch in (CANARY, BATCH)], [40, 199], measures)
        self.assertEqual([measures[("mail.boxes", f"{batch}.cut_over")] for batch in (CANARY, BATCH)], [2, 10], measures)
        self.assertEqual(measures[("mail.messages_held", BATCH)], 1)
        evidence = self.move.step(run, "prestage", "delta")["evidence_json"]
        self.assertIn(f"roster line {self.line_of(FULL)}: over_quota", evidence, "a failed one is called by its line in the roster")

    @staticmethod
    def line_of(person):
        return 2 + [each for people in PEOPLE.values() for each in people].index(person)

    def nobody_else_has_learned_a_name(self):
        told = self.move.told()
        self.assertIn('name="mail.boxes"', told["metrics"])
        self.assertIn("over_quota 1", told["journal"])
        self.assertEqual(self.move.named_in(told), {})
        # The search finds what is there.
        self.assertEqual(list(self.move.named_in({"report": self.move.report(BATCH)[0]})), ["report"])


if __name__ == "__main__":
    unittest.main()
