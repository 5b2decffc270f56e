/* http - HTTP/1.1 and JSON for clients, as bytes in and bytes out.
 *
 * Does:   the one header of src/http for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "http/conn.h"
#include "http/json.h"
#include "http/openapi.h"
