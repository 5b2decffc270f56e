/* adopt - a configuration becomes the one that counts for the data.
 *
 * Does:   the own term, the actors that matter here, the other members of the shard; what was
 *         received of an actor whose term has ended goes into the table.
 * Not:    which configuration that is (cluster/); logging it (node/): replay comes here with the
 *         record of the adoption, at the same place.
 * Holds:  coverage names only actors of the own slots: who moves to another shard and back must
 *         not remember what it has dropped. What was receipted of an actor whose term has ended is
 *         in the table (T28).
 * Limits: -
 * See:    docs/protocol.md sections 5, 6.1 and 6.5.
 */
#include "replica/state.h"

/* ---- actors ---- */

static void adopt_actor(struct replica *replica, uint32_t actor, bool retired,
                        const struct table *table)
{
    ASSERT(replica->actor_count < LIMIT_ACTORS);
    struct actor_state *state = &replica->actors[replica->actor_count++];
    *state = (struct actor_state){
        .actor = actor, .retired = retired, .highest = table_last_seq(table, actor)};
}

static void adopt_all(struct replica *replica, const struct table *table)
{
    const struct config *config = replica->config;
    struct place places[LIMIT_MEMBERS];
    if (replica->shard == SHARD_NONE)
        return;
    uint32_t count = config_places(config, replica->shard, places);
    for (uint32_t i = 0; i < count; i++)
        adopt_actor(replica, places[i].actor, false, table);
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config_shard_of_retired(config, &config->retired[i]) == replica->shard)
            adopt_actor(replica, config->retired[i].actor, true, table);
}

/* Nobody will deliver in order what the actor still has pending: walks are answered from the table,
 * and bring what lies below. What was received without a hole is covered with that: who has seen it
 * must not have to wait for its writer, who may be down (the order of delivery is for readers
 * without a context; 4.2). */
static void settle(struct replica *replica, struct actor_state *state, struct replica_io *io)
{
    uint64_t highest = replica__highest(replica, state);
    uint64_t received = replica__received(replica, state);
    if (PLANTED(replica->plant, SEAL_ONLY_COVERED))
        received = 0;
    while (state->head != NULL)
        replica__apply_pending(replica, state, io);
    bool fits = received == 0 || vv_raise(&replica->coverage, state->actor, received);
    ASSERT(fits); /* it is in there, or there is room: forget_others comes next */
    state->highest = highest;
    state->gap_low = state->gap_high = 0;
    state->rewind = false;
    state->rewound = 0;
}

/* What was known of an actor goes on; what was pending of one that does not matter any more, or
 * makes no more writes, goes into the table. */
static void carry_over(struct replica *replica, struct actor_state *old, struct replica_io *io)
{
    struct actor_state *state = replica__actor(replica, old->actor);
    if (state == NULL) {
        settle(replica, old, io);
        return;
    }
    bool retired = state->retired;
    *state = *old;
    state->retired = retired;
    if (retired)
        settle(replica, state, io);
}

void replica__keep_relevant(const struct replica *replica, const struct vv *from, struct vv *to)
{
    vv_init(to);
    for (uint32_t i = 0; i < from->count; i++)
        if (replica__actor_const(replica, from->entries[i].actor) != NULL)
            to->entries[to->count++] = from->entries[i];
}

/* Closed actors go, or a vector would have no room some day. */
static void forget_others(const struct replica *replica, struct vv *coverage)
{
    struct vv kept;
    replica__keep_relevant(replica, coverage, &kept);
    vv_copy(coverage, &kept);
}

static void adopt_actors(struct replica *replica, struct replica_io *io)
{
    uint32_t old_count = replica->actor_count;
    struct actor_state *old = mem_dup(replica->actors, old_count * sizeof(*old));
    replica->actor_count = 0;
    adopt_all(replica, io->table);
    for (uint32_t i = 0; i < old_count; i++)
        carry_over(replica, &old[i], io);
    mem_free(old);
    forget_others(replica, &replica->coverage);
}

/* ---- peers ---- */

static void adopt_peer(struct replica *replica, const struct place *place, const struct peer *old,
                       uint32_t old_count, uint64_t mono_ms)
{
    struct peer *peer = &replica->peers[replica->peer_count++];
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].node_id == place->member->node_id)
            *peer = old[i];
    if (peer->actor != place->actor) /* another term: what the one before said is void */
        *peer = (struct peer){.generation = peer->generation,
                              .their_generation = peer->their_generation,
                              .connected = peer->connected,
                              .suspected = peer->suspected,
                              .receipt_ok_ms = mono_ms, /* its time starts now */
                              .report_due = peer->connected};
    peer->node_id = place->member->node_id;
    peer->actor = place->actor;
    peer->state = place->state;
    forget_others(replica, &peer->coverage);
}

