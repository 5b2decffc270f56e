/* recent - the keys that were written lately.
 *
 * Does:   remembers hashes of keys, so that a second write of a key under way is noticed.
 * Not:    the keys: two with the same hash cost a pause, nothing else.
 * Holds:  R1 a hash that was added since the last reset is found.
 * Limits: RECENT_MAX; then it is full and wants a reset.
 * See:    load.c.
 */
#pragma once

#include "base/base.h"

#define RECENT_SLOTS 65536U
#define RECENT_MAX (RECENT_SLOTS / 2)

struct recent {
    uint64_t *slots; /* open addressing; 0 is free */
    uint32_t count;  /* in use */
};

void recent_init(struct recent *recent);
void recent_fini(struct recent *recent);
void recent_reset(struct recent *recent);

/* Adds; false: it is there already, or there is no room. */
bool recent_add(struct recent *recent, uint64_t hash);
