/* queue - the answers of one connection, in the order of its requests.
 *
 * Does:   see queue.h.
 * Not:    -
 * Holds:  K1, K2, K3, K4.
 * Limits: -
 * See:    queue.h.
 */
#include "http/queue.h"

/* What a buffer may keep while it is empty. */
#define REST_BYTES_MAX 65536U

void http_buf_rest(struct buf *buf)
{
    if (buf->cap > REST_BYTES_MAX)
        buf_fini(buf);
    else
        buf_reset(buf);
}

void http_queue_init(struct http_queue *queue, uint32_t size)
{
    ASSERT(size > 0);
    ASSERT(size <= HTTP_CALLS_MAX);
    *queue = (struct http_queue){.size = size, .out = BUF_EMPTY};
    queue->slots = mem_zalloc(size, sizeof(queue->slots[0]));
}

void http_queue_fini(struct http_queue *queue)
{
    for (uint32_t i = 0; i < queue->size; i++) {
        buf_fini(&queue->slots[i].context);
        buf_fini(&queue->slots[i].held);
    }
    mem_free(queue->slots);
    buf_fini(&queue->out);
    *queue = (struct http_queue){.slots = NULL};
}

struct http_slot *http_queue_at(const struct http_queue *queue, uint32_t i)
{
    ASSERT(i < queue->count);
    return &queue->slots[(queue->first + i) % queue->size];
}

struct http_slot *http_queue_open(struct http_queue *queue)
{
    ASSERT(!http_queue_is_full(queue));
    queue->count++;
    struct http_slot *slot = http_queue_last(queue);
    ASSERT(slot->held.len == 0);
    slot->number = queue->opened++;
    slot->kind = HTTP_NONE;
    slot->answered = false;
    slot->continue_due = false;
    slot->style = (struct http_style){.head = false};
    buf_reset(&slot->context);
    return slot;
}

struct http_slot *http_queue_last(const struct http_queue *queue)
{
    ASSERT(queue->count > 0);
    return http_queue_at(queue, queue->count - 1);
}

struct http_slot *http_queue_find(const struct http_queue *queue, uint64_t number)
{
    uint64_t mask = (UINT64_C(1) << HTTP_CALL_BITS) - 1;
    uint64_t oldest = queue->opened - queue->count;
    uint64_t i = (number - oldest) & mask;
    return i < queue->count ? http_queue_at(queue, (uint32_t)i) : NULL;
}

/* Base64url: whatever else a request brought as a token is not sent back. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        uint8_t lower = byte | 0x20;
        if (!((byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') || byte == '-' ||
              byte == '_'))
            return false;
    }
    return text.len > 0 && text.len <= LIMIT_TOKEN_TEXT_BYTES;
}

void http_slot_set_context(struct http_slot *slot, const struct slice *tokens, uint32_t count)
{
    buf_reset(&slot->context);
    slot->style.tokens = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_token(tokens[i]))
            continue;
        if (slot->style.tokens++ > 0)
            buf_append(&slot->context, ", ", 2);
        buf_append_slice(&slot->context, tokens[i]);
    }
    slot->style.context = buf_slice(&slot->context);
}

static void pop(struct http_queue *queue)
{
    struct http_slot *slot = http_queue_at(queue, 0);
    http_buf_rest(&slot->held);
    queue->first = (queue->first + 1) % queue->size;
    queue->count--;
}

static void put_continue(struct http_queue *queue, struct http_slot *slot)
{
    if (slot->continue_due)
        buf_append_slice(&queue->out, SLICE_LIT("HTTP/1.1 100 Continue\r\n\r\n"));
    slot->continue_due = false;
}

void http_queue_settle(struct http_queue *queue)
{
    while (queue->count > 0) {
        struct http_slot *slot = http_queue_at(queue, 0);
        put_continue(queue, slot);
        if (!slot->answered)
            return;
        buf_append_slice(&queue->out, buf_slice(&slot->held));
        ASSERT(queue->held_bytes >= slot->held.len);
        queue->held_bytes -= slot->held.len;
        pop(queue);
    }
}

struct buf *http_queue_begin(struct http_queue *queue, struct http_slot *slot)
{
    ASSERT(!slot->answered);
    return slot == http_queue_at(queue, 0) ? &queue->out : &slot->held;
}

void http_queue_end(struct http_queue *queue, struct http_slot *slot)
{
    ASSERT(!slot->answered);
    if (slot != http_queue_at(queue, 0)) {
        slot->answered = true;
        queue->held_bytes += slot->held.len;
        return;
    }
    pop(queue);
    http_queue_settle(queue);
}

size_t http_queue_bytes(const struct http_queue *queue)
{
    return queue->out.len - queue->out_at + queue->held_bytes;
}

struct slice http_queue_output(const struct http_queue *queue)
{
    size_t left = queue->out.len - queue->out_at;
    return left > 0 ? slice_of(queue->out.ptr + queue->out_at, left) : SLICE_EMPTY;
}

void http_queue_consume(struct http_queue *queue, size_t count)
{
    ASSERT(count <= queue->out.len - queue->out_at);
    queue->out_at += count;
    size_t left = queue->out.len - queue->out_at;
    if (left == 0) {
        http_buf_rest(&queue->out);
        queue->out_at = 0;
    } else if (queue->out_at >= left) { /* so that each byte is moved at most once */
        buf_consume(&queue->out, queue->out_at);
        queue->out_at = 0;
    }
}

void http_queue_take(struct http_queue *queue, struct buf *into)
{
    ASSERT(into->len == 0);
    buf_consume(&queue->out, queue->out_at);
    queue->out_at = 0;
    struct buf taken = queue->out;
    queue->out = *into;
    http_buf_rest(&queue->out);
    *into = taken;
}

size_t http_queue_memory(const struct http_queue *queue)
{
    size_t sum = queue->out.cap + queue->size * sizeof(queue->slots[0]);
    for (uint32_t i = 0; i < queue->size; i++)
        sum += queue->slots[i].context.cap + queue->slots[i].held.cap;
    return sum;
}

void http_queue_check(const struct http_queue *queue)
{
    ASSERT(queue->count <= queue->size);
    ASSERT(queue->first < queue->size);
    ASSERT(queue->out_at <= queue->out.len);
    size_t held = 0;
    for (uint32_t i = 0; i < queue->count; i++) {
        const struct http_slot *slot = http_queue_at(queue, i);
        ASSERT(slot->number == queue->opened - queue->count + i);
        ASSERT(i > 0 || !slot->answered);
        ASSERT(slot->answered || slot->held.len == 0);
        held += slot->held.len;
    }
    ASSERT(held == queue->held_bytes);
}
