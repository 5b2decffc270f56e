/* carry - carrying effects out, and what a node may never want.
 *
 * Does:   hands effects to network, disk and clients; asserts the discipline of effect.h (Y2, S4,
 *         L1) and that nothing leaves before it is committed (Y3, I6).
 * Not:    whether answers are true: oracle.c.
 * Holds:  -
 * Limits: -
 * See:    node/effect.h.
 */
#include "sim/client.h"
#include "sim/epoch.h"
#include "sim/tell.h"

static uint64_t disk_time(struct world *world, struct sim_node *node, bool sync)
{
    uint64_t us = rng_below(&world->rng, world->swarm.write_us + 1);
    if (sync)
        us += rng_below(&world->rng, world->swarm.sync_us + 1);
    if (node->disk_slow_until_us > world->time.now_us)
        us += rng_between(&world->rng, 20, sync ? 1200 : 400) * 1000;
    return us;
}

static bool disk_fails(struct sim_node *node)
{
    bool fails = node->disk_fails_next;
    node->disk_fails_next = false;
    if (fails)
        node->doubtful = true;
    return fails;
}

static void carry_commit(struct world *world, struct sim_node *node, const struct effect *effect)
{
    struct committing *commit = &node->commit;
    unsigned long long id = effect->commit.id;
    if (commit->active || node->committed_id != node->last_commit)
        verdict_say(&world->verdict, "Y2", "node %u asks for commit %llu while %llu is under way",
                    node->index, id, (unsigned long long)node->last_commit);
    if (id != node->last_commit + 1)
        verdict_say(&world->verdict, "S4", "node %u asks for commit %llu after %llu", node->index,
                    id, (unsigned long long)node->last_commit);
    const struct vsegment *segment = vdisk_find(&node->disk, effect->commit.segment);
    uint64_t end = segment == NULL ? 0 : segment->bytes.len;
    if (effect->commit.offset != end || effect->commit.bytes.len == 0)
        verdict_say(&world->verdict, "L1",
                    "node %u appends %zu bytes at %llu of segment %llu, which ends at %llu",
                    node->index, effect->commit.bytes.len,
                    (unsigned long long)effect->commit.offset,
                    (unsigned long long)effect->commit.segment, (unsigned long long)end);
    node->last_commit = id;
    commit->active = true;
    commit->fails = disk_fails(node);
    commit->sync = effect->commit.sync;
    commit->id = id;
    commit->segment = effect->commit.segment;
    commit->offset = effect->commit.offset;
    commit->number = ++node->disk_number;
    buf_reset(&commit->bytes);
    buf_append_slice(&commit->bytes, effect->commit.bytes);
    story_mix(&world->story, hash_bytes(effect->commit.bytes));
    vtime_after(&world->time, disk_time(world, node, commit->sync), WORLD_DISK, node->index,
                node->life, commit->number);
}

static void carry_sync(struct world *world, struct sim_node *node, const struct effect *effect)
{
    if (effect->sync.id != node->last_sync + 1)
        verdict_say(&world->verdict, "S4", "node %u asks for sync %llu after %llu", node->index,
                    (unsigned long long)effect->sync.id, (unsigned long long)node->last_sync);
    node->last_sync = effect->sync.id;
    struct syncing *free_one = NULL;
    for (uint32_t i = 0; i < SYNCS_MAX; i++) {
        if (!node->syncs[i].active)
            free_one = &node->syncs[i];
    }
    if (free_one == NULL) {
        verdict_say(&world->verdict, "I8", "node %u has %u syncs under way and asks for another",
                    node->index, SYNCS_MAX);
        return;
    }
    *free_one = (struct syncing){.active = true, .id = effect->sync.id};
    free_one->fails = disk_fails(node);
    free_one->number = ++node->disk_number;
    for (size_t i = 0; i < node->disk.count && free_one->count < SYNC_SEGMENTS_MAX; i++) {
        const struct vsegment *segment = &node->disk.list[i];
        if (segment->dropped || (segment->named && segment->synced == segment->bytes.len))
            continue;
        free_one->list[free_one->count].segment = segment->id;
        free_one->list[free_one->count].size = segment->bytes.len;
        free_one->count++;
    }
    vtime_after(&world->time, disk_time(world, node, true), WORLD_DISK, node->index, node->life,
                free_one->number);
}

static void commit_done(struct world *world, struct sim_node *node)
{
    struct committing *commit = &node->commit;
    struct slice bytes = buf_slice(&commit->bytes);
    commit->active = false;
    if (commit->fails) {
        bytes.len = rng_between(&world->rng, 0, bytes.len);
        if (bytes.len > 0)
            vdisk_write(&node->disk, commit->segment, commit->offset, bytes);
        world_input(world, node->index,
                    &(struct input){.type = EVENT_COMMIT_FAILED, .id = commit->id});
        return;
    }
    if (!vdisk_write(&node->disk, commit->segment, commit->offset, bytes))
        verdict_say(&world->verdict, "L1", "node %u appended to segment %llu, which is not there",
                    node->index, (unsigned long long)commit->segment);
    if (commit->sync) /* it and everything before it */
        vdisk_sync_all(&node->disk);
    oracle_committed(&world->oracle, node->index, commit->segment, commit->offset, bytes, false);
    world_input(world, node->index, &(struct input){.type = EVENT_COMMITTED, .id = commit->id});
}

