/* suspect - who has not been heard of for too long.
 *
 * Does:   see suspect.h.
 * Not:    -
 * Holds:  U1, U2.
 * Limits: -
 * See:    suspect.h.
 *
 * The mean moves an eighth of the way to each new gap. It is there for peers whose signs of life
 * come in bursts (a busy machine, a slow line): eight of their usual gaps are not yet silence.
 */
#include "cluster/suspect.h"

/* One gap counts for so much at most, so that a cut of a minute does not blunt the detector for
 * the minutes after it: the mean at most doubles, or grows by an eighth of a second. */
#define GAP_MS_FLOOR 1000U
#define GAP_MEANS_MAX 9U

/* The mean is kept in parts of a millisecond. */
#define MEAN_UNITS 8U

void suspect_init(struct suspect *suspect)
{
    *suspect = (struct suspect){0};
}

/* 0 stands for never. */
static uint64_t stamp(uint64_t mono_ms)
{
    return mono_ms > 0 ? mono_ms : 1;
}

void suspect_heard(struct suspect *suspect, uint64_t mono_ms)
{
    uint64_t now_ms = stamp(mono_ms);
    /* What lay between a reset and the next connection is no gap of its own rhythm. */
    if (suspect->heard_ms > 0 && !suspect->reset && now_ms > suspect->heard_ms) {
        uint64_t gap = now_ms - suspect->heard_ms;
        uint64_t mean_ms = suspect->mean_ms / MEAN_UNITS;
        uint64_t most =
            mean_ms * GAP_MEANS_MAX > GAP_MS_FLOOR ? mean_ms * GAP_MEANS_MAX : GAP_MS_FLOOR;
        gap = gap < most ? gap : most;
        suspect->mean_ms = suspect->mean_ms - suspect->mean_ms / MEAN_UNITS + gap;
    }
    suspect->reset = false;
    if (now_ms > suspect->heard_ms)
        suspect->heard_ms = now_ms;
    ASSERT(suspect->heard_ms > 0);
}

void suspect_reset(struct suspect *suspect)
{
    suspect->reset = true;
}

static uint64_t bound_ms(const struct suspect *suspect, uint64_t suspect_ms)
{
    ASSERT(suspect_ms <= UINT64_MAX / 4);
    uint64_t eight_gaps = suspect->mean_ms; /* in eighths: eight times the mean, as it stands */
    uint64_t bound = eight_gaps > suspect_ms ? eight_gaps : suspect_ms;
    return bound < 4 * suspect_ms ? bound : 4 * suspect_ms;
}

bool suspect_is(const struct suspect *suspect, uint64_t mono_ms, uint64_t suspect_ms)
{
    if (suspect->heard_ms == 0 || suspect->reset)
        return true;
    if (mono_ms <= suspect->heard_ms)
        return false;
    return mono_ms - suspect->heard_ms > bound_ms(suspect, suspect_ms);
}

uint64_t suspect_deadline_ms(const struct suspect *suspect, uint64_t suspect_ms)
{
    if (suspect->heard_ms == 0 || suspect->reset)
        return UINT64_MAX;
    uint64_t bound = bound_ms(suspect, suspect_ms);
    ASSERT(suspect->heard_ms < UINT64_MAX - bound);
    return suspect->heard_ms + bound + 1;
}
