/* json - strict JSON: the scanner.
 *
 * Does:   see json.h.
 * Not:    the writer: json_put.c.
 * Holds:  J1, J2, J3.
 * Limits: JSON_DEPTH_MAX.
 * See:    json.h; RFC 8259 for the grammar, Unicode 15 table 3-7 for well-formed UTF-8.
 */
#include "http/json.h"

#include "http/utf8.h"

struct scan {
    const uint8_t *at;    /* the next byte */
    const uint8_t *end;   /* one past the last */
    const uint8_t *start; /* of the text */
    const char *why;      /* what is wrong, or NULL */
};

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* True when one of the eight bytes ends the plain part of a string: quote, backslash, control
 * character, not ASCII. (Each term may also mark bytes above one that is truly so: harmless.) */
static inline bool is_special8(uint64_t word)
{
    uint64_t quote = word ^ (ONES * '"');
    uint64_t slash = word ^ (ONES * '\\');
    uint64_t found = ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash);
    found |= ((word - ONES * 0x20) & ~word) | word;
    return (found & HIGHS) != 0;
}

static bool fail(struct scan *scan, const char *why)
{
    if (scan->why == NULL)
        scan->why = why;
    return false;
}

static inline void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

static inline bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static int hex_value(uint8_t byte)
{
    if (is_digit(byte))
        return byte - '0';
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits at `at`, or a negative number; end - at is at least 4. */
static int32_t hex4(const uint8_t *at)
{
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* At the `u` of \u: one scalar value, as one escape or as a pair of them. */
static bool scan_unicode(struct scan *scan)
{
    int32_t code = scan->end - scan->at < 5 ? -1 : hex4(scan->at + 1);
    if (code < 0)
        return fail(scan, "\\u needs four hexadecimal digits");
    scan->at += 5;
    if (code < 0xD800 || code > 0xDFFF)
        return true;
    bool paired =
        code < 0xDC00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' && scan->at[1] == 'u';
    int32_t low = paired ? hex4(scan->at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(scan, "a \\u escape names half of a surrogate pair");
    scan->at += 6;
    return true;
}

/* At the byte after a backslash. */
static bool scan_escape(struct scan *scan)
{
    if (scan->at >= scan->end)
        return fail(scan, "the text ends inside a string");
    switch (*scan->at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        scan->at++;
        return true;
    case 'u':
        return scan_unicode(scan);
    default:
        return fail(scan, "a backslash is followed by a character that it cannot escape");
    }
}

/* At a byte that is none of the plain ones: true when the string goes on behind it. */
static bool scan_special(struct scan *scan)
{
    uint8_t byte = *scan->at;
    if (byte == '\\') {
        scan->at++;
        return scan_escape(scan);
    }
    if (byte < 0x20)
        return fail(scan, "a control character stands unescaped in a string");
    size_t length = utf8_length(scan->at, (size_t)(scan->end - scan->at));
    if (length == 0)
        return fail(scan, "a string is not valid UTF-8");
    scan->at += length;
    return true;
}

/* At the opening quote; past the closing one. *raw gets the string with its quotes. */
static bool scan_string(struct scan *scan, struct slice *raw)
{
    const uint8_t *from = scan->at++;
    while (true) {
        uint64_t word;
        while (scan->end - scan->at >= 8) {
            memcpy(&word, scan->at, sizeof(word));
            if (is_special8(word))
                break;
            scan->at += 8;
        }
        while (scan->at < scan->end && *scan->at >= 0x20 && *scan->at < 0x80 && *scan->at != '"' &&
               *scan->at != '\\')
            scan->at++;
        if (scan->at >= scan->end)
            return fail(scan, "the text ends inside a string");
        if (*scan->at == '"')
            break;
        if (!scan_special(scan))
            return false;
    }
    scan->at++;
    *raw = slice_of(from, (size_t)(scan->at - from));
    return true;
}

/* At least one digit, all that there are. */
static bool scan_digits(struct scan *scan)
{
    const uint8_t *from = scan->at;
    while (scan->at < scan->end && is_digit(*scan->at))
        scan->at++;
    return scan->at > from || fail(scan, "a digit is missing in a number");
}

/* At a minus or a digit. */
static bool scan_number(struct scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    if (scan->at < scan->end && *scan->at == '0')
        scan->at++;
    else if (!scan_digits(scan))
        return false;
    if (scan->at < scan->end && is_digit(*scan->at))
        return fail(scan, "a number starts with a zero");
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        return scan_digits(scan);
    }
    return true;
}

static bool scan_literal(struct scan *scan, struct slice literal)
{
    if ((size_t)(scan->end - scan->at) < literal.len ||
        memcmp(scan->at, literal.ptr, literal.len) != 0)
        return fail(scan, "a value is expected");
    scan->at += literal.len;
    return true;
}

/* A value that is neither object nor array. */
static bool scan_scalar(struct scan *scan, struct json_value *value)
{
    const uint8_t *from = scan->at;
    bool good = false;
    switch (*from) {
    case '"':
        value->type = JSON_STRING;
        good = scan_string(scan, &value->raw);
        break;
    case 'n':
        value->type = JSON_NULL;
        good = scan_literal(scan, SLICE_LIT("null"));
        break;
    case 'f':
        value->type = JSON_FALSE;
        good = scan_literal(scan, SLICE_LIT("false"));
        break;
    case 't':
        value->type = JSON_TRUE;
        good = scan_literal(scan, SLICE_LIT("true"));
        break;
    default:
        value->type = JSON_NUMBER;
        good =
            *from == '-' || is_digit(*from) ? scan_number(scan) : fail(scan, "a value is expected");
        break;
    }
    value->raw = slice_of(from, (size_t)(scan->at - from));
    return good;
}

/* A name of an object and its colon, blanks around them too. */
static bool scan_name(struct scan *scan, struct slice *name)
{
    skip_blanks(scan);
    if (scan->at >= scan->end || *scan->at != '"')
        return fail(scan, "a name in quotes is expected");
    if (!scan_string(scan, name))
        return false;
    skip_blanks(scan);
    if (scan->at >= scan->end || *scan->at != ':')
        return fail(scan, "a colon is expected");
    scan->at++;
    return true;
}

/* The open objects and arrays, the innermost last: one bit each, set for an object. */
struct nesting {
    uint64_t bits[JSON_DEPTH_MAX / 64]; /* bit i: what was opened i-th */
    uint32_t depth;                     /* how many are open */
    uint32_t depth_max;                 /* how many may be */
};

static bool nesting_is_object(const struct nesting *nesting)
{
    uint32_t top = nesting->depth - 1;
    return (nesting->bits[top / 64] >> (top % 64) & 1) != 0;
}

/* At the opening bracket. Afterwards a value must follow; or *closed, when it is empty. */
static bool scan_open(struct scan *scan, struct nesting *nesting, bool *closed)
{
    bool object = *scan->at++ == '{';
    if (nesting->depth >= nesting->depth_max)
        return fail(scan, "objects and arrays are nested too deep");
    uint32_t top = nesting->depth++;
    uint64_t bit = UINT64_C(1) << (top % 64);
    nesting->bits[top / 64] =
        object ? nesting->bits[top / 64] | bit : nesting->bits[top / 64] & ~bit;
    skip_blanks(scan);
    *closed = scan->at < scan->end && *scan->at == (object ? '}' : ']');
    if (*closed) {
        scan->at++;
        nesting->depth--;
        return true;
    }
    struct slice name;
    return !object || scan_name(scan, &name);
}

/* After a value: closes what is closed there. True with depth 0 when all is closed, with depth
 * above 0 when a value must follow. */
static bool scan_close(struct scan *scan, struct nesting *nesting)
{
    while (nesting->depth > 0) {
        bool object = nesting_is_object(nesting);
        skip_blanks(scan);
        if (scan->at >= scan->end)
            return fail(scan, object ? "the text ends inside an object"
                                     : "the text ends inside an array");
        uint8_t byte = *scan->at++;
        struct slice name;
        if (byte == ',')
            return !object || scan_name(scan, &name);
        if (byte != (object ? '}' : ']')) {
            scan->at--;
            return fail(scan, object ? "a comma or } is expected" : "a comma or ] is expected");
        }
        nesting->depth--;
    }
    return true;
}

/* One value of any kind, `depth_max` deep at most; blanks before it are skipped. */
static bool scan_value(struct scan *scan, uint32_t depth_max, struct json_value *value)
{
    struct nesting nesting = {.depth = 0, .depth_max = depth_max};
    skip_blanks(scan);
    const uint8_t *from = scan->at;
    do {
        skip_blanks(scan);
        if (scan->at >= scan->end)
            return fail(scan, "a value is expected");
        if (*scan->at == '{' || *scan->at == '[') {
            bool closed = false;
            if (!scan_open(scan, &nesting, &closed))
                return false;
            if (!closed)
                continue;
        } else if (!scan_scalar(scan, value)) {
            return false;
        }
        if (!scan_close(scan, &nesting))
            return false;
    } while (nesting.depth > 0);
    if (*from == '{' || *from == '[')
        value->type = *from == '{' ? JSON_OBJECT : JSON_ARRAY;
    value->raw = slice_of(from, (size_t)(scan->at - from));
    return true;
}

/* One character of a checked string, at *at: its UTF-8 goes to bytes, its length is returned. */
static size_t unescape_one(const uint8_t **at, uint8_t bytes[4])
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const uint8_t *from = *at;
    if (*from != '\\') {
        bytes[0] = *from;
        *at = from + 1;
        return 1;
    }
    if (from[1] != 'u') {
        const char *name = memchr(names, from[1], sizeof(names) - 1);
        ASSERT(name != NULL);
        bytes[0] = (uint8_t)meant[name - names];
        *at = from + 2;
        return 1;
    }
    int32_t code = hex4(from + 2);
    ASSERT(code >= 0);
    *at = from + 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (hex4(from + 8) - 0xDC00);
        *at = from + 12;
    }
    return utf8_put((uint32_t)code, bytes);
}

