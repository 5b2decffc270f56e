/* test_members - terms that begin and end, one story each.
 *
 * Does:   filling up, merging, sealing, leaving: the scenarios of docs/protocol.md section 9 that
 *         live in this module (T3, T7, T22, T23, T27, T28, T40), and what else was thought of on
 *         the way. In the PLANT build, with the name of a planted bug as its argument, it says
 *         whether that spoils the story that names it (tests/negative/run).
 * Not:    random faults: test_random.c, sim/.
 * Holds:  after each story what stands in the log makes the same replica.
 * Limits: -
 * See:    docs/protocol.md sections 4.4, 6.3 to 6.5 and 9.
 */
#include "world.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* A story returns whether what it is about held; what must hold in any case it asserts. */
typedef bool story(struct world *world);

/* ---- steps ---- */

static void renew(struct world *world, uint32_t number)
{
    enum err err = E_OK;
    const struct site *site = &world->sites[number];
    assert_true(
        decide(world, config_renew(newest(world), site->node_id, actor_of(world, number), &err)));
}

static void admit(struct world *world, uint32_t number)
{
    enum err err = E_OK;
    struct address address;
    snprintf(address.text, sizeof(address.text), "10.0.0.%u:1", number + 1);
    assert_true(
        decide(world, config_admit(newest(world), world->sites[number].node_id, &address, &err)));
    adopt(world, 0, newest(world)); /* who proposed it */
}

static void remove_members(struct world *world, const uint32_t *numbers, uint32_t count,
                           uint32_t alive)
{
    enum err err = E_OK;
    struct address addresses[SITES_MAX];
    struct removal removal = {.addresses = addresses, .address_count = count, .force = true};
    for (uint32_t i = 0; i < count; i++)
        snprintf(addresses[i].text, sizeof(addresses[i].text), "10.0.0.%u:1", numbers[i] + 1);
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        removal.alive[i] = i < 32 && (alive >> i & 1U) != 0;
    assert_true(decide(world, config_remove(newest(world), &removal, &err)));
}

static void adopt_all(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (world->sites[i].replica != NULL)
            adopt(world, i, newest(world));
}

/* The machine of a site goes down, losing what its disk has above `keep` bytes; the site comes back
 * in doubt and gets another actor, which everybody who is up learns. */
static void crash_machine(struct world *world, uint32_t number, size_t keep)
{
    restart(world, number, keep);
    doubt(&world->sites[number]);
    renew(world, number);
    adopt_all(world);
    connect_all(world);
}

static size_t disk_bytes(const struct world *world, uint32_t number)
{
    return world->sites[number].disk.len;
}

static enum member_state state_of(const struct world *world, uint32_t number)
{
    const struct member *member = config_member_by_id(newest(world), world->sites[number].node_id);
    assert_non_null(member);
    return member->state;
}

static bool all_alike(struct world *world)
{
    for (uint32_t i = 1; i < world->count; i++)
        if (!same_tables(world->sites[0].table, world->sites[i].table))
            return false;
    return true;
}

static void begin(struct world *world, enum plant plant, uint32_t count)
{
    world_init(world, count, count, plant);
    connect_all(world);
    settle(world, 3);
}

static void finish(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (world->sites[i].replica != NULL && world->plant == PLANT_NONE)
            assert_true(same_after_replay(world, i));
    world_fini(world);
}

/* ---- filling up ---- */

/* A member comes back with an empty disk, while others write. */
static bool empty_disk(struct world *world)
{
    for (uint32_t i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i % 300);
        write_at(world, i % 3, key, i % 7 == 0 ? NULL : "\"value\"", NULL);
    }
    settle(world, 3);
    wipe(world, 2, 777);
    admit(world, 2);
    connect_all(world);
    world->knobs.walk_chunk_bytes = 1024;
    for (uint32_t i = 0; i < 200 && state_of(world, 2) == MEMBER_SYNCING; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i * 7 % 400);
        write_at(world, i % 2, key, "\"later\"", NULL);
        govern(world, 1);
        assert_true(holds_what_it_covers(world, 2));
    }
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    adopt_all(world);
    write_at(world, 2, "new", "1", NULL);
    govern(world, 20);
    assert_true(has(world, 0, "new", "1"));
    assert_int_equal(newest(world)->retired_count, 0); /* its old actor is sealed and closed */
    return all_alike(world) && holds_what_it_covers(world, 2);
}

