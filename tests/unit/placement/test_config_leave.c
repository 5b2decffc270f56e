/* test_config_leave - who goes, who takes the place, and who may not go.
 *
 * Does:   stories of config_remove, config_left and config_fork; every removal from every small
 *         cluster against a second way of judging it.
 * Not:    random sequences of all changes: test_config_changes.
 * Holds:  -
 * Limits: four members and two shards where everything is tried.
 * See:    placement/config_change.h; docs/protocol.md 6.4, 6.6, 6.7.
 */
#include "unit/placement/change.h"

/* Members by index as bits. */
#define BITS(mask, i) (((mask) >> (i)) & 1U)
#define ALL 0xffffffffU

static struct config *remove_bits(const struct config *config, uint32_t going, uint32_t alive,
                                  bool force, enum err *err)
{
    struct address addresses[LIMIT_MEMBERS];
    struct removal removal = {.addresses = addresses, .force = force};
    for (uint32_t i = 0; i < config->member_count; i++) {
        removal.alive[i] = BITS(alive, i);
        if (BITS(going, i))
            addresses[removal.address_count++] = config->members[i].address;
    }
    return config_remove(config, &removal, err);
}

static const struct retired *retired_at(const struct config *config, uint32_t index)
{
    assert_true(index < config->retired_count);
    return &config->retired[index];
}

/* --- remove --- */

static void who_holds_nothing_goes_at_once(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 ?? A0 --");
    APPLY(config, remove_bits(config, 0xa, ALL, false, &err));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(config->fence, 3);
    assert_int_equal(config->members[1].node_id, 102);
    struct address other = address_at(7);
    struct removal removal = {.addresses = &other, .address_count = 1};
    ASSERT_REFUSED(config_remove(config, &removal, &err), E_NOT_LISTED);
    config_free(config);
}

static void a_live_member_hands_over_first(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    ASSERT_NOTHING(left_of(config, 101, &err));
    APPLY(config, remove_bits(config, 2, ALL, false, &err));
    ASSERT_WORDS(config, "A0 L0 A0");
    assert_int_equal(config->fence, 3);
    ASSERT_NOTHING(remove_bits(config, 2, ALL, false, &err));
    APPLY(config, left_of(config, 101, &err));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(config->fence, 11);
    assert_int_equal(config->retired_count, 0);
    assert_true(config_actor_closed(config, 2));
    ASSERT_NOTHING(left_of(config, 101, &err));
    config_free(config);
}

static void a_dead_member_is_sealed_by_the_others(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0");
    APPLY(config, remove_bits(config, 2, ALL & ~2U, false, &err));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(config->fence, 10);
    assert_int_equal(retired_at(config, 0)->actor, 2);
    assert_int_equal(retired_at(config, 0)->state, RETIRED_SEALING);
    config_free(config);
    config = cluster_of(1, "A0 L0 A0"); /* it died while it handed over */
    APPLY(config, remove_bits(config, 2, ALL & ~2U, false, &err));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(retired_at(config, 0)->actor, 2);
    config_free(config);
}

/* Nobody leaves while writes of one who has gone are still being gathered: it may have them. */
static void leaving_waits_for_sealing(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 L0 A1 L1 A1 A1 S0");
    APPLY(config, remove_bits(config, 1, ALL & ~1U, false, &err));
    ASSERT_NOTHING(left_of(config, 103, &err));
    ASSERT_REFUSED(remove_bits(config, 0x80, ALL, false, &err), E_UNSETTLED);
    APPLY(config, left_of(config, 105, &err)); /* of the other shard */
    APPLY(config, config_sealed(config, 1, SHARD_NONE, 5, 5, NOW_MS, &err));
    ASSERT_NOTHING(left_of(config, 103, &err));
    APPLY(config, config_closed(config, 1, SHARD_NONE, &err));
    APPLY(config, left_of(config, 103, &err));
    APPLY(config, remove_bits(config, 0x20, ALL, false, &err));
    ASSERT_WORDS(config, "A0 A0 A1 A1 A1");
    config_free(config);
}

