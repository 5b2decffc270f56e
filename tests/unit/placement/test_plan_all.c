/* test_plan_all - plans of every small cluster, and of any large one.
 *
 * Does:   all ways to have up to seven members, alive or not, in up to three shards or spare, with
 *         every number of shards wished for, against an optimum by trying every assignment; large
 *         random clusters against a bound; one plan after another; how long a plan takes.
 * Not:    single plans: test_plan. All numbers of slots: test_plan_choose.
 * Holds:  -
 * Limits: -
 * See:    placement/plan.h.
 */
#include "unit/placement/plan_checks.h"

#define MEMBERS_SMALL 7U
#define SHARDS_SMALL 3U

/* What was seen of many plans. */
struct tally {
    uint32_t plans;         /* made */
    uint32_t nothing;       /* all was as wished */
    uint32_t refused;       /* could not be */
    uint64_t members_moved; /* by the plans */
    uint64_t members_least; /* at best */
    uint64_t slots_moved;   /* by the plans */
    uint64_t slots_least;   /* at best */
};

static void tally_print(const char *what, const struct tally *tally)
{
    print_message("%s: %" PRIu32 " plans, %" PRIu32 " with nothing to do, %" PRIu32
                  " refused; members moved %" PRIu64 " (at best %" PRIu64 "), slots %" PRIu64
                  " (at best %" PRIu64 ")\n",
                  what, tally->plans, tally->nothing, tally->refused, tally->members_moved,
                  tally->members_least, tally->slots_moved, tally->slots_least);
}

/* How many slots have to move when these shards stay: each keeps up to its future size, and as
 * many as there are larger sizes keep one more if they have it. */
static uint32_t slots_bound(const struct config *config, const struct plan *plan)
{
    uint32_t size = LIMIT_SLOTS / plan->shard_count;
    uint32_t larger = LIMIT_SLOTS % plan->shard_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (plan->shards[i].before == SHARD_NONE)
            continue;
        uint32_t has = slotset_size(&config->shards[plan->shards[i].before].slots);
        kept += has < size ? has : size;
        if (has > size && larger > 0) {
            kept++;
            larger--;
        }
    }
    return LIMIT_SLOTS - kept;
}

/* --- every small cluster --- */

struct small {
    uint32_t shards;
    uint32_t alive[SHARDS_SMALL + 1]; /* by shard; then spares */
    uint32_t dead[SHARDS_SMALL + 1];
};

static void small_add(struct rng *rng, struct config *config, uint32_t shard, bool is_first)
{
    struct member *member = &config->members[config->member_count++];
    bool is_spare = shard == config->shard_count;
    member->node_id = 100 + config->member_count;
    member->address = address_at(config->member_count);
    member->shard = is_spare ? SHARD_NONE : shard;
    member->target = SHARD_NONE;
    member->actor = is_spare ? 0 : config->next_actor++;
    member->state = is_spare ? MEMBER_SPARE : MEMBER_ACTIVE;
    if (!is_spare && !is_first && rng_chance(rng, 1, 4))
        member->state = MEMBER_SYNCING;
}

/* In any order: the first one of each shard that is alive is active. */
static struct config *small_config(struct rng *rng, const struct small *small,
                                   struct plan_wish *wish)
{
    struct config *config = cluster_of(small->shards, "");
    struct small left = *small;
    uint32_t count = 0;
    memset(wish, 0, sizeof(*wish));
    for (uint32_t i = 0; i <= small->shards; i++)
        count += small->alive[i] + small->dead[i];
    for (; count > 0; count--) {
        uint32_t pick = (uint32_t)rng_below(rng, count);
        for (uint32_t i = 0; i <= small->shards; i++) {
            uint32_t here = left.alive[i] + left.dead[i];
            if (pick >= here) {
                pick -= here;
                continue;
            }
            bool alive = pick < left.alive[i];
            wish->alive[config->member_count] = alive;
            small_add(rng, config, i, alive && left.alive[i] == small->alive[i]);
            left.alive[i] -= alive;
            left.dead[i] -= !alive;
            break;
        }
    }
    config_check(config);
    return config;
}

/* Fewest moves when the shards of `staying` get the numbers 0, 1 … of the plan: tries every
 * assignment, as a number with a digit for each member that is alive. */
