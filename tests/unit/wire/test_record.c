/* test_record - records: whole, cut, and damaged are three different things.
 *
 * Does:   the layout in bytes; round trips of the three ways to write one; every cut, every
 *         flipped bit, and both at once; a log of many; limits at their edge.
 * Not:    segments: tests/unit/store.
 * Holds:  R1 to R3 of record.h.
 * Limits: one body of LIMIT_FRAME_BYTES, in memory.
 * See:    src/wire/record.h.
 */
#include "gen.h"

#define ROUNDS 300

/* Decodes a copy that ends where its memory ends; gives the size of the record. */
static enum record_scan scan(const uint8_t *bytes, size_t len, size_t *size)
{
    struct slice copy = gen_copy(slice_of(bytes, len));
    struct record record = {0};
    enum record_scan result = record_decode(copy, &record);
    *size = record.whole.len;
    if (result == RECORD_OK) {
        assert_ptr_equal(record.whole.ptr, copy.ptr);
        assert_ptr_equal(record.body.ptr, copy.ptr + RECORD_HEAD_BYTES);
        assert_true(record.whole.len <= len);
        assert_int_equal(record.whole.len, record_size(record.body.len));
        assert_true(record.sum == hash_bytes(record.body));
        struct buf again = BUF_EMPTY;
        record_encode_summed(record.kind, record.body, record.sum, &again);
        assert_true(slice_equal(buf_slice(&again), record.whole));
        buf_fini(&again);
    } else {
        assert_true(record.whole.len == 0); /* untouched */
    }
    gen_drop(copy);
    return result;
}

static enum record_scan scan_of(const uint8_t *bytes, size_t len)
{
    size_t size;
    return scan(bytes, len, &size);
}

static enum record_kind gen_kind(struct rng *rng)
{
    return (enum record_kind)(1 + rng_below(rng, 255));
}

static void gen_record(struct rng *rng, struct buf *out)
{
    struct buf body = BUF_EMPTY;
    gen_bytes(rng, rng_below(rng, 70), &body);
    record_encode(gen_kind(rng), buf_slice(&body), out);
    buf_fini(&body);
}

static void test_golden_bytes(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    record_encode(RECORD_ARRIVAL, SLICE_LIT("hello, log"), &out);
    assert_int_equal(out.len, 32);
    static const uint8_t head[] = {10, 0, 0, 0, 2, 1};
    assert_memory_equal(out.ptr, head, sizeof head);
    /* 10 + 2 * 2^32 + 2^40, modulo 65521 */
    uint64_t check = (10 + (UINT64_C(2) << 32) + (UINT64_C(1) << 40)) % 65521;
    assert_int_equal(out.ptr[6] | out.ptr[7] << 8, check);
    uint64_t sum = hash_bytes(SLICE_LIT("hello, log"));
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(out.ptr[8 + i], (uint8_t)(sum >> 8 * i));
    assert_memory_equal(out.ptr + 16, "hello, log\0\0\0\0\0\0", 16);
    buf_fini(&out);
}

static void test_three_ways_to_write_one(void **state)
{
    struct rng *rng = *state;
    for (int round = 0; round < ROUNDS; round++) {
        struct buf body = BUF_EMPTY, a = BUF_EMPTY, b = BUF_EMPTY, c = BUF_EMPTY;
        gen_bytes(rng, rng_below(rng, 100), &body);
        enum record_kind kind = gen_kind(rng);
        record_encode(kind, buf_slice(&body), &a);
        record_encode_summed(kind, buf_slice(&body), hash_bytes(buf_slice(&body)), &b);
        buf_append(&c, "odd", 3);
        size_t begin = record_begin(&c);
        buf_append_slice(&c, buf_slice(&body));
        record_end(kind, begin, &c);
        assert_int_equal(a.len, record_size(body.len));
        assert_int_equal(a.len % 8, 0);
        assert_true(slice_equal(buf_slice(&a), buf_slice(&b)));
        assert_true(slice_equal(buf_slice(&a), slice_of(c.ptr + 3, c.len - 3)));
        assert_memory_equal(c.ptr, "odd", 3);
        struct record record;
        assert_int_equal(record_decode(buf_slice(&a), &record), RECORD_OK);
        assert_int_equal(record.kind, kind);
        assert_true(slice_equal(record.body, buf_slice(&body)));
        buf_fini(&body);
        buf_fini(&a);
        buf_fini(&b);
        buf_fini(&c);
    }
}

