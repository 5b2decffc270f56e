/* client - the clients of the world: sessions that wander between nodes with their tokens.
 *
 * Does:   the life of a call: sent, handed, replied, answered, lost.
 * Not:    which operations: session.c.
 * Holds:  N1, N2.
 * Limits: -
 * See:    client.h.
 */
#include "sim/epoch.h"
#include "sim/judge.h"
#include "sim/people.h"
#include "sim/session.h"
#include "sim/tell.h"
#include "sim/watch.h"

#include <stdio.h>

static void token_unref(struct token *token)
{
    if (token == NULL)
        return;
    ASSERT(token->refs > 0);
    if (--token->refs > 0)
        return;
    past_unref(token->past);
    mem_free(token);
}

static struct token *token_new(struct slice text, struct past *past)
{
    struct token *token = mem_alloc(sizeof *token + text.len);
    token->refs = 1;
    token->past = past;
    token->origin = (struct origin){0, 0};
    token->len = text.len;
    if (text.len > 0)
        memcpy(token->text, text.ptr, text.len);
    return token;
}

void session__hold(struct session *session, struct token *token)
{
    if (session->held_count == CLIENT_HELD_MAX)
        token_unref(session->held[--session->held_count]);
    memmove(&session->held[1], &session->held[0], session->held_count * sizeof session->held[0]);
    session->held[0] = token;
    session->held_count++;
    token->refs++;
}

void session__forget(struct session *session)
{
    while (session->held_count > 0)
        token_unref(session->held[--session->held_count]);
}

struct client *client_new(struct world *world)
{
    struct client *client = mem_zalloc(1, sizeof *client);
    client->world = world;
    rng_init(&client->rng, world->swarm.seed ^ 0x636c69656e74);
    client->session_count = world->swarm.sessions;
    client->sessions = mem_zalloc(client->session_count, sizeof client->sessions[0]);
    client->probe_bytes = 12;
    client->call_count = 1;
    client->call_cap = 1024;
    client->calls = mem_zalloc(client->call_cap, sizeof(struct call *));
    for (uint32_t i = 0; i < client->session_count; i++) {
        client->sessions[i].node = (uint32_t)rng_below(&client->rng, world->node_count);
        vtime_after(&world->time, 1000000 + rng_below(&client->rng, 1000000), WORLD_SESSION, i, 0,
                    0);
    }
    return client;
}

/* What a call has borrowed for as long as it goes on. */
static void call_release(struct call *call)
{
    for (uint32_t i = 0; i < call->token_count; i++)
        token_unref(call->tokens[i]);
    call->token_count = 0;
    past_unref(call->asked.past);
    call->asked.past = NULL;
    token_unref(call->answer);
    call->answer = NULL;
}

void client_free(struct client *client)
{
    for (uint64_t i = 1; i < client->call_count; i++) {
        call_release(client->calls[i]);
        mem_free(client->calls[i]);
    }
    for (uint32_t i = 0; i < client->session_count; i++)
        session__forget(&client->sessions[i]);
    mem_free(client->calls);
    mem_free(client->wishes);
    mem_free(client->sessions);
    buf_fini(&client->value);
    mem_free(client);
}

const struct call *client_call(const struct client *client, uint64_t call)
{
    ASSERT(call > 0 && call < client->call_count);
    return client->calls[call];
}

bool client_call_good(const struct call *call)
{
    return call->state == CALL_DONE && !call->lost && !call->refused &&
           (call->err == E_OK || call->err == E_KEY_MISSING);
}

static uint64_t client_latency(struct client *client)
{
    uint64_t us = rng_between(&client->rng, 50, 1500);
    return rng_chance(&client->rng, 1, 50) ? us + rng_below(&client->rng, 30000) : us;
}

