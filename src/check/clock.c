/* clock - many vector clocks that share what they have in common.
 *
 * Does:   see clock.h.
 * Not:    -
 * Holds:  K1, K2.
 * Limits: -
 * See:    clock.h.
 */
#include "check/clock.h"

static uint32_t add_row(struct clocks *clocks)
{
    ASSERT(clocks->row_count < UINT32_MAX);
    if (clocks->row_count == clocks->row_cap) {
        clocks->row_cap = clocks->row_cap > 0 ? clocks->row_cap * 2 : 64;
        clocks->rows =
            mem_realloc(clocks->rows, clocks->row_cap * clocks->width * sizeof(*clocks->rows) + 1);
    }
    return clocks->row_count++;
}

static uint32_t add_leaf(struct clocks *clocks)
{
    ASSERT(clocks->leaf_count < UINT32_MAX);
    if (clocks->leaf_count == clocks->leaf_cap) {
        clocks->leaf_cap = clocks->leaf_cap > 0 ? clocks->leaf_cap * 2 : 64;
        clocks->leaves =
            mem_realloc(clocks->leaves, clocks->leaf_cap * CLOCK_LEAF * sizeof(*clocks->leaves));
    }
    return clocks->leaf_count++;
}

static uint32_t *row_at(const struct clocks *clocks, uint32_t row)
{
    ASSERT(row < clocks->row_count);
    return clocks->rows + (size_t)row * clocks->width;
}

static uint32_t *leaf_at(const struct clocks *clocks, uint32_t leaf)
{
    ASSERT(leaf < clocks->leaf_count);
    return clocks->leaves + (size_t)leaf * CLOCK_LEAF;
}

void clocks_init(struct clocks *clocks, uint32_t entries)
{
    *clocks = (struct clocks){.width = (entries + CLOCK_LEAF - 1) / CLOCK_LEAF};
    uint32_t row = add_row(clocks);
    uint32_t leaf = add_leaf(clocks);
    ASSERT(row == 0);
    ASSERT(leaf == 0);
    memset(row_at(clocks, row), 0, clocks->width * sizeof(*clocks->rows));
    memset(leaf_at(clocks, leaf), 0, CLOCK_LEAF * sizeof(*clocks->leaves));
}

void clocks_fini(struct clocks *clocks)
{
    mem_free(clocks->rows);
    mem_free(clocks->leaves);
    *clocks = (struct clocks){.width = 0};
}

uint32_t clocks_get(const struct clocks *clocks, uint32_t row, uint32_t entry)
{
    ASSERT(entry / CLOCK_LEAF < clocks->width);
    return leaf_at(clocks, row_at(clocks, row)[entry / CLOCK_LEAF])[entry % CLOCK_LEAF];
}

/* A leaf with the greater of each entry: one of the two, where it is enough. */
static uint32_t join_leaves(struct clocks *clocks, uint32_t a, uint32_t b)
{
    if (a == b)
        return a;
    uint32_t joined[CLOCK_LEAF];
    bool is_a = true;
    bool is_b = true;
    const uint32_t *in_a = leaf_at(clocks, a);
    const uint32_t *in_b = leaf_at(clocks, b);
    for (uint32_t i = 0; i < CLOCK_LEAF; i++) {
        joined[i] = in_a[i] > in_b[i] ? in_a[i] : in_b[i];
        is_a &= joined[i] == in_a[i];
        is_b &= joined[i] == in_b[i];
    }
    if (is_a || is_b)
        return is_a ? a : b;
    uint32_t leaf = add_leaf(clocks);
    memcpy(leaf_at(clocks, leaf), joined, sizeof(joined));
    return leaf;
}

/* The leaf, or one like it with at least value at entry; made: it is new and may be changed. */
static uint32_t raise_leaf(struct clocks *clocks, uint32_t leaf, bool made, uint32_t entry,
                           uint32_t value)
{
    if (leaf_at(clocks, leaf)[entry] >= value)
        return leaf;
    if (!made) {
        uint32_t copy = add_leaf(clocks);
        memcpy(leaf_at(clocks, copy), leaf_at(clocks, leaf), CLOCK_LEAF * sizeof(value));
        leaf = copy;
    }
    leaf_at(clocks, leaf)[entry] = value;
    return leaf;
}

uint32_t clocks_join(struct clocks *clocks, uint32_t a, uint32_t b, uint32_t entry, uint32_t value)
{
    ASSERT(entry / CLOCK_LEAF < clocks->width);
    uint32_t row = add_row(clocks);
    for (uint32_t i = 0; i < clocks->width; i++) {
        uint32_t before = clocks->leaf_count;
        uint32_t leaf = join_leaves(clocks, row_at(clocks, a)[i], row_at(clocks, b)[i]);
        if (i == entry / CLOCK_LEAF)
            leaf = raise_leaf(clocks, leaf, clocks->leaf_count > before, entry % CLOCK_LEAF, value);
        row_at(clocks, row)[i] = leaf;
    }
    return row;
}
