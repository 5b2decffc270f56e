"""client - what a careful client does: keep-alive, tokens, retries with back-off.

At most 7 retries; the first after 10 ms, then twice as long each time. What is known not to have
happened (nobody answered the dial, 503, 429) is tried again; a write whose outcome is unknown
only where the caller says that writing it twice does no harm.
"""
import threading
import time
import urllib.parse

from connection import Connection, Lost, Unreachable

RETRIES_MAX = 7
BACKOFF_S = 0.010

OK, ABSENT, REFUSED, UNKNOWN, BAD = "ok", "absent", "refused", "unknown", "bad"


class Figures:
    """What all clients of a suite count together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = 0
        self.retries = 0
        self.unknowns = 0
        self.failures = 0
        self.losses = 0         # answers that said what may be lost

    def add(self, requests=0, retries=0, unknowns=0, failures=0, losses=0):
        with self.lock:
            self.requests += requests
            self.retries += retries
            self.unknowns += unknowns
            self.failures += failures
            self.losses += losses

    def __str__(self):
        return (f"{self.requests} requests, {self.retries} retries, "
                f"{self.unknowns} unknown outcomes, {self.failures} failed")


class Result:
    def __init__(self, outcome, answer, address):
        self.outcome = outcome
        self.answer = answer        # the last one, or None
        self.address = address      # where it was asked last

    @property
    def value(self):
        return self.answer.field("value") if self.answer else None

    def __repr__(self):
        return f"<{self.outcome} at {self.address}: {self.answer!r}>"


def key_path(key):
    return "/kvs/" + urllib.parse.quote(key, safe="")


def judge_answer(answer):
    """What an answer says about the request."""
    if answer.status in (200, 201):
        return OK
    if answer.status == 404:
        return ABSENT
    if answer.field("outcome") == "unknown":
        return UNKNOWN
    return REFUSED if answer.status in (503, 429) else BAD


class Client:
    """Connections to any number of nodes, for one thread."""

    def __init__(self, figures=None, timeout_s=10.0):
        self.figures = figures or Figures()
        self.timeout_s = timeout_s
        self.connections = {}

    def connection(self, address):
        connection = self.connections.get(address)
        if connection is not None and connection.is_stale():
            self.drop(address)
            connection = None
        if connection is None:
            connection = self.connections[address] = Connection(address, self.timeout_s)
        return connection

    def drop(self, address):
        connection = self.connections.pop(address, None)
        if connection is not None:
            connection.close()

    def close(self):
        for address in list(self.connections):
            self.drop(address)

    def request(self, address, method, path, body=None, headers=None):
        """One try. Raises Unreachable or Lost."""
        connection = self.connection(address)
        try:
            answer = connection.request(method, path, body, headers)
        except Lost:
            self.drop(address)
            raise
        if answer.closes():
            self.drop(address)
        return answer

    def get(self, address, path, headers=None):
        return self.request(address, "GET", path, headers=headers)

    def once(self, address, method, path, body, headers):
        """One try, as an outcome."""
        try:
            answer = self.request(address, method, path, body, headers)
        except Unreachable:
            return Result(REFUSED, None, address)
        except Lost:
            return Result(REFUSED if method == "GET" else UNKNOWN, None, address)
        if "causal-lost" in answer.headers:
            self.figures.add(losses=1)
        return Result(judge_answer(answer), answer, address)

    def careful(self, addresses, method, path, body=None, headers=None, twice=False):
        """Tries at addresses[0], retries at the next one, and so on in a circle. twice: an unknown
        outcome is retried too."""
        pause_s = BACKOFF_S
        for attempt in range(RETRIES_MAX + 1):
            result = self.once(addresses[attempt % len(addresses)], method, path, body, headers)
            unknown = result.outcome == UNKNOWN
            self.figures.add(requests=1, unknowns=int(unknown), retries=int(attempt > 0))
            if result.outcome in (OK, ABSENT, BAD) or (unknown and not twice):
                return result
            if attempt < RETRIES_MAX:
                time.sleep(pause_s)     # the back-off that clients of this API use
                pause_s *= 2
        self.figures.add(failures=1)
        return result


class Session:
    """One line of work: a client that carries the token it was last given."""

    def __init__(self, client, token=None, twice=False):
        self.client = client
        self.token = token
        self.twice = twice

    def take(self, result):
        """What came back is the context from now on; one that names nothing takes nothing away."""
        if result.answer is not None and result.outcome in (OK, ABSENT):
            self.token = result.answer.token() or self.token
        return result

    def do(self, addresses, method, key, body, headers=None):
        if isinstance(addresses, str):
            addresses = [addresses]
        return self.take(self.client.careful(addresses, method, key_path(key), body, headers,
                                             self.twice))

    def put(self, addresses, key, value):
        return self.do(addresses, "PUT", key, {"value": value, "causal-metadata": self.token})

    def get(self, addresses, key):
        headers = {"Causal-Context": self.token} if self.token else None
        return self.do(addresses, "GET", key, None, headers)

    def delete(self, addresses, key):
        return self.do(addresses, "DELETE", key, {"causal-metadata": self.token})
