/* test_conn - the life of a connection: order of answers, limits on work, stopping, memory.
 *
 * Does:   pipelining answered in random order; back-pressure; what it says that it waits for; ids
 *         of calls; HEAD; stopping; output taken or consumed.
 * Not:    streams of bytes and their verdicts: test_streams.c.
 * Holds:  H2, H3, H4, K2, K3.
 * Limits: -
 * See:    src/http/conn.h.
 */
#include "drive.h"

/* ---- HEAD ---- */

static void head_has_no_body(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct drive drive;
    struct slice in = SLICE_LIT("HEAD /kvs/a" V11 H "\r\nHEAD /view" V11 H "\r\nHEAD /nope" V11 H
                                "\r\nHEAD /openapi.json" V11 H "\r\nHEAD /kvs/" V11 H "\r\n");
    static const int statuses[] = {200, 200, 404, 200, 400};
    drive_run(&drive, &limits, in, (struct cut){0, 0}, false);
    struct slice rest = buf_slice(&drive.output);
    struct seen seen;
    for (size_t i = 0; i < 5; i++) {
        assert_true(seen_next(&rest, true, &seen));
        assert_int_equal(seen.status, statuses[i]);
        assert_int_not_equal(seen_header(&seen, "Content-Length").len, 0);
    }
    assert_int_equal(rest.len, 0);
    expect_text(buf_slice(&drive.called), "GET a;VIEW");
    drive_compare(&limits, in, (struct cut){0, 1}, true);
    drive_fini(&drive);
}

/* ---- Order ---- */

/* Requests 0 … count-1 for keys of that name. */
static void put_gets(struct buf *in, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_append_slice(in, SLICE_LIT("GET /kvs/"));
        buf_decimal(in, i);
        buf_append_slice(in, SLICE_LIT(V11 H "\r\n"));
    }
}

static void reply_value(struct http_conn *conn, uint64_t id, struct slice value)
{
    struct reply reply = {.id = id, .outcome = OUTCOME_FOUND, .form = VALUE_JSON, .value = value};
    assert_true(http_conn_reply(conn, &reply));
    assert_false(http_conn_reply(conn, &reply));
    http_conn_check(conn);
}

/* Answers come in any order, with the key as the value; they must go out in order. */
static void answers_go_out_in_order(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct http_limits limits = drive_limits();
    for (int round = 0; round < 300; round++) {
        struct http_conn *conn = http_conn_new(&limits, 5);
        struct buf in = BUF_EMPTY;
        struct buf want = BUF_EMPTY;
        struct buf out = BUF_EMPTY;
        uint64_t ids[60];
        uint8_t keys[60];
        uint32_t open = 0;
        put_gets(&in, 60);
        http_conn_feed(conn, buf_slice(&in));
        struct http_call call;
        while (http_conn_next(conn, &call)) {
            keys[open] = (uint8_t)open;
            ids[open++] = call.id;
        }
        assert_int_equal(open, 60);
        while (open > 0) {
            uint32_t i = (uint32_t)rng_below(&rng, open);
            char text[4];
            int len = snprintf(text, sizeof(text), "%u", keys[i]);
            reply_value(conn, ids[i], slice_of(text, (size_t)len));
            ids[i] = ids[--open];
            keys[i] = keys[open];
            struct slice output = http_conn_output(conn);
            size_t take = rng_below(&rng, output.len + 1);
            buf_append(&out, output.ptr, take);
            http_conn_consume(conn, take);
        }
        buf_append_slice(&out, http_conn_output(conn));
        struct slice rest = buf_slice(&out);
        struct seen seen;
        for (uint32_t i = 0; i < 60; i++) {
            assert_true(seen_next(&rest, false, &seen));
            buf_reset(&want);
            buf_append_slice(&want, SLICE_LIT("{\"result\":\"found\",\"value\":"));
            buf_decimal(&want, i);
            buf_u8(&want, '}');
            assert_true(slice_equal(seen.body, buf_slice(&want)));
        }
        assert_int_equal(rest.len, 0);
        buf_fini(&in);
        buf_fini(&out);
        buf_fini(&want);
        http_conn_free(conn);
    }
}

