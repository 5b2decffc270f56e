/* oracle_bytes - what logs and frames tell the oracle.
 *
 * Does:   finds every version in committed bytes; one dot, one write (I6); a frame carries only
 *         what its sender has committed.
 * Not:    judging answers: oracle.c.
 * Holds:  -
 * Limits: -
 * See:    oracle.h.
 */
#include "sim/oracle_bytes.h"

#include "sim/decide.h"
#include "sim/epoch.h"

/* So many writes at most wait for their answers at once. */
#define VOUCHED_MAX 256U

uint32_t oracle_key(const struct oracle *oracle, struct slice key)
{
    if (key.len < 3)
        return UINT32_MAX;
    uint32_t index = 0;
    for (size_t i = key.len - 3; i < key.len; i++)
        index = index * 10 + (uint32_t)(key.ptr[i] - '0') % 10;
    if (index >= oracle->key_count ||
        !slice_equal(key, slice_of(oracle->keys[index].text, oracle->keys[index].len)))
        return UINT32_MAX;
    return index;
}

static struct hdot *dot_at(struct oracle *oracle, struct dot dot)
{
    struct hactor *actor = &oracle->actors[dot.actor];
    if (dot.seq >= actor->cap) {
        uint64_t cap = actor->cap == 0 ? 256 : actor->cap;
        while (cap <= dot.seq)
            cap *= 2;
        actor->dots = mem_realloc(actor->dots, cap * sizeof actor->dots[0]);
        memset(actor->dots + actor->cap, 0, (cap - actor->cap) * sizeof actor->dots[0]);
        actor->cap = cap;
    }
    return &actor->dots[dot.seq];
}

static bool dot_possible(const struct oracle *oracle, struct dot dot)
{
    return dot.actor < ORACLE_ACTORS_MAX && dot.seq <= oracle->actors[dot.actor].last + 100000;
}

/* What a dot names; dependencies may be trimmed later and do not count. */
static uint64_t version_hash(const struct version *version)
{
    uint64_t hash = hash_seeded(version->key, version->hlc);
    return hash_seeded(version->value, hash ^ (uint64_t)version->form);
}

/* A dot is seen for the first time. */
static void new_dot(struct oracle *oracle, uint32_t node, const struct version *version,
                    struct hdot *dot, uint32_t key)
{
    uint32_t number;
    if (version->form == VALUE_TOMBSTONE)
        number = oracle__tombstone(oracle, key);
    else
        number = oracle__value_write(oracle, key, version->value, version->form == VALUE_RAW);
    if (number == 0) {
        verdict_say(oracle->verdict, "I6", "node %u logged (%u,%llu) with a value nobody asked for",
                    node, version->dot.actor, (unsigned long long)version->dot.seq);
        return;
    }
    struct hwrite *write = &oracle->writes[number];
    if (write->dot.actor != 0) {
        verdict_say(oracle->verdict, "I6",
                    "one request was carried out twice: w%u is (%u,%llu) and (%u,%llu)", number,
                    write->dot.actor, (unsigned long long)write->dot.seq, version->dot.actor,
                    (unsigned long long)version->dot.seq);
        return;
    }
    write->dot = version->dot;
    write->hlc = version->hlc;
    write->committed_us = oracle->now_us;
    buf_reset(&write->deps);
    buf_append_slice(&write->deps, version->deps);
    promise_written(oracle, node, version);
    dot->write = number;
    dot->hash = version_hash(version);
    struct hactor *actor = &oracle->actors[version->dot.actor];
    if (version->dot.seq > actor->last)
        actor->last = version->dot.seq;
    if (actor->node == UINT32_MAX)
        actor->node = node;
}

