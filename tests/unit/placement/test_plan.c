/* test_plan - plans, one by one.
 *
 * Does:   what a plan is for the clusters that people have; who comes, stays and goes; ids; every
 *         refusal, and that each has a way out (T18, T38).
 * Not:    all clusters: test_plan_all.
 * Holds:  -
 * Limits: -
 * See:    placement/plan.h.
 */
#include "unit/placement/plan_checks.h"

/* Members as one digit each: the shard of the plan, '-' for a spare. */
#define ASSERT_PLACES(plan, expected)                                                              \
    do {                                                                                           \
        char places[LIMIT_MEMBERS + 1] = {0};                                                      \
        for (uint32_t i = 0; i < (plan)->member_count; i++)                                        \
            places[i] = (plan)->members[i] == SHARD_NONE ? '-' : (char)('0' + (plan)->members[i]); \
        assert_string_equal(places, expected);                                                     \
    } while (0)

#define ASSERT_SLOTS(set, first, last)                                                             \
    do {                                                                                           \
        struct slotset range;                                                                      \
        slotset_init(&range);                                                                      \
        slotset_add_range(&range, first, last);                                                    \
        assert_true(slotset_equal(&(set), &range));                                                \
    } while (0)

static void two_shards_to_three_and_back(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1 A1");
    struct plan_wish wish = wish_of(3);
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "002112");
    assert_int_equal(plan->members_moved, 2);
    assert_int_equal(plan->slots_moved, 5461);
    ASSERT_SLOTS(plan->shards[0].slots, 0, 5461);
    ASSERT_SLOTS(plan->shards[1].slots, 10923, 16383);
    ASSERT_SLOTS(plan->shards[2].slots, 5462, 10922);
    struct config *three = config_after(config, plan);
    plan_free(plan);

    wish = wish_of(2);
    plan = planned(three, &wish);
    ASSERT_PLACES(plan, "001110");
    assert_int_equal(plan->members_moved, 2);
    ASSERT_SLOTS(plan->shards[0].slots, 0, 8191);
    ASSERT_SLOTS(plan->shards[1].slots, 8192, 16383);
    plan_free(plan);
    config_free(three);
    config_free(config);
}

/* Who moves has all of the new shard's slots already: nothing needs to be sent. */
static void a_shard_is_halved_by_its_own_members(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A0 A1 A1 A1 A1");
    struct plan_wish wish = wish_of(4);
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "00331122");
    ASSERT_SLOTS(plan->shards[2].slots, 8192, 12287);
    ASSERT_SLOTS(plan->shards[3].slots, 4096, 8191);
    plan_free(plan);
    config_free(config);
}

static void new_shards_have_the_least_free_ids(void **state)
{
    (void)state;
    static const uint32_t counts[] = {4, 1, 2, 3, 1, 4};
    struct config *config = cluster_of(2, "A0 A0 A0 A0 A1 A1 A1 A1");
    for (size_t round = 0; round < sizeof(counts) / sizeof(counts[0]); round++) {
        struct plan_wish wish = wish_of(counts[round]);
        config = resharded(config, &wish);
        for (uint32_t i = 0; i < config->shard_count; i++)
            assert_int_equal(config->shards[i].id, i); /* who is first stays */
    }
    config->shards[1].id = 7;
    config->shards[2].id = 2;
    config->shards[3].id = 0;
    config->shards[0].id = 1;
    struct plan_wish wish = wish_of(3);
    config = resharded(config, &wish); /* s0, the last one, goes */
    assert_int_equal(config_shard_by_id(config, 0), SHARD_NONE);
    wish = wish_of(4);
    config = resharded(config, &wish);
    assert_int_equal(config->shards[3].id, 0);
    config_free(config);
}

static void nothing_to_do(void **state)
{
    (void)state;
    static const char *const words[] = {"A0 A0 A1 A1", "A0 A0 A0 A1 A1 ??", "A0 S0 A1 S1 A1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct config *config = cluster_of(2, words[i]);
        struct plan_wish wish = wish_of(2);
        ASSERT_NOTHING(plan_new(config, &wish, &err));
        config_free(config);
    }
}

static void a_cluster_of_one_keeps_its_shard(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0");
    struct plan_wish wish = wish_of(1);
    ASSERT_NOTHING(plan_new(config, &wish, &err));
    wish.shard_count = 2;
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    config_free(config);
}

