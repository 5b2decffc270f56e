/* store - table and log: bytes in, bytes out.
 *
 * Does:   the one header of src/store for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "store/checkpoint.h"
#include "store/log.h"
#include "store/table.h"
