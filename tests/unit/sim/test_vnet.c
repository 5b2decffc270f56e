/* test_vnet - the virtual network behaves as TCP does.
 *
 * Does:   order and completeness without faults; a prefix under resets, cuts, stalls and crashes;
 *         refusals, time-outs, hang-ups, half-open ends.
 * Not:    nodes.
 * Holds:  C1 to C3 of vnet.h.
 * Limits: -
 * See:    src/sim/vnet.h.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What three nodes were told. */
struct heard {
    struct vtime time;   /* virtual */
    struct vnet net;     /* under test */
    uint64_t conn[3];    /* last connection that came up, by dialler */
    uint64_t guest[3];   /* last connection that a frame came in on */
    uint32_t downs[3];   /* PEER_DOWN of standing connections */
    uint32_t failed[3];  /* dials that failed */
    bool refused;        /* as the last of them said */
    uint64_t numbers[3]; /* frames in, numbered from 1 on: the last number */
    bool disorder;       /* a frame came out of order */
};

static void on_up(void *arg, uint32_t node, uint32_t dial, uint64_t conn)
{
    struct heard *heard = arg;
    assert_true(dial != 0 && conn != 0);
    heard->conn[node] = conn;
}

static void on_down(void *arg, uint32_t node, uint32_t dial, uint64_t conn, bool refused)
{
    struct heard *heard = arg;
    assert_true((dial == 0) != (conn == 0));
    heard->downs[node] += dial == 0 ? 1 : 0;
    heard->failed[node] += dial != 0 ? 1 : 0;
    heard->refused = refused;
}

static void on_frame(void *arg, uint32_t node, uint64_t conn, struct slice bytes)
{
    struct heard *heard = arg;
    struct frame frame;
    assert_true(frame_decode(bytes, &frame));
    heard->disorder = heard->disorder || frame.epoch != heard->numbers[node] + 1;
    heard->numbers[node] = frame.epoch;
    heard->guest[node] = conn;
}

static void begin(struct heard *heard, uint64_t seed)
{
    memset(heard, 0, sizeof *heard);
    vtime_init(&heard->time, seed);
    struct vnet_sink sink = {on_up, on_down, on_frame, heard};
    vnet_init(&heard->net, &heard->time, 3, seed, &sink);
    heard->net.jitter_us = 5000;
    heard->net.tail_us = 100000;
    for (uint32_t i = 0; i < 3; i++)
        vnet_start(&heard->net, i);
}

static void finish(struct heard *heard)
{
    vnet_fini(&heard->net);
    vtime_fini(&heard->time);
}

static void run(struct heard *heard, uint64_t for_us)
{
    uint64_t end = heard->time.now_us + for_us;
    vtime_after(&heard->time, for_us, 100, 0, 0, 0);
    struct vevent event;
    while (heard->time.now_us < end && vtime_next(&heard->time, &event))
        if (event.kind < VNET_EVENT_LAST)
            vnet_event(&heard->net, &event);
}

static void send(struct heard *heard, uint32_t node, uint64_t conn, uint64_t number)
{
    struct buf bytes = BUF_EMPTY;
    size_t at = frame_begin(&bytes);
    buf_u64(&bytes, number);
    frame_end(at, MSG_DATA, 1, number, &bytes);
    assert_true(vnet_send(&heard->net, node, conn, buf_slice(&bytes)));
    buf_fini(&bytes);
}

static void connect(struct heard *heard)
{
    vnet_dial(&heard->net, 0, 1, 1);
    run(heard, 1000000);
    assert_true(heard->conn[0] != 0);
}

static void test_order(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard, 1);
    connect(&heard);
    for (uint64_t i = 1; i <= 500; i++) {
        send(&heard, 0, heard.conn[0], i);
        run(&heard, 500);
    }
    run(&heard, 1000000);
    assert_int_equal(heard.numbers[1], 500);
    assert_false(heard.disorder);
    assert_int_equal(heard.net.queued[0], 0);
    assert_true(heard.guest[1] != heard.conn[0]); /* C3 */
    send(&heard, 1, heard.guest[1], 1);
    run(&heard, 1000000);
    assert_int_equal(heard.numbers[0], 1);
    finish(&heard);
}

static void test_cut_and_heal(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard, 2);
    connect(&heard);
    vnet_cut(&heard.net, 0, 1, true);
    for (uint64_t i = 1; i <= 10; i++)
        send(&heard, 0, heard.conn[0], i);
    run(&heard, 3000000);
    assert_int_equal(heard.numbers[1], 0);
    vnet_heal(&heard.net);
    run(&heard, 3000000);
    assert_int_equal(heard.numbers[1], 10);
    assert_false(heard.disorder);
    vnet_cut(&heard.net, 0, 1, true);
    send(&heard, 0, heard.conn[0], 11);
    run(&heard, 20000000); /* longer than the sender's patience */
    assert_int_equal(heard.downs[0], 1);
    assert_false(heard.refused);
    finish(&heard);
}