/* The same number of shards: spares come in, sizes become even. */
static void a_plan_may_only_balance(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A0 A1 A1 -- ??");
    struct plan_wish wish = wish_of(2);
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "0000111-");
    assert_int_equal(plan->members_moved, 0);
    assert_int_equal(plan->members_come, 1);
    assert_int_equal(plan->slots_moved, 0);
    plan_free(plan);
    config_free(config);
}

static void the_dead_become_spares(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1 A1 -- --");
    struct plan_wish wish = wish_of(2);
    wish.alive[1] = false;
    wish.alive[6] = false;
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "0-0111-0");
    assert_int_equal(plan->members_go, 1);
    assert_int_equal(plan->members_come, 1);
    assert_int_equal(plan->members_moved, 0);
    plan_free(plan);
    config_free(config);
}

/* Whoever joined last goes, but those that still fill up before anybody who has the data. */
static void the_active_stay(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "S0 A0 A0 A0 S1 A1 S1");
    struct plan_wish wish = wish_of(3);
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "2000112");
    plan_free(plan);
    config_free(config);
}

/* The shard that goes is the one with the fewest members; of equal ones, with the fewest slots;
 * then the last one. */
static void the_shard_that_moves_least_goes(void **state)
{
    (void)state;
    struct config *config = cluster_of(3, "A0 A0 A1 A1 A2 A2 A2");
    struct plan_wish wish = wish_of(2);
    struct plan *plan = planned(config, &wish);
    assert_int_equal(plan->shards[0].before, 0);
    assert_int_equal(plan->shards[1].before, 2);
    assert_int_equal(plan->members_moved, 2);
    plan_free(plan);
    for (uint32_t slot = 0; slot < 10; slot++) { /* the first has fewer slots than the second */
        slotset_remove(&config->shards[0].slots, slot);
        slotset_add(&config->shards[2].slots, slot);
    }
    config_index(config);
    plan = planned(config, &wish);
    assert_int_equal(plan->shards[0].before, 1);
    assert_int_equal(plan->shards[1].before, 2);
    plan_free(plan);
    config_free(config);
}

static void the_number_of_shards_has_bounds(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 A1 A1");
    struct plan_wish wish = wish_of(0);
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_SHARD_COUNT);
    wish.shard_count = LIMIT_SHARDS + 1; /* no cluster has so many nodes */
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    wish.shard_count = UINT32_MAX;
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    wish.shard_count = 3;
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    assert_string_equal(err_sentence(E_NODES_FEW), "Not enough nodes to provide fault tolerance "
                                                   "with requested shard count");
    assert_int_equal(err_http_status(E_NODES_FEW), 400);
    config_free(config);
}

/* The invited and the dead are no nodes that could provide fault tolerance. */
static void who_is_not_there_does_not_count(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 -- ??");
    struct plan_wish wish = wish_of(2);
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    config_free(config);
    config = cluster_of(1, "A0 A0 -- --");
    plan_free(planned(config, &wish));
    wish.alive[3] = false;
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    config_free(config);
}

static void one_change_after_the_other(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L0 A1 A1");
    struct plan_wish wish = wish_of(1);
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_LEAVING);
    APPLY(config, left_of(config, 102, &err));
    APPLY(config, config_renew(config, 101, 2, NOW_MS, &err)); /* in doubt: its actor is sealing */
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_UNSETTLED);
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 9, 9, NOW_MS, &err));
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_UNSETTLED);
    APPLY(config, config_closed(config, 2, SHARD_NONE, &err));
    plan_free(planned(config, &wish));
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1 A1");
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_LEAVING);
    config_free(config);
}

static void somebody_must_have_the_data(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 S0 S0 A1 A1");
    struct plan_wish wish = wish_of(1);
    wish.alive[0] = false;
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_LAST_ACTIVE);
    APPLY(config, config_activate(config, 101, 2, &err));
    plan_free(planned(config, &wish));
    config_free(config);
}

/* Shards without slots, as they come first when there are to be more: nobody has to be there. */
static void who_has_nothing_is_not_missed(void **state)
{
    (void)state;
    static const char *const words[] = {"A0 A0 A0 A1 A1 S2 S2", "A0 A0 A0 A1 A1 A2 A2"};
    for (size_t i = 0; i < 2; i++) {
        struct config *config = cluster_of(3, words[i]);
        slotset_merge(&config->shards[0].slots, &config->shards[2].slots);
        slotset_init(&config->shards[2].slots);
        config_index(config);
        struct plan_wish wish = wish_of(3);
        plan_free(planned(config, &wish));
        wish.alive[5] = false;
        plan_free(planned(config, &wish));
        wish.alive[6] = false;
        ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
        wish.shard_count = 2;
        plan_free(planned(config, &wish));
        config_free(config);
    }
}

