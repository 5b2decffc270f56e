"""memory - a node with a million keys: how big its process is, how soon it is back.

Three nodes, one shard, os durability: each holds every key. The keys are written through all
three in equal shares.
"""
import datetime
import os
import signal
import statistics
import time

from cluster import Cluster, cpu_ns, memory_mb, put_all, run_delay_ns, wait_for
from profile_of import profile

MEMORY_GOAL = 180.0   # MB
RECOVERY_GOAL = 1.0   # seconds
LOG_FACTOR = 1.9      # of the live data, before a checkpoint is due at 2


def spread(keys):
    """0 .. keys - 1, each once, neighbours in time far apart."""
    step = 611_953  # a prime that divides no round number
    return [n * step % keys for n in range(keys)]


def log_time(line):
    stamp = datetime.datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S.%fZ")
    return stamp.replace(tzinfo=datetime.timezone.utc).timestamp()


def restart(node):
    """kill -9, start: seconds from there to the line RECOVERED and to /readyz; until then CPU
    time, and time in which another process had the core."""
    node.stop(signal.SIGKILL)
    lines = len(node.log_lines("RECOVERED"))
    time.sleep(0.5)
    wall, begin = time.time(), time.monotonic()
    node.start()
    while not node.ready():
        if time.monotonic() - begin > 60:
            raise SystemExit("bench: the node did not come back in 60 s")
        time.sleep(0.002)
    ready = time.monotonic() - begin
    cpu, waited = cpu_ns(node.pid) / 1e9, run_delay_ns(node.pid) / 1e9
    found = node.log_lines("RECOVERED")[lines:]
    if len(found) != 1:
        raise SystemExit("bench: no line RECOVERED after a restart")
    return {"replayed": log_time(found[0]) - wall, "ready": ready, "cpu": cpu, "waited": waited}


def recoveries(cluster, repeats, say, what):
    """Each node in turn; the others go on, so that it has peers to ask."""
    found = []
    for number in range(repeats):
        node = cluster.nodes[number % len(cluster.nodes)]
        one = restart(node)
        one["log_mb"] = node.metrics()["log_bytes"] / 1e6
        found.append(one)
        wait_for(lambda: all(other.ready() for other in cluster.nodes), 20, "all serve again")
        time.sleep(1)
    say(f"{what}: ready after " + ", ".join(f"{one['ready']:.2f}" for one in found) + " s")
    return found


def recovery_profile(cluster, folder):
    """Without its first hundredths of a second, until perf is there."""
    node = cluster.nodes[0]
    node.stop(signal.SIGKILL)
    node.start()

    def until_ready():
        wait_for(node.ready, 60, "the node is back")

    return profile([node.pid], os.path.join(folder, "perf.data"), until_ready)


def sizes(cluster):
    return [memory_mb(pid) for pid in cluster.pids()]


def until_checkpoint(cluster, ports, order):
    """Overwrites until every node has ended one more checkpoint."""
    def ended():
        return [len(node.log_lines("CHECKPOINT_END")) for node in cluster.nodes]
    before = ended()
    for start in range(0, len(order), 20_000):
        if all(node.metrics()["checkpoint_running"] or now > was
               for node, now, was in zip(cluster.nodes, ended(), before)):
            break
        put_all(ports, order[start:start + 20_000])
    wait_for(lambda: all(now > was for now, was in zip(ended(), before)), 60,
             "every node ends a checkpoint")


def million(program, folder, keys, repeats, say):
    with Cluster(program, os.path.join(folder, "three"), 3, 1) as cluster:
        ports = [node.port for node in cluster.nodes]
        time.sleep(2)
        result = {"keys": keys, "empty": sizes(cluster)}
        order = spread(keys)
        began = time.monotonic()
        put_all(ports, order)
        cluster.settle(keys)
        say(f"{keys} keys loaded in {time.monotonic() - began:.0f} s")
        time.sleep(3)
        result["loaded"] = sizes(cluster)
        live = statistics.median(node.metrics()["log_bytes"] for node in cluster.nodes)
        at = 0
        while min(node.metrics()["log_bytes"] for node in cluster.nodes) < LOG_FACTOR * live:
            put_all(ports, order[at:at + 10_000])
            at = (at + 10_000) % keys
        time.sleep(3)
        result["live_mb"] = live / 1e6
        result["overwritten"] = sizes(cluster)
        result["long"] = recoveries(cluster, repeats, say, "recovery, log at its longest")
        result["recovered"] = sizes(cluster)
        if statistics.median(one["ready"] for one in result["long"]) > RECOVERY_GOAL:
            result["profile"] = recovery_profile(cluster, folder)
        until_checkpoint(cluster, ports, order)
        time.sleep(2)
        result["checkpointed"] = sizes(cluster)
        result["short"] = recoveries(cluster, repeats, say, "recovery after a checkpoint")
    return result
