/* test_corpus - the seeds of the fuzz targets of wire: made here, and found good here.
 *
 * Does:   with a folder as its argument (tests/fuzz/corpus) writes them there; always decodes
 *         what it makes, so that no seed is garbage after a change of a format.
 * Not:    fuzzing.
 * Holds:  the same seeds every time: the committed files change only with a format.
 * Limits: -
 * See:    tests/fuzz/fuzz_frame.c, fuzz_msg.c, fuzz_record.c.
 *
 * Usage:  build/<kind>/bin/test_wire_corpus tests/fuzz/corpus
 */
#include "gen.h"

#include <errno.h>
#include <sys/stat.h>

#define CORPUS_SEED 2024

struct corpus {
    const char *folder; /* where to write; NULL: nowhere */
    struct rng rng;     /* always from the same seed */
    struct buf memory;  /* what generated slices borrow */
};

static void save(struct corpus *corpus, const char *target, const char *name, unsigned number,
                 const struct buf *bytes)
{
    char path[4096];
    if (corpus->folder == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", corpus->folder, target);
    assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "%s/%s/%s-%u", corpus->folder, target, name, number);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->ptr, 1, bytes->len, file), bytes->len);
    assert_int_equal(fclose(file), 0);
}

/* --- records ---------------------------------------------------------------------------------- */

static void test_records(void **state)
{
    struct corpus *corpus = *state;
    static const enum record_kind kinds[] = {RECORD_ARRIVAL, RECORD_WALKED, RECORD_DUMP};
    struct buf version_bytes = BUF_EMPTY, log = BUF_EMPTY;
    for (unsigned i = 0; i < 8; i++) {
        struct version version, back;
        buf_reset(&version_bytes);
        gen_version(&corpus->rng, &corpus->memory, &version);
        version_encode(&version, &version_bytes);
        assert_true(version_decode(buf_slice(&version_bytes), &back));
        save(corpus, "record", "version", i, &version_bytes);
        record_encode(kinds[i % 3], buf_slice(&version_bytes), &log);
        struct record record;
        assert_int_equal(record_decode(buf_slice(&log), &record), RECORD_OK);
        if (i % 2 == 1) {
            record_encode(RECORD_STOP, SLICE_EMPTY, &log);
            save(corpus, "record", "log", i, &log);
            buf_reset(&log);
        }
    }
    buf_fini(&version_bytes);
    buf_fini(&log);
}

/* --- messages, alone and in frames ------------------------------------------------------------ */

static void make_u8(struct corpus *corpus, uint8_t *value)
{
    *value = (uint8_t)rng_below(&corpus->rng, 4);
}

static void make_u32(struct corpus *corpus, uint32_t *value)
{
    *value = (uint32_t)rng_below(&corpus->rng, 100);
}

static void make_u64(struct corpus *corpus, uint64_t *value)
{
    *value = gen_u64(&corpus->rng);
}

static void make_bytes(struct corpus *corpus, struct slice *value)
{
    size_t len = rng_below(&corpus->rng, 20);
    assert_true(corpus->memory.len + len <= corpus->memory.cap);
    gen_bytes(&corpus->rng, len, &corpus->memory);
    *value = slice_of(corpus->memory.ptr + corpus->memory.len - len, len);
}

static void make_vv(struct corpus *corpus, struct vv *value)
{
    gen_vv(&corpus->rng, (uint32_t)rng_below(&corpus->rng, 4), value);
}

static void make_ranges(struct corpus *corpus, struct ranges *value)
{
    gen_ranges(&corpus->rng, (uint32_t)rng_below(&corpus->rng, 4), value);
}

static void make_ctx(struct corpus *corpus, struct ctx *value)
{
    value->lineage = rng_u64(&corpus->rng) | 1;
    value->fence = rng_below(&corpus->rng, 9);
    make_vv(corpus, &value->seen);
}

/* The body of one message: after the type for fuzz_msg, in a frame for fuzz_frame. */
static void save_body(struct corpus *corpus, const char *name, uint8_t type, unsigned number,
                      struct buf *body)
{
    struct buf out = BUF_EMPTY;
    buf_u8(&out, type);
    buf_append_slice(&out, buf_slice(body));
    save(corpus, "msg", name, number, &out);
    buf_reset(&out);
    size_t begin = frame_begin(&out);
    buf_append_slice(&out, buf_slice(body));
    frame_end(begin, type, 0x1234, number, &out);
    struct frame frame;
    assert_true(frame_decode(buf_slice(&out), &frame));
    if (number == 0 && type <= MSG_DATA)
        save(corpus, "frame", name, number, &out);
    buf_fini(&out);
}

#define MAKE(type, name) make_##type(corpus, &msg.name);
#define M(NAME, name, number)                                                                      \
    static void make_msg_##name(struct corpus *corpus, unsigned seed)                              \
    {                                                                                              \
        struct msg_##name msg, back;                                                               \
        struct buf body = BUF_EMPTY;                                                               \
        buf_reset(&corpus->memory);                                                                \
        MSG_FIELDS_##NAME(MAKE) msg_##name##_encode(&msg, &body);                                  \
        assert_true(msg_##name##_decode(buf_slice(&body), &back));                                 \
        save_body(corpus, #name, MSG_##NAME, seed, &body);                                         \
        buf_fini(&body);                                                                           \
    }
MSG_LIST(M)
#undef M

static void test_messages(void **state)
{
    struct corpus *corpus = *state;
    for (unsigned seed = 0; seed < 2; seed++) {
#define M(NAME, name, number) make_msg_##name(corpus, seed);
        MSG_LIST(M)
#undef M
    }
}

/* Several frames on one connection. */
static void test_streams(void **state)
{
    struct corpus *corpus = *state;
    struct outbox outbox;
    outbox_init(&outbox);
    outbox.lineage = 0x1234;
    for (uint64_t i = 0; i < 3; i++) {
        outbox.epoch = i;
        outbox_walk_ack(&outbox, 1, &(struct msg_walk_ack){.walk = i, .number = i});
        outbox_walk_stop(&outbox, 1, &(struct msg_walk_stop){.walk = i});
    }
    size_t size;
    const char *why;
    assert_int_equal(frame_split(buf_slice(&outbox.bytes), LIMIT_FRAME_BYTES, &size, &why),
                     FRAME_OK);
    save(corpus, "frame", "stream", 0, &outbox.bytes);
    outbox_fini(&outbox);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {.folder = argc > 1 ? argv[1] : NULL, .memory = BUF_EMPTY};
    rng_init(&corpus.rng, CORPUS_SEED);
    buf_reserve(&corpus.memory, 4096);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_records, &corpus),
        cmocka_unit_test_prestate(test_messages, &corpus),
        cmocka_unit_test_prestate(test_streams, &corpus),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&corpus.memory);
    return failed;
}