/* What is on its way has to arrive first. */
static void transits_are_not_planned(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 A1");
    struct shard *transit = &config->shards[config->shard_count++];
    *transit = (struct shard){.id = SHARD_ID_TRANSIT | 6, .from = 0, .into = 1};
    slotset_add(&transit->slots, 0);
    slotset_remove(&config->shards[0].slots, 0);
    config_index(config);
    config_check(config);
    struct plan_wish wish = wish_of(1);
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_RESHARDING);
    config_free(config);
}

/* T18: three shards of two, one member is dead. It cannot be removed, three shards cannot be; but
 * two can. Then it can be removed as well. */
static void a_dead_member_does_not_refuse_every_way(void **state)
{
    (void)state;
    struct config *config = cluster_of(3, "A0 A0 A1 A1 A2 A2");
    struct address dead = address_at(3);
    struct removal removal = {.addresses = &dead, .address_count = 1};
    struct plan_wish wish = wish_of(3);
    wish.alive[3] = false;
    memcpy(removal.alive, wish.alive, sizeof(removal.alive));
    ASSERT_REFUSED(config_remove(config, &removal, &err), E_TOO_FEW);
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_NODES_FEW);
    wish.shard_count = 2;
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "000-11");
    plan_free(plan);
    config = resharded(config, &wish);
    APPLY(config, config_remove(config, &removal, &err));
    config_free(config);
}

/* T38: two of three members are dead, the other shard has two. Nobody can take the place of both,
 * but one shard can be made of the three that live. While a retired actor waits for what the dead
 * have, that has to wait too, until they are removed by force. */
static void two_dead_members_do_not_refuse_every_way(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1");
    struct address dead[] = {address_at(1), address_at(2)};
    struct removal removal = {.addresses = dead, .address_count = 2};
    struct plan_wish wish = wish_of(1);
    wish.alive[1] = false;
    wish.alive[2] = false;
    memcpy(removal.alive, wish.alive, sizeof(removal.alive));
    ASSERT_REFUSED(config_remove(config, &removal, &err), E_TOO_FEW);
    struct plan *plan = planned(config, &wish);
    ASSERT_PLACES(plan, "0--00");
    plan_free(plan);

    APPLY(config, config_renew(config, 100, 1, NOW_MS, &err));
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_UNSETTLED);
    config_free(config);
    config = cluster_of(2, "A0 A0 A0 A1 A1");
    APPLY(config, config_renew(config, 101, 2, NOW_MS, &err)); /* it dies in doubt */
    ASSERT_REFUSED(plan_new(config, &wish, &err), E_UNSETTLED);
    removal.force = true;
    APPLY(config, config_remove(config, &removal, &err));
    while (config->retired_count > 0) { /* the one that is left is the only keeper */
        uint32_t actor = config->retired[0].actor;
        APPLY(config, config_sealed(config, actor, SHARD_NONE, 9, 9, NOW_MS, &err));
        APPLY(config, config_closed(config, actor, SHARD_NONE, &err));
    }
    wish = wish_of(1);
    plan_free(planned(config, &wish));
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_shards_to_three_and_back),
        cmocka_unit_test(a_shard_is_halved_by_its_own_members),
        cmocka_unit_test(new_shards_have_the_least_free_ids),
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(a_cluster_of_one_keeps_its_shard),
        cmocka_unit_test(a_plan_may_only_balance),
        cmocka_unit_test(the_dead_become_spares),
        cmocka_unit_test(the_active_stay),
        cmocka_unit_test(the_shard_that_moves_least_goes),
        cmocka_unit_test(the_number_of_shards_has_bounds),
        cmocka_unit_test(who_is_not_there_does_not_count),
        cmocka_unit_test(one_change_after_the_other),
        cmocka_unit_test(somebody_must_have_the_data),
        cmocka_unit_test(who_has_nothing_is_not_missed),
        cmocka_unit_test(transits_are_not_planned),
        cmocka_unit_test(a_dead_member_does_not_refuse_every_way),
        cmocka_unit_test(two_dead_members_do_not_refuse_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
