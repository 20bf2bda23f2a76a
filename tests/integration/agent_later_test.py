"""What an agent does as time goes by: its own clock counts, its certificate is renewed, and a revocation that it has heard
of holds, whatever its coordinator says later."""

import os
import unittest

from liar import LyingSite
from people import HOUR, Plan, sha256, stage, step
from processes import scratch, setUpModule, tearDownModule  # noqa: F401


class Later(unittest.TestCase):
    def setUp(self):
        self.site = LyingSite(scratch("later"), {"alice": ["admin", "operator", "approver"],
                                                 "bob": ["operator", "approver"]})
        self.addCleanup(self.site.end)
        self.alice, self.bob = self.site.people.values()
        self.liar, self.keyring = self.site.liar, self.site.keyring
        self.ws = self.site.agent("ws-001", self.alice)

    def attempt(self, name, signer):
        plan = Plan(self.liar.encode, sha256(self.site.mock), self.alice,
                    [stage("one", [["ws-001"]], [step("step", {"state_file": self.ws.file(name)})])])
        ended = self.ws.attempt({"key": plan.key(), "authority": plan.authority("ws-001", signer)})
        done = ended["outcome"] == "OUTCOME_CHANGED"
        self.assertEqual(os.path.exists(self.ws.file(name)), done, ended)
        return "done" if done else ended["code"]

    def test_an_agent_goes_by_its_own_clock_and_renews_its_certificate_in_time(self):
        self.assertEqual(self.attempt("now", self.alice), "done")
        self.assertFalse(any(event["is"] == "renewed" for event in self.liar.events))
        self.ws.end()
        self.ws.run(clock_ahead=13 * HOUR)  # Half of a certificate's life is 12 h; the plan lives one.
        self.liar.wait(lambda event: event["is"] == "renewed")
        self.assertEqual(self.attempt("later", self.alice), "expired")

    def test_the_key_of_somebody_who_was_revoked_signs_nothing_any_more(self):
        self.assertEqual(self.attempt("before", self.bob), "done")
        self.bob.active = False
        self.liar.send("ws-001", {"keyring": {"statements": [self.keyring.extend(self.alice)]}})
        self.assertEqual(self.attempt("after", self.bob), "too_few_signatures")
        self.assertEqual(self.attempt("by-alice", self.alice), "done")
        # A coordinator restored from before the revocation changes nothing: the agent keeps what it has learned.
        self.ws.kill()
        self.ws.run()
        self.assertEqual(self.ws.hello["keyring_version"], 2)
        self.liar.send("ws-001", {"keyring": {"statements": [self.keyring.chain[0]]}})
        self.assertEqual(self.attempt("after-restart", self.bob), "too_few_signatures")
        # Nor does a key that was revoked come back.
        self.bob.active = True
        self.liar.send("ws-001", {"keyring": {"statements": [self.keyring.extend(self.alice)]}})
        self.assertEqual(self.attempt("once-more", self.bob), "too_few_signatures")

    def test_somebody_who_was_not_revoked_signs_on(self):
        self.assertEqual(self.attempt("by-bob", self.bob), "done")


if __name__ == "__main__":
    unittest.main()
