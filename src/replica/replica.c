/* replica - one shard's data at one of its members: life, recovery, peers, questions.
 *
 * Does:   life cycle, recovery, peers that come and go, ticks, and the questions of replica.h.
 * Not:    adopting: adopt.c. The work: deliver.c, stream.c, walk_in.c, walk_out.c, stable.c,
 *         purge.c, write.c.
 * Holds:  see replica.h.
 * Limits: -
 * See:    replica.h.
 */
#include "replica/state.h"

struct replica *replica__new(struct replicas *set, uint32_t transit)
{
    struct replica *replica = mem_zalloc(1, sizeof(*replica));
    replica->set = set;
    replica->knobs = set->knobs;
    replica->plant = set->plant;
    replica->node_id = set->node_id;
    replica->transit = transit;
    replica->shard = SHARD_NONE;
    replica->state = MEMBER_SPARE;
    replica->marks_left = true; /* of whoever had these slots before */
    replica->strays = (struct sweep){.slot = LIMIT_SLOTS};
    hlc_init(&replica->hlc);
    vv_init(&replica->coverage);
    replica->window.first_seq = 1;
    return replica;
}

void replica__free(struct replica *replica)
{
    for (uint32_t i = 0; i < replica->actor_count; i++)
        replica__drop_pending(replica, &replica->actors[i], UINT64_MAX);
    for (uint64_t i = 0; i < replica->window.count; i++)
        mem_free(replica->window.ring[(replica->window.first_seq + i) & (replica->window.cap - 1)]
                     .bytes);
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        mem_free(replica->walks_out[i].cursors);
        mem_free(replica->walks_out[i].tails);
        mem_free(replica->walks_out[i].slots);
    }
    mem_free(replica->window.ring);
    mem_free(replica->peers);
    mem_free(replica);
}

/* Actors are few (one a member, and some retired), so a linear search beats cleverness. */
const struct actor_state *replica__actor_const(const struct replica *replica, uint32_t actor)
{
    for (uint32_t i = 0; i < replica->actor_count; i++)
        if (replica->actors[i].actor == actor)
            return &replica->actors[i];
    return NULL;
}

struct actor_state *replica__actor(struct replica *replica, uint32_t actor)
{
    for (uint32_t i = 0; i < replica->actor_count; i++)
        if (replica->actors[i].actor == actor)
            return &replica->actors[i];
    return NULL;
}

const struct peer *replica__peer_const(const struct replica *replica, uint64_t node_id)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].node_id == node_id)
            return &replica->peers[i];
    return NULL;
}

struct peer *replica__peer(struct replica *replica, uint64_t node_id)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].node_id == node_id)
            return &replica->peers[i];
    return NULL;
}

struct peer *replica__peer_by_actor(struct replica *replica, uint32_t actor)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].actor == actor)
            return &replica->peers[i];
    return NULL;
}

/* ---- recovery ---- */

bool replica__replay_version(struct replica *replica, const struct record *record,
                             const struct version *version, uint64_t position,
                             struct replica_io *io)
{
    if (record->kind != RECORD_ARRIVAL) {
        hlc_receive(&replica->hlc, version->hlc, io->wall_ms);
        replica__apply(replica, version, position, io);
        return true;
    }
    if (replica__actor(replica, version->dot.actor) == NULL)
        return config_actor_closed(replica->config, version->dot.actor);
    if (version->dot.actor == replica->actor && version->dot.seq > replica->seq)
        replica->seq = version->dot.seq;
    if (replica__classify(replica, version->dot) == ARRIVAL_TAKEN)
        replica__arrive(replica, version, record->body, record->sum, position, io);
    return true;
}

