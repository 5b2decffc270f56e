/* route - which node serves a request.
 *
 * Does:   serves here, or hands on to an active member of the shard that owns the slot; takes
 *         requests handed on by others, and their answers.
 * Not:    causality (serve.c, park.c); connections that break under a forward (calls.c).
 * Holds:  a forward takes at most LIMIT_HOPS hops.
 * Limits: knob max_requests.
 * See:    docs/protocol.md 3.1, 3.5.
 */
#include "node/state.h"

#define LIMIT_HOPS 3U

/* A member to hand the call to, or 0. The choice is stable for a client connection, so that a
 * session keeps hitting one replica. Who serves the shard itself hands on only to one that is known
 * to cover the context; who fills up or leaves, rather to one that is, else to any. */
uint64_t node__target(const struct node *node, const struct call *call, uint32_t shard)
{
    const struct config *config = node->config;
    uint64_t members[LIMIT_MEMBERS];
    struct place places[LIMIT_MEMBERS];
    const struct replica *own = replicas_of_shard(node->replicas, shard);
    uint32_t place_count = config_places(config, shard, places);
    uint32_t count = 0;
    for (uint32_t i = 0; i < place_count; i++)
        if (places[i].state == MEMBER_ACTIVE && places[i].member->node_id != node->id)
            members[count++] = places[i].member->node_id;
    if (count == 0)
        return 0;
    uint64_t session = call->session;
    uint64_t first = hash_bytes(slice_of(&session, sizeof(session))) % count;
    uint64_t any = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = members[(first + i) % count];
        if (id == call->avoid || !node__usable(node, id))
            continue;
        if (own == NULL || replica_peer_covers(own, id, &call->ctx.seen))
            return id;
        any = any != 0 ? any : id;
    }
    return own != NULL && replica_active(own) ? 0 : any;
}

void node__forward(struct node *node, struct call *call, uint64_t target)
{
    ASSERT(target != 0 && target != node->id);
    if (waiters_full(&node->waiters, node->knobs->max_requests)) {
        node__answer_error(node, call, E_BUSY);
        return;
    }
    uint32_t index = waiters_add(&node->waiters, WAITER_FORWARDED, call);
    struct waiter *waiter = &node->waiters.list[index];
    waiter->target = target;
    waiter->until_ms = call->deadline_ms + 2 * node->knobs->suspect_ms;
    node__scan_soon(node);
    uint64_t left = call->deadline_ms > node->mono_ms ? call->deadline_ms - node->mono_ms : 0;
    struct msg_forward msg = {.id = waiters_ref(&node->waiters, index),
                              .op = (uint8_t)call->op,
                              .form = (uint8_t)call->form,
                              .hops = (uint8_t)(call->hops + 1),
                              .copies = (uint8_t)call->copies,
                              .shard = call->shard,
                              .wait_ms = (uint32_t)left,
                              .session = call->session,
                              .key = call->key,
                              .value = call->value};
    ctx_copy(&msg.ctx, &call->ctx);
    outbox_forward(node__out(node), target, &msg);
    node->metrics.forwards++;
    node__trace(node, TRACE_FORWARDED, call->id, target, 0, SLICE_EMPTY);
}

/* The context was given out under a configuration that this node has not learnt. */
bool node__behind(const struct node *node, const struct ctx *ctx)
{
    if (ctx->fence > node->config->epoch)
        return true;
    for (uint32_t i = 0; i < ctx->seen.count; i++)
        if (ctx->seen.entries[i].actor >= node->config->next_actor)
            return true;
    return false;
}

static void not_mine(struct node *node, struct call *call, uint32_t shard)
{
    REACHED(&node->metrics, NOT_MINE);
    struct answer answer = {.err = E_NO_REPLICA, .not_mine = true};
    struct buf detail = BUF_EMPTY;
    buf_append_slice(&detail, SLICE_LIT("shard s"));
    shard = config_public_shard(node->config, shard);
    buf_decimal(&detail, node->config->shards[shard].id);
    answer.detail = buf_slice(&detail);
    node__answer(node, call, &answer);
    buf_fini(&detail);
}

