"""report - the figures as a page of Markdown."""
import datetime
import os
import platform
import statistics
import subprocess

from load import CONNECTIONS, GET_GOAL, PUT_GOAL
from memory import MEMORY_GOAL, RECOVERY_GOAL


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError:
        return "?"
    return ((done.stdout + done.stderr).strip() or "?").splitlines()[0]


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kernel = platform.release().split("-")[0]
    return (f"{os.cpu_count()} x {model}, {memory:.0f} GB, Linux {kernel}, "
            f"{first_line(['gcc', '--version'])}, {first_line(['wrk', '-v']).split(' Copy')[0]}")


def verdict(met):
    return "met" if met else "**missed**"


def spread_of(values, digits):
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}"


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def request_rows(table):
    yield row("request", "CPU µs, median", "min–max", "× nginx, median", "min–max", "goal", "")
    yield row(*["---"] * 7)
    for one in table:
        ratio = goal = ["", ""]
        if one.beside is not None:
            ratio = [f"{statistics.median(one.ratios()):.2f}", spread_of(one.ratios(), 2)]
        if one.goal is not None:
            kind, most = one.goal
            goal = [f"≤ {most:.0f} µs" if kind == "us" else f"≤ {most} × nginx",
                    verdict(one.met())]
        yield row(one.name, f"{statistics.median(one.us):.2f}", spread_of(one.us, 2),
                  *ratio, *goal)


def latency_rows(table):
    yield row("request", "answers a second", "50 %", "75 %", "90 %", "99 %", "not 2xx")
    yield row(*["---"] * 7)
    for one in table:
        middle = sorted(range(len(one.us)), key=lambda i: one.us[i])[len(one.us) // 2]
        latency = one.latencies[middle]
        yield row(one.name, f"{one.rates[middle]:,.0f}",
                  *(latency.get(part, "0.00us") for part in ("50%", "75%", "90%", "99%")),
                  str(one.bad))


def request_part(found):
    sizes = found["sizes"]
    yield "### Requests"
    yield ""
    yield (f"Six nodes, two shards of three, `os` durability, loopback; wrk with one thread and "
           f"{CONNECTIONS} connections; keys of 16 bytes, values of 100. CPU time of all six "
           f"processes (of nginx: master and worker) for one answer.")
    yield ""
    yield from request_rows(found["table"])
    yield ""
    yield "Bytes of an answer, head + body: " + "; ".join(
        f"{method} {own[0]} + {own[1]}, nginx {other[0]} + {other[1]}"
        for method, (own, other) in sizes.items()) + "."
    yield ""
    yield ("As wrk prints them, of the round with the median, all cores busy (0.00us: not known to "
           "wrk):")
    yield ""
    yield from latency_rows(found["table"])
    for name, text in found["profiles"].items():
        yield from ("", f"Profile of: {name}", "", "```", text, "```")
    yield ""
    yield "### At rest"
    yield ""
    for name, what in (("idle_empty_ms", "empty"), ("idle_full_ms", "with 100,000 keys")):
        values = found[name]
        yield (f"- Six nodes, {what}: {statistics.median(values):.1f} ms of CPU a second all "
               f"together ({spread_of(values, 1)}).")


def memory_row(what, sizes, goal=None):
    pss = [one["Pss"] for one in sizes]
    anonymous = [one["Anonymous"] for one in sizes]
    end = ["", ""]
    if goal is not None:
        end = [f"≤ {goal:.0f} MB", verdict(max(pss) <= goal)]
    return row(what, f"{statistics.median(pss):.1f}", f"{max(pss):.1f}",
               f"{statistics.median(anonymous):.1f}", *end)


def recovery_row(what, found):
    ready = [one["ready"] for one in found]
    replayed = [one["replayed"] for one in found]
    cpu = [one["cpu"] for one in found]
    waited = [one["waited"] for one in found]
    alone = statistics.median(one["ready"] - one["waited"] for one in found)
    logs = [one["log_mb"] for one in found]
    middle = statistics.median(ready)
    judged = verdict(middle <= RECOVERY_GOAL)
    if alone <= RECOVERY_GOAL < middle:
        judged += f"; {alone:.2f} s without the wait"
    return row(what, f"{statistics.median(logs):.0f}", f"{middle:.2f}", spread_of(ready, 2),
               f"{statistics.median(replayed):.2f}", f"{statistics.median(waited):.2f}",
               f"{statistics.median(cpu):.2f}", f"≤ {RECOVERY_GOAL:.0f} s", judged)


def memory_part(found):
    yield f"### A node with {found['keys']:,} keys of 16 + 100 bytes"
    yield ""
    yield ("Three nodes, one shard: each holds every key. Pss and anonymous memory of the process "
           "from /proc/<pid>/smaps_rollup, in MB of 10^6 bytes, of the three nodes; the goal is "
           "judged by the greatest Pss.")
    yield ""
    yield row("when", "Pss, median", "Pss, greatest", "anonymous, median", "goal", "")
    yield row(*["---"] * 6)
    yield memory_row("empty", found["empty"])
    yield memory_row("3 s after loading them", found["loaded"], MEMORY_GOAL)
    yield memory_row("after overwriting nine tenths", found["overwritten"], MEMORY_GOAL)
    yield memory_row("after recovery of each", found["recovered"], MEMORY_GOAL)
    yield memory_row("after a checkpoint", found["checkpointed"], MEMORY_GOAL)
    yield ""
    yield (f"Recovery: kill -9 of one node, the others go on; the log (live data "
           f"{found['live_mb']:.0f} MB) is in the page cache. From starting the program to "
           "`/readyz` 200 (polled every 2 ms); of that until the log line RECOVERED; of that "
           "waiting for a core that other processes had (run delay, as the scheduler counts it); "
           "and CPU time.")
    yield ""
    yield row("recovery", "log, MB", "s to ready, median", "min–max", "s to RECOVERED",
              "s without a core", "CPU s", "goal", "")
    yield row(*["---"] * 9)
    yield recovery_row("log just below twice the live data", found["long"])
    yield recovery_row("right after a checkpoint", found["short"])
    if "profile" in found:
        yield from ("", "Profile of a recovery, log just below twice the live data", "",
                    "```", found["profile"], "```")


def micro_part(found):
    yield "### Store, causality and filling up alone"
    yield ""
    yield ("One thread, no network, no disk; `bench/micro_store.c`, `bench/micro_causal.c`, "
           "`bench/micro_fill.c`.")
    for name, text in found.items():
        yield from ("", f"`{name}`", "", "```", text.rstrip(), "```")


def page(command, commit, runs, loads):
    yield "# Figures"
    yield ""
    yield "Written by `bench/run`; what they mean and how they are made: [README](README.md)."
    yield ""
    now = datetime.datetime.now(datetime.timezone.utc)
    yield f"- {now:%Y-%m-%d %H:%M} UTC, `{command}`, commit {commit}"
    yield f"- {machine()}; {first_line(['nginx', '-v']).removeprefix('nginx version: ')}"
    yield (f"- Other processes were at work on this machine: load average {loads[0]:.1f} before, "
           f"{loads[1]:.1f} after. CPU time and ratios are what holds, rates and latencies are "
           "not.")
    for number, parts in enumerate(runs, 1):
        yield from ("", f"## Run {number} of {len(runs)}")
        for part in parts:
            yield ""
            yield from part
    yield ""


def goals_line():
    return (f"goals: GET at an owner <= {GET_GOAL} x nginx, PUT <= {PUT_GOAL:.0f} us, "
            f"{MEMORY_GOAL:.0f} MB, {RECOVERY_GOAL:.0f} s")
