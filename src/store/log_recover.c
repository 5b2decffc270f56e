/* log_recover - reading the log back after whatever happened.
 *
 * Does:   finds the segments that belong together, hands out their records up to the first that
 *         is not whole, says what that means, and sets the log up to go on behind.
 * Not:    -
 * Holds:  L5, L6. C1 positions are never used again, not even those of bytes that were cut off, so
 *         that "synced up to position" stays true whatever is cut. C2 what recovery says about
 *         damage is kept in the next segment's head, and said again by the next recovery until a
 *         record follows that head: the caller's first record says what it made of it.
 * Limits: -
 * See:    log.h; log_file.h; docs/protocol.md section 6.3.
 *
 * The chain: the last segment with a whole head names the base and the segment before it, with
 * its valid length; that one the one before, down to the base. Segments in no chain were cut off.
 * Behind the end of the chain there may be segments without a whole head: begun, and torn.
 *
 * What is wrong at a place is damage when the log itself says that the place was synced: in a
 * mark or head before it, and also behind it, for bits rot in the middle. Else it is what a crash
 * of the machine may leave behind, and is cut.
 */
#include "store/log.h"

#include "store/log_file.h"

struct found {
    uint64_t id;              /* from its name */
    struct slice bytes;       /* all of it */
    bool whole_head;          /* head is valid */
    bool torn_head;           /* it ends within its first record */
    struct segment_head head; /* its first record */
    size_t head_bytes;        /* length of that record */
    uint64_t position;        /* of its first byte; where there is no head, at least that */
    uint64_t valid;           /* bytes of it that count, where it is in the chain */
};

struct recover {
    struct log *log;               /* what is being set up */
    struct found *all;             /* ascending by id */
    size_t count;                  /* of all */
    size_t *chain;                 /* indexes in all, from the base on */
    size_t links;                  /* of chain */
    uint64_t base;                 /* as the last head names it */
    uint64_t end;                  /* position behind everything that exists */
    log_replay replay;             /* whom records are handed to */
    void *arg;                     /* for replay */
    struct log_recovery *recovery; /* what is said in the end */
    uint64_t content_end;          /* position behind the last record handed out */
    bool stop_last;                /* which was RECORD_STOP */
    uint64_t rested;               /* position of the last RECORD_REST */
    enum log_state doubt;          /* what heads since that record say an earlier recovery found */
};

/* Why recovery ended where it did. */
enum trouble {
    TROUBLE_NONE, /* at the end of the last byte */
    TROUBLE_TORN, /* the bytes end before the last record does */
    TROUBLE_BAD,  /* a checksum, a length or a segment is not as it should be */
    TROUBLE_BODY, /* the owner of a record refused it */
};

static struct slice slice_from(struct slice bytes, size_t offset)
{
    ASSERT(offset <= bytes.len);
    return slice_of(bytes.ptr == NULL ? NULL : bytes.ptr + offset, bytes.len - offset);
}

/* --- the chain ---------------------------------------------------------------------------- */

static void head_read(struct found *found)
{
    struct record record;
    enum record_scan scan = record_decode(found->bytes, &record);
    found->torn_head = scan == RECORD_INCOMPLETE;
    if (scan != RECORD_OK || record.kind != RECORD_SEGMENT)
        return;
    if (!log__head_decode(record.body, &found->head) || found->head.id != found->id)
        return;
    found->whole_head = true;
    found->head_bytes = record.whole.len;
}

static void segments_read(struct recover *r, const struct log_segment *segments, size_t count)
{
    r->all = mem_zalloc(count, sizeof *r->all);
    r->chain = mem_zalloc(count, sizeof *r->chain);
    r->count = count;
    for (size_t i = 0; i < count; i++) {
        struct found *found = &r->all[i];
        ASSERT(i == 0 || segments[i - 1].id < segments[i].id);
        found->id = segments[i].id;
        found->bytes = segments[i].bytes;
        head_read(found);
        found->position = r->end;
        if (found->whole_head) {
            if (found->head.position > r->end)
                found->position = found->head.position;
            if (found->head.synced > r->recovery->synced_position)
                r->recovery->synced_position = found->head.synced;
        }
        r->end = found->position + ((found->bytes.len + 7) & ~(uint64_t)7);
    }
}

