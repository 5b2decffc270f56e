/* test_checkpoint - rewriting what lives, crashed at every step.
 *
 * Does:   a table and its log under random puts, with checkpoints that run, sync and drop
 *         meanwhile; after every effect the log is replayed into a second table, which must equal
 *         the first as it was then; when a checkpoint is due; how much a step writes.
 * Not:    the records that the node repeats at a checkpoint.
 * Holds:  P1 to P3.
 * Limits: -
 * See:    store/checkpoint.h, disk.h, model.h.
 */
#include "unit.h"

#include "disk.h"
#include "model.h"

#define KEYS 300U
#define MOMENTS 250U

struct run {
    struct rng rng;               /* of this test */
    struct table *table;          /* with its log */
    struct log *log;              /* under test */
    struct checkpoint checkpoint; /* under test */
    struct disk disk;             /* what the log did */
    uint64_t base;                /* of the log now */
    uint64_t seq;                 /* given out last */
    uint32_t done;                /* checkpoints that were finished */
    uint32_t dropped;             /* segments */
};

static void put(struct run *run, struct model *model)
{
    uint32_t number = (uint32_t)rng_below(&run->rng, KEYS);
    struct model_version version;
    struct slice whole;
    model_random(&run->rng, 3, &version);
    version.value_len = version.value_len > 200 ? 200 : version.value_len;
    version.dot.seq = ++run->seq;
    version.hlc = run->seq;
    struct version view = model_view(model, number, &version);
    uint64_t position = log_append_version(run->log, RECORD_ARRIVAL, &view, &whole);
    version.position = position;
    model_put(model, number, &version);
    table_put(run->table, model->slots[number], &view, position);
    /* disk.h only counts the records; their bodies are compared through the tables. */
    struct record record;
    assert_int_equal(record_decode(whole, &record), RECORD_OK);
    disk_record_add(&run->disk, RECORD_ARRIVAL, record.body, position);
}

static void write_out(struct run *run)
{
    if (!log_pending(run->log))
        return;
    run->disk.record_taken = run->disk.record_count; /* segments do not matter here */
    disk_take(&run->disk, run->log, run->base);
}

static void sync_and_drop(struct run *run)
{
    uint64_t position = log_position(run->log) - log_pending_bytes(run->log);
    uint64_t base = run->checkpoint.base;
    disk_step_add(&run->disk, DISK_SYNC);
    log_synced(run->log, position);
    if (checkpoint_synced(&run->checkpoint, run->log, position)) {
        run->base = base;
        run->done++;
        assert_false(run->checkpoint.running);
    }
    for (uint64_t id = log_next_drop(run->log); id != 0; id = log_next_drop(run->log)) {
        assert_true(id < run->base); /* P1 */
        disk_step_add(&run->disk, DISK_DROP)->segment = id;
        run->dropped++;
    }
}

static void step(struct run *run, struct model *model)
{
    uint64_t choice = rng_below(&run->rng, 10);
    if (choice < 5) {
        for (uint64_t i = rng_below(&run->rng, 6); i > 0; i--)
            put(run, model);
        write_out(run);
    } else if (choice < 7) {
        sync_and_drop(run);
    } else if (!run->checkpoint.running) {
        checkpoint_begin(&run->checkpoint, run->log);
        write_out(run);
    } else {
        checkpoint_step(&run->checkpoint, run->table, run->log, rng_below(&run->rng, 4000));
        write_out(run);
    }
}

static bool replay(void *arg, const struct record *record, uint64_t position)
{
    struct table *table = arg;
    struct version version;
    if (record->kind == RECORD_CHECKPOINT || record->kind == RECORD_FOOTER)
        return true;
    if (!version_decode(record->body, &version))
        return false;
    table_put(table, slot_of(version.key), &version, position);
    return true;
}

/* The same versions; their positions may be those of a checkpoint. */
static void compare(struct model *model, const struct table *table)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        struct model_version *stands = &model->all[i];
        table_ref ref = table_find(table, model->slots[i], model_key(model, i));
        if (ref == 0 || !stands->there)
            continue;
        assert_true(table_position(table, ref) >= stands->position);
        stands->position = table_position(table, ref);
    }
    model_compare(model, table);
    table_check(table);
}

static void replay_and_compare(struct run *run, struct model *model, const struct disk_image *image)
{
    struct log *log = log_new();
    struct table *table = table_new(rng_u64(&run->rng));
    struct log_segment segments[64];
    struct log_recovery recovery;
    assert_true(image->count <= 64);
    for (size_t i = 0; i < image->count; i++)
        segments[i] = (struct log_segment){image->files[i].id, buf_slice(&image->files[i].bytes)};
    log_recover(log, segments, image->count, replay, table, &recovery);
    assert_int_equal(recovery.state, image->count == 0 ? LOG_EMPTY : LOG_WHOLE);
    compare(model, table);
    table_free(table);
    log_free(log);
}

static struct model *model_copy(const struct model *from)
{
    struct model *model = model_new(KEYS, 0);
    memcpy(model->all, from->all, KEYS * sizeof *from->all);
    return model;
}

