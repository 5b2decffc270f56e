/* route - which call a method and a path are.
 *
 * Does:   see route.h.
 * Not:    -
 * Holds:  P1, P2.
 * Limits: -
 * See:    route.h.
 */
#include "http/route.h"

#include "http/field.h"

/* What is done with a method on a path. */
enum action {
    NO,      /* 405 */
    LOCAL,   /* the call of the row */
    COUNT,   /* OP_COUNT */
    ADD,     /* OP_VIEW_ADD */
    REMOVE,  /* OP_VIEW_REMOVE */
    PLACE,   /* OP_SHARD_ADD */
    RECOVER, /* OP_RECOVER */
    OPENAPI, /* answered here */
    RESHARD, /* OP_RESHARD */
    CANCEL,  /* OP_RESHARD_CANCEL */
};

struct row {
    const char *path;         /* whole, or before a shard id */
    size_t len;               /* of path */
    bool id;                  /* a shard id follows */
    enum action get;          /* GET and HEAD */
    enum action put;          /* PUT */
    enum action delete;       /* DELETE */
    enum http_call_kind kind; /* of LOCAL */
    const char *allow;        /* for 405 */
};

#define PATH(text) text, sizeof(text) - 1

static const struct row rows[] = {
    {PATH("/view"), false, LOCAL, ADD, REMOVE, HTTP_VIEW, "GET, HEAD, PUT, DELETE"},
    {PATH("/shard/ids"), false, LOCAL, NO, NO, HTTP_SHARD_IDS, "GET, HEAD"},
    {PATH("/shard/node-shard-id"), false, LOCAL, NO, NO, HTTP_NODE_SHARD_ID, "GET, HEAD"},
    {PATH("/shard/members/"), true, LOCAL, NO, NO, HTTP_SHARD_MEMBERS, "GET, HEAD"},
    {PATH("/shard/key-count/"), true, COUNT, NO, NO, HTTP_NONE, "GET, HEAD"},
    {PATH("/shard/add-member/"), true, NO, PLACE, NO, HTTP_NONE, "PUT"},
    {PATH("/shard/reshard"), false, LOCAL, RESHARD, CANCEL, HTTP_RESHARD, "GET, HEAD, PUT, DELETE"},
    {PATH("/recover"), false, NO, RECOVER, NO, HTTP_NONE, "PUT"},
    {PATH("/healthz"), false, LOCAL, NO, NO, HTTP_HEALTHZ, "GET, HEAD"},
    {PATH("/readyz"), false, LOCAL, NO, NO, HTTP_READYZ, "GET, HEAD"},
    {PATH("/metrics"), false, LOCAL, NO, NO, HTTP_METRICS, "GET, HEAD"},
    {PATH("/cluster"), false, LOCAL, NO, NO, HTTP_CLUSTER, "GET, HEAD"},
    {PATH("/openapi.json"), false, OPENAPI, NO, NO, HTTP_NONE, "GET, HEAD"},
    {PATH("/"), false, LOCAL, NO, NO, HTTP_ROOT, "GET, HEAD"},
};

#define KVS SLICE_LIT("/kvs/")
#define KVS_ALLOW "GET, HEAD, PUT, DELETE"

static bool starts_with(struct slice text, struct slice start)
{
    return text.len >= start.len && memcmp(text.ptr, start.ptr, start.len) == 0;
}

static void refuse_method(struct http_refusal *refusal, const char *allow)
{
    http_refuse(refusal, 405, "The method is not allowed here");
    refusal->allow = allow;
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Appends what text stands for; false: an escape is malformed. */
static bool percent_decode(struct slice text, struct buf *out)
{
    uint8_t *to = buf_reserve(out, text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%') {
            *to++ = text.ptr[i];
            continue;
        }
        int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        *to++ = (uint8_t)(high << 4 | low);
        i += 2;
    }
    out->len = (size_t)(to - out->ptr);
    return true;
}

/* Also what a question mark starts: the API has no queries, and a key that was cut short there
 * would be another key. */
static void find_key(struct slice text, const struct http_limits *limits, struct buf *room,
                     struct http_route *out)
{
    if (memchr(text.ptr, '?', text.len) != NULL) {
        http_refuse(&out->refusal, 400, "A question mark in a key is written %3F");
        return;
    }
    out->key = text;
    if (memchr(text.ptr, '%', text.len) != NULL) {
        buf_reset(room);
        if (!percent_decode(text, room)) {
            http_refuse(&out->refusal, 400, "The percent-encoding of the key is malformed");
            return;
        }
        out->key = buf_slice(room);
    }
    if (out->key.len == 0)
        http_refuse_err(&out->refusal, E_KEY_EMPTY);
    else if (out->key.len > limits->key_bytes_max)
        http_refuse_err(&out->refusal, E_KEY_TOO_LONG);
}

