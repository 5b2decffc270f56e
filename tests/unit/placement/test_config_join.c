/* test_config_join - who comes in, begins to serve, and how an actor ends.
 *
 * Does:   stories of config_admit, config_renew, config_invite, config_assign, config_activate,
 *         config_merged, config_sealed, config_closed: each case of their contracts.
 * Not:    random sequences of all changes: test_config_changes.
 * Holds:  -
 * Limits: -
 * See:    placement/config_change.h; docs/protocol.md 6.3, 6.5.
 */
#include "unit/placement/change.h"

#define ADMIT(config, id, index)                                                                   \
    config_admit(config, id, &(struct address[]){address_at(index)}[0], NOW_MS, &err)
#define INVITE(config, index) config_invite(config, &(struct address[]){address_at(index)}[0], &err)
#define ASSIGN(config, index, shard)                                                               \
    config_assign(config, &(struct address[]){address_at(index)}[0], shard, &err)

static void assert_retired(const struct config *config, uint32_t index, uint32_t actor,
                           enum retired_state state, uint64_t since)
{
    assert_true(index < config->retired_count);
    assert_int_equal(config->retired[index].actor, actor);
    assert_int_equal(config->retired[index].state, state);
    assert_int_equal(config->retired[index].since, since);
}

/* --- admit --- */

static void a_new_node_becomes_the_last_spare(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0");
    APPLY(config, ADMIT(config, 500, 7));
    ASSERT_WORDS(config, "A0 A0 --");
    assert_int_equal(config->members[2].node_id, 500);
    assert_int_equal(config->fence, 3);
    ASSERT_NOTHING(ADMIT(config, 500, 7));
    config_free(config);
}

static void an_invited_address_becomes_a_spare(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 ?? A0");
    APPLY(config, ADMIT(config, 500, 1));
    ASSERT_WORDS(config, "A0 -- A0");
    assert_int_equal(config->members[1].node_id, 500);
    assert_int_equal(config->fence, 3);
    config_free(config);
}

static void an_empty_node_takes_the_place_of_an_active_one(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 A1");
    APPLY(config, ADMIT(config, 500, 1));
    ASSERT_WORDS(config, "A0 S0 A1 A1");
    assert_int_equal(config->members[1].node_id, 500);
    assert_int_equal(config->members[1].actor, 5);
    assert_int_equal(config->fence, 10);
    assert_int_equal(config->retired_count, 1);
    assert_retired(config, 0, 2, RETIRED_SEALING, 10);
    assert_int_equal(config->retired[0].node_id, 101);
    assert_true(slotset_equal(&config->retired[0].slots, &config->shards[0].slots));
    config_free(config);
}

/* T37: a container that starts empty again and again retires one actor, and raises no fence. */
static void an_empty_node_takes_the_place_of_a_syncing_one(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 S0");
    for (uint32_t i = 0; i < 100; i++)
        APPLY(config, ADMIT(config, 500 + i, 2));
    ASSERT_WORDS(config, "A0 A0 S0");
    assert_int_equal(config->members[2].node_id, 599);
    assert_int_equal(config->members[2].actor, 103);
    assert_int_equal(config->retired_count, 0);
    assert_int_equal(config->fence, 3);
    assert_true(config_actor_closed(config, 3));
    config_free(config);
}

static void an_empty_node_takes_the_place_of_a_spare(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 -- A0");
    APPLY(config, ADMIT(config, 500, 1));
    ASSERT_WORDS(config, "A0 -- A0");
    assert_int_equal(config->members[1].node_id, 500);
    config_free(config);
}

/* One that was leaving the list fills up where it was: nobody has taken the wish back, and the
 * operator asks again. One that was moving goes on to where it is wanted, unless it is missed. */
