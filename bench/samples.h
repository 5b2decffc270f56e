/* samples - times that were measured, every one of them kept.
 *
 * Does:   microseconds in 32 bits, exact percentiles.
 * Not:    histograms: a million of them is 4 MB.
 * Holds:  -
 * Limits: 71 minutes each.
 * See:    steady.c.
 */
#pragma once

#include <stdlib.h>

#include "base/base.h"

struct samples {
    uint32_t *us; /* owned */
    size_t count; /* in use */
    size_t cap;   /* allocated */
};

static inline void samples_add(struct samples *samples, uint64_t ns)
{
    if (samples->count == samples->cap) {
        samples->cap = samples->cap > 0 ? samples->cap * 2 : 4096;
        samples->us = mem_realloc(samples->us, samples->cap * sizeof samples->us[0]);
    }
    samples->us[samples->count++] = (uint32_t)(ns / 1000);
}

static inline int samples__ascending(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static inline void samples_sort(struct samples *samples)
{
    if (samples->count > 0)
        qsort(samples->us, samples->count, sizeof samples->us[0], samples__ascending);
}

/* After samples_sort: the one that `per_mille` of 1000 lie below; 1000: the greatest; of none 0. */
static inline uint64_t samples_at(const struct samples *samples, uint64_t per_mille)
{
    if (samples->count == 0)
        return 0;
    size_t at = samples->count * per_mille / 1000;
    return samples->us[at < samples->count ? at : samples->count - 1];
}
