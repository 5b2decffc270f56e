/* test_log - the log after every crash that there is.
 *
 * Does:   random histories of batches, syncs, marks, new segments, new bases and drops; the image
 *         of a crash of the process at every byte; images of a crash of the machine, with every
 *         set of unsynced sectors lost, or the end gone without a trace; flipped bits; missing
 *         segments; and each time what comes after: the log goes on, and is recovered again.
 * Not:    what records mean: test_checkpoint.c puts them into a table.
 * Holds:  L1 to L6, C1, C2.
 * Limits: -
 * See:    store/log.h, disk.h.
 */
#include "unit.h"

#include "disk.h"

struct run {
    struct rng rng;   /* of this test */
    struct log *log;  /* under test */
    struct disk disk; /* what it did */
    uint64_t base;    /* as last set */
    uint64_t synced;  /* as last told */
    uint64_t rests;   /* recoveries that found one */
};

static struct run run_new(struct rng *rng)
{
    struct run run = {.rng = *rng, .log = log_new(), .base = 1};
    rng_init(&run.rng, rng_u64(rng));
    return run;
}

static void run_free(struct run *run)
{
    log_free(run->log);
    disk_free(&run->disk);
}

/* --- histories ---------------------------------------------------------------------------- */

static void append_some(struct run *run, uint64_t len_max)
{
    static const enum record_kind kinds[] = {RECORD_ARRIVAL, RECORD_WALKED, RECORD_RAISE,
                                             RECORD_START, RECORD_STOP};
    uint8_t body[2000];
    for (uint64_t i = rng_between(&run->rng, 1, 3); i > 0; i--) {
        size_t len = (size_t)rng_below(&run->rng, len_max);
        for (size_t k = 0; k < len; k++)
            body[k] = (uint8_t)rng_u64(&run->rng);
        disk_append(&run->disk, run->log, kinds[rng_below(&run->rng, 5)], slice_of(body, len));
    }
}

static void do_sync(struct run *run)
{
    disk_step_add(&run->disk, DISK_SYNC);
    run->synced = log_position(run->log) - log_pending_bytes(run->log);
    log_synced(run->log, run->synced);
}

/* What whoever commits a batch owes (log_rest_ends). */
static void do_commit(struct run *run)
{
    bool ends = log_rest_ends(run->log);
    if (ends && rng_chance(&run->rng, 1, 2))
        log_rest(run->log);
    disk_take(&run->disk, run->log, run->base);
    assert_false(log_rest_ends(run->log));
    if (ends) {
        run->disk.steps[run->disk.step_count - 1].held = true;
        do_sync(run);
    }
}

static void do_drops(struct run *run)
{
    uint64_t last = 0;
    for (uint64_t id = log_next_drop(run->log); id != 0; id = log_next_drop(run->log)) {
        assert_true(id > last);
        assert_true(id < run->base);
        last = id;
        disk_step_add(&run->disk, DISK_DROP)->segment = id;
    }
}

/* The start of a segment that may become the base: synced, as a footer in it would be. */
static void do_base(struct run *run)
{
    uint64_t base = run->base;
    for (size_t i = 0; i < run->disk.record_taken; i++) {
        const struct disk_record *record = &run->disk.records[i];
        if (record->position + record_size(record->body.len) <= run->synced &&
            record->segment > base && rng_chance(&run->rng, 1, 2))
            base = record->segment;
    }
    run->base = base;
    log_set_base(run->log, base);
}

static void do_step(struct run *run, uint64_t len_max)
{
    uint64_t choice = rng_below(&run->rng, 16);
    if (choice < 8) {
        if (rng_chance(&run->rng, 1, 4))
            log_mark(run->log);
        append_some(run, len_max);
        do_commit(run);
    } else if (choice < 11) {
        do_sync(run);
    } else if (choice < 12) {
        log_mark(run->log);
        if (log_pending(run->log))
            disk_take(&run->disk, run->log, run->base);
    } else if (choice < 13) {
        log_roll(run->log);
    } else if (choice < 14) {
        do_base(run);
    } else {
        do_drops(run);
    }
}

static void make_history(struct run *run, uint32_t steps, uint64_t len_max)
{
    for (uint32_t i = 0; i < steps; i++)
        do_step(run, len_max);
}

