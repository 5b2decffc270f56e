/* options - the command line of thence.
 *
 * Does:   takes it apart, with the environment for what it leaves out.
 * Not:    files and nodes: those that are named are used later.
 * Holds:  O1 what is not understood is refused with a sentence that names it.
 * Limits: CLIENT_NODES_MAX nodes, LIMIT_MEMBERS members, CLI_JOBS_MAX requests under way.
 * See:    help.c.
 */
#pragma once

#include "client/client.h"

#define CLI_VERSION "0.1.0"
#define CLI_JOBS_MAX 1024U

enum cli_command {
    CLI_PUT,
    CLI_GET,
    CLI_DELETE,
    CLI_STATUS,
    CLI_LOAD,
    CLI_MEMBERS,
    CLI_ADD,
    CLI_REMOVE,
    CLI_RECOVER,
    CLI_SALVAGE,
    CLI_RESHARD,
    CLI_NONE, /* no command: only for help */
};

enum cli_format {
    CLI_JSON_LINES, /* {"key": …, "value": …} */
    CLI_TSV,        /* key TAB json */
};

struct cli_options {
    enum cli_command command;      /* what */
    char *nodes[CLIENT_NODES_MAX]; /* addresses; owned */
    uint32_t node_count;           /* of these */
    char *members[LIMIT_MEMBERS];  /* add, remove, recover: addresses, in canonical form; owned */
    uint32_t member_count;         /* of these */
    const char *shard;             /* add: "s1", or NULL */
    const char *key;               /* put, get, delete */
    const char *value;             /* put: JSON, or "-"; NULL with raw_file */
    const char *file;              /* load: a path or "-"; put: bytes of --raw, or NULL; salvage:
                                      the directory */
    const char *export_file;       /* salvage: list there what could be written, or NULL */
    const char *type;              /* put --raw: content type */
    const char *token_file;        /* where a session is kept, or NULL */
    uint64_t wait_ms;              /* UINT64_MAX: not said */
    uint64_t timeout_ms;           /* of one attempt */
    uint64_t skip_lines;           /* load: lines at the start to leave out */
    uint32_t jobs;                 /* load: requests under way */
    uint32_t copies;               /* 0: not said */
    uint32_t shard_count;          /* reshard: how many; 0 with cancel */
    enum cli_format format;        /* load */
    bool json;                     /* the answer as JSON */
    bool verify;                   /* load: read back */
    bool quiet;                    /* load: no progress */
    bool force;                    /* remove: rather leave a shard degraded */
    bool from_directories;         /* recover: nobody remembers, go on with what is there */
    bool cancel;                   /* reshard: what is under way */
    bool yes;                      /* remove, recover, salvage, reshard: do not ask */
};

enum cli_options_result {
    CLI_OPTIONS_RUN, /* carry it out */
    CLI_OPTIONS_SAY, /* print text, exit 0 */
    CLI_OPTIONS_BAD, /* print text, exit 2 */
};

/* nodes_env: the value of THENCE_NODES, or NULL. argv is borrowed for as long as the options. text
 * is appended to. */
enum cli_options_result cli_options_read(struct cli_options *options, int argc, char **argv,
                                         const char *nodes_env, struct buf *text);
void cli_options_fini(struct cli_options *options);

/* Static texts. */
const char *cli_help(enum cli_command command);
const char *cli_command_word(enum cli_command command);
