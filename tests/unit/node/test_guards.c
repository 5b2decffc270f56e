/* test_guards - what a node refuses to believe.
 *
 * Does:   a frame of an epoch that it has not learnt (T2), a token from behind such an epoch (T1),
 *         an old copy of its own data (T11), a log that may have lost its end (T43). And how long
 *         a slow disk holds up what must be synced first (T10).
 * Not:    that nothing else gets by: sim/. What fences guard when responsibility moves.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 3.2, 6.3 and section 9.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define KEYS 50U

static uint32_t actor_of(const struct mini *mini, uint32_t index)
{
    return config_member_by_id(node_config(mini->nodes[index]), node_id(mini->nodes[index]))->actor;
}

/* A report of node 1 that contradicts node 0, made `ahead` epochs after the one that it knows. */
static struct buf contradiction(const struct mini *mini, uint64_t ahead)
{
    const struct config *config = node_config(mini->nodes[0]);
    struct outbox out;
    outbox_init(&out);
    out.lineage = config->lineage;
    out.epoch = config->epoch + ahead;
    struct msg_report report;
    memset(&report, 0, sizeof(report));
    report.actor = actor_of(mini, 1);
    assert_true(vv_set(&report.coverage, actor_of(mini, 0), 1000));
    outbox_report(&out, 0, &report);
    struct buf bytes = buf_take(&out.bytes);
    outbox_fini(&out);
    return bytes;
}

/* T2: whoever speaks under an epoch that this node has not learnt is not listened to, and hung up
 * on: the handshake brings the configuration first. */
static void unknown_epoch(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    uint64_t conn = mini_conn(&mini, 1, 0);
    struct buf frame = contradiction(&mini, 1);
    mini_inject(&mini, conn, buf_slice(&frame));
    assert_false(mini.conns[conn].open);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    buf_fini(&frame);
    mini_run(&mini, 2000);
    assert_true(node_believes_alive(mini.nodes[0], node_id(mini.nodes[1]))); /* it dialled again */
    assert_int_equal(mini_ask(&mini, 1, OP_PUT, "x", "1", SLICE_EMPTY)->copies, 2);
    /* The same words under the epoch that it knows are heard: the test would notice. */
    frame = contradiction(&mini, 0);
    mini_inject(&mini, mini_conn(&mini, 1, 0), buf_slice(&frame));
    assert_int_not_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    buf_fini(&frame);
    mini_fini(&mini);
}

static struct buf token_from_behind(const struct mini *mini, uint64_t ahead)
{
    const struct config *config = node_config(mini->nodes[0]);
    struct ctx ctx;
    struct buf token = BUF_EMPTY;
    ctx_init(&ctx);
    ctx.lineage = config->lineage;
    ctx.fence = config->epoch + ahead;
    token_encode(&ctx, &config->token_key, &token);
    return token;
}

/* T1, its last step: a token that was pruned under a configuration which this node has not learnt
 * names too little. It waits for the configuration, and then says so. */
static void fence_ahead(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY);
    struct buf token = token_from_behind(&mini, 1);
    const struct reply *reply = mini_ask(&mini, 0, OP_GET, "x", NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_EPOCH_BEHIND);
    assert_int_equal(reply->value.len, 0);
    /* The answer's token still keeps those out who do not know that epoch. */
    struct ctx back;
    struct siphash_key key = node_config(mini.nodes[0])->token_key;
    assert_int_equal(token_decode(reply->token, &key, &back), TOKEN_OK);
    assert_int_equal(back.fence, node_config(mini.nodes[0])->epoch + 1);
    /* With the epoch it is served: by the one that has learnt it, at once. */
    assert_true(node_propose_touch(mini.nodes[1]));
    mini_run(&mini, 1000);
    reply = mini_ask(&mini, 0, OP_GET, "x", NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_OK);
    assert_true(slice_equal(reply->value, SLICE_LIT("1")));
    buf_fini(&token);
    mini_fini(&mini);
}

static void copy_disk(const struct mini_disk *from, struct mini_disk *to)
{
    memset(to, 0, sizeof(*to));
    to->first = from->first;
    to->last = from->last;
    for (uint32_t i = 0; i < 64; i++)
        buf_append_slice(&to->segments[i], buf_slice(&from->segments[i]));
}

static void fini_disk(struct mini_disk *disk)
{
    for (uint32_t i = 0; i < 64; i++)
        buf_fini(&disk->segments[i]);
}

/* Node 0, which is down, starts with this disk. */
static void put_back(struct mini *mini, const struct mini_disk *old)
{
    fini_disk(&mini->disks[0]);
    mini->disks[0] = *old;
    mini_start(mini, 0);
}

/* Node 0 writes once, and its disk is copied; then `writer` writes more, and node 0 comes back with
 * the copy. */
