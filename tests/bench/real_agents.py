"""Real agents: how soon an action begins, how fast the emergency stop ends it, what an idle agent keeps in memory."""

import os
import time

from bench_site import median
from hospital import Hospital, one_stage
from processes import scratch, wait_for


def memory(pid):
    """Resident, proportional and private MB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in rollup if line.rstrip().endswith("kB")}
    return [round(kilobytes[key] / 1024, 2) for key in ("Rss", "Pss", "Anonymous")]


def spawn_ms(arguments, times):
    """Median wall time of starting and awaiting a program."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        os.waitpid(os.posix_spawn(arguments[0], arguments, os.environ), 0)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def start_figures(hospital, hosts, steps):
    # One action at a time: what is measured is the agent, not how two cores are shared.
    run = hospital.run_stages(one_stage([hosts], *[hospital.touch(f"start-{i}") for i in range(steps)],
                                        unreachable_after_ms=60000), limits={"per_host_max": 1, "in_flight_max": 1})
    hospital.wait_run(run, "succeeded", seconds=120)
    delays = sorted(int(event["finished"]["start_delay_us"]) / 1000
                    for _, kind, event in hospital.events(run) if kind == "task_finished")
    raw = spawn_ms(["/bin/true"], 100)
    sandbox = spawn_ms(["/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
                        "/bin/true"], 30)
    return {"action.start_ms": round(median(delays), 2), "action.start_max_ms": round(delays[-1], 2),
            "action.starts": len(delays), "action.raw_spawn_ms": round(raw, 3),
            "action.raw_sandbox_ms": round(sandbox, 3)}


def stop_figures(hospital, hosts, times):
    latencies = []
    for i in range(times):
        run = hospital.run_stages(one_stage([hosts], hospital.touch(
            f"slow-{i}", timeout_ms=60000, mode="slow", slow_ms=30000), unreachable_after_ms=60000))
        wait_for(lambda: all(hospital.agents[host].plugin_hosts() for host in hosts), "all to be at work", 30)
        hospital.call("RaiseStop", who="bob", reason="measuring")
        wait_for(lambda: int(hospital.call("GetStop")["confirmed"]) >= len(hosts), "all to confirm", 30)
        hospital.call("LiftStop", reason="measured")
        hospital.call("AbortRun", run=run, reason="measured")
        hospital.wait_run(run, "aborted")
    for _, kind, event in hospital.events():
        if kind == "stop_confirmed":
            latencies.append(int(event["latency_ms"]))
    return {"stop.latency_p50_ms": median(latencies), "stop.latency_max_ms": max(latencies),
            "stop.confirmations": len(latencies)}


def measure(sizes):
    hosts = [f"real-{i}" for i in range(1, sizes["real_agents"] + 1)]
    hospital = Hospital(scratch("real"), {host: {} for host in hosts})
    time.sleep(2)  # Facts are gathered and sent by then.
    idle = [memory(hospital.agents[host].pid) for host in hosts]
    figures = {f"agent.{name}": round(median(each[i] for each in idle), 2)
               for i, name in enumerate(("idle_rss_mb", "idle_pss_mb", "idle_anonymous_mb"))}
    figures.update(start_figures(hospital, hosts, sizes["starts"]))
    figures.update(stop_figures(hospital, hosts, sizes["stops"]))
    hospital.end()
    return figures
