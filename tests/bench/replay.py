"""A coordinator's start from a long journal, with and without its snapshot, beside the mere reading of the rows."""

import os
import sqlite3

from bench_site import median, run_program
from processes import scratch


def opened(journal, turns, command="open"):
    return median(run_program("bench-journal", command, "--journal", journal)["seconds"] for _ in range(turns))


def measure(sizes):
    journal = os.path.join(scratch("replay"), "journal.db")
    events = sizes["events"]
    grown = run_program("bench-journal", "grow", "--journal", journal, "--events", events, "--hosts",
                        sizes["replay_hosts"], "--after-snapshot", events // 40)
    if grown["events"] != events:
        raise AssertionError(f"{events} events were wanted: {grown}")
    scale = 1e6 / events  # Keys speak of a million; with --quick they are scaled up from fewer.
    figures = {"replay.events": events, "replay.runs": grown["runs"],
               "replay.engine_events_per_s": round(events / grown["engine_s"]),
               "replay.snapshot_mb": round(grown["snapshot_bytes"] / 1e6, 1),
               "replay.journal_mb": round(os.path.getsize(journal) / 1e6, 1),
               "replay.million_events_snapshot_s": round(opened(journal, sizes["turns"]) * scale, 3),
               "replay.raw_million_rows_s": round(opened(journal, sizes["turns"], "scan") * scale, 3)}
    database = sqlite3.connect(journal)
    database.execute("DELETE FROM snapshot")
    database.commit()
    database.close()
    figures["replay.million_events_s"] = round(opened(journal, sizes["turns"]) * scale, 3)
    return figures
