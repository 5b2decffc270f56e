"""metadata - what is in a token, read by somebody who shares no code with the server.

Layout as src/causal/token.h says: format, lineage, fence, count, entries, 8 bytes of MAC; all of
it in base64url without padding.
"""
import base64


class Metadata:
    def __init__(self, format_version, lineage, fence, entries):
        self.format_version = format_version
        self.lineage = lineage
        self.fence = fence
        self.entries = entries      # actor -> seq


def to_bytes(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def to_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def decode(token):
    """Raises ValueError or IndexError on what is no token."""
    data = to_bytes(token)
    if len(data) < 19:
        raise ValueError("too short")
    fence, at = varint(data, 9)
    count, at = varint(data, at)
    entries, actor = {}, 0
    for _ in range(count):
        step, at = varint(data, at)
        seq, at = varint(data, at)
        actor += step
        entries[actor] = seq
    if at + 8 != len(data):
        raise ValueError("the length does not fit")
    return Metadata(data[0], int.from_bytes(data[1:9], "little"), fence, entries)


def is_at_rest(token):
    return not decode(token).entries


def altered(token):
    """The token with each of its bytes changed in turn, once a little and once entirely."""
    data = to_bytes(token)
    for at in range(len(data)):
        for flip in (0x01, 0xFF):
            yield at, to_text(data[:at] + bytes([data[at] ^ flip]) + data[at + 1:])
