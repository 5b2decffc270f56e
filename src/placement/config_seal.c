/* config_seal - the end of an actor.
 *
 * Does:   config_sealed, config_closed; see config_change.h.
 * Not:    beginning to seal: whatever ends a term does (config_parts.c).
 * Holds:  sealing, sealed, closed, in this order; back to sealing when a keeper is lost.
 * Limits: -
 * See:    docs/protocol.md 6.5.
 */
#include "placement/config_parts.h"

/* The entry in next of an actor that is retired and in this state, or NULL. */
static const struct retired *retired_in(const struct config *config, uint32_t actor,
                                        enum retired_state state)
{
    const struct retired *retired = config_retired(config, actor);
    return retired != NULL && retired->state == state ? retired : NULL;
}

/* Id of the shard that owns what the actor wrote. Its slots lie in one shard for as long as slots
 * do not move. */
static uint32_t shard_id_of(const struct config *config, const struct retired *retired)
{
    uint32_t first = slotset_next(&retired->slots, 0);
    uint32_t shard = first < LIMIT_SLOTS ? config_shard_of_slot(config, first) : 0;
    return config->shards[shard].id;
}

struct config *config_sealed(const struct config *config, uint32_t actor, uint64_t last_seq,
                             uint64_t whole_seq, uint64_t wall_ms, enum err *err)
{
    const struct retired *sealing = retired_in(config, actor, RETIRED_SEALING);
    if (sealing == NULL)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    struct retired *retired = &next->retired[sealing - config->retired];
    retired->state = RETIRED_SEALED;
    retired->since = next->epoch;
    retired->last_seq = last_seq;
    config__lose(next, actor, shard_id_of(next, retired),
                 whole_seq < last_seq ? whole_seq : last_seq, wall_ms);
    return config__end(next, *err);
}

struct config *config_closed(const struct config *config, uint32_t actor, enum err *err)
{
    const struct retired *sealed = retired_in(config, actor, RETIRED_SEALED);
    if (sealed == NULL)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    size_t index = (size_t)(sealed - config->retired);
    next->retired_count--;
    memmove(&next->retired[index], &next->retired[index + 1],
            (next->retired_count - index) * sizeof(next->retired[0]));
    memset(&next->retired[next->retired_count], 0, sizeof(next->retired[0]));
    return config__end(next, *err);
}
