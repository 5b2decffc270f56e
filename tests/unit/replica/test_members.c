/* test_members - terms that begin and end, one story each.
 *
 * Does:   merging, sealing, leaving: the scenarios of docs/protocol.md section 9 that live in this
 *         module (T7, T22, T23, T27 to T29), and what else was thought of on the way.
 * Not:    filling up: test_fill.c. Random faults: test_random_fill.c, sim/.
 * Holds:  see story.h.
 * Limits: -
 * See:    docs/protocol.md sections 6.3 to 6.5 and 9.
 */
#include "story.h"

/* ---- nobody is active ---- */

/* T27: a power cut: all are in doubt. The one with the data must not drop what the others never
 * received: what is in any table is in all. */
static bool union_of_all(struct world *world)
{
    write_at(world, 0, "all", "1", NULL);
    write_at(world, 0, "closed", "1", NULL);
    settle(world, 5);
    crash_machine(world, 0, disk_bytes(world, 0));
    govern(world, 20);
    assert_int_equal(newest(world)->retired_count, 0); /* whoever lacks "closed" covers it */
    size_t keep[2] = {disk_bytes(world, 0), 0};
    write_at(world, 0, "two", "1", NULL);
    flush(world, 0);
    hand(world, 0, 1, 0); /* 0 and 1 have it; 0 forgets it */
    keep[1] = disk_bytes(world, 1);
    for (uint32_t i = 0; i < 2; i++) {
        restart(world, i, keep[i]);
        doubt(&world->sites[i]);
        renew(world, i);
    }
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    connect_all(world);
    cut_off(world, 0, 1);
    govern(world, 20);
    assert_int_equal(state_of(world, 1), MEMBER_SYNCING); /* 0 and 1 have not met */
    mend(world, 0, 1);
    govern(world, 40);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(state_of(world, i), MEMBER_ACTIVE);
    assert_true(newest(world)->loss_count > 0);
    write_at(world, 2, "all", "2", NULL);
    govern(world, 10);
    assert_true(has(world, 0, "all", "2"));
    bool held = true;
    for (uint32_t i = 0; i < 3; i++)
        held = held && has(world, i, "two", "1") && has(world, i, "closed", "1");
    return held;
}

/* One that has said that it has merged begins another term: what it had is not to be relied on, and
 * the others have to walk it, and it them, anew. */
static bool union_again(struct world *world)
{
    write_at(world, 1, "k", "1", NULL);
    settle(world, 5);
    for (uint32_t i = 0; i < 3; i++) {
        restart(world, i, SIZE_MAX);
        doubt(&world->sites[i]);
        renew(world, i);
    }
    adopt_all(world);
    connect_all(world);
    for (uint32_t i = 0; i < 10; i++) {
        settle(world, 1); /* all have walked all, and nobody has proposed anything */
    }
    assert_true(replica_merged_all(world->sites[0].replica));
    wipe(world, 1, 777);
    admit(world, 1);
    adopt(world, 0, newest(world));
    bool held = !replica_merged_all(world->sites[0].replica);
    adopt_all(world);
    connect_all(world);
    tick(world, 2, 100);
    hand(world, 2, 0, 0); /* says so at this epoch, and has not walked 1 */
    held = held && !replica_merged_all(world->sites[0].replica);
    govern(world, 30);
    assert_int_equal(state_of(world, 1), MEMBER_ACTIVE);
    return held && has(world, 1, "k", "1");
}

/* What one has walked of another before a third is lost is not all that the other has by then: it
 * may have got from the third what nobody else has any more. */
static bool union_after_a_loss(struct world *world)
{
    write_at(world, 0, "closed", "1", NULL);
    settle(world, 5);
    crash_machine(world, 0, disk_bytes(world, 0));
    govern(world, 20);
    assert_int_equal(newest(world)->retired_count, 0); /* no tail brings what it wrote */
    wipe(world, 0, 777);
    wipe(world, 1, 778);
    restart(world, 2, SIZE_MAX);
    doubt(&world->sites[2]);
    renew(world, 2);
    admit(world, 0);
    admit(world, 1);
    adopt_all(world);
    connect_all(world);
    cut_off(world, 0, 2);
    cut_off(world, 1, 2);
    settle(world, 5); /* the two that are empty walk each other */
    mend(world, 0, 2);
    cut_off(world, 0, 1);
    settle(world, 10);
    assert_true(has(world, 0, "closed", "1") && has(world, 1, "closed", NULL));
    wipe(world, 2, 779);
    admit(world, 2);
    adopt_all(world);
    connect_all(world);
    mend(world, 0, 1);
    mend(world, 1, 2);
    govern(world, 40);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(state_of(world, i), MEMBER_ACTIVE);
    assert_true(has(world, 0, "closed", "1"));
    return has(world, 1, "closed", "1") && has(world, 2, "closed", "1");
}

