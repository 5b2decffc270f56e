/* config_parts - what the changes of a configuration are made of.
 *
 * Does:   see config_parts.h.
 * Not:    losses (config_loss.c).
 * Holds:  see config_parts.h.
 * Limits: -
 * See:    docs/protocol.md sections 6.3 to 6.5.
 */
#include "placement/config_parts.h"

#include "placement/config_rules.h"

struct config *config__begin(const struct config *config, enum err *err)
{
    struct config *next = config_dup(config);
    *err = config->epoch < UINT64_MAX - 1 ? E_OK : E_EPOCHS_FULL;
    if (*err == E_OK)
        next->epoch++;
    return next;
}

void config__leavers_keep(struct config *next)
{
    bool is_served[LIMIT_SHARDS];
    for (uint32_t i = 0; i < next->shard_count; i++)
        is_served[i] = config_count(next, i, MEMBER_ACTIVE) > 0;
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        if (member->state != MEMBER_LEAVING || is_served[member->shard])
            continue;
        member->state = MEMBER_ACTIVE;
        member->target = SHARD_NONE;
    }
}

struct config *config__end(struct config *next, enum err err)
{
    if (err != E_OK) {
        config_free(next);
        return NULL;
    }
    config__leavers_keep(next);
    config_check(next);
    return next;
}

struct config *config__nothing(enum err *err)
{
    *err = E_OK;
    return NULL;
}

struct config *config__refuse(enum err refusal, enum err *err)
{
    ASSERT(refusal != E_OK);
    *err = refusal;
    return NULL;
}

bool address__is_canonical(const struct address *address)
{
    struct address parsed;
    return address__is_text(address) && address_parse(slice_str(address->text), &parsed) &&
           strcmp(parsed.text, address->text) == 0;
}

struct member *config__append(struct config *next, const struct address *address, enum err *err)
{
    if (*err == E_OK && next->member_count == LIMIT_MEMBERS)
        *err = E_MEMBERS_FULL;
    if (*err != E_OK)
        return NULL;
    struct member *member = &next->members[next->member_count++];
    *member = (struct member){
        .address = *address, .shard = SHARD_NONE, .target = SHARD_NONE, .state = MEMBER_INVITED};
    return member;
}

void config__erase(struct config *next, struct member *member)
{
    size_t index = (size_t)(member - next->members);
    ASSERT(index < next->member_count);
    next->member_count--;
    memmove(member, member + 1, (next->member_count - index) * sizeof(*member));
    memset(&next->members[next->member_count], 0, sizeof(*member));
}

uint32_t config__staying(const struct config *config, uint32_t shard)
{
    return config_count(config, shard, MEMBER_ACTIVE) + config_count(config, shard, MEMBER_SYNCING);
}

