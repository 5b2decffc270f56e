/* naive - the bad patterns by definition, for small histories.
 *
 * Does:   see naive.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    naive.h.
 */
#include "naive.h"

static bool is_write(const struct op *op)
{
    return op->kind == OP_WRITE || op->kind == OP_DELETE;
}

static void close_over(bool before[NAIVE_OPS][NAIVE_OPS], uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t j = 0; before[i][k] && j < count; j++)
                before[i][j] |= before[k][j];
}

/* Session order and contexts taken over. */
static void add_sessions(struct naive *naive)
{
    const struct op *ops = naive->history->ops;
    for (uint32_t i = 0; i < naive->history->count; i++) {
        for (uint32_t j = 0; j < i; j++)
            if (ops[j].session == ops[i].session && !ops[j].unknown)
                naive->before[j][i] = true;
        if (ops[i].kind == OP_TAKE)
            naive->before[ops[i].taken][i] = true;
    }
}

static uint32_t writer_of(const struct history *history, uint32_t key, uint32_t value)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].kind == OP_WRITE && history->ops[i].key == key &&
            history->ops[i].value == value)
            return i;
    return OP_NONE;
}

uint32_t naive_final_source(const struct naive *naive, uint32_t final)
{
    const struct final *it = &naive->history->finals[final];
    return writer_of(naive->history, it->key, it->value);
}

static void add_sources(struct naive *naive)
{
    const struct op *ops = naive->history->ops;
    for (uint32_t i = 0; i < naive->history->count; i++) {
        naive->source[i] = OP_NONE;
        naive->exists[i] |= !ops[i].unknown;
        if (ops[i].kind != OP_READ || ops[i].value == NAMES_NONE)
            continue;
        uint32_t source = writer_of(naive->history, ops[i].key, ops[i].value);
        naive->source[i] = source;
        if (source == OP_NONE)
            continue;
        naive->exists[source] = true;
        naive->before[source][i] = true;
    }
}

/* Does a read (or, with read == count, a final read) have the write in its past? */
static bool has_seen(const struct naive *naive, uint32_t write, uint32_t read)
{
    return read < naive->history->count ? naive->before[write][read] : naive->exists[write];
}

static bool is_missed(const struct naive *naive, uint32_t key, uint32_t read, uint32_t source,
                      bool puts)
{
    const struct op *ops = naive->history->ops;
    for (uint32_t i = 0; i < naive->history->count; i++)
        if (is_write(&ops[i]) && ops[i].key == key && (!puts || ops[i].kind == OP_WRITE) &&
            has_seen(naive, i, read) && (source == OP_NONE || naive->before[source][i]))
            return true;
    return false;
}

/* The deletes that explain a read of nothing: how many, and one of them. */
static uint32_t explained(const struct naive *naive, uint32_t key, uint32_t read, uint32_t *gone)
{
    const struct op *ops = naive->history->ops;
    uint32_t count = 0;
    for (uint32_t i = 0; i < naive->history->count; i++) {
        if (ops[i].kind != OP_DELETE || ops[i].key != key)
            continue;
        bool end = read >= naive->history->count;
        if ((!end && (naive->before[read][i] || ops[i].start_us > ops[read].end_us)) ||
            is_missed(naive, key, read, i, false))
            continue;
        *gone = i;
        count++;
    }
    return count;
}

/* The one delete that a read of nothing must have seen, as it cannot have seen nothing at all. */
static uint32_t forced(const struct naive *naive, uint32_t key, uint32_t read)
{
    uint32_t gone = OP_NONE;
    if (!is_missed(naive, key, read, OP_NONE, false))
        return OP_NONE;
    return explained(naive, key, read, &gone) == 1 ? gone : OP_NONE;
}

static bool nothing_is_wrong(const struct naive *naive, uint32_t key, uint32_t read)
{
    uint32_t gone = OP_NONE;
    return !is_missed(naive, key, read, OP_NONE, true) || explained(naive, key, read, &gone) > 0;
}

static bool is_cyclic(const struct naive *naive)
{
    for (uint32_t i = 0; i < naive->history->count; i++)
        if (naive->before[i][i])
            return true;
    return false;
}

/* Until nothing more can be deduced; each time all from the same order. */
static void deduce(struct naive *naive)
{
    const struct history *history = naive->history;
    for (bool more = true; more && !is_cyclic(naive);) {
        uint32_t found[NAIVE_OPS];
        more = false;
        for (uint32_t i = 0; i < history->count; i++) {
            const struct op *op = &history->ops[i];
            bool nothing = op->kind == OP_READ && op->value == NAMES_NONE;
            found[i] = nothing && naive->source[i] == OP_NONE ? forced(naive, op->key, i) : OP_NONE;
        }
        for (uint32_t i = 0; i < history->count; i++) {
            if (found[i] == OP_NONE)
                continue;
            naive->source[i] = found[i];
            naive->before[found[i]][i] = true;
            naive->exists[found[i]] = true;
            more = true;
        }
        close_over(naive->before, history->count);
    }
}