uint64_t client__send(struct client *client, const struct call *draft, uint64_t timeout_us)
{
    struct world *world = client->world;
    if (client->call_count == client->call_cap) {
        client->call_cap *= 2;
        client->calls = mem_realloc(client->calls, client->call_cap * sizeof(struct call *));
    }
    struct call *call = mem_dup(draft, sizeof *draft);
    call->state = CALL_SENT;
    call->asked.started_us = world->time.now_us;
    uint64_t number = client->call_count++;
    call->number = number;
    client->calls[number] = call;
    tell_asked(world, call);
    vtime_after(&world->time, client_latency(client), WORLD_ARRIVE, 0, number, 0);
    vtime_after(&world->time, timeout_us, WORLD_TIMEOUT, 0, number, 0);
    return number;
}

/* The client learns what became of its call. */
static void call_done(struct client *client, uint64_t number)
{
    struct call *call = client->calls[number];
    uint32_t nowhere = 0;
    uint32_t *chain = call->probe ? &nowhere : &client->sessions[call->asked.session].chain;
    struct origin origin =
        history_call(&client->world->history, call, client->world->time.now_us, chain);
    if (call->answer != NULL)
        call->answer->origin = origin;
    call->state = CALL_DONE;
    if (call->probe)
        return; /* whoever asked reads it where it is */
    session__done(client, call, call->answer);
    call_release(call);
}

static void arrive(struct client *client, uint64_t number)
{
    struct call *call = client->calls[number];
    struct world *world = client->world;
    struct sim_node *node = &world->nodes[call->asked.node];
    if (call->state != CALL_SENT)
        return;
    if (node->node == NULL) {
        call->refused = true;
        call_done(client, number);
        return;
    }
    call->life = node->life;
    world_input(world, node->index, &(struct input){.type = EVENT_REQUEST, .id = number});
}

static void time_out(struct client *client, uint64_t number)
{
    struct call *call = client->calls[number];
    struct world *world = client->world;
    if (call->state == CALL_DONE || call->state == CALL_REPLIED)
        return;
    if (call->state == CALL_HANDED)
        watch_silence(world, call);
    if (call->state == CALL_HANDED)
        people_silence(world, call);
    tell_given_up(world, call);
    struct sim_node *node = &world->nodes[call->asked.node];
    if (call->state == CALL_HANDED && node->node != NULL && node->life == call->life)
        world_input(world, node->index, &(struct input){.type = EVENT_GONE, .id = number});
    call->lost = true;
    client->timeouts++;
    call_done(client, number);
}

void client_event(struct client *client, const struct vevent *event)
{
    switch (event->kind) {
    case WORLD_SESSION:
        session__wake(client, event->a);
        break;
    case WORLD_ARRIVE:
        arrive(client, event->b);
        break;
    case WORLD_TIMEOUT:
        time_out(client, event->b);
        break;
    case WORLD_ANSWER:
        if (client->calls[event->b]->state == CALL_REPLIED)
            call_done(client, event->b);
        break;
    default:
        UNREACHABLE();
    }
}

/* The node may cover it, and has to wait with answers until it can be told. */
static bool may_be_untold(const struct config *config, uint32_t actor, uint64_t seq)
{
    const struct loss *loss = config_loss_of_actor(config, actor);
    return loss != NULL && loss->whole_seq < seq && !config_actor_closed(config, actor);
}

bool client_covers(const struct client *client, const struct call *call)
{
    const struct world *world = client->world;
    const struct sim_node *node = &world->nodes[call->asked.node];
    const struct config *config = node_config(node->node);
    if (!world->booted || config == NULL || node_phase(node->node) != NODE_SERVING ||
        call->asked.op == OP_COUNT || op_changes_config(call->asked.op))
        return false;
    uint32_t slot = world->oracle.keys[call->asked.key].slot;
    const struct vv *coverage = node_coverage_in(node->node, config_shard_of_slot(config, slot));
    if (!node_serves(node->node, slot))
        return false;
    for (uint32_t actor = 1; actor < ORACLE_ACTORS_MAX; actor++) {
        if (actor >= config->next_actor && call->asked.past->seqs[actor] > 0)
            return false; /* of an epoch that it has yet to learn */
        if (config_actor_meets(config, actor, config_shard_of_slot(config, slot)) &&
            vv_get(coverage, actor) < call->asked.past->seqs[actor])
            return false;
        if (may_be_untold(config, actor, call->asked.past->seqs[actor]))
            return false;
    }
    return true;
}

