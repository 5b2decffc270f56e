"""history - what clients did and saw, in the order of their own clocks (one process, one clock).

An event is one operation of one session, retries included:

    op       put, delete, get; merge (the session goes on with what `source` had seen after its
             first `upto` events, beside its own); final (a read of nobody, at the end, at `node`)
    value    written or read; of a delete a word that names it
    outcome  ok; absent (404); refused (surely not carried out); unknown (of a write)
    start, end   seconds of the one clock

Every value is written once in a history. A session's events do not overlap.
"""
import json
import threading
import urllib.parse

FIELDS = ("session", "op", "key", "value", "outcome", "start", "end", "node", "source", "upto")


class Event:
    __slots__ = FIELDS

    def __init__(self, session, op, key=None, value=None, outcome="ok", start=0.0, end=0.0,
                 node=None, source=None, upto=0):
        self.session, self.op, self.key, self.value = session, op, key, value
        self.outcome, self.start, self.end, self.node = outcome, start, end, node
        self.source, self.upto = source, upto

    def __str__(self):
        what = {"put": f"put {self.key}={self.value}",
                "delete": f"delete {self.key} ({self.value})",
                "merge": f"merge {self.source}[:{self.upto}]"}.get(
                    self.op, f"{self.op} {self.key} -> "
                    f"{self.value if self.outcome == 'ok' else self.outcome}")
        return (f"{self.session}: {what} {self.outcome} at {self.node} "
                f"[{self.start:.4f} {self.end:.4f}]")


FATES = {"ok": "ok", "refused": "no", "unknown": "unknown"}


def word(text):
    return urllib.parse.quote(str(text), safe="")


class Lines:
    """A history in the words of src/check (its README says what they mean). `notes`, pairs of a
    time and what happened then, become remarks in between."""

    def __init__(self, events, notes=()):
        walked = [event for event in events if event.op != "final"]
        self.zero = min((event.start for event in walked), default=0.0)
        self.lines = []
        self.counts = {}        # session -> lines so far, after each of its events
        notes = sorted(notes, reverse=True)
        for event in sorted(walked, key=lambda e: e.end):
            while notes and notes[-1][0] <= event.end:
                when, text = notes.pop()
                self.lines.append(f"# {self.time(when)} {text}")
            self.add(event)
        for event in events:
            if event.op == "final" and event.outcome in ("ok", "absent"):
                value = word(event.value) if event.outcome == "ok" else "-"
                self.lines.append(f"f {word(event.node)} {word(event.key)} {value}")

    def time(self, seconds):
        return int((seconds - self.zero) * 1e6)

    def add(self, event):
        counts = self.counts.setdefault(event.session, [0])
        line = self.line(event)
        if line is not None:
            self.lines.append(line)
        counts.append(counts[-1] + (line is not None))

    def line(self, event):
        """None for what says nothing: a read that was refused."""
        times = f"{self.time(event.start)} {self.time(event.end)}"
        if event.op == "merge":
            seen = self.counts.get(event.source, [0])
            return (f"c {word(event.session)} {self.time(event.end)} {word(event.source)} "
                    f"{seen[min(event.upto, len(seen) - 1)]}")
        where = f"{word(event.session)} {times} {word(event.key)}"
        if event.outcome == "absent":
            return f"r {where} - ok"
        if event.op == "get":
            return f"r {where} {word(event.value)} ok" if event.outcome == "ok" else None
        return f"{event.op[0].replace('p', 'w')} {where} {word(event.value)} {FATES[event.outcome]}"


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.events = []

    def add(self, event):
        with self.lock:
            self.events.append(event)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            for event in self.events:
                out.write(json.dumps({name: getattr(event, name) for name in FIELDS}) + "\n")

    @classmethod
    def load(cls, path):
        history = cls()
        with open(path, encoding="utf-8") as lines:
            history.events = [Event(**json.loads(line)) for line in lines]
        return history
