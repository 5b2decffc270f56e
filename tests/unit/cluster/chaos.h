/* chaos - what befalls the worlds of the register, and how they get over it.
 *
 * Does:   messages that are dropped, doubled, reordered and delayed; crashes of processes and of
 *         machines, with loss of what was not synced; lost disks; several proposers at once; then
 *         calm, in which a decision must come.
 * Not:    what nodes do and what is watched: world.h.
 * Holds:  one seed, one run.
 * Limits: -
 * See:    world.h; test_register.c.
 */
#pragma once

#include "world.h"

/* ---- What may happen ---- */

static inline void node_start(struct world *world, struct world_node *node, uint32_t records)
{
    reg_init(&node->reg, node->id, rng_u64(&world->rng));
    node->epoch = 0;
    node->value = 0;
    node->turn_count = 0;
    node->seen = (struct ballot){0};
    for (uint32_t i = 0; i < records; i++) {
        const struct disk_record *record = &node->records[i];
        struct slice body = slice_of(record->bytes, record->len);
        if (record->kind == RECORD_REGISTER) {
            assert_true(reg_replay(&node->reg, body));
            continue;
        }
        uint64_t adopted[2];
        memcpy(adopted, record->bytes, sizeof adopted);
        node->epoch = adopted[0];
        node->value = adopted[1];
        reg_adopted(&node->reg, node->epoch);
    }
    node->up = true;
}

/* Whatever it held is gone; it is down until node_start. */
static inline void node_stop(struct world *world, struct world_node *node)
{
    world->crashes++;
    reg_fini(&node->reg);
    node->up = false;
    for (uint32_t i = world->flight_count; i > 0; i--) {
        if (world->flight[i - 1].turn > 0 && world->flight[i - 1].from == node->id)
            parcel_drop(world, i - 1);
    }
}

static inline void crash_process(struct world *world, struct world_node *node)
{
    node_stop(world, node);
    node->appended = node->written;
    if (world->weather.sync_first && world->weather.mutant != MUTANT_CACHED)
        disk_sync(world, node, node->written);
    node_start(world, node, node->appended);
}

static inline void crash_machine(struct world *world, struct world_node *node)
{
    node_stop(world, node);
    uint32_t kept = (uint32_t)rng_between(&world->rng, node->synced, node->written);
    disk_sync(world, node, kept);
    node->written = node->appended = kept;
    if (world->weather.mutant == MUTANT_FORGETS && kept > 0 &&
        node->records[kept - 1].kind == RECORD_REGISTER && rng_chance(&world->rng, 1, 2))
        node->synced = node->written = node->appended = kept - 1;
    node_start(world, node, node->appended);
}

/* It comes back empty, as somebody else: at the first start only (T34). */
static inline void lose_disk(struct world *world, struct world_node *node)
{
    node_stop(world, node);
    node->id = ++world->next_id;
    node->appended = node->written = node->synced = 0;
    node->said_instance = 0;
    node->said_promised = node->said_accepted = (struct ballot){0};
    node_start(world, node, 0);
}

static inline void acceptor_ids(const struct world *world, uint64_t ids[LIMIT_MEMBERS])
{
    for (uint32_t i = 0; i < world->weather.acceptor_count; i++)
        ids[i] = world->nodes[i].id;
}

static inline void propose(struct world *world, struct world_node *node)
{
    if (node->reg.proposer.phase != PROPOSER_IDLE || node->epoch >= world->weather.instance_max)
        return;
    uint64_t ids[LIMIT_MEMBERS];
    acceptor_ids(world, ids);
    uint64_t instance = node->epoch + 1;
    uint64_t value = ++world->next_value;
    uint64_t give_up_ms =
        rng_chance(&world->rng, 1, 2) ? UINT64_MAX : world->mono_ms + rng_below(&world->rng, 3000);
    struct reg_io io = step_begin(world);
    node->proposed = value;
    node->seen = (struct ballot){0};
    assert_true(reg_propose(&node->reg, instance, slice_of(&value, sizeof value), ids,
                            world->weather.acceptor_count, quorum_of(world, instance), give_up_ms,
                            &io));
    step_end(world, node, &io, REG_NOTHING);
}

/* An address of VIEW came back as somebody else: who asked the old one begins again. */
static inline void notice_losses(struct world *world, struct world_node *node)
{
    uint64_t ids[LIMIT_MEMBERS];
    acceptor_ids(world, ids);
    if (node->reg.proposer.phase != PROPOSER_IDLE &&
        memcmp(ids, node->reg.proposer.acceptors, world->weather.acceptor_count * sizeof *ids) != 0)
        reg_abandon(&node->reg);
}

