/* test_version - versions as bytes.
 *
 * Does:   the layout against a second, naive writer; round trips; every cut and every altered
 *         byte; limits at their edge; who wins.
 * Not:    records around them: test_record.c.
 * Holds:  W1, W2 of version.h.
 * Limits: one value of LIMIT_VALUE_BYTES, in memory.
 * See:    src/wire/version.h.
 */
#include "gen.h"

#define ROUNDS 2000

/* The layout once more, field after field, as the table in version.h reads. */
static void naive_encode(const struct version *version, struct buf *out)
{
    buf_u32(out, version->dot.actor);
    buf_u64(out, version->dot.seq);
    buf_u64(out, version->hlc);
    buf_u8(out, (uint8_t)version->form);
    buf_u8(out, 0);
    buf_u16(out, (uint16_t)(version->deps.len / 12));
    buf_u16(out, (uint16_t)version->key.len);
    buf_u16(out, 0);
    buf_u32(out, (uint32_t)version->value.len);
    buf_append_slice(out, version->deps);
    buf_append_slice(out, version->key);
    buf_append_slice(out, version->value);
}

static void assert_same(const struct version *a, const struct version *b)
{
    assert_true(dot_equal(a->dot, b->dot));
    assert_true(a->hlc == b->hlc);
    assert_int_equal(a->form, b->form);
    assert_true(slice_equal(a->deps, b->deps));
    assert_true(slice_equal(a->key, b->key));
    assert_true(slice_equal(a->value, b->value));
}

/* W1, read off the header; shares nothing with the decoder. */
static void assert_holds(const struct version *version)
{
    assert_true(version->dot.actor > 0);
    assert_in_range(version->dot.seq, 1, LIMIT_SEQ);
    assert_in_range(version->form, VALUE_JSON, VALUE_TOMBSTONE);
    assert_in_range(version->key.len, 1, LIMIT_KEY_BYTES);
    assert_true(version->value.len <= LIMIT_VALUE_BYTES);
    assert_true(version->form != VALUE_TOMBSTONE || version->value.len == 0);
    struct vv deps;
    vv_init(&deps);
    uint32_t last = 0;
    for (uint32_t i = 0; i < deps_count(version->deps); i++) {
        struct dot dep = deps_at(version->deps, i);
        assert_true(dep.actor > last);
        assert_in_range(dep.seq, 1, LIMIT_SEQ);
        last = dep.actor;
    }
    assert_true(deps_merge_into(version->deps, &deps));
    vv_check(&deps);
    assert_int_equal(deps.count, deps_count(version->deps));
}

/* True when it was accepted; then W1 and W2 must hold. */
static bool accepts(struct slice bytes)
{
    struct slice copy = gen_copy(bytes);
    struct version version;
    bool yes = version_decode(copy, &version);
    if (yes) {
        assert_holds(&version);
        struct buf again = BUF_EMPTY;
        version_encode(&version, &again);
        assert_true(slice_equal(buf_slice(&again), copy));
        buf_fini(&again);
    }
    gen_drop(copy);
    return yes;
}

static void test_golden_bytes(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        0x04, 0x03, 0x02, 0x01,                         /* actor */
        0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 0x00, 0x00, /* seq */
        0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, /* HLC */
        0x01, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, /* form, 0, deps, key, 0 */
        0x04, 0x00, 0x00, 0x00,                         /* value */
        0x07, 0x00, 0x00, 0x00,                         /* dependency: actor */
        0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* its seq */
        'a',  'b',  't',  'r',  'u',  'e',
    };
    struct vv deps;
    vv_init(&deps);
    assert_true(vv_set(&deps, 7, 9));
    struct buf memory = BUF_EMPTY;
    deps_encode(&deps, &memory);
    struct version version = {
        .dot = {0x01020304, 0x111213141516},
        .hlc = 0x2122232425262728,
        .form = VALUE_JSON,
        .deps = buf_slice(&memory),
        .key = SLICE_LIT("ab"),
        .value = SLICE_LIT("true"),
    };
    struct buf out = BUF_EMPTY;
    version_encode(&version, &out);
    assert_int_equal(out.len, sizeof golden);
    assert_memory_equal(out.ptr, golden, sizeof golden);
    assert_int_equal(version_size(&version), sizeof golden);
    buf_fini(&out);
    buf_fini(&memory);
}

static void test_round_trip(void **state)
{
    struct rng *rng = *state;
    struct buf memory = BUF_EMPTY, naive = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        struct version version, back;
        gen_version(rng, &memory, &version);
        buf_reset(&naive);
        naive_encode(&version, &naive);
        buf_reset(&out);
        buf_append(&out, "before", 6);
        version_encode(&version, &out);
        assert_memory_equal(out.ptr, "before", 6);
        struct slice body = slice_of(out.ptr + 6, out.len - 6);
        assert_int_equal(body.len, version_size(&version));
        assert_true(slice_equal(body, buf_slice(&naive)));
        assert_true(version_decode(body, &back));
        assert_same(&version, &back);
        assert_true(back.key.ptr > body.ptr && back.key.ptr < body.ptr + body.len);
        assert_true(accepts(body));
    }
    buf_fini(&memory);
    buf_fini(&naive);
    buf_fini(&out);
}

