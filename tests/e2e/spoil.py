#!/usr/bin/env python3
"""spoil - lies put into a true history, to see whether the judge finds them there.

The history is lines in the words of src/check. Each lie is one answer that no store with these
promises gives, among thousands that one gave. LIES says by which name each must be found:

    old read of its own     a session reads what it had overwritten itself
    old read                what it has read is gone back to what was before
    effect without cause    a later write of a session was read, an earlier not
    lost at the end         every replica has gone back to what was before
    one replica behind      one replica has
    out of nowhere          a read returns what nobody wrote
    refused, and yet        a read returns what was said not to have happened
    before its time         a read ends before the write begins

usage: tests/e2e/spoil.py FILE [seed]      (FILE may be compressed)

THENCE_BIN as for `run`. Last line: `N passed, N failed`.
"""
import gzip
import random
import sys

from report import Report
from verdict import opinion

EACH = 3            # of short histories; of long ones, which take longer to be judged, one
LONG_LINES = 20000


def read_lines(path):
    """The lines of a history that say something."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as text:
        return [line for line in text.read().split("\n") if line and not line.startswith("#")]


class Spoiler:
    def __init__(self, lines, rng):
        self.rng = rng
        self.rows = [line.split(" ") for line in lines]
        self.writes = {}        # value -> index of its write
        self.before = {}        # value -> the one that its session wrote to that key before
        self.reads = []         # indexes of reads that returned something
        self.finals = {}        # key -> indexes
        last = {}
        for index, row in enumerate(self.rows):
            if row[0] == "f":
                self.finals.setdefault(row[2], []).append(index)
            elif row[0] == "r" and row[5] != "-" and row[6] == "ok":
                self.reads.append(index)
            elif row[0] == "w" and row[6] == "ok":
                self.writes[row[5]] = index
                if (row[1], row[4]) in last:
                    self.before[row[5]] = last[(row[1], row[4])]
                last[(row[1], row[4])] = row[5]

    def insert_read(self, index, key, value):
        """The session of that line reads this right after it; who took over what it had seen later
        takes over as much as before."""
        rows = list(self.rows)
        session, time = rows[index][1], rows[index][3]
        number = sum(row[0] != "f" and row[1] == session for row in rows[:index + 1])
        for at, row in enumerate(rows):
            if row[0] == "c" and row[3] == session and int(row[4]) > number:
                rows[at] = [*row[:4], str(int(row[4]) + 1)]
        rows.insert(index + 1, ["r", session, time, time, key, value, "ok"])
        return rows

    def change(self, index, column, value):
        rows = list(self.rows)
        rows[index] = [*rows[index][:column], value, *rows[index][column + 1:]]
        return rows

    # ---- lies ----------------------------------------------------------------------------------

    def own(self):
        value = self.rng.choice(list(self.before))
        index = self.writes[value]
        return self.insert_read(index, self.rows[index][4], self.before[value])

    def old(self):
        index = self.rng.choice([index for index in self.reads if self.rows[index][5] in self.before
                                 and self.writer(self.rows[index][5]) != self.rows[index][1]])
        return self.insert_read(index, self.rows[index][4], self.before[self.rows[index][5]])

    def writer(self, value):
        return self.rows[self.writes[value]][1]

    def effect(self):
        """Of the writers that were read, one that had replaced a value of its own before that, of
        another key: that one is read again."""
        while True:
            index = self.rng.choice(self.reads)
            _, session, _, _, key, read, _ = self.rows[index]
            at = self.writes.get(read)
            if at is None or self.writer(read) == session:
                continue
            writer = self.writer(read)
            replaced = [row for row in self.rows[:at] if row[0] == "w" and row[1] == writer and
                        row[5] in self.before and row[4] != key]
            if replaced:
                row = self.rng.choice(replaced)
                return self.insert_read(index, row[4], self.before[row[5]])

    def final_with_before(self):
        return self.rng.choice([key for key, indexes in self.finals.items()
                                if self.rows[indexes[0]][3] in self.before])

    def lost(self):
        key = self.final_with_before()
        rows = list(self.rows)
        for index in self.finals[key]:
            rows[index] = [*rows[index][:3], self.before[rows[index][3]]]
        return rows

    def behind(self):
        index = self.rng.choice(self.finals[self.final_with_before()])
        return self.change(index, 3, self.before[self.rows[index][3]])

    def nowhere(self):
        return self.change(self.rng.choice(self.reads), 5, "never-written")

    def refused(self):
        value = self.rng.choice([self.rows[index][5] for index in self.reads
                                 if self.rows[index][5] in self.writes])
        return self.change(self.writes[value], 6, "no")

    def early(self):
        """A stranger reads what is written only later."""
        index = self.rng.choice(list(self.writes.values()))
        _, _, start, _, key, value, _ = self.rows[index]
        time = str(int(start) - 1)
        return [["r", "stranger", time, time, key, value, "ok"], *self.rows]


# One pattern, and which name it gets depends on how the reader could have known.
GUARANTEES = {"read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"}
LIES = {
    "old read of its own": ({"read-your-writes"}, Spoiler.own),
    "old read": (GUARANTEES, Spoiler.old),
    "effect without cause": (GUARANTEES, Spoiler.effect),
    "lost at the end": ({"durability"}, Spoiler.lost),
    "one replica behind": ({"convergence"}, Spoiler.behind),
    "out of nowhere": ({"thin-air"}, Spoiler.nowhere),
    "refused, and yet": ({"thin-air"}, Spoiler.refused),
    "before its time": ({"from-the-future"}, Spoiler.early),
}


def check_lies(report, lines, seed):
    """Each kind of lie: broken, and by the right name."""
    spoiler = Spoiler(lines, random.Random(seed))
    each = EACH if len(lines) < LONG_LINES else 1
    for what, (names, lie) in LIES.items():
        verdicts = [opinion(" ".join(row) for row in lie(spoiler)) for _ in range(each)]
        found = [kind for verdict in verdicts for kind in verdict.kinds]
        good = all(verdict.status == 1 and names & set(verdict.kinds) for verdict in verdicts)
        report.check(good, f"a lie among {len(lines)} lines, {each} times: {what}: "
                     f"{', '.join(sorted(set(found)))}", [verdict.last for verdict in verdicts])


def main():
    lines = read_lines(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    report = Report()
    report.say(f"seed {seed}")
    verdict = opinion(lines)
    report.check(verdict.status == 0, f"{sys.argv[1]} as it is: {verdict.last}", str(verdict))
    check_lies(report, lines, seed)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
