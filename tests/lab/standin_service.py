#!/usr/bin/env python3
"""Stands in for the server programs of AgileTime and Maincare, which cannot be had here: an honest small HTTP service over
the application's own base.

    standin_service.py agiletime --socket FOLDER --port 5501 --role agiletime_app --listen 0.0.0.0:8410 --mode-file FILE

It is not the vendor's program and has none of its functions. What it says it reads from the base at that moment, over the
socket, as a role that may only read; nothing is made up or kept. Without a mode file, or with {"mode": "degraded"} in it, it
runs without interfaces; with {"mode": "normal"} it listens for them too, on the port after its own, so that closing
them can be seen. One file, Python's standard library only.
"""

import argparse
import html
import http.server
import json
import re
import socket
import struct
import threading

DAY = re.compile(r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9]\Z")
WARD = re.compile(r"\AW[0-9]{3}\Z")


class BaseError(Exception):
    """The base said no, or is not there."""


class Base:
    """One question at a time to PostgreSQL (protocol 3.0), let in by who asks (peer). A session for each question."""

    def __init__(self, folder, port, role):
        self.path, self.role = f"{folder}/.s.PGSQL.{port}", role

    def rows(self, base, sql, *values):
        """Rows as lists of texts. `values` stand for $1, $2 …; they are never part of the text."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(20)
                link.connect(self.path)
                return self._ask(link, base, sql, values)
        except OSError as error:
            raise BaseError(f"base {base}: {error.strerror or error}") from error

    def _ask(self, link, base, sql, values):
        words = b"".join(word.encode() + b"\0" for word in ("user", self.role, "database", base))
        link.sendall(struct.pack("!II", len(words) + 9, 196608) + words + b"\0")
        stream = link.makefile("rb")
        self._until_ready(stream)
        bound = b"".join(struct.pack("!I", len(value.encode())) + value.encode() for value in values)
        link.sendall(_message(b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!H", 0))
                     + _message(b"B", b"\0\0" + struct.pack("!HH", 0, len(values)) + bound + struct.pack("!H", 0))
                     + _message(b"E", b"\0" + struct.pack("!I", 0)) + _message(b"S", b""))
        rows = self._until_ready(stream)
        link.sendall(_message(b"X", b""))
        return rows

    def _until_ready(self, stream):
        rows, failed = [], None
        while True:
            head = stream.read(5)
            if len(head) < 5:
                raise BaseError("the base ended the session")
            kind, size = head[:1], struct.unpack("!I", head[1:])[0]
            body = stream.read(size - 4)
            if kind == b"R" and struct.unpack("!I", body[:4])[0] != 0:
                raise BaseError("the base asks for a password; this role is let in by its user")
            if kind == b"E":
                failed = next((part[1:].decode() for part in body.split(b"\0") if part[:1] == b"M"), "an error")
                if b"SFATAL" in body:
                    raise BaseError(failed)
            if kind == b"D":
                rows.append(_fields(body))
            if kind == b"Z":
                if failed:
                    raise BaseError(failed)
                return rows


def _message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def _fields(body):
    at, fields = 2, []
    for _ in range(struct.unpack("!H", body[:2])[0]):
        size = struct.unpack("!i", body[at:at + 4])[0]
        at += 4
        fields.append(None if size < 0 else body[at:at + size].decode())
        at += max(size, 0)
    return fields


class AgileTime:
    def __init__(self, base):
        self.base = base

    def answer(self, parts):
        if parts == ["v1", "summary"]:
            row = self.base.rows("agiletime", "SELECT (SELECT count(*) FROM planning.staff), (SELECT count(*) FROM planning.planning),"
                                 " (SELECT count(*) FROM planning.ward), (SELECT max(day) FROM planning.planning)")[0]
            return {"staff": int(row[0]), "planning_rows": int(row[1]), "wards": int(row[2]), "last_day": row[3]}
        if len(parts) == 4 and parts[:2] == ["v1", "ward"] and WARD.match(parts[2]) and DAY.match(parts[3]):
            rows = self.base.rows("agiletime", "SELECT p.shift_code, count(*), sum(p.hours) FROM planning.planning p JOIN planning.staff s"
                                  " USING (staff_id) JOIN planning.ward w USING (ward_id) WHERE w.code = $1 AND p.day = $2::date"
                                  " GROUP BY 1 ORDER BY 1", parts[2], parts[3])
            return {"ward": parts[2], "day": parts[3], "shifts": {code: {"staff": int(count), "hours": hours} for code, count, hours in rows}}
        return None


class Maincare:
    QUESTIONS = {
        "gam": ("maincare_gam", "SELECT (SELECT count(*) FROM gam.patient), (SELECT count(*) FROM gam.stay),"
                " (SELECT count(*) FROM gam.stay WHERE gone IS NULL)", ("patients", "stays", "present")),
        "gef": ("maincare_gef", "SELECT (SELECT count(*) FROM gef.entry), (SELECT sum(debit) - sum(credit) FROM gef.line)",
                ("entries", "balance")),
        "dpi": ("maincare_dpi", "SELECT (SELECT count(*) FROM dpi.document), (SELECT count(*) FROM dpi.prescription)",
                ("documents", "prescriptions")),
    }

    def __init__(self, base):
        self.base = base

    def answer(self, parts):
        if len(parts) == 2 and parts[0] == "v1" and parts[1] in self.QUESTIONS:
            base, sql, names = self.QUESTIONS[parts[1]]
            return dict(zip(names, self.base.rows(base, sql)[0]))
        if parts == ["v1", "identity"]:
            # Each module has a base of its own; what spans them only the program can ask.
            known = {row[0] for row in self.base.rows("maincare_gam", "SELECT ipp FROM gam.patient")}
            named = {row[0] for row in self.base.rows("maincare_dpi", "SELECT DISTINCT ipp FROM dpi.document")}
            return {"patients": len(known), "orphans": len(named - known)}
        return None


APPLICATIONS = {"agiletime": AgileTime, "maincare": Maincare}


def mode_of(path):
    """What the mode file says; whatever is not understood means: without interfaces."""
    try:
        with open(path, encoding="utf-8") as file:
            return "normal" if json.load(file).get("mode") == "normal" else "degraded"
    except (OSError, ValueError, AttributeError):
        return "degraded"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        parts = [part for part in self.path.split("?")[0].split("/") if part]
        try:
            if parts == ["health"]:
                self._say(200, {"status": "ok", "application": self.server.name, "stand_in": True, "mode": self.server.mode,
                                "interfaces": self.server.interfaces})
            elif not parts:
                self._page()
            else:
                answer = self.server.application.answer(parts)
                self._say(404 if answer is None else 200, {"error": "no such page"} if answer is None else answer)
        except BaseError as error:
            self._say(503, {"error": str(error)})

    def _page(self):
        text = (f"<!doctype html><title>{html.escape(self.server.name)}</title><h1>{html.escape(self.server.name)} (stand-in)</h1>"
                f"<p>Mode: {self.server.mode}</p>")
        self._send(200, "text/html; charset=utf-8", text.encode())

    def _say(self, status, value):
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing: paths may name wards and days."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("application", choices=sorted(APPLICATIONS))
    parser.add_argument("--socket", required=True, help="folder of the base's socket")
    parser.add_argument("--port", type=int, required=True, help="of the base")
    parser.add_argument("--role", required=True)
    parser.add_argument("--listen", required=True, help="ADDRESS:PORT")
    parser.add_argument("--mode-file", required=True)
    asked = parser.parse_args()
    address, port = asked.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    server.name = asked.application
    server.application = APPLICATIONS[asked.application](Base(asked.socket, asked.port, asked.role))
    server.mode = mode_of(asked.mode_file)
    server.interfaces = 1 if server.mode == "normal" else 0
    if server.mode == "normal":
        interface = socket.create_server((address, int(port) + 1))
        threading.Thread(target=_hang_up, args=(interface,), daemon=True).start()
    server.serve_forever()


def _hang_up(interface):
    while True:
        interface.accept()[0].close()


if __name__ == "__main__":
    main()
