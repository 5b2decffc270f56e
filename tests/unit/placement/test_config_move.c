/* test_config_move - slots and members on their way, to the end.
 *
 * Does:   config_reshard, its steps and its end, with the nodes played: any order, any number
 *         of shards, up to as many members as there may be; what fails or is cancelled or given up
 *         at every step of small ones.
 * Not:    whether the plan is a good one: test_plan. Data: replica/ and the simulator.
 * Holds:  -
 * Limits: -
 * See:    placement/config_move.c; play.h; docs/protocol.md section 7.
 */
#include "unit/placement/play.h"

#include <malloc.h>

#define EPOCHS_MAX 5000U
#define ONE_GO_MEMBERS 16U /* in clusters of no more, all transits fit at once */

/* `members` in `shards` blocks, and spares behind them. */
static struct config *large_cluster(uint32_t members, uint32_t shards, uint32_t spares)
{
    enum err err = E_MALFORMED;
    struct first_start *start = mem_zalloc(1, sizeof(*start));
    start->lineage = 5;
    start->shard_count = shards;
    start->member_count = members;
    for (uint32_t i = 0; i < members; i++) {
        start->members[i].node_id = 100 + i;
        start->members[i].address = address_at(i);
    }
    struct config *config = config_first(start, &err);
    assert_non_null(config);
    mem_free(start);
    for (uint32_t i = 0; i < spares; i++) {
        struct address address = address_at(members + i);
        struct config *next = config_admit(config, 100 + members + i, &address, NOW_MS, &err);
        assert_non_null(next);
        config_free(config);
        config = next;
    }
    return config;
}

static struct plan *plan_for(const struct play *play, uint32_t shards, enum err *err)
{
    struct plan_wish wish = {.shard_count = shards};
    alive_of(play, wish.alive);
    return plan_new(play->config, &wish, err);
}

static void assert_at_rest(const struct config *config)
{
    assert_int_equal(config->wanted_shards, 0);
    assert_int_equal(config->seat_count, 0);
    assert_int_equal(config->retired_count, 0);
    assert_int_equal(config_lasting_shards(config), config->shard_count);
    for (uint32_t i = 0; i < config->member_count; i++)
        assert_true(config->members[i].state == MEMBER_ACTIVE ||
                    config->members[i].state == MEMBER_SPARE);
}

/* The cluster is what the plan was at the beginning. Only who was in a shard that has gone may be
 * elsewhere: it goes last, with nothing, so it is equal where. And where not all transits fit at
 * once, which of the slots go where is planned anew each time, but not how many. */
static void assert_planned(const struct config *before, const struct config *config,
                           const struct plan *plan)
{
    uint32_t sizes[LIMIT_SHARDS] = {0};
    assert_int_equal(config->shard_count, plan->shard_count);
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        assert_int_equal(config->shards[i].id, plan->shards[i].id);
        bool in_one_go = config->member_count <= ONE_GO_MEMBERS;
        assert_int_equal(slotset_size(&config->shards[i].slots),
                         slotset_size(&plan->shards[i].slots));
        if (in_one_go)
            assert_true(slotset_equal(&config->shards[i].slots, &plan->shards[i].slots));
    }
    for (uint32_t i = 0; i < plan->member_count; i++) {
        uint32_t home = before->members[i].shard;
        bool stays = plan->members[i] == SHARD_NONE || home == SHARD_NONE;
        for (uint32_t shard = 0; shard < plan->shard_count; shard++)
            stays |= plan->shards[shard].before == home;
        if (stays)
            assert_int_equal(config->members[i].shard, plan->members[i]);
        if (plan->members[i] != SHARD_NONE)
            sizes[plan->members[i]]++;
    }
    for (uint32_t i = 0; i < plan->shard_count; i++)
        assert_int_equal(config_count(config, i, MEMBER_ACTIVE), sizes[i]);
}

