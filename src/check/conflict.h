/* conflict - reads that no single order of writes explains.
 *
 * Does:   CyclicCF: a write lies before another in conflict order when the second was returned
 *         by a read whose past contains the first; together with causal order this must have no
 *         cycle. Final reads count as reads whose past is everything acknowledged or seen.
 * Not:    histories with causal cycles or stale reads: those are found before.
 * Holds:  E1 a conflict is reported exactly when causal order and conflict order form a cycle.
 * Limits: memory: 12 bytes an edge; a write that was read has at most one from each session and
 *         loose write of its key, most are implied by causal order and not kept.
 * See:    Bouajjani et al. 2017, section 3.3 (causal convergence) and 5.3.
 */
#pragma once

#include "check/writes.h"

/* One operation of a cycle. */
struct link {
    uint32_t op; /* comes before the next one of the cycle, the last before the first */
    uint32_t by; /* the read that says so, history->count + i: final read i, or OP_NONE: op is a
                    cause of the next one */
};

/* A cycle, or 0; the caller frees *links. */
uint32_t conflict_find(const struct order *order, const struct writes *writes, struct link **links);
