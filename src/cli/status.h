/* status - a cluster at a glance.
 *
 * Does:   what the nodes say of themselves and of each other, put together.
 * Not:    drawing: status_print.c, members.c.
 * Holds:  T1 a node is shown once: known by its node id, or by its address while it is silent.
 * Limits: CLIENT_NODES_MAX nodes, LIMIT_SHARDS shards.
 * See:    docs/api.md sections 3 and 4.
 */
#pragma once

#include "cli/cli.h"

struct status_node {
    struct buf body;             /* /cluster, as it answered; the slices below borrow from it */
    bool answered;               /* it did */
    const char *why;             /* it did not: a clause; static */
    const char *address;         /* as it is asked; the client's */
    struct slice named;          /* as the configuration names it, where it does */
    struct slice id;             /* node id; empty: not known */
    struct slice phase;          /* booting, serving, … */
    struct slice reason;         /* why it does not serve */
    struct slice shard;          /* "s0"; empty: none */
    struct slice metrics;        /* an object */
    uint64_t epoch;              /* of its configuration; 0: none */
    uint64_t behind;             /* writes that another member has and this one lacks, at most */
    bool behind_known;           /* somebody said */
    uint32_t suspected_by;       /* nodes that believe it dead */
    uint64_t keys[LIMIT_SHARDS]; /* its counts, by shard; UINT64_MAX: it did not say */
};

struct status_shard {
    struct slice id;     /* "s0" */
    uint64_t slots;      /* owned */
    uint32_t members;    /* nodes in it */
    uint32_t serving;    /* of these */
    uint64_t keys_least; /* of what nodes count */
    uint64_t keys_most;  /* likewise */
    bool counted;        /* some node did */
    bool degraded;       /* fewer than two members that stay */
};

struct status {
    struct client *client;                      /* of the nodes */
    struct status_node nodes[CLIENT_NODES_MAX]; /* by the client's index */
    uint32_t node_count;                        /* in use */
    struct status_shard shards[LIMIT_SHARDS];   /* of the newest configuration */
    uint32_t shard_count;                       /* in use */
    struct slice transits;                      /* slots on their way, of that: an array */
    struct slice lost;                          /* what may be lost, by that: an array */
    uint64_t epoch;                             /* of the newest configuration */
    struct slice lineage;                       /* of that */
    struct slice members;                       /* of that: an array */
    uint32_t answering;                         /* nodes that answered */
    uint32_t serving;                           /* nodes that serve, or are spares */
    bool lineages_differ;                       /* there is more than one cluster here */
    bool counts_differ;                         /* nodes count keys differently */
};

/* What a command does with what the nodes said; arg is the caller's. */
typedef enum exit_status (*cli_work)(const struct cli *cli, struct status *status, void *arg);

/* Asks the nodes given, then the members that these name (no key counts), and does the work with
 * what they say, if one of them knows a configuration. The exit status of the work, or, after a
 * complaint, of what went wrong. */
enum exit_status cli__with_members(const struct cli *cli, cli_work work, void *arg);

/* The node with this id, or the silent one at this address; NULL: somebody else answers there, or
 * there were too many to ask. */
struct status_node *cli__status_node(struct status *status, struct slice id, struct slice address);

void cli__status_print(const struct cli *cli, const struct status *status);
void cli__status_print_json(const struct cli *cli, const struct status *status);

static inline bool cli__status_is_well(const struct status *status)
{
    return status->serving == status->node_count && !status->lineages_differ &&
           !status->counts_differ;
}
