/* status - questions that may be asked between steps.
 *
 * Does:   the second half of node.h.
 * Not:    rendering (server/).
 * Holds:  nothing changes by asking.
 * Limits: -
 * See:    node.h.
 */
#include "node/state.h"

enum err node_options_check(const struct node_options *options, const char **why)
{
    uint32_t count = options->view_count > 0 ? options->view_count : 1;
    uint32_t self = options->view_count == 0 ? 1 : 0;
    for (uint32_t i = 0; i < options->view_count; i++) {
        if (strcmp(options->view[i].text, options->address.text) == 0)
            self++;
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(options->view[i].text, options->view[j].text) == 0) {
                *why = "VIEW lists an address twice";
                return E_MALFORMED;
            }
    }
    if (self == 0) {
        *why = "VIEW does not list SOCKET_ADDRESS";
        return E_MALFORMED;
    }
    if (options->shard_count > LIMIT_SHARDS) {
        *why = "SHARD_COUNT is too large";
        return E_MALFORMED;
    }
    bool alone = count == 1 && options->shard_count <= 1;
    if (!alone && options->shard_count * 2 > count) {
        *why = err_sentence(E_DEGRADED_START);
        return E_DEGRADED_START;
    }
    *why = "";
    return E_OK;
}

enum node_phase node_phase(const struct node *node)
{
    return node->stop_asked ? NODE_STOPPING : node->phase;
}

static void say_pause(const struct node *node, struct buf *out)
{
    uint64_t pause_ms = node__pause_ms(node);
    if (pause_ms == 0)
        return;
    buf_append_slice(out, SLICE_LIT("; it has come back too often lately, and waits another "));
    buf_decimal(out, pause_ms / 1000 + 1);
    buf_append_slice(out, SLICE_LIT(" s"));
}

static void say_forgotten(const struct node *node, struct buf *out)
{
    if (node__is_forgotten(node))
        buf_append_slice(out, SLICE_LIT("; nobody that answers remembers who belongs to the "
                                        "cluster (thence recover --from-directories)"));
}

/* "; it waits for a majority of the members: 10.0.0.3:8090, 10.0.0.4:8090 do not answer". Who is in
 * doubt answers all the same. */
static void say_silent(const struct node *node, const char *words, const uint32_t *members,
                       uint32_t count, struct buf *out)
{
    uint32_t said = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct member *member = &node->config->members[members[i]];
        if (node__remembers(node, member))
            continue;
        buf_append_slice(out, said++ > 0 ? SLICE_LIT(", ") : slice_str(words));
        buf_append_slice(out, slice_str(member->address.text));
    }
    if (said > 0)
        buf_append_slice(out,
                         said == 1 ? SLICE_LIT(" does not answer") : SLICE_LIT(" do not answer"));
}

/* Who asks for a place is given it by a majority. */
static void say_majority(const struct node *node, struct buf *out)
{
    uint32_t acceptors[LIMIT_ACCEPTORS];
    uint32_t count = node->config != NULL ? config_acceptors(node->config, acceptors) : 0;
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += node__remembers(node, &node->config->members[acceptors[i]]);
    if (there * 2 <= count)
        say_silent(node, "; it waits for a majority of the members: ", acceptors, count, out);
}

/* Who fills up does so from an active member, and without one from what all others have. */
static void say_sources(const struct node *node, struct buf *out)
{
    uint32_t others[LIMIT_MEMBERS];
    uint32_t count = 0;
    uint32_t shard = node_shard(node);
    if (shard == SHARD_NONE)
        return;
    bool merges = config_count(node->config, shard, MEMBER_ACTIVE) == 0;
    for (uint32_t i = 0; i < node->config->member_count; i++) {
        const struct member *member = &node->config->members[i];
        if (member->shard != shard || member->node_id == node->id ||
            (member->state != MEMBER_ACTIVE && !merges))
            continue;
        if (!merges && node__alive(node, member->node_id))
            return;
        others[count++] = i;
    }
    say_silent(node, "; it waits for members of its shard: ", others, count, out);
}

/* A shard of which nobody can be asked, or SHARD_NONE. */
static uint32_t unreached(const struct node *node)
{
    for (uint32_t i = 0; i < config_lasting_shards(node->config); i++) {
        struct call call = {.op = OP_COUNT, .shard = node->config->shards[i].id};
        ctx_init(&call.ctx);
        if (node__place(node, &call) == 0)
            return i;
    }
    return SHARD_NONE;
}

bool node_is_ready(const struct node *node)
{
    enum node_phase phase = node_phase(node);
    if (phase != NODE_SERVING && phase != NODE_SPARE)
        return false;
    return node->mono_ms - node->started_ms >= 2 * node->knobs->suspect_ms ||
           unreached(node) == SHARD_NONE;
}

static void say_unreached(const struct node *node, struct buf *out)
{
    if (node_is_ready(node))
        return;
    buf_append_slice(out, SLICE_LIT("it has just started, and reaches nobody of shard s"));
    buf_decimal(out, node->config->shards[unreached(node)].id);
    buf_append_slice(out, SLICE_LIT(" yet"));
}

