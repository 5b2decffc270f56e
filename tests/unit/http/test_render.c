/* test_render - answers to the letter of docs/api.md section 2.
 *
 * Does:   each row of the table of answers as whole bytes or by status, headers and body; the
 *         context in every answer; HEAD, raw values, closing; answers of the server; and every
 *         error of base/err.def as JSON.
 * Not:    who answers what: the node's.
 * Holds:  N1, N2.
 * Limits: -
 * See:    docs/api.md; src/http/render.h.
 */
#include "drive.h"

#include "http/render.h"

#define TOKEN "tok-_N"

static struct reply reply_of(enum outcome outcome)
{
    return (struct reply){.outcome = outcome,
                          .form = VALUE_JSON,
                          .value = SLICE_LIT("{\"a\": 1.10}"),
                          .token = SLICE_LIT(TOKEN)};
}

static struct reply error_of(enum err err)
{
    return (struct reply){.err = err, .token = SLICE_LIT(TOKEN)};
}

/* Renders into *out and takes it apart again. */
static struct seen render(const struct http_style *style, const struct reply *reply,
                          struct buf *out)
{
    struct buf scratch = BUF_EMPTY;
    struct seen seen = {.status = 0};
    buf_reset(out);
    http_render_reply(style, reply, &scratch, out);
    struct slice rest = buf_slice(out);
    assert_true(seen_next(&rest, style->head, &seen));
    assert_int_equal(rest.len, 0);
    buf_fini(&scratch);
    return seen;
}

/* The body is one JSON text, the whole of it. */
static void expect_json(const struct seen *seen)
{
    struct json_value value;
    struct json_error error;
    expect_text(seen_header(seen, "Content-Type"), "application/json");
    assert_true(json_scan(seen->body, &value, &error));
    assert_int_equal(value.type, JSON_OBJECT);
}

static void expect_reply(const struct reply *reply, int status, const char *body)
{
    struct http_style style = {.head = false};
    struct buf out = BUF_EMPTY;
    struct seen seen = render(&style, reply, &out);
    assert_int_equal(seen.status, status);
    expect_text(seen.body, body);
    expect_json(&seen);
    expect_text(seen_header(&seen, "Causal-Context"), TOKEN);
    buf_fini(&out);
}

#define META "\"causal-metadata\":\"" TOKEN "\""

/* ---- Rows of the contract ---- */

static void every_byte_of_a_found_value(void **state)
{
    (void)state;
    struct http_style style = {.head = false};
    struct reply reply = reply_of(OUTCOME_FOUND);
    struct buf out = BUF_EMPTY;
    render(&style, &reply, &out);
    expect_text(buf_slice(&out),
                "HTTP/1.1 200 OK\r\n"
                "Content-Type: application/json\r\n"
                "Cache-Control: no-store\r\n"
                "Causal-Context: " TOKEN "\r\n"
                "Content-Length: 65\r\n"
                "\r\n"
                "{\"result\":\"found\",\"value\":{\"a\": 1.10},\"causal-metadata\":\"" TOKEN "\"}");
    buf_fini(&out);
}

static void rows_of_success(void **state)
{
    (void)state;
    struct reply reply = reply_of(OUTCOME_FOUND);
    expect_reply(&reply, 200, "{\"result\":\"found\",\"value\":{\"a\": 1.10}," META "}");
    reply.value = SLICE_LIT("null");
    expect_reply(&reply, 200, "{\"result\":\"found\",\"value\":null," META "}");
    reply = reply_of(OUTCOME_CREATED);
    expect_reply(&reply, 201, "{\"result\":\"created\"," META "}");
    reply.copies = 2;
    expect_reply(&reply, 201, "{\"result\":\"created\"," META "}");
    reply.copies = 1;
    expect_reply(&reply, 201, "{\"result\":\"created\"," META ",\"copies\":1}");
    reply = reply_of(OUTCOME_REPLACED);
    expect_reply(&reply, 200, "{\"result\":\"replaced\"," META "}");
    reply = reply_of(OUTCOME_DELETED);
    expect_reply(&reply, 200, "{\"result\":\"deleted\"," META "}");
    reply = reply_of(OUTCOME_COUNTED);
    reply.count = 18446744073709551615U;
    expect_reply(&reply, 200, "{\"shard-key-count\":18446744073709551615}");
}

