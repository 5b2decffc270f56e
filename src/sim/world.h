/* world - the virtual world: nodes, their processes and disks, and time.
 *
 * Does:   owns everything of one seed; carries events to node_step and its effects out.
 * Not:    clients (client.h), faults (nemesis.h), judging states (judge.h).
 * Holds:  E1 one seed, one history: everything comes from the seed. E2 a node gets its events in
 *         turns, as node.h says.
 * Limits: VNET_NODES_MAX nodes.
 * See:    node/node.h; docs/architecture.md "The step"; docs/protocol.md section 8.
 */
#pragma once

#include "sim/audit.h"
#include "sim/history.h"
#include "sim/story.h"
#include "sim/swarm.h"
#include "sim/terms.h"
#include "sim/vdisk.h"
#include "sim/vnet.h"

enum world_event {
    WORLD_TURN = VNET_EVENT_LAST, /* a: node */
    WORLD_DISK,                   /* a: node, b: life, c: number of a disk operation */
    WORLD_START,                  /* a: node, b: life that ended */
    WORLD_KILL,                   /* a: node, b: life: it was to stop and did not */
    WORLD_SESSION,                /* a: session */
    WORLD_ARRIVE,                 /* b: call */
    WORLD_ANSWER,                 /* b: call */
    WORLD_TIMEOUT,                /* b: call */
    WORLD_FAULT,                  /* the next fault */
    WORLD_MEND,                   /* a: mend (fault.h), b, c: as the fault gave them */
    WORLD_SAMPLE,                 /* look at all nodes */
};

/* Something that waits for the next turn of a node. */
struct input {
    enum event_type type; /* of the event it will be */
    uint32_t dial;        /* PEER_UP, PEER_DOWN */
    bool refused;         /* PEER_DOWN */
    uint64_t id;          /* connection, call or disk operation */
    uint8_t *bytes;       /* of a FRAME; owned */
    size_t len;           /* of bytes */
};

/* The COMMIT under way at a node. */
struct committing {
    bool active;      /* there is one */
    bool fails;       /* the disk will say no */
    bool sync;        /* as asked */
    uint64_t id;      /* as asked */
    uint64_t segment; /* as asked */
    uint64_t offset;  /* as asked */
    uint64_t number;  /* of the disk operation */
    struct buf bytes; /* a copy */
};

#define SYNCS_MAX 8U
#define SYNC_SEGMENTS_MAX 64U

/* A SYNC under way. */
struct syncing {
    bool active;     /* there is one */
    bool fails;      /* the disk will say no */
    uint64_t id;     /* as asked */
    uint64_t number; /* of the disk operation */
    uint32_t count;  /* segments in use */
    struct {
        uint64_t segment;      /* id */
        size_t size;           /* how far it was written when the sync began */
    } list[SYNC_SEGMENTS_MAX]; /* what is synced */
};

/* What happens to a node in the middle of something (fault_aim.c). */
enum aim_act { AIM_NOTHING, AIM_CRASH, AIM_POWER, AIM_PAUSE };

struct aim {
    bool armed;        /* the next node that says so is struck */
    enum trace_id at;  /* what it must say */
    enum aim_act act;  /* what happens to it */
    uint64_t skip;     /* so many times it is spared */
    uint64_t delay_us; /* after so long; 0: within the step */
};

#define WORLD_CUTS_MAX 4U

/* One disturbance of links. */
struct cut {
    bool active;                  /* it is there */
    uint8_t rows[VNET_NODES_MAX]; /* by node: whom its packets do not reach, as bits */
};

/* A write that was delivered, and a cause of it that was not there (watch.c). */
struct early {
    struct dot dot;
    struct dot cause; /* actor 0: none */
    uint64_t epoch;   /* that the node knew then */
};

/* What another node has receipted of this one's writes (watch.c). */
struct receipted {
    struct vv vv; /* by actor: up to here without a hole */
    uint64_t us;  /* when that changed last */
};

