/* test_corpus - the first inputs of fuzz_node: one sane message of every kind.
 *
 * Does:   builds them; with a folder as argument writes them there, else checks that what is
 *         built decodes.
 * Not:    fuzzing.
 * Holds:  the files in tests/fuzz/corpus/node are what this writes, until a format changes.
 * Limits: -
 * See:    tests/fuzz/fuzz_node.c for the form of an input.
 */
#include "replica/replica.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *folder;

/* Appends one frame action, from the connection that node 101 dialled. */
static void add(struct buf *out, uint8_t type, struct buf *body)
{
    buf_u8(out, 0);
    buf_u8(out, 0);
    buf_u8(out, type);
    buf_u16(out, (uint16_t)body->len);
    buf_append_slice(out, buf_slice(body));
    buf_reset(body);
}

static void add_tick(struct buf *out, uint8_t ms)
{
    buf_u8(out, 3);
    buf_u8(out, ms);
}

static void keep(const char *name, struct buf *input)
{
    assert_true(input->len > 4);
    if (folder != NULL) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(input->ptr, 1, input->len, file), input->len);
        fclose(file);
    }
    buf_reset(input);
}

static void add_version(struct buf *out, enum record_kind kind, uint64_t seq, uint64_t dep)
{
    struct buf deps = BUF_EMPTY;
    struct vv seen;
    vv_init(&seen);
    if (dep > 0)
        vv_set(&seen, 3, dep);
    deps_encode(&seen, &deps);
    struct version version = {.dot = {2, seq},
                              .hlc = hlc_from_ms(1000000) + seq,
                              .form = VALUE_JSON,
                              .deps = buf_slice(&deps),
                              .key = SLICE_LIT("k"),
                              .value = SLICE_LIT("1")};
    size_t begin = record_begin(out);
    version_encode(&version, out);
    record_end(kind, begin, out);
    buf_fini(&deps);
}

static void add_data(struct buf *input, uint64_t seq, uint64_t dep)
{
    struct buf body = BUF_EMPTY;
    struct buf records = BUF_EMPTY;
    add_version(&records, RECORD_ARRIVAL, seq, dep);
    struct msg_data msg = {.records = buf_slice(&records)};
    msg_data_encode(&msg, &body);
    add(input, MSG_DATA, &body);
    buf_fini(&records);
    buf_fini(&body);
}

static void streams_and_walks(void **state)
{
    (void)state;
    struct buf input = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    add_data(&input, 1, 0);
    add_data(&input, 2, 7); /* waits for its cause */
    add_tick(&input, 101);
    keep("data", &input);
    add_data(&input, 5, 0); /* above a gap */
    struct msg_report report = {
        .echo = 1, .actor = 2, .clock_seq = 5, .clock = hlc_from_ms(1000000)};
    vv_set(&report.coverage, 2, 9);
    ranges_set(&report.ranges, 1, 3, 4);
    msg_report_encode(&report, &body);
    add(&input, MSG_REPORT, &body);
    struct buf records = BUF_EMPTY;
    add_version(&records, RECORD_WALKED, 3, 0);
    struct msg_walk_chunk chunk = {0, 1, 1, buf_slice(&records)};
    msg_walk_chunk_encode(&chunk, &body);
    add(&input, MSG_WALK_CHUNK, &body);
    struct msg_walk_end end = {.walk = 1, .chunks = 1};
    vv_set(&end.coverage, 2, 9);
    msg_walk_end_encode(&end, &body);
    add(&input, MSG_WALK_END, &body);
    keep("walk_in", &input);
    add_data(&input, 1, 0);
    struct msg_walk_request request = {.walk = 4};
    msg_walk_request_encode(&request, &body);
    add(&input, MSG_WALK_REQUEST, &body);
    struct msg_walk_ack ack = {.walk = 4, .number = 1};
    msg_walk_ack_encode(&ack, &body);
    add(&input, MSG_WALK_ACK, &body);
    struct msg_walk_stop stop = {.walk = 4};
    msg_walk_stop_encode(&stop, &body);
    add(&input, MSG_WALK_STOP, &body);
    keep("walk_out", &input);
    buf_fini(&records);
    buf_fini(&body);
    buf_fini(&input);
}

static void calls(void **state)
{
    (void)state;
    struct buf input = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    struct msg_forward forward = {.id = 5,
                                  .op = 2,
                                  .form = VALUE_JSON,
                                  .hops = 1,
                                  .wait_ms = 50,
                                  .key = SLICE_LIT("k"),
                                  .value = SLICE_LIT("2")};
    forward.ctx.lineage = 42;
    vv_set(&forward.ctx.seen, 2, 3);
    msg_forward_encode(&forward, &body);
    add(&input, MSG_FORWARD, &body);
    add_tick(&input, 101);
    struct msg_forward_reply reply = {
        .id = UINT64_C(1) << 32, .outcome = 1, .form = VALUE_JSON, .value = SLICE_LIT("2")};
    msg_forward_reply_encode(&reply, &body);
    add(&input, MSG_FORWARD_REPLY, &body);
    struct msg_calls_heard heard = {.first = 1, .generation = 1, .calls = 3};
    msg_calls_heard_encode(&heard, &body);
    add(&input, MSG_CALLS_HEARD, &body);
    struct msg_stable stable = {.shard = 0, .epoch = 1};
    msg_stable_encode(&stable, &body);
    add(&input, MSG_STABLE, &body);
    keep("calls", &input);
    buf_fini(&body);
    buf_fini(&input);
}

static void ballots(void **state)
{
    (void)state;
    struct buf input = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    struct msg_prepare prepare = {2, 1, 101};
    msg_prepare_encode(&prepare, &body);
    add(&input, MSG_PREPARE, &body);
    struct msg_accept accept = {2, 1, 101, SLICE_LIT("value")};
    msg_accept_encode(&accept, &body);
    add(&input, MSG_ACCEPT, &body);
    struct msg_refuse refuse = {1, SLICE_LIT("no")};
    msg_refuse_encode(&refuse, &body);
    add(&input, MSG_REFUSE, &body);
    struct msg_config config = {SLICE_LIT("none")};
    msg_config_encode(&config, &body);
    add(&input, MSG_CONFIG, &body);
    keep("ballots", &input);
    buf_fini(&body);
    buf_fini(&input);
}

int main(int argc, char **argv)
{
    folder = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_walks),
        cmocka_unit_test(calls),
        cmocka_unit_test(ballots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
