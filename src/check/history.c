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
    names_fini(&history->sessions);
    names_fini(&history->keys);
    names_fini(&history->values);
    names_fini(&history->nodes);
    mem_free(history->ops);
    mem_free(history->finals);
    mem_free(history->writer);
    mem_free(history->last);
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
    size_t size = (session + 1) * sizeof(uint32_t);
    history->last = mem_realloc(history->last, size);
    history->last[session] = OP_NONE;
    return session;
}

static bool line_op(struct history *history, enum op_kind kind, const struct slice *words,
                    const char **why)
{
    struct op op = {.kind = kind, .line = history->lines, .source = OP_NONE, .taken = OP_NONE};
    if (!number(words[2], &op.start_us) || !number(words[3], &op.end_us)) {
        *why = "START and END are numbers of microseconds";
        return false;
    }
    bool ok = is(words[6], "ok");
    op.unknown = is(words[6], "unknown");
    if (!ok && !op.unknown && !is(words[6], "no")) {
        *why = "the fate of an operation is ok, no or unknown";
        return false;
    }
    op.session = session_of(history, words[1]);
    if (!ok && !(op.unknown && kind != OP_READ)) {
        history->refused++;
        return true;
    }
    if (history->count >= HISTORY_OPS) {
        *why = "too many operations";
        return false;
    }
    bool nothing = kind == OP_READ && is(words[5], "-");
    op.key = names_add(&history->keys, words[4]);
    op.value = nothing ? NAMES_NONE : names_add(&history->values, words[5]);
    op.before = history->last[op.session];
    history->ops = grown(history->ops, history->count, &history->cap, sizeof(op));
    if (op.unknown)
        history->unknown++;
    else
        history->last[op.session] = history->count;
    history->ops[history->count++] = op;
    return true;
}

/* A context taken over is an operation of its own, on no key: later ones stand on it. */
static bool line_take(struct history *history, const struct slice *words, const char **why)
{
    uint64_t time = 0;
    if (!number(words[2], &time)) {
        *why = "TIME is a number of microseconds";
        return false;
    }
    uint32_t session = session_of(history, words[1]);
    uint32_t other = names_find(&history->sessions, words[3]);
    if (other == NAMES_NONE || history->last[other] == OP_NONE || other == session)
        return true; /* it has seen nothing yet */
    struct op op = {.kind = OP_TAKE,
                    .line = history->lines,
                    .session = session,
                    .key = NAMES_NONE,
                    .value = NAMES_NONE,
                    .before = history->last[session],
                    .source = OP_NONE,
                    .taken = history->last[other],
                    .start_us = time,
                    .end_us = time};
    history->ops = grown(history->ops, history->count, &history->cap, sizeof(op));
    history->last[session] = history->count;
    history->ops[history->count++] = op;
    return true;
}

static bool line_final(struct history *history, const struct slice *words)
{
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
    if (is(words[0], "c") && count == 4)
        return line_take(history, words, why);
    if (is(words[0], "f") && count == 4)
        return line_final(history, words);
    *why = "a line is w, d or r with six words behind it, or c or f with three";
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
