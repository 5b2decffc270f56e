/* history - what clients did and saw, from lines of text.
 *
 * Does:   see history.h.
 * Not:    -
 * Holds:  B1, B2.
 * Limits: -
 * See:    history.h.
 */
#include "check/history.h"

#define WORDS_MAX 7U

void history_init(struct history *history)
{
    memset(history, 0, sizeof(*history));
    names_init(&history->sessions);
    names_init(&history->keys);
    names_init(&history->values);
    names_init(&history->nodes);
}

void history_fini(struct history *history)
{
    names_fini(&history->keys);
    names_fini(&history->values);
    names_fini(&history->nodes);
    for (uint32_t i = 0; i < history->sessions.count; i++)
        mem_free(history->seen[i].after);
    mem_free(history->seen);
    names_fini(&history->sessions);
    mem_free(history->ops);
    mem_free(history->finals);
    mem_free(history->writer);
    memset(history, 0, sizeof(*history));
}

static void *grown(void *list, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap)
        return list;
    *cap = *cap > 0 ? *cap * 2 : 256;
    return mem_realloc(list, *cap * size);
}

/* ---- words ---- */

static uint32_t split(struct slice line, struct slice words[WORDS_MAX + 1])
{
    uint32_t count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= line.len; i++) {
        if (i < line.len && line.ptr[i] != ' ')
            continue;
        if (count > WORDS_MAX)
            return count;
        words[count++] = slice_of(line.ptr + begin, i - begin);
        begin = i + 1;
    }
    return count;
}

static bool number(struct slice word, uint64_t *value)
{
    if (word.len == 0 || word.len > 18)
        return false;
    *value = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
        *value = *value * 10 + (uint64_t)(word.ptr[i] - '0');
    }
    return true;
}

static bool is(struct slice word, const char *text)
{
    return slice_equal(word, slice_str(text));
}

/* ---- lines ---- */

/* A session is known from its first line on. */
static uint32_t session_of(struct history *history, struct slice word)
{
    uint32_t before = history->sessions.count;
    uint32_t session = names_add(&history->sessions, word);
    if (session < before)
        return session;
    history->seen = grown(history->seen, session, &history->seen_cap, sizeof(struct session));
    history->seen[session] = (struct session){.after = NULL};
    return session;
}

/* The latest operation with an effect among the first count lines of a session. */
static uint32_t seen_after(const struct history *history, uint32_t session, uint32_t count)
{
    ASSERT(count <= history->seen[session].count);
    return count > 0 ? history->seen[session].after[count - 1] : OP_NONE;
}

static uint32_t seen_by(const struct history *history, uint32_t session)
{
    return seen_after(history, session, history->seen[session].count);
}

static bool ascends(struct history *history, uint32_t session, uint64_t issued, const char **why)
{
    if (issued < history->seen[session].issued) {
        *why = "a session has begun something later already";
        return false;
    }
    history->seen[session].issued = issued;
    return true;
}

/* One line more of a session; op: its latest operation with an effect from now on. */
static void add_line(struct history *history, uint32_t session, uint32_t op)
{
    struct session *line = &history->seen[session];
    line->after = grown(line->after, line->count, &line->cap, sizeof(*line->after));
    line->after[line->count++] = op;
}

static bool add_op(struct history *history, const struct op *op, const char **why)
{
    if (history->count >= HISTORY_OPS) {
        *why = "too many operations";
        return false;
    }
    history->ops = grown(history->ops, history->count, &history->cap, sizeof(*op));
    history->ops[history->count++] = *op;
    return true;
}

static bool times(const struct slice *words, struct op *op, const char **why)
{
    if (!number(words[2], &op->start_us) || !number(words[3], &op->end_us)) {
        *why = "START and END are numbers of microseconds";
        return false;
    }
    if (op->end_us < op->start_us) {
        *why = "END is before START";
        return false;
    }
    return true;
}

static bool line_op(struct history *history, enum op_kind kind, const struct slice *words,
                    const char **why)
{
    struct op op = {.kind = kind, .line = history->lines, .source = OP_NONE, .taken = OP_NONE};
    if (!times(words, &op, why))
        return false;
    bool ok = is(words[6], "ok");
    bool unknown = is(words[6], "unknown");
    if (!ok && !unknown && !is(words[6], "no")) {
        *why = "the fate of an operation is ok, no or unknown";
        return false;
    }
    bool nothing = is(words[5], "-");
    if (nothing && kind != OP_READ) {
        *why = "- is no value and names no delete";
        return false;
    }
    op.session = session_of(history, words[1]);
    if (!ascends(history, op.session, op.start_us, why))
        return false;
    op.before = seen_by(history, op.session);
    op.unknown = unknown && kind != OP_READ;
    if (!ok && !op.unknown) {
        history->refused++;
        add_line(history, op.session, op.before);
        return true;
    }
    op.key = names_add(&history->keys, words[4]);
    op.value = nothing ? NAMES_NONE : names_add(&history->values, words[5]);
    add_line(history, op.session, op.unknown ? op.before : history->count);
    history->unknown += op.unknown;
    return add_op(history, &op, why);
}

