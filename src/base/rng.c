/* rng - random numbers that a seed repeats.
 *
 * Does:   see rng.h.
 * Not:    -
 * Holds:  G1.
 * Limits: -
 * See:    rng.h.
 */
#include "base/rng.h"

#include "base/assert.h"

static uint64_t rotl(uint64_t value, unsigned count)
{
    return (value << count) | (value >> (64 - count));
}

static uint64_t splitmix(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15ULL;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix(&seed);
    if ((rng->state[0] | rng->state[1] | rng->state[2] | rng->state[3]) == 0)
        rng->state[0] = 1;
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    ASSERT(bound > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound; /* above it the remainder is biased */
    uint64_t value = rng_u64(rng);
    while (value >= limit)
        value = rng_u64(rng);
    return value % bound;
}

uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high)
{
    ASSERT(low <= high);
    if (low == 0 && high == UINT64_MAX)
        return rng_u64(rng);
    return low + rng_below(rng, high - low + 1);
}

bool rng_chance(struct rng *rng, uint64_t num, uint64_t den)
{
    return rng_below(rng, den) < num;
}
