/* utf8 - well-formed UTF-8, one character at a time.
 *
 * Does:   the length of the character at a place, or 0; the bytes of a scalar value.
 * Not:    ASCII fast paths: callers skip ASCII themselves.
 * Holds:  U1 overlong forms, surrogates and values above U+10FFFF have length 0.
 * Limits: -
 * See:    RFC 3629; The Unicode Standard, table 3-7.
 */
#pragma once

#include "base/base.h"

static inline bool utf8_is_tail(uint8_t byte)
{
    return (byte & 0xC0U) == 0x80;
}

/* Bytes of the character at `at`, of which left (at least 1) may be read; 0: not well-formed. */
static inline size_t utf8_length(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return left >= 2 && utf8_is_tail(at[1]) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        uint8_t least = first == 0xE0 ? 0xA0 : 0x80;
        uint8_t most = first == 0xED ? 0x9F : 0xBF;
        return left >= 3 && at[1] >= least && at[1] <= most && utf8_is_tail(at[2]) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        uint8_t least = first == 0xF0 ? 0x90 : 0x80;
        uint8_t most = first == 0xF4 ? 0x8F : 0xBF;
        bool good = left >= 4 && at[1] >= least && at[1] <= most && utf8_is_tail(at[2]);
        return good && utf8_is_tail(at[3]) ? 4 : 0;
    }
    return 0;
}

/* Writes the scalar value, returns how many bytes. */
static inline size_t utf8_put(uint32_t code, uint8_t bytes[4])
{
    ASSERT(code <= 0x10FFFF);
    if (code < 0x80) {
        bytes[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | code >> 6);
        bytes[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | code >> 12);
        bytes[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        bytes[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    bytes[0] = (uint8_t)(0xF0 | code >> 18);
    bytes[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    bytes[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    bytes[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}