struct sim_node {
    struct slotset held;        /* slots that it has a place for, by the configuration of ... */
    uint64_t held_epoch;        /* ... this epoch ... */
    uint64_t adopted_us;        /* when it was adopted */
    uint64_t held_id;           /* ... as the node of this id */
    struct world *world;        /* of all */
    uint32_t index;             /* its name: n<index> */
    struct address address;     /* "10.0.0.<index>:8090" */
    struct node *node;          /* the process; NULL while there is none */
    uint64_t life;              /* counts processes */
    uint64_t ended_us;          /* when the last one did */
    uint64_t boot_id;           /* of the machine now */
    uint64_t directory_id;      /* changes when the directory is another one */
    uint64_t directory_started; /* the same, when its last process started */
    int64_t wall_shift_ms;      /* its wall clock minus the true one */
    int64_t wall_first_ms;      /* the same, before any step */
    int64_t drift_ppm;          /* how much faster it runs */
    int64_t wall_most_ms;       /* the greatest it ever was */
    uint64_t fill_clock_ms;     /* a clock that it may have taken over when it filled up */
    struct early early;         /* within a step */
    struct receipted receipted[VNET_NODES_MAX]; /* by who sent it */
    uint64_t mono_shift_us;                     /* its monotonic clock minus virtual time */
    bool paused;                                /* the process stands still */
    uint64_t suspended_us;    /* since when its monotonic clock does, too; 0: it runs */
    bool stopping;            /* EVENT_STOP was given */
    bool stopped;             /* EFFECT_STOPPED came */
    bool failing;             /* COMMIT_FAILED was given: only STOPPED may follow */
    bool doubtful;            /* something happened to it that explains doubt */
    bool damaged;             /* something happened to it that explains a damaged log */
    uint64_t returns;         /* life that is to end, and to begin anew without a directory */
    bool late_view;           /* its VIEW has those who come late, too */
    bool forgets;             /* its last process ended before an adoption was kept */
    bool away;                /* it has been seen not to serve, and has not come back yet */
    bool emptied;             /* its directory was lost, and it has not come back */
    bool turned;              /* back to an old disk: what it covers means nothing, until ... */
    uint32_t turned_actor;    /* ... its own actor is none of those below this one */
    uint64_t faults;          /* counts what happened to this node alone */
    enum aim_act struck;      /* within the step under way */
    struct vdisk disk;        /* survives the process */
    struct vdisk copy;        /* of the disk, as it once was */
    struct audit audit;       /* what was seen of it */
    bool has_copy;            /* there is one */
    uint64_t copy_seq;        /* own writes it has at most, of the term of that time ... */
    uint32_t copy_actor;      /* ... which is this actor */
    uint64_t copy_id;         /* node id that the copy has */
    struct committing commit; /* see there */
    struct syncing syncs[SYNCS_MAX]; /* see there */
    uint64_t last_commit;            /* id of the last COMMIT */
    uint64_t committed_id;           /* id of the last COMMITTED that it was given */
    uint64_t last_sync;              /* id of the last SYNC */
    uint64_t synced_id;              /* id of the last SYNCED */
    uint64_t disk_number;            /* counts disk operations */
    uint64_t disk_slow_until_us;     /* operations begun before take long */
    bool disk_fails_next;            /* the next operation fails */
    struct input *inbox;             /* owned */
    size_t inbox_count;              /* in use */
    size_t inbox_cap;                /* allocated */
    uint64_t wake_us;                /* a turn is scheduled for; UINT64_MAX: none */
    bool turn_wanted;                /* even with an empty inbox */
    uint64_t queued_most;            /* most bytes that it had in the network */
};

struct client; /* client.h */

