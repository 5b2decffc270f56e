/* purge - tombstones that nobody can need any more, and dependencies that have become stable.
 *
 * Does:   sweeps of bounded size at each heartbeat: dependencies that are stable, tombstones.
 * Not:    deletes: they are writes (write.c). What a fill drops, and slots given away: drop.c.
 * Holds:  a tombstone goes only when its dot is stable, its dependencies are gone, and every open
 *         actor of its slot has announced a clock above it whose writes are covered (T3 to T6); its
 *         own clock counts as far as a restart would go on from it.
 * Limits: PURGE_SLOTS slots, PURGE_VERSIONS and DEPS_VERSIONS versions a sweep: all slots of a
 *         table without tombstones to speak of are seen within eight heartbeats.
 * See:    docs/protocol.md sections 3.6 and 4.6.
 */
#include "replica/state.h"

#define PURGE_SLOTS (LIMIT_SLOTS / 8)
#define PURGE_VERSIONS 4096U
#define DEPS_VERSIONS 4096U

/* All later writes of every open actor in these slots are above this; our own ones, too, when we
 * have crashed meanwhile and the wall clock has been set back: then only the ceiling is left. */
static uint64_t clock_floor(const struct replica *replica)
{
    uint64_t least = replica->hlc.now < replica->ceiling ? replica->hlc.now : replica->ceiling;
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        if (actor == replica->actor)
            continue;
        const struct peer *peer = NULL;
        for (uint32_t j = 0; j < replica->peer_count; j++)
            if (replica->peers[j].actor == actor)
                peer = &replica->peers[j];
        if (peer != NULL && peer->state == MEMBER_LEAVING &&
            PLANTED(replica->plant, LEAVER_FORGOTTEN))
            continue;
        uint64_t floor = peer != NULL ? peer->floor : 0; /* unheard: holds everything back */
        if (floor < least)
            least = floor;
    }
    return least;
}

/* Not asking those who leave (LEAVER_FORGOTTEN), it looks stable. */
static bool is_covered_by_stayers(const struct replica *replica, struct dot dot)
{
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (peer->state != MEMBER_LEAVING && !(peer->reported && vv_covers(&peer->coverage, dot)))
            return false;
    }
    return true;
}

static bool may_purge(struct replica *replica, const struct version *version, uint64_t floor,
                      struct metrics *metrics)
{
    if (version->form != VALUE_TOMBSTONE)
        return false;
    if (PLANTED(replica->plant, PURGE_EARLY))
        return true;
    struct vv left;
    vv_init(&left);
    struct slice deps = version->deps;
    if (PLANTED(replica->plant, PURGE_BEFORE_CAUSES))
        deps = SLICE_EMPTY;
    if (!deps_merge_into(deps, &left) || !vv_raise(&left, version->dot.actor, version->dot.seq))
        return false;
    replicas_prune(replica->set,
                   &left); /* of its own dot and its dependencies nothing may be left */
    if (PLANTED(replica->plant, LEAVER_FORGOTTEN) && left.count == 1 &&
        is_covered_by_stayers(replica, left.entries[0]))
        left.count = 0;
    if (left.count == 0 && version->hlc >= floor)
        REACHED(metrics, PURGE_WAITS_FOR_CLOCK);
    return left.count == 0 && version->hlc < floor;
}

static void look_at(struct replica *replica, table_ref ref, uint64_t floor, struct replica_io *io)
{
    struct version version;
    table_view(io->table, ref, &version);
    if (!may_purge(replica, &version, floor, io->metrics))
        return;
    trace_emit(io->tracer, TRACE_PURGED, version.dot.actor, version.dot.seq, 0, version.key);
    io->metrics->purged++;
    /* What it beat may stand in the log behind the beginning of the checkpoint, and it itself not:
     * replay would bring that back. */
    if (io->checkpointing)
        replica__drop_one(ref, io);
    else
        table_remove(io->table, ref);
}

static bool is_own(const struct replica *replica, uint32_t slot)
{
    return config_shard_of_slot(replica->config, slot) == replica->shard;
}

/* Goes on where the last sweep stopped, in the middle of a slot if need be: one hash tag may have
 * made it huge. Unless that slot is another replica's by now, which has members and clocks of its
 * own (seed 7104). */
static void purge(struct replica *replica, struct replica_io *io)
{
    replica->purging = replica->purging && is_own(replica, replica->purge_slot);
    uint64_t floor = clock_floor(replica);
    uint32_t looked = 0;
    uint32_t slots = 0;
    while (looked < PURGE_VERSIONS && slots < PURGE_SLOTS && table_tombstones(io->table) > 0) {
        if (!replica->purging) {
            uint32_t way =
                table_way_to_tombstones(io->table, replica->purge_slot, PURGE_SLOTS - slots);
            slots += way;
            replica->purge_slot = (replica->purge_slot + way) % LIMIT_SLOTS;
            bool own = is_own(replica, replica->purge_slot);
            if (!own && table_slot_tombstones(io->table, replica->purge_slot) > 0) {
                replica->purge_slot = (replica->purge_slot + 1) % LIMIT_SLOTS;
                slots++;
            }
            if (!own || table_slot_tombstones(io->table, replica->purge_slot) == 0)
                continue;
            table_scan_begin(io->table, &replica->purge_scan, replica->purge_slot);
            replica->purging = true;
        }
        table_ref ref = table_scan_next(io->table, &replica->purge_scan);
        looked++;
        if (ref == 0)
            replica->purging = false;
        else
            look_at(replica, ref, floor, io);
    }
}

static void sweep_deps(struct replica *replica, struct replica_io *io)
{
    uint64_t count = table_deps_count(io->table);
    if (count > DEPS_VERSIONS)
        count = DEPS_VERSIONS;
    for (uint64_t i = 0; i < count; i++) {
        table_ref ref = table_next_with_deps(io->table, &replica->deps_sweep);
        if (ref == 0)
            return;
        replica__trim_deps(replica, ref, io);
    }
}

/* Who fills up or merges must not purge what the others do not purge too: the walk says what has
 * gone. */
static bool purges(const struct replica *replica)
{
    return replica->shard != SHARD_NONE && replica->state != MEMBER_SYNCING && !replica->merging;
}

void replica__sweep(struct replica *replica, struct replica_io *io)
{
    if (replica->transit == SHARD_NONE)
        sweep_deps(replica, io);
    if (purges(replica))
        purge(replica, io);
}
