/* record - the frame around everything that is logged, and around versions between peers.
 *
 * Does:   see record.h.
 * Not:    -
 * Holds:  as record.h.
 * Limits: -
 * See:    record.h.
 */
#include "wire/record.h"

/* Bytes 0 to 7 are needed to believe the length. */
#define HEAD_CHECKED_BYTES 8U

static uint16_t head_check(const uint8_t *head)
{
    uint64_t number = le_load_u32(head) | (uint64_t)le_load_u16(head + 4) << 32;
    return (uint16_t)(number % RECORD_HEAD_PRIME);
}

static void head_store(uint8_t *head, enum record_kind kind, size_t body_len, uint64_t sum)
{
    ASSERT(body_len <= LIMIT_FRAME_BYTES);
    ASSERT(kind > 0 && (unsigned)kind <= UINT8_MAX);
    le_store_u32(head, (uint32_t)body_len);
    le_store_u8(head + 4, (uint8_t)kind);
    le_store_u8(head + 5, RECORD_FORMAT);
    le_store_u16(head + 6, head_check(head));
    le_store_u64(head + 8, sum);
}

void record_encode(enum record_kind kind, struct slice body, struct buf *out)
{
    record_encode_summed(kind, body, hash_bytes(body), out);
}

void record_encode_summed(enum record_kind kind, struct slice body, uint64_t sum, struct buf *out)
{
    ASSERT(body.len <= LIMIT_FRAME_BYTES);
    size_t size = record_size(body.len);
    uint8_t *head = buf_grow(out, size);
    head_store(head, kind, body.len, sum);
    uint8_t *pad = le_store_slice(head + RECORD_HEAD_BYTES, body);
    memset(pad, 0, size - RECORD_HEAD_BYTES - body.len);
}

size_t record_begin(struct buf *out)
{
    size_t begin = out->len;
    buf_grow(out, RECORD_HEAD_BYTES);
    return begin;
}

void record_end(enum record_kind kind, size_t begin, struct buf *out)
{
    ASSERT(begin <= out->len);
    ASSERT(out->len - begin >= RECORD_HEAD_BYTES);
    size_t body_len = out->len - begin - RECORD_HEAD_BYTES;
    size_t pad = record_size(body_len) - RECORD_HEAD_BYTES - body_len;
    memset(buf_grow(out, pad), 0, pad);
    uint8_t *head = out->ptr + begin;
    head_store(head, kind, body_len, hash_bytes(slice_of(head + RECORD_HEAD_BYTES, body_len)));
}

/* The first 8 bytes are there: do they make sense? */
static bool head_is_right(const uint8_t *head)
{
    return le_load_u16(head + 6) == head_check(head) && head[5] == RECORD_FORMAT && head[4] != 0 &&
           le_load_u32(head) <= LIMIT_FRAME_BYTES;
}

static bool is_zero(const uint8_t *at, const uint8_t *end)
{
    uint8_t all = 0;
    for (; at < end; at++)
        all |= *at;
    return all == 0;
}

enum record_scan record_decode(struct slice bytes, struct record *record)
{
    if (bytes.len < HEAD_CHECKED_BYTES)
        return RECORD_INCOMPLETE;
    const uint8_t *head = bytes.ptr;
    if (!head_is_right(head))
        return RECORD_DAMAGED;
    size_t body_len = le_load_u32(head);
    size_t size = record_size(body_len);
    if (bytes.len < size)
        return RECORD_INCOMPLETE;
    struct slice body = slice_of(head + RECORD_HEAD_BYTES, body_len);
    uint64_t sum = le_load_u64(head + 8);
    if (!is_zero(body.ptr + body_len, head + size) || hash_bytes(body) != sum)
        return RECORD_DAMAGED;
    *record = (struct record){(enum record_kind)head[4], sum, body, slice_of(head, size)};
    return RECORD_OK;
}
