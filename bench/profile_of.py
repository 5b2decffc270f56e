"""profile_of - where processes spend their time while something is done: perf's list."""
import os
import subprocess

LINES = 30


def profile(pids, data, work):
    """Samples the processes until work() is done; the list as text, or why there is none."""
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-o", data,
              "-p", ",".join(map(str, pids))]
    try:
        sampling = subprocess.Popen(record, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
    except OSError as why:
        return f"no profile: perf: {why}"
    try:
        work()
    finally:
        sampling.terminate()
        sampling.wait(60)
    report = subprocess.run(
        ["perf", "report", "-i", data, "--stdio", "-q", "--no-children", "--sort", "dso,symbol",
         "--percent-limit", "0.7"], capture_output=True, text=True, timeout=120)
    lines = [line.rstrip(" -") for line in report.stdout.splitlines() if line.strip()]
    return "\n".join(lines[:LINES]) or "no profile: perf cannot sample here, or saw nothing"
