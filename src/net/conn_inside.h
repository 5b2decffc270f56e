/* conn_inside - what conn.c, hub.c and dial.c share.
 *
 * Does:   the structures of this folder.
 * Not:    for other modules.
 * Holds:  -
 * Limits: -
 * See:    conn.h, hub.h.
 */
#pragma once

#include "net/hub.h"

#include <uv.h>

/* Bytes of one read. */
#define NET_READ_BYTES (64U << 10)

/* Buffers larger than this are given back once they are empty. */
#define NET_KEEP_BYTES (64U << 10)

enum conn_state {
    CONN_CONNECTING, /* dialled */
    CONN_OPEN,       /* reads and writes */
    CONN_FINISHING,  /* sends what is left, reads to throw away */
    CONN_CLOSING,    /* the handle is being closed */
};

enum conn_kind {
    CONN_FRESH,  /* accepted, nothing came in yet */
    CONN_CLIENT, /* speaks HTTP */
    CONN_PEER,   /* speaks frames */
};

/* Why a connection is not read from; a set. */
#define CONN_PAUSED_BY_OWNER 1U
#define CONN_PAUSED_BY_UNSENT 2U

struct conn {
    uv_tcp_t tcp;            /* data: the connection */
    uv_write_t write;        /* of flight */
    uv_shutdown_t shutdown;  /* once all is sent */
    uv_connect_t connect;    /* of a dial */
    struct hub *hub;         /* whose */
    struct dial *dial;       /* while CONNECTING */
    void *user;              /* the owner's */
    struct conn *dirty_next; /* in the list of what to flush */
    struct conn *ended_next; /* in the list of what ended */
    uint64_t id;             /* see conn_id; the low bits are the slot */
    uint64_t since_ms;       /* when accepted, or when finishing began */
    uint64_t heard_ms;       /* when bytes came in last */
    uint64_t part_ms;        /* when a part of a frame was last told */
    size_t frame_limit;      /* of a peer */
    size_t frame_need;       /* bytes of the frame that in begins with, as far as known */
    struct buf in;           /* of a peer: the beginning of a frame */
    struct buf out;          /* collected in this turn */
    struct buf flight;       /* being written by the loop (C1) */
    enum conn_state state;   /* see conn.h */
    enum conn_kind kind;     /* who is at the other end */
    uint32_t paused;         /* CONN_PAUSED_* */
    bool accepted;           /* rather than dialled */
    bool reading;            /* uv_read_start is in force */
    bool writing;            /* flight is under way */
    bool dirty;              /* in the list of what to flush */
    bool shutting;           /* uv_shutdown was called */
    bool eof;                /* the other side said that it is done */
    bool untold;             /* in the list of what ended */
    bool refused;            /* ended by the other side's word rather than silence */
    bool handle_closed;      /* the loop has let go */
};

struct listener {
    uv_tcp_t tcp; /* data: the hub */
    bool open;    /* in use */
};

struct hub {
    uv_loop_t *loop;                              /* borrowed */
    struct hub_calls calls;                       /* whom to tell */
    struct hub_options options;                   /* as given */
    struct listener listeners[HUB_LISTENERS_MAX]; /* the first listener_count */
    uint32_t listener_count;                      /* in use */
    uint32_t handles;                             /* that the loop still holds */
    struct conn **slots;                          /* owned; NULL: free */
    uint32_t *free_slots;                         /* a stack; owned */
    uint32_t free_count;                          /* on the stack */
    uint32_t slot_count;                          /* allocated */
    uint64_t made;                                /* connections so far */
    uint32_t clients;                             /* of kind CLIENT, told by client_up */
    uint32_t accepted;                            /* open accepted connections */
    struct conn *dirty;                           /* to be flushed */
    struct conn *ended;                           /* to be told of, first */
    struct conn **ended_last;                     /* where the next one goes */
    struct dial *dials;                           /* under way */
    uv_timer_t dial_timer;                        /* the earliest of their time-outs */
    bool closing;                                 /* hub_close was called */
    uint8_t *read_buffer;                         /* shared by all; NET_READ_BYTES */
};

struct conn *net__conn_new(struct hub *hub, bool accepted);

/* Reads from now on, as a peer (dialled) or not yet known (accepted). */
void net__conn_open(struct conn *conn, enum conn_kind kind);

/* It ended: closes, and tells the owner with the next hub_deliver. */
void net__conn_fail(struct conn *conn, int error);

/* Closes the handle; the owner is told nothing by this. */
void net__conn_close(struct conn *conn);
void net__conn_flush(struct conn *conn);

/* Frees it once nobody holds it any more. */
void net__conn_release(struct conn *conn);

/* The loop let go of a handle. */
void net__handle_closed(struct hub *hub);

/* Ends all dials without a word. */
void net__dials_close(struct hub *hub);

/* True for errors that are an answer rather than silence. */
bool net__is_refusal(int error);
