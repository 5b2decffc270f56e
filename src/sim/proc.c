/* proc - processes and machines: how they begin and end.
 *
 * Does:   starts a node on what its disk has, kills it, cuts its power, pauses it.
 * Not:    when: nemesis.c.
 * Holds:  -
 * Limits: -
 * See:    world.h.
 */
#include "sim/decide.h"
#include "sim/people.h"
#include "sim/tell.h"
#include "sim/watch.h"

static void on_trace(void *arg, const struct trace_event *event)
{
    struct sim_node *node = arg;
    struct world *world = node->world;
    story_mix_trace(&world->story, node->index, event);
    tell_trace(world, node->index, event);
    if (event->id == TRACE_FORWARDED)
        client_forwarded(world->client, node->index, event->a);
    if (event->id == TRACE_FORK && event->c == 0) /* nobody is given up */
        decide_fork(&world->oracle, event->b);
    watch_trace(world, node, event);
    audit_trace(world, node, event);
    people_trace(world, node, event);
    aim_trace(world, node, event);
    bool removed = event->id == TRACE_REFUSES && world->people; /* judge_phase looks closer */
    if (trace_level_of(event->id) == TRACE_ERROR && !node->damaged && !removed)
        verdict_say(
            &world->verdict, "E", "node %u says %s and no fault explains it (%llu, %llu, %.*s)",
            node->index, trace_name(event->id), (unsigned long long)event->a,
            (unsigned long long)event->b, (int)event->text.len, (const char *)event->text.ptr);
}

static void forget_process(struct sim_node *node)
{
    for (size_t i = 0; i < node->inbox_count; i++)
        mem_free(node->inbox[i].bytes);
    node->inbox_count = 0;
    node->wake_us = UINT64_MAX;
    node->turn_wanted = false;
    node->paused = false;
    node->suspended_us = 0;
    node->stopping = false;
    node->stopped = false;
    node->failing = false;
    node->struck = AIM_NOTHING;
    node->commit.active = false;
    memset(node->syncs, 0, sizeof node->syncs);
    node->last_commit = 0;
    node->committed_id = 0;
    node->last_sync = 0;
    node->synced_id = 0;
}

/* What is told of a log. */
struct telling {
    struct oracle *oracle;              /* whom */
    uint32_t node;                      /* whose log */
    const struct log_segment *segments; /* of its disk */
    size_t count;                       /* of them */
};

static bool tell_record(void *arg, const struct record *record, uint64_t position)
{
    const struct telling *telling = arg;
    (void)position;
    for (size_t i = 0; i < telling->count; i++) {
        const struct log_segment *segment = &telling->segments[i];
        size_t offset = (size_t)((uintptr_t)record->whole.ptr - (uintptr_t)segment->bytes.ptr);
        if (offset < segment->bytes.len)
            oracle_committed(telling->oracle, telling->node, segment->id, offset, record->whole,
                             true);
    }
    return true;
}

/* What a recovery takes of the disk is what the node has, whatever was under way when it ended:
 * nothing below the base, and nothing behind a record that is not whole, in later segments
 * either. */
static void tell_oracle(struct world *world, struct sim_node *node)
{
    struct telling telling = {.oracle = &world->oracle, .node = node->index};
    telling.count = vdisk_view(&node->disk, &telling.segments);
    struct log *log = log_new();
    struct log_recovery recovery;
    log_recover(log, telling.segments, telling.count, tell_record, &telling, &recovery);
    log_free(log);
}

void world_recount(struct world *world, uint32_t index)
{
    oracle_forget(&world->oracle, index);
    tell_oracle(world, &world->nodes[index]);
    oracle_bury(&world->oracle, index);
}

/* Who finds that its directory is another one than before does not go on as it was (T11). */
static void judge_directory(struct world *world, struct sim_node *node, uint64_t found_id)
{
    bool another = node->life > 1 && node->directory_id != node->directory_started;
    node->directory_started = node->directory_id;
    if (another && found_id != 0 && node_config(node->node) != NULL &&
        node_id(node->node) == found_id)
        verdict_say(&world->verdict, "I6",
                    "node %u goes on as it was, although its directory is a copy", node->index);
}

