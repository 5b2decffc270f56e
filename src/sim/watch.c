/* watch - what can be seen of a node from outside, against what the truth knows.
 *
 * Does:   see watch.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    watch.h.
 */
#include "sim/watch.h"

#define ULL unsigned long long

/* An answer that has been decided waits for commits, and for ticks that come late. */
#define SLACK_US 2500000U

/* What one write may add: in the table, in the window, in the log's batch. */
#define WRITE_BYTES_MAX 131072U

/* The node that an actor is a term of, or VNET_NODES_MAX. */
static uint32_t node_of_actor(const struct world *world, uint32_t actor)
{
    if (actor >= ORACLE_ACTORS_MAX || world->oracle.actors[actor].node >= world->node_count)
        return VNET_NODES_MAX;
    return world->oracle.actors[actor].node;
}

/* ---- D1 ---- */

/* As the node's configuration has it, and where it serves: who fills up is read by nobody, and has
 * no coverage of slots that are not its own yet. */
static bool lacks(const struct sim_node *node, uint32_t slot, struct dot dot)
{
    const struct config *config = node_config(node->node);
    uint32_t shard = config_shard_of_slot(config, slot);
    const struct vv *coverage = node_coverage_in(node->node, shard);
    return coverage != NULL && node_serves(node->node, slot) &&
           terms_matters(config, dot.actor, shard) && !vv_covers(coverage, dot);
}

static uint32_t slot_of_write(const struct world *world, struct dot dot)
{
    uint32_t write = oracle_by_dot(&world->oracle, dot);
    return world->oracle.keys[world->oracle.writes[write].key].slot;
}

/* What an adoption delivers it does with the configuration of before: who is closed since then may
 * be no cause any more. So it is judged when the step is over. */
static void note_delivery(struct world *world, struct sim_node *node, struct dot dot)
{
    uint32_t write = oracle_by_dot(&world->oracle, dot);
    if (!world->booted || write == 0 || node->turned || node_phase(node->node) != NODE_SERVING)
        return; /* an old disk lacks what all once had */
    struct slice deps = buf_slice(&world->oracle.writes[write].deps);
    for (uint32_t i = 0; i < deps_count(deps); i++) {
        if (node->early.cause.actor == 0 &&
            lacks(node, slot_of_write(world, dot), deps_at(deps, i)))
            node->early = (struct early){dot, deps_at(deps, i), node_config(node->node)->epoch};
    }
}

void watch_step(struct world *world, struct sim_node *node)
{
    struct early early = node->early;
    node->early = (struct early){0};
    if (early.cause.actor == 0)
        return;
    if (node_config(node->node)->epoch == early.epoch ||
        lacks(node, slot_of_write(world, early.dot), early.cause))
        verdict_say(&world->verdict, "D1", "node %u delivered (%u,%llu) before its cause (%u,%llu)",
                    node->index, early.dot.actor, (ULL)early.dot.seq, early.cause.actor,
                    (ULL)early.cause.seq);
}

/* ---- D2 ---- */

/* One that the node's configuration holds responsible for the actor, that serves in that very term,
 * and does not cover the write; or NULL. Who fills up has what was stable before it serves (5); a
 * closed actor's writes are everywhere (6.5). */
static bool is_up(const struct sim_node *node, uint32_t shard)
{
    struct node_place places[1 + LIMIT_TRANSITS];
    uint32_t count = node_places(node->node, places);
    for (uint32_t i = 0; i < count; i++)
        if (places[i].shard == shard)
            return places[i].state == MEMBER_ACTIVE && node_phase(node->node) == NODE_SERVING;
    return false;
}

static const struct sim_node *who_lacks(const struct world *world, const struct sim_node *node,
                                        struct dot dot)
{
    const struct config *config = node_config(node->node);
    if (config_actor_closed(config, dot.actor) || dot.seq <= world->terms.stable[dot.actor])
        return NULL; /* what was stable once was pruned then, whoever has lost it since (6.3) */
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        struct place places[LIMIT_MEMBERS];
        uint32_t count = 0;
        if (config_actor_meets(config, dot.actor, shard))
            count = config_places(config, shard, places);
        for (uint32_t i = 0; i < count; i++) {
            const struct sim_node *member = terms_node(world, &places[i]);
            if (member != NULL && places[i].state == MEMBER_ACTIVE && is_up(member, shard) &&
                !member->damaged && !terms_covers(member, shard, dot))
                return member;
        }
    }
    return NULL;
}

