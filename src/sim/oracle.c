/* oracle - the true history, and whether an answer fits it.
 *
 * Does:   keys, values, writes, pasts; the judgement of answers.
 * Not:    bytes of logs and frames: oracle_bytes.c.
 * Holds:  O1, O2.
 * Limits: -
 * See:    oracle.h.
 */
#include "sim/oracle_bytes.h"

#include <stdio.h>

static void make_key(struct hkey *key, uint32_t index, struct rng *rng)
{
    memset(key, 0, sizeof *key);
    const char *prefix = "key-";
    if (rng_chance(rng, 1, 5))
        prefix = "{tag}/";
    else if (rng_chance(rng, 1, 8))
        prefix = "\xff\x01 \"";
    int len = snprintf((char *)key->text, sizeof key->text, "%s%03u", prefix, index);
    ASSERT(len > 0);
    key->len = (uint32_t)len;
    key->slot = slot_of(slice_of(key->text, key->len));
}

void oracle_init(struct oracle *oracle, struct verdict *verdict, uint32_t keys, struct rng *rng)
{
    ASSERT(keys > 0 && keys <= ORACLE_KEYS_MAX);
    memset(oracle, 0, sizeof *oracle);
    oracle->verdict = verdict;
    oracle->key_count = keys;
    for (uint32_t i = 0; i < keys; i++)
        make_key(&oracle->keys[i], i, rng);
    oracle->write_cap = 1024;
    oracle->writes = mem_zalloc(oracle->write_cap, sizeof oracle->writes[0]);
    oracle->write_count = 1;
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++)
        oracle->actors[i].node = UINT32_MAX;
}

void oracle_fini(struct oracle *oracle)
{
    for (uint32_t i = 1; i < oracle->write_count; i++) {
        past_unref(oracle->writes[i].past);
        buf_fini(&oracle->writes[i].deps);
    }
    mem_free(oracle->writes);
    for (uint32_t i = 0; i < oracle->epoch_count; i++)
        buf_fini(&oracle->epochs[i].bytes);
    mem_free(oracle->epochs);
    mem_free(oracle->votes);
    for (uint32_t i = 0; i < oracle->key_count; i++)
        mem_free(oracle->keys[i].stones);
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++)
        mem_free(oracle->actors[i].dots);
    buf_fini(&oracle->scratch);
    memset(oracle, 0, sizeof *oracle);
}

static uint32_t add_write(struct oracle *oracle, const struct hwrite *write)
{
    if (oracle->write_count == oracle->write_cap) {
        oracle->write_cap *= 2;
        oracle->writes = mem_realloc(oracle->writes, oracle->write_cap * sizeof oracle->writes[0]);
    }
    oracle->writes[oracle->write_count] = *write;
    return oracle->write_count++;
}

uint32_t oracle_put(struct oracle *oracle, uint32_t key, uint32_t session, uint32_t size, bool raw)
{
    ASSERT(key < oracle->key_count);
    oracle->keys[key].put = true;
    struct hwrite write = {.key = key, .raw = raw, .size = size, .session = session};
    return add_write(oracle, &write);
}

void oracle_put_past(struct oracle *oracle, uint32_t write, struct past *past)
{
    struct past *old = oracle->writes[write].past;
    oracle->writes[write].past = past_ref(past);
    past_unref(old);
}

void oracle_delete(struct oracle *oracle, uint32_t key, const struct past *past)
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        if (past->seqs[i] > oracle->keys[key].seqs[i])
            oracle->keys[key].seqs[i] = past->seqs[i];
    }
}

uint32_t oracle__tombstone(struct oracle *oracle, uint32_t key)
{
    struct hwrite write = {.key = key, .tombstone = true, .session = UINT32_MAX};
    uint32_t number = add_write(oracle, &write);
    struct hkey *at = &oracle->keys[key];
    at->stones = mem_realloc(at->stones, (at->stone_count + 1) * sizeof at->stones[0]);
    at->stones[at->stone_count++] = number;
    return number;
}

void oracle_value(const struct oracle *oracle, uint32_t write, struct buf *out)
{
    const struct hwrite *at = &oracle->writes[write];
    size_t begin = out->len;
    if (at->raw) {
        buf_u8(out, 1);
        buf_u8(out, 't');
    } else {
        buf_u8(out, '"');
    }
    buf_decimal(out, write);
    buf_u8(out, ':');
    size_t head = out->len - begin;
    size_t more = head < at->size ? at->size - head : 0;
    uint8_t *fill = buf_grow(out, more);
    uint32_t letter = (write + (uint32_t)head) % 26;
    for (size_t i = 0; i < more; i++) {
        fill[i] = (uint8_t)('a' + letter);
        letter = letter == 25 ? 0 : letter + 1;
    }
    if (!at->raw)
        buf_u8(out, '"');
}