static void sync_done(struct world *world, struct sim_node *node, struct syncing *sync)
{
    sync->active = false;
    if (!sync->fails) {
        for (uint32_t i = 0; i < sync->count; i++)
            vdisk_sync(&node->disk, sync->list[i].segment, sync->list[i].size);
    }
    world_input(
        world, node->index,
        &(struct input){.type = sync->fails ? EVENT_COMMIT_FAILED : EVENT_SYNCED, .id = sync->id});
}

void world_disk(struct world *world, uint32_t index, uint64_t life, uint64_t number)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->life != life)
        return;
    if (node->commit.active && node->commit.number == number) {
        commit_done(world, node);
        return;
    }
    struct syncing *sync = NULL;
    bool first = true;
    for (uint32_t i = 0; i < SYNCS_MAX; i++) {
        if (node->syncs[i].active && node->syncs[i].number == number)
            sync = &node->syncs[i];
        else if (node->syncs[i].active && node->syncs[i].number < number)
            first = false;
    }
    if (sync != NULL && first)
        sync_done(world, node, sync);
    else if (sync != NULL) /* in order, as commits are */
        vtime_after(&world->time, 200, WORLD_DISK, index, life, number);
}

static void check_frames(struct world *world, struct sim_node *node, uint64_t conn,
                         struct slice bytes)
{
    struct frame frame;
    story_mix(&world->story, hash_bytes(bytes));
    while (bytes.len > 0) {
        size_t size = 0;
        const char *why = NULL;
        if (frame_split(bytes, LIMIT_FRAME_BYTES, &size, &why) != FRAME_OK || size > bytes.len)
            return; /* vnet_send says so */
        tell_frame(world, node->index, conn, slice_of(bytes.ptr, size));
        oracle_frame(&world->oracle, node->index, slice_of(bytes.ptr, size));
        if (frame_decode(slice_of(bytes.ptr, size), &frame))
            epoch_frame(world, node, conn, &frame);
        bytes = slice_of(bytes.ptr + size, bytes.len - size);
    }
}

static void carry_send(struct world *world, struct sim_node *node, const struct effect *effect)
{
    check_frames(world, node, effect->send.conn, effect->send.bytes);
    if (!vnet_send(&world->net, node->index, effect->send.conn, effect->send.bytes))
        verdict_say(&world->verdict, "Y4",
                    "node %u sends on connection %llu what are not whole frames, or it never had "
                    "that connection",
                    node->index, (unsigned long long)effect->send.conn);
    if (world->net.queued[node->index] > node->queued_most)
        node->queued_most = world->net.queued[node->index];
}

static void carry_one(struct world *world, struct sim_node *node, const struct effect *effect)
{
    switch (effect->type) {
    case EFFECT_CONNECT:
        if (effect->connect.dial == 0)
            verdict_say(&world->verdict, "Y4", "node %u dials with number 0", node->index);
        vnet_dial(&world->net, node->index, world_by_address(world, effect->connect.address),
                  effect->connect.dial);
        break;
    case EFFECT_HANGUP:
        if (!vnet_hangup(&world->net, node->index, effect->hangup.conn))
            verdict_say(&world->verdict, "Y4",
                        "node %u hangs up connection %llu, never given to it", node->index,
                        (unsigned long long)effect->hangup.conn);
        break;
    case EFFECT_SEND:
        carry_send(world, node, effect);
        break;
    case EFFECT_REPLY:
        client_reply(world->client, node->index, &effect->reply);
        break;
    case EFFECT_COMMIT:
        carry_commit(world, node, effect);
        break;
    case EFFECT_SYNC:
        carry_sync(world, node, effect);
        break;
    case EFFECT_DROP:
        if (!vdisk_drop(&node->disk, effect->drop.segment))
            verdict_say(&world->verdict, "L4", "node %u drops segment %llu, not its oldest",
                        node->index, (unsigned long long)effect->drop.segment);
        break;
    case EFFECT_STOPPED:
        node->stopped = true;
        if (effect->stopped.failed && !node->failing && !node->doubtful && !node->damaged)
            verdict_say(&world->verdict, "S5", "node %u stops as failed, and no fault explains it",
                        node->index);
        break;
    }
}

void world_carry_out(struct world *world, struct sim_node *node)
{
    const struct effects *effects = world->effects;
    if (effects->count > LIMIT_EFFECTS) {
        verdict_say(&world->verdict, "S7", "node %u wants %u effects in one step", node->index,
                    effects->count);
        return;
    }
    for (uint32_t i = 0; i < effects->count && !world->verdict.bad; i++) {
        story_mix(&world->story, (uint64_t)effects->list[i].type);
        if (node->stopped)
            verdict_say(&world->verdict, "Y4", "node %u wants more after STOPPED", node->index);
        carry_one(world, node, &effects->list[i]);
    }
}
