/* store - a few fake nodes over one small store, to run commands against.
 *
 * Does:   nodes that share keys and values, give out tokens, and fail as they are told to.
 * Not:    causality: tokens are counted, not understood.
 * Holds:  -
 * Limits: STORE_KEYS_MAX keys; values are JSON.
 * See:    store.c, unit/client/fake.h.
 */
#pragma once

#include "cli/cli.h"
#include "unit/client/fake.h"

#define STORE_NODES_MAX 4U
#define STORE_KEYS_MAX 4096U

struct store;

struct store_node {
    struct fake fake;    /* the server */
    struct store *store; /* that it serves */
    uint32_t index;      /* its number */
};

struct store_entry {
    struct buf key;     /* as it came in the target, escaped */
    struct buf value;   /* JSON */
    uint32_t writer;    /* the node of the last write */
    unsigned writes;    /* how many */
    bool read_at_other; /* some other node was asked for it */
};

struct store {
    pthread_mutex_t lock;                       /* the nodes are threads */
    struct store_node nodes[STORE_NODES_MAX];   /* running */
    uint32_t node_count;                        /* of these */
    struct store_entry entries[STORE_KEYS_MAX]; /* in the order of their first write */
    uint32_t entry_count;                       /* in use */
    unsigned requests;                          /* so far */
    unsigned refuse_every;                      /* every n-th request gets 503; 0: none */
    unsigned unknown_every;                     /* every n-th write: unknown; 0: none */
    fake_handler *other;                        /* for other paths than keys; arg is the node;
                                                   NULL: 404 */
    void *other_arg;                            /* for whoever it is */
    const char *typed;                          /* answers to questions, or NULL: no terminal */
    bool lies;                                  /* values are given back otherwise */
    volatile int *stop;                         /* set after stop_after requests, or NULL */
    unsigned stop_after;                        /* see stop */
};

void store_start(struct store *store, uint32_t node_count);
void store_fini(struct store *store);

/* The entry of a key (escaped), or NULL. */
struct store_entry *store_find(struct store *store, const char *key);

/* A command that was run. */
struct run {
    int status;     /* exit status */
    struct buf out; /* what it printed; NUL-terminated */
    struct buf err; /* likewise */
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs a command line against the nodes (argv[0] is left out; ends with NULL). */
void store_run(struct store *store, struct run *run, const char *const *words);
void run_fini(struct run *run);

/* Fails the test when that is not in the text. */
__attribute__((format(printf, 2, 3))) void says(const struct buf *text, const char *format, ...);
