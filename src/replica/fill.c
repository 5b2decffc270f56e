/* fill - filling up from an active member, and the union of a shard that has none.
 *
 * Does:   chooses the source of a slot walk; marks what was sent; at the end has dropped what the
 *         source covered at the start and did not send: it was overwritten or purged there. Then
 *         it raises coverage. In a merge nothing is marked, dropped or raised.
 * Not:    the walk itself (walk_in.c, walk_out.c); the sweep through the table (drop.c); becoming
 *         active: node/ proposes it.
 * Holds:  F1 nothing is dropped before the end: the source may crash in between, and what it has
 *         just overwritten be nowhere else (T40). F2 what came by a stream, at or below what the
 *         source covered at the start, counts as unsent until the walk sends it. F3 in the log
 *         the drops stand before the raise, and that before the word that it is filled. F4 while
 *         it drops, which takes many steps, coverage, reports and questions are what they were
 *         before: as others see it all happens in the last step. A crash in the middle has dropped
 *         only what the walk had made up for, and then it fills up anew.
 * Limits: a mark on each version (store/table.h).
 * See:    docs/protocol.md sections 4.4, 4.6 and 6.3 (T3, T27, T40).
 */
#include "replica/state.h"

bool replica__filling(const struct replica *replica)
{
    return replica->state == MEMBER_SYNCING && !replica->filled;
}

bool replica_has_filled(const struct replica *replica)
{
    return replica->filled;
}

bool replica_filled(const struct replica *replica)
{
    return replica->state == MEMBER_SYNCING && replica->filled && !replica->muted &&
           !replica__has_strays(replica);
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

/* All of it as it was since the members are who they are: what it got before from who is gone now
 * may be nowhere else. */
bool replica__merge_walked(const struct replica *replica, const struct peer *peer)
{
    return peer->merge_epoch >= replica->members_epoch;
}

static const struct peer *merge_source(const struct replica *replica)
{
    for (uint32_t i = 0; i < replica->peer_count; i++)
        if (usable(&replica->peers[i]) && !replica__merge_walked(replica, &replica->peers[i]))
            return &replica->peers[i];
    return NULL;
}

/* True when nothing but a slot walk is of use now. Who had filled up before the last active member
 * went has all that was to be had, and is about to be active: it takes nothing from those who
 * merge, some of whom may bring what was deleted and purged long ago. */
bool replica__fill_pull(struct replica *replica, struct replica_io *io)
{
    bool merges = replica->merging && !replica->filled;
    if (!merges && !replica__filling(replica))
        return false;
    if (replica->drop.phase != DROP_NONE)
        return true;
    if (!merges && replica->marks_left && table_marks(io->table) > 0) {
        replica__drop_begin(replica, DROP_MARKS);
        return true;
    }
    const struct peer *source = merges ? merge_source(replica) : fill_source(replica);
    if (source != NULL)
        replica__walk_start(replica, source, merges ? WALK_MERGE : WALK_FILL, io);
    return true;
}

/* ---- marks ---- */

static bool marks(const struct replica *replica)
{
    const struct walk_in *walk = &replica->walk_in;
    return walk->kind == WALK_FILL || PLANTED(replica->plant, MERGE_DROPS);
}

/* At or below V0, as the source saw it when it began: whoever is closed was closed to it then.
 * What has been closed since may have come after its end. */
bool replica__is_below(const struct walk_in *walk, struct dot dot)
{
    uint64_t below = vv_get(&walk->below, dot.actor);
    return below > 0 ? dot.seq < below : dot.actor < walk->next_actor;
}

/* Something has come that is older than what stands here. If that goes at the end, because nobody
 * else has it, there would be nothing: the fill has to be done again then (T44). */
static void note_beaten(struct replica *replica, table_ref stands, struct table *table)
{
    const struct walk_in *walk = &replica->walk_in;
    bool goes_on = walk->begun && (walk->id != 0 || replica->drop.phase == DROP_UNSENT);
    if (!goes_on || walk->kind != WALK_FILL || PLANTED(replica->plant, FILL_ONCE) ||
        table_mark_of(table, stands) == TABLE_SENT)
        return;
    table_mark(table, stands, TABLE_BEAT);
    replica->marks_left = true;
}

/* What the walk should have brought and did not goes at once when the drop is under way: the sweep
 * may be past its slot. What it had replaced is gone, too. */
void replica__put(struct replica *replica, const struct version *version, uint64_t position,
                  struct replica_io *io)
{
    uint32_t slot = slot_of(version->key);
    if (table_put(io->table, slot, version, position) == TABLE_OLDER) {
        note_beaten(replica, table_find(io->table, slot, version->key), io->table);
        return;
    }
    if (replica->drop.phase != DROP_UNSENT || !replica__is_below(&replica->walk_in, version->dot) ||
        PLANTED(replica->plant, FILL_LATE_STAYS))
        return;
    replica__drop_one(table_find(io->table, slot, version->key), io);
    replica->walk_in.beaten = true;
}

/* ---- the walk ---- */

/* For planted bugs. */
static void drop_all(struct replica *replica, struct replica_io *io)
{
    replica__drop_begin(replica, DROP_UNSENT);
    while (!replica__drop_unsent(replica, io))
        ;
    replica->drop.phase = DROP_NONE;
}

/* A planted bug. */
static void raise_early(struct replica *replica, struct replica_io *io)
{
    struct vv to;
    vv_init(&to);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        uint64_t below = vv_get(&replica->walk_in.below, replica->actors[i].actor);
        vv_set(&to, replica->actors[i].actor, below > 0 ? below - 1 : 0);
    }
    replica__log_raise(replica, &to, io->log);
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
    if (PLANTED(replica->plant, FILL_DROPS_EARLY) && walk->kind == WALK_FILL)
        drop_all(replica, io);
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
        note_beaten(replica, ref, io->table);
        return true;
    }
    if (marks(replica)) {
        table_mark(io->table, ref, TABLE_SENT);
        replica->marks_left = true;
    }
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

