/* fuzz_node - a peer that says anything, in any order, to a serving node.
 *
 * Does:   starts a member of a three-node shard from a log made once, greets it as both other
 *         members, and feeds it frames with right sums and wrong everything else, requests and
 *         ticks between; the node may refuse and hang up, it may not crash.
 * Not:    bytes that are no frames: fuzz_frame. Judging what it does: sim/.
 * Holds:  node_check after the last step.
 * Limits: 64 actions an input.
 * See:    src/node/frames.c.
 *
 * Input: actions, each one byte of kind and what it needs:
 *   kind % 4 == 3       a tick, 1 byte of ms; a request when the byte is odd
 *   otherwise           a frame: from (1), type (1), length (2), body
 */
#include "node/node.h"

#define SELF 0U
#define NODES 3U
#define ACTIONS_MAX 64U

static struct node_options options_of(uint32_t index)
{
    struct node_options options;
    memset(&options, 0, sizeof(options));
    knobs_init(&options.knobs);
    static const char *const addresses[NODES] = {"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"};
    options.view_count = NODES;
    for (uint32_t i = 0; i < NODES; i++)
        memcpy(options.view[i].text, addresses[i], strlen(addresses[i]) + 1);
    options.address = options.view[index];
    options.shard_count = 1;
    memset(options.entropy, 7, sizeof(options.entropy));
    options.boot_id = options.directory_id = 1;
    return options;
}

static struct config *make_config(void)
{
    struct first_start start;
    memset(&start, 0, sizeof(start));
    struct node_options options = options_of(SELF);
    start.lineage = 42;
    start.shard_count = 1;
    start.member_count = NODES;
    for (uint32_t i = 0; i < NODES; i++) {
        start.members[i].node_id = 100 + i;
        start.members[i].address = options.view[i];
    }
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    ASSERT(config != NULL);
    return config;
}

/* The log of a node that has adopted the configuration. */
static struct buf make_log(const struct config *config)
{
    struct log *log = log_new();
    struct log_recovery recovery;
    log_recover(log, NULL, 0, NULL, NULL, &recovery);
    struct buf body = BUF_EMPTY;
    buf_u64(&body, 100 + SELF);
    buf_append_slice(&body, slice_str(config->members[SELF].address.text));
    log_append(log, RECORD_IDENTITY, buf_slice(&body));
    buf_reset(&body);
    buf_u64(&body, 1);
    buf_u64(&body, 1);
    buf_u8(&body, 0);
    log_append(log, RECORD_START, buf_slice(&body));
    buf_reset(&body);
    config_encode(config, &body);
    log_append(log, RECORD_CONFIG, buf_slice(&body));
    buf_reset(&body);
    struct log_batch batch;
    log_take(log, &batch);
    buf_append_slice(&body, batch.bytes);
    log_free(log);
    return body;
}

struct run {
    struct node *node;       /* under test */
    struct effects *effects; /* of the last step */
    uint64_t now_ms;         /* the clock */
    uint64_t next_id;        /* of requests */
};

static void step(struct run *run, struct event *event)
{
    event->mono_ms = event->wall_ms = run->now_ms;
    node_step(run->node, event, run->effects);
    uint64_t commit = 0;
    uint64_t sync = 0;
    uint32_t dial = 0;
    for (uint32_t i = 0; i < run->effects->count; i++) {
        const struct effect *effect = &run->effects->list[i];
        if (effect->type == EFFECT_COMMIT)
            commit = effect->commit.id;
        else if (effect->type == EFFECT_SYNC)
            sync = effect->sync.id;
        else if (effect->type == EFFECT_CONNECT)
            dial = effect->connect.dial;
    }
    struct event done = {.type = EVENT_COMMITTED, .done = {commit}};
    if (commit != 0)
        step(run, &done);
    done = (struct event){.type = EVENT_SYNCED, .done = {sync}};
    if (sync != 0)
        step(run, &done);
    if (dial == 0)
        return;
    struct event up = {.type = EVENT_PEER_UP};
    up.peer_up.dial = dial;
    up.peer_up.conn = 1000 + dial;
    step(run, &up);
}

