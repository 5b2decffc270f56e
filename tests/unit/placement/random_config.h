/* random_config - configurations that are valid and otherwise anything.
 *
 * Does:   members in every state, shards with scattered slots, transits and seats, retired actors
 *         with several entries, ancestors and losses, all at random; equality field by field.
 * Not:    likely configurations: those come from config_first and the planner.
 * Holds:  K1 to K10 of what comes out.
 * Limits: -
 * See:    placement/config.h.
 */
#pragma once

#include "unit.h"

#include "placement/placement.h"

static inline void random_address(struct rng *rng, uint32_t index, struct address *address)
{
    int len = snprintf(address->text, sizeof(address->text), "10.0.%" PRIu32 ".%d:%d", index,
                       (int)rng_below(rng, 256), (int)rng_between(rng, 1, 65535));
    assert_true(len > 0 && (size_t)len < sizeof(address->text));
}

static inline void random_slots(struct rng *rng, struct slotset *set)
{
    slotset_init(set);
    for (uint64_t ranges = rng_below(rng, 4); ranges > 0; ranges--) {
        uint32_t first = (uint32_t)rng_below(rng, LIMIT_SLOTS);
        uint32_t last = (uint32_t)rng_between(rng, first, LIMIT_SLOTS - 1);
        slotset_add_range(set, first, last);
    }
}

/* Behind the shards that last; some of these have nothing then. */
static inline void random_transit(struct rng *rng, struct config *config, uint32_t lasting)
{
    struct shard *transit = &config->shards[config->shard_count];
    uint32_t from = (uint32_t)rng_below(rng, lasting);
    uint32_t into = (from + (uint32_t)rng_between(rng, 1, lasting - 1)) % lasting;
    transit->id = SHARD_ID_TRANSIT | (config->shard_count * 5 + (uint32_t)rng_below(rng, 5));
    transit->from = config->shards[from].id;
    transit->into = config->shards[into].id;
    transit->switched = rng_chance(rng, 1, 2);
    config->shard_count++;
}

/* Every slot to some shard, in runs. Shards without any slot happen, transits have at least one. */
static inline void random_shards(struct rng *rng, struct config *config)
{
    uint32_t lasting = (uint32_t)rng_between(rng, 1, 6);
    config->shard_count = lasting;
    for (uint32_t i = 0; i < lasting; i++) {
        config->shards[i].id = i * 3 + (uint32_t)rng_below(rng, 3);
        config->shards[i].from = config->shards[i].into = SHARD_NONE;
    }
    bool moves = lasting > 1 && rng_chance(rng, 1, 2);
    for (uint64_t transits = moves ? rng_between(rng, 1, 4) : 0; transits > 0; transits--)
        random_transit(rng, config, lasting);
    uint32_t first = config->shard_count - lasting;
    for (uint32_t slot = 0; slot < first; slot++)
        slotset_add(&config->shards[lasting + slot].slots, slot);
    while (first < LIMIT_SLOTS) {
        uint32_t last = (uint32_t)rng_between(rng, first, LIMIT_SLOTS - 1);
        uint64_t shard = rng_below(rng, config->shard_count);
        slotset_add_range(&config->shards[shard].slots, first, last);
        first = last + 1;
    }
    config_index(config);
}

static inline void random_member(struct rng *rng, struct config *config, uint32_t index)
{
    struct member *member = &config->members[index];
    member->state = (enum member_state)rng_below(rng, 5);
    bool is_placed = member_counts(member);
    member->node_id = member->state != MEMBER_INVITED ? rng_u64(rng) << 8 | (index + 1) : 0;
    uint32_t shard = (uint32_t)rng_below(rng, config_lasting_shards(config));
    member->shard = is_placed ? shard : SHARD_NONE;
    member->target = SHARD_NONE;
    config->next_actor += (uint32_t)rng_below(rng, 3);
    member->actor = is_placed ? config->next_actor++ : 0;
    random_address(rng, index, &member->address);
    member->returns = (uint32_t)rng_below(rng, RETURNS_MAX + 1);
    member->returned_ms = rng_u64(rng) >> rng_below(rng, 64);
}

