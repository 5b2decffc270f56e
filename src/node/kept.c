/* kept - answers that the node they went to may not have heard.
 *
 * Does:   see kept.h.
 * Not:    -
 * Holds:  E1, E2.
 * Limits: -
 * See:    kept.h.
 *
 * What is no longer wanted stays where it is until it is at the front, or half of all there is:
 * so forgetting moves each byte once, whatever the order in which the others say what they heard.
 */
#include "node/kept.h"

void kept_init(struct kept *kept)
{
    *kept = (struct kept){.bytes = BUF_EMPTY};
}

void kept_fini(struct kept *kept)
{
    mem_free(kept->items);
    buf_fini(&kept->bytes);
    kept_init(kept);
}

size_t kept_bytes(const struct kept *kept)
{
    return kept->bytes.cap + kept->cap * sizeof(kept->items[0]);
}

/* Takes out what is not wanted. */
static void compact(struct kept *kept)
{
    size_t from = 0;
    size_t to = 0;
    size_t count = 0;
    for (size_t i = 0; i < kept->count; i++) {
        struct kept_item item = kept->items[i];
        if (item.to != 0) {
            memmove(kept->bytes.ptr + to, kept->bytes.ptr + from, item.len);
            kept->items[count++] = item;
            to += item.len;
        }
        from += item.len;
    }
    kept->count = count;
    kept->bytes.len = to;
}

/* Makes room for len bytes: first of what is not wanted, then of the oldest. */
static void make_room(struct kept *kept, size_t len)
{
    if (kept->bytes.len + len <= LIMIT_KEPT_BYTES)
        return;
    size_t goal = LIMIT_KEPT_BYTES / 2 - len; /* half: not again at the next one */
    size_t wanted = 0;
    for (size_t i = 0; i < kept->count; i++)
        wanted += kept->items[i].to != 0 ? kept->items[i].len : 0;
    for (size_t i = 0; i < kept->count && wanted > goal; i++) {
        struct kept_item *item = &kept->items[i];
        if (item->to == 0)
            continue;
        item->to = 0;
        wanted -= item->len;
        kept->forgotten++;
    }
    compact(kept);
}

void kept_add(struct kept *kept, uint64_t to, uint32_t generation, uint64_t number,
              struct slice frame)
{
    ASSERT(to != 0);
    if (frame.len > LIMIT_KEPT_FRAME_BYTES)
        return;
    make_room(kept, frame.len);
    if (kept->count == kept->cap) {
        kept->cap = kept->cap > 0 ? kept->cap * 2 : 64;
        kept->items = mem_realloc(kept->items, kept->cap * sizeof(kept->items[0]));
    }
    kept->items[kept->count++] =
        (struct kept_item){.to = to, .number = number, .generation = generation, .len = frame.len};
    buf_append_slice(&kept->bytes, frame);
}

void kept_heard(struct kept *kept, uint64_t to, uint32_t generation, uint64_t number)
{
    size_t unwanted = 0;
    for (size_t i = 0; i < kept->count; i++) {
        struct kept_item *item = &kept->items[i];
        bool left = item->number > 0;
        if (left && item->to == to && item->generation == generation && item->number <= number)
            item->to = 0;
        unwanted += item->to == 0 ? 1 : 0;
    }
    if (unwanted > kept->count / 2)
        compact(kept);
}

bool kept_take(struct kept *kept, uint64_t to, uint32_t but, struct kept_at *at,
               struct slice *frame)
{
    while (at->item < kept->count) {
        struct kept_item *item = &kept->items[at->item++];
        size_t begin = at->byte;
        at->byte += item->len;
        if (item->to != to || item->generation == but)
            continue;
        item->to = 0;
        *frame = slice_of(kept->bytes.ptr + begin, item->len);
        return true;
    }
    return false;
}

void kept_check(const struct kept *kept)
{
    size_t bytes = 0;
    for (size_t i = 0; i < kept->count; i++)
        bytes += kept->items[i].len;
    ASSERT(bytes == kept->bytes.len);
    ASSERT(bytes <= LIMIT_KEPT_BYTES); /* E1 */
}
