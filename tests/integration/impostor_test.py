"""Somebody takes the coordinator's place on the wire. He asks his callers for no papers, so that nobody but the agent can
break off: it speaks to whom its own authority made a coordinator, and to nobody else. The witness is what he hears."""

import os
import socket
import ssl
import threading
import unittest

from hospital import Coordinator, Hospital, one_stage
from processes import scratch, setUpModule, tearDownModule, wait_for  # noqa: F401

PREFACE = b"PRI * HTTP/2.0"  # How every client of gRPC begins.


class Impostor:
    """A TLS server by these papers, as `Hospital.certify` gives them. Listens to so many calls, and never answers."""

    def __init__(self, papers, calls):
        folder = scratch("impostor")
        for name in ("certificate", "key"):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(papers[name])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self._tls.verify_mode = ssl.CERT_NONE
        self._tls.set_alpn_protocols(["h2"])
        self._tls.load_cert_chain(os.path.join(folder, "certificate"), os.path.join(folder, "key"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.calls, self.heard, self.refusals = 0, b"", []
        self._thread = threading.Thread(target=self._serve, args=(calls,), daemon=True)
        self._thread.start()

    def end(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self, calls):
        while self.calls < calls:
            try:
                bare, _ = self._listener.accept()
            except OSError:
                return
            bare.settimeout(2)
            heard = b""
            try:
                with self._tls.wrap_socket(bare, server_side=True) as caller:
                    while len(heard) < len(PREFACE):
                        part = caller.recv(4096)
                        if not part:
                            break
                        heard += part
            except (ssl.SSLError, OSError) as refusal:
                self.refusals.append(str(refusal))
            self.heard += heard
            self.calls += 1


class Impostors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hospital = Hospital(scratch("site"), {"ws-001": {}})
        cls.addClassCleanup(cls.hospital.end)
        cls.wire = cls.hospital.agents["ws-001"].wire

    def tearDown(self):
        """Led back to its coordinator, it works as before: it had been at it all the time."""
        self.wire.lead_to(self.hospital.coordinator.port)
        self.hospital.wait_connected(seconds=40)
        run = self.hospital.run_stages(one_stage([["ws-001"]], self.hospital.touch(self._testMethodName)))
        self.hospital.wait_run(run, "succeeded")

    def heard_by(self, papers, calls):
        """The first words of an agent that was led to an impostor, and how it broke off."""
        impostor = Impostor(papers, calls)
        self.addCleanup(impostor.end)
        self.wire.lead_to(impostor.port)
        wait_for(lambda: impostor.calls == calls, lambda: f"{calls} calls; {impostor.calls} came", seconds=40)
        self.wire.lead_to(self.hospital.coordinator.port)
        return impostor.heard, impostor.refusals

    @staticmethod
    def papers_in(folder):
        papers = {}
        for key, name in (("certificate", "server.crt"), ("key", "server.key"), ("ca", "ca.crt")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                papers[key] = file.read()
        papers["certificate"] += papers["ca"]
        return papers

    def test_a_coordinator_of_its_own_authority_is_spoken_to(self):
        heard, _ = self.heard_by(self.papers_in(self.hospital.data), calls=1)
        self.assertEqual(heard[:len(PREFACE)], PREFACE)

    def test_a_coordinator_that_was_rebuilt_with_a_new_authority_hears_nothing(self):
        rebuilt = os.path.join(self.hospital.folder, "rebuilt")
        config = {"site": "test", "listen": "127.0.0.1:0", "web_listen": "127.0.0.1:0", "join_listen": "127.0.0.1:0",
                  "names": ["127.0.0.1"]}
        founded = self.hospital.desk.tell("found", folder=rebuilt, founder="alice",
                                          keyring=self.hospital.keyring.chain[0], config=config)
        self.assertNotEqual(founded["ca_fingerprint"], self.hospital.ca_fingerprint)
        real = Coordinator(rebuilt, rebuilt + ".log", lambda: None)  # A real one: it makes its papers when it starts.
        real.start()
        real.end()
        heard, refusals = self.heard_by(self.papers_in(rebuilt), calls=2)
        self.assertEqual(heard, b"")
        self.assertEqual(len(refusals), 2, refusals)  # In the middle of the handshake, both times.

    def test_a_host_that_plays_the_coordinator_hears_nothing(self):
        host = self.hospital.certify(host="ws-002")
        heard, _ = self.heard_by({**host, "certificate": host["certificate"] + host["ca"]}, calls=2)
        self.assertEqual(heard, b"")

    def test_an_operator_that_plays_the_coordinator_hears_nothing(self):
        alice = self.hospital.identities["alice"]
        heard, _ = self.heard_by({**alice, "certificate": alice["certificate"] + alice["ca"]}, calls=2)
        self.assertEqual(heard, b"")


if __name__ == "__main__":
    unittest.main()
