/* conn - one connection: bytes in, bytes out.
 *
 * Does:   see conn.h.
 * Not:    -
 * Holds:  C1 to C3.
 * Limits: -
 * See:    conn.h.
 */
#define _GNU_SOURCE
#include "net/conn_inside.h"

#include <stdio.h>

/* ---- Life ---- */

bool net__is_refusal(int error)
{
    return error == UV_EOF || error == UV_ECONNREFUSED || error == UV_ECONNRESET ||
           error == UV_EPIPE || error == UV_ECONNABORTED;
}

void net__conn_release(struct conn *conn)
{
    if (!conn->handle_closed || conn->untold || conn->dirty)
        return;
    struct hub *hub = conn->hub;
    uint32_t slot = (uint32_t)(conn->id & 0xffffU);
    ASSERT(hub->slots[slot] == conn);
    hub->slots[slot] = NULL;
    hub->free_slots[hub->free_count++] = slot;
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    buf_fini(&conn->flight);
    mem_free(conn);
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    struct hub *hub = conn->hub;
    conn->handle_closed = true;
    net__conn_release(conn);
    net__handle_closed(hub);
}

void net__conn_close(struct conn *conn)
{
    if (conn->state == CONN_CLOSING)
        return;
    conn->state = CONN_CLOSING;
    if (conn->accepted) {
        ASSERT(conn->hub->accepted > 0);
        conn->hub->accepted--;
    }
    if (conn->kind == CONN_CLIENT) {
        ASSERT(conn->hub->clients > 0);
        conn->hub->clients--;
    }
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void net__conn_fail(struct conn *conn, int error)
{
    if (conn->state == CONN_CLOSING)
        return;
    bool tell = conn->state == CONN_OPEN && conn->kind != CONN_FRESH;
    net__conn_close(conn);
    if (!tell)
        return;
    conn->refused = net__is_refusal(error);
    conn->untold = true;
    *conn->hub->ended_last = conn;
    conn->hub->ended_last = &conn->ended_next;
}

void conn_abort(struct conn *conn)
{
    net__conn_close(conn);
}

/* ---- Writing ---- */

struct buf *conn_out(struct conn *conn)
{
    if (!conn->dirty) {
        conn->dirty = true;
        conn->dirty_next = conn->hub->dirty;
        conn->hub->dirty = conn;
    }
    return &conn->out;
}

bool conn_may_send(const struct conn *conn)
{
    return conn->state == CONN_OPEN && !conn->writing && conn->out.len == 0;
}

size_t conn_unsent(const struct conn *conn)
{
    return conn->out.len + uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
}

static void conn_keep_small(struct buf *buf)
{
    if (buf->cap > NET_KEEP_BYTES)
        buf_fini(buf);
    buf_reset(buf);
}

static void conn_read(struct conn *conn);

/* All that a finished connection still has to do, as far as it can be done now. */
static void conn_wind_up(struct conn *conn);

static void on_written(uv_write_t *write, int status)
{
    struct conn *conn = write->data;
    conn->writing = false;
    conn_keep_small(&conn->flight);
    if (conn->state == CONN_CLOSING)
        return;
    if (status != 0) {
        net__conn_fail(conn, status);
        return;
    }
    if (conn->out.len > 0)
        conn_out(conn); /* in the list of this turn */
    else
        conn_wind_up(conn);
    if (conn->state == CONN_OPEN && conn->kind == CONN_CLIENT)
        conn->hub->calls.client_sent(conn->hub->calls.arg, conn);
    if (conn_unsent(conn) <= CONN_CLIENT_UNSENT_BYTES) {
        conn->paused &= ~CONN_PAUSED_BY_UNSENT;
        conn_read(conn);
    }
}

/* The kernel took no more: the loop writes the rest of out when it can. */
static void conn_write_later(struct conn *conn, size_t sent)
{
    ASSERT(!conn->writing);
    struct buf empty = conn->flight;
    conn->flight = conn->out;
    conn->out = empty;
    conn->writing = true;
    conn->write.data = conn;
    uv_buf_t rest = {(char *)conn->flight.ptr + sent, conn->flight.len - sent};
    int refused = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &rest, 1, on_written);
    if (refused != 0) {
        conn->writing = false;
        net__conn_fail(conn, refused);
    }
}

static void conn_check_unsent(struct conn *conn)
{
    size_t unsent = conn_unsent(conn);
    if (conn->kind == CONN_CLIENT && unsent > CONN_CLIENT_UNSENT_BYTES) {
        conn->paused |= CONN_PAUSED_BY_UNSENT;
        conn_read(conn);
    }
    /* Beyond the limit by what one turn gave: one frame may be as large as the limit. */
    if (conn->kind == CONN_PEER && conn->writing && conn->out.len > CONN_PEER_UNSENT_BYTES) {
        conn->hub->calls.note(conn->hub->calls.arg, conn, "does not read: hung up");
        net__conn_fail(conn, UV_ETIMEDOUT);
    }
}

