/* test_route - paths and methods, and what headers and bodies make of a request.
 *
 * Does:   a table of method and target -> call or refusal; keys of any bytes; contexts, values
 *         and preferences of requests.
 * Not:    how answers look: test_render.c.
 * Holds:  P1, P2, A1.
 * Limits: -
 * See:    docs/api.md sections 2 to 4; src/http/route.h, ask.h.
 */
#include "drive.h"

#include "http/route.h"

struct row {
    enum http_method method;
    const char *target;
    int status;        /* of the refusal; 0: none */
    const char *found; /* without a refusal: the call, an operation with its key; else the
                            sentence, or "" for any */
};

static const struct row rows[] = {
    {METHOD_GET, "/kvs/a", 0, "GET a"},
    {METHOD_HEAD, "/kvs/a", 0, "GET a"},
    {METHOD_PUT, "/kvs/a", 0, "PUT a"},
    {METHOD_DELETE, "/kvs/a", 0, "DELETE a"},
    {METHOD_OTHER, "/kvs/a", 405, "GET, HEAD, PUT, DELETE"},
    /* keys */
    {METHOD_GET, "/kvs/a/b//c/", 0, "GET a/b//c/"},
    {METHOD_GET, "/kvs//", 0, "GET /"},
    {METHOD_GET, "/kvs/..", 0, "GET .."},
    {METHOD_GET, "/kvs/a+b", 0, "GET a+b"},
    {METHOD_GET, "/kvs/a%20b%2fc%2F%3f%23%25", 0, "GET a b/c/?#%"},
    {METHOD_GET, "/kvs/%C3%A9\xC3\xA9%ff", 0, "GET \xC3\xA9\xC3\xA9\xFF"},
    {METHOD_GET, "/kvs/{tag}x", 0, "GET {tag}x"},
    {METHOD_GET, "/kvs/", 400, "Key is empty"},
    {METHOD_PUT, "/kvs/", 400, "Key is empty"},
    {METHOD_GET, "/kvs/%", 400, "The percent-encoding of the key is malformed"},
    {METHOD_GET, "/kvs/a%4", 400, "The percent-encoding of the key is malformed"},
    {METHOD_GET, "/kvs/%4x", 400, "The percent-encoding of the key is malformed"},
    {METHOD_GET, "/kvs/%%41", 400, "The percent-encoding of the key is malformed"},
    {METHOD_GET, "/kvs/0123456789", 0, "GET 0123456789"},
    {METHOD_GET, "/kvs/0123456789x", 400, "Key is too long"},
    {METHOD_GET, "/kvs/012345678%39", 0, "GET 0123456789"},
    {METHOD_GET, "/kvs/0123456789%30", 400, "Key is too long"},
    {METHOD_GET, "/kvs/a?b", 400, "A question mark in a key is written %3F"},
    {METHOD_GET, "/kvs/?", 400, "A question mark in a key is written %3F"},
    {METHOD_GET, "/kvs/a#b", 400, "The request target is malformed"},
    /* no keys */
    {METHOD_GET, "/kvs", 404, "There is nothing at this path"},
    {METHOD_GET, "/kvsx/a", 404, "There is nothing at this path"},
    {METHOD_GET, "/KVS/a", 404, "There is nothing at this path"},
    {METHOD_GET, "/%6bvs/a", 404, "There is nothing at this path"},
    {METHOD_OTHER, "/nope", 404, "There is nothing at this path"},
    {METHOD_GET, "//kvs/a", 404, "There is nothing at this path"},
    /* view and shards */
    {METHOD_GET, "/view", 0, "VIEW"},
    {METHOD_HEAD, "/view", 0, "VIEW"},
    {METHOD_GET, "/view?x=y", 0, "VIEW"},
    {METHOD_PUT, "/view", 0, "VIEW_ADD "},
    {METHOD_DELETE, "/view", 0, "VIEW_REMOVE "},
    {METHOD_OTHER, "/view", 405, "GET, HEAD, PUT, DELETE"},
    {METHOD_GET, "/view/", 404, ""},
    {METHOD_GET, "/views", 404, ""},
    {METHOD_GET, "/shard/ids", 0, "SHARD_IDS"},
    {METHOD_PUT, "/shard/ids", 405, "GET, HEAD"},
    {METHOD_GET, "/shard/node-shard-id", 0, "NODE_SHARD_ID"},
    {METHOD_DELETE, "/shard/node-shard-id", 405, "GET, HEAD"},
    {METHOD_GET, "/shard/members/s0", 0, "SHARD_MEMBERS 0"},
    {METHOD_GET, "/shard/members/s4294967294", 0, "SHARD_MEMBERS 4294967294"},
    {METHOD_GET, "/shard/members/s4294967295", 400, ""},
    {METHOD_GET, "/shard/members/s1099511627776", 400, ""},
    {METHOD_GET, "/shard/members/s99999999999999999999", 400, ""},
    {METHOD_GET, "/shard/members/0", 400, ""},
    {METHOD_GET, "/shard/members/s", 400, ""},
    {METHOD_GET, "/shard/members/s-1", 400, ""},
    {METHOD_GET, "/shard/members/s01", 400, ""},
    {METHOD_GET, "/shard/members/sx", 400, ""},
    {METHOD_GET, "/shard/members/S0", 400, ""},
    {METHOD_GET, "/shard/members/s0/", 400, ""},
    {METHOD_GET, "/shard/members/", 404, ""},
    {METHOD_GET, "/shard/members", 404, ""},
    {METHOD_PUT, "/shard/members/s0", 405, "GET, HEAD"},
    {METHOD_GET, "/shard/key-count/s12", 0, "COUNT 12"},
    {METHOD_HEAD, "/shard/key-count/s12", 0, "COUNT 12"},
    {METHOD_GET, "/shard/key-count/12", 400, "A shard id is an s and a number, such as s0"},
    {METHOD_PUT, "/shard/key-count/s1", 405, "GET, HEAD"},
    {METHOD_PUT, "/shard/add-member/s0", 0, "SHARD_ADD 0"},
    {METHOD_PUT, "/shard/add-member/s17", 0, "SHARD_ADD 17"},
    {METHOD_PUT, "/shard/add-member/s1099511627776", 400, ""},
    {METHOD_PUT, "/shard/add-member/", 404, ""},
    {METHOD_PUT, "/shard/add-member/zero", 400, ""},
    {METHOD_GET, "/shard/add-member/s0", 405, "PUT"},
    {METHOD_PUT, "/shard/reshard", 0, "RESHARD "},
    {METHOD_GET, "/shard/reshard", 0, "RESHARD"},
    {METHOD_DELETE, "/shard/reshard", 0, "RESHARD_CANCEL "},
    {METHOD_OTHER, "/shard/reshard", 405, "GET, HEAD, PUT, DELETE"},
    {METHOD_PUT, "/recover", 0, "RECOVER "},
    {METHOD_GET, "/recover", 405, "PUT"},
    {METHOD_OTHER, "/recover", 405, "PUT"},
    /* operators */
    {METHOD_GET, "/", 0, "ROOT"},
    {METHOD_GET, "/healthz", 0, "HEALTHZ"},
    {METHOD_GET, "/readyz", 0, "READYZ"},
    {METHOD_GET, "/metrics", 0, "METRICS"},
    {METHOD_GET, "/cluster", 0, "CLUSTER"},
    {METHOD_GET, "/openapi.json", 0, "OPENAPI"},
    {METHOD_OTHER, "/openapi.json", 405, "GET, HEAD"},
    {METHOD_PUT, "/", 405, "GET, HEAD"},
    /* forms of targets */
    {METHOD_GET, "http://h:80/kvs/a", 0, "GET a"},
    {METHOD_GET, "HTTP://h/view", 0, "VIEW"},
    {METHOD_GET, "http://h", 0, "ROOT"},
    {METHOD_GET, "http://", 0, "ROOT"},
    {METHOD_GET, "ftp://h/kvs/a", 400, ""},
    {METHOD_GET, "kvs/a", 400, ""},
    {METHOD_GET, "*", 400, ""},
    {METHOD_OTHER, "*", 405, "GET, HEAD, PUT, DELETE"},
    {METHOD_OTHER, "h:80", 405, "GET, HEAD, PUT, DELETE"},
};

