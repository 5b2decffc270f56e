/* state - what a node knows, for the files of this folder.
 *
 * Does:   the structure behind node.h and the calls between the files of the root.
 * Not:    for other modules.
 * Holds:  see node.h.
 * Limits: see node.h.
 * See:    README.md in this folder.
 */
#pragma once

#include "node/hold.h"
#include "node/kept.h"
#include "node/links.h"
#include "node/node.h"
#include "node/waiters.h"
#include "replica/replica.h"

#define NODE_MAGIC UINT32_C(0x7468656e)

/* How often waiting requests are looked over, while there are any. */
#define SCAN_MS 5U

/* Where commits and syncs stand (commit.c). Positions are those of log.h. */
struct commits {
    uint64_t id;             /* of the last COMMIT */
    bool under_way;          /* it has not been answered */
    bool syncs;              /* it was asked to sync */
    uint64_t under_way_end;  /* position behind it */
    uint64_t committed;      /* position behind the last answered one */
    bool must_sync;          /* the batch being collected must be synced (adoption, start, stop) */
    uint64_t vowed;          /* what the register's frames rest on, synced: a position */
    uint64_t sworn;          /* the same of those that the sync under way is for */
    uint64_t sync_id;        /* of the last SYNC */
    bool syncing;            /* it has not been answered */
    uint64_t syncing_end;    /* what it will have synced */
    uint64_t synced;         /* position known to be synced */
    uint64_t sync_due_ms;    /* when the background sync is due, mono */
    bool sync_wanted;        /* somebody waits for a sync */
    uint64_t taken_ms;       /* when the last batch was taken, mono */
    uint64_t checkpoint_ms;  /* when the checkpoint last got a budget, mono */
    uint64_t checkpoint_end; /* position behind what it wrote then */
};

/* What the log said of earlier lives (recover.c). */
struct lives {
    bool known;            /* a RECORD_START was there */
    uint64_t boot_id;      /* of the last one */
    uint64_t directory_id; /* of the last one */
    bool disk;             /* it ran with disk durability */
};

/* A term that a node had when it was taken off the list (removed.c). */
struct removed_term {
    uint32_t actor;   /* not 0 */
    uint64_t seq;     /* its last write; not 0 */
    bool handed_over; /* what it had others have, if nobody says otherwise */
};

struct removed {
    struct removed_term terms[LIMIT_ACTORS]; /* in its shard, in transits, and those before them */
    uint32_t count;                          /* in use; 0: it wrote nothing, or is no such node */
    bool said; /* TRACE_ONLY_HERE went out, or there was nothing to say */
};

enum only_here {
    ONLY_HERE_COUNTED, /* so many, at most */
    ONLY_HERE_LATER,   /* a term of it is not sealed yet */
    ONLY_HERE_UNKNOWN, /* the cluster has forgotten */
};

struct node {
    uint32_t magic;               /* NODE_MAGIC */
    struct node_options options;  /* as given */
    const struct knobs *knobs;    /* options.knobs */
    struct tracer tracer;         /* who listens; silent during replay */
    struct rng rng;               /* from entropy */
    uint64_t mono_ms;             /* of this step */
    uint64_t wall_ms;             /* of this step */
    uint64_t id;                  /* node id; 0 before EVENT_RECOVER */
    enum node_phase phase;        /* see node.h */
    struct buf reason;            /* why it refuses, in NODE_REFUSED and NODE_ASKING */
    uint32_t doubt_actor;         /* the own actor whose log was not whole; 0: none (doubt.c) */
    uint64_t renewal_ms;          /* wall: dates what this process asks for in doubt; 0: nothing */
    bool listed_once;             /* a configuration has listed this node id */
    struct removed removed;       /* what it was when a configuration listed it last */
    bool fresh;                   /* it knew no configuration when it started */
    uint64_t asking_ms;           /* mono: since when it is who it is, and may want a place */
    bool pause_said;              /* TRACE_PAUSED went out since */
    bool log_usable;              /* false: nothing may be appended any more */
    struct log *log;              /* owned */
    struct table *table;          /* owned */
    struct checkpoint checkpoint; /* of log and table */
    struct config *config;        /* adopted; owned; NULL before the first */
    struct buf config_frame;      /* CONFIG of it, ready to send */
    struct replicas *replicas;    /* owned; NULL before EVENT_RECOVER */
    struct vv *covered;           /* owned: for node_coverage */
    struct buf told_frame;        /* CONFIG of the last one whose adoption is committed */
    uint64_t told_epoch;          /* its epoch; 0: none */
    struct reg reg;               /* the register */
    struct boot boot;             /* the first start */
    struct links links;           /* connections */
    struct waiters waiters;       /* requests that wait */
    struct kept kept;             /* answers that other nodes may not have heard */
    struct commits commits;       /* see above */
    struct lives lives;           /* see above */
    struct hold *open;            /* output of the steps since the last COMMIT */
    struct hold *resting;         /* output that rests on the COMMIT under way */
    struct hold *vows;            /* frames of the register: they rest on the next sync */
    struct hold *sworn;           /* those that rest on the sync under way; NULL: none do */
    struct hold *ready_head;      /* output that may leave, oldest first */
    struct hold *ready_tail;      /* the last of it */
    struct hold *spent;           /* emitted: kept until the next step begins (Y1) */
    struct hold *pool;            /* to reuse */
    struct metrics metrics;       /* figures */
    uint64_t scan_ms;             /* when waiters are next looked over, mono */
    uint64_t change_ms;           /* when to look for changes to propose, mono (change.c) */
    uint64_t adopted_ms;          /* mono, of the last adoption */
    bool newcomers;               /* somebody has come to a member's address without its memory */
    uint64_t fork_since_ms; /* since when everybody is there and too many have forgotten, mono;
                                     UINT64_MAX: that is not so (fork.c) */
    bool announced_boot;    /* what we wait for has been logged */
    uint64_t boot_said_ms;  /* and when, mono */
    bool alone_said;        /* TRACE_ALONE went out, TRACE_TOGETHER not yet */
    bool memory_full_said;  /* likewise */
    bool disk_full_said;    /* likewise */
    bool stop_asked;        /* EVENT_STOP came */
    bool stop_logged;       /* RECORD_STOP is in the log */
    uint64_t stop_ms;       /* until when writes may wait for copies, mono */
    bool stopped;           /* STOPPED went out */
    bool failed;            /* a commit failed, or the log is not ours */
    uint64_t flush_ms;      /* when replicas_flush has more to do, mono */
    uint64_t started_ms;    /* mono, of EVENT_RECOVER */
};