static void note_version(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t end,
                         struct slice body, bool found)
{
    struct version version;
    if (!version_decode(body, &version)) {
        verdict_say(oracle->verdict, "I6", "node %u logged a version that cannot be read", node);
        return;
    }
    uint32_t key = oracle_key(oracle, version.key);
    if (key == UINT32_MAX || !dot_possible(oracle, version.dot)) {
        verdict_say(oracle->verdict, "I6", "node %u logged (%u,%llu) with a key nobody asked for",
                    node, version.dot.actor, (unsigned long long)version.dot.seq);
        return;
    }
    struct hdot *dot = dot_at(oracle, version.dot);
    if (dot->write == 0) {
        new_dot(oracle, node, &version, dot, key);
        dot->segment = segment;
        dot->end = end;
    } else if (dot->hash != version_hash(&version)) {
        char name[64];
        verdict_say(oracle->verdict, "I6",
                    "one dot names two writes: node %u logged (%u,%llu) with hlc %llu, key %.*s; "
                    "before it was %s, key %.*s",
                    node, version.dot.actor, (unsigned long long)version.dot.seq,
                    (unsigned long long)version.hlc, (int)version.key.len,
                    (const char *)version.key.ptr, oracle_name(oracle, dot->write, name),
                    (int)oracle->keys[oracle->writes[dot->write].key].len,
                    (const char *)oracle->keys[oracle->writes[dot->write].key].text);
    }
    dot->holders |= 1U << node;
    dot->ever |= 1U << node;
    if (slotset_has(&oracle->away[node], oracle->keys[key].slot))
        dot->given_up |= 1U << node; /* it was logged, and dropped before that was committed */
    else if (!found)
        dot->given_up &= ~(1U << node);
    if ((dot->given_up & 1U << node) == 0)
        dot->lost &= ~(1U << node);
    else
        dot->lost |= 1U << node;
}

/* A log takes an arrival once; only a checkpoint repeats it, and what is found at a start. */
static void note_arrival(struct oracle *oracle, uint32_t node, struct slice body, bool repeats)
{
    struct version version;
    if (!version_decode(body, &version) || !dot_possible(oracle, version.dot))
        return; /* said already */
    struct hdot *dot = dot_at(oracle, version.dot);
    if (repeats && (dot->again & (1U << node)) != 0)
        return; /* of the time before it left: it has dropped that */
    if (!repeats && (dot->arrived & (1U << node)) != 0)
        verdict_say(oracle->verdict, "D3", "node %u takes (%u,%llu) twice", node, version.dot.actor,
                    (unsigned long long)version.dot.seq);
    dot->arrived |= 1U << node;
    dot->again &= ~(1U << node);
}

static void note_raise(struct oracle *oracle, uint32_t node, struct slice body)
{
    struct read in = read_of(body);
    read_u32(&in);
    uint32_t count = read_u32(&in);
    for (uint32_t i = 0; i < count && read_ok(&in); i++) {
        uint32_t actor = read_u32(&in);
        uint64_t seq = read_u64(&in);
        if (actor < ORACLE_ACTORS_MAX && seq > oracle->nodes[node].raised[actor])
            oracle->nodes[node].raised[actor] = seq;
        if (actor < ORACLE_ACTORS_MAX && seq > oracle->actors[actor].raised[node])
            oracle->actors[actor].raised[node] = seq;
    }
}

static void note_range(struct oracle *oracle, uint32_t node, struct slice body)
{
    struct read in = read_of(body);
    uint32_t actor = read_u32(&in);
    uint64_t low = read_u64(&in);
    uint64_t high = read_u64(&in);
    if (read_ok(&in) && actor < ORACLE_ACTORS_MAX)
        oracle->nodes[node].logged[actor] = (struct range){actor, low, high};
}

static bool is_in(const struct oracle *oracle, const struct hdot *dot, const struct slotset *slots)
{
    const struct hkey *key = &oracle->keys[oracle->writes[dot->write].key];
    return dot->write != 0 && slotset_has(slots, key->slot);
}

void oracle_leave(struct oracle *oracle, uint32_t node, const struct slotset *slots)
{
    slotset_merge(&oracle->away[node], slots);
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++) {
            struct hdot *dot = &oracle->actors[i].dots[seq];
            if (!is_in(oracle, dot, slots))
                continue;
            /* Unless it is brought again: what its log repeats of it is on its way out (203). */
            dot->given_up |= dot->ever & (1U << node);
            dot->lost |= dot->ever & (1U << node);
        }
    }
}

