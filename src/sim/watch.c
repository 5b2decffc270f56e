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

/* The node that an actor is a term of, or VNET_NODES_MAX. */
static uint32_t node_of_actor(const struct world *world, uint32_t actor)
{
    if (actor >= ORACLE_ACTORS_MAX || world->oracle.actors[actor].node >= world->node_count)
        return VNET_NODES_MAX;
    return world->oracle.actors[actor].node;
}

static bool same_shard(const struct world *world, uint32_t a, uint32_t b)
{
    return a < world->node_count && b < world->node_count &&
           world->shard_of_node[a] == world->shard_of_node[b];
}

/* ---- D1 ---- */

static void judge_delivery(struct world *world, const struct sim_node *node, struct dot dot)
{
    uint32_t write = oracle_by_dot(&world->oracle, dot);
    if (!world->booted || write == 0)
        return;
    struct slice deps = buf_slice(&world->oracle.writes[write].deps);
    for (uint32_t i = 0; i < deps_count(deps); i++) {
        struct dot dep = deps_at(deps, i);
        if (same_shard(world, node_of_actor(world, dep.actor), node->index) &&
            !vv_covers(node_coverage(node->node), dep))
            verdict_say(&world->verdict, "D1",
                        "node %u delivered (%u,%llu) before its cause (%u,%llu)", node->index,
                        dot.actor, (ULL)dot.seq, dep.actor, (ULL)dep.seq);
    }
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

void watch_trace(struct world *world, struct sim_node *node, const struct trace_event *event)
{
    if (event->id == TRACE_DELIVERED)
        judge_delivery(world, node, (struct dot){(uint32_t)event->a, event->b});
    else if (event->id == TRACE_REPLIED && event->c == (uint64_t) - (int)E_NOT_COVERED)
        judge_refusal(world, node, event->a);
}

/* ---- H2 ---- */

/* Whatever way a write took to a node: when it came, it was near enough to move the clock (H3). */
static bool moves_clock(const struct world *world, const struct sim_node *node,
                        const struct hwrite *write)
{
    uint64_t wall_ms = (uint64_t)((int64_t)world->clock_shared_ms + node->wall_shift_ms +
                                  (int64_t)(write->committed_us / 1000));
    return node->wall_shift_ms == node->wall_first_ms &&
           HLC_MS(write->hlc) <= wall_ms + HLC_SKEW_MS_MAX;
}

void watch_answer(struct world *world, const struct call *call)
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
            !same_shard(world, node_of_actor(world, cause->dot.actor), writer) ||
            !moves_clock(world, &world->nodes[writer], cause))
            continue;
        char name[64];
        char name_cause[64];
        verdict_say(&world->verdict, "H2", "node %u gave %s a time that is not above its cause %s",
                    writer, oracle_name(oracle, call->asked.write, name),
                    oracle_name(oracle, top, name_cause));
    }
}

/* ---- Q1 ---- */

void watch_silence(struct world *world, const struct call *call)
{
    const struct sim_node *node = &world->nodes[call->asked.node];
    const struct knobs *knobs = &world->swarm.knobs;
    uint64_t wait_ms = call->wait_ms == REQUEST_WAIT_DEFAULT ? knobs->wait_ms : call->wait_ms;
    uint64_t patience = (wait_ms + 2 * knobs->suspect_ms) * 1000 + SLACK_US;
    bool disturbed = node->node == NULL || node->life != call->life || node->paused ||
                     node->faults != call->faults || node->disk_slow_until_us > call->handed_us;
    if (call->asked.op != OP_GET || disturbed || call->handed_us + patience > world->time.now_us)
        return;
    verdict_say(&world->verdict, "Q1",
                "node %u has not answered a read of session %u for %llu ms, though nothing "
                "happened to it",
                node->index, call->asked.session,
                (ULL)((world->time.now_us - call->handed_us) / 1000));
}

/* ---- R4 ---- */

static void judge_stable(struct world *world, uint32_t node, struct dot stable)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *member = &world->nodes[i];
        if (!same_shard(world, node_of_actor(world, stable.actor), i) || member->node == NULL ||
            node_phase(member->node) != NODE_SERVING || member->damaged || member->gone ||
            vv_covers(node_coverage(member->node), stable))
            continue;
        verdict_say(&world->verdict, "R4",
                    "node %u takes (%u,%llu) for stable; node %u covers that actor up to %llu",
                    node, stable.actor, (ULL)stable.seq, i,
                    (ULL)vv_get(node_coverage(member->node), stable.actor));
    }
}

void watch_stable(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count && world->booted; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (node->node == NULL || node_phase(node->node) != NODE_SERVING)
            continue;
        struct vv stable;
        node_stable(node->node, &stable);
        for (uint32_t k = 0; k < stable.count; k++)
            judge_stable(world, i, stable.entries[k]);
    }
}
