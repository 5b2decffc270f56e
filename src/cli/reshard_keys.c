/* reshard_keys - how many keys are where they are to be.
 *
 * Does:   see reshard_keys.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    reshard_keys.h.
 */
#include "cli/reshard_keys.h"

#include "cli/said.h"
#include "cli/walk.h"
#include "sys/sys.h"

#define AGAIN_MS 1000U /* every node is asked: not at every look */

/* Slots on their way, from one shard into another. */
struct way {
    struct slice from;
    struct slice into;
    uint64_t takers;      /* members that shall have them */
    uint64_t keys;        /* that anybody has of them */
    uint64_t there;       /* that the takers have, together */
    uint64_t bytes;       /* that anybody has of them */
    uint64_t bytes_there; /* that the takers have, together */
};

static uint64_t most_of(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static uint64_t least_of(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint32_t read_ways(struct slice body, struct way ways[LIMIT_TRANSITS])
{
    size_t at = 0;
    struct slice transit;
    uint32_t count = 0;
    while (count < LIMIT_TRANSITS && walk_next(walk_member(body, "transits"), &at, &transit))
        ways[count++] = (struct way){.from = walk_text(walk_member(transit, "from")),
                                     .into = walk_text(walk_member(transit, "into")),
                                     .takers = walk_count(transit, "takers")};
    return count;
}

/* What one node says of the same ways. */
static void add(struct slice body, struct way *ways, uint32_t count)
{
    size_t at = 0;
    struct slice transit;
    while (walk_next(walk_member(body, "transits"), &at, &transit)) {
        uint32_t i = 0;
        while (i < count && !(slice_equal(ways[i].from, walk_text(walk_member(transit, "from"))) &&
                              slice_equal(ways[i].into, walk_text(walk_member(transit, "into")))))
            i++;
        if (i == count)
            continue;
        uint64_t keys = walk_count(transit, "keys");
        uint64_t bytes = walk_count(transit, "bytes");
        bool takes = walk_is_true(walk_member(transit, "takes"));
        ways[i].keys = most_of(keys, ways[i].keys);
        ways[i].bytes = most_of(bytes, ways[i].bytes);
        ways[i].there += takes ? keys : 0;
        ways[i].bytes_there += takes ? bytes : 0;
    }
}

/* False: it does not answer, or Ctrl-C. */
static bool look(const struct cli *cli, struct client *client, uint32_t node,
                 struct client_answer *answer)
{
    struct client_ask what = {.verb = CLIENT_GET,
                              .target = SLICE_LIT("/shard/reshard"),
                              .node = node,
                              .pinned = true,
                              .avoid = CLIENT_ANY,
                              .wait_ms = UINT64_MAX};
    return cli__ask(cli, client, &what, answer) && answer->status == 200;
}

void reshard_keys_count(struct reshard_keys *keys, const struct cli *cli, struct client *client,
                        struct slice body)
{
    struct way ways[LIMIT_TRANSITS];
    uint64_t takers = 0;
    uint32_t count = read_ways(body, ways);
    for (uint32_t i = 0; i < count; i++)
        takers += ways[i].takers;
    if (takers == 0 || machine_mono_ms() < keys->next_ms)
        return;
    for (uint32_t node = 0; node < client_node_count(client) && *cli->stop == 0; node++) {
        struct client_answer answer;
        if ((keys->silent >> node & 1U) != 0)
            continue;
        if (look(cli, client, node, &answer))
            add(answer.body, ways, count);
        else
            keys->silent |= UINT64_C(1) << node;
    }
    uint64_t before = keys->done;
    keys->done = keys->total = keys->done_bytes = keys->total_bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t all = ways[i].keys * ways[i].takers;
        uint64_t all_bytes = ways[i].bytes * ways[i].takers;
        keys->total += all;
        keys->done += least_of(ways[i].there, all);
        keys->total_bytes += all_bytes;
        keys->done_bytes += least_of(ways[i].bytes_there, all_bytes);
    }
    uint64_t now_ms = machine_mono_ms();
    keys->next_ms = now_ms + AGAIN_MS;
    if (keys->since_ms == 0 || keys->done < keys->at_first) { /* others are on their way now */
        keys->since_ms = now_ms;
        keys->at_first = keys->done;
    }
    if (keys->done != before) /* when all are there the time stands */
        keys->ms = now_ms - keys->since_ms;
}
