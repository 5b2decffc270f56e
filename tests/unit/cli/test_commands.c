/* test_commands - whole command lines against fake nodes.
 *
 * Does:   load (retries, unknowns, bad lines, later lines, reading back, stopping), put, get,
 *         token files, exit statuses.
 * Not:    real nodes: tests/e2e.
 * Holds:  -
 * Limits: -
 * See:    store.h.
 */
#define _GNU_SOURCE
#include "unit/cli/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define KEYS 1500

struct files {
    char folder[32]; /* temporary */
    char lines[64];  /* a file in it */
    char tokens[64]; /* another one */
};

static void files_init(struct files *files, const char *text)
{
    memcpy(files->folder, "/tmp/thence-cli-XXXXXX", 23);
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->lines, sizeof(files->lines), "%s/lines", files->folder);
    snprintf(files->tokens, sizeof(files->tokens), "%s/tokens", files->folder);
    FILE *file = fopen(files->lines, "w");
    assert_non_null(file);
    fputs(text, file);
    for (int i = 0; text[0] == '\0' && i < KEYS; i++)
        fprintf(file, "{\"key\":\"k%d\",\"value\":%d.50}\n", i, i);
    fclose(file);
}

static void files_fini(struct files *files)
{
    unlink(files->lines);
    unlink(files->tokens);
    assert_int_equal(rmdir(files->folder), 0);
}

static struct store *start(uint32_t nodes)
{
    struct store *store = mem_alloc(sizeof(*store));
    store_start(store, nodes);
    return store;
}

static void stop(struct store *store)
{
    store_fini(store);
    mem_free(store);
}

static void test_load_and_verify(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    struct store *store = start(3);
    store->refuse_every = 7;
    files_init(&files, "");
    store_run(store, &load, WORDS("load", files.lines, "--verify", "--quiet", "--json"));
    assert_int_equal(load.status, EXIT_OK);
    says(&load.out, "\"loaded\":{\"keys\":1500,");
    says(&load.out, "\"verified\":{\"keys\":1500,");
    says(&load.out, "\"same-node\":0}");
    assert_string_equal((const char *)load.err.ptr, "");
    run_fini(&load);
    assert_int_equal(store->entry_count, KEYS);
    unsigned by_node[3] = {0};
    for (uint32_t i = 0; i < store->entry_count; i++) {
        assert_int_equal(store->entries[i].writes, 1);
        assert_true(store->entries[i].read_at_other);
        by_node[store->entries[i].writer]++;
    }
    for (int i = 0; i < 3; i++)
        assert_true(by_node[i] > KEYS / 6);
    assert_true(slice_equal(buf_slice(&store_find(store, "k7")->value), SLICE_LIT("7.50")));
    files_fini(&files);
    stop(store);
}

static void test_load_lies(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    struct store *store = start(2);
    store->lies = true;
    files_init(&files, "{\"key\":\"a\",\"value\":1}\n");
    store_run(store, &load, WORDS("load", files.lines, "--verify", "--quiet"));
    assert_int_equal(load.status, EXIT_NOT_WELL);
    says(&load.out, "equal 0 · differ 1");
    says(&load.err, "line 1, key \"a\": reads back otherwise");
    run_fini(&load);
    files_fini(&files);
    stop(store);
}

static void test_load_unknown(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    struct store *store = start(2);
    store->unknown_every = 50;
    files_init(&files, "");
    store_run(store, &load, WORDS("load", files.lines, "--verify", "--quiet", "--jobs", "3"));
    assert_int_equal(load.status, EXIT_UNKNOWN);
    says(&load.out, "loaded 1,470 keys");
    says(&load.out, "unknown 30 · failed 0");
    says(&load.out, "equal 1,470 · differ 0 · not readable 0");
    says(&load.out, "not checked 30\n");
    says(&load.err, ": not known whether it was written");
    says(&load.err, "and more like that");
    run_fini(&load);
    files_fini(&files);
    stop(store);
}

static void test_load_bad_lines(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    struct store *store = start(1);
    files_init(&files, "{\"key\":\"a\",\"value\":1}\n"
                       "\n"
                       "{\"key\":\"a\",\"value\":}\n"
                       "[]\n"
                       "{\"key\":7,\"value\":1}\n"
                       "{\"value\":1}\n"
                       "{\"key\":\"\",\"value\":1}\n"
                       "{\"key\":\"a\",\"value\":2}\r\n"
                       "{\"key\":\"\\u00e4 b\",\"value\":null,\"more\":1}");
    store_run(store, &load, WORDS("load", files.lines, "--verify", "--quiet"));
    assert_int_equal(load.status, EXIT_NOT_WELL);
    says(&load.err, "line 3: a value is expected: byte 20\n");
    says(&load.err, "line 4: not a JSON object\n");
    says(&load.err, "line 5: no member \"key\" that is a string\n");
    says(&load.err, "line 6: ");
    says(&load.err, "line 7: the key is empty\n");
    says(&load.out, "created 2 · replaced 1 · ");
    says(&load.out, "unusable lines 5\n");
    says(&load.out, "1 lines have a later line for the same key");
    assert_true(slice_equal(buf_slice(&store_find(store, "a")->value), SLICE_LIT("2")));
    assert_non_null(store_find(store, "%C3%A4%20b"));
    run_fini(&load);
    files_fini(&files);
    stop(store);
}

