/* config - the value that says who is who.
 *
 * Does:   lineage, epoch, members, shards and their slots, slots that move between shards, actors
 *         open and retired, losses; the first value; lookups; encoding.
 * Not:    its changes: config_change.h. Deciding which value is next: cluster/register.h. Who is
 *         alive: cluster/suspect.h.
 * Holds:  K1 every slot belongs to exactly one shard. K2 member ids and addresses are unique.
 *         K3 actor ids are unique among members, seats and retired actors, and below next_actor; a
 *         retired actor may have several entries, each of slots of one shard and its own.
 *         K4 a member of a shard has an actor; a spare has none; the invited alone have no node
 *         id. K5 epoch >= 1, and nothing is dated after it: fence, retired actors, losses (oldest
 *         first; that of a whole shard not after the fence). K6 members stand in the order of
 *         joining the cluster. K7 counts (returns too) are within their limits, shard ids differ,
 *         retired actors ascend, addresses are not empty; members, seats and retired actors are
 *         LIMIT_ACTORS at most. K8 the leaving alone may have a target, which is another
 *         shard; the shard or transit that they leave has an active member. K9 transits stand
 *         behind the shards that stay, have slots and ids of their own kind, and go from one of
 *         these to another. K10 a seat is that of a member of one of the transit's two shards,
 *         one each; who leaves its shard has none.
 * Limits: LIMIT_MEMBERS, LIMIT_SHARDS, LIMIT_TRANSITS, LIMIT_SEATS, LIMIT_ACTORS, LIMIT_RETIRED,
 *         LIMIT_ANCESTORS, LIMIT_LOSSES. The struct is large (some 650 KB): heap only, passed by
 *         pointer, encoded small.
 * See:    docs/protocol.md sections 1, 5 and 6.
 */
#pragma once

#include "placement/slotset.h"

/* No shard: a spare. */
#define SHARD_NONE UINT32_MAX

/* In the id of a transit, and of no other shard. These take the least free ids, again and again; a
 * transit takes the next actor's, so none is used twice. */
#define SHARD_ID_TRANSIT (UINT32_C(1) << 31)
/* Returns of a member that are counted. */
#define RETURNS_MAX 10U

enum member_state {
    MEMBER_ACTIVE,  /* has all of its holding and serves it */
    MEMBER_SYNCING, /* fills up, does not serve yet, and counts */
    MEMBER_LEAVING, /* has all of its holding, hands over, does not serve any more, and counts */
    MEMBER_SPARE,   /* of no shard: only forwards */
    MEMBER_INVITED, /* listed, has not shown up, counts for nothing */
};

struct address {
    char text[LIMIT_ADDRESS_BYTES + 1]; /* "host:port", NUL-terminated; as the operator wrote it */
};

struct member {
    uint64_t node_id;        /* 64 random bits; 0 while invited */
    struct address address;  /* where it listens */
    uint32_t shard;          /* index of its shard, or SHARD_NONE */
    uint32_t actor;          /* its present actor, 0 for none */
    uint32_t target;         /* while leaving: the shard it moves to; SHARD_NONE: off the list */
    enum member_state state; /* see above */
    uint32_t returns;        /* how often its node has lost its memory lately */
    uint64_t returned_ms; /* wall, by the clock of who proposed it: when the last one came back */
};

/* A shard; or a transit: slots on their way from one shard to another, replicated by members of
 * both. For everything but the API a transit is a shard of its own (protocol 7). */
struct shard {
    uint32_t id;          /* "s<id>" in the API; of a transit: see SHARD_ID_TRANSIT */
    uint32_t from;        /* transit: id of the shard that gives the slots; else SHARD_NONE */
    uint32_t into;        /* transit: id of the shard that takes them; else SHARD_NONE */
    bool switched;        /* transit: it counts as part of `into`, and those of `from` leave it */
    struct slotset slots; /* what it owns */
};

/* What a member is in a transit, beside what it is in its shard. */
struct seat {
    uint64_t node_id;        /* of the member */
    uint32_t shard;          /* index of the transit */
    uint32_t actor;          /* its present actor there */
    enum member_state state; /* active, syncing or leaving */
};

/* A member of a shard or of a transit, as whoever looks at that one sees it. */
struct place {
    const struct member *member; /* who */
    uint32_t shard;              /* index of the shard or transit */
    uint32_t actor;              /* its present actor there */
    enum member_state state;     /* active, syncing or leaving */
};

