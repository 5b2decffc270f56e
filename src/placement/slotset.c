/* slotset - a set of slots.
 *
 * Does:   see slotset.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    slotset.h.
 */
#include "placement/slotset.h"

#define WORDS (LIMIT_SLOTS / 64)

void slotset_init(struct slotset *set)
{
    memset(set, 0, sizeof(*set));
}

static uint64_t bit_of(uint32_t slot)
{
    return UINT64_C(1) << (slot % 64);
}

void slotset_add(struct slotset *set, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    set->words[slot / 64] |= bit_of(slot);
}

void slotset_add_range(struct slotset *set, uint32_t first, uint32_t last)
{
    ASSERT(first <= last);
    ASSERT(last < LIMIT_SLOTS);
    uint64_t head = UINT64_MAX << (first % 64);
    uint64_t tail = UINT64_MAX >> (63 - last % 64);
    if (first / 64 == last / 64) {
        set->words[first / 64] |= head & tail;
        return;
    }
    set->words[first / 64] |= head;
    for (uint32_t i = first / 64 + 1; i < last / 64; i++)
        set->words[i] = UINT64_MAX;
    set->words[last / 64] |= tail;
}

void slotset_remove(struct slotset *set, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    set->words[slot / 64] &= ~bit_of(slot);
}

bool slotset_has(const struct slotset *set, uint32_t slot)
{
    ASSERT(slot < LIMIT_SLOTS);
    return (set->words[slot / 64] & bit_of(slot)) != 0;
}

uint32_t slotset_size(const struct slotset *set)
{
    uint32_t size = 0;
    for (size_t i = 0; i < WORDS; i++)
        size += (uint32_t)__builtin_popcountll(set->words[i]);
    return size;
}

bool slotset_equal(const struct slotset *a, const struct slotset *b)
{
    return a == b || memcmp(a->words, b->words, sizeof(a->words)) == 0;
}

bool slotset_meets(const struct slotset *a, const struct slotset *b)
{
    for (size_t i = 0; i < WORDS; i++)
        if ((a->words[i] & b->words[i]) != 0)
            return true;
    return false;
}

bool slotset_contains(const struct slotset *a, const struct slotset *b)
{
    for (size_t i = 0; i < WORDS; i++)
        if ((b->words[i] & ~a->words[i]) != 0)
            return false;
    return true;
}

void slotset_merge(struct slotset *to, const struct slotset *from)
{
    for (size_t i = 0; i < WORDS; i++)
        to->words[i] |= from->words[i];
}

void slotset_subtract(struct slotset *to, const struct slotset *from)
{
    for (size_t i = 0; i < WORDS; i++)
        to->words[i] &= ~from->words[i];
}

/* The least slot >= from whose bit differs from those of flip, or LIMIT_SLOTS. */
static uint32_t next_bit(const struct slotset *set, uint32_t from, uint64_t flip)
{
    ASSERT(flip == 0 || flip == UINT64_MAX);
    if (from >= LIMIT_SLOTS)
        return LIMIT_SLOTS;
    uint32_t i = from / 64;
    uint64_t word = (set->words[i] ^ flip) & UINT64_MAX << (from % 64);
    while (word == 0) {
        if (++i == WORDS)
            return LIMIT_SLOTS;
        word = set->words[i] ^ flip;
    }
    return i * 64 + (uint32_t)__builtin_ctzll(word);
}

uint32_t slotset_next(const struct slotset *set, uint32_t from)
{
    return next_bit(set, from, 0);
}

uint32_t slotset_next_absent(const struct slotset *set, uint32_t from)
{
    return next_bit(set, from, UINT64_MAX);
}

static uint32_t range_count(const struct slotset *set)
{
    uint32_t count = 0;
    uint32_t first = slotset_next(set, 0);
    while (first < LIMIT_SLOTS) {
        count++;
        first = slotset_next(set, slotset_next_absent(set, first));
    }
    return count;
}

void slotset_encode(const struct slotset *set, struct buf *out)
{
    uint32_t last = 0;
    buf_varint(out, range_count(set));
    uint32_t first = slotset_next(set, 0);
    while (first < LIMIT_SLOTS) {
        uint32_t end = slotset_next_absent(set, first);
        ASSERT(end > first);
        buf_varint(out, first - last);
        buf_varint(out, end - 1 - first);
        last = end - 1;
        first = slotset_next(set, end);
    }
}

/* One range above *last, which it moves. A step of 1 would touch the range before (two encodings
 * of one set); the first range alone may begin at 0 or 1. */
static bool range_decode(struct read *in, bool is_first, uint32_t *last, struct slotset *set)
{
    uint64_t step = read_varint(in);
    uint64_t more = read_varint(in);
    if (!read_ok(in) || (!is_first && step < 2))
        return false;
    if (step >= LIMIT_SLOTS - *last || more >= LIMIT_SLOTS - *last - step)
        return false;
    uint32_t first = *last + (uint32_t)step;
    *last = first + (uint32_t)more;
    slotset_add_range(set, first, *last);
    return true;
}

bool slotset_decode(struct read *in, struct slotset *set)
{
    slotset_init(set);
    uint64_t count = read_varint(in);
    if (!read_ok(in) || count > LIMIT_SLOTS / 2)
        return false;
    uint32_t last = 0;
    for (uint64_t i = 0; i < count; i++)
        if (!range_decode(in, i == 0, &last, set))
            return false;
    return true;
}