static void turn(struct run *run, struct event *event)
{
    step(run, event);
    struct event end = {.type = EVENT_TURN_END};
    step(run, &end);
}

static void send_frame(struct run *run, uint64_t conn, uint8_t type, struct slice body)
{
    struct buf frame = BUF_EMPTY;
    size_t begin = frame_begin(&frame);
    buf_append_slice(&frame, body);
    frame_end(begin, type, 42, 1, &frame);
    struct event event = {.type = EVENT_FRAME};
    event.frame.conn = conn;
    event.frame.bytes = buf_slice(&frame);
    turn(run, &event);
    buf_fini(&frame);
}

static void greet(struct run *run, uint64_t conn, uint32_t index)
{
    struct node_options options = options_of(index);
    struct msg_hello hello = {.node_id = 100 + index,
                              .generation = 1,
                              .state = HELLO_MEMBER,
                              .wall_ms = run->now_ms,
                              .epoch_max = 1,
                              .shard_count = 1,
                              .address = slice_str(options.address.text),
                              .view = SLICE_LIT("10.0.0.1:1,10.0.0.2:1,10.0.0.3:1")};
    struct buf body = BUF_EMPTY;
    msg_hello_encode(&hello, &body);
    send_frame(run, conn, MSG_HELLO, buf_slice(&body));
    buf_fini(&body);
}

static void tick(struct run *run, uint8_t byte)
{
    run->now_ms += byte;
    struct event event = {.type = EVENT_TICK};
    turn(run, &event);
    if (byte % 2 == 0)
        return;
    event = (struct event){.type = EVENT_REQUEST};
    event.request = (struct request){.id = ++run->next_id,
                                     .op = byte % 4 == 1 ? OP_PUT : OP_GET,
                                     .form = VALUE_JSON,
                                     .key = SLICE_LIT("k"),
                                     .value = SLICE_LIT("1"),
                                     .wait_ms = byte};
    if (event.request.op == OP_GET)
        event.request.value = SLICE_EMPTY;
    turn(run, &event);
}

static void act(struct run *run, struct read *in)
{
    uint8_t kind = read_u8(in);
    if (kind % 4 == 3) {
        tick(run, read_u8(in));
        return;
    }
    uint8_t from = read_u8(in);
    uint8_t type = read_u8(in);
    struct slice body = read_bytes(in, read_u16(in));
    if (!read_ok(in))
        return;
    uint64_t conn = from % 4 < 2 ? 10 + from % 4 : 1000 + from % 4;
    send_frame(run, conn, (uint8_t)(type % 20), body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = make_config();
    struct buf log = make_log(config);
    struct node_options options = options_of(SELF);
    static struct effects effects; /* a megabyte: not anew for every input */
    struct run run = {.node = node_new(&options), .effects = &effects, .now_ms = 1000000};
    struct log_segment segment = {1, buf_slice(&log)};
    struct event event = {.type = EVENT_RECOVER};
    event.recover.segments = &segment;
    event.recover.count = 1;
    turn(&run, &event);
    ASSERT(node_phase(run.node) == NODE_SERVING);
    for (uint32_t i = 1; i < NODES; i++) {
        greet(&run, 9 + i, i);    /* it dialled us */
        greet(&run, 1000 + i, i); /* it answers on what we dialled */
    }
    struct read in = read_of(slice_of(data, size));
    for (uint32_t i = 0; i < ACTIONS_MAX && read_left(&in) > 0 && read_ok(&in); i++)
        act(&run, &in);
    tick(&run, 200);
    node_check(run.node);
    node_free(run.node);
    buf_fini(&log);
    config_free(config);
    return 0;
}
