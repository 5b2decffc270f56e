/* lines - keys and values, one a line.
 *
 * Does:   see lines.h.
 * Not:    -
 * Holds:  L1, L2.
 * Limits: -
 * See:    lines.h.
 */
#define _GNU_SOURCE
#include "cli/lines.h"

#include "http/http.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 262144U

void lines_init(struct lines *lines, int fd, enum cli_format format)
{
    struct stat about;
    *lines = (struct lines){.fd = fd, .format = format};
    lines->waits = fstat(fd, &about) == 0 && !S_ISREG(about.st_mode);
}

void lines_fini(struct lines *lines)
{
    buf_fini(&lines->in);
    buf_fini(&lines->key);
}

/* Moves what is left to the front and reads a piece behind it. GOOD: go on. */
static enum lines_result fill(struct lines *lines)
{
    buf_consume(&lines->in, lines->at);
    lines->seen -= lines->at;
    lines->at = 0;
    struct pollfd fd = {.fd = lines->fd, .events = POLLIN};
    if (lines->waits && poll(&fd, 1, 0) == 0)
        return LINES_WAIT;
    ssize_t got = read(lines->fd, buf_reserve(&lines->in, PIECE_BYTES), PIECE_BYTES);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? LINES_WAIT : LINES_FAIL;
    lines->ended = got == 0;
    lines->in.len += (size_t)got;
    return LINES_GOOD;
}

/* The next line as text, without its end. BAD: it is too long. */
static enum lines_result next_text(struct lines *lines, struct slice *text)
{
    while (true) {
        size_t left = lines->in.len - lines->seen;
        const uint8_t *end = left > 0 ? memchr(lines->in.ptr + lines->seen, '\n', left) : NULL;
        lines->seen = end != NULL ? (size_t)(end - lines->in.ptr) : lines->in.len;
        size_t len = lines->seen - lines->at;
        bool last = end == NULL && lines->ended;
        if (last && len == 0 && !lines->dropping)
            return LINES_END;
        if (end != NULL || last) {
            *text = slice_of(lines->in.ptr + lines->at, len);
            lines->at = end != NULL ? lines->seen + 1 : lines->seen;
            lines->seen = lines->at;
            lines->number++;
            lines->bytes += len + (end != NULL);
            bool dropped = lines->dropping || len > LINES_BYTES_MAX;
            lines->dropping = false;
            return dropped ? LINES_BAD : LINES_GOOD;
        }
        if (len > LINES_BYTES_MAX) {
            lines->dropping = true;
            lines->bytes += len;
            lines->at = lines->seen;
        }
        enum lines_result filled = fill(lines);
        if (filled != LINES_GOOD)
            return filled;
    }
}

static enum lines_result bad(struct line *line, const char *why, size_t offset)
{
    line->why = why;
    line->offset = offset;
    return LINES_BAD;
}

static enum lines_result take_json(struct lines *lines, struct slice text, struct line *line)
{
    struct json_member members[] = {{SLICE_LIT("key"), {.type = JSON_NONE}},
                                    {SLICE_LIT("value"), {.type = JSON_NONE}}};
    struct json_value whole;
    struct json_error error;
    if (!json_scan_members(text, &whole, members, 2, &error))
        return bad(line, error.sentence, error.offset + 1);
    if (whole.type != JSON_OBJECT)
        return bad(line, "not a JSON object", 0);
    if (members[0].value.type != JSON_STRING)
        return bad(line, "no member \"key\" that is a string", 0);
    if (members[1].value.type == JSON_NONE)
        return bad(line, "no member \"value\"", 0);
    buf_reset(&lines->key);
    json_unescape(members[0].value.raw, &lines->key);
    line->key = buf_slice(&lines->key);
    line->value = members[1].value.raw;
    return LINES_GOOD;
}

static enum lines_result take_tsv(struct slice text, struct line *line)
{
    struct json_value whole;
    struct json_error error;
    const uint8_t *tab = memchr(text.ptr, '\t', text.len);
    if (tab == NULL)
        return bad(line, "no tab between key and value", 0);
    line->key = slice_of(text.ptr, (size_t)(tab - text.ptr));
    struct slice value = slice_of(tab + 1, text.len - line->key.len - 1);
    if (!json_scan(value, &whole, &error))
        return bad(line, error.sentence, line->key.len + 1 + error.offset + 1);
    line->value = whole.raw;
    return LINES_GOOD;
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\r')
            return false;
    return true;
}

enum lines_result lines_next(struct lines *lines, struct line *line)
{
    struct slice text = SLICE_EMPTY;
    enum lines_result result;
    *line = (struct line){0};
    do {
        result = next_text(lines, &text);
    } while (result == LINES_GOOD && is_blank(text));
    line->number = lines->number;
    line->text = text;
    if (result == LINES_BAD)
        return bad(line, "longer than any value may be", 0);
    if (result != LINES_GOOD)
        return result;
    result = lines->format == CLI_TSV ? take_tsv(text, line) : take_json(lines, text, line);
    if (result == LINES_GOOD && line->key.len == 0)
        return bad(line, "the key is empty", 0);
    if (result == LINES_GOOD && line->key.len > LIMIT_KEY_BYTES)
        return bad(line, "the key is longer than any key may be", 0);
    return result;
}