static void put_route(const struct http_route *route, struct buf *out)
{
    static const char *const names[] = {
        "",        "",       "VIEW",    "SHARD_IDS", "NODE_SHARD_ID", "SHARD_MEMBERS",
        "HEALTHZ", "READYZ", "METRICS", "CLUSTER",   "RESHARD",       "ROOT"};
    buf_reset(out);
    if (route->refusal.status == 405) {
        buf_append_slice(out, slice_str(route->refusal.allow));
    } else if (route->refusal.status != 0) {
        buf_append_slice(out, slice_str(route->refusal.sentence));
    } else if (route->openapi) {
        buf_append_slice(out, SLICE_LIT("OPENAPI"));
    } else if (route->kind == HTTP_NODE) {
        buf_append_slice(out, slice_str(drive_op(route->op)));
        buf_append_slice(out, route->key);
    } else {
        buf_append_slice(out, slice_str(names[route->kind]));
    }
    bool with_id =
        route->kind == HTTP_SHARD_MEMBERS ||
        (route->kind == HTTP_NODE && (route->op == OP_COUNT || (route->op == OP_SHARD_ADD)));
    if (with_id && route->kind == HTTP_SHARD_MEMBERS)
        buf_u8(out, ' ');
    if (with_id)
        buf_decimal(out, route->shard_id);
}

