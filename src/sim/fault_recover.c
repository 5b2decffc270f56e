/* fault_recover - an operator gives up on who is absent.
 *
 * Does:   members die, most of the acceptors among them, and stay dead; operators, one or two at
 *         once, tell those who are left to go on without. Who was given up turns up later: one of
 *         them as it was, the others with empty directories.
 * Not:    what must be answered: asked.h. Removals of one by one: fault_people.c.
 * Holds:  U2: all of them come back. U3 nobody is given up who could go on as if he were not: of
 *         the dead only one keeps its directory, and that is no majority; and where nobody was
 *         given up after all, they turn up only when no proposal to do so is under way. Else there
 *         would be two histories, between which people have to choose (docs/protocol.md 6.6, T35;
 *         tests/scenario/two_histories.script).
 * Limits: once in a seed.
 * See:    fault.h; docs/protocol.md 6.6.
 */
#include "sim/fault.h"

#include "sim/people.h"

#include <stdio.h>

/* The faults must last so much longer, for what comes of it. */
#define RECOVER_US 26000000U

/* Operators ask again after this, so many times at most. */
#define AGAIN_US 3000000U
#define TRIES 4U

/* Between two looks whether all are well in the middle of a move. */
#define DIE_AGAIN_US 10000U

/* Longer than a proposal and what an operator waits for. */
#define UNDER_WAY_US 16000000U

/* ---- Who ---- */

static bool is_gone(const struct world *world, uint32_t index)
{
    return (world->given_up >> index & 1U) != 0;
}

static bool all_are_well(const struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        bool well = node->node != NULL && !node->paused && !node->stopping && !node->away &&
                    !node->doubtful && !node->damaged && node_config(node->node) != NULL &&
                    node_config(node->node)->epoch == world->config->epoch;
        if (!well)
            return false;
    }
    return true;
}

/* Somebody of the shard would be left, and serve. */
static bool has_other(const struct world *world, uint32_t index)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (i != index && !is_gone(world, i) && node_phase(node->node) == NODE_SERVING &&
            world->shard_of_node[i] == world->shard_of_node[index])
            return true;
    }
    return false;
}

/* How many of those who would have to decide are not among the dead. */
static bool most_are_gone(const struct world *world)
{
    uint32_t members[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(world->config, members);
    uint32_t gone = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct slice address = slice_str(world->config->members[members[i]].address.text);
        uint32_t index = world_by_address(world, address);
        gone += index < world->node_count && is_gone(world, index);
    }
    return gone >= count / 2 + 1;
}

static void pick_gone(struct world *world)
{
    uint32_t first = budget_pick(world);
    bool few = rng_chance(&world->fault_rng, 1, 5);   /* then no new history is needed */
    bool whole = rng_chance(&world->fault_rng, 1, 5); /* shards may lose all their members */
    for (uint32_t i = 0; i < world->node_count && !most_are_gone(world); i++) {
        uint32_t index = (first + i) % world->node_count;
        uint32_t left = world->node_count - (uint32_t)__builtin_popcount(world->given_up);
        if (left > 1 && (whole || has_other(world, index)))
            world->given_up |= 1U << index;
        if (few)
            return;
    }
}

bool fault_recover(struct world *world)
{
    /* All who are left must be in every VIEW: else those who come back empty begin without them. */
    if (!world->booted || world->view_count < world->node_count || world->gave_up ||
        world->given_up != 0 || !all_are_well(world) ||
        (world->swarm.moves_first && !world->terms.moved) ||
        world->time.now_us + RECOVER_US > world->swarm.faults_for_us)
        return false;
    pick_gone(world);
    if (world->given_up == 0)
        return false;
    uint32_t members[LIMIT_ACCEPTORS];
    bool one_decides = config_acceptors(world->config, members) == 1;
    world->gave_up = true;
    world->keeps = budget_pick(world);
    while (!is_gone(world, world->keeps))
        world->keeps = (world->keeps + 1) % world->node_count;
    if (one_decides || rng_chance(&world->fault_rng, 1, 4))
        world->keeps = world->node_count;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (!is_gone(world, i))
            continue;
        world->nodes[i].faults++;
        world_crash(world, i);
        story_say(&world->story, i, "will not come back, it seems");
    }
    uint64_t wait = 2000 * world->swarm.knobs.suspect_ms + rng_below(&world->fault_rng, 2000000);
    fault_mend(world, wait, MEND_GIVE_UP, TRIES, 0);
    fault_mend(world, wait + TRIES * AGAIN_US, MEND_TURN_UP, 0, 0);
    return true;
}

