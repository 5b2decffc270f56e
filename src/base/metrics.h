/* metrics - the figures of a node.
 *
 * Does:   a struct with one 64-bit field for each row of metrics.def.
 * Not:    exposition: the server renders it.
 * Holds:  -
 * Limits: -
 * See:    metrics.def.
 */
#pragma once

#include <stdint.h>

struct metrics {
#define METRIC(name, kind, help) uint64_t name;
#include "base/metrics.def"
#undef METRIC
};