static void table_of_paths(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct buf room = BUF_EMPTY;
    struct buf got = BUF_EMPTY;
    limits.key_bytes_max = 10;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_route route;
        http_route_find(rows[i].method, slice_str(rows[i].target), &limits, &room, &route);
        put_route(&route, &got);
        bool any = rows[i].status != 0 && rows[i].found[0] == '\0';
        if (route.refusal.status != rows[i].status ||
            (!any && !slice_equal(buf_slice(&got), slice_str(rows[i].found))))
            fail_msg("%s: %d %.*s, not %d %s", rows[i].target, route.refusal.status, (int)got.len,
                     (const char *)got.ptr, rows[i].status, rows[i].found);
        assert_false(route.refusal.close);
    }
    buf_fini(&room);
    buf_fini(&got);
}

/* Any bytes are a key: written as escapes, some of them, they come back. */
static void keys_are_any_bytes(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct http_limits limits = drive_limits();
    struct buf target = BUF_EMPTY;
    struct buf room = BUF_EMPTY;
    for (int round = 0; round < 5000; round++) {
        uint8_t key[60];
        size_t len = rng_between(&rng, 1, sizeof(key));
        buf_reset(&target);
        buf_append_slice(&target, SLICE_LIT("/kvs/"));
        for (size_t i = 0; i < len; i++) {
            key[i] = (uint8_t)rng_below(&rng, 256);
            bool plain = (key[i] >= 'a' && key[i] <= 'z') || key[i] >= 0x80;
            char escape[4];
            snprintf(escape, sizeof(escape), rng_chance(&rng, 1, 2) ? "%%%02x" : "%%%02X", key[i]);
            if (plain && rng_chance(&rng, 1, 2))
                buf_u8(&target, key[i]);
            else
                buf_append(&target, escape, 3);
        }
        struct http_route route;
        http_route_find(METHOD_GET, buf_slice(&target), &limits, &room, &route);
        assert_int_equal(route.refusal.status, 0);
        assert_true(slice_equal(route.key, slice_of(key, len)));
    }
    buf_fini(&target);
    buf_fini(&room);
}

/* ---- Requests ---- */

/* What a request with these headers and this body is for the node: "…" as drive_note writes it,
 * and the other fields of the request. */
