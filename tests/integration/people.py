"""People with minisign keys and the statements that they sign, written here from their description and not with the
project's own code: a second reading of the formats. Messages inside are encoded by whoever is given as `encode`.
"""

import base64
import hashlib
import json
import os
import subprocess
import time

HOUR = 3600


def now():
    return int(time.time())


def when(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def statement(kind, *fields):
    return "".join([kind + "\n"] + [f"{key}: {value}\n" if value != "" else f"{key}:\n" for key, value in fields]).encode()


def sha256(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.b64encode(data).decode()


class Person:
    def __init__(self, folder, name, roles):
        self.name, self.roles, self.active = name, sorted(roles), True
        self.secret, public = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".pub")
        subprocess.run(["minisign", "-G", "-W", "-f", "-p", public, "-s", self.secret], check=True, capture_output=True)
        with open(public, encoding="utf-8") as file:
            self.public = file.read().split("\n")[1]
        self._folder = folder

    def sign(self, data):
        message = os.path.join(self._folder, "message")
        with open(message, "wb") as file:
            file.write(data)
        subprocess.run(["minisign", "-S", "-s", self.secret, "-m", message, "-x", message + ".minisig", "-t",
                        f"signed by {self.name}"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        with open(message + ".minisig", encoding="utf-8") as file:
            return file.read()


def signed(data, *people):
    """A reprise.plan.v1.SignedStatement as JSON."""
    return {"statement": b64(data), "signatures": [{"minisig": person.sign(data)} for person in people]}


class Keyring:
    """The chain of a site's keyring statements."""

    def __init__(self, people, protected=()):
        self.people, self.protected = people, protected
        self.version, self._head, self.chain = 0, "none", []
        self.extend(people[0])
        self.fingerprint = self._head

    def extend(self, *signers):
        """The next version, with the people as they are now."""
        self.version += 1
        fields = [("version", self.version), ("previous", self._head), ("issued", when(now())),
                  ("policy.change-signatures", 1), ("policy.destroy-signatures", 2), ("policy.keyring-signatures", 1)]
        if self.protected:
            fields.append(("policy.protected-classes", ",".join(sorted(self.protected))))
        for person in sorted(self.people, key=lambda each: each.name):
            fields.append(("operator", f"{person.name} {','.join(person.roles)} {person.public} "
                                       f"{'active' if person.active else 'revoked'}"))
        data = statement("reprise-keyring/v1", *fields)
        self._head = sha256(data).hex()
        self.chain.append(signed(data, *signers))
        return self.chain[-1]


def host_statement(host, serial, *signers, zone="dirty", asset_class="workstation", hold=""):
    fields = [("host", host), ("serial", serial), ("zone", zone), ("class", asset_class), ("trust", "unknown")]
    if hold:
        fields.append(("hold", hold))
    return signed(statement("reprise-host/v1", *fields, ("issued", when(now()))), *signers)


# ---- RFC 6962's tree over the leaves ----

def _root(leaves):
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    half = _split(len(leaves))
    return sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:]))


def _proof(leaves, index):
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return _proof(leaves[:half], index) + [_root(leaves[half:])]
    return _proof(leaves[half:], index - half) + [_root(leaves[:half])]


def _split(count):
    """The greatest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


GATE_DEFAULTS = {"question": "Is it sound?", "quorum": 1}


def gate(name, approvers=(), **more):
    return {**GATE_DEFAULTS, "name": name, "approvers": list(approvers), **more}


def step(name, params, effect="change", action="touch", **more):
    """A step of the mock plugin. `params`: an object, or a function from a host's name to one."""
    made = {"name": name, "plugin": 0, "action": action, "effect": f"EFFECT_{effect.upper()}",
            "undoable": action == "touch", "timeout_ms": 20000, "retries": 0, "backoff_ms": 100, "backoff_max_ms": 1000,
            "on_failure": "ON_FAILURE_STOP", "attempts_max": 20, **more}
    if callable(params):
        made["params_of"] = params
    else:
        made["params_json"] = json.dumps(params)
    return made


def stage(name, waves, steps, wave_gates=None, unreachable="defer", unreachable_after_ms=1000, **more):
    """`waves`: lists of hosts. `wave_gates`: from a wave's index to the gate before it."""
    made = [{"name": f"wave-{i + 1}", "host_count": len(hosts), **({"gate": wave_gates[i]} if i in (wave_gates or {})
                                                                   else {})} for i, hosts in enumerate(waves)]
    return {"name": name, "waves": made, "hosts": waves, "steps": steps,
            "unreachable": f"UNREACHABLE_{unreachable.upper()}", "unreachable_after_ms": unreachable_after_ms, **more}