/* The last segment among the first `count` with a whole head that names no later base than `base`
 * (bases only go up, so that what comes behind it can name it), or NULL. */
static struct found *last_headed(const struct recover *r, size_t count, uint64_t base)
{
    while (count > 0) {
        count--;
        if (r->all[count].whole_head && r->all[count].head.base <= base)
            return &r->all[count];
    }
    return NULL;
}

/* The segment before one, as its head says; NULL when it is not there or cannot be it. */
static struct found *found_before(const struct recover *r, const struct found *after)
{
    for (struct found *at = r->all; at < after; at++) {
        if (at->id != after->head.previous)
            continue;
        bool fits = at->whole_head && at->id >= r->base && at->head.base <= after->head.base &&
                    after->head.previous_bytes >= at->head_bytes &&
                    at->head.position + after->head.previous_bytes <= after->head.position;
        return fits ? at : NULL;
    }
    return NULL;
}

/* Links from tail down to the base. NULL when that succeeds, else the one whose predecessor is
 * missing. */
static const struct found *chain_link(struct recover *r, struct found *tail)
{
    r->links = 0;
    tail->valid = tail->bytes.len;
    for (struct found *at = tail;;) {
        r->chain[r->links++] = (size_t)(at - r->all);
        if (at->id == r->base)
            break;
        struct found *before = found_before(r, at);
        if (before == NULL)
            return at;
        before->valid = at->head.previous_bytes;
        at = before;
    }
    for (size_t i = 0; i < r->links / 2; i++) {
        size_t other = r->chain[r->links - 1 - i];
        r->chain[r->links - 1 - i] = r->chain[i];
        r->chain[i] = other;
    }
    return NULL;
}

/* The chain from the base to the last segment, or, where one between is missing, to the last
 * before that; then *gap is the one behind the gap. */
static void chain_build(struct recover *r, const struct found **gap)
{
    *gap = NULL;
    struct found *tail = last_headed(r, r->count, UINT64_MAX);
    r->base = tail == NULL ? 0 : tail->head.base;
    while (tail != NULL && tail->id >= r->base) {
        const struct found *behind = chain_link(r, tail);
        if (behind == NULL)
            return;
        *gap = behind;
        /* Nothing at or above what is missing can be reached. */
        size_t below = 0;
        while (below < r->count && r->all[below].id < behind->head.previous)
            below++;
        tail = last_headed(r, below, r->base);
    }
    r->links = 0;
}

/* --- records ------------------------------------------------------------------------------ */

/* One record of the chain; false when the chain ends before it. */
static bool record_take(struct recover *r, const struct record *record, uint64_t position,
                        enum trouble *trouble)
{
    if (record->kind == RECORD_SYNCED) {
        uint64_t synced = 0;
        if (!log__mark_decode(record->body, position, &synced)) {
            *trouble = TROUBLE_BAD;
            return false;
        }
        if (synced > r->recovery->synced_position)
            r->recovery->synced_position = synced;
    } else if (record->kind == RECORD_REST) {
        r->rested = position;
    } else if (record->kind == RECORD_SEGMENT) {
        *trouble = TROUBLE_BAD; /* only the first of a segment is one */
        return false;
    } else {
        if (!r->replay(r->arg, record, position)) {
            *trouble = TROUBLE_BODY;
            return false;
        }
        r->recovery->records++;
        r->doubt = LOG_WHOLE;
        r->content_end = position + record->whole.len;
        r->stop_last = record->kind == RECORD_STOP;
    }
    r->recovery->end_position = position + record->whole.len;
    return true;
}

