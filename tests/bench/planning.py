"""From the documents of a large hospital to a plan: the whole process of `reprise plan`, beside reading its bytes."""

import os
import subprocess
import sys
import time

from bench_site import median
from processes import PLUGINS, program, scratch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What the workflow's globs ask for; planning looks at names, sizes and hashes only.
ARTIFACTS = ("libclamav12_1_amd64.deb", "clamav-base_1_all.deb", "clamav-freshclam_1_amd64.deb",
             "clamav-daemon_1_amd64.deb", "reprise.ndb")


def timed(arguments, log, expected):
    """Wall seconds and peak MB of a process that must end with that exit code."""
    with open(log, "wb") as out:
        began = time.perf_counter()
        to_log = [(os.POSIX_SPAWN_DUP2, out.fileno(), descriptor) for descriptor in (1, 2)]
        pid = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=to_log)
        _, status, usage = os.wait4(pid, 0)
        took = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) != expected:
        with open(log, encoding="utf-8", errors="replace") as said:
            raise AssertionError(f"{' '.join(arguments)}: {said.read()[:1500]}")
    return took, usage.ru_maxrss / 1024


def read_seconds(folder):
    began = time.perf_counter()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            file.read()
    return time.perf_counter() - began


def measure(sizes):
    folder, figures = scratch("plan"), {}
    artifacts = []
    for name in ARTIFACTS:
        artifacts += ["--artifact", os.path.join(folder, name)]
        with open(artifacts[-1], "wb") as file:
            file.write(name.encode())
    for size, flags in (("hr1", []), ("hrxl", ["--xl"])):
        dossier = os.path.join(folder, size)
        subprocess.run([sys.executable, "-B", os.path.join(ROOT, "examples", "hr1", "generate.py"), dossier, *flags],
                       check=True)
        plan = [program("reprise"), "plan", dossier, "--offline", "--plugin", os.path.join(PLUGINS, "edr.so"),
                *artifacts, "--out", os.path.join(folder, size + ".plan")]
        check = [program("reprise"), "check", dossier]
        runs = {"": [], "check_": []}
        read = []
        for _ in range(sizes["turns"]):
            # 3: the plan has something to do.
            runs[""].append(timed(plan, os.path.join(folder, "plan.log"), 3))
            runs["check_"].append(timed(check, os.path.join(folder, "check.log"), 0))
            read.append(read_seconds(dossier))
        for key, each in runs.items():
            figures[f"plan.{size}_{key}s"] = round(median(took for took, _ in each), 3)
            figures[f"plan.{size}_{key}peak_mb"] = round(median(peak for _, peak in each), 1)
        figures[f"plan.{size}_raw_read_s"] = round(median(read), 5)
        figures[f"plan.{size}_dossier_mb"] = round(os.path.getsize(os.path.join(dossier, "inventory.yaml")) / 1e6, 2)
        figures[f"plan.{size}_plan_mb"] = round(os.path.getsize(os.path.join(folder, size + ".plan")) / 1e6, 2)
    return figures
