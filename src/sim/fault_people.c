/* fault_people - what operators do to the list of members.
 *
 * Does:   take members off the list, alive or not, add addresses, put spares into shards, move
 *         slots: one operator or two at once, each through a node of his choice. Starts who was
 *         removed again, with an empty directory.
 * Not:    epochs in which nothing changes: fault_clock.c.
 * Holds:  U2: who was removed comes back, as a spare.
 * Limits: one address that nobody has.
 * See:    fault.h; docs/protocol.md 6.4, 6.7; node/request.h.
 */
#include "sim/fault.h"

#include "sim/people.h"

/* For so long members may die in the middle of what an operator has asked for (fault_recover.c). */
#define DIE_TRIES 60U

/* A node that takes requests, or node_count. */
static uint32_t pick_asked(struct world *world)
{
    uint32_t index = budget_pick(world);
    const struct sim_node *node = &world->nodes[index];
    bool takes = node->node != NULL && !node->paused && !node->stopping && !node->away;
    return takes && world->booted ? index : world->node_count;
}

static bool ask(struct world *world, enum op op, const char *address, uint32_t shard)
{
    uint32_t asked = pick_asked(world);
    if (asked == world->node_count)
        return false;
    struct wish wish = {op, address, shard, rng_chance(&world->fault_rng, 1, 4)};
    world->people = true;
    client_operate(world->client, asked, &wish, PEOPLE_US_MAX);
    return true;
}

/* Two operators at once, one time in three. */
static bool ask_twice(struct world *world, enum op op, const char *address, uint32_t shard)
{
    bool any = ask(world, op, address, shard);
    if (rng_chance(&world->fault_rng, 1, 3)) {
        const char *other = world->nodes[budget_pick(world)].address.text;
        any = ask(world, op, rng_chance(&world->fault_rng, 1, 2) ? address : other, shard) || any;
    }
    return any;
}

bool fault_remove(struct world *world)
{
    uint32_t index = budget_pick(world);
    if (world->nodes[index].node == NULL || rng_chance(&world->fault_rng, 1, 2))
        return ask_twice(world, OP_VIEW_REMOVE, world->nodes[index].address.text, 0);
    /* It dies, and somebody finds that it will not come back. */
    if (budget_pick_spareable(world) == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_crash(world, index);
    world_start_later(world, index, 2 * fault_length(world));
    return ask_twice(world, OP_VIEW_REMOVE, world->nodes[index].address.text, 0);
}

bool fault_add(struct world *world)
{
    uint32_t index = budget_pick(world);
    bool nobody = rng_chance(&world->fault_rng, 1, 6);
    return ask_twice(world, OP_VIEW_ADD, nobody ? PEOPLE_NOBODY : world->nodes[index].address.text,
                     0);
}

static bool is_spare(const struct sim_node *node)
{
    return node->node != NULL && node_phase(node->node) == NODE_SPARE;
}

bool fault_place(struct world *world)
{
    uint32_t index = budget_pick(world);
    for (uint32_t i = 0; i < world->node_count && !is_spare(&world->nodes[index]); i++)
        index = (index + 1) % world->node_count;
    uint32_t shard = (uint32_t)rng_below(&world->fault_rng, world->swarm.shards);
    return ask_twice(world, OP_SHARD_ADD, world->nodes[index].address.text, shard);
}

/* Each begins new terms: more would not fit into what the oracle can hold. */
static bool has_room(const struct world *world)
{
    return world->config != NULL && world->config->next_actor < ORACLE_ACTORS_MAX - 72;
}

bool fault_reshard(struct world *world)
{
    enum op op = rng_chance(&world->fault_rng, 1, 6) ? OP_RESHARD_CANCEL : OP_RESHARD;
    uint32_t most = world->node_count / 2 < 4 ? world->node_count / 2 : 4;
    uint32_t count = (uint32_t)rng_between(&world->fault_rng, 1, most);
    if (!has_room(world) || !ask_twice(world, op, "", count))
        return false;
    if (world->swarm.weight[FAULT_RECOVER] > 0 && rng_chance(&world->fault_rng, 1, 2))
        fault_mend(world, rng_below(&world->fault_rng, 1000000), MEND_DIE, DIE_TRIES, 0);
    return true;
}

void mend_return(struct world *world, const struct vevent *event)
{
    struct sim_node *node = &world->nodes[event->b];
    node->returns = 0; /* listed again meanwhile, it may be removed once more */
    if (node->node == NULL || node_phase(node->node) != NODE_REFUSED)
        return;
    story_say(&world->story, node->index, "was removed, and starts again with an empty directory");
    node->emptied = node->damaged = true;
    fault_new_directory(world, node, NULL);
}
