/* head - request line and headers, taken apart by llhttp.
 *
 * Does:   see head.h.
 * Not:    -
 * Holds:  D1, D2, D3.
 * Limits: -
 * See:    head.h.
 */
#include "http/head.h"

#include "http/field.h"

#include <llhttp.h>

#define WAIT_MS_MAX 30000U

struct parse {
    struct http_head *out; /* what is filled in */
    struct slice name;     /* of the header at hand */
    struct slice value;    /* of it, so far */
    uint32_t hosts;        /* Host lines */
    uint32_t codings;      /* Transfer-Encoding lines */
    uint32_t types;        /* Content-Type lines */
};

/* ---- Meaning of single headers ---- */

/* A host and perhaps a port, by its characters alone. Empty is allowed (RFC 9112 section 3.2). */
static void take_host(struct parse *parse, struct slice value)
{
    static const char marks[] = "-._~%!$&'()*+,;=:[]";
    parse->hosts++;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = value.ptr[i];
        uint8_t lower = byte | 0x20;
        bool good = (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') ||
                    memchr(marks, byte, sizeof(marks) - 1) != NULL;
        if (!good)
            http_refuse_close(&parse->out->refusal, 400, "The Host header is malformed");
    }
}

static void take_coding(struct parse *parse, struct slice value)
{
    parse->codings++;
    if (parse->codings > 1 || !field_is(value, SLICE_LIT("chunked")))
        http_refuse_close(&parse->out->refusal, 400,
                          "Transfer-Encoding may be nothing but a single chunked");
}

static void take_tokens(struct http_head *out, struct slice value)
{
    struct slice token;
    while (field_next(&value, ',', &token)) {
        if (token.len == 0)
            continue;
        if (out->token_count == LIMIT_TOKENS) {
            http_refuse(&out->refusal, 400, "The request brings too many causal contexts");
            return;
        }
        out->tokens[out->token_count++] = token;
    }
}

/* True unless the parameters of a media range say q=0. */
static bool is_wanted(struct slice parameters)
{
    struct slice item;
    while (field_next(&parameters, ';', &item)) {
        struct slice name;
        struct slice value;
        field_pair(item, &name, &value);
        if (!field_is(name, SLICE_LIT("q")))
            continue;
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] >= '1' && value.ptr[i] <= '9')
                return true;
        }
        return false;
    }
    return true;
}

static void take_accept(struct http_head *out, struct slice value)
{
    struct slice range;
    while (field_next(&value, ',', &range)) {
        struct slice type = SLICE_EMPTY;
        if (!field_next(&range, ';', &type) || !is_wanted(range))
            continue;
        if (field_is(type, SLICE_LIT("application/json")))
            out->accept_json = true;
        else if (field_is(type, SLICE_LIT("application/octet-stream")))
            out->accept_bytes = true;
    }
}

/* Seconds with up to three decimals -> milliseconds, or false. */
static bool read_seconds(struct slice text, uint32_t *ms)
{
    uint32_t value = 0;
    size_t point = text.len;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '.' && point == text.len && i > 0 && i + 1 < text.len) {
            point = i;
            continue;
        }
        if (byte < '0' || byte > '9' || (point < text.len && i - point > 3))
            return false;
        value = value * 10 + (uint32_t)(byte - '0');
        if (value > WAIT_MS_MAX)
            return false;
    }
    size_t decimals = point < text.len ? text.len - point - 1 : 0;
    for (size_t i = decimals; i < 3; i++)
        value *= 10;
    *ms = value;
    return text.len > 0 && value <= WAIT_MS_MAX;
}

static void take_prefer(struct http_head *out, struct slice value)
{
    struct slice item;
    while (field_next(&value, ',', &item)) {
        struct slice first = SLICE_EMPTY;
        struct slice name;
        struct slice text;
        field_next(&item, ';', &first);
        field_pair(first, &name, &text);
        if (field_is(name, SLICE_LIT("respond-async"))) {
            out->respond_async = true;
        } else if (field_is(name, SLICE_LIT("wait"))) {
            if (!read_seconds(text, &out->wait_ms))
                http_refuse(&out->refusal, 400, "Prefer: wait takes 0 to 30 seconds");
        } else if (field_is(name, SLICE_LIT("copies"))) {
            if (text.len != 1 || (text.ptr[0] != '1' && text.ptr[0] != '2'))
                http_refuse(&out->refusal, 400, "Prefer: copies takes 1 or 2");
            else
                out->copies = text.ptr[0] == '2' ? 2 : 0;
        }
    }
}

static void take_type(struct parse *parse, struct slice value)
{
    struct http_head *out = parse->out;
    if (++parse->types > 1)
        http_refuse(&out->refusal, 400, "Content-Type is given twice");
    bool good = value.len <= HEAD_TYPE_BYTES_MAX;
    for (size_t i = 0; i < value.len; i++)
        good = good && value.ptr[i] < 0x80;
    if (!good)
        http_refuse(&out->refusal, 415, "Content-Type is longer than 255 characters or not ASCII");
    out->type = value;
}

static void take_expect(struct http_head *out, struct slice value)
{
    if (field_is(value, SLICE_LIT("100-continue")))
        out->expect = true;
    else
        http_refuse(&out->refusal, 417, "Only 100-continue can be expected here");
}

