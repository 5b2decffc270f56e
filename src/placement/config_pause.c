/* config_pause - a place whose node keeps losing its memory is given to it ever more slowly.
 *
 * Does:   counts returns, forgives them with time, says how long the next one has to wait.
 * Not:    waiting: whoever asks does that itself (node/change.c). It has forgotten all, but not
 *         what it is told here.
 * Holds:  the first return is free. Returns that come faster than one in RETURN_REST_MS add up, and
 *         each adds to the pause, up to RETURN_PAUSE_MAX_MS: one place makes no more than one
 *         return in RETURN_REST_MS in the long run, and one a minute if its node does not live
 *         longer than it has to wait.
 * Limits: RETURNS_MAX are counted.
 * See:    docs/protocol.md 6.3 (T37); docs/decisions/0024.
 */
#include "placement/config_parts.h"

/* The pause before the second return; it doubles with each that is not forgiven. */
#define RETURN_PAUSE_MS 125U
#define RETURN_PAUSE_MAX_MS 60000U

/* One return is forgiven after this, or after twice the pause that it brings if that is more. */
#define RETURN_REST_MS 2000U

static_assert((RETURN_PAUSE_MS << (RETURNS_MAX - 1)) >= RETURN_PAUSE_MAX_MS &&
                  (RETURN_PAUSE_MS << (RETURNS_MAX - 2)) < RETURN_PAUSE_MAX_MS,
              "the last one that is counted is the first that brings the longest pause");

static uint64_t pause_of(uint32_t returns)
{
    uint64_t pause_ms = returns > 0 ? (uint64_t)RETURN_PAUSE_MS << (returns - 1) : 0;
    return pause_ms < RETURN_PAUSE_MAX_MS ? pause_ms : RETURN_PAUSE_MAX_MS;
}

/* What is left of its returns at that time. A clock that stands before the last one forgives
 * nothing yet. */
static uint32_t returns_at(const struct member *member, uint64_t wall_ms)
{
    uint32_t returns = member->returns;
    uint64_t age_ms = wall_ms > member->returned_ms ? wall_ms - member->returned_ms : 0;
    while (returns > 0) {
        uint64_t rest_ms = 2 * pause_of(returns);
        rest_ms = rest_ms > RETURN_REST_MS ? rest_ms : RETURN_REST_MS;
        if (age_ms < rest_ms)
            break;
        age_ms -= rest_ms;
        returns--;
    }
    return returns;
}

uint64_t member_pause_ms(const struct member *member, uint64_t wall_ms)
{
    return pause_of(returns_at(member, wall_ms));
}

void member__returns(struct member *member, uint64_t wall_ms)
{
    uint32_t returns = returns_at(member, wall_ms);
    member->returns = returns < RETURNS_MAX ? returns + 1 : RETURNS_MAX;
    member->returned_ms = wall_ms;
}
