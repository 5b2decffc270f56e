/* graph - operations and what comes before what.
 *
 * Does:   the edges of causality, and others added to them: an order of all operations that
 *         respects them, or a small cycle that forbids one.
 * Not:    transitive questions (order.h).
 * Holds:  G1 graph_sort places all operations exactly when graph_cycle finds nothing.
 * Limits: memory: 4 bytes an edge, 8 an operation.
 * See:    Kahn, "Topological sorting of large networks", 1962.
 */
#pragma once

#include "check/history.h"

struct edge {
    uint32_t from; /* comes first */
    uint32_t to;   /* comes later */
    uint32_t by;   /* the read that says so: an operation, or history->count + i for final i */
};

struct graph {
    uint32_t count; /* operations */
    size_t *first;  /* by operation: where its edges begin in to, one more than count; owned */
    uint32_t *to;   /* owned */
};

/* The edges of order_causes, and more. */
void graph_init(struct graph *graph, const struct history *history, const struct edge *more,
                size_t more_count);
void graph_fini(struct graph *graph);

/* Writes operations into sorted (room for all), causes first; returns how many could be placed. */
uint32_t graph_sort(const struct graph *graph, uint32_t *sorted);

/* A cycle, in the order of its edges; the caller frees *cycle. Returns its length, 0 when there
 * is none. It is the shortest through any of the operations of the cycle that was met first. */
uint32_t graph_cycle(const struct graph *graph, uint32_t **cycle);

/* The operations that op stands on directly: returns how many (at most 2). */
uint32_t graph_causes(const struct history *history, uint32_t op, uint32_t causes[2]);