/* The string `raw` (with its quotes) stands for the bytes of name. */
static bool string_equals(struct slice raw, struct slice name)
{
    struct slice inside;
    if (json_is_plain(raw, &inside))
        return slice_equal(inside, name);
    const uint8_t *at = raw.ptr + 1;
    const uint8_t *end = raw.ptr + raw.len - 1;
    size_t done = 0;
    while (at < end) {
        uint8_t bytes[4];
        size_t count = unescape_one(&at, bytes);
        if (count > name.len - done || memcmp(bytes, name.ptr + done, count) != 0)
            return false;
        done += count;
    }
    return done == name.len;
}

/* Notes the value under its name, when it is one of those looked for. */
static bool keep_member(struct scan *scan, struct slice name, const struct json_value *value,
                        struct json_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!string_equals(name, members[i].name))
            continue;
        if (members[i].value.type != JSON_NONE)
            return fail(scan, "a name stands twice in the object");
        members[i].value = *value;
    }
    return true;
}

/* The object at the top, at its opening bracket. */
static bool scan_members(struct scan *scan, struct json_member *members, size_t count)
{
    scan->at++;
    skip_blanks(scan);
    if (scan->at < scan->end && *scan->at == '}') {
        scan->at++;
        return true;
    }
    while (true) {
        struct slice name = SLICE_EMPTY;
        struct json_value value = {.type = JSON_NONE};
        if (!scan_name(scan, &name) || !scan_value(scan, JSON_DEPTH_MAX - 1, &value) ||
            !keep_member(scan, name, &value, members, count))
            return false;
        skip_blanks(scan);
        if (scan->at >= scan->end)
            return fail(scan, "the text ends inside an object");
        uint8_t byte = *scan->at++;
        if (byte == '}')
            return true;
        if (byte != ',') {
            scan->at--;
            return fail(scan, "a comma or } is expected");
        }
    }
}

