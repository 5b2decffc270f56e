"""bad_input - malformed JSON, UTF-8, percent-encoding and HTTP: a sentence each, nothing written.

Every piece is sent as raw bytes on a connection of its own. What must come back: the status, a JSON
object with an `error` sentence, and then either a connection that still works or one that is
closed where the next request could not be found any more.
"""
import json

from client import Client
from connection import Connection, Lost, compose

TARGET = "/kvs/bad-input"
JSON_HEAD = {"Content-Type": "application/json"}

BAD_JSON = [
    b'{', b'{"value"', b'{"value":', b'{"value":}', b'{"value":1', b'{"value":1,}', b'{value:1}',
    b"{'value':1}", b'{"value":01}', b'{"value":1.}', b'{"value":.5}', b'{"value":+1}',
    b'{"value":1e}', b'{"value":0x10}', b'{"value":NaN}', b'{"value":Infinity}', b'{"value":nul}',
    b'{"value":True}', b'{"value":1}x', b'{"value":1}{"value":2}', b'{"value":[1,2}',
    b'{"value":{"a":1]}', b'{"value":"open}', b'{"value":"bad \\x escape"}', b'{"value":"\\u12g4"}',
    b'{"value":"\\ud800"}', b'{"value":"\\udc00\\ud800"}', b'{"value":"tab\there"}',
    b'{"value":"line\nhere"}', b'{"value":"nul\x00here"}', b'\xef\xbb\xbf{"value":1}',
    b'{"value":1,"value":2}', b'{"value":1,"v\\u0061lue":2}',
    b'{"value":1,"causal-metadata":null,"causal-metadata":null}', b'{"value":1}\x00',
    b'/* comment */{"value":1}', b'{"value":1 "causal-metadata":null}', b'value=1',
    b'{"value":' + b'[' * 200 + b']' * 200 + b'}', b'{"value":' + b'[' * 100000,
    b'{"value":' + b'{"a":' * 100000,
]

BAD_UTF8 = [
    b'\xff', b'\xfe', b'\x80', b'\xc0\xaf', b'\xc1\x81', b'\xe0\x80\x80', b'\xf0\x80\x80\x80',
    b'\xed\xa0\x80', b'\xed\xbf\xbf', b'\xf4\x90\x80\x80', b'\xf8\x88\x80\x80\x80', b'\xc3',
    b'\xe2\x82', b'\xf0\x9f\x98', b'\xc3\x28', b'a\xcc',
]

BAD_PATHS = [
    "/kvs/%", "/kvs/%4", "/kvs/%zz", "/kvs/a%2", "/kvs/a%g1b", "/kvs/%%41", "/kvs/%u0041",
    "/kvs/a?b=1", "/kvs/", "/kvs/" + "x" * 1025, "/kvs/" + "%41" * 1025,
]

OK_HEAD = b"PUT /kvs/bad-input HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"value": "written"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)

