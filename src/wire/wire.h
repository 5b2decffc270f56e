/* wire - bytes and structures, between nodes and on disk.
 *
 * Does:   the one header of src/wire for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "wire/frame.h"
#include "wire/msg.h"
#include "wire/outbox.h"
#include "wire/ranges.h"
#include "wire/record.h"
#include "wire/version.h"
