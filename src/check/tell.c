/* tell - a finding as a story.
 *
 * Does:   who wrote what, who saw what when, and a short chain of causes between.
 * Not:    finding (judge.c).
 * Holds:  -
 * Limits: TOLD_MAX links of a chain; the middle of a longer one is left out. NAME_BYTES_MAX of a
 *         name, key or value; a byte that is no printable ASCII as \xNN, for the sake of terminals.
 * See:    judge.h.
 */
#include "check/judge.h"

#include <stdio.h>

#define TOLD_MAX 12U
#define NAME_BYTES_MAX 80U
#define INDENT "    "

struct row {
    const char *name;    /* for counts */
    const char *promise; /* what is broken, as a sentence */
};

static const struct row rows[PATTERN_COUNT] = {
    [PATTERN_THIN_AIR] = {"thin-air", "a value was read that nobody wrote to that key"},
    [PATTERN_FUTURE] = {"from-the-future", "a value was read before its write was begun"},
    [PATTERN_CYCLE] = {"causal-cycle", "an operation is among its own causes"},
    [PATTERN_READ_OWN] = {"read-your-writes", "a session did not read its own write"},
    [PATTERN_MONOTONIC_READ] = {"monotonic-reads",
                                "a session read a value and then one that came before it"},
    [PATTERN_MONOTONIC_WRITE] = {"monotonic-writes",
                                 "a session saw the later of two writes of another session, "
                                 "and then not the earlier one"},
    [PATTERN_FOLLOW_READ] = {"writes-follow-reads",
                             "a session saw an effect and then not its cause"},
    [PATTERN_CONFLICT] = {"conflict-cycle", "no single order of the writes explains what was read"},
    [PATTERN_DIVERGED] = {"convergence", "replicas differ after everything healed"},
    [PATTERN_LOST] = {"durability",
                      "an acknowledged write came after every possible final value, and is gone"},
};

const char *pattern_name(enum pattern pattern)
{
    ASSERT(pattern < PATTERN_COUNT);
    return rows[pattern].name;
}

static void text(struct buf *out, const char *words)
{
    buf_append_slice(out, slice_str(words));
}

/* What somebody else chose. */
static void name(const struct names *names, uint32_t number, struct buf *out)
{
    struct slice bytes = slice_str(names_text(names, number));
    for (size_t i = 0; i < bytes.len && i < NAME_BYTES_MAX; i++) {
        char escape[5];
        if (bytes.ptr[i] > ' ' && bytes.ptr[i] < 0x7f) {
            buf_u8(out, bytes.ptr[i]);
            continue;
        }
        snprintf(escape, sizeof(escape), "\\x%02x", bytes.ptr[i]);
        text(out, escape);
    }
    if (bytes.len <= NAME_BYTES_MAX)
        return;
    text(out, "... (");
    buf_decimal(out, bytes.len);
    text(out, " bytes)");
}

static void value(const struct history *history, uint32_t number, struct buf *out)
{
    if (number == NAMES_NONE)
        text(out, "nothing");
    else
        name(&history->values, number, out);
}

static void tell_op(const struct history *history, uint32_t index, struct buf *out)
{
    const struct op *op = &history->ops[index];
    text(out, INDENT "line ");
    buf_decimal(out, op->line);
    text(out, ", ");
    buf_decimal(out, op->start_us);
    text(out, "-");
    buf_decimal(out, op->end_us);
    text(out, " us: session ");
    name(&history->sessions, op->session, out);
    switch (op->kind) {
    case OP_WRITE:
        text(out, op->unknown ? " wrote (outcome unknown) " : " wrote ");
        break;
    case OP_DELETE:
        text(out, op->unknown ? " deleted (outcome unknown) " : " deleted ");
        break;
    case OP_READ:
        text(out, " read ");
        break;
    case OP_TAKE:
        text(out, " took over the context of session ");
        name(&history->sessions, history->ops[op->taken].session, out);
        text(out, "\n");
        return;
    }
    name(&history->keys, op->key, out);
    text(out, op->kind == OP_DELETE ? " as " : " = ");
    value(history, op->value, out);
    if (op->kind == OP_READ && op->value == NAMES_NONE && op->source != OP_NONE) {
        text(out, ": this can only be the delete ");
        value(history, history->ops[op->source].value, out);
    }
    text(out, "\n");
}

static void tell_final(const struct history *history, uint32_t index, struct buf *out)
{
    const struct final *final = &history->finals[index];
    text(out, INDENT "line ");
    buf_decimal(out, final->line);
    text(out, ": at the end node ");
    name(&history->nodes, final->node, out);
    text(out, " has ");
    name(&history->keys, final->key, out);
    text(out, " = ");
    value(history, final->value, out);
    text(out, "\n");
}

