/* fault_aim - what goes wrong in the middle of something.
 *
 * Does:   waits for a node to say that it is in the middle of something (a first start, an
 *         adoption, a walk, a checkpoint, a write, an answer …), then ends or pauses it: within the
 *         step, of whose effects only the first ones are carried out, or a moment later.
 * Not:    crashes at any time: fault_proc.c.
 * Holds:  one aim at a time.
 * Limits: sees what nodes trace (base/trace.def).
 * See:    fault.h; docs/protocol.md section 8.
 */
#include "sim/fault.h"

/* The first ones are those of a first start; those of a cluster that serves begin with STARTED. */
static const enum trace_id moments[] = {
    TRACE_BOOT_WAITING, TRACE_BOOT_DECIDED,     TRACE_STARTED,        TRACE_EPOCH_ADOPTED,
    TRACE_PEER_UP,      TRACE_SUSPECTED,        TRACE_WALK_STARTED,   TRACE_WALKED,
    TRACE_WALK_ENDED,   TRACE_CHECKPOINT_BEGIN, TRACE_CHECKPOINT_END, TRACE_REQUEST,
    TRACE_WRITTEN,      TRACE_ARRIVED,          TRACE_DELIVERED,      TRACE_PARKED,
    TRACE_FORWARDED,    TRACE_REPLIED,          TRACE_PURGED,         TRACE_ALONE,
    TRACE_TOGETHER,     TRACE_TRUSTED,          TRACE_PEER_DOWN,
};

#define MOMENTS (sizeof moments / sizeof moments[0])
#define MOMENT_STARTED 2U
#define MOMENTS_BOOT 5U

bool fault_aimed(struct world *world)
{
    struct aim *aim = &world->aim;
    struct rng *rng = &world->fault_rng;
    static const enum aim_act acts[] = {AIM_CRASH, AIM_CRASH, AIM_CRASH, AIM_POWER, AIM_PAUSE};
    aim->armed = true;
    aim->at = world->booted ? moments[rng_between(rng, MOMENT_STARTED, MOMENTS - 1)]
                            : moments[rng_below(rng, MOMENTS_BOOT)];
    aim->act = acts[rng_below(rng, sizeof acts / sizeof acts[0])];
    aim->skip = rng_chance(rng, 1, 2) ? 0 : rng_below(rng, 20);
    aim->delay_us = rng_chance(rng, 1, 2) ? 0 : UINT64_C(1) << rng_below(rng, 16);
    story_say(&world->story, UINT32_MAX, "whoever says %s next is struck", trace_name(aim->at));
    return false; /* counted when it strikes */
}

void aim_trace(struct world *world, struct sim_node *node, const struct trace_event *event)
{
    struct aim *aim = &world->aim;
    if (!aim->armed || event->id != aim->at || world->faults_over || node->away || aim->skip-- > 0)
        return;
    aim->armed = false;
    if (aim->delay_us == 0)
        node->struck = aim->act;
    else
        fault_mend(world, aim->delay_us, MEND_AIM, node->index,
                   node->life << 8 | (uint64_t)aim->act);
}

void aim_strike(struct world *world, struct sim_node *node, enum aim_act act)
{
    uint32_t index = node->index;
    struct rng *rng = &world->fault_rng;
    uint64_t length = rng_chance(rng, 1, 2) ? rng_below(rng, 20000) : fault_length(world);
    node->struck = AIM_NOTHING;
    node->faults++;
    world->faults[FAULT_AIMED]++;
    story_say(&world->story, index, "is struck");
    if (act == AIM_PAUSE) {
        world_pause(world, index);
        fault_mend(world, length, MEND_RESUME, index, 0);
    } else if (act == AIM_POWER && budget_may_lose_power(world, index)) {
        world_power_cut(world, index);
        fault_mend(world, length, MEND_BOOT, index, node->life);
    } else {
        world_crash(world, index);
        world_start_later(world, index, length);
    }
}

void mend_aim(struct world *world, const struct vevent *event)
{
    struct sim_node *node = &world->nodes[event->b];
    if (node->node != NULL && node->life == event->c >> 8 && !node->paused && !world->faults_over)
        aim_strike(world, node, (enum aim_act)(event->c & 0xff));
}
