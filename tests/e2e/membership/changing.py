"""changing - nodes that join and leave because somebody asks for it, under load."""
import time

import wait
from client import OK, Client, Session, key_path
from cluster import free_ports
from membership.ground import (PATIENCE_S, SERVE_S, Data, Timed, check_local, check_same, data_of,
                               ids, is_settled, judge_logs, more_nodes, run_cli, serving_cluster,
                               wipe)
from membership.losing import check_service, check_told_once
from slot import key_in
from verdict import end_load
from workload import Workload

SMALL = 2000
ASK = {"Prefer": "wait=20"}


def change(cluster, node, method, path, address):
    """One request of an operator, and the seconds that its answer took."""
    client = Client(timeout_s=40.0)
    start = time.monotonic()
    answer = client.request(node.at, method, path, {"socket-address": address}, ASK)
    client.close()
    return answer, time.monotonic() - start


def some_load(report, cluster, nodes, seed):
    load = Workload([node.at for node in nodes], seed=seed)
    load.start()
    wait.until(lambda: load.done() >= 500, PATIENCE_S)
    return load


def end(report, cluster, load, what):
    report.equal(load.figures.failures, 0, f"{what}: of {load.figures.requests} requests none "
                 f"failed; tried again: {load.figures.retries}")
    end_load(report, cluster, load, what)


def join(report, cluster):
    """A node that nobody has told the others of."""
    seventh = more_nodes(cluster, [f"127.0.0.1:{free_ports(1)[0]}"], ["grace"])[0]
    start = time.monotonic()
    seventh.start()
    took = wait.until(lambda: cluster.is_ready(seventh), PATIENCE_S)
    report.check(took is not None, "a seventh node joins by itself"
                 f"{'' if took is None else f' (after {took:.2f} s)'}", cluster.why_not())
    listed = wait.until(lambda: all(seventh.address in cluster.ask(node, "/view").field("view")
                                    for node in cluster.nodes), PATIENCE_S)
    report.check(listed is not None, "it is in everybody's view "
                 f"({time.monotonic() - start:.2f} s after its start)")
    answer = cluster.ask(seventh, "/shard/node-shard-id")
    report.check(answer.status == 200 and answer.json() == {"node-shard-id": None},
                 "as a spare of no shard", answer)
    return seventh


def seventh(report, options):
    """A seventh node joins as a spare, and is added to a shard under load."""
    serving = Timed("serving in its shard", SERVE_S)
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, options.keys)
        data.load(report)
        node = join(report, cluster)
        session = Session(Client(), data.token)
        result = session.get(node.at, data.keys[0])
        report.equal(result.value, data.value(data.keys[0]), "the spare forwards")
        session.client.close()
        answer, _ = change(cluster, cluster[2], "PUT", "/shard/add-member/s9", node.address)
        report.equal(answer.status, 404, "there is no shard s9")
        load = some_load(report, cluster, cluster.nodes, options.seed)
        answer, took = change(cluster, cluster[2], "PUT", "/shard/add-member/s1", node.address)
        report.check(answer.status == 200 and answer.field("result") == "node added to shard",
                     f"PUT /shard/add-member/s1 (answered after {took:.2f} s)", answer)
        more = wait.until(lambda: cluster.is_ready(node) and ids(cluster, node)
                          .get(node.address, {}).get("state") == "active", PATIENCE_S)
        serving.add(None if more is None else took + more)
        check_local(report, cluster, node, data, 1, "the seventh")
        answer, _ = change(cluster, cluster[0], "PUT", "/shard/add-member/s1", node.address)
        report.equal(answer.status, 200, "said again it is there already")
        answer, _ = change(cluster, cluster[0], "PUT", "/shard/add-member/s0", node.address)
        report.equal(answer.status, 409, f"in another shard it is not: {answer.field('error')}")
        end(report, cluster, load, "add-member")
        serving.check(report)
        sizes = [len(cluster.ask(cluster[0], f"/shard/members/s{shard}").field("shard-members"))
                 for shard in (0, 1)]
        report.equal(sizes, [3, 4], "three and four members")
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)


