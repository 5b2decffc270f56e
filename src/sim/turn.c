/* turn - a node's turns: events in, then TURN_END, then its commit.
 *
 * Does:   collects inputs, makes events of them with the clocks of the node, steps, wakes the node
 *         when it asked for it.
 * Not:    effects: carry.c.
 * Holds:  E2.
 * Limits: TURN_EVENTS_MAX events a turn.
 * See:    node/node.h "A turn".
 */
#include "sim/watch.h"

#define TURN_EVENTS_MAX 64U

/* A node that keeps itself busy without anything happening is stuck. */
#define COMMITS_A_TURN_MAX 200U

void world_wake(struct world *world, uint32_t index, uint64_t after_us)
{
    struct sim_node *node = &world->nodes[index];
    uint64_t at = world->time.now_us + after_us;
    if (node->wake_us <= at && node->wake_us >= world->time.now_us)
        return;
    node->wake_us = at;
    vtime_after(&world->time, after_us, WORLD_TURN, index, 0, 0);
}

void world_input(struct world *world, uint32_t index, const struct input *input)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL) {
        mem_free(input->bytes);
        return;
    }
    if (node->inbox_count == node->inbox_cap) {
        node->inbox_cap = node->inbox_cap == 0 ? 16 : node->inbox_cap * 2;
        node->inbox = mem_realloc(node->inbox, node->inbox_cap * sizeof node->inbox[0]);
    }
    node->inbox[node->inbox_count++] = *input;
    world_wake(world, index, rng_below(&world->rng, 60));
}

static void mix_event(struct world *world, uint32_t index, const struct event *event)
{
    story_mix(&world->story, (uint64_t)event->type << 32 | index);
    story_mix(&world->story, event->mono_ms);
    story_mix(&world->story, event->wall_ms);
    if (event->type == EVENT_FRAME)
        story_mix(&world->story, hash_bytes(event->frame.bytes));
}

uint64_t world_wall_ms(const struct world *world, const struct sim_node *node)
{
    int64_t now_ms = (int64_t)(world->time.now_us / 1000);
    return (uint64_t)((int64_t)world->clock_shared_ms + node->wall_shift_ms + now_ms +
                      now_ms * node->drift_ppm / 1000000);
}

void world_step_wall(struct sim_node *node, int64_t ms)
{
    node->wall_shift_ms += ms;
    if (node->wall_shift_ms > node->wall_most_ms)
        node->wall_most_ms = node->wall_shift_ms;
}

void world_step(struct world *world, uint32_t index, struct event *event)
{
    struct sim_node *node = &world->nodes[index];
    event->mono_ms = (world->time.now_us + node->mono_shift_us) / 1000;
    event->wall_ms = world_wall_ms(world, node);
    mix_event(world, index, event);
    world->steps++;
    if (event->type == EVENT_FRAME)
        watch_frame(world, node, event->frame.conn, event->frame.bytes);
    node_step(node->node, event, world->effects);
    audit_step(world, node);
    if (node->struck == AIM_CRASH || node->struck == AIM_POWER) /* it does not get to all of them */
        world->effects->count = (uint32_t)rng_between(&world->fault_rng, 0, world->effects->count);
    world_carry_out(world, node);
}

/* Makes the event of an input; false when it is void by now. */
static bool make_event(struct world *world, uint32_t index, const struct input *input,
                       struct event *event)
{
    memset(event, 0, sizeof *event);
    event->type = input->type;
    switch (input->type) {
    case EVENT_PEER_UP:
        event->peer_up.dial = input->dial;
        event->peer_up.conn = input->id;
        return true;
    case EVENT_PEER_DOWN:
        event->peer_down.dial = input->dial;
        event->peer_down.conn = input->id;
        event->peer_down.refused = input->refused;
        return input->id == 0 || !vnet_hung(&world->net, index, input->id);
    case EVENT_FRAME:
        event->frame.conn = input->id;
        event->frame.bytes = slice_of(input->bytes, input->len);
        return !vnet_hung(&world->net, index, input->id);
    case EVENT_REQUEST:
        return client_request(world->client, input->id, &event->request);
    case EVENT_GONE:
        event->gone.id = input->id;
        return true;
    case EVENT_COMMITTED:
    case EVENT_COMMIT_FAILED:
    case EVENT_SYNCED:
        event->done.id = input->id;
        return true;
    case EVENT_PART:
    case EVENT_STOP:
    case EVENT_TICK:
    case EVENT_TURN_END:
    case EVENT_RECOVER:
        return true;
    }
    return false;
}

