/* fuzz_frame - bytes from a connection.
 *
 * Does:   splits them into frames, at several limits and from every beginning that a slow peer
 *         may show; decodes; then the same bytes with head and sum put right, so that the fuzzer
 *         gets behind the checksum.
 * Not:    bodies: fuzz_msg.c.
 * Holds:  what is accepted re-encodes to the same bytes; more bytes never turn BAD into
 *         something else, nor change the size of a frame.
 * Limits: -
 * See:    src/wire/frame.h.
 */
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_decoded(struct slice bytes, const struct frame *frame)
{
    struct buf again = BUF_EMPTY;
    size_t begin = frame_begin(&again);
    buf_append_slice(&again, frame->body);
    frame_end(begin, frame->type, frame->lineage, frame->epoch, &again);
    ASSERT(slice_equal(buf_slice(&again), bytes));
    buf_fini(&again);
}

/* As more and more of bytes arrives: SHORT with what is needed, then one verdict for good. */
static void check_arrival(struct slice bytes, size_t limit)
{
    enum frame_scan verdict = FRAME_SHORT;
    size_t need = FRAME_HEAD_BYTES;
    size_t most = bytes.len < 256 ? bytes.len : 256;
    for (size_t len = 0; len <= most; len++) {
        size_t size;
        const char *why;
        enum frame_scan scan = frame_split(slice_of(bytes.ptr, len), limit, &size, &why);
        ASSERT((why != NULL) == (scan == FRAME_BAD));
        ASSERT(verdict == FRAME_SHORT || scan == verdict);
        ASSERT(scan == FRAME_BAD || size >= need);
        ASSERT(scan != FRAME_SHORT || size > len);
        ASSERT(scan != FRAME_OK || size <= len);
        ASSERT(scan == FRAME_BAD || size <= limit || size == FRAME_HEAD_BYTES);
        verdict = scan;
        need = scan == FRAME_BAD ? need : size;
    }
}

static void take_stream(struct slice bytes)
{
    size_t size;
    const char *why;
    while (frame_split(bytes, LIMIT_FRAME_BYTES, &size, &why) == FRAME_OK) {
        struct frame frame;
        if (!frame_decode(slice_of(bytes.ptr, size), &frame))
            return;
        check_decoded(slice_of(bytes.ptr, size), &frame);
        bytes = slice_of(bytes.ptr + size, bytes.len - size);
    }
}

/* Type, lineage, epoch and body as they are; the rest put right. Must be accepted. */
static void take_repaired(struct slice bytes)
{
    if (bytes.len < FRAME_HEAD_BYTES)
        return;
    struct read in = read_of(bytes);
    read_u16(&in);
    uint8_t type = read_u8(&in);
    read_u8(&in);
    read_u32(&in);
    uint64_t lineage = read_u64(&in);
    uint64_t epoch = read_u64(&in);
    struct buf whole = BUF_EMPTY;
    size_t begin = frame_begin(&whole);
    buf_append(&whole, bytes.ptr + FRAME_HEAD_BYTES, bytes.len - FRAME_HEAD_BYTES);
    frame_end(begin, type, lineage, epoch, &whole);
    struct frame frame;
    ASSERT(frame_decode(buf_slice(&whole), &frame));
    ASSERT(frame.type == type && frame.lineage == lineage && frame.epoch == epoch);
    ASSERT(frame.body.len == bytes.len - FRAME_HEAD_BYTES);
    check_decoded(buf_slice(&whole), &frame);
    buf_fini(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size);
    check_arrival(bytes, LIMIT_FRAME_BYTES);
    check_arrival(bytes, 64);
    check_arrival(bytes, 0);
    take_stream(bytes);
    take_repaired(bytes);
    return 0;
}
