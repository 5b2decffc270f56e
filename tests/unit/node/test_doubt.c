/* test_doubt - a node in doubt has what it had acknowledged, wherever that is wanted now.
 *
 * Does:   the story of a node that was cut off while slots left it, and its machine stopped; that
 *         of two of six that are left after a power cut of all, both in doubt.
 * Not:    places in a configuration: tests/unit/placement/test_config_move.c.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.3, section 7.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 8U
#define GIVER 6U /* with the last one in the shard that is to go */
#define KEYS 20U

/* A transit in which it serves, as it knows it, when nothing is left for it to seal; SHARD_NONE. */
static uint32_t transit_of_giver(const struct mini *mini)
{
    const struct config *config = node_config(mini->nodes[GIVER]);
    uint64_t id = node_id(mini->nodes[GIVER]);
    struct place place;
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config->retired[i].node_id == id)
            return SHARD_NONE;
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++)
        if (config_place(config, i, id, &place) && place.state == MEMBER_ACTIVE)
            return i;
    return SHARD_NONE;
}

static const char *key_in(const struct config *config, uint32_t shard, uint32_t n)
{
    static _Thread_local char key[24];
    for (uint32_t i = 0;; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        if (config_shard_of_slot(config, slot_of(slice_str(key))) == shard && n-- == 0)
            return key;
    }
}

/* Connections of the giver with all others in the transit. */
static void ways_in(struct mini *mini, const struct config *config, uint32_t transit,
                    enum mini_way way)
{
    struct place place;
    for (uint32_t i = 0; i < NODES; i++) {
        if (i == GIVER || !config_place(config, transit, node_id(mini->nodes[i]), &place))
            continue;
        mini_way(mini, GIVER, i, way);
        mini_way(mini, i, GIVER, way);
    }
}

/* It does not hear that it is leaving the transit, and acknowledges alone. Those that have the
 * slots now hear of it only after it has another actor. */
static void what_it_had_in_a_transit_is_not_dropped(void **state)
{
    (void)state;
    struct mini mini;
    struct place place;
    assert_true(mini_start_all(&mini, NODES, 4));
    mini.async = true;
    mini.shard_id = 3;
    assert_int_equal(mini_ask(&mini, 0, OP_RESHARD, "", NULL, SLICE_EMPTY)->outcome, OUTCOME_BEGUN);
    while (transit_of_giver(&mini) == SHARD_NONE)
        mini_run(&mini, 1);
    struct config *config = config_dup(node_config(mini.nodes[GIVER]));
    uint32_t transit = transit_of_giver(&mini);
    uint64_t id = node_id(mini.nodes[GIVER]);
    mini_cut(&mini, GIVER, true);
    mini_run(&mini, 5000);
    assert_true(config_place(node_config(mini.nodes[0]), transit, id, &place));
    assert_int_equal(place.state, MEMBER_LEAVING);
    uint32_t actor = place.member->actor;
    for (uint32_t i = 0; i < KEYS; i++)
        assert_int_equal(
            mini_ask(&mini, GIVER, OP_PUT, key_in(config, transit, i), "1", SLICE_EMPTY)->err,
            E_OK);
    mini_run(&mini, 2000); /* they are synced */
    for (uint32_t i = KEYS; i < KEYS + 2; i++)
        mini_ask(&mini, GIVER, OP_PUT, key_in(config, transit, i), "1", SLICE_EMPTY);
    mini_power_cut(&mini, GIVER);
    mini_cut(&mini, GIVER, false);
    mini_start(&mini, GIVER);
    ways_in(&mini, config, transit, MINI_LATE);
    mini_run(&mini, 10000);
    assert_false(config_place_by_actor(node_config(mini.nodes[GIVER]), actor, &place));
    ways_in(&mini, config, transit, MINI_FLOWS);
    mini_run(&mini, 20000);
    assert_false(config_reshards(node_config(mini.nodes[0])));
    for (uint32_t i = 0; i < KEYS; i++) {
        const struct reply *reply =
            mini_ask(&mini, 0, OP_GET, key_in(config, transit, i), NULL, SLICE_EMPTY);
        assert_int_equal(reply->err, E_OK);
        assert_true(slice_equal(reply->value, slice_str("1")));
    }
    config_free(config);
    mini_fini(&mini);
}

/* Two that are both in doubt are no majority that could take the doubt from them: an operator has
 * to be able to tell them that the others are gone for good (I9). */
static void most_are_gone_after_a_power_cut(void **state)
{
    (void)state;
    struct mini mini;
    const char *gone = "10.10.0.3:8090,10.10.0.4:8090,10.10.0.6:8090,10.10.0.7:8090";
    assert_true(mini_start_all(&mini, 6, 2));
    assert_int_equal(mini_ask(&mini, 0, OP_PUT, "synced", "1", SLICE_EMPTY)->err, E_OK);
    mini_run(&mini, 3000);
    for (uint32_t i = 0; i < KEYS; i++) /* at both, and not synced before the cut */
        for (uint32_t index = 0; index < 6; index += 3)
            assert_int_equal(mini_ask(&mini, index, OP_PUT,
                                      key_in(node_config(mini.nodes[0]), index / 3, i), "1",
                                      SLICE_EMPTY)
                                 ->err,
                             E_OK);
    for (uint32_t i = 0; i < 6; i++) {
        mini_power_cut(&mini, i);
        mini.boot[i]++;
    }
    mini_start(&mini, 0);
    mini_start(&mini, 3);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_ASKING);
    assert_int_equal(node_phase(mini.nodes[3]), NODE_ASKING);
    const struct reply *reply = mini_ask(&mini, 3, OP_RECOVER, gone, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    assert_int_equal(node_phase(mini.nodes[3]), NODE_SERVING);
    reply = mini_ask(&mini, 3, OP_GET, "synced", NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_true(slice_equal(reply->value, slice_str("1")));
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_are_gone_after_a_power_cut),
        cmocka_unit_test(what_it_had_in_a_transit_is_not_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
