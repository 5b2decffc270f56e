/* test_fill - members that fill up, one story each.
 *
 * Does:   the scenarios of docs/protocol.md section 9 that are about slot walks (T3, T40), and what
 *         else was thought of on the way; the drop at the end, which takes many steps.
 * Not:    random faults: test_random_fill.c, sim/.
 * Holds:  see story.h.
 * Limits: -
 * See:    docs/protocol.md sections 4.4 and 9.
 */
#include "story.h"

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

/* T44: what the fill brings loses against a version that nobody else has, of an actor that is
 * closed; that goes at the end, and what lost against it has to come again. */
static bool beaten_comes_again(struct world *world)
{
    enum err err = E_OK;
    struct address address = {.text = "10.0.0.3:1"};
    write_at(world, 0, "k", "1", NULL);
    settle(world, 5);
    cut_off(world, 0, 2);
    cut_off(world, 1, 2);
    write_at(world, 2, "k", "2", NULL);
    remove_members(world, (const uint32_t[]){2}, 1, 0);
    adopt_all(world);
    govern(world, 30);
    assert_int_equal(newest(world)->retired_count, 0); /* closed, without what it wrote alone */
    become(&world->sites[2], 4711);
    admit(world, 2);
    assert_true(decide(world, config_assign(newest(world), &address, 0, &err)));
    adopt_all(world);
    mend(world, 0, 2);
    mend(world, 1, 2);
    assert_true(has(world, 2, "k", "2"));
    govern(world, 40);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return has(world, 2, "k", "1") && all_alike(world);
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
    govern(world, 50); /* from the other one */
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
    bool held = vv_get(replicas_stable(world->sites[0].set), dot.actor) < dot.seq;
    mend(world, 0, 2);
    mend(world, 1, 2);
    govern(world, 20);
    assert_true(vv_get(replicas_stable(world->sites[0].set), dot.actor) >= dot.seq);
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

/* ---- dropping, which takes many steps ---- */

#define GONE 400U

static uint64_t live_at(const struct world *world, uint32_t number)
{
    return table_live(world->sites[number].table);
}

/* Keys that everybody has; returns what is on the disk of site 2 then. */
static size_t write_much(struct world *world)
{
    world->knobs.walk_chunk_bytes = 16384; /* 64 versions are looked at in a step */
    for (uint32_t i = 0; i < GONE; i++) {
        char key[16];
        snprintf(key, sizeof(key), "gone%u", i);
        write_at(world, i % 2, key, "1", NULL);
        snprintf(key, sizeof(key), "kept%u", i);
        if (i % 8 == 0)
            write_at(world, i % 3, key, "1", NULL);
    }
    settle(world, 10);
    return disk_bytes(world, 2);
}

/* GONE of them are deleted and purged, and site 2, in doubt, has them still. */
static void delete_much(struct world *world, size_t keep)
{
    for (uint32_t i = 0; i < GONE; i++) {
        char key[16];
        snprintf(key, sizeof(key), "gone%u", i);
        write_at(world, 0, key, NULL, NULL);
    }
    for (uint32_t i = 0; i < 100 && table_tombstones(world->sites[0].table) > 0; i++)
        settle(world, 1);
    assert_int_equal(table_tombstones(world->sites[0].table), 0);
    crash_machine(world, 2, keep);
}

/* Goes on until site 2 has dropped some, and has more to drop. True: it says that it is filled. */
static bool drop_some(struct world *world)
{
    uint64_t before = live_at(world, 2);
    cut_off(world, 1, 2); /* the walk comes from 0 */
    for (uint32_t i = 0; i < 200 && live_at(world, 2) == before; i++) {
        tick(world, 2, 10);
        hand(world, 2, 0, 0);
        flush(world, 0);
        hand(world, 0, 2, 0);
    }
    flush(world, 2);
    assert_true(live_at(world, 2) < before);
    assert_true(live_at(world, 2) > GONE / 8 + 64);
    return replica_filled(world->sites[2].replica);
}

static void become_active(struct world *world, uint32_t number)
{
    mend(world, 1, 2);
    govern(world, 40);
    assert_int_equal(state_of(world, number), MEMBER_ACTIVE);
    assert_int_equal(newest(world)->retired_count, 0);
}

static bool is_busy(const struct site *site)
{
    return replicas_flush_ms(site->set) < UINT64_MAX;
}

/* Nobody is told of anything before all is dropped, and the node comes back for the rest. */
static bool drops_in_steps(struct world *world)
{
    delete_much(world, write_much(world));
    struct site *site = &world->sites[2];
    uint64_t covered = covers(world, 2, 1);
    bool held = !drop_some(world);
    for (uint32_t i = 0; i < 100 && live_at(world, 2) > GONE / 8; i++) {
        uint64_t before = live_at(world, 2);
        held = held && !replica_filled(site->replica) && covers(world, 2, 1) == covered;
        assert_true(!held || is_busy(site));
        flush(world, 2);
        assert_true(live_at(world, 2) + 64 >= before);
    }
    for (uint32_t i = 0; i < 100 && !replica_filled(site->replica); i++)
        flush(world, 2);
    held = held && covers(world, 2, 1) > covered && live_at(world, 2) == GONE / 8;
    become_active(world, 2);
    return held && all_alike(world);
}

/* The process dies in the middle of the drop, or the machine with a part of the log: it has what it
 * said that it covers, and fills up anew. */
static bool crash_while_dropping(struct world *world)
{
    delete_much(world, write_much(world));
    uint64_t covered = covers(world, 2, 1);
    size_t begin = disk_bytes(world, 2);
    drop_some(world);
    size_t keep = begin + (disk_bytes(world, 2) - begin) * 3 / 4;
    uint64_t left = live_at(world, 2);
    restart(world, 2, SIZE_MAX);
    assert_int_equal(live_at(world, 2), left);
    for (uint32_t i = 0; i < 2; i++) {
        assert_false(replica_filled(world->sites[2].replica));
        assert_int_equal(covers(world, 2, 1), covered);
        assert_true(holds_what_it_covers(world, 2));
        if (i == 0)
            restart(world, 2, keep);
    }
    connect_all(world);
    become_active(world, 2);
    return all_alike(world);
}

/* A key of one of the first slots: the sweep is past it soon. */
static void early_key(char *key, size_t size)
{
    uint32_t i = 0;
    do {
        snprintf(key, size, "e%u", i++);
    } while (slot_of(slice_str(key)) > 200);
}

/* In the middle of the drop a stream brings what was deleted and purged long ago, and what is new.
 * The one must not stay, though the sweep is past its slot; the other must. */
static bool write_while_dropping(struct world *world)
{
    char early[16];
    early_key(early, sizeof(early));
    size_t keep = write_much(world);
    cut_off(world, 1, 2); /* 1 never learns that 2 has it, and keeps it in its window */
    write_at(world, 1, early, "1", NULL);
    settle(world, 10);
    write_at(world, 0, early, NULL, NULL);
    delete_much(world, keep);
    drop_some(world);
    write_at(world, 1, "new", "1", NULL);
    mend(world, 1, 2);
    flush(world, 2);
    hand(world, 2, 1, 0);
    flush(world, 1);
    assert_true(hand(world, 1, 2, MSG_DATA) > 0);
    assert_false(replica_filled(world->sites[2].replica));
    assert_true(has(world, 2, "new", "1"));
    become_active(world, 2);
    assert_true(has(world, 2, "new", "1"));
    return has(world, 2, early, NULL) && all_alike(world);
}

/* In the middle of the drop the source goes down with its machine and begins another term. It has
 * sent everything: the drop goes on without it. */
static bool source_changes_while_dropping(struct world *world)
{
    delete_much(world, write_much(world));
    drop_some(world);
    struct dot dot = write_at(world, 0, "k", "1", NULL);
    crash_machine(world, 0, disk_bytes(world, 0));
    assert_int_equal(state_of(world, 0), MEMBER_SYNCING);
    for (uint32_t i = 0; i < 100 && is_busy(&world->sites[2]); i++)
        flush(world, 2);
    bool held = replica_filled(world->sites[2].replica) && covers(world, 2, 1) > 0 &&
                covers(world, 2, dot.actor) < dot.seq;
    become_active(world, 0);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    return held && has(world, 2, "k", "1") && all_alike(world);
}

/* In the middle of the drop the term of the receiver ends: it begins again, and what is left of the
 * marks of the first walk does not keep anything. */
static bool term_ends_while_dropping(struct world *world)
{
    delete_much(world, write_much(world));
    drop_some(world);
    struct site *site = &world->sites[2];
    assert_true(table_marks(site->table) > 0);
    doubt(site);
    assert_false(is_busy(site));
    renew(world, 2);
    adopt_all(world);
    tick(world, 2, 100); /* marks are taken off first, in steps too */
    assert_true(table_marks(site->table) > 0);
    assert_true(is_busy(site));
    for (uint32_t i = 0; i < 100 && is_busy(site); i++)
        flush(world, 2);
    bool held = table_marks(site->table) == 0 && !replica_filled(site->replica);
    become_active(world, 2);
    return held && all_alike(world);
}

/* A node goes from a shard and comes back to it: what it has dropped meanwhile as none of its
 * business, its log must not bring back. */
static bool strays_stay_away(struct world *world)
{
    write_at(world, 0, "k", "1", NULL);
    write_at(world, 0, "j", "1", NULL);
    settle(world, 5);
    struct config *next = config_dup(newest(world));
    next->epoch++;
    next->members[2].shard = SHARD_NONE;
    next->members[2].actor = 0;
    next->members[2].state = MEMBER_SPARE;
    assert_true(decide(world, next));
    adopt_all(world);
    settle(world, 5);
    assert_int_equal(live_at(world, 2), 0);
    write_at(world, 0, "k", NULL, NULL);
    settle(world, 20);
    assert_int_equal(table_tombstones(world->sites[0].table), 0);
    next = config_dup(newest(world));
    next->epoch++;
    next->members[2].shard = 0;
    next->members[2].actor = next->next_actor++;
    next->members[2].state = MEMBER_SYNCING;
    assert_true(decide(world, next));
    adopt_all(world);
    connect_all(world);
    govern(world, 20);
    assert_int_equal(state_of(world, 2), MEMBER_ACTIVE);
    assert_true(has(world, 2, "j", "1"));
    restart(world, 2, SIZE_MAX);
    return has(world, 2, "k", NULL) && has(world, 2, "j", "1");
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

/* Fills up site 2 with so many bytes a second; how long it took. */
static uint64_t fill_with(struct world *world, uint64_t rate)
{
    world->knobs.fill_rate_bytes = rate;
    crash_machine(world, 2, disk_bytes(world, 2));
    uint64_t began = world->sites[2].mono_ms;
    for (uint32_t i = 0; i < 2000 && !replica_filled(world->sites[2].replica); i++)
        for (uint32_t j = 0; j < world->count; j++) {
            tick(world, j, 5);
            for (uint32_t k = 0; k < world->count; k++)
                hand(world, j, k, 0);
        }
    assert_true(replica_filled(world->sites[2].replica));
    become_active(world, 2);
    return world->sites[2].mono_ms - began;
}

/* Who sends, and who drops, keeps to FILL_RATE: 450 versions of 60 bytes, which count as 256 each
 * when they are looked at. */
static bool fills_at_a_pace(struct world *world)
{
    write_much(world);
    world->knobs.walk_chunk_bytes = 1024;
    uint64_t fast = fill_with(world, 67108864);
    uint64_t slow = fill_with(world, 65536);
    return slow > fast + 1200 && slow < fast + 3600;
}

/* What was spent at the full rate is not waited for eight times as long when clients come: who
 * fills up would take this node for one that is stuck. */
static bool steps_back_at_once(struct world *world)
{
    struct site *site = &world->sites[0];
    write_much(world);
    world->knobs.fill_rate_bytes = 65536;
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    connect_all(world);
    cut_off(world, 1, 2); /* the walk comes from 0 */
    for (uint32_t i = 0;
         i < 100 && (!is_busy(site) || replicas_flush_ms(site->set) <= site->mono_ms); i++) {
        tick(world, 2, 5);
        hand(world, 2, 0, 0);
        tick(world, 0, 5);
        hand(world, 0, 2, 0);
    }
    assert_true(is_busy(site) && replicas_flush_ms(site->set) > site->mono_ms);
    replicas_served(site->set, site->mono_ms);
    flush(world, 0);
    bool held = replicas_flush_ms(site->set) <= site->mono_ms + 101;
    mend(world, 1, 2);
    world->knobs.fill_rate_bytes = 67108864;
    become_active(world, 2);
    return held && all_alike(world);
}

/* Who takes long to fill up is sent what is written meanwhile, however much that is: above the hole
 * that the walk will close it has taken all of it, and says so. */
static bool streams_go_on_while_filling(struct world *world)
{
    char value[400];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    write_much(world);
    world->knobs.walk_chunk_bytes = 1024;
    world->knobs.window_bytes = 16384;
    world->knobs.fill_rate_bytes = 65536;
    wipe(world, 2, 777);
    admit(world, 2);
    adopt_all(world);
    connect_all(world);
    cut_off(world, 1, 2);
    cut_off(world, 0, 1); /* a receipt can come from site 2 only */
    bool held = true;
    for (uint32_t i = 0; i < 80; i++) {
        struct dot dot = write_at(world, 0, "meanwhile", value, NULL);
        for (uint32_t j = 0; j < 3; j++) {
            tick(world, 0, 1);
            tick(world, 2, 1);
            hand(world, 0, 2, 0);
            hand(world, 2, 0, 0);
        }
        held = held && replica_receipted(world->sites[0].replica, dot);
    }
    assert_false(replica_filled(world->sites[2].replica));
    mend(world, 0, 1);
    world->knobs.fill_rate_bytes = 67108864;
    mend(world, 1, 2);
    govern(world, 200);
    become_active(world, 2);
    return held && all_alike(world);
}

/* What site 2 has not got yet of a member's stream; it hears nothing else of it. */
static uint32_t bring(struct world *world, uint32_t from)
{
    mend(world, from, 2);
    flush(world, 2);
    hand(world, 2, from, 0);
    flush(world, from);
    uint32_t frames = hand(world, from, 2, MSG_DATA);
    cut_off(world, from, 2);
    return frames;
}

/* Writes of one key that come by streams one after the other, the newest first, while the walk has
 * not got there yet: it will bring what won, so that once is enough. */
static bool hot_key_fills_once(struct world *world)
{
    char hot[16] = "";
    for (uint32_t i = 0; hot[0] == '\0'; i++) {
        char key[16];
        snprintf(key, sizeof(key), "hot%u", i);
        if (slot_of(slice_of(key, strlen(key))) > LIMIT_SLOTS / 4 * 3)
            memcpy(hot, key, sizeof(hot));
    }
    write_much(world);
    world->knobs.walk_chunk_bytes = 1024;
    for (uint32_t i = 0; i < 4; i++)
        if (i != 2)
            cut_off(world, i, 2);
    for (uint32_t i = 0; i < 9; i++) {
        write_at(world, i % 3 == 2 ? 3 : i % 3, hot, "1", NULL);
        settle(world, 2);
    }
    mend(world, 0, 2);
    crash_machine(world, 2, disk_bytes(world, 2)); /* nothing was lost, but who knows */
    tick(world, 2, 100);
    hand(world, 2, 0, 0);
    flush(world, 0);
    assert_true(hand(world, 0, 2, 0) > 0); /* it has begun */
    assert_true(bring(world, 3) > 0);
    assert_true(bring(world, 1) > 0);
    assert_true(has(world, 2, hot, "1"));
    mend(world, 3, 2);
    mend(world, 1, 2);
    govern(world, 200);
    become_active(world, 2);
    return world->sites[2].metrics.marks.hits[MARK_FILL_AGAIN] == 0 && all_alike(world);
}

/* Slots go from sites 0 and 1 to the others, as with a split: who gives them begins another term
 * and stays active, who takes them is new there. */
static void give_slots(struct world *world)
{
    struct config *next = config_dup(newest(world));
    next->fence = ++next->epoch;
    for (uint32_t i = 0; i < next->member_count; i++) {
        struct member *member = &next->members[i];
        struct retired ended = {.actor = member->actor,
                                .node_id = member->node_id,
                                .state = RETIRED_MOVING,
                                .since = next->epoch,
                                .slots = next->shards[0].slots};
        if (i < 2)
            next->retired[next->retired_count++] = ended;
        else
            member->state = MEMBER_SYNCING;
        member->actor = next->next_actor++;
    }
    assert_true(decide(world, next));
    adopt_all(world);
}

/* Four fill up from one member, which takes long. Its last write of the term before comes by a walk
 * only, and clients wait for it: that walk has a place all the same. */
static bool tails_have_a_place(struct world *world)
{
    write_much(world);
    world->knobs.walk_chunk_bytes = 1024;
    world->knobs.fill_rate_bytes = 65536;
    struct dot dot = write_at(world, 0, "last", "1", NULL);
    give_slots(world);
    settle(world, 8);
    bool held = covers(world, 1, dot.actor) == dot.seq && has(world, 1, "last", "1");
    for (uint32_t i = 2; i < world->count; i++)
        assert_false(replica_filled(world->sites[i].replica));
    world->knobs.fill_rate_bytes = 67108864;
    govern(world, 200);
    for (uint32_t i = 2; i < world->count; i++)
        assert_int_equal(state_of(world, i), MEMBER_ACTIVE);
    return held && all_alike(world);
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

/* ---- all of them ---- */

static struct told stories[] = {
    {"empty_disk", empty_disk, 3, NULL, PLANT_NONE},
    {"purged_stays_purged", purged_stays_purged, 3, "FILL_KEEPS", PLANT_NONE},
    {"beaten_comes_again", beaten_comes_again, 3, "FILL_ONCE", PLANT_NONE},
    {"hot_key_fills_once", hot_key_fills_once, 4, NULL, PLANT_NONE},
    {"source_dies", source_dies, 3, "FILL_DROPS_EARLY", PLANT_NONE},
    {"source_dies_early", source_dies_early, 3, "FILL_RAISES_EARLY", PLANT_NONE},
    {"syncing_counts", syncing_counts, 3, "FILL_NOT_COUNTED", PLANT_NONE},
    {"closed_meanwhile", closed_meanwhile, 3, NULL, PLANT_NONE},
    {"crash_in_the_middle", crash_in_the_middle, 3, NULL, PLANT_NONE},
    {"drops_in_steps", drops_in_steps, 3, "FILL_DROPS_HALF", PLANT_NONE},
    {"crash_while_dropping", crash_while_dropping, 3, NULL, PLANT_NONE},
    {"write_while_dropping", write_while_dropping, 3, "FILL_LATE_STAYS", PLANT_NONE},
    {"source_changes_while_dropping", source_changes_while_dropping, 3, NULL, PLANT_NONE},
    {"term_ends_while_dropping", term_ends_while_dropping, 3, NULL, PLANT_NONE},
    {"strays_stay_away", strays_stay_away, 3, NULL, PLANT_NONE},
    {"only_from_the_active", only_from_the_active, 3, NULL, PLANT_NONE},
    {"fills_at_a_pace", fills_at_a_pace, 3, NULL, PLANT_NONE},
    {"steps_back_at_once", steps_back_at_once, 3, NULL, PLANT_NONE},
    {"streams_go_on_while_filling", streams_go_on_while_filling, 3, NULL, PLANT_NONE},
    {"tails_have_a_place", tails_have_a_place, 6, NULL, PLANT_NONE},
    {"clock_of_the_source", clock_of_the_source, 3, NULL, PLANT_NONE},
};

int main(int argc, char **argv)
{
    return stories_main(argc, argv, stories, LEN(stories));
}
