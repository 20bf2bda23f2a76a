"""What strangers and sick machines do to a coordinator: rubbish, half a handshake, too much of everything, papers of
somebody else, a full disk. It answers those who have a right to it all the while, and loses nothing. A seed is printed;
REPRISE_SEED replays it."""

import os
import random
import re
import socket
import ssl
import subprocess
import unittest

from hospital import OPERATORS, PERMISSION_DENIED, UNAVAILABLE, Hospital, Refused, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

SEED = int(os.environ.get("REPRISE_SEED", "20261125"))
AGENTS = "reprise.agent.v1.AgentService/"
PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "proto", "reprise")
DAY_MS = 24 * 3600 * 1000
RESOURCE_EXHAUSTED = 8


def methods_of(path):
    """Names of all methods of a service, from its description."""
    with open(os.path.join(PROTO, path), encoding="utf-8") as file:
        return re.findall(r"^\s*rpc (\w+)\(", file.read(), re.MULTILINE)


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}")
        cls.chance = random.Random(SEED)
        cls.hospital = Hospital(scratch("abuse"), {"ws-001": {}})
        cls.addClassCleanup(cls.hospital.end)
        cls.other = Hospital(scratch("other-site"), {}, start_agents=False)
        cls.addClassCleanup(cls.other.end)

    def tearDown(self):
        """Whatever was done: it lives, the agent is there, and work is done."""
        self.assertTrue(self.hospital.coordinator.runs())
        self.assertEqual(self.hospital.call("GetStatus")["you"], "alice")
        self.hospital.wait_connected()
        name = f"after-{self._testMethodName}"
        run = self.hospital.run_stages(one_stage([["ws-001"]], self.hospital.touch(name)))
        self.hospital.wait_run(run, "succeeded")
        self.assertEqual(self.hospital.effects_of(name), {"ws-001": 1})

    def ports(self):
        self.hospital.tokens(["ws-001"])  # Opens the join port for a while.
        wait_for(self.hospital._join_port_is_open, "an open join port")
        coordinator = self.hospital.coordinator
        return coordinator.port, coordinator.web_port, coordinator.join_port

    def secure(self, port, identity=None, alpn=("http/1.1",)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.hospital.identities["alice"]["ca"])
        context.set_alpn_protocols(list(alpn))
        if identity:
            folder = scratch("pem")
            for name in ("certificate", "key"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(identity[name])
            context.load_cert_chain(os.path.join(folder, "certificate"), os.path.join(folder, "key"))
        bare = socket.create_connection(("127.0.0.1", port), 10)
        try:
            return context.wrap_socket(bare, server_hostname="reprise-coordinator")
        except (ssl.SSLError, OSError):
            bare.close()
            raise

    @staticmethod
    def heard(connection, seconds=10):
        """All that comes until the other side ends it, or b'' when it broke off."""
        connection.settimeout(seconds)
        said = b""
        try:
            while len(said) < 1 << 20:
                part = connection.recv(65536)
                if not part:
                    return said
                said += part
        except (ssl.SSLError, ConnectionError, socket.timeout):
            pass
        return said

    # ---- rubbish ----

    def test_rubbish_on_every_port_disturbs_nobody(self):
        for port in self.ports():
            for _ in range(60):
                with socket.create_connection(("127.0.0.1", port), 10) as stranger:
                    try:
                        stranger.sendall(self.chance.randbytes(self.chance.randrange(1, 4096)))
                    except ConnectionError:
                        pass

    def test_rubbish_inside_tls_disturbs_nobody(self):
        _, web, join = self.ports()
        for port in (web, join):
            for _ in range(30):
                with self.secure(port) as stranger:
                    try:
                        stranger.sendall(self.chance.randbytes(self.chance.randrange(1, 4096)))
                    except (ssl.SSLError, ConnectionError):
                        pass
        # Somebody with papers of the site whose HTTP/2 is rubbish.
        for _ in range(30):
            with self.secure(self.hospital.coordinator.port, self.hospital.identities["carol"], alpn=("h2",)) as person:
                try:
                    person.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.chance.randbytes(2048))
                    self.heard(person, seconds=0.2)
                except (ssl.SSLError, ConnectionError):
                    pass

    def test_half_open_connections_are_ended_and_keep_nobody_out(self):
        half = [socket.create_connection(("127.0.0.1", port), 10) for port in self.ports() for _ in range(40)]
        self.addCleanup(lambda: [each.close() for each in half])
        slow = self.secure(self.hospital.coordinator.web_port)
        self.addCleanup(slow.close)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        # Others are served meanwhile …
        with self.secure(self.hospital.coordinator.web_port) as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(b"200", self.heard(other)[:20])
        # … and who never ends his sentence is hung up on.
        slow.settimeout(60)
        try:
            said = slow.recv(4096)
        except (ssl.SSLError, ConnectionError):
            said = b""
        self.assertFalse(said.startswith(b"HTTP/1.1 200"))

    # ---- too much ----

    def test_a_request_that_is_too_large_is_refused_before_it_is_read(self):
        _, web, join = self.ports()
        for port, path in ((web, b"/metrics"), (join, b"/v1/join")):
            with self.secure(port) as stranger:
                sent = 0
                try:
                    stranger.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
                    while sent < 64 << 20:
                        stranger.sendall(bytes(1 << 20))
                        sent += 1 << 20
                except (ssl.SSLError, ConnectionError):
                    pass
                self.assertLess(sent, 64 << 20, "it listened to all of it")
            with self.secure(port) as stranger:
                try:
                    stranger.sendall(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 4000) for i in range(500)))
                except (ssl.SSLError, ConnectionError):
                    pass
                self.assertFalse(self.heard(stranger).startswith(b"HTTP/1.1 200"))

    def test_a_message_that_is_too_large_is_refused(self):
        host = self.hospital.agents["ws-001"].identity()
        large = {"messages": [{"facts": {"facts_json": "x" * (80 << 20)}}]}
        with self.assertRaises(Refused) as refused:
            self.hospital.call_as(host, AGENTS + "Connect", large, seconds=30)
        self.assertEqual(refused.exception.code, RESOURCE_EXHAUSTED)

    # ---- papers ----

    def assert_closed(self, service, methods, who, identity, code):
        for method in methods:
            with self.subTest(who=who, method=method), self.assertRaises(Refused) as refused:
                # Whoever says nothing is told nothing.
                request = {"messages": [{"hello": {"agent_version": "x"}}]} if method == "Connect" else {}
                self.hospital.call_as(identity, service + method, request, seconds=10)
            self.assertEqual(refused.exception.code, code, f"{who}, {method}: {refused.exception}")

    def test_no_method_is_open_to_anybody_without_the_right_papers(self):
        hospital = self.hospital
        ca = hospital.identities["alice"]["ca"]
        # With papers that are not good, nobody gets through TLS; with good ones of somebody else, past it and no further.
        strangers = {
            "nobody": ({"ca": ca}, UNAVAILABLE),
            "another site's operator": ({**self.other.identities["alice"], "ca": ca}, UNAVAILABLE),
            "another site's host": ({**self.other.certify(host="ws-001"), "ca": ca}, UNAVAILABLE),
            "somebody who is not in the keyring": (hospital.certify(operator="mallory"), PERMISSION_DENIED),
            "an operator whose certificate has expired": (hospital.certify(operator="alice", age_ms=31 * DAY_MS),
                                                          UNAVAILABLE),
            "a host whose certificate has expired": (hospital.certify(host="ws-001", age_ms=2 * DAY_MS), UNAVAILABLE),
            "a host that never joined": (hospital.certify(host="ws-999"), PERMISSION_DENIED),
        }
        operators, agents = (methods_of(f"{path}_service.proto") for path in ("operators/v1/operators", "agent/v1/agent"))
        self.assertGreater(len(operators), 25)
        self.assertEqual(set(agents), {"Connect", "Fetch", "Renew"})
        for who, (identity, code) in strangers.items():
            self.assert_closed(OPERATORS, operators, who, identity, code)
            self.assert_closed(AGENTS, agents, who, identity, code)
        # Each at the other's door.
        self.assert_closed(OPERATORS, operators, "a host", hospital.agents["ws-001"].identity(), PERMISSION_DENIED)
        self.assert_closed(AGENTS, agents, "an operator", hospital.identities["alice"], PERMISSION_DENIED)


