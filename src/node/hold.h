/* hold - what may only leave after a commit.
 *
 * Does:   collects frames, replies and hang-ups of steps; three generations of it (open, resting on
 *         the commit under way, ready) make output commit a matter of moving a pointer; two more
 *         have what rests on a sync (vows, for the next one, and sworn).
 * Not:    deciding when (commit.c).
 * Holds:  Z1 bytes of a reply lie in the hold that carries it, so that nothing points into the
 *         table or the arena of a step that has passed.
 * Limits: memory; bounded by the requests under way and the frames that windows allow.
 * See:    docs/architecture.md "The step" (S3); docs/protocol.md I6.
 */
#pragma once

#include "node/effect.h"

struct hold_reply {
    struct reply reply; /* slices are offsets into bytes until it is emitted: see hold_reply_at */
    size_t value;       /* offset of the value */
    size_t token;       /* offset of the token */
    size_t detail;      /* offset of the detail */
    size_t waiting[LIMIT_WAITING]; /* offsets of the addresses */
};

struct hold {
    struct hold *next;          /* in the queue of ready ones, or of those to reuse */
    struct outbox frames;       /* addressed by node id */
    struct outbox direct;       /* addressed by connection: handshakes and refusals */
    struct buf bytes;           /* of replies */
    struct hold_reply *replies; /* owned */
    size_t reply_count;         /* in use */
    size_t reply_cap;           /* allocated */
    struct buf hangups;         /* connections to close, 8 bytes each */
    struct buf config;          /* CONFIG of the last epoch adopted in it; empty: none was */
    uint64_t config_epoch;      /* that epoch */
    size_t emitted; /* how many of direct, frames, replies, hangups went out, in that order */
};

struct hold *hold_new(void);
void hold_free(struct hold *hold);
void hold_reset(struct hold *hold);
bool hold_is_empty(const struct hold *hold);

/* Copies reply with everything it borrows. */
void hold_reply(struct hold *hold, const struct reply *reply);
void hold_hangup(struct hold *hold, uint64_t conn);

/* The reply number index, its slices pointing into the hold. */
void hold_reply_at(const struct hold *hold, size_t index, struct reply *reply);