void replica__recovered(struct replica *replica, struct replica_io *io)
{
    uint64_t covered = vv_get(&replica->coverage, replica->actor);
    if (replica->seq < covered)
        replica->seq = covered;
    if (PLANTED(replica->plant, REUSE_SEQ) && replica->seq > 0) {
        replica->seq--;
        vv_set(&replica->coverage, replica->actor, replica->seq);
    }
    replica->window.first_seq = replica->seq + 1;
    hlc_raise(&replica->hlc, replica->ceiling);
    /* The walks of an earlier process must not be taken for ours. */
    replica->walk_in.last_id = io->wall_ms << 20 ^ io->mono_ms << 4;
    replica__deliver(replica, io);
    replica->walk_wanted = true;
}

void replica__log_u64s(struct log *log, enum record_kind kind, uint32_t actor,
                       const uint64_t *values, size_t count)
{
    struct buf body = BUF_EMPTY;
    if (actor != 0)
        buf_u32(&body, actor);
    for (size_t i = 0; i < count; i++)
        buf_u64(&body, values[i]);
    log_append(log, kind, buf_slice(&body));
    buf_fini(&body);
}

/* Which replica of the node a record speaks of. */
static uint32_t holding_of(const struct replica *replica)
{
    return replica->transit == SHARD_NONE ? 0 : replica->transit;
}

void replica__log_raise(const struct replica *replica, const struct vv *to, struct log *log)
{
    struct buf body = BUF_EMPTY;
    buf_u32(&body, holding_of(replica));
    buf_u32(&body, to->count);
    for (uint32_t i = 0; i < to->count; i++) {
        buf_u32(&body, to->entries[i].actor);
        buf_u64(&body, to->entries[i].seq);
    }
    log_append(log, RECORD_RAISE, buf_slice(&body));
    buf_fini(&body);
}

static void log_highest(const struct replica *replica, const struct actor_state *actor,
                        struct log *log)
{
    struct buf body = BUF_EMPTY;
    buf_u32(&body, actor->actor);
    buf_u64(&body, actor->highest);
    buf_u32(&body, holding_of(replica));
    log_append(log, RECORD_HIGHEST, buf_slice(&body));
    buf_fini(&body);
}

void replica__checkpoint(const struct replica *replica, struct log *log)
{
    replica__log_u64s(log, RECORD_CEILING, 0, &replica->ceiling, 1);
    replica__log_raise(replica, &replica->coverage, log);
    if (replica->filled)
        replica__log_u64s(log, RECORD_FILLED, replica->actor, NULL, 0);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        const struct actor_state *actor = &replica->actors[i];
        uint64_t range[2] = {actor->gap_low, actor->gap_high};
        if (actor->gap_low > 0)
            replica__log_u64s(log, RECORD_RANGE, actor->actor, range, 2);
        if (actor->highest > vv_get(&replica->coverage, actor->actor))
            log_highest(replica, actor, log);
        if (PLANTED(replica->plant, CHECKPOINT_FORGETS_PENDING))
            continue;
        for (const struct pending *item = actor->head; item != NULL; item = item->next)
            log_append_summed(log, RECORD_ARRIVAL, slice_of(item->body, item->len), item->sum);
    }
}

/* ---- questions ---- */

/* How much of an actor an answer may rest on. What nobody has of one that has gone is covered in
 * the end (6.5), and told to be lost once the actor is closed. Until then it is waited for: nobody
 * is shown what is older without being told why (I1, I5; seed 2212645). */
static uint64_t answerable(const struct replica *replica, const struct actor_state *actor,
                           uint64_t covered)
{
    const struct loss *loss = NULL;
    if (actor->retired)
        loss = config_loss_of_actor(replica->config, actor->actor);
    return loss != NULL && loss->whole_seq < covered ? loss->whole_seq : covered;
}

/* coverage: of whoever is to answer. */
static bool lacks(const struct replica *replica, const struct vv *coverage, struct dot dot)
{
    const struct actor_state *actor = replica__actor_const(replica, dot.actor);
    return actor != NULL && answerable(replica, actor, vv_get(coverage, dot.actor)) < dot.seq;
}

bool replica_covers(const struct replica *replica, const struct vv *seen, struct dot *missing)
{
    if (PLANTED(replica->plant, SKIP_DEPENDENCY_CHECK))
        return true;
    for (uint32_t i = 0; i < seen->count; i++) {
        if (!lacks(replica, &replica->coverage, seen->entries[i]))
            continue;
        *missing = seen->entries[i];
        return false;
    }
    return true;
}

