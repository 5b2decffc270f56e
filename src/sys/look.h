/* look - a data directory that nobody uses, only to be read.
 *
 * Does:   finds out whether a node uses it, and maps the segments of its log.
 * Not:    making, locking for good, or changing anything in it. What is in segments: store/log.h.
 * Holds:  E1 nothing in the directory is written, made, renamed or removed. E2 while it is open no
 *         node can start on it, where it has a lock file (one that was set aside may have none).
 * Limits: a read error while a mapped segment is read kills the process (SIGBUS).
 * See:    directory.h, segments.h.
 */
#pragma once

#include "store/store.h"

struct look {
    int fd;                       /* of the directory; -1: none */
    int lock_fd;                  /* of the lock file; -1: there is none */
    struct log_segment *segments; /* mapped, ascending by id */
    size_t count;                 /* of these */
};

/* False: a sentence without full stop is appended to why, and nothing is held. */
bool look_open(struct look *look, const char *path, struct buf *why);
void look_close(struct look *look);
