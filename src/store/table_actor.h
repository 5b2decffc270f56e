/* table_actor - the actors that have versions here, and the cursors on their lists.
 *
 * Does:   a 16-bit index for each actor (so that a version names its writer in two bytes), its
 *         list, and its open cursors; the index is used again when nothing needs it.
 * Not:    versions.
 * Holds:  A1 by_id ascends strictly by id and names each actor in use once. A2 an actor in use
 *         has versions or cursors. A3 the cursors of an actor are those opened and not closed.
 * Limits: ACTORS_MAX at once.
 * See:    docs/protocol.md section 4.3; table.h (B2, B4).
 */
#pragma once

#include "store/table.h"
#include "store/table_list.h"

#define ACTORS_MAX 65535U

struct actor {
    uint32_t id;                  /* 0: not in use */
    uint32_t next;                /* 1 + next index not in use, when this one is not */
    struct list list;             /* its current versions */
    struct table_cursor *cursors; /* open on it */
};

struct actor_name {
    uint32_t id;    /* of the actor */
    uint32_t index; /* in all */
};

struct actors {
    struct actor *all;        /* by index */
    struct actor_name *by_id; /* those in use, ascending by id */
    uint32_t count;           /* of all */
    uint32_t named;           /* of by_id */
    uint32_t cap;             /* of both */
    uint32_t unused;          /* 1 + first index not in use; 0: none */
    uint64_t bytes;           /* allocated for the two arrays and the lists */
    enum plant plant;         /* PLANT build only: the active planted bug */
};

void actors__fini(struct actors *actors);

/* The index of an actor: there already, or taken now. */
uint32_t actors__take(struct actors *actors, uint32_t id);

/* NULL when it is not in use. */
struct actor *actors__find(const struct actors *actors, uint32_t id);

/* The next one above id that has versions, or 0. */
uint32_t actors__next(const struct actors *actors, uint32_t id);

/* A version came; moves cursors that are past it back. */
void actors__insert(struct actors *actors, uint32_t index, uint64_t seq, uint32_t ref);

/* A version went; the actor too when it was the last and no cursor is open. */
void actors__remove(struct actors *actors, uint32_t index, uint64_t seq, uint32_t ref);

void actors__cursor_open(struct actors *actors, struct table_cursor *cursor);
void actors__cursor_close(struct actors *actors, struct table_cursor *cursor);

/* Asserts A1 to A3, and the lists. Returns the versions in all lists. */
uint64_t actors__check(const struct actors *actors);
