/* hub - all connections of a node: listening, dialling, looking up.
 *
 * Does:   listens; tells accepted clients and peers apart by their first byte; dials, with name
 *         resolution and a time-out; writes once a connection and turn.
 * Not:    deciding whom to dial or when to hang up. Time-outs of clients: server/.
 * Holds:  H1 calls are made from callbacks of the loop or from hub_deliver, never from inside a
 *         hub_* or conn_* call of the owner. H2 every dial is answered once: peer_up or
 *         dial_failed. H3 peer_down comes once for a peer that was up or sent a frame, unless
 *         the owner ended it. H4 frames of a connection come in order, before its peer_down.
 * Limits: HUB_*, below.
 * See:    conn.h; node/event.h.
 */
#pragma once

#include "net/conn.h"

struct uv_loop_s;
struct hub;

#define HUB_DIAL_MS 1000U           /* a dial fails after it */
#define HUB_LINGER_MS 2000U         /* a finished connection is closed after it */
#define HUB_FRESH_MS 75000U         /* an accepted connection may say nothing for so long */
#define HUB_PEER_SILENT_MS 120000U  /* an accepted peer likewise: its dialler dials anew */
#define HUB_PEERS_ACCEPTED_MAX 1024 /* accepted connections beside the clients */
#define HUB_PART_MS 50U             /* parts of a frame are told no more often */
#define HUB_LISTENERS_MAX 8U

struct hub_calls {
    void (*frame)(void *arg, struct conn *conn, struct slice frame); /* one whole frame */
    void (*part)(void *arg, struct conn *conn); /* some of one, now and then; may be NULL */
    void (*peer_up)(void *arg, uint32_t dial, struct conn *conn); /* may be written to */
    void (*dial_failed)(void *arg, uint32_t dial, bool refused);  /* refused, or silence */
    void (*peer_down)(void *arg, uint64_t conn, bool refused);    /* ended by the other side */
    void (*client_up)(void *arg, struct conn *conn);              /* its first byte came */
    void (*client_bytes)(void *arg, struct conn *conn, struct slice bytes);
    void (*client_sent)(void *arg, struct conn *conn); /* what had to wait was sent */
    void (*client_eof)(void *arg, struct conn *conn);  /* it will say nothing more */
    void (*client_gone)(void *arg, struct conn *conn); /* last call for it */
    void (*note)(void *arg, const struct conn *conn, const char *what); /* worth a log line */
    void *arg;                                                          /* for all of them */
};

struct hub_options {
    uint32_t clients_max;     /* clients at a time */
    struct slice full_answer; /* what a client beyond that is told; borrowed for good */
};

struct hub *hub_new(struct uv_loop_s *loop, const struct hub_options *options,
                    const struct hub_calls *calls);

/* Listens at a numeric "ip:port"; an empty address is every interface, v4 and v6, at port. False:
 * a sentence without full stop in why. */
bool hub_listen(struct hub *hub, struct slice address, uint16_t port, struct buf *why);

/* The port of the first listener: what was chosen where 0 was asked for. */
uint16_t hub_port(const struct hub *hub);

/* Connects to "ip:port", "[v6]:port" or "name:port". dial is the owner's number for it. */
void hub_dial(struct hub *hub, uint32_t dial, struct slice address);

/* The connection, or NULL when it ended. */
struct conn *hub_conn(struct hub *hub, uint64_t id);

/* Tells of connections that ended. Returns whether there was one. */
bool hub_deliver(struct hub *hub);

/* True when hub_deliver has something to tell, or hub_flush something to write. */
bool hub_pending(const struct hub *hub);

/* Writes what was given to connections: one system call each. */
void hub_flush(struct hub *hub);

/* To be called about once a second: closes what lasts too long. */
void hub_sweep(struct hub *hub);

/* Clients that are up; bytes that wait in all connections, both ways. */
uint32_t hub_clients(const struct hub *hub);

/* No more connections are accepted. */
void hub_stop_listening(struct hub *hub);

/* True while a connection has something unsent or waits for the other side to finish. */
bool hub_lingers(const struct hub *hub);

/* Closes everything, tells nobody. Afterwards the loop must run until hub_closed. */
void hub_close(struct hub *hub);
bool hub_closed(const struct hub *hub);
void hub_free(struct hub *hub);
