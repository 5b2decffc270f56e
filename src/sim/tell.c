/* tell - what happens in a world, as a person would say it.
 *
 * Does:   see tell.h: traces, requests, answers.
 * Not:    frames: tell_frame.c.
 * Holds:  -
 * Limits: -
 * See:    tell.h.
 */
#include "sim/tell_names.h"

#define ULL unsigned long long
#define KEYS_NAMED_MAX 40U

static const char *op_word(enum op op)
{
    static const char *const words[] = {"?", "get", "put", "delete", "count"};
    return op <= OP_COUNT ? words[op] : words[0];
}

/* "#12", or what another node has handed on. */
static void put_call(struct world *world, uint32_t node, uint64_t id)
{
    const struct client *client = world->client;
    if (id > 0 && id < client->call_count && client->calls[id]->asked.node == node)
        fprintf(world->story.out, "#%llu", (ULL)id);
    else
        fputs("what was handed to it", world->story.out);
}

static void put_client(struct world *world, const struct call *call)
{
    if (call->probe)
        fputs("the world", world->story.out);
    else
        fprintf(world->story.out, "c%u", call->asked.session);
}

/* ---- The world ---- */

void tell_world(struct world *world)
{
    const struct swarm *swarm = &world->swarm;
    FILE *out = story_begin(&world->story, UINT32_MAX);
    if (out == NULL)
        return;
    fprintf(out, "the world of seed %llu: %u nodes, %u shards, %u keys, %u clients; %s",
            (ULL)swarm->seed, swarm->nodes, swarm->shards, swarm->keys, swarm->sessions,
            swarm->knobs.durability == 1 ? "commits are synced" : "commits are not synced");
    fprintf(out, "; latency up to %.1f ms and %.1f ms more", (double)swarm->base_us / 1e3,
            (double)swarm->jitter_us / 1e3);
    if (swarm->clock_far < swarm->nodes)
        fprintf(out, "; the clock of n%u is years ahead", swarm->clock_far);
    story_end(&world->story);
    out = story_begin(&world->story, UINT32_MAX);
    fputs("knobs that are not as usual:", out);
    size_t count = 0;
    const struct knob_row *rows = knobs_rows(&count);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = *knobs_field(&world->swarm.knobs, &rows[i]);
        if (value != rows[i].normal)
            fprintf(out, " %s %llu", rows[i].name, (ULL)value);
    }
    story_end(&world->story);
}

static void put_keys(struct world *world, uint32_t shard)
{
    FILE *out = world->story.out;
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->oracle.key_count; i++)
        count += world->shard_of_key[i] == shard;
    fprintf(out, "; %u keys", count);
    for (uint32_t i = 0; i < world->oracle.key_count && count <= KEYS_NAMED_MAX; i++) {
        if (world->shard_of_key[i] == shard)
            fprintf(out, " k%u", i);
    }
}

void tell_shards(struct world *world)
{
    for (uint32_t shard = 0; shard < world->swarm.shards; shard++) {
        FILE *out = story_begin(&world->story, UINT32_MAX);
        if (out == NULL)
            return;
        fprintf(out, "shard %u is", shard);
        for (uint32_t i = 0; i < world->node_count; i++) {
            const struct node *node = world->nodes[i].node;
            const struct config *config = node != NULL ? node_config(node) : NULL;
            const struct member *member =
                config != NULL ? config_member_by_id(config, node_id(node)) : NULL;
            if (member != NULL && member->shard == shard)
                fprintf(out, " n%u (writes as a%u)", i, member->actor);
        }
        put_keys(world, shard);
        story_end(&world->story);
    }
}

/* ---- Requests and answers ---- */

/* Whom an operator means: by name, where it is a node of this world. */
static void put_addresses(const struct world *world, const struct call *call, FILE *out)
{
    const char *at = call->addresses;
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        uint32_t index = world_by_address(world, slice_of((const uint8_t *)at, len));
        if (index < world->node_count)
            fprintf(out, " n%u", index);
        else
            fputs(" nobody", out);
        at += len + (at[len] == ',');
    }
}

static void put_wish(struct world *world, const struct call *call)
{
    FILE *out = world->story.out;
    bool recovers = call->asked.op == OP_RECOVER;
    bool removes = call->asked.op == OP_VIEW_REMOVE;
    if (call->asked.op == OP_RESHARD) {
        fprintf(out, "have %u shards", call->shard_id);
        return;
    }
    if (call->asked.op == OP_RESHARD_CANCEL) {
        fputs("move no more slots", out);
        return;
    }
    fputs(recovers                         ? "go on without"
          : removes                        ? "take off the list"
          : call->asked.op == OP_SHARD_ADD ? "place"
                                           : "list",
          out);
    put_addresses(world, call, out);
    if (call->asked.op == OP_SHARD_ADD && call->shard_id == SHARD_NONE)
        fputs(" in a shard that is not there", out);
    else if (call->asked.op == OP_SHARD_ADD)
        fprintf(out, " in shard %u", call->shard_id);
    if (call->force)
        fputs(", by force", out);
}

