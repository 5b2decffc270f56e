/* toy - a small store that keeps its promises, or not, and clients of it.
 *
 * Does:   replicas with version vectors, dependencies and last writer wins; sessions that wander
 *         between them with their contexts; writes down what the sessions did and saw. With lies
 *         it forgets now and then to wait for what it lacks.
 * Not:    a model of the product: it shares nothing with it.
 * Holds:  without lies a history is causally convergent.
 * Limits: TOY_REPLICAS replicas; memory for all versions.
 * See:    naive.h, test_random.c, test_speed.c.
 */
#pragma once

#include "check/check.h"

#define TOY_REPLICAS 4U

struct toy_options {
    uint32_t replicas; /* at most TOY_REPLICAS */
    uint32_t sessions; /* clients */
    uint32_t keys;     /* that they use */
    uint32_t ops;      /* lines, final reads aside */
    uint32_t reads;    /* of 100 operations */
    uint32_t deletes;  /* likewise */
    uint32_t takes;    /* likewise; the rest are writes */
    uint32_t unknowns; /* of 100 writes and deletes */
    uint32_t carries;  /* of 100 steps: a version goes to another replica */
    uint32_t lies;     /* of 1000 chances to lie */
    bool timeless;     /* all times are 0 */
};

/* One line. */
struct toy_line {
    char kind;        /* w, d, r, c, f */
    char fate;        /* o, n, u */
    uint32_t session; /* or replica of a final read */
    uint32_t key;     /* or other session of a c */
    uint32_t value;   /* 0: nothing; of a c: COUNT */
    uint32_t time;    /* in tens of microseconds */
};

struct toy_history {
    struct toy_line *lines; /* owned */
    uint32_t count;         /* in use */
    uint32_t cap;           /* allocated */
    uint32_t values;        /* 1 … values are used */
};

void toy_run(const struct toy_options *options, struct rng *rng, struct toy_history *history);
void toy_history_fini(struct toy_history *history);

/* One line of text, with its newline. */
void toy_line_write(const struct toy_line *line, bool timeless, struct buf *text);