def removed_live(report, options):
    """DELETE /view of a node that lives, under load."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        load = some_load(report, cluster, cluster.nodes, options.seed)
        node = cluster[1]
        answer, took = change(cluster, cluster[4], "DELETE", "/view", node.address)
        report.check(answer.status == 200 and answer.field("result") == "deleted",
                     f"DELETE /view of a live node under load (answered after {took:.2f} s)",
                     answer)
        rest = [other for other in cluster.nodes if other is not node]
        gone = wait.until(lambda: all(node.address not in cluster.ask(other, "/view").field("view")
                                      for other in rest), PATIENCE_S)
        report.check(gone is not None, "it is in nobody's view")
        refused = wait.until(lambda: cluster.status(node, "/readyz") == 503, PATIENCE_S)
        report.check(refused is not None and "removed" in cluster.detail(node),
                     f"it says why it does not serve: {cluster.detail(node)}")
        goal = load.done() + 1000
        wait.until(lambda: load.done() >= goal, PATIENCE_S)
        node.stop()
        cluster.nodes.remove(node)
        end(report, cluster, load, "DELETE /view")
        settled = wait.until(lambda: is_settled(cluster), PATIENCE_S)
        report.check(settled is not None, "its actor is closed")
        for other in rest:
            wrong = data.wrong_at(other)
            report.check(not wrong, f"{other.name} shows all keys", f"{len(wrong)}: {wrong[:3]}")
        check_same(report, cluster, "afterwards")
        back_again(report, cluster, node)
        judge_logs(report, cluster)


def back_again(report, cluster, node):
    """With its data it stays out; with an empty directory it comes in."""
    node.start()
    said = wait.until(lambda: "removed" in cluster.detail(node), PATIENCE_S)
    report.check(said is not None, "started again with its data it says that it was removed",
                 cluster.detail(node))
    node.kill()
    wipe(node)
    node.start()
    took = wait.until(lambda: cluster.is_ready(node), PATIENCE_S)
    report.check(took is not None, "with an empty directory it comes in"
                 f"{'' if took is None else f' (after {took:.2f} s)'}", cluster.detail(node))
    cluster.nodes.insert(1, node)
    check_service(report, cluster, "back again")


def back_with_its_data(report, cluster, node, key):
    """Who was removed and alone had one write says so, and keeps it when it is listed again."""
    told = "at most 1 of its writes nobody else has"
    node.start()
    said = wait.until(lambda: told in cluster.detail(node), PATIENCE_S)
    report.check(said is not None, f"back with its data it says: {told}", cluster.detail(node))
    report.equal(cluster.ask(node, "/cluster").field("writes-only-here"), 1, "in /cluster as well")
    report.check("event=ONLY_HERE" in node.log(), "and in its log", node.log()[-500:])
    answer, _ = change(cluster, cluster[0], "PUT", "/view", node.address)
    report.equal(answer.status, 201, "its address is listed again")
    learnt = wait.until(lambda: any(member["address"] == node.address for member in
                                    cluster.ask(node, "/cluster").field("members")), PATIENCE_S)
    report.check(learnt is not None and told in cluster.detail(node),
                 "it knows that, and stays out: what it has is not dropped", cluster.detail(node))
    node.kill()
    status, said = run_cli("salvage", "--node", cluster.at[0], "--yes", data_of(node))
    answer = cluster.client.get(cluster.at[0], key_path(key))
    report.check(status == 0 and answer.status == 200,
                 "thence salvage brings it back out of its directory", (said, answer))
    answer, _ = change(cluster, cluster[0], "DELETE", "/view", node.address)
    report.equal(answer.status, 200, "and off the list again")


def removed_dead(report, options):
    """DELETE /view of a dead node that alone had a write which a client has seen."""
    with serving_cluster(report, options) as cluster:
        data = Data(cluster, SMALL)
        data.load(report)
        dead, pair = cluster[3], [cluster[4], cluster[5]]
        for node in pair:
            node.kill()     # not paused: what is under way to it would still come in
        session = Session(Client(timeout_s=10.0), data.token, twice=True)
        key = key_in(1, "only-there-")
        result = session.put([dead.at], key, "lost")
        report.check(result.outcome == OK and result.answer.field("copies") == 1,
                     "a write that one node alone has, and says so", result)
        dead.kill()
        for node in pair:
            node.start()
        rest = [node for node in cluster.nodes if node is not dead]
        report.check(cluster.wait_ready(rest) is not None, "the others go on", cluster.why_not())
        headers = {"Causal-Context": session.token, "Prefer": "wait=0.2"}
        answer = session.client.request(pair[0].at, "GET", key_path(key), None, headers)
        report.check(answer.status == 503 and answer.field("waiting-for"),
                     f"until then its token waits: {answer.field('waiting-for')}", answer)
        load = some_load(report, cluster, rest, options.seed)
        answer, took = change(cluster, cluster[0], "DELETE", "/view", dead.address)
        report.check(answer.status == 200, "DELETE /view of a dead node (answered after "
                     f"{took:.2f} s)", answer)
        cluster.nodes.remove(dead)
        served = wait.until(lambda: session.client.request(
            pair[0].at, "HEAD", key_path(key), None, headers).status in (200, 404), PATIENCE_S)
        report.check(served is not None, "then it is served again"
                     f"{'' if served is None else f' (after {served:.2f} s)'}")
        check_told_once(report, cluster, pair[0], key, session.token, "a dead node removed")
        check_told_once(report, cluster, cluster[0], key, session.token, "told by another shard")
        end(report, cluster, load, "DELETE /view of a dead one")
        for node in rest:
            wrong = data.wrong_at(node)
            report.check(not wrong, f"{node.name} shows all keys", f"{len(wrong)}: {wrong[:3]}")
        back_with_its_data(report, cluster, dead, key)
        session.client.close()
        check_same(report, cluster, "afterwards")
        judge_logs(report, cluster)
