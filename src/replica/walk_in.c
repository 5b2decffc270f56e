/* walk_in - the walk that this node receives.
 *
 * Does:   notices that writes are missing and that somebody has them; asks for a walk; takes its
 *         chunks; raises coverage at its end; gives up on a lost source.
 * Not:    what slot walks do with versions and at their end (fill.c); which walks the ends of
 *         terms need (seal.c); sending walks (walk_out.c).
 * Holds:  a walked version says nothing about coverage until WALK_END; in a tail walk one whose
 *         dot is covered is dropped (T20).
 * Limits: one walk at a time.
 * See:    docs/protocol.md sections 4.3 and 4.4.
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

/* A hole is pulled at once, and so is what a retired actor wrote: no stream brings it, and what its
 * member writes now may rest on it. A stream that is merely late gets pull_ms without any
 * progress. */
static bool pull_due(struct replica *replica, struct actor_state *actor, uint64_t mono_ms)
{
    if (actor->gap_low > 0 || actor->retired)
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

void replica__walk_start(struct replica *replica, const struct peer *source, enum walk_kind kind,
                         struct replica_io *io)
{
    struct walk_in *walk = &replica->walk_in;
    ASSERT(walk->id == 0);
    ASSERT(replica->drop.phase == DROP_NONE); /* what is known of the last one is needed still */
    walk->last_id++;
    walk->id = walk->last_id;
    walk->kind = kind;
    walk->source = source->node_id;
    walk->actor = source->actor;
    walk->epoch = replica->config->epoch;
    walk->progress_ms = io->mono_ms;
    walk->versions = 0;
    walk->chunks = 0;
    walk->begun = false;
    walk->beaten = false;
    struct msg_walk_request msg = {
        .shard = replica__shard_id(replica), .walk = walk->id, .kind = (uint8_t)kind};
    if (kind == WALK_TAIL)
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
    /* Whoever drops needs no source any more, and has to end it only with the term. */
    if (new_term || replica->state != MEMBER_SYNCING)
        replica->drop.phase = DROP_NONE;
    if (walk->id == 0)
        return;
    const struct peer *source = replica__peer(replica, walk->source);
    bool other = source == NULL || source->actor != walk->actor;
    bool needless = (walk->kind == WALK_FILL && replica->state != MEMBER_SYNCING) ||
                    (walk->kind == WALK_MERGE && !replica->merging);
    if (new_term || other || needless)
        replica__walk_lost(replica, io);
}

static void pull_tail(struct replica *replica, struct replica_io *io)
{
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
        replica__walk_start(replica, source, WALK_TAIL, io);
        return;
    }
}

void replica__walk_pull(struct replica *replica, struct replica_io *io)
{
    replica->walk_wanted = false;
    if (replica->walk_in.id != 0) {
        if (io->mono_ms - replica->walk_in.progress_ms < 2 * replica->knobs->suspect_ms)
            return;
        REACHED(io->metrics, WALK_STUCK);
        struct msg_walk_stop msg = {.shard = replica__shard_id(replica),
                                    .walk = replica->walk_in.id};
        outbox_walk_stop(io->out, replica->walk_in.source, &msg);
        replica__walk_lost(replica, io);
    }
    if (io->mono_ms < replica->walk_in.wait_ms)
        return;
    if (!replica__fill_pull(replica, io) && !replica__seal_pull(replica, io))
        pull_tail(replica, io);
}

void replica__walk_heard_part(struct replica *replica, uint64_t from, uint64_t mono_ms)
{
    if (replica->walk_in.id != 0 && replica->walk_in.source == from)
        replica->walk_in.progress_ms = mono_ms;
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

static void take_tail(struct replica *replica, const struct record *record,
                      const struct version *version, struct replica_io *io)
{
    if (vv_covers(&replica->coverage, version->dot) ||
        config_actor_closed(replica->config, version->dot.actor)) {
        REACHED(io->metrics, WALKED_COVERED);
        return;
    }
    uint64_t position = log_append_summed(io->log, RECORD_WALKED, record->body, record->sum);
    replica__apply(replica, version, position, io);
}

static bool take_walked(struct replica *replica, const struct record *record, struct replica_io *io)
{
    struct version version;
    if (record->kind != RECORD_WALKED || !version_decode(record->body, &version))
        return false;
    if (config_shard_of_slot(replica->config, slot_of(version.key)) != replica->shard ||
        version.dot.actor >= replica->config->next_actor)
        return false;
    replica->walk_in.versions++;
    if (replica->walk_in.kind == WALK_TAIL)
        take_tail(replica, record, &version, io);
    else if (!replica__fill_take(replica, record, &version, io))
        return false;
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
    struct msg_walk_ack ack = {.shard = msg->shard, .walk = msg->walk, .number = msg->number};
    outbox_walk_ack(io->out, from, &ack);
    return true;
}

/* What the walk was for is reached. */
static void reach(struct replica *replica, struct peer *source, const struct msg_walk_end *msg,
                  struct replica_io *io)
{
    struct walk_in *walk = &replica->walk_in;
    struct vv to;
    replica__keep_relevant(replica, &msg->coverage, &to);
    switch (walk->kind) {
    case WALK_TAIL:
        replica__log_raise(replica, &to, io->log);
        replica__raise(replica, &to, io);
        break;
    case WALK_FILL:
        replica__fill_end(replica, &to);
        return;
    case WALK_MERGE:
        replica__merge_end(replica, source, io);
        return;
    }
    if (walk->epoch > source->walked_epoch)
        source->walked_epoch = walk->epoch;
    replica__seal_raise(replica, io);
}

bool replica_recv_walk_end(struct replica *replica, uint64_t from, const struct msg_walk_end *msg,
                           struct replica_io *io)
{
    if (!is_ours(replica, from, msg->walk, io))
        return true;
    struct walk_in *walk = &replica->walk_in;
    struct peer *source = replica__peer(replica, from);
    ASSERT(source != NULL); /* an adoption that takes it away ends the walk */
    if (msg->chunks != walk->chunks || (walk->kind != WALK_TAIL && !walk->begun)) {
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
    reach(replica, source, msg, io);
    io->metrics->walks_received++;
    end(replica);
    trace_emit(io->tracer, TRACE_WALK_ENDED, msg->walk, walk->versions, 0, name_of(replica, from));
    replica->walk_wanted = true; /* another gap may be left */
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true;
    return true;
}

bool replica_recv_walk_stop(struct replica *replica, uint64_t from, const struct msg_walk_stop *msg,
                            struct replica_io *io)
{
    /* Either side may stop it. Who receives numbers it, so there may be two of that number, one
     * each way: stopping both in that rare case only makes one of them begin again. */
    if (is_ours(replica, from, msg->walk, io)) {
        replica__walk_lost(replica, io);
        replica->walk_in.wait_ms = io->mono_ms + replica->knobs->heartbeat_ms;
    }
    replica__walk_out_stopped(replica, from, msg->walk, io->table);
    return true;
}