/* What was done about a call, to be told to whoever asked. */
struct answer {
    enum err err;         /* E_OK or why not */
    enum outcome outcome; /* what happened */
    enum value_form form; /* of value */
    struct slice value;   /* borrowed */
    uint32_t copies;      /* of a write */
    bool unknown;         /* a write that may have happened */
    bool bare;            /* no token: the client's own says more than this node can repeat */
    bool not_mine;        /* to a forwarder only: this node is no owner */
    uint64_t count;       /* OP_COUNT */
    struct slice detail;  /* a clause more, or empty */
    struct slice waiting; /* from another node: encoded waiting list, as in FORWARD_REPLY */
};

struct replica_io node__io(struct node *node);
struct replica *node__replica_of(const struct node *node, const struct call *call);
struct reg_io node__reg_io(struct node *node);
void node__reg_done(struct node *node, const struct reg_io *io, enum reg_result result);
void node__trace(const struct node *node, enum trace_id id, uint64_t a, uint64_t b, uint64_t c,
                 struct slice text);

/* commit.c */
struct outbox *node__out(struct node *node);
struct outbox *node__direct(struct node *node);
struct outbox *node__vows(struct node *node);
void node__turn_end(struct node *node, struct effects *effects);
void node__committed(struct node *node, uint64_t id);
void node__synced(struct node *node, uint64_t id);
void node__emit(struct node *node, struct effects *effects);
void node__begin_step(struct node *node);
bool node__output_waits(const struct node *node);
void node__maintain(struct node *node, struct effects *effects);
void node__mark(struct node *node);

/* recover.c */
void node__recover(struct node *node, const struct log_segment *segments, size_t count);
void node__log_start(struct node *node);

/* doubt.c */
uint64_t node__new_id(struct node *node);
uint32_t node__own_actor(const struct node *node); /* 0: it is not listed, or a spare */
bool node__in_doubt(const struct node *node);
void node__doubt_actor(struct node *node, const char *why);
void node__judge_actor(struct node *node);
void node__doubt_all(struct node *node, const char *why); /* at the start: a new id, and why */
bool node__replay_doubt(struct node *node, struct slice body);
void node__take_id(struct node *node, uint64_t id); /* an empty register; the table stays */
bool node__has_outlived(const struct node *node);
/* Later on: ends requests and connections, takes a new id, and says so in the log. The caller
 * settles. */
void node__begin_anew(struct node *node, const char *why);

/* removed.c */
void node__note_removed(struct node *node, const struct config *next);
enum only_here node__only_here(const struct node *node, uint64_t *count);
void node__say_only_here(const struct node *node, struct buf *out); /* "; …", or nothing */
void node__tell_only_here(struct node *node);
bool node__keeps_what_it_has(const struct node *node);

/* status.c */
struct slice node__phase_text(enum node_phase phase);

/* change.c */
bool node__propose(struct node *node, struct config *next, const uint64_t *acceptors,
                   uint32_t count, uint32_t quorum, struct slice gives_way);
