/* test_config - the first configuration, lookups, who is responsible, who accepts.
 *
 * Does:   config_first for every count of members up to 12 and of shards up to 6; lookups,
 *         responsibility and acceptors of random configurations against naive ones; config_check
 *         against one breach of each invariant.
 * Not:    bytes: test_config_codec.
 * Holds:  K1 to K5, K7 to K10.
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

/* Which shards an actor may have written to, by asking everybody who could bear it, and for the
 * retired slot by slot. False when nobody bears it. */
static bool naive_meets(const struct config *config, uint32_t actor, bool meets[LIMIT_PARTS])
{
    bool is_open = false;
    memset(meets, 0, LIMIT_PARTS * sizeof(meets[0]));
    for (uint32_t i = 0; actor != 0 && i < config->member_count; i++)
        if (config->members[i].actor == actor)
            is_open = meets[config->members[i].shard] = true;
    for (uint32_t i = 0; actor != 0 && i < config->seat_count; i++)
        if (config->seats[i].actor == actor)
            is_open = meets[config->seats[i].shard] = true;
    for (uint32_t i = 0; actor != 0 && i < config->retired_count; i++)
        for (uint32_t slot = 0; slot < LIMIT_SLOTS && config->retired[i].actor == actor; slot++)
            if (slotset_has(&config->retired[i].slots, slot))
                is_open = meets[config->owner[slot]] = true;
    return is_open;
}

static const struct seat *naive_seat(const struct config *config, uint32_t shard, uint64_t node_id)
{
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].shard == shard && config->seats[i].node_id == node_id)
            return &config->seats[i];
    return NULL;
}

/* Protocol 5: those that have a place in one of these shards. */
static uint32_t naive_responsible(const struct config *config, const bool meets[LIMIT_PARTS],
                                  uint32_t members[LIMIT_MEMBERS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool counts = false;
        for (uint32_t shard = 0; shard < config->shard_count; shard++)
            counts |= meets[shard] && (member->shard == shard ||
                                       naive_seat(config, shard, member->node_id) != NULL);
        if (counts)
            members[count++] = i;
    }
    return count;
}

/* The one entry of the actor for this shard, if it has one there. */
static void assert_retired_is_found(const struct config *config, uint32_t actor)
{
    const struct retired *first = NULL;
    uint32_t entries = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        first = first == NULL && config->retired[i].actor == actor ? &config->retired[i] : first;
        entries += config->retired[i].actor == actor;
    }
    assert_ptr_equal(config_retired(config, actor, SHARD_NONE), first);
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        const struct retired *retired = config_retired(config, actor, shard);
        if (retired == NULL)
            continue;
        found++;
        assert_int_equal(retired->actor, actor);
        assert_true(slotset_contains(&config->shards[shard].slots, &retired->slots));
        assert_int_equal(config_shard_of_retired(config, retired), shard);
    }
    assert_int_equal(found, entries);
}

static void assert_actors_are_judged(const struct config *config)
{
    for (uint32_t actor = 0; actor <= config->next_actor + 1; actor++) {
        bool meets[LIMIT_PARTS];
        bool is_open = naive_meets(config, actor, meets);
        bool is_known = actor > 0 && actor < config->next_actor;
        assert_int_equal(config_actor_closed(config, actor), is_known && !is_open);
        for (uint32_t shard = 0; shard < config->shard_count; shard++)
            assert_int_equal(config_actor_meets(config, actor, shard), meets[shard]);
        uint32_t members[LIMIT_MEMBERS];
        uint32_t expected[LIMIT_MEMBERS];
        uint32_t count = config_responsible(config, actor, members);
        assert_int_equal(count, naive_responsible(config, meets, expected));
        assert_memory_equal(members, expected, count * sizeof(members[0]));
        assert_retired_is_found(config, actor);
    }
}