/* Nothing may follow a failed commit but the end; nothing follows the end. */
static bool may_step(const struct sim_node *node)
{
    return !node->failing && !node->stopped && node->struck == AIM_NOTHING;
}

static void take_inputs(struct world *world, struct sim_node *node)
{
    size_t count = node->inbox_count;
    if (count > 1 && rng_chance(&world->rng, 1, 4))
        count = rng_between(&world->rng, 1, count);
    if (count > TURN_EVENTS_MAX)
        count = TURN_EVENTS_MAX;
    size_t at = 0;
    for (; at < count && may_step(node); at++) {
        struct event event;
        if (node->inbox[at].type == EVENT_COMMIT_FAILED)
            node->failing = true;
        if (node->inbox[at].type == EVENT_COMMITTED)
            node->committed_id = node->inbox[at].id;
        if (make_event(world, node->index, &node->inbox[at], &event))
            world_step(world, node->index, &event);
        mem_free(node->inbox[at].bytes);
    }
    if (at > 0)
        memmove(node->inbox, node->inbox + at, (node->inbox_count - at) * sizeof node->inbox[0]);
    node->inbox_count -= at;
}

static uint64_t mono_now_ms(const struct world *world, const struct sim_node *node)
{
    return (world->time.now_us + node->mono_shift_us) / 1000;
}

static void end_turn(struct world *world, struct sim_node *node)
{
    for (uint32_t i = 0; i < COMMITS_A_TURN_MAX; i++) {
        struct event event = {.type = EVENT_TURN_END};
        world_step(world, node->index, &event);
        bool at_once = node->commit.active && !node->commit.sync && !node->commit.fails &&
                       rng_chance(&world->rng, world->swarm.at_once_percent, 100);
        if (!at_once || !may_step(node) || world->verdict.bad)
            return;
        world_disk(world, node->index, node->life, node->commit.number);
        take_inputs(world, node);
        if (!may_step(node))
            return;
    }
    verdict_say(&world->verdict, "S1", "node %u commits without end in one turn", node->index);
}

static void finish(struct world *world, struct sim_node *node)
{
    uint32_t index = node->index;
    bool clean = !node->failing;
    world_crash(world, index);
    if (!clean)
        world->nodes[index].doubtful = true;
    world_start_later(world, index, rng_between(&world->rng, 50, 3000) * 1000);
}

static void schedule_next(struct world *world, struct sim_node *node)
{
    if (node->inbox_count > 0) {
        world_wake(world, node->index, rng_between(&world->rng, 1, 100));
        return;
    }
    uint64_t deadline_ms = node_deadline_ms(node->node);
    if (deadline_ms == UINT64_MAX)
        return;
    uint64_t deadline_us = deadline_ms * 1000;
    uint64_t now = world->time.now_us + node->mono_shift_us;
    uint64_t late = rng_chance(&world->rng, 1, 10) ? rng_below(&world->rng, 2000) : 0;
    world_wake(world, node->index, (deadline_us > now ? deadline_us - now : 20) + late);
}

void world_turn(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->paused || world->verdict.bad)
        return;
    if (node->wake_us <= world->time.now_us)
        node->wake_us = UINT64_MAX;
    bool due = mono_now_ms(world, node) >= node_deadline_ms(node->node);
    if (node->inbox_count == 0 && !due && !node->turn_wanted) {
        schedule_next(world, node);
        return;
    }
    node->turn_wanted = false;
    take_inputs(world, node);
    if (due && may_step(node)) {
        struct event event = {.type = EVENT_TICK};
        world_step(world, index, &event);
    }
    if (may_step(node))
        end_turn(world, node);
    if (node->struck != AIM_NOTHING) {
        aim_strike(world, node, node->struck);
        return;
    }
    if (node->failing && !node->stopped)
        verdict_say(&world->verdict, "S5", "node %u does not end after a failed commit", index);
    if (node->stopped)
        finish(world, node);
    else if (!world->verdict.bad)
        schedule_next(world, node);
}
