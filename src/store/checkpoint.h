/* checkpoint - rewriting what lives, so that the rest of the log can go.
 *
 * Does:   decides when (the log exceeds twice to 2.5 times what lives), begins a new segment, dumps
 *         the table slot by slot in steps of bounded size among the normal records, writes the
 *         footer, and moves the base of the log once that is synced.
 * Not:    the records that others must repeat at the start of a checkpoint (configuration,
 *         register, coverage, ranges, pending writes, clock ceiling): the node appends them right
 *         after checkpoint_begin, in the same batch.
 * Holds:  P1 the base moves only after the footer was synced. P2 a step dumps at most its budget
 *         (and at least one version). P3 replaying from the base gives the same state as from
 *         the beginning.
 * Limits: -
 * See:    log.h; docs/architecture.md "Table and log".
 */
#pragma once

#include "store/log.h"

struct checkpoint {
    bool running;             /* between begin and done */
    bool footer_written;      /* waiting for the footer to be synced */
    uint64_t base;            /* first segment of this checkpoint; stays when it is done */
    uint64_t footer_position; /* end of the footer */
    struct table_scan scan;   /* how far it is */
    enum plant plant;         /* PLANT build only: the active planted bug */
};

void checkpoint_init(struct checkpoint *checkpoint);

/* True when a checkpoint is due: the log from its base on is longer than floor_bytes, and than
 * twice what lives and up to a quarter of that more, by `lot`: any number, best another one at each
 * node. The members of a shard log the same, and would write theirs all at once. */
bool checkpoint_due(const struct checkpoint *checkpoint, const struct table *table,
                    const struct log *log, uint64_t floor_bytes, uint64_t lot);

/* Rolls the log and appends RECORD_CHECKPOINT. The caller appends its own records next. Only while
 * the batch is empty (!log_pending): what is in it would lie before the base. */
void checkpoint_begin(struct checkpoint *checkpoint, struct log *log);

/* Dumps up to budget_bytes; writes the footer at the end. True when it appended something. */
bool checkpoint_step(struct checkpoint *checkpoint, const struct table *table, struct log *log,
                     uint64_t budget_bytes);

/* Tells it how far the log is synced; true when with this the checkpoint became done (the base
 * was moved; log_next_drop has work once the new segment is synced too). */
bool checkpoint_synced(struct checkpoint *checkpoint, struct log *log, uint64_t position);
