/* test_reshard - another number of shards, against fake nodes that say how far it is.
 *
 * Does:   what reshard shows, asks, sends, tells, and how it ends; what status tells of it.
 * Not:    whether the cluster does it: tests/e2e/reshard.
 * Holds:  -
 * Limits: -
 * See:    store.h, cli/reshard.c.
 */
#define _GNU_SOURCE
#include "unit/cli/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NODES 4U
#define LOOKS_MAX 8

struct world {
    struct store *store;
    struct buf changes;           /* requests that change something, one a line */
    int status;                   /* what they are answered with */
    const char *answer;           /* likewise */
    const char *looks[LOOKS_MAX]; /* what GET /shard/reshard says, one after the other; the last
                                     one again and again */
    int look_count;               /* of these */
    int look;                     /* the next one */
    const char *transits;         /* what /cluster says of slots on their way */
    const char *lost;             /* ... and of what may be lost */
};

#define RESTS(count)                                                                               \
    "{\"resharding\":false,\"phase\":\"nothing moves\",\"shard-count\":" count                     \
    ",\"wanted\":0,\"open-terms\":0,\"waiting-for\":[],\"transits\":[]}"
#define UNEVEN                                                                                     \
    "{\"resharding\":false,\"phase\":\"nothing moves\",\"shard-count\":3,\"wanted\":0,"            \
    "\"even\":false,\"open-terms\":0,\"waiting-for\":[],\"transits\":[]}"
#define CLOSES                                                                                     \
    "{\"resharding\":false,\"phase\":\"what was written before is counted and closed\","           \
    "\"shard-count\":3,\"wanted\":0,\"open-terms\":1,\"waiting-for\":[],\"transits\":[]}"
#define WAY_OF(keys, bytes, takes)                                                                 \
    "{\"resharding\":true,\"phase\":\"slots fill up\",\"shard-count\":3,\"wanted\":3,"             \
    "\"open-terms\":0,\"waiting-for\":[],\"transits\":[{\"from\":\"s0\",\"into\":\"s2\","          \
    "\"switched\":false,\"slots\":2730,\"takers\":2,\"keys\":" keys ",\"bytes\":" bytes            \
    ",\"takes\":" takes ",\"members\":[]}]}"
#define GIVES WAY_OF("1500", "1200000", "false")
#define TAKES WAY_OF("250", "200000", "true")
#define FILLS                                                                                      \
    "{\"resharding\":true,\"phase\":\"slots fill up at their new members\",\"shard-count\":3,"     \
    "\"wanted\":3,\"open-terms\":2,\"waiting-for\":[\"a:1\"],\"transits\":[{\"from\":\"s0\","      \
    "\"into\":\"s2\",\"switched\":true,\"slots\":2730,\"members\":[{\"address\":\"a:1\","          \
    "\"state\":"                                                                                   \
    "\"syncing\"},{\"address\":\"b:1\",\"state\":\"active\"}]}]}"

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

static void put_cluster(const struct world *world, uint32_t self, struct buf *out)
{
    char text[1000];
    snprintf(text, sizeof(text),
             "{\"node-id\":\"%016x\",\"phase\":\"serving\",\"lineage\":\"00aa\",\"epoch\":7,"
             "\"shards\":[{\"id\":\"s0\",\"slots\":8192},{\"id\":\"s1\",\"slots\":8192}],"
             "\"lost\":%s,\"transits\":%s,\"members\":[",
             self + 1, world->lost, world->transits);
    put(out, text);
    for (uint32_t i = 0; i < NODES; i++) {
        snprintf(text, sizeof(text),
                 "%s{\"address\":\"%s\",\"node-id\":\"%016x\",\"shard\":\"s%u\","
                 "\"state\":\"active\",\"actor\":%u,\"alive\":true}",
                 i > 0 ? "," : "", world->store->nodes[i].fake.address, i + 1, i % 2, i + 1);
        put(out, text);
    }
    put(out, "],\"metrics\":{}}");
}

static void look(struct world *world, struct buf *out)
{
    const char *body = world->looks[world->look];
    if (world->look + 1 < world->look_count)
        world->look++;
    fake_put_answer(out, 200, NULL, slice_str(body));
}

static void serve(void *arg, const struct fake_request *request, struct buf *out)
{
    const struct store_node *node = arg;
    struct world *world = node->store->other_arg;
    struct buf body = BUF_EMPTY;
    if (slice_equal(request->target, SLICE_LIT("/cluster"))) {
        put_cluster(world, node->index, &body);
        fake_put_answer(out, 200, NULL, buf_slice(&body));
    } else if (slice_equal(request->method, SLICE_LIT("GET"))) {
        look(world, out);
    } else {
        buf_append_slice(&world->changes, request->method);
        buf_u8(&world->changes, ' ');
        buf_append_slice(&world->changes, request->target);
        buf_u8(&world->changes, ' ');
        buf_append_slice(&world->changes, request->body);
        buf_u8(&world->changes, '\n');
        fake_put_answer(out, world->status, NULL, slice_str(world->answer));
    }
    buf_fini(&body);
}