/* Who leaves may move elsewhere, and leaves somebody active behind. */
static inline void random_leavers(struct rng *rng, struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        struct member *member = &config->members[i];
        if (member->state != MEMBER_LEAVING)
            continue;
        uint32_t lasting = config_lasting_shards(config);
        uint32_t target = (uint32_t)rng_below(rng, lasting + 1);
        if (config_count(config, member->shard, MEMBER_ACTIVE) == 0)
            member->state = MEMBER_ACTIVE;
        else if (target < lasting && target != member->shard)
            member->target = target;
    }
}

/* Most members of the transit's two shards; whoever leaves it leaves somebody active there. */
static inline void random_seats(struct rng *rng, struct config *config, uint32_t transit)
{
    const struct shard *shard = &config->shards[transit];
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (!member_counts(member) || member->state == MEMBER_LEAVING || rng_chance(rng, 1, 4))
            continue;
        uint32_t home = config->shards[member->shard].id;
        if (home != shard->from && home != shard->into)
            continue;
        config->next_actor += (uint32_t)rng_below(rng, 3);
        config->seats[config->seat_count++] =
            (struct seat){.node_id = member->node_id,
                          .shard = transit,
                          .actor = config->next_actor++,
                          .state = (enum member_state)rng_below(rng, 3)};
    }
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].shard == transit && config->seats[i].state == MEMBER_LEAVING &&
            config_count(config, transit, MEMBER_ACTIVE) == 0)
            config->seats[i].state = MEMBER_ACTIVE;
}

/* Some slots of this shard, at least one. */
static inline void random_part(struct rng *rng, const struct slotset *all, struct slotset *part)
{
    struct slotset others = *all;
    random_slots(rng, part);
    slotset_subtract(&others, part);
    *part = *all;
    slotset_subtract(part, &others);
    if (slotset_size(part) == 0)
        slotset_add(part, slotset_next(all, 0));
}

/* One entry for each of some shards, by their first slot. */
static inline void random_retired(struct rng *rng, struct config *config)
{
    config->next_actor += (uint32_t)rng_below(rng, 3);
    uint32_t actor = config->next_actor++;
    uint64_t node_id = rng_u64(rng);
    uint32_t first = config->retired_count;
    uint32_t any = (uint32_t)rng_below(rng, config->shard_count);
    for (uint32_t i = 0; i < config->shard_count; i++) {
        struct retired retired = {.actor = actor, .node_id = node_id};
        const struct slotset *all = &config->shards[(any + i) % config->shard_count].slots;
        if (slotset_size(all) == 0 || (config->retired_count > first && rng_chance(rng, 3, 4)))
            continue;
        retired.state = (enum retired_state)rng_below(rng, 3);
        retired.since = rng_between(rng, 1, config->epoch);
        retired.last_seq = rng_u64(rng) >> rng_below(rng, 64);
        random_part(rng, all, &retired.slots);
        uint32_t at = config->retired_count++;
        while (at > first &&
               slotset_next(&config->retired[at - 1].slots, 0) > slotset_next(&retired.slots, 0)) {
            config->retired[at] = config->retired[at - 1];
            at--;
        }
        config->retired[at] = retired;
    }
}

