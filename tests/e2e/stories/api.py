"""api - the answers that existing clients rely on, to the letter (docs/api.md, rows marked C)."""
import json

from client import Client, Session, key_path
from connection import Connection, compose
from slot import key_in

UNKNOWN_IDS = ("s2", "s17")
BAD_IDS = ("s", "0", "-1", "s-1", "s01", "s1099511627776", "shard", "S0", "s0%20")


def shape(answer):
    """Status, and the document without its token."""
    document = answer.json()
    if isinstance(document, dict):
        document = {name: value for name, value in document.items() if name != "causal-metadata"}
    return answer.status, document


def has_token(answer):
    token = answer.field("causal-metadata")
    return isinstance(token, str) and len(token) >= 26 and \
        answer.headers.get("causal-context") == token


def keys_and_values(report, cluster):
    client = Client()
    for index, node in enumerate(cluster.nodes):
        for shard in (0, 1):
            where = f"at {node.name}, key of s{shard}"
            path = key_path(key_in(shard, f"api-{index}-"))
            key_story(report, client, node.at, path, where)
    client.close()


def key_story(report, client, at, path, where):
    def ask(method, body=None):
        return client.request(at, method, path, body)
    steps = [
        ("GET", {"causal-metadata": None}, (404, {"error": "Key does not exist"})),
        ("DELETE", {"causal-metadata": None}, (404, {"error": "Key does not exist"})),
        ("PUT", {"value": "one", "causal-metadata": None}, (201, {"result": "created"})),
        ("PUT", {"value": {"two": 2}, "causal-metadata": "T"}, (200, {"result": "replaced"})),
        ("GET", {"causal-metadata": "T"}, (200, {"result": "found", "value": {"two": 2}})),
        ("GET", None, None),
        ("DELETE", {"causal-metadata": "T"}, (200, {"result": "deleted"})),
        ("GET", {"causal-metadata": "T"}, (404, {"error": "Key does not exist"})),
        ("DELETE", {"causal-metadata": "T"}, (404, {"error": "Key does not exist"})),
        ("PUT", {"value": None, "causal-metadata": "T"}, (201, {"result": "created"})),
        ("GET", {"causal-metadata": "T"}, (200, {"result": "found", "value": None})),
    ]
    token = None
    got, wanted, tokens = [], [], True
    for method, body, want in steps:
        if body and body.get("causal-metadata") == "T":
            body = dict(body, **{"causal-metadata": token})
        answer = ask(method, body)
        if want is not None:
            got.append(shape(answer))
            wanted.append(want)
            tokens = tokens and has_token(answer)
            token = answer.field("causal-metadata") or token
    report.equal(got, wanted, f"absent, created, replaced, found, deleted, null {where}")
    report.check(tokens, f"every one of these answers has a token, in body and header, {where}")


VALUES = [
    '0', '-0', '1.0', '1e400', '18446744073709551616', '0.1', '-1.5E-7', '""', '"\\u00e9"',
    '"\\ud83d\\ude00"', '"é😀"', 'true', 'false', '[]', '{}', '[1,[2,[3,{"a":null}]]]',
    '{"a":1,"b":{"c":[true,false]}}', '"\\"quoted\\\\ and / slashed\\/"', '"\\u0000"',
    '123456789012345678901234567890.123456789012345678901234567890',
]


def exact_values(report, cluster):
    """What comes back is the same JSON value, numbers to the last digit."""
    session = Session(Client())
    wrong = []
    for index, text in enumerate(VALUES):
        path = key_path(f"exact-{index}")
        body = f'{{"value": {text}, "causal-metadata": null}}'.encode()
        headers = {"Content-Type": "application/json"}
        put = session.client.request(cluster.at[index % 6], "PUT", path, body, headers)
        got = session.client.request(cluster.at[(index + 4) % 6], "GET", path,
                                     {"causal-metadata": put.field("causal-metadata")})
        same = got.body.decode().startswith(f'{{"result":"found","value":{text},')
        if put.status != 201 or got.status != 200 or not same:
            wrong.append((text, put, got))
    session.client.close()
    report.check(not wrong, f"{len(VALUES)} JSON values come back digit for digit", wrong)


