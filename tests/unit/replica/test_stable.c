/* test_stable - what other shards call stable, by who they are.
 *
 * Does:   a shard's place in the configuration changes, its slots do, it goes: what it said counts
 *         for it, or not at all.
 * Not:    the own shard's members: test_traps.c, test_fill.c.
 * Holds:  R4, T33.
 * Limits: -
 * See:    docs/protocol.md section 5.
 */
#include "world.h"

/* Three shards of two; the one site is the first member of s0. */
static struct world *world_of_shards(void)
{
    static struct world world;
    world_init_shards(&world, 1, 6, 3, PLANT_NONE);
    return &world;
}

static void decide_here(struct world *world, struct config *next)
{
    assert_true(decide(world, next));
    adopt(world, 0, next);
}

static uint64_t stable_here(const struct world *world, uint32_t actor)
{
    return vv_get(replicas_stable(world->sites[0].set), actor);
}

/* A member of the shard at this place of the configuration. */
static const struct member *member_in(const struct config *config, uint32_t shard)
{
    uint32_t i = 0;
    while (i < config->member_count - 1 && config->members[i].shard != shard)
        i++;
    assert_int_equal(config->members[i].shard, shard);
    return &config->members[i];
}

static bool say(struct world *world, uint64_t from, uint32_t id, uint64_t epoch, uint32_t actor,
                uint64_t seq)
{
    struct msg_stable msg = {.shard = id, .epoch = epoch};
    vv_init(&msg.stable);
    assert_true(vv_set(&msg.stable, actor, seq));
    return replicas_recv_stable(world->sites[0].set, from, &msg);
}

/* The shard at place 1 goes, its slots go to the first one; the one at place 2 moves up. */
static struct config *without_second(const struct config *config)
{
    struct config *next = config_dup(config);
    next->epoch++;
    slotset_merge(&next->shards[0].slots, &next->shards[1].slots);
    next->shards[1] = next->shards[2];
    next->shard_count = 2;
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        if (member->shard == 1) {
            member->shard = SHARD_NONE;
            member->state = MEMBER_SPARE;
            member->actor = 0;
        } else if (member->shard == 2) {
            member->shard = 1;
        }
    }
    config_index(next);
    return next;
}

static void reports_follow_their_shard(void **state)
{
    (void)state;
    struct world *world = world_of_shards();
    const struct config *config = newest(world);
    const struct member *second = member_in(config, 1);
    const struct member *third = member_in(config, 2);
    uint32_t actor = third->actor;
    uint32_t second_id = config->shards[1].id;
    uint32_t third_id = config->shards[2].id;
    assert_true(say(world, third->node_id, third_id, 1, actor, 7));
    assert_int_equal(stable_here(world, actor), 7);
    assert_true(say(world, second->node_id, second_id, 1, actor, 100)); /* nobody asked it */
    assert_int_equal(stable_here(world, actor), 7);

    struct config *next = without_second(config);
    decide_here(world, next);
    assert_int_equal(stable_here(world, actor), 7);
    /* They have not learnt it yet. */
    assert_true(say(world, second->node_id, second_id, 1, actor, 100));
    assert_int_equal(stable_here(world, actor), 7);
    assert_true(say(world, third->node_id, third_id, 1, actor, 8));
    assert_int_equal(stable_here(world, actor), 8);
    /* Nobody who knows it says so. */
    assert_false(say(world, second->node_id, second_id, 2, actor, 100));
    world_fini(world);
}

/* A shard that has other slots must say it anew: of an actor of these it may have covered less. */
static void other_slots_say_nothing(void **state)
{
    (void)state;
    struct world *world = world_of_shards();
    const struct config *config = newest(world);
    const struct member *third = member_in(config, 2);
    uint32_t third_id = config->shards[2].id;
    assert_true(say(world, third->node_id, third_id, 1, third->actor, 7));
    struct config *next = config_dup(config);
    next->epoch++;
    uint32_t slot = slotset_next(&next->shards[1].slots, 0);
    slotset_remove(&next->shards[1].slots, slot);
    slotset_add(&next->shards[2].slots, slot);
    config_index(next);
    decide_here(world, next);
    assert_int_equal(stable_here(world, third->actor), 0);
    assert_true(say(world, third->node_id, third_id, 2, third->actor, 7));
    assert_int_equal(stable_here(world, third->actor), 7);
    world_fini(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_follow_their_shard),
        cmocka_unit_test(other_slots_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
