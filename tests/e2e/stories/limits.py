"""limits - huge heads and bodies, slow clients, many connections: refused or borne, never fatal."""
import resource
import socket
import time

import wait
from client import Client, Session
from connection import Connection, Lost, Unreachable, compose, split_address

MIB = 1 << 20
CONNECTIONS = 3000


def refused(report, at, data, statuses, what):
    connection = Connection(at, 20.0)
    try:
        answer = connection.exchange(data)
        report.check(answer.status in statuses and answer.field("error"),
                     f"{what}: {' or '.join(map(str, statuses))} and a sentence", answer)
    except Lost as lost:
        report.check(False, f"{what}: {' or '.join(map(str, statuses))} and a sentence", lost)
    finally:
        connection.close()


def heads(report, cluster):
    at = cluster.at[0]
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    refused(report, at, b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414,),
            "a target of 100 KB")
    refused(report, at, b"G" * 100000, (400, 414, 501), "a method of 100 KB")
    refused(report, at, head + b"X: " + b"a" * 200000 + b"\r\n\r\n", (431,), "a header of 200 KB")
    refused(report, at, head + b"".join(b"X-%d: a\r\n" % i for i in range(5000)) + b"\r\n", (431,),
            "5000 headers")
    refused(report, at, head + b"X: " + b"a" * (8 * MIB), (431,),
            "a header of 8 MiB that never ends")
    many = ", ".join(["A" * 26 + str(i) for i in range(40)])
    refused(report, at, head.replace(b"/healthz", b"/kvs/x") +
            f"Causal-Context: {many}\r\n\r\n".encode(), (400,), "forty contexts in one request")


def bodies(report, cluster):
    client = Client(timeout_s=30.0)
    big = "v" * (8 * MIB - 100)
    put = client.request(cluster.at[0], "PUT", "/kvs/big", {"value": big})
    report.equal(put.status, 201, "a value of almost 8 MiB is taken")
    wrong = []
    for at in cluster.at:
        answer = client.get(at, "/kvs/big", {"Causal-Context": put.token()})
        if answer.status != 200 or answer.field("value") != big:
            wrong.append((at, answer.status, len(answer.body)))
    report.check(not wrong, "and read at every node, through those that do not hold it", wrong)
    for size in (8 * MIB + 1, 20 * MIB):
        answer = client.request(cluster.at[1], "PUT", "/kvs/too-big", {"value": "v" * size})
        report.check(answer.status == 413 and answer.field("error"),
                     f"a value of {size} bytes is 413", answer)
    answer = client.request(cluster.at[1], "PUT", "/kvs/too-big", b"r" * (9 * MIB),
                            {"Content-Type": "image/png"})
    report.equal(answer.status, 413, "a raw value of 9 MiB is 413")
    report.equal(client.get(cluster.at[1], "/kvs/too-big").status, 404, "none of them was written")
    head = b"PUT /kvs/too-big HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    refused(report, cluster.at[2], head + b"Content-Length: 1099511627776\r\n\r\n", (413,),
            "a body that says it has 1 TiB")
    refused(report, cluster.at[2], head + b"Transfer-Encoding: chunked\r\n\r\n10000000000\r\n",
            (413,), "a chunk that says it has 1 TiB")
    session = Session(client, put.token())
    session.delete(cluster.at[0], "big")
    client.close()


class Slow:
    """Connections that stop in the middle of a request, opened before and looked at after."""

    HALVES = {
        "a request line": b"PUT /kvs/slow",
        "a head": b"PUT /kvs/slow HTTP/1.1\r\nHost: x\r\n",
        "a body": b"PUT /kvs/slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  b'Content-Length: 100\r\n\r\n{"value": "half',
    }

    def __init__(self, at):
        self.since = time.monotonic()
        self.connections = {}
        for what, data in self.HALVES.items():
            self.connections[what] = Connection(at, 30.0)
            self.connections[what].send(data)

    def judge(self, report):
        for what, connection in self.connections.items():
            said = connection.read_until_closed()
            took = time.monotonic() - self.since
            report.check(said.startswith(b"HTTP/1.1 408 ") and b'{"error":"' in said and took < 20,
                         f"half of {what} is answered with 408 and closed ({took:.1f} s)", said)
            connection.close()


