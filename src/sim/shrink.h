/* shrink - a smaller world in which the same thing goes wrong.
 *
 * Does:   tries scopes: fewer nodes and shards, less time, fewer operations, faults left out by
 *         halves, quarters and single ones, fewer clients; keeps what still breaks the same thing.
 * Not:    running worlds: whoever calls does, each in a process of its own (main.c), because a
 *         world may end in an assertion.
 * Holds:  K1 what it ends with was tried, and broke. K2 the same failure is shrunk the same way.
 * Limits: SHRINK_RUNS_MAX worlds.
 * See:    Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", 2002; scope.h.
 */
#pragma once

#include "sim/scope.h"

#define SHRINK_RUNS_MAX 250U

/* What a world was like that broke. */
struct shrink_seen {
    uint64_t begun;      /* operations */
    uint64_t fault_last; /* number of the last fault that was due */
    uint64_t ms;         /* virtual milliseconds */
    uint32_t nodes;      /* in use */
    uint32_t shards;     /* in use */
    uint32_t sessions;   /* in use */
};

/* Runs a world; true when the same thing is broken there, then *seen is filled. */
typedef bool (*shrink_try)(void *arg, const struct scope *scope, struct shrink_seen *seen);

struct shrink {
    shrink_try try;          /* see there */
    void *arg;               /* for try */
    FILE *out;               /* progress; NULL: nowhere */
    uint32_t runs;           /* worlds so far */
    struct scope scope;      /* the smallest that broke */
    struct shrink_seen seen; /* what it was like */
};

/* From scope on; false when not even that breaks. */
bool shrink_run(struct shrink *shrink);
