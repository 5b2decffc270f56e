/* past - what a client has seen, as the truth has it.
 *
 * Does:   for each key the greatest write in the causal past (least bound: what an answer must
 *         not fall behind), and for each actor the greatest seq that a context may name (most
 *         bound: what a replica may wait for), and the greatest that surely is in it. Shared and
 *         counted.
 * Not:    tokens: it is never made from them.
 * Holds:  A1 the past of a write is part of every past that the write is part of.
 * Limits: ORACLE_ACTORS_MAX.
 * See:    oracle.h.
 */
#pragma once

#include "sim/verdict.h"

/* Terms of members in one seed; more are a fault of the simulator. */
#define ORACLE_ACTORS_MAX 192U

struct past {
    uint32_t refs;                     /* owners */
    uint64_t seqs[ORACLE_ACTORS_MAX];  /* by actor: nothing above it is in the past */
    uint64_t musts[ORACLE_ACTORS_MAX]; /* by actor: the greatest that surely is in it */
    uint32_t tops[];                   /* by key: greatest write that surely is in it; 0 none */
};

struct past *past_new(uint32_t keys);
struct past *past_ref(struct past *past);
void past_unref(struct past *past); /* NULL is fine */
struct past *past_dup(const struct past *past, uint32_t keys);
void past_raise_seqs(struct past *past, const uint64_t seqs[ORACLE_ACTORS_MAX]);
void past_raise_musts(struct past *past, const uint64_t musts[ORACLE_ACTORS_MAX]);