static void calls_are_limited(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    limits.calls_max = 3;
    struct http_conn *conn = http_conn_new(&limits, 5);
    struct buf in = BUF_EMPTY;
    put_gets(&in, 6);
    http_conn_feed(conn, buf_slice(&in));
    struct http_call calls[6];
    for (int i = 0; i < 3; i++)
        assert_true(http_conn_next(conn, &calls[i]));
    assert_false(http_conn_next(conn, &calls[3]));
    assert_int_equal(calls[3].kind, HTTP_NONE);
    /* The second one frees no slot: the first has to go before. */
    reply_value(conn, calls[1].id, SLICE_LIT("1"));
    assert_false(http_conn_next(conn, &calls[3]));
    assert_int_equal(http_conn_output(conn).len, 0);
    reply_value(conn, calls[0].id, SLICE_LIT("1"));
    assert_true(http_conn_next(conn, &calls[3]));
    assert_true(http_conn_next(conn, &calls[4]));
    assert_false(http_conn_next(conn, &calls[5]));
    buf_fini(&in);
    http_conn_free(conn);
}

/* A client that does not read its answers is not given more. */
static void output_is_limited(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    limits.output_bytes_max = 300;
    struct http_conn *conn = http_conn_new(&limits, 5);
    struct buf in = BUF_EMPTY;
    for (int i = 0; i < 1000; i++)
        buf_append_slice(&in, SLICE_LIT("GET /nope" V11 H "\r\n"));
    http_conn_feed(conn, buf_slice(&in));
    struct http_call call;
    size_t all = 0;
    int rounds = 0;
    while (true) {
        assert_false(http_conn_next(conn, &call));
        struct slice output = http_conn_output(conn);
        if (output.len == 0)
            break;
        assert_true(output.len < 300 + 300);
        all += output.len;
        rounds++;
        http_conn_consume(conn, output.len);
    }
    assert_true(rounds > 100);
    assert_int_equal(all % 1000, 0);
    buf_fini(&in);
    http_conn_free(conn);
}

/* ---- Questions of the server ---- */

static void what_it_waits_for(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct http_conn *conn = http_conn_new(&limits, 5);
    struct http_call call;
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_IDLE);
    http_conn_feed(conn, SLICE_LIT("\r\n"));
    assert_false(http_conn_next(conn, &call));
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_IDLE);
    http_conn_feed(conn, SLICE_LIT("PUT /kvs/a" V11));
    assert_false(http_conn_next(conn, &call));
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_HEAD);
    assert_int_equal(http_conn_waits(conn).bytes, 21);
    assert_int_equal(http_conn_waits(conn).message, 1);
    http_conn_feed(conn, SLICE_LIT(H "Content-Length: 11\r\n\r\n{\"va"));
    assert_false(http_conn_next(conn, &call));
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_BODY);
    assert_int_equal(http_conn_waits(conn).bytes, 21 + 9 + 22 + 4);
    http_conn_feed(conn, SLICE_LIT("lue\":1}"));
    assert_true(http_conn_next(conn, &call));
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_REPLY);
    assert_int_equal(http_conn_waits(conn).replies, 1);
    assert_int_equal(http_conn_waits(conn).bytes, 0);
    assert_int_equal(http_conn_waits(conn).message, 2);
    reply_value(conn, call.id, SLICE_LIT("1"));
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_SEND);
    http_conn_consume(conn, http_conn_output(conn).len);
    assert_int_equal(http_conn_waits(conn).what, HTTP_WAIT_IDLE);
    http_conn_free(conn);
}