static void a_syncing_member_is_dropped(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 S0");
    APPLY(config, remove_bits(config, 4, ALL, false, &err));
    ASSERT_WORDS(config, "A0 A0");
    assert_int_equal(config->retired_count, 0);
    assert_int_equal(config->fence, 3);
    config_free(config);
    /* Without an active member everything that anybody has is needed. */
    config = cluster_of(1, "S0 S0 S0");
    ASSERT_REFUSED(remove_bits(config, 4, ALL, false, &err), E_UNSETTLED);
    APPLY(config, remove_bits(config, 4, 3, false, &err));
    ASSERT_WORDS(config, "S0 S0");
    ASSERT_REFUSED(remove_bits(config, 2, 1, false, &err), E_TOO_FEW);
    APPLY(config, remove_bits(config, 2, 1, true, &err));
    ASSERT_REFUSED(remove_bits(config, 1, 0, true, &err), E_LAST_ACTIVE);
    config_free(config);
}

static void a_spare_takes_the_place(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "-- A0 A0 A1 A1 -- --");
    APPLY(config, remove_bits(config, 4, ALL & ~1U, false, &err)); /* the first one is dead */
    ASSERT_WORDS(config, "-- A0 L0 A1 A1 S0 --");
    APPLY(config, left_of(config, 102, &err));
    ASSERT_WORDS(config, "-- A0 A1 A1 S0 --");
    config_free(config);
    config = cluster_of(2, "-- A0 A0 A1 A1");
    ASSERT_REFUSED(remove_bits(config, 5, ALL, false, &err), E_TOO_FEW); /* it goes as well */
    config_free(config);
}

static void a_member_of_a_larger_shard_takes_the_place(void **state)
{
    (void)state;
    struct config *config = cluster_of(3, "A0 A0 A1 A1 A1 A2 A2 A2 A2");
    APPLY(config, remove_bits(config, 2, ALL, false, &err));
    ASSERT_WORDS(config, "A0 L0 A1 A1 A1 A2 A2 A2 L20");
    ASSERT_NOTHING(left_of(config, 101, &err)); /* who takes its place comes first */
    APPLY(config, left_of(config, 108, &err));
    ASSERT_WORDS(config, "A0 L0 A1 A1 A1 A2 A2 A2 S0");
    assert_int_equal(config->members[8].actor, 10);
    assert_true(config_actor_closed(config, 9));
    assert_int_equal(config->fence, 11);
    APPLY(config, left_of(config, 101, &err));
    ASSERT_WORDS(config, "A0 A1 A1 A1 A2 A2 A2 S0");
    config_free(config);
    /* Of shards of one size the first one gives. */
    config = cluster_of(3, "A0 A0 A1 A1 A1 A2 A2 A2");
    APPLY(config, remove_bits(config, 2, ALL, false, &err));
    ASSERT_WORDS(config, "A0 L0 A1 A1 L10 A2 A2 A2");
    config_free(config);
    /* Who moves waits for nobody, or two shards could wait for each other. */
    config = cluster_of(2, "A0 L01 A1 L10");
    APPLY(config, left_of(config, 101, &err));
    ASSERT_WORDS(config, "A0 S1 A1 L10");
    config_free(config);
    /* It has to be alive, and one that is stays behind. */
    config = cluster_of(2, "A0 A0 A1 A1 A1");
    APPLY(config, remove_bits(config, 2, ALL & ~0x10U, false, &err));
    ASSERT_WORDS(config, "A0 L0 A1 L10 A1");
    config_free(config);
    config = cluster_of(2, "A0 A0 A1 A1 A1");
    ASSERT_REFUSED(remove_bits(config, 2, 0x7, false, &err), E_TOO_FEW);
    config_free(config);
    config = cluster_of(2, "A0 A0 A1 S1 S1");
    ASSERT_REFUSED(remove_bits(config, 2, ALL, false, &err), E_TOO_FEW);
    config_free(config);
}

/* T18 and T38 */
static void nobody_can_take_the_place(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1");
    ASSERT_REFUSED(remove_bits(config, 6, 0x19, false, &err), E_TOO_FEW);
    assert_false(config_degraded(config, 0));
    APPLY(config, remove_bits(config, 6, 0x19, true, &err));
    ASSERT_WORDS(config, "A0 A1 A1");
    assert_true(config_degraded(config, 0));
    assert_false(config_degraded(config, 1));
    ASSERT_REFUSED(remove_bits(config, 1, ALL, true, &err), E_LAST_ACTIVE);
    APPLY(config, remove_bits(config, 4, ALL, true, &err)); /* forced: alone is enough */
    APPLY(config, left_of(config, 104, &err));
    ASSERT_WORDS(config, "A0 A1");
    config_free(config);
}

