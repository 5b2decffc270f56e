/* test_walk - JSON taken apart again.
 *
 * Does:   arrays, members, numbers; figures as people read them.
 * Not:    what is not JSON: it never comes here.
 * Holds:  -
 * Limits: -
 * See:    cli/walk.h, cli/progress.h.
 */
#include "cli/progress.h"
#include "cli/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_array(const char *array, const char *const *elements)
{
    size_t at = 0;
    struct slice element;
    size_t count = 0;
    while (walk_next(slice_str(array), &at, &element)) {
        assert_non_null(elements[count]);
        assert_true(slice_equal(element, slice_str(elements[count])));
        count++;
    }
    assert_null(elements[count]);
}

static void test_arrays(void **state)
{
    (void)state;
    check_array("[]", (const char *const[]){NULL});
    check_array("[ ]", (const char *const[]){NULL});
    check_array("", (const char *const[]){NULL});
    check_array("[1]", (const char *const[]){"1", NULL});
    check_array("[ 1 , \"a,]\\\"[\" , [2,[3,4]], {\"x\":[5,\"}\"]} ]",
                (const char *const[]){"1", "\"a,]\\\"[\"", "[2,[3,4]]", "{\"x\":[5,\"}\"]}", NULL});
}

static void test_members(void **state)
{
    (void)state;
    struct slice object = SLICE_LIT("{\"a\":12,\"b\":{\"a\":1},\"c\":true,\"d\":-1,\"e\":\"x\"}");
    assert_int_equal(walk_count(object, "a"), 12);
    assert_int_equal(walk_count(object, "z"), 0);
    assert_int_equal(walk_count(object, "d"), 0);
    assert_int_equal(walk_count(walk_member(object, "b"), "a"), 1);
    assert_true(walk_is_true(walk_member(object, "c")));
    assert_true(slice_equal(walk_text(walk_member(object, "e")), SLICE_LIT("x")));
    assert_int_equal(walk_text(walk_member(object, "a")).len, 0);
    assert_int_equal(walk_member(SLICE_LIT("[1]"), "a").len, 0);
}

static void check_bytes(uint64_t bytes, const char *text)
{
    struct buf out = BUF_EMPTY;
    put_bytes(&out, bytes);
    if (!slice_equal(buf_slice(&out), slice_str(text)))
        fail_msg("%.*s, not %s", (int)out.len, (const char *)out.ptr, text);
    buf_fini(&out);
}

static void test_figures(void **state)
{
    (void)state;
    check_bytes(0, "0 B");
    check_bytes(999, "999 B");
    check_bytes(1000, "1.0 KB");
    check_bytes(12340, "12.3 KB");
    check_bytes(999940, "999 KB");
    check_bytes(56700000, "56.7 MB");
    check_bytes(UINT64_C(1500000000000), "1.5 TB");
    struct buf out = BUF_EMPTY;
    put_grouped(&out, 7);
    buf_u8(&out, ' ');
    put_grouped(&out, 1234);
    buf_u8(&out, ' ');
    put_grouped(&out, 1234567);
    assert_true(slice_equal(buf_slice(&out), SLICE_LIT("7 1,234 1,234,567")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
