/* config - the value that says who is who.
 *
 * Does:   see config.h: life cycle, lookups, and who is responsible, acceptor, closed.
 * Not:    the first value (config_first.c), changes (config_change.h), bytes (config_codec.c), the
 *         invariants (config_rules.c).
 * Holds:  K1 to K8.
 * Limits: -
 * See:    config.h.
 */
#include "placement/config.h"

struct config *config_new(void)
{
    return mem_zalloc(1, sizeof(struct config));
}

void config_free(struct config *config)
{
    mem_free(config);
}

struct config *config_dup(const struct config *config)
{
    return mem_dup(config, sizeof(*config));
}

void config_index(struct config *config)
{
    ASSERT(config->shard_count <= LIMIT_SHARDS);
    memset(config->owner, UINT8_MAX, sizeof(config->owner));
    for (uint32_t i = 0; i < config->shard_count; i++) {
        const struct slotset *slots = &config->shards[i].slots;
        uint32_t end = 0;
        for (uint32_t first = slotset_next(slots, 0); first < LIMIT_SLOTS;
             first = slotset_next(slots, end)) {
            end = slotset_next_absent(slots, first);
            memset(config->owner + first, (int)i, end - first);
        }
    }
}

uint32_t config_shard_of_slot(const struct config *config, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    ASSERT(config->owner[slot] < config->shard_count);
    return config->owner[slot];
}

const struct member *config_member_by_id(const struct config *config, uint64_t node_id)
{
    ASSERT(config->member_count <= LIMIT_MEMBERS);
    if (node_id == 0)
        return NULL;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].node_id == node_id)
            return &config->members[i];
    return NULL;
}

const struct member *config_member_by_address(const struct config *config, struct slice address)
{
    ASSERT(config->member_count <= LIMIT_MEMBERS);
    for (uint32_t i = 0; i < config->member_count; i++)
        if (slice_equal(slice_str(config->members[i].address.text), address))
            return &config->members[i];
    return NULL;
}

const struct member *config_member_by_actor(const struct config *config, uint32_t actor)
{
    ASSERT(config->member_count <= LIMIT_MEMBERS);
    if (actor == 0)
        return NULL;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].actor == actor)
            return &config->members[i];
    return NULL;
}

const struct retired *config_retired(const struct config *config, uint32_t actor)
{
    ASSERT(config->retired_count <= LIMIT_ACTORS / 2);
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config->retired[i].actor == actor)
            return &config->retired[i];
    return NULL;
}

const struct slotset *config_actor_slots(const struct config *config, uint32_t actor)
{
    const struct member *member = config_member_by_actor(config, actor);
    if (member != NULL) {
        ASSERT(member->shard < config->shard_count);
        return &config->shards[member->shard].slots;
    }
    const struct retired *retired = config_retired(config, actor);
    return retired != NULL ? &retired->slots : NULL;
}

bool config_actor_closed(const struct config *config, uint32_t actor)
{
    if (actor == 0 || actor >= config->next_actor)
        return false;
    return config_member_by_actor(config, actor) == NULL && config_retired(config, actor) == NULL;
}

uint32_t config_shard_by_id(const struct config *config, uint32_t id)
{
    ASSERT(config->shard_count <= LIMIT_SHARDS);
    for (uint32_t i = 0; i < config->shard_count; i++)
        if (config->shards[i].id == id)
            return i;
    return SHARD_NONE;
}

const struct loss *config_loss_of_actor(const struct config *config, uint32_t actor)
{
    ASSERT(config->loss_count <= LIMIT_LOSSES);
    if (actor == 0)
        return NULL;
    for (uint32_t i = 0; i < config->loss_count; i++)
        if (config->losses[i].actor == actor)
            return &config->losses[i];
    return NULL;
}

const struct loss *config_loss_since(const struct config *config, uint64_t fence)
{
    ASSERT(config->loss_count <= LIMIT_LOSSES);
    for (uint32_t i = config->loss_count; i > 0 && config->losses[i - 1].epoch > fence; i--)
        if (config->losses[i - 1].actor == 0)
            return &config->losses[i - 1];
    return NULL;
}

const struct ancestor *config_ancestor(const struct config *config, uint64_t lineage)
{
    ASSERT(config->ancestor_count <= LIMIT_ANCESTORS);
    for (uint32_t i = 0; i < config->ancestor_count; i++)
        if (config->ancestors[i].lineage == lineage)
            return &config->ancestors[i];
    return NULL;
}

/* From the epoch that lists them (protocol 5, "count before you serve"). */
bool member_counts(const struct member *member)
{
    switch (member->state) {
    case MEMBER_ACTIVE:
    case MEMBER_SYNCING:
    case MEMBER_LEAVING:
        return true;
    case MEMBER_SPARE:
    case MEMBER_INVITED:
        return false;
    }
    UNREACHABLE();
}

uint32_t config_count(const struct config *config, uint32_t shard, enum member_state state)
{
    ASSERT(shard < config->shard_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += config->members[i].shard == shard && config->members[i].state == state;
    return count;
}

bool config_degraded(const struct config *config, uint32_t shard)
{
    return config_count(config, shard, MEMBER_ACTIVE) +
               config_count(config, shard, MEMBER_SYNCING) <
           2;
}

uint32_t config_responsible(const struct config *config, uint32_t actor,
                            uint32_t members[LIMIT_MEMBERS])
{
    const struct slotset *slots = config_actor_slots(config, actor);
    if (slots == NULL)
        return 0;
    bool shard_meets[LIMIT_SHARDS] = {false};
    for (uint32_t i = 0; i < config->shard_count; i++)
        shard_meets[i] = slotset_meets(&config->shards[i].slots, slots);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (!member_counts(member))
            continue;
        ASSERT(member->shard < config->shard_count);
        if (shard_meets[member->shard])
            members[count++] = i;
    }
    ASSERT(count <= config->member_count);
    return count;
}

uint32_t config_keepers(const struct config *config, uint32_t actor,
                        uint32_t members[LIMIT_MEMBERS])
{
    return config_responsible(config, actor, members);
}

/* Adds the rank-th member (from 0, by joining order) of shard; SHARD_NONE stands for the spares.
 * False when there is none. */
static bool acceptor_add(const struct config *config, uint32_t shard, uint32_t rank,
                         uint32_t members[LIMIT_ACCEPTORS], uint32_t *count)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->state == MEMBER_INVITED || member->shard != shard || rank-- > 0)
            continue;
        if (*count < LIMIT_ACCEPTORS)
            members[(*count)++] = i;
        return true;
    }
    return false;
}

uint32_t config_acceptors(const struct config *config, uint32_t members[LIMIT_ACCEPTORS])
{
    ASSERT(config->shard_count <= LIMIT_SHARDS);
    uint32_t count = 0;
    bool found = true;
    for (uint32_t rank = 0; found && count < LIMIT_ACCEPTORS; rank++) {
        found = false;
        for (uint32_t shard = 0; shard < config->shard_count; shard++)
            found |= acceptor_add(config, shard, rank, members, &count);
    }
    for (uint32_t rank = 0; count < LIMIT_ACCEPTORS; rank++)
        if (!acceptor_add(config, SHARD_NONE, rank, members, &count))
            break;
    /* An even number tolerates no more failures than one less. */
    if (count > 0 && count % 2 == 0)
        count--;
    ASSERT(count <= LIMIT_ACCEPTORS);
    return count;
}
