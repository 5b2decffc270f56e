/* conflict - reads that no single order of writes explains.
 *
 * Does:   CyclicCF: a write lies before another in conflict order when the second was returned
 *         by a read whose past contains the first; together with causal order this must have no
 *         cycle.
 * Not:    histories with causal cycles or stale reads: those are found before.
 * Holds:  E1 a conflict is reported exactly when causal order and conflict order form a cycle.
 * Limits: memory: 8 bytes an edge, an edge a read and chain at most.
 * See:    Bouajjani et al. 2017, section 3.3 (causal convergence) and 5.3.
 */
#pragma once

#include "check/writes.h"

struct conflict {
    uint32_t read;  /* it returned young */
    uint32_t old;   /* in its past, so before young; yet the rest of the cycle says after */
    uint32_t young; /* what it returned */
};

bool conflict_find(const struct order *order, const struct writes *writes,
                   struct conflict *conflict);
