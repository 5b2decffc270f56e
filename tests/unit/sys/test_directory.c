/* test_directory - the data directory is ours alone, and known again.
 *
 * Does:   D1, D2: identity over close and open, a copy, a second opening, bad paths.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    src/sys/directory.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];

static int make_base(void **state)
{
    (void)state;
    snprintf(base, sizeof(base), "/tmp/thence-directory-XXXXXX");
    return mkdtemp(base) == NULL;
}

static void remove_lock(const char *path)
{
    char file[160];
    snprintf(file, sizeof(file), "%s/lock", path);
    unlink(file);
    rmdir(path);
}

static int remove_base(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof(path), "%s/a/b", base);
    remove_lock(path);
    snprintf(path, sizeof(path), "%s/a", base);
    remove_lock(path);
    remove_lock(base);
    return 0;
}

static bool why_says(const struct buf *why, const char *what)
{
    return why->len > 0 && memmem(why->ptr, why->len, what, strlen(what)) != NULL;
}

static void test_known_again(void **state)
{
    (void)state;
    struct directory directory;
    struct buf why = BUF_EMPTY;
    assert_true(directory_open(&directory, base, &why));
    uint64_t first = directory.identity;
    directory_close(&directory);
    assert_true(directory_open(&directory, base, &why));
    assert_true(directory.identity == first);
    directory_close(&directory);

    /* A copy has another lock file. */
    char lock[96];
    char copy[96];
    snprintf(lock, sizeof(lock), "%s/lock", base);
    snprintf(copy, sizeof(copy), "%s/copy", base);
    int fd = open(copy, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rename(copy, lock), 0);
    assert_true(directory_open(&directory, base, &why));
    assert_true(directory.identity != first);

    /* After a failed sync it must not be taken for the one that it was. */
    uint64_t trusted = directory.identity;
    directory_distrust(&directory);
    directory_close(&directory);
    assert_true(directory_open(&directory, base, &why));
    assert_true(directory.identity != trusted);
    directory_close(&directory);
    buf_fini(&why);
}

static void test_parents_are_made(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof(path), "%s/a/b", base);
    struct directory directory;
    struct buf why = BUF_EMPTY;
    assert_true(directory_open(&directory, path, &why));
    directory_close(&directory);
    struct stat stat_of;
    assert_int_equal(stat(path, &stat_of), 0);
    buf_fini(&why);
}

static void test_taken(void **state)
{
    (void)state;
    struct directory one;
    struct directory two;
    struct buf why = BUF_EMPTY;
    assert_true(directory_open(&one, base, &why));
    assert_false(directory_open(&two, base, &why));
    assert_true(why_says(&why, "another process uses it"));
    assert_true(why_says(&why, base));
    directory_close(&one);
    assert_true(directory_open(&two, base, &why));
    directory_close(&two);
    buf_fini(&why);
}

static void test_not_a_directory(void **state)
{
    (void)state;
    struct directory directory;
    struct buf why = BUF_EMPTY;
    assert_false(directory_open(&directory, "/dev/null", &why));
    assert_true(why_says(&why, "/dev/null"));
    assert_false(directory_open(&directory, "/proc/nothing/here", &why));
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_known_again, make_base, remove_base),
        cmocka_unit_test_setup_teardown(test_parents_are_made, make_base, remove_base),
        cmocka_unit_test_setup_teardown(test_taken, make_base, remove_base),
        cmocka_unit_test_setup_teardown(test_not_a_directory, make_base, remove_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
