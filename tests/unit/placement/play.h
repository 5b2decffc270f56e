/* play - the nodes of a cluster, as far as a configuration depends on what they do.
 *
 * Does:   from a configuration, everything that some node may report now (it has filled up, handed
 *         over, sealed, covers) and what a steward does with it; one of these at a time, in any
 *         order; and what must hold of each step, whichever it was.
 * Not:    data: a member has what it is active or leaving in.
 * Holds:  who is not alive reports nothing, and nobody reports what takes it.
 * Limits: -
 * See:    placement/config_change.h; docs/protocol.md section 7.
 */
#pragma once

#include "unit/placement/change.h"

#define PLAY_ACTS_MAX 512U

/* Something that may happen. */
enum act_kind {
    ACT_STEP,     /* config_reshard_step; config_reshard_cancel */
    ACT_ACTIVATE, /* config_activate */
    ACT_MERGED,   /* config_merged */
    ACT_LEFT,     /* config_left */
    ACT_SEALED,   /* config_sealed */
    ACT_CLOSED,   /* config_closed */
    ACT_OTHER,    /* what an operator does, or a node that has lost its data */
};

struct act {
    enum act_kind kind;
    uint64_t node_id; /* whose place */
    uint32_t actor;   /* which */
    uint32_t shard;   /* of a retired actor, or to be merged */
};

struct play {
    struct rng rng;
    bool in_order;                /* else any act at any time */
    struct config *config;        /* owned */
    uint64_t dead[LIMIT_MEMBERS]; /* node ids */
    uint32_t dead_count;
    bool unhurt;         /* nobody has failed so far */
    uint32_t epochs;     /* changes so far */
    uint32_t actors_max; /* members, seats and entries of retired actors at once */
    uint32_t slots_sent; /* that went into transits */
    enum err step_err;   /* of the last config_reshard_step */
};

static inline bool is_dead(const struct play *play, uint64_t node_id)
{
    for (uint32_t i = 0; i < play->dead_count; i++)
        if (play->dead[i] == node_id)
            return true;
    return false;
}

static inline void alive_of(const struct play *play, bool alive[LIMIT_MEMBERS])
{
    memset(alive, 0, LIMIT_MEMBERS * sizeof(alive[0]));
    for (uint32_t i = 0; i < play->config->member_count; i++)
        alive[i] = !is_dead(play, play->config->members[i].node_id);
}

/* ---- what must hold ---- */

/* The slots that an actor may have written to, as the configuration says it. False: not open. */
static inline bool slots_of_actor(const struct config *config, uint32_t actor,
                                  struct slotset *slots)
{
    struct place place;
    slotset_init(slots);
    if (config_place_by_actor(config, actor, &place)) {
        *slots = config->shards[place.shard].slots;
        return true;
    }
    bool is_open = false;
    for (uint32_t i = 0; i < config->retired_count; i++) {
        if (config->retired[i].actor != actor)
            continue;
        slotset_merge(slots, &config->retired[i].slots);
        is_open = true;
    }
    return is_open;
}

/* The slots of an actor are what they were when its term began, and what is retired is all of
 * them: but what an act closes. */
static inline void assert_actor_kept(const struct config *config, const struct config *next,
                                     const struct act *act, uint32_t actor)
{
    struct slotset before;
    struct slotset after;
    struct place place;
    if (!slots_of_actor(config, actor, &before))
        return;
    bool wrote = !config_place_by_actor(config, actor, &place) || place.state != MEMBER_SYNCING;
    if (act->actor == actor && act->kind == ACT_CLOSED)
        slotset_subtract(&before, &config_retired(config, actor, act->shard)->slots);
    else if (act->actor == actor && act->kind == ACT_LEFT)
        slotset_init(&before);
    bool is_open = slots_of_actor(next, actor, &after);
    if (wrote || is_open)
        assert_true(slotset_equal(&before, &after));
}

static inline void assert_actors_kept(const struct config *config, const struct config *next,
                                      const struct act *act)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].actor != 0)
            assert_actor_kept(config, next, act, config->members[i].actor);
    for (uint32_t i = 0; i < config->seat_count; i++)
        assert_actor_kept(config, next, act, config->seats[i].actor);
    for (uint32_t i = 0; i < config->retired_count; i++)
        assert_actor_kept(config, next, act, config->retired[i].actor);
}

static inline bool has_all(const struct config *config, uint32_t shard, uint64_t node_id)
{
    struct place place;
    return config_place(config, shard, node_id, &place) &&
           (place.state == MEMBER_ACTIVE || place.state == MEMBER_LEAVING);
}