static void the_last_active_member_stays(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 S0 S0 --");
    ASSERT_REFUSED(remove_bits(config, 1, ALL, false, &err), E_LAST_ACTIVE);
    ASSERT_REFUSED(remove_bits(config, 1, 0, true, &err), E_LAST_ACTIVE);
    config_free(config);
    /* The other active one is dead: nobody would serve. */
    config = cluster_of(1, "A0 A0 --");
    ASSERT_REFUSED(remove_bits(config, 1, 5, true, &err), E_LAST_ACTIVE);
    APPLY(config, remove_bits(config, 2, 5, true, &err));
    ASSERT_WORDS(config, "A0 S0");
    config_free(config);
}

/* The last active one is dead for good, and the one that was leaving has everything. */
static void who_was_leaving_stays_instead_of_the_dead(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 L0 S0 A1 A1");
    ASSERT_REFUSED(remove_bits(config, 1, ALL, false, &err), E_LAST_ACTIVE);
    APPLY(config, remove_bits(config, 1, ALL & ~1U, false, &err));
    ASSERT_WORDS(config, "A0 S0 A1 A1");
    config_free(config);
    config = cluster_of(2, "A0 L01 S0 A1 --"); /* shard 1 counted on it */
    APPLY(config, remove_bits(config, 1, ALL & ~1U, false, &err));
    ASSERT_WORDS(config, "A0 S0 A1 S1");
    config_free(config);
    config = cluster_of(1, "A0 L0 S0");
    ASSERT_REFUSED(remove_bits(config, 3, 6, false, &err), E_LAST_ACTIVE);
    config_free(config);
}

static void who_was_to_take_a_place_is_replaced(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 L01 A1 L1");
    APPLY(config, remove_bits(config, 8, ALL & ~8U, false, &err));
    ASSERT_WORDS(config, "A0 A0 L01 A1 L1");
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1 L1");
    ASSERT_REFUSED(remove_bits(config, 4, ALL, false, &err), E_TOO_FEW);
    APPLY(config, remove_bits(config, 4, ALL, true, &err));
    ASSERT_WORDS(config, "A0 A0 L0 A1 L1");
    APPLY(config, left_of(config, 104, &err)); /* nobody is on the way any more */
    config_free(config);
}

/* A shard that was degraded before, and loses nobody who counted, asks for nothing. */
static void a_removal_minds_its_own_shards(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A1 A1 A1 L0");
    APPLY(config, remove_bits(config, 2, ALL, false, &err));
    ASSERT_WORDS(config, "A0 L1 A1 A1 L0");
    APPLY(config, remove_bits(config, 0x10, 0xf, false, &err));
    ASSERT_WORDS(config, "A0 L1 A1 A1");
    config_free(config);
}

/* Who goes leaves a place that its old actor takes. */
static void too_many_retired_actors_refuse_no_removal(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0 A0 A0");
    struct address another = address_at(9);
    config->next_actor = 100 + LIMIT_ACTORS;
    for (uint32_t i = 4; i < LIMIT_ACTORS; i++)
        config->retired[config->retired_count++] =
            (struct retired){.actor = 100 + i, .slots = config->shards[0].slots};
    ASSERT_REFUSED(config_invite(config, &another, &err), E_ACTORS_FULL);
    ASSERT_REFUSED(config_renew(config, 100, 1, NOW_MS, &err), E_ACTORS_FULL);
    APPLY(config, remove_bits(config, 3, 0xc, false, &err));
    ASSERT_REFUSED(config_renew(config, 103, 4, NOW_MS, &err), E_ACTORS_FULL);
    config_free(config);
}

/* --- every removal from every small cluster --- */

struct removal_case {
    const struct config *config;
    uint32_t going;
    uint32_t alive;
    bool force;
};

/* Members of the shard whose state is one of `states` and that pass the masks. */
static uint32_t naive_count(const struct removal_case *given, uint32_t shard, const char *states,
                            uint32_t among)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < given->config->member_count; i++) {
        const struct member *member = &given->config->members[i];
        if (BITS(among, i) && member->shard == shard &&
            strchr(states, "ASL-?"[member->state]) != NULL)
            count++;
    }
    return count;
}

