/* vdisk - a virtual disk with a cache that forgets.
 *
 * Does:   see vdisk.h.
 * Not:    -
 * Holds:  D1 to D3.
 * Limits: -
 * See:    vdisk.h.
 */
#include "sim/vdisk.h"

void vdisk_init(struct vdisk *disk)
{
    memset(disk, 0, sizeof *disk);
}

void vdisk_fini(struct vdisk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        buf_fini(&disk->list[i].bytes);
    mem_free(disk->list);
    mem_free(disk->view);
    memset(disk, 0, sizeof *disk);
}

struct vsegment *vdisk_find(const struct vdisk *disk, uint64_t id)
{
    for (size_t i = disk->count; i > 0; i--) {
        if (disk->list[i - 1].id == id)
            return disk->list[i - 1].dropped ? NULL : &disk->list[i - 1];
    }
    return NULL;
}

static struct vsegment *add_segment(struct vdisk *disk, uint64_t id)
{
    if (disk->count > 0 && disk->list[disk->count - 1].id >= id)
        return NULL;
    if (disk->count == disk->cap) {
        disk->cap = disk->cap == 0 ? 8 : disk->cap * 2;
        disk->list = mem_realloc(disk->list, disk->cap * sizeof disk->list[0]);
    }
    struct vsegment *segment = &disk->list[disk->count++];
    *segment = (struct vsegment){id, BUF_EMPTY, 0, false, false};
    return segment;
}

bool vdisk_write(struct vdisk *disk, uint64_t id, uint64_t offset, struct slice bytes)
{
    struct vsegment *segment = vdisk_find(disk, id);
    if (segment == NULL && offset == 0)
        segment = add_segment(disk, id);
    if (segment == NULL || segment->bytes.len != offset)
        return false;
    buf_append_slice(&segment->bytes, bytes);
    return true;
}

void vdisk_sync(struct vdisk *disk, uint64_t id, size_t size)
{
    struct vsegment *segment = vdisk_find(disk, id);
    if (segment == NULL)
        return;
    size_t most = size < segment->bytes.len ? size : segment->bytes.len;
    if (most > segment->synced)
        segment->synced = most;
    segment->named = true;
}

static void remove_segment(struct vdisk *disk, size_t at)
{
    buf_fini(&disk->list[at].bytes);
    memmove(&disk->list[at], &disk->list[at + 1], (disk->count - at - 1) * sizeof disk->list[0]);
    disk->count--;
}

void vdisk_sync_all(struct vdisk *disk)
{
    for (size_t i = disk->count; i > 0; i--) {
        struct vsegment *segment = &disk->list[i - 1];
        segment->synced = segment->bytes.len;
        segment->named = true;
        if (segment->dropped)
            remove_segment(disk, i - 1);
    }
}

bool vdisk_drop(struct vdisk *disk, uint64_t id)
{
    for (size_t i = 0; i < disk->count; i++) {
        if (disk->list[i].dropped)
            continue;
        if (disk->list[i].id != id)
            return false;
        disk->list[i].dropped = true;
        return true;
    }
    return false;
}

/* One sector from `at` on that was not wholly synced: new, old or torn. True when bytes changed. */
static bool cut_sector(struct vsegment *segment, size_t at, size_t end, struct rng *rng)
{
    size_t from = at < segment->synced ? segment->synced : at;
    uint64_t fate = rng_below(rng, 3);
    if (fate == 0)
        return false;
    if (fate == 1)
        from += rng_below(rng, end - from);
    memset(segment->bytes.ptr + from, 0, end - from);
    return true;
}

static bool cut_segment(struct vsegment *segment, struct rng *rng)
{
    if (segment->synced == segment->bytes.len)
        return false;
    bool lost = false;
    if (rng_chance(rng, 1, 2)) { /* the size, too, is only in the cache */
        size_t keep = rng_between(rng, segment->synced, segment->bytes.len);
        lost = keep < segment->bytes.len;
        segment->bytes.len = keep;
    }
    size_t at = segment->synced / VDISK_SECTOR_BYTES * VDISK_SECTOR_BYTES;
    for (; at < segment->bytes.len; at += VDISK_SECTOR_BYTES) {
        size_t end = at + VDISK_SECTOR_BYTES;
        if (end > segment->bytes.len)
            end = segment->bytes.len;
        if (end > segment->synced && cut_sector(segment, at, end, rng))
            lost = true;
    }
    segment->synced = segment->bytes.len;
    return lost;
}

bool vdisk_forget(struct vdisk *disk)
{
    bool lost = false;
    for (size_t i = disk->count; i > 0; i--) {
        struct vsegment *segment = &disk->list[i - 1];
        lost = lost || segment->synced < segment->bytes.len;
        segment->bytes.len = segment->synced;
        segment->dropped = false;
        if (!segment->named)
            remove_segment(disk, i - 1);
    }
    return lost;
}

bool vdisk_power_cut(struct vdisk *disk, struct rng *rng)
{
    if (rng_chance(rng, 1, 3))
        return vdisk_forget(disk);
    bool lost = false;
    for (size_t i = disk->count; i > 0; i--) {
        struct vsegment *segment = &disk->list[i - 1];
        bool gone = (!segment->named && rng_chance(rng, 1, 2)) ||
                    (segment->dropped && rng_chance(rng, 2, 3));
        if (gone) {
            lost = lost || !segment->dropped;
            remove_segment(disk, i - 1);
            continue;
        }
        lost = cut_segment(segment, rng) || lost;
        segment->dropped = false;
        segment->named = true;
    }
    return lost;
}

void vdisk_copy(struct vdisk *to, const struct vdisk *from)
{
    vdisk_init(to);
    for (size_t i = 0; i < from->count; i++) {
        const struct vsegment *segment = &from->list[i];
        if (segment->dropped)
            continue;
        struct vsegment *copy = add_segment(to, segment->id);
        ASSERT(copy != NULL);
        buf_append_slice(&copy->bytes, buf_slice(&segment->bytes));
        copy->synced = copy->bytes.len;
        copy->named = true;
    }
}

bool vdisk_rot(struct vdisk *disk, struct rng *rng)
{
    uint64_t total = 0;
    for (size_t i = 0; i < disk->count; i++)
        total += disk->list[i].bytes.len;
    if (total == 0)
        return false;
    uint64_t at = rng_below(rng, total);
    for (size_t i = 0; i < disk->count; i++) {
        struct vsegment *segment = &disk->list[i];
        if (at < segment->bytes.len) {
            segment->bytes.ptr[at] ^= (uint8_t)(1U << rng_below(rng, 8));
            return true;
        }
        at -= segment->bytes.len;
    }
    return false;
}

size_t vdisk_view(struct vdisk *disk, const struct log_segment **list)
{
    disk->view = mem_realloc(disk->view, (disk->count + 1) * sizeof disk->view[0]);
    size_t count = 0;
    for (size_t i = 0; i < disk->count; i++) {
        if (!disk->list[i].dropped)
            disk->view[count++] =
                (struct log_segment){disk->list[i].id, buf_slice(&disk->list[i].bytes)};
    }
    *list = disk->view;
    return count;
}

uint64_t vdisk_bytes(const struct vdisk *disk)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < disk->count; i++)
        bytes += disk->list[i].dropped ? 0 : disk->list[i].bytes.len;
    return bytes;
}

void vdisk_check(const struct vdisk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        ASSERT(disk->list[i].synced <= disk->list[i].bytes.len);
        ASSERT(i == 0 || disk->list[i - 1].id < disk->list[i].id);
    }
}