static void reshard_begin(struct play *play, uint32_t shards)
{
    bool alive[LIMIT_MEMBERS];
    enum err err = E_MALFORMED;
    alive_of(play, alive);
    struct config *next = config_reshard(play->config, shards, alive, &err);
    assert_int_equal(err, E_OK);
    assert_non_null(next);
    play_take(play, next, &(struct act){.kind = ACT_STEP});
}

/* To so many shards; how it ends is what was planned. */
static void reshard(struct play *play, uint32_t shards)
{
    enum err err = E_MALFORMED;
    struct plan *plan = plan_for(play, shards, &err);
    assert_int_equal(err, E_OK);
    if (plan == NULL)
        return;
    struct config *before = config_dup(play->config);
    reshard_begin(play, shards);
    play_on(play, EPOCHS_MAX);
    assert_int_equal(play->step_err, E_OK);
    assert_at_rest(play->config);
    assert_planned(before, play->config, plan);
    assert_int_equal(play->slots_sent, plan->slots_moved);
    play->slots_sent = 0;
    config_free(before);
    plan_free(plan);
}

/* If there is something to cancel. */
static void cancel(struct play *play)
{
    enum err err = E_MALFORMED;
    struct config *next = config_reshard_cancel(play->config, &err);
    assert_int_equal(err, E_OK);
    if (next != NULL)
        play_take(play, next, &(struct act){.kind = ACT_STEP});
}

/* err by its address: the call that sets it is an argument, too. */
static void take_other(struct play *play, struct config *next, const enum err *err)
{
    if (next == NULL)
        return;
    assert_int_equal(*err, E_OK);
    play->unhurt = false;
    play_take(play, next, &(struct act){.kind = ACT_OTHER});
}

/* --- stories --- */

static struct play play_of(struct config *config)
{
    return (struct play){.config = config, .in_order = true, .unhurt = true};
}

static void four_nodes_become_two_shards(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(1, "A0 A0 A0 A0"));
    reshard_begin(&play, 2);
    ASSERT_WORDS(play.config, "A0 A0 L01 L01");
    assert_int_equal(play.config->wanted_shards, 2);
    assert_int_equal(play.config->shard_count, 2);
    assert_int_equal(play.config->shards[1].id, 1);
    assert_int_equal(slotset_size(&play.config->shards[1].slots), 0);
    while (play.config->shard_count == 2 && play_once(&play)) {}
    const struct shard *transit = &play.config->shards[2];
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    assert_int_equal(transit->from, 0);
    assert_int_equal(transit->into, 1);
    assert_false(transit->switched);
    assert_int_equal(config_public_shard(play.config, 2), 0);
    assert_int_equal(slotset_size(&transit->slots), LIMIT_SLOTS / 2);
    assert_int_equal(play.config->seat_count, 4);
    assert_int_equal(play.config->retired_count, 4); /* two actors, two parts each */
    assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), 2);
    while (!play.config->shards[2].switched && play_once(&play)) {}
    assert_int_equal(config_public_shard(play.config, 2), 1);
    assert_int_equal(config_count(play.config, 2, MEMBER_LEAVING), 2);
    assert_int_equal(config_count(play.config, 2, MEMBER_ACTIVE), 2);
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    config_free(play.config);
}

/* Who fills up has nothing to hand over: it does not leave before it is active. */
static void who_fills_up_does_not_move(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(1, "A0 A0 S0 S0"));
    reshard_begin(&play, 2);
    ASSERT_WORDS(play.config, "A0 A0 S0 S0");
    assert_int_equal(play.config->wanted_shards, 2);
    assert_int_equal(play.config->shard_count, 1);
    play_on(&play, 3);
    ASSERT_WORDS(play.config, "A0 A0 L01 L01");
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    config_free(play.config);
}

/* Who takes slots fills up still when it is cancelled: it is dropped when nothing is missing any
 * more, and not before. */