static void an_empty_node_takes_the_place_of_a_leaving_one(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L0 A1 A1");
    APPLY(config, ADMIT(config, 500, 2));
    ASSERT_WORDS(config, "A0 A0 S0 A1 A1");
    assert_retired(config, 0, 3, RETIRED_SEALING, 10);
    config_free(config);
    config = cluster_of(2, "A0 S0 L01 A1");
    APPLY(config, ADMIT(config, 500, 2));
    ASSERT_WORDS(config, "A0 S0 S1 A1");
    assert_true(slotset_equal(&config->retired[0].slots, &config->shards[0].slots));
    config_free(config);
    config = cluster_of(2, "A0 L01 A1");
    APPLY(config, ADMIT(config, 500, 1));
    ASSERT_WORDS(config, "A0 S0 A1");
    config_free(config);
}

/* Who moved, and is in doubt, may have acknowledged alone before it heard that it moves. */
static void who_was_moving_and_doubts_fills_up_where_it_was(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L01 A1");
    APPLY(config, config_renew(config, 102, 3, NOW_MS, &err));
    ASSERT_WORDS(config, "A0 A0 S0 A1");
    assert_retired(config, 0, 3, RETIRED_SEALING, 10);
    config_free(config);
}

/* The shard's last active member lost its disk; the one that was leaving has everything. */
static void who_was_leaving_stays_when_it_is_the_last(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 L01 L0 S0 A1 A1");
    APPLY(config, ADMIT(config, 500, 0));
    ASSERT_WORDS(config, "S0 A0 A0 S0 A1 A1");
    config_free(config);
}

static void a_node_moves_to_a_free_address(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0");
    APPLY(config, ADMIT(config, 101, 8));
    ASSERT_WORDS(config, "A0 A0");
    assert_string_equal(config->members[1].address.text, "10.0.0.8:8085");
    assert_int_equal(config->members[1].actor, 2);
    assert_int_equal(config->fence, 3);
    config_free(config);
}

/* T17 */
static void two_nodes_swap_addresses(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 A1");
    APPLY(config, ADMIT(config, 103, 0));
    assert_string_equal(config->members[0].address.text, "10.0.0.3:8085");
    assert_string_equal(config->members[3].address.text, "10.0.0.0:8085");
    ASSERT_NOTHING(ADMIT(config, 100, 3));
    ASSERT_NOTHING(ADMIT(config, 103, 0));
    ASSERT_WORDS(config, "A0 A0 A1 A1");
    config_free(config);
}

static void a_node_that_moves_uses_an_invitation_up(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "?? A0 A0");
    APPLY(config, ADMIT(config, 102, 0));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(config->members[1].node_id, 102);
    assert_string_equal(config->members[1].address.text, "10.0.0.0:8085");
    config_free(config);
}

static void who_cannot_be_admitted(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0");
    struct address odd = {"10.0.0.01:80"};
    struct address none = {{0}};
    struct address endless;
    memset(endless.text, 'a', sizeof(endless.text));
    ASSERT_REFUSED(ADMIT(config, 0, 7), E_MALFORMED);
    ASSERT_REFUSED(config_admit(config, 500, &odd, NOW_MS, &err), E_MALFORMED);
    ASSERT_REFUSED(config_admit(config, 500, &none, NOW_MS, &err), E_MALFORMED);
    ASSERT_REFUSED(config_admit(config, 500, &endless, NOW_MS, &err), E_MALFORMED);
    for (uint32_t i = config->member_count; i < LIMIT_MEMBERS; i++)
        APPLY(config, ADMIT(config, 500 + i, i));
    ASSERT_REFUSED(ADMIT(config, 999, 100), E_MEMBERS_FULL);
    ASSERT_REFUSED(INVITE(config, 100), E_MEMBERS_FULL);
    APPLY(config, ADMIT(config, 999, 1));
    config_free(config);
}

