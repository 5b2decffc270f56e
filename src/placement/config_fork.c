/* config_fork - a new history without the absent.
 *
 * Does:   config_fork; see config_change.h.
 * Not:    deciding that it may be (cluster/, node/): all that remember have to accept it.
 * Holds:  see config_change.h. The epoch goes on counting: numbers of the old history and of the
 *         new one are told apart by the lineage.
 * Limits: LIMIT_ANCESTORS.
 * See:    docs/protocol.md 6.6.
 */
#include "placement/config_parts.h"

static void ancestor_add(struct config *next, const struct config *config)
{
    if (next->ancestor_count == LIMIT_ANCESTORS) {
        next->ancestor_count--;
        memmove(&next->ancestors[0], &next->ancestors[1],
                next->ancestor_count * sizeof(next->ancestors[0]));
    }
    next->ancestors[next->ancestor_count++] = (struct ancestor){
        .lineage = config->lineage, .epoch = config->epoch, .next_actor = config->next_actor};
}

/* The terms of the given up end. */
static void gone_fail(struct config *next, const struct fork *fork, enum err *err)
{
    for (uint32_t i = 0; i < next->member_count; i++)
        if (fork->fates[i] == FATE_GONE && member_counts(&next->members[i]))
            config__fail(next, &next->members[i], err);
}

/* Somebody who stays has all of the shard or transit. */
static bool is_remembered(const struct config *config, const struct fork *fork, uint32_t shard)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(config, shard, places);
    for (uint32_t i = 0; i < count; i++)
        if (places[i].state != MEMBER_SYNCING &&
            fork->fates[places[i].member - config->members] == FATE_STAYS)
            return true;
    return false;
}

/* The shard that it was to move to has slots, and nobody else. */
static bool is_the_only_heir(const struct config *next, const struct member *member)
{
    struct place places[LIMIT_MEMBERS];
    return member->target != SHARD_NONE && !config__is_idle(next, member->target) &&
           config_places(next, member->target, places) == 0;
}

/* Where nobody who stays has all of a place that the member was leaving, what lies in the directory
 * there may be the newest of it. */
static bool is_needed(const struct config *next, const struct config *config,
                      const struct fork *fork, const struct member *member)
{
    if (!member_counts(member) || is_the_only_heir(next, member))
        return false;
    bool needed = !is_remembered(config, fork, member->shard);
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].node_id == member->node_id)
            needed = needed || !is_remembered(config, fork, config->seats[i].shard);
    return needed;
}

static void empty_come(struct config *next, const struct config *config, const struct fork *fork,
                       bool may_keep, enum err *err)
{
    for (uint32_t i = 0; i < next->member_count && *err == E_OK; i++) {
        if (fork->fates[i] != FATE_EMPTY)
            continue;
        uint64_t node_id = fork->node_ids[i];
        if (node_id == 0 || config_member_by_id(next, node_id) != NULL)
            *err = E_MALFORMED;
        bool keeps = may_keep && is_needed(next, config, fork, &config->members[i]);
        config__replace(next, &next->members[i], node_id, keeps, fork->wall_ms, err);
    }
}

/* First the shards with nobody, then those with one alone. */
static void shards_refill(struct config *next, const struct fork *fork, enum err *err)
{
    bool usable[LIMIT_MEMBERS] = {false};
    for (uint32_t i = 0; i < next->member_count; i++)
        usable[i] = fork->fates[i] != FATE_GONE;
    for (uint32_t shard = 0; shard < config_lasting_shards(next) && *err == E_OK; shard++) {
        if (config__tolerance(next, shard) > 0 || config__is_idle(next, shard))
            continue;
        bool helped = config__spare_take(next, shard, usable, err) ||
                      config__donor_take(next, shard, usable, 2);
        if (!helped && *err == E_OK)
            *err = E_NO_HEIR;
    }
    for (uint32_t shard = 0; shard < config_lasting_shards(next) && *err == E_OK; shard++)
        if (config__tolerance(next, shard) < 2 && !config__is_idle(next, shard))
            config__spare_take(next, shard, usable, err);
}

/* Every shard with a member whose memory is gone. */
static void losses_note(struct config *next, const struct config *config, const struct fork *fork)
{
    bool lost[LIMIT_PARTS] = {false};
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (fork->fates[i] == FATE_STAYS || !member_counts(member))
            continue;
        lost[member->shard] = true;
        for (uint32_t j = 0; j < config->seat_count; j++)
            if (config->seats[j].node_id == member->node_id)
                lost[config_public_shard(config, config->seats[j].shard)] = true;
    }
    for (uint32_t shard = 0; shard < config_lasting_shards(next); shard++)
        if (lost[shard])
            config__lose(next, 0, next->shards[shard].id, 0, fork->wall_ms);
}

static struct config *fork_run(const struct config *config, const struct fork *fork, bool may_keep,
                               enum err *err)
{
    struct config *next = config__begin(config, err);
    next->lineage = fork->lineage;
    next->fence = next->epoch;
    ancestor_add(next, config);
    gone_fail(next, fork, err);
    empty_come(next, config, fork, may_keep, err);
    config__leavers_keep(next);
    shards_refill(next, fork, err);
    losses_note(next, config, fork);
    for (uint32_t i = next->member_count; i > 0; i--)
        if (fork->fates[i - 1] == FATE_GONE)
            config__erase(next, &next->members[i - 1]);
    return config__end(next, err);
}

/* Rather without what lies where somebody was leaving, which is told as lost, than not at all. */
struct config *config_fork(const struct config *config, const struct fork *fork, enum err *err)
{
    if (fork->lineage == 0 || fork->lineage == config->lineage ||
        config_ancestor(config, fork->lineage) != NULL)
        return config__refuse(E_MALFORMED, err);
    struct config *next = fork_run(config, fork, true, err);
    if (next == NULL && *err == E_ACTORS_FULL)
        next = fork_run(config, fork, false, err);
    return next;
}
