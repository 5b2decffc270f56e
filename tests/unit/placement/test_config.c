/* test_config - the first configuration, lookups, who is responsible, who accepts.
 *
 * Does:   config_first for every count of members up to 12 and of shards up to 6; lookups,
 *         responsibility and acceptors of random configurations against naive ones; config_check
 *         against one breach of each invariant.
 * Not:    bytes: test_config_codec.
 * Holds:  K1 to K5, K7, K8, K8.
 * Limits: -
 * See:    placement/config.h; docs/protocol.md sections 5, 6.1 and 6.2.
 */
#include "unit/placement/random_config.h"

#define MEMBERS_MAX 12U
#define SHARDS_MAX 6U

static struct first_start start_of(uint32_t members, uint32_t shards)
{
    struct first_start start = {.lineage = 99, .shard_count = shards, .member_count = members};
    memset(start.token_key.bytes, 0x5a, sizeof(start.token_key.bytes));
    for (uint32_t i = 0; i < members; i++) {
        /* Ids that fall while the order of VIEW rises: nothing may sort them. */
        start.members[i].node_id = 1000 - i;
        snprintf(start.members[i].address.text, sizeof(start.members[i].address.text),
                 "10.0.0.%" PRIu32 ":8085", 200 - i);
    }
    return start;
}

/* --- the first configuration --- */

static void assert_blocks(const struct config *config, uint32_t members, uint32_t shards)
{
    uint32_t sizes[SHARDS_MAX] = {0};
    uint32_t slots[SHARDS_MAX] = {0};
    for (uint32_t i = 0; i < members; i++) {
        const struct member *member = &config->members[i];
        assert_int_equal(member->node_id, 1000 - i);
        assert_int_equal(member->actor, i + 1);
        assert_int_equal(member->state, MEMBER_ACTIVE);
        assert_true(member->shard < shards);
        assert_true(i == 0 || member->shard == member[-1].shard ||
                    member->shard == member[-1].shard + 1);
        sizes[member->shard]++;
    }
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        uint32_t shard = config_shard_of_slot(config, slot);
        assert_true(slot == 0 || shard >= config_shard_of_slot(config, slot - 1));
        slots[shard]++;
    }
    for (uint32_t i = 0; i < shards; i++) {
        assert_int_equal(config->shards[i].id, i);
        assert_int_equal(slotset_size(&config->shards[i].slots), slots[i]);
        assert_int_equal(sizes[i], members / shards + (i < members % shards));
        assert_int_equal(slots[i], LIMIT_SLOTS / shards + (i < LIMIT_SLOTS % shards));
    }
}

static void assert_first(uint32_t members, uint32_t shards)
{
    struct first_start start = start_of(members, shards);
    enum err err = E_MALFORMED;
    struct config *config = config_first(&start, &err);
    assert_non_null(config);
    assert_int_equal(err, E_OK);
    config_check(config);
    assert_int_equal(config->lineage, 99);
    assert_int_equal(config->epoch, 1);
    assert_int_equal(config->fence, 0);
    assert_int_equal(config->next_actor, members + 1);
    assert_int_equal(config->member_count, members);
    assert_int_equal(config->shard_count, shards);
    assert_int_equal(config->token_key.bytes[15], 0x5a);
    assert_int_equal(config->retired_count + config->ancestor_count + config->loss_count, 0);
    assert_blocks(config, members, shards);
    config_free(config);
}

static void assert_no_first(const struct first_start *start, enum err expected)
{
    enum err err = E_OK;
    assert_null(config_first(start, &err));
    assert_int_equal(err, expected);
}

static void every_first_configuration(void **state)
{
    (void)state;
    for (uint32_t members = 0; members <= MEMBERS_MAX; members++) {
        for (uint32_t shards = 0; shards <= SHARDS_MAX; shards++) {
            struct first_start start = start_of(members, shards);
            if (shards == 0)
                assert_no_first(&start, E_MALFORMED);
            else if (members >= 2 * shards || (members == 1 && shards == 1))
                assert_first(members, shards);
            else
                assert_no_first(&start, E_DEGRADED_START);
        }
    }
}

