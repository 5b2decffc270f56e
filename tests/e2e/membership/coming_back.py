"""coming_back - nodes that lose all they had, one at a time, and come back by themselves."""
import random
import threading
import time

import wait
from client import Client, key_path
from cluster import Cluster
from connection import Lost, Unreachable
from membership.ground import (PATIENCE_S, SERVE_S, VIEW_S, Data, Return, Timed, check_local,
                               check_same, is_settled, judge_logs, serving_cluster)
from verdict import end_load
from workload import Workload

APART_S = 10.0
KILLS_A_LOAD = 5        # judging a history takes much longer when it is longer
SMALL = 5000


class Early(threading.Thread):
    """A client that comes before the cluster is there, to one node."""

    def __init__(self, at):
        super().__init__(daemon=True)
        self.at = at
        self.stopping = threading.Event()
        self.refused, self.served, self.odd = 0, 0, []
        self.start()

    def run(self):
        client = Client(timeout_s=5.0)
        while not self.stopping.wait(0.02):
            try:
                answer = client.request(self.at, "PUT", key_path(f"early-{self.at}"), {"value": 1})
            except (Unreachable, Lost):
                continue
            if answer.status in (200, 201):
                self.served += 1
            elif answer.status == 503 and len(answer.field("error") or "") > 10 and \
                    "retry-after" in answer.headers and not self.served:
                self.refused += 1
            else:
                self.odd.append(answer)
        client.close()


def start_apart(report, seed, apart_s):
    rng = random.Random(seed)
    with Cluster() as cluster:
        moments = sorted((rng.uniform(0, apart_s), rng.random(), node) for node in cluster.nodes)
        clients = [Early(node.at) for node in cluster.nodes]
        start = time.monotonic()
        for moment, _, node in moments:
            time.sleep(max(0.0, start + moment - time.monotonic()))
            node.start()
        order = " ".join(node.name for _, _, node in moments)
        took = cluster.wait_ready(seconds=PATIENCE_S)
        report.check(took is not None, f"started within {moments[-1][0]:.1f} s ({order}), all six "
                     f"serve{'' if took is None else f' {took:.2f} s after the last'}",
                     cluster.why_not())
        served = wait.until(lambda: all(client.served for client in clients), PATIENCE_S)
        for client in clients:
            client.stopping.set()
            client.join(10)
        odd = [answer for client in clients for answer in client.odd]
        report.check(served is not None and not odd, "who came early got "
                     f"{sum(client.refused for client in clients)} times 503 with a sentence and "
                     "Retry-After, then service, and nothing else", odd[:3])
        sizes = [len(cluster.ask(node, f"/shard/members/s{shard}").field("shard-members"))
                 for node in cluster.nodes for shard in (0, 1)]
        report.equal(sizes, [3] * 12, "one cluster of three and three")
        check_same(report, cluster, "after the start")
        judge_logs(report, cluster)


def start(report, options):
    """Six nodes, in any order, 0 to 10 s apart."""
    for number, apart_s in enumerate((APART_S, 0.5, 0.0)):
        start_apart(report, options.seed + number, apart_s)


def many_keys(report, options):
    """One node with many keys comes back empty."""
    in_view, serving = Timed("in the view", VIEW_S), Timed("serving", SERVE_S)
    with serving_cluster(report) as cluster:
        data = Data(cluster, options.keys)
        data.load(report)
        for index in (4, 0):
            node = cluster[index]
            back = Return(cluster, node).run()
            what = f"{node.name} back empty, {options.keys:,} keys in the cluster"
            report.say(f"{what}: {back}")
            in_view.add(back.in_view)
            serving.add(back.serving)
            check_local(report, cluster, node, data, index // 3, what)
        in_view.check(report)
        serving.check(report)
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


def rolling(report, options):
    """Each of six, one after the other: in the end nobody is left who was there at first."""
    with serving_cluster(report) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        first = {node.name: cluster.ask(node, "/cluster").field("node-id")
                 for node in cluster.nodes}
        for index, node in enumerate(cluster.nodes):
            back = Return(cluster, node).run()
            report.check(back.serving is not None, f"{node.name} back empty: {back}",
                         cluster.why_not())
            check_local(report, cluster, node, data, index // 3, node.name)
        last = {node.name: cluster.ask(node, "/cluster").field("node-id")
                for node in cluster.nodes}
        report.check(all(last[name] != first[name] for name in first),
                     "all six are others than those of the beginning", (first, last))
        for node in cluster.nodes:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"all {SMALL:,} keys at {node.name}, with the token of the "
                         "beginning", f"{len(wrong)}: {wrong[:3]}")
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


def one_load(report, cluster, data, rng, count, first, in_view, serving):
    """Kills under one load; how often each node was the victim."""
    load = Workload(cluster.at, seed=rng.randrange(1 << 32), prefix=f"load{first}")
    load.start()
    for number in range(first, first + count):
        node = rng.choice(cluster.nodes)
        back = Return(cluster, node).run()
        in_view.add(back.in_view)
        serving.add(back.serving)
        report.say(f"{number}: {node.name}, {back}; {load.done()} operations so far")
        if not report.check(back.serving is not None, f"{number}: {node.name} is back",
                            cluster.why_not()):
            break
        wrong = data.wrong_at(node, cluster.nodes.index(node) // 3)
        report.check(not wrong, f"{number}: what was acknowledged is there",
                     f"{len(wrong)}: {wrong[:3]}")
        time.sleep(rng.uniform(0, 1.0))     # not a wait: the next kill comes at any moment
    took = wait.until(lambda: is_settled(cluster), PATIENCE_S)
    report.check(took is not None, "nobody who has gone is still being written off"
                 f"{'' if took is None else f' (after {took:.2f} s)'}")
    end_load(report, cluster, load, f"kills {first} to {first + count - 1}")


def kills(report, options):
    """Many kills in a row, at random, under load."""
    rng = random.Random(options.seed)
    in_view, serving = Timed("in the view", VIEW_S), Timed("serving", SERVE_S)
    with serving_cluster(report) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        failed = report.failed
        for first in range(1, options.kills + 1, KILLS_A_LOAD):
            count = min(KILLS_A_LOAD, options.kills - first + 1)
            one_load(report, cluster, data, rng, count, first, in_view, serving)
            if report.failed > failed:
                break       # what comes after it says little
        in_view.check(report)
        serving.check(report)
        for node in cluster.nodes:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"all {SMALL:,} keys at {node.name}",
                         f"{len(wrong)}: {wrong[:3]}")
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)
