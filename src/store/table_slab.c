/* table_slab - memory for versions, addressed by 32 bits.
 *
 * Does:   see table_slab.h.
 * Not:    -
 * Holds:  S1 to S4.
 * Limits: see table_slab.h.
 * See:    table_slab.h.
 *
 * Classes: up to 512 bytes one for each granule; above, sixteen for each doubling, so that at
 * most one part in sixteen is lost; above 8 KiB a block from malloc, headed by its size.
 */
#include "store/table_slab.h"

#define EXACT_GRANULES 64U
#define STEPS 16U
#define OBJECT_GRANULES_MAX 1024U

static uint32_t class_of(uint32_t granules)
{
    ASSERT(granules > 0);
    if (granules <= EXACT_GRANULES)
        return granules;
    if (granules > OBJECT_GRANULES_MAX)
        return SLAB_LARGE;
    uint32_t base = EXACT_GRANULES;
    uint32_t size_class = EXACT_GRANULES;
    while (granules > 2 * base) {
        base *= 2;
        size_class += STEPS;
    }
    uint32_t step = base / STEPS;
    return size_class + (granules - base + step - 1) / step;
}

static uint32_t class_granules(uint32_t size_class)
{
    ASSERT(size_class > SLAB_LARGE);
    ASSERT(size_class < SLAB_CLASSES);
    if (size_class <= EXACT_GRANULES)
        return size_class;
    uint32_t doublings = (size_class - EXACT_GRANULES - 1) / STEPS;
    uint32_t steps = (size_class - EXACT_GRANULES - 1) % STEPS + 1;
    uint32_t base = EXACT_GRANULES << doublings;
    return base + steps * (base / STEPS);
}

static uint32_t granules_of(size_t size)
{
    ASSERT(size <= (UINT32_C(1) << 31));
    return (uint32_t)((size + SLAB_GRANULE_BYTES - 1) / SLAB_GRANULE_BYTES);
}

/* What a large object costs: its granules and the word that heads it. */
static uint64_t large_bytes(uint64_t granules)
{
    return (granules + 1) * SLAB_GRANULE_BYTES;
}

uint64_t slab__cost(size_t size)
{
    uint32_t granules = granules_of(size);
    uint32_t size_class = class_of(granules);
    if (size_class == SLAB_LARGE)
        return large_bytes(granules);
    return (uint64_t)class_granules(size_class) * SLAB_GRANULE_BYTES;
}

static uint64_t **blocks_of(const struct slab_chunk *chunk)
{
    ASSERT(chunk->size_class == SLAB_LARGE);
    void *blocks = chunk->memory;
    return blocks;
}

void slab__init(struct slab *slab)
{
    *slab = (struct slab){.count = 1};
}

void slab__fini(struct slab *slab)
{
    for (uint32_t i = 1; i < slab->count; i++) {
        struct slab_chunk *chunk = &slab->chunks[i];
        if (chunk->memory != NULL && chunk->size_class == SLAB_LARGE) {
            /* Freed places hold small odd numbers, see block_free. */
            for (uint32_t k = 0; k < chunk->fresh; k++)
                if (((uintptr_t)blocks_of(chunk)[k] & 1) == 0)
                    mem_free(blocks_of(chunk)[k]);
        }
        mem_free(chunk->memory);
        mem_free(chunk->notes);
    }
    mem_free(slab->chunks);
    *slab = (struct slab){.count = 1};
}

static void room_push(struct slab *slab, uint32_t number)
{
    struct slab_chunk *chunk = &slab->chunks[number];
    uint32_t head = slab->room[chunk->size_class];
    chunk->next = head;
    chunk->prev = 0;
    if (head != 0)
        slab->chunks[head].prev = number;
    slab->room[chunk->size_class] = number;
}

