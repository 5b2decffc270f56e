/* mini - a handful of nodes in a perfect world, for stories.
 *
 * Does:   see mini.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    mini.h.
 */
#include "mini.h"

#include <stdio.h>

static void step(struct mini *mini, uint32_t index, struct event *event);

static void push(struct mini *mini, struct mini_frame *frame)
{
    frame->next = NULL;
    if (mini->tail != NULL)
        mini->tail->next = frame;
    else
        mini->head = frame;
    mini->tail = frame;
}

static struct mini_frame *frame_new(uint64_t conn, uint32_t to, struct slice bytes)
{
    struct mini_frame *frame = mem_zalloc(1, sizeof(*frame) + bytes.len);
    frame->conn = conn;
    frame->to = to;
    frame->len = bytes.len;
    if (bytes.len > 0)
        memcpy(frame->bytes, bytes.ptr, bytes.len);
    return frame;
}

static uint32_t index_of(const struct mini *mini, struct slice address)
{
    for (uint32_t i = 0; i < mini->count; i++)
        if (slice_equal(slice_str(mini->options[i].address.text), address))
            return i;
    return mini->count; /* nobody is there */
}

static void do_connect(struct mini *mini, uint32_t index, const struct effect *effect)
{
    uint32_t to = index_of(mini, effect->connect.address);
    bool works = to < mini->count && mini->nodes[to] != NULL && !mini->cut[to] && !mini->cut[index];
    struct mini_frame *frame = frame_new(0, index, SLICE_EMPTY);
    frame->dial = effect->connect.dial;
    frame->up = works;
    frame->down = !works;
    if (works) {
        frame->conn = ++mini->conn_count;
        ASSERT(frame->conn < MINI_CONNS);
        mini->conns[frame->conn] = (struct mini_conn){.open = true, .from = index, .to = to};
    }
    push(mini, frame);
}

static void do_close(struct mini *mini, uint64_t conn, uint32_t teller)
{
    struct mini_conn *c = &mini->conns[conn];
    if (!c->open)
        return;
    c->open = false;
    uint32_t other = c->from == teller ? c->to : c->from;
    struct mini_frame *frame = frame_new(conn, other, SLICE_EMPTY);
    frame->down = true;
    push(mini, frame);
}

/* What was sent before arrives first. */
static void hang_up(struct mini *mini, uint64_t conn, uint32_t index)
{
    struct mini_conn *c = &mini->conns[conn];
    c->hung_up = c->open;
    c->hung_to = c->from == index ? c->to : c->from;
    do_close(mini, conn, index);
}

/* Both ends of a connection learn that it is over. */
static void end_conn(struct mini *mini, uint64_t conn, uint32_t index)
{
    do_close(mini, conn, index);
    struct mini_frame *frame = frame_new(conn, index, SLICE_EMPTY);
    frame->down = true;
    push(mini, frame);
}

static void send_one(struct mini *mini, const struct mini_conn *c, uint32_t index,
                     struct mini_frame *frame)
{
    enum mini_way way = c->from == index ? mini->ways[c->from][c->to] : MINI_FLOWS;
    if (way == MINI_VOID) {
        mem_free(frame);
    } else if (way == MINI_LATE) {
        frame->next = mini->late;
        mini->late = frame;
    } else {
        push(mini, frame);
    }
}

static void do_send(struct mini *mini, uint32_t index, const struct effect *effect)
{
    const struct mini_conn *c = &mini->conns[effect->send.conn];
    if (!c->open)
        return;
    struct slice rest = effect->send.bytes;
    while (rest.len > 0) {
        size_t size = 0;
        const char *why = NULL;
        enum frame_scan scan = frame_split(rest, LIMIT_FRAME_BYTES, &size, &why);
        ASSERT(scan == FRAME_OK);
        send_one(mini, c, index,
                 frame_new(effect->send.conn, c->from == index ? c->to : c->from,
                           slice_of(rest.ptr, size)));
        rest = slice_of(rest.ptr + size, rest.len - size);
    }
}

static void sync_disk(struct mini_disk *disk)
{
    for (uint32_t i = 0; i < 64; i++)
        disk->synced[i] = disk->segments[i].len;
}