bool replica_waits_for(const struct replica *replica, struct dot dot)
{
    return lacks(replica, &replica->coverage, dot);
}

bool replica_peer_covers(const struct replica *replica, uint64_t node_id, const struct vv *seen)
{
    const struct peer *peer = replica__peer_const(replica, node_id);
    if (peer == NULL || !peer->reported)
        return false;
    for (uint32_t i = 0; i < seen->count; i++)
        if (lacks(replica, &peer->coverage, seen->entries[i]))
            return false;
    return true;
}

uint64_t replica_behind_by(const struct replica *replica, uint64_t node_id, struct dot missing)
{
    const struct vv *coverage = &replica->coverage;
    if (node_id != replica->node_id) {
        const struct peer *peer = replica__peer_const(replica, node_id);
        if (peer == NULL || !peer->reported)
            return missing.seq;
        coverage = &peer->coverage;
    }
    const struct actor_state *actor = replica__actor_const(replica, missing.actor);
    uint64_t have = vv_get(coverage, missing.actor);
    if (actor != NULL)
        have = answerable(replica, actor, have);
    return have < missing.seq ? missing.seq - have : 0;
}

static bool has_receipted(const struct replica *replica, const struct peer *peer, struct dot dot)
{
    if (!peer->reported || peer->state == MEMBER_LEAVING)
        return false; /* what a leaving member has goes with it */
    if (vv_covers(&peer->coverage, dot))
        return true;
    const struct range *range = ranges_get(&peer->ranges, dot.actor);
    uint64_t low = range != NULL ? range->low : 0;
    if (PLANTED(replica->plant, HOLE_COUNTS_AS_RECEIVED))
        low = 0;
    return range != NULL && low <= dot.seq && dot.seq <= range->high;
}

bool replica_receipted(const struct replica *replica, struct dot dot)
{
    uint32_t receipts = 0;
    for (uint32_t i = 0; i < replica->peer_count; i++)
        receipts += has_receipted(replica, &replica->peers[i], dot) ? 1 : 0;
    if (PLANTED(replica->plant, EVERY_RECEIPT_WANTED))
        return receipts == replica->peer_count;
    return receipts > 0;
}

bool replica_alone(const struct replica *replica, uint64_t mono_ms)
{
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        bool silent = peer->receipt_ok_ms + replica->knobs->suspect_ms <= mono_ms;
        if (!silent && !peer->suspected && peer->state != MEMBER_LEAVING)
            return false;
    }
    return true;
}

bool replica_single(const struct replica *replica)
{
    return replica->peer_count == 0;
}

uint64_t replica_walk_source(const struct replica *replica)
{
    const struct walk_in *walk = &replica->walk_in;
    const struct peer *source = replica__peer_const(replica, walk->source);
    bool serves = walk->id != 0 && source != NULL && source->state == MEMBER_ACTIVE;
    return serves ? walk->source : 0;
}

const struct vv *replica_coverage(const struct replica *replica)
{
    return &replica->coverage;
}

uint64_t replica_seq(const struct replica *replica)
{
    return replica->seq;
}

bool replica__contradicted(const struct replica *replica)
{
    return replica->contradicted && !PLANTED(replica->plant, OLD_DISK_IGNORED);
}

uint32_t replica__shard_id(const struct replica *replica)
{
    ASSERT(replica->shard != SHARD_NONE);
    return replica->config->shards[replica->shard].id;
}

int64_t replica_clock_diff_ms(const struct replica *replica, uint64_t node_id)
{
    const struct peer *peer = replica__peer_const(replica, node_id);
    return peer != NULL ? peer->clock_diff_ms : 0;
}

const struct vv *replica_peer_coverage(const struct replica *replica, uint64_t node_id)
{
    const struct peer *peer = replica__peer_const(replica, node_id);
    return peer != NULL && peer->reported ? &peer->coverage : NULL;
}

