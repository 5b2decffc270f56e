/* waiters - requests that have not been answered yet.
 *
 * Does:   see waiters.h.
 * Not:    -
 * Holds:  N1, N2.
 * Limits: -
 * See:    waiters.h.
 */
#include "node/waiters.h"

void waiters_init(struct waiters *waiters)
{
    *waiters = (struct waiters){.free = WAITER_NONE};
    for (uint32_t i = 0; i < WAITER_LISTS; i++)
        waiters->head[i] = waiters->tail[i] = WAITER_NONE;
}

void waiters_fini(struct waiters *waiters)
{
    for (uint32_t i = 0; i < waiters->cap; i++)
        mem_free(waiters->list[i].call);
    mem_free(waiters->list);
    waiters_init(waiters);
}

static void link_last(struct waiters *waiters, uint32_t index, enum waiter_state state)
{
    struct waiter *waiter = &waiters->list[index];
    waiter->state = state;
    waiter->next = WAITER_NONE;
    waiter->prev = waiters->tail[state];
    if (waiter->prev != WAITER_NONE)
        waiters->list[waiter->prev].next = index;
    else
        waiters->head[state] = index;
    waiters->tail[state] = index;
    waiters->sizes[state]++;
}

static void unlink_one(struct waiters *waiters, uint32_t index)
{
    struct waiter *waiter = &waiters->list[index];
    ASSERT(waiter->state != WAITER_FREE);
    if (waiter->prev != WAITER_NONE)
        waiters->list[waiter->prev].next = waiter->next;
    else
        waiters->head[waiter->state] = waiter->next;
    if (waiter->next != WAITER_NONE)
        waiters->list[waiter->next].prev = waiter->prev;
    else
        waiters->tail[waiter->state] = waiter->prev;
    ASSERT(waiters->sizes[waiter->state] > 0);
    waiters->sizes[waiter->state]--;
}

static void grow(struct waiters *waiters)
{
    uint32_t cap = waiters->cap > 0 ? waiters->cap * 2 : 64;
    waiters->list = mem_realloc(waiters->list, cap * sizeof(*waiters->list));
    for (uint32_t i = cap; i-- > waiters->cap;) {
        waiters->list[i] = (struct waiter){.next = waiters->free};
        waiters->free = i;
    }
    waiters->cap = cap;
}

/* A call without the unused end of its vector: 2 KB less. */
static size_t head_size(const struct call *call)
{
    ASSERT(call->ctx.seen.count <= LIMIT_VV_ENTRIES);
    return offsetof(struct call, ctx.seen.entries) +
           call->ctx.seen.count * sizeof(call->ctx.seen.entries[0]);
}

/* One allocation: the head, then key, then value. */
static struct call *call_copy(const struct call *call, size_t *size)
{
    size_t head = head_size(call);
    *size = head + call->key.len + call->value.len;
    uint8_t *bytes = mem_alloc(*size);
    memcpy(bytes, call, head);
    uint8_t *key = bytes + head;
    uint8_t *value = key + call->key.len;
    if (call->key.len > 0)
        memcpy(key, call->key.ptr, call->key.len);
    if (call->value.len > 0)
        memcpy(value, call->value.ptr, call->value.len);
    struct call *copy = (struct call *)(void *)bytes;
    copy->key = slice_of(key, call->key.len);
    copy->value = slice_of(value, call->value.len);
    return copy;
}

bool waiters_full(const struct waiters *waiters, uint64_t most)
{
    return waiters->count - waiters->going_on >= most;
}

uint32_t waiters_add(struct waiters *waiters, enum waiter_state state, const struct call *call)
{
    ASSERT(state != WAITER_FREE);
    if (waiters->free == WAITER_NONE)
        grow(waiters);
    uint32_t index = waiters->free;
    struct waiter *waiter = &waiters->list[index];
    waiters->free = waiter->next;
    uint32_t uses = waiter->uses + 1;
    *waiter = (struct waiter){.uses = uses};
    waiter->call = call_copy(call, &waiter->bytes);
    waiters->bytes += waiter->bytes;
    waiters->count++;
    link_last(waiters, index, state);
    return index;
}

void waiters_call(const struct waiters *waiters, uint32_t index, struct call *call)
{
    ASSERT(index < waiters->cap && waiters->list[index].state != WAITER_FREE);
    const struct call *stored = waiters->list[index].call;
    memcpy(call, stored, head_size(stored));
}

void waiters_move(struct waiters *waiters, uint32_t index, enum waiter_state state)
{
    ASSERT(state != WAITER_FREE);
    unlink_one(waiters, index);
    link_last(waiters, index, state);
}

void waiters_remove(struct waiters *waiters, uint32_t index)
{
    ASSERT(index < waiters->cap);
    struct waiter *waiter = &waiters->list[index];
    unlink_one(waiters, index);
    ASSERT(waiters->bytes >= waiter->bytes);
    waiters->bytes -= waiter->bytes;
    mem_free(waiter->call);
    waiter->call = NULL;
    waiter->state = WAITER_FREE;
    waiter->next = waiters->free;
    waiters->free = index;
    waiters->count--;
}

uint64_t waiters_ref(const struct waiters *waiters, uint32_t index)
{
    return ((uint64_t)waiters->list[index].uses << 32 | index) ^ waiters->salt;
}

uint32_t waiters_find(const struct waiters *waiters, uint64_t ref)
{
    uint64_t place = ref ^ waiters->salt;
    uint32_t index = (uint32_t)place;
    if (index >= waiters->cap || waiters->list[index].state == WAITER_FREE ||
        waiters->list[index].uses != place >> 32)
        return WAITER_NONE;
    return index;
}

void waiters_check(const struct waiters *waiters)
{
    uint32_t total = 0;
    uint64_t bytes = 0;
    ASSERT(waiters->going_on == 0); /* between steps */
    for (uint32_t state = 1; state < WAITER_LISTS; state++) {
        uint32_t before = WAITER_NONE;
        uint32_t count = 0;
        for (uint32_t i = waiters->head[state]; i != WAITER_NONE; i = waiters->list[i].next) {
            ASSERT(waiters->list[i].state == state); /* N1 */
            ASSERT(waiters->list[i].prev == before);
            before = i;
            bytes += waiters->list[i].bytes;
            count++;
        }
        ASSERT(waiters->tail[state] == before);
        ASSERT(waiters->sizes[state] == count);
        total += count;
    }
    ASSERT(total == waiters->count);
    ASSERT(bytes == waiters->bytes); /* what counts against the limit of memory (I8) */
}
