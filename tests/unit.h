/* unit - what every unit test starts with.
 *
 * Does:   cmocka with the headers that it wants before it; a seed for randomized tests, printed
 *         so that a failure can be repeated (SEED=<number> ./test_…); failed assertions of the
 *         product end the test instead of the process, and expect_assert_failure(call) demands
 *         one.
 * Not:    fixtures: each test makes its own.
 * Holds:  -
 * Limits: one program, one file that includes it: it defines a function.
 * See:    docs/testing.md; base/assert.h.
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
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/* cmocka jumps from here to whoever expects the failure, or to the end of the test. */
void assert_report(const char *what, const char *file, int line)
{
    mock_assert(0, what, file, line);
}

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
