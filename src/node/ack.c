/* ack - writes that wait until they may be acknowledged.
 *
 * Does:   answers a write when a second member has receipted it; when nobody receipts, after
 *         this node alone has synced it, and then says so.
 * Not:    receipts (replica/report.c), syncs (commit.c).
 * Holds:  I5: what is acknowledged has been committed by two members, or synced by this one while
 *         no other had receipted for suspect_ms (T12, T39).
 * Limits: -
 * See:    docs/protocol.md I5, 3.4.
 */
#include "node/state.h"

static void acknowledge(struct node *node, uint32_t index, uint32_t copies)
{
    const struct waiter *waiter = &node->waiters.list[index];
    struct answer answer = {.outcome = waiter->outcome, .copies = copies};
    if (copies < waiter->call->copies)
        answer = (struct answer){.err = E_COPIES, .unknown = true, .copies = copies};
    if (copies == 1)
        node->metrics.acks_alone++;
    struct call call;
    waiters_call(&node->waiters, index, &call);
    if (!answer.unknown) { /* else without the new dot (3.5) */
        bool fits = vv_raise(&call.ctx.seen, waiter->dot.actor, waiter->dot.seq);
        ASSERT(fits); /* serve_write has made sure */
    }
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
    if (PLANTED(node->options.plant, WAITER_LEAK))
        node->waiters.bytes++;
}

void node__await(struct node *node, struct call *call, uint32_t slot, struct dot dot,
                 enum outcome outcome)
{
    call->key = call->value = SLICE_EMPTY; /* they are in the table now */
    uint32_t index = waiters_add(&node->waiters, WAITER_WRITTEN, call);
    struct waiter *waiter = &node->waiters.list[index];
    waiter->dot = dot;
    waiter->slot = slot;
    waiter->outcome = outcome;
    waiter->position = log_position(node->log);
    waiter->until_ms = UINT64_MAX;
    /* In a cluster that was meant to be of one DURABILITY alone decides. Who is alone in its shard
     * otherwise has lost others, and syncs. */
    bool meant = node->options.view_count == 1 && node->config->member_count == 1;
    if (replica_single(replicas_of_slot(node->replicas, slot)) && meant) {
        acknowledge(node, index, call->copies > 1 ? 1 : 0); /* held until it is committed */
        return;
    }
    node__scan_soon(node);
}

static void say_alone(struct node *node, bool alone)
{
    if (alone == node->alone_said)
        return;
    node->alone_said = alone;
    node__trace(node, alone ? TRACE_ALONE : TRACE_TOGETHER, 0, 0, 0, SLICE_EMPTY);
}

/* Somebody receipts again: said at once, not with the next write. */
void node__watch_alone(struct node *node)
{
    if (node->alone_said && !replica_alone(replicas_home(node->replicas), node->mono_ms))
        say_alone(node, false);
}

/* The replica that knows who has receipted it: the present one of its slot, also when it was
 * written in a term before. Where its slot has gone elsewhere it has been covered there by all. */
static const struct replica *receipts_of(const struct node *node, const struct waiter *waiter)
{
    const struct replica *replica = replicas_of_slot(node->replicas, waiter->slot);
    return replica != NULL ? replica : replicas_home(node->replicas);
}

static bool is_of_ended_term(const struct replica *replica, const struct waiter *waiter)
{
    return waiter->dot.actor != replica_actor(replica);
}

/* Who receipts all of the present term may owe receipts of an earlier one. So a write of an ended
 * term waits SUSPECT_MS from the last epoch at most. */
static bool is_alone(const struct node *node, const struct replica *replica,
                     const struct waiter *waiter)
{
    bool ended = is_of_ended_term(replica, waiter);
    bool late = node->mono_ms - node->adopted_ms >= node->knobs->suspect_ms;
    return replica_alone(replica, node->mono_ms) || (ended && late);
}

/* Oldest first. */
void node__ack(struct node *node)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_WRITTEN]; i != WAITER_NONE; i = next) {
        const struct waiter *waiter = &node->waiters.list[i];
        next = waiter->next;
        const struct replica *replica = receipts_of(node, waiter);
        if (replica_receipted(replica, waiter->dot)) {
            say_alone(node, false);
            acknowledge(node, i, 2);
            continue;
        }
        if (!is_alone(node, replica, waiter)) {
            /* The later ones wait for the same receipts; those of an ended term come by walks. */
            if (replicas_count(node->replicas) == 1 && !is_of_ended_term(replica, waiter))
                return;
            continue;
        }
        say_alone(node, true);
        if (node->commits.synced < waiter->position &&
            !PLANTED(node->options.plant, LONE_ACK_UNSYNCED)) {
            REACHED(&node->metrics, ACK_WAITS_FOR_SYNC);
            node->commits.sync_wanted = true;
            continue;
        }
        REACHED(&node->metrics, ACK_ALONE);
        acknowledge(node, i, 1);
    }
}
