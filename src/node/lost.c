/* lost - what may have been lost of what a client has seen.
 *
 * Does:   lists the losses of the configuration that a context names, before anything is pruned
 *         from it; says in the log what a configuration to be adopted has lost beyond the last one.
 * Not:    keeping losses (placement/config_change.h).
 * Holds:  I5: what may be lost is told, once: the token of the same answer does not name it any
 *         more, and carries the fence of the configuration that told it.
 * Limits: LIMIT_LOST: the newest when a call is first looked at, later ones while there is room.
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

static bool is_listed(const struct call *call, const struct loss *loss)
{
    for (uint32_t i = 0; i < call->lost_count; i++)
        if (call->lost[i].epoch == loss->epoch && call->lost[i].actor == loss->actor &&
            call->lost[i].shard_id == loss->shard)
            return true;
    return false;
}

void node__note_lost(const struct node *node, struct call *call)
{
    if (node->config == NULL || call->origin != 0 || PLANTED(node->options.plant, LOSS_UNTOLD))
        return; /* the node that the client asked tells it */
    for (uint32_t i = node->config->loss_count; i > 0 && call->lost_count < LIMIT_LOST; i--) {
        const struct loss *loss = &node->config->losses[i - 1];
        if (!concerns(node, call, loss) || is_listed(call, loss))
            continue;
        call->lost[call->lost_count++] = (struct lost){.shard_id = loss->shard,
                                                       .actor = loss->actor,
                                                       .whole_seq = loss->whole_seq,
                                                       .epoch = loss->epoch};
    }
}

static bool has_loss(const struct config *config, const struct loss *loss)
{
    for (uint32_t i = config->loss_count; i > 0; i--) {
        const struct loss *known = &config->losses[i - 1];
        if (known->epoch == loss->epoch && known->actor == loss->actor &&
            known->shard == loss->shard && known->whole_seq == loss->whole_seq)
            return true;
    }
    return false;
}

void node__trace_losses(struct node *node, const struct config *next)
{
    for (uint32_t i = 0; node->config != NULL && i < next->loss_count; i++) {
        const struct loss *loss = &next->losses[i];
        if (has_loss(node->config, loss))
            continue;
        if (loss->actor == 0)
            node__trace(node, TRACE_LOST_SHARD, loss->shard, loss->epoch, 0, SLICE_EMPTY);
        else
            node__trace(node, TRACE_LOST_WRITES, loss->actor, loss->whole_seq, loss->shard,
                        SLICE_EMPTY);
    }
}
