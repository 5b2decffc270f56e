/* nemesis - what goes wrong, and when.
 *
 * Does:   see nemesis.h.
 * Not:    -
 * Holds:  U1, U2.
 * Limits: -
 * See:    nemesis.h.
 */
#include "sim/nemesis.h"

#include "sim/client.h"

/* Of WORLD_MEND beside the faults. */
enum { MEND_BOOT = FAULT_COUNT, MEND_ANSWERS };

/* The first start gets this long to be disturbed; then it must come about. */
#define BOOT_FAULTS_US 6000000U

/* No new fault while fewer than so many per cent of the operations were answered, from the first so
 * many on: well above what a seed must reach (RUN_ANSWERED_LEAST). */
#define MERCY_PERCENT 88U
#define MERCY_OPS 200U

static uint64_t draw_length(struct world *world)
{
    return world->swarm.fault_us / 4 + rng_below(&world->fault_rng, 2 * world->swarm.fault_us);
}

static void mend_after(struct world *world, uint64_t us, uint32_t what, uint64_t b, uint64_t c)
{
    vtime_after(&world->time, us, WORLD_MEND, what, b, c);
}

static void next_fault(struct world *world)
{
    uint64_t calm = rng_below(&world->fault_rng, 2 * world->swarm.calm_us);
    vtime_after(&world->time, 1000 + calm, WORLD_FAULT, 0, 0, 0);
}

void nemesis_begin(struct world *world)
{
    next_fault(world);
}

static uint32_t pick(struct world *world)
{
    return (uint32_t)rng_below(&world->fault_rng, world->node_count);
}

/* A node that serves, and whose shard has another one that does: or node_count. */
static uint32_t pick_spareable(struct world *world)
{
    uint32_t index = pick(world);
    const struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->paused || node->stopping || node->gone)
        return world->node_count;
    if (!world->booted)
        return index;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (i != index && world->shard_of_node[i] == world->shard_of_node[index] &&
            other->node != NULL && !other->paused && !other->gone && !other->stopping)
            return index;
    }
    return world->node_count;
}

/* May this node be lost for good? Then it is the one of its shard. */
static bool may_lose(struct world *world, uint32_t index)
{
    if (!world->booted || !world->swarm.may_lose)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i != index && world->shard_of_node[i] == world->shard_of_node[index] &&
            (world->nodes[i].doubtful || world->nodes[i].damaged || world->nodes[i].gone))
            return false;
    }
    return true;
}

/* ---- The network ---- */

static void cut_both(struct world *world, uint32_t a, uint32_t b, bool cut)
{
    vnet_cut(&world->net, a, b, cut);
    vnet_cut(&world->net, b, a, cut);
}

/* One disturbance of links at a time: what is mended is what was cut. */
static bool links_free(struct world *world, uint64_t length)
{
    if (world->busy_until_us > world->time.now_us)
        return false;
    world->busy_until_us = world->time.now_us + length + 1;
    return true;
}

/* Clients that have seen nothing ask the node that was just cut off (I3). */
static void ask_isolated(struct world *world, uint32_t index, uint64_t length)
{
    const struct sim_node *node = &world->nodes[index];
    uint64_t patience = world->swarm.knobs.suspect_ms * 3000 + 4000000;
    if (node->node == NULL || node->paused || node_phase(node->node) != NODE_SERVING ||
        node->stopping || node->disk_slow_until_us > world->time.now_us || length < patience)
        return;
    uint32_t key = (uint32_t)rng_below(&world->fault_rng, world->oracle.key_count);
    if (world->shard_of_key[key] != world->shard_of_node[index])
        return;
    uint64_t read = client_probe(world->client, index, OP_GET, key, CLIENT_NOBODY, 0, patience);
    client_probe(world->client, index, OP_PUT, key, CLIENT_NOBODY, 0, patience);
    mend_after(world, patience + 1000, MEND_ANSWERS, read, node->faults << 8 | index);
}

