/* judge - what must be true of all nodes together.
 *
 * Does:   see judge.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    judge.h.
 */
#include "sim/judge.h"

#include "sim/client.h"
#include "sim/fault.h"
#include "sim/people.h"
#include "sim/tell.h"
#include "sim/watch.h"

#include <stdio.h>

#define SAMPLE_US 500000U
#define BOOT_US_MAX 30000000U

/* Beyond the knob: what one batch may hold when the limit is met. */
#define SLACK_BYTES 1048576U

/* The limit of pending writes is looked at before each: the last one may pass it. */
#define PENDING_SLACK_BYTES 131072U

/* Beyond what calls for a checkpoint: the batches until it is noticed, and its own records. */
#define LOG_ON_ITS_WAY_BYTES 256U
#define LOG_SLACK_BYTES 65536U

/* What other members have written is taken, whatever the limit says; they have theirs. */
#define MEMORY_SLACK_BYTES 1048576U

/* Steps of all nodes between two samples beyond which somebody spins. */
#define STEPS_A_SAMPLE_MAX 400000U

static bool serves(const struct sim_node *node)
{
    return node->node != NULL && node_phase(node->node) == NODE_SERVING;
}

/* A member of no shard forwards, which is all that it can do. */
static bool works(const struct sim_node *node)
{
    return serves(node) || (node->node != NULL && node_phase(node->node) == NODE_SPARE);
}

bool judge_somebody_away(const struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].away)
            return true;
    }
    return false;
}

/* ---- While faults go on ---- */

/* Where the first configuration puts everybody, those included who were lost meanwhile. */
static void note_boot(struct world *world)
{
    const struct config *config = NULL;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (node->away)
            continue;
        if (!serves(node))
            return;
        config = node_config(node->node);
    }
    for (uint32_t i = 0; i < world->oracle.key_count && config != NULL; i++)
        world->shard_of_key[i] = config_shard_of_slot(config, world->oracle.keys[i].slot);
    world->booted = config != NULL;
    story_say(&world->story, UINT32_MAX, "all nodes serve");
    for (uint32_t i = world->view_count; i < world->node_count; i++)
        world_start_later(world, i, rng_below(&world->rng, world->swarm.faults_for_us / 2));
    tell_shards(world);
}

/* Asks for a place, fills up, refuses; an empty directory where others have begun. */
static bool is_away(const struct world *world, const struct sim_node *node)
{
    switch (node_phase(node->node)) {
    case NODE_ASKING:
    case NODE_FILLING:
    case NODE_REFUSED:
        return true;
    case NODE_BOOTING:
        return world->config != NULL && node->emptied;
    case NODE_SERVING:
    case NODE_SPARE:
    case NODE_STOPPING:
        return false;
    }
    return false;
}

/* Operators have changed the list: who was on it may be off it, and who stays be needed elsewhere
 * (6.4, 6.7). */
static bool is_moved(const struct world *world, const struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    bool listed = config != NULL && config_member_by_id(config, node_id(node->node)) != NULL;
    enum node_phase phase = node_phase(node->node);
    bool out = !listed && (phase == NODE_REFUSED || phase == NODE_ASKING); /* or let in again */
    return world->people && (phase == NODE_FILLING || out);
}

/* Who refuses because it was removed is started anew, sooner or later. */
static void note_removed(struct world *world, struct sim_node *node)
{
    if (node_phase(node->node) != NODE_REFUSED)
        node->returns = 0; /* let in again as it was: it may be removed again (seed 820765) */
    if (node_phase(node->node) != NODE_REFUSED || !world->people || node->returns == node->life)
        return;
    node->returns = node->life;
    uint64_t us = world->faults_over ? 300000 : 300000 + rng_below(&world->rng, 8000000);
    vtime_after(&world->time, us, WORLD_MEND, MEND_RETURN, node->index, 0);
}

