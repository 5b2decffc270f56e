/* state - what a replica knows, for the files of this folder.
 *
 * Does:   the structures behind replica.h.
 * Not:    for other modules.
 * Holds:  see replica.h.
 * Limits: see replica.h.
 * See:    README.md in this folder.
 */
#pragma once

#include "replica/replica.h"

#define REPLICA_WALKS_OUT 4U
#define SLOT_WALKS_OUT 3U /* of those: fills and merges */
#define WALK_CHUNKS_UNACKED 4U

/* A write that was received, logged and receipted, and waits for its causes. */
struct pending {
    struct pending *next; /* the next seq of the same actor */
    uint64_t seq;         /* of the write */
    uint64_t position;    /* of its log record */
    uint64_t sum;         /* checksum of the body */
    size_t len;           /* of the body */
    uint8_t body[];       /* version body */
};

/* An open actor whose slots meet ours: all that matters to delivery. */
struct actor_state {
    uint32_t actor;        /* id */
    bool retired;          /* its term has ended: its writes come by walks only (6.5) */
    uint64_t highest;      /* of it a write was put into the table up to here, covered or not */
    struct pending *head;  /* waits, coverage + 1 first */
    struct pending *tail;  /* the last of them */
    uint64_t gap_low;      /* first received above a hole, applied already; 0: none */
    uint64_t gap_high;     /* the last of those: a range above the hole, not the hole */
    uint64_t lag_seq;      /* coverage when it was first seen to lag */
    uint64_t lag_since_ms; /* since when somebody has more and we get nothing; 0: it does not lag */
    bool rewind;           /* frames were dropped: ask the writer to send again */
    uint64_t rewound;      /* it was asked to, from this seq on, and has not begun to; 0: not */
};

/* Another member of the own shard. */
struct peer {
    uint64_t node_id;          /* who */
    uint32_t actor;            /* its present actor */
    bool connected;            /* frames to it go somewhere */
    bool suspected;            /* as the node thinks */
    bool reported;             /* coverage and ranges are filled in */
    bool streaming;            /* sent_seq is known for this connection */
    bool report_due;           /* a report goes to it with the next flush */
    bool forgot;               /* it reported more in this term than it does now */
    enum member_state state;   /* as the configuration says */
    uint32_t generation;       /* of our HELLO on the connection to it */
    uint32_t their_generation; /* of its HELLO on the connection to us */
    uint64_t sent_seq;         /* last own write handed to the connection */
    uint64_t receipt_ok_ms;    /* last time it owed no receipt, or gave one */
    uint64_t clock_seq;        /* announcement that waits to be believed: its seq, 0 none */
    uint64_t clock;            /* and its clock */
    uint64_t floor;            /* greatest believed clock: later writes are above */
    int64_t clock_diff_ms;     /* its wall clock minus ours */
    struct vv coverage;        /* what it covers */
    struct ranges ranges;      /* what it received above that */
    uint64_t report_epoch;     /* when it last reported, it knew this epoch */
    bool merged;               /* it said then that it has walked all others */
    uint64_t merge_epoch;      /* a merge walk from it, asked for at this epoch, has ended here */
    uint64_t walked_epoch;     /* likewise a tail walk or a fill */
    struct vv highest;         /* of each retired actor one more than the highest seq that it has
                                  ever had, as it said then; none: it said nothing of it */
};

/* One own recent write, for the streams. */
struct window_item {
    uint8_t *bytes; /* the record; owned */
    uint32_t len;   /* of the record */
    uint64_t end;   /* bytes ever pushed, up to and with this one */
};

/* Own recent writes, first_seq … first_seq + count - 1. */
struct window {
    struct window_item *ring; /* cap items; owned */
    uint64_t cap;             /* a power of two */
    uint64_t first_seq;       /* of the oldest item */
    uint64_t count;           /* items */
    uint64_t bytes;           /* in the items */
    uint64_t pushed;          /* bytes ever pushed */
};

/* The walk that this node receives. */
struct walk_in {
    uint64_t id;          /* 0: none is under way */
    enum walk_kind kind;  /* see wire/msg.h */
    uint64_t source;      /* node id */
    uint32_t actor;       /* of the source */
    uint64_t epoch;       /* when it was asked for */
    uint64_t progress_ms; /* last sign of it */
    uint64_t chunks;      /* so far: numbers 1, 2, 3 … without a hole */
    uint64_t versions;    /* so far */
    uint64_t last_id;     /* of the latest walk, for unique ids */
    uint64_t wait_ms;     /* none is asked for before, mono: one was refused */
    bool beaten;          /* a fill: something lost against what will be dropped (T44) */
    bool begun;           /* a slot walk: WALK_BEGIN is there, and with it these: */
    uint32_t next_actor;  /* actors below it that `below` does not name were closed */
    uint64_t clock;       /* of the source */
    struct vv below;      /* one more than what the source covered (V0) */
};

