/* judge - is this history what a causally consistent, converging store may show?
 *
 * Does:   finds every broken promise of these kinds, with a witness:
 *         thin air       a read returned a value that nobody wrote to that key
 *         future         a read ended before the write that it returned was begun
 *         causal cycle   an operation is among its own causes
 *         stale read     a read returned a value (or nothing) although its past contains a write
 *                        that came causally after it; named by the session guarantee
 *                        that it breaks (RYW, MR, MW, WFR)
 *         conflict cycle no single order of writes explains what was read (CyclicCF)
 *         divergence     replicas differ in their final reads
 *         lost write     an acknowledged write came causally after every possible final value
 * Not:    staleness in real time: a store may be causally consistent and late.
 * Holds:  a final read is taken as a read of somebody who has seen everything that was acknowledged
 *         or read. J1 no false alarm: with a finding, causal convergence (CCv) does not hold, or
 *         only if some read returned what was begun after it had ended. J2 on histories without
 *         deletes, CCv holds when nothing is found (differentiated histories: every value is
 *         written once).
 * Limits: FINDINGS_MAX findings are kept; after COUNTED_MAX no more reads are judged. Of conflict
 *         cycles one is looked for, and only where nothing else is wrong.
 * See:    Bouajjani, Enea, Guerraoui, Hamza, "On verifying causal consistency", POPL 2017, section
 *         5 (bad patterns); Terry et al., "Session guarantees for weakly consistent replicated
 *         data", 1994; README.md in this folder.
 */
#pragma once

#include "check/conflict.h"

enum pattern {
    PATTERN_THIN_AIR,        /* ThinAirRead */
    PATTERN_FUTURE,          /* ThinAirRead, in time */
    PATTERN_CYCLE,           /* CyclicCO */
    PATTERN_READ_OWN,        /* stale read: read-your-writes */
    PATTERN_MONOTONIC_READ,  /* stale read: monotonic reads */
    PATTERN_MONOTONIC_WRITE, /* stale read: monotonic writes */
    PATTERN_FOLLOW_READ,     /* stale read: writes-follow-reads */
    PATTERN_CONFLICT,        /* CyclicCF */
    PATTERN_DIVERGED,        /* convergence */
    PATTERN_LOST,            /* durability */
    PATTERN_COUNT
};

#define FINDINGS_MAX 64U
#define COUNTED_MAX 1000U

/* Operations are numbers of history->ops, OP_NONE where the pattern has no such role; final reads
 * are numbers of history->finals, FINAL_NONE likewise. */
#define FINAL_NONE UINT32_MAX

struct finding {
    enum pattern pattern; /* which */
    uint32_t read;        /* the read that shows it */
    uint32_t old;         /* the write that was returned; OP_NONE: nothing was */
    uint32_t young;       /* the write that hides it, or that is lost */
    uint32_t final_a;     /* thin air, lost, diverged: a final read that shows it */
    uint32_t final_b;     /* diverged: another */
};

struct verdict {
    uint64_t counts[PATTERN_COUNT];        /* all that were found */
    struct finding findings[FINDINGS_MAX]; /* the first ones */
    uint32_t finding_count;                /* kept */
    struct link *cycle;                    /* of the causal or conflict cycle; owned */
    uint32_t cycle_count;                  /* in cycle */
    uint32_t unread;                       /* keys with writes, but without a final read */
};

/* Judges the history of the order. */
void judge(const struct order *order, struct verdict *verdict);

void verdict_fini(struct verdict *verdict);

uint64_t verdict_total(const struct verdict *verdict);

/* The name of a pattern, static. */
const char *pattern_name(enum pattern pattern);

/* Appends a finding, by number, as a story: who wrote what, who saw what when, and a chain of
 * causes. */
void verdict_tell(const struct verdict *verdict, const struct order *order, uint32_t finding,
                  struct buf *out);
