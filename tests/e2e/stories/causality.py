"""causality - tokens: how they flow, merge, come to rest and are refused."""
import time

import metadata
import wait
from client import Client, Figures, Session, key_path
from cluster import Cluster
from slot import key_in


def flow(report, cluster):
    """Written here, read there, at once, by whoever shows the token; body, header or both."""
    client = Client()
    wrong = []
    for i in range(60):
        key = f"flow-{i}"
        writer, reader = cluster.at[i % 6], cluster.at[(i * 5 + 1) % 6]
        token = client.request(writer, "PUT", key_path(key), {"value": i}).token()
        if i % 3 == 0:
            got = client.request(reader, "GET", key_path(key), {"causal-metadata": token})
        elif i % 3 == 1:
            got = client.get(reader, key_path(key), {"Causal-Context": token})
        else:
            got = client.request(reader, "GET", key_path(key), {"causal-metadata": token},
                                 {"Causal-Context": token})
        if got.field("value") != i:
            wrong.append((key, got))
    report.check(not wrong, "60 writes read at once at another node, token in body or header",
                 wrong[:3])
    client.close()


def merging(report, cluster):
    """Two strangers' tokens, both in one request: the third must see both."""
    client = Client()
    wrong = []
    for i in range(30):
        one, two = key_in(0, f"merge-{i}-"), key_in(1, f"merge-{i}-")
        first = client.request(cluster.at[i % 6], "PUT", key_path(one), {"value": i}).token()
        second = client.request(cluster.at[(i + 3) % 6], "PUT", key_path(two), {"value": i}).token()
        ways = [{"Causal-Context": f"{first}, {second}"}, {"Causal-Context": f"{second},{first}"}]
        token = client.get(cluster.at[(i + 1) % 6], key_path("merge-nothing"), ways[i % 2]).token()
        body = {"causal-metadata": first}
        for key in (one, two):
            at = cluster.at[(i + 2) % 6]
            answers = [client.get(at, key_path(key), {"Causal-Context": token}),
                       client.request(at, "GET", key_path(key), body, {"Causal-Context": second})]
            wrong += [answer for answer in answers if answer.field("value") != i]
    report.check(not wrong, "30 times two contexts merged: in one header, and in body and header",
                 wrong[:3])
    client.close()


def nothing_seen(report, cluster):
    for text in ("null", '""', "{}", "0"):
        body = f'{{"value": 1, "causal-metadata": {text}}}'.encode()
        answer = cluster.client.request(cluster.at[0], "PUT", "/kvs/nothing-seen", body,
                                        {"Content-Type": "application/json"})
        report.check(answer.status in (200, 201) and answer.token(),
                     f"causal-metadata {text} means nothing seen yet", answer)


def chain(report, cluster, count=600):
    """Causally dependent PUTs sent quickly, each to the next of the six nodes."""
    figures = Figures()
    session = Session(Client(figures))
    failed = []
    start = time.monotonic()
    for i in range(count):
        result = session.put(cluster.at[i % 6], f"chain-{i}", {"number": i, "after": i - 1})
        if result.outcome != "ok":
            failed.append((i, result))
    took = time.monotonic() - start
    report.check(not failed, f"{count} dependent PUTs, each at the next node, without failure "
                 f"({took:.2f} s; {figures})", failed[:3])
    wrong = [i for i in range(count)
             if session.get(cluster.at[(i + 3) % 6], f"chain-{i}").value !=
             {"number": i, "after": i - 1}]
    report.check(not wrong, "and each is read at another node", wrong[:10])
    # Each alone, with the last token: it must bring all before it.
    wrong = []
    for at in cluster.at:
        other = Session(Client(), session.token)
        if other.get(at, f"chain-{count - 1}").value is None:
            wrong.append(at)
        other.client.close()
    report.check(not wrong, "and the last at every node", wrong)
    session.client.close()
    return session.token