void oracle_enter(struct oracle *oracle, uint32_t node, const struct slotset *slots)
{
    slotset_subtract(&oracle->away[node], slots);
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++) {
            struct hdot *dot = &oracle->actors[i].dots[seq];
            if (!is_in(oracle, dot, slots))
                continue;
            dot->again |= dot->ever & (1U << node); /* over restarts, too */
            dot->arrived &= ~(1U << node);
        }
    }
}

void oracle_give_up(struct oracle *oracle, uint32_t node)
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++) {
            struct hdot *dot = &oracle->actors[i].dots[seq];
            dot->given_up |= dot->ever & (1U << node);
            dot->lost |= dot->given_up & (1U << node);
        }
    }
}

/* Who does not trust its log to its end, or is another, may take again what had come. */
static void forget_arrivals(struct oracle *oracle, uint32_t node)
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++)
            oracle->actors[i].dots[seq].arrived &= ~(1U << node);
    }
}

/* Another node from here on, with the table of the one it was (6.3): nothing that was said under
 * the other identity counts for it, and what had come may come again. */
static void note_identity(struct oracle *oracle, uint32_t node, struct slice body, bool found)
{
    struct hnode *at = &oracle->nodes[node];
    struct read in = read_of(body);
    uint64_t id = read_u64(&in);
    /* Of a log that is rotten from its first byte not even the id is known any more (701774). */
    bool another = at->id != id && (at->id != 0 || !found);
    if (another)
        memset(at->said.logged, 0, sizeof(at->said.logged));
    if (another)
        forget_arrivals(oracle, node);
    if (another && !found) {          /* when it is found again, what it said since stands */
        oracle_give_up(oracle, node); /* it trusts nothing of its log: what was there may be lost */
        struct hadoption adopted = at->adopted;
        memset(at, 0, sizeof *at);
        at->adopted = adopted;
    }
    at->id = id;
    if (read_left(&in) > 0)
        address_parse(read_bytes(&in, read_left(&in)), &oracle->addresses[node]);
}

void oracle_committed(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t offset,
                      struct slice bytes, bool found)
{
    size_t at = 0;
    bool repeats = found;
    struct record record;
    while (at < bytes.len) {
        struct slice rest = slice_of(bytes.ptr + at, bytes.len - at);
        if (record_decode(rest, &record) != RECORD_OK)
            return; /* a torn end: recovery cuts it too */
        at += record.whole.len;
        if (record.kind == RECORD_ARRIVAL || record.kind == RECORD_WALKED ||
            record.kind == RECORD_DUMP)
            note_version(oracle, node, segment, offset + at, record.body,
                         found || record.kind == RECORD_DUMP); /* that repeats what it has */
        if (record.kind == RECORD_IDENTITY)
            note_identity(oracle, node, record.body, found);
        else if (record.kind == RECORD_DOUBT)
            forget_arrivals(oracle, node);
        else if (record.kind == RECORD_ARRIVAL)
            note_arrival(oracle, node, record.body, repeats);
        else if (record.kind == RECORD_CHECKPOINT)
            repeats = true;
        else if (record.kind == RECORD_RAISE)
            note_raise(oracle, node, record.body);
        else if (record.kind == RECORD_RANGE)
            note_range(oracle, node, record.body);
        else if (record.kind == RECORD_CONFIG)
            epoch_logged(oracle, node, segment, offset + at, record.body);
        else if (record.kind == RECORD_REGISTER) {
            promise_logged(oracle, node, segment, offset + at, record.body);
            decide_logged(oracle, node, record.body);
        }
    }
}

void oracle_forget(struct oracle *oracle, uint32_t node)
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++) {
            struct hdot *dot = &oracle->actors[i].dots[seq];
            dot->lost |= dot->holders & (1U << node); /* unless it is found again */
            dot->holders &= ~(1U << node);
            dot->arrived &= ~(1U << node);
        }
    }
    memset(&oracle->nodes[node], 0, sizeof oracle->nodes[node]);
}

/* A dot that nobody else ever saw, and that its writer lost, is as if it had not been. What the log
 * says is covered was not lost: it was overwritten, or purged, before a checkpoint. */
