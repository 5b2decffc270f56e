/* render - what a node shows of itself, as the bodies of answers.
 *
 * Does:   see render.h. /cluster: render_cluster.c. /shard/reshard: render_reshard.c.
 * Not:    -
 * Holds:  R1, R2.
 * Limits: -
 * See:    render.h.
 */
#include "server/render.h"

/* ---- /view and /shard/... ---- */

static void put_string_item(struct buf *out, const char *text)
{
    json_put_comma(out);
    json_put_string(out, slice_str(text));
}

static void put_shard_id(struct buf *out, uint32_t id)
{
    buf_append_slice(out, SLICE_LIT("\"s"));
    buf_decimal(out, id);
    buf_u8(out, '"');
}

void render_shard_id(struct buf *out, const char *name, uint32_t id)
{
    json_put_name(out, slice_str(name));
    put_shard_id(out, id);
}

void render_view(const struct node *node, struct buf *out)
{
    const struct config *config = node_config(node);
    buf_append_slice(out, SLICE_LIT("{\"view\":["));
    if (config == NULL) {
        const struct address *list[LIMIT_MEMBERS];
        uint32_t count = node_reachable_view(node, list);
        for (uint32_t i = 0; i < count; i++)
            put_string_item(out, list[i]->text);
    } else {
        for (uint32_t i = 0; i < config->member_count; i++)
            if (node_believes_alive(node, config->members[i].node_id))
                put_string_item(out, config->members[i].address.text);
    }
    buf_append_slice(out, SLICE_LIT("]}"));
}

static void render_shard_ids(const struct config *config, struct buf *out)
{
    buf_append_slice(out, SLICE_LIT("{\"shard-ids\":["));
    for (uint32_t i = 0; i < config_lasting_shards(config); i++) {
        json_put_comma(out);
        put_shard_id(out, config->shards[i].id);
    }
    buf_append_slice(out, SLICE_LIT("]}"));
}

static void render_own_shard(const struct node *node, const struct config *config, struct buf *out)
{
    uint32_t shard = node_shard(node);
    buf_append_slice(out, SLICE_LIT("{\"node-shard-id\":"));
    if (shard == SHARD_NONE)
        buf_append_slice(out, SLICE_LIT("null"));
    else
        put_shard_id(out, config->shards[shard].id);
    buf_u8(out, '}');
}

static void render_members(const struct node *node, const struct config *config, uint32_t shard,
                           struct buf *out)
{
    buf_append_slice(out, SLICE_LIT("{\"shard-members\":["));
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->shard == shard && node_believes_alive(node, member->node_id))
            put_string_item(out, member->address.text);
    }
    buf_append_slice(out, SLICE_LIT("]}"));
}

/* ---- /metrics ---- */

static void put_metric(struct buf *out, const char *name, const char *kind, const char *help,
                       uint64_t value)
{
    const struct slice parts[] = {
        SLICE_LIT("# HELP thence_"),   slice_str(name), SLICE_LIT(" "), slice_str(help),
        SLICE_LIT("\n# TYPE thence_"), slice_str(name), SLICE_LIT(" "), slice_str(kind),
        SLICE_LIT("\nthence_"),        slice_str(name), SLICE_LIT(" ")};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buf_append_slice(out, parts[i]);
    buf_decimal(out, value);
    buf_u8(out, '\n');
}

#define KIND_COUNTER "counter"
#define KIND_GAUGE "gauge"

static uint64_t degraded_count(const struct config *config)
{
    uint64_t count = 0;
    for (uint32_t i = 0; config != NULL && i < config->shard_count; i++)
        count += config_degraded(config, i);
    return count;
}

