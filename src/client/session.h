/* session - what one client has seen, as the tokens it was given.
 *
 * Does:   keeps tokens (opaque texts; a client cannot merge them), chooses which of them a
 *         request carries, and takes in the token of its answer, which covers all that the
 *         request carried: the node merges. So one token comes back for up to
 *         CLIENT_TOKENS_MAX that were sent.
 * Not:    requests and sockets: client.h. Files: whoever wants to keep a session copies tokens
 *         out (client_session_token) and in (client_session_add).
 * Holds:  S1 the tokens kept cover, taken together, every token ever taken in: one is dropped
 *         only when a token is taken in whose request carried it. S2 no two tokens kept are the
 *         same. S3 while at most CLIENT_TOKENS_MAX are kept, a request carries all of them: it
 *         comes after everything that was answered before it was sent. That is always so
 *         while at most CLIENT_TOKENS_MAX requests of the session are under way. S4 beyond
 *         that every request carries the head, a token that grows: answers are folded
 *         together, seven at a time, by requests that carry them beside the head, and into
 *         the head by one such request at a time. An answer is so carried by all requests after a
 *         few more round trips, not at once. client_settle ends with one token of everything.
 * Limits: the tokens kept are about as many as the requests under way.
 * See:    docs/api.md section 2 (several contexts are merged), docs/protocol.md section 3.3.
 *
 * Why not all tokens with every request: a node takes LIMIT_TOKENS, and N requests under way
 * make N tokens that do not cover each other. Whoever needs S3 with more under way settles first.
 */
#pragma once

#include "base/base.h"

#define CLIENT_TOKENS_MAX LIMIT_TOKENS

/* What a request under way carries. */
struct client_cargo {
    uint64_t ids[CLIENT_TOKENS_MAX]; /* of tokens */
    uint32_t count;                  /* of ids; 0 also: no cargo */
    uint32_t level;                  /* of its answer: see struct client_token */
    bool folds;                      /* ids[1] and on are marked as carried */
    bool folds_head;                 /* the one fold whose answer becomes the head */
};

struct client_token {
    uint64_t id;     /* counts up; 0 is none */
    struct buf text; /* as the node wrote it */
    uint32_t level;  /* how many folds are in it: 0 for an answer to an ordinary request */
    bool carried;    /* a fold under way carries it */
};

struct client_session {
    struct client_token *tokens; /* oldest first */
    size_t count;                /* in use */
    size_t cap;                  /* allocated */
    uint64_t last_id;            /* given out */
    uint64_t head_id;            /* of the head; 0 or one that is gone: there is none */
    bool folding_head;           /* a request that folds into the head is under way */
};

void client_session_init(struct client_session *session);
void client_session_fini(struct client_session *session);

/* A token from elsewhere (an earlier run, another session). False: it is no text that a header can
 * carry, or longer than LIMIT_TOKEN_TEXT_BYTES. */
bool client_session_add(struct client_session *session, struct slice text);

/* The i-th of session->count; borrowed until the session changes. */
struct slice client_session_token(const struct client_session *session, size_t i);

/* Chooses what the next request carries; *cargo must end in exactly one of the two below. */
void client_session_load(struct client_session *session, struct client_cargo *cargo);

/* The request was answered with a token that covers its cargo. A text that cannot be a single
 * token counts as none. */
void client_session_learn(struct client_session *session, struct client_cargo *cargo,
                          struct slice text);

/* The request ended without a token. */
void client_session_drop(struct client_session *session, struct client_cargo *cargo);

/* Appends the tokens of cargo that are still kept, joined by commas. (One that is gone was covered
 * by a token that came since; to leave it out here would break S3 for a request that was chosen
 * before and is sent now: so load and this are called together.) */
void client_session_put(const struct client_session *session, const struct client_cargo *cargo,
                        struct buf *out);

void client_session_check(const struct client_session *session);
