/* segments - the files of the log.
 *
 * Does:   reads all of them at start; appends, syncs, removes. Appending happens at once, in the
 *         loop's thread (it is a copy into the file cache); syncing and removing in libuv's pool.
 * Not:    what is in them (store/log.h), when to do what (the node).
 * Holds:  G1 commits complete in order of id (S4), at most one is under way (Y2). G2 a commit
 *         that asks for a sync is done only when all bytes of all segments up to it, and the
 *         names of their files, are synced. G3 a sync is done when everything that was committed
 *         before it was asked for is synced, names included. G4 after an error nothing is
 *         reported done any more: the disk is not asked again (S5). G5 segments are removed
 *         in the order of the drops. G6 what is loaded is synced, names included.
 * Limits: a read error while a mapped segment is replayed kills the process (SIGBUS).
 * See:    node/effect.h; docs/architecture.md "The step".
 */
#pragma once

#include "node/node.h"

struct uv_loop_s;
struct segments;

/* Whom to tell; never called from inside a call of segments_*. */
struct segments_calls {
    void (*committed)(void *arg, uint64_t id);   /* a commit that was SEGMENTS_LATER is done */
    void (*synced)(void *arg, uint64_t id);      /* a sync is done */
    void (*failed)(void *arg, const char *what); /* the disk said no; once; what borrowed */
    void *arg;                                   /* for all of them */
};

/* dir_fd is borrowed and stays open longer than the segments. */
struct segments *segments_new(struct uv_loop_s *loop, int dir_fd,
                              const struct segments_calls *calls);

/* Only when segments_busy says no. */
void segments_free(struct segments *segments);

/* Maps every segment. False: a sentence without full stop in why. */
bool segments_load(struct segments *segments, struct buf *why);

/* What was mapped, ascending by id; borrowed until segments_unload. */
const struct log_segment *segments_loaded(const struct segments *segments, size_t *count);
void segments_unload(struct segments *segments);

enum segments_result {
    SEGMENTS_DONE,   /* committed: it is in the file cache */
    SEGMENTS_LATER,  /* calls.committed or calls.failed follow */
    SEGMENTS_FAILED, /* see segments_why */
};

/* Appends bytes (borrowed for the call) to segment at offset; 0 makes the file. */
enum segments_result segments_commit(struct segments *segments, uint64_t id, uint64_t segment,
                                     uint64_t offset, struct slice bytes, bool sync);
void segments_sync(struct segments *segments, uint64_t id);
void segments_drop(struct segments *segments, uint64_t segment);

/* The sentence of the first error. */
const char *segments_why(const struct segments *segments);

/* True while the pool works for these segments. */
bool segments_busy(const struct segments *segments);
