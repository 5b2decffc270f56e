/* report - heartbeat and receipt in one.
 *
 * Does:   tells a member what is covered and received here, and up to when the own clock can be
 *         relied on; takes the same from it: receipts, place of the stream, believed clocks.
 * Not:    sending when idle: replica__tick asks for it.
 * Holds:  an announced clock is never taken back: a ceiling is logged ahead of it (3.7, T14); it
 *         counts at the receiver only once the seq beside it is covered (4.6, T6).
 * Limits: -
 * See:    docs/protocol.md sections 3.7, 4.1, 4.5, 4.6.
 */
#include "replica/state.h"

/* The clock to announce: from now on no own write gets an HLC at or below it, over restarts too. */
static uint64_t announce_clock(struct replica *replica, struct replica_io *io)
{
    uint64_t clock = hlc_floor(&replica->hlc, io->wall_ms);
    hlc_raise(&replica->hlc, clock);
    if (clock <= replica->ceiling)
        return clock;
    /* Ahead of the wall clock already: a restart goes on from the ceiling, and one after the other
     * must not carry the clock away for good. */
    uint64_t lease_end = hlc_from_ms(io->wall_ms + replica->knobs->clock_lease_ms);
    if (lease_end <= clock)
        REACHED(io->metrics, CEILING_AHEAD);
    replica->ceiling = lease_end > clock ? lease_end : clock + hlc_from_ms(1);
    struct buf body = BUF_EMPTY;
    buf_u64(&body, replica->ceiling);
    if (!PLANTED(replica->plant, CEILING_NOT_LOGGED))
        log_append(io->log, RECORD_CEILING, buf_slice(&body));
    buf_fini(&body);
    return clock;
}

static void fill_ranges(const struct replica *replica, struct ranges *ranges)
{
    ranges_init(ranges);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        const struct actor_state *actor = &replica->actors[i];
        bool fits = true;
        if (actor->head != NULL)
            fits = ranges_set(ranges, actor->actor, actor->head->seq, actor->tail->seq);
        else if (actor->gap_low > 0)
            fits = ranges_set(ranges, actor->actor, actor->gap_low, actor->gap_high);
        ASSERT(fits); /* LIMIT_ACTORS each */
    }
}

/* One more than what was ever here, so that nothing can be said too. */
static void fill_highest(const struct replica *replica, struct vv *highest)
{
    vv_init(highest);
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        const struct actor_state *actor = &replica->actors[i];
        if (!actor->retired)
            continue;
        uint64_t seq = replica__sealed_highest(replica, actor);
        bool fits = vv_set(highest, actor->actor, seq < LIMIT_SEQ ? seq + 1 : LIMIT_SEQ);
        ASSERT(fits); /* LIMIT_ACTORS */
    }
}

/* True once when frames of the peer's stream were dropped and there is room for them now. */
static bool take_rewind(struct replica *replica, const struct peer *peer)
{
    struct actor_state *actor = replica__actor(replica, peer->actor);
    if (actor == NULL || !actor->rewind || actor->gap_low > 0)
        return false;
    if (replica->pending_bytes > replica->knobs->pending_bytes / 2)
        return false;
    actor->rewind = false;
    actor->rewound = replica__received(replica, actor) + 1;
    return true;
}

void replica__report(struct replica *replica, struct peer *peer, struct replica_io *io)
{
    uint8_t flags = take_rewind(replica, peer) ? REPORT_REWIND : 0;
    if (replica__merged(replica))
        flags |= REPORT_MERGED;
    if ((flags & REPORT_REWIND) != 0)
        REACHED(io->metrics, REWIND_ASKED);
    if (peer->forgot)
        flags |= REPORT_FORGOT;
    struct msg_report msg; /* some 14 KB, of which little is used: it is not cleared first */
    msg.shard = replica__shard_id(replica);
    msg.echo = peer->their_generation;
    msg.flags = flags;
    msg.actor = replica->actor;
    msg.clock_seq = replica->seq;
    msg.clock = announce_clock(replica, io);
    msg.wall_ms = io->wall_ms;
    vv_copy(&msg.coverage, &replica->coverage);
    fill_ranges(replica, &msg.ranges);
    fill_highest(replica, &msg.highest);
    outbox_report(io->out, peer->node_id, &msg);
    peer->report_due = false;
}

static void believe_clock(struct replica *replica, struct peer *peer, const struct msg_report *msg,
                          struct metrics *metrics)
{
    uint64_t covered = vv_get(&replica->coverage, peer->actor);
    if (PLANTED(replica->plant, CLOCK_BEFORE_WRITES))
        covered = UINT64_MAX;
    if (peer->clock > peer->floor && covered >= peer->clock_seq)
        peer->floor = peer->clock;
    if (covered >= msg->clock_seq) {
        if (msg->clock > peer->floor)
            peer->floor = msg->clock;
        peer->clock = 0;
    } else if (peer->clock <= peer->floor) { /* none waits: let this one */
        REACHED(metrics, CLOCK_WAITS);
        peer->clock_seq = msg->clock_seq;
        peer->clock = msg->clock;
    }
}