static void judge_read(struct naive *naive, uint32_t read)
{
    const struct op *op = &naive->history->ops[read];
    uint32_t source = naive->source[read];
    if (op->value == NAMES_NONE && source == OP_NONE)
        naive->stale += !nothing_is_wrong(naive, op->key, read);
    else if (source == OP_NONE)
        naive->thin_air++;
    else if (op->end_us < naive->history->ops[source].start_us)
        naive->future++;
    else
        naive->stale += is_missed(naive, op->key, read, source, false);
}

static void judge_final(struct naive *naive, uint32_t final)
{
    const struct final *it = &naive->history->finals[final];
    uint32_t end = naive->history->count;
    for (uint32_t i = 0; i < final; i++) {
        if (naive->history->finals[i].key != it->key)
            continue;
        naive->diverged += naive->history->finals[i].value != it->value;
        return; /* the first of a key is judged, the others must be like it */
    }
    uint32_t source = naive_final_source(naive, final);
    if (it->value == NAMES_NONE)
        naive->lost += !nothing_is_wrong(naive, it->key, end);
    else if (source == OP_NONE)
        naive->thin_air++;
    else
        naive->lost += is_missed(naive, it->key, end, source, false);
}

/* The paper's conflict order, closed together with causal order. */
static bool is_conflict(const struct naive *naive)
{
    const struct history *history = naive->history;
    bool order[NAIVE_OPS][NAIVE_OPS];
    memcpy(order, naive->before, sizeof(order));
    for (uint32_t r = 0; r < history->count + history->final_count; r++) {
        bool end = r >= history->count;
        const struct final *final = end ? &history->finals[r - history->count] : NULL;
        uint32_t source = !end ? naive->source[r]
                          : final->value == NAMES_NONE
                              ? forced(naive, final->key, history->count)
                              : naive_final_source(naive, r - history->count);
        for (uint32_t w = 0; source != OP_NONE && w < history->count; w++)
            if (is_write(&history->ops[w]) && history->ops[w].key == history->ops[source].key &&
                w != source && has_seen(naive, w, end ? history->count : r))
                order[w][source] = true;
    }
    close_over(order, history->count);
    for (uint32_t i = 0; i < history->count; i++)
        if (order[i][i])
            return true;
    return false;
}

void naive_judge(struct naive *naive, const struct history *history)
{
    ASSERT(history->count <= NAIVE_OPS);
    memset(naive, 0, sizeof(*naive));
    naive->history = history;
    add_sessions(naive);
    add_sources(naive);
    close_over(naive->before, history->count);
    deduce(naive);
    naive->cycles = is_cyclic(naive);
    if (naive->cycles > 0)
        return;
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].kind == OP_READ)
            judge_read(naive, i);
    for (uint32_t i = 0; i < history->final_count; i++)
        judge_final(naive, i);
    if (naive->thin_air + naive->future + naive->stale + naive->lost + naive->diverged == 0)
        naive->conflicts = is_conflict(naive);
}

enum pattern naive_guarantee(const struct naive *naive, uint32_t read, uint32_t young)
{
    const struct op *ops = naive->history->ops;
    uint32_t session = ops[read].session;
    bool later = false;
    if (ops[young].session == session && !ops[young].unknown)
        return PATTERN_READ_OWN;
    for (uint32_t i = 0; i < read; i++) {
        if (ops[i].session != session || naive->source[i] == OP_NONE)
            continue;
        if (naive->source[i] == young)
            return PATTERN_MONOTONIC_READ;
        const struct op *source = &ops[naive->source[i]];
        later |= source->session == ops[young].session && !source->unknown &&
                 naive->before[young][naive->source[i]];
    }
    return later ? PATTERN_MONOTONIC_WRITE : PATTERN_FOLLOW_READ;
}

/* ---- causal convergence itself ---- */

/* One choice: which deletes of unknown outcome happened, and what each read of nothing saw. */
struct choice {
    struct naive naive;               /* its order has the chosen edges too */
    uint32_t reads[2 * NAIVE_OPS];    /* reads, then count + i for final i */
    uint32_t returned[2 * NAIVE_OPS]; /* beside reads: the write or delete, OP_NONE: nothing */
    uint32_t count;                   /* of reads */
    uint32_t writes[NAIVE_OPS];       /* that exist */
    uint32_t write_count;             /* of writes */
    uint32_t place[NAIVE_OPS];        /* by write: in the order tried, from 1; 0: not yet */
};

