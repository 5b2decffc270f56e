/* test_anew - a cluster that nobody remembers: every member distrusts its log as a whole.
 *
 * Does:   all directories are copies, or some of them gone: nobody serves, nothing happens by
 *         itself, and one request of an operator makes a new history of what is there. When that is
 *         refused; two operators at once.
 * Not:    other new histories: test_membership.c.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md 6.6, I9; docs/operating.md.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 40U

static void write_some(struct mini *mini, uint32_t index, uint32_t first, const char *value)
{
    char key[16];
    for (uint32_t i = first; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        assert_int_equal(mini_ask(mini, index, OP_PUT, key, value, SLICE_EMPTY)->err, E_OK);
    }
}

static uint32_t count_right(struct mini *mini, uint32_t index, uint32_t first, const char *value)
{
    char key[16];
    uint32_t right = 0;
    for (uint32_t i = first; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        const struct reply *reply = mini_ask(mini, index, OP_GET, key, NULL, SLICE_EMPTY);
        right += reply->err == E_OK && slice_equal(reply->value, slice_str(value)) ? 1 : 0;
    }
    return right;
}

/* Somebody restores the directory from a copy: what is in it is right, and nothing proves it. */
static void restored(struct mini *mini, uint32_t index)
{
    if (mini->nodes[index] != NULL)
        mini_kill(mini, index);
    mini->options[index].directory_id += 1000;
    mini->options[index].entropy[21]++;
}

static void all_ask(const struct mini *mini)
{
    for (uint32_t i = 0; i < mini->count; i++)
        if (mini->nodes[i] != NULL)
            assert_int_equal(node_phase(mini->nodes[i]), NODE_ASKING);
}

static void all_serve(const struct mini *mini)
{
    for (uint32_t i = 0; i < mini->count; i++)
        if (mini->nodes[i] != NULL)
            assert_int_equal(node_phase(mini->nodes[i]), NODE_SERVING);
}

static const struct reply *begin_anew(struct mini *mini, uint32_t index, const char *without)
{
    mini->force = true;
    const struct reply *reply = mini_ask(mini, index, OP_RECOVER, without, NULL, SLICE_EMPTY);
    mini->force = false;
    return reply;
}

/* It says that nobody remembers, and what to do. */
static bool says_it(const struct mini *mini, uint32_t index)
{
    struct buf why = BUF_EMPTY;
    node_why_not(mini->nodes[index], &why);
    buf_u8(&why, 0);
    bool found = strstr((const char *)why.ptr, "thence recover --from-directories") != NULL;
    buf_fini(&why);
    return found;
}

/* ---- stories ---- */

static void all_are_copies(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_some(&mini, 0, 0, "1");
    struct buf token = BUF_EMPTY;
    buf_append_slice(&token, mini.reply.token);
    /* Two of them are older than the others. */
    mini_kill(&mini, 2);
    mini_kill(&mini, 5);
    write_some(&mini, 0, KEYS / 2, "2");
    uint64_t lineage = node_config(mini.nodes[0])->lineage;
    for (uint32_t i = 0; i < 6; i++)
        restored(&mini, i);
    for (uint32_t i = 0; i < 6; i++)
        mini_start(&mini, i);
    mini_run(&mini, 20000);
    all_ask(&mini); /* however long */
    assert_true(says_it(&mini, 5));
    assert_int_equal(mini_ask(&mini, 4, OP_RECOVER, "", NULL, SLICE_EMPTY)->err, E_NOT_READY);
    const struct reply *reply = begin_anew(&mini, 4, "");
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 8000);
    all_serve(&mini);
    const struct config *config = node_config(mini.nodes[2]);
    assert_true(config->lineage != lineage);
    assert_non_null(config_ancestor(config, lineage));
    assert_int_equal(config->retired_count, 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(count_right(&mini, i, KEYS / 2, "2"), KEYS - KEYS / 2);
        assert_int_equal(count_right(&mini, i, 0, "1"), KEYS / 2);
    }
    /* Tokens are good, and their holders told. */
    reply = mini_ask(&mini, 1, OP_GET, "key1", NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_OK);
    assert_true(reply->lost_count > 0);
    assert_int_equal(mini_ask(&mini, 3, OP_PUT, "key1", "3", SLICE_EMPTY)->err, E_OK);
    buf_fini(&token);
    mini_fini(&mini);
}

