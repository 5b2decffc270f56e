/* test_hub - connections between two hubs in one loop.
 *
 * Does:   dials (also refused and silent ones), first byte, frames cut in any way, bad frames,
 *         large data both ways, hanging up, slow readers, ends told once.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    src/net/hub.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define DEADLINE_MS 10000U

/* One side, and what it was told. */
struct side {
    struct hub *hub;       /* under test */
    uint64_t peer;         /* the connection last told of by peer_up or a frame */
    struct conn *client;   /* last told of */
    struct buf bytes;      /* of clients, all of them */
    struct buf frames;     /* one after the other */
    unsigned frame_count;  /* of them */
    unsigned ups;          /* peer_up */
    unsigned failed;       /* dial_failed */
    unsigned downs;        /* peer_down */
    unsigned gone;         /* client_gone */
    unsigned eofs;         /* client_eof */
    unsigned notes;        /* lines */
    unsigned parts;        /* part */
    bool refused;          /* of the last dial_failed or peer_down */
    bool hang_up_on_frame; /* finish from inside the call */
};

struct world {
    uv_loop_t loop;      /* its own */
    uv_timer_t deadline; /* a test that hangs fails */
    bool late;           /* the deadline is over */
    struct side a;       /* listens */
    struct side b;       /* dials */
};

static void on_frame(void *arg, struct conn *conn, struct slice frame)
{
    struct side *side = arg;
    side->peer = conn_id(conn);
    side->frame_count++;
    buf_append_slice(&side->frames, frame);
    if (side->hang_up_on_frame)
        conn_finish(conn);
}

static void on_peer_up(void *arg, uint32_t dial, struct conn *conn)
{
    struct side *side = arg;
    assert_true(dial > 0);
    side->peer = conn_id(conn);
    side->ups++;
}

static void on_dial_failed(void *arg, uint32_t dial, bool refused)
{
    struct side *side = arg;
    assert_true(dial > 0);
    side->failed++;
    side->refused = refused;
}

static void on_peer_down(void *arg, uint64_t conn, bool refused)
{
    struct side *side = arg;
    assert_true(conn > 0);
    side->downs++;
    side->refused = refused;
}

static void on_client_up(void *arg, struct conn *conn)
{
    struct side *side = arg;
    side->client = conn;
    conn_set_user(conn, side);
}

static void on_client_bytes(void *arg, struct conn *conn, struct slice bytes)
{
    struct side *side = arg;
    assert_ptr_equal(conn_user(conn), side);
    buf_append_slice(&side->bytes, bytes);
}

static void on_client_sent(void *arg, struct conn *conn)
{
    struct side *side = arg;
    assert_ptr_equal(conn_user(conn), side);
}

static void on_client_eof(void *arg, struct conn *conn)
{
    struct side *side = arg;
    side->eofs++;
    conn_finish(conn);
}

static void on_client_gone(void *arg, struct conn *conn)
{
    struct side *side = arg;
    assert_ptr_equal(conn_user(conn), side);
    side->gone++;
    side->client = NULL;
}

static void on_note(void *arg, const struct conn *conn, const char *what)
{
    struct side *side = arg;
    char text[CONN_TEXT_BYTES];
    conn_text(conn, text);
    assert_true(strlen(what) > 0);
    side->notes++;
}

static void on_part(void *arg, struct conn *conn)
{
    struct side *side = arg;
    side->parts += conn_id(conn) != 0;
}

static void side_init(struct world *world, struct side *side, uint32_t clients_max)
{
    struct hub_calls calls = {on_frame,      on_part,        on_peer_up,      on_dial_failed,
                              on_peer_down,  on_client_up,   on_client_bytes, on_client_sent,
                              on_client_eof, on_client_gone, on_note,         side};
    struct hub_options options = {clients_max, SLICE_LIT("full\n")};
    side->hub = hub_new(&world->loop, &options, &calls);
}

static void on_deadline(uv_timer_t *timer)
{
    struct world *world = timer->data;
    world->late = true;
}

static int begin(void **state)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    if (uv_loop_init(&world->loop) != 0 || uv_timer_init(&world->loop, &world->deadline) != 0)
        return 1;
    world->deadline.data = world;
    uv_timer_start(&world->deadline, on_deadline, DEADLINE_MS, 0);
    side_init(world, &world->a, 3);
    side_init(world, &world->b, 3);
    struct buf why = BUF_EMPTY;
    *state = world;
    bool listens = hub_listen(world->a.hub, SLICE_LIT("127.0.0.1:0"), 0, &why);
    buf_fini(&why);
    return !listens;
}

