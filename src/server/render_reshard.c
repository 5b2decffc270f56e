/* render_reshard - how far slots are that move between shards.
 *
 * Does:   GET /shard/reshard: what is wanted, what is going on, each transit, whom it waits for.
 * Not:    since when, how long still: no node remembers the one, or knows the other.
 * Holds:  R1.
 * Limits: -
 * See:    render.h; docs/api.md section 3; docs/protocol.md section 7.
 */
#include "server/render.h"

/* ---- members ---- */

static void put_members(const struct node *node, const struct config *config, uint32_t transit,
                        struct buf *out)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t count = config_places(config, transit, places);
    json_put_name(out, SLICE_LIT("members"));
    buf_u8(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        json_put_comma(out);
        buf_u8(out, '{');
        json_put_text(out, SLICE_LIT("address"), slice_str(places[i].member->address.text));
        json_put_text(out, SLICE_LIT("state"), slice_str(render_state_word(places[i].state)));
        json_put_bool(out, SLICE_LIT("alive"),
                      node_believes_alive(node, places[i].member->node_id));
        buf_u8(out, '}');
    }
    buf_u8(out, ']');
}

/* Who has a place and is not there: nothing that has to be counted goes on without them. */
/* While slots move: a reshard waits for it. */
static bool is_absent(const struct node *node, const struct member *member)
{
    return member_counts(member) && !node_believes_alive(node, member->node_id);
}

static void put_absent(const struct node *node, const struct config *config, bool moves,
                       struct buf *out)
{
    json_put_name(out, SLICE_LIT("waiting-for"));
    buf_u8(out, '[');
    for (uint32_t i = 0; moves && i < config->member_count; i++) {
        const struct member *member = &config->members[i];
        if (!is_absent(node, member))
            continue;
        json_put_comma(out);
        json_put_string(out, slice_str(member->address.text));
    }
    buf_u8(out, ']');
}

uint64_t render_count_absent(const struct node *node, const struct config *config)
{
    uint64_t count = 0;
    for (uint32_t i = 0; config_reshards(config) && i < config->member_count; i++)
        count += is_absent(node, &config->members[i]);
    return count;
}

uint64_t render_count_moving(const struct config *config)
{
    uint64_t slots = 0;
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++)
        slots += slotset_size(&config->shards[i].slots);
    return slots;
}

/* ---- what is going on ---- */

static uint32_t seats(const struct config *config, uint32_t transit, enum member_state state)
{
    return config_count(config, transit, state);
}

static const char *transit_phase(const struct config *config, uint32_t transit)
{
    if (!config->shards[transit].switched)
        return seats(config, transit, MEMBER_SYNCING) > 0 ? "filling" : "filled";
    if (seats(config, transit, MEMBER_SYNCING) > 0)
        return "filling";
    return seats(config, transit, MEMBER_LEAVING) > 0 ? "handing over" : "arriving";
}

static bool members_move(const struct config *config)
{
    for (uint32_t i = 0; i < config->member_count; i++)
        if (config->members[i].state == MEMBER_SYNCING ||
            config->members[i].state == MEMBER_LEAVING)
            return true;
    return false;
}

static const char *phase(const struct config *config, bool moves)
{
    uint32_t lasting = config_lasting_shards(config);
    bool filling = false;
    for (uint32_t i = lasting; i < config->shard_count; i++)
        filling = filling || seats(config, i, MEMBER_SYNCING) > 0;
    if (filling)
        return "slots fill up at their new members";
    if (lasting < config->shard_count)
        return "slots are handed over";
    if (moves && members_move(config))
        return "members move between shards";
    if (config->retired_count > 0)
        return "what was written before is counted and closed";
    return moves ? "the next step is about to be taken" : "nothing moves";
}

/* ---- transits ---- */

/* What lies here of a part. */
struct load {
    uint64_t keys;  /* live ones */
    uint64_t bytes; /* of them and of their values */
};

/* One pass over the slots. */
static void add_up(const struct node *node, const struct config *config,
                   struct load loads[LIMIT_PARTS])
{
    for (uint32_t i = 0; i < LIMIT_PARTS; i++)
        loads[i] = (struct load){0};
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        struct load *load = &loads[config->owner[slot]];
        load->keys += table_slot_live(node_table(node), slot);
        load->bytes += table_slot_bytes(node_table(node), slot);
    }
}

/* A member of the shard that the slots go into. */
static bool takes(const struct config *config, const struct shard *transit,
                  const struct place *place)
{
    uint32_t home = place->member->shard;
    return home < config->shard_count && config->shards[home].id == transit->into;
}

static uint32_t count_takers(const struct config *config, uint32_t index)
{
    struct place places[LIMIT_MEMBERS];
    uint32_t takers = 0;
    uint32_t count = config_places(config, index, places);
    for (uint32_t i = 0; i < count; i++)
        takers += takes(config, &config->shards[index], &places[i]);
    return takers;
}

static void put_transit(const struct node *node, const struct config *config, uint32_t index,
                        struct load load, struct buf *out)
{
    const struct shard *transit = &config->shards[index];
    struct place own;
    json_put_comma(out);
    buf_u8(out, '{');
    render_shard_id(out, "from", transit->from);
    render_shard_id(out, "into", transit->into);
    json_put_text(out, SLICE_LIT("phase"), slice_str(transit_phase(config, index)));
    json_put_bool(out, SLICE_LIT("switched"), transit->switched);
    json_put_number(out, SLICE_LIT("slots"), slotset_size(&transit->slots));
    json_put_number(out, SLICE_LIT("takers"), count_takers(config, index));
    if (config_place(config, index, node_id(node), &own)) {
        json_put_number(out, SLICE_LIT("keys"), load.keys);
        json_put_number(out, SLICE_LIT("bytes"), load.bytes);
        json_put_bool(out, SLICE_LIT("takes"), takes(config, transit, &own));
    }
    put_members(node, config, index, out);
    buf_u8(out, '}');
}

void render_reshard(const struct node *node, const struct config *config, struct buf *out)
{
    uint32_t lasting = config_lasting_shards(config);
    bool moves = config_reshards(config);
    struct load loads[LIMIT_PARTS];
    add_up(node, config, loads);
    buf_u8(out, '{');
    json_put_bool(out, SLICE_LIT("resharding"), moves);
    json_put_text(out, SLICE_LIT("phase"), slice_str(phase(config, moves)));
    json_put_bool(out, SLICE_LIT("cancelled"), moves && config->wanted_shards == 0);
    json_put_number(out, SLICE_LIT("shard-count"), lasting);
    json_put_number(out, SLICE_LIT("wanted"), config->wanted_shards);
    json_put_bool(out, SLICE_LIT("even"), config_is_even(config));
    json_put_number(out, SLICE_LIT("open-terms"), config->retired_count);
    put_absent(node, config, moves, out);
    json_put_name(out, SLICE_LIT("transits"));
    buf_u8(out, '[');
    for (uint32_t i = lasting; i < config->shard_count; i++)
        put_transit(node, config, i, loads[i], out);
    buf_append_slice(out, SLICE_LIT("]}"));
}
