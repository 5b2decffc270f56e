/* fault_disk - what goes wrong with disks and data directories.
 *
 * Does:   slow and failing writes and syncs; a bit that rots; a directory that is gone; an older
 *         copy of it that somebody puts back.
 * Not:    what a power cut leaves: vdisk.c.
 * Holds:  U1, U2.
 * Limits: one copy for each node.
 * See:    fault.h; docs/protocol.md 6.3.
 */
#include "sim/fault.h"

bool fault_disk_slow(struct world *world)
{
    struct sim_node *node = &world->nodes[budget_pick(world)];
    node->faults++;
    node->disk_slow_until_us = world->time.now_us + fault_length(world);
    char span[STORY_SPAN_BYTES];
    story_say(&world->story, node->index, "its disk is slow for %s",
              story_span(node->disk_slow_until_us - world->time.now_us, span));
    return true;
}

/* A node that may lose what it has, or node_count. */
static uint32_t pick_loser(struct world *world)
{
    uint32_t index = budget_pick_spareable(world);
    if (index < world->node_count && !budget_may_lose(world, index))
        return world->node_count;
    return index;
}

bool fault_disk_fail(struct world *world)
{
    uint32_t index = pick_loser(world);
    if (index == world->node_count || !world->booted)
        return false;
    world->nodes[index].faults++;
    world->nodes[index].disk_fails_next = true;
    world->nodes[index].doubtful = true;
    story_say(&world->story, index, "its disk will fail");
    return true;
}

bool fault_bit_rot(struct world *world)
{
    uint32_t index = pick_loser(world);
    if (index == world->node_count || !world->booted)
        return false;
    struct sim_node *node = &world->nodes[index];
    node->faults++;
    world_crash(world, index);
    node->damaged = true;
    node->doubtful = true;
    bool any = vdisk_rot(&node->disk, &world->fault_rng);
    world_recount(world, index);
    story_say(&world->story, index, "a bit of its log rots");
    world_start_later(world, index, 100000);
    return any;
}

/* Whatever it looks like is explained. */
void fault_new_directory(struct world *world, struct sim_node *node, const struct vdisk *copy)
{
    node->faults++;
    world_crash(world, node->index);
    node->damaged = true;
    node->doubtful = true;
    vdisk_fini(&node->disk);
    if (copy != NULL)
        vdisk_copy(&node->disk, copy);
    else
        vdisk_init(&node->disk);
    node->directory_id = rng_u64(&world->rng);
    world_recount(world, node->index);
    world_start_later(world, node->index, rng_below(&world->fault_rng, 1000000));
}

/* After a fork only who is of the new history counts: if it were forgotten, the old one could go on
 * with who was given up (6.6). */
static bool counts(const struct world *world, uint32_t index)
{
    return !world->gave_up || world->config == NULL ||
           config_member_by_id(world->config, world->oracle.nodes[index].id) != NULL;
}

/* Who has forgotten all, everywhere, is a new cluster (6.2), and nothing can be told. */
static bool somebody_remembers(const struct world *world, uint32_t but)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i != but && !world->nodes[i].emptied && counts(world, i))
            return true;
    }
    return false;
}

bool fault_disk_lost(struct world *world)
{
    uint32_t index = pick_loser(world);
    if (index == world->node_count || !somebody_remembers(world, index))
        return false;
    world->nodes[index].emptied = true;
    story_say(&world->story, index, "its data directory is gone");
    fault_new_directory(world, &world->nodes[index], NULL);
    return true;
}

bool fault_old_copy(struct world *world)
{
    uint32_t index = pick_loser(world);
    for (uint32_t i = 0; i < world->node_count && index < world->node_count; i++) {
        uint32_t other = (index + i) % world->node_count;
        if (!world->nodes[other].has_copy || world->nodes[other].away ||
            !budget_may_lose(world, other))
            continue;
        index = other;
        break;
    }
    if (index == world->node_count || !world->booted || !world->nodes[index].has_copy ||
        (world->gave_up && !somebody_remembers(world, index)))
        return false;
    story_say(&world->story, index, "an old copy of its data directory is put back");
    fault_new_directory(world, &world->nodes[index], &world->nodes[index].copy);
    return true;
}

void mend_snapshot(struct world *world, const struct vevent *event)
{
    struct sim_node *node = &world->nodes[event->b];
    if (world->faults_over || !world->booted || node->away)
        return;
    story_say(&world->story, node->index, "somebody copies its data directory");
    vdisk_fini(&node->copy);
    vdisk_copy(&node->copy, &node->disk);
    node->has_copy = true;
    node->copy_seq = node->node != NULL ? world_own_seq(node) : UINT64_MAX;
    node->copy_actor = world_own_actor(node);
    node->copy_id = node->node != NULL ? node_id(node->node) : 0;
}
