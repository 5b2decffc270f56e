/* stable - what every responsible member covers.
 *
 * Does:   the least coverage of the own shard's members from their reports; the same of other
 *         shards from their gossip; pruning of contexts and dependencies with it.
 * Not:    epochs and fences: frames of a newer epoch never get here before it is adopted (node/).
 * Holds:  R4. An actor whose slots lie in several shards counts with the least of all of them; a
 *         missing report counts as 0 (T33).
 * Limits: -
 * See:    docs/protocol.md sections 3.6 and 5.
 */
#include "replica/state.h"

static void add_actor(struct stability *stability, uint32_t actor, uint32_t shard)
{
    uint32_t at = 0;
    while (at < stability->count && stability->actors[at].actor != actor)
        at++;
    if (at == stability->count) {
        ASSERT(stability->count < LIMIT_ACTORS);
        stability->actors[stability->count++] = (struct stable_actor){actor, 0};
    }
    stability->actors[at].shards |= UINT64_C(1) << shard;
}

static bool is_open(const struct stability *stability, uint32_t actor)
{
    for (uint32_t i = 0; i < stability->count; i++)
        if (stability->actors[i].actor == actor)
            return true;
    return false;
}

/* Merges what a shard reported of open actors: closed ones would fill the vector some day. */
static void merge_open(const struct stability *stability, const struct vv *from, struct vv *to)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct dot dot = from->entries[i];
        bool fits = !is_open(stability, dot.actor) || vv_raise(to, dot.actor, dot.seq);
        ASSERT(fits); /* LIMIT_ACTORS */
    }
}

static uint64_t sum_of(const struct slotset *slots)
{
    return hash_seeded(slice_of((const uint8_t *)slots->words, sizeof(slots->words)), 0);
}

/* A shard is who its id says: its index, and with it the place of its report, may be another one
 * now. What a shard of other slots said is void, and what one said that is gone. */
static void file_anew(struct replicas *set)
{
    struct stability *stability = &set->stability;
    const struct config *config = set->config;
    struct stable_report *old = mem_dup(stability->reports, sizeof(stability->reports));
    for (uint32_t i = 0; i < LIMIT_PARTS; i++) {
        struct stable_report *report = &stability->reports[i];
        bool there = i < config->shard_count;
        report->shard = there ? config->shards[i].id : SHARD_NONE;
        report->slots_sum = there ? sum_of(&config->shards[i].slots) : 0;
        vv_init(&report->stable);
        for (uint32_t j = 0; j < LIMIT_PARTS && there; j++)
            if (old[j].shard == report->shard && old[j].slots_sum == report->slots_sum)
                merge_open(stability, &old[j].stable, &report->stable);
    }
    mem_free(old);
}

void replica__stable_adopt(struct replicas *set)
{
    const struct config *config = set->config;
    set->stability.count = 0;
    set->stability.dirty = true;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].actor > 0)
            add_actor(&set->stability, config->members[i].actor, config->members[i].shard);
    for (uint32_t i = 0; i < config->seat_count; i++)
        add_actor(&set->stability, config->seats[i].actor, config->seats[i].shard);
    for (uint32_t i = 0; i < config->retired_count; i++)
        add_actor(&set->stability, config->retired[i].actor,
                  config_shard_of_retired(config, &config->retired[i]));
    file_anew(set);
}

void replica__least_covered(const struct replica *replica, struct vv *report)
{
    vv_init(report);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        uint64_t least = vv_get(&replica->coverage, actor);
        for (uint32_t j = 0; j < replica->peer_count; j++) {
            const struct peer *peer = &replica->peers[j];
            uint64_t theirs = peer->reported ? vv_get(&peer->coverage, actor) : 0;
            if (!peer->reported && PLANTED(replica->plant, SILENCE_IS_STABLE))
                theirs = UINT64_MAX;
            if (peer->state == MEMBER_SYNCING && PLANTED(replica->plant, FILL_NOT_COUNTED))
                theirs = UINT64_MAX;
            if (theirs < least)
                least = theirs;
        }
        bool fits = vv_set(report, actor, least);
        ASSERT(fits);
    }
}

static uint64_t stable_of(const struct replicas *set, const struct stable_actor *entry)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t shard = 0; shard < set->config->shard_count; shard++) {
        if ((entry->shards >> shard & 1) == 0)
            continue;
        uint64_t theirs = vv_get(&set->stability.reports[shard].stable, entry->actor);
        if (PLANTED(set->plant, ONE_PART_IS_ALL) && least != UINT64_MAX)
            continue;
        if (theirs < least)
            least = theirs;
    }
    return least;
}

