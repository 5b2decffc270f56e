/* sim - the virtual world.
 *
 * Does:   the one header of src/sim, for its tests.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "sim/client.h"
#include "sim/judge.h"
#include "sim/nemesis.h"
#include "sim/run.h"