static void judge_answers(struct world *world, const struct vevent *event)
{
    const struct sim_node *node = &world->nodes[event->c & 0xff];
    if (node->faults != event->c >> 8 || world->faults_over)
        return; /* something else happened to it */
    for (uint64_t i = event->b; i < event->b + 2; i++) {
        const struct call *call = client_call(world->client, i);
        bool full = call->err == E_MEMORY_FULL || call->err == E_DISK_FULL || call->err == E_BUSY;
        if (client_call_good(call) || call->forwarded || (full && !call->lost))
            continue; /* handed to the source of a walk, just before it was cut off */
        verdict_say(&world->verdict, "I3",
                    "node %u, cut off from all others, did not answer a %s of a client that had "
                    "seen nothing: %s",
                    node->index, call->asked.op == OP_PUT ? "write" : "read",
                    call->lost ? "silence" : err_name(call->err));
    }
}

static bool fire_isolate(struct world *world)
{
    uint32_t index = pick(world);
    uint64_t length = draw_length(world);
    if (world->booted && rng_chance(&world->fault_rng, 1, 3))
        length += world->swarm.knobs.suspect_ms * 3000 + 4000000;
    if (!links_free(world, length))
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i != index)
            cut_both(world, index, i, true);
    }
    story_say(&world->story, index, "cut off from all for %llu us", (unsigned long long)length);
    if (world->booted)
        ask_isolated(world, index, length);
    mend_after(world, length, FAULT_ISOLATE, 0, 0);
    return true;
}

static bool fire_cut_half(struct world *world)
{
    uint64_t length = draw_length(world);
    uint64_t side = rng_between(&world->fault_rng, 1, (UINT64_C(1) << world->node_count) - 2);
    bool one_way = rng_chance(&world->fault_rng, 1, 4);
    if (!links_free(world, length))
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++) {
            if ((side >> i & 1) != 0 && (side >> j & 1) == 0) {
                vnet_cut(&world->net, i, j, true);
                if (!one_way)
                    vnet_cut(&world->net, j, i, true);
            }
        }
    }
    story_say(&world->story, UINT32_MAX, "cut between sets of nodes, side %llx%s, for %llu us",
              (unsigned long long)side, one_way ? ", one way" : "", (unsigned long long)length);
    mend_after(world, length, FAULT_CUT_HALF, 0, 0);
    return true;
}

static bool fire_cut_link(struct world *world, bool one_way, bool flap)
{
    uint32_t a = pick(world);
    uint32_t b = pick(world);
    uint64_t length = draw_length(world);
    if (a == b || !links_free(world, length))
        return false;
    vnet_cut(&world->net, a, b, true);
    if (!one_way)
        vnet_cut(&world->net, b, a, true);
    story_say(&world->story, a, "%s n%u for %llu us",
              one_way ? "not heard by"
              : flap  ? "flapping link to"
                      : "cut off from",
              b, (unsigned long long)length);
    if (flap)
        mend_after(world, length / 8, FAULT_FLAP, (uint64_t)a << 8 | b, length / 8 << 8 | 6);
    else
        mend_after(world, length, FAULT_CUT_LINK, 0, 0);
    return true;
}

/* The flapping link changes; at last it stands. */
static void flap_on(struct world *world, const struct vevent *event)
{
    uint32_t a = (uint32_t)(event->b >> 8);
    uint32_t b = (uint32_t)(event->b & 0xff);
    uint64_t left = event->c & 0xff;
    cut_both(world, a, b, left % 2 == 1 && !world->faults_over);
    if (left > 0)
        mend_after(world, event->c >> 8, FAULT_FLAP, event->b, event->c - 1);
}

static bool fire_reset(struct world *world)
{
    bool any = false;
    for (uint64_t i = rng_between(&world->fault_rng, 1, 6); i > 0; i--)
        any = vnet_reset_one(&world->net) || any;
    story_say(&world->story, UINT32_MAX, "connections reset");
    return any;
}

