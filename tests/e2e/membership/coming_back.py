"""coming_back - nodes that lose all they had, one at a time, and come back by themselves."""
import random
import threading
import time

import wait
from client import Client, key_path
from cluster import Cluster
from connection import Lost, Unreachable
from membership.ground import (PATIENCE_S, SERVE_S, SLACK, VIEW_S, Data, Return, Timed,
                               check_local, check_same, is_settled, judge_logs, serving_cluster,
                               wipe)
from verdict import end_load
from workload import Workload

APART_S = 10.0
KILLS_A_LOAD = 5        # judging a history takes much longer when it is longer
SMALL = 5000
LOOP_S, LIFE_S = 20.0, 0.3
REST_S, FREE_RETURNS = 2.0, 4   # one return in so long in the long run, and the first few
# Filling up takes many steps, so that a load and the next kill come in between.
SMALL_STEPS = {"WALK_CHUNK_BYTES": "2048", "WINDOW_BYTES": "16384", "CHECKPOINT_FLOOR": "65536"}


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


def start_apart(report, options, seed, apart_s):
    rng = random.Random(seed)
    with Cluster(environment=options.environment) as cluster:
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
        start_apart(report, options, options.seed + number, apart_s)


def many_keys(report, options):
    """One node with many keys comes back empty."""
    in_view, serving = Timed("in the view", VIEW_S), Timed("serving", SERVE_S)
    with serving_cluster(report, options) as cluster:
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
        data.check_untold(report)
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


def rolling(report, options):
    """Each of six, one after the other: in the end nobody is left who was there at first."""
    with serving_cluster(report, options) as cluster:
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
        data.check_untold(report)
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


def loop(report, options):
    """One that dies 0.3 s after each start, empty each time; meanwhile another one fills up."""
    with serving_cluster(report, options, SMALL_STEPS) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        looper, other = cluster[1], cluster[2]
        epoch = lambda: cluster.ask(cluster[0], "/cluster").field("epoch")
        before, start, starts = epoch(), time.monotonic(), 0
        back = None
        while time.monotonic() - start < LOOP_S or back.is_alive():
            looper.kill()
            wipe(looper)
            looper.start()
            starts += 1
            if back is None and time.monotonic() - start > LOOP_S / 3:
                back = Back(cluster, other)
            time.sleep(LIFE_S)      # not a wait: it lives that long
        took, epochs = time.monotonic() - start, epoch() - before
        report.check(back.serving is not None and back.serving <= SERVE_S * SLACK,
                     f"{other.name} came back empty meanwhile: serving after "
                     f"{back.serving or 0:.2f} s", cluster.why_not())
        limit = 4 * (took / REST_S + FREE_RETURNS + 1)
        report.check(epochs <= limit < 4 * starts, f"{starts} starts of {looper.name} in "
                     f"{took:.1f} s made {epochs} epochs (limit {limit:.0f})", epochs)
        ready = wait.until(lambda: cluster.is_ready(looper), PATIENCE_S)
        report.check(ready is not None, f"{looper.name}, left alone, serves"
                     f"{'' if ready is None else f' after {ready:.2f} s'}", cluster.why_not())
        settled = wait.until(lambda: is_settled(cluster), PATIENCE_S)
        report.check(settled is not None, "and nobody who has gone is still being written off")
        for node in (looper, other):
            check_local(report, cluster, node, data, 0, node.name)
        data.check_untold(report)
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


class Back(threading.Thread):
    """A node, killed and wiped, until it serves; the others may come and go."""

    def __init__(self, cluster, node):
        super().__init__(daemon=True)
        self.cluster, self.node, self.serving = cluster, node, None
        self.start()

    def run(self):
        self.node.kill()
        wipe(self.node)
        self.node.start()
        self.serving = wait.until(lambda: self.cluster.is_ready(self.node), PATIENCE_S)


class Kills:
    """Kills at random, and what was seen of them."""

    def __init__(self, report, cluster, data, seed):
        self.report, self.cluster, self.data = report, cluster, data
        self.rng = random.Random(seed)
        self.in_view, self.serving = Timed("in the view", VIEW_S), Timed("serving", SERVE_S)
        self.number = 0

    def once(self, node):
        """One node; sometimes it is hit again before it has filled up."""
        again = self.rng.random() < 0.15
        if again:
            self.number += 1
            node.kill()
            wipe(node)
            node.start()
            time.sleep(self.rng.uniform(0, 0.3))    # not a wait: the next kill comes at any moment
        self.number += 1
        back = Return(self.cluster, node).run()
        self.in_view.add(back.in_view)
        self.serving.add(back.serving)
        self.report.say(f"{self.number}: {node.name}{', twice' if again else ''}: {back}")
        what = f"{self.number}: {node.name} is back"
        if not self.report.check(back.serving is not None, what, self.cluster.why_not()):
            return False
        wrong = self.data.wrong_at(node, self.cluster.nodes.index(node) // 3)
        return self.report.check(not wrong, f"{what} with all that was acknowledged",
                                 f"{len(wrong)}: {wrong[:3]}")

    def under_load(self, last):
        """Up to so many more under one load."""
        first = self.number + 1
        load = Workload(self.cluster.at, seed=self.rng.randrange(1 << 32), prefix=f"load{first}")
        load.start()
        going = True
        while going and self.number < last:
            going = self.once(self.rng.choice(self.cluster.nodes))
            time.sleep(self.rng.uniform(0, 1.0))    # not a wait either
        took = wait.until(lambda: is_settled(self.cluster), PATIENCE_S)
        self.report.check(took is not None, "nobody who has gone is still being written off"
                          f"{'' if took is None else f' (after {took:.2f} s)'}")
        self.report.equal(load.figures.losses, 0, "nobody was told that something may be lost")
        end_load(self.report, self.cluster, load, f"kills {first} to {self.number}")


def kills(report, options):
    """Many kills in a row, at random, under load."""
    with serving_cluster(report, options, SMALL_STEPS) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        row, failed = Kills(report, cluster, data, options.seed), report.failed
        while row.number < options.kills and report.failed == failed:
            row.under_load(min(row.number + KILLS_A_LOAD, options.kills))
        row.in_view.check(report)
        row.serving.check(report)
        for node in cluster.nodes:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"all {SMALL:,} keys at {node.name}",
                         f"{len(wrong)}: {wrong[:3]}")
        data.check_untold(report)
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)
