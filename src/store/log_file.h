/* log_file - what log.c and log_recover.c share: the log's memory and the head of a segment.
 *
 * Does:   struct log; the bodies of RECORD_SEGMENT and RECORD_SYNCED.
 * Not:    for anybody outside src/store.
 * Holds:  as log.h.
 * Limits: positions 2^51; what a disk says above LOG_POSITION_MAX is damage.
 * See:    log.h; README.md draws the layout.
 *
 * Body of RECORD_SEGMENT, little-endian:
 *   offset size  meaning
 *   0      8     id of this segment
 *   8      8     base: the segment that recovery starts with
 *   16     8     id of the segment before (numbers between were cut off altogether); 0: none
 *   24     8     its valid length: what lies behind was cut off
 *   32     8     position of the first byte of this segment
 *   40     8     everything before this position was synced when this was written
 *   48     8     how the recovery before it ended (enum log_state), else LOG_WHOLE
 *
 * Body of RECORD_SYNCED:
 *   0      8     everything before this position was synced
 *   8      8     position of this record (so that a value cannot pass for one)
 *
 * Body of RECORD_REST: empty.
 */
#pragma once

#include "store/log.h"

#define SEGMENT_BODY_BYTES 56U
#define SYNCED_BODY_BYTES 16U
#define LOG_POSITION_MAX (UINT64_C(1) << 50)

struct segment_head {
    uint64_t id;              /* of this segment */
    uint64_t base;            /* see above */
    uint64_t previous;        /* see above */
    uint64_t previous_bytes;  /* see above */
    uint64_t position;        /* see above */
    uint64_t synced;          /* see above */
    enum log_state came_from; /* see above */
};

/* A segment that exists. */
struct log_file {
    uint64_t id;    /* its number */
    uint64_t bytes; /* its length */
};

struct log {
    struct buf batch;          /* of this turn */
    struct buf taken;          /* lent out by the last log_take */
    bool roll;                 /* the next batch begins a segment */
    bool base_untold;          /* no segment names base yet */
    struct segment_head head;  /* of the segment that batches go to; id 0: none yet */
    uint64_t segment_bytes;    /* of it, taken */
    uint64_t start;            /* position where the next segment begins, while head.id is 0 */
    uint64_t id_next;          /* of the next segment */
    uint64_t base;             /* the segment that recovery shall start with */
    uint64_t synced;           /* all before is synced */
    uint64_t marked;           /* all before is said to be synced, in the log itself */
    bool mark_owed;            /* the batch shall end with a mark */
    uint64_t rested;           /* position of the last RECORD_REST */
    bool rest_ends;            /* with this batch */
    uint64_t content_end;      /* end of the last record that is not the log's own */
    uint64_t named_end;        /* end of the first head that names base; valid unless untold */
    uint64_t droppable;        /* segments below may be dropped */
    struct segment_head found; /* after recovery: previous, previous_bytes, came_from to tell */
    struct log_file *files;    /* segments that exist, ascending */
    size_t file_count;         /* in use */
    size_t file_cap;           /* allocated */
    enum plant plant;          /* PLANT build only: the active planted bug */
};

void log__file_add(struct log *log, uint64_t id, uint64_t bytes);

/* Forgets the drops and everything else: as new. */
void log__reset(struct log *log);

void log__head_encode(const struct segment_head *head, struct buf *out);

/* False when it is not what log__head_encode writes. */
bool log__head_decode(struct slice body, struct segment_head *head);

/* Reads a RECORD_SYNCED that stands at position; false when it makes no sense there. */
bool log__mark_decode(struct slice body, uint64_t position, uint64_t *synced);
