/* commit - what is in the log decides when output leaves.
 *
 * Does:   one COMMIT for each turn, one at a time; holds every frame and reply back until all
 *         that was appended to the log before it is committed, and those of the register until it
 *         is synced, without holding up the rest; background syncs; checkpoints; dropping old
 *         segments.
 * Not:    what is in the records.
 * Holds:  S3, S4, Y2, Y3 of node.h and effect.h. S7: what does not fit the effects of a step
 *         stays ready for the next one.
 * Limits: LIMIT_EFFECTS.
 * See:    docs/architecture.md "The step"; docs/protocol.md I6.
 */
#include "node/state.h"

/* Effects that a step may need beside those of holds. */
#define EFFECTS_SPARE (LIMIT_MEMBERS + 16U)

/* A long turn must not become a burst of a checkpoint, and that an even longer turn; what it
 * dumps is also memory for as long as it is not committed. */
#define CHECKPOINT_STEP_MS 4U

/* The part of its rate at which a checkpoint goes on while clients are served. */
#define CHECKPOINT_BUSY_PART 16U

static struct hold *take_hold(struct node *node)
{
    struct hold *hold = node->pool;
    if (hold == NULL)
        return hold_new();
    node->pool = hold->next;
    hold_reset(hold);
    return hold;
}

static struct outbox *stamped(const struct node *node, struct outbox *out)
{
    out->lineage = node->config != NULL ? node->config->lineage : 0;
    out->epoch = node->config != NULL ? node->config->epoch : 0;
    return out;
}

struct outbox *node__out(struct node *node)
{
    return stamped(node, &node->open->frames);
}

struct outbox *node__direct(struct node *node)
{
    return stamped(node, &node->open->direct);
}

struct outbox *node__vows(struct node *node)
{
    return stamped(node, &node->vows->frames);
}

static void make_ready(struct node *node, struct hold **hold)
{
    struct hold *ready = *hold;
    ASSERT(ready != NULL);
    *hold = NULL;
    ready->next = NULL;
    if (ready->config.len > 0) {
        buf_fini(&node->told_frame);
        node->told_frame = buf_take(&ready->config);
        node->told_epoch = ready->config_epoch;
    }
    if (node->ready_tail != NULL)
        node->ready_tail->next = ready;
    else
        node->ready_head = ready;
    node->ready_tail = ready;
}

void node__begin_step(struct node *node)
{
    while (node->spent != NULL) {
        struct hold *hold = node->spent;
        node->spent = hold->next;
        hold->next = node->pool;
        node->pool = hold;
    }
    if (node->open == NULL)
        node->open = take_hold(node);
    if (node->vows == NULL)
        node->vows = take_hold(node);
}

/* Nothing in the log is uncommitted: what was collected may leave. Else what was collected rests
 * on the commit under way, or on the next one. */
static void release(struct node *node)
{
    bool planted = PLANTED(node->options.plant, ANSWER_BEFORE_COMMIT);
    if (hold_is_empty(node->open) || (log_pending(node->log) && !planted))
        return;
    if (node->commits.under_way && !planted)
        return; /* stays open: it leaves when that commit is done and no batch is pending */
    make_ready(node, &node->open);
    node->open = take_hold(node);
}

static bool tells_config(const struct hold *hold)
{
    return hold != NULL && hold->config.len > 0;
}

/* A sync up to there begins. What is said later rests on later records and waits for the next one:
 * waiting for both, frames that are said again and again would never leave. */
static void swear(struct node *node, uint64_t position)
{
    if (node->sworn != NULL || hold_is_empty(node->vows) || node->commits.vowed > position)
        return;
    node->sworn = node->vows;
    node->commits.sworn = node->commits.vowed;
    node->vows = take_hold(node);
}

/* After the configuration under which they were said. */
static void release_vows(struct node *node)
{
    const struct commits *commits = &node->commits;
    bool planted = PLANTED(node->options.plant, PROMISE_UNSYNCED);
    uint64_t kept = planted ? commits->committed : commits->synced;
    if (tells_config(node->open) || tells_config(node->resting))
        return;
    if (node->sworn != NULL && kept >= commits->sworn)
        make_ready(node, &node->sworn);
    if (node->sworn != NULL || hold_is_empty(node->vows) || kept < commits->vowed)
        return;
    make_ready(node, &node->vows);
    node->vows = take_hold(node);
}