static void test_every_cut_is_refused(void **state)
{
    struct rng *rng = *state;
    struct buf memory = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 20; round++) {
        struct version version;
        gen_version(rng, &memory, &version);
        buf_reset(&out);
        version_encode(&version, &out);
        for (size_t len = 0; len < out.len; len++)
            assert_false(accepts(slice_of(out.ptr, len)));
        size_t whole = out.len;
        for (size_t more = 1; more <= 16; more++) {
            buf_u8(&out, 0);
            assert_false(accepts(slice_of(out.ptr, whole + more)));
        }
    }
    buf_fini(&memory);
    buf_fini(&out);
}

/* A body has no sum of its own: what an altered byte makes of it may be a version, but then a
 * valid one (accepts checks), and never the same. */
static void test_every_altered_byte(void **state)
{
    struct rng *rng = *state;
    struct buf memory = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 50; round++) {
        struct version version, back;
        gen_version(rng, &memory, &version);
        buf_reset(&out);
        version_encode(&version, &out);
        for (size_t bit = 0; bit < out.len * 8; bit++) {
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            accepts(buf_slice(&out));
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        for (size_t at = 0; at < out.len; at++) {
            uint8_t was = out.ptr[at];
            out.ptr[at] = (uint8_t)rng_u64(rng);
            accepts(buf_slice(&out));
            out.ptr[at] = was;
        }
        assert_true(version_decode(buf_slice(&out), &back));
        assert_same(&version, &back);
    }
    buf_fini(&memory);
    buf_fini(&out);
}

/* Bytes of a version with these lengths, whether they are allowed or not. */
static bool accepts_lengths(enum value_form form, uint32_t deps, size_t key, size_t value)
{
    struct buf out = BUF_EMPTY;
    buf_u32(&out, 1);
    buf_u64(&out, 1);
    buf_u64(&out, 1);
    buf_u8(&out, (uint8_t)form);
    buf_u8(&out, 0);
    buf_u16(&out, (uint16_t)deps);
    buf_u16(&out, (uint16_t)key);
    buf_u16(&out, 0);
    buf_u32(&out, (uint32_t)value);
    for (uint32_t i = 1; i <= deps; i++) {
        buf_u32(&out, i);
        buf_u64(&out, 1);
    }
    memset(buf_grow(&out, key + value), 'x', key + value);
    struct version version;
    bool yes = version_decode(buf_slice(&out), &version);
    if (yes)
        assert_holds(&version);
    buf_fini(&out);
    return yes;
}

static void test_lengths_at_their_limits(void **state)
{
    (void)state;
    assert_true(accepts_lengths(VALUE_JSON, 0, 1, 0));
    assert_false(accepts_lengths(VALUE_JSON, 0, 0, 1));
    assert_true(accepts_lengths(VALUE_JSON, 0, LIMIT_KEY_BYTES, 1));
    assert_false(accepts_lengths(VALUE_JSON, 0, LIMIT_KEY_BYTES + 1, 1));
    assert_true(accepts_lengths(VALUE_JSON, LIMIT_VV_ENTRIES, 1, 1));
    assert_false(accepts_lengths(VALUE_JSON, LIMIT_VV_ENTRIES + 1, 1, 1));
    assert_true(accepts_lengths(VALUE_RAW, LIMIT_VV_ENTRIES, LIMIT_KEY_BYTES, LIMIT_VALUE_BYTES));
    assert_false(accepts_lengths(VALUE_RAW, 0, 1, LIMIT_VALUE_BYTES + 1));
    assert_true(accepts_lengths(VALUE_TOMBSTONE, 0, 1, 0));
    assert_false(accepts_lengths(VALUE_TOMBSTONE, 0, 1, 1));
    assert_false(accepts_lengths((enum value_form)0, 0, 1, 0));
    assert_false(accepts_lengths((enum value_form)4, 0, 1, 0));
    assert_false(accepts_lengths((enum value_form)255, 0, 1, 0));
}

/* A version with two dependencies where 8 bytes at offset are replaced by the low `bytes` bytes
 * of number. */
static bool accepts_with(size_t offset, size_t bytes, uint64_t number)
{
    struct vv deps;
    vv_init(&deps);
    assert_true(vv_set(&deps, 5, 50) && vv_set(&deps, 6, 60));
    struct buf memory = BUF_EMPTY, out = BUF_EMPTY, patch = BUF_EMPTY;
    deps_encode(&deps, &memory);
    struct version version = {.dot = {1, 1},
                              .hlc = 1,
                              .form = VALUE_JSON,
                              .deps = buf_slice(&memory),
                              .key = SLICE_LIT("k"),
                              .value = SLICE_LIT("1")};
    version_encode(&version, &out);
    buf_u64(&patch, number);
    memcpy(out.ptr + offset, patch.ptr, bytes);
    bool yes = accepts(buf_slice(&out));
    buf_fini(&memory);
    buf_fini(&out);
    buf_fini(&patch);
    return yes;
}

