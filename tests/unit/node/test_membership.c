/* test_membership - small stories of who is who.
 *
 * Does:   nodes that come back in doubt, empty, as a whole shard, all at once; that join, are
 *         placed, leave, are removed; a history that goes on without the absent; what is told of
 *         losses.
 * Not:    random faults: sim/. Members that change their addresses: test_traps.c.
 * Holds:  -
 * Limits: -
 * See:    docs/protocol.md sections 4.4, 5 and 6.
 */
#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define KEYS 40U

static void name_key(uint32_t number, char key[16])
{
    snprintf(key, 16, "key%u", number);
}

static void write_all(struct mini *mini, uint32_t index, const char *value)
{
    char key[16];
    for (uint32_t i = 0; i < KEYS; i++) {
        name_key(i, key);
        assert_int_equal(mini_ask(mini, index, OP_PUT, key, value, SLICE_EMPTY)->err, E_OK);
    }
}

static uint32_t count_right(struct mini *mini, uint32_t index, const char *value)
{
    char key[16];
    uint32_t right = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        name_key(i, key);
        const struct reply *reply = mini_ask(mini, index, OP_GET, key, NULL, SLICE_EMPTY);
        right += reply->err == E_OK && slice_equal(reply->value, slice_str(value)) ? 1 : 0;
    }
    return right;
}

/* A key of the shard that node index is in, found by asking the configuration. */
static void key_of_shard(const struct mini *mini, uint32_t shard, char key[16])
{
    for (uint32_t i = 0;; i++) {
        name_key(i, key);
        if (config_shard_of_slot(node_config(mini->nodes[5]), slot_of(slice_str(key))) == shard)
            return;
    }
}

static const struct member *listed(const struct mini *mini, uint32_t asked, uint32_t index)
{
    return config_member_by_address(node_config(mini->nodes[asked]),
                                    slice_str(mini->options[index].address.text));
}

static void all_serve(const struct mini *mini, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(node_phase(mini->nodes[i]), NODE_SERVING);
    assert_int_equal(node_config(mini->nodes[0])->retired_count, 0); /* sealed and closed */
}

/* ---- coming back ---- */

static void comes_back_empty(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    uint64_t before = node_id(mini.nodes[0]);
    mini_kill(&mini, 0);
    mini_wipe(&mini, 0);
    write_all(&mini, 1, "2");
    mini_start(&mini, 0);
    mini_run(&mini, 4000);
    all_serve(&mini, 6);
    assert_true(node_id(mini.nodes[0]) != before);
    assert_int_equal(count_right(&mini, 0, "2"), KEYS);
    /* It counts: what it alone of its shard has from now on is enough to serve it. */
    mini_kill(&mini, 1);
    mini_kill(&mini, 2);
    mini_run(&mini, 3000);
    assert_int_equal(count_right(&mini, 0, "2"), KEYS);
    mini_fini(&mini);
}

static void machine_goes_down(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_all(&mini, 0, "1");
    uint64_t id = node_id(mini.nodes[0]);
    uint32_t actor = listed(&mini, 0, 0)->actor;
    mini_kill(&mini, 0);
    mini.boot[0]++;
    mini_start(&mini, 0);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_ASKING);
    mini_run(&mini, 4000);
    all_serve(&mini, 3);
    assert_int_equal(node_id(mini.nodes[0]), id);
    assert_int_not_equal(listed(&mini, 0, 0)->actor, actor);
    assert_int_equal(count_right(&mini, 0, "1"), KEYS);
    mini_fini(&mini);
}

/* A doubt outlives the process that found it: killed before it is settled, it is found again. */
static void doubt_is_kept(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_all(&mini, 0, "1");
    mini_kill(&mini, 0);
    mini_kill(&mini, 1);
    mini_kill(&mini, 2);
    mini.boot[0]++;
    mini_start(&mini, 0);
    mini_run(&mini, 100);
    mini_kill(&mini, 0);
    mini_start(&mini, 0);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_ASKING);
    mini_start(&mini, 1);
    mini_start(&mini, 2);
    mini_run(&mini, 4000);
    all_serve(&mini, 3);
    mini_fini(&mini);
}

