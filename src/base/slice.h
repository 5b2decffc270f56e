/* slice - bytes that belong to somebody else.
 *
 * Does:   a pointer and a length; comparison.
 * Not:    ownership. A slice is borrowed for the length of a call and never stored; whoever
 *         needs the bytes for longer copies them.
 * Holds:  S1 ptr is not NULL unless len is 0.
 * Limits: -
 * See:    buf.h for bytes that are owned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *ptr; /* the first byte; borrowed */
    size_t len;         /* bytes */
};

#define SLICE_EMPTY ((struct slice){NULL, 0})

/* The bytes of a string literal, without its NUL. */
#define SLICE_LIT(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){(const uint8_t *)ptr, len};
}

static inline struct slice slice_str(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
