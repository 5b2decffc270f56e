/* swarm - what one seed draws before its world begins.
 *
 * Does:   see swarm.h.
 * Not:    -
 * Holds:  W1, W2.
 * Limits: -
 * See:    swarm.h.
 */
#include "sim/swarm.h"

const char *fault_word(enum fault fault)
{
    static const char *const words[] = {
#define F(NAME, word, function) word,
        FAULT_LIST(F)
#undef F
    };
    ASSERT(fault < FAULT_COUNT);
    return words[fault];
}

/* Evenly over the orders of magnitude, so that small values are as likely as large ones. */
static uint64_t draw_wide(struct rng *rng, uint64_t low, uint64_t high)
{
    if (low == high)
        return low;
    uint64_t from = low == 0 ? 1 : low;
    uint64_t top = from;
    uint32_t doublings = 0;
    while (top < high / 2) {
        top *= 2;
        doublings++;
    }
    uint64_t floor = from << rng_between(rng, 0, doublings);
    uint64_t ceiling = floor * 2 < high ? floor * 2 : high;
    if (low == 0 && rng_chance(rng, 1, 8))
        return 0;
    return rng_between(rng, floor < ceiling ? floor : ceiling, ceiling);
}

/* What came later is drawn from a generator of its own: worlds that found something before stay
 * what they were. */
static void draw_fill_rate(struct swarm *swarm)
{
    struct rng rng;
    rng_init(&rng, swarm->seed ^ 0x66696c6c);
    if (rng_chance(&rng, 1, 2))
        swarm->knobs.fill_rate_bytes = rng_between(&rng, 524288, 8388608);
}

static void draw_knobs(struct swarm *swarm, struct rng *rng)
{
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    knobs_init(&swarm->knobs);
    for (size_t i = 0; i < count; i++)
        *knobs_field(&swarm->knobs, &rows[i]) = draw_wide(rng, rows[i].sim_least, rows[i].sim_most);
    swarm->knobs.durability = rng_below(rng, 2);
    /* Fewer than four heartbeats are no silence. */
    if (swarm->knobs.suspect_ms < 4 * swarm->knobs.heartbeat_ms + 100)
        swarm->knobs.suspect_ms = 4 * swarm->knobs.heartbeat_ms + 100;
}

static void draw_workload(struct swarm *swarm, struct rng *rng)
{
    swarm->keys = (uint32_t)draw_wide(rng, 8, 128);
    swarm->hot_keys = (uint32_t)rng_between(rng, 1, 5);
    swarm->hot_percent = (uint32_t)rng_between(rng, 20, 80);
    swarm->sessions = (uint32_t)rng_between(rng, 6, 20);
    if (rng_chance(rng, 1, 8)) /* a crowd, so that queues fill while something is cut off */
        swarm->sessions = (uint32_t)rng_between(rng, 40, 150);
    /* 2,000 operations in less than a minute: one client's share of 120 to 220 a second, of which
     * faults take their part. */
    swarm->think_us = swarm->sessions * 1000000 / rng_between(rng, 120, 220);
    swarm->put_percent = (uint32_t)rng_between(rng, 20, 60);
    swarm->delete_percent = (uint32_t)rng_between(rng, 0, 20);
    swarm->wander_percent = (uint32_t)rng_between(rng, 2, 70);
    swarm->merge_percent = (uint32_t)rng_between(rng, 0, 10);
    swarm->hold_percent = (uint32_t)rng_between(rng, 0, 5);
    swarm->fresh_percent = (uint32_t)rng_between(rng, 0, 5);
    swarm->big_percent = rng_chance(rng, 1, 3) ? (uint32_t)rng_between(rng, 1, 5) : 0;
    if (rng_chance(rng, 1, 8)) { /* more than fits a member */
        swarm->shards = 1;
        swarm->keys = 240;
        swarm->hot_percent = (uint32_t)rng_between(rng, 0, 40);
        swarm->big_percent = (uint32_t)rng_between(rng, 40, 90);
        swarm->knobs.max_memory_bytes = rng_between(rng, 1048576, 2097152);
        swarm->knobs.window_bytes = rng_between(rng, 8192, 65536);
        if (rng_chance(rng, 1, 3))
            swarm->knobs.max_log_bytes = rng_between(rng, 1048576, 4194304);
    }
    swarm->copies_percent = rng_chance(rng, 1, 3) ? (uint32_t)rng_between(rng, 1, 30) : 0;
    swarm->client_timeout_us = rng_between(rng, 2500, 8000) * 1000;
}

static void draw_manners(struct swarm *swarm, struct rng *rng)
{
    swarm->base_us = draw_wide(rng, 50, 10000);
    swarm->jitter_us = draw_wide(rng, 50, 10000);
    swarm->tail_us = draw_wide(rng, 1000, 300000);
    static const uint64_t quanta[] = {1, 100, 1000, 5000};
    swarm->quantum_us = quanta[rng_below(rng, 4)];
    swarm->write_us = draw_wide(rng, 10, 2000);
    swarm->sync_us = draw_wide(rng, 100, 15000);
    swarm->at_once_percent = (uint32_t)rng_between(rng, 0, 100);
}

