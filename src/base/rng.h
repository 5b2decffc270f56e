/* rng - random numbers that a seed repeats.
 *
 * Does:   xoshiro256** seeded through splitmix64: the same seed, the same numbers, everywhere.
 * Not:    secrets. Keys come from the entropy that START brings in.
 * Holds:  G1 the state is never all zeroes.
 * Limits: -
 * See:    Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state[4]; /* never all zeroes */
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_u64(struct rng *rng);

/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* Uniform in [low, high], both included; low <= high. */
uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high);

/* True in `num` of `den` cases. */
bool rng_chance(struct rng *rng, uint64_t num, uint64_t den);
