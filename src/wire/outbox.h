/* outbox - frames that modules want sent, collected in one place.
 *
 * Does:   appends frames with their addressee (a node id) to one buffer; the same frame to
 *         several addressees without a copy.
 * Not:    sending, nor holding back until a commit: node/ does both.
 * Holds:  O1 items lie within bytes; an open frame is closed before the next one begins.
 * Limits: memory; whoever appends keeps to its window, chunk or rate.
 * See:    docs/architecture.md "The step" (S3).
 */
#pragma once

#include "wire/msg.h"

struct outbox_item {
    uint64_t to;  /* node id of the addressee */
    size_t begin; /* of the frame in bytes */
    size_t len;   /* of the frame */
    uint8_t type; /* enum msg_type, for counting and for tests */
};

struct outbox {
    struct buf bytes;          /* frames, one after the other */
    struct outbox_item *items; /* owned */
    size_t count;              /* items in use */
    size_t cap;                /* items allocated */
    uint64_t lineage;          /* for the heads of the frames that follow */
    uint64_t epoch;            /* for the heads of the frames that follow */
    size_t open;               /* where the open frame begins; SIZE_MAX: none is open */
};

void outbox_init(struct outbox *outbox);
void outbox_fini(struct outbox *outbox);

/* Forgets items and bytes, keeps the memory. */
void outbox_reset(struct outbox *outbox);

/* Begins a frame; the caller appends the body to the buf that is returned. */
struct buf *outbox_begin(struct outbox *outbox);

/* Ends the frame and addresses it. */
void outbox_end(struct outbox *outbox, enum msg_type type, uint64_t to);

/* Sends the frame that was ended last to another one too. */
void outbox_also(struct outbox *outbox, uint64_t to);

/* Appends a frame that is whole already. */
void outbox_append(struct outbox *outbox, struct slice frame, enum msg_type type, uint64_t to);

/* Begin, encode, end in one: outbox_hello(outbox, to, &msg), … for every message. */
#define M(NAME, name, number)                                                                      \
    static inline void outbox_##name(struct outbox *outbox, uint64_t to,                           \
                                     const struct msg_##name *msg)                                 \
    {                                                                                              \
        msg_##name##_encode(msg, outbox_begin(outbox));                                            \
        outbox_end(outbox, MSG_##NAME, to);                                                        \
    }
MSG_LIST(M)
#undef M
