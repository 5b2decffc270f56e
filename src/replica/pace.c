/* pace - how much bulk work a node does, in bytes a second.
 *
 * Does:   an allowance that grows with time: whoever fills others up, or drops versions, spends
 *         it; what is spent beyond it has to be waited for. While clients are served it grows more
 *         slowly.
 * Not:    the work, and how much of it is one step (walk_out.c, drop.c). Streams and tail walks:
 *         clients wait for those.
 * Holds:  U1 over any spell at most the rate, and PACE_SAVED_MS of it and one step more, but for
 *         steps that would have to be waited for longer than PACE_OWED_MS: a receiver takes a
 *         source that says nothing for one that is stuck. U2 after that time there is work again,
 *         however small the rate.
 * Limits: knob fill_rate_bytes.
 * See:    docs/protocol.md section 4.4.
 */
#include "replica/state.h"

/* What a node that was busy with something else may make up for: a few small steps in a row. */
#define PACE_SAVED_MS 2
#define PACE_OWED_MS 100

/* Who has served a client within so many milliseconds goes on at this part of the rate. */
#define PACE_BUSY_MS 20U
#define PACE_BUSY_PART 8

/* Thousandths of a byte a millisecond: small rates must not be rounded away. */
static int64_t rate_of(const struct replicas *set)
{
    int64_t rate = (int64_t)set->knobs->fill_rate_bytes;
    return replicas_step_back(set, set->pace.at_ms) ? rate / PACE_BUSY_PART : rate;
}

bool replicas_step_back(const struct replicas *set, uint64_t mono_ms)
{
    return mono_ms < set->pace.busy_ms;
}

void replicas_served(struct replicas *set, uint64_t mono_ms)
{
    set->pace.busy_ms = mono_ms + PACE_BUSY_MS;
}

/* What has to be waited for at the rate of now: it may have been spent at a greater one. */
static void forgive(struct replicas *set)
{
    int64_t least = -PACE_OWED_MS * rate_of(set);
    if (set->pace.left < least)
        set->pace.left = least;
}

void replica__pace_advance(struct replicas *set, uint64_t mono_ms)
{
    struct pace *pace = &set->pace;
    uint64_t most_ms = PACE_SAVED_MS + PACE_OWED_MS; /* after that nothing is owed */
    uint64_t elapsed_ms = mono_ms - pace->at_ms;
    pace->at_ms = mono_ms;
    int64_t most = PACE_SAVED_MS * rate_of(set);
    forgive(set);
    pace->left += (int64_t)(elapsed_ms < most_ms ? elapsed_ms : most_ms) * rate_of(set);
    if (pace->left > most)
        pace->left = most;
}

bool replica__pace_allows(const struct replicas *set)
{
    return set->pace.left > 0;
}

void replica__pace_spend(struct replicas *set, uint64_t bytes)
{
    ASSERT(bytes < LIMIT_FRAME_BYTES * 2);
    set->pace.left -= (int64_t)bytes * 1000;
    forgive(set);
}

uint64_t replica__pace_ms(const struct replicas *set)
{
    if (replica__pace_allows(set))
        return set->pace.at_ms;
    return set->pace.at_ms + 1 + (uint64_t)(-set->pace.left / rate_of(set));
}
