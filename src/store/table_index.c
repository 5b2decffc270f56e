/* table_index - from the key of a slot to its version.
 *
 * Does:   see table_index.h.
 * Not:    -
 * Holds:  X1 to X5.
 * Limits: see table_index.h.
 * See:    table_index.h.
 *
 * Use of the hash: the upper 16 bits choose the part, the lower 32 the home group in it, eight
 * of those between make the tag.
 *
 * A part that is full grows by a quarter, so that few places lie idle: with 61 keys a slot (a
 * million keys) refs and tags are about 7 bytes for a key; with doubling they would be 10.
 */
#include "store/table_index.h"

#define GROUP 8U
#define TAG_EMPTY 0U
#define TAG_DELETED 1U
#define TAG_FIRST 2U
#define LOW_BITS UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Where a scan stands when nothing is left. */
#define SCAN_END UINT32_MAX

static uint32_t *refs_of(struct part *part, uint32_t places)
{
    void *refs = part->tags + places;
    return refs;
}

static uint32_t ref_at(const struct part *part, uint32_t place)
{
    const void *refs = part->tags + part->places;
    return ((const uint32_t *)refs)[place];
}

static size_t part_bytes(uint32_t places)
{
    return sizeof(struct part) + (size_t)places * (sizeof(uint32_t) + 1);
}

static uint32_t tag_of(uint64_t hash)
{
    return TAG_FIRST + (uint32_t)(hash >> 32 & 0xffff) % (256U - TAG_FIRST);
}

static uint32_t home_of(uint32_t places, uint64_t hash)
{
    return (uint32_t)(((hash & UINT32_MAX) * (places / GROUP)) >> 32);
}

static uint32_t entry_of(const struct index *index, uint64_t hash)
{
    return (uint32_t)(hash >> 48) >> (PART_DEPTH_MAX - index->depth);
}

/* The eight tags of a group; the lowest byte is the first. */
static uint64_t group_tags(const struct part *part, uint32_t group)
{
    uint64_t tags = 0;
    memcpy(&tags, part->tags + (size_t)group * GROUP, sizeof tags);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    tags = __builtin_bswap64(tags);
#endif
    return tags;
}

/* High bit of each byte that is zero; bytes above a zero byte may be marked too by mistake. */
static uint64_t zero_bytes(uint64_t bytes)
{
    return (bytes - LOW_BITS) & ~bytes & HIGH_BITS;
}

static uint64_t tags_equal(uint64_t tags, uint32_t tag)
{
    return zero_bytes(tags ^ (LOW_BITS * tag));
}

/* The first tag of a group that is empty or deleted, exact for the lowest. */
static uint64_t tags_free(uint64_t tags)
{
    return zero_bytes(tags & ~LOW_BITS);
}

static uint32_t lowest(uint64_t bits)
{
    return (uint32_t)__builtin_ctzll(bits) / GROUP;
}

/* Places for so many refs, some to come. At most seven of eight are ever taken. */
static uint32_t places_for(uint32_t refs)
{
    uint32_t wanted = refs + refs / 4 + 2;
    uint32_t groups = (wanted * 8 / 7 + GROUP - 1) / GROUP;
    if (groups * GROUP <= PART_PLACES_MAX)
        return groups * GROUP;
    /* Only a hash that was broken gets here: 2^16 parts, and this one overflows. */
    ASSERT(refs < PART_PLACES_MAX / 8 * 7);
    return PART_PLACES_MAX;
}

static uint32_t generation_next(struct index_pool *pool)
{
    pool->generation++;
    if (pool->generation == 0)
        pool->generation = 1; /* 0 is a scan that has not begun */
    return pool->generation;
}

static struct part *part_new(struct index_pool *pool, uint32_t places, uint32_t depth)
{
    ASSERT(places % GROUP == 0);
    ASSERT(depth <= PART_DEPTH_MAX);
    struct part *part = mem_alloc(part_bytes(places));
    *part = (struct part){
        .generation = generation_next(pool),
        .places = places,
        .room = places / 8 * 7,
        .depth = depth,
    };
    memset(part->tags, TAG_EMPTY, places);
    pool->bytes += part_bytes(places);
    return part;
}

static void part_free(struct index_pool *pool, struct part *part)
{
    pool->bytes -= part_bytes(part->places);
    mem_free(part);
}

static void part_insert(struct part *part, uint64_t hash, uint32_t ref)
{
    uint32_t groups = part->places / GROUP;
    uint32_t group = home_of(part->places, hash);
    uint64_t found = tags_free(group_tags(part, group));
    while (found == 0) {
        group = group + 1 < groups ? group + 1 : 0;
        found = tags_free(group_tags(part, group));
    }
    uint32_t place = group * GROUP + lowest(found);
    uint8_t *tag = part->tags + place;
    if (*tag == TAG_EMPTY) {
        ASSERT(part->room > 0);
        part->room--;
    }
    *tag = (uint8_t)tag_of(hash);
    refs_of(part, part->places)[place] = ref;
    part->used++;
}

