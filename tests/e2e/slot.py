"""slot - which shard a key lives in: Redis Cluster's CRC16, blocks of slots in shard order."""
import binascii

SLOTS = 16384


def slot_of(key):
    data = key.encode() if isinstance(key, str) else key
    start = data.find(b"{")
    end = data.find(b"}", start + 1) if start >= 0 else -1
    if end > start + 1:
        data = data[start + 1:end]
    return binascii.crc_hqx(data, 0) % SLOTS


def shard_of(key, shards=2):
    """The number of the shard right after the first start."""
    return slot_of(key) * shards // SLOTS


def key_in(shard, stem, shards=2):
    """A key of that shard: the stem and a number."""
    number = 0
    while shard_of(f"{stem}{number}", shards) != shard:
        number += 1
    return f"{stem}{number}"
