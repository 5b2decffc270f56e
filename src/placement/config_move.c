/* config_move - slots and members on their way between shards.
 *
 * Does:   config_reshard, config_reshard_cancel, config_reshard_step; see config_change.h.
 * Not:    where to: plan.h. Filling up, handing over and closing: config_join.c, config_leave.c,
 *         config_seal.c, the same as for members that come and go.
 * Holds:  an actor's slots never change: whoever is in a shard whose slots change begins a new
 *         term there, and has to seal the one before itself (RETIRED_MOVING). Slots are split off
 *         and joined only between places of the same members: no data moves in that epoch.
 * Limits: LIMIT_TRANSITS, LIMIT_SEATS and LIMIT_ACTORS at a time, less what two members need that
 *         fail meanwhile; what does not fit waits for the next round. One transit always fits,
 *         whatever its two shards are (base/limits.h).
 * See:    docs/protocol.md section 7.
 */
#include "placement/config_parts.h"
#include "placement/config_rules.h"
#include "placement/plan.h"

/* ---- what a step needs to know ---- */

static bool all_are_active(const struct config *config, uint32_t shard)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(config, shard, places);
    return config_count(config, shard, MEMBER_ACTIVE) == count;
}

static bool is_at_rest(const struct config *config)
{
    bool rests = config->retired_count == 0 && config_lasting_shards(config) == config->shard_count;
    for (uint32_t i = 0; i < config->member_count; i++)
        rests = rests && config->members[i].state != MEMBER_SYNCING &&
                config->members[i].state != MEMBER_LEAVING;
    return rests;
}

static bool is_seated(const struct config *config, uint32_t transit, uint64_t node_id,
                      enum member_state state)
{
    struct place place;
    return config_place(config, transit, node_id, &place) && place.state == state;
}

/* Every member of the shard that takes the slots has them. */
static bool is_filled(const struct config *config, uint32_t transit)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t into = config_shard_by_id(config, config->shards[transit].into);
    uint32_t count = config_places(config, into, places);
    for (uint32_t i = 0; i < count; i++)
        if (!is_seated(config, transit, places[i].member->node_id, MEMBER_ACTIVE))
            return false;
    return count > 0 && !config__is_unsettled(config, transit);
}

/* The transit and the shard that takes it are the same members, and nothing of before is open. */
static bool is_arrived(const struct config *config, uint32_t transit)
{
    uint32_t into = config_shard_by_id(config, config->shards[transit].into);
    struct place places[LIMIT_MEMBERS];
    return config->shards[transit].switched && is_filled(config, transit) &&
           config_places(config, transit, places) == config_places(config, into, places) &&
           all_are_active(config, into) && !config__is_unsettled(config, into);
}

/* ---- room ---- */

/* A step that is taken for so many transits of one shard at most. */
typedef void step_part(struct config *next, const struct plan *plan, uint32_t shard, uint32_t most,
                       enum err *err);

static uint32_t seats_of(const struct config *config, uint64_t node_id)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->seat_count; i++)
        count += config->seats[i].node_id == node_id;
    return count;
}

/* Two members may fail before anything is closed, and be replaced: their actors are retired, and
 * they take others. Else what is under way could neither go on nor be helped. */
static bool has_room(const struct config *config)
{
    uint32_t seats_max = 0;
    for (uint32_t i = 0; i < config->seat_count; i++) {
        uint32_t seats = seats_of(config, config->seats[i].node_id);
        seats_max = seats > seats_max ? seats : seats_max;
    }
    uint32_t spared = 2 * (1 + seats_max);
    return config__actors(config) + spared <= LIMIT_ACTORS &&
           config->retired_count + spared <= LIMIT_RETIRED;
}

/* Takes a step for as many of `most` as there is room for. False when there is none, or after an
 * error. */
