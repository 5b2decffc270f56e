/* reshard - another number of shards, and how far that is.
 *
 * Does:   shows what it will come to, asks, sends one request, then tells how far it is until
 *         nothing moves. Where that is under way already it only tells.
 * Not:    deciding what goes where: the nodes do. What is shown before is what they said a moment
 *         ago, and the least that has to move.
 * Holds:  nothing is sent before somebody said yes, and nothing twice. Whoever interrupts it stops
 *         the telling, not the moving.
 * Limits: LIMIT_SHARDS.
 * See:    docs/api.md section 3; docs/protocol.md section 7.
 */
#include "cli/progress.h"
#include "cli/reshard_keys.h"
#include "cli/said.h"
#include "cli/status.h"
#include "cli/walk.h"

#include "sys/sys.h"

#define BEGIN_MS 10000U   /* for it to begin */
#define LOOK_MS 300U      /* between two looks */
#define SILENCE_MS 30000U /* of all nodes, until it is given up to look */

struct watch {
    const struct cli *cli;
    struct client *client; /* of all members that were found */
    uint32_t node;         /* of these: which one is asked */
    struct buf body;       /* what GET /shard/reshard answered last */
    struct buf line;       /* what was shown last */
    struct reshard_keys keys;
};

static FILE *out_of(const struct cli *cli)
{
    return cli->options->json ? cli->err : cli->out;
}

/* ---- asking ---- */

static struct slice now(const struct watch *watch)
{
    return buf_slice(&watch->body);
}

/* Looks how far it is: EXIT_OK and the body, EXIT_INTERRUPTED, or EXIT_UNAVAILABLE: nobody says. */
static enum exit_status look(struct watch *watch, const char **why)
{
    struct client_answer answer;
    struct said said;
    struct client_ask what = {.verb = CLIENT_GET,
                              .target = SLICE_LIT("/shard/reshard"),
                              .node = watch->node,
                              .pinned = true,
                              .avoid = CLIENT_ANY,
                              .wait_ms = UINT64_MAX};
    if (!cli__ask(watch->cli, watch->client, &what, &answer))
        return EXIT_INTERRUPTED;
    cli__said_read(&said, &answer);
    *why = answer.why != NULL ? answer.why : "it does not serve yet";
    if (answer.status != 200 || !said.json) {
        watch->node = (watch->node + 1) % client_node_count(watch->client);
        return EXIT_UNAVAILABLE;
    }
    buf_reset(&watch->body);
    buf_append_slice(&watch->body, answer.body);
    return EXIT_OK;
}

/* ---- telling ---- */

static void put_count(struct buf *out, uint64_t count, const char *what)
{
    put_grouped(out, count);
    buf_u8(out, ' ');
    buf_append_slice(out, slice_str(what));
    if (count != 1)
        buf_u8(out, 's');
}

/* "2 transits with 5,461 slots, 1 switched, 6 of 8 members have them" */
static void put_transits(struct slice transits, struct buf *out)
{
    size_t at = 0;
    struct slice transit;
    uint64_t count = 0;
    uint64_t slots = 0;
    uint64_t switched = 0;
    uint64_t members = 0;
    uint64_t filled = 0;
    while (walk_next(transits, &at, &transit)) {
        size_t k = 0;
        struct slice member;
        count++;
        slots += walk_count(transit, "slots");
        switched += walk_is_true(walk_member(transit, "switched"));
        struct slice list = walk_member(transit, "members");
        while (walk_next(list, &k, &member)) {
            members++;
            filled += !slice_equal(walk_text(walk_member(member, "state")), SLICE_LIT("syncing"));
        }
    }
    if (count == 0)
        return;
    buf_append_slice(out, SLICE_LIT("; "));
    put_count(out, slots, "slot");
    buf_append_slice(out, SLICE_LIT(" in "));
    put_count(out, count, "transit");
    buf_append_slice(out, SLICE_LIT(" ("));
    put_grouped(out, switched);
    buf_append_slice(out, SLICE_LIT(" switched), "));
    put_grouped(out, filled);
    buf_append_slice(out, SLICE_LIT(" of "));
    put_count(out, members, "place");
    buf_append_slice(out, SLICE_LIT(" filled"));
}

