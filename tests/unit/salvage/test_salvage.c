/* test_salvage - what a directory has that a cluster has not.
 *
 * Does:   logs made by hand against what a cluster says: open and closed actors, losses, forks;
 *         the order of what is listed; damage; versions taken out.
 * Not:    files, and asking a cluster: tests/unit/cli/test_salvage.c.
 * Holds:  A1, A3.
 * Limits: -
 * See:    salvage/salvage.h.
 */
#include "unit.h"

#include "salvage/salvage.h"

#define LINEAGE 99U
#define MEMBERS 3U

struct world {
    struct log *log;                /* being written */
    struct buf bytes;               /* of its only segment */
    struct salvage *salvage;        /* read from that */
    struct salvage_cluster cluster; /* compared with */
};

static void put_config(struct world *world)
{
    struct first_start start = {.lineage = LINEAGE, .shard_count = 1, .member_count = MEMBERS};
    struct buf body = BUF_EMPTY;
    enum err err;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        start.members[i].node_id = i + 1;
        snprintf(start.members[i].address.text, sizeof(start.members[i].address.text), "h%u:1", i);
    }
    struct config *config = config_first(&start, &err);
    assert_non_null(config);
    config_encode(config, &body);
    log_append(world->log, RECORD_CONFIG, buf_slice(&body));
    config_free(config);
    buf_fini(&body);
}

static struct world *world_new(void)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    struct buf body = BUF_EMPTY;
    world->log = log_new();
    buf_u64(&body, 7);
    buf_append_slice(&body, SLICE_LIT("10.0.0.7:80"));
    log_append(world->log, RECORD_IDENTITY, buf_slice(&body));
    put_config(world);
    buf_fini(&body);
    /* The cluster is where it was: the actors of its members are open, and nothing is covered. */
    world->cluster.lineage = LINEAGE;
    world->cluster.next_actor = MEMBERS + 1;
    world->cluster.open_count = MEMBERS;
    for (uint32_t i = 0; i < MEMBERS; i++)
        world->cluster.open[i] = i + 1;
    vv_init(&world->cluster.coverage);
    return world;
}

static void world_free(struct world *world)
{
    salvage_free(world->salvage);
    log_free(world->log);
    buf_fini(&world->bytes);
    mem_free(world);
}

/* value NULL: a tombstone. */
static void put(struct world *world, enum record_kind kind, uint32_t actor, uint64_t seq,
                uint64_t hlc, const char *key, const char *value)
{
    struct slice whole;
    struct version version = {.dot = {actor, seq},
                              .hlc = hlc,
                              .form = value == NULL ? VALUE_TOMBSTONE : VALUE_JSON,
                              .key = slice_str(key),
                              .value = value == NULL ? SLICE_EMPTY : slice_str(value)};
    log_append_version(world->log, kind, &version, &whole);
}

static void read_log(struct world *world)
{
    struct log_batch batch;
    log_take(world->log, &batch);
    buf_append_slice(&world->bytes, batch.bytes);
    struct log_segment segment = {batch.segment, buf_slice(&world->bytes)};
    world->salvage = salvage_new(&segment, 1);
}

/* "key=value key2=-": what the cluster may lack, in order. */
static void expect_missing(struct world *world, const char *want)
{
    struct buf got = BUF_EMPTY;
    size_t count = salvage_compare(world->salvage, &world->cluster);
    for (size_t i = 0; i < count; i++) {
        struct version version;
        salvage_missing(world->salvage, i, &version);
        if (i > 0)
            buf_u8(&got, ' ');
        buf_append_slice(&got, version.key);
        buf_u8(&got, '=');
        buf_append_slice(&got, version.form == VALUE_TOMBSTONE ? SLICE_LIT("-") : version.value);
    }
    buf_u8(&got, '\0');
    assert_string_equal((const char *)got.ptr, want);
    buf_fini(&got);
}

static void the_source_says_what_it_is(void **state)
{
    (void)state;
    struct world *world = world_new();
    put(world, RECORD_ARRIVAL, 1, 1, 10, "a", "1");
    put(world, RECORD_WALKED, 2, 1, 11, "b", "2");
    put(world, RECORD_DUMP, 2, 2, 12, "c", "3");
    put(world, RECORD_ARRIVAL, 3, 1, 13, "a", NULL);
    put(world, RECORD_ARRIVAL, 3, 9, 9, "c", "older");
    read_log(world);
    const struct salvage_source *source = salvage_source(world->salvage);
    assert_string_equal(source->address.text, "10.0.0.7:80");
    assert_int_equal(source->lineage, LINEAGE);
    assert_int_equal(source->epoch, 1);
    assert_int_equal(source->live, 2);
    assert_int_equal(source->deleted, 1);
    assert_false(source->damaged);
    expect_missing(world, "b=2 c=3 a=-");
    world_free(world);
}

