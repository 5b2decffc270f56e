/* epoch - configurations: there is one of each epoch, and it goes before what is said under it.
 *
 * Does:   two logs never have two configurations of one epoch, nor two first ones (V2); nothing
 *         that a member makes under an epoch leaves before its log has the adoption, synced (I6,
 *         T36), nor on a connection over which that configuration has not gone (V1, T2).
 * Not:    whether a configuration is a good one: placement/.
 * Holds:  -
 * Limits: frames that carry data: strangers and nodes in doubt speak under an epoch that they do
 *         not keep.
 * See:    docs/protocol.md 3.2, 6.1, 6.2.
 */
#pragma once

#include "sim/world.h"

/* A log has this configuration, up to end of segment. */
void epoch_logged(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t end,
                  struct slice body);

/* When a configuration of this epoch was first in a log; 0: never. */
uint64_t epoch_time(const struct oracle *oracle, uint64_t epoch);

/* A node sends this on a connection. */
void epoch_frame(struct world *world, const struct sim_node *node, uint64_t conn,
                 const struct frame *frame);