static void assert_place(const struct config *config, const struct member *member, uint32_t shard,
                         uint32_t actor, enum member_state state)
{
    struct place place = {0};
    assert_true(config_place(config, shard, member->node_id, &place));
    assert_ptr_equal(place.member, member);
    assert_int_equal(place.shard, shard);
    assert_int_equal(place.actor, actor);
    assert_int_equal(place.state, state);
    assert_true(config_place_by_actor(config, actor, &place));
    assert_ptr_equal(place.member, member);
    assert_int_equal(place.shard, shard);
    assert_int_equal(place.state, state);
}

/* Every member in every shard: its home, a seat, or none. */
static void assert_places_are_found(const struct config *config)
{
    struct place places[LIMIT_MEMBERS];
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        uint32_t count = 0;
        uint32_t all = config_places(config, shard, places);
        for (uint32_t i = 0; i < config->member_count; i++) {
            const struct member *member = &config->members[i];
            const struct seat *seat = naive_seat(config, shard, member->node_id);
            struct place place;
            if (member->shard == shard)
                assert_place(config, member, shard, member->actor, member->state);
            else if (seat != NULL)
                assert_place(config, member, shard, seat->actor, seat->state);
            else if (config_place(config, shard, member->node_id, &place))
                fail();
            if (member->shard != shard && seat == NULL)
                continue;
            bool listed = false;
            for (uint32_t j = 0; j < all; j++)
                listed |= places[j].member == member && places[j].shard == shard;
            assert_true(listed);
            count++;
        }
        assert_int_equal(all, count);
    }
}

static void assert_states_are_counted(const struct config *config)
{
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        uint32_t counts[5] = {0};
        for (uint32_t i = 0; i < config->member_count; i++)
            if (config->members[i].shard == shard)
                counts[config->members[i].state]++;
        for (uint32_t i = 0; i < config->seat_count; i++)
            if (config->seats[i].shard == shard)
                counts[config->seats[i].state]++;
        for (uint32_t i = 0; i < 5; i++)
            assert_int_equal(config_count(config, shard, (enum member_state)i), counts[i]);
        assert_int_equal(config_degraded(config, shard),
                         counts[MEMBER_ACTIVE] + counts[MEMBER_SYNCING] <= 1);
    }
}

/* Clients know the shards that last alone. */
static void assert_shards_are_told(const struct config *config)
{
    uint32_t lasting = config_lasting_shards(config);
    for (uint32_t i = 0; i < config->shard_count; i++) {
        const struct shard *shard = &config->shards[i];
        uint32_t told = config_public_shard(config, i);
        assert_int_equal(config_shard_by_id(config, shard->id), i);
        assert_int_equal(shard_is_transit(shard), i >= lasting);
        assert_true(told < lasting);
        uint32_t id = i < lasting ? shard->id : shard->switched ? shard->into : shard->from;
        assert_int_equal(config->shards[told].id, id);
    }
    assert_int_equal(config_shard_by_id(config, 1000), SHARD_NONE);
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
        assert_places_are_found(config);
        assert_shards_are_told(config);
        config_free(config);
    }
}

/* --- acceptors --- */

