/* ask - the request for the node that a head and a body make.
 *
 * Does:   see ask.h.
 * Not:    -
 * Holds:  A1.
 * Limits: -
 * See:    ask.h.
 */
#include "http/ask.h"

#include "http/addresses.h"
#include "http/field.h"
#include "http/json.h"

/* As many members as a cluster can have are named in less. */
#define CHANGE_BODY_BYTES_MAX 65536U

/* True unless a charset other than UTF-8 or a part of it is named. */
static bool charset_is_good(struct slice parameters)
{
    struct slice item;
    while (field_next(&parameters, ';', &item)) {
        struct slice name;
        struct slice value;
        field_pair(item, &name, &value);
        if (field_is(name, SLICE_LIT("charset")) && !field_is(value, SLICE_LIT("utf-8")) &&
            !field_is(value, SLICE_LIT("us-ascii")))
            return false;
    }
    return true;
}

static bool split_type(struct slice type, struct slice *parameters)
{
    struct slice name = SLICE_EMPTY;
    *parameters = type;
    if (type.len == 0)
        return true;
    field_next(parameters, ';', &name);
    /* The second is what curl -d and HTML forms say of any text: who means bytes says so. */
    return field_is(name, SLICE_LIT("application/json")) ||
           field_is(name, SLICE_LIT("application/x-www-form-urlencoded"));
}

bool http_type_is_json(struct slice type)
{
    struct slice parameters;
    return split_type(type, &parameters);
}

void http_ask_check(const struct http_head *head, const struct http_route *route,
                    struct http_refusal *refusal)
{
    bool has_body = head->chunked || head->length > 0;
    if (has_body && head->encoded)
        http_refuse(refusal, 415, "Content-Encoding is not understood here: send the bytes plain");
    if (route->kind != HTTP_NODE || head->method != METHOD_PUT)
        return;
    struct slice parameters;
    bool json = split_type(head->type, &parameters);
    if (!json && op_changes_config(route->op))
        http_refuse(refusal, 415, "This request takes JSON: its Content-Type says otherwise");
    if (json) {
        if (!charset_is_good(parameters))
            http_refuse(refusal, 415, "JSON is UTF-8: no other charset is understood");
        return;
    }
    if (!head->chunked && !head->has_length)
        http_refuse(refusal, 411, "A raw value needs a Content-Length, even of 0");
}

static bool is_known(const struct request *request, struct slice token)
{
    for (uint32_t i = 0; i < request->token_count; i++) {
        if (slice_equal(request->tokens[i], token))
            return true;
    }
    return false;
}

static void add_token(struct slice token, struct request *request, struct http_refusal *refusal)
{
    if (token.len == 0 || is_known(request, token))
        return;
    if (token.len > LIMIT_TOKEN_TEXT_BYTES)
        http_refuse_err(refusal, E_TOKEN_BAD);
    else if (request->token_count == LIMIT_TOKENS)
        http_refuse(refusal, 400, "The request brings too many causal contexts");
    else
        request->tokens[request->token_count++] = token;
}

/* The member causal-metadata of a body: null, "", {} and 0 mean that nothing was seen. */
static void add_metadata(const struct json_value *value, struct buf *room, struct request *request,
                         struct http_refusal *refusal)
{
    bool nothing = false;
    switch (value->type) {
    case JSON_NONE:
    case JSON_NULL:
        nothing = true;
        break;
    case JSON_NUMBER:
        nothing = slice_equal(value->raw, SLICE_LIT("0"));
        break;
    case JSON_OBJECT:
        nothing = json_is_empty_object(value->raw);
        break;
    case JSON_STRING: {
        struct slice token;
        if (!json_is_plain(value->raw, &token)) {
            size_t from = room->len;
            json_unescape(value->raw, room);
            token = slice_of(room->ptr + from, room->len - from);
        }
        add_token(token, request, refusal);
        return;
    }
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_ARRAY:
        break;
    }
    if (!nothing)
        http_refuse_err(refusal, E_TOKEN_BAD);
}