/* --- what is owed ------------------------------------------------------------------------- */

/* The base that the last whole head of image names, 0 when there is none. */
static uint64_t base_of(const struct disk *disk, const struct disk_image *image)
{
    for (size_t i = image->count; i > 0; i--) {
        const struct disk_file *file = &image->files[i - 1];
        for (size_t k = 0; k < disk->step_count; k++) {
            const struct disk_step *step = &disk->steps[k];
            bool head = step->verb == DISK_APPEND && step->segment == file->id &&
                        step->offset == 0 && file->bytes.len >= DISK_SEGMENT_HEAD;
            if (head && memcmp(file->bytes.ptr, step->bytes.ptr, DISK_SEGMENT_HEAD) == 0)
                return step->base;
        }
    }
    return 0;
}

static size_t first_of(const struct disk *disk, uint64_t base)
{
    size_t first = 0;
    while (first < disk->record_taken && disk->records[first].segment < base)
        first++;
    return first;
}

/* Records from first on that lie whole in the image, up to the first that does not. */
static size_t whole_of(const struct disk *disk, size_t first, struct disk_image *image)
{
    size_t count = 0;
    for (size_t i = first; i < disk->record_taken; i++, count++) {
        const struct disk_record *record = &disk->records[i];
        bool whole = false;
        for (size_t k = 0; k < image->count; k++)
            whole = whole || (image->files[k].id == record->segment &&
                              image->files[k].bytes.len >= record->end);
        if (!whole)
            break;
    }
    return count;
}

/* Goes on after a recovery: a batch is written up to every byte of it, and recovered again. What
 * was cut is told again; where the owner knows that nothing is missing, up to the new head. */
static void go_on(struct run *run, struct log *log, const struct disk_image *image,
                  const struct disk_found *before)
{
    struct disk next = {0};
    for (size_t i = 0; i < before->out.record_count; i++) {
        const struct disk_record *record = &before->out.records[i];
        disk_record_add(&next, record->kind, buf_slice(&record->body), record->position);
    }
    next.record_taken = next.record_count;
    uint64_t start = log_position(log);
    bool unharmed = before->recovery.state == LOG_CUT && rng_chance(&run->rng, 1, 2);
    if (unharmed)
        log_cut_unharmed(log);
    assert_true(start >= before->recovery.end_position);
    disk_append(&next, log, RECORD_START, SLICE_LIT("what I made of it"));
    disk_append(&next, log, RECORD_ARRIVAL, SLICE_LIT("and something new"));
    disk_take(&next, log, 0);
    const struct disk_record *told = &next.records[before->out.record_count];
    size_t at = (size_t)rng_below(&run->rng, 7);
    for (; at <= next.steps[0].bytes.len; at += 1 + rng_below(&run->rng, 40)) {
        struct disk_image again = disk_image_copy(image);
        disk_apply(&again, &next.steps[0], at);
        struct log *second = log_new();
        struct disk_found found;
        disk_recover(&again, second, &found);
        assert_true(found.out.record_count >= before->out.record_count);
        disk_same(&next, 0, &found.out);
        if (at >= told->end) {
            assert_int_equal(found.recovery.state, LOG_WHOLE);
            assert_true(found.out.record_count > before->out.record_count);
        } else if (unharmed && at >= told->offset) {
            assert_int_equal(found.recovery.state, LOG_WHOLE);
        } else if (before->recovery.state >= LOG_CUT) {
            assert_true(found.recovery.state >= LOG_CUT);
        }
        assert_true(log_position(second) > start || at == 0);
        disk_free(&found.out);
        log_free(second);
        disk_image_free(&again);
    }
    disk_free(&next);
}

/* --- crash of the process ----------------------------------------------------------------- */

static void crash_here(struct run *run, struct disk_image *image, bool torn)
{
    struct log *log = log_new();
    struct disk_found found;
    disk_recover(image, log, &found);
    uint64_t base = base_of(&run->disk, image);
    size_t first = first_of(&run->disk, base);
    size_t whole = base == 0 ? 0 : whole_of(&run->disk, first, image);
    assert_int_equal(found.recovery.state, base == 0 ? LOG_EMPTY : LOG_WHOLE);
    assert_int_equal(found.out.record_count, whole);
    disk_same(&run->disk, first, &found.out);
    if (!torn)
        assert_int_equal(found.recovery.cut_bytes, 0);
    bool stop = whole > 0 && found.out.records[whole - 1].kind == RECORD_STOP;
    assert_int_equal(found.recovery.clean_stop, stop && found.recovery.cut_bytes == 0);
    if (rng_chance(&run->rng, 1, 20))
        go_on(run, log, image, &found);
    disk_free(&found.out);
    log_free(log);
}