/* T3: a tombstone is purged; then a member whose machine crashed comes back with the deleted key
 * alive. */
static bool purged_stays_purged(struct world *world)
{
    write_at(world, 0, "k", "1", NULL);
    settle(world, 5);
    size_t keep = disk_bytes(world, 2);
    write_at(world, 0, "k", NULL, NULL);
    settle(world, 20);
    assert_int_equal(table_tombstones(world->sites[0].table), 0);
    crash_machine(world, 2, keep);
    assert_true(has(world, 2, "k", "1"));
    govern(world, 20);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    bool held = has(world, 2, "k", NULL);
    restart(world, 2, SIZE_MAX); /* and not in its log either */
    return held && has(world, 2, "k", NULL);
}

/* T40: the receiver must not drop what the walk has not made up for yet: the sender may be gone. */
static bool source_dies(struct world *world)
{
    write_at(world, 0, "a", "1", NULL);
    write_at(world, 0, "b", "1", NULL);
    write_at(world, 1, "a", "2", NULL);
    settle(world, 5);
    remove_members(world, (const uint32_t[]){1}, 1, 0);
    site_close(&world->sites[1]);
    crash_machine(world, 2, disk_bytes(world, 2)); /* nothing was lost, but who knows */
    world->knobs.walk_chunk_bytes = 1024;
    tick(world, 2, 100);
    hand(world, 2, 0, 0);
    flush(world, 0);
    hand(world, 0, 2, MSG_WALK_BEGIN);
    cut_off(world, 0, 2); /* for good: its disk is broken */
    settle(world, 5);
    return has(world, 2, "a", "2") && has(world, 2, "b", "1") && holds_what_it_covers(world, 2);
}

/* The walk ends early; nothing that it did not bring is claimed. */
static bool source_dies_early(struct world *world)
{
    char value[600];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    world->knobs.walk_chunk_bytes = 1024;
    for (uint32_t i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(world, i % 2, key, value, NULL);
    }
    settle(world, 5);
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    connect_all(world);
    tick(world, 2, 100);
    hand(world, 2, 0, 0);
    flush(world, 0);
    hand(world, 0, 2, 0);
    cut_off(world, 0, 2);
    bool held = holds_what_it_covers(world, 2);
    govern(world, 30); /* from the other one */
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return held && all_alike(world);
}

/* Count before you serve: nothing is stable that the syncing member lacks. */
static bool syncing_counts(struct world *world)
{
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    cut_off(world, 0, 2);
    cut_off(world, 1, 2);
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    settle(world, 10);
    bool held = vv_get(replica_stable(world->sites[0].replica), dot.actor) < dot.seq;
    mend(world, 0, 2);
    mend(world, 1, 2);
    govern(world, 20);
    assert_true(vv_get(replica_stable(world->sites[0].replica), dot.actor) >= dot.seq);
    return held;
}

/* An actor is closed after the walk began: what the sender had of it was sent by its end, or came
 * later; the receiver may have learnt of the closing before it gets the end. What it has of that
 * actor above V0 must stay. */
