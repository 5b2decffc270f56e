/* table_slab - memory for versions, addressed by 32 bits.
 *
 * Does:   hands out objects of whole granules of 8 bytes from chunks of one size class each; a
 *         large object has a block of its own; one 32-bit note for an object, only where set.
 * Not:    knowing what an object is.
 * Holds:  S1 a ref is the number of a chunk and a granule in it; chunk 0 does not exist, so 0
 *         is no ref. S2 a chunk is in the list of its class exactly when it has room. S3 a
 *         chunk without objects is given back. S4 used_bytes is the sum over the objects.
 * Limits: 2^19 - 1 chunks: 32 GiB of small objects. A size is at most 2^31.
 * See:    Bonwick, "The slab allocator", 1994; README.md.
 */
#pragma once

#include "base/base.h"

#define SLAB_GRANULE_BYTES 8U
#define SLAB_CHUNK_BYTES 65536U
#define SLAB_SHIFT 13U /* a chunk has 2^13 granules */
#define SLAB_CHUNK_GRANULES (1U << SLAB_SHIFT)
#define SLAB_CHUNKS_MAX (1U << (32U - SLAB_SHIFT))
#define SLAB_CLASSES 129U
#define SLAB_LARGE 0U /* the class of objects that have a block of their own */

struct slab_chunk {
    uint8_t *memory;     /* the objects; in SLAB_LARGE an array of pointers; NULL: no chunk here */
    uint32_t *notes;     /* one for each object; NULL when all are 0 */
    uint32_t next;       /* in the list of its class with room, or of free numbers; 0 ends it */
    uint32_t prev;       /* the other way; 0 at the head */
    uint16_t objects;    /* in use */
    uint16_t noted;      /* objects with a note */
    uint16_t fresh;      /* from this object on none was ever used */
    uint16_t freed;      /* 1 + first granule of the object freed last; 0: none */
    uint16_t capacity;   /* objects it can hold */
    uint16_t granules;   /* of one object; in SLAB_LARGE 1 */
    uint32_t size_class; /* SLAB_LARGE or 1 to SLAB_CLASSES - 1 */
};

struct slab {
    struct slab_chunk *chunks;   /* by number; [0] is never used */
    uint32_t count;              /* numbers ever used, [0] included */
    uint32_t cap;                /* allocated */
    uint32_t room[SLAB_CLASSES]; /* head of the list of chunks with room; 0: none */
    uint32_t free_number;        /* head of the list of numbers without chunk; 0: none */
    uint64_t used_bytes;         /* objects, rounded up to their class */
    uint64_t held_bytes;         /* chunks, blocks, notes and descriptors */
    uint64_t noted;              /* objects with a note */
};

void slab__init(struct slab *slab);
void slab__fini(struct slab *slab);

/* A new object of at least size bytes, not initialised, aligned to 8. */
uint32_t slab__alloc(struct slab *slab, size_t size);
void slab__free(struct slab *slab, uint32_t ref);

/* Where the object is; it never moves. */
static inline void *slab__at(const struct slab *slab, uint32_t ref)
{
    const struct slab_chunk *chunk = &slab->chunks[ref >> SLAB_SHIFT];
    uint32_t granule = ref & (SLAB_CHUNK_GRANULES - 1);
    if (chunk->size_class != SLAB_LARGE)
        return chunk->memory + (size_t)granule * SLAB_GRANULE_BYTES;
    const void *blocks = chunk->memory;
    return ((uint64_t *const *)blocks)[granule] + 1;
}

/* The note of an object: 0 unless it was set. */
uint32_t slab__note(const struct slab *slab, uint32_t ref);
void slab__set_note(struct slab *slab, uint32_t ref, uint32_t note);

/* The next object with a note, going round from *state (a ref or 0), which becomes its ref;
 * 0 when no object has one. */
uint32_t slab__next_noted(const struct slab *slab, uint64_t *state);

/* What used_bytes counts for an object of this size. */
uint64_t slab__cost(size_t size);

/* Asserts S1 to S4. */
void slab__check(const struct slab *slab);
