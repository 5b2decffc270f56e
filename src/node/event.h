/* event - all that can happen to a node.
 *
 * Does:   the input of node_step. Time comes in with every event.
 * Not:    -
 * Holds:  X1 mono_ms never goes back while the process lives; wall_ms may jump. X2 EVENT_RECOVER is
 *         the first, once. X3 COMMITTED arrive in order of id (S4), once for each COMMIT. X4 after
 *         any COMMIT_FAILED nothing but STOPPED follows. X5 a FRAME is one whole frame as
 *         frame_split cut it; frames of one connection arrive in the order they were sent.
 * Limits: -
 * See:    effect.h; docs/architecture.md "The step".
 */
#pragma once

#include "node/request.h"
#include "store/store.h"

enum event_type {
    EVENT_RECOVER,       /* the log as found: the first event */
    EVENT_TICK,          /* time has passed: node_deadline_ms is reached (or not: harmless) */
    EVENT_PEER_UP,       /* a dialled connection stands: bytes may be sent */
    EVENT_PEER_DOWN,     /* a connection ended, or a dial failed */
    EVENT_FRAME,         /* a frame came in, on a dialled or an accepted connection */
    EVENT_PART,          /* some of a frame came in: a sign of life, now and then */
    EVENT_REQUEST,       /* a client asks */
    EVENT_GONE,          /* the client of a request is gone: no reply is wanted */
    EVENT_TURN_END,      /* no more events in this turn: commit what was collected */
    EVENT_COMMITTED,     /* a COMMIT is done */
    EVENT_COMMIT_FAILED, /* the disk said no: the process ends */
    EVENT_SYNCED,        /* a SYNC is done */
    EVENT_STOP,          /* finish what is under way and stop cleanly */
};

struct event {
    enum event_type type; /* which */
    uint64_t mono_ms;     /* monotonic clock, milliseconds */
    uint64_t wall_ms;     /* wall clock, milliseconds since 1970 */
    union {
        struct {
            const struct log_segment *segments; /* ascending by id; borrowed for the step */
            size_t count;                       /* may be 0: an empty directory */
        } recover;
        struct {
            uint32_t dial; /* of the CONNECT that it answers */
            uint64_t conn; /* chosen by the shell, never reused in a process, not 0 */
        } peer_up;
        struct {
            uint32_t dial; /* of a dial that failed; 0 when a standing connection ended */
            uint64_t conn; /* the connection that ended; 0 when a dial failed */
            bool refused;  /* reset or refused, rather than silence */
        } peer_down;
        struct {
            uint64_t conn;      /* dialled or accepted; a new number means a new connection */
            struct slice bytes; /* one whole frame; borrowed for the step */
        } frame;
        struct {
            uint64_t conn; /* as of a frame */
        } part;
        struct request request; /* everything in it borrowed for the step */
        struct {
            uint64_t id; /* of the request */
        } gone;
        struct {
            uint64_t id; /* of the COMMIT or SYNC */
        } done;
    };
};
