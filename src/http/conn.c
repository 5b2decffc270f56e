/* conn - one client connection of HTTP/1.1: bytes in, calls out; answers in, bytes out.
 *
 * Does:   see conn.h.
 * Not:    the order of answers: queue.c.
 * Holds:  H1, H2, H3, H4.
 * Limits: -
 * See:    conn.h.
 *
 * Input, from `at` on, while a request is read:
 *
 *   | head                 | body so far          | not looked at yet
 *   at                     at + head_len          in.len
 *
 * Chunked bodies are moved together in place. A body that nobody wants is dropped as it comes; then
 * `at` is always at its next byte, and the head is gone.
 */
#include "http/conn.h"

#include "http/ask.h"
#include "http/chunk.h"
#include "http/guard.h"
#include "http/openapi.h"
#include "http/queue.h"

enum phase {
    PHASE_HEAD,   /* of the next request */
    PHASE_BODY,   /* of the request in the last slot */
    PHASE_CLOSED, /* nothing is read any more */
};

struct http_conn {
    struct http_limits limits; /* as given */
    uint64_t session;          /* as given */
    enum phase phase;          /* what is read */
    struct buf in;             /* what came and is still needed */
    size_t at;                 /* in it: where the request starts */
    uint64_t fed;              /* bytes that ever came */
    uint64_t messages;         /* requests read to their end */
    uint64_t message_start;    /* `fed` where the present one started */
    struct http_guard guard;   /* PHASE_HEAD: how far the head was looked at */
    size_t head_len;           /* PHASE_BODY: bytes of the head that stand before the body */
    const uint8_t *head_base;  /* PHASE_BODY: where they stood when head and route were made */
    struct http_head head;     /* PHASE_BODY: of the request */
    struct http_route route;   /* PHASE_BODY: of the request */
    bool drop;                 /* PHASE_BODY: nobody wants the body */
    struct http_chunks chunks; /* PHASE_BODY, chunked */
    uint64_t body_len;         /* PHASE_BODY: bytes of the body so far, dropped ones too */
    size_t body_end;           /* in `in`: where the next request starts, once that is known */
    struct http_queue queue;   /* requests that are not answered yet, and output */
    struct buf key_room;       /* a key with escapes */
    struct buf room;           /* what a request borrows and does not stand in the input */
    struct buf scratch;        /* for bodies of answers */
};

void http_limits_init(struct http_limits *limits, uint64_t key_bytes_max, uint64_t value_bytes_max)
{
    ASSERT(key_bytes_max <= LIMIT_KEY_BYTES);
    ASSERT(value_bytes_max <= LIMIT_VALUE_BYTES);
    uint32_t target = (uint32_t)key_bytes_max * 3 + 64; /* every byte may be an escape */
    *limits = (struct http_limits){
        .target_bytes_max = target < 8192 ? 8192 : target,
        .head_bytes_max = 65536,
        .header_count_max = 100,
        .key_bytes_max = (uint32_t)key_bytes_max,
        .value_bytes_max = (uint32_t)value_bytes_max,
        .body_bytes_max = value_bytes_max + 65536, /* the rest of the object, blanks */
        .drain_bytes_max = LIMIT_VALUE_BYTES + 65536,
        .calls_max = 64,
        .output_bytes_max = 1U << 20,
    };
}

struct http_conn *http_conn_new(const struct http_limits *limits, uint64_t session)
{
    ASSERT(session < UINT64_C(1) << (64 - HTTP_CALL_BITS));
    ASSERT(limits->head_bytes_max >= limits->target_bytes_max);
    ASSERT(limits->drain_bytes_max >= limits->body_bytes_max);
    struct http_conn *conn = mem_zalloc(1, sizeof(*conn));
    conn->limits = *limits;
    conn->session = session;
    http_queue_init(&conn->queue, limits->calls_max);
    return conn;
}

void http_conn_free(struct http_conn *conn)
{
    if (conn == NULL)
        return;
    http_queue_fini(&conn->queue);
    buf_fini(&conn->in);
    buf_fini(&conn->key_room);
    buf_fini(&conn->room);
    buf_fini(&conn->scratch);
    mem_free(conn);
}

/* ---- Input ---- */

/* Forgets what lies before `at`: when nothing else is there, or when that is more than what has to
 * be moved, so that each byte is moved at most once. */