/* How many refs of a part have this bit of the upper 16. */
static uint32_t part_upper(const struct index_pool *pool, const struct part *part, uint32_t bit)
{
    uint32_t upper = 0;
    for (uint32_t i = 0; i < part->places; i++)
        if (part->tags[i] >= TAG_FIRST)
            upper += ((uint32_t)(pool->hash(pool->table, ref_at(part, i)) >> 48) & bit) != 0;
    return upper;
}

/* Deals the refs of a part out anew: those with this bit of the upper 16 clear to low, the others
 * to high (the same part where no bit splits them). */
static void part_deal(const struct index_pool *pool, const struct part *part, uint32_t bit,
                      struct part *low, struct part *high)
{
    for (uint32_t i = 0; i < part->places; i++)
        if (part->tags[i] >= TAG_FIRST)
            pool->fetch(pool->table, ref_at(part, i));
    for (uint32_t i = 0; i < part->places; i++) {
        if (part->tags[i] < TAG_FIRST)
            continue;
        uint64_t hash = pool->hash(pool->table, ref_at(part, i));
        bool upper = ((uint32_t)(hash >> 48) & bit) != 0;
        part_insert(upper ? high : low, hash, ref_at(part, i));
    }
}

/* Sets all entries of the directory that pointed to the part of this hash, or the half of them
 * whose bit is as in hash when part is deeper than before. */
static void entries_set(struct index *index, uint64_t hash, struct part *part)
{
    ASSERT(part->depth <= index->depth);
    uint32_t count = 1U << (index->depth - part->depth);
    uint32_t first = entry_of(index, hash) & ~(count - 1);
    for (uint32_t i = first; i < first + count; i++)
        index->parts[i] = part;
    if (index->depth == 0)
        index->places = part->places;
}

static void directory_double(struct index *index, struct index_pool *pool)
{
    ASSERT(index->depth < PART_DEPTH_MAX);
    uint32_t count = 1U << index->depth;
    struct part **parts = mem_alloc((size_t)count * 2 * sizeof *parts);
    for (uint32_t i = 0; i < count; i++) {
        parts[(size_t)2 * i] = index->parts[i];
        parts[(size_t)2 * i + 1] = index->parts[i];
    }
    if (index->depth > 0) {
        mem_free(index->parts);
        pool->bytes -= (uint64_t)count * sizeof *parts;
    }
    pool->bytes += (uint64_t)count * 2 * sizeof *parts;
    index->parts = parts;
    index->one = NULL;
    index->depth++;
}

static void part_split(struct index *index, struct index_pool *pool, uint64_t hash,
                       struct part *part)
{
    if (part->depth == index->depth)
        directory_double(index, pool);
    uint32_t depth = part->depth + 1;
    uint32_t bit = 1U << (PART_DEPTH_MAX - depth);
    uint32_t upper = part_upper(pool, part, bit);
    struct part *low = part_new(pool, places_for(part->used - upper), depth);
    struct part *high = part_new(pool, places_for(upper), depth);
    part_deal(pool, part, bit, low, high);
    ASSERT(low->used + high->used == part->used);
    entries_set(index, hash & ~((uint64_t)bit << 48), low);
    entries_set(index, hash | (uint64_t)bit << 48, high);
    part_free(pool, part);
}

static struct part *part_resize(struct index *index, struct index_pool *pool, uint64_t hash,
                                struct part *part)
{
    struct part *next = part_new(pool, places_for(part->used), part->depth);
    part_deal(pool, part, 0, next, next);
    ASSERT(next->used == part->used);
    entries_set(index, hash, next);
    part_free(pool, part);
    return next;
}

void index__fini(struct index *index, struct index_pool *pool)
{
    if (index->parts == NULL)
        return;
    uint32_t count = 1U << index->depth;
    for (uint32_t i = 0; i < count;) {
        struct part *part = index->parts[i];
        i += 1U << (index->depth - part->depth);
        part_free(pool, part);
    }
    if (index->depth > 0) {
        mem_free(index->parts);
        pool->bytes -= (uint64_t)count * sizeof *index->parts;
    }
    index->parts = NULL;
    index->one = NULL;
    index->depth = 0;
}

void index__insert(struct index *index, struct index_pool *pool, uint64_t hash, uint32_t ref)
{
    if (index->parts == NULL) {
        ASSERT(index->depth == 0);
        index->one = part_new(pool, GROUP, 0);
        index->parts = &index->one;
        index->places = GROUP;
    }
    struct part *part = index->parts[entry_of(index, hash)];
    while (part->room == 0 && part->used >= PART_VERSIONS && part->depth < PART_DEPTH_MAX) {
        part_split(index, pool, hash, part);
        part = index->parts[entry_of(index, hash)];
    }
    if (part->room == 0)
        part = part_resize(index, pool, hash, part);
    part_insert(part, hash, ref);
}

void index__probe(const struct index *index, uint64_t hash, struct index_probe *probe)
{
    *probe = (struct index_probe){.tag = tag_of(hash)};
    if (index->parts == NULL)
        return;
    probe->part = index->parts[entry_of(index, hash)];
    uint32_t places = index->depth == 0 ? index->places : probe->part->places;
    probe->refs = refs_of(probe->part, places);
    probe->group = home_of(places, hash);
    __builtin_prefetch(probe->refs + (size_t)probe->group * GROUP);
    probe->tags = group_tags(probe->part, probe->group);
    probe->match = tags_equal(probe->tags, probe->tag);
}

