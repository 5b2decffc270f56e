/* test_salvage - the directory of a removed node against a fake cluster.
 *
 * Does:   what is shown, asked, written, left alone and listed; directories that are none, or in
 *         use, or of another cluster; that nothing in them changes.
 * Not:    what counts as missing: tests/unit/salvage. Raw values: the fake nodes keep JSON alone.
 * Holds:  V1, V2, E1, E2.
 * Limits: -
 * See:    cli/salvage.h, sys/look.h.
 */
#define _GNU_SOURCE
#include "unit/cli/store.h"

#include "cli/salvage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct store *store;  /* fake nodes: members 1 and 2 */
    char folder[40];      /* the directory */
    char segment[80];     /* its file */
    char lock[80];        /* its lock */
    char lines[80];       /* for --export, beside it */
    const char *coverage; /* what the members say they cover */
    const char *lineage;  /* of the cluster */
};

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

static void serve(void *arg, const struct fake_request *request, struct buf *out)
{
    const struct store_node *node = arg;
    const struct world *world = node->store->other_arg;
    char text[800];
    (void)request;
    int len = snprintf(
        text, sizeof(text),
        "{\"version\":\"0\",\"node-id\":\"%016x\",\"phase\":\"serving\",\"lineage\":\"%s\","
        "\"epoch\":7,\"next-actor\":4,\"shards\":[{\"id\":\"s0\",\"slots\":16384}],\"members\":["
        "{\"address\":\"%s\",\"node-id\":\"%016x\",\"shard\":\"s0\",\"state\":\"active\",\"actor\":"
        "1,"
        "\"alive\":true},{\"address\":\"%s\",\"node-id\":\"%016x\",\"shard\":\"s0\",\"state\":"
        "\"active\",\"actor\":2,\"alive\":true}],\"retired\":[{\"actor\":3,\"state\":\"sealing\"}],"
        "\"lost\":[],\"ancestors\":[],\"coverage\":%s,\"metrics\":{}}",
        node->index + 1, world->lineage, node->store->nodes[0].fake.address, 1,
        node->store->nodes[1].fake.address, 2, world->coverage);
    assert_true(len < (int)sizeof(text));
    fake_put_answer(out, 200, NULL, slice_of(text, (size_t)len));
}

static void put_config(struct log *log)
{
    struct first_start start = {.lineage = 0xaa, .shard_count = 1, .member_count = 3};
    struct buf body = BUF_EMPTY;
    enum err err;
    for (uint32_t i = 0; i < 3; i++) {
        start.members[i].node_id = i + 1;
        snprintf(start.members[i].address.text, sizeof(start.members[i].address.text), "h%u:1", i);
    }
    struct config *config = config_first(&start, &err);
    config_encode(config, &body);
    log_append(log, RECORD_CONFIG, buf_slice(&body));
    config_free(config);
    buf_fini(&body);
}

static void put_version(struct log *log, uint64_t seq, const char *key, const char *value)
{
    struct slice whole;
    struct version version = {.dot = {3, seq},
                              .hlc = seq,
                              .form = value == NULL ? VALUE_TOMBSTONE : VALUE_JSON,
                              .key = slice_str(key),
                              .value = value == NULL ? SLICE_EMPTY : slice_str(value)};
    log_append_version(log, RECORD_ARRIVAL, &version, &whole);
}

