/* status_print - a cluster at a glance, drawn.
 *
 * Does:   two tables, or JSON.
 * Not:    asking: status.c.
 * Holds:  -
 * Limits: -
 * See:    status.h.
 */
#include "cli/grid.h"
#include "cli/progress.h"
#include "cli/status.h"
#include "cli/walk.h"

#include "http/http.h"

#define LOSSES_SHOWN 5U /* the newest */

static void put(struct buf *out, const char *text)
{
    buf_append_slice(out, slice_str(text));
}

/* ---- Shards ---- */

static void put_counts(const struct status_shard *shard, struct buf *keys, struct buf *words)
{
    if (!shard->counted) {
        put(keys, "-");
        put(words, shard->serving == 0 ? "no member serves" : "no node counts its keys");
        return;
    }
    put_grouped(keys, shard->keys_most);
    if (shard->keys_least == shard->keys_most) {
        put(words, "all nodes agree");
        return;
    }
    put(words, "nodes differ: the least is ");
    put_grouped(words, shard->keys_least);
}

static void print_shards(const struct cli *cli, const struct status *status)
{
    static const char *const titles[] = {"SHARD", "SLOTS", "NODES", "KEYS", "", NULL};
    struct grid *grid = grid_new(1, titles);
    for (uint32_t k = 0; k < status->shard_count; k++) {
        const struct status_shard *shard = &status->shards[k];
        bool agree = shard->counted && shard->keys_least == shard->keys_most;
        buf_append_slice(grid_cell(grid, 0), shard->id);
        put_grouped(grid_cell(grid, 1), shard->slots);
        buf_decimal(grid_cell(grid, 2), shard->serving);
        put(grid_cell(grid, 2), " of ");
        buf_decimal(grid_cell(grid, 2), shard->members);
        put_counts(shard, grid_cell(grid, 3), grid_cell(grid, 4));
        if (shard->degraded)
            put(grid_cell(grid, 4), "; degraded: one more crash may lose data");
        grid->colours[grid->rows] = shard->serving == 0         ? RED
                                    : agree && !shard->degraded ? GREEN
                                                                : YELLOW;
        grid->rows++;
    }
    grid_print(cli, grid);
    grid_free(grid);
}

/* They are counted above, where clients are told that they are. */
static void print_transits(const struct cli *cli, const struct status *status)
{
    size_t at = 0;
    struct slice transit;
    while (walk_next(status->transits, &at, &transit)) {
        struct buf line = BUF_EMPTY;
        uint64_t slots = walk_count(transit, "slots");
        bool degraded = walk_is_true(walk_member(transit, "degraded"));
        put_grouped(&line, slots);
        put(&line, slots == 1 ? " slot is on its way from " : " slots are on their way from ");
        buf_append_slice(&line, walk_text(walk_member(transit, "from")));
        put(&line, " to ");
        buf_append_slice(&line, walk_text(walk_member(transit, "into")));
        put(&line, walk_is_true(walk_member(transit, "switched")) ? ", and served there" : "");
        put(&line, degraded ? "; degraded: one more crash may lose data" : "");
        fprintf(cli->out, "%s%.*s%s\n", grid_colour(cli, degraded ? YELLOW : PLAIN), (int)line.len,
                (const char *)line.ptr, grid_colour(cli, PLAIN));
        buf_fini(&line);
    }
}

/* ---- Losses ---- */

static void put_loss(struct buf *line, struct slice loss)
{
    put(line, "shard ");
    buf_append_slice(line, walk_text(walk_member(loss, "shard")));
    if (walk_member(loss, "actor").len == 0) {
        put(line, ": what was acknowledged before epoch ");
        buf_decimal(line, walk_count(loss, "since-epoch"));
        put(line, " may be lost");
        return;
    }
    put(line, ": writes of actor ");
    buf_decimal(line, walk_count(loss, "actor"));
    put(line, " above sequence ");
    buf_decimal(line, walk_count(loss, "after"));
    put(line, " may be lost (since epoch ");
    buf_decimal(line, walk_count(loss, "since-epoch"));
    put(line, ")");
}

/* They are told for as long as there is room for them: for ever, mostly. So no colour: it is no
 * state to be mended. */