bool node__output_waits(const struct node *node)
{
    return node->ready_head != NULL;
}

static struct effect *add_effect(struct effects *effects, enum effect_type type)
{
    ASSERT(effects->count < LIMIT_EFFECTS);
    struct effect *effect = &effects->list[effects->count++];
    effect->type = type;
    return effect;
}

/* Answers of the register go back to strangers too, who have to ask before they are listed: on
 * their own connection. 0: there is none. */
static uint64_t conn_back(const struct node *node, const struct outbox_item *item)
{
    if (item->type != MSG_PROMISE && item->type != MSG_ACCEPTED)
        return 0;
    return links_conn_of(&node->links, item->to);
}

static void send(struct effects *effects, uint64_t conn, struct slice bytes)
{
    struct effect *effect = add_effect(effects, EFFECT_SEND);
    effect->send.conn = conn;
    effect->send.bytes = bytes;
}

/* A configuration goes before the first frame of its epoch (docs/protocol.md 3.2). Not the newest
 * one: its adoption may be in a batch that is still to be committed, and who decides alone would
 * tell others what it can still forget. */
static void emit_frame(struct node *node, const struct hold *hold, size_t index,
                       struct effects *effects)
{
    const struct outbox_item *item = &hold->frames.items[index];
    struct slice frame = slice_of(hold->frames.bytes.ptr + item->begin, item->len);
    struct link *link = links_by_node(&node->links, item->to);
    if (node__is_call(item->type))
        node__call_leaves(node, link, item, frame);
    if (link == NULL || link->state != LINK_UP) {
        uint64_t back = conn_back(node, item);
        if (back == 0) {
            REACHED(&node->metrics, FRAME_WITHOUT_LINK);
            return; /* lost, as on a connection that broke */
        }
        if (node->told_epoch > 0)
            send(effects, back, buf_slice(&node->told_frame));
        send(effects, back, frame);
        return;
    }
    if (node->config != NULL && link->epoch_sent < node->config->epoch &&
        PLANTED(node->options.plant, CONFIG_UNCOMMITTED)) {
        link->epoch_sent = node->config->epoch;
        send(effects, link->conn, buf_slice(&node->config_frame));
    }
    if (link->epoch_sent < node->told_epoch && !PLANTED(node->options.plant, CONFIG_NOT_FIRST)) {
        link->epoch_sent = node->told_epoch;
        send(effects, link->conn, buf_slice(&node->told_frame));
    }
    if (item->type == MSG_CONFIG)
        return; /* that was it, or it has gone before */
    node->metrics.frames_out++;
    send(effects, link->conn, frame);
}

static void emit_hangup(const struct hold *hold, size_t index, struct effects *effects)
{
    struct read in = read_of(buf_slice(&hold->hangups));
    read_bytes(&in, index * 8);
    add_effect(effects, EFFECT_HANGUP)->hangup.conn = read_u64(&in);
}

/* Emits item number `at` of a hold, counting direct frames, frames, replies and hang-ups through;
 * false when there is none. */
static bool emit_one(struct node *node, const struct hold *hold, size_t at, struct effects *effects)
{
    if (at < hold->direct.count) {
        const struct outbox_item *item = &hold->direct.items[at];
        send(effects, item->to, slice_of(hold->direct.bytes.ptr + item->begin, item->len));
        return true;
    }
    at -= hold->direct.count;
    if (at < hold->frames.count) {
        emit_frame(node, hold, at, effects);
        return true;
    }
    at -= hold->frames.count;
    if (at < hold->reply_count) {
        hold_reply_at(hold, at, &add_effect(effects, EFFECT_REPLY)->reply);
        return true;
    }
    at -= hold->reply_count;
    if (at >= hold->hangups.len / 8)
        return false;
    emit_hangup(hold, at, effects);
    return true;
}