static void refuse_json(const struct json_error *error, struct http_refusal *refusal)
{
    http_refuse(refusal, 400, "The body is not valid JSON");
    if (refusal->detail == NULL) {
        refusal->detail = error->sentence;
        refusal->offset = error->offset;
    }
}

static void set_value(struct slice value, const struct http_limits *limits, struct request *request,
                      struct http_refusal *refusal)
{
    if (value.len > limits->value_bytes_max)
        http_refuse_err(refusal, E_VALUE_TOO_LARGE);
    request->value = value;
}

/* A JSON body: {"value": …, "causal-metadata": …}, of a PUT or, without a value, of the others. */
static void ask_json(struct slice body, const struct http_limits *limits, struct buf *room,
                     struct request *request, struct http_refusal *refusal)
{
    bool put = request->op == OP_PUT;
    struct json_member members[2] = {{SLICE_LIT("causal-metadata"), {.type = JSON_NONE}},
                                     {SLICE_LIT("value"), {.type = JSON_NONE}}};
    struct json_value whole;
    struct json_error error;
    if (body.len == 0) {
        if (put)
            http_refuse_err(refusal, E_NO_VALUE);
        return;
    }
    if (!json_scan_members(body, &whole, members, put ? 2 : 1, &error)) {
        refuse_json(&error, refusal);
        return;
    }
    if (whole.type != JSON_OBJECT && !put)
        http_refuse(refusal, 400, "The body is not a JSON object");
    add_metadata(&members[0].value, room, request, refusal);
    if (!put)
        return;
    if (members[1].value.type == JSON_NONE)
        http_refuse_err(refusal, E_NO_VALUE);
    else
        set_value(members[1].value.raw, limits, request, refusal);
}

static void set_force(const struct json_value *value, struct request *request,
                      struct http_refusal *refusal)
{
    request->force = value->type == JSON_TRUE;
    if (value->type != JSON_TRUE && value->type != JSON_FALSE && value->type != JSON_NULL &&
        value->type != JSON_NONE)
        http_refuse(refusal, 400,
                    request->op == OP_RECOVER ? "from-directories is true or false"
                                              : "force is true or false");
}

/* Who goes on with what the directories hold need not give up anybody. */
static bool names_nobody(const struct request *request, const struct json_value *value)
{
    return request->op == OP_RECOVER && request->force &&
           (value->type == JSON_NONE || value->type == JSON_NULL);
}

/* {"shard-count": 3, "causal-metadata": …}; nothing has to be there to cancel. */
static void ask_reshard(struct slice body, struct buf *room, struct request *request,
                        struct http_refusal *refusal)
{
    struct json_member members[2] = {{SLICE_LIT("causal-metadata"), {.type = JSON_NONE}},
                                     {SLICE_LIT("shard-count"), {.type = JSON_NONE}}};
    struct json_value whole = {.type = JSON_OBJECT};
    struct json_error error;
    if (body.len > CHANGE_BODY_BYTES_MAX) {
        http_refuse(refusal, 413, "The body of the request is too large");
        return;
    }
    if (body.len > 0 && !json_scan_members(body, &whole, members, 2, &error)) {
        refuse_json(&error, refusal);
        return;
    }
    uint64_t count = 0;
    struct slice raw = members[1].value.raw;
    bool good = members[1].value.type == JSON_NUMBER && raw.len <= 3;
    for (size_t i = 0; good && i < raw.len; i++) {
        good = raw.ptr[i] >= '0' && raw.ptr[i] <= '9';
        count = count * 10 + (uint64_t)(raw.ptr[i] - '0');
    }
    if (whole.type != JSON_OBJECT)
        http_refuse(refusal, 400, "The body is not a JSON object");
    else if (request->op == OP_RESHARD && (!good || count == 0))
        http_refuse(refusal, 400, "shard-count is a number of shards, such as 3");
    request->shard_id = (uint32_t)count;
    add_metadata(&members[0].value, room, request, refusal);
}

/* A change of the configuration: {"socket-address": …, "force": …, "causal-metadata": …}, or
 * {"without": …, "from-directories": …}. */
