/* drive - a connection with a node behind it that knows one answer for each question.
 *
 * Does:   feeds bytes in any pieces, answers the calls (at once, or late and backwards), keeps
 *         what was called as text, takes all output, and takes the answers apart again.
 * Not:    verdicts: the tests have those.
 * Holds:  -
 * Limits: DRIVE_LATE_MAX calls wait for late answers.
 * See:    src/http/conn.h.
 */
#pragma once

#include "unit.h"

#include "http/http.h"

#define DRIVE_SESSION 77U
#define DRIVE_LATE_MAX HTTP_CALLS_MAX

struct drive {
    struct http_conn *conn;                 /* under test */
    bool late;                              /* answer when all was fed, backwards */
    struct http_call calls[DRIVE_LATE_MAX]; /* to be answered late; their slices are dead */
    uint32_t call_count;                    /* of those */
    struct buf called;                      /* "GET key;PUT key=value [token];…" */
    struct buf output;                      /* all that came out */
    bool closed;                            /* it wanted to be closed in the end */
};

static inline struct http_limits drive_limits(void)
{
    struct http_limits limits;
    http_limits_init(&limits, 1024, 8U << 20);
    return limits;
}

static inline void drive_init(struct drive *drive, const struct http_limits *limits)
{
    memset(drive, 0, sizeof(*drive));
    drive->conn = http_conn_new(limits, DRIVE_SESSION);
}

static inline void drive_fini(struct drive *drive)
{
    http_conn_free(drive->conn);
    buf_fini(&drive->called);
    buf_fini(&drive->output);
}

static inline const char *drive_op(enum op op)
{
    switch (op) {
    case OP_GET:
        return "GET ";
    case OP_PUT:
        return "PUT ";
    case OP_DELETE:
        return "DELETE ";
    case OP_COUNT:
        return "COUNT ";
    case OP_VIEW_ADD:
        return "VIEW_ADD ";
    case OP_VIEW_REMOVE:
        return "VIEW_REMOVE ";
    case OP_SHARD_ADD:
        return "SHARD_ADD ";
    case OP_RECOVER:
        return "RECOVER ";
    case OP_RESHARD:
        return "RESHARD ";
    case OP_RESHARD_CANCEL:
        return "RESHARD_CANCEL ";
    }
    return "? ";
}

/* The call as text; a raw value as (type)bytes. */
static inline void drive_note(struct drive *drive, const struct http_call *call)
{
    static const char *const locals[] = {
        "-",       "-",      "VIEW",    "SHARD_IDS", "NODE_SHARD_ID", "SHARD_MEMBERS",
        "HEALTHZ", "READYZ", "METRICS", "CLUSTER",   "RESHARD",       "ROOT"};
    struct buf *out = &drive->called;
    const struct request *request = &call->request;
    if (out->len > 0)
        buf_u8(out, ';');
    if (call->kind != HTTP_NODE) {
        buf_append_slice(out, slice_str(locals[call->kind]));
        if (call->kind == HTTP_SHARD_MEMBERS) {
            buf_u8(out, ' ');
            buf_decimal(out, call->shard_id);
        }
        return;
    }
    buf_append_slice(out, slice_str(drive_op(request->op)));
    buf_append_slice(out, request->key);
    if (request->op == OP_SHARD_ADD)
        buf_append(out, " s", 2);
    if (request->op == OP_COUNT || request->op == OP_SHARD_ADD)
        buf_decimal(out, request->shard_id);
    if (request->force)
        buf_append_slice(out, SLICE_LIT(" force"));
    if (request->op == OP_PUT) {
        struct slice value = request->value;
        buf_u8(out, '=');
        if (request->form == VALUE_RAW) {
            buf_u8(out, '(');
            buf_append(out, value.ptr + 1, value.ptr[0]);
            buf_u8(out, ')');
            value = slice_of(value.ptr + 1 + value.ptr[0], value.len - 1 - value.ptr[0]);
        }
        buf_append_slice(out, value);
    }
    for (uint32_t i = 0; i < request->token_count; i++) {
        buf_append(out, " [", 2);
        buf_append_slice(out, request->tokens[i]);
        buf_u8(out, ']');
    }
}

