/* test_stories - small stories of the whole node in a perfect world.
 *
 * Does:   first start of six nodes, a session that wanders, a cut-off replica, a crash and what
 *         comes back, a delete that stays deleted, a clean stop.
 * Not:    random faults: sim/.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md sections 3, 4 and 6.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint32_t entries_of(const struct mini *mini, struct slice token)
{
    struct ctx ctx;
    const struct config *config = node_config(mini->nodes[0]);
    assert_int_equal(token_decode(token, &config->token_key, &ctx), TOKEN_OK);
    return ctx.seen.count;
}

static void first_start(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    const struct config *config = node_config(mini.nodes[0]);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(node_shard(mini.nodes[i]), i / 3);
        assert_int_equal(node_config(mini.nodes[i])->lineage, config->lineage);
        for (uint32_t j = 0; j < 6; j++)
            assert_true(node_believes_alive(mini.nodes[i], node_id(mini.nodes[j])));
    }
    mini_fini(&mini);
}

static void wandering_session(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    struct slice token = SLICE_EMPTY;
    for (uint32_t i = 0; i < 600; i++) {
        char key[32];
        char value[32];
        snprintf(key, sizeof(key), "key-%u", i);
        snprintf(value, sizeof(value), "%u", i);
        const struct reply *reply = mini_ask(&mini, i % 6, OP_PUT, key, value, token);
        assert_int_equal(reply->err, E_OK);
        assert_int_equal(reply->outcome, OUTCOME_CREATED);
        assert_int_equal(reply->copies, 2);
        token = reply->token;
        reply = mini_ask(&mini, (i + 1) % 6, OP_GET, key, NULL, token);
        assert_int_equal(reply->err, E_OK);
        assert_true(slice_equal(reply->value, slice_str(value)));
        token = reply->token;
    }
    mini_run(&mini, 2000);
    const struct reply *reply = mini_ask(&mini, 3, OP_GET, "key-599", NULL, token);
    assert_int_equal(entries_of(&mini, reply->token), 0); /* I7: at rest nothing is left */
    uint64_t total = table_live(node_table(mini.nodes[0])) + table_live(node_table(mini.nodes[3]));
    assert_int_equal(total, 600);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(table_deps_count(node_table(mini.nodes[i])), 0);
    mini_fini(&mini);
}

static void cut_off_replica(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    const struct reply *reply = mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    mini_run(&mini, 1000);
    mini_cut(&mini, 2, true);
    mini_run(&mini, 50);
    /* It writes and reads for those whose context it covers, alone, and says so (I3, I5). */
    reply = mini_ask(&mini, 2, OP_PUT, "mine", "5", SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->copies, 1);
    reply = mini_ask(&mini, 2, OP_GET, "x", NULL, SLICE_EMPTY);
    assert_true(slice_equal(reply->value, SLICE_LIT("1")));
    /* A newer context gets 503 with what is missing, never the old value (I2). */
    mini_ask(&mini, 0, OP_PUT, "x", "2", SLICE_EMPTY);
    mini_ask(&mini, 1, OP_PUT, "x", "3", mini.reply.token);
    reply = mini_ask(&mini, 1, OP_PUT, "x", "4", mini.reply.token);
    struct buf token = BUF_EMPTY;
    buf_append_slice(&token, reply->token);
    reply = mini_ask(&mini, 2, OP_GET, "x", NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_NOT_COVERED);
    assert_int_equal(reply->waiting_count, 1);
    assert_int_equal(reply->waiting[0].behind_by, 3); /* of both writers */
    reply = mini_ask(&mini, 0, OP_DELETE, "x", NULL, buf_slice(&token));
    assert_int_equal(reply->outcome, OUTCOME_DELETED);
    mini_cut(&mini, 2, false);
    mini_run(&mini, 2000);
    for (uint32_t i = 0; i < 3; i++) {
        reply = mini_ask(&mini, i, OP_GET, "x", NULL, buf_slice(&token));
        assert_int_equal(reply->err, E_KEY_MISSING);
        reply = mini_ask(&mini, i, OP_GET, "mine", NULL, SLICE_EMPTY);
        assert_int_equal(reply->err, E_OK);
        assert_int_equal(table_tombstones(node_table(mini.nodes[i])), 0); /* purged */
    }
    buf_fini(&token);
    mini_fini(&mini);
}

static void crash_and_return(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    struct slice token = SLICE_EMPTY;
    for (uint32_t i = 0; i < 200; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%u", i % 50);
        if (i == 60)
            mini_kill(&mini, 1);
        if (i == 140)
            mini_start(&mini, 1);
        const struct reply *reply =
            mini_ask(&mini, i % 2 == 0 ? 0 : 2, OP_PUT, key, "\"v\"", token);
        assert_int_equal(reply->err, E_OK);
        token = reply->token;
    }
    mini_run(&mini, 2000);
    assert_int_equal(table_live(node_table(mini.nodes[1])), 50);
    assert_int_equal(vv_compare(node_coverage(mini.nodes[0]), node_coverage(mini.nodes[1])),
                     VV_EQUAL);
    mini_fini(&mini);
}