void net__conn_flush(struct conn *conn)
{
    conn->dirty = false;
    if (conn->state == CONN_CLOSING) {
        net__conn_release(conn);
        return;
    }
    if (conn->out.len > 0 && !conn->writing && conn->state != CONN_CONNECTING) {
        uv_buf_t all = {(char *)conn->out.ptr, conn->out.len};
        int sent = uv_try_write((uv_stream_t *)&conn->tcp, &all, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            net__conn_fail(conn, sent);
            return;
        }
        size_t took = sent < 0 ? 0 : (size_t)sent;
        if (took < conn->out.len)
            conn_write_later(conn, took);
        else
            conn_keep_small(&conn->out);
    }
    if (conn->state == CONN_OPEN)
        conn_check_unsent(conn);
    conn_wind_up(conn);
}

/* ---- Ending ---- */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct conn *conn = shutdown->data;
    if (conn->state != CONN_CLOSING && (status != 0 || conn->eof))
        net__conn_close(conn);
}

static void conn_wind_up(struct conn *conn)
{
    if (conn->state != CONN_FINISHING || conn->writing || conn->out.len > 0 || conn->shutting)
        return;
    conn->shutting = true;
    conn->shutdown.data = conn;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, on_shutdown) != 0)
        net__conn_close(conn);
}

/* Closing with unread bytes would reset the connection and take back what was just sent: the rest
 * is read and thrown away until the other side is done or HUB_LINGER_MS are over. */
void conn_finish(struct conn *conn)
{
    if (conn->state != CONN_OPEN)
        return;
    conn->state = CONN_FINISHING;
    conn->since_ms = uv_now(conn->hub->loop);
    conn->paused = 0;
    conn_read(conn);
    conn_out(conn);
}

/* ---- Reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct conn *conn = handle->data;
    *buf = uv_buf_init((char *)conn->hub->read_buffer, NET_READ_BYTES);
    if (conn->kind != CONN_PEER || conn->in.len == 0 || conn->state != CONN_OPEN)
        return;
    /* The rest of a frame goes right behind its beginning. */
    size_t more = conn->frame_need > conn->in.len ? conn->frame_need - conn->in.len : 0;
    if (more < NET_READ_BYTES)
        more = NET_READ_BYTES;
    uint8_t *at = buf_reserve(&conn->in, more);
    *buf = uv_buf_init((char *)at, (unsigned)(conn->in.cap - conn->in.len));
}

static void peer_bad_frame(struct conn *conn, const char *why)
{
    conn->hub->calls.note(conn->hub->calls.arg, conn, why);
    net__conn_fail(conn, UV_ECONNABORTED);
}

/* Delivers the whole frames that bytes begins with; returns how many bytes they were. */
static size_t peer_frames(struct conn *conn, struct slice bytes)
{
    size_t done = 0;
    while (conn->state == CONN_OPEN) {
        struct slice rest = slice_of(bytes.ptr + done, bytes.len - done);
        const char *why = NULL;
        size_t size = 0;
        enum frame_scan scan = frame_split(rest, conn->frame_limit, &size, &why);
        if (scan == FRAME_BAD) {
            peer_bad_frame(conn, why);
            break;
        }
        conn->frame_need = size;
        if (scan == FRAME_SHORT)
            break;
        if (conn->frame_limit == CONN_STRANGER_FRAME_BYTES && rest.ptr[2] == MSG_HELLO)
            conn->frame_limit = LIMIT_FRAME_BYTES;
        conn->hub->calls.frame(conn->hub->calls.arg, conn, slice_of(rest.ptr, size));
        done += size;
        if (done == bytes.len)
            break;
    }
    return done;
}

/* A large frame on a slow line takes a while: its owner may want to know that it is on the way. */
static void tell_part(struct conn *conn)
{
    uint64_t now_ms = uv_now(conn->hub->loop);
    if (conn->hub->calls.part == NULL || now_ms - conn->part_ms < HUB_PART_MS)
        return;
    conn->part_ms = now_ms;
    conn->hub->calls.part(conn->hub->calls.arg, conn);
}