/* A node that is away needs a fault that explains it, and says why. */
static void judge_away(struct world *world, struct sim_node *node)
{
    struct buf why = BUF_EMPTY;
    node_why_not(node->node, &why);
    if (!node->doubtful && !node->damaged && !node->forgets && !is_moved(world, node))
        verdict_say(&world->verdict, "I9", "node %u does not serve, and no fault explains it: %.*s",
                    node->index, (int)why.len, (const char *)why.ptr);
    if (why.len == 0)
        verdict_say(&world->verdict, "I5", "node %u does not serve and does not say why",
                    node->index);
    tell_away(world, node->index, buf_slice(&why));
    node->away = true;
    buf_fini(&why);
}

void judge_phase(struct world *world, struct sim_node *node)
{
    bool away = is_away(world, node);
    if (away && !node->away)
        judge_away(world, node);
    note_removed(world, node);
    if (!works(node) || !node->away || (node->turned && world_own_actor(node) < node->turned_actor))
        return;
    story_say(&world->story, node->index, "is back");
    node->away = node->doubtful = node->damaged = node->emptied = node->turned = false;
}

static void judge_gauge(struct verdict *verdict, const struct sim_node *node, const char *what,
                        uint64_t value, uint64_t most)
{
    if (value > most)
        verdict_say(verdict, "I8", "node %u has %llu %s; %llu is the limit", node->index,
                    (unsigned long long)value, what, (unsigned long long)most);
}

/* Each shard takes what its members have room for. When slots move to fewer shards, who takes them
 * comes to have what the members of several had, and takes no own writes then (watch.c). */
static uint64_t most_data(const struct world *world)
{
    const struct knobs *knobs = &world->swarm.knobs;
    uint64_t of_one = knobs->max_memory_bytes + knobs->max_memory_bytes / 16;
    return world->terms.moved ? of_one * world->terms.shards_most : of_one;
}

static void judge_limits(struct world *world, struct sim_node *node)
{
    const struct knobs *knobs = &world->swarm.knobs;
    const struct metrics *metrics = node_metrics(node->node);
    uint64_t peers = world->node_count - 1;
    uint64_t places = watch_places(node); /* each has a window and a buffer of its own (7) */
    judge_gauge(&world->verdict, node, "bytes of memory", metrics->memory_bytes,
                most_data(world) + places * knobs->window_bytes + metrics->pending_bytes +
                    MEMORY_SLACK_BYTES);
    judge_gauge(&world->verdict, node, "bytes pending", metrics->pending_bytes,
                places * (knobs->pending_bytes + PENDING_SLACK_BYTES));
    judge_gauge(&world->verdict, node, "requests parked", metrics->parked, knobs->max_requests);
    judge_gauge(&world->verdict, node, "bytes in the network", node->queued_most,
                peers * (knobs->window_bytes + 4 * knobs->walk_chunk_bytes + 2 * SLACK_BYTES));
}

/* The live version of a key here, or a dot of zeroes; *beyond: it lies above coverage. */
static struct dot live_version(const struct sim_node *node, const struct hkey *key, bool *beyond)
{
    const struct table *table = node_table(node->node);
    table_ref ref = table_find(table, key->slot, slice_of(key->text, key->len));
    *beyond = false;
    if (ref == 0)
        return (struct dot){0, 0};
    struct version version;
    table_view(table, ref, &version);
    *beyond =
        !terms_covers(node, config_shard_of_slot(node_config(node->node), key->slot), version.dot);
    return version.form == VALUE_TOMBSTONE ? (struct dot){0, 0} : version.dot;
}

static void judge_same(struct world *world, const struct sim_node *a, const struct sim_node *b,
                       uint32_t shard)
{
    for (uint32_t i = 0; i < world->oracle.key_count && !world->verdict.bad; i++) {
        const struct hkey *key = &world->oracle.keys[i];
        if (config_shard_of_slot(node_config(a->node), key->slot) != shard)
            continue;
        bool beyond_a = false;
        bool beyond_b = false;
        struct dot in_a = live_version(a, key, &beyond_a);
        struct dot in_b = live_version(b, key, &beyond_b);
        if (beyond_a || beyond_b || dot_equal(in_a, in_b))
            continue;
        char name_a[64];
        char name_b[64];
        verdict_say(&world->verdict, "I4",
                    "nodes %u and %u cover the same and differ at key %.*s: %s against %s",
                    a->index, b->index, (int)key->len, (const char *)key->text,
                    oracle_name(&world->oracle, oracle_by_dot(&world->oracle, in_a), name_a),
                    oracle_name(&world->oracle, oracle_by_dot(&world->oracle, in_b), name_b));
    }
}

