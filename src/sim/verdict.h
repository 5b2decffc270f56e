/* verdict - what was found wrong in a run.
 *
 * Does:   keeps the first violation: which invariant, and a sentence a person can act on.
 * Not:    printing: main.c.
 * Holds:  J1 the first one stays.
 * Limits: VERDICT_TEXT_BYTES.
 * See:    docs/protocol.md section 2 for the names.
 */
#pragma once

#include "node/node.h"

#define VERDICT_TEXT_BYTES 1600U

struct verdict {
    bool bad;                      /* something is wrong */
    char invariant[8];             /* "I1" … "I9", "S3", "Y2" … */
    char text[VERDICT_TEXT_BYTES]; /* who, what, which key, expected, got */
};

/* Notes a violation, unless there is one already. */
__attribute__((format(printf, 3, 4))) void
verdict_say(struct verdict *verdict, const char *invariant, const char *format, ...);
