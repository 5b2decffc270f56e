/* status - a cluster at a glance.
 *
 * Does:   asks: /cluster of the nodes given, then of the members that these name, then all of them
 *         for key counts.
 * Not:    drawing: status_print.c.
 * Holds:  T1.
 * Limits: -
 * See:    status.h.
 */
#define _GNU_SOURCE
#include "cli/status.h"

#include "cli/walk.h"
#include "http/http.h"

#define ASK_MS_MAX 2000U /* for what a change of members has to know first, from each node */

/* One GET of one node; tag tells the answers apart. */
static void ask(struct status *status, uint32_t node, struct slice target, uint64_t tag)
{
    struct client_ask what = {.verb = CLIENT_GET,
                              .target = target,
                              .node = node,
                              .pinned = true,
                              .avoid = CLIENT_ANY,
                              .wait_ms = UINT64_MAX,
                              .tag = tag};
    client_start(status->client, &what);
}

/* False: Ctrl-C. */
static bool next_answer(const struct cli *cli, struct status *status, struct client_answer *answer)
{
    while (!client_take(status->client, answer)) {
        if (*cli->stop > 0 || client_under_way(status->client) == 0)
            return false;
        client_poll(status->client, 200);
    }
    return true;
}

/* ---- /cluster ---- */

static void take_cluster(struct status_node *node, const struct client_answer *answer)
{
    struct json_value whole;
    struct json_error error;
    node->why = answer->why != NULL ? answer->why : "it does not answer like a node";
    if (answer->outcome != CLIENT_ANSWERED || answer->status != 200)
        return;
    buf_append_slice(&node->body, answer->body);
    if (!json_scan(buf_slice(&node->body), &whole, &error) || whole.type != JSON_OBJECT)
        return;
    node->answered = true;
    node->why = NULL;
    node->id = walk_text(walk_member(whole.raw, "node-id"));
    node->phase = walk_text(walk_member(whole.raw, "phase"));
    node->reason = walk_text(walk_member(whole.raw, "why"));
    node->metrics = walk_member(whole.raw, "metrics");
    node->epoch = walk_count(whole.raw, "epoch");
}

/* Asks the nodes from `from` on. False: Ctrl-C. */
static bool ask_clusters(const struct cli *cli, struct status *status, uint32_t from)
{
    struct client_answer answer;
    for (uint32_t i = from; i < status->node_count; i++)
        ask(status, i, SLICE_LIT("/cluster"), i);
    while (client_under_way(status->client) > 0) {
        if (!next_answer(cli, status, &answer))
            return false;
        take_cluster(&status->nodes[answer.tag], &answer);
    }
    return true;
}

static void find_newest(struct status *status)
{
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        if (!node->answered || node->epoch == 0)
            continue;
        struct slice body = buf_slice(&node->body);
        struct slice lineage = walk_text(walk_member(body, "lineage"));
        if (status->lineage.len > 0 && !slice_equal(lineage, status->lineage))
            status->lineages_differ = true;
        if (node->epoch <= status->epoch)
            continue;
        status->epoch = node->epoch;
        status->lineage = lineage;
        status->members = walk_member(body, "members");
    }
}

struct status_node *cli__status_node(struct status *status, struct slice id, struct slice address)
{
    for (uint32_t i = 0; i < status->node_count; i++)
        if (status->nodes[i].answered && slice_equal(status->nodes[i].id, id))
            return &status->nodes[i];
    for (uint32_t i = 0; i < status->node_count; i++)
        if (!status->nodes[i].answered && slice_equal(slice_str(status->nodes[i].address), address))
            return &status->nodes[i];
    return NULL;
}

/* Members that nobody named on the command line. */
static void add_members(struct status *status)
{
    size_t at = 0;
    struct slice member;
    while (walk_next(status->members, &at, &member)) {
        char name[LIMIT_ADDRESS_BYTES + 1];
        struct slice address = walk_text(walk_member(member, "address"));
        struct slice id = walk_text(walk_member(member, "node-id"));
        struct buf why = BUF_EMPTY;
        uint32_t index;
        if (cli__status_node(status, id, address) != NULL || address.len >= sizeof(name) ||
            status->node_count == CLIENT_NODES_MAX)
            continue;
        memcpy(name, address.ptr, address.len);
        name[address.len] = '\0';
        if (client_add_node(status->client, name, &index, &why)) {
            status->nodes[index].address = client_node_address(status->client, index);
            status->node_count = index + 1;
        }
        buf_fini(&why);
    }
}

