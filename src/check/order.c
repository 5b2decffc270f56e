/* order - causal order of a history.
 *
 * Does:   see order.h.
 * Not:    -
 * Holds:  C1.
 * Limits: -
 * See:    order.h.
 */
#include "check/order.h"

uint32_t order_causes(const struct history *history, uint32_t op, uint32_t causes[3])
{
    const struct op *it = &history->ops[op];
    uint32_t count = 0;
    if (it->before != OP_NONE)
        causes[count++] = it->before;
    if (it->source != OP_NONE)
        causes[count++] = it->source;
    if (it->taken != OP_NONE)
        causes[count++] = it->taken;
    return count;
}

static void number_chains(struct order *order)
{
    const struct history *history = order->history;
    order->chains = history->sessions.count;
    uint32_t *next = mem_zalloc(order->chains, sizeof(*next));
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        order->chain[i] = OP_NONE;
        if (!op->unknown) {
            order->chain[i] = op->session;
            order->position[i] = ++next[op->session];
        } else if (op->observed) {
            /* The session went on without it: it is a branch of its own. */
            order->chain[i] = order->chains++;
            order->position[i] = 1;
        }
    }
    mem_free(next);
}

/* Edges in the other direction, as one array with a first index for each operation. */
struct effects {
    uint32_t *first; /* by operation, one more than there are */
    uint32_t *list;  /* owned */
};

static void effects_init(struct effects *effects, const struct history *history)
{
    uint32_t causes[3];
    effects->first = mem_zalloc((size_t)history->count + 2, sizeof(uint32_t));
    for (uint32_t i = 0; i < history->count; i++) {
        uint32_t count = order_causes(history, i, causes);
        for (uint32_t j = 0; j < count; j++)
            effects->first[causes[j] + 2]++;
    }
    for (uint32_t i = 2; i < history->count + 2; i++)
        effects->first[i] += effects->first[i - 1];
    effects->list = mem_alloc(((size_t)effects->first[history->count + 1] + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < history->count; i++) {
        uint32_t count = order_causes(history, i, causes);
        for (uint32_t j = 0; j < count; j++)
            effects->list[effects->first[causes[j] + 1]++] = i;
    }
}

static void effects_fini(struct effects *effects)
{
    mem_free(effects->first);
    mem_free(effects->list);
}

static void sort(struct order *order)
{
    const struct history *history = order->history;
    struct effects effects;
    effects_init(&effects, history);
    uint32_t causes[3];
    uint8_t *waits = mem_zalloc(history->count, 1);
    for (uint32_t i = 0; i < history->count; i++) {
        waits[i] = (uint8_t)order_causes(history, i, causes);
        if (waits[i] == 0)
            order->sorted[order->sorted_count++] = i;
    }
    for (uint32_t done = 0; done < order->sorted_count; done++) {
        uint32_t op = order->sorted[done];
        for (uint32_t i = effects.first[op]; i < effects.first[op + 1]; i++)
            if (--waits[effects.list[i]] == 0)
                order->sorted[order->sorted_count++] = effects.list[i];
    }
    mem_free(waits);
    effects_fini(&effects);
}

static void merge(uint32_t *to, const uint32_t *from, uint32_t chains)
{
    for (uint32_t i = 0; i < chains; i++)
        if (from[i] > to[i])
            to[i] = from[i];
}

/* Every clock is kept until all that stand on it are done; then only those of writes, of deletes and
 * of reads stay: the judge asks for them. */
static void compute_clocks(struct order *order)
{
    const struct history *history = order->history;
    uint32_t causes[3];
    for (uint32_t i = 0; i < order->sorted_count; i++) {
        uint32_t op = order->sorted[i];
        uint32_t *clock = mem_zalloc(order->chains, sizeof(*clock));
        uint32_t count = order_causes(history, op, causes);
        for (uint32_t j = 0; j < count; j++)
            merge(clock, order->clock[causes[j]], order->chains);
        if (order->chain[op] != OP_NONE)
            clock[order->chain[op]] = order->position[op];
        order->clock[op] = clock;
    }
}

void order_init(struct order *order, const struct history *history)
{
    size_t count = history->count;
    *order = (struct order){.history = history};
    order->chain = mem_zalloc(count, sizeof(*order->chain));
    order->position = mem_zalloc(count, sizeof(*order->position));
    order->clock = mem_zalloc(count, sizeof(*order->clock));
    order->sorted = mem_zalloc(count, sizeof(*order->sorted));
    number_chains(order);
    sort(order);
    compute_clocks(order);
}

void order_fini(struct order *order)
{
    for (uint32_t i = 0; i < order->history->count; i++)
        mem_free(order->clock[i]);
    mem_free(order->clock);
    mem_free(order->chain);
    mem_free(order->position);
    mem_free(order->sorted);
    *order = (struct order){.history = NULL};
}

bool order_before(const struct order *order, uint32_t a, uint32_t b)
{
    ASSERT(order->clock[b] != NULL);
    if (a == b || order->chain[a] == OP_NONE)
        return false; /* a write of unknown outcome that nobody read is before nothing */
    return order->clock[b][order->chain[a]] >= order->position[a];
}

/* Breadth first from b towards causes, so the first time a is met is on a shortest path. */
uint32_t order_path(const struct order *order, uint32_t a, uint32_t b, uint32_t **path)
{
    const struct history *history = order->history;
    uint32_t *towards = mem_alloc((size_t)history->count * sizeof(*towards) + 1);
    uint32_t *queue = mem_alloc((size_t)history->count * sizeof(*queue) + 1);
    for (uint32_t i = 0; i < history->count; i++)
        towards[i] = OP_NONE;
    uint32_t count = 0;
    uint32_t found = OP_NONE;
    queue[count++] = b;
    for (uint32_t done = 0; done < count && found == OP_NONE; done++) {
        uint32_t causes[3];
        uint32_t some = order_causes(history, queue[done], causes);
        for (uint32_t i = 0; i < some && found == OP_NONE; i++) {
            if (causes[i] == a)
                found = queue[done];
            if (causes[i] == b || towards[causes[i]] != OP_NONE)
                continue;
            towards[causes[i]] = queue[done];
            queue[count++] = causes[i];
        }
    }
    *path = NULL;
    uint32_t length = 0;
    if (found != OP_NONE) {
        *path = queue;
        queue[length++] = a;
        for (uint32_t at = found; at != b; at = towards[at])
            queue[length++] = at;
        queue[length++] = b;
    } else {
        mem_free(queue);
    }
    mem_free(towards);
    return length;
}
