/* epoch - what may be said under a configuration, and to whom.
 *
 * Does:   nothing that a member makes under an epoch leaves before its log has the adoption,
 *         synced (I6, T36), nor on a connection over which that configuration has not gone (V1,
 *         T2).
 * Not:    which configuration it is.
 * Holds:  -
 * Limits: frames that carry data: strangers and nodes in doubt speak under an epoch that they do
 *         not keep.
 * See:    docs/protocol.md 3.2, 6.1.
 */
#pragma once

#include "sim/world.h"

/* A node sends this on a connection. */
void epoch_frame(struct world *world, const struct sim_node *node, uint64_t conn,
                 const struct frame *frame);
