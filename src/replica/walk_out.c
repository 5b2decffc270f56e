/* walk_out - walks that this node sends.
 *
 * Does:   a tail walk: a cursor in each actor's list of current versions, above the coverage that
 *         the receiver named; chunks, a few unacknowledged at a time; the end, with the own
 *         coverage, in a step in which every cursor is past its tail. A slot walk: every version,
 *         slot by slot, and then, to fill somebody up, the tail above what was covered here at
 *         the start.
 * Not:    which versions the receiver keeps (walk_in.c).
 * Holds:  cursors are registered with the table as long as the walk lasts (B4 of table.h): an
 *         insert behind one moves it back (T13).
 * Limits: REPLICA_WALKS_OUT walks, SLOT_WALKS_OUT of them of slots; WALK_CHUNKS_UNACKED chunks of
 *         walk_chunk_bytes each; one chunk a walk a step.
 * See:    docs/protocol.md sections 4.3 and 4.4.
 */
#include "replica/state.h"

static struct walk_out *walk_to(struct replica *replica, uint64_t to)
{
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++)
        if (replica->walks_out[i].to == to)
            return &replica->walks_out[i];
    return NULL;
}

static void finish(struct walk_out *walk, struct table *table)
{
    for (uint32_t i = 0; i < walk->cursor_count; i++)
        table_cursor_close(table, &walk->cursors[i]);
    mem_free(walk->cursors);
    mem_free(walk->tails);
    mem_free(walk->slots);
    *walk = (struct walk_out){0};
}

void replica__walk_out_stop(struct replica *replica, uint64_t to, struct table *table)
{
    struct walk_out *walk = walk_to(replica, to);
    if (walk != NULL)
        finish(walk, table);
}

/* Only if it is the one of this number. */
void replica__walk_out_stopped(struct replica *replica, uint64_t to, uint64_t id,
                               struct table *table)
{
    struct walk_out *walk = walk_to(replica, to);
    if (walk != NULL && walk->id == id)
        finish(walk, table);
}

uint32_t replica__slot_walks_out(const struct replica *replica)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        const struct walk_out *walk = &replica->walks_out[i];
        count += walk->to != 0 && walk->kind != WALK_TAIL ? 1 : 0;
    }
    return count;
}

/* Slots take long, at a pace, and clients wait for tails: there is a place left for one of those,
 * however many fill up from this member at once. */
static struct walk_out *place_for(struct replica *replica, enum walk_kind kind)
{
    bool full = kind != WALK_TAIL && replica__slot_walks_out(replica) == SLOT_WALKS_OUT;
    return full ? NULL : walk_to(replica, 0);
}

/* Only who is active has all that it covers; a union is of use only where nobody is. */
static bool may_send(const struct replica *replica, enum walk_kind kind)
{
    switch (kind) {
    case WALK_TAIL:
        return true;
    case WALK_FILL:
        return replica->state == MEMBER_ACTIVE;
    case WALK_MERGE:
        return replica->merging && replica->drop.phase == DROP_NONE;
    }
    return false;
}

static void give_up(struct replica *replica, struct walk_out *walk, struct replica_io *io)
{
    const struct peer *peer = replica__peer(replica, walk->to);
    if (peer != NULL && peer->connected) {
        struct msg_walk_stop stop = {.shard = replica__shard_id(replica), .walk = walk->id};
        outbox_walk_stop(io->out, walk->to, &stop);
    }
    finish(walk, io->table);
}

/* Its end will speak of the actors of that moment: those that are new are walked from their first
 * write on. One that is closed meanwhile is walked to its tail all the same. */
static bool open_cursors(const struct replica *replica, struct walk_out *walk,
                         const struct vv *after, struct table *table)
{
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        bool known = false;
        for (uint32_t j = 0; j < walk->cursor_count; j++)
            known = known || walk->cursors[j].actor == actor;
        if (known)
            continue;
        if (walk->cursor_count == LIMIT_ACTORS)
            return false;
        uint32_t at = walk->cursor_count++;
        table_cursor_open(table, &walk->cursors[at], actor, vv_get(after, actor));
        walk->tails[at] = vv_get(&replica->coverage, actor);
    }
    return true;
}

void replica__walks_out_adopt(struct replica *replica, bool new_term, struct replica_io *io)
{
    struct vv none;
    vv_init(&none);
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        struct walk_out *walk = &replica->walks_out[i];
        if (walk->to == 0)
            continue;
        const struct peer *peer = replica__peer(replica, walk->to);
        bool other = new_term || peer == NULL || peer->actor != walk->actor;
        /* Who has begun to leave since has everything still. */
        bool able = may_send(replica, walk->kind) ||
                    (walk->kind == WALK_FILL && replica->state == MEMBER_LEAVING);
        bool goes_on = !other && able;
        if (goes_on && walk->kind != WALK_MERGE)
            goes_on = open_cursors(replica, walk, &none, io->table);
        if (!goes_on)
            give_up(replica, walk, io);
    }
}

