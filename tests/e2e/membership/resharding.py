"""resharding - slots that move between shards because somebody asks for it."""
import threading
import time

import wait
from client import Client
from cluster import Node
from connection import Lost, Unreachable
from membership.changing import end, join, some_load
from membership.ground import PATIENCE_S, Data, judge_logs, run_cli, serving_cluster
from verdict import end_load

KEYS = 600
SOME_KEYS = 10000       # so that moving takes long enough to be met in the middle
UNEVEN = 0.25           # how far a shard's share of the keys may be from even
RESHARD_S = 60.0


def ask(node, method, body=None, prefer=None):
    """One request to /shard/reshard, and the seconds that its answer took."""
    client = Client(timeout_s=RESHARD_S)
    start = time.monotonic()
    answer = client.request(node.at, method, "/shard/reshard", body,
                            {"Prefer": prefer} if prefer else None)
    client.close()
    return answer, time.monotonic() - start


def reshard(node, count, prefer=None):
    return ask(node, "PUT", {"shard-count": count}, prefer)


def told(cluster, node):
    """What a node says is going on, or {}."""
    answer = cluster.ask(node, "/shard/reshard")
    return answer.json() if answer is not None and answer.status == 200 else {}


def shard_ids(cluster, node):
    answer = cluster.ask(node, "/shard/ids")
    return answer.field("shard-ids") if answer is not None else None


def is_through(cluster, count):
    """Every node that runs says that nothing moves and nothing of before is open."""
    for node in cluster.nodes:
        said = told(cluster, node)
        if said.get("resharding") is not False or said.get("open-terms") != 0 or \
                said.get("shard-count") != count:
            return False
    return True


def wait_through(report, cluster, count, what):
    took = wait.until(lambda: is_through(cluster, count), RESHARD_S)
    return report.check(took is not None, f"{what}: all nodes have {count} shards, and nothing is "
                        f"on its way{'' if took is None else f' (after {took:.2f} s)'}",
                        [told(cluster, node) for node in cluster.nodes])


def check_data(report, cluster, data, what):
    """No key is missing at any node."""
    for node in cluster.nodes:
        wrong = data.wrong_at(node)
        report.check(not wrong, f"{what}: {node.name} shows all {len(data.keys):,} keys",
                     f"{len(wrong)}: {wrong[:3]}")
    data.check_untold(report)


def check_counts(report, cluster, total, what):
    """All nodes count the same, it adds up, and is even: of a cluster with so many keys."""
    ids = shard_ids(cluster, cluster[0])
    agreed = cluster.wait_counts_agree(PATIENCE_S, ids)
    counts = cluster.counts(ids)
    report.check(agreed is not None, f"{what}: all nodes count the same", counts)
    report.equal(sum(count or 0 for count in counts[0]), total,
                 f"{what}: the counts of {' '.join(ids)} add up")
    even = total / len(ids)
    report.check(all(abs((count or 0) - even) <= UNEVEN * even for count in counts[0]),
                 f"{what}: {counts[0]} is even", f"wanted {even:g} each, within {UNEVEN:.0%}")
    sizes = [len(cluster.ask(cluster[0], f"/shard/members/{shard}").field("shard-members"))
             for shard in ids]
    report.check(min(sizes) >= 2 and sum(sizes) == len(cluster.nodes),
                 f"{what}: every node is in a shard, every shard has two or more: {sizes}")


def seven(report, cluster):
    """A seventh node joins and is added to a shard."""
    node = join(report, cluster)
    answer = cluster.client.request(cluster[2].at, "PUT", "/shard/add-member/s1",
                                    {"socket-address": node.address}, {"Prefer": "wait=20"})
    report.check(answer.status == 200, "the seventh is added to s1", answer)


def public(report, options):
    """What the public tests do: 600 keys, a seventh node, two shards become three."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, KEYS)
        data.load(report)
        seven(report, cluster)
        answer, took = reshard(cluster[1], 3)
        report.check(answer.status == 200 and answer.field("result") == "resharded",
                     f"PUT /shard/reshard: 2 to 3 (answered after {took:.2f} s)", answer)
        wait_through(report, cluster, 3, "2 to 3")
        check_data(report, cluster, data, "2 to 3")
        check_counts(report, cluster, KEYS, "2 to 3")
        answer, _ = reshard(cluster[3], 3)
        report.equal(answer.status, 200, "asked again it is done already")
        answer, _ = reshard(cluster[0], 9)
        report.equal(answer.status, 400, f"nine are too many: {answer.field('error')}")
        report.equal(len(shard_ids(cluster, cluster[4])), 3, "that has changed nothing")
        judge_logs(report, cluster)


def load(report, options):
    """Three shards and back again, under a load of sessions."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, KEYS)
        data.load(report)
        seven(report, cluster)
        clients = some_load(report, cluster, cluster.nodes, options.seed)
        for count in (3, 2):
            before = clients.done()
            answer, took = reshard(cluster[count], count)
            report.check(answer.status == 200, f"under load to {count} (answered after "
                         f"{took:.2f} s, {clients.done() - before} operations meanwhile)", answer)
            report.check(clients.done() > before, "the clients were served all the time")
            wait_through(report, cluster, count, f"under load to {count}")
            goal = clients.done() + 300
            wait.until(lambda: clients.done() >= goal, PATIENCE_S)
        end(report, cluster, clients, "resharding")
        check_data(report, cluster, data, "there and back")
        judge_logs(report, cluster)


