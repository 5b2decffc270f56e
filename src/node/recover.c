/* recover - what a node finds in its directory when it starts.
 *
 * Does:   replays the log; decides whether the node is new, whole, or in doubt; gives a new node
 *         its id.
 * Not:    the records of replicas (replica.h) and of the register (register.h).
 * Holds:  a node in doubt appends nothing more to its log: the next start must find the same
 *         doubt (docs/protocol.md 6.3, T3, T11).
 * Limits: -
 * See:    docs/protocol.md 6.3.
 */
#include "node/state.h"

void node__refuse(struct node *node, const char *why)
{
    node->phase = NODE_REFUSED;
    buf_reset(&node->reason);
    buf_append_slice(&node->reason, slice_str(why));
    node__trace(node, TRACE_IN_DOUBT, 0, 0, 0, buf_slice(&node->reason));
    for (uint32_t i = 0; i < LINK_GUESTS; i++) /* they dial again, and hear that it is in doubt */
        if (node->links.guests[i].conn != 0) {
            hold_hangup(node->open, node->links.guests[i].conn);
            links_release(&node->links, &node->links.guests[i]);
        }
}

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
    node->replica = replica_new(node->knobs, node->options.plant, id);
    reg_init(&node->reg, id, rng_u64(&node->rng));
}

static bool replay_identity(struct node *node, struct slice body)
{
    struct read in = read_of(body);
    uint64_t id = read_u64(&in);
    if (!read_ok(&in) || id == 0 || (node->id != 0 && node->id != id))
        return false;
    if (node->id == 0)
        become(node, id);
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
    struct replica_io io = node__io(node);
    replica_adopt(node->replica, config, &io);
    config_free(node->config);
    node->config = config;
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
    case RECORD_REGISTER:
        return reg_replay(&node->reg, record->body);
    default: {
        struct replica_io io = node__io(node);
        return replica_replay(node->replica, record, position, &io);
    }
    }
}

/* A sentence when the log cannot be proven whole, else NULL. */
static const char *doubt(struct node *node, const struct log_recovery *found)
{
    const struct lives *lives = &node->lives;
    if (found->state == LOG_DAMAGED) {
        REACHED(&node->metrics, DOUBT_DAMAGE);
        return "its log is damaged below the synced mark, or a segment is missing";
    }
    if (!lives->known)
        return NULL; /* it never got far enough to give anything away */
    if (found->state != LOG_DAMAGED && PLANTED(node->options.plant, DOUBT_IGNORED))
        return NULL;
    if (lives->directory_id != node->options.directory_id &&
        !PLANTED(node->options.plant, COPY_UNNOTICED)) {
        REACHED(&node->metrics, DOUBT_COPY);
        return "its data directory is a copy, was moved, or could not be synced once";
    }
    if (found->state == LOG_CUT && !lives->disk) {
        REACHED(&node->metrics, DOUBT_CUT);
        return "the end of its log was damaged, and with it what may have been acknowledged";
    }
    bool whole = found->clean_stop || found->rests || lives->disk;
    if (PLANTED(node->options.plant, NEEDLESS_DOUBT) && !found->clean_stop)
        return "its process did not stop cleanly";
    if (lives->boot_id != node->options.boot_id && !whole) {
        REACHED(&node->metrics, DOUBT_MACHINE);
        return "the machine went down before the end of its log was synced";
    }
    if (found->state == LOG_CUT)
        REACHED(&node->metrics, CUT_UNHARMED);
    return NULL;
}

static void report(struct node *node, const struct log_recovery *found)
{
    if (found->state == LOG_DAMAGED)
        node__trace(node, TRACE_LOG_DAMAGED, found->bad_offset, found->bad_segment, 0, SLICE_EMPTY);
    else if (found->cut_bytes > 0)
        node__trace(node, TRACE_LOG_CUT, found->cut_bytes, found->bad_segment, 0, SLICE_EMPTY);
    node__trace(node, TRACE_RECOVERED, found->records, table_live(node->table),
                replica_seq(node->replica), SLICE_EMPTY);
}

static uint64_t random_id(struct node *node)
{
    uint64_t id = rng_u64(&node->rng);
    return id != 0 ? id : 1;
}

void node__recover(struct node *node, const struct log_segment *segments, size_t count)
{
    ASSERT(node->id == 0);
    node->started_ms = node->mono_ms;
    struct tracer listening = node->tracer;
    node->tracer = (struct tracer){NULL, NULL}; /* the story was told when it happened */
    struct log_recovery found;
    log_recover(node->log, segments, count, replay, node, &found);
    node->tracer = listening;
    if (node->id == 0)
        become(node, random_id(node));
    boot_init(&node->boot, node->options.view, node->options.view_count, &node->options.address,
              node->id, node->options.shard_count, node->options.bootstrap);
    if (node->config != NULL) {
        struct replica_io io = node__io(node);
        replica_recovered(node->replica, &io);
    }
    node->commits.committed = node->commits.synced = log_position(node->log);
    node__trace(node, TRACE_STARTED, node->id, 0, 0, slice_str(node->options.address.text));
    if (found.state != LOG_EMPTY)
        report(node, &found);
    const char *why = doubt(node, &found);
    node->log_usable = why == NULL;
    if (node->log_usable) {
        node__log_start(node);
        node->commits.must_sync = true; /* the id must not be given away before it is kept */
    }
    node__settle(node);
    if (why != NULL)
        node__refuse(node, why);
}
