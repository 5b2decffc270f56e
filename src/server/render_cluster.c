/* render_cluster - the whole state of a node as one JSON document.
 *
 * Does:   GET /cluster: configuration, coverage, lag, who is suspected, versions.
 * Not:    secrets: the token key is never shown.
 * Holds:  R1.
 * Limits: -
 * See:    render.h; docs/api.md section 4.
 *
 * Ids of 64 random bits are hexadecimal text: numbers in JSON lose what is above 2^53 in browsers.
 */
#include "server/render.h"

#include "server/options.h"

#include <stdio.h>

static const char *phase_word(enum node_phase phase)
{
    switch (phase) {
    case NODE_BOOTING:
        return "booting";
    case NODE_SERVING:
        return "serving";
    case NODE_FILLING:
        return "filling";
    case NODE_SPARE:
        return "spare";
    case NODE_ASKING:
        return "asking";
    case NODE_REFUSED:
        return "refused";
    case NODE_STOPPING:
        return "stopping";
    }
    UNREACHABLE();
}

const char *render_state_word(enum member_state state)
{
    switch (state) {
    case MEMBER_ACTIVE:
        return "active";
    case MEMBER_SYNCING:
        return "syncing";
    case MEMBER_LEAVING:
        return "leaving";
    case MEMBER_SPARE:
        return "spare";
    case MEMBER_INVITED:
        return "invited";
    }
    UNREACHABLE();
}

static void put_id(struct buf *out, const char *name, uint64_t id)
{
    char text[20];
    int len = snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
    json_put_text(out, slice_str(name), slice_of(text, (size_t)len));
}

static void put_open(struct buf *out, const char *name, char bracket)
{
    json_put_name(out, slice_str(name));
    buf_u8(out, (uint8_t)bracket);
}

/* {"1":17,"4":2} */
static void put_vv(struct buf *out, const char *name, const struct vv *vv)
{
    char actor[12];
    put_open(out, name, '{');
    for (uint32_t i = 0; i < vv->count; i++) {
        int len = snprintf(actor, sizeof(actor), "%u", vv->entries[i].actor);
        json_put_number(out, slice_of(actor, (size_t)len), vv->entries[i].seq);
    }
    buf_u8(out, '}');
}

/* Slots on their way count where clients are told that they are. */
static void count_slots(const struct config *config, uint32_t slots[LIMIT_PARTS])
{
    memset(slots, 0, LIMIT_PARTS * sizeof(slots[0]));
    for (uint32_t i = 0; i < config->shard_count; i++)
        slots[config_public_shard(config, i)] += slotset_size(&config->shards[i].slots);
}