static struct request ask_at(const char *target, const char *headers, struct slice body,
                             struct buf *text)
{
    struct http_limits limits = drive_limits();
    struct drive drive;
    struct buf in = BUF_EMPTY;
    struct http_call call;
    drive_init(&drive, &limits);
    buf_append_slice(&in, slice_str(target));
    buf_append_slice(&in, SLICE_LIT(" HTTP/1.1\r\nHost: a\r\nContent-Length: "));
    buf_decimal(&in, body.len);
    buf_append_slice(&in, SLICE_LIT("\r\n"));
    buf_append_slice(&in, slice_str(headers));
    buf_append_slice(&in, SLICE_LIT("\r\n"));
    buf_append_slice(&in, body);
    http_conn_feed(drive.conn, buf_slice(&in));
    buf_reset(text);
    call.request.op = 0;
    if (http_conn_next(drive.conn, &call)) {
        drive_note(&drive, &call);
        buf_append_slice(text, buf_slice(&drive.called));
    } else {
        struct slice rest = http_conn_output(drive.conn);
        struct seen seen = {.status = 0};
        assert_true(seen_next(&rest, false, &seen));
        buf_decimal(text, (uint64_t)seen.status);
        buf_u8(text, ' ');
        buf_append_slice(text, seen.body);
    }
    struct request request = call.request;
    drive_fini(&drive);
    buf_fini(&in);
    return request;
}

/* The same of /kvs/k. */
static struct request ask(const char *method, const char *headers, struct slice body,
                          struct buf *text)
{
    char target[40];
    snprintf(target, sizeof(target), "%s /kvs/k", method);
    return ask_at(target, headers, body, text);
}

static void expect_ask(const char *method, const char *headers, const char *body, const char *want)
{
    struct buf text = BUF_EMPTY;
    ask(method, headers, slice_str(body), &text);
    expect_text(buf_slice(&text), want);
    buf_fini(&text);
}

#define ERROR_OF(status, sentence) status " {\"error\":\"" sentence "\"}"
#define TOKEN_BAD ERROR_OF("400", "causal-metadata is not a token that this cluster gave out")
#define NO_VALUE ERROR_OF("400", "PUT request does not specify a value")

static void metadata_that_means_nothing_seen(void **state)
{
    (void)state;
    static const char *const nothing[] = {"null", "\"\"", "{}", "{ }", "0"};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        char body[80];
        snprintf(body, sizeof(body), "{\"causal-metadata\":%s,\"value\":1}", nothing[i]);
        expect_ask("PUT", "", body, "PUT k=1");
        expect_ask("GET", "", body, "GET k");
        expect_ask("DELETE", "", body, "DELETE k");
    }
    expect_ask("GET", "", "{}", "GET k");
    expect_ask("GET", "", "", "GET k");
}

static void metadata_that_is_no_token(void **state)
{
    (void)state;
    static const char *const bad[] = {"1",     "-0", "0.0",     "true",
                                      "false", "[]", "[\"t\"]", "{\"a\":1}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char body[80];
        snprintf(body, sizeof(body), "{\"causal-metadata\":%s,\"value\":1}", bad[i]);
        expect_ask("PUT", "", body, TOKEN_BAD);
        expect_ask("GET", "", body, TOKEN_BAD);
    }
}

static void tokens_of_body_and_headers(void **state)
{
    (void)state;
    const char *body = "{\"value\":1,\"causal-metadata\":\"tok-_9\"}";
    expect_ask("PUT", "", body, "PUT k=1 [tok-_9]");
    expect_ask("DELETE", "", body, "DELETE k [tok-_9]");
    expect_ask("PUT", "Causal-Context: tok-_9\r\n", body, "PUT k=1 [tok-_9]");
    expect_ask("PUT", "Causal-Context: a, tok-_9\r\nCausal-Context: b\r\n", body,
               "PUT k=1 [a] [tok-_9] [b]");
    /* Whether it is a token of ours, the node finds out; here it is any string. */
    expect_ask("GET", "", "{\"causal-metadata\":\"\\u0041\\n\"}", "GET k [A\n]");
    expect_ask("GET", "Causal-Context: not/a token\r\n", "", "GET k [not/a token]");
}

