/* vtime - virtual time: what happens next.
 *
 * Does:   see vtime.h.
 * Not:    -
 * Holds:  H1, H2.
 * Limits: -
 * See:    vtime.h.
 */
#include "sim/vtime.h"

void vtime_init(struct vtime *time, uint64_t seed)
{
    memset(time, 0, sizeof *time);
    rng_init(&time->rng, seed);
}

void vtime_fini(struct vtime *time)
{
    mem_free(time->heap);
    time->heap = NULL;
    time->count = 0;
    time->cap = 0;
}

static bool before(const struct vevent *a, const struct vevent *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct vevent *a, struct vevent *b)
{
    struct vevent keep = *a;
    *a = *b;
    *b = keep;
}

void vtime_after(struct vtime *time, uint64_t delay_us, uint32_t kind, uint32_t a, uint64_t b,
                 uint64_t c)
{
    if (time->count == time->cap) {
        time->cap = time->cap == 0 ? 256 : time->cap * 2;
        time->heap = mem_realloc(time->heap, time->cap * sizeof time->heap[0]);
    }
    time->serial++;
    uint64_t order = (rng_u64(&time->rng) & ~UINT64_C(0xffffffff)) | (time->serial & 0xffffffffU);
    size_t at = time->count++;
    time->heap[at] = (struct vevent){time->now_us + delay_us, order, kind, a, b, c};
    while (at > 0 && before(&time->heap[at], &time->heap[(at - 1) / 2])) {
        swap(&time->heap[at], &time->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct vtime *time)
{
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < time->count; child++) {
            if (before(&time->heap[child], &time->heap[least]))
                least = child;
        }
        if (least == at)
            return;
        swap(&time->heap[at], &time->heap[least]);
        at = least;
    }
}

bool vtime_next(struct vtime *time, struct vevent *event)
{
    if (time->count == 0)
        return false;
    *event = time->heap[0];
    time->heap[0] = time->heap[--time->count];
    sift_down(time);
    ASSERT(event->at_us >= time->now_us);
    time->now_us = event->at_us;
    return true;
}

void vtime_check(const struct vtime *time)
{
    ASSERT(time->count <= time->cap);
    for (size_t i = 1; i < time->count; i++)
        ASSERT(!before(&time->heap[i], &time->heap[(i - 1) / 2]));
}
