/* test_slotset - sets of slots against an array of bools.
 *
 * Does:   every operation after random changes; the encoding against a naive one, cut, altered,
 *         and in forms that no encoder writes.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    placement/slotset.h.
 */
#include "unit.h"

#include "placement/placement.h"

struct flags {
    bool in[LIMIT_SLOTS]; /* by slot */
};

static void assert_is_flags(const struct slotset *set, const struct flags *flags)
{
    uint32_t size = 0;
    uint32_t next = LIMIT_SLOTS;
    uint32_t next_absent = LIMIT_SLOTS;
    for (uint32_t slot = LIMIT_SLOTS; slot-- > 0;) {
        bool in = flags->in[slot];
        size += in;
        next = in ? slot : next;
        next_absent = in ? next_absent : slot;
        if (slotset_has(set, slot) != in || slotset_next(set, slot) != next ||
            slotset_next_absent(set, slot) != next_absent)
            fail_msg("slot %" PRIu32, slot);
    }
    assert_int_equal(slotset_size(set), size);
    assert_int_equal(slotset_next(set, LIMIT_SLOTS), LIMIT_SLOTS);
    assert_int_equal(slotset_next_absent(set, LIMIT_SLOTS), LIMIT_SLOTS);
}

/* One random change; short ranges often, so that borders of words are met. */
static void change(struct rng *rng, struct slotset *set, struct flags *flags)
{
    uint32_t first = (uint32_t)rng_below(rng, LIMIT_SLOTS);
    uint64_t most = rng_chance(rng, 1, 2) ? 130 : LIMIT_SLOTS;
    uint32_t last = first + (uint32_t)rng_below(rng, most);
    last = last < LIMIT_SLOTS ? last : LIMIT_SLOTS - 1;
    switch (rng_below(rng, 4)) {
    case 0:
        slotset_add(set, first);
        flags->in[first] = true;
        break;
    case 1:
        slotset_remove(set, first);
        flags->in[first] = false;
        break;
    case 2:
        slotset_add_range(set, first, last);
        memset(flags->in + first, true, last - first + 1);
        break;
    default:
        for (uint32_t slot = first; slot <= last; slot++) {
            slotset_remove(set, slot);
            flags->in[slot] = false;
        }
    }
}

static void random_set(struct rng *rng, struct slotset *set, struct flags *flags)
{
    slotset_init(set);
    *flags = (struct flags){{false}};
    uint64_t changes = rng_below(rng, 30);
    for (uint64_t i = 0; i < changes; i++)
        change(rng, set, flags);
}

static void random_changes_match_flags(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct slotset set;
    struct flags flags = {{false}};
    slotset_init(&set);
    assert_is_flags(&set, &flags);
    for (uint32_t round = 0; round < 500; round++) {
        change(&rng, &set, &flags);
        assert_is_flags(&set, &flags);
    }
}

static void ranges_at_every_border_of_a_word(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 130; first++) {
        for (uint32_t last = first; last < 200; last++) {
            struct slotset set;
            slotset_init(&set);
            slotset_add_range(&set, first, last);
            assert_int_equal(slotset_size(&set), last - first + 1);
            assert_int_equal(slotset_next(&set, 0), first);
            assert_int_equal(slotset_next_absent(&set, first), last + 1);
            assert_int_equal(slotset_next(&set, last + 1), LIMIT_SLOTS);
        }
    }
}

static void assert_pair_is_flags(const struct slotset *a, const struct flags *x,
                                 const struct slotset *b, const struct flags *y)
{
    static struct flags merged;
    static struct flags left;
    bool equal = true;
    bool meets = false;
    bool contains = true;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        equal &= x->in[slot] == y->in[slot];
        meets |= x->in[slot] && y->in[slot];
        contains &= x->in[slot] || !y->in[slot];
        merged.in[slot] = x->in[slot] || y->in[slot];
        left.in[slot] = x->in[slot] && !y->in[slot];
    }
    assert_int_equal(slotset_equal(a, b), equal);
    assert_int_equal(slotset_meets(a, b), meets);
    assert_int_equal(slotset_contains(a, b), contains);
    struct slotset result = *a;
    slotset_merge(&result, b);
    assert_is_flags(&result, &merged);
    assert_true(slotset_contains(&result, a));
    result = *a;
    slotset_subtract(&result, b);
    assert_is_flags(&result, &left);
    assert_false(slotset_meets(&result, b));
}

static void random_pairs_match_flags(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 200; round++) {
        struct slotset a;
        struct slotset b;
        static struct flags x;
        static struct flags y;
        random_set(&rng, &a, &x);
        random_set(&rng, &b, &y);
        assert_pair_is_flags(&a, &x, &b, &y);
        assert_pair_is_flags(&a, &x, &a, &x);
        slotset_merge(&b, &a);
        assert_true(slotset_contains(&b, &a));
    }
}

/* --- the encoding --- */

