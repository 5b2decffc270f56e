/* change - what the tests of changes share.
 *
 * Does:   small clusters by a line of text; changes that must, or must not, apply; what holds of
 *         every change, whichever it was.
 * Not:    random configurations: random_config.h.
 * Holds:  -
 * Limits: one digit a shard, at most nine members in a cluster made here.
 * See:    placement/config_change.h.
 */
#pragma once

#include "unit/placement/random_config.h"

#define NOW_MS 1700000000000ULL

static inline struct address address_at(uint32_t index)
{
    struct address address = {{0}};
    snprintf(address.text, sizeof(address.text), "10.0.0.%" PRIu32 ":8085", index);
    return address;
}

/* A cluster of `shards` shards, one word for each member: A1 active in shard 1, S0 syncing, L0
 * leaving the list, L01 leaving shard 0 for 1, "--" spare, "??" invited. Member i has node id
 * 100 + i, the address address_at(i) and, in a shard, actor i + 1. Epoch 9, fence 3. */
static inline struct config *cluster_of(uint32_t shards, const char *words)
{
    struct config *config = config_new();
    config->lineage = 77;
    config->epoch = 9;
    config->fence = 3;
    config->shard_count = shards;
    for (uint32_t i = 0; i < shards; i++) {
        config->shards[i].id = i;
        config->shards[i].from = config->shards[i].into = SHARD_NONE;
        slotset_add_range(&config->shards[i].slots, LIMIT_SLOTS / shards * i,
                          i + 1 == shards ? LIMIT_SLOTS - 1 : LIMIT_SLOTS / shards * (i + 1) - 1);
    }
    config_index(config);
    for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        uint32_t index = config->member_count++;
        struct member *member = &config->members[index];
        const char *state = strchr("ASL-?", *at);
        assert_non_null(state);
        member->state = (enum member_state)(state - strchr("ASL-?", 'A'));
        member->node_id = *at != '?' ? 100 + index : 0;
        member->address = address_at(index);
        member->shard = member_counts(member) ? (uint32_t)(at[1] - '0') : SHARD_NONE;
        member->actor = member_counts(member) ? index + 1 : 0;
        bool moves = member->state == MEMBER_LEAVING && at[2] >= '0' && at[2] <= '9';
        member->target = moves ? (uint32_t)(at[2] - '0') : SHARD_NONE;
    }
    config->next_actor = config->member_count + 1;
    config_check(config);
    return config;
}

/* The members of config as cluster_of takes them. */
static inline const char *words_of(const struct config *config, char text[4 * LIMIT_MEMBERS])
{
    char *at = text;
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        *at = '\0';
        if (i > 0)
            *at++ = ' ';
        *at++ = "ASL-?"[member->state];
        *at++ = member_counts(member) ? (char)('0' + member->shard) : "ASL-?"[member->state];
        if (member->target != SHARD_NONE)
            *at++ = (char)('0' + member->target);
    }
    *at = '\0';
    return text;
}

#define ASSERT_WORDS(config, expected)                                                             \
    do {                                                                                           \
        char text[4 * LIMIT_MEMBERS];                                                              \
        assert_string_equal(words_of(config, text), expected);                                     \
    } while (0)

/* An actor that is open in next, and was neither open nor free in config, came back from the
 * dead. */
static inline void assert_actor_goes_on(const struct config *config, uint32_t actor,
                                        uint64_t node_id, bool may_be_retired)
{
    if (actor == 0 || actor >= config->next_actor)
        return;
    assert_false(config_actor_closed(config, actor));
    const struct member *before = config_member_by_actor(config, actor);
    const struct retired *retired = config_retired(config, actor, SHARD_NONE);
    assert_true(before != NULL || (retired != NULL && may_be_retired));
    assert_int_equal(before != NULL ? before->node_id : retired->node_id, node_id);
}

static inline void assert_no_actor_twice(const struct config *config, const struct config *next)
{
    assert_true(next->next_actor >= config->next_actor);
    for (uint32_t i = 0; i < next->member_count; i++)
        assert_actor_goes_on(config, next->members[i].actor, next->members[i].node_id, false);
    for (uint32_t i = 0; i < next->seat_count; i++)
        assert_actor_goes_on(config, next->seats[i].actor, next->seats[i].node_id, false);
    for (uint32_t i = 0; i < next->retired_count; i++)
        assert_actor_goes_on(config, next->retired[i].actor, next->retired[i].node_id, true);
}

/* The term of an active or leaving member ended, whatever became of it. */
static inline bool a_term_ended(const struct config *config, const struct config *next)
{
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if ((member->state == MEMBER_ACTIVE || member->state == MEMBER_LEAVING) &&
            config_member_by_actor(next, member->actor) == NULL)
            return true;
    }
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].state != MEMBER_SYNCING &&
            config_member_by_actor(next, config->seats[i].actor) == NULL)
            return true;
    return false;
}

static inline void assert_decodes_to_itself(const struct config *config)
{
    struct buf bytes = BUF_EMPTY;
    config_encode(config, &bytes);
    struct config *back = config_decode(buf_slice(&bytes));
    assert_non_null(back);
    assert_true(same_config(config, back));
    config_free(back);
    buf_fini(&bytes);
}

/* What every change keeps; those of slots, too. */
static inline void assert_any_change(const struct config *config, const struct config *next)
{
    config_check(next);
    assert_int_equal(next->epoch, config->epoch + 1);
    assert_true(next->fence >= config->fence);
    if (a_term_ended(config, next))
        assert_int_equal(next->fence, next->epoch);
    assert_memory_equal(&next->token_key, &config->token_key, sizeof(next->token_key));
    assert_no_actor_twice(config, next);
    assert_decodes_to_itself(next);
}

/* What every change keeps that does not move slots. */
static inline void assert_change(const struct config *config, const struct config *next)
{
    assert_any_change(config, next);
    assert_memory_equal(next->owner, config->owner, sizeof(next->owner));
}

/* The change applies: it gives the new configuration, and the old one is freed. */
static inline struct config *applied(struct config *config, struct config *next, enum err err)
{
    assert_non_null(next);
    assert_int_equal(err, E_OK);
    assert_change(config, next);
    config_free(config);
    return next;
}

/* config_left for a member's home. */
static inline struct config *left_of(const struct config *config, uint64_t node_id, enum err *err)
{
    const struct member *member = config_member_by_id(config, node_id);
    return config_left(config, node_id, member != NULL ? member->actor : 0, err);
}

#define APPLY(config, change)                                                                      \
    do {                                                                                           \
        enum err err = E_MALFORMED;                                                                \
        struct config *next_ = change;                                                             \
        (config) = applied(config, next_, err);                                                    \
    } while (0)

#define ASSERT_REFUSED(change, why)                                                                \
    do {                                                                                           \
        enum err err = E_MALFORMED;                                                                \
        assert_null(change);                                                                       \
        assert_int_equal(err, why);                                                                \
    } while (0)

#define ASSERT_NOTHING(change) ASSERT_REFUSED(change, E_OK)
