/* queue - the answers of one connection, in the order of its requests.
 *
 * Does:   one slot for each request whose answer is not in the output yet; an answer that comes
 *         early waits in its slot, the first one goes straight to the output.
 * Not:    what an answer looks like: render.h.
 * Holds:  K1 count <= size. K2 output holds whole answers in order of the slots that were opened.
 *         K3 the first slot is not answered (it would have left). K4 held_bytes is the sum over
 *         the slots.
 * Limits: size slots; bytes are limited by conn.c, which opens no slot when there are too many.
 * See:    RFC 9112 section 9.3.2.
 */
#pragma once

#include "http/render.h"

struct http_slot {
    uint64_t number;          /* of the request on this connection, from 0 */
    enum http_call_kind kind; /* what was handed out; HTTP_NONE: nothing yet */
    bool answered;            /* the answer is in held */
    bool continue_due;        /* 100 (Continue) goes before it, as soon as the slot is first */
    struct http_style style;  /* context borrows from the buf below */
    struct buf context;       /* tokens of the request, joined by commas */
    struct buf held;          /* the answer, where another has to go before */
};

struct http_queue {
    struct http_slot *slots; /* a ring, owned */
    uint32_t size;           /* of the ring */
    uint32_t first;          /* index of the oldest */
    uint32_t count;          /* in use */
    uint64_t opened;         /* slots ever opened */
    size_t held_bytes;       /* in all slots */
    struct buf out;          /* what may be sent */
    size_t out_at;           /* of it was sent already */
};

void http_queue_init(struct http_queue *queue, uint32_t size);
void http_queue_fini(struct http_queue *queue);

static inline bool http_queue_is_full(const struct http_queue *queue)
{
    return queue->count == queue->size;
}

/* The i-th oldest slot; i < count. */
struct http_slot *http_queue_at(const struct http_queue *queue, uint32_t i);

/* A new slot behind all others; the queue is not full. */
struct http_slot *http_queue_open(struct http_queue *queue);

/* The newest slot, when there is one. */
struct http_slot *http_queue_last(const struct http_queue *queue);

/* The slot whose number has these low HTTP_CALL_BITS, or NULL. */
struct http_slot *http_queue_find(const struct http_queue *queue, uint64_t number);

/* Remembers the tokens of a request: those that look like tokens. */
void http_slot_set_context(struct http_slot *slot, const struct slice *tokens, uint32_t count);

/* Where the answer of the slot is to be appended; then http_queue_end, which may end the slot. */
struct buf *http_queue_begin(struct http_queue *queue, struct http_slot *slot);
void http_queue_end(struct http_queue *queue, struct http_slot *slot);

/* Moves what is due to the output: after continue_due was set. */
void http_queue_settle(struct http_queue *queue);

/* Bytes of answers that were not sent. */
size_t http_queue_bytes(const struct http_queue *queue);

struct slice http_queue_output(const struct http_queue *queue);
void http_queue_consume(struct http_queue *queue, size_t count);
void http_queue_take(struct http_queue *queue, struct buf *into);

size_t http_queue_memory(const struct http_queue *queue);
void http_queue_check(const struct http_queue *queue);

/* Empties buf; memory for uncommonly much is given back. */
void http_buf_rest(struct buf *buf);