/* Borne by members, or retired and not closed yet; and those of later epochs, which a node that is
 * behind passes on as they are. */
static uint32_t open_actors(const struct world *world, uint32_t node)
{
    const struct node *at = world->nodes[node].node;
    const struct config *config = at != NULL ? node_config(at) : NULL;
    uint32_t count = config != NULL ? config->retired_count + config->seat_count : 0;
    for (uint32_t i = 0; config != NULL && i < config->member_count; i++)
        count += config->members[i].actor != 0;
    if (config != NULL && config->next_actor < world->config->next_actor)
        count += world->config->next_actor - config->next_actor;
    return count;
}

bool client_request(struct client *client, uint64_t number, struct request *request)
{
    struct call *call = client->calls[number];
    if (call->state != CALL_SENT)
        return false;
    call->state = CALL_HANDED;
    call->covered = client_covers(client, call);
    audit_asked(client->world, call);
    call->open = open_actors(client->world, call->asked.node);
    call->keyless = node_config(client->world->nodes[call->asked.node].node) == NULL;
    call->handed_us = client->world->time.now_us;
    call->faults = client->world->nodes[call->asked.node].faults;
    memset(request, 0, sizeof *request);
    request->id = number;
    request->session = call->asked.session;
    request->op = call->asked.op;
    request->force = call->force;
    if (op_changes_config(call->asked.op)) {
        request->key = slice_str(call->addresses);
        request->shard_id = call->shard_id;
    } else if (call->asked.op == OP_COUNT) {
        request->shard_id = call->asked.key;
    } else {
        const struct hkey *key = &client->world->oracle.keys[call->asked.key];
        request->key = slice_of(key->text, key->len);
    }
    if (call->asked.op == OP_PUT) {
        buf_reset(&client->value);
        oracle_value(&client->world->oracle, call->asked.write, &client->value);
        request->value = buf_slice(&client->value);
        request->form =
            client->world->oracle.writes[call->asked.write].raw ? VALUE_RAW : VALUE_JSON;
    }
    for (uint32_t i = 0; i < call->token_count; i++)
        request->tokens[i] = slice_of(call->tokens[i]->text, call->tokens[i]->len);
    request->token_count = call->token_count;
    request->wait_ms = call->wait_ms;
    request->copies = call->copies;
    return true;
}

/* A member that had all it could need must not have refused for want of it. */
static void judge_wait(struct client *client, const struct call *call, const struct reply *reply)
{
    if (!call->covered ||
        (reply->err != E_NOT_COVERED && reply->err != E_NO_REPLICA && reply->err != E_NOT_READY))
        return;
    if (node_phase(client->world->nodes[call->asked.node].node) != NODE_SERVING)
        return; /* its term has ended meanwhile (6.3, 6.4) */
    if (!client_covers(client, call))
        return; /* it waited for an epoch in which slots came to the shard: more matters there */
    if (call->forwarded && reply->err == E_NO_REPLICA)
        return; /* in the middle of a walk it asks the source of it, which may be lost */
    if (call->forwarded && client->world->terms.moved)
        return; /* or has yet to come to as much of slots that came to it meanwhile */
    const struct hkey *key = &client->world->oracle.keys[call->asked.key];
    verdict_say(&client->world->verdict, "I3",
                "node %u serves key %.*s and covered everything that session %u has seen, when it "
                "was asked; it answered %s",
                call->asked.node, (int)key->len, (const char *)key->text, call->asked.session,
                err_name(reply->err));
}

