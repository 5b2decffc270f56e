/* slotset - a set of slots.
 *
 * Does:   16384 bits; membership, union, difference, size, iteration; ranges for the wire.
 * Not:    ownership: config.h.
 * Holds:  -
 * Limits: 2 KB; allocates nothing. At most LIMIT_SLOTS / 2 ranges.
 * See:    docs/protocol.md section 1.
 */
#pragma once

#include "causal/causal.h"

struct slotset {
    uint64_t words[LIMIT_SLOTS / 64]; /* bit i % 64 of word i / 64 is slot i */
};

void slotset_init(struct slotset *set);
void slotset_add(struct slotset *set, uint32_t slot);
void slotset_add_range(struct slotset *set, uint32_t first, uint32_t last); /* both included */
void slotset_remove(struct slotset *set, uint32_t slot);
bool slotset_has(const struct slotset *set, uint32_t slot);
uint32_t slotset_size(const struct slotset *set);
bool slotset_equal(const struct slotset *a, const struct slotset *b);
bool slotset_meets(const struct slotset *a, const struct slotset *b);    /* share a slot */
bool slotset_contains(const struct slotset *a, const struct slotset *b); /* b is part of a */
void slotset_merge(struct slotset *to, const struct slotset *from);
void slotset_subtract(struct slotset *to, const struct slotset *from);

/* The least slot >= from that is in the set, or LIMIT_SLOTS. */
uint32_t slotset_next(const struct slotset *set, uint32_t from);

/* The least slot >= from that is not in the set, or LIMIT_SLOTS. */
uint32_t slotset_next_absent(const struct slotset *set, uint32_t from);

/* As ascending, disjoint, non-adjacent ranges: LEB128 count, then (first - previous last, length
 * - 1) each in LEB128, where 0 stands for the last before the first range; one set has one
 * encoding. */
void slotset_encode(const struct slotset *set, struct buf *out);

/* False, with *set undefined, when the next bytes are not what slotset_encode writes. */
bool slotset_decode(struct read *in, struct slotset *set);
