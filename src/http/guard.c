/* guard - looks at the head of a request before the parser does.
 *
 * Does:   see guard.h.
 * Not:    -
 * Holds:  G1, G2, G3.
 * Limits: -
 * See:    guard.h.
 */
#include "http/guard.h"

#include "http/field.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Skips bytes from `at` that are neither control characters nor DEL; may stop early by up to
 * seven bytes. */
static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    uint64_t word;
    while (end - at >= 8) {
        memcpy(&word, at, sizeof(word));
        uint64_t del = word ^ (ONES * 0x7f);
        uint64_t found = ((word - ONES * 0x20) & ~word) | ((del - ONES) & ~del);
        if ((found & HIGHS) != 0)
            break;
        at += 8;
    }
    return at;
}

static inline bool is_control(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static void check_version(struct slice version, struct http_refusal *refusal)
{
    if (version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0 || version.ptr[6] != '.')
        http_refuse_close(refusal, 400, "The request line does not end in an HTTP version");
    else if (version.ptr[5] != '1' || (version.ptr[7] != '0' && version.ptr[7] != '1'))
        http_refuse_close(refusal, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here");
}

/* One method, one target, one version, one blank between them; so that nobody in front of this
 * server can read another target out of the line. */
static void check_request_line(struct slice line, const struct http_limits *limits,
                               struct http_refusal *refusal)
{
    const uint8_t *first = memchr(line.ptr, ' ', line.len);
    if (first == NULL || first == line.ptr) {
        http_refuse_close(refusal, 400, "The request line is malformed");
        return;
    }
    const uint8_t *end = line.ptr + line.len;
    const uint8_t *target = first + 1;
    const uint8_t *second = memchr(target, ' ', (size_t)(end - target));
    if (second == NULL || second == target || memchr(line.ptr, '\t', line.len) != NULL) {
        http_refuse_close(refusal, 400, "The request line is malformed");
        return;
    }
    if ((size_t)(second - target) > limits->target_bytes_max) {
        http_refuse_close(refusal, 414, "The request target is too long");
        return;
    }
    check_version(slice_of(second + 1, (size_t)(end - second) - 1), refusal);
}

/* A token and a colon (RFC 9112 section 5.1). llhttp 8.1 takes blanks inside names, and no name. */
static bool has_name(struct slice line)
{
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    return colon != NULL && field_is_token(slice_of(line.ptr, (size_t)(colon - line.ptr)));
}

/* At a whole line, without its CRLF. */
static enum guard_result end_line(struct http_guard *guard, struct slice line,
                                  const struct http_limits *limits, struct http_refusal *refusal)
{
    if (guard->lines > 0 && line.len == 0)
        return GUARD_DONE;
    if (guard->lines == 0)
        check_request_line(line, limits, refusal);
    else if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        http_refuse_close(refusal, 400, "A header line is folded");
    else if (!has_name(line))
        http_refuse_close(refusal, 400, "The name of a header is malformed");
    if (guard->lines > limits->header_count_max)
        http_refuse_close(refusal, 431, "The request has too many header lines");
    guard->lines++;
    guard->line_start = guard->at;
    return refusal->status != 0 ? GUARD_REFUSED : GUARD_MORE;
}

/* How far may be looked, at the present line. */
static size_t window(const struct http_guard *guard, const struct http_limits *limits)
{
    size_t line_max = (size_t)limits->target_bytes_max + GUARD_LINE_EXTRA;
    return guard->lines == 0 && line_max < limits->head_bytes_max ? line_max
                                                                  : limits->head_bytes_max;
}

/* The window ends before the line does. */
static enum guard_result too_long(const struct http_guard *guard, struct http_refusal *refusal)
{
    if (guard->lines == 0)
        http_refuse_close(refusal, 414, "The request line is too long");
    else
        http_refuse_close(refusal, 431, "The request's headers are too large");
    return GUARD_REFUSED;
}

/* At a control character that ends no line. */
static enum guard_result check_control(struct http_guard *guard, const uint8_t *at,
                                       struct http_refusal *refusal)
{
    if (at[0] == '\r')
        http_refuse_close(refusal, 400, "A CR stands without its LF in the head of the request");
    else if (at[0] == '\n')
        http_refuse_close(refusal, 400, "A LF stands without its CR in the head of the request");
    else if (guard->lines == 0 && guard->line_start == guard->at)
        http_refuse_close(refusal, 400, "This is not HTTP");
    else
        http_refuse_close(refusal, 400, "A control character stands in the head of the request");
    return GUARD_REFUSED;
}

enum guard_result http_guard_scan(struct http_guard *guard, struct slice head,
                                  const struct http_limits *limits, struct http_refusal *refusal)
{
    ASSERT(guard->at <= head.len);
    while (true) {
        size_t most = window(guard, limits);
        size_t size = head.len < most ? head.len : most;
        enum guard_result out = head.len < most ? GUARD_MORE : GUARD_REFUSED;
        const uint8_t *end = head.ptr + size;
        const uint8_t *at = skip_plain(head.ptr + guard->at, end);
        while (at < end && !is_control(*at))
            at++;
        guard->at = (size_t)(at - head.ptr);
        bool cut = at >= end || (*at == '\r' && end - at < 2);
        if (cut)
            return out == GUARD_MORE ? GUARD_MORE : too_long(guard, refusal);
        if (at[0] != '\r' || at[1] != '\n')
            return check_control(guard, at, refusal);
        struct slice line = slice_of(head.ptr + guard->line_start, guard->at - guard->line_start);
        guard->at += 2;
        enum guard_result result = end_line(guard, line, limits, refusal);
        if (result != GUARD_MORE)
            return result;
    }
}
