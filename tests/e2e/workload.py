"""workload - sessions that wander between nodes with their tokens, and write down what they saw.

Each worker is a thread with one session at a time: it writes and deletes keys of its own and keys
that all share, reads both, now and then goes on with what another worker has seen (its token beside
the own one), and now and then begins a new session from a token that it had held back, or that
another worker hands over. A value is a word that nobody else writes; some are long, and then what
follows the word is checked too.
"""
import random
import threading
import time
import zlib

from client import (ABSENT, BAD, BACKOFF_S, OK, REFUSED, RETRIES_MAX, UNKNOWN, Client, Figures,
                    Result, key_path)
from history import Event, History

OWN_KEYS, SHARED_KEYS = 4, 40
PACE_S = 0.003      # between operations, so that a history stays small enough to be judged
WAITS_MAX = 3       # in vain at one node, before it is given up
TOKENS_MAX = 8      # that a request may bring
SHUN_S = 3.0        # how long a node that did not answer in time is left alone
# One of how many values is so long; which one, its word decides.
LONG = ((16, 3000), (400, 60000))


def value_of(word):
    """What is written for a word: the word, of some with much behind it."""
    for one_of, size in LONG[::-1]:
        if zlib.crc32(word.encode()) % one_of == 0:
            return f"{word}:{'x' * size}"
    return word


def word_of(value):
    """The word of a value that was read; what nobody can have written stays as strange as it is."""
    if not isinstance(value, str) or ":" not in value:
        return value
    word = value.split(":")[0]
    return word if value == value_of(word) else f"spoilt:{value[:40]}:{len(value)}"


class State:
    """A token and the place in the history of what it stands for. Never changed, only replaced."""
    __slots__ = ("session", "position", "token")

    def __init__(self, session, position, token):
        self.session, self.position, self.token = session, position, token

    def tokens(self):
        """Several while no node has joined them."""
        return self.token.split(", ") if self.token else []


class Worker(threading.Thread):
    def __init__(self, workload, number, seed):
        super().__init__(daemon=True)
        self.workload = workload
        self.number = number
        self.rng = random.Random(seed)
        self.retries = RETRIES_MAX
        self.client = Client(workload.figures, workload.timeout_s)
        self.sessions = 0
        self.written = 0
        self.done = 0           # operations that were answered
        self.odd = []           # answers that no operation may get
        self.held_back = None
        self.shunned = {}       # node -> until when
        self.error = None
        self.state = None
        self.begin()

    # ---- sessions ------------------------------------------------------------------------------

    def begin(self):
        self.sessions += 1
        self.state = State(f"w{self.number}.{self.sessions}", 0, None)

    def note(self, op, key, value, outcome, start, node, token=None):
        """One event more in the present session; token: what came back."""
        now, state = time.monotonic(), self.state
        self.workload.history.add(Event(state.session, op, key, value, outcome, start, now, node))
        self.state = State(state.session, state.position + 1, token or state.token)

    def merge(self, other):
        """Goes on with the context of `other` beside the own one: both tokens are shown once, to
        whatever node, and the token that comes back stands for both."""
        tokens = {token for state in (self.state, other) for token in state.tokens()}
        if not tokens or len(tokens) > TOKENS_MAX:
            return
        key = self.shared_key()
        now = time.monotonic()
        self.workload.history.add(Event(self.state.session, "merge", start=now, end=now,
                                        source=other.session, upto=other.position))
        self.state = State(self.state.session, self.state.position + 1, ", ".join(sorted(tokens)))
        self.read(key)

    def go_back(self):
        """A new session from the token that was held back some time ago."""
        held, self.held_back = self.held_back, self.state
        if held is not None:
            self.take_over(held)

    def take_over(self, other):
        """A new session that goes on from where another is now."""
        self.begin()
        self.merge(other)

    # ---- operations ----------------------------------------------------------------------------

    def shared_key(self):
        return f"{self.workload.prefix}-shared-{self.rng.randrange(SHARED_KEYS)}"

    def some_key(self):
        if self.rng.random() < 0.3:
            return f"{self.workload.prefix}-own-{self.number}-{self.rng.randrange(OWN_KEYS)}"
        return self.shared_key()

    def headers(self):
        headers = {"Causal-Context": self.state.token} if self.state.token else {}
        prefer = self.rng.choice(self.workload.prefers)
        if prefer is not None:
            headers["Prefer"] = prefer
        return headers

    def give_up(self):
        """Nobody covers what this session has seen: half of them wait for better times, the others
        begin anew, with nothing seen."""
        if self.rng.random() < 0.5:
            self.begin()

    def some_node(self):
        now = time.monotonic()
        good = [node for node in self.workload.addresses if self.shunned.get(node, 0) <= now]
        return self.rng.choice(good or self.workload.addresses)

    def attempt(self, method, key, body):
        """(outcome, value, token, node): retries elsewhere what surely has not happened."""
        headers = self.headers()
        pause_s = BACKOFF_S
        for number in range(self.retries + 1):
            node = self.some_node()
            sent = time.monotonic()
            result = self.client.once(node, method, key_path(key), body, headers)
            if result.answer is None and time.monotonic() - sent >= self.workload.timeout_s:
                self.shunned[node] = time.monotonic() + SHUN_S
            self.workload.figures.add(requests=1, retries=int(number > 0),
                                      unknowns=int(result.outcome == UNKNOWN))
            if result.outcome != REFUSED or number == self.retries:
                break
            time.sleep(pause_s)     # the back-off of a careful client
            pause_s *= 2
        if result.outcome == REFUSED:
            self.workload.figures.add(failures=1)
        if result.outcome == BAD:
            self.odd.append((method, key, result))
        token = result.answer.token() if result.outcome in (OK, ABSENT) else None
        return result, token

    def read(self, key):
        start = time.monotonic()
        result, token = self.attempt("GET", key, None)
        outcome = result.outcome if result.outcome in (OK, ABSENT) else REFUSED
        self.note("get", key, word_of(result.value), outcome, start, result.address, token)
        self.done += outcome != REFUSED
        if outcome == REFUSED:
            self.give_up()

    def write(self, op, key):
        self.written += 1
        value = f"{self.number}.{self.written}" if op == "put" else f"d{self.number}.{self.written}"
        body = {"value": value_of(value)} if op == "put" else None
        start = time.monotonic()
        result, token = self.attempt("PUT" if op == "put" else "DELETE", key, body)
        outcome = result.outcome if result.outcome in (OK, ABSENT, UNKNOWN) else REFUSED
        self.note(op, key, value, outcome, start, result.address, token)
        self.done += outcome in (OK, ABSENT)
        if outcome == REFUSED:
            self.give_up()
        return result

    def step(self):
        draw = self.rng.random()
        if draw < 0.45:
            self.read(self.some_key())
        elif draw < 0.85:
            self.write("put", self.some_key())
        elif draw < 0.92:
            self.write("delete", self.some_key())
        elif draw < 0.97:
            self.merge(self.rng.choice(self.workload.workers).state)
        elif draw < 0.985:
            self.take_over(self.rng.choice(self.workload.workers).state)
        else:
            self.go_back()

    def run(self):
        try:
            while not self.workload.stopping.is_set():
                self.step()
                time.sleep(PACE_S)
        except Exception as error:      # must be seen, not die with the thread
            self.error = error
        self.client.close()