static inline void tick(struct world *world, struct world_node *node)
{
    struct reg_io io = step_begin(world);
    enum reg_result result = reg_tick(&node->reg, &io);
    step_end(world, node, &io, result);
}

static inline void frame_arrives(struct world *world, struct world_node *node, uint64_t from,
                                 const struct frame *frame)
{
    struct reg *reg = &node->reg;
    struct reg_io io = step_begin(world);
    enum reg_result result = REG_NOTHING;
    struct msg_prepare prepare;
    struct msg_promise promise;
    struct msg_accept accept;
    struct msg_accepted accepted;
    switch (frame->type) {
    case MSG_PREPARE:
        assert_true(msg_prepare_decode(frame->body, &prepare));
        result = reg_prepare(reg, from, node->epoch, &prepare, &io);
        break;
    case MSG_PROMISE:
        assert_true(msg_promise_decode(frame->body, &promise));
        if (world->weather.mutant == MUTANT_BLIND && promise.granted) {
            promise.accepted_round = promise.accepted_node = 0;
            promise.value = SLICE_EMPTY;
        }
        if (promise.granted && reg->proposer.phase == PROPOSER_PREPARING &&
            reg->proposer.instance == promise.instance &&
            reg->proposer.ballot.round == promise.round && from != reg->node_id)
            watch_seen(node, (struct ballot){promise.accepted_round, promise.accepted_node},
                       value_number(promise.value));
        result = reg_promise(reg, from, &promise, &io);
        break;
    case MSG_ACCEPT:
        assert_true(msg_accept_decode(frame->body, &accept));
        result = reg_accept(reg, from, node->epoch, &accept, &io);
        break;
    default:
        assert_int_equal(frame->type, MSG_ACCEPTED);
        assert_true(msg_accepted_decode(frame->body, &accepted));
        result = reg_accepted(reg, from, &accepted, &io);
        break;
    }
    step_end(world, node, &io, result);
}

static inline void arrive(struct world *world, const struct parcel *parcel)
{
    struct world_node *node = node_by_id(world, parcel->to);
    if (node == NULL || !node->up)
        return;
    if (parcel->type == ADOPT) {
        uint64_t body[2];
        memcpy(body, parcel->bytes, sizeof body);
        struct reg_io io = step_begin(world);
        if (body[0] > node->epoch) {
            watch_decided(world, body[0], body[1]);
            adopt(world, node, body[0], body[1]);
        }
        step_end(world, node, &io, REG_NOTHING);
        return;
    }
    struct frame frame;
    assert_true(frame_decode(slice_of(parcel->bytes, parcel->len), &frame));
    frame_arrives(world, node, parcel->from, &frame);
}

/* Some parcel that is on its way: arrives, arrives and stays (twice), or is lost. */
static inline void network_step(struct world *world)
{
    if (world->flight_count == 0)
        return;
    uint32_t index = (uint32_t)rng_below(&world->rng, world->flight_count);
    struct parcel parcel = world->flight[index];
    if (parcel.turn > 0)
        return;
    uint64_t fate = rng_below(&world->rng, 100);
    if (fate >= world->weather.twice)
        parcel_drop(world, index);
    if (fate < 100 - world->weather.drop)
        arrive(world, &parcel);
}

/* A node tells another what it has adopted; behind everything that it holds back. */
static inline void gossip(struct world *world, const struct world_node *node,
                          const struct world_node *to)
{
    if (node->epoch == 0 || node == to)
        return;
    uint64_t body[2] = {node->epoch, node->value};
    struct parcel parcel = {.from = node->id, .to = to->id, .type = ADOPT, .len = sizeof body};
    if (node->turn_count > 0)
        parcel.turn = node->turns[node->turn_count - 1].number;
    memcpy(parcel.bytes, body, sizeof body);
    world_send(world, &parcel);
}

static inline struct world_node *any_node(struct world *world)
{
    return &world->nodes[rng_below(&world->rng, world->node_count)];
}

