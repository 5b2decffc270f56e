/* metrics - the figures of a node.
 *
 * Does:   a struct with one 64-bit field for each row of metrics.def; the marks beside them.
 * Not:    exposition: the server renders it.
 * Holds:  -
 * Limits: -
 * See:    metrics.def.
 */
#pragma once

#include "base/mark.h"

#include <stdint.h>

struct metrics {
#define METRIC(name, kind, help) uint64_t name;
#include "base/metrics.def"
#undef METRIC
    struct marks marks; /* for long runs, not for operators */
};

/* This path was taken. metrics: may be NULL, where nobody counts. */
#define REACHED(metrics, name) metrics_reached(metrics, MARK_##name)

static inline void metrics_reached(struct metrics *metrics, enum mark mark)
{
    if (metrics != NULL)
        metrics->marks.hits[mark]++;
}
