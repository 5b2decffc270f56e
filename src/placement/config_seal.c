/* config_seal - the end of an actor.
 *
 * Does:   config_sealed, config_closed; see config_change.h.
 * Not:    beginning to seal: whatever ends a term does (config_parts.c).
 * Holds:  sealing, sealed, closed, in this order; back to sealing when a keeper is lost.
 * Limits: -
 * See:    docs/protocol.md 6.5.
 */
#include "placement/config_parts.h"

struct config *config_sealed(const struct config *config, uint32_t actor, uint32_t shard,
                             uint64_t last_seq, uint64_t whole_seq, uint64_t wall_ms, enum err *err)
{
    const struct retired *sealing = config_retired(config, actor, shard);
    if (sealing == NULL || sealing->state != RETIRED_SEALING)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    struct retired *retired = &next->retired[sealing - config->retired];
    retired->state = RETIRED_SEALED;
    retired->since = next->epoch;
    retired->last_seq = last_seq;
    uint32_t told = config_public_shard(next, config_shard_of_retired(next, retired));
    config__lose(next, actor, next->shards[told].id, whole_seq < last_seq ? whole_seq : last_seq,
                 wall_ms);
    return config__end(next, err);
}

struct config *config_closed(const struct config *config, uint32_t actor, uint32_t shard,
                             enum err *err)
{
    const struct retired *retired = config_retired(config, actor, shard);
    if (retired == NULL || retired->state == RETIRED_SEALING)
        return config__nothing(err);
    struct config *next = config__begin(config, err);
    config__retired_erase(next, (uint32_t)(retired - config->retired));
    return config__end(next, err);
}
