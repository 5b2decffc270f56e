/* conn - one client connection of HTTP/1.1: bytes in, calls out; answers in, bytes out.
 *
 * Does:   takes bytes as they come, finds the requests in them, hands them out one at a time as
 *         calls, takes the answers in any order and writes them in the order of the requests.
 *         What needs no node (malformed requests, unknown paths, limits, /openapi.json, what is
 *         not implemented yet) it answers itself: callers never see it.
 * Not:    sockets, clocks, time-outs (http_conn_waits tells what there is to wait for), TLS.
 * Holds:  H1 the calls and the output depend on the bytes fed and on the order of the other calls
 *         made here, never on how the bytes were cut. H2 every request gets exactly one final
 *         answer, in the order of the requests, until one that closes. H3 after an answer that
 *         closes nothing is parsed and nothing is written any more. H4 every call handed out is
 *         answered by exactly one of http_conn_reply and http_conn_respond, or listed by
 *         http_conn_under_way.
 * Limits: struct http_limits. Input beyond them is refused with an answer, never kept.
 * See:    docs/api.md; RFC 9110, RFC 9112; README.md for what is refused and why.
 *
 * The loop of a server:
 *
 *   bytes arrive:      http_conn_feed; then `drain`
 *   an answer arrives: http_conn_reply or _respond; then `drain` (a slot came free)
 *   drain:             while http_conn_next gives a call, carry it out; send http_conn_output,
 *                      http_conn_consume what was sent; when http_conn_wants_close, shut down the
 *                      writing side, read on for a moment (or the client's system throws the
 *                      answer away), close
 *   output was sent:   http_conn_consume; then `drain` (it may have waited for that)
 *   before reading:    only while http_conn_wants_input
 *   the client hangs up: http_conn_under_way, one EVENT_GONE each; http_conn_free
 */
#pragma once

#include "node/node.h"

/* Calls under way on one connection, at most. */
#define HTTP_CALLS_MAX 256U

/* Call ids are the session times this plus a number: see http_call_session. */
#define HTTP_CALL_BITS 16U

struct http_limits {
    uint32_t target_bytes_max; /* the target of a request line; beyond it 414 */
    uint32_t head_bytes_max;   /* request line and headers together; beyond it 431 */
    uint32_t header_count_max; /* header lines; beyond it 431 */
    uint32_t key_bytes_max;    /* a decoded key; beyond it 400 */
    uint32_t value_bytes_max;  /* a value; beyond it 413 */
    uint64_t body_bytes_max;   /* a decoded body; beyond it 413 */
    uint64_t drain_bytes_max;  /* a refused body is read and dropped up to here, so that the
                                  connection stays usable; one that is longer closes it */
    uint32_t calls_max;        /* under way at once, 1 … HTTP_CALLS_MAX; more wait in the input */
    size_t output_bytes_max;   /* no further call is handed out while more than this is unsent */
};

/* Fills in what goes with these two (knobs max_key_bytes and max_value_bytes). */
void http_limits_init(struct http_limits *limits, uint64_t key_bytes_max, uint64_t value_bytes_max);

enum http_call_kind {
    HTTP_NONE,          /* no call: more input, answers or sent output are needed first */
    HTTP_NODE,          /* `request` is for the node; answer with http_conn_reply */
    HTTP_VIEW,          /* GET /view; this and the rest: answer with http_conn_respond */
    HTTP_SHARD_IDS,     /* GET /shard/ids */
    HTTP_NODE_SHARD_ID, /* GET /shard/node-shard-id */
    HTTP_SHARD_MEMBERS, /* GET /shard/members/<ID>: shard_id */
    HTTP_HEALTHZ,       /* GET /healthz */
    HTTP_READYZ,        /* GET /readyz */
    HTTP_METRICS,       /* GET /metrics */
    HTTP_CLUSTER,       /* GET /cluster */
    HTTP_RESHARD,       /* GET /shard/reshard */
    HTTP_ROOT,          /* GET /: the page for browsers */
};