/* The same node under two addresses: the second one goes. */
static void drop_doubles(struct status *status)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < status->node_count; i++) {
        bool twice = false;
        for (uint32_t k = 0; k < kept && status->nodes[i].answered; k++)
            twice = twice || (status->nodes[k].answered &&
                              slice_equal(status->nodes[k].id, status->nodes[i].id));
        if (twice) {
            buf_fini(&status->nodes[i].body);
            continue;
        }
        struct status_node node = status->nodes[i];
        status->nodes[kept++] = node;
    }
    /* What is above was moved down, or freed. */
    memset(status->nodes + kept, 0, (status->node_count - kept) * sizeof(*status->nodes));
    status->node_count = kept;
}

/* ---- What follows from it ---- */

/* What the newest configuration says of each node. */
static void take_members(struct status *status)
{
    size_t at = 0;
    struct slice member;
    while (walk_next(status->members, &at, &member)) {
        struct slice address = walk_text(walk_member(member, "address"));
        struct slice id = walk_text(walk_member(member, "node-id"));
        struct status_node *node = cli__status_node(status, id, address);
        if (node == NULL)
            continue;
        node->named = address;
        node->shard = walk_text(walk_member(member, "shard"));
        node->id = id;
    }
}

/* What one node says of the others. */
static void take_opinions(struct status *status, const struct status_node *judge)
{
    size_t at = 0;
    struct slice members = walk_member(buf_slice(&judge->body), "members");
    struct slice member;
    while (walk_next(members, &at, &member)) {
        struct slice id = walk_text(walk_member(member, "node-id"));
        struct slice address = walk_text(walk_member(member, "address"));
        struct status_node *node = cli__status_node(status, id, address);
        if (node == NULL || node == judge)
            continue;
        struct slice alive = walk_member(member, "alive");
        node->suspected_by += alive.len > 0 && !walk_is_true(alive);
        if (!slice_equal(node->shard, judge->shard))
            continue;
        uint64_t behind = walk_count(member, "behind-by");
        node->behind_known = true;
        node->behind = behind > node->behind ? behind : node->behind;
    }
}

static void take_shards(struct status *status)
{
    size_t at = 0;
    struct slice row;
    struct slice newest = SLICE_EMPTY;
    for (uint32_t i = 0; i < status->node_count; i++)
        if (status->nodes[i].answered && status->nodes[i].epoch == status->epoch)
            newest = buf_slice(&status->nodes[i].body);
    status->transits = walk_member(newest, "transits");
    status->lost = walk_member(newest, "lost");
    struct slice shards = walk_member(newest, "shards");
    while (walk_next(shards, &at, &row) && status->shard_count < LIMIT_SHARDS) {
        struct status_shard *shard = &status->shards[status->shard_count++];
        *shard = (struct status_shard){.id = walk_text(walk_member(row, "id")),
                                       .slots = walk_count(row, "slots"),
                                       .degraded = walk_is_true(walk_member(row, "degraded")),
                                       .keys_least = UINT64_MAX};
    }
}

/* ---- Key counts ---- */

static void note_count(struct status *status, const struct client_answer *answer)
{
    struct status_node *node = &status->nodes[answer->tag / LIMIT_SHARDS];
    struct status_shard *shard = &status->shards[answer->tag % LIMIT_SHARDS];
    uint64_t keys;
    if (answer->outcome != CLIENT_ANSWERED || answer->status != 200 ||
        !walk_number(walk_member(answer->body, "shard-key-count"), &keys))
        return;
    node->keys[answer->tag % LIMIT_SHARDS] = keys;
    shard->counted = true;
    shard->keys_least = keys < shard->keys_least ? keys : shard->keys_least;
    shard->keys_most = keys > shard->keys_most ? keys : shard->keys_most;
}

static bool ask_counts(const struct cli *cli, struct status *status)
{
    struct client_answer answer;
    for (uint32_t i = 0; i < status->node_count; i++) {
        for (uint32_t k = 0; k < LIMIT_SHARDS; k++)
            status->nodes[i].keys[k] = UINT64_MAX;
        for (uint32_t k = 0; k < status->shard_count && status->nodes[i].answered; k++) {
            struct buf target = BUF_EMPTY;
            uint32_t index = 0; /* of the client: rows may have moved up */
            while (client_node_address(status->client, index) != status->nodes[i].address)
                index++;
            buf_append_slice(&target, SLICE_LIT("/shard/key-count/"));
            buf_append_slice(&target, status->shards[k].id);
            ask(status, index, buf_slice(&target), (uint64_t)i * LIMIT_SHARDS + k);
            buf_fini(&target);
        }
    }
    while (client_under_way(status->client) > 0) {
        if (!next_answer(cli, status, &answer))
            return false;
        note_count(status, &answer);
    }
    return true;
}

