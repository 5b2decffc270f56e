/* test_removed - a node that was taken off the list, and comes back with its directory.
 *
 * Does:   stories of how many writes only it has: some, none, not known yet, of slots on their way;
 *         that they are not dropped when its address is listed again.
 * Not:    bringing them back: tests/unit/salvage.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.4.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 6U
#define GONE 0U
#define ALONE 7U /* writes that only it has */

static void count_says(void *arg, const struct trace_event *event)
{
    uint32_t *says = arg;
    *says += event->id == TRACE_ONLY_HERE ? 1 : 0;
}

/* The n-th key of a shard or transit as it knows it. */
static const char *key_in(const struct mini *mini, uint32_t shard, const char *prefix, uint32_t n)
{
    static _Thread_local char key[24];
    for (uint32_t i = 0;; i++) {
        snprintf(key, sizeof(key), "%s%u", prefix, i);
        if (config_shard_of_slot(node_config(mini->nodes[GONE]), slot_of(slice_str(key))) ==
                shard &&
            n-- == 0)
            return key;
    }
}

/* So many writes at it, to keys of a shard or transit in which it has a place. */
static void write_in(struct mini *mini, uint32_t shard, uint32_t count, const char *prefix)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *key = key_in(mini, shard, prefix, i);
        assert_int_equal(mini_ask(mini, GONE, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
    }
}

static const char *address(const struct mini *mini)
{
    return mini->options[GONE].address.text;
}

/* It dies, and is taken off the list. */
static void die_and_go(struct mini *mini)
{
    mini_kill(mini, GONE);
    mini_run(mini, 3000);
    assert_int_equal(mini_ask(mini, 4, OP_VIEW_REMOVE, address(mini), NULL, SLICE_EMPTY)->err,
                     E_OK);
}

/* And starts again with what it has, when its terms are closed. */
static void die_and_return(struct mini *mini)
{
    die_and_go(mini);
    mini_run(mini, 3000);
    assert_int_equal(node_config(mini->nodes[4])->retired_count, 0);
    mini_cut(mini, GONE, false);
    mini_start(mini, GONE);
    mini_run(mini, 3000);
    assert_int_equal(node_phase(mini->nodes[GONE]), NODE_REFUSED);
}

static void list_again(struct mini *mini)
{
    assert_int_equal(mini_ask(mini, 4, OP_VIEW_ADD, address(mini), NULL, SLICE_EMPTY)->err, E_OK);
    mini_run(mini, 3000);
}

static bool says(const struct mini *mini, const char *what)
{
    struct buf why = BUF_EMPTY;
    node_why_not(mini->nodes[GONE], &why);
    buf_u8(&why, 0);
    bool found = strstr((const char *)why.ptr, what) != NULL;
    buf_fini(&why);
    return found;
}

static void some_only_here(void **state)
{
    (void)state;
    struct mini mini;
    uint32_t told = 0;
    uint64_t count = 0;
    assert_true(mini_start_all(&mini, NODES, 2));
    mini.options[GONE].tracer = (struct tracer){count_says, &told};
    write_in(&mini, 0, 5, "all");
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_in(&mini, 0, ALONE, "alone");
    die_and_return(&mini);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, ALONE);
    assert_int_equal(told, 1);
    assert_true(says(&mini, "at most 7 of its writes nobody else has: thence salvage"));
    /* Its address is listed again: what it has stays, and it stays out, over a restart too. */
    uint64_t keys = table_live(node_table(mini.nodes[GONE]));
    list_again(&mini);
    mini_kill(&mini, GONE);
    mini_start(&mini, GONE);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    assert_int_equal(table_live(node_table(mini.nodes[GONE])), keys);
    assert_true(says(&mini, "at most 7 of its writes nobody else has"));
    mini_kill(&mini, GONE);
    mini_wipe(&mini, GONE);
    mini_start(&mini, GONE);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_SPARE);
    mini_fini(&mini);
}

static void count_checkpoints(void *arg, const struct trace_event *event)
{
    uint32_t *done = arg;
    *done += event->id == TRACE_CHECKPOINT_END ? 1 : 0;
}

/* A checkpoint has repeated what it alone has, and it wrote nothing after that: its log says of it
 * what it says of the writes of others. */
