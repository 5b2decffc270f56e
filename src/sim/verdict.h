/* verdict - what was found wrong in a run.
 *
 * Does:   keeps the first violation: which invariant, of what kind, and a sentence a person can act
 *         on; the exit status of each kind.
 * Not:    printing: main.c.
 * Holds:  J1 the first one stays.
 * Limits: VERDICT_TEXT_BYTES.
 * See:    docs/protocol.md section 2 for the names.
 */
#pragma once

#include "node/node.h"

#define VERDICT_TEXT_BYTES 1600U

/* Also the exit status of thence-sim, of the worst that it found. */
enum verdict_kind {
    VERDICT_GOOD = 0,     /* nothing is wrong */
    VERDICT_SAFETY = 1,   /* something happened that must never happen */
    VERDICT_USAGE = 2,    /* bad options: no verdict at all */
    VERDICT_LIVENESS = 3, /* something that must come about did not, in the time it may take */
    VERDICT_CRASH = 4,    /* an assertion of the core: a bug that the core itself found */
    VERDICT_LITTLE = 5,   /* nothing is wrong, and too little happened to believe it */
};

struct verdict {
    bool bad;                      /* something is wrong */
    bool blind;                    /* nothing ever is */
    bool late;                     /* and that is only that it did not come about in time */
    char invariant[8];             /* "I1" … "I9", "S3", "Y2" … */
    char text[VERDICT_TEXT_BYTES]; /* who, what, which key, expected, got */
};

/* Notes a violation, unless there is one already. */
__attribute__((format(printf, 3, 4))) void
verdict_say(struct verdict *verdict, const char *invariant, const char *format, ...);

/* The same, for something that should have come about by now. */
__attribute__((format(printf, 3, 4))) void
verdict_late(struct verdict *verdict, const char *invariant, const char *format, ...);

/* Of what kind it is. */
enum verdict_kind verdict_kind(const struct verdict *verdict);

/* A word for it: "safety", "liveness" … */
const char *verdict_word(enum verdict_kind kind);

/* The worse of two: a crash, then safety, then liveness, then too little. */
enum verdict_kind verdict_worse(enum verdict_kind a, enum verdict_kind b);
