/* history - what clients did and saw, as lines that another program judges.
 *
 * Does:   writes each finished call in the format of src/check/README.md: thence-check knows no
 *         tokens and no nodes, so that it says from outside what the oracle says from inside.
 * Not:    judging. Attempts that surely had no effect and reads that were refused: no line.
 * Holds:  A1 a chain (a session of that format) goes on only with a call that brought the token of
 *         its last one. A call that brought an older token, or none, begins another chain, and
 *         takes over what its tokens stand for. A2 a token is (chain, how many of its lines).
 * Limits: memory: four bytes a chain.
 * See:    src/check/README.md "The format"; tests/sim/histories.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct call; /* client.h */

/* What a token stands for: the first so many lines of a chain. */
struct origin {
    uint32_t chain; /* number, from 1; 0: of none */
    uint32_t lines; /* see above */
};

struct history {
    FILE *out;            /* where lines go; NULL: nowhere, and nothing is counted */
    uint32_t *lines;      /* owned; of each chain so far */
    uint32_t chain_count; /* in use, 0 included */
    uint32_t chain_cap;   /* allocated */
};

void history_fini(struct history *history);

/* A call is over, now. *chain is where its client stands, 0 for nowhere yet; it moves. Returns what
 * the token of the answer stands for. */
struct origin history_call(struct history *history, const struct call *call, uint64_t now_us,
                           uint32_t *chain);

/* What a replica has at the end; write 0: nothing. */
void history_final(struct history *history, uint32_t node, uint32_t key, uint32_t write);