bool oracle_newer(const struct oracle *oracle, uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0 || a == b)
        return a != 0 && b == 0;
    const struct hwrite *left = &oracle->writes[a];
    const struct hwrite *right = &oracle->writes[b];
    if (left->hlc != right->hlc)
        return left->hlc > right->hlc;
    return left->dot.actor > right->dot.actor;
}

uint32_t oracle_by_dot(const struct oracle *oracle, struct dot dot)
{
    if (dot.actor >= ORACLE_ACTORS_MAX || dot.seq == 0 || dot.seq > oracle->actors[dot.actor].last)
        return 0;
    return oracle->actors[dot.actor].dots[dot.seq].write;
}

const char *oracle_name(const struct oracle *oracle, uint32_t write, char text[64])
{
    if (write == 0)
        return "nothing";
    const struct hwrite *at = &oracle->writes[write];
    snprintf(text, 64, "%s w%u=a%u:%llu hlc %llu", at->tombstone ? "tombstone" : "write", write,
             at->dot.actor, (unsigned long long)at->dot.seq, (unsigned long long)at->hlc);
    return text;
}

/* ---- Losses ---- */

bool oracle_lost(const struct oracle *oracle, uint32_t write)
{
    struct dot dot = oracle->writes[write].dot;
    const struct hdot *at = &oracle->actors[dot.actor].dots[dot.seq];
    return dot.actor != 0 && (at->ever & ~at->lost & ~oracle->unlisted) == 0;
}

static bool is_told(const struct oracle *oracle, uint32_t write, const struct told *told)
{
    const struct hwrite *at = &oracle->writes[write];
    if (told->actor != 0)
        return at->dot.actor == told->actor && at->dot.seq > told->whole_seq;
    return at->committed_us < told->before_us &&
           slotset_has(&told->slots, oracle->keys[at->key].slot);
}

void oracle_purged(struct oracle *oracle, uint32_t stone)
{
    struct hwrite *at = &oracle->writes[stone];
    if (at->purged_us == 0)
        at->purged_us = oracle->now_us;
}

bool oracle_purged_above(const struct oracle *oracle, uint32_t write, uint64_t before_us)
{
    const struct hkey *key = &oracle->keys[oracle->writes[write].key];
    for (uint32_t i = 0; i < key->stone_count; i++) {
        const struct hwrite *stone = &oracle->writes[key->stones[i]];
        if (stone->purged_us != 0 && stone->purged_us < before_us &&
            !oracle_newer(oracle, write, key->stones[i]))
            return true;
    }
    return false;
}

/* It surely is, of what was told; or an old disk may have brought back what it had beaten. */
static bool is_gone(const struct oracle *oracle, uint32_t write, const struct told *told)
{
    return is_told(oracle, write, told) &&
           (oracle_lost(oracle, write) ||
            (told->actor == 0 && oracle_purged_above(oracle, write, told->before_us)));
}

static bool is_gone_by_any(const struct oracle *oracle, uint32_t write, const struct told *told,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_gone(oracle, write, &told[i]))
            return true;
    return false;
}

/* Below a write in somebody's past is what its writer had seen: and that may be lost by another of
 * the losses, in whatever order they are told. */
static void forget_lost(const struct oracle *oracle, struct past *past, const struct told *told,
                        uint32_t count)
{
    for (uint32_t key = 0; key < oracle->key_count; key++) {
        uint32_t top = past->tops[key];
        while (top != 0 && is_gone_by_any(oracle, top, told, count))
            top = oracle->writes[top].past != NULL ? oracle->writes[top].past->tops[key] : 0;
        past->tops[key] = top;
    }
}

static bool is_known(const struct oracle *oracle, const struct told *told)
{
    for (uint32_t i = 0; i < oracle->told_count; i++) {
        const struct told *known = &oracle->told[i];
        if (known->actor == told->actor && known->whole_seq == told->whole_seq &&
            (told->actor != 0 ||
             (known->before_us == told->before_us && slotset_equal(&known->slots, &told->slots))))
            return true;
    }
    return false;
}

void oracle_told(const struct oracle *oracle, struct past *past, const struct told *told,
                 uint32_t count)
{
    forget_lost(oracle, past, told, count);
}

