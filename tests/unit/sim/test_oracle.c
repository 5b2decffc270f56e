/* test_oracle - the judge is judged: histories made by hand, right ones and wrong ones.
 *
 * Does:   for each rule of the oracle one history that keeps it and one that breaks it.
 * Not:    nodes.
 * Holds:  O1, O2 of oracle.h.
 * Limits: -
 * See:    src/sim/oracle.h; docs/protocol.md section 2.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct court {
    struct verdict verdict; /* what was found */
    struct oracle oracle;   /* under test */
    struct past *fresh;     /* of a client that has seen nothing */
    bool synced;            /* what the disk says */
    uint64_t offset;        /* where the log of node 0 ends */
};

static bool on_synced(void *arg, uint32_t node, uint64_t segment, uint64_t end)
{
    struct court *court = arg;
    assert_true(segment == 1 && end > 0 && node < 3);
    return court->synced;
}

static void open_court(struct court *court)
{
    struct rng rng;
    rng_init(&rng, 1);
    memset(court, 0, sizeof *court);
    oracle_init(&court->oracle, &court->verdict, 4, &rng);
    court->oracle.synced = on_synced;
    court->oracle.arg = court;
    court->fresh = past_new(4);
}

static void close_court(struct court *court, const char *invariant)
{
    if (invariant == NULL && court->verdict.bad)
        fail_msg("%s: %s", court->verdict.invariant, court->verdict.text);
    if (invariant != NULL)
        assert_string_equal(court->verdict.invariant, invariant);
    past_unref(court->fresh);
    oracle_fini(&court->oracle);
}

/* The record of a write: of the client's number `write`, or of a tombstone of `key` for 0. */
static void record_of(struct court *court, enum record_kind kind, uint32_t write, uint32_t key,
                      struct dot dot, uint64_t hlc, struct buf *out)
{
    struct buf value = BUF_EMPTY;
    if (write != 0)
        oracle_value(&court->oracle, write, &value);
    const struct hkey *at = &court->oracle.keys[key];
    struct version version = {.dot = dot,
                              .hlc = hlc,
                              .form = write != 0 ? VALUE_JSON : VALUE_TOMBSTONE,
                              .key = slice_of(at->text, at->len),
                              .value = buf_slice(&value)};
    size_t begin = record_begin(out);
    version_encode(&version, out);
    record_end(kind, begin, out);
    buf_fini(&value);
}

static void commit_as(struct court *court, enum record_kind kind, uint32_t node, uint32_t write,
                      uint32_t key, struct dot dot, uint64_t hlc)
{
    struct buf bytes = BUF_EMPTY;
    record_of(court, kind, write, key, dot, hlc, &bytes);
    oracle_committed(&court->oracle, node, 1, court->offset, buf_slice(&bytes), false);
    court->offset += bytes.len;
    buf_fini(&bytes);
}

static void commit(struct court *court, uint32_t node, uint32_t write, uint32_t key, struct dot dot,
                   uint64_t hlc)
{
    commit_as(court, RECORD_ARRIVAL, node, write, key, dot, hlc);
}

static uint32_t put(struct court *court, uint32_t key, struct past *past)
{
    uint32_t write = oracle_put(&court->oracle, key, 7, 12, false);
    oracle_put_past(&court->oracle, write, past);
    return write;
}

static struct past *answer(struct court *court, enum op op, uint32_t key, uint32_t write,
                           struct past *past, const struct reply *reply)
{
    struct asked asked = {
        .op = op, .key = key, .write = write, .session = 7, .node = 1, .past = past};
    return oracle_answer(&court->oracle, &asked, reply);
}

static struct past *acked(struct court *court, uint32_t key, uint32_t write, struct past *past,
                          uint32_t copies)
{
    struct reply reply = {.outcome = OUTCOME_CREATED, .copies = copies};
    return answer(court, OP_PUT, key, write, past, &reply);
}

