/* fuzz_log - recovery of a log from bytes that nobody wrote like that.
 *
 * Does:   makes up to four segments of the input, as they are or built from it with right heads
 *         and sums (so that the fuzzer gets behind the checksums: heads that name each other in
 *         circles, marks from elsewhere, lengths that are no boundaries); recovers; goes on;
 *         recovers again.
 * Not:    what records mean.
 * Holds:  recovery hands out whole records with ascending positions; the second recovery hands
 *         out the same and what came after, and finds nothing new to complain about.
 * Limits: -
 * See:    src/store/log.h, src/store/log_file.h.
 */
#include "store/log_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEGMENTS_MAX 4U

struct segments {
    struct buf bytes[SEGMENTS_MAX + 1]; /* owned; one more is for going on */
    uint64_t ids[SEGMENTS_MAX + 1];     /* ascending */
    size_t count;                       /* in use */
};

struct seen {
    struct buf bodies; /* of all records handed out, each after kind and length */
    uint64_t position; /* of the last one */
    uint64_t records;  /* how many */
};

/* Small numbers are likelier to fit together. */
static uint64_t number(struct read *in)
{
    uint64_t value = read_u8(in);
    return value < 250 ? value * 8 : read_u64(in) >> (value - 250) * 8;
}

static void segment_add(struct segments *segments, uint64_t id)
{
    if (segments->count == SEGMENTS_MAX)
        return;
    uint64_t last = segments->count == 0 ? 0 : segments->ids[segments->count - 1];
    segments->ids[segments->count++] = last + 1 + id % 3;
}

static void build_head(struct segments *segments, struct read *in)
{
    segment_add(segments, read_u8(in));
    size_t at = segments->count - 1;
    struct segment_head head = {
        .id = segments->ids[at],
        .base = read_u8(in) % 8U,
        .previous = read_u8(in) % 8U,
        .previous_bytes = number(in),
        .position = number(in),
        .synced = number(in),
        .came_from = (enum log_state)(LOG_WHOLE + read_u8(in) % 3),
    };
    size_t begin = record_begin(&segments->bytes[at]);
    log__head_encode(&head, &segments->bytes[at]);
    record_end(RECORD_SEGMENT, begin, &segments->bytes[at]);
}

static void build_mark(struct buf *out, struct read *in)
{
    size_t begin = record_begin(out);
    buf_u64(out, number(in));
    buf_u64(out, number(in));
    record_end(RECORD_SYNCED, begin, out);
}

static void build(struct segments *segments, struct read *in)
{
    segment_add(segments, 0);
    while (read_ok(in) && read_left(in) > 0) {
        struct buf *out = &segments->bytes[segments->count - 1];
        uint8_t verb = read_u8(in);
        size_t len = read_left(in) > 0 ? (size_t)(verb >> 3) % read_left(in) : 0;
        switch (verb & 7) {
        case 0:
            build_head(segments, in);
            break;
        case 1:
            build_mark(out, in);
            break;
        case 2:
            record_encode(RECORD_STOP, SLICE_EMPTY, out);
            break;
        case 3:
            buf_append_slice(out, read_bytes(in, len));
            break;
        case 4:
            out->len -= len < out->len ? len : out->len;
            break;
        default:
            record_encode(RECORD_ARRIVAL, read_bytes(in, len), out);
            break;
        }
    }
}

static void cut_up(struct segments *segments, struct read *in)
{
    while (read_ok(in) && read_left(in) > 2 && segments->count < SEGMENTS_MAX) {
        size_t len = read_u16(in);
        segment_add(segments, len >> 14);
        len &= 0x3fff;
        len = len < read_left(in) ? len : read_left(in);
        buf_append_slice(&segments->bytes[segments->count - 1], read_bytes(in, len));
    }
}

static bool replay(void *arg, const struct record *record, uint64_t position)
{
    struct seen *seen = arg;
    ASSERT(record->kind != RECORD_SEGMENT);
    ASSERT(record->kind != RECORD_SYNCED);
    ASSERT(seen->records == 0 || position > seen->position);
    ASSERT(position % 8 == 0);
    seen->position = position;
    seen->records++;
    buf_u8(&seen->bodies, (uint8_t)record->kind);
    buf_u64(&seen->bodies, record->body.len);
    buf_append_slice(&seen->bodies, record->body);
    return true;
}

static void recover(const struct segments *segments, struct log *log, struct seen *seen,
                    struct log_recovery *recovery)
{
    struct log_segment list[SEGMENTS_MAX + 1];
    for (size_t i = 0; i < segments->count; i++)
        list[i] = (struct log_segment){segments->ids[i], buf_slice(&segments->bytes[i])};
    *seen = (struct seen){.bodies = BUF_EMPTY};
    log_recover(log, list, segments->count, replay, seen, recovery);
    ASSERT(recovery->records == seen->records);
    ASSERT(recovery->state != LOG_WHOLE || recovery->bad_segment == 0 || recovery->cut_bytes > 0 ||
           recovery->bad_offset == 0);
    ASSERT(log_position(log) >= recovery->end_position);
}

static void go_on(struct segments *segments, struct log *log, struct seen *before)
{
    struct log_batch batch;
    struct slice body = SLICE_LIT("what came after");
    uint64_t position = log_append(log, RECORD_START, body);
    struct record record = {.kind = RECORD_START, .body = body};
    replay(before, &record, position);
    log_take(log, &batch);
    ASSERT(batch.offset == 0);
    ASSERT(segments->count == 0 || batch.segment > segments->ids[segments->count - 1]);
    segments->ids[segments->count] = batch.segment;
    buf_append_slice(&segments->bytes[segments->count++], batch.bytes);

    struct seen after;
    struct log_recovery recovery;
    struct log *second = log_new();
    recover(segments, second, &after, &recovery);
    ASSERT(recovery.state == LOG_WHOLE);
    ASSERT(recovery.cut_bytes == 0);
    ASSERT(slice_equal(buf_slice(&before->bodies), buf_slice(&after.bodies)));
    buf_fini(&after.bodies);
    log_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct read in = read_of(slice_of(data, size));
    struct segments segments = {0};
    if (read_u8(&in) % 2 == 0)
        build(&segments, &in);
    else
        cut_up(&segments, &in);
    struct log *log = log_new();
    struct seen seen;
    struct log_recovery recovery;
    recover(&segments, log, &seen, &recovery);
    go_on(&segments, log, &seen);
    buf_fini(&seen.bodies);
    log_free(log);
    for (size_t i = 0; i <= SEGMENTS_MAX; i++)
        buf_fini(&segments.bytes[i]);
    return 0;
}
