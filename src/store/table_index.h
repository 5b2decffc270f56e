/* table_index - from the key of a slot to its version.
 *
 * Does:   for each slot a hash index of 32-bit refs and 8-bit tags, searched eight tags at a
 *         time; grown a little at a time. A slot that gets large (one hash tag for many keys) is
 *         cut into parts by the upper bits of the hash, so that no step rehashes more than a part.
 * Not:    comparing keys of other slots; the hash itself: whoever calls has it.
 * Holds:  X1 a ref is found from its hash: no group between its home and its place has an empty
 *         tag. X2 used and room equal what is there. X3 2^(depth - part depth) entries of the
 *         directory, aligned, point to each part. X4 generations never repeat. X5 places of an
 *         index of depth 0 are those of its part.
 * Limits: PART_VERSIONS a part before it is cut; at most 2^16 parts a slot.
 * See:    Fagin et al., "Extendible hashing", 1979; Kulukundis, "Designing a fast, efficient,
 *         cache-friendly hash table", 2017 (groups of tags); README.md.
 */
#pragma once

#include "base/base.h"

#define PART_VERSIONS 896U
#define PART_DEPTH_MAX 16U
#define PART_PLACES_MAX 65528U

/* One hash table: places in groups of eight; a tag each, and behind the tags a ref each. */
struct part {
    uint32_t generation; /* anew whenever places were dealt out anew */
    uint32_t places;     /* multiple of 8 */
    uint32_t used;       /* refs in it */
    uint32_t room;       /* empty tags that may still be taken before it is dealt out anew */
    uint32_t depth;      /* upper bits of the hash that all refs here share */
    uint8_t tags[];      /* of all places; refs are valid where the tag says so */
};

struct index {
    struct part **parts; /* 2^depth; NULL while the slot is empty; &one while depth is 0 */
    struct part *one;    /* the only part while depth is 0 */
    uint32_t depth;      /* upper bits of the hash that choose a part */
    uint32_t places;     /* of the only part while depth is 0: spares a look at its head */
    uint32_t live;       /* kept by table.c: versions with a value */
    uint32_t tombstones; /* kept by table.c */
    uint64_t bytes;      /* kept by table.c: keys and values of the live ones */
};

/* What all indexes of a table share. */
struct index_pool {
    uint32_t generation; /* given out last */
    uint64_t bytes;      /* allocated for parts and directories */
    /* The hash of the key of a version that is in the index. */
    uint64_t (*hash)(const void *table, uint32_t ref);
    /* Says that hash(ref) will be asked soon. */
    void (*fetch)(const void *table, uint32_t ref);
    const void *table; /* for hash and fetch */
};

/* A walk through the places of the index whose tag fits a hash. */
struct index_probe {
    struct part *part; /* where */
    uint32_t *refs;    /* of its places */
    uint64_t tags;     /* the eight tags of the group, copied */
    uint64_t match;    /* high bit of each tag that fits and was not handed out; others 0 */
    uint32_t group;    /* the group now */
    uint32_t tag;      /* what fits */
};

void index__fini(struct index *index, struct index_pool *pool);

/* Goes through all places that may hold a key of this hash: true and *place for each. */
void index__probe(const struct index *index, uint64_t hash, struct index_probe *probe);
bool index__probe_next(struct index_probe *probe, uint32_t *place);

void index__insert(struct index *index, struct index_pool *pool, uint64_t hash, uint32_t ref);

/* It must be there. */
void index__remove(struct index *index, struct index_pool *pool, uint64_t hash, uint32_t ref);

/* A scan as in table.h: position is upper 16 bits of the hash and place; starts as 0, 0. */
uint32_t index__scan(const struct index *index, uint32_t *position, uint32_t *generation);

/* Asserts X1 to X3 and X5 and returns the bytes allocated. */
uint64_t index__check(const struct index *index, const struct index_pool *pool);
