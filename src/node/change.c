/* change - what this node wants of the configuration, and proposes.
 *
 * Does:   looks, now and then, whether anything has to change: its own place (a stranger asks to be
 *         let in, who is in doubt for a new actor, who has filled up to be active, who has handed
 *         over to go), what operators have asked for, and what its shard needs (actors to be
 *         sealed and closed, a merge that is done). Proposes the first that applies.
 * Not:    what a change does (placement/config_change.h); which of two wins (cluster/register.h).
 * Holds:  C1 a wish is looked at anew against every configuration, and is done when it does not
 *         apply any more: two who propose the same, and one who proposes twice, do it once. C2
 *         an operator's request is answered once, with what the configuration says. C3 who has
 *         lost its memory asks for a place no sooner than the configuration says (T37).
 * Limits: LIMIT_MEMBERS addresses in a request; knob max_requests.
 * See:    docs/protocol.md sections 5, 6.1, 6.3 to 6.5; docs/api.md section 3.
 */
#include "node/state.h"

/* How often a node looks while anything is unsettled, and how long a proposal may take. */
#define LOOK_MS 50U
#define PROPOSAL_MS 5000U

/* The first member of a shard sees to the shard's needs at once, the next one that much later. */
#define RANK_MS 700U

/* ---- proposing ---- */

static bool may_propose(const struct node *node)
{
    bool placed = node->phase != NODE_BOOTING && node->phase != NODE_REFUSED;
    return node->config != NULL && placed && node->log_usable && !node->stop_logged &&
           node->reg.proposer.phase == PROPOSER_IDLE;
}

bool node__propose(struct node *node, struct config *next, const uint64_t *acceptors,
                   uint32_t count, uint32_t quorum, struct slice gives_way)
{
    struct buf value = BUF_EMPTY;
    config_encode(next, &value);
    uint64_t epoch = next->epoch;
    config_free(next);
    struct reg_io io = node__reg_io(node);
    io.gives_way = gives_way;
    bool begun = reg_propose(&node->reg, epoch, buf_slice(&value), acceptors, count, quorum,
                             node->mono_ms + PROPOSAL_MS, &io);
    node__reg_done(node, &io, REG_NOTHING);
    buf_fini(&value);
    return begun;
}

bool node__propose_next(struct node *node, struct config *next)
{
    uint32_t members[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(node->config, members);
    uint64_t acceptors[LIMIT_ACCEPTORS];
    for (uint32_t i = 0; i < count; i++)
        acceptors[i] = node->config->members[members[i]].node_id;
    return node__propose(node, next, acceptors, count, count / 2 + 1, SLICE_EMPTY);
}

/* Takes next, which may be NULL: then it does not apply. True when something is under way. */
static bool try_change(struct node *node, struct config *next, const char *what)
{
    if (next == NULL)
        return false;
    node__trace(node, TRACE_PROPOSED, next->epoch, 0, 0, slice_str(what));
    return node__propose_next(node, next);
}

/* ---- the own place ---- */

static bool is_elsewhere(const struct node *node, const struct member *self)
{
    return strcmp(self->address.text, node->options.address.text) != 0;
}

/* In its shard, or in a transit. */
static bool want_place(struct node *node, struct replica *replica)
{
    enum err err = E_OK;
    uint32_t actor = replica_actor(replica);
    bool early = replica != replicas_home(node->replicas) &&
                 PLANTED(node->options.plant, TRANSIT_ACTIVE_EARLY);
    if ((replica_filled(replica) || early) &&
        try_change(node, config_activate(node->config, node->id, actor, &err),
                   "this node has filled up"))
        return true;
    return replica_handed_over(replica) &&
           try_change(node, config_left(node->config, node->id, actor, &err),
                      "this node has handed over what it had");
}

/* The member that a node without its memory was, or is to stand in for; NULL: that is nobody. */
static const struct member *own_place(const struct node *node)
{
    const struct member *self = config_member_by_id(node->config, node->id);
    if (self != NULL)
        return node__in_doubt(node) ? self : NULL;
    return config_member_by_address(node->config, slice_str(node->options.address.text));
}

uint64_t node__pause_ms(const struct node *node)
{
    const struct member *place =
        node->config != NULL && node->phase == NODE_ASKING ? own_place(node) : NULL;
    if (place == NULL || PLANTED(node->options.plant, RETURNS_UNPAUSED))
        return 0;
    uint64_t pause_ms = member_pause_ms(place, node->wall_ms);
    uint64_t waited_ms = node->mono_ms - node->asking_ms;
    return waited_ms < pause_ms ? pause_ms - waited_ms : 0;
}

static bool has_to_wait(struct node *node)
{
    uint64_t pause_ms = node__pause_ms(node);
    if (pause_ms == 0)
        return false;
    REACHED(&node->metrics, RETURN_PAUSED);
    if (!node->pause_said)
        node__trace(node, TRACE_PAUSED, pause_ms, 0, 0, SLICE_EMPTY);
    node->pause_said = true;
    return true;
}

static bool want_own(struct node *node)
{
    const struct config *config = node->config;
    const struct member *self = config_member_by_id(config, node->id);
    uint64_t now_ms = node->wall_ms;
    enum err err = E_OK;
    if (has_to_wait(node))
        return false;
    if (self == NULL || is_elsewhere(node, self))
        return try_change(node,
                          config_admit(config, node->id, &node->options.address, now_ms, &err),
                          "this node asks for a place");
    if (node__in_doubt(node)) {
        if (node->renewal_ms == 0)
            node->renewal_ms = now_ms != 0 ? now_ms : 1; /* always the same: the answer shows it */
        return try_change(node, config_renew(config, node->id, self->actor, node->renewal_ms, &err),
                          "this node asks for a new actor");
    }
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++)
        if (want_place(node, replicas_at(node->replicas, i)))
            return true;
    return false;
}