static void test_numbers_at_their_limits(void **state)
{
    (void)state;
    assert_true(accepts_with(12, 8, LIMIT_HLC));
    assert_false(accepts_with(12, 8, LIMIT_HLC + 1));
    assert_true(accepts_with(0, 4, UINT32_MAX));
    assert_false(accepts_with(0, 4, 0)); /* actor */
    assert_true(accepts_with(4, 8, LIMIT_SEQ));
    assert_false(accepts_with(4, 8, LIMIT_SEQ + 1));
    assert_false(accepts_with(4, 8, UINT64_MAX));
    assert_false(accepts_with(4, 8, 0));
    assert_true(accepts_with(12, 8, 0)); /* HLC: any */
    assert_false(accepts_with(12, 8, UINT64_MAX));
    assert_false(accepts_with(21, 1, 1)); /* reserved */
    assert_false(accepts_with(26, 2, 1));
    assert_false(accepts_with(26, 2, 0x8000));
    assert_true(accepts_with(32, 4, 1)); /* first dependency: actor 5, then 6 */
    assert_false(accepts_with(32, 4, 0));
    assert_false(accepts_with(32, 4, 6));
    assert_false(accepts_with(32, 4, 7));
    assert_true(accepts_with(36, 8, LIMIT_SEQ));
    assert_false(accepts_with(36, 8, LIMIT_SEQ + 1));
    assert_false(accepts_with(36, 8, 0));
    assert_false(accepts_with(44, 4, 5)); /* second one */
    assert_true(accepts_with(44, 4, UINT32_MAX));
    assert_false(accepts_with(48, 8, 0));
}

static void test_newer_is_a_total_order(void **state)
{
    struct rng *rng = *state;
    struct version list[40] = {0};
    for (size_t i = 0; i < 40; i++) {
        list[i].dot = (struct dot){1 + (uint32_t)rng_below(rng, 4), 1 + rng_below(rng, 3)};
        list[i].hlc = rng_chance(rng, 1, 8) ? UINT64_MAX : rng_below(rng, 5);
    }
    for (size_t i = 0; i < 40; i++) {
        for (size_t j = 0; j < 40; j++) {
            const struct version *a = &list[i], *b = &list[j];
            bool greater = a->hlc > b->hlc || (a->hlc == b->hlc && a->dot.actor > b->dot.actor);
            assert_int_equal(version_newer(a, b), greater);
            assert_false(version_newer(a, b) && version_newer(b, a));
            bool tie = !version_newer(a, b) && !version_newer(b, a);
            assert_int_equal(tie, a->hlc == b->hlc && a->dot.actor == b->dot.actor);
            assert_false(dot_equal(a->dot, b->dot) && a->hlc == b->hlc && version_newer(a, b));
        }
    }
}

static void test_deps_are_the_vector(void **state)
{
    struct rng *rng = *state;
    for (int round = 0; round < 200; round++) {
        struct vv deps, back;
        gen_vv(rng, gen_count(rng, LIMIT_VV_ENTRIES), &deps);
        struct buf bytes = BUF_EMPTY;
        deps_encode(&deps, &bytes);
        assert_int_equal(deps_count(buf_slice(&bytes)), deps.count);
        for (uint32_t i = 0; i < deps.count; i++)
            assert_true(dot_equal(deps_at(buf_slice(&bytes), i), deps.entries[i]));
        vv_init(&back);
        assert_true(deps_merge_into(buf_slice(&bytes), &back));
        assert_int_equal(vv_compare(&back, &deps), VV_EQUAL);
        buf_fini(&bytes);
    }
}

static void test_merge_is_vv_merge(void **state)
{
    struct rng *rng = *state;
    for (int round = 0; round < 200; round++) {
        struct vv deps, to, expected;
        gen_vv(rng, gen_count(rng, LIMIT_VV_ENTRIES), &deps);
        gen_vv(rng, gen_count(rng, LIMIT_VV_ENTRIES), &to);
        struct buf bytes = BUF_EMPTY;
        deps_encode(&deps, &bytes);
        vv_copy(&expected, &to);
        bool fits = vv_merge(&expected, &deps);
        assert_int_equal(deps_merge_into(buf_slice(&bytes), &to), fits);
        vv_check(&to);
        if (fits)
            assert_int_equal(vv_compare(&to, &expected), VV_EQUAL);
        buf_fini(&bytes);
    }
}

int main(void)
{
    struct rng rng = gen_rng();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test_prestate(test_round_trip, &rng),
        cmocka_unit_test_prestate(test_every_cut_is_refused, &rng),
        cmocka_unit_test_prestate(test_every_altered_byte, &rng),
        cmocka_unit_test(test_lengths_at_their_limits),
        cmocka_unit_test(test_numbers_at_their_limits),
        cmocka_unit_test_prestate(test_newer_is_a_total_order, &rng),
        cmocka_unit_test_prestate(test_deps_are_the_vector, &rng),
        cmocka_unit_test_prestate(test_merge_is_vv_merge, &rng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
