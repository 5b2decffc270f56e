/* terms - who bears which actor, what that member has covered, and what may be lost.
 *
 * Does:   follows the newest configuration that any node has adopted; keeps, for each term of a
 *         member (an actor names one), the most that it ever covered; says whom a configuration
 *         holds responsible and how much all of them have covered; says whether faults explain
 *         that a write is missing, and whether its loss is told.
 * Not:    judging: audit.h, watch.h, judge.h.
 * Holds:  T1 what is said of a member counts for the term in which it said it, never for the next
 *         (docs/protocol.md section 1, "actor"; 6.3).
 * Limits: ORACLE_ACTORS_MAX.
 * See:    docs/protocol.md sections 5, 6.3 and 6.5; placement/config.h.
 */
#pragma once

#include "sim/oracle.h"

/* Ids of shards in one seed. */
#define TERMS_SHARDS_MAX 16U

struct terms {
    uint64_t most[ORACLE_ACTORS_MAX][ORACLE_ACTORS_MAX]; /* [bearer's actor][actor] */
    bool heirs[ORACLE_ACTORS_MAX][ORACLE_ACTORS_MAX];    /* [actor][actor of the next term] */
    uint64_t stable[ORACLE_ACTORS_MAX];     /* most that all responsible members surely covered */
    uint32_t actors_before;                 /* that had been given out before the newest one */
    bool alone;                             /* once a single node decided the configuration */
    bool kept;                              /* some log has had the newest configuration */
    bool moved;                             /* slots have begun to move between shards */
    uint32_t shards_most;                   /* shards with slots at one time */
    struct slotset slots[TERMS_SHARDS_MAX]; /* by id: all that the shard ever had */
};

struct world;
struct sim_node;

/* A step was made: the node may have adopted a configuration, or cover more. */
void terms_step(struct world *world, struct sim_node *node);

/* Nobody remembers who is who, and this is the newest configuration that anybody knows: what was
 * decided after it, a history that forked from it included, is forgotten, and people go on from
 * here. False: nothing is. */
bool terms_forgotten(struct world *world, const struct config *newest);

/* The simulated node of a member, where its process runs in that very term; or NULL. */
const struct sim_node *terms_node(const struct world *world, const struct place *place);

/* What every member that config holds responsible for the actor covers, or once did in its term;
 * *who: the actor of one that covers the least. UINT64_MAX when the actor is closed: all that will
 * ever be of it is everywhere (6.5). */
uint64_t terms_covered_by_all(const struct world *world, const struct config *config,
                              uint32_t actor, uint32_t *who);

/* True when the actor writes slots of this shard (an index), and is open. */
bool terms_matters(const struct config *config, uint32_t actor, uint32_t shard);

/* True when the node covers the write in this shard (an index), or its actor is closed to it. */
bool terms_covers(const struct sim_node *node, uint32_t shard, struct dot dot);

/* What a loss says, for the oracle. */
void terms_told_of(const struct world *world, const struct loss *loss, struct told *told);

/* Says anew which nodes the newest configuration lists. */
void terms_refresh(struct world *world);

/* True when every log that ever had the write has lost something since (I5). */
bool terms_lost(const struct world *world, uint32_t write);

/* True when config says that the write may be lost (6.5). */
bool terms_told(const struct world *world, const struct config *config, uint32_t write);

/* True when config says that the shard may have lost what it had: nobody in it was active, and it
 * merged (6.3). */
bool terms_merged(const struct config *config, uint32_t shard_id);

/* True when the write, or what beat it, was deleted, its tombstone purged, and the shard has merged
 * since: what is older may be in its place. */
bool terms_brought_back(const struct world *world, const struct config *config, uint32_t write);