struct http_call {
    enum http_call_kind kind; /* what */
    uint64_t id;              /* unique while under way, over all connections; request.id too */
    uint32_t shard_id;        /* HTTP_SHARD_MEMBERS */
    struct request request;   /* HTTP_NODE; its bytes are borrowed until the next call of
                                 http_conn_feed, _next or _free on this connection */
};

/* What the server answers to a local call. A HEAD request gets the same without the body. */
struct http_response {
    int status;              /* 200 … 599 */
    struct slice type;       /* content type; empty: application/json */
    struct slice body;       /* copied */
    uint32_t retry_after_ms; /* 0: say nothing */
};

enum http_wait_what {
    HTTP_WAIT_IDLE,  /* for the first byte of a request, and no answer is owed */
    HTTP_WAIT_HEAD,  /* for the rest of a request's head */
    HTTP_WAIT_BODY,  /* for the rest of a request's body */
    HTTP_WAIT_REPLY, /* for answers from inside; the client owes nothing */
    HTTP_WAIT_SEND,  /* for the output to be sent */
};

/* For time-outs: the server notes `message` and `bytes` with its clock, and looks again later. */
struct http_waits {
    enum http_wait_what what; /* the first of HEAD, BODY, SEND, REPLY, IDLE that is so */
    uint64_t message;         /* number of the request that is being read, from 1 */
    uint64_t bytes;           /* of that request, received so far */
    uint32_t replies;         /* calls under way, local ones too */
};

struct http_conn;

/* The limits are copied. session: below 2^48 and never used again, so that
 * http_call_session tells whose an answer is. */
struct http_conn *http_conn_new(const struct http_limits *limits, uint64_t session);

/* Calls under way are forgotten: ask http_conn_under_way before. NULL is fine. */
void http_conn_free(struct http_conn *conn);

/* The session that was given to http_conn_new for the connection that made this call id. */
static inline uint64_t http_call_session(uint64_t call_id)
{
    return call_id >> HTTP_CALL_BITS;
}

/* Takes all of bytes (copied). After an answer that closes they are dropped. */
void http_conn_feed(struct http_conn *conn, struct slice bytes);

/* The next call, or HTTP_NONE in call->kind, and false. */
bool http_conn_next(struct http_conn *conn, struct http_call *call);

/* The node's answer to the call reply->id; its bytes are copied. False when no such call is under
 * way (it may have been withdrawn). */
bool http_conn_reply(struct http_conn *conn, const struct reply *reply);

/* The server's answer to a local call. False as above. */
bool http_conn_respond(struct http_conn *conn, uint64_t call_id,
                       const struct http_response *response);

/* An error as the server's answer: {"error":sentence,"detail":detail}; detail may be empty. */
bool http_conn_refuse(struct http_conn *conn, uint64_t call_id, enum err err, struct slice detail);

/* What is to be sent now; borrowed until the next call of anything but _waits, _under_way and the
 * questions below. */
struct slice http_conn_output(const struct http_conn *conn);

/* count bytes of it were sent. */
void http_conn_consume(struct http_conn *conn, size_t count);

/* Instead of the two above: moves all unsent output into *into, which is empty; the memory of
 * *into goes to the connection for the next output. For writes that end later. */
void http_conn_take_output(struct http_conn *conn, struct buf *into);

/* True when the last answer was sent (or taken) and the connection is to be closed. */
bool http_conn_wants_close(const struct http_conn *conn);

/* False while enough input waits here: do not read from the client now. */
bool http_conn_wants_input(const struct http_conn *conn);

/* No more requests are taken: those under way are answered, the last answer says `Connection:
 * close` where it can, then the connection wants to be closed. For a node that stops. */
void http_conn_stop(struct http_conn *conn);

struct http_waits http_conn_waits(const struct http_conn *conn);

/* Writes the ids of the node's calls (HTTP_NODE) that are not answered yet, returns how many. */
uint32_t http_conn_under_way(const struct http_conn *conn, uint64_t ids[HTTP_CALLS_MAX]);

/* Bytes of memory held, for limits over all connections. */
size_t http_conn_memory(const struct http_conn *conn);

/* Asserts what can be asserted. */
void http_conn_check(const struct http_conn *conn);
