/* asked - what operators ask of the configuration.
 *
 * Does:   keeps a request until the configuration is as it wants, proposes what has to change for
 *         that, and answers it.
 * Not:    what the node itself wants, and when it looks: change.c. What a change does
 *         (placement/config_change.h). New histories: fork.c.
 * Holds:  C1 (change.c). C2 an operator's request is answered once, with what the configuration
 *         says. C4 a request changes the members until the configuration is as it wants, and not
 *         again when that is undone while it waits: two who want the contrary would go on for ever.
 *         C5 a request is not refused while a proposal for it may still come about: until another
 *         epoch has begun, or its time is over, which is no refusal.
 * Limits: LIMIT_MEMBERS addresses in a request; knob max_requests.
 * See:    change.c; docs/protocol.md sections 6.4, 6.6 and 7; docs/api.md section 3.
 */
#include "node/state.h"

/* ---- addresses ---- */

/* The next of the addresses of a request; false after the last. */
bool node__next_address(struct slice *rest, struct address *address)
{
    if (rest->len == 0)
        return false;
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ',')
        len++;
    bool good = address_parse(slice_of(rest->ptr, len), address);
    size_t past = len < rest->len ? len + 1 : len;
    *rest = slice_of(rest->ptr + past, rest->len - past);
    return good;
}

enum err node__check_addresses(const struct request *request)
{
    struct slice rest = request->key;
    struct address address;
    uint32_t count = 0;
    while (rest.len > 0 && count <= LIMIT_MEMBERS) {
        if (!node__next_address(&rest, &address))
            return E_MALFORMED;
        count++;
    }
    bool one = request->op == OP_VIEW_ADD || request->op == OP_SHARD_ADD;
    bool none = request->op == OP_RECOVER && request->force;
    return (count == 0 && !none) || count > LIMIT_MEMBERS || (one && count != 1) ? E_MALFORMED
                                                                                 : E_OK;
}

/* Those of the request that are listed. Returns how many; *all: none is missing. */
static uint32_t listed(const struct node *node, const struct call *call,
                       struct address list[LIMIT_MEMBERS], bool *all)
{
    struct slice rest = call->key;
    struct address address;
    uint32_t count = 0;
    *all = true;
    while (node__next_address(&rest, &address)) {
        bool there = config_member_by_address(node->config, slice_str(address.text)) != NULL;
        if (there && count < LIMIT_MEMBERS)
            list[count++] = address;
        *all = *all && there;
    }
    return count;
}

/* ---- answers ---- */

static void answer_asked(struct node *node, uint32_t index, enum err err, enum outcome outcome)
{
    struct call call;
    waiters_call(&node->waiters, index, &call);
    call.key = SLICE_EMPTY;
    struct answer answer = {.err = err, .outcome = err == E_OK ? outcome : OUTCOME_NONE};
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
}

/* Everybody who is there has adopted what this node has, or has had time to: so that who is told
 * that something is done finds it done at any node. */
static bool is_known(const struct node *node)
{
    if (PLANTED(node->options.plant, TOLD_LATE))
        return false;
    if (node->mono_ms - node->adopted_ms >= node->knobs->suspect_ms)
        return true;
    for (uint32_t i = 0; i < node->links.count; i++) {
        const struct link *link = &node->links.list[i];
        if (node__usable(node, link->node_id) && link->epoch_heard < node->config->epoch)
            return false;
    }
    return true;
}

/* Proposes next for a request (C5). */
static bool propose_asked(struct node *node, struct waiter *waiter, struct config *next,
                          const char *what)
{
    waiter->proposed = true;
    waiter->proposed_epoch = next->epoch;
    return node__try_change(node, next, what);
}

