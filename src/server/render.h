/* render - what a node shows of itself, as the bodies of answers.
 *
 * Does:   /view, /shard/..., /healthz, /readyz, /metrics, /cluster and the page for browsers.
 * Not:    keys and values: the node answers those itself. HTTP: http/.
 * Holds:  R1 it asks the node and changes nothing. R2 before the first configuration all but
 *         /view, /healthz, /readyz, /metrics, /cluster and / is refused, with whom the node waits
 *         for.
 * Limits: -
 * See:    docs/api.md sections 1, 3 and 4.
 */
#pragma once

#include "http/http.h"

/* What the server itself counts, for /metrics. */
struct server_figures {
    uint64_t clients;        /* connections now */
    uint64_t requests;       /* calls carried out so far */
    uint64_t timeouts;       /* clients cut off because they were late */
    uint64_t uptime_ms;      /* since the start */
    uint64_t resident_bytes; /* memory of the process */
};

/* Answers a local call (any kind but HTTP_NONE and HTTP_NODE) on its connection; body is
 * scratch. */
void render_call(struct node *node, const struct server_figures *figures,
                 const struct http_call *call, struct http_conn *conn, struct buf *body);

/* The parts, for tests: append to out. */
void render_view(const struct node *node, struct buf *out);
void render_metrics(struct node *node, const struct server_figures *figures, struct buf *out);
void render_cluster(struct node *node, struct buf *out);
void render_reshard(const struct node *node, const struct config *config, struct buf *out);

/* Slots on their way, and members that are not alive while a reshard goes on: it waits for them. */
uint64_t render_count_moving(const struct config *config);
uint64_t render_count_absent(const struct node *node, const struct config *config);

/* What these pages have in common: what a member is, as a word (static); a member of an object that
 * names a shard by its id. */
const char *render_state_word(enum member_state state);
void render_shard_id(struct buf *out, const char *name, uint32_t id);