static void every_moment_is_recovered(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t done = 0;
    uint32_t dropped = 0;
    for (uint32_t round = 0; round < 2; round++) {
        struct run run = {.rng = rng, .log = log_new(), .base = 1};
        rng_init(&run.rng, rng_u64(&rng));
        run.table = table_new(rng_u64(&rng));
        checkpoint_init(&run.checkpoint);
        struct model *model = model_new(KEYS, 0);
        struct disk_image image = {0};
        size_t applied = 0;
        for (uint32_t moment = 0; moment < MOMENTS; moment++) {
            step(&run, model);
            while (applied < run.disk.step_count) {
                disk_apply(&image, &run.disk.steps[applied++], SIZE_MAX);
                struct model *then = model_copy(model);
                replay_and_compare(&run, then, &image);
                model_free(then);
            }
        }
        done += run.done;
        dropped += run.dropped;
        disk_image_free(&image);
        model_free(model);
        table_free(run.table);
        log_free(run.log);
        disk_free(&run.disk);
    }
    assert_true(done > 1);
    assert_true(dropped > 1);
}

/* P3, with everything else that was logged before the checkpoint thrown away. */
static void the_base_alone_is_enough(void **state)
{
    (void)state;
    struct run run = {.rng = unit_rng(), .log = log_new(), .base = 1};
    run.table = table_new(1);
    struct model *model = model_new(KEYS, 0);
    for (uint32_t i = 0; i < 1000; i++)
        put(&run, model);
    write_out(&run);
    checkpoint_init(&run.checkpoint);
    checkpoint_begin(&run.checkpoint, run.log);
    uint64_t base = run.checkpoint.base;
    assert_int_equal(base, 2);
    while (checkpoint_step(&run.checkpoint, run.table, run.log, 500)) {
        put(&run, model);
        write_out(&run);
    }
    uint64_t footer = run.checkpoint.footer_position;
    assert_true(run.checkpoint.footer_written);
    assert_false(checkpoint_synced(&run.checkpoint, run.log, footer - 8)); /* P1 */
    sync_and_drop(&run);
    assert_int_equal(run.done, 1);
    put(&run, model);
    write_out(&run);
    sync_and_drop(&run);
    assert_int_equal(run.dropped, 1);
    struct disk_image image = disk_image_at(&run.disk, run.disk.step_count);
    for (size_t i = 0; i < image.count; i++)
        assert_true(image.files[i].id >= base);
    replay_and_compare(&run, model, &image);
    disk_image_free(&image);
    model_free(model);
    table_free(run.table);
    log_free(run.log);
    disk_free(&run.disk);
}

static void a_step_keeps_to_its_budget(void **state)
{
    (void)state;
    struct run run = {.rng = unit_rng(), .log = log_new(), .base = 1};
    run.table = table_new(1);
    struct model *model = model_new(KEYS, 1);
    for (uint32_t i = 0; i < 2000; i++)
        put(&run, model);
    write_out(&run);
    checkpoint_init(&run.checkpoint);
    checkpoint_begin(&run.checkpoint, run.log);
    write_out(&run);
    uint64_t dumped = 0;
    uint64_t before = log_position(run.log);
    while (checkpoint_step(&run.checkpoint, run.table, run.log, 0)) {
        /* At least one version, and with no budget no more: deps, key, value, head. */
        uint64_t bytes = log_position(run.log) - before;
        assert_true(bytes > 0);
        assert_true(bytes <= 400);
        dumped++;
        write_out(&run);
        before = log_position(run.log);
    }
    /* The footer is a step of its own. */
    assert_int_equal(dumped, table_live(run.table) + table_tombstones(run.table) + 1);
    model_free(model);
    table_free(run.table);
    log_free(run.log);
    disk_free(&run.disk);
}

/* Twice what lives for one lot, half as much again at most for another. */
static void it_is_due_at_twice_what_lives(void **state)
{
    (void)state;
    uint64_t earliest = 0;
    uint64_t latest = 0;
    struct run run = {.rng = unit_rng(), .log = log_new(), .base = 1};
    run.table = table_new(1);
    struct model *model = model_new(KEYS, 0);
    checkpoint_init(&run.checkpoint);
    for (uint32_t i = 0; i < 3000; i++) {
        put(&run, model);
        write_out(&run);
        uint64_t total = log_total_bytes(run.log);
        bool due = checkpoint_due(&run.checkpoint, run.table, run.log, 20000, 0);
        assert_int_equal(due, total > 20000 && total >= 2 * table_log_bytes(run.table) + 2);
        for (uint64_t lot = 0; lot < 1000; lot++) {
            bool later = checkpoint_due(&run.checkpoint, run.table, run.log, 20000, lot);
            assert_true(due || !later);
            assert_true(later || total <= 20000 || total <= 5 * table_log_bytes(run.table) / 2 + 2);
            earliest = later && earliest == 0 ? total : earliest;
            latest = later ? latest : total;
        }
    }
    assert_true(earliest > 0);
    assert_true(latest > earliest);
    checkpoint_begin(&run.checkpoint, run.log);
    assert_false(checkpoint_due(&run.checkpoint, run.table, run.log, 0, 0));
    model_free(model);
    table_free(run.table);
    log_free(run.log);
    disk_free(&run.disk);
}

