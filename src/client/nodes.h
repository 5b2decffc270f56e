/* nodes - the nodes that a client knows, and which of them can be asked.
 *
 * Does:   addresses, the links to each, how long one that failed is left alone.
 * Not:    requests: client.c.
 * Holds:  N1 a node that has answered since its last failure is not down. N2 one that has not gets
 *         one request at a time, to see whether it is back.
 * Limits: CLIENT_NODES_MAX; a name is looked up once, when the node is added.
 * See:    client.c.
 */
#pragma once

#include "client/link.h"

struct node_at {
    char *address;               /* "host:port", as given */
    struct addrinfo *addresses;  /* what that stands for */
    const struct addrinfo *next; /* to be tried next */
    struct link *links;          /* connections_max of them */
    uint64_t down_until_ms;      /* after a failure: not asked before, while others can be */
    uint32_t failures;           /* in a row */
};

/* False: a clause is appended to why. */
bool client__node_init(struct node_at *node, uint32_t index, const char *address,
                       uint32_t connections, struct buf *why);
void client__node_fini(struct node_at *node, uint32_t connections);

/* After a connection failed or was lost. */
void client__node_failed(struct node_at *node, uint64_t now_ms);

/* Requests under way on all its links. */
uint32_t client__node_load(const struct node_at *node, uint32_t connections);

/* The link for one more request: an idle one that stands, a new one, or the one with the least
 * under way. NULL: all are full. It may be closed: then it has to be opened. */
struct link *client__node_link(struct node_at *node, uint32_t connections, uint32_t depth);