/* A member whose address is answered by somebody else (its data is gone) is one all the same. */
static void count_members(struct status *status)
{
    size_t at = 0;
    struct slice member;
    while (walk_next(status->members, &at, &member))
        for (uint32_t k = 0; k < status->shard_count; k++)
            status->shards[k].members +=
                slice_equal(walk_text(walk_member(member, "shard")), status->shards[k].id);
}

static void sum_up(struct status *status)
{
    count_members(status);
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        bool serves = node->answered && (slice_equal(node->phase, SLICE_LIT("serving")) ||
                                         slice_equal(node->phase, SLICE_LIT("spare")));
        status->answering += node->answered;
        status->serving += serves;
        for (uint32_t k = 0; k < status->shard_count; k++) {
            bool member = slice_equal(node->shard, status->shards[k].id);
            status->shards[k].serving += member && serves;
        }
    }
    for (uint32_t k = 0; k < status->shard_count; k++) {
        if (!status->shards[k].counted)
            status->shards[k].keys_least = 0;
        if (status->shards[k].keys_least != status->shards[k].keys_most)
            status->counts_differ = true;
    }
}

static struct status *status_new(const struct cli *cli)
{
    struct client_options how;
    client_options_init(&how);
    how.attempt_ms_max =
        cli->options->timeout_ms < ASK_MS_MAX || cli->options->command == CLI_STATUS
            ? cli->options->timeout_ms
            : ASK_MS_MAX;
    how.connect_ms_max = how.attempt_ms_max;
    how.retries_max = 0;
    struct status *status = mem_zalloc(1, sizeof(*status));
    status->client = cli__client_new(cli, &how);
    return status;
}

/* False: Ctrl-C. */
static bool gather(const struct cli *cli, struct status *status)
{
    status->node_count = client_node_count(status->client);
    uint32_t given = status->node_count;
    for (uint32_t i = 0; i < given; i++)
        status->nodes[i].address = client_node_address(status->client, i);
    if (!ask_clusters(cli, status, 0))
        return false;
    find_newest(status);
    add_members(status);
    if (!ask_clusters(cli, status, given))
        return false;
    drop_doubles(status);
    status->epoch = 0; /* what was the newest may be newer now, or a double that went */
    find_newest(status);
    take_members(status);
    for (uint32_t i = 0; i < status->node_count; i++)
        if (status->nodes[i].answered)
            take_opinions(status, &status->nodes[i]);
    take_shards(status);
    return true;
}

static void status_free(struct status *status)
{
    for (uint32_t i = 0; i < CLIENT_NODES_MAX; i++)
        buf_fini(&status->nodes[i].body);
    client_free(status->client);
    mem_free(status);
}

/* Asks the nodes given, then the members that these name. NULL: *failed is the exit status, and
 * the complaint was made. The caller frees. */
static struct status *status_gather(const struct cli *cli, enum exit_status *failed)
{
    struct status *status = status_new(cli);
    *failed = EXIT_USAGE;
    if (status->client != NULL && gather(cli, status))
        return status;
    if (status->client != NULL)
        *failed = EXIT_INTERRUPTED;
    status_free(status);
    return NULL;
}

/* Somebody knows a configuration; false after a complaint. */
static bool is_usable(const struct cli *cli, const struct status *status)
{
    if (status->epoch > 0)
        return true;
    for (uint32_t i = 0; i < status->node_count; i++) {
        const struct status_node *node = &status->nodes[i];
        struct slice why = node->why != NULL ? slice_str(node->why) : node->reason;
        fprintf(cli->err, "thence: %s: %.*s\n", node->address, (int)why.len, (const char *)why.ptr);
    }
    fprintf(cli->err, "thence: no node says who the members are\n");
    return false;
}

enum exit_status cli__with_members(const struct cli *cli, cli_work work, void *arg)
{
    enum exit_status result;
    struct status *status = status_gather(cli, &result);
    if (status == NULL)
        return result;
    result = is_usable(cli, status) ? work(cli, status, arg) : EXIT_UNAVAILABLE;
    status_free(status);
    return result;
}

enum exit_status cli_status(const struct cli *cli)
{
    enum exit_status result;
    struct status *status = status_gather(cli, &result);
    if (status == NULL)
        return result;
    if (!ask_counts(cli, status)) {
        status_free(status);
        return EXIT_INTERRUPTED;
    }
    sum_up(status);
    if (cli->options->json)
        cli__status_print_json(cli, status);
    else
        cli__status_print(cli, status);
    result = status->answering == 0        ? EXIT_UNAVAILABLE
             : cli__status_is_well(status) ? EXIT_OK
                                           : EXIT_NOT_WELL;
    status_free(status);
    return result;
}