static void limits_of_actors_and_epochs_refuse(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 S0 --");
    config->next_actor = UINT32_MAX;
    ASSERT_REFUSED(ADMIT(config, 500, 1), E_ACTORS_FULL);
    ASSERT_REFUSED(config_renew(config, 102, 3, NOW_MS, &err), E_ACTORS_FULL);
    ASSERT_REFUSED(ASSIGN(config, 3, 0), E_ACTORS_FULL);
    config->next_actor = 100 + LIMIT_ACTORS;
    for (uint32_t i = 0; i < LIMIT_ACTORS - config->member_count; i++)
        config->retired[config->retired_count++] =
            (struct retired){.actor = 100 + i, .slots = config->shards[0].slots};
    ASSERT_REFUSED(ADMIT(config, 500, 1), E_ACTORS_FULL);
    APPLY(config, ADMIT(config, 500, 2));
    config->epoch = UINT64_MAX - 1;
    ASSERT_REFUSED(ADMIT(config, 501, 2), E_EPOCHS_FULL);
    ASSERT_REFUSED(config_touch(config, &err), E_EPOCHS_FULL);
    config_free(config);
}

/* --- renew --- */

static void a_member_in_doubt_gets_a_new_actor(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 S0");
    ASSERT_NOTHING(config_renew(config, 101, 1, NOW_MS, &err));
    ASSERT_NOTHING(config_renew(config, 500, 2, NOW_MS, &err));
    APPLY(config, config_renew(config, 101, 2, NOW_MS, &err));
    ASSERT_WORDS(config, "A0 S0 S0");
    assert_int_equal(config->members[1].node_id, 101);
    assert_int_equal(config->members[1].actor, 4);
    assert_retired(config, 0, 2, RETIRED_SEALING, 10);
    assert_int_equal(config->fence, 10);
    ASSERT_NOTHING(config_renew(config, 101, 2, NOW_MS, &err));
    APPLY(config, config_renew(config, 102, 3, NOW_MS, &err));
    assert_int_equal(config->members[2].actor, 5);
    assert_int_equal(config->retired_count, 1);
    config_free(config);
    config = cluster_of(1, "A0 A0 -- ??");
    ASSERT_NOTHING(config_renew(config, 102, 0, NOW_MS, &err));
    ASSERT_NOTHING(config_renew(config, 0, 0, NOW_MS, &err));
    config_free(config);
}

/* --- invite, assign, activate --- */

static void an_address_is_invited_once(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 L0");
    APPLY(config, INVITE(config, 7));
    ASSERT_WORDS(config, "A0 A0 L0 ??");
    assert_int_equal(config->members[3].node_id, 0);
    ASSERT_NOTHING(INVITE(config, 7));
    ASSERT_NOTHING(INVITE(config, 0));
    APPLY(config, INVITE(config, 2)); /* wanted after all */
    ASSERT_WORDS(config, "A0 A0 A0 ??");
    struct address odd = {"10.0.0.1"};
    ASSERT_REFUSED(config_invite(config, &odd, &err), E_MALFORMED);
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1");
    ASSERT_NOTHING(INVITE(config, 2));
    config_free(config);
}

static void a_spare_is_put_into_a_shard(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L01 L0 A1 ?? --");
    ASSERT_REFUSED(ASSIGN(config, 6, 2), E_NO_SHARD);
    ASSERT_REFUSED(ASSIGN(config, 7, 1), E_NOT_LISTED);
    ASSERT_REFUSED(ASSIGN(config, 5, 1), E_NOT_ARRIVED);
    ASSERT_REFUSED(ASSIGN(config, 0, 1), E_OTHER_SHARD);
    ASSERT_REFUSED(ASSIGN(config, 3, 1), E_OTHER_SHARD);
    ASSERT_REFUSED(ASSIGN(config, 2, 0), E_OTHER_SHARD);
    ASSERT_NOTHING(ASSIGN(config, 2, 1));
    ASSERT_NOTHING(ASSIGN(config, 4, 1));
    APPLY(config, ASSIGN(config, 6, 1));
    ASSERT_WORDS(config, "A0 A0 L01 L0 A1 ?? S1");
    assert_int_equal(config->members[6].actor, 8);
    assert_int_equal(config->fence, 3);
    ASSERT_NOTHING(ASSIGN(config, 6, 1));
    APPLY(config, ASSIGN(config, 3, 0)); /* wanted after all */
    ASSERT_WORDS(config, "A0 A0 L01 A0 A1 ?? S1");
    config_free(config);
}

