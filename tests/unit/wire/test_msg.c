/* test_msg - every message, made from the same list as the code, judged by a second codec.
 *
 * Does:   for each row of msg.def: layout against a naive writer, round trips, every cut, every
 *         flipped bit; each field type with what it must refuse; limits at their edge.
 * Not:    what the fields mean.
 * Holds:  as msg.h.
 * Limits: -
 * See:    src/wire/msg.def.
 */
#include "gen.h"

#define ROUNDS 60

/* --- one generator, one naive writer, one comparison and one check for each field type ------- */

struct maker {
    struct rng rng;    /* where numbers come from */
    struct buf memory; /* what generated slices borrow; reserved in main, never grown */
};

static void gen_field_u8(struct maker *maker, uint8_t *value)
{
    *value = (uint8_t)rng_u64(&maker->rng);
}

static void gen_field_u32(struct maker *maker, uint32_t *value)
{
    *value = (uint32_t)gen_u64(&maker->rng);
}

static void gen_field_u64(struct maker *maker, uint64_t *value)
{
    *value = gen_u64(&maker->rng);
}

static void gen_field_bytes(struct maker *maker, struct slice *value)
{
    size_t len = rng_below(&maker->rng, 30);
    assert_true(maker->memory.len + len <= maker->memory.cap);
    gen_bytes(&maker->rng, len, &maker->memory);
    *value = slice_of(maker->memory.ptr + maker->memory.len - len, len);
}

static void gen_field_vv(struct maker *maker, struct vv *value)
{
    gen_vv(&maker->rng, gen_count(&maker->rng, LIMIT_VV_ENTRIES), value);
}

static void gen_field_ranges(struct maker *maker, struct ranges *value)
{
    gen_ranges(&maker->rng, gen_count(&maker->rng, LIMIT_ACTORS), value);
}

static void gen_field_ctx(struct maker *maker, struct ctx *value)
{
    gen_ctx(&maker->rng, value);
}

static void naive_u8(struct buf *out, const uint8_t *value)
{
    buf_u8(out, *value);
}

static void naive_u32(struct buf *out, const uint32_t *value)
{
    buf_u32(out, *value);
}

static void naive_u64(struct buf *out, const uint64_t *value)
{
    buf_u64(out, *value);
}

static void naive_bytes(struct buf *out, const struct slice *value)
{
    buf_u32(out, (uint32_t)value->len);
    buf_append_slice(out, *value);
}

static void naive_vv(struct buf *out, const struct vv *value)
{
    buf_u32(out, value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        buf_u32(out, value->entries[i].actor);
        buf_u64(out, value->entries[i].seq);
    }
}

static void naive_ranges(struct buf *out, const struct ranges *value)
{
    buf_u32(out, value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        buf_u32(out, value->list[i].actor);
        buf_u64(out, value->list[i].low);
        buf_u64(out, value->list[i].high);
    }
}

static void naive_ctx(struct buf *out, const struct ctx *value)
{
    buf_u64(out, value->lineage);
    buf_u64(out, value->fence);
    naive_vv(out, &value->seen);
}

static void same_u8(const uint8_t *a, const uint8_t *b)
{
    assert_int_equal(*a, *b);
}

static void same_u32(const uint32_t *a, const uint32_t *b)
{
    assert_int_equal(*a, *b);
}

static void same_u64(const uint64_t *a, const uint64_t *b)
{
    assert_true(*a == *b);
}

static void same_bytes(const struct slice *a, const struct slice *b)
{
    assert_true(slice_equal(*a, *b));
}

static void same_vv(const struct vv *a, const struct vv *b)
{
    assert_int_equal(vv_compare(a, b), VV_EQUAL);
    assert_int_equal(a->count, b->count);
}

static void same_ranges(const struct ranges *a, const struct ranges *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_int_equal(a->list[i].actor, b->list[i].actor);
        assert_true(a->list[i].low == b->list[i].low && a->list[i].high == b->list[i].high);
    }
}