static void turn(struct world *world, uv_run_mode mode)
{
    hub_flush(world->a.hub);
    hub_flush(world->b.hub);
    uv_run(&world->loop, mode);
    while (hub_deliver(world->a.hub) || hub_deliver(world->b.hub))
        ;
}

/* The loop does not know of plain sockets: it must not wait for them. */
#define UNTIL_MODE(world, mode, condition)                                                         \
    do {                                                                                           \
        while (!(condition)) {                                                                     \
            turn((world), (mode));                                                                 \
            assert_false((world)->late);                                                           \
        }                                                                                          \
    } while (0)

#define UNTIL(world, condition) UNTIL_MODE(world, UV_RUN_ONCE, condition)

static int end(void **state)
{
    struct world *world = *state;
    hub_close(world->a.hub);
    hub_close(world->b.hub);
    uv_close((uv_handle_t *)&world->deadline, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&world->loop);
    hub_free(world->a.hub);
    hub_free(world->b.hub);
    buf_fini(&world->a.bytes);
    buf_fini(&world->b.bytes);
    buf_fini(&world->a.frames);
    buf_fini(&world->b.frames);
    mem_free(world);
    return left;
}

static void dial_a(struct world *world)
{
    char address[32];
    int len = snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)hub_port(world->a.hub));
    hub_dial(world->b.hub, 7, slice_of(address, (size_t)len));
    assert_int_equal(world->b.ups, 0); /* H1 */
    UNTIL(world, world->b.ups == 1);
}

static void put_frame(struct buf *out, uint8_t type, size_t size)
{
    size_t at = frame_begin(out);
    uint8_t *body = buf_grow(out, size);
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)(i * 7 + size);
    frame_end(at, type, 1, 2, out);
}

static void send_all(struct hub *hub, uint64_t id, const struct buf *bytes)
{
    struct conn *conn = hub_conn(hub, id);
    assert_non_null(conn);
    buf_append_slice(conn_out(conn), buf_slice(bytes));
}

