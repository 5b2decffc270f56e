/* history - what clients did and saw, from lines of text.
 *
 * Does:   reads a recorded history into operations: who, what, which key, which value, who read
 *         from whom.
 * Not:    judging (judge.h). It shares nothing with the code that is judged.
 * Holds:  B1 operations of a session stand in the order in which it issued them, and
 *         their times of issue ascend. B2 every value
 *         is written at most once.
 * Limits: HISTORY_OPS operations and as many final reads, HISTORY_LINE_BYTES a line.
 * See:    README.md in this folder for the format.
 *
 * A line is words with single spaces between them; empty lines and lines that start with # are
 * passed over. Session, node, key and value are any bytes but space and newline (a recorder
 * percent-encodes those), a value is not "-"; times are microseconds of one clock.
 *
 *   w SESSION START END KEY VALUE FATE    a write of a value that nobody else writes
 *   d SESSION START END KEY ID FATE       a delete, under a name that no value has
 *   r SESSION START END KEY VALUE FATE    a read; VALUE - when the key did not exist
 *   c SESSION TIME OTHER [COUNT]          SESSION takes over the context that OTHER has by now, or
 *                                         had after its first COUNT lines (w, d, r and c)
 *   f NODE KEY VALUE                      a final read at one replica, after everything healed
 *
 * FATE: ok; no (refused, it had no effect); unknown (it may have happened; the session goes on
 * without it in its context). A read whose fate is not ok counts as refused.
 */
#pragma once

#include "check/names.h"

#define HISTORY_OPS (UINT32_C(1) << 26)
#define HISTORY_LINE_BYTES 65536U
#define OP_NONE UINT32_MAX

enum op_kind {
    OP_WRITE,
    OP_DELETE,
    OP_READ,
    OP_TAKE, /* the context of another session was taken over; on no key */
};

struct op {
    enum op_kind kind; /* what */
    bool unknown;      /* of a write or delete: it may have happened */
    bool observed;     /* of an unknown write: somebody read it */
    uint32_t line;     /* where it stands, from 1 */
    uint32_t session;  /* who; a number of sessions */
    uint32_t key;      /* a number of keys */
    uint32_t value;    /* a number of values; NAMES_NONE for a read of nothing */
    uint32_t before;   /* operation of the same session that its context contains, or OP_NONE */
    uint32_t source;   /* of a read: the write that it read from, or OP_NONE; of a read of nothing
                          the delete, where nothing_deduce has found it */
    uint32_t taken;    /* of a take: the other's operation whose context was taken over */
    uint64_t start_us; /* issued */
    uint64_t end_us;   /* answered */
};

struct final {
    uint32_t line;  /* where it stands */
    uint32_t node;  /* a number of nodes */
    uint32_t key;   /* a number of keys */
    uint32_t value; /* a number of values, NAMES_NONE for nothing */
};

/* What a session had seen after each of its lines. */
struct session {
    uint32_t *after; /* the latest operation with an effect, or OP_NONE; owned */
    uint32_t count;  /* lines so far */
    uint32_t cap;    /* allocated */
    uint64_t issued; /* time of the latest line */
};

struct history {
    struct names sessions; /* who */
    struct names keys;     /* of what */
    struct names values;   /* values and names of deletes */
    struct names nodes;    /* of final reads */
    struct op *ops;        /* in order of their lines; owned */
    uint32_t count;        /* of ops */
    uint32_t cap;          /* allocated */
    struct final *finals;  /* owned */
    uint32_t final_count;  /* of finals */
    uint32_t final_cap;    /* allocated */
    uint32_t *writer;      /* by value: the operation that wrote it, or OP_NONE; owned */
    struct session *seen;  /* by session; owned */
    uint32_t seen_cap;     /* allocated */
    uint32_t lines;        /* read so far */
    uint32_t refused;      /* operations that had no effect */
    uint32_t unknown;      /* whose outcome is not known */
};

void history_init(struct history *history);
void history_fini(struct history *history);

/* Takes one line, without its newline. False: it makes no sense; a sentence is in *why (static). */
bool history_line(struct history *history, struct slice line, const char **why);

/* After the last line: resolves who read from whom. False as history_line, with the line in
 * *where: a value was written twice. A read of a value that nobody wrote is left with source
 * OP_NONE and its value: the judge tells. */
bool history_end(struct history *history, uint32_t *where, const char **why);
