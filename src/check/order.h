/* order - causal order of a history.
 *
 * Does:   happened-before from the edges session order, reads-from and context taken over: a
 *         topological order (or the cycle that forbids one), and a vector clock for each
 *         operation that later questions need.
 * Not:    judging values (judge.h).
 * Holds:  C1 order__before(a, b) is exactly the transitive closure of the edges.
 * Limits: memory: clocks take 4 bytes times kept operations times chains. A chain is a session, or
 *         one observed write of unknown outcome.
 * See:    Bouajjani, Enea, Guerraoui, Hamza, "On verifying causal consistency", 2017, section 3;
 *         Mattern, "Virtual time and global states of distributed systems", 1989.
 */
#pragma once

#include "check/history.h"

struct order {
    const struct history *history; /* borrowed */
    uint32_t chains;               /* sessions and observed unknown writes */
    uint32_t *chain;               /* by operation: its chain, or OP_NONE; owned */
    uint32_t *position;            /* by operation: its place in its chain, from 1; owned */
    uint32_t **clock;              /* by operation: its vector clock, chains wide, or NULL; owned */
    uint32_t *sorted;              /* operations, causes first; owned */
    uint32_t sorted_count;         /* fewer than there are operations when there is a cycle */
};

/* Computes everything. */
void order_init(struct order *order, const struct history *history);
void order_fini(struct order *order);

/* True when a happened before b (a != b). Both must be kept: writes, deletes, reads of nothing
 * and operations whose context was taken over have clocks. */
bool order_before(const struct order *order, uint32_t a, uint32_t b);

/* The shortest chain of edges from a to b, both included; the caller frees *path. Returns its
 * length, 0 when there is none. With a == b: the shortest cycle through a. */
uint32_t order_path(const struct order *order, uint32_t a, uint32_t b, uint32_t **path);

/* The operations that op stands on directly: returns how many (at most 3). */
uint32_t order_causes(const struct history *history, uint32_t op, uint32_t causes[3]);
