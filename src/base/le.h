/* le - little-endian integers at any address.
 *
 * Does:   loads and stores of fixed width, one instruction each on the machines we know.
 * Not:    bounds: the caller has checked them; buf.h and read.h are for where that is a burden.
 * Holds:  -
 * Limits: -
 * See:    src/wire for the layouts.
 */
#pragma once

#include "base/slice.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LE_SWAP16(value) (value)
#define LE_SWAP32(value) (value)
#define LE_SWAP64(value) (value)
#else
#define LE_SWAP16(value) __builtin_bswap16(value)
#define LE_SWAP32(value) __builtin_bswap32(value)
#define LE_SWAP64(value) __builtin_bswap64(value)
#endif

static inline uint16_t le_load_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return LE_SWAP16(value);
}

static inline uint32_t le_load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return LE_SWAP32(value);
}

static inline uint64_t le_load_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return LE_SWAP64(value);
}

/* The stores return where the next one goes. */
static inline uint8_t *le_store_u8(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static inline uint8_t *le_store_u16(uint8_t *at, uint16_t value)
{
    value = LE_SWAP16(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint8_t *le_store_u32(uint8_t *at, uint32_t value)
{
    value = LE_SWAP32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint8_t *le_store_u64(uint8_t *at, uint64_t value)
{
    value = LE_SWAP64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint8_t *le_store_slice(uint8_t *at, struct slice bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    return at + bytes.len;
}
