"""A site whose coordinator lies (lying_coordinator.cc), and real agents that joined it and pinned its keys."""

import http.server
import json
import os
import ssl
import subprocess
import threading

import processes
from orders import OrderTaker
from people import Keyring, Person, host_statement, sha256
from processes import Process, program


class LyingCoordinator(OrderTaker):
    """What stands in its stead, told in Python what to say."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "coordinator")
        super().__init__("lying_coordinator", os.path.join(folder, "liar.log"), "--folder", self.folder)
        listening = self.wait(lambda event: event["is"] == "listening")
        self.port, self.ca_fingerprint = listening["port"], listening["ca_fingerprint"]

    def heard(self, host, kind, since=0, seconds=20):
        """The first message of that kind that the host said since then."""
        return self.wait(lambda event: event["is"] == "said" and event["host"] == host and kind in event["message"],
                         since, seconds)["message"][kind]

    def send(self, host, *messages):
        self.tell("send", host=host, batch={"messages": list(messages)})

    def keep(self, content, as_sha256):
        """Serves `content` under that hash, whether it has it or not."""
        folder = os.path.join(self.folder, "blobs", as_sha256.hex()[:2])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, as_sha256.hex()), "wb") as file:
            file.write(content)


class JoinPort:
    """Enrols whoever asks, over TLS 1.3 with the site's server certificate and its authority in the chain."""

    def __init__(self, liar, keyring):
        def answer(asked):
            made = liar.tell("certify", host=asked["host"], csr=asked["csr"])
            chain = [{"statement_b64": link["statement"], "signatures": [s["minisig"] for s in link["signatures"]]}
                     for link in keyring.chain[:1]]
            return {"certificate": made["certificate"], "ca": made["ca"], "keyring": chain,
                    "coordinator": f"127.0.0.1:{liar.port}"}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.dumps(answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        chain = os.path.join(liar.folder, "chain.pem")
        with open(chain, "w", encoding="utf-8") as whole:
            for name in ("server.crt", "ca.crt"):
                with open(os.path.join(liar.folder, name), encoding="utf-8") as part:
                    whole.write(part.read())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_cert_chain(chain, os.path.join(liar.folder, "server.key"))
        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def end(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class JoinedAgent:
    """A real agent with a disk of its own, connected to the liar."""

    def __init__(self, folder, host, liar, join_port, keyring):
        self.host, self._liar = host, liar
        self.folder = os.path.join(folder, host)
        self.state, self.disk = os.path.join(self.folder, "agent"), os.path.join(self.folder, "disk")
        os.makedirs(self.disk)
        code = f"{host}:anything:{liar.ca_fingerprint}:{keyring.fingerprint}"
        subprocess.run([program("reprise-agent"), "join", "--coordinator", f"127.0.0.1:{join_port}", "--code", code,
                        "--state", self.state], check=True, capture_output=True, text=True, timeout=20)
        self.run()

    def run(self, clock_ahead=0):
        since = self._liar.mark()
        self._process = Process([program("reprise-agent"), "run", "--state", self.state],
                                os.path.join(self.folder, "agent.log"), environment=processes.late(clock_ahead))
        self.hello = self._liar.heard(self.host, "hello", since)
        self._liar.send(self.host, {"welcome": {"keyring_version": 1, "heartbeat_ms": 15000}})

    def file(self, name):
        return os.path.join(self.disk, name)

    def end(self):
        self._process.end()

    def kill(self):
        self._process.kill()

    def attempt(self, task):
        """Sends a task, waits for its end, acknowledges it."""
        since = self._liar.mark()
        self._liar.send(self.host, {"task": task})
        ended = self._liar.wait(lambda event: event["is"] == "said" and event["host"] == self.host and
                                event["message"].get("finished", {}).get("key", {}).get("plan_id") ==
                                task["key"]["plan_id"], since)["message"]["finished"]
        self._liar.send(self.host, {"acknowledged": {"key": ended["key"]}})
        return ended


class LyingSite:
    """People, the liar with the mock plugin in its store, and agents that believe its certificate. Ended by `end`."""

    def __init__(self, folder, people, protected=()):
        self.folder = folder
        self.people = {name: Person(folder, name, roles) for name, roles in people.items()}
        self.keyring = Keyring(list(self.people.values()), protected)
        self.liar = LyingCoordinator(folder)
        self._join = JoinPort(self.liar, self.keyring)
        self._agents = []
        with open(os.path.join(processes.BUILD, "plugins", "mock.so"), "rb") as file:
            self.mock = file.read()
        self.liar.keep(self.mock, sha256(self.mock))

    def agent(self, host, admitted_by=None, **place):
        """`place`: as host_statement takes it."""
        joined = JoinedAgent(self.folder, host, self.liar, self._join.port, self.keyring)
        self._agents.append(joined)
        if admitted_by:
            self.liar.send(host, {"host_statement": host_statement(host, 1, admitted_by, **place)})
        return joined

    def end(self):
        for agent in self._agents:
            agent.end()
        self._join.end()
        self.liar.end()