enum retired_state {
    RETIRED_SEALING, /* taken only by walks among the keepers (protocol 6.5) */
    RETIRED_SEALED,  /* no more dots, last seq known, not yet covered everywhere */
    RETIRED_MOVING,  /* its member has yet to seal it itself */
};

struct retired {
    uint32_t actor;           /* never used again */
    uint64_t node_id;         /* whose it was */
    enum retired_state state; /* see above */
    uint64_t since;           /* epoch in which that state began: older reports do not count */
    uint64_t last_seq;        /* when sealed: its last seq; else 0 */
    struct slotset slots;     /* the slots that this entry speaks of: all of one shard */
};

struct loss {
    uint32_t actor;     /* whose writes may be lost; 0 for a whole shard */
    uint32_t shard;     /* id of that shard, or of the one that the actor wrote to */
    uint64_t whole_seq; /* the last seq that surely is whole; 0 for a whole shard */
    uint64_t epoch;     /* since when: of a whole shard, contexts with a lower fence are told */
    uint64_t wall_ms;   /* when: the old ones make room */
};

struct ancestor {
    uint64_t lineage;    /* of the history this one forked from */
    uint64_t epoch;      /* up to which it is shared */
    uint32_t next_actor; /* actors of it from here on are unknown to this one */
};

struct config {
    uint64_t lineage;                           /* this history; not 0 */
    uint64_t epoch;                             /* version number within the lineage, from 1 */
    uint64_t fence;                             /* last epoch that took responsibility away */
    uint32_t next_actor;                        /* next free actor id */
    struct siphash_key token_key;               /* secret of the tokens; never shown */
    uint32_t member_count;                      /* members in use */
    struct member members[LIMIT_MEMBERS];       /* in the order of joining */
    uint32_t shard_count;                       /* shards and transits in use */
    struct shard shards[LIMIT_PARTS];           /* by index; transits last */
    uint32_t seat_count;                        /* seats in use */
    struct seat seats[LIMIT_SEATS];             /* by transit, then as they came */
    uint32_t wanted_shards;                     /* reshard to so many is under way; 0: none is */
    uint32_t retired_count;                     /* entries of retired actors in use */
    struct retired retired[LIMIT_RETIRED];      /* ascending by actor, then by first slot */
    uint32_t ancestor_count;                    /* ancestors in use */
    struct ancestor ancestors[LIMIT_ANCESTORS]; /* oldest first */
    uint32_t loss_count;                        /* losses in use */
    struct loss losses[LIMIT_LOSSES];           /* oldest first */
    uint8_t owner[LIMIT_SLOTS];                 /* slot -> shard index; derived, not encoded */
};

struct config *config_new(void); /* zeroed; not yet a valid configuration */
void config_free(struct config *config);
struct config *config_dup(const struct config *config);

/* Fills owner from the slots of the shards: whoever changed those calls it. */
void config_index(struct config *config);

/* What the first start is made of. */
struct first_start {
    uint64_t lineage;             /* random, not 0 */
    struct siphash_key token_key; /* random */
    uint32_t shard_count;         /* SHARD_COUNT */
    uint32_t member_count;        /* addresses in VIEW */
    struct {
        uint64_t node_id;       /* as the node at that address said */
        struct address address; /* as in VIEW */
    } members[LIMIT_MEMBERS];   /* in VIEW order */
};

/* Epoch 1: SHARD_COUNT blocks of members in VIEW order, sizes differing by at most one, the
 * larger blocks first; slots in SHARD_COUNT even, contiguous ranges; actors 1, 2, 3 … by member.
 * Returns NULL and sets *err to E_DEGRADED_START when a shard would have fewer than two members
 * (one member and one shard is allowed), to E_MALFORMED when there is no shard, there are too
 * many members, or two share an address or a node id. The caller frees. */
struct config *config_first(const struct first_start *start, enum err *err);

uint32_t config_shard_of_slot(const struct config *config, uint32_t slot);
const struct member *config_member_by_id(const struct config *config, uint64_t node_id);
const struct member *config_member_by_address(const struct config *config, struct slice address);

/* The member whose present actor this is, in its shard or in a transit. */
const struct member *config_member_by_actor(const struct config *config, uint32_t actor);

/* All members of a shard or transit (an index), in the order of joining. Returns how many. */
uint32_t config_places(const struct config *config, uint32_t shard,
                       struct place places[LIMIT_MEMBERS]);