/* The slots that a request asks for; NULL: all of them. False: they make no sense. */
static bool take_slots(struct slice bytes, struct slotset **slots)
{
    *slots = NULL;
    if (bytes.len == 0)
        return true;
    struct read in = read_of(bytes);
    struct slotset *set = mem_alloc(sizeof(*set));
    if (slotset_decode(&in, set) && read_done(&in)) {
        *slots = set;
        return true;
    }
    mem_free(set);
    return false;
}

/* The next slot to send from here on, or LIMIT_SLOTS. */
static uint32_t next_slot(const struct replica *replica, const struct walk_out *walk, uint32_t from)
{
    const struct slotset *own = &replica->config->shards[replica->shard].slots;
    uint32_t slot = slotset_next(own, from);
    while (slot < LIMIT_SLOTS && walk->slots != NULL && !slotset_has(walk->slots, slot))
        slot = slotset_next(own, slot + 1);
    return slot;
}

static void send_begin(const struct replica *replica, const struct walk_out *walk,
                       struct replica_io *io)
{
    struct msg_walk_begin msg = {.shard = replica__shard_id(replica),
                                 .walk = walk->id,
                                 .next_actor = replica->config->next_actor,
                                 .clock = replica->hlc.now};
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint32_t actor = replica->actors[i].actor;
        uint64_t seq = vv_get(&replica->coverage, actor);
        bool fits = vv_set(&msg.below, actor, seq < LIMIT_SEQ ? seq + 1 : LIMIT_SEQ);
        ASSERT(fits); /* LIMIT_ACTORS */
    }
    outbox_walk_begin(io->out, walk->to, &msg);
}

static void begin(struct replica *replica, struct walk_out *walk, const struct vv *coverage,
                  struct replica_io *io)
{
    walk->cursors = mem_zalloc(LIMIT_ACTORS, sizeof(*walk->cursors));
    walk->tails = mem_zalloc(LIMIT_ACTORS, sizeof(*walk->tails));
    if (walk->kind != WALK_MERGE) {
        const struct vv *after = walk->kind == WALK_FILL ? &replica->coverage : coverage;
        bool fits = open_cursors(replica, walk, after, io->table);
        ASSERT(fits); /* LIMIT_ACTORS */
    }
    if (walk->kind != WALK_TAIL) {
        send_begin(replica, walk, io);
        uint32_t first = next_slot(replica, walk, 0);
        walk->scanning = first < LIMIT_SLOTS;
        if (walk->scanning)
            table_scan_begin(io->table, &walk->scan, first);
    }
    io->metrics->walks_sent++;
}

bool replica_recv_walk_request(struct replica *replica, uint64_t from,
                               const struct msg_walk_request *msg, struct replica_io *io)
{
    const struct peer *peer = replica__peer(replica, from);
    struct slotset *slots = NULL;
    if (msg->kind > WALK_MERGE || !take_slots(msg->slots, &slots))
        return false;
    enum walk_kind kind = (enum walk_kind)msg->kind;
    struct walk_out *walk = NULL;
    /* Without a connection its first chunks would be lost and the later ones not: it asks again. */
    bool heard = peer != NULL && peer->connected && !replica->muted;
    if (!heard)
        REACHED(io->metrics, WALK_UNCONNECTED);
    if (heard) {
        if (walk_to(replica, from) != NULL)
            REACHED(io->metrics, WALK_ANEW);
        replica__walk_out_stop(replica, from, io->table); /* a new request ends the old walk */
        walk = may_send(replica, kind) ? place_for(replica, kind) : NULL;
    }
    if (walk == NULL) {
        struct msg_walk_stop stop = {.shard = msg->shard, .walk = msg->walk};
        if (heard) {
            REACHED(io->metrics, WALK_REFUSED);
            outbox_walk_stop(io->out, from, &stop);
        }
        mem_free(slots);
        return true;
    }
    walk->to = from;
    walk->actor = peer->actor;
    walk->id = msg->walk;
    walk->kind = kind;
    walk->slots = slots;
    begin(replica, walk, &msg->coverage, io);
    return true;
}

