/* log - the append-only, checksummed log, as bytes in and bytes out.
 *
 * Does:   collects the records of a turn into one batch; cuts the log into segments; replays
 *         segments at start, cutting what is torn and telling what is damaged; says from which
 *         segment on the log is needed.
 * Not:    files: the shell (or the simulated disk) appends, reads and drops bytes. The meaning
 *         of records: whoever appended them. When to checkpoint: store/checkpoint.h.
 * Holds:  L1 a batch lies in one segment. L2 positions ascend. L3 a segment starts with a
 *         RECORD_SEGMENT: its id, the base (first segment that recovery needs), the valid length
 *         of the segment before it, and the position of its first byte. L4 segments before the
 *         base are dropped only after a segment that names the base was synced. L5 recovery
 *         hands out exactly the records that were whole, in order. L6 recovery says rests only
 *         where nothing that was behind can have left the process, if whoever commits keeps to
 *         log_rest_ends.
 * Limits: LIMIT_SEGMENT_BYTES; positions 2^51.
 * See:    docs/architecture.md "Table and log"; docs/protocol.md sections 4.2, 6.3.
 *
 * A position is the distance in bytes from the very first byte ever logged: a multiple of 8, so
 * that the table keeps it in 48 bits.
 */
#pragma once

#include "store/table.h"

struct log;

struct log *log_new(void);
void log_free(struct log *log);

/* PLANT build only: the active planted bug. */
void log_plant(struct log *log, enum plant plant);

/* One segment as found at start. */
struct log_segment {
    uint64_t id;        /* its number; file names carry it */
    struct slice bytes; /* the whole content; borrowed for log_recover */
};

enum log_state {
    LOG_EMPTY,   /* nothing was ever logged */
    LOG_WHOLE,   /* every byte made sense; or the end was an incomplete record, which was cut */
    LOG_CUT,     /* a record at the end had a wrong checksum, above the synced mark: cut */
    LOG_DAMAGED, /* damage below the synced mark, or a segment is missing: do not trust it */
};

struct log_recovery {
    enum log_state state;     /* see above */
    bool clean_stop;          /* the last record is RECORD_STOP */
    uint64_t records;         /* handed out */
    uint64_t cut_bytes;       /* thrown away at the end */
    uint64_t bad_segment;     /* where it was cut or damaged */
    uint64_t bad_offset;      /* in that segment */
    uint64_t synced_position; /* everything before was known to be synced */
    uint64_t end_position;    /* of the last whole record's end */
    bool rests;               /* the log rests at its end: L6 */
    bool followed;            /* more was written behind what was cut, or an earlier recovery cut
                                 it: no crash of the machine alone does that */
};

/* Called for each record from the base on, in order, but for the log's own (RECORD_SEGMENT,
 * RECORD_SYNCED, RECORD_REST). False stops recovery: LOG_DAMAGED (the body made no sense to its
 * owner). */
typedef bool (*log_replay)(void *arg, const struct record *record, uint64_t position);

/* Replays segments (ascending by id). Afterwards the log appends to a new segment.
 *
 * CUT and DAMAGED are told again by the next recovery until a record was appended after this one
 * and is whole: that first record must say what its owner made of it (RECORD_START).
 *
 * Nothing is known to be synced above synced_position: the first SYNC after recovery has to sync
 * every segment that was found, not only the one appended to. */
void log_recover(struct log *log, const struct log_segment *segments, size_t count,
                 log_replay replay, void *arg, struct log_recovery *recovery);

/* Adds a record to the batch of this turn; returns its position. */
uint64_t log_append(struct log *log, enum record_kind kind, struct slice body);

/* The same for a body whose checksum is known (an arrival from a peer). */
uint64_t log_append_summed(struct log *log, enum record_kind kind, struct slice body, uint64_t sum);

/* The same for a version that is encoded right into the batch; *whole (borrowed until the next
 * append) is the record. */
uint64_t log_append_version(struct log *log, enum record_kind kind, const struct version *version,
                            struct slice *whole);

/* True when the batch of this turn has something in it; its size in bytes. */
bool log_pending(const struct log *log);
size_t log_pending_bytes(const struct log *log);

/* What a COMMIT effect carries: append bytes to segment at offset (0: a new file). */
struct log_batch {
    uint64_t segment;   /* id */
    uint64_t offset;    /* where the bytes go */
    struct slice bytes; /* borrowed until the next log_take */
};

/* Takes the batch; the next append starts another one. Only when log_pending. */
void log_take(struct log *log, struct log_batch *batch);

/* The end of everything appended so far. */
uint64_t log_position(const struct log *log);

/* After a recovery that cut an end (LOG_CUT): its owner knows that nothing is missing by that. The
 * next recovery does not say it again. */
void log_cut_unharmed(struct log *log);

/* Everything before position is synced, in all segments: the next batch will carry a
 * RECORD_SYNCED, behind its records. position: of a batch end that was taken. */
void log_synced(struct log *log, uint64_t position);

/* ---- Rests ----
 *
 * A log *rests* where the last of its records is known to be synced, and the log says so: by a
 * RECORD_SYNCED (or the head of a segment) that covers all records before it, or by a RECORD_REST.
 * A machine that crashes there is not in doubt. So the first batch behind a rest must be synced
 * before anything that rests on it leaves: a disk that lost it without a trace would show the rest
 * as the end. Once it is synced, the log does not rest any more, and later batches need no sync. */

/* True when the batch of this turn is the first with a record behind a rest: commit it with a
 * sync. */
bool log_rest_ends(const struct log *log);

/* Such a batch may end in a rest itself: nobody sees what it holds before it is synced, and the
 * batch behind it will be synced as well. The last call before log_take. */
void log_rest(struct log *log);

/* Makes a batch of what the log itself has to say (a RECORD_SYNCED, a new base), when nothing
 * else comes to carry it: for an idle node, so that its log comes to rest. Does nothing when all
 * was said, or the log rests: sync, mark, sync, mark comes to an end after the second sync. */
void log_mark(struct log *log);

/* Starts a new segment with the next batch (after the one that is being filled, if there is
 * something in it); returns its id. */
uint64_t log_roll(struct log *log);

/* From now on new segments name base as their base (call after the footer of the checkpoint
 * that began there is committed), and rolls. */
void log_set_base(struct log *log, uint64_t base);

/* The oldest segment that may be dropped now, or 0; repeat after each. Segments below the base
 * qualify once a segment naming it was synced (log_synced). Ascending. */
uint64_t log_next_drop(struct log *log);

/* Bytes of all segments that exist. */
uint64_t log_total_bytes(const struct log *log);

/* Bytes of the segments that recovery would read: from the base on. */
uint64_t log_needed_bytes(const struct log *log);

/* Asserts that what is known of segments and positions fits together. */
void log_check(const struct log *log);
