/* replicas - all shards and transits in which this node has a place.
 *
 * Does:   one replica for the shard of the node (its home: it is there for a spare, too), and one
 *         for each transit in which it has a seat; follows the configuration when slots are split
 *         off and when they arrive; hands records, frames and time to whom they concern.
 * Not:    the work in one shard: replica.c and what stands beside it.
 * Holds:  G1 no slot is in two replicas of a node. G2 who is given a place without having to fill
 *         up takes over what it has of those slots, and what it covers, from the replica that had
 *         them; that happens in the step of the adoption, and replay does the same.
 * Limits: 1 + LIMIT_TRANSITS replicas.
 * See:    docs/protocol.md sections 1 (holding) and 7.
 */
#include "replica/state.h"

struct replicas *replicas_new(const struct knobs *knobs, enum plant plant, uint64_t node_id)
{
    struct replicas *set = mem_zalloc(1, sizeof(*set));
    set->knobs = knobs;
    set->plant = plant;
    set->node_id = node_id;
    set->list[0] = replica__new(set, SHARD_NONE);
    set->count = 1;
    return set;
}

void replicas_free(struct replicas *set)
{
    if (set == NULL)
        return;
    for (uint32_t i = 0; i < set->count; i++)
        replica__free(set->list[i]);
    mem_free(set);
}

/* ---- which one ---- */

struct replica *replicas_home(const struct replicas *set)
{
    return set->list[0];
}

uint32_t replicas_count(const struct replicas *set)
{
    return set->count;
}

struct replica *replicas_at(const struct replicas *set, uint32_t index)
{
    ASSERT(index < set->count);
    return set->list[index];
}

struct replica *replicas_of_shard(const struct replicas *set, uint32_t shard)
{
    for (uint32_t i = 0; i < set->count && shard != SHARD_NONE; i++)
        if (set->list[i]->shard == shard)
            return set->list[i];
    return NULL;
}

struct replica *replicas_of_slot(const struct replicas *set, uint32_t slot)
{
    if (set->config == NULL)
        return NULL;
    return replicas_of_shard(set, config_shard_of_slot(set->config, slot));
}

struct replica *replicas_of_id(const struct replicas *set, uint32_t shard_id)
{
    for (uint32_t i = 0; i < set->count && set->config != NULL; i++)
        if (set->list[i]->shard != SHARD_NONE &&
            set->config->shards[set->list[i]->shard].id == shard_id)
            return set->list[i];
    return NULL;
}

/* The one whose own actor this is, now. */
static struct replica *of_own_actor(const struct replicas *set, uint32_t actor)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (actor != 0 && set->list[i]->actor == actor)
            return set->list[i];
    return NULL;
}

static struct replica *of_transit(const struct replicas *set, uint32_t id)
{
    for (uint32_t i = 1; i < set->count; i++)
        if (set->list[i]->transit == id)
            return set->list[i];
    return NULL;
}

/* ---- adopting ---- */

/* What it knows of one actor goes over; what waits of it is put into the table by the one that had
 * it, in the same step. */
static void take_actor(struct replica *to, const struct replica *from,
                       const struct actor_state *actor)
{
    struct actor_state *state = replica__actor(to, actor->actor);
    uint64_t highest = replica__highest(from, actor);
    if (state == NULL && to->actor_count < LIMIT_ACTORS) {
        state = &to->actors[to->actor_count++];
        *state = (struct actor_state){.actor = actor->actor};
    }
    ASSERT(state != NULL); /* no more are open */
    if (state->highest < highest)
        state->highest = highest;
    uint64_t covered = replica__received(from, actor); /* the rest of it is settled (adopt.c) */
    if (PLANTED(to->plant, SPLIT_CLAIMS_MORE))
        covered = highest + 1;
    bool fits = vv_raise(&to->coverage, actor->actor, covered);
    ASSERT(fits);
}

static void take_over(struct replica *to, const struct replica *from)
{
    for (uint32_t i = 0; i < from->actor_count; i++)
        take_actor(to, from, &from->actors[i]);
    hlc_raise(&to->hlc, from->hlc.now);
    if (to->ceiling < from->ceiling)
        to->ceiling = from->ceiling;
}

/* A seat that this node has no replica for yet. Who need not fill up had the slots at home. */
static void open_transit(struct replicas *set, const struct config *config, uint32_t shard,
                         const struct place *place)
{
    struct replica *home = replicas_home(set);
    ASSERT(set->count <= LIMIT_TRANSITS);
    struct replica *replica = replica__new(set, config->shards[shard].id);
    set->list[set->count++] = replica;
    hlc_raise(&replica->hlc, home->hlc.now);
    replica->ceiling = home->ceiling;
    replica->muted = home->muted;
    if (place->state != MEMBER_SYNCING)
        take_over(replica, home);
}

