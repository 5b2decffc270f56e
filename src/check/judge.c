/* judge - is this history what a causally consistent, converging store may show?
 *
 * Does:   see judge.h.
 * Not:    telling it to people (tell.c), conflict cycles (conflict.c).
 * Holds:  J1, J2.
 * Limits: a read costs the chains that write its key, a binary search each.
 * See:    judge.h.
 */
#include "check/judge.h"

#include "check/conflict.h"
#include "check/writes.h"

struct work {
    const struct history *history; /* borrowed */
    const struct order *order;     /* borrowed */
    struct writes writes;          /* by key and chain */
    struct verdict *verdict;       /* where findings go */
    uint32_t *ghosts;              /* deletes of unknown outcome; owned */
    uint32_t ghost_count;          /* in use */
};

static void add(struct work *work, struct finding finding)
{
    struct verdict *verdict = work->verdict;
    verdict->counts[finding.pattern]++;
    if (verdict->finding_count < FINDINGS_MAX)
        verdict->findings[verdict->finding_count++] = finding;
}

uint64_t verdict_total(const struct verdict *verdict)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < PATTERN_COUNT; i++)
        total += verdict->counts[i];
    return total;
}

/* ---- stale reads ---- */

/* Which session guarantee a read breaks that should have seen young. */
static enum pattern guarantee(const struct work *work, uint32_t read, uint32_t young)
{
    const struct op *ops = work->history->ops;
    const struct order *order = work->order;
    if (ops[young].session == ops[read].session)
        return PATTERN_READ_OWN;
    bool through_writer = false;
    for (uint32_t at = ops[read].before; at != OP_NONE; at = ops[at].before) {
        uint32_t source = ops[at].source;
        if (source == young)
            return PATTERN_MONOTONIC_READ;
        if (source != OP_NONE && order->chain[source] == order->chain[young] &&
            order->position[source] > order->position[young])
            through_writer = true;
    }
    return through_writer ? PATTERN_MONOTONIC_WRITE : PATTERN_FOLLOW_READ;
}

/* WriteCORead: old was returned, and young, on the same key, lies causally between. */
static void judge_found(struct work *work, uint32_t read)
{
    const struct op *op = &work->history->ops[read];
    struct run run;
    for (uint32_t at = work->writes.first[op->key]; writes_run(&work->writes, op->key, at, &run);
         at = run.end) {
        uint32_t place = writes_within(&work->writes, &run, work->order->clock[read]);
        if (place == OP_NONE)
            continue;
        uint32_t young = work->writes.list[place];
        if (young == op->source || !order_before(work->order, op->source, young))
            continue;
        add(work, (struct finding){.pattern = guarantee(work, read, young),
                                   .read = read,
                                   .old = op->source,
                                   .young = young});
        return;
    }
}

/* True when the delete may be what a read of nothing saw: it is not among the read's effects, and no
 * put in the read's past came after it. */
static bool explains(const struct work *work, uint32_t gone, uint32_t read)
{
    const struct op *ops = work->history->ops;
    if (order_before(work->order, read, gone))
        return false;
    struct run run;
    for (uint32_t at = work->writes.first[ops[read].key];
         writes_run(&work->writes, ops[read].key, at, &run); at = run.end) {
        uint32_t place = writes_within(&work->writes, &run, work->order->clock[read]);
        uint32_t put = place != OP_NONE ? work->writes.last_put[place] : OP_NONE;
        if (put != OP_NONE && order_before(work->order, gone, put))
            return false;
    }
    return true;
}

static bool some_delete_explains(const struct work *work, uint32_t read)
{
    const struct op *ops = work->history->ops;
    uint32_t key = ops[read].key;
    for (uint32_t at = work->writes.first[key + 1]; at-- > work->writes.first[key];) {
        uint32_t write = work->writes.list[at];
        if (ops[write].kind == OP_DELETE && explains(work, write, read))
            return true;
    }
    for (uint32_t i = 0; i < work->ghost_count; i++)
        if (ops[work->ghosts[i]].key == key && explains(work, work->ghosts[i], read))
            return true;
    return false;
}

/* WriteCOInitRead: nothing was returned, although a put lies in the past, and no delete explains. */
static void judge_nothing(struct work *work, uint32_t read)
{
    const struct op *op = &work->history->ops[read];
    uint32_t young = OP_NONE;
    struct run run;
    for (uint32_t at = work->writes.first[op->key];
         young == OP_NONE && writes_run(&work->writes, op->key, at, &run); at = run.end) {
        uint32_t place = writes_within(&work->writes, &run, work->order->clock[read]);
        if (place != OP_NONE)
            young = work->writes.last_put[place];
    }
    if (young == OP_NONE || some_delete_explains(work, read))
        return;
    add(work,
        (struct finding){
            .pattern = guarantee(work, read, young), .read = read, .old = OP_NONE, .young = young});
}

static void judge_reads(struct work *work)
{
    for (uint32_t i = 0; i < work->order->sorted_count; i++) {
        uint32_t read = work->order->sorted[i];
        const struct op *op = &work->history->ops[read];
        if (op->kind != OP_READ)
            continue;
        if (op->value == NAMES_NONE)
            judge_nothing(work, read);
        else if (op->source == OP_NONE)
            add(work,
                (struct finding){
                    .pattern = PATTERN_THIN_AIR, .read = read, .old = OP_NONE, .young = OP_NONE});
        else
            judge_found(work, read);
    }
}

/* ---- causal cycles ---- */

/* What the sort could not place stands on a cycle, or on what does. One cycle is told: going from
 * cause to cause among the unplaced must come round. */
