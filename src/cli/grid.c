/* grid - a table of texts, aligned.
 *
 * Does:   see grid.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    grid.h.
 */
#include "cli/grid.h"

const char *grid_colour(const struct cli *cli, enum colour colour)
{
    static const char *const codes[] = {"\x1b[0m", "\x1b[1m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
    return cli->out_colour ? codes[colour] : "";
}

struct buf *grid_cell(struct grid *grid, uint32_t column)
{
    ASSERT(column < grid->columns);
    ASSERT(grid->rows < GRID_ROWS_MAX);
    return &grid->cells[grid->rows][column];
}

struct grid *grid_new(uint32_t left, const char *const *titles)
{
    struct grid *grid = mem_zalloc(1, sizeof(*grid));
    grid->left = left;
    while (titles[grid->columns] != NULL) {
        grid->columns++;
        buf_append_slice(grid_cell(grid, grid->columns - 1), slice_str(titles[grid->columns - 1]));
    }
    grid->colours[0] = BOLD;
    grid->rows = 1;
    return grid;
}

static void print_row(const struct cli *cli, const struct grid *grid, uint32_t row,
                      const size_t *widths)
{
    for (uint32_t k = 0; k < grid->columns; k++) {
        const struct buf *text = &grid->cells[row][k];
        bool last = k + 1 == grid->columns;
        int pad = last ? 0 : (int)(widths[k] - text->len);
        bool left = last || k < grid->left;
        if (last || row == 0)
            fputs(grid_colour(cli, grid->colours[row]), cli->out);
        fprintf(cli->out, "%*s%.*s%*s%s", left ? 0 : pad, "", (int)text->len,
                text->len > 0 ? (const char *)text->ptr : "", left ? pad : 0, "", last ? "" : "  ");
    }
    fprintf(cli->out, "%s\n", grid_colour(cli, PLAIN));
}

void grid_print(const struct cli *cli, struct grid *grid)
{
    size_t widths[GRID_COLUMNS_MAX] = {0};
    for (uint32_t row = 0; row < grid->rows; row++)
        for (uint32_t k = 0; k < grid->columns; k++)
            if (grid->cells[row][k].len > widths[k])
                widths[k] = grid->cells[row][k].len;
    for (uint32_t row = 0; row < grid->rows; row++)
        print_row(cli, grid, row, widths);
}

void grid_free(struct grid *grid)
{
    for (uint32_t row = 0; row < GRID_ROWS_MAX; row++)
        for (uint32_t k = 0; k < GRID_COLUMNS_MAX; k++)
            buf_fini(&grid->cells[row][k]);
    mem_free(grid);
}
