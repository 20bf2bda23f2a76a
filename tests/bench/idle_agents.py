"""Many agents connected, few of them busy: memory, time to connect, round trips, the emergency stop, metrics."""

import time

from bench_site import Site, resident
from processes import scratch, wait_for

STEPS = 100


def settled(pid):
    """Resident bytes once they no longer move."""
    last = resident(pid)
    for _ in range(20):
        time.sleep(0.5)
        now = resident(pid)
        if abs(now - last) < 1 << 20:
            return now
        last = now
    return last


def stop_everybody(site, hosts):
    """Raises the emergency stop and lifts it again; the slowest confirmation in ms."""
    site.hospital.call("RaiseStop", who="bob", reason="measuring")

    def all_confirmed():
        view = site.hospital.call("GetStop")
        return view if int(view["confirmed"]) >= hosts else None
    view = wait_for(all_confirmed, lambda: f"{hosts} to confirm: {site.hospital.call('GetStop')}", 60, every=0.1)
    site.hospital.call("LiftStop", reason="measured")
    return int(view["latency_max_ms"])


def measure(sizes):
    hosts, busy = sizes["hosts"], sizes["busy"]
    figures = {"agents.wanted": hosts, "agents.busy": busy}
    site = Site(scratch("agents"), hosts)
    figures["agents.coordinator_base_mb"] = round(resident(site.pid) / 1e6, 1)
    few = site.fleet(10)
    site.work(few, 10, STEPS, 1)
    figures["agents.series_10"] = site.series()
    few.end()
    wait_for(lambda: not site.hospital.connected(), "the few to be gone", 20)

    before = settled(site.pid)
    fleet = site.fleet(hosts)
    figures["agents.connected"] = fleet.greeting["connected"]
    figures["agents.connect_s"] = round(fleet.greeting["connect_s"], 2)
    figures["agents.bytes_per_agent"] = round((settled(site.pid) - before) / hosts)
    report = site.work(fleet, busy, STEPS, 1)
    figures["agents.round_trip_p50_ms"] = round(report["p50_ms"], 2)
    figures["agents.round_trip_p99_ms"] = round(report["p99_ms"], 2)
    figures["agents.per_s"] = round(report["round_trips"] / report["seconds"])
    figures["agents.series_n"] = site.series()
    figures["stop.all_agents_max_ms"] = stop_everybody(site, hosts)
    figures["agents.still_connected"] = fleet.ask({"round_trips": 0}) and fleet.read()["connected"]
    figures["agents.coordinator_rss_mb"] = round(resident(site.pid) / 1e6, 1)
    fleet.end()

    bare = site.bare("agents")
    before = settled(bare.pid)
    fleet = site.fleet(hosts, bare.port)
    figures["agents.raw_connect_s"] = round(fleet.greeting["connect_s"], 2)
    figures["agents.bytes_per_bare_stream"] = round((settled(bare.pid) - before) / hosts)
    raw = site.work_bare(bare, fleet, busy, STEPS, 1, report, True)
    figures["agents.raw_round_trip_p50_ms"] = round(raw["p50_ms"], 2)
    figures["agents.raw_round_trip_p99_ms"] = round(raw["p99_ms"], 2)
    figures["agents.raw_per_s"] = round(raw["round_trips"] / raw["seconds"])
    figures["agents.memory_ratio_to_bare_stream"] = round(
        figures["agents.bytes_per_agent"] / max(figures["agents.bytes_per_bare_stream"], 1), 3)
    for each in (fleet, bare, site):
        each.end()
    return figures
