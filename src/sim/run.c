/* run - one seed from its first start to its verdict.
 *
 * Does:   see run.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    run.h.
 */
#include "sim/run.h"

#include "sim/client.h"
#include "sim/fault.h"
#include "sim/judge.h"
#include "sim/nemesis.h"
#include "sim/people.h"
#include "sim/tell.h"

/* A last read is answered at once, or never. */
#define FINAL_US_MAX 5000000U

#define CATCH_UP_US_MAX 20000000U

/* In one seed of so many all directories are restored from copies in the end. */
#define RESTORE_ALL_ONE_IN 8U

/* What an operator asks for at rest takes a few round trips. */
#define ERRAND_US_MAX 9000000U

static bool goes_on(const struct world *world)
{
    return !world->verdict.bad && !world->ended;
}

static void run_until(struct world *world, uint64_t at_us)
{
    while (goes_on(world) && world->time.now_us < at_us && world_next(world)) {}
}

static void run_for(struct world *world, uint64_t us)
{
    run_until(world, world->time.now_us + us);
}

/* How long a healed cluster may take for what, at most, some rounds of each timer take. */
static uint64_t patience_us(const struct world *world)
{
    const struct knobs *knobs = &world->swarm.knobs;
    uint64_t ms = 4 * knobs->suspect_ms + 4 * knobs->redial_ms + 10 * knobs->pull_ms +
                  10 * knobs->gossip_ms + 20 * knobs->heartbeat_ms;
    return ms * 1000 + 3000000 + world->net.user_timeout_us / 4;
}

/* How long who comes back too often is made to wait at most (6.3, T37). */
static uint64_t pause_us(const struct world *world)
{
    uint64_t longest_ms = 0;
    for (uint32_t i = 0; world->config != NULL && i < world->config->member_count; i++) {
        const struct member *member = &world->config->members[i];
        uint64_t pause_ms = member_pause_ms(member, member->returned_ms);
        longest_ms = pause_ms > longest_ms ? pause_ms : longest_ms;
    }
    return longest_ms * 1000;
}

/* How long who is away may take to come back: an epoch for its new actor, a walk, an epoch for its
 * being active (6.3), each of which may lose against another; and two more for each actor that has
 * ended (6.5), in each of which it waits for its turn. */
static uint64_t return_us(const struct world *world)
{
    return judge_somebody_away(world) ? 10000000 + 2 * patience_us(world) + pause_us(world) : 0;
}

/* Until the calls from first to before last are over, or for so long. */
static void run_calls(struct world *world, uint64_t first, uint64_t last, uint64_t us)
{
    uint64_t end = world->time.now_us + us;
    for (uint64_t i = first; i < last; i++) {
        while (goes_on(world) && world->time.now_us < end &&
               client_call(world->client, i)->state != CALL_DONE && world_next(world)) {}
    }
}

/* Until it is so, or for as long as it may take: what is judged next judges that, too. */
static void run_till(struct world *world, bool (*is_so)(const struct world *world))
{
    uint64_t end = world->time.now_us + patience_us(world) + return_us(world);
    while (goes_on(world) && world->time.now_us < end && !is_so(world))
        run_for(world, 100000);
}

/* Everybody who is not lost is asked for something by clients that have seen nothing: the first
 * call that was not answered as it should be, or NULL. */
static const struct call *ask_all(struct world *world)
{
    uint64_t first = world->client->call_count;
    uint64_t patience = 5000000 + 2000 * world->swarm.knobs.suspect_ms;
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint32_t key = (uint32_t)rng_below(&world->rng, world->oracle.key_count);
        client_probe(world->client, i, OP_GET, key, CLIENT_NOBODY, 0, patience);
        client_probe(world->client, i, OP_PUT, key, CLIENT_NOBODY, 0, patience);
    }
    uint64_t last = world->client->call_count;
    run_calls(world, first, last, patience + 100000);
    for (uint64_t i = first; i < last; i++) {
        const struct call *call = client_call(world->client, i);
        bool full = call->err == E_MEMORY_FULL || call->err == E_DISK_FULL || call->err == E_BUSY;
        if (call->probe && !client_call_good(call) && (call->lost || !full))
            return call;
    }
    return NULL;
}