/* ---- peers come and go ---- */

void replica__peer_up(struct replica *replica, uint64_t node_id, uint32_t generation)
{
    struct peer *peer = replica__peer(replica, node_id);
    if (peer == NULL)
        return;
    peer->connected = true;
    peer->generation = generation;
    peer->streaming = false; /* until it has said what it has, on this connection */
    peer->report_due = true;
}

void replica__peer_down(struct replica *replica, uint64_t node_id, struct replica_io *io)
{
    struct peer *peer = replica__peer(replica, node_id);
    if (peer == NULL)
        return;
    peer->connected = false;
    peer->streaming = false;
    replica__walk_out_stop(replica, node_id, io->table);
    if (replica->walk_in.id != 0 && replica->walk_in.source == node_id)
        replica__walk_lost(replica, io);
}

void replica__peer_hello(struct replica *replica, uint64_t node_id, uint32_t generation)
{
    struct peer *peer = replica__peer(replica, node_id);
    if (peer == NULL)
        return;
    peer->their_generation = generation;
    peer->report_due = true; /* its stream begins with what we say we have */
    struct actor_state *actor = replica__actor(replica, peer->actor);
    if (actor != NULL)
        actor->rewound = 0;
    /* A walk that was asked for before could not be answered: the next look asks again. */
    struct walk_in *walk = &replica->walk_in;
    if (walk->id != 0 && walk->source == node_id && walk->chunks == 0 && !walk->begun) {
        walk->progress_ms = 0;
        replica->walk_wanted = true;
    }
}

void replica__peer_suspected(struct replica *replica, uint64_t node_id, bool suspected)
{
    struct peer *peer = replica__peer(replica, node_id);
    if (peer != NULL)
        peer->suspected = suspected;
}

/* ---- time ---- */

/* Heartbeats and gossip are the only signs of life of an idle node: often enough for the others not
 * to suspect it, whatever the knobs say. */
static uint64_t often_enough_ms(const struct replica *replica, uint64_t wanted_ms)
{
    uint64_t patience_ms = replica->knobs->suspect_ms / 3;
    return wanted_ms < patience_ms ? wanted_ms : patience_ms;
}

void replica__tick(struct replica *replica, struct replica_io *io)
{
    if (replica->config == NULL || replica->muted)
        return;
    if (io->mono_ms >= replica->gossip_ms) {
        replica->gossip_ms = io->mono_ms + often_enough_ms(replica, replica->knobs->gossip_ms);
        replica__gossip(replica, io);
    }
    if (replica->shard == SHARD_NONE || io->mono_ms < replica->heartbeat_ms)
        return;
    replica->heartbeat_ms = io->mono_ms + often_enough_ms(replica, replica->knobs->heartbeat_ms);
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true;
    replica__seal_raise(replica, io);
    replica__walk_pull(replica, io);
    replica__sweep(replica, io);
}

static bool drops(const struct replica *replica)
{
    return !replica->muted && (replica->drop.phase != DROP_NONE || replica__has_strays(replica));
}

/* Slots given away come last: whoever is sent slots waits for them, and takes a source that sends
 * nothing for one that is stuck; what is left of the others costs memory only. */
static void drop_strays(struct replica *replica, struct replica_io *io)
{
    if (replica->drop.phase == DROP_NONE && replica__has_strays(replica) &&
        replica__pace_allows(replica->set))
        replica__drop_strays(replica, io);
}

void replica__flush(struct replica *replica, struct replica_io *io)
{
    if (replica->muted)
        return;
    if (replica->shard == SHARD_NONE) {
        drop_strays(replica, io);
        return;
    }
    if (replica__pace_allows(replica->set))
        replica__fill_step(replica, io);
    if (replica->walk_wanted)
        replica__walk_pull(replica, io);
    replica__stream(replica, io);
    replica__walks_send(replica, io);
    drop_strays(replica, io);
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].report_due && replica->peers[i].connected)
            replica__report(replica, &replica->peers[i], io);
}

