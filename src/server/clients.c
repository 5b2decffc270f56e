/* clients - the HTTP side of every client connection.
 *
 * Does:   see clients.h.
 * Not:    -
 * Holds:  K1, K2.
 * Limits: -
 * See:    clients.h.
 */
#include "server/clients.h"

struct client {
    struct http_conn *http;      /* owned */
    struct conn *conn;           /* borrowed from the hub; NULL once it ended */
    struct client *next;         /* in all */
    struct client *prev;         /* in all */
    struct client *touched_next; /* in touched */
    bool touched;                /* something happened in this turn */
    bool ready;                  /* calls may be there */
    bool eof;                    /* it will say nothing more */
    bool withdrawn;              /* nothing of it is under way in the node any more */
    struct http_waits waits;     /* as last looked at */
    size_t unsent;               /* as last looked at */
    uint64_t changed_ms;         /* when waits or unsent last changed */
    uint64_t message_ms;         /* when the present message was first seen */
    size_t memory;               /* counted in clients->memory */
};

struct clients {
    struct http_limits limits;  /* of each */
    struct clients_calls calls; /* whom to tell */
    struct client *all;         /* a list */
    struct client *touched;     /* a list */
    size_t memory;              /* of all, as last looked at */
    uint64_t timeouts;          /* cut off so far */
    uint64_t requests;          /* calls so far */
    bool stopping;              /* clients_stop was called */
};

void clients_last_answer(struct buf *out, const char *status, const char *sentence)
{
    buf_append_slice(out, SLICE_LIT("HTTP/1.1 "));
    buf_append_slice(out, slice_str(status));
    buf_append_slice(out, SLICE_LIT("\r\nContent-Type: application/json\r\nContent-Length: "));
    buf_decimal(out, strlen("{\"error\":\"\"}") + strlen(sentence));
    buf_append_slice(out, SLICE_LIT("\r\nConnection: close\r\n\r\n{\"error\":\""));
    buf_append_slice(out, slice_str(sentence));
    buf_append_slice(out, SLICE_LIT("\"}"));
}

struct clients *clients_new(const struct http_limits *limits, const struct clients_calls *calls)
{
    struct clients *clients = mem_zalloc(1, sizeof(*clients));
    clients->limits = *limits;
    clients->calls = *calls;
    return clients;
}

/* ---- One client ---- */

static void client_touch(struct clients *clients, struct client *client)
{
    client->ready = true;
    if (client->touched)
        return;
    client->touched = true;
    client->touched_next = clients->touched;
    clients->touched = client;
}

static void client_account(struct clients *clients, struct client *client, size_t memory)
{
    ASSERT(clients->memory >= client->memory);
    clients->memory = clients->memory - client->memory + memory;
    client->memory = memory;
}

static void client_free(struct clients *clients, struct client *client)
{
    client_account(clients, client, 0);
    if (client->next != NULL)
        client->next->prev = client->prev;
    if (client->prev != NULL)
        client->prev->next = client->next;
    else
        clients->all = client->next;
    http_conn_free(client->http);
    mem_free(client);
}

/* The connection is no more. What was under way is withdrawn by the next clients_run, and the
 * client freed by the clients_flush after it: nothing is taken out of lists under somebody's feet,
 * and the node is not called from inside a call of the hub. */
static void client_end(struct clients *clients, struct client *client)
{
    ASSERT(client->conn != NULL);
    conn_set_user(client->conn, NULL);
    client->conn = NULL;
    client_touch(clients, client);
}

static void client_finish(struct clients *clients, struct client *client)
{
    struct conn *conn = client->conn;
    client_end(clients, client);
    conn_finish(conn);
}

/* ---- What the hub tells ---- */

void clients_up(struct clients *clients, struct conn *conn)
{
    struct client *client = mem_zalloc(1, sizeof(*client));
    client->http = http_conn_new(&clients->limits, conn_id(conn));
    client->conn = conn;
    client->next = clients->all;
    if (clients->all != NULL)
        clients->all->prev = client;
    clients->all = client;
    conn_set_user(conn, client);
    if (clients->stopping)
        http_conn_stop(client->http);
}

void clients_bytes(struct clients *clients, struct conn *conn, struct slice bytes)
{
    struct client *client = conn_user(conn);
    http_conn_feed(client->http, bytes);
    client_touch(clients, client);
}

void clients_sent(struct clients *clients, struct conn *conn)
{
    client_touch(clients, conn_user(conn));
}

void clients_eof(struct clients *clients, struct conn *conn)
{
    struct client *client = conn_user(conn);
    client->eof = true;
    client_touch(clients, client);
}

void clients_gone(struct clients *clients, struct conn *conn)
{
    client_end(clients, conn_user(conn));
}

void clients_reply(struct clients *clients, struct hub *hub, const struct reply *reply)
{
    struct conn *conn = hub_conn(hub, http_call_session(reply->id));
    struct client *client = conn == NULL ? NULL : conn_user(conn);
    if (client != NULL && http_conn_reply(client->http, reply))
        client_touch(clients, client);
}

/* ---- Once a turn ---- */

static void client_withdraw(struct clients *clients, struct client *client)
{
    uint64_t ids[HTTP_CALLS_MAX];
    uint32_t count = client->withdrawn ? 0 : http_conn_under_way(client->http, ids);
    client->withdrawn = true;
    for (uint32_t i = 0; i < count; i++)
        clients->calls.gone(clients->calls.arg, ids[i]);
}

static bool client_run(struct clients *clients, struct client *client)
{
    struct http_call call;
    bool any = false;
    client->ready = false;
    if (client->conn == NULL)
        client_withdraw(clients, client);
    while (client->conn != NULL && http_conn_next(client->http, &call)) {
        clients->requests++;
        any = true;
        clients->calls.call(clients->calls.arg, &call, client->http);
    }
    return any;
}

