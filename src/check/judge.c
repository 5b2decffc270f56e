/* judge - is this history what a causally consistent, converging store may show?
 *
 * Does:   see judge.h.
 * Not:    telling it to people (tell.c), conflict cycles (conflict.c).
 * Holds:  J1, J2.
 * Limits: a read costs the sessions that write its key, a binary search each; a read of nothing,
 *         where there was something, their square.
 * See:    judge.h.
 */
#include "check/judge.h"

#include "check/nothing.h"

struct work {
    const struct history *history; /* borrowed */
    const struct order *order;     /* borrowed */
    struct writes writes;          /* by key and session */
    struct verdict *verdict;       /* where findings go */
};

static const struct finding nobody = {.read = OP_NONE,
                                      .old = OP_NONE,
                                      .young = OP_NONE,
                                      .final_a = FINAL_NONE,
                                      .final_b = FINAL_NONE};

static void add(struct work *work, struct finding finding)
{
    struct verdict *verdict = work->verdict;
    verdict->counts[finding.pattern]++;
    if (verdict->finding_count < FINDINGS_MAX)
        verdict->findings[verdict->finding_count++] = finding;
}

void verdict_fini(struct verdict *verdict)
{
    mem_free(verdict->cycle);
    verdict->cycle = NULL;
}

uint64_t verdict_total(const struct verdict *verdict)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        total += verdict->counts[i];
    return total;
}

/* ---- reads ---- */

/* Which session guarantee a read breaks that should have seen young. */
static enum pattern guarantee(const struct work *work, uint32_t read, uint32_t young)
{
    const struct op *ops = work->history->ops;
    if (ops[young].session == ops[read].session && !ops[young].unknown)
        return PATTERN_READ_OWN;
    bool through_writer = false;
    for (uint32_t at = ops[read].before; at != OP_NONE; at = ops[at].before) {
        uint32_t source = ops[at].source;
        if (source == young)
            return PATTERN_MONOTONIC_READ;
        if (source != OP_NONE && !ops[source].unknown &&
            ops[source].session == ops[young].session && order_before(work->order, young, source))
            through_writer = true;
    }
    return through_writer ? PATTERN_MONOTONIC_WRITE : PATTERN_FOLLOW_READ;
}

static void add_stale(struct work *work, uint32_t read, uint32_t old, uint32_t young)
{
    struct finding finding = nobody;
    finding.pattern = guarantee(work, read, young);
    finding.read = read;
    finding.old = old;
    finding.young = young;
    add(work, finding);
}

/* A write or delete in the past that came causally after winner (any, for OP_NONE), or OP_NONE; one
 * of the reader's own where there is such a one: that is told best. */
static uint32_t hidden_by(const struct work *work, struct past past, uint32_t winner)
{
    const struct op *ops = work->history->ops;
    uint32_t found = OP_NONE;
    uint32_t young = OP_NONE;
    while (past_next(&past, &young)) {
        if (winner != OP_NONE && !order_before(work->order, winner, young))
            continue;
        bool own = past.read != READ_END && ops[young].session == ops[past.read].session;
        if (own && !ops[young].unknown)
            return young;
        if (found == OP_NONE)
            found = young;
    }
    return found;
}

static void judge_found(struct work *work, uint32_t read)
{
    const struct op *op = &work->history->ops[read];
    struct finding future = nobody;
    if (op->end_us < work->history->ops[op->source].start_us) {
        future.pattern = PATTERN_FUTURE;
        future.read = read;
        future.old = op->source;
        add(work, future);
        return;
    }
    uint32_t young =
        hidden_by(work, past_of(&work->writes, op->key, read, op->source, false), op->source);
    if (young != OP_NONE)
        add_stale(work, read, op->source, young);
}

/* A put in the past that no delete explains the absence of, or OP_NONE (WriteCOInitRead). */
static uint32_t missed_by(const struct work *work, uint32_t key, uint32_t read)
{
    uint32_t gone = OP_NONE;
    uint32_t missed = hidden_by(work, past_of(&work->writes, key, read, OP_NONE, true), OP_NONE);
    if (missed == OP_NONE || nothing_explained(&work->writes, key, read, &gone) > 0)
        return OP_NONE;
    return missed;
}

