/* test_client - a client against nodes that lie, stall, hang up and stutter.
 *
 * Does:   retries, unknown outcomes, tokens, time-outs, moving to other nodes: C1 to C3.
 * Not:    real nodes.
 * Holds:  -
 * Limits: -
 * See:    client/client.h, fake.h.
 */
#include "client/client.h"

#include "sys/sys.h"
#include "unit/client/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ANSWER(status, length, body)                                                               \
    "HTTP/1.1 " status " X\r\nContent-Length: " length "\r\n\r\n" body
#define GOOD ANSWER("200", "2", "{}")
#define NOT_COVERED ANSWER("503", "30", "{\"error\":\"x\",\"waiting-for\":[]}")
#define NOT_READY ANSWER("503", "13", "{\"error\":\"x\"}")
#define OUTCOME_UNKNOWN_503 ANSWER("503", "33", "{\"error\":\"x\",\"outcome\":\"unknown\"}")

/* One request at one or two fakes, and what came of it. */
struct result {
    struct client_answer answer; /* its body is copied below */
    char body[256];              /* NUL-terminated */
    uint64_t took_ms;            /* by the clock */
};

static void quick(struct client_options *options)
{
    client_options_init(options);
    options->attempt_ms_max = 5000;
}

static void add(struct client *client, const char *address)
{
    struct buf why = BUF_EMPTY;
    uint32_t index;
    assert_true(client_add_node(client, address, &index, &why));
    buf_fini(&why);
}

static struct client_ask ask_for(enum client_verb verb, struct client_session *session)
{
    return (struct client_ask){.verb = verb,
                               .target = SLICE_LIT("/kvs/a"),
                               .body =
                                   verb == CLIENT_PUT ? SLICE_LIT("{\"value\":1}") : SLICE_EMPTY,
                               .session = session,
                               .node = 0,
                               .avoid = CLIENT_ANY,
                               .wait_ms = UINT64_MAX};
}

static void take_one(struct client *client, struct result *result)
{
    while (!client_take(client, &result->answer)) {
        client_poll(client, 1000);
        client_check(client);
    }
    size_t len = result->answer.body.len < 255 ? result->answer.body.len : 255;
    if (len > 0)
        memcpy(result->body, result->answer.body.ptr, len);
    result->body[len] = '\0';
}

static void ask_one(struct client *client, enum client_verb verb, struct client_session *session,
                    struct result *result)
{
    struct client_ask ask = ask_for(verb, session);
    uint64_t began_ms = machine_mono_ms();
    uint64_t id = client_start(client, &ask);
    take_one(client, result);
    assert_int_equal(result->answer.id, id);
    assert_int_equal(client_under_way(client), 0);
    result->took_ms = machine_mono_ms() - began_ms;
}

/* One node with a script, one request. Leaves how many requests the node saw in *seen. */
static void play(const struct fake_step *steps, enum client_verb verb, struct result *result,
                 size_t *seen)
{
    struct client_options options;
    struct fake fake;
    quick(&options);
    fake_start(&fake, steps, NULL, NULL);
    struct client *client = client_new(&options);
    add(client, fake.address);
    ask_one(client, verb, NULL, result);
    client_free(client);
    fake_stop(&fake);
    *seen = fake.requests;
    fake_fini(&fake);
}

static void test_answers(void **state)
{
    (void)state;
    static const struct fake_step good[] = {{FAKE_ANSWER, GOOD}, {FAKE_END, NULL}};
    static const struct fake_step dribble[] = {
        {FAKE_DRIBBLE, "HTTP/1.1 404 Not Found\r\ncontent-LENGTH:  5 \r\n\r\nhello"},
        {FAKE_END, NULL}};
    static const struct fake_step interim[] = {{FAKE_ANSWER, "HTTP/1.1 100 Continue\r\n\r\n" GOOD},
                                               {FAKE_END, NULL}};
    struct result result;
    size_t seen;
    play(good, CLIENT_GET, &result, &seen);
    assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
    assert_int_equal(result.answer.status, 200);
    assert_string_equal(result.body, "{}");
    play(dribble, CLIENT_PUT, &result, &seen);
    assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
    assert_int_equal(result.answer.status, 404);
    assert_string_equal(result.body, "hello");
    play(interim, CLIENT_GET, &result, &seen);
    assert_int_equal(result.answer.status, 200);
    assert_int_equal(seen, 1);
}