/* A plain blocking socket to a. */
static int raw_client(const struct world *world)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(hub_port(world->a.hub)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void test_frames_in_any_cut(void **state)
{
    struct world *world = *state;
    dial_a(world);
    struct buf sent = BUF_EMPTY;
    put_frame(&sent, MSG_HELLO, 100);
    for (size_t i = 0; i < 300; i++)
        put_frame(&sent, MSG_DATA, i * 37);
    put_frame(&sent, MSG_DATA, 3000000);
    put_frame(&sent, MSG_DATA, 0);
    size_t at = 0;
    for (size_t cut = 1; at < sent.len; cut = cut * 3 % 40009 + 1) {
        size_t len = cut < sent.len - at ? cut : sent.len - at;
        struct conn *conn = hub_conn(world->b.hub, world->b.peer);
        assert_non_null(conn);
        buf_append(conn_out(conn), sent.ptr + at, len);
        at += len;
        turn(world, UV_RUN_NOWAIT);
    }
    UNTIL(world, world->a.frame_count == 303);
    assert_true(world->a.parts > 0); /* of those that came in pieces */
    assert_true(slice_equal(buf_slice(&world->a.frames), buf_slice(&sent)));
    assert_true(hub_conn(world->b.hub, world->b.peer + (1U << 16)) == NULL);

    /* The other way on the same connection. */
    send_all(world->a.hub, world->a.peer, &sent);
    UNTIL(world, world->b.frame_count == 303);
    assert_true(slice_equal(buf_slice(&world->b.frames), buf_slice(&sent)));
    assert_int_equal(world->a.notes, 0);
    buf_fini(&sent);
}

static void test_hang_up(void **state)
{
    struct world *world = *state;
    dial_a(world);
    world->a.hang_up_on_frame = true;
    struct buf sent = BUF_EMPTY;
    put_frame(&sent, MSG_HELLO, 10);
    put_frame(&sent, MSG_DATA, 10);
    send_all(world->b.hub, world->b.peer, &sent);
    UNTIL(world, world->b.downs == 1);
    assert_true(world->b.refused);
    assert_true(hub_conn(world->b.hub, world->b.peer) == NULL);
    for (int i = 0; i < 5; i++)
        turn(world, UV_RUN_NOWAIT);
    assert_int_equal(world->a.frame_count, 1); /* nothing after it */
    assert_int_equal(world->a.downs, 0);       /* who hangs up hears nothing more */
    assert_int_equal(world->b.downs, 1);
    buf_fini(&sent);
}

static void test_last_words_arrive(void **state)
{
    struct world *world = *state;
    dial_a(world);
    struct buf sent = BUF_EMPTY;
    put_frame(&sent, MSG_HELLO, 10);
    send_all(world->b.hub, world->b.peer, &sent);
    UNTIL(world, world->a.frame_count == 1);
    put_frame(&sent, MSG_DATA, 8000000);
    send_all(world->a.hub, world->a.peer, &sent);
    conn_finish(hub_conn(world->a.hub, world->a.peer));
    assert_true(hub_conn(world->a.hub, world->a.peer) == NULL);
    UNTIL(world, world->b.downs == 1);
    assert_int_equal(world->b.frame_count, 2);
    assert_true(slice_equal(buf_slice(&world->b.frames), buf_slice(&sent)));
    buf_fini(&sent);
}

static void test_bad_frame(void **state)
{
    struct world *world = *state;
    dial_a(world);
    struct buf sent = BUF_EMPTY;
    put_frame(&sent, MSG_HELLO, 10);
    buf_append(&sent, "GET / HTTP/1.1\r\n", 16);
    send_all(world->b.hub, world->b.peer, &sent);
    UNTIL(world, world->a.downs == 1);
    assert_int_equal(world->a.frame_count, 1);
    assert_int_equal(world->a.notes, 1);
    buf_fini(&sent);
}

static void test_strangers_stay_small(void **state)
{
    struct world *world = *state;
    dial_a(world);
    struct buf sent = BUF_EMPTY;
    put_frame(&sent, MSG_DATA, CONN_STRANGER_FRAME_BYTES);
    send_all(world->b.hub, world->b.peer, &sent);
    UNTIL(world, world->b.downs == 1);
    assert_int_equal(world->a.frame_count, 0);
    assert_int_equal(world->a.notes, 1);
    buf_fini(&sent);
}

static void test_refused(void **state)
{
    struct world *world = *state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    char address[40];
    int len = snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    hub_dial(world->b.hub, 1, slice_of(address, (size_t)len));
    UNTIL(world, world->b.failed == 1);
    assert_true(world->b.refused);

    /* A name, and one that does not exist (RFC 2606). */
    len = snprintf(address, sizeof(address), "localhost:%u", (unsigned)ntohs(at.sin_port));
    hub_dial(world->b.hub, 2, slice_of(address, (size_t)len));
    UNTIL(world, world->b.failed == 2);
    hub_dial(world->b.hub, 3, SLICE_LIT("no-such-host.invalid:1"));
    UNTIL(world, world->b.failed == 3);
    assert_false(world->b.refused);
    close(fd);
}

/* A full backlog drops what comes: the dial hears nothing. */
static void test_silence(void **state)
{
    struct world *world = *state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    int fillers[4];
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&at, size);
    }
    char address[32];
    int len = snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    uint64_t before = uv_now(&world->loop);
    hub_dial(world->b.hub, 1, slice_of(address, (size_t)len));
    UNTIL(world, world->b.failed == 1);
    assert_false(world->b.refused);
    assert_true(uv_now(&world->loop) - before >= HUB_DIAL_MS);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(fd);
}

static void test_clients(void **state)
{
    struct world *world = *state;
    int fd = raw_client(world);
    assert_int_equal(write(fd, "GET /", 5), 5);
    UNTIL(world, world->a.bytes.len == 5);
    assert_int_equal(hub_clients(world->a.hub), 1);
    assert_int_equal(write(fd, " HTTP", 5), 5);
    UNTIL(world, world->a.bytes.len == 10);
    assert_true(slice_equal(buf_slice(&world->a.bytes), SLICE_LIT("GET / HTTP")));
    buf_append(conn_out(world->a.client), "hi", 2);
    char got[8];
    ssize_t count = -1;
    UNTIL_MODE(world, UV_RUN_NOWAIT, (count = read(fd, got, sizeof(got))) >= 0);
    assert_int_equal(count, 2);
    shutdown(fd, SHUT_WR);
    UNTIL(world, world->a.eofs == 1);
    UNTIL_MODE(world, UV_RUN_NOWAIT, (count = read(fd, got, sizeof(got))) >= 0);
    assert_int_equal(count, 0);
    UNTIL(world, hub_clients(world->a.hub) == 0);
    assert_int_equal(world->a.gone, 0); /* it was finished by its owner */
    close(fd);
}

