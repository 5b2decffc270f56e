/* config_codec - a configuration as bytes.
 *
 * Does:   config_encode, config_decode; see config.h.
 * Not:    a checksum: frames and log records have one.
 * Holds:  what decodes holds K1 to K10, and encodes to the same bytes.
 * Limits: -
 * See:    docs/protocol.md section 6.
 *
 * Integers are LEB128 unless a size is given (then little-endian):
 *   format version (1 byte), lineage (8), epoch, fence, next actor, token key (16)
 *   count of members, each:   node id (8), address length, address, shard index + 1 (0: none),
 *                             actor, target index + 1 (0: none), state (1), returns, returned ms
 *   count of shards, each:    id, slotset; then transits:
 *   count of transits, each:  id, from, into (1 byte: switched), slotset
 *   count of seats, each:     node id (8), shard index, actor, state (1)
 *   shards wanted
 *   count of retired, each:   actor, node id (8), state (1), since, last seq, slotset
 *   count of ancestors, each: lineage (8), epoch, next actor
 *   count of losses, each:    actor, shard, whole seq, epoch, wall ms
 */
#include "placement/config_rules.h"

#define CONFIG_FORMAT 3U

static void shard_index_encode(uint32_t shard, struct buf *out)
{
    buf_varint(out, shard == SHARD_NONE ? 0 : (uint64_t)shard + 1);
}

static void member_encode(const struct member *member, struct buf *out)
{
    size_t len = strlen(member->address.text);
    buf_u64(out, member->node_id);
    buf_varint(out, len);
    buf_append(out, member->address.text, len);
    shard_index_encode(member->shard, out);
    buf_varint(out, member->actor);
    shard_index_encode(member->target, out);
    buf_u8(out, (uint8_t)member->state);
    buf_varint(out, member->returns);
    buf_varint(out, member->returned_ms);
}

static void shard_encode(const struct shard *shard, struct buf *out)
{
    buf_varint(out, shard->id);
    slotset_encode(&shard->slots, out);
}

static void transit_encode(const struct shard *transit, struct buf *out)
{
    buf_varint(out, transit->id);
    buf_varint(out, transit->from);
    buf_varint(out, transit->into);
    buf_u8(out, transit->switched ? 1 : 0);
    slotset_encode(&transit->slots, out);
}

static void seat_encode(const struct seat *seat, struct buf *out)
{
    buf_u64(out, seat->node_id);
    buf_varint(out, seat->shard);
    buf_varint(out, seat->actor);
    buf_u8(out, (uint8_t)seat->state);
}

static void retired_encode(const struct retired *retired, struct buf *out)
{
    buf_varint(out, retired->actor);
    buf_u64(out, retired->node_id);
    buf_u8(out, (uint8_t)retired->state);
    buf_varint(out, retired->since);
    buf_varint(out, retired->last_seq);
    slotset_encode(&retired->slots, out);
}

static void ancestor_encode(const struct ancestor *ancestor, struct buf *out)
{
    buf_u64(out, ancestor->lineage);
    buf_varint(out, ancestor->epoch);
    buf_varint(out, ancestor->next_actor);
}

static void loss_encode(const struct loss *loss, struct buf *out)
{
    buf_varint(out, loss->actor);
    buf_varint(out, loss->shard);
    buf_varint(out, loss->whole_seq);
    buf_varint(out, loss->epoch);
    buf_varint(out, loss->wall_ms);
}

void config_history(const struct config *config, struct buf *out)
{
    buf_u8(out, CONFIG_FORMAT);
    buf_u64(out, config->lineage);
}

void config_encode(const struct config *config, struct buf *out)
{
    ASSERT(config__k7(config));
    config_history(config, out);
    buf_varint(out, config->epoch);
    buf_varint(out, config->fence);
    buf_varint(out, config->next_actor);
    buf_append(out, config->token_key.bytes, sizeof(config->token_key.bytes));
    buf_varint(out, config->member_count);
    for (uint32_t i = 0; i < config->member_count; i++)
        member_encode(&config->members[i], out);
    uint32_t lasting = config_lasting_shards(config);
    buf_varint(out, lasting);
    for (uint32_t i = 0; i < lasting; i++)
        shard_encode(&config->shards[i], out);
    buf_varint(out, config->shard_count - lasting);
    for (uint32_t i = lasting; i < config->shard_count; i++)
        transit_encode(&config->shards[i], out);
    buf_varint(out, config->seat_count);
    for (uint32_t i = 0; i < config->seat_count; i++)
        seat_encode(&config->seats[i], out);
    buf_varint(out, config->wanted_shards);
    buf_varint(out, config->retired_count);
    for (uint32_t i = 0; i < config->retired_count; i++)
        retired_encode(&config->retired[i], out);
    buf_varint(out, config->ancestor_count);
    for (uint32_t i = 0; i < config->ancestor_count; i++)
        ancestor_encode(&config->ancestors[i], out);
    buf_varint(out, config->loss_count);
    for (uint32_t i = 0; i < config->loss_count; i++)
        loss_encode(&config->losses[i], out);
}

/* A number up to max; anything greater turns the cursor bad. */
static uint32_t number_read(struct read *in, uint32_t max)
{
    uint64_t value = read_varint(in);
    if (value > max) {
        in->bad = true;
        return 0;
    }
    return (uint32_t)value;
}