/* Everybody must be able to serve, after so long at the latest. */
static void judge_service(struct world *world, const char *when, uint64_t bound_us)
{
    uint64_t begin = world->time.now_us;
    const struct call *failed = ask_all(world);
    while (goes_on(world) && failed != NULL && world->time.now_us < begin + bound_us) {
        run_for(world, 100000);
        failed = ask_all(world);
    }
    if (goes_on(world) && failed != NULL)
        verdict_late(&world->verdict, "I9",
                     "%s, %llu ms long, node %u did not answer a %s of a new client: %s", when,
                     (unsigned long long)(world->time.now_us - begin) / 1000, failed->asked.node,
                     failed->asked.op == OP_PUT ? "write" : "read",
                     failed->lost      ? "silence"
                     : failed->refused ? "refused"
                                       : err_name(failed->err));
}

/* Where storms left the clients little time they catch up, in a world that is whole again. */
static void catch_up(struct world *world)
{
    const struct client *client = world->client;
    uint64_t end = world->time.now_us + CATCH_UP_US_MAX;
    while (
        goes_on(world) && world->time.now_us < end && client->begun < world->swarm.ops_max &&
        (client->ops < RUN_OPS_LEAST || client->answered * 100 < client->ops * RUN_ANSWERED_LEAST))
        run_for(world, 100000);
}

static void await_idle(struct world *world)
{
    client_stop(world->client);
    uint64_t end = world->time.now_us + 12 * world->swarm.client_timeout_us;
    while (goes_on(world) && world->time.now_us < end &&
           !(client_idle(world->client) && people_are_answered(world)))
        run_for(world, 50000);
    if (goes_on(world) && !client_idle(world->client))
        verdict_say(&world->verdict, "SIM", "clients do not come to rest");
}

static void await_convergence(struct world *world)
{
    char why[256] = "";
    uint64_t begin = world->time.now_us;
    uint64_t end = begin + 20000000 + 2 * patience_us(world);
    while (goes_on(world) && world->time.now_us < end) {
        if (judge_converged(world, why)) {
            char span[STORY_SPAN_BYTES];
            story_say(&world->story, UINT32_MAX, "replicas agree after %s",
                      story_span(world->time.now_us - begin, span));
            return;
        }
        run_for(world, 100000);
    }
    verdict_late(&world->verdict, "I4", "%llu s after the last write replicas do not agree: %s",
                 (unsigned long long)((world->time.now_us - begin) / 1000000), why);
}

/* At rest, tokens come back empty (I7). */
static void judge_rest(struct world *world)
{
    run_till(world, judge_stable);
    uint64_t first = world->client->call_count;
    for (uint32_t i = 0; i < world->client->session_count; i++) {
        uint32_t key = (uint32_t)rng_below(&world->rng, world->oracle.key_count);
        uint32_t node = (uint32_t)rng_below(&world->rng, world->node_count);
        client_probe(world->client, node, OP_GET, key, i, 0, 5000000);
    }
    uint64_t last = world->client->call_count;
    run_calls(world, first, last, 5100000);
    for (uint64_t i = first; i < last && goes_on(world); i++) {
        const struct call *call = client_call(world->client, i);
        if (!client_call_good(call)) {
            verdict_say(&world->verdict, "I9", "at rest node %u did not answer a read: %s",
                        call->asked.node, call->lost ? "silence" : err_name(call->err));
            return;
        }
        uint32_t entries = UINT32_MAX;
        if (call->answer != NULL)
            entries = judge_token_entries(world, slice_of(call->answer->text, call->answer->len));
        if (entries != 0)
            verdict_say(&world->verdict, "I7", "at rest node %u gave a token of %d entries",
                        call->asked.node, (int)entries);
    }
}

static void judge_counts(struct world *world)
{
    uint64_t first = world->client->call_count;
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t shard = 0; shard < config_lasting_shards(world->config); shard++)
            client_probe(world->client, i, OP_COUNT, world->config->shards[shard].id, CLIENT_NOBODY,
                         0, 5000000);
    }
    uint64_t last = world->client->call_count;
    run_calls(world, first, last, 5100000);
    for (uint64_t i = first; i < last && goes_on(world); i++) {
        const struct call *call = client_call(world->client, i);
        uint64_t expected = judge_count(world, config_shard_by_id(world->config, call->asked.key));
        if (!client_call_good(call) || call->count != expected)
            verdict_say(&world->verdict, "I4",
                        "at rest node %u counts %llu keys in shard %u; there are %llu (%s)",
                        call->asked.node, (unsigned long long)call->count, call->asked.key,
                        (unsigned long long)expected, call->lost ? "silence" : err_name(call->err));
    }
}

