/* fault_proc - what goes wrong with processes and machines.
 *
 * Does:   crashes of one and of several, power cuts of one and of several, pauses, machines that
 *         stand still, clean stops and stops that do not get to their end.
 * Not:    how a process begins and ends: proc.c. In the middle of what: fault_aim.c.
 * Holds:  U2.
 * Limits: -
 * See:    fault.h.
 */
#include "sim/fault.h"

bool fault_crash(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_crash(world, index);
    uint64_t after = rng_chance(&world->fault_rng, 1, 3) ? 1000 : fault_length(world);
    world_start_later(world, index, after);
    return true;
}

/* Some of all nodes, at least one, as bits. */
static uint64_t pick_some(struct world *world)
{
    return rng_between(&world->fault_rng, 1, (UINT64_C(1) << world->node_count) - 1);
}

bool fault_crash_many(struct world *world)
{
    uint64_t which = pick_some(world);
    for (uint32_t i = 0; i < world->node_count; i++) {
        if ((which >> i & 1) == 0 || world->nodes[i].node == NULL)
            continue;
        world->nodes[i].faults++;
        world_crash(world, i);
        world_start_later(world, i, rng_below(&world->fault_rng, 1000000));
    }
    return true;
}

static void cut_power(struct world *world, uint32_t index, uint64_t length)
{
    world->nodes[index].faults++;
    world_power_cut(world, index);
    fault_mend(world, length, MEND_BOOT, index, world->nodes[index].life);
}

bool fault_power_cut(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index == world->node_count || !budget_may_lose_power(world, index))
        return false;
    cut_power(world, index, fault_length(world));
    return true;
}

bool fault_power_many(struct world *world)
{
    uint64_t which = pick_some(world);
    bool any = false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if ((which >> i & 1) == 0 || world->nodes[i].node == NULL || world->nodes[i].away ||
            !budget_may_lose_power(world, i))
            continue;
        cut_power(world, i, rng_below(&world->fault_rng, 2000000));
        any = true;
    }
    return any;
}

void mend_boot(struct world *world, const struct vevent *event)
{
    uint32_t index = (uint32_t)event->b;
    if (world->nodes[index].life != event->c || world->nodes[index].node != NULL ||
        world->net.host[index] != VHOST_OFF)
        return;
    vnet_boot(&world->net, index);
    world_start_later(world, index, rng_below(&world->fault_rng, 500000));
}

bool fault_pause(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_pause(world, index);
    fault_mend(world, fault_length(world), MEND_RESUME, index, 0);
    return true;
}

bool fault_suspend(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_pause(world, index);
    world->nodes[index].suspended_us = world->time.now_us;
    story_say(&world->story, index, "its monotonic clock, too");
    fault_mend(world, fault_length(world), MEND_RESUME, index, 0);
    return true;
}

void mend_resume(struct world *world, const struct vevent *event)
{
    world_resume(world, (uint32_t)event->b);
}

bool fault_stop(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_stop(world, index);
    if (rng_chance(&world->fault_rng, 1, 4)) /* somebody is impatient */
        fault_mend(world, rng_below(&world->fault_rng, 40000), MEND_AIM, index,
                   world->nodes[index].life << 8 | AIM_CRASH);
    return true;
}
