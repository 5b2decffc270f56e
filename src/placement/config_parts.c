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
    bool is_served[LIMIT_PARTS];
    for (uint32_t i = 0; i < next->shard_count; i++)
        is_served[i] = config_count(next, i, MEMBER_ACTIVE) > 0;
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        if (member->state != MEMBER_LEAVING || is_served[member->shard])
            continue;
        member->state = MEMBER_ACTIVE;
        member->target = SHARD_NONE;
    }
    for (uint32_t i = 0; i < next->seat_count; i++)
        if (next->seats[i].state == MEMBER_LEAVING && !is_served[next->seats[i].shard])
            next->seats[i].state = MEMBER_ACTIVE;
}

struct config *config__end(struct config *next, enum err *err)
{
    if (*err == E_OK && config__actors(next) > LIMIT_ACTORS)
        *err = E_ACTORS_FULL;
    if (*err != E_OK) {
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

bool config__is_idle(const struct config *config, uint32_t shard)
{
    uint32_t id = config->shards[shard].id;
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++)
        if (config->shards[i].from == id || config->shards[i].into == id)
            return false;
    return slotset_size(&config->shards[shard].slots) == 0;
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
        if (config_shard_of_retired(config, &config->retired[i]) == shard)
            return true;
    return false;
}

/* ---- actors and seats ---- */

enum member_state *config__state_of(struct config *next, uint32_t actor)
{
    ASSERT(actor != 0);
    for (uint32_t i = 0; i < next->member_count; i++)
        if (next->members[i].actor == actor)
            return &next->members[i].state;
    for (uint32_t i = 0; i < next->seat_count; i++)
        if (next->seats[i].actor == actor)
            return &next->seats[i].state;
    return NULL;
}

uint32_t config__actor_take(struct config *next, enum err *err)
{
    if (*err == E_OK && next->next_actor == UINT32_MAX)
        *err = E_ACTORS_FULL;
    return *err == E_OK ? next->next_actor++ : 0;
}

void config__seat_add(struct config *next, uint32_t transit, uint64_t node_id,
                      enum member_state state, enum err *err)
{
    if (*err == E_OK && next->seat_count == LIMIT_SEATS)
        *err = E_ACTORS_FULL;
    uint32_t actor = config__actor_take(next, err);
    if (*err != E_OK)
        return;
    ASSERT(shard_is_transit(&next->shards[transit]));
    uint32_t at = next->seat_count;
    while (at > 0 && next->seats[at - 1].shard > transit)
        at--;
    memmove(&next->seats[at + 1], &next->seats[at],
            (next->seat_count - at) * sizeof(next->seats[0]));
    next->seat_count++;
    next->seats[at] =
        (struct seat){.node_id = node_id, .shard = transit, .actor = actor, .state = state};
}

void config__seat_erase(struct config *next, uint32_t index)
{
    ASSERT(index < next->seat_count);
    next->seat_count--;
    memmove(&next->seats[index], &next->seats[index + 1],
            (next->seat_count - index) * sizeof(next->seats[0]));
    memset(&next->seats[next->seat_count], 0, sizeof(next->seats[0]));
}

static bool stands_before(const struct retired *a, uint32_t actor, uint32_t first_slot)
{
    return a->actor < actor || (a->actor == actor && slotset_next(&a->slots, 0) < first_slot);
}

void config__retire(struct config *next, uint32_t actor, uint64_t node_id, enum retired_state state,
                    const struct slotset *slots, enum err *err)
{
    uint32_t first = slotset_next(slots, 0);
    if (*err != E_OK || first == LIMIT_SLOTS)
        return;
    if (next->retired_count == LIMIT_RETIRED) {
        *err = E_ACTORS_FULL;
        return;
    }
    uint32_t at = next->retired_count;
    while (at > 0 && !stands_before(&next->retired[at - 1], actor, first))
        at--;
    memmove(&next->retired[at + 1], &next->retired[at],
            (next->retired_count - at) * sizeof(next->retired[0]));
    next->retired_count++;
    next->retired[at] = (struct retired){
        .actor = actor, .node_id = node_id, .state = state, .since = next->epoch, .slots = *slots};
}

void config__retired_erase(struct config *next, uint32_t index)
{
    ASSERT(index < next->retired_count);
    next->retired_count--;
    memmove(&next->retired[index], &next->retired[index + 1],
            (next->retired_count - index) * sizeof(next->retired[0]));
    memset(&next->retired[next->retired_count], 0, sizeof(next->retired[0]));
}

static void seal_anew(struct retired *retired, uint64_t epoch)
{
    retired->state = RETIRED_SEALING;
    retired->since = epoch;
    retired->last_seq = 0;
}

/* A keeper of the shard's retired actors has gone or forgotten: what it reported and what was
 * walked from it does not stand any more (T23). Or one more has come: nobody has asked it, and its
 * table may have what was sealed away. */
static void shard_reseal(struct config *next, uint32_t shard)
{
    for (uint32_t i = 0; i < next->retired_count; i++) {
        struct retired *retired = &next->retired[i];
        if (retired->state != RETIRED_MOVING && config_shard_of_retired(next, retired) == shard)
            seal_anew(retired, next->epoch);
    }
}

/* ---- terms ---- */

/* Transits of a member of this shard that it has to fill up for, and those where what it has is
 * kept. */
static void seats_return(struct config *next, uint64_t node_id, uint32_t shard,
                         const bool kept[LIMIT_PARTS], enum err *err)
{
    uint32_t id = next->shards[shard].id;
    for (uint32_t i = config_lasting_shards(next); i < next->shard_count && *err == E_OK; i++) {
        const struct shard *transit = &next->shards[i];
        if (transit->into != id && (transit->from != id || (transit->switched && !kept[i])))
            continue;
        config__seat_add(next, i, node_id, MEMBER_SYNCING, err);
        shard_reseal(next, i);
    }
}

static void place_in(struct config *next, struct member *member, uint32_t shard,
                     const bool kept[LIMIT_PARTS], enum err *err)
{
    uint32_t actor = config__actor_take(next, err);
    if (*err != E_OK)
        return;
    ASSERT(member->state == MEMBER_SPARE);
    ASSERT(shard < next->shard_count && !shard_is_transit(&next->shards[shard]));
    member->state = MEMBER_SYNCING;
    member->shard = shard;
    member->actor = actor;
    shard_reseal(next, shard);
    seats_return(next, member->node_id, shard, kept, err);
}

void config__place(struct config *next, struct member *member, uint32_t shard, enum err *err)
{
    static const bool none[LIMIT_PARTS];
    place_in(next, member, shard, none, err);
}

/* A term in one shard or transit ends without its member's help. */
static void term_fail(struct config *next, uint64_t node_id, uint32_t shard, uint32_t actor,
                      enum member_state state, enum err *err)
{
    shard_reseal(next, shard);
    if (state == MEMBER_SYNCING)
        return; /* it never wrote */
    config__retire(next, actor, node_id, RETIRED_SEALING, &next->shards[shard].slots, err);
    next->fence = next->epoch;
}

/* What it had yet to seal itself is for the others to seal. */
static void moving_fail(struct config *next, uint64_t node_id)
{
    for (uint32_t i = 0; i < next->retired_count; i++)
        if (next->retired[i].state == RETIRED_MOVING && next->retired[i].node_id == node_id)
            seal_anew(&next->retired[i], next->epoch);
}

void config__fail(struct config *next, struct member *member, enum err *err)
{
    if (*err != E_OK)
        return;
    ASSERT(member_counts(member));
    moving_fail(next, member->node_id);
    for (uint32_t i = next->seat_count; i > 0; i--) {
        struct seat seat = next->seats[i - 1];
        if (seat.node_id != member->node_id)
            continue;
        config__seat_erase(next, i - 1);
        term_fail(next, seat.node_id, seat.shard, seat.actor, seat.state, err);
    }
    struct member before = *member;
    member->state = MEMBER_SPARE;
    member->shard = SHARD_NONE;
    member->target = SHARD_NONE;
    member->actor = 0;
    term_fail(next, before.node_id, before.shard, before.actor, before.state, err);
}

/* Where another node fills up that takes the member's place: where that was, or where that was to
 * move to, if its present shard can do without it even now. */
static uint32_t shard_after_failure(const struct config *config, const struct member *member)
{
    bool moves = member->target != SHARD_NONE && config__staying(config, member->shard) >= 2;
    return moves ? member->target : member->shard;
}

void config__replace(struct config *next, struct member *member, uint64_t node_id, bool keeps,
                     uint64_t wall_ms, enum err *err)
{
    if (*err != E_OK)
        return;
    uint32_t shard = SHARD_NONE;
    bool kept[LIMIT_PARTS] = {false};
    if (member_counts(member)) {
        shard = keeps ? member->shard : shard_after_failure(next, member);
        for (uint32_t i = 0; i < next->seat_count; i++)
            if (keeps && next->seats[i].node_id == member->node_id)
                kept[next->seats[i].shard] = true;
        config__fail(next, member, err);
    }
    if (member->node_id != 0) /* else it was invited, and comes for the first time */
        member__returns(member, wall_ms);
    member->node_id = node_id;
    member->state = MEMBER_SPARE;
    if (shard == SHARD_NONE)
        return;
    place_in(next, member, shard, kept, err);
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

static bool has_seat(const struct config *config, uint64_t node_id)
{
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].node_id == node_id)
            return true;
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
        if (!usable[i] || member->shard != shard || member->state != MEMBER_ACTIVE ||
            has_seat(config, member->node_id))
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
    for (uint32_t i = 0; i < config_lasting_shards(next); i++) {
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
