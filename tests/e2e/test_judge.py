#!/usr/bin/env python3
"""test_judge - histories made by hand: the good ones pass, each liar is caught by the right name.

One line a step: `session op key[=value] [outcome]`; time is the line's number. `a:get x=1` reads 1,
`a:get x=-` finds nothing, `a:del x=d1` deletes, `a:merge b` goes on with what b has seen by now,
`*n1:x=1` is a last read at node n1. `?` behind a write: unknown; `!`: refused. A write with `~` is
acknowledged only at the end of the history.
"""
import random
import sys

from history import Event, History
from judge import judge
from report import Report

GOOD = {
    "one session": "a:put x=1; a:get x=1; a:put x=2; a:get x=2; *n1:x=2; *n2:x=2",
    "nothing there": "a:get x=-; a:put x=1; a:del x=d1; a:get x=-; *n1:x=-",
    "another session sees it late": "a:put x=1; a:put x=2; b:get x=1; b:get x=2; *n1:x=2",
    "a stranger sees nothing": "a:put x=1; b:get x=-; b:get x=1; *n1:x=1",
    "concurrent writes, one order":
        "a:put x=1; b:put x=2; c:get x=1; c:get x=2; d:get x=2; *n1:x=2",
    "the earlier of two strangers wins": "a:put x=1; b:put x=2; c:get x=1; *n1:x=1; *n2:x=1",
    "an unknown write that did not happen": "a:put x=1; a:put x=2?; a:get x=1; *n1:x=1",
    "an unknown write that happened": "a:put x=1; a:put x=2?; a:get x=2; *n1:x=2",
    "an unknown write that happened late":
        "a:put x=1; a:put x=2?; a:get x=1; a:get x=2; *n1:x=2",
    "an unknown delete that happened": "a:put x=1; a:del x=d1?; a:get x=-; *n1:x=-",
    "a refused write": "a:put x=1; a:put x=2!; a:get x=1; *n1:x=1",
    "read while it is being written": "a:put x=1~; b:get x=1; b:put y=2; *n1:x=1; *n1:y=2",
    "a held-back token sees old things":
        "a:put x=1; h:merge a; a:put x=2; a:get x=2; h:get x=1; h:get x=2; *n1:x=2",
    "deleted by one of two strangers": "a:put x=1; b:del x=d1; c:del x=d2; a:get x=-; *n1:x=-",
    "a delete that found nothing": "a:del x=d1/absent; a:get x=-; *n1:x=-",
}