bool replica_recv_walk_ack(struct replica *replica, uint64_t from, const struct msg_walk_ack *msg)
{
    struct walk_out *walk = walk_to(replica, from);
    if (walk == NULL || walk->id != msg->walk)
        return true;
    if (msg->number > walk->chunks)
        return false;
    if (msg->number > walk->acked)
        walk->acked = msg->number;
    return true;
}

static bool past_planted_tail(const struct replica *replica, const struct walk_out *walk,
                              uint32_t index, const struct table *table, table_ref ref)
{
    return PLANTED(replica->plant, WALK_STOPS_EARLY) &&
           table_dot(table, ref).seq > walk->tails[index];
}

static void add_version(const struct version *version, struct buf *body)
{
    size_t at = record_begin(body);
    version_encode(version, body);
    record_end(RECORD_WALKED, at, body);
}

/* Appends what the slots hold; true when all of it was sent. */
static bool add_slots(const struct replica *replica, struct walk_out *walk, struct buf *body,
                      size_t limit, const struct table *table)
{
    while (body->len < limit) {
        table_ref ref = table_scan_next(table, &walk->scan);
        if (ref == 0) {
            uint32_t next = next_slot(replica, walk, walk->scan.slot + 1);
            if (next == LIMIT_SLOTS)
                return true;
            table_scan_begin(table, &walk->scan, next);
            continue;
        }
        struct version version;
        table_view(table, ref, &version);
        add_version(&version, body);
    }
    return false;
}

/* Appends versions of one actor; true when its cursor is past the tail. */
static bool add_versions(const struct replica *replica, struct walk_out *walk, uint32_t index,
                         struct buf *body, size_t limit, struct replica_io *io)
{
    while (body->len < limit) {
        table_ref ref = table_cursor_next(io->table, &walk->cursors[index]);
        if (ref == 0 || past_planted_tail(replica, walk, index, io->table, ref))
            return true;
        struct version version;
        table_view(io->table, ref, &version);
        if (version.form == VALUE_TOMBSTONE && PLANTED(replica->plant, TOMBSTONE_NOT_WALKED))
            continue;
        /* An actor that wrote before slots moved has versions in other replicas of this node, too.
         * */
        uint32_t slot = slot_of(version.key);
        if (config_shard_of_slot(replica->config, slot) == replica->shard &&
            (walk->slots == NULL || slotset_has(walk->slots, slot)))
            add_version(&version, body);
    }
    return false;
}

static void send_end(struct replica *replica, struct walk_out *walk, struct replica_io *io)
{
    struct msg_walk_end msg = {
        .shard = replica__shard_id(replica), .walk = walk->id, .chunks = walk->chunks};
    vv_copy(&msg.coverage, &replica->coverage);
    outbox_walk_end(io->out, walk->to, &msg);
    finish(walk, io->table);
}

static void send_chunk(struct replica *replica, struct walk_out *walk, struct replica_io *io)
{
    struct buf records = BUF_EMPTY;
    size_t limit = replica->knobs->walk_chunk_bytes;
    bool past_all = true, paced = walk->scanning;
    if (walk->scanning && !add_slots(replica, walk, &records, limit, io->table))
        past_all = false;
    else
        walk->scanning = false;
    for (uint32_t i = 0; i < walk->cursor_count && !walk->scanning; i++)
        if (!add_versions(replica, walk, i, &records, limit, io))
            past_all = false;
    if (paced)
        replica__pace_spend(replica->set, records.len);
    if (records.len > 0) {
        walk->chunks++;
        struct msg_walk_chunk msg = {replica__shard_id(replica), walk->id, walk->chunks,
                                     buf_slice(&records)};
        outbox_walk_chunk(io->out, walk->to, &msg);
    }
    buf_fini(&records);
    if (past_all)
        send_end(replica, walk, io);
}

static bool is_ready(const struct walk_out *walk)
{
    return walk->to != 0 && walk->chunks - walk->acked < WALK_CHUNKS_UNACKED;
}

/* Slots are sent at a pace; tails as fast as they are taken: clients wait for them. */
void replica__walks_send(struct replica *replica, struct replica_io *io)
{
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        struct walk_out *walk = &replica->walks_out[(replica->set->turn + i) % REPLICA_WALKS_OUT];
        if (is_ready(walk) && (!walk->scanning || replica__pace_allows(replica->set)))
            send_chunk(replica, walk, io);
    }
}

bool replica__walks_busy(const struct replica *replica, bool paced)
{
    for (uint32_t i = 0; i < REPLICA_WALKS_OUT; i++) {
        const struct walk_out *walk = &replica->walks_out[i];
        if (is_ready(walk) && walk->scanning == paced)
            return true;
    }
    return false;
}
