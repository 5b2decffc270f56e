/* walk_in - the tail walk that this node receives: catching up.
 *
 * Does:   notices that writes are missing and that somebody has them; asks for a walk; takes its
 *         chunks; raises coverage at its end; gives up on a lost source.
 * Not:    sending walks (walk_out.c).
 * Holds:  a walked version says nothing about coverage until WALK_END; one whose dot is covered
 *         is dropped (T20).
 * Limits: one walk at a time.
 * See:    docs/protocol.md section 4.3.
 */
#include "replica/state.h"

/* The member to pull from: one that covers more of actor than was received here. */
static const struct peer *source_for(const struct replica *replica, const struct actor_state *actor)
{
    uint64_t have = replica__received(replica, actor);
    if (actor->gap_low > 0)
        have = vv_get(&replica->coverage, actor->actor);
    const struct peer *best = NULL;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!peer->connected || peer->suspected || !peer->reported)
            continue;
        uint64_t theirs = vv_get(&peer->coverage, actor->actor);
        if (theirs <= have)
            continue;
        if (best == NULL || theirs > vv_get(&best->coverage, actor->actor))
            best = peer;
    }
    return best;
}

/* A hole is pulled at once; a stream that is merely late gets pull_ms without any progress. */
static bool pull_due(struct replica *replica, struct actor_state *actor, uint64_t mono_ms)
{
    if (actor->gap_low > 0)
        return true;
    uint64_t covered = vv_get(&replica->coverage, actor->actor);
    if (actor->lag_since_ms == 0 || actor->lag_seq != covered) {
        actor->lag_since_ms = mono_ms;
        actor->lag_seq = covered;
        return false;
    }
    return mono_ms - actor->lag_since_ms >= replica->knobs->pull_ms;
}

/* For people: where a member listens. */
static struct slice name_of(const struct replica *replica, uint64_t node_id)
{
    const struct member *member = config_member_by_id(replica->config, node_id);
    return member != NULL ? slice_str(member->address.text) : SLICE_EMPTY;
}

static void start(struct replica *replica, const struct peer *source, struct replica_io *io)
{
    struct walk_in *walk = &replica->walk_in;
    walk->last_id++;
    walk->id = walk->last_id;
    walk->source = source->node_id;
    walk->actor = source->actor;
    walk->progress_ms = io->mono_ms;
    walk->versions = 0;
    walk->chunks = 0;
    struct msg_walk_request msg = {.walk = walk->id};
    vv_copy(&msg.coverage, &replica->coverage);
    outbox_walk_request(io->out, source->node_id, &msg);
    trace_emit(io->tracer, TRACE_WALK_STARTED, walk->id, source->node_id, 0,
               name_of(replica, source->node_id));
}

static void end(struct replica *replica)
{
    replica->walk_in.id = 0;
    for (uint32_t i = 0; i < replica->actor_count; i++)
        replica->actors[i].lag_since_ms = 0;
}

void replica__walk_lost(struct replica *replica, struct replica_io *io)
{
    trace_emit(io->tracer, TRACE_WALK_LOST, replica->walk_in.id, 0, 0, SLICE_EMPTY);
    end(replica);
}

/* A walk goes on under a new configuration unless it is between other terms than it was. */
void replica__walk_in_adopt(struct replica *replica, bool new_term, struct replica_io *io)
{
    const struct walk_in *walk = &replica->walk_in;
    if (walk->id == 0)
        return;
    const struct peer *source = replica__peer(replica, walk->source);
    if (new_term || source == NULL || source->actor != walk->actor)
        replica__walk_lost(replica, io);
}

void replica__walk_pull(struct replica *replica, struct replica_io *io)
{
    replica->walk_wanted = false;
    if (replica->walk_in.id != 0) {
        if (io->mono_ms - replica->walk_in.progress_ms < 2 * replica->knobs->suspect_ms)
            return;
        REACHED(io->metrics, WALK_STUCK);
        struct msg_walk_stop msg = {.walk = replica->walk_in.id};
        outbox_walk_stop(io->out, replica->walk_in.source, &msg);
        replica__walk_lost(replica, io);
    }
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        struct actor_state *actor = &replica->actors[i];
        if (actor->actor == replica->actor)
            continue;
        const struct peer *source = source_for(replica, actor);
        if (source == NULL) {
            actor->lag_since_ms = 0;
            continue;
        }
        if (!pull_due(replica, actor, io->mono_ms))
            continue;
        start(replica, source, io);
        return;
    }
}