/* The writer's window is too small for what was missed: a tail walk brings it. */
static void tail_walk(void **state)
{
    (void)state;
    struct mini mini;
    mini_init(&mini, 3, 1);
    for (uint32_t i = 0; i < 3; i++)
        mini.options[i].knobs.window_bytes = 4096;
    assert_true(mini_first_start(&mini, 3));
    mini_cut(&mini, 1, true);
    mini_run(&mini, 1500);
    for (uint32_t i = 0; i < 500; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%u", i % 300);
        const struct reply *reply = mini_ask(&mini, i % 2 == 0 ? 0 : 2, OP_PUT, key,
                                             "\"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvv\"", SLICE_EMPTY);
        assert_int_equal(reply->err, E_OK);
    }
    mini_cut(&mini, 1, false);
    mini_run(&mini, 2000);
    assert_int_equal(table_live(node_table(mini.nodes[1])), 300);
    assert_int_equal(vv_compare(node_coverage(mini.nodes[0]), node_coverage(mini.nodes[1])),
                     VV_EQUAL);
    assert_true(node_metrics(mini.nodes[1])->walks_received > 0);
    mini_fini(&mini);
}

static void clean_stop(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    mini_ask(&mini, 1, OP_PUT, "x", "1", SLICE_EMPTY);
    struct event stop = {.type = EVENT_STOP, .mono_ms = mini.now_ms, .wall_ms = mini.now_ms};
    node_step(mini.nodes[1], &stop, mini.effects);
    mini_run(&mini, 500);
    assert_int_equal(mini.stopped, 1);
    mini_kill(&mini, 1);
    mini.boot[1]++; /* even another boot of the machine: the stop was clean */
    mini_start(&mini, 1);
    mini_run(&mini, 2000);
    assert_int_equal(node_phase(mini.nodes[1]), NODE_SERVING);
    mini_kill(&mini, 1);
    mini.boot[1]++; /* the machine crashed with an unsynced log: in doubt */
    mini_start(&mini, 1);
    mini_run(&mini, 2000);
    struct buf why = BUF_EMPTY;
    node_why_not(mini.nodes[1], &why);
    assert_true(why.len > 0 || node_phase(mini.nodes[1]) == NODE_SERVING);
    buf_fini(&why);
    mini_fini(&mini);
}

/* The shard that came for it stays, without slots. Who had asked for it must not be told that it is
 * done. */
static void resharding_is_cancelled(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    mini.shard_id = 3;
    mini_begin(&mini, 0, OP_RESHARD, "", NULL, SLICE_EMPTY);
    while (config_lasting_shards(node_config(mini.nodes[0])) < 3)
        mini_run(&mini, 1);
    assert_int_equal(mini_ask(&mini, 3, OP_RESHARD_CANCEL, "", NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_CANCELLED);
    mini_run(&mini, 5000);
    assert_int_equal(mini.earlier, E_CANCELLED);
    assert_int_equal(config_lasting_shards(node_config(mini.nodes[0])), 3);
    assert_false(config_is_even(node_config(mini.nodes[0])));
    mini_fini(&mini);
}

/* A node takes no more requests than MAX_REQUESTS; one that it has taken is not refused for want of
 * room when it goes on: its own place is about to be free. */
static void goes_on_at_the_limit(void **state)
{
    (void)state;
    struct mini mini;
    mini_init(&mini, 2, 1);
    mini.options[1].knobs.max_requests = 1;
    assert_true(mini_first_start(&mini, 2));
    mini_way(&mini, 0, 1, MINI_LATE);
    const struct reply *reply = mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY);
    assert_int_equal(reply->outcome, OUTCOME_CREATED);
    struct buf token = BUF_EMPTY;
    buf_append_slice(&token, reply->token);
    mini_begin(&mini, 1, OP_PUT, "x", "2", buf_slice(&token));
    mini_run(&mini, 100);
    assert_false(mini.replied); /* it waits for what the token names */
    assert_int_equal(node_metrics(mini.nodes[1])->parked, 1);
    mini_way(&mini, 0, 1, MINI_FLOWS);
    reply = mini_wait(&mini);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_REPLACED);
    buf_fini(&token);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start),
        cmocka_unit_test(wandering_session),
        cmocka_unit_test(cut_off_replica),
        cmocka_unit_test(crash_and_return),
        cmocka_unit_test(tail_walk),
        cmocka_unit_test(clean_stop),
        cmocka_unit_test(resharding_is_cancelled),
        cmocka_unit_test(goes_on_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
