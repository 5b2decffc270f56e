"""ground - what the stories of membership stand on: data of which every key is known, nodes that
lose theirs, and how long it takes until they are back.
"""
import json
import os
import random
import shutil
import subprocess
import time
import uuid

import wait
from client import key_path
from cluster import Cluster, Node, binary
from connection import Connection, Lost, Unreachable, compose
from slot import shard_of

# What is promised, for 100,000 keys on a machine that does nothing else.
VIEW_S, SERVE_S = 2.0, 5.0
SLACK = 3.0                     # what a test allows: a machine that others use too is slow
PATIENCE_S = 60.0               # for all that nobody has promised a time for
PIPELINED = 50
CONTEXT = {"Prefer": "wait=10"}


class Timed:
    """Times of one kind, to be told."""

    def __init__(self, what, goal_s):
        self.what, self.goal_s = what, goal_s
        self.times = []

    def add(self, took):
        self.times.append(took)

    def check(self, report):
        good = [took for took in self.times if took is not None]
        late = [took for took in good if took > self.goal_s * SLACK]
        if not good:
            return report.check(False, f"{self.what}: never")
        return report.check(len(good) == len(self.times) and not late,
                            f"{self.what}: {len(good)} times, {sum(good) / len(good):.2f} s on "
                            f"average, {max(good):.2f} s at most (goal {self.goal_s:g} s, limit "
                            f"{self.goal_s * SLACK:g} s)", f"{len(self.times) - len(good)} never")


