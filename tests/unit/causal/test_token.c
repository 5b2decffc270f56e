/* test_token - tokens against a second encoder, and against everything that is not one.
 *
 * Does:   round trips; the text equals that of a naive encoder made after the table in token.h;
 *         every byte altered to every other value, every cut, other keys and versions are
 *         refused; contents that no encoder writes are refused even under the right MAC; the
 *         longest context fits.
 * Not:    -
 * Holds:  T1, T2.
 * Limits: -
 * See:    causal/token.h.
 */
#include "unit.h"

#include "causal/causal.h"

static const struct siphash_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

/* --- a second encoder, bit by bit --- */

static void naive_base64url(struct slice bytes, struct buf *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t bit = 0; bit < bytes.len * 8; bit += 6) {
        uint32_t value = 0;
        for (size_t i = bit; i < bit + 6; i++)
            value = value * 2 + (i < bytes.len * 8 ? bytes.ptr[i / 8] >> (7 - i % 8) & 1U : 0);
        buf_u8(out, (uint8_t)alphabet[value]);
    }
}

/* What stands before the MAC becomes text with the right one. */
static void seal(const struct buf *body, struct buf *text)
{
    struct buf all = BUF_EMPTY;
    buf_append_slice(&all, buf_slice(body));
    buf_u64(&all, siphash(&key, buf_slice(body)));
    naive_base64url(buf_slice(&all), text);
    buf_fini(&all);
}

static void naive_body(const struct ctx *ctx, struct buf *body)
{
    uint32_t last = 0;
    buf_u8(body, 1);
    buf_u64(body, ctx->lineage);
    buf_varint(body, ctx->fence);
    buf_varint(body, ctx->seen.count);
    for (uint32_t i = 0; i < ctx->seen.count; i++) {
        buf_varint(body, ctx->seen.entries[i].actor - last);
        buf_varint(body, ctx->seen.entries[i].seq);
        last = ctx->seen.entries[i].actor;
    }
}

/* --- contexts --- */

static uint64_t random_size(struct rng *rng)
{
    return rng_u64(rng) >> rng_below(rng, 64);
}

static void random_ctx(struct rng *rng, uint32_t entries, struct ctx *ctx)
{
    ctx_init(ctx);
    ctx->lineage = rng_u64(rng) | 1;
    ctx->fence = random_size(rng);
    for (uint32_t i = 0; i < entries; i++) {
        uint32_t actor = (uint32_t)random_size(rng);
        assert_true(vv_set(&ctx->seen, actor > 0 ? actor : 1, random_size(rng) | 1));
    }
}

/* The one whose text is longest: the steps between actors cannot all be great, their sum is at
 * most UINT32_MAX. */
static void longest_ctx(struct ctx *ctx)
{
    ctx_init(ctx);
    ctx->lineage = UINT64_MAX;
    ctx->fence = UINT64_MAX;
    for (uint32_t i = 1; i <= LIMIT_VV_ENTRIES; i++)
        assert_true(vv_set(&ctx->seen, UINT32_MAX / LIMIT_VV_ENTRIES * i, UINT64_MAX));
}

static bool same(const struct ctx *a, const struct ctx *b)
{
    return a->lineage == b->lineage && a->fence == b->fence &&
           vv_compare(&a->seen, &b->seen) == VV_EQUAL;
}

/* A context that is recognised when something has changed it. */
static void marked_ctx(struct ctx *ctx)
{
    ctx_init(ctx);
    ctx->lineage = 4711;
    ctx->fence = 11;
    assert_true(vv_set(&ctx->seen, 3, 33));
}

/* Decodes text and demands that nothing changes unless it is good. */
static enum token_result decode(struct slice text, struct ctx *ctx)
{
    struct ctx before;
    marked_ctx(ctx);
    ctx_copy(&before, ctx);
    enum token_result result = token_decode(text, &key, ctx);
    if (result == TOKEN_OK)
        ctx_check(ctx);
    else
        assert_true(same(ctx, &before));
    return result;
}

