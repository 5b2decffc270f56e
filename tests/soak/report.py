"""report - what a soak has found, as a page for people."""
import os
import re
import time

from journal import add

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SEEDS = os.path.join(ROOT, "tests", "seeds.txt")
ROW = re.compile(r"^seed (\d+)((?: --\S+(?: [^-\s,]\S*)?)*), (\w+), (\w+): (\S.*)$")


def found_seeds(path=SEEDS):
    """Rows of tests/seeds.txt: (seed, options, invariant, commit, sentence)."""
    rows = []
    if not os.path.exists(path):
        return rows
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            row = ROW.match(line.rstrip("\n"))
            if row is None:
                raise ValueError(f"{path}:{number}: not `seed N, INVARIANT, COMMIT: sentence`")
            rows.append((int(row[1]), row[2].split(), row[3], row[4], row[5]))
    return rows


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


def head_rows(journal, first, last, lines, sums, jobs):
    seconds = worked(lines)
    seeds, ops = sums.get("seeds", 0), sums.get("ops", 0)
    wanted = last - first + 1
    done = "all" if seeds == wanted else f"{count(seeds)} of {count(wanted)}, ended early"
    commits = sorted({line["commit"] for line in lines}) or [journal.head["commit"]]
    yield "seeds", f"{first} to {last}: {done}"
    yield "commit", ", ".join(commits)
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


def violation_rows(lines):
    known = {(seed, invariant): sentence for seed, _, invariant, _, sentence in found_seeds()}
    for line in lines:
        for found in line["violations"]:
            seed, invariant = found["seed"], found["invariant"]
            yield (seed, f"{invariant} ({found['kind']})", found["text"][:300],
                   known.get((seed, invariant), "**open**"), line["commit"])


def write(journal, first, last, jobs):
    """The whole page."""
    lines = sorted(journal.within(first, last), key=lambda line: line["first"])
    sums = {}
    for line in lines:
        add(sums, line["sums"])
    violations = list(violation_rows(lines))
    faults, answers, marks = (sums.get(name, {}) for name in ("faults", "answers", "marks"))
    page = ["# The long run", "",
            "Written by `make soak` (`tests/soak/run`); the next run writes it anew. What a seed is "
            "stands in",
            "[testing.md](testing.md); `build/gcc/bin/thence-sim --seed N --story` tells one.", ""]
    page += table(("", ""), head_rows(journal, first, last, lines, sums, jobs))
    page += ["", "## Violations", ""]
    if violations:
        page += table(("seed", "broken", "what was seen", "what became of it", "commit"), violations)
    else:
        page += ["None."]
    page += ["", "## Faults, by kind", ""]
    page += table(("fault", "fired"), [(name, count(n)) for name, n in by_count(faults)])
    page += ["", "## Answers", ""]
    page += table(("answer", "times"), [(name, count(n)) for name, n in by_count(answers)])
    if marks:
        page += ["", "## Rare paths of the core (src/base/marks.def)", ""]
        page += table(("mark", "seeds that reached it"),
                      [(name, count(n)) for name, n in by_count(marks) if n])
        never = [f"`{name}`" for name, n in sorted(marks.items()) if not n]
        page += ["", f"Never reached: {', '.join(never) or 'none of them'}."]
    stamp = time.strftime("%Y-%m-%d", time.gmtime(max((line["ended"] for line in lines),
                                                      default=time.time())))
    page += ["", f"Last seed: {stamp}.", ""]
    return "\n".join(page)
