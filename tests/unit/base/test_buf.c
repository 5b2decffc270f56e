/* test_buf - bytes that grow, and the way back through a cursor.
 *
 * Does:   random sequences of fields, written, read back, and read from every cut; the one form
 *         of a varint; decimals against printf; appending, consuming, taking against a plain array.
 * Not:    -
 * Holds:  B1, B2, R1, R2.
 * Limits: -
 * See:    base/buf.h, base/read.h.
 */
#include "unit.h"

enum kind { U8, U16, U32, U64, VARINT, BYTES, KINDS };

#define FIELDS_MAX 20U
#define BYTES_MAX 10U

struct field {
    enum kind kind;
    uint64_t value;           /* or the length of bytes */
    uint8_t bytes[BYTES_MAX]; /* when kind is BYTES */
};

static void random_field(struct rng *rng, struct field *field)
{
    static const uint64_t masks[KINDS] = {0xff, 0xffff, 0xffffffff, UINT64_MAX, UINT64_MAX, 7};
    field->kind = (enum kind)rng_below(rng, KINDS);
    field->value = rng_u64(rng) >> rng_below(rng, 64) & masks[field->kind];
    for (size_t i = 0; i < BYTES_MAX; i++)
        field->bytes[i] = (uint8_t)rng_u64(rng);
}

static void field_write(const struct field *field, struct buf *out)
{
    switch (field->kind) {
    case U8:
        buf_u8(out, (uint8_t)field->value);
        break;
    case U16:
        buf_u16(out, (uint16_t)field->value);
        break;
    case U32:
        buf_u32(out, (uint32_t)field->value);
        break;
    case U64:
        buf_u64(out, field->value);
        break;
    case VARINT:
        buf_varint(out, field->value);
        break;
    case BYTES:
        buf_append(out, field->bytes, field->value);
        break;
    case KINDS:
        fail();
    }
}

static uint64_t number_read(enum kind kind, struct read *in)
{
    switch (kind) {
    case U8:
        return read_u8(in);
    case U16:
        return read_u16(in);
    case U32:
        return read_u32(in);
    case U64:
        return read_u64(in);
    case VARINT:
        return read_varint(in);
    case BYTES:
    case KINDS:
        break;
    }
    fail();
    return 0;
}

/* Reads a field; where the cursor is good afterwards it must be the one written, where it is bad
 * nothing but zeroes may come out. */
static void field_read(const struct field *field, struct read *in)
{
    if (field->kind == BYTES) {
        struct slice bytes = read_bytes(in, field->value);
        struct slice expected = slice_of(field->bytes, read_ok(in) ? field->value : 0);
        assert_true(slice_equal(bytes, expected));
        return;
    }
    uint64_t value = number_read(field->kind, in);
    assert_int_equal(value, read_ok(in) ? field->value : 0);
}

/* From an allocation of exactly len bytes, so that the address sanitizer sees one byte too many. */
static void assert_reads_cut(const struct field *fields, size_t count, const struct buf *all,
                             size_t len)
{
    uint8_t *exact = mem_dup(all->ptr, len);
    struct read in = read_of(slice_of(exact, len));
    for (size_t i = 0; i < count; i++) {
        bool was_ok = read_ok(&in);
        field_read(&fields[i], &in);
        assert_true(was_ok || !read_ok(&in));
        assert_true(in.at <= in.end);
    }
    assert_int_equal(read_ok(&in), len == all->len);
    assert_int_equal(read_done(&in), len == all->len);
    mem_free(exact);
}

static void fields_come_back_and_cuts_are_seen(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 2000; round++) {
        struct field fields[FIELDS_MAX];
        struct buf all = BUF_EMPTY;
        size_t count = rng_between(&rng, 1, FIELDS_MAX);
        for (size_t i = 0; i < count; i++) {
            random_field(&rng, &fields[i]);
            field_write(&fields[i], &all);
            assert_true(all.len <= all.cap);
        }
        for (size_t len = 0; len <= all.len; len++)
            assert_reads_cut(fields, count, &all, len);
        buf_u8(&all, 7);
        struct read in = read_of(buf_slice(&all));
        for (size_t i = 0; i < count; i++)
            field_read(&fields[i], &in);
        assert_true(read_ok(&in));
        assert_false(read_done(&in));
        assert_int_equal(read_left(&in), 1);
        buf_fini(&all);
    }
}

static void integers_are_little_endian(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY;
    buf_u16(&buf, 0x0201);
    buf_u32(&buf, 0x06050403);
    buf_u64(&buf, 0x0e0d0c0b0a090807);
    assert_int_equal(buf.len, 14);
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.ptr[i], i + 1);
    buf_fini(&buf);
}

/* --- varints --- */

static void assert_varint(uint64_t value)
{
    struct buf buf = BUF_EMPTY;
    size_t bytes = 1;
    for (uint64_t rest = value >> 7; rest > 0; rest >>= 7)
        bytes++;
    buf_varint(&buf, value);
    assert_int_equal(buf.len, bytes);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(buf.ptr[i], (value >> (7 * i) & 0x7f) | (i + 1 < bytes ? 0x80 : 0));
    struct read in = read_of(buf_slice(&buf));
    assert_int_equal(read_varint(&in), value);
    assert_true(read_done(&in));
    buf_fini(&buf);
}

static void varints_at_every_length(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 20000; value++)
        assert_varint(value);
    for (unsigned bit = 0; bit < 64; bit++) {
        assert_varint(UINT64_C(1) << bit);
        assert_varint((UINT64_C(1) << bit) - 1);
        assert_varint(UINT64_MAX >> bit);
        assert_varint(~(UINT64_C(1) << bit));
    }
}

