"""report - what a soak has found, as a page for people."""
import os
import re
import sys
import time

from journal import add

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sim"))
import found  # tests/sim/found.py


def count(number):
    return f"{number:,}"


def span(seconds):
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {int(seconds % 60)} s"


def worked(lines):
    """Seconds in which something ran, however many at once."""
    total, until = 0.0, 0.0
    for began, ended in sorted((line["began"], line["ended"]) for line in lines):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total


def machine():
    name = "a machine"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            name = re.search(r"^model name\s*:\s*(.+)$", info.read(), re.M)[1].strip()
    except (OSError, TypeError):
        pass
    return f"{name}, {os.cpu_count()} cores"


def table(heading, rows):
    lines = ["| " + " | ".join(heading) + " |", "| " + " | ".join("---" for _ in heading) + " |"]
    return lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
                    for row in rows]


def by_count(counts):
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def by_commit(journal, lines):
    """The commit that was run; of several, with how many seeds each, in their order."""
    seeds = {}
    for line in sorted(lines, key=lambda line: line["ended"]):
        seeds[line["commit"]] = seeds.get(line["commit"], 0) + line["sums"]["seeds"]
    if len(seeds) < 2:
        return next(iter(seeds), journal.head["commit"])
    return ", then ".join(f"{commit} ({count(number)} seeds)" for commit, number in seeds.items())


def head_rows(journal, first, last, lines, sums, jobs):
    seconds = worked(lines)
    seeds, ops = sums.get("seeds", 0), sums.get("ops", 0)
    wanted = last - first + 1
    done = "all" if seeds == wanted else f"{count(seeds)} of {count(wanted)}, ended early"
    yield "seeds", f"{first} to {last}: {done}"
    yield "commit", by_commit(journal, lines)
    yield "worlds of", ", ".join(f"{size} nodes: {count(number)}" for size, number in
                                 sorted(sums.get("sizes", {}).items()))
    yield "operations", count(ops)
    if ops:
        yield "answered", f"{100 * sums['answered'] / ops:.2f} %"
        yield "outcome unknown", count(sums["unknown"])
    yield "faults", count(sum(sums.get("faults", {}).values()))
    yield "node steps", count(sums.get("steps", 0))
    yield "virtual time", f"{sums.get('virtual_us', 0) / 3.6e9:,.0f} hours"
    yield "took", f"{span(seconds)} ({machine()}; {jobs} at a time)"
    if seconds > 0:
        yield "rate", (f"{count(int(seeds * 3600 / seconds))} seeds, "
                       f"{count(int(ops * 3600 / seconds))} operations an hour")


def violation_rows(lines, parts):
    known = {(row.seed, row.invariant): f"{'**open**: ' if row.open else ''}{row.sentence}"
             for row in found.rows()}
    for line in lines:
        for seen in line["violations"]:
            seed, invariant = seen["seed"], seen["invariant"]
            small = parts.get(f"shrink {seed}", {}).get("text", "")
            text = seen["text"][:300] + (f" Smaller: `{small}`" if small else "")
            yield (seed, f"{invariant} ({seen['kind']})", text,
                   known.get((seed, invariant), "**open**"), line["commit"])


def write(journal, first, last, jobs):
    """The whole page."""
    lines = sorted(journal.within(first, last), key=lambda line: line["first"])
    sums = {}
    for line in lines:
        add(sums, line["sums"])
    violations = list(violation_rows(lines, journal.parts))
    faults, answers, marks = (sums.get(name, {}) for name in ("faults", "answers", "marks"))
    page = ["# The long run", "",
            "Written by `make soak` (`tests/soak/run`); the next run writes it anew. What a seed "
            "is stands in",
            "[testing.md](testing.md); `build/gcc/bin/thence-sim --seed N --story` tells one.", ""]
    page += table(("", ""), head_rows(journal, first, last, lines, sums, jobs))
    page += ["", "## Violations", ""]
    if violations:
        heading = ("seed", "broken", "what was seen", "what became of it", "commit")
        page += table(heading, violations)
    else:
        page += ["None."]
    page += ["", "## Faults, by kind", ""]
    page += table(("fault", "fired"), [(name, count(n)) for name, n in by_count(faults)])
    page += ["", "## Answers", ""]
    page += table(("answer", "times"), [(name, count(n)) for name, n in by_count(answers)])
    if marks:
        page += ["", "## Rare paths of the core (`src/base/marks.def`)", ""]
        page += table(("mark", "seeds that reached it"),
                      [(name, count(n)) for name, n in by_count(marks) if n])
        never = [f"`{name}`" for name, n in sorted(marks.items()) if not n]
        page += ["", f"Never reached: {', '.join(never) or 'none of them'}."]
    parts = [line for name, line in journal.parts.items() if not name.startswith("shrink ")]
    if parts:
        page += ["", "## Beside the simulator", ""]
        page += table(("what", "result", "exit status", "took"),
                      [(line["part"], line["text"], line["status"], span(line["seconds"]))
                       for line in parts])
    stamp = time.strftime("%Y-%m-%d", time.gmtime(max((line["ended"] for line in lines),
                                                      default=time.time())))
    page += ["", f"Last seed: {stamp}.", ""]
    return "\n".join(page)
