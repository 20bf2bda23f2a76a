"""Who may join, who may call what, and what a flood of strangers does. Every door that is found closed is shown to open
for whoever has the right key."""

import json
import os
import shutil
import socket
import ssl
import time
import unittest

from hospital import OPERATORS, PERMISSION_DENIED, UNAVAILABLE, Agent, Hospital, Refused, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401
from wire import Wire

AGENTS = "reprise.agent.v1.AgentService/"
HOUR = 3600
DESCRIPTORS = 128
FLOOD = 200


class Joining(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("join"), {f"ws-00{i}": {} for i in range(1, 10)}, start_agents=False)
        cls.addClassCleanup(cls.hospital.end)

    def agent(self, host, folder):
        """A machine that would like to be `host`."""
        made = Agent.__new__(Agent)
        made._hospital, made.host, made._process = self.hospital, host, None
        made.folder = os.path.join(self.hospital.folder, folder)
        made.state = os.path.join(made.folder, "agent")
        os.makedirs(made.folder)
        made.wire = type("NoWire", (), {"port": self.hospital.coordinator.port})
        return made

    def token(self, host, **more):
        code = self.hospital.tokens([host], **more)[host]
        wait_for(self.hospital._join_port_is_open, "an open join port")
        return code

    def assert_joins(self, host, folder, code):
        exit_code, said = self.agent(host, folder).join(code)
        self.assertEqual(exit_code, 0, said)

    def assert_refused(self, host, folder, code, exit_codes=(4,)):
        agent = self.agent(host, folder)
        exit_code, said = agent.join(code)
        self.assertIn(exit_code, exit_codes, said)
        self.assertFalse(os.path.exists(os.path.join(agent.state, "agent.json")), "refused, and yet enrolled")
        self.assertNotIn(code.split(":")[1], said, "the secret was printed")
        return said

    def test_a_token_serves_once(self):
        code = self.token("ws-001")
        self.assert_joins("ws-001", "first", code)
        self.assert_refused("ws-001", "second", code)

    def test_a_token_serves_only_the_host_that_it_was_made_for(self):
        code = self.token("ws-002")
        self.assert_refused("ws-003", "imposter", code.replace("ws-002:", "ws-003:", 1))
        self.assert_joins("ws-002", "rightful", code)

    def test_a_secret_that_was_never_issued_serves_nobody(self):
        host, secret, ca, keyring = self.token("ws-004").split(":")
        guess = ("2" if secret[0] != "2" else "3") + secret[1:]
        self.assert_refused("ws-004", "guesser", ":".join((host, guess, ca, keyring)))
        self.assert_joins("ws-004", "knower", ":".join((host, secret, ca, keyring)))

    def test_a_join_with_another_authoritys_fingerprint_is_broken_off_before_the_secret_is_told(self):
        host, secret, ca, keyring = self.token("ws-005").split(":")
        self.assert_refused("ws-005", "deceived", ":".join((host, secret, ca[::-1], keyring)), (1, 4, 5))
        self.assert_joins("ws-005", "not-deceived", ":".join((host, secret, ca, keyring)))

    def test_a_join_with_another_keyrings_fingerprint_enrols_nobody(self):
        host, secret, ca, keyring = self.token("ws-006").split(":")
        self.assert_refused("ws-006", "wrong-keyring", ":".join((host, secret, ca, keyring[::-1])), (1, 4))

    def test_a_token_that_expired_serves_nobody(self):
        short, long = self.token("ws-007", ttl_ms=HOUR * 1000), self.token("ws-008", ttl_ms=3 * HOUR * 1000)
        self.hospital.coordinator.end()
        self.hospital.coordinator.start(clock_ahead=2 * HOUR)
        try:
            wait_for(self.hospital._join_port_is_open, "an open join port")
            said = self.assert_refused("ws-007", "too-late", short)
            self.assertIn("expired", said)
            code, said = self.agent("ws-008", "in-time").join(long, clock_ahead=2 * HOUR)
            self.assertEqual(code, 0, said)
        finally:
            self.hospital.coordinator.end()
            self.hospital.coordinator.start()