static bool naive_loses_data(const struct removal_case *given, uint32_t shard)
{
    uint32_t going = given->going;
    uint32_t alive = given->alive;
    if (naive_count(given, shard, "A", going & alive) > 0)
        return naive_count(given, shard, "A", ~going & alive) == 0;
    if (naive_count(given, shard, "A", going) > 0)
        return naive_count(given, shard, "AL", ~going) == 0;
    return naive_count(given, shard, "S", going) > 0 &&
           naive_count(given, shard, "AS", ~going) == 0;
}

/* The members of the shard as they stand when all have gone that go: who was leaving is active
 * where nobody else is. */
static bool naive_leavers_stay(const struct removal_case *given, uint32_t shard)
{
    return naive_count(given, shard, "A", ~given->going) == 0 &&
           naive_count(given, shard, "A", given->going & given->alive) == 0;
}

static bool naive_unsettled(const struct removal_case *given, uint32_t shard)
{
    uint32_t dead = given->going & ~given->alive;
    bool served = naive_count(given, shard, "A", ~dead) > 0 ||
                  (naive_leavers_stay(given, shard) && naive_count(given, shard, "L", ~dead) > 0);
    return naive_count(given, shard, "S", given->going & given->alive) > 0 &&
           (!served || naive_count(given, shard, "AL", dead) > 0);
}

/* Those a shard can count on: before, or after all have gone that go. */
static uint32_t naive_tolerance(const struct removal_case *given, uint32_t shard, bool after)
{
    uint32_t count = naive_count(given, shard, "AS", after ? ~given->going : ALL);
    if (after && naive_leavers_stay(given, shard))
        count += naive_count(given, shard, "L", ~given->going);
    for (uint32_t i = 0; i < given->config->member_count; i++) {
        const struct member *member = &given->config->members[i];
        if (member->target != shard)
            continue;
        bool stays = BITS(given->going, i) || naive_leavers_stay(given, member->shard);
        count += !after || !stays;
    }
    return count;
}

/* How many shards could be helped: spares that are alive, and members of shards that keep two. */
static uint32_t naive_helpers(const struct removal_case *given)
{
    uint32_t usable = given->alive & ~given->going;
    uint32_t helpers = naive_count(given, SHARD_NONE, "-", usable);
    for (uint32_t shard = 0; shard < given->config->shard_count; shard++) {
        bool back = naive_leavers_stay(given, shard);
        uint32_t staying = naive_count(given, shard, back ? "ASL" : "AS", ~given->going);
        uint32_t active = naive_count(given, shard, back ? "AL" : "A", usable);
        uint32_t spared = staying >= 3 ? staying - 2 : 0;
        helpers += active == 0 ? 0 : active - 1 < spared ? active - 1 : spared;
    }
    return helpers;
}

/* How many members the shard lacks of the two that it had. */
static uint32_t naive_lack(const struct removal_case *given, uint32_t shard)
{
    uint32_t before = naive_tolerance(given, shard, false);
    uint32_t after = naive_tolerance(given, shard, true);
    uint32_t wanted = before < 2 ? before : 2;
    return after < wanted ? wanted - after : 0;
}

static uint32_t naive_shortage(const struct removal_case *given)
{
    uint32_t lack = 0;
    for (uint32_t shard = 0; shard < given->config->shard_count; shard++)
        lack += naive_lack(given, shard);
    return lack;
}

/* A shard that had somebody is left with nobody: who can help helps the first shards first. */
static bool naive_orphans(const struct removal_case *given)
{
    uint32_t helpers = naive_helpers(given);
    for (uint32_t shard = 0; shard < given->config->shard_count; shard++) {
        uint32_t lack = naive_lack(given, shard);
        uint32_t helped = lack < helpers ? lack : helpers;
        if (lack > 0 && naive_tolerance(given, shard, true) + helped == 0)
            return true;
        helpers -= helped;
    }
    return false;
}

static enum err naive_removal(const struct removal_case *given)
{
    bool unsettled = false;
    for (uint32_t shard = 0; shard < given->config->shard_count; shard++) {
        if (naive_loses_data(given, shard))
            return E_LAST_ACTIVE;
        unsettled |= naive_unsettled(given, shard);
    }
    if (unsettled && !given->force)
        return E_UNSETTLED;
    if (given->force)
        return naive_orphans(given) ? E_NO_HEIR : E_OK;
    return naive_shortage(given) > naive_helpers(given) ? E_TOO_FEW : E_OK;
}

