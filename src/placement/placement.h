/* placement - which slot, which shard, who is who.
 *
 * Does:   the one header of src/placement for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "placement/config.h"
#include "placement/config_change.h"
#include "placement/plan.h"
#include "placement/slot.h"
#include "placement/slotset.h"