static void peer_bytes(struct conn *conn, struct slice bytes)
{
    if (conn->in.len > 0) {
        /* on_alloc had them put behind what was there. */
        ASSERT(bytes.ptr == conn->in.ptr + conn->in.len);
        conn->in.len += bytes.len;
        bytes = buf_slice(&conn->in);
        size_t done = peer_frames(conn, bytes);
        if (conn->state != CONN_OPEN)
            return;
        buf_consume(&conn->in, done);
        if (conn->in.len == 0)
            conn_keep_small(&conn->in);
        else
            tell_part(conn);
        return;
    }
    size_t done = peer_frames(conn, bytes);
    if (conn->state == CONN_OPEN && done < bytes.len)
        buf_append(&conn->in, bytes.ptr + done, bytes.len - done);
    if (conn->state == CONN_OPEN && conn->in.len > 0)
        tell_part(conn);
}

/* The first byte says who it is. */
static void fresh_bytes(struct conn *conn, struct slice bytes)
{
    struct hub *hub = conn->hub;
    if (bytes.ptr[0] == FRAME_MAGIC) {
        conn->kind = CONN_PEER;
        return;
    }
    conn->kind = CONN_CLIENT;
    hub->clients++;
    if (hub->clients <= hub->options.clients_max) {
        hub->calls.client_up(hub->calls.arg, conn);
        return;
    }
    buf_append_slice(conn_out(conn), hub->options.full_answer);
    conn_finish(conn);
}

static void conn_bytes(struct conn *conn, struct slice bytes)
{
    conn->heard_ms = uv_now(conn->hub->loop);
    if (conn->kind == CONN_FRESH && conn->state == CONN_OPEN)
        fresh_bytes(conn, bytes);
    if (conn->state != CONN_OPEN)
        return;
    if (conn->kind == CONN_PEER)
        peer_bytes(conn, bytes);
    else
        conn->hub->calls.client_bytes(conn->hub->calls.arg, conn, bytes);
}

static void conn_eof(struct conn *conn)
{
    conn->eof = true;
    conn->reading = false;
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    if (conn->state == CONN_OPEN && conn->kind == CONN_CLIENT)
        conn->hub->calls.client_eof(conn->hub->calls.arg, conn);
    else if (conn->state != CONN_FINISHING)
        net__conn_fail(conn, UV_EOF);
    else if (conn->shutting)
        net__conn_close(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (conn->state == CONN_CLOSING || count == 0)
        return;
    if (count == UV_EOF)
        conn_eof(conn);
    else if (count < 0)
        net__conn_fail(conn, (int)count);
    else
        conn_bytes(conn, slice_of(buf->base, (size_t)count));
}

/* Brings the loop in line with what is wanted. */
static void conn_read(struct conn *conn)
{
    bool open = conn->state == CONN_OPEN || conn->state == CONN_FINISHING;
    bool want = open && conn->paused == 0 && !conn->eof;
    if (want == conn->reading || !open)
        return;
    conn->reading = want;
    int failed = want ? uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read)
                      : uv_read_stop((uv_stream_t *)&conn->tcp);
    if (failed != 0)
        net__conn_fail(conn, failed);
}

void conn_pause(struct conn *conn, bool pause)
{
    if (pause)
        conn->paused |= CONN_PAUSED_BY_OWNER;
    else
        conn->paused &= ~CONN_PAUSED_BY_OWNER;
    if (conn->state == CONN_OPEN)
        conn_read(conn);
}

void net__conn_open(struct conn *conn, enum conn_kind kind)
{
    conn->state = CONN_OPEN;
    conn->kind = kind;
    conn->since_ms = uv_now(conn->hub->loop);
    conn->heard_ms = conn->since_ms;
    conn->frame_limit = conn->accepted ? CONN_STRANGER_FRAME_BYTES : LIMIT_FRAME_BYTES;
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    conn_read(conn);
}

/* ---- Small things ---- */

uint64_t conn_id(const struct conn *conn)
{
    return conn->id;
}

void *conn_user(const struct conn *conn)
{
    return conn->user;
}

void conn_set_user(struct conn *conn, void *user)
{
    conn->user = user;
}

void conn_text(const struct conn *conn, char text[CONN_TEXT_BYTES])
{
    struct sockaddr_storage peer;
    int size = sizeof(peer);
    char ip[INET6_ADDRSTRLEN] = "";
    text[0] = '\0';
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&peer, &size) != 0)
        return;
    bool six = peer.ss_family == AF_INET6;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&peer;
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)&peer;
    int failed = six ? uv_ip6_name(in6, ip, sizeof(ip)) : uv_ip4_name(in4, ip, sizeof(ip));
    if (failed == 0)
        snprintf(text, CONN_TEXT_BYTES, six ? "[%s]:%u" : "%s:%u", ip,
                 (unsigned)ntohs(six ? in6->sin6_port : in4->sin_port));
}