static void find_kvs(enum http_method method, struct slice text, const struct http_limits *limits,
                     struct buf *room, struct http_route *out)
{
    out->kind = HTTP_NODE;
    out->takes_body = true;
    switch (method) {
    case METHOD_GET:
    case METHOD_HEAD:
        out->op = OP_GET;
        break;
    case METHOD_PUT:
        out->op = OP_PUT;
        break;
    case METHOD_DELETE:
        out->op = OP_DELETE;
        break;
    case METHOD_OTHER:
        refuse_method(&out->refusal, KVS_ALLOW);
        return;
    }
    find_key(text, limits, room, out);
}

/* s0, s1 …: no leading zeroes, below 2^32 - 1. */
static bool read_shard_id(struct slice text, uint32_t *id)
{
    if (text.len < 2 || text.len > 11 || text.ptr[0] != 's')
        return false;
    if (text.ptr[1] == '0' && text.len > 2)
        return false;
    uint64_t number = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *id = (uint32_t)number;
    return number < UINT32_MAX;
}

static enum action action_of(const struct row *row, enum http_method method)
{
    switch (method) {
    case METHOD_GET:
    case METHOD_HEAD:
        return row->get;
    case METHOD_PUT:
        return row->put;
    case METHOD_DELETE:
        return row->delete;
    case METHOD_OTHER:
        break;
    }
    return NO;
}

/* What it means for the node; 0: it is not for the node. */
static enum op op_of(enum action action)
{
    switch (action) {
    case COUNT:
        return OP_COUNT;
    case ADD:
        return OP_VIEW_ADD;
    case REMOVE:
        return OP_VIEW_REMOVE;
    case PLACE:
        return OP_SHARD_ADD;
    case RECOVER:
        return OP_RECOVER;
    case RESHARD:
        return OP_RESHARD;
    case CANCEL:
        return OP_RESHARD_CANCEL;
    case NO:
    case LOCAL:
    case OPENAPI:
        break;
    }
    return 0;
}

static void find_row(const struct row *row, enum http_method method, struct slice rest,
                     struct http_route *out)
{
    enum action action = action_of(row, method);
    if (action == NO)
        refuse_method(&out->refusal, row->allow);
    else if (row->id && !read_shard_id(rest, &out->shard_id))
        http_refuse(&out->refusal, 400, "A shard id is an s and a number, such as s0");
    if (out->refusal.status != 0)
        return;
    out->op = op_of(action);
    out->kind = out->op != 0 ? HTTP_NODE : row->kind;
    out->openapi = action == OPENAPI;
    out->takes_body = out->op != 0;
}

/* http://host/path -> /path (RFC 9112 section 3.2.2). */
static struct slice strip_authority(struct slice target)
{
    struct slice scheme = SLICE_LIT("http://");
    if (target.len < scheme.len || !field_is(slice_of(target.ptr, 4), SLICE_LIT("http")) ||
        memcmp(target.ptr + 4, "://", 3) != 0)
        return target;
    struct slice rest = slice_of(target.ptr + scheme.len, target.len - scheme.len);
    const uint8_t *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
    if (slash == NULL)
        return SLICE_LIT("/");
    return slice_of(slash, rest.len - (size_t)(slash - rest.ptr));
}

void http_route_find(enum http_method method, struct slice target, const struct http_limits *limits,
                     struct buf *room, struct http_route *out)
{
    *out = (struct http_route){.kind = HTTP_NONE};
    target = strip_authority(target);
    if (target.len == 0 || target.ptr[0] != '/' || memchr(target.ptr, '#', target.len) != NULL) {
        if (method == METHOD_OTHER) /* OPTIONS *, CONNECT host:port */
            refuse_method(&out->refusal, KVS_ALLOW);
        http_refuse(&out->refusal, 400, "The request target is malformed");
        return;
    }
    if (starts_with(target, KVS)) {
        find_kvs(method, slice_of(target.ptr + KVS.len, target.len - KVS.len), limits, room, out);
        return;
    }
    const uint8_t *query = memchr(target.ptr, '?', target.len);
    if (query != NULL)
        target.len = (size_t)(query - target.ptr);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        if (!starts_with(target, slice_of(row->path, row->len)))
            continue;
        struct slice rest = slice_of(target.ptr + row->len, target.len - row->len);
        if (row->id ? rest.len > 0 : rest.len == 0) {
            find_row(row, method, rest, out);
            return;
        }
    }
    http_refuse(&out->refusal, 404, "There is nothing at this path");
}
