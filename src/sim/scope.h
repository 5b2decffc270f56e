/* scope - how much of a seed's world takes place.
 *
 * Does:   fewer nodes, shards, clients, operations, less time, and some faults left out: a world
 *         that fails gets small enough to be read. As text it is the options of thence-sim.
 * Not:    finding a small one: shrink.h.
 * Holds:  C1 a fault that is left out changes nothing about what the others are and when they come:
 *         each has its own random numbers (nemesis.c). C2 an empty scope changes nothing.
 * Limits: SCOPE_FAULTS_MAX numbers of faults; those beyond are never left out.
 * See:    swarm.h, nemesis.h.
 */
#pragma once

#include "sim/swarm.h"

#include <stdio.h>

/* Zeroes: everything as the seed has drawn it. */
struct scope {
    uint32_t nodes;                         /* at most so many */
    uint32_t shards;                        /* the same */
    uint32_t sessions;                      /* the same */
    uint64_t ops;                           /* operations of all clients, then they rest */
    uint64_t ms;                            /* for so long there are faults and operations */
    uint8_t without[SCOPE_FAULTS_MAX / 8U]; /* faults left out, by their numbers, as bits */
};

bool scope_leaves_out(const struct scope *scope, uint64_t fault);
void scope_leave_out(struct scope *scope, uint64_t fault, bool out);

/* "1-4,7,20-": an open range ends with the last one. False: it makes no sense. */
bool scope_parse_faults(struct scope *scope, const char *text);

/* True when nothing is left out. */
bool scope_is_whole(const struct scope *scope);

/* What was drawn, cut down. */
void scope_apply(const struct scope *scope, struct swarm *swarm);

/* " --nodes 3 --without-faults 1-4,7 --ops 300", or nothing. */
void scope_print(const struct scope *scope, FILE *out);
