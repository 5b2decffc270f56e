/* field - small things that header values are made of.
 *
 * Does:   blanks, lists, names without regard to case.
 * Not:    what a header means: head.c.
 * Holds:  -
 * Limits: -
 * See:    RFC 9110 section 5.6.
 */
#pragma once

#include "base/base.h"

/* Without blanks at both ends. */
static inline struct slice field_trim(struct slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* A byte that a token, such as a header's name, may hold: VCHAR without delimiters. */
static inline bool field_is_tchar(uint8_t byte)
{
    static const uint64_t good[4] = {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    return (good[byte / 64] >> (byte % 64) & 1) != 0;
}

/* At least one byte, and all of them such. */
static inline bool field_is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!field_is_tchar(text.ptr[i]))
            return false;
    }
    return text.len > 0;
}

/* lower holds letters in lower case, digits and - / only. */
static inline bool field_is(struct slice text, struct slice lower)
{
    if (text.len != lower.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte >= 'A' && byte <= 'Z')
            byte |= 0x20;
        if (byte != lower.ptr[i])
            return false;
    }
    return true;
}

/* Takes what stands before the first `mark` out of *rest, trimmed; false when nothing is left.
 * Marks inside quotes do not count. */
static inline bool field_next(struct slice *rest, uint8_t mark, struct slice *item)
{
    if (rest->ptr == NULL)
        return false;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len && (quoted || rest->ptr[i] != mark); i++) {
        if (rest->ptr[i] == '"')
            quoted = !quoted;
        else if (rest->ptr[i] == '\\' && quoted && i + 1 < rest->len)
            i++;
    }
    *item = field_trim(slice_of(rest->ptr, i));
    *rest = i < rest->len ? slice_of(rest->ptr + i + 1, rest->len - i - 1) : SLICE_EMPTY;
    return true;
}

/* Splits name=value; quotes around the value go. Without = the value is empty. */
static inline void field_pair(struct slice item, struct slice *name, struct slice *value)
{
    const uint8_t *sign = item.len > 0 ? memchr(item.ptr, '=', item.len) : NULL;
    size_t at = sign != NULL ? (size_t)(sign - item.ptr) : item.len;
    *name = field_trim(slice_of(item.ptr, at));
    *value = SLICE_EMPTY;
    if (sign == NULL)
        return;
    *value = field_trim(slice_of(sign + 1, item.len - at - 1));
    if (value->len >= 2 && value->ptr[0] == '"' && value->ptr[value->len - 1] == '"')
        *value = slice_of(value->ptr + 1, value->len - 2);
}
