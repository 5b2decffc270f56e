/* vdisk - a virtual disk with a cache that forgets.
 *
 * Does:   the segments of one node: what was written (the cache of the operating system) and how
 *         far it is synced; crashes of the process (a write under way leaves a prefix) and of the
 *         machine (unsynced sectors of 512 bytes are kept, lost or torn, each for itself; names of
 *         new files and removals that were not synced may be undone; or nothing that was not
 *         synced leaves a trace); bit rot.
 * Not:    time: the world says when a write or a sync is done.
 * Holds:  D1 synced <= size for each segment. D2 segments ascend by id. D3 what was synced is
 *         never lost, except by bit rot.
 * Limits: memory.
 * See:    docs/protocol.md section 8; node/effect.h.
 */
#pragma once

#include "sim/vtime.h"

#define VDISK_SECTOR_BYTES 512U

struct vsegment {
    uint64_t id;      /* its number */
    struct buf bytes; /* everything written */
    size_t synced;    /* bytes that survive the machine */
    bool named;       /* its directory entry survives the machine */
    bool dropped;     /* removed, and the removal may not survive the machine */
};

struct vdisk {
    struct vsegment *list;    /* owned; ascending by id */
    size_t count;             /* in use */
    size_t cap;               /* allocated */
    struct log_segment *view; /* owned: what vdisk_view filled in last */
};

void vdisk_init(struct vdisk *disk);
void vdisk_fini(struct vdisk *disk);

/* The segment, or NULL; a dropped one is not found. Valid until the next change. */
struct vsegment *vdisk_find(const struct vdisk *disk, uint64_t id);

/* Appends to a segment, at its end; makes it when offset is 0. False when offset is not its end or
 * the new id is not above all others: the caller asked for nonsense. */
bool vdisk_write(struct vdisk *disk, uint64_t id, uint64_t offset, struct slice bytes);

/* Syncs one segment and its name up to size bytes. Nothing happens when it is gone. */
void vdisk_sync(struct vdisk *disk, uint64_t id, size_t size);

/* Syncs everything, removals included. */
void vdisk_sync_all(struct vdisk *disk);

/* Removes a segment; false when it is not there or not the oldest. */
bool vdisk_drop(struct vdisk *disk, uint64_t id);

/* The machine stops: what was not synced is kept, lost or torn, or all of it never was. True when
 * something was lost. */
bool vdisk_power_cut(struct vdisk *disk, struct rng *rng);

/* Whatever was not synced never was: one of the things that a power cut may do. */
bool vdisk_forget(struct vdisk *disk);

/* A copy as it is now, all of it synced; to is not initialised. */
void vdisk_copy(struct vdisk *to, const struct vdisk *from);

/* Turns one bit over in a random place. False when there is nothing. */
bool vdisk_rot(struct vdisk *disk, struct rng *rng);

/* Everything that is there, as EVENT_RECOVER wants it: *list is valid until the next change. */
size_t vdisk_view(struct vdisk *disk, const struct log_segment **list);

uint64_t vdisk_bytes(const struct vdisk *disk);

/* Asserts D1 and D2. */
void vdisk_check(const struct vdisk *disk);