static void print_losses(const struct cli *cli, const struct status *status)
{
    size_t at = 0;
    struct slice loss;
    uint32_t count = 0;
    while (walk_next(status->lost, &at, &loss))
        count++;
    at = 0;
    for (uint32_t i = 0; walk_next(status->lost, &at, &loss); i++) {
        struct buf line = BUF_EMPTY;
        if (i + LOSSES_SHOWN < count) /* the oldest first */
            continue;
        put_loss(&line, loss);
        fprintf(cli->out, "%.*s\n", (int)line.len, (const char *)line.ptr);
        buf_fini(&line);
    }
    if (count > LOSSES_SHOWN)
        fprintf(cli->out, "and %u %s before: /cluster has all\n", count - LOSSES_SHOWN,
                count - LOSSES_SHOWN == 1 ? "loss" : "losses");
}

/* ---- Nodes ---- */

static enum colour put_state(struct buf *out, const struct status *status,
                             const struct status_node *node)
{
    enum colour colour = GREEN;
    if (!node->answered) {
        put(out, "DOWN: ");
        put(out, node->why);
        return RED;
    }
    buf_append_slice(out, node->phase);
    if (!slice_equal(node->phase, SLICE_LIT("serving")) &&
        !slice_equal(node->phase, SLICE_LIT("spare")))
        colour = RED;
    if (node->reason.len > 0) {
        put(out, ": ");
        buf_append_slice(out, node->reason);
    }
    if (node->epoch < status->epoch) {
        put(out, ", knows epoch ");
        buf_decimal(out, node->epoch);
        colour = colour == RED ? RED : YELLOW;
    }
    if (node->suspected_by > 0) {
        put(out, ", believed dead by ");
        buf_decimal(out, node->suspected_by);
        colour = colour == RED ? RED : YELLOW;
    }
    return colour;
}

static void put_metric(struct buf *out, const struct status_node *node, const char *name,
                       bool bytes)
{
    uint64_t number;
    if (!walk_number(walk_member(node->metrics, name), &number))
        put(out, "-");
    else if (bytes)
        put_bytes(out, number);
    else
        put_grouped(out, number);
}

static void put_address(struct buf *out, const struct status_node *node)
{
    put(out, node->address);
    if (node->named.len > 0 && !slice_equal(node->named, slice_str(node->address))) {
        put(out, " (");
        buf_append_slice(out, node->named);
        put(out, ")");
    }
}

static void print_nodes(const struct cli *cli, const struct status *status)
{
    static const char *const titles[] = {"NODE",    "SHARD",  "KEYS", "BEHIND", "PARKED",
                                         "PENDING", "MEMORY", "LOG",  "STATE",  NULL};
    struct grid *grid = grid_new(2, titles);
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        put_address(grid_cell(grid, 0), node);
        if (node->shard.len > 0)
            buf_append_slice(grid_cell(grid, 1), node->shard);
        else
            put(grid_cell(grid, 1), "-");
        put_metric(grid_cell(grid, 2), node, "keys_live", false);
        if (node->behind_known)
            put_grouped(grid_cell(grid, 3), node->behind);
        else
            put(grid_cell(grid, 3), "-");
        put_metric(grid_cell(grid, 4), node, "parked", false);
        put_metric(grid_cell(grid, 5), node, "pending_bytes", true);
        put_metric(grid_cell(grid, 6), node, "memory_bytes", true);
        put_metric(grid_cell(grid, 7), node, "log_bytes", true);
        grid->colours[grid->rows] = put_state(grid_cell(grid, 8), status, node);
        grid->rows++;
    }
    grid_print(cli, grid);
    grid_free(grid);
}

/* ---- The whole ---- */

static uint64_t all_keys(const struct status *status)
{
    uint64_t keys = 0;
    for (uint32_t k = 0; k < status->shard_count; k++)
        keys += status->shards[k].keys_most;
    return keys;
}

static void print_headline(const struct cli *cli, const struct status *status)
{
    struct buf line = BUF_EMPTY;
    enum colour colour = cli__status_is_well(status) ? GREEN : status->serving > 0 ? YELLOW : RED;
    if (status->serving == status->node_count)
        put(&line, "all ");
    else {
        buf_decimal(&line, status->serving);
        put(&line, " of ");
    }
    buf_decimal(&line, status->node_count);
    put(&line, status->node_count == 1 ? " node serves" : " nodes serve");
    fprintf(cli->out, "%s%.*s%s", grid_colour(cli, colour), (int)line.len, (const char *)line.ptr,
            grid_colour(cli, PLAIN));
    buf_reset(&line);
    if (status->epoch > 0) {
        put(&line, ", ");
        buf_decimal(&line, status->shard_count);
        put(&line, status->shard_count == 1 ? " shard, " : " shards, ");
        put_grouped(&line, all_keys(status));
        put(&line, " keys; epoch ");
        buf_decimal(&line, status->epoch);
        put(&line, " of lineage ");
        buf_append_slice(&line, status->lineage);
    }
    fprintf(cli->out, "%.*s\n", (int)line.len, line.len > 0 ? (const char *)line.ptr : "");
    if (status->lineages_differ)
        fprintf(cli->out, "%sthese nodes belong to more than one cluster%s\n",
                grid_colour(cli, RED), grid_colour(cli, PLAIN));
    buf_fini(&line);
}

