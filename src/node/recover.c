/* recover - what a node finds in its directory when it starts.
 *
 * Does:   replays the log; decides whether the node is new, whole, or in doubt; gives a new node
 *         its id.
 * Not:    the records of replicas (replica.h) and of the register (register.h).
 * Holds:  a doubt stands in the log before anything else that this start appends: the next one
 *         must find it too (docs/protocol.md 6.3, T3, T11).
 * Limits: -
 * See:    docs/protocol.md 6.3.
 */
#include "node/state.h"

/* RECORD_IDENTITY and RECORD_START: who lives in this directory, and how. Repeated by every
 * checkpoint, so that they survive the segments they first stood in. */
void node__log_start(struct node *node)
{
    struct buf body = BUF_EMPTY;
    buf_u64(&body, node->id);
    buf_append_slice(&body, slice_str(node->options.address.text));
    log_append(node->log, RECORD_IDENTITY, buf_slice(&body));
    buf_reset(&body);
    buf_u64(&body, node->options.boot_id);
    buf_u64(&body, node->options.directory_id);
    buf_u8(&body, node->knobs->durability == 1 ? 1 : 0);
    log_append(node->log, RECORD_START, buf_slice(&body));
    buf_fini(&body);
}

static void become(struct node *node, uint64_t id)
{
    ASSERT(node->id == 0 && id != 0);
    node->id = id;
    node->replicas = replicas_new(node->knobs, node->options.plant, id);
    reg_init(&node->reg, id, rng_u64(&node->rng));
}

static bool replay_identity(struct node *node, struct slice body)
{
    struct read in = read_of(body);
    uint64_t id = read_u64(&in);
    if (!read_ok(&in) || id == 0)
        return false;
    if (node->id == 0)
        become(node, id);
    else if (node->id != id)
        node__take_id(node, id); /* it was in doubt as a whole */
    return true;
}

static bool replay_start(struct node *node, struct slice body)
{
    struct read in = read_of(body);
    node->lives.boot_id = read_u64(&in);
    node->lives.directory_id = read_u64(&in);
    node->lives.disk = read_u8(&in) == 1;
    node->lives.known = true;
    return read_done(&in);
}

static bool replay_config(struct node *node, struct slice body)
{
    struct config *config = config_decode(body);
    if (config == NULL)
        return false;
    if (node->config != NULL && config->lineage == node->config->lineage &&
        config->epoch <= node->config->epoch) {
        config_free(config); /* repeated by a checkpoint */
        return true;
    }
    node__note_removed(node, config);
    struct replica_io io = node__io(node);
    replicas_adopt(node->replicas, config, &io);
    config_free(node->config);
    node->config = config;
    node->listed_once = node->listed_once || config_member_by_id(node->config, node->id) != NULL;
    reg_adopted(&node->reg, config->epoch);
    return true;
}

static bool replay(void *arg, const struct record *record, uint64_t position)
{
    struct node *node = arg;
    if (record->kind == RECORD_IDENTITY)
        return replay_identity(node, record->body);
    if (node->id == 0)
        return record->kind == RECORD_CHECKPOINT || record->kind == RECORD_SYNCED ||
               record->kind == RECORD_SEGMENT; /* only these stand before an identity */
    switch ((int)record->kind) {
    case RECORD_SEGMENT:
    case RECORD_SYNCED:
    case RECORD_CHECKPOINT:
    case RECORD_FOOTER:
    case RECORD_STOP:
        return true;
    case RECORD_START:
        return replay_start(node, record->body);
    case RECORD_CONFIG:
        return replay_config(node, record->body);
    case RECORD_DOUBT:
        return node__replay_doubt(node, record->body);
    case RECORD_REGISTER:
        return reg_replay(&node->reg, record->body);
    default: {
        struct replica_io io = node__io(node);
        return replicas_replay(node->replicas, record, position, &io);
    }
    }
}

enum doubt {
    DOUBT_NONE,  /* the log is whole */
    DOUBT_ACTOR, /* its last writes may be missing; what was synced is there */
    DOUBT_ALL,   /* what was synced may be missing too, or is not its own */
};

/* With disk durability nothing leaves the node before it is synced: a crash of the machine can only
 * have torn what had not left. What it cannot have torn has rotted (R1; seed 803160). */
