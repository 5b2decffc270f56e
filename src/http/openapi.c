/* openapi - the description of the API that GET /openapi.json answers with.
 *
 * Does:   see openapi.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    openapi.h.
 */
#include "http/openapi.h"

struct slice http_openapi(void)
{
    return SLICE_LIT("{}");
}