static uint32_t least_with(const struct config *config, const struct plan_wish *wish,
                           unsigned staying)
{
    uint32_t best = UINT32_MAX;
    uint32_t number[SHARDS_SMALL]; /* shard -> number in the plan, or SHARD_NONE */
    uint32_t places[MEMBERS_SMALL] = {0};
    for (uint32_t i = 0, next = 0; i < config->shard_count; i++)
        number[i] = (staying >> i & 1) != 0 ? next++ : SHARD_NONE;
    for (;;) {
        uint32_t sizes[SHARDS_SMALL] = {0};
        uint32_t moves = 0;
        uint32_t least = UINT32_MAX;
        uint32_t most = 0;
        for (uint32_t i = 0; i < config->member_count; i++) {
            uint32_t shard = config->members[i].shard;
            sizes[places[i]] += wish->alive[i];
            moves += wish->alive[i] && shard != SHARD_NONE && number[shard] != places[i];
        }
        for (uint32_t i = 0; i < wish->shard_count; i++) {
            least = sizes[i] < least ? sizes[i] : least;
            most = sizes[i] > most ? sizes[i] : most;
        }
        if (most - least <= 1 && moves < best)
            best = moves;
        uint32_t at = 0; /* count on, over the digits of the living */
        while (at < config->member_count && (!wish->alive[at] || ++places[at] == wish->shard_count))
            places[at++] = 0;
        if (at == config->member_count)
            return best;
    }
}

static uint32_t least_by_force(const struct config *config, const struct plan_wish *wish)
{
    uint32_t best = UINT32_MAX;
    bool shrinks = wish->shard_count < config->shard_count;
    uint32_t staying_count = shrinks ? wish->shard_count : config->shard_count;
    for (unsigned staying = 0; staying < 1U << config->shard_count; staying++) {
        if ((uint32_t)__builtin_popcount(staying) != staying_count)
            continue;
        uint32_t least = least_with(config, wish, staying);
        best = least < best ? least : best;
    }
    return best;
}

static enum err expected_of(const struct small *small, const struct config *config,
                            uint32_t shard_count)
{
    uint32_t alive = 0;
    bool served = true;
    for (uint32_t i = 0; i <= small->shards; i++) {
        alive += small->alive[i];
        served &= i == small->shards || small->alive[i] > 0;
    }
    if (alive < 2 * shard_count && !(config->member_count == 1 && shard_count == 1))
        return E_NODES_FEW;
    return served ? E_OK : E_LAST_ACTIVE;
}

static void try_small(struct rng *rng, const struct small *small, struct tally *tally)
{
    struct plan_wish wish;
    struct config *config = small_config(rng, small, &wish);
    for (wish.shard_count = 1; wish.shard_count <= MEMBERS_SMALL / 2 + 1; wish.shard_count++) {
        enum err err = E_MALFORMED;
        struct plan *plan = plan_new(config, &wish, &err);
        assert_int_equal(err, expected_of(small, config, wish.shard_count));
        tally->refused += err != E_OK;
        if (err != E_OK)
            continue;
        uint32_t least = least_by_force(config, &wish);
        if (plan == NULL) {
            assert_int_equal(least, 0);
            assert_int_equal(wish.shard_count, config->shard_count);
            tally->nothing++;
            continue;
        }
        assert_plan(config, &wish, plan);
        assert_int_equal(plan->members_moved, least);
        assert_int_equal(plan->slots_moved, slots_bound(config, plan));
        config_free(config_after(config, plan));
        tally->plans++;
        tally->members_moved += plan->members_moved;
        tally->members_least += least;
        tally->slots_moved += plan->slots_moved;
        tally->slots_least += slots_bound(config, plan);
        plan_free(plan);
    }
    config_free(config);
}

/* Every way to spread `left` members over the bins from `bin` on. */
static void spread(struct rng *rng, struct small *small, uint32_t bin, uint32_t left,
                   struct tally *tally)
{
    uint32_t bins = 2 * (small->shards + 1);
    uint32_t *count = bin % 2 == 0 ? &small->alive[bin / 2] : &small->dead[bin / 2];
    if (bin + 1 == bins) {
        *count = left;
        try_small(rng, small, tally);
        return;
    }
    for (*count = 0; *count <= left; ++*count)
        spread(rng, small, bin + 1, left - *count, tally);
    *count = 0;
}

