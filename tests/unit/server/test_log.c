/* test_log - lines for operators.
 *
 * Does:   L1, L2: format, levels, arguments in sentences, foreign bytes, floods.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    src/server/log.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/http.h"
#include "server/log.h"

#include <sys/mman.h>
#include <unistd.h>

static uint64_t clock_ms = UINT64_C(1795435200123); /* 2026-11-23T12:00:00.123Z */

static uint64_t wall(void)
{
    return clock_ms;
}

/* What was written to fd, as text; the caller frees the buf. */
static struct buf written(int fd)
{
    struct buf out = BUF_EMPTY;
    off_t size = lseek(fd, 0, SEEK_END);
    assert_int_equal(pread(fd, buf_grow(&out, (size_t)size), (size_t)size, 0), size);
    buf_u8(&out, '\0');
    return out;
}

static void test_text(void **state)
{
    (void)state;
    struct logger logger;
    int fd = memfd_create("log", 0);
    logger_init(&logger, fd, LOG_FORMAT_TEXT, TRACE_INFO, wall);
    struct trace_event event = {TRACE_EPOCH_ADOPTED, 7, 99, 0, SLICE_EMPTY};
    logger_emit(&logger, &event);
    event = (struct trace_event){TRACE_PEER_DOWN, 0, 0, 0, SLICE_LIT("10.0.0.1:8090\nx\x80")};
    logger_emit(&logger, &event);
    event = (struct trace_event){TRACE_PARKED, 1, 2, 3, SLICE_EMPTY}; /* a story: not written */
    logger_emit(&logger, &event);
    logger_say(&logger, TRACE_ERROR, "a sentence", "key", SLICE_LIT("v\tw"));
    struct buf out = written(fd);
    assert_string_equal(
        (const char *)out.ptr,
        "2026-11-23T12:00:00.123Z INFO  adopted configuration epoch 7 of lineage 99"
        " event=EPOCH_ADOPTED\n"
        "2026-11-23T12:00:00.123Z WARN  peer 10.0.0.1:8090?x? is not reachable event=PEER_DOWN\n"
        "2026-11-23T12:00:00.123Z ERROR a sentence key=v?w\n");
    buf_fini(&out);
    logger_fini(&logger);
    close(fd);
}

static void test_json(void **state)
{
    (void)state;
    struct logger logger;
    int fd = memfd_create("log", 0);
    logger_init(&logger, fd, LOG_FORMAT_JSON, TRACE_STORY, wall);
    struct trace_event event = {TRACE_WRITTEN, 1, 2, 3, SLICE_LIT("a\"b\\")};
    logger_emit(&logger, &event);
    struct buf out = written(fd);
    struct json_value value;
    struct json_error error;
    struct json_member members[] = {{SLICE_LIT("time"), {0}},
                                    {SLICE_LIT("level"), {0}},
                                    {SLICE_LIT("message"), {0}},
                                    {SLICE_LIT("event"), {0}}};
    assert_true(json_scan_members(slice_of(out.ptr, out.len - 2), &value, members, 4, &error));
    assert_true(slice_equal(members[0].value.raw, SLICE_LIT("\"2026-11-23T12:00:00.123Z\"")));
    assert_true(slice_equal(members[1].value.raw, SLICE_LIT("\"STORY\"")));
    assert_true(
        slice_equal(members[2].value.raw, SLICE_LIT("\"wrote (1,2) hlc 3 key a\\\"b\\\\\"")));
    assert_true(slice_equal(members[3].value.raw, SLICE_LIT("\"WRITTEN\"")));
    buf_fini(&out);
    logger_fini(&logger);
    close(fd);
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char text[500];
    memset(text, 'x', sizeof(text));
    struct trace_event event = {TRACE_TRUSTED, 0, 0, 0, slice_of(text, sizeof(text))};
    struct buf out = BUF_EMPTY;
    log_sentence(&event, &out);
    assert_int_equal(out.len, LOG_TEXT_BYTES + strlen("... is alive"));
    buf_fini(&out);
}

static void test_floods_are_cut(void **state)
{
    (void)state;
    struct logger logger;
    int fd = memfd_create("log", 0);
    logger_init(&logger, fd, LOG_FORMAT_TEXT, TRACE_INFO, wall);
    for (unsigned i = 0; i < LOG_LINES_A_SECOND + 25; i++)
        logger_say(&logger, TRACE_WARN, "again", NULL, SLICE_EMPTY);
    clock_ms += 1000;
    logger_say(&logger, TRACE_WARN, "last", NULL, SLICE_EMPTY);
    struct buf out = written(fd);
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.ptr[i] == '\n';
    assert_int_equal(lines, LOG_LINES_A_SECOND + 1);
    assert_non_null(strstr((const char *)out.ptr, "last lines-left-out=25\n"));
    buf_fini(&out);
    logger_fini(&logger);
    close(fd);
}

/* Every sentence can be filled in, and none has a brace left. */
static void test_all_sentences(void **state)
{
    (void)state;
    for (unsigned id = 0; id < TRACE_ID_COUNT; id++) {
        struct trace_event event = {(enum trace_id)id, 1, 2, 3, SLICE_LIT("text")};
        struct buf out = BUF_EMPTY;
        log_sentence(&event, &out);
        assert_true(out.len > 0);
        assert_null(memchr(out.ptr, '{', out.len));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_floods_are_cut),
        cmocka_unit_test(test_all_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
