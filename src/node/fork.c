/* fork - going on without those who are absent or have lost their memory.
 *
 * Does:   finds out who remembers the configuration, who has come back without it, and who is
 *         missing; proposes a new history when all that remember are there, and the others have
 *         forgotten (by itself) or were named as absent (an operator's request).
 * Not:    what a fork does to the configuration (placement/config_fork.c).
 * Holds:  B1 all that remember have to accept it, on the register of the epoch that they all have:
 *         so it cannot be decided beside another value of that epoch. B2 nothing is forked while a
 *         majority of the acceptors remembers: it can decide without.
 * Limits: -
 * See:    docs/protocol.md 6.6 (T8, T19, T35).
 */
#include "node/state.h"

static bool remembers(const struct node *node, const struct member *member)
{
    if (member->node_id == node->id)
        return true;
    const struct link *link = links_by_node_const(&node->links, member->node_id);
    return link != NULL && link->state == LINK_UP &&
           !suspect_is(&link->suspect, node->mono_ms, node->knobs->suspect_ms);
}

/* The id of the node that has come to the address of a member without its memory, or 0. */
static uint64_t newcomer(const struct node *node, const struct member *member)
{
    for (uint32_t i = 0; i < LINK_GUESTS; i++) {
        const struct guest *guest = &node->links.guests[i];
        if (guest->conn == 0 || strcmp(guest->address.text, member->address.text) != 0 ||
            config_member_by_id(node->config, guest->node_id) != NULL)
            continue;
        if (node->mono_ms - guest->heard_ms < 2 * node->knobs->suspect_ms)
            return guest->node_id;
    }
    return 0;
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
        there += remembers(node, &node->config->members[members[i]]) ? 1 : 0;
    return there >= count / 2 + 1;
}

static bool is_named(struct slice names, const struct address *address)
{
    struct address name;
    while (node__next_address(&names, &name))
        if (strcmp(name.text, address->text) == 0)
            return true;
    return false;
}

/* What becomes of each member. The named ones must be absent, all others there. */
static enum err fates(const struct node *node, struct slice named, struct fork *fork)
{
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        bool named_here = is_named(named, &member->address);
        fork->fates[i] = FATE_STAYS;
        if (member->state == MEMBER_INVITED && !named_here)
            continue;
        bool there = member->state != MEMBER_INVITED && remembers(node, member);
        fork->node_ids[i] = there ? 0 : newcomer(node, member);
        if (named_here && (there || fork->node_ids[i] != 0))
            return E_NOT_ABSENT;
        if (there)
            continue;
        fork->fates[i] = named_here ? FATE_GONE : FATE_EMPTY;
        if (!named_here && fork->node_ids[i] == 0)
            return E_ALSO_ABSENT;
    }
    return E_OK;
}

static bool propose_fork(struct node *node, const struct fork *fork, enum err *err)
{
    struct config *next = config_fork(node->config, fork, err);
    if (next == NULL)
        return false;
    uint64_t acceptors[LIMIT_MEMBERS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (fork->fates[i] == FATE_STAYS && member->state != MEMBER_INVITED)
            acceptors[count++] = member->node_id;
    }
    node__trace(node, TRACE_FORK, next->lineage, next->epoch, 0, SLICE_EMPTY);
    return node__propose(node, next, acceptors, count, count);
}

static void begin_fork(struct node *node, struct fork *fork)
{
    memset(fork, 0, sizeof(*fork));
    fork->wall_ms = node->wall_ms;
    fork->lineage = rng_u64(&node->rng) | 1;
}

/* By command. E_OK and *proposed false: not now (the register is busy). */
enum err node__want_recover(struct node *node, struct slice named, bool may, bool *proposed)
{
    struct fork fork;
    struct address address;
    struct slice rest = named;
    while (node__next_address(&rest, &address))
        if (config_member_by_address(node->config, slice_str(address.text)) == NULL)
            return E_NOT_LISTED;
    if (majority_remembers(node))
        return E_MAJORITY;
    begin_fork(node, &fork);
    enum err err = fates(node, named, &fork);
    if (err == E_OK && may)
        *proposed = propose_fork(node, &fork, &err);
    return err;
}

/* The first of those who remember acts; the others know the same. */
static bool is_first(const struct node *node)
{
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (member->state != MEMBER_INVITED && remembers(node, member))
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
    bool due = !majority_remembers(node) && fates(node, SLICE_EMPTY, &fork) == E_OK;
    if (!due) {
        node->fork_since_ms = UINT64_MAX;
        return false;
    }
    if (node->fork_since_ms == UINT64_MAX)
        node->fork_since_ms = node->mono_ms;
    enum err err = E_OK;
    return node->mono_ms - node->fork_since_ms >= 2 * node->knobs->suspect_ms && is_first(node) &&
           propose_fork(node, &fork, &err);
}
