/* vnet - a virtual network that behaves as TCP does.
 *
 * Does:   connections between nodes: dialled, refused, timed out; frames in order after a latency;
 *         cut links (each direction for itself, retransmission after healing), stalled
 *         directions, resets that lose a suffix, ends that outlive the machine at the other side.
 * Not:    clients: they reach every node (world.h). What frames mean.
 * Holds:  C1 what one end gets is a prefix of what the other sent. C2 an end hears nothing more of
 *         a connection after its PEER_DOWN, its own HANGUP or the end of its process. C3 the
 *         number of a connection differs at its two ends and is never used again.
 * Limits: VNET_NODES_MAX.
 * See:    docs/protocol.md section 8; node/event.h for what PEER_DOWN means.
 */
#pragma once

#include "sim/vtime.h"

#define VNET_NODES_MAX 8U

/* Kinds of struct vevent that belong to the network. */
enum { VNET_EVENT_DIAL = 1, VNET_EVENT_FLOW = 2, VNET_EVENT_LAST = 3 };

enum vhost {
    VHOST_OFF,     /* the machine is down: silence */
    VHOST_IDLE,    /* the machine runs, the process does not: connections are refused */
    VHOST_LISTENS, /* the process runs */
};

/* Who is told. All slices are borrowed for the call. */
struct vnet_sink {
    void (*up)(void *arg, uint32_t node, uint32_t dial, uint64_t conn);
    void (*down)(void *arg, uint32_t node, uint32_t dial, uint64_t conn, bool refused);
    void (*frame)(void *arg, uint32_t node, uint64_t conn, struct slice bytes);
    void *arg; /* for each of them */
};

struct vpacket; /* one frame on its way */

/* One end of a connection. */
struct vend {
    uint32_t node;  /* where */
    uint64_t life;  /* which process there */
    bool open;      /* the process has it */
    bool announced; /* the process has heard of it */
    bool hung;      /* the process hung it up: nothing more of it is handed over */
    uint64_t told;  /* the newest epoch whose configuration went out here: epoch.h keeps it */
};

/* One direction of a connection. */
struct vflow {
    struct vpacket *head;      /* next to arrive */
    struct vpacket *tail;      /* last sent */
    uint64_t last_us;          /* when the last one arrives */
    uint64_t stalled_until_us; /* nothing moves before */
    uint64_t backoff_us;       /* until the next try over a cut link */
    bool scheduled;            /* an event is under way */
    bool fin;                  /* an end follows the last packet */
    bool fin_refused;          /* and looks like a reset */
};

struct vconn {
    struct vend ends[2];   /* 0 dialled, 1 accepted */
    struct vflow flows[2]; /* 0 from end 0 to end 1, 1 the other way */
    uint32_t dial;         /* number that the dialler chose */
    uint64_t dialled_us;   /* when */
    bool up;               /* was accepted */
};

struct vnet {
    struct vtime *time;                                /* of the world */
    struct vnet_sink sink;                             /* who is told */
    struct rng rng;                                    /* latencies and fates */
    uint32_t nodes;                                    /* in use */
    enum vhost host[VNET_NODES_MAX];                   /* what runs there */
    uint64_t life[VNET_NODES_MAX];                     /* counts processes */
    bool cut[VNET_NODES_MAX][VNET_NODES_MAX];          /* [from][to]: nothing passes */
    uint64_t base_us[VNET_NODES_MAX][VNET_NODES_MAX];  /* least latency */
    uint64_t extra_us[VNET_NODES_MAX][VNET_NODES_MAX]; /* added by a fault */
    uint64_t jitter_us;                                /* added at random, up to this */
    uint64_t tail_us;                /* one packet in 200 takes up to this much longer */
    uint64_t quantum_us;             /* arrivals are rounded up to this, so that some coincide */
    uint64_t dial_timeout_us;        /* an unanswered dial fails */
    uint64_t user_timeout_us;        /* an end gives up data that is not acknowledged */
    struct vconn **conns;            /* owned; by index */
    size_t count;                    /* in use */
    size_t cap;                      /* allocated */
    uint64_t queued[VNET_NODES_MAX]; /* bytes sent by a node and not arrived */
    uint64_t frames;                 /* that arrived */
    uint32_t hit[2];                 /* ends of the connection of the last fault: from, to */
};

void vnet_init(struct vnet *net, struct vtime *time, uint32_t nodes, uint64_t seed,
               const struct vnet_sink *sink);
void vnet_fini(struct vnet *net);

/* What the world does with an event of VNET_EVENT_*. */
void vnet_event(struct vnet *net, const struct vevent *event);

/* A process listens from now on. */
void vnet_start(struct vnet *net, uint32_t node);

/* It ended; its machine closes its connections: after all that was sent, or with a reset. */
void vnet_end(struct vnet *net, uint32_t node);

/* The machine went dark: nobody is told. vnet_boot: it runs again, without the process. */
void vnet_power_cut(struct vnet *net, uint32_t node);
void vnet_boot(struct vnet *net, uint32_t node);

/* Dials `to` (a node, or VNET_NODES_MAX for an address where nobody is). */
void vnet_dial(struct vnet *net, uint32_t from, uint32_t to, uint32_t dial);

/* False when the bytes are not whole frames, or the number was never given to this node. */
bool vnet_send(struct vnet *net, uint32_t node, uint64_t conn, struct slice bytes);
/* The node at the other end; VNET_NODES_MAX when this node has no such connection. */
uint32_t vnet_other(const struct vnet *net, uint32_t node, uint64_t conn);

bool vnet_hangup(struct vnet *net, uint32_t node, uint64_t conn);

/* The note that is kept at an end (see struct vend); NULL when it was never given to this node. */
uint64_t *vnet_told(const struct vnet *net, uint32_t node, uint64_t conn);

/* True when this node hung the connection up. */
bool vnet_hung(const struct vnet *net, uint32_t node, uint64_t conn);

/* Faults. The last two pick a standing connection; false when there is none. */
void vnet_cut(struct vnet *net, uint32_t from, uint32_t to, bool cut);
bool vnet_reset_one(struct vnet *net);
bool vnet_stall_one(struct vnet *net, uint64_t for_us);

void vnet_heal(struct vnet *net); /* no cuts, no stalls, no extra latency */

/* True when something waits that should have arrived: behind a cut, or to be sent again after
 * it. */
bool vnet_overdue(const struct vnet *net);
