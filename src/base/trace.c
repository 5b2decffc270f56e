/* trace - what happened, as data.
 *
 * Does:   see trace.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    trace.def.
 */
#include "base/trace.h"

#include "base/assert.h"

struct trace_row {
    const char *name;       /* as in trace.def */
    const char *sentence;   /* with {a} {b} {c} {text} */
    enum trace_level level; /* who cares */
};

static const struct trace_row rows[] = {
#define TRACE(name, level, sentence) {#name, sentence, TRACE_##level},
#include "base/trace.def"
#undef TRACE
};

enum trace_level trace_level_of(enum trace_id id)
{
    ASSERT(id < TRACE_ID_COUNT);
    return rows[id].level;
}

const char *trace_name(enum trace_id id)
{
    ASSERT(id < TRACE_ID_COUNT);
    return rows[id].name;
}

const char *trace_sentence(enum trace_id id)
{
    ASSERT(id < TRACE_ID_COUNT);
    return rows[id].sentence;
}

void trace_emit(const struct tracer *tracer, enum trace_id id, uint64_t a, uint64_t b, uint64_t c,
                struct slice text)
{
    ASSERT(id < TRACE_ID_COUNT);
    if (tracer == NULL || tracer->emit == NULL)
        return;
    struct trace_event event = {id, a, b, c, text};
    tracer->emit(tracer->arg, &event);
}