/* docs/api.md section 1: six nodes and two shards. */
static void six_nodes_and_two_shards(void **state)
{
    (void)state;
    struct first_start start = start_of(6, 2);
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(config->members[i].shard, i / 3);
    assert_int_equal(config_shard_of_slot(config, 8191), 0);
    assert_int_equal(config_shard_of_slot(config, 8192), 1);
    config_free(config);
}

static void a_first_start_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct first_start start = start_of(4, 2);
    start.members[3].node_id = start.members[0].node_id;
    assert_no_first(&start, E_MALFORMED);
    start = start_of(4, 2);
    start.members[3].address = start.members[0].address;
    assert_no_first(&start, E_MALFORMED);
    start = start_of(4, 2);
    start.members[2].node_id = 0;
    assert_no_first(&start, E_MALFORMED);
    start = start_of(4, 2);
    start.lineage = 0;
    assert_no_first(&start, E_MALFORMED);
    start = start_of(4, 2);
    start.member_count = LIMIT_MEMBERS + 1;
    assert_no_first(&start, E_MALFORMED);
    start = start_of(4, UINT32_MAX);
    assert_no_first(&start, E_DEGRADED_START);
}

static void the_greatest_first_configuration(void **state)
{
    (void)state;
    struct first_start start = start_of(LIMIT_MEMBERS, LIMIT_SHARDS);
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    assert_non_null(config);
    config_check(config);
    assert_int_equal(config->members[LIMIT_MEMBERS - 1].shard, LIMIT_SHARDS - 1);
    config_free(config);
}

static void touching_changes_the_epoch_alone(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 50; round++) {
        struct config *config = random_config(&rng);
        enum err err = E_MALFORMED;
        struct config *touched = config_touch(config, &err);
        assert_int_equal(err, E_OK);
        config_check(touched);
        assert_int_equal(touched->epoch, config->epoch + 1);
        assert_false(same_config(config, touched));
        touched->epoch--;
        assert_true(same_config(config, touched));
        config_free(config);
        config_free(touched);
    }
}

/* --- lookups --- */

static void assert_members_are_found(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        assert_ptr_equal(config_member_by_address(config, slice_str(member->address.text)), member);
        if (member->node_id != 0)
            assert_ptr_equal(config_member_by_id(config, member->node_id), member);
        if (member->actor != 0)
            assert_ptr_equal(config_member_by_actor(config, member->actor), member);
    }
    assert_null(config_member_by_id(config, 0));
    assert_null(config_member_by_id(config, 12345));
    assert_null(config_member_by_actor(config, 0));
    assert_null(config_member_by_actor(config, config->next_actor));
    assert_null(config_member_by_address(config, SLICE_LIT("10.0.0.1:")));
    assert_null(config_member_by_address(config, SLICE_EMPTY));
}

/* The slots of an actor by asking everybody who could bear it. */
static const struct slotset *naive_actor_slots(const struct config *config, uint32_t actor)
{
    const struct slotset *found = NULL;
    for (uint32_t i = 0; actor != 0 && i < config->member_count; i++)
        if (config->members[i].actor == actor)
            found = &config->shards[config->members[i].shard].slots;
    for (uint32_t i = 0; actor != 0 && i < config->retired_count; i++)
        if (config->retired[i].actor == actor)
            found = &config->retired[i].slots;
    return found;
}

/* Protocol 5 slot by slot: members that bear an actor in a shard that owns one of them. */
static uint32_t naive_responsible(const struct config *config, uint32_t actor,
                                  uint32_t members[LIMIT_MEMBERS])
{
    uint32_t count = 0;
    const struct slotset *slots = naive_actor_slots(config, actor);
    bool owns[LIMIT_SHARDS] = {false};
    for (uint32_t slot = 0; slots != NULL && slot < LIMIT_SLOTS; slot++)
        if (slotset_has(slots, slot))
            owns[config->owner[slot]] = true;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->actor != 0 && owns[member->shard])
            members[count++] = i;
    }
    return count;
}