/* R1: what arrived may be logged as what it is here, with the sum it came with. */
static void test_kind_is_not_in_the_sum(void **state)
{
    (void)state;
    struct buf arrival = BUF_EMPTY, walked = BUF_EMPTY;
    struct record first, second;
    record_encode(RECORD_ARRIVAL, SLICE_LIT("version"), &arrival);
    assert_int_equal(record_decode(buf_slice(&arrival), &first), RECORD_OK);
    record_encode_summed(RECORD_WALKED, first.body, first.sum, &walked);
    assert_int_equal(record_decode(buf_slice(&walked), &second), RECORD_OK);
    assert_int_equal(second.kind, RECORD_WALKED);
    assert_true(second.sum == first.sum);
    assert_true(slice_equal(second.body, first.body));
    buf_fini(&arrival);
    buf_fini(&walked);
}

static void test_every_cut_is_incomplete(void **state)
{
    struct rng *rng = *state;
    struct buf out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        buf_reset(&out);
        gen_record(rng, &out);
        for (size_t len = 0; len < out.len; len++)
            assert_int_equal(scan_of(out.ptr, len), RECORD_INCOMPLETE);
        size_t whole = out.len, size;
        gen_bytes(rng, 20, &out); /* whatever follows does not matter */
        assert_int_equal(scan(out.ptr, out.len, &size), RECORD_OK);
        assert_int_equal(size, whole);
    }
    buf_fini(&out);
}

/* Head, sum, body and padding; with and without something behind it. */
static void test_every_flipped_bit_is_damage(void **state)
{
    struct rng *rng = *state;
    struct buf out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 3; round++) {
        buf_reset(&out);
        gen_record(rng, &out);
        size_t whole = out.len;
        gen_bytes(rng, 100, &out);
        for (size_t bit = 0; bit < whole * 8; bit++) {
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(scan_of(out.ptr, whole), RECORD_DAMAGED);
            assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
    buf_fini(&out);
}

static void test_every_other_byte_is_damage(void **state)
{
    struct rng *rng = *state;
    struct buf out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 30; round++) {
        buf_reset(&out);
        gen_record(rng, &out);
        for (size_t at = 0; at < out.len; at++) {
            uint8_t was = out.ptr[at];
            for (unsigned value = 0; value < 256; value++) {
                out.ptr[at] = (uint8_t)value;
                enum record_scan expected = value == was ? RECORD_OK : RECORD_DAMAGED;
                assert_int_equal(scan_of(out.ptr, out.len), expected);
            }
            out.ptr[at] = was;
        }
    }
    buf_fini(&out);
}

/* The table of record_decode: below 8 bytes nothing is known; then bytes 0 to 7 decide; what is
 * wrong behind them shows only when all is there. */
static void test_cut_and_flipped(void **state)
{
    struct rng *rng = *state;
    struct buf out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 6; round++) {
        buf_reset(&out);
        gen_record(rng, &out);
        for (size_t len = 1; len < out.len; len++) {
            for (size_t bit = 0; bit < len * 8; bit++) {
                out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
                bool seen = len >= 8 && bit < 64;
                assert_int_equal(scan_of(out.ptr, len), seen ? RECORD_DAMAGED : RECORD_INCOMPLETE);
                out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
        }
    }
    buf_fini(&out);
}

