/* test_acks - which writes may be acknowledged, while others wait.
 *
 * Does:   the story of a write that is under way when slots arrive, and of one behind it.
 * Not:    writes that nobody receipts: test_stories.c, tests/scenario.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md I5, section 7.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 6U

/* Slots on their way are with those who take them, and nothing is left but to join their shard. */
static bool is_about_to_join(const struct config *config)
{
    for (uint32_t i = 0; i < config->seat_count; i++) {
        const struct seat *seat = &config->seats[i];
        const struct member *member = config_member_by_id(config, seat->node_id);
        if (config->shards[member->shard].id != config->shards[seat->shard].into)
            return false;
    }
    return config->seat_count > 0 && config->retired_count == 0;
}

static const struct config *newest(const struct mini *mini)
{
    return node_config(mini->nodes[0]);
}

static bool is_seated(const struct config *config, uint64_t id)
{
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].node_id == id)
            return true;
    return false;
}

/* The next node, from this one on, that takes slots. */
static uint32_t taker(const struct mini *mini, uint32_t from)
{
    while (!is_seated(newest(mini), node_id(mini->nodes[from])))
        from++;
    return from;
}

/* A key of a slot that is on its way. */
static const char *moving_key(const struct config *config, uint32_t n)
{
    static _Thread_local char key[24];
    for (uint32_t i = 0;; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        uint32_t shard = config_shard_of_slot(config, slot_of(slice_str(key)));
        if (shard >= config_lasting_shards(config) && n-- == 0)
            return key;
    }
}

/* A write has not come to the other one when their term ends with the join: it has to be walked.
 * One of the new term has been receipted, and does not wait for that. */
static void receipted_behind_a_join(void **state)
{
    (void)state;
    struct mini mini;
    char behind[24];
    assert_true(mini_start_all(&mini, NODES, 2));
    mini.async = true;
    mini.shard_id = 3;
    assert_int_equal(mini_ask(&mini, 0, OP_RESHARD, "", NULL, SLICE_EMPTY)->outcome, OUTCOME_BEGUN);
    while (!is_about_to_join(newest(&mini)))
        mini_run(&mini, 1);
    uint32_t writer = taker(&mini, 0), other = taker(&mini, writer + 1);
    uint64_t id = node_id(mini.nodes[writer]);
    snprintf(behind, sizeof(behind), "%s", moving_key(newest(&mini), 1));
    mini_way(&mini, writer, other, MINI_VOID);
    mini_begin(&mini, writer, OP_PUT, moving_key(newest(&mini), 0), "1", SLICE_EMPTY);
    while (is_seated(node_config(mini.nodes[writer]), id))
        mini_run(&mini, 1);
    assert_false(mini.replied);
    mini_way(&mini, writer, other, MINI_FLOWS);
    mini.earlier = E_STOPPING; /* it has not been answered */
    mini_begin(&mini, writer, OP_PUT, behind, "1", SLICE_EMPTY);
    assert_int_equal(mini.earlier, E_STOPPING);
    assert_true(mini.replied);
    assert_int_equal(mini.reply.err, E_OK);
    mini_run(&mini, 1000);
    assert_int_equal(mini.earlier, E_OK);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(receipted_behind_a_join)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