static void some_before_a_checkpoint(void **state)
{
    (void)state;
    struct mini mini;
    uint32_t done = 0;
    uint64_t count = 0;
    assert_true(mini_start_all(&mini, NODES, 2));
    write_in(&mini, 0, 5, "all");
    mini_run(&mini, 1000);
    mini_kill(&mini, GONE);
    mini.options[GONE].knobs.checkpoint_floor_bytes = 4096;
    mini.options[GONE].tracer = (struct tracer){count_checkpoints, &done};
    mini_start(&mini, GONE);
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    uint32_t alone = 0;
    done = 0;
    while (done == 0) {
        write_in(&mini, 0, 1, "alone");
        mini_run(&mini, 200);
        alone++;
    }
    die_and_return(&mini);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, alone);
    mini_kill(&mini, GONE);
    mini_start(&mini, GONE);
    mini_run(&mini, 3000);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, alone);
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    mini_fini(&mini);
}

/* Nothing is lost with its directory: listed again, it comes in by itself. */
static void none_only_here(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 9;
    assert_true(mini_start_all(&mini, NODES, 2));
    write_in(&mini, 0, 5, "all");
    mini_run(&mini, 1000);
    die_and_return(&mini);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, 0);
    assert_false(says(&mini, "nobody"));
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_SPARE);
    assert_false(node_only_here(mini.nodes[GONE], &count));
    mini_fini(&mini);
}

static void handed_over(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 9;
    assert_true(mini_start_all(&mini, NODES, 2));
    write_in(&mini, 0, 5, "all");
    assert_int_equal(mini_ask(&mini, 4, OP_VIEW_REMOVE, address(&mini), NULL, SLICE_EMPTY)->err,
                     E_OK);
    mini_run(&mini, 3000);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, 0);
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_SPARE);
    mini_fini(&mini);
}

/* It is back before its term is sealed: another of its shard is down. When that is up again, the
 * number is known. */
static void not_known_yet(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 0;
    assert_true(mini_start_all(&mini, NODES, 2));
    write_in(&mini, 0, 5, "all");
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_in(&mini, 0, ALONE, "alone");
    mini_kill(&mini, GONE);
    mini_kill(&mini, 1);
    mini_run(&mini, 3000);
    assert_int_equal(mini_ask(&mini, 4, OP_VIEW_REMOVE, address(&mini), NULL, SLICE_EMPTY)->err,
                     E_OK);
    mini_cut(&mini, GONE, false);
    mini_start(&mini, GONE);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    assert_false(node_only_here(mini.nodes[GONE], &count));
    assert_true(says(&mini, "the others are still finding out"));
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    mini_start(&mini, 1);
    mini_run(&mini, 5000);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, ALONE);
    mini_fini(&mini);
}

/* ---- while slots move ---- */

/* Seven nodes, and two shards that are to become three. */
static void begin_reshard(struct mini *mini)
{
    assert_true(mini_start_all(mini, NODES + 1, 2));
    write_in(mini, 0, 5, "all");
    mini_run(mini, 1000);
    mini->async = true;
    mini->shard_id = 3;
    assert_int_equal(mini_ask(mini, 4, OP_RESHARD, "", NULL, SLICE_EMPTY)->outcome, OUTCOME_BEGUN);
}

/* Index of a transit in which it serves, as it knows it; SHARD_NONE. */
static uint32_t own_transit(const struct mini *mini)
{
    const struct config *config = node_config(mini->nodes[GONE]);
    struct place place;
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++)
        if (config_place(config, i, node_id(mini->nodes[GONE]), &place) &&
            place.state == MEMBER_ACTIVE)
            return i;
    return SHARD_NONE;
}

static void some_of_a_transit(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 0;
    begin_reshard(&mini);
    while (own_transit(&mini) == SHARD_NONE)
        mini_run(&mini, 1);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_in(&mini, 0, ALONE, "alone");
    write_in(&mini, own_transit(&mini), 3, "alone");
    die_and_return(&mini);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_int_equal(count, ALONE + 3);
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    mini_fini(&mini);
}

