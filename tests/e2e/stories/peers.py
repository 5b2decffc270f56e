"""peers - garbage, truncated and altered frames on the port where peers come in.

Real frames are caught from the nodes themselves: one node is stopped, a listener takes its place
for a moment, and the others, dialling it again, say HELLO to it.
"""
import random
import socket
import time

import wait
from client import Client, Session
from connection import split_address

MAGIC = 0xF4
HEAD_BYTES = 32
SEED = random.randrange(1 << 32)


def dial(at):
    return socket.create_connection(split_address(at), 5)


def send_all(connection, data):
    """True unless the other side has hung up already."""
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


def hangs_up(connection, seconds=5.0):
    """The other side closes, whatever it says before."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


def frame_length(data):
    return HEAD_BYTES + int.from_bytes(data[4:8], "little")


def read_frame(connection):
    data = b""
    while len(data) < HEAD_BYTES or len(data) < frame_length(data):
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    return data[:frame_length(data)]


def catch_hellos(cluster):
    """Stops frank, listens in his place, returns a HELLO that somebody sent, starts him again."""
    frank = cluster[5]
    frank.stop()
    frames = []
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(split_address(frank.address))
        listener.listen(16)
        listener.settimeout(10)
        while len(frames) < 3:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                frame = read_frame(connection)
                if frame is not None:
                    frames.append(frame)
    frank.start()
    return frames


def garbage(report, cluster, rng):
    """Bytes that begin like a frame and are none."""
    heads = [bytes([MAGIC]), bytes([MAGIC]) * 64, bytes([MAGIC, 1]) + b"\xff" * 30,
             bytes([MAGIC, 2]) + b"\x00" * 30, bytes([MAGIC, 1, 1, 0]) + b"\x00" * 28,
             bytes([MAGIC, 1, 1, 0, 0xFF, 0xFF, 0xFF, 0x7F]) + b"\x00" * 24]
    heads += [bytes([MAGIC]) + rng.randbytes(rng.randrange(1, 4096)) for _ in range(60)]
    heads += [bytes([MAGIC, 1, rng.randrange(20), 0]) + (64).to_bytes(4, "little") +
              rng.randbytes(24 + 64) for _ in range(60)]
    for index, data in enumerate(heads):
        with dial(cluster.at[index % 6]) as connection:
            send_all(connection, data)
    lasting = 0
    for index, data in enumerate(heads):
        # A whole frame's worth and more: it must be refused, not waited for.
        with dial(cluster.at[index % 6]) as connection:
            send_all(connection, data + rng.randbytes(70000))
            lasting += not hangs_up(connection)
    report.equal(lasting, 0, f"{len(heads)} pieces of garbage that begin like a frame: hung up on")


def damaged(report, cluster, frames, rng):
    frame = frames[0]
    for length in range(len(frame)):
        with dial(cluster.at[length % 6]) as connection:
            send_all(connection, frame[:length])
    report.say(f"a real HELLO cut off after each of its {len(frame)} bytes was sent")
    lasting = []
    for at in range(len(frame)):
        altered = bytearray(frame)
        altered[at] ^= 1 << rng.randrange(8)
        with dial(cluster.at[at % 6]) as connection:
            # A longer length waits for more: give it more.
            send_all(connection, bytes(altered) + b"\x00" * 70000)
            if not hangs_up(connection):
                lasting.append(at)
    report.check(not lasting, f"a real HELLO with each of its {len(frame)} bytes altered: hung up "
                 "on", lasting)


def impostors(report, cluster, frames, rng):
    """Somebody says the HELLO of a member and then talks nonsense, or nothing."""
    for index in range(30):
        with dial(cluster.at[index % 6]) as connection:
            send_all(connection, rng.choice(frames))
            connection.settimeout(5)
            try:
                connection.recv(1)
            except OSError:
                pass
            send_all(connection, bytes([MAGIC]) + rng.randbytes(rng.randrange(3000)))
    report.say("30 connections said a member's HELLO and then garbage")


def silent(cluster, count):
    """Connections that say one byte of a frame and then nothing; to be closed by the caller."""
    connections = []
    for index in range(count):
        connection = dial(cluster.at[index % 6])
        send_all(connection, bytes([MAGIC]))
        connections.append(connection)
    return connections


def still_whole(report, cluster, session, what):
    """All six serve, connected to each other, and agree."""
    report.check(cluster.wait_ready() is not None, f"all six serve {what}", cluster.why_not())

    def connected():
        documents = [answer.json() for answer in
                     (cluster.ask(node, "/cluster") for node in cluster.nodes) if answer]
        return len(documents) == 6 and all(
            member.get("connected", True) and not member.get("suspected", False)
            for document in documents for member in document["members"])
    took = wait.until(connected, 10)
    report.check(took is not None, f"and are connected to each other {what}")
    wrong = []
    for index, at in enumerate(cluster.at):
        key = f"peers-{what}-{index}"
        put = session.put(at, key, index)
        got = session.get(cluster.at[(index + 2) % 6], key)
        if put.outcome != "ok" or got.value != index:
            wrong.append((put, got))
    report.check(not wrong, f"and take writes and reads {what}", wrong[:2])
    took = cluster.wait_counts_agree(5)
    report.check(took is not None, f"and agree on the key counts {what}", cluster.counts())


def run(report, cluster):
    rng = random.Random(SEED)
    report.say(f"seed {SEED}")
    session = Session(Client())
    session.put(cluster.at[0], "peers-before", "garbage")
    before = [node.process.pid for node in cluster.nodes[:5]]
    start = time.monotonic()
    frames = catch_hellos(cluster)
    report.check(len(frames) == 3 and all(frame[0] == MAGIC for frame in frames),
                 f"real frames were caught ({time.monotonic() - start:.2f} s)")
    cluster.wait_ready()
    garbage(report, cluster, rng)
    damaged(report, cluster, frames, rng)
    impostors(report, cluster, frames, rng)
    waiting = silent(cluster, 120)
    still_whole(report, cluster, session, "after garbage from peers")
    for connection in waiting:
        connection.close()
    report.equal([node.process.pid for node in cluster.nodes[:5] if node.is_running()], before,
                 "no node was started anew")
    report.equal(session.get(cluster.at[3], "peers-before").value, "garbage",
                 "what was there before is there")
    session.client.close()
