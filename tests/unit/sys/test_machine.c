/* test_machine - what the machine knows.
 *
 * Does:   entropy differs, clocks run, the boot id stays.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    src/sys/machine.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/sys.h"

static void test_entropy_differs(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    machine_entropy(a, sizeof(a));
    machine_entropy(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void test_clocks(void **state)
{
    (void)state;
    uint64_t before = machine_mono_ms();
    assert_true(machine_wall_ms() > UINT64_C(1600000000000));
    assert_true(machine_mono_ms() >= before);
}

static void test_boot_id_stays(void **state)
{
    (void)state;
    assert_true(machine_boot_id() == machine_boot_id());
    assert_true(machine_boot_id() != 0);
}

static void test_open_files(void **state)
{
    (void)state;
    uint64_t limit = machine_raise_open_files();
    assert_true(limit >= 64);
    assert_true(machine_raise_open_files() == limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entropy_differs),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_boot_id_stays),
        cmocka_unit_test(test_open_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
