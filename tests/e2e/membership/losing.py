"""losing - more is gone than one node: a whole shard, a machine for good, or what all of them know
of each other. (The larger part of them, cut off: `cut`.)
"""
import os
import random
import shutil
import threading
import time

import wait
from client import OK, Client, Session, key_path
from connection import Lost, Unreachable
from membership.ground import (PATIENCE_S, Data, boot_again, check_same, data_of, ids, is_settled,
                               judge_logs, lose_tail, run_cli, serving_cluster, sizes_of, wipe)
from slot import key_in, shard_of

SMALL = 2000
SYNC_S = 1.0        # SYNC_MS of a node that is not told otherwise
PLAIN = {"Prefer": "wait=5"}


class Steady(threading.Thread):
    """One session that reads and writes one key at one node, and never tries anything again."""

    def __init__(self, at, key):
        super().__init__(daemon=True)
        self.at, self.key = at, key
        self.stopping = threading.Event()
        self.good, self.bad = 0, []
        self.longest_s = 0.0
        self.token = None
        self.start()

    def turn(self, client):
        self.step(client, "PUT", {"value": self.good})
        answer = self.step(client, "GET", None)
        if answer is not None and answer.field("value") != self.good - 1:
            self.bad.append(answer)

    def step(self, client, method, body):
        headers = {"Causal-Context": self.token} if self.token else {}
        start = time.monotonic()
        try:
            answer = client.request(self.at, method, key_path(self.key), body, headers)
        except (Unreachable, Lost) as error:
            self.bad.append(error)
            return None
        self.longest_s = max(self.longest_s, time.monotonic() - start)
        if answer.status not in (200, 201):
            self.bad.append(answer)
            return None
        self.token = answer.token() or self.token
        self.good += method == "PUT"
        return answer

    def run(self):
        client = Client(timeout_s=10.0)
        while not self.stopping.is_set():
            self.turn(client)
            time.sleep(0.01)
        client.close()

    def end(self):
        self.stopping.set()
        self.join(30)


def check_told_once(report, cluster, node, key, token, what):
    """An answer to a token that names what may be lost says so; the next one does not."""
    headers = dict(PLAIN, **{"Causal-Context": token})
    first = cluster.client.request(node.at, "GET", key_path(key), None, headers)
    lost = first.field("lost")
    report.check(first.status in (200, 404) and bool(lost), f"{what}: at {node.name} the answer to "
                 f"a token that names it says what may be lost: {lost}", first)
    report.check("causal-lost" in first.headers, f"{what}: in the header too: "
                 f"{first.headers.get('causal-lost')}", first.headers)
    headers = dict(PLAIN, **{"Causal-Context": first.token() or token})
    again = cluster.client.request(node.at, "GET", key_path(key), None, headers)
    report.check(again.status in (200, 404) and again.field("lost") is None and
                 "causal-lost" not in again.headers, f"{what}: and the next one does not", again)


def check_service(report, cluster, what, nodes=None):
    """Every node takes writes for both shards, and shows those of all others."""
    nodes = nodes or [node for node in cluster.nodes if node.is_running()]
    client = Client(timeout_s=10.0)
    session, wrong, wanted = Session(client), [], {}
    for node in nodes:
        for shard in (0, 1):
            key = key_in(shard, f"{what.replace(' ', '-')}-{node.name}-")
            wanted[key] = f"{what} {node.name}"
            result = session.put(node.at, key, wanted[key])
            if result.outcome != OK:
                wrong.append(result)
    for node in nodes:
        for key, value in wanted.items():
            result = session.get(node.at, key)
            if result.value != value:
                wrong.append(result)
    client.close()
    report.check(not wrong, f"{what}: every node takes writes of both shards and shows those of "
                 "all others", wrong[:3])


# ---- a whole shard ------------------------------------------------------------------------------