static void adopt_peers(struct replica *replica, uint64_t mono_ms)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t old_count = replica->peer_count;
    struct peer *old = replica->peers;
    uint32_t count = 0;
    if (replica->shard != SHARD_NONE)
        count = config_places(replica->config, replica->shard, places);
    replica->peers = mem_zalloc(count + 1, sizeof(*replica->peers));
    replica->peer_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (places[i].member->node_id != replica->node_id)
            adopt_peer(replica, &places[i], old, old_count, mono_ms);
    mem_free(old);
}

/* ---- the own term ---- */

/* There is nothing to fill up with: new shards begin without slots. */
static bool is_empty(const struct replica *replica)
{
    return replica->shard != SHARD_NONE &&
           slotset_size(&replica->config->shards[replica->shard].slots) == 0;
}

static void begin_term(struct replica *replica)
{
    replica->seq = 0;
    replica->filled = is_empty(replica);
    replica->marks_left = true;
    replica__window_clear(replica);
    replica->contradicted = false;
    replica->muted = false;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        replica->peers[i].streaming = false;
        replica->peers[i].sent_seq = 0;
    }
}

/* What this node is in the shard or transit that the replica is for. */
static struct place own_place(const struct replica *replica, const struct config *config)
{
    struct place none = {.shard = SHARD_NONE, .state = MEMBER_SPARE};
    struct place place;
    const struct member *self = config_member_by_id(config, replica->set->node_id);
    uint32_t shard = self != NULL ? self->shard : SHARD_NONE;
    if (replica->transit != SHARD_NONE)
        shard = config_shard_by_id(config, replica->transit);
    return config_place(config, shard, replica->set->node_id, &place) ? place : none;
}

/* True unless it was leaving all the while: its receipts may have counted since. It may have stayed
 * in an epoch that it has not seen. */
static bool leaves_anew(const struct replica *replica, const struct config *config, bool new_term)
{
    return new_term || replica->state != MEMBER_LEAVING ||
           config->epoch > replica->config->epoch + 1;
}

/* What this node has of slots that are not its own any more goes; who was removed keeps it. */
static void begin_strays(struct replica *replica)
{
    bool home = replica->transit == SHARD_NONE;
    bool listed = config_member_by_id(replica->config, replica->node_id) != NULL;
    replica->strays = (struct sweep){.slot = home && listed ? 0 : LIMIT_SLOTS};
}

void replica__adopt(struct replica *replica, const struct config *config, struct replica_io *io)
{
    struct place place = own_place(replica, config);
    bool new_term = place.actor != replica->actor;
    bool anew = leaves_anew(replica, config, new_term);
    replica->config = config;
    replica->node_id = replica->set->node_id;
    replica->shard = place.shard;
    replica->actor = place.actor;
    replica->state = place.state;
    adopt_actors(replica, io);
    adopt_peers(replica, io->mono_ms);
    if (new_term)
        begin_term(replica);
    replica__members_adopt(replica, anew);
    begin_strays(replica);
    replica__walk_in_adopt(replica, new_term, io);
    replica__walks_out_adopt(replica, new_term, io);
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true; /* seals and merges wait for reports of this epoch */
}

/* It is of no shard any more. */
void replica__close(struct replica *replica, struct replica_io *io)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica__walk_out_stop(replica, replica->peers[i].node_id, io->table);
    for (uint32_t i = 0; i < replica->actor_count; i++)
        while (replica->actors[i].head != NULL) /* it was receipted (T28) */
            replica__apply_pending(replica, &replica->actors[i], io);
}

uint32_t replica_shard(const struct replica *replica)
{
    return replica->shard;
}

bool replica_active(const struct replica *replica)
{
    return replica->shard != SHARD_NONE && replica->state == MEMBER_ACTIVE && !replica->muted;
}

uint32_t replica_actor(const struct replica *replica)
{
    return replica->actor;
}

enum member_state replica_state(const struct replica *replica)
{
    return replica->state;
}

/* ---- doubt ---- */

void replica__doubt(struct replica *replica)
{
    replica->muted = true;
    replica->walk_in.id = 0;
    replica->drop.phase = DROP_NONE;
}