static struct past *found(struct court *court, uint32_t key, uint32_t write, struct past *past)
{
    struct buf value = BUF_EMPTY;
    oracle_value(&court->oracle, write, &value);
    struct reply reply = {.outcome = OUTCOME_FOUND, .form = VALUE_JSON, .value = buf_slice(&value)};
    struct past *next = answer(court, OP_GET, key, 0, past, &reply);
    buf_fini(&value);
    return next;
}

static struct past *missing(struct court *court, uint32_t key, struct past *past)
{
    struct reply reply = {.err = E_KEY_MISSING, .outcome = OUTCOME_NOT_FOUND};
    return answer(court, OP_GET, key, 0, past, &reply);
}

/* Two writes of key 0, the second after the first, in two logs each. */
static void two_writes(struct court *court, uint32_t writes[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        writes[i] = put(court, 0, court->fresh);
        commit(court, 0, writes[i], 0, (struct dot){1, i + 1}, 100 + i);
        commit(court, 1, writes[i], 0, (struct dot){1, i + 1}, 100 + i);
    }
}

static void test_stale_read(void **state)
{
    (void)state;
    for (uint32_t wrong = 0; wrong < 2; wrong++) {
        struct court court;
        uint32_t writes[2];
        open_court(&court);
        two_writes(&court, writes);
        struct past *after = acked(&court, 0, writes[1], court.fresh, 2);
        past_unref(found(&court, 0, writes[wrong == 1 ? 0 : 1], after));
        past_unref(after);
        close_court(&court, wrong == 1 ? "I1" : NULL);
    }
}

/* y depends on x: who has read y must not miss x, on another key. */
static void test_transitive(void **state)
{
    (void)state;
    for (uint32_t wrong = 0; wrong < 2; wrong++) {
        struct court court;
        uint32_t writes[2];
        open_court(&court);
        two_writes(&court, writes);
        struct past *seen = found(&court, 0, writes[1], court.fresh);
        uint32_t effect = put(&court, 2, seen);
        commit(&court, 2, effect, 2, (struct dot){3, 1}, 50);
        struct past *other = found(&court, 2, effect, court.fresh);
        past_unref(found(&court, 0, writes[wrong == 1 ? 0 : 1], other));
        past_unref(other);
        past_unref(seen);
        close_court(&court, wrong == 1 ? "I1" : NULL);
    }
}

static void test_missing(void **state)
{
    (void)state;
    for (uint32_t wrong = 0; wrong < 2; wrong++) {
        struct court court;
        uint32_t writes[2];
        open_court(&court);
        two_writes(&court, writes);
        if (wrong == 0)
            commit(&court, 0, 0, 0, (struct dot){1, 3}, 102);
        struct past *seen = found(&court, 0, writes[1], court.fresh);
        struct past *gone = missing(&court, 0, seen);
        if (wrong == 0) { /* having seen it gone, nothing older may be seen again */
            past_unref(found(&court, 0, writes[1], gone));
            assert_true(court.verdict.bad);
            court.verdict.bad = false;
        }
        past_unref(gone);
        past_unref(seen);
        close_court(&court, wrong == 1 ? "I1" : NULL);
    }
}

static void test_acknowledged(void **state)
{
    (void)state;
    for (uint32_t how = 0; how < 4; how++) { /* 0 two logs; 1 one synced; 2 one; 3 none */
        struct court court;
        open_court(&court);
        court.synced = how == 1;
        uint32_t write = put(&court, 0, court.fresh);
        if (how < 3)
            commit(&court, 0, write, 0, (struct dot){1, 1}, 100);
        if (how == 0)
            commit(&court, 1, write, 0, (struct dot){1, 1}, 100);
        past_unref(acked(&court, 0, write, court.fresh, how == 0 ? 2 : 1));
        close_court(&court, how < 2 ? NULL : "I5");
    }
}

