/* buf - bytes that grow.
 *
 * Does:   owns a growing byte string; appends; little-endian integers for wire and log.
 * Not:    limits: who fills a buf from outside checks its own limit first.
 * Holds:  B1 len <= cap; B2 ptr is NULL exactly when cap is 0.
 * Limits: memory.
 * See:    slice.h; read.h for the way back.
 */
#pragma once

#include "base/slice.h"

struct buf {
    uint8_t *ptr; /* owned; NULL while cap is 0 */
    size_t len;   /* bytes in use */
    size_t cap;   /* bytes allocated */
};

#define BUF_EMPTY ((struct buf){NULL, 0, 0})

void buf_fini(struct buf *buf);

/* Makes room for more bytes beyond len; returns where they go. len does not change. */
uint8_t *buf_reserve(struct buf *buf, size_t more);

/* Adds count bytes (not initialised) and returns where they are. */
uint8_t *buf_grow(struct buf *buf, size_t count);

void buf_append(struct buf *buf, const void *src, size_t len);
void buf_append_slice(struct buf *buf, struct slice bytes);
void buf_u8(struct buf *buf, uint8_t value);
void buf_u16(struct buf *buf, uint16_t value);
void buf_u32(struct buf *buf, uint32_t value);
void buf_u64(struct buf *buf, uint64_t value);

/* LEB128: seven bits a byte, lowest first; at most 10 bytes. */
void buf_varint(struct buf *buf, uint64_t value);

/* Text in decimal. */
void buf_decimal(struct buf *buf, uint64_t value);

/* Forgets the content, keeps the memory. */
static inline void buf_reset(struct buf *buf)
{
    buf->len = 0;
}

static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->ptr, buf->len);
}

/* Drops the first count bytes, moves the rest to the front. */
void buf_consume(struct buf *buf, size_t count);

/* Gives the bytes away (the caller frees them with mem_free) and leaves the buf empty. */
struct buf buf_take(struct buf *buf);
