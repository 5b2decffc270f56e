/* fuzz_msg - bodies of messages between nodes.
 *
 * Does:   the first byte is the type, the rest the body, for every row of msg.def.
 * Not:    frames around them: fuzz_frame.c. What nodes do with them.
 * Holds:  what is accepted has valid vectors, ranges and contexts, slices within the body, and
 *         re-encodes to the same bytes.
 * Limits: -
 * See:    src/wire/msg.def.
 */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_u8(struct slice body, const uint8_t *value)
{
    (void)body;
    (void)value;
}

static void check_u32(struct slice body, const uint32_t *value)
{
    (void)body;
    (void)value;
}

static void check_u64(struct slice body, const uint64_t *value)
{
    (void)body;
    (void)value;
}

static void check_bytes(struct slice body, const struct slice *value)
{
    ASSERT(value->ptr >= body.ptr);
    ASSERT(value->ptr + value->len <= body.ptr + body.len);
}

static void check_vv(struct slice body, const struct vv *value)
{
    (void)body;
    vv_check(value);
    for (uint32_t i = 0; i < value->count; i++)
        ASSERT(value->entries[i].seq <= LIMIT_SEQ);
}

static void check_ranges(struct slice body, const struct ranges *value)
{
    (void)body;
    ranges_check(value);
}

static void check_ctx(struct slice body, const struct ctx *value)
{
    ctx_check(value);
    check_vv(body, &value->seen);
}

#define CHECK(type, name) check_##type(body, &msg.name);
#define M(NAME, name, number)                                                                      \
    static void take_##name(struct slice body)                                                     \
    {                                                                                              \
        struct msg_##name msg;                                                                     \
        if (!msg_##name##_decode(body, &msg))                                                      \
            return;                                                                                \
        MSG_FIELDS_##NAME(CHECK);                                                                  \
        struct buf again = BUF_EMPTY;                                                              \
        msg_##name##_encode(&msg, &again);                                                         \
        ASSERT(slice_equal(buf_slice(&again), body));                                              \
        buf_fini(&again);                                                                          \
    }
MSG_LIST(M)
#undef M

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice body = slice_of(data + 1, size - 1);
    switch (data[0]) {
#define M(NAME, name, number)                                                                      \
    case MSG_##NAME:                                                                               \
        take_##name(body);                                                                         \
        break;
        MSG_LIST(M)
#undef M
    default:
        ASSERT(msg_name(data[0])[0] == '?');
    }
    return 0;
}