bool node__propose_next(struct node *node, struct config *next);
bool node__may_propose(const struct node *node);
bool node__try_change(struct node *node, struct config *next, const char *what);
void node__believed_alive(const struct node *node, bool alive[LIMIT_MEMBERS]);
bool node__is_listed(const struct node *node);
void node__tick_changes(struct node *node);
uint64_t node__pause_ms(const struct node *node); /* until it may ask for a place; 0: it may */
uint64_t node__change_deadline_ms(const struct node *node);

/* asked.c */
bool node__next_address(struct slice *rest, struct address *address);
enum err node__check_addresses(const struct request *request);
void node__ask(struct node *node, struct call *call);
bool node__want_asked(struct node *node);
void node__refuse_asked(struct node *node);

/* adopt.c */
bool node__adopt(struct node *node, struct config *config);
void node__settle(struct node *node);
bool node__has_place(enum node_phase phase);               /* listed, and not in doubt */
void node__start_over(struct node *node, const char *why); /* begins anew, and settles */
void node__contradicted(struct node *node); /* so, because of what a peer remembers */
void node__refuse(struct node *node, const char *why);
void node__tick_boot(struct node *node);

/* handshake.c */
void node__dial(struct node *node, struct effects *effects);
void node__peer_up(struct node *node, uint32_t dial, uint64_t conn);
void node__peer_down(struct node *node, uint32_t dial, uint64_t conn, bool refused);
void node__hello(struct node *node, uint64_t conn, const struct frame *frame);
void node__drop_link(struct node *node, struct link *link, bool hang_up);
void node__hang_up_guests(struct node *node);
void node__welcome_listed(struct node *node);
void node__tick_links(struct node *node);
uint64_t node__greeting_ms(const struct node *node, const struct link *link);
void node__refuse_conn(struct node *node, uint64_t conn, enum err err, const char *why);
bool node__alive(const struct node *node, uint64_t node_id);
bool node__usable(const struct node *node, uint64_t node_id);

/* frames.c */
void node__frame(struct node *node, uint64_t conn, struct slice bytes);
void node__part(struct node *node, uint64_t conn);

/* request.c */
void node__request(struct node *node, const struct request *request);
void node__gone(struct node *node, uint64_t id);
bool node__translate(const struct node *node, struct ctx *one);
void node__answer(struct node *node, struct call *call, const struct answer *answer);
void node__answer_error(struct node *node, struct call *call, enum err err);

/* route.c */
void node__route(struct node *node, struct call *call);
uint64_t node__place(const struct node *node, const struct call *call);
bool node__behind(const struct node *node, const struct ctx *ctx);
void node__forward(struct node *node, struct call *call, uint64_t target);
uint64_t node__target(const struct node *node, const struct call *call, uint32_t shard);
void node__recv_forward(struct node *node, uint64_t from, const struct msg_forward *msg);
void node__recv_forward_reply(struct node *node, uint64_t from,
                              const struct msg_forward_reply *msg);
void node__again(struct node *node, uint32_t index, uint64_t avoid);
void node__give_up(struct node *node, uint32_t index);

/* calls.c */
bool node__is_call(uint8_t type);
void node__call_leaves(struct node *node, struct link *link, const struct outbox_item *item,
                       struct slice frame);
void node__count_call(struct node *node, struct guest *guest);
void node__say_calls_heard(struct node *node, uint64_t conn, struct link *link,
                           uint32_t generation);
void node__calls_heard(struct node *node, struct link *link, const struct msg_calls_heard *msg);
void node__forwards_lost(struct node *node, uint64_t target);
void node__answers_lost(struct node *node, uint64_t target);
void node__forwards_hopeless(struct node *node, uint64_t target);
void node__scan_forwards(struct node *node);

/* fork.c */
bool node__remembers(const struct node *node, const struct member *member); /* and answers */
bool node__nobody_remembers(const struct node *node);
bool node__is_forgotten(const struct node *node);
bool node__has_newcomers(const struct node *node);
bool node__want_fork(struct node *node);
enum err node__want_recover(struct node *node, const struct address *named, uint32_t count,
                            bool may, bool *proposed);
enum err node__want_from_directories(struct node *node, const struct address *named, uint32_t count,
                                     bool may, bool *proposed);

/* lost.c */
void node__note_lost(const struct node *node, struct call *call);
void node__trace_losses(struct node *node, const struct config *next);

/* withdraw.c */
void node__withdraw(struct node *node);
void node__refuse_written(struct node *node, bool all);

/* serve.c */
void node__serve(struct node *node, struct call *call);

/* park.c */
void node__park(struct node *node, struct call *call, struct dot missing);
void node__unpark(struct node *node);
void node__scan(struct node *node);
void node__scan_soon(struct node *node);
void node__resume(struct node *node, uint32_t index);

/* ack.c */
void node__await(struct node *node, struct call *call, uint32_t slot, struct dot dot,
                 enum outcome outcome);
void node__ack(struct node *node);
void node__watch_alone(struct node *node);