/* " [####----] 25 %  1,234 of 4,936 keys, 12,345 keys/s, 1 s left, 567 KB of 2.1 MB" */
static void put_keys(const struct watch *watch, struct buf *out)
{
    const struct reshard_keys *keys = &watch->keys;
    if (keys->total == 0)
        return;
    if (watch->cli->err_terminal)
        put_bar(out, keys->done, keys->total);
    else
        buf_append_slice(out, SLICE_LIT("; "));
    put_grouped(out, keys->done);
    buf_append_slice(out, SLICE_LIT(" of "));
    put_count(out, keys->total, "key");
    uint64_t came = keys->done - keys->at_first;
    if (keys->ms > 0) {
        buf_append_slice(out, SLICE_LIT(", "));
        put_grouped(out, came * 1000 / keys->ms);
        buf_append_slice(out, SLICE_LIT(" keys/s"));
    }
    put_time_left(out, came, keys->total - keys->at_first, keys->ms);
    buf_append_slice(out, SLICE_LIT(", "));
    put_bytes(out, keys->done_bytes);
    buf_append_slice(out, SLICE_LIT(" of "));
    put_bytes(out, keys->total_bytes);
}

static void put_line(const struct watch *watch, struct buf *out)
{
    size_t at = 0;
    struct slice address;
    struct slice body = now(watch);
    if (watch->cli->err_terminal && watch->keys.total > 0) /* the bar says the rest */
        buf_append_slice(out, SLICE_LIT("moving"));
    else
        buf_append_slice(out, walk_text(walk_member(body, "phase")));
    put_keys(watch, out);
    put_transits(walk_member(body, "transits"), out);
    if (walk_count(body, "open-terms") > 0) {
        buf_append_slice(out, SLICE_LIT("; "));
        put_count(out, walk_count(body, "open-terms"), "term");
        buf_append_slice(out, SLICE_LIT(" to be closed"));
    }
    while (walk_next(walk_member(body, "waiting-for"), &at, &address)) {
        buf_append_slice(out, SLICE_LIT("; waits for "));
        buf_append_slice(out, walk_text(address));
    }
}

/* A line when there is something new; on a terminal over the last one. */
static void tell(struct watch *watch)
{
    const struct cli *cli = watch->cli;
    struct buf line = BUF_EMPTY;
    put_line(watch, &line);
    size_t columns = cli->err_terminal ? progress_columns(cli) : SIZE_MAX;
    if (line.len >= columns) /* a line that wraps cannot be drawn over */
        line.len = columns - 1;
    if (!slice_equal(buf_slice(&line), buf_slice(&watch->line))) {
        buf_reset(&watch->line);
        buf_append_slice(&watch->line, buf_slice(&line));
        fprintf(cli->err, "%s%.*s%s", cli->err_terminal ? "\r\x1b[K" : "", (int)line.len,
                (const char *)line.ptr, cli->err_terminal ? "" : "\n");
        fflush(cli->err);
    }
    buf_fini(&line);
}

static void wipe(const struct watch *watch)
{
    if (watch->cli->err_terminal && watch->line.len > 0)
        fprintf(watch->cli->err, "\r\x1b[K");
}

static bool moves(const struct watch *watch)
{
    return walk_is_true(walk_member(now(watch), "resharding"));
}

/* It is over: what has come of it? */
static enum exit_status conclude(const struct watch *watch)
{
    const struct cli *cli = watch->cli;
    uint64_t count = walk_count(now(watch), "shard-count");
    /* A shard that came for it may have stayed, without slots, when it was cancelled. */
    bool even = !slice_equal(walk_member(now(watch), "even"), SLICE_LIT("false"));
    bool good = cli->options->cancel || (count == cli->options->shard_count && even);
    if (cli->options->json)
        fprintf(cli->out, "%.*s\n", (int)watch->body.len, (const char *)watch->body.ptr);
    else
        fprintf(cli->out, "%s: %u %s\n",
                cli->options->cancel ? "cancelled, nothing moves"
                : good               ? "resharded"
                                     : "it was cancelled",
                (unsigned)count, count == 1 ? "shard" : "shards");
    return good ? EXIT_OK : EXIT_NOT_WELL;
}

