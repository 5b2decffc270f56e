/* writes - the writes of each key, by chain.
 *
 * Does:   see writes.h.
 * Not:    -
 * Holds:  D1.
 * Limits: writes of unknown outcome that nobody observed are left out: they are before nothing.
 * See:    writes.h.
 */
#include "check/writes.h"

static bool listed(const struct order *order, uint32_t op)
{
    const struct op *it = &order->history->ops[op];
    return (it->kind == OP_WRITE || it->kind == OP_DELETE) && order->chain[op] != OP_NONE;
}

/* Operations of a chain stand in the history in chain order, so two stable passes of a counting
 * sort, by chain and then by key, bring the order that D1 wants. */
static void sort_by(const uint32_t *from, uint32_t *to, uint32_t count, const uint32_t *value,
                    uint32_t values)
{
    uint32_t *first = mem_zalloc((size_t)values + 1, sizeof(*first));
    for (uint32_t i = 0; i < count; i++)
        first[value[from[i]] + 1]++;
    for (uint32_t i = 1; i <= values; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < count; i++)
        to[first[value[from[i]]]++] = from[i];
    mem_free(first);
}

static uint32_t *keys_of(const struct history *history)
{
    uint32_t *keys = mem_alloc((size_t)history->count * sizeof(*keys) + 1);
    for (uint32_t i = 0; i < history->count; i++)
        keys[i] = history->ops[i].key;
    return keys;
}

static void index_keys(struct writes *writes, uint32_t count)
{
    const struct history *history = writes->order->history;
    writes->first = mem_zalloc((size_t)history->keys.count + 1, sizeof(*writes->first));
    for (uint32_t i = 0; i < count; i++)
        writes->first[history->ops[writes->list[i]].key + 1]++;
    for (uint32_t i = 1; i <= history->keys.count; i++)
        writes->first[i] += writes->first[i - 1];
}

static void find_last_puts(struct writes *writes, uint32_t count)
{
    const struct order *order = writes->order;
    const struct op *ops = order->history->ops;
    writes->last_put = mem_alloc((size_t)count * sizeof(*writes->last_put) + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t op = writes->list[i];
        bool same = i > 0 && ops[writes->list[i - 1]].key == ops[op].key &&
                    order->chain[writes->list[i - 1]] == order->chain[op];
        writes->last_put[i] = same ? writes->last_put[i - 1] : OP_NONE;
        if (ops[op].kind == OP_WRITE)
            writes->last_put[i] = op;
    }
}

void writes_init(struct writes *writes, const struct order *order)
{
    const struct history *history = order->history;
    *writes = (struct writes){.order = order};
    uint32_t *all = mem_alloc((size_t)history->count * sizeof(*all) + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < history->count; i++)
        if (listed(order, i))
            all[count++] = i;
    uint32_t *by_chain = mem_alloc((size_t)count * sizeof(*by_chain) + 1);
    writes->list = mem_alloc((size_t)count * sizeof(*writes->list) + 1);
    uint32_t *keys = keys_of(history);
    sort_by(all, by_chain, count, order->chain, order->chains);
    sort_by(by_chain, writes->list, count, keys, history->keys.count);
    mem_free(all);
    mem_free(by_chain);
    mem_free(keys);
    index_keys(writes, count);
    find_last_puts(writes, count);
}

void writes_fini(struct writes *writes)
{
    mem_free(writes->list);
    mem_free(writes->last_put);
    mem_free(writes->first);
}

bool writes_run(const struct writes *writes, uint32_t key, uint32_t at, struct run *run)
{
    uint32_t end = writes->first[key + 1];
    if (at >= end)
        return false;
    uint32_t chain = writes->order->chain[writes->list[at]];
    run->begin = at;
    run->end = at + 1;
    while (run->end < end && writes->order->chain[writes->list[run->end]] == chain)
        run->end++;
    return true;
}

uint32_t writes_within(const struct writes *writes, const struct run *run, const uint32_t *clock)
{
    const struct order *order = writes->order;
    uint32_t limit = clock[order->chain[writes->list[run->begin]]];
    uint32_t low = run->begin; /* all before low are within */
    uint32_t high = run->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (order->position[writes->list[middle]] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low > run->begin ? low - 1 : OP_NONE;
}