/* Whether both have all of this shard, and cover the same of it. */
static bool have_the_same(const struct sim_node *a, const struct sim_node *b, uint32_t shard)
{
    const struct config *config = node_config(a->node);
    struct place place_a;
    struct place place_b;
    const struct vv *in_a = node_coverage_in(a->node, shard);
    const struct vv *in_b = node_coverage_in(b->node, shard);
    return in_a != NULL && in_b != NULL &&
           config_place(config, shard, node_id(a->node), &place_a) &&
           config_place(config, shard, node_id(b->node), &place_b) &&
           place_a.state == MEMBER_ACTIVE && place_b.state == MEMBER_ACTIVE &&
           vv_compare(in_a, in_b) == VV_EQUAL;
}

static bool knows(const struct sim_node *node, const struct config *other)
{
    const struct config *config = node_config(node->node);
    return config->epoch == other->epoch && config->lineage == other->lineage;
}

static void judge_pairs(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = i + 1; j < world->node_count; j++) {
            const struct sim_node *a = &world->nodes[i];
            const struct sim_node *b = &world->nodes[j];
            /* Of two epochs one may not know yet that an actor is closed. */
            if (!serves(a) || !serves(b) || a->turned || b->turned ||
                !knows(b, node_config(a->node)))
                continue;
            for (uint32_t shard = 0; shard < node_config(a->node)->shard_count; shard++)
                if (have_the_same(a, b, shard))
                    judge_same(world, a, b, shard);
        }
    }
}

void judge_sample(struct world *world)
{
    vtime_after(&world->time, SAMPLE_US, WORLD_SAMPLE, 0, 0, world->steps);
    if (!world->booted)
        note_boot(world);
    if (!world->booted && world->time.now_us > BOOT_US_MAX) {
        struct buf why = BUF_EMPTY;
        for (uint32_t i = 0; i < world->node_count; i++) {
            if (world->nodes[i].node != NULL && !serves(&world->nodes[i]))
                node_why_not(world->nodes[i].node, &why);
        }
        verdict_say(&world->verdict, "I9", "no first configuration after %u s: %.*s",
                    BOOT_US_MAX / 1000000, (int)why.len, (const char *)why.ptr);
        buf_fini(&why);
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_node *node = &world->nodes[i];
        if (node->node == NULL)
            continue;
        judge_limits(world, node);
    }
    if (world->steps - world->steps_sampled > STEPS_A_SAMPLE_MAX)
        verdict_say(&world->verdict, "S1", "%llu steps in half a second: somebody spins",
                    (unsigned long long)(world->steps - world->steps_sampled));
    world->steps_sampled = world->steps;
    if (world->booted)
        judge_pairs(world);
    watch_sample(world);
    audit_sample(world);
    people_sample(world);
}

/* ---- At the end ---- */

static bool same_coverage(const struct sim_node *a, const struct sim_node *b, char why[256])
{
    const struct vv *left = node_coverage(a->node);
    const struct vv *right = node_coverage(b->node);
    if (vv_compare(left, right) == VV_EQUAL)
        return true;
    for (uint32_t actor = 1; actor < ORACLE_ACTORS_MAX; actor++) {
        if (vv_get(left, actor) == vv_get(right, actor))
            continue;
        snprintf(why, 256, "of actor %u, node %u covers %llu and node %u covers %llu", actor,
                 a->index, (unsigned long long)vv_get(left, actor), b->index,
                 (unsigned long long)vv_get(right, actor));
        break;
    }
    return false;
}

/* The newest configuration that somebody knows now. One that was decided, and adopted by nobody who
 * kept it, will be found by the next who proposes (6.1). */
const struct config *judge_newest_known(const struct world *world)
{
    const struct config *newest = NULL;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct node *node = world->nodes[i].node;
        const struct config *config = node != NULL ? node_config(node) : NULL;
        if (config != NULL && (newest == NULL || config->epoch > newest->epoch))
            newest = config;
    }
    return newest;
}

