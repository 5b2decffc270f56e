/* plan_slots - which slots go where.
 *
 * Does:   plan__deal_slots; see plan_parts.h.
 * Not:    how many: plan_choose.c.
 * Holds:  a slot moves at most once, from a shard that is too large to one that is too small: so
 *         no more move than the sizes ask for.
 * Limits: some 20 passes over all slots at the worst.
 * See:    plan.h.
 *
 * Ranges stay few in two steps. First, borders between two neighbours are moved: that makes no
 * range, and mends those that an earlier plan cut. Then, for what is left, a shard gets one slot
 * somewhere and grows from there to both sides: best at a border between two that give, so that
 * it gets one range from both.
 */
#include "placement/plan_parts.h"

struct deal {
    uint8_t *owner;          /* slot -> label */
    uint32_t *sizes;         /* by label, as owner is now */
    const uint32_t *targets; /* by label */
};

static bool takes(const struct deal *deal, uint32_t label)
{
    return deal->sizes[label] < deal->targets[label];
}

static bool is_to_give(const struct deal *deal, uint32_t slot)
{
    uint32_t label = deal->owner[slot];
    return deal->sizes[label] > deal->targets[label];
}

static void give(struct deal *deal, uint32_t slot, uint32_t to)
{
    ASSERT(is_to_give(deal, slot));
    ASSERT(takes(deal, to));
    deal->sizes[deal->owner[slot]]--;
    deal->sizes[to]++;
    deal->owner[slot] = (uint8_t)to;
}

/* Each shard that takes grows into its neighbours: upwards, then downwards. */
static void borders_move(struct deal *deal)
{
    for (uint32_t slot = 1; slot < LIMIT_SLOTS; slot++)
        if (takes(deal, deal->owner[slot - 1]) && is_to_give(deal, slot))
            give(deal, slot, deal->owner[slot - 1]);
    for (uint32_t slot = LIMIT_SLOTS - 1; slot > 0; slot--)
        if (takes(deal, deal->owner[slot]) && is_to_give(deal, slot - 1))
            give(deal, slot - 1, deal->owner[slot]);
}

/* Where to begin in the stretch of slots to be given that begins at `first`: behind a border
 * between two that give, or, where the stretch has one owner only, at its end. */
static uint32_t seed_in(const struct deal *deal, uint32_t first)
{
    uint32_t slot = first + 1;
    while (slot < LIMIT_SLOTS && deal->owner[slot] == deal->owner[first])
        slot++;
    return slot < LIMIT_SLOTS && is_to_give(deal, slot) ? slot : slot - 1;
}

static void grow(struct deal *deal, uint32_t seed, uint32_t to)
{
    give(deal, seed, to);
    for (uint32_t slot = seed + 1; slot < LIMIT_SLOTS && takes(deal, to); slot++) {
        if (!is_to_give(deal, slot))
            break;
        give(deal, slot, to);
    }
    for (uint32_t slot = seed; slot > 0 && takes(deal, to); slot--) {
        if (!is_to_give(deal, slot - 1))
            break;
        give(deal, slot - 1, to);
    }
}

void plan__deal_slots(uint8_t owner[LIMIT_SLOTS], uint32_t sizes[LIMIT_SHARDS],
                      const uint32_t targets[LIMIT_SHARDS], uint32_t labels)
{
    struct deal deal = {owner, sizes, targets};
    borders_move(&deal);
    uint32_t slot = 0;
    for (uint32_t to = 0; to < labels; to++) {
        while (takes(&deal, to)) {
            while (!is_to_give(&deal, slot)) {
                slot++;
                ASSERT(slot < LIMIT_SLOTS);
            }
            grow(&deal, seed_in(&deal, slot), to);
        }
    }
    for (uint32_t i = 0; i < labels; i++)
        ASSERT(sizes[i] == targets[i]);
}