/* The context stands in the header alone: existing clients compare the whole body. */
static void rows_of_changes(void **state)
{
    (void)state;
    static const struct {
        struct reply reply;
        int status;
        const char *body;
    } rows[] = {
        {{.outcome = OUTCOME_ADDED}, 201, "{\"result\":\"added\"}"},
        {{.outcome = OUTCOME_PRESENT}, 200, "{\"result\":\"already present\"}"},
        {{.outcome = OUTCOME_REMOVED}, 200, "{\"result\":\"deleted\"}"},
        {{.outcome = OUTCOME_PLACED}, 200, "{\"result\":\"node added to shard\"}"},
        {{.outcome = OUTCOME_RECOVERED}, 200, "{\"result\":\"recovered\"}"},
        {{.err = E_NOT_LISTED}, 404, "{\"error\":\"View has no such replica\"}"},
        {{.err = E_NO_SHARD}, 404, "{\"error\":\"No such shard\"}"},
        {{.err = E_OTHER_SHARD}, 409, "{\"error\":\"The node is a member of another shard\"}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_style style = {.bare = true, .context = SLICE_LIT("mine"), .tokens = 1};
        struct reply reply = rows[i].reply;
        struct buf out = BUF_EMPTY;
        reply.token = SLICE_LIT(TOKEN);
        struct seen seen = render(&style, &reply, &out);
        assert_int_equal(seen.status, rows[i].status);
        expect_text(seen.body, rows[i].body);
        expect_text(seen_header(&seen, "Causal-Context"), TOKEN);
        buf_fini(&out);
    }
}

/* The same through a connection: what the request is decides. */
static void a_change_is_answered_barely(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct drive drive;
    drive_run(&drive, &limits,
              SLICE_LIT("PUT /view HTTP/1.1\r\nHost: a\r\nContent-Length: 24\r\n"
                        "Causal-Context: mine\r\n\r\n{\"socket-address\":\"a:1\"}"),
              (struct cut){0, 0}, false);
    expect_text(buf_slice(&drive.called), "VIEW_ADD a:1 [mine]");
    expect_text(buf_slice(&drive.output),
                "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                "Cache-Control: no-store\r\nCausal-Context: T\r\nContent-Length: 18\r\n\r\n"
                "{\"result\":\"added\"}");
    drive_fini(&drive);
}

#define LOST                                                                                       \
    "\"lost\":[{\"shard\":\"s0\",\"since-epoch\":4},"                                              \
    "{\"shard\":\"s1\",\"actor\":5,\"after\":123,\"since-epoch\":9}]"

static void add_lost(struct reply *reply)
{
    reply->lost_count = 2;
    reply->lost[0] = (struct lost){.shard_id = 0, .epoch = 4};
    reply->lost[1] = (struct lost){.shard_id = 1, .actor = 5, .whole_seq = 123, .epoch = 9};
}

/* What may be lost is told in every answer, of whatever form. */
static void what_may_be_lost(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    struct reply reply = reply_of(OUTCOME_FOUND);
    add_lost(&reply);
    expect_reply(&reply, 200, "{\"result\":\"found\",\"value\":{\"a\": 1.10}," META "," LOST "}");
    reply.token = SLICE_EMPTY;
    struct http_style style = {.head = false};
    struct seen seen = render(&style, &reply, &out);
    expect_text(seen.body, "{\"result\":\"found\",\"value\":{\"a\": 1.10}," LOST "}");
    style.bytes = true;
    seen = render(&style, &reply, &out);
    expect_text(seen.body, "{\"a\": 1.10}");
    expect_text(seen_header(&seen, "Causal-Lost"),
                "s0;since-epoch=4, s1;actor=5;after=123;since-epoch=9");
    reply = reply_of(OUTCOME_CREATED);
    add_lost(&reply);
    expect_reply(&reply, 201, "{\"result\":\"created\"," META "," LOST "}");
    reply.outcome = OUTCOME_COUNTED;
    expect_reply(&reply, 200, "{\"shard-key-count\":0," LOST "}");
    reply = error_of(E_KEY_MISSING);
    add_lost(&reply);
    expect_reply(&reply, 404, "{\"error\":\"Key does not exist\"," META "," LOST "}");
    style = (struct http_style){.bare = true};
    reply = reply_of(OUTCOME_ADDED);
    add_lost(&reply);
    seen = render(&style, &reply, &out);
    expect_text(seen.body, "{\"result\":\"added\"," LOST "}");
    reply.lost_count = 0;
    seen = render(&style, &reply, &out);
    assert_int_equal(seen_header(&seen, "Causal-Lost").len, 0);
    buf_fini(&out);
}

static void rows_of_errors(void **state)
{
    (void)state;
    struct reply reply = error_of(E_KEY_MISSING);
    reply.outcome = OUTCOME_NOT_FOUND;
    expect_reply(&reply, 404, "{\"error\":\"Key does not exist\"," META "}");
    reply = error_of(E_NO_VALUE);
    expect_reply(&reply, 400, "{\"error\":\"PUT request does not specify a value\"," META "}");
    reply = error_of(E_KEY_TOO_LONG);
    expect_reply(&reply, 400, "{\"error\":\"Key is too long\"," META "}");
    reply = error_of(E_OTHER_HISTORY);
    expect_reply(&reply, 400,
                 "{\"error\":\"causal-metadata belongs to another history than that of this "
                 "cluster\",\"reason\":\"other-history\"," META "}");
    reply = error_of(E_UNKNOWN);
    reply.outcome_unknown = true;
    expect_reply(&reply, 503,
                 "{\"error\":\"The outcome of this write is not known; it may or may not have "
                 "happened\",\"outcome\":\"unknown\"," META "}");
    reply = error_of(E_COPIES);
    reply.outcome_unknown = true;
    reply.copies = 1;
    expect_reply(&reply, 503,
                 "{\"error\":\"Fewer nodes than asked for hold this write; its outcome is not "
                 "known\",\"outcome\":\"unknown\",\"copies\":1," META "}");
    reply = error_of(E_NOT_READY);
    reply.detail = SLICE_LIT("waiting for \"a:1\"");
    expect_reply(&reply, 503,
                 "{\"error\":\"This node does not serve yet\","
                 "\"detail\":\"waiting for \\\"a:1\\\"\"," META "}");
}

static void row_of_unsatisfied_dependencies(void **state)
{
    (void)state;
    struct http_style style = {.head = false};
    struct buf out = BUF_EMPTY;
    struct reply reply = error_of(E_NOT_COVERED);
    reply.waiting_count = 2;
    reply.waiting[0] = (struct waiting_for){SLICE_LIT("10.0.0.1:80"), 3};
    reply.waiting[1] = (struct waiting_for){SLICE_LIT("[::1]:81"), 1};
    expect_reply(&reply, 503,
                 "{\"error\":\"Causal dependencies not satisfied; try again later\","
                 "\"waiting-for\":[{\"node\":\"10.0.0.1:80\",\"behind-by\":3},"
                 "{\"node\":\"[::1]:81\",\"behind-by\":1}]," META "}");
    struct seen seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Retry-After"), "1");
    reply.retry_after_ms = 2001;
    seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Retry-After"), "3");
    reply.waiting_count = 0;
    expect_reply(&reply, 503,
                 "{\"error\":\"Causal dependencies not satisfied; try again later\","
                 "\"waiting-for\":[]," META "}");
    buf_fini(&out);
}

/* Whatever goes wrong in a node is a JSON object with its sentence, and its status. */
static void every_error_is_json(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        int status;
        const char *sentence;
    } errors[] = {
#define E(name, number, http, resp, sentence) {name, http, sentence},
#include "base/err.def"
#undef E
    };
    struct http_style style = {.head = false};
    struct buf out = BUF_EMPTY;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct reply reply = error_of(errors[i].err);
        struct seen seen = render(&style, &reply, &out);
        assert_int_equal(seen.status, errors[i].status);
        expect_json(&seen);
        assert_memory_equal(seen.body.ptr, "{\"error\":\"", 10);
        assert_memory_equal(seen.body.ptr + 10, errors[i].sentence, strlen(errors[i].sentence));
        expect_text(seen_header(&seen, "Causal-Context"), TOKEN);
    }
    buf_fini(&out);
}

