"""cluster - real nodes on this machine, started and stopped by pid, and what they cost.

A node is one thence-node process on an ephemeral loopback port with its data in a folder of its
own. Nodes die with this process (setpriv --pdeathsig), whatever happens to it.
"""
import binascii
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time

KEY = "key:%012d"  # 16 bytes
VALUE_BYTES = 100  # of the JSON value, its quotes included


def key_slot(key):
    """The slot of a key without hash tag: CRC16 (XMODEM) mod 16384."""
    return binascii.crc_hqx(key.encode(), 0) % 16384


def value_of(number):
    return '"' + (f"{number:012d}" * 9)[: VALUE_BYTES - 2] + '"'


def put_body(number):
    return '{"value":' + value_of(number) + ',"causal-metadata":null}'


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def cpu_ns(pid):
    """CPU time of all threads of a process, user and system.

    The scheduler's own count where the kernel tells it (nanoseconds), else utime + stime of
    /proc/<pid>/stat (hundredths of a second), which rounds the same sum.
    """
    try:
        total = 0
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        if total:
            return total
    except OSError:
        pass
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 10**9 // os.sysconf("SC_CLK_TCK")


def run_delay_ns(pid):
    """How long the main thread stood ready to run without a core; 0 where the kernel has no such
    count."""
    try:
        with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError):
        return 0


def memory_mb(pid):
    """{Pss, Anon, Rss} of a process in MB (10^6 bytes)."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name in ("Pss", "Rss", "Anonymous"):
                found[name] = int(rest.split()[0]) * 1024 / 1e6
    return found


class Node:
    def __init__(self, program, folder, port, view, shards):
        self.program = program
        self.port = port
        self.data = os.path.join(folder, str(port), "data")
        self.log = os.path.join(folder, str(port), "log")
        self.process = None
        os.makedirs(self.data)
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "SOCKET_ADDRESS": f"127.0.0.1:{port}",
            "LISTEN": f"127.0.0.1:{port}",
            "VIEW": view,
            "SHARD_COUNT": str(shards),
            "DATA_DIR": self.data,
            "DURABILITY": "os",
        }

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.program],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process = None

    def get(self, path):
        """Status and body, or (0, why) while it does not listen."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        except OSError as why:
            return 0, str(why)
        finally:
            link.close()

    def ready(self):
        return self.get("/readyz")[0] == 200

    def metrics(self):
        lines = self.get("/metrics")[1].splitlines()
        pairs = (line.split() for line in lines if line.startswith("thence_"))
        return {name.removeprefix("thence_"): int(value) for name, value in pairs}

    def log_lines(self, event):
        """The log lines of one kind of event."""
        with open(self.log, encoding="utf-8") as file:
            return [line for line in file if line.rstrip().endswith("event=" + event)]


class Cluster:
    """`with Cluster(...) as cluster`: all nodes serve; after it none runs and no file is left."""

    def __init__(self, program, folder, nodes, shards):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        ports = free_ports(nodes)
        view = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.nodes = [Node(program, folder, port, view, shards) for port in ports]

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            wait_for(lambda: all(node.ready() for node in self.nodes), 20, "all nodes serve")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return [node.pid for node in self.nodes]

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in self.pids())

    def metric(self, name):
        return sum(node.metrics()[name] for node in self.nodes)

    def settle(self, keys):
        """Waits until every node counts so many keys and nothing is under way any more."""
        def counts():
            for node in self.nodes:
                body = node.get("/shard/ids")[1]
                shards = json.loads(body)["shard-ids"]
                count = sum(json.loads(node.get(f"/shard/key-count/{shard}")[1])["shard-key-count"]
                            for shard in shards)
                if count != keys or node.metrics()["pending_bytes"] > 0:
                    return False
            return True
        wait_for(counts, 60, f"every node counts {keys} keys")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"bench: this did not come about in {seconds} s: {what}")
        time.sleep(0.02)


def put_all(ports, numbers, depth=64):
    """PUTs the keys of these numbers, pipelined, spread over the ports. All must be taken."""
    links = [socket.create_connection(("127.0.0.1", port), timeout=30) for port in ports]
    shares = [numbers[i::len(links)] for i in range(len(links))]
    for start in range(0, max(map(len, shares)), depth):
        waiting = []
        for link, share in zip(links, shares):
            part = share[start:start + depth]
            if part:
                link.sendall("".join(map(put_request, part)).encode())
                waiting.append((link, len(part)))
        for link, count in waiting:
            expect_taken(link, count)
    for link in links:
        link.close()


def put_request(number):
    body = put_body(number)
    return (f"PUT /kvs/{KEY % number} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json"
            f"\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def expect_taken(link, count):
    """Reads so many answers to PUTs; each ends with its JSON object."""
    answers = b""
    while answers.count(b"HTTP/1.1 ") < count or not answers.endswith(b"}"):
        more = link.recv(1 << 18)
        if not more:
            raise SystemExit("bench: a node closed the connection while it was loaded")
        answers += more
    taken = answers.count(b"HTTP/1.1 201") + answers.count(b"HTTP/1.1 200")
    if taken != count:
        raise SystemExit(f"bench: a PUT was refused: {answers[:300]!r}")