static void test_503_then_200(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {{FAKE_ANSWER, NOT_COVERED},
                                             {FAKE_ANSWER, NOT_READY},
                                             {FAKE_ANSWER, GOOD},
                                             {FAKE_END, NULL}};
    for (enum client_verb verb = CLIENT_GET; verb <= CLIENT_DELETE; verb++) {
        if (verb == CLIENT_HEAD)
            continue; /* these answers have bodies */
        struct result result;
        size_t seen;
        play(steps, verb, &result, &seen);
        assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
        assert_int_equal(result.answer.status, 200);
        assert_int_equal(result.answer.retries, 2);
        assert_int_equal(seen, 3);
        assert_true(result.took_ms >= 10 + 20);
    }
}

/* 10 + 20 + ... + 640 ms: seven retries, and then what the node said is the answer. */
static void test_503_for_ever(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {FAKE_ANSWER, NOT_READY}, {FAKE_ANSWER, NOT_READY}, {FAKE_ANSWER, NOT_READY},
        {FAKE_ANSWER, NOT_READY}, {FAKE_ANSWER, NOT_READY}, {FAKE_ANSWER, NOT_READY},
        {FAKE_ANSWER, NOT_READY}, {FAKE_ANSWER, NOT_READY}, {FAKE_END, NULL}};
    struct result result;
    size_t seen;
    play(steps, CLIENT_PUT, &result, &seen);
    assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
    assert_int_equal(result.answer.status, 503);
    assert_int_equal(result.answer.retries, 7);
    assert_int_equal(seen, 8);
    assert_true(result.took_ms >= 1270);
}

/* Retry-After shortens a pause and never lengthens it. */
static void test_retry_after(void **state)
{
    (void)state;
#define WITH(after)                                                                                \
    "HTTP/1.1 503 X\r\nRetry-After: " after "\r\nContent-Length: 13\r\n\r\n{\"error\":\"x\"}"
    static const struct fake_step zero[] = {
        {FAKE_ANSWER, WITH("0")}, {FAKE_ANSWER, WITH("0")}, {FAKE_ANSWER, WITH("0")},
        {FAKE_ANSWER, WITH("0")}, {FAKE_ANSWER, WITH("0")}, {FAKE_ANSWER, WITH("0")},
        {FAKE_ANSWER, WITH("0")}, {FAKE_ANSWER, GOOD},      {FAKE_END, NULL}};
    static const struct fake_step hour[] = {
        {FAKE_ANSWER, WITH("3600")}, {FAKE_ANSWER, GOOD}, {FAKE_END, NULL}};
#undef WITH
    struct result result;
    size_t seen;
    play(zero, CLIENT_GET, &result, &seen);
    assert_int_equal(result.answer.status, 200);
    assert_int_equal(result.answer.retries, 7);
    assert_true(result.took_ms < 1270);
    play(hour, CLIENT_GET, &result, &seen);
    assert_int_equal(result.answer.status, 200);
}

static void test_unknown_is_never_sent_again(void **state)
{
    (void)state;
    static const struct fake_step scripts[][2] = {
        {{FAKE_ANSWER, OUTCOME_UNKNOWN_503}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, ANSWER("503", "4", "oops")}, {FAKE_END, NULL}}, /* who said that? */
        {{FAKE_ANSWER, ANSWER("500", "2", "{}")}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, ANSWER("502", "0", "")}, {FAKE_END, NULL}},
        {{FAKE_CUT, NULL}, {FAKE_END, NULL}},
        {{FAKE_CUT, "HTTP/1.1 201 Created\r\nContent-Le"}, {FAKE_END, NULL}},
        {{FAKE_CUT, ANSWER("201", "20", "{\"result\"")}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, "SSH-2.0-OpenSSH_9.2\r\n"}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, ANSWER("200", "-1", "{}")}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, "HTTP/1.1 200 OK\r\n\r\n{}"}, {FAKE_END, NULL}},
        {{FAKE_ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
         {FAKE_END, NULL}},
        {{FAKE_ANSWER, ANSWER("200", "99999999999", "")}, {FAKE_END, NULL}}};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct result result;
        size_t seen;
        play(scripts[i], CLIENT_PUT, &result, &seen);
        assert_int_equal(result.answer.outcome, CLIENT_UNKNOWN);
        assert_non_null(result.answer.why);
        assert_int_equal(result.answer.retries, 0);
        assert_int_equal(seen, 1);
        /* The same for a read is no harm: it is asked again. */
        play(scripts[i], CLIENT_GET, &result, &seen);
        assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
        assert_int_equal(result.answer.status, 200);
        assert_int_equal(result.answer.retries, 1);
        assert_int_equal(seen, 2);
    }
}