/* Some of the directories are gone, one machine too: it is named, or nothing is done. */
static void some_are_gone(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_some(&mini, 0, 0, "1");
    for (uint32_t i = 0; i < 6; i++)
        restored(&mini, i);
    mini_wipe(&mini, 1);
    mini_wipe(&mini, 3);
    for (uint32_t i = 1; i < 6; i++)
        mini_start(&mini, i);
    mini_run(&mini, 5000);
    all_ask(&mini);
    const char *gone = mini.options[0].address.text;
    assert_int_equal(begin_anew(&mini, 1, "")->err, E_ALSO_ABSENT);
    assert_int_equal(begin_anew(&mini, 1, mini.options[3].address.text)->err, E_NOT_ABSENT);
    assert_int_equal(begin_anew(&mini, 1, "10.9.9.9:1")->err, E_NOT_LISTED);
    assert_int_equal(begin_anew(&mini, 1, gone)->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 8000);
    all_serve(&mini);
    assert_int_equal(count_right(&mini, 1, 0, "1"), KEYS);
    assert_int_equal(count_right(&mini, 3, 0, "1"), KEYS);
    /* Who was given up learns it, and stays out. */
    mini_start(&mini, 0);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[1]), NODE_SERVING);
    assert_int_not_equal(node_phase(mini.nodes[0]), NODE_SERVING);
    mini_fini(&mini);
}

/* Two operators, through two nodes, at the same moment: one history. */
static void asked_twice(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_some(&mini, 0, 0, "1");
    for (uint32_t i = 0; i < 3; i++)
        restored(&mini, i);
    for (uint32_t i = 0; i < 3; i++)
        mini_start(&mini, i); /* and nobody waits until they have met */
    mini_run(&mini, 50);
    mini.force = true;
    mini_begin(&mini, 0, OP_RECOVER, "", NULL, SLICE_EMPTY);
    mini_begin(&mini, 2, OP_RECOVER, "", NULL, SLICE_EMPTY);
    mini.force = false;
    assert_int_equal(mini_wait(&mini)->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 8000);
    all_serve(&mini);
    assert_true(node_config(mini.nodes[0])->lineage == node_config(mini.nodes[2])->lineage);
    assert_int_equal(node_config(mini.nodes[0])->ancestor_count, 1);
    assert_int_equal(count_right(&mini, 1, 0, "1"), KEYS);
    mini_fini(&mini);
}

/* The last one that remembers is still there: the others come back to it by themselves, and it is
 * not passed over. A cluster that serves has nothing to gain from it either. */
static void somebody_remembers(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_some(&mini, 0, 0, "1");
    assert_int_equal(begin_anew(&mini, 0, "")->err, E_REMEMBERED);
    restored(&mini, 0);
    restored(&mini, 1);
    mini_start(&mini, 0);
    mini_start(&mini, 1);
    mini_run(&mini, 1000);
    assert_false(says_it(&mini, 0));
    assert_int_equal(begin_anew(&mini, 0, "")->err, E_REMEMBERED);
    mini_run(&mini, 9000);
    all_serve(&mini);
    assert_int_equal(count_right(&mini, 1, 0, "1"), KEYS);
    mini_fini(&mini);
}

/* One that remembers is only late: named it would have been given up, unnamed it is waited for. */
static void the_last_one_is_late(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_some(&mini, 0, 0, "1");
    restored(&mini, 0);
    restored(&mini, 1);
    mini_kill(&mini, 2);
    mini_start(&mini, 0);
    mini_start(&mini, 1);
    mini_run(&mini, 5000);
    assert_int_equal(begin_anew(&mini, 0, "")->err, E_ALSO_ABSENT);
    mini_start(&mini, 2);
    mini_run(&mini, 9000);
    all_serve(&mini);
    assert_int_equal(count_right(&mini, 1, 0, "1"), KEYS);
    mini_fini(&mini);
}

/* An empty node has asked for a place in an epoch that nobody knows any more: whoever had it has
 * lost it since, and what is put back is older. Its register has promised for what would have come
 * after that (seed 1712837). */
static void an_epoch_is_forgotten(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_some(&mini, 0, 0, "1");
    mini_kill(&mini, 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(node_propose_touch(mini.nodes[1]));
        mini_run(&mini, 1000);
    }
    uint64_t epoch = node_config(mini.nodes[1])->epoch;
    mini_kill(&mini, 2);
    mini_wipe(&mini, 2);
    mini_start(&mini, 2);
    mini_run(&mini, 3000); /* 1 alone decides nothing */
    assert_int_equal(node_config(mini.nodes[2])->epoch, epoch);
    mini_kill(&mini, 2);
    mini_kill(&mini, 1);
    mini_wipe(&mini, 1);
    restored(&mini, 0);
    for (uint32_t i = 0; i < 3; i++)
        mini_start(&mini, i);
    mini_run(&mini, 5000);
    all_ask(&mini);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(node_config(mini.nodes[i])->epoch < epoch);
    assert_int_equal(begin_anew(&mini, 2, "")->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 5000);
    all_serve(&mini);
    assert_int_equal(count_right(&mini, 2, 0, "1"), KEYS);
    mini_fini(&mini);
}