static void forget(struct http_conn *conn)
{
    size_t left = conn->in.len - conn->at;
    if (conn->at == 0)
        return;
    if (left == 0) {
        http_buf_rest(&conn->in);
        conn->at = 0;
    } else if (conn->at >= left) {
        buf_consume(&conn->in, conn->at);
        conn->at = 0;
    }
}

static void close_input(struct http_conn *conn)
{
    conn->phase = PHASE_CLOSED;
    conn->at = conn->in.len;
}

void http_conn_feed(struct http_conn *conn, struct slice bytes)
{
    conn->fed += bytes.len;
    forget(conn);
    if (conn->phase != PHASE_CLOSED)
        buf_append_slice(&conn->in, bytes);
}

static struct slice unread(const struct http_conn *conn)
{
    size_t left = conn->in.len - conn->at;
    return left > 0 ? slice_of(conn->in.ptr + conn->at, left) : SLICE_EMPTY;
}

/* Empty lines between requests are skipped (RFC 9112 section 2.2). */
static void skip_empty_lines(struct http_conn *conn)
{
    if (conn->guard.at > 0)
        return;
    struct slice left = unread(conn);
    size_t skip = 0;
    while (left.len - skip >= 2 && left.ptr[skip] == '\r' && left.ptr[skip + 1] == '\n')
        skip += 2;
    conn->at += skip;
    conn->message_start += skip;
}

/* ---- Answers from here ---- */

static void refuse(struct http_conn *conn, struct http_slot *slot,
                   const struct http_refusal *refusal)
{
    if (refusal->close) {
        slot->style.close = true;
        close_input(conn);
    }
    struct buf *out = http_queue_begin(&conn->queue, slot);
    http_render_refusal(&slot->style, refusal, &conn->scratch, out);
    http_queue_end(&conn->queue, slot);
}

static void answer(struct http_conn *conn, struct http_slot *slot, const struct reply *reply)
{
    struct buf *out = http_queue_begin(&conn->queue, slot);
    http_render_reply(&slot->style, reply, &conn->scratch, out);
    http_queue_end(&conn->queue, slot);
}

static void respond(struct http_conn *conn, struct http_slot *slot,
                    const struct http_response *response)
{
    struct buf *out = http_queue_begin(&conn->queue, slot);
    http_render_response(&slot->style, response, out);
    http_queue_end(&conn->queue, slot);
}

/* The slot of the request that is being read (the newest one), unless that was answered before its
 * end. PHASE_BODY only. */
static struct http_slot *reading(const struct http_conn *conn)
{
    if (conn->queue.count == 0)
        return NULL;
    struct http_slot *slot = http_queue_last(&conn->queue);
    ASSERT(slot->number == conn->messages);
    return slot->answered ? NULL : slot;
}

/* ---- Heads ---- */

/* Takes the head apart where it stands now. */
static void parse_head(struct http_conn *conn)
{
    conn->head_base = conn->in.ptr + conn->at;
    http_head_parse(slice_of(conn->head_base, conn->head_len), &conn->head);
    if (!conn->head.refusal.close)
        http_route_find(conn->head.method, conn->head.target, &conn->limits, &conn->key_room,
                        &conn->route);
}

/* All that can be said against a request before its body comes. */
static void judge_head(const struct http_conn *conn, struct http_refusal *refusal)
{
    const struct http_head *head = &conn->head;
    *refusal = head->refusal;
    if (refusal->close)
        return;
    if (refusal->status == 0)
        *refusal = conn->route.refusal;
    http_ask_check(head, &conn->route, refusal);
    bool dropped = refusal->status != 0 || !conn->route.takes_body;
    if (!dropped && head->length > conn->limits.body_bytes_max) {
        http_refuse(refusal, 413, "The body of the request is too large");
        dropped = true;
    }
    if (dropped && head->length > conn->limits.drain_bytes_max)
        http_refuse_close(refusal, 413, "The body of the request is too large");
    /* A client that waits for 100 and hears 4xx may send the body or not: nobody can tell where
     * the next request starts. */
    if (refusal->status != 0 && head->expect && (head->chunked || head->length > 0))
        refusal->close = true;
}

static void set_style(const struct http_head *head, struct http_style *style)
{
    style->head = head->method == METHOD_HEAD;
    style->close = !head->keep_alive;
    style->keep_alive = head->keep_alive && head->minor_0;
    style->bytes = head->accept_bytes && !head->accept_json;
}