/* What became of each member, one by one. */
static void assert_members_went(const struct removal_case *given, const struct config *next)
{
    uint32_t helpers = 0;
    for (uint32_t i = 0; i < given->config->member_count; i++) {
        const struct member *before = &given->config->members[i];
        const struct member *after =
            config_member_by_address(next, slice_str(before->address.text));
        bool hands_over = BITS(given->alive, i) &&
                          (before->state == MEMBER_ACTIVE || before->state == MEMBER_LEAVING);
        if (BITS(given->going, i) && !hands_over) {
            assert_null(after);
            continue;
        }
        assert_non_null(after);
        assert_int_equal(after->node_id, before->node_id);
        if (BITS(given->going, i)) {
            assert_int_equal(after->state, MEMBER_LEAVING);
            assert_int_equal(after->target, SHARD_NONE);
            assert_int_equal(after->actor, before->actor);
        } else if (after->state != before->state || after->target != before->target) {
            bool came_back = before->state == MEMBER_LEAVING && after->state == MEMBER_ACTIVE;
            assert_true(came_back || BITS(given->alive, i));
            helpers += !came_back;
        }
    }
    assert_true(helpers <= naive_shortage(given));
}

static void assert_dead_are_retired(const struct removal_case *given, const struct config *next)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < given->config->member_count; i++) {
        const struct member *member = &given->config->members[i];
        if (!BITS(given->going & ~given->alive, i) ||
            (member->state != MEMBER_ACTIVE && member->state != MEMBER_LEAVING))
            continue;
        const struct retired *retired = config_retired(next, member->actor, SHARD_NONE);
        assert_non_null(retired);
        assert_int_equal(retired->state, RETIRED_SEALING);
        assert_int_equal(retired->node_id, member->node_id);
        assert_true(slotset_equal(&retired->slots, &given->config->shards[member->shard].slots));
        count++;
    }
    assert_int_equal(next->retired_count, count);
}

/* Of each shard: who has its data, and two to count on where there were. */
static void assert_shards_are_kept(const struct removal_case *given, const struct config *next)
{
    for (uint32_t shard = 0; shard < next->shard_count; shard++) {
        struct removal_case after = {.config = next};
        uint32_t tolerance = naive_tolerance(&after, shard, false);
        assert_true(given->force || tolerance >= 2 ||
                    tolerance >= naive_tolerance(given, shard, false));
        assert_true(config_count(next, shard, MEMBER_ACTIVE) > 0 ||
                    config_count(given->config, shard, MEMBER_ACTIVE) == 0);
    }
}

static void assert_removal(const struct removal_case *given, uint32_t counts[2])
{
    enum err err = E_MALFORMED;
    struct config *next =
        remove_bits(given->config, given->going, given->alive, given->force, &err);
    assert_int_equal(err, naive_removal(given));
    counts[next != NULL]++;
    if (next == NULL)
        return;
    assert_change(given->config, next);
    assert_members_went(given, next);
    assert_dead_are_retired(given, next);
    assert_shards_are_kept(given, next);
    config_free(next);
}

/* Leaving takes an active member that stays. */
static bool words_are_sound(const char *words)
{
    for (const char *at = strchr(words, 'L'); at != NULL; at = strchr(at + 1, 'L')) {
        const char active[] = {'A', at[1], '\0'};
        if (strstr(words, active) == NULL)
            return false;
    }
    return true;
}

static void remove_all_ways(const char *words, uint32_t counts[2])
{
    struct config *config = cluster_of(2, words);
    uint32_t every = (1U << config->member_count) - 1;
    for (uint32_t going = 1; going <= every; going++)
        for (uint32_t alive = 0; alive <= every; alive++)
            for (uint32_t force = 0; force < 2; force++) {
                struct removal_case given = {config, going, alive, force != 0};
                assert_removal(&given, counts);
            }
    config_free(config);
}