def moving(cluster, said):
    """A node that has a seat where slots are on their way, and is not the first."""
    seated = [member["address"] for transit in said["transits"] for member in transit["members"]]
    return next(node for node in cluster.nodes[1:] if node.address in seated)


def begin(report, cluster, node, count, harm):
    """Asks without waiting; does harm to a node as soon as slots are on their way, so that it
    stays so. What was told of that, and whom it was done to."""
    answers, seen = [], {}
    operator = threading.Thread(
        target=lambda: answers.append(reshard(node, count, "respond-async")[0]))
    operator.start()

    def moves():
        seen.update(told(cluster, cluster[0]))
        return seen.get("transits")
    met = wait.until(moves, RESHARD_S, poll_s=0)
    victim = moving(cluster, seen) if met is not None else node
    if met is not None:
        harm(victim)
    operator.join()
    report.equal([answer.status for answer in answers], [202], f"to {count}, respond-async")
    report.check(met is not None, f"slots are on their way, and {victim.name} is harmed", seen)
    return seen, victim


def check_told(report, said, at):
    """GET /shard/reshard in the middle, asked at a node with a place in some of it."""
    report.equal((said.get("resharding"), said.get("wanted"), said.get("cancelled")),
                 (True, 3, False), "it says what is wanted")
    report.check(said.get("phase", "").startswith("slots "), f"and: {said.get('phase')}", said)
    for transit in said.get("transits", []):
        members = {member["address"]: member["state"] for member in transit["members"]}
        here = at in members
        report.check(transit["slots"] > 0 and transit["from"] != transit["into"] and
                     transit["phase"] in ("filling", "filled", "handing over", "arriving") and
                     set(members.values()) <= {"active", "syncing", "leaving"} and
                     ("keys" in transit) == ("bytes" in transit) == here and
                     (not here or members[at] == "syncing" or
                      transit["bytes"] > transit["keys"] > 0),
                     f"{transit['slots']} slots from {transit['from']} into {transit['into']}: "
                     f"{transit['phase']}, {len(members)} members, {transit.get('keys')} keys here",
                     transit)


def check_shown(report, cluster):
    """/cluster and `thence status` while slots are on their way and stay so."""
    node = cluster[0]
    shown = cluster.ask(node, "/cluster").json()
    ids = [shard["id"] for shard in shown["shards"]]
    report.equal(ids, shard_ids(cluster, node), "/cluster lists the shards, and nothing else")
    report.equal(sum(shard["slots"] for shard in shown["shards"]), 16384,
                 "it counts each slot once")
    report.check(shown["transits"] and all({t["from"], t["into"]} <= set(ids) and t["slots"] > 0
                                           for t in shown["transits"]),
                 f"beside them it lists {len(shown['transits'])} transits", shown["transits"])
    _, said = run_cli("status", "--node", node.at)
    left = cluster.ask(node, "/cluster").json()["transits"]
    wanted = [f" on their way from {t['from']} to {t['into']}" for t in left]
    report.check(wanted and all(text in said for text in wanted), "so does thence status", said)
    report.equal(cluster.figure(node, "slots_moving"), sum(t["slots"] for t in left),
                 "and /metrics")