static void crash_at_every_byte(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 60; round++) {
        struct run run = run_new(&rng);
        make_history(&run, 40, rng_chance(&rng, 1, 2) ? 40 : 300);
        struct disk_image image = {0};
        for (size_t i = 0; i < run.disk.step_count; i++) {
            const struct disk_step *step = &run.disk.steps[i];
            for (size_t at = 0; step->verb == DISK_APPEND && at < step->bytes.len; at++) {
                struct disk_image torn = disk_image_copy(&image);
                disk_apply(&torn, step, at);
                crash_here(&run, &torn, true);
                disk_image_free(&torn);
            }
            disk_apply(&image, step, SIZE_MAX);
            crash_here(&run, &image, false);
        }
        disk_image_free(&image);
        run_free(&run);
    }
}

/* --- crash of the machine ----------------------------------------------------------------- */

/* Loses the sectors of what was not synced that have a bit in lost; the last `cut` bytes too. */
static void lose(struct disk_file *file, uint64_t lost, size_t cut)
{
    size_t unsynced = file->bytes.len - file->synced;
    file->bytes.len -= cut < unsynced ? cut : unsynced;
    size_t number = 0;
    for (size_t at = file->synced; at < file->bytes.len; number++) {
        size_t end = (at / DISK_SECTOR + 1) * DISK_SECTOR;
        end = end < file->bytes.len ? end : file->bytes.len;
        if (lost >> number % 64 & 1)
            memset(file->bytes.ptr + at, 0, end - at);
        at = end;
    }
}

static size_t unsynced_sectors(const struct disk_file *file)
{
    if (file->bytes.len == file->synced)
        return 0;
    return (file->bytes.len - 1) / DISK_SECTOR - file->synced / DISK_SECTOR + 1;
}

/* What was synced is handed out; what is handed out was appended; nothing is called damaged; where
 * the log rests, all is there that anybody can have seen. */
static void machine_crashed(struct run *run, struct disk_image *image, uint64_t synced, size_t seen)
{
    struct log *log = log_new();
    struct disk_found found;
    disk_recover(image, log, &found);
    uint64_t base = base_of(&run->disk, image);
    size_t first = first_of(&run->disk, base);
    assert_true(found.recovery.state != LOG_DAMAGED);
    disk_same(&run->disk, first, &found.out);
    size_t owed = 0;
    while (first + owed < run->disk.record_taken &&
           run->disk.records[first + owed].position +
                   record_size(run->disk.records[first + owed].body.len) <=
               synced)
        owed++;
    assert_true(found.out.record_count >= owed);
    assert_true(found.recovery.synced_position <= synced);
    if (found.recovery.rests)
        assert_true(first + found.out.record_count >= seen);
    run->rests += found.recovery.rests;
    if (rng_chance(&run->rng, 1, 20))
        go_on(run, log, image, &found);
    disk_free(&found.out);
    log_free(log);
}

/* The last bytes that were not synced, however many, never were: no trace of them. */
static void lose_tails(struct run *run, const struct disk_image *image, uint64_t synced,
                       size_t seen)
{
    struct disk_image after = disk_image_copy(image);
    while (after.count > 0) {
        struct disk_file *file = &after.files[after.count - 1];
        machine_crashed(run, &after, synced, seen);
        if (file->bytes.len > file->synced)
            file->bytes.len -= 8;
        else if (file->synced == 0)
            disk_file_remove(&after, after.count - 1);
        else
            break;
    }
    disk_image_free(&after);
}