static bool closed_meanwhile(struct world *world)
{
    struct dot dot = write_at(world, 1, "k", "1", NULL);
    flush(world, 1);
    hand(world, 1, 2, 0); /* it alone has it besides its writer */
    hand(world, 1, 0, MSG_REPORT);
    cut_off(world, 1, 0);
    crash_machine(world, 2, disk_bytes(world, 2));
    tick(world, 2, 100);
    hand(world, 2, 0, 0);
    flush(world, 0);
    struct outbox walk = world->sites[0].out; /* all of the walk, and not a version of site 1 */
    outbox_init(&world->sites[0].out);
    assert_int_equal(covers(world, 0, dot.actor), 0);
    /* Site 1 loses its term, and its actor is closed, with everybody having the write. */
    struct config *next = config_dup(newest(world));
    next->epoch++;
    next->members[1].actor = next->next_actor++;
    next->members[1].state = MEMBER_SYNCING;
    assert_true(decide(world, next));
    adopt(world, 2, newest(world));
    outbox_fini(&world->sites[0].out);
    world->sites[0].out = walk;
    hand(world, 0, 2, 0);
    for (uint32_t i = 0; i < 5 && !replica_filled(world->sites[2].replica); i++) {
        tick(world, 2, 100);
        hand(world, 2, 0, MSG_WALK_ACK);
        flush(world, 0);
        hand(world, 0, 2, 0);
    }
    assert_true(replica_filled(world->sites[2].replica));
    return has(world, 2, "k", "1");
}

/* The process dies in the middle; it begins anew, and what was there counts as unsent again. */
static bool crash_in_the_middle(struct world *world)
{
    write_at(world, 0, "gone", "1", NULL);
    for (uint32_t i = 0; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        write_at(world, i % 2, key, "\"0123456789012345678901234567890123456789\"", NULL);
    }
    settle(world, 5);
    size_t keep = disk_bytes(world, 2);
    write_at(world, 0, "gone", NULL, NULL);
    settle(world, 20);
    crash_machine(world, 2, keep);
    world->knobs.walk_chunk_bytes = 1024;
    tick(world, 2, 100);
    hand(world, 2, 0, 0);
    hand(world, 2, 1, 0);
    flush(world, 0);
    flush(world, 1);
    hand(world, 0, 2, 0);
    hand(world, 1, 2, 0);
    assert_true(table_marks(world->sites[2].table) > 0);
    restart(world, 2, SIZE_MAX);
    assert_false(replica_filled(world->sites[2].replica));
    connect_all(world);
    govern(world, 30);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return has(world, 2, "gone", NULL) && all_alike(world);
}

/* A source that is not active (any more) says no; the receiver tries another one. */
static bool only_from_the_active(struct world *world)
{
    write_at(world, 0, "k", "1", NULL);
    settle(world, 5);
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    cut_off(world, 0, 1);
    crash_machine(world, 1, disk_bytes(world, 1)); /* syncing, and it cannot reach 0 */
    mend(world, 1, 2);
    cut_off(world, 0, 2);
    govern(world, 10); /* they can reach each other only */
    bool held = state_of(world, 2) == MEMBER_SYNCING && state_of(world, 1) == MEMBER_SYNCING;
    mend(world, 0, 2);
    govern(world, 20);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    assert_int_equal(state_of(world, 1), MEMBER_ACTIVE); /* from 2 */
    return held && has(world, 2, "k", "1");
}

/* A new term starts above the clock of whom it filled up from, and a restart does not forget it:
 * tombstones may have been purged up to there (4.6). */
static bool clock_of_the_source(struct world *world)
{
    world->sites[0].wall_ms += 1000000;
    write_at(world, 0, "k", "1", NULL);
    uint64_t hlc = world->made[world->made_count - 1].hlc;
    settle(world, 5);
    wipe(world, 2, 777);
    admit(world, 2);
    connect_all(world);
    govern(world, 20);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    restart(world, 2, SIZE_MAX);
    connect_all(world);
    write_at(world, 2, "other", "1", NULL);
    return world->made[world->made_count - 1].hlc > hlc;
}

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

/* T7: A acknowledges with C, C is cut off, A dies and is removed. B alone must not say what A's
 * last write was. */
