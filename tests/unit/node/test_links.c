/* test_links - which connection speaks for a node.
 *
 * Does:   of several that say they come from one node the last one is chosen.
 * Not:    greetings: test_guards.c, test_stories.c.
 * Holds:  -
 * Limits: -
 * See:    src/node/links.h.
 */
#include "node/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void greets(struct links *links, uint64_t conn, uint32_t generation)
{
    assert_non_null(links_welcome(links, conn, 7, generation));
}

/* Purpose: connections of a process that has ended may still stand here, with numbers that the new
 *          process has yet to reach (seed 9208).
 * Method:  a node greets twice, ends, and greets again with its first number.
 * Pass:    the connection of the last greeting speaks, be it one that had greeted before. */
static void the_last_to_greet_speaks(void **state)
{
    (void)state;
    struct links links;
    memset(&links, 0, sizeof(links));
    assert_int_equal(links_conn_of(&links, 7), 0);
    greets(&links, 21, 11);
    greets(&links, 22, 12);
    assert_int_equal(links_conn_of(&links, 7), 22);
    greets(&links, 23, 1);
    assert_int_equal(links_conn_of(&links, 7), 23);
    greets(&links, 21, 11);
    assert_int_equal(links_conn_of(&links, 7), 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_to_greet_speaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