class Callers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("callers"), {"ws-001": {}})
        cls.addClassCleanup(cls.hospital.end)
        cls.other = Hospital(scratch("other-site"), {}, start_agents=False)
        cls.addClassCleanup(cls.other.end)

    def refusal(self, identity, method, request=None):
        with self.assertRaises(Refused) as refused:
            self.hospital.call_as(identity, method, request or {}, seconds=5)
        return refused.exception.code

    def test_an_operator_may_call_operators_methods(self):
        status = self.hospital.call("GetStatus")
        self.assertEqual((status["you"], status["ca_fingerprint"]), ("alice", self.hospital.ca_fingerprint))

    def test_an_agents_certificate_opens_no_operators_method(self):
        host = self.hospital.certify(host="ws-001")
        for method in ("GetStatus", "StartRun", "RaiseStop", "IssueTokens", "GetKeyring", "ReadJournal", "UploadBlob",
                       "WatchRun"):
            self.assertEqual(self.refusal(host, OPERATORS + method), PERMISSION_DENIED, method)

    def test_an_operators_certificate_opens_no_agents_method(self):
        alice = self.hospital.identities["alice"]
        for method in ("Connect", "Fetch", "Renew"):
            self.assertEqual(self.refusal(alice, AGENTS + method), PERMISSION_DENIED, method)

    def test_a_certificate_without_a_key_in_the_keyring_gives_no_permission(self):
        mallory = self.hospital.certify(operator="mallory")
        self.assertEqual(self.refusal(mallory, OPERATORS + "GetStatus"), PERMISSION_DENIED)

    def test_roles_say_what_a_person_may_do(self):
        carol = self.hospital.identities["carol"]  # Only an approver.
        self.assertEqual(self.hospital.call("GetStatus", who="carol")["you"], "carol")
        for method, request in (("StartRun", {"plan_id": "any"}), ("IssueTokens", {"hosts": ["ws-001"]}),
                                ("ImportInventory", {"source": "x"})):
            self.assertEqual(self.refusal(carol, OPERATORS + method, request), PERMISSION_DENIED, method)

    def test_nobody_calls_without_a_certificate(self):
        nobody = {"ca": self.hospital.identities["alice"]["ca"]}
        self.assertEqual(self.refusal(nobody, OPERATORS + "GetStatus"), UNAVAILABLE)
        self.assertEqual(self.refusal(nobody, AGENTS + "Connect"), UNAVAILABLE)

    def test_a_certificate_of_another_site_opens_nothing(self):
        stranger = {**self.other.identities["alice"], "ca": self.hospital.identities["alice"]["ca"]}
        self.assertEqual(self.refusal(stranger, OPERATORS + "GetStatus"), UNAVAILABLE)

    def test_a_host_that_never_joined_opens_no_agents_method_whoever_certified_it(self):
        never = self.hospital.certify(host="ws-999")
        for method, request in (("Connect", {"messages": [{"hello": {"agent_version": "x"}}]}), ("Fetch", {}),
                                ("Renew", {})):
            self.assertEqual(self.refusal(never, AGENTS + method, request), PERMISSION_DENIED, method)

    def test_a_person_whose_key_was_revoked_may_not_even_look(self):
        bob, keyring = self.hospital.bob, self.hospital.keyring
        self.assertEqual(self.hospital.call("GetStatus", who="bob")["you"], "bob")
        bob.active = False
        self.hospital.call("ExtendKeyring", statement=keyring.extend(self.hospital.alice))
        self.assertEqual(self.refusal(self.hospital.identities["bob"], OPERATORS + "GetStatus"), PERMISSION_DENIED)
        with self.assertRaises(Refused) as refused:  # Nor does anybody bring his key back.
            bob.active = True
            self.hospital.call("ExtendKeyring", statement=keyring.extend(self.hospital.alice))
        bob.active = False
        self.assertIn("revoked", refused.exception.message)

    # ---- TLS ----

    def shake_hands(self, port, version, identity=None):
        """The TLS version that was agreed on, after the server had its chance to refuse."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = version
        context.load_verify_locations(cadata=self.hospital.identities["alice"]["ca"])
        context.set_alpn_protocols(["h2", "http/1.1"])
        if identity:
            folder = scratch("pem")
            for name in ("certificate", "key"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(identity[name])
            context.load_cert_chain(os.path.join(folder, "certificate"), os.path.join(folder, "key"))
        with socket.create_connection(("127.0.0.1", port), 5) as bare:
            with context.wrap_socket(bare, server_hostname="reprise-coordinator") as connection:
                # A refused certificate shows only at the first reading.
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                                   if connection.selected_alpn_protocol() == "h2"
                                   else b"GET /healthz HTTP/1.1\r\nHost: reprise-coordinator\r\n\r\n")
                if not connection.recv(1):
                    raise ssl.SSLError("closed")
                return connection.version()

    def test_tls_1_3_with_a_certificate_is_spoken_and_nothing_less(self):
        alice, port = self.hospital.identities["alice"], self.hospital.coordinator.port
        self.assertEqual(self.shake_hands(port, ssl.TLSVersion.TLSv1_3, alice), "TLSv1.3")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shake_hands(port, ssl.TLSVersion.TLSv1_2, alice)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.shake_hands(port, ssl.TLSVersion.TLSv1_3)

    def test_the_web_and_join_ports_speak_tls_1_3_and_nothing_less(self):
        self.hospital.tokens(["ws-001"])
        wait_for(self.hospital._join_port_is_open, "an open join port")
        for port in (self.hospital.coordinator.web_port, self.hospital.coordinator.join_port):
            self.assertEqual(self.shake_hands(port, ssl.TLSVersion.TLSv1_3), "TLSv1.3")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.shake_hands(port, ssl.TLSVersion.TLSv1_2)


class StolenIdentities(unittest.TestCase):
    """Somebody has a copy of an agent's folder, its key and certificate among the rest."""

    def setUp(self):
        self.hospital = Hospital(scratch("stolen"), {"ws-001": {}})
        self.addCleanup(self.hospital.end)
        self.agent = self.hospital.agents["ws-001"]

    def steal(self, source="127.0.0.1"):
        """Another agent over a copy of the folder, as it is now; it comes from the address `source`. Neither runs."""
        self.agent.end()
        thief = Agent.__new__(Agent)
        thief._hospital, thief.host, thief._process = self.hospital, "ws-001", None
        thief.folder = os.path.join(self.hospital.folder, "thief")
        thief.state = os.path.join(thief.folder, "agent")
        shutil.copytree(self.agent.state, thief.state)
        thief.wire = Wire(self.hospital.coordinator.port, source)
        config = os.path.join(thief.state, "agent.json")
        with open(config, encoding="utf-8") as file:
            named = json.load(file)
        with open(config, "w", encoding="utf-8") as file:
            json.dump({**named, "coordinator": f"127.0.0.1:{thief.wire.port}"}, file)
        self.addCleanup(thief.wire.end)
        self.addCleanup(thief.end)
        return thief

    def wait_said(self, process, words):
        wait_for(lambda: words in process.said(), lambda: f"\"{words}\" in: {process.said()[-2000:]}", seconds=30)

    def refusal(self, identity, method):
        with self.assertRaises(Refused) as refused:
            self.hospital.call_as(identity, AGENTS + method, {}, seconds=10)
        self.assertEqual(refused.exception.code, PERMISSION_DENIED, refused.exception)
        return refused.exception.message

    def host(self):
        return self.hospital.call("GetHost", host="ws-001")

    def kinds(self):
        return [kind for _, kind, _ in self.hospital.events()]

    def test_a_stolen_identity_is_refused_once_the_agent_has_renewed_its_own(self):
        thief = self.steal()
        self.hospital.coordinator.end()
        self.hospital.coordinator.start(clock_ahead=13 * HOUR)  # Half of a certificate's life is 12 h.
        self.agent.run(clock_ahead=13 * HOUR)
        wait_for(lambda: "host_renewed" in self.kinds(), "the agent to renew its certificate", seconds=30)
        # It does not wait for a cut: by a new session it ends whatever the old certificate was good for.
        wait_for(lambda: "session_opened" in self.kinds()[self.kinds().index("host_renewed"):], "a new session", seconds=30)
        opened = self.kinds().count("session_opened")
        thief.run(clock_ahead=13 * HOUR)
        self.wait_said(thief._process, "this identity was replaced")
        self.assertIn("reprise host token ws-001", thief._process.said())
        self.assertIn("replaced", self.refusal(thief.identity(), "Renew"))
        self.assertIn("replaced", self.refusal(thief.identity(), "Fetch"))
        self.assertTrue(self.host()["connected"])
        self.assertEqual(self.kinds().count("session_opened"), opened, "nobody was disturbed")
        self.assertIn("this identity was replaced", self.hospital.coordinator._process.said())

    def test_an_agent_that_renewed_since_the_copy_comes_back_to_a_restored_coordinator(self):
        data, copy = self.hospital.data, self.hospital.data + ".copy"
        self.agent.end()
        before = self.agent.identity()
        self.hospital.coordinator.end()
        shutil.copytree(data, copy)
        self.hospital.coordinator.start(clock_ahead=13 * HOUR)
        self.agent.run(clock_ahead=13 * HOUR)
        wait_for(lambda: "host_renewed" in self.kinds(), "the agent to renew its certificate", seconds=30)
        wait_for(lambda: self.agent.identity() != before, "the agent to store it")
        self.hospital.coordinator.end()
        self.agent.end()
        os.rename(data, data + ".lost")
        os.rename(copy, data)
        self.hospital.coordinator.start(clock_ahead=13 * HOUR)
        self.assertNotIn("host_renewed", self.kinds())
        self.agent.run(clock_ahead=13 * HOUR)
        self.hospital.wait_connected()
        self.assertIn("replaced", self.refusal(before, "Renew"))

    def test_an_expelled_host_is_refused_and_comes_back_into_quarantine_until_it_is_admitted_anew(self):
        before = self.agent.identity()
        self.hospital.call("ExpelHost", host="ws-001", reason="its disk was copied")
        self.wait_said(self.agent._process, "was expelled")
        for method in ("Renew", "Fetch"):
            self.assertIn("expelled", self.refusal(before, method))
        host = self.host()
        self.assertEqual((host["connected"], host["enrolled"], host["expelled_by"], host["expelled_reason"]),
                         (False, False, "alice", "its disk was copied"))
        # A code of before would let in whoever has it; a new one lets in whom people give it to.
        self.agent.end()
        code = self.hospital.tokens(["ws-001"])["ws-001"]
        wait_for(self.hospital._join_port_is_open, "an open join port")
        self.assertEqual(self.agent.join(code)[0], 0)
        self.agent.run()
        self.hospital.wait_connected()
        self.assertIn("replaced", self.refusal(before, "Renew"))
        host = self.host()
        self.assertEqual((host["zone"], host["admitted"], host["expelled_by"]), ("ZONE_QUARANTINE", False, ""))
        run = self.hospital.run_stages(one_stage([["ws-001"]], self.hospital.touch("after"), unreachable_after_ms=1000))
        wait_for(lambda: self.hospital.targets(run)[("ws-001", "one")]["code"] == "not_admitted",
                 lambda: self.hospital.outline(run), seconds=30)
        self.assertEqual(self.hospital.witness(), [])
        self.hospital.state_hosts(["ws-001"])
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of("after"), {"ws-001": 1})

    def test_two_agents_with_one_identity_are_noticed_and_do_not_fill_the_journal(self):
        thief = self.steal(source="127.0.0.2")
        self.agent.run()
        self.hospital.wait_connected()
        thief.run()
        self.wait_said(self.hospital.coordinator._process, "Two agents")
        self.assertIn("127.0.0.2", self.host()["contested_between"])
        self.wait_said(self.hospital.coordinator._process, "come again in")
        count, begun = self.kinds().count("session_opened"), time.monotonic()
        time.sleep(8)
        most = (time.monotonic() - begun) / 6 + 2
        self.assertLessEqual(self.kinds().count("session_opened") - count, most)