static void assert_actors_are_judged(const struct config *config)
{
    for (uint32_t actor = 0; actor <= config->next_actor + 1; actor++) {
        const struct slotset *slots = naive_actor_slots(config, actor);
        bool is_known = actor > 0 && actor < config->next_actor;
        assert_ptr_equal(config_actor_slots(config, actor), slots);
        assert_int_equal(config_actor_closed(config, actor), is_known && slots == NULL);
        uint32_t members[LIMIT_MEMBERS];
        uint32_t expected[LIMIT_MEMBERS];
        uint32_t count = config_responsible(config, actor, members);
        assert_int_equal(count, naive_responsible(config, actor, expected));
        assert_memory_equal(members, expected, count * sizeof(members[0]));
        assert_int_equal(config_keepers(config, actor, members), count);
        assert_memory_equal(members, expected, count * sizeof(members[0]));
        const struct retired *retired = config_retired(config, actor);
        assert_true(retired == NULL ? slots == NULL || config_member_by_actor(config, actor) != NULL
                                    : &retired->slots == slots);
    }
}

static void assert_states_are_counted(const struct config *config)
{
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        uint32_t counts[5] = {0};
        for (uint32_t i = 0; i < config->member_count; i++)
            if (config->members[i].shard == shard)
                counts[config->members[i].state]++;
        for (uint32_t i = 0; i < 5; i++)
            assert_int_equal(config_count(config, shard, (enum member_state)i), counts[i]);
        assert_int_equal(config_degraded(config, shard),
                         counts[MEMBER_ACTIVE] + counts[MEMBER_SYNCING] <= 1);
    }
}

static void assert_past_is_found(const struct config *config)
{
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        assert_ptr_equal(config_loss_of_actor(config, loss->actor), loss->actor ? loss : NULL);
        const struct loss *since = config_loss_since(config, loss->epoch - (loss->epoch > 0));
        assert_true(loss->actor != 0 || loss->epoch == 0 || since != NULL);
        assert_true(since == NULL || since->actor == 0);
    }
    assert_null(config_loss_of_actor(config, 1000));
    assert_null(config_loss_since(config, config->fence));
    for (uint32_t i = 0; i < config->ancestor_count; i++)
        assert_ptr_equal(config_ancestor(config, config->ancestors[i].lineage),
                         &config->ancestors[i]);
    assert_null(config_ancestor(config, config->lineage));
}

static void random_configurations_are_looked_up(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 100; round++) {
        struct config *config = random_config(&rng);
        assert_members_are_found(config);
        assert_actors_are_judged(config);
        assert_states_are_counted(config);
        assert_past_is_found(config);
        for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
            uint32_t shard = config_shard_of_slot(config, slot);
            assert_true(slotset_has(&config->shards[shard].slots, slot));
        }
        for (uint32_t i = 0; i < config->shard_count; i++)
            assert_int_equal(config_shard_by_id(config, config->shards[i].id), i);
        assert_int_equal(config_shard_by_id(config, 1000), SHARD_NONE);
        config_free(config);
    }
}

/* --- acceptors --- */

/* All candidates sorted by (spare or not, rank within the shard, shard), then cut. */
static uint32_t naive_acceptors(const struct config *config, uint32_t members[LIMIT_ACCEPTORS])
{
    uint64_t order[LIMIT_MEMBERS];
    uint32_t ranks[LIMIT_SHARDS + 1] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->state == MEMBER_INVITED)
            continue;
        bool spare = member->shard == SHARD_NONE;
        uint32_t column = spare ? LIMIT_SHARDS : member->shard;
        order[count++] =
            (uint64_t)spare << 60 | (uint64_t)ranks[column]++ << 40 | (uint64_t)column << 20 | i;
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            uint64_t least = order[j] < order[i] ? order[j] : order[i];
            order[j] ^= order[i] ^ least;
            order[i] = least;
        }
    }
    count = count < LIMIT_ACCEPTORS ? count : LIMIT_ACCEPTORS;
    count = count % 2 == 1 || count == 0 ? count : count - 1;
    for (uint32_t i = 0; i < count; i++)
        members[i] = (uint32_t)(order[i] & 0xfffff);
    return count;
}