static void bury_dot(struct oracle *oracle, struct dot dot, uint32_t node)
{
    struct hdot *at = &oracle->actors[dot.actor].dots[dot.seq];
    if (at->write == 0 || at->exposed || at->holders != 0 || at->ever != 1U << node ||
        oracle->nodes[node].raised[dot.actor] >= dot.seq)
        return;
    oracle->writes[at->write].dot = (struct dot){0, 0};
    memset(at, 0, sizeof *at);
}

void oracle_bury(struct oracle *oracle, uint32_t node)
{
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++) {
        for (uint64_t seq = 1; seq <= oracle->actors[i].last; seq++)
            bury_dot(oracle, (struct dot){i, seq}, node);
    }
}

/* ---- Frames ---- */

static bool holds(const struct oracle *oracle, uint32_t node, uint32_t actor, uint64_t seq)
{
    const struct hactor *at = &oracle->actors[actor];
    return seq <= at->last && (at->dots[seq].holders & (1U << node)) != 0;
}

static void check_records(struct oracle *oracle, uint32_t node, const char *what,
                          struct slice records)
{
    struct record record;
    struct version version;
    while (records.len > 0) {
        if (record_decode(records, &record) != RECORD_OK ||
            !version_decode(record.body, &version)) {
            verdict_say(oracle->verdict, "I6", "node %u sent a %s frame that cannot be read", node,
                        what);
            return;
        }
        records = slice_of(records.ptr + record.whole.len, records.len - record.whole.len);
        if (version.dot.actor < ORACLE_ACTORS_MAX &&
            holds(oracle, node, version.dot.actor, version.dot.seq)) {
            oracle->actors[version.dot.actor].dots[version.dot.seq].exposed = true;
            continue;
        }
        verdict_say(oracle->verdict, "I6",
                    "node %u sent (%u,%llu) in a %s frame before its own log had it", node,
                    version.dot.actor, (unsigned long long)version.dot.seq, what);
        return;
    }
}

/* How far a node may claim an actor: raised to, or every write committed. */
static bool may_cover(struct oracle *oracle, uint32_t node, uint32_t actor, uint64_t seq)
{
    struct hnode *at = &oracle->nodes[node];
    uint64_t *cover = &at->cover[actor];
    if (at->raised[actor] > *cover)
        *cover = at->raised[actor];
    const struct range *logged = &at->logged[actor];
    while (*cover < seq) {
        uint64_t next = *cover + 1;
        if (!holds(oracle, node, actor, next) && (next < logged->low || next > logged->high))
            return false;
        *cover = next;
    }
    return true;
}

static bool may_receipt(struct oracle *oracle, uint32_t node, const struct range *range)
{
    struct hnode *at = &oracle->nodes[node];
    struct range *known = &at->range[range->actor];
    const struct range *logged = &at->logged[range->actor];
    if (known->low == 0 || range->low < known->low || range->low > known->high)
        *known = (struct range){range->actor, range->low, range->low - 1};
    for (uint64_t seq = known->high + 1; seq <= range->high; seq++) {
        if (!holds(oracle, node, range->actor, seq) && (seq < logged->low || seq > logged->high) &&
            seq > at->raised[range->actor])
            return false;
    }
    if (range->high > known->high)
        known->high = range->high;
    return true;
}

static void check_report(struct oracle *oracle, uint32_t node, const struct frame *frame)
{
    struct msg_report report;
    if (!msg_report_decode(frame->body, &report)) {
        verdict_say(oracle->verdict, "I6", "node %u sent a report that cannot be read", node);
        return;
    }
    if ((report.flags & REPORT_DOUBT) != 0)
        return;
    promise_report(oracle, node, frame->epoch, &report);
    for (uint32_t i = 0; i < report.coverage.count; i++) {
        struct dot dot = report.coverage.entries[i];
        if (dot.actor < ORACLE_ACTORS_MAX && !may_cover(oracle, node, dot.actor, dot.seq))
            verdict_say(oracle->verdict, "I6",
                        "node %u reports coverage (%u,%llu); its log has all only up to %llu", node,
                        dot.actor, (unsigned long long)dot.seq,
                        (unsigned long long)oracle->nodes[node].cover[dot.actor]);
    }
    for (uint32_t i = 0; i < report.ranges.count; i++) {
        const struct range *range = &report.ranges.list[i];
        if (range->actor < ORACLE_ACTORS_MAX && !may_receipt(oracle, node, range))
            verdict_say(oracle->verdict, "I6",
                        "node %u receipts (%u,%llu to %llu), and its log does not have them all",
                        node, range->actor, (unsigned long long)range->low,
                        (unsigned long long)range->high);
    }
}

