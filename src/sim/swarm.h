/* swarm - what one seed draws before its world begins.
 *
 * Does:   cluster size, knobs within their ranges for simulations, network and disk manners, the
 *         workload, which faults are on and how often.
 * Not:    acting on it.
 * Holds:  W1 the same seed draws the same swarm. W2 every shard has at least two members.
 * Limits: VNET_NODES_MAX.
 * See:    Groce et al., "Swarm testing", 2012; docs/protocol.md section 8.
 */
#pragma once

#include "sim/oracle.h"

/* Faults: the word that is printed, and fault_<function> (fault.h). */
#define FAULT_LIST(F)                                                                              \
    F(ISOLATE, "isolate", isolate)             /* one node from all others */                      \
    F(CUT_HALF, "cut-half", cut_half)          /* some nodes from the rest */                      \
    F(CUT_LINK, "cut-link", cut_link)          /* two nodes from each other, both ways */          \
    F(CUT_ONE_WAY, "cut-one-way", cut_one_way) /* one node no longer hears another */              \
    F(FLAP, "flap", flap)                      /* a link that comes and goes */                    \
    F(RESET, "reset", reset)                   /* some connections */                              \
    F(STALL, "stall", stall)                   /* some directions of connections */                \
    F(SLOW_LINK, "slow-link", slow_link)       /* a direction gets much slower */                  \
    F(CRASH, "crash", crash)                   /* a process; its machine goes on */                \
    F(CRASH_MANY, "crash-many", crash_many)    /* several processes at once */                     \
    F(POWER_CUT, "power-cut", power_cut)       /* a machine */                                     \
    F(POWER_MANY, "power-many", power_many)    /* several machines at once */                      \
    F(AIMED, "aimed", aimed)                   /* in the middle of something: see fault_aim.c */   \
    F(PAUSE, "pause", pause)                   /* a process stands still */                        \
    F(SUSPEND, "suspend", suspend)             /* a machine does, and its monotonic clock */       \
    F(STOP, "stop", stop)                   /* clean stop and restart, killed meanwhile or not */  \
    F(DISK_SLOW, "disk-slow", disk_slow)    /* writes and syncs take long */                       \
    F(DISK_FAIL, "disk-fail", disk_fail)    /* a write or sync fails */                            \
    F(BIT_ROT, "bit-rot", bit_rot)          /* one bit of the log of a stopped node */             \
    F(DISK_LOST, "disk-lost", disk_lost)    /* the data directory is gone */                       \
    F(OLD_COPY, "old-copy", old_copy)       /* an older copy of the directory is put back */       \
    F(CLOCK_STEP, "clock-step", clock_step) /* a wall clock jumps */                               \
    F(CLOCK_YEARS, "clock-years", clock_years) /* by years, and back */                            \
    F(TOUCH, "touch", touch)                   /* new epochs in which nothing changes */           \
    F(REMOVE, "remove", remove)                /* a member is taken off the list */                \
    F(ADD, "add", add)                         /* an address is listed */                          \
    F(PLACE, "place", place)                   /* a spare is put into a shard */                   \
    F(RESHARD, "reshard", reshard)             /* another number of shards, or cancelled */        \
    F(RECOVER, "recover", recover)             /* most die for good, and are given up */

enum fault {
#define F(NAME, word, function) FAULT_##NAME,
    FAULT_LIST(F)
#undef F
        FAULT_COUNT
};

const char *fault_word(enum fault fault);

/* Numbers of faults that can be left out. */
#define SCOPE_FAULTS_MAX 2048U

struct swarm {
    uint64_t seed;                /* where all this came from */
    uint32_t nodes;               /* 2 to 7 */
    uint32_t shards;              /* 1 to 3, at least two nodes each */
    struct knobs knobs;           /* of all nodes */
    uint32_t keys;                /* in use */
    uint32_t hot_keys;            /* of them, that get hot_percent of the operations */
    uint32_t hot_percent;         /* see hot_keys */
    uint32_t sessions;            /* clients */
    uint64_t think_us;            /* mean pause of a client between operations */
    uint32_t put_percent;         /* of the operations */
    uint32_t delete_percent;      /* of the operations; the rest are reads */
    uint32_t wander_percent;      /* of the operations go to another node than the one before */
    uint32_t merge_percent;       /* bring the token of another client too */
    uint32_t hold_percent;        /* bring an older token than the last */
    uint32_t fresh_percent;       /* bring none */
    uint32_t big_percent;         /* of the values are large */
    uint64_t client_timeout_us;   /* a client gives up */
    uint32_t copies_percent;      /* of the writes ask for two copies */
    uint64_t base_us;             /* least latency of a link, at most */
    uint64_t jitter_us;           /* see vnet.h */
    uint64_t tail_us;             /* see vnet.h */
    uint64_t quantum_us;          /* see vnet.h */
    uint64_t write_us;            /* a commit takes at most, normally */
    uint64_t sync_us;             /* a sync takes at most, normally */
    uint32_t at_once_percent;     /* of the commits without sync complete in their turn */
    uint32_t weight[FAULT_COUNT]; /* how often faults happen, against each other; 0: off */
    uint32_t cuts_at_once;        /* disturbances of links that may overlap */
    uint64_t calm_us;             /* mean pause between faults */
    uint64_t fault_us;            /* mean length of one */
    uint64_t faults_for_us;       /* how long there are faults */
    bool boot_faults;             /* nodes start one by one and may crash meanwhile */
    bool may_lose;                /* one node of a shard may be lost for good */
    bool beyond;                  /* at last more than that may be lost */
    uint32_t drift_ppm;           /* wall clocks run faster or slower by up to this */
    uint32_t clock_far;           /* index of a node whose clock is years ahead; nodes: none */
    bool moves_first;             /* members die for good only when slots have begun to move */
    uint32_t late;                /* of the nodes: come later, with a VIEW of one address more */
    uint64_t ops_max;             /* no more operations of clients than this */
    uint8_t without[SCOPE_FAULTS_MAX / 8U]; /* faults left out, by number (scope.h) */
};

/* A small, calm world with default knobs, no faults of its own and nothing drawn. */
void swarm_calm(struct swarm *swarm, uint32_t nodes, uint32_t shards);

void swarm_draw(struct swarm *swarm, uint64_t seed);
