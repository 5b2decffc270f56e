/* world - the virtual world: nodes, their processes and disks, and time.
 *
 * Does:   birth, end, and which event belongs to whom.
 * Not:    processes (proc.c), turns (turn.c), effects (carry.c).
 * Holds:  E1, E2.
 * Limits: -
 * See:    world.h.
 */
#include "sim/client.h"
#include "sim/judge.h"
#include "sim/nemesis.h"

#include <stdio.h>

static void on_up(void *arg, uint32_t node, uint32_t dial, uint64_t conn)
{
    world_input(arg, node, &(struct input){.type = EVENT_PEER_UP, .dial = dial, .id = conn});
}

static void on_down(void *arg, uint32_t node, uint32_t dial, uint64_t conn, bool refused)
{
    world_input(
        arg, node,
        &(struct input){.type = EVENT_PEER_DOWN, .dial = dial, .id = conn, .refused = refused});
}

static void on_frame(void *arg, uint32_t node, uint64_t conn, struct slice bytes)
{
    world_input(arg, node,
                &(struct input){.type = EVENT_FRAME,
                                .id = conn,
                                .len = bytes.len,
                                .bytes = mem_dup(bytes.ptr, bytes.len)});
}

/* A record of `node` that ends at `end` of `segment` is on the platter, or was superseded. */
static bool on_synced(void *arg, uint32_t node, uint64_t segment, uint64_t end)
{
    const struct world *world = arg;
    const struct vsegment *at = vdisk_find(&world->nodes[node].disk, segment);
    return at == NULL || (at->named && at->synced >= end);
}

static void init_net(struct world *world, uint64_t seed)
{
    struct vnet_sink sink = {on_up, on_down, on_frame, world};
    struct vnet *net = &world->net;
    vnet_init(net, &world->time, world->node_count, seed ^ 0x6e6574, &sink);
    net->jitter_us = world->swarm.jitter_us;
    net->tail_us = world->swarm.tail_us;
    net->quantum_us = world->swarm.quantum_us;
    net->dial_timeout_us = rng_between(&world->rng, 1, 5) * 1000000;
    net->user_timeout_us = rng_between(&world->rng, 4, 20) * 1000000;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++)
            net->base_us[i][j] = rng_between(&world->rng, 20, world->swarm.base_us + 20);
    }
}

static void init_node(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    node->world = world;
    node->index = index;
    snprintf(node->address.text, sizeof node->address.text, "10.0.0.%u:8090", index + 2);
    node->boot_id = rng_u64(&world->rng);
    node->directory_id = rng_u64(&world->rng);
    node->wall_shift_ms = (int64_t)rng_between(&world->rng, 0, 2000) - 1000;
    if (index == world->swarm.clock_far)
        node->wall_shift_ms += (int64_t)rng_between(&world->rng, 1, 80) * 365 * 86400 * 1000;
    node->wall_first_ms = node->wall_most_ms = node->wall_shift_ms;
    if (world->swarm.drift_ppm > 0)
        node->drift_ppm = (int64_t)rng_below(&world->rng, 2 * world->swarm.drift_ppm + 1) -
                          (int64_t)world->swarm.drift_ppm;
    node->mono_shift_us = 1000000 + rng_below(&world->rng, 1000000000);
    node->wake_us = UINT64_MAX;
    vdisk_init(&node->disk);
    vdisk_init(&node->copy);
}

static void init_options(struct world *world)
{
    struct node_options *options = world->options;
    for (uint32_t i = 0; i < world->node_count; i++)
        options->view[i] = world->nodes[i].address;
    options->shard_count = world->swarm.shards;
    options->knobs = world->swarm.knobs;
    options->plant = world->plant;
}