/* The new shard has its members, and the cluster is at rest: next come transits. */
static bool is_about_to_split(const struct config *config)
{
    return config->shard_count == 3 && config_count(config, 2, MEMBER_ACTIVE) == 2 &&
           config_count(config, 0, MEMBER_LEAVING) + config_count(config, 1, MEMBER_LEAVING) == 0;
}

/* Of a term that it had: how many parts of it are sealed, of how many that are open. */
static uint32_t sealed_parts(const struct mini *mini, uint32_t actor, uint32_t *open)
{
    const struct config *config = node_config(mini->nodes[GONE]);
    uint32_t sealed = 0;
    *open = 0;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        *open += config->retired[i].actor == actor;
        sealed += config->retired[i].actor == actor && config->retired[i].state == RETIRED_SEALED;
    }
    return sealed;
}

/* Its last writes are in the term that ended with the split. Nobody hears it; it hears of that. It
 * is back while the parts of that term are sealed, one after the other. */
static void some_of_the_term_before(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 0;
    bool seen_between = false;
    begin_reshard(&mini);
    while (!is_about_to_split(node_config(mini.nodes[GONE])))
        mini_run(&mini, 1);
    assert_int_equal(own_transit(&mini), SHARD_NONE);
    uint32_t actor =
        config_member_by_id(node_config(mini.nodes[GONE]), node_id(mini.nodes[GONE]))->actor;
    for (uint32_t i = 1; i < mini.count; i++)
        mini_way(&mini, GONE, i, MINI_VOID);
    for (uint32_t i = 0; i < ALONE; i++)
        mini_begin(&mini, GONE, OP_PUT, key_in(&mini, 0, "alone", i), "1", SLICE_EMPTY);
    while (own_transit(&mini) == SHARD_NONE)
        mini_run(&mini, 1);
    die_and_go(&mini);
    for (uint32_t i = 1; i < mini.count; i++)
        mini_way(&mini, GONE, i, MINI_FLOWS);
    mini_start(&mini, GONE);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t open = 0;
        mini_run(&mini, 1);
        uint32_t sealed = sealed_parts(&mini, actor, &open);
        bool counted = node_only_here(mini.nodes[GONE], &count);
        assert_false(counted && (sealed < open || count != ALONE));
        seen_between = seen_between || (sealed > 0 && sealed < open);
    }
    assert_true(seen_between);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    mini_fini(&mini);
}

static bool has_ended_term(const struct config *config, uint64_t id)
{
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config->retired[i].node_id == id)
            return true;
    return false;
}

/* It was in doubt, and has another actor. What it wrote under the one before nobody has walked yet
 * when it is cut off again, and removed. */
static void some_of_a_term_in_doubt(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 0;
    assert_true(mini_start_all(&mini, NODES, 2));
    write_in(&mini, 0, 5, "all");
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_in(&mini, 0, ALONE, "alone");
    mini_run(&mini, 3000);
    for (uint32_t i = 0; i < 2; i++) /* the last of these is not on the disk */
        write_in(&mini, 0, 1, "late");
    mini_power_cut(&mini, GONE);
    mini.boot[GONE]++;
    mini_cut(&mini, GONE, false);
    mini_start(&mini, GONE);
    while (!has_ended_term(node_config(mini.nodes[GONE]), node_id(mini.nodes[GONE])))
        mini_run(&mini, 1);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    assert_int_equal(mini_ask(&mini, 4, OP_VIEW_REMOVE, address(&mini), NULL, SLICE_EMPTY)->err,
                     E_OK);
    mini_run(&mini, 3000);
    assert_int_equal(node_config(mini.nodes[4])->retired_count, 0);
    mini_cut(&mini, GONE, false);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    assert_true(node_only_here(mini.nodes[GONE], &count));
    assert_in_range(count, ALONE, ALONE + 2);
    list_again(&mini);
    assert_int_equal(node_phase(mini.nodes[GONE]), NODE_REFUSED);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_only_here),          cmocka_unit_test(some_before_a_checkpoint),
        cmocka_unit_test(none_only_here),          cmocka_unit_test(handed_over),
        cmocka_unit_test(not_known_yet),           cmocka_unit_test(some_of_a_transit),
        cmocka_unit_test(some_of_the_term_before), cmocka_unit_test(some_of_a_term_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