/* ---- the shard ---- */

/* A term of this node's that ended because its shard's slots changed: nobody else knows its last
 * seq, and nobody makes more of it, so what is covered here is all of it. */
static bool seal_own(struct node *node, const struct replica *replica,
                     const struct retired *retired)
{
    enum err err = E_OK;
    uint64_t last_seq = vv_get(replica_coverage(replica), retired->actor);
    return replica_all_cover(replica, retired->actor, last_seq) &&
           try_change(node,
                      config_closed(node->config, retired->actor, replica_shard(replica), &err),
                      "all have what this node wrote before slots moved");
}

static bool end_term(struct node *node, const struct replica *replica,
                     const struct retired *retired)
{
    const struct config *config = node->config;
    uint32_t shard = replica_shard(replica);
    enum err err = E_OK;
    uint64_t last_seq = 0;
    uint64_t whole_seq = 0;
    if (retired->state == RETIRED_SEALING &&
        replica_seal(replica, retired->actor, &last_seq, &whole_seq))
        return try_change(
            node,
            config_sealed(config, retired->actor, shard, last_seq, whole_seq, node->wall_ms, &err),
            "all have reported on an actor that has gone");
    if (retired->state == RETIRED_SEALED &&
        replica_all_cover(replica, retired->actor, retired->last_seq))
        return try_change(node, config_closed(config, retired->actor, shard, &err),
                          "all have what an actor that has gone has written");
    return false;
}

/* The terms that have to end here: its own, or, in its turn, those of others. */
static bool want_ends(struct node *node, const struct replica *replica, bool own)
{
    const struct config *config = node->config;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        bool is_own = retired->state == RETIRED_MOVING && retired->node_id == node->id;
        if (config_shard_of_retired(config, retired) != replica_shard(replica) || is_own != own)
            continue;
        if (own ? seal_own(node, replica, retired) : end_term(node, replica, retired))
            return true;
    }
    return false;
}

static bool want_own_ends(struct node *node)
{
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++)
        if (want_ends(node, replicas_at(node->replicas, i), true))
            return true;
    return false;
}

static bool want_shard(struct node *node, const struct replica *replica)
{
    enum err err = E_OK;
    return want_ends(node, replica, false) ||
           (replica_merged_all(replica) &&
            try_change(node,
                       config_merged(node->config, replica_shard(replica), node->wall_ms, &err),
                       "a shard without an active member has merged what it has"));
}

/* Members of the shard (SHARD_NONE: of the cluster) before this one that are there. */
static uint32_t rank(const struct node *node, uint32_t shard)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        struct place place;
        if (member->node_id == node->id)
            break;
        before +=
            (shard == SHARD_NONE || config_place(node->config, shard, member->node_id, &place)) &&
            member->node_id != 0 && node__usable(node, member->node_id);
    }
    return before;
}