static void all_machines_go_down(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    for (uint32_t i = 0; i < 6; i++) {
        mini_kill(&mini, i);
        mini.boot[i]++;
    }
    for (uint32_t i = 0; i < 6; i++)
        mini_start(&mini, i);
    mini_run(&mini, 6000);
    all_serve(&mini, 6);
    assert_int_equal(count_right(&mini, 3, "1"), KEYS); /* these disks lose nothing */
    mini_fini(&mini);
}

/* Three of six, and with them most of the register's acceptors: the others go on in a new history.
 * What is lost is told, once, to whoever has seen it. */
static void whole_shard_comes_back_empty(void **state)
{
    (void)state;
    struct mini mini;
    char key[16];
    char other[16];
    assert_true(mini_start_all(&mini, 6, 2));
    key_of_shard(&mini, 0, key);
    key_of_shard(&mini, 1, other);
    mini_ask(&mini, 0, OP_PUT, key, "1", SLICE_EMPTY);
    const struct reply *reply = mini_ask(&mini, 3, OP_PUT, other, "2", mini.reply.token);
    struct buf token = BUF_EMPTY;
    buf_append_slice(&token, reply->token);
    mini_run(&mini, 1000);
    for (uint32_t i = 0; i < 3; i++) {
        mini_kill(&mini, i);
        mini_wipe(&mini, i);
    }
    mini_run(&mini, 1000);
    for (uint32_t i = 0; i < 3; i++)
        mini_start(&mini, i);
    mini_run(&mini, 9000);
    all_serve(&mini, 6);
    reply = mini_ask(&mini, 3, OP_GET, other, NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_OK);
    assert_true(slice_equal(reply->value, SLICE_LIT("2")));
    assert_true(reply->lost_count > 0);
    assert_int_equal(reply->lost[0].shard_id, 0);
    buf_reset(&token);
    buf_append_slice(&token, reply->token);
    reply = mini_ask(&mini, 0, OP_GET, key, NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_KEY_MISSING);
    assert_int_equal(reply->lost_count, 0);
    assert_int_equal(mini_ask(&mini, 1, OP_PUT, key, "3", SLICE_EMPTY)->err, E_OK);
    buf_fini(&token);
    mini_fini(&mini);
}

/* Who lost its id while the cluster went on dials only those whom it knew then, and they are gone.
 * Those who dial it find another than the one that is listed there, and tell it all the same. */
static void stranger_behind_the_times(void **state)
{
    (void)state;
    struct mini mini;
    mini_init(&mini, 5, 1);
    mini.options[0].view_count = 2;
    mini.options[1].view_count = 2;
    mini_start(&mini, 0);
    mini_start(&mini, 1);
    mini_run(&mini, 2000);
    uint32_t acceptors[LIMIT_ACCEPTORS];
    assert_int_equal(config_acceptors(node_config(mini.nodes[0]), acceptors), 1);
    const char *only = node_config(mini.nodes[0])->members[acceptors[0]].address.text;
    uint32_t asleep = strcmp(only, mini.options[0].address.text) == 0 ? 1 : 0;
    mini_kill(&mini, asleep);
    for (uint32_t i = 2; i < 5; i++)
        mini_start(&mini, i);
    mini_run(&mini, 3000);
    mini_kill(&mini, 1 - asleep);
    mini_run(&mini, 3000);
    mini.force = true;
    const char *gone = mini.options[1 - asleep].address.text;
    assert_int_equal(mini_ask(&mini, 2, OP_VIEW_REMOVE, gone, NULL, SLICE_EMPTY)->err, E_OK);
    mini.options[asleep].directory_id++;
    mini_start(&mini, asleep);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[asleep]), NODE_SERVING);
    assert_int_equal(node_config(mini.nodes[asleep])->epoch, node_config(mini.nodes[2])->epoch);
    mini_fini(&mini);
}

