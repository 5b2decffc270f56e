/* tell - a finding as a story.
 *
 * Does:   who wrote what, who saw what when, and the shortest chain of causes between.
 * Not:    finding (judge.c).
 * Holds:  -
 * Limits: TOLD_MAX links of a chain; the middle of a longer one is left out.
 * See:    judge.h.
 */
#include "check/judge.h"

#define TOLD_MAX 12U

struct row {
    const char *name;    /* for counts */
    const char *promise; /* what is broken, as a sentence */
};

static const struct row rows[PATTERN_COUNT] = {
    [PATTERN_THIN_AIR] = {"thin-air", "a value was read that nobody wrote to that key"},
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

static void value(const struct history *history, uint32_t number, struct buf *out)
{
    text(out, number == NAMES_NONE ? "nothing" : names_text(&history->values, number));
}

static void tell_op(const struct history *history, uint32_t index, struct buf *out)
{
    const struct op *op = &history->ops[index];
    text(out, "    line ");
    buf_decimal(out, op->line);
    text(out, ", ");
    buf_decimal(out, op->start_us);
    text(out, "-");
    buf_decimal(out, op->end_us);
    text(out, " us: session ");
    text(out, names_text(&history->sessions, op->session));
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
        text(out, names_text(&history->sessions, history->ops[op->taken].session));
        text(out, "\n");
        return;
    }
    text(out, names_text(&history->keys, op->key));
    text(out, op->kind == OP_DELETE ? " as " : " = ");
    value(history, op->value, out);
    text(out, "\n");
}

static void tell_final(const struct history *history, uint32_t index, struct buf *out)
{
    const struct final *final = &history->finals[index];
    text(out, "    line ");
    buf_decimal(out, final->line);
    text(out, ": at the end node ");
    text(out, names_text(&history->nodes, final->node));
    text(out, " has ");
    text(out, names_text(&history->keys, final->key));
    text(out, " = ");
    value(history, final->value, out);
    text(out, "\n");
}

/* The chain of causes from a to b without a itself. */
static void tell_path(const struct history *history, const struct order *order, uint32_t a,
                      uint32_t b, struct buf *out)
{
    uint32_t *path = NULL;
    uint32_t length = order_path(order, a, b, &path);
    for (uint32_t i = 1; i < length; i++) {
        if (length > TOLD_MAX && i == TOLD_MAX / 2) {
            text(out, "    … ");
            buf_decimal(out, length - TOLD_MAX);
            text(out, " more causes …\n");
            i += length - TOLD_MAX;
        }
        tell_op(history, path[i], out);
    }
    mem_free(path);
}

static void tell_stale(const struct history *history, const struct order *order,
                       const struct finding *finding, struct buf *out)
{
    if (finding->old != OP_NONE) {
        text(out, "  what was read:\n");
        tell_op(history, finding->old, out);
        text(out, "  what came after it:\n");
        tell_path(history, order, finding->old, finding->young, out);
    } else {
        text(out, "  what was written:\n");
        tell_op(history, finding->young, out);
    }
    text(out, "  and what the reader had seen when it read:\n");
    tell_path(history, order, finding->young, finding->read, out);
}

static void tell_lost(const struct history *history, const struct order *order,
                      const struct finding *finding, struct buf *out)
{
    tell_final(history, finding->final_a, out);
    if (finding->old != OP_NONE) {
        tell_op(history, finding->old, out);
        text(out, "  but after it:\n");
        tell_path(history, order, finding->old, finding->young, out);
    } else {
        text(out, "  but this was acknowledged, and no delete came after it:\n");
        tell_op(history, finding->young, out);
    }
}

void verdict_tell(const struct history *history, const struct order *order,
                  const struct finding *finding, struct buf *out)
{
    text(out, rows[finding->pattern].name);
    text(out, ": ");
    text(out, rows[finding->pattern].promise);
    text(out, "\n");
    switch (finding->pattern) {
    case PATTERN_THIN_AIR:
        if (finding->read != OP_NONE)
            tell_op(history, finding->read, out);
        else
            tell_final(history, finding->final_a, out);
        return;
    case PATTERN_CYCLE:
        tell_op(history, finding->read, out);
        tell_path(history, order, finding->read, finding->read, out);
        return;
    case PATTERN_READ_OWN:
    case PATTERN_MONOTONIC_READ:
    case PATTERN_MONOTONIC_WRITE:
    case PATTERN_FOLLOW_READ:
        tell_stale(history, order, finding, out);
        return;
    case PATTERN_CONFLICT:
        text(out, "  this read puts the first write before the second:\n");
        tell_op(history, finding->old, out);
        tell_op(history, finding->young, out);
        tell_op(history, finding->read, out);
        text(out, "  other reads, with the causes of these, put them the other way round\n");
        return;
    case PATTERN_DIVERGED:
        tell_final(history, finding->final_a, out);
        tell_final(history, finding->final_b, out);
        return;
    case PATTERN_LOST:
        tell_lost(history, order, finding, out);
        return;
    case PATTERN_COUNT:
        break;
    }
    UNREACHABLE();
}