void oracle_may_be_lost(struct oracle *oracle, const struct told *told)
{
    if (is_known(oracle, told))
        return;
    if (oracle->told_count == ORACLE_TOLD_MAX)
        verdict_say(oracle->verdict, "SIM", "more than %u losses", ORACLE_TOLD_MAX);
    else
        oracle->told[oracle->told_count++] = *told;
}

/* ---- Pasts ---- */

void oracle_past_merge(const struct oracle *oracle, struct past *to, const struct past *from)
{
    past_raise_seqs(to, from->seqs);
    past_raise_musts(to, from->musts);
    for (uint32_t key = 0; key < oracle->key_count; key++) {
        if (oracle_newer(oracle, from->tops[key], to->tops[key]))
            to->tops[key] = from->tops[key];
    }
}

/* Somebody has heard of it. */
static void expose(const struct oracle *oracle, uint32_t write)
{
    struct dot dot = oracle->writes[write].dot;
    oracle->actors[dot.actor].dots[dot.seq].exposed = true;
}

/* The write becomes part of the past. */
static void past_add(const struct oracle *oracle, struct past *past, uint32_t write)
{
    const struct hwrite *at = &oracle->writes[write];
    expose(oracle, write);
    if (at->past != NULL)
        oracle_past_merge(oracle, past, at->past);
    if (at->past != NULL)
        forget_lost(oracle, past, oracle->told, oracle->told_count);
    if (oracle_newer(oracle, write, past->tops[at->key]))
        past->tops[at->key] = write;
    if (at->dot.seq > past->seqs[at->dot.actor])
        past->seqs[at->dot.actor] = at->dot.seq;
    if (at->dot.seq > past->musts[at->dot.actor])
        past->musts[at->dot.actor] = at->dot.seq;
}

/* Whatever a tombstone of this key may bring into a context. */
static void past_add_stones(const struct oracle *oracle, struct past *past, uint32_t key)
{
    const struct hkey *at = &oracle->keys[key];
    past_raise_seqs(past, at->seqs);
    for (uint32_t i = 0; i < at->stone_count; i++) {
        struct dot dot = oracle->writes[at->stones[i]].dot;
        if (dot.seq > past->seqs[dot.actor])
            past->seqs[dot.actor] = dot.seq;
    }
}

/* ---- Answers ---- */

static uint32_t count_bits(uint32_t bits)
{
    return (uint32_t)__builtin_popcount(bits);
}

/* Nodes that have the write, or had it overwritten below a coverage that they logged. */
static uint32_t holders_of(const struct oracle *oracle, const struct hwrite *write)
{
    if (write->dot.actor == 0)
        return 0;
    const struct hactor *actor = &oracle->actors[write->dot.actor];
    uint32_t holders = actor->dots[write->dot.seq].ever;
    for (uint32_t i = 0; i < VNET_NODES_MAX; i++) {
        if (actor->raised[i] >= write->dot.seq)
            holders |= 1U << i;
    }
    return count_bits(holders);
}

/* An acknowledgement stands on two logs, or on one that is synced. */
static bool held_by(const struct oracle *oracle, const struct hwrite *write, uint32_t copies)
{
    uint32_t holders = holders_of(oracle, write);
    if (holders >= 2)
        return true;
    if (copies >= 2 || holders == 0)
        return false;
    const struct hactor *actor = &oracle->actors[write->dot.actor];
    const struct hdot *dot = &actor->dots[write->dot.seq];
    if (dot->vouched)
        return true; /* what became of its writer since is another matter */
    return oracle->synced(oracle->arg, actor->node, dot->segment, dot->end);
}

/* The number that a value carries, 0 for none. */
uint32_t oracle__value_number(struct slice value, bool raw)
{
    struct read in = read_of(value);
    read_bytes(&in, raw ? 2 : 1);
    uint64_t number = 0;
    for (;;) {
        uint8_t byte = read_u8(&in);
        if (!read_ok(&in) || byte < '0' || byte > '9' || number > UINT32_MAX)
            break;
        number = number * 10 + (byte - '0');
    }
    return number > UINT32_MAX ? 0 : (uint32_t)number;
}

uint32_t oracle_found(const struct reply *reply)
{
    return oracle__value_number(reply->value, reply->form == VALUE_RAW);
}

/* Which write a value is, checked to the last byte; 0 when no client ever wrote it there. */
uint32_t oracle__value_write(struct oracle *oracle, uint32_t key, struct slice value, bool raw)
{
    uint32_t number = oracle__value_number(value, raw);
    if (number == 0 || number >= oracle->write_count || oracle->writes[number].tombstone ||
        oracle->writes[number].key != key || oracle->writes[number].raw != raw)
        return 0;
    buf_reset(&oracle->scratch);
    oracle_value(oracle, number, &oracle->scratch);
    return slice_equal(buf_slice(&oracle->scratch), value) ? number : 0;
}

