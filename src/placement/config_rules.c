/* config_rules - K1 to K10 as questions.
 *
 * Does:   see config_rules.h.
 * Not:    -
 * Holds:  K1 to K5, K7 to K10.
 * Limits: members and actors are few (LIMIT_MEMBERS, LIMIT_ACTORS): pairs are compared one by
 *         one.
 * See:    config.h.
 */
#include "placement/config_rules.h"

/* Each slot is in the set of its owner, and the sizes add up to all slots: so it is in no other. */
bool config__k1(const struct config *config)
{
    uint32_t size_sum = 0;
    for (uint32_t i = 0; i < config->shard_count; i++) {
        const struct slotset *slots = &config->shards[i].slots;
        size_sum += slotset_size(slots);
        uint32_t end = 0;
        for (uint32_t first = slotset_next(slots, 0); first < LIMIT_SLOTS;
             first = slotset_next(slots, end)) {
            end = slotset_next_absent(slots, first);
            for (uint32_t slot = first; slot < end; slot++)
                if (config->owner[slot] != i)
                    return false;
        }
    }
    return size_sum == LIMIT_SLOTS; /* and no slot is in two: it has one owner */
}

static bool members_clash(const struct member *a, const struct member *b)
{
    return (a->node_id != 0 && a->node_id == b->node_id) ||
           strcmp(a->address.text, b->address.text) == 0;
}

bool config__k2(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (members_clash(&config->members[i], &config->members[j]))
                return false;
    return true;
}

/* How many members, seats and retired actors bear this id. */
static uint32_t bearers_of(const struct config *config, uint32_t actor)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += config->members[i].actor == actor;
    for (uint32_t i = 0; i < config->seat_count; i++)
        count += config->seats[i].actor == actor;
    return count + (config_retired(config, actor, SHARD_NONE) != NULL);
}

static bool actor_is_sound(const struct config *config, uint32_t actor)
{
    return actor > 0 && actor < config->next_actor && bearers_of(config, actor) == 1;
}

/* Some slots, all of one shard; no other entry of the actor speaks of that. */
static bool slots_are_of_one(const struct config *config, const struct retired *retired)
{
    uint32_t first = slotset_next(&retired->slots, 0);
    if (first == LIMIT_SLOTS)
        return false;
    uint32_t shard = config_shard_of_slot(config, first);
    return slotset_contains(&config->shards[shard].slots, &retired->slots) &&
           config_retired(config, retired->actor, shard) == retired;
}

bool config__k3(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        uint32_t actor = config->members[i].actor;
        if (actor != 0 && !actor_is_sound(config, actor))
            return false;
    }
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (!actor_is_sound(config, config->seats[i].actor))
            return false;
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (!actor_is_sound(config, config->retired[i].actor) ||
            !slots_are_of_one(config, &config->retired[i]))
            return false;
    return true;
}

static bool member_is_placed(const struct config *config, const struct member *member)
{
    switch (member->state) {
    case MEMBER_ACTIVE:
    case MEMBER_SYNCING:
    case MEMBER_LEAVING:
        return member->node_id != 0 && member->actor != 0 &&
               member->shard < config_lasting_shards(config);
    case MEMBER_SPARE:
        return member->node_id != 0 && member->actor == 0 && member->shard == SHARD_NONE;
    case MEMBER_INVITED:
        return member->node_id == 0 && member->actor == 0 && member->shard == SHARD_NONE;
    }
    return false;
}

bool config__k4(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (!member_is_placed(config, &config->members[i]))
            return false;
    return true;
}

static bool losses_are_dated(const struct config *config)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        if (loss->epoch < last || loss->epoch > (loss->actor != 0 ? config->epoch : config->fence))
            return false;
        last = loss->epoch;
    }
    return true;
}

bool config__k5(const struct config *config)
{
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config->retired[i].since > config->epoch)
            return false;
    return config->lineage != 0 && config->epoch >= 1 && config->epoch < UINT64_MAX &&
           config->fence <= config->epoch && losses_are_dated(config);
}

static bool counts_fit(const struct config *config)
{
    return config->member_count <= LIMIT_MEMBERS && config->shard_count <= LIMIT_PARTS &&
           config_lasting_shards(config) <= LIMIT_SHARDS && config->seat_count <= LIMIT_SEATS &&
           config->wanted_shards <= LIMIT_SHARDS && config->retired_count <= LIMIT_RETIRED &&
           config->ancestor_count <= LIMIT_ANCESTORS && config->loss_count <= LIMIT_LOSSES &&
           config->next_actor >= 1;
}

