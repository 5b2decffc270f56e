/* grid - a table of texts, aligned.
 *
 * Does:   columns as wide as their widest cell; the last one may be coloured and of any length.
 * Not:    what stands in it.
 * Holds:  -
 * Limits: GRID_COLUMNS_MAX, GRID_ROWS_MAX.
 * See:    status_print.c, members.c.
 */
#pragma once

#include "cli/cli.h"

#define GRID_COLUMNS_MAX 9U
#define GRID_ROWS_MAX (CLIENT_NODES_MAX + 1)

enum colour {
    PLAIN,
    BOLD,
    GREEN,
    YELLOW,
    RED,
};

struct grid {
    struct buf cells[GRID_ROWS_MAX][GRID_COLUMNS_MAX]; /* texts, ASCII but for the last column */
    enum colour colours[GRID_ROWS_MAX];                /* of the last column */
    uint32_t rows;                                     /* in use */
    uint32_t columns;                                  /* in use */
    uint32_t left; /* so many first columns stand left, the rest right, the last one left again */
};

/* The first row is the titles, which end with NULL. */
struct grid *grid_new(uint32_t left, const char *const *titles);
void grid_free(struct grid *grid);

/* A cell of the row that is being filled in, grid->rows; who is done with it counts that up. */
struct buf *grid_cell(struct grid *grid, uint32_t column);

void grid_print(const struct cli *cli, struct grid *grid);

/* The bytes that switch to it; none where out shows no colours. */
const char *grid_colour(const struct cli *cli, enum colour colour);