/* False when the node has no place in this shard or transit. */
bool config_place(const struct config *config, uint32_t shard, uint64_t node_id,
                  struct place *place);

/* The place in which this is the present actor; false: it is nobody's. */
bool config_place_by_actor(const struct config *config, uint32_t actor, struct place *place);

/* True when the actor is open and may have written to slots of this shard or transit. */
bool config_actor_meets(const struct config *config, uint32_t actor, uint32_t shard);

/* Whether this entry of shards is a transit; how many stand before the transits. */
bool shard_is_transit(const struct shard *shard);
uint32_t config_lasting_shards(const struct config *config);

/* True while slots move between shards, or somebody wants them to. */
bool config_reshards(const struct config *config);

/* True when no two shards differ by more than one slot, as after a move that was not cancelled. */
bool config_is_even(const struct config *config);

/* Index of the shard that a client is told of: the transit's `from`, `into` once it is switched;
 * a shard itself. */
uint32_t config_public_shard(const struct config *config, uint32_t shard);

/* True when actor is neither a member's nor retired, and below next_actor: all its writes that
 * will ever be covered are covered. */
bool config_actor_closed(const struct config *config, uint32_t actor);

/* Index of the shard with this id, or SHARD_NONE. */
uint32_t config_shard_by_id(const struct config *config, uint32_t id);

/* The entry of a retired actor for a shard (an index), or, SHARD_NONE, the first one. NULL when
 * it has none: it is not retired, or closed there. */
const struct retired *config_retired(const struct config *config, uint32_t actor, uint32_t shard);

/* Index of the shard whose slots a retired entry speaks of. */
uint32_t config_shard_of_retired(const struct config *config, const struct retired *retired);

/* What may be lost of this actor; NULL when nothing is known of that. It is to be told once the
 * actor is closed: until then its writes may still turn up. */
const struct loss *config_loss_of_actor(const struct config *config, uint32_t actor);

/* The newest loss of a whole shard that a context with this fence has to be told of, or NULL. */
const struct loss *config_loss_since(const struct config *config, uint64_t fence);

/* The ancestor with this lineage, or NULL. */
const struct ancestor *config_ancestor(const struct config *config, uint64_t lineage);

/* Active, syncing, leaving: it has an actor, takes every write of its shard, and counts for
 * stability, receipts and sealing. Only the active ones serve. */
bool member_counts(const struct member *member);

/* How long a node has to wait that has lost its memory and wants this member's place or another
 * actor: since it began to ask, by its own clock. It grows with every return, and shrinks with time
 * (config_pause.c, T37). */
uint64_t member_pause_ms(const struct member *member, uint64_t wall_ms);

/* Members of shard (an index) in this state. */
uint32_t config_count(const struct config *config, uint32_t shard, enum member_state state);

/* Fewer than two members that stay (active or syncing): one crash may lose what was
 * acknowledged. */
bool config_degraded(const struct config *config, uint32_t shard);

/* Members that count for the stability of actor: active, syncing and leaving members of every
 * shard and transit that owns one of its slots. Writes indices into config->members, each once;
 * returns how many. They are also those that a retired actor is sealed by (protocol 6.5). */
uint32_t config_responsible(const struct config *config, uint32_t actor,
                            uint32_t members[LIMIT_MEMBERS]);

/* The acceptors of the next epoch (protocol 6.1): an odd number of members, at most
 * LIMIT_ACCEPTORS, not invited, chosen round robin over the shards by joining order, then
 * spares. Indices into config->members; returns how many. */
uint32_t config_acceptors(const struct config *config, uint32_t members[LIMIT_ACCEPTORS]);

/* Encoding with a format version; equal configurations have equal bytes. Nothing is shared. */
void config_encode(const struct config *config, struct buf *out);

/* How the encoding of every configuration of this history begins, and of no other. */
void config_history(const struct config *config, struct buf *out);

/* NULL when the bytes are not a valid configuration (K1 to K10 but K6). The caller frees. */
struct config *config_decode(struct slice bytes);

/* Asserts K1 to K5 and K7 to K10. */
void config_check(const struct config *config);

/* "ip:port", "[v6]:port" or "name:port" with port 1 to 65535: true, and the one canonical text in
 * *out: numbers without leading zeroes, v6 as RFC 5952 section 4 and in brackets, names in lower
 * case. Else false, and *out has not changed. Refused as well: v4 octets with leading zeroes (some
 * read them as octal), v6 zones, names that end in a number or a dot. */
bool address_parse(struct slice text, struct address *out);
