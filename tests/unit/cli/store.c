/* store - a few fake nodes over one small store, to run commands against.
 *
 * Does:   see store.h.
 * Not:    -
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

#include <cmocka.h>

static struct store_entry *find(struct store *store, struct slice key)
{
    for (uint32_t i = 0; i < store->entry_count; i++)
        if (slice_equal(buf_slice(&store->entries[i].key), key))
            return &store->entries[i];
    return NULL;
}

struct store_entry *store_find(struct store *store, const char *key)
{
    return find(store, slice_str(key));
}

static void put(struct store_node *node, struct slice key, struct slice body, struct buf *out)
{
    static const char before[] = "{\"value\":";
    struct store *store = node->store;
    struct store_entry *entry = find(store, key);
    int status = entry == NULL ? 201 : 200;
    if (entry == NULL) {
        ASSERT(store->entry_count < STORE_KEYS_MAX);
        entry = &store->entries[store->entry_count++];
        buf_append_slice(&entry->key, key);
    }
    ASSERT(body.len > sizeof(before));
    ASSERT(memcmp(body.ptr, before, sizeof(before) - 1) == 0);
    buf_reset(&entry->value);
    buf_append(&entry->value, body.ptr + sizeof(before) - 1, body.len - sizeof(before));
    entry->writer = node->index;
    entry->writes++;
    char token[24];
    snprintf(token, sizeof(token), "t%u", store->requests);
    fake_put_answer(out, status, token,
                    status == 201 ? SLICE_LIT("{\"result\":\"created\"}")
                                  : SLICE_LIT("{\"result\":\"replaced\"}"));
}

static void get(struct store_node *node, struct slice key, bool body, struct buf *out)
{
    struct store_entry *entry = find(node->store, key);
    if (entry == NULL) {
        fake_put_answer(out, 404, "t", SLICE_LIT("{\"error\":\"Key does not exist\"}"));
        return;
    }
    struct buf text = BUF_EMPTY;
    entry->read_at_other = entry->read_at_other || entry->writer != node->index;
    buf_append_slice(&text, SLICE_LIT("{\"result\":\"found\",\"value\":"));
    buf_append_slice(&text, buf_slice(&entry->value));
    if (node->store->lies)
        buf_u8(&text, '0');
    buf_u8(&text, '}');
    fake_put_answer(out, 200, "t", body ? buf_slice(&text) : SLICE_EMPTY);
    buf_fini(&text);
}

static bool is(struct slice text, const char *word)
{
    return slice_equal(text, slice_str(word));
}

static void serve(void *arg, const struct fake_request *request, struct buf *out)
{
    struct store_node *node = arg;
    struct store *store = node->store;
    pthread_mutex_lock(&store->lock);
    unsigned number = ++store->requests;
    if (store->stop != NULL && number == store->stop_after)
        *store->stop = 1;
    struct slice key = SLICE_EMPTY;
    if (request->target.len > 5 && memcmp(request->target.ptr, "/kvs/", 5) == 0)
        key = slice_of(request->target.ptr + 5, request->target.len - 5);
    if (store->refuse_every > 0 && number % store->refuse_every == 0)
        fake_put_answer(out, 503, "t",
                        is(request->method, "HEAD")
                            ? SLICE_EMPTY
                            : SLICE_LIT("{\"error\":\"later\",\"waiting-for\":[]}"));
    else if (is(request->method, "PUT") && store->unknown_every > 0 &&
             number % store->unknown_every == 0)
        fake_put_answer(out, 503, "t", SLICE_LIT("{\"error\":\"x\",\"outcome\":\"unknown\"}"));
    else if (key.len > 0 && is(request->method, "PUT"))
        put(node, key, request->body, out);
    else if (key.len > 0)
        get(node, key, is(request->method, "GET"), out);
    else if (store->other != NULL)
        store->other(node, request, out);
    else
        fake_put_answer(out, 404, NULL, SLICE_LIT("{\"error\":\"no such path\"}"));
    pthread_mutex_unlock(&store->lock);
}

void store_start(struct store *store, uint32_t node_count)
{
    ASSERT(node_count <= STORE_NODES_MAX);
    memset(store, 0, sizeof(*store));
    pthread_mutex_init(&store->lock, NULL);
    store->node_count = node_count;
    for (uint32_t i = 0; i < node_count; i++) {
        store->nodes[i].store = store;
        store->nodes[i].index = i;
        fake_start(&store->nodes[i].fake, NULL, serve, &store->nodes[i]);
    }
}

void store_fini(struct store *store)
{
    for (uint32_t i = 0; i < store->node_count; i++)
        fake_fini(&store->nodes[i].fake);
    for (uint32_t i = 0; i < store->entry_count; i++) {
        buf_fini(&store->entries[i].key);
        buf_fini(&store->entries[i].value);
    }
    pthread_mutex_destroy(&store->lock);
}

/* What stands in a temporary file, NUL-terminated. */
static void slurp(FILE *file, struct buf *out)
{
    long size = ftell(file);
    ASSERT(size >= 0);
    rewind(file);
    ASSERT(fread(buf_grow(out, (size_t)size), 1, (size_t)size, file) == (size_t)size);
    buf_u8(out, '\0');
    fclose(file);
}

