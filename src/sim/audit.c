/* audit - what must be true inside a node, looked at after every step.
 *
 * Does:   see audit.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    audit.h.
 */
#include "sim/client.h"
#include "sim/judge.h"
#include "sim/watch.h"

#define ULL unsigned long long

void audit_begin(struct sim_node *node)
{
    struct audit *audit = &node->audit;
    memset(audit->cover, 0, sizeof audit->cover);
    vv_init(&audit->stable);
    memset(audit->tops, 0, sizeof audit->tops);
    memset(audit->purged, 0, sizeof audit->purged);
    audit->slot_count = 0;
    audit->epoch = 0;
}

/* ---- Slots of the table ---- */

static void note_slot(struct audit *audit, uint32_t slot)
{
    for (uint32_t i = 0; i < audit->slot_count; i++) {
        if (audit->slots[i] == slot)
            return;
    }
    if (audit->slot_count < AUDIT_SLOTS_MAX)
        audit->slots[audit->slot_count++] = slot;
}

void audit_trace(struct world *world, struct sim_node *node, const struct trace_event *event)
{
    if (event->id == TRACE_WRITTEN || event->id == TRACE_ARRIVED || event->id == TRACE_WALKED ||
        event->id == TRACE_PURGED) {
        uint32_t key = oracle_key(&world->oracle, event->text);
        if (key != UINT32_MAX)
            note_slot(&node->audit, world->oracle.keys[key].slot);
        if (key != UINT32_MAX && event->id == TRACE_PURGED)
            node->audit.purged[key] = (struct dot){(uint32_t)event->a, event->b};
    } else if (event->id == TRACE_DELIVERED) {
        uint32_t write = oracle_by_dot(&world->oracle, (struct dot){(uint32_t)event->a, event->b});
        if (write != 0)
            note_slot(&node->audit, world->oracle.keys[world->oracle.writes[write].key].slot);
    }
}

/* ---- R1 ---- */

/* A hole below the last seq of an actor that was sealed (6.5): what nobody has is covered by all,
 * and told. */
static bool is_lost(const struct world *world, const struct sim_node *node, uint32_t write)
{
    return terms_lost(world, write) && terms_told(world, node_config(node->node), write);
}

static bool is_tombstone(const struct table *table, table_ref ref)
{
    struct version version;
    table_view(table, ref, &version);
    return version.form == VALUE_TOMBSTONE;
}

/* Where the key stands at (hlc, actor), is the write there, or was it overwritten? A tombstone is
 * as good as nothing: a log may bring an old one back that was purged, where it has not what came
 * and went meanwhile. */
static bool is_held(const struct world *world, const struct hwrite *write,
                    const struct table *table)
{
    const struct hkey *key = &world->oracle.keys[write->key];
    table_ref ref = table_find(table, key->slot, slice_of(key->text, key->len));
    uint64_t hlc = ref != 0 ? table_hlc(table, ref) : 0;
    if (hlc > write->hlc ||
        (ref != 0 && hlc == write->hlc && table_dot(table, ref).actor >= write->dot.actor))
        return true;
    if (ref != 0 && !is_tombstone(table, ref))
        return false;
    for (uint32_t i = 0; i < key->stone_count; i++) { /* purged */
        const struct hwrite *stone = &world->oracle.writes[key->stones[i]];
        if (stone->dot.actor != 0 && stone->hlc >= write->hlc)
            return true;
    }
    return false;
}

/* Nothing is there, and its log has not yet said why: who is alone in its shard purges at once what
 * it has just deleted, and that may wait for a slow disk, in a commit or for the next one
 * (1712642). */
static bool is_being_logged(const struct world *world, const struct sim_node *node, uint32_t key)
{
    const struct hkey *at = &world->oracle.keys[key];
    struct dot purged = node->audit.purged[key];
    return purged.actor != 0 && oracle_by_dot(&world->oracle, purged) == 0 &&
           table_find(node_table(node->node), at->slot, slice_of(at->text, at->len)) == 0;
}

