/* test_ready - when a node that has just started may be told to be ready.
 *
 * Does:   starts one of four again, with the other shard at hand, cut off from it, and down.
 * Not:    how it is asked: tests/unit/server/test_render.c.
 * Holds:  -
 * Limits: -
 * See:    node.h, node_is_ready.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SUSPECT_MS 1000U /* the default */

static bool is_ready(const struct mini *mini, uint32_t index)
{
    struct buf why = BUF_EMPTY;
    bool ready = node_is_ready(mini->nodes[index]);
    node_why_not(mini->nodes[index], &why);
    assert_int_equal(ready, why.len == 0);
    buf_fini(&why);
    return ready;
}

static void start_again(struct mini *mini, uint32_t index)
{
    mini_kill(mini, index);
    mini_run(mini, 3000);
    mini_start(mini, index);
}

/* From when it says that it is ready no request fails for want of a shard. */
static void every_shard_is_reached(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 4, 2));
    start_again(&mini, 0);
    uint64_t start_ms = mini.now_ms;
    while (!is_ready(&mini, 0))
        mini_run(&mini, 1);
    assert_in_range(mini.now_ms - start_ms, 0, SUSPECT_MS);
    for (uint32_t i = 0; i < 10; i++) {
        char key[2] = {(char)('a' + i), '\0'};
        assert_int_equal(mini_ask(&mini, 0, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
    }
    mini_fini(&mini);
}

/* It serves what it has, and waits a while for the others. */
static void not_for_ever(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 4, 2));
    mini_kill(&mini, 2);
    mini_kill(&mini, 3);
    start_again(&mini, 0);
    uint64_t start_ms = mini.now_ms;
    mini_run(&mini, SUSPECT_MS);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    assert_false(is_ready(&mini, 0));
    while (!is_ready(&mini, 0))
        mini_run(&mini, 1);
    assert_in_range(mini.now_ms - start_ms, SUSPECT_MS, 2 * SUSPECT_MS + 10);
    /* A cut later on changes nothing. */
    mini_cut(&mini, 0, true);
    mini_run(&mini, 5000);
    assert_true(is_ready(&mini, 0));
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shard_is_reached),
        cmocka_unit_test(not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
