/* test_calls - requests that are handed on, and connections that break under them.
 *
 * Does:   loses the question, the answer or the time of either, by one connection of a pair
 *         alone; counts the writes that came of it.
 * Not:    chance: sim/.
 * Holds:  3.5: a write happens once, and "unknown" is said only where nobody can know.
 * Limits: -
 * See:    docs/protocol.md 3.1, 3.5; docs/decisions/0020.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ASKER 0U

/* A key of the shard that ASKER is not in, and who serves it there: known by one question. */
struct pair {
    struct mini mini;
    char key[32];
    uint32_t server;
};

static uint64_t writes_of(struct pair *pair, uint32_t index)
{
    return node_metrics(pair->mini.nodes[index])->writes;
}

static uint64_t writes(struct pair *pair)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 6; i++)
        if (pair->mini.nodes[i] != NULL)
            sum += writes_of(pair, i);
    return sum;
}

static void pair_init(struct pair *pair)
{
    struct mini *mini = &pair->mini;
    assert_true(mini_start_all(mini, 6, 2));
    uint32_t shard = node_shard(mini->nodes[5]);
    for (uint32_t i = 0;; i++) {
        snprintf(pair->key, sizeof(pair->key), "key-%u", i);
        uint32_t slot = slot_of(slice_str(pair->key));
        if (config_shard_of_slot(node_config(mini->nodes[0]), slot) == shard)
            break;
    }
    const struct reply *reply = mini_ask(mini, ASKER, OP_PUT, pair->key, "0", SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    for (uint32_t i = 0; i < 6; i++)
        if (writes_of(pair, i) == 1)
            pair->server = i;
    mini_run(mini, 500);
}

static void begin(struct pair *pair, enum op op)
{
    mini_begin(&pair->mini, ASKER, op, pair->key, op == OP_PUT ? "1" : NULL, SLICE_EMPTY);
}

static void expect_written_once(struct pair *pair, uint64_t within_ms)
{
    uint64_t since_ms = pair->mini.now_ms;
    const struct reply *reply = mini_wait(&pair->mini);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_REPLACED);
    assert_int_equal(reply->copies, 2);
    assert_true(pair->mini.now_ms - since_ms <= within_ms);
    mini_run(&pair->mini, 3000);
    assert_int_equal(writes(pair), 2);
    mini_fini(&pair->mini);
}

/* Simulator seed 11257: the network is slow for longer than SUSPECT_MS, the asker hangs up and
 * dials anew; the answer was under way all the time, on the connection that still stands. */
static void late_answer(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_LATE);
    begin(&pair, OP_PUT);
    mini_run(&pair.mini, pair.mini.options[0].knobs.suspect_ms + 200);
    assert_int_equal(writes(&pair), 2);
    assert_false(pair.mini.replied);
    mini_way(&pair.mini, pair.server, ASKER, MINI_FLOWS);
    expect_written_once(&pair, 10);
}

/* The answer went with a connection: it is said again on the next one. */
static void lost_answer(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_VOID);
    begin(&pair, OP_PUT);
    mini_run(&pair.mini, 50);
    assert_int_equal(writes(&pair), 2);
    assert_false(pair.mini.replied);
    mini_way(&pair.mini, pair.server, ASKER, MINI_FLOWS);
    mini_reset(&pair.mini, pair.server, ASKER);
    expect_written_once(&pair, 500);
}

/* There was no connection for the answer when it was ready. */
static void answer_without_connection(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, ASKER, pair.server, MINI_LATE);
    begin(&pair, OP_PUT);
    mini_reset(&pair.mini, pair.server, ASKER);
    mini_way(&pair.mini, ASKER, pair.server, MINI_FLOWS);
    expect_written_once(&pair, 500);
}

/* The question went with a connection: the server says so, and it is asked again. */
static void lost_question(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, ASKER, pair.server, MINI_VOID);
    begin(&pair, OP_PUT);
    mini_run(&pair.mini, 50);
    assert_int_equal(writes(&pair), 1);
    mini_way(&pair.mini, ASKER, pair.server, MINI_FLOWS);
    mini_reset(&pair.mini, ASKER, pair.server);
    expect_written_once(&pair, 500);
}

/* The question arrived, then its connection broke: the answer comes all the same. */
static void question_had_arrived(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_LATE);
    begin(&pair, OP_PUT);
    mini_reset(&pair.mini, ASKER, pair.server);
    mini_run(&pair.mini, 600);
    assert_false(pair.mini.replied);
    mini_way(&pair.mini, pair.server, ASKER, MINI_FLOWS);
    expect_written_once(&pair, 10);
}

/* A read does not wait for the connection: another replica has it. */
static void read_goes_elsewhere(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_VOID);
    begin(&pair, OP_GET);
    mini_run(&pair.mini, 50);
    assert_false(pair.mini.replied);
    mini_reset(&pair.mini, pair.server, ASKER);
    mini_run(&pair.mini, 2);
    assert_true(pair.mini.replied);
    assert_int_equal(pair.mini.reply.err, E_OK);
    mini_fini(&pair.mini);
}

/* The server's process is gone, and with it what it could have said. */
static void server_died(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_VOID);
    begin(&pair, OP_PUT);
    mini_run(&pair.mini, 50);
    uint64_t since_ms = pair.mini.now_ms;
    mini_kill(&pair.mini, pair.server);
    const struct reply *reply = mini_wait(&pair.mini);
    assert_int_equal(reply->err, E_UNKNOWN);
    assert_true(reply->outcome_unknown);
    /* Told by the refused dial, long before the wait is over. */
    assert_true(pair.mini.now_ms - since_ms <= 2 * pair.mini.options[0].knobs.redial_ms);
    mini_fini(&pair.mini);
}

/* It is back at once: another process, that knows of nothing. */
static void server_came_back(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    mini_way(&pair.mini, pair.server, ASKER, MINI_VOID);
    begin(&pair, OP_PUT);
    mini_run(&pair.mini, 50);
    mini_way(&pair.mini, pair.server, ASKER, MINI_FLOWS);
    mini_kill(&pair.mini, pair.server);
    mini_start(&pair.mini, pair.server);
    uint64_t since_ms = pair.mini.now_ms;
    assert_int_equal(mini_wait(&pair.mini)->err, E_UNKNOWN);
    assert_true(pair.mini.now_ms - since_ms <= 500);
    mini_fini(&pair.mini);
}

/* Nobody comes back: the time is bounded. */
static void nobody_comes_back(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    const struct knobs *knobs = &pair.mini.options[0].knobs;
    uint64_t since_ms = pair.mini.now_ms;
    begin(&pair, OP_GET); /* wakes the pair's connection */
    mini_wait(&pair.mini);
    mini_way(&pair.mini, pair.server, ASKER, MINI_VOID);
    mini_way(&pair.mini, ASKER, pair.server, MINI_VOID);
    begin(&pair, OP_PUT);
    assert_int_equal(mini_wait(&pair.mini)->err, E_UNKNOWN);
    assert_true(pair.mini.now_ms - since_ms <= knobs->wait_ms + 2 * knobs->suspect_ms + 10);
    mini_fini(&pair.mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answer),
        cmocka_unit_test(lost_answer),
        cmocka_unit_test(answer_without_connection),
        cmocka_unit_test(lost_question),
        cmocka_unit_test(question_had_arrived),
        cmocka_unit_test(read_goes_elsewhere),
        cmocka_unit_test(server_died),
        cmocka_unit_test(server_came_back),
        cmocka_unit_test(nobody_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
