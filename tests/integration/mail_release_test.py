"""Mail to its end: the new server stands in a bubble, the mover comes in by a flow that two people signed, and when all has moved two posts
are let in, and nobody else.

The workflows are the example's, planned, signed and run through the command line. What people find in their mailboxes is asked with Python's
imaplib, at their posts.
"""

import os
import sys
import unittest

from processes import BUILD, scratch, setUpModule, tearDownModule  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lab"))

from lab import Lab, why_impossible  # noqa: E402
from running_site import ROOT, Site  # noqa: E402

_MISSING = [path for path in ("/usr/lib/dovecot/imap", "/usr/sbin/clamd") if not os.path.exists(path)]
IMPOSSIBLE = why_impossible() or (f"{_MISSING[0]} is not installed; run cmake/install-packages" if _MISSING else "")
if not IMPOSSIBLE:
    from mail_house import NEW_PORT, PEOPLE, MailHouse, address_of  # noqa: E402
    from mail_move import MOVER, MailMove  # noqa: E402

GATEWAY, PROBER, SERVER, OUTSIDE = "gw-rh-1", "srv-agiletime-1", "srv-mail-1", "ws-rh-5"
POSTS = ("ws-rh-1", "ws-rh-2")
PORTS = (7443, 7444, 7445)
ENDED = ("succeeded", "partial", "failed", "aborted")
# What somebody at a post does: her own password, the server's certificate checked, every message counted.
READ = """
import imaplib, ssl, sys
imap = imaplib.IMAP4_SSL(sys.argv[1], int(sys.argv[2]), ssl_context=ssl.create_default_context(cafile="/tmp/mail-ca.pem"), timeout=3)
imap.login(sys.argv[3], "new")
count = 0
for line in imap.list()[1]:
    if b"Noselect" not in line:
        name = line.decode().rpartition(' "/" ')[2]
        count += int(imap.select(name if name.startswith('"') else '"' + name + '"', readonly=True)[1][0])
print(count)
"""


@unittest.skipIf(IMPOSSIBLE, f"no lab here: {IMPOSSIBLE}")
class TheNewServerInABubble(unittest.TestCase):
    """Its steps build on each other, and are told in one test."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab.up([GATEWAY, MOVER, OUTSIDE, *POSTS, PROBER, SERVER], folder=os.path.join(scratch("lab"), "lab"),
                         behind={PROBER: GATEWAY, SERVER: GATEWAY})
        cls.addClassCleanup(cls.lab.down)
        cls.site = Site(scratch("site"), BUILD, cls.lab.network.router, lambda words: cls.lab.at_router(*words), lambda *_: None, PORTS)
        cls.addClassCleanup(cls.site.end)
        cls.house = MailHouse(cls.lab, inside=SERVER)
        cls.addClassCleanup(cls.house.end)
        cls.house.more_quota()
        cls.move = MailMove(cls.lab, cls.site, cls.house)
        cls.site.found()
        cls.site.publish(("mail", "bubble"), ())
        cls.site.reprise("alice", "inventory", "import", os.path.join(ROOT, "examples", "hr1-mini"))
        cls.house.wait()
        cls.move.equip()
        cls.move.enrol(GATEWAY)
        cls.join((OUTSIDE,), "rebuilt", "rebuilt")

    @classmethod
    def join(cls, names, zone, trust):
        cls.move.join(names)
        cls.site.reprise("alice", "host", "admit", *names, "--zone", zone, "--trust", trust)

    def do(self, workflow, *settings, signers=()):
        plan, _ = self.site.plan("bob", workflow, *settings)
        for name in signers:
            self.site.reprise(name, "approve", plan)
        run = self.site.ask("bob", "run", "start", plan)["id"]
        view = self.site.wait_run(run, ENDED, 60)
        self.assertEqual(view["state"], "succeeded", self.site.outline(run, ["succeeded"]))

    def seal(self):
        network, router = self.lab.network, self.lab.network.router
        members = [address for name in (PROBER, SERVER) for address in (self.lab.host(name).address, self.lab.host(name).address6)]
        self.do("bubble", f"subnets={','.join(network.inside_networks)}", f"members={','.join(members)}",
                f"management=tcp:{router}:{PORTS[0]},tcp:{router}:{PORTS[2]}", signers=("alice",))
        self.join((PROBER,), "bubble", "checked")

    def prove(self):
        network, outside, inside = self.lab.network, self.lab.host(OUTSIDE), self.lab.host(SERVER)
        self.do("bubble-proof",
                f"outside=tcp:{outside.address}:22,udp:{outside.address}:137,icmp:{outside.address},dns:{network.router},"
                f"tcp:[{network.router6}]:{PORTS[1]},icmp:{network.router6}",
                f"inside=tcp:{inside.address}:{NEW_PORT},udp:{inside.address}:137,icmp:{inside.address},dns:{inside.address},"
                f"tcp:[{inside.address6}]:{NEW_PORT},icmp:{inside.address6}",
                f"inside_control=tcp:{network.router}:{PORTS[0]},icmp:{network.inside_gateway6}",
                f"outside_control=icmp:{self.lab.host(GATEWAY).address},icmp:{self.lab.host(GATEWAY).address6}")

    def read(self, host, person):
        """How many messages somebody finds from there; None: the server is not to be reached."""
        server = self.house.new
        self.lab.host(host).take_in(os.path.dirname(server.authority.file), "/tmp/authority")
        self.lab.host(host).run("cp", "/tmp/authority/ca.pem", "/tmp/mail-ca.pem")
        code, said = self.lab.host(host).attempt("python3", "-c", READ, server.address, str(server.port), address_of(person))
        if code == 0:
            return int(said)
        self.assertRegex(said, "timed out|Network is unreachable|No route to host|refused")
        return None

    def test_two_posts_reach_the_moved_mail_and_nobody_else_does(self):
        site, house, move = self.site, self.house, self.move
        people = PEOPLE["lot-canary"]
        self.seal()
        self.prove()
        self.assertIsNone(self.read(MOVER, people[0]), "the bubble is closed for the mover too")
        self.do("flow", f"from={self.lab.host(MOVER).address}", f"to={house.new.address}", f"port={NEW_PORT}", "duration=1h",
                "decision=crisis cell, meeting 17", signers=("alice", "bob"))

        run = move.begin(*(self.lab.host(name).address for name in POSTS))
        for gate in ("canary-reads-its-mail", "batch-may-close"):
            move.reach_gate(run, gate)
            self.assertIsNone(self.read(POSTS[0], people[0]), "nobody is let in before all is proven")
            site.reprise("carol", "gate", "approve", str(run), gate)
        view = site.wait_run(run, ENDED, 90)
        self.assertEqual(view["state"], "succeeded", site.outline(run, ["succeeded"]))

        self.assertEqual(house.equal()[:3], (12, 239, []))
        self.assertEqual([self.read(post, person) for post, person in zip(POSTS, people)], [20, 20])
        self.assertIsNone(self.read(OUTSIDE, people[1]), "a post that nobody admitted")
        self.prove()


if __name__ == "__main__":
    unittest.main()