static void put_shards(struct buf *out, const struct config *config)
{
    uint32_t slots[LIMIT_PARTS];
    count_slots(config, slots);
    put_open(out, "shards", '[');
    for (uint32_t i = 0; i < config_lasting_shards(config); i++) {
        json_put_comma(out);
        buf_u8(out, '{');
        render_shard_id(out, "id", config->shards[i].id);
        json_put_number(out, SLICE_LIT("slots"), slots[i]);
        json_put_bool(out, SLICE_LIT("degraded"), config_degraded(config, i));
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

/* More of them: GET /shard/reshard. */
static void put_transits(struct buf *out, const struct config *config)
{
    put_open(out, "transits", '[');
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++) {
        const struct shard *transit = &config->shards[i];
        json_put_comma(out);
        buf_u8(out, '{');
        render_shard_id(out, "from", transit->from);
        render_shard_id(out, "into", transit->into);
        json_put_number(out, SLICE_LIT("slots"), slotset_size(&transit->slots));
        json_put_bool(out, SLICE_LIT("switched"), transit->switched);
        json_put_bool(out, SLICE_LIT("degraded"), config_degraded(config, i));
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

static void put_peer(struct buf *out, const struct node *node, uint64_t id)
{
    struct node_peer_info info;
    if (id == node_id(node) || !node_peer_info(node, id, &info))
        return;
    json_put_bool(out, SLICE_LIT("connected"), info.connected);
    json_put_bool(out, SLICE_LIT("suspected"), info.suspected);
    json_put_number(out, SLICE_LIT("behind-by"), info.behind_by);
    json_put_number(out, SLICE_LIT("silent-ms"), info.silent_ms);
    json_put_name(out, SLICE_LIT("clock-diff-ms"));
    if (info.clock_diff_ms < 0)
        buf_u8(out, '-');
    buf_decimal(out, info.clock_diff_ms < 0 ? 0 - (uint64_t)info.clock_diff_ms
                                            : (uint64_t)info.clock_diff_ms);
}

static void put_members(struct buf *out, const struct node *node, const struct config *config)
{
    put_open(out, "members", '[');
    for (uint32_t i = 0; i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        json_put_comma(out);
        buf_u8(out, '{');
        json_put_text(out, SLICE_LIT("address"), slice_str(member->address.text));
        put_id(out, "node-id", member->node_id);
        if (member->shard != SHARD_NONE)
            render_shard_id(out, "shard", config->shards[member->shard].id);
        json_put_text(out, SLICE_LIT("state"), slice_str(render_state_word(member->state)));
        json_put_number(out, SLICE_LIT("actor"), member->actor);
        json_put_bool(out, SLICE_LIT("alive"), node_believes_alive(node, member->node_id));
        put_peer(out, node, member->node_id);
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

static const char *retired_word(enum retired_state state)
{
    switch (state) {
    case RETIRED_SEALING:
        return "sealing";
    case RETIRED_SEALED:
        return "sealed";
    case RETIRED_MOVING:
        return "moving";
    }
    UNREACHABLE();
}

/* Actors whose members have gone, until all that they wrote is everywhere. */
static void put_retired(struct buf *out, const struct config *config)
{
    put_open(out, "retired", '[');
    for (uint32_t i = 0; i < config->retired_count; i++) {
        const struct retired *retired = &config->retired[i];
        json_put_comma(out);
        buf_u8(out, '{');
        json_put_number(out, SLICE_LIT("actor"), retired->actor);
        put_id(out, "node-id", retired->node_id);
        json_put_text(out, SLICE_LIT("state"), slice_str(retired_word(retired->state)));
        json_put_number(out, SLICE_LIT("since-epoch"), retired->since);
        if (retired->state == RETIRED_SEALED)
            json_put_number(out, SLICE_LIT("last"), retired->last_seq);
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

/* As in answers (docs/api.md section 2), but all of them. */
static void put_losses(struct buf *out, const struct config *config)
{
    put_open(out, "lost", '[');
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        json_put_comma(out);
        buf_u8(out, '{');
        render_shard_id(out, "shard", loss->shard);
        if (loss->actor != 0) {
            json_put_number(out, SLICE_LIT("actor"), loss->actor);
            json_put_number(out, SLICE_LIT("after"), loss->whole_seq);
        }
        json_put_number(out, SLICE_LIT("since-epoch"), loss->epoch);
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

/* Histories that this one goes on from. */
static void put_ancestors(struct buf *out, const struct config *config)
{
    put_open(out, "ancestors", '[');
    for (uint32_t i = 0; i < config->ancestor_count; i++) {
        const struct ancestor *ancestor = &config->ancestors[i];
        json_put_comma(out);
        buf_u8(out, '{');
        put_id(out, "lineage", ancestor->lineage);
        json_put_number(out, SLICE_LIT("epoch"), ancestor->epoch);
        json_put_number(out, SLICE_LIT("next-actor"), ancestor->next_actor);
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

static void put_config(struct buf *out, const struct node *node, const struct config *config)
{
    put_id(out, "lineage", config->lineage);
    json_put_number(out, SLICE_LIT("epoch"), config->epoch);
    json_put_number(out, SLICE_LIT("fence"), config->fence);
    json_put_number(out, SLICE_LIT("next-actor"), config->next_actor);
    put_shards(out, config);
    put_transits(out, config);
    put_members(out, node, config);
    put_retired(out, config);
    put_losses(out, config);
    put_ancestors(out, config);
}

static void put_figures(struct buf *out, struct node *node)
{
    const struct metrics *metrics = node_metrics(node);
    put_open(out, "metrics", '{');
#define METRIC(name, kind, help) json_put_number(out, SLICE_LIT(#name), metrics->name);
#include "base/metrics.def"
#undef METRIC
    buf_u8(out, '}');
}

void render_cluster(struct node *node, struct buf *out)
{
    const struct config *config = node_config(node);
    struct buf why = BUF_EMPTY;
    node_why_not(node, &why);
    buf_u8(out, '{');
    json_put_text(out, SLICE_LIT("version"), SLICE_LIT(THENCE_VERSION));
    put_id(out, "node-id", node_id(node));
    json_put_text(out, SLICE_LIT("phase"), slice_str(phase_word(node_phase(node))));
    if (why.len > 0)
        json_put_text(out, SLICE_LIT("why"), buf_slice(&why));
    buf_fini(&why);
    uint64_t only_here = 0;
    if (node_only_here(node, &only_here))
        json_put_number(out, SLICE_LIT("writes-only-here"), only_here);
    if (config != NULL)
        put_config(out, node, config);
    struct vv stable;
    node_stable(node, &stable);
    put_vv(out, "coverage", node_coverage(node));
    put_vv(out, "stable", &stable);
    put_figures(out, node);
    buf_append_slice(out, SLICE_LIT("}"));
}
