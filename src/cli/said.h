/* said - what an answer of a node says.
 *
 * Does:   asks for it; takes its JSON apart; the exit status that it means; prints what is the
 *         same for all.
 * Not:    words for what a command is about.
 * Holds:  -
 * Limits: -
 * See:    docs/api.md; key.c, change.c.
 */
#pragma once

#include "cli/cli.h"
#include "http/http.h"

enum {
    SAID_ERROR,
    SAID_DETAIL,
    SAID_RESULT,
    SAID_VALUE,
    SAID_REASON,
    SAID_COPIES,
    SAID_LOST,
    SAID_WAITING,
    SAID_COUNT,
};

struct said {
    bool json;                              /* the body is a JSON object */
    struct json_member members[SAID_COUNT]; /* those of it that are known here */
};

/* Asks, and waits for the answer, which borrows from the client. False: Ctrl-C. */
bool cli__ask(const struct cli *cli, struct client *client, const struct client_ask *what,
              struct client_answer *answer);

/* Borrows from the answer. */
void cli__said_read(struct said *said, const struct client_answer *answer);

/* Appends a member's text; nothing when it is none. */
void cli__said_put(const struct said *said, size_t which, struct buf *out);

bool cli__said_has(const struct said *said, size_t which);

enum exit_status cli__said_status(const struct client_answer *answer);

/* {"outcome":…,"status":…,"node":…,"retries":…,"answer":…} */
void cli__said_print_json(const struct cli *cli, const char *node,
                          const struct client_answer *answer, const struct said *said);

/* What an operator should know although all went well. */
void cli__said_print_notes(const struct cli *cli, const struct said *said);
