/* buf - bytes that grow.
 *
 * Does:   see buf.h.
 * Not:    -
 * Holds:  B1, B2.
 * Limits: -
 * See:    buf.h.
 */
#include "base/buf.h"

#include "base/assert.h"
#include "base/le.h"
#include "base/mem.h"

void buf_fini(struct buf *buf)
{
    mem_free(buf->ptr);
    *buf = BUF_EMPTY;
}

uint8_t *buf_reserve(struct buf *buf, size_t more)
{
    ASSERT(buf->len <= buf->cap);
    ASSERT(more <= PTRDIFF_MAX - buf->len);
    size_t need = buf->len + more;
    if (need > buf->cap || buf->ptr == NULL) {
        size_t cap = buf->cap + buf->cap / 2;
        if (cap < need)
            cap = need;
        if (cap < 64)
            cap = 64;
        buf->ptr = mem_realloc(buf->ptr, cap);
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

uint8_t *buf_grow(struct buf *buf, size_t count)
{
    uint8_t *at = buf_reserve(buf, count);
    buf->len += count;
    return at;
}

void buf_append(struct buf *buf, const void *src, size_t len)
{
    if (len > 0)
        memcpy(buf_grow(buf, len), src, len);
}

void buf_append_slice(struct buf *buf, struct slice bytes)
{
    buf_append(buf, bytes.ptr, bytes.len);
}

void buf_u8(struct buf *buf, uint8_t value)
{
    *buf_grow(buf, 1) = value;
}

void buf_u16(struct buf *buf, uint16_t value)
{
    le_store_u16(buf_grow(buf, sizeof(value)), value);
}

void buf_u32(struct buf *buf, uint32_t value)
{
    le_store_u32(buf_grow(buf, sizeof(value)), value);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    le_store_u64(buf_grow(buf, sizeof(value)), value);
}

void buf_varint(struct buf *buf, uint64_t value)
{
    while (value >= 0x80) {
        buf_u8(buf, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_u8(buf, (uint8_t)value);
}

void buf_decimal(struct buf *buf, uint64_t value)
{
    uint8_t digits[20];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    uint8_t *at = buf_grow(buf, count);
    for (size_t i = 0; i < count; i++)
        at[i] = digits[count - 1 - i];
}

void buf_consume(struct buf *buf, size_t count)
{
    ASSERT(count <= buf->len);
    if (count > 0 && count < buf->len)
        memmove(buf->ptr, buf->ptr + count, buf->len - count);
    buf->len -= count;
}

struct buf buf_take(struct buf *buf)
{
    struct buf taken = *buf;
    *buf = BUF_EMPTY;
    return taken;
}
