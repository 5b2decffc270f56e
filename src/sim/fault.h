/* fault - what can go wrong, each thing by itself.
 *
 * Does:   fault_<function> of FAULT_LIST (swarm.h): does it now, and says when it ends. False: it
 *         cannot happen now; nothing has. What ends a fault is a mend.
 * Not:    which, and when: nemesis.c. Whether so much may be lost: budget.c.
 * Holds:  U2 each fault ends.
 * Limits: WORLD_CUTS_MAX disturbances of links at once.
 * See:    docs/protocol.md section 8. fault_net.c, fault_proc.c, fault_aim.c, fault_disk.c,
 *         fault_clock.c (and the people who propose epochs), fault_people.c, fault_recover.c.
 */
#pragma once

#include "sim/budget.h"

#define F(NAME, word, function) bool fault_##function(struct world *world);
FAULT_LIST(F)
#undef F

/* Mends: the number goes with WORLD_MEND. */
#define MEND_LIST(M)                                                                               \
    M(CUT, cut)             /* a disturbance of links ends */                                      \
    M(FLAP, flap)           /* a flapping link changes */                                          \
    M(SLOW_LINK, slow_link) /* a direction gets fast again */                                      \
    M(RESUME, resume)       /* a paused process goes on */                                         \
    M(BOOT, boot)           /* a machine gets power */                                             \
    M(AIM, aim)             /* what was aimed at a moment strikes a little after it */             \
    M(SNAPSHOT, snapshot)   /* somebody copies a data directory */                                 \
    M(CLOCK, clock)         /* a clock steps back */                                               \
    M(RETURN, return )      /* who was removed starts again, empty */                              \
    M(DIE, die)             /* members die for good while slots move */                            \
    M(GIVE_UP, give_up)     /* an operator gives up on who is absent */                            \
    M(TURN_UP, turn_up)     /* who was given up is there */                                        \
    M(ANSWERS, answers)     /* a node that was cut off should have answered by now (I3) */

enum mend {
#define M(NAME, function) MEND_##NAME,
    MEND_LIST(M)
#undef M
        MEND_COUNT
};

#define M(NAME, function) void mend_##function(struct world *world, const struct vevent *event);
MEND_LIST(M)
#undef M

/* The node finds another directory than the one it left, NULL: an empty one. */
void fault_new_directory(struct world *world, struct sim_node *node, const struct vdisk *copy);

/* Half to nine quarters of the seed's mean. */
uint64_t fault_length(struct world *world);

/* A mend, us from now. */
void fault_mend(struct world *world, uint64_t us, enum mend mend, uint64_t b, uint64_t c);
