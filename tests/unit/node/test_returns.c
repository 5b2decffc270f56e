/* test_returns - a node that loses its memory again and again.
 *
 * Does:   stories of containers that restart empty in a loop: how fast epochs come, whether others
 *         fill up all the same, how fast a return is that is not one of many; of a node that asks
 *         for another actor twice, and has forgotten the first time (T24).
 * Not:    how long a pause is: tests/unit/placement/test_config_pause.c.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.3 (T37); docs/decisions/0024.
 *
 * Usage:  test_node_returns [BUG]: with the name of a planted bug, whether it spoils a story
 *         (tests/negative/run).
 */
#include "spoiled.h"

#define KEYS 200U
#define LOOPER 2U

static void start_three(struct mini *mini)
{
    char key[16];
    mini_init(mini, 3, 1);
    for (uint32_t i = 0; i < 3; i++) {
        mini->options[i].plant = planted;
        mini->options[i].knobs.walk_chunk_bytes = 2048; /* filling up takes many steps */
        mini_start(mini, i);
    }
    mini_run(mini, 3000);
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(mini, 0, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
    }
}

static void restart_empty(struct mini *mini, uint32_t index)
{
    if (mini->nodes[index] != NULL)
        mini_kill(mini, index);
    mini_wipe(mini, index);
    mini_start(mini, index);
}

static uint64_t epoch(const struct mini *mini)
{
    return node_config(mini->nodes[0])->epoch;
}

/* Node 0 has heard that this one is listed. */
static bool is_in_view(const struct mini *mini, uint32_t index)
{
    return config_member_by_id(node_config(mini->nodes[0]), node_id(mini->nodes[index])) != NULL;
}

/* How long until it is in the view, or serves; at most 100 s. */
static uint64_t time_to_view(struct mini *mini, uint32_t index)
{
    uint64_t since_ms = mini->now_ms;
    while (!is_in_view(mini, index) && mini->now_ms - since_ms < 100000)
        mini_run(mini, 1);
    return mini->now_ms - since_ms;
}

static uint64_t time_to_serve(struct mini *mini, uint32_t index)
{
    uint64_t since_ms = mini->now_ms;
    while (node_phase(mini->nodes[index]) != NODE_SERVING && mini->now_ms - since_ms < 100000)
        mini_run(mini, 1);
    return mini->now_ms - since_ms;
}

/* ---- stories ---- */

/* One that comes back now and then, and serves in between, never waits. */
static void now_and_then(void **state)
{
    (void)state;
    struct mini mini;
    start_three(&mini);
    for (uint32_t i = 0; i < 6; i++) {
        restart_empty(&mini, LOOPER);
        assert_true(time_to_view(&mini, LOOPER) < 300);
        assert_true(time_to_serve(&mini, LOOPER) < 2000);
        mini_run(&mini, 4000);
    }
    mini_fini(&mini);
}

/* The first ones in a row are fast as well: in the view within 2 s. */
static void a_few_in_a_row(void **state)
{
    (void)state;
    struct mini mini;
    start_three(&mini);
    for (uint32_t i = 0; i < 5; i++) {
        restart_empty(&mini, LOOPER);
        assert_true(time_to_view(&mini, LOOPER) < 2000);
    }
    mini_fini(&mini);
}

/* It dies as soon as it is let in, for two minutes: what it may is less and less. When that is over
 * it comes in all the same, and all is settled. */
static void dies_when_let_in(void **state)
{
    (void)state;
    struct mini mini;
    start_three(&mini);
    uint64_t before = epoch(&mini);
    uint64_t end_ms = mini.now_ms + 120000;
    uint32_t returns = 0;
    restart_empty(&mini, LOOPER);
    while (mini.now_ms < end_ms) {
        mini_run(&mini, 1);
        if (!is_in_view(&mini, LOOPER))
            continue;
        returns++;
        restart_empty(&mini, LOOPER);
        assert_true(returns <= 12);
    }
    assert_true(returns >= 8); /* 0, 1/8, 1/4, 1/2, 1, 2, 4, 8, 16, 32 s */
    assert_true(epoch(&mini) - before <= 3 * (uint64_t)returns + 3);
    assert_true(time_to_serve(&mini, LOOPER) < 62000);
    mini_run(&mini, 3000);
    assert_int_equal(node_config(mini.nodes[0])->retired_count, 0);
    mini_fini(&mini);
}

