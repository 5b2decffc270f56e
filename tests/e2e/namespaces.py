"""namespaces - six machines on one: each node in a network namespace of its own.

A switch (a namespace with two bridges) joins them. Every node has two interfaces: one on the bridge
of the nodes, one on that of the clients; so a node that is cut off from the others can still be
asked. The test itself runs inside the switch. Names carry the process id, and everything that was
made is removed.
"""
import os
import shutil
import signal
import subprocess
import sys

PEERS, CLIENTS = "10.77.0", "10.78.0"
PORT = 8090
INSIDE = "THENCE_E2E_SWITCH"


class Unusable(Exception):
    """This machine does not let us make network namespaces."""


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise Unusable(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def enter_switch():
    """Makes the switch and runs this script again inside it; returns its exit status. Inside: does
    nothing and returns None. Raises Unusable."""
    if INSIDE in os.environ:
        return None
    if shutil.which("ip") is None:
        raise Unusable("there is no program `ip`")
    name = f"th{os.getpid()}s"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        for bridge, network in (("peers", PEERS), ("clients", CLIENTS)):
            ip("-n", name, "link", "add", bridge, "type", "bridge")
            ip("-n", name, "link", "set", bridge, "up")
            ip("-n", name, "address", "add", f"{network}.1/24", "dev", bridge)
        return run_inside(name)
    finally:
        ip("netns", "delete", name, check=False)


def run_inside(name):
    """This script again; whoever stops this process stops that one, and waits for it."""
    inside = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, *sys.argv],
                              env={**os.environ, INSIDE: name})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: inside.send_signal(number))
    return inside.wait()


class Namespaces:
    """A place (see cluster.py) with one namespace a node."""

    def __init__(self, count):
        self.switch = os.environ[INSIDE]
        self.names = [f"{self.switch[:-1]}n{index}" for index in range(count)]
        self.peer_addresses = [f"{PEERS}.{index + 2}:{PORT}" for index in range(count)]
        self.client_addresses = [f"{CLIENTS}.{index + 2}:{PORT}" for index in range(count)]
        self.listen = [""] * count      # the default: every interface, whenever it comes
        self.made = 0

    def __enter__(self):
        for index, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            self.plug(index, "peers", "eth0")
            self.plug(index, "clients", "eth1")
        return self

    def __exit__(self, kind, error, trace):
        for name in self.names:
            ip("netns", "delete", name, check=False)

    def command(self, index, words):
        return ["ip", "netns", "exec", self.names[index], *words]

    def plug(self, index, bridge, device):
        """Gives a node an interface on a bridge. Its hardware address is that of the place, as
        with a card (or a container) that comes back: nobody's table of addresses is wrong."""
        self.made += 1
        name, port = self.names[index], f"p{self.made}"
        network, kind = (PEERS, 0) if bridge == "peers" else (CLIENTS, 1)
        ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", device,
           "address", f"02:42:0a:4d:{kind:02x}:{index + 2:02x}", "netns", name)
        ip("-n", self.switch, "link", "set", port, "master", bridge, "up")
        ip("-n", name, "address", "add", f"{network}.{index + 2}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")

    def unplug(self, index, device):
        """The interface is gone, as if it had never been."""
        ip("-n", self.names[index], "link", "delete", device)

    def interfaces(self, index):
        """Their names, in the order of the kernel."""
        lines = ip("-n", self.names[index], "-o", "link").splitlines()
        return [line.split(": ")[1].split("@")[0] for line in lines]
