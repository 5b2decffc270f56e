/* people - what operators are told must be true.
 *
 * Does:   judges each answer to a change of the configuration in the step in which the node gives
 *         it: what is said to be done is so in that node's configuration; a refusal is one that the
 *         request may meet, and its reason holds (P1). No request is forgotten, or left unanswered
 *         (Q1). Says what is asked at rest, and what must come of it (P2, run.c).
 * Not:    asking while faults go on: fault_people.c, fault_recover.c. What becomes of the cluster.
 * Holds:  -
 * Limits: while faults go on "no majority" is believed of a node that has waited as long as it had
 *         to.
 * See:    docs/api.md section 3; docs/protocol.md 6.4, 6.6, 6.7; node/change.c.
 */
#pragma once

#include "sim/client.h"

/* An address that nobody has. */
#define PEOPLE_NOBODY "10.0.9.9:8090"

/* An operator waits longer than a node may take. */
#define PEOPLE_US_MAX 31000000U

/* A node traced something, in the middle of its step. */
void people_trace(struct world *world, const struct sim_node *node,
                  const struct trace_event *event);

/* An operator has waited in vain. */
void people_silence(struct world *world, const struct call *call);

/* Now and then. */
void people_sample(struct world *world);

/* No operator waits. */
bool people_are_answered(const struct world *world);

/* What is asked at rest: errand `number` for the node, and what its answer must be. False behind
 * the last one. */
struct errand {
    struct wish wish;     /* what */
    enum err err;         /* the answer: E_OK, or why not */
    enum outcome outcome; /* the answer */
};

bool people_errand(const struct world *world, uint32_t node, uint32_t number,
                   struct errand *errand);