static void turn_back(struct mini *mini, uint32_t writer)
{
    struct mini_disk old;
    assert_true(mini_start_all(mini, 3, 1));
    mini_ask(mini, 0, OP_PUT, "x", "1", SLICE_EMPTY);
    mini_run(mini, 500);
    copy_disk(&mini->disks[0], &old);
    for (uint32_t i = 0; i < 5; i++)
        mini_ask(mini, writer, OP_PUT, "x", "2", SLICE_EMPTY);
    mini_run(mini, 500);
    mini_kill(mini, 0);
    put_back(mini, &old);
}

static bool goes_on_as(const struct mini *mini, uint32_t actor)
{
    const struct config *config = node_config(mini->nodes[1]);
    const struct member *self = config_member_by_id(config, node_id(mini->nodes[0]));
    return self != NULL && self->actor == actor && node_phase(mini->nodes[0]) == NODE_SERVING;
}

/* T11: a machine that was turned back to an old disk cannot see it; the first peer that remembers
 * more of its writes tells it, and it does not go on under the old name. */
static void old_disk(void **state)
{
    (void)state;
    struct mini mini;
    turn_back(&mini, 0);
    uint32_t actor = 1; /* of node 0, since the first start */
    uint64_t seq = vv_get(node_coverage(mini.nodes[1]), actor);
    assert_int_equal(seq, 6);
    assert_true(vv_get(node_coverage(mini.nodes[0]), actor) < seq);
    mini_run(&mini, 3000);
    assert_false(goes_on_as(&mini, actor));
    assert_int_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    assert_true(config_actor_closed(node_config(mini.nodes[1]), actor)); /* all have its writes */
    const struct reply *reply = mini_ask(&mini, 0, OP_GET, "x", NULL, SLICE_EMPTY);
    assert_true(slice_equal(reply->value, SLICE_LIT("2")));
    assert_int_equal(node_phase(mini.nodes[1]), NODE_SERVING);
    mini_fini(&mini);
}

/* The same where it lacks no write of its own: the others counted on what it had covered, and may
 * have purged tombstones since. They remember, and say so. */
static void old_disk_of_a_reader(void **state)
{
    (void)state;
    struct mini mini;
    turn_back(&mini, 1);
    uint32_t actor = 1;
    assert_int_equal(vv_get(node_coverage(mini.nodes[1]), actor), 1);
    mini_run(&mini, 3000);
    assert_false(goes_on_as(&mini, actor));
    assert_int_equal(node_phase(mini.nodes[1]), NODE_SERVING);
    assert_int_equal(node_phase(mini.nodes[2]), NODE_SERVING);
    mini_fini(&mini);
}

/* Node 0, which had that id, starts with an old disk and notices it; time passes. */
static void comes_back_as_another(struct mini *mini, const struct mini_disk *old, uint64_t id)
{
    put_back(mini, old);
    mini_run(mini, 1000);
    assert_true(node_id(mini->nodes[0]) != id);
    mini_run(mini, 20000);
}

static void has_all_keys(struct mini *mini, uint32_t index)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[8];
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(mini, index, OP_GET, key, NULL, SLICE_EMPTY)->err, E_OK);
    }
}

static bool is_seated(const struct mini *mini, uint32_t index, enum member_state state)
{
    const struct config *config = node_config(mini->nodes[index]);
    for (uint32_t i = 0; i < config->seat_count; i++)
        if (config->seats[i].node_id == node_id(mini->nodes[index]) &&
            config->seats[i].state == state)
            return true;
    return false;
}

/* Connections of node 0 with those of the shard that is to go. */
static void ways_with_givers(struct mini *mini, enum mini_way way)
{
    for (uint32_t i = 4; i < 6; i++) {
        mini_way(mini, 0, i, way);
        mini_way(mini, i, 0, way);
    }
}

/* Of slots that come to its shard a node has filled up, and is turned back to when it had not; its
 * actor in the shard is the same. Nothing was written there meanwhile that anybody could
 * remember. */
static void old_disk_of_a_taker(void **state)
{
    (void)state;
    struct mini mini;
    struct mini_disk old;
    assert_true(mini_start_all(&mini, 6, 3));
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[8];
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(&mini, i % 6, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
    }
    mini_run(&mini, 3000);
    mini.async = true;
    mini.shard_id = 2;
    ways_with_givers(&mini, MINI_LATE);
    assert_int_equal(mini_ask(&mini, 1, OP_RESHARD, "", NULL, SLICE_EMPTY)->outcome, OUTCOME_BEGUN);
    while (!is_seated(&mini, 0, MEMBER_SYNCING))
        mini_run(&mini, 1);
    copy_disk(&mini.disks[0], &old);
    ways_with_givers(&mini, MINI_FLOWS);
    while (!is_seated(&mini, 0, MEMBER_ACTIVE))
        mini_run(&mini, 1);
    uint64_t id = node_id(mini.nodes[0]);
    mini_kill(&mini, 0);
    mini_run(&mini, 3000);
    comes_back_as_another(&mini, &old, id);
    assert_false(config_reshards(node_config(mini.nodes[1])));
    has_all_keys(&mini, 0);
    mini_fini(&mini);
}

