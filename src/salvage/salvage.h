/* salvage - what a data directory has that a cluster has not.
 *
 * Does:   reads the log of a node that is no member any more into a table, and says which of its
 *         versions the cluster surely had: by their dots, against what the cluster says of its
 *         coverage, its losses and its ancestors.
 * Not:    files (sys/look.h), asking the cluster and writing to it (cli/salvage.c). Which of two
 *         versions of a key is newer: a cluster does not show its clocks.
 * Holds:  A1 a version that is not listed as missing was covered by the cluster: it has it, or has
 *         put something over it, or has deleted it. A2 not the other way round: of what is
 *         listed the cluster may have some. A3 listed in the order of their clocks: a cause stands
 *         before what it caused.
 * Limits: all versions of the directory are held in memory.
 * See:    README.md here; docs/protocol.md sections 3.1, 6.4 to 6.6; docs/operating.md.
 */
#pragma once

#include "store/store.h"

struct salvage;

/* What a directory is. */
struct salvage_source {
    struct address address; /* where its node listened; empty text: it does not say */
    uint64_t lineage;       /* of its newest configuration; 0: it had none */
    uint64_t epoch;         /* of that */
    bool damaged;           /* its log is damaged: what is behind that was not read */
    uint64_t live;          /* keys */
    uint64_t deleted;       /* keys that it knows as deleted */
};

/* What a cluster says of itself (GET /cluster). */
struct salvage_cluster {
    uint64_t lineage;                           /* of its newest configuration */
    uint32_t next_actor;                        /* actors from here on are unknown to it */
    struct vv coverage;                         /* the greatest that any member has said */
    uint32_t open_count;                        /* in use */
    uint32_t open[2 * LIMIT_ACTORS];            /* actors of members, and retired ones not closed */
    bool shard_lost;                            /* it has lost more than single actors' writes */
    uint32_t loss_count;                        /* in use */
    struct dot losses[LIMIT_LOSSES];            /* of an actor: up to here nothing is lost */
    uint32_t ancestor_count;                    /* in use */
    struct ancestor ancestors[LIMIT_ANCESTORS]; /* histories that it goes on from */
};

/* Reads the segments (ascending by id), which are borrowed for the call. */
struct salvage *salvage_new(const struct log_segment *segments, size_t count);
void salvage_free(struct salvage *salvage);

const struct salvage_source *salvage_source(const struct salvage *salvage);

/* The cluster goes on from the history that the directory stands in. */
bool salvage_related(const struct salvage *salvage, const struct salvage_cluster *cluster);

/* Lists the versions that the cluster may lack; returns how many. The list stays until the next
 * call. */
size_t salvage_compare(struct salvage *salvage, const struct salvage_cluster *cluster);

/* The i-th of them; borrowed for as long as the salvage. */
void salvage_missing(const struct salvage *salvage, size_t i, struct version *version);
