/* address - "host:port", read strictly and written in one way.
 *
 * Does:   address_parse; see config.h. Members are told apart by the text of their address, so
 *         two texts of one address must become one.
 * Not:    looking names up.
 * Holds:  what comes out goes in again and comes out equal.
 * Limits: LIMIT_ADDRESS_BYTES.
 * See:    RFC 4291 section 2.2 and RFC 5952 section 4 (v6); RFC 1123 section 2.1 (names; the
 *         underscore is ours, container networks use it).
 */
#include "placement/config.h"

#define NAME_BYTES_MAX 253U
#define LABEL_BYTES_MAX 63U
#define GROUPS 8U

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]))
            return false;
    return text.len > 0;
}

static struct slice from(struct slice text, size_t at)
{
    return slice_of(text.ptr + at, text.len - at);
}

/* Digits only, at most `digits` of them, 0 to max. */
static bool decimal_parse(struct slice text, size_t digits, uint32_t max, uint32_t *value)
{
    uint32_t sum = 0;
    if (text.len > digits || !is_number(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        sum = sum * 10 + (text.ptr[i] - '0');
    *value = sum;
    return sum <= max;
}

static size_t until(struct slice text, uint8_t stop)
{
    const uint8_t *at = text.len > 0 ? memchr(text.ptr, stop, text.len) : NULL;
    return at != NULL ? (size_t)(at - text.ptr) : text.len;
}

/* Four octets without leading zeroes. */
static bool v4_parse(struct slice text, uint8_t octets[4])
{
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = 0;
        size_t end = i < 3 ? until(text, '.') : text.len;
        if (!decimal_parse(slice_of(text.ptr, end), 3, 255, &value))
            return false;
        if (end > 1 && text.ptr[0] == '0')
            return false;
        octets[i] = (uint8_t)value;
        if (i < 3 && end == text.len)
            return false;
        text = from(text, i < 3 ? end + 1 : end);
    }
    return true;
}

static bool group_parse(struct slice text, uint16_t *group)
{
    uint32_t sum = 0;
    if (text.len == 0 || text.len > 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = lower(text.ptr[i]);
        if (!is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        sum = sum * 16 + (is_digit(c) ? c - '0' + 0U : c - 'a' + 10U);
    }
    *group = (uint16_t)sum;
    return true;
}

/* Groups with a ':' between them, the last two maybe as v4; empty text is none. Writes at most
 * GROUPS, returns how many, or GROUPS + 1 when text is something else. */
static size_t groups_parse(struct slice text, uint16_t groups[GROUPS])
{
    size_t count = 0;
    while (text.len > 0) {
        size_t end = until(text, ':');
        uint8_t octets[4];
        if (end == text.len && count + 2 <= GROUPS && v4_parse(text, octets)) {
            groups[count] = (uint16_t)(octets[0] << 8 | octets[1]);
            groups[count + 1] = (uint16_t)(octets[2] << 8 | octets[3]);
            return count + 2;
        }
        if (count == GROUPS || !group_parse(slice_of(text.ptr, end), &groups[count]))
            return GROUPS + 1;
        count++;
        if (end + 1 == text.len)
            return GROUPS + 1;
        text = from(text, end < text.len ? end + 1 : end);
    }
    return count;
}

/* Where "::" stands, or text.len. */
static size_t gap_find(struct slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ':')
            return i;
    return text.len;
}

static bool v6_parse(struct slice text, uint16_t groups[GROUPS])
{
    size_t gap = gap_find(text);
    if (gap == text.len)
        return groups_parse(text, groups) == GROUPS;
    uint16_t tail[GROUPS];
    size_t tail_count = groups_parse(from(text, gap + 2), tail);
    size_t head_count = groups_parse(slice_of(text.ptr, gap), groups);
    bool head_ends_as_v4 = memchr(text.ptr, '.', gap) != NULL;
    if (head_ends_as_v4 || head_count + tail_count >= GROUPS)
        return false;
    for (size_t i = head_count; i < GROUPS; i++)
        groups[i] = 0;
    memcpy(groups + (GROUPS - tail_count), tail, tail_count * sizeof(tail[0]));
    return true;
}

/* Text under construction; what could not fit was refused before. */
struct pen {
    char text[LIMIT_ADDRESS_BYTES + 1]; /* NUL-terminated by pen_end */
    size_t len;                         /* characters so far */
};

static void pen_put(struct pen *pen, uint8_t c)
{
    ASSERT(pen->len < LIMIT_ADDRESS_BYTES);
    pen->text[pen->len++] = (char)c;
}

/* value in base 10 or 16, without leading zeroes. */
static void pen_number(struct pen *pen, uint32_t value, uint32_t base)
{
    ASSERT(base == 10 || base == 16);
    uint8_t digits[10];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t) "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    while (count > 0)
        pen_put(pen, digits[--count]);
}