static void room_unlink(struct slab *slab, uint32_t number)
{
    struct slab_chunk *chunk = &slab->chunks[number];
    if (chunk->prev != 0)
        slab->chunks[chunk->prev].next = chunk->next;
    else
        slab->room[chunk->size_class] = chunk->next;
    if (chunk->next != 0)
        slab->chunks[chunk->next].prev = chunk->prev;
    chunk->next = 0;
    chunk->prev = 0;
}

/* A number without a chunk: one that was given back, or a new one. */
static uint32_t number_take(struct slab *slab)
{
    uint32_t number = slab->free_number;
    if (number != 0) {
        slab->free_number = slab->chunks[number].next;
        return number;
    }
    ASSERT(slab->count < SLAB_CHUNKS_MAX);
    if (slab->count >= slab->cap) {
        uint32_t cap = slab->cap + slab->cap / 2 + 16;
        slab->chunks = mem_realloc(slab->chunks, (size_t)cap * sizeof *slab->chunks);
        slab->held_bytes += (uint64_t)(cap - slab->cap) * sizeof *slab->chunks;
        slab->cap = cap;
        slab->chunks[0] = (struct slab_chunk){0};
    }
    return slab->count++;
}

static uint32_t chunk_new(struct slab *slab, uint32_t size_class)
{
    uint32_t number = number_take(slab);
    uint32_t granules = size_class == SLAB_LARGE ? 1 : class_granules(size_class);
    slab->chunks[number] = (struct slab_chunk){
        .memory = mem_alloc(SLAB_CHUNK_BYTES),
        .capacity = (uint16_t)(SLAB_CHUNK_GRANULES / granules),
        .granules = (uint16_t)granules,
        .size_class = size_class,
    };
    slab->held_bytes += SLAB_CHUNK_BYTES;
    room_push(slab, number);
    return number;
}

static void chunk_give_back(struct slab *slab, uint32_t number)
{
    struct slab_chunk *chunk = &slab->chunks[number];
    ASSERT(chunk->objects == 0);
    ASSERT(chunk->notes == NULL);
    room_unlink(slab, number);
    mem_free(chunk->memory);
    slab->held_bytes -= SLAB_CHUNK_BYTES;
    *chunk = (struct slab_chunk){.next = slab->free_number};
    slab->free_number = number;
}

/* The first granule of an object that is free now. The list of freed ones runs through their
 * first two bytes; in SLAB_LARGE through the pointers, as odd numbers. */
static uint32_t granule_take(struct slab_chunk *chunk)
{
    if (chunk->freed == 0) {
        ASSERT(chunk->fresh < chunk->capacity);
        return (uint32_t)chunk->fresh++ * chunk->granules;
    }
    uint32_t granule = chunk->freed - 1U;
    if (chunk->size_class == SLAB_LARGE)
        chunk->freed = (uint16_t)((uintptr_t)blocks_of(chunk)[granule] >> 1);
    else
        memcpy(&chunk->freed, chunk->memory + (size_t)granule * SLAB_GRANULE_BYTES,
               sizeof chunk->freed);
    return granule;
}

static void granule_put(struct slab_chunk *chunk, uint32_t granule)
{
    ASSERT(granule < SLAB_CHUNK_GRANULES);
    if (chunk->size_class == SLAB_LARGE) {
        uintptr_t link = (uintptr_t)chunk->freed << 1 | 1;
        memcpy(&blocks_of(chunk)[granule], &link, sizeof link);
    } else {
        memcpy(chunk->memory + (size_t)granule * SLAB_GRANULE_BYTES, &chunk->freed,
               sizeof chunk->freed);
    }
    chunk->freed = (uint16_t)(granule + 1);
}