/* A write's causes, as its writer logged them: those that are not stable are among the ones that
 * the node keeps beside it. Keeping none, it has purged it. */
static void judge_causes_of(struct world *world, const struct sim_node *node, uint32_t write,
                            const struct vv *kept)
{
    const struct hwrite *at = &world->oracle.writes[write];
    const struct hkey *key = &world->oracle.keys[at->key];
    struct slice deps = buf_slice(&at->deps);
    for (uint32_t i = 0; i < deps_count(deps); i++) {
        struct dot dep = deps_at(deps, i);
        if ((kept != NULL && vv_covers(kept, dep)) || who_lacks(world, node, dep) == NULL)
            continue;
        verdict_say(&world->verdict, "D2",
                    "node %u %s (%u,%llu) of key %.*s%s its cause (%u,%llu), which is not stable",
                    node->index, kept != NULL ? "keeps" : "purges", at->dot.actor, (ULL)at->dot.seq,
                    (int)key->len, (const char *)key->text,
                    kept != NULL ? " without" : " and with it", dep.actor, (ULL)dep.seq);
    }
}

/* What stands in the table at this key has its causes beside it. */
static void judge_causes(struct world *world, const struct sim_node *node, const struct hkey *key)
{
    const struct table *table = node_table(node->node);
    table_ref ref = table_find(table, key->slot, slice_of(key->text, key->len));
    uint32_t write = ref != 0 ? oracle_by_dot(&world->oracle, table_dot(table, ref)) : 0;
    if (write == 0)
        return;
    struct version version;
    struct vv left;
    table_view(table, ref, &version);
    vv_init(&left);
    deps_merge_into(version.deps, &left);
    judge_causes_of(world, node, write, &left);
}

/* ---- I4: nothing older can come after a tombstone has gone ---- */

static void judge_purge(struct world *world, const struct sim_node *node, struct dot dot)
{
    uint32_t stone = oracle_by_dot(&world->oracle, dot);
    const struct hkey *key = &world->oracle.keys[world->oracle.writes[stone].key];
    uint32_t shard = config_shard_of_slot(node_config(node->node), key->slot);
    if (stone != 0) {
        oracle_purged(&world->oracle, stone);
        judge_causes_of(world, node, stone, NULL);
    }
    for (uint32_t i = 1; i < world->oracle.write_count && stone != 0; i++) {
        const struct hwrite *write = &world->oracle.writes[i];
        if (write->dot.actor == 0 || write->key != world->oracle.writes[stone].key ||
            terms_covers(node, shard, write->dot) || !oracle_newer(&world->oracle, stone, i) ||
            terms_lost(world, i))
            continue;
        char name[64];
        char name_stone[64];
        verdict_say(&world->verdict, "I4",
                    "node %u purges %s, and %s, which it would beat, has not arrived", node->index,
                    oracle_name(&world->oracle, stone, name_stone),
                    oracle_name(&world->oracle, i, name));
        return;
    }
}

/* ---- I8 ---- */

/* Own writes are refused where memory is full; those of others come in all the same. */
static void judge_room(struct world *world, const struct sim_node *node)
{
    const struct knobs *knobs = &world->swarm.knobs;
    uint64_t most = knobs->max_memory_bytes + knobs->max_memory_bytes / 16 + WRITE_BYTES_MAX;
    uint64_t have = node_metrics(node->node)->memory_bytes;
    if (have > most)
        verdict_say(&world->verdict, "I8",
                    "node %u takes a write and has %llu bytes of memory in use; %llu is the limit",
                    node->index, (ULL)have, (ULL)knobs->max_memory_bytes);
}

uint32_t watch_places(const struct sim_node *node)
{
    struct node_place places[1 + LIMIT_TRANSITS];
    uint32_t count = node_places(node->node, places);
    return count > 0 ? count : 1;
}