static bool take_what_fits(struct config **next, const struct plan *plan, uint32_t shard,
                           uint32_t most, step_part *take, enum err *err)
{
    for (uint32_t tries = most; tries > 0 && *err == E_OK; tries--) {
        struct config *tried = config_dup(*next);
        enum err fits = E_OK;
        take(tried, plan, shard, tries, &fits);
        if (fits == E_OK && has_room(tried)) {
            config_free(*next);
            *next = tried;
            return true;
        }
        config_free(tried);
        if (fits != E_OK && fits != E_ACTORS_FULL)
            *err = fits;
    }
    return false;
}

/* ---- terms ---- */

/* The shard's members begin a new term in it, each in the same state. */
static void members_renew(struct config *next, uint32_t shard, enum err *err)
{
    next->fence = next->epoch;
    for (uint32_t i = 0; i < next->member_count; i++)
        if (next->members[i].shard == shard)
            next->members[i].actor = config__actor_take(next, err);
}

/* What the members of the shard or transit wrote there is theirs to seal. */
static void terms_end(struct config *next, uint32_t shard, enum err *err)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(next, shard, places);
    for (uint32_t i = 0; i < count; i++)
        if (places[i].state != MEMBER_SYNCING)
            config__retire(next, places[i].actor, places[i].member->node_id, RETIRED_MOVING,
                           &next->shards[shard].slots, err);
}

/* ---- switch ---- */

/* The members of the shard that gives the slots leave the transit. */
static void transit_switch(struct config *next, uint32_t transit)
{
    uint32_t from = config_shard_by_id(next, next->shards[transit].from);
    next->shards[transit].switched = true;
    for (uint32_t i = next->seat_count; i > 0; i--) {
        struct seat *seat = &next->seats[i - 1];
        if (seat->shard != transit || config_member_by_id(next, seat->node_id)->shard != from)
            continue;
        if (seat->state == MEMBER_SYNCING)
            config__seat_erase(next, i - 1);
        else
            seat->state = MEMBER_LEAVING;
    }
}

/* True when a member of the shard that gives the slots is to leave the transit and does not. */
static bool lingers(const struct config *config, uint32_t transit)
{
    uint32_t from = config_shard_by_id(config, config->shards[transit].from);
    for (uint32_t i = 0; i < config->seat_count; i++) {
        const struct seat *seat = &config->seats[i];
        if (seat->shard == transit && seat->state != MEMBER_LEAVING &&
            config_member_by_id(config, seat->node_id)->shard == from)
            return true;
    }
    return false;
}

/* ---- joining ---- */

static void shard_erase(struct config *next, uint32_t index)
{
    next->shard_count--;
    memmove(&next->shards[index], &next->shards[index + 1],
            (next->shard_count - index) * sizeof(next->shards[0]));
    memset(&next->shards[next->shard_count], 0, sizeof(next->shards[0]));
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        if (member->shard != SHARD_NONE && member->shard > index)
            member->shard--;
        if (member->target != SHARD_NONE && member->target > index)
            member->target--;
    }
    for (uint32_t i = 0; i < next->seat_count; i++)
        if (next->seats[i].shard > index)
            next->seats[i].shard--;
    config_index(next);
}

/* The slots of a transit become part of a shard. */
static void transit_join(struct config *next, uint32_t transit, uint32_t into)
{
    for (uint32_t i = next->seat_count; i > 0; i--)
        if (next->seats[i - 1].shard == transit)
            config__seat_erase(next, i - 1);
    slotset_merge(&next->shards[into].slots, &next->shards[transit].slots);
    shard_erase(next, transit);
}

static uint32_t arrivals(const struct config *config, uint32_t into, bool arrived[LIMIT_PARTS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->shard_count; i++) {
        arrived[i] = config->shards[i].into == config->shards[into].id && is_arrived(config, i);
        count += arrived[i];
    }
    return count;
}

/* Transits that have arrived at this shard join it, together, so that its members change their
 * terms once. */
