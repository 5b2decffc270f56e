/* order - causal order of a history.
 *
 * Does:   see order.h.
 * Not:    -
 * Holds:  C1.
 * Limits: -
 * See:    order.h.
 */
#include "check/order.h"

/* Loose writes are numbered, all others have their place in their session. Returns how many loose
 * ones there are. */
static uint32_t number_positions(struct order *order)
{
    const struct history *history = order->history;
    uint32_t *next = mem_zalloc((size_t)history->sessions.count + 1, sizeof(*next));
    uint32_t loose = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        order->position[i] = op->unknown ? loose++ : ++next[op->session];
    }
    mem_free(next);
    return loose;
}

/* The loose write that op reads from, or OP_NONE. */
static uint32_t loose_source(const struct history *history, uint32_t op)
{
    uint32_t source = history->ops[op].source;
    return source != OP_NONE && history->ops[source].unknown ? source : OP_NONE;
}

static void count_readers(struct order *order, uint32_t loose)
{
    const struct history *history = order->history;
    uint32_t *first = mem_zalloc((size_t)loose + 1, sizeof(*first));
    for (uint32_t i = 0; i < history->count; i++)
        if (loose_source(history, i) != OP_NONE)
            first[order->position[history->ops[i].source] + 1]++;
    for (uint32_t i = 1; i <= loose; i++)
        first[i] += first[i - 1];
    order->first_reader = first;
}

/* A second reader in the same session adds nothing: its past has the first. So places may stay
 * free, at the end of those of a write. */
static void find_readers(struct order *order, uint32_t loose)
{
    const struct op *ops = order->history->ops;
    count_readers(order, loose);
    uint32_t total = order->first_reader[loose];
    order->readers = mem_alloc((total + (size_t)1) * sizeof(*order->readers));
    for (uint32_t i = 0; i < total; i++)
        order->readers[i] = OP_NONE;
    for (uint32_t i = 0; i < order->history->count; i++) {
        uint32_t source = loose_source(order->history, i);
        if (source == OP_NONE)
            continue;
        uint32_t at = order->first_reader[order->position[source]];
        while (order->readers[at] != OP_NONE && ops[order->readers[at]].session != ops[i].session)
            at++;
        if (order->readers[at] == OP_NONE)
            order->readers[at] = i;
    }
}

/* The clock of an operation of a session whose clock is row, when it comes to know what `known`, of
 * a chain, knows, and known itself. */
static uint32_t learn(struct order *order, uint32_t session, uint32_t row, uint32_t known)
{
    uint32_t other = order->history->ops[known].session;
    if (other == session || clocks_get(&order->clocks, row, other) >= order->position[known])
        return row;
    return clocks_join(&order->clocks, row, order->row[known], other, order->position[known]);
}

static uint32_t row_of(struct order *order, uint32_t index)
{
    const struct op *ops = order->history->ops;
    const struct op *op = &ops[index];
    uint32_t row = op->before != OP_NONE ? order->row[op->before] : 0;
    uint32_t known = op->taken != OP_NONE ? op->taken : op->source;
    if (known != OP_NONE && ops[known].unknown)
        known = ops[known].before; /* all that a loose write knows */
    return known != OP_NONE ? learn(order, op->session, row, known) : row;
}

void order_init(struct order *order, const struct history *history)
{
    size_t size = ((size_t)history->count + 1) * sizeof(uint32_t);
    *order = (struct order){.history = history};
    order->position = mem_alloc(size);
    order->row = mem_alloc(size);
    clocks_init(&order->clocks, history->sessions.count);
    find_readers(order, number_positions(order));
    struct graph graph;
    graph_init(&graph, history, NULL, 0);
    uint32_t *sorted = mem_alloc(size);
    if (graph_sort(&graph, sorted) == history->count)
        for (uint32_t i = 0; i < history->count; i++)
            order->row[sorted[i]] = row_of(order, sorted[i]);
    else
        order->cycle_count = graph_cycle(&graph, &order->cycle);
    mem_free(sorted);
    graph_fini(&graph);
}

void order_fini(struct order *order)
{
    mem_free(order->position);
    mem_free(order->row);
    clocks_fini(&order->clocks);
    mem_free(order->readers);
    mem_free(order->first_reader);
    mem_free(order->cycle);
    *order = (struct order){.history = NULL};
}

uint32_t order_within(const struct order *order, uint32_t session, uint32_t b)
{
    const struct op *op = &order->history->ops[b];
    uint32_t itself = 0;
    if (op->unknown) {
        b = op->before; /* in the past, as all that it knows */
        if (b == OP_NONE)
            return 0;
        op = &order->history->ops[b];
        itself = 1;
    }
    if (op->session == session)
        return order->position[b] - 1 + itself;
    return clocks_get(&order->clocks, order->row[b], session);
}

bool order_before(const struct order *order, uint32_t a, uint32_t b)
{
    ASSERT(order->cycle_count == 0);
    const struct op *ops = order->history->ops;
    if (a == b)
        return false;
    if (!ops[a].unknown)
        return order_within(order, ops[a].session, b) >= order->position[a];
    uint32_t loose = order->position[a];
    for (uint32_t i = order->first_reader[loose]; i < order->first_reader[loose + 1]; i++) {
        uint32_t reader = order->readers[i];
        if (reader == OP_NONE)
            return false;
        if (reader == b || order_within(order, ops[reader].session, b) >= order->position[reader])
            return true;
    }
    return false;
}

/* An operation that is to be visited, and the effect of it that led there. */
struct visit {
    uint32_t op;     /* the cause */
    uint32_t effect; /* the other end of the edge */
};

/* Breadth first from b towards causes; going back within a session is free. towards: by operation,
 * the next one on its way to b. Each operation crosses to at most one of another session. */
static void search(const struct history *history, uint32_t a, uint32_t b, uint32_t *towards)
{
    struct visit *queue = mem_alloc(((size_t)history->count + 1) * sizeof(*queue));
    uint32_t count = 0;
    queue[count++] = (struct visit){b, b};
    for (uint32_t done = 0; done < count && towards[a] == OP_NONE; done++) {
        struct visit at = queue[done];
        while (at.op != OP_NONE && towards[at.op] == OP_NONE) {
            const struct op *op = &history->ops[at.op];
            uint32_t other = op->taken != OP_NONE ? op->taken : op->source;
            towards[at.op] = at.effect;
            if (other != OP_NONE)
                queue[count++] = (struct visit){other, at.op};
            at = (struct visit){op->before, at.op};
        }
    }
    mem_free(queue);
}

uint32_t order_path(const struct order *order, uint32_t a, uint32_t b, uint32_t **path)
{
    const struct history *history = order->history;
    size_t size = ((size_t)history->count + 1) * sizeof(uint32_t);
    uint32_t *towards = mem_alloc(size);
    ASSERT(a != b);
    for (uint32_t i = 0; i < history->count; i++)
        towards[i] = OP_NONE;
    search(history, a, b, towards);
    *path = mem_alloc(size);
    uint32_t length = 0;
    for (uint32_t at = a; towards[at] != OP_NONE; at = towards[at]) {
        (*path)[length++] = at;
        if (at == b)
            break;
    }
    mem_free(towards);
    return length;
}