KEYS = ["a", "a/b", "a/b/c", "sp ace", "100%", "é", "☃", "q?x=1", "h#ash", "{tag}x", "..", "\x00",
        "+", "a+b", "k" * 1024, "/", "//"]


def keys(report, cluster):
    """Keys are percent-decoded bytes; the same key whatever way it is written."""
    client = Client()
    wrong = []
    for index, key in enumerate(KEYS):
        put = client.request(cluster.at[index % 6], "PUT", key_path(key), {"value": key})
        get = client.request(cluster.at[(index + 1) % 6], "GET", key_path(key),
                             {"causal-metadata": put.field("causal-metadata")})
        if put.status != 201 or get.field("value") != key:
            wrong.append((key[:20], put, get))
    report.check(not wrong, f"{len(KEYS)} unusual keys can be written and read", wrong)
    token = client.request(cluster.at[0], "PUT", "/kvs/plain%41", {"value": 1}).token()
    answer = client.get(cluster.at[3], "/kvs/%70lainA", {"Causal-Context": token})
    report.equal(answer.field("value"), 1, "escapes of plain letters name the same key")
    answer = client.request(cluster.at[0], "PUT", key_path("k" * 1025), {"value": 1})
    report.equal(shape(answer), (400, {"error": "Key is too long"}), "a key of 1025 bytes")
    answer = client.request(cluster.at[0], "PUT", "/kvs/%ff%fe%00", {"value": "bytes"})
    report.equal(answer.status, 201, "a key need not be UTF-8")
    client.close()


def no_value(report, cluster):
    sentence = {"error": "PUT request does not specify a value"}
    client = Client()
    for what, body in (("no body", None), ("an empty body", b""), ("an empty object", {}),
                       ("metadata alone", {"causal-metadata": None}), ("no object", b"[1]")):
        answer = client.request(cluster.at[0], "PUT", "/kvs/no-value", body,
                                {"Content-Type": "application/json"})
        report.equal(shape(answer), (400, sentence), f"PUT with {what}")
    report.equal(client.get(cluster.at[0], "/kvs/no-value").status, 404, "none of them wrote")
    client.close()


def view_and_shards(report, cluster):
    """Six nodes, two shards, in VIEW order: three and three."""
    addresses = [node.address for node in cluster.nodes]
    for index, node in enumerate(cluster.nodes):
        def ask(path, node=node):
            answer = cluster.ask(node, path)
            return answer.status, answer.json()
        report.equal(ask("/view"), (200, {"view": addresses}), f"/view at {node.name}")
        report.equal(ask("/shard/ids"), (200, {"shard-ids": ["s0", "s1"]}),
                     f"/shard/ids at {node.name}")
        report.equal(ask("/shard/node-shard-id"), (200, {"node-shard-id": f"s{index // 3}"}),
                     f"/shard/node-shard-id at {node.name}")
        members = [ask(f"/shard/members/s{shard}") for shard in (0, 1)]
        report.equal(members, [(200, {"shard-members": addresses[:3]}),
                               (200, {"shard-members": addresses[3:]})],
                     f"/shard/members at {node.name}")
    node = cluster[4]
    for what in ("members", "key-count"):
        statuses = [cluster.status(node, f"/shard/{what}/{name}") for name in UNKNOWN_IDS]
        report.equal(statuses, [404] * len(UNKNOWN_IDS), f"/shard/{what} of an unknown shard")
        statuses = [cluster.status(node, f"/shard/{what}/{name}") for name in BAD_IDS]
        report.equal(statuses, [400] * len(BAD_IDS), f"/shard/{what} of what is no id")