static void naive_encode(const struct flags *flags, struct buf *out)
{
    struct buf ranges = BUF_EMPTY;
    uint32_t count = 0;
    uint32_t last = 0;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        if (!flags->in[slot] || (slot > 0 && flags->in[slot - 1]))
            continue;
        uint32_t end = slot;
        while (end + 1 < LIMIT_SLOTS && flags->in[end + 1])
            end++;
        buf_varint(&ranges, slot - last);
        buf_varint(&ranges, end - slot);
        last = end;
        count++;
    }
    buf_varint(out, count);
    buf_append_slice(out, buf_slice(&ranges));
    buf_fini(&ranges);
}

/* Decodes bytes; what decodes must encode to the very bytes that were taken. */
static bool decodes(struct slice bytes, struct slotset *set)
{
    struct read in = read_of(bytes);
    if (!slotset_decode(&in, set))
        return false;
    assert_true(read_ok(&in));
    struct buf again = BUF_EMPTY;
    slotset_encode(set, &again);
    assert_true(slice_equal(buf_slice(&again), slice_of(bytes.ptr, bytes.len - read_left(&in))));
    buf_fini(&again);
    return true;
}

static void assert_encoding_is_sound(struct rng *rng, const struct slotset *set,
                                     const struct flags *flags)
{
    struct buf bytes = BUF_EMPTY;
    struct buf naive = BUF_EMPTY;
    struct slotset back;
    slotset_encode(set, &bytes);
    naive_encode(flags, &naive);
    assert_true(slice_equal(buf_slice(&bytes), buf_slice(&naive)));
    assert_true(decodes(buf_slice(&bytes), &back));
    assert_true(slotset_equal(set, &back));
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(decodes(slice_of(bytes.ptr, len), &back));
    for (uint32_t i = 0; i < 200; i++) {
        size_t at = rng_below(rng, bytes.len);
        uint8_t kept = bytes.ptr[at];
        bytes.ptr[at] = (uint8_t)rng_u64(rng);
        decodes(buf_slice(&bytes), &back);
        bytes.ptr[at] = kept;
    }
    buf_fini(&bytes);
    buf_fini(&naive);
}

static void encodings_come_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct slotset set;
    static struct flags flags;
    for (uint32_t round = 0; round < 300; round++) {
        random_set(&rng, &set, &flags);
        assert_encoding_is_sound(&rng, &set, &flags);
    }
}

/* Every second slot: the most ranges there can be. And all slots: one range. */
static void extreme_sets_come_back(void **state)
{
    (void)state;
    struct slotset set;
    struct slotset back;
    struct buf bytes = BUF_EMPTY;
    for (uint32_t odd = 0; odd < 2; odd++) {
        slotset_init(&set);
        for (uint32_t slot = odd; slot < LIMIT_SLOTS; slot += 2)
            slotset_add(&set, slot);
        buf_reset(&bytes);
        slotset_encode(&set, &bytes);
        assert_true(decodes(buf_slice(&bytes), &back));
        assert_true(slotset_equal(&set, &back));
    }
    slotset_add_range(&set, 0, LIMIT_SLOTS - 1);
    buf_reset(&bytes);
    slotset_encode(&set, &bytes);
    assert_true(slice_equal(buf_slice(&bytes), SLICE_LIT("\1\0\xff\x7f")));
    assert_true(decodes(buf_slice(&bytes), &back));
    assert_int_equal(slotset_size(&back), LIMIT_SLOTS);
    buf_fini(&bytes);
}

static void forms_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    struct slotset set;
    assert_true(decodes(SLICE_LIT("\0"), &set));
    assert_true(decodes(SLICE_LIT("\1\1\0"), &set));
    assert_true(decodes(SLICE_LIT("\2\0\0\2\0"), &set));
    assert_false(decodes(SLICE_LIT(""), &set));
    assert_false(decodes(SLICE_LIT("\2\0\0\1\0"), &set));     /* the ranges touch */
    assert_false(decodes(SLICE_LIT("\2\0\0\0\0"), &set));     /* they overlap */
    assert_false(decodes(SLICE_LIT("\1\x80\0\0"), &set));     /* a number in a longer form */
    assert_false(decodes(SLICE_LIT("\1\x80\x80\1\0"), &set)); /* begins at 16384 */
    assert_false(decodes(SLICE_LIT("\1\0\x80\x80\1"), &set)); /* ends at 16384 */
    assert_false(decodes(SLICE_LIT("\1\1\xff\x7f"), &set));   /* the same, from 1 on */
    assert_false(decodes(SLICE_LIT("\x81\x40"), &set));       /* 8193 ranges */
    assert_false(decodes(SLICE_LIT("\1\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), &set));
    assert_false(decodes(SLICE_LIT("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0"), &set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_match_flags),
        cmocka_unit_test(ranges_at_every_border_of_a_word),
        cmocka_unit_test(random_pairs_match_flags),
        cmocka_unit_test(encodings_come_back),
        cmocka_unit_test(extreme_sets_come_back),
        cmocka_unit_test(forms_that_nobody_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
