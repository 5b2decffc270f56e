/* test_histories - a minority goes on by command while the majority lives (T35).
 *
 * Does:   stories of two histories that do not know of each other, and of what becomes of them when
 *         they meet: neither yields and both say so, until people choose, either way; and the case
 *         in which one side has decided nothing of its own.
 * Not:    new histories of those who are left: test_membership.c, test_anew.c.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.6; tests/scenario/two_histories.script, where the simulator judges it.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 3U
#define LONE 2U /* the minority */
#define BOTH "10.10.0.2:8090,10.10.0.3:8090"

struct ear {
    uint32_t heard; /* how often its node has said that there is another history */
};

struct story {
    struct mini mini;
    struct ear ears[NODES];
    uint64_t lineage; /* of the beginning */
};

static void listen(void *arg, const struct trace_event *event)
{
    struct ear *ear = arg;
    char text[200] = "";
    bool refusal = event->id == TRACE_PEER_REFUSED || event->id == TRACE_PEER_REFUSED_US;
    if (event->text.len > 0 && event->text.len < sizeof(text))
        memcpy(text, event->text.ptr, event->text.len);
    ear->heard += refusal && strstr(text, "different clusters (lineages)") != NULL ? 1 : 0;
}

static void put(struct story *story, uint32_t index, const char *key, const char *value)
{
    assert_int_equal(mini_ask(&story->mini, index, OP_PUT, key, value, SLICE_EMPTY)->err, E_OK);
}

static bool has(struct story *story, uint32_t index, const char *key, const char *value)
{
    const struct reply *reply = mini_ask(&story->mini, index, OP_GET, key, NULL, SLICE_EMPTY);
    return reply->err == E_OK && slice_equal(reply->value, slice_str(value));
}

static uint64_t lineage_of(const struct story *story, uint32_t index)
{
    return node_config(story->mini.nodes[index])->lineage;
}

static bool serves(const struct story *story, uint32_t index)
{
    return node_phase(story->mini.nodes[index]) == NODE_SERVING;
}

/* One of three is cut off. Somebody takes the other two for lost, and lets it go on without them,
 * while they write; what they decide meanwhile is up to the story. */
static struct story *part(void)
{
    struct story *story = mem_zalloc(1, sizeof(*story));
    struct mini *mini = &story->mini;
    mini_init(mini, NODES, 1);
    for (uint32_t i = 0; i < NODES; i++) {
        mini->options[i].tracer = (struct tracer){listen, &story->ears[i]};
        mini_start(mini, i);
    }
    mini_run(mini, 3000);
    put(story, 0, "old", "1");
    mini_run(mini, 1000);
    story->lineage = lineage_of(story, 0);
    mini_cut(mini, LONE, true);
    mini_run(mini, 3000);
    const struct reply *reply = mini_ask(mini, LONE, OP_RECOVER, BOTH, NULL, SLICE_EMPTY);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    assert_true(lineage_of(story, LONE) != story->lineage);
    put(story, 0, "many", "1");
    put(story, LONE, "few", "1");
    return story;
}

/* The two meet. */
static void meet(struct story *story)
{
    mini_cut(&story->mini, LONE, false);
    mini_run(&story->mini, 10000);
}

static void decide_something(struct story *story)
{
    const struct reply *reply =
        mini_ask(&story->mini, 0, OP_VIEW_ADD, "10.10.0.99:8090", NULL, SLICE_EMPTY);
    assert_int_equal(reply->outcome, OUTCOME_ADDED);
}

static void restart_empty(struct story *story, uint32_t index)
{
    mini_kill(&story->mini, index);
    mini_wipe(&story->mini, index);
    mini_start(&story->mini, index);
}

static void finish(struct story *story)
{
    mini_fini(&story->mini);
    mem_free(story);
}

/* ---- stories ---- */

static void neither_yields(void **state)
{
    (void)state;
    struct story *story = part();
    decide_something(story);
    uint32_t heard = story->ears[0].heard + story->ears[LONE].heard;
    assert_int_equal(heard, 0);
    meet(story);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(serves(story, i));
        assert_true(story->ears[i].heard > 0); /* and says that there is another */
    }
    assert_true(lineage_of(story, 0) == story->lineage);
    assert_true(lineage_of(story, 1) == story->lineage);
    assert_true(lineage_of(story, LONE) != story->lineage);
    assert_true(has(story, 0, "many", "1") && !has(story, 0, "few", "1"));
    assert_true(has(story, LONE, "few", "1") && !has(story, LONE, "many", "1"));
    /* Nor after a restart of either. */
    mini_kill(&story->mini, LONE);
    mini_start(&story->mini, LONE);
    mini_kill(&story->mini, 0);
    mini_start(&story->mini, 0);
    mini_run(&story->mini, 5000);
    assert_true(serves(story, 0) && serves(story, LONE));
    assert_true(lineage_of(story, 0) != lineage_of(story, LONE));
    finish(story);
}

static void people_choose_the_many(void **state)
{
    (void)state;
    struct story *story = part();
    decide_something(story);
    meet(story);
    restart_empty(story, LONE);
    mini_run(&story->mini, 6000);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(serves(story, i));
        assert_true(lineage_of(story, i) == story->lineage);
        assert_true(has(story, i, "many", "1") && has(story, i, "old", "1"));
        assert_false(has(story, i, "few", "1"));
    }
    finish(story);
}

/* The others were given up there: they come as spares, and are placed. */
static void people_choose_the_few(void **state)
{
    (void)state;
    struct story *story = part();
    struct mini *mini = &story->mini;
    decide_something(story);
    meet(story);
    restart_empty(story, 0);
    restart_empty(story, 1);
    mini_run(mini, 6000);
    for (uint32_t i = 0; i < LONE; i++) {
        const char *address = mini->options[i].address.text;
        assert_int_equal(node_phase(mini->nodes[i]), NODE_SPARE);
        assert_int_equal(mini_ask(mini, LONE, OP_SHARD_ADD, address, NULL, SLICE_EMPTY)->err, E_OK);
    }
    mini_run(mini, 3000);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(serves(story, i));
        assert_true(lineage_of(story, i) == lineage_of(story, LONE));
        assert_true(has(story, i, "few", "1") && has(story, i, "old", "1"));
        assert_false(has(story, i, "many", "1"));
    }
    finish(story);
}

/* The many have decided nothing that the few do not know: they follow, and find that they were
 * given up. Nobody serves what is not in the history that all follow. */
static void who_decided_nothing_follows(void **state)
{
    (void)state;
    struct story *story = part();
    meet(story);
    for (uint32_t i = 0; i < LONE; i++) {
        assert_int_equal(node_phase(story->mini.nodes[i]), NODE_REFUSED);
        assert_true(lineage_of(story, i) == lineage_of(story, LONE));
    }
    assert_true(serves(story, LONE));
    assert_true(has(story, LONE, "few", "1") && has(story, LONE, "old", "1"));
    finish(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_yields),
        cmocka_unit_test(people_choose_the_many),
        cmocka_unit_test(people_choose_the_few),
        cmocka_unit_test(who_decided_nothing_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
