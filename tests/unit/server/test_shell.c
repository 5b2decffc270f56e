/* test_shell - the loop around a node that is none.
 *
 * Does:   W1 to W4 and K1 with a fake node (the functions of node.h are defined here): one commit
 *         a turn, answers after it, withdrawal, time, the clean stop, the stop of a refusing disk.
 * Not:    what a node decides.
 * Holds:  -
 * Limits: -
 * See:    src/server/shell.h; tests/e2e for the real thing.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/http.h"
#include "server/shell.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* ---- The fake: answers GET at once, PUT after its commit, DELETE never ---- */

#define WAITING_MAX 256U

struct node {
    uint64_t puts[WAITING_MAX];    /* ids that the next commit carries */
    uint32_t put_count;            /* in use */
    uint64_t resting[WAITING_MAX]; /* ids whose commit is under way */
    uint32_t resting_count;        /* in use */
    uint64_t deletes[WAITING_MAX]; /* ids never answered */
    uint32_t delete_count;         /* in use */
    uint64_t commit_id;            /* the last one */
    uint64_t offset;               /* in segment 1 */
    uint64_t deadline_ms;          /* see node_deadline_ms */
    bool stopping;                 /* STOP came */
};

/* What the fake saw; one world at a time. */
static struct {
    unsigned steps;       /* since the last TURN_END */
    unsigned turns;       /* TURN_END */
    unsigned empty_turns; /* TURN_END with nothing before */
    unsigned commits;     /* COMMITTED */
    unsigned gone;        /* GONE */
    unsigned ticks;       /* TICK */
    unsigned failed;      /* COMMIT_FAILED */
    unsigned recovered;   /* RECOVER */
    unsigned depth;       /* W1 */
    uint64_t wanted_ms;   /* the last deadline */
    uint64_t segment;     /* where commits go */
    bool sync;            /* whether commits ask for it */
} seen;

struct node *node_new(const struct node_options *options)
{
    assert_true(options->boot_id != 0);
    assert_true(options->directory_id != 0);
    struct node *node = mem_zalloc(1, sizeof(*node));
    node->deadline_ms = UINT64_MAX;
    return node;
}

void node_free(struct node *node)
{
    mem_free(node);
}

