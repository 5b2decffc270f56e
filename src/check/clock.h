/* clock - many vector clocks that share what they have in common.
 *
 * Does:   keeps vector clocks as rows of leaves of CLOCK_LEAF entries; a join makes a new row and
 *         only those leaves that are new.
 * Not:    taking a row away again.
 * Holds:  K1 rows and leaves never change once made. K2 row 0 is all zeroes.
 * Limits: 2^32 - 1 leaves; memory: 4 bytes a row and leaf, 64 a new leaf.
 * See:    order.h.
 */
#pragma once

#include "base/base.h"

#define CLOCK_LEAF 16U

struct clocks {
    uint32_t width;      /* leaves in a row */
    uint32_t *rows;      /* numbers of leaves, width a row; owned */
    uint32_t row_count;  /* in use */
    size_t row_cap;      /* allocated */
    uint32_t *leaves;    /* CLOCK_LEAF entries each; owned */
    uint32_t leaf_count; /* in use */
    size_t leaf_cap;     /* allocated */
};

/* entries: of each clock. */
void clocks_init(struct clocks *clocks, uint32_t entries);
void clocks_fini(struct clocks *clocks);

uint32_t clocks_get(const struct clocks *clocks, uint32_t row, uint32_t entry);

/* A row with the greater of each entry of a and b, and at least value at entry. */
uint32_t clocks_join(struct clocks *clocks, uint32_t a, uint32_t b, uint32_t entry, uint32_t value);