def trickle(cluster, at):
    """Whoever sends one byte now and then is cut off too: the head has to come as a whole."""
    connection = Connection(at, 30.0)
    connection.send(b"GET /kvs/trickle HTTP/1.1\r\n")
    return connection


def feed(connection):
    """One byte more; False once the other side has hung up."""
    try:
        connection.send(b"X")
        return not connection.is_stale()
    except OSError:
        return False


def raise_open_files():
    """How many connections this process may have; its own limit may be lower than a node's."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard - 100)


def many_connections(report, cluster):
    """Thousands at once, all of them answered, and the nodes as before afterwards."""
    at = cluster.at[0]
    count = raise_open_files()
    connections, refusals = [], 0
    for _ in range(count):
        try:
            connections.append(Connection(at, 20.0))
        except Unreachable:
            refusals += 1
    data = compose("GET", "/healthz")
    for connection in connections:
        connection.send(data)
    good = sum(connection.read_answer().status == 200 for connection in connections)
    report.check(refusals == 0 and good == count,
                 f"{count} connections at once are answered", f"{good}, {refusals} refused")
    for connection in connections:
        connection.send(compose("PUT", "/kvs/many", {"value": 1}))
    statuses = [connection.read_answer().status for connection in connections]
    report.check(set(statuses) <= {200, 201}, "and a PUT on each of them", set(statuses))
    for connection in connections:
        connection.close()
    took = wait.until(lambda: (cluster.figure(cluster[0], "clients") or 99) < 20, 10)
    report.check(took is not None, "and forgotten when they are gone",
                 cluster.figure(cluster[0], "clients"))


def vanishing(report, cluster):
    """Clients that send a request and go away before the answer."""
    for index in range(300):
        connection = socket.create_connection(split_address(cluster.at[index % 6]), 5)
        connection.sendall(compose("PUT", f"/kvs/vanish-{index % 5}", {"value": index}) * 3)
        if index % 2:   # a reset instead of a close
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
    good = all(cluster.status(node, "/readyz") == 200 for node in cluster.nodes)
    report.check(good, "300 clients that vanish with requests under way do no harm")


def not_reading(report, cluster):
    """A client that asks for much and reads nothing holds nobody up."""
    client = Client()
    token = client.request(cluster.at[0], "PUT", "/kvs/megabyte", {"value": "v" * MIB}).token()
    deaf = Connection(cluster.at[0], 5.0)
    deaf.socket.settimeout(0.5)
    request = compose("GET", "/kvs/megabyte")
    try:
        for _ in range(20000):
            deaf.send(request)
    except OSError:
        pass    # it does not read from us any more: right
    memory = cluster.figure(cluster[0], "resident_bytes")
    report.check(memory < 400 * MIB, "a client that does not read its answers costs no memory "
                 f"({memory // MIB} MiB)", memory)
    start = time.monotonic()
    answer = client.get(cluster.at[0], "/kvs/megabyte", {"Causal-Context": token})
    took = time.monotonic() - start
    report.check(answer.status == 200 and took < 1.0,
                 f"and others are served meanwhile ({took * 1000:.0f} ms)", answer)
    deaf.close()
    Session(client, token).delete(cluster.at[0], "megabyte")
    client.close()


def run(report, cluster):
    slow = Slow(cluster.at[4])
    dripping = trickle(cluster, cluster.at[5])
    heads(report, cluster)
    bodies(report, cluster)
    many_connections(report, cluster)
    vanishing(report, cluster)
    not_reading(report, cluster)
    took = wait.until(lambda: not feed(dripping), 20, 0.5)
    report.check(took is not None, "a head that comes byte by byte is not waited for")
    dripping.close()
    slow.judge(report)
    report.equal(cluster.status(cluster[4], "/kvs/slow"), 404, "half a body wrote nothing")
