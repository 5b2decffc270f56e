/* change - add, remove and recover.
 *
 * Does:   looks, shows what it will do, asks where something is given up, sends one request (two
 *         for a shard) to a member that stays, says what came of it.
 * Not:    words of the preview: change_preview.c.
 * Holds:  G1. Nothing is sent twice: whoever does not know what came of it looks.
 * Limits: -
 * See:    change.h.
 */
#include "cli/change.h"

#include "cli/said.h"
#include "cli/walk.h"

#define WAIT_MS 10000U /* for the node to carry it out, unless --wait says otherwise */

/* Who has lost its memory, by the newest configuration that anybody was told. */
static const char *choose_lost(const struct change *change)
{
    const struct status_node *found = NULL;
    for (uint32_t i = 0; i < change->status->node_count; i++) {
        const struct status_node *node = &change->status->nodes[i];
        if (change__is_lost(node) && (found == NULL || node->epoch > found->epoch))
            found = node;
    }
    return found != NULL ? found->address : NULL;
}

/* A member of the newest configuration that answers and is not named; else any that answers. */
static const char *choose_node(const struct change *change)
{
    const char *found = change->cli->options->from_directories ? choose_lost(change) : NULL;
    if (found != NULL)
        return found;
    bool sure = false;
    for (uint32_t i = 0; i < change->status->node_count && !sure; i++) {
        const struct status_node *node = &change->status->nodes[i];
        bool named = false;
        if (!node->answered || node->epoch == 0)
            continue;
        for (uint32_t k = 0; k < change->count; k++)
            named = named || change->targets[k].node == node;
        struct slice lineage = walk_text(walk_member(buf_slice(&node->body), "lineage"));
        sure = !named && node->named.len > 0 && node->epoch == change->status->epoch &&
               slice_equal(lineage, change->status->lineage);
        if (sure || found == NULL)
            found = node->address;
    }
    return found;
}

static void put_targets(const struct change *change, bool list, struct buf *body)
{
    json_put_name(body, change->cli->options->command == CLI_RECOVER ? SLICE_LIT("without")
                                                                     : SLICE_LIT("socket-address"));
    if (list)
        buf_u8(body, '[');
    for (uint32_t i = 0; i < change->count; i++) {
        json_put_comma(body);
        json_put_string(body, change->targets[i].address);
    }
    if (list)
        buf_u8(body, ']');
}

static void put_true(struct buf *body, struct slice name)
{
    json_put_name(body, name);
    buf_append_slice(body, SLICE_LIT("true"));
}

/* {"socket-address":[A,…],"force":true} */
static void put_body(const struct change *change, struct buf *body)
{
    const struct cli_options *options = change->cli->options;
    buf_u8(body, '{');
    if (change->count > 0)
        put_targets(change, options->command != CLI_ADD, body);
    if (options->force)
        put_true(body, SLICE_LIT("force"));
    if (options->from_directories)
        put_true(body, SLICE_LIT("from-directories"));
    buf_u8(body, '}');
}

static void print_failure(const struct cli *cli, const char *node,
                          const struct client_answer *answer, const struct said *said)
{
    struct buf error = BUF_EMPTY;
    cli__said_put(said, SAID_ERROR, &error);
    if (cli__said_has(said, SAID_DETAIL)) {
        buf_append_slice(&error, SLICE_LIT(": "));
        cli__said_put(said, SAID_DETAIL, &error);
    }
    if (answer->status != 0)
        fprintf(cli->err, "thence: %s answered %d: %.*s\n", node, answer->status, (int)error.len,
                error.len > 0 ? (const char *)error.ptr : "");
    else
        fprintf(cli->err, "thence: %s: %s\n", node, answer->why);
    if (answer->outcome == CLIENT_UNKNOWN)
        fprintf(cli->err, "thence: not known whether it happened; thence members shows it\n");
    buf_fini(&error);
}

