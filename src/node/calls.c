/* calls - what becomes of a forward, or of its answer, when a connection breaks under it.
 *
 * Does:   counts calls (FORWARD and FORWARD_REPLY) at both ends of each connection; when another
 *         connection follows, the acceptor says how many had reached it: forwards that had not are
 *         routed anew, answers that had not are said again.
 * Not:    routing (route.c).
 * Holds:  3.5: a write is handed on again only when the one it went to has said that it did not
 *         arrive and, having greeted a later connection, will never take it from the old one (J2).
 * Limits: LIMIT_KEPT_BYTES; a forward whose connection broke waits 2 suspect_ms for word of it.
 * See:    docs/protocol.md 3.5; docs/decisions/0020.
 *
 *      HELD ──left──► SENT ──"arrived"──► ARRIVED ──the answer──► (gone)
 *       │              └──"did not arrive"──► routed anew
 *       └──no connection──► UNSENT ──► routed anew
 */
#include "node/state.h"

/* So many answers at most are kept in vain for a node that hears all of them. */
#define SAY_EVERY 128U

bool node__is_call(uint8_t type)
{
    return type == MSG_FORWARD || type == MSG_FORWARD_REPLY;
}

/* ---- out ---- */

static void forward_leaves(struct node *node, uint64_t to, uint32_t generation, uint64_t number,
                           struct slice frame)
{
    struct read in = read_of(frame);
    read_bytes(&in, FRAME_HEAD_BYTES);
    uint32_t index = waiters_find(&node->waiters, read_u64(&in)); /* the first field: its id */
    if (index == WAITER_NONE)
        return; /* its client has gone, or a read went elsewhere */
    struct waiter *waiter = &node->waiters.list[index];
    ASSERT(waiter->state == WAITER_FORWARDED && waiter->target == to);
    ASSERT(waiter->sent == FORWARD_HELD);
    waiter->sent = generation != 0 ? FORWARD_SENT : FORWARD_UNSENT;
    waiter->generation = generation;
    waiter->number = number;
    if (waiter->sent == FORWARD_UNSENT)
        node__scan_soon(node);
}

/* A call leaves on the link, or is lost for want of one. */
void node__call_leaves(struct node *node, struct link *link, const struct outbox_item *item,
                       struct slice frame)
{
    uint32_t generation = 0;
    uint64_t number = 0;
    if (link != NULL && link->state == LINK_UP) {
        generation = link->dial;
        number = ++link->calls_out;
    }
    if (item->type == MSG_FORWARD)
        forward_leaves(node, item->to, generation, number, frame);
    else
        kept_add(&node->kept, item->to, generation, number, frame);
}

/* ---- in ---- */

static void say_heard(struct node *node, uint64_t conn, const struct msg_calls_heard *heard)
{
    struct msg_calls_heard msg = *heard;
    if (PLANTED(node->options.plant, CALLS_UNDERCOUNTED) && msg.calls > 0)
        msg.calls--;
    outbox_calls_heard(node__direct(node), conn, &msg);
}

void node__count_call(struct node *node, struct guest *guest)
{
    guest->calls++;
    if (guest->calls - guest->calls_said < SAY_EVERY)
        return;
    guest->calls_said = guest->calls;
    struct msg_calls_heard heard = {
        .first = guest->generation, .generation = guest->generation, .calls = guest->calls};
    say_heard(node, guest->conn, &heard);
}

/* To one that has just greeted on conn: how far its last connection got. */
void node__say_calls_heard(struct node *node, uint64_t conn, struct link *link, uint32_t generation)
{
    if (link->first_heard == 0 || generation < link->first_heard)
        link->first_heard = generation;
    struct msg_calls_heard heard = {.first = link->first_heard};
    if (link->last_heard != generation) { /* else of an earlier process, which counted likewise */
        heard.generation = link->last_heard;
        heard.calls = link->last_calls;
    }
    say_heard(node, conn, &heard);
}

/* ---- what the other side has heard ---- */

enum word {
    WORD_ARRIVED,
    WORD_NEVER,   /* has not arrived and never will */
    WORD_UNKNOWN, /* the process that could tell has ended */
};

static enum word word_of(const struct waiter *waiter, const struct msg_calls_heard *msg)
{
    if (msg->first == 0 || waiter->generation < msg->first)
        return WORD_UNKNOWN; /* it came up to another process */
    if (msg->generation > waiter->generation)
        return WORD_UNKNOWN; /* word of that connection got lost itself */
    if (msg->generation < waiter->generation)
        return WORD_NEVER; /* that connection brought nothing */
    return waiter->number <= msg->calls ? WORD_ARRIVED : WORD_NEVER;
}

/* The one it went to does not have it. */
static void forward_anew(struct node *node, uint32_t index)
{
    const struct waiter *waiter = &node->waiters.list[index];
    REACHED(&node->metrics, FORWARD_ANEW);
    node__trace(node, TRACE_FORWARD_LOST, waiter->call->id, waiter->target, 0, SLICE_EMPTY);
    if (node->mono_ms < waiter->until_ms && !node->stop_asked) {
        node->metrics.forwards_again++;
        node__again(node, index, 0);
        return;
    }
    struct call call;
    waiters_call(&node->waiters, index, &call);
    node__answer_error(node, &call, node->stop_asked ? E_STOPPING : E_NO_REPLICA);
    waiters_remove(&node->waiters, index);
}

