/* sys - the operating system, as little of it as a node needs.
 *
 * Does:   the one header of src/sys for other modules.
 * Not:    anything of its own. Sockets: net/.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "sys/directory.h"
#include "sys/look.h"
#include "sys/machine.h"
#include "sys/segments.h"
