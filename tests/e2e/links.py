"""links - what may be wrong on the way between nodes in namespaces (namespaces.py), and its end.

Every fault can be on several times at once (two of them may want the same wire) and is gone when
it was taken back as often. A direction is cut without a firewall: the sender is told a hardware
address for the receiver that no card has, so what it sends reaches the switch and nobody. Nothing
comes back to say so, and the other direction goes on.
"""
import ctypes
import os
import select
import socket
import subprocess
import threading

from namespaces import CLIENTS, PEERS, Unusable

NOBODY = "02:42:0a:4d:ff:ff"
CLIENT = -1     # as a receiver: all clients
NEWNET = 0x40000000
PROBE_PORT = 8099
SILENCE_S = 0.1     # after which no datagram of before comes any more
# First what is tried first: a kernel without netem still has a line with a narrow end.
SLOW = (("netem", "delay", "60ms", "40ms", "loss", "2%"),
        ("tbf", "rate", "400kbit", "burst", "3000", "latency", "400ms"))


class Links:
    def __init__(self, place):
        self.place = place
        self.nodes = range(len(place.names))
        self.cuts = {}          # (from, to) -> how often
        self.slows = {}         # node -> how often
        self.unplugs = {}       # node -> how often
        self.carried = set()    # the cuts that the kernel knows
        self.slow_how = None

    # ---- one direction -------------------------------------------------------------------------

    def way(self, receiver):
        """(address, device) of a receiver, as a sender sees it."""
        return (f"{CLIENTS}.1", "eth1") if receiver == CLIENT else (f"{PEERS}.{receiver + 2}",
                                                                   "eth0")

    def cut(self, ways):
        for way in ways:
            self.cuts[way] = self.cuts.get(way, 0) + 1
        self.carry_out()

    def heal(self, ways):
        for way in ways:
            self.cuts[way] -= 1
        self.carry_out()

    def carry_out(self):
        """Tells the kernel what has changed; a node without its interface hears of it later."""
        wanted = {way for way, times in self.cuts.items() if times > 0}
        for sender in self.nodes:
            lines = [self.line(way, True) for way in sorted(wanted - self.carried)
                     if self.is_told(way, sender)]
            lines += [self.line(way, False) for way in sorted(self.carried - wanted)
                      if self.is_told(way, sender)]
            if lines:
                subprocess.run(["ip", "-n", self.place.names[sender], "-batch", "-"], check=True,
                               input="\n".join(lines), text=True, capture_output=True)
        self.carried = {way for way in wanted if self.is_told(way, way[0])}

    def is_told(self, way, sender):
        return way[0] == sender and (way[1] == CLIENT or not self.unplugs.get(sender))

    def line(self, way, gone):
        address, device = self.way(way[1])
        if gone:
            return f"neighbour replace {address} lladdr {NOBODY} dev {device} nud permanent"
        return f"neighbour delete {address} dev {device}"

    # ---- one node ------------------------------------------------------------------------------

    def around(self, nodes):
        """Both directions between these nodes and the others."""
        inside, outside = set(nodes), set(self.nodes) - set(nodes)
        return [(a, b) for a in inside for b in outside] + [(b, a) for a in inside for b in outside]

    def from_node(self, node):
        return [(node, other) for other in self.nodes if other != node]

    def to_node(self, node):
        return [(other, node) for other in self.nodes if other != node]

    def unplug(self, node):
        """Its interface is gone, and with it all that was wrong there."""
        self.unplugs[node] = self.unplugs.get(node, 0) + 1
        if self.unplugs[node] == 1:
            self.place.unplug(node, "eth0")
            self.carried = {way for way in self.carried if way[0] != node or way[1] == CLIENT}

    def plug(self, node):
        self.unplugs[node] -= 1
        if self.unplugs[node] == 0:
            self.place.plug(node, "peers", "eth0")
            self.carry_out()
            if self.slows.get(node):
                self.tell_slow(node, "add")

    def slow(self, node):
        self.slows[node] = self.slows.get(node, 0) + 1
        if self.slows[node] == 1 and not self.unplugs.get(node):
            self.tell_slow(node, "add")

    def fast(self, node):
        self.slows[node] -= 1
        if self.slows[node] == 0 and not self.unplugs.get(node):
            self.tell_slow(node, "delete")

    def tell_slow(self, node, verb):
        for words in (self.slow_how,) if self.slow_how else SLOW:
            done = subprocess.run(["tc", "-n", self.place.names[node], "qdisc", verb, "dev", "eth0",
                                   "root", *words], capture_output=True, text=True)
            if done.returncode == 0:
                self.slow_how = words
                return
        raise Unusable(f"tc: {done.stderr.strip()}")


# ---- do cuts cut? -----------------------------------------------------------------------------

def socket_in(name):
    """A datagram socket of that namespace: a socket stays where the thread was that made it."""
    made = []

    def make():
        switch = os.open(f"/run/netns/{name}", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(switch, NEWNET) == 0:
            made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        os.close(switch)
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise Unusable(f"cannot enter the namespace {name}")
    return made[0]


class Probes:
    """Who hears whom: a datagram from each node to each other one."""

    def __init__(self, place):
        self.sockets = [socket_in(name) for name in place.names]
        self.round = 0
        for socket_ in self.sockets:
            socket_.bind(("0.0.0.0", PROBE_PORT))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for socket_ in self.sockets:
            socket_.close()

    def address(self, node):
        return f"{PEERS}.{node + 2}", PROBE_PORT

    def heard(self):
        """All (from, to) that a datagram goes at once."""
        self.round += 1
        for sender, socket_ in enumerate(self.sockets):
            for receiver in range(len(self.sockets)):
                if sender != receiver:
                    try:
                        socket_.sendto(f"{self.round} {sender}".encode(), self.address(receiver))
                    except OSError:
                        pass    # no way there at all
        found = set()
        while True:
            ready = select.select(self.sockets, [], [], SILENCE_S)[0]
            if not ready:
                return found
            for socket_ in ready:
                number, sender = socket_.recv(64).split()
                if int(number) == self.round:
                    found.add((int(sender), self.sockets.index(socket_)))