static enum exit_status report(const struct cli *cli, const char *node,
                               const struct client_answer *answer)
{
    struct said said;
    struct buf result = BUF_EMPTY;
    enum exit_status status = cli__said_status(answer);
    if (status == EXIT_NOT_WELL)
        status = EXIT_REFUSED; /* 404: no such member, no such shard */
    cli__said_read(&said, answer);
    cli__said_put(&said, SAID_RESULT, &result);
    if (cli->options->json)
        cli__said_print_json(cli, node, answer, &said);
    else if (status == EXIT_OK)
        fprintf(cli->out, "%.*s\n", (int)result.len, (const char *)result.ptr);
    else
        print_failure(cli, node, answer, &said);
    buf_fini(&result);
    return status;
}

static enum exit_status send_one(const struct change *change, struct client *client,
                                 enum client_verb verb, struct slice target)
{
    const struct cli *cli = change->cli;
    struct buf body = BUF_EMPTY;
    struct client_answer answer;
    put_body(change, &body);
    struct client_ask ask = {
        .verb = verb,
        .target = target,
        .body = buf_slice(&body),
        .pinned = true,
        .avoid = CLIENT_ANY,
        .wait_ms = cli->options->wait_ms == UINT64_MAX ? WAIT_MS : cli->options->wait_ms};
    bool answered = cli__ask(cli, client, &ask, &answer);
    buf_fini(&body);
    if (!answered) {
        fprintf(cli->err,
                "thence: interrupted; not known whether it happened: thence members shows it\n");
        return EXIT_INTERRUPTED;
    }
    return report(cli, client_node_address(client, 0), &answer);
}

/* The requests of the command, one after the other. */
static enum exit_status send_all(const struct change *change, struct client *client)
{
    const struct cli_options *options = change->cli->options;
    if (options->command == CLI_REMOVE)
        return send_one(change, client, CLIENT_DELETE, SLICE_LIT("/view"));
    if (options->command == CLI_RECOVER)
        return send_one(change, client, CLIENT_PUT, SLICE_LIT("/recover"));
    enum exit_status status = EXIT_OK;
    if (options->shard == NULL || !change->targets[0].listed)
        status = send_one(change, client, CLIENT_PUT, SLICE_LIT("/view"));
    if (status != EXIT_OK || options->shard == NULL)
        return status;
    struct buf target = BUF_EMPTY;
    buf_append_slice(&target, SLICE_LIT("/shard/add-member/"));
    buf_append_slice(&target, slice_str(options->shard));
    status = send_one(change, client, CLIENT_PUT, buf_slice(&target));
    buf_fini(&target);
    return status;
}

static enum exit_status carry_out(const struct change *change)
{
    const struct cli *cli = change->cli;
    struct client_options how;
    client_options_init(&how);
    how.attempt_ms_max = cli->options->timeout_ms;
    how.retries_max = 0;
    struct client *client = client_new(&how);
    struct buf why = BUF_EMPTY;
    uint32_t index;
    enum exit_status status = EXIT_UNAVAILABLE;
    if (client_add_node(client, choose_node(change), &index, &why))
        status = send_all(change, client);
    else
        fprintf(cli->err, "thence: %.*s\n", (int)why.len, (const char *)why.ptr);
    buf_fini(&why);
    client_free(client);
    return status;
}

static enum exit_status run(const struct cli *cli, struct status *status, void *arg)
{
    (void)arg;
    struct change *change = mem_zalloc(1, sizeof(*change));
    change__init(change, cli, status);
    change__preview(change);
    enum exit_status result = EXIT_OK;
    if (change->gives_up)
        result = cli__confirm(cli, "this gives up what nobody can bring back");
    if (result == EXIT_OK)
        result = carry_out(change);
    mem_free(change);
    return result;
}

enum exit_status cli_change(const struct cli *cli)
{
    return cli__with_members(cli, run, NULL);
}