/* ---- The context ---- */

static void without_a_token_the_request_s_own_comes_back(void **state)
{
    (void)state;
    struct http_style style = {.context = SLICE_LIT("mine"), .tokens = 1};
    struct reply reply = {.err = E_NOT_READY};
    struct buf out = BUF_EMPTY;
    struct seen seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Causal-Context"), "mine");
    expect_text(seen.body,
                "{\"error\":\"This node does not serve yet\",\"causal-metadata\":\"mine\"}");
    /* Two do not fit the body's member; one of them would be less than came. */
    style.context = SLICE_LIT("mine, thine");
    style.tokens = 2;
    seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Causal-Context"), "mine, thine");
    expect_text(seen.body, "{\"error\":\"This node does not serve yet\"}");
    /* Nothing came: nothing goes. */
    style = (struct http_style){.tokens = 0};
    seen = render(&style, &reply, &out);
    assert_int_equal(seen_header(&seen, "Causal-Context").len, 0);
    reply = (struct reply){.outcome = OUTCOME_FOUND, .form = VALUE_JSON, .value = SLICE_LIT("1")};
    seen = render(&style, &reply, &out);
    expect_text(seen.body, "{\"result\":\"found\",\"value\":1}");
    buf_fini(&out);
}

/* Also in answers that no node was asked for; but nothing that is not shaped like a token: it might
 * end the header. */
