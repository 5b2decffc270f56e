/* vv - version vector: actor -> highest seq, all below included.
 *
 * Does:   see vv.h. Lookup halves the range until eight entries are left and walks those: a
 *         vector mostly has about six. Two vectors are compared, joined and met by one walk
 *         over both, since both ascend.
 * Not:    -
 * Holds:  V1, V2, V3.
 * Limits: LIMIT_VV_ENTRIES.
 * See:    vv.h.
 */
#include "causal/vv.h"

/* At or below this many entries a walk is quicker than halving. */
#define WALK_ENTRIES 8U

void vv_init(struct vv *vv)
{
    vv->count = 0;
}

void vv_copy(struct vv *to, const struct vv *from)
{
    ASSERT(from->count <= LIMIT_VV_ENTRIES);
    if (to == from)
        return;
    to->count = from->count;
    memcpy(to->entries, from->entries, from->count * sizeof(from->entries[0]));
}

/* The index of the first entry whose actor is not less than actor, or count. */
static uint32_t seek(const struct vv *vv, uint32_t actor)
{
    uint32_t low = 0;
    uint32_t high = vv->count;
    while (high - low > WALK_ENTRIES) {
        uint32_t middle = low + (high - low) / 2;
        if (vv->entries[middle].actor < actor)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < high && vv->entries[low].actor < actor)
        low++;
    return low;
}

static bool has_at(const struct vv *vv, uint32_t index, uint32_t actor)
{
    return index < vv->count && vv->entries[index].actor == actor;
}

uint64_t vv_get(const struct vv *vv, uint32_t actor)
{
    ASSERT(vv->count <= LIMIT_VV_ENTRIES);
    uint32_t index = seek(vv, actor);
    return has_at(vv, index, actor) ? vv->entries[index].seq : 0;
}

static bool insert_at(struct vv *vv, uint32_t index, struct dot entry)
{
    ASSERT(index <= vv->count);
    ASSERT(entry.actor > 0 && entry.seq > 0);
    if (vv->count >= LIMIT_VV_ENTRIES)
        return false;
    struct dot *at = &vv->entries[index];
    memmove(at + 1, at, (vv->count - index) * sizeof(*at));
    *at = entry;
    vv->count++;
    return true;
}

static void remove_at(struct vv *vv, uint32_t index)
{
    ASSERT(index < vv->count);
    struct dot *at = &vv->entries[index];
    vv->count--;
    memmove(at, at + 1, (vv->count - index) * sizeof(*at));
}

bool vv_set(struct vv *vv, uint32_t actor, uint64_t seq)
{
    ASSERT(actor > 0);
    ASSERT(vv->count <= LIMIT_VV_ENTRIES);
    uint32_t index = seek(vv, actor);
    bool found = has_at(vv, index, actor);
    if (seq == 0) {
        if (found)
            remove_at(vv, index);
        return true;
    }
    if (!found)
        return insert_at(vv, index, (struct dot){actor, seq});
    vv->entries[index].seq = seq;
    return true;
}

bool vv_raise(struct vv *vv, uint32_t actor, uint64_t seq)
{
    ASSERT(actor > 0);
    ASSERT(vv->count <= LIMIT_VV_ENTRIES);
    if (seq == 0)
        return true;
    uint32_t index = seek(vv, actor);
    if (!has_at(vv, index, actor))
        return insert_at(vv, index, (struct dot){actor, seq});
    if (vv->entries[index].seq < seq)
        vv->entries[index].seq = seq;
    return true;
}

bool vv_covers(const struct vv *vv, struct dot dot)
{
    return dot.seq <= vv_get(vv, dot.actor);
}

bool vv_contains(const struct vv *high, const struct vv *low)
{
    ASSERT(high->count <= LIMIT_VV_ENTRIES);
    ASSERT(low->count <= LIMIT_VV_ENTRIES);
    if (low->count > high->count)
        return false;
    uint32_t i = 0;
    for (uint32_t j = 0; j < low->count; j++) {
        struct dot need = low->entries[j];
        while (i < high->count && high->entries[i].actor < need.actor)
            i++;
        if (!has_at(high, i, need.actor) || high->entries[i].seq < need.seq)
            return false;
    }
    return true;
}