/* What the other session had seen: *op, or OP_NONE. */
static bool taken_from(const struct history *history, const struct slice *words, uint32_t count,
                       uint32_t *op, const char **why)
{
    *op = OP_NONE;
    uint64_t upto = 0;
    if (count == 5 && !number(words[4], &upto)) {
        *why = "COUNT is a number of lines";
        return false;
    }
    uint32_t other = names_find(&history->sessions, words[3]);
    uint32_t lines = other == NAMES_NONE ? 0 : history->seen[other].count;
    if (upto > lines) {
        *why = "OTHER does not have so many lines yet";
        return false;
    }
    if (lines > 0)
        *op = seen_after(history, other, count == 5 ? (uint32_t)upto : lines);
    return true;
}

/* A context taken over is an operation of its own, on no key: later ones stand on it. */
static bool line_take(struct history *history, const struct slice *words, uint32_t count,
                      const char **why)
{
    struct op op = {.kind = OP_TAKE,
                    .line = history->lines,
                    .key = NAMES_NONE,
                    .value = NAMES_NONE,
                    .source = OP_NONE};
    if (!number(words[2], &op.start_us)) {
        *why = "TIME is a number of microseconds";
        return false;
    }
    op.end_us = op.start_us;
    if (!taken_from(history, words, count, &op.taken, why))
        return false;
    op.session = session_of(history, words[1]);
    if (!ascends(history, op.session, op.start_us, why))
        return false;
    op.before = seen_by(history, op.session);
    bool new = op.taken != OP_NONE && history->ops[op.taken].session != op.session;
    add_line(history, op.session, new ? history->count : op.before);
    return !new || add_op(history, &op, why);
}

static bool line_final(struct history *history, const struct slice *words, const char **why)
{
    if (history->final_count >= HISTORY_OPS) {
        *why = "too many final reads";
        return false;
    }
    struct final final = {.line = history->lines};
    final.node = names_add(&history->nodes, words[1]);
    final.key = names_add(&history->keys, words[2]);
    final.value = is(words[3], "-") ? NAMES_NONE : names_add(&history->values, words[3]);
    history->finals =
        grown(history->finals, history->final_count, &history->final_cap, sizeof(final));
    history->finals[history->final_count++] = final;
    return true;
}

bool history_line(struct history *history, struct slice line, const char **why)
{
    history->lines++;
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    struct slice words[WORDS_MAX + 1];
    uint32_t count = split(line, words);
    for (uint32_t i = 0; i < count; i++)
        if (words[i].len == 0) {
            *why = "words have one space between them";
            return false;
        }
    if (is(words[0], "w") && count == 7)
        return line_op(history, OP_WRITE, words, why);
    if (is(words[0], "d") && count == 7)
        return line_op(history, OP_DELETE, words, why);
    if (is(words[0], "r") && count == 7)
        return line_op(history, OP_READ, words, why);
    if (is(words[0], "c") && (count == 4 || count == 5))
        return line_take(history, words, count, why);
    if (is(words[0], "f") && count == 4)
        return line_final(history, words, why);
    *why = "a line is w, d or r and six words, c and three or four, or f and three";
    return false;
}

bool history_end(struct history *history, uint32_t *where, const char **why)
{
    uint32_t count = history->values.count;
    history->writer = mem_realloc(history->writer, count * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        history->writer[i] = OP_NONE;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct op *op = &history->ops[i];
        if (op->kind == OP_READ || op->kind == OP_TAKE)
            continue;
        if (history->writer[op->value] != OP_NONE) {
            *where = op->line;
            *why = "a value or the name of a delete is used twice";
            return false;
        }
        history->writer[op->value] = i;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        struct op *op = &history->ops[i];
        if (op->kind != OP_READ || op->value == NAMES_NONE)
            continue;
        uint32_t writer = history->writer[op->value];
        if (writer == OP_NONE || history->ops[writer].kind != OP_WRITE ||
            history->ops[writer].key != op->key)
            continue; /* thin air: the judge tells */
        op->source = writer;
        history->ops[writer].observed = true;
    }
    return true;
}
