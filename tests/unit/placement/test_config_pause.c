/* test_config_pause - how long who has lost its memory again has to wait.
 *
 * Does:   the first return, how pauses grow and shrink, clocks that jump; how many returns fit into
 *         a time, whoever asks.
 * Not:    waiting: tests/unit/node/test_returns.c.
 * Holds:  -
 * Limits: -
 * See:    placement/config_pause.c; docs/protocol.md 6.3 (T37).
 */
#include "unit/placement/change.h"

#define REST_MS 2000U
#define LONGEST_MS 60000U

/* The node at the address of member 1 comes back without its memory, at that time. */
static struct config *back(struct config *config, uint64_t wall_ms)
{
    struct address address = config->members[1].address;
    uint64_t node_id = config->members[1].node_id + 1000;
    APPLY(config, config_admit(config, node_id, &address, wall_ms, &err));
    return config;
}

static uint64_t pause_at(const struct config *config, uint64_t wall_ms)
{
    return member_pause_ms(&config->members[1], wall_ms);
}

static void first_return_is_free(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    assert_int_equal(pause_at(config, NOW_MS), 0);
    config = back(config, NOW_MS);
    assert_true(pause_at(config, NOW_MS) > 0);
    assert_int_equal(pause_at(config, NOW_MS + REST_MS), 0);
    assert_int_equal(member_pause_ms(&config->members[0], NOW_MS), 0); /* the others' business */
    config_free(config);
}

static void who_was_invited_has_lost_nothing(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 ?? A0");
    struct address address = config->members[1].address;
    APPLY(config, config_admit(config, 500, &address, NOW_MS, &err));
    assert_int_equal(pause_at(config, NOW_MS), 0);
    config_free(config);
}

static void a_new_actor_is_a_return_too(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    APPLY(config, config_renew(config, 101, 2, NOW_MS, &err));
    assert_true(pause_at(config, NOW_MS) > 0);
    config_free(config);
}

static void pauses_double_up_to_a_minute(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    uint64_t last_ms = 0;
    for (uint32_t i = 0; i < 20; i++) {
        config = back(config, NOW_MS);
        uint64_t pause_ms = pause_at(config, NOW_MS);
        uint64_t doubled_ms = 2 * last_ms < LONGEST_MS ? 2 * last_ms : LONGEST_MS;
        assert_true(i == 0 ? pause_ms < 200 : pause_ms == doubled_ms);
        last_ms = pause_ms;
    }
    assert_int_equal(last_ms, LONGEST_MS);
    assert_int_equal(config->members[1].returns, RETURNS_MAX);
    /* Step by step it is forgiven, and in some minutes all of it. */
    assert_int_equal(pause_at(config, NOW_MS + 2 * LONGEST_MS - 1), LONGEST_MS);
    assert_true(pause_at(config, NOW_MS + 2 * LONGEST_MS) < LONGEST_MS);
    assert_int_equal(pause_at(config, NOW_MS + 5 * LONGEST_MS), 0);
    config_free(config);
}

/* A clock that stood in the future when the last return was counted, or stands back now, makes
 * nobody wait for longer than the longest pause; and one that runs away forgives. */
static void clocks_that_jump(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    config = back(config, UINT64_MAX);
    config = back(config, UINT64_MAX);
    assert_true(pause_at(config, 0) > 0);
    assert_true(pause_at(config, NOW_MS) <= LONGEST_MS);
    config = back(config, NOW_MS);
    assert_int_equal(pause_at(config, NOW_MS + LONGEST_MS), 0);
    config = back(config, 0);
    assert_int_equal(pause_at(config, UINT64_MAX), 0);
    config_free(config);
}

/* Nodes that live as long as they like, and then come back as soon as they may: in the long run no
 * more than one return in REST_MS is let in, and a few more. */
static void returns_are_bounded(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 37);
    for (uint32_t story = 0; story < 200; story++) {
        struct config *config = cluster_of(1, "A0 A0 A0");
        uint64_t lives_ms = rng_below(&rng, 3000) + 1;
        uint64_t now_ms = NOW_MS;
        uint32_t returns = 0;
        for (; now_ms < NOW_MS + 600000; returns++) {
            uint64_t asks_ms = now_ms;
            while (now_ms - asks_ms < pause_at(config, now_ms))
                now_ms += 10;
            config = back(config, now_ms);
            now_ms += rng_below(&rng, 2 * lives_ms);
        }
        assert_true(returns <= 600000 / REST_MS + RETURNS_MAX);
        if (lives_ms < 200) /* it grows while they live no longer than they wait */
            assert_true(returns <= 600000 / LONGEST_MS + 2 * RETURNS_MAX);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_return_is_free),
        cmocka_unit_test(who_was_invited_has_lost_nothing),
        cmocka_unit_test(a_new_actor_is_a_return_too),
        cmocka_unit_test(pauses_double_up_to_a_minute),
        cmocka_unit_test(clocks_that_jump),
        cmocka_unit_test(returns_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
