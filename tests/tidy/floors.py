"""The house: which folder lies on which floor, and what may be included from where.

A folder includes only lower floors. The few exceptions are named below, each with its reason.
"""

FLOORS = {
    "proto": 0,
    "plugins/api": 0,
    "core/base": 1,
    "core/crypto": 1,
    "core/sqlite": 1,
    "plugins/sdk": 1,
    "core/model": 2,
    "plugins": 2,  # plugins/<name>: one adapter each
    "core/plan": 3,
    "core/engine": 3,
    "agents/engine": 3,
    "core/forecast": 4,
    "core/report": 4,
    "core/journal": 4,
    "core/trust": 4,
    "agents/spool": 4,
    "agents/runner": 4,
    "core/coordinator": 5,
    "core/web": 5,
    "core/cli": 5,
    "agents/daemon": 5,
}

# (from, to): why one room of a floor may look into another of the same.
SAME_FLOOR = {
    ("core/crypto", "core/base"): "base has no dependencies and stands under everything",
    ("core/sqlite", "core/base"): "base has no dependencies and stands under everything",
    ("core/coordinator", "core/web"): "the coordinator's program wires the web server to the loop",
}

# Rooms that may include only these rooms, whatever the floors say.
ONLY = {
    "plugins": ("plugins/api", "plugins/sdk"),
    "plugins/sdk": ("plugins/api",),
    "plugins/api": (),
}

# Rooms whose code is a function of its arguments: it reads no clock, no chance and no file, and has no threads.
PURE = ("core/engine", "core/model", "core/crypto", "agents/engine", "core/report", "core/forecast")
IMPURE_HEADERS = {
    "thread": "a queue in front of the room",
    "mutex": "a queue in front of the room",
    "atomic": "a queue in front of the room",
    "condition_variable": "a queue in front of the room",
    "random": "an argument made by core/base/random.h",
    "chrono": "UnixMs as an argument",
    "ctime": "UnixMs as an argument",
    "fstream": "core/base/files.h at the edge",
    "filesystem": "core/base/files.h at the edge",
    "unistd.h": "an effect that the edge carries out",
    "sys/socket.h": "an effect that the edge carries out",
}
# core/crypto hashes files, and draws keys from libsodium: these are its purpose.
PURE_EXCEPT = {
    ("core/crypto/sha256.h", "filesystem"),
    ("core/crypto/sha256.cc", "unistd.h"),
}

# gRPC and Beast cost many seconds for every file that includes them.
HEAVY = ("grpcpp/", "grpc/", "boost/beast", "boost/asio")
HEAVY_ROOMS = ("core/coordinator", "core/web", "core/cli", "agents/daemon")


def room_of(path):
    """The room in which a file stands: the longest folder of the table that holds it. None: outside the house."""
    parts = path.split("/")[:-1]
    while parts:
        folder = "/".join(parts)
        if folder in FLOORS:
            return folder
        parts.pop()
    return None


def adapter_of(path):
    """The adapter in plugins/ to which a file belongs, so that one does not include another. None: no adapter."""
    parts = path.split("/")
    return parts[1] if room_of(path) == "plugins" and len(parts) > 2 else None
