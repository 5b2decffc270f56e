/* test_hlc - the clock against the paper's pair (l, c).
 *
 * Does:   H1 to H3, the counter's carry, wall clocks that step, a clock in the year 2099 (trap
 *         T15), an announced floor under a wall clock that steps back (trap T14).
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    causal/hlc.h; Kulkarni et al. 2014, figure 5.
 */
#include "unit.h"

#include "causal/causal.h"

#define MS_2026 1770000000000U
#define MS_2099 4070908800000U

/* The paper's clock: l is the greatest physical time heard of, c counts within it. Ours puts
 * both into one number, so that a full counter carries. */
struct pair {
    uint64_t l;
    uint64_t c;
};

static void pair_carry(struct pair *pair)
{
    if (pair->c > UINT16_MAX) {
        pair->l++;
        pair->c = 0;
    }
}

static void pair_tick(struct pair *pair, uint64_t wall_ms)
{
    if (wall_ms > pair->l) {
        *pair = (struct pair){wall_ms, 0};
        return;
    }
    pair->c++;
    pair_carry(pair);
}

static bool pair_receive(struct pair *pair, struct pair heard, uint64_t wall_ms)
{
    if (heard.l > wall_ms + 10000)
        return false;
    if (heard.l > pair->l || (heard.l == pair->l && heard.c > pair->c))
        *pair = heard;
    return true;
}

static uint64_t packed(struct pair pair)
{
    return pair.l << 16 | pair.c;
}

static uint64_t wall_step(struct rng *rng, uint64_t wall_ms)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return wall_ms + rng_below(rng, 100);
    case 1:
        return wall_ms - rng_below(rng, 1000); /* steps back */
    case 2:
        return wall_ms + rng_below(rng, 30000);
    default:
        return wall_ms;
    }
}

static void random_days_match_the_pair(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct hlc hlc;
    struct pair pair = {0, 0};
    uint64_t wall_ms = MS_2026;
    uint32_t refused = 0;
    hlc_init(&hlc);
    for (uint32_t step = 0; step < 200000; step++) {
        wall_ms = wall_step(&rng, wall_ms);
        if (rng_chance(&rng, 1, 2)) {
            pair_tick(&pair, wall_ms);
            assert_int_equal(hlc_tick(&hlc, wall_ms), packed(pair));
        } else {
            struct pair heard = {wall_ms - 15000 + rng_below(&rng, 30000), rng_below(&rng, 65536)};
            bool accepted = pair_receive(&pair, heard, wall_ms);
            assert_int_equal(hlc_receive(&hlc, packed(heard), wall_ms), accepted);
            refused += !accepted;
        }
        assert_int_equal(hlc.now, packed(pair));
    }
    assert_true(refused > 0);
}

static void a_tick_is_greater_than_all_before_it(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct hlc hlc;
    uint64_t greatest = 0;
    hlc_init(&hlc);
    for (uint32_t step = 0; step < 100000; step++) {
        uint64_t wall_ms = rng_below(&rng, 1000000); /* jumps about wildly */
        uint64_t before = hlc.now;
        uint64_t time = rng_below(&rng, UINT64_C(1000000) << 16);
        if (rng_chance(&rng, 1, 3)) {
            uint64_t tick = hlc_tick(&hlc, wall_ms);
            assert_true(tick > greatest);
            assert_true(tick >= hlc_from_ms(wall_ms));
            greatest = tick;
        } else if (hlc_receive(&hlc, time, wall_ms) && time > greatest) {
            greatest = time;
        }
        assert_true(hlc.now >= before);
    }
}

static void a_full_counter_carries(void **state)
{
    (void)state;
    struct hlc hlc;
    hlc_init(&hlc);
    assert_int_equal(hlc_tick(&hlc, 5), hlc_from_ms(5));
    for (uint64_t i = 1; i <= 65535; i++)
        assert_int_equal(hlc_tick(&hlc, 5), hlc_from_ms(5) + i);
    assert_int_equal(hlc_tick(&hlc, 5), hlc_from_ms(6));
    assert_int_equal(hlc_tick(&hlc, 6), hlc_from_ms(6) + 1);
    assert_int_equal(hlc_tick(&hlc, 7), hlc_from_ms(7));
    assert_int_equal(HLC_MS(hlc.now), 7);
}

