/* test_options - what an operator says at the start.
 *
 * Does:   O1 to O3: defaults, both ways of saying it, every refusal names what it refuses.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    src/server/options.h.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/options.h"

#define SIX                                                                                        \
    "VIEW=10.0.0.1:8090,10.0.0.2:8090,10.0.0.3:8090,10.0.0.4:8090,10.0.0.5:8090,10.0.0.6:8090"

static struct options options;
static struct buf text;

/* env: NULL-terminated NAME=value, as in environ. */
static const char *get(void *arg, const char *name)
{
    size_t len = strlen(name);
    for (const char *const *at = arg; *at != NULL; at++)
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    return NULL;
}

static enum options_result read_all(const char *const *env, const char *const *arguments)
{
    const char *argv[16] = {"thence-node"};
    int argc = 1;
    for (; arguments != NULL && arguments[argc - 1] != NULL; argc++)
        argv[argc] = arguments[argc - 1];
    uintptr_t arg = (uintptr_t)env;
    struct options_env from = {get, (void *)arg};
    buf_reset(&text);
    enum options_result result = options_read(&options, argc, argv, &from, &text);
    buf_u8(&text, '\0');
    return result;
}

#define READ_ENV(...) read_all((const char *const[]){__VA_ARGS__, NULL}, NULL)
#define READ_ARGS(...)                                                                             \
    read_all((const char *const[]){NULL}, (const char *const[]){__VA_ARGS__, NULL})

static bool says(const char *what)
{
    return strstr((const char *)text.ptr, what) != NULL;
}

static void assert_refused(const char *env, const char *names)
{
    const char *const all[] = {"SOCKET_ADDRESS=10.0.0.1:8090", env, NULL};
    enum options_result result = read_all(all, NULL);
    if (result != OPTIONS_BAD || !says(names))
        print_error("%s -> %d %s\n", env, (int)result, (const char *)text.ptr);
    assert_int_equal(result, OPTIONS_BAD);
    assert_true(says(names));
    assert_int_equal(text.ptr[text.len - 2], '\n');
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.1:8090"), OPTIONS_RUN);
    assert_string_equal(options.node.address.text, "10.0.0.1:8090");
    assert_int_equal(options.node.view_count, 1);
    assert_string_equal(options.node.view[0].text, "10.0.0.1:8090");
    assert_int_equal(options.node.shard_count, 0);
    assert_string_equal(options.data_dir, "thence-data-8090");
    assert_int_equal(options.listen_count, 0);
    assert_int_equal(options.port, 8090);
    assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
    assert_int_equal(options.log_level, TRACE_INFO);
    assert_non_null(options.warning);
    struct knobs knobs;
    knobs_init(&knobs);
    assert_memory_equal(&knobs, &options.node.knobs, sizeof(knobs));
}

static void test_environment(void **state)
{
    (void)state;
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.1:8090", SIX, "SHARD_COUNT=2",
                              "DATA_DIR=/data", "LISTEN=0.0.0.0:8090, [::1]:8090", "LOG=json,warn",
                              "DURABILITY=disk", "WAIT_MS=250", "MAX_VALUE_BYTES=1m",
                              "MAX_MEMORY=3G", "SUSPECT_MS="),
                     OPTIONS_RUN);
    assert_int_equal(options.node.view_count, 6);
    assert_string_equal(options.node.view[5].text, "10.0.0.6:8090");
    assert_int_equal(options.node.shard_count, 2);
    assert_string_equal(options.data_dir, "/data");
    assert_int_equal(options.listen_count, 2);
    assert_string_equal(options.listen[1], "[::1]:8090");
    assert_int_equal(options.log_format, LOG_FORMAT_JSON);
    assert_int_equal(options.log_level, TRACE_WARN);
    assert_int_equal(options.node.knobs.durability, 1);
    assert_int_equal(options.node.knobs.wait_ms, 250);
    assert_int_equal(options.node.knobs.max_value_bytes, 1U << 20);
    assert_true(options.node.knobs.max_memory_bytes == UINT64_C(3) << 30);
    assert_int_equal(options.node.knobs.suspect_ms, 1000); /* O3 */
    assert_null(options.warning);
}

static void test_command_line_wins(void **state)
{
    (void)state;
    const char *const env[] = {"SOCKET_ADDRESS=10.0.0.1:1", "WAIT_MS=1", "LOG=json", NULL};
    const char *const arguments[] = {
        "--socket-address=10.0.0.2:2", "--wait-ms", "77", "--log=text", "--bootstrap", NULL};
    assert_int_equal(read_all(env, arguments), OPTIONS_RUN);
    assert_string_equal(options.node.address.text, "10.0.0.2:2");
    assert_int_equal(options.node.knobs.wait_ms, 77);
    assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
    assert_true(options.node.bootstrap);
}