static void judge_top(struct world *world, const struct sim_node *node, uint32_t key)
{
    uint32_t top = node->audit.tops[key];
    /* One whose only log is gone since is as if it had not been (1301824). */
    if (top == 0 || world->oracle.writes[top].dot.actor == 0 || node->turned ||
        node_phase(node->node) != NODE_SERVING ||
        !node_serves(node->node, world->oracle.keys[key].slot) ||
        is_held(world, &world->oracle.writes[top], node_table(node->node)) ||
        is_lost(world, node, top) || terms_brought_back(world, node_config(node->node), top) ||
        is_being_logged(world, node, key))
        return;
    char name[64];
    verdict_say(&world->verdict, "R1", "node %u covers %s of key %.*s and does not have it",
                node->index, oracle_name(&world->oracle, top, name),
                (int)world->oracle.keys[key].len, (const char *)world->oracle.keys[key].text);
}

/* A write is covered that was not. */
static void cover_one(struct world *world, struct sim_node *node, uint32_t write)
{
    uint32_t key = world->oracle.writes[write].key;
    if (world->oracle.writes[node->audit.tops[key]].dot.actor == 0)
        node->audit.tops[key] = 0; /* its only log is gone since */
    if (!oracle_newer(&world->oracle, write, node->audit.tops[key]))
        return;
    node->audit.tops[key] = write;
    judge_top(world, node, key);
}

/* As far as logs have told of the writes: an own one is covered before that. */
static void judge_actor(struct world *world, struct sim_node *node, struct dot covered)
{
    struct audit *audit = &node->audit;
    struct dot next = {covered.actor, audit->cover[covered.actor] + 1};
    for (; next.seq <= covered.seq; next.seq++) {
        uint32_t write = oracle_by_dot(&world->oracle, next);
        if (write == 0)
            break;
        cover_one(world, node, write);
    }
    audit->cover[covered.actor] = next.seq - 1;
}

/* A new term, in any place: what the node covered before may have been dropped (4.4). */
static void note_term(struct sim_node *node)
{
    struct audit *audit = &node->audit;
    struct node_place places[1 + LIMIT_TRANSITS];
    uint32_t count = node_places(node->node, places);
    uint64_t actors = 0;
    for (uint32_t i = 0; i < count; i++)
        actors = actors * 1000003 + places[i].actor;
    if (audit->id == node_id(node->node) && audit->actors == actors)
        return;
    audit->id = node_id(node->node);
    audit->actors = actors;
    memset(audit->cover, 0, sizeof audit->cover);
    memset(audit->tops, 0, sizeof audit->tops);
}

/* Who waits for what is covered now goes on in the same step. */
static void judge_waits(struct world *world, const struct sim_node *node)
{
    uint64_t id = node_false_wait(node->node);
    if (id != 0)
        verdict_say(&world->verdict, "I3",
                    "at node %u request %llu waits for its causes, and all of them are there",
                    node->index, (ULL)id);
}

static void judge_coverage(struct world *world, struct sim_node *node)
{
    const struct vv *coverage = node_coverage(node->node);
    bool more = false;
    for (uint32_t i = 0; i < coverage->count; i++) {
        struct dot covered = coverage->entries[i];
        if (covered.actor >= ORACLE_ACTORS_MAX || covered.seq <= node->audit.cover[covered.actor])
            continue;
        judge_actor(world, node, covered);
        more = true;
    }
    if (more && node_phase(node->node) == NODE_SERVING)
        judge_waits(world, node);
}

/* ---- R4 ---- */

/* In how many parts an actor's slots are now, as somebody's configuration has it. */
static uint32_t parts_of(const struct config *config, uint32_t actor)
{
    uint32_t count = 0;
    for (uint32_t shard = 0; shard < config->shard_count; shard++)
        count += config_actor_meets(config, actor, shard);
    return count;
}

/* Of an actor in several parts one part may have said so before it knew who comes to fill up there,
 * and another part after that: nobody has taken it for stable yet (1315662). Whoever comes fills up
 * from one of those who have it. */
