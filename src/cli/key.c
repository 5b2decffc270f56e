/* key - put, get and delete.
 *
 * Does:   one request, and what came of it in words or as JSON.
 * Not:    -
 * Holds:  -
 * Limits: LIMIT_VALUE_BYTES.
 * See:    cli.h; docs/api.md section 2.
 */
#define _GNU_SOURCE
#include "cli/said.h"
#include "http/http.h"

#include <unistd.h>

/* ---- The request ---- */

/* The body of a put; false after a complaint. */
static bool make_body(const struct cli *cli, struct client_ask *ask, struct buf *body)
{
    const struct cli_options *options = cli->options;
    if (options->file != NULL) {
        ask->type = slice_str(options->type != NULL ? options->type : "application/octet-stream");
        return cli__read_file(cli, options->file, LIMIT_VALUE_BYTES, body);
    }
    struct buf text = BUF_EMPTY;
    if (strcmp(options->value, "-") != 0)
        buf_append_slice(&text, slice_str(options->value));
    else if (!cli__read_file(cli, "-", LIMIT_VALUE_BYTES, &text))
        return false;
    struct json_value value;
    struct json_error error;
    bool good = json_scan(buf_slice(&text), &value, &error);
    if (good) {
        buf_append_slice(body, SLICE_LIT("{\"value\":"));
        buf_append_slice(body, value.raw);
        buf_u8(body, '}');
    } else {
        fprintf(cli->err, "thence: the value is not JSON: %s, at byte %zu%s\n", error.sentence,
                error.offset + 1,
                strcmp(options->value, "-") == 0 ? "" : " (text needs quotes: '\"like this\"')");
    }
    buf_fini(&text);
    return good;
}

/* ---- What came of it ---- */

static bool is_binary(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] < ' ' && bytes.ptr[i] != '\n' && bytes.ptr[i] != '\t' &&
            bytes.ptr[i] != '\r')
            return true;
    return false;
}

/* Of a get: JSON with a newline, raw bytes without. */
static void print_value(const struct cli *cli, const struct client_answer *answer,
                        const struct said *said)
{
    if (cli__said_has(said, SAID_VALUE)) {
        struct slice value = said->members[SAID_VALUE].value.raw;
        fwrite(value.ptr, 1, value.len, cli->out);
        fputc('\n', cli->out);
    } else if (isatty(fileno(cli->out)) && is_binary(answer->body)) {
        fprintf(cli->err, "thence: %zu bytes of %.*s: not for a terminal; redirect them\n",
                answer->body.len, (int)answer->type.len, (const char *)answer->type.ptr);
    } else if (answer->body.len > 0) {
        fwrite(answer->body.ptr, 1, answer->body.len, cli->out);
    }
}

static void print_good(const struct cli *cli, const struct client_answer *answer,
                       const struct said *said)
{
    if (cli->options->command == CLI_GET) {
        print_value(cli, answer, said);
        return;
    }
    struct buf result = BUF_EMPTY;
    cli__said_put(said, SAID_RESULT, &result);
    fprintf(cli->out, "%.*s\n", (int)result.len, (const char *)result.ptr);
    buf_fini(&result);
}

static void print_error(const struct cli *cli, const char *node, const struct client_answer *answer,
                        const struct said *said)
{
    struct buf error = BUF_EMPTY;
    cli__said_put(said, SAID_ERROR, &error);
    if (cli__said_has(said, SAID_DETAIL)) {
        buf_append_slice(&error, SLICE_LIT(": "));
        cli__said_put(said, SAID_DETAIL, &error);
    }
    if (answer->outcome == CLIENT_UNKNOWN)
        fprintf(cli->err, "thence: not known whether it happened (%s)\n", answer->why);
    else if (answer->outcome != CLIENT_ANSWERED)
        fprintf(cli->err, "thence: %s: %s, after %u retries\n", node, answer->why, answer->retries);
    if (answer->status != 0 && answer->status != 404)
        fprintf(cli->err, "thence: %s answered %d%s%.*s\n", node, answer->status,
                error.len > 0 ? ": " : "", (int)error.len, (const char *)error.ptr);
    else if (answer->status == 404)
        fprintf(cli->err, "thence: %s: %.*s\n", cli->options->key, (int)error.len,
                (const char *)error.ptr);
    if (cli__said_has(said, SAID_WAITING)) {
        struct slice waiting = said->members[SAID_WAITING].value.raw;
        fprintf(cli->err, "thence: it waits for %.*s\n", (int)waiting.len,
                (const char *)waiting.ptr);
    }
    if (cli__said_has(said, SAID_REASON) && cli->options->token_file != NULL)
        fprintf(cli->err, "thence: remove %s to begin a session with this cluster\n",
                cli->options->token_file);
    buf_fini(&error);
}

static enum exit_status report(const struct cli *cli, const char *node,
                               const struct client_answer *answer)
{
    struct said said;
    enum exit_status status = cli__said_status(answer);
    cli__said_read(&said, answer);
    if (cli->options->json)
        cli__said_print_json(cli, node, answer, &said);
    else if (status == EXIT_OK)
        print_good(cli, answer, &said);
    else
        print_error(cli, node, answer, &said);
    if (!cli->options->json)
        cli__said_print_notes(cli, &said);
    return status;
}

static enum exit_status ask_once(const struct cli *cli, struct client *client,
                                 const struct client_ask *ask)
{
    struct client_answer answer;
    if (!cli__ask(cli, client, ask, &answer)) {
        fprintf(cli->err, "thence: interrupted%s\n",
                ask->verb == CLIENT_GET ? "" : "; not known whether it happened");
        return EXIT_INTERRUPTED;
    }
    return report(cli, client_node_address(client, answer.node), &answer);
}

enum exit_status cli_key(const struct cli *cli)
{
    static const enum client_verb verbs[] = {CLIENT_PUT, CLIENT_GET, CLIENT_DELETE};
    const struct cli_options *options = cli->options;
    struct client_options how;
    struct client_session session;
    struct buf target = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    enum exit_status status = EXIT_USAGE;
    client_options_init(&how);
    how.attempt_ms_max = options->timeout_ms;
    client_session_init(&session);
    client_put_target(&target, slice_str(options->key));
    struct client_ask ask = {.verb = verbs[options->command],
                             .target = buf_slice(&target),
                             .session = &session,
                             .node = CLIENT_ANY,
                             .avoid = CLIENT_ANY,
                             .wait_ms = options->wait_ms,
                             .copies = options->copies};
    struct client *client = NULL;
    if (!cli__session_read(cli, &session))
        goto out;
    if (options->command == CLI_PUT && !make_body(cli, &ask, &body))
        goto out;
    client = cli__client_new(cli, &how);
    if (client == NULL)
        goto out;
    ask.body = buf_slice(&body);
    status = ask_once(cli, client, &ask);
    if (!cli__session_write(cli, &session) && status == EXIT_OK)
        status = EXIT_USAGE;
out:
    client_free(client);
    client_session_fini(&session);
    buf_fini(&target);
    buf_fini(&body);
    return status;
}