bool clients_run(struct clients *clients)
{
    bool any = false;
    for (struct client *client = clients->touched; client != NULL; client = client->touched_next)
        if (client->ready)
            any = client_run(clients, client) || any;
    return any;
}

/* Answers that are owed. The request whose body is being read has its place in the queue already,
 * but owes the rest of the body first. */
static uint32_t client_owed(const struct http_waits *waits)
{
    return waits->replies - (waits->what == HTTP_WAIT_BODY && waits->replies > 0);
}

/* A client that said it is done is over when nothing more comes of what it had sent. */
static bool client_is_over(const struct client *client)
{
    if (http_conn_wants_close(client->http))
        return true;
    if (!client->eof || client->ready)
        return false;
    struct http_waits waits = http_conn_waits(client->http);
    return client_owed(&waits) == 0 && http_conn_output(client->http).len == 0;
}

static void client_flush(struct clients *clients, struct client *client)
{
    struct conn *conn = client->conn;
    size_t output = http_conn_output(client->http).len;
    if (output > 0 && conn_may_send(conn)) {
        http_conn_take_output(client->http, conn_out(conn));
        if (output > clients->limits.output_bytes_max)
            client_touch(clients, client); /* it may have held calls back until now */
    }
    if (client_is_over(client)) {
        client_finish(clients, client);
        return;
    }
    size_t memory = http_conn_memory(client->http);
    client_account(clients, client, memory);
    if (clients->memory > CLIENT_MEMORY_BYTES && memory > clients->limits.head_bytes_max &&
        http_conn_waits(client->http).what == HTTP_WAIT_BODY) {
        clients_last_answer(conn_out(conn), "503 Service Unavailable\r\nRetry-After: 1",
                            "Too many bytes of unfinished requests wait at this node");
        client_finish(clients, client);
        return;
    }
    conn_pause(conn, !http_conn_wants_input(client->http));
}

void clients_flush(struct clients *clients)
{
    struct client *next = clients->touched;
    clients->touched = NULL;
    while (next != NULL) {
        struct client *client = next;
        next = client->touched_next;
        client->touched_next = NULL;
        client->touched = false;
        if (client->conn != NULL)
            client_flush(clients, client);
        else if (client->withdrawn)
            client_free(clients, client);
        else
            client_touch(clients, client);
    }
}

bool clients_pending(const struct clients *clients)
{
    return clients->touched != NULL;
}

/* ---- Once a second ---- */

static bool client_is_late(struct client *client, uint64_t now_ms)
{
    struct http_waits waits = http_conn_waits(client->http);
    size_t unsent = conn_unsent(client->conn);
    bool reads = waits.what == HTTP_WAIT_HEAD || waits.what == HTTP_WAIT_BODY;
    bool read = client->waits.what == HTTP_WAIT_HEAD || client->waits.what == HTTP_WAIT_BODY;
    if (waits.message != client->waits.message || reads != read)
        client->message_ms = now_ms;
    if (waits.message != client->waits.message || waits.what != client->waits.what ||
        unsent != client->unsent ||
        (waits.what == HTTP_WAIT_BODY && waits.bytes != client->waits.bytes))
        client->changed_ms = now_ms;
    client->waits = waits;
    client->unsent = unsent;
    uint64_t still_ms = now_ms - client->changed_ms;
    if (unsent > 0)
        return still_ms >= CLIENT_SEND_MS;
    switch (waits.what) {
    case HTTP_WAIT_IDLE:
        return still_ms >= CLIENT_IDLE_MS;
    case HTTP_WAIT_HEAD:
        return client_owed(&waits) == 0 && still_ms >= CLIENT_HEAD_MS;
    case HTTP_WAIT_BODY:
        return client_owed(&waits) == 0 &&
               (still_ms >= CLIENT_BODY_MS ||
                now_ms - client->message_ms >= CLIENT_BODY_MS + waits.bytes);
    case HTTP_WAIT_REPLY:
        return false; /* the node answers within its own limits */
    case HTTP_WAIT_SEND:
        return still_ms >= CLIENT_SEND_MS;
    }
    UNREACHABLE();
}

static void client_cut_off(struct clients *clients, struct client *client)
{
    struct conn *conn = client->conn;
    enum http_wait_what what = client->waits.what;
    clients->timeouts++;
    if (client->unsent > 0 || what == HTTP_WAIT_SEND) {
        client_end(clients, client);
        conn_abort(conn);
        return;
    }
    if (what == HTTP_WAIT_HEAD || what == HTTP_WAIT_BODY)
        clients_last_answer(conn_out(conn), "408 Request Timeout",
                            "The rest of the request did not come in time");
    client_finish(clients, client);
}

void clients_sweep(struct clients *clients, uint64_t now_ms)
{
    for (struct client *client = clients->all; client != NULL; client = client->next)
        if (client->conn != NULL && client_is_late(client, now_ms))
            client_cut_off(clients, client);
}

/* ---- The end ---- */

void clients_stop(struct clients *clients)
{
    clients->stopping = true;
    for (struct client *client = clients->all; client != NULL; client = client->next) {
        http_conn_stop(client->http);
        client_touch(clients, client);
    }
}

void clients_free(struct clients *clients)
{
    if (clients == NULL)
        return;
    while (clients->all != NULL)
        client_free(clients, clients->all);
    mem_free(clients);
}

uint64_t clients_timeouts(const struct clients *clients)
{
    return clients->timeouts;
}

uint64_t clients_requests(const struct clients *clients)
{
    return clients->requests;
}
