/* story - a run as lines that a person can read.
 *
 * Does:   see story.h.
 * Not:    -
 * Holds:  Z1.
 * Limits: -
 * See:    story.h.
 */
#include "sim/story.h"

#include <stdarg.h>

static void begin_line(struct story *story, uint32_t node)
{
    fprintf(story->out, "%10.6f ", (double)story->now_us / 1e6);
    if (node == UINT32_MAX)
        fputs("--  ", story->out);
    else
        fprintf(story->out, "n%-2u ", node);
}

void story_say(struct story *story, uint32_t node, const char *format, ...)
{
    if (story->out == NULL)
        return;
    begin_line(story, node);
    if (story->fault > 0)
        fprintf(story->out, "fault %llu: ", (unsigned long long)story->fault);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(story->out, format, arguments);
    va_end(arguments);
    fputc('\n', story->out);
}

static void put_text(struct story *story, struct slice text)
{
    for (size_t i = 0; i < text.len && i < 200; i++) {
        uint8_t byte = text.ptr[i];
        if (byte < 0x20 || byte > 0x7e)
            fprintf(story->out, "\\x%02x", byte);
        else
            fputc(byte, story->out);
    }
}

void story_trace(struct story *story, uint32_t node, const struct trace_event *event)
{
    story_mix(story, (uint64_t)event->id << 32 | node);
    story_mix(story, event->a);
    story_mix(story, event->b);
    story_mix(story, event->c);
    if (story->out == NULL)
        return;
    begin_line(story, node);
    const char *at = trace_sentence(event->id);
    while (*at != '\0') {
        if (strncmp(at, "{text}", 6) == 0) {
            put_text(story, event->text);
            at += 6;
        } else if (at[0] == '{' && at[1] >= 'a' && at[1] <= 'c' && at[2] == '}') {
            uint64_t value = at[1] == 'a' ? event->a : at[1] == 'b' ? event->b : event->c;
            fprintf(story->out, "%llu", (unsigned long long)value);
            at += 3;
        } else {
            fputc(*at++, story->out);
        }
    }
    fputc('\n', story->out);
}