/* What somebody wanted before the last fault, and some acceptor has accepted, is decided by whoever
 * proposes next (6.1): a removal, perhaps. */
static void finish_wishes(struct world *world, uint32_t node)
{
    if (!node_propose_touch(world->nodes[node].node))
        return;
    world->nodes[node].turn_wanted = true;
    world_wake(world, node, 0);
    run_for(world, FINAL_US_MAX);
    run_till(world, judge_settled);
    if (goes_on(world))
        await_convergence(world);
}

/* Nothing is in the way of what operators ask for. */
static void judge_people(struct world *world)
{
    uint32_t node = (uint32_t)rng_below(&world->rng, world->node_count);
    struct errand errand;
    finish_wishes(world, node);
    for (uint32_t i = 0; goes_on(world) && people_errand(world, node, i, &errand); i++) {
        uint64_t number = client_operate(world->client, node, &errand.wish, PEOPLE_US_MAX);
        const struct call *call = client_call(world->client, number);
        run_calls(world, number, number + 1, ERRAND_US_MAX);
        if (goes_on(world) && (call->state != CALL_DONE || call->lost || call->err != errand.err ||
                               call->outcome != errand.outcome))
            verdict_late(&world->verdict, "P2",
                         "at rest node %u was asked for change %u of %s and answers %s, not %s",
                         node, (unsigned)errand.wish.op, errand.wish.addresses,
                         call->state != CALL_DONE || call->lost ? "nothing" : err_name(call->err),
                         err_name(errand.err));
    }
}

/* The last fault: everybody at once. With synced commits the machines, else the processes. */
static void end_all(struct world *world)
{
    bool machines = world->swarm.knobs.durability == 1;
    story_say(&world->story, UINT32_MAX, "everybody ends at once");
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (machines) {
            world_power_cut(world, i);
            vnet_boot(&world->net, i);
        } else {
            world_crash(world, i);
        }
        world_start_later(world, i, rng_below(&world->rng, 1000000));
    }
    run_for(world, 1000000);
}

/* ---- Nobody remembers ---- */

#define ANEW_WAIT_US 31000000U

/* One operator or more, each through a node of his choice. */
static void ask_to_begin_anew(struct world *world)
{
    uint64_t first = world->client->call_count;
    struct wish wish = {.op = OP_RECOVER, .addresses = "", .force = true};
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint32_t asked = (uint32_t)rng_below(&world->rng, world->node_count);
        if (world->nodes[asked].node != NULL)
            client_operate(world->client, asked, &wish, ANEW_WAIT_US);
        if (rng_chance(&world->rng, 2, 3))
            break;
    }
    run_calls(world, first, world->client->call_count, ANEW_WAIT_US);
}

/* Actors have written of which nobody knows any more: their history was forgotten to where they had
 * not been given out, and the next one gives them out again. A write is named within a history
 * (6.6); here (actor, seq) is all of its name (seed 5218). */
static bool names_come_again(const struct world *world)
{
    uint32_t actor = judge_newest_known(world)->next_actor;
    while (actor < ORACLE_ACTORS_MAX && world->oracle.actors[actor].last == 0)
        actor++;
    return actor < ORACLE_ACTORS_MAX;
}

/* All members have forgotten who belongs to the cluster, or do not trust their logs: nothing
 * happens by itself, and people make a new history of what is there (6.6). */
static void people_begin_anew(struct world *world)
{
    if (!goes_on(world) || !judge_nobody_remembers(world))
        return;
    story_say(&world->story, UINT32_MAX, "nobody remembers who they are");
    world->ended = names_come_again(world);
    if (world->ended) {
        story_say(&world->story, UINT32_MAX, "nobody knows of writes that were: this is the end");
        return;
    }
    if (terms_forgotten(world, judge_newest_known(world)))
        for (uint32_t i = 0; i < world->client->session_count; i++)
            client_forget(world->client, i); /* of a fork that nobody knows they would wait (6.6) */
    uint64_t end = world->time.now_us + 2 * ANEW_WAIT_US;
    while (goes_on(world) && judge_nobody_remembers(world) && world->time.now_us < end) {
        ask_to_begin_anew(world);
        run_for(world, 100000);
    }
    if (goes_on(world) && judge_nobody_remembers(world))
        verdict_late(&world->verdict, "I9",
                     "nobody remembers who belongs to the cluster, and people cannot begin anew");
    run_till(world, judge_settled);
}