static void a_token_may_not_be_endless(void **state)
{
    (void)state;
    struct buf body = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    for (size_t len = LIMIT_TOKEN_TEXT_BYTES; len <= LIMIT_TOKEN_TEXT_BYTES + 1; len++) {
        buf_reset(&body);
        buf_append_slice(&body, SLICE_LIT("{\"causal-metadata\":\""));
        memset(buf_grow(&body, len), 'x', len);
        buf_append_slice(&body, SLICE_LIT("\"}"));
        ask("GET", "", buf_slice(&body), &text);
        if (len == LIMIT_TOKEN_TEXT_BYTES)
            assert_int_equal(text.ptr[0], 'G');
        else
            expect_text(buf_slice(&text), TOKEN_BAD);
    }
    buf_fini(&body);
    buf_fini(&text);
}

static void values(void **state)
{
    (void)state;
    expect_ask("PUT", "", "{\"value\":null}", "PUT k=null");
    expect_ask("PUT", "", " { \"value\" : {\"a\": [1 , 2.50]} } ", "PUT k={\"a\": [1 , 2.50]}");
    expect_ask("PUT", "", "{\"value\":123456789012345678901234567890.10}",
               "PUT k=123456789012345678901234567890.10");
    expect_ask("PUT", "", "", NO_VALUE);
    expect_ask("PUT", "", "{}", NO_VALUE);
    expect_ask("PUT", "", "{\"Value\":1}", NO_VALUE);
    expect_ask("PUT", "", "[1]", NO_VALUE);
    expect_ask("PUT", "", "null", NO_VALUE);
    expect_ask("PUT", "", "{\"value\":}",
               "400 {\"error\":\"The body is not valid JSON\",\"detail\":\"a value is expected\","
               "\"offset\":9}");
    expect_ask("PUT", "", "{\"value\":1,\"value\":2}",
               "400 {\"error\":\"The body is not valid JSON\","
               "\"detail\":\"a name stands twice in the object\",\"offset\":20}");
    expect_ask("GET", "", "[1]", ERROR_OF("400", "The body is not a JSON object"));
    expect_ask("GET", "", "x",
               "400 {\"error\":\"The body is not valid JSON\","
               "\"detail\":\"a value is expected\",\"offset\":0}");
    /* A GET does not look at members that are not for it. */
    expect_ask("GET", "", "{\"value\":1,\"value\":2}", "GET k");
}

static void raw_values(void **state)
{
    (void)state;
    expect_ask("PUT", "Content-Type: text/plain; charset=latin1\r\n", "{\"value\":1}",
               "PUT k=(text/plain; charset=latin1){\"value\":1}");
    expect_ask("PUT", "Content-Type: application/octet-stream\r\nCausal-Context: t\r\n", "\xFF",
               "PUT k=(application/octet-stream)\xFF [t]");
    expect_ask("PUT", "Content-Type: a/b\r\n", "", "PUT k=(a/b)");
    expect_ask("PUT", "Content-Type: application/vnd.x+json\r\n", "1",
               "PUT k=(application/vnd.x+json)1");
    expect_ask("PUT", "Content-Type: application/json;charset=UTF-8\r\n", "{\"value\":1}",
               "PUT k=1");
    expect_ask("PUT", "Content-Type: application/json ; charset=\"utf-8\"\r\n", "{\"value\":1}",
               "PUT k=1");
    /* what curl -d says of any text */
    expect_ask("PUT", "Content-Type: application/x-www-form-urlencoded\r\n", "{\"value\":1}",
               "PUT k=1");
    expect_ask("PUT", "Content-Type:\r\n", "{\"value\":1}", "PUT k=1");
    expect_ask("PUT", "Content-Type: a/b\r\nContent-Type: a/b\r\n", "1",
               ERROR_OF("400", "Content-Type is given twice"));
    expect_ask("PUT", "Content-Type: a/\xE9\r\n", "1",
               ERROR_OF("415", "Content-Type is longer than 255 characters or not ASCII"));
    expect_ask("GET", "Content-Type: text/plain\r\n", "{\"causal-metadata\":\"t\"}", "GET k [t]");
}

