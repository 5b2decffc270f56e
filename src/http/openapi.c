/* openapi - the description of the API that GET /openapi.json answers with.
 *
 * Does:   see openapi.h.
 * Not:    the text: openapi.def.
 * Holds:  -
 * Limits: -
 * See:    openapi.h.
 */
#include "http/openapi.h"

/* C17 promises no string longer than 4095 characters; gcc and clang have no such limit. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* Makes a string of what it is given, so that JSON can be written as JSON. */
#define OPENAPI(...) static const char text[] = #__VA_ARGS__;
#include "http/openapi.def"
#undef OPENAPI

struct slice http_openapi(void)
{
    return slice_of(text, sizeof(text) - 1);
}