struct world *world_new(const struct swarm *swarm, enum plant plant, FILE *story)
{
    struct world *world = mem_zalloc(1, sizeof *world);
    uint64_t seed = swarm->seed;
    world->swarm = *swarm;
    rng_init(&world->rng, seed ^ 0x776f726c64);
    rng_init(&world->fault_rng, seed ^ 0x6661756c74);
    world->plant = plant;
    world->story.out = story;
    world->node_count = world->swarm.nodes;
    world->view_count = world->node_count - world->swarm.late;
    world->clock_shared_ms = UINT64_C(1700000000000) + rng_below(&world->rng, 1000000000);
    vtime_init(&world->time, seed ^ 0x74696d65);
    init_net(world, seed);
    oracle_init(&world->oracle, &world->verdict, world->swarm.keys, &world->rng);
    world->oracle.synced = on_synced;
    world->oracle.arg = world;
    world->effects = mem_zalloc(1, sizeof *world->effects);
    world->options = mem_zalloc(1, sizeof *world->options);
    for (uint32_t i = 0; i < world->node_count; i++)
        init_node(world, i);
    init_options(world);
    world->client = client_new(world);
    for (uint32_t i = world->view_count; i < world->node_count; i++) {
        struct sim_node *node = &world->nodes[i];
        node->late_view = node->away = node->doubtful = node->damaged = true;
    }
    for (uint32_t i = 0; i < world->view_count; i++)
        world_start_later(world, i, world->swarm.boot_faults ? rng_below(&world->rng, 2000000) : 0);
    return world;
}

static void node_world_free(struct sim_node *node)
{
    if (node->node != NULL)
        node_free(node->node);
    for (size_t i = 0; i < node->inbox_count; i++)
        mem_free(node->inbox[i].bytes);
    mem_free(node->inbox);
    buf_fini(&node->commit.bytes);
    vdisk_fini(&node->disk);
    vdisk_fini(&node->copy);
}

void world_free(struct world *world)
{
    client_free(world->client);
    for (uint32_t i = 0; i < world->node_count; i++)
        node_world_free(&world->nodes[i]);
    vnet_fini(&world->net);
    vtime_fini(&world->time);
    oracle_fini(&world->oracle);
    history_fini(&world->history);
    config_free(world->config);
    mem_free(world->effects);
    mem_free(world->options);
    mem_free(world);
}

uint32_t world_own_actor(const struct sim_node *node)
{
    const struct config *config = node->node != NULL ? node_config(node->node) : NULL;
    const struct member *self =
        config != NULL ? config_member_by_id(config, node_id(node->node)) : NULL;
    return self != NULL ? self->actor : 0;
}

uint64_t world_own_seq(const struct sim_node *node)
{
    uint32_t actor = world_own_actor(node);
    return actor != 0 ? vv_get(node_coverage(node->node), actor) : 0;
}

uint32_t world_by_address(const struct world *world, struct slice address)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (slice_equal(address, slice_str(world->nodes[i].address.text)))
            return i;
    }
    return VNET_NODES_MAX;
}

static void hand_out(struct world *world, const struct vevent *event)
{
    switch (event->kind) {
    case VNET_EVENT_DIAL:
    case VNET_EVENT_FLOW:
        vnet_event(&world->net, event);
        break;
    case WORLD_TURN:
        world_turn(world, event->a);
        break;
    case WORLD_DISK:
        world_disk(world, event->a, event->b, event->c);
        break;
    case WORLD_START:
        if (world->nodes[event->a].life == event->b && world->nodes[event->a].node == NULL)
            world_start(world, event->a);
        break;
    case WORLD_KILL:
        if (world->nodes[event->a].life == event->b && world->nodes[event->a].node != NULL)
            world_crash(world, event->a);
        break;
    case WORLD_FAULT:
    case WORLD_MEND:
        nemesis_event(world, event);
        break;
    case WORLD_SAMPLE:
        judge_sample(world);
        break;
    default:
        client_event(world->client, event);
        break;
    }
}

void world_tell_verdict(struct world *world)
{
    world->story.fault = 0;
    story_say(&world->story, UINT32_MAX, "WRONG, %s: %s", world->verdict.invariant,
              world->verdict.text);
    world->story.over = true;
}

bool world_next(struct world *world)
{
    struct vevent event;
    if (!vtime_next(&world->time, &event))
        return false;
    world->story.now_us = event.at_us;
    world->oracle.now_us = event.at_us;
    hand_out(world, &event);
    if (world->verdict.bad)
        world_tell_verdict(world);
    return true;
}