bool index__probe_next(struct index_probe *probe, uint32_t *place)
{
    if (probe->part == NULL)
        return false;
    while (probe->match == 0) {
        if (zero_bytes(probe->tags) != 0)
            return false; /* an empty tag: nothing of this home went further */
        uint32_t groups = probe->part->places / GROUP;
        probe->group = probe->group + 1 < groups ? probe->group + 1 : 0;
        probe->tags = group_tags(probe->part, probe->group);
        probe->match = tags_equal(probe->tags, probe->tag);
    }
    *place = probe->group * GROUP + lowest(probe->match);
    probe->match &= probe->match - 1;
    return true;
}

/* Takes a ref out of its place. A group that has an empty tag was never full since the places
 * were dealt out, so nothing went past it and another empty tag hides nothing. */
static void place_clear(struct part *part, uint32_t place)
{
    uint64_t tags = group_tags(part, place / GROUP);
    bool passed = zero_bytes(tags) == 0;
    part->tags[place] = passed ? TAG_DELETED : TAG_EMPTY;
    part->room += passed ? 0 : 1;
    part->used--;
}

void index__remove(struct index *index, struct index_pool *pool, uint64_t hash, uint32_t ref)
{
    struct index_probe probe;
    uint32_t place = 0;
    bool found = false;
    index__probe(index, hash, &probe);
    while (!found && index__probe_next(&probe, &place))
        found = probe.part->tags[place] >= TAG_FIRST && probe.refs[place] == ref;
    ASSERT(found);
    place_clear(probe.part, place);
    bool thin = probe.part->used < probe.part->places / 4 && probe.part->places > 2 * GROUP;
    if (thin)
        part_resize(index, pool, hash, probe.part);
}

/* The first place at or after one that holds a ref, or places. */
static uint32_t place_from(const struct part *part, uint32_t place)
{
    while (place < part->places && part->tags[place] < TAG_FIRST)
        place++;
    return place;
}

uint32_t index__scan(const struct index *index, uint32_t *position, uint32_t *generation)
{
    while (index->parts != NULL && *position != SCAN_END) {
        uint32_t upper = *position >> 16;
        uint32_t place = *position & 0xffff;
        const struct part *part = index->parts[upper >> (PART_DEPTH_MAX - index->depth)];
        uint32_t width = 1U << (PART_DEPTH_MAX - part->depth);
        if (part->generation != *generation) {
            /* Dealt out anew, or just reached: from the part's beginning. Parts are only ever
             * cut, so what lay below upper was handed out. */
            *generation = part->generation;
            upper &= ~(width - 1);
            place = 0;
        }
        place = place_from(part, place);
        if (place < part->places) {
            *position = upper << 16 | (place + 1);
            return ref_at(part, place);
        }
        upper = (upper & ~(width - 1)) + width;
        *generation = 0;
        *position = upper < (1U << PART_DEPTH_MAX) ? upper << 16 : SCAN_END;
    }
    *position = SCAN_END;
    return 0;
}

static void part_check(const struct part *part, const struct index_pool *pool, uint32_t upper)
{
    uint32_t used = 0;
    uint32_t empty = 0;
    for (uint32_t i = 0; i < part->places; i++) {
        uint8_t tag = part->tags[i];
        empty += tag == TAG_EMPTY;
        if (tag < TAG_FIRST)
            continue;
        used++;
        uint64_t hash = pool->hash(pool->table, ref_at(part, i));
        ASSERT(tag == tag_of(hash));
        ASSERT(((uint32_t)(hash >> 48) ^ upper) >> (PART_DEPTH_MAX - part->depth) == 0);
        uint32_t group = home_of(part->places, hash);
        while (group != i / GROUP) {
            ASSERT(zero_bytes(group_tags(part, group)) == 0);
            group = group + 1 < part->places / GROUP ? group + 1 : 0;
        }
    }
    ASSERT(used == part->used);
    ASSERT(empty == part->room + part->places / 8);
}

uint64_t index__check(const struct index *index, const struct index_pool *pool)
{
    if (index->parts == NULL) {
        ASSERT(index->depth == 0);
        return 0;
    }
    ASSERT(index->depth > 0 || index->places == index->one->places);
    uint32_t count = 1U << index->depth;
    uint64_t bytes = index->depth > 0 ? (uint64_t)count * sizeof *index->parts : 0;
    for (uint32_t i = 0; i < count;) {
        const struct part *part = index->parts[i];
        ASSERT(part->depth <= index->depth);
        uint32_t width = 1U << (index->depth - part->depth);
        ASSERT(i % width == 0);
        for (uint32_t k = 0; k < width; k++)
            ASSERT(index->parts[i + k] == part);
        part_check(part, pool, i << (PART_DEPTH_MAX - index->depth));
        bytes += part_bytes(part->places);
        i += width;
    }
    return bytes;
}
