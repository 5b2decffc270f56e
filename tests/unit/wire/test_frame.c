/* test_frame - frames: splitting a stream, and finding every altered byte.
 *
 * Does:   the layout in bytes; round trips; every cut and every flipped bit; streams handed over
 *         in pieces; limits at their edge; other protocols on the same port.
 * Not:    bodies: test_msg.c.
 * Holds:  F1 to F3 of frame.h.
 * Limits: one frame of LIMIT_FRAME_BYTES, in memory.
 * See:    src/wire/frame.h.
 */
#include "gen.h"

#define ROUNDS 300

static enum frame_scan split(struct slice bytes, size_t limit, size_t *size)
{
    struct slice copy = gen_copy(bytes);
    const char *why = "not set";
    enum frame_scan result = frame_split(copy, limit, size, &why);
    assert_int_equal(why != NULL, result == FRAME_BAD);
    if (result == FRAME_OK)
        assert_true(*size >= FRAME_HEAD_BYTES && *size <= bytes.len && *size <= limit);
    if (result == FRAME_SHORT)
        assert_true(*size > bytes.len);
    gen_drop(copy);
    return result;
}

static void put_frame(struct frame *frame, struct buf *out)
{
    size_t begin = frame_begin(out);
    buf_append_slice(out, frame->body);
    frame_end(begin, frame->type, frame->lineage, frame->epoch, out);
}

static void gen_frame(struct rng *rng, struct buf *body, struct frame *frame)
{
    buf_reset(body);
    gen_bytes(rng, rng_below(rng, 60), body);
    *frame = (struct frame){(uint8_t)rng_u64(rng), rng_u64(rng), gen_u64(rng), buf_slice(body)};
}

/* Decodes a copy; what is accepted must re-encode to the same bytes. */
static bool accepts(struct slice bytes, struct frame *frame)
{
    struct slice copy = gen_copy(bytes);
    bool yes = frame_decode(copy, frame);
    if (yes) {
        struct buf again = BUF_EMPTY;
        put_frame(frame, &again);
        assert_true(slice_equal(buf_slice(&again), bytes));
        buf_fini(&again);
        frame->body = slice_of(bytes.ptr + FRAME_HEAD_BYTES, frame->body.len);
    }
    gen_drop(copy);
    return yes;
}

static void test_golden_bytes(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        0xf4, 2,    5,    0,    3,    0,    0,    0,    /* magic, format, type, 0, length */
        0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* lineage */
        0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* epoch */
    };
    struct frame frame = {5, 0x0102030405060708, 0x1112131415161718, SLICE_LIT("abc")};
    struct buf out = BUF_EMPTY;
    put_frame(&frame, &out);
    assert_int_equal(out.len, FRAME_HEAD_BYTES + 3);
    assert_memory_equal(out.ptr, golden, sizeof golden);
    uint64_t sum = hash_seeded(SLICE_LIT("abc"), hash_bytes(slice_of(golden, sizeof golden)));
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(out.ptr[24 + i], (uint8_t)(sum >> 8 * i));
    assert_memory_equal(out.ptr + 32, "abc", 3);
    buf_fini(&out);
}

static void test_round_trip(void **state)
{
    struct rng *rng = *state;
    struct buf body = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        struct frame frame, back;
        gen_frame(rng, &body, &frame);
        buf_reset(&out);
        buf_append(&out, "before", rng_below(rng, 7));
        size_t before = out.len, size;
        put_frame(&frame, &out);
        struct slice whole = slice_of(out.ptr + before, out.len - before);
        assert_int_equal(split(whole, LIMIT_FRAME_BYTES, &size), FRAME_OK);
        assert_int_equal(size, whole.len);
        assert_true(accepts(whole, &back));
        assert_int_equal(back.type, frame.type);
        assert_true(back.lineage == frame.lineage && back.epoch == frame.epoch);
        assert_true(slice_equal(back.body, frame.body));
    }
    buf_fini(&body);
    buf_fini(&out);
}

static void test_every_cut_is_short(void **state)
{
    struct rng *rng = *state;
    struct buf body = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS; round++) {
        struct frame frame, back;
        gen_frame(rng, &body, &frame);
        buf_reset(&out);
        put_frame(&frame, &out);
        size_t whole = out.len, size;
        for (size_t len = 0; len < whole; len++) {
            assert_int_equal(split(slice_of(out.ptr, len), LIMIT_FRAME_BYTES, &size), FRAME_SHORT);
            assert_int_equal(size, len < 8 ? FRAME_HEAD_BYTES : whole);
            assert_false(accepts(slice_of(out.ptr, len), &back));
        }
        gen_bytes(rng, 1, &out);
        assert_int_equal(split(buf_slice(&out), LIMIT_FRAME_BYTES, &size), FRAME_OK);
        assert_int_equal(size, whole);
        assert_false(accepts(buf_slice(&out), &back)); /* more than one frame */
    }
    buf_fini(&body);
    buf_fini(&out);
}

