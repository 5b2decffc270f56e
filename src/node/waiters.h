/* waiters - requests that have not been answered yet.
 *
 * Does:   a table of requests that wait: parked for their causes, forwarded to another node,
 *         written and waiting for a second copy, or asking for another configuration; a list for
 *         each of the four.
 * Not:    deciding what happens to them (park.c, calls.c, ack.c, asked.c).
 * Holds:  N1 a waiter is in exactly one list (T16: never parked and forwarded at once). N2 a
 *         reference of a waiter that has gone is never taken for another one.
 * Limits: knob max_requests; their bytes count against max_memory_bytes.
 * See:    docs/protocol.md sections 3.1 to 3.5.
 */
#pragma once

#include "node/request.h"

enum waiter_state {
    WAITER_FREE,      /* not in use */
    WAITER_PARKED,    /* waits here for its causes, or for an epoch */
    WAITER_FORWARDED, /* another node has it */
    WAITER_WRITTEN,   /* has a dot, waits for a second copy or a sync */
    WAITER_ASKED,     /* an operator's: waits until the configuration is as it wants (asked.c) */
};

/* Where the frame of a forwarded one is (calls.c). */
enum forward_state {
    FORWARD_HELD,    /* with the output that waits for a commit */
    FORWARD_SENT,    /* on a connection; whether it arrives is not known */
    FORWARD_ARRIVED, /* the other node has said so: it will answer */
    FORWARD_UNSENT,  /* nowhere: there was no connection when it was to leave */
};

#define WAITER_LISTS 5U
#define WAITER_NONE UINT32_MAX

/* A request on its way through this node, wherever it came from. */
struct call {
    uint64_t id;          /* the shell's number, or the forwarder's where origin is set */
    uint64_t session;     /* client connection */
    uint64_t origin;      /* node id of the forwarder; 0: a client of this node */
    enum op op;           /* what */
    enum value_form form; /* of a PUT */
    uint32_t copies;      /* asked for */
    uint32_t hops;        /* forwards so far */
    uint32_t shard;       /* id, of OP_COUNT and OP_SHARD_ADD; how many, of OP_RESHARD */
    bool force;           /* of OP_VIEW_REMOVE */
    bool async;           /* of OP_RESHARD */
    bool informed;        /* it brought a context */
    uint64_t fence;       /* the least of the contexts that it brought, for what is to be told */
    uint32_t lost_count;  /* in use */
    struct lost lost[LIMIT_LOST]; /* what its client has to be told of (lost.c) */
    uint64_t deadline_ms;         /* for its dependencies, mono */
    uint64_t since_ms;            /* when it came to this node, mono */
    uint64_t avoid;               /* node id that could not take it; 0: none */
    struct slice key;             /* borrowed */
    struct slice value;           /* borrowed */
    struct ctx ctx;               /* merged context */
};

struct waiter {
    enum waiter_state state; /* see above */
    uint32_t prev;           /* in the list of its state */
    uint32_t next;           /* in the list of its state, or of the free ones */
    uint32_t uses;           /* of this place (N2) */
    struct call *call;       /* owned, with its key and value behind it; NULL when written */
    size_t bytes;            /* of the allocation */
    struct dot dot;          /* parked: what is missing (actor 0: an epoch); written: its name */
    uint64_t target;         /* forwarded: node id */
    enum forward_state sent; /* forwarded: see above */
    uint32_t generation;     /* forwarded, from SENT on: of the connection */
    uint64_t number;         /* forwarded, from SENT on: which call on it, 1, 2, 3 … */
    uint64_t position;       /* written: end of its log record */
    uint32_t slot;           /* written: of its key */
    uint64_t until_ms;       /* when something must happen to it, mono */
    enum outcome outcome;    /* written: created, replaced, deleted */
    bool proposed;           /* asked: this node has proposed it */
    uint64_t proposed_epoch; /* asked: which the latest proposal for it would begin; 0: none */
    bool begun;              /* asked: nothing more had to change for it, or slots were moving */
};

struct waiters {
    struct waiter *list;          /* owned */
    uint32_t cap;                 /* places allocated */
    uint32_t count;               /* in use */
    uint32_t going_on;            /* of these, whose requests go on: they are freed afterwards */
    uint32_t free;                /* first free place */
    uint32_t head[WAITER_LISTS];  /* first of each state, oldest first */
    uint32_t tail[WAITER_LISTS];  /* last of each state */
    uint32_t sizes[WAITER_LISTS]; /* how many of each state */
    uint64_t bytes;               /* in their allocations */
    uint64_t salt;                /* of references: random for each process */
};

void waiters_init(struct waiters *waiters);
void waiters_fini(struct waiters *waiters);

/* No more than most may wait, and as many do. */
bool waiters_full(const struct waiters *waiters, uint64_t most);

/* Adds a copy of call in state; returns its index. */
uint32_t waiters_add(struct waiters *waiters, enum waiter_state state, const struct call *call);

/* The call as it was given; its key and value lie in the waiter, until that is removed. */
void waiters_call(const struct waiters *waiters, uint32_t index, struct call *call);

/* Moves it to the end of another list. */
void waiters_move(struct waiters *waiters, uint32_t index, enum waiter_state state);

/* Forgets it; its call is freed. */
void waiters_remove(struct waiters *waiters, uint32_t index);

/* A number for the outside (N2), and back: WAITER_NONE when it has gone. */
uint64_t waiters_ref(const struct waiters *waiters, uint32_t index);
uint32_t waiters_find(const struct waiters *waiters, uint64_t ref);

void waiters_check(const struct waiters *waiters);
