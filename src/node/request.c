/* request - a client's request comes in, an answer goes out.
 *
 * Does:   limits and contexts of requests; the one way by which every answer leaves, to a client of
 *         this node or to the node that forwarded.
 * Not:    finding the node that serves (route.c), serving (serve.c).
 * Holds:  Q1 of request.h. An answer's token carries the greater fence and the request's context
 *         with what was added, less what is stable (docs/protocol.md 3.2, 3.3).
 * Limits: knobs max_key_bytes, max_value_bytes, max_requests.
 * See:    docs/api.md section 2.
 */
#include "node/state.h"

#define RETRY_AFTER_MS 1000U
#define WAIT_MS_MAX 30000U
#define CHANGE_WAIT_MS 10000U /* for a change of the configuration */

/* ---- out ---- */

static uint32_t decode_waiting(struct slice bytes, struct waiting_for list[LIMIT_WAITING])
{
    struct read in = read_of(bytes);
    uint32_t count = 0;
    while (read_left(&in) > 0 && count < LIMIT_WAITING) {
        size_t len = read_u8(&in);
        struct slice address = read_bytes(&in, len);
        uint64_t behind_by = read_u64(&in);
        if (!read_ok(&in))
            break;
        list[count++] = (struct waiting_for){address, behind_by};
    }
    return count;
}

/* Who lacks what the context needs: this node, and how many writes. What the others have by now it
 * cannot know. */
static uint32_t own_waiting(const struct node *node, const struct call *call,
                            struct waiting_for list[LIMIT_WAITING])
{
    const struct vv *seen = &call->ctx.seen;
    const struct replica *own = node->config != NULL ? node__replica_of(node, call) : NULL;
    uint64_t behind_by = 0;
    for (uint32_t i = 0; i < seen->count && own != NULL; i++)
        if (replica_waits_for(own, seen->entries[i]))
            behind_by += replica_behind_by(own, node->id, seen->entries[i]);
    list[0] = (struct waiting_for){slice_str(node->options.address.text), behind_by};
    return behind_by > 0 ? 1 : 0;
}

static uint32_t list_waiting(const struct node *node, const struct call *call,
                             const struct answer *answer, struct waiting_for list[LIMIT_WAITING])
{
    if (answer->err != E_NOT_COVERED || PLANTED(node->options.plant, WAITING_UNTOLD))
        return 0;
    if (answer->waiting.len > 0)
        return decode_waiting(answer->waiting, list);
    return own_waiting(node, call, list);
}

static void answer_client(struct node *node, const struct call *call, const struct ctx *ctx,
                          const struct answer *answer)
{
    struct buf token = BUF_EMPTY;
    if (node->config != NULL && !answer->bare)
        token_encode(ctx, &node->config->token_key, &token);
    struct reply reply = {.id = call->id,
                          .err = answer->err,
                          .outcome = answer->outcome,
                          .form = answer->form,
                          .value = answer->value,
                          .token = buf_slice(&token),
                          .copies = answer->copies,
                          .outcome_unknown = answer->unknown,
                          .count = answer->count,
                          .detail = answer->detail};
    int status = err_http_status(answer->err);
    if (status == 503 || status == 429)
        reply.retry_after_ms = RETRY_AFTER_MS;
    reply.waiting_count = list_waiting(node, call, answer, reply.waiting);
    reply.lost_count = call->lost_count;
    memcpy(reply.lost, call->lost, call->lost_count * sizeof(reply.lost[0]));
    hold_reply(node->open, &reply);
    buf_fini(&token);
}

static void answer_forwarder(struct node *node, const struct call *call, const struct ctx *ctx,
                             const struct answer *answer)
{
    struct waiting_for list[LIMIT_WAITING];
    uint32_t count = list_waiting(node, call, answer, list);
    struct buf waiting = BUF_EMPTY;
    for (uint32_t i = 0; i < count && list[i].address.len <= UINT8_MAX; i++) {
        buf_u8(&waiting, (uint8_t)list[i].address.len);
        buf_append_slice(&waiting, list[i].address);
        buf_u64(&waiting, list[i].behind_by);
    }
    unsigned unknown = answer->unknown ? FORWARD_REPLY_UNKNOWN : 0;
    unsigned not_mine = answer->not_mine ? FORWARD_REPLY_NOT_MINE : 0;
    struct msg_forward_reply msg = {.id = call->id,
                                    .code = (uint8_t) - (int)answer->err,
                                    .outcome = (uint8_t)answer->outcome,
                                    .form = (uint8_t)answer->form,
                                    .copies = (uint8_t)answer->copies,
                                    .flags = (uint8_t)(unknown | not_mine),
                                    .count = answer->count,
                                    .value = answer->value,
                                    .waiting = buf_slice(&waiting)};
    ctx_copy(&msg.ctx, ctx);
    outbox_forward_reply(node__out(node), call->origin, &msg);
    buf_fini(&waiting);
}

