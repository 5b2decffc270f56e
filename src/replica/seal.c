/* seal - the ends of terms: actors that are sealed by reports, members that hand over.
 *
 * Does:   says when all keepers have reported on a sealing actor, and what; raises coverage to
 *         the last seq of a sealed one when every other keeper has been walked; says when what a
 *         leaving member has is everywhere, and when a shard without an active member has merged.
 * Not:    proposing any of it: node/ does. What a retired actor's writes may still come by
 *         (recv_data.c, walk_in.c).
 * Holds:  S1 a report counts from the epoch on in which the actor's present state began (T22).
 *         S2 a walk counts for a seal when it was asked for at that epoch or later (T23): members
 *         that go, come or begin a new term begin it anew (placement/config_change.h).
 * Limits: -
 * See:    docs/protocol.md sections 6.3, 6.4, 6.5 (T7, T22, T23, T27 to T29).
 */
#include "replica/state.h"

/* ---- what the configuration says of the shard ---- */

/* Changes when a member comes, goes, or begins another term. */
static uint64_t members_sum(const struct replica *replica)
{
    uint64_t sum = 0;
    struct place places[LIMIT_MEMBERS];
    uint32_t count = 0;
    if (replica->shard != SHARD_NONE)
        count = config_places(replica->config, replica->shard, places);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t node_id = places[i].member->node_id;
        uint8_t bytes[sizeof(node_id) + sizeof(places[i].actor)];
        memcpy(bytes, &node_id, sizeof(node_id));
        memcpy(bytes + sizeof(node_id), &places[i].actor, sizeof(places[i].actor));
        sum = hash_seeded(slice_of(bytes, sizeof(bytes)), sum);
    }
    return sum;
}

/* Nobody has all of its data, and there are some. */
static bool has_nobody(const struct replica *replica)
{
    return replica->shard != SHARD_NONE &&
           config_count(replica->config, replica->shard, MEMBER_ACTIVE) == 0 &&
           slotset_size(&replica->config->shards[replica->shard].slots) > 0;
}

void replica__members_adopt(struct replica *replica, bool leaves_anew)
{
    uint64_t sum = members_sum(replica);
    bool merging = has_nobody(replica);
    if (sum != replica->members_sum || merging != replica->merging)
        replica->members_epoch = replica->config->epoch;
    replica->members_sum = sum;
    replica->merging = merging;
    if (replica->state != MEMBER_LEAVING)
        replica->leaving_epoch = 0;
    else if (leaves_anew)
        replica->leaving_epoch = replica->config->epoch;
    if (leaves_anew || replica->leaving_epoch == 0)
        replica->handing = false;
}

/* ---- sealing ---- */

uint64_t replica__sealed_highest(const struct replica *replica, const struct actor_state *actor)
{
    if (PLANTED(replica->plant, SEAL_ONLY_COVERED))
        return vv_get(&replica->coverage, actor->actor);
    return replica__highest(replica, actor);
}

static bool has_reported(const struct peer *peer, const struct retired *retired)
{
    return peer->reported && peer->report_epoch >= retired->since &&
           vv_get(&peer->highest, retired->actor) > 0;
}

/* Every keeper is asked: who leaves, or moves to another shard, has all the same what it has (T29,
 * T7). */
static bool is_asked(const struct replica *replica, const struct peer *peer,
                     const struct retired *retired)
{
    if (PLANTED(replica->plant, SEAL_WITHOUT_MOVING))
        return peer->state != MEMBER_LEAVING;
    return !PLANTED(replica->plant, SEAL_WITHOUT_ABSENT) || has_reported(peer, retired);
}

static void raise_to(uint64_t *value, uint64_t at_least)
{
    if (*value < at_least)
        *value = at_least;
}

bool replica_seal(const struct replica *replica, uint32_t actor, uint64_t *last_seq,
                  uint64_t *whole_seq)
{
    const struct actor_state *state = replica__actor_const(replica, actor);
    const struct retired *retired = NULL;
    if (replica->shard != SHARD_NONE)
        retired = config_retired(replica->config, actor, replica->shard);
    if (state == NULL || retired == NULL || retired->state != RETIRED_SEALING || replica->muted)
        return false;
    *whole_seq = vv_get(&replica->coverage, actor);
    *last_seq = replica__sealed_highest(replica, state);
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!is_asked(replica, peer, retired))
            continue;
        if (!has_reported(peer, retired))
            return false;
        raise_to(whole_seq, vv_get(&peer->coverage, actor));
        raise_to(last_seq, vv_get(&peer->highest, actor) - 1);
    }
    raise_to(last_seq, *whole_seq);
    return true;
}