static void what_is_cancelled_falls_back(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(2, "A0 A0 A1 A1"));
    reshard_begin(&play, 1);
    assert_int_equal(play.config->shard_count, 3);
    cancel(&play);
    assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), 2);
    assert_int_equal(config_public_shard(play.config, 2), 1);
    while (config_count(play.config, 2, MEMBER_SYNCING) == 2)
        assert_true(play_once(&play));
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    assert_int_equal(slotset_size(&play.config->shards[1].slots), LIMIT_SLOTS / 2);
    config_free(play.config);
}

/* Spares that come in the middle have no actors yet, but count as if they had. */
static void as_many_may_come_as_there_may_be(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 3};
    for (uint32_t shards = 1; shards <= 3; shards++) {
        for (size_t i = 0; i < 2; i++) {
            struct play play = play_of(large_cluster(44, shards, 0));
            if (shards == counts[i]) {
                config_free(play.config);
                continue;
            }
            reshard_begin(&play, counts[i]);
            for (uint32_t j = 44; j < LIMIT_MEMBERS; j++) {
                struct address address = address_at(j);
                enum err why = E_MALFORMED;
                take_other(&play, config_admit(play.config, 100 + j, &address, NOW_MS, &why), &why);
            }
            play_on(&play, EPOCHS_MAX);
            assert_int_equal(play.step_err, E_OK);
            assert_at_rest(play.config);
            config_free(play.config);
        }
    }
}

/* In a transit that is switched, nobody but those that took the slots has them. */
static void the_last_one_in_a_transit_stays(void **state)
{
    (void)state;
    enum err why = E_MALFORMED;
    struct play play = play_of(cluster_of(2, "A0 A0 A1 A1"));
    reshard_begin(&play, 1);
    while (!play.config->shards[2].switched || play.config->seat_count > 2)
        assert_true(play_once(&play));
    take_other(&play, config_renew(play.config, 100, 1, NOW_MS, &why), &why);
    uint32_t actor = play.config->members[0].actor;
    play_take(&play, config_activate(play.config, 100, actor, &why),
              &(struct act){.kind = ACT_ACTIVATE});
    ASSERT_WORDS(play.config, "A0 A0 A1 A1");
    assert_int_equal(config_count(play.config, 2, MEMBER_SYNCING), 1);
    struct removal removal = {.addresses = &play.config->members[1].address, .address_count = 1};
    removal.alive[0] = removal.alive[2] = removal.alive[3] = true;
    removal.force = true;
    ASSERT_REFUSED(config_remove(play.config, &removal, &err), E_LAST_ACTIVE);
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    config_free(play.config);
}

/* Who gave slots may have acknowledged alone what nobody else has: in doubt, it keeps its place
 * until that is everywhere. Without its memory it has nothing to give. */
static void who_was_leaving_a_transit_comes_back(void **state)
{
    (void)state;
    struct place place;
    enum err why = E_MALFORMED;
    struct play play = play_of(cluster_of(2, "A0 A0 A1 A1"));
    reshard_begin(&play, 1);
    while (config_count(play.config, 2, MEMBER_LEAVING) < 2)
        assert_true(play_once(&play));
    assert_true(config_place(play.config, 2, 102, &place));
    assert_int_equal(place.state, MEMBER_LEAVING);
    uint32_t sealing = place.actor;
    struct member giver = *place.member;
    struct config *without = config_admit(play.config, 900, &giver.address, NOW_MS, &why);
    assert_non_null(without);
    assert_false(config_place(without, 2, 900, &place));
    config_free(without);
    take_other(&play, config_renew(play.config, 102, giver.actor, NOW_MS, &why), &why);
    assert_true(config_place(play.config, 2, 102, &place));
    assert_int_equal(place.state, MEMBER_SYNCING);
    while (config_retired(play.config, sealing, SHARD_NONE) != NULL) {
        assert_true(config_place(play.config, 2, 102, &place));
        assert_true(play_once(&play));
    }
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    config_free(play.config);
}