/* Slots of `from` that are of `to` now: who has all of them now had it before; who had it, and does
 * not any more, has failed, or has handed over; and who was filling up was not needed. */
static inline void assert_holders_kept(const struct play *play, uint32_t from,
                                       const struct config *next, uint32_t to,
                                       const struct act *act)
{
    const struct config *config = play->config;
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(next, to, places);
    bool fills = act->kind == ACT_ACTIVATE || act->kind == ACT_MERGED;
    for (uint32_t i = 0; i < count && !fills; i++) {
        uint64_t node_id = places[i].member->node_id;
        assert_true(has_all(config, from, node_id) || !has_all(next, to, node_id));
    }
    bool settled = config_count(config, from, MEMBER_ACTIVE) > 0;
    for (uint32_t i = 0; i < config->retired_count; i++)
        settled = settled && config_shard_of_retired(config, &config->retired[i]) != from;
    count = config_places(config, from, places);
    for (uint32_t i = 0; i < count && act->kind != ACT_OTHER; i++) {
        uint64_t node_id = places[i].member->node_id;
        struct place place;
        bool keeps_all = has_all(next, to, node_id) || !has_all(config, from, node_id);
        bool is_there = config_place(next, to, node_id, &place);
        if (is_there && keeps_all)
            continue;
        assert_false(is_there);
        assert_true(settled);
        assert_true(places[i].state == MEMBER_SYNCING ||
                    (act->kind == ACT_LEFT && act->actor == places[i].actor));
    }
}

static inline void assert_slots_kept(const struct play *play, const struct config *next,
                                     const struct act *act)
{
    const struct config *config = play->config;
    bool goes[LIMIT_PARTS][LIMIT_PARTS] = {{false}};
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++)
        goes[config->owner[slot]][next->owner[slot]] = true;
    for (uint32_t from = 0; from < config->shard_count; from++)
        for (uint32_t to = 0; to < next->shard_count; to++)
            if (goes[from][to])
                assert_holders_kept(play, from, next, to, act);
}

/* A term that ended without its member's help: what others reported of its shard or transit does
 * not count any more, and what that member had yet to seal is for others to seal. */
static inline void assert_failure_told(const struct config *config, const struct config *next,
                                       uint32_t actor)
{
    struct place place;
    if (!config_place_by_actor(config, actor, &place) ||
        config_member_by_actor(next, actor) != NULL)
        return;
    for (uint32_t i = 0; i < next->retired_count; i++) {
        const struct retired *retired = &next->retired[i];
        assert_true(retired->state != RETIRED_MOVING || retired->node_id != place.member->node_id);
        if (slotset_meets(&retired->slots, &config->shards[place.shard].slots) &&
            retired->state != RETIRED_MOVING)
            assert_int_equal(retired->since, next->epoch);
        assert_true(retired->state != RETIRED_SEALED || retired->since < next->epoch);
    }
}

static inline void assert_failures_told(const struct config *config, const struct config *next)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        assert_failure_told(config, next, config->members[i].actor);
    for (uint32_t i = 0; i < config->seat_count; i++)
        assert_failure_told(config, next, config->seats[i].actor);
}

/* While nobody fails, somebody serves, and one more has, or is going to have, everything. */
static inline void assert_served(const struct config *next)
{
    for (uint32_t shard = 0; shard < next->shard_count; shard++) {
        if (slotset_size(&next->shards[shard].slots) == 0)
            continue;
        assert_true(config_count(next, shard, MEMBER_ACTIVE) > 0);
        assert_true(next->member_count == 1 || !config_degraded(next, shard));
    }
}

/* Takes next. */
static inline void play_take(struct play *play, struct config *next, const struct act *act)
{
    assert_any_change(play->config, next);
    assert_actors_kept(play->config, next, act);
    assert_slots_kept(play, next, act);
    if (act->kind == ACT_OTHER)
        assert_failures_told(play->config, next);
    for (uint32_t i = 0; i < next->retired_count; i++) { /* else nobody could close it */
        const struct member *member = config_member_by_id(next, next->retired[i].node_id);
        assert_true(next->retired[i].state != RETIRED_MOVING ||
                    (member != NULL && member_counts(member)));
    }
    if (play->unhurt)
        assert_served(next);
    uint32_t actors = next->member_count + next->seat_count;
    for (uint32_t i = 0; i < next->retired_count; i++)
        actors += i == 0 || next->retired[i].actor != next->retired[i - 1].actor;
    play->actors_max = actors > play->actors_max ? actors : play->actors_max;
    for (uint32_t i = config_lasting_shards(next); i < next->shard_count; i++)
        if (config_shard_by_id(play->config, next->shards[i].id) == SHARD_NONE)
            play->slots_sent += slotset_size(&next->shards[i].slots);
    play->epochs++;
    config_free(play->config);
    play->config = next;
}

