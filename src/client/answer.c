/* answer - takes the answers of a node out of the bytes that come.
 *
 * Does:   see answer.h.
 * Not:    -
 * Holds:  A1, A2.
 * Limits: -
 * See:    answer.h.
 */
#define _GNU_SOURCE
#include "client/answer.h"

/* What the headers say of where the body ends. */
struct framing {
    uint64_t length;  /* Content-Length */
    bool has_length;  /* there is one */
    bool has_context; /* there was a Causal-Context */
};

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* lower is in lower case. */
static bool is_name(struct slice name, const char *lower)
{
    size_t len = strlen(lower);
    if (name.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = name.ptr[i];
        if (byte >= 'A' && byte <= 'Z')
            byte |= 0x20;
        if (byte != (uint8_t)lower[i])
            return false;
    }
    return true;
}

/* Digits only, below 10^18. */
static bool to_number(struct slice text, uint64_t *number)
{
    if (text.len == 0 || text.len > 18)
        return false;
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *number = *number * 10 + (text.ptr[i] - '0');
    }
    return true;
}

static bool parse_status(struct slice line, struct answer_head *out)
{
    uint64_t status;
    if (line.len < 12 ||
        (memcmp(line.ptr, "HTTP/1.1 ", 9) != 0 && memcmp(line.ptr, "HTTP/1.0 ", 9) != 0))
        return false;
    if (!to_number(slice_of(line.ptr + 9, 3), &status) || (line.len > 12 && line.ptr[12] != ' '))
        return false;
    out->status = (int)status;
    out->close = line.ptr[7] == '0';
    return status >= 100 && status <= 599;
}

static const char *take_length(struct framing *framing, struct slice value)
{
    uint64_t length;
    if (!to_number(value, &length) || (framing->has_length && length != framing->length))
        return "the answer has a Content-Length that is no number";
    framing->has_length = true;
    framing->length = length;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *take_header(struct answer_head *out, struct framing *framing, struct slice name,
                               struct slice value)
{
    if (is_name(name, "content-length"))
        return take_length(framing, value);
    if (is_name(name, "transfer-encoding"))
        return "the answer is chunked, which no node does";
    if (is_name(name, "connection")) {
        out->close = is_name(value, "close") || (out->close && !is_name(value, "keep-alive"));
    } else if (is_name(name, "content-type")) {
        out->type = value;
    } else if (is_name(name, "causal-context")) {
        out->context = framing->has_context ? SLICE_EMPTY : value;
        framing->has_context = true;
    } else if (is_name(name, "retry-after")) {
        uint64_t seconds;
        if (to_number(value, &seconds))
            out->retry_after_s = seconds;
    }
    return NULL;
}

static const char *parse_head(struct slice head, struct answer_head *out, struct framing *framing)
{
    bool first = true;
    while (head.len > 0) {
        const uint8_t *end = memmem(head.ptr, head.len, "\r\n", 2);
        struct slice line = slice_of(head.ptr, end != NULL ? (size_t)(end - head.ptr) : head.len);
        head = end != NULL ? slice_of(end + 2, head.len - line.len - 2) : SLICE_EMPTY;
        if (first) {
            if (!parse_status(line, out))
                return "what came is no HTTP/1.1 answer";
            first = false;
            continue;
        }
        const uint8_t *colon = memchr(line.ptr, ':', line.len);
        if (colon == NULL || colon == line.ptr)
            return "the answer has a header without a colon";
        struct slice name = slice_of(line.ptr, (size_t)(colon - line.ptr));
        struct slice value = slice_of(colon + 1, line.len - name.len - 1);
        const char *wrong = take_header(out, framing, name, trim(value));
        if (wrong != NULL)
            return wrong;
    }
    return first ? "what came is no HTTP/1.1 answer" : NULL;
}

/* Before the end of the head is there: what cannot become an answer is told at once. */
static enum answer_result unfinished(struct slice bytes, const char **why)
{
    static const char start[] = "HTTP/1.";
    size_t len = bytes.len < sizeof(start) - 1 ? bytes.len : sizeof(start) - 1;
    if (memcmp(bytes.ptr, start, len) != 0) {
        *why = "what came is no HTTP/1.1 answer";
        return ANSWER_BAD;
    }
    if (bytes.len > ANSWER_HEAD_BYTES_MAX) {
        *why = "the head of the answer does not end";
        return ANSWER_BAD;
    }
    return ANSWER_MORE;
}

enum answer_result client__answer_parse(struct slice bytes, bool head_only, size_t body_bytes_max,
                                        size_t *seen, struct answer_head *out, const char **why)
{
    if (bytes.len == 0)
        return ANSWER_MORE;
    size_t from = *seen > 3 ? *seen - 3 : 0;
    const uint8_t *end = memmem(bytes.ptr + from, bytes.len - from, "\r\n\r\n", 4);
    if (end == NULL) {
        *seen = bytes.len;
        return unfinished(bytes, why);
    }
    size_t head_len = (size_t)(end - bytes.ptr);
    *seen = head_len;
    *out = (struct answer_head){.retry_after_s = UINT64_MAX};
    struct framing framing = {0};
    *why = parse_head(slice_of(bytes.ptr, head_len), out, &framing);
    if (*why != NULL)
        return ANSWER_BAD;
    bool bodiless = head_only || out->status < 200 || out->status == 204 || out->status == 304;
    if (!bodiless && !framing.has_length)
        *why = "the answer does not say how long it is";
    else if (!bodiless && framing.length > body_bytes_max)
        *why = "the answer is longer than this client takes";
    if (*why != NULL)
        return ANSWER_BAD;
    size_t length = bodiless ? 0 : (size_t)framing.length;
    if (bytes.len - head_len - 4 < length)
        return ANSWER_MORE;
    out->body = slice_of(bytes.ptr + head_len + 4, length);
    out->bytes = head_len + 4 + length;
    return ANSWER_DONE;
}