static void shard_join(struct config *next, const struct plan *plan, uint32_t into, uint32_t most,
                       enum err *err)
{
    (void)plan;
    bool arrived[LIMIT_PARTS];
    arrivals(next, into, arrived);
    terms_end(next, into, err);
    members_renew(next, into, err);
    for (uint32_t i = next->shard_count; i > 0 && most > 0; i--) {
        if (!arrived[i - 1])
            continue;
        terms_end(next, i - 1, err);
        transit_join(next, i - 1, into);
        most--;
    }
}

/* ---- splitting ---- */

static uint32_t transit_add(struct config *next, uint32_t from, uint32_t into,
                            const struct slotset *slots, enum err *err)
{
    bool is_full = next->shard_count - config_lasting_shards(next) == LIMIT_TRANSITS;
    if (*err == E_OK && (is_full || next->next_actor >= SHARD_ID_TRANSIT))
        *err = E_ACTORS_FULL;
    uint32_t id = config__actor_take(next, err);
    if (*err != E_OK)
        return SHARD_NONE;
    uint32_t index = next->shard_count++;
    next->shards[index] = (struct shard){.id = SHARD_ID_TRANSIT | id,
                                         .from = next->shards[from].id,
                                         .into = next->shards[into].id,
                                         .slots = *slots};
    slotset_subtract(&next->shards[from].slots, slots);
    return index;
}

static void seats_add(struct config *next, uint32_t transit, uint32_t shard,
                      enum member_state state, enum err *err)
{
    for (uint32_t i = 0; i < next->member_count; i++)
        if (next->members[i].shard == shard)
            config__seat_add(next, transit, next->members[i].node_id, state, err);
}

/* The old terms of the shard's members are sealed for each part of its slots by itself. */
static void terms_split(struct config *next, const struct config *before, uint32_t shard,
                        uint32_t first_transit, enum err *err)
{
    for (uint32_t i = 0; i < before->member_count; i++) {
        const struct member *member = &before->members[i];
        if (member->shard != shard)
            continue;
        config__retire(next, member->actor, member->node_id, RETIRED_MOVING,
                       &next->shards[shard].slots, err);
        for (uint32_t t = first_transit; t < next->shard_count; t++)
            config__retire(next, member->actor, member->node_id, RETIRED_MOVING,
                           &next->shards[t].slots, err);
    }
}

/* To how many shards slots are to go from this one. */
static uint32_t departures(const struct config *config, const struct plan *plan, uint32_t shard)
{
    uint32_t count = 0;
    for (uint32_t to = 0; to < plan->shard_count; to++) {
        struct slotset slots;
        plan_slots(config, plan, shard, to, &slots);
        count += plan->shards[to].before != shard && slotset_size(&slots) > 0;
    }
    return count;
}

/* What the plan wants to go from this shard goes on its way. */
static void shard_split(struct config *next, const struct plan *plan, uint32_t shard, uint32_t most,
                        enum err *err)
{
    struct config *before = config_dup(next);
    uint32_t first_transit = next->shard_count;
    for (uint32_t to = 0; to < plan->shard_count && most > 0 && *err == E_OK; to++) {
        struct slotset slots;
        uint32_t into = plan->shards[to].before;
        plan_slots(before, plan, shard, to, &slots);
        if (into == shard || slotset_size(&slots) == 0)
            continue;
        ASSERT(into != SHARD_NONE); /* new shards have come before */
        uint32_t transit = transit_add(next, shard, into, &slots, err);
        if (*err == E_OK)
            seats_add(next, transit, shard, MEMBER_ACTIVE, err);
        if (*err == E_OK)
            seats_add(next, transit, into, MEMBER_SYNCING, err);
        most--;
    }
    members_renew(next, shard, err);
    if (*err == E_OK) {
        config_index(next);
        terms_split(next, before, shard, first_transit, err);
    }
    config_free(before);
}

