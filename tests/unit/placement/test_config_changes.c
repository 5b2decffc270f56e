/* test_config_changes - any changes in any order.
 *
 * Does:   random sequences of all changes, of failures and of what a steward does; after each one
 *         what must hold whichever it was, and from wherever they lead the way back to rest.
 * Not:    what each change does: test_config_join, test_config_leave.
 * Holds:  actor ids are never used twice; the fence is monotone; losses never claim more; shards
 *         keep two members unless somebody forced it or gave members up.
 * Limits: three shards, twelve addresses, one month.
 * See:    placement/config_change.h.
 */
#include "unit/placement/change.h"

#define ADDRESSES 12U
#define SHARDS 3U
#define STEPS 400U
#define REST_STEPS_MAX 5000U

struct walk {
    struct rng rng;
    struct config *config;
    bool excused[SHARDS]; /* fewer than two members, and an operator wanted it so */
    uint64_t next_id;     /* node id of the next new node */
    uint32_t counts[2];   /* changes that did not apply, that did */
};

static struct address any_address(struct walk *walk)
{
    return address_at((uint32_t)rng_below(&walk->rng, ADDRESSES));
}

static const struct member *any_member(struct walk *walk)
{
    return &walk->config->members[rng_below(&walk->rng, walk->config->member_count)];
}

static uint32_t tolerance_of(const struct config *config, uint32_t shard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool stays = member->state == MEMBER_ACTIVE || member->state == MEMBER_SYNCING;
        count += (stays && member->shard == shard) || member->target == shard;
    }
    return count;
}

/* --- what an operator, a node that comes in, and a steward may ask for --- */

static struct config *ask_admit(struct walk *walk, enum err *err)
{
    struct address address = any_address(walk);
    uint64_t known = any_member(walk)->node_id;
    uint64_t id = known != 0 && rng_chance(&walk->rng, 1, 3) ? known : walk->next_id++;
    return config_admit(walk->config, id, &address, NOW_MS, err);
}

static struct config *ask_renew(struct walk *walk, enum err *err)
{
    const struct member *member = any_member(walk);
    return config_renew(walk->config, member->node_id, member->actor, NOW_MS, err);
}

static struct config *ask_invite(struct walk *walk, enum err *err)
{
    struct address address = any_address(walk);
    return config_invite(walk->config, &address, err);
}

static struct config *ask_assign(struct walk *walk, enum err *err)
{
    struct address address = any_address(walk);
    return config_assign(walk->config, &address, (uint32_t)rng_below(&walk->rng, SHARDS + 1), err);
}

static struct config *ask_remove(struct walk *walk, enum err *err)
{
    struct address addresses[3];
    struct removal removal = {.addresses = addresses, .force = rng_chance(&walk->rng, 1, 5)};
    removal.address_count = (uint32_t)rng_between(&walk->rng, 1, 3);
    for (uint32_t i = 0; i < removal.address_count; i++)
        addresses[i] = any_member(walk)->address;
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        removal.alive[i] = rng_chance(&walk->rng, 3, 4);
    struct config *next = config_remove(walk->config, &removal, err);
    for (uint32_t shard = 0; shard < SHARDS && next != NULL && removal.force; shard++)
        walk->excused[shard] = true;
    return next;
}

static struct config *ask_fork(struct walk *walk, enum err *err)
{
    struct fork fork = {.lineage = rng_u64(&walk->rng) | 1, .wall_ms = NOW_MS};
    for (uint32_t i = 0; i < walk->config->member_count; i++) {
        uint64_t dice = rng_below(&walk->rng, 10);
        fork.fates[i] = dice < 7 ? FATE_STAYS : dice < 9 ? FATE_EMPTY : FATE_GONE;
        fork.node_ids[i] = walk->next_id++;
    }
    struct config *next = config_fork(walk->config, &fork, err);
    for (uint32_t shard = 0; shard < SHARDS && next != NULL; shard++)
        walk->excused[shard] = true;
    return next;
}

static struct config *ask_activate(struct walk *walk, enum err *err)
{
    const struct member *member = any_member(walk);
    return config_activate(walk->config, member->node_id, member->actor, err);
}

static struct config *ask_left(struct walk *walk, enum err *err)
{
    return left_of(walk->config, any_member(walk)->node_id, err);
}