/* ---- joining and leaving ---- */

static void start_seventh(struct mini *mini)
{
    mini_init(mini, 7, 2);
    for (uint32_t i = 0; i < 6; i++)
        mini->options[i].view_count = 6;
    assert_true(mini_first_start(mini, 6));
    write_all(mini, 0, "1");
    mini_start(mini, 6);
    mini_run(mini, 2000);
}

static void seventh_joins(void **state)
{
    (void)state;
    struct mini mini;
    start_seventh(&mini);
    assert_int_equal(node_phase(mini.nodes[6]), NODE_SPARE);
    assert_int_equal(count_right(&mini, 6, "1"), KEYS); /* it forwards */
    mini.shard_id = 1;
    const char *address = mini.options[6].address.text;
    const struct reply *reply = mini_ask(&mini, 2, OP_SHARD_ADD, address, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_PLACED);
    mini_run(&mini, 1000);
    assert_int_equal(node_phase(mini.nodes[6]), NODE_SERVING);
    assert_int_equal(node_shard(mini.nodes[6]), 1);
    assert_int_equal(mini_ask(&mini, 2, OP_SHARD_ADD, address, NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_PLACED);
    mini.shard_id = 0;
    assert_int_equal(mini_ask(&mini, 2, OP_SHARD_ADD, address, NULL, SLICE_EMPTY)->err,
                     E_OTHER_SHARD);
    mini.shard_id = 9;
    assert_int_equal(mini_ask(&mini, 2, OP_SHARD_ADD, address, NULL, SLICE_EMPTY)->err, E_NO_SHARD);
    mini_fini(&mini);
}

static void added_before_it_shows_up(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    const char *address = "10.10.0.99:8090";
    assert_int_equal(mini_ask(&mini, 1, OP_VIEW_ADD, address, NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_ADDED);
    assert_int_equal(mini_ask(&mini, 2, OP_VIEW_ADD, address, NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_PRESENT);
    assert_int_equal(mini_ask(&mini, 1, OP_VIEW_ADD, "nonsense", NULL, SLICE_EMPTY)->err,
                     E_MALFORMED);
    mini.shard_id = 0;
    assert_int_equal(mini_ask(&mini, 1, OP_SHARD_ADD, address, NULL, SLICE_EMPTY)->err,
                     E_NOT_ARRIVED);
    assert_int_equal(mini_ask(&mini, 1, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_REMOVED);
    assert_int_equal(mini_ask(&mini, 1, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY)->err,
                     E_NOT_LISTED);
    mini_fini(&mini);
}

static void live_one_leaves(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    const char *address = mini.options[0].address.text;
    /* Asked of itself: it hands over, goes, and still answers. */
    const struct reply *reply = mini_ask(&mini, 0, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_REMOVED);
    mini_run(&mini, 1000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_REFUSED);
    assert_int_equal(node_config(mini.nodes[1])->member_count, 5);
    assert_int_equal(count_right(&mini, 4, "1"), KEYS);
    /* It stays out, over a restart too; with an empty directory it is a new node. */
    mini_kill(&mini, 0);
    mini_start(&mini, 0);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_REFUSED);
    struct buf why = BUF_EMPTY;
    node_why_not(mini.nodes[0], &why);
    buf_u8(&why, '\0');
    assert_non_null(
        strstr((const char *)why.ptr,
               "comes back when its address is listed again (thence add), if the others "
               "lack nothing of that; else with an empty directory"));
    buf_fini(&why);
    mini_kill(&mini, 0);
    mini_wipe(&mini, 0);
    mini_start(&mini, 0);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_SPARE);
    mini_fini(&mini);
}

/* One wants a node to go, which takes its time, and another one that it stays (C4). */
static void wanted_and_not_wanted(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    mini_kill(&mini, 0);
    write_all(&mini, 2, "1"); /* the first one would have to have it, too */
    const char *address = mini.options[2].address.text;
    mini_begin(&mini, 1, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    mini_run(&mini, 500);
    assert_int_equal(listed(&mini, 1, 2)->state, MEMBER_LEAVING);
    uint64_t epoch = node_config(mini.nodes[1])->epoch;
    mini_begin(&mini, 4, OP_VIEW_ADD, address, NULL, SLICE_EMPTY);
    assert_int_equal(mini_wait(&mini)->outcome, OUTCOME_ADDED);
    mini_run(&mini, 3000);
    assert_int_equal(mini.earlier, E_UNDONE);
    assert_int_equal(listed(&mini, 1, 2)->state, MEMBER_ACTIVE);
    assert_int_equal(node_config(mini.nodes[1])->epoch, epoch + 1);
    mini_fini(&mini);
}

static void dead_one_is_removed(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    uint32_t actor = listed(&mini, 1, 0)->actor;
    mini_kill(&mini, 0);
    mini_run(&mini, 3000);
    const char *address = mini.options[0].address.text;
    const struct reply *reply = mini_ask(&mini, 4, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    mini_run(&mini, 3000);
    assert_true(config_actor_closed(node_config(mini.nodes[1]), actor));
    assert_int_equal(count_right(&mini, 4, "1"), KEYS);
    /* The next one would leave its shard with one member: refused, unless it is forced. */
    mini_kill(&mini, 1);
    mini_run(&mini, 3000);
    address = mini.options[1].address.text;
    reply = mini_ask(&mini, 2, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    assert_true(reply->err == E_OK); /* a member of the other shard moves over */
    mini_run(&mini, 5000);
    assert_int_equal(count_right(&mini, 2, "1"), KEYS);
    mini_fini(&mini);
}

/* Who is removed while it tries something for an operator has not done it. */
static void removed_while_asked(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 4, 1));
    mini_cut(&mini, 3, true);
    mini_begin(&mini, 3, OP_VIEW_ADD, "10.10.0.99:8090", NULL, SLICE_EMPTY);
    assert_false(mini.replied);
    mini_run(&mini, 3000);
    const char *address = mini.options[3].address.text;
    const struct reply *reply = mini_ask(&mini, 0, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(mini.earlier, E_OK); /* none yet */
    mini_cut(&mini, 3, false);
    mini_run(&mini, 2000);
    assert_int_equal(node_phase(mini.nodes[3]), NODE_REFUSED);
    assert_int_equal(mini.earlier, E_NOT_READY);
    mini_fini(&mini);
}

static void too_few_to_remove(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 4, 2));
    const char *address = mini.options[3].address.text;
    assert_int_equal(mini_ask(&mini, 0, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY)->err,
                     E_TOO_FEW);
    mini.force = true;
    assert_int_equal(mini_ask(&mini, 0, OP_VIEW_REMOVE, address, NULL, SLICE_EMPTY)->err, E_OK);
    mini_fini(&mini);
}

static void without_majority(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    mini_kill(&mini, 1);
    mini_kill(&mini, 2);
    mini_run(&mini, 3000);
    const struct reply *reply =
        mini_ask(&mini, 0, OP_VIEW_ADD, "10.10.0.99:8090", NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_NO_MAJORITY);
    assert_int_equal(mini_ask(&mini, 0, OP_PUT, "x", "1", SLICE_EMPTY)->err, E_OK);
    mini_fini(&mini);
}

/* ---- a new history ---- */

static void absent_are_given_up(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 3, 1));
    write_all(&mini, 0, "1");
    struct buf token = BUF_EMPTY;
    buf_append_slice(&token, mini.reply.token);
    mini_run(&mini, 500);
    mini_kill(&mini, 0);
    mini_run(&mini, 3000);
    const char *both = "10.10.0.2:8090,10.10.0.3:8090";
    assert_int_equal(mini_ask(&mini, 2, OP_RECOVER, "10.10.0.3:8090", NULL, SLICE_EMPTY)->err,
                     E_NOT_ABSENT);
    mini_kill(&mini, 1);
    mini_run(&mini, 3000);
    assert_int_equal(mini_ask(&mini, 2, OP_RECOVER, "10.10.0.2:8090", NULL, SLICE_EMPTY)->err,
                     E_ALSO_ABSENT);
    assert_int_equal(mini_ask(&mini, 2, OP_RECOVER, "10.10.0.9:8090", NULL, SLICE_EMPTY)->err,
                     E_NOT_LISTED);
    uint64_t lineage = node_config(mini.nodes[2])->lineage;
    const struct reply *reply = mini_ask(&mini, 2, OP_RECOVER, both, NULL, SLICE_EMPTY);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    assert_true(node_config(mini.nodes[2])->lineage != lineage);
    /* A token of before is good, and its holder is told. */
    reply = mini_ask(&mini, 2, OP_GET, "key1", NULL, buf_slice(&token));
    assert_int_equal(reply->err, E_OK);
    assert_true(reply->lost_count > 0);
    /* Those that were given up learn it when they are back, and stay out. */
    mini_start(&mini, 0);
    mini_run(&mini, 3000);
    assert_int_equal(node_phase(mini.nodes[0]), NODE_REFUSED);
    assert_int_equal(node_phase(mini.nodes[2]), NODE_SERVING);
    buf_fini(&token);
    mini_fini(&mini);
}