static void who_has_filled_up_is_active(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 S0 L0 --");
    ASSERT_NOTHING(config_activate(config, 101, 3, &err));
    ASSERT_NOTHING(config_activate(config, 100, 1, &err));
    ASSERT_NOTHING(config_activate(config, 102, 3, &err));
    ASSERT_NOTHING(config_activate(config, 103, 0, &err));
    ASSERT_NOTHING(config_activate(config, 500, 2, &err));
    APPLY(config, config_activate(config, 101, 2, &err));
    ASSERT_WORDS(config, "A0 A0 L0 --");
    assert_int_equal(config->fence, 3);
    config_free(config);
}

/* T27 */
static void a_shard_without_an_active_member_is_merged(void **state)
{
    (void)state;
    struct config *config = cluster_of(3, "S1 A0 S1 --");
    ASSERT_NOTHING(config_merged(config, 0, NOW_MS, &err));
    ASSERT_NOTHING(config_merged(config, 2, NOW_MS, &err));
    ASSERT_NOTHING(config_merged(config, 3, NOW_MS, &err));
    APPLY(config, config_merged(config, 1, NOW_MS, &err));
    ASSERT_WORDS(config, "A1 A0 A1 --");
    assert_int_equal(config->fence, 10);
    assert_int_equal(config->loss_count, 1);
    assert_int_equal(config->losses[0].actor, 0);
    assert_int_equal(config->losses[0].shard, 1);
    assert_int_equal(config->losses[0].epoch, 10);
    assert_int_equal(config->losses[0].wall_ms, NOW_MS);
    assert_ptr_equal(config_loss_since(config, 9), &config->losses[0]);
    assert_null(config_loss_since(config, 10));
    ASSERT_NOTHING(config_merged(config, 1, NOW_MS, &err));
    config_free(config);
}

/* --- sealed, closed --- */

static void an_actor_is_sealed_and_closed(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    ASSERT_NOTHING(config_sealed(config, 2, SHARD_NONE, 7, 5, NOW_MS, &err));
    APPLY(config, ADMIT(config, 500, 1));
    ASSERT_NOTHING(config_closed(config, 2, SHARD_NONE, &err));
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 7, 5, NOW_MS, &err));
    assert_retired(config, 0, 2, RETIRED_SEALED, 11);
    assert_int_equal(config->retired[0].last_seq, 7);
    assert_int_equal(config_loss_of_actor(config, 2)->whole_seq, 5);
    assert_int_equal(config_loss_of_actor(config, 2)->shard, 0);
    assert_false(config_actor_closed(config, 2));
    ASSERT_NOTHING(config_sealed(config, 2, SHARD_NONE, 8, 8, NOW_MS, &err));
    APPLY(config, config_closed(config, 2, SHARD_NONE, &err));
    assert_int_equal(config->retired_count, 0);
    assert_true(config_actor_closed(config, 2));
    assert_int_equal(config_loss_of_actor(config, 2)->whole_seq, 5);
    ASSERT_NOTHING(config_closed(config, 2, SHARD_NONE, &err));
    config_free(config);
}

/* T23: what a keeper reported goes with it. What is whole only ever shrinks. */
static void a_keeper_that_is_lost_unseals(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 S0 A1 A1");
    APPLY(config, ADMIT(config, 500, 1));
    APPLY(config, ADMIT(config, 501, 4));
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 7, 5, NOW_MS, &err));
    APPLY(config, config_sealed(config, 5, SHARD_NONE, 3, 3, NOW_MS, &err));
    APPLY(config, ADMIT(config, 502, 2)); /* syncing, of shard 0: a keeper of actor 2 alone */
    assert_retired(config, 0, 2, RETIRED_SEALING, 14);
    assert_int_equal(config->retired[0].last_seq, 0);
    assert_retired(config, 1, 5, RETIRED_SEALED, 13);
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 9, 6, NOW_MS + 1, &err));
    assert_int_equal(config_loss_of_actor(config, 2)->whole_seq, 5);
    assert_int_equal(config_loss_of_actor(config, 2)->epoch, 15);
    assert_int_equal(config->loss_count, 2);
    APPLY(config, config_renew(config, 100, 1, NOW_MS, &err));
    assert_retired(config, 0, 1, RETIRED_SEALING, 16);
    assert_retired(config, 1, 2, RETIRED_SEALING, 16);
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 4, 4, NOW_MS + 2, &err));
    assert_int_equal(config_loss_of_actor(config, 2)->whole_seq, 4);
    config_free(config);
}