/* ---- while slots move ---- */

/* From now on it is wanted; who leaves a shard or transit is not through with it when this ends. */
static void reshard(struct mini *mini, uint32_t shards, uint32_t leaves)
{
    mini->shard_id = shards;
    mini->async = true;
    mini_begin(mini, 1, OP_RESHARD, "", NULL, SLICE_EMPTY);
    mini->async = false;
    while (node_config(mini->nodes[1])->shard_count <= leaves ||
           config_count(node_config(mini->nodes[1]), leaves, MEMBER_LEAVING) < 2)
        mini_run(mini, 1);
}

/* All are killed; of the nodes that are bits of `gone` the directory too. Then people begin anew of
 * what is there, and slots go on. */
static void begin_anew_without(struct mini *mini, uint32_t gone)
{
    for (uint32_t i = 0; i < mini->count; i++) {
        restored(mini, i);
        if ((gone >> i & 1U) != 0)
            mini_wipe(mini, i);
    }
    for (uint32_t i = 0; i < mini->count; i++)
        mini_start(mini, i);
    mini_run(mini, 5000);
    all_ask(mini);
    const struct reply *reply = begin_anew(mini, 0, "");
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    mini_run(mini, 20000);
    all_serve(mini);
    assert_int_equal(node_config(mini->nodes[0])->wanted_shards, 0);
}

/* Who moves to another shard has the newest of all. */
static void the_newest_was_leaving(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 4, 1));
    write_some(&mini, 0, 0, "1");
    reshard(&mini, 2, 0);
    mini_kill(&mini, 0); /* nobody goes before it has what they have */
    write_some(&mini, 1, 0, "2");
    mini_run(&mini, 3000);
    assert_int_equal(config_count(node_config(mini.nodes[1]), 0, MEMBER_LEAVING), 2);
    begin_anew_without(&mini, 2);
    assert_int_equal(node_config(mini.nodes[0])->shard_count, 2);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(count_right(&mini, i, 0, "2"), KEYS);
    mini_fini(&mini);
}

/* Writes all keys of what is on its way to shard 0, at node 1. Returns how many. */
static uint32_t of_the_transit(struct mini *mini, bool is_in[KEYS])
{
    char key[16];
    uint32_t count = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        is_in[i] = config_shard_of_slot(node_config(mini->nodes[1]), slot_of(slice_str(key))) == 2;
        if (is_in[i])
            assert_int_equal(mini_ask(mini, 1, OP_PUT, key, "2", SLICE_EMPTY)->err, E_OK);
        count += is_in[i] ? 1 : 0;
    }
    return count;
}

/* Who has given slots away, and has yet to hand over, has the newest of these. */
static void the_newest_gave_slots(void **state)
{
    (void)state;
    struct mini mini;
    bool is_in[KEYS];
    assert_true(mini_start_all(&mini, 4, 2));
    write_some(&mini, 0, 0, "1");
    reshard(&mini, 1, 2);
    mini_kill(&mini, 0);
    assert_true(of_the_transit(&mini, is_in) > 0);
    mini_run(&mini, 3000);
    assert_int_equal(config_count(node_config(mini.nodes[1]), 2, MEMBER_LEAVING), 2);
    begin_anew_without(&mini, 2 | 8);
    assert_int_equal(node_config(mini.nodes[0])->shard_count, 1);
    for (uint32_t i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", i);
        const struct reply *reply = mini_ask(&mini, 3, OP_GET, key, NULL, SLICE_EMPTY);
        assert_int_equal(reply->err, E_OK);
        assert_true(slice_equal(reply->value, slice_str(is_in[i] ? "2" : "1")));
    }
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_copies),
        cmocka_unit_test(some_are_gone),
        cmocka_unit_test(asked_twice),
        cmocka_unit_test(somebody_remembers),
        cmocka_unit_test(the_last_one_is_late),
        cmocka_unit_test(an_epoch_is_forgotten),
        cmocka_unit_test(the_newest_was_leaving),
        cmocka_unit_test(the_newest_gave_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
