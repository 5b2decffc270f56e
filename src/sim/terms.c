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

/* Shards that are gone, and slots that have moved on, count too: a loss names a shard as it was. */
static void note_slots(struct world *world)
{
    for (uint32_t i = 0; i < world->config->shard_count; i++) {
        uint32_t id = world->config->shards[config_public_shard(world->config, i)].id;
        if (id < TERMS_SHARDS_MAX)
            slotset_merge(&world->terms.slots[id], &world->config->shards[i].slots);
        else
            verdict_say(&world->verdict, "SIM", "a shard s%u", id);
    }
}

void terms_told_of(const struct world *world, const struct loss *loss, struct told *told)
{
    *told = (struct told){.actor = loss->actor,
                          .whole_seq = loss->whole_seq,
                          .before_us = since_us(world, loss->epoch)};
    if (loss->shard < TERMS_SHARDS_MAX)
        told->slots = world->terms.slots[loss->shard];
}

static void note_losses(struct world *world)
{
    for (uint32_t i = 0; i < world->config->loss_count; i++) {
        struct told told;
        terms_told_of(world, &world->config->losses[i], &told);
        oracle_may_be_lost(&world->oracle, &told);
    }
}

static void inherit(struct world *world, uint32_t to, uint32_t from)
{
    world->terms.heirs[from][to] = true;
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++)
        if (world->terms.most[to][i] < world->terms.most[from][i])
            world->terms.most[to][i] = world->terms.most[from][i];
}

/* Where a term begins because slots moved, its member goes on with what it has of them (7). */
static void note_heirs(struct world *world, const struct config *before, const struct config *next)
{
    for (uint32_t shard = 0; before != NULL && shard < next->shard_count; shard++) {
        struct place places[LIMIT_MEMBERS];
        uint32_t count = config_places(next, shard, places);
        for (uint32_t i = 0; i < count; i++) {
            if (places[i].state == MEMBER_SYNCING || places[i].actor < before->next_actor ||
                places[i].actor >= ORACLE_ACTORS_MAX)
                continue;
            struct place was;
            for (uint32_t old = 0; old < before->shard_count; old++)
                if (config_place(before, old, places[i].member->node_id, &was) &&
                    slotset_meets(&before->shards[old].slots, &next->shards[shard].slots))
                    inherit(world, places[i].actor, was.actor);
        }
    }
}

/* What all members of a shard covered is stable there, whoever comes: that one fills up from them
 * before it serves. Another part of the actor's slots may take longer (1315662). */
static void note_newcomer(struct world *world, const struct config *before, uint32_t shard,
                          uint32_t bearer)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(before, shard, places);
    for (uint32_t actor = 0; actor < ORACLE_ACTORS_MAX && count > 0; actor++) {
        uint64_t least = UINT64_MAX;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t most =
                places[i].actor < ORACLE_ACTORS_MAX ? world->terms.most[places[i].actor][actor] : 0;
            least = most < least ? most : least;
        }
        if (least > world->terms.most[bearer][actor])
            world->terms.most[bearer][actor] = least;
    }
}

static void note_newcomers(struct world *world, const struct config *before,
                           const struct config *next)
{
    for (uint32_t shard = 0; before != NULL && shard < next->shard_count; shard++) {
        struct place places[LIMIT_MEMBERS];
        uint32_t old = config_shard_by_id(before, next->shards[shard].id);
        if (old == SHARD_NONE ||
            !slotset_equal(&before->shards[old].slots, &next->shards[shard].slots))
            continue;
        uint32_t count = config_places(next, shard, places);
        for (uint32_t i = 0; i < count; i++)
            if (places[i].state == MEMBER_SYNCING && places[i].actor >= before->next_actor &&
                places[i].actor < ORACLE_ACTORS_MAX)
                note_newcomer(world, before, old, places[i].actor);
    }
}

static void note_shards(struct terms *terms, const struct config *config)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config_lasting_shards(config); i++)
        count += slotset_size(&config->shards[i].slots) > 0;
    terms->shards_most = count > terms->shards_most ? count : terms->shards_most;
}

/* These actors are given out anew: of the new ones nothing was said, and what was said of older
 * ones stands. */