/* A shard that has no slots, and is to get none, may be left by all. */
static void who_has_nothing_is_not_missed(void **state)
{
    (void)state;
    struct config *config = cluster_of(3, "A0 A0 A1 A1 A2");
    slotset_merge(&config->shards[0].slots, &config->shards[2].slots);
    slotset_init(&config->shards[2].slots);
    config_index(config);
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS, .fates = {[4] = FATE_GONE}};
    struct removal removal = {.addresses = &config->members[4].address, .address_count = 1};
    enum err why = E_MALFORMED;
    struct config *next = config_remove(config, &removal, &why);
    assert_non_null(next);
    assert_change(config, next);
    ASSERT_WORDS(next, "A0 A0 A1 A1");
    config_free(next);
    APPLY(config, config_fork(config, &fork, &err));
    ASSERT_WORDS(config, "A0 A0 A1 A1");
    config_free(config);
}

/* Who is given up may have had the only copy of what is on its way, too. */
static void a_transit_is_a_loss_of_who_gives_it(void **state)
{
    (void)state;
    struct play play = play_of(cluster_of(2, "A0 A0 A1 A1"));
    reshard_begin(&play, 1);
    assert_int_equal(play.config->shards[2].from, 1);
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS, .fates = {[0] = FATE_GONE}};
    enum err why = E_MALFORMED;
    struct config *next = config_fork(play.config, &fork, &why);
    assert_non_null(next);
    assert_int_equal(next->loss_count, 2);
    assert_int_equal(next->losses[0].shard, 0);
    assert_int_equal(next->losses[1].shard, 1);
    config_free(next);
    config_free(play.config);
}

static void what_is_refused(void **state)
{
    (void)state;
    bool alive[LIMIT_MEMBERS];
    struct play play = play_of(cluster_of(2, "A0 A0 A1 A1"));
    alive_of(&play, alive);
    ASSERT_NOTHING(config_reshard(play.config, 2, alive, &err));
    ASSERT_NOTHING(config_reshard_cancel(play.config, &err));
    ASSERT_NOTHING(config_reshard_step(play.config, alive, &err));
    ASSERT_REFUSED(config_reshard(play.config, 3, alive, &err), E_NODES_FEW);
    ASSERT_REFUSED(config_reshard(play.config, 0, alive, &err), E_SHARD_COUNT);
    alive[3] = false; /* it may have what nobody else has */
    ASSERT_REFUSED(config_reshard(play.config, 1, alive, &err), E_MEMBER_DOWN);
    alive[3] = true;
    reshard_begin(&play, 1);
    ASSERT_NOTHING(config_reshard(play.config, 1, alive, &err));
    ASSERT_REFUSED(config_reshard(play.config, 2, alive, &err), E_RESHARDING);
    struct address new_one = address_at(9);
    play_take(&play, config_admit(play.config, 900, &new_one, NOW_MS, &(enum err){E_OK}),
              &(struct act){.kind = ACT_OTHER});
    ASSERT_REFUSED(config_assign(play.config, &new_one, 0, &err), E_RESHARDING);
    struct removal removal = {.addresses = &play.config->members[3].address, .address_count = 1};
    memcpy(removal.alive, alive, sizeof(removal.alive));
    ASSERT_REFUSED(config_remove(play.config, &removal, &err), E_RESHARDING);
    play_take(&play, config_reshard_cancel(play.config, &(enum err){E_OK}),
              &(struct act){.kind = ACT_OTHER});
    ASSERT_REFUSED(config_reshard(play.config, 2, alive, &err), E_RESHARDING);
    play_on(&play, EPOCHS_MAX);
    assert_at_rest(play.config);
    config_free(play.config);
}

/* --- everything at once, in any order --- */

static void up_and_down(struct play *play, const uint32_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t usable = 0;
        for (uint32_t j = 0; j < play->config->member_count; j++)
            usable += !is_dead(play, play->config->members[j].node_id);
        if (usable / 2 >= counts[i])
            reshard(play, counts[i]);
    }
}