class Flood(unittest.TestCase):
    def test_the_coordinator_comes_back_from_a_flood_that_took_all_its_descriptors(self):
        hospital = Hospital(scratch("flood"), {"ws-001": {}})
        self.addCleanup(hospital.end)
        hospital.coordinator.end()
        hospital.coordinator.start(descriptors=DESCRIPTORS)
        hospital.wait_connected()
        flood = []
        self.addCleanup(lambda: [each.close() for each in flood])
        for _ in range(FLOOD):
            idle = socket.socket()
            idle.setblocking(False)
            idle.connect_ex(("127.0.0.1", hospital.coordinator.port))
            flood.append(idle)
        folder = f"/proc/{hospital.coordinator.pid}/fd"
        wait_for(lambda: len(os.listdir(folder)) >= DESCRIPTORS, lambda: f"all descriptors to be taken: "
                 f"{len(os.listdir(folder))} of {DESCRIPTORS}")
        hospital.desk.tell("hang_up")

        def answers():
            try:
                return hospital.call("GetStatus", seconds=5)["you"] == "alice"
            except Refused:
                return False
        # They are still there, and say nothing: it is the coordinator that hangs up.
        wait_for(answers, "an answer after the flood", seconds=60)
        # The agent that was connected was not disturbed, and one that is not finds its way in.
        hospital.agents["ws-001"].kill()
        hospital.agents["ws-001"].run()
        hospital.wait_connected()
        run = hospital.run_stages(one_stage([["ws-001"]], hospital.touch("after-the-flood")))
        hospital.wait_run(run, "succeeded")


if __name__ == "__main__":
    unittest.main()