static struct effect *add(struct effects *effects, enum effect_type type)
{
    struct effect *effect = &effects->list[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->type = type;
    return effect;
}

static void answer(struct effects *effects, uint64_t id, enum err err, enum outcome outcome)
{
    struct effect *effect = add(effects, EFFECT_REPLY);
    effect->reply.id = id;
    effect->reply.err = err;
    effect->reply.outcome = outcome;
    effect->reply.token = SLICE_LIT("token");
    if (outcome == OUTCOME_FOUND) {
        effect->reply.form = VALUE_JSON;
        effect->reply.value = SLICE_LIT("17");
    }
}

static void fake_request(struct node *node, const struct request *request, struct effects *effects)
{
    assert_int_equal(request->session, http_call_session(request->id));
    if (request->op == OP_GET)
        answer(effects, request->id, E_OK, OUTCOME_FOUND);
    else if (request->op == OP_PUT)
        node->puts[node->put_count++] = request->id;
    else
        node->deletes[node->delete_count++] = request->id;
}

static void fake_turn_end(struct node *node, struct effects *effects)
{
    static const uint8_t bytes[100] = {1};
    seen.turns++;
    seen.empty_turns += seen.steps == 0;
    seen.steps = 0;
    if (node->put_count == 0 || node->resting_count > 0)
        return;
    struct effect *effect = add(effects, EFFECT_COMMIT);
    effect->commit.id = ++node->commit_id;
    effect->commit.segment = seen.segment;
    effect->commit.offset = node->offset;
    effect->commit.bytes = slice_of(bytes, sizeof(bytes));
    effect->commit.sync = seen.sync;
    node->offset += sizeof(bytes);
    memcpy(node->resting, node->puts, sizeof(node->puts));
    node->resting_count = node->put_count;
    node->put_count = 0;
}

static void fake_committed(struct node *node, uint64_t id, struct effects *effects)
{
    assert_int_equal(id, node->commit_id);
    seen.commits++;
    for (uint32_t i = 0; i < node->resting_count; i++)
        answer(effects, node->resting[i], E_OK, OUTCOME_CREATED);
    node->resting_count = 0;
}

static void fake_stop(struct node *node, struct effects *effects)
{
    for (uint32_t i = 0; i < node->delete_count; i++)
        answer(effects, node->deletes[i], E_STOPPING, OUTCOME_NONE);
    node->delete_count = 0;
    add(effects, EFFECT_SYNC)->sync.id = 1;
}

void node_step(struct node *node, const struct event *event, struct effects *effects)
{
    assert_int_equal(seen.depth++, 0);
    effects->count = 0;
    seen.steps += event->type != EVENT_TURN_END;
    switch (event->type) {
    case EVENT_RECOVER:
        seen.recovered++;
        break;
    case EVENT_TICK:
        seen.ticks++;
        assert_true(event->mono_ms >= node->deadline_ms);
        node->deadline_ms = UINT64_MAX;
        break;
    case EVENT_REQUEST:
        fake_request(node, &event->request, effects);
        node->deadline_ms = event->mono_ms + 5;
        seen.wanted_ms = node->deadline_ms;
        break;
    case EVENT_GONE:
        seen.gone++;
        break;
    case EVENT_TURN_END:
        fake_turn_end(node, effects);
        break;
    case EVENT_COMMITTED:
        fake_committed(node, event->done.id, effects);
        break;
    case EVENT_COMMIT_FAILED:
        seen.failed++;
        add(effects, EFFECT_STOPPED)->stopped.failed = true;
        break;
    case EVENT_STOP:
        fake_stop(node, effects);
        break;
    case EVENT_SYNCED:
        add(effects, EFFECT_STOPPED);
        break;
    case EVENT_PEER_UP:
    case EVENT_PEER_DOWN:
    case EVENT_FRAME:
    case EVENT_PART:
        break;
    }
    seen.depth--;
}

uint64_t node_deadline_ms(const struct node *node)
{
    return node->deadline_ms;
}

enum node_phase node_phase(const struct node *node)
{
    (void)node;
    return NODE_BOOTING;
}

bool node_is_ready(const struct node *node)
{
    return node_phase(node) == NODE_SERVING;
}

void node_why_not(const struct node *node, struct buf *out)
{
    (void)node;
    buf_append_slice(out, SLICE_LIT("waiting for nobody"));
}

bool node_only_here(const struct node *node, uint64_t *count)
{
    (void)node;
    (void)count;
    return false;
}

const struct config *node_config(const struct node *node)
{
    (void)node;
    return NULL;
}

const struct table *node_table(const struct node *node)
{
    (void)node;
    return NULL; /* nobody looks before there is a configuration */
}

uint64_t node_id(const struct node *node)
{
    (void)node;
    return 1;
}

bool node_believes_alive(const struct node *node, uint64_t id)
{
    (void)node;
    return id == 1;
}

uint32_t node_reachable_view(const struct node *node, const struct address *list[LIMIT_MEMBERS])
{
    static const struct address only = {"127.0.0.1:1"};
    (void)node;
    list[0] = &only;
    return 1;
}

uint32_t node_shard(const struct node *node)
{
    (void)node;
    return SHARD_NONE;
}

const struct metrics *node_metrics(struct node *node)
{
    static const struct metrics metrics = {.reads = 5};
    (void)node;
    return &metrics;
}

const struct vv *node_coverage(const struct node *node)
{
    static const struct vv nothing;
    (void)node;
    return &nothing;
}

void node_stable(const struct node *node, struct vv *stable)
{
    (void)node;
    vv_init(stable);
}

bool node_peer_info(const struct node *node, uint64_t id, struct node_peer_info *info)
{
    (void)node;
    (void)id;
    (void)info;
    return false;
}

/* ---- The world ---- */

struct world {
    uv_loop_t loop;         /* its own */
    char dir[64];           /* data directory */
    struct options options; /* of the shell */
    struct logger logger;   /* to nowhere */
    struct shell *shell;    /* under test */
    uint64_t start_ms;      /* for the deadline of UNTIL */
};

static uint64_t no_time(void)
{
    return 0;
}

static int begin(void **state)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    memset(&seen, 0, sizeof(seen));
    seen.segment = 1;
    snprintf(world->dir, sizeof(world->dir), "/tmp/thence-shell-XXXXXX");
    if (mkdtemp(world->dir) == NULL || uv_loop_init(&world->loop) != 0)
        return 1;
    memcpy(world->options.data_dir, world->dir, sizeof(world->dir));
    knobs_init(&world->options.node.knobs);
    world->options.listen_count = 1;
    snprintf(world->options.listen[0], sizeof(world->options.listen[0]), "127.0.0.1:0");
    logger_init(&world->logger, open("/dev/null", O_WRONLY), LOG_FORMAT_TEXT, TRACE_INFO, no_time);
    world->shell = shell_new(&world->loop, &world->options, &world->logger);
    struct buf why = BUF_EMPTY;
    bool started = shell_start(world->shell, &why);
    buf_fini(&why);
    world->start_ms = uv_now(&world->loop);
    *state = world;
    return !started;
}

