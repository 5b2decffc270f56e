/* test_clients - who is late is cut off, and nobody else.
 *
 * Does:   the time-outs of clients with a clock of its own, over real sockets: idle, a head and a
 *         body that do not come, answers that are not taken; half-closed clients; K1.
 * Not:    HTTP.
 * Holds:  -
 * Limits: -
 * See:    src/server/clients.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/clients.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

struct world {
    uv_loop_t loop;          /* its own */
    struct hub *hub;         /* real */
    struct clients *clients; /* under test */
    struct buf body;         /* of every answer to /view */
    uint64_t now_ms;         /* the clock of sweeps */
    uint64_t start_ms;       /* for the deadline of UNTIL */
    unsigned held;           /* calls of the node: never answered */
    unsigned gone;           /* withdrawn */
    int fd;                  /* the client */
    struct buf got;          /* by the client */
    bool ended;              /* the client saw the end */
};

static void on_call(void *arg, const struct http_call *call, struct http_conn *conn)
{
    struct world *world = arg;
    if (call->kind == HTTP_NODE) {
        world->held++;
        return;
    }
    struct http_response response = {200, SLICE_EMPTY, buf_slice(&world->body), 0};
    http_conn_respond(conn, call->id, &response);
}

static void on_gone(void *arg, uint64_t request_id)
{
    struct world *world = arg;
    assert_true(request_id > 0);
    world->gone++;
}

static void on_client_up(void *arg, struct conn *conn)
{
    struct world *world = arg;
    clients_up(world->clients, conn);
}

static void on_client_bytes(void *arg, struct conn *conn, struct slice bytes)
{
    struct world *world = arg;
    clients_bytes(world->clients, conn, bytes);
}

static void on_client_sent(void *arg, struct conn *conn)
{
    struct world *world = arg;
    clients_sent(world->clients, conn);
}

static void on_client_eof(void *arg, struct conn *conn)
{
    struct world *world = arg;
    clients_eof(world->clients, conn);
}

static void on_client_gone(void *arg, struct conn *conn)
{
    struct world *world = arg;
    clients_gone(world->clients, conn);
}

static int begin(void **state)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    struct http_limits limits;
    http_limits_init(&limits, 1024, 8U << 20);
    struct clients_calls calls = {on_call, on_gone, world};
    struct hub_options options = {100, SLICE_LIT("full")};
    struct hub_calls hub_calls = {.client_up = on_client_up,
                                  .client_bytes = on_client_bytes,
                                  .client_sent = on_client_sent,
                                  .client_eof = on_client_eof,
                                  .client_gone = on_client_gone,
                                  .arg = world};
    struct buf why = BUF_EMPTY;
    if (uv_loop_init(&world->loop) != 0)
        return 1;
    world->clients = clients_new(&limits, &calls);
    world->hub = hub_new(&world->loop, &options, &hub_calls);
    bool listens = hub_listen(world->hub, SLICE_LIT("127.0.0.1:0"), 0, &why);
    buf_fini(&why);
    buf_append(&world->body, "{}", 2);
    world->now_ms = 1000000;
    world->start_ms = uv_hrtime() / 1000000;
    world->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(hub_port(world->hub)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    *state = world;
    return !listens || connect(world->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
           fcntl(world->fd, F_SETFL, O_NONBLOCK) != 0;
}

/* What the shell does once a turn. */
static void turn(struct world *world)
{
    uv_run(&world->loop, UV_RUN_NOWAIT);
    do {
        while (clients_run(world->clients) || hub_deliver(world->hub))
            ;
        clients_flush(world->clients);
        hub_flush(world->hub);
    } while (clients_pending(world->clients) || hub_pending(world->hub));
}

static int end(void **state)
{
    struct world *world = *state;
    if (world->fd >= 0)
        close(world->fd);
    hub_close(world->hub);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    clients_free(world->clients);
    hub_free(world->hub);
    int left = uv_loop_close(&world->loop);
    buf_fini(&world->body);
    buf_fini(&world->got);
    mem_free(world);
    return left;
}

static void take(struct world *world)
{
    ssize_t len = 1;
    while (len > 0) {
        uint8_t *at = buf_reserve(&world->got, 1U << 16);
        len = read(world->fd, at, 1U << 16);
        world->got.len += len > 0 ? (size_t)len : 0;
    }
    world->ended = world->ended || len == 0;
}

static bool got(struct world *world, const char *what)
{
    take(world);
    return world->got.len > 0 && memmem(world->got.ptr, world->got.len, what, strlen(what)) != NULL;
}

#define UNTIL(world, condition)                                                                    \
    while (!(condition)) {                                                                         \
        turn(world);                                                                               \
        assert_true(uv_hrtime() / 1000000 - (world)->start_ms < 10000);                            \
    }

static void say(struct world *world, const char *text)
{
    assert_int_equal(write(world->fd, text, strlen(text)), (ssize_t)strlen(text));
    struct pollfd arrived = {world->fd, POLLOUT, 0};
    (void)poll(&arrived, 1, 1);
    for (int i = 0; i < 5; i++)
        turn(world);
}

/* Seconds pass, a sweep each. */
static void pass(struct world *world, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        world->now_ms += 1000;
        clients_sweep(world->clients, world->now_ms);
        turn(world);
    }
    take(world);
}