/* Index of the shard or transit that is to answer; SHARD_NONE: it counts one that is not there, or
 * not any more. A call may wait, and travel, over epochs in which shards change their indices. */
static uint32_t shard_of(const struct node *node, const struct call *call)
{
    if (call->op != OP_COUNT)
        return config_shard_of_slot(node->config, slot_of(call->key));
    uint32_t shard = config_shard_by_id(node->config, call->shard);
    return shard < config_lasting_shards(node->config) ? shard : SHARD_NONE;
}

/* Everybody knows how many keys it has; it may have no members any more (6.7). */
static bool has_no_slots(const struct config *config, uint32_t shard)
{
    for (uint32_t i = 0; i < config->shard_count; i++)
        if (config_public_shard(config, i) == shard && slotset_size(&config->shards[i].slots) > 0)
            return false;
    return true;
}

struct replica *node__replica_of(const struct node *node, const struct call *call)
{
    return replicas_of_shard(node->replicas, shard_of(node, call));
}

/* The source of the walk under way, if the call should rather go there; else 0. */
static uint64_t walk_source(const struct node *node, const struct call *call)
{
    const struct replica *own = node__replica_of(node, call);
    uint64_t source = own != NULL ? replica_walk_source(own) : 0;
    bool fits = source != 0 && !PLANTED(node->options.plant, WALK_SOURCE_IGNORED) &&
                call->hops == 0 && node__usable(node, source) &&
                replica_peer_covers(own, source, &call->ctx.seen);
    return fits ? source : 0;
}

/* The node id of who is to serve it: this node or another; 0: nobody can be reached. */
uint64_t node__place(const struct node *node, const struct call *call)
{
    uint32_t shard = shard_of(node, call);
    if (shard == SHARD_NONE)
        return 0;
    if (call->op == OP_COUNT && has_no_slots(node->config, shard))
        return node->id;
    const struct replica *own = replicas_of_shard(node->replicas, shard);
    if (PLANTED(node->options.plant, SERVES_EARLY) && call->op == OP_GET && own != NULL &&
        node->phase == NODE_FILLING)
        return node->id;
    if (own != NULL && replica_active(own) && node__has_place(node->phase)) {
        uint64_t source = walk_source(node, call);
        return source != 0 ? source
                           : node->id; /* nobody sees a table in the middle of a walk (4.3) */
    }
    return call->hops < LIMIT_HOPS ? node__target(node, call, shard) : 0;
}

void node__route(struct node *node, struct call *call)
{
    replicas_served(node->replicas, node->mono_ms);
    (void)node__translate(node, &call->ctx); /* it may have waited over a fork */
    node__note_lost(node, call);
    if (node__behind(node, &call->ctx)) {
        REACHED(&node->metrics, BEHIND);
        node__park(node, call, (struct dot){0, 0});
        return;
    }
    uint32_t shard = shard_of(node, call);
    if (shard == SHARD_NONE) {
        node__answer_error(node, call, E_NO_SHARD);
        return;
    }
    uint64_t place = node__place(node, call);
    if (place != 0 && place == walk_source(node, call))
        REACHED(&node->metrics, TO_WALK_SOURCE);
    if (place == node->id)
        node__serve(node, call);
    else if (place != 0)
        node__forward(node, call, place);
    else
        not_mine(node, call, shard);
}

/* ---- from other nodes ---- */

static bool sane_forward(const struct msg_forward *msg)
{
    bool sane_op = msg->op >= OP_GET && msg->op <= OP_COUNT;
    bool sane_form = msg->op != OP_PUT || msg->form == VALUE_JSON || msg->form == VALUE_RAW;
    bool sane_key = msg->op == OP_COUNT || (msg->key.len > 0 && msg->key.len <= LIMIT_KEY_BYTES);
    return sane_op && sane_form && sane_key && msg->value.len <= LIMIT_VALUE_BYTES;
}