bool json_scan_members(struct slice text, struct json_value *value, struct json_member *members,
                       size_t count, struct json_error *error)
{
    static const uint8_t nothing[1] = {0};
    const uint8_t *start = text.len > 0 ? text.ptr : nothing;
    struct scan scan = {.at = start, .end = start + text.len, .start = start, .why = NULL};
    for (size_t i = 0; i < count; i++)
        members[i].value = (struct json_value){.type = JSON_NONE};
    *value = (struct json_value){.type = JSON_NONE};
    skip_blanks(&scan);
    const uint8_t *from = scan.at;
    bool good;
    if (scan.at < scan.end && *scan.at == '{') {
        good = scan_members(&scan, members, count);
        value->type = JSON_OBJECT;
        value->raw = slice_of(from, (size_t)(scan.at - from));
    } else {
        good = scan_value(&scan, JSON_DEPTH_MAX, value);
    }
    if (good) {
        skip_blanks(&scan);
        good = scan.at == scan.end || fail(&scan, "something follows the value");
    }
    if (!good)
        *error = (struct json_error){scan.why, (size_t)(scan.at - scan.start)};
    return good;
}

bool json_scan(struct slice text, struct json_value *value, struct json_error *error)
{
    return json_scan_members(text, value, NULL, 0, error);
}

bool json_is_empty_object(struct slice raw)
{
    ASSERT(raw.len >= 2);
    struct scan scan = {.at = raw.ptr + 1, .end = raw.ptr + raw.len, .start = raw.ptr};
    skip_blanks(&scan);
    return *raw.ptr == '{' && *scan.at == '}';
}

bool json_is_plain(struct slice raw, struct slice *inside)
{
    ASSERT(raw.len >= 2);
    ASSERT(raw.ptr[0] == '"');
    *inside = slice_of(raw.ptr + 1, raw.len - 2);
    return inside->len == 0 || memchr(inside->ptr, '\\', inside->len) == NULL;
}

void json_unescape(struct slice raw, struct buf *out)
{
    struct slice inside;
    if (json_is_plain(raw, &inside)) {
        buf_append_slice(out, inside);
        return;
    }
    /* An escape is never shorter than what it stands for. */
    uint8_t *to = buf_reserve(out, inside.len);
    const uint8_t *at = inside.ptr;
    while (at < inside.ptr + inside.len) {
        uint8_t bytes[4];
        size_t count = unescape_one(&at, bytes);
        memcpy(to, bytes, count);
        to += count;
    }
    out->len = (size_t)(to - out->ptr);
}

/* Past the string that begins at `at`. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        at += text.ptr[at] == '\\';
    return at + 1;
}

bool json_next(struct slice raw, size_t *at, struct json_value *element)
{
    size_t depth = 0;
    size_t from = *at == 0 ? 1 : *at;
    size_t end = from;
    while (end < raw.len) {
        uint8_t byte = raw.ptr[end];
        if (byte == '"') {
            end = skip_string(raw, end);
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == ']'))
            break;
        depth += byte == '[' || byte == '{';
        depth -= byte == ']' || byte == '}';
        end++;
    }
    if (end >= raw.len)
        return false;
    *at = raw.ptr[end] == ',' ? end + 1 : raw.len;
    struct json_error error; /* it fails where the array is empty */
    return json_scan(slice_of(raw.ptr + from, end - from), element, &error);
}
