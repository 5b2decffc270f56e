/* kept - answers that the node they went to may not have heard.
 *
 * Does:   copies of answers to other nodes, oldest first, each with the connection that it left on
 *         and its number there; forgets what was heard; hands out what a broken connection may
 *         have lost.
 * Not:    when to say them again (calls.c). Answers larger than LIMIT_KEPT_FRAME_BYTES: they carry
 *         a value, so they are reads, and a read may be asked again.
 * Holds:  E1 bytes of all kept frames together are at most LIMIT_KEPT_BYTES: the oldest make room.
 *         E2 of one addressee, they are in the order in which they left.
 * Limits: LIMIT_KEPT_BYTES, LIMIT_KEPT_FRAME_BYTES.
 * See:    docs/protocol.md 3.5; docs/decisions/0020.
 */
#pragma once

#include "wire/wire.h"

struct kept_item {
    uint64_t to;         /* node id; 0: no longer wanted */
    uint64_t number;     /* which call on its connection; 0: it has not left */
    uint32_t generation; /* of the connection; 0: there was none */
    size_t len;          /* of the frame */
};

struct kept {
    struct kept_item *items; /* owned; oldest first */
    size_t count;            /* in use */
    size_t cap;              /* allocated */
    struct buf bytes;        /* their frames, one after the other */
    uint64_t forgotten;      /* wanted ones that had to make room, ever */
};

void kept_init(struct kept *kept);
void kept_fini(struct kept *kept);

/* Keeps a copy of a frame that leaves for `to`; generation 0: no connection took it. */
void kept_add(struct kept *kept, uint64_t to, uint32_t generation, uint64_t number,
              struct slice frame);

/* `to` has heard the calls up to number on that connection. */
void kept_heard(struct kept *kept, uint64_t to, uint32_t generation, uint64_t number);

/* The frames for `to` that did not leave on the connection `but`, one a call, oldest first; they
 * are kept no longer. Begin with at = {0}; nothing may be added meanwhile. False when there is no
 * more. frame is borrowed until something is added or heard. */
struct kept_at {
    size_t item; /* the next one to look at */
    size_t byte; /* where its frame begins */
};
bool kept_take(struct kept *kept, uint64_t to, uint32_t but, struct kept_at *at,
               struct slice *frame);

/* Memory that it uses. */
size_t kept_bytes(const struct kept *kept);

void kept_check(const struct kept *kept);