static inline void rough_step(struct world *world)
{
    const struct weather *weather = &world->weather;
    struct world_node *node = any_node(world);
    uint64_t what = rng_below(&world->rng, 100 + weather->crash_process + weather->crash_machine +
                                               weather->propose);
    if (what < 55) {
        network_step(world);
    } else if (what < 85) {
        disk_step(world, node);
    } else if (what < 98) {
        world->mono_ms += rng_below(&world->rng, 100);
        if (world->weather.disks_lost && rng_chance(&world->rng, 1, 2))
            notice_losses(world, node);
        if (reg_deadline_ms(&node->reg) <= world->mono_ms)
            tick(world, node);
    } else if (what < 100) {
        gossip(world, node, any_node(world));
    } else if (what < 100 + weather->propose) {
        propose(world, node);
    } else if (what < 100 + weather->propose + weather->crash_process) {
        crash_process(world, node);
    } else if (weather->disks_lost && node > world->nodes && rng_chance(&world->rng, 1, 3) &&
               node < world->nodes + weather->acceptor_count) {
        lose_disk(world, node);
    } else {
        crash_machine(world, node);
    }
}

/* ---- One run ---- */

static inline struct world *world_new(uint64_t seed)
{
    struct world *world = mem_zalloc(1, sizeof *world);
    rng_init(&world->rng, seed);
    world->log = log_new();
    outbox_init(&world->out);
    return world;
}

static inline void world_free(struct world *world)
{
    outbox_fini(&world->out);
    log_free(world->log);
    mem_free(world);
}

static inline void world_begin(struct world *world, const struct weather *weather)
{
    world->weather = *weather;
    world->mono_ms = 1000;
    world->next_id = world->next_value = 0;
    world->flight_count = 0;
    world->ballot_count = 0;
    memset(world->decided, 0, sizeof world->decided);
    world->broken = NULL;
    world->node_count = weather->acceptor_count + weather->extra_count;
    assert_true(world->node_count <= WORLD_NODES);
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct world_node *node = &world->nodes[i];
        node->id = ++world->next_id;
        node->turn_number = 0;
        node->appended = node->written = node->synced = 0;
        node->said_instance = 0;
        node->said_promised = node->said_accepted = (struct ballot){0};
        node_start(world, node, 0);
    }
}

static inline void world_end(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++)
        reg_fini(&world->nodes[i].reg);
}

/* Everything that is on its way arrives, disks are fast. */
static inline void calm(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        while (world->nodes[i].turn_count > 0)
            disk_step(world, &world->nodes[i]);
    }
    while (world->flight_count > 0 && world->broken == NULL) {
        struct parcel parcel = world->flight[0];
        parcel_drop(world, 0);
        assert_int_equal(parcel.turn, 0);
        arrive(world, &parcel);
        for (uint32_t i = 0; i < world->node_count; i++) {
            while (world->nodes[i].turn_count > 0)
                disk_step(world, &world->nodes[i]);
        }
    }
}

static inline struct world_node *most_advanced(struct world *world)
{
    struct world_node *best = &world->nodes[0];
    for (uint32_t i = 1; i < world->node_count; i++) {
        if (world->nodes[i].epoch > best->epoch)
            best = &world->nodes[i];
    }
    return best;
}

/* Time passes until the next node wants to be woken; all that are due are. */
static inline void pass_time(struct world *world)
{
    uint64_t next_ms = UINT64_MAX;
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint64_t due_ms = reg_deadline_ms(&world->nodes[i].reg);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    if (next_ms == UINT64_MAX)
        return;
    if (next_ms > world->mono_ms)
        world->mono_ms = next_ms;
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (reg_deadline_ms(&world->nodes[i].reg) <= world->mono_ms)
            tick(world, &world->nodes[i]);
    }
}

/* Faults are over: one instance more than anybody has adopted gets decided, in bounded time,
 * though whoever was at it goes on being at it. */
static inline void heal(struct world *world)
{
    calm(world);
    struct world_node *best = most_advanced(world);
    uint64_t wanted = best->epoch + 1;
    for (uint32_t i = 0; i < world->node_count; i++) {
        notice_losses(world, &world->nodes[i]);
        gossip(world, best, &world->nodes[i]);
    }
    calm(world);
    world->weather.instance_max = wanted;
    uint64_t begin_ms = world->mono_ms;
    while (most_advanced(world)->epoch < wanted && world->broken == NULL) {
        if (world->mono_ms - begin_ms > 60000) {
            world_break(world, "liveness");
            return;
        }
        propose(world, best);
        calm(world);
        pass_time(world);
        calm(world);
    }
}

/* Returns the invariant that broke, or NULL. */
static inline const char *world_run(struct world *world, const struct weather *weather)
{
    world_begin(world, weather);
    for (uint32_t i = 0; i < weather->steps && world->broken == NULL; i++)
        rough_step(world);
    if (world->broken == NULL)
        heal(world);
    world_end(world);
    return world->broken;
}