def rest(report, cluster, token):
    """At rest no token names anything: neither a new one nor an old one that was shown again."""
    last = {}

    def at_rest():
        for at in cluster.at:
            for shard in (0, 1):
                path = key_path(key_in(shard, "chain-"))
                answer = cluster.client.get(at, path, {"Causal-Context": token})
                last[at] = metadata.decode(answer.token()).entries
                if answer.status not in (200, 404) or last[at]:
                    return False
        return True
    took = wait.until(at_rest, 10)
    report.check(took is not None, "at rest causal-metadata decodes to no entries, at every node"
                 f"{'' if took is None else f' (after {took:.2f} s)'}", last)
    fresh = cluster.client.request(cluster.at[0], "PUT", "/kvs/rest", {"value": 1}).token()
    report.check(len(metadata.decode(fresh).entries) <= 1,
                 "right after one write at rest it names at most that one",
                 metadata.decode(fresh).entries)
    report.equal(len(token) >= 26, True, "a token has at least 26 characters")


def altered(report, cluster):
    """No altered token gets in."""
    client = Client()
    token = client.request(cluster.at[0], "PUT", "/kvs/altered", {"value": "before"}).token()
    wrong, count = [], 0
    for at, text in metadata.altered(token):
        answers = [client.request(cluster.at[at % 6], "PUT", "/kvs/altered",
                                  {"value": "after", "causal-metadata": text}),
                   client.get(cluster.at[at % 6], "/kvs/altered", {"Causal-Context": text})]
        count += len(answers)
        wrong += [(at, answer) for answer in answers
                  if answer.status != 400 or not answer.field("error")]
    report.check(not wrong, f"a token with any byte altered is 400 with a sentence ({count} "
                 "requests)", wrong[:3])
    for text in ("x", "garbage", "é", "A" * 26, "A" * 4096, "=" * 26, token + "A", token[:-1],
                 token[1:], token + token, " " + token[:5] + " " + token[5:]):
        answer = client.request(cluster.at[1], "PUT", "/kvs/altered",
                                {"value": "after", "causal-metadata": text})
        report.check(answer.status == 400 and answer.field("error"),
                     f"the token {text[:12]!r} ({len(text)} characters) is 400", answer)
    for value in ([], [token], {"token": token}, True, 7, 1.5):
        answer = client.request(cluster.at[1], "PUT", "/kvs/altered",
                                {"value": "after", "causal-metadata": value})
        report.check(answer.status == 400 and answer.field("error"),
                     f"causal-metadata of the type {type(value).__name__} is 400", answer)
    answer = client.get(cluster.at[0], "/kvs/altered", {"Causal-Context": token})
    report.equal(answer.field("value"), "before", "none of them wrote")
    client.close()


def other_history(report, cluster):
    """A token of another cluster: 400, the reason, and a fresh token that works."""
    with Cluster(count=1, shards=1) as other:
        other.start()
        other.wait_ready()
        token = other.client.request(other.at[0], "PUT", "/kvs/other", {"value": 1}).token()
    for method, body in (("PUT", {"value": 1, "causal-metadata": token}),
                         ("GET", {"causal-metadata": token}),
                         ("DELETE", {"causal-metadata": token})):
        answer = cluster.client.request(cluster.at[3], method, "/kvs/other-history", body)
        report.check(answer.status == 400 and answer.field("reason") == "other-history",
                     f"{method} with a token of another cluster is 400, other-history", answer)
    fresh = answer.field("causal-metadata")
    answer = cluster.client.request(cluster.at[0], "PUT", "/kvs/other-history",
                                    {"value": 1, "causal-metadata": fresh})
    report.equal(answer.status, 201, "the fresh token that came with it works, and nothing was "
                 "written before")


def waits(report, cluster):
    """Prefer: wait is understood; bad values are 400."""
    for text, status in (("wait=0", 201), ("wait=30", 200), ("wait=0.5", 200), ("wait=31", 400),
                         ("wait=-1", 400), ("wait=soon", 400), ("copies=2", 200),
                         ("copies=9", 400)):
        answer = cluster.client.request(cluster.at[2], "PUT", "/kvs/prefer", {"value": 1},
                                        {"Prefer": text})
        report.equal(answer.status, status, f"Prefer: {text}")


def run(report, cluster):
    flow(report, cluster)
    merging(report, cluster)
    nothing_seen(report, cluster)
    rest(report, cluster, chain(report, cluster))
    altered(report, cluster)
    other_history(report, cluster)
    waits(report, cluster)