/* What waits for its causes is checked before one more is taken, in each place by itself. */
static void judge_pending(struct world *world, const struct sim_node *node)
{
    uint64_t limit = world->swarm.knobs.pending_bytes;
    uint64_t have = node_metrics(node->node)->pending_bytes;
    if (have > watch_places(node) * (limit + WRITE_BYTES_MAX))
        verdict_say(&world->verdict, "I8",
                    "node %u takes a write that must wait for its causes; %llu bytes wait, %llu is "
                    "the limit of a place",
                    node->index, (ULL)have, (ULL)limit);
}

/* ---- H3 ---- */

/* What restarts may add: they go on from the ceiling (3.7). */
#define H3_MARGIN_MS 12000U

/* A later write wins over one whose clock was far ahead by adding to it, and nothing else may. */
static bool beats_a_far_one(const struct world *world, uint32_t key, uint64_t hlc)
{
    for (uint32_t i = 1; i < world->oracle.write_count; i++) {
        const struct hwrite *write = &world->oracle.writes[i];
        if (write->dot.actor != 0 && write->key == key && write->hlc < hlc &&
            hlc - write->hlc < 10000)
            return true;
    }
    return false;
}

/* The greatest that a node's clock may show: where its wall clock has been, or whom it filled up
 * from (4.6: a new actor's clock starts above that, however far ahead it is). */
static uint64_t clock_most_ms(const struct world *world, const struct sim_node *node)
{
    uint64_t most = (uint64_t)(node->wall_most_ms - node->wall_shift_ms); /* it has been there */
    uint64_t wall_ms = world_wall_ms(world, node) + most;
    return wall_ms > node->fill_clock_ms ? wall_ms : node->fill_clock_ms;
}

/* Of its shard, as far as can be told: who is down may have sent all that was asked for, and who
 * has lost its memory since shows no shard. */
static bool may_be_source(const struct world *world, const struct sim_node *node,
                          const struct sim_node *other)
{
    if (world->terms.moved || other->node == NULL || node_shard(other->node) == SHARD_NONE)
        return true;
    return node_shard(other->node) == node_shard(node->node);
}

/* Who only catches up takes no clock over. */
static void note_filled(struct world *world, struct sim_node *node)
{
    bool fills = node_phase(node->node) == NODE_FILLING || world->terms.moved;
    for (uint32_t i = 0; i < world->node_count && fills; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (i == node->index || !may_be_source(world, node, other))
            continue;
        uint64_t most = clock_most_ms(world, other) + HLC_SKEW_MS_MAX;
        if (most > node->fill_clock_ms)
            node->fill_clock_ms = most;
    }
}

static void judge_clock(struct world *world, const struct sim_node *node,
                        const struct trace_event *event)
{
    uint64_t wall_ms = clock_most_ms(world, node);
    uint64_t hlc = event->c;
    if (HLC_MS(hlc) <= wall_ms + HLC_SKEW_MS_MAX + H3_MARGIN_MS)
        return;
    uint32_t key = oracle_key(&world->oracle, event->text);
    if (key == UINT32_MAX || beats_a_far_one(world, key, hlc))
        return;
    verdict_say(
        &world->verdict, "H3",
        "node %u gives (%u,%llu) a time %llu ms ahead of its wall clock: it follows a clock "
        "that is too far ahead",
        node->index, (uint32_t)event->a, (ULL)event->b, (ULL)(HLC_MS(hlc) - wall_ms));
}

/* ---- I3: no false wait ---- */

static void judge_refusal(struct world *world, const struct sim_node *node, uint64_t number)
{
    const struct client *client = world->client;
    if (number == 0 || number >= client->call_count)
        return; /* of another node */
    const struct call *call = client->calls[number];
    if (call->asked.node != node->index || call->state != CALL_HANDED || call->forwarded ||
        !client_covers(client, call))
        return;
    verdict_say(&world->verdict, "I3",
                "node %u refuses call %llu of session %u as not covered, and covers all that it "
                "has seen",
                node->index, (ULL)number, call->asked.session);
}

static void judge_written(struct world *world, const struct sim_node *node,
                          const struct trace_event *event)
{
    judge_room(world, node);
    judge_clock(world, node, event);
}

