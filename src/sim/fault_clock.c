/* fault_clock - clocks that jump, and people who propose.
 *
 * Does:   steps of wall clocks; a clock that stands years ahead for a while; epochs in which
 *         nothing changes, proposed by one node or by two at the same instant.
 * Not:    skew and drift: drawn once (swarm.h).
 * Holds:  U2.
 * Limits: -
 * See:    fault.h; docs/protocol.md 3.7, 6.1.
 */
#include "sim/fault.h"

bool fault_clock_step(struct world *world)
{
    struct sim_node *node = &world->nodes[budget_pick(world)];
    static const uint64_t spans_ms[] = {50, 2000, 30000, 3600000};
    int64_t span = (int64_t)spans_ms[rng_below(&world->fault_rng, 4)];
    int64_t step = (int64_t)rng_below(&world->fault_rng, (uint64_t)(2 * span + 1)) - span;
    world_step_wall(node, step);
    story_say(&world->story, node->index, "its wall clock steps by %lld ms", (long long)step);
    return true;
}

bool fault_clock_years(struct world *world)
{
    struct sim_node *node = &world->nodes[budget_pick(world)];
    uint64_t ms = rng_between(&world->fault_rng, 1, 60) * 365 * 86400 * 1000;
    world_step_wall(node, (int64_t)ms);
    story_say(&world->story, node->index, "its wall clock steps years ahead");
    /* Whoever sets it right is a little off. */
    uint64_t back = ms + rng_between(&world->fault_rng, 1, 200) - 100;
    fault_mend(world, fault_length(world), MEND_CLOCK, node->index, back);
    return true;
}

void mend_clock(struct world *world, const struct vevent *event)
{
    world_step_wall(&world->nodes[event->b], -(int64_t)event->c);
    story_say(&world->story, (uint32_t)event->b, "its wall clock is set right");
}

static bool propose(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->paused || node->stopping || !node_propose_touch(node->node))
        return false;
    story_say(&world->story, index, "is told to propose an epoch");
    node->turn_wanted = true;
    world_wake(world, index, 0);
    return true;
}

bool fault_touch(struct world *world)
{
    bool any = propose(world, budget_pick(world));
    if (rng_chance(&world->fault_rng, 1, 3))
        any = propose(world, budget_pick(world)) || any;
    return any;
}