static bool is_stable_but_for_newcomers(const struct world *world, const struct config *config,
                                        struct dot dot)
{
    struct place places[LIMIT_MEMBERS];
    if (parts_of(config, dot.actor) < 2)
        return false;
    for (uint32_t shard = 0; shard < config->shard_count; shard++) {
        uint32_t count = 0;
        if (config_actor_meets(config, dot.actor, shard))
            count = config_places(config, shard, places);
        bool any = count == 0;
        for (uint32_t i = 0; i < count; i++) {
            if (places[i].state == MEMBER_SYNCING)
                continue;
            any = true;
            if (places[i].actor < ORACLE_ACTORS_MAX &&
                world->terms.most[places[i].actor][dot.actor] < dot.seq)
                return false;
        }
        if (!any)
            return false;
    }
    return true;
}

/* What was stable once stays so: a member that fills up has it before it serves (5, "count before
 * you serve"), and reports of other shards of an epoch before its coming still count. Where a shard
 * had nobody active, and merged, less may be covered than was; that is told (6.3). Where all its
 * members were given up, nobody is responsible until others come (6.6). */
static bool was_stable(const struct world *world, const struct config *config, struct dot dot,
                       uint32_t who)
{
    struct place place;
    if (dot.seq > world->terms.stable[dot.actor])
        return is_stable_but_for_newcomers(world, config, dot);
    if (!config_place_by_actor(config, who, &place))
        return who == 0;
    if (place.state == MEMBER_SYNCING)
        return true;
    return terms_merged(config, config->shards[config_public_shard(config, place.shard)].id);
}

static void judge_stable_dot(struct world *world, const struct sim_node *node, struct dot dot)
{
    const struct config *config = node_config(node->node);
    uint32_t who = 0;
    uint64_t least = terms_covered_by_all(world, config, dot.actor, &who);
    if (dot.seq <= least) {
        if (dot.seq > world->terms.stable[dot.actor])
            world->terms.stable[dot.actor] = dot.seq;
        return;
    }
    if (!was_stable(world, config, dot, who))
        verdict_say(&world->verdict, "R4",
                    "node %u takes (%u,%llu) for stable; the member that writes as %u never "
                    "covered more of that actor than %llu",
                    node->index, dot.actor, (ULL)dot.seq, who, (ULL)least);
}

static void judge_stability(struct world *world, struct sim_node *node)
{
    struct audit *audit = &node->audit;
    struct vv stable;
    enum node_phase phase = node_phase(node->node);
    if (phase == NODE_REFUSED || phase == NODE_ASKING)
        return;
    uint64_t epoch = node_config(node->node)->epoch;
    if (audit->epoch != epoch) /* others may be responsible now: all is looked at again */
        vv_init(&audit->stable);
    audit->epoch = epoch;
    node_stable(node->node, &stable);
    for (uint32_t i = 0; i < stable.count; i++) {
        struct dot dot = stable.entries[i];
        if (dot.actor < ORACLE_ACTORS_MAX && vv_get(&audit->stable, dot.actor) != dot.seq)
            judge_stable_dot(world, node, dot);
    }
    vv_copy(&audit->stable, &stable);
}

/* ---- Every step ---- */

void audit_step(struct world *world, struct sim_node *node)
{
    struct audit *audit = &node->audit;
    node_check_step(node->node);
    watch_step(world, node);
    for (uint32_t i = 0; i < audit->slot_count; i++)
        table_check_slot(node_table(node->node), audit->slots[i]);
    audit->slot_count = 0;
    judge_phase(world, node);
    terms_step(world, node);
    if (world->booted && node_config(node->node) != NULL) {
        note_term(node);
        judge_coverage(world, node);
        judge_stability(world, node);
    }
    if (++audit->steps % AUDIT_STEPS == 0)
        node_check(node->node);
}

/* ---- Tokens ---- */

void audit_asked(struct world *world, struct call *call)
{
    const struct sim_node *node = &world->nodes[call->asked.node];
    const struct vv *stable = &node->audit.stable;
    memset(call->stable, 0, sizeof call->stable);
    for (uint32_t i = 0; i < stable->count; i++)
        if (stable->entries[i].actor < ORACLE_ACTORS_MAX)
            call->stable[stable->entries[i].actor] = stable->entries[i].seq;
    call->epoch = node->audit.epoch;
}