/* One of the shard that serves, any of them; or node_count. */
static uint32_t pick_of_shard(struct world *world, uint32_t shard)
{
    uint32_t first = (uint32_t)rng_below(&world->rng, world->node_count);
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[(first + i) % world->node_count];
        if (node->node != NULL && node_phase(node->node) == NODE_SERVING &&
            node_shard(node->node) == shard)
            return node->index;
    }
    return world->node_count;
}

/* Where all that are in the VIEW of the first are empty, and nobody else dials them in time, they
 * begin another cluster (6.2): who restores one sees to it that one of these comes back. */
static void keep_one_of_view(struct world *world, bool kept[VNET_NODES_MAX])
{
    for (uint32_t i = 0; i < world->view_count; i++)
        if (kept[i])
            return;
    kept[rng_below(&world->rng, world->view_count)] = true;
}

/* Every directory is put back from a copy that was made of it just now, or is gone; of each shard
 * one at least comes back. */
static void restore_some(struct world *world)
{
    bool kept[VNET_NODES_MAX] = {false};
    struct vdisk copy;
    for (uint32_t shard = 0; shard < world->config->shard_count; shard++) {
        uint32_t index = pick_of_shard(world, shard);
        if (index < world->node_count)
            kept[index] = true;
    }
    keep_one_of_view(world, kept);
    for (uint32_t i = 0; i < world->node_count; i++) {
        vdisk_init(&copy);
        vdisk_copy(&copy, &world->nodes[i].disk);
        bool gone = !kept[i] && rng_chance(&world->rng, 1, 2);
        world->nodes[i].emptied = gone;
        story_say(&world->story, i, "its data directory is %s", gone ? "gone" : "a copy");
        fault_new_directory(world, &world->nodes[i], gone ? NULL : &copy);
        vdisk_fini(&copy);
    }
}

/* In some seeds all directories are restored at once. Nobody remembers who is who then, people
 * begin anew, and of what was there nothing is missing: all had the same. */
static void restore_all(struct world *world)
{
    uint64_t before[LIMIT_SHARDS];
    if (!rng_chance(&world->rng, 1, RESTORE_ALL_ONE_IN))
        return;
    uint32_t shards = world->config->shard_count;
    for (uint32_t shard = 0; shard < shards; shard++)
        before[shard] = judge_count(world, shard);
    story_say(&world->story, UINT32_MAX, "every data directory is put back from a copy, or gone");
    restore_some(world);
    run_for(world, 3000000);
    people_begin_anew(world);
    if (goes_on(world))
        await_convergence(world);
    for (uint32_t shard = 0; shard < shards && goes_on(world); shard++)
        if (judge_count(world, shard) != before[shard])
            verdict_say(&world->verdict, "I5",
                        "of %llu keys of shard %u that stood in directories that were put back, "
                        "%llu are there",
                        (unsigned long long)before[shard], shard,
                        (unsigned long long)judge_count(world, shard));
}

/* For the other judge: what each replica answers about each of its keys. Nothing where a node was
 * lost: a write may have been lost with it, which that judge cannot know. */
static void final_reads(struct world *world)
{
    uint64_t first = world->client->call_count;
    for (uint32_t node = 0; node < world->node_count; node++) {
        for (uint32_t key = 0; key < world->oracle.key_count; key++) {
            const struct sim_node *at = &world->nodes[node];
            if (at->node == NULL || !node_serves(at->node, world->oracle.keys[key].slot))
                continue;
            client_probe(world->client, node, OP_GET, key, CLIENT_NOBODY, 0, FINAL_US_MAX);
            run_for(world, 1000);
        }
    }
    uint64_t last = world->client->call_count;
    run_for(world, FINAL_US_MAX + 100000);
    for (uint64_t i = first; i < last && goes_on(world); i++) {
        const struct call *call = client_call(world->client, i);
        if (client_call_good(call))
            history_final(&world->history, call->asked.node, call->asked.key, call->found);
    }
}

/* ---- Turned back ---- */

/* Then others remember more of its own writes, or that it covered what it does not cover now. */
static bool has_less(const struct sim_node *node, const struct vv *before)
{
    const struct vv *coverage = node_coverage(node->node);
    for (uint32_t i = 0; i < before->count && node_config(node->node) != NULL; i++) {
        if (!vv_covers(coverage, before->entries[i]))
            return true;
    }
    return false;
}

static bool somebody_knows_it(const struct world *world, const struct sim_node *node)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (i != node->index && world->shard_of_node[i] == world->shard_of_node[node->index] &&
            other->node != NULL && node_phase(other->node) == NODE_SERVING)
            return true;
    }
    return false;
}