void cli__status_print(const struct cli *cli, const struct status *status)
{
    print_headline(cli, status);
    if (status->shard_count > 0) {
        fputc('\n', cli->out);
        print_shards(cli, status);
        print_transits(cli, status);
        print_losses(cli, status);
    }
    fputc('\n', cli->out);
    print_nodes(cli, status);
}

/* ---- JSON ---- */

static void put_json_shards(struct buf *out, const struct status *status)
{
    json_put_name(out, SLICE_LIT("shards"));
    buf_u8(out, '[');
    for (uint32_t k = 0; k < status->shard_count; k++) {
        const struct status_shard *shard = &status->shards[k];
        json_put_comma(out);
        buf_u8(out, '{');
        json_put_text(out, SLICE_LIT("id"), shard->id);
        json_put_number(out, SLICE_LIT("slots"), shard->slots);
        json_put_name(out, SLICE_LIT("degraded"));
        put(out, shard->degraded ? "true" : "false");
        json_put_number(out, SLICE_LIT("members"), shard->members);
        json_put_number(out, SLICE_LIT("serving"), shard->serving);
        json_put_number(out, SLICE_LIT("keys-least"), shard->keys_least);
        json_put_number(out, SLICE_LIT("keys-most"), shard->keys_most);
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

static void put_json_node(struct buf *out, const struct status *status,
                          const struct status_node *node)
{
    buf_u8(out, '{');
    json_put_text(out, SLICE_LIT("asked-at"), slice_str(node->address));
    if (node->named.len > 0)
        json_put_text(out, SLICE_LIT("address"), node->named);
    json_put_name(out, SLICE_LIT("answers"));
    put(out, node->answered ? "true" : "false");
    if (node->why != NULL)
        json_put_text(out, SLICE_LIT("why"), slice_str(node->why));
    if (node->shard.len > 0)
        json_put_text(out, SLICE_LIT("shard"), node->shard);
    if (node->behind_known)
        json_put_number(out, SLICE_LIT("behind-by"), node->behind);
    json_put_number(out, SLICE_LIT("believed-dead-by"), node->suspected_by);
    json_put_name(out, SLICE_LIT("key-counts"));
    buf_u8(out, '{');
    for (uint32_t k = 0; k < status->shard_count; k++)
        if (node->keys[k] != UINT64_MAX)
            json_put_number(out, status->shards[k].id, node->keys[k]);
    buf_u8(out, '}');
    if (node->answered) {
        json_put_name(out, SLICE_LIT("cluster"));
        buf_append_slice(out, buf_slice(&node->body));
    }
    buf_u8(out, '}');
}

void cli__status_print_json(const struct cli *cli, const struct status *status)
{
    struct buf out = BUF_EMPTY;
    buf_u8(&out, '{');
    json_put_name(&out, SLICE_LIT("well"));
    put(&out, cli__status_is_well(status) ? "true" : "false");
    json_put_text(&out, SLICE_LIT("lineage"), status->lineage);
    json_put_number(&out, SLICE_LIT("epoch"), status->epoch);
    json_put_number(&out, SLICE_LIT("keys"), all_keys(status));
    put_json_shards(&out, status);
    json_put_name(&out, SLICE_LIT("transits"));
    buf_append_slice(&out, status->transits.len > 0 ? status->transits : SLICE_LIT("[]"));
    json_put_name(&out, SLICE_LIT("nodes"));
    buf_u8(&out, '[');
    for (uint32_t i = 0; i < status->node_count; i++) {
        json_put_comma(&out);
        put_json_node(&out, status, &status->nodes[i]);
    }
    put(&out, "]}\n");
    fwrite(out.ptr, 1, out.len, cli->out);
    buf_fini(&out);
}