static void judge_named(struct world *world, const struct call *call, const struct past *after,
                        const struct vv *named)
{
    const struct node *node = world->nodes[call->asked.node].node;
    /* A member that comes to fill up covers nothing yet: what was stable is so no longer (5). */
    bool same_epoch = call->epoch == node_config(node)->epoch;
    for (uint32_t i = 0; i < named->count; i++) {
        struct dot dot = named->entries[i];
        if (dot.actor >= ORACLE_ACTORS_MAX || dot.seq > after->seqs[dot.actor])
            verdict_say(&world->verdict, "I7",
                        "node %u gave session %u a token that names (%u,%llu), and it has seen "
                        "nothing that comes of this",
                        call->asked.node, call->asked.session, dot.actor, (ULL)dot.seq);
        else if (config_actor_closed(node_config(node), dot.actor) &&
                 node_config(node)->epoch == call->epoch)
            verdict_say(&world->verdict, "I7",
                        "node %u gave session %u a token that names (%u,%llu), of an actor that is "
                        "closed",
                        call->asked.node, call->asked.session, dot.actor, (ULL)dot.seq);
        else if (same_epoch && dot.seq <= call->stable[dot.actor])
            verdict_say(&world->verdict, "I7",
                        "node %u gave session %u a token that names (%u,%llu), which it knew to be "
                        "stable when it was asked",
                        call->asked.node, call->asked.session, dot.actor, (ULL)dot.seq);
    }
}

/* What was seen, and is not everywhere yet, must be named. Another node may have left it out, under
 * a later epoch: the fence looks after that (3.2). */
static void judge_unnamed(struct world *world, const struct call *call, const struct past *after,
                          const struct vv *named)
{
    const struct config *config = node_config(world->nodes[call->asked.node].node);
    for (uint32_t actor = 1; actor < ORACLE_ACTORS_MAX; actor++) {
        uint64_t seen = after->musts[actor];
        uint32_t who = 0;
        if (seen == 0 || seen <= vv_get(named, actor) || seen <= world->terms.stable[actor] ||
            config_actor_closed(world->config, actor) ||
            seen <= terms_covered_by_all(world, config, actor, &who))
            continue;
        verdict_say(&world->verdict, "I1",
                    "node %u gave session %u a token that names only (%u,%llu); it has seen up to "
                    "%llu, and the member that writes as %u does not cover that",
                    call->asked.node, call->asked.session, actor, (ULL)vv_get(named, actor),
                    (ULL)seen, who);
    }
}

void audit_token(struct world *world, const struct call *call, const struct past *after,
                 struct slice token)
{
    const struct node *node = world->nodes[call->asked.node].node;
    struct ctx ctx;
    ctx_init(&ctx);
    if (!world->booted || node == NULL || node_config(node) == NULL ||
        token_decode(token, &node_config(node)->token_key, &ctx) != TOKEN_OK)
        return;
    judge_named(world, call, after, &ctx.seen);
    judge_unnamed(world, call, after, &ctx.seen);
}

/* ---- Now and then ---- */

static bool gives_up(const struct sim_node *node, uint64_t call)
{
    for (size_t i = 0; i < node->inbox_count; i++) {
        if (node->inbox[i].type == EVENT_GONE && node->inbox[i].id == call)
            return true;
    }
    return false;
}

void audit_known(struct world *world, uint64_t number)
{
    const struct call *call = client_call(world->client, number);
    const struct sim_node *node = &world->nodes[call->asked.node];
    if (call->state != CALL_HANDED || node->node == NULL || node->life != call->life ||
        node->stopped || node->failing || gives_up(node, number) ||
        node_has_request(node->node, number))
        return;
    verdict_say(&world->verdict, "Q1",
                "node %u has forgotten call %llu of session %u: it was handed %llu ms ago, and "
                "neither it nor an answer to it waits there",
                node->index, (ULL)number, call->asked.session,
                (ULL)((world->time.now_us - call->handed_us) / 1000));
}

void audit_sample(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (node->node == NULL || node_phase(node->node) != NODE_SERVING)
            continue;
        judge_waits(world, node);
        for (uint32_t key = 0; key < world->oracle.key_count && world->booted; key++)
            judge_top(world, node, key);
    }
    for (uint32_t i = 0; i < world->client->session_count; i++) {
        const struct session *session = &world->client->sessions[i];
        if (session->busy && session->call != 0)
            audit_known(world, session->call);
    }
}
