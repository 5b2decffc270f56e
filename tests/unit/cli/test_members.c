/* test_members - who belongs to the cluster, and changing that, against fake nodes.
 *
 * Does:   the list of members; what add, remove and recover show, ask, send and say.
 * Not:    whether the cluster does it: tests/e2e.
 * Holds:  G1.
 * Limits: -
 * See:    store.h, cli/change.h.
 */
#define _GNU_SOURCE
#include "unit/cli/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MEMBERS_MAX 6

struct member_row {
    char address[32];  /* of a fake node, or of nobody */
    const char *shard; /* NULL: none */
    const char *state;
    bool suspected; /* the others believe it dead */
};

struct world {
    struct store *store; /* fake nodes: the first members */
    struct member_row rows[MEMBERS_MAX];
    int count;          /* of rows */
    struct buf changes; /* requests that change something, one a line */
    int status;         /* what they are answered with */
    const char *answer; /* likewise */
    bool lost;          /* all nodes have lost their memory */
};

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

/* What node `self` says of the cluster. */
static void put_cluster(const struct world *world, uint32_t self, struct buf *out)
{
    char text[400];
    snprintf(text, sizeof(text),
             "{\"version\":\"0\",\"node-id\":\"%016x\",%s,\"lineage\":\"00aa\","
             "\"epoch\":7,\"shards\":[{\"id\":\"s0\",\"slots\":8192},{\"id\":\"s1\",\"slots\":8192,"
             "\"degraded\":true}],"
             "\"members\":[",
             self + (world->lost ? 101 : 1),
             world->lost ? "\"phase\":\"asking\",\"why\":\"its data directory is a copy\""
                         : "\"phase\":\"serving\"");
    put(out, text);
    for (int i = 0; i < world->count; i++) {
        const struct member_row *row = &world->rows[i];
        snprintf(text, sizeof(text), "%s{\"address\":\"%s\",\"node-id\":\"%016x\",",
                 i > 0 ? "," : "", row->address, i + 1);
        put(out, text);
        snprintf(text, sizeof(text), "\"shard\":\"%s\",", row->shard);
        if (row->shard != NULL)
            put(out, text);
        snprintf(text, sizeof(text), "\"state\":\"%s\",\"actor\":%d,\"alive\":%s,\"behind-by\":%d}",
                 row->state, row->shard == NULL ? 0 : i + 1, row->suspected ? "false" : "true", i);
        put(out, text);
    }
    put(out, "],\"metrics\":{\"keys_live\":12}}");
}

