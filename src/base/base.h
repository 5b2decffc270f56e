/* base - the floor that every module stands on.
 *
 * Does:   the one header of src/base for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/knobs.h"
#include "base/le.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/plant.h"
#include "base/read.h"
#include "base/rng.h"
#include "base/slice.h"
#include "base/trace.h"
