/* verdict - what was found wrong in a run.
 *
 * Does:   see verdict.h.
 * Not:    -
 * Holds:  J1.
 * Limits: -
 * See:    verdict.h.
 */
#include "sim/verdict.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void
say(struct verdict *verdict, const char *invariant, const char *format, va_list arguments)
{
    verdict->bad = true;
    snprintf(verdict->invariant, sizeof verdict->invariant, "%s", invariant);
    vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
    for (char *at = verdict->text; *at != '\0'; at++) { /* keys are any bytes */
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
    }
}

void verdict_say(struct verdict *verdict, const char *invariant, const char *format, ...)
{
    if (verdict->bad || verdict->blind)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(verdict, invariant, format, arguments);
    va_end(arguments);
}

void verdict_late(struct verdict *verdict, const char *invariant, const char *format, ...)
{
    if (verdict->bad || verdict->blind)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(verdict, invariant, format, arguments);
    va_end(arguments);
    verdict->late = true;
}

enum verdict_kind verdict_kind(const struct verdict *verdict)
{
    /* Who is owed an answer, a configuration or rest, and does not get it. All else is something
     * that was done, and wrong. */
    static const char *const owed[] = {"A1", "I3", "I9", "Q1", "S1"};
    if (!verdict->bad)
        return VERDICT_GOOD;
    if (strcmp(verdict->invariant, "LITTLE") == 0)
        return VERDICT_LITTLE;
    if (strcmp(verdict->invariant, "assert") == 0)
        return VERDICT_CRASH;
    if (verdict->late)
        return VERDICT_LIVENESS;
    for (size_t i = 0; i < sizeof owed / sizeof owed[0]; i++) {
        if (strcmp(verdict->invariant, owed[i]) == 0)
            return VERDICT_LIVENESS;
    }
    return VERDICT_SAFETY;
}

const char *verdict_word(enum verdict_kind kind)
{
    static const char *const words[] = {"good",     "safety", "bad options",
                                        "liveness", "crash",  "too little"};
    ASSERT(kind <= VERDICT_LITTLE);
    return words[kind];
}

enum verdict_kind verdict_worse(enum verdict_kind a, enum verdict_kind b)
{
    static const int badness[] = {
        [VERDICT_GOOD] = 0,   [VERDICT_LITTLE] = 1, [VERDICT_LIVENESS] = 2,
        [VERDICT_SAFETY] = 3, [VERDICT_CRASH] = 4,  [VERDICT_USAGE] = 5};
    return badness[a] >= badness[b] ? a : b;
}
