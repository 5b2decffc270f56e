/* frame - what travels between nodes.
 *
 * Does:   a head of 32 bytes and a body; splitting a byte stream into frames; checks.
 * Not:    what bodies mean: msg.h.
 * Holds:  F1 the first byte is never one that an HTTP request starts with. F2 of one type,
 *         lineage, epoch and body there is one frame. F3 an altered byte is found: by
 *         frame_split (magic, format, byte 3, too long) or frame_decode (everything else).
 * Limits: LIMIT_FRAME_BYTES for head and body together; a caller may set a lower one before
 *         the peer has said who it is.
 * See:    docs/protocol.md section 3.2 (lineage and epoch in every frame).
 *
 * Head, little-endian:
 *   offset size  meaning
 *   0      1     FRAME_MAGIC
 *   1      1     format version, FRAME_FORMAT
 *   2      1     type (enum msg_type)
 *   3      1     0
 *   4      4     body length
 *   8      8     lineage of the sender, 0 before the first configuration
 *   16     8     epoch of the sender
 *   24     8     XXH3 of the body, seeded with the XXH3 of bytes 0 to 23
 */
#pragma once

#include "wire/ranges.h"

#define FRAME_MAGIC 0xF4U
#define FRAME_FORMAT 2U
#define FRAME_HEAD_BYTES 32U

struct frame {
    uint8_t type;      /* enum msg_type, or unknown to this version */
    uint64_t lineage;  /* of the sender */
    uint64_t epoch;    /* of the sender */
    struct slice body; /* borrowed */
};

enum frame_scan {
    FRAME_OK,    /* a whole frame is there; *size is its length */
    FRAME_SHORT, /* more bytes are needed; *size is how many there must be at least */
    FRAME_BAD,   /* not a frame, another format version, or too large; *why says which */
};

/* Looks at the head of the first frame of bytes, as far as it is there, without checking the body
 * or any sum: the length may be an altered one until frame_decode has said yes. What is not a
 * frame is BAD from the first byte that shows it. limit: for head and body together; above
 * LIMIT_FRAME_BYTES it means that. *why: static, NULL unless BAD. */
enum frame_scan frame_split(struct slice bytes, size_t limit, size_t *size, const char **why);

/* Takes one whole frame apart (bytes are *size of FRAME_OK, no more) and checks its sum; false
 * when it is damaged: hang up, where it began is not known any more. *frame changes with true
 * only. A type of 0 or one unknown here is for the caller to judge. */
bool frame_decode(struct slice bytes, struct frame *frame);

/* Begins a frame in out; the body is appended by the caller (no more than LIMIT_FRAME_BYTES less
 * FRAME_HEAD_BYTES); frame_end fills in the head. begin: what frame_begin returned. */
size_t frame_begin(struct buf *out);
void frame_end(size_t begin, uint8_t type, uint64_t lineage, uint64_t epoch, struct buf *out);
