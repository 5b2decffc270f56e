/* test_segments - the files of the log.
 *
 * Does:   G1 to G5 on a real file system: append, sync, load, drop, full disk.
 * Not:    crashes of the machine: the simulator's disk has those.
 * Holds:  -
 * Limits: -
 * See:    src/sys/segments.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

struct world {
    char path[64];             /* the directory */
    int dir_fd;                /* open */
    uv_loop_t loop;            /* its own */
    struct segments *segments; /* under test */
    uint64_t committed[64];    /* ids as told */
    size_t committed_count;    /* of them */
    uint64_t synced[64];       /* ids as told */
    size_t synced_count;       /* of them */
    unsigned failures;         /* told */
};

static void on_committed(void *arg, uint64_t id)
{
    struct world *world = arg;
    world->committed[world->committed_count++] = id;
}

static void on_synced(void *arg, uint64_t id)
{
    struct world *world = arg;
    world->synced[world->synced_count++] = id;
}

static void on_failed(void *arg, const char *what)
{
    struct world *world = arg;
    assert_true(strlen(what) > 0);
    world->failures++;
}

static void open_segments(struct world *world)
{
    struct segments_calls calls = {on_committed, on_synced, on_failed, world};
    world->segments = segments_new(&world->loop, world->dir_fd, &calls);
    struct buf why = BUF_EMPTY;
    assert_true(segments_load(world->segments, &why));
    buf_fini(&why);
}

static void close_segments(struct world *world)
{
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_false(segments_busy(world->segments));
    segments_free(world->segments);
    world->segments = NULL;
}

static int begin(void **state)
{
    struct world *world = mem_zalloc(1, sizeof(*world));
    snprintf(world->path, sizeof(world->path), "/tmp/thence-segments-XXXXXX");
    if (mkdtemp(world->path) == NULL)
        return 1;
    world->dir_fd = open(world->path, O_RDONLY | O_DIRECTORY);
    if (uv_loop_init(&world->loop) != 0)
        return 1;
    *state = world;
    return world->dir_fd < 0;
}

static int end(void **state)
{
    struct world *world = *state;
    for (uint64_t id = 0; id < 64; id++) {
        char name[32];
        snprintf(name, sizeof(name), "log-%016llx", (unsigned long long)id);
        unlinkat(world->dir_fd, name, 0);
    }
    unlinkat(world->dir_fd, "other", 0);
    unlinkat(world->dir_fd, "log-00000000000000zz", 0);
    uv_loop_close(&world->loop);
    close(world->dir_fd);
    rmdir(world->path);
    mem_free(world);
    return 0;
}

static bool there(const struct world *world, uint64_t id)
{
    char name[32];
    snprintf(name, sizeof(name), "log-%016llx", (unsigned long long)id);
    struct stat stat;
    return fstatat(world->dir_fd, name, &stat, 0) == 0;
}

static void test_write_and_read(void **state)
{
    struct world *world = *state;
    open_segments(world);
    struct segments *segments = world->segments;
    assert_int_equal(segments_commit(segments, 1, 9, 0, SLICE_LIT("hello "), false), SEGMENTS_DONE);
    assert_int_equal(segments_commit(segments, 2, 9, 6, SLICE_LIT("world"), false), SEGMENTS_DONE);
    assert_int_equal(segments_commit(segments, 3, 10, 0, SLICE_LIT("next"), true), SEGMENTS_LATER);
    assert_int_equal(world->committed_count, 0); /* never from inside the call */
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(world->committed_count, 1);
    assert_int_equal(world->committed[0], 3);
    assert_int_equal(segments_commit(segments, 4, 10, 4, SLICE_LIT("!"), false), SEGMENTS_DONE);
    segments_sync(segments, 1);
    close_segments(world);
    assert_int_equal(world->synced_count, 1);
    assert_int_equal(world->failures, 0);

    int fd = openat(world->dir_fd, "other", O_CREAT | O_WRONLY, 0600);
    close(fd);
    fd = openat(world->dir_fd, "log-00000000000000zz", O_CREAT | O_WRONLY, 0600);
    close(fd);
    open_segments(world);
    size_t count = 0;
    const struct log_segment *loaded = segments_loaded(world->segments, &count);
    assert_int_equal(count, 2);
    assert_int_equal(loaded[0].id, 9);
    assert_int_equal(loaded[1].id, 10);
    assert_true(slice_equal(loaded[0].bytes, SLICE_LIT("hello world")));
    assert_true(slice_equal(loaded[1].bytes, SLICE_LIT("next!")));
    segments_unload(world->segments);
    close_segments(world);
}