static bool fire_stall(struct world *world)
{
    bool any = false;
    for (uint64_t i = rng_between(&world->fault_rng, 1, 3); i > 0; i--)
        any = vnet_stall_one(&world->net, draw_length(world)) || any;
    story_say(&world->story, UINT32_MAX, "directions of connections stall");
    return any;
}

static bool fire_slow_link(struct world *world)
{
    uint32_t a = pick(world);
    uint32_t b = pick(world);
    if (a == b)
        return false;
    world->net.extra_us[a][b] = rng_between(&world->fault_rng, 20, 800) * 1000;
    story_say(&world->story, a, "slow towards n%u: %llu us more", b,
              (unsigned long long)world->net.extra_us[a][b]);
    mend_after(world, draw_length(world) * 2, FAULT_SLOW_LINK, a, b);
    return true;
}

/* ---- Processes, machines, disks, clocks ---- */

static bool fire_crash(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_crash(world, index);
    uint64_t after = rng_chance(&world->fault_rng, 1, 3) ? 1000 : draw_length(world);
    world_start_later(world, index, after);
    return true;
}

static bool fire_crash_many(struct world *world)
{
    uint64_t which = rng_between(&world->fault_rng, 1, (UINT64_C(1) << world->node_count) - 1);
    if (!world->booted)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if ((which >> i & 1) == 0 || world->nodes[i].node == NULL)
            continue;
        world->nodes[i].faults++;
        world_crash(world, i);
        world_start_later(world, i, rng_below(&world->fault_rng, 1000000));
    }
    return true;
}

static bool fire_power_cut(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count || !world->booted)
        return false;
    if (world->swarm.knobs.durability == 0 && !may_lose(world, index))
        return false;
    world->nodes[index].faults++;
    world_power_cut(world, index);
    mend_after(world, draw_length(world), MEND_BOOT, index, world->nodes[index].life);
    return true;
}

static bool fire_pause(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count)
        return false;
    world->nodes[index].faults++;
    world_pause(world, index);
    mend_after(world, draw_length(world), FAULT_PAUSE, index, 0);
    return true;
}

static bool fire_stop(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count || !world->booted)
        return false;
    world->nodes[index].faults++;
    world_stop(world, index);
    return true;
}

static bool fire_disk_slow(struct world *world)
{
    struct sim_node *node = &world->nodes[pick(world)];
    node->faults++;
    node->disk_slow_until_us = world->time.now_us + draw_length(world);
    story_say(&world->story, node->index, "disk is slow until %llu us",
              (unsigned long long)node->disk_slow_until_us);
    return true;
}

static bool fire_disk_fail(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count || !may_lose(world, index))
        return false;
    world->nodes[index].faults++;
    world->nodes[index].disk_fails_next = true;
    world->nodes[index].doubtful = true;
    story_say(&world->story, index, "disk will fail");
    return true;
}

static bool fire_bit_rot(struct world *world)
{
    uint32_t index = pick_spareable(world);
    if (index == world->node_count || !may_lose(world, index))
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

static bool fire_clock_step(struct world *world)
{
    struct sim_node *node = &world->nodes[pick(world)];
    static const uint64_t spans_ms[] = {50, 2000, 30000, 3600000};
    int64_t span = (int64_t)spans_ms[rng_below(&world->fault_rng, 4)];
    int64_t step = (int64_t)rng_below(&world->fault_rng, (uint64_t)(2 * span + 1)) - span;
    node->wall_shift_ms += step;
    story_say(&world->story, node->index, "wall clock steps by %lld ms", (long long)step);
    return true;
}

static bool fire_touch(struct world *world)
{
    uint32_t index = pick(world);
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->paused || node->stopping || !node_propose_touch(node->node))
        return false;
    story_say(&world->story, index, "is told to propose an epoch");
    node->turn_wanted = true;
    world_wake(world, index, 0);
    return true;
}

/* ---- Which ---- */