/* A look at every version, some at a step. */
struct sweep {
    uint32_t slot;          /* where it stands */
    bool scanning;          /* in the middle of it */
    struct table_scan scan; /* where in it */
};

enum drop_phase {
    DROP_NONE,   /* nothing is to be done */
    DROP_MARKS,  /* before a fill: the marks of one that came to nothing go */
    DROP_UNSENT, /* a fill has ended: what its source covered at its start and did not send goes */
};

/* What is left to do in the table before or after a fill. In DROP_UNSENT what is known of the walk
 * stays in walk_in, whose id is 0. */
struct drop {
    enum drop_phase phase; /* see above */
    struct sweep sweep;    /* where it stands */
    uint64_t dropped;      /* so far */
    struct vv to;          /* in DROP_UNSENT: what the source covered at the end of the walk */
};

/* A walk that this node sends. */
struct walk_out {
    uint64_t to;                  /* node id; 0: free */
    uint32_t actor;               /* of the receiver */
    uint64_t id;                  /* the receiver's number for it */
    enum walk_kind kind;          /* see wire/msg.h */
    uint64_t chunks;              /* sent */
    uint64_t acked;               /* acknowledged */
    struct slotset *slots;        /* of the shard, only these; NULL: all of them; owned */
    bool scanning;                /* slots are left to be sent */
    struct table_scan scan;       /* where in them */
    struct table_cursor *cursors; /* LIMIT_ACTORS; owned, registered with the table */
    uint64_t *tails;              /* for the planted bug: tails at the start; owned */
    uint32_t cursor_count;        /* in use */
};

/* Which shards' reports an actor's stability is made of. */
struct stable_actor {
    uint32_t actor;  /* open actor, any shard */
    uint64_t shards; /* bit i: shard index i owns some of its slots */
};

/* What a shard last said. */
struct stable_report {
    uint32_t shard;     /* its id; SHARD_NONE: there is none at this place */
    uint64_t slots_sum; /* of what it owns */
    struct vv stable;   /* it */
};

struct stability {
    uint32_t count;                            /* open actors */
    struct stable_actor actors[LIMIT_ACTORS];  /* in no order */
    struct stable_report reports[LIMIT_PARTS]; /* by index in the configuration */
    struct vv stable;                          /* the outcome */
    bool dirty;                                /* stable must be computed anew */
};

struct replica {
    struct replicas *set;                         /* whose it is */
    const struct knobs *knobs;                    /* borrowed from the node */
    const struct config *config;                  /* adopted; borrowed from the node; NULL before */
    enum plant plant;                             /* planted bug, PLANT build only */
    uint64_t node_id;                             /* of this node */
    uint32_t transit;                             /* id of the transit; SHARD_NONE: home */
    uint32_t shard;                               /* own shard index, or SHARD_NONE */
    uint32_t actor;                               /* own actor, 0 for a spare */
    enum member_state state;                      /* own, as the configuration says */
    bool muted;                                   /* in doubt: nothing is said or taken */
    uint64_t seq;                                 /* last own write */
    struct hlc hlc;                               /* own clock */
    uint64_t ceiling;                             /* logged: no clock above it was announced */
    struct vv coverage;                           /* R1 */
    uint32_t actor_count;                         /* relevant actors */
    struct actor_state actors[LIMIT_ACTORS];      /* in no order */
    uint32_t peer_count;                          /* other members of the shard */
    struct peer *peers;                           /* owned */
    struct window window;                         /* own recent writes */
    struct walk_in walk_in;                       /* see above */
    struct walk_out walks_out[REPLICA_WALKS_OUT]; /* see above */
    uint64_t pending_bytes;                       /* in pending writes */
    uint64_t heartbeat_ms;                        /* when the next one is due */
    uint64_t gossip_ms;                           /* when the next one is due */
    uint64_t deps_sweep;                          /* where the sweep of dependencies stands */
    bool purging;                                 /* purge_scan is under way in purge_slot */
    struct table_scan purge_scan;                 /* where in that slot */
    uint32_t purge_slot;                          /* where the sweep of tombstones stands */
    bool marks_left;                              /* versions may be marked from an earlier fill */
    bool walk_wanted;                             /* a gap was seen: look for a source now */
    bool filled;                                  /* in this term a fill has ended here */
    uint32_t fill_turn;                           /* which source to try next */
    struct drop drop;                             /* see above */
    struct sweep strays;                          /* the sweep of slots given away */
    bool merging;                                 /* nobody of the shard is active */
    uint64_t members_sum;                         /* of the shard's members and their actors */
    uint64_t members_epoch;                       /* since when they and `merging` are so */
    uint64_t leaving_epoch;                       /* since when the own state is leaving; 0: not */
    bool handing;                                 /* handover is filled in */
    struct vv handover;                           /* what the others must cover before it goes */
    bool contradicted;                            /* see replicas_contradicted */
};