/* ---- sealing ---- */

/* T28: of a dead actor a write was receipted here and not delivered. It counts, and it is in the
 * table: sealing covers it. */
static bool pending_counts(struct world *world)
{
    struct vv seen;
    vv_init(&seen);
    struct dot cause = write_at(world, 2, "x", "1", NULL);
    flush(world, 2);
    hand(world, 2, 0, 0);
    world->sites[2].out.count = 0; /* 1 does not get it */
    assert_true(vv_set(&seen, cause.actor, cause.seq));
    struct dot dot = write_at(world, 0, "y", "1", &seen);
    flush(world, 0);
    hand(world, 0, 1, MSG_DATA);
    assert_int_equal(covers(world, 1, dot.actor), 0);
    cut_off(world, 1, 2); /* what it waits for does not come */
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0);
    adopt(world, 1, newest(world));
    assert_true(has(world, 1, "y", "1"));
    adopt(world, 2, newest(world));
    mend(world, 1, 2);
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0);
    return has(world, 2, "y", "1") && has(world, 1, "x", "1");
}

/* A writes, and only C gets it and gives its receipt. */
static struct dot write_for_c(struct world *world)
{
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 2, 0);
    flush(world, 2);
    hand(world, 2, 0, 0);
    return dot;
}

/* The same, where that receipt counts. */
static struct dot acknowledge_with_c(struct world *world)
{
    struct dot dot = write_for_c(world);
    assert_true(receipted(world->sites[0].replica, dot.seq));
    return dot;
}

/* T7: A acknowledges with C, C is cut off, A dies and is removed. B alone must not say what A's
 * last write was. */
static bool absent_keeper(struct world *world)
{
    struct dot dot = acknowledge_with_c(world);
    cut_off(world, 1, 2);
    cut_off(world, 0, 2);
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0);
    adopt(world, 1, newest(world));
    settle(world, 10);
    uint64_t last = 0, whole = 0;
    bool held = !replica_seal(world->sites[1].replica, dot.actor, &last, &whole);
    govern(world, 5);
    mend(world, 1, 2);
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0);
    return held && has(world, 1, "k", "1");
}

/* Two shards of three, and of them the first and site 3. */
static void begin_two_shards(struct world *world)
{
    enum plant plant = world->plant;
    world_fini(world);
    world_init_shards(world, 4, 6, 2, plant);
    connect_all(world);
    settle(world, 3);
}

/* T29: A acknowledges with C; C begins to move to another shard, and A dies and is removed. C does
 * not serve and does not count for acknowledgements any more, but it is a keeper as long as it is
 * there: B alone must not say what A's last write was. */
static bool moving_keeper(struct world *world)
{
    begin_two_shards(world);
    cut_off(world, 0, 1);
    (void)acknowledge_with_c(world);
    cut_off(world, 1, 2);
    remove_members(world, (const uint32_t[]){4, 5}, 2, 0xF); /* who is left there gets C */
    assert_int_equal(state_of(world, 2), MEMBER_LEAVING);
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0xE);
    adopt_all(world);
    govern(world, 10);
    mend(world, 1, 2);
    govern(world, 60);
    assert_int_equal(newest(world)->retired_count, 0);
    assert_int_equal(replica_shard(world->sites[2].replica), 1); /* it has moved */
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return has(world, 1, "k", "1");
}

/* T22: all survivors say that they have nothing of a dead actor; then its last write, still under
 * way, arrives at one that has not learnt the sealing epoch. Its old report must not count, and
 * after the new one the write is not taken any more. */