/* Some off, some rare, some that stand out. */
static void draw_weights(struct swarm *swarm, struct rng *rng)
{
    for (uint32_t i = 0; i < FAULT_REMOVE; i++) { /* from there on: draw_people */
        swarm->weight[i] = rng_chance(rng, 1, 2) ? (uint32_t)rng_between(rng, 1, 3) : 0;
        if (swarm->weight[i] > 0 && rng_chance(rng, 1, 6))
            swarm->weight[i] = 12;
    }
}

static void turn_on(struct swarm *swarm, enum fault fault)
{
    if (swarm->weight[fault] == 0)
        swarm->weight[fault] = 2;
}

static void draw_losses(struct swarm *swarm, struct rng *rng)
{
    static const enum fault losses[] = {FAULT_POWER_CUT, FAULT_DISK_FAIL, FAULT_BIT_ROT,
                                        FAULT_DISK_LOST, FAULT_OLD_COPY};
    enum fault loss = losses[rng_below(rng, sizeof losses / sizeof losses[0])];
    swarm->may_lose = rng_chance(rng, 1, 4);
    swarm->beyond = rng_chance(rng, 1, 12);
    if (swarm->may_lose)
        turn_on(swarm, loss);
    if (swarm->beyond) {
        turn_on(swarm, FAULT_POWER_CUT);
        turn_on(swarm, FAULT_POWER_MANY);
        turn_on(swarm, FAULT_DISK_LOST);
        turn_on(swarm, FAULT_OLD_COPY);
    }
    if (swarm->knobs.durability == 1 && rng_chance(rng, 1, 2)) /* takes nothing: as a crash does */
        turn_on(swarm, FAULT_POWER_CUT);
}

static void draw_faults(struct swarm *swarm, struct rng *rng)
{
    draw_weights(swarm, rng);
    /* Faults that can always happen, so that no seed is too quiet. */
    if (rng_chance(rng, 1, 2))
        turn_on(swarm, FAULT_ISOLATE);
    turn_on(swarm, swarm->weight[FAULT_ISOLATE] > 0 ? FAULT_CRASH_MANY : FAULT_CUT_HALF);
    turn_on(swarm, FAULT_RESET);
    if (rng_chance(rng, 1, 2)) /* it costs the others nothing: it waits for its moment */
        swarm->weight[FAULT_AIMED] = 6;
    swarm->cuts_at_once = (uint32_t)rng_between(rng, 1, 3);
    swarm->calm_us = rng_between(rng, 800, 3500) * 1000;
    swarm->fault_us = rng_between(rng, 300, 3000) * 1000;
    if (swarm->nodes > 2 && rng_chance(rng, 1, 3)) { /* a storm */
        swarm->calm_us = rng_between(rng, 250, 800) * 1000;
        swarm->fault_us = rng_between(rng, 100, 1500) * 1000;
    }
    swarm->faults_for_us = rng_between(rng, 42, 52) * 1000000;
    swarm->boot_faults = rng_chance(rng, 1, 3);
    draw_losses(swarm, rng);
    swarm->drift_ppm = rng_chance(rng, 1, 4) ? (uint32_t)draw_wide(rng, 10, 50000) : 0;
    swarm->clock_far =
        rng_chance(rng, 1, 6) ? (uint32_t)rng_below(rng, swarm->nodes) : swarm->nodes;
}

/* Windows that forget at once, walks in many chunks over slow links: members catch up from members
 * that are catching up themselves (T13). */
static void draw_lag(struct swarm *swarm, struct rng *rng)
{
    swarm->shards = 1;
    swarm->nodes = (uint32_t)rng_between(rng, 3, 5);
    swarm->clock_far = swarm->nodes;
    swarm->keys = (uint32_t)rng_between(rng, 100, 240);
    swarm->hot_percent = 10;
    swarm->big_percent = (uint32_t)rng_between(rng, 5, 20);
    swarm->knobs.window_bytes = rng_between(rng, 4096, 16384);
    swarm->knobs.walk_chunk_bytes = 1024;
    swarm->knobs.pull_ms = rng_between(rng, 50, 200);
    swarm->think_us -= swarm->think_us / 4; /* storms take their part */
    swarm->base_us = rng_between(rng, 2000, 20000);
    static const enum fault slow[] = {FAULT_PAUSE,     FAULT_STALL,    FAULT_FLAP,
                                      FAULT_SLOW_LINK, FAULT_CUT_LINK, FAULT_CUT_ONE_WAY};
    for (uint32_t i = 0; i < sizeof slow / sizeof slow[0]; i++)
        turn_on(swarm, slow[i]);
    swarm->calm_us = rng_between(rng, 300, 900) * 1000;
}