static void small_clusters_in_any_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {3, 2, 1, 3, 5, 4, 6, 1, 2};
    struct rng rng = unit_rng();
    uint32_t longest = 0;
    for (uint32_t members = 4; members <= 12; members++) {
        for (uint32_t shards = 1; shards <= 2; shards++) {
            struct play play = {.rng = rng, .unhurt = true};
            play.config = large_cluster(members, shards, 0);
            up_and_down(&play, counts, sizeof(counts) / sizeof(counts[0]));
            longest = play.epochs > longest ? play.epochs : longest;
            rng = play.rng;
            config_free(play.config);
        }
    }
    print_message("at most %" PRIu32 " epochs for nine reshards\n", longest);
}

/* Spares come in, but for the dead. */
static void with_spares(void **state)
{
    (void)state;
    static const uint32_t counts[] = {3, 2, 1, 4, 2};
    struct rng rng = unit_rng();
    for (uint32_t members = 6; members <= 12; members += 2) {
        struct play play = {.rng = rng};
        play.config = large_cluster(members, 2, 3);
        play.dead[play.dead_count++] = 100 + members + 1; /* a spare */
        up_and_down(&play, counts, sizeof(counts) / sizeof(counts[0]));
        rng = play.rng;
        config_free(play.config);
    }
}

struct large {
    uint32_t members;
    uint32_t shards;
    uint32_t spares;
    uint32_t counts[6];
};

static void large_clusters_in_any_order(void **state)
{
    (void)state;
    static const struct large cases[] = {
        {40, 2, 0, {1, 3, 2, 20, 19, 1}},   {64, 32, 0, {31, 32, 30, 16, 32, 8}},
        {60, 30, 4, {32, 4, 5, 20, 31, 7}}, {48, 3, 1, {4, 24, 2, 1, 3, 0}},
        {62, 2, 2, {3, 1, 2, 0}},
    };
    struct rng rng = unit_rng();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct large *large = &cases[i];
        struct play play = {.rng = rng, .unhurt = true};
        play.config = large_cluster(large->members, large->shards, large->spares);
        for (size_t j = 0; j < 6 && large->counts[j] > 0; j++) {
            uint32_t before = play.epochs;
            reshard(&play, large->counts[j]);
            print_message("%" PRIu32 " members to %" PRIu32 " shards: %" PRIu32
                          " epochs, at most %" PRIu32 " actors\n",
                          large->members + large->spares, large->counts[j], play.epochs - before,
                          play.actors_max);
        }
        rng = play.rng;
        config_free(play.config);
    }
}

/* Half of a cluster is gone for good, whatever is under way: who is left may always go on. */
static void half_may_be_given_up_at_any_time(void **state)
{
    (void)state;
    static const struct large cases[] = {
        {64, 32, 0, {31}}, {64, 3, 0, {4}}, {49, 2, 0, {1}}, {64, 1, 0, {2}}, {64, 2, 0, {1}}};
    struct rng rng = unit_rng();
    uint32_t forks = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct play play = {.rng = rng};
        play.config = large_cluster(cases[i].members, cases[i].shards, 0);
        reshard_begin(&play, cases[i].counts[0]);
        while (play_once(&play)) {
            struct fork fork = {.lineage = 78, .wall_ms = NOW_MS};
            enum err err = E_MALFORMED;
            for (uint32_t j = 0; j < play.config->member_count; j++)
                fork.fates[j] = rng_chance(&play.rng, 1, 2) ? FATE_GONE : FATE_STAYS;
            struct config *next = config_fork(play.config, &fork, &err);
            assert_true(err == E_OK || err == E_NO_HEIR);
            forks += next != NULL;
            config_free(next);
        }
        rng = play.rng;
        config_free(play.config);
    }
    print_message("%" PRIu32 " forks\n", forks);
    assert_true(forks > 200);
}