static uint8_t state_read(struct read *in, uint8_t max)
{
    uint8_t value = read_u8(in);
    if (value > max) {
        in->bad = true;
        return 0;
    }
    return value;
}

/* Printable and without spaces: what else an address must be is for whoever takes it from an
 * operator (address_parse). */
static void address_read(struct read *in, struct address *address)
{
    size_t len = number_read(in, LIMIT_ADDRESS_BYTES);
    struct slice text = read_bytes(in, len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            in->bad = true;
        address->text[i] = (char)text.ptr[i];
    }
    address->text[text.len] = '\0';
}

static uint32_t shard_index_read(struct read *in)
{
    uint32_t shard = number_read(in, LIMIT_SHARDS);
    return shard == 0 ? SHARD_NONE : shard - 1;
}

static void member_read(struct read *in, struct member *member)
{
    member->node_id = read_u64(in);
    address_read(in, &member->address);
    member->shard = shard_index_read(in);
    member->actor = number_read(in, UINT32_MAX);
    member->target = shard_index_read(in);
    member->state = (enum member_state)state_read(in, MEMBER_INVITED);
    member->returns = number_read(in, RETURNS_MAX);
    member->returned_ms = read_varint(in);
}

static void slots_read(struct read *in, struct slotset *slots)
{
    if (!slotset_decode(in, slots))
        in->bad = true;
}

static void shard_read(struct read *in, struct shard *shard)
{
    shard->id = number_read(in, UINT32_MAX);
    shard->from = shard->into = SHARD_NONE;
    slots_read(in, &shard->slots);
}

static void transit_read(struct read *in, struct shard *transit)
{
    transit->id = number_read(in, UINT32_MAX);
    transit->from = number_read(in, UINT32_MAX);
    transit->into = number_read(in, UINT32_MAX);
    transit->switched = state_read(in, 1) == 1;
    slots_read(in, &transit->slots);
}

static void seat_read(struct read *in, struct seat *seat)
{
    seat->node_id = read_u64(in);
    seat->shard = number_read(in, LIMIT_PARTS);
    seat->actor = number_read(in, UINT32_MAX);
    seat->state = (enum member_state)state_read(in, MEMBER_LEAVING);
}

static void retired_read(struct read *in, struct retired *retired)
{
    retired->actor = number_read(in, UINT32_MAX);
    retired->node_id = read_u64(in);
    retired->state = (enum retired_state)state_read(in, RETIRED_MOVING);
    retired->since = read_varint(in);
    retired->last_seq = read_varint(in);
    slots_read(in, &retired->slots);
}

static void ancestor_read(struct read *in, struct ancestor *ancestor)
{
    ancestor->lineage = read_u64(in);
    ancestor->epoch = read_varint(in);
    ancestor->next_actor = number_read(in, UINT32_MAX);
}

static void loss_read(struct read *in, struct loss *loss)
{
    loss->actor = number_read(in, UINT32_MAX);
    loss->shard = number_read(in, UINT32_MAX);
    loss->whole_seq = read_varint(in);
    loss->epoch = read_varint(in);
    loss->wall_ms = read_varint(in);
}

static void head_read(struct read *in, struct config *config)
{
    if (read_u8(in) != CONFIG_FORMAT)
        in->bad = true;
    config->lineage = read_u64(in);
    config->epoch = read_varint(in);
    config->fence = read_varint(in);
    config->next_actor = number_read(in, UINT32_MAX);
    struct slice key = read_bytes(in, sizeof(config->token_key.bytes));
    if (read_ok(in))
        memcpy(config->token_key.bytes, key.ptr, key.len);
}

static void body_read(struct read *in, struct config *config)
{
    config->member_count = number_read(in, LIMIT_MEMBERS);
    for (uint32_t i = 0; i < config->member_count && read_ok(in); i++)
        member_read(in, &config->members[i]);
    config->shard_count = number_read(in, LIMIT_SHARDS);
    for (uint32_t i = 0; i < config->shard_count && read_ok(in); i++)
        shard_read(in, &config->shards[i]);
    uint32_t transits = number_read(in, LIMIT_TRANSITS);
    for (uint32_t i = 0; i < transits && read_ok(in); i++)
        transit_read(in, &config->shards[config->shard_count++]);
    config->seat_count = number_read(in, LIMIT_SEATS);
    for (uint32_t i = 0; i < config->seat_count && read_ok(in); i++)
        seat_read(in, &config->seats[i]);
    config->wanted_shards = number_read(in, LIMIT_SHARDS);
    config->retired_count = number_read(in, LIMIT_RETIRED);
    for (uint32_t i = 0; i < config->retired_count && read_ok(in); i++)
        retired_read(in, &config->retired[i]);
    config->ancestor_count = number_read(in, LIMIT_ANCESTORS);
    for (uint32_t i = 0; i < config->ancestor_count && read_ok(in); i++)
        ancestor_read(in, &config->ancestors[i]);
    config->loss_count = number_read(in, LIMIT_LOSSES);
    for (uint32_t i = 0; i < config->loss_count && read_ok(in); i++)
        loss_read(in, &config->losses[i]);
}

struct config *config_decode(struct slice bytes)
{
    struct read in = read_of(bytes);
    struct config *config = config_new();
    head_read(&in, config);
    body_read(&in, config);
    if (read_done(&in)) {
        config_index(config);
        if (config__is_valid(config))
            return config;
    }
    config_free(config);
    return NULL;
}