BAD = {
    "forgets its own write": ("read-your-writes", "a:put x=1; a:put x=2; a:get x=1; *n1:x=2"),
    "does not find its own write": ("read-your-writes", "a:put x=1; a:get x=-; *n1:x=1"),
    "finds what it deleted": ("read-your-writes", "a:put x=1; a:del x=d1; a:get x=1; *n1:x=-"),
    "goes back in time": ("monotonic-reads",
                          "a:put x=1; a:put x=2; b:get x=2; b:get x=1; *n1:x=2"),
    "goes back to nothing": ("monotonic-reads", "a:put x=1; b:get x=1; b:get x=-; *n1:x=1"),
    "goes back between strangers": ("order",
                                    "a:put x=1; b:put x=2; c:get x=1; c:get x=2; c:get x=1; "
                                    "*n1:x=1"),
    "sees the second write without the first": ("monotonic-writes",
                                                "a:put x=1; a:put y=2; b:get y=2; b:get x=-; "
                                                "*n1:x=1; *n1:y=2"),
    "sees the later key and the older value": ("monotonic-writes",
                                               "a:put x=1; a:put x=2; a:put y=3; b:get y=3; "
                                               "b:get x=1; *n1:x=2; *n1:y=3"),
    "sees the answer without the question": ("writes-follow-reads",
                                             "a:put x=1; b:get x=1; b:put y=2; c:get y=2; "
                                             "c:get x=-; *n1:x=1; *n1:y=2"),
    "sees a third's write undone": ("writes-follow-reads",
                                    "a:put x=1; a:put x=2; b:get x=2; b:put y=3; c:get y=3; "
                                    "c:get x=1; *n1:x=2; *n1:y=3"),
    "forgets a merged context": ("writes-follow-reads",
                                 "a:put x=1; a:put x=2; b:merge a; b:get x=1; *n1:x=2"),
    "sees a delete undone": ("monotonic-reads",
                             "a:put x=1; a:del x=d1; b:get x=1; b:get x=-; b:get x=1; *n1:x=-"),
    "reads what nobody wrote": ("from-nowhere", "a:put x=1; b:get x=7; *n1:x=1"),
    "reads another key's value": ("from-nowhere", "a:put x=1; a:put y=2; b:get x=2; *n1:x=1; "
                                  "*n1:y=2"),
    "reads what is written only later": ("from-nowhere", "b:get x=1; a:put x=1; *n1:x=1"),
    "shows nobody's value at the end": ("from-nowhere", "a:put x=1; *n1:x=9"),
    "carries a refused write out": ("refused-write", "a:put x=1; a:put x=2!; b:get x=2; *n1:x=1"),
    "keeps a refused write": ("refused-write", "a:put x=1; a:put x=2!; *n1:x=2"),
    "loses a key": ("lost-write", "a:put x=1; *n1:x=-"),
    "loses the last write": ("lost-write", "a:put x=1; a:put x=2; *n1:x=1"),
    "loses a write that was read": ("lost-write", "a:put x=1; b:get x=1; b:put x=2; *n1:x=1"),
    "loses a delete": ("lost-write", "a:put x=1; a:del x=d1; *n1:x=1"),
    "loses what came after a delete": ("lost-write", "a:put x=1; a:del x=d1; a:put x=2; *n1:x=-"),
    "loses the acknowledged before the unknown": ("lost-write",
                                                  "a:put x=1; a:put x=2; a:put x=3?; *n1:x=1"),
    "cannot be read at the end": ("lost-write", "a:put x=1; *n1:x=refused"),
    "is not read at the end": ("lost-write", "a:put x=1; a:put y=2; *n1:x=1"),
    "has replicas that differ": ("replicas-differ", "a:put x=1; b:put x=2; *n1:x=1; *n2:x=2"),
    "has a replica without a key": ("replicas-differ", "a:put x=1; *n1:x=1; *n2:x=-"),
    "shows two readers two orders": ("order",
                                     "a:put x=1; b:put x=2; c:get x=1; c:get x=2; d:get x=2; "
                                     "d:get x=1; *n1:x=1"),
    "ends otherwise than a reader saw": ("order",
                                         "a:put x=1; b:put x=2; c:get x=1; c:get x=2; *n1:x=1"),
    "shows three readers a circle": ("order",
                                     "a:put x=1; b:put x=2; c:put x=3; d:get x=1; d:get x=2; "
                                     "e:get x=2; e:get x=3; f:get x=3; f:get x=1; *n1:x=1"),
}


def parse_last(history, text, at):
    node, rest = text[1:].split(":")
    key, value = rest.split("=")
    outcome = {"-": "absent", "refused": "refused"}.get(value, "ok")
    history.add(Event("last", "final", key, value if outcome == "ok" else None, outcome, at, at,
                      node))


def parse_step(history, counts, text, at, last):
    session, rest = text.split(":", 1)
    op, rest = rest.split(" ")
    counts[session] = counts.get(session, 0) + 1
    if op == "merge":
        history.add(Event(session, "merge", start=at, end=at + 0.5, source=rest,
                          upto=counts.get(rest, 0)))
        return
    key, value = rest.split("=")
    outcome, end = "ok", at + 0.5
    if value[-1] in "?!~":
        outcome = {"?": "unknown", "!": "refused", "~": "ok"}[value[-1]]
        end = last if value[-1] == "~" else end
        value = value[:-1]
    if value.endswith("/absent"):
        value, outcome = value[:-7], "absent"
    if op == "get" and value == "-":
        value, outcome = None, "absent"
    op = {"put": "put", "del": "delete", "get": "get"}[op]
    history.add(Event(session, op, key, value, outcome, at, end, "n0"))