static enum vv_order order_of(bool a_has_more, bool b_has_more)
{
    if (a_has_more)
        return b_has_more ? VV_CONCURRENT : VV_AFTER;
    return b_has_more ? VV_BEFORE : VV_EQUAL;
}

enum vv_order vv_compare(const struct vv *a, const struct vv *b)
{
    ASSERT(a->count <= LIMIT_VV_ENTRIES);
    ASSERT(b->count <= LIMIT_VV_ENTRIES);
    bool a_has_more = false;
    bool b_has_more = false;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a->count && j < b->count) {
        struct dot x = a->entries[i];
        struct dot y = b->entries[j];
        a_has_more |= x.actor < y.actor || (x.actor == y.actor && x.seq > y.seq);
        b_has_more |= y.actor < x.actor || (x.actor == y.actor && y.seq > x.seq);
        i += x.actor <= y.actor;
        j += y.actor <= x.actor;
    }
    a_has_more |= i < a->count;
    b_has_more |= j < b->count;
    return order_of(a_has_more, b_has_more);
}

/* How many actors a and b name together. */
static uint32_t actors_of_both(const struct vv *a, const struct vv *b)
{
    uint32_t i = 0;
    uint32_t j = 0;
    uint32_t both = 0;
    while (i < a->count && j < b->count) {
        uint32_t x = a->entries[i].actor;
        uint32_t y = b->entries[j].actor;
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return a->count + b->count - both;
}

bool vv_merge(struct vv *to, const struct vv *from)
{
    ASSERT(to->count <= LIMIT_VV_ENTRIES);
    ASSERT(from->count <= LIMIT_VV_ENTRIES);
    uint32_t size = actors_of_both(to, from);
    if (size > LIMIT_VV_ENTRIES)
        return false;
    /* From the back, so that the union grows into the room behind `to` and nothing of `to` is
     * overwritten before it was read. */
    uint32_t i = to->count;
    uint32_t j = from->count;
    to->count = size;
    while (j > 0) {
        struct dot y = from->entries[j - 1];
        struct dot x = i > 0 ? to->entries[i - 1] : (struct dot){0, 0};
        bool same = x.actor == y.actor;
        if (x.actor > y.actor || (same && x.seq > y.seq))
            y = x;
        i -= same || y.actor == x.actor;
        j -= same || y.actor != x.actor;
        to->entries[--size] = y;
    }
    ASSERT(size == i);
    return true;
}

void vv_meet(struct vv *to, const struct vv *from)
{
    ASSERT(to->count <= LIMIT_VV_ENTRIES);
    ASSERT(from->count <= LIMIT_VV_ENTRIES);
    uint32_t kept = 0;
    uint32_t j = 0;
    for (uint32_t i = 0; i < to->count; i++) {
        struct dot entry = to->entries[i];
        while (j < from->count && from->entries[j].actor < entry.actor)
            j++;
        if (!has_at(from, j, entry.actor))
            continue;
        if (from->entries[j].seq < entry.seq)
            entry.seq = from->entries[j].seq;
        to->entries[kept++] = entry;
    }
    to->count = kept;
}

void vv_prune(struct vv *vv, const struct vv *stable)
{
    ASSERT(vv->count <= LIMIT_VV_ENTRIES);
    ASSERT(stable->count <= LIMIT_VV_ENTRIES);
    uint32_t kept = 0;
    uint32_t j = 0;
    for (uint32_t i = 0; i < vv->count; i++) {
        struct dot entry = vv->entries[i];
        while (j < stable->count && stable->entries[j].actor < entry.actor)
            j++;
        if (has_at(stable, j, entry.actor) && entry.seq <= stable->entries[j].seq)
            continue;
        vv->entries[kept++] = entry;
    }
    vv->count = kept;
}

void vv_check(const struct vv *vv)
{
    ASSERT(vv->count <= LIMIT_VV_ENTRIES);
    uint32_t last = 0;
    for (uint32_t i = 0; i < vv->count; i++) {
        ASSERT(vv->entries[i].actor > last);
        ASSERT(vv->entries[i].seq > 0);
        last = vv->entries[i].actor;
    }
}