/* Resets, crashes: what arrived is a prefix, and both ends learn it. */
static void test_resets(void **state)
{
    (void)state;
    uint32_t lost = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct heard heard;
        begin(&heard, seed);
        connect(&heard);
        for (uint64_t i = 1; i <= 20; i++)
            send(&heard, 0, heard.conn[0], i);
        run(&heard, 3000);
        if (seed % 2 == 0)
            assert_true(vnet_reset_one(&heard.net));
        else
            vnet_end(&heard.net, 0);
        run(&heard, 5000000);
        assert_false(heard.disorder);
        assert_int_equal(heard.downs[0], seed % 2 == 0 ? 1 : 0);
        assert_int_equal(heard.downs[1], heard.numbers[1] > 0 ? 1 : 0);
        lost += heard.numbers[1] < 20 ? 1 : 0;
        assert_int_equal(heard.net.queued[0], 0);
        finish(&heard);
    }
    assert_true(lost > 10 && lost < 100);
}

static void test_dials(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard, 5);
    vnet_end(&heard.net, 1);
    vnet_dial(&heard.net, 0, 1, 1);
    run(&heard, 500000);
    assert_int_equal(heard.failed[0], 1);
    assert_true(heard.refused);
    vnet_power_cut(&heard.net, 1);
    vnet_dial(&heard.net, 0, 1, 2);
    run(&heard, 1500000);
    assert_int_equal(heard.failed[0], 1); /* silence so far */
    run(&heard, 5000000);
    assert_int_equal(heard.failed[0], 2);
    assert_false(heard.refused);
    vnet_dial(&heard.net, 0, VNET_NODES_MAX, 3);
    run(&heard, 1500000);
    assert_int_equal(heard.failed[0], 3);
    finish(&heard);
}

static void test_half_open(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard, 6);
    connect(&heard);
    vnet_power_cut(&heard.net, 1);
    run(&heard, 5000000);
    assert_int_equal(heard.downs[0], 0); /* nobody told it */
    vnet_boot(&heard.net, 1);
    vnet_start(&heard.net, 1);
    run(&heard, 1000000);
    assert_int_equal(heard.downs[0], 0);
    send(&heard, 0, heard.conn[0], 1); /* the new process does not know the connection */
    run(&heard, 1000000);
    assert_int_equal(heard.downs[0], 1);
    assert_int_equal(heard.numbers[1], 0);
    finish(&heard);
}

static void test_hangup(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard, 7);
    connect(&heard);
    for (uint64_t i = 1; i <= 5; i++)
        send(&heard, 0, heard.conn[0], i);
    assert_true(vnet_hangup(&heard.net, 0, heard.conn[0]));
    assert_true(vnet_hung(&heard.net, 0, heard.conn[0]));
    run(&heard, 2000000);
    assert_int_equal(heard.numbers[1], 5); /* flushed first */
    assert_int_equal(heard.downs[1], 1);
    assert_int_equal(heard.downs[0], 0);                     /* who hung up hears nothing */
    assert_false(vnet_hangup(&heard.net, 2, heard.conn[0])); /* not its connection */
    finish(&heard);
}

/* What a stalled direction holds back comes at its end, or as soon as all is mended. */
static void test_stall(void **state)
{
    (void)state;
    for (uint32_t healed = 0; healed < 2; healed++) {
        struct heard heard;
        begin(&heard, 9 + healed);
        connect(&heard);
        assert_true(vnet_stall_one(&heard.net, 8000000));
        struct vflow *flow = &heard.net.conns[0]->flows[0];
        flow->stalled_until_us = heard.time.now_us + 8000000; /* whichever it chose: this one */
        send(&heard, 0, heard.conn[0], 1);
        run(&heard, 1000000);
        assert_int_equal(heard.numbers[1], 0);
        assert_true(vnet_overdue(&heard.net));
        if (healed != 0)
            vnet_heal(&heard.net);
        run(&heard, 500000);
        assert_int_equal(heard.numbers[1], healed);
        assert_true(vnet_overdue(&heard.net) == (healed == 0));
        run(&heard, 8000000);
        assert_int_equal(heard.numbers[1], 1);
        assert_false(heard.disorder);
        finish(&heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_cut_and_heal),
        cmocka_unit_test(test_resets),    cmocka_unit_test(test_dials),
        cmocka_unit_test(test_half_open), cmocka_unit_test(test_hangup),
        cmocka_unit_test(test_stall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