static struct config *ask_merged(struct walk *walk, enum err *err)
{
    return config_merged(walk->config, (uint32_t)rng_below(&walk->rng, SHARDS), NOW_MS, err);
}

static uint32_t any_retired(struct walk *walk)
{
    uint32_t count = walk->config->retired_count;
    return count > 0 ? walk->config->retired[rng_below(&walk->rng, count)].actor : 1;
}

static struct config *ask_sealed(struct walk *walk, enum err *err)
{
    uint64_t last_seq = rng_below(&walk->rng, 100);
    uint64_t whole_seq = rng_below(&walk->rng, last_seq + 1);
    return config_sealed(walk->config, any_retired(walk), SHARD_NONE, last_seq, whole_seq, NOW_MS,
                         err);
}

static struct config *ask_closed(struct walk *walk, enum err *err)
{
    return config_closed(walk->config, any_retired(walk), SHARD_NONE, err);
}

/* The steward's come last: they alone lead to rest. */
static struct config *(*const asks[])(struct walk *, enum err *) = {
    ask_admit, ask_admit,    ask_renew, ask_invite, ask_assign, ask_assign, ask_remove,
    ask_fork,  ask_activate, ask_left,  ask_merged, ask_sealed, ask_closed,
};
#define ASKS (sizeof(asks) / sizeof(asks[0]))
#define STEWARD_FIRST 8U

/* --- what must hold, whichever it was --- */

static void assert_losses_only_shrink(const struct config *config, const struct config *next)
{
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *before = &config->losses[i];
        const struct loss *after = config_loss_of_actor(next, before->actor);
        if (before->actor != 0) {
            assert_non_null(after);
            assert_true(after->whole_seq <= before->whole_seq);
            assert_true(after->epoch >= before->epoch);
        } else {
            assert_non_null(config_loss_since(next, before->epoch - 1));
        }
    }
    for (uint32_t i = 0; i < next->loss_count; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_false(next->losses[i].actor == next->losses[j].actor &&
                         next->losses[i].shard == next->losses[j].shard);
}

/* Whose member failed is retired; what was retired goes only when it was sealed, and then it is
 * known what may be lost. */
static void assert_actors_end_well(const struct config *config, const struct config *next)
{
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *before = &config->retired[i];
        const struct retired *after = config_retired(next, before->actor, SHARD_NONE);
        if (after == NULL) {
            assert_int_equal(before->state, RETIRED_SEALED);
            assert_non_null(config_loss_of_actor(next, before->actor));
            continue;
        }
        assert_true(slotset_equal(&before->slots, &after->slots));
        assert_int_equal(before->node_id, after->node_id);
        bool same = before->state == after->state && before->since == after->since;
        assert_true(same || after->since == next->epoch);
        assert_int_equal(after->last_seq, same ? before->last_seq : after->last_seq);
        assert_true(after->state != RETIRED_SEALING || after->last_seq == 0);
    }
}

/* A keeper that is no more, or bears another actor, and did not hand over: nothing of its shard
 * may be sealed in the same epoch. */
static void assert_failures_reseal(const struct config *config, const struct config *next)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        bool is_open = config_member_by_actor(next, member->actor) != NULL;
        bool wrote = member->state == MEMBER_ACTIVE || member->state == MEMBER_LEAVING;
        if (!member_counts(member) || is_open ||
            (wrote && config_retired(next, member->actor, SHARD_NONE) == NULL))
            continue;
        for (uint32_t j = 0; j < next->retired_count; j++) {
            const struct retired *retired = &next->retired[j];
            if (!slotset_meets(&retired->slots, &config->shards[member->shard].slots))
                continue;
            assert_int_equal(retired->state, RETIRED_SEALING);
            assert_int_equal(retired->since, next->epoch);
        }
    }
}

static uint32_t members_of(const struct config *config, uint32_t shard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->member_count; i++)
        count += config->members[i].shard == shard;
    return count;
}

/* Somebody on the way to the shard failed, or is needed where it was: it stays there. */
static bool lost_a_mover(const struct config *config, const struct config *next, uint32_t shard)
{
    int before = (int)members_of(config, shard);
    int after = (int)members_of(next, shard);
    for (uint32_t i = 0; i < config->member_count; i++)
        before += config->members[i].target == shard;
    for (uint32_t i = 0; i < next->member_count; i++)
        after += next->members[i].target == shard;
    return after < before;
}

