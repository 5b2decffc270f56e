/* hlc - hybrid logical clock.
 *
 * Does:   48 bits of milliseconds since 1970 and 16 bits of counter that carries into them, in
 *         one 64-bit number whose order is the clock's order; ticks for own writes, moves for
 *         those received.
 * Not:    reading a clock: wall time comes in with each call.
 * Holds:  H1 now never goes back. H2 a tick is greater than every tick and every accepted
 *         receive before it. H3 a received clock further ahead of the wall than
 *         HLC_SKEW_MS_MAX does not move it.
 * Limits: wall clocks from 1970 to the year 10889.
 * See:    docs/protocol.md section 3.7; Kulkarni et al., "Logical physical clocks and
 *         consistent snapshots", 2014, section 3.
 */
#pragma once

#include "base/base.h"

/* How far ahead of the own wall clock a received clock may be and still move ours. */
#define HLC_SKEW_MS_MAX 10000U

struct hlc {
    uint64_t now; /* the greatest time given out or accepted */
};

/* The greatest time that a version may carry (the year 6429): what comes later wins by adding to
 * it, and must not wrap. */
#define LIMIT_HLC (UINT64_MAX >> 1)

#define HLC_MS(time) ((time) >> 16)

static inline uint64_t hlc_from_ms(uint64_t ms)
{
    return ms << 16;
}

void hlc_init(struct hlc *hlc);

/* A time for a new write: greater than all before it. wall_ms is this node's wall clock. */
uint64_t hlc_tick(struct hlc *hlc, uint64_t wall_ms);

/* What a tick would at least be, without making one: every later tick is greater than this, as
 * long as the wall clock does not step back. Who promises it to others uses hlc_announce. */
uint64_t hlc_floor(const struct hlc *hlc, uint64_t wall_ms);

/* The floor, kept: the clock is raised to it, so that every later tick is greater whatever the
 * wall clock does (trap T14). To survive a restart it must be logged as well. */
uint64_t hlc_announce(struct hlc *hlc, uint64_t wall_ms);

/* A time seen in a received write. Returns false, and moves nothing, when it is too far ahead
 * of wall_ms (H3): the caller counts and logs that. */
bool hlc_receive(struct hlc *hlc, uint64_t time, uint64_t wall_ms);

/* Never below time again, without any bound: for recovery from the own log. */
void hlc_raise(struct hlc *hlc, uint64_t time);
