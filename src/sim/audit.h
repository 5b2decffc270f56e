/* audit - what must be true inside a node, looked at after every step.
 *
 * Does:   the checks of all modules that a step touched (x_check), of everything every
 *         AUDIT_STEPS steps of a node; coverage claims what is held (R1), for each write as soon as
 *         it is covered; nothing is taken for stable that a responsible member never covered (R4);
 *         tokens name all that is not stable and that their holder surely has seen (I1), nothing
 *         that it cannot have seen and nothing that was stable when it asked (I7); no request waits
 *         although all that it needs is there (I3), none is forgotten (Q1).
 * Not:    answers: oracle.c. What nodes trace: watch.c. All nodes together: judge.c.
 * Holds:  the work of a step is proportional to what it changed.
 * Limits: AUDIT_SLOTS_MAX slots of the table a step.
 * See:    docs/protocol.md section 2; replica/replica.h.
 */
#pragma once

#include "sim/oracle.h"

#define AUDIT_STEPS 1000U
#define AUDIT_SLOTS_MAX 16U

/* Of one node. */
struct audit {
    uint64_t id;                        /* whose term is looked at: node id ... */
    uint64_t actors;                    /* ... and actor */
    uint64_t epoch;                     /* under which stability was looked at */
    uint64_t cover[ORACLE_ACTORS_MAX];  /* coverage that was looked at, in this life and term */
    struct vv stable;                   /* what it takes for stable, as looked at */
    uint32_t tops[ORACLE_KEYS_MAX];     /* greatest write that is covered, by key; 0: none */
    struct dot purged[ORACLE_KEYS_MAX]; /* tombstone that it purged last, by key */
    uint64_t steps;                     /* of this node */
    uint32_t slots[AUDIT_SLOTS_MAX];    /* whose versions the step under way has changed */
    uint32_t slot_count;                /* in use */
};

struct world;
struct sim_node;
struct call;

/* A process begins; its disk may have changed. */
void audit_begin(struct sim_node *node);

/* A node traced something, in the middle of a step. */
void audit_trace(struct world *world, struct sim_node *node, const struct trace_event *event);

/* A step was made; its effects are not carried out yet. */
void audit_step(struct world *world, struct sim_node *node);

/* Of every node, now and then. */
void audit_sample(struct world *world);

/* A call that its node was handed is still known there, or its answer on its way (Q1). */
void audit_known(struct world *world, uint64_t call);

/* A call is about to be handed to its node. */
void audit_asked(struct world *world, struct call *call);

/* An answer leaves with this token; after: what its holder has seen then. */
void audit_token(struct world *world, const struct call *call, const struct past *after,
                 struct slice token);