/* The longest types: they go in front of the body, over the head that tokens are borrowed from. */
static void a_raw_value_overwrites_nothing(void **state)
{
    (void)state;
    struct buf headers = BUF_EMPTY;
    struct buf want = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    for (size_t len = 240; len <= 256; len++) {
        buf_reset(&headers);
        buf_append_slice(&headers, SLICE_LIT("Content-Type: "));
        memset(buf_grow(&headers, len), 'y', len);
        buf_append_slice(&headers, SLICE_LIT("\r\nCausal-Context: token\r\n"));
        buf_u8(&headers, 0);
        ask("PUT", (const char *)headers.ptr, SLICE_LIT("body"), &text);
        buf_reset(&want);
        buf_append_slice(&want, SLICE_LIT("PUT k=("));
        memset(buf_grow(&want, len), 'y', len);
        buf_append_slice(&want, SLICE_LIT(")body [token]"));
        if (len <= 255)
            assert_true(slice_equal(buf_slice(&text), buf_slice(&want)));
        else
            assert_memory_equal(text.ptr, "415", 3);
    }
    buf_fini(&headers);
    buf_fini(&want);
    buf_fini(&text);
}

/* ---- Changes of the configuration ---- */

static void expect_change(const char *target, const char *body, const char *want)
{
    struct buf text = BUF_EMPTY;
    ask_at(target, "", slice_str(body), &text);
    expect_text(buf_slice(&text), want);
    buf_fini(&text);
}

#define ADD "PUT /view"
#define REMOVE "DELETE /view"
#define PLACE "PUT /shard/add-member/s3"
#define RECOVER "PUT /recover"

static void changes(void **state)
{
    (void)state;
    expect_change(ADD, "{\"socket-address\":\"10.0.0.7:8090\"}", "VIEW_ADD 10.0.0.7:8090");
    expect_change(ADD, "{\"socket-address\":\"Node-7:08090\"}", "VIEW_ADD node-7:8090");
    expect_change(PLACE, "{\"socket-address\":\"a:1\"}", "SHARD_ADD a:1 s3");
    expect_change(REMOVE, "{\"socket-address\":\"a:1\"}", "VIEW_REMOVE a:1");
    expect_change(REMOVE, "{\"socket-address\":\"a:1\",\"force\":true}", "VIEW_REMOVE a:1 force");
    expect_change(REMOVE, "{\"force\":false,\"socket-address\":[\"a:1\"]}", "VIEW_REMOVE a:1");
    expect_change(REMOVE, "{\"socket-address\" : [ \"a:1\" , \"[0::1]:2\" ] }",
                  "VIEW_REMOVE a:1,[::1]:2");
    expect_change(RECOVER, "{\"without\":[\"b:2\",\"a:1\"]}", "RECOVER b:2,a:1");
    expect_change(RECOVER, "{\"without\":\"b:2\"}", "RECOVER b:2");
    expect_change(RECOVER, "{\"without\":\"b:2\",\"force\":true}", "RECOVER b:2");
    expect_change(RECOVER, "{\"without\":\"b:2\",\"from-directories\":true}", "RECOVER b:2 force");
    expect_change(RECOVER, "{\"from-directories\":true}", "RECOVER  force");
    expect_change(RECOVER, "{\"from-directories\":true,\"without\":null}", "RECOVER  force");
    /* The same one twice is once, however it is written; escapes are texts too. */
    expect_change(REMOVE, "{\"socket-address\":[\"a:1\",\"ab:1\",\"A:01\",\"\\u0061:1\",\"b:1\"]}",
                  "VIEW_REMOVE a:1,ab:1,b:1");
    /* The context goes along: of the body, escaped too, and of the header. */
    expect_change(REMOVE, "{\"causal-metadata\":\"t\\u0041\",\"socket-address\":[\"\\u0061:1\"]}",
                  "VIEW_REMOVE a:1 [tA]");
}