static bool late_write(struct world *world)
{
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    struct outbox late = world->sites[0].out;
    outbox_init(&world->sites[0].out);
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0);
    tick(world, 2, 100);
    hand(world, 2, 1, MSG_REPORT); /* "nothing", under the old epoch */
    adopt(world, 1, newest(world));
    uint64_t last = 0, whole = 0;
    assert_false(replica_seal(world->sites[1].replica, dot.actor, &last, &whole));
    for (size_t i = 0; i < late.count; i++) { /* site 2 takes it, site 1 does not any more */
        struct frame frame;
        assert_true(frame_decode(slice_of(late.bytes.ptr + late.items[i].begin, late.items[i].len),
                                 &frame));
        if (frame.type == MSG_DATA)
            for (uint32_t to = 1; to < 3; to++)
                take(world, 100, to, &frame);
    }
    outbox_fini(&late);
    assert_true(has(world, 1, "k", NULL));
    adopt(world, 2, newest(world));
    tick(world, 2, 100);
    hand(world, 2, 1, 0);
    assert_true(replica_seal(world->sites[1].replica, dot.actor, &last, &whole));
    bool held = last == dot.seq;
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0);
    return held && has(world, 1, "k", "1") && has(world, 2, "k", "1");
}

/* T23: L is fixed; the only survivor that has the last write dies before anybody has walked it. The
 * others come to an end all the same, and what may be lost is told. */
static bool last_keeper_dies(struct world *world)
{
    write_at(world, 0, "j", "1", NULL);
    settle(world, 5);
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 3, 0);
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0);
    adopt_all(world);
    for (uint32_t i = 1; i < 4; i++)
        flush(world, i);
    for (uint32_t i = 1; i < 4; i++)
        for (uint32_t j = 1; j < 4; j++)
            if (i != j)
                hand(world, i, j, MSG_REPORT);
    assert_true(steward(world));
    const struct retired *retired = config_retired(newest(world), dot.actor, SHARD_NONE);
    assert_non_null(retired);
    assert_int_equal(retired->state, RETIRED_SEALED);
    assert_int_equal(retired->last_seq, dot.seq);
    cut_off(world, 1, 3);
    cut_off(world, 2, 3);
    site_close(&world->sites[3]);
    govern(world, 10);
    assert_true(covers(world, 1, dot.actor) < dot.seq); /* they wait for it */
    remove_members(world, (const uint32_t[]){3}, 1, 0);
    adopt_all(world);
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0);
    const struct loss *loss = config_loss_of_actor(newest(world), dot.actor);
    return loss != NULL && loss->whole_seq < dot.seq && has(world, 1, "j", "1");
}

/* Site 2, which was removed, is placed in the shard again, with its table and under another id. */
static void comes_back_while_sealed(struct world *world)
{
    enum err err = E_OK;
    struct address address = {.text = "10.0.0.3:1"};
    become(&world->sites[2], 4711);
    admit(world, 2);
    assert_true(decide(world, config_assign(newest(world), &address, 0, &err)));
    adopt_all(world);
    connect_all(world);
    assert_true(has(world, 2, "k", "1"));
}

/* Only one member has the last write of an actor, and both are gone: the actor is sealed at less.
 * Before it is closed, for site 1 lacks the first write, that member comes back with its table. It
 * must not be the only one that has the last write in the end. */
static bool comes_while_sealed(struct world *world)
{
    write_at(world, 3, "j", "1", NULL);
    flush(world, 3);
    hand(world, 3, 0, 0);
    struct dot dot = write_at(world, 3, "k", "1", NULL);
    flush(world, 3);
    hand(world, 3, 2, 0);
    for (uint32_t i = 0; i < 2; i++) {
        cut_off(world, i, 2);
        cut_off(world, i, 3);
    }
    site_close(&world->sites[3]);
    remove_members(world, (const uint32_t[]){2, 3}, 2, 0);
    adopt(world, 0, newest(world));
    adopt(world, 1, newest(world));
    flush(world, 1);
    hand(world, 1, 0, MSG_REPORT);
    while (config_retired(newest(world), dot.actor, 0)->state == RETIRED_SEALING)
        assert_true(steward(world));
    const struct retired *retired = config_retired(newest(world), dot.actor, 0);
    assert_true(retired->last_seq < dot.seq);
    comes_back_while_sealed(world);
    for (uint32_t i = 0; i < 2; i++)
        mend(world, i, 2);
    govern(world, 60);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    assert_int_equal(newest(world)->retired_count, 0);
    const struct table *table = world->sites[0].table;
    return has(world, 0, "k", "1") && same_tables(table, world->sites[1].table) &&
           same_tables(table, world->sites[2].table);
}