void node__recv_forward(struct node *node, uint64_t from, const struct msg_forward *msg)
{
    struct call call = {.id = msg->id,
                        .session = msg->session,
                        .origin = from,
                        .op = (enum op)msg->op,
                        .form = (enum value_form)msg->form,
                        .copies = msg->copies,
                        .hops = msg->hops,
                        .shard = msg->shard,
                        .deadline_ms = node->mono_ms + msg->wait_ms,
                        .since_ms = node->mono_ms,
                        .key = msg->key,
                        .value = msg->value};
    ctx_copy(&call.ctx, &msg->ctx);
    if (node->stop_asked)
        node__answer_error(node, &call, E_STOPPING);
    else if (!sane_forward(msg))
        node__answer_error(node, &call, E_MALFORMED);
    else
        node__route(node, &call);
}

static void fill_answer(const struct msg_forward_reply *msg, enum err err, struct answer *answer)
{
    *answer = (struct answer){.err = err,
                              .outcome = (enum outcome)msg->outcome,
                              .form = (enum value_form)msg->form,
                              .value = msg->value,
                              .copies = msg->copies,
                              .unknown = (msg->flags & FORWARD_REPLY_UNKNOWN) != 0,
                              .count = msg->count,
                              .waiting = msg->waiting};
}

/* A call goes on after waiting; its place is freed afterwards, because its bytes lie there. */
void node__again(struct node *node, uint32_t index, uint64_t avoid)
{
    struct call call;
    waiters_call(&node->waiters, index, &call);
    call.avoid = avoid;
    uint64_t ref = waiters_ref(&node->waiters, index);
    node->waiters.going_on++;
    node__route(node, &call);
    node->waiters.going_on--;
    uint32_t still = waiters_find(&node->waiters, ref);
    ASSERT(still == index);
    if (!(PLANTED(node->options.plant, RETRY_APPLIES_TWICE) && op_writes(call.op) && avoid == 0))
        waiters_remove(&node->waiters, index);
}

void node__resume(struct node *node, uint32_t index)
{
    node__again(node, index, 0);
}

void node__recv_forward_reply(struct node *node, uint64_t from, const struct msg_forward_reply *msg)
{
    uint32_t index = waiters_find(&node->waiters, msg->id);
    if (index == WAITER_NONE || node->waiters.list[index].state != WAITER_FORWARDED ||
        node->waiters.list[index].target != from) {
        REACHED(&node->metrics, REPLY_TOO_LATE);
        return; /* its client has gone, or has been told "unknown" */
    }
    enum err err = E_OK;
    if (msg->code != 0 && !err_from_number(msg->code, &err))
        err = E_MALFORMED;
    struct waiter *waiter = &node->waiters.list[index];
    bool late = node->mono_ms >= waiter->call->deadline_ms;
    if ((msg->flags & FORWARD_REPLY_NOT_MINE) != 0 && waiter->call->avoid == 0 && !late) {
        REACHED(&node->metrics, ROUTED_ANEW);
        node__again(node, index, from);
        return;
    }
    struct call call;
    waiters_call(&node->waiters, index, &call);
    struct answer answer;
    fill_answer(msg, err, &answer);
    (void)node__translate(node, &call.ctx);
    bool fits = msg->ctx.lineage != node->config->lineage || ctx_merge(&call.ctx, &msg->ctx);
    if (!fits)
        ctx_copy(&call.ctx, &msg->ctx); /* it contains what was sent with the request */
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
}

/* Nobody will say what became of it. */
void node__give_up(struct node *node, uint32_t index)
{
    const struct waiter *waiter = &node->waiters.list[index];
    struct call call;
    waiters_call(&node->waiters, index, &call);
    bool unknown = op_writes(call.op) && waiter->sent != FORWARD_UNSENT;
    if (unknown)
        REACHED(&node->metrics, WRITE_UNKNOWN);
    struct answer answer = {.err = unknown ? E_UNKNOWN : E_NO_REPLICA, .unknown = unknown};
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
}