/* Where as many actors are in use as may be, two members can still fail, whoever they are. */
static void two_may_fail_at_any_time(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t actors_max = 0;
    for (uint32_t round = 0; round < 6; round++) {
        struct play play = {.rng = rng};
        play.config = large_cluster(LIMIT_MEMBERS, round % 2 == 0 ? 32 : 8, 0);
        reshard_begin(&play, round % 3 == 0 ? 31 : 5);
        while (play_once(&play)) {
            struct config *now = config_dup(play.config);
            uint32_t actors_now = play.actors_max;
            for (uint32_t i = 0; i < 2; i++) {
                enum err err = E_MALFORMED;
                uint32_t at = (uint32_t)rng_below(&play.rng, now->member_count);
                struct member member = play.config->members[at];
                struct config *next =
                    config_renew(play.config, member.node_id, member.actor, NOW_MS, &err);
                assert_int_equal(err, E_OK);
                play_take(&play, next, &(struct act){.kind = ACT_OTHER});
            }
            actors_max = play.actors_max > actors_max ? play.actors_max : actors_max;
            config_free(play.config);
            play.config = now;
            play.actors_max = actors_now;
        }
        assert_at_rest(play.config);
        rng = play.rng;
        config_free(play.config);
    }
    print_message("at most %" PRIu32 " actors\n", actors_max);
}

/* --- whatever happens meanwhile --- */

enum event_kind {
    EVENT_CANCEL,       /* the operator cancels */
    EVENT_ALL_IN_DOUBT, /* the power fails */
    EVENT_DIES,         /* a member dies and is removed */
    EVENT_AWAY,         /* it is away for as long as something happens without it */
    EVENT_EMPTY,        /* it comes back without its disk, under another id */
    EVENT_DOUBT,        /* it comes back in doubt about its data */
    EVENT_GIVEN_UP,     /* a fork without it */
    EVENT_GIVEN_UP_2,   /* a fork without it and the next one */
    EVENT_EMPTY_FORK,   /* a fork in which it is empty, and the next one given up */
    EVENT_REMOVED,      /* the operator wants a live member gone */
    EVENT_COUNT,
};

struct event {
    enum event_kind kind;
    uint32_t member; /* index */
};

static struct config *remove_one(struct play *play, uint32_t member, bool force, enum err *err)
{
    struct removal removal = {.address_count = 1, .force = force};
    removal.addresses = &play->config->members[member].address;
    alive_of(play, removal.alive);
    return config_remove(play->config, &removal, err);
}

/* Where it cannot be removed, it comes back. */
static void member_dies(struct play *play, uint32_t member)
{
    enum err err = E_MALFORMED;
    play->dead[play->dead_count++] = play->config->members[member].node_id;
    struct config *next = remove_one(play, member, false, &err);
    if (next == NULL)
        next = remove_one(play, member, true, &err);
    if (next == NULL) {
        assert_true(err == E_LAST_ACTIVE || err == E_NO_HEIR);
        play->dead_count--;
        return;
    }
    for (uint32_t i = 0; i < play->config->shard_count; i++)
        assert_true(config_count(play->config, i, MEMBER_ACTIVE) == 0 ||
                    config_count(next, i, MEMBER_ACTIVE) > 0 ||
                    slotset_size(&play->config->shards[i].slots) == 0);
    take_other(play, next, &err);
}

static struct config *fork_at(struct play *play, uint32_t member, enum fate fate, uint32_t also,
                              enum err *err)
{
    struct fork fork = {.lineage = 1000 + play->epochs, .wall_ms = NOW_MS};
    fork.fates[member] = fate;
    fork.node_ids[member] = 3000 + play->epochs;
    if (also < play->config->member_count && also != member)
        fork.fates[also] = FATE_GONE;
    return config_fork(play->config, &fork, err);
}

/* It keeps every place that it had: it may have what nobody else has there (I5). */
static void one_doubts(struct play *play, uint32_t index)
{
    enum err err = E_MALFORMED;
    struct place place;
    bool had[LIMIT_PARTS];
    struct member member = play->config->members[index];
    for (uint32_t i = 0; i < play->config->shard_count; i++)
        had[i] = config_place(play->config, i, member.node_id, &place);
    take_other(play, config_renew(play->config, member.node_id, member.actor, NOW_MS, &err), &err);
    for (uint32_t i = 0; i < play->config->shard_count; i++)
        assert_true(!had[i] || config_place(play->config, i, member.node_id, &place));
}