static inline void drive_answer(struct drive *drive, const struct http_call *call)
{
    static const enum outcome outcomes[] = {OUTCOME_NONE,    OUTCOME_FOUND,   OUTCOME_CREATED,
                                            OUTCOME_DELETED, OUTCOME_COUNTED, OUTCOME_ADDED,
                                            OUTCOME_REMOVED, OUTCOME_PLACED,  OUTCOME_RECOVERED};
    if (call->kind != HTTP_NODE) {
        struct http_response response = {.status = 200, .body = SLICE_LIT("{\"local\":1}")};
        assert_true(http_conn_respond(drive->conn, call->id, &response));
        return;
    }
    struct reply reply = {.id = call->id, .token = SLICE_LIT("T")};
    reply.outcome = outcomes[call->request.op];
    reply.form = VALUE_JSON;
    reply.value = SLICE_LIT("{\"v\":1}");
    reply.count = 7;
    assert_true(http_conn_reply(drive->conn, &reply));
}

static inline void drive_take(struct drive *drive)
{
    struct slice output = http_conn_output(drive->conn);
    buf_append_slice(&drive->output, output);
    http_conn_consume(drive->conn, output.len);
}

static inline void drive_drain(struct drive *drive)
{
    struct http_call call;
    while (http_conn_next(drive->conn, &call)) {
        assert_int_not_equal(call.kind, HTTP_NONE);
        assert_int_equal(http_call_session(call.id), DRIVE_SESSION);
        drive_note(drive, &call);
        http_conn_check(drive->conn);
        if (drive->late) {
            assert_true(drive->call_count < DRIVE_LATE_MAX);
            drive->calls[drive->call_count++] = call;
        } else {
            drive_answer(drive, &call);
        }
        drive_take(drive);
    }
    drive_take(drive);
    http_conn_check(drive->conn);
    drive->closed = http_conn_wants_close(drive->conn);
}

/* The bytes lie in an allocation of their own size for the call, no longer. */
static inline void drive_feed(struct drive *drive, struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    http_conn_feed(drive->conn, slice_of(copy, bytes.len));
    free(copy);
    drive_drain(drive);
}

/* Late answers, the last call first. */
static inline void drive_finish(struct drive *drive)
{
    while (drive->call_count > 0) {
        drive_answer(drive, &drive->calls[--drive->call_count]);
        drive_drain(drive);
    }
}

/* ---- Answers, taken apart by the simplest means ---- */

struct seen {
    int status;        /* of the status line */
    struct slice head; /* status line and headers */
    struct slice body; /* by Content-Length */
};

static inline struct slice seen_header(const struct seen *seen, const char *name)
{
    struct slice head = seen->head;
    size_t len = strlen(name);
    for (size_t i = 0; i + len + 2 < head.len; i++) {
        if (head.ptr[i] != '\n' || memcmp(head.ptr + i + 1, name, len) != 0 ||
            memcmp(head.ptr + i + 1 + len, ": ", 2) != 0)
            continue;
        size_t from = i + 1 + len + 2;
        size_t to = from;
        while (head.ptr[to] != '\r')
            to++;
        return slice_of(head.ptr + from, to - from);
    }
    return SLICE_EMPTY;
}

/* Takes one answer off the front of *rest; to HEAD there is no body. */
static inline bool seen_next(struct slice *rest, bool to_head, struct seen *seen)
{
    if (rest->len == 0)
        return false;
    size_t end = 0;
    while (end + 4 <= rest->len && memcmp(rest->ptr + end, "\r\n\r\n", 4) != 0)
        end++;
    assert_true(end + 4 <= rest->len);
    assert_memory_equal(rest->ptr, "HTTP/1.1 ", 9);
    seen->status = (rest->ptr[9] - '0') * 100 + (rest->ptr[10] - '0') * 10 + rest->ptr[11] - '0';
    seen->head = slice_of(rest->ptr, end + 2);
    struct slice length = seen_header(seen, "Content-Length");
    size_t len = 0;
    for (size_t i = 0; i < length.len; i++)
        len = len * 10 + (size_t)(length.ptr[i] - '0');
    assert_true(seen->status == 100 || length.len > 0);
    if (to_head)
        len = 0;
    assert_true(end + 4 + len <= rest->len);
    seen->body = slice_of(rest->ptr + end + 4, len);
    *rest = slice_of(rest->ptr + end + 4 + len, rest->len - end - 4 - len);
    return true;
}

/* "201 404": the statuses of all answers; " close" where the last one said so. */
static inline void seen_statuses(struct slice output, struct buf *out)
{
    struct seen seen;
    buf_reset(out);
    while (seen_next(&output, false, &seen)) {
        if (out->len > 0)
            buf_u8(out, ' ');
        buf_decimal(out, (uint64_t)seen.status);
        if (slice_equal(seen_header(&seen, "Connection"), SLICE_LIT("close")))
            buf_append_slice(out, SLICE_LIT(" close"));
    }
    buf_u8(out, 0);
    out->len--;
}

