/* client - the clients of the world: sessions that wander between nodes with their tokens.
 *
 * Does:   asks, waits, gives up, asks again after a refusal (never after an unknown outcome);
 *         carries tokens along, holds them back, merges them with those of others; hands every
 *         answer to the oracle.
 * Not:    judging: oracle.h. Tokens are never looked into here.
 * Holds:  N1 each request that a node was handed is answered once, or withdrawn, or its process
 *         ended (Q1). N2 a session has one request under way.
 * Limits: CLIENT_HELD_MAX tokens a session.
 * See:    docs/protocol.md section 8; docs/api.md.
 */
#pragma once

#include "sim/world.h"

#define CLIENT_HELD_MAX 3U
#define CLIENT_TRIES_MAX 8U
#define CLIENT_TRIES_GONE 3U /* where somebody is lost: what it lacks may be with that one */
#define CLIENT_NOBODY UINT32_MAX
#define CALL_ADDRESS_BYTES (VNET_NODES_MAX * 20U) /* all of them, with commas between */

/* A token, and what its holder has seen: the truth beside the text. */
struct token {
    uint32_t refs;        /* owners */
    struct past *past;    /* owned */
    struct origin origin; /* in the history */
    size_t len;           /* of text */
    uint8_t text[];       /* as the node gave it */
};

enum call_state {
    CALL_SENT,    /* on its way to the node, or in its inbox */
    CALL_HANDED,  /* the node has it */
    CALL_REPLIED, /* the answer is on its way back */
    CALL_DONE,    /* nothing more will come of it */
};

/* One request to one node. */
struct call {
    enum call_state state;              /* see above */
    uint64_t number;                    /* its place among all calls */
    struct asked asked;                 /* what; its past is owned */
    uint64_t life;                      /* of the process that was asked */
    uint64_t handed_us;                 /* when it was handed */
    uint64_t faults;                    /* of the node until then */
    uint64_t stable[ORACLE_ACTORS_MAX]; /* what the node knew to be stable then ... */
    uint64_t epoch;                     /* ... under this epoch */
    uint32_t open;                      /* actors that were open there then */
    struct token *tokens[LIMIT_TOKENS]; /* sent along; owned */
    uint32_t token_count;               /* in use */
    uint32_t wait_ms;                   /* as the request says */
    uint32_t copies;                    /* as the request says */
    char addresses[CALL_ADDRESS_BYTES]; /* of a change of the configuration: what it is about */
    uint32_t shard_id;                  /* of a placing */
    bool force;                         /* of a removal, as the request says */
    bool probe;                         /* asked by the world, not by a session */
    bool keyless;                       /* it had no configuration: no key to make tokens with */
    bool covered;                       /* the node had all it could need when it was handed */
    bool forwarded;                     /* the node handed it on */
    bool refused;                       /* nobody listened: surely not done */
    bool lost;                          /* the connection ended, or the client gave up */
    bool unknown;                       /* as the reply says */
    enum err err;                       /* as the reply says */
    enum outcome outcome;               /* as the reply says */
    uint64_t count;                     /* as the reply says */
    uint32_t found;                     /* write whose value came */
    uint32_t replied_copies;            /* as the reply says */
    uint32_t told;                      /* losses that the reply tells */
    char waiting[64];                   /* who lacks how many, in words; may be empty */
    struct token *answer;               /* the new token; owned; NULL without */
};

struct session {
    uint32_t node;                       /* where it asks */
    struct token *held[CLIENT_HELD_MAX]; /* newest first; owned */
    uint32_t held_count;                 /* in use */
    bool merges;                         /* probes bring all of them */
    bool busy;                           /* in the middle of an operation */
    enum op op;                          /* of the operation */
    uint32_t key;                        /* of the operation */
    uint32_t write;                      /* of the operation: its PUT */
    uint32_t tries;                      /* of the operation, so far */
    uint64_t call;                       /* under way */
    uint32_t chain;                      /* where it stands in the history */
};

struct client {
    struct world *world;      /* of all */
    struct rng rng;           /* of the workload */
    struct session *sessions; /* owned */
    uint32_t session_count;   /* in use */
    struct call **calls;      /* owned; by number */
    uint64_t call_count;      /* in use, 0 included */
    uint64_t call_cap;        /* allocated */
    uint64_t *wishes;         /* owned; calls of operators that may not be over */
    uint32_t wish_count;      /* in use */
    struct buf value;         /* of the request being handed */
    uint32_t probe_bytes;     /* of the values that probes put */
    bool stopping;            /* no new operations */
    uint64_t begun;           /* operations */
    uint64_t ops;             /* finished */
    uint64_t answered;        /* of them, without 5xx and time-outs */
    uint64_t unknowns;        /* of them, with an unknown outcome */
    uint64_t timeouts;        /* of them, given up */
    uint64_t retries;         /* requests beyond the first of an operation */
    uint64_t errors[64];      /* answers by number of their error */
};

struct client *client_new(struct world *world);
void client_free(struct client *client);

/* An event of WORLD_SESSION, WORLD_ARRIVE, WORLD_ANSWER or WORLD_TIMEOUT. */
void client_event(struct client *client, const struct vevent *event);

/* The request of a call for the step that hands it over; false when it is void. */
bool client_request(struct client *client, uint64_t call, struct request *request);

/* A node replies. */
void client_reply(struct client *client, uint32_t node, const struct reply *reply);

/* A node has handed a request on (as it traces). */
void client_forwarded(struct client *client, uint32_t node, uint64_t call);

/* True when the node that was asked has, of its own shard's writers, all that the context may
 * name; false where it does not serve the key. */
bool client_covers(const struct client *client, const struct call *call);

/* A process ended: so did its connections to clients. */
void client_node_ended(struct client *client, uint32_t node);

/* No new operations; true when the last one is over. */
void client_stop(struct client *client);
bool client_idle(const struct client *client);

/* An operator still waits for an answer: who is who may change until then. */
bool client_operates(const struct client *client);

/* A request of the world's own: its number. session: whose newest token it brings, or
 * CLIENT_NOBODY. copies: as in a request. Its call stays readable. */
uint64_t client_probe(struct client *client, uint32_t node, enum op op, uint32_t key,
                      uint32_t session, uint32_t copies, uint64_t timeout_us);

/* An operator's wish: about addresses (with commas between), and a shard. */
struct wish {
    enum op op;            /* of those that change the configuration */
    const char *addresses; /* borrowed */
    uint32_t shard;        /* id, of a placing */
    bool force;            /* of a removal; of a recovery: nobody remembers */
};

/* An operator asks a node to change the configuration: the number of the call, which stays
 * readable. */
uint64_t client_operate(struct client *client, uint32_t node, const struct wish *wish,
                        uint64_t timeout_us);

/* The session keeps what an answer brought. */
void client_keep(struct client *client, uint32_t session, uint64_t call);

/* A session brings what another has seen, too, from now on; or nothing at all. */
void client_merge(struct client *client, uint32_t session, uint32_t other);
void client_forget(struct client *client, uint32_t session);
const struct call *client_call(const struct client *client, uint64_t call);

/* True when the call is done and was answered (found or not). */
bool client_call_good(const struct call *call);
