/* config - the value that says who is who.
 *
 * Does:   see config.h: life cycle, lookups, and who is responsible, acceptor, closed.
 * Not:    the first value (config_first.c), changes (config_change.h), bytes (config_codec.c), the
 *         invariants (config_rules.c).
 * Holds:  K1 to K10.
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
    ASSERT(config->shard_count <= LIMIT_PARTS);
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
    struct place place;
    return config_place_by_actor(config, actor, &place) ? place.member : NULL;
}

/* ---- retired actors ---- */

uint32_t config_shard_of_retired(const struct config *config, const struct retired *retired)
{
    uint32_t first = slotset_next(&retired->slots, 0);
    ASSERT(first < LIMIT_SLOTS);
    return config_shard_of_slot(config, first);
}

const struct retired *config_retired(const struct config *config, uint32_t actor, uint32_t shard)
{
    ASSERT(config->retired_count <= LIMIT_RETIRED);
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        if (retired->actor == actor &&
            (shard == SHARD_NONE || config_shard_of_retired(config, retired) == shard))
            return retired;
    }
    return NULL;
}

bool config_actor_meets(const struct config *config, uint32_t actor, uint32_t shard)
{
    struct place place;
    if (config_place_by_actor(config, actor, &place))
        return place.shard == shard;
    return config_retired(config, actor, shard) != NULL;
}

bool config_actor_closed(const struct config *config, uint32_t actor)
{
    if (actor == 0 || actor >= config->next_actor)
        return false;
    return config_member_by_actor(config, actor) == NULL &&
           config_retired(config, actor, SHARD_NONE) == NULL;
}

/* ---- shards ---- */

uint32_t config_shard_by_id(const struct config *config, uint32_t id)
{
    ASSERT(config->shard_count <= LIMIT_PARTS);
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

bool shard_is_transit(const struct shard *shard)
{
    return shard->into != SHARD_NONE;
}

uint32_t config_lasting_shards(const struct config *config)
{
    uint32_t count = 0;
    while (count < config->shard_count && !shard_is_transit(&config->shards[count]))
        count++;
    return count;
}

bool config_is_even(const struct config *config)
{
    size_t least = LIMIT_SLOTS;
    size_t most = 0;
    for (uint32_t i = 0; i < config_lasting_shards(config); i++) {
        size_t size = slotset_size(&config->shards[i].slots);
        least = size < least ? size : least;
        most = size > most ? size : most;
    }
    return most <= least + 1;
}

bool config_reshards(const struct config *config)
{
    return config->wanted_shards != 0 || config_lasting_shards(config) < config->shard_count;
}

uint32_t config_public_shard(const struct config *config, uint32_t shard)
{
    ASSERT(shard < config->shard_count);
    const struct shard *at = &config->shards[shard];
    if (!shard_is_transit(at))
        return shard;
    return config_shard_by_id(config, at->switched ? at->into : at->from);
}

/* ---- places ---- */

static struct place home_of(const struct member *member)
{
    return (struct place){member, member->shard, member->actor, member->state};
}

static struct place seat_of(const struct config *config, const struct seat *seat)
{
    const struct member *member = config_member_by_id(config, seat->node_id);
    ASSERT(member != NULL); /* K10 */
    return (struct place){member, seat->shard, seat->actor, seat->state};
}

uint32_t config_places(const struct config *config, uint32_t shard,
                       struct place places[LIMIT_MEMBERS])
{
    ASSERT(shard < config->shard_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].shard == shard)
            places[count++] = home_of(&config->members[i]);
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].shard == shard)
            places[count++] = seat_of(config, &config->seats[i]);
    ASSERT(count <= config->member_count);
    return count;
}

bool config_place(const struct config *config, uint32_t shard, uint64_t node_id,
                  struct place *place)
{
    const struct member *member = config_member_by_id(config, node_id);
    if (member == NULL || shard == SHARD_NONE)
        return false;
    *place = home_of(member);
    if (member->shard == shard)
        return true;
    for (uint32_t i = 0; i < config->seat_count; i++) {
        if (config->seats[i].shard != shard || config->seats[i].node_id != node_id)
            continue;
        *place = seat_of(config, &config->seats[i]);
        return true;
    }
    return false;
}

bool config_place_by_actor(const struct config *config, uint32_t actor, struct place *place)
{
    ASSERT(config->member_count <= LIMIT_MEMBERS);
    for (uint32_t i = 0; i < config->member_count && actor != 0; i++) {
        if (config->members[i].actor != actor)
            continue;
        *place = home_of(&config->members[i]);
        return true;
    }
    for (uint32_t i = 0; i < config->seat_count && actor != 0; i++) {
        if (config->seats[i].actor != actor)
            continue;
        *place = seat_of(config, &config->seats[i]);
        return true;
    }
    return false;
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
    for (uint32_t i = 0; i < config->seat_count; i++)
        count += config->seats[i].shard == shard && config->seats[i].state == state;
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
    bool counts[LIMIT_MEMBERS] = {false};
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        struct place places[LIMIT_MEMBERS];
        if (!config_actor_meets(config, actor, shard))
            continue;
        uint32_t count = config_places(config, shard, places);
        for (uint32_t i = 0; i < count; i++)
            counts[places[i].member - config->members] = true;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (counts[i])
            members[count++] = i;
    return count;
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
    ASSERT(config->shard_count <= LIMIT_PARTS);
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