static void refusals_carry_the_request_s_context(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *context;
    } rows[] = {
        {"GET /nope HTTP/1.1\r\nHost: a\r\nCausal-Context: x-1,y_2\r\n\r\n", "x-1, y_2"},
        {"GET /kvs/%zz HTTP/1.1\r\nHost: a\r\nCausal-Context: x\r\n\r\n", "x"},
        {"GET /nope HTTP/1.1\r\nHost: a\r\nCausal-Context: a b, <c>, d\r\n\r\n", "d"},
        {"GET /openapi.json HTTP/1.1\r\nHost: a\r\nCausal-Context: x\r\n\r\n", "x"},
        {"PUT /kvs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 24\r\n\r\n{\"causal-metadata\":\"tt\"}",
         "tt"},
        {"PUT /kvs/a HTTP/1.1\r\nHost: a\r\nCausal-Context: x\r\nContent-Length: 1\r\n\r\n{", "x"},
        {"PUT /kvs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\n"
         "{\"causal-metadata\":\"a\\r\\nX: evil\"}",
         ""},
        {"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_limits limits = drive_limits();
        struct drive drive;
        drive_run(&drive, &limits, slice_str(rows[i].in), (struct cut){0, 0}, false);
        struct slice rest = buf_slice(&drive.output);
        struct seen seen = {.status = 0};
        assert_true(seen_next(&rest, false, &seen));
        expect_text(seen_header(&seen, "Causal-Context"), rows[i].context);
        assert_int_equal(seen_header(&seen, "X").len, 0);
        drive_fini(&drive);
    }
}

/* ---- Forms ---- */