void node__emit(struct node *node, struct effects *effects)
{
    release(node);
    release_vows(node);
    while (node->ready_head != NULL) {
        struct hold *hold = node->ready_head;
        while (effects->count + EFFECTS_SPARE < LIMIT_EFFECTS &&
               emit_one(node, hold, hold->emitted, effects))
            hold->emitted++;
        if (effects->count + EFFECTS_SPARE >= LIMIT_EFFECTS) {
            REACHED(&node->metrics, OUTPUT_FULL);
            return; /* S7 */
        }
        node->ready_head = hold->next;
        if (node->ready_head == NULL)
            node->ready_tail = NULL;
        hold->next = node->spent;
        node->spent = hold;
    }
}

/* ---- commits ---- */

static bool quiet_for_a_while(const struct node *node)
{
    return node->mono_ms >= node->commits.taken_ms + node->knobs->sync_ms;
}

/* Takes the batch, and finds out whether it must be synced (T43). Where one comes now and then,
 * each ends in a rest again; two close together end the rest. */
static void take_batch(struct node *node, struct log_batch *batch)
{
    struct commits *commits = &node->commits;
    bool ends = log_rest_ends(node->log);
    bool disk = node->knobs->durability == 1; /* then nobody asks whether the log rests */
    if (ends && !disk && quiet_for_a_while(node)) {
        REACHED(&node->metrics, REST_KEPT);
        log_rest(node->log);
    } else if (ends) {
        REACHED(&node->metrics, REST_ENDED);
    }
    log_take(node->log, batch);
    if (PLANTED(node->options.plant, REST_ENDS_UNSYNCED))
        ends = false;
    commits->syncs = commits->must_sync || ends || disk;
    commits->must_sync = false;
    commits->taken_ms = node->mono_ms;
}

void node__turn_end(struct node *node, struct effects *effects)
{
    struct commits *commits = &node->commits;
    if (commits->under_way || !log_pending(node->log))
        return;
    struct log_batch batch;
    take_batch(node, &batch);
    struct effect *effect = add_effect(effects, EFFECT_COMMIT);
    commits->id++;
    commits->under_way = true;
    commits->under_way_end = log_position(node->log);
    effect->commit.id = commits->id;
    effect->commit.segment = batch.segment;
    effect->commit.offset = batch.offset;
    effect->commit.bytes = batch.bytes;
    effect->commit.sync = commits->syncs;
    if (commits->syncs)
        swear(node, commits->under_way_end);
    if (PLANTED(node->options.plant, ANSWER_BEFORE_COMMIT))
        return;
    ASSERT(node->resting == NULL);
    node->resting = node->open;
    node->open = take_hold(node);
}

static void note_synced(struct node *node, uint64_t position)
{
    struct commits *commits = &node->commits;
    if (position <= commits->synced)
        return;
    commits->synced = position;
    log_synced(node->log, position);
    uint64_t base = node->checkpoint.base;
    if (checkpoint_synced(&node->checkpoint, node->log, position))
        node__trace(node, TRACE_CHECKPOINT_END, base, 0, 0, SLICE_EMPTY);
}

void node__committed(struct node *node, uint64_t id)
{
    struct commits *commits = &node->commits;
    ASSERT(commits->under_way && id == commits->id); /* S4: there is one at a time */
    commits->under_way = false;
    commits->committed = commits->under_way_end;
    if (node->resting != NULL)
        make_ready(node, &node->resting);
    if (commits->syncs)
        note_synced(node, commits->committed);
}

void node__synced(struct node *node, uint64_t id)
{
    struct commits *commits = &node->commits;
    ASSERT(commits->syncing && id == commits->sync_id);
    commits->syncing = false;
    if (PLANTED(node->options.plant, SYNC_COUNTS_LATER))
        commits->syncing_end = commits->committed;
    note_synced(node, commits->syncing_end);
}

/* ---- upkeep ---- */