/* A small reorder buffer, large values, and links between two members that stand still while a
 * third goes on: what it writes must wait there for its causes, and fills the buffer (4.1). */
static void draw_backlog(struct swarm *swarm, struct rng *rng)
{
    swarm->shards = 1;
    swarm->nodes = (uint32_t)rng_between(rng, 3, 5);
    swarm->clock_far = swarm->nodes;
    swarm->big_percent = (uint32_t)rng_between(rng, 20, 60);
    swarm->wander_percent = (uint32_t)rng_between(rng, 30, 70);
    swarm->knobs.pending_bytes = 65536;
    swarm->knobs.pull_ms = rng_between(rng, 500, 1000);
    swarm->think_us -= swarm->think_us / 4;
    swarm->knobs.window_bytes = rng_between(rng, 262144, 1048576);
    swarm->knobs.max_memory_bytes = 64 * 1048576;
    static const enum fault slow[] = {FAULT_STALL, FAULT_SLOW_LINK, FAULT_CUT_LINK,
                                      FAULT_CUT_ONE_WAY};
    for (uint32_t i = 0; i < sizeof slow / sizeof slow[0]; i++)
        turn_on(swarm, slow[i]);
    swarm->calm_us = rng_between(rng, 300, 900) * 1000;
}

/* Of two things that are rare both happen, and in either order: members die early, as it needs time
 * to come back from that; or they wait for slots to move, and all goes on for longer. */
static void draw_moves_first(struct swarm *swarm, struct rng *rng)
{
    swarm->weight[FAULT_RESHARD] *= 3;
    swarm->moves_first = rng_chance(rng, 2, 3);
    if (swarm->moves_first)
        swarm->faults_for_us += 15000000;
}

/* Operators, in one seed of three, from random numbers of their own: what else a seed is does not
 * change. */
static void draw_people(struct swarm *swarm, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed ^ 0x70656f706c65);
    bool late = rng_chance(&rng, 1, 6);
    if (!rng_chance(&rng, 1, 3) && !late)
        return;
    swarm->late = late && swarm->nodes < VNET_NODES_MAX ? 1 : 0;
    swarm->nodes += swarm->late;
    if (swarm->clock_far == swarm->nodes - swarm->late)
        swarm->clock_far = swarm->nodes; /* none, as before */
    swarm->weight[FAULT_REMOVE] = swarm->nodes >= 4 ? (uint32_t)rng_between(&rng, 0, 3) : 0;
    swarm->weight[FAULT_ADD] = (uint32_t)rng_between(&rng, 0, 2);
    swarm->weight[FAULT_PLACE] = (uint32_t)rng_between(&rng, 1, 4);
    if (swarm->nodes >= 4 && rng_chance(&rng, 2, 3))
        swarm->weight[FAULT_RESHARD] = (uint32_t)rng_between(&rng, 1, 4);
    swarm->weight[FAULT_RECOVER] = rng_chance(&rng, 1, 3) ? 8 : 0; /* its time is short */
    if (swarm->weight[FAULT_RESHARD] > 0 && swarm->weight[FAULT_RECOVER] > 0)
        draw_moves_first(swarm, &rng);
}

void swarm_draw(struct swarm *swarm, uint64_t seed)
{
    memset(swarm, 0, sizeof *swarm);
    struct rng rng;
    rng_init(&rng, seed * 0x9e3779b97f4a7c15U + 1);
    swarm->seed = seed;
    swarm->nodes = (uint32_t)rng_between(&rng, 2, 7);
    uint32_t most = swarm->nodes / 2 < 3 ? swarm->nodes / 2 : 3;
    swarm->shards = (uint32_t)rng_between(&rng, 1, most);
    if (rng_chance(&rng, 1, 4)) { /* the 3:3 of the documents */
        swarm->nodes = 6;
        swarm->shards = 2;
    }
    swarm->ops_max = UINT64_MAX;
    draw_knobs(swarm, &rng);
    draw_workload(swarm, &rng);
    draw_manners(swarm, &rng);
    draw_faults(swarm, &rng);
    if (rng_chance(&rng, 1, 8))
        draw_lag(swarm, &rng);
    else if (rng_chance(&rng, 1, 10))
        draw_backlog(swarm, &rng);
    draw_people(swarm, seed);
    draw_fill_rate(swarm);
}

void swarm_calm(struct swarm *swarm, uint32_t nodes, uint32_t shards)
{
    *swarm = (struct swarm){.seed = 1,
                            .nodes = nodes,
                            .shards = shards,
                            .keys = 32,
                            .hot_keys = 1,
                            .sessions = 8,
                            .think_us = 1000,
                            .client_timeout_us = 5000000,
                            .base_us = 200,
                            .quantum_us = 1,
                            .write_us = 10,
                            .sync_us = 1000,
                            .at_once_percent = 100,
                            .ops_max = UINT64_MAX,
                            .clock_far = nodes};
    knobs_init(&swarm->knobs);
}
