/* node - the root of the core: one step at a time.
 *
 * Does:   life cycle; takes an event to where it belongs; upkeep at the end of every step;
 *         stopping.
 * Not:    the work: see the files named in README.md.
 * Holds:  S1 to S5 and S7 of node.h.
 * Limits: -
 * See:    node.h.
 */
#include "node/state.h"

#define STOP_WAIT_MS 200U

static uint64_t entropy_u64(const uint8_t *bytes)
{
    struct read in = read_of(slice_of(bytes, 8));
    return read_u64(&in);
}

struct node *node_new(const struct node_options *options)
{
    struct node *node = mem_zalloc(1, sizeof(*node));
    node->magic = NODE_MAGIC;
    node->options = *options;
    if (node->options.view_count == 0) {
        node->options.view_count = 1;
        node->options.view[0] = options->address;
    }
    node->knobs = &node->options.knobs;
    node->tracer = options->tracer;
    /* The first 16 bytes are the key of the tokens: the rest seeds what others may see. */
    rng_init(&node->rng, entropy_u64(options->entropy + 16) ^ entropy_u64(options->entropy + 24));
    node->log = log_new();
    node->table = table_new(rng_u64(&node->rng));
    node->covered = mem_zalloc(1, sizeof(*node->covered));
    checkpoint_init(&node->checkpoint);
    log_plant(node->log, options->plant);
    table_plant(node->table, options->plant);
    node->checkpoint.plant = options->plant;
    links_init(&node->links);
    waiters_init(&node->waiters);
    kept_init(&node->kept);
    node->waiters.salt = rng_u64(&node->rng); /* answers meant for an earlier process fit nobody */
    node->phase = NODE_BOOTING;
    node->scan_ms = UINT64_MAX;
    node->fork_since_ms = UINT64_MAX;
    return node;
}

static void free_holds(struct hold *hold)
{
    while (hold != NULL) {
        struct hold *next = hold->next;
        hold_free(hold);
        hold = next;
    }
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    ASSERT(node->magic == NODE_MAGIC);
    node->magic = 0;
    replicas_free(node->replicas);
    mem_free(node->covered);
    if (node->id != 0)
        reg_fini(&node->reg);
    waiters_fini(&node->waiters);
    kept_fini(&node->kept);
    table_free(node->table);
    log_free(node->log);
    config_free(node->config);
    buf_fini(&node->config_frame);
    buf_fini(&node->told_frame);
    buf_fini(&node->reason);
    hold_free(node->open);
    hold_free(node->resting);
    hold_free(node->vows);
    hold_free(node->sworn);
    free_holds(node->ready_head);
    free_holds(node->spent);
    free_holds(node->pool);
    mem_free(node);
}

void node__trace(const struct node *node, enum trace_id id, uint64_t a, uint64_t b, uint64_t c,
                 struct slice text)
{
    trace_emit(&node->tracer, id, a, b, c, text);
}

struct replica_io node__io(struct node *node)
{
    return (struct replica_io){.out = node->open != NULL ? node__out(node) : NULL,
                               .log = node->log,
                               .table = node->table,
                               .metrics = &node->metrics,
                               .tracer = &node->tracer,
                               .mono_ms = node->mono_ms,
                               .wall_ms = node->wall_ms,
                               .checkpointing = node->checkpoint.running};
}

/* ---- stopping ---- */

static void stop_asked(struct node *node)
{
    if (node->stop_asked)
        return;
    node->stop_asked = true;
    node->stop_ms = node->mono_ms + STOP_WAIT_MS;
    node->scan_ms = node->mono_ms; /* parked ones are refused at once */
}

/* What waits for others at the end gets the answer that is true. */
static void refuse_rest(struct node *node)
{
    while (node->waiters.head[WAITER_FORWARDED] != WAITER_NONE)
        node__give_up(node, node->waiters.head[WAITER_FORWARDED]);
    node__refuse_written(node, true);
    node__refuse_asked(node);
}

static void add_stopped(struct node *node, struct effects *effects)
{
    ASSERT(effects->count < LIMIT_EFFECTS);
    node->stopped = true;
    struct effect *effect = &effects->list[effects->count++];
    effect->type = EFFECT_STOPPED;
    effect->stopped.failed = node->failed;
    if (!node->failed)
        node__trace(node, TRACE_STOPPED, 0, 0, 0, SLICE_EMPTY);
}

static void go_on_stopping(struct node *node)
{
    if (!node->stop_asked || node->stop_logged)
        return;
    bool waits = node->waiters.count > 0 && node->mono_ms < node->stop_ms;
    if (waits && node->log_usable)
        return;
    refuse_rest(node);
    node->stop_logged = true;
    if (node->log_usable && !node->failed) {
        log_append(node->log, RECORD_STOP, SLICE_EMPTY);
        node->commits.must_sync = true;
    }
}

/* After everything else of the step: nothing may follow STOPPED. */
static void stop_when_quiet(struct node *node, struct effects *effects)
{
    if (!node->stop_logged || node->stopped)
        return;
    bool quiet = !node->commits.under_way && !node->commits.syncing;
    bool logged = node->failed || !node->log_usable || !log_pending(node->log);
    if (quiet && logged && !node__output_waits(node))
        add_stopped(node, effects);
}