/* A sync holds up nobody who writes: only the register waits for it. */
static void sync(struct node *node, struct effects *effects)
{
    struct commits *commits = &node->commits;
    bool vows = !hold_is_empty(node->vows) && commits->vowed <= commits->committed;
    bool due = commits->sync_wanted || vows || node->mono_ms >= commits->sync_due_ms;
    if (!due || commits->syncing || commits->committed <= commits->synced)
        return;
    commits->sync_wanted = false;
    commits->sync_due_ms = node->mono_ms + node->knobs->sync_ms;
    commits->syncing = true;
    commits->syncing_end = commits->committed;
    swear(node, commits->syncing_end);
    commits->sync_id++;
    add_effect(effects, EFFECT_SYNC)->sync.id = commits->sync_id;
}

static void begin_checkpoint(struct node *node)
{
    uint64_t before = log_total_bytes(node->log);
    checkpoint_begin(&node->checkpoint, node->log);
    node__trace(node, TRACE_CHECKPOINT_BEGIN, node->checkpoint.base, before,
                table_log_bytes(node->table), SLICE_EMPTY);
    node__log_start(node);
    struct buf body = BUF_EMPTY;
    config_encode(node->config, &body);
    log_append(node->log, RECORD_CONFIG, buf_slice(&body));
    buf_fini(&body);
    reg_checkpoint(&node->reg, node->log);
    replicas_checkpoint(node->replicas, node->log);
    node->commits.checkpoint_ms = node->mono_ms;
    node->commits.checkpoint_end = log_position(node->log);
}

/* What a checkpoint may write now. While clients are served little, and as much as they have it
 * write: so it ends, however fast they are, before the log has grown by what lives. */
static uint64_t checkpoint_budget(const struct node *node, uint64_t elapsed_ms)
{
    uint64_t rate = node->knobs->checkpoint_rate_bytes;
    if (!replicas_step_back(node->replicas, node->mono_ms))
        return rate * elapsed_ms / 1000;
    uint64_t grown = log_position(node->log) - node->commits.checkpoint_end;
    return rate / CHECKPOINT_BUSY_PART * elapsed_ms / 1000 + grown;
}

static void checkpoint(struct node *node)
{
    if (node->config == NULL || node->phase == NODE_REFUSED || node->phase == NODE_ASKING ||
        node->stop_logged)
        return;                    /* who asks knows a configuration that is not in its log */
    if (!log_pending(node->log) && /* it begins a segment; a batch lies in one */
        checkpoint_due(&node->checkpoint, node->table, node->log,
                       node->knobs->checkpoint_floor_bytes, node->id))
        begin_checkpoint(node);
    if (!node->checkpoint.running)
        return;
    uint64_t elapsed = node->mono_ms - node->commits.checkpoint_ms;
    if (elapsed == 0)
        return;
    if (elapsed > CHECKPOINT_STEP_MS) {
        REACHED(&node->metrics, CHECKPOINT_LATE);
        elapsed = CHECKPOINT_STEP_MS;
    }
    node->commits.checkpoint_ms = node->mono_ms;
    checkpoint_step(&node->checkpoint, node->table, node->log, checkpoint_budget(node, elapsed));
    node->commits.checkpoint_end = log_position(node->log);
    if (node->checkpoint.footer_written)
        node->commits.sync_wanted = true;
}

/* In a tick, when nothing is under way and nobody wrote for a while: the log says of itself that it
 * is synced to its end, so that a power cut finds no reason to doubt an idle node. */
void node__mark(struct node *node)
{
    struct commits *commits = &node->commits;
    bool quiet = !commits->under_way && !commits->syncing && !log_pending(node->log);
    if (!quiet || !quiet_for_a_while(node) || !node->log_usable || node->stop_logged ||
        commits->synced < log_position(node->log))
        return;
    log_mark(node->log);
    commits->sync_wanted = log_pending(node->log);
}

void node__maintain(struct node *node, struct effects *effects)
{
    if (!node->log_usable || node->failed)
        return;
    checkpoint(node);
    sync(node, effects);
    if (PLANTED(node->options.plant, OLD_SEGMENTS_KEPT))
        return;
    for (uint64_t id = log_next_drop(node->log); id != 0; id = log_next_drop(node->log)) {
        if (effects->count + 8 >= LIMIT_EFFECTS)
            return;
        add_effect(effects, EFFECT_DROP)->drop.segment = id;
    }
}