static void all_doubt(struct play *play)
{
    for (uint32_t i = 0; i < play->config->member_count; i++)
        one_doubts(play, i);
}

static void happen(struct play *play, const struct event *event)
{
    enum err err = E_MALFORMED;
    struct config *next = NULL;
    struct member member = play->config->members[event->member];
    switch (event->kind) {
    case EVENT_CANCEL:
        cancel(play);
        return;
    case EVENT_DIES:
        member_dies(play, event->member);
        return;
    case EVENT_AWAY:
        play->dead[play->dead_count++] = member.node_id;
        play->unhurt = false;
        play_on(play, EPOCHS_MAX);
        play->dead_count--;
        return;
    case EVENT_EMPTY:
        next = config_admit(play->config, 2000 + play->epochs, &member.address, NOW_MS, &err);
        break;
    case EVENT_DOUBT:
        one_doubts(play, event->member);
        return;
    case EVENT_GIVEN_UP:
        next = fork_at(play, event->member, FATE_GONE, LIMIT_MEMBERS, &err);
        break;
    case EVENT_GIVEN_UP_2:
        next = fork_at(play, event->member, FATE_GONE, event->member + 1, &err);
        break;
    case EVENT_EMPTY_FORK:
        next = fork_at(play, event->member, FATE_EMPTY, event->member + 1, &err);
        break;
    case EVENT_ALL_IN_DOUBT:
        all_doubt(play);
        return;
    case EVENT_REMOVED:
        next = remove_one(play, event->member, false, &err);
        break;
    case EVENT_COUNT:
        break;
    }
    take_other(play, next, &err);
}

/* An operator starts a node for a shard that has slots, and nobody in it or on the way to it: after
 * a fork somebody was, and is needed where it was. */
static void nobody_is_helped(struct play *play)
{
    for (uint32_t shard = 0; shard < config_lasting_shards(play->config); shard++) {
        enum err err = E_MALFORMED;
        struct address address = address_at(100 + shard);
        bool has_nobody = slotset_size(&play->config->shards[shard].slots) > 0;
        for (uint32_t i = 0; i < play->config->member_count; i++)
            has_nobody = has_nobody && play->config->members[i].shard != shard &&
                         play->config->members[i].target != shard;
        if (!has_nobody)
            continue;
        cancel(play);
        take_other(play, config_admit(play->config, 4000 + play->epochs, &address, NOW_MS, &err),
                   &err);
        take_other(play, config_assign(play->config, &address, shard, &err), &err);
    }
}

/* Whatever has happened, it ends: as was wanted, or, when that cannot be any more, cancelled. */
static void come_to_rest(struct play *play)
{
    uint32_t before = play->epochs;
    nobody_is_helped(play);
    play_on(play, EPOCHS_MAX);
    if (play->config->wanted_shards != 0) {
        assert_true(play->step_err == E_NODES_FEW);
        cancel(play);
        play_on(play, EPOCHS_MAX);
    }
    assert_true(play->epochs - before < 200);
    assert_at_rest(play->config);
    for (uint32_t i = 0; i < play->config->shard_count; i++)
        assert_true(slotset_size(&play->config->shards[i].slots) == 0 ||
                    config_count(play->config, i, MEMBER_ACTIVE) > 0);
}

struct scenario {
    uint32_t before;
    const char *words;
    uint32_t after;
};

/* Each event by itself, from here. */
static void every_event(const struct play *now, uint32_t counts[EVENT_COUNT][2])
{
    for (uint32_t kind = 0; kind < EVENT_COUNT; kind++) {
        bool names_one = kind > EVENT_ALL_IN_DOUBT;
        for (uint32_t i = 0; i < (names_one ? now->config->member_count : 1); i++) {
            struct play play = *now;
            struct event event = {(enum event_kind)kind, i};
            play.config = config_dup(now->config);
            play.in_order = false;
            happen(&play, &event);
            counts[kind][play.epochs > now->epochs]++;
            come_to_rest(&play);
            config_free(play.config);
        }
    }
}

