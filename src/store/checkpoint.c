/* checkpoint - rewriting what lives, so that the rest of the log can go.
 *
 * Does:   see checkpoint.h.
 * Not:    -
 * Holds:  P1 to P3.
 * Limits: -
 * See:    checkpoint.h.
 *
 * P3: what is put while a checkpoint runs is logged behind its beginning, like everything else;
 * a slot that was dumped before holds older versions, one that is dumped later holds the same:
 * replay puts them all, and the newest wins. What is removed meanwhile must be logged
 * (RECORD_ABSENT): not for its own sake, a purged tombstone that comes back would be purged again;
 * but what lost against it may stand in the log behind the beginning, and it itself nowhere.
 */
#include "store/checkpoint.h"

/* So many beginnings a checkpoint may have. */
#define LOTS 64U

void checkpoint_init(struct checkpoint *checkpoint)
{
    *checkpoint = (struct checkpoint){0};
}

bool checkpoint_due(const struct checkpoint *checkpoint, const struct table *table,
                    const struct log *log, uint64_t floor_bytes, uint64_t lot)
{
    /* Segments below the base are as good as gone, though they may wait for a sync: counting them
     * would make the next checkpoint due by the end of this one. */
    uint64_t needed = log_needed_bytes(log);
    uint64_t lives = table_log_bytes(table);
    uint64_t later = lives / LOTS * (lot % LOTS) / 4;
    return !checkpoint->running && needed > floor_bytes && needed / 2 > lives + later;
}

void checkpoint_begin(struct checkpoint *checkpoint, struct log *log)
{
    ASSERT(!checkpoint->running);
    /* Else RECORD_CHECKPOINT would lie in the segment before the base. */
    ASSERT(!log_pending(log));
    *checkpoint =
        (struct checkpoint){.running = true, .base = log_roll(log), .plant = checkpoint->plant};
    log_append(log, RECORD_CHECKPOINT, SLICE_EMPTY);
}

static void footer_append(struct checkpoint *checkpoint, struct log *log)
{
    uint8_t body[8];
    le_store_u64(body, checkpoint->base);
    log_append(log, RECORD_FOOTER, slice_of(body, sizeof body));
    checkpoint->footer_written = true;
    checkpoint->footer_position = log_position(log);
}

/* The next version to dump, going on to the next slot; 0 when all slots are done. */
static table_ref next_version(struct checkpoint *checkpoint, const struct table *table)
{
    struct table_scan *scan = &checkpoint->scan;
    for (;;) {
        table_ref ref = table_scan_next(table, scan);
        if (ref != 0 || scan->slot + 1 == LIMIT_SLOTS)
            return ref;
        table_scan_begin(table, scan, scan->slot + 1);
    }
}

bool checkpoint_step(struct checkpoint *checkpoint, const struct table *table, struct log *log,
                     uint64_t budget_bytes)
{
    if (!checkpoint->running || checkpoint->footer_written)
        return false;
    uint64_t begin = log_position(log);
    do {
        table_ref ref = next_version(checkpoint, table);
        if (ref == 0) {
            footer_append(checkpoint, log);
            return true;
        }
        struct version version;
        struct slice whole;
        table_view(table, ref, &version);
        if (PLANTED(checkpoint->plant, CHECKPOINT_DROPS_DEPS))
            version.deps = SLICE_EMPTY;
        log_append_version(log, RECORD_DUMP, &version, &whole);
    } while (log_position(log) - begin < budget_bytes);
    return true;
}

bool checkpoint_synced(struct checkpoint *checkpoint, struct log *log, uint64_t position)
{
    if (!checkpoint->footer_written || position < checkpoint->footer_position)
        return false;
    log_set_base(log, checkpoint->base);
    checkpoint->running = false;
    checkpoint->footer_written = false;
    return true;
}
