/* check - the judge of recorded histories.
 *
 * Does:   the one header of src/check for others.
 * Not:    anything of its own.
 * Holds:  -
 * Limits: -
 * See:    README.md in this folder.
 */
#pragma once

#include "check/history.h"
#include "check/judge.h"
#include "check/nothing.h"
#include "check/order.h"
