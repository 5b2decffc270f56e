/* plant - planted bugs, in the PLANT build only.
 *
 * Does:   PLANTED(who, NAME) is true when the bug NAME was chosen at run time; a constant
 *         false in every other build, so that the compiler drops the branch.
 * Not:    in release binaries: tests/negative/run looks for the names.
 * Holds:  at most one bug is active in a run.
 * Limits: -
 * See:    plant.def.
 */
#pragma once

#include <stdbool.h>

enum plant {
    PLANT_NONE = 0,
#ifdef THENCE_PLANT /* not even as names in the debugging information of anything else */
#define PLANT(name, what, caught_by) PLANT_##name,
#include "base/plant.def"
#undef PLANT
#endif
    PLANT_COUNT
};

#ifdef THENCE_PLANT
#define PLANTED(active, name) ((active) == PLANT_##name)
#else
#define PLANTED(active, name) ((void)(active), false)
#endif
