/* test_vtime - virtual time goes forwards, and a seed repeats it.
 *
 * Does:   order, shuffling of simultaneous events, repetition.
 * Not:    -
 * Holds:  H1, H2 of vtime.h.
 * Limits: -
 * See:    src/sim/vtime.h.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fill(struct vtime *time, uint64_t seed)
{
    struct rng rng;
    vtime_init(time, seed);
    rng_init(&rng, 7);
    for (uint32_t i = 0; i < 1000; i++) {
        vtime_after(time, rng_below(&rng, 50), 1, i, 0, 0);
        vtime_check(time);
    }
}

static void test_order(void **state)
{
    (void)state;
    struct vtime time;
    fill(&time, 1);
    struct vevent event;
    uint64_t last = 0;
    uint32_t count = 0;
    while (vtime_next(&time, &event)) {
        assert_true(event.at_us >= last);
        assert_int_equal(time.now_us, event.at_us);
        last = event.at_us;
        count++;
    }
    assert_int_equal(count, 1000);
    vtime_fini(&time);
}

static uint64_t digest(uint64_t seed)
{
    struct vtime time;
    struct vevent event;
    uint64_t hash = 0;
    fill(&time, seed);
    while (vtime_next(&time, &event))
        hash = hash_seeded(slice_of(&event.a, sizeof event.a), hash);
    vtime_fini(&time);
    return hash;
}

static void test_seed(void **state)
{
    (void)state;
    assert_true(digest(1) == digest(1));
    assert_true(digest(1) != digest(2)); /* what is simultaneous is shuffled */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
