/* link - one connection to one node, with the requests that are under way on it.
 *
 * Does:   connects, sends what its calls have unsent, receives; all without blocking.
 * Not:    deciding what an end of it means for its calls: client.c.
 * Holds:  L1 calls are in the order in which they were, or will be, sent: answers come in that
 *         order. L2 fd is -1 exactly when the link is LINK_CLOSED, and then it has no calls.
 * Limits: -
 * See:    client.c.
 */
#pragma once

#include "client/answer.h"
#include "client/call.h"

struct addrinfo;

enum client_link_state {
    CLIENT_LINK_CLOSED,
    CLIENT_LINK_CONNECTING,
    CLIENT_LINK_OPEN,
};

struct link {
    int fd;                       /* or -1 */
    enum client_link_state state; /* see there */
    uint32_t node;                /* whose */
    struct call_list calls;       /* L1 */
    uint32_t count;               /* of calls */
    struct buf in;                /* received and not yet an answer */
    size_t seen;                  /* of in, where the end of a head was looked for */
    uint64_t connect_due_ms;      /* CONNECTING: given up then */
    uint64_t active_ms;           /* when anything was last sent or received */
};

enum link_event {
    LINK_GOES_ON,
    LINK_LOST, /* closed by the other side, or failed */
};

/* Begins to connect; false: that failed at once. */
bool client__link_open(struct link *link, const struct addrinfo *address);

/* After POLLOUT while CONNECTING; false: it failed. */
bool client__link_connected(struct link *link);

/* The calls have been taken off before. */
void client__link_close(struct link *link);

/* True when some call is not sent whole. */
bool client__link_has_unsent(const struct link *link);

enum link_event client__link_send(struct link *link);

/* Receives what is there into `in`. */
enum link_event client__link_receive(struct link *link);

/* True when the other side has closed it, or sent something that nobody asked for. Only for
 * links without calls. */
bool client__link_is_stale(const struct link *link);