/* The token is bounded (I7), and a refusal for want of writes says whose (I2). */
static void judge_shape(struct client *client, const struct call *call, const struct reply *reply)
{
    struct world *world = client->world;
    uint32_t entries = reply->token.len > 0 ? judge_token_entries(world, reply->token) : 0;
    /* The token may have waited for a commit, and actors been closed meanwhile. */
    uint32_t open = open_actors(world, call->asked.node);
    open = open > call->open ? open : call->open;
    if (entries > open)
        verdict_say(&world->verdict, "I7",
                    "node %u gave a token of %d entries; there are %u actors", call->asked.node,
                    (int)entries, open);
    /* Without a configuration there is no key to make a token with: such a node refuses. */
    bool refused = reply->err == E_NOT_READY || reply->err == E_STOPPING;
    bool keyless = refused && call->keyless;
    /* Of a history that this node has yet to learn it could not say as much as the client knows. */
    bool behind = reply->err == E_EPOCH_BEHIND;
    if (reply->token.len == 0 && world->booted && !keyless && !behind)
        verdict_say(&world->verdict, "I1", "node %u gave no token with %s", call->asked.node,
                    err_name(reply->err));
    if (reply->err != E_NOT_COVERED)
        return;
    bool says = reply->waiting_count > 0;
    for (uint32_t i = 0; i < reply->waiting_count; i++)
        says = says && reply->waiting[i].behind_by > 0 && reply->waiting[i].address.len > 0;
    if (!says)
        verdict_say(&world->verdict, "I2",
                    "node %u refused call of session %u for want of writes and does not say who "
                    "lacks how many",
                    call->asked.node, call->asked.session);
}

/* ---- Losses (6.5) ---- */

static bool says(const struct reply *reply, const struct loss *loss)
{
    for (uint32_t i = 0; i < reply->lost_count; i++) {
        const struct lost *lost = &reply->lost[i];
        if (lost->actor == loss->actor && lost->shard_id == loss->shard)
            return true;
    }
    return false;
}

/* What the tokens of the call name of an actor. The truth says what must not be read; whether a
 * token names it, so that there is something to tell, only the token does. */
static uint64_t named_by(const struct world *world, const struct call *call, uint32_t actor)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < call->token_count; i++) {
        struct ctx ctx;
        ctx_init(&ctx);
        struct slice text = slice_of(call->tokens[i]->text, call->tokens[i]->len);
        if (token_decode(text, &world->config->token_key, &ctx) == TOKEN_OK &&
            vv_get(&ctx.seen, actor) > most)
            most = vv_get(&ctx.seen, actor);
    }
    return most;
}

/* The node's own configuration has a loss that concerns the client: it is told, whatever else the
 * answer is. */
static void judge_untold(struct client *client, const struct call *call, const struct reply *reply)
{
    struct world *world = client->world;
    const struct config *config = node_config(world->nodes[call->asked.node].node);
    if (config == NULL || config->epoch != call->epoch || reply->lost_count == LIMIT_LOST)
        return;
    for (uint32_t i = 0; i < config->loss_count; i++) {
        const struct loss *loss = &config->losses[i];
        if (loss->actor == 0 || !config_actor_closed(config, loss->actor) || says(reply, loss) ||
            named_by(world, call, loss->actor) <= loss->whole_seq)
            continue;
        verdict_say(&world->verdict, "I5",
                    "node %u did not tell session %u that writes of actor %u after %llu may be "
                    "lost; its token names (%u,%llu)",
                    call->asked.node, call->asked.session, loss->actor,
                    (unsigned long long)loss->whole_seq, loss->actor,
                    (unsigned long long)named_by(world, call, loss->actor));
    }
}

/* Nothing is told that the configuration does not have. An answer that has waited may be older than
 * the last one that was adopted, which may have moved whole_seq, or the epoch. */