static inline void expect_text(struct slice got, const char *want)
{
    if (!slice_equal(got, slice_str(want)))
        fail_msg("\n  got:  %.*s\n  want: %s", (int)got.len, (const char *)got.ptr, want);
}

/* ---- Whole runs ---- */

/* How a stream is cut: into pieces of `step` bytes (0: all at once), the first one `first` long
 * (0: as the others). */
struct cut {
    size_t first; /* bytes */
    size_t step;  /* bytes */
};

static inline void drive_run(struct drive *drive, const struct http_limits *limits,
                             struct slice bytes, struct cut cut, bool late)
{
    drive_init(drive, limits);
    drive->late = late;
    size_t at = 0;
    while (at < bytes.len) {
        size_t step = at == 0 && cut.first > 0 ? cut.first : cut.step;
        if (step == 0 || step > bytes.len - at)
            step = bytes.len - at;
        drive_feed(drive, slice_of(bytes.ptr + at, step));
        at += step;
    }
    drive_finish(drive);
}

/* The stream cut as told gives what it gives uncut. */
static inline void drive_compare(const struct http_limits *limits, struct slice bytes,
                                 struct cut cut, bool late)
{
    struct drive *whole = malloc(sizeof(*whole));
    struct drive *pieces = malloc(sizeof(*pieces));
    drive_run(whole, limits, bytes, (struct cut){0, 0}, late);
    drive_run(pieces, limits, bytes, cut, late);
    bool same = slice_equal(buf_slice(&whole->called), buf_slice(&pieces->called)) &&
                slice_equal(buf_slice(&whole->output), buf_slice(&pieces->output)) &&
                whole->closed == pieces->closed;
    if (!same)
        fail_msg("cut %zu, %zu of %.*s\n  whole:  %.*s\n%.*s\n  pieces: %.*s\n%.*s", cut.first,
                 cut.step, (int)bytes.len, (const char *)bytes.ptr, (int)whole->called.len,
                 (const char *)whole->called.ptr, (int)whole->output.len,
                 (const char *)whole->output.ptr, (int)pieces->called.len,
                 (const char *)pieces->called.ptr, (int)pieces->output.len,
                 (const char *)pieces->output.ptr);
    drive_fini(whole);
    drive_fini(pieces);
    free(whole);
    free(pieces);
}

/* ---- Rows of tables ---- */

#define H "Host: a\r\n"
#define V11 " HTTP/1.1\r\n"
#define OK_AFTER "GET /kvs/after" V11 H "\r\n"

struct stream_row {
    const char *name;
    struct slice in;      /* the stream */
    const char *called;   /* see drive_note */
    const char *statuses; /* see seen_statuses */
    bool closed;          /* in the end */
};

#define ROW(name, in, called, statuses, closed)                                                    \
    {                                                                                              \
        name, {(const uint8_t *)(in), sizeof(in) - 1}, called, statuses, closed                    \
    }

static inline void check_row(const struct http_limits *limits, const struct stream_row *row)
{
    struct drive drive;
    struct buf statuses = BUF_EMPTY;
    drive_run(&drive, limits, row->in, (struct cut){0, 0}, false);
    seen_statuses(buf_slice(&drive.output), &statuses);
    if (!slice_equal(buf_slice(&statuses), slice_str(row->statuses)) ||
        !slice_equal(buf_slice(&drive.called), slice_str(row->called)) ||
        drive.closed != row->closed)
        fail_msg("%s\n  calls %.*s\n  want  %s\n  statuses %s\n  want     %s\n  closed %d\n%.*s",
                 row->name, (int)drive.called.len, (const char *)drive.called.ptr, row->called,
                 (const char *)statuses.ptr, row->statuses, drive.closed, (int)drive.output.len,
                 (const char *)drive.output.ptr);
    drive_compare(limits, row->in, (struct cut){0, 1}, false);
    drive_compare(limits, row->in, (struct cut){0, 1}, true);
    size_t step = row->in.len > 400 ? row->in.len / 200 : 1;
    for (size_t at = 1; at < row->in.len; at += step)
        drive_compare(limits, row->in, (struct cut){at, 0}, at % 2 == 0);
    buf_fini(&statuses);
    drive_fini(&drive);
}

static inline void check_rows(const struct stream_row *rows, size_t count)
{
    struct http_limits limits = drive_limits();
    for (size_t i = 0; i < count; i++)
        check_row(&limits, &rows[i]);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))
