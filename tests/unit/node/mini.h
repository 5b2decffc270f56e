/* mini - a handful of nodes in a perfect world, for stories.
 *
 * Does:   N nodes, connections that lose nothing until they are cut, disks that keep everything,
 *         one clock; requests that are answered by the time `ask` returns.
 * Not:    faults at random: that is the simulator's (sim/).
 * Holds:  effects are carried out in order; a turn ends after every event.
 * Limits: MINI_NODES nodes, MINI_CONNS connections.
 * See:    node/node.h.
 */
#pragma once

#include "node/node.h"

#define MINI_NODES 8U
#define MINI_CONNS 4096U

/* What becomes of the frames that a dialler sends over its connection. */
enum mini_way {
    MINI_FLOWS, /* they arrive */
    MINI_LATE,  /* they wait until it flows again */
    MINI_VOID,  /* they are lost, and nobody learns of it yet */
};

struct mini_conn {
    bool open;        /* frames pass */
    bool hung_up;     /* by one end: what it had sent to the other before passes still */
    uint32_t hung_to; /* that other */
    uint32_t from;    /* dialler */
    uint32_t to;      /* acceptor */
};

struct mini_disk {
    struct buf segments[64]; /* by id */
    size_t synced[64];       /* bytes of each that survive the machine */
    uint64_t first;          /* oldest that exists */
    uint64_t last;           /* newest; 0: none */
    uint64_t sync;           /* under way in the background, when that takes time; 0: none */
    uint64_t sync_done_ms;   /* when it is done */
};

struct mini_frame {
    struct mini_frame *next; /* in the queue of the world */
    uint64_t conn;           /* over which */
    uint32_t to;             /* node index */
    bool up;                 /* not a frame: PEER_UP with dial in len */
    bool down;               /* not a frame: PEER_DOWN */
    uint32_t dial;           /* of a PEER_UP or a failed dial */
    size_t len;              /* bytes */
    uint8_t bytes[];         /* one frame */
};

struct mini {
    uint32_t count; /* nodes */
    struct node_options options[MINI_NODES];
    struct node *nodes[MINI_NODES]; /* NULL: down */
    struct mini_disk disks[MINI_NODES];
    struct mini_conn conns[MINI_CONNS];         /* by number */
    uint64_t conn_count;                        /* numbers given out */
    bool cut[MINI_NODES];                       /* cut off from all others */
    enum mini_way ways[MINI_NODES][MINI_NODES]; /* by dialler and acceptor */
    struct mini_frame *head;                    /* in flight, oldest first */
    struct mini_frame *tail;                    /* newest */
    struct mini_frame *late;                    /* MINI_LATE, newest first */
    struct effects *effects;                    /* of the current step */
    uint64_t now_ms;                            /* the one clock */
    uint64_t boot[MINI_NODES];                  /* which boot of each machine */
    bool replied;                               /* to the newest request */
    enum err earlier;                           /* what an earlier one was answered since */
    struct reply reply;                         /* its slices lie in `kept` */
    struct buf kept;                            /* bytes of the reply */
    uint64_t next_id;                           /* of requests */
    uint32_t shard_id;                          /* of the requests that name one */
    bool force;                                 /* of the requests that may */
    bool async;                                 /* likewise */
    uint64_t sync_ms;                           /* what a background sync takes */
    uint32_t stopped;                           /* STOPPED effects seen */
};

void mini_init(struct mini *mini, uint32_t count, uint32_t shards);
void mini_fini(struct mini *mini);
void mini_start(struct mini *mini, uint32_t index);

/* The first start of the first `count` nodes; and with mini_init before it. False: one of them
 * does not serve. */
bool mini_first_start(struct mini *mini, uint32_t count);
bool mini_start_all(struct mini *mini, uint32_t count, uint32_t shards);
void mini_kill(struct mini *mini, uint32_t index);          /* process crash */
void mini_power_cut(struct mini *mini, uint32_t index);     /* what is not synced never was */
void mini_wipe(struct mini *mini, uint32_t index);          /* its directory, while it is down */
void mini_cut(struct mini *mini, uint32_t index, bool cut); /* from everybody */
void mini_run(struct mini *mini, uint64_t ms);              /* lets time pass */

/* The connection that `from` dialled to `to`, alone: how it flows, and its end, of which both
 * sides learn. */
void mini_way(struct mini *mini, uint32_t from, uint32_t to, enum mini_way way);
void mini_reset(struct mini *mini, uint32_t from, uint32_t to);

/* The open connection that `from` dialled to `to`; a frame that comes over it, made up. */
uint64_t mini_conn(const struct mini *mini, uint32_t from, uint32_t to);
void mini_inject(struct mini *mini, uint64_t conn, struct slice frame);

/* A request at a node with up to one token (may be empty); runs until it is answered (30 s). The
 * token of the reply is in mini->reply.token. */
const struct reply *mini_ask(struct mini *mini, uint32_t index, enum op op, const char *key,
                             const char *value, struct slice token);

/* The two halves of it: mini->replied says whether the answer is there. */
void mini_begin(struct mini *mini, uint32_t index, enum op op, const char *key, const char *value,
                struct slice token);
const struct reply *mini_wait(struct mini *mini);