void world_start(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    ASSERT(node->node == NULL);
    forget_process(node);
    struct node_options *options = world->options;
    options->view_count = node->late_view ? world->node_count : world->view_count;
    options->address = node->address;
    options->boot_id = node->boot_id;
    options->directory_id = node->directory_id;
    options->tracer = (struct tracer){on_trace, node};
    for (size_t i = 0; i < sizeof options->entropy; i++)
        options->entropy[i] = (uint8_t)rng_u64(&world->rng);
    node->life++;
    story_say(&world->story, index, "process %llu starts", (unsigned long long)node->life);
    node->node = node_new(options);
    audit_begin(node);
    memset(node->receipted, 0, sizeof node->receipted);
    vnet_start(&world->net, index);
    struct event event = {.type = EVENT_RECOVER};
    tell_oracle(world, node);
    uint64_t found_id = world->oracle.nodes[index].id;
    event.recover.count = vdisk_view(&node->disk, &event.recover.segments);
    world_step(world, index, &event);
    judge_directory(world, node, found_id);
    if (node->struck != AIM_NOTHING) {
        aim_strike(world, node, node->struck);
        return;
    }
    node->turn_wanted = true;
    world_wake(world, index, 0);
}

void world_start_later(struct world *world, uint32_t index, uint64_t after_us)
{
    vtime_after(&world->time, after_us, WORLD_START, index, world->nodes[index].life, 0);
}

/* A commit under way leaves a prefix in the cache. */
static void cut_commit(struct world *world, struct sim_node *node)
{
    struct committing *commit = &node->commit;
    if (!commit->active)
        return;
    size_t len = rng_between(&world->rng, 0, commit->bytes.len);
    if (len > 0)
        vdisk_write(&node->disk, commit->segment, commit->offset, slice_of(commit->bytes.ptr, len));
    commit->active = false;
}

void world_note_marks(struct world *world, uint32_t index)
{
    const struct marks *marks = &node_metrics(world->nodes[index].node)->marks;
    for (uint32_t i = 0; i < MARK_COUNT; i++)
        world->marks[i] += marks->hits[i];
}

/* What was adopted last may not be in the log yet: nothing was said under it, and it may be
 * forgotten (6.1). */
static bool adoption_is_open(const struct world *world, const struct sim_node *node)
{
    const struct config *config = node_config(node->node);
    const struct hadoption *adopted = &world->oracle.nodes[node->index].adopted;
    return config != NULL &&
           (adopted->epoch < config->epoch ||
            !world->oracle.synced(world->oracle.arg, node->index, adopted->segment, adopted->end));
}

static void end_process(struct world *world, struct sim_node *node)
{
    node->forgets = adoption_is_open(world, node);
    node->ended_us = world->time.now_us;
    cut_commit(world, node);
    world_note_marks(world, node->index);
    node_free(node->node);
    node->node = NULL;
    client_node_ended(world->client, node->index);
    forget_process(node);
}

void world_crash(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL)
        return;
    story_say(&world->story, index, "process ends");
    vnet_end(&world->net, index);
    end_process(world, node);
}

void world_power_cut(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    story_say(&world->story, index, "machine ends");
    vnet_power_cut(&world->net, index);
    if (node->node != NULL)
        end_process(world, node);
    bool lost = vdisk_power_cut(&node->disk, &world->rng);
    world_recount(world, index);
    if (world->swarm.knobs.durability == 0) {
        node->doubtful = true;
        node->damaged = node->damaged || lost;
    }
    /* Until its first commit a process may have written behind an end that the one before it never
     * synced: no log shows that from rot (6.3; seeds 864119, 864209). */
    node->doubtful = node->doubtful || node->committed_id == 0;
    node->boot_id = rng_u64(&world->rng);
}

void world_stop(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    if (node->node == NULL || node->stopping)
        return;
    story_say(&world->story, index, "is asked to stop");
    node->stopping = true;
    world_input(world, index, &(struct input){.type = EVENT_STOP});
    vtime_after(&world->time, 5000000, WORLD_KILL, index, node->life, 0);
}

void world_pause(struct world *world, uint32_t index)
{
    world->nodes[index].paused = true;
    story_say(&world->story, index, "process pauses");
}

void world_resume(struct world *world, uint32_t index)
{
    struct sim_node *node = &world->nodes[index];
    if (!node->paused)
        return;
    node->paused = false;
    if (node->suspended_us != 0)
        node->mono_shift_us -= world->time.now_us - node->suspended_us;
    node->suspended_us = 0;
    story_say(&world->story, index, "process goes on");
    node->turn_wanted = true;
    world_wake(world, index, 0);
}
