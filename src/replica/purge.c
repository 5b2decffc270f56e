/* purge - tombstones that nobody can need any more, and dependencies that have become stable.
 *
 * Does:   two sweeps of bounded size at each heartbeat.
 * Not:    deletes: they are writes (write.c).
 * Holds:  a tombstone goes only when its dot is stable, its dependencies are gone, and every open
 *         actor of its slot has announced a clock above it whose writes are covered (T3 to T6).
 * Limits: PURGE_SLOTS slots, PURGE_VERSIONS and DEPS_VERSIONS versions a sweep: all slots of a
 *         table without tombstones to speak of are seen within eight heartbeats.
 * See:    docs/protocol.md sections 3.6 and 4.6.
 */
#include "replica/state.h"

#define PURGE_SLOTS (LIMIT_SLOTS / 8)
#define PURGE_VERSIONS 4096U
#define DEPS_VERSIONS 4096U

/* All later writes of every open actor in these slots are above this. */
static uint64_t clock_floor(const struct replica *replica)
{
    uint64_t least = replica->hlc.now;
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        if (actor == replica->actor)
            continue;
        const struct peer *peer = NULL;
        for (uint32_t j = 0; j < replica->peer_count; j++)
            if (replica->peers[j].actor == actor)
                peer = &replica->peers[j];
        uint64_t floor = peer != NULL ? peer->floor : 0; /* unheard: holds everything back */
        if (floor < least)
            least = floor;
    }
    return least;
}

static bool may_purge(struct replica *replica, const struct version *version, uint64_t floor)
{
    if (version->form != VALUE_TOMBSTONE)
        return false;
    if (PLANTED(replica->plant, PURGE_EARLY))
        return true;
    struct vv left;
    vv_init(&left);
    if (!deps_merge_into(version->deps, &left) ||
        !vv_raise(&left, version->dot.actor, version->dot.seq))
        return false;
    replica_prune(replica, &left); /* of its own dot and its dependencies nothing may be left */
    return left.count == 0 && version->hlc < floor;
}

static uint32_t purge_slot(struct replica *replica, uint32_t slot, uint64_t floor,
                           struct replica_io *io)
{
    uint32_t looked = 0;
    struct table_scan scan;
    table_scan_begin(io->table, &scan, slot);
    for (table_ref ref = table_scan_next(io->table, &scan); ref != 0;
         ref = table_scan_next(io->table, &scan)) {
        struct version version;
        table_view(io->table, ref, &version);
        looked++;
        if (!may_purge(replica, &version, floor))
            continue;
        trace_emit(io->tracer, TRACE_PURGED, version.dot.actor, version.dot.seq, 0, version.key);
        io->metrics->purged++;
        table_remove(io->table, ref);
    }
    return looked;
}

static void purge(struct replica *replica, struct replica_io *io)
{
    uint64_t floor = clock_floor(replica);
    uint32_t looked = 0;
    for (uint32_t i = 0; i < PURGE_SLOTS && looked < PURGE_VERSIONS; i++) {
        if (table_tombstones(io->table) == 0)
            return;
        uint32_t slot = replica->purge_slot;
        replica->purge_slot = (slot + 1) % LIMIT_SLOTS;
        if (table_slot_tombstones(io->table, slot) > 0)
            looked += purge_slot(replica, slot, floor, io);
    }
}

static void sweep_deps(struct replica *replica, struct replica_io *io)
{
    uint64_t count = table_deps_count(io->table);
    if (count > DEPS_VERSIONS)
        count = DEPS_VERSIONS;
    for (uint64_t i = 0; i < count; i++) {
        table_ref ref = table_next_with_deps(io->table, &replica->deps_sweep);
        struct vv ignored;
        vv_init(&ignored);
        if (ref == 0 || !replica_merge_deps(replica, ref, &ignored, io))
            return;
    }
}

void replica__sweep(struct replica *replica, struct replica_io *io)
{
    sweep_deps(replica, io);
    purge(replica, io);
}
