"""load - wrk, and nginx to compare with: CPU time a request, several ways, interleaved.

A measurement is one run of wrk against one target; its figure is the CPU time that all processes
of the target took meanwhile, divided by the answers that wrk counted. Rounds go through all
measurements, every other round backwards, so that whatever else the machine does hits all alike.
"""
import os
import re
import shutil
import socket
import statistics
import subprocess
import time

from cluster import KEY, Cluster, cpu_ns, free_ports, key_slot, put_all, put_body, wait_for
from profile_of import profile

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
KEYS = 100_000
GET_GOAL = 1.3    # times nginx
PUT_GOAL = 20.0   # microseconds

NGINX = """\
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{ports[0]};
        location / {{ {get} }}
    }}
    server {{
        listen 127.0.0.1:{ports[1]};
        location / {{ {put} }}
    }}
}}
"""


def answer_of(port, request):
    """Head and body of the answer, as they are on the wire."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(request.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += link.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(body) < length:
            body += link.recv(65536)
    return (head + b"\r\n\r\n").decode(), body.decode()


def request_text(method, number):
    key = KEY % number
    if method == "GET":
        return f"GET /kvs/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    body = put_body(number)
    return (f"PUT /kvs/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


class Nginx:
    """nginx with one worker that answers what a node answers, to GET on one port, PUT on another.

    The bodies are equal byte for byte; a header pads the heads where nginx sends fewer bytes.
    """

    def __init__(self, folder, get, put):
        self.folder = folder
        self.answers = {"GET": get, "PUT": put}
        self.sizes = {}
        self.process = None

    def __enter__(self):
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            raise SystemExit("bench: nginx is not here: run `make setup WHAT=bench`")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        try:
            self.start(program, {"GET": 0, "PUT": 0})
            pads = {method: len(self.answers[method][0]) - self.sizes[method][0]
                    for method in self.answers}
            if max(pads.values()) >= len("X-Pad: .\r\n"):
                self.stop()
                self.start(program, pads)
        except BaseException:
            self.stop()
            raise
        return self

    def start(self, program, pads):
        self.ports = dict(zip(("GET", "PUT"), free_ports(2)))
        conf = os.path.join(self.folder, "conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(NGINX.format(
                folder=self.folder, ports=list(self.ports.values()),
                get=self.location("GET", 200, pads["GET"]),
                put=self.location("PUT", 200, pads["PUT"])))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", program, "-p", self.folder, "-c", conf],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.listens, 5, "nginx listens")
        for method in self.answers:
            head, body = answer_of(self.ports[method], request_text(method, 1))
            if body != self.answers[method][1]:
                raise SystemExit(f"bench: nginx answers {body!r}")
            self.sizes[method] = (len(head), len(body))

    def location(self, method, status, pad):
        text = self.answers[method][1]
        if set("'\\$") & set(text):
            raise SystemExit("bench: this body needs quoting in nginx.conf: " + text)
        more = pad - len("X-Pad: \r\n")
        header = f"add_header X-Pad {'p' * more}; " if more > 0 else ""
        return f"{header}return {status} '{text}';"

    def listens(self):
        try:
            for port in self.ports.values():
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def pids(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as file:
            return [self.process.pid] + [int(pid) for pid in file.read().split()]

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in self.pids())

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(5)
            self.process = None

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Measurement:
    """One line of the table: what is asked of whom, and what came of it."""

    def __init__(self, name, target, port, method, keys, depth=1, beside=None, goal=None):
        self.name = name
        self.target = target      # has cpu_ns()
        self.port = port
        self.method = method
        self.keys = keys          # path of a file of keys and bodies
        self.depth = depth        # requests pipelined
        self.beside = beside      # the measurement of nginx to compare with
        self.goal = goal          # ("ratio", most) or ("us", most)
        self.us = []              # CPU time a request, a figure a round
        self.rates = []           # answers a second
        self.latencies = []       # {"50%": text, ...} a round
        self.bad = 0              # answers other than 2xx, and errors of sockets

    def run(self, seconds):
        before = self.target.cpu_ns()
        text = self.wrk(seconds)
        after = self.target.cpu_ns()
        count = int(re.search(r"(\d+) requests in", text).group(1))
        if count == 0:
            raise SystemExit(f"bench: no answer at all: {self.name}\n{text}")
        self.us.append((after - before) / count / 1000)
        self.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)))
        self.latencies.append(dict(re.findall(r"(50%|75%|90%|99%)\s+([\d.]+\w+)", text)))
        for found in re.findall(r"Non-2xx or 3xx responses: (\d+)", text):
            self.bad += int(found)
        for line in re.findall(r"Socket errors: (.*)", text):
            self.bad += sum(map(int, re.findall(r"\d+", line)))

    def wrk(self, seconds):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
                   "-s", os.path.join(HERE, "requests.lua"), f"http://127.0.0.1:{self.port}",
                   "--", self.method, self.keys, str(self.depth)]
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              timeout=seconds + 30).stdout

    def ratios(self):
        return [own / other for own, other in zip(self.us, self.beside.us)]

    def met(self):
        kind, most = self.goal
        return statistics.median(self.us if kind == "us" else self.ratios()) <= most


def write_keys(path, numbers):
    with open(path, "w", encoding="ascii") as file:
        for number in numbers:
            file.write(f"{KEY % number}\t{put_body(number)}\n")


def measurements(cluster, nginx, keys):
    """Keys are of the first shard: nodes 0 to 2 own them, nodes 3 to 5 forward."""
    owner, other = cluster.nodes[0].port, cluster.nodes[3].port
    table = []

    def add(name, target, port, method, **more):
        table.append(Measurement(name, target, port, method, keys, **more))
        return table[-1]

    get = add("nginx, GET", nginx, nginx.ports["GET"], "GET")
    add("GET at an owner", cluster, owner, "GET", beside=get, goal=("ratio", GET_GOAL))
    add("GET elsewhere, forwarded", cluster, other, "GET", beside=get)
    put = add("nginx, PUT", nginx, nginx.ports["PUT"], "PUT")
    add("PUT at an owner, three copies", cluster, owner, "PUT", beside=put, goal=("us", PUT_GOAL))
    add("PUT elsewhere, forwarded", cluster, other, "PUT", beside=put)
    get16 = add("nginx, GET, 16 pipelined", nginx, nginx.ports["GET"], "GET", depth=16)
    add("GET at an owner, 16 pipelined", cluster, owner, "GET", depth=16, beside=get16)
    put16 = add("nginx, PUT, 16 pipelined", nginx, nginx.ports["PUT"], "PUT", depth=16)
    add("PUT at an owner, 16 pipelined", cluster, owner, "PUT", depth=16, beside=put16)
    return table


def check_forwarding(cluster, table):
    """The figures mean what they say only if owners serve and the others forward."""
    for one in table:
        if one.target is not cluster or one.depth > 1:
            continue
        before = cluster.metric("forwards"), cluster.metric("reads"), cluster.metric("writes")
        one.wrk(1)
        after = cluster.metric("forwards"), cluster.metric("reads"), cluster.metric("writes")
        forwards, reads, writes = (b - a for a, b in zip(before, after))
        served = reads if one.method == "GET" else writes
        wanted = served if one.port == cluster.nodes[3].port else 0
        if served == 0 or abs(forwards - wanted) > CONNECTIONS:
            raise SystemExit(f"bench: {one.name}: {served} served, {forwards} forwarded")


def idle(cluster, seconds):
    """Milliseconds of CPU a second that all nodes take with nothing to do."""
    before, begin = cluster.cpu_ns(), time.monotonic()
    time.sleep(seconds)
    return (cluster.cpu_ns() - before) / 1e6 / (time.monotonic() - begin)


def requests(program, folder, rounds, seconds, say):
    """Returns what report.py prints of the six nodes."""
    with Cluster(program, os.path.join(folder, "six"), 6, 2) as cluster:
        say("six nodes, empty and at rest")
        wait_for(lambda: False not in (node.ready() for node in cluster.nodes), 5, "all serve")
        result = {"idle_empty_ms": [idle(cluster, seconds * 2) for _ in range(3)]}
        numbers = [n for n in range(KEYS * 2) if key_slot(KEY % n) < 8192][:KEYS]
        put_all([node.port for node in cluster.nodes[:3]], numbers)
        say(f"{KEYS} keys loaded")
        result["idle_full_ms"] = [idle(cluster, seconds * 2) for _ in range(3)]
        keys = os.path.join(folder, "six", "keys")
        write_keys(keys, numbers)
        owner = cluster.nodes[0].port
        answers = [answer_of(owner, request_text(m, numbers[0])) for m in ("GET", "PUT")]
        with Nginx(os.path.join(folder, "nginx"), *answers) as nginx:
            table = measurements(cluster, nginx, keys)
            check_forwarding(cluster, table)
            for number in range(rounds):
                for one in table if number % 2 == 0 else reversed(table):
                    one.run(seconds)
                say(f"round {number + 1} of {rounds}: " + ", ".join(
                    f"{one.us[-1]:.1f}" for one in table) + " us")
            result["sizes"] = {m: ((len(a[0]), len(a[1])), nginx.sizes[m])
                               for m, a in zip(("GET", "PUT"), answers)}
            result["table"] = table
            result["profiles"] = {}
            for one in table:
                if one.goal is not None and not one.met():
                    result["profiles"][one.name] = profile(
                        cluster.pids(), os.path.join(folder, "perf.data"), lambda: one.wrk(4))
    return result