bool judge_nobody_remembers(const struct world *world)
{
    const struct config *newest = judge_newest_known(world);
    for (uint32_t i = 0; i < world->node_count && newest != NULL; i++) {
        const struct node *node = world->nodes[i].node;
        if (node != NULL && config_member_by_id(newest, node_id(node)) != NULL)
            return false;
    }
    return newest != NULL;
}

/* All know the newest configuration, and nothing in it waits for anybody: no actor to be sealed or
 * closed, nobody who fills up or hands over (6.3 to 6.5). */
static bool is_settled(const struct world *world, char why[256])
{
    const struct config *newest = judge_newest_known(world);
    if (client_operates(world->client)) { /* seed 826042 */
        snprintf(why, 256, "an operator waits for an answer");
        return false;
    }
    if (newest != NULL && config_reshards(newest)) {
        snprintf(why, 256, "slots are still on their way, to %u shards", newest->wanted_shards);
        return false;
    }
    if (newest != NULL && newest->retired_count > 0) {
        snprintf(why, 256, "actor %u is still not closed", newest->retired[0].actor);
        return false;
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (!works(node) || !knows(node, newest)) {
            snprintf(why, 256, "node %u %s", i,
                     works(node) ? "does not know the newest configuration" : "does not serve");
            return false;
        }
        if (node_proposes(node->node)) { /* a removal, perhaps, whose operator is told already */
            snprintf(why, 256, "node %u still proposes", i);
            return false;
        }
    }
    return true;
}

bool judge_converged(const struct world *world, char why[256])
{
    if (!is_settled(world, why))
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *a = &world->nodes[i];
        for (uint32_t j = i + 1; j < world->node_count; j++) {
            const struct sim_node *b = &world->nodes[j];
            if (serves(a) && serves(b) && node_shard(a->node) == node_shard(b->node) &&
                !same_coverage(a, b, why))
                return false;
        }
    }
    return true;
}

static bool believes(const struct sim_node *node, const struct sim_node *other)
{
    struct node_peer_info info;
    return node_peer_info(node->node, node_id(other->node), &info) && info.connected &&
           !info.suspected;
}

bool judge_settled(const struct world *world)
{
    if (vnet_overdue(&world->net))
        return false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (!works(&world->nodes[i]))
            return false;
        for (uint32_t j = 0; j < world->node_count; j++) {
            if (i != j && world->nodes[j].node != NULL &&
                !believes(&world->nodes[i], &world->nodes[j]))
                return false;
        }
    }
    return true;
}

bool judge_stable(const struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct vv stable;
        if (!works(&world->nodes[i]))
            return false;
        node_stable(world->nodes[i].node, &stable);
        for (uint32_t j = 0; j < world->node_count; j++) {
            if (world->nodes[j].node != NULL &&
                !vv_contains(&stable, node_coverage(world->nodes[j].node)))
                return false;
        }
    }
    return true;
}

/* What was acknowledged may be missing only where faults explain it (all logs that ever had it have
 * lost something, or it was deleted and an old disk merged), and it is told (I5, 6.5). */
static bool lost_and_told(const struct world *world, uint32_t write)
{
    return (terms_lost(world, write) && terms_told(world, world->config, write)) ||
           terms_brought_back(world, world->config, write);
}

/* The greatest write of the key that was acknowledged and has to be there, or something newer. */
static uint32_t greatest_owed(const struct world *world, uint32_t index)
{
    const struct oracle *oracle = &world->oracle;
    uint32_t greatest = 0;
    for (uint32_t i = 1; i < oracle->write_count; i++) {
        if (oracle->writes[i].key == index && oracle->writes[i].acked &&
            oracle_newer(oracle, i, greatest) && !lost_and_told(world, i))
            greatest = i;
    }
    return greatest;
}

/* The greatest tombstone of a key that any log ever had. */
static uint32_t greatest_stone(const struct oracle *oracle, const struct hkey *key)
{
    uint32_t greatest = 0;
    for (uint32_t i = 0; i < key->stone_count; i++) {
        if (oracle->writes[key->stones[i]].dot.actor != 0 &&
            oracle_newer(oracle, key->stones[i], greatest))
            greatest = key->stones[i];
    }
    return greatest;
}

