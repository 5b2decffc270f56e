/* lines - keys and values, one a line.
 *
 * Does:   reads a file or a pipe in pieces, takes its lines apart, says what is wrong with those
 *         that are not usable.
 * Not:    waiting: from a pipe that has nothing yet it returns LINES_WAIT.
 * Holds:  L1 memory is bounded by the longest line (LINES_BYTES_MAX), not by the file. L2 lines
 *         count from 1, blank ones and bad ones too.
 * Limits: LINES_BYTES_MAX; longer lines are bad and read over.
 * See:    help.c for the two formats.
 */
#pragma once

#include "cli/options.h"

/* The greatest value, and a key of which every byte is escaped. */
#define LINES_BYTES_MAX (LIMIT_VALUE_BYTES + 6 * LIMIT_KEY_BYTES + 4096U)

enum lines_result {
    LINES_GOOD, /* a key and a value */
    LINES_BAD,  /* a line that is not usable: why, offset */
    LINES_WAIT, /* nothing yet */
    LINES_END,  /* no more */
    LINES_FAIL, /* reading failed: errno */
};

struct lines {
    int fd;                 /* borrowed */
    enum cli_format format; /* of the lines */
    bool waits;             /* a pipe or terminal: look before reading */
    bool ended;             /* nothing more to read */
    bool dropping;          /* in a line that is too long */
    struct buf in;          /* read and not yet taken */
    size_t at;              /* of in: where the next line starts */
    size_t seen;            /* of in: no newline between at and here */
    uint64_t number;        /* of the last line */
    uint64_t bytes;         /* of all lines so far */
    struct buf key;         /* of the last line */
};

struct line {
    uint64_t number;    /* from 1 */
    struct slice text;  /* all of it; borrowed like the rest */
    struct slice key;   /* borrowed until the next call */
    struct slice value; /* JSON; likewise */
    const char *why;    /* LINES_BAD: a clause; static */
    size_t offset;      /* LINES_BAD: of the byte where it was noticed, from 1; 0: none */
};

void lines_init(struct lines *lines, int fd, enum cli_format format);
void lines_fini(struct lines *lines);
enum lines_result lines_next(struct lines *lines, struct line *line);
