/* fuzz_token - tokens made by strangers, and by somebody who knows the key.
 *
 * Does:   input that starts with 'T' is the text of a token as it is; with 'B', the bytes before
 *         the MAC, which get the right MAC, so that the fuzzer reaches what lies behind it. What
 *         decodes must be a sound context with exactly this text.
 * Not:    forging: nobody expects a fuzzer to find a MAC.
 * Holds:  T1, T2, U1.
 * Limits: -
 * See:    causal/token.h.
 */
#include "causal/base64url.h"
#include "causal/causal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct siphash_key key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static void text_try(struct slice text)
{
    struct ctx ctx;
    uint64_t lineage = 0;
    bool is_shaped = token_peek_lineage(text, &lineage);
    if (token_decode(text, &key, &ctx) != TOKEN_OK)
        return;
    struct buf again = BUF_EMPTY;
    ctx_check(&ctx);
    ASSERT(is_shaped);
    ASSERT(lineage == ctx.lineage);
    token_encode(&ctx, &key, &again);
    ASSERT(slice_equal(buf_slice(&again), text));
    buf_fini(&again);
}

static void body_try(struct slice body)
{
    struct buf bytes = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    size_t len = 0;
    buf_append_slice(&bytes, body);
    buf_u64(&bytes, siphash(&key, body));
    uint8_t *at = buf_grow(&text, BASE64URL_CHARS(bytes.len));
    causal__base64url_encode(buf_slice(&bytes), at);
    text_try(buf_slice(&text));
    buf_reset(&bytes);
    at = buf_grow(&bytes, BASE64URL_BYTES(text.len));
    ASSERT(causal__base64url_decode(buf_slice(&text), at, &len));
    ASSERT(slice_equal(slice_of(at, len - 8), body));
    buf_fini(&bytes);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    if (data[0] == 'T')
        text_try(rest);
    if (data[0] == 'B')
        body_try(rest);
    return 0;
}
