/* shell - events in, effects out: one node on one loop.
 *
 * Does:   see shell.h.
 * Not:    -
 * Holds:  W1 to W4.
 * Limits: -
 * See:    shell.h.
 */
#define _GNU_SOURCE
#include "server/shell.h"

#include "server/clients.h"
#include "server/render.h"
#include "sys/sys.h"

#include <stdio.h>
#include <uv.h>

struct shell {
    uv_loop_t *loop;               /* borrowed */
    const struct options *options; /* borrowed */
    struct logger *logger;         /* borrowed */
    struct node *node;             /* NULL before shell_start */
    struct effects *effects;       /* of the present step; owned: it is large */
    struct directory directory;    /* held */
    struct segments *segments;     /* the log's files */
    struct hub *hub;               /* all connections */
    struct clients *clients;       /* those that speak HTTP */
    struct buf full_answer;        /* to clients beyond CLIENTS_MAX */
    struct buf body;               /* scratch of render_call */
    uv_prepare_t prepare;          /* before the loop waits */
    uv_check_t check;              /* after its callbacks */
    uv_timer_t tick;               /* node_deadline_ms */
    uv_timer_t second;             /* sweeps */
    uv_timer_t ending;             /* time-outs of the end */
    uint64_t tick_ms;              /* what tick is set to; UINT64_MAX: not set */
    uint64_t start_ms;             /* of the loop's clock */
    uint64_t committed;            /* COMMITTED to be handed in next, or 0 */
    uint64_t linger_ms;            /* of the loop's clock: when lingering ends */
    uint32_t handles;              /* of the five above that the loop holds */
    bool commit_failed;            /* COMMIT_FAILED to be handed in next */
    bool stepped;                  /* since the last TURN_END */
    bool in_step;                  /* W1 */
    bool stopping;                 /* shell_stop was called */
    bool stopped;                  /* the node is through: it is not stepped any more */
    bool closing;                  /* shell_close was called */
    int exit_code;                 /* see shell_exit_code */
};

#define CLIENTS_MAX 10000U

static void shell_close(struct shell *shell);
static void on_ending(uv_timer_t *timer);

/* ---- Effects ---- */

static void do_commit(struct shell *shell, const struct effect *effect)
{
    switch (segments_commit(shell->segments, effect->commit.id, effect->commit.segment,
                            effect->commit.offset, effect->commit.bytes, effect->commit.sync)) {
    case SEGMENTS_DONE:
        shell->committed = effect->commit.id;
        break;
    case SEGMENTS_LATER:
        break;
    case SEGMENTS_FAILED:
        shell->commit_failed = true;
        break;
    }
}

static void do_stopped(struct shell *shell, bool failed)
{
    shell->stopped = true;
    if (failed || !shell->stopping)
        shell->exit_code = 1;
    uv_timer_start(&shell->ending, on_ending, 0, 10); /* now, but not from inside the step */
}

static void do_send(struct shell *shell, uint64_t id, struct slice bytes)
{
    struct conn *conn = hub_conn(shell->hub, id);
    if (conn != NULL)
        buf_append_slice(conn_out(conn), bytes);
}

static void do_hangup(struct shell *shell, uint64_t id)
{
    struct conn *conn = hub_conn(shell->hub, id);
    if (conn != NULL)
        conn_finish(conn);
}

static void carry_out(struct shell *shell, const struct effect *effect)
{
    switch (effect->type) {
    case EFFECT_CONNECT:
        hub_dial(shell->hub, effect->connect.dial, effect->connect.address);
        break;
    case EFFECT_HANGUP:
        do_hangup(shell, effect->hangup.conn);
        break;
    case EFFECT_SEND:
        do_send(shell, effect->send.conn, effect->send.bytes);
        break;
    case EFFECT_REPLY:
        clients_reply(shell->clients, shell->hub, &effect->reply);
        break;
    case EFFECT_COMMIT:
        do_commit(shell, effect);
        break;
    case EFFECT_SYNC:
        segments_sync(shell->segments, effect->sync.id);
        break;
    case EFFECT_DROP:
        segments_drop(shell->segments, effect->drop.segment);
        break;
    case EFFECT_STOPPED:
        do_stopped(shell, effect->stopped.failed);
        break;
    }
}

/* ---- Events ---- */

static void step_once(struct shell *shell, struct event *event)
{
    ASSERT(!shell->in_step);
    shell->in_step = true;
    event->mono_ms = uv_now(shell->loop);
    event->wall_ms = machine_wall_ms();
    node_step(shell->node, event, shell->effects);
    for (uint32_t i = 0; i < shell->effects->count; i++)
        carry_out(shell, &shell->effects->list[i]);
    shell->in_step = false;
}

