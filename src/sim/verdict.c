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

void verdict_say(struct verdict *verdict, const char *invariant, const char *format, ...)
{
    if (verdict->bad)
        return;
    verdict->bad = true;
    snprintf(verdict->invariant, sizeof verdict->invariant, "%s", invariant);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
    va_end(arguments);
}
