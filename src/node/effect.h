/* effect - all that a node can want.
 *
 * Does:   the output of node_step.
 * Not:    -
 * Holds:  Y1 bytes are borrowed: valid until the next step of the same node, whoever needs them
 *         for longer copies them. Y2 at most one COMMIT is under way at any time. Y3 what rests
 *         on a COMMIT leaves only in the step of its COMMITTED, or later. Y4 effects of a step
 *         are carried out in their order.
 * Limits: LIMIT_EFFECTS a step.
 * See:    event.h; docs/architecture.md "The step".
 */
#pragma once

#include "node/request.h"

enum effect_type {
    EFFECT_CONNECT, /* dial address; answered by PEER_UP or PEER_DOWN with the same dial number */
    EFFECT_HANGUP,  /* send what was given to SEND before, then close; no PEER_DOWN follows */
    EFFECT_SEND,    /* bytes to a connection; dropped silently when it is gone */
    EFFECT_REPLY,   /* the answer to a request */
    EFFECT_COMMIT,  /* append bytes to a segment of the log, then COMMITTED */
    EFFECT_SYNC,    /* sync everything whose COMMITTED was delivered before, then SYNCED */
    EFFECT_DROP,    /* remove a segment; no answer; any time after the step */
    EFFECT_STOPPED, /* nothing more will come; the process may end */
};

struct effect {
    enum effect_type type; /* which */
    union {
        struct {
            uint32_t dial;        /* chosen by the node, not 0, never reused in a process */
            struct slice address; /* "host:port" */
        } connect;
        struct {
            uint64_t conn; /* from PEER_UP or FRAME */
        } hangup;
        struct {
            uint64_t conn;      /* from PEER_UP or FRAME */
            struct slice bytes; /* whole frames */
        } send;
        struct reply reply;
        struct {
            uint64_t id;        /* 1, 2, 3 … */
            uint64_t segment;   /* log segment id */
            uint64_t offset;    /* where in it; 0: the segment is new */
            struct slice bytes; /* what to append */
            bool sync;          /* COMMITTED only after it (and the file's name) is synced */
        } commit;
        struct {
            uint64_t id; /* 1, 2, 3 … */
        } sync;
        struct {
            uint64_t segment; /* log segment id; always the oldest that exists */
        } drop;
        struct {
            bool failed; /* the disk said no, or the log is not ours: exit status 1 */
        } stopped;
    };
};

/* What a step yields: owned by the caller of node_step, filled anew by each step. */
struct effects {
    uint32_t count;                    /* in use */
    struct effect list[LIMIT_EFFECTS]; /* in order */
};
