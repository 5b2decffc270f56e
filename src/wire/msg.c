/* msg - messages between nodes as structures.
 *
 * Does:   a size, an encoder and a decoder for each field type of msg.def; from them and the
 *         lists of fields, those of every message.
 * Not:    -
 * Holds:  as msg.h.
 * Limits: -
 * See:    msg.h, msg.def.
 */
#include "wire/msg.h"

#define VV_ENTRY_BYTES 12U
#define RANGE_BYTES 20U

/* Sizes: known before anything is written, so that a message costs one allocation at most. */

static size_t size_u8(const uint8_t *value)
{
    return sizeof *value;
}

static size_t size_u32(const uint32_t *value)
{
    return sizeof *value;
}

static size_t size_u64(const uint64_t *value)
{
    return sizeof *value;
}

static size_t size_bytes(const struct slice *value)
{
    return sizeof(uint32_t) + value->len;
}

static size_t size_vv(const struct vv *value)
{
    ASSERT(value->count <= LIMIT_VV_ENTRIES);
    return sizeof(uint32_t) + (size_t)value->count * VV_ENTRY_BYTES;
}

static size_t size_ranges(const struct ranges *value)
{
    ASSERT(value->count <= LIMIT_ACTORS);
    return sizeof(uint32_t) + (size_t)value->count * RANGE_BYTES;
}

static size_t size_ctx(const struct ctx *value)
{
    return sizeof(uint64_t) + sizeof(uint64_t) + size_vv(&value->seen);
}

/* Encoders: at has room; they return where the next field goes. */

static uint8_t *put_u8(uint8_t *at, const uint8_t *value)
{
    return le_store_u8(at, *value);
}

static uint8_t *put_u32(uint8_t *at, const uint32_t *value)
{
    return le_store_u32(at, *value);
}

static uint8_t *put_u64(uint8_t *at, const uint64_t *value)
{
    return le_store_u64(at, *value);
}

static uint8_t *put_bytes(uint8_t *at, const struct slice *value)
{
    ASSERT(value->len <= LIMIT_FRAME_BYTES);
    return le_store_slice(le_store_u32(at, (uint32_t)value->len), *value);
}

static uint8_t *put_vv(uint8_t *at, const struct vv *value)
{
    at = le_store_u32(at, value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        at = le_store_u32(at, value->entries[i].actor);
        at = le_store_u64(at, value->entries[i].seq);
    }
    return at;
}

static uint8_t *put_ranges(uint8_t *at, const struct ranges *value)
{
    at = le_store_u32(at, value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        at = le_store_u32(at, value->list[i].actor);
        at = le_store_u64(at, value->list[i].low);
        at = le_store_u64(at, value->list[i].high);
    }
    return at;
}

static uint8_t *put_ctx(uint8_t *at, const struct ctx *value)
{
    at = le_store_u64(at, value->lineage);
    at = le_store_u64(at, value->fence);
    return put_vv(at, &value->seen);
}

/* Decoders: what does not fit or does not hold makes the cursor bad, once and for all. */

static void take_u8(struct read *in, uint8_t *value)
{
    struct slice bytes = read_bytes(in, sizeof *value);
    *value = bytes.len > 0 ? bytes.ptr[0] : 0;
}

static void take_u32(struct read *in, uint32_t *value)
{
    struct slice bytes = read_bytes(in, sizeof *value);
    *value = bytes.len > 0 ? le_load_u32(bytes.ptr) : 0;
}

static void take_u64(struct read *in, uint64_t *value)
{
    struct slice bytes = read_bytes(in, sizeof *value);
    *value = bytes.len > 0 ? le_load_u64(bytes.ptr) : 0;
}

static void take_bytes(struct read *in, struct slice *value)
{
    uint32_t len;
    take_u32(in, &len);
    *value = read_bytes(in, len);
}

static void take_vv(struct read *in, struct vv *value)
{
    vv_init(value);
    uint32_t count;
    take_u32(in, &count);
    if (count > LIMIT_VV_ENTRIES)
        in->bad = true;
    struct slice bytes = read_bytes(in, (size_t)count * VV_ENTRY_BYTES);
    uint32_t last = 0;
    for (size_t at = 0; at < bytes.len; at += VV_ENTRY_BYTES) {
        struct dot dot = {le_load_u32(bytes.ptr + at), le_load_u64(bytes.ptr + at + 4)};
        if (dot.actor <= last || dot.seq == 0 || dot.seq > LIMIT_SEQ) {
            in->bad = true;
            return;
        }
        last = dot.actor;
        value->entries[value->count++] = dot;
    }
}

static struct range range_load(const uint8_t *at)
{
    return (struct range){le_load_u32(at), le_load_u64(at + 4), le_load_u64(at + 12)};
}

static void take_ranges(struct read *in, struct ranges *value)
{
    ranges_init(value);
    uint32_t count;
    take_u32(in, &count);
    if (count > LIMIT_ACTORS)
        in->bad = true;
    struct slice bytes = read_bytes(in, (size_t)count * RANGE_BYTES);
    uint32_t last = 0;
    for (size_t at = 0; at < bytes.len; at += RANGE_BYTES) {
        struct range range = range_load(bytes.ptr + at);
        if (range.actor <= last || range.low == 0 || range.low > range.high ||
            range.high > LIMIT_SEQ) {
            in->bad = true;
            return;
        }
        last = range.actor;
        value->list[value->count++] = range;
    }
}

static void take_ctx(struct read *in, struct ctx *value)
{
    take_u64(in, &value->lineage);
    take_u64(in, &value->fence);
    take_vv(in, &value->seen);
    if (value->lineage == 0 && (value->fence > 0 || value->seen.count > 0))
        in->bad = true;
}

#define SIZE(type, name) +size_##type(&msg->name)
#define PUT(type, name) at = put_##type(at, &msg->name);
#define TAKE(type, name) take_##type(&in, &msg->name);
#define M(NAME, name, number)                                                                      \
    void msg_##name##_encode(const struct msg_##name *msg, struct buf *out)                        \
    {                                                                                              \
        size_t size = 0 MSG_FIELDS_##NAME(SIZE);                                                   \
        uint8_t *at = buf_grow(out, size);                                                         \
        MSG_FIELDS_##NAME(PUT);                                                                    \
        ASSERT(at == out->ptr + out->len);                                                         \
    }                                                                                              \
                                                                                                   \
    bool msg_##name##_decode(struct slice body, struct msg_##name *msg)                            \
    {                                                                                              \
        struct read in = read_of(body);                                                            \
        MSG_FIELDS_##NAME(TAKE);                                                                   \
        return read_done(&in);                                                                     \
    }
MSG_LIST(M)
#undef M
#undef TAKE
#undef PUT
#undef SIZE

const char *msg_name(uint8_t type)
{
    switch (type) {
#define M(NAME, name, number)                                                                      \
    case MSG_##NAME:                                                                               \
        return #NAME;
        MSG_LIST(M)
#undef M
    }
    return "?";
}
