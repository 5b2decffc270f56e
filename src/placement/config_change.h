/* config_change - every change of a configuration, as a pure function.
 *
 * Does:   one function for each step of membership: joining, leaving, sealing, moving slots,
 *         forking. Each takes a configuration and gives the one of the next epoch, which passes
 *         config_check, or NULL with *err: E_OK, it does not apply (any more) and nothing is to be
 *         done; else why it cannot be. The caller frees the result. The same arguments give equal
 *         bytes.
 * Not:    deciding which change wins (cluster/register.h), nor who is alive or has which data:
 *         callers say so. They propose on the newest configuration they know, and compute anew
 *         on that of the winner when they lose.
 * Holds:  actor ids are never given out twice. The fence rises to the new epoch whenever the term
 *         of an active or leaving member ends. A member that loses data, or goes without handing
 *         over, has every retired actor of its shard sealed anew (protocol 6.5: reports and walks
 *         of other keepers than before do not count), and so has one that is placed there. Where
 *         the last active member of a shard is lost, those that were leaving it stay: they are
 *         active again, having everything.
 * Limits: those of config.h. E_ACTORS_FULL when as many actors are retired as may be,
 *         E_MEMBERS_FULL, E_EPOCHS_FULL at the last epoch: any function may say the first and
 *         the last.
 * See:    docs/protocol.md sections 6.2 to 6.7.
 */
#pragma once

#include "placement/config.h"

/* A new epoch with nothing else changed (for drills, and to move every node to one epoch). */
struct config *config_touch(const struct config *config, enum err *err);

/* --- joining (config_join.c) --- */

/* A node with this id and address asks to be let in: it is new, has moved, or lost its disk (then
 * it has a new id, and what stood at the address goes). The id is listed with this address: does
 * not apply. With another one: it moves; a member that was listed at the new address gets the
 * vacated one (T17), an invitation is used up. The id is not listed, the address is: it takes the
 * place of that member, in the same position. Invited: becomes a spare. Spare: is one. Member of a
 * shard: the old actor is retired, sealing (a syncing one never wrote and is dropped), the new
 * node is syncing in that shard under a new actor, or, where the old one was moving to another
 * shard and two members stay behind, in that other. Neither is listed: a spare, behind all others.
 * Who takes the place of a node counts as a return of that member, at wall_ms (member_pause_ms).
 * Errors: E_MALFORMED (no id, or an address not as address_parse writes it), E_MEMBERS_FULL. */
struct config *config_admit(const struct config *config, uint64_t node_id,
                            const struct address *address, uint64_t wall_ms, enum err *err);

/* The member with this id, in doubt about its data, asks for another actor than `actor`: as if it
 * had lost its disk, under the same id, but it keeps every place that it has, since it may have the
 * only copy of what was acknowledged there. If it was leaving its shard, for another one or for
 * good, it stays; from a transit it goes again, once its old actor there is closed. Does not apply
 * when its actor is another one. */
struct config *config_renew(const struct config *config, uint64_t node_id, uint32_t actor,
                            uint64_t wall_ms, enum err *err);

/* An operator lists an address (PUT /view): invited. Already listed: does not apply, but a member
 * that is leaving the list stays, active. E_MALFORMED, E_MEMBERS_FULL. */
struct config *config_invite(const struct config *config, const struct address *address,
                             enum err *err);

/* An operator puts a spare into a shard (an index): syncing, new actor. Already in it, or moving
 * to it: does not apply, but a member of it that is leaving the list stays, active. E_NO_SHARD,
 * E_NOT_LISTED, E_NOT_ARRIVED (invited), E_OTHER_SHARD, E_RESHARDING. */
struct config *config_assign(const struct config *config, const struct address *address,
                             uint32_t shard, enum err *err);

/* The member with this id, syncing under this actor in its shard or in a transit, has all of its
 * holding there: active. */
struct config *config_activate(const struct config *config, uint64_t node_id, uint32_t actor,
                               enum err *err);

/* No member of the shard or transit (an index) is active, and all of them have merged what they
 * have: all active, and a loss of the whole shard. Does not apply while one is active, none is
 * there, or it has no slots. */
struct config *config_merged(const struct config *config, uint32_t shard, uint64_t wall_ms,
                             enum err *err);

/* --- leaving (config_leave.c) --- */

/* What an operator wants gone (DELETE /view). */
struct removal {
    const struct address *addresses; /* whom; leave out those that have gone meanwhile */
    uint32_t address_count;          /* at least one */
    bool force;                      /* rather leave a shard degraded than refuse */
    bool alive[LIMIT_MEMBERS];       /* by index into config->members: believed alive */
    enum plant plant;                /* PLANT build only: the active planted bug */
};