uint32_t naive_writes(const struct history *history)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < history->count; i++)
        count += is_write(&history->ops[i]);
    return count;
}

/* Does each read return the last in its past? */
static bool is_explained(const struct choice *choice)
{
    const struct naive *naive = &choice->naive;
    const struct history *history = naive->history;
    for (uint32_t i = 0; i < choice->count; i++) {
        uint32_t read = choice->reads[i];
        bool end = read >= history->count;
        uint32_t key = end ? history->finals[read - history->count].key : history->ops[read].key;
        uint32_t last = OP_NONE;
        for (uint32_t j = 0; j < choice->write_count; j++) {
            uint32_t write = choice->writes[j];
            if (history->ops[write].key == key &&
                has_seen(naive, write, end ? history->count : read) &&
                (last == OP_NONE || choice->place[write] > choice->place[last]))
                last = write;
        }
        if (last != choice->returned[i])
            return false;
    }
    return true;
}

static bool try_orders(struct choice *choice, uint32_t placed)
{
    if (placed == choice->write_count)
        return is_explained(choice);
    for (uint32_t i = 0; i < choice->write_count; i++) {
        uint32_t write = choice->writes[i];
        bool ready = choice->place[write] == 0;
        for (uint32_t j = 0; ready && j < choice->write_count; j++)
            ready = !choice->naive.before[choice->writes[j]][write] ||
                    choice->place[choice->writes[j]] > 0;
        if (!ready)
            continue;
        choice->place[write] = placed + 1;
        bool found = try_orders(choice, placed + 1);
        choice->place[write] = 0;
        if (found)
            return true;
    }
    return false;
}

static bool try_choice(const struct choice *given)
{
    struct choice choice = *given;
    struct naive *naive = &choice.naive;
    uint32_t count = naive->history->count;
    for (uint32_t i = 0; i < choice.count; i++)
        if (choice.returned[i] != OP_NONE && choice.reads[i] < count)
            naive->before[choice.returned[i]][choice.reads[i]] = true;
    close_over(naive->before, count);
    for (uint32_t i = 0; i < count; i++) {
        if (naive->before[i][i])
            return false;
        if (is_write(&naive->history->ops[i]) && naive->exists[i])
            choice.writes[choice.write_count++] = i;
    }
    return try_orders(&choice, 0);
}

/* Each read of nothing from number at on saw nothing at all, or some delete. */
static bool try_nothings(struct choice *choice, uint32_t at)
{
    const struct history *history = choice->naive.history;
    while (at < choice->count && choice->returned[at] != OP_NONE)
        at++;
    if (at == choice->count)
        return try_choice(choice);
    uint32_t read = choice->reads[at];
    bool end = read >= history->count;
    uint32_t key = end ? history->finals[read - history->count].key : history->ops[read].key;
    if (try_nothings(choice, at + 1))
        return true;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        if (op->kind != OP_DELETE || op->key != key)
            continue;
        bool existed = choice->naive.exists[i];
        if (!end && op->start_us > history->ops[read].end_us)
            continue; /* from the future */
        choice->naive.exists[i] = true;
        choice->returned[at] = i;
        bool found = try_nothings(choice, at + 1);
        choice->returned[at] = OP_NONE;
        choice->naive.exists[i] = existed;
        if (found)
            return true;
    }
    return false;
}

bool naive_converges(const struct history *history)
{
    ASSERT(naive_writes(history) <= NAIVE_WRITES);
    struct choice choice;
    memset(&choice, 0, sizeof(choice));
    choice.naive.history = history;
    add_sessions(&choice.naive);
    add_sources(&choice.naive);
    for (uint32_t i = 0; i < history->count + history->final_count; i++) {
        bool end = i >= history->count;
        if (!end && history->ops[i].kind != OP_READ)
            continue;
        uint32_t source =
            end ? naive_final_source(&choice.naive, i - history->count) : choice.naive.source[i];
        uint32_t value = end ? history->finals[i - history->count].value : history->ops[i].value;
        if (value != NAMES_NONE && source == OP_NONE)
            return false;
        if (!end && source != OP_NONE && history->ops[source].start_us > history->ops[i].end_us)
            return false;
        if (end && source != OP_NONE)
            choice.naive.exists[source] = true;
        choice.reads[choice.count] = i;
        choice.returned[choice.count++] = source;
    }
    return try_nothings(&choice, 0);
}