/* As many as there is room for. True when a shard is split. */
static bool slots_leave(struct config **next, const struct plan *plan, enum err *err)
{
    uint32_t lasting = config_lasting_shards(*next);
    bool wanted = false;
    bool any = false;
    for (uint32_t shard = 0; shard < lasting && *err == E_OK; shard++) {
        uint32_t most = departures(*next, plan, shard);
        wanted = wanted || most > 0;
        any |= take_what_fits(next, plan, shard, most, shard_split, err);
    }
    if (wanted && !any && *err == E_OK)
        *err = E_ACTORS_FULL;
    return any;
}

/* ---- members ---- */

static bool goes_away(const struct plan *plan, uint32_t shard)
{
    for (uint32_t i = 0; i < plan->shard_count; i++)
        if (plan->shards[i].before == shard)
            return false;
    return true;
}

/* Shards that are new stand in next in the order of the plan. */
static uint32_t index_in(const struct plan *plan, uint32_t lasting, uint32_t planned)
{
    uint32_t added = lasting;
    for (uint32_t i = 0; i < planned; i++)
        added += plan->shards[i].before == SHARD_NONE;
    return plan->shards[planned].before != SHARD_NONE ? plan->shards[planned].before : added;
}

static void shards_add(struct config *next, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        if (plan->shards[i].before != SHARD_NONE)
            continue;
        ASSERT(next->shard_count < LIMIT_SHARDS);
        next->shards[next->shard_count++] =
            (struct shard){.id = plan->shards[i].id, .from = SHARD_NONE, .into = SHARD_NONE};
    }
}

/* True when a shard comes, or a member moves. Who is in a shard that goes stays until its slots
 * have gone. */
static bool members_leave(struct config *next, const struct plan *plan, enum err *err)
{
    uint32_t lasting = next->shard_count;
    bool any = false;
    shards_add(next, plan);
    any = next->shard_count > lasting;
    for (uint32_t i = 0; i < next->member_count && *err == E_OK; i++) {
        struct member *member = &next->members[i];
        ASSERT(plan->members[i] != SHARD_NONE || !member_counts(member)); /* see plan_of */
        if (plan->members[i] == SHARD_NONE)
            continue;
        uint32_t target = index_in(plan, lasting, plan->members[i]);
        if (member->state == MEMBER_SPARE) {
            config__place(next, member, target, err);
            any = true;
        } else if (member->shard != target && !goes_away(plan, member->shard)) {
            member->state = MEMBER_LEAVING;
            member->target = target;
            any = true;
        }
    }
    return any;
}

/* Shards that have no slots any more go, and their members to where the plan has them. */
static bool shards_go(struct config *next, const struct plan *plan, enum err *err)
{
    bool any = false;
    for (uint32_t i = 0; i < next->member_count && *err == E_OK; i++) {
        struct member *member = &next->members[i];
        if (!member_counts(member) || !goes_away(plan, member->shard))
            continue;
        uint32_t target =
            plan->members[i] != SHARD_NONE ? plan->shards[plan->members[i]].before : SHARD_NONE;
        member->state = MEMBER_SPARE;
        member->shard = SHARD_NONE;
        member->actor = 0;
        next->fence = next->epoch;
        if (target != SHARD_NONE)
            config__place(next, member, target, err);
    }
    for (uint32_t shard = next->shard_count; shard > 0; shard--) {
        if (!goes_away(plan, shard - 1))
            continue;
        ASSERT(slotset_size(&next->shards[shard - 1].slots) == 0);
        shard_erase(next, shard - 1);
        any = true;
    }
    return any;
}

/* ---- one step ---- */

static bool transits_switch(struct config *next)
{
    bool any = false;
    for (uint32_t i = config_lasting_shards(next); i < next->shard_count; i++) {
        if (!is_filled(next, i) || !lingers(next, i))
            continue;
        transit_switch(next, i);
        any = true;
    }
    return any;
}