void node_why_not(const struct node *node, struct buf *out)
{
    switch (node_phase(node)) {
    case NODE_BOOTING:
        if (node->id != 0)
            boot_waiting_for(&node->boot, out);
        return;
    case NODE_REFUSED:
        buf_append_slice(out, buf_slice(&node->reason));
        node__say_only_here(node, out);
        return;
    case NODE_ASKING:
        buf_append_slice(out, buf_slice(&node->reason));
        say_pause(node, out);
        say_forgotten(node, out);
        say_majority(node, out);
        return;
    case NODE_FILLING:
        buf_append_slice(out, SLICE_LIT("it fills up, or hands over, and forwards requests"));
        say_sources(node, out);
        return;
    case NODE_STOPPING:
        buf_append_slice(out, SLICE_LIT("it is shutting down"));
        return;
    case NODE_SERVING:
    case NODE_SPARE:
        say_unreached(node, out);
        return;
    }
}

bool node_only_here(const struct node *node, uint64_t *count)
{
    return node_phase(node) == NODE_REFUSED && node->config != NULL && node->listed_once &&
           node__only_here(node, count) == ONLY_HERE_COUNTED;
}

struct slice node__phase_text(enum node_phase phase)
{
    switch (phase) {
    case NODE_BOOTING:
        return SLICE_LIT("waits for the first start");
    case NODE_SERVING:
        return SLICE_LIT("serves");
    case NODE_FILLING:
        return SLICE_LIT("fills up or hands over, and forwards requests");
    case NODE_SPARE:
        return SLICE_LIT("is a spare: it forwards requests");
    case NODE_ASKING:
        return SLICE_LIT("asks the configuration for a place");
    case NODE_REFUSED:
        return SLICE_LIT("refuses to serve");
    case NODE_STOPPING:
        return SLICE_LIT("stops");
    }
    UNREACHABLE();
}

const struct config *node_config(const struct node *node)
{
    return node->config;
}

uint64_t node_id(const struct node *node)
{
    return node->id;
}

bool node_believes_alive(const struct node *node, uint64_t id)
{
    return node__alive(node, id);
}

uint32_t node_reachable_view(const struct node *node, const struct address *list[LIMIT_MEMBERS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->options.view_count; i++) {
        const struct address *address = &node->options.view[i];
        bool there = strcmp(address->text, node->options.address.text) == 0;
        for (uint32_t j = 0; j < node->links.count; j++)
            if (strcmp(node->links.list[j].address.text, address->text) == 0 &&
                node->links.list[j].state == LINK_UP)
                there = true;
        if (there)
            list[count++] = address;
    }
    return count;
}

uint32_t node_shard(const struct node *node)
{
    return node->replicas != NULL ? replica_shard(replicas_home(node->replicas)) : SHARD_NONE;
}

const struct metrics *node_metrics(struct node *node)
{
    struct metrics *metrics = &node->metrics;
    metrics->keys_live = table_live(node->table);
    metrics->tombstones = table_tombstones(node->table);
    metrics->deps_versions = table_deps_count(node->table);
    metrics->log_bytes = log_total_bytes(node->log);
    metrics->parked = node->waiters.sizes[WAITER_PARKED];
    metrics->checkpoint_running = node->checkpoint.running ? 1 : 0;
    metrics->memory_bytes =
        table_memory_bytes(node->table) + node->waiters.bytes + kept_bytes(&node->kept);
    if (node->replicas == NULL)
        return metrics;
    metrics->memory_bytes += replicas_memory_bytes(node->replicas);
    metrics->pending_bytes = replicas_pending_bytes(node->replicas);
    return metrics;
}

uint32_t node_places(const struct node *node, struct node_place places[1 + LIMIT_TRANSITS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; node->replicas != NULL && i < replicas_count(node->replicas); i++) {
        const struct replica *replica = replicas_at(node->replicas, i);
        if (replica_shard(replica) == SHARD_NONE)
            continue;
        places[count++] = (struct node_place){.shard = replica_shard(replica),
                                              .actor = replica_actor(replica),
                                              .state = replica_state(replica),
                                              .coverage = replica_coverage(replica)};
    }
    return count;
}

const struct vv *node_coverage_in(const struct node *node, uint32_t shard)
{
    const struct replica *replica =
        node->replicas != NULL ? replicas_of_shard(node->replicas, shard) : NULL;
    return replica != NULL ? replica_coverage(replica) : NULL;
}

bool node_serves(const struct node *node, uint32_t slot)
{
    const struct replica *replica =
        node->config != NULL ? replicas_of_slot(node->replicas, slot) : NULL;
    return replica != NULL && replica_active(replica) && node__has_place(node->phase);
}

