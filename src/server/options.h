/* options - what an operator says at the start.
 *
 * Does:   reads environment and command line into struct options; --help, --version.
 * Not:    what the numbers mean: base/knobs.def. Printing: the texts go into a buf.
 * Holds:  O1 the command line wins over the environment. O2 a bad value is refused with a
 *         sentence that names it, never replaced by a default. O3 a variable that is set to
 *         nothing counts as not set.
 * Limits: -
 * See:    docs/api.md "Starting a node".
 */
#pragma once

#include "node/node.h"
#include "server/log.h"

#define THENCE_VERSION "0.1.0"

#define OPTIONS_LISTEN_MAX 4U
#define OPTIONS_PATH_BYTES 1024U

struct options {
    struct node_options node;                                 /* all but entropy and ids */
    char data_dir[OPTIONS_PATH_BYTES];                        /* where the log lies */
    uint32_t listen_count;                                    /* 0: every interface */
    char listen[OPTIONS_LISTEN_MAX][LIMIT_ADDRESS_BYTES + 1]; /* numeric "ip:port" */
    uint16_t port;                                            /* of SOCKET_ADDRESS */
    enum log_format log_format;                               /* of lines */
    enum trace_level log_level;                               /* the least */
    const char *warning; /* worth a line at the start, or NULL; static */
};

enum options_result {
    OPTIONS_RUN,         /* start a node */
    OPTIONS_HEALTHCHECK, /* ask the node at the own port how it is */
    OPTIONS_SAY,         /* print text and exit with 0 */
    OPTIONS_BAD,         /* print text, a sentence, and exit with 2 */
};

/* How the environment is asked: like getenv. */
struct options_env {
    const char *(*get)(void *arg, const char *name); /* NULL: not set */
    void *arg;                                       /* for get */
};

/* text is appended to for OPTIONS_SAY and OPTIONS_BAD. */
enum options_result options_read(struct options *options, int argc, const char *const *argv,
                                 const struct options_env *env, struct buf *text);