/* For the planted bug: a record whose checksum nobody looks at. */
static enum record_scan planted_decode(struct slice bytes, struct record *record)
{
    struct read in = read_of(bytes);
    size_t len = read_u32(&in);
    uint8_t kind = read_u8(&in);
    read_bytes(&in, 3);
    uint64_t sum = read_u64(&in);
    if (!read_ok(&in) || kind != RECORD_ARRIVAL || len > LIMIT_FRAME_BYTES ||
        record_size(len) > bytes.len)
        return RECORD_DAMAGED;
    struct slice body = slice_of(bytes.ptr + RECORD_HEAD_BYTES, len);
    *record =
        (struct record){(enum record_kind)kind, sum, body, slice_of(bytes.ptr, record_size(len))};
    return RECORD_OK;
}

/* The records of one segment; returns how far they are whole. */
static size_t segment_replay(struct recover *r, const struct found *found, enum trouble *trouble)
{
    size_t valid = found->valid < found->bytes.len ? (size_t)found->valid : found->bytes.len;
    struct slice bytes = slice_of(found->bytes.ptr, valid);
    size_t offset = found->head_bytes;
    ASSERT(offset <= valid);
    if (found->head.came_from > r->doubt)
        r->doubt = found->head.came_from;
    r->recovery->end_position = found->position + offset;
    while (offset < valid) {
        struct record record;
        enum record_scan scan = record_decode(slice_from(bytes, offset), &record);
        if (scan == RECORD_DAMAGED && PLANTED(r->log->plant, TORN_ACCEPTED))
            scan = planted_decode(slice_from(bytes, offset), &record);
        if (scan != RECORD_OK) {
            *trouble = scan == RECORD_INCOMPLETE ? TROUBLE_TORN : TROUBLE_BAD;
            return offset;
        }
        if (!record_take(r, &record, found->position + offset, trouble))
            return offset;
        offset += record.whole.len;
    }
    if (valid < found->valid)
        *trouble = TROUBLE_BAD; /* shorter than the next one says */
    return offset;
}

/* --- what it means ------------------------------------------------------------------------ */

/* Looks for marks in bytes that are no use otherwise; they may say that what is lost was synced. */
static void marks_seek(struct recover *r, const struct found *found, size_t offset)
{
    const uint8_t *bytes = found->bytes.ptr;
    if (bytes == NULL)
        return;
    for (; offset + record_size(SYNCED_BODY_BYTES) <= found->bytes.len; offset += 8) {
        struct record record;
        uint64_t synced = 0;
        if (bytes[offset] != SYNCED_BODY_BYTES || bytes[offset + 4] != RECORD_SYNCED)
            continue;
        if (record_decode(slice_from(found->bytes, offset), &record) != RECORD_OK)
            continue;
        if (!log__mark_decode(record.body, found->position + offset, &synced))
            continue;
        if (synced > r->recovery->synced_position)
            r->recovery->synced_position = synced;
    }
}

/* Cuts everything from offset of segments[from] on, and judges. */
static void cut(struct recover *r, size_t from, size_t offset, enum trouble trouble)
{
    struct log_recovery *recovery = r->recovery;
    ASSERT(from < r->count);
    uint64_t position = r->all[from].position + offset;
    recovery->bad_segment = r->all[from].id;
    recovery->bad_offset = offset;
    for (size_t i = from; i < r->count; i++) {
        size_t begin = i == from ? offset : 0;
        /* Torn is only the end of everything: who began a segment had written the last one. */
        recovery->followed = recovery->followed || (i > from && !r->all[i].torn_head);
        if (recovery->followed && trouble == TROUBLE_TORN)
            trouble = TROUBLE_BAD;
        marks_seek(r, &r->all[i], (begin + 7) & ~(size_t)7);
        recovery->cut_bytes += r->all[i].bytes.len - begin;
    }
    if (PLANTED(r->log->plant, DAMAGE_TAKEN_FOR_TORN))
        return;
    if (trouble == TROUBLE_BODY || recovery->synced_position > position)
        recovery->state = LOG_DAMAGED;
    else if (trouble == TROUBLE_BAD)
        recovery->state = LOG_CUT;
}