void render_metrics(struct node *node, const struct server_figures *figures, struct buf *out)
{
    const struct metrics *metrics = node_metrics(node);
#define METRIC(name, kind, help) put_metric(out, #name, KIND_##kind, help, metrics->name);
#include "base/metrics.def"
#undef METRIC
    const struct config *config = node_config(node);
    put_metric(out, "epoch", KIND_GAUGE, "Epoch of the configuration, 0 before the first",
               config == NULL ? 0 : config->epoch);
    put_metric(out, "shards_degraded", KIND_GAUGE, "Shards with fewer than two members that stay",
               degraded_count(config));
    put_metric(out, "slots_moving", KIND_GAUGE, "Slots on their way from one shard to another",
               config == NULL ? 0 : render_count_moving(config));
    put_metric(out, "reshard_waits_for", KIND_GAUGE,
               "Members that are not alive and that a reshard waits for",
               config == NULL ? 0 : render_count_absent(node, config));
    put_metric(out, "serving", KIND_GAUGE, "1 while this node serves",
               node_phase(node) == NODE_SERVING);
    put_metric(out, "clients", KIND_GAUGE, "Client connections", figures->clients);
    put_metric(out, "requests", KIND_COUNTER, "Requests of clients", figures->requests);
    put_metric(out, "client_timeouts", KIND_COUNTER, "Clients cut off because they were late",
               figures->timeouts);
    put_metric(out, "uptime_ms", KIND_GAUGE, "Milliseconds since the start", figures->uptime_ms);
    put_metric(out, "resident_bytes", KIND_GAUGE, "Memory of the process", figures->resident_bytes);
}

/* ---- Calls ---- */

static const char page[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Thence</title>"
    "<h1>Thence</h1><p>A node of a causally consistent key-value store.</p><ul>"
    "<li><a href=\"/cluster\">/cluster</a> <li><a href=\"/view\">/view</a> "
    "<li><a href=\"/shard/ids\">/shard/ids</a> <li><a href=\"/readyz\">/readyz</a> "
    "<li><a href=\"/metrics\">/metrics</a> <li><a href=\"/openapi.json\">/openapi.json</a>"
    "</ul></html>\n";

static void answer(struct http_conn *conn, const struct http_call *call, const char *type,
                   struct slice body)
{
    struct http_response response = {200, slice_str(type), body, 0};
    http_conn_respond(conn, call->id, &response);
}

static void refuse_unready(const struct node *node, const struct http_call *call,
                           struct http_conn *conn, struct buf *body)
{
    node_why_not(node, body);
    http_conn_refuse(conn, call->id, E_NOT_READY, buf_slice(body));
}

static void render_ready(const struct node *node, const struct http_call *call,
                         struct http_conn *conn, struct buf *body)
{
    if (node_is_ready(node))
        answer(conn, call, "", SLICE_LIT("{\"status\":\"ready\"}"));
    else
        refuse_unready(node, call, conn, body);
}

/* What can be told only by a configuration. */
static void render_shard_call(const struct node *node, const struct http_call *call,
                              struct http_conn *conn, struct buf *body)
{
    const struct config *config = node_config(node);
    if (config == NULL) {
        refuse_unready(node, call, conn, body);
        return;
    }
    if (call->kind == HTTP_SHARD_IDS) {
        render_shard_ids(config, body);
    } else if (call->kind == HTTP_NODE_SHARD_ID) {
        render_own_shard(node, config, body);
    } else if (call->kind == HTTP_RESHARD) {
        render_reshard(node, config, body);
    } else {
        uint32_t shard = config_shard_by_id(config, call->shard_id);
        if (shard >= config_lasting_shards(config)) {
            http_conn_refuse(conn, call->id, E_NO_SHARD, SLICE_EMPTY);
            return;
        }
        render_members(node, config, shard, body);
    }
    answer(conn, call, "", buf_slice(body));
}

void render_call(struct node *node, const struct server_figures *figures,
                 const struct http_call *call, struct http_conn *conn, struct buf *body)
{
    buf_reset(body);
    switch (call->kind) {
    case HTTP_NONE:
    case HTTP_NODE:
        UNREACHABLE();
    case HTTP_VIEW:
        render_view(node, body);
        answer(conn, call, "", buf_slice(body));
        break;
    case HTTP_SHARD_IDS:
    case HTTP_NODE_SHARD_ID:
    case HTTP_SHARD_MEMBERS:
    case HTTP_RESHARD:
        render_shard_call(node, call, conn, body);
        break;
    case HTTP_HEALTHZ:
        answer(conn, call, "", SLICE_LIT("{\"status\":\"ok\"}"));
        break;
    case HTTP_READYZ:
        render_ready(node, call, conn, body);
        break;
    case HTTP_METRICS:
        render_metrics(node, figures, body);
        answer(conn, call, "text/plain; version=0.0.4; charset=utf-8", buf_slice(body));
        break;
    case HTTP_CLUSTER:
        render_cluster(node, body);
        answer(conn, call, "", buf_slice(body));
        break;
    case HTTP_ROOT:
        answer(conn, call, "text/html; charset=utf-8", slice_str(page));
        break;
    }
}