/* Tells until nothing moves and nothing of before is open. */
static enum exit_status follow(struct watch *watch)
{
    const struct cli *cli = watch->cli;
    const char *why = "";
    uint64_t heard_ms = machine_mono_ms();
    while (true) {
        enum exit_status result = look(watch, &why);
        if (result == EXIT_OK)
            heard_ms = machine_mono_ms();
        if (result == EXIT_OK && !moves(watch) && walk_count(now(watch), "open-terms") == 0) {
            wipe(watch);
            return conclude(watch);
        }
        if (result == EXIT_OK) {
            reshard_keys_count(&watch->keys, cli, watch->client, now(watch));
            tell(watch);
        }
        if (result == EXIT_UNAVAILABLE && machine_mono_ms() - heard_ms >= SILENCE_MS) {
            wipe(watch);
            fprintf(cli->err, "thence: no node says how far it is: %s\n", why);
            return EXIT_UNAVAILABLE;
        }
        if (result != EXIT_INTERRUPTED && *cli->stop == 0)
            client_poll(watch->client, LOOK_MS);
        if (*cli->stop > 0) {
            wipe(watch);
            fprintf(cli->err, "thence: interrupted; it goes on: the same command shows how far it "
                              "is, --cancel stops it\n");
            return EXIT_INTERRUPTED;
        }
    }
}

/* ---- before ---- */

/* All that is more than an even share of the `wanted` shards that have most: they stay, and the
 * largest have the one slot more. */
static uint64_t least_to_move(const struct status *status, uint32_t wanted)
{
    uint64_t moved = 0;
    for (uint32_t i = 0; i < status->shard_count; i++) {
        uint64_t slots = status->shards[i].slots;
        uint32_t larger = 0;
        for (uint32_t k = 0; k < status->shard_count; k++)
            larger +=
                status->shards[k].slots > slots || (status->shards[k].slots == slots && k < i);
        uint64_t share = LIMIT_SLOTS / wanted + (larger < LIMIT_SLOTS % wanted ? 1 : 0);
        uint64_t kept = larger >= wanted ? 0 : slots < share ? slots : share;
        moved += slots - kept;
    }
    return moved;
}

struct head_count {
    uint32_t members; /* that have shown up */
    uint32_t spares;  /* of these */
    uint32_t silent;  /* of these */
};

static void count_heads(struct status *status, struct head_count *heads)
{
    size_t at = 0;
    struct slice member;
    *heads = (struct head_count){0};
    while (walk_next(status->members, &at, &member)) {
        struct slice state = walk_text(walk_member(member, "state"));
        if (slice_equal(state, SLICE_LIT("invited")))
            continue;
        const struct status_node *node =
            cli__status_node(status, walk_text(walk_member(member, "node-id")),
                             walk_text(walk_member(member, "address")));
        heads->members++;
        heads->spares += slice_equal(state, SLICE_LIT("spare"));
        heads->silent += node == NULL || !node->answered;
    }
}

static void preview(const struct cli *cli, struct status *status, uint64_t least)
{
    FILE *out = out_of(cli);
    uint32_t wanted = cli->options->shard_count;
    struct head_count heads;
    count_heads(status, &heads);
    for (uint32_t i = 0; i < status->shard_count; i++) {
        struct slice id = status->shards[i].id;
        fprintf(out, "  shard %.*s: %llu slots\n", (int)id.len, (const char *)id.ptr,
                (unsigned long long)status->shards[i].slots);
    }
    uint32_t each = heads.members / wanted;
    fprintf(out, "  then %u %s of about %u slots and %u", wanted, wanted == 1 ? "shard" : "shards",
            LIMIT_SLOTS / wanted, each);
    if (heads.members % wanted != 0)
        fprintf(out, " or %u", each + 1);
    fprintf(out, " members each (%u nodes, %u of them spare now)\n", heads.members, heads.spares);
    if (least > 0)
        fprintf(out, "  at least %llu of %u slots move with their keys\n",
                (unsigned long long)least, LIMIT_SLOTS);
    else
        fprintf(out, "  no slot has to move\n");
    if (heads.members < 2 * wanted)
        fprintf(out, "  fewer than two members a shard: this will be refused\n");
    if (heads.silent > 0)
        fprintf(out, "  %u %s not answer: while one of a shard is not there it is refused\n",
                heads.silent, heads.silent == 1 ? "node does" : "nodes do");
    fflush(out);
}

/* ---- the request ---- */

static void say_unknown(const struct cli *cli, const char *why)
{
    if (cli->options->cancel)
        fprintf(cli->err, "thence: %snot known whether it is cancelled; once more shows it\n", why);
    else
        fprintf(cli->err, "thence: %snot known whether it has begun; thence reshard %u shows it\n",
                why, cli->options->shard_count);
}