static void test_idle(void **state)
{
    struct world *world = *state;
    say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(world, got(world, "200 OK"));
    pass(world, 70);
    assert_false(world->ended);
    say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    pass(world, 70); /* the clock began anew */
    assert_false(world->ended);
    pass(world, 10);
    UNTIL(world, (take(world), world->ended));
    assert_false(got(world, "408"));
}

static void test_head(void **state)
{
    struct world *world = *state;
    say(world, "GET /view HTTP/1.1\r\nHo");
    pass(world, 5);
    say(world, "st: a\r\nX: "); /* a trickle does not help */
    pass(world, 4);
    assert_false(world->ended);
    pass(world, 3);
    UNTIL(world, got(world, "HTTP/1.1 408 ") && world->ended);
    assert_int_equal(clients_timeouts(world->clients), 1);
}

static void test_body(void **state)
{
    struct world *world = *state;
    say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(world, got(world, "200 OK"));
    pass(world, 60); /* idle before: does not count */
    say(world, "PUT /kvs/x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Content-Length: 100\r\n\r\n{\"v");
    pass(world, 6);
    say(world, "alue\":1"); /* progress */
    pass(world, 3);
    assert_false(world->ended);
    pass(world, 10);
    UNTIL(world, got(world, "HTTP/1.1 408 ") && world->ended);
    assert_int_equal(world->held, 0);
}

static void test_waiting_for_us_is_not_late(void **state)
{
    struct world *world = *state;
    say(world, "DELETE /kvs/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    UNTIL(world, world->held == 1);
    pass(world, 200);
    assert_false(world->ended);
    assert_int_equal(clients_timeouts(world->clients), 0);
    struct linger hard = {1, 0};
    setsockopt(world->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(world->fd);
    world->fd = -1;
    UNTIL(world, world->gone == 1); /* K1 */
    assert_int_equal(hub_clients(world->hub), 0);
}

/* Answers that nobody takes; then it is cut off without a word. */
static void test_not_reading(void **state)
{
    struct world *world = *state;
    memset(buf_grow(&world->body, 16U << 20), ' ', 16U << 20);
    say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 50; i++)
        turn(world);
    for (unsigned i = 0; i < 70; i++) {
        world->now_ms += 1000;
        clients_sweep(world->clients, world->now_ms);
        turn(world);
    }
    assert_int_equal(hub_clients(world->hub), 1);
    for (unsigned i = 0; i < 10; i++) {
        world->now_ms += 1000;
        clients_sweep(world->clients, world->now_ms);
        turn(world);
    }
    assert_int_equal(hub_clients(world->hub), 0);
    assert_int_equal(clients_timeouts(world->clients), 1);
}

/* All that a client asked before it closed its side is answered, however large. */
static void test_half_closed(void **state)
{
    struct world *world = *state;
    memset(buf_grow(&world->body, 3U << 20), ' ', 3U << 20);
    for (int i = 0; i < 12; i++)
        say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(world->fd, SHUT_WR);
    for (int i = 0; i < 5; i++)
        turn(world);
    UNTIL(world, (take(world), world->ended));
    assert_true(world->got.len > 12 * (3U << 20));
}

/* A client that closed its side in the middle of a request is let go. */
static void test_half_a_request(void **state)
{
    struct world *world = *state;
    say(world, "PUT /kvs/x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Content-Length: 100\r\n\r\n{\"v");
    shutdown(world->fd, SHUT_WR);
    UNTIL(world, (take(world), world->ended));
    assert_int_equal(world->held, 0);
}

static void test_stop(void **state)
{
    struct world *world = *state;
    say(world, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(world, got(world, "200 OK"));
    clients_stop(world->clients);
    UNTIL(world, (take(world), world->ended));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_idle, begin, end),
        cmocka_unit_test_setup_teardown(test_head, begin, end),
        cmocka_unit_test_setup_teardown(test_body, begin, end),
        cmocka_unit_test_setup_teardown(test_waiting_for_us_is_not_late, begin, end),
        cmocka_unit_test_setup_teardown(test_not_reading, begin, end),
        cmocka_unit_test_setup_teardown(test_half_closed, begin, end),
        cmocka_unit_test_setup_teardown(test_half_a_request, begin, end),
        cmocka_unit_test_setup_teardown(test_stop, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