static enum exit_status run_command(const struct cli *cli)
{
    switch (cli->options->command) {
    case CLI_PUT:
    case CLI_GET:
    case CLI_DELETE:
        return cli_key(cli);
    case CLI_STATUS:
        return cli_status(cli);
    case CLI_LOAD:
        return cli_load(cli);
    case CLI_MEMBERS:
        return cli_members(cli);
    case CLI_ADD:
    case CLI_REMOVE:
    case CLI_RECOVER:
        return cli_change(cli);
    case CLI_SALVAGE:
        return cli_salvage(cli);
    case CLI_RESHARD:
        return cli_reshard(cli);
    case CLI_NONE:
        break;
    }
    UNREACHABLE();
}

void store_run(struct store *store, struct run *run, const char *const *words)
{
    char *argv[32] = {(char[]){"thence"}};
    int argc = 1;
    struct buf nodes = BUF_EMPTY;
    struct buf text = BUF_EMPTY;
    struct cli_options options;
    volatile int never = 0;
    for (; words[argc - 1] != NULL; argc++) {
        ASSERT(argc < 31);
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    for (uint32_t i = 0; i < store->node_count; i++) {
        if (i > 0)
            buf_u8(&nodes, ',');
        buf_append_slice(&nodes, slice_str(store->nodes[i].fake.address));
    }
    buf_u8(&nodes, '\0');
    enum cli_options_result read =
        cli_options_read(&options, argc, argv, (const char *)nodes.ptr, &text);
    ASSERT(read == CLI_OPTIONS_RUN);
    struct cli cli = {.options = &options,
                      .out = tmpfile(),
                      .err = tmpfile(),
                      .stop = store->stop != NULL ? store->stop : &never};
    ASSERT(cli.out != NULL);
    ASSERT(cli.err != NULL);
    if (store->typed != NULL) {
        cli.in = tmpfile();
        ASSERT(cli.in != NULL);
        fputs(store->typed, cli.in);
        rewind(cli.in);
    }
    *run = (struct run){.status = (int)run_command(&cli)};
    if (cli.in != NULL)
        fclose(cli.in);
    slurp(cli.out, &run->out);
    slurp(cli.err, &run->err);
    cli_options_fini(&options);
    buf_fini(&nodes);
    buf_fini(&text);
}

void run_fini(struct run *run)
{
    buf_fini(&run->out);
    buf_fini(&run->err);
}

void says(const struct buf *text, const char *format, ...)
{
    char what[500];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(what, sizeof(what), format, list);
    va_end(list);
    assert_in_range(len, 0, sizeof(what) - 1);
    if (strstr((const char *)text->ptr, what) == NULL)
        fail_msg("not in this: %s\n%s", what, (const char *)text->ptr);
}
