/* nothing - which delete a read of nothing saw.
 *
 * Does:   finds the deletes that explain it. Where something was written in the past of the read
 *         and there is but one, that one is what was read from: it becomes a cause.
 * Not:    judging (judge.c).
 * Holds:  F1 each causally convergent explanation of the history (of which none reads from the
 *         future) has the sources that are deduced.
 * Limits: DEDUCE_ROUNDS: what is deduced brings new causes, and so may allow to deduce more.
 * See:    judge.h.
 *
 * A delete explains a read of nothing when it is not among the effects of the read, was begun
 * before the read ended, and no write in the past of the read came causally after it.
 */
#pragma once

#include "check/writes.h"

#define DEDUCE_ROUNDS 20U

/* How many deletes explain it: 0, 1, or 2 for more; *gone: one of them. */
uint32_t nothing_explained(const struct writes *writes, uint32_t key, uint32_t read,
                           uint32_t *gone);

/* The delete that a read of nothing (or final read: READ_END) must have seen, or OP_NONE. */
uint32_t nothing_source(const struct writes *writes, uint32_t key, uint32_t read);

/* Gives all reads of nothing their sources, as far as they can be deduced. After history_end. */
void nothing_deduce(struct history *history);