# What, the bytes, the statuses that are right. All of them would write, were they let through.
BAD_HTTP = [
    ("bare CR in a header value (CVE-2023-30589)",
     OK_HEAD + b"X: a\rTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("bare CR before a header (CVE-2023-30589)",
     OK_HEAD + LENGTH + b"X: a\r\rY: b\r\n\r\n" + BODY, (400,)),
    ("a folded header (CVE-2024-27982)",
     OK_HEAD + b" Content-Length: 1\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("a folded Content-Length (CVE-2024-27982)",
     b"PUT /kvs/bad-input HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 20\r\n\r\n" + BODY, (400,)),
    ("a folded first header with a tab (CVE-2024-27982)",
     b"PUT /kvs/bad-input HTTP/1.1\r\n\tHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("bare LF", (OK_HEAD + LENGTH).replace(b"\r\n", b"\n") + b"\n" + BODY, (400,)),
    ("bare LF at the end of the head", OK_HEAD + LENGTH + b"\n" + BODY, (400,)),
    ("NUL in a header", OK_HEAD + b"X: a\x00b\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("NUL in the target",
     b"PUT /kvs/bad\x00input HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("a blank before the colon",
     OK_HEAD + b"Content-Length : 20\r\n\r\n" + BODY, (400,)),
    ("two different lengths",
     OK_HEAD + b"Content-Length: 20\r\nContent-Length: 5\r\n\r\n" + BODY, (400,)),
    ("two equal lengths", OK_HEAD + LENGTH + LENGTH + b"\r\n" + BODY, (400,)),
    ("a list of lengths", OK_HEAD + b"Content-Length: 20, 20\r\n\r\n" + BODY, (400,)),
    ("a negative length", OK_HEAD + b"Content-Length: -20\r\n\r\n" + BODY, (400,)),
    ("a length with a sign", OK_HEAD + b"Content-Length: +20\r\n\r\n" + BODY, (400,)),
    ("a length in hexadecimal", OK_HEAD + b"Content-Length: 0x14\r\n\r\n" + BODY, (400,)),
    ("a length of 2^64", OK_HEAD + b"Content-Length: 18446744073709551616\r\n\r\n" + BODY,
     (400, 413)),
    ("a length and chunks",
     OK_HEAD + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + BODY + b"\r\n0\r\n\r\n",
     (400,)),
    ("chunked twice",
     OK_HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n14\r\n" + BODY + b"\r\n0\r\n\r\n",
     (400,)),
    ("an unknown transfer coding",
     OK_HEAD + b"Transfer-Encoding: xchunked\r\n\r\n14\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    ("gzip and chunked",
     OK_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n14\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    ("chunks in HTTP/1.0",
     OK_HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + BODY +
     b"\r\n0\r\n\r\n", (400,)),
    ("a chunk size that is no number",
     OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    ("a chunk longer than its size",
     OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    ("a chunk size of 2^64",
     OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + BODY + b"\r\n0\r\n\r\n",
     (400, 413)),
    ("LF alone after a chunk size",
     OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n14\n" + BODY + b"\r\n0\r\n\r\n", (400,)),
    ("no colon in a header", OK_HEAD + b"NoColon\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("an empty header name", OK_HEAD + b": x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("a blank in a header name", OK_HEAD + b"A B: x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("two Hosts", OK_HEAD + b"Host: y\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("no Host", OK_HEAD.replace(b"Host: x\r\n", b"") + LENGTH + b"\r\n" + BODY, (400,)),
    ("a malformed Host", OK_HEAD.replace(b"Host: x", b"Host: x y") + LENGTH + b"\r\n" + BODY,
     (400,)),
    ("HTTP/1.2", OK_HEAD.replace(b"1.1", b"1.2") + LENGTH + b"\r\n" + BODY, (505, 400)),
    ("HTTP/2.0", OK_HEAD.replace(b"1.1", b"2.0") + LENGTH + b"\r\n" + BODY, (505, 400)),
    ("HTTP/0.9", b"GET /kvs/bad-input\r\n\r\n", (400, 505)),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505, 405)),
    ("a target that does not begin with a slash",
     b"PUT kvs/bad-input HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("two blanks in the request line",
     b"PUT  /kvs/bad-input HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400,)),
    ("a method that is none",
     b"PUTT /kvs/bad-input HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400, 405, 501)),
    ("a method in small letters",
     b"put /kvs/bad-input HTTP/1.1\r\nHost: x\r\n" + LENGTH + b"\r\n" + BODY, (400, 405, 501)),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, (400,)),
    ("text that is no HTTP", b"hello there, are you a database?\r\n\r\n", (400, 501, 505)),
    ("a RESP command", b"*1\r\n$4\r\nPING\r\n", (400,)),
    ("a body in an unknown encoding",
     OK_HEAD + b"Content-Encoding: gzip\r\n" + LENGTH + b"\r\n" + BODY, (415,)),
    ("JSON in Latin-1", OK_HEAD.replace(b"json", b"json; charset=latin1") + LENGTH + b"\r\n" + BODY,
     (415,)),
    ("a raw value without a length",
     b"PUT /kvs/bad-input HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n\r\n", (411,)),
    ("an expectation that cannot be met",
     OK_HEAD + b"Expect: a miracle\r\n" + LENGTH + b"\r\n" + BODY, (417,)),
]


def is_refusal(answer, statuses=(400,)):
    sentence = answer.field("error")
    return answer.status in statuses and isinstance(sentence, str) and len(sentence) > 5


def lives_on(connection, answer):
    """After a refusal: the connection works, or it says that it ends and does."""
    if answer.closes():
        return connection.read_until_closed() == b""
    try:
        return connection.request("GET", "/healthz").status == 200
    except Lost:
        return False


def one(at, data, statuses=(400,)):
    """None when all was right, else what was wrong."""
    connection = Connection(at, 5.0)
    try:
        answer = connection.exchange(data)
        if not is_refusal(answer, statuses):
            return answer
        return None if lives_on(connection, answer) else f"{answer} and then not usable"
    except Lost as lost:
        return f"no answer: {lost}"
    finally:
        connection.close()


def bodies(report, cluster, what, texts):
    wrong = []
    for index, body in enumerate(texts):
        for method in ("PUT",) if what == "JSON" else ("PUT", "GET", "DELETE"):
            data = compose(method, TARGET, body, JSON_HEAD)
            problem = one(cluster.at[index % 6], data)
            if problem is not None:
                wrong.append((method, body[:60], problem))
    report.check(not wrong, f"{len(texts)} bodies of malformed {what}: 400, a sentence, the "
                 "connection stays usable", wrong[:3])


def utf8(report, cluster):
    texts = [b'{"value":"' + piece + b'"}' for piece in BAD_UTF8]
    texts += [b'{"' + piece + b'":1,"value":1}' for piece in BAD_UTF8]
    texts += [b'{"value":1,"causal-metadata":"' + piece + b'"}' for piece in BAD_UTF8]
    bodies(report, cluster, "UTF-8", texts)


def paths(report, cluster):
    wrong = []
    for index, path in enumerate(BAD_PATHS):
        for method in ("PUT", "GET", "DELETE"):
            data = compose(method, path, {"value": 1} if method == "PUT" else None)
            problem = one(cluster.at[index % 6], data)
            if problem is not None:
                wrong.append((method, path[:30], problem))
    report.check(not wrong, f"{len(BAD_PATHS)} malformed keys and escapes: 400 and a sentence",
                 wrong[:3])


def http(report, cluster):
    for index, (what, data, statuses) in enumerate(BAD_HTTP):
        problem = one(cluster.at[index % 6], data, statuses)
        report.check(problem is None, f"{what}: {' or '.join(map(str, statuses))} and a sentence",
                     problem)


def cut_anywhere(report, cluster):
    """A request cut off at each of its bytes writes nothing; a request cut into single bytes is one
    request."""
    whole = compose("PUT", "/kvs/cut", {"value": "whole"})
    for length in range(len(whole)):
        connection = Connection(cluster.at[length % 6])
        connection.send(whole[:length])
        connection.close()
    answer = cluster.client.get(cluster.at[0], "/kvs/cut")
    report.equal(answer.status, 404, f"{len(whole)} requests, each cut off one byte later: none "
                 "of them wrote")
    connection = Connection(cluster.at[0])
    for at in range(len(whole)):
        connection.send(whole[at:at + 1])
    report.equal(connection.read_answer().status, 201, "a request in single bytes is a request")
    connection.close()


def smuggled(report, cluster):
    """What follows a refused head is never taken for a request of its own."""
    inner = compose("PUT", "/kvs/smuggled", {"value": 1})
    heads = [OK_HEAD + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
             % len(inner),
             OK_HEAD + b"Transfer-Encoding: chunked\r\nX: a\rContent-Length: 5\r\n\r\n0\r\n\r\n",
             OK_HEAD + b"Content-Length: 5\r\n Content-Length: 0\r\n\r\n",
             OK_HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n"]
    wrong = []
    for head in heads:
        connection = Connection(cluster.at[0])
        connection.send(head + inner)
        said = connection.read_until_closed()
        connection.close()
        if said.count(b"HTTP/1.1 ") != 1 or not said.startswith(b"HTTP/1.1 400 "):
            wrong.append((head, said[:300]))
    report.check(not wrong, "nothing is smuggled in behind a refused head", wrong)
    report.equal(cluster.client.get(cluster.at[0], "/kvs/smuggled").status, 404,
                 "and nothing of it was written")


def nothing_written(report, cluster):
    client = Client()
    found = [client.get(at, path).status for at in cluster.at
             for path in (TARGET, "/kvs/a", "/kvs/bad")]
    client.close()
    report.check(200 not in found, "nothing of all this was written", found)


def sizes_told(report, cluster):
    """A body that is refused for its JSON says where."""
    answer = cluster.client.request(cluster.at[0], "PUT", TARGET, b'{"value": 1,, }', JSON_HEAD)
    document = json.loads(answer.body)
    report.check("detail" in document and isinstance(document.get("offset"), int),
                 "malformed JSON is refused with what and where", answer)


def run(report, cluster):
    cluster.client.request(cluster.at[0], "DELETE", "/kvs/a", {"causal-metadata": None})
    bodies(report, cluster, "JSON", BAD_JSON)
    utf8(report, cluster)
    paths(report, cluster)
    http(report, cluster)
    cut_anywhere(report, cluster)
    smuggled(report, cluster)
    sizes_told(report, cluster)
    nothing_written(report, cluster)
