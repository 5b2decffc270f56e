/* request - what a client asks of a node, and the answer, whatever protocol it speaks.
 *
 * Does:   the structures between node/ and the protocols (http/, later RESP).
 * Not:    parsing, rendering, order of answers on a connection: the protocols'.
 * Holds:  Q1 every request that was handed to a node gets exactly one reply, unless it was
 *         withdrawn (EVENT_GONE) or the process ends first.
 * Limits: LIMIT_TOKENS; the knobs max_key_bytes and max_value_bytes are checked by the node, the
 *         protocol refuses earlier what it can.
 * See:    docs/api.md; docs/protocol.md section 3.
 */
#pragma once

#include "wire/wire.h"

/* Numbers travel between nodes (FORWARD): never reused. */
enum op {
    OP_GET = 1,
    OP_PUT = 2,
    OP_DELETE = 3,
    OP_COUNT = 4, /* live keys of a shard */
    /* What an operator asks of the configuration; never handed on: whoever is asked proposes. */
    OP_VIEW_ADD = 5,        /* list one address */
    OP_VIEW_REMOVE = 6,     /* take addresses off the list */
    OP_SHARD_ADD = 7,       /* put the node at one address into a shard */
    OP_RECOVER = 8,         /* go on without the nodes at these addresses: a removal where a
                               majority remembers, else a new history; with force: of what the
                               directories hold */
    OP_RESHARD = 9,         /* deal nodes and slots out over shard_id shards */
    OP_RESHARD_CANCEL = 10, /* what has not been switched falls back */
};

static inline bool op_writes(enum op op)
{
    return op == OP_PUT || op == OP_DELETE;
}

static inline bool op_changes_config(enum op op)
{
    return op >= OP_VIEW_ADD;
}

/* Wait as long as the knob wait_ms says; an operator, 10 s. */
#define REQUEST_WAIT_DEFAULT UINT32_MAX

struct request {
    uint64_t id;          /* chosen by the shell, unique among those under way */
    uint64_t session;     /* the client connection: keeps its forwards on one replica */
    enum op op;           /* what */
    enum value_form form; /* of a PUT: VALUE_JSON or VALUE_RAW */
    struct slice key;     /* borrowed for the step; empty for OP_COUNT. Of a change of the
                             configuration: addresses as address_parse writes them, with commas
                             between */
    struct slice value;   /* of a PUT; borrowed for the step */
    struct slice tokens[LIMIT_TOKENS]; /* contexts as text, merged by the node; borrowed */
    uint32_t token_count;              /* in use; 0: nothing seen yet */
    uint32_t wait_ms;  /* for dependencies, or until the configuration is as an operator wants; at
                          most 30000, or REQUEST_WAIT_DEFAULT */
    uint32_t copies;   /* 2: refuse the answer of a lone copy; else 0 */
    uint32_t shard_id; /* of OP_COUNT and OP_SHARD_ADD; of OP_RESHARD: how many */
    bool async;        /* of OP_RESHARD: answer when it has begun, not when it is done */
    bool force; /* of OP_VIEW_REMOVE: rather leave a shard degraded than refuse; of OP_RECOVER:
                          nobody remembers, go on with what the directories hold */
};

/* What happened, where err is E_OK. Numbers travel between nodes. */
enum outcome {
    OUTCOME_NONE = 0,      /* see err */
    OUTCOME_FOUND = 1,     /* value and form are set */
    OUTCOME_NOT_FOUND = 2, /* of GET and DELETE; err is E_KEY_MISSING */
    OUTCOME_CREATED = 3,
    OUTCOME_REPLACED = 4,
    OUTCOME_DELETED = 5,
    OUTCOME_COUNTED = 6,    /* count is set */
    OUTCOME_ADDED = 7,      /* OP_VIEW_ADD: listed now */
    OUTCOME_PRESENT = 8,    /* OP_VIEW_ADD: was listed already */
    OUTCOME_REMOVED = 9,    /* OP_VIEW_REMOVE: off the list */
    OUTCOME_PLACED = 10,    /* OP_SHARD_ADD: it serves that shard, or fills up for it */
    OUTCOME_RECOVERED = 11, /* OP_RECOVER: the new history has begun */
    OUTCOME_RESHARDED = 12, /* OP_RESHARD: all is so */
    OUTCOME_BEGUN = 13,     /* OP_RESHARD, async: it is on its way */
    OUTCOME_CANCELLED = 14, /* OP_RESHARD_CANCEL: nothing more is wanted */
};

/* Who lacks what a request needed. */
struct waiting_for {
    struct slice address; /* of the node that is behind; borrowed */
    uint64_t behind_by;   /* writes it lacks at least */
};

#define LIMIT_WAITING 8U

/* What may have been lost of what a context named (docs/protocol.md 6.5): told once, the token of
 * the answer does not name it any more. */
struct lost {
    uint32_t shard_id;  /* whose data */
    uint32_t actor;     /* whose writes, or 0: of the whole shard */
    uint64_t whole_seq; /* of an actor: up to here nothing is lost */
    uint64_t epoch;     /* since which epoch of the configuration it is known */
};

#define LIMIT_LOST 8U

struct reply {
    uint64_t id;             /* of the request */
    enum err err;            /* E_OK or why not */
    enum outcome outcome;    /* see above */
    enum value_form form;    /* of value */
    struct slice value;      /* borrowed until the next step */
    struct slice token;      /* the new context as text; empty only before the
                                                  first configuration; borrowed */
    uint32_t copies;         /* of a write: 1 when this node alone has it, 2 when
                                                  at least two have; 0 otherwise */
    bool outcome_unknown;    /* the write may or may not have happened */
    uint64_t count;          /* OUTCOME_COUNTED */
    struct slice detail;     /* a clause more than err_sentence, or empty; borrowed */
    uint32_t retry_after_ms; /* 0: say nothing */
    uint32_t waiting_count;  /* in use */
    struct waiting_for waiting[LIMIT_WAITING]; /* E_NOT_COVERED: who lacks what */
    uint32_t lost_count;                       /* in use; the newest, where there are more */
    struct lost lost[LIMIT_LOST];              /* what the client has to be told of */
};
