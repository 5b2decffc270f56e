/* spoiled - stories of whole nodes, and the planted bugs that must spoil them.
 *
 * Does:   runs a table of stories. In the PLANT build, with the name of a planted bug as its
 *         argument, a program says whether that spoils the story that names it
 *         (tests/negative/run).
 * Not:    the stories; nodes and their world (mini.h).
 * Holds:  -
 * Limits: STORIES_MAX.
 * See:    tests/unit/replica/story.h, the same for replicas alone.
 */
#pragma once

#include "mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STORIES_MAX 32U

struct spoiled {
    const char *by; /* a planted bug; NULL: no bug is about it */
    struct CMUnitTest story;
};

static enum plant planted = PLANT_NONE; /* of the nodes that a story makes */

/* 0: a story was spoiled by the bug; 1: none was; 2: no story is about it. */
static inline int judge(const struct spoiled *stories, size_t count, const char *bug)
{
    planted = plant_named(bug);
    for (size_t i = 0; i < count && planted != PLANT_NONE; i++) {
        if (stories[i].by == NULL || strcmp(stories[i].by, bug) != 0)
            continue;
        const struct CMUnitTest story[] = {stories[i].story};
        if (cmocka_run_group_tests(story, NULL, NULL) == 0)
            return 1;
        print_message("%s spoils %s\n", bug, story[0].name);
        return 0;
    }
    return 2;
}

/* What main returns. */
static inline int run_stories(const struct spoiled *stories, size_t count, int argc, char **argv)
{
    struct CMUnitTest tests[STORIES_MAX];
    ASSERT(count <= STORIES_MAX);
    for (size_t i = 0; i < count; i++)
        tests[i] = stories[i].story;
    if (argc > 1)
        return judge(stories, count, argv[1]);
    return _cmocka_run_group_tests("stories", tests, count, NULL, NULL);
}