/* Its shard gives slots away, and before all have what it wrote its machine is turned back to a
 * time before those writes: its log knows the term that has ended, and less of it than the others
 * do. */
static void old_disk_of_a_giver(void **state)
{
    (void)state;
    struct mini mini;
    struct mini_disk old;
    assert_true(mini_start_all(&mini, 6, 2));
    mini_run(&mini, 3000);
    copy_disk(&mini.disks[0], &old);
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[8];
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(&mini, 0, OP_PUT, key, "1", SLICE_EMPTY)->err, E_OK);
    }
    mini_run(&mini, 1000);
    mini.async = true;
    mini.shard_id = 3;
    assert_int_equal(mini_ask(&mini, 1, OP_RESHARD, "", NULL, SLICE_EMPTY)->outcome, OUTCOME_BEGUN);
    while (!is_seated(&mini, 0, MEMBER_ACTIVE))
        mini_run(&mini, 1);
    uint32_t actor = 1; /* of node 0, since the first start */
    uint64_t id = node_id(mini.nodes[0]);
    mini_kill(&mini, 0);
    for (uint32_t i = 1; i < 6; i++) { /* they forget what it has reported */
        mini_kill(&mini, i);
        mini_start(&mini, i);
    }
    mini_run(&mini, 3000);
    assert_false(config_actor_closed(node_config(mini.nodes[1]), actor));
    comes_back_as_another(&mini, &old, id);
    has_all_keys(&mini, 0);
    mini_fini(&mini);
}

/* Node 0 is idle for a while, writes, and its machine loses power: the disk shows no trace of what
 * was not synced. Nobody is there to tell it: it has its writes, or knows that it may lack some. */
static void write_after_a_rest(uint32_t idle_ms, uint32_t writes, uint32_t pause_ms)
{
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    uint32_t actor = actor_of(&mini, 0);
    mini_run(&mini, idle_ms);
    for (uint32_t i = 0; i < writes; i++) {
        assert_int_equal(mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY)->err, E_OK);
        mini_run(&mini, i + 1 < writes ? pause_ms : 0);
    }
    mini_power_cut(&mini, 0);
    mini_cut(&mini, 0, true);
    mini_start(&mini, 0);
    if (node_phase(mini.nodes[0]) != NODE_ASKING)
        assert_int_equal(vv_get(node_coverage(mini.nodes[0]), actor), writes);
    mini_fini(&mini);
}

/* T43 */
static void writes_after_a_rest(void **state)
{
    (void)state;
    for (uint32_t idle_ms = 5000; idle_ms < 9000; idle_ms += 270)
        for (uint32_t writes = 1; writes < 5; writes++)
            write_after_a_rest(idle_ms, writes, idle_ms / 10 % 7 * 50);
}

/* A node that nobody writes to logs its clock's ceiling now and then. Whenever its machine loses
 * power, it is whole. */
static void idle_node_loses_power(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY);
    for (uint32_t i = 0; i < 25; i++) {
        mini_run(&mini, 3000 + 170 * i);
        mini_power_cut(&mini, i % 3);
        mini_start(&mini, i % 3);
        assert_int_equal(node_phase(mini.nodes[i % 3]), NODE_SERVING); /* in no doubt */
    }
    mini_fini(&mini);
}

/* Purpose: frames of the register wait until what they rest on is synced, and rest on one record
 *          more each time they are said again (after 200 ms, 400 ms …): not to wait for both.
 * Method:  a node proposes an epoch, where a sync in the background takes 500 ms and no log rests.
 * Pass:    the epoch is decided: each of the four frames of it waits for two syncs at most. Writes
 *          meanwhile wait for none. */
static void slow_syncs(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    uint64_t epoch = node_config(mini.nodes[1])->epoch;
    uint64_t began_ms = 0;
    mini.sync_ms = 500;
    for (uint32_t i = 0; i < 120 && node_config(mini.nodes[1])->epoch == epoch; i++) {
        uint64_t asked_ms = mini.now_ms;
        assert_int_equal(mini_ask(&mini, i % 3, OP_PUT, "x", "1", SLICE_EMPTY)->copies, 2);
        assert_true(mini.now_ms - asked_ms < 10);
        if (i == 40) {
            assert_true(node_propose_touch(mini.nodes[1]));
            began_ms = mini.now_ms;
        }
        mini_run(&mini, 50);
    }
    assert_int_equal(node_config(mini.nodes[1])->epoch, epoch + 1);
    assert_true(mini.now_ms - began_ms > 2 * mini.sync_ms);
    assert_true(mini.now_ms - began_ms <= 8 * mini.sync_ms);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_epoch),
        cmocka_unit_test(fence_ahead),
        cmocka_unit_test(old_disk),
        cmocka_unit_test(old_disk_of_a_reader),
        cmocka_unit_test(old_disk_of_a_taker),
        cmocka_unit_test(old_disk_of_a_giver),
        cmocka_unit_test(writes_after_a_rest),
        cmocka_unit_test(idle_node_loses_power),
        cmocka_unit_test(slow_syncs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
