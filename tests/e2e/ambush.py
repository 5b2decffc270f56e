"""ambush - faults that wait for a moment of a reshard, and hit those who have a part in it.

    members         members move between shards
    filling         slots are on their way: those who shall have them fill up
    filled          they have; right before the switch
    handing over    right after it: those who had the slots leave when all they wrote is everywhere
    arriving        they have left; the slots become part of the shard
    closing         what was written before is counted and closed

Who is hit has the slots (source), or shall have them (target), or takes the next step (driver: the
first in the list that is there). Such a moment lasts some milliseconds; so whoever is to be cut off
is stopped first, then cut off, and only then goes on, with what it knew at that moment. Meanwhile
a stranger writes there: what is accepted on that side nobody else has.
"""
import random
import threading
import time

from client import OK, Client
from workload import Worker

PHASES = {"members move between shards": "members",
          "what was written before is counted and closed": "closing"}
MOMENTS = {"members": 2, "filling": 2, "filled": 3, "handing over": 4, "arriving": 3, "closing": 3}
ROLES = {"source": 4, "target": 3, "driver": 2, "sources": 2, "targets": 1, "one of each": 2}
KINDS = {"kill": 6, "pause": 2, "cut": 5, "from": 2, "to": 2}
WORDS = {"kill": "kill -9", "pause": "pause", "cut": "cut off", "from": "is not heard:",
         "to": "hears nobody:"}
HOLD_S = {"kill": (0.0, 1.5), "pause": (0.1, 2.0), "cut": (0.5, 3.0), "from": (0.2, 2.0),
          "to": (0.2, 2.0)}
GLANCE_S = 0.003
AT_ONCE = 3             # ambushes lie in wait; else the first moment of a reshard had them all
ALONE_S = 2.5           # after which whoever is cut off has noticed, and acknowledges alone
LATE_S = 0.3            # who does not say by then what moves is asked later


class Ambush:
    def __init__(self, rng):
        def draw(chances):
            return rng.choices(list(chances), list(chances.values()))[0]
        self.moment, self.role, self.kind = draw(MOMENTS), draw(ROLES), draw(KINDS)
        self.hold_s = rng.uniform(*HOLD_S[self.kind])
        self.accepted = self.alone = 0  # writes of a stranger; those of which there is one copy

    def __str__(self):
        return f"{self.moment}: {WORDS[self.kind]} {self.role}, for {self.hold_s:.2f} s"


def ambushes_of(seed, number, count):
    """Of one spell; whose moment comes first is first."""
    rng = random.Random(f"ambush {seed} {number}")
    return [Ambush(rng) for _ in range(count)]


class Stranger(Worker):
    """Sessions that have seen nothing, and write at whoever is cut off."""

    def __init__(self, workload, number, seed):
        super().__init__(workload, number, seed)
        self.retries = 0
        self.client.timeout_s = ALONE_S
        self.here, self.ambush = [], None
        self.there = threading.Event()

    def visit(self, addresses, ambush):
        self.here, self.ambush = addresses, ambush
        self.there.set()

    def leave(self):
        self.there.clear()

    def some_node(self):
        return self.rng.choice(self.here)

    def step(self):
        if not self.there.wait(0.05):
            return
        if self.rng.random() < 0.3:
            self.begin()
        result = self.write("put", self.shared_key())
        if result.outcome == OK and self.there.is_set():
            self.ambush.accepted += 1
            self.ambush.alone += result.answer.field("copies") == 1


class Watcher:
    """What the nodes say is going on; whoever is late is left alone for a while."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.client = Client(timeout_s=LATE_S)
        self.shunned = {}       # node -> until when
        self.turn = 0

    def ask(self, node, path):
        answer = self.client.once(node.at, "GET", path, None, None).answer
        if answer is None:
            self.shunned[node] = time.monotonic() + 1.0
        return answer.json() if answer is not None and answer.status == 200 else None

    def look(self):
        """(a node, what it says of resharding)."""
        self.turn += 1
        node = self.nodes[self.turn % len(self.nodes)]
        if self.shunned.get(node, 0) > time.monotonic():
            return node, None
        return node, self.ask(node, "/shard/reshard")


def moment_in(said, moment):
    """The transit that is at that moment ({} where all are), or None."""
    if PHASES.get(said["phase"]) == moment:
        return {}
    found = [transit for transit in said["transits"] if transit["phase"] == moment]
    return found[0] if found else None


class Ambusher(threading.Thread):
    """Lies in wait, once in each spell."""

    def __init__(self, nemesis, stranger, ambushes, seconds, rng):
        super().__init__(daemon=True)
        self.nemesis, self.stranger, self.ambushes = nemesis, stranger, ambushes
        self.nodes = nemesis.cluster.nodes
        self.until = time.monotonic() + seconds
        self.rng = rng
        self.watcher = Watcher(self.nodes)
        self.met = []       # those that came about
        self.error = None

    def run(self):
        try:
            while self.ambushes and time.monotonic() < self.until:
                ambush, victims = self.look_out()
                if victims:
                    self.ambushes.remove(ambush)
                    self.met.append(ambush)
                    self.hit(ambush, victims)
                time.sleep(GLANCE_S)
        except Exception as error:      # must be seen, not die with the thread
            self.error = error
        self.watcher.client.close()

    def look_out(self):
        """The first ambush whose moment it is, and whom it hits, by index; or neither."""
        node, said = self.watcher.look()
        for ambush in self.ambushes[:AT_ONCE] if said else ():
            transit = moment_in(said, ambush.moment)
            cluster = self.watcher.ask(node, "/cluster") if transit is not None else None
            if cluster is not None:
                return ambush, self.victims(ambush.role, transit, cluster["members"])
        return None, []

    def victims(self, role, transit, members):
        """Where no slots are on their way, whoever moves has a part in it, or anybody."""
        index = {node.address: number for number, node in enumerate(self.nodes)}
        def of(shard):
            return [index[member["address"]] for member in members if member["shard"] == shard]
        moving = [index[member["address"]] for member in members if member["state"] != "active"]
        sources = of(transit.get("from")) or list(index.values())
        targets = of(transit.get("into")) or moving or list(index.values())
        driver = [index[member["address"]] for member in members if member["alive"]][0]
        one, other = self.rng.choice(sources), self.rng.choice(targets)
        found = {"source": [one], "target": [other], "driver": [driver], "sources": sources[:3],
                 "targets": targets[:3], "one of each": [one, other]}[role]
        return sorted(set(found))

    # ---- what is done to them ------------------------------------------------------------------

    def each(self, verb, victims):
        for victim in victims:
            self.nemesis.carry_out(verb, victim)

    def hit(self, ambush, victims):
        self.nemesis.note(f"ambush {ambush}")
        if ambush.kind in ("kill", "pause"):
            self.each(ambush.kind, victims)
            time.sleep(ambush.hold_s)
            self.each({"kill": "start", "pause": "resume"}[ambush.kind], victims)
            return
        ways = [("around", victims)] if ambush.kind == "cut" else \
            [(ambush.kind, [victim]) for victim in victims]
        self.each("pause", victims)
        for way in ways:
            self.nemesis.carry_out("cut", way)
        self.each("resume", victims)
        self.stranger.visit([self.nodes[victim].at for victim in victims], ambush)
        time.sleep(ambush.hold_s)
        self.stranger.leave()
        for way in ways:
            self.nemesis.carry_out("heal", way)
