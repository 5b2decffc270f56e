/* net - connections as bytes in and bytes out.
 *
 * Does:   the one header of src/net for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "net/conn.h"
#include "net/hub.h"
