/* plan - how a cluster is dealt out anew over a number of shards.
 *
 * Does:   from a configuration, a number of shards and who is alive: which shards stay, go and
 *         come, to which shard each member goes, and to which each slot.
 * Not:    the way there (protocol 7: transfer, switch, clean); adding or removing one member:
 *         config_assign, config_remove. Who is alive: the caller says so.
 * Holds:  P1 members that are alive, and no others, are in a shard: at least two in each, sizes
 *         differing by at most one; the others are spares. P2 every slot is in exactly one shard;
 *         sizes differ by at most one. P3 no other plan with P1 and P2 has fewer members going
 *         from one shard to another, and none with as few of these has fewer slots moving. P4 a
 *         shard that stays and has slots keeps an active member. P5 new shards have the least ids
 *         that no shard has. The same arguments give the same plan, byte for byte, on any machine.
 * Limits: LIMIT_SHARDS. Some 70 KB: heap only. 0.1 ms, at most 0.3 ms where each
 *         slot lies by itself (measured by test_plan_all).
 * See:    docs/protocol.md sections 6.7 and 7 (T18, T38).
 *
 * Members come first in P3 because a member that goes to another shard has all of that to fetch,
 * and a slot only itself. Of plans that are as good, the one with few ranges of slots is sought
 * (not proven to be least), shards that came last go first, who still fills up goes before who is
 * active, and a member that must go anyway goes where most slots of its shard go: those it has.
 *
 * Ids of shards are used again (P5): there are no more of them than shards, so operators know them.
 * That is safe, although reports of what is stable go by them, and a late one may speak of a shard
 * of other members (T33): such a report counts for actors that are open, those of the shard that
 * had the id are all closed before a plan is carried out (E_UNSETTLED), and actors are never used
 * again. A loss names the shard for long; who has to be told of it is told by epoch, not by
 * shard. Transits have ids that are not used again (SHARD_ID_TRANSIT).
 */
#pragma once

#include "placement/config.h"

/* What an operator wants, and what the caller believes. */
struct plan_wish {
    uint32_t shard_count;      /* as many shards */
    bool alive[LIMIT_MEMBERS]; /* by index into config->members: believed alive */
};

/* One shard as it is to be. */
struct plan_shard {
    uint32_t id;          /* of the shard that stays, or a new one */
    uint32_t before;      /* index into config->shards, or SHARD_NONE: it is new */
    struct slotset slots; /* all that it is to own */
};

struct plan {
    uint32_t shard_count;                   /* the wish */
    struct plan_shard shards[LIMIT_SHARDS]; /* those that stay, in their order, then the new ones */
    uint32_t member_count;                  /* as in the configuration */
    uint32_t members[LIMIT_MEMBERS];        /* by index into config->members: index into shards,
                                             * or SHARD_NONE: of no shard */
    uint32_t members_moved;                 /* from one shard to another */
    uint32_t members_come;                  /* spares that come into a shard */
    uint32_t members_go;                    /* out of a shard to be spares: not alive */
    uint32_t slots_moved;                   /* to another shard */
};

/* NULL with E_OK: all is as wished, there is nothing to do. NULL with an error: it cannot be.
 * E_SHARD_COUNT: no shard. E_NODES_FEW: fewer than two members alive
 * for each (but a cluster of one may have its one shard). E_RESHARDING: there are transits.
 * E_LEAVING: a member is leaving or moves already. E_UNSETTLED: a retired actor is not closed.
 * E_LAST_ACTIVE: a shard with slots has no active member that is alive, so nobody could hand on
 * what it has. The caller frees. */
struct plan *plan_new(const struct config *config, const struct plan_wish *wish, enum err *err);
void plan_free(struct plan *plan);

/* The slots that go from a shard (index into config->shards) to one of the plan (index into
 * plan->shards); where that is the same shard, those that stay. */
void plan_slots(const struct config *config, const struct plan *plan, uint32_t from, uint32_t to,
                struct slotset *slots);