static void judge_key(struct world *world, const struct sim_node *node, uint32_t index)
{
    struct oracle *oracle = &world->oracle;
    const struct hkey *key = &oracle->keys[index];
    uint32_t acked = greatest_owed(world, index);
    bool beyond = false;
    struct dot dot = live_version(node, key, &beyond);
    uint32_t have = oracle_by_dot(oracle, dot);
    char name_acked[64];
    char name_have[64];
    if (acked == 0)
        return;
    if (dot.actor == 0) { /* absent: right when a tombstone beats what was acknowledged */
        uint32_t stone = greatest_stone(oracle, key);
        if (stone == acked || oracle_newer(oracle, stone, acked))
            return;
    } else if (!oracle_newer(oracle, acked, have)) {
        return;
    }
    verdict_say(&world->verdict, oracle->writes[acked].tombstone ? "I4" : "I5",
                "at the end node %u has at key %.*s %s; acknowledged was the newer %s%s",
                node->index, (int)key->len, (const char *)key->text,
                oracle_name(oracle, have, name_have), oracle_name(oracle, acked, name_acked),
                oracle->writes[acked].tombstone ? ": what was deleted came back" : ": it is lost");
}

void judge_tables(struct world *world)
{
    terms_refresh(world);
    judge_pairs(world);
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (!serves(node))
            continue;
        node_check(node->node);
        for (uint32_t key = 0; key < world->oracle.key_count; key++) {
            if (node_serves(node->node, world->oracle.keys[key].slot))
                judge_key(world, node, key);
        }
    }
}

/* The log of a node that has nothing to do: a checkpoint is due beyond 2.5 times what lives,
 * at the latest. */
static void judge_log(const struct world *world, const struct sim_node *node,
                      const struct metrics *metrics, struct verdict *verdict)
{
    uint64_t live = 5 * table_log_bytes(node_table(node->node)) / 2;
    uint64_t floor = world->swarm.knobs.checkpoint_floor_bytes;
    if (metrics->checkpoint_running == 0)
        judge_gauge(verdict, node, "bytes of log at rest", metrics->log_bytes,
                    (live > floor ? live : floor) + LOG_SLACK_BYTES);
    uint64_t disk = vdisk_bytes(&node->disk);
    /* A clock ceiling or a mark may be on its way to the disk just now. */
    if (disk > metrics->log_bytes || metrics->log_bytes - disk > LOG_ON_ITS_WAY_BYTES)
        verdict_say(verdict, "I8", "node %u counts %llu bytes of log; its disk has %llu",
                    node->index, (unsigned long long)metrics->log_bytes, (unsigned long long)disk);
}

static void judge_each_idle(const struct world *world, struct verdict *verdict)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (!serves(node))
            continue;
        const struct metrics *metrics = node_metrics(node->node);
        judge_gauge(verdict, node, "requests parked at rest", metrics->parked, 0);
        judge_gauge(verdict, node, "bytes pending at rest", metrics->pending_bytes, 0);
        judge_log(world, node, metrics, verdict);
    }
}

bool judge_is_idle(const struct world *world)
{
    struct verdict verdict = {0};
    judge_each_idle(world, &verdict);
    return !verdict.bad;
}

void judge_idle(struct world *world)
{
    judge_each_idle(world, &world->verdict);
}

uint32_t judge_token_entries(const struct world *world, struct slice text)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].node == NULL || node_config(world->nodes[i].node) == NULL)
            continue;
        struct ctx ctx;
        ctx_init(&ctx);
        if (token_decode(text, &node_config(world->nodes[i].node)->token_key, &ctx) != TOKEN_OK)
            return UINT32_MAX;
        return ctx.seen.count;
    }
    return UINT32_MAX;
}

uint64_t judge_count(const struct world *world, uint32_t shard)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct node *node = world->nodes[i].node;
        if (!serves(&world->nodes[i]) || node_shard(node) != shard)
            continue;
        uint64_t live = 0;
        for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++)
            if (config_shard_of_slot(node_config(node), slot) == shard)
                live += table_slot_live(node_table(node), slot);
        return live;
    }
    return 0;
}
