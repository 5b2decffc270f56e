/* removed - what a node has that was taken off the list.
 *
 * Does:   remembers the last term of a node that a configuration does not list any more, and says
 *         how many of its writes the others may not have.
 * Not:    bringing them back: thence salvage (salvage/).
 * Holds:  a node whose address is listed again does not come in as a new one, and drop what it has,
 *         before it is known that nothing of that is nowhere else.
 * Limits: its own writes of its last term in its shard, not those in transits; at most so many,
 *         since of what lay above a hole the others may have a part. The cluster forgets losses
 *         after LIMIT_LOSS_DAYS: then it does not know.
 * See:    docs/protocol.md 6.4, 6.5.
 */
#include "node/state.h"

static uint64_t seq_of_home(const struct node *node)
{
    return replica_seq(replicas_home(node->replicas));
}

/* Before the replicas adopt it: then the term and its last seq are gone. */
void node__note_removed(struct node *node, const struct config *next)
{
    const struct member *self =
        node->config != NULL ? config_member_by_id(node->config, node->id) : NULL;
    if (self == NULL || config_member_by_id(next, node->id) != NULL)
        return;
    node->removed = (struct removed){.actor = self->actor,
                                     .seq = self->actor != 0 ? seq_of_home(node) : 0,
                                     .handed_over = self->state == MEMBER_LEAVING};
}

/* The configuration says up to where everybody has them: when the term is sealed (6.5). */
enum only_here node__only_here(const struct node *node, uint64_t *count)
{
    const struct removed *removed = &node->removed;
    *count = 0;
    if (removed->seq == 0)
        return ONLY_HERE_COUNTED;
    const struct retired *retired = config_retired(node->config, removed->actor, SHARD_NONE);
    const struct loss *loss = config_loss_of_actor(node->config, removed->actor);
    if (retired != NULL && retired->state != RETIRED_SEALED)
        return ONLY_HERE_LATER;
    if (loss == NULL)
        return removed->handed_over ? ONLY_HERE_COUNTED : ONLY_HERE_UNKNOWN;
    *count = removed->seq > loss->whole_seq ? removed->seq - loss->whole_seq : 0;
    return ONLY_HERE_COUNTED;
}

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
