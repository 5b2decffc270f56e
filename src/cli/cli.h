/* cli - what every command of thence has at hand.
 *
 * Does:   where to write, whom to ask, whether to stop; the commands themselves.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    main.c.
 */
#pragma once

#include "cli/exit.h"
#include "cli/options.h"

#include <stdio.h>

struct cli {
    const struct cli_options *options; /* the command line */
    FILE *in;                          /* answers to questions; NULL: nobody is there to ask */
    FILE *out;                         /* results */
    FILE *err;                         /* complaints and progress */
    bool out_colour;                   /* colours on out */
    bool err_terminal;                 /* a progress bar on err */
    const volatile int *stop;          /* how often Ctrl-C was pressed */
};

/* Each returns the exit status. */
enum exit_status cli_key(const struct cli *cli); /* put, get, delete */
enum exit_status cli_status(const struct cli *cli);
enum exit_status cli_load(const struct cli *cli);
enum exit_status cli_members(const struct cli *cli);
enum exit_status cli_salvage(const struct cli *cli);
enum exit_status cli_change(const struct cli *cli); /* add, remove, recover */
enum exit_status cli_reshard(const struct cli *cli);

/* The client of the options' nodes, or NULL after a complaint. */
struct client *cli__client_new(const struct cli *cli, const struct client_options *how);

/* The session of --token-file: reads it, if it is there. False after a complaint. */
bool cli__session_read(const struct cli *cli, struct client_session *session);

/* Writes it, in one move. False after a complaint. */
bool cli__session_write(const struct cli *cli, const struct client_session *session);

/* Asks whether to go on; with --yes it does without. Where nobody is there to be asked it refuses;
 * what is a clause that says why. EXIT_OK: go on. */
enum exit_status cli__confirm(const struct cli *cli, const char *what);

/* Reads a whole file ("-": standard input) of at most bytes_max. False after a complaint. */
bool cli__read_file(const struct cli *cli, const char *path, size_t bytes_max, struct buf *out);
