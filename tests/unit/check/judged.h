/* judged - a history from text, with its order and its verdict.
 *
 * Does:   reads lines, or short steps, and judges; a fixture of the tests of check/.
 * Not:    comparing.
 * Holds:  -
 * Limits: -
 * See:    src/check/history.h.
 */
#pragma once

#include "check/check.h"

struct judged {
    struct history history; /* parsed */
    struct order order;     /* of it */
    struct verdict verdict; /* on it */
};

/* Lines with newlines between them. All must be good: asserted. */
void judged_init(struct judged *judged, struct slice lines);
void judged_fini(struct judged *judged);

/* Feeds lines; false: see history_line, history_end. */
bool judged_read(struct history *history, struct slice lines, uint32_t *where, const char **why);

/* Steps with semicolons between them become lines: `w a x 1`, `d a x d1 unknown`, `r b x -`,
 * `c b a`, `c b a 2`, `f n x 1`. Times count up; a fate that is not given is ok. */
void judged_steps(const char *steps, struct buf *lines);
