#!/usr/bin/env python3
"""judge - what a history breaks. It knows histories alone: no tokens, no server.

What a session has seen (its *past*) is a set of writes: its own that were acknowledged, those it
read, and the pasts of those. A session's acknowledged writes form a chain, so a past is a vector:
session -> how many of its acknowledged writes. A write whose outcome is unknown is a chain of its
own: it may have happened at any time after it was sent, or never.

From that follow, for each key, pairs "this write before that one": w' before w when w' was in the
past of w, or in that of a session that read w (the store chose w over w', and all replicas choose
alike). Broken are:

    read-your-writes, monotonic-reads, monotonic-writes, writes-follow-reads
                     a session read something that what it had seen had replaced
    from-nowhere     a value was read that nobody had written yet
    refused-write    a value was read whose write was refused
    lost-write       an acknowledged write is not among what the last reads show
    replicas-differ  the last reads of two nodes differ
    order            the pairs of a key run in a circle: two readers saw two orders

usage: judge.py <history file>
"""
import sys
from collections import defaultdict

from history import History

READS, WRITES = ("get", "final"), ("put", "delete")


class Write:
    __slots__ = ("event", "chain", "number", "past")

    def __init__(self, event, chain, number):
        self.event, self.chain, self.number = event, chain, number
        self.past = None        # vector before it; set when its session gets there

    def __repr__(self):
        return f"{self.event.value} ({self.chain} #{self.number})"


class Violation:
    def __init__(self, kind, event, text):
        self.kind, self.event, self.text = kind, event, text

    def __str__(self):
        return f"{self.kind}: {self.text}" + (f"\n    {self.event}" if self.event else "")


def covers(past, write):
    return past.get(write.chain, 0) >= write.number


def join(past, other):
    for chain, number in other.items():
        if past.get(chain, 0) < number:
            past[chain] = number


