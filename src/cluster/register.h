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
 *         highest acceptance that it saw, but for those that give way (reg_io): G1 holds among the
 *         others. G4 a ballot is used by one proposer, for one value.
 * Limits: REGISTER_VALUE_BYTES; one instance at a time.
 * See:    docs/protocol.md 6.1, 6.2; Lamport, "Paxos made simple", 2001, section 2; Howard et
 *         al., "Flexible Paxos", 2016 (all acceptors at the first start).
 */
#pragma once

#include "store/store.h"

/* A value at most, and the greatest round: there is room above it in 64 bits, so that no peer can
 * use up all ballots by accident. */
#define REGISTER_VALUE_BYTES (1U << 20)
#define REGISTER_ROUND_MAX (UINT64_C(1) << 62)

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
    enum proposer_phase phase;         /* see above */
    uint64_t instance;                 /* which */
    struct ballot ballot;              /* of this try */
    uint64_t round_max;                /* highest round seen: the next try goes above it */
    struct buf value;                  /* what would be proposed; the highest accepted, once seen */
    struct ballot value_ballot;        /* of the acceptance that value was taken from */
    uint64_t acceptors[LIMIT_MEMBERS]; /* node ids */
    uint32_t acceptor_count;           /* in use */
    uint32_t quorum;                   /* answers needed */
    bool answered[LIMIT_MEMBERS];      /* by index of acceptors, in this phase */
    uint64_t retry_ms;                 /* when to try again, mono */
    uint64_t give_up_ms;               /* when to give up, mono; UINT64_MAX: never (first start) */
    struct buf proposed;               /* what reg_propose was given; owned */
    struct buf gives_way;              /* see reg_io; owned */
    bool decided;                      /* value is decided (until the next reg_propose) */
    uint32_t lost_count;               /* ballots lost to higher ones: pauses grow */
    uint32_t resend_count;             /* times that this phase sent its frames: gaps grow */
};

struct reg {
    uint64_t node_id;         /* of this node */
    struct acceptor acceptor; /* this node as an acceptor */
    struct proposer proposer; /* this node as a proposer */
    struct rng rng;           /* pauses between tries */
};

/* What came out of a call, beside frames in the outbox. After both of the last two the proposer is
 * idle. */
enum reg_result {
    REG_NOTHING, /* nothing new */
    REG_DECIDED, /* proposer.value, as proposed, is decided for proposer.instance: adopt it */
    REG_LOST,    /* proposer.decided: another value, now in proposer.value, is decided for
                    proposer.instance: adopt that. Not decided: given up, and what was proposed may
                    be decided yet, by whoever finds it */
};

/* What a call needs. Where must_sync is set (then something was appended to log), nothing that
 * this call brought about leaves before that is synced: no frame, and nothing that rests on its
 * result.
 *
 * A cluster of one decides in the step of its own acceptance: the caller appends the adoption
 * after it, to the same batch, and holds everything until that is synced. So a crash finds the
 * promise, the acceptance and the adoption, or only the first of these, in that order, and nobody
 * has seen what is missing. After a crash of the process alone, that batch may be replayed from the
 * file cache without ever having reached the disk: whoever replays syncs the log before anything
 * leaves that rests on an adoption. (Where others accepted too, it would be found again there.) */
struct reg_io {
    struct outbox *out;      /* frames */
    struct log *log;         /* RECORD_REGISTER goes here */
    bool must_sync;          /* set by the call: the batch of this turn must be synced */
    uint64_t mono_ms;        /* now */
    struct slice gives_way;  /* of reg_propose: accepted values that begin like this give way to
                                the proposed one; empty: none do. Borrowed */
    enum plant plant;        /* PLANT build only: the active planted bug */
    struct metrics *metrics; /* marks; may be NULL */
};

void reg_init(struct reg *reg, uint64_t node_id, uint64_t seed);
void reg_fini(struct reg *reg);

/* RECORD_REGISTER: replay, and writing it again at a checkpoint. False: the body makes no sense. */
bool reg_replay(struct reg *reg, struct slice body);
void reg_checkpoint(const struct reg *reg, struct log *log);

/* Proposes value (1 byte to REGISTER_VALUE_BYTES; copied) for instance, the own epoch + 1, among
 * acceptors (this node may be one of them: it answers itself without frames). quorum: majority, or
 * all. False when a proposal is under way, or the instance is behind what this node has promised
 * in. Results come from the other calls only: a node that is its only acceptor decides in
 * reg_tick, which is due at once. */
bool reg_propose(struct reg *reg, uint64_t instance, struct slice value, const uint64_t *acceptors,
                 uint32_t acceptor_count, uint32_t quorum, uint64_t give_up_ms, struct reg_io *io);

/* The epoch of this number was adopted (the record of it is in the log, before any later one of
 * this module): forgets a proposal of it or of one before, and acceptor state up to it. Leaves
 * proposer.value and .decided as they are: whether the own proposal was what was decided elsewhere
 * is seen by comparing with proposer.proposed. */
void reg_adopted(struct reg *reg, uint64_t instance);

/* Forgets the proposal under way, if there is one (who must accept has changed: an address of
 * VIEW came back as another node). What was sent may be decided yet. */
void reg_abandon(struct reg *reg);

/* True when a first configuration was accepted here: it may be decided, so this node is not empty
 * any more. In HELLO it says HELLO_EMPTY with epoch_max 1 (an empty node says 0). */
bool reg_started(const struct reg *reg);

/* The latest epoch for which anything was promised here; 0: none since the last adoption. Earlier
 * ones are neither proposed nor accepted any more. */
uint64_t reg_instance(const struct reg *reg);

/* Messages. epoch: that this node has adopted; an acceptor answers only for instance epoch + 1 (or
 * 1 when it has none). An acceptor that was not asked by its own configuration still answers:
 * the proposer counts only those that it asked. A PROMISE that is not granted names the ballot that
 * was promised instead in accepted_round and accepted_node, with an empty value. Messages that make
 * no sense, and those of earlier ballots, change nothing. */
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