/* Every multiset of four of these words: nothing depends on the order but who is first. */
static void every_removal_from_every_small_cluster(void **state)
{
    (void)state;
    static const char *const kinds[] = {"A0", "A1", "S0", "S1", "L0", "L01", "--"};
    const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);
    uint32_t counts[2] = {0};
    for (size_t a = 0; a < kind_count; a++)
        for (size_t b = a; b < kind_count; b++)
            for (size_t c = b; c < kind_count; c++)
                for (size_t d = c; d < kind_count; d++) {
                    char words[32];
                    snprintf(words, sizeof(words), "%s %s %s %s", kinds[a], kinds[b], kinds[c],
                             kinds[d]);
                    if (words_are_sound(words))
                        remove_all_ways(words, counts);
                }
    print_message("%" PRIu32 " removals, %" PRIu32 " of them refused or nothing\n",
                  counts[0] + counts[1], counts[0]);
    assert_true(counts[0] > 1000 && counts[1] > 1000);
}

/* --- fork --- */

static struct config *fork_of(const struct config *config, const char *fates, enum err *err)
{
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS};
    for (uint32_t i = 0; i < config->member_count; i++) {
        const char *fate = strchr("+0x", fates[i]);
        assert_non_null(fate);
        fork.fates[i] = (enum fate)(fate - strchr("+0x", '+'));
        fork.node_ids[i] = fork.fates[i] == FATE_EMPTY ? 900 + i : 0;
    }
    return config_fork(config, &fork, err);
}

static void the_absent_are_given_up(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1 ?? --");
    APPLY(config, fork_of(config, "xx+++x+", &err));
    ASSERT_WORDS(config, "A0 A1 A1 S0");
    assert_int_equal(config->lineage, 78);
    assert_int_equal(config->fence, 10);
    const struct ancestor *ancestor = config_ancestor(config, 77);
    assert_non_null(ancestor);
    assert_int_equal(ancestor->epoch, 9);
    assert_int_equal(ancestor->next_actor, 8);
    assert_int_equal(retired_at(config, 0)->actor, 1);
    assert_int_equal(retired_at(config, 1)->actor, 2);
    assert_int_equal(config->retired_count, 2);
    assert_int_equal(config->loss_count, 1);
    assert_int_equal(config->losses[0].shard, 0);
    assert_int_equal(config->losses[0].actor, 0);
    ASSERT_REFUSED(config_fork(config, &(struct fork){.lineage = 77}, &err), E_MALFORMED);
    ASSERT_REFUSED(config_fork(config, &(struct fork){.lineage = 78}, &err), E_MALFORMED);
    ASSERT_REFUSED(config_fork(config, &(struct fork){.lineage = 0}, &err), E_MALFORMED);
    config_free(config);
}

/* A whole shard came back empty: it begins anew, with nothing. */
static void the_empty_take_their_places(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A1 S1 -- ??");
    APPLY(config, fork_of(config, "++0000", &err));
    ASSERT_WORDS(config, "A0 A0 S1 S1 -- --");
    for (uint32_t i = 2; i < 6; i++)
        assert_int_equal(config->members[i].node_id, 900 + i);
    assert_int_equal(config->retired_count, 1);
    assert_int_equal(config->losses[0].shard, 1);
    APPLY(config, config_merged(config, 1, NOW_MS, &err));
    ASSERT_WORDS(config, "A0 A0 A1 A1 -- --");
    assert_int_equal(config->loss_count, 1);
    struct fork twice = {.lineage = 79, .fates = {FATE_EMPTY}, .node_ids = {101}};
    ASSERT_REFUSED(config_fork(config, &twice, &err), E_MALFORMED);
    twice.node_ids[0] = 0;
    ASSERT_REFUSED(config_fork(config, &twice, &err), E_MALFORMED);
    config_free(config);
}

static void a_shard_with_nobody_gets_somebody(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1 -- --");
    APPLY(config, fork_of(config, "+++xx+x", &err));
    ASSERT_WORDS(config, "A0 A0 A0 S1");
    APPLY(config, config_merged(config, 1, NOW_MS, &err));
    ASSERT_WORDS(config, "A0 A0 A0 A1");
    config_free(config);
    config = cluster_of(2, "A0 A0 A1 A1");
    APPLY(config, fork_of(config, "++xx", &err));
    ASSERT_WORDS(config, "A0 L01");
    APPLY(config, config_sealed(config, 3, SHARD_NONE, 0, 0, NOW_MS, &err));
    APPLY(config, left_of(config, 101, &err));
    ASSERT_WORDS(config, "A0 S1");
    config_free(config);
    config = cluster_of(2, "A0 S0 A1 A1");
    ASSERT_REFUSED(fork_of(config, "++xx", &err), E_NO_HEIR);
    ASSERT_REFUSED(fork_of(config, "xxxx", &err), E_NO_HEIR);
    APPLY(config, fork_of(config, "++0x", &err));
    ASSERT_WORDS(config, "A0 S0 S1");
    config_free(config);
}