uint32_t slab__alloc(struct slab *slab, size_t size)
{
    uint32_t granules = granules_of(size);
    uint32_t size_class = class_of(granules);
    uint32_t number = slab->room[size_class];
    if (number == 0)
        number = chunk_new(slab, size_class);
    struct slab_chunk *chunk = &slab->chunks[number];
    uint32_t granule = granule_take(chunk);
    chunk->objects++;
    if (chunk->objects == chunk->capacity)
        room_unlink(slab, number);
    if (size_class == SLAB_LARGE) {
        uint64_t *block = mem_alloc((size_t)large_bytes(granules));
        *block = granules;
        blocks_of(chunk)[granule] = block;
        slab->used_bytes += large_bytes(granules);
        slab->held_bytes += large_bytes(granules);
    } else {
        slab->used_bytes += (uint64_t)chunk->granules * SLAB_GRANULE_BYTES;
    }
    return number << SLAB_SHIFT | granule;
}

void slab__free(struct slab *slab, uint32_t ref)
{
    uint32_t number = ref >> SLAB_SHIFT;
    uint32_t granule = ref & (SLAB_CHUNK_GRANULES - 1);
    ASSERT(number > 0);
    ASSERT(number < slab->count);
    struct slab_chunk *chunk = &slab->chunks[number];
    ASSERT(chunk->objects > 0);
    slab__set_note(slab, ref, 0);
    if (chunk->size_class == SLAB_LARGE) {
        uint64_t *block = blocks_of(chunk)[granule];
        slab->used_bytes -= large_bytes(*block);
        slab->held_bytes -= large_bytes(*block);
        mem_free(block);
    } else {
        slab->used_bytes -= (uint64_t)chunk->granules * SLAB_GRANULE_BYTES;
    }
    granule_put(chunk, granule);
    if (chunk->objects == chunk->capacity)
        room_push(slab, number);
    chunk->objects--;
    if (chunk->objects == 0)
        chunk_give_back(slab, number);
}

uint32_t slab__note(const struct slab *slab, uint32_t ref)
{
    const struct slab_chunk *chunk = &slab->chunks[ref >> SLAB_SHIFT];
    if (chunk->notes == NULL)
        return 0;
    return chunk->notes[(ref & (SLAB_CHUNK_GRANULES - 1)) / chunk->granules];
}

/* The notes of a chunk begin with its first and end with its last. */
static void notes_begin(struct slab *slab, struct slab_chunk *chunk)
{
    chunk->notes = mem_zalloc(chunk->capacity, sizeof *chunk->notes);
    slab->used_bytes += (uint64_t)chunk->capacity * sizeof *chunk->notes;
    slab->held_bytes += (uint64_t)chunk->capacity * sizeof *chunk->notes;
}

static void notes_end(struct slab *slab, struct slab_chunk *chunk)
{
    mem_free(chunk->notes);
    chunk->notes = NULL;
    slab->used_bytes -= (uint64_t)chunk->capacity * sizeof *chunk->notes;
    slab->held_bytes -= (uint64_t)chunk->capacity * sizeof *chunk->notes;
}

void slab__set_note(struct slab *slab, uint32_t ref, uint32_t note)
{
    struct slab_chunk *chunk = &slab->chunks[ref >> SLAB_SHIFT];
    if (chunk->notes == NULL) {
        if (note == 0)
            return;
        notes_begin(slab, chunk);
    }
    uint32_t *at = &chunk->notes[(ref & (SLAB_CHUNK_GRANULES - 1)) / chunk->granules];
    uint32_t more = note != 0 && *at == 0 ? 1 : 0;
    uint32_t less = note == 0 && *at != 0 ? 1 : 0;
    *at = note;
    chunk->noted = (uint16_t)(chunk->noted + more - less);
    slab->noted = slab->noted + more - less;
    if (chunk->noted == 0)
        notes_end(slab, chunk);
}

/* The first noted object of a chunk at or after one, or its capacity. What was never used has no
 * note. */
static uint32_t noted_from(const struct slab_chunk *chunk, uint32_t object)
{
    if (chunk->notes == NULL)
        return chunk->capacity;
    while (object < chunk->fresh && chunk->notes[object] == 0)
        object++;
    return object < chunk->fresh ? object : chunk->capacity;
}

