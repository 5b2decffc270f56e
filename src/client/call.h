/* call - one request on its way, from client_start to client_take.
 *
 * Does:   what was asked for, where it is now, what became of it; its bytes.
 * Not:    deciding: client.c. Sockets: link.c.
 * Holds:  K1 sent <= head.len + body.len, and is 0 off a link. K2 a call is in exactly one list.
 * Limits: -
 * See:    client.h.
 */
#pragma once

#include "client/client.h"

#include <sys/queue.h>

struct call {
    TAILQ_ENTRY(call) entry;        /* in the list of ready, paused or done ones, or of a link */
    uint64_t id;                    /* from client_start */
    uint64_t tag;                   /* of the asker */
    enum client_verb verb;          /* what */
    struct buf target;              /* escaped path */
    struct buf body;                /* of a PUT or a DELETE */
    struct buf type;                /* content type of that */
    struct buf accept;              /* Accept */
    struct client_session *session; /* or NULL */
    struct client_cargo cargo;      /* what it carries while it is under way */
    uint32_t node;                  /* to be asked next, or being asked */
    uint32_t avoid;                 /* not that one; or CLIENT_ANY */
    bool pinned;                    /* only `node` */
    uint32_t copies;                /* Prefer: copies */
    bool async;                     /* Prefer: respond-async */
    uint64_t wait_ms;               /* Prefer: wait; UINT64_MAX: say nothing */
    uint32_t retries;               /* so far */
    uint64_t due_ms;                /* paused: ready then; on a link: given up then */
    struct buf head;                /* request line and headers as sent */
    size_t sent;                    /* bytes of head and body handed to the kernel */
    enum client_outcome outcome;    /* done: what became of it */
    const char *why;                /* done: a clause, or NULL */
    int status;                     /* of the last answer, or 0 */
    struct buf answer;              /* its body */
    struct buf answer_type;         /* its content type */
};

TAILQ_HEAD(call_list, call);

struct call *client__call_new(const struct client_ask *ask);
void client__call_free(struct call *call);

static inline bool client__call_writes(const struct call *call)
{
    return call->verb == CLIENT_PUT || call->verb == CLIENT_DELETE;
}

static inline size_t client__call_bytes(const struct call *call)
{
    return call->head.len + call->body.len;
}

/* A node may have the whole of it. */
static inline bool client__call_is_sent(const struct call *call)
{
    return call->head.len > 0 && call->sent == client__call_bytes(call);
}

/* Loads the session's tokens and writes the head; sent is 0. */
void client__call_render(struct call *call, const char *host);
