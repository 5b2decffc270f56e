/* hub - all connections of a node: listening, looking up, flushing, closing.
 *
 * Does:   see hub.h. Dialling: dial.c.
 * Not:    -
 * Holds:  H1 to H4.
 * Limits: 65,536 connections at a time: the slot is the low 16 bits of an id.
 * See:    hub.h.
 */
#define _GNU_SOURCE
#include "net/conn_inside.h"

#include <stdio.h>

#define HUB_SLOTS_MAX 65536U
#define HUB_BACKLOG 1024

struct hub *hub_new(struct uv_loop_s *loop, const struct hub_options *options,
                    const struct hub_calls *calls)
{
    struct hub *hub = mem_zalloc(1, sizeof(*hub));
    hub->loop = loop;
    hub->options = *options;
    hub->calls = *calls;
    hub->ended_last = &hub->ended;
    hub->read_buffer = mem_alloc(NET_READ_BYTES);
    int failed = uv_timer_init(loop, &hub->dial_timer);
    ASSERT(failed == 0);
    hub->dial_timer.data = hub;
    hub->handles = 1;
    return hub;
}

void hub_free(struct hub *hub)
{
    if (hub == NULL)
        return;
    ASSERT(hub_closed(hub));
    mem_free(hub->slots);
    mem_free(hub->free_slots);
    mem_free(hub->read_buffer);
    mem_free(hub);
}

/* ---- Slots ---- */

static void hub_grow(struct hub *hub)
{
    uint32_t count = hub->slot_count == 0 ? 64 : hub->slot_count * 2;
    hub->slots = mem_realloc(hub->slots, count * sizeof(*hub->slots));
    hub->free_slots = mem_realloc(hub->free_slots, count * sizeof(*hub->free_slots));
    for (uint32_t slot = count; slot > hub->slot_count; slot--) {
        hub->slots[slot - 1] = NULL;
        hub->free_slots[hub->free_count++] = slot - 1;
    }
    hub->slot_count = count;
}

struct conn *net__conn_new(struct hub *hub, bool accepted)
{
    if (hub->free_count == 0 && hub->slot_count == HUB_SLOTS_MAX)
        return NULL;
    if (hub->free_count == 0)
        hub_grow(hub);
    struct conn *conn = mem_zalloc(1, sizeof(*conn));
    uint32_t slot = hub->free_slots[--hub->free_count];
    hub->slots[slot] = conn;
    conn->hub = hub;
    conn->id = ++hub->made << 16 | slot;
    conn->accepted = accepted;
    conn->since_ms = uv_now(hub->loop);
    hub->accepted += accepted;
    int failed = uv_tcp_init(hub->loop, &conn->tcp);
    ASSERT(failed == 0);
    conn->tcp.data = conn;
    hub->handles++;
    return conn;
}

struct conn *hub_conn(struct hub *hub, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & 0xffffU);
    if (slot >= hub->slot_count || hub->slots[slot] == NULL || hub->slots[slot]->id != id)
        return NULL;
    struct conn *conn = hub->slots[slot];
    return conn->state == CONN_OPEN ? conn : NULL;
}

void net__handle_closed(struct hub *hub)
{
    ASSERT(hub->handles > 0);
    hub->handles--;
}

/* ---- Listening ---- */

static void on_connection(uv_stream_t *stream, int status)
{
    struct hub *hub = stream->data;
    if (status != 0 || hub->closing)
        return;
    struct conn *conn = net__conn_new(hub, true);
    if (conn == NULL)
        return;
    if (uv_accept(stream, (uv_stream_t *)&conn->tcp) != 0 ||
        hub->accepted > hub->options.clients_max + HUB_PEERS_ACCEPTED_MAX) {
        net__conn_close(conn);
        return;
    }
    net__conn_open(conn, CONN_FRESH);
}

static void on_listener_closed(uv_handle_t *handle)
{
    net__handle_closed(handle->data);
}

static bool listen_refuse(struct buf *why, const char *where, int error)
{
    buf_append_slice(why, SLICE_LIT("cannot listen on "));
    buf_append_slice(why, slice_str(where));
    buf_append_slice(why, SLICE_LIT(": "));
    buf_append_slice(why, slice_str(uv_strerror(error)));
    return false;
}

static int listen_at(struct hub *hub, const struct sockaddr *address)
{
    struct listener *listener = &hub->listeners[hub->listener_count];
    int error = uv_tcp_init(hub->loop, &listener->tcp);
    ASSERT(error == 0);
    listener->tcp.data = hub;
    listener->open = true;
    hub->listener_count++;
    hub->handles++;
    error = uv_tcp_bind(&listener->tcp, address, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&listener->tcp, HUB_BACKLOG, on_connection);
    if (error != 0) {
        listener->open = false;
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
    }
    return error;
}

/* "ip:port" or "[v6]:port" in numbers. */
static bool numeric_address(const char *text, struct sockaddr_storage *out)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    char ip[INET6_ADDRSTRLEN + 2];
    size_t len = (size_t)(colon - text);
    bool six = len >= 2 && text[0] == '[' && colon[-1] == ']';
    if (six) {
        text++;
        len -= 2;
    }
    if (len >= sizeof(ip))
        return false;
    memcpy(ip, text, len);
    ip[len] = '\0';
    unsigned port = 0;
    for (const char *at = colon + 1; *at != '\0' && port < 65536; at++) {
        if (*at < '0' || *at > '9')
            return false;
        port = port * 10 + (unsigned)(*at - '0');
    }
    if (colon[1] == '\0' || port > 65535)
        return false;
    return (six ? uv_ip6_addr(ip, (int)port, (struct sockaddr_in6 *)out)
                : uv_ip4_addr(ip, (int)port, (struct sockaddr_in *)out)) == 0;
}