/* Invited, spare: gone at once. Active and alive: leaving, off the list once it has handed over.
 * Syncing and alive: gone at once, but E_UNSETTLED while retired actors of its shard are not
 * closed, or nobody there is active (unless forced). A dead one: gone at once, its actor sealing.
 * A shard that loses members and keeps fewer than two that stay (active or syncing, or moving
 * there) gets the first spare that is alive, else the last active member, alive, of the largest
 * shard that keeps two; else E_TOO_FEW, unless forced. E_LAST_ACTIVE, forced or not, where a
 * shard would lose its last active member (a live one: its last live one), or its last member.
 * E_NO_HEIR, forced or not, where a shard with nobody would lose the last one on the way to it.
 * The same of transits: E_LAST_ACTIVE; but E_RESHARDING, forced or not, while a live one has a seat
 * in one. A shard that has no slots, and is to get none, misses nobody. E_NOT_LISTED when an
 * address is not listed. All are leaving already: does not apply. */
struct config *config_remove(const struct config *config, const struct removal *removal,
                             enum err *err);

/* The member with this id, leaving under this actor, has handed over everything: out of the
 * transit; or off the list, or syncing in its target under a new actor; its actor is closed at
 * once. Does not apply while a retired actor of the shard or transit is not closed, or, off the
 * list, while its shard has fewer than two others and somebody is on the way to it. */
struct config *config_left(const struct config *config, uint64_t node_id, uint32_t actor,
                           enum err *err);

/* --- sealing (config_seal.c) --- */

/* Every member of the shard (an index) has reported on the actor that is sealing there: no dot
 * above last_seq will ever come, and what is up to whole_seq (or last_seq, if that is lower) is
 * whole. It is sealed, and a loss of the actor is kept: with the lower whole_seq where there was
 * one. Does not apply to an actor that is not sealing there. */
struct config *config_sealed(const struct config *config, uint32_t actor, uint32_t shard,
                             uint64_t last_seq, uint64_t whole_seq, uint64_t wall_ms,
                             enum err *err);

/* Every member of the shard covers the last seq of the actor, which is sealed there, or whose
 * member says so itself (RETIRED_MOVING): that entry goes, and with its last one it is closed.
 * Does not apply while it is sealing. */
struct config *config_closed(const struct config *config, uint32_t actor, uint32_t shard,
                             enum err *err);

/* --- moving slots (config_move.c) --- */

/* An operator wants so many shards (PUT /shard/reshard). alive: by index into config->members. The
 * first step is taken at once, unless somebody fills up. Does not apply when all is so, or is on
 * its way. E_RESHARDING while it is on its way to another number, or a cancelled one ends;
 * E_MEMBER_DOWN: a member of a shard is not alive; errors of plan_new. */
struct config *config_reshard(const struct config *config, uint32_t shard_count,
                              const bool alive[LIMIT_MEMBERS], enum err *err);

/* The next step of what is under way, in this order, each when the one before it is settled: new
 * shards come, and members go to where they shall be; slots are split off, each pair of shards'
 * as a transit, in which those that give them are active and those that take them fill up; when
 * these are active, it is switched: those that gave leave; when they have handed over, it becomes
 * part of the shard; shards without slots go. Does not apply while something has to come about
 * first. Errors of plan_new: it cannot go on as things are. */
struct config *config_reshard_step(const struct config *config, const bool alive[LIMIT_MEMBERS],
                                   enum err *err);

/* What is switched goes on to its end, other transits go back where they came from. Members that
 * are on their way arrive, and shards that are new stay, if without slots: what is to become of
 * these the next reshard says. Does not apply when nothing is under way, or it is cancelled. */
struct config *config_reshard_cancel(const struct config *config, enum err *err);

/* --- forking (config_fork.c) --- */

/* What becomes of a member when the absent are given up (protocol 6.6). */
enum fate {
    FATE_STAYS, /* it remembers: keeps id, actor and state */
    FATE_EMPTY, /* at its address there is an empty node now */
    FATE_GONE,  /* given up */
};

struct fork {
    uint64_t lineage;                 /* of the new history: random, neither 0 nor an old one */
    uint64_t wall_ms;                 /* now, for losses and returns */
    enum fate fates[LIMIT_MEMBERS];   /* by index into config->members */
    uint64_t node_ids[LIMIT_MEMBERS]; /* of the empty nodes */
};

/* The new history: the old one is its newest ancestor (the oldest is forgotten past
 * LIMIT_ANCESTORS). The empty take the place of whom they replace as in config_admit; but where
 * nobody who stays has all of a shard or transit, what lies in a directory there may be the newest
 * of it, and they keep every place, those that were being left, too: unless the shard that one was
 * to move to has slots and nobody else, or there is no room for so many actors. The given up go as
 * the dead do in config_remove; a shard that lost a member's memory is kept as a loss, and the
 * fence rises. Spares that stay or are empty fill shards with fewer than two members, those with
 * none first; then a member of the largest shard with two active ones moves to a shard with none.
 * E_NO_HEIR when a shard has nobody even so. A shard without an active member waits for
 * config_merged. E_MALFORMED: an unusable lineage or node id. */
struct config *config_fork(const struct config *config, const struct fork *fork, enum err *err);