/* One event, and what the disk answered at once to its effects. */
static void shell_step(struct shell *shell, struct event *event)
{
    if (shell->stopped)
        return;
    shell->stepped = event->type != EVENT_TURN_END;
    step_once(shell, event);
    while (!shell->stopped && (shell->committed > 0 || shell->commit_failed)) {
        struct event answer = {.type = EVENT_COMMITTED};
        answer.done.id = shell->committed;
        if (shell->commit_failed)
            answer.type = EVENT_COMMIT_FAILED;
        shell->committed = 0;
        shell->commit_failed = false;
        shell->stepped = true;
        step_once(shell, &answer);
    }
}

static void on_frame(void *arg, struct conn *conn, struct slice frame)
{
    struct event event = {.type = EVENT_FRAME};
    event.frame.conn = conn_id(conn);
    event.frame.bytes = frame;
    shell_step(arg, &event);
}

static void on_part(void *arg, struct conn *conn)
{
    struct event event = {.type = EVENT_PART};
    event.part.conn = conn_id(conn);
    shell_step(arg, &event);
}

static void on_peer_up(void *arg, uint32_t dial, struct conn *conn)
{
    struct event event = {.type = EVENT_PEER_UP};
    event.peer_up.dial = dial;
    event.peer_up.conn = conn_id(conn);
    shell_step(arg, &event);
}

static void on_dial_failed(void *arg, uint32_t dial, bool refused)
{
    struct event event = {.type = EVENT_PEER_DOWN};
    event.peer_down.dial = dial;
    event.peer_down.refused = refused;
    shell_step(arg, &event);
}

static void on_peer_down(void *arg, uint64_t conn, bool refused)
{
    struct event event = {.type = EVENT_PEER_DOWN};
    event.peer_down.conn = conn;
    event.peer_down.refused = refused;
    shell_step(arg, &event);
}

static void on_call(void *arg, const struct http_call *call, struct http_conn *conn)
{
    struct shell *shell = arg;
    if (call->kind == HTTP_NODE && !shell->stopped) {
        struct event event = {.type = EVENT_REQUEST};
        event.request = call->request;
        shell_step(shell, &event);
        return;
    }
    if (call->kind == HTTP_NODE) {
        http_conn_refuse(conn, call->id, E_STOPPING, SLICE_EMPTY);
        return;
    }
    struct server_figures figures = {0};
    figures.clients = hub_clients(shell->hub);
    figures.requests = clients_requests(shell->clients);
    figures.timeouts = clients_timeouts(shell->clients);
    figures.uptime_ms = uv_now(shell->loop) - shell->start_ms;
    if (call->kind == HTTP_METRICS)
        figures.resident_bytes = machine_resident_bytes();
    render_call(shell->node, &figures, call, conn, &shell->body);
}

static void on_gone(void *arg, uint64_t request_id)
{
    struct event event = {.type = EVENT_GONE};
    event.gone.id = request_id;
    shell_step(arg, &event);
}

static void on_committed(void *arg, uint64_t id)
{
    struct event event = {.type = EVENT_COMMITTED};
    event.done.id = id;
    shell_step(arg, &event);
}

static void on_synced(void *arg, uint64_t id)
{
    struct event event = {.type = EVENT_SYNCED};
    event.done.id = id;
    shell_step(arg, &event);
}

static void on_disk_failed(void *arg, const char *what)
{
    struct shell *shell = arg;
    struct event event = {.type = EVENT_COMMIT_FAILED};
    (void)what; /* said when the node has stopped */
    directory_distrust(&shell->directory);
    shell_step(shell, &event);
}

static void on_client_up(void *arg, struct conn *conn)
{
    struct shell *shell = arg;
    clients_up(shell->clients, conn);
}

static void on_client_bytes(void *arg, struct conn *conn, struct slice bytes)
{
    struct shell *shell = arg;
    clients_bytes(shell->clients, conn, bytes);
}

static void on_client_sent(void *arg, struct conn *conn)
{
    struct shell *shell = arg;
    clients_sent(shell->clients, conn);
}

static void on_client_eof(void *arg, struct conn *conn)
{
    struct shell *shell = arg;
    clients_eof(shell->clients, conn);
}

static void on_client_gone(void *arg, struct conn *conn)
{
    struct shell *shell = arg;
    clients_gone(shell->clients, conn);
}

static void on_note(void *arg, const struct conn *conn, const char *what)
{
    struct shell *shell = arg;
    char text[CONN_TEXT_BYTES];
    conn_text(conn, text);
    logger_say(shell->logger, TRACE_WARN, what, "peer", slice_str(text));
}

