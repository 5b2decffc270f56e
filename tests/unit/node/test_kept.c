/* test_kept - answers that may not have been heard.
 *
 * Does:   what was heard is forgotten, what was not comes back in order; the oldest make room;
 *         against a list that is searched from end to end.
 * Not:    when to say them again: test_calls.
 * Holds:  E1, E2 of kept.h.
 * Limits: -
 * See:    src/node/kept.h.
 */
#include "node/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void add(struct kept *kept, uint64_t to, uint32_t generation, uint64_t number,
                const char *text)
{
    kept_add(kept, to, generation, number, slice_str(text));
    kept_check(kept);
}

static void expect(struct kept *kept, uint64_t to, uint32_t but, struct kept_at *at,
                   const char *text)
{
    struct slice frame;
    assert_true(kept_take(kept, to, but, at, &frame));
    assert_true(slice_equal(frame, slice_str(text)));
}

static void expect_none(struct kept *kept, uint64_t to, uint32_t but, struct kept_at *at)
{
    struct slice frame;
    assert_false(kept_take(kept, to, but, at, &frame));
}

static void unheard_comes_back(void **state)
{
    (void)state;
    struct kept kept;
    kept_init(&kept);
    add(&kept, 7, 1, 1, "one");
    add(&kept, 8, 1, 1, "other");
    add(&kept, 7, 1, 2, "two");
    add(&kept, 7, 0, 0, "nowhere");
    add(&kept, 7, 1, 4, "four");
    add(&kept, 7, 2, 1, "new");
    kept_heard(&kept, 7, 1, 2);
    kept_heard(&kept, 7, 0, 0); /* "none": what did not leave was not heard */
    struct kept_at at = {0};
    expect(&kept, 7, 2, &at, "nowhere");
    expect(&kept, 7, 2, &at, "four");
    expect_none(&kept, 7, 2, &at);
    at = (struct kept_at){0};
    expect(&kept, 8, 9, &at, "other");
    expect_none(&kept, 8, 9, &at);
    at = (struct kept_at){0};
    expect(&kept, 7, 3, &at, "new");
    expect_none(&kept, 7, 3, &at);
    kept_heard(&kept, 9, 1, 1);
    assert_int_equal(kept.count, 0);
    assert_int_equal(kept.bytes.len, 0);
    kept_fini(&kept);
}

static void large_ones_are_not_kept(void **state)
{
    (void)state;
    static uint8_t bytes[LIMIT_KEPT_FRAME_BYTES + 1];
    struct kept kept;
    kept_init(&kept);
    kept_add(&kept, 7, 1, 1, slice_of(bytes, sizeof(bytes)));
    assert_int_equal(kept.count, 0);
    kept_add(&kept, 7, 1, 2, slice_of(bytes, sizeof(bytes) - 1));
    assert_int_equal(kept.count, 1);
    kept_fini(&kept);
}

/* Somebody who never says what it heard: the oldest go, the newest stay. */
static void oldest_make_room(void **state)
{
    (void)state;
    struct kept kept;
    kept_init(&kept);
    uint8_t frame[1000] = {0};
    uint64_t count = 10 * LIMIT_KEPT_BYTES / sizeof(frame);
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(frame, &i, sizeof(i));
        kept_add(&kept, 7, 1, i, slice_of(frame, sizeof(frame)));
        assert_true(kept.bytes.len <= LIMIT_KEPT_BYTES);
    }
    kept_check(&kept);
    assert_true(kept_bytes(&kept) <= 4 * LIMIT_KEPT_BYTES);
    struct kept_at at = {0};
    struct slice bytes;
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t taken = 0;
    while (kept_take(&kept, 7, 2, &at, &bytes)) {
        memcpy(&last, bytes.ptr, sizeof(last));
        first = first == 0 ? last : first;
        assert_int_equal(last, first + taken);
        taken++;
    }
    assert_int_equal(last, count);
    assert_true(taken * sizeof(frame) >= LIMIT_KEPT_BYTES / 2 - sizeof(frame));
    assert_int_equal(taken + kept.forgotten, count);
    kept_fini(&kept);
}

/* ---- against a naive list ---- */

#define NAIVE 2000U

struct naive {
    uint64_t to, number, mark;
    uint32_t generation;
};

static void random_histories(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11257);
    static struct naive naive[NAIVE];
    struct kept kept;
    kept_init(&kept);
    uint32_t count = 0;
    for (uint32_t i = 0; i < NAIVE; i++) {
        uint64_t to = rng_between(&rng, 1, 3);
        uint32_t generation = (uint32_t)rng_below(&rng, 4);
        uint64_t number = generation == 0 ? 0 : rng_between(&rng, 1, 50);
        uint64_t what = rng_below(&rng, 20);
        if (what > 1) {
            naive[count++] = (struct naive){to, number, i, generation};
            kept_add(&kept, to, generation, number, slice_of(&i, sizeof(i)));
        } else if (what == 1) {
            kept_heard(&kept, to, generation, number);
            for (uint32_t j = 0; j < count; j++)
                if (naive[j].number > 0 && naive[j].to == to && naive[j].generation == generation &&
                    naive[j].number <= number)
                    naive[j].to = 0;
        } else {
            struct kept_at at = {0};
            struct slice frame;
            for (uint32_t j = 0; j < count; j++) {
                if (naive[j].to != to || naive[j].generation == generation)
                    continue;
                naive[j].to = 0;
                uint32_t mark = 0;
                assert_true(kept_take(&kept, to, generation, &at, &frame));
                memcpy(&mark, frame.ptr, sizeof(mark));
                assert_int_equal(mark, naive[j].mark);
            }
            assert_false(kept_take(&kept, to, generation, &at, &frame));
        }
        kept_check(&kept);
    }
    kept_fini(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unheard_comes_back),
        cmocka_unit_test(large_ones_are_not_kept),
        cmocka_unit_test(oldest_make_room),
        cmocka_unit_test(random_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