/* The first of the longest runs of two or more zero groups; false when there is none. */
static bool run_find(const uint16_t groups[GROUPS], size_t *start, size_t *len)
{
    *len = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t end = i;
        while (end < GROUPS && groups[end] == 0)
            end++;
        if (end - i > *len) {
            *start = i;
            *len = end - i;
        }
    }
    return *len > 1;
}

static void v6_write(struct pen *pen, const uint16_t groups[GROUPS])
{
    ASSERT(pen->len == 1); /* the bracket */
    size_t start = GROUPS;
    size_t len = 0;
    bool has_run = run_find(groups, &start, &len);
    for (size_t i = 0; i < GROUPS; i++) {
        if (has_run && i == start) {
            pen_put(pen, ':');
            pen_put(pen, ':');
            i += len - 1;
            continue;
        }
        bool after_run = has_run && i == start + len;
        if (i > 0 && !after_run)
            pen_put(pen, ':');
        pen_number(pen, groups[i], 16);
    }
}

static void v4_write(struct pen *pen, const uint8_t octets[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            pen_put(pen, '.');
        pen_number(pen, octets[i], 10);
    }
}

static bool label_is_sound(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_BYTES_MAX)
        return false;
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_word(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

/* Labels with dots between them, the last one not a number: what looks like v4 and is not is a
 * mistake, not a name. */
static bool name_is_sound(struct slice name)
{
    bool last_is_number = true;
    bool more = true;
    if (name.len > NAME_BYTES_MAX)
        return false;
    while (more) {
        size_t end = until(name, '.');
        struct slice label = slice_of(name.ptr, end);
        if (!label_is_sound(label))
            return false;
        last_is_number = is_number(label);
        more = end < name.len;
        name = from(name, more ? end + 1 : end);
    }
    return !last_is_number;
}

static bool host_write(struct pen *pen, struct slice host)
{
    uint8_t octets[4];
    if (v4_parse(host, octets)) {
        v4_write(pen, octets);
        return true;
    }
    if (!name_is_sound(host))
        return false;
    for (size_t i = 0; i < host.len; i++)
        pen_put(pen, lower(host.ptr[i]));
    return true;
}

static bool bracketed_write(struct pen *pen, struct slice host)
{
    uint16_t groups[GROUPS];
    ASSERT(host.len >= 1 && host.ptr[0] == '[');
    if (host.len < 4 || host.ptr[host.len - 1] != ']')
        return false;
    if (!v6_parse(slice_of(host.ptr + 1, host.len - 2), groups))
        return false;
    pen_put(pen, '[');
    v6_write(pen, groups);
    pen_put(pen, ']');
    return true;
}

bool address_parse(struct slice text, struct address *out)
{
    struct pen pen = {.len = 0};
    if (text.len == 0 || text.len > LIMIT_ADDRESS_BYTES)
        return false;
    size_t colon = text.len - 1;
    while (colon > 0 && text.ptr[colon] != ':')
        colon--;
    uint32_t port = 0;
    if (colon == 0 || !decimal_parse(from(text, colon + 1), 5, 65535, &port) || port == 0)
        return false;
    struct slice host = slice_of(text.ptr, colon);
    if (!(host.ptr[0] == '[' ? bracketed_write(&pen, host) : host_write(&pen, host)))
        return false;
    pen_put(&pen, ':');
    pen_number(&pen, port, 10);
    pen.text[pen.len] = '\0';
    memcpy(out->text, pen.text, pen.len + 1);
    return true;
}