static void who_was_leaving_stays_after_a_fork(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L01 A1 A1 A1");
    APPLY(config, fork_of(config, "xx++++", &err));
    ASSERT_WORDS(config, "A0 A1 A1 A1");
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1");
    APPLY(config, fork_of(config, "++++", &err));
    ASSERT_WORDS(config, "A0 A0 L01 A1");
    assert_int_equal(config->loss_count, 0);
    assert_int_equal(config->fence, 10);
    config_free(config);
}

/* Of what nobody who stays has, who comes back may have the newest copy. */
static void who_was_leaving_has_its_place_after_a_fork(void **state)
{
    (void)state;
    struct config *config = cluster_of(2, "A0 A0 L01 A1 A1");
    APPLY(config, fork_of(config, "00000", &err));
    ASSERT_WORDS(config, "S0 S0 S0 S1 S1");
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1 A1"); /* one remembers: as in config_admit */
    APPLY(config, fork_of(config, "+0000", &err));
    ASSERT_WORDS(config, "A0 S0 S1 S1 S1");
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 L01 A1");
    APPLY(config, fork_of(config, "00+00", &err));
    ASSERT_WORDS(config, "S0 S0 A0 S1 S1");
    config_free(config);
    config = cluster_of(2, "A0 A0 L01 A1"); /* the other shard would have nobody */
    APPLY(config, fork_of(config, "000x", &err));
    ASSERT_WORDS(config, "S0 S0 S1");
    config_free(config);
    config = cluster_of(3, "A0 A0 L02 A1 A1"); /* it has no slots, and may have nobody */
    slotset_merge(&config->shards[0].slots, &config->shards[2].slots);
    slotset_init(&config->shards[2].slots);
    config_index(config);
    APPLY(config, fork_of(config, "00000", &err));
    ASSERT_WORDS(config, "S0 S0 S0 S1 S1");
    config_free(config);
}

static void the_oldest_ancestor_is_forgotten(void **state)
{
    (void)state;
    struct config *config = cluster_of(1, "A0 A0");
    for (uint32_t i = 0; i < LIMIT_ANCESTORS + 2; i++) {
        struct fork fork = {.lineage = 1000 + i};
        APPLY(config, config_fork(config, &fork, &err));
    }
    assert_int_equal(config->ancestor_count, LIMIT_ANCESTORS);
    assert_null(config_ancestor(config, 77));
    assert_null(config_ancestor(config, 1000));
    assert_int_equal(config->ancestors[0].lineage, 1001);
    assert_int_equal(config->ancestors[LIMIT_ANCESTORS - 1].lineage, 1000 + LIMIT_ANCESTORS);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_holds_nothing_goes_at_once),
        cmocka_unit_test(a_live_member_hands_over_first),
        cmocka_unit_test(a_dead_member_is_sealed_by_the_others),
        cmocka_unit_test(leaving_waits_for_sealing),
        cmocka_unit_test(a_syncing_member_is_dropped),
        cmocka_unit_test(a_spare_takes_the_place),
        cmocka_unit_test(a_member_of_a_larger_shard_takes_the_place),
        cmocka_unit_test(nobody_can_take_the_place),
        cmocka_unit_test(the_last_active_member_stays),
        cmocka_unit_test(who_was_leaving_stays_instead_of_the_dead),
        cmocka_unit_test(who_was_to_take_a_place_is_replaced),
        cmocka_unit_test(a_removal_minds_its_own_shards),
        cmocka_unit_test(too_many_retired_actors_refuse_no_removal),
        cmocka_unit_test(every_removal_from_every_small_cluster),
        cmocka_unit_test(the_absent_are_given_up),
        cmocka_unit_test(the_empty_take_their_places),
        cmocka_unit_test(a_shard_with_nobody_gets_somebody),
        cmocka_unit_test(who_was_leaving_stays_after_a_fork),
        cmocka_unit_test(who_was_leaving_has_its_place_after_a_fork),
        cmocka_unit_test(the_oldest_ancestor_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
