/* log - lines for operators.
 *
 * Does:   see log.h.
 * Not:    -
 * Holds:  L1, L2.
 * Limits: -
 * See:    log.h.
 */
#define _GNU_SOURCE
#include "server/log.h"

#include "http/http.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_words[] = {
    [TRACE_STORY] = "STORY", [TRACE_INFO] = "INFO", [TRACE_WARN] = "WARN", [TRACE_ERROR] = "ERROR"};

void logger_init(struct logger *logger, int fd, enum log_format format, enum trace_level level,
                 uint64_t (*wall_ms)(void))
{
    *logger = (struct logger){.fd = fd, .format = format, .level = level, .wall_ms = wall_ms};
}

void logger_fini(struct logger *logger)
{
    buf_fini(&logger->line);
}

/* Text from outside must not look like a line of ours. */
static void put_printable(struct buf *out, struct slice text)
{
    size_t len = text.len < LOG_TEXT_BYTES ? text.len : LOG_TEXT_BYTES;
    for (size_t i = 0; i < len; i++)
        buf_u8(out, text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f ? text.ptr[i] : '?');
    if (len < text.len)
        buf_append_slice(out, SLICE_LIT("..."));
}

static bool starts_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

void log_sentence(const struct trace_event *event, struct buf *out)
{
    for (const char *at = trace_sentence(event->id); *at != '\0'; at++) {
        if (starts_with(at, "{text}")) {
            put_printable(out, event->text);
            at += strlen("{text}") - 1;
        } else if (at[0] == '{' && at[1] >= 'a' && at[1] <= 'c' && at[2] == '}') {
            buf_decimal(out, at[1] == 'a' ? event->a : at[1] == 'b' ? event->b : event->c);
            at += 2;
        } else {
            buf_u8(out, (uint8_t)*at);
        }
    }
}

/* ---- One line ---- */

static void put_time(struct buf *out, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[64];
    if (gmtime_r(&seconds, &utc) == NULL)
        utc = (struct tm){.tm_mday = 1, .tm_year = 70};
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ",
                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                       utc.tm_sec, (unsigned)(wall_ms % 1000));
    buf_append(out, text, (size_t)len);
}

/* Begins a line in logger->line. False: this one is left out. */
static bool line_begin(struct logger *logger, enum trace_level level)
{
    uint64_t now_ms = logger->wall_ms();
    struct buf *line = &logger->line;
    if (now_ms / 1000 != logger->second) {
        logger->second = now_ms / 1000;
        logger->lines = 0;
    }
    if (++logger->lines > LOG_LINES_A_SECOND) {
        logger->left_out++;
        return false;
    }
    buf_reset(line);
    if (logger->format == LOG_FORMAT_JSON) {
        buf_append_slice(line, SLICE_LIT("{\"time\":\""));
        put_time(line, now_ms);
        buf_append_slice(line, SLICE_LIT("\","));
        json_put_text(line, SLICE_LIT("level"), slice_str(level_words[level]));
    } else {
        char word[8];
        put_time(line, now_ms);
        int len = snprintf(word, sizeof(word), " %-5s ", level_words[level]);
        buf_append(line, word, (size_t)len);
    }
    return true;
}

static void line_put(struct logger *logger, const char *key, struct slice value)
{
    struct buf *line = &logger->line;
    if (logger->format == LOG_FORMAT_JSON) {
        json_put_text(line, slice_str(key), value);
        return;
    }
    buf_u8(line, ' ');
    buf_append_slice(line, slice_str(key));
    buf_u8(line, '=');
    put_printable(line, value);
}

static void line_message(struct logger *logger, struct slice sentence)
{
    if (logger->format == LOG_FORMAT_JSON)
        json_put_text(&logger->line, SLICE_LIT("message"), sentence);
    else
        buf_append_slice(&logger->line, sentence);
}

static void line_end(struct logger *logger)
{
    struct buf *line = &logger->line;
    if (logger->left_out > 0) {
        char count[24];
        int len = snprintf(count, sizeof(count), "%llu", (unsigned long long)logger->left_out);
        logger->left_out = 0;
        line_put(logger, "lines-left-out", slice_of(count, (size_t)len));
    }
    if (logger->format == LOG_FORMAT_JSON)
        buf_u8(line, '}');
    buf_u8(line, '\n');
    /* Nobody can be told that telling failed. */
    ssize_t wrote = write(logger->fd, line->ptr, line->len);
    (void)wrote;
}

void logger_say(struct logger *logger, enum trace_level level, const char *sentence,
                const char *key, struct slice value)
{
    if (level < logger->level || !line_begin(logger, level))
        return;
    line_message(logger, slice_str(sentence));
    if (key != NULL)
        line_put(logger, key, value);
    line_end(logger);
}

void logger_emit(void *arg, const struct trace_event *event)
{
    struct logger *logger = arg;
    enum trace_level level = trace_level_of(event->id);
    if (level < logger->level || !line_begin(logger, level))
        return;
    struct buf sentence = BUF_EMPTY;
    log_sentence(event, &sentence);
    line_message(logger, buf_slice(&sentence));
    line_put(logger, "event", slice_str(trace_name(event->id)));
    buf_fini(&sentence);
    line_end(logger);
}