#define KEY_OF(oracle, index)                                                                      \
    (int)(oracle)->keys[index].len, (const char *)(oracle)->keys[index].text

static void judge_found(struct oracle *oracle, const struct asked *asked, const struct reply *reply,
                        struct past *past)
{
    char have[64];
    char want[64];
    uint32_t write =
        oracle__value_write(oracle, asked->key, reply->value, reply->form == VALUE_RAW);
    if (write == 0) {
        verdict_say(oracle->verdict, "I1",
                    "session %u read from node %u, key %.*s, a value that nobody wrote there: "
                    "%zu bytes beginning \"%.*s\"",
                    asked->session, asked->node, KEY_OF(oracle, asked->key), reply->value.len,
                    (int)(reply->value.len < 24 ? reply->value.len : 24),
                    (const char *)reply->value.ptr);
        return;
    }
    if (oracle->writes[write].dot.actor == 0) {
        verdict_say(oracle->verdict, "I5",
                    "session %u read from node %u, key %.*s, write w%u before any log had it",
                    asked->session, asked->node, KEY_OF(oracle, asked->key), write);
        return;
    }
    uint32_t seen = past->tops[asked->key];
    if (oracle_newer(oracle, seen, write)) {
        verdict_say(oracle->verdict, "I1",
                    "session %u read from node %u, key %.*s: expected %s, which it had seen "
                    "(itself or through what it read), or newer; got the older %s",
                    asked->session, asked->node, KEY_OF(oracle, asked->key),
                    oracle_name(oracle, seen, want), oracle_name(oracle, write, have));
        return;
    }
    past_add(oracle, past, write);
}

/* The least tombstone of the key above `seen`, or 0. */
static uint32_t least_stone_above(const struct oracle *oracle, uint32_t key, uint32_t seen,
                                  uint64_t since_us, uint32_t copies)
{
    uint32_t least = 0;
    for (uint32_t i = 0; i < oracle->keys[key].stone_count; i++) {
        uint32_t stone = oracle->keys[key].stones[i];
        const struct hwrite *at = &oracle->writes[stone];
        if (at->dot.actor == 0 || at->committed_us < since_us || !oracle_newer(oracle, stone, seen))
            continue;
        if (copies > 0 && !held_by(oracle, at, copies))
            continue;
        if (least == 0 || oracle_newer(oracle, least, stone))
            least = stone;
    }
    return least;
}

static void judge_missing(struct oracle *oracle, const struct asked *asked, struct past *past)
{
    char want[64];
    uint32_t seen = past->tops[asked->key];
    past_add_stones(oracle, past, asked->key);
    if (seen == 0 || oracle->writes[seen].tombstone)
        return;
    uint32_t stone = least_stone_above(oracle, asked->key, seen, 0, 0);
    if (stone == 0) {
        verdict_say(oracle->verdict, "I1",
                    "session %u was told by node %u that key %.*s does not exist: expected %s, "
                    "which it had seen, or newer; nobody has deleted it since",
                    asked->session, asked->node, KEY_OF(oracle, asked->key),
                    oracle_name(oracle, seen, want));
        return;
    }
    expose(oracle, stone); /* in an answer: it is no longer as if it had not been (822054) */
    past->tops[asked->key] = stone;
}

static void note_ack(struct oracle *oracle, uint32_t write)
{
    struct hwrite *at = &oracle->writes[write];
    expose(oracle, write);
    struct hkey *key = &oracle->keys[at->key];
    at->acked = true;
    if (oracle_newer(oracle, write, key->top_acked))
        key->top_acked = write;
}

static void judge_put(struct oracle *oracle, const struct asked *asked, const struct reply *reply,
                      struct past *past)
{
    char have[64];
    char want[64];
    const struct hwrite *write = &oracle->writes[asked->write];
    uint32_t seen = past->tops[asked->key];
    if (!held_by(oracle, write, reply->copies)) {
        verdict_say(oracle->verdict, "I5",
                    "node %u acknowledged %s of session %u, key %.*s, with copies %u, but "
                    "the logs of only %u nodes have it%s",
                    asked->node, oracle_name(oracle, asked->write, have), asked->session,
                    KEY_OF(oracle, asked->key), reply->copies, holders_of(oracle, write),
                    reply->copies == 1 ? " and it is not synced" : "");
        return;
    }
    if (oracle_newer(oracle, seen, asked->write)) {
        verdict_say(oracle->verdict, "I1",
                    "session %u wrote through node %u, key %.*s: its %s is older than %s, "
                    "which it had seen",
                    asked->session, asked->node, KEY_OF(oracle, asked->key),
                    oracle_name(oracle, asked->write, have), oracle_name(oracle, seen, want));
        return;
    }
    if (reply->outcome == OUTCOME_CREATED && seen != 0 && !oracle->writes[seen].tombstone &&
        least_stone_above(oracle, asked->key, seen, 0, 0) == 0)
        verdict_say(oracle->verdict, "I2",
                    "node %u told session %u that key %.*s was created: it had seen %s there, and "
                    "nobody has deleted it",
                    asked->node, asked->session, KEY_OF(oracle, asked->key),
                    oracle_name(oracle, seen, want));
    note_ack(oracle, asked->write);
    past_add(oracle, past, asked->write);
}

