/* limits - everything that could grow, and how far.
 *
 * Does:   fixed limits in one place, with assertions that relate them. What an operator may
 *         change is a knob (base/knobs.def) and has its range there.
 * Not:    -
 * Holds:  the static assertions below.
 * Limits: these.
 * See:    docs/protocol.md I7, I8.
 */
#pragma once

#include <assert.h>
#include <stdint.h>

/* Slots: Redis Cluster's number, so that its clients can compute them. */
#define LIMIT_SLOTS 16384U

/* Members of a cluster, and shards: every shard has at least two members. */
#define LIMIT_MEMBERS 64U
#define LIMIT_SHARDS 32U

/* Slots on their way from one shard to another: so many pairs of shards at a time. */
#define LIMIT_TRANSITS 16U
#define LIMIT_PARTS (LIMIT_SHARDS + LIMIT_TRANSITS)
#define LIMIT_SEATS 64U

/* Actors of two members that fail while slots move: theirs, in their shard and in each transit. */
#define LIMIT_SPARED (2U * (1U + LIMIT_TRANSITS))

/* Open actors: the current ones and those retired but not closed. Entries of the latter: one may
 * have several, each of slots of one shard. */
#define LIMIT_ACTORS 232U
#define LIMIT_RETIRED 232U

/* Entries of one version vector: one for each open actor, and a few that a token still names
 * although they have been closed since. */
#define LIMIT_VV_ENTRIES 264U

/* Ancestors of a lineage that tokens may still name; losses that are remembered. */
#define LIMIT_ANCESTORS 16U
#define LIMIT_LOSSES 1024U
#define LIMIT_LOSS_DAYS 30U

/* Acceptors of one epoch. Odd. */
#define LIMIT_ACCEPTORS 7U

/* "host:port" with a name of up to 253 characters. */
#define LIMIT_ADDRESS_BYTES 262U

/* Keys and values: what the knobs may allow at most. */
#define LIMIT_KEY_BYTES 8192U
#define LIMIT_VALUE_BYTES (64U << 20)

/* Tokens that one request may bring (body and headers), and the text of one. */
#define LIMIT_TOKENS 8U
#define LIMIT_TOKEN_TEXT_BYTES 5632U

/* One frame between peers: a value of the greatest size with its record, or a chunk. */
#define LIMIT_FRAME_BYTES (LIMIT_VALUE_BYTES + (1U << 20))

/* One log segment; a record never spans two. A segment may exceed this by its last batch. */
#define LIMIT_SEGMENT_BYTES (64U << 20)

/* Effects of one step; what is left waits for the next one. */
#define LIMIT_EFFECTS 4096U

/* Answers to other nodes that are kept until these say that they heard them: all together, and
 * the greatest frame that is kept. A write's answer is far smaller. */
#define LIMIT_KEPT_BYTES (1U << 20)
#define LIMIT_KEPT_FRAME_BYTES 4096U

/* Requests under way in one node (parked, forwarded, or waiting for copies). */
#define LIMIT_REQUESTS 65536U

static_assert(LIMIT_SHARDS * 2 <= LIMIT_MEMBERS, "a shard has at least two members");
static_assert(LIMIT_SEATS >= LIMIT_MEMBERS, "whatever two shards are, they fit one transit");
/* Whoever splits or joins retires its actors of before, in two parts, and keeps its seats. */
static_assert(LIMIT_ACTORS >= 2 * LIMIT_MEMBERS + LIMIT_SEATS + LIMIT_SPARED,
              "slots can always go on their way, and arrive");
static_assert(LIMIT_RETIRED >= 2 * LIMIT_MEMBERS + LIMIT_SPARED, "and there are entries for it");
static_assert(LIMIT_RETIRED >= LIMIT_ACTORS, "an entry at least for each");
static_assert(LIMIT_PARTS <= 64, "a word has a bit for each");
static_assert(LIMIT_VV_ENTRIES >= LIMIT_ACTORS, "a context may name every open actor");
static_assert(LIMIT_ACCEPTORS % 2 == 1, "a majority of an odd number");
static_assert(LIMIT_VALUE_BYTES + LIMIT_KEY_BYTES + 65536U <= LIMIT_FRAME_BYTES,
              "the greatest record fits one frame");
/* A token entry takes at most 5 + 10 bytes, in base64 4 characters for 3 bytes; 64 for the rest. */
static_assert(LIMIT_VV_ENTRIES * 15U / 3U * 4U + 64U <= LIMIT_TOKEN_TEXT_BYTES,
              "the greatest token fits");
