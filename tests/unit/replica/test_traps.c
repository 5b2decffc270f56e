/* test_traps - the traps of the data plane, one story each.
 *
 * Does:   drives replicas of one shard by hand, message by message, into the scenarios of
 *         docs/protocol.md section 9 that live in this module: T6, T12, T13, T14, T15, T20, T28,
 *         T30.
 * Not:    random faults: sim/.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md section 9.
 */
#include "world.h"

#define COUNT 3U

/* T30: the window forgets 1 to 4, resumes above; a receipt of what is above must not acknowledge
 * what is below. */
static void receipt_above_a_hole(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    world.knobs.window_bytes = 4096;
    char value[1500];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (uint32_t i = 0; i < 8; i++)
        write_at(&world, 0, "k", value, NULL); /* the window holds the last two */
    connect_all(&world);
    flush(&world, 1);
    hand(&world, 1, 0, 0); /* "I have nothing" */
    flush(&world, 0);
    assert_true(hand(&world, 0, 1, MSG_DATA) > 0);
    flush(&world, 1);
    hand(&world, 1, 0, MSG_REPORT);
    assert_true(receipted(world.sites[0].replica, 8));
    assert_false(receipted(world.sites[0].replica, 3));
    assert_int_equal(covers(&world, 1, 1), 0);
    settle(&world, 10); /* the walk closes the hole */
    assert_int_equal(covers(&world, 1, 1), 8);
    assert_true(receipted(world.sites[0].replica, 3));
    world_fini(&world);
}

/* T12: a member far behind costs no memory and holds no acknowledgement up. */
static void slow_member(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    world.knobs.window_bytes = 65536;
    connect_all(&world);
    settle(&world, 3);
    replicas_peer_down(world.sites[0].set, 102, &(struct replica_io){0});
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i % 100);
        struct dot dot = write_at(&world, 0, key, "\"0123456789012345678901234567890\"", NULL);
        flush(&world, 0);
        hand(&world, 0, 1, 0);
        flush(&world, 1);
        hand(&world, 1, 0, 0);
        assert_true(receipted(world.sites[0].replica, dot.seq));
    }
    assert_true(replicas_memory_bytes(world.sites[0].set) <= 65536 + 1024);
    world_fini(&world);
}

/* A write waits for its cause; T28: a checkpoint does not forget it, though it is in no table. */
static void pending_survives_checkpoint(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 3);
    struct vv seen;
    vv_init(&seen);
    struct dot cause = write_at(&world, 0, "x", "1", NULL);
    assert_true(vv_set(&seen, cause.actor, cause.seq));
    flush(&world, 0);
    hand(&world, 0, 1, 0); /* node 2 does not get it */
    hand(&world, 0, 2, UINT8_MAX);
    write_at(&world, 1, "y", "2", &seen);
    flush(&world, 1);
    hand(&world, 1, 2, MSG_DATA);
    assert_true(has(&world, 2, "y", NULL)); /* received, not delivered */
    assert_int_equal(covers(&world, 2, 2), 0);

    /* Only what the checkpoint repeats survives: a log that begins with it. */
    struct site *site = &world.sites[2];
    begin_again(site);
    restart(&world, 2, SIZE_MAX);
    /* It is there before anybody could send it again. */
    assert_true(replicas_memory_bytes(site->set) > 0);
    connect_all(&world);
    settle(&world, 8);
    assert_true(has(&world, 2, "x", "1"));
    assert_true(has(&world, 2, "y", "2")); /* its cause came, and with it the write */
    world_fini(&world);
}

/* T6: a heartbeat overtakes the data: its clock must not purge a tombstone that the write below it
 * would have lost against. */
static void clock_before_writes(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 5);
    write_at(&world, 1, "k", "\"old\"", NULL); /* not handed over yet */
    world.sites[0].wall_ms += 5;
    write_at(&world, 0, "k", "\"new\"", NULL);
    write_at(&world, 0, "k", NULL, NULL);
    flush(&world, 1);
    struct outbox late = world.sites[1].out; /* the data, held back by the network */
    outbox_init(&world.sites[1].out);
    /* The streams go on without it, for everybody: nobody can purge. */
    for (uint32_t i = 0; i < 5; i++) {
        tick(&world, 0, 100);
        hand(&world, 0, 1, 0);
        hand(&world, 0, 2, 0);
        tick(&world, 1, 100);
        hand(&world, 1, 0, MSG_REPORT);
        hand(&world, 1, 2, MSG_REPORT);
        tick(&world, 2, 100);
        hand(&world, 2, 0, 0);
        hand(&world, 2, 1, 0);
    }
    assert_int_equal(table_tombstones(world.sites[0].table), 1);
    outbox_fini(&world.sites[1].out);
    world.sites[1].out = late;
    settle(&world, 10);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(has(&world, i, "k", NULL));                      /* deleted stays deleted */
        assert_int_equal(table_tombstones(world.sites[i].table), 0); /* and is purged in the end */
    }
    world_fini(&world);
}