/* The highest seq that was ever here counts, though what bore it was overwritten, the log began
 * anew, and the process too. */
static bool highest_survives(struct world *world)
{
    struct vv seen;
    vv_init(&seen);
    struct dot cause = write_at(world, 2, "x", "1", NULL);
    assert_true(vv_set(&seen, cause.actor, cause.seq));
    struct dot dot = write_at(world, 0, "y", "1", &seen);
    flush(world, 0);
    hand(world, 0, 1, MSG_DATA); /* pending there */
    cut_off(world, 0, 1);
    cut_off(world, 0, 2);
    cut_off(world, 1, 2);
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, 0);
    adopt(world, 1, newest(world)); /* into the table */
    world->sites[1].wall_ms += 5000;
    write_at(world, 1, "y", "2", NULL);
    struct site *site = &world->sites[1];
    begin_again(site);
    struct version version;
    struct slice whole;
    table_view(site->table, table_find(site->table, slot_of(SLICE_LIT("y")), SLICE_LIT("y")),
               &version);
    log_append_version(site->log, RECORD_DUMP, &version, &whole);
    restart(world, 1, SIZE_MAX);
    adopt(world, 2, newest(world));
    mend(world, 1, 2);
    settle(world, 5);
    uint64_t last = 0, sure = 0;
    assert_true(replica_seal(world->sites[1].replica, dot.actor, &last, &sure));
    bool held = last == dot.seq;
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0);
    return held && has(world, 2, "y", "2");
}

/* ---- terms ---- */

/* A report of an earlier term comes late: what it claims the machine crash has taken. */
static bool report_of_another_term(struct world *world)
{
    settle(world, 5);
    size_t keep = disk_bytes(world, 2);
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 2, 0);
    hand(world, 0, 1, 0);
    flush(world, 1);
    hand(world, 1, 0, 0);
    flush(world, 2);
    struct outbox late = world->sites[2].out;
    outbox_init(&world->sites[2].out);
    cut_off(world, 2, 1);
    cut_off(world, 2, 0);
    crash_machine(world, 2, keep);
    for (size_t i = 0; i < late.count; i++) {
        struct frame frame;
        assert_true(frame_decode(slice_of(late.bytes.ptr + late.items[i].begin, late.items[i].len),
                                 &frame));
        if (late.items[i].to == 100)
            take(world, 102, 0, &frame);
    }
    outbox_fini(&late);
    bool held = vv_get(replicas_stable(world->sites[0].set), dot.actor) < dot.seq;
    mend(world, 2, 1);
    mend(world, 2, 0);
    govern(world, 30);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return held;
}

/* Another node id: the log is not to be trusted. What was pending is in the table, nothing is
 * claimed, and what only it had reaches the others. */
static bool log_not_trusted(struct world *world)
{
    write_at(world, 2, "only here", "1", NULL);
    cut_off(world, 2, 0);
    cut_off(world, 2, 1);
    restart(world, 2, SIZE_MAX);
    become(&world->sites[2], 777);
    assert_int_equal(replica_coverage(world->sites[2].replica)->count, 0);
    assert_int_equal(replica_shard(world->sites[2].replica), SHARD_NONE);
    admit(world, 2);
    mend(world, 2, 0);
    mend(world, 2, 1);
    govern(world, 40);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    assert_int_equal(newest(world)->retired_count, 0);
    return has(world, 0, "only here", "1") && has(world, 2, "only here", "1");
}

/* ---- leaving ---- */

/* A member leaves under load: its receipts do not count any more, what it has becomes everybody's,
 * and then it goes. */