/* The walk has brought everything; the rest is done in steps, and without the source. */
void replica__fill_end(struct replica *replica, const struct vv *to)
{
    replica__drop_begin(replica, DROP_UNSENT);
    vv_copy(&replica->drop.to, to);
}

/* A walk counts for seals from its end on, if its source is still who it was. */
static void count_walk(struct replica *replica)
{
    const struct walk_in *walk = &replica->walk_in;
    struct peer *source = replica__peer(replica, walk->source);
    if (source != NULL && source->actor == walk->actor && walk->epoch > source->walked_epoch)
        source->walked_epoch = walk->epoch;
}

/* What stood in the way is gone: the next walk brings what lost against it. */
static void fill_again(struct replica *replica, struct replica_io *io)
{
    REACHED(io->metrics, FILL_AGAIN);
    replica->drop.phase = DROP_NONE;
    replica->walk_in.begun = false;
    replica->walk_wanted = true;
}

/* All at once, as anybody sees it: what was dropped had no other word said about it. */
static void finish(struct replica *replica, struct replica_io *io)
{
    uint64_t dropped = replica->drop.dropped;
    struct vv to;
    if (replica->walk_in.beaten) {
        fill_again(replica, io);
        return;
    }
    replica__keep_relevant(replica, &replica->drop.to, &to); /* less who was closed meanwhile */
    replica->drop.phase = DROP_NONE;
    replica__log_raise(replica, &to, io->log);
    start_above(replica, replica->walk_in.clock, io);
    replica__log_u64s(io->log, RECORD_FILLED, replica->actor, NULL, 0);
    replica__raise(replica, &to, io);
    replica->filled = true;
    count_walk(replica);
    replica__seal_raise(replica, io);
    io->metrics->fills++;
    trace_emit(io->tracer, TRACE_FILLED, replica->walk_in.versions, dropped, 0, SLICE_EMPTY);
    replica->walk_wanted = true; /* another gap may be left */
    for (uint32_t i = 0; i < replica->peer_count; i++)
        replica->peers[i].report_due = true;
}

void replica__fill_step(struct replica *replica, struct replica_io *io)
{
    switch (replica->drop.phase) {
    case DROP_NONE:
        return;
    case DROP_MARKS:
        if (!replica__drop_marks(replica, io))
            return;
        replica->drop.phase = DROP_NONE;
        replica->walk_wanted = true;
        return;
    case DROP_UNSENT:
        if (replica__drop_unsent(replica, io) || PLANTED(replica->plant, FILL_DROPS_HALF))
            finish(replica, io);
        return;
    }
}

void replica__merge_end(struct replica *replica, struct peer *source, struct replica_io *io)
{
    if (PLANTED(replica->plant, MERGE_DROPS))
        drop_all(replica, io);
    start_above(replica, replica->walk_in.clock, io);
    source->merge_epoch = replica->walk_in.epoch;
}