static void every_small_cluster(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct tally tally = {0};
    for (uint32_t shards = 1; shards <= SHARDS_SMALL; shards++) {
        for (uint32_t members = 1; members <= MEMBERS_SMALL; members++) {
            struct small small = {.shards = shards};
            spread(&rng, &small, 0, members, &tally);
        }
    }
    tally_print("small clusters", &tally);
    assert_true(tally.plans > 1000);
}

/* --- large ones --- */

/* Slots of the shards: even ranges, some ranges, or each slot by itself. */
static void large_slots(struct rng *rng, struct config *config)
{
    uint64_t kind = rng_below(rng, 3);
    uint32_t last = 0;
    for (uint32_t i = 0; i < config->shard_count; i++)
        slotset_init(&config->shards[i].slots);
    for (uint32_t first = 0, i = 0; first < LIMIT_SLOTS; first = last + 1, i++) {
        uint64_t shard = kind == 0 ? i : rng_below(rng, config->shard_count);
        uint64_t run = kind == 0   ? LIMIT_SLOTS / config->shard_count + 1
                       : kind == 1 ? rng_between(rng, 1, 2000)
                                   : 1;
        last = first + run < LIMIT_SLOTS ? first + (uint32_t)run - 1 : LIMIT_SLOTS - 1;
        slotset_add_range(&config->shards[shard].slots, first, last);
    }
    config_index(config);
}

static struct config *large_config(struct rng *rng, uint32_t shards, uint32_t members)
{
    struct config *config = cluster_of(shards, "");
    large_slots(rng, config);
    for (uint32_t i = 0; i < members; i++) {
        bool is_first = i < shards;
        small_add(rng, config, is_first ? i : (uint32_t)rng_below(rng, shards + 1), is_first);
    }
    config_check(config);
    return config;
}

static int descending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left < right) - (left > right);
}

/* Fewest members that move: the largest shards stay, each keeps up to the smaller future size,
 * and as many as there are larger sizes keep one more if they have it. */
static uint32_t members_bound(const struct config *config, const struct plan_wish *wish)
{
    uint32_t alive = 0;
    uint32_t placed = 0;
    uint32_t sizes[LIMIT_SHARDS] = {0};
    for (uint32_t i = 0; i < config->member_count; i++) {
        alive += wish->alive[i];
        if (!wish->alive[i] || config->members[i].shard == SHARD_NONE)
            continue;
        placed++;
        sizes[config->members[i].shard]++;
    }
    qsort(sizes, config->shard_count, sizeof(sizes[0]), descending);
    uint32_t size = alive / wish->shard_count;
    uint32_t larger = alive % wish->shard_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < config->shard_count && i < wish->shard_count; i++) {
        uint32_t target = size + (i < larger);
        kept += sizes[i] < target ? sizes[i] : target;
    }
    return placed - kept;
}

static void any_large_cluster(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct tally tally = {0};
    for (uint32_t round = 0; round < 1500; round++) {
        uint32_t shards = (uint32_t)rng_between(&rng, 1, LIMIT_SHARDS);
        uint32_t members = (uint32_t)rng_between(&rng, shards, LIMIT_MEMBERS);
        struct config *config = large_config(&rng, shards, members);
        struct plan_wish wish = wish_of((uint32_t)rng_between(&rng, 1, members / 2 + 1));
        for (uint32_t i = shards; i < members; i++)
            wish.alive[i] = rng_chance(&rng, 9, 10);
        enum err err = E_MALFORMED;
        struct plan *plan = plan_new(config, &wish, &err);
        tally.refused += err != E_OK;
        tally.nothing += err == E_OK && plan == NULL;
        assert_true(err == E_OK || err == E_NODES_FEW || err == E_SHARD_COUNT);
        if (plan != NULL) {
            assert_plan(config, &wish, plan);
            assert_same_elsewhere(config, &wish, plan);
            assert_int_equal(plan->members_moved, members_bound(config, &wish));
            assert_int_equal(plan->slots_moved, slots_bound(config, plan));
            config_free(config_after(config, plan));
            tally.plans++;
            tally.members_moved += plan->members_moved;
            tally.members_least += members_bound(config, &wish);
            tally.slots_moved += plan->slots_moved;
            tally.slots_least += slots_bound(config, plan);
        }
        plan_free(plan);
        config_free(config);
    }
    tally_print("large clusters", &tally);
    assert_true(tally.plans > 500);
}