def says(cluster, node, words):
    """What /readyz says has all of them."""
    answer = cluster.ask(node, "/readyz")
    return answer is not None and all(word in answer.body.decode() for word in words)


def check_alone(report, cluster, victims, what):
    """The first one that is back waits for the others, and says so: for a majority, which they are
    with it if it is an acceptor of the first shard, or else, once it has a place, for its shard."""
    node = victims[0]
    waits = "a majority of the members" if node is cluster[0] else "members of its shard"
    words = [f"waits for {waits}"] + [other.address for other in victims[1:]]
    said = wait.until(lambda: says(cluster, node, words), PATIENCE_S)
    report.check(said is not None, f"{what}: {node.name} says that it waits for {waits}, and names "
                 "them", cluster.ask(node, "/readyz"))


def shard_gone(report, cluster, gone, number):
    rest = 1 - gone
    victims = cluster.nodes[3 * gone:3 * gone + 3]
    others = [node for node in cluster.nodes if node not in victims]
    what = f"s{gone} killed and started empty"
    data = Data(cluster, SMALL, f"kept{number}-")
    data.load(report)
    steady = [Steady(node.at, key_in(rest, f"steady-{number}-{node.name}-")) for node in others]
    wait.until(lambda: all(each.good > 5 for each in steady), PATIENCE_S)
    for node in victims:
        node.kill()
    for node in victims:
        wipe(node)
    for node in victims:
        node.start()
        if node is victims[0]:
            check_alone(report, cluster, victims, what)
    took = cluster.wait_ready(seconds=PATIENCE_S)
    report.check(took is not None, f"{what}: it recovers by itself"
                 f"{'' if took is None else f' (all serve after {took:.2f} s)'}",
                 cluster.why_not())
    check_service(report, cluster, what)
    check_told_once(report, cluster, cluster[3 * gone], key_in(gone, "told-"), data.token, what)
    check_told_once(report, cluster, cluster[3 * rest], key_in(rest, "told-"), data.token, what)
    counted = sum(each.good for each in steady)
    for each in steady:
        each.end()
    bad = [answer for each in steady for answer in each.bad]
    report.check(not bad, f"{what}: the other shard never noticed: {counted} writes and as many "
                 f"reads, none failed, the slowest {max(each.longest_s for each in steady):.2f} s",
                 f"{len(bad)}: {bad[:3]}")
    for node in others:
        wrong = data.wrong_at(node, rest)
        report.check(not wrong, f"{what}: {node.name} has all of the other shard",
                     f"{len(wrong)}: {wrong[:3]}")
    lost = cluster.ask(others[0], "/cluster").field("lost")
    report.check(any(entry["shard"] == f"s{gone}" and "actor" not in entry for entry in lost or []),
                 f"{what}: /cluster tells that of all of it data was lost: {lost}")
    wanted = f"what was acknowledged in shard s{gone} before epoch "
    silent = [node.name for node in others if wanted not in node.log()]
    report.check(not silent, f"{what}: the logs of the others say it, too", silent)
    _, said = run_cli("status", "--node", others[0].at)
    report.check(f"shard s{gone}: what was acknowledged before epoch " in said,
                 f"{what}: and thence status", said)
    check_same(report, cluster, what)


def shard(report, options):
    """All three of a shard at once; then, in the same cluster, all three of the other."""
    with serving_cluster(report, options) as cluster:
        shard_gone(report, cluster, 1, 1)
        wait.until(lambda: is_settled(cluster), PATIENCE_S)
        shard_gone(report, cluster, 0, 2)
        judge_logs(report, cluster)


# ---- machines that are gone for good ------------------------------------------------------------

def await_each_other(report, cluster, nodes):
    """Whoever is left has found the others that are; they may be in doubt, and in no view."""
    def found(node):
        connected = [member["address"] for member in ids(cluster, node).values()
                     if member.get("connected")]
        return all(other is node or other.address in connected for other in nodes)
    took = wait.until(lambda: all(found(node) for node in nodes), PATIENCE_S)
    report.check(took is not None, f"{len(nodes)} of six are there again and see each other")