/* Whatever decodes encodes to the very bytes that were taken: random ones, mostly continued. */
static void varints_have_one_form(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t good = 0;
    for (uint32_t round = 0; round < 200000; round++) {
        uint8_t bytes[12];
        uint64_t more = rng_below(&rng, 12);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            uint64_t bits = rng_chance(&rng, 1, 2) ? rng_below(&rng, 3) : rng_below(&rng, 128);
            bytes[i] = (uint8_t)(bits | (i < more ? 0x80 : 0));
        }
        struct read in = read_of(slice_of(bytes, sizeof(bytes)));
        uint64_t value = read_varint(&in);
        if (!read_ok(&in)) {
            assert_int_equal(value, 0);
            continue;
        }
        struct buf again = BUF_EMPTY;
        buf_varint(&again, value);
        assert_true(slice_equal(buf_slice(&again), slice_of(bytes, (size_t)(in.at - bytes))));
        buf_fini(&again);
        good++;
    }
    assert_true(good > 1000);
}

static void longer_forms_and_more_bits_are_refused(void **state)
{
    (void)state;
    const struct slice bad[] = {
        SLICE_LIT(""),
        SLICE_LIT("\x80"),
        SLICE_LIT("\x80\x00"),
        SLICE_LIT("\xff\x00"),
        SLICE_LIT("\xff\x80\x00"),
        SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
        SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"),
        SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct read in = read_of(bad[i]);
        assert_int_equal(read_varint(&in), 0);
        assert_false(read_ok(&in));
        assert_false(read_done(&in));
    }
    struct read in = read_of(SLICE_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    assert_int_equal(read_varint(&in), UINT64_MAX);
    assert_true(read_done(&in));
}

/* --- the rest of buf --- */

static void decimals_match_printf(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 20000; round++) {
        uint64_t value = round < 1000 ? round : rng_u64(&rng) >> rng_below(&rng, 64);
        char expected[24];
        struct buf buf = BUF_EMPTY;
        snprintf(expected, sizeof(expected), "%" PRIu64, value);
        buf_decimal(&buf, value);
        assert_true(slice_equal(buf_slice(&buf), slice_str(expected)));
        buf_fini(&buf);
    }
    struct buf buf = BUF_EMPTY;
    buf_decimal(&buf, UINT64_MAX);
    assert_true(slice_equal(buf_slice(&buf), SLICE_LIT("18446744073709551615")));
    buf_fini(&buf);
}

/* A queue of counted bytes: what goes in at the end comes out at the front. */
static void appending_and_consuming_is_a_queue(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct buf buf = BUF_EMPTY;
    uint8_t first = 0;
    uint8_t next = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        uint64_t more = rng_below(&rng, 90);
        uint8_t *at = rng_chance(&rng, 1, 2) ? buf_grow(&buf, more) : NULL;
        for (uint64_t i = 0; i < more; i++, next++) {
            if (at != NULL)
                at[i] = next;
            else
                buf_append(&buf, &next, 1);
        }
        uint64_t less = rng_chance(&rng, 1, 20) ? buf.len : rng_below(&rng, buf.len + 1);
        buf_consume(&buf, less);
        first = (uint8_t)(first + less);
        assert_int_equal((uint8_t)(first + buf.len), next);
        assert_true(buf.len <= buf.cap);
        for (size_t i = 0; i < buf.len; i++)
            assert_int_equal(buf.ptr[i], (uint8_t)(first + i));
    }
    expect_assert_failure(buf_consume(&buf, buf.len + 1));
    buf_fini(&buf);
}

static void taking_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY;
    buf_append_slice(&buf, SLICE_LIT("kept"));
    struct buf taken = buf_take(&buf);
    assert_null(buf.ptr);
    assert_int_equal(buf.len + buf.cap, 0);
    assert_true(slice_equal(buf_slice(&taken), SLICE_LIT("kept")));
    buf_append_slice(&buf, SLICE_LIT("new"));
    assert_true(slice_equal(buf_slice(&taken), SLICE_LIT("kept")));
    buf_reset(&taken);
    assert_int_equal(taken.len, 0);
    assert_true(taken.cap >= 4);
    buf_fini(&taken);
    buf_fini(&buf);
    assert_null(buf.ptr);
}

static void empty_slices_are_equal(void **state)
{
    (void)state;
    struct buf buf = BUF_EMPTY;
    buf_append_slice(&buf, SLICE_EMPTY);
    assert_int_equal(buf.len, 0);
    assert_true(slice_equal(buf_slice(&buf), SLICE_LIT("")));
    assert_true(slice_equal(SLICE_LIT("ab"), slice_str("ab")));
    assert_false(slice_equal(SLICE_LIT("ab"), SLICE_LIT("ac")));
    assert_false(slice_equal(SLICE_LIT("ab"), SLICE_LIT("abc")));
    struct read in = read_of(SLICE_EMPTY);
    assert_true(read_done(&in));
    assert_int_equal(read_u8(&in), 0);
    assert_false(read_ok(&in));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back_and_cuts_are_seen),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(varints_at_every_length),
        cmocka_unit_test(varints_have_one_form),
        cmocka_unit_test(longer_forms_and_more_bits_are_refused),
        cmocka_unit_test(decimals_match_printf),
        cmocka_unit_test(appending_and_consuming_is_a_queue),
        cmocka_unit_test(taking_leaves_nothing_behind),
        cmocka_unit_test(empty_slices_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
