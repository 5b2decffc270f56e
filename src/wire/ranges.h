/* ranges - what was received above coverage: one contiguous range for each actor.
 *
 * Does:   a small sorted array of (actor, low, high); lookup, set, remove.
 * Not:    joining to coverage: replica/ does, where it knows both. Bytes: msg.def.
 * Holds:  N1 ascending strictly by actor, none of them 0. N2 0 < low <= high <= LIMIT_SEQ.
 * Limits: LIMIT_ACTORS.
 * See:    docs/protocol.md section 4.1 (receipts, T30).
 */
#pragma once

#include "wire/record.h"

struct range {
    uint32_t actor; /* whose writes */
    uint64_t low;   /* first seq received */
    uint64_t high;  /* last seq received; all between too */
};

struct ranges {
    uint32_t count;                  /* in use */
    struct range list[LIMIT_ACTORS]; /* ascending by actor */
};

void ranges_init(struct ranges *ranges);
void ranges_copy(struct ranges *to, const struct ranges *from);

/* The range of actor, or NULL; borrowed until the next change. */
const struct range *ranges_get(const struct ranges *ranges, uint32_t actor);

/* Sets the range of actor (> 0); low > high removes it, else N2 holds for them. False when full:
 * then nothing has changed. */
bool ranges_set(struct ranges *ranges, uint32_t actor, uint64_t low, uint64_t high);

/* Asserts N1 and N2. */
void ranges_check(const struct ranges *ranges);
