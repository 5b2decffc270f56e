/* order - causal order of a history.
 *
 * Does:   happened-before from the edges session order, reads-from and context taken over.
 * Not:    judging values (judge.h).
 * Holds:  C1 order_before(a, b) is exactly the transitive closure of the edges.
 * Limits: a chain is a session; memory: a clock (clock.h) for each operation that brought its
 *         session something new.
 * See:    Bouajjani, Enea, Guerraoui, Hamza, "On verifying causal consistency", 2017, section 3;
 *         Mattern, "Virtual time and global states of distributed systems", 1989.
 *
 * An operation of known outcome stands in the chain of its session, at a position. A write of
 * unknown outcome is a branch that its session does not know of: it is *loose*. Its past is that
 * of the operation before it, and it is in the past of what follows one of its readers.
 */
#pragma once

#include "check/clock.h"
#include "check/graph.h"

struct order {
    const struct history *history; /* borrowed */
    uint32_t *position;            /* by operation: its place in its chain, from 1; of a loose one
                                      its number among those, from 0; owned */
    uint32_t *row;                 /* by operation: its clock, of other chains alone; owned */
    struct clocks clocks;          /* rows */
    uint32_t *readers;             /* of loose writes: the first in each session, then OP_NONE;
                                      owned */
    uint32_t *first_reader;        /* by loose number: where they begin, one more than there are;
                                      owned */
    uint32_t *cycle;               /* causes that come round, or NULL; owned */
    uint32_t cycle_count;          /* in cycle; above 0, nothing may be asked */
};

/* Computes everything. */
void order_init(struct order *order, const struct history *history);
void order_fini(struct order *order);

/* True when a happened before b; false when a == b. */
bool order_before(const struct order *order, uint32_t a, uint32_t b);

/* How many operations of known outcome of a session happened before b: the first so many. */
uint32_t order_within(const struct order *order, uint32_t session, uint32_t b);

/* A chain of edges from a to b (a != b), both included, that changes sessions as seldom as any; the
 * caller frees *path. Returns its length, 0 when there is none. */
uint32_t order_path(const struct order *order, uint32_t a, uint32_t b, uint32_t **path);