def command(report, options):
    """`thence reshard`: shows, does, tells; interrupted and run again; what it refuses."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, KEYS)
        data.load(report)
        node = ("--node", cluster[1].at)
        status, said = run_cli("reshard", *node, "3")
        report.check(status == 2 and "then 3 shards of about 5461 slots" in said and
                     "--yes" in said, "thence reshard 3 shows what moves, and asks", said)
        report.equal(len(shard_ids(cluster, cluster[0])), 2, "nothing was done")
        start = time.monotonic()
        status, said = run_cli("reshard", *node, "3", "--yes")
        report.check(status == 0 and "resharded: 3 shards" in said,
                     f"thence reshard 3 --yes (in {time.monotonic() - start:.2f} s)", said)
        check_counts(report, cluster, KEYS, "thence reshard 3")
        status, said = run_cli("reshard", *node, "9", "--yes")
        report.check(status == 5 and "this will be refused" in said and "answered 400" in said,
                     "nine are refused, and that is said before", said)
        cluster[4].pause()
        reshard(cluster[0], 2, "respond-async")
        status, said = run_cli("reshard", *node, "1", "--yes")
        report.check(status == 5 and "moving already: to 2 shards" in said,
                     "another number meanwhile is refused", said)
        threading.Timer(1.0, cluster[4].resume).start()
        status, said = run_cli("reshard", *node, "2")
        report.check(status == 0 and "it is under way already" in said and
                     f"waits for {cluster[4].address}" in said and "resharded: 2 shards" in said,
                     "the same number meanwhile: it tells whom it waits for, and the end", said)
        status, said = run_cli("reshard", *node, "--cancel")
        report.check(status == 0 and "cancelled, nothing moves: 2 shards" in said,
                     "thence reshard --cancel", said)
        check_data(report, cluster, data, "the command")
        judge_logs(report, cluster)


def others(report, options):
    """Two operators at once; one who changes his mind."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SOME_KEYS)
        data.load(report)
        said, victim = begin(report, cluster, cluster[0], 3, Node.pause)
        check_told(report, said, cluster[0].address)
        check_shown(report, cluster)
        awake = [node for node in cluster.nodes if node is not victim]
        answer, _ = reshard(awake[2], 1)
        report.equal(answer.status, 409, f"another number meanwhile: {answer.field('error')}")
        answer, took = ask(awake[3], "DELETE")
        victim.resume()
        report.check(answer.status == 200, f"cancelled (answered after {took:.2f} s)", answer)
        done = wait.until(lambda: all(told(cluster, node).get("resharding") is False and
                                      told(cluster, node).get("open-terms") == 0
                                      for node in cluster.nodes), RESHARD_S)
        report.check(done is not None, "slots that were on their way have arrived somewhere"
                     f"{'' if done is None else f' (after {done:.2f} s)'}",
                     [told(cluster, node) for node in cluster.nodes])
        check_data(report, cluster, data, "cancelled")
        answer, _ = ask(cluster[5], "DELETE")
        report.equal(answer.status, 200, "cancelled when there is nothing to cancel")
        together(report, cluster)
        check_data(report, cluster, data, "asked by two")
        check_counts(report, cluster, SOME_KEYS, "asked by two")
        judge_logs(report, cluster)


def together(report, cluster):
    """Two numbers asked for at the same moment at two nodes: one of them it becomes. A third node
    is held, so that the first is not through before the second is looked at."""
    answers = {}
    answer, _ = reshard(cluster[0], 2)
    report.equal(answer.status, 200, "to 2, whatever was cancelled")
    cluster[2].pause()

    def operator(index, count):
        try:
            answers[count] = reshard(cluster[index], count, "respond-async")[0]
        except (Unreachable, Lost) as error:
            answers[count] = error
    threads = [threading.Thread(target=operator, args=pair) for pair in ((1, 3), (4, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cluster[2].resume()
    statuses = {count: getattr(answer, "status", 0) for count, answer in answers.items()}
    report.equal(sorted(statuses.values()), [202, 409], f"of two at once one is refused: {answers}")
    won = [count for count, status in statuses.items() if status == 202]
    wait_through(report, cluster, won[0] if won else 0, "two at once")


def killed(report, options):
    """A node dies in the middle: it is waited for, and all is well when it is back."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SOME_KEYS)
        data.load(report)
        clients = some_load(report, cluster, cluster.nodes, options.seed)
        _, victim = begin(report, cluster, cluster[0], 3, Node.kill)
        rest = [node for node in cluster.nodes if node is not victim]
        absent = wait.until(lambda: all(told(cluster, node).get("waiting-for") == [victim.address]
                                        for node in rest), PATIENCE_S)
        report.check(absent is not None, "all others say that they wait for it",
                     [told(cluster, node) for node in rest])
        report.equal([cluster.figure(node, "reshard_waits_for") for node in rest],
                     [1] * len(rest), "so does /metrics")
        early = wait.until(lambda: told(cluster, rest[0]).get("resharding") is False, 3.0)
        report.check(early is None, f"{victim.name} is killed, and waited for",
                     told(cluster, rest[0]))
        goal = clients.done() + 300
        served = wait.until(lambda: clients.done() >= goal, PATIENCE_S)
        report.check(served is not None, "meanwhile the others serve")
        victim.start()
        wait_through(report, cluster, 3, f"{victim.name} is back")
        end_load(report, cluster, clients, "killed in the middle")
        report.equal((cluster.figure(rest[0], "slots_moving"),
                      cluster.figure(rest[0], "reshard_waits_for")), (0, 0), "/metrics is at rest")
        check_data(report, cluster, data, "killed in the middle")
        judge_logs(report, cluster)