/* A segment that is missing, or has no head, though the one behind names it. */
static void cut_gap(struct recover *r, const struct found *gap)
{
    uint64_t position = gap->head.position - gap->head.previous_bytes;
    size_t from = 0;
    while (from < r->count && r->all[from].id < gap->head.previous)
        from++;
    cut(r, from, 0, TROUBLE_BAD);
    r->recovery->bad_segment = gap->head.previous;
    if (r->recovery->synced_position > position)
        r->recovery->state = LOG_DAMAGED;
}

/* Segments behind the chain were begun and never got a whole head. */
static void cut_headless(struct recover *r, size_t from)
{
    if (from == r->count)
        return;
    bool torn = true;
    for (size_t i = from; i < r->count; i++)
        torn = torn && r->all[i].torn_head;
    cut(r, from, 0, torn ? TROUBLE_TORN : TROUBLE_BAD);
}

/* Nothing there has a head: the very first write was torn; or, where the first segment is not
 * even there, a crash of the machine took it before anything was synced. */
static void judge_headless(struct recover *r)
{
    r->recovery->state = LOG_EMPTY;
    cut_headless(r, 0);
    if (r->all[0].id > 1 && r->recovery->state == LOG_EMPTY)
        r->recovery->state = LOG_CUT;
}

/* Hands out the chain and judges what comes after. Returns the last segment that counts, with its
 * valid length in `valid`, or NULL. */
static struct found *chain_replay(struct recover *r, const struct found *gap)
{
    struct found *found = NULL;
    for (size_t i = 0; i < r->links; i++) {
        found = &r->all[r->chain[i]];
        enum trouble trouble = TROUBLE_NONE;
        found->valid = segment_replay(r, found, &trouble);
        if (trouble != TROUBLE_NONE) {
            cut(r, r->chain[i], (size_t)found->valid, trouble);
            return found;
        }
    }
    if (gap != NULL)
        cut_gap(r, gap);
    else
        cut_headless(r, r->chain[r->links - 1] + 1);
    return found;
}

/* Sets the log up to go on in a new segment. */
static void log_set_up(struct recover *r, const struct found *tail)
{
    struct log *log = r->log;
    const struct log_recovery *recovery = r->recovery;
    for (size_t i = 0; i < r->count; i++)
        log__file_add(log, r->all[i].id, r->all[i].bytes.len);
    log->id_next = r->count == 0 ? 1 : r->all[r->count - 1].id + 1;
    log->base = tail == NULL ? log->id_next : r->base;
    log->start = r->end;
    log->synced = recovery->synced_position;
    log->marked = recovery->synced_position;
    log->rested = r->rested;
    log->content_end = r->content_end;
    if (tail != NULL) {
        log->found.previous = tail->id;
        log->found.previous_bytes = tail->valid;
    }
    log->found.came_from = recovery->state == LOG_EMPTY ? LOG_WHOLE : recovery->state;
}

void log_recover(struct log *log, const struct log_segment *segments, size_t count,
                 log_replay replay, void *arg, struct log_recovery *recovery)
{
    *recovery = (struct log_recovery){.state = LOG_EMPTY};
    struct recover r = {
        .log = log, .replay = replay, .arg = arg, .recovery = recovery, .doubt = LOG_WHOLE};
    log__reset(log);
    if (count == 0)
        return;
    segments_read(&r, segments, count);
    const struct found *gap = NULL;
    chain_build(&r, &gap);
    struct found *tail = NULL;
    if (last_headed(&r, r.count, UINT64_MAX) == NULL) {
        judge_headless(&r);
    } else {
        recovery->state = LOG_WHOLE;
        tail = chain_replay(&r, gap);
        /* C2: what an earlier recovery found is not forgotten because the process died before
         * it had written anything about it. */
        if (r.doubt > recovery->state) {
            recovery->state = r.doubt;
            recovery->followed = true;
        }
    }
    recovery->clean_stop = r.stop_last && recovery->cut_bytes == 0;
    recovery->rests = recovery->cut_bytes == 0 && recovery->records > 0 &&
                      (r.content_end <= recovery->synced_position || r.content_end <= r.rested);
    log_set_up(&r, tail);
    mem_free(r.all);
    mem_free(r.chain);
}
