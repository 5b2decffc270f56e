/* table_deps - dependencies of versions, equal ones stored once.
 *
 * Does:   see table_deps.h.
 * Not:    -
 * Holds:  I1 to I3.
 * Limits: see table_deps.h.
 * See:    table_deps.h.
 */
#include "store/table_deps.h"

#define HEADS_MIN 16U
#define LEVEL_MIN 4U

struct copy {
    uint32_t next;   /* in its chain; 0 ends it */
    uint32_t count;  /* versions that have it */
    uint32_t hash;   /* lower 32 bits */
    uint32_t len;    /* of bytes */
    uint8_t bytes[]; /* encoded dependencies */
};

void deps__fini(struct deps *deps)
{
    mem_free(deps->heads);
    *deps = (struct deps){0};
}

static struct copy *copy_at(const struct slab *slab, uint32_t ref)
{
    ASSERT(ref > 0);
    return slab__at(slab, ref);
}

static uint32_t head_of(const struct deps *deps, uint32_t hash)
{
    uint32_t head = hash & ((1U << deps->level) - 1);
    if (head < deps->split)
        head = hash & ((1U << (deps->level + 1)) - 1);
    return head;
}

static uint32_t hash_of(struct slice bytes)
{
    return (uint32_t)hash_bytes(bytes);
}

static void heads_grow(struct deps *deps, uint32_t cap)
{
    deps->heads = mem_realloc(deps->heads, cap * sizeof *deps->heads);
    deps->bytes = (uint64_t)cap * sizeof *deps->heads;
    deps->cap = cap;
}

/* Cuts the next chain in two: with one cut for each new copy, chains stay short and no step
 * rehashes more than one of them. */
static void split_one(struct deps *deps, const struct slab *slab)
{
    uint32_t old = deps->split;
    uint32_t new = (1U << deps->level) + old;
    if (new == deps->cap)
        heads_grow(deps, deps->cap * 2);
    uint32_t at = deps->heads[old];
    deps->heads[old] = 0;
    deps->heads[new] = 0;
    deps->split++;
    while (at != 0) {
        struct copy *copy = copy_at(slab, at);
        uint32_t next = copy->next;
        uint32_t *head = &deps->heads[head_of(deps, copy->hash)];
        copy->next = *head;
        *head = at;
        at = next;
    }
    if (deps->split == 1U << deps->level) {
        deps->level++;
        deps->split = 0;
    }
}

uint32_t deps__intern(struct deps *deps, struct slab *slab, struct slice bytes)
{
    ASSERT(bytes.len > 0);
    uint32_t hash = hash_of(bytes);
    if (deps->heads == NULL) {
        heads_grow(deps, HEADS_MIN);
        memset(deps->heads, 0, HEADS_MIN * sizeof *deps->heads);
        deps->level = LEVEL_MIN;
    }
    uint32_t *head = &deps->heads[head_of(deps, hash)];
    for (uint32_t at = *head; at != 0; at = copy_at(slab, at)->next) {
        struct copy *copy = copy_at(slab, at);
        if (copy->hash == hash && slice_equal(slice_of(copy->bytes, copy->len), bytes)) {
            copy->count++;
            return at;
        }
    }
    uint32_t ref = slab__alloc(slab, sizeof(struct copy) + bytes.len);
    struct copy *copy = copy_at(slab, ref);
    *copy = (struct copy){.next = *head, .count = 1, .hash = hash, .len = (uint32_t)bytes.len};
    memcpy(copy->bytes, bytes.ptr, bytes.len);
    *head = ref;
    deps->copies++;
    if (deps->copies > (1U << deps->level) + deps->split)
        split_one(deps, slab);
    return ref;
}

void deps__release(struct deps *deps, struct slab *slab, uint32_t ref)
{
    struct copy *copy = copy_at(slab, ref);
    ASSERT(copy->count > 0);
    copy->count--;
    if (copy->count > 0)
        return;
    uint32_t *at = &deps->heads[head_of(deps, copy->hash)];
    while (*at != ref)
        at = &copy_at(slab, *at)->next;
    *at = copy->next;
    slab__free(slab, ref);
    deps->copies--;
    if (deps->copies == 0)
        deps__fini(deps);
}

struct slice deps__bytes(const struct slab *slab, uint32_t ref)
{
    const struct copy *copy = copy_at(slab, ref);
    return slice_of(copy->bytes, copy->len);
}

uint64_t deps__check(const struct deps *deps, const struct slab *slab)
{
    uint64_t counts = 0;
    uint64_t copies = 0;
    uint32_t heads = deps->heads == NULL ? 0 : (1U << deps->level) + deps->split;
    ASSERT(heads <= deps->cap);
    for (uint32_t i = 0; i < heads; i++) {
        for (uint32_t at = deps->heads[i]; at != 0; at = copy_at(slab, at)->next) {
            const struct copy *copy = copy_at(slab, at);
            struct slice bytes = deps__bytes(slab, at);
            ASSERT(copy->count > 0);
            ASSERT(hash_of(bytes) == copy->hash);
            ASSERT(head_of(deps, copy->hash) == i);
            for (uint32_t next = copy->next; next != 0; next = copy_at(slab, next)->next)
                ASSERT(!slice_equal(bytes, deps__bytes(slab, next)));
            counts += copy->count;
            copies++;
        }
    }
    ASSERT(copies == deps->copies);
    return counts;
}
