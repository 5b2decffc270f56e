/* trace - what happened, as data.
 *
 * Does:   one struct per event worth telling: the story of a simulated run, and, from INFO
 *         upwards, the log lines of an operator. Sentences stand in trace.def with {a}, {b},
 *         {c}, {text} for the arguments; whoever prints fills them in.
 * Not:    state: nothing in the core ever reads a trace back.
 * Holds:  -
 * Limits: text is borrowed for the call and at most 200 bytes are kept by printers.
 * See:    trace.def; server/log.h; sim.
 */
#pragma once

#include "base/slice.h"

enum trace_level {
    TRACE_STORY, /* for the simulator's story only */
    TRACE_INFO,  /* an operator may want to know */
    TRACE_WARN,  /* an operator should look */
    TRACE_ERROR, /* an operator must act; in a simulation without the fault that explains it
                    this fails the run */
};

enum trace_id {
#define TRACE(name, level, sentence) TRACE_##name,
#include "base/trace.def"
#undef TRACE
    TRACE_ID_COUNT
};

struct trace_event {
    enum trace_id id;  /* which */
    uint64_t a;        /* first argument, see the sentence */
    uint64_t b;        /* second */
    uint64_t c;        /* third */
    struct slice text; /* a key, an address, a reason; borrowed */
};

/* Where traces go: given by whoever owns the node; may be NULL. */
struct tracer {
    void (*emit)(void *arg, const struct trace_event *event); /* NULL: nobody listens */
    void *arg;                                                /* for emit */
};

/* Static texts of an event. */
enum trace_level trace_level_of(enum trace_id id);
const char *trace_name(enum trace_id id);
const char *trace_sentence(enum trace_id id);

void trace_emit(const struct tracer *tracer, enum trace_id id, uint64_t a, uint64_t b, uint64_t c,
                struct slice text);