static void open_transits(struct replicas *set, const struct config *config)
{
    for (uint32_t i = config_lasting_shards(config); i < config->shard_count; i++) {
        struct place place;
        if (config_place(config, i, set->node_id, &place) &&
            of_transit(set, config->shards[i].id) == NULL)
            open_transit(set, config, i, &place);
    }
}

/* The slots of a transit that is there no more have become part of the home shard, in which this
 * node has all that it had in the transit. */
static bool has_arrived(const struct replica *replica, const struct config *config)
{
    struct place place;
    uint32_t before = replica->shard;
    const struct member *self = config_member_by_id(config, replica->set->node_id);
    if (before == SHARD_NONE || self == NULL || self->shard == SHARD_NONE ||
        config_shard_by_id(config, replica->transit) != SHARD_NONE)
        return false;
    const struct slotset *slots = &replica->config->shards[before].slots;
    return replica->state != MEMBER_SYNCING &&
           config_place(config, self->shard, self->node_id, &place) &&
           place.state != MEMBER_SYNCING &&
           slotset_contains(&config->shards[self->shard].slots, slots);
}

static void close_transit(struct replicas *set, uint32_t index, struct replica_io *io)
{
    struct replica *replica = set->list[index];
    replica__close(replica, io);
    replica__free(replica);
    set->count--;
    for (uint32_t i = index; i < set->count; i++)
        set->list[i] = set->list[i + 1];
    set->list[set->count] = NULL;
}

static void close_transits(struct replicas *set, const struct config *config, struct replica_io *io)
{
    for (uint32_t i = set->count - 1; i > 0; i--) {
        struct place place;
        struct replica *replica = set->list[i];
        uint32_t shard = config_shard_by_id(config, replica->transit);
        if (shard != SHARD_NONE && config_place(config, shard, set->node_id, &place))
            continue;
        if (has_arrived(replica, config) && !PLANTED(set->plant, JOIN_FORGETS))
            take_over(replicas_home(set), replica);
        close_transit(set, i, io);
    }
}

void replicas_adopt(struct replicas *set, const struct config *config, struct replica_io *io)
{
    ASSERT(config != NULL);
    open_transits(set, config);
    close_transits(set, config, io);
    set->config = config;
    replica__stable_adopt(set);
    for (uint32_t i = 0; i < set->count; i++)
        replica__adopt(set->list[i], config, io);
    set->stability.dirty = true;
    for (uint32_t i = 0; i < set->count; i++)
        replica__deliver(set->list[i], io); /* causes of actors that are closed count as there */
}

void replicas_doubt(struct replicas *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__doubt(set->list[i]);
}

void replicas_become(struct replicas *set, uint64_t node_id, struct replica_io *io)
{
    ASSERT(node_id != 0);
    set->node_id = node_id;
    if (set->config != NULL)
        replicas_adopt(set, set->config, io);
}

/* ---- recovery ---- */

/* Whatever stands in slots that are nobody's here is only put into the table. */
static bool replay_version(struct replicas *set, const struct record *record, uint64_t position,
                           struct replica_io *io)
{
    struct version version;
    if (!version_decode(record->body, &version))
        return false;
    uint32_t slot = slot_of(version.key);
    struct replica *replica = replicas_of_slot(set, slot);
    if (replica != NULL)
        return replica__replay_version(replica, record, &version, position, io);
    table_put(io->table, slot, &version, position);
    return true;
}

static bool replay_raise(struct replicas *set, struct slice body, struct replica_io *io)
{
    struct read in = read_of(body);
    uint32_t holding = read_u32(&in);
    struct vv to;
    vv_init(&to);
    uint32_t count = read_u32(&in);
    for (uint32_t i = 0; i < count && read_ok(&in); i++) {
        uint32_t actor = read_u32(&in);
        uint64_t seq = read_u64(&in);
        if (actor == 0 || seq == 0 || !vv_raise(&to, actor, seq))
            return false;
    }
    struct replica *replica = holding == 0 ? replicas_home(set) : of_transit(set, holding);
    if (!read_done(&in) || replica == NULL)
        return false;
    replica__raise(replica, &to, io);
    return true;
}

/* Only of an actor that still writes: it is in one shard. */
static bool replay_range(struct replicas *set, struct slice body)
{
    struct read in = read_of(body);
    uint32_t id = read_u32(&in);
    uint64_t low = read_u64(&in);
    uint64_t high = read_u64(&in);
    if (!read_done(&in) || low == 0 || low > high)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        struct actor_state *actor = replica__actor(set->list[i], id);
        if (actor == NULL || actor->retired)
            continue;
        actor->gap_low = low;
        actor->gap_high = high;
    }
    return true;
}

