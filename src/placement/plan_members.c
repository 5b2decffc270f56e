/* plan_members - who goes where.
 *
 * Does:   plan__deal_members; see plan_parts.h.
 * Not:    how many: plan_choose.c.
 * Holds:  of a shard that stays, as many members stay as may; the active ones before those that
 *         still fill up, then those that joined first.
 * Limits: -
 * See:    plan.h.
 */
#include "placement/plan_parts.h"

struct seating {
    const struct config *config;
    const bool *alive;
    uint32_t labels;
    uint32_t places[LIMIT_SHARDS];              /* by label: open ones */
    uint32_t flows[LIMIT_SHARDS][LIMIT_SHARDS]; /* slots that go from one label to another */
    uint32_t *members;                          /* the result */
};

static void flows_count(struct seating *seating, const uint8_t owner[LIMIT_SLOTS])
{
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++)
        seating->flows[seating->config->owner[slot]][owner[slot]]++;
}

static void seat(struct seating *seating, uint32_t member, uint32_t label)
{
    ASSERT(seating->places[label] > 0);
    ASSERT(seating->members[member] == SHARD_NONE);
    seating->places[label]--;
    seating->members[member] = label;
}

/* Members in this state stay in their shard while it has places. */
static void stay(struct seating *seating, enum member_state state)
{
    for (uint32_t i = 0; i < seating->config->member_count; i++) {
        const struct member *member = &seating->config->members[i];
        if (seating->alive[i] && member->state == state && seating->places[member->shard] > 0)
            seat(seating, i, member->shard);
    }
}

/* Where there is a place, the label that most slots of `from` go to; the lowest one of equals. */
static uint32_t best_place(const struct seating *seating, uint32_t from)
{
    uint32_t best = SHARD_NONE;
    for (uint32_t i = 0; i < seating->labels; i++) {
        if (seating->places[i] == 0)
            continue;
        if (best == SHARD_NONE || seating->flows[from][i] > seating->flows[from][best])
            best = i;
    }
    ASSERT(best != SHARD_NONE);
    return best;
}

static void move_others(struct seating *seating)
{
    for (uint32_t i = 0; i < seating->config->member_count; i++) {
        const struct member *member = &seating->config->members[i];
        if (seating->alive[i] && member_counts(member) && seating->members[i] == SHARD_NONE)
            seat(seating, i, best_place(seating, member->shard));
    }
}

/* Spares have nothing yet: they take what is left, in order. */
static void spares_come(struct seating *seating)
{
    uint32_t label = 0;
    for (uint32_t i = 0; i < seating->config->member_count; i++) {
        if (!seating->alive[i] || seating->config->members[i].state != MEMBER_SPARE)
            continue;
        while (seating->places[label] == 0) {
            label++;
            ASSERT(label < seating->labels);
        }
        seat(seating, i, label);
    }
}

void plan__deal_members(const struct config *config, const bool alive[LIMIT_MEMBERS],
                        const uint8_t owner[LIMIT_SLOTS], const uint32_t targets[LIMIT_SHARDS],
                        uint32_t labels, uint32_t members[LIMIT_MEMBERS])
{
    struct seating seating = {
        .config = config, .alive = alive, .labels = labels, .members = members};
    memcpy(seating.places, targets, sizeof(seating.places));
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        members[i] = SHARD_NONE;
    flows_count(&seating, owner);
    stay(&seating, MEMBER_ACTIVE);
    stay(&seating, MEMBER_SYNCING);
    move_others(&seating);
    spares_come(&seating);
    for (uint32_t i = 0; i < labels; i++)
        ASSERT(seating.places[i] == 0);
}
