/* promise - what a node has told others must stay true, whatever happens to its process.
 *
 * Does:   remembers what frames said: what was receipted, which clock was announced, what the
 *         register promised; says I6 when a later frame or log record takes it back, or when a
 *         promise of the register leaves before it is synced.
 * Not:    whether a receipt rests on a log: oracle_bytes.c.
 * Holds:  -
 * Limits: a node whose log a fault has changed begins anew (oracle_forget), as does one that takes
 *         another node id: promises bind an identity, receipts and clocks a term (6.3).
 * See:    docs/protocol.md I6, sections 3.7, 4.1, 4.5, 6.1 (T10, T14, T28).
 */
#pragma once

#include "sim/past.h"

/* A place in one instance of the register. */
struct hballot {
    uint64_t round; /* 0: none */
    uint64_t node;  /* whose */
};

#define PROMISE_LOGGED 256U

struct hregister {
    uint64_t instance;       /* which; 0: none */
    struct hballot promised; /* the greatest */
    struct hballot accepted; /* the greatest */
    uint64_t segment;        /* of the record */
    uint64_t end;            /* where it ends there */
};

/* Of one node in one of its terms. */
struct hpromises {
    uint32_t actor;                        /* the term; 0: none yet */
    uint64_t used;                         /* when it last reported, by a count of reports */
    uint64_t epoch;                        /* which it knew then */
    uint64_t cover[ORACLE_ACTORS_MAX];     /* last reported coverage */
    struct range range[ORACLE_ACTORS_MAX]; /* last reported above it; low 0: none */
    uint64_t clock_seq;                    /* own writes above it ... */
    uint64_t clock;                        /* ... are above this */
};

/* Terms of one node that go on at the same time: in its shard and in transits. */
#define PROMISE_TERMS_MAX 6U

/* Of one node. */
struct hsworn {
    uint64_t reports;                          /* so far */
    struct hpromises terms[PROMISE_TERMS_MAX]; /* the latest */
    uint64_t logged_count;                     /* states of the register in the log, so far */
    struct hregister logged[PROMISE_LOGGED];   /* the last of them, in turn */
    struct hregister sworn;                    /* as frames said, under this node id */
};

struct oracle;

/* A report leaves the node, in a frame of this epoch. */
void promise_report(struct oracle *oracle, uint32_t node, uint64_t epoch,
                    const struct msg_report *report);

/* A write of the node was seen for the first time. */
void promise_written(struct oracle *oracle, uint32_t node, const struct version *version);

/* The node has committed a state of the register. */
void promise_logged(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t end,
                    struct slice body);

/* A frame of the register leaves the node. */
void promise_register(struct oracle *oracle, uint32_t node, const struct frame *frame);
