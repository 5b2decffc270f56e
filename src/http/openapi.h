/* openapi - the description of the API that GET /openapi.json answers with.
 *
 * Does:   one static JSON text.
 * Not:    more than exists: what answers 501 today says so.
 * Holds:  -
 * Limits: -
 * See:    docs/api.md.
 */
#pragma once

#include "base/base.h"

struct slice http_openapi(void);
