/* conflict - reads that no single order of writes explains.
 *
 * Does:   see conflict.h.
 * Not:    -
 * Holds:  E1.
 * Limits: -
 * See:    conflict.h.
 */
#include "check/conflict.h"

#include "check/nothing.h"

#define CACHE_SIZE 65536U

struct edges {
    const struct order *order; /* borrowed */
    struct edge *list;         /* owned */
    size_t count;              /* in use */
    size_t cap;                /* allocated */
    uint64_t *cache;           /* recent edges: most repetitions are not kept; owned */
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

/* Source won over all that the past holds. */
static void add_past(struct edges *edges, struct past past, uint32_t source, uint32_t by)
{
    uint32_t old = OP_NONE;
    while (past_next(&past, &old))
        if (!order_before(edges->order, old, source))
            add_edge(edges, (struct edge){old, source, by});
}

static void add_reads(struct edges *edges, const struct writes *writes)
{
    const struct history *history = edges->order->history;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        if (op->kind == OP_READ && op->source != OP_NONE)
            add_past(edges, past_of(writes, op->key, i, op->source, false), op->source, i);
    }
    for (uint32_t i = 0; i < history->final_count; i++) {
        const struct final *final = &history->finals[i];
        uint32_t source = final->value != NAMES_NONE ? history->writer[final->value]
                                                     : nothing_source(writes, final->key, READ_END);
        if (source != OP_NONE)
            add_past(edges, past_of(writes, final->key, READ_END, source, false), source,
                     history->count + i);
    }
}

static bool is_cause(const struct history *history, uint32_t a, uint32_t b)
{
    uint32_t causes[2];
    uint32_t count = graph_causes(history, b, causes);
    return (count > 0 && causes[0] == a) || (count > 1 && causes[1] == a);
}

static uint32_t by_whom(const struct edges *edges, uint32_t a, uint32_t b)
{
    if (is_cause(edges->order->history, a, b))
        return OP_NONE;
    size_t at = 0;
    while (edges->list[at].from != a || edges->list[at].to != b)
        at++;
    return edges->list[at].by;
}

uint32_t conflict_find(const struct order *order, const struct writes *writes, struct link **links)
{
    struct edges edges = {.order = order, .cache = mem_zalloc(CACHE_SIZE, sizeof(uint64_t))};
    add_reads(&edges, writes);
    struct graph graph;
    graph_init(&graph, order->history, edges.list, edges.count);
    uint32_t *cycle = NULL;
    uint32_t count = graph_cycle(&graph, &cycle);
    graph_fini(&graph);
    *links = mem_alloc(count * sizeof(**links));
    for (uint32_t i = 0; i < count; i++)
        (*links)[i] = (struct link){cycle[i], by_whom(&edges, cycle[i], cycle[(i + 1) % count])};
    mem_free(cycle);
    mem_free(edges.list);
    mem_free(edges.cache);
    return count;
}