static void test_every_flipped_bit_is_found(void **state)
{
    struct rng *rng = *state;
    struct buf body = BUF_EMPTY, out = BUF_EMPTY;
    for (int round = 0; round < ROUNDS / 3; round++) {
        struct frame frame, back;
        gen_frame(rng, &body, &frame);
        buf_reset(&out);
        put_frame(&frame, &out);
        for (size_t bit = 0; bit < out.len * 8; bit++) {
            size_t size;
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_false(accepts(buf_slice(&out), &back));
            enum frame_scan result = split(buf_slice(&out), LIMIT_FRAME_BYTES, &size);
            if (bit < 16 || bit / 8 == 3)
                assert_int_equal(result, FRAME_BAD);
            /* A shorter frame that the flip pretends is not one either. */
            if (result == FRAME_OK)
                assert_false(accepts(slice_of(out.ptr, size), &back));
            out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        assert_true(accepts(buf_slice(&out), &back));
    }
    buf_fini(&body);
    buf_fini(&out);
}

/* A receiver that gets a stream in pieces of any size takes out the frames that went in. */
static void test_a_stream_in_pieces(void **state)
{
    struct rng *rng = *state;
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct buf body = BUF_EMPTY, stream = BUF_EMPTY, all = BUF_EMPTY, got = BUF_EMPTY;
        size_t count = 1 + rng_below(rng, 20), found = 0, sent = 0;
        for (size_t i = 0; i < count; i++) {
            struct frame frame;
            gen_frame(rng, &body, &frame);
            put_frame(&frame, &stream);
        }
        while (sent < stream.len) {
            size_t piece = 1 + rng_below(rng, 50), size;
            if (piece > stream.len - sent)
                piece = stream.len - sent;
            buf_append(&got, stream.ptr + sent, piece);
            sent += piece;
            while (split(buf_slice(&got), LIMIT_FRAME_BYTES, &size) == FRAME_OK) {
                struct frame frame;
                assert_true(accepts(slice_of(got.ptr, size), &frame));
                put_frame(&frame, &all);
                buf_consume(&got, size);
                found++;
            }
        }
        assert_int_equal(found, count);
        assert_int_equal(got.len, 0);
        assert_true(slice_equal(buf_slice(&all), buf_slice(&stream)));
        buf_fini(&body);
        buf_fini(&stream);
        buf_fini(&all);
        buf_fini(&got);
    }
}

/* A head alone: its length decides, before the body is there. */
static enum frame_scan split_head(uint32_t body_len, size_t limit, size_t *size)
{
    struct buf head = BUF_EMPTY;
    buf_u8(&head, FRAME_MAGIC);
    buf_u8(&head, FRAME_FORMAT);
    buf_u16(&head, 1);
    buf_u32(&head, body_len);
    enum frame_scan result = split(buf_slice(&head), limit, size);
    buf_fini(&head);
    return result;
}

static void test_limits(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(split_head(68, 100, &size), FRAME_SHORT);
    assert_int_equal(size, 100);
    assert_int_equal(split_head(69, 100, &size), FRAME_BAD);
    assert_int_equal(split_head(0, FRAME_HEAD_BYTES, &size), FRAME_SHORT);
    assert_int_equal(size, FRAME_HEAD_BYTES);
    uint32_t most = LIMIT_FRAME_BYTES - FRAME_HEAD_BYTES;
    assert_int_equal(split_head(most, LIMIT_FRAME_BYTES, &size), FRAME_SHORT);
    assert_int_equal(size, LIMIT_FRAME_BYTES);
    assert_int_equal(split_head(most + 1, LIMIT_FRAME_BYTES, &size), FRAME_BAD);
    assert_int_equal(split_head(most + 1, SIZE_MAX, &size), FRAME_BAD);
    assert_int_equal(split_head(UINT32_MAX, SIZE_MAX, &size), FRAME_BAD);
}

