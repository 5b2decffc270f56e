/* call - one request on its way, from client_start to client_take.
 *
 * Does:   see call.h.
 * Not:    -
 * Holds:  K1.
 * Limits: -
 * See:    call.h; docs/api.md section 2 for the headers.
 */
#include "client/call.h"

struct call *client__call_new(const struct client_ask *ask)
{
    struct call *call = mem_zalloc(1, sizeof(*call));
    call->tag = ask->tag;
    call->verb = ask->verb;
    buf_append_slice(&call->target, ask->target);
    buf_append_slice(&call->body, ask->body);
    buf_append_slice(&call->type, ask->type);
    buf_append_slice(&call->accept, ask->accept);
    call->session = ask->session;
    call->node = ask->node;
    call->avoid = ask->avoid;
    call->pinned = ask->pinned;
    call->copies = ask->copies;
    call->async = ask->async;
    call->wait_ms = ask->wait_ms;
    return call;
}

void client__call_free(struct call *call)
{
    struct buf *bufs[] = {&call->target, &call->body,   &call->type,       &call->accept,
                          &call->head,   &call->answer, &call->answer_type};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_fini(bufs[i]);
    mem_free(call);
}

void client_put_target(struct buf *out, struct slice key)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "-._~/"; /* beside letters and digits: RFC 3986 section 2.3 */
    buf_append_slice(out, SLICE_LIT("/kvs/"));
    for (size_t i = 0; i < key.len; i++) {
        uint8_t byte = key.ptr[i];
        uint8_t lower = byte | 0x20;
        bool alone = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
                     (byte != 0 && memchr(plain, byte, sizeof(plain) - 1) != NULL);
        if (alone) {
            buf_u8(out, byte);
            continue;
        }
        uint8_t *at = buf_grow(out, 3);
        at[0] = '%';
        at[1] = (uint8_t)hex[byte >> 4];
        at[2] = (uint8_t)hex[byte & 15];
    }
}

static void put_header(struct buf *out, const char *name, struct slice value)
{
    buf_append_slice(out, slice_str(name));
    buf_append_slice(out, SLICE_LIT(": "));
    buf_append_slice(out, value);
    buf_append_slice(out, SLICE_LIT("\r\n"));
}

static void put_request_line(struct buf *out, const struct call *call)
{
    static const char *const verbs[] = {"GET ", "HEAD ", "PUT ", "DELETE "};
    buf_append_slice(out, slice_str(verbs[call->verb]));
    buf_append_slice(out, buf_slice(&call->target));
    buf_append_slice(out, SLICE_LIT(" HTTP/1.1\r\n"));
}

static void put_prefer(struct buf *out, const struct call *call)
{
    if (call->wait_ms != UINT64_MAX) {
        buf_append_slice(out, SLICE_LIT("Prefer: wait="));
        buf_decimal(out, call->wait_ms / 1000 + (call->wait_ms % 1000 != 0));
        buf_append_slice(out, SLICE_LIT("\r\n"));
    }
    if (call->copies > 0) {
        buf_append_slice(out, SLICE_LIT("Prefer: copies="));
        buf_decimal(out, call->copies);
        buf_append_slice(out, SLICE_LIT("\r\n"));
    }
    if (call->async)
        buf_append_slice(out, SLICE_LIT("Prefer: respond-async\r\n"));
}

static void put_context(struct buf *out, struct call *call)
{
    if (call->session == NULL)
        return;
    client_session_load(call->session, &call->cargo);
    if (call->cargo.count == 0)
        return;
    buf_append_slice(out, SLICE_LIT("Causal-Context: "));
    client_session_put(call->session, &call->cargo, out);
    buf_append_slice(out, SLICE_LIT("\r\n"));
}

void client__call_render(struct call *call, const char *host)
{
    struct buf *out = &call->head;
    call->sent = 0;
    buf_reset(out);
    put_request_line(out, call);
    put_header(out, "Host", slice_str(host));
    put_context(out, call);
    put_prefer(out, call);
    if (call->accept.len > 0)
        put_header(out, "Accept", buf_slice(&call->accept));
    if (call->verb == CLIENT_PUT || call->body.len > 0) {
        put_header(out, "Content-Type",
                   call->type.len > 0 ? buf_slice(&call->type) : SLICE_LIT("application/json"));
        buf_append_slice(out, SLICE_LIT("Content-Length: "));
        buf_decimal(out, call->body.len);
        buf_append_slice(out, SLICE_LIT("\r\n"));
    }
    buf_append_slice(out, SLICE_LIT("\r\n"));
}
