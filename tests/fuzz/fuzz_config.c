/* fuzz_config - configurations from bytes that anybody may have made.
 *
 * Does:   what decodes must hold the invariants, have exactly these bytes, and answer every
 *         question about actors, acceptors and members without a failed assertion; and every
 *         change of it is refused or gives what holds them, too.
 * Not:    -
 * Holds:  K1 to K5, K7, K8.
 * Limits: -
 * See:    placement/config.h.
 */
#include "placement/placement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void actor_ask(const struct config *config, uint32_t actor)
{
    uint32_t members[LIMIT_MEMBERS];
    uint32_t count = config_responsible(config, actor, members);
    for (uint32_t i = 0; i < count; i++)
        ASSERT(members[i] < config->member_count);
    ASSERT(config_actor_slots(config, actor) == NULL || !config_actor_closed(config, actor));
}

static void config_ask(const struct config *config)
{
    uint32_t acceptors[LIMIT_ACCEPTORS];
    uint32_t count = config_acceptors(config, acceptors);
    ASSERT(count == 0 || count % 2 == 1);
    for (uint32_t i = 0; i < count; i++)
        ASSERT(config->members[acceptors[i]].state != MEMBER_INVITED);
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        struct slice address = slice_str(member->address.text);
        ASSERT(config_member_by_address(config, address) == member);
        actor_ask(config, member->actor);
    }
    for (uint32_t i = 0; i < config->retired_count; i++)
        actor_ask(config, config->retired[i].actor);
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot += 97)
        ASSERT(config_shard_of_slot(config, slot) < config->shard_count);
}

/* err by its address: the call that sets it and this argument are evaluated in any order. */
static void drop(struct config *next, const enum err *err)
{
    ASSERT(next == NULL || *err == E_OK);
    config_free(next); /* it was checked */
}

/* Changes of members and actors that are there, chosen by the bytes. */
static void config_change(const struct config *config, struct rng *rng)
{
    enum err err = E_OK;
    struct address other = {"10.9.9.9:99"};
    uint32_t at = (uint32_t)rng_below(rng, config->member_count + 1);
    struct member member = at < config->member_count ? config->members[at] : (struct member){0};
    uint32_t shard = (uint32_t)rng_below(rng, config->shard_count + 1);
    uint32_t last = config->retired_count > 0 ? config->retired_count - 1 : 0;
    uint32_t actor = config->retired[rng_below(rng, last + 1)].actor;
    drop(config_admit(config, rng_u64(rng), &member.address, rng_u64(rng), &err), &err);
    drop(config_admit(config, member.node_id, &other, rng_u64(rng), &err), &err);
    drop(config_renew(config, member.node_id, member.actor, rng_u64(rng), &err), &err);
    drop(config_invite(config, &member.address, &err), &err);
    drop(config_assign(config, &member.address, shard, &err), &err);
    drop(config_activate(config, member.node_id, member.actor, &err), &err);
    drop(config_merged(config, shard, rng_u64(rng), &err), &err);
    drop(config_left(config, member.node_id, &err), &err);
    drop(config_sealed(config, actor, rng_u64(rng), rng_u64(rng), rng_u64(rng), &err), &err);
    drop(config_closed(config, actor, &err), &err);
    struct removal removal = {&member.address, 1, rng_chance(rng, 1, 2), {false}};
    struct fork fork = {.lineage = rng_u64(rng), .wall_ms = rng_u64(rng)};
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++) {
        removal.alive[i] = rng_chance(rng, 2, 3);
        fork.fates[i] = (enum fate)rng_below(rng, 3);
        fork.node_ids[i] = rng_u64(rng);
    }
    drop(config_remove(config, &removal, &err), &err);
    drop(config_fork(config, &fork, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = config_decode(slice_of(data, size));
    if (config == NULL)
        return 0;
    struct buf again = BUF_EMPTY;
    config_check(config);
    config_encode(config, &again);
    ASSERT(slice_equal(buf_slice(&again), slice_of(data, size)));
    config_ask(config);
    struct rng rng;
    rng_init(&rng, hash_bytes(slice_of(data, size)));
    config_change(config, &rng);
    buf_fini(&again);
    config_free(config);
    return 0;
}