uint32_t config__actors(const struct config *config)
{
    uint32_t count = config->member_count + config->seat_count;
    for (uint32_t i = 0; i < config->retired_count; i++)
        count += i == 0 || config->retired[i].actor != config->retired[i - 1].actor;
    return count;
}

bool address__is_text(const struct address *address)
{
    return address->text[0] != '\0' && memchr(address->text, '\0', sizeof(address->text)) != NULL;
}

static bool shard_ids_differ(const struct config *config)
{
    for (uint32_t i = 0; i < config->shard_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (config->shards[i].id == config->shards[j].id)
                return false;
    return true;
}

static bool retired_are_ordered(const struct config *config)
{
    uint32_t last = 0;
    uint32_t last_slot = 0;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        uint32_t slot = slotset_next(&retired->slots, 0);
        if (retired->actor < last || (retired->actor == last && slot <= last_slot) ||
            retired->actor == 0 || retired->state > RETIRED_MOVING)
            return false;
        last = retired->actor;
        last_slot = slot;
    }
    return true;
}

bool config__k7(const struct config *config)
{
    if (!counts_fit(config) || config__actors(config) > LIMIT_ACTORS || !shard_ids_differ(config) ||
        !retired_are_ordered(config))
        return false;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (!address__is_text(&config->members[i].address) ||
            config->members[i].returns > RETURNS_MAX)
            return false;
    return true;
}

static bool target_is_sound(const struct config *config, const struct member *member)
{
    if (member->state != MEMBER_LEAVING)
        return member->target == SHARD_NONE;
    if (member->target != SHARD_NONE &&
        (member->target >= config_lasting_shards(config) || member->target == member->shard))
        return false;
    return config_count(config, member->shard, MEMBER_ACTIVE) > 0;
}

bool config__k8(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (!target_is_sound(config, &config->members[i]))
            return false;
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].state == MEMBER_LEAVING &&
            config_count(config, config->seats[i].shard, MEMBER_ACTIVE) == 0)
            return false;
    return true;
}

static bool transit_is_sound(const struct config *config, uint32_t index)
{
    const struct shard *transit = &config->shards[index];
    uint32_t from = config_shard_by_id(config, transit->from);
    uint32_t into = config_shard_by_id(config, transit->into);
    uint32_t lasting = config_lasting_shards(config);
    return shard_is_transit(transit) && (transit->id & SHARD_ID_TRANSIT) != 0 && from < lasting &&
           into < lasting && from != into && slotset_size(&transit->slots) > 0;
}

bool config__k9(const struct config *config)
{
    uint32_t lasting = config_lasting_shards(config);
    for (uint32_t i = 0; i < lasting; i++)
        if (config->shards[i].from != SHARD_NONE || config->shards[i].switched ||
            (config->shards[i].id & SHARD_ID_TRANSIT) != 0)
            return false;
    for (uint32_t i = lasting; i < config->shard_count; i++)
        if (!transit_is_sound(config, i))
            return false;
    return true;
}

static bool seat_is_sound(const struct config *config, const struct seat *seat)
{
    const struct member *member = config_member_by_id(config, seat->node_id);
    if (member == NULL || !member_counts(member) || member->state == MEMBER_LEAVING ||
        seat->shard >= config->shard_count)
        return false;
    const struct shard *transit = &config->shards[seat->shard];
    uint32_t home = config->shards[member->shard].id;
    bool state_fits = seat->state == MEMBER_ACTIVE || seat->state == MEMBER_SYNCING ||
                      seat->state == MEMBER_LEAVING;
    return shard_is_transit(transit) && state_fits &&
           (home == transit->from || home == transit->into);
}

bool config__k10(const struct config *config)
{
    for (uint32_t i = 0; i < config->seat_count; i++) {
        const struct seat *seat = &config->seats[i];
        if (!seat_is_sound(config, seat) || (i > 0 && seat->shard < seat[-1].shard))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (config->seats[j].shard == seat->shard && config->seats[j].node_id == seat->node_id)
                return false;
    }
    return true;
}

bool config__is_valid(const struct config *config)
{
    return config__k7(config) && config__k1(config) && config__k9(config) && config__k5(config) &&
           config__k4(config) && config__k3(config) && config__k2(config) && config__k10(config) &&
           config__k8(config);
}

void config_check(const struct config *config)
{
    ASSERT(config__k7(config));
    ASSERT(config__k1(config));
    ASSERT(config__k2(config));
    ASSERT(config__k3(config));
    ASSERT(config__k4(config));
    ASSERT(config__k5(config));
    ASSERT(config__k9(config));
    ASSERT(config__k10(config));
    ASSERT(config__k8(config));
}
