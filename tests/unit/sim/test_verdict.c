/* test_verdict - what is wrong is told apart: safety, liveness, too little.
 *
 * Does:   the first violation stays; each kind has a status of its own; the worst counts.
 * Not:    -
 * Holds:  J1 of verdict.h.
 * Limits: -
 * See:    src/sim/verdict.h.
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum verdict_kind kind_of(const char *invariant)
{
    struct verdict verdict = {0};
    verdict_say(&verdict, invariant, "what happened to %s", invariant);
    return verdict_kind(&verdict);
}

static void test_kinds(void **state)
{
    (void)state;
    struct verdict none = {0};
    assert_int_equal(verdict_kind(&none), VERDICT_GOOD);
    assert_int_equal(kind_of("I1"), VERDICT_SAFETY);
    assert_int_equal(kind_of("I6"), VERDICT_SAFETY);
    assert_int_equal(kind_of("R4"), VERDICT_SAFETY);
    assert_int_equal(kind_of("I3"), VERDICT_LIVENESS);
    assert_int_equal(kind_of("I9"), VERDICT_LIVENESS);
    assert_int_equal(kind_of("Q1"), VERDICT_LIVENESS);
    assert_int_equal(kind_of("LITTLE"), VERDICT_LITTLE);
    struct verdict late = {0};
    verdict_late(&late, "I4", "replicas do not agree %s", "yet");
    assert_int_equal(verdict_kind(&late), VERDICT_LIVENESS);
    assert_string_equal(verdict_word(VERDICT_LIVENESS), "liveness");
}

static void test_first_stays(void **state)
{
    (void)state;
    struct verdict verdict = {0};
    verdict_say(&verdict, "I9", "first");
    verdict_say(&verdict, "I1", "second");
    assert_string_equal(verdict.invariant, "I9");
    assert_string_equal(verdict.text, "first");
}

static void test_worst_counts(void **state)
{
    (void)state;
    assert_int_equal(verdict_worse(VERDICT_GOOD, VERDICT_LITTLE), VERDICT_LITTLE);
    assert_int_equal(verdict_worse(VERDICT_LITTLE, VERDICT_LIVENESS), VERDICT_LIVENESS);
    assert_int_equal(verdict_worse(VERDICT_SAFETY, VERDICT_LIVENESS), VERDICT_SAFETY);
    assert_int_equal(verdict_worse(VERDICT_SAFETY, VERDICT_CRASH), VERDICT_CRASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_first_stays),
        cmocka_unit_test(test_worst_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
