/* hlc - hybrid logical clock.
 *
 * Does:   see hlc.h.
 * Not:    -
 * Holds:  H1, H2, H3.
 * Limits: a wall clock past HLC_WALL_MS_MAX counts as that: it leaves 2^48 ticks before the
 *         number would wrap, so that no clock can make a tick go back.
 * See:    hlc.h.
 */
#include "causal/hlc.h"

/* 2^48 milliseconds end in the year 10889; this is 49 days before. */
#define HLC_WALL_MS_MAX ((UINT64_C(1) << 48) - (UINT64_C(1) << 32))

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t wall_clamped(uint64_t wall_ms)
{
    return wall_ms < HLC_WALL_MS_MAX ? wall_ms : HLC_WALL_MS_MAX;
}

void hlc_init(struct hlc *hlc)
{
    hlc->now = 0;
}

uint64_t hlc_tick(struct hlc *hlc, uint64_t wall_ms)
{
    ASSERT(hlc->now < UINT64_MAX);
    uint64_t before = hlc->now;
    hlc->now = greater(before + 1, hlc_from_ms(wall_clamped(wall_ms)));
    ASSERT(hlc->now > before);
    return hlc->now;
}

uint64_t hlc_floor(const struct hlc *hlc, uint64_t wall_ms)
{
    uint64_t wall = hlc_from_ms(wall_clamped(wall_ms));
    return wall > 0 ? greater(hlc->now, wall - 1) : hlc->now;
}

uint64_t hlc_announce(struct hlc *hlc, uint64_t wall_ms)
{
    uint64_t before = hlc->now;
    hlc_raise(hlc, hlc_floor(hlc, wall_ms));
    ASSERT(hlc->now >= before);
    return hlc->now;
}

bool hlc_receive(struct hlc *hlc, uint64_t time, uint64_t wall_ms)
{
    if (HLC_MS(time) > wall_clamped(wall_ms) + HLC_SKEW_MS_MAX)
        return false;
    hlc_raise(hlc, time);
    return true;
}

void hlc_raise(struct hlc *hlc, uint64_t time)
{
    hlc->now = greater(hlc->now, time);
}
