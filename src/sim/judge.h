/* judge - what must be true of all nodes together.
 *
 * Does:   while faults go on: limits (I8), replicas with the same coverage hold the same (I4),
 *         nobody refuses without cause (I9), nobody spins (S1). At the end: convergence, nothing
 *         acknowledged lost (I5), deletes stay deleted (I4), tokens at rest are empty (I7), counts.
 * Not:    single answers: oracle.h.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md section 2.
 */
#pragma once

#include "sim/world.h"

/* A step of the node was made: is it away, or back? A node is away while it asks for a place or
 * fills up (6.3); then a fault must explain it. */
void judge_phase(struct world *world, struct sim_node *node);

/* An event of WORLD_SAMPLE: looks, and schedules the next look. */
void judge_sample(struct world *world);

/* True when all members that are not lost serve, and those of each shard cover the same; else
 * why[] says what is missing. */
bool judge_converged(const struct world *world, char why[256]);

/* True when all members that are not lost serve, each believes in all others, and the network has
 * brought what it held back; later: when each
 * also knows everything to be stable that anybody covers, so that tokens are empty. */
bool judge_settled(const struct world *world);
bool judge_stable(const struct world *world);

/* What the replicas hold, against the truth. After convergence. */
void judge_tables(struct world *world);

/* Nobody waits for anything any more, and logs are as short as they should be (I8). At rest: that
 * may take a checkpoint. */
bool judge_is_idle(const struct world *world);
void judge_idle(struct world *world);

/* The entries of a token as its lineage's key opens it; UINT32_MAX when it does not open. */
uint32_t judge_token_entries(const struct world *world, struct slice text);

/* The configuration with the greatest epoch that any running node knows; NULL: nobody knows any. */
const struct config *judge_newest_known(const struct world *world);

/* True when no running node is listed in the newest configuration that anybody knows: all have lost
 * their memory, or do not trust it. Then only people can go on (docs/protocol.md 6.6). */
bool judge_nobody_remembers(const struct world *world);

/* True when some node does not serve for now. */
bool judge_somebody_away(const struct world *world);

/* A key count as the table of any serving member of the shard has it. */
uint64_t judge_count(const struct world *world, uint32_t shard);