/* The number of the walk that a site has just asked for. */
static uint64_t walk_of(const struct world *world, uint32_t site)
{
    const struct outbox *out = &world->sites[site].out;
    for (size_t i = 0; i < out->count; i++) {
        struct frame frame;
        struct msg_walk_request request;
        assert_true(frame_decode(slice_of(out->bytes.ptr + out->items[i].begin, out->items[i].len),
                                 &frame));
        if (frame.type == MSG_WALK_REQUEST && msg_walk_request_decode(frame.body, &request))
            return request.walk;
    }
    fail_msg("site %u asks for no walk", site);
    return 0;
}

/* T20: a chunk of a walk comes late: a version whose dot is covered is dropped, or it would bring
 * back what was deleted and purged since. */
static void late_chunk(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 3);
    struct dot dot = write_at(&world, 0, "k", "1", NULL);
    struct slice name = SLICE_LIT("k");
    struct version version;
    table_view(world.sites[0].table, table_find(world.sites[0].table, slot_of(name), name),
               &version);
    struct buf chunk = BUF_EMPTY;
    size_t begin = record_begin(&chunk);
    version_encode(&version, &chunk);
    record_end(RECORD_WALKED, begin, &chunk);
    settle(&world, 3);
    write_at(&world, 0, "k", NULL, NULL);
    settle(&world, 10);
    assert_int_equal(table_tombstones(world.sites[1].table), 0); /* purged */
    assert_true(covers(&world, 1, dot.actor) >= dot.seq);

    /* Site 1 asks for a walk (a hole), and its first chunk is that old version. */
    world.knobs.window_bytes = 4096;
    char value[3000];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    replicas_peer_down(world.sites[0].set, 101,
                       &(struct replica_io){.table = world.sites[0].table});
    for (uint32_t i = 0; i < 4; i++)
        write_at(&world, 0, "other", value, NULL);
    replicas_peer_up(world.sites[0].set, 101, 2);
    replicas_peer_hello(world.sites[1].set, 100, 2);
    tick(&world, 1, 100);
    for (uint32_t i = 0; i < 4 && replica_walk_source(world.sites[1].replica) == 0; i++) {
        hand(&world, 1, 0, MSG_REPORT);
        tick(&world, 0, 100);
        hand(&world, 0, 1, 0);
        tick(&world, 1, 100);
    }
    assert_true(replica_walk_source(world.sites[1].replica) != 0);
    struct msg_walk_chunk msg = {
        .walk = walk_of(&world, 1), .number = 1, .records = buf_slice(&chunk)};
    struct replica_io io = io_of(&world.sites[1]);
    uint64_t source = replica_walk_source(world.sites[1].replica);
    assert_true(replica_recv_walk_chunk(world.sites[1].replica, source, &msg, &io));
    assert_true(hand(&world, 1, 0, MSG_WALK_ACK) > 0); /* it was looked at */
    assert_true(has(&world, 1, "k", NULL));
    buf_fini(&chunk);
    world_fini(&world);
}

/* T14: an announced clock is kept over a crash and a wall clock that stepped back. */
static void announced_clock_is_kept(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    world.sites[0].wall_ms += 3000;
    tick(&world, 0, 100);
    struct outbox *out = &world.sites[0].out;
    uint64_t announced = 0;
    for (size_t i = 0; i < out->count; i++) {
        struct frame frame;
        struct msg_report report;
        assert_true(frame_decode(slice_of(out->bytes.ptr + out->items[i].begin, out->items[i].len),
                                 &frame));
        if (frame.type == MSG_REPORT && msg_report_decode(frame.body, &report))
            announced = report.clock;
    }
    assert_true(announced > 0);
    world.sites[0].wall_ms = 500; /* back in 1970 */
    restart(&world, 0, SIZE_MAX);
    struct dot dot = write_at(&world, 0, "k", "1", NULL);
    struct slice name = SLICE_LIT("k");
    table_ref ref = table_find(world.sites[0].table, slot_of(name), name);
    assert_int_equal(table_dot(world.sites[0].table, ref).seq, dot.seq);
    assert_true(table_hlc(world.sites[0].table, ref) > announced);
    world_fini(&world);
}

