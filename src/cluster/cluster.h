/* cluster - who is who: the register, the first start, suspicion.
 *
 * Does:   the one header of src/cluster for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "cluster/boot.h"
#include "cluster/register.h"
#include "cluster/suspect.h"
