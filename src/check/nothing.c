/* nothing - which delete a read of nothing saw.
 *
 * Does:   see nothing.h.
 * Not:    -
 * Holds:  F1.
 * Limits: a run costs two binary searches, and each of its candidates a look at all runs.
 * See:    nothing.h.
 */
#include "check/nothing.h"

/* Not among the effects of the read, and begun before it ended. */
static bool is_possible(const struct writes *writes, uint32_t read, uint32_t write)
{
    const struct op *ops = writes->order->history->ops;
    return read == READ_END ||
           (ops[write].start_us <= ops[read].end_us && !order_before(writes->order, read, write));
}

/* How many writes at the beginning of a run are possible: later ones of the session are effects of
 * earlier ones, and begun later. */
static uint32_t count_possible(const struct writes *writes, uint32_t read, const struct run *run)
{
    uint32_t low = run->begin; /* all below are possible */
    uint32_t high = run->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_possible(writes, read, writes->list[middle]))
            low = middle + 1;
        else
            high = middle;
    }
    return low - run->begin;
}

static bool is_hidden(const struct writes *writes, uint32_t key, uint32_t read, uint32_t gone)
{
    struct past past = past_of(writes, key, read, gone, false);
    uint32_t young = OP_NONE;
    while (past_next(&past, &young))
        if (order_before(writes->order, gone, young))
            return true;
    return false;
}

/* The last possible delete of a session is the least hidden, the one before it the next. */
static uint32_t explained_by_run(const struct writes *writes, uint32_t key, uint32_t read,
                                 const struct run *run, uint32_t *gone)
{
    uint32_t count = count_possible(writes, read, run);
    uint32_t place = count > 0 ? writes->gone[run->begin + count - 1] : OP_NONE;
    if (place == OP_NONE || is_hidden(writes, key, read, writes->list[place]))
        return 0;
    *gone = writes->list[place];
    place = place > run->begin ? writes->gone[place - 1] : OP_NONE;
    return place == OP_NONE || is_hidden(writes, key, read, writes->list[place]) ? 1 : 2;
}

uint32_t nothing_explained(const struct writes *writes, uint32_t key, uint32_t read, uint32_t *gone)
{
    const struct op *ops = writes->order->history->ops;
    uint32_t count = 0;
    for (uint32_t i = writes->first_run[key]; count < 2 && i < writes->first_run[key + 1]; i++)
        count += explained_by_run(writes, key, read, &writes->runs[i], gone);
    for (uint32_t i = writes->first_loose[key]; count < 2 && i < writes->first_loose[key + 1];
         i++) {
        uint32_t write = writes->loose[i];
        if (ops[write].kind != OP_DELETE || !is_possible(writes, read, write) ||
            is_hidden(writes, key, read, write))
            continue;
        *gone = write;
        count++;
    }
    return count < 2 ? count : 2;
}

uint32_t nothing_source(const struct writes *writes, uint32_t key, uint32_t read)
{
    uint32_t any = OP_NONE;
    struct past past = past_of(writes, key, read, OP_NONE, false);
    if (!past_next(&past, &any))
        return OP_NONE; /* it may have seen nothing at all */
    uint32_t gone = OP_NONE;
    return nothing_explained(writes, key, read, &gone) == 1 ? gone : OP_NONE;
}

/* One round; true when something was deduced. All of it from the same order. */
static bool deduce(struct history *history, const struct order *order)
{
    struct writes writes;
    writes_init(&writes, order);
    uint32_t *source = mem_alloc(((size_t)history->count + 1) * sizeof(*source));
    bool deduced = false;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        bool nothing = op->kind == OP_READ && op->value == NAMES_NONE && op->source == OP_NONE;
        source[i] = nothing ? nothing_source(&writes, op->key, i) : OP_NONE;
        deduced |= source[i] != OP_NONE;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        if (source[i] == OP_NONE)
            continue;
        history->ops[i].source = source[i];
        history->ops[source[i]].observed = true;
    }
    mem_free(source);
    writes_fini(&writes);
    return deduced;
}

static bool has_deletes(const struct history *history)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].kind == OP_DELETE)
            return true;
    return false;
}

void nothing_deduce(struct history *history)
{
    bool more = has_deletes(history);
    for (uint32_t i = 0; more && i < DEDUCE_ROUNDS; i++) {
        struct order order;
        order_init(&order, history);
        more = order.cycle_count == 0 && deduce(history, &order);
        order_fini(&order);
    }
}
