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

FILE *story_begin(struct story *story, uint32_t node)
{
    if (story->out == NULL || story->over)
        return NULL;
    fprintf(story->out, "%10.6f ", (double)story->now_us / 1e6);
    if (node == UINT32_MAX)
        fputs("    ", story->out);
    else
        fprintf(story->out, "n%-2u ", node);
    if (story->fault > 0)
        fprintf(story->out, "fault %llu: ", (unsigned long long)story->fault);
    return story->out;
}

void story_end(struct story *story)
{
    fputc('\n', story->out);
}

const char *story_span(uint64_t us, char text[STORY_SPAN_BYTES])
{
    if (us < 1000000)
        snprintf(text, STORY_SPAN_BYTES, "%.1f ms", (double)us / 1e3);
    else
        snprintf(text, STORY_SPAN_BYTES, "%.2f s", (double)us / 1e6);
    return text;
}

void story_say(struct story *story, uint32_t node, const char *format, ...)
{
    if (story_begin(story, node) == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(story->out, format, arguments);
    va_end(arguments);
    story_end(story);
}

void story_mix_trace(struct story *story, uint32_t node, const struct trace_event *event)
{
    story_mix(story, (uint64_t)event->id << 32 | node);
    story_mix(story, event->a);
    story_mix(story, event->b);
    story_mix(story, event->c);
}
