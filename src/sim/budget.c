/* budget - how much may go wrong, so that what is owed can be told from what is not.
 *
 * Does:   see budget.h.
 * Not:    -
 * Holds:  U1.
 * Limits: -
 * See:    budget.h.
 */
#include "sim/budget.h"

uint32_t budget_pick(struct world *world)
{
    return (uint32_t)rng_below(&world->fault_rng, world->node_count);
}

/* Before the first start all are one shard, and while slots move between shards. */
static bool same_shard(const struct world *world, uint32_t a, uint32_t b)
{
    const struct config *config = world->config;
    bool moves = config != NULL && (config_reshards(config) || config->retired_count > 0);
    return !world->booted || (moves && world->terms.moved) ||
           world->shard_of_node[a] == world->shard_of_node[b];
}

static bool works(const struct sim_node *node)
{
    return node->node != NULL && !node->paused && !node->stopping && !node->away;
}

uint32_t budget_pick_spareable(struct world *world)
{
    uint32_t index = budget_pick(world);
    if (!works(&world->nodes[index]))
        return world->node_count;
    if (!world->booted || world->beyond)
        return index;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i != index && same_shard(world, i, index) && works(&world->nodes[i]))
            return index;
    }
    return world->node_count;
}

bool budget_may_lose(const struct world *world, uint32_t index)
{
    if (world->given_up != 0)
        return false; /* enough is lost */
    if (world->beyond)
        return true;
    if (!world->swarm.may_lose)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (i != index && same_shard(world, i, index) &&
            (other->doubtful || other->damaged || other->away))
            return false;
    }
    return true;
}

bool budget_may_lose_power(const struct world *world, uint32_t index)
{
    if (world->swarm.knobs.durability == 1)
        return true; /* what was acknowledged is synced */
    return world->booted && budget_may_lose(world, index);
}
