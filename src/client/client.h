/* client - the API of a Thence cluster, from the outside.
 *
 * Does:   connections to several nodes, many requests under way (pipelined, spread over a few
 *         connections a node), the session's tokens carried along, retries where they are
 *         safe, time-outs. Everything happens in client_poll; nothing calls back.
 * Not:    threads; TLS; names looked up without blocking (client_add_node looks up once).
 *         Chunked answers: nodes send none.
 * Holds:  C1 every request started ends in exactly one answer. C2 a write whose last byte was
 *         handed to the kernel is never sent again, unless a node said that it did not happen:
 *         503 (a JSON object without "outcome":"unknown") or 429; or the answer before it on
 *         its connection said `Connection: close` (RFC 9112 section 9.6: what stands behind
 *         is not read). All else that hides its outcome makes it CLIENT_UNKNOWN. C3 a request is
 *         sent at most 1 + retries_max times; pauses double from backoff_ms. C4 within its limits
 *         a request that was started later may be sent and answered earlier: order is what
 *         tokens are for (session.h, S3 and S4).
 * Limits: struct client_options.
 * See:    README.md here; docs/api.md.
 *
 * Retry-After (whole seconds: nodes know no less) is taken as the longest pause that makes sense,
 * never as the shortest: what a request waits for is mostly there after milliseconds.
 *
 *     struct client *client = client_new(&options);
 *     client_add_node(client, "127.0.0.1:8082", &why);
 *     uint64_t id = client_start(client, &ask);
 *     while (!client_take(client, &answer))
 *         client_poll(client, 1000);
 */
#pragma once

#include "client/session.h"

#define CLIENT_NODES_MAX 64U
#define CLIENT_ANY UINT32_MAX

struct client_options {
    uint64_t attempt_ms_max;  /* from sending a request to its whole answer; its wait is added */
    uint64_t connect_ms_max;  /* for a connection to stand */
    uint64_t backoff_ms;      /* the first pause before a retry; each later one is twice as long */
    uint32_t retries_max;     /* of one request */
    uint32_t connections_max; /* to one node */
    uint32_t depth_max;       /* requests under way on one connection */
    size_t answer_bytes_max;  /* body of an answer */
};

/* The defaults: 10 s, 2 s, 10 ms, 7 retries, 4 connections 32 deep, values of every size. */
void client_options_init(struct client_options *options);

enum client_verb {
    CLIENT_GET,
    CLIENT_HEAD,
    CLIENT_PUT,
    CLIENT_DELETE,
};

struct client_ask {
    enum client_verb verb;          /* PUT and DELETE are writes: never sent twice unless safe */
    struct slice target;            /* path, escaped (client_put_target); copied, like the rest */
    struct slice body;              /* of a PUT, or of a DELETE that has one */
    struct slice type;              /* its content type; empty: application/json */
    struct slice accept;            /* Accept; empty: none */
    struct client_session *session; /* whose tokens go along; NULL: none; outlives the request */
    uint32_t node;                  /* index, or CLIENT_ANY: all in turn. Retries may move */
    bool pinned;                    /* that node and no other */
    uint32_t avoid;   /* a node not to be asked while another one can be; or CLIENT_ANY */
    uint64_t wait_ms; /* Prefer: wait (whole seconds are sent, rounded up); UINT64_MAX:
                                       whatever the node does */
    uint32_t copies;  /* Prefer: copies; 0: say nothing */
    bool async;       /* Prefer: respond-async */
    uint64_t tag;     /* comes back with the answer */
};

enum client_outcome {
    CLIENT_ANSWERED,    /* status and body are what a node said, also when that is an error */
    CLIENT_UNKNOWN,     /* a write that has happened or has not */
    CLIENT_UNREACHABLE, /* no node could be asked, or reading failed; a write did not happen */
    CLIENT_TIMED_OUT,   /* a read that was not answered in time */
    CLIENT_GARBAGE,     /* a read whose answer is not HTTP */
};

struct client_answer {
    uint64_t id;                 /* from client_start */
    uint64_t tag;                /* from the ask */
    enum client_outcome outcome; /* what became of it */
    int status;                  /* of the last answer; 0: there was none */
    struct slice body;           /* of that; borrowed until the next client_take or client_free */
    struct slice type;           /* content type of that; borrowed likewise */
    const char *why;             /* static; a clause, when the outcome is not CLIENT_ANSWERED */
    uint32_t node;               /* which one was asked last; CLIENT_ANY: none */
    uint32_t retries;            /* how often it was sent again */
};

struct client;

struct client *client_new(const struct client_options *options);
void client_free(struct client *client);

/* "host:port" or "[v6]:port". False: a clause is appended to why. *index is the node's number. */
bool client_add_node(struct client *client, const char *address, uint32_t *index, struct buf *why);
uint32_t client_node_count(const struct client *client);
const char *client_node_address(const struct client *client, uint32_t index);

/* Appends the escaped target of a key: "/kvs/…". */
void client_put_target(struct buf *out, struct slice key);

/* At least one node was added. Nothing is sent before client_poll. */
uint64_t client_start(struct client *client, const struct client_ask *ask);

/* Sends, receives, retries; returns when an answer can be taken, when a signal came, or after
 * timeout_ms. */
void client_poll(struct client *client, uint64_t timeout_ms);

/* The next answer, in the order they came; false: none is there. */
bool client_take(struct client *client, struct client_answer *answer);

/* Requests started and not yet taken. */
size_t client_under_way(const struct client *client);

/* Folds the tokens of a session into one by asking for the key (HEAD); blocks until that is done.
 * Nothing else is under way. False: some question was not answered, or *stop (which may be
 * NULL) was not zero; the session is as good as before. */
bool client_settle(struct client *client, struct client_session *session, struct slice key,
                   const volatile int *stop);

void client_check(const struct client *client);
