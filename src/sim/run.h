/* run - one seed from its first start to its verdict.
 *
 * Does:   the phases: first start, faults, mending, service, rest, convergence, the last look.
 * Not:    many seeds: main.c.
 * Holds:  -
 * Limits: RUN_OPS_LEAST operations, RUN_FAULTS_LEAST faults,
 *         RUN_ANSWERED_LEAST per cent, RUN_US_LEAST: less is "too little happened", a failure.
 * See:    docs/protocol.md section 8.
 */
#pragma once

#include "sim/scope.h"
#include "sim/world.h"

#define RUN_OPS_LEAST 2000U
#define RUN_FAULTS_LEAST 5U
#define RUN_ANSWERED_LEAST 80U
#define RUN_US_LEAST 60000000U

/* What is to be run, and how. */
struct run_order {
    uint64_t seed;        /* which world */
    enum plant plant;     /* planted bug (PLANT build) */
    FILE *story;          /* where its lines go; NULL: nowhere */
    FILE *history;        /* where what clients saw goes; NULL: nowhere */
    bool blind;           /* the judges of the world say nothing */
    struct scope scope;   /* how much of it */
    struct world **world; /* set to the world as long as there is one; NULL: not wanted */
};

struct run_result {
    struct verdict verdict;       /* what was found */
    uint64_t hash;                /* of all that happened */
    uint64_t steps;               /* node steps */
    uint64_t begun;               /* operations of clients */
    uint64_t ops;                 /* of them, finished, and owed an answer */
    uint64_t answered;            /* of them, without 5xx and time-outs */
    uint64_t unknowns;            /* of them, with an unknown outcome */
    uint64_t timeouts;            /* requests given up */
    uint64_t retries;             /* requests beyond the first of an operation */
    uint64_t errors[64];          /* answers by number of their error */
    uint64_t faults[FAULT_COUNT]; /* fired, by kind */
    uint64_t fault_last;          /* number of the last fault that was due */
    uint32_t sessions;            /* clients */
    uint64_t virtual_us;          /* how long it lasted */
    uint32_t nodes;               /* cluster size */
    uint32_t shards;              /* shards */
    uint64_t writes;              /* dots that were committed */
    uint64_t purged;              /* tombstones, by nodes that still run */
    uint64_t walks;               /* tail walks, by nodes that still run */
    uint64_t parked;              /* requests that waited, by nodes that still run */
    uint64_t marks[MARK_COUNT];   /* how often each was reached */
};

/* How far a world has come: also in the middle of a step that ends the process. */
void run_result_of(struct world *world, struct run_result *result);

void run_seed(const struct run_order *order, struct run_result *result);