/* How much bulk work may be done: pace.c. */
struct pace {
    int64_t left;     /* thousandths of a byte; below 0: has to be waited for */
    uint64_t at_ms;   /* when it was brought up to date, mono */
    uint64_t busy_ms; /* until then clients are taken to be there, mono */
};

struct replicas {
    const struct knobs *knobs;                /* borrowed from the node */
    const struct config *config;              /* adopted; borrowed from the node; NULL before */
    enum plant plant;                         /* planted bug, PLANT build only */
    uint64_t node_id;                         /* of this node */
    uint32_t count;                           /* replicas */
    struct replica *list[1 + LIMIT_TRANSITS]; /* home first; owned */
    struct stability stability;               /* of all open actors */
    struct pace pace;                         /* of all of them together */
    uint32_t turn;                            /* whose bulk work comes first, from flush to flush */
};

struct actor_state *replica__actor(struct replica *replica, uint32_t actor);
const struct actor_state *replica__actor_const(const struct replica *replica, uint32_t actor);
struct peer *replica__peer(struct replica *replica, uint64_t node_id);
const struct peer *replica__peer_const(const struct replica *replica, uint64_t node_id);
struct peer *replica__peer_by_actor(struct replica *replica, uint32_t actor);

/* pace.c: before a step of bulk work; whether there may be one; what it took; when there may be the
 * next one, mono. */
void replica__pace_advance(struct replicas *set, uint64_t mono_ms);
bool replica__pace_allows(const struct replicas *set);
void replica__pace_spend(struct replicas *set, uint64_t bytes);
uint64_t replica__pace_ms(const struct replicas *set);

/* replica.c */
struct replica *replica__new(struct replicas *set, uint32_t transit);
void replica__free(struct replica *replica);
bool replica__replay_version(struct replica *replica, const struct record *record,
                             const struct version *version, uint64_t position,
                             struct replica_io *io);
void replica__recovered(struct replica *replica, struct replica_io *io);
void replica__checkpoint(const struct replica *replica, struct log *log);
bool replica__contradicted(const struct replica *replica);
void replica__peer_up(struct replica *replica, uint64_t node_id, uint32_t generation);
void replica__peer_down(struct replica *replica, uint64_t node_id, struct replica_io *io);
void replica__peer_hello(struct replica *replica, uint64_t node_id, uint32_t generation);
void replica__peer_suspected(struct replica *replica, uint64_t node_id, bool suspected);
void replica__tick(struct replica *replica, struct replica_io *io);
void replica__flush(struct replica *replica, struct replica_io *io);
uint64_t replica__deadline_ms(const struct replica *replica);
uint64_t replica__flush_ms(const struct replica *replica);
void replica__check(const struct replica *replica, const struct table *table);
uint32_t replica__shard_id(const struct replica *replica); /* it has a shard */
void replica__log_raise(const struct replica *replica, const struct vv *to, struct log *log);
void replica__log_u64s(struct log *log, enum record_kind kind, uint32_t actor,
                       const uint64_t *values, size_t count);

/* adopt.c */
void replica__adopt(struct replica *replica, const struct config *config, struct replica_io *io);
void replica__close(struct replica *replica, struct replica_io *io);
void replica__doubt(struct replica *replica);
void replica__keep_relevant(const struct replica *replica, const struct vv *from, struct vv *to);

/* deliver.c */
enum arrival {
    ARRIVAL_TAKEN,     /* delivered, pending, or above a gap: receipt it */
    ARRIVAL_DUPLICATE, /* was there already: receipt it */
    ARRIVAL_DROPPED,   /* neither: it must be sent again */
};
enum arrival replica__classify(const struct replica *replica, struct dot dot);
/* True when it would lie in the reorder buffer until its causes are there. */
bool replica__must_wait(const struct replica *replica, const struct version *version);
void replica__arrive(struct replica *replica, const struct version *version, struct slice body,
                     uint64_t sum, uint64_t position, struct replica_io *io);
