/* serve - reads and writes at a replica that owns the slot.
 *
 * Does:   answers when everything that the context needs is covered here; writes; refuses at
 *         the limits of memory and disk, deletes last.
 * Not:    waiting (park.c), acknowledging (ack.c).
 * Holds:  I2: nothing is answered from a state that lacks what the context needs.
 * Limits: knobs max_memory_bytes, max_log_bytes; deletes have a reserve of 1/RESERVE_PART.
 * See:    docs/protocol.md 3.3, 3.4, I8.
 */
#include "node/state.h"

#define RESERVE_PART 16U

/* ---- limits ---- */

static uint64_t memory_bytes(const struct node *node)
{
    return table_memory_bytes(node->table) + replicas_memory_bytes(node->replicas) +
           node->waiters.bytes + kept_bytes(&node->kept);
}

static enum err check_limits(struct node *node, const struct call *call)
{
    uint64_t memory = memory_bytes(node);
    uint64_t log = log_total_bytes(node->log);
    uint64_t memory_max = node->knobs->max_memory_bytes;
    uint64_t log_max = node->knobs->max_log_bytes;
    if (call->op == OP_DELETE) { /* what makes room must not be refused for want of room */
        memory_max += memory_max / RESERVE_PART;
        log_max += log_max / RESERVE_PART;
    }
    if (PLANTED(node->options.plant, LIMIT_IGNORED))
        return E_OK;
    bool memory_full = memory + call->key.len + call->value.len > memory_max;
    bool log_full = log + call->key.len + call->value.len > log_max;
    if (memory_full && !node->memory_full_said)
        node__trace(node, TRACE_MEMORY_FULL, memory, memory_max, 0, SLICE_EMPTY);
    if (log_full && !node->disk_full_said)
        node__trace(node, TRACE_DISK_FULL, log, log_max, 0, SLICE_EMPTY);
    if (log_full)
        REACHED(&node->metrics, DISK_FULL);
    bool past = memory > node->knobs->max_memory_bytes || log > node->knobs->max_log_bytes;
    if (past && !memory_full && !log_full)
        REACHED(&node->metrics, RESERVE_USED);
    node->memory_full_said = memory_full;
    node->disk_full_said = log_full;
    if (memory_full)
        return E_MEMORY_FULL;
    return log_full ? E_DISK_FULL : E_OK;
}

/* ---- reads ---- */

/* Adds what a version tells its reader: its dot and its causes. */
static bool add_version(struct node *node, struct call *call, table_ref ref)
{
    struct replica_io io = node__io(node);
    struct dot dot = table_dot(node->table, ref);
    replicas_prune(node->replicas, &call->ctx.seen);
    if (PLANTED(node->options.plant, DEPS_NOT_TOLD))
        return vv_raise(&call->ctx.seen, dot.actor, dot.seq);
    return replica_merge_deps(replicas_home(node->replicas), ref, &call->ctx.seen, &io) &&
           vv_raise(&call->ctx.seen, dot.actor, dot.seq);
}

static void answer_missing(struct node *node, struct call *call)
{
    struct answer answer = {.err = E_KEY_MISSING, .outcome = OUTCOME_NOT_FOUND};
    node__answer(node, call, &answer);
}

static void serve_get(struct node *node, struct call *call, uint32_t slot)
{
    node->metrics.reads++;
    table_ref ref = table_find(node->table, slot, call->key);
    if (ref == 0) {
        answer_missing(node, call);
        return;
    }
    struct version version;
    table_view(node->table, ref, &version);
    bool told = version.form != VALUE_TOMBSTONE || !PLANTED(node->options.plant, TOMBSTONE_UNTOLD);
    if (told && !add_version(node, call, ref)) {
        REACHED(&node->metrics, CONTEXT_TOO_LARGE);
        node__answer_error(node, call, E_CONTEXT_TOO_LARGE);
        return;
    }
    table_view(node->table, ref, &version);
    if (version.form == VALUE_TOMBSTONE) {
        answer_missing(node, call);
        return;
    }
    struct answer answer = {.outcome = OUTCOME_FOUND, .form = version.form, .value = version.value};
    node__answer(node, call, &answer);
}

/* Live keys of what a client is told is this shard: with the transits that count as part of it, and
 * without what lies here of slots that have gone and is not swept yet. */
static uint64_t live_of(const struct node *node, uint32_t shard)
{
    const struct config *config = node->config;
    uint64_t live = 0;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++)
        if (config_public_shard(config, config_shard_of_slot(config, slot)) == shard)
            live += table_slot_live(node->table, slot);
    return live;
}

static void serve_count(struct node *node, struct call *call)
{
    uint32_t shard = config_shard_by_id(node->config, call->shard);
    struct answer answer = {.outcome = OUTCOME_COUNTED, .count = live_of(node, shard)};
    node__answer(node, call, &answer);
}

/* ---- writes ---- */

static void write(struct node *node, struct call *call, uint32_t slot)
{
    struct replica_io io = node__io(node);
    struct version version = {.form = call->op == OP_PUT ? call->form : VALUE_TOMBSTONE,
                              .key = call->key,
                              .value = call->value};
    struct replica *replica = replicas_of_slot(node->replicas, slot);
    replicas_prune(node->replicas, &call->ctx.seen);
    enum table_put_result result = replica_write(replica, &version, slot, &call->ctx.seen, &io);
    enum outcome outcome = OUTCOME_DELETED;
    if (call->op == OP_PUT)
        outcome = result == TABLE_CREATED ? OUTCOME_CREATED : OUTCOME_REPLACED;
    node__await(node, call, slot, version.dot, outcome);
}

static void serve_write(struct node *node, struct call *call, uint32_t slot)
{
    enum err err = check_limits(node, call);
    if (waiters_full(&node->waiters, node->knobs->max_requests))
        err = E_BUSY;
    if (call->ctx.seen.count >= LIMIT_VV_ENTRIES)
        err = E_CONTEXT_TOO_LARGE;
    if (err != E_OK) {
        node__answer_error(node, call, err);
        return;
    }
    if (call->op == OP_DELETE) {
        table_ref ref = table_find(node->table, slot, call->key);
        struct version version = {.form = VALUE_TOMBSTONE};
        if (ref != 0)
            table_view(node->table, ref, &version);
        if (version.form == VALUE_TOMBSTONE) { /* nothing to delete: it tells about the key */
            serve_get(node, call, slot);
            return;
        }
    }
    write(node, call, slot);
}

void node__serve(struct node *node, struct call *call)
{
    if (call->op == OP_COUNT) {
        serve_count(node, call);
        return;
    }
    const struct replica *replica = node__replica_of(node, call);
    if (PLANTED(node->options.plant, ISOLATED_REFUSES) && !replica_single(replica) &&
        replica_alone(replica, node->mono_ms)) {
        node__answer_error(node, call, E_NO_REPLICA);
        return;
    }
    struct dot missing = {0, 0};
    if (!replica_covers(replica, &call->ctx.seen, &missing)) {
        node__park(node, call, missing);
        return;
    }
    uint32_t slot = slot_of(call->key);
    if (call->op == OP_GET)
        serve_get(node, call, slot);
    else
        serve_write(node, call, slot);
}
