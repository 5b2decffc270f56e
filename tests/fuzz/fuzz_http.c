/* fuzz_http - any bytes as a client connection, whole and cut in two ways.
 *
 * Does:   the first two bytes choose limits, the place of a cut, and when answers come; the rest is
 *         fed at once, cut in two, and byte by byte. Calls, output and end must be the same; the
 *         connection must be sound after every step; values must be what they are called.
 * Not:    verdicts: tests/unit/http has those.
 * Holds:  H1, H4, A1.
 * Limits: -
 * See:    src/http/conn.h.
 */
#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct http_conn *conn;                    /* under test */
    struct buf called;                         /* all calls, with all that they name */
    struct buf output;                         /* all output */
    bool late;                                 /* answers come when all was fed, backwards */
    uint64_t ids[HTTP_CALLS_MAX];              /* of calls that wait for a late answer */
    enum http_call_kind kinds[HTTP_CALLS_MAX]; /* of those */
    uint32_t count;                            /* of those */
};

static void note(struct world *world, const struct http_call *call)
{
    const struct request *request = &call->request;
    buf_u64(&world->called, call->id);
    buf_u8(&world->called, (uint8_t)call->kind);
    if (call->kind != HTTP_NODE)
        return;
    ASSERT(request->id == call->id);
    ASSERT(request->op == OP_COUNT || request->key.len > 0);
    ASSERT(request->token_count <= LIMIT_TOKENS);
    buf_u8(&world->called, (uint8_t)request->op);
    buf_append_slice(&world->called, request->key);
    buf_u32(&world->called, request->shard_id);
    if (op_changes_config(request->op))
        buf_u8(&world->called, request->force);
    buf_u32(&world->called, request->wait_ms);
    buf_u32(&world->called, request->copies);
    for (uint32_t i = 0; i < request->token_count; i++) {
        ASSERT(request->tokens[i].len > 0);
        buf_append_slice(&world->called, request->tokens[i]);
    }
    if (request->op != OP_PUT)
        return;
    struct json_value value;
    struct json_error error;
    buf_append_slice(&world->called, request->value);
    if (request->form == VALUE_RAW)
        ASSERT(request->value.len >= 1U + request->value.ptr[0]);
    else
        ASSERT(json_scan(request->value, &value, &error));
}

static void answer(struct world *world, uint64_t id, enum http_call_kind kind)
{
    struct http_response response = {.status = 200, .body = SLICE_LIT("{}")};
    struct reply reply = {.id = id, .outcome = OUTCOME_FOUND, .form = VALUE_JSON};
    reply.value = SLICE_LIT("1");
    if (kind == HTTP_NODE)
        ASSERT(http_conn_reply(world->conn, &reply));
    else
        ASSERT(http_conn_respond(world->conn, id, &response));
}

static void drain(struct world *world)
{
    struct http_call call;
    while (http_conn_next(world->conn, &call)) {
        note(world, &call);
        if (!world->late) {
            answer(world, call.id, call.kind);
            continue;
        }
        ASSERT(world->count < HTTP_CALLS_MAX);
        world->ids[world->count] = call.id;
        world->kinds[world->count++] = call.kind;
    }
    http_conn_check(world->conn);
    struct slice output = http_conn_output(world->conn);
    buf_append_slice(&world->output, output);
    http_conn_consume(world->conn, output.len);
}

/* Fed in pieces of `step`, the first one `first` long. */
static void run(struct world *world, const struct http_limits *limits, struct slice bytes,
                size_t first, size_t step)
{
    world->conn = http_conn_new(limits, 1);
    for (size_t at = 0; at < bytes.len;) {
        size_t count = at == 0 ? first : step;
        if (count > bytes.len - at)
            count = bytes.len - at;
        http_conn_feed(world->conn, slice_of(bytes.ptr + at, count));
        drain(world);
        at += count;
    }
    while (world->count > 0) {
        world->count--;
        answer(world, world->ids[world->count], world->kinds[world->count]);
        drain(world);
    }
    uint64_t ids[HTTP_CALLS_MAX];
    ASSERT(http_conn_under_way(world->conn, ids) == 0);
}

static void fini(struct world *world)
{
    http_conn_free(world->conn);
    buf_fini(&world->called);
    buf_fini(&world->output);
}

static void expect_same(const struct world *a, const struct world *b)
{
    ASSERT(slice_equal(buf_slice(&a->called), buf_slice(&b->called)));
    ASSERT(slice_equal(buf_slice(&a->output), buf_slice(&b->output)));
    ASSERT(http_conn_wants_close(a->conn) == http_conn_wants_close(b->conn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct http_limits limits;
    http_limits_init(&limits, 16, 64);
    limits.body_bytes_max = 128;
    limits.drain_bytes_max = 256;
    limits.target_bytes_max = 64;
    limits.head_bytes_max = 512;
    limits.header_count_max = 8;
    limits.calls_max = 1 + (data[0] & 7);
    bool late = (data[0] & 8) != 0;
    struct slice bytes = slice_of(data + 2, size - 2);
    size_t cut = 1 + data[1] % bytes.len;
    struct world whole = {.late = late};
    struct world halves = {.late = late};
    struct world single = {.late = late};
    run(&whole, &limits, bytes, bytes.len, bytes.len);
    run(&halves, &limits, bytes, cut, bytes.len);
    run(&single, &limits, bytes, 1, 1);
    expect_same(&whole, &halves);
    expect_same(&whole, &single);
    fini(&whole);
    fini(&halves);
    fini(&single);
    return 0;
}
