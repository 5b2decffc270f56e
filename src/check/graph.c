/* graph - operations and what comes before what.
 *
 * Does:   see graph.h.
 * Not:    -
 * Holds:  G1.
 * Limits: CYCLE_TRIES operations of a cycle are tried for a shorter one.
 * See:    graph.h.
 */
#include "check/graph.h"

#define CYCLE_TRIES 64U

/* A read has no context to take over, a take reads nothing: two at most. */
uint32_t graph_causes(const struct history *history, uint32_t op, uint32_t causes[2])
{
    const struct op *it = &history->ops[op];
    ASSERT(it->source == OP_NONE || it->taken == OP_NONE);
    uint32_t count = 0;
    if (it->before != OP_NONE)
        causes[count++] = it->before;
    if (it->source != OP_NONE)
        causes[count++] = it->source;
    if (it->taken != OP_NONE)
        causes[count++] = it->taken;
    return count;
}

/* first[v + 2] counts the edges of v; summed up, first[v + 1] is where they begin, and filling in
 * moves it to where they end: where those of v + 1 begin. */
static void count_edges(struct graph *graph, const struct history *history, const struct edge *more,
                        size_t more_count)
{
    uint32_t causes[2];
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t count = graph_causes(history, i, causes);
        for (uint32_t j = 0; j < count; j++)
            graph->first[causes[j] + 2]++;
    }
    for (size_t i = 0; i < more_count; i++)
        graph->first[more[i].from + 2]++;
    for (uint32_t i = 2; i < graph->count + 2; i++)
        graph->first[i] += graph->first[i - 1];
}

void graph_init(struct graph *graph, const struct history *history, const struct edge *more,
                size_t more_count)
{
    graph->count = history->count;
    graph->first = mem_zalloc((size_t)graph->count + 2, sizeof(*graph->first));
    count_edges(graph, history, more, more_count);
    graph->to = mem_alloc((graph->first[graph->count + 1] + 1) * sizeof(*graph->to));
    uint32_t causes[2];
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t count = graph_causes(history, i, causes);
        for (uint32_t j = 0; j < count; j++)
            graph->to[graph->first[causes[j] + 1]++] = i;
    }
    for (size_t i = 0; i < more_count; i++)
        graph->to[graph->first[more[i].from + 1]++] = more[i].to;
}

void graph_fini(struct graph *graph)
{
    mem_free(graph->first);
    mem_free(graph->to);
    *graph = (struct graph){.count = 0};
}

uint32_t graph_sort(const struct graph *graph, uint32_t *sorted)
{
    uint32_t *waits = mem_zalloc((size_t)graph->count + 1, sizeof(*waits));
    uint32_t placed = 0;
    for (size_t i = 0; i < graph->first[graph->count]; i++)
        waits[graph->to[i]]++;
    for (uint32_t i = 0; i < graph->count; i++)
        if (waits[i] == 0)
            sorted[placed++] = i;
    for (uint32_t done = 0; done < placed; done++)
        for (size_t i = graph->first[sorted[done]]; i < graph->first[sorted[done] + 1]; i++)
            if (--waits[graph->to[i]] == 0)
                sorted[placed++] = graph->to[i];
    mem_free(waits);
    return placed;
}

/* By operation: one that comes before it and could not be placed either, or OP_NONE for those that
 * were placed. What cannot be placed waits for such a one. */
static uint32_t *unplaced_causes(const struct graph *graph, const uint32_t *sorted, uint32_t placed)
{
    uint8_t *stuck = mem_alloc((size_t)graph->count + 1);
    uint32_t *cause = mem_alloc(((size_t)graph->count + 1) * sizeof(*cause));
    memset(stuck, 1, graph->count);
    for (uint32_t i = 0; i < placed; i++)
        stuck[sorted[i]] = 0;
    for (uint32_t i = 0; i < graph->count; i++)
        cause[i] = OP_NONE;
    for (uint32_t i = 0; i < graph->count; i++)
        for (size_t j = graph->first[i]; stuck[i] && j < graph->first[i + 1]; j++)
            if (stuck[graph->to[j]])
                cause[graph->to[j]] = i;
    mem_free(stuck);
    return cause;
}

/* Going from cause to cause among those that are stuck must come round. Backwards, so reversed. */
static uint32_t some_cycle(const struct graph *graph, const uint32_t *cause, uint32_t *cycle)
{
    uint32_t at = 0;
    while (cause[at] == OP_NONE)
        at++;
    for (uint32_t i = 0; i < graph->count; i++)
        at = cause[at]; /* after so many steps it is on a cycle */
    uint32_t length = 0;
    for (uint32_t begin = at; length == 0 || at != begin; at = cause[at])
        cycle[length++] = at;
    for (uint32_t i = 0; i < length / 2; i++) {
        uint32_t other = cycle[i];
        cycle[i] = cycle[length - 1 - i];
        cycle[length - 1 - i] = other;
    }
    return length;
}

/* Breadth first from start among those that are stuck, at most length - 1 edges far: a shorter
 * cycle through start replaces that in *cycle. queue and came have room for all. */
static uint32_t shorten(const struct graph *graph, const uint32_t *cause, uint32_t start,
                        uint32_t *cycle, uint32_t length, uint32_t *queue, uint32_t *came)
{
    for (uint32_t i = 0; i < graph->count; i++)
        came[i] = OP_NONE;
    came[start] = start;
    uint32_t filled = 0;
    uint32_t last = OP_NONE;
    queue[filled++] = start;
    for (uint32_t done = 0; done < filled && last == OP_NONE; done++)
        for (size_t i = graph->first[queue[done]]; i < graph->first[queue[done] + 1]; i++) {
            uint32_t to = graph->to[i];
            if (to == start)
                last = queue[done];
            if (cause[to] == OP_NONE || came[to] != OP_NONE)
                continue;
            came[to] = queue[done];
            queue[filled++] = to;
        }
    ASSERT(last != OP_NONE);
    uint32_t found = 1;
    for (uint32_t at = last; at != start; at = came[at])
        found++;
    if (found >= length)
        return length;
    for (uint32_t i = found, at = last; i > 0; at = came[at])
        cycle[--i] = at;
    return found;
}

uint32_t graph_cycle(const struct graph *graph, uint32_t **cycle)
{
    size_t size = ((size_t)graph->count + 1) * sizeof(uint32_t);
    uint32_t *sorted = mem_alloc(size);
    uint32_t length = 0;
    *cycle = NULL;
    uint32_t placed = graph_sort(graph, sorted);
    if (placed < graph->count) {
        uint32_t *cause = unplaced_causes(graph, sorted, placed);
        uint32_t *first = mem_alloc(size);
        uint32_t *came = mem_alloc(size);
        uint32_t tries = some_cycle(graph, cause, first);
        *cycle = mem_dup(first, tries * sizeof(uint32_t));
        length = tries;
        for (uint32_t i = 0; i < tries && i < CYCLE_TRIES; i++)
            length = shorten(graph, cause, first[i], *cycle, length, sorted, came);
        mem_free(cause);
        mem_free(first);
        mem_free(came);
    }
    mem_free(sorted);
    return length;
}