/* What a disk may have instead of a record. */
static void test_erased_bytes_are_damage(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (int fill = 0; fill < 256; fill++) {
        memset(bytes, fill, sizeof bytes);
        for (size_t len = 0; len <= sizeof bytes; len++)
            assert_int_equal(scan_of(bytes, len), len < 8 ? RECORD_INCOMPLETE : RECORD_DAMAGED);
    }
}

/* A head with a right check, whatever it says. */
static void forge_head(uint32_t body_len, uint8_t kind, uint8_t format, struct buf *out)
{
    uint64_t number = body_len | (uint64_t)kind << 32 | (uint64_t)format << 40;
    buf_reset(out);
    buf_u32(out, body_len);
    buf_u8(out, kind);
    buf_u8(out, format);
    buf_u16(out, (uint16_t)(number % RECORD_HEAD_PRIME));
    buf_u64(out, hash_bytes(SLICE_EMPTY));
}

static void test_heads_that_make_no_sense(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    forge_head(0, RECORD_STOP, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_OK);
    forge_head(0, 255, RECORD_FORMAT, &out); /* a kind of a later version */
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_OK);
    forge_head(0, 0, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
    forge_head(0, RECORD_STOP, 0, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
    forge_head(0, RECORD_STOP, RECORD_FORMAT + 1, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
    forge_head(1, RECORD_STOP, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_INCOMPLETE);
    forge_head(LIMIT_FRAME_BYTES, RECORD_STOP, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_INCOMPLETE);
    forge_head(LIMIT_FRAME_BYTES + 1, RECORD_STOP, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
    forge_head(UINT32_MAX, RECORD_STOP, RECORD_FORMAT, &out);
    assert_int_equal(scan_of(out.ptr, out.len), RECORD_DAMAGED);
    buf_fini(&out);
}

static void test_greatest_body(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    struct record record;
    size_t begin = record_begin(&out);
    memset(buf_grow(&out, LIMIT_FRAME_BYTES), 'x', LIMIT_FRAME_BYTES);
    record_end(RECORD_DUMP, begin, &out);
    assert_int_equal(record_decode(buf_slice(&out), &record), RECORD_OK);
    assert_int_equal(record.body.len, LIMIT_FRAME_BYTES);
    assert_int_equal(record_decode(slice_of(out.ptr, out.len - 1), &record), RECORD_INCOMPLETE);
    out.ptr[out.len / 2] ^= 1;
    assert_int_equal(record_decode(buf_slice(&out), &record), RECORD_DAMAGED);
    buf_fini(&out);
}

static void test_a_log_of_many(void **state)
{
    struct rng *rng = *state;
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct buf log = BUF_EMPTY;
        size_t count = 1 + rng_below(rng, 30), found = 0, at = 0, size;
        for (size_t i = 0; i < count; i++)
            gen_record(rng, &log);
        while (scan(log.ptr + at, log.len - at, &size) == RECORD_OK) {
            at += size;
            found++;
            if (at == log.len)
                break;
        }
        assert_int_equal(found, count);
        assert_int_equal(at, log.len);
        buf_fini(&log);
    }
}

int main(void)
{
    struct rng rng = gen_rng();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test_prestate(test_three_ways_to_write_one, &rng),
        cmocka_unit_test(test_kind_is_not_in_the_sum),
        cmocka_unit_test_prestate(test_every_cut_is_incomplete, &rng),
        cmocka_unit_test_prestate(test_every_flipped_bit_is_damage, &rng),
        cmocka_unit_test_prestate(test_every_other_byte_is_damage, &rng),
        cmocka_unit_test_prestate(test_cut_and_flipped, &rng),
        cmocka_unit_test(test_erased_bytes_are_damage),
        cmocka_unit_test(test_heads_that_make_no_sense),
        cmocka_unit_test(test_greatest_body),
        cmocka_unit_test_prestate(test_a_log_of_many, &rng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
