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

enum belongs {
    BELONGS_HERE,
    BELONGS_NOWHERE, /* of a term that has ended since: its writes come by walks only (T22) */
    BELONGS_WRONG,   /* no sane member sends it */
};

static enum belongs belongs(const struct replica *replica, const struct version *version)
{
    const struct actor_state *actor = replica__actor_const(replica, version->dot.actor);
    if (version->dot.actor == replica->actor)
        return BELONGS_WRONG; /* nobody streams our own writes to us */
    if (actor == NULL || actor->retired)
        return version->dot.actor < replica->config->next_actor ? BELONGS_NOWHERE : BELONGS_WRONG;
    if (config_shard_of_slot(replica->config, slot_of(version->key)) != replica->shard)
        return BELONGS_WRONG;
    return BELONGS_HERE;
}

static void mark_dropped(const struct actor_state *actor, struct metrics *metrics)
{
    if (actor->gap_low > 0)
        REACHED(metrics, BEYOND_GAP);
    else
        REACHED(metrics, HOLE_BEHIND_PENDING);
}

/* What was under way behind a dropped frame is beyond the hole that this left, and comes again with
 * it: asked for once, not once for each (2118798). The stream that goes back begins with what was
 * asked for; where a walk has brought that meanwhile, whatever comes counts again. */
static void note_dropped(const struct replica *replica, struct actor_state *actor)
{
    if (actor->rewound > 0 && replica__received(replica, actor) >= actor->rewound)
        actor->rewound = 0;
    if (actor->rewound == 0)
        actor->rewind = true;
}

static void take(struct replica *replica, const struct record *record,
                 const struct version *version, struct replica_io *io)
{
    struct actor_state *actor = replica__actor(replica, version->dot.actor);
    if (version->dot.seq <= actor->rewound)
        actor->rewound = 0;
    enum arrival arrival = replica__classify(replica, version->dot);
    bool full = replica->pending_bytes > replica->knobs->pending_bytes &&
                !PLANTED(replica->plant, PENDING_UNLIMITED);
    /* A full reorder buffer: what waits was receipted and stays; this one comes again later. What
     * need not wait is taken: it may be what the others wait for. */
    if (arrival == ARRIVAL_TAKEN && full && replica__must_wait(replica, version)) {
        REACHED(io->metrics, REORDER_BUFFER_FULL);
        arrival = ARRIVAL_DROPPED;
    } else if (arrival == ARRIVAL_DROPPED) {
        mark_dropped(actor, io->metrics);
    }
    switch (arrival) {
    case ARRIVAL_DUPLICATE:
        io->metrics->duplicates++;
        if (actor->gap_low > 0 && version->dot.seq >= actor->gap_low)
            REACHED(io->metrics, IN_GAP_RANGE);
        if (PLANTED(replica->plant, DUPLICATE_APPLIED)) {
            uint64_t position =
                log_append_summed(io->log, RECORD_ARRIVAL, record->body, record->sum);
            replica__apply(replica, version, position, io);
        }
        return;
    case ARRIVAL_DROPPED:
        note_dropped(replica, actor);
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
    if (peer == NULL || replica->muted)
        return true;
    replicas_served(replica->set, io->mono_ms);
    peer->report_due = true;
    struct slice rest = msg->records;
    while (rest.len > 0) {
        struct record record;
        struct version version;
        if (record_decode(rest, &record) != RECORD_OK || record.kind != RECORD_ARRIVAL ||
            !version_decode(record.body, &version))
            return false;
        enum belongs where = belongs(replica, &version);
        if (where == BELONGS_WRONG)
            return false;
        if (where == BELONGS_HERE)
            take(replica, &record, &version, io);
        rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len);
    }
    return true;
}
