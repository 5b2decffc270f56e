/* story - a run as lines that a person can read.
 *
 * Does:   prints what nodes trace and what the world does to them, with the virtual time; the hash
 *         of the run, that a repetition must have too.
 * Not:    deciding anything.
 * Holds:  Z1 the hash does not depend on whether lines are printed.
 * Limits: -
 * See:    base/trace.def.
 */
#pragma once

#include "sim/vtime.h"

#include <stdio.h>

struct story {
    FILE *out;       /* where lines go; NULL: nowhere */
    uint64_t hash;   /* of everything that happened */
    uint64_t now_us; /* set by the world */
    uint64_t fault;  /* number of the fault that is told; 0: none */
};

/* Makes a number part of the hash. */
static inline void story_mix(struct story *story, uint64_t value)
{
    story->hash = (story->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    story->hash ^= story->hash >> 29;
}

/* A line about a node (UINT32_MAX: about the world). */
__attribute__((format(printf, 3, 4))) void story_say(struct story *story, uint32_t node,
                                                     const char *format, ...);

/* A line for a trace event of a node. */
void story_trace(struct story *story, uint32_t node, const struct trace_event *event);
