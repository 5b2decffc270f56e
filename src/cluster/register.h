/* register - one configuration for each epoch: single-decree Paxos.
 *
 * Does:   acceptor and proposer of instance e+1 among the acceptors of epoch e (a majority), and
 *         of the first start, instance 1 (all addresses of VIEW). Says what to send, what to log
 *         and sync before it may leave, and which value was decided.
 * Not:    the meaning of values (placement/config.h), who may propose what, spreading what was
 *         decided (node/), time-outs of peers (suspect.h).
 * Holds:  G1 two different values are never both decided for one instance. G2 an acceptor
 *         never accepts or promises below its promise, over crashes: promise and acceptance are in
 *         the log, synced, before an answer leaves. G3 a proposer proposes the value of the
 *         highest acceptance that it saw. G4 a ballot is used by one proposer, for one value.
 * Limits: values up to 1 MiB; one instance at a time.
 * See:    docs/protocol.md 6.1, 6.2; Lamport, "Paxos made simple", 2001, section 2; Howard et
 *         al., "Flexible Paxos", 2016 (all acceptors at the first start).
 */
#pragma once

#include "store/store.h"

struct ballot {
    uint64_t round; /* 0: no ballot */
    uint64_t node;  /* id of the proposer; breaks ties */
};

/* What an acceptor must never forget, for one instance. */
struct acceptor {
    uint64_t instance;      /* epoch that would be decided; 0: none yet */
    struct ballot promised; /* nothing below is answered with yes */
    struct ballot accepted; /* of value; round 0: nothing accepted */
    struct buf value;       /* accepted value; owned */
};

enum proposer_phase {
    PROPOSER_IDLE,      /* nothing under way */
    PROPOSER_PREPARING, /* collecting promises */
    PROPOSER_ACCEPTING, /* collecting acceptances */
    PROPOSER_PAUSING,   /* lost to a higher ballot: tries again later */
};

struct proposer {
    enum proposer_phase phase;       /* see above */
    uint64_t instance;               /* which */
    struct ballot ballot;            /* of this try */
    uint64_t round_max;              /* highest round seen: the next try goes above it */
    struct buf value;                /* what would be proposed; the highest accepted, once seen */
    struct ballot value_ballot;      /* of the acceptance that value was taken from */
    uint64_t acceptors[LIMIT_MEMBERS]; /* node ids */
    uint32_t acceptor_count;         /* in use */
    uint32_t quorum;                 /* answers needed */
    bool answered[LIMIT_MEMBERS];    /* by index of acceptors, in this phase */
    uint64_t retry_ms;               /* when to try again, mono */
    uint64_t give_up_ms;             /* when to give up, mono; UINT64_MAX: never (first start) */
};

struct reg {
    uint64_t node_id;         /* of this node */
    struct acceptor acceptor; /* this node as an acceptor */
    struct proposer proposer; /* this node as a proposer */
    struct rng rng;           /* pauses between tries */
};

/* What came out of a call, beside frames in the outbox. */
enum reg_result {
    REG_NOTHING, /* nothing new */
    REG_DECIDED, /* proposer.value is decided for proposer.instance (the caller adopts it) */
    REG_LOST,    /* gave up, or another value was decided for this proposal (value differs) */
};

/* What a call needs: frames leave only after what was appended to log is synced whenever
 * *must_sync was set. */
struct reg_io {
    struct outbox *out; /* frames */
    struct log *log;    /* RECORD_REGISTER goes here */
    bool must_sync;     /* set by the call: the batch of this turn must be synced */
    uint64_t mono_ms;   /* now */
};

void reg_init(struct reg *reg, uint64_t node_id, uint64_t seed);
void reg_fini(struct reg *reg);

/* RECORD_REGISTER: replay, and writing it again at a checkpoint. False: the body makes no sense. */
bool reg_replay(struct reg *reg, struct slice body);
void reg_checkpoint(const struct reg *reg, struct log *log);

/* Proposes value for instance among acceptors (this node may be one of them: it answers itself
 * without frames). quorum: majority, or all. False when a proposal is under way. */
bool reg_propose(struct reg *reg, uint64_t instance, struct slice value, const uint64_t *acceptors,
                 uint32_t acceptor_count, uint32_t quorum, uint64_t give_up_ms,
                 struct reg_io *io);

/* Forgets the proposal of an instance that is decided elsewhere, and acceptor state below
 * instance (epochs that were adopted). */
void reg_adopted(struct reg *reg, uint64_t instance);

/* Messages. epoch: that this node has adopted; an acceptor answers only for instance epoch + 1 (or
 * 1 when it has none). An acceptor that was not asked by its own configuration still answers:
 * the proposer counts only those that it asked. */
enum reg_result reg_prepare(struct reg *reg, uint64_t from, uint64_t epoch,
                            const struct msg_prepare *msg, struct reg_io *io);
enum reg_result reg_promise(struct reg *reg, uint64_t from, const struct msg_promise *msg,
                            struct reg_io *io);
enum reg_result reg_accept(struct reg *reg, uint64_t from, uint64_t epoch,
                           const struct msg_accept *msg, struct reg_io *io);
enum reg_result reg_accepted(struct reg *reg, uint64_t from, const struct msg_accepted *msg,
                             struct reg_io *io);

/* Tries again, gives up. */
enum reg_result reg_tick(struct reg *reg, struct reg_io *io);

/* When reg_tick is wanted; UINT64_MAX: never. */
uint64_t reg_deadline_ms(const struct reg *reg);

/* Asserts what can be seen of G2 to G4. */
void reg_check(const struct reg *reg);