struct world {
    struct swarm swarm;                    /* what this seed is like */
    struct verdict verdict;                /* the first violation */
    struct vtime time;                     /* what comes next */
    struct vnet net;                       /* between nodes */
    struct oracle oracle;                  /* the truth */
    struct story story;                    /* lines and hash */
    struct history history;                /* for another judge */
    struct rng rng;                        /* of the world itself */
    struct rng fault_rng;                  /* of the nemesis; anew for each fault */
    uint64_t fault_number;                 /* of the last fault that was due */
    struct sim_node nodes[VNET_NODES_MAX]; /* by index */
    uint32_t view_count;                   /* of them, in the VIEW of those who are there first */
    uint32_t node_count;                   /* in use */
    uint32_t
        shard_of_node[VNET_NODES_MAX]; /* index of the shard, as the newest configuration says */
    uint32_t shard_of_key[ORACLE_KEYS_MAX]; /* the same for keys */
    struct config *config;                  /* owned: the newest that any node adopted, or NULL */
    struct terms terms;                     /* what members have covered, term by term */
    bool booted;                            /* the two above are known */
    bool ended;                             /* nothing that comes now can be judged (run.c) */
    bool people;                            /* somebody has changed the list of members */
    bool gave_up;                           /* members have died for good */
    uint32_t given_up;                      /* who they are, as bits, until they turn up */
    uint32_t keeps;                         /* which of them keeps its directory */
    uint64_t asked_to_us;                   /* when an operator last asked to go on without them */
    bool faults_over;                       /* the time of faults is over */
    struct client *client;                  /* owned: all sessions */
    struct effects *effects;                /* owned: of the step under way */
    struct node_options *options;           /* owned: filled in for each start */
    enum plant plant;                       /* PLANT build only */
    uint64_t steps;                         /* node steps */
    uint64_t steps_sampled;                 /* of them, until the last sample */
    uint64_t faults[FAULT_COUNT];           /* fired, by kind */
    uint64_t marks[MARK_COUNT];             /* reached by processes that have ended */
    struct cut cuts[WORLD_CUTS_MAX];        /* what disturbs links now */
    struct aim aim;                         /* what is to happen in the middle of something */
    bool beyond;                            /* anything may be lost from now on (budget.h) */
    uint64_t clock_shared_ms;               /* true time when the world began */
};

struct world *world_new(const struct swarm *swarm, enum plant plant, FILE *story);
void world_free(struct world *world);

/* Takes the next event; false when nothing will ever happen again. */
bool world_next(struct world *world);

/* The last line of a story in which something was wrong. */
void world_tell_verdict(struct world *world);

/* ---- Processes (proc.c) ---- */

void world_start(struct world *world, uint32_t node); /* the process begins */
void world_start_later(struct world *world, uint32_t node, uint64_t after_us);
void world_crash(struct world *world, uint32_t node);     /* the process ends, as if killed */
void world_power_cut(struct world *world, uint32_t node); /* the machine ends */
/* After the disk of a node changed behind its back: what its log still has. */
void world_recount(struct world *world, uint32_t node);

void world_stop(struct world *world, uint32_t node); /* asks for a clean stop */

/* Adds what a process has reached up, before it ends. */
void world_note_marks(struct world *world, uint32_t node);
void world_pause(struct world *world, uint32_t node);
void world_resume(struct world *world, uint32_t node);

/* ---- Turns (turn.c) ---- */

/* Something for the next turn; takes bytes. */
void world_input(struct world *world, uint32_t node, const struct input *input);

/* A turn after at most this long. */
void world_wake(struct world *world, uint32_t node, uint64_t after_us);

void world_turn(struct world *world, uint32_t node);

/* What its wall clock shows, and a step of it. */
uint64_t world_wall_ms(const struct world *world, const struct sim_node *node);
void world_step_wall(struct sim_node *node, int64_t ms);

/* A node traced something: it may be struck for it. */
void aim_trace(struct world *world, struct sim_node *node, const struct trace_event *event);
void aim_strike(struct world *world, struct sim_node *node, enum aim_act act);

/* One step by itself (EVENT_RECOVER), effects carried out. */
void world_step(struct world *world, uint32_t node, struct event *event);

/* A disk operation is done. */
void world_disk(struct world *world, uint32_t node, uint64_t life, uint64_t number);

/* Carries out the effects of the step just made. */
void world_carry_out(struct world *world, struct sim_node *node);

/* How many writes of its own a node has made; 0 where that cannot be told. */
uint64_t world_own_seq(const struct sim_node *node);

/* Its own actor, 0 for none. */
uint32_t world_own_actor(const struct sim_node *node);

/* The number of the node that has this address, or VNET_NODES_MAX. */
uint32_t world_by_address(const struct world *world, struct slice address);
