/* test_config_fork - a new history of what is there, while slots move.
 *
 * Does:   who was leaving a transit when nobody remembers; that as many as there may be are let in.
 * Not:    shards: test_config_leave. Data: tests/unit/node/test_anew.
 * Holds:  -
 * Limits: -
 * See:    placement/config_change.h; docs/protocol.md 6.6.
 */
#include "unit/placement/play.h"

/* `members` in two shards, of which the first has `first` slots, on the way to so many shards: who
 * gave slots leaves the transit. */
static struct play on_the_way(uint32_t members, uint32_t first, uint32_t shards)
{
    enum err err = E_MALFORMED;
    bool alive[LIMIT_MEMBERS];
    struct first_start *start = mem_zalloc(1, sizeof(*start));
    start->lineage = 5;
    start->shard_count = 2;
    start->member_count = members;
    for (uint32_t i = 0; i < members; i++) {
        start->members[i].node_id = 100 + i;
        start->members[i].address = address_at(i);
        alive[i] = true;
    }
    struct play play = {.config = config_first(start, &err), .in_order = true};
    mem_free(start);
    slotset_init(&play.config->shards[0].slots);
    slotset_init(&play.config->shards[1].slots);
    slotset_add_range(&play.config->shards[0].slots, 0, first - 1);
    slotset_add_range(&play.config->shards[1].slots, first, LIMIT_SLOTS - 1);
    config_index(play.config);
    struct config *next = config_reshard(play.config, shards, alive, &err);
    play_take(&play, next, &(struct act){.kind = ACT_STEP});
    while (config_count(play.config, 2, MEMBER_LEAVING) == 0)
        assert_true(play_once(&play));
    return play;
}

/* All directories are copies. */
static void all_come(struct play *play)
{
    enum err err = E_MALFORMED;
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS};
    for (uint32_t i = 0; i < play->config->member_count; i++) {
        fork.fates[i] = FATE_EMPTY;
        fork.node_ids[i] = 900 + i;
    }
    struct config *next = config_fork(play->config, &fork, &err);
    assert_int_equal(err, E_OK);
    play_take(play, next, &(struct act){.kind = ACT_OTHER});
}

/* What they have of it may be the newest: they merge with the others, and leave again. */
static void who_was_leaving_a_transit_comes_back_to_it(void **state)
{
    (void)state;
    struct play play = on_the_way(4, LIMIT_SLOTS / 2, 1);
    all_come(&play);
    assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), 4);
    while (config_count(play.config, 2, MEMBER_LEAVING) == 0)
        assert_true(play_once(&play));
    assert_int_equal(config_count(play.config, 2, MEMBER_LEAVING), 2);
    play_on(&play, 1000);
    ASSERT_WORDS(play.config, "A0 A0 A0 A0");
    assert_int_equal(play.config->wanted_shards, 0);
    config_free(play.config);
}

/* There is no room for all of their actors: it goes on without what they have of it. */
static void rather_without_it_than_not_at_all(void **state)
{
    (void)state;
    struct play play = on_the_way(LIMIT_MEMBERS, 10, 2);
    all_come(&play);
    assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), LIMIT_MEMBERS / 2);
    config_free(play.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_leaving_a_transit_comes_back_to_it),
        cmocka_unit_test(rather_without_it_than_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