def run_cli(*words, seconds=120):
    """(exit status, all that it said)."""
    done = subprocess.run([binary("thence"), *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=seconds)
    return done.returncode, done.stdout + done.stderr


class Data:
    """Keys that nobody writes but this, by one session."""

    def __init__(self, cluster, count, prefix="kept"):
        self.cluster, self.prefix = cluster, prefix
        self.keys = [f"{prefix}-{number}" for number in range(count)]
        self.token = None
        self.told = 0       # answers that said that some of it may be lost

    def value(self, key):
        return f"of {key}"

    def load(self, report, addresses=None):
        """Through all nodes in turn; what is not acknowledged is a failure."""
        path = os.path.join(self.cluster.folder, self.prefix)
        with open(path, "w", encoding="utf-8") as out:
            for key in self.keys:
                out.write(json.dumps({"key": key, "value": self.value(key)}) + "\n")
        start = time.monotonic()
        status, said = run_cli("load", "--quiet", "--node", ",".join(addresses or self.cluster.at),
                               "--token-file", path + ".token", path, seconds=600)
        report.check(status == 0, f"{len(self.keys):,} keys are written and acknowledged (in "
                     f"{time.monotonic() - start:.1f} s)", said)
        with open(path + ".token", encoding="ascii") as lines:
            self.token = ", ".join(lines.read().split())

    def wrong_at(self, node, shard=None, with_token=True):
        """What of it a node does not show: asked directly, many at a time."""
        keys = [key for key in self.keys if shard is None or shard_of(key) == shard]
        headers = dict(CONTEXT, **{"Causal-Context": self.token}) if with_token else {}
        wrong, told = read_wrong(node.at, keys, self.value, headers)
        self.told += told
        return wrong

    def check_untold(self, report):
        report.equal(self.told, 0, "nobody was told that something of it may be lost")


def read_wrong(at, keys, value, headers):
    """Sentences about keys that are not as they should be; how many answers told of losses."""
    wrong, told = [], 0
    try:
        connection = Connection(at, 30.0)
    except Unreachable as error:
        return [str(error)], 0
    try:
        for first in range(0, len(keys), PIPELINED):
            part = keys[first:first + PIPELINED]
            connection.send(b"".join(compose("GET", key_path(key), None, headers)
                                     for key in part))
            for key in part:
                answer = connection.read_answer()
                told += "causal-lost" in answer.headers
                if answer.status != 200 or answer.field("value") != value(key):
                    wrong.append(f"{key}: {answer!r}")
    except (Lost, OSError) as error:
        wrong.append(f"{at}: {error}")
    connection.close()
    return wrong, told


# ---- nodes that lose all they had --------------------------------------------------------------

def data_of(node):
    return os.path.join(node.folder, "data")


def wipe(node):
    shutil.rmtree(data_of(node), ignore_errors=True)


def sizes_of(node):
    """Of each file of its directory, how long it is."""
    return {entry.path: entry.stat().st_size for entry in os.scandir(data_of(node))
            if entry.is_file()}


def lose_tail(node, synced, rng):
    """What a power cut takes: of what was written since the files were as long as `synced` says, a
    beginning is left. Returns how many bytes are gone."""
    lost = 0
    for path, size in sizes_of(node).items():
        kept = rng.randint(min(synced.get(path, 0), size), size)
        if kept < size:     # a file that is only touched makes the directory look like a copy
            os.truncate(path, kept)
        lost += size - kept
    return lost


BOOT_ID = "/proc/sys/kernel/random/boot_id"
OTHER_BOOT = f'mount --bind "$0" {BOOT_ID} && exec "$@"'


def boot_again(node):
    """From its next start on the node sees that its machine was started anew. False where this
    machine does not let us say so."""
    path = os.path.join(node.folder, "boot_id")
    with open(path, "w", encoding="ascii") as out:
        out.write(f"{uuid.uuid4()}\n")
    wrap = ["unshare", "--mount", "sh", "-c", OTHER_BOOT, path]
    try:
        shown = subprocess.run([*wrap, "cat", BOOT_ID], capture_output=True, text=True)
    except OSError:
        return False
    with open(path, encoding="ascii") as wanted:
        if shown.returncode != 0 or shown.stdout != wanted.read():
            return False
    node.wrap = wrap
    return True


def ids(cluster, node):
    """Who sits at which address, as a node sees it: address -> its entry in /cluster."""
    answer = cluster.ask(node, "/cluster")
    members = answer.field("members") if answer is not None and answer.status == 200 else None
    return {member["address"]: member for member in members or []}


class Return:
    """One node, killed, wiped, started again: watched from all the others."""

    def __init__(self, cluster, node):
        self.cluster, self.node = cluster, node
        self.others = [other for other in cluster.nodes
                       if other is not node and other.is_running()]
        self.before = ids(cluster, self.others[0]).get(node.address, {}).get("node-id")
        self.in_view = self.serving = None

    def run(self):
        self.node.kill()
        wipe(self.node)
        self.node.start()
        return self.watch()

    def is_in_view(self):
        """In everybody's view, and as the one that it is now."""
        for other in self.others:
            answer = self.cluster.ask(other, "/view")
            if answer is None or self.node.address not in (answer.field("view") or []):
                return False
            if ids(self.cluster, other).get(self.node.address, {}).get("node-id") == self.before:
                return False
        return True

    def watch(self, seconds=PATIENCE_S):
        start = time.monotonic()
        while time.monotonic() - start < seconds and None in (self.in_view, self.serving):
            if self.in_view is None and self.is_in_view():
                self.in_view = time.monotonic() - start
            if self.serving is None and self.cluster.is_ready(self.node):
                self.serving = time.monotonic() - start
            time.sleep(wait.POLL_S)
        return self

    def __str__(self):
        say = lambda took: "never" if took is None else f"{took:.2f} s"
        return f"in view after {say(self.in_view)}, serving after {say(self.serving)}"


def check_local(report, cluster, node, data, shard, what):
    """Everything acknowledged is there, and it is this node that shows it: its own count of reads
    goes up by as many."""
    before = cluster.figure(node, "reads")
    wrong = data.wrong_at(node, shard)
    after = cluster.figure(node, "reads")
    keys = sum(shard_of(key) == shard for key in data.keys)
    report.check(not wrong, f"{what}: all {keys:,} keys of its shard are there, read at it with a "
                 "token that names them", f"{len(wrong)}: {wrong[:3]}")
    report.check(before is not None and after is not None and after - before >= keys,
                 f"{what}: it was itself that showed them", f"{before} reads, then {after}")


def is_settled(cluster, nodes=None):
    """Nobody who has gone is still being written off, everybody has a place and the same epoch."""
    epochs = set()
    for node in nodes or [node for node in cluster.nodes if node.is_running()]:
        answer = cluster.ask(node, "/cluster")
        if answer is None or answer.status != 200 or answer.field("retired"):
            return False
        if any(member["state"] not in ("active", "spare") for member in answer.field("members")):
            return False
        epochs.add(answer.field("epoch"))
    return len(epochs) == 1


def check_same(report, cluster, what, nodes=None):
    """View, members and key counts, the same from everybody."""
    nodes = nodes or cluster.nodes

    def said(node):
        answers = [cluster.ask(node, path) for path in
                   ("/view", "/shard/members/s0", "/shard/members/s1", "/shard/key-count/s0",
                    "/shard/key-count/s1")]
        return [answer and answer.body for answer in answers]

    def same():
        first = said(nodes[0])
        return None not in first and all(said(node) == first for node in nodes[1:])
    took = wait.until(same, PATIENCE_S / 2)
    report.check(took is not None, f"{what}: view, members and key counts are the same everywhere"
                 f"{'' if took is None else f' (after {took:.2f} s)'}",
                 [(node.name, said(node)) for node in nodes])


def judge_logs(report, cluster):
    noise = [f"{node.name}: {line}" for node in cluster.nodes for line in node.log().split("\n")
             if "assertion failed" in line or "Sanitizer" in line]
    report.check(not noise, "no assertion failed", noise[:3])
    cluster.keep = cluster.keep or report.failed > 0


def serving_cluster(report, options, knobs=None):
    """A cluster of six that serves. For `with`."""
    cluster = Cluster(environment=dict(knobs or {}, **options.environment))
    cluster.start()
    report.check(cluster.wait_ready(seconds=PATIENCE_S) is not None, "six nodes serve",
                 cluster.why_not())
    return cluster


def more_nodes(cluster, addresses, names):
    """Nodes that nobody has listed; they know all addresses."""
    added = []
    for name, address in zip(names, addresses):
        view = ",".join([node.address for node in cluster.nodes] + [address])
        place = cluster.place
        place.peer_addresses.append(address)
        if place.client_addresses is not place.peer_addresses:
            place.client_addresses.append(address)
        if place.listen is not place.peer_addresses:
            place.listen.append(address)
        node = Node(name, len(cluster.nodes), place, os.path.join(cluster.folder, name),
                    dict(cluster.nodes[0].environment, VIEW=view))
        cluster.nodes.append(node)
        added.append(node)
    return added


def some_seed():
    return random.randrange(1 << 32)
