/* siphash - SipHash-2-4, the keyed MAC of tokens.
 *
 * Does:   64 bits that nobody can make without the 128-bit key.
 * Not:    hashing of keys: hash.h is faster.
 * Holds:  -
 * Limits: -
 * See:    Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, section 2.
 */
#pragma once

#include "base/base.h"

struct siphash_key {
    uint8_t bytes[16]; /* secret; from the configuration */
};

uint64_t siphash(const struct siphash_key *key, struct slice bytes);