/* Something is in the way now. Perhaps it was not when it was proposed. */
static void refuse_asked(struct node *node, uint32_t index, enum err err)
{
    const struct waiter *waiter = &node->waiters.list[index];
    bool open = waiter->proposed_epoch > node->config->epoch &&
                !PLANTED(node->options.plant, REFUSED_MIDWAY);
    if (open && node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    else if (!open)
        answer_asked(node, index, err, OUTCOME_NONE);
}

/* ---- members ---- */

static struct config *without_listed(struct node *node, const struct waiter *waiter, enum err *err)
{
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    struct removal removal = {
        .addresses = list, .force = waiter->call->force, .plant = node->options.plant};
    removal.address_count = listed(node, waiter->call, list, &all);
    if (!all && !waiter->proposed)
        *err = E_NOT_LISTED;
    if (*err != E_OK || removal.address_count == 0)
        return NULL;
    node__believed_alive(node, removal.alive);
    return config_remove(node->config, &removal, err);
}

/* What the configuration has to become, or NULL: nothing more, or *err. */
static struct config *wanted(struct node *node, const struct waiter *waiter, enum err *err)
{
    const struct call *call = waiter->call;
    struct slice rest = call->key;
    struct address address;
    if (call->op == OP_VIEW_REMOVE)
        return without_listed(node, waiter, err);
    if (!node__next_address(&rest, &address)) {
        *err = E_MALFORMED;
        return NULL;
    }
    if (call->op == OP_VIEW_ADD)
        return config_invite(node->config, &address, err);
    if (call->op == OP_SHARD_ADD)
        return config_assign(node->config, &address, config_shard_by_id(node->config, call->shard),
                             err);
    *err = E_NOT_IMPLEMENTED;
    return NULL;
}

/* It was as the request wants, and is not any more, though something could be changed for that. Who
 * was leaving and died may be taken off at once: that goes on. */
static bool is_undone(const struct node *node, const struct waiter *waiter)
{
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    if (!waiter->begun || waiter->call->op != OP_VIEW_REMOVE)
        return waiter->begun;
    uint32_t count = listed(node, waiter->call, list, &all);
    for (uint32_t i = 0; i < count; i++)
        if (config_member_by_address(node->config, slice_str(list[i].text))->state !=
            MEMBER_LEAVING)
            return true;
    return false;
}

/* Whether the configuration is as the request wants, where nothing more has to be proposed for it.
 * *outcome: what it is answered then; set in either case. */
static bool is_done(const struct node *node, const struct waiter *waiter, enum outcome *outcome)
{
    const struct call *call = waiter->call;
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    uint32_t count = listed(node, call, list, &all);
    switch (call->op) {
    case OP_VIEW_ADD:
        *outcome = waiter->proposed ? OUTCOME_ADDED : OUTCOME_PRESENT;
        return true;
    case OP_VIEW_REMOVE:
        *outcome = OUTCOME_REMOVED;
        return count == 0;
    case OP_SHARD_ADD: {
        const struct member *member =
            count > 0 ? config_member_by_address(node->config, slice_str(list[0].text)) : NULL;
        *outcome = OUTCOME_PLACED;
        return member != NULL && member->state != MEMBER_SYNCING;
    }
    case OP_GET:
    case OP_PUT:
    case OP_DELETE:
    case OP_COUNT:
    case OP_RECOVER:
    case OP_RESHARD:
    case OP_RESHARD_CANCEL:
        break;
    }
    return true;
}

/* Its time is over. */
static void give_up(struct node *node, uint32_t index, bool applied)
{
    if (PLANTED(node->options.plant, WISH_FORGOTTEN)) {
        waiters_remove(&node->waiters, index);
        return;
    }
    enum op op = node->waiters.list[index].call->op;
    if (applied && op == OP_SHARD_ADD)
        answer_asked(node, index, E_OK, OUTCOME_PLACED); /* it fills up */
    else if (applied && op == OP_VIEW_REMOVE)
        answer_asked(node, index, E_HANDING_OVER, OUTCOME_NONE);
    else
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
}

/* True when something was proposed for it. */
static bool want_listed(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    enum outcome outcome = OUTCOME_NONE;
    enum err err = E_OK;
    struct config *next = wanted(node, waiter, &err);
    bool overdue = node->mono_ms >= waiter->until_ms;
    waiter->begun = waiter->begun || (err == E_OK && next == NULL);
    if (err != E_OK) {
        refuse_asked(node, index, err);
    } else if (next != NULL && is_undone(node, waiter)) {
        answer_asked(node, index, E_UNDONE, OUTCOME_NONE); /* C4 */
    } else if (next == NULL && is_done(node, waiter, &outcome)) {
        if (overdue || is_known(node))
            answer_asked(node, index, E_OK, outcome);
    } else if (overdue) {
        give_up(node, index, next == NULL);
    } else if (next != NULL && node__may_propose(node)) {
        bool begun = propose_asked(node, waiter, next, "an operator asks for it");
        if (PLANTED(node->options.plant, DONE_WHEN_PROPOSED)) {
            (void)is_done(node, waiter, &outcome);
            answer_asked(node, index, E_OK, outcome);
        }
        return begun;
    }
    config_free(next);
    return false;
}

/* ---- new histories ---- */

/* True when something was proposed for it. */
static bool want_recovery(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    bool proposed = false;
    uint32_t count = listed(node, waiter->call, list, &all);
    enum err err = E_OK;
    if (!all && !waiter->proposed)
        err = E_NOT_LISTED;
    else if (count > 0)
        err = node__want_recover(node, list, count, node__may_propose(node), &proposed);
    waiter->proposed = waiter->proposed || proposed;
    if (err != E_OK && !waiter->proposed)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (count == 0 && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RECOVERED);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    return proposed;
}

/* The same where nobody remembers. Until it is listed again it asks for a place in vain: that must
 * not keep it from proposing this. */
static bool want_anew(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    bool proposed = false;
    uint32_t count = listed(node, waiter->call, list, &all);
    enum err err = node__is_listed(node) ? E_REMEMBERED : all ? E_OK : E_NOT_LISTED;
    if (err == E_OK) {
        if (!waiter->proposed)
            reg_abandon(&node->reg);
        err = node__want_from_directories(node, list, count, node__may_propose(node), &proposed);
    }
    waiter->proposed = waiter->proposed || proposed;
    /* Nodes that have just started meet each other within that time. */
    bool early = err == E_ALSO_ABSENT &&
                 node->mono_ms - waiter->call->since_ms < 2 * node->knobs->suspect_ms;
    if (node__is_listed(node) && waiter->proposed && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RECOVERED);
    else if (err != E_OK && !waiter->proposed && !early)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    return proposed;
}

/* ---- moving slots ---- */

/* Every slot is where it shall be, and nothing of before is open. */
static bool is_resharded(const struct config *config, uint32_t shard_count)
{
    return !config_reshards(config) && config->shard_count == shard_count &&
           config_is_even(config) && config->retired_count == 0;
}

/* It will not come: no number of shards is wanted, and there are others than it asked for, or slots
 * are uneven and rest (a shard that had come for it may have stayed, without slots). */
static bool is_cancelled(const struct config *config, uint32_t shard_count)
{
    return config->wanted_shards == 0 && (config_lasting_shards(config) != shard_count ||
                                          (!config_reshards(config) && !config_is_even(config)));
}

/* It is on its way, or was: nothing more is proposed for it. */
static void watch_resharding(struct node *node, uint32_t index)
{
    const struct call *call = node->waiters.list[index].call;
    const struct config *config = node->config;
    if (!is_known(node))
        return;
    if (config->wanted_shards == call->shard && call->async)
        answer_asked(node, index, E_OK, OUTCOME_BEGUN);
    else if (is_resharded(config, call->shard))
        answer_asked(node, index, E_OK, OUTCOME_RESHARDED);
    else if (is_cancelled(config, call->shard))
        answer_asked(node, index, E_CANCELLED, OUTCOME_NONE);
}

/* True when something was proposed for it. It may take however long it takes, once it has begun;
 * who waits for it in vain asks GET /shard/reshard for what. */
static bool want_resharding(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    bool alive[LIMIT_MEMBERS];
    enum err err = E_OK;
    waiter->begun = waiter->begun || node->config->wanted_shards == waiter->call->shard;
    if (waiter->begun) {
        watch_resharding(node, index);
        return false;
    }
    node__believed_alive(node, alive);
    struct config *next = config_reshard(node->config, waiter->call->shard, alive, &err);
    if (err != E_OK)
        refuse_asked(node, index, err);
    else if (next == NULL && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RESHARDED);
    else if (next != NULL && node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    else if (next != NULL && node__may_propose(node))
        return propose_asked(node, waiter, next, "an operator wants another number of shards");
    config_free(next);
    return false;
}

static bool want_cancelled(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    enum err err = E_OK;
    struct config *next = config_reshard_cancel(node->config, &err);
    if (err != E_OK)
        refuse_asked(node, index, err);
    else if (next == NULL && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_CANCELLED);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    else if (next != NULL && node__may_propose(node))
        return propose_asked(node, waiter, next, "an operator cancels the moving of slots");
    config_free(next);
    return false;
}

/* ---- all of them ---- */

/* This node was removed meanwhile. It can still say that whoever was to go has gone: perhaps it was
 * asked to see to its own removal. */
static void answer_removed(struct node *node, uint32_t index)
{
    const struct call *call = node->waiters.list[index].call;
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    bool gone = call->op == OP_VIEW_REMOVE && listed(node, call, list, &all) == 0;
    answer_asked(node, index, gone ? E_OK : E_NOT_READY, OUTCOME_REMOVED);
}

/* True when something was proposed for it. */
static bool want_one(struct node *node, uint32_t index)
{
    const struct call *call = node->waiters.list[index].call;
    if (call->op == OP_RECOVER && call->force)
        return want_anew(node, index);
    if (node->phase == NODE_REFUSED) {
        answer_removed(node, index);
        return false;
    }
    if (call->op == OP_RECOVER)
        return want_recovery(node, index);
    if (call->op == OP_RESHARD)
        return want_resharding(node, index);
    if (call->op == OP_RESHARD_CANCEL)
        return want_cancelled(node, index);
    return want_listed(node, index);
}

/* True when something was proposed. */
bool node__want_asked(struct node *node)
{
    uint32_t next = WAITER_NONE;
    bool proposed = false;
    for (uint32_t i = node->waiters.head[WAITER_ASKED]; i != WAITER_NONE; i = next) {
        next = node->waiters.list[i].next;
        proposed = want_one(node, i) || proposed;
    }
    return proposed;
}

/* The node stops: what was proposed may come about all the same. */
void node__refuse_asked(struct node *node)
{
    while (node->waiters.head[WAITER_ASKED] != WAITER_NONE)
        answer_asked(node, node->waiters.head[WAITER_ASKED], E_STOPPING, OUTCOME_NONE);
}

void node__ask(struct node *node, struct call *call)
{
    if (waiters_full(&node->waiters, node->knobs->max_requests)) {
        node__answer_error(node, call, E_BUSY);
        return;
    }
    uint32_t index = waiters_add(&node->waiters, WAITER_ASKED, call);
    node->waiters.list[index].until_ms = call->deadline_ms;
    node->change_ms = node->mono_ms;
}
