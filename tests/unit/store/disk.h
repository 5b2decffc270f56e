/* disk - what a log did to its disk, step by step, and what may be found there afterwards.
 *
 * Does:   notes every append, sync and drop of a log, and every record that was appended; makes
 *         the image that a crash leaves between any two bytes; loses unsynced sectors; recovers
 *         an image into a list of records.
 * Not:    time, errors: the simulator has those.
 * Holds:  -
 * Limits: -
 * See:    store/log.h; test_log.c, test_checkpoint.c.
 */
#pragma once

#include "store/store.h"

#define DISK_SECTOR 512U
/* The first record of a segment: 16 bytes of head, 56 of body. */
#define DISK_SEGMENT_HEAD 72U

enum disk_verb { DISK_APPEND, DISK_SYNC, DISK_DROP };

struct disk_step {
    enum disk_verb verb; /* what */
    uint64_t segment;    /* where (append, drop) */
    uint64_t offset;     /* where in it */
    struct buf bytes;    /* appended; owned */
    uint64_t base;       /* of the log when this was done */
    size_t records;      /* appended: of the disk up to here */
    bool held;           /* appended: nobody sees it before the next step is done, a sync */
};

/* A record as it was appended, or handed out. */
struct disk_record {
    enum record_kind kind; /* of it */
    struct buf body;       /* owned */
    uint64_t position;     /* in the log */
    uint64_t segment;      /* where it lies */
    uint64_t offset;       /* of its first byte there */
    uint64_t end;          /* offset behind it */
};

struct disk_file {
    uint64_t id;      /* of the segment */
    struct buf bytes; /* owned */
    size_t synced;    /* bytes from the front that no crash loses */
};

struct disk_image {
    struct disk_file *files; /* ascending by id */
    size_t count;            /* of files */
};

struct disk {
    struct disk_step *steps;     /* in order */
    size_t step_count;           /* of steps */
    struct disk_record *records; /* in order */
    size_t record_count;         /* of records */
    size_t record_taken;         /* records whose segment is known */
};

/* Room for one more: doubles whenever count is a power of two. */
static inline void *disk_grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    return mem_realloc(array, (count == 0 ? 1 : count * 2) * size);
}

static inline struct disk_step *disk_step_add(struct disk *disk, enum disk_verb verb)
{
    disk->steps = disk_grow(disk->steps, disk->step_count, sizeof *disk->steps);
    struct disk_step *step = &disk->steps[disk->step_count++];
    *step = (struct disk_step){.verb = verb, .bytes = BUF_EMPTY};
    return step;
}

static inline void disk_record_add(struct disk *disk, enum record_kind kind, struct slice body,
                                   uint64_t position)
{
    disk->records = disk_grow(disk->records, disk->record_count, sizeof *disk->records);
    struct disk_record *record = &disk->records[disk->record_count++];
    *record = (struct disk_record){.kind = kind, .body = BUF_EMPTY, .position = position};
    buf_append_slice(&record->body, body);
}

static inline void disk_append(struct disk *disk, struct log *log, enum record_kind kind,
                               struct slice body)
{
    disk_record_add(disk, kind, body, log_append(log, kind, body));
}

/* Takes the batch: one step; now it is known where its records lie. */
static inline void disk_take(struct disk *disk, struct log *log, uint64_t base)
{
    struct log_batch batch;
    log_take(log, &batch);
    uint64_t end = log_position(log);
    struct disk_step *step = disk_step_add(disk, DISK_APPEND);
    step->segment = batch.segment;
    step->offset = batch.offset;
    step->base = base;
    buf_append_slice(&step->bytes, batch.bytes);
    uint64_t start = end - batch.bytes.len - batch.offset; /* position of the segment */
    for (; disk->record_taken < disk->record_count; disk->record_taken++) {
        struct disk_record *record = &disk->records[disk->record_taken];
        record->segment = batch.segment;
        record->offset = record->position - start;
        record->end = record->offset + record_size(record->body.len);
        assert_true(record->offset >= batch.offset);
        assert_true(record->end <= batch.offset + batch.bytes.len);
    }
    step->records = disk->record_taken;
}

/* Records that somebody may have seen after so many whole steps. */
static inline size_t disk_seen(const struct disk *disk, size_t steps)
{
    size_t seen = 0;
    for (size_t i = 0; i < steps; i++) {
        const struct disk_step *step = &disk->steps[i];
        if (step->verb == DISK_APPEND && (!step->held || i + 1 < steps))
            seen = step->records;
    }
    return seen;
}

