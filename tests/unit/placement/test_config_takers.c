/* test_config_takers - those that are to take slots are gone for good.
 *
 * Does:   stories of removals in the middle of a reshard: before a transit is switched those who
 *         gave its slots keep them, after that somebody has to come.
 * Not:    one member that fails, at every step: test_config_move.
 * Holds:  -
 * Limits: -
 * See:    placement/config_leave.c; play.h; docs/protocol.md section 7.
 */
#include "unit/placement/play.h"

/* Who was to get slots is gone for good, and nobody can come instead. Those that have the slots
 * keep them. */
static void nobody_takes_the_slots(void **state)
{
    (void)state;
    for (uint32_t cancelled_first = 0; cancelled_first < 2; cancelled_first++) {
        bool alive[LIMIT_MEMBERS];
        struct play play = play_of(cluster_of(1, "A0 A0 A0 A0"));
        reshard_begin(&play, 2);
        while (play.config->shard_count < 3)
            assert_true(play_once(&play));
        ASSERT_WORDS(play.config, "A0 A0 A1 A1");
        assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), 2);
        play.dead[play.dead_count++] = 102;
        play.dead[play.dead_count++] = 103;
        if (cancelled_first > 0)
            cancel(&play);
        struct address gone[] = {address_at(2), address_at(3)};
        struct removal removal = {.addresses = gone, .address_count = 2};
        alive_of(&play, removal.alive);
        ASSERT_REFUSED(config_remove(play.config, &removal, &err), E_TOO_FEW);
        removal.force = true;
        enum err why = E_MALFORMED;
        take_other(&play, config_remove(play.config, &removal, &why), &why);
        ASSERT_WORDS(play.config, "A0 A0");
        play_on(&play, EPOCHS_MAX);
        if (cancelled_first == 0) {
            assert_int_equal(play.config->shard_count, 3);
            cancel(&play);
            play_on(&play, EPOCHS_MAX);
        }
        assert_at_rest(play.config);
        assert_int_equal(slotset_size(&play.config->shards[0].slots), LIMIT_SLOTS);
        alive_of(&play, alive);
        ASSERT_REFUSED(config_reshard(play.config, 2, alive, &err), E_NODES_FEW);
        for (uint32_t i = 4; i < 6 && cancelled_first > 0; i++) {
            struct address address = address_at(i);
            take_other(&play, config_admit(play.config, 100 + i, &address, NOW_MS, &why), &why);
        }
        reshard_begin(&play, cancelled_first > 0 ? 2 : 1);
        play_on(&play, EPOCHS_MAX);
        assert_at_rest(play.config);
        ASSERT_WORDS(play.config, cancelled_first > 0 ? "A0 A0 A1 A1" : "A0 A0");
        config_free(play.config);
    }
}

/* Once it is switched it does not come home: somebody has to take the slots. */
static void somebody_takes_the_slots(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(1, "A0 A0 A0 A0"));
    reshard_begin(&play, 2);
    while (play.config->shard_count < 3 || !play.config->shards[2].switched)
        assert_true(play_once(&play));
    assert_int_equal(config_count(play.config, 2, MEMBER_LEAVING), 2);
    play.dead[play.dead_count++] = 102;
    play.dead[play.dead_count++] = 103;
    struct address gone[] = {address_at(2), address_at(3)};
    struct removal removal = {.addresses = gone, .address_count = 2, .force = true};
    alive_of(&play, removal.alive);
    ASSERT_REFUSED(config_remove(play.config, &removal, &err), E_NO_HEIR);
    for (uint32_t i = 4; i < 6; i++) {
        struct address address = address_at(i);
        enum err why = E_MALFORMED;
        take_other(&play, config_admit(play.config, 100 + i, &address, NOW_MS, &why), &why);
    }
    enum err why = E_MALFORMED;
    removal.force = false;
    alive_of(&play, removal.alive);
    take_other(&play, config_remove(play.config, &removal, &why), &why);
    ASSERT_WORDS(play.config, "A0 A0 S1 S1");
    assert_int_equal(config_count(play.config, 2, MEMBER_ACTIVE), 2);
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    config_free(play.config);
}

/* The same where there is no majority any more: in a new history. */
static void a_fork_goes_on_without_takers(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(1, "A0 A0 A0 A0"));
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS, .fates = {[2] = FATE_GONE, FATE_GONE}};
    enum err why = E_MALFORMED;
    reshard_begin(&play, 2);
    while (play.config->shard_count < 3)
        assert_true(play_once(&play));
    take_other(&play, config_fork(play.config, &fork, &why), &why);
    ASSERT_WORDS(play.config, "A0 A0");
    cancel(&play);
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    assert_int_equal(slotset_size(&play.config->shards[0].slots), LIMIT_SLOTS);
    config_free(play.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_takes_the_slots),
        cmocka_unit_test(somebody_takes_the_slots),
        cmocka_unit_test(a_fork_goes_on_without_takers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