def parse(text):
    history, counts = History(), {}
    steps = [step.strip() for step in text.split(";")]
    for at, step in enumerate(steps):
        if step.startswith("*"):
            parse_last(history, step, at)
        else:
            parse_step(history, counts, step, at, len(steps))
    return history


class Store:
    """A store of one copy that keeps its promises, for histories by chance."""

    def __init__(self, rng):
        self.rng, self.values, self.next = rng, {}, 0

    def step(self, history, at, session, positions):
        key = f"k{self.rng.randrange(5)}"
        draw = self.rng.random()
        positions[session] = positions.get(session, 0) + 1
        if draw < 0.5:
            value = self.values.get(key)
            history.add(Event(session, "get", key, value, "ok" if value else "absent", at,
                              at + 0.5, "n"))
        elif draw < 0.6:
            other = f"s{self.rng.randrange(5)}"
            history.add(Event(session, "merge", start=at, end=at + 0.5, source=other,
                              upto=positions.get(other, 0)))
        else:
            self.write(history, at, session, key, draw)

    def write(self, history, at, session, key, draw):
        self.next += 1
        outcome = self.rng.choices(("ok", "unknown", "refused"), (8, 1, 1))[0]
        op = "delete" if draw > 0.9 else "put"
        history.add(Event(session, op, key, f"v{self.next}", outcome, at, at + 0.5, "n"))
        if outcome == "ok" or (outcome == "unknown" and self.rng.random() < 0.5):
            self.values[key] = f"v{self.next}" if op == "put" else None


def by_chance(seed):
    rng = random.Random(seed)
    history, store, positions = History(), Store(rng), {}
    for at in range(400):
        store.step(history, at, f"s{rng.randrange(5)}", positions)
    for key in {event.key for event in history.events if event.key}:
        value = store.values.get(key)
        history.add(Event("last", "final", key, value, "ok" if value else "absent", 400, 400, "n1"))
    return history, rng


def spoil(history, rng):
    """One lie: a session that read a value twice gets the one of its own write before the last."""
    own = {}
    events = list(history.events)
    for event in events:
        if event.op == "put" and event.outcome == "ok":
            own.setdefault((event.session, event.key), []).append(event)
    pairs = [writes for writes in own.values() if len(writes) >= 2]
    writes = rng.choice(pairs)
    late = max(event.end for event in events)
    history.add(Event(writes[0].session, "get", writes[0].key, writes[0].value, "ok", late + 1,
                      late + 2, "n"))


def chance(report):
    seed = random.randrange(1 << 32)
    report.say(f"seed {seed}")
    honest = [violation for i in range(100) for violation in judge(by_chance(seed + i)[0])]
    report.check(not honest, "100 histories of an honest store pass", [str(v) for v in honest[:3]])
    caught = 0
    for i in range(100):
        history, rng = by_chance(seed + i)
        spoil(history, rng)
        caught += any(v.kind == "read-your-writes" for v in judge(history))
    report.equal(caught, 100, "100 histories with one lie in 400 steps are caught")


def main():
    report = Report()
    for what, text in GOOD.items():
        found = judge(parse(text))
        report.check(not found, f"passes: {what}", "; ".join(map(str, found)))
    for what, (kind, text) in BAD.items():
        kinds = {violation.kind for violation in judge(parse(text))}
        report.check(kind in kinds, f"caught as {kind}: {what}", f"found {sorted(kinds)}")
    chance(report)
    return report.end()


sys.exit(main())