/* T15: one clock stands in the year 2099: its writes are taken, the others' clocks stay, and a
 * later write of the same key wins all the same. */
static void clock_far_ahead(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 3);
    world.sites[1].wall_ms = UINT64_C(4070908800000);
    write_at(&world, 1, "k", "\"far\"", NULL);
    settle(&world, 5);
    assert_true(has(&world, 0, "k", "\"far\""));
    assert_true(world.sites[0].metrics.clock_ahead > 0);
    write_at(&world, 0, "other", "1", NULL);
    struct slice other = SLICE_LIT("other");
    table_ref ref = table_find(world.sites[0].table, slot_of(other), other);
    assert_true(HLC_MS(table_hlc(world.sites[0].table, ref)) < UINT64_C(2000000));
    write_at(&world, 0, "k", "\"later\"", NULL);
    settle(&world, 5);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(has(&world, i, "k", "\"later\""));
    world_fini(&world);
}

/* T14, T15: a clock that stood far ahead for a moment, and that no log has, must not purge a
 * tombstone: after a crash the next write would be older than what was deleted. */
static void own_clock_counts_as_logged(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 3);
    const uint64_t far_ms = UINT64_C(4070908800000);
    world.sites[1].wall_ms = world.sites[2].wall_ms = far_ms;
    write_at(&world, 1, "k", "1", NULL);
    write_at(&world, 1, "k", NULL, NULL);
    settle(&world, 10);
    assert_int_equal(table_tombstones(world.sites[0].table), 1); /* its own clock is near */
    struct replica_io io = io_of(&world.sites[0]);
    replicas_peer_down(world.sites[0].set, 101, &io);
    replicas_peer_down(world.sites[0].set, 102, &io);
    world.sites[0].wall_ms = far_ms + 10000;
    write_at(&world, 0, "other", "1", NULL);
    for (uint32_t i = 0; i < 20; i++)
        tick(&world, 0, 100); /* all slots are swept */
    assert_int_equal(table_tombstones(world.sites[0].table), 1);
    connect_all(&world);
    settle(&world, 30); /* announced, and a ceiling logged */
    assert_int_equal(table_tombstones(world.sites[0].table), 0);
    world_fini(&world);
}

/* T13: the source of a walk is itself catching up: what it inserts behind the cursor is sent
 * too. */
static void source_catches_up(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    world.knobs.walk_chunk_bytes = 1024;
    char value[600];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (uint32_t i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(&world, 0, key, value, NULL);
    }
    /* Site 1 has only the later half, above a hole; site 2 walks from it. */
    world.knobs.window_bytes = 4096;
    write_at(&world, 0, "last", value, NULL); /* trims the window */
    connect_all(&world);
    flush(&world, 1);
    hand(&world, 1, 0, MSG_REPORT);
    flush(&world, 0);
    hand(&world, 0, 1, MSG_DATA);
    assert_int_equal(covers(&world, 1, 1), 0);
    struct msg_walk_request request = {.walk = 9};
    struct replica_io io = io_of(&world.sites[1]);
    assert_true(replica_recv_walk_request(world.sites[1].replica, 102, &request, &io));
    flush(&world, 1); /* the first chunk: its cursor is behind the later half now */
    settle(&world, 20);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(covers(&world, i, 1), 21);
        assert_int_equal(table_live(world.sites[i].table), 21);
    }
    world_fini(&world);
}

/* 4.1: what a full reorder buffer dropped is asked for again, as soon as there is room: the stream
 * goes back, and no walk is needed. */