/* T19: a power cut, and one of the machines never returns: it is the last that is listed as active,
 * and the others have to go on without it. */
static void power_cut_and_one_gone(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    for (uint32_t i = 0; i < 6; i++) {
        mini_kill(&mini, i);
        mini.boot[i]++;
    }
    for (uint32_t i = 1; i < 6; i++)
        mini_start(&mini, i);
    mini_run(&mini, 5000);
    assert_int_equal(node_phase(mini.nodes[1]), NODE_FILLING);
    const char *gone = mini.options[0].address.text;
    const struct reply *reply = mini_ask(&mini, 4, OP_RECOVER, gone, NULL, SLICE_EMPTY);
    assert_int_equal(reply->err, E_OK);
    assert_int_equal(reply->outcome, OUTCOME_RECOVERED);
    mini_run(&mini, 4000);
    for (uint32_t i = 1; i < 6; i++)
        assert_int_equal(node_phase(mini.nodes[i]), NODE_SERVING);
    assert_int_equal(count_right(&mini, 2, "1"), KEYS);
    mini_fini(&mini);
}

/* Where nobody is needed of whom is given up, it is a removal, in the same history. */
static void recover_as_removal(void **state)
{
    (void)state;
    struct mini mini;
    assert_true(mini_start_all(&mini, 6, 2));
    write_all(&mini, 0, "1");
    mini_kill(&mini, 0);
    mini_run(&mini, 3000);
    uint64_t lineage = node_config(mini.nodes[2])->lineage;
    const char *gone = mini.options[0].address.text;
    assert_int_equal(mini_ask(&mini, 2, OP_RECOVER, gone, NULL, SLICE_EMPTY)->outcome,
                     OUTCOME_RECOVERED);
    assert_true(node_config(mini.nodes[2])->lineage == lineage);
    mini_run(&mini, 2000);
    assert_int_equal(count_right(&mini, 2, "1"), KEYS);
    mini_fini(&mini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_empty),
        cmocka_unit_test(machine_goes_down),
        cmocka_unit_test(doubt_is_kept),
        cmocka_unit_test(all_machines_go_down),
        cmocka_unit_test(whole_shard_comes_back_empty),
        cmocka_unit_test(stranger_behind_the_times),
        cmocka_unit_test(seventh_joins),
        cmocka_unit_test(added_before_it_shows_up),
        cmocka_unit_test(live_one_leaves),
        cmocka_unit_test(wanted_and_not_wanted),
        cmocka_unit_test(dead_one_is_removed),
        cmocka_unit_test(removed_while_asked),
        cmocka_unit_test(too_few_to_remove),
        cmocka_unit_test(without_majority),
        cmocka_unit_test(absent_are_given_up),
        cmocka_unit_test(power_cut_and_one_gone),
        cmocka_unit_test(recover_as_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
