/* test_trace - the table of events, and who hears of them.
 *
 * Does:   names differ, sentences name only the arguments there are, an event arrives whole, and
 *         nobody listening is fine.
 * Not:    rendering: the logger and the simulator do it.
 * Holds:  -
 * Limits: -
 * See:    base/trace.h.
 */
#include "unit.h"

static void names_differ(void **state)
{
    (void)state;
    for (int i = 0; i < TRACE_ID_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(trace_name((enum trace_id)i), trace_name((enum trace_id)j));
    expect_assert_failure(trace_name(TRACE_ID_COUNT));
}

static bool is_argument(struct slice braced)
{
    return slice_equal(braced, SLICE_LIT("{a}")) || slice_equal(braced, SLICE_LIT("{b}")) ||
           slice_equal(braced, SLICE_LIT("{c}")) || slice_equal(braced, SLICE_LIT("{text}"));
}

static void sentences_name_their_arguments(void **state)
{
    (void)state;
    for (int i = 0; i < TRACE_ID_COUNT; i++) {
        const char *sentence = trace_sentence((enum trace_id)i);
        assert_true(strlen(sentence) > 0);
        assert_in_range(trace_level_of((enum trace_id)i), TRACE_STORY, TRACE_ERROR);
        for (const char *at = strchr(sentence, '{'); at != NULL; at = strchr(at + 1, '{')) {
            const char *end = strchr(at, '}');
            assert_non_null(end);
            if (!is_argument(slice_of(at, (size_t)(end - at) + 1)))
                fail_msg("%s", sentence);
        }
    }
}

struct heard {
    struct trace_event last;
    uint32_t count;
};

static void hear(void *arg, const struct trace_event *event)
{
    struct heard *heard = arg;
    heard->last = *event;
    heard->count++;
}

static void an_event_arrives_whole(void **state)
{
    (void)state;
    struct heard heard = {.count = 0};
    struct tracer tracer = {hear, &heard};
    struct tracer silent = {NULL, NULL};
    trace_emit(&tracer, TRACE_RECOVERED, 1, 2, 3, SLICE_LIT("text"));
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.last.id, TRACE_RECOVERED);
    assert_int_equal(heard.last.a, 1);
    assert_int_equal(heard.last.b, 2);
    assert_int_equal(heard.last.c, 3);
    assert_true(slice_equal(heard.last.text, SLICE_LIT("text")));
    trace_emit(&silent, TRACE_RECOVERED, 1, 2, 3, SLICE_EMPTY);
    trace_emit(NULL, TRACE_RECOVERED, 1, 2, 3, SLICE_EMPTY);
    assert_int_equal(heard.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ),
        cmocka_unit_test(sentences_name_their_arguments),
        cmocka_unit_test(an_event_arrives_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
