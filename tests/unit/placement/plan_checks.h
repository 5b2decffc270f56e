/* plan_checks - what the tests of plans share.
 *
 * Does:   what holds of every plan, whatever it is of; the configuration that it leads to.
 * Not:    whether it moves no more than it must: each test has its own optimum.
 * Holds:  -
 * Limits: -
 * See:    placement/plan.h.
 */
#pragma once

#include "unit/placement/change.h"

static inline struct plan_wish wish_of(uint32_t shard_count)
{
    struct plan_wish wish = {.shard_count = shard_count};
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        wish.alive[i] = true;
    return wish;
}

static inline uint32_t members_in(const struct plan *plan, uint32_t shard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->member_count; i++)
        count += plan->members[i] == shard;
    return count;
}

static inline uint32_t ranges_in(const struct slotset *set)
{
    uint32_t count = 0;
    for (uint32_t at = slotset_next(set, 0); at < LIMIT_SLOTS;
         at = slotset_next(set, slotset_next_absent(set, at)))
        count++;
    return count;
}

/* The configuration once the plan is carried out: all are active under new actors. */
static inline struct config *config_after(const struct config *config, const struct plan *plan)
{
    struct config *next = config_dup(config);
    next->epoch++;
    next->fence = next->epoch;
    memset(next->shards, 0, sizeof(next->shards));
    next->shard_count = plan->shard_count;
    for (uint32_t i = 0; i < plan->shard_count; i++)
        next->shards[i] = (struct shard){.id = plan->shards[i].id,
                                         .from = SHARD_NONE,
                                         .into = SHARD_NONE,
                                         .slots = plan->shards[i].slots};
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        bool is_placed = plan->members[i] != SHARD_NONE;
        member->shard = plan->members[i];
        member->actor = is_placed ? next->next_actor++ : 0;
        if (member->state != MEMBER_INVITED)
            member->state = is_placed ? MEMBER_ACTIVE : MEMBER_SPARE;
    }
    config_index(next);
    config_check(next);
    return next;
}

/* P1 and P4. */
static inline void assert_members_dealt(const struct config *config, const struct plan_wish *wish,
                                        const struct plan *plan)
{
    uint32_t alive = 0;
    assert_int_equal(plan->member_count, config->member_count);
    for (uint32_t i = 0; i < config->member_count; i++) {
        bool usable = wish->alive[i] && config->members[i].state != MEMBER_INVITED;
        assert_true(usable ? plan->members[i] < plan->shard_count : plan->members[i] == SHARD_NONE);
        alive += usable;
    }
    for (uint32_t shard = 0; shard < plan->shard_count; shard++) {
        uint32_t size = members_in(plan, shard);
        assert_true(size >= 2 || config->member_count == 1);
        assert_true(size == alive / plan->shard_count || size == alive / plan->shard_count + 1);
        uint32_t before = plan->shards[shard].before;
        bool keeps_active =
            before == SHARD_NONE || slotset_size(&config->shards[before].slots) == 0;
        for (uint32_t i = 0; i < config->member_count; i++)
            keeps_active |= plan->members[i] == shard && config->members[i].shard == before &&
                            config->members[i].state == MEMBER_ACTIVE;
        assert_true(keeps_active);
    }
}

/* P2, and plan_slots with it. */
static inline void assert_slots_dealt(const struct config *config, const struct plan *plan)
{
    uint32_t moved = 0;
    uint32_t all = 0;
    for (uint32_t to = 0; to < plan->shard_count; to++) {
        uint32_t size = slotset_size(&plan->shards[to].slots);
        uint32_t sum = 0;
        assert_true(size == LIMIT_SLOTS / plan->shard_count ||
                    size == LIMIT_SLOTS / plan->shard_count + 1);
        for (uint32_t from = 0; from < config->shard_count; from++) {
            struct slotset slots;
            plan_slots(config, plan, from, to, &slots);
            assert_true(slotset_contains(&config->shards[from].slots, &slots));
            assert_true(slotset_contains(&plan->shards[to].slots, &slots));
            sum += slotset_size(&slots);
            moved += plan->shards[to].before != from ? slotset_size(&slots) : 0;
        }
        assert_int_equal(sum, size);
        all += size;
    }
    assert_int_equal(all, LIMIT_SLOTS);
    assert_int_equal(moved, plan->slots_moved);
}

