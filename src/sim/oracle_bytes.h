/* oracle_bytes - what the two files of the oracle share.
 *
 * Does:   declares the helpers of oracle.c that oracle_bytes.c uses.
 * Not:    for anybody else.
 * Holds:  -
 * Limits: -
 * See:    oracle.h.
 */
#pragma once

#include "sim/oracle.h"

/* A new tombstone of the key: its number. */
uint32_t oracle__tombstone(struct oracle *oracle, uint32_t key);

/* The number that a value carries, 0 for none. */
uint32_t oracle__value_number(struct slice value, bool raw);

/* Which write a value is, checked to the last byte; 0 when no client ever wrote it there. */
uint32_t oracle__value_write(struct oracle *oracle, uint32_t key, struct slice value, bool raw);
