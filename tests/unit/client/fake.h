/* fake - a node that does what a script says, for tests of clients.
 *
 * Does:   listens on a free port of the loopback in a thread of its own, takes requests apart, and
 *         answers each by the next step of its script, then by its handler.
 * Not:    Thence: it knows nothing of keys and tokens but what the handler does.
 * Holds:  -
 * Limits: requests are recorded up to FAKE_SEEN_MAX.
 * See:    fake.c.
 */
#pragma once

#include "base/base.h"

#include <pthread.h>

#define FAKE_SEEN_MAX 4096U

struct fake_request {
    struct slice method;  /* "PUT" */
    struct slice target;  /* "/kvs/a" */
    struct slice context; /* value of Causal-Context, or empty */
    struct slice body;    /* as it came */
};

enum fake_what {
    FAKE_END = 0, /* no more steps: the handler answers */
    FAKE_ANSWER,  /* text */
    FAKE_DRIBBLE, /* text, a byte at a time */
    FAKE_CUT,     /* text (it may be none, or half an answer), then the connection ends */
    FAKE_SILENT,  /* nothing, and the connection stays */
};

struct fake_step {
    enum fake_what what; /* what to do */
    const char *text;    /* bytes of the answer, or NULL */
};

/* Appends a whole answer to out; runs in the thread of the server. */
typedef void fake_handler(void *arg, const struct fake_request *request, struct buf *out);

struct fake {
    int listen_fd;                 /* of the port */
    int stop_fds[2];               /* a pipe: closing the writing side ends the thread */
    char address[32];              /* "127.0.0.1:port" */
    const struct fake_step *steps; /* ends with FAKE_END; may be NULL */
    size_t step;                   /* the next one */
    fake_handler *handler;         /* after the script; NULL: 200 {} */
    void *arg;                     /* for handler */
    size_t requests;               /* so far; read after fake_stop */
    size_t connections;            /* so far; read after fake_stop */
    char *seen[FAKE_SEEN_MAX];     /* "METHOD target context"; read after fake_stop */
    pthread_t thread;              /* the server */
};

void fake_start(struct fake *fake, const struct fake_step *steps, fake_handler *handler, void *arg);
void fake_stop(struct fake *fake); /* what it counted and saw stays readable */
void fake_fini(struct fake *fake);

/* "HTTP/1.1 <status> X" with a body, and a Causal-Context unless it is NULL. */
void fake_put_answer(struct buf *out, int status, const char *context, struct slice body);

/* An address on which nobody listens: a port that was free a moment ago. */
void fake_nobody(char address[32]);
