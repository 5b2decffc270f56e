/* test_removed - a node that was taken off the list, and comes back with its directory.
 *
 * Does:   stories of how many writes only it has: some, none, not known yet; that they are not
 *         dropped when its address is listed again.
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

static void start_all(struct mini *mini)
{
    mini_init(mini, NODES, 2);
    for (uint32_t i = 0; i < NODES; i++)
        mini_start(mini, i);
    mini_run(mini, 3000);
}

static void count_says(void *arg, const struct trace_event *event)
{
    uint32_t *says = arg;
    *says += event->id == TRACE_ONLY_HERE ? 1 : 0;
}

/* So many writes at it, to keys of its shard. */
static void write_at(struct mini *mini, uint32_t count, const char *prefix)
{
    char key[24];
    for (uint32_t i = 0; count > 0; i++) {
        snprintf(key, sizeof(key), "%s%u", prefix, i);
        if (config_shard_of_slot(node_config(mini->nodes[1]), slot_of(slice_str(key))) != 0)
            continue;
        assert_int_equal(mini_ask(mini, GONE, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
        count--;
    }
}

static const char *address(const struct mini *mini)
{
    return mini->options[GONE].address.text;
}

/* It dies, is taken off the list, and starts again with what it has. */
static void die_and_return(struct mini *mini)
{
    mini_kill(mini, GONE);
    mini_run(mini, 3000);
    assert_int_equal(mini_ask(mini, 4, OP_VIEW_REMOVE, address(mini), NULL, SLICE_EMPTY)->err,
                     E_OK);
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
    start_all(&mini);
    mini.options[GONE].tracer = (struct tracer){count_says, &told};
    write_at(&mini, 5, "all");
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_at(&mini, ALONE, "alone");
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

/* Nothing is lost with its directory: listed again, it comes in by itself. */
static void none_only_here(void **state)
{
    (void)state;
    struct mini mini;
    uint64_t count = 9;
    start_all(&mini);
    write_at(&mini, 5, "all");
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
    start_all(&mini);
    write_at(&mini, 5, "all");
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
    start_all(&mini);
    write_at(&mini, 5, "all");
    mini_run(&mini, 1000);
    mini_cut(&mini, GONE, true);
    mini_run(&mini, 3000);
    write_at(&mini, ALONE, "alone");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_only_here),
        cmocka_unit_test(none_only_here),
        cmocka_unit_test(handed_over),
        cmocka_unit_test(not_known_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