static void raw_values_go_out_alone(void **state)
{
    (void)state;
    struct http_style style = {.head = false};
    struct buf out = BUF_EMPTY;
    struct reply reply = reply_of(OUTCOME_FOUND);
    reply.form = VALUE_RAW;
    static const char stored[] = "\x09image/png\x89PNG\0\r\n\r\n";
    reply.value = slice_of(stored, sizeof(stored) - 1);
    struct seen seen = render(&style, &reply, &out);
    assert_true(slice_equal(seen.body, SLICE_LIT("\x89PNG\0\r\n\r\n")));
    expect_text(seen_header(&seen, "Content-Type"), "image/png");
    expect_text(seen_header(&seen, "Causal-Context"), TOKEN);
    expect_text(seen_header(&seen, "X-Content-Type-Options"), "nosniff");
    expect_text(seen_header(&seen, "Content-Security-Policy"), "sandbox");
    /* empty, and of forms that nobody stores through here */
    static const struct {
        struct slice value;
        const char *type;
        size_t body;
    } rows[] = {
        {{(const uint8_t *)"\x03x/y", 4}, "x/y", 0},
        {{(const uint8_t *)"\x05x/y", 4}, "application/octet-stream", 4},
        {{(const uint8_t *)"\0x", 2}, "application/octet-stream", 2},
        {{NULL, 0}, "application/octet-stream", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply.value = rows[i].value;
        seen = render(&style, &reply, &out);
        expect_text(seen_header(&seen, "Content-Type"), rows[i].type);
        assert_int_equal(seen.body.len, rows[i].body);
    }
    buf_fini(&out);
}

/* What GET /kvs/a with these headers answers when the value is the JSON text 1.0. */
static void expect_form(const char *headers, const char *type, const char *body)
{
    struct http_limits limits = drive_limits();
    struct buf in = BUF_EMPTY;
    struct drive drive;
    buf_append_slice(&in, SLICE_LIT("GET /kvs/a HTTP/1.1\r\nHost: a\r\n"));
    buf_append_slice(&in, slice_str(headers));
    buf_append_slice(&in, SLICE_LIT("\r\n"));
    drive_run(&drive, &limits, buf_slice(&in), (struct cut){0, 0}, false);
    struct slice rest = buf_slice(&drive.output);
    struct seen seen = {.status = 0};
    assert_true(seen_next(&rest, false, &seen));
    assert_int_equal(seen.status, 200);
    expect_text(seen_header(&seen, "Content-Type"), type);
    expect_text(seen.body, body);
    expect_text(seen_header(&seen, "Causal-Context"), "T");
    drive_fini(&drive);
    buf_fini(&in);
}

static void accept_chooses_the_form(void **state)
{
    (void)state;
    const char *object = "{\"result\":\"found\",\"value\":{\"v\":1},\"causal-metadata\":\"T\"}";
    const char *json = "application/json";
    const char *bytes = "application/octet-stream";
    expect_form("", json, object);
    expect_form("Accept: */*\r\n", json, object);
    expect_form("Accept: application/json\r\n", json, object);
    expect_form("Accept: text/html, */*;q=0.5\r\n", json, object);
    expect_form("Accept: application/octet-stream\r\n", bytes, "{\"v\":1}");
    expect_form("Accept: text/html\r\nAccept: Application/Octet-Stream;q=0.2\r\n", bytes,
                "{\"v\":1}");
    expect_form("Accept: a/b;c=\"\\\",application/octet-stream,\"\r\n", json, object);
    expect_form("Accept: application/octet-stream;q=0.0\r\n", json, object);
    expect_form("Accept: application/octet-stream, application/json\r\n", json, object);
    expect_form("Accept: application/octet-stream, application/json;q=0\r\n", bytes, "{\"v\":1}");
}

static void an_error_is_json_whatever_is_accepted(void **state)
{
    (void)state;
    struct http_style style = {.bytes = true};
    struct buf out = BUF_EMPTY;
    struct reply reply = error_of(E_KEY_MISSING);
    struct seen seen = render(&style, &reply, &out);
    expect_json(&seen);
    buf_fini(&out);
}

static void head_is_get_without_the_body(void **state)
{
    (void)state;
    struct http_style style = {.head = false};
    struct buf get = BUF_EMPTY;
    struct buf head = BUF_EMPTY;
    struct reply reply = reply_of(OUTCOME_FOUND);
    struct seen seen = render(&style, &reply, &get);
    style.head = true;
    render(&style, &reply, &head);
    assert_int_equal(head.len, get.len - seen.body.len);
    assert_memory_equal(head.ptr, get.ptr, head.len);
    buf_fini(&get);
    buf_fini(&head);
}

static void closing_and_keeping_alive(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    struct reply reply = reply_of(OUTCOME_CREATED);
    struct http_style style = {.close = true};
    struct seen seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Connection"), "close");
    style = (struct http_style){.keep_alive = true};
    seen = render(&style, &reply, &out);
    expect_text(seen_header(&seen, "Connection"), "keep-alive");
    style = (struct http_style){.keep_alive = false};
    seen = render(&style, &reply, &out);
    assert_int_equal(seen_header(&seen, "Connection").len, 0);
    buf_fini(&out);
}

static void answers_of_the_server(void **state)
{
    (void)state;
    struct http_style style = {.head = false};
    struct buf out = BUF_EMPTY;
    struct http_response response = {
        .status = 200, .type = SLICE_LIT("text/plain; version=0.0.4"), .body = SLICE_LIT("a 1\n")};
    http_render_response(&style, &response, &out);
    expect_text(buf_slice(&out), "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                                 "Cache-Control: no-store\r\nContent-Length: 4\r\n\r\na 1\n");
    buf_reset(&out);
    response = (struct http_response){.status = 503, .retry_after_ms = 1000};
    http_render_response(&style, &response, &out);
    expect_text(buf_slice(&out),
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
                "Cache-Control: no-store\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    buf_fini(&out);
}

static void a_405_says_what_is_allowed(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct drive drive;
    drive_run(&drive, &limits, SLICE_LIT("PATCH /view HTTP/1.1\r\nHost: a\r\n\r\n"),
              (struct cut){0, 0}, false);
    expect_text(buf_slice(&drive.output),
                "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\n"
                "Cache-Control: no-store\r\nAllow: GET, HEAD, PUT, DELETE\r\n"
                "Content-Length: 42\r\n\r\n{\"error\":\"The method is not allowed here\"}");
    drive_fini(&drive);
}

/* ---- The description of the API ---- */

static void the_description_is_json(void **state)
{
    (void)state;
    struct json_member members[] = {{SLICE_LIT("openapi"), {.type = JSON_NONE}},
                                    {SLICE_LIT("info"), {.type = JSON_NONE}},
                                    {SLICE_LIT("paths"), {.type = JSON_NONE}}};
    struct json_value value;
    struct json_error error;
    if (!json_scan_members(http_openapi(), &value, members, 3, &error))
        fail_msg("%s at %zu", error.sentence, error.offset);
    assert_int_equal(members[0].value.type, JSON_STRING);
    assert_int_equal(members[1].value.type, JSON_OBJECT);
    assert_int_equal(members[2].value.type, JSON_OBJECT);
    struct slice paths = members[2].value.raw;
    static const char *const wanted[] = {"/kvs/{key}",
                                         "/view",
                                         "/shard/ids",
                                         "/shard/node-shard-id",
                                         "/shard/members/{id}",
                                         "/shard/key-count/{id}",
                                         "/shard/add-member/{id}",
                                         "/shard/reshard",
                                         "/recover",
                                         "/healthz",
                                         "/readyz",
                                         "/metrics",
                                         "/cluster",
                                         "/openapi.json"};
    struct json_member path[1];
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        path[0].name = slice_str(wanted[i]);
        assert_true(json_scan_members(paths, &value, path, 1, &error));
        if (path[0].value.type != JSON_OBJECT)
            fail_msg("%s is not described", wanted[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_a_found_value),
        cmocka_unit_test(rows_of_success),
        cmocka_unit_test(rows_of_changes),
        cmocka_unit_test(a_change_is_answered_barely),
        cmocka_unit_test(what_may_be_lost),
        cmocka_unit_test(rows_of_errors),
        cmocka_unit_test(row_of_unsatisfied_dependencies),
        cmocka_unit_test(every_error_is_json),
        cmocka_unit_test(without_a_token_the_request_s_own_comes_back),
        cmocka_unit_test(refusals_carry_the_request_s_context),
        cmocka_unit_test(raw_values_go_out_alone),
        cmocka_unit_test(accept_chooses_the_form),
        cmocka_unit_test(an_error_is_json_whatever_is_accepted),
        cmocka_unit_test(head_is_get_without_the_body),
        cmocka_unit_test(closing_and_keeping_alive),
        cmocka_unit_test(answers_of_the_server),
        cmocka_unit_test(a_405_says_what_is_allowed),
        cmocka_unit_test(the_description_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
