/* members - who belongs to the cluster.
 *
 * Does:   one row a member of the newest configuration, as a table or JSON; names nodes that
 *         answer and are no members.
 * Not:    asking: status.c. Changing: change.c.
 * Holds:  -
 * Limits: -
 * See:    status.h; docs/operating.md.
 */
#include "cli/grid.h"
#include "cli/progress.h"
#include "cli/status.h"
#include "cli/walk.h"

#include "http/http.h"

struct row {
    struct slice address;           /* as the configuration names it */
    struct slice shard;             /* "s0"; empty: none */
    struct slice state;             /* active, syncing, … */
    uint64_t actor;                 /* 0: none */
    const struct status_node *node; /* what it says of itself; NULL: another node answers there */
};

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

static bool next_row(struct status *status, size_t *at, struct row *row)
{
    struct slice member;
    if (!walk_next(status->members, at, &member))
        return false;
    *row = (struct row){.address = walk_text(walk_member(member, "address")),
                        .shard = walk_text(walk_member(member, "shard")),
                        .state = walk_text(walk_member(member, "state")),
                        .actor = walk_count(member, "actor")};
    row->node = cli__status_node(status, walk_text(walk_member(member, "node-id")), row->address);
    return true;
}

static bool is(struct slice text, const char *word)
{
    return slice_equal(text, slice_str(word));
}

static bool row_is_well(const struct row *row)
{
    const struct status_node *node = row->node;
    return node != NULL && node->answered && node->suspected_by == 0 &&
           (is(row->state, "active") || is(row->state, "spare"));
}

static enum colour put_alive(struct buf *out, const struct row *row)
{
    const struct status_node *node = row->node;
    if (is(row->state, "invited") && (node == NULL || !node->answered)) {
        put(out, "has not shown up yet");
        return YELLOW;
    }
    if (node == NULL) {
        put(out, "another node answers at this address");
        return RED;
    }
    if (node->answered)
        put(out, "alive");
    else
        put(out, "does not answer: ");
    if (!node->answered)
        put(out, node->why);
    if (node->reason.len > 0) {
        put(out, ", does not serve: ");
        buf_append_slice(out, node->reason);
    }
    if (node->suspected_by > 0) {
        put(out, ", believed dead by ");
        buf_decimal(out, node->suspected_by);
    }
    return !node->answered ? RED : row_is_well(row) && node->reason.len == 0 ? GREEN : YELLOW;
}

static void put_row(struct grid *grid, const struct row *row)
{
    buf_append_slice(grid_cell(grid, 0), row->address);
    buf_append_slice(grid_cell(grid, 1), row->shard.len > 0 ? row->shard : SLICE_LIT("-"));
    buf_append_slice(grid_cell(grid, 2), row->state);
    if (row->actor > 0)
        buf_decimal(grid_cell(grid, 3), row->actor);
    else
        put(grid_cell(grid, 3), "-");
    if (row->node != NULL && row->node->behind_known)
        put_grouped(grid_cell(grid, 4), row->node->behind);
    else
        put(grid_cell(grid, 4), "-");
    grid->colours[grid->rows] = put_alive(grid_cell(grid, 5), row);
    grid->rows++;
}

static void print_degraded(const struct cli *cli, const struct status *status)
{
    for (uint32_t k = 0; k < status->shard_count; k++) {
        struct slice id = status->shards[k].id;
        if (status->shards[k].degraded)
            fprintf(cli->out, "%sshard %.*s is degraded: one more crash may lose data%s\n",
                    grid_colour(cli, YELLOW), (int)id.len, (const char *)id.ptr,
                    grid_colour(cli, PLAIN));
    }
}

/* Nodes that nobody has listed: removed ones, or ones that wait to be added. */
static void print_others(const struct cli *cli, const struct status *status)
{
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        if (!node->answered || node->named.len > 0)
            continue;
        fprintf(cli->out, "%s answers and is no member: %.*s%s%.*s\n", node->address,
                (int)node->phase.len, (const char *)node->phase.ptr,
                node->reason.len > 0 ? ", " : "", (int)node->reason.len,
                (const char *)node->reason.ptr);
    }
}

static void print(const struct cli *cli, struct status *status)
{
    static const char *const titles[] = {"MEMBER", "SHARD", "STATE", "ACTOR", "BEHIND", "", NULL};
    struct grid *grid = grid_new(3, titles);
    struct row row;
    size_t at = 0;
    while (grid->rows < GRID_ROWS_MAX && next_row(status, &at, &row))
        put_row(grid, &row);
    fprintf(cli->out, "%u %s, epoch %llu of lineage %.*s\n\n", grid->rows - 1,
            grid->rows == 2 ? "member" : "members", (unsigned long long)status->epoch,
            (int)status->lineage.len, (const char *)status->lineage.ptr);
    grid_print(cli, grid);
    grid_free(grid);
    print_degraded(cli, status);
    print_others(cli, status);
    if (status->lineages_differ)
        fprintf(cli->out, "%sthese nodes belong to more than one cluster%s\n",
                grid_colour(cli, RED), grid_colour(cli, PLAIN));
}

static void put_json_row(struct buf *out, const struct row *row)
{
    const struct status_node *node = row->node;
    json_put_comma(out);
    buf_u8(out, '{');
    json_put_text(out, SLICE_LIT("address"), row->address);
    if (row->shard.len > 0)
        json_put_text(out, SLICE_LIT("shard"), row->shard);
    json_put_text(out, SLICE_LIT("state"), row->state);
    if (row->actor > 0)
        json_put_number(out, SLICE_LIT("actor"), row->actor);
    json_put_name(out, SLICE_LIT("answers"));
    put(out, node != NULL && node->answered ? "true" : "false");
    json_put_number(out, SLICE_LIT("believed-dead-by"), node == NULL ? 0 : node->suspected_by);
    if (node != NULL && node->behind_known)
        json_put_number(out, SLICE_LIT("behind-by"), node->behind);
    if (node != NULL && node->why != NULL)
        json_put_text(out, SLICE_LIT("why"), slice_str(node->why));
    if (node != NULL && node->reason.len > 0)
        json_put_text(out, SLICE_LIT("why"), node->reason);
    buf_u8(out, '}');
}

static void print_json(const struct cli *cli, struct status *status)
{
    struct buf out = BUF_EMPTY;
    struct row row;
    size_t at = 0;
    buf_u8(&out, '{');
    json_put_text(&out, SLICE_LIT("lineage"), status->lineage);
    json_put_number(&out, SLICE_LIT("epoch"), status->epoch);
    json_put_name(&out, SLICE_LIT("members"));
    buf_u8(&out, '[');
    while (next_row(status, &at, &row))
        put_json_row(&out, &row);
    put(&out, "]}\n");
    fwrite(out.ptr, 1, out.len, cli->out);
    buf_fini(&out);
}

static bool all_well(struct status *status)
{
    struct row row;
    size_t at = 0;
    bool well = !status->lineages_differ;
    while (next_row(status, &at, &row))
        well = well && row_is_well(&row);
    return well;
}

static enum exit_status show(const struct cli *cli, struct status *status, void *arg)
{
    (void)arg;
    if (cli->options->json)
        print_json(cli, status);
    else
        print(cli, status);
    return all_well(status) ? EXIT_OK : EXIT_NOT_WELL;
}

enum exit_status cli_members(const struct cli *cli)
{
    return cli__with_members(cli, show, NULL);
}
