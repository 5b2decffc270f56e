/* config_leave - who goes.
 *
 * Does:   config_remove, config_left; see config_change.h.
 * Not:    knowing when a member has handed over (replica/).
 * Holds:  see config_change.h.
 * Limits: -
 * See:    docs/protocol.md 6.4, 6.7 (T18, T38).
 */
#include "placement/config_parts.h"

/* A removal while it is worked out: next has the members of config at the same places until the
 * last step. */
struct removing {
    const struct config *config;
    struct config *next;
    bool goes[LIMIT_MEMBERS];   /* named */
    bool alive[LIMIT_MEMBERS];  /* believed so */
    bool erased[LIMIT_MEMBERS]; /* gone at once */
    enum plant plant;           /* PLANT build only: the active planted bug */
};

static enum err addresses_find(struct removing *removing, const struct removal *removal)
{
    ASSERT(removal->address_count > 0);
    const struct config *config = removing->config;
    for (uint32_t i = 0; i < removal->address_count; i++) {
        struct slice address = slice_str(removal->addresses[i].text);
        const struct member *member = config_member_by_address(config, address);
        if (member == NULL)
            return E_NOT_LISTED;
        removing->goes[member - config->members] = true;
    }
    return E_OK;
}

/* Members of a shard or transit in one state, that go or not, alive or not. */
static uint32_t count_in(const struct removing *removing, uint32_t shard, enum member_state state,
                         bool goes, bool alive)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t place_count = config_places(removing->config, shard, places);
    uint32_t count = 0;
    for (uint32_t i = 0; i < place_count; i++) {
        size_t member = (size_t)(places[i].member - removing->config->members);
        count += places[i].state == state && removing->goes[member] == goes &&
                 removing->alive[member] == alive;
    }
    return count;
}

static uint32_t count_any(const struct removing *removing, uint32_t shard, enum member_state state,
                          bool goes)
{
    return count_in(removing, shard, state, goes, true) +
           count_in(removing, shard, state, goes, false);
}

/* True when somebody who has all of the shard's data stays, or none has and somebody stays. While
 * a live one is to hand over, whom it hands over to has to be active and alive: else the shard
 * would have nobody who serves. Where all of the active that go are dead, one that was leaving
 * can stay instead. */
static bool data_stays(const struct removing *removing, uint32_t shard)
{
    if (config__is_idle(removing->config, shard))
        return true;
    uint32_t active = count_any(removing, shard, MEMBER_ACTIVE, false);
    if (count_in(removing, shard, MEMBER_ACTIVE, true, true) > 0)
        return count_in(removing, shard, MEMBER_ACTIVE, false, true) > 0;
    if (count_any(removing, shard, MEMBER_ACTIVE, true) > 0)
        return active + count_any(removing, shard, MEMBER_LEAVING, false) > 0;
    uint32_t syncing_goes = count_any(removing, shard, MEMBER_SYNCING, true);
    return active > 0 || syncing_goes == 0 || count_any(removing, shard, MEMBER_SYNCING, false) > 0;
}

/* Those that go without handing over: of no shard, or dead. */
static void dead_go(struct removing *removing, enum err *err)
{
    for (uint32_t i = 0; i < removing->next->member_count; i++) {
        struct member *member = &removing->next->members[i];
        if (!removing->goes[i] || (member_counts(member) && removing->alive[i]))
            continue;
        if (member_counts(member))
            config__fail(removing->next, member, err);
        removing->erased[i] = true;
    }
}

/* True when a syncing member can be dropped: what it has, others have too. */
static bool can_be_dropped(const struct config *config, uint32_t shard)
{
    return config_count(config, shard, MEMBER_ACTIVE) > 0 && !config__is_unsettled(config, shard);
}

static void live_go(struct removing *removing, bool force, enum err *err)
{
    for (uint32_t i = 0; i < removing->next->member_count && *err == E_OK; i++) {
        struct member *member = &removing->next->members[i];
        if (!removing->goes[i] || removing->erased[i])
            continue;
        ASSERT(member_counts(member));
        if (member->state != MEMBER_SYNCING) {
            member->state = MEMBER_LEAVING;
            member->target = SHARD_NONE;
        } else if (force || can_be_dropped(removing->next, member->shard)) {
            config__fail(removing->next, member, err);
            removing->erased[i] = true;
        } else {
            *err = E_UNSETTLED;
        }
    }
}

/* Somebody comes to the shard; E_TOO_FEW when nobody can. */
static void shard_refill(struct removing *removing, uint32_t shard,
                         const bool usable[LIMIT_MEMBERS], enum err *err)
{
    if (!config__spare_take(removing->next, shard, usable, err) &&
        !config__donor_take(removing->next, shard, usable, 3) && *err == E_OK)
        *err = E_TOO_FEW;
}

