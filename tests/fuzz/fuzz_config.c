/* fuzz_config - configurations from bytes that anybody may have made.
 *
 * Does:   what decodes must hold the invariants, have exactly these bytes, and answer every
 *         question about actors, acceptors and members without a failed assertion; and every
 *         change of it is refused or gives what holds them, too.
 * Not:    -
 * Holds:  K1 to K5, K7 to K10.
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
    bool meets = false;
    for (uint32_t shard = 0; shard < config->shard_count; shard++)
        meets = meets || config_actor_meets(config, actor, shard);
    ASSERT(!meets || !config_actor_closed(config, actor));
    ASSERT(meets || count == 0);
}

static void shard_ask(const struct config *config, uint32_t shard)
{
    struct place places[LIMIT_MEMBERS];
    struct place place;
    uint32_t count = config_places(config, shard, places);
    for (uint32_t i = 0; i < count; i++) {
        ASSERT(config_place(config, shard, places[i].member->node_id, &place));
        ASSERT(place.actor == places[i].actor && place.shard == shard);
        ASSERT(config_place_by_actor(config, place.actor, &place));
        ASSERT(place.actor == places[i].actor && place.member == places[i].member);
    }
    ASSERT(config_public_shard(config, shard) < config_lasting_shards(config));
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
    for (uint32_t i = 0; i < config->seat_count; i++)
        actor_ask(config, config->seats[i].actor);
    for (uint32_t i = 0; i < config->retired_count; i++)
        actor_ask(config, config->retired[i].actor);
    for (uint32_t shard = 0; shard < config->shard_count; shard++)
        shard_ask(config, shard);
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot += 97)
        ASSERT(config_shard_of_slot(config, slot) < config->shard_count);
}

/* err by its address: the call that sets it and this argument are evaluated in any order. */
static void drop(struct config *next, const enum err *err)
{
    ASSERT(next == NULL || *err == E_OK);
    config_free(next); /* it was checked */
}

static void slots_move(const struct config *config, struct rng *rng)
{
    enum err err = E_OK;
    bool alive[LIMIT_MEMBERS];
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        alive[i] = rng_chance(rng, 7, 8);
    drop(config_reshard(config, (uint32_t)rng_below(rng, LIMIT_SHARDS + 2), alive, &err), &err);
    drop(config_reshard(config, (uint32_t)rng_between(rng, 1, 3), alive, &err), &err);
    drop(config_reshard_step(config, alive, &err), &err);
    drop(config_reshard_cancel(config, &err), &err);
}

/* Changes of members and actors that are there, chosen by the bytes. */
static void config_change(const struct config *config, struct rng *rng)
{
    enum err err = E_OK;
    struct address other = {"10.9.9.9:99"};
    uint32_t at = (uint32_t)rng_below(rng, config->member_count + 1);
    struct member member = at < config->member_count ? config->members[at] : (struct member){0};
    uint32_t shard = (uint32_t)rng_below(rng, config->shard_count + 1);
    uint32_t last_seat = config->seat_count > 0 ? config->seat_count - 1 : 0;
    struct seat seat = config->seats[rng_below(rng, last_seat + 1)];
    uint32_t last = config->retired_count > 0 ? config->retired_count - 1 : 0;
    uint32_t actor = config->retired[rng_below(rng, last + 1)].actor;
    drop(config_admit(config, rng_u64(rng), &member.address, rng_u64(rng), &err), &err);
    drop(config_admit(config, member.node_id, &other, rng_u64(rng), &err), &err);
    drop(config_renew(config, member.node_id, member.actor, rng_u64(rng), &err), &err);
    drop(config_invite(config, &member.address, &err), &err);
    drop(config_assign(config, &member.address, shard, &err), &err);
    drop(config_activate(config, member.node_id, member.actor, &err), &err);
    drop(config_merged(config, shard, rng_u64(rng), &err), &err);
    drop(config_left(config, member.node_id, member.actor, &err), &err);
    drop(config_left(config, seat.node_id, seat.actor, &err), &err);
    drop(config_activate(config, seat.node_id, seat.actor, &err), &err);
    drop(config_sealed(config, actor, shard, rng_u64(rng), rng_u64(rng), rng_u64(rng), &err), &err);
    drop(config_closed(config, actor, SHARD_NONE, &err), &err);
    slots_move(config, rng);
    struct removal removal = {&member.address, 1, rng_chance(rng, 1, 2), {false}, PLANT_NONE};
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
