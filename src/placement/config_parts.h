/* config_parts - what the changes of a configuration are made of.
 *
 * Does:   begins and ends a change; terms of members, retired actors, losses.
 * Not:    deciding when: config_join.c, config_leave.c, config_seal.c, config_fork.c.
 * Holds:  *err is sticky: after the first error nothing changes any more, and config__end gives
 *         NULL. In between K8 may be broken, and the sum in K7, and nothing else.
 * Limits: stays in this folder.
 * See:    config_change.h.
 */
#pragma once

#include "placement/config_change.h"

/* A copy with the next epoch, and *err E_OK, or E_EPOCHS_FULL. */
struct config *config__begin(const struct config *config, enum err *err);

/* Takes next over: gives it, checked and with K8 mended, or frees it and gives NULL, with *err
 * (E_ACTORS_FULL where there would be more than LIMIT_ACTORS). */
struct config *config__end(struct config *next, enum err *err);

/* NULL with E_OK: the change does not apply. */
struct config *config__nothing(enum err *err);

/* NULL with an error. */
struct config *config__refuse(enum err refusal, enum err *err);

/* Printable, and as address_parse writes it. */
bool address__is_canonical(const struct address *address);

/* Adds an invited member behind all others; E_MEMBERS_FULL. NULL after an error. */
struct member *config__append(struct config *next, const struct address *address, enum err *err);

void config__erase(struct config *next, struct member *member);

/* The state of the place in which this is the present actor, or NULL. */
enum member_state *config__state_of(struct config *next, uint32_t actor);

/* A new actor id; 0 after an error, which may be E_ACTORS_FULL. */
uint32_t config__actor_take(struct config *next, enum err *err);

/* The member gets a seat in a transit, under a new actor. E_ACTORS_FULL past LIMIT_SEATS. */
void config__seat_add(struct config *next, uint32_t transit, uint64_t node_id,
                      enum member_state state, enum err *err);

/* The seat goes; what its actor wrote is for the caller to care about. */
void config__seat_erase(struct config *next, uint32_t index);

/* Adds an entry of this state for these slots of the actor; nothing when there are none. */
void config__retire(struct config *next, uint32_t actor, uint64_t node_id, enum retired_state state,
                    const struct slotset *slots, enum err *err);

/* True when nothing is lost with the members of the shard: it has no slots, and gives and takes
 * none. */
bool config__is_idle(const struct config *config, uint32_t shard);

/* Entry `index` goes. */
void config__retired_erase(struct config *next, uint32_t index);

/* Members of shard that stay: active or syncing. */
uint32_t config__staying(const struct config *config, uint32_t shard);

/* Members that leave other shards for this one. */
uint32_t config__incoming(const struct config *config, uint32_t shard);

/* True when the shard has a retired actor that is not closed. */
bool config__is_unsettled(const struct config *config, uint32_t shard);

/* The member of no shard becomes syncing in this one, under a new actor. All retired actors of the
 * shard, and of the transits in which it gets a seat, are sealed anew. */
void config__place(struct config *next, struct member *member, uint32_t shard, enum err *err);

/* The terms of a shard's member end without its help, in its shard and in transits: it is a spare.
 * Its actors are sealing if they may have written, and those that it had yet to seal itself; all
 * retired actors of those shards are sealed anew. */
void config__fail(struct config *next, struct member *member, enum err *err);

/* The member, whatever its state, is node_id from now on, a return: it fills up again. One that
 * keeps may have what nobody else has (I5): it does so wherever the member had a place. Another one
 * does so where that was to move to, if its shard can do without it, and in no transit that it was
 * leaving. */
void config__replace(struct config *next, struct member *member, uint64_t node_id, bool keeps,
                     uint64_t wall_ms, enum err *err);

/* Counts one. */
void member__returns(struct member *member, uint64_t wall_ms);

/* Nobody leaves a shard that has no active member: who was about to has everything, so it is
 * active again, and nothing needs to be merged. (Part of config__end.) */
void config__leavers_keep(struct config *next);

/* Members that the shard can count on: those that stay, and those on their way to it. */
uint32_t config__tolerance(const struct config *config, uint32_t shard);

/* The first usable spare becomes syncing in shard. False when there is none, or after an error. */
bool config__spare_take(struct config *next, uint32_t shard, const bool usable[LIMIT_MEMBERS],
                        enum err *err);

/* The last usable active member of another shard begins to move to this one: from the largest
 * that has at least staying_min members that stay, two of them active and usable. False when
 * there is none. */
bool config__donor_take(struct config *next, uint32_t shard, const bool usable[LIMIT_MEMBERS],
                        uint32_t staying_min);

/* Keeps a loss of an actor, or (actor 0) of a whole shard, given by id. Where there are too many,
 * forgets those older than LIMIT_LOSS_DAYS, and folds the oldest where there are none. */
void config__lose(struct config *next, uint32_t actor, uint32_t shard_id, uint64_t whole_seq,
                  uint64_t wall_ms);