static void do_commit(struct mini *mini, uint32_t index, const struct effect *effect)
{
    struct mini_disk *disk = &mini->disks[index];
    uint64_t segment = effect->commit.segment;
    ASSERT(segment < 64);
    struct buf *bytes = &disk->segments[segment];
    ASSERT(bytes->len == effect->commit.offset);
    buf_append_slice(bytes, effect->commit.bytes);
    if (disk->last == 0)
        disk->first = segment;
    disk->last = segment;
    if (effect->commit.sync)
        sync_disk(disk);
}

static void do_reply(struct mini *mini, const struct effect *effect)
{
    if (effect->reply.id != mini->next_id) {
        mini->earlier = effect->reply.err;
        return;
    }
    buf_reset(&mini->kept);
    buf_reserve(&mini->kept, effect->reply.value.len + effect->reply.token.len);
    mini->reply = effect->reply;
    mini->reply.value =
        slice_of(buf_grow(&mini->kept, effect->reply.value.len), effect->reply.value.len);
    memcpy((void *)(uintptr_t)mini->reply.value.ptr, effect->reply.value.ptr,
           effect->reply.value.len);
    uint8_t *token = buf_grow(&mini->kept, effect->reply.token.len);
    memcpy(token, effect->reply.token.ptr, effect->reply.token.len);
    mini->reply.token = slice_of(token, effect->reply.token.len);
    mini->replied = true;
}

/* Carries out what a step wants; returns the id of a commit and of a sync to answer, 0 for none. */
static void carry_out(struct mini *mini, uint32_t index, uint64_t *commit, uint64_t *sync)
{
    for (uint32_t i = 0; i < mini->effects->count; i++) {
        const struct effect *effect = &mini->effects->list[i];
        switch (effect->type) {
        case EFFECT_CONNECT:
            do_connect(mini, index, effect);
            break;
        case EFFECT_HANGUP:
            hang_up(mini, effect->hangup.conn, index);
            break;
        case EFFECT_SEND:
            do_send(mini, index, effect);
            break;
        case EFFECT_REPLY:
            do_reply(mini, effect);
            break;
        case EFFECT_COMMIT:
            do_commit(mini, index, effect);
            *commit = effect->commit.id;
            break;
        case EFFECT_SYNC:
            sync_disk(&mini->disks[index]);
            if (mini->sync_ms == 0) {
                *sync = effect->sync.id;
                break;
            }
            mini->disks[index].sync = effect->sync.id;
            mini->disks[index].sync_done_ms = mini->now_ms + mini->sync_ms;
            break;
        case EFFECT_DROP:
            buf_fini(&mini->disks[index].segments[effect->drop.segment]);
            mini->disks[index].first = effect->drop.segment + 1;
            break;
        case EFFECT_STOPPED:
            mini->stopped++;
            break;
        }
    }
}

static void step(struct mini *mini, uint32_t index, struct event *event)
{
    event->mono_ms = event->wall_ms = mini->now_ms;
    node_step(mini->nodes[index], event, mini->effects);
    uint64_t commit = 0;
    uint64_t sync = 0;
    carry_out(mini, index, &commit, &sync);
    if (commit != 0) {
        struct event done = {.type = EVENT_COMMITTED, .done = {commit}};
        step(mini, index, &done);
    }
    if (sync != 0) {
        struct event done = {.type = EVENT_SYNCED, .done = {sync}};
        step(mini, index, &done);
    }
}

static void turn(struct mini *mini, uint32_t index, struct event *event)
{
    step(mini, index, event);
    struct event end = {.type = EVENT_TURN_END};
    step(mini, index, &end);
}

static void deliver(struct mini *mini, struct mini_frame *frame)
{
    if (mini->nodes[frame->to] == NULL)
        return;
    struct event event = {.type = EVENT_FRAME};
    if (frame->up) {
        event.type = EVENT_PEER_UP;
        event.peer_up.dial = frame->dial;
        event.peer_up.conn = frame->conn;
    } else if (frame->down) {
        event.type = EVENT_PEER_DOWN;
        event.peer_down.dial = frame->dial;
        event.peer_down.conn = frame->conn;
        event.peer_down.refused = true;
        mini->conns[frame->conn].hung_up = false;
    } else {
        const struct mini_conn *c = &mini->conns[frame->conn];
        if (!c->open && !(c->hung_up && frame->to == c->hung_to))
            return;
        event.frame.conn = frame->conn;
        event.frame.bytes = slice_of(frame->bytes, frame->len);
    }
    turn(mini, frame->to, &event);
}

