/* writes - the writes of each key, by session.
 *
 * Does:   see writes.h.
 * Not:    -
 * Holds:  D1, D2.
 * Limits: writes of unknown outcome that nobody observed are left out: they are before nothing.
 * See:    writes.h.
 */
#include "check/writes.h"

static bool is_write(const struct op *op)
{
    return op->kind == OP_WRITE || op->kind == OP_DELETE;
}

/* A stable counting sort of operations by session or by key. Returns where each value begins. */
static uint32_t *sort_by(const struct op *ops, const uint32_t *from, uint32_t *to, uint32_t count,
                         uint32_t values, bool by_key)
{
    uint32_t *first = mem_zalloc((size_t)values + 2, sizeof(*first));
    for (uint32_t i = 0; i < count; i++)
        first[(by_key ? ops[from[i]].key : ops[from[i]].session) + 2]++;
    for (uint32_t i = 2; i <= values; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < count; i++)
        to[first[(by_key ? ops[from[i]].key : ops[from[i]].session) + 1]++] = from[i];
    return first;
}

static void find_runs(struct writes *writes, const uint32_t *first)
{
    const struct op *ops = writes->order->history->ops;
    uint32_t keys = writes->order->history->keys.count;
    writes->runs = mem_alloc((first[keys] + (size_t)1) * sizeof(*writes->runs));
    writes->first_run = mem_alloc(((size_t)keys + 1) * sizeof(*writes->first_run));
    uint32_t count = 0;
    for (uint32_t key = 0; key < keys; key++) {
        writes->first_run[key] = count;
        for (uint32_t i = first[key]; i < first[key + 1]; i++) {
            bool new =
                i == first[key] || ops[writes->list[i]].session != ops[writes->list[i - 1]].session;
            if (new)
                writes->runs[count++] =
                    (struct run){.session = ops[writes->list[i]].session, .begin = i};
            writes->runs[count - 1].end = i + 1;
            writes->position[i] = writes->order->position[writes->list[i]];
            bool put = ops[writes->list[i]].kind == OP_WRITE;
            writes->put[i] = put ? writes->list[i] : new ? OP_NONE : writes->put[i - 1];
            writes->gone[i] = !put ? i : new ? OP_NONE : writes->gone[i - 1];
        }
    }
    writes->first_run[keys] = count;
}

static uint32_t find_known(const struct history *history, uint32_t *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < history->count; i++)
        if (is_write(&history->ops[i]) && !history->ops[i].unknown)
            list[count++] = i;
    return count;
}

static uint32_t find_loose(const struct history *history, uint32_t *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].unknown &&
            (history->ops[i].observed || history->ops[i].kind == OP_DELETE))
            list[count++] = i;
    return count;
}

void writes_init(struct writes *writes, const struct order *order)
{
    const struct history *history = order->history;
    size_t size = ((size_t)history->count + 1) * sizeof(uint32_t);
    uint32_t *all = mem_alloc(size);
    uint32_t *by_session = mem_alloc(size);
    *writes = (struct writes){.order = order};
    uint32_t count = find_known(history, all);
    size_t known = ((size_t)count + 1) * sizeof(uint32_t);
    writes->list = mem_alloc(known);
    writes->position = mem_alloc(known);
    writes->put = mem_alloc(known);
    writes->gone = mem_alloc(known);
    mem_free(sort_by(history->ops, all, by_session, count, history->sessions.count, false));
    uint32_t *first =
        sort_by(history->ops, by_session, writes->list, count, history->keys.count, true);
    find_runs(writes, first);
    mem_free(first);
    count = find_loose(history, all);
    writes->loose = mem_alloc(((size_t)count + 1) * sizeof(uint32_t));
    writes->first_loose =
        sort_by(history->ops, all, writes->loose, count, history->keys.count, true);
    mem_free(all);
    mem_free(by_session);
}

void writes_fini(struct writes *writes)
{
    mem_free(writes->list);
    mem_free(writes->position);
    mem_free(writes->put);
    mem_free(writes->gone);
    mem_free(writes->runs);
    mem_free(writes->first_run);
    mem_free(writes->loose);
    mem_free(writes->first_loose);
}

struct past past_of(const struct writes *writes, uint32_t key, uint32_t read, uint32_t known,
                    bool puts)
{
    ASSERT(key < writes->order->history->keys.count);
    return (struct past){.writes = writes,
                         .read = read,
                         .known = known,
                         .puts = puts,
                         .run = writes->first_run[key],
                         .run_end = writes->first_run[key + 1],
                         .loose = writes->first_loose[key],
                         .loose_end = writes->first_loose[key + 1]};
}

/* How many writes at the beginning of a run lie in the past of the read; 0 when all that do are
 * known. Most are, so that is asked first. */
static uint32_t within(const struct past *past, const struct run *run)
{
    const struct writes *writes = past->writes;
    const struct order *order = writes->order;
    uint32_t known = past->known != OP_NONE ? order_within(order, run->session, past->known) : 0;
    uint32_t limit = past->read != READ_END ? order_within(order, run->session, past->read)
                                            : writes->position[run->end - 1];
    uint32_t low = run->begin; /* all below are within */
    uint32_t high = run->end;
    if (limit <= known)
        return 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (writes->position[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    bool all_known = low == run->begin || writes->position[low - 1] <= known;
    return all_known ? 0 : low - run->begin;
}

static bool loose_within(const struct past *past, uint32_t write)
{
    if (past->read != READ_END)
        return order_before(past->writes->order, write, past->read);
    return past->writes->order->history->ops[write].observed;
}

bool past_next(struct past *past, uint32_t *write)
{
    const struct writes *writes = past->writes;
    while (past->run < past->run_end) {
        const struct run *run = &writes->runs[past->run++];
        uint32_t count = within(past, run);
        if (count == 0)
            continue;
        uint32_t last = run->begin + count - 1;
        *write = past->puts ? writes->put[last] : writes->list[last];
        if (*write != OP_NONE && *write != past->known)
            return true;
    }
    while (past->loose < past->loose_end) {
        *write = writes->loose[past->loose++];
        if (*write != past->known && loose_within(past, *write))
            return true;
    }
    return false;
}
