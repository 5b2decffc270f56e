/* base64url - bytes as text that needs no escaping in JSON, headers and URLs.
 *
 * Does:   see base64url.h. Three bytes become four characters through a table; back, a table
 *         gives each character its six bits or NO, whose high bit survives an OR, so that one
 *         test at the end of a group (not one a character) finds strangers.
 * Not:    -
 * Holds:  U1.
 * Limits: -
 * See:    base64url.h.
 */
#include "causal/base64url.h"

static const uint8_t alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '_',
};

/* Not of the alphabet. */
#define NO 0x80U

static const uint8_t value_of[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 00 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 10 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, /* 20: '-' */
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO, /* 30: digits */
    NO, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, /* 40: A to O */
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, 63, /* 50: P to Z, '_' */
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* 60: a to o */
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO, /* 70: p to z */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 80 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 90 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* a0 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* b0 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* c0 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* d0 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* e0 */
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* f0 */
};

void causal__base64url_encode(struct slice bytes, uint8_t *to)
{
    const uint8_t *in = bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 3; left -= 3, in += 3, to += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        to[0] = alphabet[bits >> 18];
        to[1] = alphabet[bits >> 12 & 63];
        to[2] = alphabet[bits >> 6 & 63];
        to[3] = alphabet[bits & 63];
    }
    if (left == 0)
        return;
    uint32_t bits = (uint32_t)in[0] << 16 | (left == 2 ? (uint32_t)in[1] << 8 : 0);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    if (left == 2)
        to[2] = alphabet[bits >> 6 & 63];
}

/* The last two or three characters. False when they hold bits that no byte owns. */
static bool decode_rest(const uint8_t *in, size_t left, uint8_t *to)
{
    uint32_t a = value_of[in[0]];
    uint32_t b = value_of[in[1]];
    uint32_t c = left == 3 ? value_of[in[2]] : 0;
    if (((a | b | c) & NO) != 0)
        return false;
    uint32_t bits = a << 18 | b << 12 | c << 6;
    to[0] = (uint8_t)(bits >> 16);
    if (left == 2)
        return (bits & 0xffff) == 0;
    to[1] = (uint8_t)(bits >> 8);
    return (bits & 0xff) == 0;
}

bool causal__base64url_decode(struct slice text, uint8_t *to, size_t *len)
{
    const uint8_t *in = text.ptr;
    size_t left = text.len;
    *len = left / 4 * 3 + (left % 4 == 0 ? 0 : left % 4 - 1);
    if (left % 4 == 1)
        return false;
    for (; left >= 4; left -= 4, in += 4, to += 3) {
        uint32_t a = value_of[in[0]];
        uint32_t b = value_of[in[1]];
        uint32_t c = value_of[in[2]];
        uint32_t d = value_of[in[3]];
        if (((a | b | c | d) & NO) != 0)
            return false;
        uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    return left == 0 || decode_rest(in, left, to);
}
