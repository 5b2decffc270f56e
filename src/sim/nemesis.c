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
#include "sim/fault.h"
#include "sim/run.h"

/* The first start gets this long to be disturbed, and more often than what follows; then it must
 * come about. */
#define BOOT_FAULTS_US 6000000U
#define BOOT_HASTE 6U

/* Copies that somebody makes of data directories in a seed. */
#define SNAPSHOTS 3U

/* No new fault while fewer than so many per cent of the operations were answered, from the first so
 * many on: well above what a seed must reach (RUN_ANSWERED_LEAST). */
#define MERCY_PERCENT 88U
#define MERCY_OPS 200U

uint64_t fault_length(struct world *world)
{
    return world->swarm.fault_us / 4 + rng_below(&world->fault_rng, 2 * world->swarm.fault_us);
}

void fault_mend(struct world *world, uint64_t us, enum mend mend, uint64_t b, uint64_t c)
{
    vtime_after(&world->time, us, WORLD_MEND, mend, b, c);
}

/* The next one has a number and its own random numbers (C1 of scope.h). */
static bool begin_fault(struct world *world)
{
    uint64_t number = ++world->fault_number;
    rng_init(&world->fault_rng, world->swarm.seed ^ 0x6661756c74 ^ number << 40);
    return number >= SCOPE_FAULTS_MAX || (world->swarm.without[number / 8] >> number % 8 & 1U) == 0;
}

static void next_fault(struct world *world)
{
    uint64_t calm = rng_below(&world->fault_rng, 2 * world->swarm.calm_us);
    if (!world->booted)
        calm /= BOOT_HASTE;
    vtime_after(&world->time, 1000 + calm, WORLD_FAULT, 0, 0, 0);
}

void nemesis_begin(struct world *world)
{
    for (uint32_t i = 0; i < SNAPSHOTS; i++) {
        uint32_t which = budget_pick(world); /* drawn first, whatever the compiler does */
        uint64_t when_us = rng_below(&world->fault_rng, world->swarm.faults_for_us + 1);
        fault_mend(world, when_us, MEND_SNAPSHOT, which, 0);
    }
    next_fault(world);
}

static bool fire(struct world *world, enum fault fault)
{
    static bool (*const fires[])(struct world *) = {
#define F(NAME, word, function) fault_##function,
        FAULT_LIST(F)
#undef F
    };
    return fires[fault](world);
}

static void mend(struct world *world, const struct vevent *event)
{
    static void (*const mends[])(struct world *, const struct vevent *) = {
#define M(NAME, function) mend_##function,
        MEND_LIST(M)
#undef M
    };
    ASSERT(event->a < MEND_COUNT);
    mends[event->a](world, event);
}

/* One of those that the seed has turned on, by their weights; FAULT_COUNT where there is none. */
static enum fault pick_fault(struct world *world)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        total += world->swarm.weight[i];
    uint64_t at = total == 0 ? 0 : rng_below(&world->fault_rng, total);
    for (uint32_t i = 0; i < FAULT_COUNT; i++) {
        if (at < world->swarm.weight[i])
            return (enum fault)i;
        at -= world->swarm.weight[i];
    }
    return FAULT_COUNT;
}

/* A storm in which hardly anybody is answered, or gets to ask, shows little: it waits until the
 * clients have caught up. */
static bool merciful(const struct world *world)
{
    const struct client *client = world->client;
    bool slow =
        client->ops * world->swarm.faults_for_us < (RUN_OPS_LEAST + MERCY_OPS) * world->time.now_us;
    return client->ops >= MERCY_OPS &&
           (slow || client->answered * 100 < client->ops * MERCY_PERCENT);
}

void nemesis_event(struct world *world, const struct vevent *event)
{
    if (event->kind == WORLD_MEND) {
        mend(world, event);
        return;
    }
    if (world->faults_over)
        return;
    if (world->swarm.beyond && world->time.now_us + BUDGET_BEYOND_US > world->swarm.faults_for_us &&
        world->booted)
        world->beyond = true;
    bool wanted = begin_fault(world);
    next_fault(world);
    bool may = world->booted || (world->swarm.boot_faults && world->time.now_us < BOOT_FAULTS_US);
    may = may && wanted;
    bool mercy = merciful(world);
    world->story.fault = world->fault_number;
    bool little = mercy && rng_chance(&world->fault_rng, 1, 3); /* that much is bearable */
    if (may && little && fire(world, FAULT_RESET))
        world->faults[FAULT_RESET]++;
    for (uint32_t i = 0; i < 4 && may && !mercy; i++) {
        enum fault fault = pick_fault(world);
        if (fault == FAULT_COUNT || !fire(world, fault))
            continue;
        world->faults[fault]++;
        break;
    }
    world->story.fault = 0;
}

void nemesis_heal(struct world *world)
{
    story_say(&world->story, UINT32_MAX, "everything is mended");
    world->faults_over = true;
    world->aim.armed = false;
    memset(world->cuts, 0, sizeof world->cuts);
    vnet_heal(&world->net);
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_node *node = &world->nodes[i];
        node->disk_fails_next = false;
        if (node->disk_slow_until_us > world->time.now_us)
            node->disk_slow_until_us = world->time.now_us; /* it was until then: seed 824168 */
        world_resume(world, i);
        if (world->net.host[i] == VHOST_OFF)
            vnet_boot(&world->net, i);
        if (node->node == NULL)
            world_start(world, i);
        if (node->away && node_phase(node->node) == NODE_REFUSED)
            fault_mend(world, 300000, MEND_RETURN, i, 0);
    }
}