static void dropped_is_sent_again(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    world.knobs.pending_bytes = 1000;
    connect_all(&world);
    settle(&world, 3);
    struct vv seen;
    vv_init(&seen);
    struct dot cause = write_at(&world, 0, "x", "1", NULL);
    assert_true(vv_set(&seen, cause.actor, cause.seq));
    flush(&world, 0);
    hand(&world, 0, 1, 0); /* node 2 does not get it yet */
    for (uint32_t i = 0; i < 40; i++)
        write_at(&world, 1, "y", "\"0123456789\"", &seen);
    flush(&world, 1);
    hand(&world, 1, 2, MSG_DATA);
    assert_true(replicas_memory_bytes(world.sites[2].set) < 1400);
    hand(&world, 0, 2, MSG_DATA); /* a full buffer lets in what it waits for */
    assert_int_equal(covers(&world, 2, 1), cause.seq);
    uint64_t some = covers(&world, 2, 2);
    assert_in_range(some, 1, 39); /* what was taken is delivered; the rest is not here */
    flush(&world, 2);
    hand(&world, 2, 1, MSG_REPORT);
    flush(&world, 1);
    hand(&world, 1, 2, MSG_DATA);
    flush(&world, 2);
    hand(&world, 2, 1, MSG_REPORT); /* once more, if that was too much again */
    flush(&world, 1);
    hand(&world, 1, 2, MSG_DATA);
    assert_int_equal(covers(&world, 2, 2), 40);
    assert_int_equal(replica_walk_source(world.sites[2].replica), 0);
    assert_int_equal(world.sites[2].metrics.walks_received, 0);
    world_fini(&world);
}

/* The oldest frame that `from` has for `to`; the rest stays on its way. */
static bool hand_one(struct world *world, uint32_t from, uint32_t to)
{
    struct site *site = &world->sites[from];
    struct outbox out = site->out;
    outbox_init(&site->out);
    bool handed = false;
    for (size_t i = 0; i < out.count; i++) {
        struct slice bytes = slice_of(out.bytes.ptr + out.items[i].begin, out.items[i].len);
        struct frame frame;
        assert_true(frame_decode(bytes, &frame));
        if (handed || out.items[i].to != world->sites[to].node_id) {
            outbox_append(&site->out, bytes, (enum msg_type)frame.type, out.items[i].to);
        } else {
            take(world, site->node_id, to, &frame);
            handed = true;
        }
    }
    outbox_fini(&out);
    return handed;
}

/* Seed 2118798: over a slow link many frames are under way behind the one that was dropped. They
 * are beyond a hole, each of them: the stream goes back once for all, not once for each. */
static void stream_goes_back_once(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    world.knobs.pending_bytes = 1000;
    connect_all(&world);
    settle(&world, 3);
    struct vv seen;
    vv_init(&seen);
    struct dot first = write_at(&world, 0, "x", "1", NULL);
    flush(&world, 0);
    struct dot second = write_at(&world, 0, "x", "2", NULL);
    flush(&world, 0);
    assert_true(vv_set(&seen, first.actor, first.seq));
    for (uint32_t i = 0; i < 10; i++)
        write_at(&world, 1, "y", "\"0123456789\"", &seen);
    assert_true(vv_set(&seen, second.actor, second.seq));
    for (uint32_t i = 0; i < 4; i++)
        write_at(&world, 1, "y", "\"0123456789\"", &seen);
    flush(&world, 1);
    hand(&world, 1, 2, MSG_DATA); /* more than it may keep: the last of them are dropped */
    for (uint32_t i = 0; i < 30; i++) {
        write_at(&world, 1, "z", "1", NULL);
        flush(&world, 1);
    }
    assert_true(hand_one(&world, 0, 2)); /* the first cause: there is room again, and some wait */
    uint32_t frames = 0;
    do {
        flush(&world, 2);
        hand(&world, 2, 1, MSG_REPORT);
        flush(&world, 1);
        if (++frames == 31)
            assert_true(hand_one(&world, 0, 2)); /* the second */
    } while (frames < 500 && hand_one(&world, 1, 2));
    assert_int_equal(covers(&world, 2, 2), 44);
    assert_int_equal(world.sites[2].metrics.marks.hits[MARK_REWIND_ASKED], 1);
    assert_int_equal(world.sites[2].metrics.walks_received, 0);
    assert_in_range(frames, 31, 40);
    world_fini(&world);
}

/* Site 1 walks from site 0: it has asked, and the first chunk is on its way. */
static void begin_walk(struct world *world)
{
    world_init(world, COUNT, COUNT, PLANT_NONE);
    world->knobs.window_bytes = 4096;
    world->knobs.walk_chunk_bytes = 1024;
    char value[600];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (uint32_t i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(world, 0, key, value, NULL);
    }
    write_at(world, 0, "last", value, NULL); /* the window holds the last few */
    connect_all(world);
    flush(world, 1);
    hand(world, 1, 0, MSG_REPORT);
    flush(world, 0);
    hand(world, 0, 1, 0);
    flush(world, 1);
    assert_true(replica_walk_source(world->sites[1].replica) != 0);
    hand(world, 1, 0, MSG_WALK_REQUEST);
    flush(world, 0);
}