static const struct loss *loss_of(const struct world *world, const struct lost *lost)
{
    for (uint32_t i = 0; i < world->config->loss_count; i++) {
        const struct loss *loss = &world->config->losses[i];
        if (loss->actor == lost->actor && loss->shard == lost->shard_id &&
            loss->whole_seq <= lost->whole_seq)
            return loss;
    }
    return NULL;
}

static struct past *past_told(struct client *client, const struct call *call,
                              const struct reply *reply)
{
    struct world *world = client->world;
    struct past *past = past_dup(call->asked.past, world->oracle.key_count);
    struct told told[LIMIT_LOST];
    uint32_t count = 0;
    terms_refresh(world);
    for (uint32_t i = 0; i < reply->lost_count; i++) {
        const struct lost *lost = &reply->lost[i];
        const struct loss *loss = loss_of(world, lost);
        if (loss == NULL) {
            verdict_say(&world->verdict, "I5",
                        "node %u told session %u that writes of actor %u after %llu, of shard %u, "
                        "may be lost, and no configuration has that",
                        call->asked.node, call->asked.session, lost->actor,
                        (unsigned long long)lost->whole_seq, lost->shard_id);
            continue;
        }
        struct told *at = &told[count++];
        terms_told_of(world, loss, at);
        at->whole_seq = lost->whole_seq;
        at->before_us = epoch_time(&world->oracle, lost->epoch);
    }
    oracle_told(&world->oracle, past, told, count);
    if (reply->lost_count > 0 && call->asked.op == OP_PUT) /* so much its writer knows */
        oracle_put_past(&world->oracle, call->asked.write, past);
    return past;
}

static void note_reply(struct client *client, struct call *call, const struct reply *reply)
{
    call->err = reply->err;
    call->outcome = reply->outcome;
    call->unknown = reply->outcome_unknown || reply->err == E_UNKNOWN || reply->err == E_COPIES;
    call->count = reply->count;
    call->replied_copies = reply->copies;
    if (reply->outcome == OUTCOME_FOUND)
        call->found = oracle_found(reply);
    if (reply->waiting_count > 0)
        snprintf(call->waiting, sizeof call->waiting, ", n%u behind by %llu",
                 world_by_address(client->world, reply->waiting[0].address),
                 (unsigned long long)reply->waiting[0].behind_by);
    client->errors[(unsigned)-reply->err & 63U]++;
    if (call->asked.op == OP_COUNT || op_changes_config(call->asked.op))
        return;
    judge_untold(client, call, reply);
    struct past *known = past_told(client, call, reply);
    struct asked asked = call->asked;
    asked.past = known;
    struct past *past = oracle_answer(&client->world->oracle, &asked, reply);
    past_unref(known);
    call->told = reply->lost_count;
    watch_answer(client->world, call);
    judge_wait(client, call, reply);
    judge_shape(client, call, reply);
    if (reply->token.len > 0)
        audit_token(client->world, call, past, reply->token);
    if (reply->token.len > 0)
        call->answer = token_new(reply->token, past);
    else
        past_unref(past);
}

void client_reply(struct client *client, uint32_t node, const struct reply *reply)
{
    struct world *world = client->world;
    struct call *call = NULL;
    if (reply->id > 0 && reply->id < client->call_count)
        call = client->calls[reply->id];
    if (call == NULL || call->asked.node != node || call->life != world->nodes[node].life ||
        call->state == CALL_SENT || call->state == CALL_REPLIED ||
        (call->state == CALL_DONE && !call->lost)) {
        verdict_say(&world->verdict, "Q1", "node %u replies to %llu, which is not under way there",
                    node, (unsigned long long)reply->id);
        return;
    }
    story_mix(&world->story, reply->id << 8 | (uint64_t)reply->outcome);
    story_mix(&world->story, hash_bytes(reply->token));
    if (call->state == CALL_DONE)
        return; /* the client is gone; the shell drops it */
    note_reply(client, call, reply);
    call->state = CALL_REPLIED;
    tell_answer(world, call);
    vtime_after(&world->time, client_latency(client), WORLD_ANSWER, 0, reply->id, 0);
}

