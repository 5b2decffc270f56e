/* walk - goes through JSON that was found valid.
 *
 * Does:   elements of an array one by one; numbers; members by name.
 * Not:    checking: what comes here has been through json_scan.
 * Holds:  -
 * Limits: -
 * See:    http/json.h.
 */
#pragma once

#include "base/base.h"

/* array: "[…]" as json_scan gave it; *at is 0 at first. False: no more. */
bool walk_next(struct slice array, size_t *at, struct slice *element);

/* The member of an object, raw; empty: there is none, or this is no object. */
struct slice walk_member(struct slice object, const char *name);

/* A whole number from 0 on; false: it is none, or too large. */
bool walk_number(struct slice raw, uint64_t *number);

/* The member as a number; 0: there is none. */
uint64_t walk_count(struct slice object, const char *name);

static inline bool walk_is_true(struct slice raw)
{
    return slice_equal(raw, SLICE_LIT("true"));
}

/* A string's text without its quotes; escapes stay (ids and addresses have none). */
struct slice walk_text(struct slice raw);
