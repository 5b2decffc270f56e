/* salvage - writes that only a data directory has, offered to a cluster.
 *
 * Does:   what is known of the cluster, and what became of each write that it may lack.
 * Not:    reading the directory: salvage/salvage.h.
 * Holds:  V1 nothing is written over a key that stands in the cluster, as it answered a moment
 *         before. V2 nothing is written before somebody said yes, and nothing at all with --export.
 * Limits: one byte a write that the cluster may lack; SALVAGE_JOBS requests under way.
 * See:    salvage/README.md; docs/operating.md.
 */
#pragma once

#include "cli/status.h"
#include "salvage/salvage.h"

/* As many as one session carries whole (client/session.h, S3): a cause is written before what it
 * caused. */
#define SALVAGE_JOBS CLIENT_TOKENS_MAX

enum verdict {
    VERDICT_NONE,     /* not asked, or not answered */
    VERDICT_ABSENT,   /* the key is not there: it can be written */
    VERDICT_SAME,     /* it has this value; or it is deleted, as it was here */
    VERDICT_OTHER,    /* it has another value */
    VERDICT_STANDING, /* deleted here, and there it has a value */
    VERDICT_WRITTEN,  /* absent, and written now */
    VERDICT_UNKNOWN,  /* absent, and nobody knows whether it was written */
    VERDICTS,         /* how many of these there are */
};

struct rescue {
    const struct cli *cli;         /* the command */
    struct salvage *salvage;       /* what the directory has */
    struct client *client;         /* of the cluster's nodes */
    struct client_session session; /* of the writes */
    size_t count;                  /* writes that the cluster may lack */
    uint8_t *verdicts;             /* enum verdict of each */
    uint64_t counts[VERDICTS];     /* of each verdict */
    uint64_t complaints;           /* about single keys, so far */
    uint64_t left_out;             /* with --export: what lines cannot say */
};

/* What the nodes say, put together; false after a complaint. */
bool cli__salvage_cluster(const struct cli *cli, const struct status *status,
                          struct salvage_cluster *cluster);

/* Sets a verdict. */
void rescue_note(struct rescue *rescue, size_t i, enum verdict verdict);

/* Asks for every key; writes those that are absent. False: Ctrl-C. */
bool rescue_look(struct rescue *rescue);
bool rescue_write(struct rescue *rescue);
