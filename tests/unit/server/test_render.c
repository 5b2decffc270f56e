/* test_render - what a node shows of its cluster while slots move.
 *
 * Does:   /cluster at each epoch of a reshard of real nodes: shards and slots on their way stand
 *         apart, and each slot is counted once.
 * Not:    the other pages: tests/e2e.
 * Holds:  -
 * Limits: -
 * See:    src/server/render.h.
 */
#include "server/render.h"

/* Not a fixture of this folder: test_shell defines the functions of node.h itself. */
#include "unit/node/mini.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static bool has(const struct buf *text, const char *what)
{
    return strstr((const char *)text->ptr, what) != NULL;
}

/* The sum of the numbers that follow `name` before `end`. */
static uint64_t sum(const struct buf *text, const char *name, const char *end)
{
    uint64_t total = 0;
    const char *last = strstr((const char *)text->ptr, end);
    assert_non_null(last);
    for (const char *at = (const char *)text->ptr; (at = strstr(at, name)) != NULL && at < last;) {
        at += strlen(name);
        total += strtoull(at, NULL, 10);
    }
    return total;
}

struct seen {
    bool begun;    /* both shards give, and count what they give */
    bool switched; /* what one gives is counted by the shard that takes it */
};

static void look(struct mini *mini, struct seen *seen)
{
    struct buf text = BUF_EMPTY;
    struct json_value whole;
    struct json_error error;
    render_cluster(mini->nodes[0], &text);
    assert_true(json_scan(buf_slice(&text), &whole, &error));
    buf_u8(&text, '\0');
    assert_int_equal(sum(&text, "\"slots\":", "\"transits\":"), LIMIT_SLOTS);
    seen->begun |= has(&text, "\"shards\":[{\"id\":\"s0\",\"slots\":8192,\"degraded\":false},"
                              "{\"id\":\"s1\",\"slots\":8192,\"degraded\":false},"
                              "{\"id\":\"s2\",\"slots\":0,\"degraded\":false}],"
                              "\"transits\":[{\"from\":\"s0\",\"into\":\"s2\",\"slots\":2730,"
                              "\"switched\":false,\"degraded\":false},"
                              "{\"from\":\"s1\",\"into\":\"s2\",\"slots\":2731,"
                              "\"switched\":false,\"degraded\":false}]");
    seen->switched |= has(&text, "{\"id\":\"s2\",\"slots\":2731,\"degraded\":false}],\"transits\":["
                                 "{\"from\":\"s0\",\"into\":\"s2\",\"slots\":2730,"
                                 "\"switched\":false,\"degraded\":false},"
                                 "{\"from\":\"s1\",\"into\":\"s2\",\"slots\":2731,"
                                 "\"switched\":true,\"degraded\":false}]");
    buf_fini(&text);
}

static void cluster_shows_slots_on_their_way(void **state)
{
    (void)state;
    struct mini mini;
    struct seen seen = {false, false};
    assert_true(mini_start_all(&mini, 6, 2));
    look(&mini, &seen);
    mini.shard_id = 3;
    mini_begin(&mini, 0, OP_RESHARD, "", NULL, SLICE_EMPTY);
    while (!mini.replied) {
        mini_run(&mini, 1);
        look(&mini, &seen);
    }
    assert_int_equal(mini.reply.outcome, OUTCOME_RESHARDED);
    assert_true(seen.begun);
    assert_true(seen.switched);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cluster_shows_slots_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
