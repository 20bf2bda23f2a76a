"""The rules, each a function from the files to complaints. A ban names its replacement.

Files come as a dictionary from path (with '/' between, relative to the project's root) to text.
"""

import posixpath
import re
from collections import namedtuple

import floors

Complaint = namedtuple("Complaint", "path line rule text")

CPP = (".cc", ".h", ".c")
LINES_MAX = 400
# Files past LINES_MAX, each with the reason why it does not have a second concept to split off.
LONG = {}
LONG_KINDS = CPP + (".py", ".sh", ".ts", ".tsx", ".js", ".proto", ".cmake")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')

# (name, what is banned, what to use instead, files it concerns, files that may)
BANS = [
    ("endl", r"std::endl\b", "'\\n': it does not flush", CPP, ()),
    ("assert", r"(?<![\w.>:])assert\s*\(", "an absl::Status, or an `if` with std::abort() that says why", CPP, ()),
    ("shell", r"(?<![\w.>])(?:std::)?(?:system|popen)\s*\(", "posix_spawn with an argument list: no shell reads it", CPP,
     ()),
    ("fork", r"(?<![\w.>])v?fork\s*\(", "posix_spawn: forking a big process takes tens of milliseconds", CPP,
     # The kit's child must enter a mount namespace before it loads anything; its parent is a small, short-lived program.
     ("tests/", "plugins/mock/", "agents/runner/conformance/throwaway_root.cc")),
    ("c-strings", r"(?<![\w.>])(?:strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets)\s*\(",
     "std::string and absl::StrCat", CPP, ()),
    ("c-numbers", r"(?<![\w.>])(?:atoi|atol|atof|strtok)\s*\(", "std::from_chars, absl::SimpleAtoi, absl::StrSplit",
     CPP, ()),
    ("rand", r"(?<![\w.>])s?rand\s*\(", "core/base/random.h, or a seeded generator given as an argument", CPP, ()),
    ("detach", r"\.\s*detach\s*\(\s*\)", "a thread with an owner that joins it", CPP, ()),
    ("sleep", r"(?<![\w.>])u?sleep\s*\(", "waiting for the thing itself, with a deadline", CPP, ()),
    ("null", r"\bNULL\b", "nullptr", (".cc",), ()),
    ("using-namespace", r"^\s*using\s+namespace\b", "the names themselves: a header gives them to everybody", (".h",),
     ()),
    ("absl-log", r"absl/log/", "spdlog: this abseil has no log", CPP, ()),
    ("bits", r"#\s*include\s*<bits/", "the standard header", CPP, ()),
    ("python-shell", r"shell\s*=\s*True|\bos\.system\s*\(|\bos\.popen\s*\(", "subprocess with a list", (".py",), ()),
    ("bare-except", r"^\s*except\s*:", "except with the exceptions that are meant", (".py",), ()),
]

TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# Folders that exist only where this project was written, and sites that only one network has.
MACHINE = re.compile(r"(?<![\w.$}~*-])/(?:work|workspace)/(?=[\w.])|/tmp/bash_jobs|https?://(?:registry|proxy|mirror|deb)\.")
TEXT_KINDS = LONG_KINDS + (".md", ".json", ".yaml", ".yml", ".txt", ".css", ".html", "")

# Folders that explain themselves: every folder of these with files in it has a README.md.
EXPLAINED = ("core/*", "agents/*", "plugins/*", "examples/*", "dashboards", "proto", "tests/*")
# Mirrors of the tree, and data that the folder above explains.
UNEXPLAINED = ("tests/support",)


def _kind(path):
    return posixpath.splitext(path)[1]


def _cpp(files):
    return {path: text for path, text in files.items() if path.endswith(CPP)}


_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)


def code_of(text):
    """C++ without what stands in comments and literals; line numbers stay."""
    def blank(match):
        found = match.group()
        return ('""' if found[0] in 'R"\'' else "") + "\n" * found.count("\n")
    # Includes are literals that count.
    return "\n".join(_TOKENS.sub(blank, _guard_includes(text)).replace("\x01", '"').split("\n"))


def _guard_includes(text):
    return re.sub(r'^(\s*#\s*include\s+)"([^"\n]+)"', lambda m: f"{m.group(1)}\x01{m.group(2)}\x01", text, flags=re.M)


def includes(text):
    """(line, path, whether in quotes) of every include."""
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) or match.group(2), match.group(1) is not None


def includes_respect_the_floors(files):
    for path, text in _cpp(files).items():
        room = floors.room_of(path)
        if room is None:
            continue
        for line, target, _ in includes(text):
            # Generated code of proto/ is included by its own package's folder.
            other = "proto" if target.startswith("reprise/") and ".pb." in target else floors.room_of(target)
            if other is None:
                continue
            if other == room:
                if floors.adapter_of(path) != floors.adapter_of(target):
                    yield Complaint(path, line, "floors", f"one adapter includes another: {target}")
                continue
            if room in floors.ONLY and other not in floors.ONLY[room]:
                yield Complaint(path, line, "floors",
                                f"{room} may include only {', '.join(floors.ONLY[room]) or 'itself'}, not {target}")
                continue
            below = floors.FLOORS[other] < floors.FLOORS[room]
            if not below and (room, other) not in floors.SAME_FLOOR:
                yield Complaint(path, line, "floors", f"{room} (floor {floors.FLOORS[room]}) includes {target} of "
                                f"{other} (floor {floors.FLOORS[other]}): move what both need down, or put a port between")