static void ten_seconds_ahead_is_the_border(void **state)
{
    (void)state;
    struct hlc hlc;
    hlc_init(&hlc);
    uint64_t beyond = hlc_from_ms(MS_2026 + HLC_SKEW_MS_MAX + 1);
    assert_false(hlc_receive(&hlc, beyond, MS_2026));
    assert_int_equal(hlc.now, 0);
    assert_true(hlc_receive(&hlc, beyond - 1, MS_2026));
    assert_int_equal(hlc.now, beyond - 1);
    assert_false(hlc_receive(&hlc, UINT64_MAX, MS_2026));
    assert_int_equal(hlc.now, beyond - 1);
}

/* Trap T15. */
static void a_clock_of_2099_moves_nobody(void **state)
{
    (void)state;
    struct hlc ours;
    struct hlc theirs;
    hlc_init(&ours);
    hlc_init(&theirs);
    uint64_t first = hlc_tick(&ours, MS_2026);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_false(hlc_receive(&ours, hlc_tick(&theirs, MS_2099), MS_2026));
        assert_int_equal(hlc_tick(&ours, MS_2026), first + i + 1);
    }
    /* The other way round nothing is wrong: the past moves nobody either. */
    assert_true(hlc_receive(&theirs, ours.now, MS_2099));
    assert_int_equal(HLC_MS(theirs.now), MS_2099);
}

/* Trap T14. */
static void an_announced_floor_holds_when_the_wall_steps_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct hlc hlc;
    hlc_init(&hlc);
    uint64_t promised = 0;
    for (uint32_t step = 0; step < 20000; step++) {
        uint64_t wall_ms = MS_2026 + rng_below(&rng, 100000);
        if (rng_chance(&rng, 1, 2)) {
            uint64_t floor = hlc_announce(&hlc, wall_ms);
            assert_true(floor >= promised);
            promised = floor;
        } else {
            assert_true(hlc_tick(&hlc, wall_ms) > promised);
        }
    }
}

static void a_floor_is_just_below_the_next_tick(void **state)
{
    (void)state;
    struct hlc hlc;
    hlc_init(&hlc);
    assert_int_equal(hlc_floor(&hlc, 0), 0);
    for (uint64_t wall_ms = 0; wall_ms < 100; wall_ms += 7) {
        for (uint32_t i = 0; i < 3; i++) {
            uint64_t floor = hlc_floor(&hlc, wall_ms);
            uint64_t before = hlc.now;
            assert_int_equal(hlc_floor(&hlc, wall_ms), floor);
            assert_int_equal(hlc.now, before);
            assert_int_equal(hlc_tick(&hlc, wall_ms), floor + 1);
        }
    }
}

static void recovery_raises_without_a_bound(void **state)
{
    (void)state;
    struct hlc hlc;
    hlc_init(&hlc);
    hlc_raise(&hlc, hlc_from_ms(MS_2099));
    hlc_raise(&hlc, 17);
    assert_int_equal(hlc.now, hlc_from_ms(MS_2099));
    assert_int_equal(hlc_tick(&hlc, MS_2026), hlc_from_ms(MS_2099) + 1);
}

static void no_wall_clock_makes_ticks_wrap(void **state)
{
    (void)state;
    static const uint64_t walls[] = {UINT64_MAX, 0, UINT64_C(1) << 48, (UINT64_C(1) << 48) - 1,
                                     UINT64_MAX - 9999};
    struct hlc hlc;
    hlc_init(&hlc);
    for (uint32_t round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
            uint64_t before = hlc.now;
            hlc_receive(&hlc, UINT64_MAX, walls[i]);
            assert_true(hlc_tick(&hlc, walls[i]) > before);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_days_match_the_pair),
        cmocka_unit_test(a_tick_is_greater_than_all_before_it),
        cmocka_unit_test(a_full_counter_carries),
        cmocka_unit_test(ten_seconds_ahead_is_the_border),
        cmocka_unit_test(a_clock_of_2099_moves_nobody),
        cmocka_unit_test(an_announced_floor_holds_when_the_wall_steps_back),
        cmocka_unit_test(a_floor_is_just_below_the_next_tick),
        cmocka_unit_test(recovery_raises_without_a_bound),
        cmocka_unit_test(no_wall_clock_makes_ticks_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