static int end(void **state)
{
    struct world *world = *state;
    shell_stop(world->shell);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    shell_free(world->shell);
    int left = uv_loop_close(&world->loop);
    close(world->logger.fd);
    logger_fini(&world->logger);
    char path[128];
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/log-%016x", world->dir, i);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/lock", world->dir);
    unlink(path);
    rmdir(world->dir);
    mem_free(world);
    return left;
}

#define UNTIL(world, condition)                                                                    \
    while (!(condition)) {                                                                         \
        uv_run(&(world)->loop, UV_RUN_NOWAIT);                                                     \
        assert_true(uv_now(&(world)->loop) - (world)->start_ms < 10000);                           \
    }

static int client(const struct world *world)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(shell_port(world->shell)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void put_request(struct buf *out, const char *method, const char *path, const char *body)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "%s %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       method, path, strlen(body), body);
    buf_append(out, text, (size_t)len);
}

static void ask(int fd, const char *method, const char *path, const char *body)
{
    struct buf out = BUF_EMPTY;
    put_request(&out, method, path, body);
    assert_int_equal(write(fd, out.ptr, out.len), (ssize_t)out.len);
    buf_fini(&out);
}

/* Takes what came; counts how often what is in it. */
static unsigned take(int fd, struct buf *got, const char *what)
{
    unsigned count = 0;
    for (;;) {
        uint8_t *at = buf_reserve(got, 4096);
        ssize_t len = read(fd, at, 4096);
        if (len <= 0)
            break;
        got->len += (size_t)len;
    }
    const uint8_t *at = got->ptr;
    size_t left = got->len;
    const uint8_t *found;
    while (left > 0 && (found = memmem(at, left, what, strlen(what))) != NULL) {
        count++;
        left -= (size_t)(found - at) + 1;
        at = found + 1;
    }
    return count;
}

static void test_many_writes_one_commit(void **state)
{
    struct world *world = *state;
    assert_int_equal(seen.recovered, 1);
    int fd = client(world);
    struct buf out = BUF_EMPTY;
    struct buf got = BUF_EMPTY;
    for (int i = 0; i < 60; i++)
        put_request(&out, "PUT", "/kvs/x", "{\"value\":1}");
    assert_int_equal(write(fd, out.ptr, out.len), (ssize_t)out.len);
    UNTIL(world, take(fd, &got, "HTTP/1.1 201") == 60);
    assert_int_equal(seen.commits, 1);
    assert_int_equal(seen.empty_turns, 0);
    assert_int_equal(seen.steps, 0); /* W3 */
    buf_fini(&out);
    buf_fini(&got);
    close(fd);
}

static void test_synced_commit(void **state)
{
    struct world *world = *state;
    seen.sync = true;
    int fd = client(world);
    struct buf got = BUF_EMPTY;
    for (unsigned i = 1; i <= 5; i++) {
        ask(fd, "PUT", "/kvs/x", "{\"value\":1}");
        ask(fd, "GET", "/kvs/x", "");
        UNTIL(world, take(fd, &got, "HTTP/1.1 ") == 2 * i);
        assert_int_equal(seen.commits, i);
    }
    assert_int_equal(take(fd, &got, "\"value\":17"), 5);
    buf_fini(&got);
    close(fd);
}

