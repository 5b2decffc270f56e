"""journal - what a soak has done so far, in a file that survives any end of it.

The first line says of what: {"source": …, "commit": …}. Each further line is one finished range of
seeds with its figures, or something else that was done ("part"), written and synced at once. A line
that was cut in the middle is dropped.
"""
import json
import os

# Figures of a seed that are no sums.
SINGLE = ("seed", "hash", "nodes", "shards", "violation")


def add(sums, figures):
    """Adds numbers up, also those in objects inside."""
    for name, value in figures.items():
        if isinstance(value, dict):
            add(sums.setdefault(name, {}), value)
        elif isinstance(value, (int, float)):
            sums[name] = sums.get(name, 0) + value


def sums_of(seeds):
    """The figures of a range: of all its seeds together."""
    sums = {"seeds": 0, "sizes": {}}
    for seed in seeds:
        sums["seeds"] += 1
        if "nodes" in seed:
            add(sums["sizes"], {str(seed["nodes"]): 1})
        add(sums, {name: value for name, value in seed.items() if name not in SINGLE})
    return sums


def violations_of(seeds):
    return [dict(seed["violation"], seed=seed["seed"]) for seed in seeds if seed.get("violation")]


class Journal:
    def __init__(self, path):
        self.path = path
        self.head, self.ranges, self.parts = None, [], {}
        self.load()

    def load(self):
        if not os.path.exists(self.path):
            return
        with open(self.path, "rb") as file:
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        lines = []
        for line in whole.split(b"\n")[:-1]:
            try:
                lines.append(json.loads(line))
            except ValueError:
                break  # a machine went down: what follows is not to be trusted
        if not lines or "source" not in lines[0]:
            return
        self.head = lines[0]
        self.ranges = [line for line in lines[1:] if "part" not in line]
        self.parts = {line["part"]: line for line in lines[1:] if "part" in line}
        kept = b"".join(line + b"\n" for line in whole.split(b"\n")[:len(lines)])
        if kept != data:
            with open(self.path, "r+b") as file:
                file.truncate(len(kept))

    def begin(self, head):
        """Begins anew; what was there is kept beside."""
        if self.head is not None:
            os.replace(self.path, f"{self.path}.{self.head['source'][:12]}")
        self.head, self.ranges, self.parts = head, [], {}
        with open(self.path, "w", encoding="utf-8"):
            pass
        self.write(head)

    def write(self, line):
        with open(self.path, "ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def add(self, first, seeds, began, ended, commit):
        """Notes seeds that are done: one after the other, from `first` on."""
        if not seeds:
            return
        line = {"first": first, "last": first + len(seeds) - 1, "began": began, "ended": ended,
                "commit": commit, "sums": sums_of(seeds), "violations": violations_of(seeds)}
        self.write(line)
        self.ranges.append(line)

    def add_part(self, name, status, text, seconds):
        line = {"part": name, "status": status, "text": text, "seconds": round(seconds)}
        self.write(line)
        self.parts[name] = line

    def missing(self, first, last):
        """Ranges (first, last) that are not done yet, in order."""
        found, at = [], first
        for begin, end in sorted((line["first"], line["last"])
                                 for line in self.within(first, last)):
            if begin > at:
                found.append((at, begin - 1))
            at = max(at, end + 1)
        if at <= last:
            found.append((at, last))
        return found

    def within(self, first, last):
        """The lines of ranges that lie in these seeds, none of which is counted twice. Of lines
        that overlap one in which something was found stays; what is gone with another is missing,
        and done again."""
        kept = []
        for line in sorted(self.ranges, key=lambda line: not line["violations"]):
            inside = line["first"] >= first and line["last"] <= last
            if inside and all(line["first"] > other["last"] or line["last"] < other["first"]
                              for other in kept):
                kept.append(line)
        return kept
