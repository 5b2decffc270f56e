/* progress - how far a long command is.
 *
 * Does:   a bar that is drawn over itself on a terminal, ten times a second; elsewhere a plain
 *         line a second.
 * Not:    results.
 * Holds:  -
 * Limits: -
 * See:    load.c.
 */
#pragma once

#include "cli/cli.h"

struct progress {
    FILE *file;        /* NULL: say nothing */
    bool terminal;     /* a bar */
    const char *word;  /* what is done: "loading" */
    uint64_t total;    /* of what `done` counts; 0: not known */
    uint64_t began_ms; /* when it began */
    uint64_t shown_ms; /* when it was last shown */
    unsigned columns;  /* of the terminal */
};

struct progress_now {
    uint64_t done;    /* of total */
    uint64_t keys;    /* so far */
    uint64_t bytes;   /* so far */
    uint64_t retries; /* so far */
    uint64_t wrong;   /* failures and unknowns so far */
};

void progress_init(struct progress *progress, const struct cli *cli, const char *word,
                   uint64_t total);

/* Of the terminal that messages go to; 80 where that is none. */
unsigned progress_columns(const struct cli *cli);

/* Shows it, when it is time. */
void progress_show(struct progress *progress, const struct progress_now *now);

/* Wipes the bar, so that something else can be printed. */
void progress_clear(struct progress *progress);

/* "12,345" */
void put_grouped(struct buf *out, uint64_t number);

/* " [######------------------] 25 %  ", of a total that is not 0 */
void put_bar(struct buf *out, uint64_t done, uint64_t total);

/* ", 12 s left", where so much was done in so many milliseconds; nothing where that says little. */
void put_time_left(struct buf *out, uint64_t done, uint64_t total, uint64_t ms);

/* "9.8 MB" */
void put_bytes(struct buf *out, uint64_t bytes);