/* An acknowledgement that goes to a forwarder is judged as it was when it left, not when the client
 * hears of it: its writer may have lost its disk by then. */
static void vouch(struct oracle *oracle, uint32_t node, struct dot dot)
{
    struct hdot *at = &oracle->actors[dot.actor].dots[dot.seq];
    at->exposed = true;
    at->vouched = at->vouched || oracle->synced(oracle->arg, node, at->segment, at->end);
}

/* Who is alone in its shard names nothing: what it writes is stable at once. It is one of the last
 * that its log has: of those that it may have acknowledged, or said "not found" for. */
static void note_unnamed(struct oracle *oracle, uint32_t node, bool acknowledged)
{
    for (uint32_t i = 1; i < ORACLE_ACTORS_MAX; i++) {
        const struct hactor *actor = &oracle->actors[i];
        uint64_t least = actor->last > VOUCHED_MAX ? actor->last - VOUCHED_MAX : 0;
        for (uint64_t seq = actor->last; actor->node == node && seq > least; seq--) {
            if (!holds(oracle, node, i, seq))
                continue;
            if (acknowledged)
                vouch(oracle, node, (struct dot){i, seq});
            else if (oracle->writes[actor->dots[seq].write].tombstone)
                actor->dots[seq].exposed = true;
        }
    }
}

/* A read that goes to a forwarder: its client is told of what may be lost by then. */
static void note_read(struct oracle *oracle, uint32_t node, const struct msg_forward_reply *msg)
{
    uint32_t number = 0;
    if (msg->outcome == OUTCOME_NOT_FOUND)
        note_unnamed(oracle, node, false);
    if (msg->outcome == OUTCOME_FOUND)
        number = oracle__value_number(msg->value, msg->form == VALUE_RAW);
    if (number == 0 || number >= oracle->write_count)
        return;
    struct dot dot = oracle->writes[number].dot;
    if (dot.actor != 0 && holds(oracle, node, dot.actor, dot.seq))
        oracle->actors[dot.actor].dots[dot.seq].exposed = true;
}

static void note_vouched(struct oracle *oracle, uint32_t node, const struct msg_forward_reply *msg)
{
    note_read(oracle, node, msg);
    if (msg->copies == 1)
        note_unnamed(oracle, node, true);
    for (uint32_t i = 0; i < msg->ctx.seen.count; i++) {
        struct dot dot = msg->ctx.seen.entries[i];
        if (dot.actor >= ORACLE_ACTORS_MAX || oracle->actors[dot.actor].node != node ||
            !holds(oracle, node, dot.actor, dot.seq))
            continue;
        vouch(oracle, node, dot);
    }
}

void oracle_frame(struct oracle *oracle, uint32_t node, struct slice bytes)
{
    struct frame frame;
    if (!frame_decode(bytes, &frame)) {
        verdict_say(oracle->verdict, "I6", "node %u sent a damaged frame", node);
        return;
    }
    struct msg_data data;
    struct msg_walk_chunk chunk;
    struct msg_forward_reply reply;
    if (frame.type == MSG_DATA && msg_data_decode(frame.body, &data))
        check_records(oracle, node, "DATA", data.records);
    else if (frame.type == MSG_WALK_CHUNK && msg_walk_chunk_decode(frame.body, &chunk))
        check_records(oracle, node, "WALK_CHUNK", chunk.records);
    else if (frame.type == MSG_REPORT)
        check_report(oracle, node, &frame);
    else if (frame.type == MSG_FORWARD_REPLY && msg_forward_reply_decode(frame.body, &reply))
        note_vouched(oracle, node, &reply);
    else
        promise_register(oracle, node, &frame);
    decide_frame(oracle, node, &frame);
}
