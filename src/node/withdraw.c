/* withdraw - requests that this node cannot carry to their end any more.
 *
 * Does:   routes anew what was parked, or refuses it; says of writes whose term has ended, and of
 *         forwards whose answers would not be believed, that their outcome is not known.
 * Not:    stopping (node.c).
 * Holds:  a write that has a dot is never done again (docs/protocol.md 3.5).
 * Limits: -
 * See:    docs/protocol.md 3.5, 6.3, 6.4.
 */
#include "node/state.h"

/* A term of this node that goes on, or that it has to seal itself. */
static bool is_own(const struct node *node, uint32_t actor)
{
    const struct member *member = config_member_by_actor(node->config, actor);
    const struct retired *retired = config_retired(node->config, actor, SHARD_NONE);
    return (member != NULL && member->node_id == node->id) ||
           (retired != NULL && retired->state == RETIRED_MOVING && retired->node_id == node->id);
}

/* Of writes of such terms nothing is said, unless all is set. */
void node__refuse_written(struct node *node, bool all)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_WRITTEN]; i != WAITER_NONE; i = next) {
        next = node->waiters.list[i].next;
        if (!all && is_own(node, node->waiters.list[i].dot.actor))
            continue;
        struct call call;
        waiters_call(&node->waiters, i, &call);
        struct answer answer = {.err = E_UNKNOWN, .unknown = true};
        node__answer(node, &call, &answer);
        waiters_remove(&node->waiters, i);
    }
}

static void refuse_parked(struct node *node, uint32_t index)
{
    struct call call;
    waiters_call(&node->waiters, index, &call);
    node__answer_error(node, &call, E_NOT_READY);
    waiters_remove(&node->waiters, index);
}

/* It does not serve its shard any more; whether it still has a place its phase says. */
void node__withdraw(struct node *node)
{
    bool refuses = node->phase == NODE_ASKING || node->phase == NODE_REFUSED;
    uint32_t todo = node->waiters.sizes[WAITER_PARKED];
    uint32_t next = node->waiters.head[WAITER_PARKED];
    for (uint32_t i = 0; i < todo && next != WAITER_NONE; i++) {
        uint32_t index = next;
        next = node->waiters.list[index].next;
        if (refuses)
            refuse_parked(node, index);
        else
            node__resume(node, index);
    }
    if (!refuses)
        return;
    while (node->waiters.head[WAITER_FORWARDED] != WAITER_NONE)
        node__give_up(node, node->waiters.head[WAITER_FORWARDED]);
    node__refuse_written(node, true);
}
