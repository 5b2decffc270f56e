/* deliver - arrivals become part of the table, in causal order.
 *
 * Does:   sorts an arrival into duplicate, deliverable, pending or above a gap; delivers what
 *         its causes allow; raises coverage at the end of a walk. Replay runs the same code.
 * Not:    receiving (recv_data.c), walking (walk_in.c).
 * Holds:  R1, R2, R5.
 * Limits: pending writes are bounded by recv_data.c, before they are taken.
 * See:    docs/protocol.md sections 4.1 to 4.3.
 */
#include "replica/state.h"

uint64_t replica__received(const struct replica *replica, const struct actor_state *actor)
{
    if (actor->tail != NULL)
        return actor->tail->seq;
    return vv_get(&replica->coverage, actor->actor);
}

enum arrival replica__classify(const struct replica *replica, struct dot dot)
{
    const struct actor_state *actor = replica__actor_const(replica, dot.actor);
    ASSERT(actor != NULL);
    uint64_t received = replica__received(replica, actor);
    if (dot.seq <= received)
        return ARRIVAL_DUPLICATE;
    if (actor->gap_low > 0) {
        if (dot.seq >= actor->gap_low && dot.seq <= actor->gap_high)
            return ARRIVAL_DUPLICATE;
        return dot.seq == actor->gap_high + 1 ? ARRIVAL_TAKEN : ARRIVAL_DROPPED;
    }
    if (dot.seq == received + 1)
        return ARRIVAL_TAKEN;
    /* A hole. With pending writes below it there would be two ranges: wait for the walk. */
    return actor->head == NULL ? ARRIVAL_TAKEN : ARRIVAL_DROPPED;
}

uint64_t replica__highest(const struct replica *replica, const struct actor_state *actor)
{
    uint64_t received = replica__received(replica, actor);
    uint64_t highest = received > actor->gap_high ? received : actor->gap_high;
    return highest > actor->highest ? highest : actor->highest;
}

void replica__apply(struct replica *replica, const struct version *version, uint64_t position,
                    struct replica_io *io)
{
    struct actor_state *actor = replica__actor(replica, version->dot.actor);
    if (actor != NULL && version->dot.seq > actor->highest)
        actor->highest = version->dot.seq;
    replica__put(replica, version, position, io);
}

static bool causes_covered(const struct replica *replica, const struct version *version)
{
    uint32_t count = deps_count(version->deps);
    if (PLANTED(replica->plant, OUT_OF_ORDER))
        return true;
    if (replica__filling(replica)) /* nobody reads here, and the causes may be long in coming */
        return true;
    for (uint32_t i = 0; i < count; i++) {
        struct dot dep = deps_at(version->deps, i);
        if (replica__actor_const(replica, dep.actor) != NULL && !vv_covers(&replica->coverage, dep))
            return false;
    }
    return true;
}

static void deliver_one(struct replica *replica, const struct version *version, uint64_t position,
                        struct replica_io *io)
{
    ASSERT(vv_get(&replica->coverage, version->dot.actor) + 1 == version->dot.seq);
    replica__put(replica, version, position, io);
    bool fits = vv_set(&replica->coverage, version->dot.actor, version->dot.seq);
    ASSERT(fits); /* coverage names open actors only */
    replica->set->stability.dirty = true;
    io->metrics->deliveries++;
    trace_emit(io->tracer, TRACE_DELIVERED, version->dot.actor, version->dot.seq, 0, SLICE_EMPTY);
}

static void add_pending(struct replica *replica, struct actor_state *actor,
                        const struct version *version, struct slice body, uint64_t sum,
                        uint64_t position)
{
    struct pending *item = mem_alloc(sizeof(*item) + body.len);
    *item = (struct pending){NULL, version->dot.seq, position, sum, body.len};
    memcpy(item->body, body.ptr, body.len);
    if (actor->tail != NULL)
        actor->tail->next = item;
    else
        actor->head = item;
    actor->tail = item;
    replica->pending_bytes += sizeof(*item) + body.len;
}

static struct pending *pop_pending(struct replica *replica, struct actor_state *actor)
{
    struct pending *item = actor->head;
    actor->head = item->next;
    if (actor->head == NULL)
        actor->tail = NULL;
    ASSERT(replica->pending_bytes >= sizeof(*item) + item->len);
    replica->pending_bytes -= sizeof(*item) + item->len;
    return item;
}

void replica__apply_pending(struct replica *replica, struct actor_state *actor,
                            struct replica_io *io)
{
    struct pending *item = pop_pending(replica, actor);
    struct version version;
    bool ok = version_decode(slice_of(item->body, item->len), &version);
    ASSERT(ok); /* it was decoded when it came in */
    replica__apply(replica, &version, item->position, io);
    mem_free(item);
}

void replica__drop_pending(struct replica *replica, struct actor_state *actor, uint64_t up_to)
{
    while (actor->head != NULL && actor->head->seq <= up_to)
        mem_free(pop_pending(replica, actor));
}