/* It lives for 400 ms, whether it was let in or not. Meanwhile another one comes back empty, fills
 * up in many steps and serves as fast as ever. */
static void another_fills_up(void **state)
{
    (void)state;
    struct mini mini;
    start_three(&mini);
    uint64_t before = epoch(&mini);
    uint64_t begin_ms = mini.now_ms;
    uint64_t other_ms = 0;
    for (uint32_t i = 0; i < 75; i++) {
        restart_empty(&mini, LOOPER);
        if (i == 25) {
            restart_empty(&mini, 1);
            other_ms = mini.now_ms;
        }
        mini_run(&mini, 400);
        if (other_ms != 0 && node_phase(mini.nodes[1]) == NODE_SERVING) {
            assert_true(mini.now_ms - other_ms <= 2800); /* it may lose a walk to LOOPER */
            other_ms = 0;
        }
    }
    assert_int_equal(other_ms, 0);
    /* In 30 s one return in 2 s, and the first few; each has an epoch in which it comes, one in
     * which it has filled up, and two for the actor that it leaves behind. And the other one's. */
    assert_int_equal(mini.now_ms - begin_ms, 30000);
    assert_true(epoch(&mini) - before <= 4 * (30 / 2 + 4 + 1));
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[LOOPER]), NODE_SERVING);
    mini_fini(&mini);
}

/* T24: a node in doubt is given another actor, adopts it, syncs that, and tells the others what it
 * has as that actor. Then its machine goes down, and the end of its log rots away, that adoption
 * with it. It is in doubt about the same term as before, and the actor that it finds "given" to it
 * now is one that it has borne: it must not take that for the answer. */
static void adoption_rots(void **state)
{
    (void)state;
    struct mini mini;
    size_t kept[64];
    start_three(&mini);
    mini_kill(&mini, LOOPER);
    mini.boot[LOOPER]++;
    for (uint32_t i = 0; i < 64; i++)
        kept[i] = mini.disks[LOOPER].segments[i].len;
    uint64_t last = mini.disks[LOOPER].last;
    uint32_t first = node_config(mini.nodes[0])->next_actor;
    mini_start(&mini, LOOPER);
    while (node_config(mini.nodes[0])->next_actor == first)
        mini_run(&mini, 1);
    assert_int_equal(node_phase(mini.nodes[LOOPER]), NODE_FILLING); /* it has adopted it */
    mini_kill(&mini, LOOPER);
    mini.boot[LOOPER]++;
    for (uint32_t i = 0; i < 64; i++)
        mini.disks[LOOPER].segments[i].len = i <= last ? kept[i] : 0;
    mini.disks[LOOPER].last = last;
    mini_start(&mini, LOOPER);
    mini_run(&mini, 4000);
    assert_int_equal(node_phase(mini.nodes[LOOPER]), NODE_SERVING);
    const struct member *self =
        config_member_by_id(node_config(mini.nodes[0]), node_id(mini.nodes[LOOPER]));
    assert_true(self->actor > first);
    mini_fini(&mini);
}

/* It says why it waits. */
static void says_that_it_waits(void **state)
{
    (void)state;
    struct mini mini;
    start_three(&mini);
    for (uint32_t i = 0; i < 6; i++) {
        restart_empty(&mini, LOOPER);
        time_to_view(&mini, LOOPER);
    }
    restart_empty(&mini, LOOPER);
    mini_run(&mini, 200);
    struct buf why = BUF_EMPTY;
    node_why_not(mini.nodes[LOOPER], &why);
    buf_u8(&why, 0);
    assert_non_null(strstr((const char *)why.ptr, "too often lately, and waits another "));
    buf_fini(&why);
    mini_fini(&mini);
}

int main(int argc, char **argv)
{
    static const struct spoiled stories[] = {
        {NULL, cmocka_unit_test(now_and_then)},
        {NULL, cmocka_unit_test(a_few_in_a_row)},
        {NULL, cmocka_unit_test(another_fills_up)},
        {NULL, cmocka_unit_test(says_that_it_waits)},
        {"RETURNS_UNPAUSED", cmocka_unit_test(dies_when_let_in)},
        {"ANY_ACTOR_ANSWERS", cmocka_unit_test(adoption_rots)},
    };
    return run_stories(stories, sizeof(stories) / sizeof(stories[0]), argc, argv);
}