static bool absent_keeper(struct world *world)
{
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    flush(world, 0);
    hand(world, 0, 2, 0);
    flush(world, 2);
    hand(world, 2, 0, 0);
    assert_true(replica_receipted(world->sites[0].replica, dot.seq));
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
    const struct retired *retired = config_retired(newest(world), dot.actor);
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
    bool held = vv_get(replica_stable(world->sites[0].replica), dot.actor) < dot.seq;
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
    bool held = !replica_receipted(world->sites[0].replica, dot.seq);
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

struct told {
    const char *name;  /* of the story */
    story *story;      /* it */
    uint32_t sites;    /* how many it wants */
    const char *plant; /* what must spoil it, or NULL */
};

static struct told stories[] = {
    {"empty_disk", empty_disk, 3, NULL},
    {"purged_stays_purged", purged_stays_purged, 3, "FILL_KEEPS"},
    {"source_dies", source_dies, 3, "FILL_DROPS_EARLY"},
    {"source_dies_early", source_dies_early, 3, "FILL_RAISES_EARLY"},
    {"syncing_counts", syncing_counts, 3, "FILL_NOT_COUNTED"},
    {"closed_meanwhile", closed_meanwhile, 3, NULL},
    {"crash_in_the_middle", crash_in_the_middle, 3, NULL},
    {"only_from_the_active", only_from_the_active, 3, NULL},
    {"clock_of_the_source", clock_of_the_source, 3, NULL},
    {"union_of_all", union_of_all, 3, "MERGE_DROPS"},
    {"union_again", union_again, 3, NULL},
    {"pending_counts", pending_counts, 3, "SEAL_ONLY_COVERED"},
    {"absent_keeper", absent_keeper, 3, "SEAL_WITHOUT_ABSENT"},
    {"late_write", late_write, 3, NULL},
    {"last_keeper_dies", last_keeper_dies, 4, NULL},
    {"highest_survives", highest_survives, 3, NULL},
    {"report_of_another_term", report_of_another_term, 3, NULL},
    {"log_not_trusted", log_not_trusted, 3, NULL},
    {"leaves_under_load", leaves_under_load, 3, NULL},
    {"nothing_left_behind", nothing_left_behind, 3, NULL},
    {"purged_while_checkpointing", purged_while_checkpointing, 3, NULL},
};

static bool tell(const struct told *told, enum plant plant)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    begin(world, plant, told->sites);
    bool held = told->story(world);
    finish(world);
    mem_free(world);
    return held;
}

static enum plant planted;

static void run(void **state)
{
    const struct told *told = *state;
    assert_true(tell(told, planted));
}

static int run_all(const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests("stories", tests, count, NULL, NULL);
}

/* PLANT_NONE for a name that is none, or in any build but PLANT. */
static enum plant plant_named(const char *name)
{
#ifdef THENCE_PLANT
#define PLANT(bug, what, caught_by)                                                                \
    if (strcmp(name, #bug) == 0)                                                                   \
        return PLANT_##bug;
#include "base/plant.def"
#undef PLANT
#endif
    (void)name;
    return PLANT_NONE;
}

/* 0: a story was spoiled by the bug; 1: none was; 2: no story is about it. */
static int judge(const char *name, const struct CMUnitTest *tests)
{
    int result = 2;
    planted = plant_named(name);
    for (size_t i = 0; i < LEN(stories) && planted != PLANT_NONE; i++) {
        if (stories[i].plant == NULL || strcmp(stories[i].plant, name) != 0)
            continue;
        bool spoiled = run_all(&tests[i], 1) != 0;
        if (spoiled)
            print_message("%s spoils %s\n", name, stories[i].name);
        result = spoiled ? 0 : 1;
    }
    return result;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[LEN(stories)];
    for (size_t i = 0; i < LEN(stories); i++)
        tests[i] = (struct CMUnitTest){
            .name = stories[i].name, .test_func = run, .initial_state = &stories[i]};
    if (argc == 2)
        return judge(argv[1], tests);
    return run_all(tests, LEN(stories));
}