static void lose_sectors(struct run *run, const struct disk_image *image, uint64_t synced,
                         size_t seen)
{
    size_t sectors = 0;
    for (size_t i = 0; i < image->count; i++)
        sectors += unsynced_sectors(&image->files[i]);
    uint64_t sets = sectors > 7 ? 128 : UINT64_C(1) << sectors;
    for (uint64_t set = 0; set < sets; set++) {
        uint64_t lost = sectors > 7 ? rng_u64(&run->rng) : set;
        struct disk_image after = disk_image_copy(image);
        for (size_t i = after.count; i > 0; i--) {
            struct disk_file *file = &after.files[i - 1];
            size_t number = unsynced_sectors(file);
            bool never = file->synced == 0 && rng_chance(&run->rng, 1, 8);
            lose(file, lost, (size_t)rng_below(&run->rng, 3) * rng_below(&run->rng, 700));
            lost >>= number % 64;
            if (never)
                disk_file_remove(&after, i - 1); /* the name of the file was not synced either */
        }
        machine_crashed(run, &after, synced, seen);
        disk_image_free(&after);
    }
}

static void every_set_of_unsynced_sectors_is_lost(void **state)
{
    (void)state;
    uint64_t rests = 0;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 60; round++) {
        struct run run = run_new(&rng);
        make_history(&run, 40, rng_chance(&rng, 1, 2) ? 200 : 1500);
        struct disk_image image = {0};
        uint64_t synced = 0;
        uint64_t written = 0;
        uint64_t positions = 0;
        for (size_t i = 0; i < run.disk.step_count; i++) {
            const struct disk_step *step = &run.disk.steps[i];
            disk_apply(&image, step, SIZE_MAX);
            positions += step->bytes.len;
            written = positions;
            if (step->verb == DISK_SYNC)
                synced = written;
            lose_sectors(&run, &image, synced, disk_seen(&run.disk, i + 1));
            lose_tails(&run, &image, synced, disk_seen(&run.disk, i + 1));
        }
        rests += run.rests;
        disk_image_free(&image);
        run_free(&run);
    }
    assert_true(rests > 0);
}

/* --- rot ---------------------------------------------------------------------------------- */

struct spot {
    uint64_t start;     /* position of the record that holds it */
    uint64_t segment;   /* where it lies */
    uint64_t offset;    /* of the record */
    uint64_t positions; /* position of the segment's first byte */
};

/* The record that holds a byte, by reading the undamaged image; and the greatest position that
 * a mark or head outside it calls synced. */
static uint64_t look_around(const struct disk_image *image, uint64_t segment, size_t byte,
                            struct spot *spot)
{
    uint64_t known = 0;
    for (size_t i = 0; i < image->count; i++) {
        const struct disk_file *file = &image->files[i];
        uint64_t positions = 0;
        for (size_t at = 0; at < file->bytes.len;) {
            struct record record;
            struct slice rest = slice_of(file->bytes.ptr + at, file->bytes.len - at);
            assert_int_equal(record_decode(rest, &record), RECORD_OK);
            struct read in = read_of(record.body);
            uint64_t synced = 0;
            if (record.kind == RECORD_SEGMENT) {
                read_bytes(&in, 32);
                positions = read_u64(&in);
            }
            if (record.kind == RECORD_SEGMENT || record.kind == RECORD_SYNCED)
                synced = read_u64(&in);
            bool here = file->id == segment && byte >= at && byte < at + record.whole.len;
            if (here)
                *spot = (struct spot){positions + at, segment, at, positions};
            else if (synced > known)
                known = synced;
            at += record.whole.len;
        }
    }
    return known;
}

static void damaged_here(struct run *run, const struct disk_image *whole, struct disk_image *image,
                         const struct spot *spot, uint64_t known)
{
    struct log *log = log_new();
    struct disk_found found;
    disk_recover(image, log, &found);
    uint64_t base = base_of(&run->disk, image);
    size_t first = first_of(&run->disk, base);
    disk_same(&run->disk, first, &found.out);
    if (spot->segment < base) {
        /* Nobody reads there any more. */
        assert_int_equal(found.recovery.state, LOG_WHOLE);
        assert_int_equal(found.out.record_count, run->disk.record_taken - first);
    } else {
        assert_false(found.recovery.clean_stop);
        assert_false(found.recovery.rests);
        size_t before = 0;
        while (first + before < run->disk.record_taken &&
               run->disk.records[first + before].position < spot->start)
            before++;
        bool base_there = false;
        for (size_t i = 0; i < whole->count; i++)
            base_there = base_there || whole->files[i].id == base;
        /* Where the head was hit that names the new base, the old base, long dropped, is
         * missing: that lies further back, and may be known to have been synced. */
        if (known > spot->start)
            assert_int_equal(found.recovery.state, LOG_DAMAGED);
        else if (base_there)
            assert_int_equal(found.recovery.state, LOG_CUT);
        else
            assert_true(found.recovery.state >= LOG_CUT);
        assert_int_equal(found.out.record_count, base_there ? before : 0);
    }
    if (rng_chance(&run->rng, 1, 10))
        go_on(run, log, image, &found);
    disk_free(&found.out);
    log_free(log);
}

