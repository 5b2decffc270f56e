/* log - the append-only, checksummed log, as bytes in and bytes out.
 *
 * Does:   see log.h: batches, segments, marks, drops. Recovery is log_recover.c.
 * Not:    -
 * Holds:  L1 to L4, L6.
 * Limits: see log.h.
 * See:    log.h; log_file.h.
 */
#include "store/log.h"

#include "store/log_file.h"

/* A buffer that one huge value has blown up is not kept. */
#define BATCH_KEEP_BYTES (4U << 20)

struct log *log_new(void)
{
    struct log *log = mem_zalloc(1, sizeof *log);
    log__reset(log);
    return log;
}

void log__reset(struct log *log)
{
    buf_fini(&log->batch);
    buf_fini(&log->taken);
    mem_free(log->files);
    enum plant plant = log->plant;
    *log = (struct log){.roll = true, .base_untold = true, .id_next = 1, .base = 1, .plant = plant};
    log->found.came_from = LOG_WHOLE;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    buf_fini(&log->batch);
    buf_fini(&log->taken);
    mem_free(log->files);
    mem_free(log);
}

void log_plant(struct log *log, enum plant plant)
{
    log->plant = plant;
}

/* --- bodies of the log's own records ------------------------------------------------------ */

void log__head_encode(const struct segment_head *head, struct buf *out)
{
    buf_u64(out, head->id);
    buf_u64(out, head->base);
    buf_u64(out, head->previous);
    buf_u64(out, head->previous_bytes);
    buf_u64(out, head->position);
    buf_u64(out, head->synced);
    buf_u64(out, (uint64_t)head->came_from);
}

static bool head_makes_sense(const struct segment_head *head)
{
    return head->id > 0 && head->base > 0 && head->base <= head->id && head->previous < head->id &&
           head->previous_bytes % 8 == 0 && head->previous_bytes <= head->position &&
           head->position % 8 == 0 && head->position < LOG_POSITION_MAX &&
           head->synced <= head->position;
}

bool log__head_decode(struct slice body, struct segment_head *head)
{
    struct read in = read_of(body);
    head->id = read_u64(&in);
    head->base = read_u64(&in);
    head->previous = read_u64(&in);
    head->previous_bytes = read_u64(&in);
    head->position = read_u64(&in);
    head->synced = read_u64(&in);
    uint64_t came_from = read_u64(&in);
    if (!read_done(&in) || came_from < LOG_WHOLE || came_from > LOG_DAMAGED)
        return false;
    head->came_from = (enum log_state)came_from;
    return head_makes_sense(head);
}

bool log__mark_decode(struct slice body, uint64_t position, uint64_t *synced)
{
    struct read in = read_of(body);
    *synced = read_u64(&in);
    uint64_t own = read_u64(&in);
    return read_done(&in) && own == position && *synced <= position && *synced % 8 == 0;
}

/* --- appending ---------------------------------------------------------------------------- */

static uint64_t segment_end(const struct log *log)
{
    return log->head.id == 0 ? log->start : log->head.position + log->segment_bytes;
}

uint64_t log_position(const struct log *log)
{
    return segment_end(log) + log->batch.len;
}

static bool mark_due(const struct log *log)
{
    return log->synced > log->marked && log->content_end > log->marked;
}

static bool rests(const struct log *log)
{
    return log->content_end <= log->marked || log->content_end <= log->rested;
}

static void mark_append(struct log *log)
{
    uint64_t position = log_position(log);
    size_t begin = record_begin(&log->batch);
    buf_u64(&log->batch, log->synced);
    buf_u64(&log->batch, position);
    record_end(RECORD_SYNCED, begin, &log->batch);
    log->marked = log->synced;
    log->mark_owed = false;
}

/* What was cut off by recovery is told once, by the first segment after it. */
static void segment_begin(struct log *log)
{
    ASSERT(log->batch.len == 0);
    struct segment_head head = {
        .id = log->id_next,
        .base = log->base,
        .previous = log->head.id == 0 ? log->found.previous : log->head.id,
        .previous_bytes = log->head.id == 0 ? log->found.previous_bytes : log->segment_bytes,
        .position = segment_end(log),
        .synced = log->synced,
        .came_from = log->head.id == 0 ? log->found.came_from : LOG_WHOLE,
    };
    ASSERT(head_makes_sense(&head));
    log->head = head;
    log->id_next++;
    log->segment_bytes = 0;
    log->roll = false;
    size_t begin = record_begin(&log->batch);
    log__head_encode(&head, &log->batch);
    record_end(RECORD_SEGMENT, begin, &log->batch);
    if (log->base_untold)
        log->named_end = log_position(log);
    log->base_untold = false;
    if (log->synced > log->marked)
        log->marked = log->synced;
}

/* A mark that is due comes behind the records of the batch: before them, it would cover all there
 * is where everything was synced, and the log would come to rest with every sync. */
static void batch_begin(struct log *log)
{
    ASSERT(log->batch.len == 0);
    if (log->roll || log->segment_bytes >= LIMIT_SEGMENT_BYTES)
        segment_begin(log);
    log->mark_owed = mark_due(log);
}

static void append_end(struct log *log, enum record_kind kind)
{
    ASSERT(kind != RECORD_SEGMENT);
    ASSERT(kind != RECORD_SYNCED);
    ASSERT(kind != RECORD_REST);
    log->rest_ends = log->rest_ends || rests(log);
    log->content_end = log_position(log);
}