/* Of node 3: what it wrote as actor 3. */
static void make_directory(struct world *world)
{
    struct log *log = log_new();
    struct log_batch batch;
    struct buf body = BUF_EMPTY;
    buf_u64(&body, 3);
    put(&body, "10.0.0.3:80");
    log_append(log, RECORD_IDENTITY, buf_slice(&body));
    put_config(log);
    put_version(log, 1, "had", "1");
    put_version(log, 2, "c d", "[2,  2]");
    put_version(log, 3, "same", "3");
    put_version(log, 4, "other", "4");
    put_version(log, 5, "b", "5");
    put_version(log, 6, "gone", NULL);
    put_version(log, 7, "stands", NULL);
    put_version(log, 8, "\xFF", "8");
    log_take(log, &batch);
    memcpy(world->folder, "/tmp/thence-salvage-XXXXXX", 27);
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->segment, sizeof(world->segment), "%s/log-%016x", world->folder, 1);
    snprintf(world->lock, sizeof(world->lock), "%s/lock", world->folder);
    snprintf(world->lines, sizeof(world->lines), "%s.lines", world->folder);
    FILE *file = fopen(world->segment, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(batch.bytes.ptr, 1, batch.bytes.len, file), batch.bytes.len);
    fclose(file);
    log_free(log);
    buf_fini(&body);
}

static void cluster_put(struct world *world, const char *key, const char *value)
{
    struct run one;
    store_run(world->store, &one, WORDS("put", key, value));
    assert_int_equal(one.status, EXIT_OK);
    run_fini(&one);
}

static void init(struct world *world)
{
    *world = (struct world){.coverage = "{\"1\":4,\"3\":1}", .lineage = "00000000000000aa"};
    world->store = mem_alloc(sizeof(*world->store));
    store_start(world->store, 2);
    world->store->other = serve;
    world->store->other_arg = world;
    cluster_put(world, "same", "3");
    cluster_put(world, "other", "\"newer\"");
    cluster_put(world, "stands", "7");
    make_directory(world);
}

static void fini(struct world *world)
{
    store_fini(world->store);
    mem_free(world->store);
    unlink(world->segment);
    unlink(world->lock);
    unlink(world->lines);
    assert_int_equal(rmdir(world->folder), 0);
}

static bool stands(struct world *world, const char *key, const char *value)
{
    const struct store_entry *entry = store_find(world->store, key);
    return entry != NULL && slice_equal(buf_slice(&entry->value), slice_str(value));
}

static void test_shows_and_asks(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    uint32_t before = world.store->entry_count;
    store_run(world.store, &one, WORDS("salvage", world.folder));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.out, ": of the node at 10.0.0.3:80, epoch 1: 6 keys, and 2 deleted\n"
                   "  1 of these writes the cluster had\n"
                   "  7 it may lack; of these\n"
                   "  3 are of keys that are not there\n"
                   "  2 stand there, or are deleted there too\n"
                   "  1 are of keys that have another value there: left alone\n"
                   "  1 are deletes of keys that stand there: left alone\n");
    says(&one.err, "thence: keys are to be written: nothing was done; --yes does it");
    run_fini(&one);
    world.store->typed = "no\n";
    store_run(world.store, &one, WORDS("salvage", world.folder));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    run_fini(&one);
    assert_int_equal(world.store->entry_count, before);
    fini(&world);
}

static void test_writes(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    struct stat was;
    struct stat is;
    init(&world);
    uint32_t before = world.store->entry_count;
    assert_int_equal(stat(world.folder, &was), 0);
    store_run(world.store, &one, WORDS("salvage", world.folder, "--yes"));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "\nwritten 3, unknown 0, not written 0\n");
    run_fini(&one);
    assert_int_equal(world.store->entry_count, before + 3);
    assert_true(stands(&world, "c%20d", "[2,  2]"));
    assert_true(stands(&world, "b", "5"));
    assert_true(stands(&world, "%FF", "8"));
    assert_true(stands(&world, "other", "\"newer\""));
    assert_null(store_find(world.store, "had"));
    for (uint32_t i = 0; i < world.store->entry_count; i++)
        assert_int_equal(world.store->entries[i].writes, 1);
    /* The second time there is nothing to do, and nothing to be asked. */
    store_run(world.store, &one, WORDS("salvage", world.folder, "--json"));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "{\"address\":\"10.0.0.3:80\",\"keys\":6,\"deleted\":2,\"may-lack\":7,"
                   "\"not-looked-up\":0,\"absent\":0,\"same\":5,\"other\":1,\"standing\":1,"
                   "\"written\":0,\"unknown\":0,\"left-out\":0}\n");
    run_fini(&one);
    assert_int_equal(stat(world.folder, &is), 0);
    assert_int_equal(is.st_mtime, was.st_mtime);
    assert_int_equal(is.st_ctim.tv_nsec, was.st_ctim.tv_nsec);
    assert_int_not_equal(access(world.lock, F_OK), 0);
    fini(&world);
}