def recovered(report, cluster, gone, what):
    rest = [node for node in cluster.nodes if node not in gone]
    names = ",".join(node.address for node in gone)
    at = ",".join(node.at for node in rest)
    status, said = run_cli("recover", "--node", at, "--without", names, "--yes")
    for line in said.strip().splitlines():
        report.say(f"    {line}")
    report.check(status == 0, f"{what}: one command, `thence recover --without … --yes`, ends with "
                 "0", said)
    took = cluster.wait_ready(rest, seconds=PATIENCE_S)
    report.check(took is not None, f"{what}: full service"
                 f"{'' if took is None else f' (after {took:.2f} s)'}", cluster.why_not())
    check_service(report, cluster, what, rest)
    check_same(report, cluster, what, rest)
    view = cluster.ask(rest[0], "/view").field("view")
    report.equal(sorted(view), sorted(node.address for node in rest), f"{what}: the view")
    report.check("lost" in said or "given up" in said.lower(),
                 f"{what}: the command tells what may be lost", said)


class Late:
    """Writes of the last moment before a power cut: each node that comes back has taken one, and
    may have lost it, whatever it had acknowledged."""

    def __init__(self, nodes):
        self.client = Client(timeout_s=10.0)
        self.sessions = {}
        for node in nodes:
            for shard in (0, 1):
                session = Session(self.client)
                key = key_in(shard, f"late-{node.name}-")
                if session.put(node.at, key, "late").outcome == OK:
                    self.sessions[key] = session

    def check(self, report, nodes, what):
        """Each is there, or the client that names it is told that it may be lost."""
        there, told, silent = 0, 0, []
        for key, session in self.sessions.items():
            for node in nodes:
                answer = self.client.request(node.at, "GET", key_path(key), None,
                                             dict(PLAIN, **{"Causal-Context": session.token}))
                if answer.status == 200 and answer.field("value") == "late":
                    there += 1
                elif answer.status == 404 and answer.field("lost"):
                    told += 1
                else:
                    silent.append((key, node.name, answer))
        self.client.close()
        report.check(self.sessions and not silent, f"{what}: what was written in the last moment "
                     f"is there ({there} times) or said to be lost ({told} times)", silent[:3])


def power_cut(report, cluster, rest, synced, what, rng):
    """All end at once; whoever comes back has not all that it had not synced, and a new boot."""
    for node in cluster.nodes:
        node.kill()
    lost = {node.name: lose_tail(node, synced[node], rng) for node in rest}
    report.say(f"{what}: bytes that were not on the disk: {lost}")
    report.check(all([boot_again(node) for node in rest]), f"{what}: who comes back sees a machine "
                 "that was started anew")


def check_waits(report, cluster, gone, rest, what):
    """Whoever waits for a majority says so, and for whom."""
    said = wait.until(lambda: all(
        any(says(cluster, node, ["waits for a majority", absent.address]) for absent in gone)
        for node in rest), PATIENCE_S)
    report.check(said is not None, f"{what}: who is left says that a majority does not answer, "
                 "and names them", [cluster.ask(node, "/readyz") for node in rest])


