"""nemesis - what goes wrong, when, and to whom: all of it decided by one number beforehand.

A plan is a list of faults. Each begins some time after the plan does, lasts, and ends; several are
under way at once, so that a node is killed while another of its shard is cut off and a third line
is slow. Nothing is spared: what kill -9, pauses and cuts may cost is time, never an acknowledged
write. Only who is paused or dead is not paused or killed once more.

    kill      kill -9, started again with its data after a while: one node, two, a whole shard, all
    stop      SIGTERM, started again with its data
    stutter   killed again and again while it starts
    pause     SIGSTOP, SIGCONT: one node, or one of each shard
    cut       some nodes apart from the others, both ways
    oneway    one node is not heard by the others, or does not hear them
    line      two nodes, both ways or one way, while all others hear both
    flap      one of these three, off and on again many times
    unplug    the interface is taken away: sending fails at once, and the address is gone
    slow      a line with delay, or with little room
    mute      a node's answers do not reach the clients
"""
import random
import signal
import threading
import time

from links import CLIENT

SHARDS = ((0, 1, 2), (3, 4, 5))
ALL = tuple(range(6))
# Kind -> (how often it is drawn, shortest, longest duration in seconds).
KINDS = {
    "kill": (5, 0.0, 3.0),
    "stop": (2, 0.1, 3.0),
    "stutter": (2, 0.3, 1.5),
    "pause": (3, 0.1, 2.5),
    "cut": (4, 0.2, 4.0),
    "oneway": (4, 0.2, 4.0),
    "line": (3, 0.2, 4.0),
    "flap": (3, 0.5, 4.0),
    "unplug": (2, 0.2, 3.0),
    "slow": (3, 1.0, 4.0),
    "mute": (2, 0.2, 2.0),
}
TRACKS = 3          # so many faults at once, at most
REST_S = 1.2        # a track's rest between two faults, at most
FLAP_S = (0.03, 0.5)
BORN_S = 2.0        # after this a process that was started answers signals, also on a busy machine
STUTTER_S = (0.02, 0.35)


class Fault:
    """`steps`: (seconds after the plan began, verb, argument)."""

    def __init__(self, kind, at, until, nodes, steps, words):
        self.kind, self.at, self.until, self.nodes = kind, at, until, nodes
        self.steps, self.words = steps, words

    def __str__(self):
        return f"{self.at:.2f}-{self.until:.2f} s {self.words}"


def names(nodes, of):
    return " and ".join(of[node] for node in nodes)


class Planner:
    """Draws the faults of one plan: of these kinds, so many at once."""

    def __init__(self, seed, seconds, node_names, kinds=tuple(KINDS), tracks=TRACKS):
        self.rng = random.Random(seed)
        self.seconds = seconds
        self.names = node_names
        self.kinds, self.tracks = kinds, tracks
        self.taken = {node: 0.0 for node in ALL}    # until when a fault of its process lasts

    def plan(self):
        """The faults, by their beginning; all have ended when the plan ends."""
        faults = []
        begins = [self.rng.uniform(0, REST_S) for _ in range(self.tracks)]
        while True:
            track = min(range(self.tracks), key=lambda number: begins[number])
            at = begins[track]
            if at >= self.seconds:
                return faults
            fault = self.draw(at)
            if fault is not None:
                faults.append(fault)
            begins[track] = (fault.until if fault else at) + self.rng.uniform(0.05, REST_S)

    def draw(self, at):
        kind = self.rng.choices(self.kinds, [KINDS[kind][0] for kind in self.kinds])[0]
        _, least, most = KINDS[kind]
        until = min(at + self.rng.uniform(least, most), self.seconds)
        return getattr(self, kind)(at, until)

    def free(self, nodes, at):
        return [node for node in nodes if self.taken[node] < at]

    def take(self, nodes, until):
        for node in nodes:
            self.taken[node] = until + 0.01

    # ---- processes -----------------------------------------------------------------------------

    def victims(self, at, shares):
        """Some nodes whose processes are well, or None."""
        how = self.rng.choices(list(shares), list(shares.values()))[0]
        shard = self.rng.choice(SHARDS)
        nodes = {"one": lambda: [self.rng.choice(ALL)],
                 "one of each": lambda: [self.rng.choice(nodes) for nodes in SHARDS],
                 "two": lambda: self.rng.sample(shard, 2),
                 "shard": lambda: list(shard),
                 "all": lambda: list(ALL)}[how]()
        return self.free(nodes, at) or None

    def kill(self, at, until):
        nodes = self.victims(at, {"one": 12, "one of each": 3, "two": 2, "shard": 2, "all": 1})
        if nodes is None:
            return None
        self.take(nodes, until)
        return Fault("kill", at, until, nodes,
                     [(at, "kill", node) for node in nodes] +
                     [(until, "start", node) for node in nodes],
                     f"kill -9 {names(nodes, self.names)}")

    def stop(self, at, until):
        nodes = self.victims(at, {"one": 6, "one of each": 2, "shard": 1, "all": 1})
        if nodes is None:
            return None
        self.take(nodes, until)
        return Fault("stop", at, until, nodes,
                     [(at, "stop", node) for node in nodes] +
                     [(until, "start", node) for node in nodes],
                     f"stop {names(nodes, self.names)}")

    def stutter(self, at, until):
        nodes = self.victims(at, {"one": 1})
        if nodes is None:
            return None
        self.take(nodes, until)
        steps, now = [], at
        while now < until:
            steps.append((now, "kill", nodes[0]))
            steps.append((min(now + self.rng.uniform(0, 0.05), until), "start", nodes[0]))
            now = steps[-1][0] + self.rng.uniform(*STUTTER_S)
        return Fault("stutter", at, until, nodes, steps,
                     f"kill -9 {names(nodes, self.names)} {len(steps) // 2} times")

    def pause(self, at, until):
        nodes = self.victims(at, {"one": 3, "one of each": 1, "two": 1})
        if nodes is None:
            return None
        self.take(nodes, until)
        return Fault("pause", at, until, nodes,
                     [(at, "pause", node) for node in nodes] +
                     [(until, "resume", node) for node in nodes],
                     f"pause {names(nodes, self.names)}")

    # ---- the network ----------------------------------------------------------------------------

    def some_cut(self):
        nodes = self.rng.sample(ALL, self.rng.choice((1, 1, 1, 2, 2, 3)))
        return nodes, ("around", nodes), f"{names(nodes, self.names)} cut off"

    def some_oneway(self):
        node = self.rng.choice(ALL)
        if self.rng.random() < 0.5:
            return [node], ("from", [node]), f"{self.names[node]} not heard"
        return [node], ("to", [node]), f"{self.names[node]} hears nobody"

    def some_line(self):
        # Twice as often in one shard: that is where the streams are.
        nodes = self.rng.sample(self.rng.choice((*SHARDS, ALL)), 2)
        if self.rng.random() < 0.5:
            return nodes, ("line", nodes), f"the line of {names(nodes, self.names)}"
        return nodes, ("way", nodes), f"the way from {self.names[nodes[0]]} to " \
            f"{self.names[nodes[1]]}"

    def broken_ways(self, kind, at, until, drawn):
        nodes, ways, words = drawn
        return Fault(kind, at, until, nodes, [(at, "cut", ways), (until, "heal", ways)], words)

    def cut(self, at, until):
        return self.broken_ways("cut", at, until, self.some_cut())

    def oneway(self, at, until):
        return self.broken_ways("oneway", at, until, self.some_oneway())

    def line(self, at, until):
        return self.broken_ways("line", at, until, self.some_line())

    def flap(self, at, until):
        nodes, ways, words = self.rng.choice((self.some_cut, self.some_oneway, self.some_line))()
        steps, now, verb = [], at, "cut"
        while now < until or verb == "heal":
            steps.append((min(now, until), verb, ways))
            now += self.rng.uniform(*FLAP_S)
            verb = "heal" if verb == "cut" else "cut"
        return Fault("flap", at, until, nodes, steps, f"{words}, {len(steps) // 2} times")

    def unplug(self, at, until):
        node = self.rng.choice(ALL)
        return Fault("unplug", at, until, [node], [(at, "unplug", node), (until, "plug", node)],
                     f"{self.names[node]} unplugged")

    def slow(self, at, until):
        node = self.rng.choice(ALL)
        return Fault("slow", at, until, [node], [(at, "slow", node), (until, "fast", node)],
                     f"{self.names[node]} on a slow line")

    def mute(self, at, until):
        node = self.rng.choice(ALL)
        ways = ("clients", [node])
        return Fault("mute", at, until, [node], [(at, "cut", ways), (until, "heal", ways)],
                     f"{self.names[node]} does not reach its clients")


