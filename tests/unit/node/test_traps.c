/* test_traps - traps of membership, each with a planted bug that falls into it.
 *
 * Does:   two nodes that swap their addresses (T17); members that are dead, where reshard, removal
 *         and sealing must not wait for each other (T18, T38).
 * Not:    the plan alone: tests/unit/placement/test_plan.c. Other traps: docs/testing.md.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.4, 6.7, 7 and 9.
 *
 * Usage:  test_node_traps [BUG]: with the name of a planted bug, whether it spoils a story
 *         (tests/negative/run).
 */
#include "spoiled.h"

#define KEYS 40U

static void start(struct mini *mini, uint32_t count, uint32_t shards)
{
    mini_init(mini, count, shards);
    for (uint32_t i = 0; i < count; i++)
        mini->options[i].plant = planted;
    assert_true(mini_first_start(mini, count));
}

static void write_all(struct mini *mini, uint32_t index, const char *value)
{
    char key[16];
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(mini, index, OP_PUT, key, value, SLICE_EMPTY)->err, E_OK);
    }
}

static uint32_t count_right(struct mini *mini, uint32_t index, const char *value)
{
    char key[16];
    uint32_t right = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        const struct reply *reply = mini_ask(mini, index, OP_GET, key, NULL, SLICE_EMPTY);
        right += reply->err == E_OK && slice_equal(reply->value, slice_str(value)) ? 1 : 0;
    }
    return right;
}

/* As node 1 knows it. */
static uint64_t listed_at(const struct mini *mini, uint32_t index)
{
    const struct member *member = config_member_by_address(
        node_config(mini->nodes[1]), slice_str(mini->options[index].address.text));
    return member != NULL ? member->node_id : 0;
}

static enum err remove_listed(struct mini *mini, uint32_t asked, const char *addresses, bool force)
{
    mini->force = force;
    return mini_ask(mini, asked, OP_VIEW_REMOVE, addresses, NULL, SLICE_EMPTY)->err;
}

static enum err reshard(struct mini *mini, uint32_t asked, uint32_t shards)
{
    mini->shard_id = shards;
    return mini_ask(mini, asked, OP_RESHARD, "", NULL, SLICE_EMPTY)->err;
}

/* ---- stories ---- */

/* T17: two containers swap their addresses. Each is taken for who it is, wherever it is. */
static void addresses_are_swapped(void **state)
{
    (void)state;
    struct mini mini;
    start(&mini, 6, 2);
    write_all(&mini, 0, "1");
    mini_run(&mini, 1000);
    uint64_t ids[2] = {node_id(mini.nodes[0]), node_id(mini.nodes[4])};
    mini_kill(&mini, 0);
    mini_kill(&mini, 4);
    struct address swapped = mini.options[0].address;
    mini.options[0].address = mini.options[4].address;
    mini.options[4].address = swapped;
    mini_start(&mini, 0);
    mini_start(&mini, 4);
    mini_run(&mini, 6000);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(node_phase(mini.nodes[i]), NODE_SERVING);
    assert_int_equal(count_right(&mini, 0, "1"), KEYS);
    assert_int_equal(count_right(&mini, 4, "1"), KEYS);
    write_all(&mini, 1, "2");
    mini_run(&mini, 1000);
    assert_int_equal(count_right(&mini, 0, "2"), KEYS);
    assert_int_equal(count_right(&mini, 4, "2"), KEYS);
    assert_true(listed_at(&mini, 0) == ids[0]);
    assert_true(listed_at(&mini, 4) == ids[1]);
    assert_int_equal(node_config(mini.nodes[0])->retired_count, 0);
    mini_fini(&mini);
}

/* T18: three shards of two, and one member dies. Nobody can take its place, so it is not removed;
 * it is down, so no slots move. By force it is removed, and then three shards become two. */
