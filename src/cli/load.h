/* load - many keys written, and read back.
 *
 * Does:   what the two passes share: requests under way, what is counted, what is complained about.
 * Not:    lines: lines.h. Drawing: progress.h.
 * Holds:  D1 memory is bounded by requests and bytes under way, whatever the size of the file;
 *         with --verify there are marks (9 bytes a line) beside. D2 two writes of one key are never
 *         under way together, and the later one carries a token that covers the earlier one.
 * Limits: BYTES_UNDER_WAY_MAX and one value.
 * See:    help.c, client/session.h.
 */
#pragma once

#include "cli/lines.h"
#include "cli/progress.h"
#include "cli/recent.h"

#define BYTES_UNDER_WAY_MAX (64U << 20)
#define FAILURES_IN_A_ROW_MAX 100U
#define COMPLAINTS_MAX 10U

/* Marks of lines beside node numbers, which are below CLIENT_NODES_MAX. */
#define MARK_UNCHECKED 0xFFU  /* not written for sure, or not at all */
#define MARK_SUPERSEDED 0xFEU /* a later line has the same key */

/* What lies under way. */
struct load_slot {
    bool used;        /* else it is free */
    uint64_t line;    /* its number */
    uint32_t written; /* the node that it was written through; read back */
    struct buf key;   /* for complaints */
    struct buf value; /* JSON that is expected; read back */
    size_t bytes;     /* of key and value */
};

struct load_tally {
    uint64_t keys;       /* written, or read back */
    uint64_t bytes;      /* keys and values of these */
    uint64_t created;    /* of keys */
    uint64_t replaced;   /* of keys */
    uint64_t lost;       /* answers that told of writes of the session that may be lost */
    uint64_t alone;      /* of keys: one node alone has them */
    uint64_t retries;    /* requests sent again */
    uint64_t unknown;    /* writes that have happened or have not */
    uint64_t failed;     /* not written; not read */
    uint64_t differ;     /* read back otherwise */
    uint64_t bad;        /* lines that are not usable */
    uint64_t unchecked;  /* lines not read back: nobody knows what should stand there */
    uint64_t superseded; /* lines not read back: a later one has the same key */
    uint64_t same_node;  /* read through the node of the write, because no other answered */
    uint64_t took_ms;    /* all together */
};

struct load_marks {
    uint8_t *nodes;   /* by line - 1: the node of the write, or MARK_… */
    uint64_t *hashes; /* by line - 1: of the key */
    size_t count;     /* lines marked */
    size_t cap;       /* allocated */
};

struct load {
    const struct cli *cli;         /* who asks */
    struct client *client;         /* whom */
    struct client_session session; /* as whom */
    struct lines lines;            /* of the pass */
    struct progress progress;      /* of the pass */
    struct load_tally tally;       /* of the pass */
    struct load_slot *slots;       /* options->jobs of them */
    uint32_t slots_used;           /* of these */
    size_t bytes_under_way;        /* keys and values in slots */
    uint64_t in_a_row;             /* failures */
    uint64_t in_a_row_from;        /* the first line of these */
    uint64_t complaints;           /* printed or not */
    bool gave_up;                  /* FAILURES_IN_A_ROW_MAX was reached, or reading failed */
    uint64_t unreachable;          /* of the failures in a row: nobody answered */
    struct recent recent;          /* keys since the session was last settled */
    struct buf last_key;           /* for settling */
    struct load_marks marks;       /* with --verify */
    FILE *spool;                   /* with --verify: what came through a pipe; or NULL */
    uint64_t spool_line;           /* the last line in it */
};

/* One more under way; there is a free slot. */
void load__ask(struct load *load, struct client_ask *ask, const struct line *line);

/* Takes answers: calls `judge` for each. */
void load__take(struct load *load,
                void (*judge)(struct load *, struct load_slot *, const struct client_answer *));

/* Waits for answers, input, or a little while. */
void load__wait(struct load *load, bool for_input);

/* Counts a failure; prints the first few, with number and key of the line. */
void load__fail(struct load *load, const struct load_slot *slot, const struct client_answer *answer,
                const char *what);
void load__complain(struct load *load, uint64_t line, struct slice key, const char *what,
                    struct slice detail);

bool load__stopped(const struct load *load);

/* The second pass, over the same lines. */
void load__verify(struct load *load, int fd, uint64_t line_count);

/* Sentences, or one line of JSON; returns the exit status. verified: NULL, or of the second pass.
 * next_line: the first one that was not handled. */
enum exit_status load__report(const struct load *load, const struct load_tally *written,
                              const struct load_tally *verified, uint64_t next_line);
