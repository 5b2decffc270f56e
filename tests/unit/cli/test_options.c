/* test_options - command lines, good and bad.
 *
 * Does:   what is understood, what is refused and in which words; every option is in some help.
 * Not:    carrying it out: test_commands.c.
 * Holds:  -
 * Limits: -
 * See:    cli/options.h.
 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct parsed {
    struct cli_options options;     /* what came out */
    enum cli_options_result result; /* likewise */
    struct buf text;                /* NUL-terminated */
};

/* `line` is split at blanks. */
static void parse(struct parsed *parsed, const char *line, const char *env)
{
    static char words[512];
    char *argv[32] = {words};
    int argc = 0;
    size_t len = strlen(line);
    assert_true(len < sizeof(words));
    memcpy(words, line, len + 1);
    for (size_t i = 0; i < len; i++) {
        if (words[i] == ' ')
            words[i] = '\0';
        else if (i == 0 || words[i - 1] == '\0')
            argv[argc++] = &words[i];
    }
    *parsed = (struct parsed){0};
    parsed->result = cli_options_read(&parsed->options, argc, argv, env, &parsed->text);
    buf_u8(&parsed->text, '\0');
}

static void parsed_fini(struct parsed *parsed)
{
    cli_options_fini(&parsed->options);
    buf_fini(&parsed->text);
}

static void test_from_directories(void **state)
{
    (void)state;
    struct parsed parsed;
    const struct cli_options *options = &parsed.options;
    parse(&parsed, "thence recover --from-directories", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->member_count, 0);
    assert_true(options->from_directories);
    parsed_fini(&parsed);
    parse(&parsed, "thence recover --from-directories --without a:1 b:2", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->member_count, 2);
    parsed_fini(&parsed);
}

static void test_good(void **state)
{
    (void)state;
    struct parsed parsed;
    const struct cli_options *options = &parsed.options;
    parse(&parsed, "thence --node a:1,b:2 put --copies 2 key 5 --node c:3 --wait 4", "x:9");
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->command, CLI_PUT);
    assert_int_equal(options->node_count, 3);
    assert_string_equal(options->nodes[2], "c:3");
    assert_string_equal(options->key, "key");
    assert_string_equal(options->value, "5");
    assert_int_equal(options->copies, 2);
    assert_int_equal(options->wait_ms, 4000);
    assert_int_equal(options->timeout_ms, 10000);
    parsed_fini(&parsed);
    parse(&parsed, "thence put key -- -5", "x:9,y:8");
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_string_equal(options->value, "-5");
    assert_int_equal(options->node_count, 2);
    parsed_fini(&parsed);
    parse(&parsed, "thence put key --raw file --type image/png", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_string_equal(options->file, "file");
    assert_null(options->value);
    assert_int_equal(options->node_count, 6);
    assert_string_equal(options->nodes[5], "127.0.0.1:8087");
    parsed_fini(&parsed);
    parse(&parsed, "thence load --verify - --jobs 7 --format tsv --skip 12 --quiet --json", "");
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_string_equal(options->file, "-");
    assert_int_equal(options->jobs, 7);
    assert_int_equal(options->skip_lines, 12);
    assert_int_equal(options->format, CLI_TSV);
    assert_true(options->verify && options->quiet && options->json);
    parsed_fini(&parsed);
    parse(&parsed, "thence remove A:01 b:2,c:3 a:1 --force --yes --wait 20", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->command, CLI_REMOVE);
    assert_int_equal(options->member_count, 3);
    assert_string_equal(options->members[0], "a:1");
    assert_string_equal(options->members[2], "c:3");
    assert_true(options->force && options->yes);
    assert_int_equal(options->wait_ms, 20000);
    parsed_fini(&parsed);
    parse(&parsed, "thence recover --without a:1,b:2 --without c:3 d:4", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->member_count, 4);
    assert_false(options->yes);
    assert_false(options->from_directories);
    parsed_fini(&parsed);
    parse(&parsed, "thence add a:1 --shard s12", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_string_equal(options->shard, "s12");
    parsed_fini(&parsed);
    parse(&parsed, "thence members", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->timeout_ms, 2000);
    parsed_fini(&parsed);
    parse(&parsed, "thence status", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
    assert_int_equal(options->timeout_ms, 2000);
    parsed_fini(&parsed);
}

static void test_bad(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"thence", "usage: thence COMMAND"},
        {"thence frob", "thence: frob: no such command\ntry: thence --help\n"},
        {"thence put", "thence: KEY and JSON are needed\ntry: thence put --help\n"},
        {"thence put a", "thence: KEY and JSON are needed"},
        {"thence put a 1 2", "thence: 2: one argument too many"},
        {"thence put a -5", "thence: -5: no such option (a negative number needs -- before it)"},
        {"thence put --raw f", "thence: KEY is needed"},
        {"thence put a --raw f 1", "thence: 1: one argument too many"},
        {"thence put a 1 --type x/y", "thence: --type goes with --raw"},
        {"thence get", "thence: KEY is needed"},
        {"thence get a --verify", "thence: --verify: not an option of this command"},
        {"thence get a --frob", "thence: --frob: no such option"},
        {"thence get a --wait", "thence: --wait: needs a value"},
        {"thence get a --wait 31", "thence: --wait takes 0 to 30 seconds"},
        {"thence get a --wait 1.5", "thence: --wait takes 0 to 30 seconds"},
        {"thence get a --timeout 0", "thence: --timeout takes 1 to 3600 seconds"},
        {"thence get a --node a:1,,b:2", "thence: --node takes HOST:PORT"},
        {"thence put a 1 --copies 3", "thence: --copies takes 1 or 2"},
        {"thence status now", "thence: now: one argument too many"},
        {"thence members a:1", "thence: a:1: one argument too many"},
        {"thence add", "thence: ADDRESS is needed\ntry: thence add --help\n"},
        {"thence add a:1 b:2", "thence: b:2: one argument too many"},
        {"thence add a:1,b:2", "thence: a:1,b:2: one address at a time"},
        {"thence add 10.0.0.7", "thence: 10.0.0.7: an address is HOST:PORT\ntry:"},
        {"thence add a:1 --shard 0", "thence: --shard takes an s and a number, such as s0"},
        {"thence add a:1 --shard s", "thence: --shard takes an s and a number"},
        {"thence add a:1 --shard s0x", "thence: --shard takes an s and a number"},
        {"thence add a:1 --yes", "thence: --yes: not an option of this command"},
        {"thence remove", "thence: ADDRESS is needed"},
        {"thence remove a:1 b:0", "thence: b:0: an address is HOST:PORT"},
        {"thence remove a:1 --without b:2", "thence: --without: not an option of this command"},
        {"thence recover", "thence: --without ADDRESS is needed"},
        {"thence recover a:1", "thence: --without ADDRESS is needed"},
        {"thence recover --from-directories a:1", "thence: --without ADDRESS is needed"},
        {"thence recover --without a", "thence: --without takes HOST:PORT"},
        {"thence reshard", "thence: a number of shards is needed"},
        {"thence reshard 0", "thence: 0: a number of shards is 1 to 32"},
        {"thence reshard 33", "thence: 33: a number of shards is 1 to 32"},
        {"thence reshard three", "thence: three: a number of shards is 1 to 32"},
        {"thence reshard 3 --cancel", "thence: 3: one argument too many"},
        {"thence status --cancel", "thence: --cancel: not an option of this command"},
        {"thence salvage", "thence: DIRECTORY is needed\ntry: thence salvage --help\n"},
        {"thence salvage d --export f --yes", "thence: --export writes nothing to the cluster"},
        {"thence load f --export x", "thence: --export: not an option of this command"},
        {"thence load f --jobs 1025", "thence: --jobs takes 1 to 1024"},
        {"thence load f --jobs 0", "thence: --jobs takes 1 to 1024"},
        {"thence load f --format xml", "thence: --format takes json or tsv"},
        {"thence load f --skip -1", "thence: --skip takes a number of lines"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i][0], NULL);
        assert_int_equal(parsed.result, CLI_OPTIONS_BAD);
        if (strstr((const char *)parsed.text.ptr, rows[i][1]) == NULL)
            fail_msg("%s says: %s", rows[i][0], (const char *)parsed.text.ptr);
        parsed_fini(&parsed);
    }
}