/* Shards that lose members get others, up to the two that they had. */
static void shards_refill(struct removing *removing, bool force, enum err *err)
{
    const struct config *next = removing->next;
    bool usable[LIMIT_MEMBERS];
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        usable[i] = removing->alive[i] && !removing->goes[i];
    for (uint32_t shard = 0; shard < config_lasting_shards(next); shard++) {
        uint32_t before = config__tolerance(removing->config, shard);
        uint32_t wanted = config__is_idle(next, shard) ? 0 : before < 2 ? before : 2;
        while (*err == E_OK && config__tolerance(next, shard) < wanted)
            shard_refill(removing, shard, usable, err);
        if (*err == E_TOO_FEW && force && !PLANTED(removing->plant, FORCE_IN_VAIN))
            *err = wanted == 0 || config__tolerance(next, shard) > 0 ? E_OK : E_NO_HEIR;
    }
}

/* False when all that are named are on their way already. */
static bool changes_anything(const struct removing *removing)
{
    for (uint32_t i = 0; i < removing->config->member_count; i++) {
        const struct member *member = &removing->config->members[i];
        bool on_its_way = member->state == MEMBER_LEAVING && member->target == SHARD_NONE;
        if (removing->goes[i] && !(on_its_way && removing->alive[i]))
            return true;
    }
    return false;
}

/* One that is alive, and to go, takes part in a transit: it goes when that has ended. */
static bool takes_part(const struct removing *removing)
{
    for (uint32_t i = 0; i < removing->config->seat_count; i++) {
        uint64_t node_id = removing->config->seats[i].node_id;
        const struct member *member = config_member_by_id(removing->config, node_id);
        if (removing->goes[member - removing->config->members] &&
            removing->alive[member - removing->config->members])
            return true;
    }
    return false;
}

/* For the planted bug: a dead one is to go from a shard with a retired actor that is not closed. It
 * may be the dead one whose report that lacks, so nobody may wait with its removal (T38). */
static bool waits_for_reports(const struct removing *removing)
{
    const struct config *config = removing->config;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (removing->goes[i] && !removing->alive[i] && member_counts(&config->members[i]) &&
            config__is_unsettled(config, config->members[i].shard))
            return true;
    return false;
}

static struct config *removing_run(struct removing *removing, bool force, enum err *err)
{
    struct config *next = config__begin(removing->config, err);
    removing->next = next;
    if (takes_part(removing))
        *err = E_RESHARDING;
    for (uint32_t i = 0; i < next->shard_count && *err == E_OK; i++)
        if (!data_stays(removing, i))
            *err = E_LAST_ACTIVE;
    dead_go(removing, err);
    config__leavers_keep(next);
    live_go(removing, force, err);
    shards_refill(removing, force, err);
    if (PLANTED(removing->plant, REMOVAL_WAITS) && *err == E_OK && waits_for_reports(removing))
        *err = E_UNSETTLED;
    for (uint32_t i = next->member_count; i > 0; i--)
        if (removing->erased[i - 1])
            config__erase(next, &next->members[i - 1]);
    return config__end(next, err);
}

struct config *config_remove(const struct config *config, const struct removal *removal,
                             enum err *err)
{
    struct removing removing = {.config = config, .plant = removal->plant};
    memcpy(removing.alive, removal->alive, sizeof(removing.alive));
    *err = addresses_find(&removing, removal);
    if (*err != E_OK || !changes_anything(&removing))
        return NULL;
    return removing_run(&removing, removal->force, err);
}

/* False while the shard would have fewer than two members without this one, and more are to come:
 * who is to take its place comes first. Who moves does not wait: two shards might wait for each
 * other. */
static bool may_leave(const struct config *config, const struct member *member)
{
    if (config__is_unsettled(config, member->shard))
        return false;
    return member->target != SHARD_NONE || config__staying(config, member->shard) >= 2 ||
           config__incoming(config, member->shard) == 0;
}

/* Gone from a transit: its slots are in good hands. */
static struct config *seat_left(const struct config *config, const struct place *place,
                                enum err *err)
{
    if (config__is_unsettled(config, place->shard))
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    next->fence = next->epoch;
    for (uint32_t i = next->seat_count; i > 0; i--)
        if (next->seats[i - 1].actor == place->actor)
            config__seat_erase(next, i - 1);
    return config__end(next, err);
}

struct config *config_left(const struct config *config, uint64_t node_id, uint32_t actor,
                           enum err *err)
{
    struct place place;
    if (!config_place_by_actor(config, actor, &place) || place.member->node_id != node_id ||
        place.state != MEMBER_LEAVING)
        return config__nothing(err);
    if (place.shard != place.member->shard)
        return seat_left(config, &place, err);
    if (!may_leave(config, place.member))
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    struct member *member = &next->members[place.member - config->members];
    uint32_t target = member->target;
    next->fence = next->epoch;
    member->state = MEMBER_SPARE;
    member->shard = SHARD_NONE;
    member->target = SHARD_NONE;
    member->actor = 0;
    if (target == SHARD_NONE)
        config__erase(next, member);
    else
        config__place(next, member, target, err);
    return config__end(next, err);
}
