"""liar - a proxy in front of one node that breaks promises, to see whether the judge notices.

    old    now and then a read is answered with an older answer for that key
    drop   now and then a write is acknowledged and not carried out
"""
import random
import socketserver
import threading

from connection import Connection

SHARE = {"old": 0.1, "drop": 0.5}   # of the requests that can be lied about


class Handler(socketserver.BaseRequestHandler):
    def read_request(self, rest):
        """(method, path, the bytes, what came after), or None at the end."""
        while b"\r\n\r\n" not in rest:
            more = self.request.recv(65536)
            if not more:
                return None
            rest += more
        head, body = rest.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self.request.recv(65536)
        method, path, _ = head.split(b"\r\n")[0].split(b" ")
        return method, path, head + b"\r\n\r\n" + body[:length], body[length:]

    def reply(self, answer):
        head = f"HTTP/1.1 {answer.status} x\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        self.request.sendall(head.encode() + answer.body)

    def handle(self):
        target = Connection(self.server.target)
        rest = b""
        while True:
            got = self.read_request(rest)
            if got is None:
                break
            method, path, data, rest = got
            self.reply(self.server.answer(target, method, path, data))
        target.close()

    def finish(self):
        self.request.close()


class Liar(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, target, kind, seed):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.kind = target, kind
        self.rng = random.Random(seed)
        self.lock = threading.Lock()
        self.known = {}     # path -> answers to GETs, oldest first
        self.lies = 0
        self.at = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass    # clients come and go

    def lie(self, method, path):
        """The answer that is a lie, or None to be honest."""
        with self.lock:
            known = self.known.get(path, [])
            old = self.kind == "old" and method == b"GET" and len(known) > 2
            drop = self.kind == "drop" and method == b"PUT" and known
            if not (old or drop) or self.rng.random() > SHARE[self.kind]:
                return None
            self.lies += 1
            return known[0] if old else known[-1]

    def answer(self, target, method, path, data):
        lie = self.lie(method, path)
        if lie is not None:
            return lie
        answer = target.exchange(data)
        if method == b"GET" and answer.status == 200:
            with self.lock:
                self.known.setdefault(path, []).append(answer)
        return answer