static void print_failure(const struct cli *cli, const struct client_answer *answer,
                          const struct said *said)
{
    struct buf error = BUF_EMPTY;
    cli__said_put(said, SAID_ERROR, &error);
    if (answer->status != 0)
        fprintf(cli->err, "thence: answered %d: %.*s\n", answer->status, (int)error.len,
                error.len > 0 ? (const char *)error.ptr : "");
    else
        fprintf(cli->err, "thence: %s\n", answer->why);
    if (answer->outcome == CLIENT_UNKNOWN)
        say_unknown(cli, "");
    buf_fini(&error);
}

static enum exit_status send_request(const struct watch *watch)
{
    const struct cli *cli = watch->cli;
    struct client_answer answer;
    struct said said;
    struct buf body = BUF_EMPTY;
    buf_u8(&body, '{');
    if (!cli->options->cancel)
        json_put_number(&body, SLICE_LIT("shard-count"), cli->options->shard_count);
    buf_u8(&body, '}');
    struct client_ask what = {.verb = cli->options->cancel ? CLIENT_DELETE : CLIENT_PUT,
                              .target = SLICE_LIT("/shard/reshard"),
                              .body = buf_slice(&body),
                              .node = watch->node,
                              .pinned = true,
                              .avoid = CLIENT_ANY,
                              .wait_ms = BEGIN_MS,
                              .async = !cli->options->cancel};
    bool answered = cli__ask(cli, watch->client, &what, &answer);
    buf_fini(&body);
    if (!answered) {
        say_unknown(cli, "interrupted; ");
        return EXIT_INTERRUPTED;
    }
    cli__said_read(&said, &answer);
    enum exit_status status = cli__said_status(&answer);
    if (status != EXIT_OK)
        print_failure(cli, &answer, &said);
    return status == EXIT_NOT_WELL ? EXIT_REFUSED : status;
}

/* ---- the command ---- */

/* EXIT_OK: nothing stands against asking for it, or *begun: it is under way. */
static enum exit_status prepare(struct watch *watch, struct status *status, bool *begun)
{
    const struct cli *cli = watch->cli;
    const char *why = "";
    enum exit_status result = look(watch, &why);
    if (result == EXIT_UNAVAILABLE)
        fprintf(cli->err, "thence: no node says whether slots move: %s\n", why);
    if (result != EXIT_OK || cli->options->cancel)
        return result;
    uint64_t wanted = walk_count(now(watch), "wanted");
    *begun = moves(watch) && wanted == cli->options->shard_count;
    if (moves(watch) && !*begun) {
        fprintf(cli->err, "thence: slots are moving already: to %llu shards; wait, or --cancel\n",
                (unsigned long long)(wanted != 0 ? wanted : walk_count(now(watch), "shard-count")));
        return EXIT_REFUSED;
    }
    if (*begun) {
        fprintf(out_of(cli), "  it is under way already\n");
        return EXIT_OK;
    }
    uint64_t least = least_to_move(status, cli->options->shard_count);
    preview(cli, status, least);
    bool is_so = least == 0 && status->shard_count == cli->options->shard_count;
    return is_so ? EXIT_OK : cli__confirm(cli, "this moves keys between nodes");
}

/* The client's number of a member that knows the newest configuration. */
static uint32_t choose_node(const struct status *status)
{
    const char *address = client_node_address(status->client, 0);
    for (uint32_t i = status->node_count; i > 0; i--) {
        const struct status_node *node = &status->nodes[i - 1];
        if (node->answered && node->named.len > 0 && node->epoch == status->epoch)
            address = node->address;
    }
    uint32_t index = 0; /* rows may have moved up */
    while (client_node_address(status->client, index) != address)
        index++;
    return index;
}

static enum exit_status run(const struct cli *cli, struct status *status, void *arg)
{
    (void)arg;
    bool begun = false;
    struct watch watch = {.cli = cli, .client = status->client, .node = choose_node(status)};
    enum exit_status result = prepare(&watch, status, &begun);
    if (result == EXIT_OK && !begun)
        result = send_request(&watch);
    if (result == EXIT_OK)
        result = follow(&watch);
    buf_fini(&watch.body);
    buf_fini(&watch.line);
    return result;
}

enum exit_status cli_reshard(const struct cli *cli)
{
    return cli__with_members(cli, run, NULL);
}
