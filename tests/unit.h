/* unit - what every unit test starts with.
 *
 * Does:   cmocka with the headers that it wants before it; a seed for randomized tests, printed
 *         so that a failure can be repeated (SEED=<number> ./test_…); bodies that must abort.
 * Not:    fixtures: each test makes its own.
 * Holds:  -
 * Limits: include it first: it asks the C library for POSIX.
 * See:    docs/testing.md.
 */
#pragma once

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/* A generator with a new seed, or that of the environment. */
static inline struct rng unit_rng(void)
{
    const char *given = getenv("SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0)
                                  : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    print_message("repeat with SEED=%" PRIu64 "\n", seed);
    struct rng rng;
    rng_init(&rng, seed);
    return rng;
}

/* True when body(arg), run in a child, ends by abort: a failed ASSERT. */
static inline bool unit_aborts(void (*body)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        body(arg);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
