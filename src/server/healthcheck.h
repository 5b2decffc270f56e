/* healthcheck - asks the node at the own port how it is.
 *
 * Does:   GET /healthz, one connection, at most two seconds.
 * Not:    whether it serves: that is /readyz.
 * Holds:  -
 * Limits: -
 * See:    Dockerfile.
 */
#pragma once

#include "server/options.h"

/* True when it answers 200. */
bool healthcheck(const struct options *options);