/* A machine is turned back to what its disk was once, and nothing in the directory shows it (6.3,
 * T11). No log can see that: while clients wrote, it would have named writes twice. So nobody asks
 * now, and what is judged is that it finds out as soon as it meets who knows more, takes another
 * node id, and comes back as that. */
static void turn_back(struct world *world, struct sim_node *node)
{
    struct vv before;
    run_for(world, 2000 * world->swarm.knobs.suspect_ms); /* it has told the others */
    vv_copy(&before, node_coverage(node->node));
    uint64_t id_before = node_id(node->node);
    story_say(&world->story, node->index, "is turned back to an old disk");
    world_crash(world, node->index);
    vdisk_fini(&node->disk);
    vdisk_copy(&node->disk, &node->copy);
    node->damaged = true;
    node->doubtful = true;
    node->turned = true;
    node->turned_actor = world->config->next_actor;
    if (rng_chance(&world->rng, 1, 2))
        node->boot_id = rng_u64(&world->rng);
    world_recount(world, node->index);
    world_start(world, node->index);
    uint64_t id_then = node_id(node->node);
    bool less = id_then != id_before || has_less(node, &before);
    uint64_t end = world->time.now_us + 3 * patience_us(world);
    while (goes_on(world) && world->time.now_us < end && node->node != NULL && !node->away && less)
        run_for(world, 100000);
    if (node->node != NULL && node->turned && !node->away && less && somebody_knows_it(world, node))
        verdict_say(&world->verdict, "I6",
                    "node %u was turned back to an old disk, others remember that it had more, and "
                    "it serves as if nothing had happened",
                    node->index);
    while (goes_on(world) && world->time.now_us < end && node->away)
        run_for(world, 100000);
}

/* It is turned back by a little only: what the others write now, and nothing of its own. */
static void write_elsewhere(struct world *world, struct sim_node *node)
{
    vdisk_fini(&node->copy);
    vdisk_copy(&node->copy, &node->disk);
    node->copy_id = node_id(node->node);
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint32_t key = (uint32_t)rng_below(&world->rng, world->oracle.key_count);
        if (i != node->index && world->nodes[i].node != NULL &&
            world->shard_of_node[i] == world->shard_of_node[node->index] &&
            world->shard_of_key[key] == world->shard_of_node[i])
            client_probe(world->client, i, OP_PUT, key, CLIENT_NOBODY, 0, FINAL_US_MAX);
    }
    run_for(world, FINAL_US_MAX);
}

/* It has written since, or is another by now. */
static bool shows_more(const struct sim_node *node)
{
    return node->copy_id != node_id(node->node) || node->copy_actor != world_own_actor(node) ||
           world_own_seq(node) > node->copy_seq;
}

/* Somebody else of its shard serves: who is alone there is told by nobody that it had more. */
static bool has_company(const struct world *world, const struct sim_node *node)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        if (other != node && other->node != NULL && node_phase(other->node) == NODE_SERVING &&
            node_shard(other->node) == node_shard(node->node))
            return true;
    }
    return false;
}

static void turn_one_back(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count && goes_on(world); i++) {
        struct sim_node *node = &world->nodes[i];
        /* Where it lacks nothing of its own nobody can tell (docs/status.md; seed 360). Who decides
         * alone may decide once more before it hears: two histories, people choose (6.6). */
        if (!node->has_copy || node->away || node->node == NULL || !shows_more(node) ||
            !has_company(world, node) || world->terms.alone)
            continue;
        if (rng_chance(&world->rng, 1, 2))
            write_elsewhere(world, node);
        turn_back(world, node);
        return;
    }
}

static void judge_too_little(struct world *world, const struct run_result *result)
{
    uint64_t faults = 0;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        faults += result->faults[i];
    if (result->ops >= RUN_OPS_LEAST && faults >= RUN_FAULTS_LEAST &&
        result->answered * 100 >= result->ops * RUN_ANSWERED_LEAST &&
        result->virtual_us >= RUN_US_LEAST)
        return;
    verdict_say(&world->verdict, "LITTLE",
                "too little happened: %llu operations (%u wanted), %llu answered (%u %% wanted), "
                "%llu faults (%u wanted), %llu virtual ms (%u wanted)",
                (unsigned long long)result->ops, RUN_OPS_LEAST,
                (unsigned long long)result->answered, RUN_ANSWERED_LEAST,
                (unsigned long long)faults, RUN_FAULTS_LEAST,
                (unsigned long long)(result->virtual_us / 1000), RUN_US_LEAST / 1000);
}

