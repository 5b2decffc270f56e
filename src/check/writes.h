/* writes - the writes of each key, by session.
 *
 * Does:   for a key and a reader, the last write of each session in the reader's past.
 * Not:    judging.
 * Holds:  D1 within a run, writes ascend by position. D2 past_next leaves out only writes that lie
 *         causally before one that it returns, or are known, and writes outside of the past.
 * Limits: memory: 16 bytes a write. A step of a past costs a binary search.
 * See:    judge.c, conflict.c.
 */
#pragma once

#include "check/order.h"

/* The writes and deletes of one session on one key. */
struct run {
    uint32_t session; /* whose */
    uint32_t begin;   /* in list */
    uint32_t end;     /* one past the last */
};

struct writes {
    const struct order *order; /* borrowed */
    uint32_t *list;            /* of known outcome, by key, session and position; owned */
    uint32_t *position;        /* beside list: in the session; owned */
    uint32_t *put;             /* beside list: the last that is no delete up to here in the run, or
                                  OP_NONE; owned */
    uint32_t *gone;        /* beside list: the place in list of the last delete up to here in the
                                  run, or OP_NONE; owned */
    struct run *runs;      /* by key; owned */
    uint32_t *first_run;   /* by key, one more than keys; owned */
    uint32_t *loose;       /* of unknown outcome, by key: deletes, and writes that were
                                  observed; owned */
    uint32_t *first_loose; /* by key, one more than keys; owned */
};

void writes_init(struct writes *writes, const struct order *order);
void writes_fini(struct writes *writes);

#define READ_END UINT32_MAX

/* The writes of one key in the past of a read. */
struct past {
    const struct writes *writes; /* borrowed */
    uint32_t read;               /* READ_END: a final read; its past is all acknowledged or seen */
    uint32_t known;              /* a write: what lies in its past is left out, and it itself, as
                                    far as that is cheap; or OP_NONE */
    bool puts;                   /* deletes are left out */
    uint32_t run;                /* the next one */
    uint32_t run_end;            /* one past the last */
    uint32_t loose;              /* the next one */
    uint32_t loose_end;          /* one past the last */
};

struct past past_of(const struct writes *writes, uint32_t key, uint32_t read, uint32_t known,
                    bool puts);
bool past_next(struct past *past, uint32_t *write);
