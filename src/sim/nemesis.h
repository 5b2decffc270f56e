/* nemesis - what goes wrong, and when.
 *
 * Does:   fires the faults that the swarm allows, mends them after a while, and everything at the
 *         end; asks nodes that it has cut off for an answer (I3).
 * Not:    how a fault works: vnet, vdisk, proc.
 * Holds:  U1 faults stay within what the protocol answers for (I5): with `os` durability at most
 *         one node of a shard loses unsynced writes, fails on its disk or rots in a run.
 *         U2 each fault ends.
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
