/* fuzz_history - lines that somebody recorded, or did not.
 *
 * Does:   reads them, judges what makes sense, tells every finding; on small histories asks every
 *         question about order, and holds it against a plain closure.
 * Not:    whether a verdict is right: tests/unit/check/test_random.c.
 * Holds:  no input is fatal; what is refused has a sentence; a cycle is a cycle; order_before is
 *         transitive and nothing is before itself.
 * Limits: closures up to CLOSED operations.
 * See:    src/check/history.h.
 */
#include "check/check.h"

#define CLOSED 24U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_lines(struct history *history, struct slice text)
{
    const char *why = NULL;
    uint32_t where = 0;
    size_t begin = 0;
    bool good = true;
    for (size_t i = 0; good && i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n')
            continue;
        good = history_line(history, slice_of(text.ptr + begin, i - begin), &why);
        begin = i + 1;
    }
    good = good && history_end(history, &where, &why);
    ASSERT(good || why != NULL);
    ASSERT(where <= history->lines);
    return good;
}

static void check_order(const struct order *order)
{
    const struct history *history = order->history;
    bool closed[CLOSED][CLOSED] = {{false}};
    uint32_t count = history->count;
    if (order->cycle_count > 0 || count > CLOSED)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t causes[2];
        uint32_t some = graph_causes(history, i, causes);
        for (uint32_t j = 0; j < some; j++)
            closed[causes[j]][i] = true;
    }
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t j = 0; closed[i][k] && j < count; j++)
                closed[i][j] |= closed[k][j];
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            ASSERT(order_before(order, i, j) == closed[i][j]);
}

static void check_cycle(const struct history *history, const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->cycle_count; i++) {
        const struct link *link = &verdict->cycle[i];
        uint32_t next = verdict->cycle[(i + 1) % verdict->cycle_count].op;
        uint32_t causes[2];
        uint32_t count = graph_causes(history, next, causes);
        bool cause = (count > 0 && causes[0] == link->op) || (count > 1 && causes[1] == link->op);
        ASSERT(cause == (link->by == OP_NONE));
        ASSERT(cause || link->by < history->count + history->final_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history history;
    history_init(&history);
    if (read_lines(&history, slice_of(data, size))) {
        nothing_deduce(&history);
        struct order order;
        struct verdict verdict;
        struct buf story = BUF_EMPTY;
        order_init(&order, &history);
        check_order(&order);
        judge(&order, &verdict);
        check_cycle(&history, &verdict);
        for (uint32_t i = 0; i < verdict.finding_count; i++)
            verdict_tell(&verdict, &order, i, &story);
        buf_fini(&story);
        verdict_fini(&verdict);
        order_fini(&order);
    }
    history_fini(&history);
    return 0;
}