static void test_time_outs(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {FAKE_SILENT, NULL}, {FAKE_ANSWER, GOOD}, {FAKE_END, NULL}};
    static const struct fake_step mute[] = {
        {FAKE_SILENT, NULL}, {FAKE_SILENT, NULL}, {FAKE_SILENT, NULL}, {FAKE_END, NULL}};
    struct client_options options;
    quick(&options);
    static const size_t requests[] = {2, 1, 3};
    static const enum client_outcome outcomes[] = {CLIENT_ANSWERED, CLIENT_UNKNOWN,
                                                   CLIENT_TIMED_OUT};
    options.attempt_ms_max = 200;
    options.retries_max = 2;
    for (int i = 0; i < 3; i++) {
        struct fake fake;
        struct result result;
        fake_start(&fake, i < 2 ? steps : mute, NULL, NULL);
        struct client *client = client_new(&options);
        add(client, fake.address);
        ask_one(client, i == 0 ? CLIENT_GET : i == 1 ? CLIENT_PUT : CLIENT_GET, NULL, &result);
        client_free(client);
        fake_stop(&fake);
        assert_int_equal(fake.requests, requests[i]);
        assert_int_equal(result.answer.outcome, outcomes[i]);
        assert_true(result.took_ms >= 200);
        fake_fini(&fake);
    }
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct client_options options;
    struct result result;
    char nobody[32];
    quick(&options);
    options.retries_max = 3;
    fake_nobody(nobody);
    struct client *client = client_new(&options);
    add(client, nobody);
    ask_one(client, CLIENT_PUT, NULL, &result);
    assert_int_equal(result.answer.outcome, CLIENT_UNREACHABLE);
    assert_int_equal(result.answer.retries, 3);
    assert_true(result.took_ms >= 10 + 20 + 40);
    client_free(client);
}

/* A dead node among two costs a retry, and then nothing. */
static void test_moves_on(void **state)
{
    (void)state;
    struct client_options options;
    struct result result;
    struct fake fake;
    char nobody[32];
    quick(&options);
    fake_nobody(nobody);
    fake_start(&fake, NULL, NULL, NULL);
    struct client *client = client_new(&options);
    add(client, nobody);
    add(client, fake.address);
    ask_one(client, CLIENT_PUT, NULL, &result);
    assert_int_equal(result.answer.status, 200);
    assert_int_equal(result.answer.node, 1);
    assert_int_equal(result.answer.retries, 1);
    ask_one(client, CLIENT_PUT, NULL, &result);
    assert_int_equal(result.answer.node, 1);
    struct client_ask ask = ask_for(CLIENT_GET, NULL);
    ask.node = CLIENT_ANY;
    ask.avoid = 1; /* the other one is dead: better this one than none */
    client_start(client, &ask);
    take_one(client, &result);
    assert_int_equal(result.answer.outcome, CLIENT_UNREACHABLE);
    ask.avoid = 0;
    ask.node = 0;
    client_start(client, &ask);
    take_one(client, &result);
    assert_int_equal(result.answer.node, 1);
    ask = ask_for(CLIENT_GET, NULL);
    ask.pinned = true;
    client_start(client, &ask);
    take_one(client, &result);
    assert_int_equal(result.answer.outcome, CLIENT_UNREACHABLE);
    assert_int_equal(result.answer.node, 0);
    client_free(client);
    fake_fini(&fake);
}

/* One of two nodes hangs: the other one is asked, long before the first time-out. */
static void test_goes_round_a_frozen_node(void **state)
{
    (void)state;
    struct client_options options;
    struct result result;
    struct fake frozen, alive;
    static struct fake_step silent[64];
    for (size_t i = 0; i < 63; i++)
        silent[i].what = FAKE_SILENT;
    quick(&options);
    options.attempt_ms_max = 60000;
    fake_start(&frozen, silent, NULL, NULL);
    fake_start(&alive, NULL, NULL, NULL);
    struct client *client = client_new(&options);
    add(client, frozen.address);
    add(client, alive.address);
    struct client_ask ask = ask_for(CLIENT_PUT, NULL);
    ask.node = CLIENT_ANY;
    for (int i = 0; i < 20; i++)
        client_start(client, &ask);
    for (int i = 0; i < 500; i++) {
        take_one(client, &result);
        assert_int_equal(result.answer.status, 200);
        assert_int_equal(result.answer.node, 1);
        client_start(client, &ask);
    }
    client_free(client);
    fake_stop(&frozen);
    assert_true(frozen.requests <= 18);
    fake_fini(&frozen);
    fake_fini(&alive);
}