static void serve(void *arg, const struct fake_request *request, struct buf *out)
{
    const struct store_node *node = arg;
    struct world *world = node->store->other_arg;
    struct buf body = BUF_EMPTY;
    if (slice_equal(request->target, SLICE_LIT("/cluster"))) {
        put_cluster(world, node->index, &body);
        fake_put_answer(out, 200, NULL, buf_slice(&body));
    } else {
        char start[16];
        snprintf(start, sizeof(start), "%u ", node->index);
        put(&world->changes, start);
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

/* `alive` nodes that answer, the rest of the rows do not; two shards of three. */
static void init(struct world *world, uint32_t alive)
{
    *world = (struct world){.count = MEMBERS_MAX, .status = 200, .answer = "{\"result\":\"done\"}"};
    world->store = mem_alloc(sizeof(*world->store));
    store_start(world->store, alive);
    world->store->other = serve;
    world->store->other_arg = world;
    for (uint32_t i = 0; i < MEMBERS_MAX; i++) {
        struct member_row *row = &world->rows[i];
        *row = (struct member_row){.shard = i % 2 == 0 ? "s0" : "s1", .state = "active"};
        if (i < alive)
            memcpy(row->address, world->store->nodes[i].fake.address, sizeof(row->address));
        else
            fake_nobody(row->address);
        row->suspected = i >= alive;
    }
}

static void fini(struct world *world)
{
    store_fini(world->store);
    mem_free(world->store);
    buf_fini(&world->changes);
}

static void run(struct world *world, struct run *run, const char *const *words)
{
    buf_reset(&world->changes);
    store_run(world->store, run, words);
    buf_u8(&world->changes, '\0');
}

__attribute__((format(printf, 2, 3))) static void sent(const struct world *world,
                                                       const char *format, ...)
{
    char what[400];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof(what), format, list);
    va_end(list);
    assert_string_equal((const char *)world->changes.ptr, what);
}

static void test_members(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    run(&world, &one, WORDS("members"));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    says(&one.out, "6 members, epoch 7 of lineage 00aa\n");
    says(&one.out, "%s  s0     active      1       0  alive\n", world.rows[0].address);
    says(&one.out,
         "%s  s1     active      6       5  does not answer: no connection, believed dead "
         "by 4\n",
         world.rows[5].address);
    says(&one.out, "\nshard s1 is degraded: one more crash may lose data\n");
    assert_null(strstr((const char *)one.out.ptr, "shard s0"));
    run_fini(&one);
    run(&world, &one, WORDS("status"));
    says(&one.out, "; degraded: one more crash may lose data\n");
    run_fini(&one);
    run(&world, &one, WORDS("members", "--json"));
    says(&one.out,
         "{\"lineage\":\"00aa\",\"epoch\":7,\"members\":[{\"address\":\"%s\",\"shard\":\"s0\","
         "\"state\":\"active\",\"actor\":1,\"answers\":true,\"believed-dead-by\":0,",
         world.rows[0].address);
    run_fini(&one);
    world.rows[4] = (struct member_row){.address = "10.255.0.1:1", .state = "invited"};
    world.count = 4;
    run(&world, &one, WORDS("members"));
    assert_int_equal(one.status, EXIT_OK);
    run_fini(&one);
    /* One that nobody has listed. */
    world.count = 3;
    run(&world, &one, WORDS("members"));
    says(&one.out, "%s answers and is no member: serving\n", world.rows[3].address);
    run_fini(&one);
    fini(&world);
}

static void test_members_of_nobody(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 1);
    fake_stop(&world.store->nodes[0].fake);
    run(&world, &one, WORDS("members"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    says(&one.err, "thence: no node says who the members are\n");
    run_fini(&one);
    run(&world, &one, WORDS("remove", "a:1", "--yes"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    run_fini(&one);
    fini(&world);
}

static void test_add(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    world.status = 201;
    world.answer = "{\"result\":\"added\"}";
    run(&world, &one, WORDS("add", "10.0.0.9:0080"));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "  10.0.0.9:80  is no member: it is listed, and becomes a spare");
    says(&one.out, "\nadded\n");
    sent(&world, "0 PUT /view {\"socket-address\":\"10.0.0.9:80\"}\n");
    run_fini(&one);
    run(&world, &one, WORDS("add", "a:1", "--shard", "s1"));
    says(&one.out,
         "  shard s1: has to wait until it has shown up: ask again once it has started\n");
    sent(&world, "0 PUT /view {\"socket-address\":\"a:1\"}\n"
                 "0 PUT /shard/add-member/s1 {\"socket-address\":\"a:1\"}\n");
    run_fini(&one);
    /* A member needs not be listed again, and is not asked to move itself. */
    run(&world, &one, WORDS("add", world.rows[0].address, "--shard", "s1"));
    says(&one.out, "  shard s1: it is a member of s0: this will be refused\n");
    sent(&world, "1 PUT /shard/add-member/s1 {\"socket-address\":\"%s\"}\n", world.rows[0].address);
    run_fini(&one);
    world.status = 409;
    world.answer = "{\"error\":\"The cluster lists as many members as it can\"}";
    run(&world, &one, WORDS("add", "a:1", "--shard", "s1"));
    assert_int_equal(one.status, EXIT_REFUSED);
    says(&one.err, " answered 409: The cluster lists as many members as it can\n");
    sent(&world, "0 PUT /view {\"socket-address\":\"a:1\"}\n");
    run_fini(&one);
    fini(&world);
}

/* What the line about the shard says of who can be put into it, and who cannot. */
static void test_add_into_shard(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    run(&world, &one, WORDS("add", "a:1", "--shard", "s7"));
    says(&one.out, "  shard s7: no such shard: this will be refused\n");
    run_fini(&one);
    run(&world, &one, WORDS("add", world.rows[0].address, "--shard", "s0"));
    says(&one.out, "  shard s0: it is one of its 3 members already\n");
    run_fini(&one);
    world.rows[3].shard = NULL;
    world.rows[3].state = "spare";
    run(&world, &one, WORDS("add", world.rows[3].address, "--shard", "s1"));
    says(&one.out, "  shard s1: 2 members, then 3; it fills up from them before it serves\n");
    run_fini(&one);
    world.rows[3].state = "invited";
    run(&world, &one, WORDS("add", world.rows[3].address, "--shard", "s1"));
    says(&one.out, "  shard s1: has to wait until it has shown up:");
    run_fini(&one);
    /* It may be on its way into that shard. */
    world.rows[0].state = "leaving";
    run(&world, &one, WORDS("add", world.rows[0].address, "--shard", "s1"));
    assert_null(strstr((const char *)one.out.ptr, "refused"));
    run_fini(&one);
    fini(&world);
}

/* All alive: nothing is given up, nobody is asked. */
static void test_remove_the_living(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    world.count = 4;
    world.answer = "{\"result\":\"deleted\"}";
    run(&world, &one, WORDS("remove", world.rows[0].address));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "  %s  s0, active, alive: hands over what it has, then leaves\n",
         world.rows[0].address);
    says(&one.out, "  shard s0: 2 members, then 1: one crash away from losing data\n");
    says(&one.out, "moves over first; where there is none, it is refused\n");
    says(&one.out, "\ndeleted\n");
    sent(&world, "1 DELETE /view {\"socket-address\":[\"%s\"]}\n", world.rows[0].address);
    assert_null(strstr((const char *)one.out.ptr, "waits for"));
    run_fini(&one);
    /* It has handed over when all of its shard have what it had. */
    world.count = 5;
    run(&world, &one, WORDS("remove", world.rows[0].address));
    says(&one.out, "    waits for %s, which does not answer:", world.rows[4].address);
    run_fini(&one);
    world.count = 4;
    /* A spare has nothing to give up. */
    world.rows[3].shard = NULL;
    world.rows[3].state = "spare";
    run(&world, &one, WORDS("remove", world.rows[3].address));
    says(&one.out, "  %s  spare, alive: leaves\n", world.rows[3].address);
    run_fini(&one);
    world.status = 404;
    world.answer = "{\"error\":\"View has no such replica\"}";
    run(&world, &one, WORDS("remove", "a:1", "--json"));
    assert_int_equal(one.status, EXIT_REFUSED);
    says(&one.err, "  a:1  is no member: this will be refused\n");
    says(&one.out, "{\"outcome\":\"answered\",\"status\":404,");
    run_fini(&one);
    fini(&world);
}

static void test_remove_asks(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    const char *dead = world.rows[5].address;
    const char *alive = world.rows[0].address;
    /* Nobody to ask: nothing is done. */
    run(&world, &one, WORDS("remove", dead));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out,
         "  %s  s1, active, does not answer (no connection): writes that only it has are "
         "given up\n",
         dead);
    says(&one.err, "thence: this gives up what nobody can bring back: nothing was done; --yes does "
                   "it without a question\n");
    sent(&world, "%s", "");
    run_fini(&one);
    world.store->typed = "n\n";
    run(&world, &one, WORDS("remove", dead));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    says(&one.err, "Go on? [y/N] thence: nothing was done\n");
    sent(&world, "%s", "");
    run_fini(&one);
    world.store->typed = "\n";
    run(&world, &one, WORDS("remove", dead));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    sent(&world, "%s", "");
    run_fini(&one);
    world.store->typed = "y\n";
    run(&world, &one, WORDS("remove", dead));
    assert_int_equal(one.status, EXIT_OK);
    sent(&world, "0 DELETE /view {\"socket-address\":[\"%s\"]}\n", dead);
    run_fini(&one);
    world.store->typed = NULL;
    run(&world, &one, WORDS("remove", dead, alive, "--yes", "--force"));
    assert_int_equal(one.status, EXIT_OK);
    sent(&world, "1 DELETE /view {\"socket-address\":[\"%s\",\"%s\"],\"force\":true}\n", dead,
         alive);
    run_fini(&one);
    /* It answers, but the others do not hear it. */
    world.rows[1].suspected = true;
    run(&world, &one, WORDS("remove", world.rows[1].address));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out, "s1, active, believed dead by 3: writes that only it has are given up\n");
    sent(&world, "%s", "");
    run_fini(&one);
    fini(&world);
}

