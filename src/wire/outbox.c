/* outbox - frames that modules want sent, collected in one place.
 *
 * Does:   see outbox.h.
 * Not:    -
 * Holds:  O1.
 * Limits: -
 * See:    outbox.h.
 */
#include "wire/outbox.h"

#define NOT_OPEN SIZE_MAX

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){.bytes = BUF_EMPTY, .open = NOT_OPEN};
}

void outbox_fini(struct outbox *outbox)
{
    buf_fini(&outbox->bytes);
    mem_free(outbox->items);
    outbox_init(outbox);
}

void outbox_reset(struct outbox *outbox)
{
    ASSERT(outbox->open == NOT_OPEN);
    buf_reset(&outbox->bytes);
    outbox->count = 0;
}

struct buf *outbox_begin(struct outbox *outbox)
{
    ASSERT(outbox->open == NOT_OPEN);
    outbox->open = frame_begin(&outbox->bytes);
    return &outbox->bytes;
}

static void add_item(struct outbox *outbox, struct outbox_item item)
{
    ASSERT(item.begin + item.len <= outbox->bytes.len);
    if (outbox->count == outbox->cap) {
        outbox->cap = outbox->cap > 0 ? outbox->cap * 2 : 16;
        outbox->items = mem_realloc(outbox->items, outbox->cap * sizeof(item));
    }
    outbox->items[outbox->count++] = item;
}

void outbox_end(struct outbox *outbox, enum msg_type type, uint64_t to)
{
    ASSERT(outbox->open != NOT_OPEN);
    size_t begin = outbox->open;
    outbox->open = NOT_OPEN;
    frame_end(begin, (uint8_t)type, outbox->lineage, outbox->epoch, &outbox->bytes);
    add_item(outbox, (struct outbox_item){to, begin, outbox->bytes.len - begin, (uint8_t)type});
}

void outbox_also(struct outbox *outbox, uint64_t to)
{
    ASSERT(outbox->count > 0 && outbox->open == NOT_OPEN);
    struct outbox_item item = outbox->items[outbox->count - 1];
    item.to = to;
    add_item(outbox, item);
}

void outbox_append(struct outbox *outbox, struct slice frame, enum msg_type type, uint64_t to)
{
    ASSERT(outbox->open == NOT_OPEN);
    size_t begin = outbox->bytes.len;
    buf_append_slice(&outbox->bytes, frame);
    add_item(outbox, (struct outbox_item){to, begin, frame.len, (uint8_t)type});
}