static void same_ctx(const struct ctx *a, const struct ctx *b)
{
    assert_true(a->lineage == b->lineage && a->fence == b->fence);
    same_vv(&a->seen, &b->seen);
}

static void check_u8(const uint8_t *value)
{
    (void)value;
}

static void check_u32(const uint32_t *value)
{
    (void)value;
}

static void check_u64(const uint64_t *value)
{
    (void)value;
}

static void check_bytes(const struct slice *value)
{
    assert_true(value->len == 0 || value->ptr != NULL);
}

static void check_vv(const struct vv *value)
{
    vv_check(value);
    for (uint32_t i = 0; i < value->count; i++)
        assert_true(value->entries[i].seq <= LIMIT_SEQ);
}

static void check_ranges(const struct ranges *value)
{
    ranges_check(value);
}

static void check_ctx(const struct ctx *value)
{
    ctx_check(value);
    check_vv(&value->seen);
}

/* --- the same tests for every message --------------------------------------------------------- */

/* What a test needs to know of one message; msg points to memory of its size. */
struct tested {
    const char *name;                                 /* as in msg.def */
    size_t size;                                      /* of the structure */
    void (*make)(struct maker *maker, void *msg);     /* random and valid */
    void (*encode)(const void *msg, struct buf *out); /* the code */
    void (*naive)(const void *msg, struct buf *out);  /* the second one */
    bool (*decode)(struct slice body, void *msg);     /* the code */
    void (*same)(const void *a, const void *b);       /* asserts */
    void (*check)(const void *msg);                   /* asserts what msg.h promises */
};

#define MAKE(type, name) gen_field_##type(maker, &msg->name);
#define NAIVE(type, name) naive_##type(out, &msg->name);
#define SAME(type, name) same_##type(&a->name, &b->name);
#define CHECK(type, name) check_##type(&msg->name);
#define M(NAME, name, number)                                                                      \
    static void make_##name(struct maker *maker, void *memory_of_msg)                              \
    {                                                                                              \
        struct msg_##name *msg = memory_of_msg;                                                    \
        MSG_FIELDS_##NAME(MAKE)                                                                    \
    }                                                                                              \
    static void encode_##name(const void *msg, struct buf *out)                                    \
    {                                                                                              \
        msg_##name##_encode(msg, out);                                                             \
    }                                                                                              \
    static void naive_##name(const void *memory_of_msg, struct buf *out)                           \
    {                                                                                              \
        const struct msg_##name *msg = memory_of_msg;                                              \
        MSG_FIELDS_##NAME(NAIVE)                                                                   \
    }                                                                                              \
    static bool decode_##name(struct slice body, void *msg)                                        \
    {                                                                                              \
        return msg_##name##_decode(body, msg);                                                     \
    }                                                                                              \
    static void same_##name(const void *first, const void *second)                                 \
    {                                                                                              \
        const struct msg_##name *a = first, *b = second;                                           \
        MSG_FIELDS_##NAME(SAME)                                                                    \
    }                                                                                              \
    static void check_##name(const void *memory_of_msg)                                            \
    {                                                                                              \
        const struct msg_##name *msg = memory_of_msg;                                              \
        MSG_FIELDS_##NAME(CHECK)                                                                   \
    }
MSG_LIST(M)
#undef M