static void place_stream(struct replica *replica, struct peer *peer, const struct msg_report *msg,
                         struct metrics *metrics)
{
    if (msg->echo != peer->generation || !peer->connected) {
        REACHED(metrics, REPORT_OF_OLD_CONNECTION);
        return;
    }
    if (peer->streaming && (msg->flags & REPORT_REWIND) == 0)
        return;
    if (peer->streaming)
        REACHED(metrics, REWOUND);
    peer->streaming = true;
    peer->sent_seq = replica__peer_took(peer, replica->actor);
    if (peer->sent_seq > replica__peer_received(peer, replica->actor))
        REACHED(metrics, STREAM_ABOVE_GAP); /* the walk brings the rest */
    if (peer->sent_seq > replica->seq)
        peer->sent_seq = replica->seq;
}

/* True when it once covered more: a receipt is never taken back, so its disk is an older one. */
static bool has_forgotten(const struct replica *replica, const struct peer *peer,
                          const struct vv *coverage)
{
    for (uint32_t i = 0; i < peer->coverage.count; i++) {
        struct dot dot = peer->coverage.entries[i];
        if (replica__actor_const(replica, dot.actor) != NULL && !vv_covers(coverage, dot))
            return true;
    }
    return false;
}

/* More of a term of this node's that ended as slots moved than this node has: it has written all of
 * it, so it had it. Until it has filled up it may not. */
static bool remembers_ended_term(const struct replica *replica, const struct peer *peer)
{
    const struct config *config = replica->config;
    for (uint32_t i = 0; i < config->retired_count && replica->state != MEMBER_SYNCING; i++) {
        const struct retired *retired = &config->retired[i];
        if (retired->node_id == replica->node_id && retired->state == RETIRED_MOVING &&
            config_shard_of_retired(config, retired) == replica->shard &&
            vv_get(&peer->coverage, retired->actor) > vv_get(&replica->coverage, retired->actor))
            return true;
    }
    return false;
}

/* What a peer remembers of this node and this node does not (6.3, T11): own writes, or that it had
 * reported more. It must be said under the same configuration, or it may mean an older term. */
static bool contradicts(const struct replica *replica, const struct peer *peer, uint64_t epoch,
                        const struct msg_report *msg)
{
    if (PLANTED(replica->plant, REUSE_SEQ))
        return false;
    return vv_get(&peer->coverage, replica->actor) > replica->seq ||
           remembers_ended_term(replica, peer) ||
           ((msg->flags & REPORT_FORGOT) != 0 && epoch == replica->config->epoch);
}

bool replica_recv_report(struct replica *replica, uint64_t from, uint64_t epoch,
                         const struct msg_report *msg, struct replica_io *io)
{
    struct peer *peer = replica__peer(replica, from);
    if (peer == NULL || replica->muted)
        return true; /* a member of another shard, after a change that it has not learnt yet */
    if (msg->actor != peer->actor && !PLANTED(replica->plant, ANY_TERM_REPORTS))
        return true; /* of another term: what it had then, it may not have any more */
    uint64_t before = replica__peer_received(peer, replica->actor);
    struct vv coverage;
    replica__keep_relevant(replica, &msg->coverage, &coverage);
    /* What a connection of before has held back shows less, too; it does not know our greeting. */
    bool current = peer->connected && msg->echo == peer->generation;
    if (current && has_forgotten(replica, peer, &coverage) &&
        !PLANTED(replica->plant, FORGOTTEN_BY_PEERS))
        peer->forgot = peer->report_due = true;
    bool fits = vv_merge(&peer->coverage, &coverage);
    ASSERT(fits); /* relevant actors are LIMIT_ACTORS at most */
    ranges_copy(&peer->ranges, &msg->ranges);
    vv_copy(&peer->highest, &msg->highest);
    peer->merged = (msg->flags & REPORT_MERGED) != 0;
    if (epoch > peer->report_epoch)
        peer->report_epoch = epoch;
    peer->reported = true;
    peer->clock_diff_ms = (int64_t)(msg->wall_ms - io->wall_ms);
    if (contradicts(replica, peer, epoch, msg)) {
        REACHED(io->metrics, PEER_REMEMBERS_MORE);
        replica->contradicted = true;
    }
    uint64_t received = replica__peer_received(peer, replica->actor);
    if (received > before || received >= replica->seq ||
        PLANTED(replica->plant, HEARTBEAT_IS_RECEIPT))
        peer->receipt_ok_ms = io->mono_ms;
    believe_clock(replica, peer, msg, io->metrics);
    place_stream(replica, peer, msg, io->metrics);
    replica__window_trim(replica);
    replica->set->stability.dirty = true;
    return true;
}