class Nemesis:
    """Carries plans out; single steps at the word of others, too."""

    def __init__(self, cluster, links, clocks):
        self.cluster, self.links, self.clocks = cluster, links, clocks
        self.lock = threading.Lock()
        self.notes = []         # (when, what was done)
        self.counts = {}        # kind -> faults
        self.surprises = []     # processes that ended otherwise than they should
        self.started, self.stopped = {}, {}     # node -> when it last was

    def ways(self, named):
        kind, nodes = named
        return {"around": lambda: self.links.around(nodes),
                "from": lambda: self.links.from_node(nodes[0]),
                "to": lambda: self.links.to_node(nodes[0]),
                "line": lambda: [tuple(nodes), tuple(nodes[::-1])],
                "way": lambda: [tuple(nodes)],
                "clients": lambda: [(nodes[0], CLIENT)]}[kind]()

    def running(self, index):
        node = self.cluster[index]
        if not node.is_running():
            self.surprises.append(f"{node.name} ended by itself: {node.process.returncode}")
        return node

    def start(self, index):
        """Who was told to stop may still be at it. Who was told so before it knew what a signal is
        ended by it, as if killed."""
        node = self.cluster[index]
        status = node.ended()
        early = self.stopped.get(index, 0) - self.started.get(index, 0) < BORN_S
        if status not in (0, -signal.SIGKILL) and not (early and status == -signal.SIGTERM):
            self.surprises.append(f"{node.name} was stopped and ended with {status}")
        self.started[index] = time.monotonic()
        self.clocks.set(node)
        node.start()

    def note(self, text):
        self.notes.append((time.monotonic(), text))

    def carry_out(self, verb, what):
        with self.lock:
            self.do(verb, what)

    def do(self, verb, what):
        if verb in ("cut", "heal"):
            getattr(self.links, verb)(self.ways(what))
            text = f"{what[0]} {names(what[1], [node.name for node in self.cluster.nodes])}"
        else:
            text = self.cluster[what].name
            if verb == "start":
                self.start(what)
            elif verb == "stop":
                self.running(what).signal(signal.SIGTERM)
                self.stopped[what] = time.monotonic()
            elif verb in ("kill", "pause", "resume"):
                getattr(self.running(what), verb)()
            else:
                getattr(self.links, verb)(what)
        self.note(f"{verb} {text}")

    def run(self, plan):
        """Goes through a plan; returns when all its faults have ended."""
        began = time.monotonic()
        for fault in plan:
            self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
        # Sorting keeps the order of what a fault does at one moment.
        for at, verb, what in sorted((step for fault in plan for step in fault.steps),
                                     key=lambda step: step[0]):
            time.sleep(max(0.0, began + at - time.monotonic()))
            self.carry_out(verb, what)