static bool fire(struct world *world, enum fault fault)
{
    switch (fault) {
    case FAULT_ISOLATE:
        return fire_isolate(world);
    case FAULT_CUT_HALF:
        return fire_cut_half(world);
    case FAULT_CUT_LINK:
        return fire_cut_link(world, false, false);
    case FAULT_CUT_ONE_WAY:
        return fire_cut_link(world, true, false);
    case FAULT_FLAP:
        return fire_cut_link(world, false, true);
    case FAULT_RESET:
        return fire_reset(world);
    case FAULT_STALL:
        return fire_stall(world);
    case FAULT_SLOW_LINK:
        return fire_slow_link(world);
    case FAULT_CRASH:
        return fire_crash(world);
    case FAULT_CRASH_MANY:
        return fire_crash_many(world);
    case FAULT_POWER_CUT:
        return fire_power_cut(world);
    case FAULT_PAUSE:
        return fire_pause(world);
    case FAULT_STOP:
        return fire_stop(world);
    case FAULT_DISK_SLOW:
        return fire_disk_slow(world);
    case FAULT_DISK_FAIL:
        return fire_disk_fail(world);
    case FAULT_BIT_ROT:
        return fire_bit_rot(world);
    case FAULT_CLOCK_STEP:
        return fire_clock_step(world);
    case FAULT_TOUCH:
        return fire_touch(world);
    case FAULT_COUNT:
        break;
    }
    return false;
}

static void mend(struct world *world, const struct vevent *event)
{
    switch (event->a) {
    case FAULT_ISOLATE:
    case FAULT_CUT_HALF:
    case FAULT_CUT_LINK:
        memset(world->net.cut, 0, sizeof world->net.cut);
        story_say(&world->story, UINT32_MAX, "links are whole again");
        break;
    case FAULT_FLAP:
        flap_on(world, event);
        break;
    case FAULT_SLOW_LINK:
        world->net.extra_us[event->b][event->c] = 0;
        break;
    case FAULT_PAUSE:
        world_resume(world, (uint32_t)event->b);
        break;
    case MEND_BOOT:
        if (world->nodes[event->b].life == event->c && world->nodes[event->b].node == NULL) {
            vnet_boot(&world->net, (uint32_t)event->b);
            world_start_later(world, (uint32_t)event->b, rng_below(&world->fault_rng, 500000));
        }
        break;
    case MEND_ANSWERS:
        judge_answers(world, event);
        break;
    default:
        UNREACHABLE();
    }
}

/* A storm in which hardly anybody is answered shows little: it waits until the clients have caught
 * up. */
static bool merciful(const struct world *world)
{
    const struct client *client = world->client;
    return client->ops >= MERCY_OPS && client->answered * 100 < client->ops * MERCY_PERCENT;
}

void nemesis_event(struct world *world, const struct vevent *event)
{
    if (event->kind == WORLD_MEND) {
        mend(world, event);
        return;
    }
    if (world->faults_over)
        return;
    bool may = world->booted || (world->swarm.boot_faults && world->time.now_us < BOOT_FAULTS_US);
    bool mercy = merciful(world);
    if (may && mercy && fire(world, FAULT_RESET)) /* that much is bearable */
        world->faults[FAULT_RESET]++;
    for (uint32_t i = 0; i < 4 && may && !mercy; i++) {
        enum fault fault = (enum fault)rng_below(&world->fault_rng, FAULT_COUNT);
        if (!world->swarm.on[fault] || !fire(world, fault))
            continue;
        world->faults[fault]++;
        break;
    }
    next_fault(world);
}

void nemesis_heal(struct world *world)
{
    story_say(&world->story, UINT32_MAX, "everything is mended");
    world->faults_over = true;
    vnet_heal(&world->net);
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_node *node = &world->nodes[i];
        node->disk_fails_next = false;
        node->disk_slow_until_us = 0;
        world_resume(world, i);
        if (world->net.host[i] == VHOST_OFF)
            vnet_boot(&world->net, i);
        if (node->node == NULL)
            world_start(world, i);
    }
}
