/* table_deps - dependencies of versions, equal ones stored once.
 *
 * Does:   interns encoded dependencies: one counted copy of each in the slab.
 * Not:    knowing which version has which: that is the note of the version in the slab.
 * Holds:  I1 no two copies are equal. I2 a copy has a count above 0. I3 each copy is in the
 *         chain of its hash: head (hash mod 2^level), one level deeper below split.
 * Limits: 2^32 - 1 counts a copy.
 * See:    docs/protocol.md section 3.6; Litwin, "Linear hashing", 1980 (why it never stalls).
 */
#pragma once

#include "store/table_slab.h"

struct deps {
    uint32_t *heads; /* of chains of copies, refs into the slab; 0 ends */
    uint32_t cap;    /* heads allocated; in use are 2^level + split */
    uint32_t level;  /* see I3 */
    uint32_t split;  /* chains already cut in two at this level */
    uint64_t copies; /* distinct dependencies */
    uint64_t bytes;  /* allocated for heads */
};

void deps__fini(struct deps *deps);

/* The copy of bytes (not empty), counted once more. */
uint32_t deps__intern(struct deps *deps, struct slab *slab, struct slice bytes);

/* Counts once less; the last one frees it. */
void deps__release(struct deps *deps, struct slab *slab, uint32_t copy);

/* The bytes of a copy; they never move while it is counted. */
struct slice deps__bytes(const struct slab *slab, uint32_t copy);

/* Asserts I1 to I3; returns the sum of the counts. */
uint64_t deps__check(const struct deps *deps, const struct slab *slab);