static void drain(struct mini *mini)
{
    while (mini->head != NULL) {
        struct mini_frame *frame = mini->head;
        mini->head = frame->next;
        if (mini->head == NULL)
            mini->tail = NULL;
        deliver(mini, frame);
        mem_free(frame);
    }
}

static void end_sync(struct mini *mini, uint32_t index)
{
    struct mini_disk *disk = &mini->disks[index];
    if (disk->sync == 0 || mini->nodes[index] == NULL || mini->now_ms < disk->sync_done_ms)
        return;
    struct event done = {.type = EVENT_SYNCED, .done = {disk->sync}};
    disk->sync = 0;
    turn(mini, index, &done);
}

static void tick(struct mini *mini)
{
    mini->now_ms++;
    for (uint32_t i = 0; i < mini->count; i++) {
        end_sync(mini, i);
        if (mini->nodes[i] == NULL || node_deadline_ms(mini->nodes[i]) > mini->now_ms)
            continue;
        struct event event = {.type = EVENT_TICK};
        turn(mini, i, &event);
        node_check(mini->nodes[i]);
    }
    drain(mini);
}

void mini_run(struct mini *mini, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++)
        tick(mini);
}

void mini_init(struct mini *mini, uint32_t count, uint32_t shards)
{
    memset(mini, 0, sizeof(*mini));
    mini->count = count;
    mini->now_ms = 1000000;
    mini->effects = mem_zalloc(1, sizeof(*mini->effects));
    for (uint32_t i = 0; i < count; i++) {
        struct node_options *options = &mini->options[i];
        knobs_init(&options->knobs);
        snprintf(options->address.text, sizeof(options->address.text), "10.10.0.%u:8090", i + 2);
        options->shard_count = shards;
        options->view_count = count;
        memset(options->entropy, (int)(i + 1), sizeof(options->entropy));
        options->entropy[20] = 7;
        options->directory_id = i + 1;
        mini->boot[i] = 1;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            mini->options[i].view[j] = mini->options[j].address;
}

void mini_start(struct mini *mini, uint32_t index)
{
    ASSERT(mini->nodes[index] == NULL);
    mini->options[index].boot_id = mini->boot[index];
    mini->nodes[index] = node_new(&mini->options[index]);
    struct log_segment segments[64];
    size_t count = 0;
    const struct mini_disk *disk = &mini->disks[index];
    for (uint64_t id = disk->first; disk->last != 0 && id <= disk->last; id++)
        segments[count++] = (struct log_segment){id, buf_slice(&disk->segments[id])};
    struct event event = {.type = EVENT_RECOVER};
    event.recover.segments = segments;
    event.recover.count = count;
    turn(mini, index, &event);
    node_check(mini->nodes[index]);
}

bool mini_first_start(struct mini *mini, uint32_t count)
{
    uint32_t serving = 0;
    for (uint32_t i = 0; i < count; i++)
        mini_start(mini, i);
    mini_run(mini, 3000);
    for (uint32_t i = 0; i < count; i++)
        serving += node_phase(mini->nodes[i]) == NODE_SERVING;
    return serving == count;
}

bool mini_start_all(struct mini *mini, uint32_t count, uint32_t shards)
{
    mini_init(mini, count, shards);
    return mini_first_start(mini, count);
}

void mini_kill(struct mini *mini, uint32_t index)
{
    node_free(mini->nodes[index]);
    mini->nodes[index] = NULL;
    mini->disks[index].sync = 0;
    for (uint64_t i = 1; i <= mini->conn_count; i++)
        if (mini->conns[i].from == index || mini->conns[i].to == index)
            do_close(mini, i, index);
}

void mini_power_cut(struct mini *mini, uint32_t index)
{
    struct mini_disk *disk = &mini->disks[index];
    mini_kill(mini, index);
    for (uint32_t i = 0; i < 64; i++)
        disk->segments[i].len = disk->synced[i];
    while (disk->last > 0 && disk->segments[disk->last].len == 0)
        disk->last--; /* its name, too, was not synced */
    mini->boot[index]++;
}

void mini_wipe(struct mini *mini, uint32_t index)
{
    ASSERT(mini->nodes[index] == NULL);
    for (uint32_t i = 0; i < 64; i++)
        buf_fini(&mini->disks[index].segments[i]);
    memset(&mini->disks[index], 0, sizeof(mini->disks[index]));
    mini->options[index].directory_id += 100;
    mini->options[index].entropy[21]++; /* another process draws something else */
}

void mini_cut(struct mini *mini, uint32_t index, bool cut)
{
    mini->cut[index] = cut;
    for (uint64_t i = 1; cut && i <= mini->conn_count; i++)
        if (mini->conns[i].from == index || mini->conns[i].to == index)
            end_conn(mini, i, index);
}

uint64_t mini_conn(const struct mini *mini, uint32_t from, uint32_t to)
{
    for (uint64_t i = mini->conn_count; i > 0; i--)
        if (mini->conns[i].open && mini->conns[i].from == from && mini->conns[i].to == to)
            return i;
    UNREACHABLE();
}

void mini_inject(struct mini *mini, uint64_t conn, struct slice frame)
{
    push(mini, frame_new(conn, mini->conns[conn].to, frame));
    drain(mini);
}

/* Puts the late frames of one way back into the queue, oldest first. */
static void release_late(struct mini *mini, uint32_t from, uint32_t to)
{
    struct mini_frame *rest = NULL;
    struct mini_frame *oldest = NULL;
    while (mini->late != NULL) {
        struct mini_frame *frame = mini->late;
        mini->late = frame->next;
        const struct mini_conn *c = &mini->conns[frame->conn];
        struct mini_frame **list = c->from == from && c->to == to ? &oldest : &rest;
        frame->next = *list;
        *list = frame;
    }
    while (rest != NULL) {
        struct mini_frame *frame = rest;
        rest = frame->next;
        frame->next = mini->late;
        mini->late = frame;
    }
    while (oldest != NULL) {
        struct mini_frame *frame = oldest;
        oldest = frame->next;
        push(mini, frame);
    }
}

void mini_way(struct mini *mini, uint32_t from, uint32_t to, enum mini_way way)
{
    mini->ways[from][to] = way;
    if (way == MINI_FLOWS)
        release_late(mini, from, to);
}

void mini_reset(struct mini *mini, uint32_t from, uint32_t to)
{
    for (uint64_t i = 1; i <= mini->conn_count; i++)
        if (mini->conns[i].open && mini->conns[i].from == from && mini->conns[i].to == to)
            end_conn(mini, i, from);
}

void mini_begin(struct mini *mini, uint32_t index, enum op op, const char *key, const char *value,
                struct slice token)
{
    struct event event = {.type = EVENT_REQUEST};
    event.request = (struct request){.id = ++mini->next_id,
                                     .session = 1,
                                     .op = op,
                                     .form = VALUE_JSON,
                                     .key = slice_str(key),
                                     .value = value != NULL ? slice_str(value) : SLICE_EMPTY,
                                     .wait_ms = REQUEST_WAIT_DEFAULT,
                                     .shard_id = mini->shard_id,
                                     .async = mini->async,
                                     .force = mini->force};
    struct buf copy = BUF_EMPTY; /* the token may lie in mini->kept */
    buf_append_slice(&copy, token);
    if (token.len > 0) {
        event.request.tokens[0] = buf_slice(&copy);
        event.request.token_count = 1;
    }
    mini->replied = false;
    turn(mini, index, &event);
    drain(mini);
    buf_fini(&copy);
}

const struct reply *mini_wait(struct mini *mini)
{
    for (uint64_t i = 0; i < 30000 && !mini->replied; i++)
        tick(mini);
    ASSERT(mini->replied);
    return &mini->reply;
}

const struct reply *mini_ask(struct mini *mini, uint32_t index, enum op op, const char *key,
                             const char *value, struct slice token)
{
    mini_begin(mini, index, op, key, value, token);
    return mini_wait(mini);
}

static void free_frames(struct mini_frame *frame)
{
    while (frame != NULL) {
        struct mini_frame *next = frame->next;
        mem_free(frame);
        frame = next;
    }
}

void mini_fini(struct mini *mini)
{
    free_frames(mini->late);
    free_frames(mini->head);
    for (uint32_t i = 0; i < mini->count; i++) {
        node_free(mini->nodes[i]);
        for (uint32_t j = 0; j < 64; j++)
            buf_fini(&mini->disks[i].segments[j]);
    }
    buf_fini(&mini->kept);
    mem_free(mini->effects);
}