void node__answer(struct node *node, struct call *call, const struct answer *answer)
{
    struct ctx ctx;
    node__note_lost(node, call);
    ctx_copy(&ctx, &call->ctx);
    if (node->config != NULL) {
        ctx.lineage = node->config->lineage;
        if (ctx.fence < node->config->fence && !PLANTED(node->options.plant, FENCE_LEFT_OUT))
            ctx.fence = node->config->fence;
        if (!PLANTED(node->options.plant, TOKEN_UNPRUNED))
            replicas_prune(node->replicas, &ctx.seen);
        if (PLANTED(node->options.plant, TOKEN_NAMES_ALL))
            (void)vv_merge(&ctx.seen, replica_coverage(replicas_home(node->replicas)));
    }
    if (answer->err == E_NOT_COVERED && PLANTED(node->options.plant, REFUSAL_FORGETS_CONTEXT))
        vv_init(&ctx.seen);
    if (answer->unknown)
        node->metrics.unknown++;
    if (answer->err == E_NOT_COVERED)
        node->metrics.not_covered++;
    node__trace(node, TRACE_REPLIED, call->id, (uint64_t)answer->outcome,
                (uint64_t) - (int)answer->err, SLICE_EMPTY);
    if (call->origin != 0)
        answer_forwarder(node, call, &ctx, answer);
    else
        answer_client(node, call, &ctx, answer);
}

void node__answer_error(struct node *node, struct call *call, enum err err)
{
    struct answer answer = {.err = err};
    node__answer(node, call, &answer);
}

/* ---- in ---- */

static enum err check_sizes(const struct node *node, const struct request *request)
{
    if (request->op == OP_COUNT)
        return E_OK;
    if (request->op == OP_RESHARD || request->op == OP_RESHARD_CANCEL)
        return E_OK;
    if (op_changes_config(request->op))
        return node__check_addresses(request);
    if (request->key.len == 0)
        return E_KEY_EMPTY;
    if (request->key.len > node->knobs->max_key_bytes)
        return E_KEY_TOO_LONG;
    if (request->value.len > node->knobs->max_value_bytes)
        return E_VALUE_TOO_LARGE;
    return E_OK;
}

/* A context of a history that this one has forked from is good. What that went on to do past the
 * fork is unknown here, and lost: the losses of the fork tell it. False: of another history. */
bool node__translate(const struct node *node, struct ctx *one)
{
    if (one->lineage == 0 || one->lineage == node->config->lineage)
        return true;
    const struct ancestor *ancestor = config_ancestor(node->config, one->lineage);
    if (ancestor == NULL)
        return false;
    struct vv known;
    vv_init(&known);
    for (uint32_t i = 0; i < one->seen.count; i++)
        if (one->seen.entries[i].actor < ancestor->next_actor)
            known.entries[known.count++] = one->seen.entries[i];
    vv_copy(&one->seen, &known);
    if (one->fence > ancestor->epoch)
        one->fence = ancestor->epoch;
    one->lineage = node->config->lineage;
    return true;
}

static enum err merge_token(const struct node *node, struct slice text, struct call *call)
{
    struct ctx one;
    switch (token_decode(text, &node->config->token_key, &one)) {
    case TOKEN_OK:
        break;
    case TOKEN_VERSION:
        return E_TOKEN_VERSION;
    case TOKEN_BAD: {
        uint64_t lineage = 0;
        bool shaped = token_peek_lineage(text, &lineage);
        return shaped && lineage != node->config->lineage ? E_OTHER_HISTORY : E_TOKEN_BAD;
    }
    }
    if (!node__translate(node, &one))
        return E_EPOCH_BEHIND; /* made with our secret: of a history that forks from this one */
    if (one.lineage != 0 && (!call->informed || one.fence < call->fence))
        call->fence = one.fence;
    call->informed = call->informed || one.lineage != 0;
    return ctx_merge(&call->ctx, &one) ? E_OK : E_CONTEXT_TOO_LARGE;
}

