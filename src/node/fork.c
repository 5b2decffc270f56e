/* fork - going on without those who are absent or have lost their memory.
 *
 * Does:   finds out who remembers the configuration, who has come back without it, and who is
 *         missing; proposes a new history when all that remember are there, and the others have
 *         forgotten (by itself) or were named as absent (an operator's request). Where nobody is
 *         left that remembers, one of those who have forgotten does, if an operator wants that.
 * Not:    what a fork does to the configuration (placement/config_fork.c).
 * Holds:  B1 all that remember have to accept it, on the register of the epoch that they all have.
 *         Any majority that could decide another value of that epoch has one of them, so not both
 *         can be decided. Where a majority is given up that is not so: it may decide yet. Then what
 *         was accepted of the old history gives way to the fork, so that no two configurations of
 *         one history have the same epoch. Where nobody remembers, all that are there have to. B2
 *         nothing is forked by itself while a majority of the acceptors remembers: it can decide
 *         without.
 * Limits: -
 * See:    docs/protocol.md 6.6 (T8, T19, T35).
 */
#include "node/state.h"

bool node__remembers(const struct node *node, const struct member *member)
{
    if (member->node_id == node->id)
        return true;
    const struct link *link = links_by_node_const(&node->links, member->node_id);
    return link != NULL && link->state == LINK_UP &&
           !suspect_is(&link->suspect, node->mono_ms, node->knobs->suspect_ms);
}

/* Who was last heard from this address. What a process that has ended has left of its connections
 * speaks for nobody: two newcomers would take each other's place again and again (seed 2005). */
static const struct guest *last_heard(const struct node *node, const struct address *address)
{
    const struct guest *last = NULL;
    for (uint32_t i = 0; i < LINK_GUESTS; i++) {
        const struct guest *guest = &node->links.guests[i];
        if (guest->conn == 0 || strcmp(guest->address.text, address->text) != 0)
            continue;
        if (last == NULL || guest->heard_ms > last->heard_ms)
            last = guest;
    }
    return last;
}

/* The id of the node that has come to the address of a member without its memory, or 0. It may be
 * this one. */
static uint64_t newcomer(const struct node *node, const struct member *member)
{
    if (strcmp(node->options.address.text, member->address.text) == 0 &&
        config_member_by_id(node->config, node->id) == NULL)
        return node->id;
    const struct guest *guest = last_heard(node, &member->address);
    bool is_new = guest != NULL && config_member_by_id(node->config, guest->node_id) == NULL &&
                  node->mono_ms - guest->heard_ms < 2 * node->knobs->suspect_ms;
    return is_new ? guest->node_id : 0;
}

bool node__has_newcomers(const struct node *node)
{
    for (uint32_t i = 0; i < node->config->member_count; i++)
        if (newcomer(node, &node->config->members[i]) != 0)
            return true;
    return false;
}

static bool majority_remembers(const struct node *node)
{
    uint32_t members[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(node->config, members);
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += node__remembers(node, &node->config->members[members[i]]) ? 1 : 0;
    return there >= count / 2 + 1;
}

static bool is_named(const struct address *named, uint32_t count, const struct address *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(named[i].text, address->text) == 0)
            return true;
    return false;
}

/* What becomes of each member: the named are given up, the others have to be there, each either as
 * it was or without its memory. */
static enum err fates(const struct node *node, const struct address *named, uint32_t count,
                      struct fork *fork)
{
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        fork->fates[i] = FATE_GONE;
        if (is_named(named, count, &member->address))
            continue;
        fork->fates[i] = FATE_STAYS;
        if (member->state == MEMBER_INVITED || node__remembers(node, member))
            continue;
        fork->fates[i] = FATE_EMPTY;
        fork->node_ids[i] = newcomer(node, member);
        if (fork->node_ids[i] == 0)
            return E_ALSO_ABSENT;
    }
    return E_OK;
}

/* No member of the configuration answers, this node included: it is not listed itself. */
bool node__nobody_remembers(const struct node *node)
{
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (member->state != MEMBER_INVITED && node__remembers(node, member))
            return false;
    }
    return true;
}

/* Not at once: those who do may be on their way. */
bool node__is_forgotten(const struct node *node)
{
    return node->phase == NODE_ASKING && node->config != NULL &&
           node->mono_ms - node->asking_ms >= 2 * node->knobs->suspect_ms &&
           node__nobody_remembers(node);
}

/* Who has to accept. Returns how many. */
static uint32_t remembering(const struct node *node, const struct fork *fork,
                            uint64_t acceptors[LIMIT_MEMBERS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (fork->fates[i] == FATE_STAYS && member->state != MEMBER_INVITED)
            acceptors[count++] = member->node_id;
    }
    return count;
}

