/* reshard_keys - how many keys are where they are to be, and how many bytes.
 *
 * Does:   asks every node that has a place where slots are on their way for what it has of them, in
 *         keys and in bytes of keys and values; adds up what those have whose they will be.
 * Not:    showing it: reshard.c.
 * Holds:  -
 * Limits: a node that does not answer counts as one that has none yet, and is not asked again: each
 *         could hold the others up. One key counts for every member that is to have it.
 * See:    docs/api.md section 3, GET /shard/reshard.
 */
#pragma once

#include "cli/cli.h"

struct reshard_keys {
    uint64_t done;        /* copies of keys that are there */
    uint64_t total;       /* that shall be; 0: nothing is on its way, or nobody says */
    uint64_t done_bytes;  /* of copies that are there */
    uint64_t total_bytes; /* of those that shall be */
    uint64_t at_first;    /* done, when it was counted first */
    uint64_t ms;          /* since then */
    uint64_t since_ms;    /* when that was; 0: not yet */
    uint64_t next_ms;     /* not counted again before */
    uint64_t silent;      /* nodes that did not answer, as bits */
};

/* Counts, if it is time; body is what GET /shard/reshard has just said. Ends early on Ctrl-C. */
void reshard_keys_count(struct reshard_keys *keys, const struct cli *cli, struct client *client,
                        struct slice body);