/* Who comes may have what nobody reported: it is asked as well. */
static void a_keeper_that_comes_unseals(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 A1 --");
    APPLY(config, ADMIT(config, 500, 1));
    APPLY(config, ADMIT(config, 501, 3));
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 7, 5, NOW_MS, &err));
    APPLY(config, config_sealed(config, 4, SHARD_NONE, 3, 3, NOW_MS, &err));
    APPLY(config, ASSIGN(config, 4, 0)); /* a keeper of actor 2 alone */
    assert_retired(config, 0, 2, RETIRED_SEALING, config->epoch);
    assert_int_equal(config->retired[0].last_seq, 0);
    assert_retired(config, 1, 4, RETIRED_SEALED, config->epoch - 1);
    config_free(config);
}

/* Nothing above the last seq was ever whole, whatever a keeper says. */
static void what_is_whole_ends_with_the_last_seq(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    APPLY(config, ADMIT(config, 500, 1));
    APPLY(config, config_sealed(config, 2, SHARD_NONE, 7, 9, NOW_MS, &err));
    assert_int_equal(config->retired[0].last_seq, 7);
    assert_int_equal(config_loss_of_actor(config, 2)->whole_seq, 7);
    config_free(config);
}

/* One that its own member has yet to seal is not sealed by reports. */
static void a_moving_actor_is_let_be(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    config->next_actor = 10;
    config->retired[config->retired_count++] = (struct retired){
        .actor = 9, .node_id = 100, .state = RETIRED_MOVING, .slots = config->shards[0].slots};
    APPLY(config, ADMIT(config, 500, 1));
    assert_retired(config, 1, 9, RETIRED_MOVING, 0);
    config_free(config);
}

/* --- losses --- */

#define DAY_MS (24ULL * 60 * 60 * 1000)

/* As many losses as there is room for, of actors from 100 on, and actor 90 about to be sealed. */
static struct config *full_of_losses(void)
{
    struct config *config = cluster_of(2, "A0 A1 S1");
    config->epoch = 5000;
    config->next_actor = 4000;
    for (uint32_t i = 0; i < LIMIT_LOSSES; i++)
        config->losses[config->loss_count++] = (struct loss){
            .actor = 100 + i, .shard = i % 2, .whole_seq = i, .epoch = 1000 + i, .wall_ms = NOW_MS};
    config->retired[config->retired_count++] =
        (struct retired){.actor = 90, .slots = config->shards[1].slots};
    return config;
}

static void no_clock_makes_losses_forgotten_while_there_is_room(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "S0 S1");
    APPLY(config, config_merged(config, 0, NOW_MS, &err));
    config->members[0].state = MEMBER_SYNCING;
    APPLY(config, config_merged(config, 1, NOW_MS + 31 * DAY_MS, &err));
    assert_int_equal(config->loss_count, 2);
    APPLY(config, config_merged(config, 0, NOW_MS + 365 * DAY_MS, &err));
    assert_int_equal(config->loss_count, 2); /* one for each shard, the newest */
    assert_int_equal(config->losses[0].shard, 1);
    assert_int_equal(config->losses[1].shard, 0);
    assert_int_equal(config->losses[1].epoch, 12);
    config_free(config);
}