void watch_trace(struct world *world, struct sim_node *node, const struct trace_event *event)
{
    if (event->id == TRACE_DELIVERED)
        note_delivery(world, node, (struct dot){(uint32_t)event->a, event->b});
    else if (event->id == TRACE_PURGED)
        judge_purge(world, node, (struct dot){(uint32_t)event->a, event->b});
    else if (event->id == TRACE_ARRIVED && event->b % 4 == 0) /* figures cost more than the write */
        judge_pending(world, node);
    else if (event->id == TRACE_FILLED ||
             event->id == TRACE_WALK_ENDED) /* a merge ends with that */
        note_filled(world, node);
    else if (event->id == TRACE_WRITTEN)
        judge_written(world, node, event);
    else if (event->id == TRACE_REPLIED && event->c == (uint64_t) - (int)E_NOT_COVERED)
        judge_refusal(world, node, event->a);
}

/* ---- H2 ---- */

/* The clock moved, or not, when the write was made; what is known here is when it was committed, on
 * a slow disk seconds later (seed 10517). */
#define H2_MARGIN_MS 4000U

/* Whatever way a write took to a node: when it came, it was near enough to move the clock (H3). */
static bool moves_clock(const struct world *world, const struct sim_node *node,
                        const struct hwrite *write)
{
    uint64_t wall_ms =
        world_wall_ms(world, node) - (world->time.now_us - write->committed_us) / 1000;
    return node->wall_shift_ms == node->wall_first_ms &&
           HLC_MS(write->hlc) + H2_MARGIN_MS <= wall_ms + HLC_SKEW_MS_MAX;
}

/* What overwrote it may have been too far ahead: then a walk brought only that, and the clock stays
 * where it was. */
static bool stands_near(const struct world *world, const struct sim_node *node, uint32_t key)
{
    const struct hkey *at = &world->oracle.keys[key];
    if (node->node == NULL)
        return false;
    const struct table *table = node_table(node->node);
    table_ref ref = table_find(table, at->slot, slice_of(at->text, at->len));
    return ref != 0 && HLC_MS(table_hlc(table, ref)) + H2_MARGIN_MS <=
                           world_wall_ms(world, node) + HLC_SKEW_MS_MAX;
}

static void judge_causes_clock(struct world *world, const struct call *call)
{
    const struct oracle *oracle = &world->oracle;
    if (call->asked.op != OP_PUT || call->err != E_OK)
        return;
    const struct hwrite *write = &oracle->writes[call->asked.write];
    uint32_t writer = node_of_actor(world, write->dot.actor);
    for (uint32_t key = 0; key < oracle->key_count && writer < VNET_NODES_MAX; key++) {
        uint32_t top = write->past != NULL ? write->past->tops[key] : 0;
        const struct hwrite *cause = &oracle->writes[top];
        if (top == 0 || cause->hlc < write->hlc ||
            (world->terms.moved ? key != write->key /* each place has a clock of its own */
                                : world->shard_of_key[key] != world->shard_of_key[write->key]) ||
            !moves_clock(world, &world->nodes[writer], cause) ||
            !stands_near(world, &world->nodes[writer], key))
            continue;
        char name[64];
        char name_cause[64];
        verdict_say(&world->verdict, "H2", "node %u gave %s a time that is not above its cause %s",
                    writer, oracle_name(oracle, call->asked.write, name),
                    oracle_name(oracle, top, name_cause));
    }
}

/* ---- Q1, A1 ---- */

/* The node itself has had all that it takes to answer. */
static bool was_left_alone(const struct world *world, const struct call *call)
{
    const struct sim_node *node = &world->nodes[call->asked.node];
    return node->node != NULL && node->life == call->life && !node->paused &&
           node->faults == call->faults && node->disk_slow_until_us <= call->handed_us;
}

/* Of the writes of this node alone. */
static void read_receipts(const struct world *world, const struct sim_node *node,
                          const struct msg_report *report, struct vv *receipts)
{
    vv_init(receipts);
    for (uint32_t i = 0; i < report->coverage.count; i++) {
        struct dot entry = report->coverage.entries[i];
        if (node_of_actor(world, entry.actor) == node->index)
            (void)vv_set(receipts, entry.actor, entry.seq); /* as many as the report has */
    }
    for (uint32_t i = 0; i < report->ranges.count; i++) {
        const struct range *range = &report->ranges.list[i];
        if (node_of_actor(world, range->actor) == node->index &&
            range->low <= vv_get(receipts, range->actor) + 1)
            vv_raise(receipts, range->actor, range->high);
    }
}

