/* test_rng - random numbers that a seed repeats.
 *
 * Does:   the published numbers of splitmix64 and xoshiro256**; repetition; bounds, reached and
 *         not passed; even use of a bound; chances.
 * Not:    statistics beyond a coarse evenness.
 * Holds:  G1.
 * Limits: -
 * See:    base/rng.h.
 */
#include "unit.h"

static void published_numbers(void **state)
{
    (void)state;
    static const uint64_t splitmix[] = {6457827717110365317U, 3203168211198807973U,
                                        9817491932198370423U, 4593380528125082431U};
    static const uint64_t xoshiro[] = {11520, 0, 1509978240, 1215971899390074240};
    struct rng rng;
    rng_init(&rng, 1234567);
    assert_memory_equal(rng.state, splitmix, sizeof(splitmix));
    rng = (struct rng){{1, 2, 3, 4}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rng_u64(&rng), xoshiro[i]);
}

static void a_seed_repeats(void **state)
{
    (void)state;
    struct rng seeds = unit_rng();
    for (uint32_t round = 0; round < 100; round++) {
        uint64_t seed = round < 2 ? round : rng_u64(&seeds);
        struct rng a;
        struct rng b;
        struct rng other;
        rng_init(&a, seed);
        rng_init(&b, seed);
        rng_init(&other, seed + 1);
        uint32_t same_as_other = 0;
        for (uint32_t i = 0; i < 100; i++) {
            uint64_t value = rng_u64(&a);
            assert_int_equal(value, rng_u64(&b));
            same_as_other += value == rng_u64(&other);
        }
        assert_int_equal(same_as_other, 0);
        assert_true((a.state[0] | a.state[1] | a.state[2] | a.state[3]) != 0);
    }
}

static void bounds_are_reached_and_not_passed(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint64_t bound = 1; bound < 40; bound++) {
        uint32_t seen[40] = {0};
        for (uint32_t i = 0; i < 4000; i++) {
            uint64_t value = rng_below(&rng, bound);
            assert_true(value < bound);
            seen[value]++;
        }
        for (uint64_t value = 0; value < bound; value++)
            assert_in_range(seen[value], 4000 / bound / 3, 4000);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t high = rng_u64(&rng);
        uint64_t low = rng_below(&rng, high | 1);
        uint64_t value = rng_between(&rng, low, high | 1);
        assert_true(value >= low && value <= (high | 1));
        assert_int_equal(rng_between(&rng, low, low), low);
        assert_true(rng_between(&rng, UINT64_MAX - 1, UINT64_MAX) >= UINT64_MAX - 1);
        assert_true(rng_below(&rng, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
    expect_assert_failure(rng_below(&rng, 0));
    expect_assert_failure(rng_between(&rng, 2, 1));
}

/* Three quarters of 2^64 as the bound: a plain remainder would give the lowest quarter twice as
 * often as the others. */
static void a_great_bound_is_even(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t quarters[3] = {0};
    for (uint32_t i = 0; i < 30000; i++)
        quarters[rng_below(&rng, UINT64_C(3) << 62) >> 62]++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(quarters[i], 9300, 10700);
}

static void the_whole_range_is_used(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint64_t zeroes = UINT64_MAX;
    uint64_t ones = 0;
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t value = rng_between(&rng, 0, UINT64_MAX);
        zeroes &= value;
        ones |= value;
    }
    assert_int_equal(zeroes, 0);
    assert_int_equal(ones, UINT64_MAX);
}

static void chances_are_kept(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t hits = 0;
    for (uint32_t i = 0; i < 30000; i++) {
        assert_false(rng_chance(&rng, 0, 5));
        assert_true(rng_chance(&rng, 5, 5));
        hits += rng_chance(&rng, 1, 3);
    }
    assert_in_range(hits, 9300, 10700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test(bounds_are_reached_and_not_passed),
        cmocka_unit_test(a_great_bound_is_even),
        cmocka_unit_test(the_whole_range_is_used),
        cmocka_unit_test(chances_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