static void flipped_bits_are_found(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 150; round++) {
        struct run run = run_new(&rng);
        make_history(&run, 60, rng_chance(&rng, 1, 2) ? 40 : 300);
        struct disk_image image = disk_image_at(&run.disk, run.disk.step_count);
        for (uint32_t i = 0; i < 200 && image.count > 0; i++) {
            struct disk_file *file = &image.files[rng_below(&rng, image.count)];
            size_t byte = (size_t)rng_below(&rng, file->bytes.len);
            struct spot spot = {0};
            uint64_t known = look_around(&image, file->id, byte, &spot);
            uint8_t bit = (uint8_t)(1U << rng_below(&rng, 8));
            file->bytes.ptr[byte] ^= bit;
            struct disk_image damaged = disk_image_copy(&image);
            file->bytes.ptr[byte] ^= bit;
            damaged_here(&run, &image, &damaged, &spot, known);
            disk_image_free(&damaged);
        }
        disk_image_free(&image);
        run_free(&run);
    }
}

/* --- missing ------------------------------------------------------------------------------ */

static void missing_segments_are_found(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t found_missing = 0;
    for (uint32_t round = 0; round < 400; round++) {
        struct run run = run_new(&rng);
        make_history(&run, 60, 40);
        struct disk_image whole = disk_image_at(&run.disk, run.disk.step_count);
        for (size_t i = 0; i + 1 < whole.count; i++) {
            struct disk_image image = disk_image_copy(&whole);
            uint64_t id = image.files[i].id;
            struct spot spot = {0};
            look_around(&whole, id, 0, &spot);
            disk_file_remove(&image, i);
            /* Marks within the missing segment are gone with it. */
            struct spot none = {0};
            uint64_t known = look_around(&image, 0, 0, &none);
            damaged_here(&run, &whole, &image, &spot, known);
            found_missing += id >= run.base && known > spot.start;
            disk_image_free(&image);
        }
        disk_image_free(&whole);
        run_free(&run);
    }
    assert_true(found_missing > 10);
}

/* Any bytes at all: recovery comes to an end, and the log can go on. */
static void any_bytes_are_survived(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 3000; round++) {
        struct run run = run_new(&rng);
        make_history(&run, 30, 60);
        struct disk_image image = disk_image_at(&run.disk, run.disk.step_count);
        for (uint64_t i = rng_below(&rng, 6); i > 0 && image.count > 0; i--) {
            struct disk_file *file = &image.files[rng_below(&rng, image.count)];
            size_t at = (size_t)rng_below(&rng, file->bytes.len + 1);
            size_t len = (size_t)rng_below(&rng, file->bytes.len - at + 1);
            switch (rng_below(&rng, 4)) {
            case 0:
                file->bytes.len = at;
                break;
            case 1:
                for (size_t k = 0; k < len; k++)
                    file->bytes.ptr[at + k] = (uint8_t)rng_u64(&rng);
                break;
            case 2: /* a piece of itself, elsewhere */
                memmove(file->bytes.ptr + at, file->bytes.ptr, len);
                break;
            default:
                disk_file_remove(&image, (size_t)(file - image.files));
                break;
            }
        }
        struct disk_found found;
        disk_recover(&image, run.log, &found);
        disk_same(&run.disk, first_of(&run.disk, base_of(&run.disk, &image)), &found.out);
        go_on(&run, run.log, &image, &found);
        disk_free(&found.out);
        disk_image_free(&image);
        run_free(&run);
    }
}

/* --- single rules ------------------------------------------------------------------------- */

