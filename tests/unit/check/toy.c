/* toy - a small store that keeps its promises, or not, and clients of it.
 *
 * Does:   see toy.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    toy.h.
 */
#include "toy.h"

struct toy_vv {
    uint32_t seq[TOY_REPLICAS]; /* of each replica */
};

struct toy_version {
    uint32_t key;       /* of what */
    uint32_t value;     /* its name; never 0 */
    uint32_t replica;   /* that took it */
    uint32_t seq;       /* there */
    bool deleted;       /* a tombstone */
    uint64_t stamp;     /* later than those of all its causes */
    struct toy_vv deps; /* its writer's context */
};

struct toy_log {
    struct toy_version *list; /* by seq - 1; owned */
    uint32_t cap;             /* allocated */
};

struct toy_session {
    struct toy_vv context; /* what it has seen */
    struct toy_vv held;    /* what it had seen some time ago */
    uint32_t lines;        /* so far */
    uint32_t held_lines;   /* when it was held */
};

struct toy {
    const struct toy_options *options;                /* borrowed */
    struct rng *rng;                                  /* borrowed */
    struct toy_history *history;                      /* borrowed; being written */
    struct toy_log logs[TOY_REPLICAS];                /* what each took */
    struct toy_vv has[TOY_REPLICAS];                  /* what each has */
    uint64_t clock[TOY_REPLICAS];                     /* of stamps */
    const struct toy_version **current[TOY_REPLICAS]; /* by key; owned */
    struct toy_session *sessions;                     /* owned */
    uint32_t time;                                    /* a line each */
};

static bool covers(const struct toy_vv *a, const struct toy_vv *b)
{
    for (uint32_t i = 0; i < TOY_REPLICAS; i++)
        if (a->seq[i] < b->seq[i])
            return false;
    return true;
}

static void join(struct toy_vv *to, const struct toy_vv *from)
{
    for (uint32_t i = 0; i < TOY_REPLICAS; i++)
        if (to->seq[i] < from->seq[i])
            to->seq[i] = from->seq[i];
}

static bool lies(struct toy *toy)
{
    return rng_chance(toy->rng, toy->options->lies, 1000);
}

static void put_line(struct toy *toy, struct toy_line line)
{
    struct toy_history *history = toy->history;
    if (history->count == history->cap) {
        history->cap = history->cap > 0 ? history->cap * 2 : 64;
        history->lines = mem_realloc(history->lines, history->cap * sizeof(line));
    }
    line.time = ++toy->time;
    history->lines[history->count++] = line;
    if (line.kind != 'f')
        toy->sessions[line.session].lines++;
}

/* Last writer wins. */
static void apply(struct toy *toy, uint32_t replica, const struct toy_version *version)
{
    const struct toy_version **at = &toy->current[replica][version->key];
    toy->has[replica].seq[version->replica] = version->seq;
    if (toy->clock[replica] < version->stamp && !lies(toy))
        toy->clock[replica] = version->stamp;
    if (*at == NULL || (*at)->stamp < version->stamp ||
        ((*at)->stamp == version->stamp && (*at)->replica < version->replica) || lies(toy))
        *at = version;
}

/* The next version of one replica goes to another that has its causes. */
static bool carry(struct toy *toy, uint32_t from, uint32_t to)
{
    uint32_t seq = toy->has[to].seq[from];
    if (from == to || seq == toy->has[from].seq[from])
        return false;
    const struct toy_version *version = &toy->logs[from].list[seq];
    if (!covers(&toy->has[to], &version->deps) && !lies(toy))
        return false;
    apply(toy, to, version);
    return true;
}

/* A replica that has all that the session has seen, or one past the last. */
static uint32_t some_replica(struct toy *toy, const struct toy_session *session)
{
    uint32_t count = toy->options->replicas;
    uint32_t first = (uint32_t)rng_below(toy->rng, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t replica = (first + i) % count;
        if (covers(&toy->has[replica], &session->context) || lies(toy))
            return replica;
    }
    return count;
}

static void take_write(struct toy *toy, uint32_t replica, const struct toy_session *session,
                       struct toy_line line)
{
    struct toy_log *log = &toy->logs[replica];
    uint32_t seq = toy->has[replica].seq[replica];
    ASSERT(seq < log->cap);
    log->list[seq] = (struct toy_version){.key = line.key,
                                          .value = line.value,
                                          .replica = replica,
                                          .seq = seq + 1,
                                          .deleted = line.kind == 'd',
                                          .stamp = ++toy->clock[replica],
                                          .deps = session->context};
    apply(toy, replica, &log->list[seq]);
}

static void write_or_delete(struct toy *toy, uint32_t number, char kind)
{
    struct toy_session *session = &toy->sessions[number];
    struct toy_line line = {.kind = kind, .fate = 'o', .session = number};
    line.key = (uint32_t)rng_below(toy->rng, toy->options->keys);
    uint32_t replica = some_replica(toy, session);
    bool unknown = rng_chance(toy->rng, toy->options->unknowns, 100);
    line.value = ++toy->history->values;
    line.fate = unknown ? 'u' : replica == toy->options->replicas ? 'n' : 'o';
    if (replica < toy->options->replicas && (!unknown || rng_chance(toy->rng, 1, 2))) {
        const struct toy_version *there = toy->current[replica][line.key];
        if (kind == 'd' && !unknown && (there == NULL || there->deleted)) {
            line.kind = 'r'; /* nothing to delete: that was a read */
            line.value = 0;
            if (there != NULL)
                join(&session->context, &there->deps);
            if (there != NULL && session->context.seq[there->replica] < there->seq)
                session->context.seq[there->replica] = there->seq;
        } else {
            take_write(toy, replica, session, line);
            if (!unknown && !lies(toy))
                session->context.seq[replica] = toy->has[replica].seq[replica];
        }
    }
    put_line(toy, line);
}

