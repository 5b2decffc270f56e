/* mark - rare paths that long runs must have been on.
 *
 * Does:   counts how often a path of marks.def was taken; whoever runs many worlds adds up and sees
 *         which were never reached.
 * Not:    for operators: metrics.def. Nothing in the core reads a mark back.
 * Holds:  -
 * Limits: -
 * See:    marks.def; metrics.h, which they are part of; thence-sim --marks.
 */
#pragma once

#include <stdint.h>

enum mark {
#define MARK(name, what) MARK_##name,
#include "base/marks.def"
#undef MARK
    MARK_COUNT
};

struct marks {
    uint32_t hits[MARK_COUNT]; /* how often */
};

/* Static texts of a mark. */
const char *mark_name(enum mark mark);
const char *mark_sentence(enum mark mark);