static void ask_change(struct slice body, struct buf *room, struct request *request,
                       struct http_refusal *refusal)
{
    bool recovers = request->op == OP_RECOVER;
    struct json_member members[3] = {
        {SLICE_LIT("causal-metadata"), {.type = JSON_NONE}},
        {recovers ? SLICE_LIT("without") : SLICE_LIT("socket-address"), {.type = JSON_NONE}},
        {recovers ? SLICE_LIT("from-directories") : SLICE_LIT("force"), {.type = JSON_NONE}}};
    struct json_value whole = {.type = JSON_OBJECT};
    struct json_error error;
    if (body.len > CHANGE_BODY_BYTES_MAX) {
        http_refuse(refusal, 413, "The body of the request is too large");
        return;
    }
    if (body.len > 0 && !json_scan_members(body, &whole, members, 3, &error)) {
        refuse_json(&error, refusal);
        return;
    }
    if (whole.type != JSON_OBJECT)
        http_refuse(refusal, 400, "The body is not a JSON object");
    /* Room for all that is put there, so that nothing moves: see http_addresses_read. */
    buf_reserve(room, 2 * body.len + HTTP_ADDRESSES_BYTES_MAX);
    enum http_addresses many = recovers                        ? HTTP_ADDRESSES_WITHOUT
                               : request->op == OP_VIEW_REMOVE ? HTTP_ADDRESSES_SOME
                                                               : HTTP_ADDRESSES_ONE;
    set_force(&members[2].value, request, refusal);
    request->key = SLICE_EMPTY;
    if (!names_nobody(request, &members[1].value))
        request->key = http_addresses_read(&members[1].value, many, room, refusal);
    add_metadata(&members[0].value, room, request, refusal);
}

/* Puts the key and the tokens where nothing overwrites them. */
static void save_slices(struct buf *room, struct request *request)
{
    size_t need = request->key.len;
    for (uint32_t i = 0; i < request->token_count; i++)
        need += request->tokens[i].len;
    buf_reset(room);
    buf_reserve(room, need);
    size_t at = room->len;
    buf_append_slice(room, request->key);
    request->key = slice_of(room->ptr + at, request->key.len);
    for (uint32_t i = 0; i < request->token_count; i++) {
        at = room->len;
        buf_append_slice(room, request->tokens[i]);
        request->tokens[i] = slice_of(room->ptr + at, request->tokens[i].len);
    }
}

/* Stored as length of the type, type, bytes: the first two are written in front of the body, over
 * the head, so that megabytes need not be moved. The head holds "Content-Type:" and the type,
 * so there is room. */
static void ask_raw(struct slice type, struct slice body, const struct http_limits *limits,
                    struct buf *room, struct request *request, struct http_refusal *refusal)
{
    ASSERT(type.len <= HEAD_TYPE_BYTES_MAX);
    save_slices(room, request);
    uint8_t *start = (uint8_t *)(uintptr_t)body.ptr - type.len - 1;
    memmove(start + 1, type.ptr, type.len);
    start[0] = (uint8_t)type.len;
    request->form = VALUE_RAW;
    set_value(slice_of(start, body.len + type.len + 1), limits, request, refusal);
}

void http_ask(const struct http_head *head, const struct http_route *route, struct slice body,
              const struct http_limits *limits, struct buf *room, struct request *request,
              struct http_refusal *refusal)
{
    ASSERT(route->kind == HTTP_NODE);
    buf_reset(room);
    request->op = route->op;
    request->form = VALUE_JSON;
    request->key = route->key;
    request->value = SLICE_EMPTY;
    request->token_count = 0;
    request->wait_ms = head->wait_ms;
    request->copies = head->copies;
    request->shard_id = route->shard_id;
    request->force = false;
    for (uint32_t i = 0; i < head->token_count; i++)
        add_token(head->tokens[i], request, refusal);
    request->async = head->respond_async;
    if (route->op == OP_RESHARD || route->op == OP_RESHARD_CANCEL)
        ask_reshard(body, room, request, refusal);
    else if (op_changes_config(route->op))
        ask_change(body, room, request, refusal);
    else if (route->op == OP_PUT && !http_type_is_json(head->type))
        ask_raw(head->type, body, limits, room, request, refusal);
    else
        ask_json(body, limits, room, request, refusal);
}
