/* suspect - who has not been heard of for too long.
 *
 * Does:   hints for routing, GET /view and the acknowledgement rule: time of the last sign of
 *         life against an adaptive bound.
 * Not:    changing the configuration: it never does.
 * Holds:  U1 a peer that was never heard is suspected. U2 a refused or reset connection is
 *         suspicion at once, until the next sign of life.
 * Limits: -
 * See:    docs/protocol.md 6.8; Hayashibara et al., "The phi accrual failure detector", 2004.
 */
#pragma once

#include "cluster/boot.h"

struct suspect {
    uint64_t heard_ms; /* last sign of life, mono; 0: never */
    uint64_t mean_ms;  /* moving mean of the gaps between signs of life, in 1/8 ms */
    bool reset;        /* its connection was refused or reset since */
};

void suspect_init(struct suspect *suspect);
void suspect_heard(struct suspect *suspect, uint64_t mono_ms);
void suspect_reset(struct suspect *suspect);

/* True when it is suspected: silent for longer than the greater of suspect_ms and eight mean gaps
 * (at most four times suspect_ms), or reset. */
bool suspect_is(const struct suspect *suspect, uint64_t mono_ms, uint64_t suspect_ms);

/* When it would become suspected if nothing is heard; UINT64_MAX when it already is for another
 * reason than silence. In the past: it is suspected by silence, nothing more will change. */
uint64_t suspect_deadline_ms(const struct suspect *suspect, uint64_t suspect_ms);