/* One reason at a time: 64 addresses are good, the 65th is not, whatever it is said with. */
static void test_too_many(void **state)
{
    (void)state;
    static const char *const starts[] = {"thence remove ", "thence recover --without "};
    for (size_t i = 0; i < 2; i++) {
        struct parsed parsed;
        char line[400];
        int len = snprintf(line, sizeof(line), "%sa:1", starts[i]);
        for (int port = 2; port <= 65; port++) {
            parse(&parsed, line, NULL);
            assert_int_equal(parsed.result, CLI_OPTIONS_RUN);
            parsed_fini(&parsed);
            len += snprintf(line + len, sizeof(line) - (size_t)len, ",a:%d", port);
        }
        parse(&parsed, line, NULL);
        assert_int_equal(parsed.result, CLI_OPTIONS_BAD);
        assert_non_null(
            strstr((const char *)parsed.text.ptr, ": more than 64 addresses are named\n"));
        assert_null(strstr((const char *)parsed.text.ptr, "HOST:PORT"));
        parsed_fini(&parsed);
    }
}

static void test_help(void **state)
{
    (void)state;
    static const char *const options[] = {
        "--node",   "--token-file", "--wait",    "--timeout", "--copies", "--json",  "--raw",
        "--type",   "--jobs",       "--skip",    "--format",  "--verify", "--quiet", "--help",
        "--export", "--shard",      "--without", "--force",   "--yes",    "--cancel"};
    static const char *const lines[] = {
        "thence --help",         "thence put --help",     "thence --help get",
        "thence delete -h",      "thence status --help",  "thence load x --help",
        "thence members --help", "thence add --help",     "thence remove --help",
        "thence recover --help", "thence salvage --help", "thence reshard --help"};
    struct parsed parsed;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        parse(&parsed, lines[i], NULL);
        assert_int_equal(parsed.result, CLI_OPTIONS_SAY);
        assert_non_null(strstr((const char *)parsed.text.ptr, "usage: thence"));
        assert_non_null(strstr((const char *)parsed.text.ptr, "Exit status"));
        parsed_fini(&parsed);
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        bool found = false;
        for (enum cli_command command = CLI_PUT; command <= CLI_NONE; command++)
            found = found || strstr(cli_help(command), options[i]) != NULL;
        assert_true(found);
    }
    assert_non_null(strstr(cli_help(CLI_REMOVE), "or a member still hands over"));
    parse(&parsed, "thence --version", NULL);
    assert_int_equal(parsed.result, CLI_OPTIONS_SAY);
    assert_string_equal((const char *)parsed.text.ptr, "thence " CLI_VERSION "\n");
    parsed_fini(&parsed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_directories),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