/* The head is whole: refuses the request, or goes on to its body. */
static void end_head(struct http_conn *conn)
{
    struct http_refusal refusal;
    parse_head(conn);
    judge_head(conn, &refusal);
    struct http_slot *slot = http_queue_open(&conn->queue);
    if (!conn->head.refusal.close) {
        set_style(&conn->head, &slot->style);
        slot->style.bare = conn->route.kind == HTTP_NODE && op_changes_config(conn->route.op);
    }
    http_slot_set_context(slot, conn->head.tokens, conn->head.token_count);
    conn->phase = PHASE_BODY;
    conn->chunks = (struct http_chunks){.state = CHUNK_SIZE};
    conn->body_len = 0;
    conn->drop = refusal.status != 0 || !conn->route.takes_body;
    if (conn->drop)
        conn->at += conn->head_len;
    if (refusal.status != 0) {
        refuse(conn, slot, &refusal);
    } else if (conn->head.expect && (conn->head.chunked || conn->head.length > 0)) {
        slot->continue_due = true;
        http_queue_settle(&conn->queue);
    }
}

static bool may_begin(const struct http_conn *conn)
{
    return !http_queue_is_full(&conn->queue) &&
           http_queue_bytes(&conn->queue) <= conn->limits.output_bytes_max;
}

/* False when more bytes, answers or room for them are needed. */
static bool read_head(struct http_conn *conn)
{
    if (!may_begin(conn))
        return false;
    skip_empty_lines(conn);
    struct slice head = unread(conn);
    if (head.len == 0)
        return false;
    struct http_refusal refusal = {.status = 0};
    switch (http_guard_scan(&conn->guard, head, &conn->limits, &refusal)) {
    case GUARD_MORE:
        return false;
    case GUARD_DONE:
        conn->head_len = conn->guard.at;
        end_head(conn);
        return true;
    case GUARD_REFUSED:
        refuse(conn, http_queue_open(&conn->queue), &refusal);
        return true;
    }
    UNREACHABLE();
}

/* ---- Bodies ---- */

enum body_result {
    BODY_MORE,  /* bytes are needed */
    BODY_DONE,  /* it is whole */
    BODY_AGAIN, /* something has changed: look at the phase again */
};

/* The framing of the body is broken, or it is longer than can be dropped. */
static enum body_result give_up(struct http_conn *conn, int status, const char *sentence)
{
    struct http_refusal refusal = {.status = status, .close = true, .sentence = sentence};
    struct http_slot *slot = reading(conn);
    if (slot != NULL)
        refuse(conn, slot, &refusal);
    else
        close_input(conn);
    return BODY_AGAIN;
}

/* A body of a known length. */
static enum body_result read_plain(struct http_conn *conn)
{
    size_t there = conn->in.len - conn->at;
    if (!conn->drop) {
        conn->body_len = conn->head.length;
        conn->body_end = conn->at + conn->head_len + (size_t)conn->head.length;
        return there - conn->head_len < conn->head.length ? BODY_MORE : BODY_DONE;
    }
    uint64_t left = conn->head.length - conn->body_len;
    size_t count = there < left ? there : (size_t)left;
    conn->at += count;
    conn->body_len += count;
    conn->body_end = conn->at;
    return conn->body_len < conn->head.length ? BODY_MORE : BODY_DONE;
}

/* A chunk begins at from: too much? */
static enum body_result judge_chunk(struct http_conn *conn, size_t from)
{
    uint64_t most = conn->drop ? conn->limits.drain_bytes_max : conn->limits.body_bytes_max;
    if (conn->chunks.left <= most - conn->body_len) {
        if (conn->drop)
            conn->body_len += conn->chunks.left;
        return BODY_DONE;
    }
    if (conn->drop || conn->chunks.left > conn->limits.drain_bytes_max - conn->body_len)
        return give_up(conn, 413, "The body of the request is too large");
    struct http_refusal refusal = {.status = 413};
    refusal.sentence = "The body of the request is too large";
    refuse(conn, reading(conn), &refusal);
    conn->drop = true;
    conn->at = from;
    conn->body_len += conn->chunks.left;
    return BODY_AGAIN;
}

/* Ends a run over all bytes that are there: *from is their end, *to that of the body. */
static enum body_result rest_chunks(struct http_conn *conn, size_t from, size_t to)
{
    if (conn->drop)
        conn->at = from;
    else
        conn->in.len = to; /* what came between the data is done with */
    return BODY_MORE;
}

