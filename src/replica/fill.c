/* fill - filling up from an active member, and the union of a shard that has none.
 *
 * Does:   chooses the source of a slot walk; marks what was here before; at the end drops what
 *         the source covered at the start and did not send: it was overwritten or purged there.
 *         In a merge nothing is marked, dropped or raised.
 * Not:    the walk itself (walk_in.c, walk_out.c); becoming active: node/ proposes it.
 * Holds:  F1 nothing is dropped before the end: the source may crash in between, and what it has
 *         just overwritten be nowhere else (T40). F2 what came by a stream, at or below what the
 *         source covered at the start, counts as unsent until the walk sends it. F3 in the log
 *         the drops stand before the raise, and that before the word that it is filled.
 * Limits: one bit a version; what is dropped at the end goes into the log in one batch, some 22
 *         bytes and the key for each.
 * See:    docs/protocol.md sections 4.4, 4.6 and 6.3 (T3, T27, T40).
 */
#include "replica/state.h"

#define ABSENT_BYTES 65536U /* of one record, or a little more */

bool replica__filling(const struct replica *replica)
{
    return replica->state == MEMBER_SYNCING && !replica->filled;
}

bool replica_filled(const struct replica *replica)
{
    return replica->state == MEMBER_SYNCING && replica->filled && !replica->muted &&
           replica->stray_slot == LIMIT_SLOTS;
}

/* ---- sources ---- */

static bool usable(const struct peer *peer)
{
    return peer->connected && !peer->suspected;
}

/* One active member after the other, from one attempt to the next. */
static const struct peer *fill_source(struct replica *replica)
{
    for (uint32_t i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[replica->fill_turn++ % replica->peer_count];
        if (usable(peer) && peer->state == MEMBER_ACTIVE)
            return peer;
    }
    return NULL;
}

static const struct peer *merge_source(const struct replica *replica)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (usable(&replica->peers[i]) && !replica->peers[i].merge_walked)
            return &replica->peers[i];
    return NULL;
}

/* True when nothing but a slot walk is of use now. */
bool replica__fill_pull(struct replica *replica, struct replica_io *io)
{
    if (!replica->merging && !replica__filling(replica))
        return false;
    const struct peer *source = replica->merging ? merge_source(replica) : fill_source(replica);
    if (source != NULL)
        replica__walk_start(replica, source, replica->merging ? WALK_MERGE : WALK_FILL, io);
    return true;
}

/* ---- marks ---- */

static bool drops(const struct replica *replica)
{
    const struct walk_in *walk = &replica->walk_in;
    bool merge = PLANTED(replica->plant, MERGE_DROPS) && walk->kind == WALK_MERGE;
    return walk->id != 0 && walk->begun && (walk->kind == WALK_FILL || merge);
}

/* At or below V0, as the source saw it when it began: whoever is closed was closed to it then.
 * What has been closed since may have come after its end. */
static bool is_below(const struct walk_in *walk, struct dot dot)
{
    uint64_t below = vv_get(&walk->below, dot.actor);
    return below > 0 ? dot.seq < below : dot.actor < walk->next_actor;
}

void replica__put(struct replica *replica, const struct version *version, uint64_t position,
                  struct replica_io *io)
{
    uint32_t slot = slot_of(version->key);
    bool stored = table_put(io->table, slot, version, position) != TABLE_OLDER;
    if (stored && drops(replica) && is_below(&replica->walk_in, version->dot))
        table_mark(io->table, table_find(io->table, slot, version->key), true);
}

static void mark_all(const struct replica *replica, struct table *table)
{
    const struct slotset *own = &replica->config->shards[replica->shard].slots;
    for (uint32_t slot = slotset_next(own, 0); slot < LIMIT_SLOTS;
         slot = slotset_next(own, slot + 1))
        table_mark_slot(table, slot);
}

/* ---- dropping ---- */

/* Enough to remove, in replay, whatever may stand there in its place: while a checkpoint is under
 * way that may be something older, which lost against it here. */
void replica__add_absent(const struct version *version, struct buf *body)
{
    buf_u32(body, version->dot.actor);
    buf_u64(body, version->dot.seq);
    buf_u64(body, version->hlc);
    buf_u16(body, (uint16_t)version->key.len);
    buf_append_slice(body, version->key);
}

bool replica__replay_absent(struct slice body, struct table *table)
{
    struct read in = read_of(body);
    while (read_left(&in) > 0) {
        struct version gone = {.dot.actor = read_u32(&in)};
        gone.dot.seq = read_u64(&in);
        gone.hlc = read_u64(&in);
        uint16_t len = read_u16(&in);
        gone.key = read_bytes(&in, len);
        if (!read_ok(&in) || gone.key.len == 0)
            return false;
        table_ref ref = table_find(table, slot_of(gone.key), gone.key);
        struct version stands;
        if (ref == 0)
            continue;
        table_view(table, ref, &stands);
        if (!version_newer(&stands, &gone))
            table_remove(table, ref);
    }
    return true;
}

static void log_absent(struct buf *body, size_t at_least, struct log *log)
{
    if (body->len < at_least)
        return;
    log_append(log, RECORD_ABSENT, buf_slice(body));
    buf_reset(body);
}

