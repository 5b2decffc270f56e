/* test_ranges - ranges against a second, naive implementation.
 *
 * Does:   random sets and removals beside an array indexed by actor; the limit.
 * Not:    bytes: test_msg.c.
 * Holds:  N1, N2 of ranges.h, after each change.
 * Limits: -
 * See:    src/wire/ranges.h.
 */
#include "gen.h"

#define ACTORS (LIMIT_ACTORS + 40)

struct naive {
    struct range by_actor[ACTORS + 1]; /* high 0: none */
    uint32_t count;                    /* how many there are */
};

static bool naive_set(struct naive *naive, uint32_t actor, uint64_t low, uint64_t high)
{
    struct range *range = &naive->by_actor[actor];
    bool there = range->high > 0;
    if (low > high) {
        naive->count -= there;
        *range = (struct range){0};
        return true;
    }
    if (!there && naive->count == LIMIT_ACTORS)
        return false;
    naive->count += !there;
    *range = (struct range){actor, low, high};
    return true;
}

static void assert_same(const struct ranges *ranges, const struct naive *naive)
{
    ranges_check(ranges);
    assert_int_equal(ranges->count, naive->count);
    for (uint32_t actor = 1; actor <= ACTORS; actor++) {
        const struct range *range = ranges_get(ranges, actor);
        const struct range *expected = &naive->by_actor[actor];
        assert_int_equal(range != NULL, expected->high > 0);
        if (range != NULL)
            assert_true(range->actor == actor && range->low == expected->low &&
                        range->high == expected->high);
    }
}

static void test_against_naive(void **state)
{
    struct rng *rng = *state;
    uint32_t refused = 0;
    for (int round = 0; round < 20; round++) {
        struct naive naive = {0};
        struct ranges ranges, copy;
        ranges_init(&ranges);
        uint64_t removals = round == 0 ? 1 : 1 + rng_below(rng, 8); /* else they may all fit */
        for (uint32_t step = 0; step < 5 * LIMIT_ACTORS; step++) {
            uint32_t actor = 1 + (uint32_t)rng_below(rng, ACTORS);
            bool remove = rng_chance(rng, removals, 12);
            uint64_t high = gen_seq(rng);
            uint64_t low = remove ? high + 1 : rng_between(rng, 1, high);
            bool fits = naive_set(&naive, actor, low, high);
            assert_int_equal(ranges_set(&ranges, actor, low, high), fits);
            refused += !fits;
            if (step % 16 == 0)
                assert_same(&ranges, &naive);
        }
        assert_same(&ranges, &naive);
        ranges_copy(&copy, &ranges);
        assert_same(&copy, &naive);
    }
    assert_true(refused > 0);
}

static void test_full_changes_nothing(void **state)
{
    (void)state;
    struct ranges ranges;
    ranges_init(&ranges);
    for (uint32_t i = 1; i <= LIMIT_ACTORS; i++)
        assert_true(ranges_set(&ranges, 2 * i, i, LIMIT_SEQ));
    assert_false(ranges_set(&ranges, 1, 1, 1));
    assert_false(ranges_set(&ranges, UINT32_MAX, 1, 1));
    assert_int_equal(ranges.count, LIMIT_ACTORS);
    ranges_check(&ranges);
    assert_true(ranges_set(&ranges, 2, 7, 9)); /* there already */
    assert_true(ranges_get(&ranges, 2)->low == 7);
    assert_true(ranges_set(&ranges, 1, 2, 1)); /* nothing to remove */
    assert_true(ranges_set(&ranges, 4, 2, 1));
    assert_true(ranges_set(&ranges, UINT32_MAX, 1, 1));
    assert_null(ranges_get(&ranges, 4));
    assert_null(ranges_get(&ranges, 0));
    ranges_check(&ranges);
}

int main(void)
{
    struct rng rng = gen_rng();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_against_naive, &rng),
        cmocka_unit_test(test_full_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
