/* budget - how much may go wrong, so that what is owed can be told from what is not.
 *
 * Does:   picks nodes that a fault may strike; says whether one may lose what it has.
 * Not:    striking: fault.h.
 * Holds:  U1 with `os` durability at most one node of a shard loses unsynced writes, fails on its
 *         disk, rots, loses its directory or gets an old one back (I5), unless the seed goes
 *         beyond the budget (swarm.h): then, in the last BUDGET_BEYOND_US of the faults, anything
 *         may be lost, and what was lost must have been told: nobody may still serve who had it.
 * Limits: a node that came back counts as whole again.
 * See:    docs/protocol.md I5, section 8.
 */
#pragma once

#include "sim/world.h"

#define BUDGET_BEYOND_US 10000000U

/* Any node. */
uint32_t budget_pick(struct world *world);

/* A node that serves, and whose shard has another one that does: or node_count. */
uint32_t budget_pick_spareable(struct world *world);

/* May this node lose what it has not synced, or all? Then it is the one of its shard, or the seed
 * is beyond its budget. */
bool budget_may_lose(const struct world *world, uint32_t index);

/* May the machine of this node lose its power? */
bool budget_may_lose_power(const struct world *world, uint32_t index);