static void every_event_at_every_step(void **state)
{
    (void)state;
    static const struct scenario scenarios[] = {
        {1, "A0 A0 A0 A0", 2},
        {2, "A0 A0 A1 A1", 1},
        {2, "A0 A0 A0 A1 A1 A1", 3},
        {3, "A0 A0 A1 A1 A2 A2 --", 2},
    };
    uint32_t counts[EVENT_COUNT][2] = {{0}};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct play play = play_of(cluster_of(scenarios[i].before, scenarios[i].words));
        play.rng = unit_rng();
        reshard_begin(&play, scenarios[i].after);
        do {
            every_event(&play, counts);
        } while (play_once(&play));
        config_free(play.config);
    }
    for (uint32_t kind = 0; kind < EVENT_COUNT; kind++) {
        print_message("event %" PRIu32 ": %" PRIu32 " times, %" PRIu32 " times nothing\n", kind,
                      counts[kind][1], counts[kind][0]);
        assert_true(counts[kind][1] > 50);
    }
}

/* --- anything, again and again --- */

static struct event any_event(struct play *play)
{
    enum event_kind kind = (enum event_kind)rng_below(&play->rng, EVENT_COUNT);
    uint32_t count = play->config->member_count;
    return (struct event){kind, (uint32_t)rng_below(&play->rng, count)};
}

static void reshard_somehow(struct play *play)
{
    bool alive[LIMIT_MEMBERS];
    enum err err = E_MALFORMED;
    uint32_t shards = (uint32_t)rng_between(&play->rng, 1, 4);
    alive_of(play, alive);
    struct config *next = config_reshard(play->config, shards, alive, &err);
    if (next != NULL)
        play_take(play, next, &(struct act){.kind = ACT_STEP});
}

static void anything_in_any_order(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t epochs = 0;
    for (uint32_t round = 0; round < 60; round++) {
        struct play play = {.rng = rng};
        play.config = large_cluster((uint32_t)rng_between(&rng, 6, 12), 2, 2);
        for (uint32_t i = 0; i < 6 && play.config->member_count >= 4; i++) {
            reshard_somehow(&play);
            play_on(&play, (uint32_t)rng_below(&play.rng, 60));
            for (uint64_t events = rng_between(&play.rng, 1, 3); events > 0; events--) {
                struct event event = any_event(&play);
                happen(&play, &event);
                play_on(&play, (uint32_t)rng_below(&play.rng, 6));
            }
        }
        play.dead_count = 0;
        come_to_rest(&play);
        epochs += play.epochs;
        rng = play.rng;
        config_free(play.config);
    }
    print_message("%" PRIu32 " epochs\n", epochs);
}

int main(void)
{
    /* Configurations are large, and there are many: their memory is not to go back each time. */
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_nodes_become_two_shards),
        cmocka_unit_test(who_fills_up_does_not_move),
        cmocka_unit_test(what_is_cancelled_falls_back),
        cmocka_unit_test(as_many_may_come_as_there_may_be),
        cmocka_unit_test(the_last_one_in_a_transit_stays),
        cmocka_unit_test(who_was_leaving_a_transit_comes_back),
        cmocka_unit_test(who_has_nothing_is_not_missed),
        cmocka_unit_test(a_transit_is_a_loss_of_who_gives_it),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(small_clusters_in_any_order),
        cmocka_unit_test(with_spares),
        cmocka_unit_test(large_clusters_in_any_order),
        cmocka_unit_test(two_may_fail_at_any_time),
        cmocka_unit_test(half_may_be_given_up_at_any_time),
        cmocka_unit_test(every_event_at_every_step),
        cmocka_unit_test(anything_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
