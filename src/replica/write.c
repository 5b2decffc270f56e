/* write - a write of this node gets its name, its time and its causes.
 *
 * Does:   seq += 1, the HLC above the clock and above the key's current version, the writer's
 *         context as dependencies; into log, table and window in one go.
 * Not:    checking the context, limits, acknowledging: node/ does.
 * Holds:  R3; hybrid logical clocks: H1 to H3.
 * Limits: -
 * See:    docs/protocol.md sections 3.4, 3.6, 3.7.
 */
#include "replica/state.h"

enum table_put_result replica_write(struct replica *replica, struct version *version, uint32_t slot,
                                    const struct vv *seen, struct replica_io *io)
{
    ASSERT(replica->actor != 0);
    ASSERT(replica_active(replica));
    ASSERT(vv_get(&replica->coverage, replica->actor) == replica->seq);
    uint64_t hlc = hlc_tick(&replica->hlc, io->wall_ms);
    table_ref current = table_find(io->table, slot, version->key);
    /* A version from a clock far ahead does not move ours (3.7), yet a later write must win. */
    if (current != 0 && table_hlc(io->table, current) >= hlc &&
        !PLANTED(replica->plant, KEY_CLOCK_DROPPED)) {
        REACHED(io->metrics, KEY_CLOCK);
        hlc = table_hlc(io->table, current) + 1;
    }
    hlc_receive(&replica->hlc, hlc, io->wall_ms); /* what comes after is above it, if it may */
    struct buf deps = BUF_EMPTY;
    deps_encode(seen, &deps);
    replica->seq++;
    ASSERT(replica->seq <= LIMIT_SEQ);
    version->dot = (struct dot){replica->actor, replica->seq};
    version->hlc = hlc;
    version->deps = buf_slice(&deps);
    struct slice record;
    uint64_t position = log_append_version(io->log, RECORD_ARRIVAL, version, &record);
    replica__window_push(replica, record);
    enum table_put_result result = table_put(io->table, slot, version, position);
    bool planted = PLANTED(replica->plant, KEY_CLOCK_DROPPED); /* its name is no assertion's text */
    ASSERT(result != TABLE_OLDER || planted);
    bool fits = vv_set(&replica->coverage, replica->actor, replica->seq);
    ASSERT(fits);
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        struct peer *peer = &replica->peers[i];
        if (replica__peer_received(peer, replica->actor) + 1 >= replica->seq)
            peer->receipt_ok_ms = io->mono_ms; /* it owes nothing older: its time starts now */
    }
    replica->set->stability.dirty = true;
    io->metrics->writes++;
    trace_emit(io->tracer, TRACE_WRITTEN, version->dot.actor, version->dot.seq, hlc, version->key);
    version->deps = SLICE_EMPTY;
    buf_fini(&deps);
    return result;
}