static void judge_read(struct work *work, uint32_t read)
{
    const struct op *op = &work->history->ops[read];
    if (op->value == NAMES_NONE && op->source == OP_NONE) {
        uint32_t missed = missed_by(work, op->key, read);
        if (missed != OP_NONE)
            add_stale(work, read, OP_NONE, missed);
    } else if (op->source == OP_NONE) {
        struct finding thin_air = nobody;
        thin_air.pattern = PATTERN_THIN_AIR;
        thin_air.read = read;
        add(work, thin_air);
    } else {
        judge_found(work, read);
    }
}

/* ---- causal cycles ---- */

static void judge_cycle(struct work *work)
{
    const struct order *order = work->order;
    struct finding finding = nobody;
    finding.pattern = PATTERN_CYCLE;
    finding.read = order->cycle[0];
    struct link *cycle = mem_alloc(order->cycle_count * sizeof(*cycle));
    for (uint32_t i = 0; i < order->cycle_count; i++)
        cycle[i] = (struct link){order->cycle[i], OP_NONE};
    work->verdict->cycle = cycle;
    work->verdict->cycle_count = order->cycle_count;
    add(work, finding);
}

/* ---- final reads ---- */

static void judge_final(struct work *work, uint32_t index)
{
    const struct final *final = &work->history->finals[index];
    const struct op *ops = work->history->ops;
    struct finding finding = nobody;
    finding.pattern = PATTERN_LOST;
    finding.final_a = index;
    if (final->value == NAMES_NONE) {
        finding.young = missed_by(work, final->key, READ_END);
    } else {
        finding.old = work->history->writer[final->value];
        if (finding.old == OP_NONE || ops[finding.old].kind != OP_WRITE ||
            ops[finding.old].key != final->key) {
            finding.old = OP_NONE;
            finding.pattern = PATTERN_THIN_AIR;
            add(work, finding);
            return;
        }
        struct past past = past_of(&work->writes, final->key, READ_END, finding.old, false);
        finding.young = hidden_by(work, past, finding.old);
    }
    if (finding.young != OP_NONE)
        add(work, finding);
}

static void judge_finals(struct work *work)
{
    const struct history *history = work->history;
    uint32_t *first = mem_alloc(((size_t)history->keys.count + 1) * sizeof(*first));
    for (uint32_t i = 0; i < history->keys.count; i++)
        first[i] = FINAL_NONE;
    for (uint32_t i = 0; i < history->final_count; i++) {
        const struct final *final = &history->finals[i];
        if (first[final->key] == FINAL_NONE) {
            first[final->key] = i;
            judge_final(work, i);
        } else if (history->finals[first[final->key]].value != final->value) {
            struct finding finding = nobody;
            finding.pattern = PATTERN_DIVERGED;
            finding.final_a = first[final->key];
            finding.final_b = i;
            add(work, finding);
        }
    }
    for (uint32_t i = 0; i < history->keys.count; i++)
        work->verdict->unread +=
            first[i] == FINAL_NONE && work->writes.first_run[i] < work->writes.first_run[i + 1];
    mem_free(first);
}

void judge(const struct order *order, struct verdict *verdict)
{
    const struct history *history = order->history;
    memset(verdict, 0, sizeof(*verdict));
    struct work work = {.history = history, .order = order, .verdict = verdict};
    if (order->cycle_count > 0) {
        judge_cycle(&work);
        return; /* without an order nothing else can be asked */
    }
    writes_init(&work.writes, order);
    for (uint32_t i = 0; i < history->count && verdict_total(verdict) < COUNTED_MAX; i++)
        if (history->ops[i].kind == OP_READ)
            judge_read(&work, i);
    judge_finals(&work);
    if (verdict_total(verdict) == 0) {
        verdict->cycle_count = conflict_find(order, &work.writes, &verdict->cycle);
        struct finding finding = nobody;
        finding.pattern = PATTERN_CONFLICT;
        if (verdict->cycle_count > 0)
            add(&work, finding);
    }
    writes_fini(&work.writes);
}
