/* config_join - who comes in, and begins to serve.
 *
 * Does:   config_touch, config_admit, config_renew, config_invite, config_assign,
 *         config_activate, config_merged; see config_change.h.
 * Not:    leaving (config_leave.c).
 * Holds:  see config_change.h.
 * Limits: -
 * See:    docs/protocol.md 6.2, 6.3, section 5.
 */
#include "placement/config_parts.h"

struct config *config_touch(const struct config *config, enum err *err)
{
    struct config *next = config__begin(config, err);
    return config__end(next, err);
}

/* The member of next that stands where `member` stands in config. */
static struct member *same_in(struct config *next, const struct config *config,
                              const struct member *member)
{
    size_t index = (size_t)(member - config->members);
    ASSERT(index < config->member_count);
    return &next->members[index];
}

/* The listed node at `mover` says that it listens at another address now. */
static void member_moves(struct config *next, struct member *mover, struct member *there,
                         const struct address *address)
{
    struct address vacated = mover->address;
    mover->address = *address;
    if (there == NULL)
        return;
    there->address = vacated;
    if (there->state == MEMBER_INVITED)
        config__erase(next, there); /* it was this node that was invited */
}

struct config *config_admit(const struct config *config, uint64_t node_id,
                            const struct address *address, uint64_t wall_ms, enum err *err)
{
    if (node_id == 0 || !address__is_canonical(address))
        return config__refuse(E_MALFORMED, err);
    const struct member *by_id = config_member_by_id(config, node_id);
    const struct member *there = config_member_by_address(config, slice_str(address->text));
    if (by_id != NULL && by_id == there)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    struct member *place = there != NULL ? same_in(next, config, there) : NULL;
    if (by_id != NULL) {
        member_moves(next, same_in(next, config, by_id), place, address);
        return config__end(next, err);
    }
    if (place == NULL)
        place = config__append(next, address, err);
    config__replace(next, place, node_id, false, wall_ms, err);
    return config__end(next, err);
}

struct config *config_renew(const struct config *config, uint64_t node_id, uint32_t actor,
                            uint64_t wall_ms, enum err *err)
{
    const struct member *member = config_member_by_id(config, node_id);
    if (member == NULL || !member_counts(member) || member->actor != actor)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    config__replace(next, same_in(next, config, member), node_id, true, wall_ms, err);
    return config__end(next, err);
}

/* A member that was on its way off the list is wanted after all. */
static struct config *member_stays(const struct config *config, const struct member *member,
                                   enum err *err)
{
    if (member->state != MEMBER_LEAVING || member->target != SHARD_NONE)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    same_in(next, config, member)->state = MEMBER_ACTIVE;
    return config__end(next, err);
}

struct config *config_invite(const struct config *config, const struct address *address,
                             enum err *err)
{
    if (!address__is_canonical(address))
        return config__refuse(E_MALFORMED, err);
    const struct member *there = config_member_by_address(config, slice_str(address->text));
    if (there != NULL)
        return member_stays(config, there, err);
    struct config *next = config__begin(config, err);
    config__append(next, address, err);
    return config__end(next, err);
}

struct config *config_assign(const struct config *config, const struct address *address,
                             uint32_t shard, enum err *err)
{
    if (shard >= config_lasting_shards(config))
        return config__refuse(E_NO_SHARD, err);
    const struct member *member = config_member_by_address(config, slice_str(address->text));
    if (member == NULL)
        return config__refuse(E_NOT_LISTED, err);
    if (member->state == MEMBER_INVITED)
        return config__refuse(E_NOT_ARRIVED, err);
    if (member->target == shard)
        return config__nothing(err);
    if (member_counts(member) && (member->shard != shard || member->target != SHARD_NONE))
        return config__refuse(E_OTHER_SHARD, err);
    if (member_counts(member))
        return member_stays(config, member, err);
    if (config->wanted_shards != 0)
        return config__refuse(E_RESHARDING, err);
    struct config *next = config__begin(config, err);
    config__place(next, same_in(next, config, member), shard, err);
    return config__end(next, err);
}

struct config *config_activate(const struct config *config, uint64_t node_id, uint32_t actor,
                               enum err *err)
{
    struct place place;
    if (!config_place_by_actor(config, actor, &place) || place.member->node_id != node_id ||
        place.state != MEMBER_SYNCING)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    *config__state_of(next, actor) = MEMBER_ACTIVE;
    return config__end(next, err);
}

struct config *config_merged(const struct config *config, uint32_t shard, uint64_t wall_ms,
                             enum err *err)
{
    if (shard >= config->shard_count || config_count(config, shard, MEMBER_ACTIVE) > 0 ||
        config_count(config, shard, MEMBER_SYNCING) == 0 ||
        slotset_size(&config->shards[shard].slots) == 0)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(next, shard, places);
    for (uint32_t i = 0; i < count; i++)
        *config__state_of(next, places[i].actor) = MEMBER_ACTIVE;
    config__lose(next, 0, next->shards[config_public_shard(next, shard)].id, 0, wall_ms);
    return config__end(next, err);
}