static inline void disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->step_count; i++)
        buf_fini(&disk->steps[i].bytes);
    for (size_t i = 0; i < disk->record_count; i++)
        buf_fini(&disk->records[i].body);
    mem_free(disk->steps);
    mem_free(disk->records);
    *disk = (struct disk){0};
}

/* --- images ------------------------------------------------------------------------------- */

static inline struct disk_file *disk_file_of(struct disk_image *image, uint64_t id)
{
    for (size_t i = 0; i < image->count; i++)
        if (image->files[i].id == id)
            return &image->files[i];
    assert_true(image->count == 0 || image->files[image->count - 1].id < id);
    image->files = disk_grow(image->files, image->count, sizeof *image->files);
    struct disk_file *file = &image->files[image->count++];
    *file = (struct disk_file){.id = id, .bytes = BUF_EMPTY};
    return file;
}

static inline void disk_file_remove(struct disk_image *image, size_t at)
{
    assert_true(at < image->count);
    buf_fini(&image->files[at].bytes);
    image->count--;
    for (size_t i = at; i < image->count; i++)
        image->files[i] = image->files[i + 1];
}

static inline void disk_image_free(struct disk_image *image)
{
    while (image->count > 0)
        disk_file_remove(image, image->count - 1);
    mem_free(image->files);
    *image = (struct disk_image){0};
}

static inline void disk_apply(struct disk_image *image, const struct disk_step *step,
                              size_t bytes_max)
{
    if (step->verb == DISK_SYNC) {
        for (size_t i = 0; i < image->count; i++)
            image->files[i].synced = image->files[i].bytes.len;
    } else if (step->verb == DISK_DROP) {
        for (size_t i = 0; i < image->count; i++)
            if (image->files[i].id == step->segment)
                disk_file_remove(image, i);
    } else {
        struct disk_file *file = disk_file_of(image, step->segment);
        assert_int_equal(file->bytes.len, step->offset);
        size_t len = step->bytes.len < bytes_max ? step->bytes.len : bytes_max;
        buf_append(&file->bytes, step->bytes.ptr, len);
    }
}

/* After `steps` whole steps. */
static inline struct disk_image disk_image_at(const struct disk *disk, size_t steps)
{
    struct disk_image image = {0};
    for (size_t i = 0; i < steps; i++)
        disk_apply(&image, &disk->steps[i], SIZE_MAX);
    return image;
}

static inline struct disk_image disk_image_copy(const struct disk_image *from)
{
    struct disk_image image = {0};
    for (size_t i = 0; i < from->count; i++) {
        struct disk_file *file = disk_file_of(&image, from->files[i].id);
        buf_append_slice(&file->bytes, buf_slice(&from->files[i].bytes));
        file->synced = from->files[i].synced;
    }
    return image;
}

/* --- recovery ----------------------------------------------------------------------------- */

struct disk_found {
    struct log_recovery recovery; /* what it said */
    struct disk out;              /* records: what it handed out */
    size_t refuse_at;             /* this record is refused */
};

static inline bool disk_replay(void *arg, const struct record *record, uint64_t position)
{
    struct disk_found *found = arg;
    if (found->out.record_count == found->refuse_at)
        return false;
    disk_record_add(&found->out, record->kind, record->body, position);
    return true;
}

/* Recovers log from image; free *found with disk_free(&found->out). */
static inline void disk_recover(const struct disk_image *image, struct log *log,
                                struct disk_found *found)
{
    struct log_segment *segments = mem_zalloc(image->count + 1, sizeof *segments);
    for (size_t i = 0; i < image->count; i++)
        segments[i] = (struct log_segment){image->files[i].id, buf_slice(&image->files[i].bytes)};
    *found = (struct disk_found){.refuse_at = SIZE_MAX};
    log_recover(log, segments, image->count, disk_replay, found, &found->recovery);
    assert_int_equal(found->recovery.records, found->out.record_count);
    mem_free(segments);
}

/* Are these the records of disk from number `first` on? */
static inline void disk_same(const struct disk *disk, size_t first, const struct disk *out)
{
    assert_true(first + out->record_count <= disk->record_count);
    for (size_t i = 0; i < out->record_count; i++) {
        const struct disk_record *expected = &disk->records[first + i];
        const struct disk_record *given = &out->records[i];
        assert_int_equal(given->kind, expected->kind);
        assert_int_equal(given->position, expected->position);
        assert_true(slice_equal(buf_slice(&given->body), buf_slice(&expected->body)));
    }
}
