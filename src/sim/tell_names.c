/* tell_names - names in a story.
 *
 * Does:   see tell_names.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    tell.h.
 */
#include "sim/tell_names.h"

#define ULL unsigned long long
#define TEXT_BYTES_MAX 200U

static uint32_t by_id(const struct world *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].node != NULL && node_id(world->nodes[i].node) == id)
            return i;
    }
    for (uint32_t i = 0; i < world->node_count; i++) { /* its process has ended: others know it */
        const struct node *node = world->nodes[i].node;
        const struct config *config = node != NULL ? node_config(node) : NULL;
        const struct member *member = config != NULL ? config_member_by_id(config, id) : NULL;
        if (member != NULL)
            return world_by_address(world, slice_str(member->address.text));
    }
    return VNET_NODES_MAX;
}

void tell__node_id(struct world *world, uint64_t id)
{
    uint32_t index = by_id(world, id);
    if (index < world->node_count)
        fprintf(world->story.out, "n%u", index);
    else
        fprintf(world->story.out, "..%04llx", (ULL)(id & 0xffff));
}

void tell__dot(struct world *world, struct dot dot)
{
    uint32_t write = oracle_by_dot(&world->oracle, dot);
    fprintf(world->story.out, "a%u:%llu", dot.actor, (ULL)dot.seq);
    if (write != 0)
        fprintf(world->story.out, " (%sw%u)",
                world->oracle.writes[write].tombstone ? "delete " : "", write);
}

void tell__text(struct world *world, struct slice text)
{
    size_t most = text.len < TEXT_BYTES_MAX ? text.len : TEXT_BYTES_MAX;
    for (size_t i = 0; i < most; i++) {
        bool named = false;
        for (uint32_t n = 0; n < world->node_count && !named; n++) {
            struct slice address = slice_str(world->nodes[n].address.text);
            named = text.len - i >= address.len &&
                    slice_equal(slice_of(text.ptr + i, address.len), address);
            if (!named)
                continue;
            fprintf(world->story.out, "n%u", n);
            i += address.len - 1;
        }
        if (named)
            continue;
        if (text.ptr[i] >= 0x20 && text.ptr[i] <= 0x7e)
            fputc(text.ptr[i], world->story.out);
        else
            fprintf(world->story.out, "\\x%02x", text.ptr[i]);
    }
}

void tell__key(struct world *world, struct slice key)
{
    for (uint32_t i = 0; i < world->oracle.key_count; i++) {
        const struct hkey *at = &world->oracle.keys[i];
        if (slice_equal(slice_of(at->text, at->len), key)) {
            fprintf(world->story.out, "k%u", i);
            return;
        }
    }
    tell__text(world, key);
}

void tell__seqs(struct world *world, const uint64_t seqs[ORACLE_ACTORS_MAX])
{
    bool any = false;
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        if (seqs[i] > 0)
            fprintf(world->story.out, "%sa%u:%llu", any ? " " : "", i, (ULL)seqs[i]);
        any = any || seqs[i] > 0;
    }
    if (!any)
        fputs("nothing", world->story.out);
}

void tell__vv(struct world *world, const struct vv *vv)
{
    for (uint32_t i = 0; i < vv->count; i++)
        fprintf(world->story.out, "%sa%u:%llu", i > 0 ? " " : "", vv->entries[i].actor,
                (ULL)vv->entries[i].seq);
    if (vv->count == 0)
        fputs("nothing", world->story.out);
}
