/* stream - own writes to the other members, in seq order, from a window.
 *
 * Does:   keeps own recent records; sends each member what comes after its receipts, as much as
 *         may be under way; forgets what everybody has, and the oldest past the window.
 * Not:    receipts (report.c), catching up past the window (walk_in.c, walk_out.c).
 * Holds:  W1 the window ends at the own seq. W2 a member's stream never skips a seq that the
 *         window still has. W3 nothing is streamed before the member has said what it has, on
 *         this very connection.
 * Limits: knob window_bytes (and always the newest write); half of it under way to one member.
 * See:    docs/protocol.md section 4.1 (T12, T30).
 */
#include "replica/state.h"

#define STREAM_FRAME_BYTES 524288U

static struct window_item *item_at(const struct window *window, uint64_t seq)
{
    ASSERT(seq >= window->first_seq && seq < window->first_seq + window->count);
    return &window->ring[seq & (window->cap - 1)];
}

static void window_pop(struct window *window)
{
    struct window_item *item = item_at(window, window->first_seq);
    window->bytes -= item->len;
    mem_free(item->bytes);
    *item = (struct window_item){NULL, 0, 0};
    window->first_seq++;
    window->count--;
}

void replica__window_clear(struct replica *replica)
{
    struct window *window = &replica->window;
    while (window->count > 0)
        window_pop(window);
    window->first_seq = replica->seq + 1;
}

static void window_double(struct window *window)
{
    uint64_t cap = window->cap > 0 ? window->cap * 2 : 64;
    struct window_item *ring = mem_zalloc(cap, sizeof(*ring));
    for (uint64_t seq = window->first_seq; seq < window->first_seq + window->count; seq++)
        ring[seq & (cap - 1)] = window->ring[seq & (window->cap - 1)];
    mem_free(window->ring);
    window->ring = ring;
    window->cap = cap;
}

void replica__window_push(struct replica *replica, struct slice record)
{
    struct window *window = &replica->window;
    ASSERT(window->first_seq + window->count == replica->seq);
    ASSERT(record.len <= UINT32_MAX);
    if (replica->peer_count == 0) {
        replica__window_clear(replica); /* what is left of the time when somebody was there, too */
        window->first_seq = replica->seq + 1;
        return;
    }
    if (window->count == window->cap)
        window_double(window);
    window->count++;
    window->bytes += record.len;
    window->pushed += record.len;
    *item_at(window, replica->seq) =
        (struct window_item){mem_dup(record.ptr, record.len), (uint32_t)record.len, window->pushed};
    while (window->bytes > replica->knobs->window_bytes && window->count > 1)
        window_pop(window);
}

/* A member's contiguous claim: everything up to here it has, or will have delivered. */
uint64_t replica__peer_received(const struct peer *peer, uint32_t actor)
{
    if (!peer->reported)
        return 0;
    uint64_t covered = vv_get(&peer->coverage, actor);
    const struct range *range = ranges_get(&peer->ranges, actor);
    if (range != NULL && range->low <= covered + 1 && range->high > covered)
        return range->high;
    return covered;
}

void replica__window_trim(struct replica *replica)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        uint64_t received = replica__peer_received(&replica->peers[i], replica->actor);
        if (received < least)
            least = received;
    }
    while (replica->window.count > 0 && replica->window.first_seq <= least)
        window_pop(&replica->window);
}

/* What a member has taken, above a hole too: who fills up lacks what is below until the end of it,
 * and is sent what is written meanwhile. */
uint64_t replica__peer_took(const struct peer *peer, uint32_t actor)
{
    uint64_t received = replica__peer_received(peer, actor);
    const struct range *range = ranges_get(&peer->ranges, actor);
    return peer->reported && range != NULL && range->high > received ? range->high : received;
}

static uint64_t bytes_under_way(const struct replica *replica, const struct peer *peer)
{
    const struct window *window = &replica->window;
    uint64_t acked = replica__peer_took(peer, replica->actor);
    if (acked >= peer->sent_seq || peer->sent_seq < window->first_seq || window->count == 0)
        return 0;
    const struct window_item *last = item_at(window, peer->sent_seq);
    uint64_t first = acked + 1 > window->first_seq ? acked + 1 : window->first_seq;
    const struct window_item *oldest = item_at(window, first);
    return last->end - (oldest->end - oldest->len);
}

static bool wants_more(const struct replica *replica, const struct peer *peer)
{
    return peer->connected && peer->streaming && peer->sent_seq < replica->seq &&
           bytes_under_way(replica, peer) < replica->knobs->window_bytes / 2;
}

/* Appends one frame from peer's place on; returns the last seq in it. */
static uint64_t stream_frame(const struct replica *replica, const struct peer *peer,
                             struct replica_io *io)
{
    const struct window *window = &replica->window;
    uint64_t first = peer->sent_seq + 1;
    uint64_t last = first;
    size_t bytes = item_at(window, first)->len;
    while (last < replica->seq && bytes + item_at(window, last + 1)->len <= STREAM_FRAME_BYTES) {
        last++;
        bytes += item_at(window, last)->len;
    }
    struct buf *body = outbox_begin(io->out);
    buf_u32(body, replica__shard_id(replica));
    buf_u32(body, (uint32_t)bytes);
    for (uint64_t seq = first; seq <= last; seq++)
        buf_append(body, item_at(window, seq)->bytes, item_at(window, seq)->len);
    outbox_end(io->out, MSG_DATA, peer->node_id);
    return last;
}

void replica__stream(struct replica *replica, struct replica_io *io)
{
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        struct peer *peer = &replica->peers[i];
        if (peer->sent_seq + 1 < replica->window.first_seq) { /* forgotten: it will walk */
            if (peer->streaming)
                REACHED(io->metrics, STREAM_FORGOT);
            peer->sent_seq = replica->window.first_seq - 1;
        }
        while (wants_more(replica, peer)) {
            uint64_t from = peer->sent_seq;
            peer->sent_seq = stream_frame(replica, peer, io);
            for (uint32_t j = i + 1; j < replica->peer_count; j++) {
                struct peer *other = &replica->peers[j];
                if (other->sent_seq != from || !wants_more(replica, other))
                    continue;
                outbox_also(io->out, other->node_id);
                other->sent_seq = peer->sent_seq;
            }
        }
    }
}

bool replica__stream_busy(const struct replica *replica)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (wants_more(replica, &replica->peers[i]))
            return true;
    return false;
}