static void put_what(struct world *world, const struct call *call)
{
    FILE *out = world->story.out;
    if (op_changes_config(call->asked.op))
        put_wish(world, call);
    else if (call->asked.op == OP_COUNT)
        fprintf(out, "count shard %u", call->asked.key);
    else if (call->asked.op == OP_PUT)
        fprintf(out, "put w%u at k%u", call->asked.write, call->asked.key);
    else
        fprintf(out, "%s k%u", op_word(call->asked.op), call->asked.key);
}

void tell_asked(struct world *world, const struct call *call)
{
    FILE *out = story_begin(&world->story, UINT32_MAX);
    if (out == NULL)
        return;
    put_client(world, call);
    fprintf(out, " asks n%u to ", call->asked.node);
    put_what(world, call);
    fprintf(out, " (#%llu)", (ULL)call->number);
    if (call->copies == 2)
        fputs(" with two copies", out);
    fputs(", having seen ", out);
    tell__seqs(world, call->asked.past->seqs);
    uint32_t top = call->asked.op == OP_COUNT ? 0 : call->asked.past->tops[call->asked.key];
    if (top != 0)
        fprintf(out, "; of this key %sw%u", world->oracle.writes[top].tombstone ? "delete " : "",
                top);
    story_end(&world->story);
}

static void put_result(struct world *world, const struct call *call)
{
    FILE *out = world->story.out;
    switch (call->outcome) {
    case OUTCOME_FOUND:
        fprintf(out, "w%u", call->found);
        if (call->found < world->oracle.write_count &&
            world->oracle.writes[call->found].dot.actor > 0) {
            struct dot dot = world->oracle.writes[call->found].dot;
            fprintf(out, " (a%u:%llu)", dot.actor, (ULL)dot.seq);
        }
        return;
    case OUTCOME_NOT_FOUND:
        fputs("there is nothing", out);
        return;
    case OUTCOME_CREATED:
    case OUTCOME_REPLACED:
        fprintf(out, "w%u is written as a%u:%llu", call->asked.write,
                world->oracle.writes[call->asked.write].dot.actor,
                (ULL)world->oracle.writes[call->asked.write].dot.seq);
        break;
    case OUTCOME_DELETED:
        fputs("deleted", out);
        break;
    case OUTCOME_COUNTED:
        fprintf(out, "%llu keys", (ULL)call->count);
        return;
    case OUTCOME_ADDED:
        fputs("listed", out);
        return;
    case OUTCOME_PRESENT:
        fputs("listed already", out);
        return;
    case OUTCOME_REMOVED:
        fputs("off the list", out);
        return;
    case OUTCOME_PLACED:
        fputs("in that shard", out);
        return;
    case OUTCOME_RESHARDED:
    case OUTCOME_BEGUN:
        fputs("so many shards", out);
        return;
    case OUTCOME_CANCELLED:
        fputs("slots stay", out);
        return;
    case OUTCOME_RECOVERED:
        fputs("gone on without them", out);
        return;
    case OUTCOME_NONE:
        fputs(err_name(call->err), out);
        return;
    }
    fprintf(out, ", %s", call->replied_copies == 1 ? "one copy, synced" : "two copies or more");
}

void tell_answer(struct world *world, const struct call *call)
{
    FILE *out = story_begin(&world->story, call->asked.node);
    if (out == NULL)
        return;
    fputs("answers ", out);
    put_client(world, call);
    fprintf(out, " (#%llu: ", (ULL)call->number);
    put_what(world, call);
    fputs("): ", out);
    put_result(world, call);
    if (call->unknown)
        fputs(", outcome unknown", out);
    if (call->told > 0)
        fprintf(out, ", and tells %u losses", call->told);
    fputs(call->waiting, out);
    story_end(&world->story);
}

void tell_given_up(struct world *world, const struct call *call)
{
    FILE *out = story_begin(&world->story, UINT32_MAX);
    if (out == NULL)
        return;
    put_client(world, call);
    fprintf(out, " gives #%llu up, asked of n%u", (ULL)call->number, call->asked.node);
    story_end(&world->story);
}

void tell_away(struct world *world, uint32_t node, struct slice why)
{
    FILE *out = story_begin(&world->story, node);
    if (out == NULL)
        return;
    fputs("is away: ", out);
    tell__text(world, why);
    story_end(&world->story);
}

/* ---- What nodes trace ---- */

static void put_hlc(struct world *world, uint64_t hlc)
{
    int64_t ms = (int64_t)(HLC_MS(hlc) - world->clock_shared_ms);
    fprintf(world->story.out, "time %+lld ms", (long long)ms);
}

