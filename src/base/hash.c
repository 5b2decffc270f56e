/* hash - the one door to xxHash.
 *
 * Does:   see hash.h. Header-only, so that the core imports no symbol for it.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    hash.h.
 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(struct slice bytes)
{
    return XXH3_64bits(bytes.ptr, bytes.len);
}

uint64_t hash_seeded(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);
}
