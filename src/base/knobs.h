/* knobs - the numbers that an operator may turn.
 *
 * Does:   a struct with one field for each row of knobs.def, the defaults, and the rows as a
 *         table for option parsing and simulation.
 * Not:    parsing (server/options.h).
 * Holds:  see knobs.def.
 * Limits: -
 * See:    knobs.def.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct knobs {
#define KNOB(name, env, normal, least, most, sim_least, sim_most, help) uint64_t name;
#include "base/knobs.def"
#undef KNOB
};

struct knob_row {
    const char *name;   /* field name; the option is the same with dashes */
    const char *env;    /* environment variable */
    const char *help;   /* a clause for --help */
    size_t offset;      /* of the field in struct knobs */
    uint64_t normal;    /* default */
    uint64_t least;     /* range for operators */
    uint64_t most;      /* range for operators */
    uint64_t sim_least; /* range for simulations */
    uint64_t sim_most;  /* range for simulations */
};

void knobs_init(struct knobs *knobs); /* the defaults */

/* All rows; *count is how many. Static. */
const struct knob_row *knobs_rows(size_t *count);
uint64_t *knobs_field(struct knobs *knobs, const struct knob_row *row);