static void judge_deleted(struct oracle *oracle, const struct asked *asked,
                          const struct reply *reply, struct past *past)
{
    char want[64];
    uint32_t seen = past->tops[asked->key];
    uint32_t stone =
        least_stone_above(oracle, asked->key, seen, asked->started_us, reply->copies == 2 ? 2 : 1);
    past_add_stones(oracle, past, asked->key);
    if (stone == 0) {
        bool some = least_stone_above(oracle, asked->key, seen, asked->started_us, 0) != 0;
        bool older = !some && least_stone_above(oracle, asked->key, 0, asked->started_us, 0) != 0;
        verdict_say(oracle->verdict, older ? "I1" : "I5",
                    "node %u told session %u that key %.*s was deleted (copies %u): %s newer than "
                    "%s, which it had seen",
                    asked->node, asked->session, KEY_OF(oracle, asked->key), reply->copies,
                    some    ? "too few logs have a tombstone"
                    : older ? "there is a tombstone, but none"
                            : "no log has a tombstone",
                    oracle_name(oracle, seen, want));
        return;
    }
    note_ack(oracle, stone);
    past->tops[asked->key] = stone;
}

/* Errors that no client of the workload can have earned. */
static bool error_is_false(enum err err)
{
    int status = err_http_status(err);
    return status != 200 && status != 404 && status != 503 && status != 429;
}

struct past *oracle_answer(struct oracle *oracle, const struct asked *asked,
                           const struct reply *reply)
{
    struct past *past = past_dup(asked->past, oracle->key_count);
    if (error_is_false(reply->err)) {
        verdict_say(oracle->verdict, "I2", "node %u refused request of session %u, key %.*s: %s",
                    asked->node, asked->session, KEY_OF(oracle, asked->key),
                    err_sentence(reply->err));
        return past;
    }
    enum outcome expected = OUTCOME_NONE;
    switch (reply->outcome) {
    case OUTCOME_FOUND:
        judge_found(oracle, asked, reply, past);
        expected = asked->op == OP_GET ? OUTCOME_FOUND : OUTCOME_NONE;
        break;
    case OUTCOME_NOT_FOUND:
        judge_missing(oracle, asked, past);
        expected = asked->op == OP_PUT ? OUTCOME_NONE : OUTCOME_NOT_FOUND;
        break;
    case OUTCOME_CREATED:
    case OUTCOME_REPLACED:
        if (asked->op == OP_PUT) {
            judge_put(oracle, asked, reply, past);
            expected = reply->outcome;
        }
        break;
    case OUTCOME_DELETED:
        if (asked->op == OP_DELETE) {
            judge_deleted(oracle, asked, reply, past);
            expected = OUTCOME_DELETED;
        }
        break;
    case OUTCOME_COUNTED:
        expected = asked->op == OP_COUNT ? OUTCOME_COUNTED : OUTCOME_NONE;
        break;
    case OUTCOME_NONE:
    case OUTCOME_ADDED:
    case OUTCOME_PRESENT:
    case OUTCOME_REMOVED:
    case OUTCOME_PLACED:
    case OUTCOME_RECOVERED:
    case OUTCOME_RESHARDED:
    case OUTCOME_BEGUN:
    case OUTCOME_CANCELLED:
        break; /* no answer to a client */
    }
    bool answered = reply->err == E_OK || reply->err == E_KEY_MISSING;
    if (answered ? expected == OUTCOME_NONE || expected != reply->outcome
                 : reply->outcome != OUTCOME_NONE)
        verdict_say(oracle->verdict, "I2",
                    "node %u answered op %d of session %u, key %.*s, with outcome %d, error %s",
                    asked->node, (int)asked->op, asked->session, KEY_OF(oracle, asked->key),
                    (int)reply->outcome, err_name(reply->err));
    return past;
}