static void read_key(struct toy *toy, uint32_t number)
{
    struct toy_session *session = &toy->sessions[number];
    struct toy_line line = {.kind = 'r', .fate = 'o', .session = number};
    line.key = (uint32_t)rng_below(toy->rng, toy->options->keys);
    uint32_t replica = some_replica(toy, session);
    if (replica == toy->options->replicas) {
        line.fate = 'n';
        put_line(toy, line);
        return;
    }
    const struct toy_version *version = toy->current[replica][line.key];
    line.value = version == NULL || version->deleted ? 0 : version->value;
    put_line(toy, line);
    if (version == NULL || lies(toy))
        return;
    join(&session->context, &version->deps);
    if (session->context.seq[version->replica] < version->seq)
        session->context.seq[version->replica] = version->seq;
}

/* Half of the time what another has seen by now, half what it had held back. */
static void take(struct toy *toy, uint32_t number)
{
    uint32_t other = (uint32_t)rng_below(toy->rng, toy->options->sessions);
    struct toy_session *from = &toy->sessions[other];
    bool held = rng_chance(toy->rng, 1, 2);
    struct toy_line line = {.kind = 'c', .session = number, .key = other};
    line.value = held ? from->held_lines : from->lines;
    join(&toy->sessions[number].context, held ? &from->held : &from->context);
    put_line(toy, line);
    if (rng_chance(toy->rng, 1, 2)) {
        from->held = from->context;
        from->held_lines = from->lines;
    }
}

static void step(struct toy *toy)
{
    const struct toy_options *options = toy->options;
    uint32_t session = (uint32_t)rng_below(toy->rng, options->sessions);
    uint32_t draw = (uint32_t)rng_below(toy->rng, 100);
    if (draw < options->reads)
        read_key(toy, session);
    else if (draw < options->reads + options->deletes)
        write_or_delete(toy, session, 'd');
    else if (draw < options->reads + options->deletes + options->takes)
        take(toy, session);
    else
        write_or_delete(toy, session, 'w');
    while (rng_chance(toy->rng, options->carries, 100))
        carry(toy, (uint32_t)rng_below(toy->rng, options->replicas),
              (uint32_t)rng_below(toy->rng, options->replicas));
}

/* Everything gets everywhere; then every key is read at every replica. */
static void finish(struct toy *toy)
{
    uint32_t count = toy->options->replicas;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < count * count; i++)
            while (carry(toy, i / count, i % count))
                moved = true;
    }
    for (uint32_t key = 0; key < toy->options->keys; key++)
        for (uint32_t replica = 0; replica < count; replica++) {
            const struct toy_version *version = toy->current[replica][key];
            uint32_t value = version == NULL || version->deleted ? 0 : version->value;
            put_line(toy, (struct toy_line){
                              .kind = 'f', .session = replica, .key = key, .value = value});
        }
}

void toy_run(const struct toy_options *options, struct rng *rng, struct toy_history *history)
{
    ASSERT(options->replicas <= TOY_REPLICAS);
    struct toy toy = {.options = options, .rng = rng, .history = history};
    memset(history, 0, sizeof(*history));
    toy.sessions = mem_zalloc(options->sessions, sizeof(*toy.sessions));
    for (uint32_t i = 0; i < options->replicas; i++) {
        toy.logs[i].cap = options->ops;
        toy.logs[i].list = mem_alloc(options->ops * sizeof(struct toy_version));
        toy.current[i] = mem_zalloc(options->keys, sizeof(struct toy_version *));
    }
    for (uint32_t i = 0; i < options->ops; i++)
        step(&toy);
    finish(&toy);
    for (uint32_t i = 0; i < options->replicas; i++) {
        mem_free(toy.logs[i].list);
        mem_free(toy.current[i]);
    }
    mem_free(toy.sessions);
}

void toy_history_fini(struct toy_history *history)
{
    mem_free(history->lines);
    memset(history, 0, sizeof(*history));
}

static void put_name(struct buf *text, char letter, uint32_t number)
{
    buf_u8(text, ' ');
    buf_u8(text, (uint8_t)letter);
    buf_decimal(text, number);
}

static void put_number(struct buf *text, uint32_t number)
{
    buf_u8(text, ' ');
    buf_decimal(text, number);
}

static void put_value(struct buf *text, uint32_t value)
{
    if (value == 0)
        buf_append_slice(text, SLICE_LIT(" -"));
    else
        put_name(text, 'v', value);
}

void toy_line_write(const struct toy_line *line, bool timeless, struct buf *text)
{
    uint32_t time = timeless ? 0 : line->time * 10;
    buf_u8(text, (uint8_t)line->kind);
    put_name(text, line->kind == 'f' ? 'n' : 's', line->session);
    if (line->kind == 'f') {
        put_name(text, 'k', line->key);
        put_value(text, line->value);
    } else if (line->kind == 'c') {
        put_number(text, time);
        put_name(text, 's', line->key);
        put_number(text, line->value);
    } else {
        put_number(text, time);
        put_number(text, timeless ? 0 : time + 5);
        put_name(text, 'k', line->key);
        put_value(text, line->value);
        buf_append_slice(text, line->fate == 'o'   ? SLICE_LIT(" ok")
                               : line->fate == 'n' ? SLICE_LIT(" no")
                                                   : SLICE_LIT(" unknown"));
    }
    buf_u8(text, '\n');
}