static void assert_refused(struct slice text)
{
    struct ctx ctx;
    assert_int_equal(decode(text, &ctx), TOKEN_BAD);
}

static void assert_comes_back(const struct ctx *ctx)
{
    struct buf text = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    struct buf naive = BUF_EMPTY;
    struct ctx back;
    uint64_t lineage = 0;
    token_encode(ctx, &key, &text);
    naive_body(ctx, &body);
    seal(&body, &naive);
    assert_true(slice_equal(buf_slice(&text), buf_slice(&naive)));
    assert_true(text.len <= LIMIT_TOKEN_TEXT_BYTES);
    assert_int_equal(decode(buf_slice(&text), &back), TOKEN_OK);
    assert_true(same(ctx, &back));
    assert_true(token_peek_lineage(buf_slice(&text), &lineage));
    assert_int_equal(lineage, ctx->lineage);
    buf_fini(&text);
    buf_fini(&body);
    buf_fini(&naive);
}

/* --- tests --- */

static void contexts_come_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct ctx ctx;
    ctx_init(&ctx);
    assert_comes_back(&ctx);
    for (uint32_t round = 0; round < 5000; round++) {
        uint32_t most = rng_chance(&rng, 1, 10) ? LIMIT_VV_ENTRIES : 6;
        random_ctx(&rng, (uint32_t)rng_between(&rng, 0, most), &ctx);
        assert_comes_back(&ctx);
    }
    longest_ctx(&ctx);
    assert_comes_back(&ctx);
}

static void text_is_appended(void **state)
{
    (void)state;
    struct ctx ctx;
    marked_ctx(&ctx);
    struct buf out = BUF_EMPTY;
    buf_append_slice(&out, SLICE_LIT("before "));
    token_encode(&ctx, &key, &out);
    assert_memory_equal(out.ptr, "before ", 7);
    assert_int_equal(decode(slice_of(out.ptr + 7, out.len - 7), &ctx), TOKEN_OK);
    buf_fini(&out);
}

static void every_altered_byte_is_refused(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t entries = 0; entries < 12; entries += 3) {
        struct ctx ctx;
        struct buf text = BUF_EMPTY;
        random_ctx(&rng, entries, &ctx);
        token_encode(&ctx, &key, &text);
        for (size_t at = 0; at < text.len; at++) {
            uint8_t right = text.ptr[at];
            for (uint32_t c = 0; c < 256; c++) {
                text.ptr[at] = (uint8_t)c;
                if (c != right)
                    assert_refused(buf_slice(&text));
            }
            text.ptr[at] = right;
        }
        assert_int_equal(decode(buf_slice(&text), &ctx), TOKEN_OK);
        buf_fini(&text);
    }
}

static void several_altered_bytes_are_refused(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct ctx ctx;
    for (uint32_t round = 0; round < 20000; round++) {
        struct buf text = BUF_EMPTY;
        random_ctx(&rng, (uint32_t)rng_below(&rng, 5), &ctx);
        token_encode(&ctx, &key, &text);
        size_t a = rng_below(&rng, text.len);
        size_t b = rng_below(&rng, text.len);
        uint8_t kept = text.ptr[a];
        text.ptr[a] = text.ptr[b];
        text.ptr[b] = kept;
        if (text.ptr[a] != text.ptr[b])
            assert_refused(buf_slice(&text));
        buf_fini(&text);
    }
}

