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