class Asker(Client):
    """A client that gives a node up which has let it wait a few times: who asks for hundreds of
    keys must not wait for each."""

    def __init__(self, timeout_s):
        super().__init__(timeout_s=timeout_s)
        self.waited = {}        # address -> how often in vain

    def once(self, address, method, path, body, headers):
        if self.waited.get(address, 0) >= WAITS_MAX:
            return Result(REFUSED, None, address)
        start = time.monotonic()
        result = super().once(address, method, path, body, headers)
        if result.outcome == REFUSED and time.monotonic() - start >= self.timeout_s / 2:
            self.waited[address] = self.waited.get(address, 0) + 1
        return result


class Workload:
    def __init__(self, addresses, workers=12, seed=None, timeout_s=3.0, prefers=(None,),
                 prefix="load"):
        self.addresses = addresses
        self.seed = random.randrange(1 << 32) if seed is None else seed
        self.timeout_s = timeout_s
        self.prefers = prefers      # what the header Prefer says, or None; drawn each time
        self.prefix = prefix        # of all keys
        self.figures = Figures()
        self.history = History()
        self.stopping = threading.Event()
        self.workers = []
        self.workers = [Worker(self, number, self.seed + number) for number in range(workers)]

    def start(self):
        for worker in self.workers:
            worker.start()

    def done(self):
        return sum(worker.done for worker in self.workers)

    def stop(self):
        self.stopping.set()
        for worker in self.workers:
            worker.join(60)

    def problems(self):
        """What must not happen to any worker: answers that make no sense, errors of its own."""
        found = [f"worker {worker.number}: {worker.error!r}" for worker in self.workers
                 if worker.error is not None or worker.is_alive()]
        return found + [odd for worker in self.workers for odd in worker.odd]

    def keys(self):
        return sorted({event.key for event in self.history.events if event.key is not None})

    def last_reads(self, nodes):
        """Reads every key at every node, as somebody who has seen nothing: what lies there."""
        client = Asker(self.timeout_s)
        found = {}
        for key in self.keys():
            for name, at in nodes.items():
                start = time.monotonic()
                result = client.once(at, "GET", key_path(key), None, None)
                found[(key, name)] = Event("last", "final", key, word_of(result.value),
                                           result.outcome, start, time.monotonic(), name)
        client.close()
        return found

    def wait_agreed(self, nodes, seconds):
        """Seconds until all nodes show the same for every key, or None; the reads of the last
        round go into the history."""
        start = time.monotonic()
        while True:
            began = time.monotonic()
            found = self.last_reads(nodes)
            seen = {}
            for (key, _), event in found.items():
                seen.setdefault(key, set()).add((event.outcome, event.value))
            agreed = all(len(values) == 1 for values in seen.values())
            if agreed or time.monotonic() - start > seconds:
                self.history.events.extend(found.values())
                return began - start if agreed else None

    def covered(self, nodes):
        """What went wrong when every node was asked with the last token of every worker."""
        client, wrong = Asker(self.timeout_s), []
        for worker in self.workers:
            for name, at in nodes.items():
                for key in ("shared-0", "shared-1", f"own-{worker.number}-0"):
                    key = f"{self.prefix}-{key}"
                    result = client.once(at, "GET", key_path(key), None, worker.headers())
                    if result.outcome not in (OK, ABSENT):
                        wrong.append((worker.number, name, result))
        client.close()
        return wrong
