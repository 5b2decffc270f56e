/* directory - the data directory: ours alone, and the same one as last time.
 *
 * Does:   makes it, locks it against a second process, tells whether it is a copy.
 * Not:    what lies in it: segments.h. Deciding what a copy means: the node, which keeps the
 *         identity that it saw first in its log.
 * Holds:  D1 the lock file is made once and never written, renamed or touched again, but by
 *         directory_distrust: its inode and change time are the identity. D2 the lock is held
 *         until directory_close, or until the process ends, however it ends.
 * Limits: a local file system with flock and stable inode numbers. Seconds of the change time
 *         count, not their fractions, which some file systems forget. A recursive chown or chmod
 *         of the directory changes it: that makes it look like a copy.
 * See:    docs/protocol.md section 6.3, T11.
 */
#pragma once

#include "base/base.h"

struct directory {
    int fd;            /* of the directory */
    int lock_fd;       /* of the lock file */
    uint64_t identity; /* inode and change time of the lock file, hashed */
};

/* Makes path (and its parents) where it is missing, and locks it. False: a sentence without full
 * stop is appended to why, and nothing is held. */
bool directory_open(struct directory *directory, const char *path, struct buf *why);
void directory_close(struct directory *directory);

/* A sync has failed: what the file cache shows may never reach the disk. Changes the identity, so
 * that the next start finds itself in doubt (docs/protocol.md 6.3). */
void directory_distrust(struct directory *directory);
