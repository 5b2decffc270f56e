/* plan - how a cluster is dealt out anew over a number of shards.
 *
 * Does:   see plan.h: refusals, and the plan from its parts.
 * Not:    the parts: plan_choose.c, plan_slots.c, plan_members.c.
 * Holds:  see plan.h.
 * Limits: -
 * See:    plan.h.
 */
#include "placement/plan_parts.h"

/* Everything that stands in labels (plan_parts.h). */
struct planning {
    struct plan_sizes sizes;               /* of the shards now */
    uint32_t labels;                       /* labels in use */
    bool stays[LIMIT_SHARDS];              /* by label; new ones do */
    uint32_t member_targets[LIMIT_SHARDS]; /* by label */
    uint32_t slot_targets[LIMIT_SHARDS];   /* by label */
    uint32_t members[LIMIT_MEMBERS];       /* labels to be */
    uint8_t owner[LIMIT_SLOTS];            /* labels to be */
};

/* Can be in a shard. Nobody leaves when this is asked (E_LEAVING). */
static bool is_usable(const struct config *config, const struct plan_wish *wish, uint32_t member)
{
    return wish->alive[member] && config->members[member].state != MEMBER_INVITED;
}

static uint32_t usable_count(const struct config *config, const struct plan_wish *wish)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += is_usable(config, wish, i);
    return count;
}

static bool anybody_leaves(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state == MEMBER_LEAVING)
            return true;
    return false;
}

/* Somebody can hand on what the shard has, or it has nothing. */
static bool is_served(const struct config *config, const struct plan_wish *wish, uint32_t shard)
{
    if (slotset_size(&config->shards[shard].slots) == 0)
        return true;
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].shard == shard && config->members[i].state == MEMBER_ACTIVE &&
            wish->alive[i])
            return true;
    return false;
}

/* The least number from `id` on that no shard has as its id (P5). */
static uint32_t free_id_from(const struct config *config, uint32_t id)
{
    while (config_shard_by_id(config, id) != SHARD_NONE)
        id++;
    return id;
}

static enum err wish_judge(const struct config *config, const struct plan_wish *wish)
{
    if (wish->shard_count == 0)
        return E_SHARD_COUNT;
    bool alone = wish->shard_count == 1 && config->member_count == 1;
    if (config_lasting_shards(config) < config->shard_count)
        return E_RESHARDING;
    if (anybody_leaves(config))
        return E_LEAVING;
    if (!alone && usable_count(config, wish) / 2 < wish->shard_count)
        return E_NODES_FEW; /* always, for more than LIMIT_SHARDS */
    if (config->retired_count > 0)
        return E_UNSETTLED;
    for (uint32_t i = 0; i < config->shard_count; i++)
        if (!is_served(config, wish, i))
            return E_LAST_ACTIVE;
    return E_OK;
}

static void sizes_fill(const struct config *config, const struct plan_wish *wish,
                       struct plan_sizes *sizes)
{
    sizes->count = config->shard_count;
    sizes->members_cut = plan__cut(usable_count(config, wish), wish->shard_count);
    sizes->slots_cut = plan__cut(LIMIT_SLOTS, wish->shard_count);
    for (uint32_t i = 0; i < config->shard_count; i++)
        sizes->slots[i] = slotset_size(&config->shards[i].slots);
    for (uint32_t i = 0; i < config->member_count; i++)
        if (is_usable(config, wish, i) && member_counts(&config->members[i]))
            sizes->members[config->members[i].shard]++;
}

static void planning_run(struct planning *planning, const struct config *config,
                         const struct plan_wish *wish)
{
    struct plan_sizes *sizes = &planning->sizes;
    sizes_fill(config, wish, sizes);
    bool grows = wish->shard_count > config->shard_count;
    planning->labels = grows ? wish->shard_count : config->shard_count;
    plan__choose(sizes, grows ? config->shard_count : wish->shard_count, planning->stays);
    for (uint32_t i = config->shard_count; i < planning->labels; i++)
        planning->stays[i] = true;
    plan__targets(sizes->members, planning->stays, planning->labels, sizes->members_cut,
                  planning->member_targets);
    plan__targets(sizes->slots, planning->stays, planning->labels, sizes->slots_cut,
                  planning->slot_targets);
    memcpy(planning->owner, config->owner, sizeof(planning->owner));
    plan__deal_slots(planning->owner, sizes->slots, planning->slot_targets, planning->labels);
    plan__deal_members(config, wish->alive, planning->owner, planning->member_targets,
                       planning->labels, planning->members);
}

/* Shards that stay, then the new ones; in *indices those of the labels. */
static void shards_fill(struct plan *plan, const struct planning *planning,
                        const struct config *config, uint32_t indices[LIMIT_SHARDS])
{
    uint32_t new_id = 0;
    for (uint32_t label = 0; label < planning->labels; label++) {
        indices[label] = planning->stays[label] ? plan->shard_count : SHARD_NONE;
        if (!planning->stays[label])
            continue;
        struct plan_shard *shard = &plan->shards[plan->shard_count++];
        bool is_new = label >= config->shard_count;
        if (is_new)
            new_id = free_id_from(config, new_id);
        shard->id = is_new ? new_id++ : config->shards[label].id;
        shard->before = is_new ? SHARD_NONE : label;
    }
}

static void slots_fill(struct plan *plan, const struct planning *planning,
                       const struct config *config, const uint32_t indices[LIMIT_SHARDS])
{
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        uint32_t label = planning->owner[slot];
        slotset_add(&plan->shards[indices[label]].slots, slot);
        plan->slots_moved += label != config->owner[slot];
    }
}

static void members_fill(struct plan *plan, const struct planning *planning,
                         const struct config *config, const uint32_t indices[LIMIT_SHARDS])
{
    plan->member_count = config->member_count;
    for (uint32_t i = 0; i < config->member_count; i++) {
        uint32_t from = config->members[i].shard;
        uint32_t to = planning->members[i];
        plan->members[i] = to != SHARD_NONE ? indices[to] : SHARD_NONE;
        if (from == to)
            continue;
        plan->members_moved += from != SHARD_NONE && to != SHARD_NONE;
        plan->members_come += from == SHARD_NONE;
        plan->members_go += to == SHARD_NONE;
    }
}

static bool is_nothing(const struct plan *plan, const struct config *config)
{
    return plan->shard_count == config->shard_count && plan->slots_moved == 0 &&
           plan->members_moved == 0 && plan->members_come == 0 && plan->members_go == 0;
}

struct plan *plan_new(const struct config *config, const struct plan_wish *wish, enum err *err)
{
    *err = wish_judge(config, wish);
    if (*err != E_OK)
        return NULL;
    uint32_t indices[LIMIT_SHARDS];
    struct planning *planning = mem_zalloc(1, sizeof(*planning));
    struct plan *plan = mem_zalloc(1, sizeof(*plan));
    planning_run(planning, config, wish);
    shards_fill(plan, planning, config, indices);
    slots_fill(plan, planning, config, indices);
    members_fill(plan, planning, config, indices);
    mem_free(planning);
    if (!is_nothing(plan, config))
        return plan;
    plan_free(plan);
    return NULL;
}

void plan_free(struct plan *plan)
{
    mem_free(plan);
}

void plan_slots(const struct config *config, const struct plan *plan, uint32_t from, uint32_t to,
                struct slotset *slots)
{
    ASSERT(from < config->shard_count);
    ASSERT(to < plan->shard_count);
    *slots = config->shards[from].slots;
    struct slotset others = *slots;
    slotset_subtract(&others, &plan->shards[to].slots);
    slotset_subtract(slots, &others);
}