static void init(struct world *world)
{
    *world = (struct world){
        .status = 202, .answer = "{\"result\":\"resharding\"}", .transits = "[]", .lost = "[]"};
    world->store = mem_alloc(sizeof(*world->store));
    store_start(world->store, NODES);
    world->store->other = serve;
    world->store->other_arg = world;
}

static void fini(struct world *world)
{
    store_fini(world->store);
    mem_free(world->store);
    buf_fini(&world->changes);
}

#define LOOKS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void run(struct world *world, struct run *run, const char *const *words,
                const char *const *looks)
{
    buf_reset(&world->changes);
    world->look = 0;
    for (world->look_count = 0; looks[world->look_count] != NULL; world->look_count++)
        world->looks[world->look_count] = looks[world->look_count];
    store_run(world->store, run, words);
    buf_u8(&world->changes, '\0');
}

static void sent(const struct world *world, const char *what)
{
    assert_string_equal((const char *)world->changes.ptr, what);
}

#define PUT_3 "PUT /shard/reshard {\"shard-count\":3}\n"

static void shows_asks_sends_and_tells(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2"), FILLS, CLOSES, RESTS("3")));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "  shard s0: 8192 slots\n  shard s1: 8192 slots\n  then 3 shards of about 5461 "
                   "slots and 1 or 2 members each (4 nodes, 0 of them spare now)\n"
                   "  at least 5461 of 16384 slots move with their keys\n"
                   "  fewer than two members a shard: this will be refused\n");
    says(&one.out, "\nresharded: 3 shards\n");
    says(&one.err,
         "slots fill up at their new members; 2,730 slots in 1 transit (1 switched), 1 of "
         "2 places filled; 2 terms to be closed; waits for a:1\n");
    says(&one.err, "what was written before is counted and closed; 1 term to be closed\n");
    sent(&world, PUT_3);
    run_fini(&one);
    run(&world, &one, WORDS("reshard", "1", "--yes", "--json"), LOOKS(RESTS("2"), RESTS("1")));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.err, "  then 1 shard of about 16384 slots and 4 members");
    says(&one.err, "  at least 8192 of 16384 slots");
    assert_string_equal((const char *)one.out.ptr, RESTS("1") "\n");
    run_fini(&one);
    fini(&world);
}

/* Two are to have 1,500 keys each, and each of the two has 250. */
static void counts_the_keys(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("reshard", "3", "--yes"),
        LOOKS(RESTS("2"), GIVES, GIVES, TAKES, GIVES, TAKES, CLOSES, RESTS("3")));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.err, "slots fill up; 500 of 3,000 keys, 400 KB of 2.4 MB; 2,730 slots in 1 transit "
                   "(0 switched), 0 of 0 "
                   "places filled\n");
    run_fini(&one);
    fini(&world);
}

static void nothing_is_sent_before_somebody_said_yes(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("reshard", "3"), LOOKS(RESTS("2")));
    assert_int_equal(one.status, EXIT_USAGE);
    sent(&world, "");
    run_fini(&one);
    world.store->typed = "n\n";
    run(&world, &one, WORDS("reshard", "3"), LOOKS(RESTS("2")));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    sent(&world, "");
    run_fini(&one);
    world.store->typed = "y\n";
    run(&world, &one, WORDS("reshard", "3"), LOOKS(RESTS("2"), RESTS("3")));
    assert_int_equal(one.status, EXIT_OK);
    sent(&world, PUT_3);
    run_fini(&one);
    fini(&world);
}

static void what_is_under_way_is_only_told(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("reshard", "3"), LOOKS(FILLS, FILLS, RESTS("3")));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "  it is under way already\nresharded: 3 shards\n");
    sent(&world, "");
    run_fini(&one);
    run(&world, &one, WORDS("reshard", "1", "--yes"), LOOKS(FILLS));
    assert_int_equal(one.status, EXIT_REFUSED);
    says(&one.err, "thence: slots are moving already: to 3 shards; wait, or --cancel\n");
    sent(&world, "");
    run_fini(&one);
    fini(&world);
}

static void it_ends_otherwise(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2"), FILLS, RESTS("2")));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    says(&one.out, "\nit was cancelled: 2 shards\n");
    run_fini(&one);
    /* The third came, and stayed without slots. */
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2"), FILLS, UNEVEN));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    says(&one.out, "\nit was cancelled: 3 shards\n");
    run_fini(&one);
    world.status = 400;
    world.answer = "{\"error\":\"Not enough nodes\"}";
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2")));
    assert_int_equal(one.status, EXIT_REFUSED);
    says(&one.err, "thence: answered 400: Not enough nodes\n");
    run_fini(&one);
    world.status = 503;
    world.answer = "{\"error\":\"x\",\"outcome\":\"unknown\"}";
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2")));
    assert_int_equal(one.status, EXIT_UNKNOWN);
    says(&one.err, "thence: not known whether it has begun; thence reshard 3 shows it\n");
    sent(&world, PUT_3); /* and not again */
    run_fini(&one);
    run(&world, &one, WORDS("reshard", "--cancel"), LOOKS(FILLS));
    assert_int_equal(one.status, EXIT_UNKNOWN);
    says(&one.err, "thence: not known whether it is cancelled; once more shows it\n");
    run_fini(&one);
    world.status = 200;
    world.answer = "{\"result\":\"cancelled\"}";
    run(&world, &one, WORDS("reshard", "--cancel"), LOOKS(FILLS, FILLS, RESTS("2")));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "cancelled, nothing moves: 2 shards\n");
    sent(&world, "DELETE /shard/reshard {}\n");
    run_fini(&one);
    fini(&world);
}

