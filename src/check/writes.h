/* writes - the writes of each key, by chain.
 *
 * Does:   for a key, its chains with writes, and in each the writes in chain order; the last one
 *         within a vector clock.
 * Not:    -
 * Holds:  D1 within a chain, writes ascend by position.
 * Limits: memory: 8 bytes a write.
 * See:    judge.c.
 */
#pragma once

#include "check/order.h"

struct writes {
    const struct order *order; /* borrowed */
    uint32_t *list;            /* writes and deletes sorted by key, chain, position; owned */
    uint32_t *last_put;        /* beside list: the latest write, not delete, of that chain up to
                                  here, or OP_NONE; owned */
    uint32_t *first;           /* by key: where its writes begin, one more than keys; owned */
};

/* One chain of one key. */
struct run {
    uint32_t begin; /* in writes->list */
    uint32_t end;   /* one past the last */
};

void writes_init(struct writes *writes, const struct order *order);
void writes_fini(struct writes *writes);

/* The next run of key at or after place `at` (begin with writes->first[key]); false at the end. */
bool writes_run(const struct writes *writes, uint32_t key, uint32_t at, struct run *run);

/* The place in list of the last write of run within clock, or OP_NONE. */
uint32_t writes_within(const struct writes *writes, const struct run *run, const uint32_t *clock);
