/* causal - the words of causality, pure and without allocation.
 *
 * Does:   the one header of src/causal for other modules.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "causal/ctx.h"
#include "causal/dot.h"
#include "causal/hlc.h"
#include "causal/siphash.h"
#include "causal/token.h"
#include "causal/vv.h"