/* With a checkpoint whenever one is due, the log never exceeds what lives by much. */
static void the_log_stays_bounded(void **state)
{
    (void)state;
    struct run run = {.rng = unit_rng(), .log = log_new(), .base = 1};
    run.table = table_new(1);
    struct model *model = model_new(KEYS, 0);
    checkpoint_init(&run.checkpoint);
    for (uint32_t i = 0; i < 30000; i++) {
        put(&run, model);
        write_out(&run);
        if (checkpoint_due(&run.checkpoint, run.table, run.log, 50000, 0))
            checkpoint_begin(&run.checkpoint, run.log);
        checkpoint_step(&run.checkpoint, run.table, run.log, 2000);
        write_out(&run);
        if (i % 10 == 0)
            sync_and_drop(&run);
        if (i > 2000)
            assert_true(log_total_bytes(run.log) < 6 * table_log_bytes(run.table) + 100000);
    }
    assert_true(run.done > 10);
    model_free(model);
    table_free(run.table);
    log_free(run.log);
    disk_free(&run.disk);
}

/* Its old segments may lie there for a while: nothing is gained by dumping all again. */
static void the_end_of_one_makes_none_due(void **state)
{
    (void)state;
    struct run run = {.rng = unit_rng(), .log = log_new(), .base = 1};
    run.table = table_new(1);
    struct model *model = model_new(KEYS, 0);
    checkpoint_init(&run.checkpoint);
    while (!checkpoint_due(&run.checkpoint, run.table, run.log, 50000, 0)) {
        put(&run, model);
        write_out(&run);
    }
    checkpoint_begin(&run.checkpoint, run.log);
    while (checkpoint_step(&run.checkpoint, run.table, run.log, 2000))
        write_out(&run);
    uint64_t position = log_position(run.log);
    log_synced(run.log, position);
    assert_true(checkpoint_synced(&run.checkpoint, run.log, position));
    assert_int_equal(log_next_drop(run.log), 0);
    assert_true(log_total_bytes(run.log) > 2 * table_log_bytes(run.table));
    assert_false(checkpoint_due(&run.checkpoint, run.table, run.log, 0, 0));
    model_free(model);
    table_free(run.table);
    log_free(run.log);
    disk_free(&run.disk);
}

static void an_empty_table_has_a_checkpoint_too(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct log *log = log_new();
    struct checkpoint checkpoint;
    struct log_batch batch;
    checkpoint_init(&checkpoint);
    assert_false(checkpoint_step(&checkpoint, table, log, 100));
    assert_false(checkpoint_due(&checkpoint, table, log, 0, 0));
    checkpoint_begin(&checkpoint, log);
    assert_true(checkpoint_step(&checkpoint, table, log, 100));
    assert_false(checkpoint_step(&checkpoint, table, log, 100));
    log_take(log, &batch);
    log_synced(log, log_position(log));
    assert_true(checkpoint_synced(&checkpoint, log, log_position(log)));
    assert_false(checkpoint_synced(&checkpoint, log, log_position(log)));
    table_free(table);
    log_free(log);
}

static void the_first_and_the_last_slot_are_dumped(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct log *log = log_new();
    uint64_t found = 0;
    for (uint64_t i = 1; found < 2; i++) {
        struct slice key = slice_of(&i, sizeof i);
        uint32_t slot = slot_of(key);
        if ((slot > 0 && slot + 1 < LIMIT_SLOTS) || table_slot_live(table, slot) > 0)
            continue;
        struct version version = {
            .dot = {.actor = 1, .seq = i}, .hlc = i, .form = VALUE_JSON, .key = key};
        table_put(table, slot, &version, 0);
        found++;
    }
    struct checkpoint checkpoint;
    struct log_batch batch;
    checkpoint_init(&checkpoint);
    checkpoint_begin(&checkpoint, log);
    while (checkpoint_step(&checkpoint, table, log, 1)) {}
    log_take(log, &batch);
    struct log_segment segment = {batch.segment, batch.bytes};
    struct log_recovery recovery;
    struct table *second = table_new(2);
    struct log *other = log_new();
    log_recover(other, &segment, 1, replay, second, &recovery);
    assert_int_equal(recovery.state, LOG_WHOLE);
    assert_int_equal(table_live(second), 2);
    assert_int_equal(table_slot_live(second, 0), 1);
    assert_int_equal(table_slot_live(second, LIMIT_SLOTS - 1), 1);
    table_free(table);
    table_free(second);
    log_free(log);
    log_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_moment_is_recovered),
        cmocka_unit_test(the_base_alone_is_enough),
        cmocka_unit_test(a_step_keeps_to_its_budget),
        cmocka_unit_test(it_is_due_at_twice_what_lives),
        cmocka_unit_test(the_log_stays_bounded),
        cmocka_unit_test(the_end_of_one_makes_none_due),
        cmocka_unit_test(the_first_and_the_last_slot_are_dumped),
        cmocka_unit_test(an_empty_table_has_a_checkpoint_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
