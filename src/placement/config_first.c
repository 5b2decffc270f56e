/* config_first - the first configuration.
 *
 * Does:   config_first; see config.h.
 * Not:    changes: config_change.h.
 * Holds:  K1 to K8 of every result.
 * Limits: -
 * See:    docs/protocol.md section 6.2; docs/api.md section 1.
 */
#include "placement/config_rules.h"

/* Parts of an even cut of total into count: the first total % count are one larger. */
static uint32_t part_size(uint32_t total, uint32_t count, uint32_t index)
{
    ASSERT(index < count);
    return total / count + (index < total % count);
}

static void members_place(struct config *config, const struct first_start *start)
{
    uint32_t next = 0;
    for (uint32_t shard = 0; shard < start->shard_count; shard++) {
        uint32_t size = part_size(start->member_count, start->shard_count, shard);
        for (uint32_t i = 0; i < size; i++, next++) {
            struct member *member = &config->members[next];
            member->node_id = start->members[next].node_id;
            member->address = start->members[next].address;
            member->shard = shard;
            member->actor = next + 1;
            member->target = SHARD_NONE;
            member->state = MEMBER_ACTIVE;
        }
    }
    ASSERT(next == start->member_count);
    config->member_count = next;
    config->next_actor = next + 1;
}

static void slots_place(struct config *config, uint32_t shard_count)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < shard_count; i++) {
        uint32_t size = part_size(LIMIT_SLOTS, shard_count, i);
        config->shards[i].id = i;
        config->shards[i].from = config->shards[i].into = SHARD_NONE;
        slotset_add_range(&config->shards[i].slots, next, next + size - 1);
        next += size;
    }
    ASSERT(next == LIMIT_SLOTS);
    config->shard_count = shard_count;
    config_index(config);
}

static enum err start_judge(const struct first_start *start)
{
    if (start->shard_count == 0 || start->member_count > LIMIT_MEMBERS)
        return E_MALFORMED;
    bool alone = start->shard_count == 1 && start->member_count == 1;
    if (!alone && start->member_count / 2 < start->shard_count)
        return E_DEGRADED_START;
    return E_OK;
}

struct config *config_first(const struct first_start *start, enum err *err)
{
    *err = start_judge(start);
    if (*err != E_OK)
        return NULL;
    struct config *config = config_new();
    config->lineage = start->lineage;
    config->token_key = start->token_key;
    config->epoch = 1;
    members_place(config, start);
    slots_place(config, start->shard_count);
    if (config__is_valid(config))
        return config;
    config_free(config);
    *err = E_MALFORMED;
    return NULL;
}