def crash(report, options, what, gone):
    """The power goes everywhere, and some machines do not come back. A write was only there, and a
    client has seen it."""
    with serving_cluster(report, options) as cluster:
        gone = [cluster[index] for index in gone]
        rest = [node for node in cluster.nodes if node not in gone]
        data = Data(cluster, SMALL)
        data.load(report)
        time.sleep(2 * SYNC_S)
        synced = {node: sizes_of(node) for node in rest}
        late = Late(rest)
        session, key = Session(Client(timeout_s=10.0), data.token, twice=True), key_in(1, "only-")
        for node in rest:
            node.pause()    # what is under way to it is lost when it is killed
        writer = next(node for node in gone if node in cluster.nodes[3:])
        result = session.put([writer.at], key, "lost")
        report.check(result.outcome == OK, f"{what}: a write that only they have", result)
        power_cut(report, cluster, rest, synced, what, random.Random(options.seed))
        for node in gone:
            wipe(node)
        for node in rest:
            node.start()
        await_each_other(report, cluster, rest)
        if len(gone) > len(rest):
            check_waits(report, cluster, gone, rest, what)
        recovered(report, cluster, gone, what)
        for node in rest:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"{what}: {node.name} shows all keys that are left",
                         f"{len(wrong)}: {wrong[:3]}")
        late.check(report, rest, what)
        for node in (rest[0], rest[-1]):
            served = wait.until(lambda node=node: cluster.client.request(
                node.at, "HEAD", key_path(key), None, {"Causal-Context": session.token})
                .status in (200, 404), PATIENCE_S)
            report.check(served is not None, f"{what}: the token is served at {node.name}")
            check_told_once(report, cluster, node, key, session.token, what)
        session.client.close()
        judge_logs(report, cluster)


def gone(report, options):
    """Machines that never come back: one, and most of those that decide."""
    crash(report, options, "one of six gone", [4])
    crash(report, options, "four of six gone", [1, 2, 4, 5])


# ---- nobody remembers ---------------------------------------------------------------------------

def restore(node):
    """Its data directory is put back from a copy."""
    data = data_of(node)
    os.rename(data, data + ".was")
    shutil.copytree(data + ".was", data)
    shutil.rmtree(data + ".was")


def copies(report, options):
    """All are restored from copies, one directory is gone: nobody remembers who is who."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        lineage = cluster.ask(cluster[0], "/cluster").field("lineage")
        for node in cluster.nodes:
            node.kill()
            restore(node)
        wipe(cluster[1])
        for node in cluster.nodes:
            node.start()
        asks = lambda answer: answer is not None and answer.field("phase") == "asking"
        lost = wait.until(lambda: all(asks(cluster.ask(node, "/cluster"))
                                      for node in cluster.nodes), PATIENCE_S)
        report.check(lost is not None, "nobody trusts its log, or has one", cluster.why_not())
        at = ",".join(cluster.at)
        status, said = run_cli("recover", "--node", at, "--without", cluster[1].address, "--yes")
        report.check(status != 0, "to give up one does not help", said)
        status, said = run_cli("recover", "--node", at, "--from-directories")
        for line in said.strip().splitlines():
            report.say(f"    {line}")
        report.check(status == 2 and "6 of 6 members" in said and "may be back" in said,
                     "without --yes it only says what would come of it", (status, said))
        status, said = run_cli("recover", "--node", at, "--from-directories", "--yes")
        report.check(status == 0, "`thence recover --from-directories --yes` ends with 0", said)
        took = cluster.wait_ready(seconds=PATIENCE_S)
        report.check(took is not None, "full service"
                     f"{'' if took is None else f' (after {took:.2f} s)'}", cluster.why_not())
        settled = wait.until(lambda: is_settled(cluster), PATIENCE_S)
        report.check(settled is not None, "nobody who has gone is still being written off")
        after = cluster.ask(cluster[5], "/cluster")
        report.check(after.field("lineage") != lineage and
                     after.field("ancestors")[-1]["lineage"] == lineage,
                     "a new history that goes on from the old one", after)
        for shard, node in ((0, cluster[1]), (1, cluster[4])):
            check_told_once(report, cluster, node, key_in(shard, "told-"), data.token, "restored")
        for node in cluster.nodes:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"{node.name} shows all that was in the directories",
                         f"{len(wrong)}: {wrong[:3]}")
        check_service(report, cluster, "restored")
        check_same(report, cluster, "restored")
        status, said = run_cli("recover", "--node", at, "--from-directories", "--yes")
        report.check(status != 0, "asked once more, it is refused: they remember", said)
        judge_logs(report, cluster)
