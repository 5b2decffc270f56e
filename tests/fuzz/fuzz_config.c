/* fuzz_config - configurations from bytes that anybody may have made.
 *
 * Does:   what decodes must hold the invariants, have exactly these bytes, and answer every
 *         question about actors, acceptors and members without a failed assertion.
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
    buf_fini(&again);
    config_free(config);
    return 0;
}