bool replica_all_cover(const struct replica *replica, uint32_t actor, uint64_t seq)
{
    struct vv covered;
    if (replica->shard == SHARD_NONE || replica->muted)
        return false;
    if (PLANTED(replica->plant, TERM_CLOSED_EARLY))
        return true;
    replica__least_covered(replica, &covered);
    return vv_get(&covered, actor) >= seq;
}

/* A sealed actor that matters here and is not covered up to its last seq. */
static bool lacks(const struct replica *replica, const struct retired *retired)
{
    return retired->state == RETIRED_SEALED &&
           config_shard_of_retired(replica->config, retired) == replica->shard &&
           vv_get(&replica->coverage, retired->actor) < retired->last_seq;
}

/* The member to walk next for a sealed actor: with the first that covers it all it is done. */
static const struct peer *unwalked(const struct replica *replica, const struct retired *retired)
{
    const struct peer *best = NULL;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (peer->walked_epoch >= retired->since || !peer->connected || peer->suspected)
            continue;
        if (best == NULL ||
            vv_get(&peer->coverage, retired->actor) > vv_get(&best->coverage, retired->actor))
            best = peer;
    }
    return best;
}

/* True when a walk was asked for. */
bool replica__seal_pull(struct replica *replica, struct replica_io *io)
{
    const struct config *config = replica->config;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        const struct peer *source = lacks(replica, retired) ? unwalked(replica, retired) : NULL;
        if (source == NULL)
            continue;
        replica__walk_start(replica, source, WALK_TAIL, io);
        return true;
    }
    return false;
}

static bool walked_all(const struct replica *replica, uint64_t since)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].walked_epoch < since)
            return false;
    return true;
}

/* Whatever any keeper has is here now; what nobody has will not come. */
void replica__seal_raise(struct replica *replica, struct replica_io *io)
{
    const struct config *config = replica->config;
    struct vv to;
    vv_init(&to);
    if (replica__filling(replica))
        return;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        if (!lacks(replica, retired) || !walked_all(replica, retired->since))
            continue;
        bool fits = vv_set(&to, retired->actor, retired->last_seq);
        ASSERT(fits); /* LIMIT_ACTORS / 2 */
    }
    if (to.count == 0)
        return;
    replica__log_raise(replica, &to, io->log);
    replica__raise(replica, &to, io);
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true;
}

/* ---- a shard without an active member ---- */

bool replica__merged(const struct replica *replica)
{
    if (!replica->merging || replica->muted || replica->drop.phase != DROP_NONE)
        return false;
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (!replica__merge_walked(replica, &replica->peers[i]))
            return false;
    return true;
}

bool replica_merged_all(const struct replica *replica)
{
    if (!replica__merged(replica))
        return false;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!peer->reported || !peer->merged || peer->report_epoch < replica->members_epoch)
            return false;
    }
    return true;
}

/* ---- leaving ---- */

/* Nobody counts our receipts any more once all know that we leave. So what is here at that moment
 * is all that anybody may have relied on us for. */
static void begin_handover(struct replica *replica)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (!replica->peers[i].reported || replica->peers[i].report_epoch < replica->leaving_epoch)
            return;
    vv_init(&replica->handover);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        const struct actor_state *actor = &replica->actors[i];
        uint64_t seq = replica__highest(replica, actor);
        bool fits = vv_set(&replica->handover, actor->actor, seq);
        ASSERT(fits); /* LIMIT_ACTORS */
    }
    replica->handing = true;
}

bool replica_handed_over(struct replica *replica)
{
    if (replica->state != MEMBER_LEAVING || replica->muted || replica->peer_count == 0)
        return false;
    if (PLANTED(replica->plant, HANDOVER_EARLY))
        return true;
    for (uint32_t i = 0; i < replica->actor_count; i++)
        if (replica->actors[i].retired)
            return false; /* this node is one of its keepers */
    if (!replica->handing)
        begin_handover(replica);
    if (!replica->handing)
        return false;
    struct vv owed;
    replica__keep_relevant(replica, &replica->handover, &owed);
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!peer->reported || !vv_contains(&peer->coverage, &owed))
            return false;
    }
    return true;
}
