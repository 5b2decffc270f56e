/* lost - what may have been lost of what a client has seen.
 *
 * Does:   lists the losses of the configuration that a context names, for the answer that cleans
 *         it.
 * Not:    keeping losses (placement/config_change.h).
 * Holds:  I5: what may be lost is told, once: the token of the same answer does not name it any
 *         more, and carries the fence of the configuration that told it.
 * Limits: LIMIT_LOST; the newest where there are more.
 * See:    docs/protocol.md 6.5 (T31).
 */
#include "node/state.h"

static uint64_t seen_of(const struct call *call, uint32_t actor)
{
    return vv_get(&call->ctx.seen, actor);
}

/* An actor's writes may still turn up until it is closed; a shard's loss concerns every context
 * that is older than it, because what was stable stands in none (T31). */
static bool concerns(const struct node *node, const struct call *call, const struct loss *loss)
{
    if (loss->actor == 0)
        return call->informed && call->fence < loss->epoch;
    return config_actor_closed(node->config, loss->actor) &&
           seen_of(call, loss->actor) > loss->whole_seq;
}

uint32_t node__lost(const struct node *node, const struct call *call, struct lost list[LIMIT_LOST])
{
    uint32_t count = 0;
    if (node->config == NULL)
        return 0;
    for (uint32_t i = node->config->loss_count; i > 0 && count < LIMIT_LOST; i--) {
        const struct loss *loss = &node->config->losses[i - 1];
        if (concerns(node, call, loss))
            list[count++] = (struct lost){.shard_id = loss->shard,
                                          .actor = loss->actor,
                                          .whole_seq = loss->whole_seq,
                                          .epoch = loss->epoch};
    }
    return count;
}
