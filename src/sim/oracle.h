/* oracle - the true history, and whether an answer fits it.
 *
 * Does:   knows every write by its unique value, every dot by the bytes that were committed, and
 *         for each token what its holder has seen; judges answers (I1, I2, I5), dots (I6) and
 *         frames (nothing leaves before it is committed).
 * Not:    reading tokens: a past is made from what was asked and answered.
 * Holds:  O1 the order of writes of one key is (HLC, actor), as their records say.
 *         O2 a tombstone has no value: which delete made it is not known for certain, so that a
 *         delete counts as the least tombstone that it can have made.
 * Limits: ORACLE_KEYS_MAX, ORACLE_ACTORS_MAX, VNET_NODES_MAX.
 * See:    docs/protocol.md sections 2 and 8.
 */
#pragma once

#include "sim/past.h"
#include "sim/promise.h"
#include "sim/vnet.h"

#define ORACLE_KEYS_MAX 256U

/* One write: asked for by a client, or a tombstone that was seen in a log. */
struct hwrite {
    uint32_t key;          /* index */
    bool tombstone;        /* seen in a log; then what follows up to past is not known */
    bool raw;              /* VALUE_RAW */
    bool acked;            /* a client was told that it happened */
    uint32_t size;         /* bytes of the value */
    uint32_t session;      /* who asked */
    struct past *past;     /* what the writer had seen; owned; NULL for a tombstone */
    struct dot dot;        /* its name; actor 0: not seen in any log yet */
    uint64_t hlc;          /* its time */
    uint64_t committed_us; /* when it was first seen in a log */
    uint64_t purged_us;    /* of a tombstone: when a node first purged it; 0: never */
    struct buf deps;       /* its causes, as that log had them; owned */
};

/* One dot. */
struct hdot {
    uint32_t write;    /* which write; 0: never seen */
    uint32_t holders;  /* nodes whose logs have it, as bits */
    uint32_t ever;     /* nodes whose logs had it */
    uint32_t lost;     /* of these, nodes whose logs have lost it, or overwrote it and lost that */
    uint32_t given_up; /* of these, nodes that do not trust the log that has it (6.3) */
    uint32_t arrived;  /* nodes whose logs have it as an arrival */
    uint32_t again;    /* nodes that may take it again, whatever their logs have of before */
    bool exposed;      /* it left its writer in a frame or an answer */
    bool vouched;      /* its writer told a forwarder of it, and had it synced by then */
    uint64_t hash;     /* of what it names */
    uint64_t segment;  /* in the log of its writer */
    uint64_t end;      /* where its record ends there */
};

struct hactor {
    struct hdot *dots;               /* owned; by seq */
    uint64_t cap;                    /* allocated */
    uint64_t last;                   /* greatest seq seen */
    uint32_t node;                   /* whose log had it first: the writer */
    uint64_t raised[VNET_NODES_MAX]; /* how far the log of each node ever said that it covers it */
};

struct hkey {
    uint8_t text[24];                 /* the key */
    uint32_t len;                     /* of text */
    uint32_t slot;                    /* of the key */
    uint32_t *stones;                 /* owned; writes that are tombstones of it */
    uint32_t stone_count;             /* in use */
    uint32_t top_acked;               /* greatest write that a client was told of */
    bool put;                         /* somebody asked to put it */
    uint64_t seqs[ORACLE_ACTORS_MAX]; /* no context of a tombstone of it names more */
};

/* The newest configuration that a log has. */
struct hadoption {
    uint64_t epoch;   /* its epoch */
    uint64_t segment; /* where it stood first */
    uint64_t end;     /* behind it there */
};

/* One configuration. */
struct hepoch {
    uint64_t lineage; /* its lineage */
    uint64_t epoch;   /* its epoch */
    uint64_t hash;    /* of its bytes */
    uint32_t node;    /* whose log had it first */
    uint64_t at_us;   /* when */
    struct buf bytes; /* owned: a configuration itself is large */
};

/* One acceptor of the register has said yes, in its log. */
struct hvote {
    uint64_t instance;     /* to what */
    struct hballot ballot; /* to this ballot */
    uint64_t value;        /* hash of what it accepted; 0: it promised */
    uint64_t id;           /* who, by its id then */
    uint32_t node;         /* who, by its place */
};

/* What one node may vouch for. */
struct hnode {
    uint64_t id;                            /* node id, as its log says; 0 unknown */
    uint64_t cover[ORACLE_ACTORS_MAX];      /* all up to it committed or raised to */
    uint64_t raised[ORACLE_ACTORS_MAX];     /* by the records of raises */
    struct range range[ORACLE_ACTORS_MAX];  /* last checked above coverage */
    struct range logged[ORACLE_ACTORS_MAX]; /* by the records of ranges */
    struct hsworn said;                     /* what it told others */
    struct hadoption adopted;               /* see there */
};

/* What a client was told that it may be lost: of this actor above this seq; actor 0: all that was
 * written to these slots before this time. */
struct told {
    uint32_t actor;       /* see above */
    uint64_t whole_seq;   /* see above */
    struct slotset slots; /* of the shard */
    uint64_t before_us;   /* see above */
};

#define ORACLE_TOLD_MAX 256U
#define ORACLE_FORKS_MAX 16U