def includes_stand_in_the_tree(files):
    for path, text in _cpp(files).items():
        for line, target, quoted in includes(text):
            if target.startswith("../") or "/../" in target:
                yield Complaint(path, line, "include-path", f"{target}: write the path from the project's root")
            elif quoted and floors.room_of(target) not in (None, "proto") and target not in files:
                yield Complaint(path, line, "include-path", f"{target} does not exist")


def pure_rooms_stay_pure(files):
    for path, text in _cpp(files).items():
        if floors.room_of(path) not in floors.PURE:
            continue
        for line, target, quoted in includes(text):
            if not quoted and target in floors.IMPURE_HEADERS and (path, target) not in floors.PURE_EXCEPT:
                yield Complaint(path, line, "pure",
                                f"<{target}> in a pure room; instead: {floors.IMPURE_HEADERS[target]}")


def heavy_headers_stay_at_the_edge(files):
    cpp = _cpp(files)
    heavy = {path for path, text in cpp.items()
             if any(target.startswith(floors.HEAVY) or target.endswith(".grpc.pb.h") for _, target, _ in includes(text))}
    for path, text in cpp.items():
        if path.startswith("tests/"):
            continue
        for line, target, _ in includes(text):
            direct = target.startswith(floors.HEAVY) or target.endswith(".grpc.pb.h")
            if direct and floors.room_of(path) not in floors.HEAVY_ROOMS:
                yield Complaint(path, line, "heavy", f"{target} belongs to {', '.join(floors.HEAVY_ROOMS)}; "
                                "instead: a plain interface that they implement")
            if target in heavy and floors.room_of(target) != floors.room_of(path):
                yield Complaint(path, line, "heavy", f"{target} brings gRPC or Beast with it; "
                                "instead: hide them behind a plain header")


def banned_words_have_replacements(files):
    for path, text in files.items():
        code = code_of(text) if path.endswith(CPP) else text
        lines = code.split("\n")
        for name, pattern, instead, kinds, free in BANS:
            if not path.endswith(kinds) or path.startswith(free) or path.startswith("tests/tidy/"):
                continue
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    yield Complaint(path, number, name, f"instead: {instead}")


def nothing_is_left_to_do(files):
    for path, text in files.items():
        if _kind(path) not in TEXT_KINDS or path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if TODO.search(line):
                yield Complaint(path, number, "todo", "do it, or write down as a limit what is not done")


def no_path_of_one_machine(files):
    for path, text in files.items():
        if _kind(path) not in TEXT_KINDS or path.startswith("tests/tidy/"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if MACHINE.search(line):
                yield Complaint(path, number, "machine-path", "instead: a path relative to the project, or an argument")


def files_have_one_concept(files):
    for path, text in files.items():
        lines = text.count("\n")
        if path.endswith(LONG_KINDS) and lines > LINES_MAX and path not in LONG:
            yield Complaint(path, lines, "long", f"{lines} lines, more than {LINES_MAX}: split off the second concept")
    for path in LONG:
        if files.get(path, "").count("\n") <= LINES_MAX:
            yield Complaint(path, 1, "long", "needs no exception any more: remove it from LONG")


def headers_open_with_what_they_are(files):
    for path, text in files.items():
        if not path.endswith(".h"):
            continue
        if not text.startswith(("//", "/*")):
            yield Complaint(path, 1, "header", "open it with what it is, what it is not, and who may call it")
        if "#pragma once" not in text and "#ifndef" not in text:
            yield Complaint(path, 1, "header", "instead of nothing: #pragma once")


def folders_explain_themselves(files):
    folders = set()
    for path in files:
        parts = path.split("/")
        for pattern in EXPLAINED:
            depth = pattern.count("/") + 1
            top = pattern.split("/")[0]
            if len(parts) > depth and parts[0] == top:
                folders.add("/".join(parts[:depth]))
    for folder in sorted(folders):
        readme = f"{folder}/README.md"
        if folder not in UNEXPLAINED and len(files.get(readme, "").split()) < 10:
            yield Complaint(readme, 1, "readme",
                            "every folder says what it is, what it may depend on, and where to start reading")


LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def links_lead_somewhere(files):
    folders = {posixpath.dirname(path) for path in files}
    for folder in list(folders):
        while folder:
            folder = posixpath.dirname(folder)
            folders.add(folder)
    for path, text in files.items():
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for target in LINK.findall(line):
                target = target.split("#")[0]
                if not target or "://" in target or target.startswith("mailto:"):
                    continue
                found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
                if found not in files and found not in folders:
                    yield Complaint(path, number, "link", f"{target} does not exist")


RULES = [
    includes_respect_the_floors,
    includes_stand_in_the_tree,
    pure_rooms_stay_pure,
    heavy_headers_stay_at_the_edge,
    banned_words_have_replacements,
    nothing_is_left_to_do,
    no_path_of_one_machine,
    files_have_one_concept,
    headers_open_with_what_they_are,
    folders_explain_themselves,
    links_lead_somewhere,
]


def check(files):
    return sorted(complaint for rule in RULES for complaint in rule(files))
