/* drop - what has to go from the table, a few versions a step.
 *
 * Does:   at the end of a fill what the source covered at the start and did not send; before a
 *         fill the marks of one that came to nothing; slots of a shard that this node has left.
 * Not:    when, and what is told afterwards (fill.c). Tombstones (purge.c).
 * Holds:  whatever goes is named in the log: replay must not bring it back, when the same slots
 *         are this node's again or when a checkpoint began in between.
 * Limits: a step looks at as many versions as a chunk of a walk may hold, by VERSION_BYTES, and
 *         counts as one (pace.c); DROP_BYTES of log, some 22 bytes and the key for each that goes.
 * See:    docs/protocol.md sections 4.4 and 4.6.
 */
#include "replica/state.h"

#define DROP_BYTES 1048576U
#define ABSENT_BYTES 65536U /* of one record, or a little more */
#define VERSION_BYTES 256U  /* to drop a version takes about as long as to send so many bytes */

/* ---- the log ---- */

static void log_absent(struct buf *body, size_t at_least, struct log *log)
{
    if (body->len < at_least)
        return;
    log_append(log, RECORD_ABSENT, buf_slice(body));
    buf_reset(body);
}

static void remove_version(table_ref ref, struct buf *body, struct replica_io *io)
{
    struct version version;
    table_view(io->table, ref, &version);
    /* Enough to remove, in replay, whatever may stand there in its place: while a checkpoint is
     * under way that may be something older, which lost against it here. */
    version_absent_encode(&version, body);
    trace_emit(io->tracer, TRACE_ABSENT, version.dot.actor, version.dot.seq, 0, version.key);
    table_remove(io->table, ref);
    log_absent(body, ABSENT_BYTES, io->log);
}

void replica__drop_one(table_ref ref, struct replica_io *io)
{
    struct buf body = BUF_EMPTY;
    ASSERT(ref != 0);
    remove_version(ref, &body, io);
    log_absent(&body, 1, io->log);
    buf_fini(&body);
}

/* ---- sweeps ---- */

static uint64_t step_versions(const struct replica *replica)
{
    return replica->knobs->walk_chunk_bytes / VERSION_BYTES;
}

static void spend(struct replica *replica, uint64_t left)
{
    replica__pace_spend(replica->set, (step_versions(replica) - left) * VERSION_BYTES);
}

/* Of this replica; or, strays, of none that this node has. */
static bool is_wanted(const struct replica *replica, uint32_t slot, bool strays)
{
    uint32_t shard = config_shard_of_slot(replica->config, slot);
    if (strays && PLANTED(replica->plant, CLEANED_EARLY))
        return shard != replica->shard;
    return strays ? replicas_of_shard(replica->set, shard) == NULL : shard == replica->shard;
}

/* The next version in the slots of this replica, or in those of none; 0: all were seen. Empty
 * slots cost next to nothing: they do not count. */
static table_ref next_version(const struct replica *replica, struct sweep *sweep, bool strays,
                              const struct table *table)
{
    while (sweep->slot < LIMIT_SLOTS) {
        table_ref ref = 0;
        if (!sweep->scanning && is_wanted(replica, sweep->slot, strays)) {
            table_scan_begin(table, &sweep->scan, sweep->slot);
            sweep->scanning = true;
        }
        if (sweep->scanning)
            ref = table_scan_next(table, &sweep->scan);
        if (ref != 0)
            return ref;
        sweep->scanning = false;
        sweep->slot++;
    }
    return 0;
}

void replica__drop_begin(struct replica *replica, enum drop_phase phase)
{
    ASSERT(phase != DROP_NONE);
    replica->drop.phase = phase;
    replica->drop.sweep = (struct sweep){.slot = 0};
    replica->drop.dropped = 0;
}

/* True when no version of these slots is marked any more. */
bool replica__drop_marks(struct replica *replica, struct replica_io *io)
{
    uint64_t left = step_versions(replica);
    for (; left > 0 && table_marks(io->table) > 0; left--) {
        table_ref ref = next_version(replica, &replica->drop.sweep, false, io->table);
        if (ref == 0)
            break;
        table_mark(io->table, ref, TABLE_UNMARKED);
    }
    spend(replica, left);
    replica->marks_left = left == 0;
    return left > 0;
}

/* Drops some of what was not sent; true when all was seen. Marks stay: a scan may hand a version
 * out twice. */
bool replica__drop_unsent(struct replica *replica, struct replica_io *io)
{
    struct drop *drop = &replica->drop;
    struct buf body = BUF_EMPTY;
    uint64_t logged = log_position(io->log);
    uint64_t left = step_versions(replica);
    for (; left > 0 && log_position(io->log) - logged < DROP_BYTES; left--) {
        table_ref ref = next_version(replica, &drop->sweep, false, io->table);
        if (ref == 0)
            break;
        enum table_mark mark = table_mark_of(io->table, ref);
        bool below = replica__is_below(&replica->walk_in, table_dot(io->table, ref));
        if (!below || mark == TABLE_SENT || PLANTED(replica->plant, FILL_KEEPS))
            continue;
        if (mark == TABLE_BEAT)
            replica->walk_in.beaten = true;
        remove_version(ref, &body, io);
        drop->dropped++;
    }
    spend(replica, left);
    log_absent(&body, 1, io->log);
    buf_fini(&body);
    return drop->sweep.slot == LIMIT_SLOTS;
}

/* ---- slots given away ---- */

bool replica__has_strays(const struct replica *replica)
{
    return replica->strays.slot < LIMIT_SLOTS;
}

void replica__drop_strays(struct replica *replica, struct replica_io *io)
{
    struct buf body = BUF_EMPTY;
    uint64_t logged = log_position(io->log);
    uint64_t left = step_versions(replica);
    for (; left > 0 && log_position(io->log) - logged < DROP_BYTES; left--) {
        table_ref ref = next_version(replica, &replica->strays, true, io->table);
        if (ref == 0)
            break;
        remove_version(ref, &body, io);
    }
    spend(replica, left);
    log_absent(&body, 1, io->log);
    buf_fini(&body);
}
