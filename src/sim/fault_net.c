/* fault_net - what goes wrong between nodes.
 *
 * Does:   cuts of links, whole, one way, between sets, flapping, several at once; slow and stalled
 *         directions; resets. Asks a node that is cut off from all others for answers (I3).
 * Not:    how a cut link behaves: vnet.c.
 * Holds:  U2. A link is cut while any disturbance cuts it.
 * Limits: -
 * See:    fault.h.
 */
#include "sim/fault.h"

#include "sim/client.h"

/* ---- Disturbances that may overlap ---- */

/* A free one, or WORLD_CUTS_MAX. */
static uint32_t cut_new(struct world *world)
{
    for (uint32_t i = 0; i < world->swarm.cuts_at_once; i++) {
        if (!world->cuts[i].active) {
            memset(&world->cuts[i], 0, sizeof world->cuts[i]);
            return i;
        }
    }
    return WORLD_CUTS_MAX;
}

static void cut_add(struct cut *cut, uint32_t from, uint32_t to, bool both)
{
    cut->active = true;
    cut->rows[from] |= (uint8_t)(1U << to);
    if (both)
        cut->rows[to] |= (uint8_t)(1U << from);
}

/* The network is as all disturbances together say. */
static void cuts_apply(struct world *world)
{
    for (uint32_t from = 0; from < world->node_count; from++) {
        uint32_t row = 0;
        for (uint32_t i = 0; i < WORLD_CUTS_MAX; i++)
            row |= world->cuts[i].active ? world->cuts[i].rows[from] : 0;
        for (uint32_t to = 0; to < world->node_count; to++)
            vnet_cut(&world->net, from, to, (row >> to & 1U) != 0);
    }
}

void mend_cut(struct world *world, const struct vevent *event)
{
    world->cuts[event->b].active = false;
    cuts_apply(world);
    story_say(&world->story, UINT32_MAX, "a cut is over");
}

/* ---- I3: who is cut off answers ---- */

/* Clients that have seen nothing ask the node that was just cut off. */
static void ask_isolated(struct world *world, uint32_t index, uint64_t length)
{
    const struct sim_node *node = &world->nodes[index];
    uint64_t patience = world->swarm.knobs.suspect_ms * 3000 + 4000000;
    if (node->node == NULL || node->paused || node_phase(node->node) != NODE_SERVING ||
        node->stopping || node->disk_slow_until_us > world->time.now_us || length < patience)
        return;
    uint32_t key = (uint32_t)rng_below(&world->fault_rng, world->oracle.key_count);
    if (!node_serves(node->node, world->oracle.keys[key].slot))
        return;
    uint64_t read = client_probe(world->client, index, OP_GET, key, CLIENT_NOBODY, 0, patience);
    client_probe(world->client, index, OP_PUT, key, CLIENT_NOBODY, 0, patience);
    fault_mend(world, patience + 1000, MEND_ANSWERS, read, node->faults << 8 | index);
}

void mend_answers(struct world *world, const struct vevent *event)
{
    const struct sim_node *node = &world->nodes[event->c & 0xff];
    if (node->faults != event->c >> 8 || world->faults_over)
        return; /* something else happened to it */
    for (uint64_t i = event->b; i < event->b + 2; i++) {
        const struct call *call = client_call(world->client, i);
        bool full = call->err == E_MEMORY_FULL || call->err == E_DISK_FULL || call->err == E_BUSY;
        if (client_call_good(call) || call->forwarded || (full && !call->lost))
            continue; /* handed to the source of a walk, just before it was cut off */
        if (call->life != node->life)
            continue; /* its disk was to fail already, and did (2212433) */
        verdict_say(&world->verdict, "I3",
                    "node %u, cut off from all others, did not answer a %s of a client that had "
                    "seen nothing: %s",
                    node->index, call->asked.op == OP_PUT ? "write" : "read",
                    call->lost ? "silence" : err_name(call->err));
    }
}

/* ---- Cuts ---- */

bool fault_isolate(struct world *world)
{
    uint32_t index = budget_pick(world);
    uint64_t length = fault_length(world);
    uint32_t number = cut_new(world);
    if (world->booted && rng_chance(&world->fault_rng, 1, 3))
        length += world->swarm.knobs.suspect_ms * 3000 + 4000000;
    if (number == WORLD_CUTS_MAX)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i != index)
            cut_add(&world->cuts[number], index, i, true);
    }
    cuts_apply(world);
    char span[STORY_SPAN_BYTES];
    story_say(&world->story, index, "is cut off from all for %s", story_span(length, span));
    if (world->booted)
        ask_isolated(world, index, length);
    fault_mend(world, length, MEND_CUT, number, 0);
    return true;
}

