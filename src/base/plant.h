/* plant - planted bugs, in the PLANT build only.
 *
 * Does:   PLANTED(who, NAME) is true when the bug NAME was chosen at run time; a constant
 *         false in every other build, so that the compiler drops the branch. Bugs by their names.
 * Not:    in release binaries: tests/negative/run looks for the names.
 * Holds:  at most one bug is active in a run.
 * Limits: -
 * See:    plant.def.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

enum plant {
    PLANT_NONE = 0,
#ifdef THENCE_PLANT /* not even as names in the debugging information of anything else */
#define PLANT(name, what, caught_by) PLANT_##name,
#include "base/plant.def"
#undef PLANT
#endif
    PLANT_COUNT
};

/* PLANT_NONE for a name that is none, and in any build but PLANT. */
static inline enum plant plant_named(const char *name)
{
#ifdef THENCE_PLANT
#define PLANT(bug, what, caught_by)                                                                \
    if (strcmp(name, #bug) == 0)                                                                   \
        return PLANT_##bug;
#include "base/plant.def"
#undef PLANT
#endif
    (void)name;
    return PLANT_NONE;
}

#ifdef THENCE_PLANT
#define PLANTED(active, name) ((active) == PLANT_##name)
#else
#define PLANTED(active, name) ((void)(active), false)
#endif