/* After `Connection: close` what was pipelined behind is sent anew: writes too, and no retries. */
static void test_close_behind(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {FAKE_CUT, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
        {FAKE_END, NULL}};
    struct client_options options;
    struct result result;
    struct fake fake;
    quick(&options);
    options.connections_max = 1;
    fake_start(&fake, steps, NULL, NULL);
    struct client *client = client_new(&options);
    add(client, fake.address);
    struct client_ask ask = ask_for(CLIENT_PUT, NULL);
    for (int i = 0; i < 10; i++)
        client_start(client, &ask);
    for (int i = 0; i < 10; i++) {
        take_one(client, &result);
        assert_int_equal(result.answer.outcome, CLIENT_ANSWERED);
        assert_int_equal(result.answer.status, 200);
        assert_int_equal(result.answer.retries, 0);
    }
    client_free(client);
    fake_stop(&fake);
    assert_int_equal(fake.connections, 2);
    fake_fini(&fake);
}

/* A cut connection: every write on it is unknown, reads are asked again. */
static void test_cut_behind(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {{FAKE_SILENT, NULL},
                                             {FAKE_SILENT, NULL},
                                             {FAKE_SILENT, NULL},
                                             {FAKE_CUT, NULL},
                                             {FAKE_END, NULL}};
    struct client_options options;
    struct result result;
    struct fake fake;
    quick(&options);
    options.connections_max = 1;
    fake_start(&fake, steps, NULL, NULL);
    struct client *client = client_new(&options);
    add(client, fake.address);
    for (uint64_t i = 0; i < 4; i++) {
        struct client_ask ask = ask_for(i % 2 == 0 ? CLIENT_PUT : CLIENT_GET, NULL);
        ask.tag = i;
        client_start(client, &ask);
    }
    for (int i = 0; i < 4; i++) {
        take_one(client, &result);
        bool write = result.answer.tag % 2 == 0;
        assert_int_equal(result.answer.outcome, write ? CLIENT_UNKNOWN : CLIENT_ANSWERED);
        assert_int_equal(result.answer.retries, write ? 0 : 1);
    }
    client_free(client);
    fake_fini(&fake);
}

/* ---- Tokens ---- */

struct counter {
    unsigned next; /* of the tokens given out */
};

static void give_tokens(void *arg, const struct fake_request *request, struct buf *out)
{
    struct counter *counter = arg;
    char token[16];
    (void)request;
    snprintf(token, sizeof(token), "t%u", ++counter->next);
    fake_put_answer(out, 200, token, SLICE_LIT("{}"));
}

static void test_token_goes_along(void **state)
{
    (void)state;
    struct counter counter = {0};
    struct client_options options;
    struct client_session session;
    struct result result;
    struct fake fake;
    quick(&options);
    fake_start(&fake, NULL, give_tokens, &counter);
    client_session_init(&session);
    struct client *client = client_new(&options);
    add(client, fake.address);
    for (int i = 0; i < 3; i++)
        ask_one(client, CLIENT_PUT, &session, &result);
    struct client_ask ask = ask_for(CLIENT_PUT, &session);
    for (int i = 0; i < 40; i++)
        client_start(client, &ask);
    for (int i = 0; i < 40; i++)
        take_one(client, &result);
    assert_true(session.count > 1);
    assert_true(client_settle(client, &session, SLICE_LIT("a b"), NULL));
    assert_int_equal(session.count, 1);
    client_free(client);
    fake_stop(&fake);
    assert_string_equal(fake.seen[0], "PUT /kvs/a ");
    assert_string_equal(fake.seen[1], "PUT /kvs/a t1");
    assert_string_equal(fake.seen[2], "PUT /kvs/a t2");
    assert_string_equal(fake.seen[3], "PUT /kvs/a t3");
    assert_true(strncmp(fake.seen[43], "HEAD /kvs/a%20b t", 17) == 0);
    fake_fini(&fake);
    client_session_fini(&session);
}

