/* doubt - a log that cannot be proven whole, and what the node is then.
 *
 * Does:   ends the term of the own actor where its last writes may be missing; takes another node
 *         id where not even the register's promises can be trusted, or another has taken its place.
 * Not:    finding out (recover.c, replica/); coming back (change.c, replica/fill.c).
 * Holds:  no dot, receipt or promise is given under an identity that may have given more (I6). The
 *         doubt is logged before anything else, so that the next start finds it too (T25).
 * Limits: -
 * See:    docs/protocol.md 6.3 (T3, T11, T24, T25).
 */
#include "node/state.h"

static uint64_t random_id(struct node *node)
{
    uint64_t id = rng_u64(&node->rng);
    return id != 0 ? id : 1;
}

uint64_t node__new_id(struct node *node)
{
    uint64_t id = random_id(node);
    while (node->config != NULL && config_member_by_id(node->config, id) != NULL)
        id = random_id(node);
    return id;
}

uint32_t node__own_actor(const struct node *node)
{
    const struct member *self =
        node->config != NULL ? config_member_by_id(node->config, node->id) : NULL;
    return self != NULL ? self->actor : 0;
}

bool node__in_doubt(const struct node *node)
{
    return node->doubt_actor != 0 && node->doubt_actor == node__own_actor(node);
}

/* It was in doubt, and has another actor now. Unless that is what this process asked for, it may be
 * one that it has borne before, in a term that its log has lost (T24). */
void node__judge_actor(struct node *node)
{
    const struct member *self = config_member_by_id(node->config, node->id);
    if (self == NULL || self->actor == 0 || self->actor == node->doubt_actor)
        return;
    if (node->renewal_ms != 0 && self->returned_ms == node->renewal_ms)
        return;
    REACHED(&node->metrics, ACTOR_OF_ANOTHER_LIFE);
    node__doubt_actor(node, "it was given an actor that it has not asked for since it started");
}

static void set_reason(struct node *node, const char *why)
{
    buf_reset(&node->reason);
    buf_append_slice(&node->reason, slice_str(why));
}

/* The last writes of the own actor may be missing: the configuration has to give another. */
void node__doubt_actor(struct node *node, const char *why)
{
    uint32_t actor = node__own_actor(node);
    if (actor == 0)
        return; /* it has written nothing that could be missing */
    struct buf body = BUF_EMPTY;
    buf_u32(&body, actor);
    log_append(node->log, RECORD_DOUBT, buf_slice(&body));
    buf_fini(&body);
    node->doubt_actor = actor;
    replicas_doubt(node->replicas);
    set_reason(node, why);
    node__trace(node, TRACE_IN_DOUBT, actor, 0, 0, slice_str(why));
}

bool node__replay_doubt(struct node *node, struct slice body)
{
    struct read in = read_of(body);
    node->doubt_actor = read_u32(&in);
    if (!read_done(&in) || node->config == NULL)
        return false;
    if (node__in_doubt(node)) {
        replicas_doubt(node->replicas);
        set_reason(node, "its log was not whole when it started before");
    }
    return true;
}

/* Another node from here on, with the table of the one it was. */
void node__take_id(struct node *node, uint64_t id)
{
    node->id = id;
    node->listed_once = false;
    node->removed = (struct removed){0};
    node->doubt_actor = 0;
    uint64_t seed = rng_u64(&node->rng);
    reg_fini(&node->reg);
    reg_init(&node->reg, id, seed);
    struct replica_io io = node__io(node);
    replicas_become(node->replicas, id, &io);
}

void node__doubt_all(struct node *node, const char *why)
{
    node__take_id(node, node__new_id(node));
    set_reason(node, why);
    node__trace(node, TRACE_NEW_ID, node->id, 0, 0, slice_str(why));
}

/* Everybody who knows this process knows it by another id. */
static void hang_up_all(struct node *node)
{
    for (uint32_t i = 0; i < node->links.count; i++) {
        node__drop_link(node, &node->links.list[i], true);
        node->links.list[i].retry_ms = node->mono_ms;
    }
    node__hang_up_guests(node);
}

/* It is not listed, and has asked for a place in an epoch that nobody who is there knows: its
 * register would neither propose nor accept for an earlier one. Nothing rests on what it has
 * promised under this id (seed 1712837). */
bool node__has_outlived(const struct node *node)
{
    return node__is_forgotten(node) && !node__is_listed(node) &&
           reg_instance(&node->reg) > node->config->epoch + 1;
}

/* While it runs: a peer has shown that this node had more, or that another is in its place. */
void node__begin_anew(struct node *node, const char *why)
{
    node->phase = NODE_ASKING;
    node->asking_ms = node->mono_ms;
    node->pause_said = false;
    node__withdraw(node);
    hang_up_all(node);
    node__doubt_all(node, why);
    node__log_start(node);
    node->commits.must_sync = true;
}
