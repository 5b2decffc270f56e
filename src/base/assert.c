/* assert - where a failed assertion ends.
 *
 * Does:   keeps the place of the failure where a debugger and a core dump show it, and aborts.
 * Not:    printing: the core may not. The place stands in the aborting frame of the core dump;
 *         a program that can print defines assert_report (base/assert.h).
 * Holds:  -
 * Limits: -
 * See:    assert.h.
 */
#include "base/assert.h"

#include <stddef.h>
#include <stdlib.h>

/* The frame that aborts holds the text on its stack, volatile so that it is really there. */
_Noreturn void assert_failed(const char *what, const char *file, int line)
{
    const char *volatile failed_what = what;
    const char *volatile failed_file = file;
    volatile int failed_line = line;
    (void)failed_what;
    (void)failed_file;
    (void)failed_line;
    if (assert_report != NULL)
        assert_report(what, file, line);
    abort();
}