/* ---- the step ---- */

static bool takes_part(const struct node *node)
{
    return node->config != NULL && node->log_usable && node->phase != NODE_REFUSED &&
           node->phase != NODE_ASKING && !node->stop_logged;
}

static void flush(struct node *node)
{
    node->flush_ms = UINT64_MAX;
    if (!takes_part(node))
        return;
    struct replica_io io = node__io(node);
    replicas_flush(node->replicas, &io);
    node->flush_ms = replicas_flush_ms(node->replicas);
}

static void upkeep(struct node *node)
{
    node__tick_links(node);
    node__tick_boot(node);
    if (takes_part(node)) {
        struct replica_io io = node__io(node);
        replicas_tick(node->replicas, &io);
        node__watch_alone(node);
    }
    node__tick_changes(node);
    node__unpark(node); /* the end of an actor may have raised coverage: seed 806130 */
    node__scan(node);
    node__mark(node);
}

static void failed(struct node *node, struct effects *effects)
{
    node->failed = true;
    node->log_usable = false;
    node->stop_asked = true;
    node->stop_logged = true;
    if (!node->stopped)
        add_stopped(node, effects);
}

static void take_event(struct node *node, const struct event *event, struct effects *effects)
{
    switch (event->type) {
    case EVENT_RECOVER:
        node__recover(node, event->recover.segments, event->recover.count);
        return;
    case EVENT_TICK:
        return;
    case EVENT_PEER_UP:
        node__peer_up(node, event->peer_up.dial, event->peer_up.conn);
        return;
    case EVENT_PEER_DOWN:
        node__peer_down(node, event->peer_down.dial, event->peer_down.conn,
                        event->peer_down.refused);
        return;
    case EVENT_FRAME:
        node__frame(node, event->frame.conn, event->frame.bytes);
        node__unpark(node);
        node__ack(node);
        return;
    case EVENT_PART:
        node__part(node, event->part.conn);
        return;
    case EVENT_REQUEST:
        node__request(node, &event->request);
        return;
    case EVENT_GONE:
        node__gone(node, event->gone.id);
        return;
    case EVENT_TURN_END:
        flush(node);
        node__turn_end(node, effects);
        return;
    case EVENT_COMMITTED:
        node__committed(node, event->done.id);
        node__ack(node);
        return;
    case EVENT_COMMIT_FAILED:
        failed(node, effects);
        return;
    case EVENT_SYNCED:
        node__synced(node, event->done.id);
        node__ack(node);
        return;
    case EVENT_STOP:
        stop_asked(node);
        return;
    }
}

void node_step(struct node *node, const struct event *event, struct effects *effects)
{
    ASSERT(node->magic == NODE_MAGIC);
    ASSERT(event->mono_ms >= node->mono_ms); /* X1 */
    effects->count = 0;
    if (node->stopped)
        return;
    ASSERT(node->id != 0 || event->type == EVENT_RECOVER); /* X2 */
    node->mono_ms = event->mono_ms;
    node->wall_ms = event->wall_ms;
    node__begin_step(node);
    take_event(node, event, effects);
    if (node->stopped)
        return;
    if (event->type == EVENT_TICK || event->type == EVENT_RECOVER)
        upkeep(node);
    node__dial(node, effects);
    node__maintain(node, effects);
    go_on_stopping(node);
    node__emit(node, effects);
    stop_when_quiet(node, effects);
}

/* ---- when to be woken ---- */

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t links_deadline_ms(const struct node *node)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < node->links.count; i++) {
        const struct link *link = &node->links.list[i];
        uint64_t at = link->since_ms + node->knobs->suspect_ms;
        if (link->state == LINK_IDLE)
            at = link->retry_ms;
        else if (link->state == LINK_DIALLING)
            at = link->since_ms + 4 * node->knobs->suspect_ms;
        else if (link->state == LINK_UP)
            at = suspect_deadline_ms(&link->suspect, node->knobs->suspect_ms);
        if (at <= node->mono_ms && link->state == LINK_UP)
            at = node->mono_ms + node->knobs->heartbeat_ms; /* looked at with the heartbeat */
        least = least_of(least, least_of(at, node__greeting_ms(node, link)));
    }
    return least;
}

uint64_t node_deadline_ms(const struct node *node)
{
    if (node->stopped || node->id == 0)
        return UINT64_MAX;
    if (node__output_waits(node) || node->flush_ms <= node->mono_ms)
        return node->mono_ms;
    uint64_t least = least_of(node->scan_ms, node->flush_ms);
    least = least_of(least, links_deadline_ms(node));
    least = least_of(least, reg_deadline_ms(&node->reg));
    least = least_of(least, node__change_deadline_ms(node));
    least = least_of(least, node->mono_ms + 1000); /* waiting for others is said now and then */
    if (takes_part(node))
        least = least_of(least, replicas_deadline_ms(node->replicas));
    if (node->log_usable && node->commits.committed > node->commits.synced &&
        !node->commits.syncing)
        least = least_of(least, node->commits.sync_due_ms);
    if (node->checkpoint.running && !node->checkpoint.footer_written)
        least = least_of(least, node->mono_ms + 2);
    if (node->stop_asked)
        least = least_of(least, node->mono_ms + 5);
    return least;
}
