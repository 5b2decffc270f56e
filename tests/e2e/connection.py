"""connection - HTTP/1.1 over one socket, so plain that a test sees every byte.

A request either was surely not carried out (Unreachable: no byte of it left), or nobody knows
(Lost: it was sent and no answer came).
"""
import json
import select
import socket

READ_BYTES = 65536


class Unreachable(Exception):
    """Nothing was sent."""


class Lost(Exception):
    """Something was sent, and no whole answer came back."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers      # lower-case name -> value
        self.body = body

    def json(self):
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def field(self, name):
        document = self.json()
        return document.get(name) if isinstance(document, dict) else None

    def token(self):
        """The context that came back: in the body, else in the header."""
        return self.field("causal-metadata") or self.headers.get("causal-context")

    def closes(self):
        return self.headers.get("connection", "").lower() == "close"

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


def split_address(address):
    """host:port or [v6]:port."""
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Connection:
    def __init__(self, address, timeout_s=10.0):
        self.timeout_s = timeout_s
        self.rest = b""
        self.answered = 0
        try:
            self.socket = socket.create_connection(split_address(address), timeout_s)
        except OSError as error:
            raise Unreachable(f"{address}: {error}") from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def is_stale(self):
        """The other side has hung up (or said something nobody asked for)."""
        try:
            return bool(self.rest) or bool(select.select([self.socket], [], [], 0)[0])
        except (OSError, ValueError):
            return True

    def send(self, data):
        self.socket.sendall(data)

    def read_more(self):
        try:
            data = self.socket.recv(READ_BYTES)
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost("the connection was closed")
        self.rest += data

    def read_until_closed(self):
        """All that still comes; for answers that end with the connection."""
        try:
            while True:
                self.read_more()
        except Lost:
            data, self.rest = self.rest, b""
            return data

    def read_answer(self, head_only=False):
        while b"\r\n\r\n" not in self.rest:
            self.read_more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        if status == 100:
            return Answer(status, headers, b"")
        length = 0 if head_only else int(headers.get("content-length", "0"))
        while len(self.rest) < length:
            self.read_more()
        body, self.rest = self.rest[:length], self.rest[length:]
        self.answered += 1
        return Answer(status, headers, body)

    def exchange(self, data, head_only=False):
        """Sends bytes as they are, reads one answer."""
        try:
            self.send(data)
        except OSError as error:
            # A server that refuses early may have answered and closed already.
            try:
                return self.read_answer(head_only)
            except Lost:
                raise Lost(str(error)) from error
        return self.read_answer(head_only)

    def request(self, method, path, body=None, headers=None):
        return self.exchange(compose(method, path, body, headers), method == "HEAD")


def compose(method, path, body=None, headers=None):
    """One request as bytes. A body that is not bytes is sent as JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: thence"]
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        if not headers or "Content-Type" not in headers:
            lines.append("Content-Type: application/json")
    for name, value in (headers or {}).items():
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
