"""Tasks dispatched, carried out and acknowledged per second, each durable, beside a bare server that writes as much."""

from bench_site import Site, median, rate
from processes import scratch


def measure(sizes):
    hosts, figures = sizes["dispatch_hosts"], {"dispatch.agents": sizes["dispatch_hosts"]}
    site = Site(scratch("dispatch"), hosts)
    bare = site.bare("dispatch")
    ours, raw = site.fleet(hosts), site.fleet(hosts, bare.port)
    for prefix, in_flight, steps in (("dispatch", 1, sizes["dispatch_steps"]),
                                     ("dispatch8", 8, sizes["dispatch8_steps"])):
        reports = {"per_s": [], "raw_per_s": [], "bare_per_s": []}
        for _ in range(sizes["turns"]):
            like = site.work(ours, hosts, steps, in_flight)
            reports["per_s"].append(like)
            for key, durable in (("raw_per_s", True), ("bare_per_s", False)):
                reports[key].append(site.work_bare(bare, raw, hosts, steps, in_flight, like, durable))
        for key, each in reports.items():
            figures[f"{prefix}.{key}"] = round(median(map(rate, each)))
        for beside in ("raw", "bare"):
            limit = max(figures[f"{prefix}.{beside}_per_s"], 1)
            figures[f"{prefix}.ratio_to_{beside}"] = round(figures[f"{prefix}.per_s"] / limit, 3)
        for name, key in (("", "per_s"), ("raw_", "raw_per_s")):
            each = reports[key]
            figures[f"{prefix}.{name}round_trip_p50_ms"] = round(median(r["p50_ms"] for r in each), 2)
            figures[f"{prefix}.{name}round_trip_p99_ms"] = round(median(r["p99_ms"] for r in each), 2)
            cpu = median(r["cpu_s"] * 1e6 / r["round_trips"] for r in each)
            figures[f"{prefix}.{name}server_cpu_us"] = round(cpu, 1)
            figures[f"{prefix}.{name}tasks_per_message"] = round(
                median(r["round_trips"] / r["messages_in"] for r in each), 2)
        figures[f"{prefix}.round_trips"] = reports["per_s"][0]["round_trips"]
        figures[f"{prefix}.journal_bytes"] = round(median(r["journal_bytes"] for r in reports["per_s"]))
        figures[f"{prefix}.task_bytes"] = reports["per_s"][0]["task_bytes"]
    for each in (ours, raw, bare, site):
        each.end()
    return figures
