/* record - the frame around everything that is logged, and around versions between peers.
 *
 * Does:   16 bytes of head and a body, padded to 8: kind, length, checksums of head and body.
 * Not:    segments and recovery (store/log.h); what bodies mean (version.h and the codecs).
 * Holds:  R1 the checksum of the body does not depend on the kind, so that an arrival may be
 *         logged elsewhere as what it is there, with the bytes untouched. R2 of one body and
 *         kind there is one record. R3 a cut record is INCOMPLETE, one with an altered byte
 *         is DAMAGED (see record_decode).
 * Limits: a body of LIMIT_FRAME_BYTES.
 * See:    docs/protocol.md sections 3.4 and 4.2.
 *
 * Head, little-endian:
 *   offset size  meaning
 *   0      4     body length without padding
 *   4      1     kind (enum record_kind)
 *   5      1     format version, RECORD_FORMAT
 *   6      2     bytes 0 to 5 as one number, modulo RECORD_HEAD_PRIME: no single altered byte
 *                passes (XXH3 cut to 16 bits would let one in 65536 through)
 *   8      8     XXH3 of the body
 *   16     .     body, then zeroes up to a multiple of 8 (anything else there is damage)
 */
#pragma once

#include "wire/version.h"

#define RECORD_HEAD_BYTES 16U
#define RECORD_FORMAT 1U
#define RECORD_HEAD_PRIME 65521U /* the greatest prime below 2^16 */

/* Numbers are on disk: never reuse one. */
enum record_kind {
    RECORD_SEGMENT = 1,     /* first in each segment (store/log.h) */
    RECORD_ARRIVAL = 2,     /* version: written here, or arrived by a stream */
    RECORD_WALKED = 3,      /* version: arrived by a walk, says nothing about coverage */
    RECORD_DUMP = 4,        /* version: written by a checkpoint */
    RECORD_RAISE = 5,       /* coverage of a holding: holding 4, vector */
    RECORD_RANGE = 6,       /* received above coverage: actor 4, low 8, high 8 */
    RECORD_CONFIG = 7,      /* adopted configuration (config_encode) */
    RECORD_REGISTER = 8,    /* state of the register (cluster) */
    RECORD_CEILING = 9,     /* HLC ceiling 8: no announced clock is above it */
    RECORD_START = 10,      /* a process started on this directory (node) */
    RECORD_STOP = 11,       /* clean stop: nothing follows until the next start */
    RECORD_SYNCED = 12,     /* all log before this position was synced: position 8 */
    RECORD_CHECKPOINT = 13, /* a checkpoint begins */
    RECORD_FOOTER = 14,     /* the checkpoint that began at segment 8 is whole */
    RECORD_DROP = 15,       /* slots given away; never written */
    RECORD_SEAL = 16,       /* last seq of the own actor; never written */
    RECORD_ABSENT = 17,     /* versions removed, one after the other (version_absent_encode) */
    RECORD_IDENTITY = 18,   /* node id 8, own address: the first record of a directory */
    RECORD_DOUBT = 19,      /* the own actor 4 writes no more: its log may have lost writes */
    RECORD_HIGHEST = 20,    /* actor 4, seq 8: there was a write of it up to here */
    RECORD_FILLED = 21,     /* actor 4, the own one: it has filled up */
    RECORD_REST = 22,       /* the log rests here (store/log.h) */
};

struct record {
    enum record_kind kind; /* what body is; unknown kinds are refused by the reader of a body */
    uint64_t sum;          /* XXH3 of the body */
    struct slice body;     /* borrowed */
    struct slice whole;    /* head, body and padding; borrowed */
};

enum record_scan {
    RECORD_OK,         /* *record is filled in */
    RECORD_INCOMPLETE, /* the bytes end before the record does; the head is right or cut */
    RECORD_DAMAGED,    /* a checksum is wrong, or the head makes no sense */
};

/* Bytes a record with this body takes, padding included. */
static inline size_t record_size(size_t body_len)
{
    return (RECORD_HEAD_BYTES + body_len + 7U) & ~(size_t)7U;
}

/* Appends a record around body, computing its checksum. */
void record_encode(enum record_kind kind, struct slice body, struct buf *out);

/* Appends a record around a body whose checksum is known (and was checked: it is not computed
 * again). */
void record_encode_summed(enum record_kind kind, struct slice body, uint64_t sum, struct buf *out);

/* Begins a record: reserves the head, returns the offset to hand to record_end, which computes
 * length and checksum over what was appended in between, and pads. */
size_t record_begin(struct buf *out);
void record_end(enum record_kind kind, size_t begin, struct buf *out);

/* Looks at the first record of bytes; *record changes with RECORD_OK only. In this order:
 *   fewer than 8 bytes, even none      INCOMPLETE, whatever they are: nothing vouches for them
 *   bytes 0 to 7 do not make sense     DAMAGED, also when the rest of the head is cut off:
 *                                      wrong check, format not RECORD_FORMAT, kind 0, body
 *                                      longer than LIMIT_FRAME_BYTES. Zeroes are DAMAGED.
 *   fewer bytes than the head asks for INCOMPLETE; the sum of the part is not looked at
 *   wrong sum, padding not zero        DAMAGED
 * The kind may be one that this version does not know. */
enum record_scan record_decode(struct slice bytes, struct record *record);
