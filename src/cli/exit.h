/* exit - the exit statuses of thence.
 *
 * Does:   names them.
 * Not:    -
 * Holds:  the numbers are part of the contract with scripts (thence --help lists them).
 * Limits: -
 * See:    help.c.
 */
#pragma once

enum exit_status {
    EXIT_OK = 0,           /* all went well */
    EXIT_NOT_WELL = 1,     /* the key does not exist; lines failed or differ; nodes are down */
    EXIT_USAGE = 2,        /* the command line, or a file it names, is not usable */
    EXIT_UNAVAILABLE = 3,  /* nobody could be reached, or nobody could answer in time */
    EXIT_UNKNOWN = 4,      /* a write that has happened or has not */
    EXIT_REFUSED = 5,      /* a node refused the request */
    EXIT_INTERRUPTED = 130 /* Ctrl-C */
};