/* All candidates sorted by (spare or not, rank within the shard, shard), then cut. */
static uint32_t naive_acceptors(const struct config *config, uint32_t members[LIMIT_ACCEPTORS])
{
    uint64_t order[LIMIT_MEMBERS];
    uint32_t ranks[LIMIT_PARTS + 1] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (member->state == MEMBER_INVITED)
            continue;
        bool spare = member->shard == SHARD_NONE;
        uint32_t column = spare ? LIMIT_PARTS : member->shard;
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

/* Three and two members, two retired actors; a transit of slots 0 to 9 from the first shard, in
 * which two members of it have seats, and one of the second. */
static struct config *sound_config(void)
{
    struct first_start start = start_of(5, 2);
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    struct shard *transit = &config->shards[config->shard_count++];
    *transit = (struct shard){.id = SHARD_ID_TRANSIT | 6, .from = 0, .into = 1};
    slotset_add_range(&transit->slots, 0, 9);
    slotset_subtract(&config->shards[0].slots, &transit->slots);
    config_index(config);
    config->seats[config->seat_count++] = (struct seat){1000, 2, 10, MEMBER_ACTIVE};
    config->seats[config->seat_count++] = (struct seat){999, 2, 11, MEMBER_LEAVING};
    config->seats[config->seat_count++] = (struct seat){997, 2, 12, MEMBER_SYNCING};
    config->retired_count = 3;
    config->retired[0] = (struct retired){.actor = 6, .state = RETIRED_SEALED};
    config->retired[1] = (struct retired){.actor = 6, .state = RETIRED_SEALING};
    config->retired[2] = (struct retired){.actor = 7, .state = RETIRED_MOVING};
    slotset_add_range(&config->retired[0].slots, 3, 5);
    slotset_add_range(&config->retired[1].slots, 20, 25);
    slotset_add_range(&config->retired[2].slots, 4, 5);
    config->next_actor = 13;
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
    ASSERT_BREACH(slotset_remove(&config->shards[0].slots, 50));
    ASSERT_BREACH(slotset_add(&config->shards[1].slots, 50));
    ASSERT_BREACH(config->owner[50] = 1);
    ASSERT_BREACH(config->owner[50] = 3);
    ASSERT_BREACH((config->shard_count = 2, config->seat_count = 0));
}

static void breaches_of_k2_and_k3(void **state)
{
    (void)state;
    ASSERT_BREACH(config->members[4].node_id = config->members[1].node_id);
    ASSERT_BREACH(config->members[4].address = config->members[1].address);
    ASSERT_BREACH(config->members[4].actor = config->members[1].actor);
    ASSERT_BREACH(config->members[4].actor = 7);
    ASSERT_BREACH(config->members[4].actor = 10);
    ASSERT_BREACH(config->members[4].actor = 13);
    ASSERT_BREACH(config->seats[0].actor = 3);
    ASSERT_BREACH(config->seats[0].actor = 11);
    ASSERT_BREACH(config->seats[0].actor = 7);
    ASSERT_BREACH(config->seats[0].actor = 13);
    ASSERT_BREACH(config->seats[0].actor = 0);
    ASSERT_BREACH((config->retired[0].actor = 3, config->retired[1].actor = 3));
    ASSERT_BREACH(config->retired[2].actor = 13);
    ASSERT_BREACH(config->retired[0].actor = 0);
    ASSERT_BREACH(slotset_init(&config->retired[2].slots));     /* an entry of nothing */
    ASSERT_BREACH(slotset_add(&config->retired[2].slots, 10));  /* of two shards */
    ASSERT_BREACH(slotset_add(&config->retired[1].slots, 8));   /* two for a shard */
    ASSERT_BREACH(slotset_remove(&config->shards[2].slots, 4)); /* K1, too */
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
    ASSERT_BREACH(config->shard_count = LIMIT_PARTS + 1);
    ASSERT_BREACH(config->retired_count = LIMIT_RETIRED + 1);
    ASSERT_BREACH(config->ancestor_count = LIMIT_ANCESTORS + 1);
    ASSERT_BREACH(config->loss_count = LIMIT_LOSSES + 1);
    ASSERT_BREACH(config->shards[1].id = config->shards[0].id);
    ASSERT_BREACH((config->retired[1].actor = 7, config->retired[2].actor = 6));
    ASSERT_BREACH(
        (slotset_init(&config->retired[0].slots), slotset_add(&config->retired[0].slots, 30),
         slotset_init(&config->retired[1].slots), slotset_add(&config->retired[1].slots, 3)));
    ASSERT_BREACH(config->seat_count = LIMIT_SEATS + 1);
    ASSERT_BREACH(config->wanted_shards = LIMIT_SHARDS + 1);
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
    ASSERT_BREACH(config->seats[0].state = MEMBER_SYNCING); /* another one leaves the transit */
    struct config *config = sound_config();
    config->members[2].state = MEMBER_LEAVING;
    config_check(config);
    config->members[2].target = 1;
    config_check(config);
    config_free(config);
}

/* So many members, seats and entries of retired actors. */
static void fill_up(struct config *config, uint32_t members, uint32_t retired)
{
    while (config->member_count < members) {
        struct member *member = &config->members[config->member_count];
        *member = (struct member){.shard = SHARD_NONE, .target = SHARD_NONE};
        member->state = MEMBER_SPARE;
        member->node_id = 5000 + config->member_count++;
        snprintf(member->address.text, sizeof(member->address.text), "spare-%" PRIu64 ":80",
                 member->node_id);
    }
    while (config->retired_count < retired) {
        struct retired *last = &config->retired[config->retired_count++];
        *last = (struct retired){.actor = config->next_actor++};
        slotset_add(&last->slots, 7);
    }
}

/* Every member may have an actor some day. */
static void actors_have_a_limit(void **state)
{
    (void)state;
    struct config *config = sound_config(); /* three seats; one actor with two entries */
    fill_up(config, LIMIT_MEMBERS, LIMIT_ACTORS - LIMIT_MEMBERS - 3 + 1);
    config_check(config);
    fill_up(config, LIMIT_MEMBERS, LIMIT_ACTORS - LIMIT_MEMBERS - 3 + 2);
    expect_assert_failure(config_check(config));
    config_free(config);
}

static void breaches_of_k9(void **state)
{
    (void)state;
    ASSERT_BREACH(config->shards[2].id = 2);
    ASSERT_BREACH(config->shards[1].id = SHARD_ID_TRANSIT | 1);
    ASSERT_BREACH(config->shards[2].from = 1);
    ASSERT_BREACH(config->shards[2].from = 3);
    ASSERT_BREACH(config->shards[2].from = SHARD_ID_TRANSIT | 6);
    ASSERT_BREACH(config->shards[2].into = 2);
    ASSERT_BREACH(config->shards[2].into = SHARD_NONE);
    ASSERT_BREACH(config->shards[0].from = 1);
    ASSERT_BREACH(config->shards[0].into = 1);
    ASSERT_BREACH(config->shards[0].switched = true);
    /* Nothing is in the transit. */
    ASSERT_BREACH((slotset_merge(&config->shards[0].slots, &config->shards[2].slots),
                   slotset_init(&config->shards[2].slots), config_index(config),
                   config->retired_count = 0));
}

static void breaches_of_k10(void **state)
{
    (void)state;
    ASSERT_BREACH(config->seats[2].node_id = 4711);
    ASSERT_BREACH(config->seats[2].node_id = 1000);
    ASSERT_BREACH(config->seats[2].shard = 1);
    ASSERT_BREACH(config->seats[2].shard = 3);
    ASSERT_BREACH(config->seats[2].state = MEMBER_SPARE);
    ASSERT_BREACH(config->members[0].state = MEMBER_LEAVING); /* who leaves its shard has none */
    struct config *config = sound_config();
    config->members[2].shard = 1; /* it has no seat */
    config_check(config);
    config->shards[3] = (struct shard){.id = 2, .from = SHARD_NONE, .into = SHARD_NONE};
    struct shard transit = config->shards[2];
    config->shards[2] = config->shards[3];
    config->shards[3] = transit;
    config->shard_count++;
    for (uint32_t i = 0; i < config->seat_count; i++)
        config->seats[i].shard = 3;
    config_index(config);
    config_check(config);
    config->members[0].shard = 2; /* of neither of the transit's shards */
    expect_assert_failure(config_check(config));
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
        cmocka_unit_test(breaches_of_k9),
        cmocka_unit_test(breaches_of_k10),
        cmocka_unit_test(actors_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
