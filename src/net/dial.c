/* dial - connecting to another node.
 *
 * Does:   hub_dial: resolves a name where it is one, tries its addresses in turn, gives up after
 *         HUB_DIAL_MS.
 * Not:    dialling again: the node says when.
 * Holds:  H2 every dial is answered once.
 * Limits: -
 * See:    hub.h.
 */
#define _GNU_SOURCE
#include "net/conn_inside.h"

struct dial {
    uv_getaddrinfo_t lookup;            /* data: the dial */
    struct hub *hub;                    /* whose */
    struct dial *next;                  /* in hub->dials */
    uint32_t number;                    /* the owner's */
    uint64_t deadline_ms;               /* of the loop's clock */
    struct addrinfo *found;             /* owned by libuv; NULL before */
    struct addrinfo *at;                /* the next to try */
    struct conn *conn;                  /* the present try */
    bool looking;                       /* the lookup is in the pool */
    bool over;                          /* answered; waits for the lookup to come back */
    bool refused;                       /* the last try was refused rather than not heard */
    char host[LIMIT_ADDRESS_BYTES + 1]; /* to be looked up */
    char port[8];                       /* in decimal */
};

static void dial_try(struct dial *dial);

static void dial_unlink(struct dial *dial)
{
    struct dial **at = &dial->hub->dials;
    while (*at != dial)
        at = &(*at)->next;
    *at = dial->next;
}

/* No more tries; frees once the pool has let go. */
static void dial_end(struct dial *dial)
{
    dial->over = true;
    if (dial->conn != NULL) {
        dial->conn->dial = NULL;
        net__conn_close(dial->conn);
        dial->conn = NULL;
    }
    if (dial->looking) {
        (void)uv_cancel((uv_req_t *)&dial->lookup);
        return;
    }
    if (dial->found != NULL)
        uv_freeaddrinfo(dial->found);
    dial_unlink(dial);
    mem_free(dial);
}

static void dial_fail(struct dial *dial)
{
    struct hub *hub = dial->hub;
    uint32_t number = dial->number;
    bool refused = dial->refused;
    dial_end(dial);
    hub->calls.dial_failed(hub->calls.arg, number, refused);
}

/* ---- Time ---- */

static void on_dial_timer(uv_timer_t *timer);

static void dial_timer_set(struct hub *hub)
{
    uint64_t earliest = UINT64_MAX;
    for (const struct dial *dial = hub->dials; dial != NULL; dial = dial->next)
        if (!dial->over && dial->deadline_ms < earliest)
            earliest = dial->deadline_ms;
    uint64_t now_ms = uv_now(hub->loop);
    if (earliest == UINT64_MAX || hub->closing)
        (void)uv_timer_stop(&hub->dial_timer);
    else
        (void)uv_timer_start(&hub->dial_timer, on_dial_timer,
                             earliest > now_ms ? earliest - now_ms : 0, 0);
}

static void on_dial_timer(uv_timer_t *timer)
{
    struct hub *hub = timer->data;
    struct dial *next = NULL;
    for (struct dial *dial = hub->dials; dial != NULL; dial = next) {
        next = dial->next;
        if (dial->over || dial->deadline_ms > uv_now(hub->loop))
            continue;
        dial->refused = false;
        dial_fail(dial);
    }
    dial_timer_set(hub);
}

/* ---- Tries ---- */

static void on_connect(uv_connect_t *connect, int status)
{
    struct conn *conn = connect->data;
    struct dial *dial = conn->dial;
    if (dial == NULL)
        return; /* given up meanwhile */
    conn->dial = NULL;
    dial->conn = NULL;
    if (status != 0) {
        dial->refused = net__is_refusal(status);
        net__conn_close(conn);
        dial_try(dial);
        return;
    }
    struct hub *hub = dial->hub;
    uint32_t number = dial->number;
    dial_end(dial);
    net__conn_open(conn, CONN_PEER);
    if (conn->state == CONN_OPEN)
        hub->calls.peer_up(hub->calls.arg, number, conn);
    else
        hub->calls.dial_failed(hub->calls.arg, number, false);
}

static bool dial_connect(struct dial *dial, const struct sockaddr *address)
{
    struct conn *conn = net__conn_new(dial->hub, false);
    if (conn == NULL)
        return false;
    conn->connect.data = conn;
    int refused = uv_tcp_connect(&conn->connect, &conn->tcp, address, on_connect);
    if (refused != 0) {
        dial->refused = net__is_refusal(refused);
        net__conn_close(conn);
        return false;
    }
    conn->dial = dial;
    dial->conn = conn;
    return true;
}

static void dial_try(struct dial *dial)
{
    while (dial->at != NULL) {
        const struct sockaddr *address = dial->at->ai_addr;
        dial->at = dial->at->ai_next;
        if (dial_connect(dial, address))
            return;
    }
    dial_fail(dial);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct dial *dial = lookup->data;
    dial->looking = false;
    dial->found = status == 0 ? found : NULL;
    dial->at = dial->found;
    if (dial->over)
        dial_end(dial);
    else
        dial_try(dial);
}

/* Cuts "host:port" in two; the brackets of a v6 address go. */
static void dial_split(struct dial *dial, struct slice address)
{
    const uint8_t *colon = address.len == 0 ? NULL : memrchr(address.ptr, ':', address.len);
    ASSERT(colon != NULL);
    ASSERT(address.len <= LIMIT_ADDRESS_BYTES);
    size_t host_len = (size_t)(colon - address.ptr);
    size_t port_len = address.len - host_len - 1;
    ASSERT(port_len < sizeof(dial->port));
    bool brackets = host_len >= 2 && address.ptr[0] == '[';
    memcpy(dial->host, address.ptr + brackets, host_len - 2U * brackets);
    memcpy(dial->port, colon + 1, port_len);
}

/* Numbers ask nobody. False when the host is a name. */
static bool dial_numeric(struct dial *dial)
{
    int port = 0;
    for (const char *at = dial->port; *at != '\0'; at++)
        port = port * 10 + (*at - '0');
    struct sockaddr_storage address;
    if (uv_ip4_addr(dial->host, port, (struct sockaddr_in *)&address) != 0 &&
        uv_ip6_addr(dial->host, port, (struct sockaddr_in6 *)&address) != 0)
        return false;
    /* What fails here is answered by the timer, at once, not from inside the call (H1). */
    if (!dial_connect(dial, (const struct sockaddr *)&address))
        dial->deadline_ms = uv_now(dial->hub->loop);
    return true;
}

void hub_dial(struct hub *hub, uint32_t number, struct slice address)
{
    struct dial *dial = mem_zalloc(1, sizeof(*dial));
    dial->hub = hub;
    dial->number = number;
    dial->deadline_ms = uv_now(hub->loop) + HUB_DIAL_MS;
    dial->lookup.data = dial;
    dial->next = hub->dials;
    hub->dials = dial;
    dial_split(dial, address);
    if (!dial_numeric(dial)) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        dial->looking = uv_getaddrinfo(hub->loop, &dial->lookup, on_lookup, dial->host, dial->port,
                                       &hints) == 0;
    }
    dial_timer_set(hub);
}

void net__dials_close(struct hub *hub)
{
    struct dial *next = NULL;
    for (struct dial *dial = hub->dials; dial != NULL; dial = next) {
        next = dial->next;
        if (!dial->over)
            dial_end(dial);
    }
}