def key_counts(report, cluster):
    """Live keys, the same from any node; deletes and replacing count right."""
    took = cluster.wait_counts_agree(5)
    report.check(took is not None, "key counts agree at all six", cluster.counts())
    before = cluster.counts()[0]
    session = Session(Client())
    names = [[key_in(shard, f"count-{i}-") for i in range(10)] for shard in (0, 1)]
    for name in names[0] + names[1]:
        session.put(cluster.at[0], name, 1)
    for name in names[0][:4]:
        session.delete(cluster.at[5], name)
    for name in names[1]:
        session.put(cluster.at[2], name, 2)
    session.client.close()
    took = cluster.wait_counts_agree(5)
    wanted = (before[0] + 6, before[1] + 10)
    report.check(took is not None and cluster.counts()[0] == wanted,
                 "ten keys a shard, four deleted, ten replaced: counted right at all six",
                 f"{cluster.counts()}, wanted {wanted}")


SILENT = {"socket-address": "10.10.0.9:8090"}  # nobody listens there
CHANGES = [("PUT", "/view", SILENT, 201, "result", "added"),
           ("PUT", "/view", SILENT, 200, "result", "already present"),
           ("PUT", "/shard/add-member/s0", SILENT, 409, "error", None),
           ("PUT", "/shard/add-member/s7", SILENT, 404, "error", None),
           ("DELETE", "/view", SILENT, 200, "result", "deleted"),
           ("DELETE", "/view", SILENT, 404, "error", "View has no such replica"),
           ("PUT", "/view", {"socket-address": "nowhere"}, 400, "error", None),
           ("PUT", "/shard/reshard", {"shard-count": 2}, 200, "result", "resharded"),
           ("PUT", "/shard/reshard", {"shard-count": 4}, 400, "error",
            "Not enough nodes to provide fault tolerance with requested shard count"),
           ("PUT", "/shard/reshard", {"shard-count": 0}, 400, "error", None),
           ("PUT", "/shard/reshard", {}, 400, "error", None),
           ("DELETE", "/shard/reshard", None, 200, "result", "cancelled"),
           ("GET", "/shard/reshard", None, 200, "shard-count", 2)]


def members(report, cluster):
    """Who is listed can be changed, each time at another node; reshard (tests/e2e/reshard) moves
    nothing where nothing is to be moved."""
    for number, (method, path, body, status, field, words) in enumerate(CHANGES):
        answer = cluster.client.request(cluster.at[number % 6], method, path, body)
        told = answer.field(field)
        report.check(answer.status == status and told and words in (None, told),
                     f"{method} {path} {body}: {status}", answer)
    report.equal(len(cluster.ask(cluster[0], "/view").field("view")), 6, "and nothing changed")


def paths_and_methods(report, cluster):
    client = Client()
    at = cluster.at[0]
    for path in ("/nothing", "/kvs", "/shard", "/shard/members/", "/view/"):
        answer = client.get(at, path)
        report.check(answer.status == 404 and answer.field("error"), f"GET {path} is 404", answer)
    report.equal(client.get(at, "/kvs/").status, 400, "GET /kvs/: an empty key is 400")
    for method, path in (("POST", "/kvs/x"), ("PATCH", "/kvs/x"), ("DELETE", "/shard/ids"),
                         ("PUT", "/healthz"), ("POST", "/view")):
        answer = client.request(at, method, path, {"value": 1})
        report.check(answer.status == 405 and "GET" in answer.headers.get("allow", ""),
                     f"{method} {path} is 405 with Allow", answer)
    token = client.request(at, "PUT", "/kvs/head", {"value": "x" * 100}).token()
    answer = client.request(at, "HEAD", "/kvs/head", None, {"Causal-Context": token})
    report.check(answer.status == 200 and int(answer.headers["content-length"]) > 100 and
                 not answer.body, "HEAD has the headers of GET and no body", answer)
    client.close()