static inline struct config *random_config(struct rng *rng)
{
    struct config *config = config_new();
    config->lineage = rng_u64(rng) | 1;
    config->epoch = rng_between(rng, 1, 1000);
    config->fence = rng_between(rng, 0, config->epoch);
    config->next_actor = (uint32_t)rng_between(rng, 1, 300);
    for (size_t i = 0; i < sizeof(config->token_key.bytes); i++)
        config->token_key.bytes[i] = (uint8_t)rng_u64(rng);
    random_shards(rng, config);
    config->wanted_shards = (uint32_t)rng_below(rng, 4);
    for (uint64_t retired = rng_below(rng, 5); retired > 0; retired--)
        random_retired(rng, config);
    config->member_count = (uint32_t)rng_between(rng, 1, 10);
    for (uint32_t i = 0; i < config->member_count; i++)
        random_member(rng, config, i);
    random_leavers(rng, config);
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++)
        random_seats(rng, config, i);
    config->ancestor_count = (uint32_t)rng_below(rng, 3);
    for (uint32_t i = 0; i < config->ancestor_count; i++)
        config->ancestors[i] = (struct ancestor){rng_u64(rng), rng_below(rng, 99), 7 + i};
    config->loss_count = (uint32_t)rng_below(rng, 4);
    for (uint32_t i = 0; i < config->loss_count; i++)
        config->losses[i] = (struct loss){i, 3 - i, rng_u64(rng), config->fence, rng_u64(rng)};
    config_check(config);
    return config;
}

static inline bool same_member(const struct member *a, const struct member *b)
{
    return a->node_id == b->node_id && strcmp(a->address.text, b->address.text) == 0 &&
           a->shard == b->shard && a->actor == b->actor && a->target == b->target &&
           a->state == b->state && a->returns == b->returns && a->returned_ms == b->returned_ms;
}

static inline bool same_shard(const struct shard *a, const struct shard *b)
{
    return a->id == b->id && a->from == b->from && a->into == b->into &&
           a->switched == b->switched && slotset_equal(&a->slots, &b->slots);
}

static inline bool same_seat(const struct seat *a, const struct seat *b)
{
    return a->node_id == b->node_id && a->shard == b->shard && a->actor == b->actor &&
           a->state == b->state;
}

static inline bool same_retired(const struct retired *a, const struct retired *b)
{
    return a->actor == b->actor && a->node_id == b->node_id && a->state == b->state &&
           a->since == b->since && a->last_seq == b->last_seq &&
           slotset_equal(&a->slots, &b->slots);
}

static inline bool same_loss(const struct loss *a, const struct loss *b)
{
    return a->actor == b->actor && a->shard == b->shard && a->whole_seq == b->whole_seq &&
           a->epoch == b->epoch && a->wall_ms == b->wall_ms;
}

static inline bool same_head(const struct config *a, const struct config *b)
{
    return a->lineage == b->lineage && a->epoch == b->epoch && a->fence == b->fence &&
           a->next_actor == b->next_actor && a->member_count == b->member_count &&
           memcmp(&a->token_key, &b->token_key, sizeof(a->token_key)) == 0 &&
           a->shard_count == b->shard_count && a->seat_count == b->seat_count &&
           a->wanted_shards == b->wanted_shards && a->retired_count == b->retired_count &&
           a->ancestor_count == b->ancestor_count && a->loss_count == b->loss_count &&
           memcmp(a->owner, b->owner, sizeof(a->owner)) == 0;
}

static inline bool same_config(const struct config *a, const struct config *b)
{
    bool same = same_head(a, b);
    for (uint32_t i = 0; same && i < a->member_count; i++)
        same = same_member(&a->members[i], &b->members[i]);
    for (uint32_t i = 0; same && i < a->shard_count; i++)
        same = same_shard(&a->shards[i], &b->shards[i]);
    for (uint32_t i = 0; same && i < a->seat_count; i++)
        same = same_seat(&a->seats[i], &b->seats[i]);
    for (uint32_t i = 0; same && i < a->retired_count; i++)
        same = same_retired(&a->retired[i], &b->retired[i]);
    for (uint32_t i = 0; same && i < a->ancestor_count; i++)
        same = a->ancestors[i].lineage == b->ancestors[i].lineage &&
               a->ancestors[i].epoch == b->ancestors[i].epoch &&
               a->ancestors[i].next_actor == b->ancestors[i].next_actor;
    for (uint32_t i = 0; same && i < a->loss_count; i++)
        same = same_loss(&a->losses[i], &b->losses[i]);
    return same;
}