/* Everybody could; so that they do not get into each other's way, one after the other does. */
static bool is_turn(const struct node *node, uint32_t shard)
{
    return !node__in_doubt(node) &&
           node->mono_ms >= node->adopted_ms + (uint64_t)RANK_MS * rank(node, shard);
}

static bool want_shards(struct node *node)
{
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++) {
        const struct replica *replica = replicas_at(node->replicas, i);
        uint32_t shard = replica_shard(replica);
        if (shard != SHARD_NONE && is_turn(node, shard) && want_shard(node, replica))
            return true;
    }
    return false;
}

/* ---- moving slots ---- */

static void believed_alive(const struct node *node, bool alive[LIMIT_MEMBERS])
{
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        alive[i] =
            i < node->config->member_count && node__alive(node, node->config->members[i].node_id);
}

/* What is wanted could go on if all that are listed were there. */
static bool is_possible(const struct config *config)
{
    bool alive[LIMIT_MEMBERS];
    enum err err = E_OK;
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        alive[i] = i < config->member_count && config->members[i].state != MEMBER_INVITED;
    config_free(config_reshard_step(config, alive, &err));
    return err != E_NODES_FEW;
}

static bool want_reshard(struct node *node)
{
    bool alive[LIMIT_MEMBERS];
    enum err err = E_OK;
    if (!config_reshards(node->config) || !is_turn(node, SHARD_NONE))
        return false;
    believed_alive(node, alive);
    if (try_change(node, config_reshard_step(node->config, alive, &err), "slots are moved"))
        return true;
    return err == E_NODES_FEW && !is_possible(node->config) &&
           try_change(node, config_reshard_cancel(node->config, &err),
                      "there are too few nodes for so many shards");
}

/* ---- operators ---- */

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

static struct config *without_listed(struct node *node, const struct waiter *waiter, enum err *err)
{
    struct address list[LIMIT_MEMBERS];
    bool all = false;
    struct removal removal = {.addresses = list, .force = waiter->call->force};
    removal.address_count = listed(node, waiter->call, list, &all);
    if (!all && !waiter->proposed)
        *err = E_NOT_LISTED;
    if (*err != E_OK || removal.address_count == 0)
        return NULL;
    believed_alive(node, removal.alive);
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

static void answer_asked(struct node *node, uint32_t index, enum err err, enum outcome outcome)
{
    struct call call;
    waiters_call(&node->waiters, index, &call);
    call.key = SLICE_EMPTY;
    struct answer answer = {.err = err, .outcome = err == E_OK ? outcome : OUTCOME_NONE};
    node__answer(node, &call, &answer);
    waiters_remove(&node->waiters, index);
}

/* True when nothing has to change for it, and what came of that is here. */
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
        err = node__want_recover(node, list, count, may_propose(node), &proposed);
    waiter->proposed = waiter->proposed || proposed;
    if (err != E_OK && !waiter->proposed)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (count == 0 && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RECOVERED);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    return proposed;
}