static enum body_result read_chunks(struct http_conn *conn)
{
    size_t from = conn->at + (conn->drop ? 0 : conn->head_len + (size_t)conn->body_len);
    size_t to = from;
    while (true) {
        const char *why = NULL;
        size_t before = to;
        enum chunk_result result = http_chunks_step(&conn->chunks, conn->in.ptr, conn->in.len,
                                                    &from, &to, conn->drop, &why);
        conn->body_len += to - before;
        switch (result) {
        case CHUNKS_MORE:
            return rest_chunks(conn, from, to);
        case CHUNKS_BAD:
            return give_up(conn, 400, why);
        case CHUNKS_DONE:
            conn->body_end = from;
            return BODY_DONE;
        case CHUNKS_SIZE:
            break;
        }
        enum body_result judged = judge_chunk(conn, from);
        if (judged != BODY_DONE)
            return judged;
    }
}

/* ---- Calls ---- */

/* The request was read to its end, which is where the next one starts. */
static void end_message(struct http_conn *conn, bool close)
{
    conn->at = conn->body_end;
    conn->messages++;
    conn->message_start = conn->fed - (conn->in.len - conn->at);
    conn->guard = (struct http_guard){.at = 0};
    conn->phase = PHASE_HEAD;
    if (close)
        close_input(conn);
}

/* Hands the slot out as a call. */
static void hand_out(const struct http_conn *conn, struct http_slot *slot, struct http_call *call)
{
    uint64_t mask = (UINT64_C(1) << HTTP_CALL_BITS) - 1;
    slot->kind = conn->route.kind;
    call->kind = conn->route.kind;
    call->id = conn->session << HTTP_CALL_BITS | (slot->number & mask);
    call->shard_id = conn->route.shard_id;
    call->request.id = call->id;
    call->request.session = conn->session;
}

/* Makes the request for the node; false when it was refused. */
static bool make_request(struct http_conn *conn, struct http_slot *slot, struct request *request)
{
    struct http_refusal refusal = {.status = 0};
    if (conn->head_base != conn->in.ptr + conn->at)
        parse_head(conn); /* the input has moved since */
    struct slice body = slice_of(conn->in.ptr + conn->at + conn->head_len, (size_t)conn->body_len);
    http_ask(&conn->head, &conn->route, body, &conn->limits, &conn->room, request, &refusal);
    http_slot_set_context(slot, request->tokens, request->token_count);
    if (refusal.status != 0)
        refuse(conn, slot, &refusal);
    return refusal.status == 0;
}

/* The body is whole (or dropped). True when *call is to be carried out. */
static bool end_body(struct http_conn *conn, struct http_call *call)
{
    bool close = !conn->head.keep_alive;
    struct http_slot *slot = reading(conn);
    bool wanted = slot != NULL;
    if (wanted && conn->route.openapi) {
        struct http_response response = {.status = 200, .body = http_openapi()};
        respond(conn, slot, &response);
        wanted = false;
    } else if (wanted && conn->route.kind == HTTP_NODE) {
        wanted = make_request(conn, slot, &call->request);
    }
    if (wanted)
        hand_out(conn, slot, call);
    end_message(conn, close);
    return wanted;
}

bool http_conn_next(struct http_conn *conn, struct http_call *call)
{
    call->kind = HTTP_NONE;
    forget(conn);
    while (conn->phase != PHASE_CLOSED) {
        if (conn->phase == PHASE_HEAD) {
            if (!read_head(conn))
                return false;
            continue;
        }
        enum body_result result = conn->head.chunked ? read_chunks(conn) : read_plain(conn);
        if (result == BODY_MORE)
            return false;
        if (result == BODY_DONE && end_body(conn, call))
            return true;
    }
    return false;
}

/* ---- Answers ---- */

/* The slot of a call that was handed out and not answered, or NULL. */
static struct http_slot *find(const struct http_conn *conn, uint64_t call_id)
{
    if (http_call_session(call_id) != conn->session)
        return NULL;
    struct http_slot *slot = http_queue_find(&conn->queue, call_id);
    return slot != NULL && slot->kind != HTTP_NONE && !slot->answered ? slot : NULL;
}