static void test_refusals_name_what_they_refuse(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"VIEW=10.0.0.1:8090,nonsense", "VIEW"},
        {"VIEW=10.0.0.1:8090,", "VIEW"},
        {"SHARD_COUNT=0", "SHARD_COUNT"},
        {"SHARD_COUNT=-1", "SHARD_COUNT"},
        {"SHARD_COUNT=two", "SHARD_COUNT"},
        {"SHARD_COUNT=1099511627776", "SHARD_COUNT"},
        {"SHARD_COUNT=99999999999999999999999", "SHARD_COUNT"},
        {"DURABILITY=maybe", "DURABILITY"},
        {"WAIT_MS=30001", "0 to 30000"},
        {"WAIT_MS=1K", "WAIT_MS"},
        {"WAIT_MS= 5", "WAIT_MS"},
        {"MAX_VALUE_BYTES=1GG", "MAX_VALUE_BYTES"},
        {"MAX_VALUE_BYTES=99999999999T", "MAX_VALUE_BYTES"},
        {"MAX_VALUE_BYTES=K", "MAX_VALUE_BYTES"},
        {"LISTEN=here", "LISTEN"},
        {"LISTEN=localhost:9999", "LISTEN: 'localhost:9999' is not a list of"},
        {"LISTEN=127.0.0.1:9999,a1:9999", "LISTEN"},
        {"LISTEN=1.1.1.1:1,1.1.1.1:2,1.1.1.1:3,1.1.1.1:4,1.1.1.1:5", "LISTEN names more than 4"},
        {"LOG=loud", "LOG"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(bad[i][0], bad[i][1]);
}

static void test_bad_command_lines(void **state)
{
    (void)state;
    assert_int_equal(READ_ARGS("--wait-ms=x"), OPTIONS_BAD);
    assert_true(says("--wait-ms: 'x'"));
    assert_int_equal(READ_ARGS("--no-such-thing=1"), OPTIONS_BAD);
    assert_true(says("--no-such-thing"));
    assert_int_equal(READ_ARGS("serve"), OPTIONS_BAD);
    assert_true(says("serve"));
    assert_int_equal(READ_ARGS("--wait-ms"), OPTIONS_BAD);
    assert_true(says("needs a value"));
    assert_int_equal(READ_ENV("VIEW=10.0.0.1:8090"), OPTIONS_BAD);
    assert_true(says("SOCKET_ADDRESS"));
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.1"), OPTIONS_BAD);
    assert_true(says("SOCKET_ADDRESS"));
}

static void test_what_makes_no_cluster(void **state)
{
    (void)state;
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.9:8090", SIX, "SHARD_COUNT=2"), OPTIONS_BAD);
    assert_true(text.len > 2);
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.1:8090", SIX, "SHARD_COUNT=4"), OPTIONS_BAD);
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=10.0.0.1:8090", SIX, "SHARD_COUNT=3"), OPTIONS_RUN);
    assert_int_equal(READ_ENV("SOCKET_ADDRESS=a:1", "VIEW=a:1,b:1,a:1"), OPTIONS_BAD);
}

static void test_texts(void **state)
{
    (void)state;
    assert_int_equal(READ_ARGS("--version"), OPTIONS_SAY);
    assert_true(says("thence-node " THENCE_VERSION));
    assert_int_equal(READ_ARGS("--help"), OPTIONS_SAY);
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    for (size_t i = 0; i < count; i++)
        assert_true(says(rows[i].env) && says(rows[i].help));
    assert_true(says("8M"));
    assert_true(says("SOCKET_ADDRESS"));
}

static void test_healthcheck(void **state)
{
    (void)state;
    const char *const env[] = {"SOCKET_ADDRESS=10.0.0.1:8090", NULL};
    const char *const arguments[] = {"healthcheck", NULL};
    assert_int_equal(read_all(env, arguments), OPTIONS_HEALTHCHECK);
    assert_int_equal(options.port, 8090);
}

static int end(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_command_line_wins),
        cmocka_unit_test(test_refusals_name_what_they_refuse),
        cmocka_unit_test(test_bad_command_lines),
        cmocka_unit_test(test_what_makes_no_cluster),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_healthcheck),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
