/* session - what one client does next; between client.c and session.c.
 *
 * Does:   declares what the two files share.
 * Not:    for anybody else.
 * Holds:  -
 * Limits: -
 * See:    client.h.
 */
#pragma once

#include "sim/client.h"

/* The session goes on: a new operation, or another try. */
void session__wake(struct client *client, uint32_t session);

/* Its call is over; answer is the new token or NULL, borrowed. */
void session__done(struct client *client, const struct call *call, struct token *answer);

/* Keeps a token as the newest. */
void session__hold(struct session *session, struct token *token);

/* Gives all its tokens up. */
void session__forget(struct session *session);

/* Sends a call; takes the tokens and the past of the draft. */
uint64_t client__send(struct client *client, const struct call *draft, uint64_t timeout_us);
