/* links - the connections of this node to the others.
 *
 * Does:   one link for every other address (of VIEW before the first configuration, of the members
 *         after): the connection we dialled, which carries what we send; the one it dialled, which
 *         carries what it sends; when to dial again; signs of life.
 * Not:    what is sent (hold.h), handshakes (handshake.c).
 * Holds:  J1 a link is used for frames only after both sides have said HELLO on it and the other
 *         is who the configuration says (T17); or neither is in it, and they decide how to go
 *         on. J2 an accepted connection speaks for at most one node, and of two that speak for one
 *         node the later counts: the earlier is released, and nothing that comes on it is used any
 *         more. J3 calls are counted from the first on, at both ends of a connection.
 * Limits: LIMIT_MEMBERS links; LINK_GUESTS accepted connections.
 * See:    docs/protocol.md sections 3.2, 6.8.
 */
#pragma once

#include "cluster/cluster.h"

#define LINK_GUESTS 256U

enum link_state {
    LINK_IDLE,     /* not connected; dialled again at retry_ms */
    LINK_DIALLING, /* CONNECT is out */
    LINK_GREETING, /* connected, our HELLO is out, theirs is not here yet */
    LINK_UP,       /* frames may be sent */
};

struct link {
    struct address address; /* where it listens */
    uint64_t node_id;       /* who it is; 0: not known yet (before the first configuration) */
    enum link_state state;  /* see above */
    uint32_t dial;          /* number of the latest CONNECT; also the generation of our HELLO */
    uint64_t conn;          /* dialled connection, from GREETING on */
    uint64_t guest;         /* accepted connection that speaks for it; 0: none */
    uint64_t since_ms;      /* of this state, mono */
    uint64_t retry_ms;      /* when to dial, in IDLE */
    uint64_t hello_ms;      /* when to greet again, where nothing else is said, mono */
    uint64_t epoch_sent;    /* configuration it was given on this connection */
    uint64_t epoch_heard;   /* the greatest that it has spoken under */
    struct suspect suspect; /* signs of life */
    bool suspected;         /* as last told to the others */
    bool stranger_said;     /* that another node answers there has been logged */
    bool doubt;             /* it said HELLO_DOUBT: it serves nothing */
    int64_t clock_diff_ms;  /* its wall clock minus ours, from its HELLO */
    uint64_t calls_out;     /* frames of calls that left on this connection (calls.c) */
    uint32_t first_heard;   /* least generation that this process has greeted; 0: none */
    uint32_t last_heard;    /* generation of the last of its connections that is over and brought
                               calls; 0: none */
    uint64_t last_calls;    /* how many */
};

/* A connection that somebody dialled to us. */
struct guest {
    uint64_t conn;          /* 0: free */
    uint64_t node_id;       /* who said HELLO on it */
    uint32_t generation;    /* of that HELLO */
    struct address address; /* where it says it listens */
    uint64_t greeting;      /* its last HELLO was so many of all, 1, 2, 3 … */
    uint64_t heard_ms;      /* when that was, mono */
    uint64_t calls;         /* frames of calls that came on it (calls.c) */
    uint64_t calls_said;    /* how many of these its dialler has been told of */
};

struct links {
    uint32_t count;                    /* links in use */
    struct link list[LIMIT_MEMBERS];   /* no order */
    struct guest guests[LINK_GUESTS];  /* accepted connections that have said HELLO */
    uint32_t guests_end;               /* places from here on were never used */
    uint64_t greetings;                /* HELLOs of guests so far */
    uint32_t last_dial;                /* numbers of CONNECT, 1, 2, 3 … */
    uint64_t displaced[LIMIT_MEMBERS]; /* accepted connections that made way for later ones */
    uint32_t displaced_next;           /* the place of the next one: the oldest is forgotten */
};

void links_init(struct links *links);

/* Before the first configuration: the addresses of VIEW, without the own one. */
void links_from_view(struct links *links, const struct address *view, uint32_t count,
                     const struct address *self);

/* After an adoption: the members, without this node. Links whose address stays are kept; the
 * connections of the others are appended to *hangups (8 bytes each). */
void links_from_config(struct links *links, const struct config *config, uint64_t self,
                       const struct address *own, struct buf *hangups);

struct link *links_by_node(struct links *links, uint64_t node_id);
const struct link *links_by_node_const(const struct links *links, uint64_t node_id);
struct link *links_by_dial(struct links *links, uint32_t dial);
struct link *links_by_conn(struct links *links, uint64_t conn);
struct link *links_by_address(struct links *links, struct slice address);

/* Who speaks on an accepted connection; NULL when nobody said HELLO on it. */
struct guest *links_guest(struct links *links, uint64_t conn);

/* Notes that node_id speaks on conn. NULL when there are too many. */
struct guest *links_welcome(struct links *links, uint64_t conn, uint64_t node_id,
                            uint32_t generation);

/* The accepted connection on which this node said HELLO last, whatever its generation: a process
 * that begins anew counts from 1. 0: none. */
uint64_t links_conn_of(const struct links *links, uint64_t node_id);

/* Nobody speaks on it any more; its link remembers how many calls came. */
void links_release(struct links *links, struct guest *guest);

/* The same for one that made way for a later connection. Its HANGUP may have to wait for a commit:
 * a greeting that is still under way on it must not bring it back (J2). */
void links_displace(struct links *links, struct guest *guest);
bool links_was_displaced(const struct links *links, uint64_t conn);

/* Asserts J1 and J2 as far as they can be seen here. */
void links_check(const struct links *links);
