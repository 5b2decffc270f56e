/* config_loss - what may be lost, remembered so that it can be told.
 *
 * Does:   config__lose; see config_parts.h.
 * Not:    telling it: node/.
 * Holds:  at most one loss for each actor, and one for each shard as a whole; oldest first. A
 *         loss of a shard is not dated after the fence: a context whose fence was raised to the
 *         configuration's is told once.
 * Limits: LIMIT_LOSSES. Where there is no room, those older than LIMIT_LOSS_DAYS are forgotten, by
 *         the clock of whoever proposes; where that leaves none, the oldest are folded. While there
 *         is room no clock is asked: one that is ahead would make all forget. Nor is one believed
 *         that stands a year after the loss, or more: what is folded is told still.
 * See:    docs/protocol.md 6.5.
 */
#include "placement/config_parts.h"

#define DAY_MS (24ULL * 60 * 60 * 1000)

/* Below a year by the days that clocks may be apart: a wrong year is the likeliest error. */
#define BELIEVED_DAYS 360U

static void loss_erase(struct config *next, uint32_t index)
{
    ASSERT(index < next->loss_count);
    next->loss_count--;
    memmove(&next->losses[index], &next->losses[index + 1],
            (next->loss_count - index) * sizeof(next->losses[0]));
}

static void losses_expire(struct config *next, uint64_t wall_ms)
{
    for (uint32_t i = next->loss_count; i > 0; i--) {
        uint64_t since_ms = next->losses[i - 1].wall_ms;
        uint64_t age_ms = since_ms < wall_ms ? wall_ms - since_ms : 0;
        if (age_ms > LIMIT_LOSS_DAYS * DAY_MS && age_ms < BELIEVED_DAYS * DAY_MS)
            loss_erase(next, i - 1);
    }
}

/* Index of the newest loss of the shard as a whole, or the count. */
static uint32_t shard_loss(const struct config *config, uint32_t shard_id)
{
    for (uint32_t i = config->loss_count; i > 0; i--)
        if (config->losses[i - 1].actor == 0 && config->losses[i - 1].shard == shard_id)
            return i - 1;
    return config->loss_count;
}

/* The oldest loss of an actor becomes one of its shard: who asks is told of more, never of less.
 * False when there is none. */
static bool loss_fold(struct config *next)
{
    uint32_t oldest = 0;
    while (oldest < next->loss_count && next->losses[oldest].actor == 0)
        oldest++;
    if (oldest == next->loss_count)
        return false;
    struct loss *loss = &next->losses[oldest];
    uint32_t other = shard_loss(next, loss->shard);
    if (other > oldest && other < next->loss_count) {
        loss_erase(next, oldest); /* the later one says it, too */
        return true;
    }
    loss->actor = 0;
    loss->whole_seq = 0;
    if (next->fence < loss->epoch)
        next->fence = loss->epoch;
    if (other < oldest)
        loss_erase(next, other);
    return true;
}

/* Takes the loss of this actor, or of this shard, out; whole_seq never rises. */
static uint64_t loss_take(struct config *next, uint32_t actor, uint32_t shard_id,
                          uint64_t whole_seq)
{
    for (uint32_t i = next->loss_count; i > 0; i--) {
        const struct loss *loss = &next->losses[i - 1];
        if (loss->actor != actor || (actor == 0 && loss->shard != shard_id))
            continue;
        if (loss->whole_seq < whole_seq)
            whole_seq = loss->whole_seq;
        loss_erase(next, i - 1);
    }
    return whole_seq;
}

void config__lose(struct config *next, uint32_t actor, uint32_t shard_id, uint64_t whole_seq,
                  uint64_t wall_ms)
{
    whole_seq = loss_take(next, actor, shard_id, whole_seq);
    if (next->loss_count == LIMIT_LOSSES)
        losses_expire(next, wall_ms);
    while (next->loss_count == LIMIT_LOSSES)
        if (!loss_fold(next))
            loss_erase(next, 0);
    next->losses[next->loss_count++] = (struct loss){.actor = actor,
                                                     .shard = shard_id,
                                                     .whole_seq = actor != 0 ? whole_seq : 0,
                                                     .epoch = next->epoch,
                                                     .wall_ms = wall_ms};
    if (actor == 0)
        next->fence = next->epoch;
}
