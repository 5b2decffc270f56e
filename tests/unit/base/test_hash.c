/* test_hash - the door to xxHash leads to XXH3.
 *
 * Does:   the published value of nothing; that every bit and the seed count.
 * Not:    the quality of the hash.
 * Holds:  -
 * Limits: -
 * See:    base/hash.h; the test vectors of xxHash.
 */
#include "unit.h"

static void nothing_has_its_published_value(void **state)
{
    (void)state;
    assert_int_equal(hash_bytes(SLICE_LIT("")), 0x2d06800538d394c2);
    assert_int_equal(hash_bytes(SLICE_EMPTY), 0x2d06800538d394c2);
    assert_int_equal(hash_seeded(SLICE_EMPTY, 0), 0x2d06800538d394c2);
}

/* Lengths on both sides of the borders at which XXH3 changes its way (16, 128, 240). */
static void every_bit_and_the_seed_count(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 3, 4, 8, 9, 16, 17, 128, 129, 240, 241, 300};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint8_t bytes[300] = {0};
        struct slice all = slice_of(bytes, lengths[i]);
        uint64_t before = hash_bytes(all);
        assert_int_equal(hash_seeded(all, 0), before);
        assert_int_not_equal(hash_seeded(all, 1), before);
        assert_int_not_equal(hash_bytes(slice_of(bytes, lengths[i] - 1)), before);
        for (size_t bit = 0; bit < lengths[i] * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_not_equal(hash_bytes(all), before);
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_its_published_value),
        cmocka_unit_test(every_bit_and_the_seed_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
