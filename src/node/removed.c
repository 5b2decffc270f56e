/* removed - what a node has that was taken off the list.
 *
 * Does:   remembers the last terms of a node that a configuration does not list any more, and says
 *         how many of its writes the others may not have.
 * Not:    bringing them back: thence salvage (salvage/).
 * Holds:  a node whose address is listed again does not come in as a new one, and drop what it has,
 *         before it is known that nothing of that is nowhere else.
 * Limits: its own writes of its last term in its shard and in each transit, and of those before
 *         that were not closed yet; at most so many, since of what lay above a hole the
 *         others may have a part. The cluster forgets old losses where it has no room for more
 *         (placement/config_loss.c): then it does not know.
 * See:    docs/protocol.md 6.4, 6.5.
 */
#include "node/state.h"

/* ---- what it had ---- */

static void note_term(struct removed *removed, uint32_t actor, uint64_t seq, bool handed_over)
{
    for (uint32_t i = 0; i < removed->count; i++) {
        struct removed_term *term = &removed->terms[i];
        if (term->actor != actor)
            continue;
        term->handed_over = term->handed_over && handed_over;
        term->seq = seq > term->seq ? seq : term->seq;
        return;
    }
    if (actor == 0 || seq == 0)
        return;
    ASSERT(removed->count < LIMIT_ACTORS); /* all of them are open */
    removed->terms[removed->count++] = (struct removed_term){actor, seq, handed_over};
}

/* Its terms that ended because slots moved, or because it was in doubt, and are not closed: it
 * makes no more of them, so it covers all of it that it has. */
static void note_ended(struct removed *removed, const struct node *node)
{
    for (uint32_t i = 0; i < node->config->retired_count; i++) {
        const struct retired *retired = &node->config->retired[i];
        const struct replica *replica =
            replicas_of_shard(node->replicas, config_shard_of_retired(node->config, retired));
        if (retired->node_id != node->id || replica == NULL)
            continue;
        uint64_t seq = vv_get(replica_coverage(replica), retired->actor);
        bool handed_over =
            retired->state == RETIRED_MOVING && replica_all_cover(replica, retired->actor, seq);
        note_term(removed, retired->actor, seq, handed_over);
    }
}

/* Before the replicas adopt it: then the terms and their last seqs are gone. */
void node__note_removed(struct node *node, const struct config *next)
{
    if (node->config == NULL || config_member_by_id(node->config, node->id) == NULL ||
        config_member_by_id(next, node->id) != NULL)
        return;
    struct removed *removed = &node->removed;
    *removed = (struct removed){.count = 0};
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++) {
        const struct replica *replica = replicas_at(node->replicas, i);
        uint32_t actor = replica_actor(replica);
        /* Not replica_seq: a checkpoint repeats its own writes as it does those of others, and
         * while the log is gone through only the coverage knows of them. */
        note_term(removed, actor, vv_get(replica_coverage(replica), actor),
                  replica_state(replica) == MEMBER_LEAVING);
    }
    note_ended(removed, node);
}

/* ---- what of it others have ---- */

/* An actor is sealed for each part of its slots by itself, and its loss is the greatest of all. */
static bool is_being_sealed(const struct config *config, uint32_t actor)
{
    for (uint32_t i = 0; i < config->retired_count; i++)
        if (config->retired[i].actor == actor && config->retired[i].state != RETIRED_SEALED)
            return true;
    return false;
}

/* The configuration says up to where everybody has them: when the term is sealed (6.5). */
static enum only_here of_term(const struct config *config, const struct removed_term *term,
                              uint64_t *count)
{
    const struct loss *loss = config_loss_of_actor(config, term->actor);
    *count = 0;
    if (is_being_sealed(config, term->actor))
        return ONLY_HERE_LATER;
    if (loss == NULL)
        return term->handed_over ? ONLY_HERE_COUNTED : ONLY_HERE_UNKNOWN;
    *count = term->seq > loss->whole_seq ? term->seq - loss->whole_seq : 0;
    return ONLY_HERE_COUNTED;
}

enum only_here node__only_here(const struct node *node, uint64_t *count)
{
    enum only_here all = ONLY_HERE_COUNTED;
    *count = 0;
    for (uint32_t i = 0; i < node->removed.count; i++) {
        uint64_t one = 0;
        enum only_here said = of_term(node->config, &node->removed.terms[i], &one);
        *count += one;
        if (said == ONLY_HERE_LATER || all == ONLY_HERE_COUNTED)
            all = said;
    }
    return all;
}

/* ---- telling it ---- */

static void say_number(struct buf *out, const char *before, uint64_t number, const char *behind)
{
    buf_append_slice(out, slice_str(before));
    buf_decimal(out, number);
    buf_append_slice(out, slice_str(behind));
}

void node__say_only_here(const struct node *node, struct buf *out)
{
    uint64_t count = 0;
    if (node->config == NULL || !node->listed_once)
        return;
    switch (node__only_here(node, &count)) {
    case ONLY_HERE_LATER:
        buf_append_slice(out, SLICE_LIT("; how many of its writes only it has the others are still "
                                        "finding out"));
        return;
    case ONLY_HERE_UNKNOWN:
        buf_append_slice(out, SLICE_LIT("; how many of its writes only it has nobody knows any "
                                        "more: thence salvage looks"));
        return;
    case ONLY_HERE_COUNTED:
        if (count > 0)
            say_number(out, "; at most ", count,
                       " of its writes nobody else has: thence salvage brings them back");
        return;
    }
}

/* Once, when it is known. */
void node__tell_only_here(struct node *node)
{
    uint64_t count = 0;
    if (node->phase != NODE_REFUSED || !node->listed_once || node->removed.said ||
        node__only_here(node, &count) == ONLY_HERE_LATER)
        return;
    node->removed.said = true;
    struct buf text = BUF_EMPTY;
    node__say_only_here(node, &text);
    if (text.len > 2)
        node__trace(node, TRACE_ONLY_HERE, count, 0, 0,
                    slice_of(text.ptr + 2, text.len - 2)); /* without the "; " */
    buf_fini(&text);
}

/* Its address is listed again, and nobody has come there: it could come in as a new node, and what
 * it has would go. */
bool node__keeps_what_it_has(const struct node *node)
{
    uint64_t count = 0;
    const struct member *there =
        config_member_by_address(node->config, slice_str(node->options.address.text));
    return there != NULL && there->state == MEMBER_INVITED &&
           (node__only_here(node, &count) != ONLY_HERE_COUNTED || count > 0);
}