static void judge_cycle(struct work *work)
{
    const struct history *history = work->history;
    if (work->order->sorted_count == history->count)
        return;
    uint8_t *placed = mem_zalloc(history->count, 1);
    uint8_t *seen = mem_zalloc(history->count, 1);
    for (uint32_t i = 0; i < work->order->sorted_count; i++)
        placed[work->order->sorted[i]] = 1;
    uint32_t at = 0;
    while (placed[at])
        at++;
    while (!seen[at]) {
        seen[at] = 1;
        uint32_t causes[3];
        uint32_t count = order_causes(history, at, causes);
        uint32_t next = 0;
        while (next < count && placed[causes[next]])
            next++;
        ASSERT(next < count); /* or it would have been placed */
        at = causes[next];
    }
    mem_free(placed);
    mem_free(seen);
    add(work,
        (struct finding){.pattern = PATTERN_CYCLE, .read = at, .old = OP_NONE, .young = OP_NONE});
}

/* ---- final reads ---- */

/* The final value is explained when no acknowledged write came causally after it. */
static void judge_final_value(struct work *work, uint32_t index, uint32_t winner)
{
    uint32_t key = work->history->finals[index].key;
    struct run run;
    for (uint32_t at = work->writes.first[key]; writes_run(&work->writes, key, at, &run);
         at = run.end) {
        uint32_t last = work->writes.list[run.end - 1];
        if (last == winner || !order_before(work->order, winner, last))
            continue;
        add(work, (struct finding){.pattern = PATTERN_LOST,
                                   .read = OP_NONE,
                                   .old = winner,
                                   .young = last,
                                   .final_a = index});
        return;
    }
}

/* True when no put came causally after the delete. */
static bool delete_may_win(const struct work *work, uint32_t gone, uint32_t key)
{
    struct run run;
    for (uint32_t at = work->writes.first[key]; writes_run(&work->writes, key, at, &run);
         at = run.end) {
        uint32_t put = work->writes.last_put[run.end - 1];
        if (put != OP_NONE && order_before(work->order, gone, put))
            return false;
    }
    return true;
}

static void judge_final_nothing(struct work *work, uint32_t index)
{
    uint32_t key = work->history->finals[index].key;
    uint32_t put = OP_NONE;
    for (uint32_t i = 0; i < work->ghost_count; i++)
        if (work->history->ops[work->ghosts[i]].key == key)
            return; /* it may have happened last */
    for (uint32_t at = work->writes.first[key]; at < work->writes.first[key + 1]; at++) {
        uint32_t write = work->writes.list[at];
        if (work->history->ops[write].kind == OP_WRITE)
            put = write;
        else if (delete_may_win(work, write, key))
            return;
    }
    if (put != OP_NONE)
        add(work, (struct finding){.pattern = PATTERN_LOST,
                                   .read = OP_NONE,
                                   .old = OP_NONE,
                                   .young = put,
                                   .final_a = index});
}

static void judge_final(struct work *work, uint32_t index)
{
    const struct final *final = &work->history->finals[index];
    if (final->value == NAMES_NONE) {
        judge_final_nothing(work, index);
        return;
    }
    uint32_t winner = work->history->writer[final->value];
    bool known = winner != OP_NONE && work->history->ops[winner].kind == OP_WRITE &&
                 work->history->ops[winner].key == final->key;
    if (known)
        judge_final_value(work, index, winner);
    else
        add(work, (struct finding){.pattern = PATTERN_THIN_AIR,
                                   .read = OP_NONE,
                                   .old = OP_NONE,
                                   .young = OP_NONE,
                                   .final_a = index});
}

static void judge_finals(struct work *work)
{
    const struct history *history = work->history;
    uint32_t *first = mem_alloc((size_t)history->keys.count * sizeof(*first) + 1);
    for (uint32_t i = 0; i < history->keys.count; i++)
        first[i] = OP_NONE;
    for (uint32_t i = 0; i < history->final_count; i++) {
        const struct final *final = &history->finals[i];
        if (first[final->key] == OP_NONE) {
            first[final->key] = i;
            judge_final(work, i);
        } else if (history->finals[first[final->key]].value != final->value) {
            add(work, (struct finding){.pattern = PATTERN_DIVERGED,
                                       .read = OP_NONE,
                                       .old = OP_NONE,
                                       .young = OP_NONE,
                                       .final_a = first[final->key],
                                       .final_b = i});
        }
    }
    mem_free(first);
}

static void find_ghosts(struct work *work)
{
    work->ghosts = mem_alloc((size_t)work->history->unknown * sizeof(uint32_t) + 1);
    for (uint32_t i = 0; i < work->history->count; i++)
        if (work->history->ops[i].kind == OP_DELETE && work->history->ops[i].unknown)
            work->ghosts[work->ghost_count++] = i;
}

void judge(const struct history *history, const struct order *order, struct verdict *verdict)
{
    memset(verdict, 0, sizeof(*verdict));
    struct work work = {.history = history, .order = order, .verdict = verdict};
    judge_cycle(&work);
    if (verdict->counts[PATTERN_CYCLE] > 0)
        return; /* without an order nothing else can be asked */
    writes_init(&work.writes, order);
    find_ghosts(&work);
    judge_reads(&work);
    judge_finals(&work);
    struct conflict conflict;
    if (verdict_total(verdict) == 0 && conflict_find(order, &work.writes, &conflict))
        add(&work, (struct finding){.pattern = PATTERN_CONFLICT,
                                    .read = conflict.read,
                                    .old = conflict.old,
                                    .young = conflict.young});
    mem_free(work.ghosts);
    writes_fini(&work.writes);
}