/* Above a hole: it is applied at once and remembered as a range; the walk that closes the hole
 * brings what lies below (docs/protocol.md 4.3). */
static void take_above_gap(struct replica *replica, struct actor_state *actor,
                           const struct version *version, uint64_t position, struct replica_io *io)
{
    REACHED(io->metrics, ABOVE_GAP);
    replica__apply(replica, version, position, io);
    if (PLANTED(replica->plant, HOLE_IGNORED)) {
        vv_set(&replica->coverage, actor->actor, version->dot.seq);
        return;
    }
    if (actor->gap_low == 0)
        actor->gap_low = version->dot.seq;
    actor->gap_high = version->dot.seq;
    replica->walk_wanted = true;
}

static void observe_clock(struct replica *replica, const struct version *version,
                          struct replica_io *io)
{
    if (PLANTED(replica->plant, HLC_NOT_MERGED))
        return;
    if (hlc_receive(&replica->hlc, version->hlc, io->wall_ms))
        return;
    if (PLANTED(replica->plant, CLOCK_FOLLOWS_FAR))
        hlc_raise(&replica->hlc, version->hlc);
    io->metrics->clock_ahead++;
    REACHED(io->metrics, CLOCK_AHEAD);
    trace_emit(io->tracer, TRACE_CLOCK_AHEAD, HLC_MS(version->hlc) - io->wall_ms,
               version->dot.actor, 0, SLICE_EMPTY);
}

bool replica__must_wait(const struct replica *replica, const struct version *version)
{
    const struct actor_state *actor = replica__actor_const(replica, version->dot.actor);
    if (version->dot.seq != replica__received(replica, actor) + 1)
        return false; /* above a hole: applied at once */
    return actor->head != NULL || !causes_covered(replica, version);
}

void replica__arrive(struct replica *replica, const struct version *version, struct slice body,
                     uint64_t sum, uint64_t position, struct replica_io *io)
{
    struct actor_state *actor = replica__actor(replica, version->dot.actor);
    ASSERT(actor != NULL);
    ASSERT(replica__classify(replica, version->dot) == ARRIVAL_TAKEN);
    observe_clock(replica, version, io);
    trace_emit(io->tracer, TRACE_ARRIVED, version->dot.actor, version->dot.seq, version->hlc,
               version->key);
    if (version->dot.seq != replica__received(replica, actor) + 1) {
        take_above_gap(replica, actor, version, position, io);
        return;
    }
    if (replica__must_wait(replica, version)) {
        REACHED(io->metrics, PENDING);
        add_pending(replica, actor, version, body, sum, position);
        return;
    }
    deliver_one(replica, version, position, io);
    replica__deliver(replica, io);
}

/* True when something was delivered. */
static bool deliver_pending(struct replica *replica, struct actor_state *actor,
                            struct replica_io *io)
{
    bool any = false;
    while (actor->head != NULL) {
        struct version version;
        bool ok = version_decode(slice_of(actor->head->body, actor->head->len), &version);
        ASSERT(ok); /* it was decoded when it came in */
        if (!causes_covered(replica, &version))
            return any;
        struct pending *item = pop_pending(replica, actor);
        deliver_one(replica, &version, item->position, io);
        mem_free(item);
        any = true;
    }
    return any;
}

void replica__deliver(struct replica *replica, struct replica_io *io)
{
    bool any = true;
    while (any) {
        any = false;
        for (uint32_t i = 0; i < replica->actor_count; i++)
            if (deliver_pending(replica, &replica->actors[i], io))
                any = true;
    }
}

/* Coverage has grown past what was remembered above it: joins the two. */
static void join_actor(struct replica *replica, struct actor_state *actor, struct metrics *metrics)
{
    uint64_t covered = vv_get(&replica->coverage, actor->actor);
    if (actor->head != NULL && actor->head->seq <= covered)
        REACHED(metrics, PENDING_OVERTAKEN);
    replica__drop_pending(replica, actor, covered);
    if (actor->gap_low == 0 || actor->gap_low > covered + 1)
        return;
    if (actor->gap_high > covered) {
        REACHED(metrics, GAP_JOINED);
        bool fits = vv_set(&replica->coverage, actor->actor, actor->gap_high);
        ASSERT(fits);
    } else {
        REACHED(metrics, GAP_SWALLOWED);
    }
    actor->gap_low = actor->gap_high = 0;
}

void replica__raise(struct replica *replica, const struct vv *to, struct replica_io *io)
{
    for (uint32_t i = 0; i < replica->actor_count; i++) {
        struct actor_state *actor = &replica->actors[i];
        uint64_t seq = vv_get(to, actor->actor);
        if (seq > vv_get(&replica->coverage, actor->actor)) {
            bool fits = vv_raise(&replica->coverage, actor->actor, seq);
            ASSERT(fits);
            trace_emit(io->tracer, TRACE_RAISED, actor->actor, seq, 0, SLICE_EMPTY);
        }
        join_actor(replica, actor, io->metrics);
    }
    replica->set->stability.dirty = true;
    replica__deliver(replica, io);
}