static bool propose_fork(struct node *node, const struct fork *fork, bool over, enum err *err)
{
    struct config *next = config_fork(node->config, fork, err);
    if (next == NULL)
        return false;
    if (PLANTED(node->options.plant, FORK_KEEPS_LINEAGE)) {
        next->lineage = node->config->lineage;
        next->ancestor_count--;
    }
    uint64_t acceptors[LIMIT_MEMBERS];
    uint32_t count = remembering(node, fork, acceptors);
    for (uint32_t i = 0; i < node->config->member_count && node__nobody_remembers(node); i++)
        if (fork->fates[i] == FATE_EMPTY)
            acceptors[count++] = fork->node_ids[i];
    node__trace(node, TRACE_FORK, next->lineage, next->epoch, over ? 1 : 0, SLICE_EMPTY);
    struct buf history = BUF_EMPTY;
    if (over && !PLANTED(node->options.plant, FORK_TAKES_OVER))
        config_history(node->config, &history);
    bool begun = node__propose(node, next, acceptors, count, count, buf_slice(&history));
    buf_fini(&history);
    return begun;
}

static void begin_fork(struct node *node, struct fork *fork)
{
    memset(fork, 0, sizeof(*fork));
    fork->wall_ms = node->wall_ms;
    fork->lineage = rng_u64(&node->rng) | 1;
}

static bool all_absent(const struct node *node, const struct address *named, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct member *member =
            config_member_by_address(node->config, slice_str(named[i].text));
        if (member->state != MEMBER_INVITED &&
            (node__remembers(node, member) || newcomer(node, member) != 0))
            return false;
    }
    return true;
}

/* The members named, by force: NULL where that cannot be, with *err. */
static struct config *without(const struct node *node, const struct address *named, uint32_t count,
                              enum err *err)
{
    struct removal removal = {
        .addresses = named, .address_count = count, .force = true, .plant = node->options.plant};
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        /* who is named does not answer, and may not be suspected yet */
        removal.alive[i] =
            node__alive(node, member->node_id) && !is_named(named, count, &member->address);
    }
    return config_remove(node->config, &removal, err);
}

/* By command, without the named (listed, at least one). In this history where a majority is enough
 * and nobody is needed any more of whom is given up; else in a new one. Nothing is proposed unless
 * it may be. */
enum err node__want_recover(struct node *node, const struct address *named, uint32_t count,
                            bool may, bool *proposed)
{
    struct fork fork;
    enum err err = E_OK;
    if (!all_absent(node, named, count))
        return E_NOT_ABSENT;
    bool most = majority_remembers(node);
    struct config *next = most ? without(node, named, count, &err) : NULL;
    if (next != NULL && may)
        *proposed = node__propose_next(node, next);
    else
        config_free(next);
    if (next != NULL)
        return E_OK;
    begin_fork(node, &fork);
    err = fates(node, named, count, &fork);
    if (err == E_OK && may)
        *proposed = propose_fork(node, &fork, !most, &err);
    return err;
}

/* By command, where nobody remembers: of what the directories of those hold that are there, but for
 * the named. This node is one of them. */
enum err node__want_from_directories(struct node *node, const struct address *named, uint32_t count,
                                     bool may, bool *proposed)
{
    struct fork fork;
    if (!node__nobody_remembers(node))
        return E_REMEMBERED;
    if (!all_absent(node, named, count))
        return E_NOT_ABSENT;
    begin_fork(node, &fork);
    enum err err = fates(node, named, count, &fork);
    if (err == E_OK && may)
        *proposed = propose_fork(node, &fork, true, &err);
    return err;
}

/* The first of those who remember acts; the others know the same. */
static bool is_first(const struct node *node)
{
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (member->state != MEMBER_INVITED && node__remembers(node, member))
            return member->node_id == node->id;
    }
    return false;
}

/* By itself: everybody is there, and too many have forgotten. That must have been so for a while:
 * somebody who remembers more may be on the way. */
bool node__want_fork(struct node *node)
{
    struct fork fork;
    begin_fork(node, &fork);
    bool due = !majority_remembers(node) && fates(node, NULL, 0, &fork) == E_OK;
    if (!due) {
        node->fork_since_ms = UINT64_MAX;
        return false;
    }
    if (node->fork_since_ms == UINT64_MAX)
        node->fork_since_ms = node->mono_ms;
    enum err err = E_OK;
    return node->mono_ms - node->fork_since_ms >= 2 * node->knobs->suspect_ms && is_first(node) &&
           propose_fork(node, &fork, false, &err);
}