static bool leaves_under_load(struct world *world)
{
    for (uint32_t i = 0; i < 50; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(world, i % 3, key, "1", NULL);
    }
    remove_members(world, (const uint32_t[]){2}, 1, UINT32_MAX);
    adopt(world, 0, newest(world));
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 2, 0);
    flush(world, 2);
    hand(world, 2, 0, 0);
    bool held = !receipted(world->sites[0].replica, dot.seq);
    uint32_t rounds = 0;
    while (config_member_by_id(newest(world), 102) != NULL && rounds++ < 50) {
        for (uint32_t i = 0; i < 20; i++) {
            char key[16];
            snprintf(key, sizeof(key), "k%u", i);
            write_at(world, 0, key, "2", NULL);
            write_at(world, 1, key, "3", NULL);
            flush(world, 0);
            hand(world, 0, 2, 0);
            hand(world, 0, 1, 0);
        }
        govern(world, 1);
    }
    assert_true(rounds < 50);
    assert_int_equal(newest(world)->retired_count, 0);
    govern(world, 20);
    return held && same_tables(world->sites[0].table, world->sites[1].table);
}

/* Requests go to the source of a walk while it is under way; not to one that has begun to leave: it
 * would hand them on to somebody who may lack what is needed (seed 1100744). The walk goes on. */
static bool who_leaves_is_not_asked(struct world *world)
{
    char value[600];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    world->knobs.window_bytes = 4096;
    world->knobs.walk_chunk_bytes = 1024;
    cut_off(world, 0, 1);
    cut_off(world, 1, 2);
    for (uint32_t i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(world, 0, key, value, NULL);
    }
    settle(world, 3);
    mend(world, 0, 1);
    const struct site *site = &world->sites[1];
    for (uint32_t i = 0; i < 50 && replica_walk_source(site->replica) == 0; i++) {
        tick(world, 0, 20);
        hand(world, 0, 1, 0);
        tick(world, 1, 20);
        hand(world, 1, 0, MSG_REPORT);
    }
    assert_int_equal(replica_walk_source(site->replica), world->sites[0].node_id);
    remove_members(world, (const uint32_t[]){0}, 1, UINT32_MAX);
    adopt(world, 1, newest(world));
    bool held = replica_walk_source(site->replica) == 0;
    mend(world, 1, 2);
    govern(world, 60);
    return held && all_alike(world);
}

/* What is here and nowhere else keeps a member from going. */
static bool nothing_left_behind(struct world *world)
{
    cut_off(world, 1, 2);
    cut_off(world, 0, 1);
    write_at(world, 2, "k", "1", NULL);
    settle(world, 3); /* 0 has it, 1 does not */
    remove_members(world, (const uint32_t[]){2}, 1, UINT32_MAX);
    adopt_all(world);
    govern(world, 20);
    bool held = config_member_by_id(newest(world), 102) != NULL;
    mend(world, 1, 2);
    mend(world, 0, 1);
    govern(world, 20);
    assert_null(config_member_by_id(newest(world), 102));
    return held && has(world, 1, "k", "1");
}

/* One leaves, is wanted after all, and is to leave again, and hears of the last of these only: what
 * it had receipted counted while the others took it to stay, so it owes that too. */
static bool leaves_again(struct world *world)
{
    enum err err = E_OK;
    struct address address = {.text = "10.0.0.3:1"};
    remove_members(world, (const uint32_t[]){2}, 1, UINT32_MAX);
    adopt_all(world);
    settle(world, 3);
    assert_true(replica_handed_over(world->sites[2].replica));
    cut_off(world, 0, 1);
    struct dot dot = write_for_c(world);
    assert_false(receipted(world->sites[0].replica, dot.seq));
    assert_true(decide(world, config_invite(newest(world), &address, &err)));
    adopt(world, 0, newest(world));
    adopt(world, 1, newest(world));
    assert_true(receipted(world->sites[0].replica, dot.seq)); /* acknowledged */
    remove_members(world, (const uint32_t[]){2}, 1, UINT32_MAX);
    adopt_all(world);
    govern(world, 20);
    assert_null(config_member_by_id(newest(world), 102));
    site_close(&world->sites[0]);
    remove_members(world, (const uint32_t[]){0}, 1, ~1U);
    adopt(world, 1, newest(world));
    govern(world, 20);
    return has(world, 1, "k", "1");
}

/* ---- checkpoints ---- */

/* A tombstone is removed while a checkpoint is under way; what it had beaten came after the
 * beginning of that and stands in the log: replay must not bring it back. */