bool http_conn_reply(struct http_conn *conn, const struct reply *reply)
{
    struct http_slot *slot = find(conn, reply->id);
    if (slot == NULL)
        return false;
    ASSERT(slot->kind == HTTP_NODE);
    answer(conn, slot, reply);
    return true;
}

bool http_conn_respond(struct http_conn *conn, uint64_t call_id,
                       const struct http_response *response)
{
    struct http_slot *slot = find(conn, call_id);
    if (slot == NULL)
        return false;
    ASSERT(slot->kind != HTTP_NODE);
    respond(conn, slot, response);
    return true;
}

bool http_conn_refuse(struct http_conn *conn, uint64_t call_id, enum err err, struct slice detail)
{
    ASSERT(err != E_OK);
    struct http_slot *slot = find(conn, call_id);
    if (slot == NULL)
        return false;
    int status = err_http_status(err);
    struct reply reply = {.id = call_id, .err = err, .detail = detail};
    reply.retry_after_ms = status == 429 || status == 503 ? 1000 : 0;
    answer(conn, slot, &reply);
    return true;
}

/* ---- Output ---- */

struct slice http_conn_output(const struct http_conn *conn)
{
    return http_queue_output(&conn->queue);
}

void http_conn_consume(struct http_conn *conn, size_t count)
{
    http_queue_consume(&conn->queue, count);
}

void http_conn_take_output(struct http_conn *conn, struct buf *into)
{
    http_queue_take(&conn->queue, into);
}

/* ---- Questions ---- */

bool http_conn_wants_close(const struct http_conn *conn)
{
    return conn->phase == PHASE_CLOSED && conn->queue.count == 0 &&
           http_queue_bytes(&conn->queue) == 0;
}

bool http_conn_wants_input(const struct http_conn *conn)
{
    switch (conn->phase) {
    case PHASE_HEAD:
        return conn->in.len - conn->at < conn->limits.head_bytes_max;
    case PHASE_BODY:
        return true;
    case PHASE_CLOSED:
        break;
    }
    return false;
}

void http_conn_stop(struct http_conn *conn)
{
    if (conn->phase == PHASE_CLOSED)
        return;
    struct http_slot *slot = conn->phase == PHASE_BODY ? reading(conn) : NULL;
    if (slot != NULL) {
        give_up(conn, err_http_status(E_STOPPING), err_sentence(E_STOPPING));
        return;
    }
    if (conn->queue.count > 0)
        http_queue_last(&conn->queue)->style.close = true;
    close_input(conn);
}

struct http_waits http_conn_waits(const struct http_conn *conn)
{
    struct http_waits waits = {.what = HTTP_WAIT_IDLE, .message = conn->messages + 1};
    bool closed = conn->phase == PHASE_CLOSED;
    bool some = conn->in.len > conn->at && may_begin(conn);
    waits.bytes = closed ? 0 : conn->fed - conn->message_start;
    waits.replies = conn->queue.count;
    if (conn->phase == PHASE_BODY)
        waits.what = HTTP_WAIT_BODY;
    else if (!closed && some)
        waits.what = HTTP_WAIT_HEAD;
    else if (http_conn_output(conn).len > 0)
        waits.what = HTTP_WAIT_SEND;
    else if (conn->queue.count > 0)
        waits.what = HTTP_WAIT_REPLY;
    return waits;
}

uint32_t http_conn_under_way(const struct http_conn *conn, uint64_t ids[HTTP_CALLS_MAX])
{
    uint64_t mask = (UINT64_C(1) << HTTP_CALL_BITS) - 1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < conn->queue.count; i++) {
        const struct http_slot *slot = http_queue_at(&conn->queue, i);
        if (slot->kind == HTTP_NODE && !slot->answered)
            ids[count++] = conn->session << HTTP_CALL_BITS | (slot->number & mask);
    }
    return count;
}

size_t http_conn_memory(const struct http_conn *conn)
{
    return sizeof(*conn) + conn->in.cap + conn->key_room.cap + conn->room.cap + conn->scratch.cap +
           http_queue_memory(&conn->queue);
}

void http_conn_check(const struct http_conn *conn)
{
    ASSERT(conn->at <= conn->in.len);
    ASSERT(conn->message_start <= conn->fed);
    ASSERT(conn->guard.at <= conn->in.len - conn->at || conn->phase != PHASE_HEAD);
    http_queue_check(&conn->queue);
}
