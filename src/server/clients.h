/* clients - the HTTP side of every client connection.
 *
 * Does:   feeds bytes to http/, carries its calls out, hands answers back, moves output to the
 *         connection, cuts off who is late.
 * Not:    parsing (http/), deciding (node/), sockets (net/).
 * Holds:  K1 a call of the node is either under way in the http_conn of a living client or was
 *         withdrawn with GONE. K2 calls are carried out by clients_run alone, never from inside
 *         a step of the node.
 * Limits: CLIENT_*, below.
 * See:    http/conn.h; shell.h.
 */
#pragma once

#include "http/http.h"
#include "net/net.h"

#define CLIENT_IDLE_MS 75000U /* between requests */
#define CLIENT_HEAD_MS 10000U /* for a request's head, from its first byte */
#define CLIENT_BODY_MS                                                                             \
    10000U                    /* without a byte of the body; and at least 1 byte a millisecond
                                   on the whole beyond that */
#define CLIENT_SEND_MS 75000U /* without a byte of the answer taken */
#define CLIENT_MEMORY_BYTES (512U << 20) /* of all half-sent requests and unsent answers */

struct clients;

struct clients_calls {
    void (*call)(void *arg, const struct http_call *call, struct http_conn *conn);
    void (*gone)(void *arg, uint64_t request_id); /* nobody waits for this one any more */
    void *arg;                                    /* for both */
};

struct clients *clients_new(const struct http_limits *limits, const struct clients_calls *calls);
void clients_free(struct clients *clients);

/* What the hub tells. */
void clients_up(struct clients *clients, struct conn *conn);
void clients_bytes(struct clients *clients, struct conn *conn, struct slice bytes);
void clients_sent(struct clients *clients, struct conn *conn);
void clients_eof(struct clients *clients, struct conn *conn);
void clients_gone(struct clients *clients, struct conn *conn);

/* The node's answer. */
void clients_reply(struct clients *clients, struct hub *hub, const struct reply *reply);

/* Carries out calls that are ready. True when there was one. */
bool clients_run(struct clients *clients);

/* Moves output to the connections; before hub_flush. */
void clients_flush(struct clients *clients);

/* True when clients_run or clients_flush has something to do. */
bool clients_pending(const struct clients *clients);

/* Once a second: cuts off who is late. */
void clients_sweep(struct clients *clients, uint64_t now_ms);

/* No more requests; connections end when they are answered. */
void clients_stop(struct clients *clients);

/* An answer after which the connection is closed; status with its number, sentence without
 * anything that JSON escapes. */
void clients_last_answer(struct buf *out, const char *status, const char *sentence);

uint64_t clients_timeouts(const struct clients *clients);
uint64_t clients_requests(const struct clients *clients);