static void test_unknown(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    world.store->unknown_every = 1;
    store_run(world.store, &one, WORDS("salvage", world.folder, "--yes"));
    assert_int_equal(one.status, EXIT_UNKNOWN);
    says(&one.out, "\nwritten 0, unknown 3, not written 0\n");
    says(&one.err, "thence: key \"c d\": not known whether it was written: ");
    run_fini(&one);
    fini(&world);
}

static void test_lists(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    struct buf text = BUF_EMPTY;
    init(&world);
    uint32_t before = world.store->entry_count;
    store_run(world.store, &one, WORDS("salvage", world.folder, "--export", world.lines));
    assert_int_equal(one.status, EXIT_NOT_WELL); /* one key is no JSON */
    says(&one.out, "3 lines in ");
    says(&one.err, "thence: 1 left out: raw values, and keys that are not UTF-8\n");
    run_fini(&one);
    assert_int_equal(world.store->entry_count, before);
    FILE *file = fopen(world.lines, "r");
    assert_non_null(file);
    text.len = fread(buf_reserve(&text, 4096), 1, 4096, file);
    fclose(file);
    buf_u8(&text, '\0');
    assert_string_equal((const char *)text.ptr,
                        "{\"key\":\"c d\",\"value\":[2,  2],\"cluster\":\"absent\"}\n"
                        "{\"key\":\"other\",\"value\":4,\"cluster\":\"other\"}\n"
                        "{\"key\":\"b\",\"value\":5,\"cluster\":\"absent\"}\n");
    buf_fini(&text);
    /* What is there already is not overwritten; what was listed, load takes. */
    store_run(world.store, &one, WORDS("salvage", world.folder, "--export", world.lines));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, "File exists");
    run_fini(&one);
    store_run(world.store, &one, WORDS("load", world.lines, "--quiet"));
    assert_int_equal(one.status, EXIT_OK);
    assert_true(stands(&world, "other", "4"));
    run_fini(&one);
    fini(&world);
}

static void test_refuses(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    world.lineage = "00000000000000ab";
    store_run(world.store, &one, WORDS("salvage", world.folder, "--yes"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, " belongs to another history than that of this cluster\n");
    run_fini(&one);
    world.lineage = "00000000000000aa";
    int lock = open(world.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    store_run(world.store, &one, WORDS("salvage", world.folder, "--yes"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, ": a node uses it; stop that first\n");
    run_fini(&one);
    close(lock);
    store_run(world.store, &one, WORDS("salvage", "/proc/self", "--yes"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, "thence: cannot read data directory /proc/self: there is no log in it\n");
    run_fini(&one);
    store_run(world.store, &one, WORDS("salvage", world.segment, "--yes"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, ": Not a directory\n");
    run_fini(&one);
    fini(&world);
}

/* What the members cover is theirs, whatever has become of the key. */
static void test_nothing_missing(void **state)
{
    (void)state;
    struct world world;
    struct run one;
    init(&world);
    world.coverage = "{\"1\":4,\"3\":8}";
    store_run(world.store, &one, WORDS("salvage", world.folder));
    assert_int_equal(one.status, EXIT_OK);
    says(&one.out, "  8 of these writes the cluster had\n  0 it may lack; of these\n");
    run_fini(&one);
    fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shows_and_asks), cmocka_unit_test(test_writes),
        cmocka_unit_test(test_unknown),        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refuses),        cmocka_unit_test(test_nothing_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