/* Of an actor that may still write, the cluster has what is covered. */
static void open_actors(void **state)
{
    (void)state;
    struct world *world = world_new();
    put(world, RECORD_ARRIVAL, 1, 5, 30, "b", "5");
    put(world, RECORD_ARRIVAL, 1, 4, 20, "a", "4");
    put(world, RECORD_ARRIVAL, 1, 6, 10, "c", "6");
    read_log(world);
    expect_missing(world, "c=6 a=4 b=5"); /* by their clocks */
    vv_set(&world->cluster.coverage, 1, 4);
    expect_missing(world, "c=6 b=5");
    vv_set(&world->cluster.coverage, 1, 6);
    expect_missing(world, "");
    world_free(world);
}

/* A closed actor is covered nowhere: the cluster had it all, but for what its losses tell. */
static void closed_actors(void **state)
{
    (void)state;
    struct world *world = world_new();
    put(world, RECORD_ARRIVAL, 2, 7, 20, "a", "7");
    put(world, RECORD_ARRIVAL, 2, 8, 30, "b", "8");
    read_log(world);
    expect_missing(world, "a=7 b=8");
    world->cluster.open[1] = 1; /* 2 is closed */
    expect_missing(world, "");
    world->cluster.losses[0] = (struct dot){2, 7};
    world->cluster.loss_count = 1;
    expect_missing(world, "b=8");
    world->cluster.losses[0] = (struct dot){3, 0};
    expect_missing(world, "");
    /* A shard's data was lost once: of whom nothing is told, nothing is sure. */
    world->cluster.shard_lost = true;
    expect_missing(world, "a=7 b=8");
    world->cluster.losses[0] = (struct dot){2, 7};
    expect_missing(world, "b=8");
    /* Sealed, and covered up to its end: what lies below may be lost all the same. */
    world->cluster.open[1] = 2;
    vv_set(&world->cluster.coverage, 2, 8);
    expect_missing(world, "b=8");
    world_free(world);
}

/* A history that went on without this node has given its later actors to others. */
static void forks(void **state)
{
    (void)state;
    struct world *world = world_new();
    put(world, RECORD_ARRIVAL, 1, 1, 10, "a", "1");
    put(world, RECORD_ARRIVAL, 5, 1, 11, "b", "2");
    read_log(world);
    vv_set(&world->cluster.coverage, 1, 100);
    vv_set(&world->cluster.coverage, 5, 100);
    world->cluster.lineage = 1234;
    world->cluster.next_actor = 9;
    assert_false(salvage_related(world->salvage, &world->cluster));
    expect_missing(world, "a=1 b=2");
    world->cluster.ancestors[0] = (struct ancestor){55, 3, 9};
    world->cluster.ancestors[1] = (struct ancestor){LINEAGE, 4, 5};
    world->cluster.ancestor_count = 2;
    assert_true(salvage_related(world->salvage, &world->cluster));
    expect_missing(world, "b=2");
    /* It has learnt of more than this node has. */
    world->cluster.ancestors[1].next_actor = 6;
    expect_missing(world, "");
    world_free(world);
}

/* What was taken out after a walk or a purge does not come back; what came later stays. */
static void versions_taken_out(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct buf body = BUF_EMPTY;
    put(world, RECORD_ARRIVAL, 1, 1, 10, "a", "1");
    put(world, RECORD_ARRIVAL, 1, 2, 20, "b", "2");
    for (int i = 0; i < 3; i++) { /* a as it is, b as it was before, c that never was */
        buf_u32(&body, 1);
        buf_u64(&body, 1);
        buf_u64(&body, 10);
        buf_u16(&body, 1);
        buf_u8(&body, (uint8_t)('a' + i));
    }
    log_append(world->log, RECORD_ABSENT, buf_slice(&body));
    read_log(world);
    expect_missing(world, "b=2");
    buf_fini(&body);
    world_free(world);
}

/* Bytes that make no sense end a record, not the reading; whatever is cut, nothing else happens. */
static void damage(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (int round = 0; round < 300; round++) {
        struct world *world = world_new();
        log_append(world->log, RECORD_ARRIVAL, SLICE_LIT("no version"));
        log_append(world->log, RECORD_CONFIG, SLICE_LIT("no configuration"));
        log_append(world->log, RECORD_ABSENT, SLICE_LIT("none"));
        for (uint32_t i = 1; i <= 20; i++) {
            char key[8];
            snprintf(key, sizeof(key), "k%02u", i);
            put(world, RECORD_ARRIVAL, 1, i, i, key, "1");
        }
        read_log(world);
        assert_int_equal(salvage_compare(world->salvage, &world->cluster), 20);
        salvage_free(world->salvage);
        size_t at = (size_t)rng_below(&rng, world->bytes.len);
        world->bytes.ptr[at] ^= (uint8_t)(1U << rng_below(&rng, 8));
        struct log_segment segment = {1, buf_slice(&world->bytes)};
        world->salvage = salvage_new(&segment, 1);
        size_t count = salvage_compare(world->salvage, &world->cluster);
        assert_true(count <= 20);
        for (size_t i = 0; i < count; i++) {
            struct version version;
            salvage_missing(world->salvage, i, &version);
            assert_int_equal(version.dot.seq, i + 1);
        }
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_says_what_it_is),
        cmocka_unit_test(open_actors),
        cmocka_unit_test(closed_actors),
        cmocka_unit_test(forks),
        cmocka_unit_test(versions_taken_out),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