def raw_values(report, cluster):
    client = Client()
    data = bytes(range(256)) * 4
    put = client.request(cluster.at[0], "PUT", "/kvs/raw", data, {"Content-Type": "image/png"})
    report.equal(put.status, 201, "raw bytes can be PUT")
    context = {"Causal-Context": put.token()}
    wrong = []
    for at in cluster.at:
        answer = client.get(at, "/kvs/raw", context)
        if answer.body != data or answer.headers["content-type"] != "image/png":
            wrong.append((at, answer))
    report.check(not wrong, "and come back with their type at every node", wrong)
    put = client.request(cluster.at[0], "PUT", "/kvs/rawjson", {"value": [1, 2]})
    answer = client.get(cluster.at[5], "/kvs/rawjson", {"Accept": "application/octet-stream",
                                                       "Causal-Context": put.token()})
    report.check(answer.body == b"[1, 2]", "a JSON value alone for Accept: "
                 "application/octet-stream", answer)
    client.close()


def http_manners(report, cluster):
    """Chunked bodies, Expect, pipelining: answers in order; what curl -d sends."""
    answer = cluster.client.request(cluster.at[0], "PUT", "/kvs/curl", b'{"value": 1}',
                                    {"Content-Type": "application/x-www-form-urlencoded"})
    report.equal(answer.status, 201, "JSON with the Content-Type of curl -d")
    connection = Connection(cluster.at[0])
    body = json.dumps({"value": "in chunks"}).encode()
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n"
                      for part in (body[:5], body[5:6], body[6:])) + b"0\r\n\r\n"
    head = b"PUT /kvs/chunks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    answer = connection.exchange(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    report.equal(answer.status, 201, "a chunked body")
    connection.send(head + b"Expect: 100-continue\r\n" +
                    f"Content-Length: {len(body)}\r\n\r\n".encode())
    report.equal(connection.read_answer().status, 100, "Expect: 100-continue")
    report.equal(connection.exchange(body).status, 200, "and the body after it")
    count = 200
    connection.send(b"".join(compose("PUT", f"/kvs/pipe-{i % 7}", {"value": i})
                             for i in range(count)) +
                    b"".join(compose("GET", f"/nothing-{i}") for i in range(10)))
    statuses = [connection.read_answer().status for _ in range(count + 10)]
    report.check(set(statuses[:count]) <= {200, 201} and statuses[count:] == [404] * 10,
                 "210 pipelined requests are answered in order", statuses)
    connection.close()


def operators(report, cluster):
    for node in cluster.nodes:
        report.equal([cluster.status(node, path) for path in
                      ("/healthz", "/readyz", "/metrics", "/cluster", "/")], [200] * 5,
                     f"/healthz, /readyz, /metrics, /cluster … at {node.name}")
    answer = cluster.ask(cluster[0], "/metrics")
    lines = [line for line in answer.body.decode().split("\n") if line]
    good = all(line.startswith("# ") or (line.startswith("thence_") and len(line.split()) == 2)
               for line in lines)
    report.check(good and len(lines) > 30, "/metrics is Prometheus text", lines[:5])
    document = cluster.ask(cluster[2], "/cluster").json()
    members = [(m["address"], m["shard"], m["state"], m["alive"]) for m in document["members"]]
    report.equal(members, [(node.address, f"s{node.index // 3}", "active", True)
                           for node in cluster.nodes], "/cluster lists the six members")
    report.check("token" not in json.dumps(document).lower() and
                 "key\"" not in json.dumps(document), "/cluster shows no secret", document)
    paths = cluster.ask(cluster[0], "/openapi.json").field("paths") or {}
    missing = [path for path in ("/kvs/{key}", "/view", "/shard/ids", "/shard/node-shard-id",
                                 "/healthz", "/readyz", "/metrics", "/cluster")
               if path not in paths]
    report.check(not missing, "/openapi.json describes the paths", missing)


def run(report, cluster):
    view_and_shards(report, cluster)
    keys_and_values(report, cluster)
    exact_values(report, cluster)
    keys(report, cluster)
    no_value(report, cluster)
    raw_values(report, cluster)
    key_counts(report, cluster)
    members(report, cluster)
    paths_and_methods(report, cluster)
    http_manners(report, cluster)
    operators(report, cluster)