static void test_greatest_frame(void **state)
{
    (void)state;
    struct buf out = BUF_EMPTY;
    struct frame frame;
    size_t begin = frame_begin(&out), size;
    const char *why;
    memset(buf_grow(&out, LIMIT_FRAME_BYTES - FRAME_HEAD_BYTES), 'x',
           LIMIT_FRAME_BYTES - FRAME_HEAD_BYTES);
    frame_end(begin, MSG_DATA, 1, 2, &out);
    assert_int_equal(frame_split(buf_slice(&out), LIMIT_FRAME_BYTES, &size, &why), FRAME_OK);
    assert_int_equal(size, LIMIT_FRAME_BYTES);
    assert_true(frame_decode(buf_slice(&out), &frame));
    assert_int_equal(frame.body.len, LIMIT_FRAME_BYTES - FRAME_HEAD_BYTES);
    out.ptr[out.len - 1] ^= 1;
    assert_false(frame_decode(buf_slice(&out), &frame));
    buf_fini(&out);
}

/* A frame with a right sum, whatever its head says. */
static bool accepts_forged(uint8_t format, uint8_t reserved, uint32_t length, size_t body_len)
{
    struct buf out = BUF_EMPTY;
    struct frame frame;
    buf_u8(&out, FRAME_MAGIC);
    buf_u8(&out, format);
    buf_u8(&out, MSG_DATA);
    buf_u8(&out, reserved);
    buf_u32(&out, length);
    buf_u64(&out, 1);
    buf_u64(&out, 2);
    uint64_t seed = hash_bytes(buf_slice(&out));
    buf_u64(&out, 0);
    memset(buf_grow(&out, body_len), 'x', body_len);
    struct slice body = slice_of(out.ptr + FRAME_HEAD_BYTES, body_len);
    struct buf sum = BUF_EMPTY;
    buf_u64(&sum, hash_seeded(body, seed));
    memcpy(out.ptr + 24, sum.ptr, 8);
    bool yes = frame_decode(buf_slice(&out), &frame);
    buf_fini(&sum);
    buf_fini(&out);
    return yes;
}

static void test_heads_that_make_no_sense(void **state)
{
    (void)state;
    assert_true(accepts_forged(FRAME_FORMAT, 0, 20, 20));
    assert_false(accepts_forged(FRAME_FORMAT + 1, 0, 20, 20));
    assert_false(accepts_forged(FRAME_FORMAT, 1, 20, 20));
    assert_false(accepts_forged(FRAME_FORMAT, 0, 19, 20));
    assert_false(accepts_forged(FRAME_FORMAT, 0, 21, 20));
    uint32_t most = LIMIT_FRAME_BYTES - FRAME_HEAD_BYTES;
    assert_true(accepts_forged(FRAME_FORMAT, 0, most, most));
    assert_false(accepts_forged(FRAME_FORMAT, 0, most + 1, most + 1));
}

/* F1, and what else knocks at a port: refused at the first byte. */
static void test_other_protocols(void **state)
{
    (void)state;
    static const char *const first[] = {
        "GET / HTTP/1.1\r\n", "PUT /kvs", "\r\n", "*1\r\n$4\r\nPING",
        "\x16\x03\x01",       "SSH-2.0-", "\x00", " "};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        size_t size;
        assert_int_equal(split(slice_of(first[i], 1), LIMIT_FRAME_BYTES, &size), FRAME_BAD);
        struct slice all = slice_str(first[i]);
        if (all.len > 0)
            assert_int_equal(split(all, LIMIT_FRAME_BYTES, &size), FRAME_BAD);
    }
    size_t size;
    for (unsigned byte = 0; byte < 128; byte++) {
        uint8_t bytes[1] = {(uint8_t)byte};
        assert_int_equal(split(slice_of(bytes, 1), LIMIT_FRAME_BYTES, &size), FRAME_BAD);
    }
    uint8_t other_format[2] = {FRAME_MAGIC, FRAME_FORMAT + 1};
    assert_int_equal(split(slice_of(other_format, 1), LIMIT_FRAME_BYTES, &size), FRAME_SHORT);
    assert_int_equal(split(slice_of(other_format, 2), LIMIT_FRAME_BYTES, &size), FRAME_BAD);
}

int main(void)
{
    struct rng rng = gen_rng();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test_prestate(test_round_trip, &rng),
        cmocka_unit_test_prestate(test_every_cut_is_short, &rng),
        cmocka_unit_test_prestate(test_every_flipped_bit_is_found, &rng),
        cmocka_unit_test_prestate(test_a_stream_in_pieces, &rng),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_greatest_frame),
        cmocka_unit_test(test_heads_that_make_no_sense),
        cmocka_unit_test(test_other_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
