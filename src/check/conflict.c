/* conflict - reads that no single order of writes explains.
 *
 * Does:   see conflict.h.
 * Not:    -
 * Holds:  E1.
 * Limits: -
 * See:    conflict.h.
 */
#include "check/conflict.h"

#define CACHE_SIZE 65536U

struct edge {
    uint32_t from; /* the write in the past */
    uint32_t to;   /* the write that was returned */
    uint32_t read; /* by whom */
};

struct edges {
    struct edge *list; /* owned */
    size_t count;      /* in use */
    size_t cap;        /* allocated */
    uint64_t *cache;   /* recent edges, so that most repetitions are not kept; owned */
};

static void add_edge(struct edges *edges, struct edge edge)
{
    uint64_t name = (uint64_t)edge.from << 32 | edge.to;
    uint64_t place = (name * UINT64_C(0x9e3779b97f4a7c15)) >> 48;
    if (edges->cache[place % CACHE_SIZE] == name)
        return;
    edges->cache[place % CACHE_SIZE] = name;
    if (edges->count == edges->cap) {
        edges->cap = edges->cap > 0 ? edges->cap * 2 : 1024;
        edges->list = mem_realloc(edges->list, edges->cap * sizeof(*edges->list));
    }
    edges->list[edges->count++] = edge;
}

static void add_read(struct edges *edges, const struct order *order, const struct writes *writes,
                     uint32_t read)
{
    const struct op *op = &order->history->ops[read];
    struct run run;
    for (uint32_t at = writes->first[op->key]; writes_run(writes, op->key, at, &run);
         at = run.end) {
        uint32_t place = writes_within(writes, &run, order->clock[read]);
        if (place == OP_NONE)
            continue;
        uint32_t old = writes->list[place];
        if (old != op->source && !order_before(order, old, op->source))
            add_edge(edges, (struct edge){old, op->source, read});
    }
}

/* Both kinds of edges, by where they begin. */
struct graph {
    size_t *first;   /* by operation, one more than there are; owned */
    uint32_t *to;    /* owned */
    uint32_t *waits; /* by operation: edges that end there; owned */
};

static void count_edges(struct graph *graph, const struct history *history,
                        const struct edges *edges)
{
    uint32_t causes[3];
    for (uint32_t i = 0; i < history->count; i++) {
        uint32_t count = order_causes(history, i, causes);
        graph->waits[i] += count;
        for (uint32_t j = 0; j < count; j++)
            graph->first[causes[j] + 2]++;
    }
    for (size_t i = 0; i < edges->count; i++) {
        graph->waits[edges->list[i].to]++;
        graph->first[edges->list[i].from + 2]++;
    }
    for (uint32_t i = 2; i < history->count + 2; i++)
        graph->first[i] += graph->first[i - 1];
}

static void graph_init(struct graph *graph, const struct history *history,
                       const struct edges *edges)
{
    uint32_t causes[3];
    graph->first = mem_zalloc((size_t)history->count + 2, sizeof(*graph->first));
    graph->waits = mem_zalloc((size_t)history->count + 1, sizeof(*graph->waits));
    count_edges(graph, history, edges);
    graph->to = mem_alloc((graph->first[history->count + 1] + 1) * sizeof(*graph->to));
    for (uint32_t i = 0; i < history->count; i++) {
        uint32_t count = order_causes(history, i, causes);
        for (uint32_t j = 0; j < count; j++)
            graph->to[graph->first[causes[j] + 1]++] = i;
    }
    for (size_t i = 0; i < edges->count; i++)
        graph->to[graph->first[edges->list[i].from + 1]++] = edges->list[i].to;
}

/* Takes away what has no edge ending at it, again and again; what is left holds the cycles: waits
 * stays above 0 there. */
static bool has_cycle(struct graph *graph, uint32_t count)
{
    uint32_t *queue = mem_alloc((size_t)count * sizeof(*queue) + 1);
    uint32_t filled = 0;
    for (uint32_t i = 0; i < count; i++)
        if (graph->waits[i] == 0)
            queue[filled++] = i;
    for (uint32_t done = 0; done < filled; done++)
        for (size_t i = graph->first[queue[done]]; i < graph->first[queue[done] + 1]; i++)
            if (--graph->waits[graph->to[i]] == 0)
                queue[filled++] = graph->to[i];
    mem_free(queue);
    return filled < count;
}

bool conflict_find(const struct order *order, const struct writes *writes,
                   struct conflict *conflict)
{
    const struct history *history = order->history;
    struct edges edges = {.cache = mem_zalloc(CACHE_SIZE, sizeof(uint64_t))};
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].kind == OP_READ && history->ops[i].source != OP_NONE)
            add_read(&edges, order, writes, i);
    struct graph graph;
    graph_init(&graph, history, &edges);
    bool cycle = has_cycle(&graph, history->count);
    for (size_t i = 0; cycle && i < edges.count; i++) {
        const struct edge *edge = &edges.list[i];
        if (graph.waits[edge->from] == 0 || graph.waits[edge->to] == 0)
            continue;
        *conflict = (struct conflict){edge->read, edge->from, edge->to};
        break;
    }
    mem_free(graph.first);
    mem_free(graph.to);
    mem_free(graph.waits);
    mem_free(edges.list);
    mem_free(edges.cache);
    return cycle;
}
