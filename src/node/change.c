/* change - what this node wants of the configuration, and proposes.
 *
 * Does:   looks, now and then, whether anything has to change: its own place (a stranger asks to be
 *         let in, who is in doubt for a new actor, who has filled up to be active, who has handed
 *         over to go), what its shard needs (actors to be sealed and closed, a merge that is done),
 *         the next step of a reshard. Proposes the first that applies.
 * Not:    what operators ask for: asked.c. What a change does (placement/config_change.h); which of
 *         two wins (cluster/register.h).
 * Holds:  C1 a wish is looked at anew against every configuration, and is done when it does not
 *         apply any more: two who propose the same, and one who proposes twice, do it once. C3 who
 *         has lost its memory asks for a place no sooner than the configuration says (T37).
 * Limits: -
 * See:    docs/protocol.md sections 5, 6.1, 6.3 to 6.5 and 7.
 */
#include "node/state.h"

/* How often a node looks while anything is unsettled, and how long a proposal may take. */
#define LOOK_MS 50U
#define PROPOSAL_MS 5000U

/* The first member of a shard sees to the shard's needs at once, the next one that much later. */
#define RANK_MS 700U

/* ---- proposing ---- */

bool node__may_propose(const struct node *node)
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
bool node__try_change(struct node *node, struct config *next, const char *what)
{
    if (next == NULL)
        return false;
    node__trace(node, TRACE_PROPOSED, next->epoch, 0, 0, slice_str(what));
    return node__propose_next(node, next);
}

/* ---- the own place ---- */

bool node__is_listed(const struct node *node)
{
    return config_member_by_id(node->config, node->id) != NULL;
}

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
        node__try_change(node, config_activate(node->config, node->id, actor, &err),
                         "this node has filled up"))
        return true;
    return replica_handed_over(replica) &&
           node__try_change(node, config_left(node->config, node->id, actor, &err),
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
        return node__try_change(
            node, config_admit(config, node->id, &node->options.address, now_ms, &err),
            "this node asks for a place");
    if (node__in_doubt(node)) {
        if (node->renewal_ms == 0)
            node->renewal_ms = now_ms != 0 ? now_ms : 1; /* always the same: the answer shows it */
        return node__try_change(node,
                                config_renew(config, node->id, self->actor, node->renewal_ms, &err),
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
           node__try_change(
               node, config_closed(node->config, retired->actor, replica_shard(replica), &err),
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
        return node__try_change(
            node,
            config_sealed(config, retired->actor, shard, last_seq, whole_seq, node->wall_ms, &err),
            "all have reported on an actor that has gone");
    if (retired->state == RETIRED_SEALED &&
        replica_all_cover(replica, retired->actor, retired->last_seq))
        return node__try_change(node, config_closed(config, retired->actor, shard, &err),
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
            node__try_change(
                node, config_merged(node->config, replica_shard(replica), node->wall_ms, &err),
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

/* By index into the members of the configuration. */
void node__believed_alive(const struct node *node, bool alive[LIMIT_MEMBERS])
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
    node__believed_alive(node, alive);
    if (node__try_change(node, config_reshard_step(node->config, alive, &err), "slots are moved"))
        return true;
    return err == E_NODES_FEW && !is_possible(node->config) &&
           node__try_change(node, config_reshard_cancel(node->config, &err),
                            "there are too few nodes for so many shards");
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
    if (node__has_outlived(node))
        node__start_over(node,
                         "nobody knows the epochs any more in which it has asked for a place");
    bool busy = node__want_asked(node);
    node->newcomers = node->newcomers && node__has_newcomers(node);
    if (!node->newcomers)
        node->fork_since_ms = UINT64_MAX;
    if (busy || !node__may_propose(node) ||
        (node->newcomers && node__is_listed(node) && node__want_fork(node)))
        return;
    if (!want_own(node) && !want_own_ends(node) && !want_shards(node))
        want_reshard(node);
}

uint64_t node__change_deadline_ms(const struct node *node)
{
    return is_unsettled(node) ? node->change_ms : UINT64_MAX;
}
