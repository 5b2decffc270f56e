"""stopping - SIGTERM while 64 connections are busy, and the start after it."""
import signal
import threading
import time

import wait
from client import Client, Session
from connection import Connection, Lost, Unreachable, compose

BUSY = 64
PIPELINED = 20
STOP_LIMIT_S = 0.5


class Worker(threading.Thread):
    """One connection: writes its own key as fast as it can until the node is gone."""

    def __init__(self, at, number):
        super().__init__(daemon=True)
        self.at = at
        self.key = f"stopping-{number}"
        self.session = Session(Client(timeout_s=20.0))
        self.tried = 0          # the last value sent
        self.acknowledged = 0   # the last value that was answered 200 or 201
        self.bad = []           # answers that are none of those that a stop may give
        self.leave = threading.Event()

    def run(self):
        while not self.leave.is_set():
            self.tried += 1
            body = {"value": self.tried, "causal-metadata": self.session.token}
            try:
                answer = self.session.client.request(self.at, "PUT", f"/kvs/{self.key}", body)
            except (Unreachable, Lost):
                return
            if answer.status in (200, 201):
                self.acknowledged = self.tried
                self.session.token = answer.token()
            elif answer.status == 503 and answer.field("error"):
                return
            else:
                self.bad.append(answer)
                return


class Burst:
    """A connection with many writes of one key under way at once."""

    def __init__(self, at, number):
        self.at = at
        self.key = f"burst-{number}"
        self.connection = Connection(at, 10.0)
        self.tried = PIPELINED
        self.acknowledged = None
        self.session = Session(None)
        self.bad = []

    def send(self):
        self.connection.send(b"".join(compose("PUT", f"/kvs/{self.key}", {"value": value})
                                      for value in range(1, PIPELINED + 1)))

    def read(self):
        """All answers that came before the end."""
        try:
            for value in range(1, PIPELINED + 1):
                answer = self.connection.read_answer()
                if answer.status in (200, 201):
                    self.acknowledged, self.session.token = value, answer.token()
                elif answer.status != 503 or not answer.field("error"):
                    self.bad.append(answer)
        except Lost:
            pass
        self.connection.close()


def stop_amid_bursts(report, cluster, node):
    """SIGTERM at the moment when 64 connections have 20 writes each under way."""
    bursts = [Burst(node.at, f"{node.name}-{i}") for i in range(BUSY)]
    for burst in bursts:
        burst.connection.request("GET", "/healthz")
    for burst in bursts:
        burst.send()
    start = time.monotonic()
    node.signal(signal.SIGTERM)
    status = node.ended()
    took = time.monotonic() - start
    for burst in bursts:
        burst.read()
    report.check(status == 0 and took <= STOP_LIMIT_S,
                 f"SIGTERM amid {BUSY * PIPELINED} pipelined writes ends {node.name} with exit 0 "
                 f"within 500 ms ({took * 1000:.0f} ms)", f"exit {status}, {node.log()[-300:]}")
    bad = [answer for burst in bursts for answer in burst.bad]
    report.check(not bad, "each answer is a whole one: done, or 503 and why", bad[:3])
    taken = sum(burst.acknowledged or 0 for burst in bursts)
    report.say(f"{taken} of {BUSY * PIPELINED} were acknowledged")
    return [burst for burst in bursts if burst.acknowledged is not None]


def stop_under_load(report, cluster, node):
    workers = [Worker(node.at, f"{node.name}-{i}") for i in range(BUSY)]
    for worker in workers:
        worker.start()
    busy = wait.until(lambda: all(worker.acknowledged >= 5 for worker in workers), 20)
    report.check(busy is not None, f"{BUSY} connections are busy at {node.name}")
    start = time.monotonic()
    node.signal(signal.SIGTERM)
    status = node.ended()
    took = time.monotonic() - start
    for worker in workers:
        worker.leave.set()
    for worker in workers:
        worker.join(30)
    report.check(status == 0 and took <= STOP_LIMIT_S,
                 f"SIGTERM ends {node.name} with exit 0 within 500 ms ({took * 1000:.0f} ms)",
                 f"exit {status}, {node.log()[-300:]}")
    bad = [answer for worker in workers for answer in worker.bad]
    report.check(not bad, "nobody got an answer that makes no sense", bad[:3])
    return workers


def lost_writes(at, workers):
    """Whoever was acknowledged reads that value or one sent after it, at this node."""
    client = Client()
    wrong = []
    for worker in workers:
        result = Session(client, worker.session.token).get(at, worker.key)
        if not worker.acknowledged <= (result.value or 0) <= worker.tried:
            wrong.append((worker.key, worker.acknowledged, worker.tried, result))
    client.close()
    return wrong


def next_start(report, cluster, node, workers):
    wrong = lost_writes(cluster.at[(node.index + 1) % 6], workers)
    report.check(not wrong, "what was acknowledged is at the others", wrong[:3])
    lines = len(node.log().split("\n"))
    node.start()
    took = cluster.wait_ready([node])
    report.check(took is not None, f"{node.name}'s next start is clean"
                 f"{'' if took is None else f' (serves after {took:.2f} s)'}", cluster.why_not())
    said = "\n".join(node.log().split("\n")[lines - 1:])
    report.check("doubt" not in said and " error " not in said.lower(),
                 "without doubt and without an error line", said)
    wrong = lost_writes(node.at, workers)
    report.check(not wrong, "and has what was acknowledged", wrong[:3])


def all_at_once(report, cluster):
    """The whole cluster is stopped and started: nothing is lost, nobody has to be asked."""
    session = Session(Client())
    for i in range(50):
        session.put(cluster.at[i % 6], f"all-at-once-{i}", i)
    start = time.monotonic()
    for node in cluster.nodes:
        node.signal(signal.SIGTERM)
    statuses = [node.ended() for node in cluster.nodes]
    report.check(statuses == [0] * 6 and time.monotonic() - start < 2,
                 "all six stopped at once end with exit 0", statuses)
    cluster.start()
    report.check(cluster.wait_ready() is not None, "and serve again after the next start",
                 cluster.why_not())
    values = [session.get(cluster.at[(i + 1) % 6], f"all-at-once-{i}").value for i in range(50)]
    report.equal(values, list(range(50)), "with all that was written")
    session.client.close()


def run(report, cluster):
    for node in (cluster[1], cluster[3]):
        next_start(report, cluster, node, stop_under_load(report, cluster, node))
    for node in (cluster[0], cluster[5]):
        next_start(report, cluster, node, stop_amid_bursts(report, cluster, node))
    all_at_once(report, cluster)