static void test_empty_file(void **state)
{
    struct world *world = *state;
    int fd = openat(world->dir_fd, "log-0000000000000003", O_CREAT | O_WRONLY, 0600);
    close(fd);
    open_segments(world);
    size_t count = 0;
    const struct log_segment *loaded = segments_loaded(world->segments, &count);
    assert_int_equal(count, 1);
    assert_int_equal(loaded[0].bytes.len, 0);
    segments_unload(world->segments);
    /* A file that is there already is never written over. */
    assert_int_equal(segments_commit(world->segments, 1, 3, 0, SLICE_LIT("x"), false),
                     SEGMENTS_FAILED);
    assert_non_null(strstr(segments_why(world->segments), "log-0000000000000003"));
    close_segments(world);
}

static void test_sync_under_way(void **state)
{
    struct world *world = *state;
    open_segments(world);
    struct segments *segments = world->segments;
    uint64_t offset = 0;
    for (uint64_t id = 1; id <= 20; id++) {
        assert_int_equal(segments_commit(segments, id, 1, offset, SLICE_LIT("0123456789"), false),
                         SEGMENTS_DONE);
        offset += 10;
        segments_sync(segments, id);
    }
    for (uint64_t id = 21; id <= 40; id++)
        assert_int_equal(segments_commit(segments, id, id, 0, SLICE_LIT("abc"), false),
                         SEGMENTS_DONE);
    segments_sync(segments, 21);
    close_segments(world);
    assert_int_equal(world->synced_count, 21);
    assert_int_equal(world->failures, 0);
}

static void test_drop_in_order(void **state)
{
    struct world *world = *state;
    open_segments(world);
    for (uint64_t id = 1; id <= 5; id++)
        segments_commit(world->segments, id, id, 0, SLICE_LIT("abc"), false);
    for (uint64_t id = 1; id <= 4; id++)
        segments_drop(world->segments, id);
    bool held = true;
    while (segments_busy(world->segments)) {
        uv_run(&world->loop, UV_RUN_ONCE);
        for (uint64_t id = 1; id < 5; id++)
            held = held && (there(world, id + 1) || !there(world, id));
    }
    assert_true(held);
    assert_false(there(world, 4));
    assert_true(there(world, 5));
    close_segments(world);
}

/* A limit on the size of files stands for a full disk: first short, then refused. */
static void test_full(void **state)
{
    struct world *world = *state;
    open_segments(world);
    struct segments *segments = world->segments;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &before), 0);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {16, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum segments_result fits = segments_commit(segments, 1, 1, 0, SLICE_LIT("0123456789"), false);
    enum segments_result full = segments_commit(segments, 2, 1, 10, SLICE_LIT("0123456789"), false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
    assert_int_equal(fits, SEGMENTS_DONE);
    assert_int_equal(full, SEGMENTS_FAILED);
    assert_non_null(strstr(segments_why(segments), "No space left"));
    /* G4: the disk is not asked again. */
    assert_int_equal(segments_commit(segments, 3, 1, 10, SLICE_LIT("x"), false), SEGMENTS_FAILED);
    segments_sync(segments, 1);
    close_segments(world);
    assert_int_equal(world->synced_count, 0);
}

/* A sync that fails: a directory that cannot be synced, because it is none. */
static void test_sync_fails(void **state)
{
    struct world *world = *state;
    open_segments(world);
    struct segments *segments = world->segments;
    assert_int_equal(segments_commit(segments, 1, 1, 0, SLICE_LIT("x"), false), SEGMENTS_DONE);
    int aside = dup(world->dir_fd);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_true(dup2(pipes[0], world->dir_fd) >= 0);
    segments_sync(segments, 1);
    segments_sync(segments, 2);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_true(dup2(aside, world->dir_fd) >= 0);
    assert_int_equal(world->failures, 1); /* told once */
    assert_int_equal(world->synced_count, 0);
    close(aside);
    close(pipes[0]);
    close(pipes[1]);
    close_segments(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_read, begin, end),
        cmocka_unit_test_setup_teardown(test_empty_file, begin, end),
        cmocka_unit_test_setup_teardown(test_sync_under_way, begin, end),
        cmocka_unit_test_setup_teardown(test_drop_in_order, begin, end),
        cmocka_unit_test_setup_teardown(test_full, begin, end),
        cmocka_unit_test_setup_teardown(test_sync_fails, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