/* The least of what the places say of an actor; one that says nothing of it covers none of it. */
static void merge_least(const struct node *node, uint32_t actor, struct vv *least)
{
    uint64_t seq = UINT64_MAX;
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++) {
        const struct replica *replica = replicas_at(node->replicas, i);
        if (replica_shard(replica) == SHARD_NONE ||
            !config_actor_meets(node->config, actor, replica_shard(replica)))
            continue;
        uint64_t there = vv_get(replica_coverage(replica), actor);
        seq = there < seq ? there : seq;
    }
    bool fits = seq == 0 || seq == UINT64_MAX || vv_set(least, actor, seq);
    ASSERT(fits); /* LIMIT_ACTORS */
}

const struct vv *node_coverage(const struct node *node)
{
    ASSERT(node->replicas != NULL);
    if (replicas_count(node->replicas) == 1)
        return replica_coverage(replicas_home(node->replicas));
    vv_init(node->covered);
    for (uint32_t i = 0; i < replicas_count(node->replicas); i++) {
        const struct vv *one = replica_coverage(replicas_at(node->replicas, i));
        for (uint32_t j = 0; j < one->count; j++)
            if (vv_get(node->covered, one->entries[j].actor) == 0)
                merge_least(node, one->entries[j].actor, node->covered);
    }
    return node->covered;
}

void node_stable(const struct node *node, struct vv *stable)
{
    vv_init(stable);
    if (node->config != NULL)
        vv_copy(stable, replicas_stable(node->replicas));
}

static uint64_t sum_behind(const struct vv *ours, const struct vv *theirs)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ours->count; i++) {
        uint64_t have = vv_get(theirs, ours->entries[i].actor);
        if (have < ours->entries[i].seq)
            sum += ours->entries[i].seq - have;
    }
    return sum;
}

bool node_peer_info(const struct node *node, uint64_t id, struct node_peer_info *info)
{
    const struct link *link = links_by_node_const(&node->links, id);
    if (link == NULL || node->replicas == NULL)
        return false;
    const struct replica *home = replicas_home(node->replicas);
    const struct vv *theirs = replica_peer_coverage(home, id);
    *info = (struct node_peer_info){
        .behind_by = theirs != NULL ? sum_behind(replica_coverage(home), theirs) : 0,
        .silent_ms = node->mono_ms - link->suspect.heard_ms,
        .clock_diff_ms = link->clock_diff_ms,
        .connected = link->state == LINK_UP,
        .suspected = link->suspected};
    if (theirs != NULL)
        info->clock_diff_ms = replica_clock_diff_ms(home, id);
    return true;
}

const struct table *node_table(const struct node *node)
{
    return node->table;
}

static bool holds_reply(const struct hold *hold, uint64_t id)
{
    for (size_t i = 0; hold != NULL && i < hold->reply_count; i++)
        if (hold->replies[i].reply.id == id)
            return true;
    return false;
}

bool node_has_request(const struct node *node, uint64_t id)
{
    for (uint32_t state = WAITER_PARKED; state < WAITER_LISTS; state++)
        for (uint32_t i = node->waiters.head[state]; i != WAITER_NONE;
             i = node->waiters.list[i].next)
            if (node->waiters.list[i].call->origin == 0 && node->waiters.list[i].call->id == id)
                return true;
    for (const struct hold *hold = node->ready_head; hold != NULL; hold = hold->next)
        if (holds_reply(hold, id))
            return true;
    return holds_reply(node->open, id) || holds_reply(node->resting, id);
}

static bool has_all(const struct node *node, const struct waiter *waiter)
{
    const struct vv *seen = &waiter->call->ctx.seen;
    const struct replica *replica = node__replica_of(node, waiter->call);
    if (waiter->dot.actor == 0)
        return !node__behind(node, &waiter->call->ctx);
    for (uint32_t i = 0; i < seen->count && replica != NULL; i++)
        if (replica_waits_for(replica, seen->entries[i]))
            return false;
    return true;
}

uint64_t node_false_wait(const struct node *node)
{
    for (uint32_t i = node->waiters.head[WAITER_PARKED]; i != WAITER_NONE;
         i = node->waiters.list[i].next)
        if (node->config != NULL && has_all(node, &node->waiters.list[i]))
            return node->waiters.list[i].call->id;
    return 0;
}

static void commits_check(const struct node *node)
{
    const struct commits *commits = &node->commits;
    ASSERT(commits->synced <= commits->committed);
    ASSERT(commits->committed <= log_position(node->log));
    ASSERT(!commits->under_way || commits->committed < commits->under_way_end);
    ASSERT(!commits->syncing || commits->syncing_end <= commits->committed);
    ASSERT(node->resting == NULL || commits->under_way);
}

void node_check_step(const struct node *node)
{
    ASSERT(node->magic == NODE_MAGIC);
    waiters_check(&node->waiters);
    links_check(&node->links);
    log_check(node->log);
    commits_check(node);
    if (node->id == 0)
        return;
    reg_check(&node->reg);
    if (node->config != NULL)
        replicas_check(node->replicas, node->table);
}

void node_check(const struct node *node)
{
    node_check_step(node);
    table_check(node->table);
    if (node->config != NULL)
        config_check(node->config);
}