/* Each epoch in which slots move is short: it is tried until all have the same. */
void mend_die(struct world *world, const struct vevent *event)
{
    if (world->faults_over || world->gave_up || event->b == 0)
        return;
    if (config_reshards(world->config) && fault_recover(world))
        world->faults[FAULT_RECOVER]++;
    else
        fault_mend(world, DIE_AGAIN_US, MEND_DIE, event->b - 1, 0);
}

/* ---- Operators ---- */

static bool takes(const struct world *world, uint32_t index)
{
    const struct sim_node *node = &world->nodes[index];
    return node->node != NULL && !node->paused && !node->stopping && !is_gone(world, index);
}

static uint32_t pick_asked(struct world *world)
{
    uint32_t first = budget_pick(world);
    for (uint32_t i = 0; i < world->node_count; i++)
        if (takes(world, (first + i) % world->node_count))
            return (first + i) % world->node_count;
    return world->node_count;
}

/* Now and then he forgets one of them, or names one who is there. */
static void name_them(struct world *world, char names[CALL_ADDRESS_BYTES])
{
    uint32_t which = world->given_up;
    if (rng_chance(&world->fault_rng, 1, 6))
        which ^= 1U << budget_pick(world);
    world->oracle.named |= which;
    names[0] = '\0';
    for (uint32_t i = 0; i < world->node_count; i++) {
        size_t len = strlen(names);
        if ((which >> i & 1U) != 0)
            snprintf(names + len, CALL_ADDRESS_BYTES - len, "%s%s", len > 0 ? "," : "",
                     world->nodes[i].address.text);
    }
}

static void ask(struct world *world)
{
    char names[CALL_ADDRESS_BYTES];
    uint32_t asked = pick_asked(world);
    name_them(world, names);
    struct wish wish = {.op = OP_RECOVER, .addresses = names};
    if (asked == world->node_count || names[0] == '\0')
        return;
    world->people = true;
    world->asked_to_us = world->time.now_us;
    client_operate(world->client, asked, &wish, PEOPLE_US_MAX);
}

/* It is listed no more, whoever may have been invited to its address since. */
static bool is_off(const struct world *world, uint32_t index)
{
    return config_member_by_id(world->config, world->oracle.nodes[index].id) == NULL;
}

static bool all_are_off(const struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++)
        if (is_gone(world, i) && !is_off(world, i))
            return false;
    return true;
}

void mend_give_up(struct world *world, const struct vevent *event)
{
    if (world->given_up == 0 || all_are_off(world) || event->b == 0)
        return;
    ask(world);
    if (rng_chance(&world->fault_rng, 1, 3))
        ask(world); /* and another operator */
    fault_mend(world, AGAIN_US, MEND_GIVE_UP, event->b - 1, 0);
}

/* ---- They turn up ---- */

void mend_turn_up(struct world *world, const struct vevent *event)
{
    (void)event;
    if (!all_are_off(world) && world->time.now_us < world->asked_to_us + UNDER_WAY_US) {
        fault_mend(world, 1000000, MEND_TURN_UP, 0, 0);
        return;
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_node *node = &world->nodes[i];
        if (!is_gone(world, i) || node->node != NULL)
            continue;
        bool kept = !is_off(world, i) || i == world->keeps;
        story_say(&world->story, i, kept ? "turns up" : "turns up with an empty directory");
        node->emptied = node->emptied || !kept;
        if (kept)
            world_start_later(world, i, rng_below(&world->fault_rng, 1000000));
        else
            fault_new_directory(world, node, NULL);
    }
    world->given_up = 0;
}
