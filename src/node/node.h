/* node - the root of the core: event in, effects out.
 *
 * Does:   everything that decides anything: routing, parking, forwarding, acknowledgement,
 *         replication, first start, suspicion. Pure: the same options and events give the same
 *         effects, byte for byte (S2).
 * Not:    I/O, clocks, randomness from outside, threads: the shell (server/) and the simulator
 *         (sim/) have those.
 * Holds:  S1 a step neither blocks nor fails. S2 as above. S3 TURN_END yields one COMMIT for the
 *         whole turn; replies and frames that rest on it leave in the step of its COMMITTED. S4
 *         commits complete in order. S5 a failed commit ends the process. S7 at most LIMIT_EFFECTS
 *         effects a step; the rest waits, node_deadline_ms then says "now".
 * Limits: knobs.def, base/limits.h.
 * See:    event.h, effect.h; docs/architecture.md "The step"; docs/protocol.md.
 *
 * A turn: any number of events, each a step; then EVENT_TURN_END; then the COMMIT of that step, if
 * there was one, is carried out and EVENT_COMMITTED handed in when it is done (with `os` durability
 * at once). Effects of every step are carried out before the next step.
 */
#pragma once

#include "node/effect.h"
#include "node/event.h"

struct node;

struct node_options {
    struct address address;             /* of this node, as the others know it */
    uint32_t view_count;                /* addresses in VIEW, this one included; 0 is 1: itself */
    struct address view[LIMIT_MEMBERS]; /* VIEW, in its order */
    uint32_t shard_count;               /* SHARD_COUNT; 0: not given */
    struct knobs knobs;                 /* the rest */
    uint8_t entropy[32];                /* truly random (in a simulation: from the seed) */
    uint64_t boot_id;                   /* which boot of the machine this is: a hash */
    uint64_t directory_id;              /* inode and change time of the lock file: a hash; differs
                                          when the data directory is a copy */
    bool bootstrap;                     /* start with whoever of VIEW is there (by hand) */
    enum plant plant;                   /* PLANT build only: the active planted bug */
    struct tracer tracer;               /* who listens; may be empty */
};

/* Checks what can be checked before a start: the view holds the own address, no address twice, and
 * enough nodes for the shards. E_OK, or a sentence in *why (static) and the code. */
enum err node_options_check(const struct node_options *options, const char **why);

/* The options are copied. */
struct node *node_new(const struct node_options *options);
void node_free(struct node *node);

/* One step. effects is emptied first. */
void node_step(struct node *node, const struct event *event, struct effects *effects);

/* When the node wants EVENT_TICK at the latest, in mono_ms; UINT64_MAX: never. */
uint64_t node_deadline_ms(const struct node *node);

/* ---- What may be asked between steps (reading changes nothing) ---- */

enum node_phase {
    NODE_BOOTING, /* no configuration yet */
    NODE_SERVING, /* an active member of a shard, serves */
    NODE_FILLING, /* a member that fills up, merges or hands over: only forwards */
    NODE_SPARE,   /* a member of no shard: only forwards */
    NODE_ASKING,  /* in doubt, empty, or new: asks for a place, refuses meanwhile, says why */
    NODE_REFUSED, /* removed, or unable to start: refuses, says why */
    NODE_STOPPING,
};

enum node_phase node_phase(const struct node *node);

/* It serves, or forwards, and knows somebody to ask for every shard, or has looked for them long
 * enough since its start to say that they are down: a cut later on does not change this. */
bool node_is_ready(const struct node *node);

/* Why it is not ready: a sentence appended to out; nothing where it is, or before EVENT_RECOVER. */
void node_why_not(const struct node *node, struct buf *out);

/* Of a node that was removed: how many of its writes, at most, nobody else has. False: it was not,
 * or that is not known. */
bool node_only_here(const struct node *node, uint64_t *count);

/* The configuration, or NULL before the first one. Borrowed until the next step. */
const struct config *node_config(const struct node *node);

uint64_t node_id(const struct node *node);

/* True for this node itself and for members that are not suspected. */
bool node_believes_alive(const struct node *node, uint64_t node_id);

/* Before the first configuration: addresses of VIEW that answer, this one included, in VIEW
 * order. Returns how many were written. */
uint32_t node_reachable_view(const struct node *node, const struct address *list[LIMIT_MEMBERS]);

/* Index into config->shards of the own shard, or SHARD_NONE. */
uint32_t node_shard(const struct node *node);

/* Figures, brought up to date. Borrowed until the next step. */
const struct metrics *node_metrics(struct node *node);

/* What this node is in one shard or transit. */
struct node_place {
    uint32_t shard;            /* index into config->shards */
    uint32_t actor;            /* its present actor there */
    enum member_state state;   /* as the configuration says */
    const struct vv *coverage; /* borrowed until the next step */
};

/* All places of this node; 0 before the first configuration, and for a spare. */
uint32_t node_places(const struct node *node, struct node_place places[1 + LIMIT_TRANSITS]);

/* Coverage there; NULL: it has no place in this shard or transit. */
const struct vv *node_coverage_in(const struct node *node, uint32_t shard);

/* True when it answers for this slot itself. */
bool node_serves(const struct node *node, uint32_t slot);

/* Coverage of this node: of an actor whose slots lie in several of its places the least. Borrowed
 * until the next step or call. What it knows to be stable everywhere: node_stable. */
const struct vv *node_coverage(const struct node *node);
void node_stable(const struct node *node, struct vv *stable);

/* What this node last heard of a member of its shard: for /cluster. False when nothing. */
struct node_peer_info {
    uint64_t behind_by;    /* own-shard writes that it lacks against this node's coverage */
    uint64_t silent_ms;    /* since the last sign of life */
    int64_t clock_diff_ms; /* its wall clock minus ours, as last heard */
    bool connected;        /* our connection to it stands */
    bool suspected;        /* see node_believes_alive */
};
bool node_peer_info(const struct node *node, uint64_t node_id, struct node_peer_info *info);

/* A drill: proposes an epoch in which nothing changes. False when the register is busy or there is
 * no configuration. For the simulator and tests of epochs. */
bool node_propose_touch(struct node *node);

/* A proposal of this node's may still come about by its own doing. */
bool node_proposes(const struct node *node);

/* ---- For the simulator ---- */

/* The table, for checks of convergence. */
const struct table *node_table(const struct node *node);

/* Asserts the invariants of all modules (x_check): everything, or only what a step may have changed
 * and what can be seen without going through the table (its slots: table_check_slot). */
void node_check(const struct node *node);
void node_check_step(const struct node *node);

/* True when a request is known: it waits, or its reply does. */
bool node_has_request(const struct node *node, uint64_t id);

/* The number of a request that waits for its causes although all of them are there, or 0; between
 * turns. */
uint64_t node_false_wait(const struct node *node);