static bool is_torn_unsynced(const struct node *node, const struct log_recovery *found)
{
    return node->lives.disk && node->lives.boot_id != node->options.boot_id && !found->followed;
}

/* How far the log can be trusted, with a sentence in *why. */
static enum doubt doubt(struct node *node, const struct log_recovery *found, const char **why)
{
    const struct lives *lives = &node->lives;
    if (found->state == LOG_DAMAGED) {
        REACHED(&node->metrics, DOUBT_DAMAGE);
        *why = "its log was damaged below the synced mark, or a segment was missing";
        return DOUBT_ALL;
    }
    if (!lives->known || PLANTED(node->options.plant, DOUBT_IGNORED))
        return DOUBT_NONE; /* it never got far enough to give anything away */
    if (lives->directory_id != node->options.directory_id &&
        !PLANTED(node->options.plant, COPY_UNNOTICED)) {
        REACHED(&node->metrics, DOUBT_COPY);
        *why = "its data directory is a copy, was moved, or could not be synced once";
        return DOUBT_ALL;
    }
    if (found->state == LOG_CUT && !is_torn_unsynced(node, found)) {
        REACHED(&node->metrics, DOUBT_CUT);
        *why = "the end of its log was damaged, and with it what may have been acknowledged";
        return DOUBT_ACTOR;
    }
    bool whole = found->clean_stop || found->rests || lives->disk;
    *why = "its process did not stop cleanly";
    if (PLANTED(node->options.plant, NEEDLESS_DOUBT) && !found->clean_stop)
        return DOUBT_ACTOR;
    if (lives->boot_id != node->options.boot_id && !whole) {
        REACHED(&node->metrics, DOUBT_MACHINE);
        *why = "the machine went down before the end of its log was synced";
        return DOUBT_ACTOR;
    }
    if (found->state == LOG_CUT) {
        REACHED(&node->metrics, CUT_UNHARMED);
        log_cut_unharmed(node->log); /* its process may die before it has logged anything */
    }
    return DOUBT_NONE;
}

static void report(struct node *node, const struct log_recovery *found)
{
    if (found->state == LOG_DAMAGED)
        node__trace(node, TRACE_LOG_DAMAGED, found->bad_offset, found->bad_segment, 0, SLICE_EMPTY);
    else if (found->cut_bytes > 0)
        node__trace(node, TRACE_LOG_CUT, found->cut_bytes, found->bad_segment, 0, SLICE_EMPTY);
    node__trace(node, TRACE_RECOVERED, found->records, table_live(node->table),
                replica_seq(replicas_home(node->replicas)), SLICE_EMPTY);
}

/* What the log says of itself comes first in what is appended: a doubt must not be forgotten when
 * this batch is cut. */
static void go_on(struct node *node, const struct log_recovery *found)
{
    const char *why = "";
    enum doubt kind = doubt(node, found, &why);
    if (kind == DOUBT_ALL)
        node__doubt_all(node, why);
    else if (kind == DOUBT_ACTOR)
        node__doubt_actor(node, why);
    node->log_usable = true;
    node__log_start(node);
    node->commits.must_sync = true; /* the id must not be given away before it is kept */
}

void node__recover(struct node *node, const struct log_segment *segments, size_t count)
{
    ASSERT(node->id == 0);
    node->started_ms = node->asking_ms = node->mono_ms;
    struct tracer listening = node->tracer;
    node->tracer = (struct tracer){NULL, NULL}; /* the story was told when it happened */
    struct log_recovery found;
    log_recover(node->log, segments, count, replay, node, &found);
    node->tracer = listening;
    if (node->id == 0)
        become(node, node__new_id(node));
    if (node->config != NULL) {
        struct replica_io io = node__io(node);
        replicas_recovered(node->replicas, &io);
    }
    node->fresh = node->config == NULL;
    node->commits.committed = node->commits.synced = log_position(node->log);
    node__trace(node, TRACE_STARTED, node->id, 0, 0, slice_str(node->options.address.text));
    if (found.state != LOG_EMPTY)
        report(node, &found);
    go_on(node, &found);
    boot_init(&node->boot, node->options.view, node->options.view_count, &node->options.address,
              node->id, node->options.shard_count, node->options.bootstrap);
    node__settle(node);
}