static void calls_under_way(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct http_conn *conn = http_conn_new(&limits, 5);
    struct http_call calls[4];
    uint64_t ids[HTTP_CALLS_MAX];
    assert_int_equal(http_conn_under_way(conn, ids), 0);
    http_conn_feed(conn, SLICE_LIT("GET /kvs/a" V11 H "\r\nGET /view" V11 H "\r\nGET /kvs/b" V11 H
                                   "\r\nGET /nope" V11 H "\r\nGET /kvs/c" V11 H "\r\n"));
    for (int i = 0; i < 4; i++)
        assert_true(http_conn_next(conn, &calls[i]));
    assert_int_equal(http_conn_under_way(conn, ids), 3);
    assert_int_equal(ids[0], calls[0].id);
    assert_int_equal(ids[1], calls[2].id);
    assert_int_equal(ids[2], calls[3].id);
    reply_value(conn, calls[2].id, SLICE_LIT("1"));
    assert_int_equal(http_conn_under_way(conn, ids), 2);
    /* Answers for somebody else, and for nobody. */
    struct reply reply = {.id = calls[0].id + 77, .outcome = OUTCOME_FOUND};
    assert_false(http_conn_reply(conn, &reply));
    reply.id = UINT64_C(6) << HTTP_CALL_BITS;
    assert_false(http_conn_reply(conn, &reply));
    reply.id = calls[3].id - 1; /* the 404: never handed out */
    assert_false(http_conn_reply(conn, &reply));
    assert_true(http_conn_refuse(conn, calls[0].id, E_BUSY, SLICE_LIT("quite")));
    assert_false(http_conn_refuse(conn, calls[0].id, E_BUSY, SLICE_EMPTY));
    struct slice rest = http_conn_output(conn);
    struct seen seen;
    assert_true(seen_next(&rest, false, &seen));
    assert_int_equal(seen.status, 429);
    expect_text(seen_header(&seen, "Retry-After"), "1");
    http_conn_free(conn);
}

/* Numbers of calls wrap around at 2^16; nobody is mixed up. */
static void call_numbers_wrap(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    limits.calls_max = 4;
    struct http_conn *conn = http_conn_new(&limits, UINT64_C(0xFFFFFFFFFFFF));
    for (uint32_t i = 0; i < 70000; i++) {
        struct http_call call;
        http_conn_feed(conn, SLICE_LIT("GET /kvs/a" V11 H "\r\n"));
        assert_true(http_conn_next(conn, &call));
        assert_int_equal(call.id & 0xFFFF, i & 0xFFFF);
        assert_int_equal(http_call_session(call.id), UINT64_C(0xFFFFFFFFFFFF));
        reply_value(conn, call.id, SLICE_LIT("1"));
        http_conn_consume(conn, http_conn_output(conn).len);
    }
    http_conn_free(conn);
}

static void stopping(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct http_call call;
    /* idle: at once */
    struct http_conn *conn = http_conn_new(&limits, 5);
    http_conn_stop(conn);
    assert_true(http_conn_wants_close(conn));
    http_conn_free(conn);
    /* a call under way is answered, and its answer is the last; half a head is dropped */
    conn = http_conn_new(&limits, 5);
    http_conn_feed(conn, SLICE_LIT("GET /kvs/a" V11 H "\r\nGET /kv"));
    assert_true(http_conn_next(conn, &call));
    assert_false(http_conn_next(conn, &(struct http_call){.kind = HTTP_NONE}));
    http_conn_stop(conn);
    assert_false(http_conn_wants_close(conn));
    reply_value(conn, call.id, SLICE_LIT("1"));
    struct slice rest = http_conn_output(conn);
    struct seen seen;
    assert_true(seen_next(&rest, false, &seen));
    expect_text(seen_header(&seen, "Connection"), "close");
    assert_false(http_conn_wants_close(conn));
    http_conn_consume(conn, http_conn_output(conn).len);
    assert_true(http_conn_wants_close(conn));
    http_conn_free(conn);
    /* half a body: 503 */
    conn = http_conn_new(&limits, 5);
    http_conn_feed(conn, SLICE_LIT("PUT /kvs/a" V11 H "Content-Length: 11\r\n\r\n{\"va"));
    assert_false(http_conn_next(conn, &call));
    http_conn_stop(conn);
    rest = http_conn_output(conn);
    assert_true(seen_next(&rest, false, &seen));
    assert_int_equal(seen.status, 503);
    expect_text(seen_header(&seen, "Connection"), "close");
    http_conn_free(conn);
}