/* The header at hand is whole. By length first: most headers mean nothing here. */
static void take_header(struct parse *parse)
{
    struct slice name = parse->name;
    struct slice value = field_trim(parse->value);
    struct http_head *out = parse->out;
    switch (name.len) {
    case 4:
        if (field_is(name, SLICE_LIT("host")))
            take_host(parse, value);
        break;
    case 6:
        if (field_is(name, SLICE_LIT("accept")))
            take_accept(out, value);
        else if (field_is(name, SLICE_LIT("prefer")))
            take_prefer(out, value);
        else if (field_is(name, SLICE_LIT("expect")))
            take_expect(out, value);
        break;
    case 12:
        if (field_is(name, SLICE_LIT("content-type")))
            take_type(parse, value);
        break;
    case 14:
        if (field_is(name, SLICE_LIT("causal-context")))
            take_tokens(out, value);
        break;
    case 16:
        if (field_is(name, SLICE_LIT("content-encoding")) && value.len > 0)
            out->encoded = out->encoded || !field_is(value, SLICE_LIT("identity"));
        break;
    case 17:
        if (field_is(name, SLICE_LIT("transfer-encoding")))
            take_coding(parse, value);
        break;
    default:
        break;
    }
}

/* ---- llhttp calls ---- */

/* llhttp is given the head in one piece, so what it calls in several pieces is contiguous. */
static bool extend(struct slice *slice, const char *at, size_t len)
{
    if (slice->len == 0)
        *slice = slice_of(at, len);
    else if (slice->ptr + slice->len == (const uint8_t *)at)
        slice->len += len;
    else
        return false;
    return true;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t len)
{
    struct parse *parse = llhttp->data;
    return extend(&parse->out->target, at, len) ? 0 : -1;
}

static int on_field(llhttp_t *llhttp, const char *at, size_t len)
{
    struct parse *parse = llhttp->data;
    return extend(&parse->name, at, len) ? 0 : -1;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct parse *parse = llhttp->data;
    return extend(&parse->value, at, len) ? 0 : -1;
}

static int on_value_complete(llhttp_t *llhttp)
{
    struct parse *parse = llhttp->data;
    take_header(parse);
    parse->name = SLICE_EMPTY;
    parse->value = SLICE_EMPTY;
    return 0;
}

/* Bodies are not llhttp's. */
static int on_headers_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
};

/* The sentence for what llhttp refused. */
static void refuse_syntax(enum llhttp_errno code, struct http_refusal *refusal)
{
    switch ((int)code) {
    case HPE_INVALID_METHOD:
        http_refuse_close(refusal, 501, "The request method is not known");
        break;
    case HPE_INVALID_URL:
        http_refuse_close(refusal, 400, "The request target is malformed");
        break;
    case HPE_INVALID_VERSION:
    case HPE_INVALID_CONSTANT:
    case HPE_PAUSED_H2_UPGRADE:
        http_refuse_close(refusal, 400, "The request line is malformed");
        break;
    case HPE_INVALID_CONTENT_LENGTH:
        http_refuse_close(refusal, 400, "Content-Length is not a number");
        break;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        http_refuse_close(refusal, 400, "The length of the body is given twice");
        break;
    case HPE_INVALID_TRANSFER_ENCODING:
        http_refuse_close(refusal, 400, "Transfer-Encoding may be nothing but a single chunked");
        break;
    default:
        http_refuse_close(refusal, 400, "A header line is malformed");
        break;
    }
}

static enum http_method method_of(uint8_t method)
{
    if (method == HTTP_GET)
        return METHOD_GET;
    if (method == HTTP_HEAD)
        return METHOD_HEAD;
    if (method == HTTP_PUT)
        return METHOD_PUT;
    return method == HTTP_DELETE ? METHOD_DELETE : METHOD_OTHER;
}

/* What only the whole head tells. */
static void check_whole(const struct parse *parse, struct http_head *out)
{
    struct http_refusal *refusal = &out->refusal;
    if (out->chunked && out->has_length)
        http_refuse_close(refusal, 400, "The length of the body is given twice");
    if (out->minor_0 && parse->codings > 0)
        http_refuse_close(refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (parse->hosts > 1)
        http_refuse_close(refusal, 400, "The Host header is given twice");
    if (parse->hosts == 0 && !out->minor_0)
        http_refuse(refusal, 400, "The Host header is missing");
    if (out->minor_0)
        out->expect = false; /* RFC 9110 section 10.1.1 */
}

void http_head_parse(struct slice head, struct http_head *out)
{
    struct parse parse = {.out = out};
    llhttp_t llhttp;
    *out = (struct http_head){.wait_ms = REQUEST_WAIT_DEFAULT};
    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    llhttp.data = &parse;
    enum llhttp_errno code = llhttp_execute(&llhttp, (const char *)head.ptr, head.len);
    if (code != HPE_PAUSED) {
        refuse_syntax(code, &out->refusal);
        return;
    }
    /* It stops at the LF of the empty line or behind it: two judges of where the body begins. */
    const uint8_t *stop = (const uint8_t *)llhttp_get_error_pos(&llhttp);
    const uint8_t *end = head.ptr + head.len;
    if (stop != end && stop != end - 1) {
        http_refuse_close(&out->refusal, 400, "The request is malformed");
        return;
    }
    out->method = method_of(llhttp.method);
    out->minor_0 = llhttp.http_minor == 0;
    out->chunked = parse.codings > 0;
    out->has_length = (llhttp.flags & F_CONTENT_LENGTH) != 0;
    out->length = out->has_length ? llhttp.content_length : 0;
    out->keep_alive = llhttp_should_keep_alive(&llhttp) != 0;
    check_whole(&parse, out);
}