static void three_shards_of_two(void **state)
{
    (void)state;
    struct mini mini;
    start(&mini, 6, 3);
    write_all(&mini, 0, "1");
    const char *dead = mini.options[3].address.text;
    mini_kill(&mini, 3);
    mini_run(&mini, 3000);
    assert_int_equal(remove_listed(&mini, 0, dead, false), E_TOO_FEW);
    assert_int_equal(reshard(&mini, 0, 2), E_MEMBER_DOWN);
    write_all(&mini, 0, "2"); /* its shard serves all the while */
    assert_int_equal(remove_listed(&mini, 0, dead, true), E_OK);
    mini_run(&mini, 3000);
    assert_int_equal(reshard(&mini, 0, 2), E_OK);
    assert_int_equal(node_config(mini.nodes[0])->shard_count, 2);
    assert_int_equal(count_right(&mini, 1, "2"), KEYS);
    mini_fini(&mini);
}

/* T38: of a shard of three one member dies, then another one, whose own old term waits for what the
 * first one has to report. The other shard has two. Slots do not move while something is retired,
 * and nobody can take the place of both; but by force they go, and then the old terms end without
 * them, and one shard is made of the three that are left. */
static void two_of_three_are_dead(void **state)
{
    (void)state;
    struct mini mini;
    char dead[2 * (LIMIT_ADDRESS_BYTES + 1)];
    start(&mini, 5, 2);
    write_all(&mini, 0, "1");
    snprintf(dead, sizeof(dead), "%s,%s", mini.options[1].address.text,
             mini.options[2].address.text);
    mini_kill(&mini, 2);
    mini_kill(&mini, 1);
    mini.boot[1]++; /* its machine went down: another actor */
    mini_start(&mini, 1);
    mini_run(&mini, 3000);
    mini_kill(&mini, 1);
    mini_run(&mini, 3000);
    assert_int_equal(node_config(mini.nodes[0])->retired_count, 1); /* 2 has not reported */
    assert_int_equal(remove_listed(&mini, 3, dead, false), E_TOO_FEW);
    assert_int_equal(reshard(&mini, 3, 1), E_UNSETTLED);
    write_all(&mini, 3, "2"); /* 0 serves all the while */
    assert_int_equal(remove_listed(&mini, 3, dead, true), E_OK);
    mini_run(&mini, 3000);
    assert_int_equal(node_config(mini.nodes[0])->retired_count, 0);
    assert_int_equal(reshard(&mini, 3, 1), E_OK);
    assert_int_equal(node_config(mini.nodes[0])->shard_count, 1);
    assert_int_equal(count_right(&mini, 4, "2"), KEYS);
    mini_fini(&mini);
}

static void all_ways(struct mini *mini, uint32_t index, enum mini_way way)
{
    for (uint32_t i = 0; i < mini->count; i++) {
        mini_way(mini, index, i, way);
        mini_way(mini, i, index, way);
    }
}

/* T45: while its proposal may come about, a request is not refused for what has changed since. */
static void not_refused_while_proposed(void **state)
{
    (void)state;
    struct mini mini;
    start(&mini, 5, 2);
    const char *address = mini.options[3].address.text;
    all_ways(&mini, 1, MINI_VOID);
    mini_begin(&mini, 1, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    mini_run(&mini, 2000); /* it believes nobody alive who could take the place */
    assert_false(mini.replied);
    all_ways(&mini, 1, MINI_FLOWS);
    const struct reply *reply = mini_wait(&mini);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_REMOVED);
    assert_int_equal(listed_at(&mini, 3), 0);
    /* Where none can come about, it is. */
    mini_cut(&mini, 1, true);
    mini_run(&mini, 3000);
    address = mini.options[0].address.text;
    assert_int_equal(remove_listed(&mini, 1, address, false), E_TOO_FEW);
    mini_fini(&mini);
}

int main(int argc, char **argv)
{
    static const struct spoiled stories[] = {
        {"ADDRESS_IS_NAME", cmocka_unit_test(addresses_are_swapped)},
        {"FORCE_IN_VAIN", cmocka_unit_test(three_shards_of_two)},
        {"REMOVAL_WAITS", cmocka_unit_test(two_of_three_are_dead)},
        {"REFUSED_MIDWAY", cmocka_unit_test(not_refused_while_proposed)},
    };
    return run_stories(stories, sizeof(stories) / sizeof(stories[0]), argc, argv);
}