static bool purged_while_checkpointing(struct world *world)
{
    write_at(world, 1, "k", "\"old\"", NULL);
    flush(world, 1);
    struct outbox late = world->sites[1].out;
    outbox_init(&world->sites[1].out);
    world->sites[0].wall_ms += 5;
    write_at(world, 0, "k", "\"new\"", NULL);
    write_at(world, 0, "k", NULL, NULL);
    struct site *site = &world->sites[0];
    begin_again(site);
    site->checkpointing = true;
    outbox_fini(&world->sites[1].out);
    world->sites[1].out = late;
    settle(world, 20);
    assert_int_equal(table_tombstones(site->table), 0); /* gone before its slot is dumped */
    assert_true(has(world, 0, "k", NULL));
    restart(world, 0, SIZE_MAX);
    return has(world, 0, "k", NULL);
}

/* ---- all of them ---- */

/* All begin new terms, as when slots move. */
static void move_on(struct world *world)
{
    struct config *next = config_dup(newest(world));
    next->fence = ++next->epoch;
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        next->retired[next->retired_count++] = (struct retired){.actor = member->actor,
                                                                .node_id = member->node_id,
                                                                .state = RETIRED_MOVING,
                                                                .since = next->epoch,
                                                                .slots = next->shards[0].slots};
        member->actor = next->next_actor++;
    }
    assert_true(decide(world, next));
    adopt_all(world);
}

/* A write was under way when its writer began another term: no stream brings it any more, and what
 * is written in the new term may rest on it. It is pulled as soon as somebody says that it is
 * there, not when a stream would be late (by whole nodes: tests/e2e/reshard, killed). */
static bool under_way_when_it_ended(struct world *world)
{
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 1, MSG_DATA);
    world->sites[0].out.count = 0; /* 2 does not get it */
    world->knobs.pull_ms = 60000;
    move_on(world);
    settle(world, 5);
    assert_int_equal(covers(world, 1, dot.actor), dot.seq);
    return has(world, 2, "k", "1");
}

/* Others who have begun another term owe receipts since then: nobody is alone at once. */
static bool not_alone_in_a_new_term(struct world *world)
{
    settle(world, 20);
    move_on(world);
    bool held = true;
    for (uint32_t i = 0; i < 3; i++) {
        const struct site *site = &world->sites[i];
        held = held && !replica_alone(site->replica, site->mono_ms);
        assert_true(replica_alone(site->replica, site->mono_ms + world->knobs.suspect_ms));
    }
    return held;
}

static struct told stories[] = {
    {"union_of_all", union_of_all, 3, "MERGE_DROPS", PLANT_NONE},
    {"union_again", union_again, 3, NULL, PLANT_NONE},
    {"union_after_a_loss", union_after_a_loss, 3, NULL, PLANT_NONE},
    {"pending_counts", pending_counts, 3, "SEAL_ONLY_COVERED", PLANT_NONE},
    {"absent_keeper", absent_keeper, 3, "SEAL_WITHOUT_ABSENT", PLANT_NONE},
    {"moving_keeper", moving_keeper, 3, "SEAL_WITHOUT_MOVING", PLANT_NONE},
    {"late_write", late_write, 3, NULL, PLANT_NONE},
    {"last_keeper_dies", last_keeper_dies, 4, NULL, PLANT_NONE},
    {"comes_while_sealed", comes_while_sealed, 4, NULL, PLANT_NONE},
    {"highest_survives", highest_survives, 3, NULL, PLANT_NONE},
    {"report_of_another_term", report_of_another_term, 3, "ANY_TERM_REPORTS", PLANT_NONE},
    {"log_not_trusted", log_not_trusted, 3, NULL, PLANT_NONE},
    {"leaves_under_load", leaves_under_load, 3, NULL, PLANT_NONE},
    {"who_leaves_is_not_asked", who_leaves_is_not_asked, 3, NULL, PLANT_NONE},
    {"nothing_left_behind", nothing_left_behind, 3, NULL, PLANT_NONE},
    {"leaves_again", leaves_again, 3, NULL, PLANT_NONE},
    {"purged_while_checkpointing", purged_while_checkpointing, 3, NULL, PLANT_NONE},
    {"under_way_when_it_ended", under_way_when_it_ended, 3, NULL, PLANT_NONE},
    {"not_alone_in_a_new_term", not_alone_in_a_new_term, 3, NULL, PLANT_NONE},
};

int main(int argc, char **argv)
{
    return stories_main(argc, argv, stories, LEN(stories));
}
