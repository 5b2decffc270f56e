"""cluster - real thence-node processes on loopback (or wherever a Place puts them).

Everything that is started here is ended here, by its process id. Data and logs lie in a directory
of their own, which stays when something failed.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import wait
from client import Client
from connection import Lost, Unreachable

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
READY_S = 30.0
STOP_S = 10.0
# Below what the system hands out for outgoing connections: so a port stays free while its node is
# down for a moment.
PORTS = (15000, 32000)


def binary(name="thence-node"):
    folder = os.environ.get("THENCE_BIN", os.path.join(ROOT, "build", "gcc", "bin"))
    return os.path.join(os.path.abspath(folder), name)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    ports = []
    while len(ports) < count:
        port = random.randint(*PORTS)
        if port not in ports and is_free(port):
            ports.append(port)
    return ports


class Loopback:
    """Where nodes live: all on 127.0.0.1, each on a port of its own."""

    def __init__(self, count):
        ports = free_ports(count)
        self.peer_addresses = [f"127.0.0.1:{port}" for port in ports]
        self.client_addresses = self.peer_addresses
        self.listen = self.peer_addresses

    def command(self, index, words):
        return words


class Written(Loopback):
    """Loopback, with addresses written in other ways: one {port} each. Nobody says where to
    listen, so the nodes do on every interface."""

    def __init__(self, forms):
        super().__init__(len(forms))
        self.peer_addresses = [form.replace("{port}", address.rsplit(":", 1)[1])
                               for form, address in zip(forms, self.client_addresses)]
        self.listen = [""] * len(forms)


class Node:
    """One process, and what is needed to start it again."""

    def __init__(self, name, index, place, folder, environment):
        self.name = name
        self.index = index
        self.place = place
        self.address = place.peer_addresses[index]
        self.at = place.client_addresses[index]     # where clients reach it
        self.folder = folder
        self.environment = dict(environment)
        self.wrap = []              # words in front of its command
        self.process = None

    def start(self):
        assert not self.is_running(), self.name
        os.makedirs(self.folder, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "SOCKET_ADDRESS": self.address,
                       "DATA_DIR": os.path.join(self.folder, "data")}
        if self.place.listen[self.index]:
            environment["LISTEN"] = self.place.listen[self.index]
        if "LOG" in os.environ:
            environment["LOG"] = os.environ["LOG"]
        environment.update(self.environment)
        with open(self.log_path(), "ab") as log:
            self.process = subprocess.Popen(
                self.place.command(self.index, [*self.wrap, binary()]), env=environment,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, seconds=STOP_S):
        """The exit status, or None when it did not end in time (then it is killed)."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def stop(self):
        """SIGTERM; (exit status or None, seconds it took)."""
        start = time.monotonic()
        self.signal(signal.SIGTERM)
        return self.ended(), time.monotonic() - start

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def log_path(self):
        return os.path.join(self.folder, "log")

    def log(self):
        with open(self.log_path(), encoding="utf-8", errors="replace") as log:
            return log.read()


class Cluster:
    def __init__(self, count=6, shards=2, place=None, environment=None):
        self.folder = tempfile.mkdtemp(prefix="thence-e2e-")
        self.place = place or Loopback(count)
        self.view = ",".join(self.place.peer_addresses)
        base = {"VIEW": self.view}
        if shards is not None:
            base["SHARD_COUNT"] = str(shards)
        base.update(environment or {})
        self.nodes = [Node(name, index, self.place, os.path.join(self.folder, name), base)
                      for index, name in enumerate(NAMES[:count])]
        self.client = Client(timeout_s=5.0)
        self.keep = False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.client.close()
        for node in self.nodes:
            if node.is_running():
                node.resume()
                node.signal(signal.SIGTERM)
        for node in self.nodes:
            if node.process is not None:
                node.ended()
        if self.keep or kind not in (None, SystemExit):     # who was told to stop keeps nothing
            print(f"       data and logs: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, index):
        return self.nodes[index]

    @property
    def at(self):
        """Where clients reach the nodes, in VIEW order."""
        return [node.at for node in self.nodes]

    def start(self):
        for node in self.nodes:
            node.start()

    def ask(self, node, path):
        """An answer, or None when the node cannot be asked now."""
        try:
            return self.client.get(node.at, path)
        except (Unreachable, Lost):
            return None

    def status(self, node, path):
        answer = self.ask(node, path)
        return answer.status if answer else 0

    def is_ready(self, node):
        return self.status(node, "/readyz") == 200

    def wait_ready(self, nodes=None, seconds=READY_S):
        """Seconds it took until all of them serve, or None."""
        nodes = nodes or self.nodes
        return wait.until(lambda: all(self.is_ready(node) for node in nodes), seconds)

    def detail(self, node):
        """Why a node does not serve, in its own words; empty when it serves or is not there."""
        answer = self.ask(node, "/readyz")
        return str(answer.field("detail") or "") if answer else ""

    def why_not(self):
        """Of every node that does not serve, the reason; for messages."""
        words = []
        for node in self.nodes:
            answer = self.ask(node, "/readyz") if node.is_running() else None
            if answer is None or answer.status != 200:
                state = "runs" if node.is_running() else "ended"
                words.append(f"{node.name} ({state}): {answer!r}")
        return "; ".join(words)

    def figure(self, node, name):
        """One figure of /metrics, or None."""
        answer = self.ask(node, "/metrics")
        for line in (answer.body.decode().split("\n") if answer else []):
            if line.startswith(f"thence_{name} "):
                return int(line.split(" ")[1])
        return None

    def count(self, node, shard):
        answer = self.ask(node, f"/shard/key-count/{shard}")
        return answer.field("shard-key-count") if answer else None

    def counts(self, shards=("s0", "s1")):
        """Of each node a tuple of the key counts that it tells."""
        return [tuple(self.count(node, shard) for shard in shards) for node in self.nodes]

    def wait_counts_agree(self, seconds, shards=("s0", "s1")):
        """Seconds, or None. All nodes tell the same counts."""
        def agree():
            counts = self.counts(shards)
            return None not in counts[0] and counts.count(counts[0]) == len(counts)
        return wait.until(agree, seconds)
