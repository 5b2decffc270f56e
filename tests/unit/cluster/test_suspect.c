/* test_suspect - who is silent for too long.
 *
 * Does:   U1, U2, the two bounds, and that one long silence does not blunt the detector.
 * Not:    who acts on it.
 * Holds:  U1, U2; suspect_deadline_ms is the first moment at which suspect_is says yes.
 * Limits: -
 * See:    src/cluster/suspect.h.
 */
#include "unit.h"

#include "cluster/cluster.h"

#define SUSPECT_MS 1000U

/* Signs of life every gap_ms, count of them; returns the time of the last. */
static uint64_t hear(struct suspect *suspect, uint64_t from_ms, uint64_t gap_ms, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        from_ms += gap_ms;
        suspect_heard(suspect, from_ms);
    }
    return from_ms;
}

/* The silence in ms after which it is suspected, from its last sign of life. */
static uint64_t bound_of(const struct suspect *suspect)
{
    uint64_t deadline_ms = suspect_deadline_ms(suspect, SUSPECT_MS);
    assert_false(suspect_is(suspect, deadline_ms - 1, SUSPECT_MS));
    assert_true(suspect_is(suspect, deadline_ms, SUSPECT_MS));
    return deadline_ms - 1 - suspect->heard_ms;
}

static void test_never_heard(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    assert_true(suspect_is(&suspect, 0, SUSPECT_MS));
    assert_true(suspect_is(&suspect, UINT64_MAX, SUSPECT_MS));
    assert_int_equal(suspect_deadline_ms(&suspect, SUSPECT_MS), UINT64_MAX);
    suspect_heard(&suspect, 0); /* at the very start of time, too */
    assert_false(suspect_is(&suspect, 0, SUSPECT_MS));
    assert_false(suspect_is(&suspect, SUSPECT_MS, SUSPECT_MS));
}

static void test_regular_peer(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    hear(&suspect, 5000, 100, 50);
    assert_int_equal(bound_of(&suspect), SUSPECT_MS);
}

static void test_slow_peer_gets_more(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    hear(&suspect, 5000, 300, 100);
    assert_in_range(bound_of(&suspect), 2300, 2400); /* eight gaps of 300 */
    hear(&suspect, suspect.heard_ms, 2000, 100);
    assert_int_equal(bound_of(&suspect), 4 * SUSPECT_MS); /* no more than that */
    hear(&suspect, suspect.heard_ms, 10, 100);
    assert_int_equal(bound_of(&suspect), SUSPECT_MS);
}

/* A burst has no gaps at all, and must not be the measure of the quiet after it. */
static void test_burst(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    uint64_t now_ms = hear(&suspect, 5000, 0, 10000);
    assert_int_equal(bound_of(&suspect), SUSPECT_MS);
    hear(&suspect, now_ms, 100, 5);
    assert_int_equal(bound_of(&suspect), SUSPECT_MS);
}

static void test_one_silence_is_no_habit(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    uint64_t now_ms = hear(&suspect, 5000, 100, 50);
    suspect_heard(&suspect, now_ms + 600000);
    assert_false(suspect_is(&suspect, now_ms + 600000, SUSPECT_MS));
    assert_in_range(bound_of(&suspect), SUSPECT_MS, 2 * SUSPECT_MS);
    hear(&suspect, suspect.heard_ms, 100, 20);
    assert_int_equal(bound_of(&suspect), SUSPECT_MS);
}

static void test_reset_counts_at_once(void **state)
{
    (void)state;
    struct suspect suspect;
    suspect_init(&suspect);
    uint64_t now_ms = hear(&suspect, 5000, 100, 50);
    suspect_reset(&suspect);
    assert_true(suspect_is(&suspect, now_ms, SUSPECT_MS));
    assert_int_equal(suspect_deadline_ms(&suspect, SUSPECT_MS), UINT64_MAX);
    uint64_t mean_ms = suspect.mean_ms;
    suspect_heard(&suspect, now_ms + 900); /* the time it was away is no gap */
    assert_false(suspect_is(&suspect, now_ms + 900, SUSPECT_MS));
    assert_int_equal(suspect.mean_ms, mean_ms);
}

/* The naive rule, from the times of all signs of life. */
static bool naive_is(const uint64_t *heard, uint32_t count, uint64_t now_ms)
{
    double mean = 0;
    for (uint32_t i = 1; i < count; i++) {
        double gap = (double)(heard[i] - heard[i - 1]);
        double most = 9 * mean > 1000 ? 9 * mean : 1000;
        mean += ((gap < most ? gap : most) - mean) / 8;
    }
    double bound = 8 * mean > SUSPECT_MS ? 8 * mean : SUSPECT_MS;
    bound = bound > 4.0 * SUSPECT_MS ? 4.0 * SUSPECT_MS : bound;
    return (double)(now_ms - heard[count - 1]) > bound;
}

/* Rounding may tell the two apart within some milliseconds of the bound, no further. */
static void test_against_naive(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (int run = 0; run < 2000; run++) {
        struct suspect suspect;
        suspect_init(&suspect);
        uint64_t heard[64];
        uint64_t now_ms = rng_between(&rng, 1, 100000);
        uint32_t count = (uint32_t)rng_between(&rng, 1, 64);
        uint64_t gap_max = rng_between(&rng, 1, 700);
        for (uint32_t i = 0; i < count; i++) {
            now_ms += rng_between(&rng, 1, gap_max);
            heard[i] = now_ms;
            suspect_heard(&suspect, now_ms);
        }
        uint64_t deadline_ms = suspect_deadline_ms(&suspect, SUSPECT_MS);
        bound_of(&suspect);
        assert_false(naive_is(heard, count, deadline_ms - 80));
        assert_true(naive_is(heard, count, deadline_ms + 80));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_heard),
        cmocka_unit_test(test_regular_peer),
        cmocka_unit_test(test_slow_peer_gets_more),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_one_silence_is_no_habit),
        cmocka_unit_test(test_reset_counts_at_once),
        cmocka_unit_test(test_against_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