struct oracle {
    struct verdict *verdict;                 /* where violations go */
    uint32_t key_count;                      /* in use */
    struct hkey keys[ORACLE_KEYS_MAX];       /* by index */
    struct hwrite *writes;                   /* owned; by number, from 1 */
    uint32_t write_count;                    /* in use, 0 included */
    uint32_t write_cap;                      /* allocated */
    struct hactor actors[ORACLE_ACTORS_MAX]; /* by actor */
    struct hnode nodes[VNET_NODES_MAX];      /* by node */
    struct slotset away[VNET_NODES_MAX];     /* slots that a node has left, and not entered since */
    struct hepoch *epochs;                   /* owned; as they were found in logs */
    uint32_t epoch_count;                    /* in use */
    struct hvote *votes;                     /* owned; of the register, as they were logged */
    uint32_t vote_count;                     /* in use */
    uint32_t vote_cap;                       /* allocated */
    uint64_t forked[ORACLE_FORKS_MAX];       /* epochs that a node wanted to fork to by itself */
    uint32_t fork_count;                     /* counts on; the oldest are overwritten */
    uint32_t named;                          /* nodes that operators named as absent, as bits */
    struct address addresses[VNET_NODES_MAX]; /* by node, as its log says */
    struct told told[ORACLE_TOLD_MAX];        /* what the configuration said may be lost */
    uint32_t told_count;                      /* in use */
    uint32_t unlisted; /* nodes that the newest configuration does not list, as bits: what only they
                          have is given up (6.4) */
    bool (*synced)(void *arg, uint32_t node, uint64_t segment, uint64_t end); /* asks the disk */
    void *arg;                                                                /* for synced */
    uint64_t now_us;                                                          /* set by the world */
    struct buf scratch;                                                       /* expected value */
};

/* What a client asked. */
struct asked {
    enum op op;          /* what */
    uint32_t key;        /* index */
    uint32_t write;      /* of a PUT */
    uint32_t session;    /* who */
    uint32_t node;       /* where */
    uint64_t started_us; /* when */
    struct past *past;   /* of its tokens; borrowed */
};

void oracle_init(struct oracle *oracle, struct verdict *verdict, uint32_t keys, struct rng *rng);
void oracle_fini(struct oracle *oracle);

/* A client is about to put a value: its number. takes the past. */
uint32_t oracle_put(struct oracle *oracle, uint32_t key, uint32_t session, uint32_t size, bool raw);

/* What the writer has seen when it asks (again: after a refusal it may have seen more). */
void oracle_put_past(struct oracle *oracle, uint32_t write, struct past *past);

/* A client is about to delete. */
void oracle_delete(struct oracle *oracle, uint32_t key, const struct past *past);

/* The value of a write, appended. */
void oracle_value(const struct oracle *oracle, uint32_t write, struct buf *out);

/* to becomes the union. */
void oracle_past_merge(const struct oracle *oracle, struct past *to, const struct past *from);

/* A node has committed these bytes (at offset of segment), or has found them at its start. */
void oracle_committed(struct oracle *oracle, uint32_t node, uint64_t segment, uint64_t offset,
                      struct slice bytes, bool found);

/* The machine of a node forgot: what it still holds is told again by oracle_committed; after that
 * oracle_bury lets a dot come again that was lost before it ever left the node. */
void oracle_forget(struct oracle *oracle, uint32_t node);
void oracle_bury(struct oracle *oracle, uint32_t node);

/* The node has no place any more for these slots: it has handed over what it had of them, and drops
 * it. From then on the others answer for it. */
void oracle_leave(struct oracle *oracle, uint32_t node, const struct slotset *slots);

/* A node is given a place in these slots: what came when it had one before may come again (T42). */
void oracle_enter(struct oracle *oracle, uint32_t node, const struct slotset *slots);

/* A node was removed: its log is of no use to anybody any more. */
void oracle_give_up(struct oracle *oracle, uint32_t node);

/* A node sends this frame. */
void oracle_frame(struct oracle *oracle, uint32_t node, struct slice bytes);

/* Of what a client was told that it may be lost, what surely is (no log has it any more) leaves its
 * past, so that it may read what is older. */
void oracle_told(const struct oracle *oracle, struct past *past, const struct told *told,
                 uint32_t count);

/* The configuration says so. From then on it comes into no past through the write of another: what
 * a version rests on is told to those only whose own context names it (docs/status.md, I5). */
void oracle_may_be_lost(struct oracle *oracle, const struct told *told);

/* True when every log that ever had the write has lost something since, or is that of a node that
 * is listed no more (I5). */
bool oracle_lost(const struct oracle *oracle, uint32_t write);

/* A node purges this tombstone. */
void oracle_purged(struct oracle *oracle, uint32_t stone);

/* True when the write is a tombstone that was purged before then, or was beaten by one: a shard
 * that merges after that may bring back what is older (docs/protocol.md 4.4, 6.3). */
bool oracle_purged_above(const struct oracle *oracle, uint32_t write, uint64_t before_us);

/* Judges an answer as it leaves; returns what its token stands for (owned by the caller). */
struct past *oracle_answer(struct oracle *oracle, const struct asked *asked,
                           const struct reply *reply);

/* The number that a found value carries, unchecked. */
uint32_t oracle_found(const struct reply *reply);

/* True when a is greater than b (numbers of writes; 0 is less than all). */
bool oracle_newer(const struct oracle *oracle, uint32_t a, uint32_t b);

/* The index of a key, or UINT32_MAX. */
uint32_t oracle_key(const struct oracle *oracle, struct slice key);

/* The write that a dot names, or 0. */
uint32_t oracle_by_dot(const struct oracle *oracle, struct dot dot);

/* "w12=(3,77)" for explanations; static buffers in turn are avoided: the caller gives one. */
const char *oracle_name(const struct oracle *oracle, uint32_t write, char text[64]);