/* Nobody's time passes. */
static void end_walk(struct world *world)
{
    for (uint32_t i = 0; i < 20 && replica_walk_source(world->sites[1].replica) != 0; i++) {
        hand(world, 0, 1, 0);
        flush(world, 1);
        hand(world, 1, 0, MSG_WALK_ACK);
        flush(world, 0);
    }
    assert_int_equal(world->sites[1].metrics.walks_received, 1);
    assert_int_equal(covers(world, 1, 1), 9);
}

/* 4.3: a chunk may take longer than a walk may stand still, as long as bytes of it come in. */
static void large_chunk_over_a_slow_link(void **state)
{
    (void)state;
    static struct world world;
    begin_walk(&world);
    for (uint64_t ms = 0; ms < 3 * world.knobs.suspect_ms; ms += 100) {
        tick(&world, 1, 100);
        replicas_heard_part(world.sites[1].set, 100, world.sites[1].mono_ms);
    }
    assert_int_equal(world.sites[1].metrics.marks.hits[MARK_WALK_STUCK], 0);
    end_walk(&world);
    world_fini(&world);
}

/* 4.3: of two walks between two members, one each way, a refusal of one leaves the other alone. */
static void refusal_ends_one_walk(void **state)
{
    (void)state;
    static struct world world;
    begin_walk(&world);
    struct replica_io io = io_of(&world.sites[0]);
    struct msg_walk_stop refusal = {.walk = 1000};
    assert_true(replica_recv_walk_stop(world.sites[0].replica, 101, &refusal, &io));
    end_walk(&world);
    world_fini(&world);
}

/* 4.3: with a chunk missing the end of a walk would claim too much: it counts for nothing, and
 * begins again. */
static void lost_chunk(void **state)
{
    (void)state;
    static struct world world;
    begin_walk(&world);
    hand(&world, 0, 1, UINT8_MAX); /* the first chunk goes with a connection */
    for (uint32_t i = 0; i < 20 && replica_walk_source(world.sites[1].replica) != 0; i++) {
        flush(&world, 0);
        hand(&world, 0, 1, 0);
        flush(&world, 1);
        assert_int_equal(covers(&world, 1, 1), 0);
        hand(&world, 1, 0, MSG_WALK_ACK);
    }
    assert_int_equal(world.sites[1].metrics.walks_received, 0);
    settle(&world, 20);
    assert_int_equal(covers(&world, 1, 1), 9);
    assert_int_equal(table_live(world.sites[1].table), 9);
    world_fini(&world);
}

/* T39: a member whose heartbeats come, but no receipts, is not waited for. */
static void heartbeats_without_receipts(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, COUNT, COUNT, PLANT_NONE);
    connect_all(&world);
    settle(&world, 3);
    assert_false(replica_alone(world.sites[0].replica, world.sites[0].mono_ms));
    struct dot dot = write_at(&world, 0, "x", "1", NULL);
    flush(&world, 0);
    hand(&world, 0, 1, UINT8_MAX); /* they do not get it */
    hand(&world, 0, 2, UINT8_MAX);
    for (uint32_t waited = 0; waited < world.knobs.suspect_ms; waited += 100) {
        assert_false(replica_alone(world.sites[0].replica, world.sites[0].mono_ms));
        for (uint32_t i = 0; i < COUNT; i++)
            tick(&world, i, 100);
        hand(&world, 0, 1, UINT8_MAX);
        hand(&world, 0, 2, UINT8_MAX);
        hand(&world, 1, 0, MSG_REPORT);
        hand(&world, 2, 0, MSG_REPORT);
    }
    assert_false(receipted(world.sites[0].replica, dot.seq));
    assert_true(replica_alone(world.sites[0].replica, world.sites[0].mono_ms));
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipt_above_a_hole),
        cmocka_unit_test(slow_member),
        cmocka_unit_test(pending_survives_checkpoint),
        cmocka_unit_test(clock_before_writes),
        cmocka_unit_test(late_chunk),
        cmocka_unit_test(announced_clock_is_kept),
        cmocka_unit_test(clock_far_ahead),
        cmocka_unit_test(own_clock_counts_as_logged),
        cmocka_unit_test(source_catches_up),
        cmocka_unit_test(dropped_is_sent_again),
        cmocka_unit_test(stream_goes_back_once),
        cmocka_unit_test(large_chunk_over_a_slow_link),
        cmocka_unit_test(refusal_ends_one_walk),
        cmocka_unit_test(lost_chunk),
        cmocka_unit_test(heartbeats_without_receipts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