static void drop(table_ref ref, struct buf *body, struct replica_io *io)
{
    struct version version;
    table_view(io->table, ref, &version);
    replica__add_absent(&version, body);
    trace_emit(io->tracer, TRACE_ABSENT, version.dot.actor, version.dot.seq, 0, version.key);
    table_remove(io->table, ref);
}

/* Drops what is marked and lies below; takes the marks off the rest. Returns how many went. */
static uint64_t drop_in_slot(struct replica *replica, uint32_t slot, struct buf *body,
                             struct replica_io *io)
{
    struct table_scan scan;
    uint64_t dropped = 0;
    table_scan_begin(io->table, &scan, slot);
    for (table_ref ref = table_scan_next(io->table, &scan); ref != 0;
         ref = table_scan_next(io->table, &scan)) {
        if (!table_marked(io->table, ref))
            continue;
        table_mark(io->table, ref, false);
        if (!is_below(&replica->walk_in, table_dot(io->table, ref)) ||
            PLANTED(replica->plant, FILL_KEEPS))
            continue;
        drop(ref, body, io);
        dropped++;
        log_absent(body, ABSENT_BYTES, io->log);
    }
    return dropped;
}

static uint64_t drop_unsent(struct replica *replica, struct replica_io *io)
{
    const struct slotset *own = &replica->config->shards[replica->shard].slots;
    struct buf body = BUF_EMPTY;
    uint64_t dropped = 0;
    for (uint32_t slot = slotset_next(own, 0); slot < LIMIT_SLOTS && table_marks(io->table) > 0;
         slot = slotset_next(own, slot + 1))
        dropped += drop_in_slot(replica, slot, &body, io);
    log_absent(&body, 1, io->log);
    buf_fini(&body);
    return dropped;
}

/* ---- the walk ---- */

/* The planted bug. */
static void raise_early(struct replica *replica, struct replica_io *io)
{
    struct vv to;
    vv_init(&to);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint64_t below = vv_get(&replica->walk_in.below, replica->actors[i].actor);
        vv_set(&to, replica->actors[i].actor, below > 0 ? below - 1 : 0);
    }
    replica__log_raise(&to, io->log);
    replica__raise(replica, &to, io);
}

bool replica_recv_walk_begin(struct replica *replica, uint64_t from,
                             const struct msg_walk_begin *msg, struct replica_io *io)
{
    struct walk_in *walk = &replica->walk_in;
    if (walk->id == 0 || walk->id != msg->walk || walk->source != from)
        return true; /* of a walk that was given up */
    if (walk->kind == WALK_TAIL || walk->begun || walk->chunks > 0 || msg->clock > LIMIT_HLC ||
        msg->next_actor > replica->config->next_actor)
        return false;
    walk->progress_ms = io->mono_ms;
    walk->begun = true;
    walk->next_actor = msg->next_actor;
    walk->clock = msg->clock;
    vv_copy(&walk->below, &msg->below);
    if (drops(replica))
        mark_all(replica, io->table);
    if (PLANTED(replica->plant, FILL_DROPS_EARLY) && walk->kind == WALK_FILL)
        drop_unsent(replica, io);
    if (PLANTED(replica->plant, FILL_RAISES_EARLY) && walk->kind == WALK_FILL)
        raise_early(replica, io);
    return true;
}

/* False: nothing may come before BEGIN. */
bool replica__fill_take(struct replica *replica, const struct record *record,
                        const struct version *version, struct replica_io *io)
{
    if (!replica->walk_in.begun)
        return false;
    uint32_t slot = slot_of(version->key);
    table_ref ref = table_find(io->table, slot, version->key);
    struct version stands = {.hlc = 0};
    if (ref != 0)
        table_view(io->table, ref, &stands);
    if (ref == 0 || version_newer(version, &stands)) {
        uint64_t position = log_append_summed(io->log, RECORD_WALKED, record->body, record->sum);
        replica__apply(replica, version, position, io);
        ref = table_find(io->table, slot, version->key);
    } else if (!dot_equal(version->dot, stands.dot)) {
        return true;
    }
    table_mark(io->table, ref, false);
    return true;
}

/* A tombstone that the source has purged had a clock below that of the source, and nothing that is
 * written from now on may be older; a restart must not forget it (4.6). */
static void start_above(struct replica *replica, uint64_t clock, struct replica_io *io)
{
    hlc_raise(&replica->hlc, clock);
    if (clock <= replica->ceiling)
        return;
    replica->ceiling = clock;
    replica__log_u64s(io->log, RECORD_CEILING, 0, &replica->ceiling, 1);
}

void replica__fill_end(struct replica *replica, const struct vv *to, struct replica_io *io)
{
    uint64_t dropped = drop_unsent(replica, io);
    replica->walk_in.begun = false; /* from here on nothing is below it */
    replica__log_raise(to, io->log);
    start_above(replica, replica->walk_in.clock, io);
    replica__log_u64s(io->log, RECORD_FILLED, replica->actor, NULL, 0);
    replica__raise(replica, to, io);
    replica->filled = true;
    io->metrics->fills++;
    trace_emit(io->tracer, TRACE_FILLED, replica->walk_in.versions, dropped, 0, SLICE_EMPTY);
}

void replica__merge_end(struct replica *replica, struct peer *source, struct replica_io *io)
{
    if (drops(replica)) /* planted */
        drop_unsent(replica, io);
    start_above(replica, replica->walk_in.clock, io);
    source->merge_walked = true;
}
