/* render - answers as bytes.
 *
 * Does:   see render.h.
 * Not:    -
 * Holds:  N1, N2.
 * Limits: -
 * See:    render.h.
 */
#include "http/render.h"

#include "http/json.h"

#define ANSWER_PARTS 3U

struct answer {
    int status;                       /* 200 … 599 */
    struct slice type;                /* content type; empty: JSON */
    struct slice token;               /* of Causal-Context; empty: none */
    uint32_t retry_after_ms;          /* 0: none */
    const char *allow;                /* of Allow, or NULL */
    const struct lost *lost;          /* what the client has to be told of */
    uint32_t lost_count;              /* of those */
    bool foreign;                     /* the body is what some client stored: a browser must not
                                         run it as a page of ours */
    struct slice parts[ANSWER_PARTS]; /* the body, in order */
    uint32_t part_count;              /* in use */
};

static struct slice status_line(int status)
{
    switch (status) {
#define ROW(number, phrase)                                                                        \
    case number:                                                                                   \
        return SLICE_LIT("HTTP/1.1 " #number " " phrase "\r\n")
        ROW(200, "OK");
        ROW(201, "Created");
        ROW(202, "Accepted");
        ROW(400, "Bad Request");
        ROW(404, "Not Found");
        ROW(405, "Method Not Allowed");
        ROW(409, "Conflict");
        ROW(411, "Length Required");
        ROW(413, "Content Too Large");
        ROW(414, "URI Too Long");
        ROW(415, "Unsupported Media Type");
        ROW(417, "Expectation Failed");
        ROW(429, "Too Many Requests");
        ROW(431, "Request Header Fields Too Large");
        ROW(501, "Not Implemented");
        ROW(503, "Service Unavailable");
        ROW(505, "HTTP Version Not Supported");
#undef ROW
    default:
        return SLICE_LIT("HTTP/1.1 500 Internal Server Error\r\n");
    }
}

#define PUT_LIT(out, text) buf_append((out), "" text, sizeof(text) - 1)

static void put_type(const struct answer *answer, struct buf *out)
{
    if (answer->type.len == 0) {
        PUT_LIT(out, "Content-Type: application/json\r\n");
        return;
    }
    PUT_LIT(out, "Content-Type: ");
    buf_append_slice(out, answer->type);
    PUT_LIT(out, "\r\n");
}

/* Causal-Lost: s0;since-epoch=4, s1;actor=5;after=123;since-epoch=9. Also there where the body is
 * a value alone, or is left out. */
static void put_lost_header(const struct answer *answer, struct buf *out)
{
    PUT_LIT(out, "Causal-Lost: ");
    for (uint32_t i = 0; i < answer->lost_count; i++) {
        const struct lost *lost = &answer->lost[i];
        buf_append_slice(out, i > 0 ? SLICE_LIT(", s") : SLICE_LIT("s"));
        buf_decimal(out, lost->shard_id);
        if (lost->actor != 0) {
            PUT_LIT(out, ";actor=");
            buf_decimal(out, lost->actor);
            PUT_LIT(out, ";after=");
            buf_decimal(out, lost->whole_seq);
        }
        PUT_LIT(out, ";since-epoch=");
        buf_decimal(out, lost->epoch);
    }
    PUT_LIT(out, "\r\n");
}

/* Headers that few answers have. */
static void put_rare(const struct http_style *style, const struct answer *answer, struct buf *out)
{
    if (answer->retry_after_ms > 0) {
        PUT_LIT(out, "Retry-After: ");
        buf_decimal(out, (answer->retry_after_ms + UINT64_C(999)) / 1000);
        PUT_LIT(out, "\r\n");
    }
    if (answer->allow != NULL) {
        PUT_LIT(out, "Allow: ");
        buf_append_slice(out, slice_str(answer->allow));
        PUT_LIT(out, "\r\n");
    }
    if (answer->lost_count > 0)
        put_lost_header(answer, out);
    if (answer->foreign)
        PUT_LIT(out, "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox\r\n");
    if (style->close)
        PUT_LIT(out, "Connection: close\r\n");
    else if (style->keep_alive)
        PUT_LIT(out, "Connection: keep-alive\r\n");
}

static void put_answer(const struct http_style *style, const struct answer *answer, struct buf *out)
{
    uint64_t length = 0;
    for (uint32_t i = 0; i < answer->part_count; i++)
        length += answer->parts[i].len;
    struct slice token = answer->token.len > 0 ? answer->token : style->context;
    buf_reserve(out, 512 + token.len + answer->type.len + (style->head ? 0 : length));
    buf_append_slice(out, status_line(answer->status));
    put_type(answer, out);
    PUT_LIT(out, "Cache-Control: no-store\r\n");
    if (token.len > 0) {
        PUT_LIT(out, "Causal-Context: ");
        buf_append_slice(out, token);
        PUT_LIT(out, "\r\n");
    }
    put_rare(style, answer, out);
    PUT_LIT(out, "Content-Length: ");
    buf_decimal(out, length);
    PUT_LIT(out, "\r\n\r\n");
    for (uint32_t i = 0; i < answer->part_count && !style->head; i++)
        buf_append_slice(out, answer->parts[i]);
}

static void add_part(struct answer *answer, struct slice part)
{
    ASSERT(answer->part_count < ANSWER_PARTS);
    answer->parts[answer->part_count++] = part;
}

/* ---- Replies of the node ---- */

/* The token for the member causal-metadata: that of the reply, or where the node gave none, the one
 * that came; one of several would be less than came. */
static struct slice metadata_of(const struct http_style *style, const struct reply *reply)
{
    if (style->bare)
        return SLICE_EMPTY;
    if (reply->token.len > 0)
        return reply->token;
    return style->tokens == 1 ? style->context : SLICE_EMPTY;
}

/* "lost":[{"shard":"s0","since-epoch":4},{"shard":"s1","actor":5,"after":123,"since-epoch":9}] */
static void put_lost(const struct reply *reply, struct buf *body)
{
    if (reply->lost_count == 0)
        return;
    ASSERT(reply->lost_count <= LIMIT_LOST);
    json_put_name(body, SLICE_LIT("lost"));
    buf_u8(body, '[');
    for (uint32_t i = 0; i < reply->lost_count; i++) {
        const struct lost *lost = &reply->lost[i];
        json_put_comma(body);
        PUT_LIT(body, "{\"shard\":\"s");
        buf_decimal(body, lost->shard_id);
        buf_u8(body, '"');
        if (lost->actor != 0) {
            json_put_number(body, SLICE_LIT("actor"), lost->actor);
            json_put_number(body, SLICE_LIT("after"), lost->whole_seq);
        }
        json_put_number(body, SLICE_LIT("since-epoch"), lost->epoch);
        buf_u8(body, '}');
    }
    buf_u8(body, ']');
}

/* The bytes of a raw value and their type. What lies there may have come from a peer: one that is
 * not of the form that ask.c makes is all bytes. */
static struct slice split_raw(struct slice value, struct slice *type)
{
    *type = SLICE_LIT("application/octet-stream");
    if (value.len == 0 || value.ptr[0] == 0 || value.ptr[0] >= value.len)
        return value;
    *type = slice_of(value.ptr + 1, value.ptr[0]);
    return slice_of(value.ptr + 1 + type->len, value.len - 1 - type->len);
}

/* The value, in its JSON object or alone. */
static void found(const struct http_style *style, const struct reply *reply, struct slice token,
                  struct buf *scratch, struct answer *answer)
{
    if (reply->form == VALUE_RAW) {
        answer->foreign = true;
        add_part(answer, split_raw(reply->value, &answer->type));
        return;
    }
    if (style->bytes) {
        answer->foreign = true;
        answer->type = SLICE_LIT("application/octet-stream");
        add_part(answer, reply->value);
        return;
    }
    add_part(answer, SLICE_LIT("{\"result\":\"found\",\"value\":"));
    add_part(answer, reply->value);
    if (token.len > 0 || reply->lost_count > 0)
        buf_u8(scratch, ',');
    if (token.len > 0)
        json_put_text(scratch, SLICE_LIT("causal-metadata"), token);
    put_lost(reply, scratch);
    buf_u8(scratch, '}');
    add_part(answer, buf_slice(scratch));
}

/* {"result":…,"causal-metadata":T,"copies":1} */
static void done(const struct reply *reply, struct slice result, struct slice token,
                 struct buf *body)
{
    buf_u8(body, '{');
    json_put_text(body, SLICE_LIT("result"), result);
    if (token.len > 0)
        json_put_text(body, SLICE_LIT("causal-metadata"), token);
    if (reply->copies == 1)
        json_put_number(body, SLICE_LIT("copies"), 1);
    put_lost(reply, body);
    buf_u8(body, '}');
}

static void put_waiting(const struct reply *reply, struct buf *body)
{
    json_put_name(body, SLICE_LIT("waiting-for"));
    buf_u8(body, '[');
    for (uint32_t i = 0; i < reply->waiting_count; i++) {
        json_put_comma(body);
        buf_u8(body, '{');
        json_put_text(body, SLICE_LIT("node"), reply->waiting[i].address);
        json_put_number(body, SLICE_LIT("behind-by"), reply->waiting[i].behind_by);
        buf_u8(body, '}');
    }
    buf_u8(body, ']');
}

/* {"error":…, …} */
static void failed(const struct reply *reply, struct slice token, struct buf *body)
{
    buf_u8(body, '{');
    json_put_text(body, SLICE_LIT("error"), slice_str(err_sentence(reply->err)));
    if (reply->detail.len > 0)
        json_put_text(body, SLICE_LIT("detail"), reply->detail);
    if (reply->err == E_OTHER_HISTORY)
        json_put_text(body, SLICE_LIT("reason"), SLICE_LIT("other-history"));
    if (reply->outcome_unknown)
        json_put_text(body, SLICE_LIT("outcome"), SLICE_LIT("unknown"));
    if (reply->err == E_NOT_COVERED || reply->waiting_count > 0)
        put_waiting(reply, body);
    if (reply->copies == 1)
        json_put_number(body, SLICE_LIT("copies"), 1);
    if (token.len > 0)
        json_put_text(body, SLICE_LIT("causal-metadata"), token);
    put_lost(reply, body);
    buf_u8(body, '}');
}

static void counted(const struct reply *reply, struct buf *body)
{
    buf_u8(body, '{');
    json_put_number(body, SLICE_LIT("shard-key-count"), reply->count);
    put_lost(reply, body);
    buf_u8(body, '}');
}

/* The body where err is E_OK, in scratch but for a value. */
static void succeeded(const struct http_style *style, const struct reply *reply, struct slice token,
                      struct buf *scratch, struct answer *answer)
{
    switch (reply->outcome) {
    case OUTCOME_FOUND:
        found(style, reply, token, scratch, answer);
        return;
    case OUTCOME_CREATED:
        answer->status = 201;
        done(reply, SLICE_LIT("created"), token, scratch);
        return;
    case OUTCOME_REPLACED:
        done(reply, SLICE_LIT("replaced"), token, scratch);
        return;
    case OUTCOME_DELETED:
        done(reply, SLICE_LIT("deleted"), token, scratch);
        return;
    case OUTCOME_COUNTED:
        counted(reply, scratch);
        return;
    case OUTCOME_ADDED:
        answer->status = 201;
        done(reply, SLICE_LIT("added"), token, scratch);
        return;
    case OUTCOME_PRESENT:
        done(reply, SLICE_LIT("already present"), token, scratch);
        return;
    case OUTCOME_REMOVED:
        done(reply, SLICE_LIT("deleted"), token, scratch);
        return;
    case OUTCOME_PLACED:
        done(reply, SLICE_LIT("node added to shard"), token, scratch);
        return;
    case OUTCOME_RECOVERED:
        done(reply, SLICE_LIT("recovered"), token, scratch);
        return;
    case OUTCOME_RESHARDED:
        done(reply, SLICE_LIT("resharded"), token, scratch);
        return;
    case OUTCOME_BEGUN:
        answer->status = 202;
        done(reply, SLICE_LIT("resharding"), token, scratch);
        return;
    case OUTCOME_CANCELLED:
        done(reply, SLICE_LIT("cancelled"), token, scratch);
        return;
    case OUTCOME_NONE:
    case OUTCOME_NOT_FOUND:
        break;
    }
    UNREACHABLE();
}

void http_render_reply(const struct http_style *style, const struct reply *reply,
                       struct buf *scratch, struct buf *out)
{
    struct answer answer = {.status = err_http_status(reply->err),
                            .token = reply->token,
                            .retry_after_ms = reply->retry_after_ms,
                            .lost = reply->lost,
                            .lost_count = reply->lost_count};
    struct slice token = metadata_of(style, reply);
    buf_reset(scratch);
    if (reply->err == E_OK)
        succeeded(style, reply, token, scratch, &answer);
    else
        failed(reply, token, scratch);
    if (reply->err == E_NOT_COVERED && answer.retry_after_ms == 0)
        answer.retry_after_ms = 1;
    if (answer.part_count == 0)
        add_part(&answer, buf_slice(scratch));
    put_answer(style, &answer, out);
}

/* ---- Refusals and answers of the server ---- */

static void put_sentence_about(const struct http_refusal *refusal, struct buf *body)
{
    struct buf text = BUF_EMPTY;
    buf_append_slice(&text, slice_str(refusal->sentence));
    PUT_LIT(&text, ": ");
    buf_append_slice(&text, refusal->subject);
    json_put_text(body, SLICE_LIT("error"), buf_slice(&text));
    buf_fini(&text);
}

void http_render_refusal(const struct http_style *style, const struct http_refusal *refusal,
                         struct buf *scratch, struct buf *out)
{
    ASSERT(refusal->status >= 400);
    buf_reset(scratch);
    buf_u8(scratch, '{');
    if (refusal->subject.len > 0)
        put_sentence_about(refusal, scratch);
    else
        json_put_text(scratch, SLICE_LIT("error"), slice_str(refusal->sentence));
    if (refusal->detail != NULL) {
        json_put_text(scratch, SLICE_LIT("detail"), slice_str(refusal->detail));
        json_put_number(scratch, SLICE_LIT("offset"), refusal->offset);
    }
    buf_u8(scratch, '}');
    struct answer answer = {.status = refusal->status, .allow = refusal->allow};
    add_part(&answer, buf_slice(scratch));
    put_answer(style, &answer, out);
}

void http_render_response(const struct http_style *style, const struct http_response *response,
                          struct buf *out)
{
    ASSERT(response->status >= 200);
    ASSERT(response->status <= 599);
    struct answer answer = {.status = response->status,
                            .type = response->type,
                            .retry_after_ms = response->retry_after_ms};
    add_part(&answer, response->body);
    put_answer(style, &answer, out);
}