/* ---- Turns ---- */

static void on_tick(uv_timer_t *timer)
{
    struct shell *shell = timer->data;
    struct event event = {.type = EVENT_TICK};
    shell->tick_ms = UINT64_MAX;
    shell_step(shell, &event);
}

static void set_tick(struct shell *shell)
{
    uint64_t deadline_ms = node_deadline_ms(shell->node);
    if (shell->stopped || deadline_ms == shell->tick_ms)
        return;
    shell->tick_ms = deadline_ms;
    uint64_t now_ms = uv_now(shell->loop);
    if (deadline_ms == UINT64_MAX)
        uv_timer_stop(&shell->tick);
    else
        uv_timer_start(&shell->tick, on_tick, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

/* Calls, and what the node says to them, until it has nothing more to commit. */
static void settle(struct shell *shell)
{
    struct event event = {.type = EVENT_TURN_END};
    for (;;) {
        bool ran = clients_run(shell->clients);
        bool told = hub_deliver(shell->hub);
        if (ran || told)
            continue;
        if (!shell->stepped || shell->stopped)
            return;
        shell_step(shell, &event);
    }
}

static void turn_end(struct shell *shell)
{
    if (shell->closing)
        return;
    while (shell->stepped || clients_pending(shell->clients) || hub_pending(shell->hub)) {
        settle(shell);
        clients_flush(shell->clients);
        hub_flush(shell->hub);
        if (shell->stopped)
            shell->stepped = false;
    }
    set_tick(shell);
}

static void on_prepare(uv_prepare_t *prepare)
{
    turn_end(prepare->data);
}

static void on_check(uv_check_t *check)
{
    turn_end(check->data);
}

static void on_second(uv_timer_t *timer)
{
    struct shell *shell = timer->data;
    hub_sweep(shell->hub);
    clients_sweep(shell->clients, uv_now(shell->loop));
}

/* ---- The end ---- */

static void shell_end_line(struct shell *shell)
{
    const char *why = shell->segments == NULL ? "" : segments_why(shell->segments);
    if (why[0] != '\0')
        logger_say(shell->logger, TRACE_ERROR, "the disk refused, so this node stops", "reason",
                   slice_str(why));
    else if (!shell->stopped)
        logger_say(shell->logger, TRACE_ERROR, "the node did not stop in time", NULL, SLICE_EMPTY);
}

/* Once the node has stopped: clients may take their last answers. */
static void on_ending(uv_timer_t *timer)
{
    struct shell *shell = timer->data;
    uint64_t now_ms = uv_now(shell->loop);
    if (!shell->stopped) {
        shell->exit_code = 1;
        shell_end_line(shell);
        shell_close(shell);
        return;
    }
    if (shell->linger_ms == 0) {
        shell->linger_ms = now_ms + SHELL_LINGER_MS;
        hub_stop_listening(shell->hub);
        clients_stop(shell->clients);
        return;
    }
    bool lingers = hub_lingers(shell->hub) || hub_clients(shell->hub) > 0;
    if (shell->exit_code == 0 && lingers && now_ms < shell->linger_ms)
        return;
    shell_end_line(shell);
    shell_close(shell);
}

void shell_stop(struct shell *shell)
{
    if (shell->stopping || shell->closing)
        return;
    shell->stopping = true;
    logger_say(shell->logger, TRACE_INFO, "stopping", NULL, SLICE_EMPTY);
    if (shell->node == NULL || shell->stopped) {
        shell_close(shell);
        return;
    }
    hub_stop_listening(shell->hub);
    clients_stop(shell->clients);
    uv_timer_start(&shell->ending, on_ending, SHELL_STOP_MS, 0);
    struct event event = {.type = EVENT_STOP};
    shell_step(shell, &event);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct shell *shell = handle->data;
    ASSERT(shell->handles > 0);
    shell->handles--;
}

static void shell_close(struct shell *shell)
{
    if (shell->closing)
        return;
    shell->closing = true;
    shell->stopped = true;
    hub_close(shell->hub);
    uv_handle_t *handles[] = {(uv_handle_t *)&shell->prepare, (uv_handle_t *)&shell->check,
                              (uv_handle_t *)&shell->tick, (uv_handle_t *)&shell->second,
                              (uv_handle_t *)&shell->ending};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        uv_close(handles[i], on_handle_closed);
}

int shell_exit_code(const struct shell *shell)
{
    return shell->exit_code;
}

uint16_t shell_port(const struct shell *shell)
{
    return hub_port(shell->hub);
}

void shell_free(struct shell *shell)
{
    if (shell == NULL)
        return;
    ASSERT(shell->handles == 0);
    clients_free(shell->clients);
    hub_free(shell->hub);
    segments_free(shell->segments);
    if (shell->node != NULL)
        node_free(shell->node);
    directory_close(&shell->directory);
    buf_fini(&shell->full_answer);
    buf_fini(&shell->body);
    mem_free(shell->effects);
    mem_free(shell);
}

/* ---- The beginning ---- */

static void new_handles(struct shell *shell)
{
    uv_loop_t *loop = shell->loop;
    int failed = uv_prepare_init(loop, &shell->prepare);
    failed |= uv_check_init(loop, &shell->check);
    failed |= uv_timer_init(loop, &shell->tick);
    failed |= uv_timer_init(loop, &shell->second);
    failed |= uv_timer_init(loop, &shell->ending);
    ASSERT(failed == 0);
    shell->prepare.data = shell;
    shell->check.data = shell;
    shell->tick.data = shell;
    shell->second.data = shell;
    shell->ending.data = shell;
    shell->handles = 5;
}

static void new_connections(struct shell *shell)
{
    const struct knobs *knobs = &shell->options->node.knobs;
    struct http_limits limits;
    http_limits_init(&limits, knobs->max_key_bytes, knobs->max_value_bytes);
    struct clients_calls client_calls = {on_call, on_gone, shell};
    shell->clients = clients_new(&limits, &client_calls);
    clients_last_answer(&shell->full_answer, "503 Service Unavailable\r\nRetry-After: 1",
                        "Too many connections");
    struct hub_options hub_options = {CLIENTS_MAX, buf_slice(&shell->full_answer)};
    struct hub_calls hub_calls = {.frame = on_frame,
                                  .part = on_part,
                                  .peer_up = on_peer_up,
                                  .dial_failed = on_dial_failed,
                                  .peer_down = on_peer_down,
                                  .client_up = on_client_up,
                                  .client_bytes = on_client_bytes,
                                  .client_sent = on_client_sent,
                                  .client_eof = on_client_eof,
                                  .client_gone = on_client_gone,
                                  .note = on_note,
                                  .arg = shell};
    shell->hub = hub_new(shell->loop, &hub_options, &hub_calls);
}

struct shell *shell_new(uv_loop_t *loop, const struct options *options, struct logger *logger)
{
    struct shell *shell = mem_zalloc(1, sizeof(*shell));
    shell->loop = loop;
    shell->options = options;
    shell->logger = logger;
    shell->effects = mem_zalloc(1, sizeof(*shell->effects));
    shell->directory = (struct directory){-1, -1, 0};
    shell->tick_ms = UINT64_MAX;
    shell->start_ms = uv_now(loop);
    new_handles(shell);
    new_connections(shell);
    return shell;
}

static void start_node(struct shell *shell)
{
    struct node_options *options = mem_dup(&shell->options->node, sizeof(*options));
    machine_entropy(options->entropy, sizeof(options->entropy));
    options->boot_id = machine_boot_id();
    options->directory_id = shell->directory.identity;
    options->tracer = (struct tracer){logger_emit, shell->logger};
    shell->node = node_new(options);
    mem_free(options);
}

static bool start_disk(struct shell *shell, struct buf *why)
{
    if (!directory_open(&shell->directory, shell->options->data_dir, why))
        return false;
    struct segments_calls calls = {on_committed, on_synced, on_disk_failed, shell};
    shell->segments = segments_new(shell->loop, shell->directory.fd, &calls);
    return segments_load(shell->segments, why);
}

static void recover(struct shell *shell)
{
    struct event event = {.type = EVENT_RECOVER};
    event.recover.segments = segments_loaded(shell->segments, &event.recover.count);
    shell_step(shell, &event);
    segments_unload(shell->segments);
}

static bool start_listening(struct shell *shell, struct buf *why)
{
    const struct options *options = shell->options;
    if (options->listen_count == 0)
        return hub_listen(shell->hub, SLICE_EMPTY, options->port, why);
    for (uint32_t i = 0; i < options->listen_count; i++)
        if (!hub_listen(shell->hub, slice_str(options->listen[i]), 0, why))
            return false;
    return true;
}

bool shell_start(struct shell *shell, struct buf *why)
{
    if (!start_disk(shell, why) || !start_listening(shell, why)) {
        shell->exit_code = 1;
        shell_close(shell);
        return false;
    }
    start_node(shell);
    uv_prepare_start(&shell->prepare, on_prepare);
    uv_check_start(&shell->check, on_check);
    uv_timer_start(&shell->second, on_second, 1000, 1000);
    uv_update_time(shell->loop);
    recover(shell);
    return true;
}
