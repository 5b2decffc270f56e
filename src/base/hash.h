/* hash - the one door to xxHash.
 *
 * Does:   64-bit XXH3 of bytes, with and without seed.
 * Not:    cryptography: tokens have a keyed MAC of their own (causal/siphash.h).
 * Holds:  -
 * Limits: -
 * See:    docs/dependencies.md.
 */
#pragma once

#include "base/slice.h"

uint64_t hash_bytes(struct slice bytes);
uint64_t hash_seeded(struct slice bytes, uint64_t seed);