static void test_load_stops_and_goes_on(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    volatile int stops = 0;
    struct store *store = start(2);
    store->stop = &stops;
    store->stop_after = 500;
    files_init(&files, "");
    store_run(store, &load, WORDS("load", files.lines, "--quiet"));
    assert_int_equal(load.status, EXIT_INTERRUPTED);
    const char *skip = strstr((const char *)load.err.ptr, "--skip ");
    assert_non_null(skip);
    char number[16] = "";
    for (size_t i = 0; i < 15 && skip[7 + i] >= '0' && skip[7 + i] <= '9'; i++)
        number[i] = skip[7 + i];
    assert_true(store->entry_count < KEYS);
    stops = 0;
    struct run rest;
    store_run(store, &rest, WORDS("load", files.lines, "--quiet", "--skip", number));
    assert_int_equal(rest.status, EXIT_OK);
    assert_int_equal(store->entry_count, KEYS);
    for (uint32_t i = 0; i < store->entry_count; i++)
        assert_int_equal(store->entries[i].writes, 1);
    run_fini(&load);
    run_fini(&rest);
    files_fini(&files);
    stop(store);
}

static void test_load_gives_up(void **state)
{
    (void)state;
    struct files files;
    struct run load;
    struct store *store = start(1);
    store->unknown_every = 1;
    files_init(&files, "");
    store_run(store, &load, WORDS("load", files.lines, "--quiet", "--jobs", "10"));
    assert_int_equal(load.status, EXIT_NOT_WELL);
    says(&load.err, "every line before 1 was handled; --skip 0 goes on");
    assert_in_range(store->requests, 100, 110);
    run_fini(&load);
    files_fini(&files);
    stop(store);
}

static void test_keys(void **state)
{
    (void)state;
    struct files files;
    struct run one;
    struct store *store = start(1);
    files_init(&files, "x");
    store_run(store, &one, WORDS("put", "a b", "[1, 2.0]", "--token-file", files.tokens));
    assert_int_equal(one.status, EXIT_OK);
    assert_string_equal((const char *)one.out.ptr, "created\n");
    run_fini(&one);
    store_run(store, &one, WORDS("put", "a b", "3", "--token-file", files.tokens, "--json"));
    says(&one.out, "{\"outcome\":\"answered\",\"status\":200,");
    run_fini(&one);
    store_run(store, &one, WORDS("get", "a b", "--wait", "3"));
    assert_int_equal(one.status, EXIT_OK);
    run_fini(&one);
    store_run(store, &one, WORDS("get", "none"));
    assert_int_equal(one.status, EXIT_NOT_WELL);
    run_fini(&one);
    store_run(store, &one, WORDS("put", "a", "not json"));
    assert_int_equal(one.status, EXIT_USAGE);
    says(&one.err, "the value is not JSON");
    run_fini(&one);
    store->unknown_every = 1;
    store_run(store, &one, WORDS("put", "a", "1"));
    assert_int_equal(one.status, EXIT_UNKNOWN);
    says(&one.err, "not known whether it happened");
    run_fini(&one);
    store->refuse_every = 1;
    store_run(store, &one, WORDS("get", "a"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    run_fini(&one);
    fake_stop(&store->nodes[0].fake);
    assert_string_equal(store->nodes[0].fake.seen[0], "PUT /kvs/a%20b ");
    assert_string_equal(store->nodes[0].fake.seen[1], "PUT /kvs/a%20b t1");
    store_run(store, &one, WORDS("get", "a"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    run_fini(&one);
    store_run(store, &one, WORDS("status"));
    assert_int_equal(one.status, EXIT_UNAVAILABLE);
    says(&one.out, "DOWN: no connection");
    run_fini(&one);
    files_fini(&files);
    stop(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_and_verify),
        cmocka_unit_test(test_load_lies),
        cmocka_unit_test(test_load_unknown),
        cmocka_unit_test(test_load_bad_lines),
        cmocka_unit_test(test_load_stops_and_goes_on),
        cmocka_unit_test(test_load_gives_up),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