class Plan:
    """Compiled by hand, from stages as `stage` makes them. Change `header` and `leaves`, then ask for what is made of them."""

    def __init__(self, encode, plugin, requester, stages, seconds=HOUR, places=None, **more):
        self.encode = encode
        self.nonce = os.urandom(16)
        effects = [each["effect"] for one in stages for each in one["steps"]]
        gravest = max(effects, key=["EFFECT_READ", "EFFECT_CHANGE", "EFFECT_DESTROY"].index)
        self.header = {
            "plan_id": f"test-{self.nonce.hex()[:8]}", "workflow": "test", "requester": requester.name,
            "nonce": b64(self.nonce), "created_ms": now() * 1000, "expires_ms": (now() + seconds) * 1000,
            "effect": gravest, "keyring_version": 1, "limits": {"per_host_max": 1},
            "plugins": [{"name": "mock", "version": "1.0.0", "sha256": b64(plugin)}],
            "stages": [{**{key: value for key, value in one.items() if key != "hosts"},
                        "steps": [{key: value for key, value in each.items() if key != "params_of"}
                                  for each in one["steps"]]} for one in stages], **more}
        self.leaves = []
        for host in sorted({host for one in stages for wave in one["hosts"] for host in wave}):
            placements = [{"stage": s, "wave": w, "overrides": [
                {"step": i, "params_json": json.dumps(each["params_of"](host))}
                for i, each in enumerate(one["steps"]) if "params_of" in each]}
                for s, one in enumerate(stages) for w, wave in enumerate(one["hosts"]) if host in wave]
            self.leaves.append({"nonce": b64(self.nonce), "host": host, "zone": "ZONE_DIRTY",
                                "asset_class": "ASSET_CLASS_WORKSTATION", "placements": placements,
                                **(places or {}).get(host, {})})
        self.annex = encode("reprise.plan.v1.PlanAnnex", {"inventory_hosts": len(self.leaves)})
        self.header["annex_sha256"] = b64(sha256(self.annex))

    @property
    def id(self):
        return self.header["plan_id"]

    def header_bytes(self):
        return self.encode("reprise.plan.v1.PlanHeader", self.header)

    def leaf_bytes(self):
        return [self.encode("reprise.plan.v1.HostLeaf", leaf) for leaf in self.leaves]

    def statement(self):
        header = self.header
        return statement(
            "reprise-plan/v1", ("plan", header["plan_id"]), ("workflow", header["workflow"]),
            ("requester", header["requester"]), ("keyring-version", header["keyring_version"]),
            ("effect", header["effect"][len("EFFECT_"):].lower()),
            ("exercise", "yes" if header.get("exercise") else "no"), ("hosts", len(self.leaves)),
            ("created", when(header["created_ms"] // 1000)), ("expires", when(header["expires_ms"] // 1000)),
            ("nonce", self.nonce.hex()), ("header-sha256", sha256(self.header_bytes()).hex()),
            ("merkle-root", _root(self.leaf_bytes()).hex()))

    def bundle(self):
        return {"statement": b64(self.statement()), "header": b64(self.header_bytes()),
                "leaves": [b64(leaf) for leaf in self.leaf_bytes()], "annex": b64(self.annex)}

    def authority(self, host, *signers):
        index = [leaf["host"] for leaf in self.leaves].index(host)
        leaves = self.leaf_bytes()
        return {"plan": signed(self.statement(), *signers), "header": b64(self.header_bytes()),
                "leaf": b64(leaves[index]), "leaf_index": index, "leaf_count": len(leaves),
                "proof": [b64(each) for each in _proof(leaves, index)]}

    def decision(self, name, run, signer):
        return signed(statement("reprise-gate/v1", ("plan", self.id), ("merkle-root", _root(self.leaf_bytes()).hex()),
                                ("run", run), ("gate", name), ("decision", "approve"), ("signer", signer.name),
                                ("issued", when(now()))), signer)

    def key(self, run=1, attempt=1, stage=0, step=0):
        return {"run": run, "stage": stage, "step": step, "attempt": attempt, "plan_id": self.id}