void run_result_of(struct world *world, struct run_result *result)
{
    const struct client *client = world->client;
    result->hash = world->story.hash;
    result->steps = world->steps;
    result->begun = client->begun;
    result->ops = client->ops;
    result->fault_last = world->fault_number;
    result->sessions = client->session_count;
    result->answered = client->answered;
    result->unknowns = client->unknowns;
    result->timeouts = client->timeouts;
    result->retries = client->retries;
    memcpy(result->errors, client->errors, sizeof result->errors);
    memcpy(result->faults, world->faults, sizeof result->faults);
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].node != NULL)
            world_note_marks(world, i);
    }
    memcpy(result->marks, world->marks, sizeof result->marks);
    result->virtual_us = world->time.now_us;
    result->nodes = world->node_count;
    result->shards = world->swarm.shards;
    for (uint32_t i = 0; i < ORACLE_ACTORS_MAX; i++)
        result->writes += world->oracle.actors[i].last;
}

/* What the processes have counted, before they all end. */
static void note_metrics(struct world *world, struct run_result *result)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].node == NULL)
            continue;
        const struct metrics *metrics = node_metrics(world->nodes[i].node);
        result->purged += metrics->purged;
        result->walks += metrics->walks_received;
        result->parked += metrics->parked_total;
    }
}

/* Whom operators gave up turns up when that is safe, not with all others (U3 in
 * fault_recover.c). */
static void await_who_was_given_up(struct world *world)
{
    while (goes_on(world) && world->given_up != 0 && world_next(world)) {}
}

static void run_phases(struct world *world, struct run_result *result)
{
    vtime_after(&world->time, 100000, WORLD_SAMPLE, 0, 0, 0);
    nemesis_begin(world);
    while (goes_on(world) && !world->booted && world_next(world)) {}
    run_until(world, world->swarm.faults_for_us);
    await_who_was_given_up(world);
    if (goes_on(world))
        nemesis_heal(world);
    run_till(world, judge_settled);
    people_begin_anew(world);
    judge_service(world, "after everything was mended", patience_us(world));
    catch_up(world);
    await_idle(world);
    if (goes_on(world))
        await_convergence(world);
    run_till(world, judge_settled);
    if (goes_on(world)) /* and now at once */
        judge_service(world, "at rest", 0);
    if (goes_on(world))
        await_convergence(world);
    if (goes_on(world))
        judge_tables(world);
    if (goes_on(world)) {
        judge_rest(world);
        judge_counts(world);
        run_till(world, judge_is_idle);
        judge_idle(world);
    }
    if (goes_on(world))
        judge_people(world);
    note_metrics(world, result);
    if (goes_on(world))
        end_all(world);
    if (goes_on(world))
        await_convergence(world);
    if (goes_on(world))
        judge_tables(world);
    /* A history ends with reads at every replica, and who was turned back answers none. */
    if (goes_on(world) && world->history.out == NULL)
        turn_one_back(world);
    if (goes_on(world))
        await_convergence(world);
    if (goes_on(world))
        judge_tables(world);
    if (goes_on(world) && world->history.out == NULL)
        restore_all(world);
    if (goes_on(world))
        judge_tables(world);
    run_until(world, RUN_US_LEAST);
}

void run_seed(const struct run_order *order, struct run_result *result)
{
    memset(result, 0, sizeof *result);
    struct swarm swarm;
    swarm_draw(&swarm, order->seed);
    scope_apply(&order->scope, &swarm);
    struct world *world = world_new(&swarm, order->plant, order->story);
    if (order->world != NULL)
        *order->world = world;
    world->history.out = order->history;
    world->verdict.blind = order->blind;
    tell_world(world);
    run_phases(world, result);
    run_result_of(world, result); /* what comes now is no part of the run: it has its hash */
    if (goes_on(world) && order->history != NULL && world->config->loss_count == 0)
        final_reads(world);
    /* Where nobody remembers, nothing more can happen: seed 802192. */
    if (scope_is_whole(&order->scope) && !judge_nobody_remembers(world))
        judge_too_little(world, result);
    result->verdict = world->verdict;
    if (world->verdict.bad)
        world_tell_verdict(world);
    else
        story_say(&world->story, UINT32_MAX, "the end; nothing was wrong");
    if (order->world != NULL)
        *order->world = NULL;
    world_free(world);
}