static void assert_acceptors(const struct config *config)
{
    uint32_t members[LIMIT_ACCEPTORS];
    uint32_t expected[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(config, members);
    assert_int_equal(count, naive_acceptors(config, expected));
    assert_memory_equal(members, expected, count * sizeof(members[0]));
    assert_true(count % 2 == 1 || count == 0);
    assert_true(count <= LIMIT_ACCEPTORS);
}

static void acceptors_match_a_sort(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 1000; round++) {
        struct config *config = random_config(&rng);
        assert_acceptors(config);
        config_free(config);
    }
}

static void acceptors_of_first_configurations_are_spread(void **state)
{
    (void)state;
    for (uint32_t shards = 1; shards <= SHARDS_MAX; shards++) {
        for (uint32_t members = 2 * shards; members <= MEMBERS_MAX; members++) {
            struct first_start start = start_of(members, shards);
            enum err err = E_OK;
            struct config *config = config_first(&start, &err);
            uint32_t chosen[LIMIT_ACCEPTORS];
            uint32_t per_shard[SHARDS_MAX] = {0};
            uint32_t count = config_acceptors(config, chosen);
            assert_acceptors(config);
            assert_int_equal(count, members >= 7 ? 7 : members - (members % 2 == 0));
            for (uint32_t i = 0; i < count; i++)
                per_shard[config->members[chosen[i]].shard]++;
            for (uint32_t i = 0; i < shards; i++)
                assert_in_range(per_shard[i], count / shards, count / shards + 1);
            config_free(config);
        }
    }
}

/* Two shards of two, spares before and after them, one invited: the spare fills up to five. */
static void spares_come_last_and_the_invited_never(void **state)
{
    (void)state;
    struct first_start start = start_of(7, 2);
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    uint32_t members[LIMIT_ACCEPTORS];
    static const uint32_t unplaced[] = {0, 3, 6};
    for (size_t i = 0; i < 3; i++) {
        config->members[unplaced[i]].shard = SHARD_NONE;
        config->members[unplaced[i]].actor = 0;
        config->members[unplaced[i]].state = i == 1 ? MEMBER_INVITED : MEMBER_SPARE;
        if (i == 1)
            config->members[unplaced[i]].node_id = 0;
    }
    config_check(config);
    assert_int_equal(config_acceptors(config, members), 5);
    static const uint32_t expected[] = {1, 4, 2, 5, 0};
    assert_memory_equal(members, expected, sizeof(expected));
    config_free(config);
}

/* --- the invariants --- */

static struct config *sound_config(void)
{
    struct first_start start = start_of(5, 2);
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    config->retired_count = 2;
    config->retired[0] = (struct retired){.actor = 6, .state = RETIRED_SEALED};
    config->retired[1] = (struct retired){.actor = 7, .state = RETIRED_MOVING};
    config->next_actor = 8;
    config_check(config);
    return config;
}

/* Changes one thing of a sound configuration and demands that config_check minds. */
#define ASSERT_BREACH(change)                                                                      \
    do {                                                                                           \
        struct config *config = sound_config();                                                    \
        change;                                                                                    \
        expect_assert_failure(config_check(config));                                               \
        config_free(config);                                                                       \
    } while (0)

static void breaches_of_k1(void **state)
{
    (void)state;
    ASSERT_BREACH(slotset_remove(&config->shards[0].slots, 5));
    ASSERT_BREACH(slotset_add(&config->shards[1].slots, 5));
    ASSERT_BREACH(config->owner[5] = 1);
    ASSERT_BREACH(config->owner[5] = 2);
    ASSERT_BREACH(config->shard_count = 1);
}

static void breaches_of_k2_and_k3(void **state)
{
    (void)state;
    ASSERT_BREACH(config->members[4].node_id = config->members[1].node_id);
    ASSERT_BREACH(config->members[4].address = config->members[1].address);
    ASSERT_BREACH(config->members[4].actor = config->members[1].actor);
    ASSERT_BREACH(config->members[4].actor = 7);
    ASSERT_BREACH(config->members[4].actor = 8);
    ASSERT_BREACH(config->retired[0].actor = 3);
    ASSERT_BREACH(config->retired[1].actor = 8);
    ASSERT_BREACH(config->retired[0].actor = 0);
}