/* Force alone gives up something too: one crash then loses data. */
static void test_force_asks(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    world.count = 4;
    run(&world, &one, WORDS("remove", world.rows[0].address, "--force"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out, "  --force: where nobody can take the place, a shard stays degraded\n");
    sent(&world, "%s", "");
    run_fini(&one);
    fini(&world);
}

static void test_recover(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 2);
    world.answer = "{\"result\":\"recovered\"}";
    const char *words[] = {"recover",
                           "--without",
                           world.rows[2].address,
                           world.rows[3].address,
                           world.rows[4].address,
                           world.rows[5].address,
                           NULL,
                           NULL};
    run(&world, &one, words);
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out,
         "A new history begins, without:\n  %s  s0, active, does not answer (no "
         "connection)\n",
         world.rows[2].address);
    says(&one.out, "of 6 members\n  shard s0: 3 members, then 1: one crash");
    says(&one.out, "Given up for good: what only these had.");
    assert_null(strstr((const char *)one.out.ptr, "WARNING"));
    assert_null(strstr((const char *)one.out.ptr, "Most members answer"));
    says(&one.out,
         "If they are only cut off, and go on, there are two histories that do not meet:");
    sent(&world, "%s", "");
    run_fini(&one);
    words[6] = "--yes";
    run(&world, &one, words);
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "\nrecovered\n");
    sent(&world, "0 PUT /recover {\"without\":[\"%s\",\"%s\",\"%s\",\"%s\"]}\n", words[2], words[3],
         words[4], words[5]);
    run_fini(&one);
    fini(&world);
}