/* The token of a 503 counts; the one beside a 400 does not; without any all stays. */
static void test_tokens_of_errors(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {FAKE_ANSWER, "HTTP/1.1 503 X\r\nCausal-Context: busy\r\nContent-Length: 13\r\n\r\n"
                      "{\"error\":\"x\"}"},
        {FAKE_ANSWER, "HTTP/1.1 400 X\r\nCausal-Context: fresh\r\nContent-Length: 2\r\n\r\n{}"},
        {FAKE_ANSWER, GOOD},
        {FAKE_END, NULL}};
    struct client_options options;
    struct client_session session;
    struct result result;
    struct fake fake;
    quick(&options);
    fake_start(&fake, steps, NULL, NULL);
    client_session_init(&session);
    assert_true(client_session_add(&session, SLICE_LIT("first")));
    struct client *client = client_new(&options);
    add(client, fake.address);
    ask_one(client, CLIENT_PUT, &session, &result);
    assert_int_equal(result.answer.status, 400);
    ask_one(client, CLIENT_PUT, &session, &result);
    assert_int_equal(session.count, 1);
    assert_true(slice_equal(client_session_token(&session, 0), SLICE_LIT("busy")));
    client_free(client);
    fake_stop(&fake);
    assert_string_equal(fake.seen[0], "PUT /kvs/a first");
    assert_string_equal(fake.seen[1], "PUT /kvs/a busy");
    assert_string_equal(fake.seen[2], "PUT /kvs/a busy");
    fake_fini(&fake);
    client_session_fini(&session);
}

/* A big value in both directions, behind others. */
static void echo(void *arg, const struct fake_request *request, struct buf *out)
{
    (void)arg;
    fake_put_answer(out, 200, NULL, request->body);
}

static void test_large_and_many(void **state)
{
    (void)state;
    struct client_options options;
    struct client_answer answer;
    struct fake fake;
    size_t large = 20U << 20, taken = 0;
    uint8_t *body = mem_alloc(large);
    struct rng rng;
    rng_init(&rng, 7);
    for (size_t i = 0; i < large; i++)
        body[i] = (uint8_t)rng_below(&rng, 256);
    quick(&options);
    fake_start(&fake, NULL, echo, NULL);
    struct client *client = client_new(&options);
    add(client, fake.address);
    for (uint64_t i = 0; i < 300; i++) {
        struct client_ask ask = ask_for(CLIENT_PUT, NULL);
        ask.body = slice_of(body, i == 100 ? large : i);
        ask.tag = ask.body.len;
        client_start(client, &ask);
    }
    while (taken < 300) {
        while (!client_take(client, &answer))
            client_poll(client, 1000);
        assert_int_equal(answer.outcome, CLIENT_ANSWERED);
        assert_true(slice_equal(answer.body, slice_of(body, answer.tag)));
        taken++;
    }
    client_free(client);
    fake_fini(&fake);
    mem_free(body);
}

static void test_keys_and_addresses(void **state)
{
    (void)state;
    struct buf target = BUF_EMPTY;
    client_put_target(&target, SLICE_LIT("a/b {c}%\xff\0?"));
    assert_true(slice_equal(buf_slice(&target), SLICE_LIT("/kvs/a/b%20%7Bc%7D%25%FF%00%3F")));
    buf_fini(&target);
    struct client_options options;
    quick(&options);
    struct client *client = client_new(&options);
    static const char *const bad[] = {"",       "host",  "host:", ":80",
                                      "::1:80", "[]:80", "h:80x", "h:999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf why = BUF_EMPTY;
        uint32_t index;
        assert_false(client_add_node(client, bad[i], &index, &why));
        assert_true(why.len > 0);
        buf_fini(&why);
    }
    add(client, "[::1]:80");
    assert_int_equal(client_node_count(client), 1);
    client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_503_then_200),
        cmocka_unit_test(test_503_for_ever),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_unknown_is_never_sent_again),
        cmocka_unit_test(test_time_outs),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_moves_on),
        cmocka_unit_test(test_goes_round_a_frozen_node),
        cmocka_unit_test(test_close_behind),
        cmocka_unit_test(test_cut_behind),
        cmocka_unit_test(test_token_goes_along),
        cmocka_unit_test(test_tokens_of_errors),
        cmocka_unit_test(test_large_and_many),
        cmocka_unit_test(test_keys_and_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