static void losses_older_than_a_month_make_room(void **state)
{
    (void)state;
    struct config *config = full_of_losses();
    uint64_t fence = config->fence;
    config->losses[7].wall_ms = NOW_MS + 1;
    APPLY(config, config_sealed(config, 90, SHARD_NONE, 1, 0, NOW_MS + 30 * DAY_MS + 1, &err));
    assert_int_equal(config->loss_count, 2);
    assert_int_equal(config->losses[0].actor, 107); /* a month old, and no more */
    assert_int_equal(config->losses[1].actor, 90);
    assert_int_equal(config->fence, fence); /* none became one of its shard */
    config_free(config);
}

/* Nor does it where clocks that were two days apart dated the losses: they are folded. */
static void a_clock_a_year_ahead_makes_no_room(void **state)
{
    (void)state;
    struct config *config = full_of_losses();
    APPLY(config, config_sealed(config, 90, SHARD_NONE, 1, 0, NOW_MS + 363 * DAY_MS, &err));
    assert_int_equal(config->loss_count, LIMIT_LOSSES);
    assert_null(config_loss_of_actor(config, 100));
    assert_non_null(config_loss_of_actor(config, 103));
    config_free(config);
}

/* Too many: the oldest become one for their shard, dated as late as the latest of them; whoever
 * must be told of one is told. */
static void the_oldest_losses_are_folded(void **state)
{
    (void)state;
    struct config *config = full_of_losses();
    APPLY(config, config_sealed(config, 90, SHARD_NONE, 1, 0, NOW_MS, &err));
    assert_int_equal(config->loss_count, LIMIT_LOSSES);
    assert_null(config_loss_of_actor(config, 100));
    assert_null(config_loss_of_actor(config, 101));
    assert_null(config_loss_of_actor(config, 102));
    assert_non_null(config_loss_of_actor(config, 103));
    assert_non_null(config_loss_of_actor(config, 90));
    assert_int_equal(config->losses[0].epoch, 1001);
    assert_int_equal(config->losses[0].shard, 1);
    assert_int_equal(config->losses[1].epoch, 1002);
    assert_int_equal(config->losses[1].shard, 0);
    assert_int_equal(config->losses[1].actor + config->losses[1].whole_seq, 0);
    assert_int_equal(config->fence, 1002);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_node_becomes_the_last_spare),
        cmocka_unit_test(an_invited_address_becomes_a_spare),
        cmocka_unit_test(an_empty_node_takes_the_place_of_an_active_one),
        cmocka_unit_test(an_empty_node_takes_the_place_of_a_syncing_one),
        cmocka_unit_test(an_empty_node_takes_the_place_of_a_spare),
        cmocka_unit_test(an_empty_node_takes_the_place_of_a_leaving_one),
        cmocka_unit_test(who_was_moving_and_doubts_fills_up_where_it_was),
        cmocka_unit_test(who_was_leaving_stays_when_it_is_the_last),
        cmocka_unit_test(a_node_moves_to_a_free_address),
        cmocka_unit_test(two_nodes_swap_addresses),
        cmocka_unit_test(a_node_that_moves_uses_an_invitation_up),
        cmocka_unit_test(who_cannot_be_admitted),
        cmocka_unit_test(limits_of_actors_and_epochs_refuse),
        cmocka_unit_test(a_member_in_doubt_gets_a_new_actor),
        cmocka_unit_test(an_address_is_invited_once),
        cmocka_unit_test(a_spare_is_put_into_a_shard),
        cmocka_unit_test(who_has_filled_up_is_active),
        cmocka_unit_test(a_shard_without_an_active_member_is_merged),
        cmocka_unit_test(an_actor_is_sealed_and_closed),
        cmocka_unit_test(a_keeper_that_is_lost_unseals),
        cmocka_unit_test(a_keeper_that_comes_unseals),
        cmocka_unit_test(what_is_whole_ends_with_the_last_seq),
        cmocka_unit_test(a_moving_actor_is_let_be),
        cmocka_unit_test(no_clock_makes_losses_forgotten_while_there_is_room),
        cmocka_unit_test(losses_older_than_a_month_make_room),
        cmocka_unit_test(a_clock_a_year_ahead_makes_no_room),
        cmocka_unit_test(the_oldest_losses_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