/* Where it will be refused, it does not say what would come of it. */
static void test_recover_refused(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    run(&world, &one, WORDS("recover", "--without", world.rows[1].address));
    says(&one.out, "Gives up, for good:\n  %s  s1, active, alive\n", world.rows[1].address);
    says(&one.out, "WARNING: 1 of them answers: this will be refused (409) while that is so. Given "
                   "up while it goes on,\nthere would be two histories.\n");
    assert_null(strstr((const char *)one.out.ptr, "Most members answer"));
    run_fini(&one);
    run(&world, &one, WORDS("recover", "--without", "a:1", world.rows[5].address));
    says(&one.out,
         "Gives up, for good:\n  a:1  is no member: this will be refused\n  %s  s1, active",
         world.rows[5].address);
    assert_null(strstr((const char *)one.out.ptr, "Most members answer"));
    assert_null(strstr((const char *)one.out.ptr, "new history"));
    assert_null(strstr((const char *)one.out.ptr, "two histories"));
    run_fini(&one);
    /* It answers here, but the others do not hear it: they do not refuse. */
    world.rows[1].suspected = true;
    run(&world, &one, WORDS("recover", "--without", world.rows[1].address));
    says(&one.out, "WARNING: 1 of them answers here, and others believe it dead.");
    assert_null(strstr((const char *)one.out.ptr, "refused"));
    run_fini(&one);
    fini(&world);
}

