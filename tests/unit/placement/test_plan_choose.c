/* test_plan_choose - the numbers of a plan against all that could be.
 *
 * Does:   which shards stay and how large they are to be, for all small sizes and for random
 *         ones, against an optimum found by trying every subset and every way to cut.
 * Not:    which members and slots: test_plan, test_plan_all.
 * Holds:  -
 * Limits: the optimum is by force: at most seven shards.
 * See:    placement/plan_parts.h.
 */
#include "unit/placement/plan_checks.h"

#include "placement/plan_parts.h"

#define SHARDS_MAX 7U

/* How much need not move at best: each staying shard gets the smaller size or, `larger` of all
 * that there will be, one more. By trying every subset of the staying ones as the larger. */
static uint32_t kept_by_force(const uint32_t *sizes, uint32_t count, unsigned staying,
                              uint32_t parts, struct plan_cut cut)
{
    uint32_t best = 0;
    uint32_t fresh = parts - (uint32_t)__builtin_popcount(staying);
    for (unsigned larger = 0; larger < 1U << count; larger++) {
        uint32_t larger_count = (uint32_t)__builtin_popcount(larger);
        uint32_t kept = 0;
        if ((larger & ~staying) != 0 || larger_count > cut.larger ||
            cut.larger - larger_count > fresh)
            continue;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t target = cut.size + (larger >> i & 1);
            if ((staying >> i & 1) != 0)
                kept += sizes[i] < target ? sizes[i] : target;
        }
        best = kept > best ? kept : best;
    }
    return best;
}

/* What the code keeps of one kind with these targets. */
static uint32_t kept_of(const uint32_t *sizes, const uint32_t *targets, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        kept += sizes[i] < targets[i] ? sizes[i] : targets[i];
    return kept;
}

static void assert_cut(const uint32_t *targets, const bool *stays, uint32_t labels,
                       struct plan_cut cut)
{
    uint32_t larger = 0;
    for (uint32_t i = 0; i < labels; i++) {
        assert_true(stays[i] ? targets[i] - cut.size <= 1 : targets[i] == 0);
        larger += stays[i] && targets[i] > cut.size;
    }
    assert_int_equal(larger, cut.larger);
}

struct optimum {
    uint32_t members; /* kept at best */
    uint32_t slots;   /* kept at best where so many members are */
};

static struct optimum optimum_by_force(const struct plan_sizes *sizes, uint32_t parts)
{
    struct optimum best = {0, 0};
    uint32_t stay_count = parts < sizes->count ? parts : sizes->count;
    for (unsigned staying = 0; staying < 1U << sizes->count; staying++) {
        if ((uint32_t)__builtin_popcount(staying) != stay_count)
            continue;
        uint32_t members =
            kept_by_force(sizes->members, sizes->count, staying, parts, sizes->members_cut);
        uint32_t slots =
            kept_by_force(sizes->slots, sizes->count, staying, parts, sizes->slots_cut);
        if (members > best.members || (members == best.members && slots > best.slots))
            best = (struct optimum){members, slots};
    }
    return best;
}

static void assert_optimal(struct plan_sizes *sizes, uint32_t members, uint32_t slots,
                           uint32_t parts)
{
    bool stays[LIMIT_SHARDS];
    uint32_t targets[LIMIT_SHARDS];
    uint32_t labels = parts > sizes->count ? parts : sizes->count;
    sizes->members_cut = plan__cut(members, parts);
    sizes->slots_cut = plan__cut(slots, parts);
    plan__choose(sizes, parts < sizes->count ? parts : sizes->count, stays);
    for (uint32_t i = sizes->count; i < labels; i++)
        stays[i] = true;
    struct optimum best = optimum_by_force(sizes, parts);
    plan__targets(sizes->members, stays, labels, sizes->members_cut, targets);
    assert_cut(targets, stays, labels, sizes->members_cut);
    assert_int_equal(kept_of(sizes->members, targets, sizes->count), best.members);
    plan__targets(sizes->slots, stays, labels, sizes->slots_cut, targets);
    assert_cut(targets, stays, labels, sizes->slots_cut);
    assert_int_equal(kept_of(sizes->slots, targets, sizes->count), best.slots);
}

/* The next of all ways to have up to max in each; false after the last one. */
static bool next_sizes(uint32_t *sizes, uint32_t count, uint32_t max)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sizes[i] < max) {
            sizes[i]++;
            return true;
        }
        sizes[i] = 0;
    }
    return false;
}

static uint32_t sum_of(const uint32_t *sizes, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += sizes[i];
    return sum;
}

/* Every shard with up to 3 members and up to 4 slots, and up to 2 spares. */
static void every_small_cluster(void **state)
{
    (void)state;
    uint32_t cases = 0;
    for (uint32_t count = 1; count <= 3; count++) {
        struct plan_sizes sizes = {.count = count};
        do {
            do {
                for (uint32_t parts = 1; parts <= 4; parts++) {
                    for (uint32_t spares = 0; spares <= 2; spares++, cases++)
                        assert_optimal(&sizes, sum_of(sizes.members, count) + spares,
                                       sum_of(sizes.slots, count), parts);
                }
            } while (next_sizes(sizes.slots, count, 4));
        } while (next_sizes(sizes.members, count, 3));
    }
    print_message("%" PRIu32 " cases, each with the fewest moves\n", cases);
}

/* Many shards of few different sizes: so that which of equal members stays decides over slots. */
static void random_clusters(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 4000; round++) {
        struct plan_sizes sizes = {.count = (uint32_t)rng_between(&rng, 1, SHARDS_MAX)};
        uint64_t members_max = rng_between(&rng, 1, 6);
        uint64_t slots_max = rng_between(&rng, 1, 12);
        for (uint32_t i = 0; i < sizes.count; i++) {
            sizes.members[i] = (uint32_t)rng_between(&rng, 0, members_max);
            sizes.slots[i] = (uint32_t)rng_between(&rng, 0, slots_max);
        }
        uint32_t members =
            sum_of(sizes.members, sizes.count) + (uint32_t)rng_below(&rng, 4); /* spares */
        for (uint32_t parts = 1; parts <= SHARDS_MAX; parts++)
            assert_optimal(&sizes, members, sum_of(sizes.slots, sizes.count), parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_cluster),
        cmocka_unit_test(random_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
