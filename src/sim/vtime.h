/* vtime - virtual time: what happens next.
 *
 * Does:   a heap of things to come, by microseconds; among those of one instant the seed decides.
 * Not:    what the things are: whoever put them in switches on `kind`.
 * Holds:  H1 now never goes back. H2 the same seed and the same calls give the same order.
 * Limits: memory.
 * See:    docs/protocol.md section 8.
 */
#pragma once

#include "node/node.h"

/* One thing to come. */
struct vevent {
    uint64_t at_us; /* when */
    uint64_t order; /* among those of the same instant: random, then serial */
    uint32_t kind;  /* of the owner's enum */
    uint32_t a;     /* first argument */
    uint64_t b;     /* second */
    uint64_t c;     /* third */
};

struct vtime {
    struct vevent *heap; /* owned; the least first */
    size_t count;        /* in use */
    size_t cap;          /* allocated */
    uint64_t now_us;     /* virtual microseconds since the world began */
    uint64_t serial;     /* of the last one put in */
    struct rng rng;      /* orders what is simultaneous */
};

void vtime_init(struct vtime *time, uint64_t seed);
void vtime_fini(struct vtime *time);

/* Something of this kind, delay_us from now. */
void vtime_after(struct vtime *time, uint64_t delay_us, uint32_t kind, uint32_t a, uint64_t b,
                 uint64_t c);

/* Takes the next one out and moves the clock to it; false when there is none. */
bool vtime_next(struct vtime *time, struct vevent *event);

/* Asserts the order of the heap. */
void vtime_check(const struct vtime *time);