static void forward_arrived(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    REACHED(&node->metrics, FORWARD_HAD_ARRIVED);
    waiter->sent = FORWARD_ARRIVED;
    waiter->until_ms = waiter->call->deadline_ms + 2 * node->knobs->suspect_ms;
    node__trace(node, TRACE_FORWARD_ARRIVED, waiter->call->id, waiter->target, 0, SLICE_EMPTY);
}

static void take_word(struct node *node, uint32_t index, const struct msg_calls_heard *msg)
{
    const struct waiter *waiter = &node->waiters.list[index];
    enum word word = word_of(waiter, msg);
    if (waiter->sent == FORWARD_ARRIVED && waiter->generation >= msg->first)
        word = WORD_ARRIVED; /* it has said so before */
    if (word == WORD_UNKNOWN && !op_writes(waiter->call->op))
        word = WORD_NEVER; /* a read may always be asked again */
    switch (word) {
    case WORD_ARRIVED:
        forward_arrived(node, index);
        return;
    case WORD_NEVER:
        forward_anew(node, index);
        return;
    case WORD_UNKNOWN:
        node__give_up(node, index);
        return;
    }
}

/* Of a history that this one has forked from: it would be refused, and the connection with it,
 * again and again (seed 121). Whoever waits for it does not learn what came of its forward. */
static bool is_of_before(const struct node *node, struct slice frame)
{
    struct frame kept;
    return !frame_decode(frame, &kept) || node->config == NULL ||
           kept.lineage != node->config->lineage;
}

static void answer_again(struct node *node, struct link *link)
{
    struct slice frame;
    struct kept_at at = {0};
    while (kept_take(&node->kept, link->node_id, link->dial, &at, &frame)) {
        if (is_of_before(node, frame))
            continue;
        outbox_append(node__out(node), frame, MSG_FORWARD_REPLY, link->node_id);
        node->metrics.answers_again++;
        REACHED(&node->metrics, ANSWER_AGAIN);
        node__trace(node, TRACE_ANSWER_AGAIN, link->node_id, 0, 0, SLICE_EMPTY);
    }
}

void node__calls_heard(struct node *node, struct link *link, const struct msg_calls_heard *msg)
{
    kept_heard(&node->kept, link->node_id, msg->generation, msg->calls);
    if (msg->generation == link->dial)
        return; /* of this connection: so far */
    answer_again(node, link);
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_FORWARDED]; i != WAITER_NONE; i = next) {
        const struct waiter *waiter = &node->waiters.list[i];
        next = waiter->next;
        bool left = waiter->sent == FORWARD_SENT || waiter->sent == FORWARD_ARRIVED;
        if (waiter->target == link->node_id && left && waiter->generation != link->dial)
            take_word(node, i, msg);
    }
}

/* ---- connections that break ---- */

/* A read need not wait for the connection to come back, where another replica can answer. */
static bool go_elsewhere(struct node *node, uint32_t index)
{
    const struct waiter *waiter = &node->waiters.list[index];
    bool read = !op_writes(waiter->call->op) || PLANTED(node->options.plant, FORWARDER_RESENDS);
    if (!read || node->mono_ms >= waiter->until_ms || node->stop_asked)
        return false;
    struct call call;
    waiters_call(&node->waiters, index, &call);
    call.avoid = waiter->target;
    uint64_t place = node__place(node, &call);
    if (place == 0 || place == waiter->target)
        return false;
    REACHED(&node->metrics, READ_HANDED_AGAIN);
    node__again(node, index, waiter->target);
    return true;
}

/* The connection to target is lost, and with it perhaps the questions. */
void node__forwards_lost(struct node *node, uint64_t target)
{
    uint64_t until_ms = node->mono_ms + 2 * node->knobs->suspect_ms;
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_FORWARDED]; i != WAITER_NONE; i = next) {
        struct waiter *waiter = &node->waiters.list[i];
        next = waiter->next;
        if (waiter->target != target || go_elsewhere(node, i))
            continue;
        if (waiter->until_ms > until_ms)
            waiter->until_ms = until_ms;
    }
}

/* The connection from target is lost, and with it perhaps the answers. It will say again those that
 * it keeps; a read does not wait for that. */
void node__answers_lost(struct node *node, uint64_t target)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_FORWARDED]; i != WAITER_NONE; i = next) {
        next = node->waiters.list[i].next;
        if (node->waiters.list[i].target == target && !op_writes(node->waiters.list[i].call->op))
            go_elsewhere(node, i);
    }
}

/* Where target listened nobody does: its process has ended, and nobody else can tell. */
void node__forwards_hopeless(struct node *node, uint64_t target)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_FORWARDED]; i != WAITER_NONE; i = next) {
        const struct waiter *waiter = &node->waiters.list[i];
        next = waiter->next;
        bool left = waiter->sent == FORWARD_SENT || waiter->sent == FORWARD_ARRIVED;
        if (waiter->target == target && left && !go_elsewhere(node, i))
            node__give_up(node, i);
    }
}

void node__scan_forwards(struct node *node)
{
    uint32_t next = WAITER_NONE;
    for (uint32_t i = node->waiters.head[WAITER_FORWARDED]; i != WAITER_NONE; i = next) {
        const struct waiter *waiter = &node->waiters.list[i];
        next = waiter->next;
        if (waiter->sent == FORWARD_UNSENT) {
            forward_anew(node, i);
        } else if (node->mono_ms >= waiter->until_ms) {
            REACHED(&node->metrics, FORWARD_TIMED_OUT);
            node__give_up(node, i);
        }
    }
}