uint64_t replica__deadline_ms(const struct replica *replica)
{
    if (replica->config == NULL || replica->muted)
        return UINT64_MAX;
    if (replica->shard == SHARD_NONE || replica->gossip_ms < replica->heartbeat_ms)
        return replica->gossip_ms;
    return replica->heartbeat_ms;
}

uint64_t replica__flush_ms(const struct replica *replica)
{
    bool bulk = drops(replica);
    if (replica->shard != SHARD_NONE && !replica->muted) {
        if (replica__stream_busy(replica) || replica__walks_busy(replica, false))
            return 0;
        bulk = bulk || replica__walks_busy(replica, true);
    }
    return bulk ? replica__pace_ms(replica->set) : UINT64_MAX;
}

/* ---- invariants ---- */

static void check_actor(const struct replica *replica, const struct actor_state *actor,
                        const struct table *table)
{
    uint64_t covered = vv_get(&replica->coverage, actor->actor);
    ASSERT(actor->gap_low == 0 || actor->head == NULL); /* R5 */
    ASSERT(actor->gap_low == 0 || actor->gap_low > covered + 1);
    ASSERT(actor->gap_low <= actor->gap_high);
    ASSERT(!actor->retired || (actor->head == NULL && actor->gap_low == 0)); /* R6 */
    if (!actor->retired) /* the table does not tell one shard's writes of it from another's */
        ASSERT(replica__highest(replica, actor) >= table_last_seq(table, actor->actor));
    uint64_t expected = covered + 1;
    for (const struct pending *item = actor->head; item != NULL; item = item->next) {
        ASSERT(item->seq == expected); /* R5: no hole */
        expected++;
    }
}

static void check_walk_in(const struct replica *replica)
{
    const struct walk_in *walk = &replica->walk_in;
    if (walk->id == 0)
        return;
    const struct peer *source = replica__peer_const(replica, walk->source);
    ASSERT(source != NULL && source->actor == walk->actor);
    ASSERT(walk->kind != WALK_FILL || replica->state == MEMBER_SYNCING); /* R7 */
    ASSERT(walk->kind != WALK_MERGE || replica->merging);
}

static void check_drop(const struct replica *replica)
{
    const struct drop *drop = &replica->drop;
    if (drop->phase == DROP_NONE)
        return;
    ASSERT(replica__filling(replica)); /* R8 */
    ASSERT(replica->walk_in.id == 0);
    ASSERT(!replica_filled(replica));
}

static void check_walks_out(const struct replica *replica)
{
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        const struct walk_out *walk = &replica->walks_out[i];
        ASSERT(walk->to == 0 || replica->muted || replica__peer_const(replica, walk->to) != NULL);
        ASSERT(walk->to != 0 || walk->cursors == NULL);
        ASSERT(walk->acked <= walk->chunks);
    }
    ASSERT(replica__slot_walks_out(replica) <= SLOT_WALKS_OUT);
}

void replica__check(const struct replica *replica, const struct table *table)
{
    vv_check(&replica->coverage);
    for (uint32_t i = 0; i < replica->coverage.count; i++) /* R6 */
        ASSERT(replica__actor_const(replica, replica->coverage.entries[i].actor) != NULL);
    for (uint32_t i = 0; i < replica->actor_count; i++)
        check_actor(replica, &replica->actors[i], table);
    if (replica->actor != 0)
        ASSERT(vv_get(&replica->coverage, replica->actor) == replica->seq); /* R3 */
    ASSERT(replica->seq == 0 || replica->state != MEMBER_SYNCING);          /* R7 */
    check_walk_in(replica);
    check_drop(replica);
    check_walks_out(replica);
    struct vv own;
    replica__least_covered(replica, &own);
    for (uint32_t i = 0; i < own.count; i++) /* R4, against ourselves */
        ASSERT(vv_covers(&replica->coverage, own.entries[i]));
    ASSERT(replica->window.first_seq + replica->window.count == replica->seq + 1);
}
