/* log - lines for operators.
 *
 * Does:   one line an event: as text, `2026-11-23T12:00:00.000Z INFO  sentence key=value`, or
 *         as a JSON object; fills the arguments into the sentences of trace.def.
 * Not:    the log of writes: store/log.h.
 * Holds:  L1 a line is one write and has no line break inside. L2 at most LOG_LINES_A_SECOND; what
 *         is left out is counted in the next line that is written.
 * Limits: LOG_TEXT_BYTES of a foreign text; bytes that are not printable become '?'.
 * See:    base/trace.def.
 */
#pragma once

#include "base/base.h"

#define LOG_TEXT_BYTES 200U
#define LOG_LINES_A_SECOND 500U

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

struct logger {
    int fd;                    /* where lines go; not owned */
    enum log_format format;    /* of them */
    enum trace_level level;    /* the least that is written */
    uint64_t (*wall_ms)(void); /* the clock */
    struct buf line;           /* kept for its memory */
    uint64_t second;           /* of the last line */
    uint32_t lines;            /* written in that second */
    uint64_t left_out;         /* not written since the last line */
};

void logger_init(struct logger *logger, int fd, enum log_format format, enum trace_level level,
                 uint64_t (*wall_ms)(void));
void logger_fini(struct logger *logger);

/* For struct tracer: arg is the logger. */
void logger_emit(void *arg, const struct trace_event *event);

/* A line of the server's own: a sentence, and key=value where key is not NULL. */
void logger_say(struct logger *logger, enum trace_level level, const char *sentence,
                const char *key, struct slice value);

/* The sentence of event with its arguments filled in. */
void log_sentence(const struct trace_event *event, struct buf *out);
