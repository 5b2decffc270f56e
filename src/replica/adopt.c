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
    const struct slotset *slots = config_actor_slots(replica->config, actor);
    const struct slotset *own = &replica->config->shards[replica->shard].slots;
    if (slots == NULL || !slotset_meets(slots, own))
        return;
    ASSERT(replica->actor_count < LIMIT_ACTORS);
    struct actor_state *state = &replica->actors[replica->actor_count++];
    *state = (struct actor_state){
        .actor = actor, .retired = retired, .highest = table_last_seq(table, actor)};
}

static void adopt_all(struct replica *replica, const struct table *table)
{
    const struct config *config = replica->config;
    if (replica->shard == SHARD_NONE)
        return;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].actor > 0)
            adopt_actor(replica, config->members[i].actor, false, table);
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        bool ended = retired->state == RETIRED_SEALING || retired->state == RETIRED_SEALED;
        adopt_actor(replica, retired->actor, ended, table);
    }
}

/* Nobody will deliver in order what the actor still has pending: walks are answered from the table,
 * and bring what lies below. */
static void settle(struct replica *replica, struct actor_state *state, struct replica_io *io)
{
    uint64_t highest = replica__highest(replica, state);
    while (state->head != NULL)
        replica__apply_pending(replica, state, io);
    state->highest = highest;
    state->gap_low = state->gap_high = 0;
    state->rewind = false;
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

static void adopt_peer(struct replica *replica, const struct member *member, const struct peer *old,
                       uint32_t old_count)
{
    struct peer *peer = &replica->peers[replica->peer_count++];
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].node_id == member->node_id)
            *peer = old[i];
    if (peer->actor != member->actor) /* another term: what the one before said is void */
        *peer = (struct peer){.generation = peer->generation,
                              .their_generation = peer->their_generation,
                              .connected = peer->connected,
                              .suspected = peer->suspected,
                              .report_due = peer->connected};
    peer->node_id = member->node_id;
    peer->actor = member->actor;
    peer->state = member->state;
    forget_others(replica, &peer->coverage);
}

static void adopt_peers(struct replica *replica)
{
    const struct config *config = replica->config;
    uint32_t old_count = replica->peer_count;
    struct peer *old = replica->peers;
    replica->peers = mem_zalloc(config->member_count, sizeof(*replica->peers));
    replica->peer_count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool mine = replica->shard != SHARD_NONE && member->shard == replica->shard;
        if (mine && member->node_id != replica->node_id && member->state != MEMBER_INVITED)
            adopt_peer(replica, member, old, old_count);
    }
    mem_free(old);
}

/* ---- the own term ---- */

static void begin_term(struct replica *replica)
{
    replica->seq = 0;
    replica->filled = false;
    replica__window_clear(replica);
    replica->contradicted = false;
    replica->muted = false;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        replica->peers[i].streaming = false;
        replica->peers[i].sent_seq = 0;
    }
}

void replica_adopt(struct replica *replica, const struct config *config, struct replica_io *io)
{
    ASSERT(config != NULL);
    const struct member *self = config_member_by_id(config, replica->node_id);
    uint32_t actor = self != NULL ? self->actor : 0;
    bool new_term = actor != replica->actor;
    enum member_state before = replica->state;
    replica->config = config;
    replica->shard = self != NULL ? self->shard : SHARD_NONE;
    replica->actor = actor;
    replica->state = self != NULL ? self->state : MEMBER_SPARE;
    adopt_actors(replica, io);
    adopt_peers(replica);
    if (new_term)
        begin_term(replica);
    replica__members_adopt(replica, before, new_term);
    replica->strays = (struct sweep){.slot = self != NULL ? 0 : LIMIT_SLOTS}; /* who was removed
                                                                    keeps what it has */
    replica__walk_in_adopt(replica, new_term, io);
    replica__walks_out_adopt(replica, new_term, io);
    replica__stable_adopt(replica);
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true; /* seals and merges wait for reports of this epoch */
    replica__deliver(replica, io); /* causes of actors that are closed now count as there */
}

uint32_t replica_shard(const struct replica *replica)
{
    return replica->shard;
}

bool replica_active(const struct replica *replica)
{
    return replica->shard != SHARD_NONE && replica->state == MEMBER_ACTIVE && !replica->muted;
}

/* ---- doubt ---- */

void replica_doubt(struct replica *replica)
{
    replica->muted = true;
    replica->walk_in.id = 0;
    replica->drop.phase = DROP_NONE;
}

void replica_become(struct replica *replica, uint64_t node_id, struct replica_io *io)
{
    ASSERT(node_id != 0);
    replica->node_id = node_id;
    if (replica->config != NULL)
        replica_adopt(replica, replica->config, io);
}