uint32_t config__incoming(const struct config *config, uint32_t shard)
{
    ASSERT(shard < config->shard_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += config->members[i].target == shard;
    return count;
}

uint32_t config__tolerance(const struct config *config, uint32_t shard)
{
    return config__staying(config, shard) + config__incoming(config, shard);
}

bool config__is_unsettled(const struct config *config, uint32_t shard)
{
    ASSERT(shard < config->shard_count);
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (slotset_meets(&config->retired[i].slots, &config->shards[shard].slots))
            return true;
    return false;
}

void config__place(struct config *next, struct member *member, uint32_t shard, enum err *err)
{
    if (*err == E_OK && next->next_actor == UINT32_MAX)
        *err = E_ACTORS_FULL;
    if (*err != E_OK)
        return;
    ASSERT(member->state == MEMBER_SPARE);
    ASSERT(shard < next->shard_count);
    member->state = MEMBER_SYNCING;
    member->shard = shard;
    member->actor = next->next_actor++;
}

/* Adds the member's actor to the retired ones, which ascend. */
static void actor_retire(struct config *next, const struct member *member, enum err *err)
{
    if (next->retired_count == LIMIT_ACTORS / 2) {
        *err = E_ACTORS_FULL;
        return;
    }
    uint32_t at = next->retired_count;
    while (at > 0 && next->retired[at - 1].actor > member->actor)
        at--;
    memmove(&next->retired[at + 1], &next->retired[at],
            (next->retired_count - at) * sizeof(next->retired[0]));
    next->retired_count++;
    next->retired[at] = (struct retired){.actor = member->actor,
                                         .node_id = member->node_id,
                                         .state = RETIRED_SEALING,
                                         .since = next->epoch,
                                         .slots = next->shards[member->shard].slots};
}

/* A keeper of the shard's retired actors has gone or forgotten: what it reported and what was
 * walked from it does not stand any more (T23). */
static void shard_reseal(struct config *next, uint32_t shard)
{
    for (uint32_t i = 0; i < next->retired_count; i++) {
        struct retired *retired = &next->retired[i];
        if (retired->state == RETIRED_MOVING ||
            !slotset_meets(&retired->slots, &next->shards[shard].slots))
            continue;
        retired->state = RETIRED_SEALING;
        retired->since = next->epoch;
        retired->last_seq = 0;
    }
}

void config__fail(struct config *next, struct member *member, enum err *err)
{
    if (*err != E_OK)
        return;
    ASSERT(member_counts(member));
    shard_reseal(next, member->shard);
    if (member->state != MEMBER_SYNCING) {
        actor_retire(next, member, err);
        next->fence = next->epoch;
    }
    member->state = MEMBER_SPARE;
    member->shard = SHARD_NONE;
    member->target = SHARD_NONE;
    member->actor = 0;
}

/* Where a member that lost its data fills up: where it was, or where it was to move to, if its
 * present shard can do without it even now. */
static uint32_t shard_after_failure(const struct config *config, const struct member *member)
{
    bool moves = member->target != SHARD_NONE && config__staying(config, member->shard) >= 2;
    return moves ? member->target : member->shard;
}

void config__replace(struct config *next, struct member *member, uint64_t node_id, uint64_t wall_ms,
                     enum err *err)
{
    if (*err != E_OK)
        return;
    uint32_t shard = SHARD_NONE;
    if (member_counts(member)) {
        shard = shard_after_failure(next, member);
        config__fail(next, member, err);
    }
    if (member->node_id != 0) /* else it was invited, and comes for the first time */
        member__returns(member, wall_ms);
    member->node_id = node_id;
    member->state = MEMBER_SPARE;
    if (shard != SHARD_NONE)
        config__place(next, member, shard, err);
}

bool config__spare_take(struct config *next, uint32_t shard, const bool usable[LIMIT_MEMBERS],
                        enum err *err)
{
    for (uint32_t i = 0; i < next->member_count && *err == E_OK; i++) {
        if (!usable[i] || next->members[i].state != MEMBER_SPARE)
            continue;
        config__place(next, &next->members[i], shard, err);
        return *err == E_OK;
    }
    return false;
}

/* The last usable active member of shard, if another one is left there; else NULL. */
static struct member *donor_in(struct config *config, uint32_t shard,
                               const bool usable[LIMIT_MEMBERS])
{
    struct member *last = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        struct member *member = &config->members[i];
        if (!usable[i] || member->shard != shard || member->state != MEMBER_ACTIVE)
            continue;
        last = member;
        count++;
    }
    return count >= 2 ? last : NULL;
}

bool config__donor_take(struct config *next, uint32_t shard, const bool usable[LIMIT_MEMBERS],
                        uint32_t staying_min)
{
    struct member *donor = NULL;
    uint32_t size = 0;
    for (uint32_t i = 0; i < next->shard_count; i++) {
        uint32_t staying = config__staying(next, i);
        struct member *candidate = i != shard ? donor_in(next, i, usable) : NULL;
        if (candidate == NULL || staying < staying_min || staying <= size)
            continue;
        donor = candidate;
        size = staying;
    }
    if (donor == NULL)
        return false;
    donor->state = MEMBER_LEAVING;
    donor->target = shard;
    return true;
}