#define NO_ADDRESS ERROR_OF("400", "The request does not specify a socket-address")
#define NOT_ONE(text) ERROR_OF("400", "Not an address of the form HOST:PORT: " text)
#define NO_TEXT ERROR_OF("400", "An address is a text of the form HOST:PORT")
#define NO_LIST                                                                                    \
    ERROR_OF("400", "An address is a text of the form HOST:PORT; several stand in a list")

static void changes_that_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {ADD, REMOVE, PLACE};
    for (size_t i = 0; i < 3; i++) {
        expect_change(paths[i], "", NO_ADDRESS);
        expect_change(paths[i], "{}", NO_ADDRESS);
        expect_change(paths[i], "{\"socket-address\":null}", NO_ADDRESS);
        expect_change(paths[i], "[]", ERROR_OF("400", "The body is not a JSON object"));
        expect_change(paths[i], "{\"socket-address\":\"10.0.0.7\"}", NOT_ONE("10.0.0.7"));
        expect_change(paths[i], "{\"socket-address\":\"a:0\"}", NOT_ONE("a:0"));
        expect_change(paths[i], "{\"socket-address\":\"a:1,b:2\"}", NOT_ONE("a:1,b:2"));
        expect_change(paths[i], "{\"socket-address\":\"\\u00e9\\\":1\"}",
                      NOT_ONE("\xC3\xA9\\\":1"));
        expect_change(paths[i], "{\"socket-address\":\"\"}",
                      ERROR_OF("400", "Not an address of the form HOST:PORT"));
        expect_change(paths[i], "{\"socket-address\":\"a:1\",\"socket-address\":\"b:1\"}",
                      "400 {\"error\":\"The body is not valid JSON\",\"detail\":\"a name stands "
                      "twice in the object\",\"offset\":46}");
    }
    expect_change(ADD, "{\"socket-address\":7}", NO_TEXT);
    expect_change(ADD, "{\"socket-address\":[\"a:1\"]}", NO_TEXT);
    expect_change(REMOVE, "{\"socket-address\":7}", NO_LIST);
    expect_change(REMOVE, "{\"socket-address\":[\"a:1\",7]}", NO_TEXT);
    expect_change(REMOVE, "{\"socket-address\":[\"a:1\",\"b\"]}", NOT_ONE("b"));
    expect_change(REMOVE, "{\"socket-address\":[ ]}",
                  ERROR_OF("400", "The request names no address"));
    expect_change(REMOVE, "{\"socket-address\":\"a:1\",\"force\":1}",
                  ERROR_OF("400", "force is true or false"));
    expect_change(REMOVE, "{\"socket-address\":\"a:1\",\"causal-metadata\":7}", TOKEN_BAD);
    expect_change(
        RECOVER, "{\"socket-address\":\"a:1\"}",
        ERROR_OF("400", "The request does not specify without: the addresses to be given up"));
    expect_change(
        RECOVER, "{\"from-directories\":false}",
        ERROR_OF("400", "The request does not specify without: the addresses to be given up"));
    expect_change(RECOVER, "{\"without\":\"a:1\",\"from-directories\":\"yes\"}",
                  ERROR_OF("400", "from-directories is true or false"));
    expect_change(RECOVER, "{\"without\":[],\"from-directories\":true}",
                  ERROR_OF("400", "The request names no address"));
    struct buf text = BUF_EMPTY;
    ask_at(ADD, "Content-Type: text/plain\r\n", SLICE_LIT("{\"socket-address\":\"a:1\"}"), &text);
    expect_text(buf_slice(&text),
                ERROR_OF("415", "This request takes JSON: its Content-Type says otherwise"));
    buf_fini(&text);
}

