/* nemesis - what goes wrong, and when.
 *
 * Does:   fires the faults that the swarm allows, by their weights, mends them after a while, and
 *         everything at the end; has copies of data directories made, for later.
 * Not:    what a fault does: fault.h. How much may be lost: budget.h.
 * Holds:  U1 (budget.h), U2 (fault.h).
 * Limits: -
 * See:    docs/protocol.md section 8.
 */
#pragma once

#include "sim/world.h"

void nemesis_begin(struct world *world);

/* An event of WORLD_FAULT or WORLD_MEND. */
void nemesis_event(struct world *world, const struct vevent *event);

/* Everything is mended; no more faults. */
void nemesis_heal(struct world *world);