void watch_frame(struct world *world, struct sim_node *node, uint64_t conn, struct slice bytes)
{
    struct frame frame;
    struct msg_report report;
    struct vv receipts;
    uint32_t from = vnet_other(&world->net, node->index, conn);
    if (from >= world->node_count || !frame_decode(bytes, &frame) || frame.type != MSG_REPORT ||
        !msg_report_decode(frame.body, &report))
        return;
    struct receipted *last = &node->receipted[from];
    read_receipts(world, node, &report, &receipts);
    if (!vv_contains(&last->vv, &receipts) && vv_merge(&last->vv, &receipts))
        last->us = world->time.now_us;
}

/* Since when a write waits. A receipt that came after it, and ended before it, shows that another
 * member does receipt, and so does a member that has just come: its time begins anew (I5). */
static uint64_t waits_since_us(const struct world *world, const struct call *call)
{
    const struct sim_node *node = &world->nodes[call->asked.node];
    struct dot dot = world->oracle.writes[call->asked.write].dot; /* of a delete not known */
    bool named = call->asked.op == OP_PUT;
    uint64_t since_us = call->handed_us > node->adopted_us ? call->handed_us : node->adopted_us;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct receipted *last = &node->receipted[i];
        bool before = !named || vv_get(&last->vv, dot.actor) < dot.seq;
        if (before && last->us > since_us)
            since_us = last->us;
    }
    return since_us;
}

/* A write at a member of its shard that had all it needed: it is acknowledged by the first receipt,
 * or, when there is none for SUSPECT_MS, by a sync. */
static void judge_acknowledged(struct world *world, const struct call *call)
{
    uint64_t took_us = world->time.now_us - waits_since_us(world, call);
    if (!call->covered || call->forwarded || !was_left_alone(world, call) ||
        took_us <= world->swarm.knobs.suspect_ms * 1000 + SLACK_US)
        return;
    verdict_say(&world->verdict, "A1",
                "node %u has left a write of session %u unanswered for %llu ms, though it covered "
                "all that it needed and nothing happened to it",
                call->asked.node, call->asked.session, (ULL)(took_us / 1000));
}

void watch_answer(struct world *world, const struct call *call)
{
    judge_causes_clock(world, call);
    if (op_writes(call->asked.op))
        judge_acknowledged(world, call);
}

void watch_silence(struct world *world, const struct call *call)
{
    const struct knobs *knobs = &world->swarm.knobs;
    uint64_t wait_ms = call->wait_ms == REQUEST_WAIT_DEFAULT ? knobs->wait_ms : call->wait_ms;
    uint64_t patience = (wait_ms + 2 * knobs->suspect_ms) * 1000 + SLACK_US;
    if (op_writes(call->asked.op))
        judge_acknowledged(world, call);
    if (call->asked.op == OP_GET && was_left_alone(world, call) &&
        call->handed_us + patience <= world->time.now_us)
        verdict_say(&world->verdict, "Q1",
                    "node %u has not answered a read of session %u for %llu ms, though nothing "
                    "happened to it",
                    call->asked.node, call->asked.session,
                    (ULL)((world->time.now_us - call->handed_us) / 1000));
}

/* ---- R4 ---- */

static void judge_stable(struct world *world, const struct sim_node *node, struct dot stable)
{
    const struct sim_node *member = who_lacks(world, node, stable);
    if (member != NULL)
        verdict_say(&world->verdict, "R4",
                    "node %u takes (%u,%llu) for stable; node %u covers that actor up to %llu",
                    node->index, stable.actor, (ULL)stable.seq, member->index,
                    (ULL)vv_get(node_coverage(member->node), stable.actor));
}

void watch_sample(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count && world->booted; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (node->node == NULL || node_phase(node->node) != NODE_SERVING)
            continue;
        for (uint32_t k = 0; k < world->oracle.key_count; k++)
            judge_causes(world, node, &world->oracle.keys[k]);
        struct vv stable;
        node_stable(node->node, &stable);
        for (uint32_t k = 0; k < stable.count; k++)
            judge_stable(world, node, stable.entries[k]);
    }
}