/* Of what one session did in a row only the first and the last are worth telling. */
static uint32_t without_middles(const struct history *history, uint32_t *path, uint32_t length)
{
    const struct op *ops = history->ops;
    uint32_t kept = 0;
    uint32_t before = NAMES_NONE;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t session = ops[path[i]].session;
        bool middle =
            i > 0 && i + 1 < length && before == session && ops[path[i + 1]].session == session;
        if (!middle)
            path[kept++] = path[i];
        before = session;
    }
    return kept;
}

/* The chain of causes from a to b without a itself. */
static void tell_path(const struct order *order, uint32_t a, uint32_t b, struct buf *out)
{
    const struct history *history = order->history;
    uint32_t *path = NULL;
    uint32_t length = order_path(order, a, b, &path);
    length = without_middles(history, path, length);
    for (uint32_t i = 1; i < length; i++) {
        if (length > TOLD_MAX && i == TOLD_MAX / 2) {
            text(out, INDENT "… ");
            buf_decimal(out, length - TOLD_MAX);
            text(out, " more causes …\n");
            i += length - TOLD_MAX;
        }
        tell_op(history, path[i], out);
    }
    mem_free(path);
}

static void tell_stale(const struct order *order, const struct finding *finding, struct buf *out)
{
    const struct history *history = order->history;
    if (finding->old != OP_NONE) {
        text(out, "  what was read:\n");
        tell_op(history, finding->old, out);
        text(out, "  what came after it:\n");
        tell_path(order, finding->old, finding->young, out);
    } else {
        text(out, "  what was written, and not deleted since:\n");
        tell_op(history, finding->young, out);
    }
    text(out, "  and what the reader had seen when it read:\n");
    tell_path(order, finding->young, finding->read, out);
}

static void tell_lost(const struct order *order, const struct finding *finding, struct buf *out)
{
    tell_final(order->history, finding->final_a, out);
    if (finding->old != OP_NONE) {
        tell_op(order->history, finding->old, out);
        text(out, "  but after it:\n");
        tell_path(order, finding->old, finding->young, out);
    } else {
        text(out, "  but this was acknowledged or seen, and no delete can have come after it:\n");
        tell_op(order->history, finding->young, out);
    }
}

/* Why an operation came before the next one of the cycle. */
static void tell_why(const struct order *order, const struct link *link, struct buf *out)
{
    const struct history *history = order->history;
    if (link->by == OP_NONE) {
        text(out, "  is a cause of\n");
    } else if (link->by >= history->count) {
        text(out, "  came before the next, which was there at the end, when all had been seen:\n");
        tell_final(history, link->by - history->count, out);
        text(out, "  so before\n");
    } else {
        text(out, "  came before the next: whoever read the next had seen it:\n");
        tell_path(order, link->op, link->by, out);
        text(out, "  so before\n");
    }
}

/* Each operation with why it came before the next, until the first comes again. */
static void tell_cycle(const struct order *order, const struct verdict *verdict, struct buf *out)
{
    const struct link *cycle = verdict->cycle;
    for (uint32_t i = 0; i < verdict->cycle_count; i++) {
        if (verdict->cycle_count > 2 * TOLD_MAX && i == TOLD_MAX) {
            text(out, INDENT "… ");
            buf_decimal(out, verdict->cycle_count - 2 * TOLD_MAX);
            text(out, " more …\n");
            i += verdict->cycle_count - 2 * TOLD_MAX;
        }
        tell_op(order->history, cycle[i].op, out);
        tell_why(order, &cycle[i], out);
    }
    tell_op(order->history, cycle[0].op, out);
    text(out, "  which so would have come before itself\n");
}

static void tell_thin_air(const struct history *history, const struct finding *finding,
                          struct buf *out)
{
    if (finding->read != OP_NONE)
        tell_op(history, finding->read, out);
    else
        tell_final(history, finding->final_a, out);
}

void verdict_tell(const struct verdict *verdict, const struct order *order, uint32_t finding,
                  struct buf *out)
{
    ASSERT(finding < verdict->finding_count);
    const struct finding *it = &verdict->findings[finding];
    const struct history *history = order->history;
    text(out, rows[it->pattern].name);
    text(out, ": ");
    text(out, rows[it->pattern].promise);
    text(out, "\n");
    switch (it->pattern) {
    case PATTERN_THIN_AIR:
        tell_thin_air(history, it, out);
        return;
    case PATTERN_FUTURE:
        tell_op(history, it->read, out);
        tell_op(history, it->old, out);
        return;
    case PATTERN_CYCLE:
    case PATTERN_CONFLICT:
        tell_cycle(order, verdict, out);
        return;
    case PATTERN_READ_OWN:
    case PATTERN_MONOTONIC_READ:
    case PATTERN_MONOTONIC_WRITE:
    case PATTERN_FOLLOW_READ:
        tell_stale(order, it, out);
        return;
    case PATTERN_DIVERGED:
        tell_final(history, it->final_a, out);
        tell_final(history, it->final_b, out);
        return;
    case PATTERN_LOST:
        tell_lost(order, it, out);
        return;
    case PATTERN_COUNT:
        break;
    }
    UNREACHABLE();
}