static void nothing_at_all_is_empty(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk_image image = {0};
    struct disk_found found;
    disk_recover(&image, log, &found);
    assert_int_equal(found.recovery.state, LOG_EMPTY);
    assert_false(log_pending(log));
    assert_int_equal(log_position(log), 0);
    assert_int_equal(log_next_drop(log), 0);
    assert_int_equal(log_total_bytes(log), 0);
    log_free(log);
}

static void a_refused_record_is_damage(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct run run = run_new(&rng);
    for (uint32_t i = 0; i < 5; i++) {
        append_some(&run, 50);
        disk_take(&run.disk, run.log, 1);
    }
    struct disk_image image = disk_image_at(&run.disk, run.disk.step_count);
    struct log_segment segment = {1, buf_slice(&image.files[0].bytes)};
    struct disk_found found = {.refuse_at = 2};
    log_recover(run.log, &segment, 1, disk_replay, &found, &found.recovery);
    assert_int_equal(found.recovery.state, LOG_DAMAGED);
    assert_int_equal(found.recovery.records, 2);
    assert_int_equal(found.recovery.bad_segment, 1);
    assert_int_equal(found.recovery.bad_offset, run.disk.records[2].offset);
    disk_free(&found.out);
    disk_image_free(&image);
    run_free(&run);
}

/* A process that dies tears the last segment only; a shorter one before it says that the machine
 * forgot something. */
static void only_the_last_end_is_torn(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct run run = run_new(&rng);
    for (uint32_t i = 0; i < 2; i++) {
        append_some(&run, 50);
        disk_take(&run.disk, run.log, 1);
        log_roll(run.log);
    }
    for (size_t file = 0; file < 2; file++) {
        struct disk_image image = disk_image_at(&run.disk, 2);
        image.files[file].bytes.len -= 3;
        struct log *log = log_new();
        struct disk_found found;
        disk_recover(&image, log, &found);
        assert_int_equal(found.recovery.state, file == 0 ? LOG_CUT : LOG_WHOLE);
        assert_int_equal(found.recovery.followed, file == 0);
        assert_int_equal(found.recovery.bad_segment, file + 1);
        disk_free(&found.out);
        disk_image_free(&image);
        log_free(log);
    }
    run_free(&run);
}

static void without_its_mark_nothing_counts_as_synced(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct run run = run_new(&rng);
    append_some(&run, 50);
    disk_take(&run.disk, run.log, 1);
    do_sync(&run);
    append_some(&run, 50);
    disk_take(&run.disk, run.log, 1); /* carries the mark of the first sync */
    struct disk_image image = disk_image_at(&run.disk, run.disk.step_count);
    struct disk_found found;
    disk_recover(&image, run.log, &found);
    assert_false(found.recovery.rests);
    assert_int_equal(found.recovery.synced_position, run.synced);
    disk_free(&found.out);
    disk_image_free(&image);
    run_free(&run);
}

static void segments_are_dropped_only_after_the_new_base_is_synced(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct run run = run_new(&rng);
    for (uint32_t i = 0; i < 4; i++) {
        append_some(&run, 50);
        disk_take(&run.disk, run.log, 1);
        log_roll(run.log);
    }
    do_sync(&run);
    log_set_base(run.log, 3);
    assert_int_equal(log_next_drop(run.log), 0);
    log_mark(run.log); /* nothing else comes: the new base is told all the same */
    assert_true(log_pending(run.log));
    uint64_t before = log_position(run.log) - log_pending_bytes(run.log);
    disk_take(&run.disk, run.log, 3);
    log_synced(run.log, before);
    assert_int_equal(log_next_drop(run.log), 0);
    do_sync(&run);
    assert_int_equal(log_next_drop(run.log), 1);
    assert_int_equal(log_next_drop(run.log), 2);
    assert_int_equal(log_next_drop(run.log), 0);
    run_free(&run);
}

static void segments_end_at_their_limit(void **state)
{
    (void)state;
    struct log *log = log_new();
    uint8_t *body = mem_zalloc(1, 5U << 20);
    uint64_t written = 0;
    uint64_t last = 1;
    for (uint32_t i = 0; i < 40; i++) {
        struct log_batch batch;
        log_append(log, RECORD_ARRIVAL, slice_of(body, 5U << 20));
        log_take(log, &batch);
        assert_true(batch.segment == last || batch.segment == last + 1);
        assert_int_equal(batch.offset == 0, batch.segment > last || i == 0);
        assert_true(batch.offset < LIMIT_SEGMENT_BYTES);
        if (batch.segment > last)
            assert_true(written >= LIMIT_SEGMENT_BYTES);
        written = batch.offset + batch.bytes.len;
        last = batch.segment;
    }
    assert_int_equal(last, 4);
    assert_int_equal(log_total_bytes(log), log_position(log));
    mem_free(body);
    log_free(log);
}

