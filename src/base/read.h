/* read - taking bytes apart without trusting them.
 *
 * Does:   a cursor over borrowed bytes; every take checks the length; once something did not
 *         fit, the cursor is bad, all later takes give zeroes, and the caller asks once at
 *         the end (read_ok).
 * Not:    assertions on the input: it comes from peers, clients and disks.
 * Holds:  R1 at <= end; R2 a bad cursor stays bad.
 * Limits: -
 * See:    buf.h for the way there.
 */
#pragma once

#include "base/le.h"

struct read {
    const uint8_t *at;  /* the next byte */
    const uint8_t *end; /* one past the last */
    bool bad;           /* something did not fit */
};

static inline struct read read_of(struct slice bytes)
{
    static const uint8_t nothing[1] = {0};
    const uint8_t *ptr = bytes.len > 0 ? bytes.ptr : nothing;
    return (struct read){ptr, ptr + bytes.len, false};
}

static inline size_t read_left(const struct read *read)
{
    return (size_t)(read->end - read->at);
}

/* True when all that was asked for was there. */
static inline bool read_ok(const struct read *read)
{
    return !read->bad;
}

/* True when all was there and nothing is left over. */
static inline bool read_done(const struct read *read)
{
    return !read->bad && read->at == read->end;
}

static inline struct slice read_bytes(struct read *read, size_t len)
{
    if (read->bad || len > read_left(read)) {
        read->bad = true;
        return SLICE_EMPTY;
    }
    struct slice bytes = slice_of(read->at, len);
    read->at += len;
    return bytes;
}

static inline uint8_t read_u8(struct read *read)
{
    struct slice bytes = read_bytes(read, 1);
    return bytes.len > 0 ? bytes.ptr[0] : 0;
}

static inline uint16_t read_u16(struct read *read)
{
    struct slice bytes = read_bytes(read, sizeof(uint16_t));
    return bytes.len > 0 ? le_load_u16(bytes.ptr) : 0;
}

static inline uint32_t read_u32(struct read *read)
{
    struct slice bytes = read_bytes(read, sizeof(uint32_t));
    return bytes.len > 0 ? le_load_u32(bytes.ptr) : 0;
}

static inline uint64_t read_u64(struct read *read)
{
    struct slice bytes = read_bytes(read, sizeof(uint64_t));
    return bytes.len > 0 ? le_load_u64(bytes.ptr) : 0;
}

/* The counterpart of buf_varint; refuses more than 64 bits and forms longer than needed, so
 * that one value has one encoding. */
static inline uint64_t read_varint(struct read *read)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_u8(read);
        uint64_t bits = byte & 0x7fU;
        if ((shift == 63 && bits > 1) || (shift > 0 && byte == 0))
            read->bad = true;
        if (read->bad)
            return 0;
        value |= bits << shift;
        if ((byte & 0x80U) == 0)
            return value;
    }
    read->bad = true;
    return 0;
}