static void forget_terms(struct terms *terms, uint32_t from)
{
    for (uint32_t i = from; i < ORACLE_ACTORS_MAX; i++) {
        memset(terms->most[i], 0, sizeof terms->most[i]);
        memset(terms->heirs[i], 0, sizeof terms->heirs[i]);
        terms->stable[i] = 0;
        for (uint32_t j = 0; j < from; j++) {
            terms->most[j][i] = 0;
            terms->heirs[j][i] = false;
        }
    }
}

static void follow(struct world *world, const struct config *config)
{
    if (world->config != NULL)
        world->terms.actors_before = world->config->next_actor;
    if (config->next_actor > ORACLE_ACTORS_MAX)
        verdict_say(&world->verdict, "SIM", "more than %u terms", ORACLE_ACTORS_MAX);
    uint32_t acceptors[LIMIT_ACCEPTORS];
    world->terms.alone = world->terms.alone || config_acceptors(config, acceptors) == 1;
    note_removed(world, config);
    note_heirs(world, world->config, config);
    note_newcomers(world, world->config, config);
    config_free(world->config);
    world->config = config_dup(config);
    world->terms.kept = false;
    world->terms.moved = world->terms.moved || config->wanted_shards != 0;
    note_shards(&world->terms, config);
    place_nodes(world);
    note_slots(world);
    for (uint32_t i = 0; i < world->oracle.key_count; i++)
        world->shard_of_key[i] = config_shard_of_slot(config, world->oracle.keys[i].slot);
    terms_refresh(world);
    note_losses(world);
}

static bool is_kept(const struct world *world)
{
    const struct oracle *oracle = &world->oracle;
    for (uint32_t i = oracle->epoch_count; i > 0; i--)
        if (oracle->epochs[i - 1].lineage == world->config->lineage &&
            oracle->epochs[i - 1].epoch == world->config->epoch)
            return true;
    return false;
}

/* Who adopted it last ended before any log had it: it is as if it had not been, and another may be
 * decided (6.1). */
static bool is_forgotten(struct world *world)
{
    world->terms.kept = world->terms.kept || is_kept(world);
    for (uint32_t i = 0; i < world->node_count && !world->terms.kept; i++) {
        const struct node *node = world->nodes[i].node;
        const struct config *config = node != NULL ? node_config(node) : NULL;
        if (config != NULL && config->lineage == world->config->lineage &&
            config->epoch == world->config->epoch)
            return false;
    }
    return !world->terms.kept;
}

static void note_config(struct world *world, const struct config *config)
{
    bool back = world->config != NULL && !is_newer(config, world->config);
    if (back && !is_forgotten(world))
        return;
    if (back) /* this node may be behind by more than that (1408139) */
        forget_terms(&world->terms, world->terms.actors_before);
    follow(world, config);
}

bool terms_forgotten(struct world *world, const struct config *newest)
{
    if (newest->lineage == world->config->lineage && newest->epoch == world->config->epoch)
        return false;
    forget_terms(&world->terms, newest->next_actor);
    follow(world, newest);
    return true;
}

/* ---- Coverage ---- */

static void note_covered(struct world *world, uint32_t bearer, const struct vv *coverage)
{
    for (uint32_t i = 0; i < coverage->count; i++) {
        struct dot dot = coverage->entries[i];
        if (dot.actor < ORACLE_ACTORS_MAX && dot.seq > world->terms.most[bearer][dot.actor])
            world->terms.most[bearer][dot.actor] = dot.seq;
    }
}

/* What a node covers that has not adopted the epoch in which its next terms begin, it takes into
 * them; until then its reports count at those who have (5). */
static void note_covered_by_heirs(struct world *world, uint32_t bearer, const struct vv *coverage)
{
    bool is_heir[ORACLE_ACTORS_MAX] = {false};
    is_heir[bearer] = true;
    for (uint32_t from = bearer; from < ORACLE_ACTORS_MAX; from++) { /* heirs are younger */
        if (!is_heir[from])
            continue;
        note_covered(world, from, coverage);
        for (uint32_t to = from + 1; to < ORACLE_ACTORS_MAX; to++)
            is_heir[to] = is_heir[to] || world->terms.heirs[from][to];
    }
}

