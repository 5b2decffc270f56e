/* story - a run as lines that a person can read.
 *
 * Does:   prints what nodes trace and what the world does to them, with the virtual time; the hash
 *         of the run, that a repetition must have too.
 * Not:    deciding anything.
 * Holds:  Z1 the hash does not depend on whether lines are printed.
 * Limits: -
 * See:    tell.h, for what is said of what nodes and clients do.
 */
#pragma once

#include "sim/vnet.h"

#include <stdio.h>

struct story {
    FILE *out;       /* where lines go; NULL: nowhere */
    uint64_t hash;   /* of everything that happened */
    uint64_t now_us; /* set by the world */
    bool over;       /* the verdict has been told: nothing more */
    uint64_t fault;  /* number of the fault that is told; 0: none */
    uint64_t said[VNET_NODES_MAX][VNET_NODES_MAX][2]; /* last report and gossip, hashed */
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

/* The same in parts: what is printed between goes into one line. NULL: nowhere, then no end. */
FILE *story_begin(struct story *story, uint32_t node);
void story_end(struct story *story);

/* "820.0 ms", "3.41 s". */
#define STORY_SPAN_BYTES 32U
const char *story_span(uint64_t us, char text[STORY_SPAN_BYTES]);

/* A trace event becomes part of the hash. */
void story_mix_trace(struct story *story, uint32_t node, const struct trace_event *event);