/* ---- what may happen ---- */

struct acts {
    uint32_t count;
    struct act list[PLAY_ACTS_MAX];
};

static inline void act_add(struct acts *acts, enum act_kind kind, uint64_t node_id, uint32_t actor,
                           uint32_t shard)
{
    assert_true(acts->count < PLAY_ACTS_MAX);
    acts->list[acts->count++] = (struct act){kind, node_id, actor, shard};
}

static inline void places_act(const struct play *play, uint32_t shard, struct acts *acts)
{
    struct place places[LIMIT_MEMBERS];
    const struct config *config = play->config;
    uint32_t count = config_places(config, shard, places);
    uint32_t dead = 0;
    for (uint32_t i = 0; i < count; i++)
        dead += is_dead(play, places[i].member->node_id);
    bool is_served = config_count(config, shard, MEMBER_ACTIVE) > 0;
    bool is_empty = slotset_size(&config->shards[shard].slots) == 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t node_id = places[i].member->node_id;
        if (is_dead(play, node_id))
            continue;
        if (places[i].state == MEMBER_SYNCING && (is_served || is_empty))
            act_add(acts, ACT_ACTIVATE, node_id, places[i].actor, shard);
        if (places[i].state == MEMBER_LEAVING)
            act_add(acts, ACT_LEFT, node_id, places[i].actor, shard);
    }
    if (!is_served && !is_empty && count > 0 && dead == 0)
        act_add(acts, ACT_MERGED, 0, 0, shard);
}

/* Every keeper has to be there. */
static inline void retired_acts(const struct play *play, const struct retired *retired,
                                struct acts *acts)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t shard = config_shard_of_retired(play->config, retired);
    uint32_t count = config_places(play->config, shard, places);
    for (uint32_t i = 0; i < count; i++)
        if (is_dead(play, places[i].member->node_id))
            return;
    bool is_gone = config_member_by_id(play->config, retired->node_id) == NULL ||
                   is_dead(play, retired->node_id);
    if (count == 0 || (retired->state == RETIRED_MOVING && is_gone))
        return;
    act_add(acts, retired->state == RETIRED_SEALING ? ACT_SEALED : ACT_CLOSED, 0, retired->actor,
            shard);
}

static inline void acts_of(const struct play *play, struct acts *acts)
{
    acts->count = 0;
    for (uint32_t i = 0; i < play->config->retired_count; i++)
        retired_acts(play, &play->config->retired[i], acts);
    for (uint32_t shard = 0; shard < play->config->shard_count; shard++)
        places_act(play, shard, acts);
    act_add(acts, ACT_STEP, 0, 0, 0);
}

static inline struct config *act_try(struct play *play, const struct act *act, enum err *err)
{
    bool alive[LIMIT_MEMBERS];
    switch (act->kind) {
    case ACT_STEP:
        alive_of(play, alive);
        return config_reshard_step(play->config, alive, err);
    case ACT_ACTIVATE:
        return config_activate(play->config, act->node_id, act->actor, err);
    case ACT_MERGED:
        return config_merged(play->config, act->shard, NOW_MS, err);
    case ACT_LEFT:
        return config_left(play->config, act->node_id, act->actor, err);
    case ACT_SEALED:
        return config_sealed(play->config, act->actor, act->shard, 7, 7, NOW_MS, err);
    case ACT_CLOSED:
        return config_closed(play->config, act->actor, act->shard, err);
    case ACT_OTHER:
        break;
    }
    fail();
    return NULL;
}

/* One thing happens. False when nothing does. */
static inline bool play_once(struct play *play)
{
    struct acts acts;
    acts_of(play, &acts);
    while (acts.count > 0) {
        uint32_t at = play->in_order ? 0 : (uint32_t)rng_below(&play->rng, acts.count);
        struct act act = acts.list[at];
        enum err err = E_MALFORMED;
        struct config *next = act_try(play, &act, &err);
        if (act.kind == ACT_STEP)
            play->step_err = err;
        else
            assert_int_equal(err, E_OK);
        if (next != NULL) {
            play_take(play, next, &act);
            return true;
        }
        acts.count--;
        memmove(&acts.list[at], &acts.list[at + 1], (acts.count - at) * sizeof(acts.list[0]));
    }
    return false;
}

/* Until nothing happens any more, or so many epochs have passed. */
static inline void play_on(struct play *play, uint32_t epochs)
{
    while (epochs > 0 && play_once(play))
        epochs--;
}