/* Four questions for /cluster, one look, the request, two looks: then Ctrl-C. */
static void interrupted_it_goes_on(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    volatile int stop = 0;
    init(&world);
    world.store->stop = &stop;
    world.store->stop_after = NODES + 4;
    run(&world, &one, WORDS("reshard", "3", "--yes"), LOOKS(RESTS("2"), FILLS));
    assert_int_equal(one.status, EXIT_INTERRUPTED);
    says(&one.err, "thence: interrupted; it goes on: the same command shows how far it is");
    sent(&world, PUT_3);
    run_fini(&one);
    fini(&world);
}

#define UNDER_WAY                                                                                  \
    "[{\"from\":\"s0\",\"into\":\"s2\",\"slots\":2730,\"switched\":false,\"degraded\":false},"     \
    "{\"from\":\"s1\",\"into\":\"s2\",\"slots\":1,\"switched\":true,\"degraded\":true}]"

#define LOST                                                                                       \
    "[{\"shard\":\"s0\",\"actor\":1,\"after\":1200,\"since-epoch\":2},"                            \
    "{\"shard\":\"s0\",\"actor\":2,\"after\":5,\"since-epoch\":2},"                                \
    "{\"shard\":\"s0\",\"actor\":3,\"after\":5,\"since-epoch\":3},"                                \
    "{\"shard\":\"s0\",\"actor\":4,\"after\":5,\"since-epoch\":4},"                                \
    "{\"shard\":\"s0\",\"actor\":5,\"after\":1200,\"since-epoch\":5},"                             \
    "{\"shard\":\"s1\",\"since-epoch\":6}]"

static void status_tells_what_may_be_lost(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("status"), LOOKS("{\"shard-key-count\":5}"));
    assert_null(strstr((const char *)one.out.ptr, "lost"));
    run_fini(&one);
    world.lost = LOST;
    run(&world, &one, WORDS("status"), LOOKS("{\"shard-key-count\":5}"));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "\nshard s0: writes of actor 5 above sequence 1200 may be lost (since epoch 5)\n"
                   "shard s1: what was acknowledged before epoch 6 may be lost\n"
                   "and 1 loss before: /cluster has all\n");
    assert_null(strstr((const char *)one.out.ptr, "actor 1 "));
    run_fini(&one);
    fini(&world);
}

static void status_does_not_make_up_counts(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("status"), LOOKS("{\"error\":\"Shard is not there\"}"));
    says(&one.out, "no node counts its keys\n");
    assert_null(strstr((const char *)one.out.ptr, "all nodes agree"));
    run_fini(&one);
    fini(&world);
}

static void status_tells_of_slots_on_their_way(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    run(&world, &one, WORDS("status"), LOOKS("{\"shard-key-count\":5}"));
    assert_int_equal(one.status, EXIT_OK);
    assert_null(strstr((const char *)one.out.ptr, "on their way"));
    run_fini(&one);
    run(&world, &one, WORDS("status", "--json"), LOOKS("{\"shard-key-count\":5}"));
    says(&one.out, "],\"transits\":[],\"nodes\":[");
    run_fini(&one);
    world.transits = UNDER_WAY;
    run(&world, &one, WORDS("status"), LOOKS("{\"shard-key-count\":5}"));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, ", 2 shards, 10 keys; epoch 7 of lineage 00aa\n");
    says(&one.out, "\n2,730 slots are on their way from s0 to s2\n"
                   "1 slot is on its way from s1 to s2, and served there; degraded: one more crash "
                   "may lose data\n");
    run_fini(&one);
    run(&world, &one, WORDS("status", "--json"), LOOKS("{\"shard-key-count\":5}"));
    says(&one.out, "],\"transits\":" UNDER_WAY ",\"nodes\":[");
    run_fini(&one);
    fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_asks_sends_and_tells),
        cmocka_unit_test(counts_the_keys),
        cmocka_unit_test(nothing_is_sent_before_somebody_said_yes),
        cmocka_unit_test(what_is_under_way_is_only_told),
        cmocka_unit_test(it_ends_otherwise),
        cmocka_unit_test(interrupted_it_goes_on),
        cmocka_unit_test(status_tells_of_slots_on_their_way),
        cmocka_unit_test(status_tells_what_may_be_lost),
        cmocka_unit_test(status_does_not_make_up_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
