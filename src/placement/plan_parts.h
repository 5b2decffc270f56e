/* plan_parts - the steps of a plan.
 *
 * Does:   which shards stay; how large each is to be; who goes where; which slots go where.
 * Not:    refusals and the plan itself: plan.c.
 * Holds:  see plan.h.
 * Limits: stays in this folder. While planning, a shard has a *label*: its index in the
 *         configuration, and behind these one label for each new one. That makes as many as there
 *         are now, or are to be, whichever is more.
 * See:    plan.h.
 */
#pragma once

#include "placement/plan.h"

/* An even cut of something into parts. */
struct plan_cut {
    uint32_t size;   /* of each part, at least */
    uint32_t larger; /* parts that have one more */
};

struct plan_cut plan__cut(uint32_t total, uint32_t parts);

/* What a plan has to know of the shards to choose among them; by label. */
struct plan_sizes {
    uint32_t count;                 /* shards now */
    uint32_t members[LIMIT_SHARDS]; /* those that are alive */
    uint32_t slots[LIMIT_SHARDS];   /* how many it owns */
    struct plan_cut members_cut;    /* how members are to be cut */
    struct plan_cut slots_cut;      /* how slots are to be cut */
};

/* Which `staying` of the shards stay, so that the fewest members move, and then the fewest slots;
 * of equal ones those with the lowest index. */
void plan__choose(const struct plan_sizes *sizes, uint32_t staying, bool stays[LIMIT_SHARDS]);

/* How large each of `labels` shards is to be (0: it goes), so that the fewest move. */
void plan__targets(const uint32_t sizes[LIMIT_SHARDS], const bool stays[LIMIT_SHARDS],
                   uint32_t labels, struct plan_cut cut, uint32_t targets[LIMIT_SHARDS]);

/* Moves slots (owner: slot -> label; sizes: by label) until sizes are targets; no more than it
 * takes. */
void plan__deal_slots(uint8_t owner[LIMIT_SLOTS], uint32_t sizes[LIMIT_SHARDS],
                      const uint32_t targets[LIMIT_SHARDS], uint32_t labels);

/* Labels (or SHARD_NONE) of all members: those that are alive fill the targets, the fewest of them
 * move. owner is that of plan__deal_slots, when it is done. */
void plan__deal_members(const struct config *config, const bool alive[LIMIT_MEMBERS],
                        const uint8_t owner[LIMIT_SLOTS], const uint32_t targets[LIMIT_SHARDS],
                        uint32_t labels, uint32_t members[LIMIT_MEMBERS]);