/* One shard at a time. Where there is no room, what is retired has to be closed first. */
static bool transits_join(struct config **next, enum err *err)
{
    bool arrived[LIMIT_PARTS];
    uint32_t lasting = config_lasting_shards(*next);
    bool waits = false;
    for (uint32_t shard = 0; shard < lasting && *err == E_OK; shard++) {
        uint32_t most = arrivals(*next, shard, arrived);
        if (take_what_fits(next, NULL, shard, most, shard_join, err))
            return true;
        waits = waits || most > 0;
    }
    if (*err == E_OK && waits && (*next)->retired_count == 0)
        *err = E_ACTORS_FULL;
    return false;
}

/* The first of what the plan wants that is left to be done. */
static bool plan_goes_on(struct config **next, const struct plan *plan, enum err *err)
{
    return members_leave(*next, plan, err) || (*err == E_OK && slots_leave(next, plan, err)) ||
           (*err == E_OK && shards_go(*next, plan, err));
}

/* Who is in a shard and cannot be reached is waited for: it may have what was acknowledged and is
 * nowhere else, and nobody has said that it may be given up (I5). Spares are asked only when they
 * are there. */
static struct plan *plan_of(const struct config *config, uint32_t shard_count,
                            const bool alive[LIMIT_MEMBERS], enum err *err)
{
    struct plan_wish wish = {.shard_count = shard_count};
    for (uint32_t i = 0; i < config->member_count; i++)
        wish.alive[i] = alive[i] || member_counts(&config->members[i]);
    return plan_new(config, &wish, err);
}

static struct config *step(const struct config *config, uint32_t shard_count,
                           const bool alive[LIMIT_MEMBERS], enum err *err)
{
    struct plan *plan = plan_of(config, shard_count, alive, err);
    if (*err != E_OK)
        return NULL;
    struct config *next = config__begin(config, err);
    next->wanted_shards = shard_count;
    if (plan == NULL)
        next->wanted_shards = 0;
    else if (*err == E_OK && is_at_rest(config) && !plan_goes_on(&next, plan, err))
        ASSERT(*err != E_OK);
    plan_free(plan);
    return config__end(next, err);
}

struct config *config_reshard_step(const struct config *config, const bool alive[LIMIT_MEMBERS],
                                   enum err *err)
{
    *err = E_OK;
    struct config *next = config__begin(config, err);
    if (*err == E_OK && (transits_switch(next) || transits_join(&next, err)))
        return config__end(next, err);
    config_free(next);
    if (*err != E_OK || config->wanted_shards == 0 || !is_at_rest(config))
        return NULL;
    return step(config, config->wanted_shards, alive, err);
}

struct config *config_reshard(const struct config *config, uint32_t shard_count,
                              const bool alive[LIMIT_MEMBERS], enum err *err)
{
    if (config->wanted_shards == shard_count && shard_count != 0)
        return config__nothing(err);
    if (config_reshards(config))
        return config__refuse(E_RESHARDING, err);
    struct plan *plan = plan_of(config, shard_count, alive, err);
    if (plan == NULL)
        return NULL;
    plan_free(plan);
    for (uint32_t i = 0; i < config->member_count; i++)
        if (member_counts(&config->members[i]) && !alive[i])
            return config__refuse(E_MEMBER_DOWN, err);
    return step(config, shard_count, alive, err);
}

/* The slots are on their way back. Those that were to take them leave when those that gave them
 * have all of them, as always: until then nobody is dropped who may have the only copy. */
static void transit_turn(struct shard *transit)
{
    uint32_t from = transit->from;
    transit->from = transit->into;
    transit->into = from;
    transit->switched = true;
}

struct config *config_reshard_cancel(const struct config *config, enum err *err)
{
    if (config->wanted_shards == 0)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    next->wanted_shards = 0;
    for (uint32_t i = config_lasting_shards(next); i < next->shard_count && *err == E_OK; i++)
        if (!next->shards[i].switched)
            transit_turn(&next->shards[i]);
    return config__end(next, err);
}
