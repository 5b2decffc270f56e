/* test_scope - how much of a world: as text, and cut down.
 *
 * Does:   lists of faults there and back, nonsense, what was drawn cut down.
 * Not:    worlds: tests/sim/shrink.
 * Holds:  C2 of scope.h.
 * Limits: -
 * See:    sim/scope.h.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_faults(const char *list, const char *printed)
{
    struct scope scope = {0};
    char text[256] = "";
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_true(scope_parse_faults(&scope, list));
    scope_print(&scope, out);
    rewind(out);
    assert_true(fread(text, 1, sizeof text - 1, out) > 0);
    fclose(out);
    assert_string_equal(text, printed);
}

static void lists(void **state)
{
    (void)state;
    assert_faults("1-4,7", " --without-faults 1-4,7");
    assert_faults("7,1-3,4", " --without-faults 1-4,7");
    assert_faults("0-", " --without-faults 0-");
    assert_faults("3,9-", " --without-faults 3,9-");
    assert_faults("2047", " --without-faults 2047-");
}

static void nonsense(void **state)
{
    (void)state;
    static const char *const lists[] = {"",     ",",  "1,",   "a",   "4-1",
                                        "1--2", "-3", "2048", "1;2", "99999999999999999999"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct scope scope = {0};
        assert_false(scope_parse_faults(&scope, lists[i]));
    }
}

static void whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct scope scope = {0};
        struct swarm drawn;
        struct swarm same;
        swarm_draw(&drawn, seed);
        swarm_draw(&same, seed);
        assert_true(scope_is_whole(&scope));
        scope_apply(&scope, &same);
        assert_memory_equal(&drawn, &same, sizeof drawn);
    }
}

static void cut_down(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct scope scope = {.nodes = 3, .shards = 2, .sessions = 5, .ops = 7, .ms = 1000};
        struct swarm swarm;
        swarm_draw(&swarm, seed);
        uint32_t drawn = swarm.nodes;
        scope_leave_out(&scope, 9, true);
        assert_false(scope_is_whole(&scope));
        scope_apply(&scope, &swarm);
        assert_int_equal(swarm.nodes, drawn < 3 ? drawn : 3);
        assert_int_equal(swarm.shards, 1); /* two members each */
        assert_true(swarm.sessions <= 5 && swarm.ops_max == 7 && swarm.faults_for_us == 1000000);
        assert_true(swarm.clock_far <= swarm.nodes);
        assert_int_equal(swarm.without[1], 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(whole),
        cmocka_unit_test(cut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