static void test_reset_is_told(void **state)
{
    struct world *world = *state;
    int fd = raw_client(world);
    assert_int_equal(write(fd, "GET /", 5), 5);
    UNTIL(world, world->a.bytes.len == 5);
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
    UNTIL(world, world->a.gone == 1);
    assert_int_equal(hub_clients(world->a.hub), 0);
}

static void test_full(void **state)
{
    struct world *world = *state;
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = raw_client(world);
        assert_int_equal(write(fds[i], "GET", 3), 3);
    }
    UNTIL(world, world->a.bytes.len == 9);
    /* One of the four was told, and its connection ends. */
    char got[8] = {0};
    unsigned full = 0;
    while (full == 0) {
        turn(world, UV_RUN_NOWAIT);
        for (int i = 0; i < 4; i++)
            full += read(fds[i], got, sizeof(got)) == 5;
        assert_false(world->late);
    }
    assert_memory_equal(got, "full\n", 5);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

/* A client that does not read is not read from; what it gets is whole in the end. */
static void test_slow_reader(void **state)
{
    struct world *world = *state;
    int fd = raw_client(world);
    assert_int_equal(write(fd, "x", 1), 1);
    UNTIL(world, world->a.bytes.len == 1);
    size_t total = 20U << 20;
    for (size_t i = 0; i < total; i += 1U << 16) {
        memset(buf_grow(conn_out(world->a.client), 1U << 16), (int)(i >> 16), 1U << 16);
        turn(world, UV_RUN_NOWAIT);
    }
    assert_true(conn_unsent(world->a.client) > CONN_CLIENT_UNSENT_BYTES);
    assert_int_equal(write(fd, "y", 1), 1);
    for (int i = 0; i < 10; i++)
        turn(world, UV_RUN_NOWAIT);
    assert_int_equal(world->a.bytes.len, 1);
    static uint8_t got[1U << 16];
    size_t read_count = 0;
    while (read_count < total) {
        ssize_t count = read(fd, got, sizeof(got));
        for (ssize_t i = 0; i < count; i++)
            assert_int_equal(got[i], (uint8_t)((read_count + (size_t)i) >> 16));
        read_count += count > 0 ? (size_t)count : 0;
        turn(world, UV_RUN_NOWAIT);
        assert_false(world->late);
    }
    UNTIL(world, world->a.bytes.len == 2);
    close(fd);
}

static void test_addresses(void **state)
{
    struct world *world = *state;
    struct buf why = BUF_EMPTY;
    assert_false(hub_listen(world->b.hub, SLICE_LIT("nonsense"), 0, &why));
    assert_true(why.len > 0);
    assert_false(hub_listen(world->b.hub, SLICE_LIT("127.0.0.1:70000"), 0, &why));
    char taken[32];
    int len = snprintf(taken, sizeof(taken), "127.0.0.1:%u", (unsigned)hub_port(world->a.hub));
    buf_reset(&why);
    assert_false(hub_listen(world->b.hub, slice_of(taken, (size_t)len), 0, &why));
    assert_non_null(memmem(why.ptr, why.len, taken, (size_t)len));
    assert_true(hub_listen(world->b.hub, SLICE_EMPTY, 0, &why));
    assert_true(hub_port(world->b.hub) > 0);
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames_in_any_cut, begin, end),
        cmocka_unit_test_setup_teardown(test_hang_up, begin, end),
        cmocka_unit_test_setup_teardown(test_last_words_arrive, begin, end),
        cmocka_unit_test_setup_teardown(test_bad_frame, begin, end),
        cmocka_unit_test_setup_teardown(test_strangers_stay_small, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_silence, begin, end),
        cmocka_unit_test_setup_teardown(test_clients, begin, end),
        cmocka_unit_test_setup_teardown(test_reset_is_told, begin, end),
        cmocka_unit_test_setup_teardown(test_full, begin, end),
        cmocka_unit_test_setup_teardown(test_slow_reader, begin, end),
        cmocka_unit_test_setup_teardown(test_addresses, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
