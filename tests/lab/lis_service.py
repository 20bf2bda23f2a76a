#!/usr/bin/env python3
"""Stands in for a laboratory's server programs, which cannot be had here: an HTTP service over its base, and the HL7 v2
connector, a program of its own that can be down while the laboratory works.

    lis_service.py serve --socket FOLDER --port 5504 --role lis_app --listen 0.0.0.0:8420
    lis_service.py connector --socket FOLDER --port 5504 --role lis_app --listen 0.0.0.0:2575 [--peer 10.0.0.9:2576]

The connector takes requests (ORM^O01, OML^O21) by MLLP: message and request are kept in one statement, both or none, then it
says AA. A message that it has already, with the same content, is AA again and not kept again; the same control id with
another content, or a request number that another message has, is AE with the reason in MSA-3, and changes nothing. What it
does not take is AR, and kept as refused. In training mode (MSH-11 is T) it acknowledges and keeps nothing. With a peer it sends the results that wait,
in their order, each until it is acknowledged. It is not a vendor's program. Python's standard library only.
"""

import argparse
import http.server
import json
import socket
import socketserver
import sys
import threading
import time

from standin_service import Base, BaseError

TAKEN = ("ORM^O01", "OML^O21")
KEEP_REQUEST = (
    "WITH kept AS (INSERT INTO hl7.message (direction, control_id, type, at, ack, body) VALUES ('in', $1, $2, now(), 'AA', $3)"
    " ON CONFLICT DO NOTHING RETURNING control_id)"
    # No conflict is passed over here: then the message is not kept either.
    " INSERT INTO lab.request (request_no, ward, asked_at, control_id) SELECT $4, $5, now(), control_id FROM kept RETURNING request_no")
# Content and request are looked at: what is acknowledged again is really kept.
SAME = ("SELECT 1 FROM hl7.message m JOIN lab.request r USING (control_id)"
        " WHERE m.direction = 'in' AND m.ack = 'AA' AND m.control_id = $1 AND m.body = $2 AND r.request_no = $3")
OWNER = "SELECT coalesce(control_id, '') FROM lab.request WHERE request_no = $1 AND control_id IS DISTINCT FROM $2"
KEEP_REFUSED = ("INSERT INTO hl7.message (direction, control_id, type, at, ack, body) VALUES ('in', $1, $2, now(), $3, '')"
                " RETURNING message_id")
WAITING = "SELECT message_id, control_id, type, body FROM hl7.message WHERE direction = 'out' AND ack IS NULL ORDER BY message_id LIMIT 100"
ACKNOWLEDGED = "UPDATE hl7.message SET ack = $2, at = now() WHERE message_id = $1::bigint RETURNING message_id"


def fields_of(message, segment):
    """The fields of the first such segment; MSH is counted as HL7 does, its separator being MSH-1."""
    for line in message.replace("\n", "\r").split("\r"):
        if line.startswith(segment + "|"):
            fields = line.split("|")
            return fields[:1] + ["|"] + fields[1:] if segment == "MSH" else fields
    return []


def field(fields, number):
    return fields[number] if len(fields) > number else ""


def acknowledgement(header, code, text=""):
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return (f"MSH|^~\\&|{field(header, 5)}|{field(header, 6)}|{field(header, 3)}|{field(header, 4)}|{now}||ACK|{now}{time.monotonic_ns()}|"
            f"{field(header, 11) or 'P'}|2.5\rMSA|{code}|{field(header, 10)}|{text}\r")


