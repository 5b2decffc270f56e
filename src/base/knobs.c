/* knobs - the numbers that an operator may turn.
 *
 * Does:   see knobs.h.
 * Not:    -
 * Holds:  see knobs.def.
 * Limits: -
 * See:    knobs.def.
 */
#include "base/knobs.h"

#include <stddef.h>

static const struct knob_row rows[] = {
#define KNOB(name, env, normal, least, most, sim_least, sim_most, help)                            \
    {#name, #env, help, offsetof(struct knobs, name), normal, least, most, sim_least, sim_most},
#include "base/knobs.def"
#undef KNOB
};

void knobs_init(struct knobs *knobs)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        *knobs_field(knobs, &rows[i]) = rows[i].normal;
}

const struct knob_row *knobs_rows(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

uint64_t *knobs_field(struct knobs *knobs, const struct knob_row *row)
{
    return (uint64_t *)(void *)((char *)knobs + row->offset);
}
