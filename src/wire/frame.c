/* frame - what travels between nodes.
 *
 * Does:   see frame.h.
 * Not:    -
 * Holds:  F1.
 * Limits: -
 * See:    frame.h.
 */
#include "wire/frame.h"

/* The sum stands behind what it seals. */
#define FRAME_SUM_AT 24U

/* Requests start with an upper case letter (RFC 9110 section 9.1: methods are tokens), and no
 * token has a byte above 127. */
static_assert(FRAME_MAGIC > 127U, "F1");

static uint64_t frame_sum(const uint8_t *head, struct slice body)
{
    return hash_seeded(body, hash_bytes(slice_of(head, FRAME_SUM_AT)));
}

/* What is wrong with the bytes of a head that are there; NULL when nothing is. */
static const char *frame_refusal(struct slice bytes)
{
    if (bytes.len > 0 && bytes.ptr[0] != FRAME_MAGIC)
        return "not a frame of a Thence node";
    if (bytes.len > 1 && bytes.ptr[1] != FRAME_FORMAT)
        return "frame of another format version";
    if (bytes.len > 3 && bytes.ptr[3] != 0)
        return "frame head with a reserved byte set";
    return NULL;
}

enum frame_scan frame_split(struct slice bytes, size_t limit, size_t *size, const char **why)
{
    *size = FRAME_HEAD_BYTES;
    *why = frame_refusal(bytes);
    if (*why != NULL)
        return FRAME_BAD;
    if (bytes.len < 8)
        return FRAME_SHORT;
    size_t whole = FRAME_HEAD_BYTES + (size_t)le_load_u32(bytes.ptr + 4);
    if (whole > limit || whole > LIMIT_FRAME_BYTES) {
        *why = "frame larger than its limit";
        return FRAME_BAD;
    }
    *size = whole;
    return bytes.len < whole ? FRAME_SHORT : FRAME_OK;
}

bool frame_decode(struct slice bytes, struct frame *frame)
{
    if (bytes.len < FRAME_HEAD_BYTES || frame_refusal(bytes) != NULL)
        return false;
    const uint8_t *head = bytes.ptr;
    struct slice body = slice_of(head + FRAME_HEAD_BYTES, bytes.len - FRAME_HEAD_BYTES);
    if (bytes.len > LIMIT_FRAME_BYTES || le_load_u32(head + 4) != body.len)
        return false;
    if (le_load_u64(head + FRAME_SUM_AT) != frame_sum(head, body))
        return false;
    *frame = (struct frame){head[2], le_load_u64(head + 8), le_load_u64(head + 16), body};
    return true;
}

size_t frame_begin(struct buf *out)
{
    size_t begin = out->len;
    buf_grow(out, FRAME_HEAD_BYTES);
    return begin;
}

void frame_end(size_t begin, uint8_t type, uint64_t lineage, uint64_t epoch, struct buf *out)
{
    ASSERT(begin <= out->len);
    ASSERT(out->len - begin >= FRAME_HEAD_BYTES);
    ASSERT(out->len - begin <= LIMIT_FRAME_BYTES);
    uint8_t *head = out->ptr + begin;
    struct slice body = slice_of(head + FRAME_HEAD_BYTES, out->len - begin - FRAME_HEAD_BYTES);
    uint8_t *at = le_store_u8(head, FRAME_MAGIC);
    at = le_store_u8(at, FRAME_FORMAT);
    at = le_store_u8(at, type);
    at = le_store_u8(at, 0);
    at = le_store_u32(at, (uint32_t)body.len);
    at = le_store_u64(at, lineage);
    at = le_store_u64(at, epoch);
    le_store_u64(at, frame_sum(head, body));
}