class Connector:
    def __init__(self, base, base_name):
        self.base, self.base_name = base, base_name

    def take(self, message):
        """The acknowledgement of one message."""
        header = fields_of(message, "MSH")
        kind, control_id = "^".join(field(header, 9).split("^")[:2]), field(header, 10)
        if not header or not control_id:
            return acknowledgement(header, "AR", "no MSH-10")
        if field(header, 11) == "T":
            return acknowledgement(header, "AA", "training")
        try:
            order = fields_of(message, "ORC")
            if kind not in TAKEN or not field(order, 2):
                self.base.rows(self.base_name, KEEP_REFUSED, control_id, kind[:20], "AR")
                return acknowledgement(header, "AR", "not taken here")
            ward = field(fields_of(message, "PV1"), 3).split("^")[0]
            return self._keep(header, kind, control_id, message, field(order, 2), ward)
        except BaseError as error:
            print(f"a message could not be kept: {error}", flush=True)
            return acknowledgement(header, "AE", "not kept")

    def _keep(self, header, kind, control_id, message, request_no, ward):
        try:
            if self.base.rows(self.base_name, KEEP_REQUEST, control_id, kind, message, request_no, ward):
                return acknowledgement(header, "AA")
        except BaseError:
            if self.base.rows(self.base_name, OWNER, request_no, control_id):
                return acknowledgement(header, "AE", "this request number is taken by another")
            raise
        # Nothing was inserted: a message of this control id is there.
        if self.base.rows(self.base_name, SAME, control_id, message, request_no):
            return acknowledgement(header, "AA", "duplicate")
        return acknowledgement(header, "AE", "taken already with another content, or without its request")


def read_frame(stream):
    """One message without its frame, or nothing when the other side has closed."""
    if stream.read(1) != b"\x0b":
        return None
    message = bytearray()
    while not message.endswith(b"\x1c\r"):
        byte = stream.read(1)
        if not byte or len(message) > 1 << 20:
            return None
        message += byte
    return message[:-2].decode("utf-8", "replace")


class Line(socketserver.StreamRequestHandler):
    def handle(self):
        self.connection.settimeout(60)
        try:
            while (message := read_frame(self.rfile)) is not None:
                self.wfile.write(b"\x0b" + self.server.connector.take(message).encode() + b"\x1c\r")
        except OSError:
            pass


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def send_waiting(base, base_name, peer):
    """Results that wait, one after the other. Whatever goes wrong is tried again: the peer sees the same control id."""
    while True:
        try:
            waiting = base.rows(base_name, WAITING)
            if waiting:
                with socket.create_connection(peer, timeout=10) as link:
                    stream = link.makefile("rb")
                    for message_id, control_id, kind, body in waiting:
                        now = time.strftime("%Y%m%d%H%M%S", time.gmtime())
                        link.sendall(f"\x0bMSH|^~\\&|LIS|LAB|DPI|HR1|{now}||{kind}|{control_id}|P|2.5\r{body}\r\x1c\r".encode())
                        said = fields_of(read_frame(stream) or "", "MSA")
                        if field(said, 2) != control_id:
                            raise OSError("no acknowledgement of what was sent")
                        base.rows(base_name, ACKNOWLEDGED, message_id, said[1])
        except (OSError, BaseError) as error:
            print(f"results wait: {error}", flush=True)
        time.sleep(0.5)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        try:
            row = self.server.base.rows(self.server.base_name, "SELECT (SELECT count(*) FROM lab.request), (SELECT count(*) FROM lab.sample),"
                                        " (SELECT count(*) FROM lab.result), (SELECT count(*) FROM hl7.message WHERE direction = 'out' AND ack IS NULL)")[0]
        except BaseError as error:
            return self._say(503, {"status": "no base", "why": str(error)})
        if self.path == "/health":
            return self._say(200, {"application": "lis", "status": "ok"})
        if self.path == "/v1/summary":
            return self._say(200, dict(zip(("requests", "samples", "results", "waiting"), (int(value) for value in row))))
        return self._say(404, {"status": "no such page"})

    def _say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("what", choices=("serve", "connector"))
    parser.add_argument("--socket", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--role", required=True)
    parser.add_argument("--base", default="lis")
    parser.add_argument("--listen", required=True, type=address_of)
    parser.add_argument("--peer", type=address_of)
    asked = parser.parse_args()
    base = Base(asked.socket, asked.port, asked.role)
    if asked.what == "serve":
        server = http.server.ThreadingHTTPServer(asked.listen, Page)
        server.base, server.base_name = base, asked.base
    else:
        server = Listener(asked.listen, Line)
        server.connector = Connector(base, asked.base)
        if asked.peer:
            threading.Thread(target=send_waiting, args=(base, asked.base, asked.peer), daemon=True).start()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
