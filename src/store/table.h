/* table - the state of a node: the current version of every key.
 *
 * Does:   versions by key, in slots, and by dot in a list for each actor; last writer wins;
 *         live and tombstone counts for each slot; cursors and scans that survive changes.
 * Not:    coverage, deciding what may be purged (replica/); durability (log.h).
 * Holds:  B1 at most one version for a key: the greatest (HLC, actor) ever put and not
 *         removed. B2 the list of an actor holds exactly its current versions, ascending by
 *         seq. B3 counts equal what is there. B4 a cursor never passes a version that was not
 *         handed out or unlinked: an insert behind it moves it back. B5 a scan hands out
 *         every version that its slot held from its start to its end.
 * Limits: 32 GiB of versions up to 8 KiB (larger ones have memory of their own); 65535 actors at
 *         once; memory is counted, the caller refuses.
 * See:    docs/protocol.md sections 4.3, 4.4, 4.6; docs/architecture.md "Table and log".
 */
#pragma once

#include "wire/wire.h"

struct table;

/* A version in the table; 0 is none. Valid until the next put or remove of the same key. */
typedef uint32_t table_ref;

enum table_put_result {
    TABLE_CREATED,  /* stored; no live version stood there before */
    TABLE_REPLACED, /* stored over a live version */
    TABLE_OLDER,    /* not stored: what stands there wins (or is the same) */
};

/* seed: of the hash, so that nobody can choose colliding keys. */
struct table *table_new(uint64_t seed);
void table_free(struct table *table);

/* PLANT build only: the active planted bug. */
void table_plant(struct table *table, enum plant plant);

/* Finds the version (a tombstone too). slot must be slot_of(key). */
table_ref table_find(const struct table *table, uint32_t slot, struct slice key);

/* A view that borrows until the next change of the table. */
void table_view(const struct table *table, table_ref ref, struct version *version);

/* Only the dot and the HLC: cheaper than a view. */
struct dot table_dot(const struct table *table, table_ref ref);
uint64_t table_hlc(const struct table *table, table_ref ref);
uint32_t table_slot(const struct table *table, table_ref ref);

/* Where its record stands in the log (log.h). */
uint64_t table_position(const struct table *table, table_ref ref);

/* Copies version in if it wins. position: of its log record. */
enum table_put_result table_put(struct table *table, uint32_t slot, const struct version *version,
                                uint64_t position);

/* Removes a version (a purged tombstone, a slot given away). */
void table_remove(struct table *table, table_ref ref);

/* Replays a RECORD_ABSENT: what it names goes, and what it won over; what is newer there stays.
 * False, with all before that done, where the bytes make no sense. */
bool table_replay_absent(struct table *table, struct slice body);

/* Replaces the dependencies of a version by fewer (deps: encoded, a subset; may be empty). */
void table_trim_deps(struct table *table, table_ref ref, struct slice deps);

/* What a slot walk that is under way has to do with a version (replica/). One that is put is not
 * marked. */
enum table_mark {
    TABLE_UNMARKED, /* nothing so far */
    TABLE_BEAT,     /* something that came was older, and was not kept */
    TABLE_SENT,     /* the walk has sent it */
};
enum table_mark table_mark_of(const struct table *table, table_ref ref);
void table_mark(struct table *table, table_ref ref, enum table_mark mark);
uint64_t table_marks(const struct table *table); /* versions that are not TABLE_UNMARKED */

/* Versions that have dependencies, in turn, for the sweep: the next one after *state (start with
 * 0, goes round), or 0 when there is none. */
table_ref table_next_with_deps(const struct table *table, uint64_t *state);
uint64_t table_deps_count(const struct table *table); /* versions that have some */

/* Counts (B3). */
uint64_t table_live(const struct table *table);
uint64_t table_tombstones(const struct table *table);
uint32_t table_slot_live(const struct table *table, uint32_t slot);
uint64_t table_slot_bytes(const struct table *table, uint32_t slot); /* of live keys and values */
uint32_t table_slot_tombstones(const struct table *table, uint32_t slot);

/* How many slots on from this one (going round) the next one with tombstones is; most, when none
 * is as near as that. */
uint32_t table_way_to_tombstones(const struct table *table, uint32_t slot, uint32_t most);

/* Bytes of memory in use for versions, indexes, lists and dependencies (what MAX_MEMORY counts).
 * A purge lowers it at once: what it frees is used again before more is asked for. */
uint64_t table_memory_bytes(const struct table *table);

/* The same with the free places of partly filled chunks: what the process holds. Above
 * table_memory_bytes by fragmentation. */
uint64_t table_held_bytes(const struct table *table);

/* Bytes that a checkpoint of all current versions would write. */
uint64_t table_log_bytes(const struct table *table);

/* A place in the list of one actor (tail walk). Registered with the table from open to close;
 * the struct belongs to the caller and must not move meanwhile. Fields: read only, by table. */
struct table_cursor {
    struct table_cursor *next; /* of the cursors on this actor */
    uint32_t actor;            /* whose list */
    uint64_t from;             /* where it was opened: an insert up to here does not concern it */
    uint64_t after;            /* every version up to this seq was handed out or need not be */
};

void table_cursor_open(struct table *table, struct table_cursor *cursor, uint32_t actor,
                       uint64_t after);
void table_cursor_close(struct table *table, struct table_cursor *cursor);

/* The next version above what was handed out, or 0 when the cursor is past the tail (it may get
 * more later). Advances. */
table_ref table_cursor_next(struct table *table, struct table_cursor *cursor);

/* The actors that have versions here, in turn: the next above actor, or 0. */
uint32_t table_actor_next(const struct table *table, uint32_t actor);

/* The greatest seq among the current versions of actor, 0 when it has none. */
uint64_t table_last_seq(const struct table *table, uint32_t actor);

/* A walk over one slot that survives changes between its steps (B5); may hand out a version
 * twice after a rehash. Needs no closing. */
struct table_scan {
    uint32_t slot;       /* which */
    uint32_t position;   /* how far: upper bits of the hash, place in that part of the index */
    uint32_t generation; /* of that part when the scan reached it */
};

void table_scan_begin(const struct table *table, struct table_scan *scan, uint32_t slot);

/* The next version, or 0 at the end. */
table_ref table_scan_next(const struct table *table, struct table_scan *scan);

/* Asserts B1 to B3 for everything (slow: for tests and the simulator), or for one slot. */
void table_check(const struct table *table);
void table_check_slot(const struct table *table, uint32_t slot);