static void test_gone_is_withdrawn(void **state)
{
    struct world *world = *state;
    int fd = client(world);
    for (int i = 0; i < 3; i++)
        ask(fd, "DELETE", "/kvs/x", "{}");
    ask(fd, "GET", "/kvs/x", "");
    UNTIL(world, seen.turns > 1);
    for (int i = 0; i < 20; i++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
    UNTIL(world, seen.gone == 3);
    assert_int_equal(seen.steps, 0);
}

static void test_time(void **state)
{
    struct world *world = *state;
    int fd = client(world);
    for (unsigned i = 1; i <= 3; i++) {
        ask(fd, "GET", "/kvs/x", "");
        UNTIL(world, seen.ticks == i);
        assert_true(uv_now(&world->loop) < seen.wanted_ms + 1000);
        assert_int_equal(seen.steps, 0);
    }
    close(fd);
}

static void test_half_closed_gets_all(void **state)
{
    struct world *world = *state;
    int fd = client(world);
    struct buf got = BUF_EMPTY;
    ask(fd, "PUT", "/kvs/x", "{\"value\":1}");
    ask(fd, "GET", "/kvs/x", "");
    shutdown(fd, SHUT_WR);
    UNTIL(world, take(fd, &got, "HTTP/1.1 20") == 2);
    uint8_t byte;
    UNTIL(world, read(fd, &byte, 1) == 0);
    assert_int_equal(seen.gone, 0);
    buf_fini(&got);
    close(fd);
}

static void test_before_the_first_configuration(void **state)
{
    struct world *world = *state;
    int fd = client(world);
    struct buf got = BUF_EMPTY;
    ask(fd, "GET", "/view", "");
    UNTIL(world, take(fd, &got, "{\"view\":[\"127.0.0.1:1\"]}") == 1);
    ask(fd, "GET", "/shard/ids", "");
    ask(fd, "GET", "/shard/node-shard-id", "");
    ask(fd, "GET", "/shard/members/s0", "");
    ask(fd, "GET", "/shard/reshard", "");
    ask(fd, "GET", "/readyz", "");
    UNTIL(world, take(fd, &got, "HTTP/1.1 503") == 5);
    assert_int_equal(take(fd, &got, "waiting for nobody"), 5);
    ask(fd, "GET", "/healthz", "");
    ask(fd, "GET", "/metrics", "");
    ask(fd, "GET", "/cluster", "");
    UNTIL(world, take(fd, &got, "HTTP/1.1 200") == 4);
    assert_int_equal(take(fd, &got, "\nthence_reads 5\n"), 1);
    assert_int_equal(take(fd, &got, "\"phase\":\"booting\""), 1);
    buf_fini(&got);
    close(fd);
}

static void test_disk_refuses(void **state)
{
    struct world *world = *state;
    char path[128];
    seen.segment = 2;
    snprintf(path, sizeof(path), "%s/log-%016x", world->dir, 2U);
    close(open(path, O_CREAT | O_WRONLY, 0600)); /* it must not exist: the commit fails */
    int fd = client(world);
    ask(fd, "PUT", "/kvs/x", "{\"value\":1}");
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(shell_exit_code(world->shell), 1);
    struct buf got = BUF_EMPTY;
    assert_int_equal(take(fd, &got, "HTTP/1.1 201"), 0); /* W4 */
    buf_fini(&got);
    close(fd);
}

static void test_clean_stop(void **state)
{
    struct world *world = *state;
    int waits = client(world);
    int idle = client(world);
    struct buf got = BUF_EMPTY;
    ask(waits, "DELETE", "/kvs/x", "{}");
    ask(idle, "GET", "/kvs/x", "");
    UNTIL(world, take(idle, &got, "HTTP/1.1 200") == 1);
    buf_reset(&got);
    uint64_t before = uv_now(&world->loop);
    shell_stop(world->shell);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_true(uv_now(&world->loop) - before < 500);
    assert_int_equal(shell_exit_code(world->shell), 0);
    assert_int_equal(take(waits, &got, "HTTP/1.1 503"), 1);
    close(waits);
    close(idle);
    buf_fini(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_writes_one_commit, begin, end),
        cmocka_unit_test_setup_teardown(test_synced_commit, begin, end),
        cmocka_unit_test_setup_teardown(test_gone_is_withdrawn, begin, end),
        cmocka_unit_test_setup_teardown(test_time, begin, end),
        cmocka_unit_test_setup_teardown(test_half_closed_gets_all, begin, end),
        cmocka_unit_test_setup_teardown(test_before_the_first_configuration, begin, end),
        cmocka_unit_test_setup_teardown(test_disk_refuses, begin, end),
        cmocka_unit_test_setup_teardown(test_clean_stop, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
