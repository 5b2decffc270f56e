/* naive - the bad patterns by definition, for small histories.
 *
 * Does:   transitive closure by Floyd and Warshall, then every pattern word by word; and causal
 *         convergence itself, by trying all orders of the writes. The second implementation that
 *         judge.c is held against; it shares the parser with it and nothing else.
 * Not:    fast.
 * Holds:  -
 * Limits: NAIVE_OPS operations; naive_converges: NAIVE_WRITES writes.
 * See:    Bouajjani et al. 2017, definitions 3.3 (CCv) and section 5.
 */
#pragma once

#include "check/check.h"

#define NAIVE_OPS 40U
#define NAIVE_WRITES 7U

struct naive {
    const struct history *history;     /* borrowed */
    bool before[NAIVE_OPS][NAIVE_OPS]; /* causal order, closed */
    bool exists[NAIVE_OPS];            /* known, or unknown and read by somebody */
    uint32_t source[NAIVE_OPS];        /* by read: the write, or OP_NONE */
    uint32_t cycles;                   /* 0 or 1 */
    uint32_t thin_air;                 /* of these: how many reads and final reads */
    uint32_t future;                   /* ended before their write was begun */
    uint32_t stale;                    /* missed something */
    uint32_t lost;                     /* final reads of which something is gone */
    uint32_t diverged;                 /* final reads unlike the first of their key */
    uint32_t conflicts;                /* 0 or 1 */
};

void naive_judge(struct naive *naive, const struct history *history);

/* The write that a final read shows, or OP_NONE. */
uint32_t naive_final_source(const struct naive *naive, uint32_t final);

/* What the definitions call session guarantees: which one a read breaks that misses young. */
enum pattern naive_guarantee(const struct naive *naive, uint32_t read, uint32_t young);

/* How many writes there are to put in order. */
uint32_t naive_writes(const struct history *history);

/* Is there a causal order and an order of all writes in which each read returns the last write to
 * its key in its past, final reads included (their past is all), and none
 * ends before what it returns was begun? Deletes are tried in all ways. */
bool naive_converges(const struct history *history);