/* Only a fork leaves a shard with nobody (and somebody on the way to it). */
static void assert_shards_have_members(struct walk *walk, const struct config *next)
{
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        uint32_t tolerance = tolerance_of(next, shard);
        if (tolerance >= 2)
            walk->excused[shard] = false;
        else if (lost_a_mover(walk->config, next, shard))
            walk->excused[shard] = true;
        assert_true(tolerance >= 2 || walk->excused[shard]);
        assert_true(members_of(next, shard) > 0 || members_of(walk->config, shard) == 0 ||
                    (tolerance > 0 && next->lineage != walk->config->lineage));
    }
}

static void take(struct walk *walk, struct config *next)
{
    assert_change(walk->config, next);
    assert_losses_only_shrink(walk->config, next);
    assert_actors_end_well(walk->config, next);
    assert_failures_reseal(walk->config, next);
    assert_shards_have_members(walk, next);
    config_free(walk->config);
    walk->config = next;
}

static void step(struct walk *walk, size_t first)
{
    enum err err = E_MALFORMED;
    struct config *next = asks[rng_between(&walk->rng, first, ASKS - 1)](walk, &err);
    walk->counts[next != NULL]++;
    if (next == NULL)
        return;
    assert_int_equal(err, E_OK);
    take(walk, next);
}

/* Nothing is under way: nobody fills up or leaves, no actor is retired. */
static bool is_at_rest(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state == MEMBER_SYNCING ||
            config->members[i].state == MEMBER_LEAVING)
            return false;
    return config->retired_count == 0;
}

/* An operator starts a node for a shard that nobody is left in, or on the way to: who was lost
 * his data, or is needed where he was. */
static void nobody_is_helped(struct walk *walk)
{
    for (uint32_t shard = 0; shard < SHARDS; shard++) {
        enum err err = E_MALFORMED;
        struct address address = address_at(100 + shard);
        if (tolerance_of(walk->config, shard) > 0)
            continue;
        take(walk, config_admit(walk->config, walk->next_id++, &address, NOW_MS, &err));
        take(walk, config_assign(walk->config, &address, shard, &err));
    }
}

/* Without further failures the steward's changes alone lead to rest (I9). */
static void walk_to_rest(struct walk *walk)
{
    nobody_is_helped(walk);
    for (uint32_t i = 0; i < REST_STEPS_MAX && !is_at_rest(walk->config); i++)
        step(walk, STEWARD_FIRST);
    assert_true(is_at_rest(walk->config));
    for (uint32_t shard = 0; shard < SHARDS; shard++)
        assert_true(config_count(walk->config, shard, MEMBER_ACTIVE) > 0);
}

static void any_changes_in_any_order(void **state)
{
    (void)state;
    struct walk walk = {.rng = unit_rng(), .next_id = 1000};
    for (uint32_t round = 0; round < 10; round++) {
        memset(walk.excused, 0, sizeof(walk.excused));
        walk.config = cluster_of(SHARDS, "A0 A0 A0 A1 A1 A2 A2 --");
        for (uint32_t i = 0; i < STEPS; i++)
            step(&walk, 0);
        walk_to_rest(&walk);
        config_free(walk.config);
    }
    print_message("%" PRIu32 " changes, %" PRIu32 " that did not apply\n", walk.counts[1],
                  walk.counts[0]);
    assert_true(walk.counts[0] > 100 && walk.counts[1] > 100);
}

/* Whatever decodes, changes stand it: valid configurations that no sequence leads to. */
static void any_change_of_any_configuration(void **state)
{
    (void)state;
    struct walk walk = {.rng = unit_rng(), .next_id = 1000};
    for (uint32_t round = 0; round < 1500; round++) {
        walk.config = random_config(&walk.rng);
        enum err err = E_MALFORMED;
        struct config *next = asks[rng_below(&walk.rng, ASKS)](&walk, &err);
        if (next != NULL)
            config_check(next);
        config_free(next);
        config_free(walk.config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changes_in_any_order),
        cmocka_unit_test(any_change_of_any_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
