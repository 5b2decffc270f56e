/* decide - nothing counts as decided that was not.
 *
 * Does:   knows from the logs which acceptor promised and accepted what; says V3 when somebody asks
 *         others to accept without the promises of a quorum, and when a log takes a configuration
 *         over that no quorum has accepted under one ballot.
 * Not:    whether one acceptor keeps its word: promise.h. Whether two decisions agree: epoch.h.
 * Holds:  -
 * Limits: once a node wants to fork from an epoch by itself, what follows it in the old history may
 *         have been decided by those whom only that node knows: that is not judged.
 * See:    docs/protocol.md 6.1, 6.2, 6.6; cluster/register.h G1, G3.
 */
#pragma once

#include "sim/oracle.h"

/* A state of the register stands in the log of a node. */
void decide_logged(struct oracle *oracle, uint32_t node, struct slice body);

/* A node wants a new history from this epoch on. */
void decide_fork(struct oracle *oracle, uint64_t epoch);

/* A node sends this frame. */
void decide_frame(struct oracle *oracle, uint32_t node, const struct frame *frame);

/* A log, the first of all, has this configuration; those before it are in oracle->epochs. */
void decide_adopted(struct oracle *oracle, uint32_t node, const struct config *config,
                    struct slice body);