static bool replay_highest(struct replicas *set, struct slice body)
{
    struct read in = read_of(body);
    uint32_t id = read_u32(&in);
    uint64_t seq = read_u64(&in);
    uint32_t holding = read_u32(&in);
    struct replica *replica = holding == 0 ? replicas_home(set) : of_transit(set, holding);
    if (!read_done(&in) || seq > LIMIT_SEQ || replica == NULL)
        return false;
    struct actor_state *actor = replica__actor(replica, id);
    if (actor != NULL && seq > actor->highest)
        actor->highest = seq;
    return true;
}

static bool replay_filled(struct replicas *set, struct slice body)
{
    struct read in = read_of(body);
    struct replica *replica = of_own_actor(set, read_u32(&in));
    if (replica != NULL)
        replica->filled = true;
    return read_done(&in);
}

static bool replay_ceiling(struct replicas *set, struct slice body)
{
    struct read in = read_of(body);
    uint64_t ceiling = read_u64(&in);
    for (uint32_t i = 0; i < set->count && read_ok(&in); i++)
        if (ceiling > set->list[i]->ceiling)
            set->list[i]->ceiling = ceiling;
    return read_done(&in);
}

bool replicas_replay(struct replicas *set, const struct record *record, uint64_t position,
                     struct replica_io *io)
{
    if (set->config == NULL)
        return false; /* the adoption stands in the log before every record made under it */
    switch ((int)record->kind) {
    case RECORD_ARRIVAL:
    case RECORD_WALKED:
    case RECORD_DUMP:
        return replay_version(set, record, position, io);
    case RECORD_RAISE:
        return replay_raise(set, record->body, io);
    case RECORD_RANGE:
        return replay_range(set, record->body);
    case RECORD_HIGHEST:
        return replay_highest(set, record->body);
    case RECORD_ABSENT:
        return table_replay_absent(io->table, record->body);
    case RECORD_FILLED:
        return replay_filled(set, record->body);
    case RECORD_CEILING:
        return replay_ceiling(set, record->body);
    default:
        return false;
    }
}

void replicas_recovered(struct replicas *set, struct replica_io *io)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__recovered(set->list[i], io);
}

void replicas_checkpoint(const struct replicas *set, struct log *log)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__checkpoint(set->list[i], log);
}

/* ---- peers and time ---- */

void replicas_peer_up(struct replicas *set, uint64_t node_id, uint32_t generation)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__peer_up(set->list[i], node_id, generation);
}

void replicas_peer_down(struct replicas *set, uint64_t node_id, struct replica_io *io)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__peer_down(set->list[i], node_id, io);
}

void replicas_peer_hello(struct replicas *set, uint64_t node_id, uint32_t generation)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__peer_hello(set->list[i], node_id, generation);
}

void replicas_peer_suspected(struct replicas *set, uint64_t node_id, bool suspected)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__peer_suspected(set->list[i], node_id, suspected);
}

void replicas_tick(struct replicas *set, struct replica_io *io)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__tick(set->list[i], io);
}

void replicas_heard_part(struct replicas *set, uint64_t node_id, uint64_t mono_ms)
{
    for (uint32_t i = 0; i < set->count; i++)
        replica__walk_heard_part(set->list[i], node_id, mono_ms);
}

/* Bulk work goes round, so that one who takes all that he is given leaves something to others. */
void replicas_flush(struct replicas *set, struct replica_io *io)
{
    replica__pace_advance(set, io->mono_ms);
    set->turn++;
    for (uint32_t i = 0; i < set->count; i++)
        replica__flush(set->list[(set->turn + i) % set->count], io);
}

uint64_t replicas_deadline_ms(const struct replicas *set)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t due = replica__deadline_ms(set->list[i]);
        least = due < least ? due : least;
    }
    return least;
}

uint64_t replicas_flush_ms(const struct replicas *set)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t due = replica__flush_ms(set->list[i]);
        least = due < least ? due : least;
    }
    return least;
}

/* ---- questions ---- */

bool replicas_contradicted(const struct replicas *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (replica__contradicted(set->list[i]))
            return true;
    return false;
}

uint64_t replicas_memory_bytes(const struct replicas *set)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < set->count; i++)
        bytes += set->list[i]->window.bytes + set->list[i]->pending_bytes;
    return bytes;
}

uint64_t replicas_pending_bytes(const struct replicas *set)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < set->count; i++)
        bytes += set->list[i]->pending_bytes;
    return bytes;
}

void replicas_check(const struct replicas *set, const struct table *table)
{
    for (uint32_t i = 0; i < set->count; i++) {
        replica__check(set->list[i], table);
        for (uint32_t j = 0; j < i; j++) /* G1 */
            ASSERT(set->list[i]->shard == SHARD_NONE || set->list[i]->shard != set->list[j]->shard);
    }
}
