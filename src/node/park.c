/* park - requests that wait for their causes.
 *
 * Does:   keeps a request until what it needs is covered, hands it to a replica that has it, or
 *         answers 503 with who lacks what; looks waiting requests over.
 * Not:    deciding what is needed (replica_covers).
 * Holds:  a request is in one place: it leaves the list before it is forwarded (T16).
 * Limits: knobs max_requests, wait_ms, park_forward_ms.
 * See:    docs/protocol.md 3.3.
 */
#include "node/state.h"

void node__park(struct node *node, struct call *call, struct dot missing)
{
    if (waiters_full(&node->waiters, node->knobs->max_requests)) {
        node__answer_error(node, call, E_BUSY);
        return;
    }
    uint32_t index = waiters_add(&node->waiters, WAITER_PARKED, call);
    node->waiters.list[index].dot = missing;
    node->waiters.list[index].until_ms = call->deadline_ms;
    node->metrics.parked_total++;
    node__scan_soon(node);
    node__trace(node, TRACE_PARKED, call->id, missing.actor, missing.seq, SLICE_EMPTY);
}

static bool may_go_on(const struct node *node, const struct waiter *waiter)
{
    if (PLANTED(node->options.plant, WAKE_FORGOTTEN))
        return false;
    if (waiter->dot.actor == 0)
        return !node__behind(node, &waiter->call->ctx);
    const struct replica *replica = node__replica_of(node, waiter->call);
    if (replica == NULL || !replica_active(replica))
        return true; /* somebody else serves it now */
    return !replica_waits_for(replica, waiter->dot);
}

/* Something has been covered or adopted: whoever waited for it goes on. One that finds the next
 * thing missing is parked anew, behind those that are looked at here. */
void node__unpark(struct node *node)
{
    if (node->config == NULL)
        return;
    uint32_t todo = node->waiters.sizes[WAITER_PARKED];
    uint32_t next = node->waiters.head[WAITER_PARKED];
    for (uint32_t i = 0; i < todo && next != WAITER_NONE; i++) {
        uint32_t index = next;
        next = node->waiters.list[index].next;
        if (!may_go_on(node, &node->waiters.list[index]))
            continue;
        node__trace(node, TRACE_UNPARKED, node->waiters.list[index].call->id, 0, 0, SLICE_EMPTY);
        if (PLANTED(node->options.plant, PARKED_FORGOTTEN)) {
            waiters_remove(&node->waiters, index);
            continue;
        }
        node__resume(node, index);
    }
}

static void time_out(struct node *node, uint32_t index)
{
    const struct waiter *waiter = &node->waiters.list[index];
    struct answer answer = {.err = E_NOT_COVERED};
    REACHED(&node->metrics, PARKED_TOO_LONG);
    if (waiter->dot.actor == 0)
        answer.err = E_EPOCH_BEHIND;
    if (node->stop_asked)
        answer.err = E_STOPPING;
    struct call call;
    waiters_call(&node->waiters, index, &call);
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
}

/* True when the request has been handed to a replica that covers what it needs. */
static bool hand_on(struct node *node, uint32_t index)
{
    const struct waiter *waiter = &node->waiters.list[index];
    if (waiter->dot.actor == 0 || waiter->call->hops >= 2 ||
        node->mono_ms - waiter->call->since_ms < node->knobs->park_forward_ms)
        return false;
    struct call call;
    waiters_call(&node->waiters, index, &call);
    const struct replica *replica = node__replica_of(node, &call);
    uint64_t target = replica != NULL ? node__target(node, &call, replica_shard(replica)) : 0;
    if (target == 0)
        return false;
    REACHED(&node->metrics, HANDED_TO_COVERING);
    node->waiters.going_on++;
    node__forward(node, &call, target);
    node->waiters.going_on--;
    if (!PLANTED(node->options.plant, PARK_AND_FORWARD))
        waiters_remove(&node->waiters, index);
    return true;
}

static void scan_parked(struct node *node)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_PARKED]; i != WAITER_NONE; i = next) {
        next = node->waiters.list[i].next;
        if (node->stop_asked || node->mono_ms >= node->waiters.list[i].until_ms)
            time_out(node, i);
        else
            hand_on(node, i);
    }
}

/* Whatever waits has a time at which something must happen to it. */
void node__scan_soon(struct node *node)
{
    if (node->scan_ms > node->mono_ms + SCAN_MS)
        node->scan_ms = node->mono_ms + SCAN_MS;
}

void node__scan(struct node *node)
{
    if (node->mono_ms < node->scan_ms)
        return;
    node->scan_ms = node->waiters.count > 0 ? node->mono_ms + SCAN_MS : UINT64_MAX;
    scan_parked(node);
    node__scan_forwards(node);
    node__ack(node);
}
