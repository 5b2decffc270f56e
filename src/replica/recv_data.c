/* recv_data - writes arrive by a stream.
 *
 * Does:   checks each record, takes it into log and memory, and asks for a receipt.
 * Not:    delivery (deliver.c).
 * Holds:  what is taken is in the log of this turn, verbatim; what does not fit is neither
 *         logged nor receipted, and asked for again.
 * Limits: knob pending_bytes.
 * See:    docs/protocol.md section 4.1 (T28).
 */
#include "replica/state.h"

static bool belongs_here(const struct replica *replica, const struct version *version)
{
    if (replica__actor_const(replica, version->dot.actor) == NULL)
        return false;
    if (version->dot.actor == replica->actor)
        return false; /* nobody streams our own writes to us */
    return config_shard_of_slot(replica->config, slot_of(version->key)) == replica->shard;
}

static void take(struct replica *replica, const struct record *record,
                 const struct version *version, struct replica_io *io)
{
    struct actor_state *actor = replica__actor(replica, version->dot.actor);
    enum arrival arrival = replica__classify(replica, version->dot);
    /* A full reorder buffer: what waits was receipted and stays; this one comes again later. */
    if (arrival == ARRIVAL_TAKEN && replica->pending_bytes > replica->knobs->pending_bytes)
        arrival = ARRIVAL_DROPPED;
    switch (arrival) {
    case ARRIVAL_DUPLICATE:
        io->metrics->duplicates++;
        return;
    case ARRIVAL_DROPPED:
        actor->rewind = true;
        return;
    case ARRIVAL_TAKEN: {
        uint64_t position = log_position(io->log);
        if (!PLANTED(replica->plant, ARRIVAL_NOT_LOGGED))
            position = log_append_summed(io->log, RECORD_ARRIVAL, record->body, record->sum);
        replica__arrive(replica, version, record->body, record->sum, position, io);
        return;
    }
    }
}

bool replica_recv_data(struct replica *replica, uint64_t from, const struct msg_data *msg,
                       struct replica_io *io)
{
    struct peer *peer = replica__peer(replica, from);
    if (peer == NULL)
        return true;
    peer->report_due = true;
    struct slice rest = msg->records;
    while (rest.len > 0) {
        struct record record;
        struct version version;
        if (record_decode(rest, &record) != RECORD_OK || record.kind != RECORD_ARRIVAL ||
            !version_decode(record.body, &version) || !belongs_here(replica, &version))
            return false;
        take(replica, &record, &version, io);
        rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len);
    }
    return true;
}