/* Whatever can be decoded: retired actors and leavers now and then, shards with nobody, any ids. */
static void any_valid_configuration(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct tally tally = {0};
    for (uint32_t round = 0; round < 20000; round++) {
        struct config *config = random_config(&rng);
        struct plan_wish wish = {.shard_count = (uint32_t)rng_below(&rng, 5)};
        bool rests = rng_chance(&rng, 3, 4);
        for (uint32_t i = 0; i < config->member_count; i++) {
            struct member *member = &config->members[i];
            wish.alive[i] = rng_chance(&rng, 9, 10);
            if (rests && member->state == MEMBER_LEAVING) {
                member->state = MEMBER_ACTIVE;
                member->target = SHARD_NONE;
            }
        }
        if (rests)
            config->retired_count = 0;
        enum err err = E_MALFORMED;
        struct plan *plan = plan_new(config, &wish, &err);
        tally.refused += err != E_OK;
        tally.nothing += err == E_OK && plan == NULL;
        if (plan != NULL) {
            tally.plans++;
            assert_plan(config, &wish, plan);
            assert_same_elsewhere(config, &wish, plan);
            config_free(config_after(config, plan));
        }
        plan_free(plan);
        config_free(config);
    }
    print_message("%" PRIu32 " plans, %" PRIu32 " refused\n", tally.plans, tally.refused);
    assert_true(tally.plans > 100);
}

/* --- one after the other --- */

static uint32_t ranges_of(const struct config *config)
{
    uint32_t ranges = 0;
    for (uint32_t i = 0; i < config->shard_count; i++)
        ranges += ranges_in(&config->shards[i].slots);
    return ranges;
}

/* Nodes die and come back, shards come and go: the cluster is even after each plan, and the slots
 * do not fall to pieces. */
static void up_and_down(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t ranges_max = 0;
    uint64_t ranges = 0;
    uint64_t shards = 0;
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t members = (uint32_t)rng_between(&rng, 4, LIMIT_MEMBERS);
        struct config *config = large_config(&rng, 1, members);
        for (uint32_t step = 0; step < 100; step++) {
            struct plan_wish wish = wish_of((uint32_t)rng_between(&rng, 1, members / 2));
            for (uint32_t i = 0; i < members; i++)
                wish.alive[i] = rng_chance(&rng, 19, 20);
            enum err err = E_MALFORMED;
            struct plan *plan = plan_new(config, &wish, &err);
            if (plan == NULL)
                continue;
            assert_plan(config, &wish, plan);
            struct config *next = config_after(config, plan);
            plan_free(plan);
            config_free(config);
            config = next;
            uint32_t now = ranges_of(config);
            ranges_max = now > ranges_max ? now : ranges_max;
            ranges += now;
            shards += config->shard_count;
        }
        config_free(config);
    }
    print_message("%.1f ranges a shard, at most %" PRIu32 " in a cluster\n",
                  (double)ranges / (double)shards, ranges_max);
    assert_true(ranges_max < 300);
}

/* --- how long it takes --- */

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* From every number of shards to every other, 64 members, each slot by itself. Says how long and
 * judges nothing: a machine may be busy. */
static void how_long_a_plan_takes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    uint64_t most = 0;
    uint64_t sum = 0;
    for (uint32_t from = 1; from <= LIMIT_SHARDS; from++) {
        struct config *config = large_config(&rng, from, LIMIT_MEMBERS);
        for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
            slotset_remove(&config->shards[config->owner[slot]].slots, slot);
            slotset_add(&config->shards[rng_below(&rng, from)].slots, slot);
        }
        config_index(config);
        for (uint32_t to = 1; to <= LIMIT_SHARDS; to++) {
            struct plan_wish wish = wish_of(to);
            uint64_t took = UINT64_MAX;
            for (uint32_t round = 0; round < 3; round++) {
                enum err err = E_MALFORMED;
                uint64_t start = now_ns();
                struct plan *plan = plan_new(config, &wish, &err);
                uint64_t ns = now_ns() - start;
                took = ns < took ? ns : took;
                plan_free(plan);
            }
            most = took > most ? took : most;
            sum += took;
        }
        config_free(config);
    }
    print_message("a plan takes %" PRIu64 " us, at most %" PRIu64 " us\n",
                  sum / LIMIT_SHARDS / LIMIT_SHARDS / 1000, most / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_cluster),     cmocka_unit_test(any_large_cluster),
        cmocka_unit_test(any_valid_configuration), cmocka_unit_test(up_and_down),
        cmocka_unit_test(how_long_a_plan_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
