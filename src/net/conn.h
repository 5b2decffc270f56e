/* conn - one connection: bytes in, bytes out.
 *
 * Does:   collects what is to be sent, so that one system call a turn sends it; cuts frames of
 *         peers; stops reading from a client that does not read.
 * Not:    where connections come from: hub.h. What the bytes mean.
 * Holds:  C1 while a write is under way in the loop its buffer is not touched. C2 the owner of a
 *         client is told of its end once, or not at all when the owner ended it. C3 a
 *         connection that ended delivers nothing more.
 * Limits: CONN_*, below.
 * See:    hub.h; README.md.
 *
 *     CONNECTING --(connected)--> OPEN --conn_finish--> FINISHING --(all sent, other side done)--+
 *         |                        |                                                             |
 *         +-----(failed)-----------+------(failed, conn_abort)------------------------> CLOSING <-+
 */
#pragma once

#include "wire/wire.h"

/* Unsent bytes beyond which a client is not read from. */
#define CONN_CLIENT_UNSENT_BYTES (1U << 20)

/* Unsent bytes beyond which a peer is hung up on: it will dial again and catch up. */
#define CONN_PEER_UNSENT_BYTES (64U << 20)

/* Frames of an accepted connection before it has said who it is. */
#define CONN_STRANGER_FRAME_BYTES (64U << 10)

struct conn;

/* Never 0, never used again in a process. */
uint64_t conn_id(const struct conn *conn);

/* What the owner of a client keeps with it. */
void *conn_user(const struct conn *conn);
void conn_set_user(struct conn *conn, void *user);

/* Where to append what is to be sent with the next hub_flush. Valid until then. */
struct buf *conn_out(struct conn *conn);

/* True when nothing waits to be sent: what is given now goes out with the next hub_flush. */
bool conn_may_send(const struct conn *conn);

/* Bytes given to the connection and not yet to the kernel. */
size_t conn_unsent(const struct conn *conn);

/* Not reading for now, or again. */
void conn_pause(struct conn *conn, bool pause);

/* Sends what was given, then says so to the other side, and closes when that is done too. The
 * owner hears nothing more of it. */
void conn_finish(struct conn *conn);

/* Closes at once. The owner hears nothing more of it. */
void conn_abort(struct conn *conn);

/* "ip:port" of the other side, for log lines. */
#define CONN_TEXT_BYTES 64U
void conn_text(const struct conn *conn, char text[CONN_TEXT_BYTES]);