static void test_dots(void **state)
{
    (void)state;
    for (uint32_t how = 0; how < 3; how++) { /* 0 right; 1 one dot twice; 2 one request twice */
        struct court court;
        uint32_t writes[2];
        open_court(&court);
        two_writes(&court, writes);
        uint32_t third = put(&court, 1, court.fresh);
        commit(&court, 0, third, 1, (struct dot){1, how == 1 ? 2 : 3}, 103);
        if (how == 2)
            commit(&court, 2, third, 1, (struct dot){3, 1}, 104);
        close_court(&court, how == 0 ? NULL : "I6");
    }
}

static void test_frames(void **state)
{
    (void)state;
    for (uint32_t node = 0; node < 2; node++) { /* node 1 does not have it */
        struct court court;
        open_court(&court);
        uint32_t write = put(&court, 0, court.fresh);
        commit(&court, 0, write, 0, (struct dot){1, 1}, 100);
        struct buf records = BUF_EMPTY;
        struct buf bytes = BUF_EMPTY;
        record_of(&court, RECORD_ARRIVAL, write, 0, (struct dot){1, 1}, 100, &records);
        struct msg_data msg = {.records = buf_slice(&records)};
        size_t begin = frame_begin(&bytes);
        msg_data_encode(&msg, &bytes);
        frame_end(begin, MSG_DATA, 1, 1, &bytes);
        oracle_frame(&court.oracle, node, buf_slice(&bytes));
        buf_fini(&records);
        buf_fini(&bytes);
        close_court(&court, node == 0 ? NULL : "I6");
    }
}

static void test_reports(void **state)
{
    (void)state;
    for (uint64_t claim = 2; claim < 4; claim++) { /* two are there */
        struct court court;
        uint32_t writes[2];
        open_court(&court);
        two_writes(&court, writes);
        struct msg_report report = {.echo = 1};
        assert_true(vv_set(&report.coverage, 1, claim));
        struct buf bytes = BUF_EMPTY;
        size_t begin = frame_begin(&bytes);
        msg_report_encode(&report, &bytes);
        frame_end(begin, MSG_REPORT, 1, 1, &bytes);
        oracle_frame(&court.oracle, 1, buf_slice(&bytes));
        buf_fini(&bytes);
        close_court(&court, claim == 2 ? NULL : "I6");
    }
}

/* Purpose: what a node has of slots that it has left is on its way out, whatever its log repeats.
 * Method:  two nodes have a write, both leave its slot, a checkpoint of one repeats it; then it is
 *          brought to that one again. What that one took just before it left is committed after it.
 * Pass:    both are lost when both have left, and the first not any more when it was brought.
 * Holds:   I5. */
static void test_slots_left(void **state)
{
    (void)state;
    struct court court;
    struct slotset slots;
    open_court(&court);
    uint32_t write = put(&court, 0, court.fresh);
    struct dot dot = {1, 1};
    slotset_init(&slots);
    slotset_add(&slots, court.oracle.keys[0].slot);
    commit(&court, 0, write, 0, dot, 100);
    commit(&court, 1, write, 0, dot, 100);
    oracle_leave(&court.oracle, 0, &slots);
    assert_false(oracle_lost(&court.oracle, write));
    oracle_leave(&court.oracle, 1, &slots);
    commit_as(&court, RECORD_DUMP, 0, write, 0, dot, 100);
    assert_true(oracle_lost(&court.oracle, write));
    uint32_t last = put(&court, 0, court.fresh);
    commit(&court, 0, last, 0, (struct dot){1, 2}, 101); /* logged before it left (2114050) */
    assert_true(oracle_lost(&court.oracle, last));
    oracle_enter(&court.oracle, 0, &slots);
    assert_true(oracle_lost(&court.oracle, write));
    commit_as(&court, RECORD_WALKED, 0, write, 0, dot, 100);
    assert_false(oracle_lost(&court.oracle, write));
    close_court(&court, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale_read), cmocka_unit_test(test_transitive),
        cmocka_unit_test(test_missing),    cmocka_unit_test(test_acknowledged),
        cmocka_unit_test(test_dots),       cmocka_unit_test(test_frames),
        cmocka_unit_test(test_reports),    cmocka_unit_test(test_slots_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