/* Most remember: it may be a removal, and only the nodes know. */
static void test_recover_removes(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    run(&world, &one, WORDS("recover", "--without", world.rows[5].address, "--yes"));
    says(&one.out, "Gives up, for good:\n  %s  s1, active,", world.rows[5].address);
    says(&one.out, "Most members answer: if most of those that decide do, it is a removal, in the "
                   "same history, as thence\nremove --force does it; else a new history begins.\n");
    assert_null(strstr((const char *)one.out.ptr, "A new history begins, without"));
    assert_null(strstr((const char *)one.out.ptr, "two histories"));
    run_fini(&one);
    world.rows[1].state = world.rows[3].state =
        "syncing"; /* after a power cut: nobody could serve */
    run(&world, &one, WORDS("recover", "--without", world.rows[5].address, "--yes"));
    assert_null(strstr((const char *)one.out.ptr, "Most members answer"));
    says(&one.out, "A new history begins, without:\n");
    run_fini(&one);
    fini(&world);
}

static void test_nobody_remembers(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 4);
    world.count = 5;
    world.answer = "{\"result\":\"recovered\"}";
    world.lost = true;
    run(&world, &one, WORDS("recover", "--from-directories", "--without", world.rows[4].address));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out,
         "A new history begins, of what these hold who have forgotten the cluster:\n"
         "  %s  12 keys, epoch 7: its data directory is a copy\n",
         world.rows[0].address);
    says(&one.out,
         "without:\n  %s  s0, active, does not answer (no connection)\n4 of 5 members, by",
         world.rows[4].address);
    says(&one.out, "What was deleted since the oldest of these was made may be back.");
    assert_null(strstr((const char *)one.out.ptr, "will be refused"));
    sent(&world, "%s", "");
    run_fini(&one);
    run(&world, &one,
        WORDS("recover", "--from-directories", "--yes", "--without", world.rows[4].address));
    assert_int_equal(one.status, EXIT_OK);
    sent(&world, "0 PUT /recover {\"without\":[\"%s\"],\"from-directories\":true}\n",
         world.rows[4].address);
    run_fini(&one);
    run(&world, &one, WORDS("recover", "--from-directories", "--yes"));
    sent(&world, "%s", "0 PUT /recover {\"from-directories\":true}\n");
    run_fini(&one);
    run(&world, &one, WORDS("recover", "--from-directories", "--without", "a:1"));
    says(&one.out, "without:\n  a:1  is no member: this will be refused\n");
    run_fini(&one);
    world.lost = false;
    run(&world, &one, WORDS("recover", "--from-directories"));
    says(&one.out, "%s", "4 members remember the cluster: this will be refused.\n");
    run_fini(&one);
    fini(&world);
}

static void test_not_known(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world, 2);
    world.status = 503;
    world.answer = "{\"error\":\"x\",\"outcome\":\"unknown\"}";
    run(&world, &one, WORDS("add", "a:1"));
    assert_int_equal(one.status, EXIT_UNKNOWN);
    says(&one.err, "thence: not known whether it happened; thence members shows it\n");
    sent(&world, "0 PUT /view {\"socket-address\":\"a:1\"}\n"); /* and not again */
    run_fini(&one);
    world.answer = "{\"error\":\"No majority of the configuration's acceptors can be reached\"}";
    run(&world, &one, WORDS("add", "a:1"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    sent(&world, "0 PUT /view {\"socket-address\":\"a:1\"}\n");
    run_fini(&one);
    fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_members_of_nobody),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_into_shard),
        cmocka_unit_test(test_remove_the_living),
        cmocka_unit_test(test_remove_asks),
        cmocka_unit_test(test_force_asks),
        cmocka_unit_test(test_recover),
        cmocka_unit_test(test_recover_refused),
        cmocka_unit_test(test_recover_removes),
        cmocka_unit_test(test_nobody_remembers),
        cmocka_unit_test(test_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