static void breaches_of_k4(void **state)
{
    (void)state;
    ASSERT_BREACH(config->members[0].actor = 0);
    ASSERT_BREACH(config->members[0].shard = SHARD_NONE);
    ASSERT_BREACH(config->members[0].shard = 2);
    ASSERT_BREACH(config->members[0].node_id = 0);
    ASSERT_BREACH(config->members[0].state = MEMBER_SPARE);
    ASSERT_BREACH(config->members[0].state = MEMBER_INVITED);
    ASSERT_BREACH(config->members[0].state = (enum member_state)5);
}

static void lose(struct config *config, uint32_t actor, uint64_t epoch)
{
    config->losses[config->loss_count++] = (struct loss){.actor = actor, .epoch = epoch};
}

static void breaches_of_k5_and_k7(void **state)
{
    (void)state;
    ASSERT_BREACH(config->epoch = 0);
    ASSERT_BREACH(config->epoch = UINT64_MAX);
    ASSERT_BREACH(config->fence = 2);
    ASSERT_BREACH(config->lineage = 0);
    ASSERT_BREACH(config->retired[0].since = 2);
    ASSERT_BREACH(lose(config, 0, 1));
    ASSERT_BREACH(lose(config, 9, 2));
    ASSERT_BREACH((lose(config, 9, 1), lose(config, 9, 0)));
    ASSERT_BREACH(config->member_count = LIMIT_MEMBERS + 1);
    ASSERT_BREACH(config->shard_count = LIMIT_SHARDS + 1);
    ASSERT_BREACH(config->retired_count = LIMIT_ACTORS / 2 + 1);
    ASSERT_BREACH(config->ancestor_count = LIMIT_ANCESTORS + 1);
    ASSERT_BREACH(config->loss_count = LIMIT_LOSSES + 1);
    ASSERT_BREACH(config->shards[1].id = config->shards[0].id);
    ASSERT_BREACH((config->retired[0].actor = 7, config->retired[1].actor = 6));
    ASSERT_BREACH(config->retired[0].state = (enum retired_state)3);
    ASSERT_BREACH(config->members[0].address.text[0] = '\0');
    ASSERT_BREACH(memset(config->members[0].address.text, 'a', LIMIT_ADDRESS_BYTES + 1));
}

/* Of five, two are in the second shard. */
static void breaches_of_k8(void **state)
{
    (void)state;
    ASSERT_BREACH(config->members[0].target = 1);
    ASSERT_BREACH(config->members[0].target = 0);
    ASSERT_BREACH((config->members[0].state = MEMBER_LEAVING, config->members[0].target = 0));
    ASSERT_BREACH((config->members[0].state = MEMBER_LEAVING, config->members[0].target = 2));
    ASSERT_BREACH(
        (config->members[3].state = MEMBER_SYNCING, config->members[4].state = MEMBER_LEAVING));
    struct config *config = sound_config();
    config->members[0].state = MEMBER_LEAVING;
    config_check(config);
    config->members[0].target = 1;
    config_check(config);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_first_configuration),
        cmocka_unit_test(six_nodes_and_two_shards),
        cmocka_unit_test(a_first_start_that_contradicts_itself_is_refused),
        cmocka_unit_test(the_greatest_first_configuration),
        cmocka_unit_test(touching_changes_the_epoch_alone),
        cmocka_unit_test(random_configurations_are_looked_up),
        cmocka_unit_test(acceptors_match_a_sort),
        cmocka_unit_test(acceptors_of_first_configurations_are_spread),
        cmocka_unit_test(spares_come_last_and_the_invited_never),
        cmocka_unit_test(breaches_of_k1),
        cmocka_unit_test(breaches_of_k2_and_k3),
        cmocka_unit_test(breaches_of_k4),
        cmocka_unit_test(breaches_of_k5_and_k7),
        cmocka_unit_test(breaches_of_k8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