void replica__deliver(struct replica *replica, struct replica_io *io);
void replica__raise(struct replica *replica, const struct vv *to, struct replica_io *io);
void replica__apply(struct replica *replica, const struct version *version, uint64_t position,
                    struct replica_io *io);
void replica__apply_pending(struct replica *replica, struct actor_state *actor,
                            struct replica_io *io);
uint64_t replica__sealed_highest(const struct replica *replica, const struct actor_state *actor);
uint64_t replica__highest(const struct replica *replica, const struct actor_state *actor);
uint64_t replica__received(const struct replica *replica, const struct actor_state *actor);
void replica__drop_pending(struct replica *replica, struct actor_state *actor, uint64_t up_to);

/* stream.c */
void replica__window_push(struct replica *replica, struct slice record);
void replica__window_trim(struct replica *replica);
void replica__window_clear(struct replica *replica);
void replica__stream(struct replica *replica, struct replica_io *io);
uint64_t replica__peer_received(const struct peer *peer, uint32_t actor);
uint64_t replica__peer_took(const struct peer *peer, uint32_t actor);
bool replica__stream_busy(const struct replica *replica);

/* report.c */
void replica__report(struct replica *replica, struct peer *peer, struct replica_io *io);

/* stable.c */
void replica__stable_adopt(struct replicas *set);
/* Of each actor the least that members here cover: what this shard calls stable. */
void replica__least_covered(const struct replica *replica, struct vv *report);
void replica__gossip(struct replica *replica, struct replica_io *io);
void replica__trim_deps(struct replica *replica, table_ref ref, struct replica_io *io);

/* purge.c */
void replica__sweep(struct replica *replica, struct replica_io *io);

/* drop.c */
void replica__drop_begin(struct replica *replica, enum drop_phase phase);
bool replica__drop_marks(struct replica *replica, struct replica_io *io);
bool replica__drop_unsent(struct replica *replica, struct replica_io *io);
void replica__drop_one(table_ref ref, struct replica_io *io);
void replica__drop_strays(struct replica *replica, struct replica_io *io);
bool replica__has_strays(const struct replica *replica);

/* fill.c */
void replica__put(struct replica *replica, const struct version *version, uint64_t position,
                  struct replica_io *io);
bool replica__filling(const struct replica *replica);
bool replica__fill_pull(struct replica *replica, struct replica_io *io);
bool replica__fill_take(struct replica *replica, const struct record *record,
                        const struct version *version, struct replica_io *io);
void replica__fill_end(struct replica *replica, const struct vv *to);
void replica__fill_step(struct replica *replica, struct replica_io *io);
bool replica__is_below(const struct walk_in *walk, struct dot dot);
bool replica__merge_walked(const struct replica *replica, const struct peer *peer);
void replica__merge_end(struct replica *replica, struct peer *source, struct replica_io *io);

/* seal.c; leaves_anew: what it owes, if it leaves, is not what it owed before. */
void replica__members_adopt(struct replica *replica, bool leaves_anew);
bool replica__merged(const struct replica *replica);
bool replica__seal_pull(struct replica *replica, struct replica_io *io);
void replica__seal_raise(struct replica *replica, struct replica_io *io);

/* walk_in.c, walk_out.c */
void replica__walk_start(struct replica *replica, const struct peer *source, enum walk_kind kind,
                         struct replica_io *io);
void replica__walk_pull(struct replica *replica, struct replica_io *io);
void replica__walk_heard_part(struct replica *replica, uint64_t from, uint64_t mono_ms);
void replica__walk_lost(struct replica *replica, struct replica_io *io);
uint32_t replica__slot_walks_out(const struct replica *replica);
void replica__walks_send(struct replica *replica, struct replica_io *io);
void replica__walk_out_stop(struct replica *replica, uint64_t to, struct table *table);
void replica__walk_out_stopped(struct replica *replica, uint64_t to, uint64_t id,
                               struct table *table);
void replica__walk_in_adopt(struct replica *replica, bool new_term, struct replica_io *io);
void replica__walks_out_adopt(struct replica *replica, bool new_term, struct replica_io *io);
bool replica__walks_busy(const struct replica *replica, bool paced);