/* P5, and that shards that stay are in order. */
static inline void assert_shards_named(const struct config *config, const struct plan *plan)
{
    uint32_t at = 0; /* that stay next comes from here on */
    uint32_t stay = 0;
    uint32_t free_id = 0;
    for (uint32_t i = 0; i < plan->shard_count; i++) {
        const struct plan_shard *shard = &plan->shards[i];
        if (shard->before != SHARD_NONE) {
            assert_true(shard->before >= at && shard->before < config->shard_count);
            assert_int_equal(shard->id, config->shards[shard->before].id);
            assert_int_equal(i, stay++);
            at = shard->before + 1;
            continue;
        }
        while (config_shard_by_id(config, free_id) != SHARD_NONE)
            free_id++;
        assert_int_equal(shard->id, free_id++);
    }
    bool grows = plan->shard_count > config->shard_count;
    assert_int_equal(stay, grows ? config->shard_count : plan->shard_count);
}

static inline void assert_figures(const struct config *config, const struct plan *plan)
{
    uint32_t counts[3] = {0}; /* moved, come, go */
    for (uint32_t i = 0; i < plan->member_count; i++) {
        uint32_t to = plan->members[i];
        uint32_t from = config->members[i].shard;
        if (from != SHARD_NONE && to != SHARD_NONE)
            counts[0] += plan->shards[to].before != from;
        counts[1] += from == SHARD_NONE && to != SHARD_NONE;
        counts[2] += from != SHARD_NONE && to == SHARD_NONE;
    }
    assert_int_equal(counts[0], plan->members_moved);
    assert_int_equal(counts[1], plan->members_come);
    assert_int_equal(counts[2], plan->members_go);
}

/* Another node computes the same bytes from the bytes of the configuration. */
static inline void assert_same_elsewhere(const struct config *config, const struct plan_wish *wish,
                                         const struct plan *plan)
{
    struct buf bytes = BUF_EMPTY;
    enum err err = E_MALFORMED;
    config_encode(config, &bytes);
    struct config *other = config_decode(buf_slice(&bytes));
    assert_non_null(other);
    struct plan *again = plan_new(other, wish, &err);
    assert_non_null(again);
    assert_memory_equal(again, plan, sizeof(*plan));
    plan_free(again);
    config_free(other);
    buf_fini(&bytes);
}

/* All of it but P3. */
static inline void assert_plan(const struct config *config, const struct plan_wish *wish,
                               const struct plan *plan)
{
    assert_int_equal(plan->shard_count, wish->shard_count);
    assert_members_dealt(config, wish, plan);
    assert_slots_dealt(config, plan);
    assert_shards_named(config, plan);
    assert_figures(config, plan);
}

/* There is a plan; it is checked, and where it leads nothing is left to do. */
static inline struct plan *planned(const struct config *config, const struct plan_wish *wish)
{
    enum err err = E_MALFORMED;
    struct plan *plan = plan_new(config, wish, &err);
    assert_int_equal(err, E_OK);
    assert_non_null(plan);
    assert_plan(config, wish, plan);
    struct config *next = config_after(config, plan);
    assert_null(plan_new(next, wish, &err));
    assert_int_equal(err, E_OK);
    config_free(next);
    return plan;
}

/* Carries the plan for this wish out: config is freed. */
static inline struct config *resharded(struct config *config, const struct plan_wish *wish)
{
    struct plan *plan = planned(config, wish);
    struct config *next = config_after(config, plan);
    plan_free(plan);
    config_free(config);
    return next;
}