/* As many as a cluster can have, of the longest names, and a token that has to be kept beside. */
static void as_many_addresses_as_there_can_be(void **state)
{
    (void)state;
    struct buf body = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    for (uint32_t count = LIMIT_MEMBERS; count <= LIMIT_MEMBERS + 1; count++) {
        buf_reset(&body);
        buf_append_slice(&body, SLICE_LIT("{\"causal-metadata\":\"\\u0054\",\"without\":["));
        for (uint32_t i = 0; i < count; i++) {
            char start[16];
            snprintf(start, sizeof(start), "%s\"h%02u", i > 0 ? "," : "", i);
            buf_append_slice(&body, slice_str(start));
            for (int k = 0; k < 4; k++)
                buf_append_slice(&body, SLICE_LIT(".0123456789abcdefghijklmnopqrstuvwxyz"
                                                  "0123456789abcdefghijkl"));
            buf_append_slice(&body, SLICE_LIT(":65535\""));
        }
        buf_append_slice(&body, SLICE_LIT("]}"));
        struct request request = ask_at(RECOVER, "", buf_slice(&body), &text);
        if (count <= LIMIT_MEMBERS) {
            assert_int_equal(request.op, OP_RECOVER);
            assert_memory_equal(text.ptr + text.len - 4, " [T]", 4);
            assert_int_equal(text.len, 8 + count * (3 + 4 * 59 + 6 + 1) - 1 + 4);
        } else {
            expect_text(buf_slice(&text), ERROR_OF("400", "The request names more addresses than "
                                                          "a cluster can have"));
        }
    }
    buf_reset(&body);
    memset(buf_grow(&body, 65537), ' ', 65537);
    ask_at(RECOVER, "", buf_slice(&body), &text);
    expect_text(buf_slice(&text), ERROR_OF("413", "The body of the request is too large"));
    buf_fini(&body);
    buf_fini(&text);
}

/* ---- Prefer ---- */

static void preferences(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* of Prefer */
        uint32_t wait_ms; /* 1: refused */
        uint32_t copies;  /* of the request */
    } prefer[] = {
        {"wait=0", 0, 0},
        {"wait=30", 30000, 0},
        {"wait=1.5, copies=2", 1500, 2},
        {"wait=0.025", 25, 0},
        {"WAIT=\"3\";x=y,COPIES=2", 3000, 2},
        {"copies=1", REQUEST_WAIT_DEFAULT, 0},
        {"respond-async, handling=lenient", REQUEST_WAIT_DEFAULT, 0},
        {"", REQUEST_WAIT_DEFAULT, 0},
        {"wait=30.001", 1, 0},
        {"wait=31", 1, 0},
        {"wait=99999999999999999999", 1, 0},
        {"wait=-1", 1, 0},
        {"wait=", 1, 0},
        {"wait", 1, 0},
        {"wait=1.", 1, 0},
        {"wait=.5", 1, 0},
        {"wait=1.2345", 1, 0},
        {"wait=1.2.3", 1, 0},
        {"wait=x", 1, 0},
        {"copies=3", 1, 0},
        {"copies=0", 1, 0},
        {"copies", 1, 0},
    };
    struct buf text = BUF_EMPTY;
    for (size_t i = 0; i < sizeof(prefer) / sizeof(prefer[0]); i++) {
        char header[80];
        snprintf(header, sizeof(header), "Prefer: %s\r\n", prefer[i].text);
        struct request request = ask("PUT", header, SLICE_LIT("{\"value\":1}"), &text);
        if (prefer[i].wait_ms == 1) {
            assert_memory_equal(text.ptr, "400", 3);
            continue;
        }
        expect_text(buf_slice(&text), "PUT k=1");
        assert_int_equal(request.wait_ms, prefer[i].wait_ms);
        assert_int_equal(request.copies, prefer[i].copies);
        assert_int_equal(request.session, DRIVE_SESSION);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_paths),
        cmocka_unit_test(keys_are_any_bytes),
        cmocka_unit_test(metadata_that_means_nothing_seen),
        cmocka_unit_test(metadata_that_is_no_token),
        cmocka_unit_test(tokens_of_body_and_headers),
        cmocka_unit_test(a_token_may_not_be_endless),
        cmocka_unit_test(values),
        cmocka_unit_test(raw_values),
        cmocka_unit_test(a_raw_value_overwrites_nothing),
        cmocka_unit_test(changes),
        cmocka_unit_test(changes_that_are_refused),
        cmocka_unit_test(as_many_addresses_as_there_can_be),
        cmocka_unit_test(preferences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