static void positions_are_where_records_stand(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct log_batch batch;
    struct slice whole;
    struct version version = {.dot = {.actor = 1, .seq = 1},
                              .hlc = 1,
                              .form = VALUE_JSON,
                              .key = SLICE_LIT("key"),
                              .value = SLICE_LIT("value")};
    for (uint64_t i = 0; i < 10; i++) {
        assert_false(log_pending(log));
        uint64_t first = log_append(log, RECORD_ARRIVAL, SLICE_LIT("some bytes"));
        uint64_t second = log_append_summed(log, RECORD_ARRIVAL, SLICE_LIT("more"),
                                            hash_bytes(SLICE_LIT("more")));
        uint64_t third = log_append_version(log, RECORD_WALKED, &version, &whole);
        struct record record;
        assert_int_equal(record_decode(whole, &record), RECORD_OK);
        struct version read;
        assert_true(version_decode(record.body, &read));
        assert_true(slice_equal(read.value, version.value));
        uint64_t end = log_position(log);
        assert_int_equal(end - third, whole.len);
        size_t pending = log_pending_bytes(log);
        log_take(log, &batch);
        assert_int_equal(batch.bytes.len, pending);
        assert_int_equal(end, log_position(log));
        uint64_t start = end - batch.bytes.len;
        struct slice at = slice_of(batch.bytes.ptr + (first - start), (size_t)(end - first));
        assert_int_equal(record_decode(at, &record), RECORD_OK);
        assert_true(slice_equal(record.body, SLICE_LIT("some bytes")));
        at = slice_of(batch.bytes.ptr + (second - start), (size_t)(end - second));
        assert_int_equal(record_decode(at, &record), RECORD_OK);
        assert_true(slice_equal(record.body, SLICE_LIT("more")));
        if (i == 5)
            log_roll(log);
    }
    log_free(log);
}

/* A value that looks like a mark cannot make a torn end into damage, unless its writer knew where
 * in the log it would come to stand. */
static void a_value_cannot_pass_for_a_mark(void **state)
{
    (void)state;
    struct log *log = log_new();
    struct disk disk = {0};
    disk_append(&disk, log, RECORD_ARRIVAL, SLICE_LIT("before"));
    disk_take(&disk, log, 1);
    struct buf mark = BUF_EMPTY;
    size_t begin = record_begin(&mark);
    buf_u64(&mark, log_position(log) + 8);
    buf_u64(&mark, log_position(log) + 8); /* it will be 16 */
    record_end(RECORD_SYNCED, begin, &mark);
    buf_append_slice(&mark, SLICE_LIT("the rest"));
    disk_append(&disk, log, RECORD_ARRIVAL, buf_slice(&mark));
    disk_take(&disk, log, 1);
    struct disk_image image = disk_image_at(&disk, 1);
    disk_apply(&image, &disk.steps[1], disk.steps[1].bytes.len - 1);
    struct disk_found found;
    disk_recover(&image, log, &found);
    assert_int_equal(found.recovery.state, LOG_WHOLE);
    assert_int_equal(found.recovery.synced_position, 0);
    disk_free(&found.out);
    disk_image_free(&image);
    disk_free(&disk);
    buf_fini(&mark);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash_at_every_byte),
        cmocka_unit_test(every_set_of_unsynced_sectors_is_lost),
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(missing_segments_are_found),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(nothing_at_all_is_empty),
        cmocka_unit_test(a_refused_record_is_damage),
        cmocka_unit_test(only_the_last_end_is_torn),
        cmocka_unit_test(without_its_mark_nothing_counts_as_synced),
        cmocka_unit_test(segments_are_dropped_only_after_the_new_base_is_synced),
        cmocka_unit_test(segments_end_at_their_limit),
        cmocka_unit_test(positions_are_where_records_stand),
        cmocka_unit_test(a_value_cannot_pass_for_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
