/* msg - messages between nodes as structures.
 *
 * Does:   struct msg_<name>, msg_<name>_encode and msg_<name>_decode for every row of msg.def.
 * Not:    assertions on input; decoders return false. The meaning of codes, flags, operations,
 *         forms, texts, keys and the like: numbers and bytes are taken as they come, and whoever
 *         uses them judges them.
 * Holds:  decode(encode(m)) equals m, and encode(decode(b)) equals b; what decode accepts has
 *         valid vectors (V1 to V3, no seq above LIMIT_SEQ), valid contexts (C1, C2), valid
 *         ranges (N1, N2) and no bytes left over.
 * Limits: as the fields'. A message of vectors is large (5 KB); it allocates nothing.
 * See:    msg.def; frame.h.
 */
#pragma once

#include "wire/frame.h"

#include "wire/msg.def"

enum msg_type {
#define M(NAME, name, number) MSG_##NAME = (number),
    MSG_LIST(M)
#undef M
};

/* C types of the field types. encode: the vectors, contexts and ranges are valid, all together
 * fits LIMIT_FRAME_BYTES, and no slice borrows from out. decode: slices borrow from body; after
 * false *msg is undefined. */
#define MSG_TYPE_u8 uint8_t
#define MSG_TYPE_u32 uint32_t
#define MSG_TYPE_u64 uint64_t
#define MSG_TYPE_bytes struct slice
#define MSG_TYPE_vv struct vv
#define MSG_TYPE_ranges struct ranges
#define MSG_TYPE_ctx struct ctx

#define MSG_FIELD(type, name) MSG_TYPE_##type name;
#define M(NAME, name, number)                                                                      \
    struct msg_##name {                                                                            \
        MSG_FIELDS_##NAME(MSG_FIELD)                                                               \
    };                                                                                             \
    void msg_##name##_encode(const struct msg_##name *msg, struct buf *out);                       \
    bool msg_##name##_decode(struct slice body, struct msg_##name *msg);
MSG_LIST(M)
#undef M
#undef MSG_FIELD

/* Flags of REPORT. */
#define REPORT_REWIND 1U /* send your stream again from what this report says */
#define REPORT_DOUBT 2U  /* the sender does not vouch for its coverage */
#define REPORT_MERGED 4U /* nobody of the shard is active, and it has walked all others (6.3) */
#define REPORT_FORGOT 8U /* it had reported more in this term than it does now (6.3) */

/* Flags of FORWARD_REPLY. */
#define FORWARD_REPLY_UNKNOWN 1U  /* a write that may have happened */
#define FORWARD_REPLY_NOT_MINE 2U /* the sender is no owner of the key */

/* Kinds of WALK_REQUEST. */
enum walk_kind {
    WALK_TAIL = 0,  /* catching up: what is above the coverage that the request names */
    WALK_FILL = 1,  /* filling up from an active member: slot by slot, then the tail (4.4) */
    WALK_MERGE = 2, /* the union of a shard without active member: slot by slot (6.3) */
};

/* States of HELLO. */
enum hello_state {
    HELLO_EMPTY = 1,    /* no configuration, no data */
    HELLO_MEMBER = 2,   /* has a configuration and its data */
    HELLO_DOUBT = 3,    /* has a configuration, cannot prove its data whole */
    HELLO_STRANGER = 4, /* knows a configuration that does not list it; had none when it started */
};

/* The name of a message type, for logs; static; "?" for an unknown one. */
const char *msg_name(uint8_t type);
