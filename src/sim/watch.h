/* watch - what can be seen of a node from outside, against what the truth knows.
 *
 * Does:   delivery in causal order (D1), causes kept until they are stable, also beside a tombstone
 *         (D2), clocks above those of their causes (H2) and near the wall (H3), stability never
 *         ahead of a member that serves (R4), no refusal for want of what is there (I3), no silence
 *         (Q1), no write unacknowledged for longer than SUSPECT_MS (A1), none past MAX_MEMORY or
 *         PENDING_BYTES (I8).
 * Not:    answers: oracle.c. States of all nodes together: judge.c.
 * Holds:  -
 * Limits: D1 looks at deliveries, not at what a walk brings: a walk ends with all of it at once.
 * See:    docs/protocol.md 3.3, 3.7, 4.2, 5; causal/hlc.h; replica/replica.h; node/request.h.
 */
#pragma once

#include "sim/client.h"

/* A node traced something, in the middle of a step. */
void watch_trace(struct world *world, struct sim_node *node, const struct trace_event *event);

/* A node is given a frame that has come on its connection. */
void watch_frame(struct world *world, struct sim_node *node, uint64_t conn, struct slice bytes);

/* How many shards and transits the node has a place in, one at least: limits hold for each. */
uint32_t watch_places(const struct sim_node *node);

/* A step of the node is over. */
void watch_step(struct world *world, struct sim_node *node);

/* A call was answered. */
void watch_answer(struct world *world, const struct call *call);

/* A client gives up a call that the node was given. */
void watch_silence(struct world *world, const struct call *call);

/* Now and then. */
void watch_sample(struct world *world);