uint32_t slab__next_noted(const struct slab *slab, uint64_t *state)
{
    if (slab->noted == 0)
        return 0;
    uint32_t number = (uint32_t)(*state >> SLAB_SHIFT);
    uint32_t object = 0;
    if (number == 0 || number >= slab->count)
        number = 1;
    else if (slab->chunks[number].memory != NULL)
        object = (uint32_t)(*state & (SLAB_CHUNK_GRANULES - 1)) / slab->chunks[number].granules + 1;
    /* Once round and to where it began: a noted object is there. */
    for (uint32_t turns = 0; turns <= slab->count; turns++) {
        const struct slab_chunk *chunk = &slab->chunks[number];
        object = noted_from(chunk, object);
        if (object < chunk->capacity) {
            uint32_t ref = number << SLAB_SHIFT | object * chunk->granules;
            *state = ref;
            return ref;
        }
        object = 0;
        number = number + 1 < slab->count ? number + 1 : 1;
    }
    UNREACHABLE();
}

/* Counts the objects of a chunk that are free though once used. */
static uint32_t freed_count(const struct slab_chunk *chunk)
{
    uint32_t count = 0;
    for (uint32_t at = chunk->freed; at != 0; count++) {
        ASSERT(count < chunk->fresh);
        uint32_t granule = at - 1;
        ASSERT(granule % chunk->granules == 0);
        uint16_t next = 0;
        if (chunk->size_class == SLAB_LARGE)
            next = (uint16_t)((uintptr_t)blocks_of(chunk)[granule] >> 1);
        else
            memcpy(&next, chunk->memory + (size_t)granule * SLAB_GRANULE_BYTES, sizeof next);
        at = next;
    }
    return count;
}

static uint64_t chunk_used_bytes(const struct slab_chunk *chunk)
{
    uint64_t bytes = chunk->notes == NULL ? 0 : (uint64_t)chunk->capacity * sizeof *chunk->notes;
    if (chunk->size_class != SLAB_LARGE)
        return bytes + (uint64_t)chunk->objects * chunk->granules * SLAB_GRANULE_BYTES;
    for (uint32_t i = 0; i < chunk->fresh; i++)
        if (((uintptr_t)blocks_of(chunk)[i] & 1) == 0)
            bytes += large_bytes(*blocks_of(chunk)[i]);
    return bytes;
}

static uint64_t room_check(const struct slab *slab)
{
    uint64_t count = 0;
    for (uint32_t size_class = 0; size_class < SLAB_CLASSES; size_class++) {
        uint32_t prev = 0;
        for (uint32_t at = slab->room[size_class]; at != 0; at = slab->chunks[at].next) {
            ASSERT(slab->chunks[at].size_class == size_class);
            ASSERT(slab->chunks[at].prev == prev);
            ASSERT(slab->chunks[at].objects < slab->chunks[at].capacity);
            prev = at;
            count++;
        }
    }
    return count;
}

void slab__check(const struct slab *slab)
{
    uint64_t used_bytes = 0;
    uint64_t with_room = 0;
    uint64_t noted = 0;
    for (uint32_t i = 1; i < slab->count; i++) {
        const struct slab_chunk *chunk = &slab->chunks[i];
        if (chunk->memory == NULL)
            continue;
        ASSERT(chunk->objects > 0);
        ASSERT(chunk->fresh <= chunk->capacity);
        ASSERT(chunk->objects + freed_count(chunk) == chunk->fresh);
        ASSERT((chunk->notes == NULL) == (chunk->noted == 0));
        with_room += chunk->objects < chunk->capacity;
        noted += chunk->noted;
        used_bytes += chunk_used_bytes(chunk);
    }
    ASSERT(with_room == room_check(slab));
    ASSERT(noted == slab->noted);
    ASSERT(used_bytes == slab->used_bytes);
    ASSERT(used_bytes <= slab->held_bytes);
}