static void every_cut_and_every_addition_is_refused(void **state)
{
    (void)state;
    struct ctx ctx;
    struct buf text = BUF_EMPTY;
    longest_ctx(&ctx);
    token_encode(&ctx, &key, &text);
    for (size_t len = 0; len < text.len; len++) {
        assert_refused(slice_of(text.ptr, len));
        assert_refused(slice_of(text.ptr + len + 1, text.len - len - 1));
    }
    for (uint32_t more = 0; more < 1000; more++) {
        buf_u8(&text, more % 2 == 0 ? 'A' : '=');
        assert_refused(buf_slice(&text));
    }
    buf_fini(&text);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    struct ctx ctx;
    struct ctx back;
    struct buf text = BUF_EMPTY;
    uint64_t lineage = 0;
    marked_ctx(&ctx);
    ctx_init(&back);
    token_encode(&ctx, &key, &text);
    for (size_t bit = 0; bit < 128; bit++) {
        struct siphash_key other = key;
        other.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(token_decode(buf_slice(&text), &other, &back), TOKEN_BAD);
    }
    assert_true(token_peek_lineage(buf_slice(&text), &lineage));
    assert_int_equal(lineage, 4711);
    buf_fini(&text);
}

static void other_versions_are_told_apart_from_garbage(void **state)
{
    (void)state;
    struct ctx ctx;
    struct buf body = BUF_EMPTY;
    marked_ctx(&ctx);
    naive_body(&ctx, &body);
    for (uint32_t version = 0; version < 256; version++) {
        struct buf text = BUF_EMPTY;
        uint64_t lineage = 0;
        body.ptr[0] = (uint8_t)version;
        seal(&body, &text);
        enum token_result expected = version == TOKEN_FORMAT ? TOKEN_OK : TOKEN_VERSION;
        assert_int_equal(decode(buf_slice(&text), &ctx), expected);
        assert_int_equal(token_peek_lineage(buf_slice(&text), &lineage), version == TOKEN_FORMAT);
        text.ptr[text.len - 1] ^= 1; /* of a wrong MAC nobody says which version it is */
        assert_refused(buf_slice(&text));
        buf_fini(&text);
    }
    buf_fini(&body);
}

/* Bodies that no context has, under the right MAC, as LEB128 bytes after format and lineage. */
static void contents_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *why;
        uint64_t lineage;
        struct slice rest;
        bool good;
    } rows[] = {
        {"good: fence 5, entries (1, 1) and (3, 9)", 7, SLICE_LIT("\5\2\1\1\2\x9"), true},
        {"good: nothing at all", 0, SLICE_LIT("\0\0"), true},
        {"a fence without a lineage", 0, SLICE_LIT("\1\0"), false},
        {"entries without a lineage", 0, SLICE_LIT("\0\1\1\1"), false},
        {"actor 0", 7, SLICE_LIT("\5\1\0\1"), false},
        {"the same actor twice", 7, SLICE_LIT("\5\2\1\1\0\x9"), false},
        {"seq 0", 7, SLICE_LIT("\5\1\1\0"), false},
        {"fewer entries than said", 7, SLICE_LIT("\5\3\1\1\2\x9"), false},
        {"more bytes than entries", 7, SLICE_LIT("\5\1\1\1\2\x9"), false},
        {"count beyond the limit", 7, SLICE_LIT("\5\xa1\1\1\1"), false},
        {"a fence in a longer form", 7, SLICE_LIT("\x85\0\1\1\1"), false},
        {"a seq in a longer form", 7, SLICE_LIT("\5\1\1\x81\0"), false},
        {"an actor beyond 32 bits", 7, SLICE_LIT("\5\1\x80\x80\x80\x80\x10\1"), false},
        {"actors beyond 32 bits together", 7, SLICE_LIT("\5\2\1\1\xff\xff\xff\xff\xf\1"), false},
        {"good: the greatest actor", 7, SLICE_LIT("\5\1\xff\xff\xff\xff\xf\1"), true},
        {"a fence beyond 64 bits", 7, SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0"), false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf body = BUF_EMPTY;
        struct buf text = BUF_EMPTY;
        struct ctx ctx;
        uint64_t lineage = 0;
        buf_u8(&body, TOKEN_FORMAT);
        buf_u64(&body, rows[i].lineage);
        buf_append_slice(&body, rows[i].rest);
        seal(&body, &text);
        bool good = decode(buf_slice(&text), &ctx) == TOKEN_OK;
        if (good != rows[i].good)
            fail_msg("%s", rows[i].why);
        assert_int_equal(token_peek_lineage(buf_slice(&text), &lineage), rows[i].good);
        buf_fini(&body);
        buf_fini(&text);
    }
}