static void put_parked(struct world *world, uint32_t node, const struct trace_event *event)
{
    struct dot dot = {(uint32_t)event->b, event->c};
    FILE *out = world->story.out;
    fputs("lets ", out);
    put_call(world, node, event->a);
    if (dot.actor == 0) {
        fputs(" wait: it has seen an epoch that is not known here", out);
        return;
    }
    fputs(" wait: it has seen ", out);
    tell__dot(world, dot);
    uint32_t write = oracle_by_dot(&world->oracle, dot);
    if (write != 0)
        fprintf(out, " of k%u", world->oracle.writes[write].key);
    uint32_t writer =
        dot.actor < ORACLE_ACTORS_MAX ? world->oracle.actors[dot.actor].node : VNET_NODES_MAX;
    if (writer < world->node_count)
        fprintf(out, ", which n%u wrote,", writer);
    fputs(" and that has not come", out);
}

/* The events that are there for stories alone; false: it is another one. */
static bool put_write_event(struct world *world, const struct trace_event *event)
{
    const char *before = NULL;
    if (event->id == TRACE_WRITTEN)
        before = "writes ";
    else if (event->id == TRACE_ARRIVED)
        before = "receives ";
    else if (event->id == TRACE_WALKED)
        before = "is brought, by a walk, ";
    else if (event->id == TRACE_PURGED)
        before = "purges the tombstone ";
    else if (event->id == TRACE_DELIVERED)
        before = "delivers ";
    if (before == NULL)
        return false;
    fputs(before, world->story.out);
    tell__dot(world, (struct dot){(uint32_t)event->a, event->b});
    if (event->id == TRACE_DELIVERED)
        return true;
    fputs(" at ", world->story.out);
    tell__key(world, event->text);
    if (event->id == TRACE_WRITTEN) {
        fputs(", ", world->story.out);
        put_hlc(world, event->c);
    }
    return true;
}

static bool put_call_event(struct world *world, uint32_t node, const struct trace_event *event)
{
    FILE *out = world->story.out;
    enum err err = E_OK;
    switch ((int)event->id) {
    case TRACE_REQUEST:
        fputs("takes ", out);
        put_call(world, node, event->a);
        return true;
    case TRACE_REPLIED:
        fputs("has an answer to what was handed to it", out);
        if (event->c != 0 && err_from_number((unsigned)event->c, &err))
            fprintf(out, ": %s", err_name(err));
        return true;
    case TRACE_PARKED:
        put_parked(world, node, event);
        return true;
    case TRACE_UNPARKED:
        fputs("goes on with ", out);
        put_call(world, node, event->a);
        return true;
    case TRACE_FORWARDED:
        fputs("hands ", out);
        put_call(world, node, event->a);
        fputs(" on to ", out);
        tell__node_id(world, event->b);
        return true;
    case TRACE_FORWARD_LOST:
    case TRACE_FORWARD_ARRIVED:
        fputs("hears that ", out);
        put_call(world, node, event->a);
        fputs(event->id == TRACE_FORWARD_LOST ? " has not reached " : " had reached ", out);
        tell__node_id(world, event->b);
        return true;
    default:
        return false;
    }
}

/* The sentence of trace.def; large numbers are ids. */
static void put_sentence(struct world *world, const struct trace_event *event)
{
    FILE *out = world->story.out;
    for (const char *at = trace_sentence(event->id); *at != '\0';) {
        if (strncmp(at, "{text}", 6) == 0) {
            tell__text(world, event->text);
            at += 6;
        } else if (at[0] == '{' && at[1] >= 'a' && at[1] <= 'c' && at[2] == '}') {
            uint64_t value = at[1] == 'a' ? event->a : at[1] == 'b' ? event->b : event->c;
            if (value >> 44 != 0)
                tell__node_id(world, value);
            else
                fprintf(out, "%llu", (ULL)value);
            at += 3;
        } else {
            fputc(*at++, out);
        }
    }
}

/* Asked by a client: tell_answer says so when the answer leaves. */
static bool is_answer(const struct world *world, uint32_t node, const struct trace_event *event)
{
    return event->id == TRACE_REPLIED && event->a < world->client->call_count && event->a > 0 &&
           world->client->calls[event->a]->asked.node == node;
}

void tell_trace(struct world *world, uint32_t node, const struct trace_event *event)
{
    if (is_answer(world, node, event) || story_begin(&world->story, node) == NULL)
        return;
    if (event->id == TRACE_STARTED)
        fprintf(world->story.out, "has the id ..%04llx", (ULL)(event->a & 0xffff));
    else if (event->id == TRACE_RAISED)
        fprintf(world->story.out, "covers all of a%llu up to %llu", (ULL)event->a, (ULL)event->b);
    else if (!put_write_event(world, event) && !put_call_event(world, node, event))
        put_sentence(world, event);
    story_end(&world->story);
}