@unittest.skipUnless(os.geteuid() == 0, "a disk that can be filled is a mount, which takes root")
class FullDisk(unittest.TestCase):
    def test_a_full_disk_stops_the_coordinator_from_answering_and_loses_nothing(self):
        hospital = Hospital(scratch("full"), {"ws-001": {}, "ws-002": {}})
        self.addCleanup(hospital.end)
        hospital.coordinator.end()
        # The same folder, on a disk of its own.
        moved = hospital.data + ".moved"
        os.rename(hospital.data, moved)
        os.mkdir(hospital.data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "reprise-test", hospital.data], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", hospital.data], check=True))
        self.addCleanup(lambda: hospital.coordinator.end())
        subprocess.run(["cp", "-a", moved + "/.", hospital.data], check=True)
        hospital.coordinator.start()
        hospital.wait_connected()
        run = hospital.run_stages(one_stage([["ws-001"], ["ws-002"]], *[
            hospital.touch(f"full-{i}", mode="slow", slow_ms=150) for i in range(6)]))
        wait_for(lambda: hospital.witness(), "the run to be at work")
        ballast = os.path.join(hospital.data, "ballast")
        self.fill(ballast)

        def refuses():
            try:
                hospital.call("ImportInventory", source="x" * 3_000_000, hosts=[])
                return False
            except Refused as refused:
                return refused.code == UNAVAILABLE and refused.message
        said = wait_for(refuses, "a command to be refused", seconds=30, every=0.2)
        self.assertIn("the journal cannot be written", said)
        self.assertTrue(hospital.coordinator.runs())
        os.remove(ballast)
        hospital.wait_run(run, "succeeded", seconds=90)
        for i in range(6):
            self.assertEqual(hospital.effects_of(f"full-{i}"), {"ws-001": 1, "ws-002": 1}, f"full-{i}")
        hospital.coordinator.end()
        self.assertEqual(hospital.verify_journal()["faults"], [])

    @staticmethod
    def fill(path):
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        with open(path, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass


if __name__ == "__main__":
    unittest.main()