uint64_t log_append(struct log *log, enum record_kind kind, struct slice body)
{
    if (log->batch.len == 0)
        batch_begin(log);
    uint64_t position = log_position(log);
    record_encode(kind, body, &log->batch);
    append_end(log, kind);
    return position;
}

uint64_t log_append_summed(struct log *log, enum record_kind kind, struct slice body, uint64_t sum)
{
    if (log->batch.len == 0)
        batch_begin(log);
    uint64_t position = log_position(log);
    record_encode_summed(kind, body, sum, &log->batch);
    append_end(log, kind);
    return position;
}

uint64_t log_append_version(struct log *log, enum record_kind kind, const struct version *version,
                            struct slice *whole)
{
    if (log->batch.len == 0)
        batch_begin(log);
    uint64_t position = log_position(log);
    size_t begin = record_begin(&log->batch);
    version_encode(version, &log->batch);
    record_end(kind, begin, &log->batch);
    append_end(log, kind);
    *whole = slice_of(log->batch.ptr + begin, log->batch.len - begin);
    return position;
}

bool log_pending(const struct log *log)
{
    return log->batch.len > 0;
}

size_t log_pending_bytes(const struct log *log)
{
    return log->batch.len;
}

void log_mark(struct log *log)
{
    bool untold = log->base_untold && log->head.id != 0;
    if (log->batch.len > 0 || (!untold && (rests(log) || !mark_due(log))))
        return;
    batch_begin(log);
    if (log->mark_owed)
        mark_append(log);
}

bool log_rest_ends(const struct log *log)
{
    return log->rest_ends;
}

void log_rest(struct log *log)
{
    ASSERT(log->rest_ends);
    log->rested = log_position(log);
    record_encode(RECORD_REST, SLICE_EMPTY, &log->batch);
}

void log__file_add(struct log *log, uint64_t id, uint64_t bytes)
{
    ASSERT(log->file_count == 0 || log->files[log->file_count - 1].id < id);
    if (log->file_count == log->file_cap) {
        log->file_cap = log->file_cap * 2 + 8;
        log->files = mem_realloc(log->files, log->file_cap * sizeof *log->files);
    }
    log->files[log->file_count++] = (struct log_file){.id = id, .bytes = bytes};
}

void log_take(struct log *log, struct log_batch *batch)
{
    ASSERT(log_pending(log));
    if (log->mark_owed)
        mark_append(log);
    log->rest_ends = false;
    if (log->taken.cap > BATCH_KEEP_BYTES)
        buf_fini(&log->taken);
    struct buf batch_bytes = buf_take(&log->batch);
    log->batch = log->taken;
    buf_reset(&log->batch);
    log->taken = batch_bytes;
    *batch = (struct log_batch){
        .segment = log->head.id,
        .offset = log->segment_bytes,
        .bytes = buf_slice(&log->taken),
    };
    if (batch->offset == 0)
        log__file_add(log, batch->segment, 0);
    ASSERT(log->files[log->file_count - 1].id == batch->segment);
    log->files[log->file_count - 1].bytes += batch->bytes.len;
    log->segment_bytes += batch->bytes.len;
}

/* --- segments ----------------------------------------------------------------------------- */

void log_cut_unharmed(struct log *log)
{
    if (log->found.came_from == LOG_CUT)
        log->found.came_from = LOG_WHOLE;
}

void log_synced(struct log *log, uint64_t position)
{
    ASSERT(position <= segment_end(log));
    if (position > log->synced)
        log->synced = position;
    if (!log->base_untold && log->synced >= log->named_end)
        log->droppable = log->base;
}

uint64_t log_roll(struct log *log)
{
    log->roll = true;
    return log->id_next;
}

void log_set_base(struct log *log, uint64_t base)
{
    ASSERT(base >= log->base);
    if (base == log->base)
        return;
    ASSERT(base < log->id_next);
    log->base = base;
    log->base_untold = true;
    log_roll(log);
}

uint64_t log_next_drop(struct log *log)
{
    if (log->file_count == 0 || log->files[0].id >= log->droppable)
        return 0;
    uint64_t id = log->files[0].id;
    log->file_count--;
    memmove(log->files, log->files + 1, log->file_count * sizeof *log->files);
    return id;
}

uint64_t log_total_bytes(const struct log *log)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < log->file_count; i++)
        bytes += log->files[i].bytes;
    return bytes;
}

uint64_t log_needed_bytes(const struct log *log)
{
    uint64_t bytes = 0;
    for (size_t i = log->file_count; i > 0 && log->files[i - 1].id >= log->base; i--)
        bytes += log->files[i - 1].bytes;
    return bytes;
}

void log_check(const struct log *log)
{
    ASSERT(log->file_count <= log->file_cap);
    for (size_t i = 0; i < log->file_count; i++) {
        ASSERT(log->files[i].id < log->id_next);
        ASSERT(i == 0 || log->files[i - 1].id < log->files[i].id);
    }
    ASSERT(log->marked <= log->synced);
    ASSERT(log->rested <= segment_end(log) + log->batch.len);
    ASSERT(log->synced <= segment_end(log));
    ASSERT(log->droppable <= log->base);
    ASSERT(log->head.id < log->id_next);
}