static void tell_halves(struct world *world, uint64_t side, bool one_way, uint64_t length)
{
    char span[STORY_SPAN_BYTES];
    FILE *out = story_begin(&world->story, UINT32_MAX);
    if (out == NULL)
        return;
    for (uint32_t half = 0; half < 2; half++) {
        for (uint32_t i = 0; i < world->node_count; i++) {
            if ((side >> i & 1) != half)
                fprintf(out, "n%u ", i);
        }
        if (half == 0)
            fputs(one_way ? "is not heard by " : "is cut off from ", out);
    }
    fprintf(out, "for %s", story_span(length, span));
    story_end(&world->story);
}

bool fault_cut_half(struct world *world)
{
    uint64_t length = fault_length(world);
    uint64_t side = rng_between(&world->fault_rng, 1, (UINT64_C(1) << world->node_count) - 2);
    bool one_way = rng_chance(&world->fault_rng, 1, 4);
    uint32_t number = cut_new(world);
    if (number == WORLD_CUTS_MAX)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++) {
            if ((side >> i & 1) != 0 && (side >> j & 1) == 0)
                cut_add(&world->cuts[number], i, j, !one_way);
        }
    }
    cuts_apply(world);
    tell_halves(world, side, one_way, length);
    fault_mend(world, length, MEND_CUT, number, 0);
    return true;
}

static bool cut_one(struct world *world, bool both, const char *what, bool flap)
{
    uint32_t a = budget_pick(world);
    uint32_t b = budget_pick(world);
    uint64_t length = fault_length(world);
    uint32_t number = a == b ? WORLD_CUTS_MAX : cut_new(world);
    if (number == WORLD_CUTS_MAX)
        return false;
    cut_add(&world->cuts[number], a, b, both);
    cuts_apply(world);
    char span[STORY_SPAN_BYTES];
    story_say(&world->story, a, "%s n%u for %s", what, b, story_span(length, span));
    if (flap)
        fault_mend(world, length / 8, MEND_FLAP, (uint64_t)number << 16 | a << 8 | b,
                   length / 8 << 8 | 6);
    else
        fault_mend(world, length, MEND_CUT, number, 0);
    return true;
}

bool fault_cut_link(struct world *world)
{
    return cut_one(world, true, "is cut off from", false);
}

bool fault_cut_one_way(struct world *world)
{
    return cut_one(world, false, "is not heard by", false);
}

bool fault_flap(struct world *world)
{
    return cut_one(world, true, "has a flapping link to", true);
}

/* The flapping link changes; at last it stands. */
void mend_flap(struct world *world, const struct vevent *event)
{
    struct cut *cut = &world->cuts[event->b >> 16];
    uint64_t left = event->c & 0xff;
    memset(cut->rows, 0, sizeof cut->rows);
    if (left % 2 == 1)
        cut_add(cut, (uint32_t)(event->b >> 8 & 0xff), (uint32_t)(event->b & 0xff), true);
    cut->active = left > 0 && !world->faults_over;
    cuts_apply(world);
    if (cut->active)
        fault_mend(world, event->c >> 8, MEND_FLAP, event->b, event->c - 1);
}

/* ---- Single connections and slow links ---- */

static bool tell_hit(struct world *world, bool any, const char *what)
{
    if (any)
        story_say(&world->story, UINT32_MAX, "the connection from n%u to n%u %s", world->net.hit[0],
                  world->net.hit[1], what);
    return any;
}

bool fault_reset(struct world *world)
{
    bool any = false;
    for (uint64_t i = rng_between(&world->fault_rng, 1, 6); i > 0; i--)
        any = tell_hit(world, vnet_reset_one(&world->net), "resets") || any;
    return any;
}

bool fault_stall(struct world *world)
{
    bool any = false;
    for (uint64_t i = rng_between(&world->fault_rng, 1, 3); i > 0; i--)
        any = tell_hit(world, vnet_stall_one(&world->net, fault_length(world)), "stalls") || any;
    return any;
}

bool fault_slow_link(struct world *world)
{
    uint32_t a = budget_pick(world);
    uint32_t b = budget_pick(world);
    if (a == b)
        return false;
    world->net.extra_us[a][b] = rng_between(&world->fault_rng, 20, 800) * 1000;
    char span[STORY_SPAN_BYTES];
    story_say(&world->story, a, "is slow towards n%u: %s more", b,
              story_span(world->net.extra_us[a][b], span));
    fault_mend(world, fault_length(world) * 2, MEND_SLOW_LINK, a, b);
    return true;
}

void mend_slow_link(struct world *world, const struct vevent *event)
{
    world->net.extra_us[event->b][event->c] = 0;
    story_say(&world->story, (uint32_t)event->b, "is as fast as before towards n%u",
              (uint32_t)event->c);
}
