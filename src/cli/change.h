/* change - what an operator asks of the configuration.
 *
 * Does:   what is known of the members that a command names, and what it would come to.
 * Not:    carrying it out: the nodes decide; all that is shown before is what they said a moment
 *         ago.
 * Holds:  G1 where something is given up nothing is sent before somebody said yes.
 * Limits: LIMIT_MEMBERS.
 * See:    docs/api.md section 3; docs/protocol.md 6.4, 6.6, 6.7.
 */
#pragma once

#include "cli/status.h"

struct target {
    struct slice address;           /* as the command names it */
    bool listed;                    /* it is a member */
    struct slice shard;             /* "s0"; empty: none */
    struct slice state;             /* active, syncing, … */
    const struct status_node *node; /* what it says of itself; NULL: nothing is known */
};

struct change {
    const struct cli *cli;                /* the command */
    struct status *status;                /* the cluster, a moment ago */
    struct target targets[LIMIT_MEMBERS]; /* members that it names */
    uint32_t count;                       /* of these */
    uint32_t members;                     /* of the cluster */
    uint32_t answering;                   /* of those that stay */
    bool gives_up;                        /* what nobody can bring back */
};

void change__init(struct change *change, const struct cli *cli, struct status *status);

/* Does it answer, and do the others believe in it? */
bool change__is_alive(const struct target *target);

/* It answers, knows who belongs to the cluster, and is none of them any more: it has lost its
 * memory, or does not trust it. */
bool change__is_lost(const struct status_node *node);

/* Prints what the command will do, and finds out whether that gives something up. */
void change__preview(struct change *change);