/* Taking the output gives the same bytes as reading it, and memory goes round. */
static void output_can_be_taken(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct http_conn *conn = http_conn_new(&limits, 5);
    struct buf taken = BUF_EMPTY;
    struct http_call call;
    for (int round = 0; round < 3; round++) {
        http_conn_feed(conn, SLICE_LIT("GET /nope" V11 H "\r\nGET /nope" V11 H "\r\n"));
        assert_false(http_conn_next(conn, &call));
        struct slice output = http_conn_output(conn);
        size_t sent = output.len / 3;
        uint8_t *want = mem_dup(output.ptr + sent, output.len - sent);
        size_t len = output.len - sent;
        http_conn_consume(conn, sent);
        buf_reset(&taken);
        http_conn_take_output(conn, &taken);
        assert_true(slice_equal(buf_slice(&taken), slice_of(want, len)));
        assert_int_equal(http_conn_output(conn).len, 0);
        mem_free(want);
    }
    buf_fini(&taken);
    http_conn_free(conn);
}

/* Megabytes pass through; afterwards the connection is small again. */
static void large_values_leave_no_memory_behind(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct http_conn *conn = http_conn_new(&limits, 5);
    size_t small = http_conn_memory(conn);
    struct buf in = BUF_EMPTY;
    size_t len = 5U << 20;
    buf_append_slice(&in, SLICE_LIT("PUT /kvs/a" V11 H "Content-Type: x/y\r\nContent-Length: "));
    buf_decimal(&in, len);
    buf_append_slice(&in, SLICE_LIT("\r\n\r\n"));
    memset(buf_grow(&in, len), 'x', len);
    struct http_call call = {.kind = HTTP_NONE};
    for (size_t at = 0; at < in.len; at += 65536) {
        size_t step = in.len - at < 65536 ? in.len - at : 65536;
        assert_false(call.kind == HTTP_NODE);
        http_conn_feed(conn, slice_of(in.ptr + at, step));
        http_conn_next(conn, &call);
    }
    assert_int_equal(call.kind, HTTP_NODE);
    assert_int_equal(call.request.value.len, len + 4);
    struct reply reply = {.id = call.id, .outcome = OUTCOME_FOUND, .form = VALUE_RAW};
    reply.value = call.request.value;
    assert_true(http_conn_reply(conn, &reply));
    struct slice rest = http_conn_output(conn);
    struct seen seen;
    assert_true(seen_next(&rest, false, &seen));
    assert_int_equal(seen.body.len, len);
    assert_true(http_conn_memory(conn) > 2 * len);
    http_conn_consume(conn, http_conn_output(conn).len);
    assert_false(http_conn_next(conn, &call));
    assert_true(http_conn_memory(conn) < small + (1U << 17));
    buf_fini(&in);
    http_conn_free(conn);
}

/* ---- The end ---- */

/* After the answer that closes, nothing is taken and nothing is said. */
static void nothing_follows_the_last_answer(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct drive drive;
    drive_init(&drive, &limits);
    drive_feed(&drive, SLICE_LIT("GET /kvs/a" V11 H "Connection: close\r\n\r\n"));
    assert_true(drive.closed);
    assert_false(http_conn_wants_input(drive.conn));
    size_t before = drive.output.len;
    drive_feed(&drive, SLICE_LIT(OK_AFTER OK_AFTER));
    assert_int_equal(drive.output.len, before);
    expect_text(buf_slice(&drive.called), "GET a");
    drive_fini(&drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_follows_the_last_answer),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(answers_go_out_in_order),
        cmocka_unit_test(calls_are_limited),
        cmocka_unit_test(output_is_limited),
        cmocka_unit_test(what_it_waits_for),
        cmocka_unit_test(calls_under_way),
        cmocka_unit_test(call_numbers_wrap),
        cmocka_unit_test(stopping),
        cmocka_unit_test(output_can_be_taken),
        cmocka_unit_test(large_values_leave_no_memory_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