/* What slots the node had a place for until now, and has not any more; and the other way round. */
static void note_held(struct world *world, struct sim_node *node, const struct node_place *places,
                      uint32_t count)
{
    const struct config *config = node_config(node->node);
    struct slotset left = node->held;
    slotset_init(&node->held);
    for (uint32_t i = 0; i < count; i++)
        slotset_merge(&node->held, &config->shards[places[i].shard].slots);
    struct slotset entered = node->held;
    slotset_subtract(&entered, &left);
    slotset_subtract(&left, &node->held);
    if (slotset_size(&entered) > 0)
        oracle_enter(&world->oracle, node->index, &entered);
    if (node->held_id == node_id(node->node) && slotset_size(&left) > 0)
        oracle_leave(&world->oracle, node->index, &left);
    node->held_epoch = config->epoch;
    node->adopted_us = world->time.now_us;
    node->held_id = node_id(node->node);
}

void terms_step(struct world *world, struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    if (config == NULL)
        return;
    note_config(world, config);
    struct node_place places[1 + LIMIT_TRANSITS];
    uint32_t count = node_places(node->node, places);
    if (node->held_epoch != config->epoch || node->held_id != node_id(node->node))
        note_held(world, node, places, count);
    bool knows = config->lineage == world->config->lineage && config->epoch == world->config->epoch;
    for (uint32_t i = 0; i < count; i++) {
        if (places[i].actor == 0 || places[i].actor >= ORACLE_ACTORS_MAX)
            continue;
        if (knows)
            note_covered(world, places[i].actor, places[i].coverage);
        else
            note_covered_by_heirs(world, places[i].actor, places[i].coverage);
    }
}

const struct sim_node *terms_node(const struct world *world, const struct place *place)
{
    const struct member *member = place->member;
    uint32_t index = world_by_address(world, slice_str(member->address.text));
    const struct sim_node *node = index < world->node_count ? &world->nodes[index] : NULL;
    if (node == NULL || node->node == NULL || node_id(node->node) != member->node_id)
        return NULL;
    struct node_place places[1 + LIMIT_TRANSITS];
    uint32_t count = node_places(node->node, places);
    for (uint32_t i = 0; i < count; i++)
        if (places[i].actor == place->actor)
            return node;
    return NULL;
}

uint64_t terms_covered_by_all(const struct world *world, const struct config *config,
                              uint32_t actor, uint32_t *who)
{
    *who = 0;
    if (config_actor_closed(config, actor))
        return UINT64_MAX;
    uint64_t least = UINT64_MAX;
    bool any = false;
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        struct place places[LIMIT_MEMBERS];
        uint32_t count = 0;
        if (config_actor_meets(config, actor, shard))
            count = config_places(config, shard, places);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t bearer = places[i].actor;
            any = true;
            if (bearer < ORACLE_ACTORS_MAX && world->terms.most[bearer][actor] < least) {
                least = world->terms.most[bearer][actor];
                *who = bearer;
            }
        }
    }
    return any ? least : 0;
}

bool terms_matters(const struct config *config, uint32_t actor, uint32_t shard)
{
    return shard != SHARD_NONE && config_actor_meets(config, actor, shard);
}

bool terms_covers(const struct sim_node *node, uint32_t shard, struct dot dot)
{
    const struct config *config = node_config(node->node);
    const struct vv *coverage = node_coverage_in(node->node, shard);
    return (coverage != NULL && vv_covers(coverage, dot)) ||
           (config != NULL && dot.actor < config->next_actor &&
            !config_actor_meets(config, dot.actor, shard));
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

/* A loss of a shard that had the slot once. */
static bool concerns(const struct world *world, const struct loss *loss, uint32_t slot)
{
    return loss->shard < TERMS_SHARDS_MAX && slotset_has(&world->terms.slots[loss->shard], slot);
}

static bool is_merged(const struct world *world, const struct config *config, uint32_t slot)
{
    for (uint32_t i = 0; i < config->loss_count; i++)
        if (config->losses[i].actor == 0 && concerns(world, &config->losses[i], slot))
            return true;
    return false;
}

bool terms_told(const struct world *world, const struct config *config, uint32_t write)
{
    const struct hwrite *at = &world->oracle.writes[write];
    if (is_merged(world, config, world->oracle.keys[at->key].slot))
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
    uint32_t slot = oracle->keys[oracle->writes[write].key].slot;
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        if (loss->actor == 0 && concerns(world, loss, slot) &&
            oracle_purged_above(oracle, write, since_us(world, loss->epoch)))
            return true;
    }
    return false;
}
