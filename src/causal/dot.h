/* dot - the name of one write.
 *
 * Does:   (actor, seq), equality and an arbitrary total order for sorting.
 * Not:    causality: two dots alone say nothing about what came first, except for one actor.
 * Holds:  D1 a dot in use has actor > 0 and seq > 0; (0, 0) means "none".
 * Limits: actor 32 bits; seq 48 bits (LIMIT_SEQ): at a million writes a second, nine years.
 * See:    docs/protocol.md section 1; Preguica et al., "Dotted version vectors", 2010, section 3.
 */
#pragma once

#include "base/base.h"

#define LIMIT_SEQ ((UINT64_C(1) << 48) - 1)

struct dot {
    uint32_t actor; /* who wrote; 0 in "no dot" */
    uint64_t seq;   /* its how many-th write, from 1 */
};

static inline bool dot_equal(struct dot a, struct dot b)
{
    return a.actor == b.actor && a.seq == b.seq;
}
