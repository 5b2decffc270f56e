/* hold - what may only leave after a commit.
 *
 * Does:   see hold.h.
 * Not:    -
 * Holds:  Z1.
 * Limits: -
 * See:    hold.h.
 */
#include "node/hold.h"

struct hold *hold_new(void)
{
    struct hold *hold = mem_zalloc(1, sizeof(*hold));
    outbox_init(&hold->frames);
    outbox_init(&hold->direct);
    return hold;
}

void hold_free(struct hold *hold)
{
    if (hold == NULL)
        return;
    outbox_fini(&hold->frames);
    outbox_fini(&hold->direct);
    buf_fini(&hold->bytes);
    buf_fini(&hold->hangups);
    buf_fini(&hold->config);
    mem_free(hold->replies);
    mem_free(hold);
}

void hold_reset(struct hold *hold)
{
    outbox_reset(&hold->frames);
    outbox_reset(&hold->direct);
    buf_reset(&hold->bytes);
    buf_reset(&hold->hangups);
    buf_reset(&hold->config);
    hold->reply_count = 0;
    hold->emitted = 0;
    hold->next = NULL;
}

bool hold_is_empty(const struct hold *hold)
{
    return hold->frames.count == 0 && hold->direct.count == 0 && hold->reply_count == 0 &&
           hold->hangups.len == 0 && hold->config.len == 0;
}

static size_t keep(struct hold *hold, struct slice bytes)
{
    size_t at = hold->bytes.len;
    buf_append_slice(&hold->bytes, bytes);
    return at;
}

void hold_reply(struct hold *hold, const struct reply *reply)
{
    if (hold->reply_count == hold->reply_cap) {
        hold->reply_cap = hold->reply_cap > 0 ? hold->reply_cap * 2 : 16;
        hold->replies = mem_realloc(hold->replies, hold->reply_cap * sizeof(*hold->replies));
    }
    struct hold_reply *kept = &hold->replies[hold->reply_count++];
    kept->reply = *reply;
    kept->value = keep(hold, reply->value);
    kept->token = keep(hold, reply->token);
    kept->detail = keep(hold, reply->detail);
    ASSERT(reply->waiting_count <= LIMIT_WAITING);
    for (uint32_t i = 0; i < reply->waiting_count; i++)
        kept->waiting[i] = keep(hold, reply->waiting[i].address);
}

void hold_hangup(struct hold *hold, uint64_t conn)
{
    buf_u64(&hold->hangups, conn);
}

void hold_reply_at(const struct hold *hold, size_t index, struct reply *reply)
{
    ASSERT(index < hold->reply_count);
    const struct hold_reply *kept = &hold->replies[index];
    *reply = kept->reply;
    reply->value.ptr = hold->bytes.ptr + kept->value;
    reply->token.ptr = hold->bytes.ptr + kept->token;
    reply->detail.ptr = hold->bytes.ptr + kept->detail;
    for (uint32_t i = 0; i < reply->waiting_count; i++)
        reply->waiting[i].address.ptr = hold->bytes.ptr + kept->waiting[i];
}