/* Every interface, v6 and v4 in one socket; a machine without v6 has v4 alone. */
static bool listen_everywhere(struct hub *hub, uint16_t port, struct buf *why)
{
    struct sockaddr_storage address;
    int error = uv_ip6_addr("::", port, (struct sockaddr_in6 *)&address);
    ASSERT(error == 0);
    error = listen_at(hub, (struct sockaddr *)&address);
    if (error == UV_EAFNOSUPPORT || error == UV_EADDRNOTAVAIL || error == UV_EINVAL) {
        error = uv_ip4_addr("0.0.0.0", port, (struct sockaddr_in *)&address);
        ASSERT(error == 0);
        error = listen_at(hub, (struct sockaddr *)&address);
    }
    char where[48];
    snprintf(where, sizeof(where), "port %u", (unsigned)port);
    return error == 0 || listen_refuse(why, where, error);
}

bool hub_listen(struct hub *hub, struct slice address, uint16_t port, struct buf *why)
{
    ASSERT(hub->listener_count + 2 <= HUB_LISTENERS_MAX);
    if (address.len == 0)
        return listen_everywhere(hub, port, why);
    char text[LIMIT_ADDRESS_BYTES + 1];
    struct sockaddr_storage numeric;
    size_t len = address.len < sizeof(text) ? address.len : sizeof(text) - 1;
    memcpy(text, address.ptr, len);
    text[len] = '\0';
    if (!numeric_address(text, &numeric))
        return listen_refuse(why, text, UV_EINVAL);
    int error = listen_at(hub, (struct sockaddr *)&numeric);
    return error == 0 || listen_refuse(why, text, error);
}

uint16_t hub_port(const struct hub *hub)
{
    for (uint32_t i = 0; i < hub->listener_count; i++) {
        struct sockaddr_storage at;
        int size = sizeof(at);
        const struct listener *listener = &hub->listeners[i];
        if (!listener->open ||
            uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&at, &size) != 0)
            continue;
        return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                              : ((struct sockaddr_in *)&at)->sin_port);
    }
    return 0;
}

void hub_stop_listening(struct hub *hub)
{
    for (uint32_t i = 0; i < hub->listener_count; i++) {
        if (!hub->listeners[i].open)
            continue;
        hub->listeners[i].open = false;
        uv_close((uv_handle_t *)&hub->listeners[i].tcp, on_listener_closed);
    }
}

/* ---- Once a turn ---- */

bool hub_deliver(struct hub *hub)
{
    bool any = hub->ended != NULL;
    while (hub->ended != NULL) {
        struct conn *conn = hub->ended;
        hub->ended = conn->ended_next;
        if (hub->ended == NULL)
            hub->ended_last = &hub->ended;
        conn->ended_next = NULL;
        conn->untold = false;
        if (conn->kind == CONN_CLIENT)
            hub->calls.client_gone(hub->calls.arg, conn);
        else
            hub->calls.peer_down(hub->calls.arg, conn->id, conn->refused);
        net__conn_release(conn);
    }
    return any;
}

bool hub_pending(const struct hub *hub)
{
    return hub->ended != NULL || hub->dirty != NULL;
}

void hub_flush(struct hub *hub)
{
    while (hub->dirty != NULL) {
        struct conn *conn = hub->dirty;
        hub->dirty = conn->dirty_next;
        conn->dirty_next = NULL;
        net__conn_flush(conn);
    }
}

/* ---- Once a second ---- */

static void conn_sweep(struct conn *conn, uint64_t now_ms)
{
    bool fresh = conn->state == CONN_OPEN && conn->kind == CONN_FRESH;
    bool peer = conn->state == CONN_OPEN && conn->kind == CONN_PEER && conn->accepted;
    if (conn->state == CONN_FINISHING && now_ms - conn->since_ms >= HUB_LINGER_MS)
        net__conn_close(conn);
    else if (fresh && now_ms - conn->since_ms >= HUB_FRESH_MS)
        net__conn_close(conn);
    else if (peer && now_ms - conn->heard_ms >= HUB_PEER_SILENT_MS)
        net__conn_fail(conn, UV_ETIMEDOUT);
}

void hub_sweep(struct hub *hub)
{
    uint64_t now_ms = uv_now(hub->loop);
    for (uint32_t slot = 0; slot < hub->slot_count; slot++)
        if (hub->slots[slot] != NULL)
            conn_sweep(hub->slots[slot], now_ms);
}

uint32_t hub_clients(const struct hub *hub)
{
    return hub->clients;
}

/* ---- The end ---- */

bool hub_lingers(const struct hub *hub)
{
    for (uint32_t slot = 0; slot < hub->slot_count; slot++) {
        const struct conn *conn = hub->slots[slot];
        if (conn == NULL || conn->state == CONN_CLOSING)
            continue;
        if (conn->state == CONN_FINISHING || conn->writing || conn->out.len > 0)
            return true;
    }
    return false;
}

void hub_close(struct hub *hub)
{
    if (hub->closing)
        return;
    hub->closing = true;
    hub_stop_listening(hub);
    net__dials_close(hub);
    for (uint32_t slot = 0; slot < hub->slot_count; slot++)
        if (hub->slots[slot] != NULL)
            net__conn_close(hub->slots[slot]);
    while (hub->ended != NULL) {
        struct conn *conn = hub->ended;
        hub->ended = conn->ended_next;
        conn->untold = false;
        net__conn_release(conn);
    }
    hub->ended_last = &hub->ended;
    hub_flush(hub);
    uv_close((uv_handle_t *)&hub->dial_timer, on_listener_closed);
}

bool hub_closed(const struct hub *hub)
{
    return hub->closing && hub->handles == 0 && hub->dials == NULL;
}