static enum err merge_tokens(const struct node *node, const struct request *request,
                             struct call *call)
{
    ASSERT(request->token_count <= LIMIT_TOKENS);
    enum err err = E_OK;
    uint32_t first = 0;
    if (PLANTED(node->options.plant, LAST_TOKEN_ONLY) && request->token_count > 0)
        first = request->token_count - 1;
    for (uint32_t i = first; i < request->token_count && err == E_OK; i++)
        err = merge_token(node, request->tokens[i], call);
    if (err != E_OK)
        ctx_init(&call->ctx); /* a fresh token goes back */
    return err;
}

static enum err check_shard(const struct node *node, const struct request *request)
{
    bool exists = request->op != OP_SHARD_ADD ||
                  config_shard_by_id(node->config, request->shard_id) != SHARD_NONE;
    return exists ? E_OK : E_NO_SHARD;
}

static void fill_call(const struct node *node, const struct request *request, struct call *call)
{
    uint64_t wait_ms = request->wait_ms;
    if (request->wait_ms == REQUEST_WAIT_DEFAULT)
        wait_ms = op_changes_config(request->op) ? CHANGE_WAIT_MS : node->knobs->wait_ms;
    if (wait_ms > WAIT_MS_MAX)
        wait_ms = WAIT_MS_MAX;
    call->id = request->id;
    call->session = request->session;
    call->origin = 0;
    call->op = request->op;
    call->form = request->form;
    call->copies = request->copies;
    call->hops = 0;
    bool numbered =
        request->op == OP_COUNT || request->op == OP_SHARD_ADD || request->op == OP_RESHARD;
    call->shard = numbered ? request->shard_id : SHARD_NONE;
    call->async = request->async;
    call->force = request->force;
    call->informed = false;
    call->fence = 0;
    call->lost_count = 0;
    call->deadline_ms = node->mono_ms + wait_ms; /* of a reshard: until when it has to begin */
    call->since_ms = node->mono_ms;
    call->avoid = 0;
    call->key = request->key;
    call->value = request->op == OP_PUT ? request->value : SLICE_EMPTY;
    ctx_init(&call->ctx);
}

/* The ways out for those who cannot get a place by themselves (I9). Where nobody remembers who is
 * who, those who do not either have to be asked; and where most are gone for good, those who are
 * left may all be in doubt. */
static bool is_way_out(const struct node *node, const struct request *request)
{
    return request->op == OP_RECOVER && node->phase == NODE_ASKING &&
           (request->force || node__in_doubt(node));
}

void node__request(struct node *node, const struct request *request)
{
    struct call call;
    fill_call(node, request, &call);
    node__trace(node, TRACE_REQUEST, request->id, (uint64_t)request->op, 0, request->key);
    /* First of all: whatever the answer, it carries the context back (I1). */
    enum err err = node->config != NULL ? merge_tokens(node, request, &call) : E_OK;
    if (err == E_OK && node->stop_asked)
        err = E_STOPPING;
    else if (err == E_OK && !node__has_place(node->phase) && !is_way_out(node, request))
        err = E_NOT_READY;
    if (err == E_OK)
        err = check_sizes(node, request);
    if (err == E_OK)
        err = check_shard(node, request);
    if (err == E_OK && op_changes_config(request->op)) {
        node__ask(node, &call);
        return;
    }
    if (err == E_OK) {
        node__route(node, &call);
        return;
    }
    struct answer answer = {.err = err, .bare = err == E_EPOCH_BEHIND};
    struct buf why = BUF_EMPTY;
    if (err == E_NOT_READY) {
        node_why_not(node, &why);
        answer.detail = buf_slice(&why);
    }
    node__answer(node, &call, &answer);
    buf_fini(&why);
}

/* A written one goes on to its end, only nobody hears of it. */
void node__gone(struct node *node, uint64_t id)
{
    for (uint32_t state = WAITER_PARKED; state < WAITER_LISTS; state++) {
        uint32_t next = WAITER_NONE;
        for (uint32_t i = node->waiters.head[state]; i != WAITER_NONE; i = next) {
            next = node->waiters.list[i].next;
            const struct call *call = node->waiters.list[i].call;
            if (call->origin == 0 && call->id == id)
                waiters_remove(&node->waiters, i);
        }
    }
}