const struct vv *replicas_stable(struct replicas *set)
{
    struct stability *stability = &set->stability;
    if (!stability->dirty)
        return &stability->stable;
    stability->dirty = false;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->list[i]->shard != SHARD_NONE)
            replica__least_covered(set->list[i], &stability->reports[set->list[i]->shard].stable);
    vv_init(&stability->stable);
    for (uint32_t i = 0; i < stability->count; i++) {
        uint64_t seq = stable_of(set, &stability->actors[i]);
        bool fits = vv_set(&stability->stable, stability->actors[i].actor, seq);
        ASSERT(fits);
    }
    return &stability->stable;
}

static bool needless(const struct replicas *set, const struct vv *stable, struct dot dot)
{
    const struct replica *home = replicas_home(set);
    uint64_t seq = vv_get(stable, dot.actor);
    if (PLANTED(set->plant, PRUNE_EARLY))
        seq++;
    if (PLANTED(set->plant, PRUNE_BY_OWN_COVERAGE) && replica__actor_const(home, dot.actor) != NULL)
        seq = vv_get(&home->coverage, dot.actor);
    return dot.seq <= seq || config_actor_closed(set->config, dot.actor);
}

void replicas_prune(struct replicas *set, struct vv *seen)
{
    if (seen->count == 0)
        return;
    const struct vv *stable = replicas_stable(set);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < seen->count; i++)
        if (!needless(set, stable, seen->entries[i]))
            seen->entries[kept++] = seen->entries[i];
    seen->count = kept;
}

static bool any_needless(struct replica *replica, struct slice deps)
{
    const struct vv *stable = replicas_stable(replica->set);
    for (uint32_t i = 0; i < deps_count(deps); i++)
        if (needless(replica->set, stable, deps_at(deps, i)))
            return true;
    return false;
}

/* Trims what has become stable off a version where it stands. */
static void trim_deps(struct replica *replica, table_ref ref, const struct version *version,
                      struct replica_io *io)
{
    struct vv left;
    if (!any_needless(replica, version->deps))
        return;
    vv_init(&left);
    uint32_t before = deps_count(version->deps);
    if (!deps_merge_into(version->deps, &left))
        return;
    replicas_prune(replica->set, &left);
    if (left.count == before)
        return;
    struct buf deps = BUF_EMPTY;
    deps_encode(&left, &deps);
    REACHED(io->metrics, DEPS_TRIMMED);
    table_trim_deps(io->table, ref, buf_slice(&deps));
    buf_fini(&deps);
}

void replica__trim_deps(struct replica *replica, table_ref ref, struct replica_io *io)
{
    struct version version;
    table_view(io->table, ref, &version);
    trim_deps(replica, ref, &version, io);
}

bool replica_merge_deps(struct replica *replica, table_ref ref, struct vv *seen,
                        struct replica_io *io)
{
    struct version version;
    table_view(io->table, ref, &version);
    if (version.deps.len > 0) {
        trim_deps(replica, ref, &version, io);
        table_view(io->table, ref, &version);
    }
    return deps_merge_into(version.deps, seen);
}

/* To all that have no place in this shard: those who have hear reports. */
void replica__gossip(struct replica *replica, struct replica_io *io)
{
    const struct config *config = replica->config;
    struct msg_stable msg = {.shard = SHARD_NONE, .epoch = config->epoch};
    vv_init(&msg.stable);
    if (replica->shard != SHARD_NONE)
        msg.shard = replica__shard_id(replica);
    if (replica->shard != SHARD_NONE && !PLANTED(replica->plant, GOSSIP_EMPTY))
        replica__least_covered(replica, &msg.stable);
    bool first = true;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (replica__peer(replica, member->node_id) != NULL ||
            member->node_id == replica->node_id || member->state == MEMBER_INVITED)
            continue;
        if (first)
            outbox_stable(io->out, member->node_id, &msg);
        else
            outbox_also(io->out, member->node_id);
        first = false;
    }
}

bool replicas_recv_stable(struct replicas *set, uint64_t from, const struct msg_stable *msg)
{
    const struct member *member = config_member_by_id(set->config, from);
    if (msg->shard == SHARD_NONE || member == NULL)
        return true; /* a spare: only a sign of life */
    uint32_t index = config_shard_by_id(set->config, msg->shard);
    if (msg->epoch > set->config->epoch ||
        (index == SHARD_NONE && msg->epoch == set->config->epoch))
        return false;
    if (index == SHARD_NONE || replicas_of_shard(set, index) != NULL)
        return true; /* one that is gone; our own: we know it from reports */
    set->stability.dirty = true;
    merge_open(&set->stability, &msg->stable, &set->stability.reports[index].stable);
    return true;
}
