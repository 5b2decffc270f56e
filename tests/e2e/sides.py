"""sides - the network falls apart into two of six nodes and four, one replica of each shard here.

Both sides read and write where contexts allow. Who belongs to the cluster is decided where most of
the nodes are; the others say that they cannot. Healed, there is one history, and the writes of both
sides are there.
"""
import wait
from client import OK, Client, Session
from links import Links, Probes
from membership.ground import PATIENCE_S, Data, check_same
from slot import key_in

SMALL = (0, 3)
KEYS = 2000
GUEST, OTHER_GUEST = "10.77.0.99:8090", "10.77.0.98:8090"   # addresses that nobody has


class Sides:
    def __init__(self, report, place, cluster):
        self.report, self.cluster = report, cluster
        self.links = Links(place)
        self.small = [cluster[index] for index in SMALL]
        self.large = [node for node in cluster.nodes if node not in self.small]
        self.client = Client(timeout_s=20.0)
        self.data = Data(cluster, KEYS, "sides")
        self.written = {}    # key -> value
        with Probes(place) as probes:
            self.links.cut(self.links.around(SMALL))
            heard = probes.heard()
            self.report.equal(heard, {(a, b) for a in self.links.nodes for b in self.links.nodes
                                      if a != b and (a in SMALL) == (b in SMALL)},
                              "datagrams reach the own side alone")
            self.links.heal(self.links.around(SMALL))

    def sees(self, node, count):
        answer = self.cluster.ask(node, "/view")
        return answer is not None and len(answer.field("view") or []) == count

    def say_split(self):
        sides = (self.small, self.large)
        took = wait.until(lambda: all(self.sees(node, len(side)) for side in sides
                                      for node in side), PATIENCE_S)
        self.report.check(took is not None, "each side sees itself alone"
                          f"{'' if took is None else f' (after {took:.2f} s)'}")

    def serve(self, side, name):
        """What was there before is read on this side, and it takes writes for both shards."""
        wrong = [line for node in side for line in self.data.wrong_at(node)]
        self.report.check(not wrong, f"{name}: all {KEYS:,} keys are read at each node, with a "
                          "token that was covered before", f"{len(wrong)}: {wrong[:3]}")
        session, bad = Session(self.client, self.data.token), []
        for node in side:
            for shard in (0, 1):
                key = key_in(shard, f"{name}-{node.name}-")
                self.written[key] = f"by {node.name}"
                result = session.put(node.at, key, self.written[key])
                if result.outcome != OK:
                    bad.append(result)
        for node in side:
            for key in [key for key in self.written if key.startswith(name)]:
                result = session.get(node.at, key)
                if result.value != self.written[key]:
                    bad.append(result)
        self.report.check(not bad, f"{name}: each node takes writes of both shards and shows those "
                          "of its side", bad[:3])
        return session

    def refuse(self):
        for method, path, address in (("PUT", "/view", GUEST),
                                      ("DELETE", "/view", self.large[0].address),
                                      ("PUT", "/view", OTHER_GUEST)):
            answer = self.client.request(self.small[0].at, method, path,
                                         {"socket-address": address}, {"Prefer": "wait=2"})
            self.report.check(answer.status == 503 and answer.field("error"),
                              f"two of six: {method} {path} of {address} is refused: "
                              f"{answer.status} {answer.field('error')}", answer)

    def change(self):
        """An address that comes and goes: two changes of the configuration."""
        for method, status in (("PUT", 201), ("DELETE", 200)):
            answer = self.client.request(self.large[0].at, method, "/view",
                                         {"socket-address": GUEST}, {"Prefer": "wait=10"})
            self.report.check(answer.status == status, f"four of six: {method} /view is answered "
                              f"with {answer.status}", answer)

    def effects(self, session):
        """Who has seen what the other side wrote gets 503 here, never an old value."""
        wrong = []
        for node in self.small:
            for shard in (0, 1):
                result = self.client.once(node.at, "GET", f"/kvs/{key_in(shard, 'two-alice-')}",
                                          None, {"Causal-Context": session.token,
                                                 "Prefer": "wait=0"})
                if result.outcome != "refused" or result.value is not None:
                    wrong.append(result)
        self.report.check(not wrong, "two of six: who comes from the other side gets 503",
                          wrong[:3])

    def histories(self):
        """(lineage, epoch) of everybody."""
        answers = [self.cluster.ask(node, "/cluster") for node in self.cluster.nodes]
        return {(answer.field("lineage"), answer.field("epoch")) if answer else None
                for answer in answers}

    def heal(self, before, tokens):
        self.links.heal(self.links.around(SMALL))
        ready = self.cluster.wait_ready(seconds=PATIENCE_S)
        self.report.check(ready is not None, "healed: all serve", self.cluster.why_not())
        one = wait.until(lambda: len(self.histories()) == 1, PATIENCE_S)
        self.report.check(one is not None, "healed: there is one history", self.histories())
        (lineage, epoch), (was, at) = self.histories().pop(), before
        self.report.check(lineage == was and epoch > at, f"healed: the one of before (epoch {at}, "
                          f"now {epoch})", (before, lineage, epoch))
        wrong = []
        for node in self.cluster.nodes:
            session = Session(self.client, ", ".join(tokens))
            wrong += [(node.name, key) for key, value in self.written.items()
                      if session.get(node.at, key).value != value]
            wrong += self.data.wrong_at(node)
        self.report.check(not wrong, "healed: to who has seen both sides every node shows the "
                          f"{len(self.written)} writes of both and the {KEYS:,} of before",
                          f"{len(wrong)}: {wrong[:3]}")
        check_same(self.report, self.cluster, "healed")


def story(report, place, cluster):
    sides = Sides(report, place, cluster)
    report.check(cluster.wait_ready(seconds=PATIENCE_S) is not None, "all serve", cluster.why_not())
    sides.data.load(report)
    report.check(wait.until(lambda: not any(sides.data.wrong_at(node) for node in cluster.nodes),
                            PATIENCE_S) is not None, "every node has them")
    before = sides.histories().pop()
    sides.links.cut(sides.links.around(SMALL))
    sides.say_split()
    two = sides.serve(sides.small, "two")
    four = sides.serve(sides.large, "four")
    sides.refuse()
    sides.change()
    sides.effects(four)
    sides.heal(before, [two.token, four.token])
    sides.client.close()
