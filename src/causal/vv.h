/* vv - version vector: actor -> highest seq, all below included.
 *
 * Does:   the set of dots that is closed downwards for each actor, as a sorted array; order,
 *         union, lookup.
 * Not:    gaps: a set with holes is a vector and a range (replica/).
 * Holds:  V1 entries ascend strictly by actor. V2 no entry has actor 0 or seq 0.
 *         V3 count <= LIMIT_VV_ENTRIES.
 * Limits: LIMIT_VV_ENTRIES entries; allocates nothing. The struct is 4 KB: pass pointers, and
 *         copy with vv_copy, which moves only what is in use.
 * See:    docs/protocol.md section 1; Parker et al., "Detection of mutual inconsistency in
 *         distributed systems", 1983, section III.
 */
#pragma once

#include "causal/dot.h"

struct vv {
    uint32_t count;                       /* entries in use */
    struct dot entries[LIMIT_VV_ENTRIES]; /* ascending by actor */
};

/* A partial order has four outcomes; it is an enum so that nobody writes `> 0`. */
enum vv_order {
    VV_EQUAL,      /* the same dots */
    VV_BEFORE,     /* the left one is contained in the right one */
    VV_AFTER,      /* the right one is contained in the left one */
    VV_CONCURRENT, /* each has a dot that the other lacks */
};

void vv_init(struct vv *vv);
void vv_copy(struct vv *to, const struct vv *from);

/* The highest seq of actor, 0 when it has none. */
uint64_t vv_get(const struct vv *vv, uint32_t actor);

/* Makes the entry of actor exactly seq; seq 0 removes it. False when a new entry would exceed
 * the limit; then nothing has changed. actor > 0 (asserted: whoever reads vectors from outside
 * checks it first). */
bool vv_set(struct vv *vv, uint32_t actor, uint64_t seq);

/* Raises the entry of actor to at least seq. False, and actor, as vv_set. seq 0 changes nothing. */
bool vv_raise(struct vv *vv, uint32_t actor, uint64_t seq);

/* True when dot is in the set. "No dot" is in every set. */
bool vv_covers(const struct vv *vv, struct dot dot);

/* True when every dot of low is in high (VV_EQUAL or VV_BEFORE, without computing which). */
bool vv_contains(const struct vv *high, const struct vv *low);

enum vv_order vv_compare(const struct vv *a, const struct vv *b);

/* to becomes the union (entry-wise greatest). False when it would exceed the limit; then to
 * has not changed. */
bool vv_merge(struct vv *to, const struct vv *from);

/* to becomes the intersection (entry-wise least; an entry missing on either side is gone). */
void vv_meet(struct vv *to, const struct vv *from);

/* Removes from vv every entry (a, k) with k <= stable[a]. Entries not in stable stay. */
void vv_prune(struct vv *vv, const struct vv *stable);

/* Asserts V1 to V3. */
void vv_check(const struct vv *vv);