class Judge:
    def __init__(self, history):
        self.events = history.events
        self.violations = []
        self.by_value = {}
        self.refused = {}
        self.by_key = defaultdict(lambda: defaultdict(list))    # key -> chain -> writes in order
        self.deletes = defaultdict(list)                        # key -> deletes that may have been
        self.before = defaultdict(dict)     # key -> (earlier value, later value) -> event
        self.past = defaultdict(dict)       # session -> vector now
        self.pasts = defaultdict(lambda: [{}])      # session -> vector after n events
        self.direct = defaultdict(dict)     # session -> chain -> highest number it read itself
        self.reads = 0

    def complain(self, kind, event, text):
        self.violations.append(Violation(kind, event, text))

    # ---- what was written --------------------------------------------------------------------

    def collect(self):
        counts = defaultdict(int)
        for event in self.events:
            if event.op not in WRITES:
                continue
            if event.value in self.by_value or event.value in self.refused:
                raise ValueError(f"{event.value} was written twice: not a history to be judged")
            if event.outcome == "refused":
                self.refused[event.value] = event
            elif event.outcome in ("ok", "unknown"):
                self.add_write(event, counts)

    def add_write(self, event, counts):
        if event.outcome == "ok":
            counts[event.session] += 1
            write = Write(event, event.session, counts[event.session])
        else:
            write = Write(event, f"{event.session}?{event.value}", 1)
        self.by_value[event.value] = write
        self.by_key[event.key][write.chain].append(write)
        if event.op == "delete":
            self.deletes[event.key].append(write)

    # ---- events in order ----------------------------------------------------------------------

    def past_of(self, write):
        """The vector before a write. A session that is in the middle of it has its vector of now:
        what came before had ended by then."""
        return write.past if write.past is not None else self.past[write.event.session]

    def latest(self, key, past):
        """Of each chain the last write to the key that is in the past."""
        found = []
        for chain, writes in self.by_key[key].items():
            most = past.get(chain, 0)
            write = None
            for candidate in reversed(writes):
                if candidate.number <= most:
                    write = candidate
                    break
            if write is not None:
                found.append(write)
        return found

    def note_before(self, earlier, later, event):
        pair = (earlier.event.value, later.event.value)
        self.before[later.event.key].setdefault(pair, event)

    def write(self, event):
        write = self.by_value.get(event.value)
        if write is None:
            return      # refused
        past = self.past[event.session]
        write.past = dict(past)
        for earlier in self.latest(event.key, past):
            self.note_before(earlier, write, event)
        if event.outcome == "ok":
            past[event.session] = write.number

    def kind_of(self, event, seen):
        """Which guarantee says that `event` must not have missed `seen`."""
        if seen.event.session == event.session:
            return "read-your-writes"
        direct = self.direct[event.session].get(seen.chain, 0)
        if direct > seen.number:
            return "monotonic-writes"
        return "monotonic-reads" if direct == seen.number else "writes-follow-reads"

    def read(self, event):
        self.reads += 1
        if event.outcome == "absent":
            self.read_absent(event)
            return
        write = self.by_value.get(event.value)
        if event.value in self.refused:
            self.complain("refused-write", event, f"the write of {event.value} was refused: "
                          f"{self.refused[event.value]}")
        elif write is None or write.event.key != event.key or write.event.op != "put":
            self.complain("from-nowhere", event, f"nobody put {event.value} at {event.key}")
        elif write.event.start > event.end:
            self.complain("from-nowhere", event, f"{event.value} is put only later")
        else:
            self.read_write(event, write)

    def read_write(self, event, write):
        """A session read this write (or, with `absent`, surely this delete)."""
        past = self.past[event.session]
        for seen in self.latest(event.key, past):
            if seen is write:
                continue
            if covers(self.past_of(seen), write):
                self.complain(self.kind_of(event, seen), event,
                              f"had seen {seen}, which replaced {write}")
            else:
                self.note_before(seen, write, event)
        join(past, self.past_of(write))
        join(past, {write.chain: write.number})
        direct = self.direct[event.session]
        direct[write.chain] = max(direct.get(write.chain, 0), write.number)

    def read_absent(self, event):
        seen = self.latest(event.key, self.past[event.session])
        if not seen:
            return
        chosen = [delete for delete in self.deletes[event.key]
                  if delete.event.start < event.end and
                  not any(covers(self.past_of(write), delete) for write in seen
                          if write is not delete)]
        if not chosen:
            last = seen[-1]
            self.complain(self.kind_of(event, last), event,
                          f"had seen {last}, and nobody deleted it after that")
        elif len(chosen) == 1:
            self.read_write(event, chosen[0])

    def merge(self, event):
        pasts = self.pasts[event.source]
        join(self.past[event.session], pasts[min(event.upto, len(pasts) - 1)])

    def walk(self):
        for event in sorted((e for e in self.events if e.op != "final"), key=lambda e: e.end):
            if event.op == "merge":
                self.merge(event)
            elif event.op in WRITES and event.outcome != "absent":
                self.write(event)
            elif event.outcome in ("ok", "absent"):
                self.read(event)    # also a delete that found nothing
            self.pasts[event.session].append(dict(self.past[event.session]))

    # ---- the end --------------------------------------------------------------------------------

    def last_reads(self):
        found = defaultdict(dict)
        everything = {}
        for write in self.by_value.values():
            if write.event.outcome == "ok":
                everything[write.chain] = max(everything.get(write.chain, 0), write.number)
        for event in self.events:
            if event.op == "final":
                found[event.key][event.node] = event
        for key, events in found.items():
            values = {e.value if e.outcome == "ok" else e.outcome for e in events.values()}
            if len(values) > 1:
                self.complain("replicas-differ", None, f"{key}: " + ", ".join(
                    f"{node}: {e.value if e.outcome == 'ok' else e.outcome}"
                    for node, e in sorted(events.items())))
            for event in events.values():
                self.last_read(event, everything)
        for key in set(self.by_key) - set(found) if found else ():
            self.complain("lost-write", None, f"nobody read {key} at the end")

    def last_read(self, event, everything):
        """Everything acknowledged is in the past of the last reads."""
        seen = self.latest(event.key, everything)
        if event.outcome == "absent":
            candidates = self.deletes[event.key]
            text = "nothing is there"
        elif event.outcome != "ok":
            self.complain("lost-write", event, f"{event.key} could not be read at the end")
            return
        else:
            if event.value not in self.by_value:
                self.read(event)
                return
            candidates = [self.by_value[event.value]]
            text = f"{event.value} is there"
        missed = [write for write in seen
                  if all(covers(write.past, other) and other is not write for other in candidates)]
        if missed and seen:
            self.complain("lost-write", event, f"{missed[-1]} was acknowledged, and {text}")
        elif event.outcome == "ok":
            for write in seen:
                if write is not candidates[0]:
                    self.note_before(write, candidates[0], event)

    def circles(self):
        for key, pairs in self.before.items():
            after = defaultdict(list)
            for earlier, later in pairs:
                after[earlier].append(later)
            circle = shortest_circle(after)
            if circle:
                steps = [f"{a} before {b}: {pairs[(a, b)]}"
                         for a, b in zip(circle, circle[1:] + circle[:1])]
                self.complain("order", None, f"{key} has no one order\n    " + "\n    ".join(steps))

    def run(self):
        self.collect()
        self.walk()
        self.last_reads()
        self.circles()
        return self.violations


def in_circles(after):
    """Nodes that lie on a circle or between two: what is left when those without a predecessor, and
    those without a successor, are taken away again and again."""
    nodes = set(after) | {later for laters in after.values() for later in laters}
    while True:
        reached = {later for node in nodes for later in after.get(node, ()) if later in nodes}
        going = {node for node in nodes if any(later in nodes for later in after.get(node, ()))}
        rest = reached & going
        if rest == nodes:
            return nodes
        nodes = rest


def shortest_circle(after):
    best = None
    nodes = in_circles(after)
    for start in nodes:
        came, queue = {start: None}, [start]
        for node in queue:
            if start in after.get(node, ()):
                path = [node]
                while came[path[-1]] is not None:
                    path.append(came[path[-1]])
                if best is None or len(path) < len(best):
                    best = path[::-1]
                break
            for later in after.get(node, ()):
                if later in nodes and later not in came:
                    came[later] = node
                    queue.append(later)
    return best


def judge(history):
    """All violations of a history."""
    return Judge(history).run()


def main():
    violations = judge(History.load(sys.argv[1]))
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
