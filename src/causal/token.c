/* token - a context as text that clients carry, the causal-metadata.
 *
 * Does:   see token.h. Every request decodes one and every answer encodes one: the bytes are put
 *         together on the stack, and only the text goes through a buf.
 * Not:    -
 * Holds:  T1, T2.
 * Limits: LIMIT_TOKEN_TEXT_BYTES.
 * See:    token.h.
 */
#include "causal/token.h"

#include "causal/base64url.h"

#define FENCE_OFFSET 9U
#define MAC_BYTES 8U
#define VARINT_BYTES_MAX 10U

/* Format, lineage, fence, count (2), entries of an actor (5) and a seq (10) each, MAC. */
#define TOKEN_BYTES_MAX (FENCE_OFFSET + VARINT_BYTES_MAX + 2U + LIMIT_VV_ENTRIES * 15U + MAC_BYTES)

static_assert(LIMIT_VV_ENTRIES < 1U << 14, "the count fits two bytes");
static_assert(BASE64URL_CHARS(TOKEN_BYTES_MAX) <= LIMIT_TOKEN_TEXT_BYTES, "the greatest fits");

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* All but the MAC; returns one past the last byte. */
static uint8_t *body_write(uint8_t *at, const struct ctx *ctx)
{
    *at++ = TOKEN_FORMAT;
    at = le_store_u64(at, ctx->lineage);
    at = put_varint(at, ctx->fence);
    at = put_varint(at, ctx->seen.count);
    uint32_t last = 0;
    for (uint32_t i = 0; i < ctx->seen.count; i++) {
        struct dot entry = ctx->seen.entries[i];
        ASSERT(entry.actor > last);
        ASSERT(entry.seq > 0);
        at = put_varint(at, entry.actor - last);
        at = put_varint(at, entry.seq);
        last = entry.actor;
    }
    return at;
}

void token_encode(const struct ctx *ctx, const struct siphash_key *key, struct buf *out)
{
    ASSERT(ctx->seen.count <= LIMIT_VV_ENTRIES);
    ASSERT(ctx->lineage != 0 || (ctx->fence == 0 && ctx->seen.count == 0)); /* C2 */
    uint8_t bytes[TOKEN_BYTES_MAX];
    uint8_t *end = body_write(bytes, ctx);
    end = le_store_u64(end, siphash(key, slice_of(bytes, (size_t)(end - bytes))));
    size_t len = (size_t)(end - bytes);
    ASSERT(len <= sizeof(bytes));
    causal__base64url_encode(slice_of(bytes, len), buf_grow(out, BASE64URL_CHARS(len)));
}

/* One entry; false when it breaks V1 or V2. */
static bool entry_read(struct read *in, uint32_t last, struct dot *entry)
{
    uint64_t step = read_varint(in);
    uint64_t seq = read_varint(in);
    if (!read_ok(in) || step == 0 || step > UINT32_MAX - last || seq == 0)
        return false;
    *entry = (struct dot){last + (uint32_t)step, seq};
    return true;
}

/* The counterpart of body_write. False when it would not have written these bytes. */
static bool body_read(struct slice body, struct ctx *ctx)
{
    struct read in = read_of(body);
    read_u8(&in);
    ctx->lineage = read_u64(&in);
    ctx->fence = read_varint(&in);
    uint64_t count = read_varint(&in);
    if (!read_ok(&in) || count > LIMIT_VV_ENTRIES)
        return false;
    ctx->seen.count = (uint32_t)count;
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!entry_read(&in, last, &ctx->seen.entries[i]))
            return false;
        last = ctx->seen.entries[i].actor;
    }
    bool named = ctx->lineage != 0 || (ctx->fence == 0 && count == 0);
    return named && read_done(&in);
}

/* The bytes behind text, of any format version; false when there cannot be a token in them. */
static bool bytes_of_text(struct slice text, uint8_t bytes[BASE64URL_BYTES(LIMIT_TOKEN_TEXT_BYTES)],
                          size_t *len)
{
    if (text.len > LIMIT_TOKEN_TEXT_BYTES)
        return false;
    return causal__base64url_decode(text, bytes, len) && *len > FENCE_OFFSET + MAC_BYTES;
}

/* One comparison of two whole numbers: no byte is looked at before another. */
static bool mac_is_right(struct slice bytes, const struct siphash_key *key)
{
    ASSERT(bytes.len >= MAC_BYTES);
    struct slice body = slice_of(bytes.ptr, bytes.len - MAC_BYTES);
    struct read in = read_of(slice_of(bytes.ptr + body.len, MAC_BYTES));
    return (siphash(key, body) ^ read_u64(&in)) == 0;
}

enum token_result token_decode(struct slice text, const struct siphash_key *key, struct ctx *ctx)
{
    uint8_t bytes[BASE64URL_BYTES(LIMIT_TOKEN_TEXT_BYTES)];
    size_t len = 0;
    if (!bytes_of_text(text, bytes, &len) || !mac_is_right(slice_of(bytes, len), key))
        return TOKEN_BAD;
    if (bytes[0] != TOKEN_FORMAT)
        return TOKEN_VERSION;
    struct ctx read;
    if (!body_read(slice_of(bytes, len - MAC_BYTES), &read))
        return TOKEN_BAD;
    ctx_copy(ctx, &read);
    return TOKEN_OK;
}

bool token_peek_lineage(struct slice text, uint64_t *lineage)
{
    uint8_t bytes[BASE64URL_BYTES(LIMIT_TOKEN_TEXT_BYTES)];
    size_t len = 0;
    struct ctx read;
    if (!bytes_of_text(text, bytes, &len) || bytes[0] != TOKEN_FORMAT)
        return false;
    if (!body_read(slice_of(bytes, len - MAC_BYTES), &read))
        return false;
    *lineage = read.lineage;
    return true;
}
