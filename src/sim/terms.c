/* terms - who bears which actor, what that member has covered, and what may be lost.
 *
 * Does:   see terms.h.
 * Not:    -
 * Holds:  T1.
 * Limits: -
 * See:    terms.h.
 */
#include "sim/world.h"

#include "sim/epoch.h"

/* ---- The newest configuration ---- */

static void place_nodes(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct member *member =
            config_member_by_address(world->config, slice_str(world->nodes[i].address.text));
        world->shard_of_node[i] = member != NULL ? member->shard : SHARD_NONE;
    }
}

/* A history goes on in another one only where that has it as an ancestor (6.6). */
static bool is_newer(const struct config *config, const struct config *than)
{
    if (config->lineage == than->lineage)
        return config->epoch > than->epoch;
    return config_ancestor(config, than->lineage) != NULL;
}

/* What only a removed node has is given up (6.4): what it was to hand over it has. */
static void note_removed(struct world *world, const struct config *next)
{
    for (uint32_t i = 0; world->config != NULL && i < world->config->member_count; i++) {
        const struct member *member = &world->config->members[i];
        uint32_t index = world_by_address(world, slice_str(member->address.text));
        if (index < world->node_count && config_member_by_id(next, member->node_id) == NULL &&
            config_member_by_address(next, slice_str(member->address.text)) == NULL)
            oracle_give_up(&world->oracle, index);
    }
}

/* Whoever is listed no more, and does not know yet, goes on for a while: alone, with what is given
 * up. */
void terms_refresh(struct world *world)
{
    world->oracle.unlisted = 0;
    for (uint32_t i = 0; world->config != NULL && i < world->node_count; i++) {
        uint64_t id = world->oracle.nodes[i].id;
        if (id != 0 && config_member_by_id(world->config, id) == NULL)
            world->oracle.unlisted |= 1U << i;
    }
}

/* When this epoch came; now, where it is adopted and in no log yet. */
static uint64_t since_us(const struct world *world, uint64_t epoch)
{
    uint64_t us = epoch_time(&world->oracle, epoch);
    return us != 0 ? us : world->time.now_us;
}

static void note_losses(struct world *world)
{
    for (uint32_t i = 0; i < world->config->loss_count; i++) {
        const struct loss *loss = &world->config->losses[i];
        uint32_t shard = config_shard_by_id(world->config, loss->shard);
        if (shard == SHARD_NONE)
            continue;
        struct told told = {.actor = loss->actor,
                            .whole_seq = loss->whole_seq,
                            .slots = world->config->shards[shard].slots,
                            .before_us = since_us(world, loss->epoch)};
        oracle_may_be_lost(&world->oracle, &told);
    }
}

static void follow(struct world *world, const struct config *config)
{
    if (config->next_actor > ORACLE_ACTORS_MAX)
        verdict_say(&world->verdict, "SIM", "more than %u terms", ORACLE_ACTORS_MAX);
    uint32_t acceptors[LIMIT_ACCEPTORS];
    world->terms.alone = world->terms.alone || config_acceptors(config, acceptors) == 1;
    note_removed(world, config);
    config_free(world->config);
    world->config = config_dup(config);
    place_nodes(world);
    terms_refresh(world);
    note_losses(world);
}

static void note_config(struct world *world, const struct config *config)
{
    if (world->config == NULL || is_newer(config, world->config))
        follow(world, config);
}

void terms_forgotten(struct world *world, const struct config *newest)
{
    if (newest->lineage != world->config->lineage || newest->epoch != world->config->epoch)
        follow(world, newest);
}

/* ---- Coverage ---- */

void terms_step(struct world *world, struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    if (config == NULL)
        return;
    note_config(world, config);
    uint32_t bearer = world_own_actor(node);
    const struct vv *coverage = node_coverage(node->node);
    for (uint32_t i = 0; i < coverage->count && bearer > 0 && bearer < ORACLE_ACTORS_MAX; i++) {
        struct dot dot = coverage->entries[i];
        if (dot.actor < ORACLE_ACTORS_MAX && dot.seq > world->terms.most[bearer][dot.actor])
            world->terms.most[bearer][dot.actor] = dot.seq;
    }
}

const struct sim_node *terms_node(const struct world *world, const struct member *member)
{
    uint32_t index = world_by_address(world, slice_str(member->address.text));
    const struct sim_node *node = index < world->node_count ? &world->nodes[index] : NULL;
    bool there = node != NULL && node->node != NULL && node_id(node->node) == member->node_id &&
                 world_own_actor(node) == member->actor;
    return there ? node : NULL;
}

uint64_t terms_covered_by_all(const struct world *world, const struct config *config,
                              uint32_t actor, uint32_t *who)
{
    uint32_t members[LIMIT_MEMBERS];
    *who = 0;
    if (config_actor_closed(config, actor))
        return UINT64_MAX;
    uint32_t count = config_responsible(config, actor, members);
    uint64_t least = count > 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bearer = config->members[members[i]].actor;
        if (bearer < ORACLE_ACTORS_MAX && world->terms.most[bearer][actor] < least) {
            least = world->terms.most[bearer][actor];
            *who = bearer;
        }
    }
    return least;
}

bool terms_matters(const struct config *config, uint32_t actor, uint32_t shard)
{
    const struct slotset *slots = config_actor_slots(config, actor);
    return shard != SHARD_NONE && slots != NULL &&
           slotset_meets(slots, &config->shards[shard].slots);
}

bool terms_covers(const struct sim_node *node, struct dot dot)
{
    const struct config *config = node_config(node->node);
    return vv_covers(node_coverage(node->node), dot) ||
           (config != NULL && config_actor_closed(config, dot.actor));
}

/* ---- Losses ---- */

bool terms_lost(const struct world *world, uint32_t write)
{
    return oracle_lost(&world->oracle, write);
}

bool terms_merged(const struct config *config, uint32_t shard_id)
{
    for (uint32_t i = 0; i < config->loss_count; i++) {
        if (config->losses[i].actor == 0 && config->losses[i].shard == shard_id)
            return true;
    }
    return false;
}

bool terms_told(const struct world *world, const struct config *config, uint32_t write)
{
    const struct hwrite *at = &world->oracle.writes[write];
    if (terms_merged(config, config->shards[world->shard_of_key[at->key]].id))
        return true;
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        if (loss->actor != 0 && loss->actor == at->dot.actor && loss->whole_seq < at->dot.seq)
            return true;
    }
    return false;
}

bool terms_brought_back(const struct world *world, const struct config *config, uint32_t write)
{
    const struct oracle *oracle = &world->oracle;
    uint32_t shard = config->shards[world->shard_of_key[oracle->writes[write].key]].id;
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        if (loss->actor == 0 && loss->shard == shard &&
            oracle_purged_above(oracle, write, since_us(world, loss->epoch)))
            return true;
    }
    return false;
}