static const struct tested tested[] = {
#define M(NAME, name, number)                                                                      \
    {#NAME,        sizeof(struct msg_##name),                                                      \
     make_##name,  encode_##name,                                                                  \
     naive_##name, decode_##name,                                                                  \
     same_##name,  check_##name},
    MSG_LIST(M)
#undef M
};

#define TESTED (sizeof tested / sizeof tested[0])

/* Decodes a copy that ends where its memory ends. What is accepted holds and re-encodes to the
 * same bytes. */
static bool accepts(const struct tested *test, struct slice bytes)
{
    struct slice copy = gen_copy(bytes);
    void *msg = mem_alloc(test->size);
    memset(msg, 0xa5, test->size);
    bool yes = test->decode(copy, msg);
    if (yes) {
        test->check(msg);
        struct buf again = BUF_EMPTY;
        test->encode(msg, &again);
        assert_true(slice_equal(buf_slice(&again), copy));
        buf_fini(&again);
    }
    mem_free(msg);
    gen_drop(copy);
    return yes;
}

static void round_trip(struct maker *maker, const struct tested *test)
{
    void *msg = mem_zalloc(1, test->size), *back = mem_zalloc(1, test->size);
    struct buf out = BUF_EMPTY, naive = BUF_EMPTY;
    buf_reset(&maker->memory);
    test->make(maker, msg);
    test->encode(msg, &out);
    test->naive(msg, &naive);
    assert_true(slice_equal(buf_slice(&out), buf_slice(&naive)));
    assert_true(test->decode(buf_slice(&out), back));
    test->same(msg, back);
    assert_true(accepts(test, buf_slice(&out)));
    buf_reset(&naive); /* appended to what is there */
    buf_append(&naive, "before", 6);
    test->encode(msg, &naive);
    assert_memory_equal(naive.ptr, "before", 6);
    assert_true(slice_equal(buf_slice(&out), slice_of(naive.ptr + 6, naive.len - 6)));
    buf_fini(&out);
    buf_fini(&naive);
    mem_free(msg);
    mem_free(back);
}

static void test_round_trips(void **state)
{
    for (size_t i = 0; i < TESTED; i++)
        for (int round = 0; round < ROUNDS; round++)
            round_trip(*state, &tested[i]);
}

static void make_bytes(struct maker *maker, const struct tested *test, struct buf *out)
{
    void *msg = mem_zalloc(1, test->size);
    buf_reset(&maker->memory);
    test->make(maker, msg);
    buf_reset(out);
    test->encode(msg, out);
    mem_free(msg);
}

static void test_every_cut_is_refused(void **state)
{
    struct buf out = BUF_EMPTY;
    for (size_t i = 0; i < TESTED; i++) {
        for (int round = 0; round < 4; round++) {
            make_bytes(*state, &tested[i], &out);
            for (size_t len = 0; len < out.len; len++)
                assert_false(accepts(&tested[i], slice_of(out.ptr, len)));
            size_t whole = out.len;
            for (size_t more = 1; more <= 16; more++) {
                buf_u8(&out, 0);
                assert_false(accepts(&tested[i], slice_of(out.ptr, whole + more)));
            }
        }
    }
    buf_fini(&out);
}

/* The frame's sum finds altered bytes; here what is accepted must merely be valid (accepts). */
static void test_every_flipped_bit(void **state)
{
    struct buf out = BUF_EMPTY;
    for (size_t i = 0; i < TESTED; i++) {
        for (int round = 0; round < 2; round++) {
            make_bytes(*state, &tested[i], &out);
            for (size_t bit = 0; bit < out.len * 8; bit++) {
                out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
                accepts(&tested[i], buf_slice(&out));
                out.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
        }
    }
    buf_fini(&out);
}

static void test_noise(void **state)
{
    struct maker *maker = *state;
    struct rng *rng = &maker->rng;
    struct buf out = BUF_EMPTY;
    for (int round = 0; round < 20000; round++) {
        buf_reset(&out);
        gen_bytes(rng, rng_below(rng, 120), &out);
        for (size_t i = 0; i < out.len; i++) /* mostly small numbers */
            out.ptr[i] = rng_chance(rng, 3, 4) ? 0 : out.ptr[i] & 7;
        accepts(&tested[rng_below(rng, TESTED)], buf_slice(&out));
    }
    buf_fini(&out);
}

/* --- each field type -------------------------------------------------------------------------- */

static bool accepts_vv(uint32_t count, struct dot first, struct dot second)
{
    struct buf out = BUF_EMPTY;
    buf_u32(&out, 9); /* WALK_BEGIN: shard, walk, next_actor, clock, below */
    buf_u64(&out, 1);
    buf_u32(&out, 2);
    buf_u64(&out, 3);
    buf_u32(&out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct dot dot = i == 0 ? first : second;
        buf_u32(&out, i < 2 ? dot.actor : second.actor + i);
        buf_u64(&out, dot.seq);
    }
    bool yes = accepts(&tested[MSG_WALK_BEGIN - 1], buf_slice(&out));
    buf_fini(&out);
    return yes;
}

static void test_vectors(void **state)
{
    (void)state;
    struct dot one = {1, 1}, two = {2, LIMIT_SEQ};
    assert_string_equal(tested[MSG_WALK_BEGIN - 1].name, "WALK_BEGIN");
    assert_true(accepts_vv(0, one, two));
    assert_true(accepts_vv(2, one, two));
    assert_true(accepts_vv(LIMIT_VV_ENTRIES, one, two));
    assert_false(accepts_vv(LIMIT_VV_ENTRIES + 1, one, two));
    assert_false(accepts_vv(2, two, one));                /* V1 */
    assert_false(accepts_vv(2, one, one));                /* V1 */
    assert_false(accepts_vv(2, (struct dot){0, 1}, two)); /* V2 */
    assert_false(accepts_vv(2, one, (struct dot){2, 0})); /* V2 */
    assert_false(accepts_vv(2, one, (struct dot){2, LIMIT_SEQ + 1}));
    assert_true(accepts_vv(2, one, (struct dot){UINT32_MAX, 1}));
}

/* A count without its entries: nothing may be reserved or read for it. */
static void test_counts_that_lie(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1,
                                      LIMIT_VV_ENTRIES,
                                      LIMIT_VV_ENTRIES + 1,
                                      UINT32_MAX / 12,
                                      357913942 /* times 12 is 8 modulo 2^32 */,
                                      UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct buf out = BUF_EMPTY;
        buf_u64(&out, 1);
        buf_u32(&out, 2);
        buf_u64(&out, 3);
        buf_u32(&out, counts[i]);
        assert_false(accepts(&tested[MSG_WALK_BEGIN - 1], buf_slice(&out)));
        buf_u64(&out, 1);
        assert_false(accepts(&tested[MSG_WALK_BEGIN - 1], buf_slice(&out)));
        buf_reset(&out);
        buf_u32(&out, counts[i]);
        assert_false(accepts(&tested[MSG_DATA - 1], buf_slice(&out)));
        buf_fini(&out);
    }
}

static bool accepts_range(uint32_t count, uint32_t step, uint64_t low, uint64_t high)
{
    struct msg_report report = {0};
    struct buf out = BUF_EMPTY;
    msg_report_encode(&report, &out);
    out.len -= 2 * sizeof(uint32_t); /* an empty list of ranges and an empty vector end it */
    buf_u32(&out, count);
    for (uint32_t i = 0; i < count; i++) {
        buf_u32(&out, 1 + i * step);
        buf_u64(&out, low);
        buf_u64(&out, high);
    }
    buf_u32(&out, 0);
    bool yes = accepts(&tested[MSG_REPORT - 1], buf_slice(&out));
    buf_fini(&out);
    return yes;
}

static void test_ranges(void **state)
{
    (void)state;
    assert_true(accepts_range(0, 1, 1, 1));
    assert_true(accepts_range(2, 1, 1, LIMIT_SEQ));
    assert_true(accepts_range(LIMIT_ACTORS, 1, 5, 5));
    assert_false(accepts_range(LIMIT_ACTORS + 1, 1, 5, 5));
    assert_false(accepts_range(2, 0, 1, 1));          /* N1: the same actor */
    assert_false(accepts_range(2, UINT32_MAX, 1, 1)); /* N1: actor 1, then 0 */
    assert_false(accepts_range(1, 1, 0, 1));          /* N2 */
    assert_false(accepts_range(1, 1, 2, 1));
    assert_false(accepts_range(1, 1, 1, LIMIT_SEQ + 1));
}

static bool accepts_ctx(uint64_t lineage, uint64_t fence, uint32_t entries)
{
    struct msg_forward forward = {0};
    struct buf naive = BUF_EMPTY;
    forward.ctx.lineage = lineage;
    forward.ctx.fence = fence;
    for (uint32_t i = 1; i <= entries; i++)
        assert_true(vv_set(&forward.ctx.seen, i, i));
    naive_forward(&forward, &naive);
    bool yes = accepts(&tested[MSG_FORWARD - 1], buf_slice(&naive));
    buf_fini(&naive);
    return yes;
}

static void test_contexts(void **state)
{
    (void)state;
    assert_true(accepts_ctx(0, 0, 0));
    assert_true(accepts_ctx(1, 0, 0));
    assert_true(accepts_ctx(1, 2, LIMIT_VV_ENTRIES));
    assert_false(accepts_ctx(0, 2, 0)); /* C2 */
    assert_false(accepts_ctx(0, 0, 1)); /* C2 */
}

static void test_golden_bytes(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        14, 0, 0, 0,                                        /* shard */
        1,  0, 0, 0, 2,  13, 0, 0, 0,                       /* echo flags actor */
        3,  0, 0, 0, 0,  0,  0, 0, 4,  0, 0, 0, 0, 0, 0, 0, /* seq clock */
        5,  0, 0, 0, 0,  0,  0, 0,                          /* wall */
        1,  0, 0, 0, 6,  0,  0, 0, 7,  0, 0, 0, 0, 0, 0, 0, /* coverage */
        1,  0, 0, 0, 8,  0,  0, 0, 9,  0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, /* ranges */
        1,  0, 0, 0, 11, 0,  0, 0, 12, 0, 0, 0, 0, 0, 0, 0,                          /* highest */
    };
    struct msg_report report = {.shard = 14,
                                .echo = 1,
                                .flags = REPORT_DOUBT,
                                .actor = 13,
                                .clock_seq = 3,
                                .clock = 4,
                                .wall_ms = 5};
    assert_true(vv_set(&report.coverage, 6, 7));
    assert_true(vv_set(&report.highest, 11, 12));
    assert_true(ranges_set(&report.ranges, 8, 9, 10));
    struct buf out = BUF_EMPTY;
    msg_report_encode(&report, &out);
    assert_int_equal(out.len, sizeof golden);
    assert_memory_equal(out.ptr, golden, sizeof golden);
    buf_fini(&out);
}

static void test_names_and_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < TESTED; i++)
        assert_string_equal(msg_name((uint8_t)(i + 1)), tested[i].name);
    assert_string_equal(msg_name(0), "?");
    assert_string_equal(msg_name(TESTED + 1), "?");
    assert_string_equal(msg_name(255), "?");
    assert_int_equal(MSG_HELLO, 1); /* on the wire: these stay */
    assert_int_equal(MSG_DATA, 5);
    assert_int_equal(MSG_ACCEPTED, 17);
    assert_int_equal(MSG_WALK_BEGIN, 18);
    assert_int_equal(MSG_CALLS_HEARD, 19);
}

int main(void)
{
    struct maker maker = {gen_rng(), BUF_EMPTY};
    buf_reserve(&maker.memory, 4096);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test_prestate(test_round_trips, &maker),
        cmocka_unit_test_prestate(test_every_cut_is_refused, &maker),
        cmocka_unit_test_prestate(test_every_flipped_bit, &maker),
        cmocka_unit_test_prestate(test_noise, &maker),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_counts_that_lie),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_names_and_numbers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&maker.memory);
    return failed;
}