/* One entry more than a vector holds, each of them sound. */
static void too_many_entries_are_refused(void **state)
{
    (void)state;
    for (uint32_t count = LIMIT_VV_ENTRIES; count <= LIMIT_VV_ENTRIES + 3; count++) {
        struct buf body = BUF_EMPTY;
        struct buf text = BUF_EMPTY;
        struct ctx ctx;
        uint64_t lineage = 0;
        bool fits = count == LIMIT_VV_ENTRIES;
        buf_u8(&body, TOKEN_FORMAT);
        buf_u64(&body, 7);
        buf_varint(&body, 1);
        buf_varint(&body, count);
        for (uint32_t i = 0; i < count; i++) {
            buf_varint(&body, 1);
            buf_varint(&body, 1);
        }
        seal(&body, &text);
        assert_int_equal(decode(buf_slice(&text), &ctx), fits ? TOKEN_OK : TOKEN_BAD);
        assert_int_equal(token_peek_lineage(buf_slice(&text), &lineage), fits);
        buf_fini(&body);
        buf_fini(&text);
    }
}

/* Around LIMIT_TOKEN_TEXT_BYTES the address sanitizer watches; below ten bytes no version has
 * room for what every version has. */
static void too_long_and_too_short_is_refused(void **state)
{
    (void)state;
    struct buf text = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    uint64_t lineage = 0;
    while (text.len < LIMIT_TOKEN_TEXT_BYTES + 100) {
        buf_u8(&text, 'A');
        assert_refused(buf_slice(&text));
        assert_false(token_peek_lineage(buf_slice(&text), &lineage));
    }
    while (body.len < 9) {
        buf_reset(&text);
        seal(&body, &text);
        assert_refused(buf_slice(&text));
        buf_u8(&body, 2);
    }
    buf_fini(&text);
    buf_fini(&body);
}

/* What would come out as a token that nobody can read is a bug of whoever asks for it. */
static void broken_contexts_are_not_encoded(void **state)
{
    (void)state;
    struct ctx ctx;
    struct buf out = BUF_EMPTY;
    marked_ctx(&ctx);
    ctx.lineage = 0;
    expect_assert_failure(token_encode(&ctx, &key, &out));
    marked_ctx(&ctx);
    ctx.seen.entries[0].seq = 0;
    expect_assert_failure(token_encode(&ctx, &key, &out));
    marked_ctx(&ctx);
    ctx.seen.entries[0].actor = 0;
    expect_assert_failure(token_encode(&ctx, &key, &out));
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "A",
                                        "AA",
                                        "AAAA",
                                        "null",
                                        "{}",
                                        "0",
                                        "-",
                                        "====",
                                        "\xff",
                                        "hello hello hello hello",
                                        "YQ",
                                        "a.b.c"};
    uint64_t lineage = 0;
    struct rng rng = unit_rng();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_refused(slice_str(texts[i]));
        assert_false(token_peek_lineage(slice_str(texts[i]), &lineage));
    }
    for (uint32_t round = 0; round < 20000; round++) {
        uint8_t bytes[60];
        struct buf text = BUF_EMPTY;
        size_t len = rng_below(&rng, sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_u64(&rng);
        assert_refused(slice_of(bytes, len));
        naive_base64url(slice_of(bytes, len), &text);
        assert_refused(buf_slice(&text));
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_come_back),
        cmocka_unit_test(text_is_appended),
        cmocka_unit_test(every_altered_byte_is_refused),
        cmocka_unit_test(several_altered_bytes_are_refused),
        cmocka_unit_test(every_cut_and_every_addition_is_refused),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(other_versions_are_told_apart_from_garbage),
        cmocka_unit_test(contents_that_nobody_writes_are_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(too_long_and_too_short_is_refused),
        cmocka_unit_test(broken_contexts_are_not_encoded),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
