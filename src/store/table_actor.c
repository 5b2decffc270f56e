/* table_actor - the actors that have versions here, and the cursors on their lists.
 *
 * Does:   see table_actor.h.
 * Not:    -
 * Holds:  A1 to A3.
 * Limits: see table_actor.h.
 * See:    table_actor.h.
 */
#include "store/table_actor.h"

void actors__fini(struct actors *actors)
{
    for (uint32_t i = 0; i < actors->count; i++)
        list__fini(&actors->all[i].list);
    mem_free(actors->all);
    mem_free(actors->by_id);
    *actors = (struct actors){0};
}

/* The first name with an id at or above, as a place in by_id. */
static uint32_t name_from(const struct actors *actors, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = actors->named;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (actors->by_id[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static uint32_t index_new(struct actors *actors)
{
    if (actors->unused != 0) {
        uint32_t index = actors->unused - 1;
        actors->unused = actors->all[index].next;
        return index;
    }
    if (actors->count == actors->cap) {
        uint32_t cap = actors->cap + actors->cap / 2 + 8;
        actors->all = mem_realloc(actors->all, cap * sizeof *actors->all);
        actors->by_id = mem_realloc(actors->by_id, cap * sizeof *actors->by_id);
        actors->bytes +=
            (uint64_t)(cap - actors->cap) * (sizeof *actors->all + sizeof *actors->by_id);
        actors->cap = cap;
    }
    ASSERT(actors->count < ACTORS_MAX);
    return actors->count++;
}

uint32_t actors__take(struct actors *actors, uint32_t id)
{
    ASSERT(id > 0);
    uint32_t at = name_from(actors, id);
    if (at < actors->named && actors->by_id[at].id == id)
        return actors->by_id[at].index;
    uint32_t index = index_new(actors);
    struct actor_name *name = &actors->by_id[at];
    memmove(name + 1, name, (actors->named - at) * sizeof *name);
    *name = (struct actor_name){.id = id, .index = index};
    actors->named++;
    actors->all[index] = (struct actor){.id = id};
    return index;
}

struct actor *actors__find(const struct actors *actors, uint32_t id)
{
    uint32_t at = name_from(actors, id);
    if (at == actors->named || actors->by_id[at].id != id)
        return NULL;
    return &actors->all[actors->by_id[at].index];
}

/* Takes an actor out when nothing needs it. */
static void actor_settle(struct actors *actors, uint32_t index)
{
    struct actor *actor = &actors->all[index];
    if (actor->list.versions > 0 || actor->cursors != NULL)
        return;
    uint32_t at = name_from(actors, actor->id);
    ASSERT(actors->by_id[at].index == index);
    struct actor_name *name = &actors->by_id[at];
    actors->named--;
    memmove(name, name + 1, (actors->named - at) * sizeof *name);
    list__fini(&actor->list);
    *actor = (struct actor){.next = actors->unused};
    actors->unused = index + 1;
}

uint32_t actors__next(const struct actors *actors, uint32_t id)
{
    if (id == UINT32_MAX)
        return 0;
    for (uint32_t at = name_from(actors, id + 1); at < actors->named; at++)
        if (actors->all[actors->by_id[at].index].list.versions > 0)
            return actors->by_id[at].id;
    return 0;
}

void actors__insert(struct actors *actors, uint32_t index, uint64_t seq, uint32_t ref)
{
    struct actor *actor = &actors->all[index];
    actors->bytes -= actor->list.bytes;
    list__insert(&actor->list, seq, ref);
    actors->bytes += actor->list.bytes;
    for (struct table_cursor *cursor = actor->cursors; cursor != NULL; cursor = cursor->next)
        if (seq <= cursor->after && seq > cursor->from && !PLANTED(actors->plant, CURSOR_STAYS))
            cursor->after = seq - 1; /* B4 */
}

void actors__remove(struct actors *actors, uint32_t index, uint64_t seq, uint32_t ref)
{
    struct list *list = &actors->all[index].list;
    actors->bytes -= list->bytes;
    list__remove(list, seq, ref);
    actors->bytes += list->bytes;
    actor_settle(actors, index);
}

void actors__cursor_open(struct actors *actors, struct table_cursor *cursor)
{
    uint32_t index = actors__take(actors, cursor->actor);
    struct actor *actor = &actors->all[index];
    cursor->next = actor->cursors;
    actor->cursors = cursor;
}

void actors__cursor_close(struct actors *actors, struct table_cursor *cursor)
{
    struct actor *actor = actors__find(actors, cursor->actor);
    ASSERT(actor != NULL);
    struct table_cursor **at = &actor->cursors;
    while (*at != NULL && *at != cursor)
        at = &(*at)->next;
    ASSERT(*at == cursor);
    *at = cursor->next;
    cursor->next = NULL;
    actor_settle(actors, (uint32_t)(actor - actors->all));
}

uint64_t actors__check(const struct actors *actors)
{
    uint64_t bytes = (uint64_t)actors->cap * (sizeof *actors->all + sizeof *actors->by_id);
    uint64_t versions = 0;
    uint32_t in_use = 0;
    for (uint32_t i = 0; i < actors->count; i++)
        in_use += actors->all[i].id != 0;
    ASSERT(in_use == actors->named);
    for (uint32_t i = 0; i < actors->named; i++) {
        ASSERT(i == 0 || actors->by_id[i - 1].id < actors->by_id[i].id);
        const struct actor *actor = &actors->all[actors->by_id[i].index];
        ASSERT(actor->id == actors->by_id[i].id);
        ASSERT(actor->list.versions > 0 || actor->cursors != NULL);
        list__check(&actor->list);
        bytes += actor->list.bytes;
        versions += actor->list.versions;
        for (const struct table_cursor *at = actor->cursors; at != NULL; at = at->next) {
            ASSERT(at->actor == actor->id);
            ASSERT(at->after >= at->from);
        }
    }
    ASSERT(bytes == actors->bytes);
    return versions;
}
