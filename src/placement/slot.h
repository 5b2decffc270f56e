/* slot - which of the 16384 slots a key belongs to.
 *
 * Does:   CRC16 (XMODEM) of the key, or of its hash tag, modulo LIMIT_SLOTS, exactly as Redis
 *         Cluster computes it.
 * Not:    which shard owns a slot: config.h.
 * Holds:  slot_of(key) < LIMIT_SLOTS.
 * Limits: -
 * See:    docs/protocol.md section 1; Redis Cluster specification, "Hash tags".
 */
#pragma once

#include "causal/causal.h"

/* The slot of key. If it holds a '{' followed later by a '}' with at least one byte between,
 * only those bytes are hashed (first '{', first '}' after it). */
uint32_t slot_of(struct slice key);
