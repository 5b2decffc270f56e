/* ranges - what was received above coverage: one contiguous range for each actor.
 *
 * Does:   see ranges.h.
 * Not:    -
 * Holds:  N1, N2.
 * Limits: -
 * See:    ranges.h.
 */
#include "wire/ranges.h"

void ranges_init(struct ranges *ranges)
{
    ranges->count = 0;
}

void ranges_copy(struct ranges *to, const struct ranges *from)
{
    ASSERT(from->count <= LIMIT_ACTORS);
    to->count = from->count;
    memmove(to->list, from->list, from->count * sizeof from->list[0]);
}

/* Where actor stands or would stand. */
static uint32_t ranges_position(const struct ranges *ranges, uint32_t actor)
{
    ASSERT(ranges->count <= LIMIT_ACTORS);
    uint32_t low = 0;
    uint32_t high = ranges->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ranges->list[middle].actor < actor)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool ranges_has_at(const struct ranges *ranges, uint32_t position, uint32_t actor)
{
    return position < ranges->count && ranges->list[position].actor == actor;
}

const struct range *ranges_get(const struct ranges *ranges, uint32_t actor)
{
    uint32_t position = ranges_position(ranges, actor);
    return ranges_has_at(ranges, position, actor) ? &ranges->list[position] : NULL;
}

static void ranges_remove_at(struct ranges *ranges, uint32_t position)
{
    ASSERT(position < ranges->count);
    ranges->count--;
    memmove(&ranges->list[position], &ranges->list[position + 1],
            (ranges->count - position) * sizeof ranges->list[0]);
}

static bool ranges_insert_at(struct ranges *ranges, uint32_t position)
{
    ASSERT(position <= ranges->count);
    if (ranges->count == LIMIT_ACTORS)
        return false;
    memmove(&ranges->list[position + 1], &ranges->list[position],
            (ranges->count - position) * sizeof ranges->list[0]);
    ranges->count++;
    return true;
}

bool ranges_set(struct ranges *ranges, uint32_t actor, uint64_t low, uint64_t high)
{
    ASSERT(actor > 0);
    uint32_t position = ranges_position(ranges, actor);
    bool there = ranges_has_at(ranges, position, actor);
    if (low > high) {
        if (there)
            ranges_remove_at(ranges, position);
        return true;
    }
    ASSERT(low > 0);
    ASSERT(high <= LIMIT_SEQ);
    if (!there && !ranges_insert_at(ranges, position))
        return false;
    ranges->list[position] = (struct range){actor, low, high};
    return true;
}

void ranges_check(const struct ranges *ranges)
{
    ASSERT(ranges->count <= LIMIT_ACTORS);
    uint32_t last = 0;
    for (uint32_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->list[i];
        ASSERT(range->actor > last); /* N1 */
        ASSERT(range->low > 0);      /* N2 */
        ASSERT(range->low <= range->high);
        ASSERT(range->high <= LIMIT_SEQ);
        last = range->actor;
    }
}
