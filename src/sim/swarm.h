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

/* Faults, with the word that is printed for each. */
#define FAULT_LIST(F)                                                                              \
    F(ISOLATE, "isolate")         /* one node from all others */                                   \
    F(CUT_HALF, "cut-half")       /* some nodes from the rest */                                   \
    F(CUT_LINK, "cut-link")       /* two nodes from each other, both ways */                       \
    F(CUT_ONE_WAY, "cut-one-way") /* one node no longer hears, or is not heard */                  \
    F(FLAP, "flap")               /* a link that comes and goes */                                 \
    F(RESET, "reset")             /* some connections */                                           \
    F(STALL, "stall")             /* some directions of connections */                             \
    F(SLOW_LINK, "slow-link")     /* a direction gets much slower */                               \
    F(CRASH, "crash")             /* a process; its machine goes on */                             \
    F(CRASH_MANY, "crash-many")   /* several processes at once */                                  \
    F(POWER_CUT, "power-cut")     /* a machine */                                                  \
    F(PAUSE, "pause")             /* a process stands still */                                     \
    F(STOP, "stop")               /* clean stop and restart */                                     \
    F(DISK_SLOW, "disk-slow")     /* writes and syncs take long */                                 \
    F(DISK_FAIL, "disk-fail")     /* a write or sync fails */                                      \
    F(BIT_ROT, "bit-rot")         /* one bit of the log of a stopped node */                       \
    F(CLOCK_STEP, "clock-step")   /* a wall clock jumps */                                         \
    F(TOUCH, "touch")             /* a new epoch in which nothing changes */

enum fault {
#define F(NAME, word) FAULT_##NAME,
    FAULT_LIST(F)
#undef F
        FAULT_COUNT
};

const char *fault_word(enum fault fault);

struct swarm {
    uint64_t seed;              /* where all this came from */
    uint32_t nodes;             /* 2 to 7 */
    uint32_t shards;            /* 1 to 3, at least two nodes each */
    struct knobs knobs;         /* of all nodes */
    uint32_t keys;              /* in use */
    uint32_t hot_keys;          /* of them, that get hot_percent of the operations */
    uint32_t hot_percent;       /* see hot_keys */
    uint32_t sessions;          /* clients */
    uint64_t think_us;          /* mean pause of a client between operations */
    uint32_t put_percent;       /* of the operations */
    uint32_t delete_percent;    /* of the operations; the rest are reads */
    uint32_t wander_percent;    /* of the operations go to another node than the one before */
    uint32_t merge_percent;     /* bring the token of another client too */
    uint32_t hold_percent;      /* bring an older token than the last */
    uint32_t fresh_percent;     /* bring none */
    uint32_t big_percent;       /* of the values are large */
    uint64_t client_timeout_us; /* a client gives up */
    uint32_t copies_percent;    /* of the writes ask for two copies */
    uint64_t base_us;           /* least latency of a link, at most */
    uint64_t jitter_us;         /* see vnet.h */
    uint64_t tail_us;           /* see vnet.h */
    uint64_t quantum_us;        /* see vnet.h */
    uint64_t write_us;          /* a commit takes at most, normally */
    uint64_t sync_us;           /* a sync takes at most, normally */
    uint32_t at_once_percent;   /* of the commits without sync complete in their turn */
    bool on[FAULT_COUNT];       /* faults that may happen */
    uint64_t calm_us;           /* mean pause between faults */
    uint64_t fault_us;          /* mean length of one */
    uint64_t faults_for_us;     /* how long there are faults */
    bool boot_faults;           /* nodes start one by one and may crash meanwhile */
    bool may_lose;              /* one node of a shard may be lost for good */
    uint32_t clock_far;         /* index of a node whose clock is years ahead; nodes: none */
};

/* A small, calm world with default knobs, no faults of its own and nothing drawn. */
void swarm_calm(struct swarm *swarm, uint32_t nodes, uint32_t shards);

void swarm_draw(struct swarm *swarm, uint64_t seed);
