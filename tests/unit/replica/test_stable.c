/* test_stable - what other shards call stable, by who they are.
 *
 * Does:   a shard's place in the configuration changes, its slots do, it goes: what it said counts
 *         for it, or not at all.
 * Not:    the own shard's members: test_traps.c, test_fill.c.
 * Holds:  R4, T33.
 * Limits: -
 * See:    docs/protocol.md section 5.
 */
#include "unit.h"

#include "replica/replica.h"

#define MEMBERS 6U

struct fixture {
    struct knobs knobs;      /* of the replica */
    struct config *config;   /* three shards of two; its actors are 1 to 6 */
    struct replica *replica; /* of the first member of s0 */
    struct table *table;     /* its */
    struct log *log;         /* its */
    struct outbox out;       /* its */
    struct metrics metrics;  /* its */
};

static void adopt(struct fixture *fixture, const struct config *config)
{
    struct replica_io io = {.out = &fixture->out,
                            .log = fixture->log,
                            .table = fixture->table,
                            .metrics = &fixture->metrics};
    replica_adopt(fixture->replica, config, &io);
}

static void open_fixture(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    struct first_start start;
    memset(&start, 0, sizeof(start));
    start.lineage = 42;
    start.shard_count = 3;
    start.member_count = MEMBERS;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        start.members[i].node_id = 100 + i;
        snprintf(start.members[i].address.text, sizeof(start.members[i].address.text),
                 "10.0.0.%u:1", i + 1);
    }
    enum err err = E_OK;
    fixture->config = config_first(&start, &err);
    assert_non_null(fixture->config);
    knobs_init(&fixture->knobs);
    fixture->table = table_new(1);
    fixture->log = log_new();
    outbox_init(&fixture->out);
    fixture->replica = replica_new(&fixture->knobs, PLANT_NONE, 100);
    adopt(fixture, fixture->config);
}

static void close_fixture(struct fixture *fixture)
{
    replica_free(fixture->replica);
    table_free(fixture->table);
    log_free(fixture->log);
    outbox_fini(&fixture->out);
    config_free(fixture->config);
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

static bool say(struct fixture *fixture, uint64_t from, uint32_t id, uint64_t epoch, uint32_t actor,
                uint64_t seq)
{
    struct msg_stable msg = {.shard = id, .epoch = epoch};
    vv_init(&msg.stable);
    assert_true(vv_set(&msg.stable, actor, seq));
    return replica_recv_stable(fixture->replica, from, &msg);
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
    struct fixture fixture;
    open_fixture(&fixture);
    const struct config *config = fixture.config;
    const struct member *second = member_in(config, 1);
    const struct member *third = member_in(config, 2);
    uint32_t actor = third->actor;
    uint32_t second_id = config->shards[1].id;
    uint32_t third_id = config->shards[2].id;
    assert_true(say(&fixture, third->node_id, third_id, 1, actor, 7));
    assert_int_equal(vv_get(replica_stable(fixture.replica), actor), 7);
    assert_true(say(&fixture, second->node_id, second_id, 1, actor, 100)); /* nobody asked it */
    assert_int_equal(vv_get(replica_stable(fixture.replica), actor), 7);

    struct config *next = without_second(config);
    adopt(&fixture, next);
    assert_int_equal(vv_get(replica_stable(fixture.replica), actor), 7);
    /* They have not learnt it yet. */
    assert_true(say(&fixture, second->node_id, second_id, 1, actor, 100));
    assert_int_equal(vv_get(replica_stable(fixture.replica), actor), 7);
    assert_true(say(&fixture, third->node_id, third_id, 1, actor, 8));
    assert_int_equal(vv_get(replica_stable(fixture.replica), actor), 8);
    /* Nobody who knows it says so. */
    assert_false(say(&fixture, second->node_id, second_id, 2, actor, 100));
    config_free(next);
    close_fixture(&fixture);
}

/* A shard that has other slots must say it anew: of an actor of these it may have covered less. */
static void other_slots_say_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture);
    const struct member *third = member_in(fixture.config, 2);
    uint32_t third_id = fixture.config->shards[2].id;
    assert_true(say(&fixture, third->node_id, third_id, 1, third->actor, 7));
    struct config *next = config_dup(fixture.config);
    next->epoch++;
    uint32_t slot = slotset_next(&next->shards[1].slots, 0);
    slotset_remove(&next->shards[1].slots, slot);
    slotset_add(&next->shards[2].slots, slot);
    config_index(next);
    adopt(&fixture, next);
    assert_int_equal(vv_get(replica_stable(fixture.replica), third->actor), 0);
    assert_true(say(&fixture, third->node_id, third_id, 2, third->actor, 7));
    assert_int_equal(vv_get(replica_stable(fixture.replica), third->actor), 7);
    config_free(next);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_follow_their_shard),
        cmocka_unit_test(other_slots_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