/* Every slot is where it shall be, and nothing of before is open. */
static bool is_resharded(const struct config *config, uint32_t shard_count)
{
    return !config_reshards(config) && config->shard_count == shard_count &&
           config->retired_count == 0;
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
    else if (config->wanted_shards == 0 && config_lasting_shards(config) != call->shard)
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
    believed_alive(node, alive);
    struct config *next = config_reshard(node->config, waiter->call->shard, alive, &err);
    if (err != E_OK)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (next == NULL && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RESHARDED);
    else if (next != NULL && node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    else if (next != NULL && may_propose(node))
        return try_change(node, next, "an operator wants another number of shards");
    config_free(next);
    return false;
}

static bool want_cancelled(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    enum err err = E_OK;
    struct config *next = config_reshard_cancel(node->config, &err);
    if (err != E_OK)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (next == NULL && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_CANCELLED);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    else if (next != NULL && may_propose(node))
        return try_change(node, next, "an operator cancels the moving of slots");
    config_free(next);
    return false;
}

static bool is_listed(const struct node *node)
{
    return config_member_by_id(node->config, node->id) != NULL;
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
    enum err err = is_listed(node) ? E_REMEMBERED : all ? E_OK : E_NOT_LISTED;
    if (err == E_OK) {
        if (!waiter->proposed)
            reg_abandon(&node->reg);
        err = node__want_anew(node, list, count, may_propose(node), &proposed);
    }
    waiter->proposed = waiter->proposed || proposed;
    /* Nodes that have just started meet each other within that time. */
    bool early = err == E_ALSO_ABSENT &&
                 node->mono_ms - waiter->call->since_ms < 2 * node->knobs->suspect_ms;
    if (is_listed(node) && waiter->proposed && is_known(node))
        answer_asked(node, index, E_OK, OUTCOME_RECOVERED);
    else if (err != E_OK && !waiter->proposed && !early)
        answer_asked(node, index, err, OUTCOME_NONE);
    else if (node->mono_ms >= waiter->until_ms)
        answer_asked(node, index, E_NO_MAJORITY, OUTCOME_NONE);
    return proposed;
}

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

static bool want_asked(struct node *node, uint32_t index)
{
    struct waiter *waiter = &node->waiters.list[index];
    if (waiter->call->op == OP_RECOVER && waiter->call->force)
        return want_anew(node, index);
    if (node->phase == NODE_REFUSED) {
        answer_removed(node, index);
        return false;
    }
    if (waiter->call->op == OP_RECOVER)
        return want_recovery(node, index);
    if (waiter->call->op == OP_RESHARD)
        return want_resharding(node, index);
    if (waiter->call->op == OP_RESHARD_CANCEL)
        return want_cancelled(node, index);
    enum outcome outcome = OUTCOME_NONE;
    enum err err = E_OK;
    struct config *next = wanted(node, waiter, &err);
    bool overdue = node->mono_ms >= waiter->until_ms;
    if (err != E_OK) {
        answer_asked(node, index, err, OUTCOME_NONE);
    } else if (next == NULL && is_done(node, waiter, &outcome)) {
        if (overdue || is_known(node))
            answer_asked(node, index, E_OK, outcome);
    } else if (overdue) {
        give_up(node, index, next == NULL);
    } else if (next != NULL && may_propose(node)) {
        waiter->proposed = true;
        bool begun = try_change(node, next, "an operator asks for it");
        (void)is_done(node, waiter, &outcome);
        if (PLANTED(node->options.plant, DONE_WHEN_PROPOSED))
            answer_asked(node, index, E_OK, outcome);
        return begun;
    }
    config_free(next);
    return false;
}

static bool want_all_asked(struct node *node)
{
    uint32_t next = WAITER_NONE;
    bool proposed = false;
    for (uint32_t i = node->waiters.head[WAITER_ASKED]; i != WAITER_NONE; i = next) {
        next = node->waiters.list[i].next;
        proposed = want_asked(node, i) || proposed;
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
    if (node->waiters.count >= node->knobs->max_requests) {
        node__answer_error(node, call, E_BUSY);
        return;
    }
    uint32_t index = waiters_add(&node->waiters, WAITER_ASKED, call);
    node->waiters.list[index].until_ms = call->deadline_ms;
    node->change_ms = node->mono_ms;
}

/* ---- time ---- */

static bool is_unsettled(const struct node *node)
{
    if (node->config == NULL)
        return false;
    const struct member *self = config_member_by_id(node->config, node->id);
    return node->newcomers || node->waiters.sizes[WAITER_ASKED] > 0 || node->phase == NODE_ASKING ||
           node->phase == NODE_FILLING || node->config->retired_count > 0 ||
           config_reshards(node->config) || (self != NULL && is_elsewhere(node, self));
}

void node__tick_changes(struct node *node)
{
    if (node->mono_ms < node->change_ms || !is_unsettled(node))
        return;
    node->change_ms = node->mono_ms + LOOK_MS / 2 + rng_below(&node->rng, LOOK_MS);
    bool busy = want_all_asked(node);
    node->newcomers = node->newcomers && node__has_newcomers(node);
    if (busy || !may_propose(node) || (node->newcomers && is_listed(node) && node__want_fork(node)))
        return;
    if (!want_own(node) && !want_own_ends(node) && !want_shards(node))
        want_reshard(node);
}

uint64_t node__change_deadline_ms(const struct node *node)
{
    return is_unsettled(node) ? node->change_ms : UINT64_MAX;
}