static bool is_ours(struct replica *replica, uint64_t from, uint64_t walk, struct replica_io *io)
{
    if (replica->walk_in.id == 0 || replica->walk_in.id != walk ||
        replica->walk_in.source != from) {
        REACHED(io->metrics, WALK_STRANGER);
        return false;
    }
    replica->walk_in.progress_ms = io->mono_ms;
    return true;
}

static bool take_walked(struct replica *replica, const struct record *record, struct replica_io *io)
{
    struct version version;
    if (record->kind != RECORD_WALKED || !version_decode(record->body, &version))
        return false;
    uint32_t slot = slot_of(version.key);
    if (config_shard_of_slot(replica->config, slot) != replica->shard)
        return false;
    replica->walk_in.versions++;
    if (vv_covers(&replica->coverage, version.dot) ||
        config_actor_closed(replica->config, version.dot.actor)) {
        REACHED(io->metrics, WALKED_COVERED);
        return true;
    }
    uint64_t position = log_append_summed(io->log, RECORD_WALKED, record->body, record->sum);
    replica__apply(replica, &version, position, io);
    if (!hlc_receive(&replica->hlc, version.hlc, io->wall_ms))
        io->metrics->clock_ahead++;
    trace_emit(io->tracer, TRACE_WALKED, version.dot.actor, version.dot.seq, version.hlc,
               version.key);
    return true;
}

bool replica_recv_walk_chunk(struct replica *replica, uint64_t from,
                             const struct msg_walk_chunk *msg, struct replica_io *io)
{
    if (!is_ours(replica, from, msg->walk, io))
        return true; /* of a walk that was given up */
    /* Connections come and go between two chunks: with a hole the end would claim too much. */
    if (msg->number != replica->walk_in.chunks + 1) {
        REACHED(io->metrics, WALK_CHUNK_MISSING);
        replica__walk_lost(replica, io);
        return true;
    }
    replica->walk_in.chunks++;
    struct slice rest = msg->records;
    while (rest.len > 0) {
        struct record record;
        if (record_decode(rest, &record) != RECORD_OK || !take_walked(replica, &record, io))
            return false;
        rest = slice_of(rest.ptr + record.whole.len, rest.len - record.whole.len);
    }
    struct msg_walk_ack ack = {.walk = msg->walk, .number = msg->number};
    outbox_walk_ack(io->out, from, &ack);
    return true;
}

bool replica_recv_walk_end(struct replica *replica, uint64_t from, const struct msg_walk_end *msg,
                           struct replica_io *io)
{
    if (!is_ours(replica, from, msg->walk, io))
        return true;
    if (msg->chunks != replica->walk_in.chunks) {
        REACHED(io->metrics, WALK_END_MISSING);
        replica__walk_lost(replica, io);
        return true;
    }
    if (vv_get(&msg->coverage, replica->actor) > replica->seq) {
        REACHED(io->metrics, PEER_REMEMBERS_MORE);
        replica->contradicted = true;
        end(replica);
        return true;
    }
    struct vv to;
    vv_init(&to);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        bool fits = vv_set(&to, actor, vv_get(&msg->coverage, actor));
        ASSERT(fits);
    }
    replica__log_raise(&to, io->log);
    replica__raise(replica, &to, io);
    io->metrics->walks_received++;
    trace_emit(io->tracer, TRACE_WALK_ENDED, msg->walk, replica->walk_in.versions, 0,
               name_of(replica, from));
    end(replica);
    replica->walk_wanted = true; /* another gap may be left */
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true;
    return true;
}

bool replica_recv_walk_stop(struct replica *replica, uint64_t from, const struct msg_walk_stop *msg,
                            struct replica_io *io)
{
    /* Either side may stop it, and each numbers its own: stopping both walks of that number in the
     * rare case that there are two only makes one of them begin again. */
    if (is_ours(replica, from, msg->walk, io))
        replica__walk_lost(replica, io);
    replica__walk_out_stop(replica, from, io->table);
    return true;
}