void client_forwarded(struct client *client, uint32_t node, uint64_t number)
{
    if (number > 0 && number < client->call_count && client->calls[number]->asked.node == node)
        client->calls[number]->forwarded = true;
}

void client_node_ended(struct client *client, uint32_t node)
{
    for (uint64_t i = 1; i < client->call_count; i++) {
        struct call *call = client->calls[i];
        bool there = call->asked.node == node &&
                     (call->state == CALL_HANDED ||
                      (call->state == CALL_SENT && call->life == client->world->nodes[node].life));
        if (!there)
            continue;
        call->lost = true;
        call_done(client, i);
    }
}

void client_stop(struct client *client)
{
    client->stopping = true;
}

bool client_idle(const struct client *client)
{
    for (uint32_t i = 0; i < client->session_count; i++) {
        if (client->sessions[i].busy)
            return false;
    }
    return true;
}

bool client_operates(const struct client *client)
{
    for (uint64_t i = 1; i < client->call_count; i++) {
        const struct call *call = client->calls[i];
        if (op_changes_config(call->asked.op) && call->state != CALL_DONE)
            return true;
    }
    return false;
}

uint64_t client_probe(struct client *client, uint32_t node, enum op op, uint32_t key,
                      uint32_t session, uint32_t copies, uint64_t timeout_us)
{
    struct oracle *oracle = &client->world->oracle;
    struct call call = {.probe = true, .wait_ms = REQUEST_WAIT_DEFAULT, .copies = copies};
    call.asked = (struct asked){.op = op, .key = key, .session = 1000, .node = node};
    call.asked.past = past_new(oracle->key_count);
    uint32_t held = session != CLIENT_NOBODY ? client->sessions[session].held_count : 0;
    for (uint32_t i = 0; i < held && (i == 0 || client->sessions[session].merges); i++) {
        struct token *token = client->sessions[session].held[i];
        token->refs++;
        call.tokens[call.token_count++] = token;
        oracle_past_merge(oracle, call.asked.past, token->past);
    }
    if (op == OP_PUT) {
        call.asked.write = oracle_put(oracle, key, 1000, client->probe_bytes, false);
        oracle_put_past(oracle, call.asked.write, call.asked.past);
    }
    if (op == OP_DELETE)
        oracle_delete(oracle, key, call.asked.past);
    return client__send(client, &call, timeout_us);
}

uint64_t client_operate(struct client *client, uint32_t node, const struct wish *wish,
                        uint64_t timeout_us)
{
    struct call call = {.probe = true,
                        .wait_ms = REQUEST_WAIT_DEFAULT,
                        .force = wish->force,
                        .shard_id = wish->shard};
    call.asked = (struct asked){.op = wish->op, .session = 1000, .node = node};
    call.asked.past = past_new(client->world->oracle.key_count);
    snprintf(call.addresses, sizeof call.addresses, "%s", wish->addresses);
    uint64_t number = client__send(client, &call, timeout_us);
    client->wishes =
        mem_realloc(client->wishes, (client->wish_count + 1) * sizeof client->wishes[0]);
    client->wishes[client->wish_count++] = number;
    return number;
}

void client_keep(struct client *client, uint32_t session, uint64_t call)
{
    struct token *answer = client->calls[call]->answer;
    if (answer == NULL)
        return;
    session__forget(&client->sessions[session]);
    session__hold(&client->sessions[session], answer);
}

void client_merge(struct client *client, uint32_t session, uint32_t other)
{
    if (client->sessions[other].held_count > 0)
        session__hold(&client->sessions[session], client->sessions[other].held[0]);
    client->sessions[session].merges = true;
}

void client_forget(struct client *client, uint32_t session)
{
    session__forget(&client->sessions[session]);
}
